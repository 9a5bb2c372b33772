/** Claims about types. Most are checked by the compiler; the rest shows that what compiles also runs. */
import type { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Config, type ConfigError, Duration, Effect, Layer, Option, Redacted, Schedule, Stream } from "effect"
import {
  AccountApi,
  AiGateway,
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  ChatRequest,
  type ChatResponse,
  Compat,
  Custom,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  Provider,
  type RequestOptions,
  TestModel,
  WorkersAi
} from "effect-ai-gateway"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

/** Compiled, never run. */
const never = (_claim: () => unknown): void => {}

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")

type OpenAiNeeds = OpenAi.OpenAi | AiGateway.AiGateway
type BothNeeds = OpenAi.OpenAi | Anthropic.Anthropic | AiGateway.AiGateway
type ThreeNeeds = BothNeeds | GoogleAiStudio.GoogleAiStudio

describe("models and lists", () => {
  it("a model is a leg that names its provider and the gateway as its needs", () => {
    same<typeof openai, ChatModel.Leg<OpenAiNeeds>>(true)
    const chat = openai.chat("hello")
    same<typeof chat, Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, OpenAiNeeds>>(
      true
    )
    const stream = openai.streamChat("hello")
    same<typeof stream, Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError, OpenAiNeeds>>(true)
    const text = openai.streamComplete("hello")
    same<typeof text, Stream.Stream<string, AiGatewayError.AiGatewayError, OpenAiNeeds>>(true)
  })

  it("a model is no effect: it cannot be retried, raced or yielded by mistake", () => {
    // @ts-expect-error a model is a value
    never(() => openai.pipe(Effect.retry(Schedule.recurs(2))))
    // @ts-expect-error a list is made with ChatModel.firstSuccessOf
    never(() => Effect.firstSuccessOf([openai, anthropic]))
    never(() =>
      Effect.gen(function* () {
        // @ts-expect-error a model cannot be yielded
        yield* openai
      })
    )
  })

  it("a list of different providers needs all of them, whatever its length", () => {
    const two = ChatModel.firstSuccessOf([openai, anthropic])
    same<typeof two, ChatModel.With<BothNeeds>>(true)
    const three = ChatModel.firstSuccessOf([openai, anthropic, google], {
      while: (error) => error._tag !== "BadRequest"
    })
    same<typeof three, ChatModel.With<ThreeNeeds>>(true)
    const one = ChatModel.firstSuccessOf([openai])
    same<typeof one, ChatModel.With<OpenAiNeeds>>(true)
    const nested = ChatModel.firstSuccessOf([ChatModel.firstSuccessOf([openai, anthropic]), google])
    same<typeof nested, ChatModel.With<ThreeNeeds>>(true)
    const withScripted = ChatModel.firstSuccessOf([openai, TestModel.make(["hello"])])
    same<typeof withScripted, ChatModel.With<OpenAiNeeds>>(true)
    const scripted = ChatModel.firstSuccessOf([TestModel.make(["a"]), TestModel.make(["b"])])
    same<typeof scripted, ChatModel.With<never>>(true)
  })

  it("an empty list does not compile, nor does one of unknown length", () => {
    // @ts-expect-error at least one model
    never(() => ChatModel.firstSuccessOf([]))
    const models: ReadonlyArray<typeof openai> = [openai]
    // @ts-expect-error a list made at run time goes through fromIterable
    never(() => ChatModel.firstSuccessOf(models))
    // @ts-expect-error no model
    never(() => ChatModel.firstSuccessOf([openai, "gpt-5-mini"]))
    // @ts-expect-error no model
    never(() => ChatModel.firstSuccessOf([openai, Effect.succeed(anthropic)]))
  })

  it("a list made at run time: of one provider, and of several", () => {
    const same1 = ChatModel.fromIterable(["a", "b"].map((name) => OpenAi.model(name)))
    same<typeof same1, Effect.Effect<ChatModel.With<OpenAiNeeds>, AiGatewayError.InvalidRequest>>(true)
    const mixed = ChatModel.fromIterable([openai, anthropic])
    same<typeof mixed, Effect.Effect<ChatModel.With<BothNeeds>, AiGatewayError.InvalidRequest>>(true)
    const set = ChatModel.fromIterable(new Set([openai]))
    same<typeof set, Effect.Effect<ChatModel.With<OpenAiNeeds>, AiGatewayError.InvalidRequest>>(true)
  })

  it("combinators keep the needs, in both their forms", () => {
    const list = ChatModel.firstSuccessOf([openai, anthropic])
    const piped = list.pipe(
      ChatModel.retry(Schedule.recurs(1)),
      ChatModel.withTimeouts({ total: "1 minute", firstEvent: Duration.seconds(5), idle: "2 seconds" }),
      ChatModel.withDefaults({ temperature: 0.2, system: "be kind" })
    )
    same<typeof piped, ChatModel.With<BothNeeds>>(true)
    const first = ChatModel.retry(list, Schedule.recurs(1), { maxRetryAfter: "10 seconds" })
    same<typeof first, ChatModel.With<BothNeeds>>(true)
    const timed = ChatModel.withTimeouts(openai, { total: "1 minute" })
    same<typeof timed, ChatModel.With<OpenAiNeeds>>(true)
    const filled = ChatModel.withDefaults(openai, { maxTokens: 5 })
    same<typeof filled, ChatModel.With<OpenAiNeeds>>(true)
  })

  it("a schedule may look at the error that it is given", () => {
    const picky = Schedule.recurWhile((error: AiGatewayError.LegError) => error._tag === "RateLimited")
    const model = openai.pipe(ChatModel.retry(picky))
    same<typeof model, ChatModel.With<OpenAiNeeds>>(true)
    const wrong = Schedule.recurWhile((error: string) => error === "")
    // @ts-expect-error a schedule of another input
    never(() => openai.pipe(ChatModel.retry(wrong)))
  })

  it("provideService takes away exactly the need that it meets", () => {
    const keyed = openai.pipe(ChatModel.provideService(OpenAi.OpenAi, OpenAi.make()))
    same<typeof keyed, ChatModel.With<AiGateway.AiGateway>>(true)
    const first = ChatModel.provideService(openai, OpenAi.OpenAi, OpenAi.make())
    same<typeof first, ChatModel.With<AiGateway.AiGateway>>(true)
    const list = ChatModel.firstSuccessOf([keyed, anthropic])
    same<typeof list, ChatModel.With<Anthropic.Anthropic | AiGateway.AiGateway>>(true)
    const gateway = (service: AiGateway.Service) =>
      keyed.pipe(ChatModel.provideService(AiGateway.AiGateway, service))
    same<ReturnType<typeof gateway>, ChatModel.With<never>>(true)
    // @ts-expect-error a Layer is not a service
    never(() => openai.pipe(ChatModel.provideService(OpenAi.OpenAi, OpenAi.layer())))
  })

  it("a model whose needs are met is the application's service", () => {
    const model: ChatModel.Service = TestModel.make(["hello"])
    assert.strictEqual(model.metadata.provider, "test")
    // @ts-expect-error its needs are not met
    never((): ChatModel.Service => openai)
  })

  it("layer leaves exactly the needs, and asking needs only the model", () => {
    const layer = ChatModel.layer(ChatModel.firstSuccessOf([openai, anthropic]))
    same<typeof layer, Layer.Layer<ChatModel.ChatModel, never, BothNeeds>>(true)
    const met = ChatModel.layer(TestModel.make(["hello"]))
    same<typeof met, Layer.Layer<ChatModel.ChatModel>>(true)
    const asked = ChatModel.chat("hello")
    same<
      typeof asked,
      Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, ChatModel.ChatModel>
    >(true)
    const streamed = ChatModel.streamComplete("hello")
    same<typeof streamed, Stream.Stream<string, AiGatewayError.AiGatewayError, ChatModel.ChatModel>>(true)
    const known = ChatModel.metadata
    same<typeof known, Effect.Effect<ChatModel.Metadata, never, ChatModel.ChatModel>>(true)
  })

  it("a model of one's own says what it needs", () => {
    const mine = ChatModel.make<OpenAi.OpenAi>({
      metadata: { provider: "mine", model: "m", supports: [] },
      chat: () => Effect.flatMap(OpenAi.OpenAi, () => Effect.never),
      streamChat: () => Stream.never
    })
    same<typeof mine, ChatModel.With<OpenAi.OpenAi>>(true)
    const list = ChatModel.firstSuccessOf([mine, anthropic])
    same<typeof list, ChatModel.With<BothNeeds>>(true)
  })

  it("only a leg can encode: a list and a wrapped model cannot", () => {
    never(() => openai.encode("hello", { stream: false }))
    // @ts-expect-error a list has no request of its own
    never(() => ChatModel.firstSuccessOf([openai]).encode("hello", { stream: false }))
  })
})

