/**
 * Where each provider is, natively and behind the gateway. One table, read in both directions. Source:
 * `protocol/gateway.md` §6.
 *
 * A place is two templates, for what a native URL and an endpoint begin with; what follows them is the same in both. A
 * name in braces is one label of a host or one segment of a path, and the same text wherever it occurs twice.
 */

/**
 * The slug of a provider that the gateway knows; a custom provider's is `custom-{slug}`.
 *
 * @since 0.1.0
 * @category models
 */
export type Slug =
  | "adobe-firefly"
  | "anthropic"
  | "aws-bedrock"
  | "azure-openai"
  | "baseten"
  | "cartesia"
  | "cerebras"
  | "cohere"
  | "compat"
  | "deepgram"
  | "deepseek"
  | "elevenlabs"
  | "fal"
  | "fireworks"
  | "google-ai-studio"
  | "google-vertex-ai"
  | "grok"
  | "groq"
  | "huggingface"
  | "ideogram"
  | "mistral"
  | "openai"
  | "openrouter"
  | "parallel"
  | "perplexity-ai"
  | "replicate"
  | "workers-ai"

/** What a native URL and an endpoint of the same place begin with. */
export interface Templates {
  readonly native: string
  readonly endpoint: string
}

export interface DirectoryRow {
  /** What the vendor is called elsewhere: in the catalogue, in `compat` models, in other clients. */
  readonly aliases?: ReadonlyArray<string>
  /** Both ways; the first that fits. */
  readonly places: ReadonlyArray<Templates>
  /** Other native URLs that lead to the same provider. */
  readonly otherUrls?: ReadonlyArray<Templates>
  /** Other endpoints that the gateway takes for the same URL. */
  readonly otherEndpoints?: ReadonlyArray<Templates>
}

const at = (native: string, endpoint = ""): Templates => ({ native, endpoint })

/** The whole host, path kept. */
const host = (native: string): DirectoryRow => ({ places: [at(native)] })

/** Everything is under `/v1`. Clients keep it in the endpoint, the documentation leaves it out. */
const version1 = (native: string): DirectoryRow => ({
  places: [at(native, "v1/")],
  otherEndpoints: [at(native)]
})

const vertexPath = "{version}/projects/{project}/locations"

