/**
 * The gateway: one service that sends a provider's native request through Cloudflare AI Gateway and classifies what
 * comes back. Models use it; it is also the way to any endpoint that has no module here (images, audio, …).
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as AnswerTap from "./internal/answerTap.js"
import * as BindingSender from "./internal/bindingSender.js"
import type { InvalidRequest, LegError } from "./internal/errors.js"
import type { GatewayResponse, ProviderRequest } from "./internal/exchange.js"
import * as GatewayUrl from "./internal/gatewayUrl.js"
import { redactGatewayHeaders } from "./internal/redactedHeaders.js"
import * as Sender from "./internal/sender.js"
import * as BindingTransport from "./internal/transport/binding.js"
import * as Https from "./internal/transport/https.js"
import * as WorkersBinding from "./internal/workersBinding.js"
import * as RequestOptions from "./RequestOptions.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/AiGateway"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

export type { Answer } from "./internal/answerTap.js"
export type { Entry as BindingEntry } from "./internal/entries.js"
export type {
  /**
   * What came back, with a status of success.
   *
   * @since 0.1.0
   * @category models
   */
  GatewayResponse,
  /**
   * A request in a provider's own format.
   *
   * @since 0.1.0
   * @category models
   */
  ProviderRequest
} from "./internal/exchange.js"
export type { TracePropagation } from "./internal/tracePropagation.js"
export type { BindingResponse, BindingSignal } from "./internal/transport/binding.js"

import type { Answer } from "./internal/answerTap.js"
import type { Entry as BindingEntry } from "./internal/entries.js"
import type { TracePropagation } from "./internal/tracePropagation.js"
import type { BindingResponse, BindingSignal } from "./internal/transport/binding.js"
import type { TransportKind } from "./internal/transport/transport.js"

/**
 * The gateway service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly [TypeId]: TypeId
  /** How the gateway is reached. */
  readonly transport: TransportKind
  /** The gateway's own defaults, over which `withOptions` and a call win. */
  readonly defaults: RequestOptions.RequestOptions
  /**
   * Sends one provider-native request. Never retries. Fails with the classified error for every status but a success;
   * the request is checked before it is sent (`InvalidRequest`).
   */
  readonly send: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  /**
   * Sends several requests at once (the gateway's universal endpoint): the gateway tries them in order and answers with
   * the first that works; `gateway.step` tells which. Bodies must be JSON. Not available on a custom domain.
   */
  readonly sendFirst: (
    requests: readonly [ProviderRequest, ...ReadonlyArray<ProviderRequest>]
  ) => Effect.Effect<GatewayResponse, LegError>
  /**
   * Sends one request for another client, which judges the answer itself: every status is an answer here, and fails only
   * what gets none (`InvalidRequest`, `Unsupported`, `TransportFailure`). An error that hides in a success has the status
   * of one. Never retries.
   */
  readonly relay: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  /** `relay` of several requests at once, as `sendFirst` sends them. */
  readonly relayFirst: (
    requests: readonly [ProviderRequest, ...ReadonlyArray<ProviderRequest>]
  ) => Effect.Effect<GatewayResponse, LegError>
}

/**
 * The gateway.
 *
 * @since 0.1.0
 * @category tags
 */
export class AiGateway extends Context.Tag("effect-ai-gateway/AiGateway")<AiGateway, Service>() {}

/**
 * What every gateway can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface CommonOptions {
  /**
   * The gateway token (permission *AI Gateway Run*), sent as `cf-aig-authorization` and nowhere else. Absent: no such
   * header is sent, which only a gateway without authentication accepts.
   */
  readonly token?: Redacted.Redacted | undefined
  /** Further headers for the gateway, such as Cloudflare Access credentials. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Options of every request. */
  readonly defaults?: RequestOptions.RequestOptions | undefined
  /** Who is told of the current span. Default `"gateway"`. */
  readonly tracePropagation?: TracePropagation | undefined
}

/**
 * A gateway of an account.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountOptions extends CommonOptions {
  /** The Cloudflare account id. */
  readonly accountId: string
  /** The gateway id; `default` exists in every account. */
  readonly gatewayId: string
  /** Default `https://gateway.ai.cloudflare.com/v1`. */
  readonly baseUrl?: string | undefined
}

/**
 * A gateway behind a domain of your own, which names account and gateway by itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface CustomDomainOptions extends CommonOptions {
  /** Such as `https://ai.example.com`. */
  readonly customDomain: string
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options = AccountOptions | CustomDomainOptions