describe("layers", () => {
  it("the gateway needs an HttpClient and fails with typed errors only", () => {
    const layer = AiGateway.layer({ accountId: "a", gatewayId: "g" })
    same<
      typeof layer,
      Layer.Layer<AiGateway.AiGateway, AiGatewayError.InvalidRequest, HttpClient.HttpClient>
    >(true)
    const configured = AiGateway.layerConfig({
      accountId: Config.string("A"),
      gatewayId: Config.string("G").pipe(Config.withDefault("default")),
      token: Config.redacted("T").pipe(Config.withDefault(undefined))
    })
    same<
      typeof configured,
      Layer.Layer<
        AiGateway.AiGateway,
        AiGatewayError.InvalidRequest | ConfigError.ConfigError,
        HttpClient.HttpClient
      >
    >(true)
  })

  it("an account without a gateway id does not compile, nor does a token as plain text", () => {
    // @ts-expect-error gatewayId is missing
    never(() => AiGateway.layer({ accountId: "a" }))
    // @ts-expect-error nothing is given
    never(() => AiGateway.layer({}))
    // @ts-expect-error a secret is Redacted
    never(() => AiGateway.layer({ accountId: "a", gatewayId: "g", token: "secret" }))
    // @ts-expect-error a plain value where a Config is read
    never(() => AiGateway.layerConfig({ accountId: "a", gatewayId: Config.string("G") }))
    // @ts-expect-error a token that is not redacted
    never(() => AiGateway.layerConfig({ customDomain: Config.string("D"), token: Config.string("T") }))
    never(() => AiGateway.layer({ customDomain: "https://ai.example.com" }))
  })

  it("a provider needs nothing, and its key is Redacted or an effect of one", () => {
    const layer = OpenAi.layer()
    same<typeof layer, Layer.Layer<OpenAi.OpenAi, AiGatewayError.InvalidRequest>>(true)
    const configured = WorkersAi.layerConfig({ apiKey: Config.redacted("K") })
    same<
      typeof configured,
      Layer.Layer<WorkersAi.WorkersAi, AiGatewayError.InvalidRequest | ConfigError.ConfigError>
    >(true)
    never(() => Anthropic.layer({ apiKey: Effect.fail("sealed") }))
    never(() => Anthropic.layer({ apiKey: undefined }))
    // @ts-expect-error a secret is Redacted
    never(() => OpenAi.layer({ apiKey: "sk-1" }))
    // @ts-expect-error an effect of plain text
    never(() => OpenAi.layer({ apiKey: Effect.succeed("sk-1") }))
  })

  it("everything together leaves nothing", () => {
    const everything = ChatModel.layer(ChatModel.firstSuccessOf([openai, anthropic])).pipe(
      Layer.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer())),
      Layer.provide(AiGateway.layer({ accountId: "a", gatewayId: "g" })),
      Layer.provide(LocalGateway.layer())
    )
    same<typeof everything, Layer.Layer<ChatModel.ChatModel, AiGatewayError.InvalidRequest>>(true)
    const test = LocalGateway.layerTest()
    same<
      typeof test,
      Layer.Layer<
        AiGateway.AiGateway | HttpClient.HttpClient | LocalGateway.Gateway,
        AiGatewayError.InvalidRequest
      >
    >(true)
  })
})

