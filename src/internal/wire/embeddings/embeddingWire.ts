/** What a format of embeddings is: a pure pair of encoder and decoder. */
import type { Usage } from "../../../ChatResponse.js"
import type { EmbeddingRequest } from "../../embedding.js"
import { type JsonRecord, typeName } from "../../json.js"
import { type Encoded, type Fault, isFault, malformed } from "../wire.js"

export interface EmbeddingWire {
  /** The most texts that one request can have. */
  readonly maxBatch: number
  readonly encode: (input: {
    readonly model: string
    readonly inputs: ReadonlyArray<string>
    readonly request: EmbeddingRequest
  }) => Omit<Encoded, "outputTool">
  /** Total: any JSON gives vectors in the order of the inputs, or a fault. */
  readonly decode: (json: unknown) => DecodedEmbeddings | Fault
}

export interface DecodedEmbeddings {
  readonly embeddings: ReadonlyArray<ReadonlyArray<number>>
  readonly usage: Usage
  readonly model?: string | undefined
}

/** Reads every member of an array, and stops at the first that is wrong. */
export const readVectors = (
  vectors: unknown,
  place: string,
  read: (vector: unknown, place: string) => ReadonlyArray<number> | Fault
): ReadonlyArray<ReadonlyArray<number>> | Fault => {
  if (!Array.isArray(vectors)) return malformed(place, `expected an array, found ${typeName(vectors)}`)
  const all: Array<ReadonlyArray<number>> = []
  for (const [index, vector] of vectors.entries()) {
    const numbers = read(vector, `${place}[${index}]`)
    if (isFault(numbers)) return numbers
    all.push(numbers)
  }
  return all
}

export const readNumbers = (vector: unknown, place: string): ReadonlyArray<number> | Fault => {
  if (!Array.isArray(vector))
    return malformed(place, `expected an array of numbers, found ${typeName(vector)}`)
  if (vector.length === 0) return malformed(place, "the vector is empty")
  for (let index = 0; index < vector.length; index++) {
    const number: unknown = vector[index]
    if (typeof number !== "number") {
      return malformed(`${place}[${index}]`, `expected a number, found ${typeName(number)}`)
    }
  }
  return vector
}

/** The error of a body, in any of the forms that vendors and Cloudflare's envelopes have. */
export const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) ||
  json.success === false ||
  json.object === "error"
