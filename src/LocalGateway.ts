/**
 * Cloudflare AI Gateway's HTTP protocol, in process: the embedded default for an application that has no
 * account yet, and the test bench of one that has. It speaks what the real gateway speaks (provider-native,
 * compat and universal endpoints, `cf-aig-*` headers, error bodies, caching, rate limits, retries, timeouts,
 * logs), and behind it a built-in model per provider answers in that provider's own wire format.
 *
 * It shares no code with this library's client, so that neither can hide the other's mistake, and it needs
 * neither a network nor Node. `LocalGatewayServer` puts it on a loopback socket.
 *
 * Protocol facts are from Cloudflare's AI Gateway documentation and recorded answers; where the real
 * behaviour is not documented the choice made here is said at the option it concerns.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Effect from "effect/Effect"
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * const gateway = LocalGateway.make({
 *   upstreams: {
 *     openai: LocalGateway.script([LocalGateway.status(503), LocalGateway.text("Hello")])
 *   }
 * })
 *
 * // Every request of the program goes to `gateway`, whatever its URL.
 * const run = <A, E>(program: Effect.Effect<A, E, HttpClient.HttpClient>) =>
 *   Effect.provide(program, LocalGateway.layerFrom(gateway))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AiGateway from "./AiGateway.js"
import type { InvalidRequest } from "./internal/errors.js"
import { makeGateway } from "./internal/local/gateway.js"
import { layerHttpClient } from "./internal/local/httpClient.js"

/**
 * A length of time: `"2 seconds"`, `Duration.millis(50)`. A bare number does not compile, because nothing in
 * it says whether it means seconds or milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type Time = Exclude<Duration.DurationInput, number | bigint>

/**
 * A stored provider key (BYOK), or several by alias. A plain key has the alias `default`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoredKey = string | Redacted.Redacted | { readonly [alias: string]: string | Redacted.Redacted }

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
   * At most `limit` requests in any `interval` (a sliding window); more get 429 with code 2003. Answers from
   * the cache do not count. Default: no limit.
   */
  readonly rateLimit?: { readonly limit: number; readonly interval: Time } | undefined
  /**
   * Caching for all requests, as the gateway setting of that name. Default off: then a request is cached only
   * if it has a `cf-aig-cache-key`.
   */
  readonly cache?: { readonly ttl: Time } | undefined
  /** What stands behind the gateway, by slug. Default for every provider: `echo`, by the built-in model. */
  readonly upstreams?: Readonly<Record<string, Upstream>> | undefined
  /** Models that a provider has, by slug; others get its "no such model". Default: any name is a model. */
  readonly models?: Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /** Models that no provider has. A name that contains `does-not-exist` is never a model. */
  readonly unknownModels?: ReadonlyArray<string> | undefined
  /**
   * Dynamic routes: the compat models that each tries in order, as in
   * `{ support: ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"] }`, asked for as `dynamic/support`.
   */
  readonly routes?: Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /**
   * What a universal request answers when all its entries failed, which Cloudflare does not document: the
   * last provider's answer (default), the first one's, or the gateway's own error (400, code 2005).
   */
  readonly whenAllFail?: "last" | "first" | "gateway" | undefined
  /** How many of the latest requests, upstream requests and log entries are kept. Default 10,000 of each. */
  readonly remember?: number | undefined
  /** Called with each request before it is answered. */
  readonly onRequest?: ((request: RecordedRequest) => void) | undefined
}

/**
 * What stands behind the gateway for one provider. Make one with `script`, `handler` or `forward`.
 *
 * @since 0.1.0
 * @category models
 */
export type Upstream =
  | { readonly _tag: "Script"; readonly replies: ReadonlyArray<Reply>; readonly afterwards: Reply }
  | { readonly _tag: "Handler"; readonly handle: (request: UpstreamRequest) => Reply | Promise<Reply> }
  | { readonly _tag: "Forward"; readonly baseUrl: string; readonly fetch?: typeof fetch | undefined }

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
 * Tokens to report instead of the words that the built-in model counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  /** All prompt tokens, those from the provider's prompt cache included. */
  readonly input?: number | undefined
  /** Prompt tokens from the provider's prompt cache. Default 0. */
  readonly cachedInput?: number | undefined
  /** All answer tokens, reasoning included. */
  readonly output?: number | undefined
  /** Reasoning tokens. */
  readonly reasoning?: number | undefined
}

/**
 * Why the model stopped. The four common words become the provider's own (`end_turn`, `STOP`, …); any other
 * text is sent as it is.
 *
 * @since 0.1.0
 * @category models
 */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | (string & {})

