import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Exit, Fiber, FastCheck as fc, Layer, Stream, TestClock } from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"

const Providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

type Needs =
  | AiGateway.AiGateway
  | OpenAi.OpenAi
  | Anthropic.Anthropic
  | GoogleAiStudio.GoogleAiStudio
  | WorkersAi.WorkersAi

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")

const models: ReadonlyArray<readonly [string, ChatModel.With<Needs>]> = [
  ["openai", openai],
  ["anthropic", anthropic],
  ["google-ai-studio", google],
  ["workers-ai", workersAi]
]

const local = (options: LocalGateway.Options = {}) => Layer.merge(Providers, LocalGateway.layerTest(options))

const replying = (provider: string, ...replies: ReadonlyArray<LocalGateway.Reply>) =>
  local({ upstreams: { [provider]: LocalGateway.script(replies) } })

const once = <R>(model: ChatModel.With<R>) =>
  ChatModel.make<R>({
    metadata: model.metadata,
    chat: (input) => model.chat(input),
    streamChat: (input) => model.streamChat(input)
  })

/** All events that came, and how the stream ended. */
const run = <E, R>(stream: Stream.Stream<ChatEvent.ChatEvent, E, R>) =>
  Effect.gen(function* () {
    const events: Array<ChatEvent.ChatEvent> = []
    const exit = yield* Effect.exit(
      Stream.runForEachChunk(stream, (chunk) => Effect.sync(() => events.push(...chunk)))
    )
    return { events, exit }
  })

const failure = <A, E>(exit: Exit.Exit<A, E>): E => {
  if (Exit.isSuccess(exit)) throw new Error("expected a failure")
  const { cause } = exit
  if (cause._tag !== "Fail") throw new Error(`expected a typed failure, got ${cause._tag}`)
  return cause.error
}

const tags = (events: ReadonlyArray<ChatEvent.ChatEvent>) => events.map((event) => event._tag)
const text = (events: ReadonlyArray<ChatEvent.ChatEvent>) =>
  events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")

const noRetry = { options: { retries: { maxAttempts: 1 } } } as const
const ask = { prompt: "hello", ...noRetry }

/** A client whose every answer is this response; counts what was asked and what was let go. */
const stub = (respond: (signal: AbortSignal) => Response) => {
  const seen = { requests: 0 }
  const client = HttpClient.make((request, _url, signal) =>
    Effect.sync(() => {
      seen.requests++
      return HttpClientResponse.fromWeb(request, respond(signal))
    })
  )
  const layer = Layer.merge(
    Providers,
    AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client)),
      Layer.orDie
    )
  )
  return { seen, layer }
}

