/** The run path, `env.AI.run`, of Cloudflare's own class: the catalogue's models and those of Workers AI, with no key at all. */
import { env } from "cloudflare:test"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schedule, Schema, Stream, TestClock } from "effect"
import { AiBinding, AiGateway, ChatModel, LocalGateway, OpenAi, Tool } from "effect-ai-gateway"
import type { Settings } from "./control.js"
import * as Gateway from "./gateway.js"
import { overBinding, silentOnceInterrupted, token } from "./transports.js"

const { always, contentType, crlf, dropAfter, hang, raw, rechunk, stallAfter, status, text, toolCalls } =
  LocalGateway

const gpt = AiBinding.model("openai/gpt-4.1-mini")
const claude = AiBinding.model("anthropic/claude-haiku-4.5", { maxTokens: 1000 })
const llama = AiBinding.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast")
const models = { "OpenAI's": gpt, "Anthropic's": claude, "Workers AI's": llama }
const slugs = ["openai", "anthropic", "workers-ai"]

const once = ChatModel.retry(Schedule.recurs(0))

const binding = Layer.suspend(() => AiBinding.layer(env.AI, { gatewayId: "local-gateway" }))

const behind = (reply: LocalGateway.Reply): Settings => ({
  upstreams: Object.fromEntries(slugs.map((slug) => [slug, always(reply)]))
})

const through = <A, E>(settings: Settings, effect: Effect.Effect<A, E, AiBinding.AiBinding>) =>
  Effect.zipRight(Gateway.set(settings), Effect.provide(effect, binding))

const hello = text("Good morning, all.", { usage: { input: 9, output: 3 } })

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })

for (const [whose, model] of Object.entries(models)) {
  describe(`a model that is ${whose}`, () => {
    it.effect("answers", () =>
      through(
        behind(hello),
        Effect.gen(function* () {
          const answer = yield* model.chat("hello")
          assert.strictEqual(answer.text, "Good morning, all.")
          assert.deepInclude(answer.usage, { input: 9, output: 3, total: 12 })
          assert.strictEqual(answer.finishReason, "stop")
        })
      )
    )

    it.effect("streams", () =>
      through(
        behind(hello),
        Effect.gen(function* () {
          const pieces = yield* Stream.runCollect(model.streamComplete("hello"))
          assert.deepStrictEqual([...pieces], ["Good", " morning,", " all."])
        })
      )
    )

    it.effect("calls tools, whole and streamed", () =>
      through(
        behind(toolCalls([{ name: "get_weather", args: { city: "Oslo" } }])),
        Effect.gen(function* () {
          const asked = { prompt: "Well?", tools: [Weather] }
          for (const answer of [
            yield* model.chat(asked),
            yield* ChatModel.collect(model.streamChat(asked))
          ]) {
            assert.deepStrictEqual(
              answer.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
              [["get_weather", { city: "Oslo" }]]
            )
          }
        })
      )
    )

    // Cloudflare's class parses what is exactly `application/json`, and gives a bare stream of anything else.
    for (const type of [
      "application/json",
      "application/json; charset=utf-8",
      "text/plain",
      "text/event-stream"
    ]) {
      it.effect(`is read as what was asked for, though its content is called ${type}`, () =>
        through(
          behind(contentType(hello, type)),
          Effect.gen(function* () {
            const whole = yield* model.chat("hello")
            const streamed = yield* ChatModel.collect(model.streamChat("hello"))
            assert.strictEqual(whole.text, "Good morning, all.")
            assert.strictEqual(streamed.text, "Good morning, all.")
          })
        )
      )
    }

    it.effect("streams with CRLF, and in chunks that cut events and letters", () =>
      through(
        behind(rechunk(crlf(text("Grüße, 灵感 🎈!")), 3)),
        Effect.gen(function* () {
          assert.strictEqual(yield* Stream.mkString(model.streamComplete("hello")), "Grüße, 灵感 🎈!")
        })
      )
    )

    it.effect("fails with the provider's status, and never with an empty answer", () =>
      Effect.gen(function* () {
        for (const [code, tag] of [
          [400, "BadRequest"],
          [401, "Unauthorized"],
          [404, "ModelNotFound"],
          [429, "RateLimited"],
          [500, "ProviderFailure"],
          [503, "ProviderFailure"]
        ] as const) {
          yield* through(
            behind(status(code)),
            Effect.gen(function* () {
              for (const ask of [once(model).chat("hi"), ChatModel.collect(once(model).streamChat("hi"))]) {
                const error = yield* Effect.flip(ask)
                assert.strictEqual(error._tag, tag, `${code}: ${error.message}`)
                if (error._tag === tag) assert.strictEqual(error.status, code)
              }
            })
          )
        }
      })
    )

    it.effect("is interrupted: the socket is closed, and nothing follows", () =>
      Effect.gen(function* () {
        for (const reply of [hang, stallAfter(hello, 0), stallAfter(hello, 3)]) {
          for (const ask of [Effect.asVoid(model.chat("hi")), Stream.runDrain(model.streamChat("hi"))]) {
            yield* through(
              behind(reply),
              Effect.gen(function* () {
                const fiber = yield* Effect.fork(ask)
                yield* Gateway.eventually("the request", ({ inFlight }) => inFlight === 1)
                yield* Gateway.pause(30)
                assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
                yield* TestClock.adjust("1 day")
                yield* Gateway.gone(1)
              })
            )
          }
        }
      })
    )

    it.effect("breaks off within its stream: that is told, with what came", () =>
      through(
        behind(dropAfter(text("one two three four five six"), 5)),
        Effect.gen(function* () {
          const error = yield* Effect.flip(Stream.runDrain(once(model).streamChat("hi")))
          if (error._tag !== "StreamBroken") return assert.fail(error._tag)
          assert.strictEqual(error.cause._tag, "TransportFailure")
          assert.match(error.delivered.text, /^one two/)
          assert.lengthOf((yield* Gateway.records).requests, 1)
        })
      )
    )
  })
}

