/** A whole answer in OpenAI's format. Source: `protocol/wire-formats.md` §3.2, §3.5, §4 and §12.2. */
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import {
  arrayAt,
  countAt,
  isRecord,
  type JsonRecord,
  recordAt,
  stringify,
  sum,
  textAt,
  typeName
} from "../json.js"
import { withToolCalls } from "./ending.js"
import type { Reading } from "./openAiDialect.js"
import * as ReasoningDetails from "./openAiReasoningDetails.js"
import * as ThinkTags from "./thinkTags.js"
import * as ToolCalls from "./toolCalls.js"
import { errorFault, type Fault, malformed } from "./wire.js"

export const decode = (reading: Reading, json: unknown): Decoded | Fault => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  if (hasError(json) || reading.failed?.(json) === true) return errorFault(json)
  if (!Array.isArray(json.choices))
    return malformed("choices", `expected an array, found ${typeName(json.choices)}`)
  const choice: unknown = json.choices[0]
  if (!isRecord(choice)) return malformed("choices[0]", `expected an object, found ${typeName(choice)}`)
  const rawFinishReason = textAt(choice, "finish_reason")
  if (rawFinishReason === "error") return errorFault(stopped(choice))
  const parts: Array<AssistantPart> = []
  const push = (part: AssistantPart): void => {
    parts.push(part)
  }
  // A blocked completion may have a finish reason and no message at all.
  const message = choice.message ?? (rawFinishReason === undefined ? undefined : {})
  const place = "choices[0].message"
  if (!isRecord(message)) return malformed(place, `expected an object, found ${typeName(message)}`)
  const wrong =
    wrongText(message, "reasoning_content", place) ??
    wrongText(message, "reasoning", place) ??
    wrongText(message, "refusal", place)
  if (wrong !== undefined) return wrong
  const reasoning = textAt(message, "reasoning_content") ?? textAt(message, "reasoning")
  const detailed = ReasoningDetails.partOf(reading, message, reasoning)
  if (detailed !== undefined) parts.push(detailed)
  else if (reasoning !== undefined) parts.push({ type: "reasoning", text: reasoning })
  const pushText: PushText = (type, text) => push({ type, text })
  const thoughts = reading.thinkTags === true ? ThinkTags.make(pushText) : undefined
  const wrongContent = readContent(message.content, `${place}.content`, thoughts?.add ?? pushText)
  thoughts?.end()
  const fault = wrongContent ?? ToolCalls.readAll(message.tool_calls, `${place}.tool_calls`, push)
  if (fault !== undefined) return fault
  if (message.function_call !== undefined && message.function_call !== null) {
    const wrongCall = ToolCalls.readOne(message.function_call, 0, `${place}.function_call`, push)
    if (wrongCall !== undefined) return wrongCall
  }
  const refusal = textAt(message, "refusal")
  return {
    parts,
    refusal,
    citations: [...(reading.citationsOf?.(json) ?? []), ...arrayAt(message, "annotations").flatMap(citation)],
    finishReason:
      refusal === undefined
        ? withToolCalls(finishReason(rawFinishReason), parts.some(ToolCalls.isToolCall))
        : "content-filter",
    rawFinishReason,
    usage: usage(json.usage ?? reading.usageOf?.(json), reading.reasoningBesideOutput),
    model: textAt(json, "model")
  }
}

export const wrongText = (record: JsonRecord, key: string, place: string): Fault | undefined => {
  const value = record[key]
  return value === undefined || value === null || typeof value === "string"
    ? undefined
    : malformed(`${place}.${key}`, `expected text, found ${typeName(value)}`)
}

/** Is this an error in any of the forms that vendors write in the place of an answer? */
export const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) ||
  json.success === false ||
  json.object === "error" ||
  json.type === "error"

/** What a model that stopped with `finish_reason` "error" said about it. */
export const stopped = (at: JsonRecord): unknown =>
  at.error === undefined || at.error === null ? finishError : at

const finishError = { error: { message: "The model stopped with finish_reason error." } }

type PushText = ThinkTags.PushText

/** Content is text, or parts, or (Workers AI, with a schema) the JSON value itself. */
export const readContent = (content: unknown, place: string, push: PushText): Fault | undefined => {
  if (!isRecord(content)) return readParts(content, place, "text", push)
  const text = stringify(content)
  if (text === undefined) return malformed(place, "it is nested too deeply")
  push("text", text)
  return undefined
}

const readParts = (
  content: unknown,
  place: string,
  type: "text" | "reasoning",
  push: PushText
): Fault | undefined => {
  if (typeof content === "string") {
    if (content !== "") push(type, content)
    return undefined
  }
  if (content === undefined || content === null) return undefined
  if (!Array.isArray(content)) return malformed(place, `expected text, found ${typeName(content)}`)
  for (const [index, part] of content.entries()) {
    if (!isRecord(part)) return malformed(`${place}[${index}]`, `expected an object, found ${typeName(part)}`)
    if (typeof part.type !== "string") {
      return malformed(`${place}[${index}].type`, `expected text, found ${typeName(part.type)}`)
    }
    if (part.type === "thinking" && type === "text") {
      const fault = readParts(part.thinking, `${place}[${index}].thinking`, "reasoning", push)
      if (fault !== undefined) return fault
    } else if (part.type === "text" || part.type === "output_text") {
      if (typeof part.text !== "string") {
        return malformed(`${place}[${index}].text`, `expected text, found ${typeName(part.text)}`)
      }
      if (part.text !== "") push(type, part.text)
    }
  }
  return undefined
}

export const citation = (annotation: unknown): ReadonlyArray<Citation> => {
  if (!isRecord(annotation)) return []
  const found = recordAt(annotation, "url_citation")
  if (found === undefined) return []
  return [{ url: textAt(found, "url"), title: textAt(found, "title"), raw: annotation }]
}

export const finishReason = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case "stop":
      return "stop"
    case "length":
    case "model_length":
      return "length"
    case "tool_calls":
    case "function_call":
      return "tool-calls"
    case "content_filter":
      return "content-filter"
    case "error":
    case "insufficient_system_resource":
      return "error"
    default:
      return "other"
  }
}

export const usage = (json: unknown, reasoningBesideOutput = false): Usage => {
  if (!isRecord(json)) return {}
  const prompt = recordAt(json, "prompt_tokens_details") ?? {}
  const completion = recordAt(json, "completion_tokens_details") ?? {}
  const input = countAt(json, "prompt_tokens")
  const completed = countAt(json, "completion_tokens")
  const reasoning = countAt(completion, "reasoning_tokens")
  const beside = reasoningBesideOutput ? reasoning : undefined
  const total = countAt(json, "total_tokens") ?? sum(input, completed, beside)
  // xAI and Gemini leave reasoning out of `completion_tokens`; the total counts it, and has the last word.
  const output =
    input === undefined || completed === undefined || total === undefined
      ? completed === undefined
        ? undefined
        : sum(completed, beside)
      : total > input + completed
        ? total - input
        : completed
  return {
    input,
    output,
    cacheRead: countAt(prompt, "cached_tokens") ?? countAt(json, "prompt_cache_hit_tokens"),
    cacheWrite: countAt(prompt, "cache_write_tokens"),
    reasoning,
    total
  }
}
