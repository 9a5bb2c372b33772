/** Ids of tool calls, each once in a conversation. */
import type * as Prompt from "@effect/ai/Prompt"

export interface CallIdentity {
  /** What a call of this id is called. Vendors that give no ids number the calls of each answer anew. */
  readonly own: (id: string) => string
  /** Has the conversation a call of this id already? */
  readonly isTaken: (id: string) => boolean
}

export const make = (prompt: Prompt.Prompt): CallIdentity => {
  const taken = new Set<string>()
  for (const message of prompt.content) {
    if (message.role !== "assistant") continue
    for (const part of message.content) {
      if (part.type !== "tool-call") continue
      taken.add(part.id)
      const { aiGateway } = part.options
      if (aiGateway !== undefined) taken.add(aiGateway.callId)
    }
  }
  return {
    own(id) {
      let unique = id
      for (let count = 2; taken.has(unique); count++) unique = `${id}_${count}`
      taken.add(unique)
      return unique
    },
    isTaken: (id) => taken.has(id)
  }
}
