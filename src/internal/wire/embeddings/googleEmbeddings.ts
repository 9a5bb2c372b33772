/**
 * Google AI Studio's `batchEmbedContents`. Source: general knowledge of the Gemini API; the shared protocol files do not
 * describe embeddings.
 */
import type { Purpose } from "../../embedding.js"
import { isRecord, typeName } from "../../json.js"
import { pathSegment } from "../pathSegment.js"
import { errorFault, isFault, malformed } from "../wire.js"
import { type EmbeddingWire, hasError, readNumbers, readVectors } from "./embeddingWire.js"

const taskTypes: Readonly<Record<Purpose, string>> = {
  query: "RETRIEVAL_QUERY",
  document: "RETRIEVAL_DOCUMENT",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
  similarity: "SEMANTIC_SIMILARITY"
}

export const wire: EmbeddingWire = {
  maxBatch: 100,
  encode: ({ model, inputs, request }) => {
    const name = model.replace(/^models\//, "")
    return {
      endpoint: `v1beta/models/${pathSegment(name)}:batchEmbedContents`,
      body: {
        requests: inputs.map((text) => ({
          model: `models/${name}`,
          content: { parts: [{ text }] },
          ...(request.purpose === undefined ? {} : { taskType: taskTypes[request.purpose] }),
          ...(request.dimensions === undefined ? {} : { outputDimensionality: request.dimensions })
        }))
      },
      unsupported: []
    }
  },
  decode: (json) => {
    if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
    if (hasError(json)) return errorFault(json)
    const embeddings = readVectors(json.embeddings, "embeddings", (item, place) =>
      isRecord(item)
        ? readNumbers(item.values, `${place}.values`)
        : malformed(place, `expected an object, found ${typeName(item)}`)
    )
    return isFault(embeddings) ? embeddings : { embeddings, usage: {} }
  }
}
