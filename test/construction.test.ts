import { assert, describe, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Effect, Exit, Layer, Option, Redacted, Stream } from "effect"
import {
  AiGateway,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  type RequestOptions,
  WorkersAi
} from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"

/** What JavaScript, or a cast, may pass. */
const untyped = <T>(value: unknown): T => value as T

const account = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}

/** What building a layer fails with. */
const failureOf = <A, E>(layer: Layer.Layer<A, E>): Effect.Effect<E> =>
  Effect.scoped(Layer.build(layer)).pipe(
    Effect.flip,
    Effect.orDieWith(() => "the layer was built")
  )

const build = (options: unknown) =>
  AiGateway.layer(untyped(options)).pipe(Layer.provide(LocalGateway.layer()))

const buildConfig = (
  options: AiGateway.ConfigOptions,
  environment: Readonly<Record<string, string>>
): Layer.Layer<AiGateway.AiGateway, unknown> =>
  AiGateway.layerConfig(options).pipe(
    Layer.provide(LocalGateway.layer()),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
  )

const invalid = (error: unknown): Errors.InvalidRequest =>
  error instanceof Errors.InvalidRequest ? error : assert.fail(`not an InvalidRequest: ${String(error)}`)

/** The layer is refused, and the error names the setting. */
const refused = (options: unknown, field: string) =>
  Effect.gen(function* () {
    const error = invalid(yield* failureOf(build(options)))
    assert.strictEqual(error.field, field)
    assert.include(error.message, field.replace("headers.", ""))
    return error
  })

describe("a list of models", () => {
  it("1. an empty list is refused where it is written, with a typed error that names it", () => {
    const empty = untyped<readonly [ChatModel.With<never>]>([])
    try {
      ChatModel.firstSuccessOf(empty)
      assert.fail("accepted")
    } catch (error) {
      assert.strictEqual(invalid(error).field, "models")
      assert.include(invalid(error).message, "empty")
    }
  })

  it.effect("1. a list made at run time that is empty: a typed failure, before any use", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ChatModel.fromIterable([]))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual(error.field, "models")
    })
  )

  it.effect("1. any iterable will do, and it is read when the effect is run", () =>
    Effect.gen(function* () {
      const models = new Set([OpenAi.model("gpt-4.1-mini"), OpenAi.model("gpt-4.1")])
      const list = yield* ChatModel.fromIterable(models)
      assert.strictEqual(list.metadata.legs?.length, 2)
    })
  )

  it.effect("a model without a name is refused at the call, before anything is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(OpenAi.model("").chat("hello"))
      assert.strictEqual(error._tag, "InvalidRequest")
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "model")
      assert.deepStrictEqual((yield* LocalGateway.Gateway).requests(), [])
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
  )
})

