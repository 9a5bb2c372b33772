/**
 * The account's REST API on `api.cloudflare.com`, the way to a gateway's models that Cloudflare recommends now: one
 * Cloudflare token, no keys of providers, and every model of the catalogue (`anthropic/claude-haiku-4.5`) and of
 * Workers AI (`@cf/meta/…`). Its models are like all others: alone, in a list, and mixed with those behind `AiGateway`.
 * A list that gives this API up, because its token is wrong, still asks the models behind an `AiGateway`, and the other
 * way round.
 *
 * Calls go through the gateway `gatewayId`. The provider's key is the one stored there under the alias `default`;
 * without one, Cloudflare credits are used.
 *
 * Source: `protocol/gateway.md` §0.2, §1.5.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as AccountModel from "./internal/accountModel.js"
import * as AccountOptions from "./internal/accountOptions.js"
import * as AccountSender from "./internal/accountSender.js"
import type { InvalidRequest, LegError } from "./internal/errors.js"
import type { GatewayResponse, ProviderRequest } from "./internal/exchange.js"
import * as GatewayUrl from "./internal/gatewayUrl.js"
import * as Leg from "./internal/leg.js"
import type { Leg as ModelLeg } from "./internal/model.js"
import type { WellFormed } from "./internal/modelSlug.js"
import * as Module from "./internal/providerModule.js"
import { redactGatewayHeaders } from "./internal/redactedHeaders.js"
import * as Https from "./internal/transport/https.js"
import * as Provider from "./Provider.js"
import * as Options from "./RequestOptions.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/AccountApi"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * The gateway options that exist here. `cacheKey`, `cacheTtl`, `byokAlias`, `otelTraceId` and `otelParentSpanId` do
 * not, and are no part of the type. Where they come from elsewhere (`AiGateway.withOptions`, the options of a call), a
 * model behind this API is `Unsupported` before anything is sent, and a list moves on; `unsupported: "drop"` does not
 * change that.
 *
 * Of caching the sources say contradictory things: its headers are documented here, and measurements found no cache. So
 * nothing that relies on a cache is accepted, while `skipCache` is.
 *
 * Source: `protocol/gateway.md` §2.1, §7.8.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestOptions = Omit<Options.RequestOptions, AccountOptions.Absent> & {
  readonly [Name in AccountOptions.Absent]?: undefined
}

/**
 * The service of an account's API.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly [TypeId]: TypeId
  readonly transport: "account"
  /** Options of every request, over which `AiGateway.withOptions` and a call win. */
  readonly defaults: RequestOptions
  /**
   * Sends one request to `…/ai/{endpoint}`. `provider` says whose model it is, for errors and spans. Never retries.
   * Fails with the classified error for every status but a success; the request is checked before it is sent
   * (`InvalidRequest`, `Unsupported`).
   */
  readonly send: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
}

/**
 * The API of an account.
 *
 * @since 0.1.0
 * @category tags
 */
export class AccountApi extends Context.Tag("effect-ai-gateway/AccountApi")<AccountApi, Service>() {}

/**
 * Whose account, and through which of its gateways.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** The Cloudflare account id. */
  readonly accountId: string
  /**
   * A Cloudflare API token with the permission *Account › Workers AI › Read*. It is sent as `authorization` to this
   * host, and nowhere else.
   */
  readonly token: Redacted.Redacted
  /**
   * The gateway that the calls go through. Default `default`, which exists in every account; it is always named,
   * because without a name a call of a `@cf/` model would pass no gateway at all.
   */
  readonly gatewayId?: string | undefined
  /** Default `https://api.cloudflare.com/client/v4`. */
  readonly baseUrl?: string | undefined
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Options of every request. */
  readonly defaults?: RequestOptions | undefined
}

