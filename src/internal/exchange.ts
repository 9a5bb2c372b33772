/** What goes through the gateway and what comes back, in a provider's own format. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { GatewayMetadata } from "../GatewayMetadata.js"
import type * as RequestOptions from "../RequestOptions.js"
import type { LegError } from "./errors.js"

/**
 * A request in a provider's own format.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProviderRequest {
  /** The provider's gateway slug, such as `openai`; or `custom-{slug}`, or `compat`. */
  readonly provider: string
  /** The path behind the slug, without a leading slash; may have a query. */
  readonly endpoint: string
  /** Default `POST`. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | undefined
  /** The provider's own headers, its credential among them. Never anybody else's. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Text and bytes go out as they are; anything else as JSON. */
  readonly body?: unknown
  /** The model, for errors and spans. */
  readonly model?: string | undefined
  /** Gateway options of this request alone. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

/**
 * What came back, with a status of success. Its body is read once, by one of `text`, `json` and `stream`. A response
 * that is not read must be closed with `close`, or its socket stays open.
 *
 * @since 0.1.0
 * @category models
 */
export interface GatewayResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly gateway: GatewayMetadata
  /** Fails with `TransportFailure` if the body breaks off. */
  readonly text: Effect.Effect<string, LegError>
  /** Fails with `MalformedResponse` if the body is not JSON. */
  readonly json: Effect.Effect<unknown, LegError>
  /** One element per network read. Stopping early closes the socket. */
  readonly stream: Stream.Stream<Uint8Array, LegError>
  readonly close: Effect.Effect<void>
}