/**
 * How a text is said.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextOptions {
  /** The pieces of a streamed answer. Default: one per word. A number cuts the text into so many characters. */
  readonly chunks?: ReadonlyArray<string> | number | undefined
  /** The pause before every piece but the first. Default none. */
  readonly delay?: Time | undefined
  readonly usage?: Usage | undefined
  /** Default `"stop"`, or `"tool_calls"` if there are any. */
  readonly finishReason?: FinishReason | undefined
  /** Said before the text, where the provider's format has a place for reasoning. */
  readonly reasoning?: string | undefined
  /** The model that the answer names. Default: the one that was asked for. */
  readonly model?: string | undefined
}

/**
 * What happens to a reply on its way. Set with `delayed`, `dropAfter`, `errorEvent`, `stallAfter`,
 * `keepAlives`, `rechunk` and `unstreamed`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Modifiers {
  readonly delay?: Time
  readonly dropAfter?: number
  readonly stallAfter?: number
  readonly errorEvent?: {
    readonly afterEvents: number
    readonly status: number | undefined
    readonly message: string | undefined
    readonly form: "event" | "tail"
  }
  readonly keepAlives?: { readonly count: number; readonly every: Time | undefined }
  readonly chunkBytes?: number
  readonly unstreamed?: boolean
  readonly dlpFlag?: "prompt" | "response"
}

/**
 * What the provider (or the gateway, or the edge before it) answers: plain data, made with `text`, `toolCall`,
 * `toolCalls`, `status`, `echo`, `raw`, `hang`, `disconnect`, `guardrail`, `dlp` and `edgeHtml`.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply = (
  | ({ readonly _tag: "Text"; readonly text: string } & TextOptions)
  | ({
      readonly _tag: "ToolCalls"
      readonly calls: ReadonlyArray<ToolCall>
      readonly text: string
    } & TextOptions)
  | ({ readonly _tag: "Echo" } & TextOptions)
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly body: unknown
      readonly message: string | undefined
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly _tag: "Raw"
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly chunks: ReadonlyArray<string | Uint8Array>
      readonly delay: Time | undefined
    }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Disconnect" }
  | { readonly _tag: "Guardrail"; readonly stage: "prompt" | "response" }
  | { readonly _tag: "Dlp"; readonly stage: "prompt" | "response" }
  | { readonly _tag: "EdgeHtml"; readonly status: number }
) & { readonly modifiers: Modifiers }

/**
 * A call of a tool. The id is made up if absent, where the provider's format has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCall {
  readonly name: string
  readonly args: unknown
  readonly id?: string | undefined
}

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
 * An entry of the gateway's log: one for each provider that a request came to. Its id is what the answer's
 * `cf-aig-log-id` said. Durations are milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogEntry {
  /** A ULID. */
  readonly id: string
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
  /** The request body as JSON; absent with `cf-aig-collect-log-payload: false`. */
  readonly request: unknown
  /** Up to 64 KiB of the response body; absent with `cf-aig-collect-log-payload: false`. */
  readonly response: string | undefined
}

/**
 * Time, for a gateway: real by default, the Effect `Clock` in `layer` and `layerFrom`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timing {
  /** Unix milliseconds. */
  readonly now: () => number
  /** Resolves after so many milliseconds; rejects with the signal's reason when it aborts. */
  readonly sleep: (millis: number, signal: AbortSignal) => Promise<void>
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
   * later. `signal` replaces the request's own.
   */
  readonly handle: (
    request: Request,
    options?: { readonly timing?: Timing | undefined; readonly signal?: AbortSignal | undefined }
  ) => Promise<Response>
  /** Requests so far, in order (the latest 10,000, see `remember`). */
  readonly requests: () => ReadonlyArray<RecordedRequest>
  /** What the providers were asked, in order: one for each attempt. */
  readonly upstreamRequests: () => ReadonlyArray<UpstreamRequest>
  /** The log, oldest entry first. */
  readonly logs: () => ReadonlyArray<LogEntry>
  /** Requests whose answers are not complete, nor given up by the client. */
  readonly inFlight: () => number
  /** Forgets requests, logs, cache, rate limit and the positions of scripts. */
  readonly reset: () => void
}

