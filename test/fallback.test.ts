import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Context,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Schedule,
  Stream,
  TestClock,
  Tracer
} from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  TestModel,
  WorkersAi
} from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"

const {
  always,
  delayed,
  disconnect,
  dropAfter,
  edgeHtml,
  errorEvent,
  guardrail,
  hang,
  script,
  status,
  text
} = LocalGateway

const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const behind = (
  upstreams: NonNullable<LocalGateway.Options["upstreams"]>,
  options: LocalGateway.Options = {}
) => Layer.merge(providers, LocalGateway.layerTest({ ...options, upstreams }))

const once = ChatModel.retry(Schedule.recurs(0))

const openai = OpenAi.model("gpt-4.1-mini").pipe(once)
const anthropic = Anthropic.model("claude-haiku-4-5").pipe(once)
const google = GoogleAiStudio.model("gemini-2.5-flash").pipe(once)
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct").pipe(once)

/** Who was asked, in order. */
const asked = Effect.map(LocalGateway.Gateway, (gateway) =>
  gateway.requests().map((request) => request.provider)
)

const tags = (attempts: ReadonlyArray<AiGatewayError.Attempt>) => attempts.map(({ error }) => error._tag)

const legs = (attempts: ReadonlyArray<AiGatewayError.Attempt>) =>
  attempts.map(({ leg, provider, error }) => [leg, provider, error._tag] as const)

/** Lets promises and fibers run as far as they get without time passing. */
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

const errorOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, A, R> => Effect.flip(effect)

/** The same call as a whole answer, and as a stream. */
const bothWays = <R>(
  title: string,
  check: (
    ask: <R2>(
      model: ChatModel.With<R2>,
      input?: ChatRequest.Input
    ) => Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, R2>
  ) => Effect.Effect<void, unknown, R>,
  layer: () => Layer.Layer<R, unknown>
) => {
  it.effect(`${title} (chat)`, () =>
    check((model, input = "hello") => model.chat(input)).pipe(Effect.provide(layer()))
  )
  it.effect(`${title} (stream)`, () =>
    check((model, input = "hello") => ChatModel.collect(model.streamChat(input))).pipe(
      Effect.provide(layer())
    )
  )
}

