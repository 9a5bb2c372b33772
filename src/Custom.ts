/**
 * A provider of one's own: one that the gateway's account knows as a *custom provider* (a slug and a base URL in Cloudflare's
 * settings). It is OpenAI-shaped unless it is told otherwise.
 *
 * This is also the way to vendors that the gateway has no slug for: Neon, and Hugging Face's router
 * (`router.huggingface.co`), which the gateway's own `huggingface` does not reach.
 *
 * Source: `protocol/gateway.md` §1.11, §6.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import type * as ChatRequest from "./ChatRequest.js"
import { isCustom } from "./internal/directory.js"
import { InvalidRequest } from "./internal/errors.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as Module from "./internal/providerModule.js"
import * as OpenAiChat from "./internal/wire/openAiChat.js"
import type { Wire } from "./internal/wire/wire.js"
import type * as Provider from "./Provider.js"

/**
 * What tells the services of two custom providers apart in a type.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service<Slug extends string> {
  readonly "~effect-ai-gateway/Custom": Slug
}

/**
 * How a custom provider is spoken to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Definition {
  /**
   * The path behind `custom-{slug}/`, without a leading slash. The gateway puts it behind the provider's base URL, which
   * normally is a host only. Default `"v1/chat/completions"`.
   */
  readonly endpoint?: string | undefined
  /** The header that carries the key. Default `"authorization"`. */
  readonly authHeader?: string | undefined
  /** What stands before the key in it. Default `"Bearer "` for `authorization`, else nothing. */
  readonly authPrefix?: string | undefined
  /** How `maxTokens` is written. Default `"max_tokens"`. */
  readonly maxTokensAs?: "max_tokens" | "max_completion_tokens" | undefined
  /** Are tokens counted in a stream only if one asks (`stream_options`)? Default `true`. */
  readonly askForUsage?: boolean | undefined
  /** Fields that it cannot take: they become `Unsupported`. Default none, but `topK` and files, which OpenAI does not have. */
  readonly refuses?: ReadonlyArray<RefusedField> | undefined
  /** Does it take `topK`, as `top_k`? Default `false`. */
  readonly topK?: boolean | undefined
  /** Does an answer begin with its reasoning in `<think>` tags? Default `false`. */
  readonly thinkTags?: boolean | undefined
  /**
   * The format of another provider, for one that is not OpenAI-shaped: the `wire` of any model, such as
   * `Anthropic.model("…").wire`. The settings above that are about OpenAI's format then have no say, and the path is that
   * format's own.
   */
  readonly wire?: Leg<never>["wire"] | undefined
}

/**
 * A field that a provider may refuse.
 *
 * @since 0.1.0
 * @category models
 */
export type RefusedField =
  | keyof ChatRequest.Sampling
  | "tools"
  | "toolChoice"
  | "parallelToolCalls"
  | "output"

/**
 * A custom provider: what every provider's module has.
 *
 * @since 0.1.0
 * @category models
 */
export interface Custom<Slug extends string> {
  /** The gateway slug, `custom-` included. */
  readonly slug: `custom-${Slug}`
  /** The provider's credentials. */
  readonly Tag: Context.Tag<Service<Slug>, Provider.Provider>
  /** Makes the service. Without `apiKey` no credential is sent. */
  readonly make: (options?: Provider.Options) => Provider.Provider
  /** The service as a layer. Fails with `InvalidRequest` if the slug or the key cannot be one. */
  readonly layer: (options?: Provider.Options) => Layer.Layer<Service<Slug>, InvalidRequest>
  /** The service as a layer, configured by `Config`. */
  readonly layerConfig: (configs: {
    readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
  }) => Layer.Layer<Service<Slug>, ConfigError | InvalidRequest>
  /** A model: a plain value, for use by itself or in a list. */
  readonly model: (name: string, options?: ModelOptions) => Leg<Service<Slug> | AiGateway>
}

/**
 * A slug as it was given in Cloudflare's settings: lower case, digits and `-`. A literal that cannot be one is not of this
 * type; what else may be wrong with it is an `InvalidRequest` of the layer and of each call.
 *
 * @since 0.1.0
 * @category models
 */
export type SlugOf<Slug extends string> = string extends Slug
  ? Slug
  : Slug extends Lowercase<Slug>
    ? Slug extends "" | `-${string}` | `${string}${" " | "/" | "_" | "." | ":"}${string}`
      ? never
      : Slug
    : never

/**
 * Defines a custom provider. `slug` is the one from Cloudflare's settings, **without** `custom-`, which is added exactly once:
 * a slug that begins with `custom-` itself gets another one, as the gateway wants it.
 *
 * Each slug has a service type of its own, so that the key of one custom provider never serves another. Vendor fields go into
 * `providerOptions: { "custom-{slug}": { … } }`.
 *
 * Source: `protocol/gateway.md` §1.11. The letters that a slug may have are not documented.
 *
 * @example
 * ```ts
 * import { Custom } from "effect-ai-gateway"
 * import { Redacted } from "effect"
 *
 * // In Cloudflare's settings: slug `hf-router`, base URL https://router.huggingface.co
 * const HuggingFaceRouter = Custom.define("hf-router")
 *
 * const Provider = HuggingFaceRouter.layer({ apiKey: Redacted.make("hf_…") })
 * const model = HuggingFaceRouter.model("openai/gpt-oss-120b:cerebras", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const define = <const Slug extends string>(
  slug: Slug & SlugOf<Slug>,
  definition: Definition = {}
): Custom<Slug> => {
  const { authHeader = "authorization", wire = openAiShaped(definition) } = definition
  const { authPrefix = authHeader.toLowerCase() === "authorization" ? "Bearer " : "" } = definition
  const full = `custom-${slug}` as const
  // The key of the Tag tells its providers apart at run time, as `Service<Slug>` does in types.
  const Tag = Context.GenericTag<Service<Slug>, Provider.Provider>(`effect-ai-gateway/Custom/${full}`)
  const row = { slug: full, authHeader, authPrefix }
  const invalid = wrongSlug(full, slug)
  const make = (options: Provider.Options = {}) => Module.make(row, options)
  const layer = (options: Provider.Options = {}) =>
    invalid === undefined ? Module.layer(Tag, make(options)) : Layer.fail(invalid)
  return {
    slug: full,
    Tag,
    make,
    layer,
    layerConfig: (configs) => Module.layerConfig(configs, layer),
    model: (name, options) => {
      const leg = Module.model(Tag, row, wire, name, options)
      return invalid === undefined ? leg : Module.invalidModel(leg, invalid)
    }
  }
}

const openAiShaped = ({
  endpoint = "v1/chat/completions",
  maxTokensAs = "max_tokens",
  askForUsage = true,
  refuses = [],
  topK = false,
  thinkTags = false
}: Definition): Wire =>
  OpenAiChat.make({
    endpoint,
    maxTokens: maxTokensAs,
    askForUsage,
    refuses: () => refuses,
    thinkTags,
    ...(topK ? { topK: "top_k" } : {})
  })

const wrongSlug = (full: string, slug: string): InvalidRequest | undefined =>
  isCustom(full)
    ? undefined
    : new InvalidRequest({
        field: "slug",
        message: `${JSON.stringify(slug)} cannot be the slug of a custom provider: it has lower-case letters, digits and -.`
      })
