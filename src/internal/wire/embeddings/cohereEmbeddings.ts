/** Cohere's `v2/embed`. Source: the typings of `cohere-ai` 8.1; the shared protocol files do not describe embeddings. */
import type { Purpose } from "../../embedding.js"
import { countAt, isRecord, recordAt, typeName } from "../../json.js"
import { errorFault, isFault, malformed } from "../wire.js"
import { type EmbeddingWire, hasError, readNumbers, readVectors } from "./embeddingWire.js"

const inputTypes: Readonly<Record<Purpose, string | undefined>> = {
  query: "search_query",
  document: "search_document",
  classification: "classification",
  clustering: "clustering",
  similarity: undefined
}

export const wire: EmbeddingWire = {
  maxBatch: 96,
  encode: ({ model, inputs, request }) => {
    // The vendor demands one. Texts that are stored are what most requests are about.
    const inputType = inputTypes[request.purpose ?? "document"]
    return {
      endpoint: "v2/embed",
      body: {
        model,
        texts: inputs,
        input_type: inputType ?? "search_document",
        embedding_types: ["float"],
        ...(request.dimensions === undefined ? {} : { output_dimension: request.dimensions })
      },
      unsupported: inputType === undefined ? ["purpose"] : []
    }
  },
  decode: (json) => {
    if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
    if (hasError(json)) return errorFault(json)
    const { embeddings: found } = json
    if (!isRecord(found)) return malformed("embeddings", `expected an object, found ${typeName(found)}`)
    const embeddings = readVectors(found.float, "embeddings.float", readNumbers)
    if (isFault(embeddings)) return embeddings
    const billed = recordAt(recordAt(json, "meta") ?? {}, "billed_units") ?? {}
    const input = countAt(billed, "input_tokens")
    return { embeddings, usage: { input, total: input } }
  }
}
