/**
 * OpenAI's `chat/completions`, and what other vendors changed in it. Source: `protocol/wire-formats.md` §3 to §5.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { ChatRequest } from "../../ChatRequest.js"
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import { type AssistantMessage, type AssistantPart, type Message, text } from "../../Message.js"
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
import { pushEnding, withToolCalls } from "./ending.js"
import * as ThinkTags from "./thinkTags.js"
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

/** What a vendor changed. What is optional is as OpenAI has it if absent. */
export interface Dialect extends Reading {
  /** The path behind the slug; may have a query. */
  readonly endpoint: string | ((model: string) => string)
  /** Does the path name the model, so that the body need not? */
  readonly modelInPath?: boolean
  /** The name of the output limit. */
  readonly maxTokens: "max_completion_tokens" | "max_tokens"
  /** Ask for usage in a stream? Some vendors send it unasked and refuse the question. */
  readonly askForUsage: boolean
  /** Fields of `ChatRequest` that this model of this vendor refuses. */
  readonly refuses: (model: string) => ReadonlyArray<keyof ChatRequest>
  /** The name of `seed`. */
  readonly seed?: "random_seed"
  /** Has the vendor no tools? Then calls and results in a conversation are `Unsupported`, and left out. */
  readonly withoutTools?: boolean
  /** Changes a conversation into one that the vendor takes. */
  readonly conversation?: (messages: ReadonlyArray<Message>) => ReadonlyArray<Message>
  /** What an assistant's message has beside its text and calls. `latest`: no message of the user comes after it. */
  readonly replay?: (message: AssistantMessage, latest: boolean, input: EncodeInput) => JsonRecord
}

/** What a vendor changed in its answers. */
export interface Reading {
  /** Where usage is, beside OpenAI's place. */
  readonly usageOf?: (json: JsonRecord) => unknown
  /** Does `completion_tokens` leave the tokens of reasoning out? */
  readonly reasoningBesideOutput?: boolean
  /** The sources that stand beside the choices, in the order by which the text counts them. */
  readonly citationsOf?: (json: JsonRecord) => ReadonlyArray<Citation>
  /** Is this an error in a form that only this vendor has? */
  readonly failed?: (json: JsonRecord) => boolean
  /** Is this the last chunk, where no `[DONE]` follows? */
  readonly last?: (json: JsonRecord) => boolean
  /** Does an answer begin with its reasoning in `<think>` tags? */
  readonly thinkTags?: boolean
}

export const make = (dialect: Dialect): Wire => ({
  encode: (input) => encode(dialect, input),
  decode: (json) => decode(dialect, json),
  decoder: () => decoder(dialect)
})

// --- requests ---------------------------------------------------------------------------------------------------------

const encode = (dialect: Dialect, input: EncodeInput): Encoded => {
  const { model, request, stream } = input
  const unsupported: Array<string> = []
  let messages: ReadonlyArray<Message> = request.messages
  if (dialect.withoutTools === true && messages.some(ToolCalls.isAboutTools)) {
    unsupported.push("tool calls in messages")
    messages = messages.flatMap(withoutTools)
  }
  if (dialect.conversation !== undefined) messages = dialect.conversation(messages)
  const body: Record<string, unknown> = dialect.modelInPath === true ? {} : { model }
  body.messages = encodeMessages(dialect, messages, input)
  const refused = dialect.refuses(model)
  const put = (field: keyof ChatRequest, name: string | undefined): void => {
    const value = request[field]
    if (value === undefined) return
    if (name === undefined || refused.includes(field)) unsupported.push(field)
    else body[name] = value
  }
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", undefined)
  put("maxTokens", dialect.maxTokens)
  put("stop", "stop")
  put("seed", dialect.seed ?? "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  if (stream) {
    body.stream = true
    if (dialect.askForUsage) body.stream_options = { include_usage: true }
  }
  const { endpoint } = dialect
  return { endpoint: typeof endpoint === "string" ? endpoint : endpoint(model), body, unsupported }
}

const withoutTools = (message: Message): ReadonlyArray<Message> => {
  if (!ToolCalls.isAboutTools(message)) return [message]
  if (message.role !== "assistant" || typeof message.content === "string") return []
  const content = message.content.filter((part) => !ToolCalls.isToolCall(part))
  return content.length === 0 ? [] : [{ ...message, content }]
}

const encodeMessages = (
  { replay }: Dialect,
  messages: ReadonlyArray<Message>,
  input: EncodeInput
): ReadonlyArray<JsonRecord> => {
  if (replay === undefined) return messages.flatMap(encodeMessage)
  const lastUser = messages.map(({ role }) => role).lastIndexOf("user")
  return messages.flatMap((message, index) =>
    message.role === "assistant"
      ? encodeMessage(message).map((encoded) => ({
          ...encoded,
          ...replay(message, index > lastUser, input)
        }))
      : encodeMessage(message)
  )
}

