import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
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

const models: Readonly<Record<string, ChatModel.With<Needs>>> = {
  openai: OpenAi.model("gpt-4.1-mini"),
  anthropic: Anthropic.model("claude-haiku-4-5"),
  "google-ai-studio": GoogleAiStudio.model("gemini-2.5-flash"),
  "workers-ai": WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")
}

const openai = OpenAi.model("gpt-4.1-mini")
const ask = { prompt: "hello", options: { retries: { maxAttempts: 1 } } } as const

const replying = (provider: string, reply: LocalGateway.Reply) =>
  Layer.merge(Providers, LocalGateway.layerTest({ upstreams: { [provider]: LocalGateway.always(reply) } }))

/** Both forms of a call must fail with the same typed error. */
const bothFail = (model: ChatModel.With<Needs>, layer: Layer.Layer<Needs, unknown>) =>
  Effect.gen(function* () {
    const chat = yield* Effect.flip(model.chat(ask))
    const stream = yield* Effect.flip(Stream.runDrain(model.streamChat(ask)))
    assert.strictEqual(stream._tag, chat._tag)
    return chat
  }).pipe(Effect.provide(Layer.orDie(layer)))

type Tag = AiGatewayError.AiGatewayError["_tag"]

describe("71. a provider's status, for every provider, chat and stream alike", () => {
  const rows: ReadonlyArray<readonly [number, Tag, boolean]> = [
    [400, "BadRequest", false],
    [401, "Unauthorized", false],
    [403, "Unauthorized", false],
    [404, "ModelNotFound", false],
    [422, "BadRequest", false],
    [429, "RateLimited", true],
    [500, "ProviderFailure", true],
    [503, "ProviderFailure", true],
    [529, "ProviderFailure", true]
  ]
  for (const [provider, model] of Object.entries(models)) {
    for (const [status, tag, retryable] of rows) {
      it.effect(`${provider}: ${status} is ${tag}`, () =>
        Effect.gen(function* () {
          const error = yield* bothFail(model, replying(provider, LocalGateway.status(status)))
          assert.strictEqual(error._tag, tag)
          assert.strictEqual(AiGatewayError.isRetryable(error), retryable)
          if (error._tag === "AllProvidersFailed") return
          assert.strictEqual(error.provider, provider)
          assert.strictEqual(error.model, model.metadata.model)
          assert.strictEqual(error.status, status)
          assert.strictEqual(error.source, "provider")
          assert.match(error.logId ?? "", /^[0-9A-Z]{26}$/)
          assert.isAbove(error.message.length, 20)
        })
      )
    }
  }
})

describe("what the gateway itself says", () => {
  const settings = (options: { readonly gatewayId: string; readonly token: string }) =>
    Providers.pipe(
      Layer.merge(
        AiGateway.layer({
          accountId: "local-account",
          gatewayId: options.gatewayId,
          token: Redacted.make(options.token)
        })
      ),
      Layer.provide(LocalGateway.layer())
    )

  it.effect("68. a gateway id that does not exist is GatewayNotFound", () =>
    Effect.gen(function* () {
      const error = yield* bothFail(openai, settings({ gatewayId: "nowhere", token: "local-token" }))
      assert.isTrue(error._tag === "GatewayNotFound" && error.code === 2001 && error.source === "gateway")
    })
  )

  it.effect("68. a wrong gateway token is Unauthorized by the gateway", () =>
    Effect.gen(function* () {
      const error = yield* bothFail(openai, settings({ gatewayId: "local-gateway", token: "wrong-token" }))
      assert.isTrue(error._tag === "Unauthorized" && error.code === 2009 && error.source === "gateway")
      assert.notInclude(error.message, "wrong-token")
    })
  )

  const cases: ReadonlyArray<readonly [string, LocalGateway.Reply, Tag, number | undefined]> = [
    ["70. a prompt that guardrails block", LocalGateway.guardrail("prompt"), "ContentBlocked", 2016],
    ["70. an answer that guardrails block", LocalGateway.guardrail("response"), "ContentBlocked", 2017],
    ["a prompt that data-loss prevention blocks", LocalGateway.dlp("prompt"), "ContentBlocked", 2029],
    ["an answer that data-loss prevention blocks", LocalGateway.dlp("response"), "ContentBlocked", 2030],
    [
      "68. 2001 with `errors`",
      LocalGateway.raw({
        status: 400,
        body: JSON.stringify({ success: false, errors: [{ code: 2001, message: "Please configure" }] })
      }),
      "GatewayNotFound",
      2001
    ],
    [
      "68. 2001 with `error` as a list",
      LocalGateway.raw({
        status: 400,
        body: JSON.stringify({ success: false, error: [{ code: 2001, message: "Please configure" }] })
      }),
      "GatewayNotFound",
      2001
    ],
    [
      "69. 9999 is not 2001: code, message and log id stay",
      LocalGateway.raw({
        status: 400,
        headers: { "cf-aig-log-id": "01J0000000000000000000000A" },
        body: JSON.stringify({ success: false, error: [{ code: 9999, message: "something new" }] })
      }),
      "BadRequest",
      9999
    ],
    [
      "70. 2021 is about money",
      LocalGateway.raw({
        status: 402,
        body: JSON.stringify({ success: false, error: [{ code: 2021, message: "Insufficient credits" }] })
      }),
      "QuotaExceeded",
      2021
    ],
    [
      "70. 2005 is a failure on the way to the provider",
      LocalGateway.raw({
        status: 400,
        body: JSON.stringify({ success: false, error: [{ code: 2005, message: "Failed to get response" }] })
      }),
      "ProviderFailure",
      2005
    ],
    ["HTML from Cloudflare's edge, 403", LocalGateway.edgeHtml(403), "Unauthorized", undefined],
    ["HTML from Cloudflare's edge, 520", LocalGateway.edgeHtml(520), "ProviderFailure", undefined]
  ]
  for (const [name, reply, tag, code] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const error = yield* bothFail(openai, replying("openai", reply))
        assert.strictEqual(error._tag, tag)
        if (error._tag === "AllProvidersFailed") return
        if (code !== undefined) assert.strictEqual(error.code, code)
        assert.isAbove(error.message.length, 20)
      })
    )
  }
})

