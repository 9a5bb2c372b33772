/** How a request reaches the gateway. A transport moves bytes; it knows no provider and judges no answer. */
import type * as Effect from "effect/Effect"
import type { LegError } from "../errors.js"
import type { ByteSource } from "./byteSource.js"

/**
 * How the gateway is reached: over HTTPS on the gateway's host, through a Worker's binding (`env.AI.gateway(id)`), through
 * the account's REST API, or on the run path of a Worker's binding (`env.AI.run`).
 *
 * @since 0.1.0
 * @category models
 */
export type TransportKind = "https" | "binding" | "account" | "run"

export interface Transport<Request extends AwaitedRequest = OutgoingRequest> {
  readonly kind: TransportKind
  /** Fails only where no response came. Interruption closes the socket. */
  readonly send: (request: Request) => Effect.Effect<IncomingResponse, LegError>
}

/** What every transport is given, whatever it makes of the rest. */
export interface AwaitedRequest {
  /** Told of the response as soon as it is there. */
  readonly arrival: Arrival | undefined
  /** What no text about this request may show. */
  readonly secrets: ReadonlyArray<string>
}

export interface OutgoingRequest extends AwaitedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

export interface IncomingResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: ByteSource
  /** Lets go of the response and its socket. Needed unless the body was read to its end; idempotent. */
  readonly close: Effect.Effect<void>
}

/**
 * What closes the response that a caller is waiting for. A caller that is interrupted in the very moment in which the
 * response comes never sees it, and finds here what it has to close.
 */
export interface Arrival {
  close: Effect.Effect<void> | undefined
}
