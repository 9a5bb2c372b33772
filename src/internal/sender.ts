/** From a provider's request to a classified response: headers, credentials, the envelope of the universal endpoint. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { fromHeaders } from "../GatewayMetadata.js"
import * as RequestOptions from "../RequestOptions.js"
import * as Dispatch from "./dispatch.js"
import { placeOf } from "./endpoint.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import type { Asked } from "./gatewayResponse.js"
import type { GatewayUrl } from "./gatewayUrl.js"
import { own } from "./ownRequest.js"
import { toJson } from "./requestBody.js"
import { type Sealed, seal } from "./sealedHeaders.js"
import type { Arrival, IncomingResponse, Transport, TransportKind } from "./transport/transport.js"

export interface Sender {
  readonly transport: TransportKind
  readonly defaults: RequestOptions.RequestOptions
  readonly send: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  readonly sendFirst: (requests: ReadonlyArray<ProviderRequest>) => Effect.Effect<GatewayResponse, LegError>
}

export const make = (options: {
  readonly transport: Transport
  readonly url: GatewayUrl
  readonly headers: Sealed
  readonly defaults: RequestOptions.RequestOptions
}): Sender => {
  const { transport, url, defaults } = options

  const dispatch = Dispatch.make(transport, options.headers.secrets)

  const withOptions = <A, E>(
    f: (scope: RequestOptions.RequestOptions) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    Effect.withFiberRuntime((fiber) =>
      f(RequestOptions.merge(defaults, Context.get(fiber.currentContext, RequestOptions.CurrentOptions)))
    )

  return {
    transport: transport.kind,
    defaults,
    send: (request) =>
      withOptions((scope) =>
        dispatch(native(url, options.headers, scope, request), {
          provider: request.provider,
          model: request.model
        })
      ),
    sendFirst: (requests) =>
      withOptions((scope) =>
        dispatch(universal(url, options.headers, scope, requests), severalAsked, (incoming) =>
          entryOf(incoming, requests)
        )
      )
  }
}

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
  scope: RequestOptions.RequestOptions,
  request: ProviderRequest
): Either.Either<Dispatch.Outgoing, InvalidRequest> => {
  const place = placeOf(request, "")
  if (place !== undefined) return Either.left(place)
  const options = RequestOptions.toHeaders(RequestOptions.merge(scope, request.options))
  if (options._tag === "Left") return Either.left(options.left)
  return Either.map(own(request), ({ method, headers, body, secrets }) => ({
    method,
    url: `${url.base}/${request.provider}/${request.endpoint}`,
    headers: { ...headers, ...options.right, ...gateway.headers },
    body,
    arrival: arrivals.get(request),
    secrets
  }))
}

/**
 * Options of the region are the outer headers; a request's own are the entry's: its timeout and retries in the entry's
 * `config`, the others in its headers. Source: `protocol/gateway.md` §1.3, §2.3.
 */
const universal = (
  url: GatewayUrl,
  gateway: Sealed,
  scope: RequestOptions.RequestOptions,
  requests: ReadonlyArray<ProviderRequest>
): Either.Either<Dispatch.Outgoing, InvalidRequest> => {
  if (!url.universal)
    return invalid("customDomain", "A custom domain has no universal endpoint: use accountId and gatewayId.")
  if (requests.length === 0) return invalid("requests", "sendFirst needs at least one request.")
  const outer = RequestOptions.toHeaders(scope)
  if (outer._tag === "Left") return Either.left(outer.left)
  const secrets: Array<string> = []
  const entries: Array<unknown> = []
  for (const [index, request] of requests.entries()) {
    const entry = toEntry(request, `requests[${index}].`, secrets)
    if (entry._tag === "Left") return Either.left(entry.left)
    entries.push(entry.right)
  }
  return Either.right({
    method: "POST",
    url: url.base,
    headers: { "content-type": "application/json", ...outer.right, ...gateway.headers },
    body: JSON.stringify(entries),
    arrival: requests[0] && arrivals.get(requests[0]),
    secrets
  })
}

const severalAsked: Asked = { provider: "universal", model: undefined }

/**
 * Whose answer it is. A success without a step is the first entry's. A failure without one is taken for the last entry's:
 * the gateway tries that one last, and which one's answer it then gives is documented nowhere. Source:
 * `protocol/gateway.md` §3.1, §4.4.
 */
const entryOf = ({ status, headers }: IncomingResponse, requests: ReadonlyArray<ProviderRequest>): Asked => {
  const unsaid = status >= 200 && status < 300 ? 0 : requests.length - 1
  const { step } = fromHeaders(headers)
  const entry = requests[headers["cf-aig-step"] === undefined ? unsaid : (step ?? -1)]
  return entry === undefined ? severalAsked : { provider: entry.provider, model: entry.model }
}

const toEntry = (
  request: ProviderRequest,
  prefix: string,
  secrets: Array<string>
): Either.Either<unknown, InvalidRequest> => {
  const place = placeOf(request, prefix)
  if (place !== undefined) return Either.left(place)
  if (request.method !== undefined && request.method !== "POST")
    return invalid(`${prefix}method`, "An entry of a universal request is always a POST: use send.")
  const options = RequestOptions.toHeaders(request.options ?? RequestOptions.empty)
  if (options._tag === "Left") return Either.left(options.left)
  const own = seal(`${prefix}headers`, request.headers)
  if (own._tag === "Left") return Either.left(own.left)
  const query = toJson(request.body)
  if (query === undefined) return invalid(`${prefix}body`, "An entry of a universal request must be JSON.")
  secrets.push(...own.right.secrets)
  const { config, rest } = splitOptions(options.right)
  const headers = { "content-type": "application/json", ...own.right.headers, ...rest }
  return Either.right({
    provider: request.provider,
    endpoint: request.endpoint,
    headers,
    ...(config === undefined ? {} : { config }),
    query
  })
}

/** The options that an entry takes in its `config`, by their headers. */
const configNames: Readonly<Record<string, string>> = {
  "cf-aig-request-timeout": "requestTimeout",
  "cf-aig-max-attempts": "maxAttempts",
  "cf-aig-retry-delay": "retryDelay",
  "cf-aig-backoff": "backoff"
}

const splitOptions = (options: Readonly<Record<string, string>>) => {
  const config: Record<string, string | number> = {}
  const rest: Record<string, string> = {}
  for (const [header, value] of Object.entries(options)) {
    const name = configNames[header]
    if (name === undefined) rest[header] = value
    else config[name] = name === "backoff" ? value : Number(value)
  }
  return { rest, config: Object.keys(config).length === 0 ? undefined : config }
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