describe("a list moves on", () => {
  bothWays(
    "50. the first leg answers: the second gets no request",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([openai, anthropic]))
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(answer.attempts, [])
        assert.deepStrictEqual(yield* asked, ["openai"])
      }),
    () => behind({})
  )

  it.effect("50. the first leg answers: no key of the second is read", () =>
    Effect.gen(function* () {
      let reads = 0
      const key = Effect.sync(() => Redacted.make(`key-${++reads}`))
      const list = ChatModel.firstSuccessOf([
        openai,
        anthropic.pipe(ChatModel.provideService(Anthropic.Anthropic, Anthropic.make({ apiKey: key })))
      ])
      yield* list.chat("hello")
      yield* Stream.runDrain(list.streamChat("hello"))
      assert.strictEqual(reads, 0)
    }).pipe(Effect.provide(behind({})))
  )

  for (const code of [408, 409, 429, 500, 502, 503, 504, 524, 529]) {
    bothWays(
      `51. the first leg fails with ${code}: the second answers`,
      (ask) =>
        Effect.gen(function* () {
          const answer = yield* ask(ChatModel.firstSuccessOf([openai, anthropic]))
          assert.strictEqual(answer.provider, "anthropic")
          assert.include(answer.text, "hello")
          assert.deepStrictEqual(
            answer.attempts.map(({ leg, error }) => [leg, "status" in error ? error.status : undefined]),
            [[0, code]]
          )
        }),
      () => behind({ openai: always(status(code)) })
    )
  }

  bothWays(
    "51. the first leg's connection breaks: the second answers",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([openai, anthropic]))
        assert.strictEqual(answer.provider, "anthropic")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "TransportFailure"]])
      }),
    () => behind({ openai: always(disconnect) })
  )

  bothWays(
    "51. Cloudflare's edge answers for the first leg: the second answers",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([openai, anthropic]))
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "ProviderFailure"]])
        assert.strictEqual(answer.attempts[0]?.error.source, "edge")
      }),
    () => behind({ openai: always(edgeHtml(524)) })
  )

  it.effect("51. with the default schedule a leg is tried three times before it is left", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5")
      ])
      const answer = yield* drive(list.chat("hello"))
      assert.strictEqual(answer.provider, "anthropic")
      assert.deepStrictEqual(yield* asked, ["openai", "openai", "openai", "anthropic"])
      assert.strictEqual(answer.attempts.length, 1)
    }).pipe(Effect.provide(behind({ openai: always(status(503)) })))
  )

  for (const code of [400, 404, 413, 422]) {
    bothWays(
      `52. the provider's ${code} is not retried on its leg, and the second leg is tried`,
      (ask) =>
        Effect.gen(function* () {
          const list = ChatModel.firstSuccessOf([
            OpenAi.model("gpt-4.1-mini"),
            Anthropic.model("claude-haiku-4-5")
          ])
          const answer = yield* ask(list)
          assert.strictEqual(answer.provider, "anthropic")
          assert.deepStrictEqual(yield* asked, ["openai", "anthropic"])
        }),
      () => behind({ openai: always(status(code)) })
    )
  }

  it.effect("52. the second leg gets a request of its own shape", () =>
    Effect.gen(function* () {
      yield* ChatModel.firstSuccessOf([openai, google]).chat({
        system: "be kind",
        prompt: "hello",
        maxTokens: 5
      })
      const [first, second] = (yield* LocalGateway.Gateway).requests()
      assert.strictEqual(first?.endpoint, "chat/completions")
      assert.deepInclude(first?.body, { model: "gpt-4.1-mini", max_completion_tokens: 5 })
      assert.match(second?.endpoint ?? "", /models\/gemini-2\.5-flash:generateContent/)
      assert.nestedPropertyVal(second?.body, "generationConfig.maxOutputTokens", 5)
      assert.notProperty(second?.body, "messages")
    }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
  )

  it.effect("52. a rule tightens it: after an error that it refuses the call ends with that error", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic], {
        while: (error) => error._tag !== "BadRequest"
      })
      const error = yield* errorOf(list.chat("hello"))
      assert.strictEqual(error._tag, "BadRequest")
      const streamed = yield* errorOf(Stream.runDrain(list.streamChat("hello")))
      assert.strictEqual(streamed._tag, "BadRequest")
      assert.deepStrictEqual(yield* asked, ["openai", "openai"])
    }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
  )

  it.effect("52. a rule cannot widen it: what fails everywhere still ends the call", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic], { while: () => true })
      assert.strictEqual((yield* errorOf(list.chat("hello")))._tag, "GatewayNotFound")
      assert.deepStrictEqual(yield* asked, ["openai"])
    }).pipe(Effect.provide(behind({}, { accountId: "local-account", gateways: [] })))
  )

  it.effect("52. a request that is invalid before it is sent reaches no leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      for (const call of [
        list.chat({ prompt: "hello", temperature: Number.NaN }),
        list.chat([]),
        list.chat({ prompt: "hello", options: { cacheTtl: "10 seconds" } }),
        Stream.runDrain(list.streamChat({ prompt: "hello", topP: 2 })),
        list.chat("hello").pipe(AiGateway.withOptions({ retries: { maxAttempts: 6 } }))
      ]) {
        assert.strictEqual((yield* errorOf(call))._tag, "InvalidRequest")
      }
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(behind({})))
  )

  for (const code of [401, 403]) {
    bothWays(
      `53. the provider's ${code} is not retried; the second leg, with a credential of its own, is tried`,
      (ask) =>
        Effect.gen(function* () {
          const answer = yield* ask(ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), anthropic]))
          assert.strictEqual(answer.provider, "anthropic")
          assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "Unauthorized"]])
          assert.strictEqual(answer.attempts[0]?.error.source, "provider")
          assert.deepStrictEqual(yield* asked, ["openai", "anthropic"])
        }),
      () => behind({ openai: always(status(code)) })
    )
  }

  bothWays(
    "66. Workers AI may be any leg: last, first, and between",
    (ask) =>
      Effect.gen(function* () {
        const last = yield* ask(ChatModel.firstSuccessOf([openai, workersAi]))
        assert.strictEqual(last.provider, "workers-ai")
        const between = yield* ask(ChatModel.firstSuccessOf([openai, workersAi, anthropic]))
        assert.strictEqual(between.provider, "workers-ai")
        assert.deepStrictEqual(between.attempts.length, 1)
      }),
    () => behind({ openai: always(status(400)) })
  )

  bothWays(
    "66. Workers AI as the first leg that fails",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([workersAi, openai]))
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "workers-ai", "ModelNotFound"]])
      }),
    () => behind({}, { unknownModels: ["@cf/meta/llama-3.1-8b-instruct"] })
  )

  bothWays(
    "53. the bad Cloudflare token of one Workers AI leg (10000) moves on",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([workersAi, openai]))
        assert.strictEqual(answer.provider, "openai")
        const error = answer.attempts[0]?.error
        assert.strictEqual(error?._tag, "Unauthorized")
        assert.strictEqual(error?.source, "provider")
        assert.strictEqual(error?.code, 10000)
      }),
    () =>
      Layer.merge(
        Layer.merge(OpenAi.layer(), WorkersAi.layer({ apiKey: Redacted.make("wrong") })),
        LocalGateway.layerTest({ keys: { "workers-ai": "right" } })
      )
  )

  it.effect("a field that one model cannot take moves on, and that model is not asked", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([anthropic, openai])
      const answer = yield* list.chat({ prompt: "hello", seed: 7 })
      assert.strictEqual(answer.provider, "openai")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "anthropic", "Unsupported"]])
      const error = answer.attempts[0]?.error
      assert.strictEqual(error?._tag === "Unsupported" ? error.feature : undefined, "seed")
      assert.deepStrictEqual(yield* asked, ["openai"])
    }).pipe(Effect.provide(behind({})))
  )

  it.effect('unsupported: "drop" leaves the field out and asks the model', () =>
    Effect.gen(function* () {
      const relaxed = Anthropic.model("claude-haiku-4-5", { unsupported: "drop" })
      const answer = yield* ChatModel.firstSuccessOf([relaxed, openai]).chat({ prompt: "hello", seed: 7 })
      assert.strictEqual(answer.provider, "anthropic")
      const [request] = (yield* LocalGateway.Gateway).requests()
      assert.notProperty(request?.body, "seed")
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("nothing but unsupported legs: AllProvidersFailed, and no request", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(
        ChatModel.firstSuccessOf([anthropic, OpenAi.model("gpt-5-mini")]).chat({
          prompt: "hello",
          topK: 3,
          seed: 1
        })
      )
      assert.strictEqual(error._tag, "AllProvidersFailed")
      if (error._tag === "AllProvidersFailed")
        assert.deepStrictEqual(tags(error.attempts), ["Unsupported", "Unsupported"])
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("two models of one provider, the model in the URL: each leg goes to its own", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        GoogleAiStudio.model("gemini-2.5-pro").pipe(once),
        GoogleAiStudio.model("gemini-2.5-flash")
      ])
      yield* list.chat("hello")
      const endpoints = (yield* LocalGateway.Gateway).requests().map(({ endpoint }) => endpoint)
      assert.deepStrictEqual(
        endpoints.map((endpoint) => /models\/([^:]+)/.exec(endpoint ?? "")?.[1]),
        ["gemini-2.5-pro", "gemini-2.5-flash"]
      )
    }).pipe(Effect.provide(behind({ "google-ai-studio": script([status(500)]) })))
  )

  it.effect("the connection of a stream breaks before its first content: the next leg answers", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.collect(
        ChatModel.firstSuccessOf([openai, anthropic]).streamChat("hello there")
      )
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.text, "You said: hello there")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "TransportFailure"]])
    }).pipe(Effect.provide(behind({ openai: always(dropAfter(text("never"), 0)) })))
  )

  it.effect("a stream whose first event is an error moves on", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.collect(
        ChatModel.firstSuccessOf([anthropic, openai]).streamChat("hello")
      )
      assert.strictEqual(answer.provider, "openai")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "anthropic", "ProviderFailure"]])
    }).pipe(Effect.provide(behind({ anthropic: always(errorEvent(text("never"), 0)) })))
  )

  it.effect("a stream that breaks after its first content ends the call: two answers are never joined", () =>
    Effect.gen(function* () {
      const events: Array<ChatEvent.ChatEvent> = []
      const error = yield* errorOf(
        ChatModel.firstSuccessOf([openai, anthropic])
          .streamChat("hello")
          .pipe(Stream.runForEach((event) => Effect.sync(() => events.push(event))))
      )
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag === "StreamBroken") assert.strictEqual(error.delivered.text, "Hel")
      assert.isFalse(events.some((event) => event._tag === "Finish"))
      assert.deepStrictEqual(yield* asked, ["openai"])
    }).pipe(
      Effect.provide(
        behind({ openai: always(LocalGateway.dropAfter(text("Hello", { chunks: ["Hel", "lo"] }), 2)) })
      )
    )
  )
})

