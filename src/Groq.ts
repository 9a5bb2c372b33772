/**
 * Groq, through its `chat/completions` endpoint.
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
import { groq } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Groq's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Groq extends Context.Tag("effect-ai-gateway/Groq")<Groq, Provider.Provider>() {}

const provider = Module.of(Groq, groq.provider)

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key or unified billing applies.
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
export const layer: (options?: Provider.Options) => Layer.Layer<Groq, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Groq } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Groq.layerConfig({ apiKey: Config.redacted("GROQ_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Groq, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Groq: a plain value, for use by itself or in a list.
 *
 * `topK` and files are `Unsupported`. `reasoningEffort` becomes a step that the model has: Qwen 3 is only switched on and off
 * (from the typings of Groq's SDK). An error that Groq sends inside a stream, as an event or as `x_groq.error`, fails the stream.
 *
 * Source: `protocol/wire-formats.md` §4.2.
 *
 * @example
 * ```ts
 * import { Groq } from "effect-ai-gateway"
 *
 * const model = Groq.model("llama-3.3-70b-versatile", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Groq | AiGateway> = provider.models(
  OpenAiChat.make(groq)
)
