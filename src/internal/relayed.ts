/**
 * An answer on its way to another client, which judges it itself. It keeps its status, whatever that is; an error that
 * hides in a success gets the status of one, so that no client takes it for an answer; and no error shows a credential.
 */
import * as Effect from "effect/Effect"
import { toClient } from "./classify/clientShape.js"
import { classify, classifySuccess } from "./classify.js"
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
      onSuccess: (text) => {
        const { status, headers } = incoming
        const clients = toClient(
          asked.provider,
          status,
          text,
          () => classify(status, headers, scrub(text), asked).message
        )
        return whole(clients ?? text, status)
      }
    })
  }
  const type = incoming.headers["content-type"] ?? ""
  if (/^text\/event-stream/i.test(type)) return Effect.succeed(response({}))
  return Effect.flatMap(begun(incoming), ({ first, body }) => {
    if (!envelope.test(textOf(first))) return Effect.succeed(response({ body }))
    return Effect.match(readText({ ...incoming, body }, Number.POSITIVE_INFINITY), {
      onFailure: (reason) => response({ body: brokenAfter(first, reason) }),
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

/** What may still become one of those. */
const undecided = /^\s*(?:\{\s*(?:"\w{0,12}(?:"\s*)?)?)?$/

const textOf = (first: ReadonlyArray<Uint8Array>): string => {
  const decoder = new TextDecoder()
  return first.map((bytes) => decoder.decode(bytes.subarray(0, 200), { stream: true })).join("")
}

interface Begun {
  /** What it begins with, as far as that was looked at. */
  readonly first: ReadonlyArray<Uint8Array>
  /** The whole body, as if nobody had looked at its beginning. */
  readonly body: ByteSource
}

/** Waits until a body's beginning says what it is: as a rule its first bytes do. */
const begun = (incoming: IncomingResponse): Effect.Effect<Begun> =>
  Effect.onInterrupt(
    Effect.async<Begun>((resume) => {
      const first: Array<Uint8Array> = []
      const done = (rest?: ByteSource) => resume(Effect.succeed({ first, body: fromBytes(first, rest) }))
      const sink: Sink = {
        bytes: (bytes) => {
          first.push(bytes)
          const text = textOf(first)
          // However much white space there is, it is not waited for.
          if (text.length < 200 && undecided.test(text)) incoming.body.pull(sink)
          else done(incoming.body)
        },
        end: () => done(),
        broken: (reason) => done(brokenAfter([], reason))
      }
      incoming.body.pull(sink)
    }),
    () => incoming.close
  )

const brokenAfter = (parts: ReadonlyArray<Uint8Array>, reason: unknown): ByteSource =>
  fromBytes(parts, { pull: (sink: Sink) => sink.broken(reason), cancel: () => {} })
