/** The parts of which Google's answers consist, whole and in streams. Source: `protocol/wire-formats.md` §8.2. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { AssistantPart } from "../../Message.js"
import { isRecord, type JsonRecord, textAt, typeName } from "../json.js"
import { Calls, type FunctionCall } from "./googleCalls.js"
import * as ToolCalls from "./toolCalls.js"
import { type Fault, malformed } from "./wire.js"

/** Where the parts of a content go: a whole answer and a stream differ in nothing else. */
interface Sink<Out> {
  readonly text: (text: string, out: Out) => void
  readonly thought: (text: string, signature: string | undefined, out: Out) => void
  /** The signature of the part that is next. */
  readonly signature: (signature: string, out: Out) => void
  readonly call: (call: FunctionCall, out: Out) => void
}

/** Reads the contents of one answer. */
export interface PartsReader<Out> {
  /** An answer that was blocked, or spent on thoughts, has no content or no parts. */
  readonly content: (candidate: JsonRecord, required: boolean, out: Out) => Fault | undefined
  /** Nothing more is to come. */
  readonly end: (out: Out) => Fault | undefined
}

const make = <Out>(sink: Sink<Out>): PartsReader<Out> => {
  const calls = new Calls()
  const content: PartsReader<Out>["content"] = (candidate, required, out) => {
    const { content } = candidate
    if (content === undefined && !required) return undefined
    if (!isRecord(content)) {
      return malformed("candidates[0].content", `expected an object, found ${typeName(content)}`)
    }
    const { parts } = content
    const place = "candidates[0].content.parts"
    if (parts === undefined && !required) return undefined
    if (!Array.isArray(parts)) return malformed(place, `expected an array, found ${typeName(parts)}`)
    for (let index = 0; index < parts.length; index++) {
      const fault = read(parts[index], place, index, out)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  const read = (part: unknown, place: string, index: number, out: Out): Fault | undefined => {
    if (!isRecord(part)) return malformed(`${place}[${index}]`, `expected an object, found ${typeName(part)}`)
    const { text, functionCall } = part
    if (text !== undefined && typeof text !== "string") {
      return malformed(`${place}[${index}].text`, `expected text, found ${typeName(text)}`)
    }
    const signature = textAt(part, "thoughtSignature")
    if (part.thought === true && text !== undefined) {
      if (text !== "" || signature !== undefined) sink.thought(text, signature, out)
      return undefined
    }
    if (signature !== undefined) {
      // The signature of a new call must not get before a call that is still open.
      const isNew = isRecord(functionCall) && textAt(functionCall, "name") !== undefined
      const fault = isNew ? end(out) : undefined
      if (fault !== undefined) return fault
      sink.signature(signature, out)
    }
    if (text !== undefined && text !== "") sink.text(text, out)
    return functionCall === undefined
      ? undefined
      : calls.read(functionCall, `${place}[${index}].functionCall`, (call) => sink.call(call, out))
  }
  const end = (out: Out): Fault | undefined => calls.close((call) => sink.call(call, out))
  return { content, end }
}

/** `thought` tells a thought's own signature from that of the part which follows: a stream's reader joins the two. */
const opaqueData = (thoughtSignature: string, thought: boolean): JsonRecord =>
  thought ? { thoughtSignature, thought } : { thoughtSignature }

/** For an answer that came whole. `provider` marks signatures: whose they are. */
export const whole = (provider: string): PartsReader<Array<AssistantPart>> =>
  make({
    text: (text, out) => {
      out.push({ type: "text", text })
    },
    thought: (text, signature, out) => {
      out.push({
        type: "reasoning",
        text,
        ...(signature === undefined ? {} : { opaque: { provider, data: opaqueData(signature, true) } })
      })
    },
    signature: (signature, out) => {
      out.push({ type: "reasoning", text: "", opaque: { provider, data: opaqueData(signature, false) } })
    },
    call: (call, out) => {
      out.push(ToolCalls.toPart(out.filter(ToolCalls.isToolCall).length, call))
    }
  })

/** For a stream. `provider` marks signatures: whose they are. */
export const streamed = (provider: string, calls: ToolCalls.ToolCalls): PartsReader<Array<ChatEvent>> =>
  make({
    text: (text, out) => {
      out.push({ _tag: "TextDelta", text })
    },
    thought: (text, signature, out) => {
      if (text !== "") out.push({ _tag: "ReasoningDelta", text })
      if (signature !== undefined) {
        out.push({ _tag: "ReasoningOpaque", provider, data: opaqueData(signature, true) })
      }
    },
    signature: (signature, out) => {
      out.push({ _tag: "ReasoningOpaque", provider, data: opaqueData(signature, false) })
    },
    call: (call, out) => {
      const index = calls.size()
      calls.add(index, call, out)
      calls.end(index, out)
    }
  })
