/**
 * Anthropic's `v1/messages`. Source: `protocol/wire-formats.md` §7.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { ChatRequest } from "../../ChatRequest.js"
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart, Message } from "../../Message.js"
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

/** Marks opaque reasoning of this wire format. */
const slug = "anthropic"

/** Under the later version, `2026-10-21`, sampling parameters are refused. */
const version = "2023-06-01"

/** The wire format demands a limit; every model allows this one. */
const defaultMaxTokens = 4096

// --- requests ---------------------------------------------------------------------------------------------------------

const encode = ({ model, request, stream, provider, maxOutputTokens }: EncodeInput): Encoded => {
  const body: Record<string, unknown> = {
    model,
    max_tokens: request.maxTokens ?? maxOutputTokens ?? defaultMaxTokens
  }
  const system = encodeSystem(request.messages)
  if (system !== undefined) body.system = system
  body.messages = encodeMessages(request.messages, provider)
  const unsupported: Array<string> = []
  const put = (field: keyof ChatRequest, name: string | undefined): void => {
    const value = request[field]
    if (value === undefined) return
    if (name === undefined) unsupported.push(field)
    else body[name] = value
  }
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", "top_k")
  put("stop", "stop_sequences")
  put("seed", undefined)
  put("frequencyPenalty", undefined)
  put("presencePenalty", undefined)
  if (stream) body.stream = true
  return { endpoint: "v1/messages", headers: { "anthropic-version": version }, body, unsupported }
}

const encodeSystem = (messages: ReadonlyArray<Message>): string | ReadonlyArray<JsonRecord> | undefined => {
  const texts: Array<string> = []
  for (const message of messages) {
    if (message.role === "system" && message.content !== "") texts.push(message.content)
  }
  return texts.length > 1 ? texts.map((text) => ({ type: "text", text })) : texts[0]
}

const encodeMessages = (messages: ReadonlyArray<Message>, provider: string): ReadonlyArray<JsonRecord> => {
  const ids = makeIds()
  const encoded: Array<JsonRecord> = []
  for (const message of messages) {
    switch (message.role) {
      case "system":
        break
      case "user":
        encoded.push({ role: "user", content: message.content })
        break
      case "tool": {
        // A message without a block is refused.
        if (message.content.length === 0) break
        encoded.push({
          role: "user",
          content: message.content.map((part) => ({
            type: "tool_result",
            tool_use_id: ids.of(part.id),
            content: part.result,
            ...(part.isError === true ? { is_error: true } : {})
          }))
        })
        break
      }
      case "assistant": {
        const content =
          typeof message.content === "string"
            ? message.content
            : message.content.flatMap((part) => encodePart(part, provider, ids))
        if (content.length > 0) encoded.push({ role: "assistant", content })
        break
      }
    }
  }
  return encoded
}

const encodePart = (part: AssistantPart, provider: string, ids: Ids): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      // An empty text block is refused.
      return part.text === "" ? [] : [{ type: "text", text: part.text }]
    case "reasoning": {
      // Only a signed block is accepted, and only by who signed it.
      const { opaque } = part
      if (opaque === undefined || opaque.provider !== provider || !isRecord(opaque.data)) return []
      const { type } = opaque.data
      return type === "thinking" || type === "redacted_thinking" ? [opaque.data] : []
    }
    case "tool-call": {
      const input = parseJson(part.arguments)
      return [
        { type: "tool_use", id: ids.open(part.id), name: part.name, input: isRecord(input) ? input : {} }
      ]
    }
  }
}

interface Ids {
  /** The wire id of a new call. */
  readonly open: (id: string) => string
  /** The wire id of the latest call with this id. */
  readonly of: (id: string) => string
}

/**
 * Ids must be unique in the whole conversation and have few kinds of characters. Ids of other vendors' calls may be
 * neither: `functions.search:0`, or `call_0` at every turn.
 */
const makeIds = (): Ids => {
  const wireIds = new Map<string, string>()
  const used = new Set<string>()
  const clean = (id: string): string => (id === "" ? "call" : id.replace(/[^a-zA-Z0-9_-]/g, "_"))
  return {
    open(id) {
      const base = clean(id)
      let unique = base
      for (let count = 2; used.has(unique); count++) unique = `${base}_${count}`
      used.add(unique)
      wireIds.set(id, unique)
      return unique
    },
    of: (id) => wireIds.get(id) ?? clean(id)
  }
}

