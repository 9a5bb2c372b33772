/** Every model constructor of the package, and what each is expected to take, for the tests of the whole vocabulary. */
import { Effect, Layer, Redacted, Schedule } from "effect"
import {
  AccountApi,
  type AiGateway,
  Anthropic,
  AwsBedrock,
  AzureOpenAi,
  Baseten,
  Cerebras,
  type ChatModel,
  Cohere,
  Compat,
  Custom,
  DeepSeek,
  Fireworks,
  GoogleAiStudio,
  GoogleVertexAi,
  Grok,
  Groq,
  HuggingFace,
  LocalGateway,
  Mistral,
  OpenAi,
  OpenRouter,
  Parallel,
  Perplexity,
  Replicate,
  WorkersAi
} from "effect-ai-gateway"

const acme = Custom.define("acme")
const borrowed = Custom.define("borrowed", { wire: Groq.model("any").wire })

/** A key of each provider's own, so that one that goes astray is seen. */
const key = (slug: string) => ({ apiKey: Redacted.make(`key-of-${slug}`) })

const providers = Layer.mergeAll(
  acme.layer(key("custom-acme")),
  Anthropic.layer(key("anthropic")),
  AwsBedrock.layer(key("aws-bedrock")),
  AzureOpenAi.layer(key("azure-openai")),
  Baseten.layer(key("baseten")),
  borrowed.layer(key("custom-borrowed")),
  Cerebras.layer(key("cerebras")),
  Cohere.layer(key("cohere")),
  Compat.layer(),
  DeepSeek.layer(key("deepseek")),
  Fireworks.layer(key("fireworks")),
  GoogleAiStudio.layer(key("google-ai-studio")),
  GoogleVertexAi.layer(),
  Grok.layer(key("grok")),
  Groq.layer(key("groq")),
  HuggingFace.layer(key("huggingface")),
  Mistral.layer(key("mistral")),
  OpenAi.layer(key("openai")),
  OpenRouter.layer(key("openrouter")),
  Parallel.layer(key("parallel")),
  Perplexity.layer(key("perplexity-ai")),
  Replicate.layer(key("replicate")),
  WorkersAi.layer(key("workers-ai"))
)

export type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway | AccountApi.AccountApi

export interface Row {
  readonly model: ChatModel.With<Needs>
  /** Features that it cannot take: all others it must. */
  readonly lacks: ReadonlyArray<ChatModel.Feature>
  /** What else it refuses before anything is sent. */
  readonly refuses?: ReadonlyArray<"toolChoice" | "images by URL" | "files by URL">
  /** What comes of `reasoningEffort`: thoughts with their tokens, one of the two, or nothing that the format has a place for. */
  readonly thinks?: "aloud" | "aloud, uncounted" | "silently" | "unseen"
  /** Does its format name sources? */
  readonly cites?: true
  /** Finish reasons that its format does not have: they are `stop` there. */
  readonly mute?: ReadonlyArray<"length" | "content-filter">
  /** The same, of whole answers alone. */
  readonly muteUnlessStreamed?: true
}

const penalties = ["seed", "frequencyPenalty", "presencePenalty"] as const
const sampling = ["temperature", "topP", "frequencyPenalty", "presencePenalty"] as const
const media = ["images", "files"] as const

const vertex = { project: "my-project", location: "us-central1" }
const bedrock = { region: "us-east-1" }
const azure = { resource: "my-resource" }
const claude = { maxTokens: 4096 }
const llama = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"

const workersAi: Omit<Row, "model"> = {
  lacks: ["stop", "reasoningEffort", "parallelToolCalls", ...media],
  muteUnlessStreamed: true
}
const gpt: Omit<Row, "model"> = { lacks: ["topK", "reasoningEffort"], refuses: ["files by URL"], cites: true }
const sonnet: Omit<Row, "model"> = { lacks: penalties, thinks: "aloud, uncounted", cites: true }
const gemini: Omit<Row, "model"> = { lacks: ["parallelToolCalls"], thinks: "aloud", cites: true }
const azures: Omit<Row, "model"> = { lacks: ["topK"], refuses: ["files by URL"], thinks: "silently" }
const responses: Omit<Row, "model"> = {
  lacks: [...sampling, "topK", "stop", "seed"],
  thinks: "aloud",
  cites: true
}
const plain: Omit<Row, "model"> = { lacks: ["topK", "files"], thinks: "silently" }
const aloud: Omit<Row, "model"> = { lacks: ["topK", "files"], thinks: "aloud" }

