/** Ids by which a conversation tells the calls of tools apart. */
import * as Message from "../Message.js"

/**
 * Vendors that give calls no ids have them numbered anew in each answer. Others may be asked
 * in a later turn, to whom two calls with one id would be one call.
 */
export const withOwnIds = (
  before: ReadonlyArray<Message.Message>,
  message: Message.AssistantMessage,
  results: ReadonlyArray<Message.ToolResultPart>
): ReadonlyArray<Message.Message> => {
  const taken = new Set<string>()
  for (const { role, content } of before) {
    if (role !== "assistant" || typeof content === "string") continue
    for (const part of content) if (part.type === "tool-call") taken.add(part.id)
  }
  if (!results.some(({ id }) => taken.has(id)) || typeof message.content === "string") {
    return [message, Message.toolResults(results)]
  }
  const ids = results.map(({ id }) => {
    let own = id
    for (let n = 2; taken.has(own); n++) own = `${id}_${n}`
    taken.add(own)
    return own
  })
  let call = 0
  return [
    Message.assistant(
      message.content.map((part) =>
        part.type === "tool-call" ? { ...part, id: ids[call++] ?? part.id } : part
      )
    ),
    Message.toolResults(results.map((result, place) => ({ ...result, id: ids[place] ?? result.id })))
  ]
}
