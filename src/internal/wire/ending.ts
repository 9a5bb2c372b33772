/** How every stream ends: usage, then one `Finish`. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { FinishReason, Usage } from "../../ChatResponse.js"

export interface Ending {
  readonly finishReason: FinishReason
  readonly rawFinishReason?: string | undefined
  readonly usage: Usage
  readonly model?: string | undefined
}

export const pushEnding = (out: Array<ChatEvent>, ending: Ending): void => {
  if (hasUsage(ending.usage)) out.push({ _tag: "Usage", usage: ending.usage })
  out.push({ _tag: "Finish", ...ending })
}

const hasUsage = (usage: Usage): boolean => {
  for (const count of Object.values(usage)) if (count !== undefined) return true
  return false
}

/** A vendor may say `stop` although the model called a tool. */
export const withToolCalls = (reason: FinishReason, calledTools: boolean): FinishReason =>
  calledTools && (reason === "stop" || reason === "other") ? "tool-calls" : reason
