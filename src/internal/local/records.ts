/** What a gateway remembers, part of the public module `LocalGateway`. */

/**
 * A request that the gateway got. `status` and `aborted` are filled in as the answer proceeds.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecordedRequest {
  readonly method: string
  readonly url: string
  /** Path of the URL, without the query. */
  readonly path: string
  /** The slug in the URL; `undefined` for a universal request. */
  readonly provider: string | undefined
  /** What comes behind the slug, with the query; `undefined` for a universal request. */
  readonly endpoint: string | undefined
  /** Names in lower case. Secrets included: this is what was sent. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as JSON, or as text if it is not JSON; `undefined` if there was none. */
  readonly body: unknown
  /** Unix milliseconds. */
  readonly at: number
  /** The status that was answered; `undefined` until then. */
  readonly status: number | undefined
  /** Whether the client went away before the answer was complete. */
  readonly aborted: boolean
}

/**
 * A request as the provider gets it: the gateway's own headers are gone, a stored key is filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpstreamRequest {
  /** The gateway's slug of the provider. */
  readonly provider: string
  /** Path behind the slug, with its query. */
  readonly endpoint: string
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as JSON; `undefined` if it is none. */
  readonly body: unknown
  /** The body as text. */
  readonly text: string
  /** How many times this provider was asked before, by any request. */
  readonly index: number
}

/**
 * An entry of the gateway's log: one for each provider that a request came to. Its id is what the answer's
 * `cf-aig-log-id` said. Durations are milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogEntry {
  /** A ULID. */
  readonly id: string
  /** The gateway that it passed. */
  readonly gateway: string
  readonly eventId: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly provider: string
  readonly model: string | undefined
  /** Path behind the slug. */
  readonly path: string
  /** Index of the entry of a universal request, from 0. */
  readonly step: number
  readonly statusCode: number
  readonly success: boolean
  /** Whether it was answered from the cache. */
  readonly cached: boolean
  /** Milliseconds up to the end of the answer, so far while it lasts. */
  readonly duration: number
  /** Tokens, where the built-in model counted them. */
  readonly tokensIn: number | undefined
  readonly tokensOut: number | undefined
  /** At most five entries of `cf-aig-metadata`: strings, numbers and booleans, none named `cf.*`. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>
  /** `cf-aig-custom-cost`, as JSON. */
  readonly customCost: unknown
  /**
   * US dollars: by the custom cost, and 0 for an answer from the cache. Otherwise `undefined`, as for a model that the
   * gateway has no price of.
   */
  readonly cost: number | undefined
  /** As feedback set it; `undefined` until then. */
  readonly feedback: 1 | -1 | undefined
  /** From 0 to 100, as feedback set it; `undefined` until then. */
  readonly score: number | undefined
  readonly requestContentType: string | undefined
  readonly responseContentType: string | undefined
  /** Bytes of the request's body. */
  readonly requestSize: number
  /** Bytes of the response's body so far, also where it is not kept. */
  readonly responseSize: number
  readonly userAgent: string | undefined
  /** The request body as JSON; absent with `cf-aig-collect-log-payload: false`. */
  readonly request: unknown
  /** Up to 64 KiB of the response body; absent with `cf-aig-collect-log-payload: false`. */
  readonly response: string | undefined
}
