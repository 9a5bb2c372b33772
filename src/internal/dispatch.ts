/** Sends one request and judges the status of what comes back, with no secret in any error. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { fromHeaders } from "../GatewayMetadata.js"
import { telling } from "./answerTap.js"
import { classify } from "./classify.js"
import { type LegError, TransportFailure } from "./errors.js"
import { type Asked, Response, readText } from "./gatewayResponse.js"
import { relayed } from "./relayed.js"
import { scrubber } from "./scrubber.js"
import type { AwaitedRequest, IncomingResponse, OutgoingRequest, Transport } from "./transport/transport.js"

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

/** Sends a request, or fails with what is wrong with it. */
export type Dispatch<Request extends AwaitedRequest = OutgoingRequest> = (
  request: Either.Either<Request, LegError>,
  asked: Asked,
  how?: How
) => Effect.Effect<Response, LegError>

export interface How {
  /** Who answered, where several were asked. */
  readonly answeredBy?: ((incoming: IncomingResponse) => Asked) | undefined
  /** Is every status an answer, which somebody else judges? */
  readonly relay?: boolean | undefined
}

const judged: How = {}

/** `secrets` are those of every request. */
export const make =
  <Request extends AwaitedRequest>(
    transport: Transport<Request>,
    secrets: ReadonlyArray<string>
  ): Dispatch<Request> =>
  (request, asked, { answeredBy = () => asked, relay = false } = judged) => {
    if (request._tag === "Left") return Effect.fail(request.left)
    const scrub = scrubber([...secrets, ...request.right.secrets])
    return Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(transport.send(request.right)), {
        onFailure: (error) => Effect.fail(named(error, asked, scrub)),
        onSuccess: (incoming) => {
          const answerer = answeredBy(incoming)
          const told = (then: Effect.Effect<Response, LegError>) =>
            telling(
              () => ({
                provider: answerer.provider,
                model: answerer.model,
                status: incoming.status,
                gateway: fromHeaders(incoming.headers)
              }),
              then
            )
          if (relay) {
            const response = Effect.onInterrupt(
              restore(relayed(incoming, answerer, scrub)),
              () => incoming.close
            )
            return Effect.flatMap(response, (response) => told(Effect.succeed(response)))
          }
          if (incoming.status >= 200 && incoming.status < 300) {
            return told(Effect.succeed(new Response(incoming, answerer, scrub)))
          }
          const refused = (body: string) => {
            // The body was read: closing what is over would cost an abort, with its exception and stack.
            const { arrival } = request.right
            if (arrival !== undefined) arrival.close = undefined
            return told(
              Effect.clockWith((clock) =>
                Effect.fail(
                  classify(incoming.status, incoming.headers, scrub(body), {
                    ...answerer,
                    now: clock.unsafeCurrentTimeMillis()
                  })
                )
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
