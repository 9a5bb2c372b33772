/** Turns of tools that began without a thought. */
import type { AssistantPart, Message } from "../../Message.js"
import { isToolCall } from "./toolCalls.js"

/**
 * Did the model call a tool without a thought that goes back to its provider, and is nothing but results behind it? With a
 * budget to think, Claude's vendors refuse such a turn: it must begin with its thinking.
 */
export const callsWithoutThought = (
  messages: ReadonlyArray<Message>,
  isThought: (part: AssistantPart) => boolean
): boolean => {
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index]
    if (message === undefined || message.role === "user") return false
    if (message.role !== "assistant" || typeof message.content === "string") continue
    if (message.content.some(isToolCall) && !message.content.some(isThought)) return true
  }
  return false
}
