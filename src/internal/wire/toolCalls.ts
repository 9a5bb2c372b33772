/** Tool calls that arrive in pieces: each vendor names the pieces differently, but they add up in the same way. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { AssistantMessage, AssistantPart, Message, ToolCallPart } from "../../Message.js"
import { isRecord, type JsonRecord, recordAt, stringify, textAt, typeName } from "../json.js"
import { type Fault, type MalformedFault, malformed } from "./wire.js"

export const isToolCall = (part: AssistantPart): part is ToolCallPart => part.type === "tool-call"

/** Does a message call a tool, or give a tool's result? */
export const isAboutTools = (message: Message): boolean =>
  message.role === "tool" ||
  (message.role === "assistant" && typeof message.content !== "string" && message.content.some(isToolCall))

interface OpenCall {
  id: string | undefined
  name: string | undefined
  readonly pieces: Array<string>
  ended: boolean
}

export interface ToolCalls {
  /** A piece of the call at `index`. Empty or absent parts leave what is known; `arguments` may be an object. */
  readonly add: (
    index: number,
    piece: { readonly id?: unknown; readonly name?: unknown; readonly arguments?: unknown },
    out: Array<ChatEvent>
  ) => void
  /** The call at `index` is complete. */
  readonly end: (index: number, out: Array<ChatEvent>) => void
  /** All calls are complete. */
  readonly endAll: (out: Array<ChatEvent>) => void
  /** The index of the call with this id, if one was opened. */
  readonly indexOf: (id: string) => number | undefined
  /**
   * Where a piece without an index belongs: to the call with its id; else to the call at its position, or, if it came
   * alone, to the latest call. A piece with another id, or with a name for a call that has one, begins a new call.
   */
  readonly locate: (piece: JsonRecord, position: number, alone: boolean) => number
  /** The index of a call that was never named, which nobody can answer. */
  readonly unnamed: () => number | undefined
  /** Forgets calls that were not completed. */
  readonly dropOpen: () => void
  /** How many calls were opened. */
  readonly size: () => number
}

export const make = (): ToolCalls => {
  const calls = new Map<number, OpenCall>()
  let latest = 0
  const indexOf = (id: string): number | undefined => {
    for (const [index, call] of calls) if (call.id === id) return index
    return undefined
  }
  const free = (): number => {
    let index = calls.size
    while (calls.has(index)) index += 1
    return index
  }
  const end = (index: number, out: Array<ChatEvent>): void => {
    const call = calls.get(index)
    if (call === undefined || call.ended) return
    call.ended = true
    out.push({
      _tag: "ToolCall",
      index,
      id: call.id ?? `call_${index}`,
      name: call.name ?? "",
      arguments: argumentsText(call.pieces.join(""))
    })
  }
  return {
    add(index, piece, out) {
      const name = typeof piece.name === "string" && piece.name !== "" ? piece.name : undefined
      const id = typeof piece.id === "string" && piece.id !== "" ? piece.id : undefined
      const text = pieceText(piece.arguments)
      let call = calls.get(index)
      if (call === undefined) {
        // A final entry whose fields are all null closes a stream; it must not open a call of its own.
        if (name === undefined && id === undefined && text === "") return
        call = { id, name: undefined, pieces: [], ended: false }
        calls.set(index, call)
      }
      latest = index
      call.id ??= id
      if (text !== "") call.pieces.push(text)
      if (call.name === undefined) {
        if (name === undefined) return
        call.name = name
        // Arguments may come before the name: they are held until the call can be named.
        out.push({ _tag: "ToolCallDelta", index, name, arguments: call.pieces.join("") })
      } else if (text !== "") {
        out.push({ _tag: "ToolCallDelta", index, name: call.name, arguments: text })
      }
    },
    end,
    endAll(out) {
      for (const index of calls.keys()) end(index, out)
    },
    indexOf,
    locate(piece, position, alone) {
      const id = textAt(piece, "id")
      const known = id === undefined ? undefined : indexOf(id)
      if (known !== undefined) return known
      const index = alone ? latest : position
      const call = calls.get(index)
      if (call === undefined) return index
      if (id !== undefined && call.id !== undefined) return free()
      return textAt(functionOf(piece), "name") !== undefined && call.name !== undefined ? free() : index
    },
    unnamed() {
      for (const [index, call] of calls) if (call.name === undefined) return index
      return undefined
    },
    dropOpen() {
      for (const [index, call] of calls) if (!call.ended) calls.delete(index)
    },
    size: () => calls.size
  }
}