describe("a list ends at once with what fails everywhere", () => {
  const ends = (
    title: string,
    options: LocalGateway.Options,
    expected: AiGatewayError.AiGatewayError["_tag"]
  ) => {
    for (const way of ["chat", "stream"] as const) {
      it.effect(`${title} (${way})`, () =>
        Effect.gen(function* () {
          const list = ChatModel.firstSuccessOf([openai, anthropic, google])
          const error = yield* errorOf(
            way === "chat" ? Effect.asVoid(list.chat("hello")) : Stream.runDrain(list.streamChat("hello"))
          )
          assert.strictEqual(error._tag, expected)
          assert.strictEqual("source" in error ? error.source : undefined, "gateway")
          assert.deepStrictEqual(yield* asked, ["openai"])
        }).pipe(Effect.provide(Layer.merge(providers, LocalGateway.layerTest(options))))
      )
    }
  }

  ends("53. 2001: the gateway does not exist", { gateways: [] }, "GatewayNotFound")
  ends(
    "a guardrail blocked the prompt",
    { upstreams: { openai: always(guardrail("prompt")) } },
    "ContentBlocked"
  )
  ends(
    "data-loss prevention blocked the prompt",
    { upstreams: { openai: always(LocalGateway.dlp("prompt")) } },
    "ContentBlocked"
  )

  it.effect("53. 2009: the gateway's own token is wrong", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({ token: "another-token" })
      const service = yield* AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("wrong-token")
      }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      const error = yield* errorOf(
        list
          .chat("hello")
          .pipe(Effect.provideService(AiGateway.AiGateway, service), Effect.provide(providers))
      )
      assert.strictEqual(error._tag, "Unauthorized")
      if (error._tag === "Unauthorized") assert.strictEqual(error.source, "gateway")
      assert.strictEqual(gateway.requests().length, 1)
    })
  )

  it.effect("2003: the gateway's own rate limit ends the call, after its retries", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5")
      ])
      yield* list.chat("the one that is allowed")
      const error = yield* errorOf(drive(list.chat("hello")))
      assert.strictEqual(error._tag, "RateLimited")
      if (error._tag === "RateLimited") assert.strictEqual(error.source, "gateway")
      assert.deepStrictEqual(yield* asked, ["openai", "openai", "openai", "openai"])
    }).pipe(Effect.provide(behind({}, { rateLimit: { limit: 1, interval: "10 days" } })))
  )

  bothWays(
    "a blocked *answer* moves on: another model may answer differently",
    (ask) =>
      Effect.gen(function* () {
        const answer = yield* ask(ChatModel.firstSuccessOf([openai, anthropic]))
        assert.strictEqual(answer.provider, "anthropic")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "ContentBlocked"]])
      }),
    () => behind({ openai: always(guardrail("response")) })
  )
})

describe("54. all fail", () => {
  bothWays(
    "54. one error with one record per leg in order, and the last cause",
    (ask) =>
      Effect.gen(function* () {
        const error = yield* errorOf(ask(ChatModel.firstSuccessOf([openai, anthropic, google])))
        assert.strictEqual(error._tag, "AllProvidersFailed")
        if (error._tag !== "AllProvidersFailed") return
        assert.deepStrictEqual(legs(error.attempts), [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "Unauthorized"],
          [2, "google-ai-studio", "TransportFailure"]
        ])
        assert.strictEqual(Errors.lastCause(error)._tag, "TransportFailure")
        assert.include(error.message, "openai gpt-4.1-mini")
        assert.include(error.message, "anthropic claude-haiku-4-5")
        assert.isFalse(Errors.isRetryable(error))
      }),
    () =>
      behind({
        openai: always(status(400)),
        anthropic: always(status(401)),
        "google-ai-studio": always(disconnect)
      })
  )

  it.effect("54. an attempt has leg, provider, model, transport, status, log id and duration", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(errorOf(ChatModel.firstSuccessOf([openai, anthropic]).chat("hello")))
      yield* settle
      yield* TestClock.adjust("2 seconds")
      yield* settle
      yield* TestClock.adjust("3 seconds")
      yield* settle
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "AllProvidersFailed")
      if (error._tag !== "AllProvidersFailed") return
      const logs = (yield* LocalGateway.Gateway).logs()
      assert.deepStrictEqual(
        error.attempts.map(({ error, ...attempt }) => ({
          ...attempt,
          duration: Duration.toMillis(attempt.duration),
          status: error.status,
          logId: error.logId
        })),
        [
          {
            leg: 0,
            provider: "openai",
            model: "gpt-4.1-mini",
            transport: "https",
            duration: 2000,
            status: 422,
            logId: logs[0]?.id
          },
          {
            leg: 1,
            provider: "anthropic",
            model: "claude-haiku-4-5",
            transport: "https",
            duration: 3000,
            status: 500,
            logId: logs[1]?.id
          }
        ]
      )
      assert.isString(logs[0]?.id)
    }).pipe(
      Effect.provide(
        behind({
          openai: always(delayed(status(422), "2 seconds")),
          anthropic: always(delayed(status(500), "3 seconds"))
        })
      )
    )
  )

  it.effect("the duration of an attempt includes its retries and their waits", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini").pipe(
          ChatModel.retry(Schedule.spaced("5 seconds").pipe(Schedule.intersect(Schedule.recurs(2))))
        ),
        anthropic
      ])
      const answer = yield* drive(list.chat("hello"))
      const [attempt] = answer.attempts
      assert.strictEqual(attempt && Duration.toMillis(attempt.duration), 10_000)
    }).pipe(Effect.provide(behind({ openai: always(status(503)) })))
  )

  const strange: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a string", "socket hang up", "socket hang up"],
    [
      "a DOMException",
      new DOMException("The operation was aborted.", "AbortError"),
      "The operation was aborted."
    ],
    ["an object without a message", {}, "object"],
    ["undefined", undefined, "No response from the gateway"],
    [
      "an error with a code",
      Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" }),
      "ECONNREFUSED"
    ]
  ]
  for (const [what, thrown, expected] of strange) {
    it.effect(`55. fetch throws ${what}: still a typed record with a readable message`, () =>
      Effect.gen(function* () {
        const error = yield* errorOf(ChatModel.firstSuccessOf([openai, anthropic]).chat("hello"))
        assert.strictEqual(error._tag, "AllProvidersFailed")
        if (error._tag !== "AllProvidersFailed") return
        assert.deepStrictEqual(legs(error.attempts), [
          [0, "openai", "TransportFailure"],
          [1, "anthropic", "TransportFailure"]
        ])
        const message = error.attempts[0]?.error.message ?? ""
        assert.include(message, expected)
        assert.notInclude(message, "[object")
      }).pipe(
        Effect.provide(
          Layer.mergeAll(
            providers,
            AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
              Layer.provide(FetchHttpClient.layer),
              Layer.provide(Layer.succeed(FetchHttpClient.Fetch, () => Promise.reject(thrown)))
            )
          )
        )
      )
    )
  }

  it.effect("a list of one is still a list: AllProvidersFailed with one attempt", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(ChatModel.firstSuccessOf([openai]).chat("hello"))
      assert.strictEqual(error._tag, "AllProvidersFailed")
      if (error._tag === "AllProvidersFailed") assert.deepStrictEqual(tags(error.attempts), ["BadRequest"])
    }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
  )

  it.effect("each leg that is left is a warning in the log; the last one is in the error instead", () => {
    const logged: Array<readonly [string, string]> = []
    const logger = Logger.make(({ logLevel, message }) => {
      logged.push([logLevel.label, String(message)])
    })
    return Effect.gen(function* () {
      yield* Effect.ignore(ChatModel.firstSuccessOf([openai, anthropic, google]).chat("hello"))
      assert.deepStrictEqual(
        logged.map(([level]) => level),
        ["WARN", "WARN"]
      )
      assert.include(logged[0]?.[1], "openai gpt-4.1-mini")
      assert.include(logged[1]?.[1], "anthropic claude-haiku-4-5")
    }).pipe(
      Effect.provide(
        Layer.merge(
          behind({
            openai: always(status(400)),
            anthropic: always(status(400)),
            "google-ai-studio": always(status(400))
          }),
          Logger.add(logger)
        )
      )
    )
  })

  it.effect("a call whose first leg answers logs nothing", () => {
    const logged: Array<unknown> = []
    return ChatModel.firstSuccessOf([openai, anthropic])
      .chat("hello")
      .pipe(
        Effect.map(() => assert.deepStrictEqual(logged, [])),
        Effect.provide(
          Layer.merge(behind({}), Logger.add(Logger.make(({ message }) => logged.push(message))))
        )
      )
  })
})

