/**
 * Entries of a universal request: what `POST …/{account}/{gateway}` and a Worker's binding take. Source:
 * `protocol/gateway.md` §1.3, §1.8, §2.3.
 */
import * as Either from "effect/Either"
import * as RequestOptions from "../RequestOptions.js"
import * as Endpoint from "./endpoint.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { toJson } from "./requestBody.js"
import { seal } from "./sealedHeaders.js"

/**
 * One entry. It and its headers can be written to, because a binding does that: they are nobody else's than the sender's.
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

/** How requests become entries. */
export interface How<E> {
  /** A request's options: timeout and retries go into the `config` of its entry, the others into the headers. */
  readonly optionsOf: (request: ProviderRequest) => RequestOptions.RequestOptions
  /** Headers that a request's own win over. */
  readonly further: Readonly<Record<string, string>> | undefined
  /** What stands before the name of a field that is wrong. */
  readonly prefixOf: (index: number) => string
  /** What is said of a request that no entry can carry. */
  readonly refuse: (request: ProviderRequest, field: "method" | "body", prefix: string) => E
}

export const make = <E extends LegError>(
  requests: ReadonlyArray<ProviderRequest>,
  how: How<E>
): Either.Either<Entries, InvalidRequest | E> => {
  if (requests.length === 0) return invalid("requests", "sendFirst needs at least one request.")
  const secrets: Array<string> = []
  const entries: Array<Entry> = []
  for (const [index, request] of requests.entries()) {
    const entry = toEntry(request, how, how.prefixOf(index), secrets)
    if (entry._tag === "Left") return Either.left(entry.left)
    entries.push(entry.right)
  }
  return Either.right({ entries, secrets })
}

const toEntry = <E extends LegError>(
  request: ProviderRequest,
  { optionsOf, further, refuse }: How<E>,
  prefix: string,
  /** Is added to. */
  secrets: Array<string>
): Either.Either<Entry, InvalidRequest | E> => {
  const place = Endpoint.placeOf(request, prefix)
  if (place !== undefined) return Either.left(place)
  if (request.method !== undefined && request.method !== "POST")
    return Either.left(refuse(request, "method", prefix))
  const written = RequestOptions.toHeaders(optionsOf(request))
  if (written._tag === "Left") return Either.left(written.left)
  const own = seal(`${prefix}headers`, request.headers)
  if (own._tag === "Left") return Either.left(own.left)
  const query = toJson(request.body)
  if (query === undefined) return Either.left(refuse(request, "body", prefix))
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

/** Of requests that are sent together. */
export const together = {
  prefixOf: (index: number): string => `requests[${index}].`,
  refuse: (_: ProviderRequest, field: "method" | "body", prefix: string): InvalidRequest =>
    new InvalidRequest({
      field: `${prefix}${field}`,
      message:
        field === "method"
          ? "An entry of a universal request is always a POST: use send."
          : "An entry of a universal request must be JSON."
    })
}
