/**
 * The gateway's directory of providers: slugs, the headers their credentials come in, and the wire format of
 * each endpoint path that has a built-in model. Paths are accepted in the spellings that Cloudflare's
 * documentation and its own clients use, and in no others.
 */
import { anthropicWire } from "./anthropicUpstream.js"
import { googleWire } from "./googleUpstream.js"
import { dialectOf, openAi } from "./openAiDialects.js"
import { openAiWire } from "./openAiUpstream.js"
import { replicateWire } from "./replicateUpstream.js"
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
}

const bearer = ["authorization"]

const openAiShaped = (
  slug: string,
  paths: ReadonlyArray<string | RegExp>,
  credentials = bearer
): ProviderEntry => {
  const wire = openAiWire(dialectOf(slug))
  return {
    slug,
    credentials,
    wire: (path) =>
      paths.some((known) => (typeof known === "string" ? known === path : known.test(path)))
        ? wire
        : undefined,
    errors: wire
  }
}

const withoutModel = (slug: string, credentials = bearer): ProviderEntry =>
  openAiShaped(slug, [], credentials)

const chat = "chat/completions"
const v1Chat = "v1/chat/completions"

const workersAi = (): ProviderEntry => {
  const chatWire = openAiWire(dialectOf("workers-ai"))
  return {
    slug: "workers-ai",
    credentials: bearer,
    wire: (path) =>
      path === v1Chat ? chatWire : /^(run\/)?@(cf|hf)\//.test(path) ? workersAiWire : undefined,
    errors: workersAiWire
  }
}

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
  openAiShaped("openai", [chat, v1Chat]),
  {
    slug: "anthropic",
    credentials: ["x-api-key", "authorization"],
    wire: (path) => (path === "v1/messages" ? anthropicWire : undefined),
    errors: anthropicWire
  },
  {
    slug: "google-ai-studio",
    credentials: ["x-goog-api-key", "authorization"],
    wire: (path, query) =>
      /^(v1|v1beta)\/models\/[^/:]+:(generateContent|streamGenerateContent)$/.test(path)
        ? googleWire(query)
        : undefined,
    errors: googleWire(new URLSearchParams("alt=sse"))
  },
  {
    slug: "google-vertex-ai",
    credentials: bearer,
    wire: (path, query) =>
      /^v1\/projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/[^/:]+:(generateContent|streamGenerateContent)$/.test(
        path
      )
        ? googleWire(query)
        : undefined,
    errors: googleWire(new URLSearchParams("alt=sse"))
  },
  openAiShaped("azure-openai", [/^[^/]+\/[^/]+\/chat\/completions$/], ["api-key", "authorization"]),
  openAiShaped("groq", [chat]),
  openAiShaped("grok", [v1Chat]),
  openAiShaped("mistral", [v1Chat]),
  openAiShaped("deepseek", [chat]),
  openAiShaped("perplexity-ai", [chat]),
  openAiShaped("cerebras", [chat, v1Chat]),
  openAiShaped("openrouter", [chat, v1Chat]),
  openAiShaped("fireworks", [chat]),
  openAiShaped("baseten", [v1Chat]),
  withoutModel("aws-bedrock"),
  withoutModel("cohere"),
  replicate(),
  withoutModel("huggingface"),
  withoutModel("parallel", ["x-api-key", "authorization"]),
  withoutModel("cartesia", ["x-api-key", "authorization"]),
  withoutModel("deepgram"),
  withoutModel("elevenlabs", ["xi-api-key"]),
  withoutModel("fal"),
  withoutModel("ideogram", ["api-key", "authorization"])
]

export interface Directory {
  /** The provider of a slug; a `custom-…` one, or any other, only if it was given an upstream. */
  readonly find: (slug: string) => ProviderEntry | undefined
  /** The provider of a compat model's prefix. */
  readonly findCompat: (prefix: string) => ProviderEntry | undefined
  /** What the gateway's own OpenAI-shaped endpoint speaks, whichever provider is behind it. */
  readonly compat: Wire
}

export const makeDirectory = (configured: ReadonlyArray<string>): Directory => {
  const entries = new Map(providers().map((entry) => [entry.slug, entry]))
  for (const slug of configured)
    if (!entries.has(slug)) entries.set(slug, openAiShaped(slug, [/(^|\/)chat\/completions$/]))
  const find = (slug: string) => entries.get(slug)
  // Perplexity's slug in the URL is not its prefix in a compat model.
  return {
    find,
    findCompat: (prefix) => find(prefix === "perplexity" ? "perplexity-ai" : prefix),
    compat: openAiWire(openAi)
  }
}
