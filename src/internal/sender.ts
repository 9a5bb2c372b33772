/** From a provider's request to a classified response: headers, credentials, the envelope of the universal endpoint. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Tracer from "effect/Tracer"
import { fromHeaders } from "../GatewayMetadata.js"
import * as RequestOptions from "../RequestOptions.js"
import * as Dispatch from "./dispatch.js"
import { placeOf } from "./endpoint.js"
import * as Entries from "./entries.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import type { Asked } from "./gatewayResponse.js"
import type { GatewayUrl } from "./gatewayUrl.js"
import { own } from "./ownRequest.js"
import { type Sealed, seal } from "./sealedHeaders.js"
import * as Trace from "./tracePropagation.js"
import type {
  Arrival,
  AwaitedRequest,
  IncomingResponse,
  OutgoingRequest,
  Transport,
  TransportKind
} from "./transport/transport.js"

export interface Sender {
  readonly transport: TransportKind
  readonly defaults: RequestOptions.RequestOptions
  readonly send: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  readonly sendFirst: (requests: ReadonlyArray<ProviderRequest>) => Effect.Effect<GatewayResponse, LegError>
  readonly relay: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  readonly relayFirst: (requests: ReadonlyArray<ProviderRequest>) => Effect.Effect<GatewayResponse, LegError>
}

/** The four ways to send of one dispatch. */
export const from = <Request extends AwaitedRequest>(options: {
  readonly kind: TransportKind
  readonly defaults: RequestOptions.RequestOptions
  readonly tracePropagation: Trace.TracePropagation
  readonly dispatch: Dispatch.Dispatch<Request>
  readonly one: (region: Region, request: ProviderRequest) => Either.Either<Request, LegError>
  readonly several: (
    region: Region,
    requests: ReadonlyArray<ProviderRequest>
  ) => Either.Either<Request, LegError>
}): Sender => {
  const { kind, defaults, tracePropagation, dispatch, one, several } = options
  const send = (relay: boolean) => (request: ProviderRequest) =>
    inRegion(defaults, tracePropagation, (region) =>
      dispatch(one(region, request), askedOf(request), { relay })
    )
  const sendFirst = (relay: boolean) => (requests: ReadonlyArray<ProviderRequest>) =>
    inRegion(defaults, tracePropagation, (region) =>
      dispatch(several(region, requests), severalAsked, {
        relay,
        answeredBy: (incoming) => entryOf(incoming, requests)
      })
    )
  return {
    transport: kind,
    defaults,
    send: send(false),
    sendFirst: sendFirst(false),
    relay: send(true),
    relayFirst: sendFirst(true)
  }
}

export const make = (options: {
  readonly transport: Transport
  readonly url: GatewayUrl
  readonly headers: Sealed
  readonly defaults: RequestOptions.RequestOptions
  readonly tracePropagation: Trace.TracePropagation
}): Sender => {
  const { transport, url, headers, defaults, tracePropagation } = options
  return from({
    kind: transport.kind,
    defaults,
    tracePropagation,
    dispatch: Dispatch.make(transport, headers.secrets),
    one: (region, request) => native(url, headers, region, request),
    several: (region, requests) => universal(url, headers, region, requests)
  })
}

/** What the region of a program, around a call, says about its requests. */
export interface Region {
  readonly options: RequestOptions.RequestOptions
  /** What the gateway is told of the current span. A request's own options win. */
  readonly span: Tracer.AnySpan | undefined
  /** What the provider is told of it. */
  readonly headers: Readonly<Record<string, string>> | undefined
}

export const inRegion = <A, E>(
  defaults: RequestOptions.RequestOptions,
  propagation: Trace.TracePropagation,
  send: (region: Region) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) => {
    const span = propagation === "none" ? undefined : Trace.spanOf(fiber)
    return send({
      options: RequestOptions.merge(
        defaults,
        Context.get(fiber.currentContext, RequestOptions.CurrentOptions)
      ),
      span,
      headers: propagation === "provider" ? Trace.providerHeaders(span) : undefined
    })
  })

export const askedOf = ({ provider, model }: ProviderRequest): Asked => ({ provider, model })

/**
 * Who waits for the response of a request. Beside the request and not in the fiber's context, which would have to be copied
 * for each attempt.
 */
export const arrivals = new WeakMap<ProviderRequest, Arrival>()