const sse = (body: BodyInit) => new Response(body, { headers: { "content-type": "text/event-stream" } })
const chunk = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
const stop = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`
const done = "data: [DONE]\n\n"

describe("what a stream delivers", () => {
  for (const [provider, model] of models) {
    it.effect(`89. ${provider}: "Hel" and "lo" are "Hello" and one finish`, () =>
      Effect.gen(function* () {
        const { events } = yield* run(model.streamChat("hi"))
        assert.strictEqual(text(events), "Hello")
        assert.strictEqual(events[0]?._tag, "Start")
        assert.strictEqual(events.at(-1)?._tag, "Finish")
        assert.strictEqual(events.at(-2)?._tag, "Usage")
        assert.lengthOf(
          events.filter((event) => event._tag === "Finish" || event._tag === "Start"),
          2
        )
      }).pipe(Effect.provide(replying(provider, LocalGateway.text("Hello", { chunks: ["Hel", "lo"] }))))
    )

    it.effect(`90. ${provider}: the network may cut the bytes anywhere, characters included`, () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.integer({ min: 1, max: 40 }), (size) => {
            const reply = LocalGateway.text("Grüße, 世界 🧀!", { chunks: ["Grü", "ße, 世", "界 🧀", "!"] })
            return run(model.streamChat("hi")).pipe(
              Effect.provide(replying(provider, LocalGateway.rechunk(reply, size))),
              Effect.tap(({ events, exit }) => {
                assert.isTrue(Exit.isSuccess(exit))
                assert.strictEqual(text(events), "Grüße, 世界 🧀!")
                assert.strictEqual(events.at(-1)?._tag, "Finish")
              }),
              Effect.asVoid,
              Effect.runPromise
            )
          }),
          { numRuns: 15 }
        )
      )
    )

    it.effect(`${provider}: the collected stream is what chat answers`, () => {
      const reply = LocalGateway.text("Brie and Feta", { chunks: ["Brie ", "and ", "Feta"] })
      return Effect.gen(function* () {
        const streamed = yield* ChatModel.collect(model.streamChat("hi"))
        const whole = yield* model.chat("hi")
        const { raw: _raw, gateway: _gateway, ...expected } = whole
        const { raw: _none, gateway: _other, ...actual } = streamed
        assert.deepStrictEqual(actual, expected)
      }).pipe(Effect.provide(replying(provider, reply, reply)))
    })

    it.effect(`${provider}: a stream request that is answered with one JSON body gives the same events`, () =>
      Effect.gen(function* () {
        const { events, exit } = yield* run(model.streamChat("hi"))
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(tags(events), ["Start", "TextDelta", "Usage", "Finish"])
        assert.strictEqual(text(events), "Hello")
      }).pipe(Effect.provide(replying(provider, LocalGateway.unstreamed(LocalGateway.text("Hello")))))
    )

    it.effect(`92. ${provider}: a 200 whose first event is an error falls back`, () => {
      const bad = LocalGateway.errorEvent(LocalGateway.text("never"), 0)
      const next: ChatModel.With<Needs> = provider === "openai" ? anthropic : openai
      return Effect.gen(function* () {
        const { events } = yield* run(ChatModel.firstSuccessOf([model, next]).streamChat(ask))
        assert.include(text(events), "hello")
        const start = events[0]
        assert.isTrue(start?._tag === "Start" && start.provider !== provider)
        assert.lengthOf(start?._tag === "Start" ? start.attempts : [], 1)
      }).pipe(Effect.provide(replying(provider, bad, bad)))
    })

    it.effect(
      `93. ${provider}: an error after text says what was delivered, and nothing else answers`,
      () => {
        // Two events of Anthropic come before its first text.
        const skip = provider === "anthropic" ? 4 : provider === "openai" ? 2 : 1
        const reply = LocalGateway.errorEvent(
          LocalGateway.text("Hello you", { chunks: ["Hello", " you"] }),
          skip
        )
        return Effect.gen(function* () {
          const gateway = yield* LocalGateway.Gateway
          const { events, exit } = yield* run(ChatModel.firstSuccessOf([model, openai]).streamChat(ask))
          const error = failure(exit)
          assert.strictEqual(error._tag, "StreamBroken")
          if (error._tag !== "StreamBroken") return
          assert.strictEqual(error.delivered.text, "Hello")
          assert.strictEqual(error.delivered.text, text(events))
          assert.strictEqual(error.delivered.events, events.length)
          assert.notStrictEqual(error.cause._tag, "TransportFailure")
          assert.lengthOf(gateway.requests(), 1)
        }).pipe(Effect.provide(replying(provider, reply)))
      }
    )

    it.effect(`94. ${provider}: an end before the model's end is a cut-off stream`, () =>
      Effect.gen(function* () {
        const whole = LocalGateway.text("Hello you", { chunks: ["Hello", " you"] })
        const skip = provider === "anthropic" ? 4 : provider === "openai" ? 2 : 1
        const { events, exit } = yield* run(model.streamChat(ask)).pipe(
          Effect.provide(replying(provider, LocalGateway.dropAfter(whole, skip)))
        )
        const error = failure(exit)
        assert.strictEqual(error._tag, "StreamBroken")
        if (error._tag !== "StreamBroken") return
        assert.strictEqual(error.delivered.text, "Hello")
        assert.strictEqual(text(events), "Hello")
        assert.strictEqual(error.cause._tag, "TransportFailure")
      })
    )
  }

  it.effect("an empty answer is an answer", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* run(openai.streamChat("hi"))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(tags(events), ["Start", "Finish"])
    }).pipe(Effect.provide(stub(() => sse(stop + done)).layer))
  )

  it.effect("streamComplete gives the pieces of the text and nothing else", () =>
    Effect.gen(function* () {
      const pieces = yield* Stream.runCollect(openai.streamComplete("hi"))
      assert.deepStrictEqual(Chunk.toReadonlyArray(pieces), ["Hel", "lo"])
    }).pipe(Effect.provide(replying("openai", LocalGateway.text("Hello", { chunks: ["Hel", "lo"] }))))
  )

  it.effect("each run of a stream is a request of its own", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const stream = openai.streamChat("hi")
      assert.lengthOf(gateway.requests(), 0)
      yield* Stream.runDrain(stream)
      yield* Stream.runDrain(stream)
      assert.lengthOf(gateway.requests(), 2)
    }).pipe(Effect.provide(local()))
  )

  it.effect("a stream in a list in a list tells all attempts, in order", () => {
    const down = LocalGateway.always(LocalGateway.status(400))
    return Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([ChatModel.firstSuccessOf([openai, anthropic]), google])
      const { events } = yield* run(list.streamChat("hi"))
      const start = events[0]
      if (start?._tag !== "Start") throw new Error("no start")
      assert.strictEqual(start.provider, "google-ai-studio")
      assert.deepStrictEqual(
        start.attempts.map((attempt) => [attempt.leg, attempt.provider]),
        [
          [0, "openai"],
          [1, "anthropic"]
        ]
      )
    }).pipe(Effect.provide(local({ upstreams: { openai: down, anthropic: down } })))
  })

  it.effect(
    "a stream that somebody made is held until its first content, and left if it fails before",
    () => {
      const start: ChatEvent.ChatEvent = {
        _tag: "Start",
        provider: "mine",
        model: "m",
        gateway: {},
        attempts: []
      }
      return Effect.gen(function* () {
        const broken = yield* Effect.flip(
          openai.chat(ask).pipe(Effect.provide(replying("openai", LocalGateway.status(503))))
        )
        const mine = ChatModel.make({
          metadata: { provider: "mine", model: "m", supports: [] },
          chat: () => Effect.fail(broken),
          streamChat: () => Stream.concat(Stream.make(start), Stream.fail(broken))
        })
        const { events } = yield* run(ChatModel.firstSuccessOf([mine, once(openai)]).streamChat("hi"))
        assert.lengthOf(
          events.filter((event) => event._tag === "Start"),
          1
        )
        assert.isTrue(events[0]?._tag === "Start" && events[0].provider === "openai")
      }).pipe(Effect.provide(local()))
    }
  )
})

