/** Conversations for vendors that demand user and assistant in turns: who speaks twice in a row speaks once. */
import type { AssistantMessage, Message, UserMessage } from "../../Message.js"

export const alternating = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const turns: Array<Message> = []
  for (const message of messages) {
    const last = turns.at(-1)
    if (message.role === "user" && last?.role === "user") turns[turns.length - 1] = joinedUser(last, message)
    else if (message.role === "assistant" && last?.role === "assistant")
      turns[turns.length - 1] = joinedAssistant(last, message)
    else turns.push(message)
  }
  return turns
}

/** Text stays text: a model that takes no parts is asked in words. */
const joinedUser = (first: UserMessage, second: UserMessage): UserMessage =>
  typeof first.content === "string" && typeof second.content === "string"
    ? { role: "user", content: `${first.content}\n\n${second.content}` }
    : { role: "user", content: [...partsOf(first.content), ...partsOf(second.content)] }

const joinedAssistant = (first: AssistantMessage, second: AssistantMessage): AssistantMessage =>
  typeof first.content === "string" && typeof second.content === "string"
    ? { role: "assistant", content: `${first.content}\n\n${second.content}` }
    : { role: "assistant", content: [...partsOf(first.content), ...partsOf(second.content)] }

const partsOf = <Part>(
  content: string | ReadonlyArray<Part>
): ReadonlyArray<Part | { readonly type: "text"; readonly text: string }> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content
