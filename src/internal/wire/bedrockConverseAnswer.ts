/** Whole answers of Bedrock's Converse, and what its streams have in common with them. Source: `protocol/wire-formats.md` §10.2. */
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

/** Marks opaque reasoning of this wire format. */
export const slug = "aws-bedrock"

export const decode = (json: unknown): Decoded | Fault => {
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  if (hasError(json)) return errorFault(json)
  const output = json.output
  if (!isRecord(output)) return malformed("output", `expected an object, found ${typeName(output)}`)
  const message = output.message
  if (!isRecord(message)) return malformed("output.message", `expected an object, found ${typeName(message)}`)
  const parts: Array<AssistantPart> = []
  const citations: Array<Citation> = []
  if (message.content !== undefined && message.content !== null) {
    if (!Array.isArray(message.content)) {
      return malformed("output.message.content", `expected an array, found ${typeName(message.content)}`)
    }
    const blocks: ReadonlyArray<unknown> = message.content
    for (const [index, block] of blocks.entries()) {
      const fault = readBlock(block, `output.message.content[${index}]`, parts, citations)
      if (fault !== undefined) return fault
    }
  }
  const rawFinishReason = textAt(json, "stopReason")
  return {
    parts,
    citations,
    finishReason: withToolCalls(finishReason(rawFinishReason), parts.some(ToolCalls.isToolCall)),
    rawFinishReason,
    usage: usage(json.usage)
  }
}

/** Bedrock's own errors have a status of their own. These are the envelopes of others. */
export const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) ||
  json.success === false ||
  typeof json.__type === "string" ||
  (json.output === undefined && typeof json.message === "string")