const encodeMessage = (message: Message): ReadonlyArray<JsonRecord> => {
  switch (message.role) {
    case "system":
    case "user":
      return [{ role: message.role, content: message.content }]
    case "tool":
      return message.content.map((part) => ({ role: "tool", tool_call_id: part.id, content: part.result }))
    case "assistant": {
      const encoded: Record<string, unknown> = { role: "assistant", content: text(message) }
      const calls = ToolCalls.encodeAll(message)
      if (calls.length > 0) encoded.tool_calls = calls
      return [encoded]
    }
  }
}

// --- whole answers ----------------------------------------------------------------------------------------------------

const decode = (reading: Reading, json: unknown): Decoded | Fault => {
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
  if (reasoning !== undefined) parts.push({ type: "reasoning", text: reasoning })
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

const wrongText = (record: JsonRecord, key: string, place: string): Fault | undefined => {
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
const readContent = (content: unknown, place: string, push: PushText): Fault | undefined => {
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

const citation = (annotation: unknown) => {
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

// --- streams ----------------------------------------------------------------------------------------------------------

/** What a stream has said so far. Workers AI's own stream adds to it too, because it may turn into this one. */
export interface Accumulator {
  /** Reads one event that was parsed. */
  readonly chunk: (json: JsonRecord, out: Array<ChatEvent>) => Fault | undefined
  /** Reads pieces of tool calls, found at `place`. */
  readonly toolCalls: (entries: unknown, place: string, out: Array<ChatEvent>) => Fault | undefined
  readonly usage: (usage: unknown) => void
  readonly model: (json: JsonRecord) => void
  /** The first reason counts: some vendors repeat it, or take it back with null. */
  readonly finish: (reason: unknown) => void
  readonly markDone: () => void
  readonly done: () => boolean
  /** `whenAbsent` is the reason of a stream that was completed without giving one. */
  readonly end: (out: Array<ChatEvent>, whenAbsent: FinishReason) => Fault | undefined
}

export const accumulator = (reading: Reading = {}): Accumulator => {
  const calls = ToolCalls.make()
  const { citationsOf, usageOf } = reading
  let spoken: Array<ChatEvent> = []
  const thoughts =
    reading.thinkTags === true
      ? ThinkTags.make((type, text) =>
          spoken.push({ _tag: type === "text" ? "TextDelta" : "ReasoningDelta", text })
        )
      : undefined
  const cited: Array<string | undefined> = []
  let raw: string | undefined
  let refused = false
  let model: string | undefined
  let counted: unknown
  let done = false

  const finish = (reason: unknown): void => {
    if (raw === undefined && typeof reason === "string" && reason !== "") raw = reason
  }

  const setUsage = (found: unknown): void => {
    // The last usage counts, because some vendors send running totals; but not an empty one after the real one.
    if (isRecord(found) && (counted === undefined || hasTokens(found))) counted = found
  }

  const setModel = (json: JsonRecord): void => {
    if (model === undefined) model = textAt(json, "model")
  }

  const toolCalls = (entries: unknown, place: string, out: Array<ChatEvent>): Fault | undefined => {
    if (!Array.isArray(entries)) return malformed(place, `expected an array, found ${typeName(entries)}`)
    for (let position = 0; position < entries.length; position++) {
      const entry: unknown = entries[position]
      // The place is written out only for a fault: this runs once per fragment.
      const fault = ToolCalls.wrongCall(entry, "") && ToolCalls.wrongCall(entry, `${place}[${position}]`)
      if (fault !== undefined) return fault
      if (!isRecord(entry)) continue
      const index =
        typeof entry.index === "number" ? entry.index : calls.locate(entry, position, entries.length === 1)
      const { name, arguments: args } = ToolCalls.functionOf(entry)
      calls.add(index, { id: entry.id, name, arguments: args }, out)
    }
    return undefined
  }

  const readDelta = (delta: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const key = isNothing(delta.reasoning_content) ? "reasoning" : "reasoning_content"
    const thought = delta[key]
    if (!isNothing(thought)) {
      if (typeof thought !== "string") return wrongText(delta, key, "choices[0].delta")
      out.push({ _tag: "ReasoningDelta", text: thought })
    }
    const content = delta.content
    if (thoughts !== undefined) {
      spoken = out
      const fault = readContent(content, "choices[0].delta.content", thoughts.add)
      if (fault !== undefined) return fault
    } else if (typeof content === "string") {
      if (content !== "") out.push({ _tag: "TextDelta", text: content })
    } else if (content !== undefined && content !== null) {
      const fault = readContent(content, "choices[0].delta.content", (type, text) =>
        out.push({ _tag: type === "text" ? "TextDelta" : "ReasoningDelta", text })
      )
      if (fault !== undefined) return fault
    }
    if (!isNothing(delta.refusal)) {
      if (typeof delta.refusal !== "string") return wrongText(delta, "refusal", "choices[0].delta")
      refused = true
      out.push({ _tag: "RefusalDelta", text: delta.refusal })
    }
    if (delta.tool_calls !== undefined && delta.tool_calls !== null) {
      const fault = toolCalls(delta.tool_calls, "choices[0].delta.tool_calls", out)
      if (fault !== undefined) return fault
    }
    const legacy = delta.function_call
    if (legacy !== undefined && legacy !== null) {
      const fault = ToolCalls.wrongCall(legacy, "choices[0].delta.function_call")
      if (fault !== undefined) return fault
      if (isRecord(legacy)) calls.add(0, { name: legacy.name, arguments: legacy.arguments }, out)
    }
    if (delta.annotations !== undefined) {
      for (const found of arrayAt(delta, "annotations").flatMap(citation))
        out.push({ _tag: "Citation", citation: found })
    }
    return undefined
  }

  /** Some vendors repeat all sources on every chunk: what stands where it stood is not told again. */
  const tellCitations = (citations: ReadonlyArray<Citation>, out: Array<ChatEvent>): void => {
    for (const [index, found] of citations.entries()) {
      if (index < cited.length && cited[index] === found.url) continue
      cited[index] = found.url
      out.push({ _tag: "Citation", citation: found })
    }
  }

  return {
    chunk(json, out) {
      if (json.usage !== undefined) setUsage(json.usage)
      if (usageOf !== undefined) setUsage(usageOf(json))
      if (citationsOf !== undefined) tellCitations(citationsOf(json), out)
      setModel(json)
      const choices = json.choices
      if (choices === undefined || choices === null) return undefined
      if (!Array.isArray(choices))
        return malformed("choices", `expected an array, found ${typeName(choices)}`)
      if (choices.length === 0) return undefined
      const choice: unknown = choices[0]
      if (!isRecord(choice)) return malformed("choices[0]", `expected an object, found ${typeName(choice)}`)
      const delta = choice.delta
      if (delta !== undefined && delta !== null) {
        if (!isRecord(delta))
          return malformed("choices[0].delta", `expected an object, found ${typeName(delta)}`)
        const fault = readDelta(delta, out)
        if (fault !== undefined) return fault
      }
      finish(choice.finish_reason)
      return choice.finish_reason === "error" ? errorFault(stopped(choice)) : undefined
    },
    toolCalls,
    usage: setUsage,
    model: setModel,
    finish,
    markDone() {
      done = true
    },
    done: () => done,
    end(out, whenAbsent) {
      if (!done && raw === undefined) return truncated
      const unnamed = calls.unnamed()
      if (unnamed !== undefined) return malformed(`tool_calls[${unnamed}].name`, "the call was never named")
      spoken = out
      thoughts?.end()
      calls.endAll(out)
      pushEnding(out, {
        finishReason: refused
          ? "content-filter"
          : withToolCalls(raw === undefined ? whenAbsent : finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: usage(counted, reading.reasoningBesideOutput),
        model
      })
      return undefined
    }
  }
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === ""

const hasTokens = (json: JsonRecord): boolean =>
  (countAt(json, "prompt_tokens") ?? 0) > 0 ||
  (countAt(json, "completion_tokens") ?? 0) > 0 ||
  (countAt(json, "total_tokens") ?? 0) > 0

/** An event that is not a JSON object, in the words of an error. */
export const notAnObject = (data: string): Fault =>
  malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)

const decoder = (reading: Reading): Decoder => {
  const said = accumulator(reading)
  let answered = false
  return {
    event(data, name, out) {
      if (data === "[DONE]") {
        said.markDone()
        return undefined
      }
      const json = parseJson(data)
      if (!isRecord(json)) return name === "error" ? errorFault(json ?? data) : notAnObject(data)
      if (name === "error" || hasError(json) || reading.failed?.(json) === true) return errorFault(json)
      answered ||= Array.isArray(json.choices)
      const fault = said.chunk(json, out)
      if (fault === undefined && reading.last?.(json) === true) said.markDone()
      return fault
    },
    done: said.done,
    end(out) {
      // Events that mean nothing must not add up to an empty answer.
      return said.done() && !answered
        ? malformed("choices", "no event of the stream has any")
        : said.end(out, "other")
    }
  }
}
