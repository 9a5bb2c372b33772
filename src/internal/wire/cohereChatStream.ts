/** Streams of Cohere's `v2/chat`. Source: `protocol/wire-formats.md` §11. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Usage } from "../../ChatResponse.js"
import { isRecord, type JsonRecord, parseJson, recordAt, textAt, typeName } from "../json.js"
import {
  citation,
  failure,
  finishReason,
  hasError,
  hasFailed,
  planned,
  slug,
  thought,
  usage
} from "./cohereChatAnswer.js"
import { pushEnding, withToolCalls } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, malformed, truncated } from "./wire.js"

export const decoder = (): Decoder => {
  const calls = ToolCalls.make()
  // By the vendor's index, whatever its type: it is only compared.
  const open = new Map<unknown, number>()
  let nextCall = 0
  const plan: Array<string> = []
  const thinking: Array<string> = []
  let raw: string | undefined
  let counted: Usage = {}
  let ended = false
  let done = false

  /** Reasoning goes back to the vendor, and is whole when something else comes. */
  const closeReasoning = (out: Array<ChatEvent>): void => {
    if (plan.length > 0) {
      out.push({ _tag: "ReasoningOpaque", provider: slug, data: planned(plan.join("")) })
      plan.length = 0
    }
    if (thinking.length > 0) {
      out.push({ _tag: "ReasoningOpaque", provider: slug, data: thought(thinking.join("")) })
      thinking.length = 0
    }
  }

  const content = (message: JsonRecord | undefined, out: Array<ChatEvent>): Fault | undefined => {
    const piece = message?.content
    if (piece === undefined || piece === null) return undefined
    if (!isRecord(piece)) return wrong("content", "an object", piece)
    const { text, thinking: more } = piece
    if (more !== undefined && more !== null) {
      if (typeof more !== "string") return wrong("content.thinking", "text", more)
      if (more !== "") {
        if (plan.length > 0) closeReasoning(out)
        thinking.push(more)
        out.push({ _tag: "ReasoningDelta", text: more })
      }
    }
    if (text === undefined || text === null) return undefined
    if (typeof text !== "string") return wrong("content.text", "text", text)
    if (text === "") return undefined
    closeReasoning(out)
    out.push({ _tag: "TextDelta", text })
    return undefined
  }

  const toolPlan = (message: JsonRecord | undefined, out: Array<ChatEvent>): Fault | undefined => {
    const more = message?.tool_plan
    if (more === undefined || more === null || more === "") return undefined
    if (typeof more !== "string") return wrong("tool_plan", "text", more)
    if (thinking.length > 0) closeReasoning(out)
    plan.push(more)
    out.push({ _tag: "ReasoningDelta", text: more })
    return undefined
  }

  const toolCall = (
    begins: boolean,
    index: unknown,
    message: JsonRecord | undefined,
    out: Array<ChatEvent>
  ): Fault | undefined => {
    const found = message?.tool_calls
    // Singular content in a plural name; a list of one would be no surprise.
    const call = Array.isArray(found) ? found[0] : found
    if (!begins && (call === undefined || call === null)) return undefined
    const place = "delta.message.tool_calls"
    const fault = ToolCalls.wrongCall(call, place)
    if (fault !== undefined) return fault
    if (!isRecord(call)) return undefined
    const { name, arguments: args } = ToolCalls.functionOf(call)
    let known = open.get(index)
    if (begins) {
      if (typeof name !== "string" || name === "") {
        return malformed(`${place}.function.name`, "expected the name of a tool")
      }
      if (known !== undefined) calls.end(known, out)
      closeReasoning(out)
      known = nextCall++
      open.set(index, known)
    }
    if (known === undefined) return malformed("index", "expected the index of an open tool call")
    calls.add(known, { id: call.id, name, arguments: args }, out)
    return undefined
  }

  const read = (type: string | undefined, json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const { delta } = json
    if (delta !== undefined && delta !== null && !isRecord(delta)) {
      return malformed("delta", `expected an object, found ${typeName(delta)}`)
    }
    const message = isRecord(delta) ? recordAt(delta, "message") : undefined
    switch (type) {
      case "content-start":
      case "content-delta":
        return content(message, out)
      case "content-end":
        closeReasoning(out)
        return undefined
      case "tool-plan-delta":
        return toolPlan(message, out)
      case "tool-call-start":
        return toolCall(true, json.index, message, out)
      case "tool-call-delta":
        return toolCall(false, json.index, message, out)
      case "tool-call-end": {
        const call = open.get(json.index)
        if (call !== undefined) calls.end(call, out)
        open.delete(json.index)
        return undefined
      }
      case "citation-start": {
        const found = message === undefined ? undefined : recordAt(message, "citations")
        if (found !== undefined) out.push({ _tag: "Citation", citation: citation(found) })
        return undefined
      }
      case "message-end":
        return end(delta ?? {})
      default:
        if (hasError(json)) return errorFault(json)
        return type === undefined
          ? malformed("type", `expected text, found ${typeName(json.type)}`)
          : undefined
    }
  }

  const end = (delta: JsonRecord): Fault | undefined => {
    const reason = textAt(delta, "finish_reason")
    if (hasFailed(reason) || textAt(delta, "error") !== undefined) return errorFault(failure(delta))
    ended = true
    raw = reason
    counted = usage(delta.usage)
    return undefined
  }

  return {
    event(data, name, out) {
      if (data === "[DONE]") {
        done = true
        return undefined
      }
      const json = parseJson(data)
      if (!isRecord(json)) {
        return malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)
      }
      return read(textAt(json, "type") ?? name, json, out)
    },
    done: () => done,
    end(out) {
      if (!done && !ended) return truncated
      closeReasoning(out)
      calls.endAll(out)
      pushEnding(out, {
        finishReason: withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: counted
      })
      return undefined
    }
  }
}

const wrong = (place: string, expected: string, found: unknown): Fault =>
  malformed(`delta.message.${place}`, `expected ${expected}, found ${typeName(found)}`)
