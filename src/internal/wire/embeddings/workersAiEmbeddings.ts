/**
 * Workers AI's native embedding models (`@cf/baai/bge-…`). Source: `protocol/wire-formats.md` §9 for the endpoint and the
 * envelope; the models' own fields are general knowledge.
 */
import { isRecord, recordAt, textAt, typeName } from "../../json.js"
import { workersAiPath } from "../pathSegment.js"
import { errorFault, isFault, malformed } from "../wire.js"
import { type EmbeddingWire, hasError, readNumbers, readVectors } from "./embeddingWire.js"

export const wire: EmbeddingWire = {
  maxBatch: 100,
  encode: ({ model, inputs, request }) => ({
    endpoint: workersAiPath(model),
    body: { text: inputs },
    unsupported: [
      ...(request.dimensions === undefined ? [] : ["dimensions"]),
      ...(request.purpose === undefined ? [] : ["purpose"])
    ]
  }),
  decode: (json) => {
    if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
    if (hasError(json)) return errorFault(json)
    // REST wraps the answer, the binding does not.
    const prefix = json.result === undefined ? "" : "result."
    const result = json.result === undefined ? json : recordAt(json, "result")
    if (result === undefined) return malformed("result", `expected an object, found ${typeName(json.result)}`)
    const embeddings = readVectors(result.data, `${prefix}data`, readNumbers)
    return isFault(embeddings) ? embeddings : { embeddings, usage: {}, model: textAt(result, "model") }
  }
}
