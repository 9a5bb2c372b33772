/** Streams of the run path whose connections break, resumed through Cloudflare's own class over real sockets. */
import { env } from "cloudflare:test"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Schedule, Stream, TestClock } from "effect"
import { AiBinding, type AiGatewayError, ChatModel, LocalGateway } from "effect-ai-gateway"
import type { Settings } from "./control.js"
import * as Gateway from "./gateway.js"

const { always, connections, crlf, cutAfter, rechunk, refusesWith, silentAfter, text, unreachable } =
  LocalGateway

const words = "one two three four five six"

const binding = Layer.suspend(() => AiBinding.layer(env.AI, { gatewayId: "local-gateway" }))

/** Reconnects at once, five times: the waits have tests of their own. */
const atOnce = { schedule: Schedule.recurs(5) }

const names = ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4.5"] as const
const [openai] = names

const modelOf = (name: (typeof names)[number], resume: AiBinding.ResumeOptions = atOnce) =>
  AiBinding.model(name, { maxTokens: 1000, resume })

const behind = (
  faults: ReadonlyArray<LocalGateway.RunConnection>,
  reply: LocalGateway.Reply = text(words)
): Settings => {
  const upstream = always(connections(reply, faults))
  return { upstreams: { openai: upstream, anthropic: upstream } }
}

const through = <A, E>(settings: Settings, effect: Effect.Effect<A, E, AiBinding.AiBinding>) =>
  Effect.zipRight(Gateway.set(settings), Effect.provide(effect, binding))

/** From which event each request to resume asked. */
const resumed = Effect.map(Gateway.records, ({ requests }) =>
  requests.flatMap(({ url }) => {
    const { pathname, searchParams } = new URL(url)
    return pathname.endsWith("/resume") ? [Number(searchParams.get("from"))] : []
  })
)

const failed = (error: AiGatewayError.AiGatewayError): AiGatewayError.ResumeFailed => {
  const cause = error._tag === "StreamBroken" ? error.cause : error
  return cause._tag === "ResumeFailed" ? cause : assert.fail(`${cause._tag}: ${cause.message}`)
}

const collected = (name: (typeof names)[number], resume?: AiBinding.ResumeOptions) =>
  ChatModel.collect(modelOf(name, resume).streamChat("hi"))

for (const name of names) {
  describe(name, () => {
    it.effect("without a drop, is read once", () =>
      through(
        behind([]),
        Effect.gen(function* () {
          const answer = yield* collected(name)
          assert.strictEqual(answer.text, words)
          assert.match(answer.gateway.runId ?? "", /^[0-9a-f]{64}$/)
          assert.deepStrictEqual(yield* resumed, [])
        })
      )
    )

    it.effect("dropped between two events, goes on from there", () =>
      through(
        behind([cutAfter(4)]),
        Effect.gen(function* () {
          const answer = yield* collected(name)
          assert.strictEqual(answer.text, words)
          assert.strictEqual(answer.finishReason, "stop")
          assert.deepStrictEqual(yield* resumed, [4])
        })
      )
    )

    it.effect("dropped before its first event, goes on from the beginning", () =>
      through(
        behind([cutAfter(0)]),
        Effect.gen(function* () {
          assert.strictEqual((yield* collected(name)).text, words)
          assert.deepStrictEqual(yield* resumed, [0])
        })
      )
    )

    // Half an event is thrown away, and comes again whole.
    for (const bytes of [1, 6, 20, 60]) {
      it.effect(`dropped ${bytes} bytes into an event, tells nothing twice and loses nothing`, () =>
        through(
          behind([cutAfter(4, { bytes }), cutAfter(1, { bytes })]),
          Effect.gen(function* () {
            const pieces = yield* Stream.runCollect(modelOf(name).streamComplete("hi"))
            assert.deepStrictEqual([...pieces].join(""), words)
            assert.deepStrictEqual(yield* resumed, [4, 5])
          })
        )
      )
    }

    it.effect("dropped again and again, is whole in the end", () =>
      through(
        behind(Array.from({ length: 12 }, () => cutAfter(1))),
        Effect.gen(function* () {
          // More drops than the schedule has reconnects: it begins afresh after each event.
          assert.strictEqual((yield* collected(name)).text, words)
          assert.deepStrictEqual((yield* resumed).slice(0, 3), [1, 2, 3])
        })
      )
    )

    it.effect("with CRLF, goes on likewise", () =>
      through(
        behind([cutAfter(4), cutAfter(1, { bytes: 7 })], crlf(text(words))),
        Effect.gen(function* () {
          assert.strictEqual((yield* collected(name)).text, words)
          assert.deepStrictEqual(yield* resumed, [4, 5])
        })
      )
    )

    it.effect("in chunks that cut events, lines and letters, goes on likewise", () =>
      through(
        behind(
          [cutAfter(3, { bytes: 9 }), cutAfter(2, { bytes: 5 })],
          rechunk(crlf(text("Grüße, 灵感 🎈 !")), 3)
        ),
        Effect.gen(function* () {
          assert.strictEqual((yield* collected(name)).text, "Grüße, 灵感 🎈 !")
          assert.deepStrictEqual(yield* resumed, [3, 5])
        })
      )
    )

    it.effect("that cannot be resumed at first, is asked for again", () =>
      through(
        behind([cutAfter(4), refusesWith(503), unreachable, refusesWith(502, { html: true })]),
        Effect.gen(function* () {
          assert.strictEqual((yield* collected(name)).text, words)
          assert.deepStrictEqual(yield* resumed, [4, 4, 4, 4])
        })
      )
    )

    it.effect("that is gone, fails as expired with what came", () =>
      through(
        behind([cutAfter(6), refusesWith(404)]),
        Effect.gen(function* () {
          const error = yield* Effect.flip(Stream.runDrain(modelOf(name).streamChat("hi")))
          if (error._tag !== "StreamBroken") return assert.fail(error._tag)
          assert.match(error.delivered.text, /^one two/)
          const { reason, from, runId } = failed(error)
          assert.deepStrictEqual([reason, from], ["expired", 6])
          assert.match(runId, /^[0-9a-f]{64}$/)
          assert.deepStrictEqual(yield* resumed, [6])
        })
      )
    )

    it.effect("that is gone, may end with what came", () =>
      through(
        behind([cutAfter(6), refusesWith(404)]),
        Effect.gen(function* () {
          const answer = yield* collected(name, { ...atOnce, whenExpired: "accept" })
          assert.match(answer.text, /^one two/)
          assert.notStrictEqual(answer.text, words)
          assert.deepStrictEqual([answer.finishReason, answer.rawFinishReason], ["other", "expired"])
        })
      )
    )

    it.effect("that cannot be resumed at all, fails as exhausted, and counts", () =>
      through(
        behind([cutAfter(6), ...Array.from({ length: 9 }, () => refusesWith(503))]),
        Effect.gen(function* () {
          const error = failed(yield* Effect.flip(Stream.runDrain(modelOf(name).streamChat("hi"))))
          assert.deepStrictEqual([error.reason, error.reconnects, error.from], ["exhausted", 5, 6])
          assert.deepStrictEqual(yield* resumed, [6, 6, 6, 6, 6])
        })
      )
    )
  })
}

