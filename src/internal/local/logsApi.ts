/**
 * The logs of a gateway on the account's API: `api.cloudflare.com/client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs`.
 * Fields and parameters are those of Cloudflare's own SDK. Not documented, and so chosen here: the codes of errors (7001
 * for what is not valid, 7002 for an entry or a gateway that is not there), that `request` and `response` answer with the body
 * itself, as the SDK takes it, and that `per_page` above 50 is refused. The flat filters that are deprecated
 * (`model=`, `success=`, …) are not taken, and like every unknown parameter not noticed.
 */
import type { Answered } from "./answered.js"
import { accountAllows, isKnown } from "./auth.js"
import { cloudflareErrors, jsonAnswer } from "./errors.js"
import { filtered, filtersOf, sorted } from "./logFilters.js"
import { logPatchOf } from "./logPatch.js"
import { logRow, logView } from "./logView.js"
import { decoded } from "./pathSegment.js"
import type { LogEntry, RecordedRequest } from "./records.js"
import type { State } from "./step.js"
import { alone, type Walked } from "./walk.js"

export interface LogsPlace {
  readonly account: string
  readonly gateway: string
  readonly logId: string | undefined
  readonly part: string | undefined
  readonly query: URLSearchParams
}

/** On any host. */
export const logsPlaceOf = (url: URL): LogsPlace | undefined => {
  const match =
    /^\/client\/v4\/accounts\/([^/]+)\/ai-gateway\/gateways\/([^/]+)\/logs(?:\/([^/]+)(?:\/(request|response))?)?\/?$/.exec(
      url.pathname
    )
  if (match === null) return undefined
  const [, account = "", gateway = "", logId, part] = match
  return {
    account: decoded(account),
    gateway: decoded(gateway),
    logId: logId === undefined ? undefined : decoded(logId),
    part,
    query: url.searchParams
  }
}

const no = (status: number, code: number, message: string): Answered =>
  jsonAnswer("gateway", status, cloudflareErrors(code, message))

const invalid = (message: string) => no(400, 7001, message)
const notFound = (message: string) => no(404, 7002, message)
const noMethod = (method: string) => no(405, 7001, `Method ${method} not available for that URI.`)

const yes = (result: unknown, more: object = {}): Answered =>
  jsonAnswer("gateway", 200, { success: true, result, ...more, errors: [], messages: [] })

/** Metadata are a text here. */
const withText = <A extends object>(row: A, log: LogEntry) => ({
  ...row,
  metadata: JSON.stringify(log.metadata)
})

const listOrders = ["created_at", "provider", "model", "model_type", "success", "cached"]
const deleteOrders = [...listOrders, "cost", "tokens_in", "tokens_out", "duration", "feedback"]

const mostPerPage = 50

const wholeNumber = (
  query: URLSearchParams,
  name: string,
  otherwise: number,
  most: number
): number | undefined => {
  const text = query.get(name)
  if (text === null) return otherwise
  const value = /^\d+$/.test(text) ? Number(text) : 0
  return value >= 1 && value <= most ? value : undefined
}

/** What the query means, newest first unless it says so; or what is wrong with it. */
const selected = (
  state: State,
  place: LogsPlace,
  orders: ReadonlyArray<string>
): ReadonlyArray<LogEntry> | string => {
  const { query, gateway } = place
  const filters = filtersOf(query)
  if (typeof filters === "string") return filters
  const order = query.get("order_by") ?? "created_at"
  if (!orders.includes(order)) return `order_by must be one of ${orders.join(", ")}`
  const direction = query.get("order_by_direction") ?? "desc"
  if (direction !== "asc" && direction !== "desc") return "order_by_direction must be asc or desc"
  const own = state.logs.entries().filter((log) => log.gateway === gateway)
  return sorted(filtered(own, filters), order, direction === "desc")
}

const list = (state: State, place: LogsPlace): Answered => {
  const page = wholeNumber(place.query, "page", 1, Number.MAX_SAFE_INTEGER)
  const perPage = wholeNumber(place.query, "per_page", 20, mostPerPage)
  if (page === undefined) return invalid("page must be a number from 1")
  if (perPage === undefined) return invalid(`per_page must be a number from 1 to ${mostPerPage}`)
  const logs = selected(state, place, listOrders)
  if (typeof logs === "string") return invalid(logs)
  const search = place.query.get("search")?.toLowerCase() ?? ""
  const found = logs.filter(({ metadata }) => JSON.stringify(metadata).toLowerCase().includes(search))
  const rows = found.slice((page - 1) * perPage, page * perPage).map((log) => withText(logRow(log), log))
  return yes(rows, {
    result_info: { page, per_page: perPage, count: rows.length, total_count: found.length }
  })
}

const remove = (state: State, place: LogsPlace): Answered => {
  const limit = wholeNumber(place.query, "limit", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  if (limit === undefined) return invalid("limit must be a number from 1")
  const logs = selected(state, place, deleteOrders)
  if (typeof logs === "string") return invalid(logs)
  state.logs.remove(new Set(logs.slice(0, limit).map(({ id }) => id)))
  return jsonAnswer("gateway", 200, { success: true })
}

/** A payload as it was: JSON if it is some, else a text. */
const payload = (body: unknown): Answered => {
  if (body === undefined) return notFound("This entry has no payload")
  const answer = jsonAnswer("gateway", 200, body)
  return typeof body === "string" ? { ...answer, body: new TextEncoder().encode(body) } : answer
}

const change = (state: State, log: LogEntry, body: unknown): Answered => {
  const patch = logPatchOf(body)
  if (typeof patch === "string") return invalid(patch)
  state.logs.patch(log.id, patch)
  return yes({})
}

const ofOne = (state: State, place: LogsPlace, log: LogEntry, record: RecordedRequest): Answered => {
  if (place.part !== undefined)
    return record.method === "GET"
      ? payload(place.part === "request" ? log.request : log.response)
      : noMethod(record.method)
  switch (record.method) {
    case "GET":
      return yes(withText(logView(log), log))
    case "PATCH":
      return change(state, log, record.body)
    default:
      return noMethod(record.method)
  }
}

const answerOf = (state: State, place: LogsPlace, record: RecordedRequest): Answered => {
  if (!accountAllows(record.headers, state.options)) return no(401, 10000, "Authentication error")
  if (place.account !== (state.options.accountId ?? "local-account"))
    return no(404, 7003, `Could not route to /client/v4/accounts/${place.account}/ai-gateway`)
  if (!isKnown(state.options, place.gateway)) return notFound("Gateway not found")
  if (place.logId === undefined) {
    if (record.method === "GET") return list(state, place)
    return record.method === "DELETE" ? remove(state, place) : noMethod(record.method)
  }
  const log = state.logs.find(place.gateway, place.logId)
  return log === undefined ? notFound("Log not found") : ofOne(state, place, log, record)
}

export const logsRoute = (state: State, place: LogsPlace, record: RecordedRequest): Walked => ({
  ...alone(answerOf(state, place, record)),
  plain: true
})
