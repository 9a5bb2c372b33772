/**
 * Baseten's Model APIs, through their `v1/chat/completions` endpoint.
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
import { baseten } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Baseten's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Baseten extends Context.Tag("effect-ai-gateway/Baseten")<Baseten, Provider.Provider>() {}

const provider = Module.of(Baseten, baseten.provider)

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key applies.
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
export const layer: (options?: Provider.Options) => Layer.Layer<Baseten, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Baseten } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Baseten.layerConfig({ apiKey: Config.redacted("BASETEN_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Baseten, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Baseten's Model APIs: a plain value, for use by itself or in a list. A deployment of one's own
 * (`baseten/model/{id}`) speaks whatever its owner made it speak: reach it with `AiGateway.send`.
 *
 * `topK` and files are `Unsupported`.
 *
 * Source: `protocol/gateway.md` §6 for the path and the key. Not confirmed: everything else is taken to be as OpenAI has it,
 * except `maxTokens`, which travels as `max_tokens`.
 *
 * @example
 * ```ts
 * import { Baseten } from "effect-ai-gateway"
 *
 * const model = Baseten.model("deepseek-ai/DeepSeek-V4-Pro", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Baseten | AiGateway> = provider.models(
  OpenAiChat.make(baseten)
)
