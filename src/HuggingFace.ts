/**
 * Hugging Face's own inference, through the OpenAI-shaped endpoint of each model.
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
import { huggingFace } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Hugging Face's credentials: an access token.
 *
 * @since 0.1.0
 * @category tags
 */
export class HuggingFace extends Context.Tag("effect-ai-gateway/HuggingFace")<
  HuggingFace,
  Provider.Provider
>() {}

const provider = Module.of(HuggingFace, huggingFace.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<HuggingFace, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { HuggingFace } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = HuggingFace.layerConfig({ apiKey: Config.redacted("HF_TOKEN") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<HuggingFace, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model that Hugging Face serves itself, as `org/model`: a plain value, for use by itself or in a list.
 *
 * **Not confirmed.** The gateway knows Hugging Face by its old inference host, and documents `{org}/{model}` there, for text
 * generation. The request goes to `{org}/{model}/v1/chat/completions`, where that host has OpenAI's format, as Hugging
 * Face's own client and others call it; no recording of it behind the gateway was found. Hugging Face's router
 * (`router.huggingface.co`), with the models of other vendors, is no provider of the gateway: it needs a custom provider.
 *
 * `topK` and files are `Unsupported`.
 *
 * Source: `protocol/gateway.md` §6, `protocol/wire-formats.md` §1.3.
 *
 * @example
 * ```ts
 * import { HuggingFace } from "effect-ai-gateway"
 *
 * const model = HuggingFace.model("meta-llama/Llama-3.1-8B-Instruct", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<HuggingFace | AiGateway> = provider.models(
  OpenAiChat.make(huggingFace)
)
