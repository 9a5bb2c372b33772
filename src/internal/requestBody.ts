/** The body of a request: text and bytes as they are, anything else as JSON. */
import * as Either from "effect/Either"
import { describe } from "./classify.js"
import { InvalidRequest } from "./errors.js"
import { parseJson } from "./json.js"

export const encodeBody = (body: unknown): Either.Either<string | Uint8Array | undefined, InvalidRequest> => {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return Either.right(body)
  if (body instanceof ArrayBuffer) return Either.right(new Uint8Array(body))
  if (ArrayBuffer.isView(body))
    return Either.right(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  if (isForeignBody(body))
    return invalid("body", "body must be JSON, text or bytes; form data and streams are not sent.")
  try {
    const text: string | undefined = JSON.stringify(body)
    return text === undefined ? invalid("body", "body cannot be written as JSON.") : Either.right(text)
  } catch (reason) {
    return invalid("body", `body cannot be written as JSON: ${describe(reason)}`)
  }
}

/** What `JSON.stringify` would silently turn into `{}`. */
const isForeignBody = (body: unknown): boolean =>
  (typeof FormData !== "undefined" && body instanceof FormData) ||
  (typeof ReadableStream !== "undefined" && body instanceof ReadableStream) ||
  (typeof Blob !== "undefined" && body instanceof Blob) ||
  body instanceof URLSearchParams

/** A body that must be JSON; `undefined` if it is not. Plain data is given as it is: whoever sends it writes it anyway. */
export const toJson = (body: unknown): unknown => {
  const encoded = encodeBody(body)
  if (encoded._tag === "Left" || encoded.right === undefined) return undefined
  if (isPlain(body)) return body
  const text = typeof encoded.right === "string" ? encoded.right : new TextDecoder().decode(encoded.right)
  return parseJson(text)
}

const isPlain = (body: unknown): boolean => {
  if (typeof body !== "object" || body === null) return false
  if (Array.isArray(body)) return true
  const prototype: unknown = Object.getPrototypeOf(body)
  return (prototype === Object.prototype || prototype === null) && !("toJSON" in body)
}

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