describe("withOptions", () => {
  const options: RequestOptions.RequestOptions = { cacheKey: "cheese" }

  it("keeps an effect's and a stream's types inside pipe, and outside of it", () => {
    const effect = openai.chat("hello").pipe(AiGateway.withOptions(options))
    same<typeof effect, Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, OpenAiNeeds>>(
      true
    )
    const stream = openai.streamChat("hello").pipe(AiGateway.withOptions({ cacheTtl: "1 hour" }))
    same<typeof stream, Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError, OpenAiNeeds>>(true)
    const first = AiGateway.withOptions(openai.streamComplete("hello"), options)
    same<typeof first, Stream.Stream<string, AiGatewayError.AiGatewayError, OpenAiNeeds>>(true)
    const mapped = openai.chat("hello").pipe(
      Effect.map((answer) => answer.text.length),
      AiGateway.withOptions(options),
      Effect.map((length) => length + 1),
      Effect.catchTag("RateLimited", () => Effect.succeed("later" as const))
    )
    same<Effect.Effect.Success<typeof mapped>, number | "later">(true)
    same<
      Effect.Effect.Error<typeof mapped>,
      Exclude<AiGatewayError.AiGatewayError, AiGatewayError.RateLimited>
    >(true)
    const further = openai.streamChat("hello").pipe(
      AiGateway.withOptions(options),
      Stream.map((event) => event._tag),
      Stream.take(1)
    )
    same<Stream.Stream.Success<typeof further>, ChatEvent.ChatEvent["_tag"]>(true)
    const other = Effect.succeed(1 as const).pipe(AiGateway.withOptions(options))
    same<typeof other, Effect.Effect<1>>(true)
  })

  it("gives back an effect for what is an effect by trade, and never keeps its own type", () => {
    const option = Option.some(1).pipe(AiGateway.withOptions(options))
    // An Option is an effect too; what comes back is one, and is no Option any more.
    never(() => {
      // @ts-expect-error no Option
      const kept: Option.Option<number> = option
      return kept
    })
    const tag = OpenAi.OpenAi.pipe(AiGateway.withOptions(options))
    never(() => {
      // @ts-expect-error no Tag
      const kept: typeof OpenAi.OpenAi = tag
      return kept
    })
    assert.isTrue(Effect.isEffect(option))
  })

  it("does not take what is neither", () => {
    // @ts-expect-error a model: its calls have options, not the model itself
    never(() => openai.pipe(AiGateway.withOptions(options)))
    // @ts-expect-error a layer
    never(() => OpenAi.layer().pipe(AiGateway.withOptions(options)))
    // @ts-expect-error a promise
    never(() => AiGateway.withOptions(Promise.resolve(1), options))
    // @ts-expect-error an option that does not exist
    never(() => openai.chat("hello").pipe(AiGateway.withOptions({ cacheTTL: "1 hour" })))
  })
})