describe("the waits between reconnects", () => {
  it.effect("are those of the schedule", () =>
    through(
      behind([cutAfter(4), refusesWith(503)]),
      Effect.gen(function* () {
        const patient = { schedule: Schedule.spaced("10 seconds") }
        const fiber = yield* Effect.fork(collected(openai, patient))
        yield* Gateway.eventually(
          "the drop",
          ({ requests, inFlight }) => requests.length === 1 && inFlight === 0
        )
        yield* Gateway.pause(50)
        yield* TestClock.adjust("9 seconds")
        yield* Gateway.pause(50)
        assert.deepStrictEqual(yield* resumed, [])
        yield* TestClock.adjust("1 second")
        yield* Gateway.eventually("the first", ({ requests }) => requests.length === 2)
        yield* Gateway.pause(50)
        yield* TestClock.adjust("9 seconds")
        yield* Gateway.pause(50)
        assert.deepStrictEqual(yield* resumed, [4])
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber)).text, words)
        assert.deepStrictEqual(yield* resumed, [4, 4])
      })
    )
  )
})

describe("an interruption", () => {
  const interruptedAt = (
    settings: Settings,
    requests: number,
    open: boolean,
    resume: AiBinding.ResumeOptions = { schedule: Schedule.spaced("1 minute") }
  ) =>
    through(
      settings,
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Stream.runDrain(modelOf(openai, resume).streamChat("hi")))
        yield* Gateway.eventually(
          "the moment",
          (seen) => seen.requests.length === requests && seen.inFlight === (open ? 1 : 0)
        )
        yield* Gateway.pause(50)
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        yield* TestClock.adjust("1 day")
        yield* Gateway.pause(50)
        assert.lengthOf((yield* Gateway.records).requests, requests)
        yield* Gateway.eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
      })
    )

  it.effect("within the stream resumes nothing", () => interruptedAt(behind([silentAfter(4)]), 1, true))

  it.effect("before the first event resumes nothing", () => interruptedAt(behind([silentAfter(0)]), 1, true))

  it.effect("while it waits to reconnect resumes nothing", () =>
    interruptedAt(behind([cutAfter(4)]), 1, false)
  )

  it.effect("of a stream that was resumed closes that socket, and resumes nothing", () =>
    interruptedAt(behind([cutAfter(4), silentAfter(1)]), 2, true, atOnce)
  )

  it.effect("by a reader that has enough resumes nothing", () =>
    through(
      behind([cutAfter(4), silentAfter(2)]),
      Effect.gen(function* () {
        const some = yield* Stream.runCollect(Stream.take(modelOf(openai).streamComplete("hi"), 4))
        assert.strictEqual([...some].join(""), "one two three four")
        yield* Gateway.eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
        yield* TestClock.adjust("1 day")
        yield* Gateway.pause(50)
        assert.deepStrictEqual(yield* resumed, [4])
      })
    )
  )
})

