/** Reasoning that stands before the text, between `<think>` and `</think>`. The tags may come in pieces. */

export type PushText = (type: "text" | "reasoning", text: string) => void

export interface ThinkTags {
  /** Reads a piece, in order. */
  readonly add: PushText
  /** No more is to come: tells what was held back. */
  readonly end: () => void
}

const opening = "<think>"
const closing = "</think>"

export const make = (push: PushText): ThinkTags => {
  let state: "start" | "thinking" | "text" = "start"
  /** What may be a part of a tag. */
  let held = ""

  const tell: PushText = (type, text) => {
    if (text !== "") push(type, text)
  }

  const think = (): void => {
    const at = held.indexOf(closing)
    if (at >= 0) {
      const text = held.slice(at + closing.length)
      tell("reasoning", held.slice(0, at))
      held = ""
      state = "text"
      return tell("text", text)
    }
    const begun = begunAt(held)
    tell("reasoning", held.slice(0, begun))
    held = held.slice(begun)
  }

  return {
    add(type, text) {
      // Only text can hold tags.
      if (state === "text" || type === "reasoning") return tell(type, text)
      held += text
      if (state === "thinking") return think()
      if (held.length < opening.length && opening.startsWith(held)) return
      if (held.startsWith(opening)) {
        held = held.slice(opening.length)
        state = "thinking"
        return think()
      }
      state = "text"
      tell("text", held)
      held = ""
    },
    end() {
      tell(state === "thinking" ? "reasoning" : "text", held)
      held = ""
    }
  }
}

/** Where, at the end of a text, the closing tag may have begun; its length if nowhere. */
const begunAt = (text: string): number => {
  for (let length = Math.min(closing.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(closing.slice(0, length))) return text.length - length
  }
  return text.length
}