describe("durations need a unit", () => {
  it("8. a bare number does not compile, anywhere", () => {
    // @ts-expect-error a bare number
    never((): RequestOptions.RequestOptions => ({ cacheTtl: 3600 }))
    // @ts-expect-error a bare number
    never((): RequestOptions.RequestOptions => ({ requestTimeout: 5000 }))
    // @ts-expect-error a bare bigint
    never((): RequestOptions.RequestOptions => ({ requestTimeout: 5000n }))
    // @ts-expect-error a bare number
    never((): RequestOptions.RequestOptions => ({ retries: { delay: 500 } }))
    // @ts-expect-error a bare number
    never(() => openai.pipe(ChatModel.withTimeouts({ total: 60 })))
    // @ts-expect-error a bare number
    never(() => ChatModel.withTimeouts(openai, { firstEvent: 5 }))
    // @ts-expect-error a bare number
    never(() => OpenAi.model("gpt-5-mini", { timeouts: { idle: 5 } }))
    // @ts-expect-error a bare number
    never(() => ChatModel.retry(openai, Schedule.recurs(1), { maxRetryAfter: 5 }))
    // @ts-expect-error no duration
    never((): RequestOptions.RequestOptions => ({ cacheTtl: "soon" }))
  })

  it("text and Duration values do", () => {
    const options: ReadonlyArray<RequestOptions.RequestOptions> = [
      { cacheTtl: "1 hour" },
      { cacheTtl: Duration.hours(1) },
      { requestTimeout: "500 millis", retries: { delay: Duration.zero } }
    ]
    assert.strictEqual(options.length, 3)
  })
})