/**
 * Makes a gateway. It costs nothing until it is used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): LocalGateway => makeGateway(options)

/**
 * An `HttpClient` whose every request, whatever its URL, goes to a new gateway: own cache, own logs. Bind it
 * to a const to use one gateway in several places. The Effect `Clock` drives all its times, `TestClock`
 * included; interrupting a request, or leaving its response stream early, is what the gateway sees as the
 * client going away.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.suspend(() => layerFrom(makeGateway(options)))

/**
 * The same for a gateway that exists, so that a test can look at its requests and logs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFrom = (gateway: LocalGateway): Layer.Layer<HttpClient.HttpClient> =>
  layerHttpClient(gateway)

/**
 * The gateway that `layerTest` made, to look at its requests and logs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Gateway extends Context.Tag("effect-ai-gateway/LocalGateway")<Gateway, LocalGateway>() {}

/**
 * Everything that a test needs at once: a new local gateway, the `HttpClient` that leads to it, and an `AiGateway` with its
 * account, id and token. `Gateway` is there to look at what was asked.
 *
 * @example
 * ```ts
 * import { LocalGateway, OpenAi } from "effect-ai-gateway"
 * import { Effect, Layer } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   yield* OpenAi.model("gpt-5-mini").chat("hello")
 *   const gateway = yield* LocalGateway.Gateway
 *   return gateway.requests().length
 * }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (
  options: Options = {}
): Layer.Layer<AiGateway.AiGateway | HttpClient.HttpClient | Gateway, InvalidRequest> =>
  Layer.unwrapEffect(
    Effect.sync(() => {
      const gateway = makeGateway(options)
      const token = options.token === undefined ? "local-token" : options.token
      return AiGateway.layer({
        accountId: options.accountId ?? "local-account",
        gatewayId: options.gateways?.[0] ?? "local-gateway",
        token: token === null ? undefined : typeof token === "string" ? Redacted.make(token) : token
      }).pipe(Layer.provideMerge(layerFrom(gateway)), Layer.merge(Layer.succeed(Gateway, gateway)))
    })
  )

/**
 * Answers the nth request to the provider with the nth reply (a retry counts as a request), and all later
 * ones with `afterwards`.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const script = (replies: ReadonlyArray<Reply>, afterwards: Reply = echo): Upstream => ({
  _tag: "Script",
  replies,
  afterwards
})

/**
 * Answers every request with the reply.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const always = (reply: Reply): Upstream => script([], reply)

/**
 * Answers with what the function makes of the request.
 *
 * @since 0.1.0
 * @category upstreams
 */
export const handler = (handle: (request: UpstreamRequest) => Reply | Promise<Reply>): Upstream => ({
  _tag: "Handler",
  handle
})

/**
 * Sends requests on to a base URL, the provider itself or a fake of it: `{baseUrl}/{endpoint}`. Streams pass
 * through as they come; a client that goes away ends the request to the base URL. A base URL that cannot be
 * reached is a failed provider (400, code 2005).
 *
 * @since 0.1.0
 * @category upstreams
 */
export const forward = (
  baseUrl: string,
  options?: { readonly fetch?: typeof fetch | undefined }
): Upstream => ({
  _tag: "Forward",
  baseUrl,
  fetch: options?.fetch
})

/**
 * Says the text.
 *
 * @since 0.1.0
 * @category replies
 */
export const text = (text: string, options: TextOptions = {}): Reply => ({
  ...options,
  _tag: "Text",
  text,
  modifiers: {}
})

/**
 * Says back the last thing the user said: `"You said: …"`. If the request forces a tool, or asks for JSON of a
 * schema, the answer is a call, or JSON, that fits the schema. Tokens are words.
 *
 * @since 0.1.0
 * @category replies
 */
export const echo: Reply = { _tag: "Echo", modifiers: {} }

/**
 * Calls one tool with the arguments (any JSON).
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCall = (
  name: string,
  args: unknown,
  options: TextOptions & { readonly id?: string | undefined; readonly text?: string | undefined } = {}
): Reply => toolCalls([{ name, args, id: options.id }], options)

/**
 * Calls several tools at once, after the text if there is one.
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCalls = (
  calls: ReadonlyArray<ToolCall>,
  options: TextOptions & { readonly text?: string | undefined } = {}
): Reply => ({ ...options, _tag: "ToolCalls", calls, text: options.text ?? "", modifiers: {} })

/**
 * Answers with a status. The body, unless given, is the error that the provider itself sends with it, with
 * `message` in it if given.
 *
 * @since 0.1.0
 * @category replies
 */
export const status = (
  status: number,
  options: {
    readonly body?: unknown
    readonly message?: string | undefined
    readonly headers?: Readonly<Record<string, string>> | undefined
  } = {}
): Reply => ({
  _tag: "Status",
  status,
  body: options.body,
  message: options.message,
  headers: options.headers ?? {},
  modifiers: {}
})

/**
 * Answers with exactly these bytes. Defaults: status 200, `content-type: application/json`. Several chunks
 * are sent one at a time, with `delay` between them; `dropAfter` and `stallAfter` count them.
 *
 * @since 0.1.0
 * @category replies
 */
export const raw = (options: {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body: string | Uint8Array | ReadonlyArray<string | Uint8Array>
  readonly delay?: Time | undefined
}): Reply => ({
  _tag: "Raw",
  status: options.status ?? 200,
  headers: options.headers ?? { "content-type": "application/json" },
  chunks:
    typeof options.body === "string" || options.body instanceof Uint8Array ? [options.body] : options.body,
  delay: options.delay,
  modifiers: {}
})

