/** How much a model is to think, in the words and numbers of vendors that have fewer steps, or count tokens. */
import type { ReasoningEffort } from "../../ChatRequest.js"

const steps: ReadonlyArray<ReasoningEffort> = ["none", "minimal", "low", "medium", "high", "xhigh"]

/**
 * The step that a vendor has and that is nearest; of two that are as near, the lesser. Not to think at all is near to nothing
 * else: whoever asks for a little gets a little.
 */
export const nearest = <Step extends ReasoningEffort>(
  effort: ReasoningEffort,
  has: readonly [Step, ...ReadonlyArray<Step>]
): Step => {
  const distance = (step: Step): number =>
    step === "none" && effort !== "none"
      ? Number.POSITIVE_INFINITY
      : Math.abs(steps.indexOf(step) - steps.indexOf(effort))
  return has.reduce((best, step) => (distance(step) < distance(best) ? step : best))
}

/** Tokens to think with, for vendors that count them. 1024 is the least that any of them takes. */
export const budgetOf = (effort: ReasoningEffort): number => {
  switch (effort) {
    case "none":
      return 0
    case "minimal":
      return 1024
    case "low":
      return 2048
    case "medium":
      return 8192
    case "high":
      return 16_384
    case "xhigh":
      return 32_768
  }
}
