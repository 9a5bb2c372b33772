/**
 * Cerebras, through its `chat/completions` endpoint.
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
import { cerebras } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Cerebras' credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Cerebras extends Context.Tag("effect-ai-gateway/Cerebras")<Cerebras, Provider.Provider>() {}

const provider = Module.of(Cerebras, cerebras.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Cerebras, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Cerebras } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Cerebras.layerConfig({ apiKey: Config.redacted("CEREBRAS_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Cerebras, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Cerebras: a plain value, for use by itself or in a list.
 *
 * `topK` and files are `Unsupported`. Reasoning comes apart from the text. Cerebras ends a stream without a marker: a finish
 * reason completes it. A form of the answer is held to strictly where its JSON Schema allows no other properties.
 *
 * Source: `protocol/wire-formats.md` §4.8. The steps of `reasoningEffort` (`none` to `high`) are from the typings of its SDK.
 *
 * @example
 * ```ts
 * import { Cerebras } from "effect-ai-gateway"
 *
 * const model = Cerebras.model("gpt-oss-120b", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Cerebras | AiGateway> = provider.models(
  OpenAiChat.make(cerebras)
)