// --- whole answers ----------------------------------------------------------------------------------------------------

const decode = (json: unknown): Decoded | Fault => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  if (json.type === "error" || hasError(json)) return errorFault(json)
  if (!Array.isArray(json.content)) {
    return malformed("content", `expected an array, found ${typeName(json.content)}`)
  }
  const content: ReadonlyArray<unknown> = json.content
  const parts: Array<AssistantPart> = []
  const citations: Array<Citation> = []
  let calls = 0
  for (const [index, block] of content.entries()) {
    const place = `content[${index}]`
    if (!isRecord(block)) return malformed(place, `expected an object, found ${typeName(block)}`)
    switch (block.type) {
      case "text": {
        if (typeof block.text !== "string") return expectedText(`${place}.text`, block.text)
        if (block.text !== "") parts.push({ type: "text", text: block.text })
        for (const cited of arrayAt(block, "citations")) if (isRecord(cited)) citations.push(citation(cited))
        break
      }
      case "thinking": {
        if (typeof block.thinking !== "string") return expectedText(`${place}.thinking`, block.thinking)
        const signature = textAt(block, "signature")
        if (signature !== undefined)
          parts.push(opaquePart(block.thinking, thinkingBlock(block.thinking, signature)))
        else if (block.thinking !== "") parts.push({ type: "reasoning", text: block.thinking })
        break
      }
      case "redacted_thinking": {
        if (typeof block.data !== "string") return expectedText(`${place}.data`, block.data)
        parts.push(opaquePart("", { type: "redacted_thinking", data: block.data }))
        break
      }
      case "tool_use": {
        const input = toolInput(block, place)
        if (typeof input !== "string") return input
        parts.push(ToolCalls.toPart(calls, { id: block.id, name: block.name, arguments: input }))
        calls++
        break
      }
      default:
        // Blocks of the provider's own tools say nothing to the reader; a block without a type is no block.
        if (typeof block.type !== "string") return expectedText(`${place}.type`, block.type)
    }
  }
  const rawFinishReason = textAt(json, "stop_reason")
  return {
    parts,
    refusal: explanation(rawFinishReason, json),
    citations,
    finishReason: withToolCalls(finishReason(rawFinishReason), calls > 0),
    rawFinishReason,
    usage: isRecord(json.usage) ? usage(counts(json.usage)) : {},
    model: textAt(json, "model")
  }
}

const expectedText = (place: string, found: unknown): Fault =>
  malformed(place, `expected text, found ${typeName(found)}`)

/** The gateway's own envelopes have no `type`. */
const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) || json.success === false

/** Checks a call, and gives its input as text. */
const toolInput = (block: JsonRecord, place: string): string | Fault => {
  const { input, name } = block
  if (typeof name !== "string") return expectedText(`${place}.name`, name)
  if (name === "") return malformed(`${place}.name`, "expected a tool's name, found empty text")
  if (input === undefined || input === null) return "{}"
  if (!isRecord(input)) return malformed(`${place}.input`, `expected an object, found ${typeName(input)}`)
  return stringify(input) ?? malformed(`${place}.input`, "the object is nested too deeply")
}

const thinkingBlock = (thinking: string, signature: string): JsonRecord => ({
  type: "thinking",
  thinking,
  signature
})

const opaquePart = (text: string, data: JsonRecord): AssistantPart => ({
  type: "reasoning",
  text,
  opaque: { provider: slug, data }
})

const citation = (raw: JsonRecord): Citation => ({
  text: textAt(raw, "cited_text"),
  url: textAt(raw, "url") ?? (raw.type === "search_result_location" ? textAt(raw, "source") : undefined),
  title: textAt(raw, "title") ?? textAt(raw, "document_title"),
  raw
})

/** Why the model refused; `at` is what holds `stop_details`. */
const explanation = (reason: string | undefined, at: JsonRecord): string | undefined => {
  if (reason !== "refusal") return undefined
  const details = recordAt(at, "stop_details")
  return details === undefined ? undefined : textAt(details, "explanation")
}