describe("the gateway's settings", () => {
  it.effect("2. without an account: the error names accountId", () =>
    refused({ gatewayId: "my-gateway" }, "accountId")
  )
  it.effect("2. without a gateway id: the error names gatewayId", () =>
    refused({ accountId: "abc" }, "gatewayId")
  )
  it.effect("2. with nothing at all", () => refused({}, "accountId"))
  it.effect("2. with an empty account, as an unset variable gives", () =>
    refused({ ...account, accountId: "" }, "accountId")
  )
  it.effect("an account with a slash in it", () => refused({ ...account, accountId: "abc/def" }, "accountId"))
  it.effect("an account that would lead elsewhere", () =>
    refused({ ...account, accountId: ".." }, "accountId")
  )
  it.effect("a gateway id with a space", () => refused({ ...account, gatewayId: "my gateway" }, "gatewayId"))
  it.effect("an account that is a whole URL", () =>
    refused({ ...account, accountId: "https://gateway.ai.cloudflare.com/v1/abc" }, "accountId")
  )
  for (const baseUrl of [
    "gateway.ai.cloudflare.com/v1",
    "",
    "ftp://gateway.ai.cloudflare.com",
    "https://",
    "https://host/v1?x=1",
    "https://host/v1#part"
  ]) {
    it.effect(`a base URL that is none: ${JSON.stringify(baseUrl)}`, () =>
      refused({ ...account, baseUrl }, "baseUrl")
    )
  }
  it.effect("a base URL with a password in it is refused, and not quoted", () =>
    Effect.gen(function* () {
      const error = yield* refused({ ...account, baseUrl: "https://me:hunter2secret@host/v1" }, "baseUrl")
      assert.notInclude(JSON.stringify(error), "hunter2secret")
    })
  )
  it.effect("a custom domain that is no URL", () =>
    refused({ customDomain: "ai.example.com" }, "customDomain")
  )

  it.effect("an empty token is refused: it would be no token, and a 401 later", () =>
    refused({ ...account, token: Redacted.make("") }, "token")
  )

  for (const [what, token] of [
    ["a line break", "cf-secret-value\n"],
    ["a carriage return", "cf-secret\r-value"],
    ["a character beyond ASCII", "cf-secret-välue"],
    ["a zero byte", "cf-secret\0-value"]
  ] as const) {
    it.effect(`a token with ${what} is refused, and never quoted`, () =>
      Effect.gen(function* () {
        const error = yield* refused({ ...account, token: Redacted.make(token) }, "token")
        assert.notInclude(JSON.stringify(error), "cf-secret")
        assert.notInclude(String(error), "cf-secret")
      })
    )
  }

  it.effect("an extra header with a line break is refused by its name, and never quoted", () =>
    Effect.gen(function* () {
      const error = yield* refused(
        { ...account, headers: { "cf-access-client-secret": Redacted.make("access-secret\nx: y") } },
        "headers.cf-access-client-secret"
      )
      assert.notInclude(JSON.stringify(error), "access-secret")
    })
  )

  it.effect("8. a wrong default option is refused when the gateway is made", () =>
    Effect.gen(function* () {
      yield* refused({ ...account, defaults: { cacheTtl: "10 seconds" } }, "cacheTtl")
      yield* refused({ ...account, defaults: { retries: { maxAttempts: 6 } } }, "retries.maxAttempts")
      yield* refused({ ...account, defaults: { metadata: { nested: { a: 1 } } } }, "metadata.nested")
    })
  )

  it.effect("the effect `make` fails with the same errors as the layer", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AiGateway.make(untyped({ gatewayId: "g" })))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual(error.field, "accountId")
    }).pipe(Effect.provide(LocalGateway.layer()))
  )

  const urlOf = (options: AiGateway.Options) =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({ token: null })
      const service = yield* AiGateway.make(options).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
      yield* Effect.either(service.send({ provider: "openai", endpoint: "models?limit=2", method: "GET" }))
      return gateway.requests()[0]?.url
    })

  it.effect("the URL of an account's gateway", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* urlOf({ accountId: "abc", gatewayId: "g_1-2" }),
        "https://gateway.ai.cloudflare.com/v1/abc/g_1-2/openai/models?limit=2"
      )
      assert.strictEqual(
        yield* urlOf({ accountId: "abc", gatewayId: "g", baseUrl: "http://127.0.0.1:8787/v1/" }),
        "http://127.0.0.1:8787/v1/abc/g/openai/models?limit=2"
      )
    })
  )

  it.effect("the URL behind a custom domain names neither account nor gateway", () =>
    Effect.gen(function* () {
      for (const customDomain of ["https://ai.example.com", "https://ai.example.com/"]) {
        assert.strictEqual(yield* urlOf({ customDomain }), "https://ai.example.com/openai/models?limit=2")
      }
    })
  )
})

