/**
 * Perplexity, through its `chat/completions` endpoint. It searches the web, and names its sources.
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
import { perplexity } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Perplexity's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Perplexity extends Context.Tag("effect-ai-gateway/Perplexity")<
  Perplexity,
  Provider.Provider
>() {}

const provider = Module.of(Perplexity, perplexity.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Perplexity, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Perplexity } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Perplexity.layerConfig({ apiKey: Config.redacted("PERPLEXITY_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Perplexity, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Perplexity: a plain value, for use by itself or in a list.
 *
 * `citations` of an answer are in the order by which its text counts them: `[1]` is the first. What stands in `<think>`
 * tags before the text is reasoning. `topK`, `seed`, `stop`,
 * `reasoningEffort` (a matter of the model that one asks), tools, tool calls in a conversation and files are `Unsupported`.
 *
 * Source: `protocol/wire-formats.md` §4.4.
 *
 * @example
 * ```ts
 * import { Perplexity } from "effect-ai-gateway"
 *
 * const model = Perplexity.model("sonar", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Perplexity | AiGateway> = provider.models(
  OpenAiChat.make(perplexity)
)
