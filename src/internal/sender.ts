/** From a provider's request to a classified response: headers, credentials, the envelope of the universal endpoint. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as RequestOptions from "../RequestOptions.js"
import { classify, describe } from "./classify.js"
import { placeOf } from "./endpoint.js"
import { InvalidRequest, type LegError, TransportFailure } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { type Asked, Response, readText } from "./gatewayResponse.js"
import type { GatewayUrl } from "./gatewayUrl.js"
import { parseJson } from "./json.js"
import { credentialHeaders } from "./redactedHeaders.js"
import type { Arrival, OutgoingRequest, Transport } from "./transport/transport.js"

/** Headers as they go out, and the secrets among them, which no text may show. */
interface Sealed {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
}

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

export interface Sender {
  readonly transport: "https" | "binding"
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

  const dispatch = (
    request: Either.Either<Outgoing, InvalidRequest>,
    asked: Asked
  ): Effect.Effect<GatewayResponse, LegError> => {
    if (request._tag === "Left") return Effect.fail(request.left)
    const scrub = scrubber([...options.headers.secrets, ...request.right.secrets])
    return Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(transport.send(request.right)), {
        onFailure: (error) => Effect.fail(named(error, asked, scrub)),
        onSuccess: (incoming) => {
          if (incoming.status >= 200 && incoming.status < 300) {
            return Effect.succeed(new Response(incoming, asked, scrub))
          }
          return Effect.flatMap(
            restore(Effect.merge(Effect.mapError(readText(incoming, errorBodyLimit), () => ""))),
            (body) => {
              // The body was read: closing what is over would cost an abort, with its exception and stack.
              const { arrival } = request.right
              if (arrival !== undefined) arrival.close = undefined
              return Effect.flatMap(Clock.currentTimeMillis, (now) =>
                Effect.fail(classify(incoming.status, incoming.headers, scrub(body), { ...asked, now }))
              )
            }
          )
        }
      })
    )
  }

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
        dispatch(universal(url, options.headers, scope, requests), {
          provider: "universal",
          model: undefined
        })
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

interface Outgoing extends OutgoingRequest {
  readonly secrets: ReadonlyArray<string>
}

const native = (
  url: GatewayUrl,
  gateway: Sealed,
  scope: RequestOptions.RequestOptions,
  request: ProviderRequest
): Either.Either<Outgoing, InvalidRequest> => {
  const place = placeOf(request, "")
  if (place !== undefined) return Either.left(place)
  const options = RequestOptions.toHeaders(RequestOptions.merge(scope, request.options))
  if (options._tag === "Left") return Either.left(options.left)
  const own = seal("headers", request.headers)
  if (own._tag === "Left") return Either.left(own.left)
  const body = encodeBody(request.body)
  if (body._tag === "Left") return Either.left(body.left)
  if (body.right !== undefined && request.method === "GET")
    return invalid("body", "A GET request has no body: use POST, or put it into the endpoint's query.")
  const type = body.right === undefined ? {} : { "content-type": "application/json" }
  return Either.right({
    method: request.method ?? "POST",
    url: `${url.base}/${request.provider}/${request.endpoint}`,
    headers: { ...type, ...own.right.headers, ...options.right, ...gateway.headers },
    body: body.right,
    arrival: arrivals.get(request),
    secrets: own.right.secrets
  })
}

/** Options of the region are the outer headers; a request's own are the entry's. Source: `protocol/gateway.md` §1.3, §2.3. */
const universal = (
  url: GatewayUrl,
  gateway: Sealed,
  scope: RequestOptions.RequestOptions,
  requests: ReadonlyArray<ProviderRequest>
): Either.Either<Outgoing, InvalidRequest> => {
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
    arrival: undefined,
    secrets
  })
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
  const headers = { "content-type": "application/json", ...own.right.headers, ...options.right }
  return Either.right({ provider: request.provider, endpoint: request.endpoint, headers, query })
}

const encodeBody = (body: unknown): Either.Either<string | Uint8Array | undefined, InvalidRequest> => {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return Either.right(body)
  if (body instanceof ArrayBuffer) return Either.right(new Uint8Array(body))
  if (ArrayBuffer.isView(body))
    return Either.right(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  if (isForeignBody(body))
    return invalid("body", "body must be JSON, text or bytes; form data and streams are not sent.")
  try {
    const text: string | undefined = JSON.stringify(body)
    return text === undefined ? invalid("body", "body cannot be written as JSON.") : Either.right(text)
  } catch (reason) {
    return invalid("body", `body cannot be written as JSON: ${describe(reason)}`)
  }
}

/** What `JSON.stringify` would silently turn into `{}`. */
const isForeignBody = (body: unknown): boolean =>
  (typeof FormData !== "undefined" && body instanceof FormData) ||
  (typeof ReadableStream !== "undefined" && body instanceof ReadableStream) ||
  (typeof Blob !== "undefined" && body instanceof Blob) ||
  body instanceof URLSearchParams

const toJson = (body: unknown): unknown => {
  const encoded = encodeBody(body)
  if (encoded._tag === "Left" || encoded.right === undefined) return undefined
  const text = typeof encoded.right === "string" ? encoded.right : new TextDecoder().decode(encoded.right)
  return parseJson(text)
}

/** Unwraps secrets, as late as possible, and checks what a header cannot carry. */
const seal = (
  field: string,
  headers: Readonly<Record<string, string | Redacted.Redacted | undefined>> | undefined
): Either.Either<Sealed, InvalidRequest> => {
  const open: Record<string, string> = {}
  const secrets: Array<string> = []
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value === undefined) continue
    const key = name.toLowerCase()
    // These describe a connection, and that is the HTTP client's and the gateway's to say.
    if (key === "host" || key === "content-length") continue
    const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
    // A client's own complaint about a bad value would quote it, and with it the key.
    if (
      typeof text !== "string" ||
      !/^[\t\x20-\x7e]*$/.test(text) ||
      !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
    ) {
      return invalid(
        `${field}.${name}`,
        `The header ${JSON.stringify(name)} has a character that a header cannot carry, such as a line break.`
      )
    }
    if (Redacted.isRedacted(value) || credentialHeaders.includes(key))
      secrets.push(text.replace(/^(Bearer|Token|Key|Basic) /i, ""))
    open[key] = text
  }
  return Either.right({ headers: open, secrets })
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

const scrubber = (secrets: ReadonlyArray<string>): ((text: string) => string) => {
  // A very short "secret" would tear ordinary words apart, and protects nothing.
  const long = secrets.filter((secret) => secret.length >= 6)
  if (long.length === 0) return (text) => text
  return (text) => long.reduce((scrubbed, secret) => scrubbed.split(secret).join("<redacted>"), text)
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

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
