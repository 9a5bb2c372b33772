/**
 * Workers AI's native format. Source: `protocol/wire-formats.md` §9. Its answers come in five shapes, some of them
 * those of OpenAI, depending on the model.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Decoded } from "../../ChatResponse.js"
import type * as Message from "../../Message.js"
import { isRecord, type JsonRecord, parseJson, stringify, textAt, typeName } from "../json.js"
import { withToolCalls } from "./ending.js"
import * as OpenAiChat from "./openAiChat.js"
import * as OpenAiResponsesAnswer from "./openAiResponsesAnswer.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, isFault, malformed, type Wire } from "./wire.js"
import { encode } from "./workersAiRequest.js"

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
  if (json.response === undefined && isSomething(json.output)) {
    // gpt-oss answers as OpenAI's `responses` does. There is no field in which its reasoning could go back.
    return OpenAiResponsesAnswer.decode(json, prefix, undefined)
  }
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
    soFar: said.soFar,
    end(out) {
      // Events that mean nothing must not add up to an empty answer.
      return said.done() && !answered
        ? malformed("response", "no event of the stream has any")
        : said.end(out, "stop")
    }
  }
}

export const wire: Wire = { encode, decode, decoder }
