/**
 * The gateway's directory of providers: slugs, the headers their credentials come in, and the wire format of
 * each endpoint path that has a built-in model. Paths are accepted in the spellings that Cloudflare's
 * documentation and its own clients use, and in no others.
 */
import { anthropicWire } from "./anthropicUpstream.js"
import { bedrockWire } from "./bedrockUpstream.js"
import { cohereEmbedWire, cohereWire } from "./cohereUpstream.js"
import { parseGoogleEmbedding, parseMistralEmbedding, parseOpenAiEmbedding } from "./embeddingRequests.js"
import { googleWire, vertexWire } from "./googleUpstream.js"
import { compatDialect, type Dialect, dialectOf } from "./openAiDialects.js"
import { openAiWire } from "./openAiUpstream.js"
import { replicateWire } from "./replicateUpstream.js"
import { responsesWire } from "./responsesUpstream.js"
import type { HeaderMap } from "./settings.js"
import { isSignature, serviceAccountProblem, signatureProblem } from "./signatures.js"
import type { Wire } from "./wire.js"
import { workersAiWire } from "./workersAiUpstream.js"

export interface ProviderEntry {
  readonly slug: string
  /** Headers, in lower case, any of which may carry the credential. */
  readonly credentials: ReadonlyArray<string>
  /** The wire format of a path and its query; `undefined` where the provider has no such endpoint. */
  readonly wire: (path: string, query: URLSearchParams) => Wire | undefined
  /** How it says no where the path tells nothing. */
  readonly errors: Wire
  /** What is wrong with the form of a credential that is more than a key. */
  readonly inspect?: (headers: HeaderMap, path: string) => string | undefined
  /** Whether the caller's Cloudflare token is all that it takes. */
  readonly prepaid?: boolean
}

const bearer = ["authorization"]

type Paths = ReadonlyArray<string | RegExp>

const among = (paths: Paths, path: string): boolean =>
  paths.some((known) => (typeof known === "string" ? known === path : known.test(path)))

/** Wires of an OpenAI-shaped provider beside its chat. */
interface Beside {
  readonly responses?: Paths
  readonly embeddings?: Paths
  readonly credentials?: ReadonlyArray<string>
}

const openAiEmbeddings = (dialect: Dialect): Wire => ({
  ...openAiWire(dialect),
  parse: (request) =>
    dialect.name === "mistral" ? parseMistralEmbedding(request) : parseOpenAiEmbedding(request, dialect.name)
})

const openAiShaped = (slug: string, paths: Paths, beside: Beside = {}): ProviderEntry => {
  const dialect = dialectOf(slug)
  const wire = openAiWire(dialect)
  const responses = responsesWire(dialect)
  const embeddings = openAiEmbeddings(dialect)
  return {
    slug,
    credentials: beside.credentials ?? bearer,
    wire: (path) => {
      if (among(paths, path)) return wire
      if (among(beside.responses ?? [], path)) return responses
      return among(beside.embeddings ?? [], path) ? embeddings : undefined
    },
    errors: wire
  }
}

const withoutModel = (slug: string, credentials = bearer): ProviderEntry =>
  openAiShaped(slug, [], { credentials })

const chat = "chat/completions"
const v1Chat = "v1/chat/completions"

const workersAi = (): ProviderEntry => {
  const dialect = dialectOf("workers-ai")
  const chatWire = openAiWire(dialect)
  const responses = responsesWire(dialect)
  const embeddings = openAiEmbeddings(dialect)
  return {
    slug: "workers-ai",
    credentials: bearer,
    wire: (path) => {
      switch (path) {
        case v1Chat:
          return chatWire
        case "v1/responses":
          return responses
        case "v1/embeddings":
          return embeddings
        default:
          return /^(run\/)?@(cf|hf)\//.test(path) ? workersAiWire : undefined
      }
    },
    errors: workersAiWire
  }
}

const generates = /^(generateContent|streamGenerateContent)$/
const embeds = /^(embedContent|batchEmbedContents)$/

/** AI Studio, and Vertex, whose embeddings have another form, which is not built. */
const google = (
  slug: string,
  models: RegExp,
  credentials: ReadonlyArray<string>,
  inspect?: ProviderEntry["inspect"]
): ProviderEntry => {
  const generating = slug === "google-vertex-ai" ? vertexWire : googleWire
  const errors = generating(new URLSearchParams("alt=sse"))
  return {
    slug,
    credentials,
    wire: (path, query) => {
      const [, before = "", method = ""] = /^(.*):(\w+)$/.exec(path) ?? []
      if (!models.test(before)) return undefined
      if (generates.test(method)) return generating(query)
      return slug === "google-ai-studio" && embeds.test(method)
        ? { ...errors, parse: parseGoogleEmbedding }
        : undefined
    },
    errors,
    ...(inspect === undefined ? {} : { inspect })
  }
}

const bedrock = (): ProviderEntry => ({
  slug: "aws-bedrock",
  credentials: bearer,
  wire: (path) => {
    if (/^bedrock-runtime\/[^/]+\/model\/[^/]+\/converse(-stream)?$/.test(path)) return bedrockWire
    return /^bedrock-mantle\/[^/]+\/anthropic\/v1\/messages$/.test(path) ? anthropicWire : undefined
  },
  errors: bedrockWire,
  inspect: (headers, path) =>
    isSignature(headers.authorization ?? "") ? signatureProblem(headers, path) : undefined
})

