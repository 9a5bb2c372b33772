/**
 * An answer on its way to another client, which judges it itself. It keeps its status, whatever that is; an error that
 * hides in a success gets the status of one, so that no client takes it for an answer; and no error shows a credential.
 */
import * as Effect from "effect/Effect"
import { classifySuccess } from "./classify.js"
import { type Asked, Response, readText } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import { type ByteSource, fromBytes, type Sink } from "./transport/byteSource.js"
import type { IncomingResponse } from "./transport/transport.js"

/** An error's body is passed on no further than this many bytes. */
const errorBodyLimit = 1024 * 1024

export const relayed = (
  incoming: IncomingResponse,
  asked: Asked,
  scrub: (text: string) => string
): Effect.Effect<Response> => {
  const response = (changes: Partial<IncomingResponse>): Response =>
    new Response({ ...incoming, ...changes }, asked, scrub)
  const whole = (text: string, status: number): Response =>
    response({ status, body: fromBytes([new TextEncoder().encode(scrub(text))]) })

  if (incoming.status < 200 || incoming.status > 299) {
    return Effect.match(readText(incoming, errorBodyLimit), {
      onFailure: () => whole("", incoming.status),
      onSuccess: (text) => whole(text, incoming.status)
    })
  }
  const type = incoming.headers["content-type"] ?? ""
  if (type.startsWith("text/event-stream")) return Effect.succeed(response({}))
  return Effect.flatMap(begun(incoming), ({ first, body }) => {
    if (first === undefined || !mayBeError(first)) return Effect.succeed(response({ body }))
    return Effect.match(readText({ ...incoming, body }, Number.POSITIVE_INFINITY), {
      onFailure: (reason) => response({ body: brokenAfter([first], reason) }),
      onSuccess: (text) => {
        const error = classifySuccess(incoming.status, incoming.headers, parseJson(text), asked)
        if (error === undefined) return response({ body: fromBytes([new TextEncoder().encode(text)]) })
        const { status } = error
        return whole(text, status !== undefined && status >= 400 ? status : 502)
      }
    })
  })
}

/** How the envelopes of errors begin; nearly all answers begin otherwise, and are not read here. */
const envelope =
  /^\s*\{\s*(?:\}|"(?:success|errors?|result|messages?|name|code|type|status|detail|internalCode|httpCode|__type|Message)"\s*:)/

const mayBeError = (first: Uint8Array): boolean =>
  envelope.test(new TextDecoder().decode(first.subarray(0, 200)))

interface Begun {
  readonly first: Uint8Array | undefined
  /** The whole body, as if nobody had looked at its beginning. */
  readonly body: ByteSource
}

/** Waits for a body's first bytes. */
const begun = (incoming: IncomingResponse): Effect.Effect<Begun> =>
  Effect.onInterrupt(
    Effect.async<Begun>((resume) => {
      incoming.body.pull({
        bytes: (first) => resume(Effect.succeed({ first, body: fromBytes([first], incoming.body) })),
        end: () => resume(Effect.succeed({ first: undefined, body: fromBytes([]) })),
        broken: (reason) => resume(Effect.succeed({ first: undefined, body: brokenAfter([], reason) }))
      })
    }),
    () => incoming.close
  )

const brokenAfter = (parts: ReadonlyArray<Uint8Array>, reason: unknown): ByteSource =>
  fromBytes(parts, { pull: (sink: Sink) => sink.broken(reason), cancel: () => {} })