/**
 * Makes a gateway service over HTTPS. Fails with `InvalidRequest` that names the setting which is missing or wrong.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Service, InvalidRequest, HttpClient.HttpClient> =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    Either.map(
      Either.all({
        url: GatewayUrl.make(options),
        headers: Sender.gatewayHeaders(options),
        checked: RequestOptions.toHeaders(options.defaults ?? RequestOptions.empty)
      }),
      ({ url, headers }): Service => {
        const sender = Sender.make({
          transport: Https.make(client),
          url,
          headers,
          defaults: options.defaults ?? RequestOptions.empty,
          tracePropagation: options.tracePropagation ?? "gateway"
        })
        return { [TypeId]: TypeId, ...sender }
      }
    )
  )

/**
 * The gateway over HTTPS.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { AiGateway } from "effect-ai-gateway"
 * import { Layer, Redacted } from "effect"
 *
 * const Gateway = AiGateway.layer({
 *   accountId: "0123456789abcdef",
 *   gatewayId: "my-gateway",
 *   token: Redacted.make("…")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<AiGateway, InvalidRequest, HttpClient.HttpClient> =>
  Layer.provideMerge(Layer.effect(AiGateway, make(options)), redactGatewayHeaders(options.headers))

/**
 * The gateway over HTTPS, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { AiGateway } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Gateway = AiGateway.layerConfig({
 *   accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
 *   gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID"),
 *   token: Config.redacted("CLOUDFLARE_API_TOKEN")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: ConfigOptions
): Layer.Layer<AiGateway, ConfigError | InvalidRequest, HttpClient.HttpClient> => {
  const { defaults, headers, tracePropagation, ...settings } = options
  const present: Record<string, Config.Config<string | Redacted.Redacted | undefined>> = {}
  for (const [name, config] of Object.entries(settings)) if (config !== undefined) present[name] = config
  return Layer.unwrapEffect(
    Effect.map(Config.all(present), (values) => {
      // The keys are those of `ConfigOptions`; what `make` gets is checked there by name.
      return layer({ ...values, defaults, headers, tracePropagation } as Options)
    })
  )
}

/**
 * A gateway of a Worker's binding: what `env.AI.gateway("my-gateway")` gives. Only `run` is needed; the types of
 * `@cloudflare/workers-types` fit, and none of them is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Binding {
  run(
    entries: Array<BindingEntry>,
    options?: { readonly signal?: BindingSignal }
  ): PromiseLike<BindingResponse>
  /** `env.AI` itself has one: it is not a gateway. */
  readonly gateway?: undefined
}

/**
 * What a gateway behind a binding can be told. It needs no token: the binding has its account's authority.
 *
 * @since 0.1.0
 * @category models
 */
export type BindingOptions = Pick<CommonOptions, "defaults" | "tracePropagation">

/**
 * Makes a gateway service of a Worker's binding. Fails with `InvalidRequest` that says what is wrong with the binding, or
 * names the option that is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBinding = (
  binding: Binding,
  { defaults = RequestOptions.empty, tracePropagation = "gateway" }: BindingOptions = {}
): Effect.Effect<Service, InvalidRequest> =>
  Either.map(
    Either.all({
      binding: WorkersBinding.checkGateway(binding),
      checked: RequestOptions.toHeaders(defaults)
    }),
    (): Service => ({
      [TypeId]: TypeId,
      ...BindingSender.make({
        transport: BindingTransport.make({
          kind: "binding",
          name: "env.AI.gateway(id).run",
          call: ({ entries }: BindingSender.BindingRequest, signal) => binding.run(entries, { signal })
        }),
        defaults,
        tracePropagation
      })
    })
  )

/**
 * The gateway through a Worker's binding: the same service as over HTTPS, with the same models, options, errors and
 * streams, and no token. Each request travels as one entry of `run`, and options stand in the entry.
 *
 * What an entry cannot carry, a request by another method than POST or with a body that is not JSON, is `Unsupported`, and
 * a list moves on; `Replicate`'s models, which must be asked again, are so too. A stream of this transport cannot be
 * resumed: see `AiBinding` for those that can.
 *
 * Build it once per isolate, not once per request: `env` of `cloudflare:workers` is there at start-up.
 *
 * Source: `protocol/gateway.md` §1.8, §1.9.
 *
 * @example
 * ```ts
 * import { AiGateway } from "effect-ai-gateway"
 * import { env } from "cloudflare:workers"
 *
 * const Gateway = AiGateway.layerBinding(env.AI.gateway("my-gateway"), { defaults: { collectLog: true } })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBinding = (
  binding: Binding,
  options?: BindingOptions
): Layer.Layer<AiGateway, InvalidRequest> => Layer.effect(AiGateway, makeBinding(binding, options))

/**
 * The same settings as `Options`, each as a `Config`; what holds no text stays as it is.
 *
 * @since 0.1.0
 * @category models
 */
export type ConfigOptions = {
  readonly token?: Config.Config<Redacted.Redacted | undefined> | undefined
  readonly headers?: CommonOptions["headers"]
  readonly defaults?: RequestOptions.RequestOptions | undefined
  readonly tracePropagation?: TracePropagation | undefined
} & (
  | {
      readonly accountId: Config.Config<string>
      readonly gatewayId: Config.Config<string>
      readonly baseUrl?: Config.Config<string | undefined> | undefined
    }
  | { readonly customDomain: Config.Config<string> }
)

