/**
 * The account's own API: `api.cloudflare.com/client/v4/accounts/{account}/ai/…`, Workers AI and the catalog's models
 * behind one Cloudflare token. What Cloudflare does not document (the envelope of `run` for models of others, headers
 * of answers, the code of a failed provider) is chosen here: see the option `accountToken`.
 */

import type { Answered } from "./answered.js"
import { anthropicWire } from "./anthropicUpstream.js"
import { accountToken, billed } from "./auth.js"
import { type CatalogModel, catalogModel } from "./catalog.js"
import { cloudflareErrors, jsonAnswer, noSuchGateway } from "./errors.js"
import { isObject, type JsonObject } from "./json.js"
import { compatDialect } from "./openAiDialects.js"
import type { RecordedRequest } from "./records.js"
import { responsesWire } from "./responsesUpstream.js"
import { type Exchange, runTargets, type State } from "./step.js"
import type { Step, Target } from "./target.js"
import { isNoModel } from "./upstream.js"
import type { Walked } from "./walk.js"
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

const noModel = (name: string) => no(404, 7003, `Model not found: ${name}`)

const needsKey = () => no(402, 2021, "This model is not available on Unified Billing, use BYOK")

/** A surface of the API, and the model that is asked on it. */
interface Asked {
  readonly surface: "run" | "chat" | "responses" | "messages" | "embeddings"
  readonly name: string
  /** The body for the model. */
  readonly body: JsonObject
}

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

/** Anthropic's version is the caller's to choose, and not needed here. */
const messagesWire: Wire = {
  ...anthropicWire,
  parse: (request) =>
    anthropicWire.parse({
      ...request,
      headers: { "anthropic-version": "2023-06-01", ...request.headers }
    })
}

const wireOf = (state: State, { surface, body }: Asked, { slug }: CatalogModel): Wire | undefined => {
  const responses = responsesWire(compatDialect(slug))
  switch (surface) {
    case "chat":
      return state.directory.compat(slug)
    case "responses":
      return responses
    case "messages":
      return messagesWire
    // Documented for Workers AI only.
    case "embeddings":
      return undefined
    case "run":
      if (slug === "anthropic") return enveloped(messagesWire)
      return enveloped(
        body.messages === undefined && body.input !== undefined ? responses : state.directory.compat(slug)
      )
  }
}

const targetOf = (entry: Target["entry"], wire: Wire, path: string, body: JsonObject): Target => ({
  entry,
  wire,
  compat: true,
  path,
  query: new URLSearchParams(),
  endpoint: path,
  body,
  text: JSON.stringify(body),
  announced: {}
})

const workersAiPaths: Readonly<Record<Asked["surface"], string | undefined>> = {
  run: "",
  chat: "v1/chat/completions",
  responses: "v1/responses",
  embeddings: "v1/embeddings",
  // Anthropic's shape is not for Workers AI's models.
  messages: undefined
}

const workersAiTarget = (state: State, asked: Asked): Target | Answered => {
  const known = workersAiPaths[asked.surface]
  const entry = state.directory.find("workers-ai")
  if (known === undefined || entry === undefined)
    return no(400, 7003, `${asked.name} is not available on v1/messages`)
  const path = known === "" ? `run/${asked.name}` : known
  const wire = entry.wire(path, new URLSearchParams()) ?? entry.errors
  const body = asked.surface === "run" ? asked.body : { ...asked.body, model: asked.name }
  return targetOf({ ...entry, credentials: [], prepaid: true }, wire, path, body)
}

const catalogTarget = (state: State, asked: Asked): Target | Answered => {
  const { options } = state
  const model = catalogModel(asked.name)
  if (model === undefined) return asked.name.startsWith("perplexity/") ? needsKey() : noModel(asked.name)
  if (isNoModel(options, asked.name) || isNoModel(options, model.model)) return noModel(asked.name)
  const entry = state.directory.findRun(model.slug)
  const wire = wireOf(state, asked, model)
  if (entry === undefined || wire === undefined) return noModel(asked.name)
  const stored = options.storedKeys?.[model.slug] !== undefined
  if (!stored && (!billed(options, model.slug) || asked.name === "deepseek/deepseek-chat")) return needsKey()
  return targetOf(
    { slug: entry.slug, wire: entry.wire, errors: entry.errors, credentials: entry.credentials },
    wire,
    asked.surface === "run" ? "run" : `v1/${asked.surface}`,
    { ...asked.body, model: model.model }
  )
}

const alone = (answer: Answered): Walked => ({
  answer,
  cached: false,
  log: undefined,
  store: undefined,
  step: undefined
})

/** The caller's headers without the Cloudflare token, which is no provider's. */
const headersFor = (headers: RecordedRequest["headers"]): RecordedRequest["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"))

const isKnown = (state: State, gateway: string): boolean =>
  gateway === "default" || (state.options.gateways ?? ["local-gateway"]).includes(gateway)

/** Plain Workers AI: no gateway is passed. */
const withoutGateway = async (
  state: State,
  exchange: Exchange,
  step: Step,
  target: Target
): Promise<Walked> => ({
  ...alone(await state.upstreams.ask(target, step.method, step.headers, exchange.timing, exchange.signal)),
  plain: true
})

export const accountRoute = async (
  state: State,
  exchange: Exchange,
  place: AccountPlace,
  record: RecordedRequest
): Promise<Walked> => {
  const { options } = state
  const token = accountToken(options)
  const given = /^Bearer (.+)$/.exec(record.headers.authorization ?? "")?.[1]
  if (given === undefined || (token !== undefined && given !== token))
    return { ...alone(no(401, 10000, "Authentication error")), plain: true }
  if (place.account !== (options.accountId ?? "local-account"))
    return { ...alone(noRoute(`${place.account}/ai/${place.path}`)), plain: true }
  if (record.method !== "POST")
    return { ...alone(no(405, 7001, `Method ${record.method} not available for that URI.`)), plain: true }
  const asked = askedOf(place.path, record.body)
  if ("status" in asked) return { ...alone(asked), plain: true }
  const own = /^@(cf|hf)\//.test(asked.name)
  const gateway = record.headers["cf-aig-gateway-id"]
  if (gateway !== undefined && !isKnown(state, gateway)) return alone(noSuchGateway())
  const target = own ? workersAiTarget(state, asked) : catalogTarget(state, asked)
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
  const outcome = await runTargets(state, exchange, step, [target], 0, false)
  return { ...outcome, step: undefined }
}
