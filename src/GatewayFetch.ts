/**
 * A `fetch` that sends what is aimed at a known provider through the gateway: for the vendors' own clients (`openai`,
 * `@anthropic-ai/sdk`, `@google/genai`, the AI SDK), which all take one. Nothing else of such a client changes.
 *
 * | client | where it takes a `fetch` |
 * |---|---|
 * | `openai`, `@anthropic-ai/sdk` | `new OpenAI({ fetch })`, `new Anthropic({ fetch })` |
 * | `@google/genai` | `new GoogleGenAI({ httpOptions: { fetch } })` |
 * | `@ai-sdk/*` | `createOpenAI({ fetch })`, `createAnthropic({ fetch })`, `createGoogleGenerativeAI({ fetch })` |
 *
 * - **Routing** is that of `GatewayHttpClient`: by the provider's URL. `credentials: "omit"` leaves out the key that these
 *   clients insist on, so that the gateway's stored one or unified billing applies.
 * - **Context.** What is in force where the `fetch` is made (options of regions, taps, the tracer) is in force for every
 *   call; a client's call knows no region of its own. One per scope, and nothing is shared between calls.
 * - **A status is an answer**, with the body as the provider or the gateway gave it: the client makes its own error of it and
 *   retries by its own rules.
 * - **No answer** is what it is with `fetch`: `TypeError: fetch failed`, whose `cause` is this library's error.
 * - **What could never be sent** (a stranger's URL, a wrong option, a body that a Worker's binding cannot carry) is answered
 *   here with 400 and `x-should-retry: false`, because a client that saw it fail would try it again.
 * - `AiGatewayError.fromUnknown` makes this library's error of whatever the client makes of these.
 * - **Aborts** (`signal`) reject with the signal's reason and close the socket, at any moment. So does the end of the scope;
 *   a later call rejects with an `AbortError` (some clients try that again, to no avail).
 * - **Bodies** are read from the socket no faster than by their reader; `cancel()` closes it. A body that nobody reads is
 *   closed when it is garbage, or the scope ends: cancel what is not wanted. Request bodies are read whole first.
 *
 * There is no Tag: what a program wants as a service is the client, and `Layer.scoped` makes that of this.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AiGateway } from "./AiGateway.js"
import * as RelayFetch from "./internal/relayFetch.js"
import type { RerouteOptions } from "./internal/reroute.js"

export type { RerouteOptions } from "./internal/reroute.js"

/**
 * What every client takes for the global `fetch`.
 *
 * @since 0.1.0
 * @category models
 */
export interface GatewayFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** A part of `typeof fetch` in Bun. Does nothing: no connection goes to the provider's own host. */
  readonly preconnect: (url: string | URL) => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends RerouteOptions {
  /**
   * Gets what is for no provider, as it was given. By default that is refused. What is at a provider's host and no endpoint
   * that the gateway takes is refused all the same.
   */
  readonly strangers?: ((input: string | URL | Request, init?: RequestInit) => Promise<Response>) | undefined
}

/**
 * Makes a `fetch` that lives as long as the scope.
 *
 * @example
 * ```ts
 * import { AiGateway, AiGatewayError, GatewayFetch } from "effect-ai-gateway"
 * import { Effect } from "effect"
 * import OpenAI from "openai"
 *
 * const program = Effect.gen(function*() {
 *   const fetch = yield* GatewayFetch.make({ credentials: "omit" })
 *   const openai = new OpenAI({ apiKey: "stored in the gateway", fetch })
 *   return yield* Effect.tryPromise((signal) =>
 *     openai.responses.create({ model: "gpt-5-mini", input: "Say hello." }, { signal })
 *   )
 * }).pipe(
 *   Effect.scoped,
 *   AiGateway.withOptions({ cacheTtl: "1 hour" }),
 *   Effect.mapError((error) => AiGatewayError.fromUnknown(error))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<GatewayFetch, never, AiGateway | Scope.Scope> =>
  Effect.flatMap(AiGateway, (gateway) =>
    Effect.map(RelayFetch.make(gateway.relay, options, options.strangers), (fetch) =>
      Object.assign(fetch, { preconnect: () => {} })
    )
  )
