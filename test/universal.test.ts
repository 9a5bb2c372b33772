/** Fallback on the server: one request for all legs, and what a caller sees of it. */
import { FetchHttpClient } from "@effect/platform"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Deferred,
  Duration,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Runtime,
  Schedule,
  Schema,
  Stream,
  TestClock,
  Tracer
} from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  ChatEvent,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  GoogleAiStudio,
  LocalGateway,
  Message,
  OpenAi,
  Replicate,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

const { always, delayed, disconnect, dropAfter, errorEvent, guardrail, hang, raw, script, status, text } =
  LocalGateway

const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const behind = (
  upstreams: NonNullable<LocalGateway.Options["upstreams"]>,
  options: LocalGateway.Options = {}
) => Layer.merge(providers, LocalGateway.layerTest({ ...options, upstreams }))

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")

const once = ChatModel.retry(Schedule.recurs(0))
const both = ChatModel.universal([openai, anthropic])
const four = ChatModel.universal([openai, anthropic, google, workersAi])

interface Entry {
  readonly provider: string
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly config?: unknown
  readonly query: Readonly<Record<string, unknown>>
}

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())
const entriesOf = (request: LocalGateway.RecordedRequest | undefined) => request?.body as ReadonlyArray<Entry>
const entries = Effect.map(requests, ([request]) => entriesOf(request))

const legs = (attempts: ReadonlyArray<AiGatewayError.Attempt>) =>
  attempts.map(({ leg, provider, error }) => [leg, provider, error._tag] as const)

const attemptsOf = (error: AiGatewayError.AiGatewayError): ReadonlyArray<AiGatewayError.Attempt> => {
  if (error._tag !== "AllProvidersFailed") throw new Error(`${error._tag}: ${error.message}`)
  return error.attempts
}

/** The gateway does not say why it left this leg. */
const isUnsaid = ({ error, duration }: AiGatewayError.Attempt): boolean =>
  error._tag === "ProviderFailure" &&
  error.source === "gateway" &&
  /does not tell why/.test(error.message) &&
  Duration.toMillis(duration) === 0

const settle = Effect.gen(function* () {
  for (let turn = 0; turn < 10; turn++) {
    yield* Effect.promise(() => new Promise<void>((done) => setImmediate(done)))
    yield* Effect.yieldNow()
  }
})

/** Runs an effect to its end, with as much time as it wants. */
const drive = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    for (let turn = 0; turn < 200; turn++) {
      yield* settle
      if (Option.isSome(yield* Fiber.poll(fiber))) break
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

type Ask = <R>(
  model: ChatModel.With<R>,
  input?: ChatRequest.Input
) => Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, R>

const whole: Ask = (model, input = "hello") => model.chat(input)
const streamed: Ask = (model, input = "hello") => ChatModel.collect(model.streamChat(input))

/** The same call as a whole answer, and as a stream. */
const bothWays = <R>(
  title: string,
  check: (ask: Ask) => Effect.Effect<void, unknown, R>,
  layer: () => Layer.Layer<R, unknown>
) => {
  it.effect(`${title} (chat)`, () => check(whole).pipe(Effect.provide(layer())))
  it.effect(`${title} (stream)`, () => check(streamed).pipe(Effect.provide(layer())))
}

/** A gateway that answers with these headers and this body, whatever it is asked. */
const answering = (headers: Readonly<Record<string, string>>, body: unknown, code = 200) =>
  Layer.merge(
    providers,
    AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
      Layer.provide(
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make((request) =>
            Effect.succeed(
              HttpClientResponse.fromWeb(
                request,
                new Response(JSON.stringify(body), {
                  status: code,
                  headers: { "content-type": "application/json", ...headers }
                })
              )
            )
          )
        )
      )
    )
  )

const openAiBody = (content: string) => ({
  model: "gpt-4.1-mini",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }]
})

describe("all legs are one request", () => {
  bothWays(
    "43. an array of two in their order, each with provider, endpoint, headers, query",
    (ask) =>
      Effect.gen(function* () {
        yield* ask(both, { system: "be kind", prompt: "hello", maxTokens: 7 })
        const [request, ...more] = yield* requests
        assert.deepStrictEqual(more, [])
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.path, "/v1/local-account/local-gateway")
        const [first, second, ...others] = entriesOf(request)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(first?.provider, "openai")
        assert.strictEqual(first?.endpoint, "chat/completions")
        assert.deepInclude(first?.query, { model: "gpt-4.1-mini", max_completion_tokens: 7 })
        assert.strictEqual(second?.provider, "anthropic")
        assert.strictEqual(second?.endpoint, "v1/messages")
        assert.strictEqual(second?.headers["anthropic-version"], "2023-06-01")
        assert.deepInclude(second?.query, { model: "claude-haiku-4-5", max_tokens: 7, system: "be kind" })
        for (const entry of [first, second])
          assert.strictEqual(entry?.headers["content-type"], "application/json")
      }),
    () => behind({})
  )

  it.effect("a stream asks each leg for a stream in that leg's own way, the query of a path included", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(four.streamChat("hello"))
      const [first, second, third, fourth] = yield* entries
      assert.isTrue(first?.query.stream)
      assert.isTrue(second?.query.stream)
      assert.match(third?.endpoint ?? "", /:streamGenerateContent\?alt=sse$/)
      assert.isTrue(fourth?.query.stream)
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("two models of one provider are two entries with a path of their own", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([google, GoogleAiStudio.model("gemini-2.5-pro")])
      const answer = yield* model.chat("hello")
      assert.strictEqual(answer.gateway.step, 1)
      assert.match((yield* entries)[1]?.endpoint ?? "", /gemini-2\.5-pro/)
      assert.strictEqual(answer.attempts[0]?.model, "gemini-2.5-flash")
    }).pipe(Effect.provide(behind({ "google-ai-studio": script([status(500)]) })))
  )

  it("its metadata is the first leg's, and names all legs", () => {
    const { legs, ...first } = four.metadata
    assert.deepStrictEqual(first, openai.metadata)
    assert.deepStrictEqual(legs, [openai.metadata, anthropic.metadata, google.metadata, workersAi.metadata])
  })

  it("a caller without types: no list, a list in a list and a wrapped model are refused at once", () => {
    const untyped = ChatModel.universal as (legs: ReadonlyArray<unknown>) => unknown
    assert.throws(() => untyped([]), /empty/)
    assert.throws(() => untyped([openai, openai.pipe(once)]), /wrapped/)
    assert.throws(() => untyped([ChatModel.firstSuccessOf([openai]), openai]), /lists/)
    assert.throws(() => untyped([undefined]), /one provider each/)
  })
})

