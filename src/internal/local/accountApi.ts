/**
 * The account's own API: `api.cloudflare.com/client/v4/accounts/{account}/ai/…`, Workers AI and the catalog's models
 * behind one Cloudflare token. What Cloudflare does not document (the envelope of `run` for models of others, headers
 * of answers, the code of a failed provider) is chosen here: see the option `accountToken`.
 */

import { type Answered, isEventStream } from "./answered.js"
import { accountAllows, isKnown } from "./auth.js"
import { type Asked, isWorkersAi, type Manners, runTarget, withoutGateway } from "./catalogTarget.js"
import { cloudflareErrors, jsonAnswer, noSuchGateway } from "./errors.js"
import { isObject } from "./json.js"
import type { RecordedRequest } from "./records.js"
import { type Exchange, runTargets, type State } from "./step.js"
import type { Step } from "./target.js"
import { alone, type Walked } from "./walk.js"
import { type Problem, refusal, statusMessage, type Wire } from "./wire.js"

export interface AccountPlace {
  readonly account: string
  /** What comes behind `/ai/`. */
  readonly path: string
}

/** `/client/v4/accounts/{account}/ai/{path}`, on any host. */
export const accountPlaceOf = (url: URL): AccountPlace | undefined => {
  const match = /^\/client\/v4\/accounts\/([^/]+)\/ai\/(.+?)\/?$/.exec(url.pathname)
  return match === null ? undefined : { account: match[1] ?? "", path: match[2] ?? "" }
}

const no = (status: number, code: number, message: string): Answered =>
  jsonAnswer("gateway", status, cloudflareErrors(code, message))

const noRoute = (path: string) =>
  no(404, 7003, `Could not route to /client/v4/accounts/${path}, perhaps your object identifier is invalid?`)

const surfaces: Readonly<Record<string, Asked["surface"]>> = {
  "v1/chat/completions": "chat",
  "v1/responses": "responses",
  "v1/messages": "messages",
  "v1/embeddings": "embeddings"
}

/** Webhooks are checked for what they need, and never called. */
const badOptions = (options: unknown): Answered | undefined => {
  const { background, webhookUrl, webhookFormat } = isObject(options) ? options : {}
  if (webhookUrl !== undefined && background !== true)
    return no(400, 7003, "webhookUrl needs background: true")
  return webhookFormat !== undefined && webhookUrl === undefined
    ? no(400, 7003, "webhookFormat needs webhookUrl")
    : undefined
}

const askedOf = (path: string, body: unknown): Asked | Answered => {
  const native = /^run\/(@(?:cf|hf)\/.+)$/.exec(path)?.[1]
  if (!isObject(body)) return no(400, 5004, "AiError: Invalid data: must be object")
  if (native !== undefined) return { surface: "run", name: decodeURIComponent(native), body }
  const { model } = body
  if (typeof model !== "string" || model === "")
    return no(400, 5004, "AiError: Invalid data: model is required")
  if (path === "run") {
    const { input } = body
    if (!isObject(input)) return no(400, 5004, "AiError: Invalid data: input is required")
    return badOptions(body.options) ?? { surface: "run", name: model, body: input }
  }
  const surface = surfaces[path]
  return surface === undefined ? no(404, 7000, "No route for that URI") : { surface, name: model, body }
}

/** `run` wraps what the provider says, and its errors in the envelope of the whole API. */
const enveloped = (wire: Wire): Wire => {
  const refuse = (problem: Problem) => {
    const { status, body } = wire.refuse(problem)
    const inner = isObject(body) && isObject(body.error) ? body.error.message : undefined
    return refusal(
      status,
      cloudflareErrors(
        2005,
        `Failed to get response from provider: ${typeof inner === "string" ? inner : statusMessage(status)}`
      )
    )
  }
  return {
    ...wire,
    whole: (ask, answer) => ({
      result: wire.whole(ask, answer),
      success: true,
      errors: [],
      messages: []
    }),
    refuse
  }
}

/** The caller's headers without the Cloudflare token, which is no provider's. */
const headersFor = (headers: RecordedRequest["headers"]): RecordedRequest["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"))

const manners: Manners = { no, catalog: enveloped, workersAi: (wire) => wire }

export const accountRoute = async (
  state: State,
  exchange: Exchange,
  place: AccountPlace,
  record: RecordedRequest
): Promise<Walked> => {
  const { options } = state
  if (!accountAllows(record.headers, options))
    return { ...alone(no(401, 10000, "Authentication error")), plain: true }
  if (place.account !== (options.accountId ?? "local-account"))
    return { ...alone(noRoute(`${place.account}/ai/${place.path}`)), plain: true }
  if (record.method !== "POST")
    return { ...alone(no(405, 7001, `Method ${record.method} not available for that URI.`)), plain: true }
  const asked = askedOf(place.path, record.body)
  if ("status" in asked) return { ...alone(asked), plain: true }
  const own = isWorkersAi(asked.name)
  const gateway = record.headers["cf-aig-gateway-id"]
  if (gateway !== undefined && !isKnown(state.options, gateway)) return alone(noSuchGateway())
  const target = runTarget(state, asked, manners)
  if ("status" in target) return alone(target)
  const step: Step = {
    provider: target.entry.slug,
    endpoint: target.endpoint,
    method: "POST",
    headers: headersFor(record.headers),
    config: {},
    body: target.body,
    text: target.text
  }
  if (own && gateway === undefined) return withoutGateway(state, exchange, step, target)
  const passing = { ...exchange, gateway: gateway ?? "default" }
  const outcome = await runTargets(state, passing, step, [target], 0, false)
  return {
    ...outcome,
    step: undefined,
    // Measured of streams.
    omits: isEventStream(outcome.answer) ? ["cf-aig-log-id", "cf-aig-cache-status"] : []
  }
}
