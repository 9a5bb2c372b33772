/** The providers that speak OpenAI's format with changes of their own, as an application uses them. */
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Exit, Layer, Redacted, Schedule, Stream } from "effect"
import {
  type AiGateway,
  AzureOpenAi,
  ChatEvent,
  ChatModel,
  type ChatRequest,
  DeepSeek,
  Grok,
  Groq,
  LocalGateway,
  Mistral,
  OpenAi,
  Perplexity,
  Provider
} from "effect-ai-gateway"

const { always, inBandError, script, status, text, toolCall } = LocalGateway

const keys = {
  "azure-openai": "azure-0123456789abcdef",
  deepseek: "sk-deepseek-0123456789",
  grok: "xai-0123456789abcdef",
  groq: "gsk_0123456789abcdef",
  mistral: "mistral-0123456789abcdef",
  "perplexity-ai": "pplx-0123456789abcdef"
}
type Slug = keyof typeof keys

const once = ChatModel.retry(Schedule.recurs(0))

/** A key of its own for each provider. */
const layers = {
  "azure-openai": AzureOpenAi.layer({ apiKey: Redacted.make(keys["azure-openai"]) }),
  deepseek: DeepSeek.layer({ apiKey: Redacted.make(keys.deepseek) }),
  grok: Grok.layer({ apiKey: Redacted.make(keys.grok) }),
  groq: Groq.layer({ apiKey: Redacted.make(keys.groq) }),
  mistral: Mistral.layer({ apiKey: Redacted.make(keys.mistral) }),
  "perplexity-ai": Perplexity.layer({ apiKey: Redacted.make(keys["perplexity-ai"]) })
}
const keyed = Layer.mergeAll(
  layers["azure-openai"],
  layers.deepseek,
  layers.grok,
  layers.groq,
  layers.mistral,
  layers["perplexity-ai"]
)
type Providers = Layer.Layer.Success<typeof keyed>
const keyless: Layer.Layer<Providers, Layer.Layer.Error<typeof keyed>> = Layer.mergeAll(
  AzureOpenAi.layer(),
  DeepSeek.layer(),
  Grok.layer(),
  Groq.layer(),
  Mistral.layer(),
  Perplexity.layer()
)

interface Row {
  readonly slug: Slug
  readonly model: ChatModel.Leg<Providers | AiGateway.AiGateway>
  readonly path: string
  /** The only header of the credential. */
  readonly credential: readonly [name: string, value: string]
}

const azure = { resource: "my-resource", apiVersion: "2024-10-21" }
const bearer = (slug: Slug) => ["authorization", `Bearer ${keys[slug]}`] as const

const rows: ReadonlyArray<Row> = [
  {
    slug: "azure-openai",
    model: AzureOpenAi.model("my-model", azure),
    path: "azure-openai/my-resource/my-model/chat/completions?api-version=2024-10-21",
    credential: ["api-key", keys["azure-openai"]]
  },
  {
    slug: "deepseek",
    model: DeepSeek.model("my-model"),
    path: "deepseek/chat/completions",
    credential: bearer("deepseek")
  },
  {
    slug: "grok",
    model: Grok.model("my-model"),
    path: "grok/v1/chat/completions",
    credential: bearer("grok")
  },
  {
    slug: "groq",
    model: Groq.model("my-model"),
    path: "groq/chat/completions",
    credential: bearer("groq")
  },
  {
    slug: "mistral",
    model: Mistral.model("my-model"),
    path: "mistral/v1/chat/completions",
    credential: bearer("mistral")
  },
  {
    slug: "perplexity-ai",
    model: Perplexity.model("my-model"),
    path: "perplexity-ai/chat/completions",
    credential: bearer("perplexity-ai")
  }
]

const last = Effect.map(LocalGateway.Gateway, (gateway) => {
  const request = gateway.requests().at(-1)
  return request ?? assert.fail("nothing was sent")
})

const credentialsIn = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).filter(([name]) =>
    ["authorization", "api-key", "x-api-key", "x-goog-api-key"].includes(name)
  )

const withGateway = (options: LocalGateway.Options = {}, providers: typeof keyless = keyed) =>
  Effect.provide(Layer.merge(providers, LocalGateway.layerTest(options)))

