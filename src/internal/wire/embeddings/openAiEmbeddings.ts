/**
 * OpenAI's `embeddings`, and what Azure and Mistral changed in it. Source: the typings of `openai` 6.49 and of
 * `@mistralai/mistralai`; the shared protocol files do not describe embeddings.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { countAt, isRecord, recordAt, textAt, typeName } from "../../json.js"
import { errorFault, type Fault, isFault, malformed } from "../wire.js"
import { type EmbeddingWire, hasError, readNumbers, readVectors } from "./embeddingWire.js"

export interface EmbeddingDialect {
  readonly endpoint: string | ((model: string) => string)
  readonly modelInPath?: boolean
  readonly maxBatch: number
  /** The name of `dimensions`. */
  readonly dimensions: "dimensions" | "output_dimension"
  /**
   * Can vectors come as base64? They are a quarter of the size then, and are read without parsing a number.
   */
  readonly base64: boolean
}

export const openAi: EmbeddingDialect = {
  endpoint: "embeddings",
  // OpenAI's own limit on the array, by its typings.
  maxBatch: 2048,
  dimensions: "dimensions",
  base64: true
}

export const mistral: EmbeddingDialect = {
  endpoint: "v1/embeddings",
  // Mistral limits tokens, not texts; its number is not in any source here.
  maxBatch: 128,
  dimensions: "output_dimension",
  base64: false
}

export const make = (dialect: EmbeddingDialect): EmbeddingWire => ({
  maxBatch: dialect.maxBatch,
  encode: ({ model, inputs, request }) => ({
    endpoint: typeof dialect.endpoint === "string" ? dialect.endpoint : dialect.endpoint(model),
    body: {
      ...(dialect.modelInPath === true ? {} : { model }),
      input: inputs,
      ...(request.dimensions === undefined ? {} : { [dialect.dimensions]: request.dimensions }),
      ...(dialect.base64 ? { encoding_format: "base64" } : {})
    },
    unsupported: request.purpose === undefined ? [] : ["purpose"]
  }),
  decode: (json) => {
    if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
    if (hasError(json)) return errorFault(json)
    const { data } = json
    if (!Array.isArray(data)) return malformed("data", `expected an array, found ${typeName(data)}`)
    const embeddings = readVectors(inOrder(data), "data", readItem)
    if (isFault(embeddings)) return embeddings
    const usage = recordAt(json, "usage") ?? {}
    return {
      embeddings,
      usage: { input: countAt(usage, "prompt_tokens"), total: countAt(usage, "total_tokens") },
      model: textAt(json, "model")
    }
  }
})

/** By `index`, where every member has one: an order is promised for the inputs, not for the answer. */
const inOrder = (data: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const places: Array<unknown> = new Array(data.length).fill(undefined)
  for (const item of data) {
    const index = isRecord(item) ? item.index : undefined
    if (typeof index !== "number" || !(index in places) || places[index] !== undefined) return data
    places[index] = item
  }
  return places
}

const readItem = (item: unknown, place: string): ReadonlyArray<number> | Fault => {
  if (!isRecord(item)) return malformed(place, `expected an object, found ${typeName(item)}`)
  return typeof item.embedding === "string"
    ? readBase64(item.embedding, `${place}.embedding`)
    : readNumbers(item.embedding, `${place}.embedding`)
}

/** 32-bit floats, little-endian. */
const readBase64 = (text: string, place: string): ReadonlyArray<number> | Fault => {
  const decoded = Encoding.decodeBase64(text)
  if (Either.isLeft(decoded) || decoded.right.length === 0 || decoded.right.length % 4 !== 0) {
    return malformed(place, "expected 32-bit floats as base64")
  }
  const bytes = decoded.right
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const numbers: Array<number> = []
  for (let at = 0; at < bytes.length; at += 4) numbers.push(view.getFloat32(at, true))
  return numbers
}
