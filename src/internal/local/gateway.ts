/** The gateway: from a request to its response. */

import { makeAutoRouter } from "./autoRouter.js"
import { makeCache } from "./cache.js"
import { hex, uuid } from "./ids.js"
import { parseJson } from "./json.js"
import { makeLogs } from "./logs.js"
import type { LocalGateway, Options } from "./options.js"
import { makeDirectory } from "./providers.js"
import { makeRateLimit } from "./rateLimit.js"
import { makeRecent } from "./recent.js"
import type { RecordedRequest } from "./records.js"
import { respond } from "./respond.js"
import { makeRuns } from "./runs.js"
import type { HeaderMap } from "./settings.js"
import type { Exchange, State } from "./step.js"
import { bodyEventId, gatewayOf, isStreamOfRun, isUniversal, routeOf, surfaceOf } from "./surface.js"
import { realTiming } from "./timing.js"
import { makeUpstreams } from "./upstream.js"
import type { Walked } from "./walk.js"

type Growing = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] }

const headerMap = (headers: Headers): HeaderMap => Object.fromEntries(headers)

const responseHeaders = (walked: Walked, exchange: Exchange): Headers => {
  const headers = new Headers(walked.answer.headers)
  headers.set("cf-ray", `${hex(16)}-LOC`)
  if (walked.answer.origin === "edge" || walked.plain === true) return headers
  headers.set("cf-aig-event-id", exchange.eventId)
  if (walked.log !== undefined) headers.set("cf-aig-log-id", walked.log.id)
  if (walked.cached || walked.answer.origin === "provider")
    headers.set("cf-aig-cache-status", walked.cached ? "HIT" : "MISS")
  if (exchange.universal && walked.step !== undefined) headers.set("cf-aig-step", String(walked.step))
  for (const name of walked.omits ?? []) headers.delete(name)
  return headers
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
    logs: makeLogs(remembered),
    runs: makeRuns(options)
  }
  const requests = makeRecent<RecordedRequest>(remembered)
  let inFlight = 0

  const handle: LocalGateway["handle"] = async (
    request,
    { timing = realTiming, signal = request.signal } = {}
  ) => {
    const url = new URL(request.url)
    const surface = surfaceOf(url)
    const place = surface._tag === "Gateway" ? surface.place : undefined
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
        eventId: bodyEventId(surface, record.body) ?? record.headers["cf-aig-event-id"] ?? uuid(),
        startedAt: record.at,
        universal: isUniversal(surface),
        gateway: gatewayOf(surface),
        uncached: isStreamOfRun(surface, record.body),
        timing,
        signal: controller.signal,
        admit: () => {
          admitted ??= state.rateLimit.take(timing.now())
          return admitted
        }
      }
      const walked = await routeOf(state, exchange, surface, record, text)
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
      state.runs.clear()
    }
  }
}