describe("settings from the environment", () => {
  const configs = {
    accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
    gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID"),
    token: Config.redacted("CLOUDFLARE_API_TOKEN")
  }
  const complete = {
    CLOUDFLARE_ACCOUNT_ID: "local-account",
    CLOUDFLARE_GATEWAY_ID: "local-gateway",
    CLOUDFLARE_API_TOKEN: "local-token"
  }

  for (const missing of Object.keys(complete)) {
    it.effect(`4. ${missing} is not set: the layer fails with its name`, () =>
      Effect.gen(function* () {
        const { [missing as keyof typeof complete]: _, ...rest } = complete
        const error = yield* failureOf(buildConfig(configs, rest))
        assert.include(String(error), missing)
      })
    )
  }

  it.effect("4. a provider's key is not set: the layer fails with its name", () =>
    Effect.gen(function* () {
      for (const layer of [
        OpenAi.layerConfig({ apiKey: Config.redacted("VENDOR_KEY") }),
        Anthropic.layerConfig({ apiKey: Config.redacted("VENDOR_KEY") }),
        GoogleAiStudio.layerConfig({ apiKey: Config.redacted("VENDOR_KEY") }),
        WorkersAi.layerConfig({ apiKey: Config.redacted("VENDOR_KEY") })
      ] as ReadonlyArray<Layer.Layer<unknown, unknown>>) {
        const error = yield* failureOf(
          layer.pipe(Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))))
        )
        assert.include(String(error), "VENDOR_KEY")
      }
    })
  )

  it.effect("4. a variable that is set to nothing is refused by the setting's name", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(buildConfig(configs, { ...complete, CLOUDFLARE_GATEWAY_ID: "" }))
      assert.strictEqual(invalid(error).field, "gatewayId")
    })
  )

  it.effect("everything set: a gateway that works", () =>
    Effect.gen(function* () {
      const answer = yield* OpenAi.model("gpt-4.1-mini").chat("hello")
      assert.strictEqual(answer.text, "You said: hello")
    }).pipe(
      Effect.provide(
        Layer.merge(
          buildConfig(configs, complete),
          OpenAi.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") }).pipe(
            Layer.provide(
              Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["OPENAI_API_KEY", "sk-1"]])))
            )
          )
        )
      )
    )
  )

  const optional = {
    accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
    gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID").pipe(Config.withDefault("local-gateway")),
    baseUrl: Config.string("CLOUDFLARE_GATEWAY_URL").pipe(Config.withDefault(undefined)),
    token: Config.redacted("CLOUDFLARE_API_TOKEN").pipe(Config.withDefault(undefined))
  }

  it.effect("optional settings may be absent, and count as not given", () =>
    Effect.gen(function* () {
      const layer = buildConfig(optional, { CLOUDFLARE_ACCOUNT_ID: "abc" })
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(Effect.scoped(Layer.build(layer)))))
    })
  )

  it.effect("optional settings that are there are used, and checked", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(
        buildConfig(optional, { CLOUDFLARE_ACCOUNT_ID: "abc", CLOUDFLARE_GATEWAY_URL: "no url" })
      )
      assert.strictEqual(invalid(error).field, "baseUrl")
    })
  )

  it.effect("a setting that is `undefined` in the program is not read", () =>
    Effect.gen(function* () {
      const layer = buildConfig({ ...configs, token: undefined }, complete)
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(Effect.scoped(Layer.build(layer)))))
      const openai = OpenAi.layerConfig({ apiKey: undefined, organization: undefined })
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(Effect.scoped(Layer.build(openai)))))
    })
  )

  it.effect("a custom domain can be configured", () =>
    Effect.gen(function* () {
      const domain = { customDomain: Config.string("AI_DOMAIN") }
      assert.include(String(yield* failureOf(buildConfig(domain, {}))), "AI_DOMAIN")
      const error = yield* failureOf(buildConfig(domain, { AI_DOMAIN: "example" }))
      assert.strictEqual(invalid(error).field, "customDomain")
    })
  )
})