describe("79. a success must be one", () => {
  const cases: ReadonlyArray<readonly [string, string, string, Tag]> = [
    ["JSON of another shape", "application/json", '{"hello":1}', "MalformedResponse"],
    ["a body that is not JSON", "application/json", "{oops", "MalformedResponse"],
    ["HTML", "text/html", "<html></html>", "MalformedResponse"],
    ["nothing", "application/json", "", "MalformedResponse"],
    ["null", "application/json", "null", "MalformedResponse"],
    [
      "an error envelope of the gateway",
      "application/json",
      '{"success":false,"error":[{"code":2003,"message":"Rate limited"}]}',
      "RateLimited"
    ],
    [
      "an error of the provider",
      "application/json",
      '{"error":{"message":"no","code":"invalid_api_key"}}',
      "Unauthorized"
    ]
  ]
  for (const [name, type, body, tag] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const reply = LocalGateway.raw({ status: 200, headers: { "content-type": type }, body })
        const error = yield* Effect.flip(openai.chat(ask)).pipe(
          Effect.provide(replying("openai", reply)),
          Effect.orDie
        )
        assert.strictEqual(error._tag, tag)
        if (error._tag === "MalformedResponse") assert.strictEqual(error.excerpt, body)
      })
    )
  }

  it.effect("the error names the place in the body", () =>
    Effect.gen(function* () {
      const reply = LocalGateway.raw({ body: '{"choices":[{"message":{"content":7}}]}' })
      const error = yield* Effect.flip(openai.chat(ask)).pipe(Effect.provide(replying("openai", reply)))
      assert.include(error.message, "choices[0].message.content")
    })
  )
})

describe("telling errors apart", () => {
  it.effect("catchTags handles them by name, with their fields", () =>
    Effect.gen(function* () {
      const said = yield* openai.chat(ask).pipe(
        Effect.map((answer) => answer.text),
        Effect.catchTags({
          Unauthorized: (error) => Effect.succeed(error.source),
          RateLimited: (error) => Effect.succeed(String(error.retryAfter))
        })
      )
      assert.strictEqual(said, "provider")
    }).pipe(Effect.provide(replying("openai", LocalGateway.status(401))))
  )

  it.effect("an error survives being stored and read again", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        ChatModel.firstSuccessOf([openai, Anthropic.model("claude-haiku-4-5")]).chat({
          prompt: "hi",
          options: { retries: { maxAttempts: 1 } }
        })
      )
      const stored = JSON.stringify(Schema.encodeSync(AiGatewayError.AiGatewayError)(error))
      const read = Schema.decodeUnknownSync(AiGatewayError.AiGatewayError)(JSON.parse(stored))
      assert.strictEqual(read._tag, "AllProvidersFailed")
      assert.isTrue(AiGatewayError.isAiGatewayError(read))
      assert.strictEqual(AiGatewayError.lastCause(read)._tag, "ProviderFailure")
    }).pipe(
      Effect.provide(
        Layer.merge(
          Providers,
          LocalGateway.layerTest({
            upstreams: {
              openai: LocalGateway.always(LocalGateway.status(400)),
              anthropic: LocalGateway.always(LocalGateway.status(529))
            }
          })
        )
      )
    )
  )

  it("another library's error with the same tag is not one of ours", () => {
    assert.isFalse(AiGatewayError.isAiGatewayError({ _tag: "RateLimited", message: "x" }))
    assert.isTrue(AiGatewayError.isAiGatewayError(new AiGatewayError.RateLimited({ message: "x" })))
  })
})