describe("a list has no memory", () => {
  it.effect("59. 1000 calls after one failure of the first leg: each starts at the first leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      assert.strictEqual((yield* list.chat("hello")).provider, "anthropic")
      for (let call = 0; call < 1000; call++) {
        const answer = yield* list.chat("hello")
        if (answer.provider !== "openai" || answer.attempts.length !== 0) assert.fail(`call ${call} did not`)
      }
    }).pipe(Effect.provide(behind({ openai: script([status(400)]) })))
  )

  it.effect("60. after a total outage the next call goes through the list again", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      assert.strictEqual((yield* errorOf(list.chat("hello")))._tag, "AllProvidersFailed")
      const answer = yield* list.chat("hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "BadRequest"]])
    }).pipe(Effect.provide(behind({ openai: always(status(400)), anthropic: script([status(400)]) })))
  )

  it.effect("60. a gateway that was not found in one call is asked again in the next", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      assert.strictEqual((yield* errorOf(list.chat("hello")))._tag, "ContentBlocked")
      assert.strictEqual((yield* list.chat("hello")).provider, "openai")
    }).pipe(Effect.provide(behind({ openai: script([guardrail("prompt")]) })))
  )

  for (const way of ["chat", "stream"] as const) {
    it.effect(`61. 50 concurrent calls (${way}): each answer is of its prompt, one request each`, () =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([openai, anthropic])
        const prompts = Array.from({ length: 50 }, (_, index) => `prompt number ${index} of fifty`)
        const answers = yield* Effect.forEach(
          prompts,
          (prompt) => (way === "chat" ? list.chat(prompt) : ChatModel.collect(list.streamChat(prompt))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          answers.map((answer) => answer.text),
          prompts.map((prompt) => `You said: ${prompt}`)
        )
        assert.strictEqual((yield* asked).length, 50)
      }).pipe(Effect.provide(behind({})))
    )

    it.effect(`61. and with the first leg down (${way}): each has its own attempts`, () =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([openai, anthropic])
        const prompts = Array.from({ length: 50 }, (_, index) => `prompt number ${index} of fifty`)
        const answers = yield* Effect.forEach(
          prompts,
          (prompt) => (way === "chat" ? list.chat(prompt) : ChatModel.collect(list.streamChat(prompt))),
          { concurrency: "unbounded" }
        )
        for (const [index, answer] of answers.entries()) {
          assert.strictEqual(answer.text, `You said: ${prompts[index]}`)
          assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "BadRequest"]])
        }
        assert.strictEqual((yield* asked).length, 100)
      }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
    )
  }

  it.effect("62. three concurrent calls with the first leg down: all succeed on the second", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      const answers = yield* Effect.all([list.chat("a"), list.chat("b"), list.chat("c")], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        answers.map(({ provider }) => provider),
        ["anthropic", "anthropic", "anthropic"]
      )
    }).pipe(Effect.provide(behind({ openai: always(disconnect) })))
  )

  it.effect("models are values: making, listing and combining them sends nothing and reads no key", () =>
    Effect.gen(function* () {
      let reads = 0
      const key = Effect.sync(() => Redacted.make(`key-${++reads}`))
      const keyed = OpenAi.model("gpt-4.1-mini").pipe(
        ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: key }))
      )
      const list = ChatModel.firstSuccessOf([keyed, anthropic]).pipe(
        ChatModel.retry(Schedule.recurs(1)),
        ChatModel.withTimeouts({ total: "1 minute" }),
        ChatModel.withDefaults({ temperature: 0.1 })
      )
      const call = list.chat("hello")
      const stream = list.streamChat("hello")
      assert.strictEqual(reads, 0)
      assert.deepStrictEqual(yield* asked, [])
      yield* call
      yield* call
      yield* Stream.runDrain(stream)
      assert.strictEqual(reads, 3)
      assert.strictEqual((yield* asked).length, 3)
    }).pipe(Effect.provide(behind({})))
  )
})

