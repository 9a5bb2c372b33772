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
import { toJson } from "./requestBody.js"
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
  const dispatch = Dispatch.make(transport, [])
  return {
    transport: transport.kind,
    defaults,
    send: (request) =>
      Sender.inRegion(defaults, tracePropagation, (region) => {
        const unsupported = unsupportedIn(request)
        return dispatch(
          unsupported === undefined ? outgoing(region, [request], () => "") : Either.left(unsupported),
          Sender.askedOf(request)
        )
      }),
    sendFirst: (requests) =>
      Sender.inRegion(defaults, tracePropagation, (region) =>
        dispatch(outgoing(region, requests, Entries.among), Sender.severalAsked, (incoming) =>
          Sender.entryOf(incoming, requests)
        )
      )
  }
}

const outgoing = (
  region: Sender.Region,
  requests: ReadonlyArray<ProviderRequest>,
  placeOf: (index: number) => string
): Either.Either<BindingRequest, InvalidRequest> =>
  Either.map(
    Entries.make(
      requests,
      (request) => Trace.withSpan(RequestOptions.merge(region.options, request.options), region.span),
      placeOf,
      region.headers
    ),
    ({ entries, secrets }) => ({ entries, secrets, arrival: requests[0] && Sender.arrivals.get(requests[0]) })
  )

/** What other transports carry, and no entry does. A list moves on to a leg behind one of those. */
const unsupportedIn = (request: ProviderRequest): LegError | undefined => {
  const { method = "POST", body, provider, model } = request
  const feature =
    method !== "POST"
      ? `method ${method}`
      : body === undefined || toJson(body) === undefined
        ? "a body that is not JSON"
        : undefined
  return feature === undefined
    ? undefined
    : new Unsupported({
        feature,
        provider,
        model,
        message: `A Worker's binding sends JSON by POST, and not ${feature}: go through AiGateway.layer for this request.`
      })
}