for (const { credential, model: leg, path, slug } of rows) {
  const model = leg.pipe(once)

  describe(slug, () => {
    it.effect("answers a chat, at its own place, with its own key and no other", () =>
      Effect.gen(function* () {
        const answer = yield* model.chat("Say cheese.")
        assert.strictEqual(answer.text, "Gouda.")
        assert.strictEqual(answer.provider, slug)
        assert.strictEqual(answer.finishReason, "stop")
        assert.isAbove(answer.usage.total ?? 0, 0)
        const { headers, url } = yield* last
        assert.isTrue(url.endsWith(`/v1/local-account/local-gateway/${path}`), url)
        assert.deepStrictEqual(credentialsIn(headers), [[...credential]])
      }).pipe(withGateway({ upstreams: { [slug]: always(text("Gouda.")) }, keys, unifiedBilling: false }))
    )

    it.effect("streams an answer, with its usage and one Finish", () =>
      Effect.gen(function* () {
        const events = [...(yield* Stream.runCollect(model.streamChat("Say cheese.")))]
        const answer = ChatEvent.fold(events)
        assert.strictEqual(answer.text, "Gouda and Brie.")
        assert.strictEqual(answer.finishReason, "stop")
        assert.deepInclude(answer.usage, { input: 9, output: 5, total: 14 })
        assert.strictEqual(events[0]?._tag, "Start")
        assert.isAbove(events.filter(({ _tag }) => _tag === "TextDelta").length, 1)
        assert.strictEqual(events.filter(({ _tag }) => _tag === "Finish").length, 1)
        assert.strictEqual(events.filter(({ _tag }) => _tag === "Usage").length, 1)
        const { headers, url } = yield* last
        assert.isTrue(url.endsWith(path), url)
        assert.deepStrictEqual(credentialsIn(headers), [[...credential]])
      }).pipe(
        withGateway({
          upstreams: {
            [slug]: always(text("Gouda and Brie.", { chunks: 4, usage: { input: 9, output: 5 } }))
          },
          keys,
          unifiedBilling: false
        })
      )
    )

    if (slug !== "azure-openai") {
      it.effect("its reasoning comes apart from its text, and is counted in the output", () =>
        Effect.gen(function* () {
          for (const answer of [
            yield* model.chat("Say cheese."),
            ChatEvent.fold(yield* Stream.runCollect(model.streamChat("Say cheese.")))
          ]) {
            assert.strictEqual(answer.reasoning, "Hm.")
            assert.strictEqual(answer.text, "Gouda.")
            assert.deepInclude(answer.usage, { input: 12, output: 291, reasoning: 290, total: 303 })
          }
        }).pipe(
          withGateway({
            upstreams: {
              [slug]: always(
                text("Gouda.", { reasoning: "Hm.", usage: { input: 12, output: 291, reasoning: 290 } })
              )
            }
          })
        )
      )
    }

    it.effect("calls a tool", () =>
      Effect.gen(function* () {
        for (const answer of [
          yield* model.chat("Weather?"),
          ChatEvent.fold(yield* Stream.runCollect(model.streamChat("Weather?")))
        ]) {
          assert.strictEqual(answer.finishReason, "tool-calls")
          const [call] = answer.toolCalls
          assert.strictEqual(call?.name, "weather")
          assert.deepStrictEqual(JSON.parse(call?.arguments ?? ""), { city: "Bern" })
        }
      }).pipe(withGateway({ upstreams: { [slug]: always(toolCall("weather", { city: "Bern" })) } }))
    )

    it.effect("without a key none is sent, and the gateway's stored one applies", () =>
      Effect.gen(function* () {
        yield* model.chat("Hi")
        assert.deepStrictEqual(credentialsIn((yield* last).headers), [])
      }).pipe(withGateway({ unifiedBilling: false, keys, storedKeys: { [slug]: keys[slug] } }, keyless))
    )

    it.effect("a wrong key is Unauthorized, by the provider, without the key in it", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(model.chat("Hi"))
        assert.deepInclude(error, { _tag: "Unauthorized", source: "provider", provider: slug })
        assert.notInclude(JSON.stringify(error), keys[slug])
      }).pipe(withGateway({ keys: { [slug]: "another-key-0123456789" } }))
    )

    it.effect("its errors are typed, for a chat and for a stream", () =>
      Effect.gen(function* () {
        for (const [code, tag] of [
          [400, "BadRequest"],
          [404, "ModelNotFound"],
          [429, "RateLimited"],
          [500, "ProviderFailure"]
        ] as const) {
          const run = <A, E>(effect: Effect.Effect<A, E, Providers | AiGateway.AiGateway>) =>
            Effect.flip(effect).pipe(withGateway({ upstreams: { [slug]: always(status(code)) } }))
          assert.deepInclude(yield* run(model.chat("Hi")), {
            _tag: tag,
            status: code,
            provider: slug,
            model: "my-model"
          })
          assert.deepInclude(yield* run(Stream.runDrain(model.streamChat("Hi"))), {
            _tag: tag,
            status: code
          })
        }
      })
    )

    it.effect("an error inside a 200 fails the call; behind content it breaks the stream", () =>
      Effect.gen(function* () {
        const forms = ["openai", "groq", "openrouter", "finish-reason", "xai"] as const
        for (const form of forms) {
          const early = yield* Effect.flip(Stream.runDrain(model.streamChat("Hi"))).pipe(
            withGateway({ upstreams: { [slug]: always(inBandError(form)) } })
          )
          assert.notStrictEqual(early._tag, "StreamBroken", form)
          if (form === "xai") continue
          const late = yield* Effect.flip(Stream.runDrain(model.streamChat("Hi"))).pipe(
            withGateway({ upstreams: { [slug]: always(inBandError(form, { text: "Let me" })) } })
          )
          assert.strictEqual(late._tag, "StreamBroken", form)
        }
      })
    )

    it.effect(
      "a field it cannot take is Unsupported before anything is sent; or it is dropped, if so asked",
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(model.chat({ prompt: "Hi", topK: 5 }))
          assert.deepInclude(error, { _tag: "Unsupported", feature: "topK", provider: slug })
          assert.deepStrictEqual((yield* LocalGateway.Gateway).requests(), [])
          assert.notInclude(leg.metadata.supports, "topK")
          assert.include(leg.metadata.supports, "temperature")
        }).pipe(withGateway())
    )

    it("nothing is said of a model that is not known", () => {
      assert.deepInclude(leg.metadata, {
        provider: slug,
        model: "my-model",
        contextWindow: undefined,
        maxOutputTokens: undefined
      })
    })
  })
}

