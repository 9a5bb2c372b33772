/**
 * What Cloudflare AI Gateway can be told about one request: caching, logging, timeouts, retries, metadata, cost and
 * credentials. Set on the gateway (defaults), on a region of a program (`AiGateway.withOptions`) or on a call; the
 * call wins over the region, the region over the gateway, key by key.
 *
 * Source of names and limits: `protocol/gateway.md` §2.1.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { InvalidRequest } from "./internal/errors.js"
import { isRecord } from "./internal/json.js"

/**
 * A duration with its unit: `"5 minutes"`, `Duration.seconds(30)`. A bare number does not compile, because
 * `3600` would mean 3.6 seconds.
 *
 * @since 0.1.0
 * @category models
 */
export type DurationWithUnit = Exclude<Duration.DurationInput, number | bigint>

/**
 * Retries that the gateway makes on its own side. A request that sets them is not retried by the client, so that
 * attempts never multiply.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retries {
  /** Attempts on the same provider, 1 to 5 (`cf-aig-max-attempts`). */
  readonly maxAttempts?: number | undefined
  /** The wait between two attempts, 0 to 60 seconds (`cf-aig-retry-delay`, sent in milliseconds). */
  readonly delay?: DurationWithUnit | undefined
  /** How the wait grows (`cf-aig-backoff`). */
  readonly backoff?: "constant" | "linear" | "exponential" | undefined
}

/**
 * Prices for the gateway's cost log, in USD per token (`cf-aig-custom-cost`).
 *
 * @since 0.1.0
 * @category models
 */
export interface CustomCost {
  /** USD per input token. */
  readonly perTokenIn: number
  /** USD per output token. */
  readonly perTokenOut: number
  /** USD per input token read from the provider's cache; `perTokenIn` if absent. */
  readonly perCacheReadToken?: number | undefined
  /** USD per input token written to the provider's cache; `perTokenIn` if absent. */
  readonly perCacheWriteToken?: number | undefined
}

/**
 * Options of one request. Everything is optional; what is absent is not sent, and the gateway's own setting applies.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions {
  /** Opts the request into caching, under this key (`cf-aig-cache-key`). Printable ASCII. */
  readonly cacheKey?: string | undefined
  /**
   * How long the answer is kept: 60 seconds to 30 days, whole seconds (`cf-aig-cache-ttl`). It acts only on a request
   * that is cached anyway: one with a `cacheKey`, or behind a gateway that caches. The gateway's default is 5 minutes.
   */
  readonly cacheTtl?: DurationWithUnit | undefined
  /** Neither read nor write the cache (`cf-aig-skip-cache`). `false` sends nothing. */
  readonly skipCache?: boolean | undefined
  /**
   * At most 5 entries for the log (`cf-aig-metadata`), after merging call, region and gateway. Keys must not begin with
   * `cf.`, which the gateway strips.
   */
  readonly metadata?: Readonly<Record<string, string | number | boolean>> | undefined
  /** Write a log entry (`cf-aig-collect-log`)? */
  readonly collectLog?: boolean | undefined
  /** Keep the request's and the answer's text in the log entry (`cf-aig-collect-log-payload`)? */
  readonly collectLogPayload?: boolean | undefined
  /** An id of your own for the log (`cf-aig-event-id`). Printable ASCII. */
  readonly eventId?: string | undefined
  /**
   * The gateway's limit to the first part of the response (`cf-aig-request-timeout`, sent in milliseconds). Its final
   * attempt is not timed, so this alone guarantees nothing: see `ChatModel.withTimeouts`.
   */
  readonly requestTimeout?: DurationWithUnit | undefined
  /** Retries on the gateway's side. */
  readonly retries?: Retries | undefined
  /** Prices for the cost log. */
  readonly customCost?: CustomCost | undefined
  /** Which stored key to use (`cf-aig-byok-alias`); the gateway's default is `default`. */
  readonly byokAlias?: string | undefined
  /** Never bill this request to Cloudflare credits (`cf-aig-no-wholesale: true`). `false` sends nothing. */
  readonly noWholesale?: boolean | undefined
  /** Zero data retention under unified billing (`cf-aig-zdr`); OpenAI and Anthropic only. */
  readonly zdr?: boolean | undefined
  /** Joins the gateway's exported span to this trace: 32 hex digits (`cf-aig-otel-trace-id`). */
  readonly otelTraceId?: string | undefined
  /** The parent of the gateway's exported span: 16 hex digits (`cf-aig-otel-parent-span-id`). */
  readonly otelParentSpanId?: string | undefined
}

