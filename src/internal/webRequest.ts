/** What `fetch` is called with, as a request that can be rerouted. */
import * as Effect from "effect/Effect"
import { InvalidRequest } from "./errors.js"
import * as ForeignBody from "./foreignBody.js"
import type { Foreign } from "./reroute.js"

export type Input = string | URL | Request

export const urlOf = (input: Input): string =>
  typeof input === "string" ? input : input instanceof URL ? input.href : input.url

/** `null` in `init` takes away the signal of a `Request`, as in `fetch`. */
export const signalOf = (input: Input, init: RequestInit | undefined): AbortSignal | undefined => {
  if (init?.signal !== undefined) return init.signal ?? undefined
  return isRequest(input) ? input.signal : undefined
}

export const methodOf = (input: Input, init: RequestInit | undefined): string =>
  (init?.method ?? (isRequest(input) ? input.method : "GET")).toUpperCase()

/** `init` wins over a `Request`, part by part. The body is read to its end. */
export const read = (input: Input, init: RequestInit | undefined): Effect.Effect<Foreign, InvalidRequest> =>
  Effect.gen(function* () {
    const method = methodOf(input, init)
    const given = init?.headers ?? (isRequest(input) ? input.headers : undefined)
    const headers = yield* Effect.try({
      try: () => toRecord(new Headers(given)),
      // What the platform says about it has the value in it, which may be a key.
      catch: () =>
        new InvalidRequest({
          field: "headers",
          message:
            "The headers are none that fetch takes: a name or a value has a character that no header may have."
        })
    })
    const { body, type } = yield* bodyOf(input, init)
    if (body !== undefined && (method === "GET" || method === "HEAD")) {
      return yield* new InvalidRequest({ field: "body", message: `A ${method} request has no body.` })
    }
    if (type !== undefined) headers["content-type"] ??= type
    return { method, url: urlOf(input), headers, body }
  })

/** Is its body gone? */
export const isUsed = (input: Input, init: RequestInit | undefined): boolean =>
  isRequest(input) && input.bodyUsed && (init?.body === undefined || init.body === null)

const bodyOf = (
  input: Input,
  init: RequestInit | undefined
): Effect.Effect<ForeignBody.ForeignBody, InvalidRequest> => {
  if (typeof init?.body === "string") {
    return Effect.succeed({ body: init.body, type: "text/plain;charset=UTF-8" })
  }
  if (init?.body !== undefined && init.body !== null) return ForeignBody.fromBodyInit(init.body)
  if (!isRequest(input) || input.body === null) return ForeignBody.fromBodyInit(undefined)
  return Effect.map(ForeignBody.fromBodyInit(input.body), ({ body, type }) => ({
    body: body instanceof Uint8Array ? asText(body) : body,
    type
  }))
}

/** A `Request` has forgotten that its body was a text, and a Worker's binding takes nothing else. */
const asText = (bytes: Uint8Array): string | Uint8Array => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return bytes
  }
}

const toRecord = (headers: Headers): Record<string, string> => {
  const record: Record<string, string> = {}
  headers.forEach((value, name) => {
    record[name] = value
  })
  return record
}

const isRequest = (input: Input): input is Request => typeof input !== "string" && !(input instanceof URL)
