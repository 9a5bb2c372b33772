import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberId,
  Layer,
  Logger,
  Redacted,
  Schedule,
  Scheduler,
  Stream,
  TestClock
} from "effect"
import { AiGateway, Anthropic, ChatModel, GoogleAiStudio, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

type Upstreams = NonNullable<LocalGateway.Options["upstreams"]>
type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic | GoogleAiStudio.GoogleAiStudio

const settings = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}
const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer())

/** Lets promises that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

/** No promise may reject with nobody listening. */
const withoutRejections = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const seen: Array<unknown> = []
    const listener = (reason: unknown) => seen.push(reason)
    process.on("unhandledRejection", listener)
    return effect.pipe(
      Effect.tap(() => flush),
      Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(seen, []))),
      Effect.ensuring(Effect.sync(() => process.off("unhandledRejection", listener)))
    )
  })

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")
const list = ChatModel.firstSuccessOf([openai, anthropic, google])
const patient = ChatModel.retry(openai, Schedule.spaced("1 hour"))
const chat = (model: ChatModel.With<Needs>) => Effect.asVoid(model.chat("hi"))
const stream = (model: ChatModel.With<Needs>) => Stream.runDrain(model.streamChat("hi"))

const { always, hang, stallAfter, status, text } = LocalGateway
const words = text("one two three")

interface Moment {
  readonly name: string
  readonly upstreams: Upstreams
  readonly run: Effect.Effect<void, unknown, Needs>
  /** How many requests were made by then. */
  readonly requests: number
  /** Has the last request an answer that is still being given? */
  readonly open: boolean
}

const moment = (
  name: string,
  upstreams: Upstreams,
  run: Effect.Effect<void, unknown, Needs>,
  requests = 1,
  open = true
): Moment => ({ name, upstreams, run, requests, open })

const moments: ReadonlyArray<Moment> = [
  moment("a chat while connecting", { openai: always(hang) }, chat(openai)),
  moment("a chat between headers and body", { openai: always(stallAfter(words, 0)) }, chat(openai)),
  moment("a chat in the middle of its body", { openai: always(stallAfter(words, 1)) }, chat(openai)),
  moment(
    "a chat in the middle of an error's body",
    { openai: always(stallAfter(status(503), 1)) },
    chat(list)
  ),
  moment("a chat during back-off", { openai: always(status(503)) }, chat(patient), 1, false),
  moment("a chat during leg 2", { openai: always(status(400)), anthropic: always(hang) }, chat(list), 2),
  moment(
    "a chat under a total clock of its own",
    { openai: always(hang) },
    chat(ChatModel.withTimeouts(list, { total: "1 hour" }))
  ),
  moment(
    "a chat with every clock off",
    { openai: always(stallAfter(words, 1)) },
    chat(ChatModel.withTimeouts(list, { total: Duration.infinity }))
  ),
  moment("a stream while connecting", { openai: always(hang) }, stream(list)),
  moment("a stream between headers and body", { openai: always(stallAfter(words, 0)) }, stream(list)),
  moment("a stream before its first content", { openai: always(stallAfter(words, 1)) }, stream(list)),
  moment("a stream after its first content", { openai: always(stallAfter(words, 3)) }, stream(list)),
  moment(
    "a stream that another format carries",
    { anthropic: always(stallAfter(words, 4)) },
    stream(anthropic)
  ),
  moment(
    "a stream of JSON without events",
    { openai: always(LocalGateway.unstreamed(stallAfter(words, 1))) },
    stream(list)
  ),
  moment("a stream during back-off", { openai: always(status(503)) }, stream(patient), 1, false),
  moment(
    "a stream during leg 2",
    {
      openai: always(LocalGateway.errorEvent(words, 0, { status: 400 })),
      anthropic: always(stallAfter(words, 1))
    },
    stream(list),
    2
  ),
  moment(
    "a stream under a total clock, before its first content",
    { openai: always(stallAfter(words, 1)) },
    stream(ChatModel.withTimeouts(list, { total: "1 hour" }))
  ),
  moment(
    "a stream under a total clock, after its first content",
    { openai: always(stallAfter(words, 3)) },
    stream(ChatModel.withTimeouts(list, { total: "1 hour" }))
  ),
  moment(
    "a stream with every clock off",
    { openai: always(stallAfter(words, 1)) },
    stream(ChatModel.withTimeouts(list, { firstEvent: Duration.infinity, idle: Duration.infinity }))
  )
]