/**
 * The options of the current region, as `AiGateway.withOptions` sets them.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentOptions extends Context.Reference<CurrentOptions>()(
  "effect-ai-gateway/RequestOptions/CurrentOptions",
  { defaultValue: (): RequestOptions => empty }
) {}

/**
 * No options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: RequestOptions = {}

/**
 * Merges options, the later winning key by key. `undefined` erases nothing; `metadata` merges by entry.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (base: RequestOptions, over: RequestOptions | undefined): RequestOptions => {
  if (over === undefined || over === empty) return base
  if (base === empty) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) if (value !== undefined) merged[key] = value
  // Anything else than entries is left as it is, for `toHeaders` to refuse.
  if (isRecord(base.metadata) && isRecord(over.metadata)) {
    merged.metadata = { ...base.metadata, ...definedEntries(over.metadata) }
  }
  return merged
}

const definedEntries = <A>(record: Readonly<Record<string, A>>): Record<string, A> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))

/** The name of every option, so that a misspelt one is not silently ignored. */
const known: Readonly<Record<keyof RequestOptions, true>> = {
  cacheKey: true,
  cacheTtl: true,
  skipCache: true,
  metadata: true,
  collectLog: true,
  collectLogPayload: true,
  eventId: true,
  requestTimeout: true,
  retries: true,
  customCost: true,
  byokAlias: true,
  noWholesale: true,
  zdr: true,
  otelTraceId: true,
  otelParentSpanId: true
}