/** In the order in which URLs are looked up. */
export const directory: Readonly<Record<Slug, DirectoryRow>> = {
  openai: {
    ...version1("https://api.openai.com/v1/"),
    // The gateway has one OpenAI: which region answers is a matter of the key.
    otherUrls: [at("https://{region}.api.openai.com/v1/", "v1/")]
  },
  anthropic: host("https://api.anthropic.com/"),
  "google-ai-studio": {
    ...host("https://generativelanguage.googleapis.com/"),
    aliases: ["google"]
  },
  "google-vertex-ai": {
    aliases: ["google-vertex"],
    // The gateway takes the region from the path: a URL that names two would change its region silently.
    places: [
      at(`https://aiplatform.googleapis.com/${vertexPath}/global/`, `${vertexPath}/global/`),
      at(`https://{region}-aiplatform.googleapis.com/${vertexPath}/{region}/`, `${vertexPath}/{region}/`),
      at("https://aiplatform.googleapis.com/")
    ],
    otherUrls: [
      at("https://{region}-aiplatform.googleapis.com/{version}/publishers/", "{version}/publishers/")
    ]
  },
  "azure-openai": {
    aliases: ["azure"],
    places: [
      at("https://{resource}.openai.azure.com/openai/v1/responses", "{resource}/openai/responses"),
      // What Azure documents now. The gateway's documentation does not mention it: this is where `AzureOpenAi` sends it.
      at("https://{resource}.openai.azure.com/openai/v1/", "{resource}/openai/v1/"),
      at("https://{resource}.openai.azure.com/openai/deployments/{deployment}/", "{resource}/{deployment}/")
    ]
  },
  "aws-bedrock": {
    aliases: ["bedrock"],
    places: [
      at("https://bedrock-runtime.{region}.amazonaws.com/", "bedrock-runtime/{region}/"),
      at("https://bedrock-mantle.{region}.api.aws/", "bedrock-mantle/{region}/")
    ]
  },
  "workers-ai": {
    places: [
      at("https://api.cloudflare.com/client/v4/accounts/{accountId}/ai/run/@", "run/@"),
      at("https://api.cloudflare.com/client/v4/accounts/{accountId}/ai/v1/", "v1/")
    ],
    otherEndpoints: [at("https://api.cloudflare.com/client/v4/accounts/{accountId}/ai/run/@", "@")]
  },
  groq: host("https://api.groq.com/openai/v1/"),
  grok: { ...version1("https://api.x.ai/v1/"), aliases: ["xai"] },
  mistral: host("https://api.mistral.ai/"),
  deepseek: host("https://api.deepseek.com/"),
  "perplexity-ai": { ...host("https://api.perplexity.ai/"), aliases: ["perplexity"] },
  cerebras: version1("https://api.cerebras.ai/v1/"),
  openrouter: version1("https://openrouter.ai/api/v1/"),
  fireworks: host("https://api.fireworks.ai/inference/v1/"),
  cohere: { ...host("https://api.cohere.com/"), otherUrls: [at("https://api.cohere.ai/")] },
  replicate: version1("https://api.replicate.com/v1/"),
  huggingface: {
    ...host("https://api-inference.huggingface.co/models/"),
    otherUrls: [at("https://router.huggingface.co/hf-inference/models/")]
  },
  // A model with a host of its own has no place behind the gateway that its URL tells.
  baseten: { places: [at("https://inference.baseten.co/v1/", "v1/")] },
  parallel: host("https://api.parallel.ai/"),
  cartesia: host("https://api.cartesia.ai/"),
  deepgram: host("https://api.deepgram.com/"),
  elevenlabs: host("https://api.elevenlabs.io/"),
  fal: host("https://fal.run/"),
  ideogram: host("https://api.ideogram.ai/"),
  // The gateway's own: only clients of other libraries have such URLs.
  compat: { places: [], otherUrls: [at("https://gateway.ai.cloudflare.com/v1/compat/")] },
  // Known to the gateway, but where it is natively is documented nowhere.
  "adobe-firefly": { places: [] }
}

const isSlug = (name: string): name is Slug => Object.hasOwn(directory, name)

/** A provider by its slug or by any of its other names. */
export const findSlug = (name: string): Slug | undefined => {
  if (isSlug(name)) return name
  for (const [slug, row] of rows()) if (row.aliases?.includes(name)) return slug
  return undefined
}

/** The table's rows, in order. */
export function* rows(): Generator<readonly [Slug, DirectoryRow]> {
  for (const slug of Object.keys(directory)) if (isSlug(slug)) yield [slug, directory[slug]]
}

export const isCustom = (name: string): boolean => /^custom-[a-z0-9][a-z0-9-]*$/.test(name)

/** Says that nobody has this name, and who has a similar one. */
export const unknownProvider = (name: string): string => {
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
  const near = nearNames(name)
  return near.length > 0
    ? `There is no provider ${shown}. Did you mean ${near.join(" or ")}?`
    : `There is no provider ${shown}. There are ${Object.keys(directory).join(", ")} and custom-{slug}.`
}

const nearNames = (name: string): ReadonlyArray<string> => {
  const lower = name.toLowerCase().slice(0, 60)
  // A Workers AI model without its provider.
  if (lower.startsWith("@")) return ["workers-ai"]
  const scored: Array<readonly [Slug, number]> = []
  for (const [slug, row] of rows()) {
    let best = Number.POSITIVE_INFINITY
    for (const known of [slug, ...(row.aliases ?? [])]) best = Math.min(best, distance(lower, known))
    if (best <= (lower.length > 3 ? 2 : 1)) scored.push([slug, best])
  }
  return scored
    .sort((a, b) => a[1] - b[1])
    .slice(0, 3)
    .map(([slug]) => slug)
}

/** How many letters differ; 1 where one name begins with the other. */
const distance = (a: string, b: string): number => {
  if (a.length >= 3 && (a.startsWith(b) || b.startsWith(a))) return 1
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
