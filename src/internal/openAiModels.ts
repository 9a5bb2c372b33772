/**
 * What OpenAI's models are, by their names. The protocol's sources say that they differ (`protocol/wire-formats.md` §3.1);
 * which step belongs to which model is from OpenAI's guide and Vercel's client.
 */
import type { ReasoningEffort } from "../ChatRequest.js"

/** Does this model think before it answers? Then it refuses to be told how to sample. */
export const reasons = (model: string): boolean =>
  // `gpt-5-chat` samples like the models before it.
  /^(?:o\d|gpt-(?:[5-9]|\d\d))(?!-chat)/.test(model)

/** The steps of a model that thinks. */
export const stepsOf = (model: string): readonly [ReasoningEffort, ...ReadonlyArray<ReasoningEffort>] => {
  if (model.startsWith("o")) return ["low", "medium", "high"]
  if (/^gpt-5-pro/.test(model)) return ["high"]
  if (/^gpt-5(?!\.)/.test(model)) return ["minimal", "low", "medium", "high"]
  if (/^gpt-5\.1(?!\d)/.test(model)) return ["none", "low", "medium", "high"]
  if (/^gpt-5\./.test(model)) return ["none", "low", "medium", "high", "xhigh"]
  return ["low", "medium", "high", "xhigh"]
}

/** Is this model known to take neither images nor files? */
export const textOnly = (model: string): boolean => /^(?:gpt-3\.5|o1-mini|o3-mini)/.test(model)