/**
 * Validates options and writes them as `cf-aig-*` headers. An option that is absent, or a flag whose `false` is the
 * default, sends no header. Fails with the name of the first option that is wrong.
 *
 * @example
 * ```ts
 * import { RequestOptions } from "effect-ai-gateway"
 * import { Either } from "effect"
 *
 * const headers = RequestOptions.toHeaders({ cacheKey: "cheese", cacheTtl: "1 hour" })
 * console.log(Either.getOrThrow(headers))
 * // { "cf-aig-cache-key": "cheese", "cf-aig-cache-ttl": "3600" }
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const toHeaders = (options: RequestOptions): Either.Either<Record<string, string>, InvalidRequest> => {
  if (options === empty) return Either.right({})
  const headers: Record<string, string> = {}
  try {
    if (!isRecord(options)) fail("options", `must be an object, not ${show(options)}`)
    for (const name of Object.keys(options))
      if (!Object.hasOwn(known, name)) fail(name, "is not an option of the gateway")
    put(headers, "cf-aig-cache-key", asciiText("cacheKey", options.cacheKey))
    put(headers, "cf-aig-cache-ttl", seconds("cacheTtl", options.cacheTtl, 60, 30 * 24 * 3600))
    if (flag("skipCache", options.skipCache) === "true") headers["cf-aig-skip-cache"] = "true"
    put(headers, "cf-aig-metadata", metadataJson(options.metadata))
    put(headers, "cf-aig-collect-log", flag("collectLog", options.collectLog))
    put(headers, "cf-aig-collect-log-payload", flag("collectLogPayload", options.collectLogPayload))
    put(headers, "cf-aig-event-id", asciiText("eventId", options.eventId))
    put(headers, "cf-aig-request-timeout", millis("requestTimeout", options.requestTimeout, 1, 2 ** 31 - 1))
    if (options.retries !== undefined) putRetries(headers, options.retries)
    put(headers, "cf-aig-custom-cost", costJson(options.customCost))
    put(headers, "cf-aig-byok-alias", asciiText("byokAlias", options.byokAlias))
    if (flag("noWholesale", options.noWholesale) === "true") headers["cf-aig-no-wholesale"] = "true"
    put(headers, "cf-aig-zdr", flag("zdr", options.zdr))
    put(headers, "cf-aig-otel-trace-id", hex("otelTraceId", options.otelTraceId, 32))
    put(headers, "cf-aig-otel-parent-span-id", hex("otelParentSpanId", options.otelParentSpanId, 16))
  } catch (error) {
    if (error instanceof InvalidRequest) return Either.left(error)
    throw error
  }
  return Either.right(headers)
}

// The checks below throw an `InvalidRequest`, which `toHeaders` alone catches: with fifteen options, threading an
// `Either` through each would hide what is checked.

const fail = (field: string, problem: string): never => {
  throw new InvalidRequest({ field, message: `The option ${field} ${problem}.` })
}

const put = (headers: Record<string, string>, name: string, value: string | undefined): void => {
  if (value !== undefined) headers[name] = value
}

const flag = (field: string, value: unknown): string | undefined => {
  if (value === undefined) return undefined
  return typeof value === "boolean" ? String(value) : fail(field, `must be true or false, not ${show(value)}`)
}

const asciiText = (field: string, value: unknown): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== "string" || value === "") return fail(field, `must be text, not ${show(value)}`)
  // A header cannot carry anything else, and some clients would mangle it instead of failing.
  if (!/^[\x20-\x7e]+$/.test(value)) return fail(field, "must consist of printable ASCII characters")
  if (value.trim() !== value) return fail(field, "must not begin or end with a space, which a header loses")
  return value
}

const hex = (field: string, value: unknown, length: number): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value === "string" && value.length === length && /^[0-9a-f]+$/i.test(value)) return value
  return fail(field, `must be ${length} hex digits, not ${show(value)}`)
}

const toMillis = (field: string, value: unknown): number => {
  if (typeof value === "number" || typeof value === "bigint") {
    return fail(
      field,
      `needs a unit, such as "${value} seconds": a bare number would be read as milliseconds`
    )
  }
  const duration = Duration.decodeUnknown(value)
  if (duration._tag === "None")
    return fail(field, `must be a duration such as "5 minutes", not ${show(value)}`)
  // `Duration` clamps negative values to zero, so that "-5 seconds" and [-5, 0] must be caught as they are.
  const negative =
    typeof value === "string"
      ? value.startsWith("-")
      : Array.isArray(value) && value.some((amount) => !(amount >= 0))
  if (negative) return fail(field, "must not be negative")
  return Duration.toMillis(duration.value)
}

const seconds = (field: string, value: unknown, min: number, max: number): string | undefined => {
  if (value === undefined) return undefined
  const amount = toMillis(field, value) / 1000
  if (!(amount >= min && amount <= max)) {
    return fail(field, `must be from ${min} seconds to ${max / 86_400} days, not ${show(value)}`)
  }
  return Number.isInteger(amount) ? String(amount) : fail(field, `must be whole seconds, not ${show(value)}`)
}

const millis = (field: string, value: unknown, min: number, max: number): string | undefined => {
  if (value === undefined) return undefined
  const amount = toMillis(field, value)
  if (!(amount >= min && amount <= max)) {
    return fail(field, `must be from ${min} to ${max} milliseconds, not ${show(value)}`)
  }
  return String(Math.round(amount))
}

const putRetries = (headers: Record<string, string>, retries: Retries): void => {
  if (typeof retries !== "object" || retries === null)
    fail("retries", `must be an object, not ${show(retries)}`)
  const { maxAttempts, delay, backoff, ...rest } = retries
  const extra = Object.keys(rest)[0]
  if (extra !== undefined) fail(`retries.${extra}`, "is not an option of the gateway")
  if (maxAttempts !== undefined) {
    if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 5) {
      fail("retries.maxAttempts", `must be a whole number from 1 to 5, not ${show(maxAttempts)}`)
    }
    headers["cf-aig-max-attempts"] = String(maxAttempts)
  }
  put(headers, "cf-aig-retry-delay", millis("retries.delay", delay, 0, 60_000))
  if (backoff !== undefined) {
    if (backoff !== "constant" && backoff !== "linear" && backoff !== "exponential") {
      fail("retries.backoff", `must be "constant", "linear" or "exponential", not ${show(backoff)}`)
    }
    headers["cf-aig-backoff"] = backoff
  }
}

const metadataJson = (metadata: unknown): string | undefined => {
  if (metadata === undefined) return undefined
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    return fail("metadata", `must be an object of text, numbers and booleans, not ${show(metadata)}`)
  }
  const entries = Object.entries(metadata).filter(([, value]) => value !== undefined)
  if (entries.length === 0) return undefined
  if (entries.length > 5) {
    return fail("metadata", `has ${entries.length} entries; the gateway keeps 5 and drops the others`)
  }
  for (const [key, value] of entries) {
    if (key === "" || key.startsWith("cf.")) fail(`metadata.${key}`, "has a name that the gateway strips")
    const scalar = typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
    if (!scalar) fail(`metadata.${key}`, `must be text, a finite number or a boolean, not ${show(value)}`)
  }
  return asciiJson(Object.fromEntries(entries))
}

const costJson = (cost: unknown): string | undefined => {
  if (cost === undefined) return undefined
  if (typeof cost !== "object" || cost === null) {
    return fail("customCost", `must be an object of prices, not ${show(cost)}`)
  }
  const prices: Record<string, number> = {}
  for (const [name, value] of Object.entries(cost)) {
    const wire = costNames.get(name)
    if (wire === undefined) return fail(`customCost.${name}`, "is not an option of the gateway")
    if (value === undefined) continue
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
      return fail(`customCost.${name}`, `must be a price in USD per token, not ${show(value)}`)
    }
    prices[wire] = value
  }
  for (const [name, wire] of costNames) {
    if (name.startsWith("perToken") && prices[wire] === undefined)
      return fail(`customCost.${name}`, "is missing")
  }
  return JSON.stringify(prices)
}

const costNames: ReadonlyMap<string, string> = new Map([
  ["perTokenIn", "per_token_in"],
  ["perTokenOut", "per_token_out"],
  ["perCacheReadToken", "per_cache_read_token"],
  ["perCacheWriteToken", "per_cache_write_token"]
])

/** JSON in ASCII: a header cannot carry more, and `\u` escapes mean the same. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const show = (value: unknown): string => {
  if (Duration.isDuration(value)) return Duration.format(value)
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60))
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object"
  return String(value)
}