describe("the answer is read in the winner's own format", () => {
  for (const [place, name] of ["openai", "anthropic", "google-ai-studio", "workers-ai"].entries()) {
    const down = ["openai", "anthropic", "google-ai-studio", "workers-ai"].slice(0, place)
    bothWays(
      `56, 66, 123. ${name} answers as leg ${place}: provider, model, step, and an attempt per leg before it`,
      (ask) =>
        Effect.gen(function* () {
          const answer = yield* ask(four)
          assert.strictEqual(answer.text, "You said: hello")
          assert.strictEqual(answer.provider, name)
          assert.strictEqual(answer.finishReason, "stop")
          assert.strictEqual(answer.gateway.step, place)
          assert.isString(answer.gateway.logId)
          assert.deepStrictEqual(
            answer.attempts.map(({ leg, provider, model, transport }) => ({
              leg,
              provider,
              model,
              transport
            })),
            [openai, anthropic, google].slice(0, place).map(({ metadata: { provider, model } }, leg) => ({
              leg,
              provider,
              model,
              transport: "https" as const
            }))
          )
          assert.isTrue(answer.attempts.every(isUnsaid))
          assert.strictEqual((yield* requests).length, 1)
        }),
      () => behind(Object.fromEntries(down.map((slug) => [slug, always(status(503))])))
    )
  }

  bothWays(
    "56. cf-aig-step 1 on [anthropic, openai] with an OpenAI-shaped body: the result names leg 1",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.universal([anthropic, openai]))
        assert.strictEqual(answer.text, "from leg 1")
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "anthropic", "ProviderFailure"]])
      }),
    () => answering({ "cf-aig-step": "1" }, openAiBody("from leg 1"))
  )

  bothWays(
    "57. no step header: leg 0",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(both)
        assert.strictEqual(answer.text, "from leg 0")
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(answer.attempts, [])
        assert.isUndefined(answer.gateway.step)
      }),
    () => answering({}, openAiBody("from leg 0"))
  )

  for (const step of ["2", "7", "-1", "1.5", "NaN", "first", "0x1", "", "1, 1", "999999999"]) {
    bothWays(
      `a step that names no entry (${JSON.stringify(step)}): MalformedResponse, and nobody's body is read`,
      (ask) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(ask(both))
          assert.strictEqual(error._tag, "MalformedResponse")
          if (error._tag !== "MalformedResponse") return
          assert.strictEqual(error.source, "gateway")
          assert.strictEqual(error.excerpt, step)
          assert.include(error.message, "cf-aig-step")
        }),
      () => answering({ "cf-aig-step": step }, openAiBody("whose?"))
    )
  }

  it.effect("a response that nobody reads, because its step names no entry, is closed", () =>
    Effect.gen(function* () {
      let opened = 0
      let closed = 0
      const client = HttpClient.make((request, _url, signal) =>
        Effect.sync(() => {
          opened++
          signal.addEventListener("abort", () => closed++)
          const body = new ReadableStream<Uint8Array>({ cancel: () => void closed++ })
          return HttpClientResponse.fromWeb(request, new Response(body, { headers: { "cf-aig-step": "7" } }))
        })
      )
      const service = yield* AiGateway.make({ accountId: "a", gatewayId: "g" }).pipe(
        Effect.provideService(HttpClient.HttpClient, client)
      )
      for (const ask of [whole, streamed]) {
        const error = yield* Effect.flip(
          ask(both).pipe(Effect.provideService(AiGateway.AiGateway, service), Effect.provide(providers))
        )
        assert.strictEqual(error._tag, "MalformedResponse")
        yield* settle
        assert.isAtLeast(closed, opened)
      }
      assert.strictEqual(opened, 2)
    })
  )

  bothWays(
    "a stream that guardrails turn into one JSON body is read as that, whoever wins",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(both)
        assert.strictEqual(answer.text, "all at once")
        assert.strictEqual(answer.provider, "anthropic")
      }),
    () =>
      behind({ openai: always(status(500)), anthropic: always(LocalGateway.unstreamed(text("all at once"))) })
  )

  it.effect("a stream: Start names the winner, its step and the attempts; one Finish comes last", () =>
    Effect.gen(function* () {
      const events = [...(yield* Stream.runCollect(both.streamChat("hello")))]
      const [start] = events
      if (start?._tag !== "Start") return assert.fail("no Start")
      assert.strictEqual(start.provider, "anthropic")
      assert.strictEqual(start.model, "claude-haiku-4-5")
      assert.strictEqual(start.gateway.step, 1)
      assert.deepStrictEqual(legs(start.attempts), [[0, "openai", "ProviderFailure"]])
      assert.strictEqual(events.at(-1)?._tag, "Finish")
      assert.strictEqual(events.filter(({ _tag }) => _tag === "Finish").length, 1)
    }).pipe(Effect.provide(behind({ openai: always(status(429)) })))
  )

  it.effect("each leg that was left is a warning in the log", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message, logLevel }) => {
        lines.push(`${logLevel.label} ${String(message)}`)
      })
      const logged = Logger.replace(Logger.defaultLogger, logger)
      yield* ChatModel.universal([openai, anthropic, google]).chat("hello").pipe(Effect.provide(logged))
      assert.deepStrictEqual(lines, [
        "WARN openai gpt-4.1-mini failed; trying the next provider",
        "WARN anthropic claude-haiku-4-5 failed; trying the next provider"
      ])
    }).pipe(Effect.provide(behind({ openai: always(status(429)), anthropic: always(status(500)) })))
  )

  it.effect("61. fifty calls at once: each answer matches its prompt, one request each", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, index) => `prompt ${index}`),
        (prompt) => (prompt.endsWith("3") ? streamed(both, prompt) : whole(both, prompt)),
        { concurrency: "unbounded" }
      )
      for (const [index, answer] of answers.entries())
        assert.strictEqual(answer.text, `You said: prompt ${index}`)
      assert.strictEqual((yield* requests).length, 50)
    }).pipe(Effect.provide(behind({ openai: always(status(500)) })))
  )
})