describe("95. what is no stream", () => {
  const cases: ReadonlyArray<readonly [string, () => Response, AiGatewayError.AiGatewayError["_tag"]]> = [
    ["an event that is not JSON", () => sse("data: {oops\n\n"), "MalformedResponse"],
    ["nothing at all", () => sse(""), "TransportFailure"],
    ["only comments", () => sse(": hello\n\n: hello\n\n"), "TransportFailure"],
    [
      "HTML with 200",
      () => new Response("<html><body>hi</body></html>", { headers: { "content-type": "text/html" } }),
      "MalformedResponse"
    ],
    ["an empty body with 200", () => new Response(null), "MalformedResponse"],
    ["choices of a wrong type", () => sse('data: {"choices":5}\n\n'), "MalformedResponse"],
    ["an error envelope with 200", () => Response.json({ error: { message: "no" } }), "ProviderFailure"],
    ["[DONE] and nothing else", () => sse(done), "MalformedResponse"]
  ]
  for (const [name, respond, tag] of cases) {
    it.effect(`${name} is a typed error before commit`, () =>
      Effect.gen(function* () {
        const { events, exit } = yield* run(openai.streamChat(ask))
        assert.lengthOf(events, 0)
        const error = failure(exit)
        assert.strictEqual(error._tag, tag)
        assert.isAbove(error.message.length, 10)
      }).pipe(Effect.provide(stub(respond).layer))
    )
  }

  it.effect("an undecodable event after text breaks the stream and keeps the text", () =>
    Effect.gen(function* () {
      const { events, exit } = yield* run(openai.streamChat(ask))
      assert.strictEqual(text(events), "Hello")
      const error = failure(exit)
      assert.isTrue(error._tag === "StreamBroken" && error.cause._tag === "MalformedResponse")
    }).pipe(Effect.provide(stub(() => sse(`${chunk("Hello")}data: {oops\n\n${chunk("never")}`)).layer))
  )
})