const finishReason = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case "end_turn":
    case "stop_sequence":
      return "stop"
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length"
    case "tool_use":
      return "tool-calls"
    case "refusal":
      return "content-filter"
    default:
      return "other"
  }
}

/** Usage in the vendor's own sense: `input` without the cache. */
interface Counts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly reasoning: number | undefined
}

const counts = (json: JsonRecord): Counts => ({
  input: countAt(json, "input_tokens"),
  output: countAt(json, "output_tokens"),
  cacheRead: countAt(json, "cache_read_input_tokens"),
  cacheWrite: countAt(json, "cache_creation_input_tokens"),
  reasoning: countAt(recordAt(json, "output_tokens_details") ?? {}, "thinking_tokens")
})

const noCounts: Counts = counts({})

/** Counts are running totals: a later one replaces, but a zero does not take back what was counted. */
const later = (known: number | undefined, next: number | undefined): number | undefined =>
  next === undefined || (next === 0 && known !== undefined) ? known : next

const laterCounts = (known: Counts, next: Counts): Counts => ({
  input: later(known.input, next.input),
  output: later(known.output, next.output),
  cacheRead: later(known.cacheRead, next.cacheRead),
  cacheWrite: later(known.cacheWrite, next.cacheWrite),
  reasoning: later(known.reasoning, next.reasoning)
})

const usage = (counts: Counts): Usage => {
  const { output, cacheRead, cacheWrite, reasoning } = counts
  // Without its greatest part the sum would be wrong, not incomplete.
  const input = counts.input === undefined ? undefined : sum(counts.input, cacheRead, cacheWrite)
  return { input, output, cacheRead, cacheWrite, reasoning, total: sum(input, output) }
}

// --- streams ----------------------------------------------------------------------------------------------------------

type OpenBlock =
  | { readonly type: "thinking"; readonly pieces: Array<string>; signature: string | undefined }
  | { readonly type: "tool"; readonly call: number; readonly input: string; fed: boolean }
  | { readonly type: "other" }

const other: OpenBlock = { type: "other" }

