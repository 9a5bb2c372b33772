/** The gateway's options of one request: its `cf-aig-*` headers, with the limits Cloudflare documents. */
import { millis } from "./builtIn.js"
import { isObject, parseJson } from "./json.js"
import type { Options } from "./options.js"

export type HeaderMap = Readonly<Record<string, string>>

export interface Settings {
  readonly cacheKey: string | undefined
  /** Seconds. */
  readonly cacheTtl: number | undefined
  readonly skipCache: boolean
  readonly collectLog: boolean
  readonly collectPayload: boolean
  readonly metadata: Readonly<Record<string, string | number | boolean>>
  readonly customCost: unknown
  /** Milliseconds. */
  readonly timeout: number | undefined
  readonly maxAttempts: number
  /** Milliseconds. */
  readonly retryDelay: number
  readonly backoff: string
  readonly byokAlias: string | undefined
  readonly noWholesale: boolean
}

const number = (value: string | undefined): number | undefined => {
  const parsed = value === undefined || value.trim() === "" ? Number.NaN : Number(value)
  return Number.isFinite(parsed) ? parsed : undefined
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

const minute = 60
const month = 30 * 24 * 60 * 60

/** Zero turns caching off for the request; other values are held to the documented limits. */
const ttl = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value <= 0 ? 0 : clamp(value, minute, month)

const metadataEntries = 5

/** Flat entries of the permitted types, `cf.*` stripped, and what is more than five dropped in silence. */
const metadata = (text: string | undefined): Settings["metadata"] => {
  const parsed = text === undefined ? undefined : parseJson(text)
  if (!isObject(parsed)) return {}
  const entries = Object.entries(parsed).filter(
    (entry): entry is [string, string | number | boolean] =>
      !entry[0].startsWith("cf.") && ["string", "number", "boolean"].includes(typeof entry[1])
  )
  return Object.fromEntries(entries.slice(0, metadataEntries))
}

/** The gateway's own settings, over them the options in `headers`, and over those an entry's `config`. */
export const settingsOf = (
  options: Options,
  headers: HeaderMap,
  config: Readonly<Record<string, unknown>>
): Settings => {
  const header = (name: string) => headers[`cf-aig-${name}`]
  const either = (name: string, key: string): number | undefined =>
    typeof config[key] === "number" ? config[key] : number(header(name))
  const cost = header("custom-cost")
  return {
    cacheKey: header("cache-key") === "" ? undefined : header("cache-key"),
    cacheTtl: ttl(number(header("cache-ttl") ?? headers["cf-cache-ttl"])),
    skipCache: (header("skip-cache") ?? headers["cf-skip-cache"]) === "true",
    collectLog: (header("collect-log") ?? String(options.collectLogs ?? true)) !== "false",
    collectPayload: header("collect-log-payload") !== "false",
    metadata: metadata(header("metadata")),
    customCost: cost === undefined ? undefined : parseJson(cost),
    timeout: either("request-timeout", "requestTimeout"),
    maxAttempts: clamp(
      Math.floor(either("max-attempts", "maxAttempts") ?? options.retries?.maxAttempts ?? 1),
      1,
      5
    ),
    retryDelay: clamp(either("retry-delay", "retryDelay") ?? millis(options.retries?.delay), 0, 60_000),
    backoff:
      typeof config.backoff === "string"
        ? config.backoff
        : (header("backoff") ?? options.retries?.backoff ?? "constant"),
    byokAlias: header("byok-alias"),
    noWholesale: options.byokOnly === true || header("no-wholesale") === "true"
  }
}

/** The pause before attempt `n` (the first retry is 1), in milliseconds. */
export const retryPause = ({ backoff, retryDelay }: Settings, n: number): number => {
  switch (backoff) {
    case "exponential":
      return retryDelay * 2 ** (n - 1)
    case "linear":
      return retryDelay * n
    default:
      return retryDelay
  }
}
