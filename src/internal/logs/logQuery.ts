/**
 * Which entries are listed, and which removed, as the query of a URL. Source: `protocol/gateway.md` §5.7; Cloudflare's SDK
 * (npm `cloudflare` 7.3.0, `resources/ai-gateway/logs`).
 */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.js"
import { isRecord, typeName } from "../json.js"
import type { Filter } from "./logFilter.js"
import * as LogFilter from "./logFilter.js"

/**
 * Which entries are listed, and in which order. Without a query: all of them, in the order of the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Query {
  /** All of them must fit. */
  readonly filters?: ReadonlyArray<Filter> | undefined
  /** The field by which entries are ordered. */
  readonly order?: "createdAt" | "provider" | "model" | "modelType" | "success" | "cached" | undefined
  readonly direction?: "asc" | "desc" | undefined
  /** Text that is looked for in the entries' metadata. */
  readonly search?: string | undefined
  /** Entries per request, 1 to 50. Default 50. */
  readonly pageSize?: number | undefined
}

/**
 * Which entries are removed: one by its id, those that fit filters, or all of them.
 *
 * @since 0.1.0
 * @category models
 */
export type Removal =
  | {
      readonly id: string
      readonly filters?: undefined
      readonly all?: undefined
    }
  | (RemovalBounds & {
      readonly filters: readonly [Filter, ...ReadonlyArray<Filter>]
      readonly id?: undefined
      readonly all?: undefined
    })
  | (RemovalBounds & {
      /** Every entry of the gateway. That this is what the API makes of a request without filters is not confirmed. */
      readonly all: true
      readonly id?: undefined
      readonly filters?: undefined
    })

/**
 * How many of the entries that fit are removed, and which first.
 *
 * @since 0.1.0
 * @category models
 */
export interface RemovalBounds {
  /** No more than this many. */
  readonly limit?: number | undefined
  readonly order?: keyof typeof orders | undefined
  readonly direction?: "asc" | "desc" | undefined
}

const orders = {
  createdAt: "created_at",
  provider: "provider",
  model: "model",
  modelType: "model_type",
  success: "success",
  cached: "cached",
  cost: "cost",
  tokensIn: "tokens_in",
  tokensOut: "tokens_out",
  duration: "duration",
  feedback: "feedback"
} as const

/** A list takes fewer of them than a removal does. */
const listOrders: ReadonlyArray<string> = [
  "createdAt",
  "provider",
  "model",
  "modelType",
  "success",
  "cached"
] satisfies ReadonlyArray<Query["order"]>

/** The largest page: one more is refused. */
export const maxPageSize = 50

/** A query that was checked, without its page. */
export interface Listing {
  readonly pageSize: number
  readonly params: ReadonlyArray<Param>
}

type Param = readonly [name: string, value: string]

export const toListing = (query: unknown): Either.Either<Listing, InvalidRequest> => {
  if (!isRecord(query)) return wrong("query", `must be an object, not ${typeName(query)}`)
  const { filters = [], order, direction, search, pageSize = maxPageSize, ...rest } = query
  const [extra] = Object.keys(rest)
  if (extra !== undefined) return wrong(extra, "is no part of a query")
  if (!isCount(pageSize, 1, maxPageSize)) {
    return wrong("pageSize", `must be a whole number from 1 to ${maxPageSize}`)
  }
  if (search !== undefined && typeof search !== "string") return wrong("search", "must be text")
  return Either.map(
    Either.all({ filters: LogFilter.toJson(filters), order: ordered(order, direction, listOrders) }),
    (checked) => ({
      pageSize,
      params: [
        ...(checked.filters === "[]" ? [] : [["filters", checked.filters] as const]),
        ...checked.order,
        ...(search === undefined || search === "" ? [] : [["search", search] as const])
      ]
    })
  )
}

/** The query of one page. */
export const pageOf = ({ pageSize, params }: Listing, page: number): string =>
  toQuery([["page", String(page)], ["per_page", String(pageSize)], ...params])

/** A removal that was checked: of one entry, or of those that fit the query. */
export type Removing =
  | { readonly _tag: "One"; readonly id: string; readonly query: string }
  | { readonly _tag: "Many"; readonly query: string }

export const toRemoving = (removal: unknown): Either.Either<Removing, InvalidRequest> => {
  if (!isRecord(removal)) return wrong("removal", `must be an object, not ${typeName(removal)}`)
  const { id, filters, all, limit, order, direction, ...rest } = removal
  const [extra] = Object.keys(rest)
  if (extra !== undefined) return wrong(extra, "is no part of a removal")
  if ([id, filters, all].filter((given) => given !== undefined).length !== 1) {
    return wrong("removal", "needs exactly one of id, filters and all: true")
  }
  if (id !== undefined) {
    if (limit !== undefined || order !== undefined || direction !== undefined) {
      return wrong("id", "names one entry: leave limit, order and direction out")
    }
    if (typeof id !== "string" || id === "") return wrong("id", "must be the id of an entry")
    return Either.map(LogFilter.toJson([{ field: "id", is: "eq", value: id } satisfies Filter]), (json) => ({
      _tag: "One",
      id,
      // Should the filter not be understood, no more than one entry is lost.
      query: toQuery([
        ["filters", json],
        ["limit", "1"]
      ])
    }))
  }
  if (all !== undefined && all !== true) return wrong("all", "must be true, or left out")
  if (Array.isArray(filters) && filters.length === 0) {
    return wrong("filters", "is empty, which would remove every entry: say all: true if that is meant")
  }
  if (limit !== undefined && !isCount(limit, 1, Number.MAX_SAFE_INTEGER)) {
    return wrong("limit", "must be a whole number from 1")
  }
  return Either.map(
    Either.all({
      filters: filters === undefined ? Either.right(undefined) : LogFilter.toJson(filters),
      order: ordered(order, direction, Object.keys(orders))
    }),
    (checked) => ({
      _tag: "Many",
      query: toQuery([
        ...(checked.filters === undefined ? [] : [["filters", checked.filters] as const]),
        ...(limit === undefined ? [] : [["limit", String(limit)] as const]),
        ...checked.order
      ])
    })
  )
}

const ordered = (
  order: unknown,
  direction: unknown,
  known: ReadonlyArray<string>
): Either.Either<ReadonlyArray<Param>, InvalidRequest> => {
  const params: Array<Param> = []
  if (order !== undefined) {
    if (!isOrder(order) || !known.includes(order)) {
      return wrong("order", `must be one of ${known.join(", ")}`)
    }
    params.push(["order_by", orders[order]])
  }
  if (direction !== undefined) {
    if (direction !== "asc" && direction !== "desc") return wrong("direction", 'must be "asc" or "desc"')
    params.push(["order_by_direction", direction])
  }
  return Either.right(params)
}

const isOrder = (order: unknown): order is keyof typeof orders =>
  typeof order === "string" && Object.hasOwn(orders, order)

const isCount = (value: unknown, min: number, max: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max

const toQuery = (params: ReadonlyArray<Param>): string =>
  new URLSearchParams(params.map(([name, value]) => [name, value])).toString()

const wrong = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `${field} ${problem}.` }))