describe("64, 98. interrupting, in process", () => {
  for (const { name, upstreams, run, requests, open } of moments) {
    it.effect(`${name}: the gateway sees it go, and no request follows`, () => {
      const gateway = LocalGateway.make({ upstreams })
      return withoutRejections(
        Effect.gen(function* () {
          const before = (yield* Fiber.roots).length
          const fiber = yield* Effect.fork(run)
          yield* flush
          assert.strictEqual(gateway.requests().length, requests)
          assert.strictEqual(gateway.inFlight(), open ? 1 : 0)
          const exit = yield* Fiber.interrupt(fiber)
          assert.isTrue(Exit.isInterrupted(exit))
          yield* flush
          assert.strictEqual(gateway.inFlight(), 0)
          assert.strictEqual(gateway.requests().at(-1)?.aborted, open)
          yield* TestClock.adjust("1 day")
          yield* flush
          assert.strictEqual(gateway.requests().length, requests)
          assert.strictEqual((yield* Fiber.roots).length, before)
        })
      ).pipe(
        Effect.provide(
          providers.pipe(
            Layer.provideMerge(AiGateway.layer(settings)),
            Layer.provideMerge(LocalGateway.layerFrom(gateway))
          )
        )
      )
    })
  }

  it.effect("98. a stream that was interrupted delivers nothing more", () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: always(text("one two three", { delay: "1 second" })) }
    })
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const fiber = yield* Effect.fork(
        Stream.runForEach(list.streamComplete("hi"), (piece) => Effect.sync(() => seen.push(piece)))
      )
      yield* flush
      yield* TestClock.adjust("1 second")
      yield* flush
      assert.deepStrictEqual(seen, ["one", " two"])
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      yield* flush
      assert.deepStrictEqual(seen, ["one", " two"])
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(
      Effect.provide(
        providers.pipe(
          Layer.provideMerge(AiGateway.layer(settings)),
          Layer.provideMerge(LocalGateway.layerFrom(gateway))
        )
      )
    )
  })
})

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
]

for (const [client, layer] of clients) {
  describe(`64, 98. interrupting over real sockets, ${client}`, () => {
    for (const { name, upstreams, run, requests, open } of moments) {
      it.live(`${name}: the server sees it go, and no request follows`, () =>
        withoutRejections(
          Effect.gen(function* () {
            const gateway = LocalGateway.make({ upstreams })
            const { baseUrl } = yield* LocalGatewayServer.start(gateway)
            const context = yield* Layer.build(
              providers.pipe(
                Layer.provideMerge(AiGateway.layer({ ...settings, baseUrl })),
                Layer.provideMerge(layer)
              )
            )
            const fiber = yield* Effect.fork(Effect.provide(run, context))
            yield* eventually(
              "the request",
              () => gateway.requests().length === requests && gateway.inFlight() === (open ? 1 : 0)
            )
            yield* Effect.sleep("20 millis")
            const exit = yield* Fiber.interrupt(fiber)
            assert.isTrue(Exit.isInterrupted(exit))
            yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
            assert.strictEqual(gateway.requests().at(-1)?.aborted, open)
            assert.strictEqual(gateway.requests().length, requests)
          }).pipe(Effect.scoped)
        ).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
      )
    }
  })
}

