/**
 * The gateway's own OpenAI-shaped endpoint, `compat/chat/completions`: one format for the models of many vendors, and the
 * way to dynamic routes and to the auto router, which choose the model in the gateway.
 *
 * Cloudflare calls it deprecated for single models (its replacement is the account's REST API), and required for dynamic
 * routes. Source: `protocol/gateway.md` §1.2, §1.4, §2.4.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { AiGateway } from "./AiGateway.js"
import { findSlug } from "./internal/directory.js"
import { InvalidRequest } from "./internal/errors.js"
import * as LegModule from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import { type BehindGateway, parseModelSlug, toCompatModel, type WellFormed } from "./internal/modelSlug.js"
import { limitsOf } from "./internal/modelTable.js"
import * as Module from "./internal/providerModule.js"
import { row } from "./internal/providerTable.js"
import * as Wire from "./internal/wire/compat.js"
import type { Wire as WireFormat } from "./internal/wire/wire.js"
import type * as Provider from "./Provider.js"

export type { BehindGateway, WellFormed } from "./internal/modelSlug.js"

/**
 * The credential of whichever vendor is behind the endpoint.
 *
 * @since 0.1.0
 * @category tags
 */
export class Compat extends Context.Tag("effect-ai-gateway/Compat")<Compat, Provider.Provider>() {}

const provider = Module.of(Compat, row("compat"))

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored keys or unified billing apply, vendor
 * by vendor: dynamic routes and the auto router need that.
 *
 * An `apiKey` goes to the vendor that a model names, whichever that is, as `authorization: Bearer`: where models of several
 * vendors are in use, give each its own service with `ChatModel.provideService`, or store the keys in the gateway. Whether
 * every vendor's key is taken in that header is not confirmed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Provider.Options) => Provider.Provider = provider.make

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (options?: Provider.Options) => Layer.Layer<Compat, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Compat } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Compat.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Compat, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of any vendor, as `vendor/model`: a plain value, for use by itself or in a list. A literal without a vendor, or
 * with an empty part, or of a vendor that only the run path has, does not compile; a text that is only known at run time
 * fails each call with `InvalidRequest`, which names the vendors that are near to an unknown one; see `modelFrom`. A vendor may be called by any of its names (`xai/…`, `google/…`,
 * `perplexity-ai/…`) and is written as this endpoint has it. A custom provider is `custom-{slug}/…`; `dynamic/{route}` and
 * `cloudflare/auto` are passed through as they are.
 *
 * The output limit is written as the vendor behind takes it: `max_completion_tokens` for OpenAI and Azure, `max_tokens` for
 * all others. What OpenAI's reasoning models refuse is `Unsupported` here too; `topK` is for all, and files for all but
 * OpenAI and Azure. What this library knows of a vendor's own reasoning does not pass this endpoint: for the whole of what
 * a vendor can do use its own module. Vendor fields go into `providerOptions: { compat: { … } }`.
 *
 * Source: `protocol/gateway.md` §1.2, §6; `protocol/wire-formats.md` §5.2. No answer of this endpoint has been published.
 *
 * @example
 * ```ts
 * import { Compat } from "effect-ai-gateway"
 *
 * const model = Compat.model("openai/gpt-5-mini", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = <const Slug extends string>(
  slug: Slug & WellFormed<Slug> & BehindGateway<Slug>,
  options: ModelOptions = {}
): Leg<Compat | AiGateway> => named(slug, options)

/**
 * The same for a name that is only known at run time, as one of a configuration: what is wrong with it fails here, so that
 * a layer of it fails when it is built.
 *
 * @example
 * ```ts
 * import { ChatModel, Compat } from "effect-ai-gateway"
 * import { Config, Effect, Layer } from "effect"
 *
 * const Model = Layer.unwrapEffect(
 *   Config.string("MODEL").pipe(
 *     Effect.flatMap((name) => Compat.modelFrom(name)),
 *     Effect.map(ChatModel.layer)
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const modelFrom = (
  slug: string,
  options: ModelOptions = {}
): Effect.Effect<Leg<Compat | AiGateway>, InvalidRequest> =>
  Either.map(toCompatModel(slug), () => named(slug, options))

const named = (slug: string, options: ModelOptions): Leg<Compat | AiGateway> => {
  const name = toCompatModel(slug)
  return name._tag === "Right"
    ? legOf(name.right, Wire.wire, options)
    : Module.invalidModel(legOf(slug, Wire.wire, options), name.left)
}

/**
 * What a model of this endpoint can be told.
 *
 * @since 0.1.0
 * @category models
 */
export type ModelOptions = LegModule.ModelOptions

/**
 * What a model can be told that the gateway chooses.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChosenOptions extends ModelOptions {
  /**
   * How `maxTokens` is written, since nobody knows whose model it will be: OpenAI's reasoning models take
   * `max_completion_tokens` only, some vendors `max_tokens` only. Default `"max_tokens"`.
   */
  readonly maxTokensAs?: "max_tokens" | "max_completion_tokens" | undefined
}

/**
 * A dynamic route: the gateway's settings say which models are asked, and in which order. The gateway must have
 * authentication, and stored keys. `route` is its name, without `dynamic/`.
 *
 * An answer's `provider` and `model` are those that the route chose, where the gateway tells them; `gateway.provider` and
 * `gateway.model` have them as they came. A failed route has code 2005, whether it has no working model or does not exist:
 * the gateway does not tell the two apart, so that it is a `ProviderFailure` and retried.
 *
 * Source: `protocol/gateway.md` §1.4, §3.1, §4.2.
 *
 * @example
 * ```ts
 * import { Compat } from "effect-ai-gateway"
 *
 * const model = Compat.dynamic("support")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const dynamic = <const Route extends string>(
  route: Route & RouteName<Route>,
  { maxTokensAs = "max_tokens", ...options }: ChosenOptions = {}
): Leg<Compat | AiGateway> => {
  const leg = legOf(`dynamic/${route}`, Wire.chosenByGateway(maxTokensAs, {}), options)
  if (route.startsWith("dynamic/"))
    return Module.invalidModel(leg, wrong("route", "The name of a route is given without dynamic/."))
  const parsed = parseModelSlug(`dynamic/${route}`)
  return parsed._tag === "Right"
    ? leg
    : Module.invalidModel(leg, wrong("route", "The name of a route must have no empty part."))
}

/**
 * The name of a dynamic route. An empty literal, and one that begins with `dynamic/`, is not of this type.
 *
 * @since 0.1.0
 * @category models
 */
export type RouteName<Route extends string> = Route extends "" | `dynamic/${string}` ? never : Route

/**
 * What the auto router can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface AutoOptions extends ChosenOptions {
  /** Calls of one session stay with one model, as far as that is sensible (`cf-aig-session-id`). */
  readonly sessionId?: string | undefined
  /** Calls of one turn, such as those between a question and the last tool result, stay with one model (`cf-aig-turn-id`). */
  readonly turnId?: string | undefined
  /** Choose anew for each call (`cf-aig-no-session-affinity: true`). `false` sends nothing. */
  readonly noSessionAffinity?: boolean | undefined
  /**
   * The models to choose from, as `author/model`; `*` stands for anything but a slash (`cf-aig-allowed-models`). The gateway
   * refuses an entry that fits no model.
   */
  readonly allowedModels?: ReadonlyArray<string> | undefined
  /** The providers to choose from (`cf-aig-allowed-providers`). */
  readonly allowedProviders?: ReadonlyArray<string> | undefined
}