describe("64. interruption", () => {
  for (const way of ["chat", "stream"] as const) {
    it.effect(`64. an interruption during the first leg never starts the second (${way})`, () =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([openai, anthropic])
        const fiber = yield* Effect.fork(
          way === "chat" ? Effect.asVoid(list.chat("hello")) : Stream.runDrain(list.streamChat("hello"))
        )
        yield* settle
        const exit = yield* Fiber.interrupt(fiber)
        yield* settle
        assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
        const gateway = yield* LocalGateway.Gateway
        assert.deepStrictEqual(
          gateway.requests().map(({ provider, aborted }) => [provider, aborted]),
          [["openai", true]]
        )
        assert.strictEqual(gateway.inFlight(), 0)
      }).pipe(Effect.provide(behind({ openai: always(hang) })))
    )
  }

  it.effect("64. an interruption while waiting to retry never starts the second leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), anthropic])
      const fiber = yield* Effect.fork(list.chat("hello"))
      yield* settle
      const exit = yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.isTrue(Exit.isInterrupted(exit))
      assert.deepStrictEqual(yield* asked, ["openai"])
    }).pipe(Effect.provide(behind({ openai: always(status(503)) })))
  )

  it.effect("64. a model of one's own that interrupts itself ends the call too", () =>
    Effect.gen(function* () {
      const mine = ChatModel.make({
        metadata: { provider: "mine", model: "m", supports: [] },
        chat: () => Effect.interrupt,
        streamChat: () => Stream.fromEffect(Effect.interrupt)
      })
      const list = ChatModel.firstSuccessOf([mine, openai])
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(list.chat("hello"))))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(Stream.runDrain(list.streamChat("hello")))))
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("a defect in a model is no failure of a provider: it is not hidden by the next leg", () =>
    Effect.gen(function* () {
      const mine = ChatModel.make({
        metadata: { provider: "mine", model: "m", supports: [] },
        chat: () => Effect.dieMessage("a bug"),
        streamChat: () => Stream.dieMessage("a bug")
      })
      const exit = yield* Effect.exit(ChatModel.firstSuccessOf([mine, openai]).chat("hello"))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(behind({})))
  )
})

describe("67. accept", () => {
  const filtered = text("half a", { finishReason: "content_filter" })
  const accept = (response: ChatResponse.ChatResponse) => response.finishReason !== "content-filter"

  it.effect("67. an answer that is refused moves on; both attempts are listed", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.firstSuccessOf([openai, anthropic], { accept }).chat("hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "ContentBlocked"]])
      const [attempt] = answer.attempts
      assert.strictEqual(attempt?.error.logId, (yield* LocalGateway.Gateway).logs()[0]?.id)
    }).pipe(Effect.provide(behind({ openai: always(filtered) })))
  )

  it.effect("67. every answer is refused: AllProvidersFailed", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(
        ChatModel.firstSuccessOf([openai, anthropic], { accept: () => false }).chat("hello")
      )
      assert.strictEqual(error._tag, "AllProvidersFailed")
      if (error._tag === "AllProvidersFailed")
        assert.deepStrictEqual(tags(error.attempts), ["ContentBlocked", "MalformedResponse"])
    }).pipe(Effect.provide(behind({ openai: always(filtered) })))
  )

  it.effect("67. an answer by its content, such as JSON that does not parse", () =>
    Effect.gen(function* () {
      const isJson = (response: ChatResponse.ChatResponse) => response.text.startsWith("{")
      const answer = yield* ChatModel.firstSuccessOf([openai, anthropic], { accept: isJson }).chat("hello")
      assert.strictEqual(answer.text, "{}")
      assert.deepStrictEqual(tags(answer.attempts), ["MalformedResponse"])
    }).pipe(Effect.provide(behind({ openai: always(text("Sure! {")), anthropic: always(text("{}")) })))
  )

  it.effect("67. a stream is refused only if it ends before its first content", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic], { accept })
      const empty = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(empty.provider, "anthropic")
      assert.deepStrictEqual(legs(empty.attempts), [[0, "openai", "ContentBlocked"]])
      const begun = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(begun.provider, "openai")
      assert.strictEqual(begun.finishReason, "content-filter")
    }).pipe(
      Effect.provide(
        behind({ openai: script([text("", { finishReason: "content_filter", chunks: [] }), filtered]) })
      )
    )
  )

  it.effect("without accept an empty answer is an answer", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic])
      const answer = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(answer.provider, "openai")
      assert.strictEqual(answer.text, "")
      assert.strictEqual((yield* list.chat("hello")).provider, "openai")
    }).pipe(Effect.provide(behind({ openai: always(text("", { chunks: [] })) })))
  )
})

