/** The last part of an answer. */
import type * as Response from "@effect/ai/Response"
import type { FinishReason, Usage } from "../../ChatResponse.js"
import type { AnsweredBy } from "./partMetadata.js"

export const toFinishPart = (
  answer: {
    readonly finishReason: FinishReason
    readonly rawFinishReason?: string | undefined
    readonly usage: Usage
  },
  by: AnsweredBy
): Response.FinishPartEncoded => {
  const { usage, rawFinishReason } = answer
  return {
    type: "finish",
    reason: toReason(answer.finishReason, rawFinishReason),
    usage: {
      inputTokens: usage.input,
      outputTokens: usage.output,
      totalTokens: usage.total,
      reasoningTokens: usage.reasoning,
      cachedInputTokens: usage.cacheRead
    },
    metadata: { aiGateway: { ...by, rawFinishReason, cacheWriteTokens: usage.cacheWrite } }
  }
}

const toReason = (reason: FinishReason, raw: string | undefined): Response.FinishReason => {
  if (reason !== "other") return reason
  if (raw === undefined) return "unknown"
  // Anthropic's word for a turn that wants to be taken up again.
  return raw === "pause_turn" ? "pause" : "other"
}
