/** Streams as a page sees them: Chromium's own `fetch`, sockets and clocks. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Logger, Schedule, Stream } from "effect"
import {
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"
import { application, asked, eventually, type Needs, records, set } from "./gateway.js"

const { always, dropAfter, errorEvent, rechunk, stallAfter, status, text } = LocalGateway

const wires: ReadonlyArray<readonly [slug: string, model: ChatModel.Leg<Needs>]> = [
  ["openai", OpenAi.model("gpt-4.1-mini")],
  ["anthropic", Anthropic.model("claude-haiku-4-5")],
  ["google-ai-studio", GoogleAiStudio.model("gemini-2.5-flash")],
  ["workers-ai", WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")]
]
const next = (slug: string) => (slug === "openai" ? "anthropic" : "openai")
const legOf = (slug: string) => {
  const found = wires.find(([name]) => name === slug)
  if (found === undefined) throw new Error(slug)
  return found[1]
}

const once = ChatModel.retry(Schedule.recurs(0))
const listOf = (slug: string) => once(ChatModel.firstSuccessOf([legOf(slug), legOf(next(slug))]))

interface Seen {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  /** Of each piece of text, in milliseconds. */
  readonly arrivals: ReadonlyArray<number>
  readonly text: string
  readonly error: AiGatewayError.AiGatewayError | undefined
}

const watch = (stream: Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError, Needs>) =>
  Effect.gen(function* () {
    const events: Array<ChatEvent.ChatEvent> = []
    const arrivals: Array<number> = []
    const ended = yield* Effect.either(
      Stream.runForEach(stream, (event) =>
        Effect.sync(() => {
          events.push(event)
          if (event._tag === "TextDelta") arrivals.push(performance.now())
        })
      )
    )
    const text = events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")
    const seen: Seen = { events, arrivals, text, error: Either.isLeft(ended) ? ended.left : undefined }
    return seen
  })

const broken = ({ error }: Seen): AiGatewayError.StreamBroken => {
  if (error?._tag !== "StreamBroken") throw new Error(error?._tag ?? "no error")
  return error
}

const live = (name: string, run: Effect.Effect<void, AiGatewayError.AiGatewayError, Needs>) =>
  it.live(name, () =>
    run.pipe(
      // Legs that are left are warnings in the log.
      Effect.provide(Logger.remove(Logger.defaultLogger)),
      Effect.provide(application),
      Effect.orDie
    )
  )

const seven = "one two three four five six seven"

