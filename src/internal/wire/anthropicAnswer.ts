/** Answers of Anthropic that come whole. Source: `protocol/wire-formats.md` §7.3, §7.6. */
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
import * as ToolCalls from "./toolCalls.js"
import { errorFault, type Fault, malformed } from "./wire.js"

/** `slug` marks signed reasoning: whose it is. */
export const decode = (json: unknown, slug: string): Decoded | Fault => {
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
          parts.push(opaquePart(slug, block.thinking, thinkingBlock(block.thinking, signature)))
        else if (block.thinking !== "") parts.push({ type: "reasoning", text: block.thinking })
        break
      }
      case "redacted_thinking": {
        if (typeof block.data !== "string") return expectedText(`${place}.data`, block.data)
        parts.push(opaquePart(slug, "", { type: "redacted_thinking", data: block.data }))
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

export const expectedText = (place: string, found: unknown): Fault =>
  malformed(place, `expected text, found ${typeName(found)}`)

/** The gateway's own envelopes have no `type`. */
export const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) || json.success === false

/** Checks a call, and gives its input as text. */
export const toolInput = (block: JsonRecord, place: string): string | Fault => {
  const { input, name } = block
  if (typeof name !== "string") return expectedText(`${place}.name`, name)
  if (name === "") return malformed(`${place}.name`, "expected a tool's name, found empty text")
  if (input === undefined || input === null) return "{}"
  if (!isRecord(input)) return malformed(`${place}.input`, `expected an object, found ${typeName(input)}`)
  return stringify(input) ?? malformed(`${place}.input`, "the object is nested too deeply")
}

export const thinkingBlock = (thinking: string, signature: string): JsonRecord => ({
  type: "thinking",
  thinking,
  signature
})

const opaquePart = (slug: string, text: string, data: JsonRecord): AssistantPart => ({
  type: "reasoning",
  text,
  opaque: { provider: slug, data }
})

export const citation = (raw: JsonRecord): Citation => ({
  text: textAt(raw, "cited_text"),
  url: textAt(raw, "url") ?? (raw.type === "search_result_location" ? textAt(raw, "source") : undefined),
  title: textAt(raw, "title") ?? textAt(raw, "document_title"),
  raw
})

/** Why the model refused; `at` is what holds `stop_details`. */
export const explanation = (reason: string | undefined, at: JsonRecord): string | undefined => {
  if (reason !== "refusal") return undefined
  const details = recordAt(at, "stop_details")
  return details === undefined ? undefined : textAt(details, "explanation")
}

export const finishReason = (raw: string | undefined): FinishReason => {
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
export interface Counts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly reasoning: number | undefined
}

export const counts = (json: JsonRecord): Counts => ({
  input: countAt(json, "input_tokens"),
  output: countAt(json, "output_tokens"),
  cacheRead: countAt(json, "cache_read_input_tokens"),
  cacheWrite: countAt(json, "cache_creation_input_tokens"),
  reasoning: countAt(recordAt(json, "output_tokens_details") ?? {}, "thinking_tokens")
})

export const noCounts: Counts = counts({})

/** Counts are running totals: a later one replaces, but a zero does not take back what was counted. */
const later = (known: number | undefined, next: number | undefined): number | undefined =>
  next === undefined || (next === 0 && known !== undefined) ? known : next

export const laterCounts = (known: Counts, next: Counts): Counts => ({
  input: later(known.input, next.input),
  output: later(known.output, next.output),
  cacheRead: later(known.cacheRead, next.cacheRead),
  cacheWrite: later(known.cacheWrite, next.cacheWrite),
  reasoning: later(known.reasoning, next.reasoning)
})

export const usage = (counts: Counts): Usage => {
  const { output, cacheRead, cacheWrite, reasoning } = counts
  // Without its greatest part the sum would be wrong, not incomplete.
  const input = counts.input === undefined ? undefined : sum(counts.input, cacheRead, cacheWrite)
  return { input, output, cacheRead, cacheWrite, reasoning, total: sum(input, output) }
}
