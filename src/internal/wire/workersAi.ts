/**
 * Workers AI's native format. Source: `protocol/wire-formats.md` §9. Its answers come in five shapes, some of them
 * those of OpenAI, depending on the model.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { ChatRequest } from "../../ChatRequest.js"
import type { Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import * as Message from "../../Message.js"
import {
  arrayAt,
  countAt,
  isRecord,
  type JsonRecord,
  parseJson,
  recordAt,
  stringify,
  sum,
  textAt,
  typeName
} from "../json.js"
import { withToolCalls } from "./ending.js"
import * as OpenAiChat from "./openAiChat.js"
import * as ToolCalls from "./toolCalls.js"
import {
  type Decoder,
  type Encoded,
  type EncodeInput,
  errorFault,
  type Fault,
  isFault,
  malformed,
  type Wire
} from "./wire.js"

// --- requests ---------------------------------------------------------------------------------------------------------

const encode = ({ model, request, stream }: EncodeInput): Encoded => {
  const body: Record<string, unknown> = { messages: request.messages.flatMap(encodeMessage) }
  const put = (field: keyof ChatRequest, name: string): void => {
    const value = request[field]
    if (value !== undefined) body[name] = value
  }
  put("maxTokens", "max_tokens")
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", "top_k")
  put("seed", "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  if (stream) body.stream = true
  return { endpoint: path(model), body, unsupported: request.stop === undefined ? [] : ["stop"] }
}

/** The model names the path, `@cf/meta/…`. A lone surrogate, which no path can hold, must not throw here. */
const path = (model: string): string =>
  encodeURIComponent(model.replace(/\p{Surrogate}/gu, "\ufffd")).replace(/%(40|2F)/g, decodeURIComponent)

/** Content must be text: no parts, and `""` instead of `null`. There is no field for an assistant's reasoning. */
const encodeMessage = (message: Message.Message): ReadonlyArray<JsonRecord> => {
  switch (message.role) {
    case "system":
    case "user":
      return [{ role: message.role, content: Message.text(message) }]
    case "tool":
      return message.content.map((part) => ({
        role: "tool",
        name: part.name,
        tool_call_id: part.id,
        content: part.result
      }))
    case "assistant": {
      const encoded: Record<string, unknown> = { role: "assistant", content: Message.text(message) }
      const calls = ToolCalls.encodeAll(message)
      if (calls.length > 0) encoded.tool_calls = calls
      return [encoded]
    }
  }
}

// --- whole answers ----------------------------------------------------------------------------------------------------

const decode = (json: unknown): Decoded | Fault => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  if (hasError(json)) return errorFault(json)
  // REST wraps the answer, the binding does not.
  if (json.result === undefined) return decodeResult(json, "")
  if (!isRecord(json.result)) {
    return malformed("result", `expected an object, found ${typeName(json.result)}`)
  }
  return hasError(json.result) ? errorFault(json.result) : decodeResult(json.result, "result.")
}

const decodeResult = (json: JsonRecord, prefix: string): Decoded | Fault => {
  if (hasChoices(json) || (isSomething(json.choices) && json.response === undefined)) {
    return decodeChoices(json, prefix)
  }
  if (json.response === undefined && isSomething(json.output)) return decodeOutput(json, prefix)
  const calls = json.tool_calls
  if (json.response === undefined && !isSomething(calls)) {
    return malformed(`${prefix}response`, "expected it, or tool_calls, choices or output")
  }
  const raw = textAt(json, "finish_reason")
  if (raw === "error") return errorFault(OpenAiChat.stopped(json))
  const parts: Array<Message.AssistantPart> = []
  const push = (part: Message.AssistantPart): void => {
    parts.push(part)
  }
  const text = textOf(json.response)
  if (text === undefined) return wrongResponse(json.response, prefix)
  if (text !== "") parts.push({ type: "text", text })
  const fault = ToolCalls.readAll(calls, `${prefix}tool_calls`, push)
  if (fault !== undefined) return fault
  return {
    parts,
    citations: [],
    finishReason: withToolCalls(
      raw === undefined ? "stop" : OpenAiChat.finishReason(raw),
      parts.some(ToolCalls.isToolCall)
    ),
    rawFinishReason: raw,
    usage: OpenAiChat.usage(json.usage),
    model: textAt(json, "model")
  }
}

