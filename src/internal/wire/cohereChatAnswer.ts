/** Whole answers of Cohere's `v2/chat`, and what its streams have in common with them. Source: `protocol/wire-formats.md` §11. */
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import { arrayAt, countAt, isRecord, type JsonRecord, recordAt, sum, textAt, typeName } from "../json.js"
import { withToolCalls } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import { errorFault, type Fault, malformed } from "./wire.js"

/** Marks reasoning that is given back to this vendor. */
export const slug = "cohere"

export const decode = (json: unknown): Decoded | Fault => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  if (hasError(json)) return errorFault(json)
  const rawFinishReason = textAt(json, "finish_reason")
  if (hasFailed(rawFinishReason)) return errorFault(failure(json))
  const { message } = json
  if (!isRecord(message)) return malformed("message", `expected an object, found ${typeName(message)}`)
  const parts: Array<AssistantPart> = []
  const push = (part: AssistantPart): void => {
    parts.push(part)
  }
  const fault =
    readPlan(message.tool_plan, push) ??
    readContent(message.content, push) ??
    ToolCalls.readAll(message.tool_calls, "message.tool_calls", push)
  if (fault !== undefined) return fault
  return {
    parts,
    citations: arrayAt(message, "citations").flatMap((found) => (isRecord(found) ? [citation(found)] : [])),
    finishReason: withToolCalls(finishReason(rawFinishReason), parts.some(ToolCalls.isToolCall)),
    rawFinishReason,
    usage: usage(json.usage)
  }
}

/** Envelopes of others, and Cohere's own (`{"message": "…"}`), which has a status of its own. */
export const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) ||
  json.success === false ||
  typeof json.message === "string"

/** The generation failed, under a status of success. */
export const hasFailed = (raw: string | undefined): boolean => raw === "ERROR" || raw === "TIMEOUT"

/** A failed generation as an error: it may say why, or only that. */
export const failure = (at: JsonRecord): JsonRecord => ({
  error: {
    message: textAt(at, "error") ?? `The model stopped with finish_reason ${String(at.finish_reason)}.`,
    type: textAt(at, "error_type"),
    reason: textAt(at, "finish_reason")
  }
})

const readPlan = (plan: unknown, push: (part: AssistantPart) => void): Fault | undefined => {
  if (plan === undefined || plan === null || plan === "") return undefined
  if (typeof plan !== "string")
    return malformed("message.tool_plan", `expected text, found ${typeName(plan)}`)
  push({ type: "reasoning", text: plan, opaque: { provider: slug, data: planned(plan) } })
  return undefined
}

const readContent = (content: unknown, push: (part: AssistantPart) => void): Fault | undefined => {
  // An answer that only calls tools has none.
  if (content === undefined || content === null) return undefined
  if (typeof content === "string") {
    if (content !== "") push({ type: "text", text: content })
    return undefined
  }
  if (!Array.isArray(content))
    return malformed("message.content", `expected an array, found ${typeName(content)}`)
  const parts: ReadonlyArray<unknown> = content
  for (const [index, part] of parts.entries()) {
    const place = `message.content[${index}]`
    if (!isRecord(part)) return malformed(place, `expected an object, found ${typeName(part)}`)
    const { text, thinking } = part
    switch (part.type) {
      case "text":
        if (typeof text !== "string")
          return malformed(`${place}.text`, `expected text, found ${typeName(text)}`)
        if (text !== "") push({ type: "text", text })
        break
      case "thinking":
        if (typeof thinking !== "string") {
          return malformed(`${place}.thinking`, `expected text, found ${typeName(thinking)}`)
        }
        if (thinking !== "") {
          push({ type: "reasoning", text: thinking, opaque: { provider: slug, data: thought(thinking) } })
        }
        break
      default:
        if (typeof part.type !== "string") {
          return malformed(`${place}.type`, `expected text, found ${typeName(part.type)}`)
        }
    }
  }
  return undefined
}

/** What the model thought, in the form in which it goes back. */
export const thought = (thinking: string): JsonRecord => ({ type: "thinking", thinking })

/** What the model planned before it called tools, likewise. */
export const planned = (plan: string): JsonRecord => ({ tool_plan: plan })

export const citation = (raw: JsonRecord): Citation => {
  let url: string | undefined
  let title: string | undefined
  for (const source of arrayAt(raw, "sources")) {
    if (!isRecord(source)) continue
    const found = recordAt(source, "document") ?? recordAt(source, "tool_output")
    if (found === undefined) continue
    url ??= textAt(found, "url")
    title ??= textAt(found, "title")
  }
  return { url, title, text: textAt(raw, "text"), raw }
}

export const finishReason = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case "COMPLETE":
    case "STOP_SEQUENCE":
      return "stop"
    case "MAX_TOKENS":
      return "length"
    case "TOOL_CALL":
      return "tool-calls"
    case "ERROR_TOXIC":
      return "content-filter"
    default:
      return "other"
  }
}

/** `billed_units` would be less than what was used. */
export const usage = (json: unknown): Usage => {
  if (!isRecord(json)) return {}
  const tokens = recordAt(json, "tokens") ?? {}
  const input = countAt(tokens, "input_tokens")
  const output = countAt(tokens, "output_tokens")
  return {
    input,
    output,
    cacheRead: countAt(json, "cached_tokens"),
    reasoning: countAt(tokens, "reasoning_tokens"),
    total: sum(input, output)
  }
}
