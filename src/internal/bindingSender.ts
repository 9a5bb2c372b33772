/**
 * From a provider's request to a classified response of a Worker's binding, `env.AI.gateway(id)`. Whatever is sent is an
 * entry of a universal request, and every option stands in it: the binding's own options drop a part of them, and would
 * change the objects that they are given. Source: `protocol/gateway.md` §1.8.
 */
import * as Either from "effect/Either"
import * as RequestOptions from "../RequestOptions.js"
import * as Dispatch from "./dispatch.js"
import * as Entries from "./entries.js"
import { type InvalidRequest, type LegError, Unsupported } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import * as Sender from "./sender.js"
import * as Trace from "./tracePropagation.js"
import type { AwaitedRequest, Transport } from "./transport/transport.js"

export interface BindingRequest extends AwaitedRequest {
  readonly entries: Array<Entries.Entry>
}

export const make = (options: {
  readonly transport: Transport<BindingRequest>
  readonly defaults: RequestOptions.RequestOptions
  readonly tracePropagation: Trace.TracePropagation
}): Sender.Sender => {
  const { transport, defaults, tracePropagation } = options
  return Sender.from({
    kind: transport.kind,
    defaults,
    tracePropagation,
    dispatch: Dispatch.make(transport, []),
    one: (region, request) => outgoing(region, [request], alone),
    several: (region, requests) => outgoing(region, requests, Entries.together)
  })
}

const outgoing = <E extends LegError>(
  region: Sender.Region,
  requests: ReadonlyArray<ProviderRequest>,
  how: Pick<Entries.How<E>, "prefixOf" | "refuse">
): Either.Either<BindingRequest, InvalidRequest | E> =>
  Either.map(
    Entries.make(requests, {
      ...how,
      optionsOf: (request) =>
        Trace.withSpan(RequestOptions.merge(region.options, request.options), region.span),
      further: region.headers
    }),
    ({ entries, secrets }) => ({ entries, secrets, arrival: requests[0] && Sender.arrivals.get(requests[0]) })
  )

/** Other transports carry what no entry does: a list moves on to a leg behind one of those. */
const alone: Pick<Entries.How<Unsupported>, "prefixOf" | "refuse"> = {
  prefixOf: () => "",
  refuse: ({ method, provider, model }, field) => {
    const feature = field === "method" ? `method ${method}` : "a body that is not JSON"
    return new Unsupported({
      feature,
      provider,
      model,
      message: `A Worker's binding sends JSON by POST, and not ${feature}: go through AiGateway.layer for this request.`
    })
  }
}