describe("requests", () => {
  it("a prompt, a conversation, an object: one parameter", () => {
    never(() => openai.chat("hello"))
    never(() => openai.chat([{ role: "user", content: "hello" }]))
    never(() => openai.chat({ prompt: "hello", temperature: undefined, maxTokens: 5 }))
    // @ts-expect-error a role that does not exist
    never(() => openai.chat([{ role: "robot", content: "hello" }]))
    // @ts-expect-error a name of one vendor
    never(() => openai.chat({ prompt: "hello", max_tokens: 5 }))
    // @ts-expect-error not even this
    never(() => openai.chat(5))
    assert.isTrue(ChatRequest.isChatRequest({ [ChatRequest.TypeId]: ChatRequest.TypeId, messages: [] }))
  })

  it("headers of a native request are a record: a Headers instance, which JSON would lose, does not compile", () => {
    // @ts-expect-error a Headers instance
    never(() => AiGateway.send({ provider: "openai", endpoint: "models", headers: new Headers() }))
    // @ts-expect-error a method that does not exist
    never(() => AiGateway.send({ provider: "openai", endpoint: "models", method: "FETCH" }))
    never(() =>
      AiGateway.send({
        provider: "openai",
        endpoint: "models",
        headers: { authorization: Redacted.make("Bearer x"), "x-a": "b" }
      })
    )
    // @ts-expect-error at least one entry
    never(() => AiGateway.sendFirst([]))
  })
})

describe("fallback on the server", () => {
  it("takes legs, and needs what they need", () => {
    const model = ChatModel.universal([openai, anthropic])
    same<typeof model, ChatModel.With<BothNeeds>>(true)
    const one = ChatModel.universal([openai])
    same<typeof one, ChatModel.With<OpenAiNeeds>>(true)
    const readonly = [openai, anthropic, google] as const
    const three = ChatModel.universal(readonly)
    same<typeof three, ChatModel.With<ThreeNeeds>>(true)
    const combined = model.pipe(
      ChatModel.retry(Schedule.recurs(1)),
      ChatModel.withTimeouts({ total: "1 minute" })
    )
    same<typeof combined, ChatModel.With<BothNeeds>>(true)
    const listed = ChatModel.firstSuccessOf([model, google])
    same<typeof listed, ChatModel.With<ThreeNeeds>>(true)
  })

  it("65. what the gateway's walk cannot do does not compile", () => {
    // @ts-expect-error at least one leg
    never(() => ChatModel.universal([]))
    const some: ReadonlyArray<typeof openai> = [openai]
    // @ts-expect-error a list of unknown length
    never(() => ChatModel.universal(some))
    // @ts-expect-error a list is no leg
    never(() => ChatModel.universal([openai, ChatModel.firstSuccessOf([anthropic])]))
    // @ts-expect-error nor is a universal list
    never(() => ChatModel.universal([ChatModel.universal([openai])]))
    // @ts-expect-error nor a model with a schedule of its own
    never(() => ChatModel.universal([openai.pipe(ChatModel.retry(Schedule.recurs(1))), anthropic]))
    // @ts-expect-error nor one with a service of its own
    never(() => ChatModel.universal([ChatModel.provideService(openai, OpenAi.OpenAi, OpenAi.make())]))
    // @ts-expect-error nor a scripted one
    never(() => ChatModel.universal([TestModel.make(["hello"])]))
    // @ts-expect-error there is no rule that could tighten it
    never(() => ChatModel.universal([openai, anthropic], { while: () => true }))
    // @ts-expect-error nor a filter
    never(() => ChatModel.universal([openai, anthropic], { accept: () => true }))
    // @ts-expect-error another transport has no universal endpoint
    never(() => ChatModel.universal([openai, AccountApi.model("openai/gpt-5")]))
    // @ts-expect-error not even alone
    never(() => ChatModel.universal([AccountApi.model("openai/gpt-5")]))
    // @ts-expect-error a name is no leg
    never(() => ChatModel.universal([openai, "gpt-5-mini"]))
  })
})