/**
 * Sends one provider-native request: the way to any endpoint of any provider.
 *
 * @example
 * ```ts
 * import { AiGateway } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const models = AiGateway.send({ provider: "openai", endpoint: "models", method: "GET" }).pipe(
 *   Effect.flatMap((response) => response.json)
 * )
 * ```
 *
 * @since 0.1.0
 * @category sending
 */
export const send = (request: ProviderRequest): Effect.Effect<GatewayResponse, LegError, AiGateway> =>
  Effect.flatMap(AiGateway, (gateway) => gateway.send(request))

/**
 * Sends several requests at once; the gateway answers with the first that works.
 *
 * @since 0.1.0
 * @category sending
 */
export const sendFirst = (
  requests: readonly [ProviderRequest, ...ReadonlyArray<ProviderRequest>]
): Effect.Effect<GatewayResponse, LegError, AiGateway> =>
  Effect.flatMap(AiGateway, (gateway) => gateway.sendFirst(requests))

/**
 * Sends one request for another client, which judges the answer itself: every status is an answer. What
 * `GatewayHttpClient` and `GatewayFetch` are made of.
 *
 * @since 0.1.0
 * @category sending
 */
export const relay = (request: ProviderRequest): Effect.Effect<GatewayResponse, LegError, AiGateway> =>
  Effect.flatMap(AiGateway, (gateway) => gateway.relay(request))

/**
 * The same with several requests at once: `gateway.step` tells whose answer it is.
 *
 * @since 0.1.0
 * @category sending
 */
export const relayFirst = (
  requests: readonly [ProviderRequest, ...ReadonlyArray<ProviderRequest>]
): Effect.Effect<GatewayResponse, LegError, AiGateway> =>
  Effect.flatMap(AiGateway, (gateway) => gateway.relayFirst(requests))

/**
 * Sets gateway options for a region: everything that the given effect or stream sends. A call's own options win over
 * them, and they win over an outer region's and the gateway's defaults, key by key. They are checked when a call is
 * made, which then fails with `InvalidRequest`.
 *
 * A stream that is *returned* out of an effect leaves the region: give the stream itself its options.
 *
 * @example
 * ```ts
 * import { AiGateway, ChatModel } from "effect-ai-gateway"
 *
 * const answer = ChatModel.chat("Name three cheeses.").pipe(
 *   AiGateway.withOptions({ cacheKey: "cheese", cacheTtl: "1 hour", metadata: { team: "search" } })
 * )
 * ```
 *
 * @since 0.1.0
 * @category options
 */
export const withOptions: {
  (options: RequestOptions.RequestOptions): <T extends AnyEffectOrStream>(self: T) => Widened<T>
  <T extends AnyEffectOrStream>(self: T, options: RequestOptions.RequestOptions): Widened<T>
} = dual(2, (self: AnyEffectOrStream, options: RequestOptions.RequestOptions) => {
  const over = <R>(context: Context.Context<R>): Context.Context<R> =>
    Context.add(
      context,
      RequestOptions.CurrentOptions,
      RequestOptions.merge(Context.get(context, RequestOptions.CurrentOptions), options)
    )
  return Effect.isEffect(self) ? Effect.mapInputContext(self, over) : Stream.mapInputContext(self, over)
})

/**
 * Tells of every answer that the gateway gives in a region of a program, a refusal as well: for its log id, cache status
 * and step, whoever sent the request: a model of this library, an `@effect/ai` model behind `GatewayHttpClient`, `send`.
 * An answer is told once its head is there; the call goes on when the tap is done.
 *
 * @example
 * ```ts
 * import { AiGateway, ChatModel } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const answer = ChatModel.chat("Name three cheeses.").pipe(
 *   AiGateway.tapAnswer(({ provider, gateway }) => Effect.logInfo(provider, gateway.logId, gateway.cacheStatus))
 * )
 * ```
 *
 * @since 0.1.0
 * @category options
 */
export const tapAnswer: {
  (tap: (answer: Answer) => Effect.Effect<void>): <T extends AnyEffectOrStream>(self: T) => Widened<T>
  <T extends AnyEffectOrStream>(self: T, tap: (answer: Answer) => Effect.Effect<void>): Widened<T>
} = dual(2, (self: AnyEffectOrStream, tap: AnswerTap.Tap) => {
  const over = <R>(context: Context.Context<R>): Context.Context<R> => AnswerTap.over(context, tap)
  return Effect.isEffect(self) ? Effect.mapInputContext(self, over) : Stream.mapInputContext(self, over)
})

// biome-ignore lint/suspicious/noExplicitAny: any effect or stream may be given, and its types come out as they are.
type AnyEffectOrStream = Effect.Effect<any, any, any> | Stream.Stream<any, any, any>

/**
 * The type of what `withOptions` gives back.
 *
 * @since 0.1.0
 * @category options
 */
export type Widened<T> =
  T extends Effect.Effect<infer A, infer E, infer R>
    ? Effect.Effect<A, E, R>
    : T extends Stream.Stream<infer A, infer E, infer R>
      ? Stream.Stream<A, E, R>
      : never
