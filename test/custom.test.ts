/** Providers of one's own, and endpoints and credentials of those that have no module. */
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, FastCheck, Layer, Redacted, Schedule, Stream } from "effect"
import {
  AiGateway,
  Anthropic,
  AzureOpenAi,
  ChatModel,
  Custom,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  Provider,
  Replicate,
  WorkersAi
} from "effect-ai-gateway"
import { directory } from "../src/internal/directory.js"

const { always, raw, status } = LocalGateway

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())
const MyLlm = Custom.define("my-llm")

/** A slug that is only known at run time. */
const atRunTime = (slug: string): string => slug

const upstreams = { "custom-my-llm": always(LocalGateway.echo) }

describe("Custom.define", () => {
  it.effect("asks custom-{slug} in OpenAI's format, whole and streamed", () =>
    Effect.gen(function* () {
      const model = MyLlm.model("llama-3", { maxTokens: 9 })
      const answer = yield* model.chat("hello")
      assert.strictEqual(answer.text, "You said: hello")
      assert.strictEqual(answer.provider, "custom-my-llm")
      const streamed = yield* ChatModel.collect(model.streamChat("hello"))
      assert.strictEqual(streamed.text, "You said: hello")
      const [first, second] = yield* requests
      assert.strictEqual(first?.path, "/v1/local-account/local-gateway/custom-my-llm/v1/chat/completions")
      assert.deepStrictEqual(first?.body, {
        model: "llama-3",
        messages: [{ role: "user", content: "hello" }],
        max_tokens: 9
      })
      assert.notProperty(first?.headers, "authorization")
      assert.nestedPropertyVal(second?.body, "stream_options.include_usage", true)
    }).pipe(Effect.provide(Layer.merge(MyLlm.layer(), LocalGateway.layerTest({ upstreams }))))
  )

  it.effect("path, key header, names and refusals are settings", () =>
    Effect.gen(function* () {
      const Tuned = Custom.define("tuned", {
        endpoint: "openai/chat/completions",
        authHeader: "X-Key",
        maxTokensAs: "max_completion_tokens",
        askForUsage: false,
        refuses: ["temperature"],
        topK: true
      })
      const provided = Tuned.layer({ apiKey: Redacted.make("secret-key") })
      const { headers, endpoint, body } = yield* Tuned.model("m")
        .encode({ prompt: "hi", maxTokens: 9, topK: 3 }, { stream: true })
        .pipe(Effect.provide(provided))
      assert.strictEqual(endpoint, "openai/chat/completions")
      const key = headers?.["X-Key"]
      assert.strictEqual(Redacted.isRedacted(key) ? Redacted.value(key) : key, "secret-key")
      assert.deepStrictEqual(body, {
        model: "m",
        messages: [{ role: "user", content: "hi" }],
        max_completion_tokens: 9,
        top_k: 3,
        stream: true
      })
      const error = yield* Effect.flip(
        Tuned.model("m").encode({ prompt: "hi", temperature: 1 }, { stream: false })
      ).pipe(Effect.provide(provided))
      assert.strictEqual(error._tag, "Unsupported")
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("the key is a bearer token by default, and a Config may give it", () =>
    Effect.gen(function* () {
      const configured = MyLlm.layerConfig({ apiKey: Config.redacted("MY_KEY") }).pipe(
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["MY_KEY", "k-1"]]))))
      )
      yield* MyLlm.model("m").chat("hello").pipe(Effect.provide(configured))
      const [request] = yield* requests
      assert.strictEqual(request?.headers.authorization, "Bearer k-1")
      const missing = MyLlm.layerConfig({ apiKey: Config.redacted("MISSING") })
      const error = yield* Effect.flip(MyLlm.model("m").chat("hello").pipe(Effect.provide(missing)))
      assert.include(String(error), "MISSING")
    }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams })))
  )

  it("custom- is added exactly once, also to a slug that begins with it", () => {
    assert.strictEqual(MyLlm.slug, "custom-my-llm")
    assert.strictEqual(Custom.define("custom-ai").slug, "custom-custom-ai")
    assert.strictEqual(Custom.define("custom-ai").model("m").metadata.provider, "custom-custom-ai")
  })

  for (const slug of ["", "My-Llm", "my llm", "a/b", "-a", "a_b", "ä", "a.b"]) {
    it.effect(`${JSON.stringify(slug)} can be no slug: the layer fails, and so does each call`, () =>
      Effect.gen(function* () {
        const Wrong = Custom.define(atRunTime(slug))
        const error = yield* Effect.flip(Effect.provide(Wrong.Tag, Wrong.layer()))
        assert.strictEqual(error.field, "slug")
        const model = Wrong.model("m").pipe(ChatModel.provideService(Wrong.Tag, Wrong.make()))
        assert.strictEqual((yield* Effect.flip(model.chat("hello")))._tag, "InvalidRequest")
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(model.streamChat("hello"))))._tag,
          "InvalidRequest"
        )
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(Effect.provide(LocalGateway.layerTest()))
    )
  }

  it.effect("the key of one custom provider never serves another", () =>
    Effect.gen(function* () {
      const Other = Custom.define("other")
      yield* ChatModel.firstSuccessOf([MyLlm.model("m"), Other.model("m")])
        .pipe(ChatModel.retry(Schedule.recurs(0)))
        .chat("hello")
        .pipe(
          Effect.provide(
            Layer.merge(
              MyLlm.layer({ apiKey: Redacted.make("key-mine") }),
              Other.layer({ apiKey: Redacted.make("key-other") })
            )
          )
        )
      assert.deepStrictEqual(
        (yield* requests).map(({ provider, headers }) => [provider, headers.authorization]),
        [
          ["custom-my-llm", "Bearer key-mine"],
          ["custom-other", "Bearer key-other"]
        ]
      )
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({
          upstreams: { "custom-my-llm": always(status(500)), "custom-other": always(LocalGateway.echo) }
        })
      )
    )
  )

  it("what a model can take is asked of its encoder when somebody wants to know, not when the model is made", () => {
    let asked = 0
    const { wire } = Anthropic.model("any")
    const Counted = Custom.define("counted", {
      wire: {
        ...wire,
        encode: (input) => {
          asked++
          return wire.encode(input)
        }
      }
    })
    const list = ChatModel.firstSuccessOf([Counted.model("a"), Counted.model("b")])
    assert.strictEqual(asked, 0)
    assert.include(list.metadata.supports, "tools")
    const once = asked
    assert.isAbove(once, 0)
    assert.deepStrictEqual(list.metadata.supports, list.metadata.legs?.[0]?.supports)
    assert.strictEqual(asked, once)
  })

  it.effect("a provider that speaks another format takes that format's wire", () =>
    Effect.gen(function* () {
      const Claude = Custom.define("claude-proxy", {
        authHeader: "x-api-key",
        wire: Anthropic.model("any").wire
      })
      const answer = yield* Claude.model("claude-haiku-4-5")
        .chat("hello")
        .pipe(Effect.provide(Claude.layer({ apiKey: Redacted.make("key-claude") })))
      assert.strictEqual(answer.text, "Bonjour")
      assert.strictEqual(answer.provider, "custom-claude-proxy")
      const [request] = yield* requests
      assert.strictEqual(request?.endpoint, "v1/messages")
      assert.strictEqual(request?.headers["x-api-key"], "key-claude")
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({
          upstreams: {
            "custom-claude-proxy": always(
              raw({
                body: JSON.stringify({
                  type: "message",
                  role: "assistant",
                  model: "claude-haiku-4-5",
                  content: [{ type: "text", text: "Bonjour" }],
                  stop_reason: "end_turn",
                  usage: { input_tokens: 1, output_tokens: 1 }
                })
              })
            )
          }
        })
      )
    )
  )

  it.effect("is a leg like any other: of a universal request too", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.universal([OpenAi.model("gpt-4.1-mini"), MyLlm.model("m")]).chat(
        "hello"
      )
      assert.strictEqual(answer.provider, "custom-my-llm")
      const entries = (yield* requests)[0]?.body as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(entries[1], { provider: "custom-my-llm", endpoint: "v1/chat/completions" })
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          OpenAi.layer(),
          MyLlm.layer(),
          LocalGateway.layerTest({ upstreams: { ...upstreams, openai: always(status(500)) } })
        )
      )
    )
  )
})

