/** Where a gateway is, and the account's API. Source: `protocol/gateway.md` §1.1, §1.3, §1.5, §1.11. */
import * as Either from "effect/Either"
import { InvalidRequest } from "./errors.js"

export interface GatewayUrl {
  /** Ends without a slash; a provider's slug and path follow. */
  readonly base: string
  /** Does the universal endpoint exist here? A custom domain has none. */
  readonly universal: boolean
}

export const defaultBaseUrl = "https://gateway.ai.cloudflare.com/v1"

export const defaultAccountBaseUrl = "https://api.cloudflare.com/client/v4"

const idPattern = /^[A-Za-z0-9_-]{1,64}$/

export const make = (options: object): Either.Either<GatewayUrl, InvalidRequest> => {
  const settings: { accountId?: unknown; gatewayId?: unknown; baseUrl?: unknown; customDomain?: unknown } =
    options
  if (settings.customDomain !== undefined) {
    return Either.map(httpUrl("customDomain", settings.customDomain), (base) => ({ base, universal: false }))
  }
  const { accountId, gatewayId } = settings
  const wrong = wrongId("accountId", accountId) ?? wrongId("gatewayId", gatewayId)
  if (wrong !== undefined) return Either.left(wrong)
  return Either.map(httpUrl("baseUrl", settings.baseUrl ?? defaultBaseUrl), (base) => ({
    base: `${base}/${String(accountId)}/${String(gatewayId)}`,
    universal: true
  }))
}

/** What stands before each path of the account's AI API; ends without a slash. */
export const makeAccount = (options: object): Either.Either<string, InvalidRequest> => {
  const settings: { accountId?: unknown; gatewayId?: unknown; baseUrl?: unknown } = options
  const { accountId, gatewayId } = settings
  const wrong =
    wrongId("accountId", accountId, "The account API needs accountId and token") ??
    (gatewayId === undefined ? undefined : wrongId("gatewayId", gatewayId))
  if (wrong !== undefined) return Either.left(wrong)
  return Either.map(
    httpUrl("baseUrl", settings.baseUrl ?? defaultAccountBaseUrl, defaultAccountBaseUrl),
    (base) => `${base}/accounts/${String(accountId)}/ai`
  )
}

export const checkGatewayId = (gatewayId: unknown): Either.Either<void, InvalidRequest> => {
  const wrong = wrongId("gatewayId", gatewayId, "The run path needs gatewayId")
  return wrong === undefined ? Either.right(undefined) : Either.left(wrong)
}

/** What stands before a gateway's log in the account's management API; ends without a slash. Source: `protocol/gateway.md` §5.7. */
export const makeLogs = (options: object): Either.Either<string, InvalidRequest> => {
  const settings: { accountId?: unknown; gatewayId?: unknown; baseUrl?: unknown } = options
  const { accountId, gatewayId = "default" } = settings
  const wrong =
    wrongId("accountId", accountId, "GatewayLogs needs accountId and token") ??
    wrongId("gatewayId", gatewayId)
  if (wrong !== undefined) return Either.left(wrong)
  return Either.map(
    httpUrl("baseUrl", settings.baseUrl ?? defaultAccountBaseUrl, defaultAccountBaseUrl),
    (base) => `${base}/accounts/${String(accountId)}/ai-gateway/gateways/${String(gatewayId)}/logs`
  )
}

const wrongId = (
  field: string,
  id: unknown,
  needs = "A gateway needs accountId and gatewayId, or customDomain"
): InvalidRequest | undefined => {
  if (id === undefined || id === "") {
    return new InvalidRequest({ field, message: `${needs}: ${field} is missing.` })
  }
  return typeof id === "string" && idPattern.test(id)
    ? undefined
    : new InvalidRequest({
        field,
        message: `${field} must be letters, digits, "-" and "_", as the dashboard shows it.`
      })
}

const httpUrl = (
  field: string,
  value: unknown,
  example = defaultBaseUrl
): Either.Either<string, InvalidRequest> => {
  let url: URL | undefined
  try {
    url = typeof value === "string" ? new URL(value) : undefined
  } catch {
    url = undefined
  }
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return invalid(field, `${field} must be a URL that begins with https://, such as ${example}.`)
  }
  if (url.username !== "" || url.password !== "") {
    return invalid(field, `${field} must not hold a user name or password: use headers.`)
  }
  if (url.search !== "" || url.hash !== "")
    return invalid(field, `${field} must not have a query or fragment.`)
  return Either.right(url.href.replace(/\/+$/, ""))
}

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
