/** What a gateway is made from, and what it then is, part of the public module `LocalGateway`. */
import type * as Redacted from "effect/Redacted"
import type { LogEntry, RecordedRequest, UpstreamRequest } from "./records.js"
import type { RunConnection } from "./runConnections.js"
import type { Time, Timing } from "./time.js"
import type { Upstream } from "./upstreamKinds.js"

/**
 * A stored provider key (BYOK), or several by alias. A plain key has the alias `default`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoredKey = string | Redacted.Redacted | { readonly [alias: string]: string | Redacted.Redacted }

/**
 * The gateway's own rate limit: at most `limit` requests in an `interval`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly limit: number
  readonly interval: Time
  /**
   * `"sliding"` (default) counts the requests of the latest interval; `"fixed"` those since the clock last
   * passed a multiple of it.
   */
  readonly technique?: "sliding" | "fixed" | undefined
}

/**
 * Caching for all requests of a gateway. A request's own `cf-aig-cache-ttl` beats the `ttl`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Caching {
  readonly ttl: Time
}

/**
 * What a `cf-aig-cache-key` does to the key of a cache entry: it joins provider, endpoint, body and the
 * provider's credential, or replaces them all.
 *
 * @since 0.1.0
 * @category models
 */
export type CustomCacheKey = "joins" | "replaces"

/**
 * How often, and after which pauses, the gateway itself asks a provider that failed. Headers and an entry's
 * `config` beat it, each setting for itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retries {
  /** The first attempt included: 1 to 5. Default 1. */
  readonly maxAttempts?: number | undefined
  /** Up to 60 seconds. Default none. */
  readonly delay?: Time | undefined
  /** Default `"constant"`. */
  readonly backoff?: "constant" | "linear" | "exponential" | undefined
}

/**
 * Whose answer a universal request gets when all its entries failed: the last provider's, the first one's, or
 * the gateway's own error (400, code 2005).
 *
 * @since 0.1.0
 * @category models
 */
export type WhenAllFail = "last" | "first" | "gateway"

/**
 * The streams of `env.AI.run` for models of Cloudflare's catalog, which can be resumed: they carry a `cf-aig-run-id`, go on
 * at the provider when the client leaves, and are kept for
 * `GET https://workers-binding.ai/ai-gateway/gateways/{gateway}/run/{runId}/resume?from={n}`, where `n` counts events (blank
 * lines). Not documented by Cloudflare, and so chosen here: that the life begins at the end of the run, that no `from` is
 * the beginning, and one that is no number is 400.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunSettings {
  /** How long a run can be resumed once it is complete. Default 330 seconds, the least that was measured. */
  readonly life?: Time | undefined
  /** Whether such streams are runs. Default `true`; `false` as for models that cannot be resumed. */
  readonly ids?: boolean | undefined
  /**
   * How the connections to each run fare, in order: first its own stream, then the requests that resume it; those beyond
   * the list are `whole`. A reply's own `connections` beat it. Default: all `whole`.
   */
  readonly connections?: ReadonlyArray<RunConnection> | undefined
}

/**
 * What `handle` takes beside the request.
 *
 * @since 0.1.0
 * @category models
 */