describe("one list of all of them", () => {
  const list = ChatModel.firstSuccessOf([
    AzureOpenAi.model("m", azure),
    DeepSeek.model("m"),
    Grok.model("m"),
    Groq.model("m"),
    Mistral.model("m"),
    Perplexity.model("m")
  ]).pipe(once)

  it.effect("each leg has its own key, and never another's", () =>
    Effect.gen(function* () {
      const answer = yield* list.chat("Hi")
      assert.strictEqual(answer.provider, "perplexity-ai")
      assert.strictEqual(answer.attempts.length, 5)
      const requests = (yield* LocalGateway.Gateway).requests()
      assert.strictEqual(requests.length, 6)
      for (const [n, { headers }] of requests.entries()) {
        const row = rows[n]
        if (row === undefined) return assert.fail()
        assert.deepStrictEqual(credentialsIn(headers), [[...row.credential]])
        const sent = JSON.stringify(headers)
        for (const [slug, key] of Object.entries(keys))
          assert.strictEqual(sent.includes(key), slug === row.slug, `${slug} at ${row.slug}`)
      }
    }).pipe(
      withGateway({
        upstreams: Object.fromEntries(rows.slice(0, -1).map(({ slug }) => [slug, script([status(503)])]))
      })
    )
  )

  it.effect("a key of another tenant is given around one call", () =>
    Effect.gen(function* () {
      yield* Groq.model("m")
        .chat("Hi")
        .pipe(Effect.provideService(Groq.Groq, Groq.make({ apiKey: Redacted.make("gsk_tenant") })))
      assert.strictEqual((yield* last).headers.authorization, "Bearer gsk_tenant")
    }).pipe(withGateway())
  )
})