describe("46. tools, structured output and images reach each leg in its own form", () => {
  const weather = Tool.make("weather", {
    description: "The weather of a city",
    parameters: Schema.Struct({ city: Schema.String })
  })
  const Cheese = Schema.Struct({ name: Schema.String, age: Schema.Number })
  const slugs = ["openai", "anthropic", "google-ai-studio", "workers-ai"]
  const downUntil = (place: number) =>
    Object.fromEntries(slugs.slice(0, place).map((slug) => [slug, always(status(500))]))

  for (const [place, slug] of slugs.entries()) {
    bothWays(
      `a call of a tool comes back from ${slug} as from any other`,
      (ask) =>
        Effect.gen(function* () {
          const answer = yield* ask(four, { prompt: "Bern?", tools: [weather] })
          assert.strictEqual(answer.provider, slug)
          assert.deepStrictEqual(
            answer.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
            [["weather", { city: "Bern" }]]
          )
          assert.strictEqual(answer.finishReason, "tool-calls")
          assert.strictEqual(answer.attempts.length, place)
        }),
      () =>
        behind({
          ...downUntil(place),
          [slug]: always(LocalGateway.toolCall("weather", { city: "Bern" }))
        })
    )

    it.effect(`a value of a Schema comes from ${slug}, whether it has a mode for that or a forced tool`, () =>
      Effect.gen(function* () {
        const { object, provider, attempts } = yield* ChatModel.universal([
          openai,
          anthropic,
          google,
          workersAi
        ]).chatObject({ schema: Cheese, prompt: "A cheese, please." })
        assert.strictEqual(provider, slug)
        assert.isString(object.name)
        assert.isNumber(object.age)
        assert.strictEqual(attempts.length, place)
      }).pipe(Effect.provide(behind(downUntil(place))))
    )
  }

  bothWays(
    "a winner without a mode for a Schema was forced to call a tool: what it called with is the answer's text",
    (ask) =>
      Effect.gen(function* () {
        const older = Anthropic.model("claude-3-5-haiku-20241022")
        const answer = yield* ask(ChatModel.universal([openai, older]), {
          prompt: "A cheese, please.",
          output: {
            name: "cheese",
            jsonSchema: {
              type: "object",
              properties: { name: { type: "string" } },
              required: ["name"],
              additionalProperties: false
            }
          }
        })
        assert.nestedPropertyVal((yield* entries)[1]?.query, "tool_choice.name", "cheese")
        assert.isString(JSON.parse(answer.text).name)
        assert.deepStrictEqual(answer.toolCalls, [])
        assert.strictEqual(answer.finishReason, "stop")
        assert.strictEqual(answer.provider, "anthropic")
      }),
    () => behind({ openai: always(status(500)) })
  )

  it.effect("tools are written in each leg's own form", () =>
    Effect.gen(function* () {
      yield* four.chat({ prompt: "Bern?", tools: [weather] })
      const [first, second, third] = yield* entries
      assert.nestedPropertyVal(first?.query, "tools[0].function.name", "weather")
      assert.nestedPropertyVal(second?.query, "tools[0].name", "weather")
      assert.nestedPropertyVal(third?.query, "tools[0].functionDeclarations[0].name", "weather")
    }).pipe(Effect.provide(behind({})))
  )

  it.effect(
    "67. an answer that does not fit the Schema cannot be left: its leg's attempt is the last one",
    () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(both.chatObject({ schema: Cheese, prompt: "A cheese, please." }))
        const attempts = attemptsOf(error)
        assert.deepStrictEqual(legs(attempts), [[0, "openai", "InvalidOutput"]])
        assert.strictEqual((yield* requests).length, 1)
      }).pipe(Effect.provide(behind({ openai: always(text('{"name":"Brie","age":"old"}')) })))
  )

  bothWays(
    "an image: the leg that cannot take it is left out, the others get it in their own form",
    (ask) =>
      Effect.gen(function* () {
        const textOnly = OpenAi.model("gpt-3.5-turbo")
        const answer = yield* ask(ChatModel.universal([textOnly, anthropic]), [
          Message.user([
            Message.textPart("What is this?"),
            Message.image({ data: "AA==", mediaType: "image/png" })
          ])
        ])
        assert.strictEqual(answer.provider, "anthropic")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "Unsupported"]])
        assert.strictEqual((yield* entries).length, 1)
      }),
    () => behind({})
  )
})

describe("credentials", () => {
  const spellings = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "xi-api-key",
    "token",
    "cf-aig-authorization"
  ]

  bothWays(
    "36. without keys no entry has an auth header of any spelling; the gateway's token is outside",
    (ask) =>
      Effect.gen(function* () {
        yield* ask(four)
        const [request] = yield* requests
        assert.strictEqual(request?.headers["cf-aig-authorization"], "Bearer local-token")
        assert.notProperty(request?.headers, "authorization")
        for (const { headers } of entriesOf(request))
          for (const name of Object.keys(headers)) assert.notInclude(spellings, name.toLowerCase())
      }),
    () => behind({})
  )

  it.effect("each entry has its own provider's key, and nobody else's", () =>
    Effect.gen(function* () {
      yield* four.chat("hello")
      const [request] = yield* requests
      const found = entriesOf(request).map(({ headers }) =>
        Object.fromEntries(Object.entries(headers).filter(([name]) => spellings.includes(name)))
      )
      assert.deepStrictEqual(found, [
        { authorization: "Bearer sk-openai" },
        { "x-api-key": "sk-anthropic" },
        { "x-goog-api-key": "AIza-google" },
        { authorization: "Bearer cf-workers" }
      ])
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          OpenAi.layer({ apiKey: Redacted.make("sk-openai") }),
          Anthropic.layer({ apiKey: Redacted.make("sk-anthropic") }),
          GoogleAiStudio.layer({ apiKey: Redacted.make("AIza-google") }),
          WorkersAi.layer({ apiKey: Redacted.make("cf-workers") }),
          LocalGateway.layerTest()
        )
      )
    )
  )

  it.effect("a key that an answer quotes is in no error", () => {
    const key = "sk-openai-0123456789abcdef"
    return Effect.gen(function* () {
      const error = yield* Effect.flip(both.chat("hello"))
      assert.notInclude(JSON.stringify(error), key)
      assert.notInclude(String(error), key)
      assert.include(JSON.stringify(error), "<redacted>")
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          OpenAi.layer({ apiKey: Redacted.make(key) }),
          Anthropic.layer(),
          LocalGateway.layerTest({
            upstreams: {
              openai: always(status(500)),
              anthropic: always(status(400, { message: `you sent ${key}` }))
            }
          })
        )
      )
    )
  })
})