/**
 * Makes the service over HTTPS. Fails with `InvalidRequest` that names the setting which is missing or wrong.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings: Settings): Effect.Effect<Service, InvalidRequest, HttpClient.HttpClient> =>
  Effect.flatMap(HttpClient.HttpClient, (client) => {
    const defaults = settings.defaults ?? {}
    return Either.map(
      Either.all({
        base: GatewayUrl.makeAccount(settings),
        headers: AccountSender.accountHeaders(settings),
        checked: Options.toHeaders(defaults),
        allExist: AccountOptions.allExist(defaults, "The account API")
      }),
      ({ base, headers }): Service => ({
        [TypeId]: TypeId,
        transport: "account",
        defaults,
        send: AccountSender.make({ transport: Https.make(client), base, headers, defaults })
      })
    )
  })

/**
 * The API of an account over HTTPS.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { AccountApi } from "effect-ai-gateway"
 * import { Layer, Redacted } from "effect"
 *
 * const Account = AccountApi.layer({
 *   accountId: "0123456789abcdef",
 *   token: Redacted.make("…")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (settings: Settings): Layer.Layer<AccountApi, InvalidRequest, HttpClient.HttpClient> =>
  Layer.provideMerge(Layer.effect(AccountApi, make(settings)), redactGatewayHeaders(settings.headers))

/**
 * The API of an account over HTTPS, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { AccountApi } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Account = AccountApi.layerConfig({
 *   accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
 *   token: Config.redacted("CLOUDFLARE_API_TOKEN")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = ({
  defaults,
  headers,
  ...configs
}: {
  readonly accountId: Config.Config<string>
  readonly token: Config.Config<Redacted.Redacted>
  readonly gatewayId?: Config.Config<string | undefined> | undefined
  readonly baseUrl?: Config.Config<string | undefined> | undefined
  readonly headers?: Settings["headers"]
  readonly defaults?: RequestOptions | undefined
}): Layer.Layer<AccountApi, ConfigError | InvalidRequest, HttpClient.HttpClient> =>
  Module.layerConfig(configs, (settings) => layer({ ...settings, headers, defaults }))

/**
 * Sends one request to `…/ai/{endpoint}`: the way to endpoints that have no module here.
 *
 * @example
 * ```ts
 * import { AccountApi } from "effect-ai-gateway"
 *
 * const picture = AccountApi.send({
 *   provider: "workers-ai",
 *   endpoint: "run/@cf/black-forest-labs/flux-1-schnell",
 *   body: { prompt: "A cheese." }
 * })
 * ```
 *
 * @since 0.1.0
 * @category sending
 */
export const send = (request: ProviderRequest): Effect.Effect<GatewayResponse, LegError, AccountApi> =>
  Effect.flatMap(AccountApi, (account) => account.send(request))

/**
 * The endpoint that a model is asked at, and so its format: `v1/chat/completions`, `v1/responses`, `v1/messages`
 * (Anthropic's) or `run` (the vendor's native request: Anthropic's, Workers AI's, OpenAI's `chat/completions` for
 * others).
 *
 * @since 0.1.0
 * @category models
 */
export type Api = AccountModel.Api

export type {
  /**
   * A model with its author. A literal text that has no author, or an empty part, is not of this type.
   *
   * @since 0.1.0
   * @category models
   */
  WellFormed
} from "./internal/modelSlug.js"

/**
 * The endpoints that a model has: one of Workers AI has no `messages`.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiOf<Name extends string> = Name extends `@${string}` ? Exclude<Api, "messages"> : Api

/**
 * What a model can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelOptions<Name extends string = string> extends Omit<Leg.ModelOptions, "options"> {
  /** The endpoint. Default `messages` for `anthropic/…`, `chat` for all others. */
  readonly api?: ApiOf<Name> | undefined
  /** Gateway options. */
  readonly options?: RequestOptions | undefined
}

/**
 * A model of the account's catalogue, `author/model`, or of Workers AI, `@cf/…`: a plain value, for use by itself or in
 * a list. Its provider, in answers, errors and `providerOptions`, is the gateway slug of who answers: `grok` for
 * `xai/…`, `google-ai-studio` for `google/…`, `workers-ai` for `@cf/…`.
 *
 * A literal without an author, or with an empty part, does not compile; of a text that is only known at run time, a
 * malformed name, or an endpoint that its model does not have, is `InvalidRequest` when the model is asked.
 *
 * The catalogue writes versions with dots. Whether a model of Workers AI takes `responses` depends on the model; it
 * takes no `messages`. At `run` of a catalogue model the fields of `providerOptions` stand beside `model` and `input`:
 * `{ openai: { input: { logit_bias: { … } } } }`.
 *
 * Not confirmed by any recording: the answers of third-party models, whether `run` wraps them (both forms are read),
 * and `max_completion_tokens` as the name of the limit for `openai/…` and `xai/…` alone.
 *
 * @example
 * ```ts
 * import { AccountApi, ChatModel } from "effect-ai-gateway"
 *
 * const model = ChatModel.firstSuccessOf([
 *   AccountApi.model("anthropic/claude-haiku-4.5"),
 *   AccountApi.model("openai/gpt-5-mini", { api: "responses", reasoningEffort: "low" }),
 *   AccountApi.model("@cf/meta/llama-3.1-8b-instruct", { maxTokens: 1024 })
 * ])
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = <const Name extends string>(
  name: Name & WellFormed<Name>,
  { api, ...options }: ModelOptions<Name> = {}
): ModelLeg<AccountApi> => {
  const known = AccountModel.make(name, api)
  // A model is a value: what is wrong with it is told when it is asked.
  const { slug, wire, limits } = Either.getOrElse(known, () => AccountModel.unknown(name))
  const leg = Leg.make({
    provider: Effect.succeed(Provider.make({ slug, authHeader: "authorization", authPrefix: "Bearer " })),
    gateway: AccountApi,
    slug,
    model: name,
    wire,
    options,
    limits
  })
  return Either.isLeft(known) ? Module.invalidModel(leg, known.left) : leg
}