for (const [slug, model] of wires) {
  describe(`a stream of ${slug}`, () => {
    live(
      "arrives word by word, not at its end",
      Effect.gen(function* () {
        yield* set({ [slug]: always(text(seven, { delay: "40 millis" })) })
        const { arrivals, error, events, text: said } = yield* watch(model.streamChat("hi"))
        assert.isUndefined(error)
        assert.strictEqual(said, seven)
        assert.lengthOf(arrivals, 7)
        assert.isAbove((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0), 150)
        assert.strictEqual(events[0]?._tag, "Start")
        assert.deepStrictEqual(
          events.slice(-2).map(({ _tag }) => _tag),
          ["Usage", "Finish"]
        )
      })
    )

    live(
      "keeps characters whole that network packets cut into their bytes",
      Effect.gen(function* () {
        const spoken = 'Grüße, 世界! 👩‍🚀 naïve \u2028 "quotes"'
        for (const size of [1, 2, 3, 7]) {
          yield* set({ [slug]: always(rechunk(text(spoken, { chunks: 5 }), size)) })
          assert.strictEqual((yield* watch(model.streamChat("hi"))).text, spoken, `${size} bytes`)
        }
      })
    )

    live(
      "tells the gateway's own facts, where the server lets the page read its headers",
      Effect.gen(function* () {
        yield* set({})
        const [start] = (yield* watch(model.streamChat("hi"))).events
        assert(start?._tag === "Start")
        const { logs } = yield* records
        assert.isDefined(start.gateway.logId)
        assert.strictEqual(start.gateway.logId, logs[0]?.id)
      })
    )

    for (const [fault, reply] of [
      ["a status 503", status(503)],
      ["an error event before the first content", errorEvent(text("never said"), 0, { status: 529 })],
      ["a connection that closes before the first content", dropAfter(text("never said"), 0)]
    ] as const) {
      live(
        `is left for the next leg after ${fault}, and nobody notices`,
        Effect.gen(function* () {
          yield* set({ [slug]: always(reply), [next(slug)]: always(text("saved")) })
          const { error, events, text: said } = yield* watch(listOf(slug).streamChat("hi"))
          assert.isUndefined(error)
          assert.strictEqual(said, "saved")
          assert.strictEqual(events.filter(({ _tag }) => _tag === "Start").length, 1)
          const [start] = events
          assert(start?._tag === "Start")
          assert.strictEqual(start.provider, next(slug))
          assert.deepStrictEqual(
            start.attempts.map(({ provider }) => provider),
            [slug]
          )
          assert.deepStrictEqual(asked(yield* records), [slug, next(slug)])
        })
      )
    }

    live(
      "that breaks off after content is StreamBroken with what was delivered, and nobody else is asked",
      Effect.gen(function* () {
        // The words come one at a time: what a page has not read when its connection breaks is lost to it.
        const reply = dropAfter(text(seven, { delay: "100 millis" }), 6)
        yield* set({ [slug]: always(reply), [next(slug)]: always(text("not this")) })
        const seen = yield* watch(listOf(slug).streamChat("hi"))
        const { cause, delivered } = broken(seen)
        assert.strictEqual(cause._tag, "TransportFailure")
        assert.isNotEmpty(delivered.text)
        assert.isTrue(seven.startsWith(delivered.text))
        assert.strictEqual(delivered.text, seen.text)
        assert.strictEqual(delivered.events, seen.events.length)
        assert.deepStrictEqual(asked(yield* records), [slug])
      })
    )

    live(
      "that says nothing is left by the clock of the first event, which closes its socket",
      Effect.gen(function* () {
        yield* set({ [slug]: always(stallAfter(text("never said"), 0)), [next(slug)]: always(text("saved")) })
        const list = ChatModel.withTimeouts(listOf(slug), { firstEvent: "300 millis" })
        const began = performance.now()
        assert.strictEqual((yield* watch(list.streamChat("hi"))).text, "saved")
        assert.isAtLeast(performance.now() - began, 290)
        const { requests } = yield* eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
        assert.deepStrictEqual(
          requests.map(({ aborted, provider }) => [provider, aborted]),
          [
            [slug, true],
            [next(slug), false]
          ]
        )
      })
    )

    for (const [moment, events] of [
      ["before the first content", 0],
      ["in mid-stream", 5]
    ] as const) {
      live(
        `that is interrupted ${moment} closes its socket, and starts nothing new`,
        Effect.gen(function* () {
          yield* set({ [slug]: always(stallAfter(text(seven), events)) })
          let words = 0
          const fiber = yield* Effect.fork(
            Stream.runForEach(listOf(slug).streamComplete("hi"), () => Effect.sync(() => words++))
          )
          yield* eventually(
            "the request, and its words",
            ({ inFlight, requests }) => requests.length === 1 && inFlight === 1 && words > 0 === events > 0
          )
          yield* Fiber.interrupt(fiber)
          yield* eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
          yield* Effect.sleep("50 millis")
          const { requests } = yield* records
          assert.lengthOf(requests, 1)
          assert.isTrue(requests[0]?.aborted)
        })
      )
    }

    live(
      "of which only the first word is taken closes its socket",
      Effect.gen(function* () {
        yield* set({ [slug]: always(stallAfter(text(seven), 5)) })
        const words = yield* Stream.runCollect(Stream.take(model.streamComplete("hi"), 1))
        assert.deepStrictEqual([...words], ["one"])
        const { requests } = yield* eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
        assert.isTrue(requests[0]?.aborted)
      })
    )
  })
}

describe("many streams at once", () => {
  live(
    "each say their own words, in all four formats",
    Effect.gen(function* () {
      // LocalGateway's own model says the prompt again.
      yield* set({})
      const jobs = Array.from({ length: 10 }, (_, i) =>
        wires.map(([slug, model]) => ({ model, prompt: `stream ${i} of ${slug} and no other` }))
      ).flat()
      const all = yield* Effect.forEach(
        jobs,
        ({ model, prompt }) => Effect.map(watch(model.streamChat(prompt)), (seen) => ({ prompt, seen })),
        { concurrency: "unbounded" }
      )
      for (const { prompt, seen } of all) {
        assert.isUndefined(seen.error)
        assert.include(seen.text, prompt)
        assert.lengthOf(seen.text.match(/stream \d+ of/g) ?? [], 1, seen.text)
      }
      assert.lengthOf((yield* records).requests, 40)
    })
  )

  live(
    "do not disturb one another when some break and some are interrupted",
    Effect.gen(function* () {
      yield* set({
        openai: always(text(seven, { delay: "20 millis" })),
        anthropic: always(dropAfter(text(seven, { delay: "100 millis" }), 6)),
        "google-ai-studio": always(stallAfter(text(seven), 2))
      })
      // Six connections are all that Chromium has for one host.
      const stalled = yield* Effect.forEach([1, 2], () =>
        Effect.fork(watch(legOf("google-ai-studio").streamChat("hi")))
      )
      const breaking = yield* Effect.forEach([1, 2], () =>
        Effect.fork(watch(once(legOf("anthropic")).streamChat("hi")))
      )
      const whole = yield* Effect.forEach([1, 2, 3, 4], () =>
        Effect.fork(watch(legOf("openai").streamChat("hi")))
      )
      yield* Effect.sleep("60 millis")
      yield* Fiber.interruptAll(stalled)
      for (const fiber of whole) assert.strictEqual((yield* Fiber.join(fiber)).text, seven)
      for (const fiber of breaking) assert.strictEqual((yield* Fiber.join(fiber)).error?._tag, "StreamBroken")
      yield* eventually("nothing in flight", ({ inFlight }) => inFlight === 0)
    })
  )
})