describe("what goes out", () => {
  it.effect("is the gateway's id and its options in the body, and no key and no token anywhere", () =>
    through(
      behind(hello),
      Effect.gen(function* () {
        const options = {
          skipCache: true,
          metadata: { team: "search", size: 3, paid: false },
          collectLog: true,
          eventId: "e-1",
          requestTimeout: "5 seconds",
          retries: { maxAttempts: 2, delay: "1 second", backoff: "linear" }
        } as const
        for (const model of Object.values(models)) {
          yield* model.chat("hello").pipe(AiGateway.withOptions(options))
        }
        const { requests } = yield* Gateway.records
        assert.lengthOf(requests, 3)
        for (const request of requests) {
          assert.strictEqual(request.url, "http://workers-binding.ai/ai-gateway/run?version=3")
          const { options: sent } = request.body as { readonly options: unknown }
          assert.deepStrictEqual(sent, {
            gateway: {
              id: "local-gateway",
              skipCache: true,
              metadata: options.metadata,
              collectLog: true,
              eventId: "e-1",
              requestTimeoutMs: 5000,
              retries: { maxAttempts: 2, retryDelayMs: 1000, backoff: "linear" }
            },
            returnRawResponse: true
          })
          assert.notMatch(JSON.stringify(request), new RegExp(`key-of-|authorization|${token}`))
        }
      })
    )
  )

  it.effect("is nothing where an option has no place on this path", () =>
    through(
      behind(hello),
      Effect.gen(function* () {
        const error = yield* gpt
          .chat("hello")
          .pipe(AiGateway.withOptions({ cacheKey: "cheese" }), Effect.flip)
        assert.strictEqual(error._tag, "Unsupported")
        assert.lengthOf((yield* Gateway.records).requests, 0)
      })
    )
  )

  it.effect("reaches the log: metadata and the event's id", () =>
    through(
      behind(hello),
      Effect.gen(function* () {
        yield* gpt.chat("hello").pipe(AiGateway.withOptions({ metadata: { team: "search" }, eventId: "e-1" }))
        const { logs } = yield* Gateway.records
        assert.lengthOf(logs, 1)
        assert.deepInclude(logs[0], { metadata: { team: "search" }, eventId: "e-1", provider: "openai" })
      })
    )
  )
})