const readBlock = (
  block: unknown,
  place: string,
  parts: Array<AssistantPart>,
  citations: Array<Citation>
): Fault | undefined => {
  if (!isRecord(block)) return malformed(place, `expected an object, found ${typeName(block)}`)
  if (isGiven(block.text)) return pushText(block.text, `${place}.text`, parts)
  if (isGiven(block.citationsContent)) {
    return readCited(block.citationsContent, `${place}.citationsContent`, parts, citations)
  }
  if (isGiven(block.reasoningContent)) {
    return readReasoning(block.reasoningContent, `${place}.reasoningContent`, parts)
  }
  if (isGiven(block.toolUse)) return readToolUse(block.toolUse, `${place}.toolUse`, parts)
  // Results of the provider's own tools, images and the like say nothing to the reader.
  return undefined
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const pushText = (text: unknown, place: string, parts: Array<AssistantPart>): Fault | undefined => {
  if (typeof text !== "string") return malformed(place, `expected text, found ${typeName(text)}`)
  if (text !== "") parts.push({ type: "text", text })
  return undefined
}

/** The text that the sources support is inside the block, not beside it. */
const readCited = (
  cited: unknown,
  place: string,
  parts: Array<AssistantPart>,
  citations: Array<Citation>
): Fault | undefined => {
  if (!isRecord(cited)) return malformed(place, `expected an object, found ${typeName(cited)}`)
  for (const [index, piece] of arrayAt(cited, "content").entries()) {
    if (!isRecord(piece) || !isGiven(piece.text)) continue
    const fault = pushText(piece.text, `${place}.content[${index}].text`, parts)
    if (fault !== undefined) return fault
  }
  for (const found of arrayAt(cited, "citations")) if (isRecord(found)) citations.push(citation(found))
  return undefined
}

const readReasoning = (reasoning: unknown, place: string, parts: Array<AssistantPart>): Fault | undefined => {
  if (!isRecord(reasoning)) return malformed(place, `expected an object, found ${typeName(reasoning)}`)
  const redacted = reasoning.redactedContent
  if (isGiven(redacted)) {
    if (typeof redacted !== "string") {
      return malformed(`${place}.redactedContent`, `expected text, found ${typeName(redacted)}`)
    }
    parts.push(opaque("", redactedBlock(redacted)))
  }
  const thought = reasoning.reasoningText
  if (!isGiven(thought)) return undefined
  if (!isRecord(thought)) {
    return malformed(`${place}.reasoningText`, `expected an object, found ${typeName(thought)}`)
  }
  const text = thought.text ?? ""
  if (typeof text !== "string") {
    return malformed(`${place}.reasoningText.text`, `expected text, found ${typeName(text)}`)
  }
  const signature = textAt(thought, "signature")
  if (signature !== undefined) parts.push(opaque(text, signedBlock(text, signature)))
  else if (text !== "") parts.push({ type: "reasoning", text })
  return undefined
}

const opaque = (text: string, data: JsonRecord): AssistantPart => ({
  type: "reasoning",
  text,
  opaque: { provider: slug, data }
})

export const signedBlock = (text: string, signature: string): JsonRecord => ({
  reasoningContent: { reasoningText: { text, signature } }
})

export const redactedBlock = (redactedContent: string): JsonRecord => ({
  reasoningContent: { redactedContent }
})

const readToolUse = (use: unknown, place: string, parts: Array<AssistantPart>): Fault | undefined => {
  const wrong = wrongUse(use, place)
  if (wrong !== undefined || !isRecord(use) || isServerTool(use)) return wrong
  const { input } = use
  if (isRecord(input) && stringify(input) === undefined) {
    return malformed(`${place}.input`, "the object is nested too deeply")
  }
  if (isGiven(input) && typeof input !== "string" && !isRecord(input)) {
    return malformed(`${place}.input`, `expected an object, found ${typeName(input)}`)
  }
  const index = parts.filter(ToolCalls.isToolCall).length
  parts.push(ToolCalls.toPart(index, { id: use.toolUseId, name: use.name, arguments: input }))
  return undefined
}

/** What is wrong with a call, or with the beginning of one. */
export const wrongUse = (use: unknown, place: string): Fault | undefined => {
  if (!isRecord(use)) return malformed(place, `expected an object, found ${typeName(use)}`)
  return textAt(use, "name") === undefined
    ? malformed(`${place}.name`, "expected the name of a tool")
    : undefined
}

/** The provider runs it itself; nobody else is to answer it. */
export const isServerTool = (use: JsonRecord): boolean => use.type === "server_tool_use"

export const citation = (raw: JsonRecord): Citation => {
  const location = recordAt(raw, "location")
  const web = location === undefined ? undefined : recordAt(location, "web")
  const quoted = arrayAt(raw, "sourceContent").flatMap((piece) =>
    isRecord(piece) && typeof piece.text === "string" ? [piece.text] : []
  )
  const source = textAt(raw, "source")
  return {
    url:
      (web === undefined ? undefined : textAt(web, "url")) ??
      (source !== undefined && /^https?:\/\//.test(source) ? source : undefined),
    title: textAt(raw, "title"),
    text: quoted.length === 0 ? undefined : quoted.join(""),
    raw
  }
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
    case "guardrail_intervened":
    case "content_filtered":
      return "content-filter"
    case "malformed_model_output":
    case "malformed_tool_use":
      return "error"
    default:
      return "other"
  }
}

/** `inputTokens` leaves the cache out. */
export const usage = (json: unknown): Usage => {
  if (!isRecord(json)) return {}
  const fresh = countAt(json, "inputTokens")
  const output = countAt(json, "outputTokens")
  const cacheRead = countAt(json, "cacheReadInputTokens") ?? countAt(json, "cacheReadInputTokenCount")
  const cacheWrite = countAt(json, "cacheWriteInputTokens") ?? countAt(json, "cacheWriteInputTokenCount")
  // Without its greatest part the sum would be wrong, not incomplete.
  const input = fresh === undefined ? undefined : sum(fresh, cacheRead, cacheWrite)
  return { input, output, cacheRead, cacheWrite, total: countAt(json, "totalTokens") ?? sum(input, output) }
}
