/**
 * Replicate's predictions. Source: `protocol/gateway.md` §6 (paths, credential), and Replicate's HTTP API reference
 * (`predictions.create`, `predictions.get`): a prediction is a job with `id`, `status`, `input`, `output`, `error` and
 * `metrics`. Its `output` is a list of pieces of text that grows while the model speaks.
 */
import type { ChatRequest } from "../../ChatRequest.js"
import type { Decoded, Usage } from "../../ChatResponse.js"
import * as Message from "../../Message.js"
import { countAt, isRecord, type JsonRecord, parseJson, recordAt, sum, textAt, typeName } from "../json.js"
import { pushEnding } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import {
  type Decoder,
  type Encoded,
  type EncodeInput,
  errorFault,
  type Fault,
  malformed,
  truncated,
  type Wire
} from "./wire.js"

// --- requests ---------------------------------------------------------------------------------------------------------

/**
 * `predictions` takes official models (`owner/name`) and versions (a hash, or `owner/name:hash`) alike, both in `version`.
 * What `input` may hold is each model's own; these are the names that Replicate's language models share.
 */
const encode = ({ model, request }: EncodeInput): Encoded => {
  const unsupported: Array<string> = []
  const input: Record<string, unknown> = { prompt: promptOf(request.messages) }
  const put = (field: keyof ChatRequest, name: string): void => {
    const value = request[field]
    if (value !== undefined) input[name] = value
  }
  const system = systemOf(request.messages)
  if (system !== "") input.system_prompt = system
  put("maxTokens", model.startsWith("openai/") ? "max_completion_tokens" : "max_tokens")
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", "top_k")
  put("seed", "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  if (request.stop !== undefined) {
    // One text, cut at its commas.
    if (request.stop.some((stop) => stop.includes(","))) unsupported.push("stop")
    else input.stop_sequences = request.stop.join(",")
  }
  unsupported.push(...notCarried(request))
  return {
    endpoint: "predictions",
    headers: { prefer: "wait" },
    body: { version: model, input },
    unsupported
  }
}

/** There is one field for text, and one for instructions. */
const notCarried = ({ messages, tools = [], ...request }: ChatRequest): ReadonlyArray<string> => {
  const features: Array<string> = []
  if (messages.some(ToolCalls.isAboutTools)) features.push("tool calls in messages")
  for (const kind of ["image", "file"] as const) {
    if (messages.some((message) => hasPart(message, kind))) features.push(`${kind}s`)
  }
  if (tools.length > 0) {
    features.push("tools")
    // How tools are to be used goes without saying where there are none.
    for (const field of ["toolChoice", "parallelToolCalls"] as const) {
      if (request[field] !== undefined) features.push(field)
    }
  }
  for (const field of ["output", "reasoningEffort"] as const) {
    if (request[field] !== undefined) features.push(field)
  }
  return features
}

const hasPart = (message: Message.Message, kind: "image" | "file"): boolean =>
  message.role === "user" &&
  typeof message.content !== "string" &&
  message.content.some(({ type }) => type === kind)

const systemOf = (messages: ReadonlyArray<Message.Message>): string =>
  messages
    .flatMap((message) => (message.role === "system" ? [message.content] : []))
    .filter((text) => text !== "")
    .join("\n\n")

/** There is one field for text: a conversation becomes a transcript, which the model goes on with. */
const promptOf = (messages: ReadonlyArray<Message.Message>): string => {
  const turns = messages.flatMap((message) =>
    message.role === "user" || message.role === "assistant"
      ? [{ role: message.role, text: Message.text(message) }]
      : []
  )
  const [only] = turns
  if (turns.length <= 1 && only?.role !== "assistant") return only?.text ?? ""
  const spoken = turns.map(({ role, text }) => `${role === "user" ? "User" : "Assistant"}: ${text}`)
  return turns.at(-1)?.role === "user" ? [...spoken, "Assistant:"].join("\n\n") : spoken.join("\n\n")
}