const isSomething = (value: unknown): boolean => value !== undefined && value !== null

const hasChoices = (json: JsonRecord): boolean => Array.isArray(json.choices) && json.choices.length > 0

/** The errors of Workers AI, of Cloudflare's API around it, and of the models that speak OpenAI's format. */
const hasError = (json: JsonRecord): boolean =>
  OpenAiChat.hasError(json) ||
  json.name === "AiError" ||
  (json.success !== true && Array.isArray(json.errors) && json.errors.length > 0)

/** `response` may be a number, or the JSON value itself where a schema was asked for. */
const textOf = (response: unknown): string | undefined => {
  switch (typeof response) {
    case "string":
      return response
    case "undefined":
      return ""
    case "number":
      return String(response)
    case "object":
      return response === null ? "" : stringify(response)
    default:
      return undefined
  }
}

const wrongResponse = (response: unknown, prefix: string): Fault =>
  malformed(`${prefix}response`, `expected text, a number or an object, found ${typeName(response)}`)

const chat = OpenAiChat.make({
  endpoint: "",
  maxTokens: "max_tokens",
  askForUsage: false,
  refuses: () => []
})

const decodeChoices = (json: JsonRecord, prefix: string): Decoded | Fault => {
  const decoded = chat.decode(json)
  if (isFault(decoded)) {
    return decoded._tag === "MalformedFault" ? malformed(prefix + decoded.place, decoded.problem) : decoded
  }
  const absent = decoded.rawFinishReason === undefined && decoded.finishReason === "other"
  return absent ? { ...decoded, finishReason: "stop" } : decoded
}

/** gpt-oss answers as OpenAI's `responses` does. */
const decodeOutput = (json: JsonRecord, prefix: string): Decoded | Fault => {
  if (json.status === "failed") return errorFault(json)
  if (!Array.isArray(json.output)) {
    return malformed(`${prefix}output`, `expected an array, found ${typeName(json.output)}`)
  }
  const parts: Array<Message.AssistantPart> = []
  let refusal: string | undefined
  const push = (type: "text" | "reasoning" | "refusal", text: string): void => {
    if (type === "refusal") refusal = (refusal ?? "") + text
    else parts.push({ type, text })
  }
  for (const [index, item] of json.output.entries()) {
    const place = `${prefix}output[${index}]`
    const fault = readItem(item, index, place, push, (call) => parts.push(call))
    if (fault !== undefined) return fault
  }
  const raw = textAt(recordAt(json, "incomplete_details") ?? {}, "reason") ?? textAt(json, "status")
  return {
    parts,
    refusal,
    citations: [],
    finishReason:
      refusal === undefined
        ? withToolCalls(outputFinish(raw), parts.some(ToolCalls.isToolCall))
        : "content-filter",
    rawFinishReason: raw,
    usage: outputUsage(json.usage),
    model: textAt(json, "model")
  }
}

const readItem = (
  item: unknown,
  index: number,
  place: string,
  push: (type: "text" | "reasoning" | "refusal", text: string) => void,
  pushCall: (call: Message.ToolCallPart) => void
): Fault | undefined => {
  if (!isRecord(item)) return malformed(place, `expected an object, found ${typeName(item)}`)
  switch (item.type) {
    case "message":
      return readTexts(item.content, `${place}.content`, "text", push)
    case "reasoning":
      // The reasoning itself, else what the vendor shows of it.
      return arrayAt(item, "content").length > 0
        ? readTexts(item.content, `${place}.content`, "reasoning", push)
        : readTexts(item.summary, `${place}.summary`, "reasoning", push)
    case "function_call":
      return ToolCalls.readOne(
        { id: item.call_id ?? item.id, name: item.name, arguments: item.arguments },
        index,
        place,
        pushCall
      )
    default:
      return typeof item.type === "string"
        ? undefined
        : malformed(`${place}.type`, `expected text, found ${typeName(item.type)}`)
  }
}

