/**
 * The providers, one row each: their gateway slug and how their key travels. Source: `protocol/gateway.md` §6.
 */
export interface ProviderRow {
  /** The gateway slug. */
  readonly slug: string
  /** The header that carries the key. */
  readonly authHeader: string
  /** What stands before the key in it. */
  readonly authPrefix: string
}

export const row = (slug: string, authHeader = "authorization", authPrefix = "Bearer "): ProviderRow => ({
  slug,
  authHeader,
  authPrefix
})

export const openAi: ProviderRow = row("openai")
export const anthropic: ProviderRow = row("anthropic", "x-api-key", "")
export const googleAiStudio: ProviderRow = row("google-ai-studio", "x-goog-api-key", "")
export const workersAi: ProviderRow = row("workers-ai")
export const azureOpenAi: ProviderRow = row("azure-openai", "api-key", "")
export const deepSeek: ProviderRow = row("deepseek")
// Cloudflare's catalogue of models calls this vendor `xai`.
export const grok: ProviderRow = row("grok")
export const groq: ProviderRow = row("groq")
export const mistral: ProviderRow = row("mistral")
// In the models of the gateway's own OpenAI-shaped endpoint this vendor is `perplexity`.
export const perplexity: ProviderRow = row("perplexity-ai")
// A Bedrock API key; or a signature in its place, or nothing.
export const awsBedrock: ProviderRow = row("aws-bedrock")
// The gateway's documentation shows `Token`; the vendor's own says Bearer.
export const cohere: ProviderRow = row("cohere")
// An access token, or the base64 of a service account's JSON with its region.
export const googleVertexAi: ProviderRow = row("google-vertex-ai")