const decoder = (): Decoder => {
  const calls = ToolCalls.make()
  // By the vendor's index, whatever its type: it is only compared.
  const blocks = new Map<unknown, OpenBlock>()
  // A restarted message counts its blocks from 0 again; the calls of a stream must stay distinct.
  let nextCall = 0
  let raw: string | undefined
  let explained = false
  let model: string | undefined
  let counted = noCounts
  let done = false

  const restart = (json: JsonRecord): void => {
    blocks.clear()
    calls.dropOpen()
    raw = undefined
    const message = recordAt(json, "message")
    if (message === undefined) return
    model = textAt(message, "model") ?? model
    // The output count of a message that has just begun is a placeholder.
    const begun = recordAt(message, "usage")
    counted = begun === undefined ? noCounts : { ...counts(begun), output: undefined }
  }

  const open = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const block = json.content_block
    if (!isRecord(block)) return malformed("content_block", `expected an object, found ${typeName(block)}`)
    close(json.index, out)
    switch (block.type) {
      case "text": {
        if (typeof block.text === "string") {
          if (block.text !== "") out.push({ _tag: "TextDelta", text: block.text })
        } else if (block.text !== undefined) return expectedText("content_block.text", block.text)
        for (const cited of arrayAt(block, "citations")) {
          if (isRecord(cited)) out.push({ _tag: "Citation", citation: citation(cited) })
        }
        blocks.set(json.index, other)
        return undefined
      }
      case "thinking": {
        const pieces: Array<string> = []
        if (typeof block.thinking === "string") {
          if (block.thinking !== "") {
            pieces.push(block.thinking)
            out.push({ _tag: "ReasoningDelta", text: block.thinking })
          }
        } else if (block.thinking !== undefined) {
          return expectedText("content_block.thinking", block.thinking)
        }
        blocks.set(json.index, { type: "thinking", pieces, signature: textAt(block, "signature") })
        return undefined
      }
      case "redacted_thinking": {
        if (typeof block.data !== "string") return expectedText("content_block.data", block.data)
        out.push({
          _tag: "ReasoningOpaque",
          provider: slug,
          data: { type: "redacted_thinking", data: block.data }
        })
        blocks.set(json.index, other)
        return undefined
      }
      case "tool_use": {
        const input = toolInput(block, "content_block")
        if (typeof input !== "string") return input
        const call = nextCall++
        blocks.set(json.index, { type: "tool", call, input, fed: false })
        calls.add(call, { id: block.id, name: block.name }, out)
        return undefined
      }
      default: {
        if (typeof block.type !== "string") return expectedText("content_block.type", block.type)
        blocks.set(json.index, other)
        return undefined
      }
    }
  }

  const delta = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const piece = json.delta
    if (!isRecord(piece)) return malformed("delta", `expected an object, found ${typeName(piece)}`)
    switch (piece.type) {
      case "text_delta": {
        const text = piece.text
        if (typeof text !== "string") return expectedText("delta.text", text)
        if (text !== "") out.push({ _tag: "TextDelta", text })
        return undefined
      }
      case "input_json_delta": {
        const text = piece.partial_json
        if (typeof text !== "string") return expectedText("delta.partial_json", text)
        const block = blocks.get(json.index)
        if (block === undefined) return malformed("index", "expected the index of an open block")
        if (block.type !== "tool" || text === "") return undefined
        block.fed = true
        calls.add(block.call, { arguments: text }, out)
        return undefined
      }
      case "thinking_delta": {
        const text = piece.thinking
        if (typeof text !== "string") return expectedText("delta.thinking", text)
        if (text === "") return undefined
        const block = blocks.get(json.index)
        if (block?.type === "thinking") block.pieces.push(text)
        out.push({ _tag: "ReasoningDelta", text })
        return undefined
      }
      case "signature_delta": {
        const block = blocks.get(json.index)
        if (block?.type === "thinking") block.signature = textAt(piece, "signature") ?? block.signature
        return undefined
      }
      case "citations_delta": {
        const cited = recordAt(piece, "citation")
        if (cited !== undefined) out.push({ _tag: "Citation", citation: citation(cited) })
        return undefined
      }
      default:
        return typeof piece.type === "string" ? undefined : expectedText("delta.type", piece.type)
    }
  }

  const close = (index: unknown, out: Array<ChatEvent>): void => {
    const block = blocks.get(index)
    if (block === undefined) return
    blocks.delete(index)
    if (block.type === "thinking") {
      if (block.signature === undefined) return
      const data = thinkingBlock(block.pieces.join(""), block.signature)
      out.push({ _tag: "ReasoningOpaque", provider: slug, data })
    } else if (block.type === "tool") {
      // Fragments replace the input that a block starts with, which is nearly always empty.
      if (!block.fed && block.input !== "{}") calls.add(block.call, { arguments: block.input }, out)
      calls.end(block.call, out)
    }
  }

  const update = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    if (isRecord(json.usage)) counted = laterCounts(counted, counts(json.usage))
    if (json.delta === undefined || json.delta === null) return undefined
    if (!isRecord(json.delta)) {
      return malformed("delta", `expected an object, found ${typeName(json.delta)}`)
    }
    raw = textAt(json.delta, "stop_reason") ?? raw
    const why = explained ? undefined : explanation(raw, json.delta)
    if (why !== undefined) {
      explained = true
      out.push({ _tag: "RefusalDelta", text: why })
    }
    return undefined
  }

  return {
    event(data, name, out) {
      const json = parseJson(data)
      if (!isRecord(json)) {
        return malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)
      }
      if (name === "error") return errorFault(json)
      const type = typeof json.type === "string" ? json.type : name
      switch (type) {
        case "content_block_delta":
          return delta(json, out)
        case "content_block_start":
          return open(json, out)
        case "content_block_stop":
          close(json.index, out)
          return undefined
        case "message_start":
          // A second one is an upstream retry, spliced in: what the first attempt left open never ends.
          restart(json)
          return undefined
        case "message_delta":
          return update(json, out)
        case "message_stop":
          done = true
          return undefined
        case "error":
          return errorFault(json)
        default:
          if (hasError(json)) return errorFault(json)
          return type === undefined ? expectedText("type", json.type) : undefined
      }
    },
    done: () => done,
    end(out) {
      if (!done && raw === undefined) return truncated
      for (const index of blocks.keys()) close(index, out)
      pushEnding(out, {
        finishReason: withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: usage(counted),
        model
      })
      return undefined
    }
  }
}

export const wire: Wire = { encode, decode, decoder }