const readTexts = (
  content: unknown,
  place: string,
  type: "text" | "reasoning",
  push: (type: "text" | "reasoning" | "refusal", text: string) => void
): Fault | undefined => {
  if (content === undefined || content === null) return undefined
  if (typeof content === "string") {
    if (content !== "") push(type, content)
    return undefined
  }
  if (!Array.isArray(content)) return malformed(place, `expected an array, found ${typeName(content)}`)
  for (const [index, part] of content.entries()) {
    if (!isRecord(part)) return malformed(`${place}[${index}]`, `expected an object, found ${typeName(part)}`)
    const key = part.type === "refusal" ? "refusal" : "text"
    const text = part[key]
    if (typeof text !== "string") {
      return malformed(`${place}[${index}].${key}`, `expected text, found ${typeName(text)}`)
    }
    if (text !== "") push(key === "refusal" ? "refusal" : type, text)
  }
  return undefined
}

const outputFinish = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case undefined:
    case "completed":
      return "stop"
    case "max_output_tokens":
      return "length"
    case "content_filter":
      return "content-filter"
    default:
      return "other"
  }
}

const outputUsage = (json: unknown): Usage => {
  if (!isRecord(json)) return {}
  const input = countAt(json, "input_tokens")
  const output = countAt(json, "output_tokens")
  if (input === undefined && output === undefined) return OpenAiChat.usage(json)
  return {
    input,
    output,
    cacheRead: countAt(recordAt(json, "input_tokens_details") ?? {}, "cached_tokens"),
    reasoning: countAt(recordAt(json, "output_tokens_details") ?? {}, "reasoning_tokens"),
    total: countAt(json, "total_tokens") ?? sum(input, output)
  }
}

// --- streams ----------------------------------------------------------------------------------------------------------

const decoder = (): Decoder => {
  const said = OpenAiChat.accumulator()
  let answered = false

  const native = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const response = json.response
    if (response !== undefined) {
      answered = true
      const text = textOf(response)
      if (text === undefined) return wrongResponse(response, "")
      if (text !== "") out.push({ _tag: "TextDelta", text })
    }
    if (isSomething(json.tool_calls)) {
      answered = true
      const fault = said.toolCalls(json.tool_calls, "tool_calls", out)
      if (fault !== undefined) return fault
    }
    said.usage(json.usage)
    said.model(json)
    if (json.finish_reason === undefined) return undefined
    said.finish(json.finish_reason)
    return json.finish_reason === "error" ? errorFault(OpenAiChat.stopped(json)) : undefined
  }

  return {
    event(data, name, out) {
      if (data === "[DONE]") {
        said.markDone()
        return undefined
      }
      const json = parseJson(data)
      if (!isRecord(json)) return name === "error" ? errorFault(json ?? data) : OpenAiChat.notAnObject(data)
      if (name === "error" || hasError(json)) return errorFault(json)
      // A chunk of a model that speaks OpenAI's format. Some streams mix both.
      if (hasChoices(json) || (isSomething(json.choices) && json.response === undefined)) {
        answered = true
        return said.chunk(json, out)
      }
      return native(json, out)
    },
    done: said.done,
    end(out) {
      // Events that mean nothing must not add up to an empty answer.
      return said.done() && !answered
        ? malformed("response", "no event of the stream has any")
        : said.end(out, "stop")
    }
  }
}

export const wire: Wire = { encode, decode, decoder }