describe("another invocation", () => {
  for (const name of names) {
    it.effect(`of ${name} takes the stream up where the first one left it`, () =>
      through(
        behind([silentAfter(6)]),
        Effect.gen(function* () {
          let known = ""
          const left = yield* Deferred.make<{ readonly runId: string; readonly from: number }>()
          const model = modelOf(name, {
            ...atOnce,
            onProgress: (progress) => (progress.from === 6 ? Deferred.succeed(left, progress) : Effect.void)
          })
          const first = yield* model.streamComplete("hi").pipe(
            Stream.runForEach((piece) =>
              Effect.sync(() => {
                known += piece
              })
            ),
            Effect.fork
          )
          const progress = yield* Deferred.await(left)
          yield* Gateway.pause(20)
          yield* Fiber.interrupt(first)
          assert.match(known, /^one two/)
          assert.notStrictEqual(known, words)
          const rest = yield* ChatModel.collect(AiBinding.reattach(name, progress))
          assert.strictEqual(known + rest.text, words)
          const { upstreamRequests } = yield* Gateway.records
          assert.lengthOf(upstreamRequests, 1)
        })
      )
    )
  }

  it.effect("resumes its own drops", () =>
    through(
      behind([cutAfter(6), cutAfter(2, { bytes: 9 }), refusesWith(503), unreachable]),
      Effect.gen(function* () {
        let runId = ""
        yield* AiBinding.model(openai)
          .streamChat("hi")
          .pipe(
            Stream.runForEach((event) =>
              Effect.sync(() => {
                if (event._tag === "Start") runId = event.gateway.runId ?? ""
              })
            ),
            Effect.flip
          )
        const again = yield* ChatModel.collect(AiBinding.reattach(openai, { runId, resume: atOnce }))
        assert.strictEqual(again.text, words)
        assert.deepStrictEqual(yield* resumed, [0, 2, 2, 2])
      })
    )
  )

  it.effect("of a run that is gone fails as expired, at once", () =>
    through(
      behind([]),
      Effect.gen(function* () {
        const again = AiBinding.reattach(openai, { runId: "f".repeat(64), resume: atOnce })
        const error = failed(yield* Effect.flip(Stream.runDrain(again)))
        assert.deepStrictEqual([error.reason, error.reconnects], ["expired", 0])
        assert.lengthOf(yield* resumed, 1)
      })
    )
  )

  it.effect("of an id that the gateway cannot read fails as refused", () =>
    through(
      behind([]),
      Effect.gen(function* () {
        const error = failed(
          yield* Effect.flip(Stream.runDrain(AiBinding.reattach(openai, { runId: "abc" })))
        )
        assert.strictEqual(error.reason, "refused")
        assert.lengthOf(yield* resumed, 1)
      })
    )
  )

  it.effect("of what cannot be an id is never asked for", () =>
    through(
      behind([]),
      Effect.gen(function* () {
        for (const runId of ["", "../logs/1", "a/b", "a?from=0", "灵感"]) {
          const error = yield* Effect.flip(Stream.runDrain(AiBinding.reattach(openai, { runId })))
          assert.deepInclude({ ...error }, { field: "runId" })
        }
        assert.lengthOf((yield* Gateway.records).requests, 0)
      })
    )
  )
})

describe("progress", () => {
  it.effect("is told with the run's id, never decreases, and ends at the last event", () =>
    through(
      behind([cutAfter(4, { bytes: 5 }), cutAfter(2)]),
      Effect.gen(function* () {
        const told: Array<{ readonly runId: string; readonly from: number }> = []
        const answer = yield* collected(openai, {
          ...atOnce,
          onProgress: (progress) =>
            Effect.sync(() => {
              told.push(progress)
            })
        })
        assert.strictEqual(answer.text, words)
        yield* Gateway.pause(20)
        const froms = told.map(({ from }) => from)
        assert.deepStrictEqual(
          froms,
          [...froms].sort((a, b) => a - b)
        )
        assert.isTrue(told.every(({ runId }) => runId === answer.gateway.runId))
        assert.isAbove(froms.at(-1) ?? 0, 6)
      })
    )
  )
})

describe("a stream that was not told to resume", () => {
  it.effect("is broken by a drop, and nothing is asked", () =>
    through(
      behind([cutAfter(6)]),
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.runDrain(AiBinding.model(openai).streamChat("hi")))
        assert.strictEqual(error._tag, "StreamBroken")
        assert.deepStrictEqual(yield* resumed, [])
      })
    )
  )
})
