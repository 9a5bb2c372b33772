/** Streams of Google. Source: `protocol/wire-formats.md` §8.4. */
import type { Citation } from "../../ChatResponse.js"
import { countAt, isRecord, type JsonRecord, parseJson, textAt, typeName } from "../json.js"
import { pushEnding, withToolCalls } from "./ending.js"
import {
  blockMessage,
  blockReason,
  findError,
  finishReason,
  readCitations,
  refusalOf,
  usage
} from "./googleAnswer.js"
import * as Parts from "./googleParts.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, malformed, truncated } from "./wire.js"

/** `slug` marks signatures: whose they are. */
export const decoder = (slug: string): Decoder => {
  const calls = ToolCalls.make()
  const parts = Parts.streamed(slug, calls)
  const citations = new Map<string, Citation>()
  let raw: string | undefined
  let blocked: string | undefined
  let refusal: string | undefined
  let model: string | undefined
  let counted: JsonRecord = {}

  return {
    event(data, name, out) {
      const json = parseJson(data)
      const error = name === "error" && isRecord(json) ? json : findError(json)
      if (error !== undefined) return errorFault(error)
      if (!isRecord(json)) {
        return malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)
      }
      // Running totals: the last one counts, unless it counted nothing.
      if (isRecord(json.usageMetadata) && counts(json.usageMetadata)) counted = json.usageMetadata
      if (model === undefined) model = textAt(json, "modelVersion")
      if (json.promptFeedback !== undefined) {
        blocked = blockReason(json) ?? blocked
        refusal = blockMessage(json) ?? refusal
      }
      const { candidates } = json
      if (candidates === undefined) return undefined
      if (!Array.isArray(candidates)) {
        return malformed("candidates", `expected an array, found ${typeName(candidates)}`)
      }
      const candidate: unknown = candidates[0]
      if (candidate === undefined) return undefined
      if (!isRecord(candidate)) {
        return malformed("candidates[0]", `expected an object, found ${typeName(candidate)}`)
      }
      const fault = parts.content(candidate, false, out)
      if (fault !== undefined) return fault
      if (candidate.groundingMetadata !== undefined || candidate.citationMetadata !== undefined) {
        readCitations(candidate, citations)
      }
      // Some models write STOP on every chunk, so the last reason counts.
      raw = textAt(candidate, "finishReason") ?? raw
      if (candidate.finishMessage !== undefined) refusal = refusalOf(raw, candidate) ?? refusal
      return undefined
    },
    // The end of the body is the end: usage may follow the finish reason.
    done: () => false,
    end(out) {
      if (raw === undefined && blocked === undefined) return truncated
      const fault = parts.end(out)
      if (fault !== undefined) return fault
      if (refusal !== undefined) out.push({ _tag: "RefusalDelta", text: refusal })
      for (const citation of citations.values()) out.push({ _tag: "Citation", citation })
      pushEnding(out, {
        finishReason:
          raw === undefined ? "content-filter" : withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw ?? blocked,
        usage: usage(counted),
        model
      })
      return undefined
    }
  }
}

const counts = (json: JsonRecord): boolean =>
  (countAt(json, "totalTokenCount") ?? 0) > 0 ||
  (countAt(json, "promptTokenCount") ?? 0) > 0 ||
  (countAt(json, "candidatesTokenCount") ?? 0) > 0
