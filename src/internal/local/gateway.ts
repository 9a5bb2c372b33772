/** The gateway: from a request to its response. */

import { accountPlaceOf, accountRoute } from "./accountApi.js"
import type { Answered } from "./answered.js"
import { gatewayAllows, gatewayToken } from "./auth.js"
import { makeAutoRouter } from "./autoRouter.js"
import { makeCache } from "./cache.js"
import { gatewayError, noAnswerFromProvider, noSuchGateway, unauthorized } from "./errors.js"
import { hex, uuid } from "./ids.js"
import { isObject, parseJson } from "./json.js"
import { makeLogs } from "./logs.js"
import type { LocalGateway, Options } from "./options.js"
import { makeDirectory } from "./providers.js"
import { makeRateLimit } from "./rateLimit.js"
import { makeRecent } from "./recent.js"
import type { RecordedRequest } from "./records.js"
import { respond } from "./respond.js"
import type { HeaderMap } from "./settings.js"
import { type Exchange, runStep, type State } from "./step.js"
import { realTiming } from "./timing.js"
import { makeUpstreams } from "./upstream.js"
import { entriesOf, type Walked, walk } from "./walk.js"

type Growing = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] }

interface Place {
  readonly account: string
  readonly gateway: string
  readonly provider: string | undefined
  readonly endpoint: string | undefined
}

/** Undecoded where it is no encoding of anything: then it names nothing that exists. */
const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** `/v1/{account}/{gateway}[/{provider}/{path}]`, on any host. */
const placeOf = (url: URL): Place | undefined => {
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

const exists = (options: Options, place: Place): boolean =>
  place.account === (options.accountId ?? "local-account") &&
  (place.gateway === "default" || (options.gateways ?? ["local-gateway"]).includes(place.gateway))

const headerMap = (headers: Headers): HeaderMap => Object.fromEntries(headers)

/** Whether a request of the account's API asks for a stream; `run` has its request one deeper. */
const isStream = (body: unknown): boolean =>
  isObject(body) && (body.stream === true || (isObject(body.input) && body.input.stream === true))

const alone = (answer: Answered): Walked => ({
  answer,
  cached: false,
  log: undefined,
  store: undefined,
  step: undefined
})

const responseHeaders = (walked: Walked, exchange: Exchange): Headers => {
  const headers = new Headers(walked.answer.headers)
  headers.set("cf-ray", `${hex(16)}-LOC`)
  if (walked.answer.origin === "edge" || walked.plain === true) return headers
  headers.set("cf-aig-event-id", exchange.eventId)
  // Measured of streams of the account's API: they say neither a log id nor a cache status.
  if (exchange.account && /event-?stream/.test(headers.get("content-type") ?? "")) return headers
  if (walked.log !== undefined) headers.set("cf-aig-log-id", walked.log.id)
  if (walked.cached || walked.answer.origin === "provider")
    headers.set("cf-aig-cache-status", walked.cached ? "HIT" : "MISS")
  if (exchange.universal && walked.step !== undefined) headers.set("cf-aig-step", String(walked.step))
  return headers
}

const route = async (
  state: State,
  exchange: Exchange,
  place: Place | undefined,
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

export const makeGateway = (options: Options): LocalGateway => {
  const remembered = options.remember ?? 10_000
  const state: State = {
    options,
    directory: makeDirectory(Object.keys(options.upstreams ?? {})),
    cache: makeCache(),
    rateLimit: makeRateLimit(options.rateLimit),
    router: makeAutoRouter(options),
    upstreams: makeUpstreams(options, remembered),
    logs: makeLogs(remembered)
  }
  const requests = makeRecent<RecordedRequest>(remembered)
  let inFlight = 0

  const handle: LocalGateway["handle"] = async (
    request,
    { timing = realTiming, signal = request.signal } = {}
  ) => {
    const url = new URL(request.url)
    const account = accountPlaceOf(url)
    const place = account === undefined ? placeOf(url) : undefined
    const record: Growing = {
      method: request.method,
      url: request.url,
      path: url.pathname,
      provider: place?.provider,
      endpoint: place?.endpoint,
      headers: headerMap(request.headers),
      body: undefined,
      at: timing.now(),
      status: undefined,
      aborted: false
    }
    requests.add(record)
    inFlight++

    // One controller for the whole exchange: the client's signal aborts it, and so does a cancelled body.
    const controller = new AbortController()
    let open = true
    const settle = (aborted: boolean) => {
      if (!open) return
      open = false
      inFlight--
      record.aborted = aborted
      signal.removeEventListener("abort", onAbort)
    }
    const onAbort = () => {
      settle(true)
      controller.abort(signal.reason)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener("abort", onAbort, { once: true })

    try {
      const text = await request.text()
      controller.signal.throwIfAborted()
      record.body = text === "" ? undefined : (parseJson(text) ?? text)
      options.onRequest?.(record)
      let admitted: boolean | undefined
      const exchange: Exchange = {
        eventId: record.headers["cf-aig-event-id"] ?? uuid(),
        startedAt: record.at,
        universal: place !== undefined && place.provider === undefined,
        account: account !== undefined,
        uncached: account !== undefined && isStream(record.body),
        timing,
        signal: controller.signal,
        admit: () => {
          admitted ??= state.rateLimit.take(timing.now())
          return admitted
        }
      }
      const walked = await (account === undefined
        ? route(state, exchange, place, record, text)
        : accountRoute(state, exchange, account, record))
      record.status = walked.answer.status
      return respond(walked.answer, responseHeaders(walked, exchange), {
        log: walked.log,
        store: walked.store,
        now: timing.now,
        finished: () => settle(false),
        broken: () => settle(false),
        cancelled: (reason) => {
          settle(true)
          controller.abort(reason)
        },
        signal: controller.signal
      })
    } catch (error) {
      settle(false)
      throw signal.aborted ? signal.reason : error
    }
  }

  return {
    handle,
    requests: requests.all,
    upstreamRequests: state.upstreams.requests,
    logs: state.logs.entries,
    inFlight: () => inFlight,
    reset: () => {
      requests.clear()
      state.cache.clear()
      state.rateLimit.clear()
      state.router.clear()
      state.upstreams.clear()
      state.logs.clear()
    }
  }
}