describe("whatever the moment is in which the interruption comes", () => {
  interface Seen {
    consumed: boolean
    cancelled: boolean
    readonly signal: AbortSignal
  }

  const json = ['{"choices":[{"message":{"content":"hi"},"finish_', 'reason":"stop"}]}']
  const sse = [
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n',
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    "data: [DONE]\n\n"
  ]

  /** A client that knows of each response that it gave whether somebody took care of it. */
  const stub = (pieces: ReadonlyArray<string>) => {
    const seen: Array<Seen> = []
    const client = HttpClient.make((request, _url, signal) =>
      Effect.zipRight(
        Effect.yieldNow(),
        Effect.sync(() => {
          const record: Seen = { consumed: false, cancelled: false, signal }
          const rest = [...pieces]
          const body = new ReadableStream<Uint8Array>(
            {
              pull(controller) {
                const next = rest.shift()
                if (next !== undefined) return controller.enqueue(new TextEncoder().encode(next))
                record.consumed = true
                controller.close()
              },
              cancel() {
                record.cancelled = true
              }
            },
            { highWaterMark: 0 }
          )
          const headers = { "content-type": pieces === json ? "application/json" : "text/event-stream" }
          seen.push(record)
          return HttpClientResponse.fromWeb(request, new Response(body, { headers }))
        })
      )
    )
    return { seen, client }
  }

  const off = { firstEvent: Duration.infinity, idle: Duration.infinity, total: Duration.infinity }
  const runs: ReadonlyArray<
    readonly [string, ReadonlyArray<string>, Effect.Effect<void, unknown, Needs>, number]
  > = [
    ["a chat", json, chat(openai), 380],
    ["a chat with its clocks off", json, chat(ChatModel.withTimeouts(openai, off)), 360],
    ["a stream", sse, stream(openai), 500],
    ["a stream with its clocks off", sse, stream(ChatModel.withTimeouts(openai, off)), 500],
    ["a stream with a total clock", sse, stream(ChatModel.withTimeouts(openai, { total: "1 hour" })), 560],
    ["a universal chat", json, chat(ChatModel.universal([openai, anthropic])), 560],
    ["a universal stream", sse, stream(ChatModel.universal([openai, anthropic])), 680]
  ]
  for (const [name, pieces, run, last] of runs) {
    // The fiber that is at its nth step loses its turn there, and the interruption of the call comes meanwhile.
    it.live(
      `no response of ${name} stays open`,
      () =>
        Effect.gen(function* () {
          const { seen, client } = stub(pieces)
          const context = yield* Layer.build(
            providers.pipe(
              Layer.provideMerge(AiGateway.layer(settings)),
              Layer.provideMerge(Layer.succeed(HttpClient.HttpClient, client))
            )
          )
          let interrupted = 0
          // The response comes at about step 200; what is before and long after that is looked at here and there.
          const steps = Array.from({ length: last + 400 }, (_, n) => n + 1).filter(
            (n) => (n > 160 && n <= last) || n % 7 === 0
          )
          for (const n of steps) {
            seen.length = 0
            const exit = yield* interruptedAt(n, Effect.provide(run, context))
            if (Exit.isFailure(exit)) interrupted++
            const open = seen.filter((it) => !it.consumed && !it.cancelled && !it.signal.aborted)
            assert.strictEqual(open.length, 0, `open after an interruption at step ${n}`)
          }
          assert.isAbove(interrupted, 100)
        }).pipe(Effect.scoped),
      30_000
    )
  }

  const interruptedAt = (n: number, effect: Effect.Effect<void, unknown>) =>
    Effect.promise(async () => {
      const usual = new Scheduler.MixedScheduler(2048)
      let step = 0
      let hold = false
      const turns = async (count: number) => {
        for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve))
      }
      const scheduler: Scheduler.Scheduler = {
        scheduleTask: (task, priority) => {
          if (!hold) return usual.scheduleTask(task, priority)
          hold = false
          void turns(2).then(task)
        },
        shouldYield: () => {
          if (++step !== n) return false
          hold = true
          void turns(1).then(() => fiber.unsafeInterruptAsFork(FiberId.none))
          return 0
        }
      }
      const fiber = Effect.runFork(effect, { scheduler, immediate: false })
      const exit = await Effect.runPromise(Fiber.await(fiber))
      await turns(1)
      return exit
    })
})