describe("48. options are where the gateway looks for them", () => {
  const tuned = ChatModel.universal([
    OpenAi.model("gpt-4.1-mini", {
      options: {
        requestTimeout: "3 seconds",
        retries: { maxAttempts: 2, delay: "500 millis", backoff: "exponential" },
        cacheKey: "leg",
        byokAlias: "team"
      }
    }),
    anthropic
  ])

  bothWays(
    "48. a leg's timeout and retries are in its config only; its other options in its headers",
    (ask) =>
      Effect.gen(function* () {
        yield* ask(tuned)
        const [request] = yield* requests
        const [first, second] = entriesOf(request)
        assert.deepStrictEqual(first?.config, {
          requestTimeout: 3000,
          maxAttempts: 2,
          retryDelay: 500,
          backoff: "exponential"
        })
        assert.deepStrictEqual(
          Object.entries(first?.headers ?? {}).filter(([name]) => name.startsWith("cf-aig-")),
          [
            ["cf-aig-cache-key", "leg"],
            ["cf-aig-byok-alias", "team"]
          ]
        )
        assert.notProperty(second, "config")
        assert.deepStrictEqual(
          Object.keys(second?.headers ?? {}).filter((name) => name.startsWith("cf-")),
          []
        )
        assert.deepStrictEqual(
          Object.keys(request?.headers ?? {}).filter((name) => name.startsWith("cf-aig-")),
          ["cf-aig-authorization"]
        )
      }),
    () => behind({})
  )

  it.effect("48. the gateway acts on a leg's config: it asks that leg twice, and the client once", () =>
    Effect.gen(function* () {
      const answer = yield* tuned.chat("hello").pipe(drive)
      assert.strictEqual(answer.provider, "anthropic")
      const gateway = yield* LocalGateway.Gateway
      assert.deepStrictEqual(
        gateway.upstreamRequests().map(({ provider }) => provider),
        ["openai", "openai", "anthropic"]
      )
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(behind({ openai: always(status(503)) })))
  )

  it.effect("48. a leg that is too slow for its own requestTimeout is left by the gateway", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        OpenAi.model("gpt-4.1-mini", { options: { requestTimeout: "3 seconds" } }),
        anthropic
      ])
      const answer = yield* drive(model.chat("hello"))
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.gateway.step, 1)
    }).pipe(Effect.provide(behind({ openai: always(delayed(text("late"), "1 hour")) })))
  )

  it.effect("35. options of the call and the region are outer headers, and the call wins over all", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        OpenAi.model("gpt-4.1-mini", {
          options: {
            eventId: "leg",
            cacheKey: "leg",
            requestTimeout: "3 seconds",
            metadata: { leg: 1, shared: "leg" }
          }
        }),
        anthropic
      ])
      yield* model
        .chat({
          prompt: "hello",
          options: { eventId: "call", requestTimeout: "9 seconds", metadata: { shared: "call" } }
        })
        .pipe(AiGateway.withOptions({ collectLog: true, metadata: { region: true, shared: "region" } }))
      const [request] = yield* requests
      const [first, second] = entriesOf(request)
      assert.strictEqual(request?.headers["cf-aig-event-id"], "call")
      assert.strictEqual(request?.headers["cf-aig-request-timeout"], "9000")
      assert.strictEqual(request?.headers["cf-aig-collect-log"], "true")
      assert.deepStrictEqual(JSON.parse(request?.headers["cf-aig-metadata"] ?? ""), {
        region: true,
        shared: "call"
      })
      // What stands in an entry would win over the outer headers.
      assert.notProperty(first, "config")
      assert.notProperty(first?.headers, "cf-aig-event-id")
      assert.strictEqual(first?.headers["cf-aig-cache-key"], "leg")
      assert.deepStrictEqual(JSON.parse(first?.headers["cf-aig-metadata"] ?? ""), {
        region: true,
        shared: "call",
        leg: 1
      })
      assert.notProperty(second?.headers, "cf-aig-metadata")
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("an option that is wrong reaches no gateway, and the error has its name", () =>
    Effect.gen(function* () {
      const wrong = ChatModel.universal([OpenAi.model("m", { options: { cacheTtl: "1 second" } }), anthropic])
      for (const call of [
        wrong.chat("hello"),
        both.chat({ prompt: "hello", options: { cacheTtl: "1 second" } }),
        Stream.runDrain(both.streamChat("hello")).pipe(AiGateway.withOptions({ cacheTtl: "1 second" }))
      ]) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error._tag, "InvalidRequest")
        if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "cacheTtl")
      }
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("a custom domain has no universal endpoint: InvalidRequest, and nothing is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(both.chat("hello"))
      assert.strictEqual(error._tag, "InvalidRequest")
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "customDomain")
    }).pipe(
      Effect.provide(
        Layer.merge(
          providers,
          AiGateway.layer({ customDomain: "https://ai.example.com" }).pipe(
            Layer.provide(LocalGateway.layer())
          )
        )
      )
    )
  )
})

describe("a leg that cannot be sent", () => {
  // Anthropic has no seed.
  const seeded: ChatRequest.Input = { prompt: "hello", seed: 7 }

  bothWays(
    "is no entry but an attempt, and the step is counted without it",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.universal([openai, anthropic, google]), seeded)
        assert.deepStrictEqual(
          (yield* entries).map(({ provider }) => provider),
          ["openai", "google-ai-studio"]
        )
        assert.strictEqual(answer.gateway.step, 1)
        assert.strictEqual(answer.provider, "google-ai-studio")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "openai", "ProviderFailure"],
          [1, "anthropic", "Unsupported"]
        ])
      }),
    () => behind({ openai: always(status(500)) })
  )

  bothWays(
    "is no attempt if a leg before it answers",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.universal([openai, anthropic]), seeded)
        assert.deepStrictEqual(answer.attempts, [])
      }),
    () => behind({})
  )

  bothWays(
    "if none can be sent: AllProvidersFailed with an attempt for each, and no request",
    (ask) =>
      Effect.gen(function* () {
        const other = Anthropic.model("claude-sonnet-4-5")
        const error = yield* Effect.flip(ask(ChatModel.universal([anthropic, other]), seeded))
        assert.deepStrictEqual(legs(attemptsOf(error)), [
          [0, "anthropic", "Unsupported"],
          [1, "anthropic", "Unsupported"]
        ])
        assert.deepStrictEqual(yield* requests, [])
      }),
    () => behind({})
  )

  bothWays(
    "for want of its key is left out with Unauthorized; the others are asked",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(both)
        assert.strictEqual(answer.provider, "anthropic")
        assert.strictEqual(answer.gateway.step, 0)
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "Unauthorized"]])
        assert.strictEqual((yield* entries).length, 1)
      }),
    () =>
      Layer.mergeAll(
        OpenAi.layer({ apiKey: Effect.fail("the vault is closed") }),
        Anthropic.layer(),
        LocalGateway.layerTest()
      )
  )

  bothWays(
    "because it is set up wrongly ends the list there, as it does on the client",
    (ask) =>
      Effect.gen(function* () {
        const wrong = GoogleAiStudio.model("")
        const error = yield* Effect.flip(ask(ChatModel.universal([openai, wrong, anthropic])))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.deepStrictEqual(
          (yield* entries).map(({ provider }) => provider),
          ["openai"]
        )
        const onClient = yield* Effect.flip(
          ask(ChatModel.firstSuccessOf([openai, wrong, anthropic]).pipe(once))
        )
        assert.strictEqual(onClient._tag, "InvalidRequest")
      }),
    () => behind({ openai: always(status(500)) })
  )

  it.effect("a request that is wrong for every leg reaches none", () =>
    Effect.gen(function* () {
      for (const input of [{ prompt: "hello", temperature: Number.NaN }, []]) {
        assert.strictEqual((yield* Effect.flip(both.chat(input)))._tag, "InvalidRequest")
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(both.streamChat(input))))._tag,
          "InvalidRequest"
        )
      }
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(behind({})))
  )
})

