/** Cloudflare's catalog of models: authors, and the providers behind them. */

/** The gateway's slug of an author's provider. */
const authors: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "google-ai-studio",
  xai: "grok",
  groq: "groq",
  deepseek: "deepseek",
  alibaba: "alibaba",
  minimax: "minimax"
}

export interface CatalogModel {
  readonly author: string
  readonly slug: string
  /** The name without its author. */
  readonly model: string
}

/**
 * The model of a name like `anthropic/claude-haiku-4.5`. The catalog writes versions with dots: the provider's own name
 * of the same model, `claude-haiku-4-5`, is none of its names.
 */
export const catalogModel = (name: string): CatalogModel | undefined => {
  const slash = name.indexOf("/")
  const author = name.slice(0, Math.max(0, slash))
  const model = name.slice(slash + 1)
  const slug = authors[author]
  if (slug === undefined || model === "") return undefined
  if (author === "anthropic" && /-\d+-\d+/.test(model)) return undefined
  return { author, slug, model }
}
