/**
 * Which entries of the log a request means, and in which order. Filters come in the query as Cloudflare's own SDK
 * (`cloudflare` 7.3.0) writes an array of objects there: `filters.key=model&filters.operator=eq&filters.value=a&filters.value=b`,
 * and again from `filters.key` for the next; or, as two projects that tried the live API report that it reads them, as one JSON
 * array, `filters=[{"key":"model","operator":"eq","value":["a","b"]}]`. What the service does with other spellings is not
 * documented (those projects: nothing, and filters nothing): here they are refused, so that none is taken for no filter at all.
 */
import { isObject, parseJson } from "./json.js"
import type { LogEntry } from "./records.js"

type Scalar = string | number | boolean

export interface LogFilter {
  readonly key: string
  readonly operator: string
  readonly values: ReadonlyArray<string>
}

const one = (value: Scalar | undefined): ReadonlyArray<Scalar> => (value === undefined ? [] : [value])

/** Keys that are known and of which nothing is recorded here have no value. */
const none = (): ReadonlyArray<Scalar> => []

const keys: Readonly<Record<string, (log: LogEntry) => ReadonlyArray<Scalar>>> = {
  id: ({ id }) => [id],
  created_at: ({ createdAt }) => [createdAt],
  request_content_type: ({ requestContentType }) => one(requestContentType),
  response_content_type: ({ responseContentType }) => one(responseContentType),
  request_type: none,
  success: ({ success }) => [success],
  cached: ({ cached }) => [cached],
  provider: ({ provider }) => [provider],
  model: ({ model }) => one(model),
  model_type: none,
  cost: ({ cost }) => one(cost),
  tokens: ({ tokensIn, tokensOut }) =>
    tokensIn === undefined && tokensOut === undefined ? [] : [(tokensIn ?? 0) + (tokensOut ?? 0)],
  tokens_in: ({ tokensIn }) => one(tokensIn),
  tokens_out: ({ tokensOut }) => one(tokensOut),
  duration: ({ duration }) => [duration],
  feedback: ({ feedback }) => one(feedback),
  event_id: ({ eventId }) => [eventId],
  "metadata.key": ({ metadata }) => Object.keys(metadata),
  "metadata.value": ({ metadata }) => Object.values(metadata),
  authentication: none,
  wholesale: none,
  compatibilityMode: none,
  dlp_action: none,
  user_agent: ({ userAgent }) => one(userAgent)
}

const operators = ["eq", "neq", "contains", "lt", "gt"]

const fields = ["filters.key", "filters.operator", "filters.value"]

/** Cut where the name that the first filter began with comes again. */
const grouped = (
  pairs: ReadonlyArray<readonly [name: string, value: string]>
): ReadonlyArray<typeof pairs> => {
  const groups: Array<Array<readonly [string, string]>> = []
  const first = pairs[0]?.[0]
  let before: string | undefined
  for (const pair of pairs) {
    if (pair[0] === first && (before !== first || first !== "filters.value")) groups.push([])
    groups.at(-1)?.push(pair)
    before = pair[0]
  }
  return groups
}

const filterOf = (pairs: ReadonlyArray<readonly [string, string]>): LogFilter | string => {
  const of = (name: string) => pairs.filter((pair) => pair[0] === name).map(([, value]) => value)
  const [key, otherKey] = of("filters.key")
  const [operator, otherOperator] = of("filters.operator")
  return otherKey !== undefined || otherOperator !== undefined
    ? "A filter has two keys or operators"
    : checked(key, operator, of("filters.value"))
}

const checked = (key: unknown, operator: unknown, values: ReadonlyArray<string>): LogFilter | string => {
  if (typeof key !== "string" || !Object.hasOwn(keys, key)) return `No filter of the key ${key}`
  if (typeof operator !== "string" || !operators.includes(operator))
    return `No filter of the operator ${operator}`
  return values.length === 0 ? `The filter of ${key} has no value` : { key, operator, values }
}

const filterInJson = (filter: unknown): LogFilter | string => {
  if (!isObject(filter) || !Array.isArray(filter.value))
    return "A filter needs key, operator and value, an array"
  const values = filter.value.map((value) =>
    value === null ? "" : ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined
  )
  return values.includes(undefined)
    ? "A value of a filter must be a text, a number, a boolean or null"
    : checked(
        filter.key,
        filter.operator,
        values.filter((value) => value !== undefined)
      )
}

const allOf = (found: ReadonlyArray<LogFilter | string>): ReadonlyArray<LogFilter> | string =>
  found.find((filter) => typeof filter === "string") ?? found.filter((filter) => typeof filter !== "string")

const filtersInJson = (text: string): ReadonlyArray<LogFilter> | string => {
  const json = parseJson(text)
  return Array.isArray(json) && json.length > 0
    ? allOf(json.map(filterInJson))
    : "filters must be an array of filters"
}

/** The filters, or what is wrong with them. */
export const filtersOf = (query: URLSearchParams): ReadonlyArray<LogFilter> | string => {
  const pairs = [...query].filter(([name]) => name.startsWith("filters"))
  const [only] = pairs
  if (pairs.length === 1 && only?.[0] === "filters") return filtersInJson(only[1])
  const strange = pairs.find(([name]) => !fields.includes(name))
  if (strange !== undefined) return `Unrecognized parameter ${strange[0]}`
  return allOf(grouped(pairs).map(filterOf))
}

const numberOf = (key: string, value: string): number =>
  key === "created_at" ? Date.parse(value) : value.trim() === "" ? Number.NaN : Number(value)

/** The empty text is what a `null` becomes in a query: no value at all. */
const equals = (key: string, has: ReadonlyArray<Scalar>, value: string): boolean => {
  if (value === "" && has.length === 0) return true
  return has.some(
    (mine) => String(mine) === value || (typeof mine === "number" && mine === numberOf(key, value))
  )
}

const matches = (log: LogEntry, { key, operator, values }: LogFilter): boolean => {
  const has = keys[key]?.(log) ?? []
  switch (operator) {
    case "eq":
      return values.some((value) => equals(key, has, value))
    case "neq":
      return !values.some((value) => equals(key, has, value))
    case "contains":
      return values.some((value) => has.some((mine) => String(mine).includes(value)))
    case "lt":
      return values.some((value) => has.some((mine) => Number(mine) < numberOf(key, value)))
    default:
      return values.some((value) => has.some((mine) => Number(mine) > numberOf(key, value)))
  }
}

/** The entries that all filters let pass. */
export const filtered = (
  logs: ReadonlyArray<LogEntry>,
  filters: ReadonlyArray<LogFilter>
): ReadonlyArray<LogEntry> => logs.filter((log) => filters.every((filter) => matches(log, filter)))

/** By a key, and by the time of their making where that is the same. */
export const sorted = (
  logs: ReadonlyArray<LogEntry>,
  key: string,
  descending: boolean
): ReadonlyArray<LogEntry> => {
  const value = (log: LogEntry) => keys[key]?.(log)[0]
  const compare = (a: Scalar | undefined, b: Scalar | undefined): number => {
    if (a === b) return 0
    if (a === undefined) return -1
    if (b === undefined) return 1
    return a < b ? -1 : 1
  }
  const ascending = logs
    .map((log, index) => ({ log, index }))
    .sort((a, b) => compare(value(a.log), value(b.log)) || a.index - b.index)
    .map(({ log }) => log)
  return descending ? ascending.reverse() : ascending
}