describe("when all legs fail", () => {
  const down = {
    openai: always(status(404)),
    anthropic: always(status(429)),
    "google-ai-studio": always(status(401))
  }
  const three = ChatModel.universal([openai, anthropic, google])
  const cases: ReadonlyArray<
    readonly [string, LocalGateway.Options, ReadonlyArray<readonly [number, string, string]>]
  > = [
    [
      "with the last provider's error, it stands at the last leg",
      { whenAllFail: "last" },
      [
        [0, "openai", "ProviderFailure"],
        [1, "anthropic", "ProviderFailure"],
        [2, "google-ai-studio", "Unauthorized"]
      ]
    ],
    [
      "with the first provider's error and its step, it stands at the first leg",
      { whenAllFail: "first", stepWhenAllFail: true },
      [
        [0, "openai", "ModelNotFound"],
        [1, "anthropic", "ProviderFailure"],
        [2, "google-ai-studio", "ProviderFailure"]
      ]
    ],
    [
      "with the gateway's own words, they stand at the last leg",
      { whenAllFail: "gateway" },
      [
        [0, "openai", "ProviderFailure"],
        [1, "anthropic", "ProviderFailure"],
        [2, "google-ai-studio", "ProviderFailure"]
      ]
    ]
  ]
  for (const [title, options, expected] of cases) {
    bothWays(
      `and the gateway answers ${title}`,
      (ask) =>
        Effect.gen(function* () {
          const attempts = attemptsOf(yield* Effect.flip(ask(three)))
          assert.deepStrictEqual(legs(attempts), expected)
          assert.strictEqual(attempts.filter(isUnsaid).length, 2)
          const known = attempts.find((attempt) => !isUnsaid(attempt))
          assert.strictEqual(known?.error.provider, known?.provider)
          assert.strictEqual((yield* requests).length, 1)
        }),
      () => behind(down, options)
    )
  }

  for (const step of ["9", "x", "-1"]) {
    it.effect(`a step that names no entry on a failure (${step}) leaves the error with the last leg`, () =>
      Effect.gen(function* () {
        const attempts = attemptsOf(yield* Effect.flip(both.chat("hello")))
        assert.deepStrictEqual(legs(attempts), [
          [0, "openai", "ProviderFailure"],
          [1, "anthropic", "BadRequest"]
        ])
      }).pipe(Effect.provide(answering({ "cf-aig-step": step }, { error: { message: "no" } }, 422)))
    )
  }

  it.effect("121. the known error has the gateway's ids, and the time of the whole call", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(both.chat("hello")))
      yield* settle
      yield* TestClock.adjust("4 seconds")
      const last = attemptsOf(yield* Fiber.join(fiber)).at(-1)
      assert.isString(last?.error.logId)
      assert.isString(last?.error.gateway?.eventId)
      assert.strictEqual(last?.error.status, 500)
      assert.strictEqual(Duration.toMillis(last?.duration ?? 0), 4000)
    }).pipe(
      Effect.provide(
        behind({ openai: always(status(500)), anthropic: always(delayed(status(500), "4 seconds")) })
      )
    )
  )

  bothWays(
    "an error of a provider is not asked for again by the client",
    (ask) =>
      Effect.gen(function* () {
        attemptsOf(yield* Effect.flip(ask(both)))
        assert.strictEqual((yield* requests).length, 1)
      }),
    () => behind({ openai: always(status(503)), anthropic: always(status(503)) })
  )
})

describe("what fails for every leg ends the call at once", () => {
  type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway
  const ends: ReadonlyArray<readonly [string, () => Layer.Layer<Needs, unknown>, string, number]> = [
    ["the gateway does not exist (2001)", () => behind({}, { gateways: [] }), "GatewayNotFound", 2001],
    [
      "the gateway's token is wrong (2009)",
      () =>
        Layer.merge(
          providers,
          AiGateway.layer({ accountId: "local-account", gatewayId: "local-gateway" }).pipe(
            Layer.provideMerge(LocalGateway.layer())
          )
        ),
      "Unauthorized",
      2009
    ],
    [
      "the gateway blocked the prompt (2016)",
      () => behind({ openai: always(guardrail("prompt")) }),
      "ContentBlocked",
      2016
    ]
  ]
  for (const [title, layer, tag, code] of ends) {
    for (const [way, ask] of [["chat", whole] as const, ["stream", streamed] as const]) {
      it.effect(`${title}: ${tag}, not AllProvidersFailed (${way})`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(ask(both))
          assert.strictEqual(error._tag, tag)
          if (error._tag !== "AllProvidersFailed") assert.strictEqual(error.code, code)
          const onClient = yield* Effect.flip(ask(ChatModel.firstSuccessOf([openai, anthropic]).pipe(once)))
          assert.strictEqual(onClient._tag, tag)
        }).pipe(Effect.provide(layer()))
      )
    }
  }

  bothWays(
    "the gateway's own rate limit (2003) is waited for, and then ends the call",
    (ask) =>
      Effect.gen(function* () {
        yield* both.chat("hello")
        const error = yield* Effect.flip(drive(ask(both)))
        assert.strictEqual(error._tag, "RateLimited")
        if (error._tag === "RateLimited") assert.strictEqual(error.code, 2003)
        assert.strictEqual((yield* requests).length, 4)
      }),
    () => behind({}, { rateLimit: { limit: 1, interval: "1 day" } })
  )

  bothWays(
    "the gateway's own rate limit passes: the call works after a wait",
    (ask) =>
      Effect.gen(function* () {
        yield* both.chat("hello")
        const answer = yield* drive(ask(both.pipe(ChatModel.retry(Schedule.spaced("1 second")))))
        assert.strictEqual(answer.text, "You said: hello")
      }),
    () => behind({}, { rateLimit: { limit: 1, interval: "5 seconds" } })
  )
})

describe("the client repeats a request that nobody answered", () => {
  bothWays(
    "a connection that breaks before any answer is tried three times, and then each leg has that error",
    (ask) =>
      Effect.gen(function* () {
        const attempts = attemptsOf(yield* Effect.flip(drive(ask(both))))
        assert.deepStrictEqual(legs(attempts), [
          [0, "openai", "TransportFailure"],
          [1, "anthropic", "TransportFailure"]
        ])
        assert.strictEqual((yield* requests).length, 3)
      }),
    () => behind({ openai: always(disconnect) })
  )

  bothWays(
    "and the second time somebody answers",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* drive(ask(both))
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(answer.attempts, [])
        assert.strictEqual((yield* requests).length, 2)
      }),
    () => behind({ openai: script([disconnect]) })
  )

  it.effect("ChatModel.retry replaces the schedule", () =>
    Effect.gen(function* () {
      yield* Effect.flip(both.pipe(once).chat("hello"))
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(Effect.provide(behind({ openai: always(disconnect) })))
  )

  for (const [who, ask] of [
    [
      "a leg",
      () =>
        ChatModel.universal([
          openai,
          Anthropic.model("claude-haiku-4-5", { options: { retries: { maxAttempts: 2 } } })
        ]).chat("hello")
    ],
    ["the call", () => both.chat({ prompt: "hello", options: { retries: { maxAttempts: 2 } } })],
    ["the region", () => both.chat("hello").pipe(AiGateway.withOptions({ retries: { maxAttempts: 2 } }))]
  ] as const) {
    it.effect(`84. not if ${who} has told the gateway to retry: attempts never multiply`, () =>
      Effect.gen(function* () {
        attemptsOf(yield* Effect.flip(ask()))
        assert.strictEqual((yield* requests).length, 1)
      }).pipe(Effect.provide(behind({ openai: always(disconnect) })))
    )
  }

  it.effect("a key is looked up anew for each request", () =>
    Effect.gen(function* () {
      yield* drive(both.chat("hello"))
      const keys = (yield* requests).map((request) => entriesOf(request)[0]?.headers.authorization)
      assert.deepStrictEqual(keys, ["Bearer key-1", "Bearer key-2"])
    }).pipe(
      Effect.provide(
        Layer.unwrapEffect(
          Effect.sync(() => {
            let reads = 0
            return Layer.mergeAll(
              OpenAi.layer({ apiKey: Effect.sync(() => Redacted.make(`key-${++reads}`)) }),
              Anthropic.layer(),
              LocalGateway.layerTest({ upstreams: { openai: script([disconnect]) } })
            )
          })
        )
      )
    )
  )
})

