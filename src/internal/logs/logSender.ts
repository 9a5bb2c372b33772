/** Sends one request to the API of a gateway's log on api.cloudflare.com, and reads its answer whole. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { readBody } from "../classify/bodyShape.js"
import { classify, classifySuccess } from "../classify.js"
import { InvalidRequest, type LegError, TransportFailure } from "../errors.js"
import { Response, readText } from "../gatewayResponse.js"
import { isRecord, type JsonRecord, parseJson } from "../json.js"
import { scrubber } from "../scrubber.js"
import { type Sealed, seal } from "../sealedHeaders.js"
import type { Arrival, IncomingResponse, Transport } from "../transport/transport.js"
import { unchecked } from "../unchecked.js"
import { Refusal } from "./logRefusal.js"

export interface LogRequest {
  readonly method: "GET" | "PATCH" | "DELETE"
  /** Behind the log's URL, with its slash. */
  readonly path?: string | undefined
  readonly query?: string | undefined
  /** JSON. */
  readonly body?: string | undefined
}

/** Gives the JSON of the answer; of one without a body, an empty object. Never retries. */
export type Send = (request: LogRequest) => Effect.Effect<JsonRecord, LegError | Refusal>

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

/** What errors call the other side. */
const asked = { provider: "api.cloudflare.com", model: undefined, host: "account" } as const

export const make = (transport: Transport, url: string, { headers, secrets }: Sealed): Send => {
  const scrub = scrubber(secrets)
  return ({ method, path = "", query = "", body }) =>
    Effect.uninterruptibleMask((restore) => {
      const arrival: Arrival = { close: undefined }
      const sent = transport.send({
        method,
        url: `${url}${path}${query === "" ? "" : `?${query}`}`,
        headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
        body,
        arrival,
        secrets
      })
      // A client may quote the headers that it could not send.
      const clean = Effect.mapError(sent, (error) =>
        error._tag === "TransportFailure"
          ? new TransportFailure({ ...error, message: scrub(error.message) }, unchecked)
          : error
      )
      // A response that comes in the moment in which the wait is interrupted is closed.
      const arrived = Effect.onError(restore(clean), () => arrival.close ?? Effect.void)
      return Effect.flatMap(arrived, (incoming) =>
        Effect.onError(restore(answer(incoming, scrub)), () => incoming.close)
      )
    })
}

const answer = (
  incoming: IncomingResponse,
  scrub: (text: string) => string
): Effect.Effect<JsonRecord, LegError | Refusal> => {
  const { status, headers } = incoming
  if (status < 200 || status > 299) {
    return Effect.flatMap(
      Effect.orElseSucceed(readText(incoming, errorBodyLimit), () => ""),
      (text) =>
        Effect.clockWith((clock) => {
          const body = scrub(text)
          const now = clock.unsafeCurrentTimeMillis()
          return Effect.fail(refusal(classify(status, headers, body, { ...asked, now }), body))
        })
    )
  }
  const response = new Response(incoming, asked, scrub)
  return Effect.flatMap(response.text, (text): Effect.Effect<JsonRecord, LegError | Refusal> => {
    if (text.trim() === "") return Effect.succeed({})
    const json = parseJson(text)
    if (!isRecord(json)) return Effect.fail(response.malformed("expected a JSON object", text))
    if (classifySuccess(status, headers, json, asked) === undefined) return Effect.succeed(json)
    const body = scrub(text)
    const error = classifySuccess(status, headers, parseJson(body), asked)
    return Effect.fail(
      error === undefined ? response.malformed("an error in a success", text) : refusal(error, body)
    )
  })
}

const refusal = (error: LegError, text: string): Refusal => {
  const { message, json, shape } = readBody(text)
  return new Refusal(error, message, isRecord(json) && shape !== "edge")
}

/** The headers that every request has. */
export const logHeaders = ({
  token,
  headers
}: {
  readonly token: Redacted.Redacted
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
}): Either.Either<Sealed, InvalidRequest> => {
  // Only a caller without types gets here with anything else.
  const secret: unknown = Redacted.isRedacted(token) ? Redacted.value(token) : undefined
  if (typeof secret !== "string" || secret === "") {
    return invalid(
      'GatewayLogs needs accountId and token: token is missing. It is a Cloudflare API token with the permissions "AI Gateway Read" and "AI Gateway Edit", as a Redacted.'
    )
  }
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    return invalid("token has a character that a token cannot have, such as a space or a line break.")
  }
  return seal("headers", { ...headers, authorization: Redacted.make(`Bearer ${secret}`) })
}

const invalid = (message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field: "token", message }))