const pieceText = (value: unknown): string =>
  typeof value === "string"
    ? value
    : typeof value === "object" && value !== null
      ? (stringify(value) ?? "")
      : ""

/** Vendors write "no arguments" as nothing, as `null` and as the text `null`. */
export const argumentsText = (value: unknown): string => {
  const text = pieceText(value).trim()
  return text === "" || text === "null" ? "{}" : text
}

/** A call of a body that came whole. */
export const toPart = (
  index: number,
  call: { readonly id?: unknown; readonly name?: unknown; readonly arguments?: unknown }
): ToolCallPart => ({
  type: "tool-call",
  id: typeof call.id === "string" && call.id !== "" ? call.id : `call_${index}`,
  name: typeof call.name === "string" ? call.name : "",
  arguments: argumentsText(call.arguments)
})

/** OpenAI nests a call in `function`; Workers AI also writes it flat. */
export const functionOf = (call: JsonRecord): JsonRecord => recordAt(call, "function") ?? call

/** What is wrong with a call, or with a piece of one, in either form. What is absent is not wrong. */
export const wrongCall = (call: unknown, place: string): MalformedFault | undefined => {
  if (!isRecord(call)) return malformed(place, `expected an object, found ${typeName(call)}`)
  const nested = call.function
  if (nested !== undefined && nested !== null && !isRecord(nested)) {
    return malformed(`${place}.function`, `expected an object, found ${typeName(nested)}`)
  }
  const { name, arguments: args } = functionOf(call)
  const within = isRecord(nested) ? `${place}.function` : place
  if (name !== undefined && name !== null && typeof name !== "string") {
    return malformed(`${within}.name`, `expected text, found ${typeName(name)}`)
  }
  if (args !== undefined && args !== null && typeof args !== "string" && !isRecord(args)) {
    return malformed(`${within}.arguments`, `expected JSON text or an object, found ${typeName(args)}`)
  }
  return isRecord(args) && stringify(args) === undefined
    ? malformed(`${within}.arguments`, "it is nested too deeply")
    : undefined
}

/** The calls of a body that came whole, in either form. Nothing and `null` are no calls. */
export const readAll = (
  calls: unknown,
  place: string,
  push: (part: ToolCallPart) => void
): Fault | undefined => {
  if (calls === undefined || calls === null) return undefined
  if (!Array.isArray(calls)) return malformed(place, `expected an array, found ${typeName(calls)}`)
  for (const [index, call] of calls.entries()) {
    const fault = readOne(call, index, `${place}[${index}]`, push)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** One call of a body that came whole. */
export const readOne = (
  call: unknown,
  index: number,
  place: string,
  push: (part: ToolCallPart) => void
): Fault | undefined => {
  const fault = wrongCall(call, place)
  if (fault !== undefined) return fault
  if (!isRecord(call)) return undefined
  const named = functionOf(call)
  if (textAt(named, "name") === undefined) {
    return malformed(
      named === call ? `${place}.name` : `${place}.function.name`,
      "expected the name of a tool"
    )
  }
  push(toPart(index, { id: call.id, name: named.name, arguments: named.arguments }))
  return undefined
}

/** The calls of an assistant's message in OpenAI's nested form. */
export const encodeAll = (message: AssistantMessage): Array<JsonRecord> => {
  const calls: Array<JsonRecord> = []
  if (typeof message.content === "string") return calls
  for (const part of message.content) {
    if (part.type !== "tool-call") continue
    calls.push({ id: part.id, type: "function", function: { name: part.name, arguments: part.arguments } })
  }
  return calls
}