describe("making a provider", () => {
  const modules = [
    ["azure-openai", AzureOpenAi.make, AzureOpenAi.layer, AzureOpenAi.layerConfig, AzureOpenAi.AzureOpenAi],
    ["deepseek", DeepSeek.make, DeepSeek.layer, DeepSeek.layerConfig, DeepSeek.DeepSeek],
    ["grok", Grok.make, Grok.layer, Grok.layerConfig, Grok.Grok],
    ["groq", Groq.make, Groq.layer, Groq.layerConfig, Groq.Groq],
    ["mistral", Mistral.make, Mistral.layer, Mistral.layerConfig, Mistral.Mistral],
    ["perplexity-ai", Perplexity.make, Perplexity.layer, Perplexity.layerConfig, Perplexity.Perplexity]
  ] as const

  for (const [slug, make, layer, layerConfig, tag] of modules) {
    it.effect(`${slug}: from options and from a Config, and not with an empty key`, () =>
      Effect.gen(function* () {
        const made = make({ apiKey: Redacted.make("k-1"), headers: { "x-team": "search" } })
        assert.isUndefined(Provider.validate(made))
        assert.deepInclude(made, { slug, headers: { "x-team": "search" } })
        assert.isUndefined(make().apiKey)

        const build = (settings: ReadonlyMap<string, string>) =>
          Layer.build<never, unknown, never>(layerConfig({ apiKey: Config.redacted("THE_KEY") })).pipe(
            Effect.withConfigProvider(ConfigProvider.fromMap(new Map(settings))),
            Effect.scoped,
            Effect.exit
          )
        assert.isTrue(Exit.isSuccess(yield* build(new Map([["THE_KEY", "k-1"]]))))
        assert.include(String(yield* build(new Map())), "THE_KEY")
        assert.include(String(yield* build(new Map([["THE_KEY", ""]]))), "apiKey")

        const empty = yield* Layer.build<never, unknown, never>(layer({ apiKey: Redacted.make("") })).pipe(
          Effect.scoped,
          Effect.flip
        )
        assert.deepInclude(empty, { _tag: "InvalidRequest", field: "apiKey", provider: slug })
        assert.strictEqual(tag.key.startsWith("effect-ai-gateway/"), true)
      })
    )
  }

  it("no two modules share a tag", () => {
    const tags = [...modules.map(([, , , , tag]) => tag.key), OpenAi.OpenAi.key]
    assert.strictEqual(new Set(tags).size, tags.length)
  })
})

describe("what a provider cannot take", () => {
  const cases: ReadonlyArray<
    readonly [ChatModel.Leg<Providers | AiGateway.AiGateway>, ChatRequest.Sampling, feature: string]
  > = [
    [DeepSeek.model("m"), { seed: 7 }, "seed"],
    [Perplexity.model("m"), { seed: 7, stop: ["."] }, "stop, seed"]
  ]
  for (const [model, sampling, feature] of cases) {
    it.effect(`${model.metadata.provider}: ${feature}; a list goes on to a model that can`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(model.chat({ prompt: "Hi", ...sampling }))
        assert.deepInclude(error, { _tag: "Unsupported", feature })
        const answer = yield* ChatModel.firstSuccessOf([model, Mistral.model("m")]).chat({
          prompt: "Hi",
          ...sampling
        })
        assert.strictEqual(answer.provider, "mistral")
        const { body } = yield* last
        assert.deepInclude(body, { random_seed: 7 })
      }).pipe(withGateway())
    )
  }

  it.effect('with unsupported: "drop" it is left out, and the rest is sent', () =>
    Effect.gen(function* () {
      yield* Perplexity.model("sonar", { unsupported: "drop" }).chat({
        prompt: "Hi",
        seed: 7,
        maxTokens: 9
      })
      const { body } = yield* last
      assert.deepStrictEqual(body, {
        model: "sonar",
        messages: [{ role: "user", content: "Hi" }],
        max_tokens: 9
      })
    }).pipe(withGateway())
  )

  it.effect("a vendor's own fields go out under its slug", () =>
    Effect.gen(function* () {
      yield* Groq.model("m").chat({
        prompt: "Hi",
        providerOptions: { groq: { reasoning_format: "parsed" }, mistral: { safe_prompt: true } }
      })
      const { body } = yield* last
      assert.deepInclude(body, { reasoning_format: "parsed" })
      assert.notProperty(body, "safe_prompt")
    }).pipe(withGateway())
  )
})