describe("an error inside the winner's 200", () => {
  it.effect("a first event that is an error: AllProvidersFailed, whose last attempt has it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Stream.runDrain(ChatModel.universal([openai, anthropic, google]).streamChat("hello"))
      )
      assert.deepStrictEqual(legs(attemptsOf(error)), [
        [0, "openai", "ProviderFailure"],
        [1, "anthropic", "ProviderFailure"]
      ])
      assert.isTrue(isUnsaid(attemptsOf(error)[0] as AiGatewayError.Attempt))
      assert.include(attemptsOf(error)[1]?.error.message, "too busy")
      assert.strictEqual((yield* requests).length, 1)
      yield* settle
      assert.strictEqual((yield* LocalGateway.Gateway).inFlight(), 0)
    }).pipe(
      Effect.provide(
        behind({
          openai: always(status(500)),
          anthropic: always(errorEvent(text("never"), 0, { message: "too busy" }))
        })
      )
    )
  )

  it.effect("an error envelope as a whole answer: the same", () =>
    Effect.gen(function* () {
      const attempts = attemptsOf(yield* Effect.flip(both.chat("hello")))
      assert.deepStrictEqual(legs(attempts), [[0, "openai", "ProviderFailure"]])
    }).pipe(Effect.provide(behind({ openai: always(errorEvent(text("never"), 0)) })))
  )

  it.effect("a stream that is cut off before its first content: the same, with TransportFailure", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(both.streamChat("hello")))
      assert.deepStrictEqual(legs(attemptsOf(error)), [[0, "openai", "TransportFailure"]])
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(
      Effect.provide(
        behind({
          openai: always(raw({ headers: { "content-type": "text/event-stream" }, body: ": nothing yet\n\n" }))
        })
      )
    )
  )

  bothWays(
    "79. a body that is no JSON: the same, with MalformedResponse and an excerpt",
    (ask) =>
      Effect.gen(function* () {
        const attempts = attemptsOf(yield* Effect.flip(ask(both)))
        assert.deepStrictEqual(legs(attempts), [[0, "openai", "MalformedResponse"]])
        const error = attempts[0]?.error
        if (error?._tag === "MalformedResponse") assert.strictEqual(error.excerpt, "<p>oops</p>")
        assert.strictEqual(error?.provider, "openai")
      }),
    () => behind({ openai: always(raw({ body: "<p>oops</p>" })) })
  )

  it.effect("93. after the first content: StreamBroken with what was delivered, and no other leg", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(both.streamChat("hello"), (event) =>
          Effect.sync(() => {
            if (event._tag === "TextDelta") seen.push(event.text)
          })
        )
      )
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag !== "StreamBroken") return
      assert.strictEqual(error.delivered.text, seen.join(""))
      assert.notStrictEqual(seen.length, 0)
      assert.strictEqual(error.provider, "anthropic")
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(
      Effect.provide(
        behind({ openai: always(status(500)), anthropic: always(dropAfter(text("one two three"), 4)) })
      )
    )
  )
})

describe("time", () => {
  const pass = (time: Duration.DurationInput) =>
    Effect.zipRight(settle, Effect.zipRight(TestClock.adjust(time), settle))

  const endsAt = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, millis: number) =>
    Effect.gen(function* () {
      yield* pass(millis - 1)
      assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None", "ended too early")
      yield* pass(1)
      assert.strictEqual((yield* Fiber.poll(fiber))._tag, "Some", "did not end in time")
      return yield* Fiber.join(fiber)
    })

  const closed = Effect.gen(function* () {
    yield* settle
    const gateway = yield* LocalGateway.Gateway
    assert.strictEqual(gateway.inFlight(), 0)
    assert.isTrue(gateway.requests()[0]?.aborted)
  })

  for (const [what, ask] of [["chat", whole] as const, ["stream", streamed] as const]) {
    it.effect(`86. total ends a ${what}, and closes the socket`, () =>
      Effect.gen(function* () {
        const model = both.pipe(ChatModel.withTimeouts({ total: "3 seconds" }))
        const error = yield* endsAt(yield* Effect.fork(Effect.flip(ask(model))), 3000)
        assert.strictEqual(error._tag, "ModelTimeout")
        if (error._tag === "ModelTimeout") assert.strictEqual(error.phase, "total")
        yield* closed
      }).pipe(Effect.provide(behind({ openai: always(hang) })))
    )
  }

  it.effect("firstEvent of the model bounds the request to its first content", () =>
    Effect.gen(function* () {
      const model = both.pipe(ChatModel.withTimeouts({ firstEvent: "5 seconds" }))
      const error = yield* endsAt(yield* Effect.fork(Effect.flip(streamed(model))), 5000)
      const [, last] = attemptsOf(error)
      assert.strictEqual(last?.error._tag, "ModelTimeout")
      assert.strictEqual((yield* requests).length, 1)
      yield* closed
    }).pipe(Effect.provide(behind({ openai: always(hang) })))
  )

  it.effect("the legs' own firstEvent add up, because nobody sees when a leg is left", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        OpenAi.model("a", { timeouts: { firstEvent: "2 seconds" } }),
        Anthropic.model("b", { timeouts: { firstEvent: "3 seconds" } })
      ])
      const error = yield* endsAt(yield* Effect.fork(Effect.flip(streamed(model))), 5000)
      assert.strictEqual(attemptsOf(error).at(-1)?.error._tag, "ModelTimeout")
    }).pipe(Effect.provide(behind({ openai: always(hang) })))
  )

  it.effect("the legs' own total add up if each has one", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        OpenAi.model("a", { timeouts: { total: "2 seconds" } }),
        Anthropic.model("b", { timeouts: { total: "3 seconds" } })
      ])
      const error = yield* endsAt(yield* Effect.fork(Effect.flip(whole(model))), 5000)
      assert.strictEqual(error._tag, "ModelTimeout")
    }).pipe(Effect.provide(behind({ openai: always(hang) })))
  )

  it.effect("idle is the winner's own", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        OpenAi.model("a", { timeouts: { idle: "1 second" } }),
        Anthropic.model("b", { timeouts: { idle: "7 seconds" } })
      ])
      const error = yield* endsAt(yield* Effect.fork(Effect.flip(streamed(model))), 7000)
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag === "StreamBroken" && error.cause._tag === "ModelTimeout") {
        assert.strictEqual(error.cause.phase, "idle")
        assert.strictEqual(error.cause.provider, "anthropic")
      } else assert.fail("no ModelTimeout")
    }).pipe(
      Effect.provide(
        behind({
          openai: always(status(500)),
          anthropic: always(LocalGateway.stallAfter(text("one two three"), 4))
        })
      )
    )
  )

  it.effect("a leg whose clocks are set wrongly is InvalidRequest, as it is by itself", () =>
    Effect.gen(function* () {
      const wrong = OpenAi.model("a", { timeouts: { idle: "0 seconds" } })
      const error = yield* Effect.flip(ChatModel.universal([wrong, anthropic]).chat("hello"))
      assert.strictEqual(error._tag, "InvalidRequest")
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "timeouts.idle")
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(behind({})))
  )

  for (const [what, run] of [["chat", whole] as const, ["stream", streamed] as const]) {
    it.effect(`64. an interruption of a ${what} closes the socket, is no failure, and asks nobody else`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(run(both))
        yield* settle
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isInterrupted(exit))
        yield* closed
        assert.strictEqual((yield* requests).length, 1)
      }).pipe(Effect.provide(behind({ openai: always(hang) })))
    )
  }

  it.effect("stopping early closes the socket", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(Stream.take(both.streamChat("hello"), 2))
      yield* closed
    }).pipe(Effect.provide(behind({ openai: always(LocalGateway.stallAfter(text("one two three"), 2)) })))
  )

  it.effect(
    "whatever the moment of an interruption is, no response stays open",
    () =>
      Effect.gen(function* () {
        const gateway = yield* LocalGateway.Gateway
        for (const run of [whole, streamed]) {
          for (let turns = 0; turns < 60; turns++) {
            const fiber = yield* Effect.fork(run(both))
            for (let turn = 0; turn < turns; turn++) yield* Effect.promise(() => Promise.resolve())
            yield* Fiber.interrupt(fiber)
            yield* settle
            assert.strictEqual(gateway.inFlight(), 0, `after ${turns} turns`)
          }
        }
      }).pipe(
        Effect.provide(
          behind({
            openai: always(status(500)),
            anthropic: always(LocalGateway.stallAfter(text("one two three"), 4))
          })
        )
      ),
    30_000
  )
})

