/**
 * Tool calls that a model wrote into the text of its answer, although it was made to call a tool: as `{ name, arguments }` (or
 * `parameters`), in OpenAI's nested form, with the arguments beside the name, and several in an array.
 *
 * Seen of gpt-oss on Workers AI (github.com/cloudflare/ai issue 574) and of Llama on several hosts. Only where a call was
 * forced, and only of tools that the request has: in any other answer JSON may be what was asked for.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Decoded } from "../../ChatResponse.js"
import type { AssistantPart, ToolCallPart } from "../../Message.js"
import { isRecord, type JsonRecord, parseJson, textAt } from "../json.js"
import * as PartialJson from "../partialJson.js"
import { withToolCalls } from "./ending.js"
import { functionOf, isToolCall, toPart } from "./toolCalls.js"
import { type Decoder, isFault, type Reader } from "./wire.js"

type Names = ReadonlySet<string>

export const reader = (wire: Reader, names: Names): Reader => ({
  ...wire,
  decode: (json) => {
    const decoded = wire.decode(json)
    return isFault(decoded) ? decoded : whole(decoded, names)
  },
  decoder: () => decoder(wire.decoder(), names)
})

// --- what is a call -----------------------------------------------------------------------------------------------------

/** What may stand before the name. Arguments beside the name come after it. */
const envelope: ReadonlySet<string> = new Set(["type", "id", "index", "arguments", "parameters"])

/** Can what has been written of a text still become calls, and nothing else? */
const mayBeCalls = (written: unknown, names: Names): boolean =>
  written === undefined ||
  (Array.isArray(written) ? written.every((call) => mayBeCall(call, names)) : mayBeCall(written, names))

const mayBeCall = (call: unknown, names: Names): boolean => {
  if (!isRecord(call)) return false
  for (const [key, value] of Object.entries(call)) {
    if (key === "name") return typeof value === "string" && begins(value, names)
    if (key === "function") return mayBeCall(value, names)
    if (!envelope.has(key)) return false
    if (key === "type" && !(typeof value === "string" && "function".startsWith(value))) return false
  }
  return true
}

const begins = (text: string, names: Names): boolean => {
  for (const name of names) if (name.startsWith(text)) return true
  return false
}

/** The calls that a text is, if it is nothing else. */
const callsIn = (text: string, names: Names): Array<ToolCallPart> | undefined => {
  const json = parseJson(PartialJson.withoutFence(text))
  if (json === undefined || !mayBeCalls(json, names)) return undefined
  const calls: Array<ToolCallPart> = []
  for (const [index, call] of (Array.isArray(json) ? json : [json]).entries()) {
    const part = callOf(call, index, names)
    if (part === undefined) return undefined
    calls.push(part)
  }
  return calls.length === 0 ? undefined : calls
}

const callOf = (call: unknown, index: number, names: Names): ToolCallPart | undefined => {
  if (!isRecord(call)) return undefined
  const named = functionOf(call)
  const name = textAt(named, "name")
  if (name === undefined || !names.has(name)) return undefined
  const args = named.arguments ?? named.parameters ?? beside(named)
  return isRecord(args) || typeof args === "string"
    ? toPart(index, { id: call.id, name, arguments: args })
    : undefined
}

const beside = (named: JsonRecord): JsonRecord => {
  const args: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(named)) {
    if (key !== "name" && !envelope.has(key)) args[key] = value
  }
  return args
}

// --- whole answers ------------------------------------------------------------------------------------------------------

const whole = (decoded: Decoded, names: Names): Decoded => {
  if (decoded.parts.some(isToolCall)) return decoded
  let text = ""
  for (const part of decoded.parts) if (part.type === "text") text += part.text
  const calls = callsIn(text, names)
  if (calls === undefined) return decoded
  const others: ReadonlyArray<AssistantPart> = decoded.parts.filter(({ type }) => type !== "text")
  return {
    ...decoded,
    parts: [...others, ...calls],
    finishReason: withToolCalls(decoded.finishReason, true)
  }
}

// --- streams ------------------------------------------------------------------------------------------------------------

const decoder = (inner: Decoder, names: Names): Decoder => {
  const json = PartialJson.make()
  /** Everything since the first text, as long as that can become a call. */
  const held: Array<ChatEvent> = []
  let text = ""
  let holding = true

  const release = (out: Array<ChatEvent>): void => {
    holding = false
    for (const event of held) out.push(event)
    held.length = 0
  }

  const hold = (event: ChatEvent, out: Array<ChatEvent>): void => {
    if (event._tag === "TextDelta" && event.text !== "") {
      held.push(event)
      text += event.text
      json.push(event.text)
      if (json.progress() === "broken" || !mayBeCalls(json.value(), names)) release(out)
    } else if (event._tag === "ToolCallDelta" || event._tag === "ToolCall") {
      // It called a tool as it should: what it said besides is text.
      release(out)
      out.push(event)
    } else if (held.length === 0) out.push(event)
    else held.push(event)
  }

  /** Holds back what the inner decoder has added from `start` on. */
  const filter = (out: Array<ChatEvent>, start: number): void => {
    if (!holding || out.length === start) return
    const added = out.splice(start)
    for (const [index, event] of added.entries()) {
      if (holding) hold(event, out)
      else {
        for (const rest of added.slice(index)) out.push(rest)
        return
      }
    }
  }

  const settle = (out: Array<ChatEvent>): void => {
    const calls = callsIn(text, names)
    if (calls === undefined) return release(out)
    holding = false
    for (const event of held) {
      if (event._tag === "Usage" || event._tag === "Finish") pushCalls(calls.splice(0), out)
      if (event._tag === "Finish") {
        out.push({ ...event, finishReason: withToolCalls(event.finishReason, true) })
      } else if (event._tag !== "TextDelta") out.push(event)
    }
    held.length = 0
  }

  return {
    event(data, name, out) {
      const start = out.length
      const fault = inner.event(data, name, out)
      filter(out, start)
      return fault
    },
    done: inner.done,
    soFar: inner.soFar,
    end(out) {
      const start = out.length
      const fault = inner.end(out)
      filter(out, start)
      // A stream that broke off showed nothing of what is held: the next leg may be tried.
      if (fault === undefined && held.length > 0) settle(out)
      return fault
    }
  }
}

const pushCalls = (calls: ReadonlyArray<ToolCallPart>, out: Array<ChatEvent>): void => {
  for (const [index, { id, name, arguments: args }] of calls.entries()) {
    out.push({ _tag: "ToolCallDelta", index, name, arguments: args })
    out.push({ _tag: "ToolCall", index, id, name, arguments: args })
  }
}