describe("lists in lists", () => {
  const failing = behind({
    openai: always(status(400)),
    anthropic: always(status(401)),
    "google-ai-studio": always(status(404))
  })

  bothWays(
    "the attempts of nested lists are flattened and numbered through",
    (ask) =>
      Effect.gen(function* () {
        const inner = ChatModel.firstSuccessOf([anthropic, google])
        const list = ChatModel.firstSuccessOf([openai, inner, workersAi])
        const answer = yield* ask(list)
        assert.strictEqual(answer.provider, "workers-ai")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "Unauthorized"],
          [2, "google-ai-studio", "ModelNotFound"]
        ])
      }),
    () => failing
  )

  bothWays(
    "a nested list that answers at its second leg: its attempts are numbered in the outer list",
    (ask) =>
      Effect.gen(function* () {
        const inner = ChatModel.firstSuccessOf([anthropic, workersAi])
        const answer = yield* ask(ChatModel.firstSuccessOf([openai, inner]))
        assert.strictEqual(answer.provider, "workers-ai")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "Unauthorized"]
        ])
      }),
    () => failing
  )

  bothWays(
    "three levels, all failing: one error, numbered through",
    (ask) =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([
          ChatModel.firstSuccessOf([openai, ChatModel.firstSuccessOf([anthropic, google])]),
          ChatModel.firstSuccessOf([google, openai])
        ])
        const error = yield* errorOf(ask(list))
        assert.strictEqual(error._tag, "AllProvidersFailed")
        if (error._tag !== "AllProvidersFailed") return
        assert.deepStrictEqual(legs(error.attempts), [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "Unauthorized"],
          [2, "google-ai-studio", "ModelNotFound"],
          [3, "google-ai-studio", "ModelNotFound"],
          [4, "openai", "BadRequest"]
        ])
      }),
    () => failing
  )

  bothWays(
    "a nested list that its own rule ended: the outer list moves on, and no attempt is lost",
    (ask) =>
      Effect.gen(function* () {
        const inner = ChatModel.firstSuccessOf([openai, anthropic, google], {
          while: (error) => error._tag !== "Unauthorized"
        })
        const answer = yield* ask(ChatModel.firstSuccessOf([inner, workersAi]))
        assert.strictEqual(answer.provider, "workers-ai")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "Unauthorized"]
        ])
      }),
    () => failing
  )

  bothWays(
    "an outer accept rule refuses a nested list's answer: no attempt is lost",
    (ask) =>
      Effect.gen(function* () {
        const inner = ChatModel.firstSuccessOf([anthropic, workersAi])
        const list = ChatModel.firstSuccessOf([inner, openai], {
          accept: (response) => response.provider !== "workers-ai"
        })
        const answer = yield* ask(list)
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(legs(answer.attempts), [
          [0, "anthropic", "Unauthorized"],
          [1, "workers-ai", "MalformedResponse"]
        ])
      }),
    // One JSON body is judged whole, whoever asked for a stream.
    () =>
      behind({
        anthropic: always(status(401)),
        "workers-ai": always(LocalGateway.unstreamed(text("no"))),
        openai: always(text("yes"))
      })
  )

  it.effect("the gateway is not found inside a nested list: the outer list ends too", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([ChatModel.firstSuccessOf([openai, anthropic]), google])
      assert.strictEqual((yield* errorOf(list.chat("hello")))._tag, "GatewayNotFound")
      assert.deepStrictEqual(yield* asked, ["openai"])
    }).pipe(Effect.provide(behind({}, { gateways: [] })))
  )

  it.effect("metadata of a list is the first leg's, with all legs, nested ones flattened", () =>
    Effect.sync(() => {
      const inner = ChatModel.firstSuccessOf([anthropic, google])
      const list = ChatModel.firstSuccessOf([openai, inner, workersAi])
      assert.strictEqual(list.metadata.provider, "openai")
      assert.strictEqual(list.metadata.model, "gpt-4.1-mini")
      assert.strictEqual(list.metadata.contextWindow, openai.metadata.contextWindow)
      assert.deepStrictEqual(
        list.metadata.legs?.map(({ provider }) => provider),
        ["openai", "anthropic", "google-ai-studio", "workers-ai"]
      )
      assert.isUndefined(openai.metadata.legs)
    })
  )
})

describe("legs behind different gateways", () => {
  /** A second gateway, and the service that leads to it. */
  const second = (options: LocalGateway.Options = {}) => {
    const gateway = LocalGateway.make(options)
    return Effect.map(
      AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token")
      }).pipe(Effect.provide(LocalGateway.layerFrom(gateway))),
      (service) => ({ gateway, service })
    )
  }

  bothWays(
    "53. the first gateway does not exist: its other legs are skipped, the other gateway's leg is tried",
    (ask) =>
      Effect.gen(function* () {
        const { gateway, service } = yield* second()
        const list = ChatModel.firstSuccessOf([
          openai,
          anthropic,
          ChatModel.provideService(google, AiGateway.AiGateway, service),
          workersAi
        ])
        const answer = yield* ask(list)
        assert.strictEqual(answer.provider, "google-ai-studio")
        assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "GatewayNotFound"]])
        assert.deepStrictEqual(yield* asked, ["openai"])
        assert.strictEqual(gateway.requests().length, 1)
      }),
    () => behind({}, { gateways: [] })
  )

  bothWays(
    "the other gateway's leg fails as well: one record for each leg that was asked, in list order",
    (ask) =>
      Effect.gen(function* () {
        const { service } = yield* second({ upstreams: { "google-ai-studio": always(status(400)) } })
        const list = ChatModel.firstSuccessOf([
          openai,
          anthropic,
          ChatModel.provideService(google, AiGateway.AiGateway, service)
        ])
        const error = yield* errorOf(ask(list))
        assert.strictEqual(error._tag, "AllProvidersFailed")
        if (error._tag !== "AllProvidersFailed") return
        assert.deepStrictEqual(legs(error.attempts), [
          [0, "openai", "GatewayNotFound"],
          [2, "google-ai-studio", "BadRequest"]
        ])
      }),
    () => behind({}, { gateways: [] })
  )

  bothWays(
    "the other gateway's leg fails first, then this one is not found: neither is lost",
    (ask) =>
      Effect.gen(function* () {
        const { service } = yield* second({ upstreams: { "google-ai-studio": always(status(400)) } })
        const list = ChatModel.firstSuccessOf([
          ChatModel.provideService(google, AiGateway.AiGateway, service),
          openai,
          anthropic
        ])
        const error = yield* errorOf(ask(list))
        assert.strictEqual(error._tag, "AllProvidersFailed")
        if (error._tag !== "AllProvidersFailed") return
        assert.deepStrictEqual(legs(error.attempts), [
          [0, "google-ai-studio", "BadRequest"],
          [1, "openai", "GatewayNotFound"]
        ])
      }),
    () => behind({}, { gateways: [] })
  )

  it.effect("neither gateway exists: GatewayNotFound", () =>
    Effect.gen(function* () {
      const { service } = yield* second({ gateways: [] })
      const list = ChatModel.firstSuccessOf([
        openai,
        ChatModel.provideService(google, AiGateway.AiGateway, service)
      ])
      assert.strictEqual((yield* errorOf(list.chat("hello")))._tag, "GatewayNotFound")
    }).pipe(Effect.provide(behind({}, { gateways: [] })))
  )

  it.effect("in a nested list: the outer list moves on to the other gateway, and no attempt is lost", () =>
    Effect.gen(function* () {
      const { service } = yield* second()
      const inner = ChatModel.firstSuccessOf([openai, anthropic])
      const list = ChatModel.firstSuccessOf([
        inner,
        workersAi,
        ChatModel.provideService(google, AiGateway.AiGateway, service)
      ])
      const answer = yield* list.chat("hello")
      assert.strictEqual(answer.provider, "google-ai-studio")
      assert.deepStrictEqual(legs(answer.attempts), [
        [0, "openai", "BadRequest"],
        [1, "anthropic", "ContentBlocked"]
      ])
      assert.deepStrictEqual(yield* asked, ["openai", "anthropic"])
    }).pipe(Effect.provide(behind({ openai: always(status(400)), anthropic: always(guardrail("prompt")) })))
  )
})