describe("Provider.endpoint", () => {
  it("is what AiGateway.send takes", () => {
    assert.deepStrictEqual(Provider.endpoint("cartesia", "tts/bytes"), {
      provider: "cartesia",
      endpoint: "tts/bytes"
    })
    assert.deepStrictEqual(Provider.otherEndpoint("ideogram", "v9/new"), {
      provider: "ideogram",
      endpoint: "v9/new"
    })
  })

  it.effect("the gateway is asked at that path, with the vendor's own header", () =>
    Effect.gen(function* () {
      const key = Redacted.make("secret-key")
      const send = (request: AiGateway.ProviderRequest) =>
        Effect.flatMap(AiGateway.send({ ...request, body: {} }), (response) => response.close)
      yield* send({
        ...Provider.endpoint("elevenlabs", "v1/text-to-speech/abc?output_format=mp3_44100_128"),
        headers: Provider.auth("elevenlabs", key)
      })
      yield* send({ ...Provider.endpoint("fal", "fal-ai/fast-sdxl"), headers: Provider.auth("fal", key) })
      yield* send({
        ...Provider.endpoint("ideogram", "v1/ideogram-v3/generate"),
        headers: Provider.auth("ideogram", key)
      })
      yield* send({
        ...Provider.endpoint("deepgram", "v1/listen?model=nova-3"),
        headers: Provider.auth("deepgram", key)
      })
      const seen = (yield* requests).map(({ path, endpoint, headers }) => [
        path.split("/")[4],
        endpoint,
        headers.authorization ?? headers["xi-api-key"] ?? headers["api-key"]
      ])
      assert.deepStrictEqual(seen, [
        ["elevenlabs", "v1/text-to-speech/abc?output_format=mp3_44100_128", "secret-key"],
        ["fal", "fal-ai/fast-sdxl", "Key secret-key"],
        ["ideogram", "v1/ideogram-v3/generate", "secret-key"],
        ["deepgram", "v1/listen?model=nova-3", "Token secret-key"]
      ])
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({
          upstreams: Object.fromEntries(
            ["elevenlabs", "fal", "ideogram", "deepgram"].map((slug) => [slug, always(raw({ body: "{}" }))])
          )
        })
      )
    )
  )

  it.effect("a path that would lead elsewhere is refused when it is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        AiGateway.send({ ...Provider.otherEndpoint("fal", "../openai/models"), method: "GET" })
      )
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )
})

