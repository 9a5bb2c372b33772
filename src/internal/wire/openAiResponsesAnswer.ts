/**
 * The items of an answer of OpenAI's `responses`: whole bodies, and what streams have in common with them. Source:
 * `protocol/wire-formats.md` §6.
 */
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import { arrayAt, countAt, isRecord, type JsonRecord, recordAt, sum, textAt, typeName } from "../json.js"
import { withToolCalls } from "./ending.js"
import * as OpenAiChat from "./openAiChat.js"
import * as ToolCalls from "./toolCalls.js"
import { errorFault, type Fault, malformed } from "./wire.js"

/** What the items read so far say. */
export interface Said {
  readonly parts: Array<AssistantPart>
  readonly citations: Array<Citation>
  refusal: string | undefined
}

export const nothingSaid = (): Said => ({ parts: [], citations: [], refusal: undefined })

/**
 * Reads a whole body. `place` stands before each place that a fault names. `provider` is whose reasoning this is;
 * without it none can be replayed, and only its text is kept.
 */
export const decode = (json: unknown, place: string, provider: string | undefined): Decoded | Fault => {
  if (!isRecord(json)) return malformed(place, `expected an object, found ${typeName(json)}`)
  if (OpenAiChat.hasError(json) || json.status === "failed") return errorFault(json)
  const { output } = json
  if (!Array.isArray(output))
    return malformed(`${place}output`, `expected an array, found ${typeName(output)}`)
  const said = nothingSaid()
  for (const [index, item] of output.entries()) {
    const fault = readItem(item, index, `${place}output[${index}]`, provider, said)
    if (fault !== undefined) return fault
  }
  const { parts, citations, refusal } = said
  const rawFinishReason = rawFinish(json)
  return {
    parts,
    refusal,
    citations,
    finishReason:
      refusal === undefined
        ? withToolCalls(finishReason(rawFinishReason), parts.some(ToolCalls.isToolCall))
        : "content-filter",
    rawFinishReason,
    usage: usage(json.usage),
    model: textAt(json, "model")
  }
}

/** Reads one item, the one at `index`, into what was said before. Items of a vendor's own tools say nothing. */
export const readItem = (
  item: unknown,
  index: number,
  place: string,
  provider: string | undefined,
  said: Said
): Fault | undefined => {
  if (!isRecord(item)) return malformed(place, `expected an object, found ${typeName(item)}`)
  switch (item.type) {
    case "message":
      return readMessage(item.content, `${place}.content`, said)
    case "reasoning": {
      const text = reasoningText(item, place)
      if (typeof text !== "string") return text
      const data = opaque(item)
      if (provider !== undefined && data !== undefined)
        said.parts.push({ type: "reasoning", text, opaque: { provider, data } })
      else if (text !== "") said.parts.push({ type: "reasoning", text })
      return undefined
    }
    case "function_call":
      // `call_id` pairs a call with its result; `id` is the item's own.
      return ToolCalls.readOne(
        { id: item.call_id ?? item.id, name: item.name, arguments: item.arguments },
        index,
        place,
        (call) => said.parts.push(call)
      )
    default:
      return typeof item.type === "string" ? undefined : expectedText(`${place}.type`, item.type)
  }
}

const readMessage = (content: unknown, place: string, said: Said): Fault | undefined =>
  eachText(content, place, (text, part) => {
    if (part?.type === "refusal") said.refusal = (said.refusal ?? "") + text
    else if (text !== "") said.parts.push({ type: "text", text })
    if (part !== undefined)
      for (const annotation of arrayAt(part, "annotations")) {
        if (isRecord(annotation)) said.citations.push(citation(annotation))
      }
  })

/** The reasoning itself, else what the vendor shows of it. */
const reasoningText = (item: JsonRecord, place: string): string | Fault => {
  const key = isEmpty(item.content) ? "summary" : "content"
  let whole = ""
  const fault = eachText(item[key], `${place}.${key}`, (text) => {
    whole += text
  })
  return fault ?? whole
}

const isEmpty = (content: unknown): boolean =>
  content === undefined ||
  content === null ||
  content === "" ||
  (Array.isArray(content) && content.length === 0)

/** Content is a list of texts and refusals; some who took the format over write plain text. */
const eachText = (
  content: unknown,
  place: string,
  read: (text: string, part: JsonRecord | undefined) => void
): Fault | undefined => {
  if (content === undefined || content === null) return undefined
  if (typeof content === "string") {
    read(content, undefined)
    return undefined
  }
  if (!Array.isArray(content)) return malformed(place, `expected an array, found ${typeName(content)}`)
  for (const [index, part] of content.entries()) {
    if (!isRecord(part)) return malformed(`${place}[${index}]`, `expected an object, found ${typeName(part)}`)
    const key = part.type === "refusal" ? "refusal" : "text"
    const text = part[key]
    if (typeof text !== "string") return expectedText(`${place}[${index}].${key}`, text)
    read(text, part)
  }
  return undefined
}

/**
 * A reasoning item that can be replayed: as it came, whatever else is in it. One without its content is a mere
 * reference, to something that the vendor was told not to store.
 */
export const opaque = (item: JsonRecord): JsonRecord | undefined =>
  textAt(item, "encrypted_content") !== undefined || arrayAt(item, "content").length > 0 ? item : undefined

/** Files have a name and no URL. */
export const citation = (raw: JsonRecord): Citation => ({
  url: textAt(raw, "url"),
  title: textAt(raw, "title") ?? textAt(raw, "filename"),
  raw
})

/** Why a response is incomplete says more than that it is. */
export const rawFinish = (response: JsonRecord): string | undefined =>
  textAt(recordAt(response, "incomplete_details") ?? {}, "reason") ?? textAt(response, "status")

/** A body without a status is complete. */
export const finishReason = (raw: string | undefined): FinishReason => {
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

/** Workers AI counts in the words of `chat/completions` here too. */
export const usage = (json: unknown): Usage => {
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

export const expectedText = (place: string, found: unknown): Fault =>
  malformed(place, `expected text, found ${typeName(found)}`)