describe("errors of Cloudflare", () => {
  /** The envelope of Workers AI. Source: `protocol/gateway.md` §4. */
  const workersAi = (code: number, http: number, name = "AiError") =>
    raw({
      status: http,
      body: JSON.stringify({
        name,
        internalCode: code,
        httpCode: http,
        message: "it says",
        description: "it says"
      })
    })
  const cases = [
    [3040, 429, "RateLimited"],
    [3036, 429, "QuotaExceeded"],
    [3007, 408, "ModelTimeout"],
    [3003, 400, "BadRequest"],
    [5007, 400, "ModelNotFound"]
  ] as const
  for (const [code, http, tag] of cases) {
    it.effect(`${code} of Workers AI is ${tag}`, () =>
      through(
        behind(workersAi(code, http)),
        Effect.gen(function* () {
          const error = yield* Effect.flip(once(llama).chat("hi"))
          assert.strictEqual(error._tag, tag)
          if (error._tag === tag) assert.deepInclude({ ...error }, { status: http, code })
        })
      )
    )
  }

  it.effect("7003 is a model that the catalogue does not have", () =>
    through(
      {},
      Effect.gen(function* () {
        const missing = yield* AiBinding.modelFrom("openai/does-not-exist")
        const error = yield* Effect.flip(missing.chat("hi"))
        assert.strictEqual(error._tag, "ModelNotFound")
        if (error._tag === "ModelNotFound") assert.strictEqual(error.code, 7003)
      })
    )
  )

  it.effect("2001 is a gateway that does not exist", () =>
    Effect.gen(function* () {
      yield* Gateway.set(behind(hello))
      for (const model of [gpt, llama]) {
        const error = yield* model
          .chat("hi")
          .pipe(Effect.provide(AiBinding.layer(env.AI, { gatewayId: "no-such-gateway" })), Effect.flip)
        assert.strictEqual(error._tag, "GatewayNotFound")
      }
    })
  )

  it.effect("a page of the edge is an error of the edge", () =>
    through(
      behind(LocalGateway.edgeHtml(524)),
      Effect.gen(function* () {
        const error = yield* Effect.flip(once(gpt).chat("hi"))
        assert.deepInclude({ ...error }, { source: "edge", status: 524 })
      })
    )
  )
})

describe("in a list", () => {
  const list = ChatModel.firstSuccessOf([gpt, claude, llama]).pipe(once)

  it.effect("the first that can answers, and the attempts say how they were reached", () =>
    through(
      {
        upstreams: {
          openai: always(status(503)),
          anthropic: always(status(429)),
          "workers-ai": always(text("Here I am."))
        }
      },
      Effect.gen(function* () {
        for (const answer of [yield* list.chat("hi"), yield* ChatModel.collect(list.streamChat("hi"))]) {
          assert.strictEqual(answer.text, "Here I am.")
          assert.deepStrictEqual(
            answer.attempts.map(({ provider, transport, error }) => [provider, transport, error._tag]),
            [
              ["openai", "run", "ProviderFailure"],
              ["anthropic", "run", "RateLimited"]
            ]
          )
        }
      })
    )
  )

  it.effect("models of both paths mix", () =>
    Effect.gen(function* () {
      yield* Gateway.set({
        upstreams: { openai: always(status(503)), "workers-ai": always(text("Here I am.")) }
      })
      const mixed = ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), llama]).pipe(once)
      const answer = yield* mixed.chat("hi").pipe(Effect.provide(Layer.merge(binding, overBinding())))
      assert.strictEqual(answer.text, "Here I am.")
      assert.deepStrictEqual(
        answer.attempts.map(({ transport }) => transport),
        ["binding"]
      )
    })
  )
})

describe("the state that Cloudflare's class keeps of its last call", () => {
  it.effect("is not relied on: fifty calls at once each get their own answer and log id", () =>
    through(
      { upstreams: { openai: always(LocalGateway.delayed(LocalGateway.echo, "30 millis")) } },
      Effect.gen(function* () {
        const numbers = Array.from({ length: 50 }, (_, n) => `number ${n}.`)
        const answers = yield* Effect.forEach(numbers, (n) => gpt.chat(n), { concurrency: "unbounded" })
        for (const [n, answer] of answers.entries()) assert.strictEqual(answer.text, `You said: number ${n}.`)
        const ids = answers.map(({ gateway }) => gateway.logId)
        const { logs } = yield* Gateway.records
        assert.lengthOf(new Set(ids), 50)
        assert.deepStrictEqual([...ids].sort(), logs.map(({ id }) => id).sort())
      })
    )
  )
})

describe("an interrupted stream", () => {
  it.effect("delivers nothing more", () =>
    through(
      behind(text("word ".repeat(500), { delay: "5 millis" })),
      silentOnceInterrupted(claude.streamComplete("hi"))
    )
  )
})
