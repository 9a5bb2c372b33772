/** A value that a model gave as the arguments of a tool which it was forced to call, read as the text of its answer. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Decoded, FinishReason } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import { type Decoder, isFault, type Reader } from "./wire.js"

export const reader = (wire: Reader, tool: string): Reader => ({
  ...wire,
  decode: (json) => {
    const decoded = wire.decode(json)
    return isFault(decoded) ? decoded : whole(decoded, tool)
  },
  decoder: () => decoder(wire.decoder(), tool)
})

const whole = (decoded: Decoded, tool: string): Decoded => {
  if (!decoded.parts.some((part) => part.type === "tool-call" && part.name === tool)) return decoded
  const parts: Array<AssistantPart> = []
  for (const part of decoded.parts) {
    if (part.type === "tool-call" && part.name === tool) parts.push({ type: "text", text: part.arguments })
    // What it said besides is not the value.
    else if (part.type !== "text") parts.push(part)
  }
  return { ...decoded, parts, finishReason: stopped(decoded.finishReason) }
}

/** The call was the answer: the model is done. */
const stopped = (reason: FinishReason): FinishReason => (reason === "tool-calls" ? "stop" : reason)

const decoder = (inner: Decoder, tool: string): Decoder => {
  let called = false
  /** The calls whose arguments came in pieces. */
  const told = new Set<number>()
  /** What it says before the call, unless it gives the value itself: dropped if a call comes. */
  let preamble: Array<ChatEvent> | undefined = []
  let said = ""

  const text = (event: Extract<ChatEvent, { _tag: "TextDelta" }>, out: Array<ChatEvent>): void => {
    if (preamble === undefined) {
      if (!called) out.push(event)
      return
    }
    preamble.push(event)
    said += event.text
    // A model that writes the value into its text is read as it goes; anything else waits for the call.
    if (/^\s*[{`]/.test(said)) release(out)
  }

  const release = (out: Array<ChatEvent>): void => {
    for (const event of preamble ?? []) out.push(event)
    preamble = undefined
  }

  const rewrite = (event: ChatEvent, out: Array<ChatEvent>): void => {
    switch (event._tag) {
      case "TextDelta":
        return text(event, out)
      case "ToolCallDelta":
      case "ToolCall":
        if (event.name !== tool) {
          // It calls another tool first: what it said stands before that call.
          release(out)
          break
        }
        called = true
        preamble = undefined
        if (event._tag === "ToolCallDelta") {
          if (event.arguments === "") return
          told.add(event.index)
        } else if (told.has(event.index)) return
        out.push({ _tag: "TextDelta", text: event.arguments })
        return
      case "Usage":
      case "Finish":
        release(out)
        if (event._tag === "Usage" || !called) break
        out.push({ ...event, finishReason: stopped(event.finishReason) })
        return
    }
    out.push(event)
  }

  const rewriteFrom = (out: Array<ChatEvent>, start: number): void => {
    for (const event of out.splice(start)) rewrite(event, out)
  }

  return {
    event(data, name, out) {
      const start = out.length
      const fault = inner.event(data, name, out)
      if (out.length > start) rewriteFrom(out, start)
      return fault
    },
    done: inner.done,
    soFar: inner.soFar,
    end(out) {
      const start = out.length
      const fault = inner.end(out)
      if (out.length > start) rewriteFrom(out, start)
      return fault
    }
  }
}
