/**
 * Entries of a universal request: what `POST …/{account}/{gateway}` and a Worker's binding take. Source:
 * `protocol/gateway.md` §1.3, §1.8, §2.3.
 */
import * as Either from "effect/Either"
import * as RequestOptions from "../RequestOptions.js"
import * as Endpoint from "./endpoint.js"
import { InvalidRequest } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { toJson } from "./requestBody.js"
import { seal } from "./sealedHeaders.js"

/**
 * One entry. It can be written to, because a binding does that: an entry is nobody else's than the one who sends it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  provider: string
  endpoint: string
  headers: Record<string, string>
  config?: Record<string, string | number>
  query: unknown
}

export interface Entries {
  readonly entries: Array<Entry>
  /** What no text may show. */
  readonly secrets: ReadonlyArray<string>
}

/**
 * Each request as an entry, with the options that `optionsOf` gives it: timeout and retries in its `config`, the others in
 * its headers.
 */
export const make = (
  requests: ReadonlyArray<ProviderRequest>,
  optionsOf: (request: ProviderRequest) => RequestOptions.RequestOptions,
  /** What stands before the name of a field that is wrong. */
  placeOf: (index: number) => string,
  /** Headers that a request's own win over. */
  further: Readonly<Record<string, string>> | undefined
): Either.Either<Entries, InvalidRequest> => {
  if (requests.length === 0) return invalid("requests", "sendFirst needs at least one request.")
  const secrets: Array<string> = []
  const entries: Array<Entry> = []
  for (const [index, request] of requests.entries()) {
    const entry = toEntry(request, optionsOf(request), placeOf(index), secrets, further)
    if (entry._tag === "Left") return Either.left(entry.left)
    entries.push(entry.right)
  }
  return Either.right({ entries, secrets })
}

const toEntry = (
  request: ProviderRequest,
  options: RequestOptions.RequestOptions,
  prefix: string,
  /** Is added to. */
  secrets: Array<string>,
  further: Readonly<Record<string, string>> | undefined
): Either.Either<Entry, InvalidRequest> => {
  const place = Endpoint.placeOf(request, prefix)
  if (place !== undefined) return Either.left(place)
  if (request.method !== undefined && request.method !== "POST")
    return invalid(`${prefix}method`, "An entry of a universal request is always a POST: use send.")
  const written = RequestOptions.toHeaders(options)
  if (written._tag === "Left") return Either.left(written.left)
  const own = seal(`${prefix}headers`, request.headers)
  if (own._tag === "Left") return Either.left(own.left)
  const query = toJson(request.body)
  if (query === undefined) return invalid(`${prefix}body`, "An entry of a universal request must be JSON.")
  secrets.push(...own.right.secrets)
  const { config, rest } = splitOptions(written.right)
  const headers = { "content-type": "application/json", ...further, ...own.right.headers, ...rest }
  return Either.right({
    provider: request.provider,
    endpoint: request.endpoint,
    headers,
    ...(config === undefined ? {} : { config }),
    query
  })
}

/** The options that an entry takes in its `config`, by their headers. */
const configNames: Readonly<Record<string, string>> = {
  "cf-aig-request-timeout": "requestTimeout",
  "cf-aig-max-attempts": "maxAttempts",
  "cf-aig-retry-delay": "retryDelay",
  "cf-aig-backoff": "backoff"
}

const splitOptions = (options: Readonly<Record<string, string>>) => {
  const config: Record<string, string | number> = {}
  const rest: Record<string, string> = {}
  for (const [header, value] of Object.entries(options)) {
    const name = configNames[header]
    if (name === undefined) rest[header] = value
    else config[name] = name === "backoff" ? value : Number(value)
  }
  return { rest, config: Object.keys(config).length === 0 ? undefined : config }
}

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))

/** The place of a request among several. */
export const among = (index: number): string => `requests[${index}].`
