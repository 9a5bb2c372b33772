/** The gateway's options in the body of `env.AI.run`, as the headers that say the same. */
import { isObject } from "./json.js"
import type { HeaderMap } from "./settings.js"

const names: ReadonlyArray<readonly [option: string, header: string]> = [
  ["cacheKey", "cf-aig-cache-key"],
  ["cacheTtl", "cf-aig-cache-ttl"],
  ["skipCache", "cf-aig-skip-cache"],
  ["metadata", "cf-aig-metadata"],
  ["collectLog", "cf-aig-collect-log"],
  ["eventId", "cf-aig-event-id"],
  ["requestTimeoutMs", "cf-aig-request-timeout"]
]

const retryNames: ReadonlyArray<readonly [option: string, header: string]> = [
  ["maxAttempts", "cf-aig-max-attempts"],
  ["retryDelayMs", "cf-aig-retry-delay"],
  ["backoff", "cf-aig-backoff"]
]

const headersOf = (
  options: unknown,
  known: typeof names
): ReadonlyArray<readonly [header: string, value: string]> => {
  if (!isObject(options)) return []
  return known.flatMap(([option, header]) => {
    const value = options[option]
    if (value === undefined || value === null) return []
    return [[header, typeof value === "string" ? value : JSON.stringify(value)] as const]
  })
}

/** What `options.gateway` of the body says; nothing, if there is none. */
export const bodyOptions = (
  body: unknown
): { readonly gateway: string | undefined; readonly headers: HeaderMap } => {
  const options = isObject(body) && isObject(body.options) ? body.options.gateway : undefined
  if (!isObject(options)) return { gateway: undefined, headers: {} }
  return {
    gateway: typeof options.id === "string" && options.id !== "" ? options.id : undefined,
    headers: Object.fromEntries([...headersOf(options, names), ...headersOf(options.retries, retryNames)])
  }
}