export const rows: Readonly<Record<string, Row>> = {
  "OpenAi.model": { model: OpenAi.model("gpt-4.1-mini"), ...gpt },
  "OpenAi.model of one that reasons": {
    model: OpenAi.model("gpt-5-mini"),
    lacks: [...sampling, "topK", "stop"],
    refuses: ["files by URL"],
    thinks: "silently",
    cites: true
  },
  "OpenAi.responsesModel": { model: OpenAi.responsesModel("gpt-5-mini"), ...responses },
  "Anthropic.model": { model: Anthropic.model("claude-sonnet-4-5", claude), ...sonnet },
  "Anthropic.model of an old one": {
    model: Anthropic.model("claude-3-5-haiku-latest", claude),
    lacks: [...penalties, "reasoningEffort"],
    cites: true
  },
  "GoogleAiStudio.model": { model: GoogleAiStudio.model("gemini-2.5-flash"), ...gemini },
  "GoogleVertexAi.model": { model: GoogleVertexAi.model("gemini-2.5-flash", vertex), ...gemini },
  "GoogleVertexAi.model with arguments in pieces": {
    model: GoogleVertexAi.model("gemini-3-flash", { ...vertex, streamFunctionCallArguments: true }),
    ...gemini
  },
  "WorkersAi.model": { model: WorkersAi.model(llama), ...workersAi },
  "AzureOpenAi.model": { model: AzureOpenAi.model("my-deployment", azure), ...azures },
  "AzureOpenAi.model with an apiVersion": {
    model: AzureOpenAi.model("my-deployment", { ...azure, apiVersion: "2024-10-21" }),
    ...azures
  },
  "AwsBedrock.model": {
    model: AwsBedrock.model("amazon.nova-lite-v1:0", bedrock),
    lacks: [...penalties, "topK", "reasoningEffort", "parallelToolCalls"],
    refuses: ["images by URL", "files by URL"],
    cites: true
  },
  "AwsBedrock.model of Anthropic": {
    model: AwsBedrock.model("us.anthropic.claude-sonnet-4-5-20250929-v1:0", { ...bedrock, ...claude }),
    lacks: [...penalties, "parallelToolCalls"],
    refuses: ["images by URL", "files by URL"],
    thinks: "aloud, uncounted",
    cites: true
  },
  "AwsBedrock.anthropicModel": {
    model: AwsBedrock.anthropicModel("anthropic.claude-sonnet-4-5", { ...bedrock, ...claude }),
    ...sonnet
  },
  "Cohere.model": {
    model: Cohere.model("command-a-03-2025"),
    lacks: ["reasoningEffort", "parallelToolCalls", ...media],
    refuses: ["toolChoice"],
    mute: ["content-filter"],
    cites: true
  },
  "Mistral.model": { model: Mistral.model("mistral-small-latest"), lacks: ["topK"], thinks: "aloud" },
  "Groq.model": { model: Groq.model("openai/gpt-oss-20b"), ...aloud },
  "Grok.model": { model: Grok.model("grok-4"), ...aloud, cites: true },
  "DeepSeek.model": {
    model: DeepSeek.model("deepseek-chat"),
    lacks: ["topK", "seed", ...media],
    thinks: "aloud"
  },
  "Perplexity.model": {
    model: Perplexity.model("sonar"),
    lacks: ["topK", "stop", "seed", "reasoningEffort", "tools", "parallelToolCalls", "files"],
    cites: true
  },
  "OpenRouter.model": {
    model: OpenRouter.model("openai/gpt-5-mini"),
    lacks: [],
    thinks: "aloud",
    cites: true
  },
  "Cerebras.model": { model: Cerebras.model("gpt-oss-120b"), ...aloud },
  "Fireworks.model": { model: Fireworks.model("accounts/fireworks/models/llama-v3p1-8b-instruct"), ...aloud },
  "Baseten.model": { model: Baseten.model("deepseek-ai/DeepSeek-V4-Pro"), ...plain },
  "Parallel.model": {
    model: Parallel.model("speed"),
    lacks: [
      ...sampling,
      "topK",
      "maxTokens",
      "stop",
      "seed",
      "reasoningEffort",
      "tools",
      "parallelToolCalls",
      ...media
    ]
  },
  "HuggingFace.model": { model: HuggingFace.model("meta-llama/Llama-3.1-8B-Instruct"), ...plain },
  "Custom.define": { model: acme.model("any-model"), ...plain },
  "Custom.define with the format of another": { model: borrowed.model("any-model"), ...plain },
  "Compat.model of OpenAI": {
    model: Compat.model("openai/gpt-5-mini"),
    lacks: [...sampling, "topK", "stop"],
    refuses: ["files by URL"],
    thinks: "silently",
    cites: true
  },
  "Compat.model of Anthropic": { model: Compat.model("anthropic/claude-sonnet-4-5"), ...plain },
  // As Google's own OpenAI-shaped surface has it, the tokens of thoughts are hidden in the total.
  "Compat.model of Google": {
    model: Compat.model("google-ai-studio/gemini-2.5-flash"),
    ...plain,
    thinks: "unseen"
  },
  "Compat.model of Workers AI": { model: Compat.model(`workers-ai/${llama}`), ...plain },
  // Whose model it will be is not known: what it cannot take comes to light when it is asked.
  "Compat.dynamic": {
    model: Compat.dynamic("support", { maxTokensAs: "max_completion_tokens" }),
    ...plain,
    cites: true
  },
  "Compat.auto": { model: Compat.auto({ maxTokensAs: "max_completion_tokens" }), ...plain, cites: true },
  "Replicate.model": {
    model: Replicate.model("meta/meta-llama-3-70b-instruct", { polls: Schedule.forever }),
    lacks: ["reasoningEffort", "tools", "parallelToolCalls", "output", ...media],
    mute: ["length", "content-filter"]
  },
  "AccountApi.model on chat": { model: AccountApi.model("openai/gpt-4.1-mini", { api: "chat" }), ...gpt },
  "AccountApi.model on responses": {
    model: AccountApi.model("openai/gpt-5-mini", { api: "responses" }),
    ...responses
  },
  "AccountApi.model on messages": {
    model: AccountApi.model("anthropic/claude-sonnet-4.5", { api: "messages", ...claude }),
    ...sonnet
  },
  "AccountApi.model on run": { model: AccountApi.model("openai/gpt-4.1-mini", { api: "run" }), ...gpt },
  "AccountApi.model on run, Anthropic's": {
    model: AccountApi.model("anthropic/claude-sonnet-4.5", { api: "run", ...claude }),
    ...sonnet
  },
  "AccountApi.model on chat, Workers AI's": {
    model: AccountApi.model(llama, { api: "chat" }),
    lacks: ["topK", "reasoningEffort", ...media]
  },
  "AccountApi.model on responses, Workers AI's": {
    model: AccountApi.model("@cf/openai/gpt-oss-20b", { api: "responses" }),
    lacks: ["topK", "stop", ...penalties],
    thinks: "aloud",
    cites: true
  },
  "AccountApi.model on run, Workers AI's": { model: AccountApi.model(llama, { api: "run" }), ...workersAi }
}

