/** Sends one request and judges the status of what comes back, with no secret in any error. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { classify } from "./classify.js"
import { type LegError, TransportFailure } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import { type Asked, Response, readText } from "./gatewayResponse.js"
import type { IncomingResponse, OutgoingRequest, Transport } from "./transport/transport.js"

export interface Outgoing extends OutgoingRequest {
  /** What no text may show, beside the secrets of every request. */
  readonly secrets: ReadonlyArray<string>
}

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

/**
 * Sends a request, or fails with what is wrong with it. `answeredBy` tells who answered where several were asked.
 */
export type Dispatch = (
  request: Either.Either<Outgoing, LegError>,
  asked: Asked,
  answeredBy?: (incoming: IncomingResponse) => Asked
) => Effect.Effect<GatewayResponse, LegError>

/** `secrets` are those of every request. */
export const make =
  (transport: Transport, secrets: ReadonlyArray<string>): Dispatch =>
  (request, asked, answeredBy = () => asked) => {
    if (request._tag === "Left") return Effect.fail(request.left)
    const scrub = scrubber([...secrets, ...request.right.secrets])
    return Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(transport.send(request.right)), {
        onFailure: (error) => Effect.fail(named(error, asked, scrub)),
        onSuccess: (incoming) => {
          if (incoming.status >= 200 && incoming.status < 300) {
            return Effect.succeed(new Response(incoming, answeredBy(incoming), scrub))
          }
          const refused = (body: string) => {
            // The body was read: closing what is over would cost an abort, with its exception and stack.
            const { arrival } = request.right
            if (arrival !== undefined) arrival.close = undefined
            return Effect.clockWith((clock) =>
              Effect.fail(
                classify(incoming.status, incoming.headers, scrub(body), {
                  ...answeredBy(incoming),
                  now: clock.unsafeCurrentTimeMillis()
                })
              )
            )
          }
          return Effect.matchEffect(restore(readText(incoming, errorBodyLimit)), {
            onFailure: () => refused(""),
            onSuccess: refused
          })
        }
      })
    )
  }

const scrubber = (secrets: ReadonlyArray<string>): ((text: string) => string) => {
  // A very short "secret" would tear ordinary words apart, and protects nothing.
  const long = secrets.filter((secret) => secret.length >= 6)
  if (long.length === 0) return (text) => text
  return (text) => long.reduce((scrubbed, secret) => scrubbed.split(secret).join("<redacted>"), text)
}

/** A client may quote the headers that it could not send. */
const named = (error: LegError, { provider, model }: Asked, scrub: (text: string) => string): LegError =>
  error._tag === "TransportFailure"
    ? new TransportFailure({
        ...error,
        provider: error.provider ?? provider,
        model: error.model ?? model,
        message: scrub(error.message)
      })
    : error