describe("a provider's key", () => {
  const layers = [
    ["OpenAi", OpenAi.layer],
    ["Anthropic", Anthropic.layer],
    ["GoogleAiStudio", GoogleAiStudio.layer],
    ["WorkersAi", WorkersAi.layer]
  ] as ReadonlyArray<
    readonly [string, (options: { apiKey: Redacted.Redacted }) => Layer.Layer<unknown, Errors.InvalidRequest>]
  >
  for (const [name, layer] of layers) {
    it.effect(`${name}.layer refuses an empty key`, () =>
      Effect.gen(function* () {
        const error = yield* failureOf(layer({ apiKey: Redacted.make("") }))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.strictEqual(error.field, "apiKey")
        assert.include(error.message, "empty")
      })
    )
    it.effect(`${name}.layer refuses a key with a line break, without quoting it`, () =>
      Effect.gen(function* () {
        for (const key of [
          "sk-secret-1\n",
          "sk-secret-1\r\n",
          " sk-secret-1",
          "sk-secret-1 ",
          "sk-secrét-1"
        ]) {
          const error = yield* failureOf(layer({ apiKey: Redacted.make(key) }))
          assert.strictEqual(error.field, "apiKey")
          assert.notInclude(`${error.message}${JSON.stringify(error)}${String(error)}`, "sk-secr")
        }
      })
    )
  }

  it.effect("a key that is given for one call is checked as well, and never quoted", () =>
    Effect.gen(function* () {
      for (const key of ["", "sk-secret-1\n"]) {
        const error = yield* OpenAi.model("gpt-4.1-mini")
          .chat("hello")
          .pipe(
            Effect.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make(key) })),
            Effect.flip
          )
        assert.strictEqual(invalid(error).field, "apiKey")
        assert.notInclude(`${error.message}${JSON.stringify(error)}`, "sk-secret")
      }
      assert.deepStrictEqual((yield* LocalGateway.Gateway).requests(), [])
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
  )

  it.effect("a vendor header that cannot be one is refused by its name, and never quoted", () =>
    Effect.gen(function* () {
      const error = yield* OpenAi.model("gpt-4.1-mini")
        .chat("hello")
        .pipe(
          Effect.provideService(OpenAi.OpenAi, OpenAi.make({ headers: { "x-team": "se\ncret" } })),
          Effect.flip
        )
      assert.strictEqual(invalid(error).field, "headers.x-team")
      assert.notInclude(error.message, "cret")
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
  )
})

describe("the options of a call", () => {
  const model = OpenAi.model("gpt-4.1-mini")
  const layer = Layer.merge(OpenAi.layer(), LocalGateway.layerTest())

  const refusals: ReadonlyArray<readonly [string, unknown, string]> = [
    ["8. a TTL below zero", { cacheTtl: "-5 seconds" }, "cacheTtl"],
    ["8. a TTL of 10 seconds", { cacheTtl: "10 seconds" }, "cacheTtl"],
    ["8. a TTL of 40 days", { cacheTtl: "40 days" }, "cacheTtl"],
    ["8. a TTL without a unit", { cacheTtl: 3600 }, "cacheTtl"],
    ["9. 6 attempts", { retries: { maxAttempts: 6 } }, "retries.maxAttempts"],
    ["9. a delay of 60 001 ms", { retries: { delay: "60001 millis" } }, "retries.delay"],
    ["9. an unknown back-off", { retries: { backoff: "nope" } }, "retries.backoff"],
    ["9. six entries of metadata", { metadata: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 } }, "metadata"],
    ["9. nested metadata", { metadata: { a: { b: 1 } } }, "metadata.a"],
    ["a cache key beyond ASCII", { cacheKey: "kéy" }, "cacheKey"],
    ["an option of an older protocol", { cfCacheTtl: 60 }, "cfCacheTtl"]
  ]
  for (const [title, options, field] of refusals) {
    it.effect(`${title} is refused by its name before anything is sent, wherever it is set`, () =>
      Effect.gen(function* () {
        const wrong = untyped<RequestOptions.RequestOptions>(options)
        for (const call of [
          Effect.asVoid(model.chat({ prompt: "hello", options: wrong })),
          Stream.runDrain(model.streamChat({ prompt: "hello", options: wrong })),
          Effect.asVoid(model.chat("hello")).pipe(AiGateway.withOptions(wrong)),
          Stream.runDrain(model.streamChat("hello").pipe(AiGateway.withOptions(wrong))),
          Effect.asVoid(OpenAi.model("gpt-4.1-mini", { options: wrong }).chat("hello")),
          Effect.asVoid(model.pipe(ChatModel.withDefaults({ options: wrong })).chat("hello")),
          Effect.asVoid(
            AiGateway.send({ provider: "openai", endpoint: "models", method: "GET", options: wrong })
          )
        ]) {
          const error = invalid(yield* Effect.flip(call))
          assert.strictEqual(error.field, field)
          assert.include(error.message, field)
        }
        assert.deepStrictEqual((yield* LocalGateway.Gateway).requests(), [])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("8. 60 seconds and 30 days are accepted", () =>
    Effect.gen(function* () {
      for (const cacheTtl of ["60 seconds", "30 days"] as const) {
        yield* model.chat({ prompt: "hello", options: { cacheTtl } })
      }
      assert.deepStrictEqual(
        (yield* LocalGateway.Gateway).requests().map(({ headers }) => headers["cf-aig-cache-ttl"]),
        ["60", "2592000"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("9. metadata is limited after call, region and gateway are merged", () =>
    Effect.gen(function* () {
      const call = model.chat({ prompt: "hello", options: { metadata: { d: 4, e: 5, f: 6 } } })
      const error = invalid(
        yield* Effect.flip(call.pipe(AiGateway.withOptions({ metadata: { a: 1, b: 2, c: 3 } })))
      )
      assert.strictEqual(error.field, "metadata")
      yield* call.pipe(AiGateway.withOptions({ metadata: { d: 1, e: 2, c: 3 } }))
      const [request] = (yield* LocalGateway.Gateway).requests()
      assert.deepStrictEqual(JSON.parse(request?.headers["cf-aig-metadata"] ?? ""), {
        d: 4,
        e: 5,
        f: 6,
        c: 3
      })
    }).pipe(Effect.provide(layer))
  )

  const clocks: ReadonlyArray<readonly [string, unknown]> = [
    ["firstEvent", "0 seconds"],
    ["idle", 500],
    ["total", "soon"],
    ["total", -1]
  ]
  for (const [field, value] of clocks) {
    it.effect(`a client clock of ${JSON.stringify(value)} is refused by its name: timeouts.${field}`, () =>
      Effect.gen(function* () {
        const timeouts = untyped<ChatModel.Timeouts>({ [field]: value })
        for (const wrong of [
          model.pipe(ChatModel.withTimeouts(timeouts)),
          OpenAi.model("gpt-4.1-mini", { timeouts })
        ]) {
          for (const call of [
            Effect.asVoid(wrong.chat("hello")),
            Stream.runDrain(wrong.streamChat("hello"))
          ]) {
            assert.strictEqual(invalid(yield* Effect.flip(call)).field, `timeouts.${field}`)
          }
        }
        assert.deepStrictEqual((yield* LocalGateway.Gateway).requests(), [])
      }).pipe(Effect.provide(layer))
    )
  }
})

describe("a layer that cannot be built", () => {
  it.effect("4. fails the program with the typed error, and runs nothing of it", () =>
    Effect.gen(function* () {
      let ran = false
      const exit = yield* Effect.sync(() => {
        ran = true
      }).pipe(Effect.provide(build({ gatewayId: "g" })), Effect.exit)
      assert.isFalse(ran)
      const failure = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
      assert.strictEqual(invalid(Option.getOrUndefined(failure)).field, "accountId")
    })
  )
})
