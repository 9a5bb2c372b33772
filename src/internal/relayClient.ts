/** An `HttpClient` whose requests go through the gateway to the provider that they are for. */
import * as Client from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import * as ForeignBody from "./foreignBody.js"
import { credentialHeaders } from "./redactedHeaders.js"
import { RelayedResponse } from "./relayedResponse.js"
import { type Rerouted, type RerouteOptions, reroute } from "./reroute.js"
import { arriving } from "./sender.js"

/** How a rerouted request is sent. */
export type Send = (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>

/** `strangers` gets what is for no provider; without it that fails. */
export const make = (
  send: Send,
  options: RerouteOptions,
  strangers?: Client.HttpClient
): Client.HttpClient => {
  const relay = Client.make((request, url, signal) =>
    Effect.flatMap(rerouted(request, url, options), (outcome) =>
      outcome._tag === "Routed"
        ? answered(request, outcome.request, send, signal)
        : Effect.fail(toRequestError(request, outcome.error))
    )
  )
  if (strangers === undefined) return relay
  return Client.makeWith<never, never, HttpClientError, never>(
    Effect.flatMap((request) =>
      isStranger(request, options) ? strangers.execute(request) : relay.execute(request)
    ),
    Effect.succeed
  )
}

const rerouted = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  options: RerouteOptions
): Effect.Effect<Rerouted, RequestError> =>
  Effect.mapBoth(ForeignBody.fromHttpBody(request.body), {
    onFailure: (error) => toRequestError(request, error),
    onSuccess: ({ body, type }) =>
      reroute(
        {
          method: request.method,
          url,
          headers:
            type === undefined || request.headers["content-type"] !== undefined
              ? request.headers
              : { ...request.headers, "content-type": type },
          body
        },
        options
      )
  })

const isStranger = (request: HttpClientRequest.HttpClientRequest, options: RerouteOptions): boolean => {
  const { method, url } = request
  return reroute({ method, url, headers: {}, body: undefined }, options)._tag === "Stranger"
}

/** `signal` is how `@effect/platform` lets go of a response that is not read to its end. */
const answered = (
  request: HttpClientRequest.HttpClientRequest,
  rerouted: ProviderRequest,
  send: Send,
  signal: AbortSignal
): Effect.Effect<RelayedResponse, RequestError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.mapBoth(arriving(restore, rerouted, send(rerouted)), {
      onFailure: (error) => toRequestError(request, error),
      onSuccess: (answer) => {
        const close = () => {
          Effect.runFork(answer.close)
        }
        if (signal.aborted) close()
        else signal.addEventListener("abort", close, { once: true })
        return new RelayedResponse(bare(request), answer)
      }
    })
  )

/** A client's errors show its request: this one has no credential in it. */
const bare = (request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = credentialHeaders.includes(name) ? "<redacted>" : value
  }
  return HttpClientRequest.modify(request, { headers })
}

const toRequestError = (request: HttpClientRequest.HttpClientRequest, error: LegError): RequestError =>
  new RequestError({
    request: bare(request),
    reason: reasonOf(error),
    cause: error,
    description: error.message
  })

/** Only what a later attempt can mend is `Transport`: clients retry that. */
const reasonOf = (error: LegError): RequestError["reason"] => {
  switch (error._tag) {
    case "InvalidRequest":
      return error.field === "url" ? "InvalidUrl" : "Encode"
    case "Unsupported":
      return "Encode"
    default:
      return "Transport"
  }
}
