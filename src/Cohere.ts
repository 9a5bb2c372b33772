/**
 * Cohere, through its `v2/chat` endpoint.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import type * as EmbeddingModel from "./EmbeddingModel.js"
import type { InvalidRequest } from "./internal/errors.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as Module from "./internal/providerModule.js"
import { cohere } from "./internal/providerTable.js"
import * as CohereChat from "./internal/wire/cohereChat.js"
import { wire as cohereEmbeddings } from "./internal/wire/embeddings/cohereEmbeddings.js"
import type * as Provider from "./Provider.js"

/**
 * Cohere's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Cohere extends Context.Tag("effect-ai-gateway/Cohere")<Cohere, Provider.Provider>() {}

const provider = Module.of(Cohere, cohere)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Cohere, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Cohere } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Cohere.layerConfig({ apiKey: Config.redacted("COHERE_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Cohere, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Cohere: a plain value, for use by itself or in a list.
 *
 * Files and `parallelToolCalls: false` are `Unsupported`, and so is a tool chosen by name, for which Cohere has no word.
 * Images are so for models that are known to see nothing, `reasoningEffort` for models of before Command A Reasoning;
 * elsewhere it becomes a budget of tokens. What the model plans before it calls tools comes as reasoning.
 *
 * `output` is Cohere's JSON mode with a schema. It is not taken together with tools: then it becomes one more tool, and the
 * model must call one of them. A tool is held to its Schema strictly where all tools of the request ask for that.
 *
 * Source: `protocol/wire-formats.md` §11. That the gateway has `cohere/v2/chat` is not documented; its clients send it.
 *
 * @example
 * ```ts
 * import { Cohere } from "effect-ai-gateway"
 *
 * const model = Cohere.model("command-a-03-2025", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Cohere | AiGateway> = provider.models(
  CohereChat.wire
)

/**
 * An embedding model of Cohere, through `v2/embed`: at most 96 texts in one request. Cohere wants to know what the vectors are
 * for: without `purpose` they are for documents. `similarity` is `Unsupported`.
 *
 * @example
 * ```ts
 * import { Cohere } from "effect-ai-gateway"
 *
 * const model = Cohere.embeddingModel("embed-v4.0", { purpose: "query" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  name: string,
  options?: EmbeddingModel.ModelOptions
): EmbeddingModel.With<Cohere | AiGateway> =>
  Module.embeddingModel(Cohere, cohere, cohereEmbeddings, name, options)