describe("Provider.credential", () => {
  const slugs = Object.keys(directory).filter(
    (slug): slug is Provider.WithCredential => slug !== "adobe-firefly"
  )

  it("every slug has one, with its own name in it", () => {
    for (const slug of slugs) {
      const { authHeader, slug: own } = Provider.credential(slug)
      assert.strictEqual(own, slug)
      assert.match(authHeader, /^[a-z-]+$/)
    }
    assert.strictEqual(slugs.length, 26)
  })

  it("those that have a module have the module's", () => {
    for (const provider of [
      OpenAi.make(),
      Anthropic.make(),
      GoogleAiStudio.make(),
      WorkersAi.make(),
      AzureOpenAi.make(),
      Replicate.make()
    ]) {
      const { slug, authHeader, authPrefix } = provider
      assert.deepStrictEqual(Provider.credential(slug as Provider.WithCredential), {
        slug,
        authHeader,
        authPrefix
      })
    }
  })

  for (const [slug, header, value] of [
    ["cartesia", "x-api-key", "k"],
    ["parallel", "x-api-key", "k"],
    ["anthropic", "x-api-key", "k"],
    ["google-ai-studio", "x-goog-api-key", "k"],
    ["azure-openai", "api-key", "k"],
    ["ideogram", "api-key", "k"],
    ["elevenlabs", "xi-api-key", "k"],
    ["deepgram", "authorization", "Token k"],
    ["fal", "authorization", "Key k"],
    ["cohere", "authorization", "Bearer k"],
    ["huggingface", "authorization", "Bearer k"],
    ["replicate", "authorization", "Bearer k"]
  ] as const) {
    it(`${slug}: ${header}: ${value}`, () => {
      const headers = Provider.auth(slug, Redacted.make("k"))
      assert.deepStrictEqual(Object.keys(headers), [header])
      const secret = headers[header]
      assert.strictEqual(secret && Redacted.value(secret), value)
    })
  }

  it("a key stays Redacted, in whatever way it is shown", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...slugs), (slug) => {
        assert.notInclude(JSON.stringify(Provider.auth(slug, Redacted.make("secret-key"))), "secret-key")
      })
    )
  })

  it.effect("Provider.make takes it", () =>
    Effect.gen(function* () {
      const made = Provider.make({ ...Provider.credential("elevenlabs"), apiKey: Redacted.make("k") })
      assert.strictEqual(made.authHeader, "xi-api-key")
      assert.isUndefined(Provider.validate(made))
    })
  )
})
