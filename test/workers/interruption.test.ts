/** Whoever stops waiting closes the socket, at whatever moment, and nothing new is begun. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Schedule, Stream, TestClock } from "effect"
import { Anthropic, AwsBedrock, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import type { Settings } from "./control.js"
import * as Gateway from "./gateway.js"
import { type Needs, silentOnceInterrupted, throughBinding } from "./transports.js"

const { always, errorEvent, hang, stallAfter, status, text } = LocalGateway

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5", { maxTokens: 1000 })
const bedrock = AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" })
const list = ChatModel.firstSuccessOf([openai, anthropic])
const universal = ChatModel.universal([openai, anthropic])
const patient = ChatModel.retry(openai, Schedule.spaced("1 hour"))
const words = text("one two three")

const chat = (model: ChatModel.With<Needs>) => Effect.asVoid(model.chat("hi"))
const stream = (model: ChatModel.With<Needs>) => Stream.runDrain(model.streamChat("hi"))

interface Moment {
  readonly name: string
  readonly upstreams: NonNullable<Settings["upstreams"]>
  readonly run: Effect.Effect<void, unknown, Needs>
  /** How many requests were made by then. */
  readonly requests?: number
  /** Has the last request an answer that is still being given? */
  readonly open?: false
}

const moments: ReadonlyArray<Moment> = [
  { name: "a chat before headers", upstreams: { openai: always(hang) }, run: chat(list) },
  {
    name: "a chat between headers and body",
    upstreams: { openai: always(stallAfter(words, 0)) },
    run: chat(list)
  },
  {
    name: "a chat in the middle of its body",
    upstreams: { openai: always(stallAfter(words, 1)) },
    run: chat(list)
  },
  {
    name: "a chat in the middle of an error's body",
    upstreams: { openai: always(stallAfter(status(503), 1)) },
    run: chat(list)
  },
  {
    name: "a chat while it waits to retry",
    upstreams: { openai: always(status(503)) },
    run: chat(patient),
    open: false
  },
  {
    name: "a chat of the second model",
    upstreams: { openai: always(status(400)), anthropic: always(hang) },
    run: chat(list),
    requests: 2
  },
  {
    name: "a chat of a list on the server",
    upstreams: { openai: always(status(400)), anthropic: always(hang) },
    run: chat(universal)
  },
  { name: "a stream before headers", upstreams: { openai: always(hang) }, run: stream(list) },
  {
    name: "a stream before its first content",
    upstreams: { openai: always(stallAfter(words, 1)) },
    run: stream(list)
  },
  {
    name: "a stream after its first content",
    upstreams: { openai: always(stallAfter(words, 3)) },
    run: stream(list)
  },
  {
    name: "a binary stream after its first content",
    upstreams: { "aws-bedrock": always(stallAfter(words, 3)) },
    run: stream(bedrock)
  },
  {
    name: "a stream while it waits to retry",
    upstreams: { openai: always(status(503)) },
    run: stream(patient),
    open: false
  },
  {
    name: "a stream of the second model",
    upstreams: {
      openai: always(errorEvent(words, 0, { status: 400 })),
      anthropic: always(stallAfter(words, 1))
    },
    run: stream(list),
    requests: 2
  },
  {
    name: "a stream of a list on the server",
    upstreams: { openai: always(status(400)), anthropic: always(stallAfter(words, 4)) },
    run: stream(universal)
  },
  {
    name: "a stream with every clock off",
    upstreams: { openai: always(stallAfter(words, 1)) },
    run: stream(ChatModel.withTimeouts(list, { firstEvent: Duration.infinity, idle: Duration.infinity }))
  }
]

describe("interrupting", () => {
  for (const { name, upstreams, run, requests = 1, open = true } of moments) {
    it.effect(`${name}: the gateway sees it go, and no request follows`, () =>
      throughBinding(
        { upstreams },
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(run)
          yield* Gateway.eventually(
            "the request",
            (seen) => seen.requests.length === requests && seen.inFlight === (open ? 1 : 0)
          )
          // What was answered so far has time to arrive.
          yield* Gateway.pause(30)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
          yield* TestClock.adjust("1 day")
          if (open) return yield* Gateway.gone(requests)
          yield* Gateway.pause(50)
          assert.lengthOf((yield* Gateway.records).requests, requests)
        })
      )
    )
  }

  it.effect("a stream: nothing more is delivered", () =>
    throughBinding(
      { upstreams: { openai: always(text("word ".repeat(500), { delay: "5 millis" })) } },
      silentOnceInterrupted(list.streamComplete("hi"))
    )
  )

  it.effect("a stream whose reader has enough: the gateway is told", () =>
    throughBinding(
      { upstreams: { openai: always(text("word ".repeat(500), { delay: "5 millis" })) } },
      Effect.gen(function* () {
        const pieces = yield* Stream.runCollect(Stream.take(list.streamComplete("hi"), 3))
        assert.lengthOf([...pieces], 3)
        yield* Gateway.gone(1)
      })
    )
  )

  it.effect("twenty at once: all are gone", () =>
    throughBinding(
      { upstreams: { openai: always(stallAfter(words, 2)) } },
      Effect.gen(function* () {
        const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.fork(stream(openai)))
        yield* Gateway.eventually("all requests", ({ inFlight }) => inFlight === 20)
        yield* Fiber.interruptAll(fibers)
        const { requests } = yield* Gateway.eventually("their ends", ({ inFlight }) => inFlight === 0)
        assert.isTrue(requests.every(({ aborted }) => aborted))
      })
    )
  )
})

describe("a clock that runs out", () => {
  const cases = [
    ["before headers", hang, "total", "1 minute"],
    ["before the first content", stallAfter(words, 1), "firstEvent", "1 minute"],
    ["between two pieces", stallAfter(words, 3), "idle", "1 minute"]
  ] as const
  for (const [name, reply, phase, limit] of cases) {
    it.effect(`${name} closes the socket, and says which it was`, () =>
      throughBinding(
        { upstreams: { openai: always(reply) } },
        Effect.gen(function* () {
          const model = ChatModel.withTimeouts(openai, { [phase]: limit })
          const fiber = yield* Effect.fork(Effect.flip(stream(model)))
          yield* Gateway.eventually("the request", ({ inFlight }) => inFlight === 1)
          yield* Gateway.pause(100)
          yield* TestClock.adjust("59 seconds")
          yield* Gateway.pause(20)
          assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None")
          yield* TestClock.adjust("1 second")
          const error = yield* Fiber.join(fiber)
          assert.include(JSON.stringify(error), `"phase":"${phase}"`)
          yield* Gateway.gone(1)
        })
      )
    )
  }
})
