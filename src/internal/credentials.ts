/**
 * How each provider's key travels. Source: `protocol/gateway.md` §6: what its documentation shows first; Cohere's, Deepgram's
 * and Fal's prefixes contradict other lines of the same row, and are the vendors' own.
 */
import * as Redacted from "effect/Redacted"
import type { Slug } from "./directory.js"
import * as Rows from "./providerTable.js"

/**
 * A provider whose header is known: all but Adobe Firefly, of which nothing is documented.
 *
 * @since 0.1.0
 * @category credentials
 */
export type WithCredential = Exclude<Slug, "adobe-firefly">

/**
 * A provider's slug, the header that carries its key, and what stands before the key in it.
 *
 * @since 0.1.0
 * @category credentials
 */
export interface Credential {
  readonly slug: string
  readonly authHeader: string
  readonly authPrefix: string
}

const bearer = (slug: Slug): Credential => Rows.row(slug)

/** A function, so that nothing is made at import. */
export const credentialOf = (slug: WithCredential): Credential => {
  switch (slug) {
    case "anthropic":
      return Rows.anthropic
    case "google-ai-studio":
      return Rows.googleAiStudio
    case "azure-openai":
      return Rows.azureOpenAi
    case "parallel":
    case "cartesia":
      return Rows.row(slug, "x-api-key", "")
    case "elevenlabs":
      return Rows.row(slug, "xi-api-key", "")
    case "ideogram":
      return Rows.row(slug, "api-key", "")
    case "deepgram":
      return Rows.row(slug, "authorization", "Token ")
    case "fal":
      return Rows.row(slug, "authorization", "Key ")
    case "aws-bedrock":
    case "baseten":
    case "cerebras":
    case "cohere":
    case "compat":
    case "deepseek":
    case "fireworks":
    case "google-vertex-ai":
    case "grok":
    case "groq":
    case "huggingface":
    case "mistral":
    case "openai":
    case "openrouter":
    case "perplexity-ai":
    case "replicate":
    case "workers-ai":
      return bearer(slug)
  }
}

/** The header that a provider wants, with the key in it. */
export const headerOf = (
  { authHeader, authPrefix }: Credential,
  key: Redacted.Redacted
): Readonly<Record<string, Redacted.Redacted>> => ({
  [authHeader]: authPrefix === "" ? key : Redacted.make(`${authPrefix}${Redacted.value(key)}`)
})
