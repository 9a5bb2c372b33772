/**
 * DeepSeek, through its `chat/completions` endpoint.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import type { InvalidRequest } from "./internal/errors.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as Module from "./internal/providerModule.js"
import * as OpenAiChat from "./internal/wire/openAiChat.js"
import { deepSeek } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * DeepSeek's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class DeepSeek extends Context.Tag("effect-ai-gateway/DeepSeek")<DeepSeek, Provider.Provider>() {}

const provider = Module.of(DeepSeek, deepSeek.provider)

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key applies, or unified billing
 * where it has the model.
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
export const layer: (options?: Provider.Options) => Layer.Layer<DeepSeek, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { DeepSeek } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = DeepSeek.layerConfig({ apiKey: Config.redacted("DEEPSEEK_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<DeepSeek, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of DeepSeek: a plain value, for use by itself or in a list.
 *
 * `topK`, `seed` and files are `Unsupported`, and so are images for `deepseek-chat` and `deepseek-reasoner`, which read text
 * alone (not confirmed by the protocol's sources). `reasoningEffort` switches thinking on or off, and chooses `low`, `high` or `max`
 * (from DeepSeek's documentation; confirmed is only that there are these two fields). DeepSeek takes no schema: for `output`
 * it is asked for JSON, and told the schema in a system message. The reasoning of the current turn goes back with it, as a model that thinks demands
 * while it calls tools; the reasoning of earlier turns goes back only to `deepseek-v4` models.
 *
 * Source: `protocol/wire-formats.md` §4.3.
 *
 * @example
 * ```ts
 * import { DeepSeek } from "effect-ai-gateway"
 *
 * const model = DeepSeek.model("deepseek-chat", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<DeepSeek | AiGateway> = provider.models(
  OpenAiChat.make(deepSeek)
)