describe("spans", () => {
  const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      const recording = Tracer.make({
        context: native.context,
        span: (...args) => {
          const span = native.span(...args)
          spans.push(span)
          return span
        }
      })
      yield* Effect.exit(Effect.withTracer(effect, recording))
      return spans.filter(({ name }) => name !== "test")
    })

  for (const [what, ask] of [["chat", whole] as const, ["streamChat", streamed] as const]) {
    it.effect(`124. one per call and one for its request, with the winner's attributes (${what})`, () =>
      Effect.gen(function* () {
        const spans = yield* spansOf(ask(both))
        assert.deepStrictEqual(
          spans.map(({ name }) => name),
          [`ChatModel.${what}`, "chat universal"]
        )
        const [call, request] = spans
        assert.strictEqual(Option.getOrUndefined(request?.parent ?? Option.none())?.spanId, call?.spanId)
        assert.strictEqual(request?.attributes.get("gen_ai.provider.name"), "anthropic")
        assert.strictEqual(request?.attributes.get("gen_ai.request.model"), "claude-haiku-4-5")
        assert.strictEqual(request?.attributes.get("cloudflare.ai_gateway.step"), 1)
        for (const span of spans) assert.strictEqual(span.status._tag, "Ended")
      }).pipe(Effect.provide(behind({ openai: always(status(500)) })))
    )
  }

  it.effect("a failure is told on both", () =>
    Effect.gen(function* () {
      for (const span of yield* spansOf(both.chat("hello")))
        assert.strictEqual(span.attributes.get("error.type"), "AllProvidersFailed")
    }).pipe(Effect.provide(behind({ openai: always(status(500)), anthropic: always(status(500)) })))
  )
})

describe("a universal model in a list", () => {
  const list = ChatModel.firstSuccessOf([both, ChatModel.universal([google, workersAi])]).pipe(once)

  bothWays(
    "is left when all its legs fail; the attempts are counted through",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(list)
        assert.strictEqual(answer.provider, "workers-ai")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "openai", "ProviderFailure"],
          [1, "anthropic", "RateLimited"],
          [2, "google-ai-studio", "ProviderFailure"]
        ])
        assert.strictEqual((yield* requests).length, 2)
      }),
    () =>
      behind({
        openai: always(status(500)),
        anthropic: always(status(429)),
        "google-ai-studio": always(status(500))
      })
  )

  it.effect("a leg that was left out is an attempt also where the gateway then refuses the request", () =>
    Effect.gen(function* () {
      const elsewhere = yield* AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token")
      }).pipe(Effect.provide(LocalGateway.layer()))
      const answer = yield* ChatModel.firstSuccessOf([
        ChatModel.universal([anthropic, openai]),
        google.pipe(ChatModel.provideService(AiGateway.AiGateway, elsewhere))
      ])
        .pipe(once)
        .chat({ prompt: "hello", seed: 7 })
      assert.strictEqual(answer.provider, "google-ai-studio")
      assert.deepStrictEqual(legs(answer.attempts), [
        [0, "anthropic", "Unsupported"],
        [1, "openai", "GatewayNotFound"]
      ])
    }).pipe(Effect.provide(behind({}, { gateways: [] })))
  )

  bothWays(
    "what fails for every leg behind the gateway is asked once",
    (ask) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(ask(list)))._tag, "GatewayNotFound")
        assert.strictEqual((yield* requests).length, 1)
      }),
    () => behind({}, { gateways: [] })
  )
})

describe("Replicate in a universal list", () => {
  const replicate = Replicate.model("meta/meta-llama-3-70b-instruct")
  const model = ChatModel.universal([openai, replicate])

  bothWays(
    "is waited for by Replicate itself: the answer comes in one piece, and nobody polls",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(model)
        assert.strictEqual(answer.provider, "replicate")
        assert.include(answer.text, "hello")
        assert.strictEqual((yield* entries)[1]?.headers.prefer, "wait")
        assert.strictEqual((yield* requests).length, 1)
      }),
    () => Layer.merge(Replicate.layer(), behind({ openai: always(status(500)) }))
  )

  bothWays(
    "takes longer than Replicate waits: MalformedResponse, as its documentation says",
    (ask) =>
      Effect.gen(function* () {
        const last = attemptsOf(yield* Effect.flip(ask(model))).at(-1)
        assert.strictEqual(last?.error._tag, "MalformedResponse")
        assert.strictEqual(last?.provider, "replicate")
      }),
    () =>
      Layer.merge(
        Replicate.layer(),
        behind({
          openai: always(status(500)),
          replicate: always(
            raw({ status: 201, body: JSON.stringify({ id: "abc", status: "processing", output: null }) })
          )
        })
      )
  )
})