// --- predictions ------------------------------------------------------------------------------------------------------

/** Is this a prediction that is not over yet? */
export const isRunning = (json: unknown): json is JsonRecord =>
  isRecord(json) && (json.status === "starting" || json.status === "processing")

/** The id of a prediction, if it is one that can stand in a path. */
export const idOf = (json: JsonRecord): string | undefined => {
  const id = textAt(json, "id")
  return id !== undefined && /^[A-Za-z0-9_-]{1,128}$/.test(id) ? id : undefined
}

/** The text so far. */
const outputOf = (output: unknown): string | Fault => {
  if (typeof output === "string") return output
  if (!Array.isArray(output)) {
    return malformed("output", `expected text or an array of texts, found ${typeName(output)}`)
  }
  const pieces: Array<string> = []
  for (const [index, piece] of output.entries()) {
    if (typeof piece !== "string") {
      return malformed(`output[${index}]`, `expected text, found ${typeName(piece)}`)
    }
    pieces.push(piece)
  }
  return pieces.join("")
}

const usage = (json: JsonRecord): Usage => {
  const metrics = recordAt(json, "metrics")
  if (metrics === undefined) return {}
  const input = countAt(metrics, "input_token_count")
  const output = countAt(metrics, "output_token_count")
  return input === undefined && output === undefined ? {} : { input, output, total: sum(input, output) }
}

/** Replicate does not say why the model stopped. */
const ending = (json: JsonRecord) => ({
  finishReason: "stop" as const,
  rawFinishReason: "succeeded",
  usage: usage(json),
  model: textAt(json, "model")
})

/** The fault of a prediction that gave no answer, or none yet. */
const faultOf = (json: unknown): Fault | undefined => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  switch (json.status) {
    case "succeeded":
      return undefined
    case "starting":
    case "processing":
      return truncated
    case "failed":
      return errorFault({ error: { message: textAt(json, "error") ?? "The prediction failed." } })
    case "canceled":
    case "aborted":
      return errorFault({
        error: { message: textAt(json, "error") ?? "The prediction was canceled.", retryable: false }
      })
    default:
      // An error that is not a prediction, such as `{ "title": …, "detail": … }`.
      return json.status === undefined || typeof json.status === "string"
        ? malformed("status", "expected the status of a prediction")
        : errorFault(json)
  }
}

// --- whole answers ----------------------------------------------------------------------------------------------------

const decode = (json: unknown): Decoded | Fault => {
  const fault = faultOf(json)
  if (fault !== undefined) return fault
  if (!isRecord(json)) return malformed("", "expected an object")
  const text = outputOf(json.output)
  if (typeof text !== "string") return text
  return { parts: text === "" ? [] : [{ type: "text", text }], citations: [], ...ending(json) }
}

// --- streams ----------------------------------------------------------------------------------------------------------

/** An event is a whole prediction as a poll has it: only what was not there before is new. */
const decoder = (): Decoder => {
  let said = ""
  let last: JsonRecord | undefined
  return {
    event(data, _name, out) {
      const json = parseJson(data)
      const fault = faultOf(json)
      if (fault !== undefined && fault !== truncated) return fault
      if (!isRecord(json)) return malformed("", "expected an object")
      const over = fault === undefined
      const none = json.output === undefined || json.output === null
      // A model that has not begun has no output yet.
      const text = none && !over ? said : outputOf(json.output)
      if (typeof text !== "string") return text
      if (!text.startsWith(said)) return malformed("output", "it is not what it was before, and more")
      if (text.length > said.length) out.push({ _tag: "TextDelta", text: text.slice(said.length) })
      said = text
      if (over) last = json
      return undefined
    },
    done: () => last !== undefined,
    end(out) {
      if (last === undefined) return truncated
      pushEnding(out, ending(last))
      return undefined
    }
  }
}

export const wire: Wire = { encode, decode, decoder }
