/**
 * From a request to a classified response of the account's REST API on api.cloudflare.com. Source:
 * `protocol/gateway.md` §1.5, §2.1.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as RequestOptions from "../RequestOptions.js"
import * as AccountOptions from "./accountOptions.js"
import * as Dispatch from "./dispatch.js"
import { placeOf } from "./endpoint.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { own } from "./ownRequest.js"
import { type Sealed, seal } from "./sealedHeaders.js"
import { arrivals } from "./sender.js"
import type { OutgoingRequest, Transport } from "./transport/transport.js"

export type Send = (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>

export const make = (options: {
  readonly transport: Transport
  /** What stands before each path. */
  readonly base: string
  readonly headers: Sealed
  readonly defaults: RequestOptions.RequestOptions
}): Send => {
  const dispatch = Dispatch.make(options.transport, options.headers.secrets)
  return (request) =>
    Effect.withFiberRuntime((fiber) => {
      const region = Context.get(fiber.currentContext, RequestOptions.CurrentOptions)
      const scope = RequestOptions.merge(options.defaults, region)
      return dispatch(outgoing(options.base, options.headers, scope, request), {
        provider: request.provider,
        model: request.model,
        host: "account"
      })
    })
}

const outgoing = (
  base: string,
  account: Sealed,
  scope: RequestOptions.RequestOptions,
  request: ProviderRequest
): Either.Either<OutgoingRequest, LegError> => {
  const place = placeOf(request, "")
  if (place !== undefined) return Either.left(place)
  const merged = RequestOptions.merge(scope, request.options)
  // What is wrong with an option is wrong for every leg, and comes before what this one alone does not have.
  const options = RequestOptions.toHeaders(merged)
  if (options._tag === "Left") return Either.left(options.left)
  const absent = AccountOptions.absentIn(merged)
  if (absent !== undefined) {
    const { provider, model } = request
    return Either.left(AccountOptions.unsupported(absent, { provider, model }, "The account API"))
  }
  const ready = own(request)
  if (ready._tag === "Left") return Either.left(ready.left)
  const { method, headers, body, secrets } = ready.right
  const key = AccountOptions.noKey(headers, "The account API")
  if (key !== undefined) return Either.left(key)
  return Either.right({
    method,
    url: `${base}/${request.endpoint}`,
    headers: { ...headers, ...options.right, ...account.headers },
    body,
    arrival: arrivals.get(request),
    secrets
  })
}

/** The headers that every request has. */
export const accountHeaders = ({
  token,
  gatewayId = "default",
  headers
}: {
  readonly token: Redacted.Redacted
  readonly gatewayId?: string | undefined
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
}): Either.Either<Sealed, InvalidRequest> => {
  // Only a caller without types gets here with anything else.
  const secret: unknown = Redacted.isRedacted(token) ? Redacted.value(token) : undefined
  if (typeof secret !== "string" || secret === "") {
    return invalid(
      "token",
      "The account API needs accountId and token: token is missing. It is a Cloudflare API token with the permission Workers AI Read, as a Redacted."
    )
  }
  if (!/^[\x21-\x7e]+$/.test(secret))
    return invalid(
      "token",
      "token has a character that a token cannot have, such as a space or a line break."
    )
  return seal("headers", {
    ...headers,
    authorization: Redacted.make(`Bearer ${secret}`),
    "cf-aig-gateway-id": gatewayId
  })
}

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
