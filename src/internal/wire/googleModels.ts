/**
 * What Google's models can do, told from their names. `protocol/wire-formats.md` §8.1 says that Gemini 3 thinks by level
 * and 2.5 by budget; the levels and budgets of each model are from Google's pages about them, and not confirmed by calls.
 * A Gemini without a version (`gemini-flash-latest`) counts as the newest.
 */
import type { ReasoningEffort } from "../../ChatRequest.js"

export interface Gemini {
  /** How it is told to think; absent where it does not think, or cannot be told. */
  readonly thinking: Levels | Budget | undefined
  /**
   * Can it write JSON by a schema beside tools? Before Gemini 3 the two together are refused (recorded by vercel/ai).
   */
  readonly schemaBesideTools: boolean
  /** Must the first call of each of its turns be signed? */
  readonly signsCalls: boolean
}

export interface Levels {
  readonly levels: readonly [Level, ...ReadonlyArray<Level>]
}

type Level = Extract<ReasoningEffort, "minimal" | "low" | "medium" | "high">

/** Tokens. */
export interface Budget {
  readonly least: number
  readonly most: number
  /** Can its thinking be switched off? */
  readonly canRest: boolean
}

export const gemini = (model: string): Gemini => {
  const name = model.toLowerCase()
  const version = versionOf(name)
  return {
    thinking: version < 205 ? undefined : version < 300 ? budgetOf(name) : levelsOf(name, version),
    schemaBesideTools: version >= 300,
    signsCalls: version >= 300
  }
}

/** `gemini-2.5-flash` is 205. What is no Gemini, or was there before versions, is 0. */
const versionOf = (name: string): number => {
  const found = /(?:^|\/)gemini-(?:(\d{1,2})(?:\.(\d{1,2}))?(?![\d])|(pro(?:-vision)?$))?/.exec(name)
  if (found === null || found[3] !== undefined) return 0
  return found[1] === undefined ? Infinity : Number(found[1]) * 100 + Number(found[2] ?? 0)
}

const budgetOf = (name: string): Budget | undefined => {
  // Models that draw or speak do not think.
  if (/-(image|tts|live|native-audio)/.test(name)) return undefined
  if (name.includes("-pro")) return { least: 128, most: 32_768, canRest: false }
  return { least: name.includes("-lite") ? 512 : 1, most: 24_576, canRest: true }
}

const levelsOf = (name: string, version: number): Levels => {
  if (name.includes("-pro")) return { levels: version < 301 ? ["low", "high"] : ["low", "medium", "high"] }
  // 3.7 refuses to think so little, as vercel/ai has recorded; its lite models do not.
  return version < 307 || name.includes("-lite")
    ? { levels: ["minimal", "low", "medium", "high"] }
    : { levels: ["low", "medium", "high"] }
}