describe("models of the gateway's own endpoint", () => {
  it("are legs that need Compat and the gateway", () => {
    const model = Compat.model("openai/gpt-5-mini", { maxTokens: 5 })
    same<typeof model, ChatModel.Leg<Compat.Compat | AiGateway.AiGateway>>(true)
    never(() => [Compat.model("workers-ai/@cf/meta/llama-3"), Compat.model("dynamic/support")])
    const known: string = "openai/gpt-5-mini"
    never(() => Compat.model(known))
    never((name: string = "x") => Compat.model(`openai/${name}`))
    const either: "openai/a" | "anthropic/b" = "openai/a" as "openai/a" | "anthropic/b"
    never(() => Compat.model(either))
  })

  it("5. a literal without a provider part, or with an empty one, does not compile", () => {
    // @ts-expect-error no provider part
    never(() => Compat.model("gpt-5-mini"))
    // @ts-expect-error nothing
    never(() => Compat.model(""))
    // @ts-expect-error no provider
    never(() => Compat.model("/gpt-5-mini"))
    // @ts-expect-error no model
    never(() => Compat.model("openai/"))
    // @ts-expect-error an empty part
    never(() => Compat.model("openai//gpt-5-mini"))
    // @ts-expect-error an empty part at the end
    never(() => Compat.model("workers-ai/@cf/"))
    // @ts-expect-error one of two
    never(() => Compat.model("openai/a" as "openai/a" | "b"))
  })

  it("routes and the router", () => {
    never(() => [Compat.dynamic("support"), Compat.dynamic("support", { maxTokensAs: "max_tokens" })])
    // @ts-expect-error no name
    never(() => Compat.dynamic(""))
    // @ts-expect-error without the prefix
    never(() => Compat.dynamic("dynamic/support"))
    never(() => Compat.auto({ allowedModels: ["openai/*"], sessionId: "s", temperature: 1 }))
    // @ts-expect-error a misspelt setting
    never(() => Compat.auto({ allowedModel: ["openai/*"] }))
  })
})

describe("providers of one's own", () => {
  const mine = Custom.define("my-llm")
  const other = Custom.define("other", { authHeader: "x-key" })

  it("have an identity of their own in types", () => {
    const model = mine.model("m")
    same<typeof model, ChatModel.Leg<Custom.Service<"my-llm"> | AiGateway.AiGateway>>(true)
    same<typeof mine.slug, "custom-my-llm">(true)
    const list = ChatModel.firstSuccessOf([model, other.model("m")])
    same<
      typeof list,
      ChatModel.With<Custom.Service<"my-llm"> | Custom.Service<"other"> | AiGateway.AiGateway>
    >(true)
    const given = ChatModel.provideService(model, mine.Tag, mine.make())
    same<typeof given, ChatModel.With<AiGateway.AiGateway>>(true)
    const notGiven = ChatModel.provideService(model, other.Tag, other.make())
    same<typeof notGiven, ChatModel.With<Custom.Service<"my-llm"> | AiGateway.AiGateway>>(true)
  })

  it("a literal that can be no slug does not compile", () => {
    never(() => [Custom.define("custom-ai"), Custom.define("a1-b2")])
    // @ts-expect-error nothing
    never(() => Custom.define(""))
    // @ts-expect-error upper case
    never(() => Custom.define("MyLlm"))
    // @ts-expect-error a space
    never(() => Custom.define("my llm"))
    // @ts-expect-error a slash
    never(() => Custom.define("a/b"))
    // @ts-expect-error a field that no request has
    never(() => Custom.define("a", { refuses: ["temprature"] }))
  })
})