describe("streams that are labelled or ended oddly", () => {
  const answers = (respond: () => Response) => () =>
    Effect.gen(function* () {
      const { events, exit } = yield* run(openai.streamChat(ask))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(text(events), "Hello")
      assert.strictEqual(events.at(-1)?._tag, "Finish")
    }).pipe(Effect.provide(stub(respond).layer))

  it.effect(
    "events under another content type",
    answers(() => new Response(chunk("Hello") + stop + done, { headers: { "content-type": "text/plain" } }))
  )
  it.effect(
    "one JSON body under the stream's content type",
    answers(() =>
      sse(JSON.stringify({ choices: [{ message: { content: "Hello" }, finish_reason: "stop" }] }, null, 2))
    )
  )
  it.effect(
    "no blank line behind the last event",
    answers(() => sse(chunk("Hello") + stop.trimEnd()))
  )
  it.effect(
    "CRLF",
    answers(() => sse((chunk("Hello") + stop + done).replace(/\n/g, "\r\n")))
  )
  it.effect(
    "a retry field and comments between events",
    answers(() => sse(`retry: 10\n\n: ping\n\n${chunk("Hello")}: ping\n\n${stop}${done}`))
  )

  it.effect("Google's bare JSON error behind events is an error, not an end", () => {
    const part = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "Hel" }] } }] })}\r\n\r\n`
    const tail = JSON.stringify(
      { error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } },
      null,
      2
    )
    return Effect.gen(function* () {
      const { events, exit } = yield* run(google.streamChat(ask))
      assert.strictEqual(text(events), "Hel")
      const error = failure(exit)
      assert.isTrue(error._tag === "StreamBroken" && error.cause._tag === "ProviderFailure")
      assert.include(error.message, "overloaded")
    }).pipe(Effect.provide(stub(() => sse(part + tail)).layer))
  })

  it.effect(
    "[DONE] on a connection that stays open ends the stream within a second, and lets go of it",
    () => {
      let cancelled = false
      const body = () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode(chunk("Hello") + stop + done)),
          cancel: () => {
            cancelled = true
          }
        })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(run(openai.streamChat(ask)))
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
        yield* TestClock.adjust("1 second")
        const { events, exit } = yield* Fiber.join(fiber)
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(text(events), "Hello")
        assert.isTrue(cancelled)
      }).pipe(Effect.provide(stub(() => sse(body())).layer))
    }
  )
})

describe("stopping", () => {
  it.effect("97. a reader that stops early lets go of the upstream at once", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const some = yield* Stream.runCollect(Stream.take(openai.streamChat("hi"), 2))
      assert.lengthOf(some, 2)
      assert.strictEqual(gateway.inFlight(), 0)
      assert.isTrue(gateway.requests()[0]?.aborted)
    }).pipe(Effect.provide(replying("openai", LocalGateway.stallAfter(LocalGateway.text("a b c d"), 3))))
  )

  it.effect("98. an interruption in mid-stream delivers nothing more and asks nobody else", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const events: Array<ChatEvent.ChatEvent> = []
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      const fiber = yield* Effect.fork(
        Stream.runForEach(list.streamChat("hi"), (event) => Effect.sync(() => events.push(event)))
      )
      while (text(events) === "")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
      const exit = yield* Fiber.interrupt(fiber)
      const count = events.length
      assert.isTrue(Exit.isInterrupted(exit))
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(events, count)
      assert.lengthOf(gateway.requests(), 1)
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.provide(replying("openai", LocalGateway.stallAfter(LocalGateway.text("a b c d"), 3))))
  )

  it.effect("the scope of a leg is closed before the next one is opened", () => {
    const order: Array<string> = []
    return Effect.gen(function* () {
      const failing = yield* Effect.flip(
        openai.chat(ask).pipe(Effect.provide(replying("openai", LocalGateway.status(503))))
      )
      const leg = (name: string, rest: Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError>) =>
        ChatModel.make({
          metadata: { provider: name, model: "m", supports: [] },
          chat: () => Effect.fail(failing),
          streamChat: () =>
            Stream.unwrapScoped(
              Effect.as(
                Effect.acquireRelease(
                  Effect.sync(() => order.push(`open ${name}`)),
                  () => Effect.sync(() => order.push(`close ${name}`))
                ),
                rest
              )
            )
        })
      const finish: ChatEvent.ChatEvent = { _tag: "Finish", finishReason: "stop", usage: {} }
      yield* Stream.runDrain(
        ChatModel.firstSuccessOf([
          leg("a", Stream.fail(failing)),
          leg("b", Stream.make({ _tag: "TextDelta", text: "x" } as const, finish))
        ]).streamChat("hi")
      )
      assert.deepStrictEqual(order, ["open a", "close a", "open b", "close b"])
    }).pipe(Effect.provide(local()))
  })
})

describe("memory", () => {
  it.effect(
    "what a broken stream delivered is kept up to a million characters; events are always counted",
    () => {
      const piece = chunk("x".repeat(1000))
      let sent = 0
      const body = () =>
        new ReadableStream<Uint8Array>({
          pull: (controller) => {
            if (++sent > 1500) return controller.error(new Error("socket hang up"))
            controller.enqueue(new TextEncoder().encode(piece))
          }
        })
      return Effect.gen(function* () {
        const exit = yield* Effect.exit(Stream.runDrain(openai.streamChat(ask)))
        const error = failure(exit)
        if (error._tag !== "StreamBroken") throw new Error(error._tag)
        assert.strictEqual(error.delivered.text.length, 1 << 20)
        assert.strictEqual(error.delivered.events, 1501)
        assert.include(error.message, "socket hang up")
      }).pipe(Effect.provide(stub(() => sse(body())).layer))
    }
  )
})
