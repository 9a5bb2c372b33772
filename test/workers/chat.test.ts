/** The main job through the binding: ask several models, in a client's list or the gateway's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Schema, Stream } from "effect"
import {
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import * as Gateway from "./gateway.js"
import { onBoth, throughBinding, token } from "./transports.js"

const { always, errorEvent, script, status, text, toolCall, value } = LocalGateway

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5", { maxTokens: 1000 })
const google = GoogleAiStudio.model("gemini-2.5-flash")
const workersAi = WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast")
const legs = [openai, anthropic, google, workersAi] as const

const list = ChatModel.firstSuccessOf(legs).pipe(ChatModel.retry(Schedule.recurs(0)))
const universal = ChatModel.universal(legs)

const thirdAnswers = {
  upstreams: {
    openai: always(status(503)),
    anthropic: always(status(429)),
    "google-ai-studio": always(text("Here I am."))
  }
}

const providersOf = (requests: ReadonlyArray<LocalGateway.UpstreamRequest>) =>
  requests.map(({ provider }) => provider)

describe("an answer", () => {
  it.effect("has the text, the usage and what the gateway says of it", () =>
    throughBinding(
      { upstreams: { openai: always(text("Hello", { usage: { input: 3, output: 1 } })) } },
      Effect.gen(function* () {
        const answer = yield* openai.chat("hi")
        assert.strictEqual(answer.text, "Hello")
        assert.strictEqual(answer.finishReason, "stop")
        assert.deepInclude(answer.usage, { input: 3, output: 1, total: 4 })
        const { logs } = yield* Gateway.records
        assert.strictEqual(answer.gateway.logId, logs[0]?.id)
        assert.strictEqual(answer.gateway.eventId, logs[0]?.eventId)
        assert.strictEqual(answer.gateway.cacheStatus, "MISS")
      })
    )
  )

  it.effect("comes from the cache the second time, as it says", () =>
    throughBinding(
      { upstreams: { openai: script([text("first"), text("second")]) } },
      Effect.gen(function* () {
        const first = yield* openai.chat("hi")
        const second = yield* openai.chat("hi")
        assert.deepStrictEqual([first.text, first.gateway.cacheStatus], ["first", "MISS"])
        assert.deepStrictEqual([second.text, second.gateway.cacheStatus], ["first", "HIT"])
        assert.lengthOf((yield* Gateway.records).upstreamRequests, 1)
      }),
      { cacheKey: "k", cacheTtl: "1 hour" }
    )
  )

  it.effect("is a value of a Schema where one is asked for", () =>
    throughBinding(
      { upstreams: { openai: always(value({ name: "Brie", weeks: 8 })) } },
      Effect.gen(function* () {
        const Cheese = Schema.Struct({ name: Schema.String, weeks: Schema.Int })
        const { object: cheese } = yield* openai.chatObject({ prompt: "A cheese", schema: Cheese })
        assert.deepStrictEqual(cheese, { name: "Brie", weeks: 8 })
      })
    )
  )

  it.effect("arrives in pieces while it is being given", () =>
    throughBinding(
      { upstreams: { openai: always(text("one two three", { delay: "200 millis" })) } },
      Effect.gen(function* () {
        const arrivals: Array<number> = []
        const pieces = yield* openai.streamComplete("hi").pipe(
          Stream.tap(() => Effect.sync(() => arrivals.push(performance.now()))),
          Stream.runCollect
        )
        assert.deepStrictEqual([...pieces], ["one", " two", " three"])
        assert.isAbove((arrivals[2] ?? 0) - (arrivals[0] ?? 0), 250)
      })
    )
  )

  it.effect("of a tool goes back to the model until that has its answer", () =>
    throughBinding(
      { upstreams: { anthropic: script([toolCall("get_weather", { city: "Oslo" })], text("It rains.")) } },
      Effect.gen(function* () {
        const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
        const weather = Tool.handle(Weather, ({ city }) => Effect.succeed(`rain in ${city}`))
        const { response } = yield* anthropic.runTools("Oslo?", { tools: [weather] })
        assert.strictEqual(response.text, "It rains.")
        const { upstreamRequests } = yield* Gateway.records
        assert.lengthOf(upstreamRequests, 2)
        assert.include(upstreamRequests[1]?.text, "rain in Oslo")
      })
    )
  )
})

describe("a list in the client", () => {
  for (const [name, ask] of [
    ["a chat", list.chat("hi")],
    ["a stream", ChatModel.collect(list.streamChat("hi"))]
  ] as const) {
    it.effect(`${name} is answered by the first model that can, and says which failed, and why`, () =>
      throughBinding(
        thirdAnswers,
        Effect.gen(function* () {
          const answer = yield* ask
          assert.strictEqual(answer.text, "Here I am.")
          assert.strictEqual(answer.provider, "google-ai-studio")
          assert.deepStrictEqual(
            answer.attempts.map(({ provider, transport, error }) => [provider, transport, error._tag]),
            [
              ["openai", "binding", "ProviderFailure"],
              ["anthropic", "binding", "RateLimited"]
            ]
          )
          const { requests } = yield* Gateway.records
          assert.lengthOf(requests, 3)
        })
      )
    )
  }

  it.effect("moves on from a stream that fails before its first content", () =>
    throughBinding(
      {
        upstreams: {
          openai: always(errorEvent(text("never seen"), 0)),
          anthropic: always(text("Instead."))
        }
      },
      Effect.gen(function* () {
        const answer = yield* ChatModel.collect(list.streamChat("hi"))
        assert.strictEqual(answer.text, "Instead.")
        assert.lengthOf(answer.attempts, 1)
      })
    )
  )

  it.effect("that fails altogether has one attempt of each", () =>
    throughBinding(
      { upstreams: Object.fromEntries(legs.map((leg) => [leg.metadata.provider, always(status(500))])) },
      Effect.gen(function* () {
        const error = yield* Effect.flip(list.chat("hi"))
        if (error._tag !== "AllProvidersFailed") return assert.fail(error._tag)
        assert.deepStrictEqual(
          error.attempts.map(({ provider, transport }) => [provider, transport]),
          legs.map((leg) => [leg.metadata.provider, "binding"])
        )
      })
    )
  )
})

describe("a list on the server", () => {
  for (const [name, ask] of [
    ["a chat", universal.chat("hi")],
    ["a stream", ChatModel.collect(universal.streamChat("hi"))]
  ] as const) {
    it.effect(`${name} is one request, answered by the first model that can`, () =>
      Effect.gen(function* () {
        const seen = Effect.map(ask, ({ text, provider, gateway, attempts }) => ({
          text,
          provider,
          step: gateway.step,
          attempts: attempts.map(({ error }) => error._tag)
        }))
        const { result, binding, https } = yield* onBoth(thirdAnswers, seen)
        assert.deepStrictEqual(result, {
          text: "Here I am.",
          provider: "google-ai-studio",
          step: 2,
          attempts: ["ProviderFailure", "ProviderFailure"]
        })
        assert.lengthOf(binding.requests, 1)
        assert.deepStrictEqual(binding.requests[0]?.body, https.requests[0]?.body)
        assert.deepStrictEqual(providersOf(binding.upstreamRequests), [
          "openai",
          "anthropic",
          "google-ai-studio"
        ])
      })
    )
  }
})

describe("keys", () => {
  it.effect("stand only in their own provider's entry, and the gateway's token nowhere", () =>
    throughBinding(
      thirdAnswers,
      Effect.gen(function* () {
        yield* universal.chat("hi")
        yield* list.chat("hi")
        const { requests, upstreamRequests } = yield* Gateway.records
        const entries = requests.flatMap(({ body }) => body as ReadonlyArray<{ readonly provider: string }>)
        assert.lengthOf(entries, 4 + 3)
        for (const entry of entries) {
          const keys = JSON.stringify(entry).match(/key-of-[a-z-]+/g)
          assert.deepStrictEqual<unknown>(keys, [`key-of-${entry.provider}`])
        }
        for (const request of requests) {
          assert.notInclude(JSON.stringify(request), token)
          assert.notInclude(JSON.stringify(request.headers), "key-of-")
        }
        for (const { provider, headers } of upstreamRequests) {
          const keys = JSON.stringify(headers).match(/key-of-[a-z-]+/g)
          assert.deepStrictEqual<unknown>(keys, [`key-of-${provider}`])
        }
      })
    )
  )
})

describe("fifty calls at once", () => {
  const numbers = Array.from({ length: 50 }, (_, n) => `number ${n}.`)
  const settings = { upstreams: { openai: always(LocalGateway.delayed(LocalGateway.echo, "30 millis")) } }

  it.effect("each get their own answer", () =>
    throughBinding(
      settings,
      Effect.gen(function* () {
        const answers = yield* Effect.forEach(numbers, (n) => openai.chat(n), { concurrency: "unbounded" })
        for (const [n, answer] of answers.entries()) assert.strictEqual(answer.text, `You said: number ${n}.`)
        const { logs } = yield* Gateway.records
        const ids = answers.map(({ gateway }) => gateway.logId)
        assert.lengthOf(new Set(ids), 50)
        assert.deepStrictEqual([...ids].sort(), logs.map(({ id }) => id).sort())
      })
    )
  )

  it.effect("each get their own stream", () =>
    throughBinding(
      settings,
      Effect.gen(function* () {
        const answers = yield* Effect.forEach(numbers, (n) => Stream.mkString(openai.streamComplete(n)), {
          concurrency: "unbounded"
        })
        for (const [n, answer] of answers.entries()) assert.strictEqual(answer, `You said: number ${n}.`)
      })
    )
  )
})