describe("endpoints that have no module", () => {
  it("known paths compile, with and without a query", () => {
    const speech = Provider.endpoint("elevenlabs", "v1/text-to-speech/abc?output_format=mp3")
    same<typeof speech, Provider.Endpoint<"elevenlabs", "v1/text-to-speech/abc?output_format=mp3">>(true)
    never(() => [
      Provider.endpoint("cartesia", "tts/bytes"),
      Provider.endpoint("deepgram", "v1/listen?model=nova-3"),
      Provider.endpoint("fal", "fal-ai/fast-sdxl"),
      Provider.endpoint("ideogram", "v1/ideogram-v3/generate"),
      Provider.endpoint("replicate", "predictions/abc/cancel"),
      Provider.endpoint("replicate", "v1/predictions"),
      Provider.endpoint("cohere", "v2/embed"),
      Provider.endpoint("huggingface", "facebook/bart-large"),
      Provider.endpoint("parallel", "v1/tasks/runs"),
      Provider.endpoint("parallel", "v1beta/search"),
      Provider.endpoint("parallel", "v1beta/findall/ingest"),
      Provider.endpoint("baseten", "model/abc"),
      Provider.endpoint("openai", "images/generations"),
      Provider.endpoint("openai", "v1/audio/speech"),
      Provider.endpoint("openai", "embeddings"),
      Provider.endpoint("openai", "models/gpt-5"),
      Provider.endpoint("azure-openai", "resource/deployment/embeddings?api-version=2024-10-21"),
      Provider.endpoint("aws-bedrock", "bedrock-runtime/us-east-1/model/m/invoke"),
      Provider.endpoint("google-ai-studio", "v1beta/models/gemini-2.5-flash:countTokens"),
      Provider.endpoint("workers-ai", "run/@cf/black-forest-labs/flux-1-schnell"),
      Provider.endpoint("custom-mine", "anything/at/all")
    ])
    never(() => AiGateway.send({ ...Provider.endpoint("openai", "models"), method: "GET" }))
    const path: string = "v1/new"
    never(() => Provider.otherEndpoint("openai", path))
  })

  it("unknown ones do not", () => {
    // @ts-expect-error no such provider
    never(() => Provider.endpoint("openia", "chat/completions"))
    // @ts-expect-error no such path
    never(() => Provider.endpoint("openai", "chat/completion"))
    // @ts-expect-error another provider's path
    never(() => Provider.endpoint("anthropic", "chat/completions"))
    // @ts-expect-error a leading slash
    never(() => Provider.endpoint("fal", "/fal-ai/fast-sdxl"))
    // @ts-expect-error an empty segment
    never(() => Provider.endpoint("elevenlabs", "v1/text-to-speech/"))
    // @ts-expect-error an empty segment before a query
    never(() => Provider.endpoint("elevenlabs", "v1/text-to-speech/?output_format=mp3"))
    // @ts-expect-error Azure wants its version
    never(() => Provider.endpoint("azure-openai", "resource/deployment/embeddings"))
    // @ts-expect-error the version stands before the model
    never(() => Provider.endpoint("google-ai-studio", "models/gemini-2.5-flash:countTokens"))
    // @ts-expect-error nothing is documented of it
    never(() => Provider.endpoint("adobe-firefly", "v3/images/generate"))
    const path: string = "chat/completions"
    // @ts-expect-error a path that is known at run time only
    never(() => Provider.endpoint("openai", path))
    // @ts-expect-error no such provider
    never(() => Provider.otherEndpoint("openia", "x"))
  })

  it("every slug but one has a known header", () => {
    const headers = Provider.auth("ideogram", Redacted.make("k"))
    same<typeof headers, Readonly<Record<string, Redacted.Redacted>>>(true)
    // @ts-expect-error nothing is documented of it
    never(() => Provider.auth("adobe-firefly", Redacted.make("k")))
    // @ts-expect-error a key that anybody can read
    never(() => Provider.auth("ideogram", "k"))
    never(() => Provider.make({ ...Provider.credential("fal"), apiKey: Redacted.make("k") }))
  })
})