/**
 * Never answers: the request ends when the client goes away, or when a gateway timeout does.
 *
 * @since 0.1.0
 * @category replies
 */
export const hang: Reply = { _tag: "Hang", modifiers: {} }

/**
 * The client's connection breaks before any answer.
 *
 * @since 0.1.0
 * @category replies
 */
export const disconnect: Reply = { _tag: "Disconnect", modifiers: {} }

/**
 * The gateway's guardrails block the prompt (424, code 2016) or the response (424, code 2017). The status of
 * 2017 is not documented.
 *
 * @since 0.1.0
 * @category replies
 */
export const guardrail = (stage: "prompt" | "response"): Reply => ({
  _tag: "Guardrail",
  stage,
  modifiers: {}
})

/**
 * The gateway's data loss prevention blocks the prompt (400, code 2029) or the response (400, code 2030), with
 * its findings in the header `cf-aig-dlp`.
 *
 * @since 0.1.0
 * @category replies
 */
export const dlp = (stage: "prompt" | "response"): Reply => ({ _tag: "Dlp", stage, modifiers: {} })

/**
 * A page of Cloudflare's edge, as with status 502, 520 or 524: HTML, and none of the gateway's headers.
 *
 * @since 0.1.0
 * @category replies
 */
export const edgeHtml = (status: number): Reply => ({ _tag: "EdgeHtml", status, modifiers: {} })

const modify = (self: Reply, modifiers: Modifiers): Reply => ({
  ...self,
  modifiers: { ...self.modifiers, ...modifiers }
})

/**
 * Waits before anything is answered, status and headers included.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const delayed: {
  (duration: Time): (self: Reply) => Reply
  (self: Reply, duration: Time): Reply
} = dual(2, (self: Reply, duration: Time): Reply => modify(self, { delay: duration }))

/**
 * The connection breaks after so many events of the stream (comments do not count); 0 is right after the
 * headers. An answer that is not streamed breaks in its middle.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const dropAfter: {
  (events: number): (self: Reply) => Reply
  (self: Reply, events: number): Reply
} = dual(2, (self: Reply, events: number): Reply => modify(self, { dropAfter: events }))

/**
 * The stream goes silent after so many events, and stays open until the client goes away. An answer that is
 * not streamed goes silent in its middle.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const stallAfter: {
  (events: number): (self: Reply) => Reply
  (self: Reply, events: number): Reply
} = dual(2, (self: Reply, events: number): Reply => modify(self, { stallAfter: events }))

/**
 * The provider reports an error inside the 200 that it began: after so many events (at the end, if there are
 * fewer), in its own form, and then the stream ends. `status` (default 529 for Anthropic's `overloaded_error`, else 503) picks the error;
 * `form: "tail"` sends it as bare JSON without `data:`, as Google does at times. An answer that is not
 * streamed becomes that error body with status 200.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const errorEvent = (
  self: Reply,
  afterEvents: number,
  options: {
    readonly status?: number | undefined
    readonly message?: string | undefined
    readonly form?: "event" | "tail" | undefined
  } = {}
): Reply =>
  modify(self, {
    errorEvent: {
      afterEvents,
      status: options.status,
      message: options.message,
      form: options.form ?? "event"
    }
  })

/**
 * The provider's own keep-alives before the first event: SSE comments, or `ping` events. `every` is the pause
 * before each; default none.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const keepAlives = (
  self: Reply,
  count: number,
  options: { readonly every?: Time | undefined } = {}
): Reply => modify(self, { keepAlives: { count, every: options.every } })

/**
 * Cuts the streamed bytes into network chunks of this size, wherever that falls: inside an event, inside a
 * character. Without it every event is a chunk.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const rechunk: {
  (bytes: number): (self: Reply) => Reply
  (self: Reply, bytes: number): Reply
} = dual(2, (self: Reply, bytes: number): Reply => modify(self, { chunkBytes: Math.max(1, bytes) }))

/**
 * Answers a request for a stream with one JSON body, as the gateway does when guardrails are on.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const unstreamed = (self: Reply): Reply => modify(self, { unstreamed: true })

/**
 * Lets the reply pass, with a data loss prevention match in the header `cf-aig-dlp` (action `FLAG`).
 *
 * @since 0.1.0
 * @category modifiers
 */
export const dlpFlagged: {
  (stage: "prompt" | "response"): (self: Reply) => Reply
  (self: Reply, stage: "prompt" | "response"): Reply
} = dual(2, (self: Reply, stage: "prompt" | "response"): Reply => modify(self, { dlpFlag: stage }))