describe("any model may stand in a list", () => {
  it.effect("a model wrapped by hand: its own chat is called, everything else still works", () =>
    Effect.gen(function* () {
      let calls = 0
      const counted: typeof openai = {
        ...openai,
        chat: (input) =>
          Effect.zipRight(
            Effect.sync(() => calls++),
            openai.chat(input)
          )
      }
      const list = ChatModel.firstSuccessOf([counted, anthropic])
      const answer = yield* list.chat("hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.deepStrictEqual(legs(answer.attempts), [[0, "openai", "BadRequest"]])
      assert.strictEqual(calls, 1)
      yield* Stream.runDrain(list.streamChat("hello"))
      assert.strictEqual(calls, 1)
    }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
  )

  it.effect("a model whose stream is wrapped by hand: fallback before content goes through the wrapper", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted: typeof openai = {
        ...openai,
        streamChat: (input) => Stream.tap(openai.streamChat(input), () => Effect.sync(() => runs++))
      }
      const list = ChatModel.firstSuccessOf([counted, anthropic])
      const first = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(first.provider, "anthropic")
      const next = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(next.provider, "openai")
      assert.strictEqual(next.text, "You said: hello")
      assert.isAbove(runs, 2)
    }).pipe(Effect.provide(behind({ openai: script([status(400)]) })))
  )

  it.effect("complete and streamComplete of a model wrapped by hand use the wrapped methods", () =>
    Effect.gen(function* () {
      const shouting: typeof openai = {
        ...openai,
        chat: (input) =>
          Effect.map(openai.chat(input), (answer) => ({ ...answer, text: answer.text.toUpperCase() })),
        streamChat: (input) =>
          Stream.map(openai.streamChat(input), (event) =>
            event._tag === "TextDelta" ? { ...event, text: event.text.toUpperCase() } : event
          )
      }
      assert.strictEqual((yield* shouting.complete("hello")).text, "YOU SAID: HELLO")
      assert.strictEqual(
        (yield* Stream.runCollect(shouting.streamComplete("hello"))).pipe(Chunk.join("")),
        "YOU SAID: HELLO"
      )
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("a model wrapped by hand can still be piped", () =>
    Effect.gen(function* () {
      const wrapped: typeof openai = { ...openai, chat: (input) => openai.chat(input) }
      const piped = wrapped.pipe(ChatModel.withDefaults({ temperature: 0.5 }))
      yield* piped.chat("hello")
      assert.deepInclude((yield* LocalGateway.Gateway).requests()[0]?.body, { temperature: 0.5 })
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("complete can be taken off the model", () =>
    Effect.gen(function* () {
      const { complete, streamComplete } = openai
      assert.strictEqual((yield* complete("hello")).text, "You said: hello")
      assert.strictEqual(
        (yield* Stream.runCollect(streamComplete("hello"))).pipe(Chunk.join("")),
        "You said: hello"
      )
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("a model of one's own, made with ChatModel.make, before and after a leg", () =>
    Effect.gen(function* () {
      const failure = new Errors.ProviderFailure({ message: "down for lunch" })
      const mine = ChatModel.make({
        metadata: { provider: "mine", model: "m-1", supports: [] },
        chat: () => Effect.fail(failure),
        streamChat: () => Stream.fail(failure)
      })
      const before = ChatModel.firstSuccessOf([mine, openai])
      const answer = yield* before.chat("hello")
      assert.strictEqual(answer.provider, "openai")
      const [attempt] = answer.attempts
      assert.strictEqual(attempt?.error.message, "down for lunch")
      assert.strictEqual(attempt?.provider, "mine")
      assert.strictEqual(attempt?.model, "m-1")
      assert.isUndefined(attempt?.transport)
      assert.strictEqual(
        (yield* ChatModel.collect(before.streamChat("hello"))).attempts[0]?.error._tag,
        "ProviderFailure"
      )
      const error = yield* errorOf(ChatModel.firstSuccessOf([mine, mine]).chat("hello"))
      assert.strictEqual(error._tag, "AllProvidersFailed")
    }).pipe(Effect.provide(behind({})))
  )

  it.effect("75. an error that is typed already passes through identically", () =>
    Effect.gen(function* () {
      const failure = new Errors.RateLimited({ message: "slow down", source: "provider" })
      const error = yield* errorOf(TestModel.make([failure]).chat("hello"))
      assert.strictEqual(error, failure)
      const all = yield* errorOf(ChatModel.firstSuccessOf([TestModel.make([failure])]).chat("hello"))
      // In a span Effect hands errors on in a wrapping of its own.
      const last = Errors.lastCause(all)
      assert.instanceOf(last, Errors.RateLimited)
      assert.deepStrictEqual({ ...last }, { ...failure })
    })
  )

  it.effect("scripted models in a list, whole and streamed", () =>
    Effect.gen(function* () {
      const down = new Errors.ProviderFailure({ message: "down", source: "provider" })
      const list = ChatModel.firstSuccessOf([TestModel.make([down, down]), TestModel.make(["one", "two"])])
      assert.strictEqual((yield* list.chat("hello")).text, "one")
      const streamed = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(streamed.text, "two")
      assert.deepStrictEqual(tags(streamed.attempts), ["ProviderFailure"])
    })
  )

  it.effect("a scripted stream that breaks before its first content moves on, as a real one does", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([TestModel.make([TestModel.broken([])]), TestModel.make(["two"])])
      const streamed = yield* ChatModel.collect(list.streamChat("hello"))
      assert.strictEqual(streamed.text, "two")
      assert.deepStrictEqual(tags(streamed.attempts), ["TransportFailure"])
    })
  )

  it.effect("a scripted stream that breaks after content ends the call with StreamBroken", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        TestModel.make([TestModel.broken(["Hel"])]),
        TestModel.make(["two"])
      ])
      const error = yield* errorOf(ChatModel.collect(list.streamChat("hello")))
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag === "StreamBroken") assert.strictEqual(error.delivered.text, "Hel")
    })
  )

  it.effect("fromIterable: a list that is made at run time", () =>
    Effect.gen(function* () {
      const names = ["gpt-4.1-mini", "gpt-4.1"]
      const list = yield* ChatModel.fromIterable(names.map((name) => OpenAi.model(name).pipe(once)))
      const answer = yield* list.chat("hello")
      assert.strictEqual(answer.model, "gpt-4.1")
      assert.deepStrictEqual(tags(answer.attempts), ["BadRequest"])
    }).pipe(Effect.provide(behind({ openai: script([status(400)]) })))
  )
})

describe("what an application does with models", () => {
  it.effect("ChatModel.layer: the application asks its model by its Tag", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.chat("hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual((yield* ChatModel.complete("hi", { maxTokens: 9 })).text, "You said: hi")
      assert.strictEqual((yield* ChatModel.collect(ChatModel.streamChat("ho"))).text, "You said: ho")
      const pieces = yield* Stream.runCollect(ChatModel.streamComplete("hm"))
      assert.strictEqual(Chunk.join(pieces, ""), "You said: hm")
      assert.strictEqual((yield* ChatModel.metadata).legs?.length, 2)
    }).pipe(
      Effect.provide(
        ChatModel.layer(ChatModel.firstSuccessOf([openai, anthropic])).pipe(
          Layer.provideMerge(behind({ openai: always(status(400)) }))
        )
      )
    )
  )

  it.effect(
    "42. the region and the span in which the model's layer was built have no say in later calls",
    () =>
      Effect.gen(function* () {
        const model = yield* Layer.build(ChatModel.layer(openai)).pipe(
          AiGateway.withOptions({ eventId: "build", metadata: { build: 1 } }),
          Effect.withSpan("build")
        )
        const parents: Array<string | undefined> = []
        const tracer = yield* Effect.tracer
        const recording = Tracer.make({
          span: (name, parent, ...rest) => {
            parents.push(Option.getOrUndefined(Option.map(parent, ({ spanId }) => spanId)))
            return tracer.span(name, parent, ...rest)
          },
          context: tracer.context
        })
        yield* ChatModel.chat("hello").pipe(Effect.provide(model), Effect.withTracer(recording))
        const [request] = (yield* LocalGateway.Gateway).requests()
        assert.notProperty(request?.headers, "cf-aig-event-id")
        assert.notProperty(request?.headers, "cf-aig-metadata")
        assert.isUndefined(parents[0])
        yield* ChatModel.chat("hello").pipe(Effect.provide(model), AiGateway.withOptions({ eventId: "call" }))
        assert.strictEqual((yield* LocalGateway.Gateway).requests()[1]?.headers["cf-aig-event-id"], "call")
      }).pipe(Effect.scoped, Effect.provide(behind({})))
  )

  it.effect("one provider serves two models in one list", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini").pipe(once), OpenAi.model("gpt-4.1")])
      const answer = yield* list.chat("hello")
      assert.strictEqual(answer.model, "gpt-4.1")
      const models = (yield* LocalGateway.Gateway)
        .requests()
        .map(({ body }) => (body as { readonly model: string }).model)
      assert.deepStrictEqual(models, ["gpt-5-mini", "gpt-4.1"])
    }).pipe(Effect.provide(behind({ openai: script([status(404)]) })))
  )

  it.effect("two accounts of one provider in one list: each leg has its own key", () =>
    Effect.gen(function* () {
      const account = (key: string) =>
        OpenAi.model("gpt-4.1-mini").pipe(
          once,
          ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make(key) }))
        )
      yield* ChatModel.firstSuccessOf([account("key-of-a"), account("key-of-b")]).chat("hello")
      const keys = (yield* LocalGateway.Gateway).requests().map(({ headers }) => headers.authorization)
      assert.deepStrictEqual(keys, ["Bearer key-of-a", "Bearer key-of-b"])
    }).pipe(Effect.provide(behind({ openai: script([status(400)]) })))
  )

  it.effect("withDefaults on a list fills in for every leg, and the request wins", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic]).pipe(
        ChatModel.withDefaults({ temperature: 0.2, maxTokens: 7 })
      )
      yield* list.chat({ prompt: "hello", maxTokens: 9 })
      const [first, second] = (yield* LocalGateway.Gateway).requests()
      assert.deepInclude(first?.body, { temperature: 0.2, max_completion_tokens: 9 })
      assert.deepInclude(second?.body, { temperature: 0.2, max_tokens: 9 })
    }).pipe(Effect.provide(behind({ openai: always(status(400)) })))
  )

  it.effect("retry on a list replaces the schedule of every leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5").pipe(ChatModel.retry(Schedule.recurs(5)))
      ]).pipe(ChatModel.retry(Schedule.recurs(1)))
      yield* errorOf(list.chat("hello"))
      assert.deepStrictEqual(yield* asked, ["openai", "openai", "anthropic", "anthropic"])
    }).pipe(Effect.provide(behind({ openai: always(status(503)), anthropic: always(status(503)) })))
  )

  it.effect("the gateway's own retries option turns the client's off, on every leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5")
      ])
      yield* drive(errorOf(list.chat({ prompt: "hello", options: { retries: { maxAttempts: 2 } } })))
      assert.deepStrictEqual(yield* asked, ["openai", "anthropic"])
    }).pipe(Effect.provide(behind({ openai: always(status(503)), anthropic: always(status(503)) })))
  )

  it.effect("a failure may be delayed: the list waits for it, not for less", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(ChatModel.firstSuccessOf([openai, anthropic]).chat("hello"))
      yield* settle
      yield* TestClock.adjust("59 seconds")
      yield* settle
      assert.deepStrictEqual(yield* asked, ["openai"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).provider, "anthropic")
    }).pipe(Effect.provide(behind({ openai: always(delayed(status(400), "1 minute")) })))
  )

  it.effect("a service that is provided to a model wins over the application's", () =>
    Effect.gen(function* () {
      const own = OpenAi.model("gpt-4.1-mini").pipe(
        ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("key-of-model") }))
      )
      yield* own
        .chat("hello")
        .pipe(
          Effect.provide(Context.make(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("key-of-app") })))
        )
      const [request] = (yield* LocalGateway.Gateway).requests()
      assert.strictEqual(request?.headers.authorization, "Bearer key-of-model")
    }).pipe(Effect.provide(behind({})))
  )
})