const cohere = (): ProviderEntry => ({
  slug: "cohere",
  credentials: bearer,
  wire: (path) => (path === "v2/chat" ? cohereWire : path === "v2/embed" ? cohereEmbedWire : undefined),
  errors: cohereWire
})

const replicate = (): ProviderEntry => {
  const wire = replicateWire()
  return {
    slug: "replicate",
    credentials: bearer,
    wire: (path) => (/^(v1\/)?predictions(\/[^/]+(\/cancel)?)?$/.test(path) ? wire : undefined),
    errors: wire
  }
}

const providers = (): ReadonlyArray<ProviderEntry> => [
  workersAi(),
  openAiShaped("openai", [chat, v1Chat], {
    responses: ["responses", "v1/responses"],
    embeddings: ["embeddings", "v1/embeddings"]
  }),
  {
    slug: "anthropic",
    credentials: ["x-api-key", "authorization"],
    wire: (path) => (path === "v1/messages" ? anthropicWire : undefined),
    errors: anthropicWire
  },
  google("google-ai-studio", /^(v1|v1beta)\/models\/[^/:]+$/, ["x-goog-api-key", "authorization"]),
  google(
    "google-vertex-ai",
    /^v1(beta1)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/[^/:]+$/,
    bearer,
    (headers) => serviceAccountProblem((headers.authorization ?? "").replace(/^Bearer\s*/i, ""))
  ),
  openAiShaped(
    "azure-openai",
    [/^[^/]+\/[^/]+\/chat\/completions$/, /^[^/]+\/openai\/v1\/chat\/completions$/],
    {
      responses: [/^[^/]+\/openai\/(v1\/)?responses$/],
      embeddings: [/^[^/]+\/[^/]+\/embeddings$/, /^[^/]+\/openai\/v1\/embeddings$/],
      credentials: ["api-key", "authorization"]
    }
  ),
  openAiShaped("groq", [chat]),
  openAiShaped("grok", [v1Chat], { responses: ["v1/responses"] }),
  openAiShaped("mistral", [v1Chat], { embeddings: ["v1/embeddings"] }),
  openAiShaped("deepseek", [chat]),
  openAiShaped("perplexity-ai", [chat]),
  openAiShaped("cerebras", [chat, v1Chat]),
  openAiShaped("openrouter", [chat, v1Chat], { responses: ["responses", "v1/responses"] }),
  openAiShaped("fireworks", [chat]),
  openAiShaped("baseten", [v1Chat]),
  bedrock(),
  cohere(),
  replicate(),
  // The chat of a model's own path, which Cloudflare documents without saying what it speaks.
  openAiShaped("huggingface", [/^[^/]+\/[^/]+\/v1\/chat\/completions$/]),
  // Its chat's path is not documented by Cloudflare.
  openAiShaped("parallel", [chat, v1Chat, "v1beta/chat/completions"], {
    credentials: ["x-api-key", "authorization"]
  }),
  withoutModel("cartesia", ["x-api-key", "authorization"]),
  withoutModel("deepgram"),
  withoutModel("elevenlabs", ["xi-api-key"]),
  withoutModel("fal"),
  withoutModel("ideogram", ["api-key", "authorization"])
]

/**
 * Providers that Cloudflare documents behind its OpenAI-shaped endpoint, by the prefix of a compat model. Perplexity's
 * slug in the URL is not its prefix here.
 */
const compatPrefixes: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  groq: "groq",
  mistral: "mistral",
  cohere: "cohere",
  perplexity: "perplexity-ai",
  "workers-ai": "workers-ai",
  "google-ai-studio": "google-ai-studio",
  "google-vertex-ai": "google-vertex-ai",
  grok: "grok",
  deepseek: "deepseek",
  cerebras: "cerebras",
  baseten: "baseten",
  parallel: "parallel",
  "aws-bedrock": "aws-bedrock"
}

export interface Directory {
  /** The provider of a slug; a `custom-…` one, or any other, only if it was given an upstream. */
  readonly find: (slug: string) => ProviderEntry | undefined
  /** The same for models that Cloudflare's catalog has, some of whose providers have no endpoint. */
  readonly findRun: (slug: string) => ProviderEntry | undefined
  /** The provider of a compat model's prefix. */
  readonly findCompat: (prefix: string) => ProviderEntry | undefined
  /** What the gateway's own OpenAI-shaped endpoint speaks, with the habits of the provider behind it. */
  readonly compat: (slug: string) => Wire
}

/** Cloudflare runs these itself: they have no endpoint but the account's API. */
const runOnly = ["alibaba", "minimax"]

export const makeDirectory = (configured: ReadonlyArray<string>): Directory => {
  const entries = new Map(providers().map((entry) => [entry.slug, entry]))
  for (const slug of [...configured, ...runOnly])
    if (!entries.has(slug)) entries.set(slug, openAiShaped(slug, [/(^|\/)chat\/completions$/]))
  const find = (slug: string) => entries.get(slug)
  return {
    findRun: find,
    find: (slug) => (runOnly.includes(slug) && !configured.includes(slug) ? undefined : find(slug)),
    findCompat: (prefix) => find(compatPrefixes[prefix] ?? (configured.includes(prefix) ? prefix : "")),
    compat: (slug) => openAiWire(compatDialect(slug))
  }
}
