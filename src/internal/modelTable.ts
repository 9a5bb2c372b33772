/**
 * What is known of single models: tokens of prompt and answer together, and of an answer. A model that is not here has
 * no limits in its metadata; a guess would be worse than none. Dated versions share the row of the name they begin with.
 */
export interface ModelLimits {
  readonly contextWindow?: number
  readonly maxOutputTokens?: number
}

type Row = readonly [name: string, contextWindow: number, maxOutputTokens?: number]

const gemini: ReadonlyArray<Row> = [
  ["gemini-2.5-pro", 1_048_576, 65_536],
  ["gemini-2.5-flash", 1_048_576, 65_536],
  ["gemini-2.5-flash-lite", 1_048_576, 65_536],
  ["gemini-2.0-flash", 1_048_576, 8192]
]

const tables: Readonly<Record<string, ReadonlyArray<Row>>> = {
  openai: [
    ["gpt-5", 400_000, 128_000],
    ["gpt-5-mini", 400_000, 128_000],
    ["gpt-5-nano", 400_000, 128_000],
    ["gpt-4.1", 1_047_576, 32_768],
    ["gpt-4.1-mini", 1_047_576, 32_768],
    ["gpt-4.1-nano", 1_047_576, 32_768],
    ["gpt-4o", 128_000, 16_384],
    ["gpt-4o-mini", 128_000, 16_384],
    ["o3", 200_000, 100_000],
    ["o3-mini", 200_000, 100_000],
    ["o4-mini", 200_000, 100_000]
  ],
  anthropic: [
    ["claude-opus-4-1", 200_000, 32_000],
    ["claude-sonnet-4-5", 200_000, 64_000],
    ["claude-haiku-4-5", 200_000, 64_000],
    ["claude-3-5-haiku", 200_000, 8192]
  ],
  "google-ai-studio": gemini,
  "google-vertex-ai": gemini,
  "workers-ai": [
    ["@cf/meta/llama-3.1-8b-instruct", 7968],
    ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", 24_000]
  ]
}

/** A version behind a name: `-20251001`, `-2025-08-07`, `-latest`, `-001`. */
const version = /-(\d{8}|\d{4}-\d{2}-\d{2}|latest|\d{3})$/

export const limitsOf = (provider: string, model: string): ModelLimits | undefined => {
  const name = model.replace(version, "")
  for (const [known, contextWindow, maxOutputTokens] of tables[provider] ?? []) {
    if (known === model || known === name) {
      return maxOutputTokens === undefined ? { contextWindow } : { contextWindow, maxOutputTokens }
    }
  }
  return undefined
}