/**
 * The auto router, `cloudflare/auto`: the gateway chooses a model for each request. An answer's `provider` and `model` are
 * the ones that it chose; `gateway.routedModel`, `routingReason` and `routingDecisionId` tell more. In beta at Cloudflare.
 *
 * A session or turn id belongs to a conversation: make a model for each, which costs nothing.
 *
 * Source: `protocol/gateway.md` §1.4, §2.4, §3.2. That the entries of `allowedProviders` are joined by commas, as those of
 * `allowedModels` are, is not confirmed.
 *
 * @example
 * ```ts
 * import { Compat } from "effect-ai-gateway"
 *
 * const model = Compat.auto({ sessionId: "conversation-17", allowedModels: ["openai/*", "anthropic/claude-haiku-*"] })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const auto = ({
  sessionId,
  turnId,
  noSessionAffinity,
  allowedModels,
  allowedProviders,
  maxTokensAs = "max_tokens",
  ...options
}: AutoOptions = {}): Leg<Compat | AiGateway> => {
  const headers = {
    ...one("sessionId", "cf-aig-session-id", sessionId),
    ...one("turnId", "cf-aig-turn-id", turnId),
    ...(noSessionAffinity === true ? { "cf-aig-no-session-affinity": "true" } : {}),
    ...list("allowedModels", "cf-aig-allowed-models", allowedModels),
    ...list("allowedProviders", "cf-aig-allowed-providers", allowedProviders)
  }
  const texts: Record<string, string> = {}
  let invalid: InvalidRequest | undefined
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") texts[name] = value
    else invalid ??= value
  }
  const leg = legOf("cloudflare/auto", Wire.chosenByGateway(maxTokensAs, texts), options)
  return invalid === undefined ? leg : Module.invalidModel(leg, invalid)
}

const legOf = (name: string, wire: WireFormat, options: ModelOptions): Leg<Compat | AiGateway> =>
  LegModule.make({
    provider: Compat,
    gateway: AiGateway,
    slug: "compat",
    model: name,
    wire,
    options,
    limits: Either.match(parseModelSlug(name), {
      onLeft: () => undefined,
      onRight: ({ provider, model }) => limitsOf(provider, model)
    }),
    answeredBy: ({ gateway }) => {
      const routed = gateway.routedModel
      if (routed === undefined) return { provider: gateway.provider, model: gateway.model }
      const slash = routed.indexOf("/")
      const author = routed.slice(0, slash)
      return slash < 0
        ? { provider: gateway.provider, model: routed }
        : { provider: findSlug(author) ?? author, model: routed.slice(slash + 1) }
    }
  })

type HeaderOrWrong = Readonly<Record<string, string | InvalidRequest>>

const one = (field: string, header: string, value: string | undefined): HeaderOrWrong =>
  value === undefined
    ? {}
    : { [header]: isText(value) ? value : wrong(field, `${field} must be printable ASCII characters.`) }

const list = (field: string, header: string, values: ReadonlyArray<string> | undefined): HeaderOrWrong => {
  if (values === undefined) return {}
  if (values.length === 0) return { [header]: wrong(field, `${field} is empty: nothing could be chosen.`) }
  const at = values.findIndex((value) => !isText(value) || value.includes(","))
  return {
    [header]:
      at < 0
        ? values.join(",")
        : wrong(`${field}[${at}]`, `${field}[${at}] must be printable ASCII characters without a comma.`)
  }
}

const isText = (value: unknown): boolean =>
  typeof value === "string" && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)

const wrong = (field: string, message: string): InvalidRequest =>
  new InvalidRequest({ field, provider: "compat", message })