describe("65. server and client give the same result for the same outcomes", () => {
  type Outcome = "ok" | 503 | 429 | 401 | 404 | "malformed"
  const outcome = FastCheck.constantFrom<Outcome>("ok", 503, 429, 401, 404, "malformed")
  const replyOf = (outcome: Outcome): LocalGateway.Reply =>
    outcome === "ok"
      ? text("fine")
      : outcome === "malformed"
        ? raw({ body: "<p>no JSON</p>" })
        : status(outcome)
  const slugs = ["openai", "anthropic", "google-ai-studio", "workers-ai"] as const

  const resultOf = (exit: Exit.Exit<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError>) =>
    Exit.match(exit, {
      onSuccess: ({ provider, model, text, attempts, finishReason, usage }) => ({
        provider,
        model,
        text,
        finishReason,
        usage,
        legs: attempts.map(({ leg, provider, model }) => [leg, provider, model])
      }),
      onFailure: (cause) => {
        if (cause._tag !== "Fail" || cause.error._tag !== "AllProvidersFailed") return String(cause)
        const { attempts } = cause.error
        const last = attempts.at(-1)
        return {
          legs: attempts.map(({ leg, provider, model }) => [leg, provider, model]),
          // The server tells of one error alone.
          last: [last?.error._tag, last?.error.status, last?.error.source, last?.error.provider]
        }
      }
    })

  /** A malformed 200 is an answer for the gateway, and only the client can go on from it. */
  const comparable = (script: ReadonlyArray<Outcome>): ReadonlyArray<Outcome> => {
    const at = script.indexOf("malformed")
    return at < 0 ? script : script.slice(0, at + 1)
  }

  for (const [way, ask] of [["chat", whole] as const, ["stream", streamed] as const]) {
    it.effect(
      `65. for any script of outcomes (${way})`,
      () =>
        Effect.gen(function* () {
          const runtime = yield* Effect.runtime()
          yield* Effect.promise(() =>
            FastCheck.assert(
              FastCheck.asyncProperty(
                FastCheck.array(outcome, { minLength: 1, maxLength: 4 }),
                (outcomes) => {
                  const scripted = comparable(outcomes)
                  const upstreams = Object.fromEntries(
                    scripted.map((outcome, index) => [slugs[index], always(replyOf(outcome))])
                  )
                  const models = [openai, anthropic, google, workersAi].slice(0, scripted.length)
                  return Effect.gen(function* () {
                    const onServer = yield* Effect.exit(
                      ask((ChatModel.universal as (legs: typeof models) => typeof four)(models))
                    )
                    const list = yield* ChatModel.fromIterable(models)
                    const onClient = yield* Effect.exit(ask(list.pipe(once)))
                    assert.deepStrictEqual(resultOf(onServer), resultOf(onClient))
                    assert.strictEqual(
                      Exit.isSuccess(onServer),
                      scripted.slice(0, (scripted.indexOf("malformed") + 1 || 9) - 1).includes("ok")
                    )
                    const [server, ...client] = (yield* LocalGateway.Gateway).requests()
                    assert.strictEqual(server?.path, "/v1/local-account/local-gateway")
                    assert.isAtLeast(client.length, 1)
                  }).pipe(Effect.provide(behind(upstreams)), Runtime.runPromise(runtime))
                }
              ),
              { numRuns: 60 }
            )
          )
        }),
      60_000
    )
  }
})

describe("over a real socket", () => {
  for (const [client, layer] of [
    ["FetchHttpClient", FetchHttpClient.layer],
    ["undici", NodeHttpClient.layerUndici]
  ] as const) {
    const on = (gateway: LocalGateway.LocalGateway) =>
      Layer.unwrapScoped(
        Effect.map(LocalGatewayServer.start(gateway), ({ baseUrl }) =>
          Layer.merge(
            providers,
            AiGateway.layer({
              accountId: "local-account",
              gatewayId: "local-gateway",
              token: Redacted.make("local-token"),
              baseUrl
            }).pipe(Layer.provide(layer))
          )
        )
      )

    it.live(`both ways, in one request each (${client})`, () => {
      const gateway = LocalGateway.make({ upstreams: { openai: always(status(503)) } })
      return Effect.gen(function* () {
        for (const ask of [whole, streamed]) {
          const answer = yield* ask(four)
          assert.strictEqual(answer.text, "You said: hello")
          assert.strictEqual(answer.provider, "anthropic")
          assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "ProviderFailure"]])
        }
        assert.strictEqual(gateway.requests().length, 2)
      }).pipe(Effect.provide(on(gateway)))
    })

    it.live(`an interruption closes the socket (${client})`, () => {
      const gateway = LocalGateway.make({ upstreams: { openai: always(hang) } })
      return Effect.gen(function* () {
        for (const ask of [whole, streamed]) {
          const fiber = yield* Effect.fork(ask(both))
          while (gateway.inFlight() === 0) yield* Effect.sleep("5 millis")
          yield* Fiber.interrupt(fiber)
          while (gateway.inFlight() > 0) yield* Effect.sleep("5 millis")
        }
        assert.isTrue(gateway.requests().every(({ aborted }) => aborted))
      }).pipe(Effect.provide(on(gateway)))
    })
  }
})

describe("what a caller never has to think of", () => {
  it.effect("a tenant's key and gateway around one call", () =>
    Effect.gen(function* () {
      const tenant = both.pipe(
        ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("tenant-key") }))
      )
      yield* tenant.chat("hello")
      yield* both.chat("hello")
      const keys = (yield* requests).map((request) => entriesOf(request)[0]?.headers.authorization)
      assert.deepStrictEqual(keys, ["Bearer tenant-key", undefined])
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("the folded stream is the whole answer", () =>
    Effect.gen(function* () {
      const events = yield* Stream.runCollect(both.streamChat("hello"))
      const folded = ChatEvent.fold([...events])
      const answer = yield* both.chat("hello")
      assert.deepStrictEqual(
        [folded.text, folded.provider, folded.model, folded.finishReason],
        [answer.text, answer.provider, answer.model, answer.finishReason]
      )
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("no fiber stays behind", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      yield* Effect.fork(Deferred.await(gate))
      yield* both.chat("hello")
      yield* Stream.runDrain(both.streamChat("hello"))
      yield* settle
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.strictEqual((yield* Fiber.roots).length, 1)
    }).pipe(Effect.provide(behind({})))
  )
})
