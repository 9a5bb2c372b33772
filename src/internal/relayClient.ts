/** An `HttpClient` whose requests go through the gateway to the provider that they are for. */
import * as Client from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import { bare } from "./bareRequest.js"
import * as ClientSpan from "./clientSpan.js"
import type { LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import * as ForeignBody from "./foreignBody.js"
import { RelayedResponse } from "./relayedResponse.js"
import { isStranger, type Rerouted, type RerouteOptions, reroute } from "./reroute.js"
import { arriving } from "./sender.js"
import { gatewayIds } from "./spans.js"

/** How a rerouted request is sent. */
export type Send = (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>

/** `strangers` gets what is for no provider; without it that fails. */
export const make = (
  send: Send,
  options: RerouteOptions,
  strangers?: Client.HttpClient
): Client.HttpClient => {
  const relay = Client.make((request, url, signal) =>
    Effect.withFiberRuntime((fiber) => {
      const span = ClientSpan.of(fiber, url)
      if (span !== undefined) ClientSpan.hide(span, request, url)
      return Effect.flatMap(rerouted(request, url, options), (outcome) =>
        outcome._tag === "Routed"
          ? answered({ request, rerouted: outcome.request, send, signal, span })
          : Effect.fail(toRequestError(request, outcome.error))
      )
    })
  )
  return Client.makeWith<never, never, HttpClientError, never>(
    Effect.flatMap((request) =>
      strangers !== undefined && isStranger(request.url, options)
        ? strangers.execute(request)
        : Effect.mapError(relay.execute(request), (error) => withoutCredentials(error, request))
    ),
    Effect.succeed
  )
}

const rerouted = (
  request: HttpClientRequest,
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

interface Asking {
  readonly request: HttpClientRequest
  readonly rerouted: ProviderRequest
  readonly send: Send
  /** How `@effect/platform` lets go of a response that is not read to its end. There is one for each request. */
  readonly signal: AbortSignal
  readonly span: Tracer.Span | undefined
}

const answered = ({
  request,
  rerouted,
  send,
  signal,
  span
}: Asking): Effect.Effect<RelayedResponse, RequestError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.mapBoth(arriving(restore, rerouted, send(rerouted)), {
      onFailure: (error) => toRequestError(request, error),
      onSuccess: (answer) => {
        closeOnAbort(signal, answer)
        if (span !== undefined) gatewayIds(span, answer.gateway)
        return new RelayedResponse(bare(request), answer)
      }
    })
  )

/** Apart from what makes the response: nothing that a signal holds may hold the response, which is let go of when it is lost. */
const closeOnAbort = (signal: AbortSignal, answer: GatewayResponse): void => {
  const close = () => {
    Effect.runFork(answer.close)
  }
  if (signal.aborted) close()
  else signal.addEventListener("abort", close, { once: true })
}

const toRequestError = (request: HttpClientRequest, error: LegError): RequestError =>
  new RequestError({
    request: bare(request),
    reason: reasonOf(error),
    cause: error,
    description: error.message
  })

/** `@effect/platform` finds by itself that a URL is none, and says so with the whole request. */
const withoutCredentials = (error: HttpClientError, request: HttpClientRequest): HttpClientError =>
  error._tag === "RequestError" && error.request === request
    ? new RequestError({ request: bare(request), reason: error.reason, description: "This is not a URL." })
    : error

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