export interface HandleOptions {
  /** Default: the host's clock. */
  readonly timing?: Timing | undefined
  /** Replaces the request's own. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Settings of a local gateway. All are optional; provider names are the gateway's slugs (`openai`,
 * `anthropic`, `google-ai-studio`, `workers-ai`, `groq`, …).
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The account in the URL. Default `"local-account"`; any other answers 400 with code 2001. */
  readonly accountId?: string | undefined
  /**
   * Gateways that exist. Default `["local-gateway"]`. Any other id answers 400 with code 2001, except
   * `default`, which Cloudflare creates on its first authenticated request.
   */
  readonly gateways?: ReadonlyArray<string> | undefined
  /**
   * The gateway token, expected as `cf-aig-authorization: Bearer <token>`, else 401 with code 2009. Default
   * `"local-token"`. `null` turns authentication off.
   */
  readonly token?: string | Redacted.Redacted | null | undefined
  /**
   * The Cloudflare token of the account's own API, expected as `authorization: Bearer <token>` at
   * `https://api.cloudflare.com/client/v4/accounts/{accountId}/ai/…` (or that path on any other host), else 401 with
   * code 10000 in that API's envelope. Default: the gateway token; any, if that is `null`.
   *
   * The API has `run`, `run/@cf/…`, `v1/chat/completions`, `v1/responses`, `v1/messages` and `v1/embeddings` (Workers
   * AI's models only). Models are those of Cloudflare's catalog (`anthropic/claude-haiku-4.5`; `alibaba` and `minimax`
   * too), or `@cf/…`; any other is 404 with code 7003. `cf-aig-gateway-id` picks the gateway: default `default` for
   * the catalog's, none at all for `@cf/`. A provider's failure is in its own form, and on `run` in the envelope.
   * Not documented by Cloudflare, and so chosen here: the status of 7003, what an unknown gateway is answered (400
   * with code 2001), the envelope of `run` for models of others (`{ result, success, errors, messages }`), the code of a provider's
   * failure there (2005), and that answers which are not streams are cached and carry a log id as elsewhere.
   */
  readonly accountToken?: string | Redacted.Redacted | undefined
  /** Provider keys stored in the gateway, by slug: used for requests that carry no credential. Default none. */
  readonly storedKeys?: Readonly<Record<string, StoredKey>> | undefined
  /**
   * Whether requests with neither a credential nor a stored key are answered at Cloudflare's expense. Default
   * `true`: for every provider, so that an application without any key works. Cloudflare itself does it for
   * `openai`, `anthropic`, `google-ai-studio`, `google-vertex-ai`, `grok` and `groq` only: give that list to
   * be as strict, or `false`. A request that is not covered gets the provider's own "no key" answer.
   */
  readonly unifiedBilling?: boolean | ReadonlyArray<string> | undefined
  /**
   * The only credential that each provider takes, by slug; a different one gets that provider's own answer to
   * a bad key. Providers that are not listed take anything that looks like a credential: not an empty one, not
   * the text `undefined`, and not the gateway's own token (Workers AI excepted, whose credential is a
   * Cloudflare token).
   */
  readonly keys?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /**
   * Whether the gateway never pays (the setting `byok_only`): a request with neither a credential nor a stored
   * key is 400, and no header relaxes that; Workers AI is not affected. Default `false`.
   */
  readonly byokOnly?: boolean | undefined
  /**
   * More requests than this get 429 with code 2003; Cloudflare documents no `retry-after`, and there is none.
   * Answers from the cache do not count. Default: no limit.
   */
  readonly rateLimit?: RateLimit | undefined
  /**
   * Caching for all requests, as the gateway setting of that name. Default off: then a request is cached only
   * if it has a `cf-aig-cache-key`, and a `cf-aig-cache-ttl` without one does nothing.
   */
  readonly cache?: Caching | undefined
  /**
   * Default `"joins"`: two callers with different credentials never share an entry, nor do two prompts.
   * Cloudflare's page on caching also says that a custom key overrides the default one: `"replaces"` answers
   * any request that has the key, whatever its body.
   */
  readonly customCacheKey?: CustomCacheKey | undefined
  /** Whether streams are cached, which Cloudflare does not document in full. Default `true`. */
  readonly cacheStreams?: boolean | undefined
  /** The gateway's retries for requests that say nothing of their own. Default: one attempt. */
  readonly retries?: Retries | undefined
  /** Whether requests are logged that say nothing of it (`cf-aig-collect-log`). Default `true`. */
  readonly collectLogs?: boolean | undefined
  /**
   * What stands behind the gateway, by slug. Default for every provider: `echo`, by the built-in model. A custom
   * provider exists once it is named here, as in `{ "custom-acme": LocalGateway.always(LocalGateway.echo) }`: it has
   * OpenAI's chat completions, or with `forward` whatever its base URL has.
   */
  readonly upstreams?: Readonly<Record<string, Upstream>> | undefined
  /** Models that a provider has, by slug; others get its "no such model". Default: any name is a model. */
  readonly models?: Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /**
   * Models that read text alone: an image or a file gets their vendor's refusal. A name that contains `text-only` is
   * always one, and DeepSeek has no other.
   */
  readonly textOnlyModels?: ReadonlyArray<string> | undefined
  /** Models that no provider has. A name that contains `does-not-exist` is never a model. */
  readonly unknownModels?: ReadonlyArray<string> | undefined
  /**
   * Dynamic routes: the compat models that each tries in order, as in
   * `{ support: ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"] }`, asked for as `dynamic/support`.
   */
  readonly routes?: Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /**
   * Catalog models that the auto router (`cloudflare/auto`) chooses from, best first. The first that the request's
   * `cf-aig-allowed-…` headers leave is asked; when it fails, the next. Default `openai/gpt-5-mini`,
   * `anthropic/claude-haiku-4.5`, `google/gemini-2.5-flash`.
   */
  readonly autoRouterModels?: ReadonlyArray<string> | undefined
  /**
   * What a universal request answers when all its entries failed, which Cloudflare does not document. Default
   * `"last"`.
   */
  readonly whenAllFail?: WhenAllFail | undefined
  /**
   * Whether that answer says in `cf-aig-step` which entry it is from, which is not documented either. Default
   * `false`.
   */
  readonly stepWhenAllFail?: boolean | undefined
  /** Streams of `env.AI.run` that can be resumed. */
  readonly runs?: RunSettings | undefined
  /** How many of the latest requests, upstream requests and log entries are kept. Default 10,000 of each. */
  readonly remember?: number | undefined
  /** Called with each request before it is answered. */
  readonly onRequest?: ((request: RecordedRequest) => void) | undefined
}

/**
 * A local gateway: a plain value with its own cache, logs and counters.
 *
 * @since 0.1.0
 * @category models
 */
export interface LocalGateway {
  /**
   * Answers a request, as `fetch` would: it rejects when the connection breaks before an answer
   * (`disconnect`), or with the signal's reason when the client goes away. The body errors when it breaks
   * later.
   */
  readonly handle: (request: Request, options?: HandleOptions) => Promise<Response>
  /** Requests so far, in order (the latest 10,000, see `remember`). */
  readonly requests: () => ReadonlyArray<RecordedRequest>
  /** What the providers were asked, in order: one for each attempt. */
  readonly upstreamRequests: () => ReadonlyArray<UpstreamRequest>
  /** The log, oldest entry first. */
  readonly logs: () => ReadonlyArray<LogEntry>
  /** Requests whose answers are not complete, nor given up by the client. */
  readonly inFlight: () => number
  /** Forgets requests, logs, runs, cache, rate limit and the positions of scripts. */
  readonly reset: () => void
}
