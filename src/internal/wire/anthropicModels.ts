/**
 * What Anthropic's models can do, told from their names. `protocol/wire-formats.md` §7.2 names the fields, but not which
 * model has which: that is from `@ai-sdk/anthropic` 3.0.140 and the notes that Anthropic gave with its models, and not
 * confirmed by calls. A name without a version counts as the newest.
 */
import type { ReasoningEffort } from "../../ChatRequest.js"

export interface Claude {
  /** Has it `output_config.format`, and `strict` tools? From 4.1 on; `claude-3*` and `claude-*-4-0` have neither. */
  readonly structured: boolean
  /** Is its thinking given a budget of tokens (3.7 to 4.5), or an effort (from 4.6 on)? Before 3.7 there is none. */
  readonly thinking: "none" | "budget" | "effort"
  /** The steps of `output_config.effort`. */
  readonly efforts: readonly [Effort, ...ReadonlyArray<Effort>]
  /** Can its thinking be switched off? */
  readonly canRest: boolean
  /** Does it keep its thoughts to itself unless it is asked for a summary? From 4.7 on. */
  readonly hidesThoughts: boolean
  /** Does it take `temperature`, `top_p` and `top_k`? Up to 4.6. */
  readonly sampling: boolean
  /** Does it take `temperature` beside `top_p`? Up to 4.0. */
  readonly bothTemperatureAndTopP: boolean
  /** Can it be forced to call a tool? */
  readonly forcible: boolean
}

type Effort = Extract<ReasoningEffort, "low" | "medium" | "high" | "xhigh">

export const claude = (model: string): Claude => {
  const name = model.toLowerCase()
  const known = versionOf(name)
  const version = known ?? Infinity
  // Of the fifth generation these always think.
  const restless =
    /claude-(fable|mythos)-/.test(name) || (known !== undefined && known >= 505 && !name.includes("haiku"))
  return {
    structured: version >= 401,
    thinking: version < 307 ? "none" : version < 406 ? "budget" : "effort",
    efforts: version < 407 ? ["low", "medium", "high"] : ["low", "medium", "high", "xhigh"],
    canRest: !restless,
    hidesThoughts: version >= 407,
    sampling: known === undefined || known < 407,
    bothTemperatureAndTopP: known === undefined || known < 401,
    forcible: !(restless && known !== undefined && known >= 501)
  }
}

/** `claude-sonnet-4-5-20250929` is 405, `claude-3-7-sonnet-latest` 307, `claude-opus-4-20250514` 400. */
const versionOf = (name: string): number | undefined => {
  const found = /claude-(?:[a-z]+-)?v?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/.exec(name)
  return found === null ? undefined : Number(found[1]) * 100 + Number(found[2] ?? 0)
}
