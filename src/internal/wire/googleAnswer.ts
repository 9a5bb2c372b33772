/** Answers of Google that come whole. Source: `protocol/wire-formats.md` §8.2, §8.3. */
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import { arrayAt, countAt, isRecord, type JsonRecord, recordAt, sum, textAt, typeName } from "../json.js"
import { withToolCalls } from "./ending.js"
import * as Parts from "./googleParts.js"
import * as ToolCalls from "./toolCalls.js"
import { errorFault, type Fault, malformed } from "./wire.js"

/** `slug` marks signatures: whose they are. */
export const decode = (json: unknown, slug: string): Decoded | Fault => {
  const error = findError(json)
  if (error !== undefined) return errorFault(error)
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  const { candidates } = json
  const told = {
    usage: isRecord(json.usageMetadata) ? usage(json.usageMetadata) : {},
    model: textAt(json, "modelVersion")
  }
  if (candidates === undefined || (Array.isArray(candidates) && candidates.length === 0)) {
    const rawFinishReason = blockReason(json)
    return rawFinishReason === undefined
      ? malformed("candidates", "expected a candidate or promptFeedback.blockReason, found neither")
      : {
          parts: [],
          finishReason: "content-filter",
          rawFinishReason,
          ...said(blockMessage(json)),
          ...told
        }
  }
  if (!Array.isArray(candidates)) {
    return malformed("candidates", `expected an array, found ${typeName(candidates)}`)
  }
  const candidate: unknown = candidates[0]
  if (!isRecord(candidate)) {
    return malformed("candidates[0]", `expected an object, found ${typeName(candidate)}`)
  }
  const rawFinishReason = textAt(candidate, "finishReason")
  const parts: Array<AssistantPart> = []
  const reader = Parts.whole(slug)
  const fault = reader.content(candidate, rawFinishReason === undefined, parts) ?? reader.end(parts)
  if (fault !== undefined) return fault
  const citations = new Map<string, Citation>()
  readCitations(candidate, citations)
  return {
    parts,
    citations: [...citations.values()],
    finishReason: withToolCalls(finishReason(rawFinishReason), parts.some(ToolCalls.isToolCall)),
    rawFinishReason,
    ...said(refusalOf(rawFinishReason, candidate)),
    ...told
  }
}

export const blockReason = (json: JsonRecord): string | undefined => {
  const feedback = recordAt(json, "promptFeedback")
  return feedback === undefined ? undefined : textAt(feedback, "blockReason")
}

/** Vertex explains why it blocked a prompt. */
export const blockMessage = (json: JsonRecord): string | undefined => {
  const feedback = recordAt(json, "promptFeedback")
  return feedback === undefined ? undefined : textAt(feedback, "blockReasonMessage")
}

/** Why an answer was stopped, in words. */
export const refusalOf = (reason: string | undefined, candidate: JsonRecord): string | undefined =>
  finishReason(reason) === "content-filter" ? textAt(candidate, "finishMessage") : undefined

const said = (refusal: string | undefined): { readonly refusal?: string } =>
  refusal === undefined ? {} : { refusal }

/** The error of a body or an event; some endpoints wrap it in an array. */
export const findError = (json: unknown): JsonRecord | undefined => {
  if (isRecord(json)) return hasError(json) ? json : undefined
  return Array.isArray(json) ? json.filter(isRecord).find(hasError) : undefined
}

const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) || json.success === false

/** The same source counts once, however many chunks of a stream repeat it. */
export const readCitations = (candidate: JsonRecord, into: Map<string, Citation>): void => {
  const grounding = recordAt(candidate, "groundingMetadata")
  if (grounding !== undefined) {
    const supports = arrayAt(grounding, "groundingSupports").filter(isRecord)
    for (const [index, raw] of arrayAt(grounding, "groundingChunks").entries()) {
      if (!isRecord(raw)) continue
      const source = recordAt(raw, "web") ?? recordAt(raw, "retrievedContext") ?? recordAt(raw, "maps") ?? {}
      const url = textAt(source, "uri")
      const title = textAt(source, "title")
      const key = url ?? title ?? `#${index}`
      const text = supportedText(supports, index) ?? into.get(key)?.text
      into.set(key, { url, title, text, raw })
    }
  }
  // What a model recites: of AI Studio, and of Vertex.
  const recited = recordAt(candidate, "citationMetadata")
  if (recited === undefined) return
  for (const raw of [...arrayAt(recited, "citationSources"), ...arrayAt(recited, "citations")]) {
    if (!isRecord(raw)) continue
    const url = textAt(raw, "uri")
    const title = textAt(raw, "title")
    const key = url ?? title
    if (key !== undefined && !into.has(key)) into.set(key, { url, title, raw })
  }
}

const supportedText = (supports: ReadonlyArray<JsonRecord>, chunk: number): string | undefined => {
  const texts: Array<string> = []
  for (const support of supports) {
    if (!arrayAt(support, "groundingChunkIndices").includes(chunk)) continue
    const text = textAt(recordAt(support, "segment") ?? {}, "text")
    if (text !== undefined) texts.push(text)
  }
  return texts.length === 0 ? undefined : texts.join("\n")
}

export const finishReason = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case "STOP":
      return "stop"
    case "MAX_TOKENS":
      return "length"
    case "SAFETY":
    case "RECITATION":
    case "BLOCKLIST":
    case "PROHIBITED_CONTENT":
    case "SPII":
    case "IMAGE_SAFETY":
    case "IMAGE_PROHIBITED_CONTENT":
    case "IMAGE_RECITATION":
    case "MODEL_ARMOR":
      return "content-filter"
    case "MALFORMED_FUNCTION_CALL":
    case "UNEXPECTED_TOOL_CALL":
    case "TOO_MANY_TOOL_CALLS":
      return "error"
    default:
      return "other"
  }
}

export const usage = (json: JsonRecord): Usage => {
  const input = sum(countAt(json, "promptTokenCount"), countAt(json, "toolUsePromptTokenCount"))
  const reasoning = countAt(json, "thoughtsTokenCount")
  const output = sum(countAt(json, "candidatesTokenCount"), reasoning)
  return {
    input,
    output,
    cacheRead: countAt(json, "cachedContentTokenCount"),
    reasoning,
    total: countAt(json, "totalTokenCount") ?? sum(input, output)
  }
}
