/** What an AI binding in process looks like, part of the public module `LocalGateway`. */
import type { LocalGateway } from "./options.js"

/**
 * Gateway options of the binding, as `@cloudflare/workers-types` has them; `id` for `run` alone. All else that is given is sent
 * as it is, as the binding does.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiGatewayOptions {
  readonly id?: string | undefined
  readonly cacheKey?: string | undefined
  /** Seconds. 0 is not sent to a gateway of the binding. */
  readonly cacheTtl?: number | undefined
  readonly skipCache?: boolean | undefined
  readonly metadata?: object | undefined
  readonly collectLog?: boolean | undefined
  readonly eventId?: string | undefined
  readonly requestTimeoutMs?: number | undefined
  readonly retries?:
    | {
        readonly maxAttempts?: number | undefined
        readonly retryDelayMs?: number | undefined
        readonly backoff?: string | undefined
      }
    | undefined
}

/**
 * As much of an `AbortSignal` as every type of one has, that of `@cloudflare/workers-types` too.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiSignal {
  readonly aborted: boolean
  addEventListener(type: "abort", listener: () => void): void
}

/**
 * Options of `LocalAi.fetch`: those of `fetch`.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiFetchOptions extends Omit<RequestInit, "signal"> {
  readonly signal?: AiSignal | null | undefined
}

/**
 * Options of `LocalAi.run`. Others (`tags`, `queueRequest`, …) are sent in the body.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiRunOptions {
  readonly gateway?: AiGatewayOptions | undefined
  readonly prefix?: string | undefined
  readonly extraHeaders?: object | undefined
  readonly sessionOptions?: { readonly extraHeaders?: object | undefined } | undefined
  readonly returnRawResponse?: boolean | undefined
  readonly websocket?: boolean | undefined
  readonly signal?: AiSignal | undefined
  readonly [other: string]: unknown
}

/**
 * An entry for `LocalAiGateway.run`. Its headers are changed in place, as the binding does.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiGatewayEntry {
  readonly provider: string
  readonly endpoint: string
  readonly headers: object
  readonly query: unknown
}

/**
 * Changes of `LocalAiGateway.patchLog`.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiLogChanges {
  /** From 0 to 100. */
  readonly score?: number | null | undefined
  readonly feedback?: number | null | undefined
  readonly metadata?: object | null | undefined
}

/**
 * What `LocalAiGateway.getLog` gives.
 *
 * @since 0.1.0
 * @category models
 */
export interface AiLog {
  readonly id: string
  readonly created_at: Date
  readonly [field: string]: unknown
}

/**
 * What `env.AI.gateway(id)` is.
 *
 * @since 0.1.0
 * @category models
 */
export interface LocalAiGateway {
  /** Never rejects for a status. Throws at once for entries without headers, and for what is no JSON. */
  run(
    data: AiGatewayEntry | ReadonlyArray<AiGatewayEntry>,
    options?: {
      readonly gateway?: AiGatewayOptions | undefined
      readonly extraHeaders?: object | undefined
      readonly signal?: AiSignal | undefined
    }
  ): Promise<Response>
  /** Rejects with an error of the name `AiGatewayLogNotFound` if there is none. */
  getLog(logId: string): Promise<AiLog>
  /** The same. */
  patchLog(logId: string, data: AiLogChanges): Promise<void>
  /** Without a provider the universal endpoint's, which ends with a slash. */
  getUrl(provider?: string): Promise<string>
}

/**
 * What `env.AI` is: `run`, `gateway` and `fetch`, with their state of the last run. `local` is the gateway behind it, to look
 * at what was asked, and `close` ends everything that is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface LocalAi {
  /**
   * A `Response` with `returnRawResponse`; else JSON for the content type `application/json` exactly, and a stream of bytes
   * for every other. Without the former it rejects for a status that is no success: the error's `name` is the body's
   * (`AiError`, `AiGatewayError`), or `InferenceUpstreamError`.
   */
  run(model: string, inputs: object, options?: AiRunOptions): Promise<unknown>
  gateway(id: string): LocalAiGateway
  fetch(input: string | URL | Request, init?: AiFetchOptions): Promise<Response>
  /** The header `cf-ai-req-id` of the last run. */
  readonly lastRequestId: string | null
  /** The header `cf-aig-log-id` of the last run. */
  readonly aiGatewayLogId: string | null
  readonly lastRequestHttpStatusCode: number | null
  readonly lastRequestInternalStatusCode: number | null
  readonly local: LocalGateway
  /** Later requests reject. */
  close(): void
}
