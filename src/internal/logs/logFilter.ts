/**
 * Filters over a gateway's log, and how they are written into a query.
 *
 * Keys, operators and the types of values: Cloudflare's SDK (npm `cloudflare` 7.3.0, `resources/ai-gateway/logs`), in
 * `protocol/gateway.md` §5.7. Which value belongs to which key is not written there: it follows from the entry's fields.
 *
 * How an array of objects stands in the query: that SDK's serialiser (`internal/utils/query`: `qs`, with dots, repeated)
 * would write `filters.key=provider&filters.operator=eq&filters.value=openai`. Two independent projects that tried the live
 * API report that `filters` must be *one* JSON array, and that the form with brackets is ignored without an error: nothing
 * is filtered then. A `DELETE` whose filters are ignored deletes everything, so the form is used that was seen to work.
 */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.js"
import { isRecord, typeName } from "../json.js"

/**
 * One value, or several of which one must fit.
 *
 * @since 0.1.0
 * @category filters
 */
export type OneOf<A> = A | readonly [A, ...ReadonlyArray<A>]

/**
 * A field that holds text. `metadataKey` and `metadataValue` are about *any* entry of the metadata, and not about the same
 * one: filter by a value that is unique by itself.
 *
 * @since 0.1.0
 * @category filters
 */
export interface TextFilter {
  readonly field:
    | "id"
    | "provider"
    | "model"
    | "modelType"
    | "requestType"
    | "requestContentType"
    | "responseContentType"
    | "eventId"
    | "metadataKey"
    | "metadataValue"
    | "compatibilityMode"
    | "dlpAction"
    | "userAgent"
  readonly is: "eq" | "neq" | "contains"
  readonly value: OneOf<string>
}

/**
 * A field that holds a number: `cost` is in USD, `duration` in milliseconds.
 *
 * @since 0.1.0
 * @category filters
 */
export interface NumberFilter {
  readonly field: "cost" | "tokens" | "tokensIn" | "tokensOut" | "duration"
  readonly is: "eq" | "neq" | "lt" | "gt"
  readonly value: number
}

/**
 * A field that is true or false.
 *
 * @since 0.1.0
 * @category filters
 */
export interface FlagFilter {
  readonly field: "success" | "cached" | "authentication" | "wholesale"
  readonly is: "eq" | "neq"
  readonly value: boolean
}

/**
 * Before or after a moment; it is sent as `2026-11-24T15:00:00.000Z` (the form is not confirmed).
 *
 * @since 0.1.0
 * @category filters
 */
export interface TimeFilter {
  readonly field: "createdAt"
  readonly is: "lt" | "gt"
  readonly value: Date
}

/**
 * The feedback that an entry has been given.
 *
 * @since 0.1.0
 * @category filters
 */
export interface FeedbackFilter {
  readonly field: "feedback"
  readonly is: "eq" | "neq"
  readonly value: -1 | 1
}

/**
 * What entries must be like. Each field takes only the operators and values that make sense for it; several filters must
 * all fit.
 *
 * @example
 * ```ts
 * import type { GatewayLogs } from "effect-ai-gateway"
 *
 * const filters: ReadonlyArray<GatewayLogs.Filter> = [
 *   { field: "provider", is: "eq", value: ["openai", "anthropic"] },
 *   { field: "success", is: "eq", value: false },
 *   { field: "createdAt", is: "gt", value: new Date("2026-11-01") }
 * ]
 * ```
 *
 * @since 0.1.0
 * @category filters
 */
export type Filter = TextFilter | NumberFilter | FlagFilter | TimeFilter | FeedbackFilter

/** The kinds of fields, and what each of them takes. */
interface Kind {
  readonly operators: ReadonlyArray<string>
  readonly takes: string
  /** The value as it is sent; absent for one that the field does not take. */
  readonly encode: (value: unknown) => string | number | boolean | undefined
  readonly several: boolean
}

const text: Kind = {
  operators: ["eq", "neq", "contains"],
  takes: "text, or an array of it that is not empty",
  encode: (value) => (typeof value === "string" && value !== "" ? value : undefined),
  several: true
}
const number: Kind = {
  operators: ["eq", "neq", "lt", "gt"],
  takes: "a finite number",
  encode: (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined),
  several: false
}
const flag: Kind = {
  operators: ["eq", "neq"],
  takes: "true or false",
  encode: (value) => (typeof value === "boolean" ? value : undefined),
  several: false
}
const time: Kind = {
  operators: ["lt", "gt"],
  takes: "a valid Date",
  encode: (value) =>
    value instanceof Date && Number.isFinite(value.getTime()) ? value.toISOString() : undefined,
  several: false
}
const opinion: Kind = {
  operators: ["eq", "neq"],
  takes: "-1 or 1",
  encode: (value) => (value === -1 || value === 1 ? value : undefined),
  several: false
}

const fields: Readonly<Record<Filter["field"], readonly [key: string, kind: Kind]>> = {
  id: ["id", text],
  createdAt: ["created_at", time],
  requestContentType: ["request_content_type", text],
  responseContentType: ["response_content_type", text],
  requestType: ["request_type", text],
  success: ["success", flag],
  cached: ["cached", flag],
  provider: ["provider", text],
  model: ["model", text],
  modelType: ["model_type", text],
  cost: ["cost", number],
  tokens: ["tokens", number],
  tokensIn: ["tokens_in", number],
  tokensOut: ["tokens_out", number],
  duration: ["duration", number],
  feedback: ["feedback", opinion],
  eventId: ["event_id", text],
  metadataKey: ["metadata.key", text],
  metadataValue: ["metadata.value", text],
  authentication: ["authentication", flag],
  wholesale: ["wholesale", flag],
  compatibilityMode: ["compatibilityMode", text],
  dlpAction: ["dlp_action", text],
  userAgent: ["user_agent", text]
}

interface WireFilter {
  readonly key: string
  readonly operator: string
  readonly value: ReadonlyArray<string | number | boolean>
}

/** The filters as the value of the query's `filters`. What is checked by types too is checked for those who have none. */
export const toJson = (filters: unknown): Either.Either<string, InvalidRequest> => {
  if (!Array.isArray(filters)) return wrong("filters", `must be an array, not ${typeName(filters)}`)
  const written: Array<WireFilter> = []
  for (const [index, filter] of filters.entries()) {
    const one = toWire(filter, `filters[${index}]`)
    if (one._tag === "Left") return Either.left(one.left)
    written.push(one.right)
  }
  return Either.right(JSON.stringify(written))
}

const toWire = (filter: unknown, at: string): Either.Either<WireFilter, InvalidRequest> => {
  if (!isRecord(filter)) return wrong(at, `must be a filter, not ${typeName(filter)}`)
  const { field, is, value } = filter
  if (!isField(field)) return wrong(`${at}.field`, `must be one of ${Object.keys(fields).join(", ")}`)
  const [key, kind] = fields[field]
  if (typeof is !== "string" || !kind.operators.includes(is)) {
    return wrong(`${at}.is`, `of the field ${field} must be one of ${kind.operators.join(", ")}`)
  }
  const given: ReadonlyArray<unknown> = kind.several && Array.isArray(value) ? value : [value]
  const values = given.map(kind.encode)
  const sent = values.filter((one) => one !== undefined)
  return given.length === 0 || sent.length < given.length
    ? wrong(`${at}.value`, `of the field ${field} must be ${kind.takes}`)
    : Either.right({ key, operator: is, value: sent })
}

const isField = (field: unknown): field is Filter["field"] =>
  typeof field === "string" && Object.hasOwn(fields, field)

const wrong = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `${field} ${problem}.` }))