/** Waits for a response; one that comes in the moment in which the wait ends otherwise is closed. */
export const arriving = <A, E, R>(
  restore: (effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>,
  request: ProviderRequest,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const arrival: Arrival = { close: undefined }
  arrivals.set(request, arrival)
  return Effect.onError(restore(effect), () => arrival.close ?? Effect.void)
}

/** A response, and its body. */
export interface Received {
  readonly response: GatewayResponse
  readonly text: string
}

/** Waits for a response and reads it; lets go of it wherever that is interrupted. */
export const received = (
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  request: ProviderRequest,
  sent: Effect.Effect<GatewayResponse, LegError>
): Effect.Effect<Received, LegError> =>
  Effect.flatMap(arriving(restore, request, sent), (response) =>
    Effect.map(
      Effect.onError(restore(response.text), () => response.close),
      (text) => ({ response, text })
    )
  )

const native = (
  url: GatewayUrl,
  gateway: Sealed,
  region: Region,
  request: ProviderRequest
): Either.Either<OutgoingRequest, InvalidRequest> => {
  const place = placeOf(request, "")
  if (place !== undefined) return Either.left(place)
  const options = RequestOptions.toHeaders(
    Trace.withSpan(RequestOptions.merge(region.options, request.options), region.span)
  )
  if (options._tag === "Left") return Either.left(options.left)
  return Either.map(own(request), ({ method, headers, body, secrets }) => ({
    method,
    url: `${url.base}/${request.provider}/${request.endpoint}`,
    headers: { ...region.headers, ...headers, ...options.right, ...gateway.headers },
    body,
    arrival: arrivals.get(request),
    secrets
  }))
}

/** Options of the region are the outer headers; a request's own are the entry's, and win. Source: `protocol/gateway.md` §2.3. */
const universal = (
  url: GatewayUrl,
  gateway: Sealed,
  region: Region,
  requests: ReadonlyArray<ProviderRequest>
): Either.Either<OutgoingRequest, InvalidRequest> => {
  if (!url.universal) {
    return Either.left(
      new InvalidRequest({
        field: "customDomain",
        message: "A custom domain has no universal endpoint: use accountId and gatewayId."
      })
    )
  }
  const outer = RequestOptions.toHeaders(Trace.withSpan(region.options, region.span))
  if (outer._tag === "Left") return Either.left(outer.left)
  const made = Entries.make(requests, {
    ...Entries.together,
    optionsOf: (request) => ofEntry(request.options, region.options),
    further: region.headers
  })
  return Either.map(made, ({ entries, secrets }) => ({
    method: "POST",
    url: url.base,
    headers: { "content-type": "application/json", ...outer.right, ...gateway.headers },
    body: JSON.stringify(entries),
    arrival: requests[0] && arrivals.get(requests[0]),
    secrets
  }))
}

/** An entry's metadata would replace that of the outer request: it is made whole. */
const ofEntry = (
  own: RequestOptions.RequestOptions = RequestOptions.empty,
  outer: RequestOptions.RequestOptions
): RequestOptions.RequestOptions =>
  own.metadata === undefined ? own : { ...own, metadata: RequestOptions.merge(outer, own).metadata }

export const severalAsked: Asked = { provider: "universal", model: undefined }

/**
 * Whose answer it is. A success without a step is the first entry's. A failure without one is taken for the last entry's:
 * the gateway tries that one last, and which one's answer it then gives is documented nowhere. Source:
 * `protocol/gateway.md` §3.1, §4.4.
 */
export const entryOf = (
  { status, headers }: IncomingResponse,
  requests: ReadonlyArray<ProviderRequest>
): Asked => {
  const unsaid = status >= 200 && status < 300 ? 0 : requests.length - 1
  const { step } = fromHeaders(headers)
  const entry = requests[headers["cf-aig-step"] === undefined ? unsaid : (step ?? -1)]
  return entry === undefined ? severalAsked : { provider: entry.provider, model: entry.model }
}

/** The headers that every request of a gateway has. */
export const gatewayHeaders = ({
  token,
  headers
}: {
  readonly token?: Redacted.Redacted | undefined
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
}): Either.Either<Sealed, InvalidRequest> => {
  if (token !== undefined && Redacted.isRedacted(token) && Redacted.value(token) === "") {
    return invalid("token", "The gateway token is empty. Leave it out for a gateway without authentication.")
  }
  return Either.mapLeft(
    seal("headers", {
      ...headers,
      "cf-aig-authorization":
        token === undefined ? undefined : Redacted.make(`Bearer ${Redacted.value(token)}`)
    }),
    (error) =>
      error.field === "headers.cf-aig-authorization"
        ? new InvalidRequest({
            field: "token",
            message: "The gateway token has a character that a header cannot carry."
          })
        : error
  )
}

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
