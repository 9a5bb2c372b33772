/** Ids of tool calls in the one form that Mistral takes. Source: `protocol/wire-formats.md` §4.6. */
import type { AssistantPart, Message } from "../../Message.js"

const ownId = /^[a-zA-Z0-9]{9}$/

/** Ids must be nine letters or digits: those of another vendor's calls are changed, alike in the calls and results. */
export const withOwnIds = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const taken = new Set(messages.flatMap(idsOf))
  const given = new Map<string, string>()
  const idFor = (id: string): string => {
    if (ownId.test(id)) return id
    const known = given.get(id)
    if (known !== undefined) return known
    let number = given.size
    let made: string
    do made = `call${String(number++).padStart(5, "0")}`
    while (taken.has(made))
    taken.add(made)
    given.set(id, made)
    return made
  }
  return messages.map((message) => withIds(message, idFor))
}

const idsOf = (message: Message): ReadonlyArray<string> => {
  switch (message.role) {
    case "tool":
      return message.content.map(({ id }) => id)
    case "assistant":
      return typeof message.content === "string"
        ? []
        : message.content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))
    default:
      return []
  }
}

const withIds = (message: Message, idFor: (id: string) => string): Message => {
  switch (message.role) {
    case "tool":
      return { ...message, content: message.content.map((part) => ({ ...part, id: idFor(part.id) })) }
    case "assistant": {
      if (typeof message.content === "string") return message
      const content = message.content.map(
        (part): AssistantPart => (part.type === "tool-call" ? { ...part, id: idFor(part.id) } : part)
      )
      return { ...message, content }
    }
    default:
      return message
  }
}
