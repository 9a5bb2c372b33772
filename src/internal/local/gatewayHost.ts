/** The gateway's own host: `gateway.ai.cloudflare.com/v1/{account}/{gateway}`, native, compat and universal endpoints. */
import { gatewayAllows, gatewayToken, isKnown } from "./auth.js"
import { gatewayError, noAnswerFromProvider, noSuchGateway, unauthorized } from "./errors.js"
import type { Options } from "./options.js"
import { decoded } from "./pathSegment.js"
import type { RecordedRequest } from "./records.js"
import { type Exchange, runStep, type State } from "./step.js"
import { alone, entriesOf, type Walked, walk } from "./walk.js"

export interface GatewayPlace {
  readonly account: string
  readonly gateway: string
  readonly provider: string | undefined
  readonly endpoint: string | undefined
}

/** `/v1/{account}/{gateway}[/{provider}/{path}]`, on any host. */
export const gatewayPlaceOf = (url: URL): GatewayPlace | undefined => {
  const match = /^\/v1\/([^/]+)\/([^/]+)(?:\/([^/]+)(?:\/(.*))?)?\/?$/.exec(url.pathname)
  if (match === null) return undefined
  const [, account = "", gateway = "", provider, path] = match
  return {
    account: decoded(account),
    gateway: decoded(gateway),
    provider,
    endpoint: provider === undefined ? undefined : `${path ?? ""}${url.search}`
  }
}

const exists = (options: Options, place: GatewayPlace): boolean =>
  place.account === (options.accountId ?? "local-account") && isKnown(options, place.gateway)

export const gatewayRoute = async (
  state: State,
  exchange: Exchange,
  place: GatewayPlace | undefined,
  record: RecordedRequest,
  text: string
): Promise<Walked> => {
  const { options } = state
  if (place === undefined || !exists(options, place)) return alone(noSuchGateway())
  if (!gatewayAllows(record.headers, gatewayToken(options))) return alone(unauthorized())
  if (place.provider !== undefined) {
    const step = {
      provider: place.provider,
      endpoint: place.endpoint ?? "",
      method: record.method,
      headers: record.headers,
      config: {},
      body: record.body,
      text
    }
    const outcome = await runStep(state, exchange, step, 0, false)
    return { ...outcome, step: undefined }
  }
  if (record.method !== "POST") return alone(gatewayError(405, undefined, "Method not allowed"))
  const entries = entriesOf(record.body, record.headers)
  return entries === undefined ? alone(noAnswerFromProvider()) : walk(state, exchange, entries)
}
