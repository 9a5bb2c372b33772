/** Sends one request and judges the status of what comes back, with no secret in any error. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { classify } from "./classify.js"
import { type LegError, TransportFailure } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import { type Asked, Response, readText } from "./gatewayResponse.js"
import { scrubber } from "./scrubber.js"
import type { AwaitedRequest, IncomingResponse, OutgoingRequest, Transport } from "./transport/transport.js"

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

/**
 * Sends a request, or fails with what is wrong with it. `answeredBy` tells who answered where several were asked.
 */
export type Dispatch<Request extends AwaitedRequest = OutgoingRequest> = (
  request: Either.Either<Request, LegError>,
  asked: Asked,
  answeredBy?: (incoming: IncomingResponse) => Asked
) => Effect.Effect<GatewayResponse, LegError>

/** `secrets` are those of every request. */
export const make =
  <Request extends AwaitedRequest>(
    transport: Transport<Request>,
    secrets: ReadonlyArray<string>
  ): Dispatch<Request> =>
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