/** Models of the chosen route and of the router: the one takes `reasoning_effort`, the other `temperature`. */
const chosen = { reasoning: "openai/gpt-5-mini", other: "openai/gpt-4.1-mini" }

const slugs = [...new Set(Object.values(rows).map(({ model }) => model.metadata.provider)), "openai"]

// Plain data that captures nothing: built once for all tests.
export const context = Effect.runSync(Effect.scoped(Layer.build(providers)))
const account = AccountApi.layer({ accountId: "local-account", token: Redacted.make("local-token") })

/** A fresh gateway, behind which every provider is this one. */
export const behind = (
  upstream: LocalGateway.Upstream = LocalGateway.always(LocalGateway.echo),
  { routedTo = "other", ...options }: LocalGateway.Options & { readonly routedTo?: keyof typeof chosen } = {}
) => {
  const upstreams: Record<string, LocalGateway.Upstream> = {}
  for (const slug of slugs) upstreams[slug] = upstream
  return Layer.merge(Layer.succeedContext(context), account).pipe(
    Layer.provideMerge(
      LocalGateway.layerTest({
        routes: { support: [chosen[routedTo]] },
        autoRouterModels: [chosen[routedTo]],
        ...options,
        upstreams: { ...upstreams, ...options.upstreams }
      })
    )
  )
}
