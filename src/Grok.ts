/**
 * Grok of xAI, through its `v1/chat/completions` endpoint.
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
import { grok } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * xAI's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Grok extends Context.Tag("effect-ai-gateway/Grok")<Grok, Provider.Provider>() {}

const provider = Module.of(Grok, grok.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Grok, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Grok } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Grok.layerConfig({ apiKey: Config.redacted("XAI_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Grok, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of xAI: a plain value, for use by itself or in a list.
 *
 * `topK` and files are `Unsupported`. `reasoningEffort` goes out for every model; one that does not reason refuses it with a
 * `BadRequest`. `usage.output` counts reasoning, which xAI itself counts beside the completion.
 *
 * Source: `protocol/wire-formats.md` §4.5.
 *
 * @example
 * ```ts
 * import { Grok } from "effect-ai-gateway"
 *
 * const model = Grok.model("grok-4", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Grok | AiGateway> = provider.models(
  OpenAiChat.make(grok)
)
