/** The gateway of one leg in one call, and what both say about retries. */
import * as Effect from "effect/Effect"
import type { Service } from "../AiGateway.js"
import * as RequestOptions from "../RequestOptions.js"
import type { CallContext } from "./callContext.js"
import type { Progress } from "./clocks.js"
import type { LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import type { ResumeOptions } from "./resume/policy.js"
import * as Retry from "./retry.js"

/** What a leg needs of a gateway. `how` is for those that can resume a stream. */
export interface Gateway extends Pick<Service, "transport" | "defaults"> {
  readonly send: (request: ProviderRequest, how?: Resuming) => Effect.Effect<GatewayResponse, LegError>
}

/** A stream that is taken up again where it breaks off. */
export interface Resuming {
  /** `false`: not even if the gateway would. */
  readonly resume?: ResumeOptions | false | undefined
  /** Instead of sending the request: the run that it has begun. */
  readonly run?: { readonly runId: string; readonly from: number } | undefined
}

/** How an attempt is retried, if at all. */
export type Policy = Effect.Effect<Retry.RetryPolicy | undefined>

/** The gateway of this call, unless the call has already given it up. */
export const find = <G>(
  lookup: Effect.Effect<Gateway, never, G>,
  asked: { readonly provider: string; readonly model: string },
  call: CallContext & { readonly progress: Progress }
): Effect.Effect<Gateway, LegError, G> => {
  call.progress.provider = asked.provider
  call.progress.model = asked.model
  return Effect.flatMap(lookup, (gateway) => {
    call.progress.transport = gateway.transport
    call.progress.gateway = gateway
    const gone = call.gone?.get(gateway)
    return gone === undefined ? Effect.succeed(gateway) : Effect.fail(gone)
  })
}

/** Retrying has one owner: where the gateway was told to retry, the client does not. */
export const policyOf = (
  options: RequestOptions.RequestOptions | undefined,
  gateway: Gateway,
  call: CallContext
): Policy =>
  Effect.map(RequestOptions.CurrentOptions, (scope) =>
    (options?.retries ?? scope.retries ?? gateway.defaults.retries) === undefined
      ? (call.retry ?? Retry.defaultPolicy())
      : undefined
  )
