/**
 * Mistral, through its `v1/chat/completions` endpoint.
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
import * as OpenAiEmbeddings from "./internal/wire/embeddings/openAiEmbeddings.js"
import * as OpenAiChat from "./internal/wire/openAiChat.js"
import { mistral } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Mistral's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Mistral extends Context.Tag("effect-ai-gateway/Mistral")<Mistral, Provider.Provider>() {}

const provider = Module.of(Mistral, mistral.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Mistral, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Mistral } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Mistral.layerConfig({ apiKey: Config.redacted("MISTRAL_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Mistral, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Mistral: a plain value, for use by itself or in a list.
 *
 * `topK` is `Unsupported`; `seed` travels as `random_seed`. Reasoning comes apart from the text. Ids of tool calls that
 * another provider made are changed on the way out to the form that Mistral takes (nine letters or digits), alike in
 * calls and results. Files go out as documents, by URL or with their bytes. `toolChoice: "required"` is Mistral's `any`.
 *
 * Source: `protocol/wire-formats.md` §4.6.
 *
 * @example
 * ```ts
 * import { Mistral } from "effect-ai-gateway"
 *
 * const model = Mistral.model("mistral-small-latest", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Mistral | AiGateway> = provider.models(
  OpenAiChat.make(mistral)
)

/**
 * An embedding model of Mistral, through `v1/embeddings`: 128 texts in one request, unless `maxBatch` says otherwise (Mistral
 * limits tokens, not texts). `purpose` is `Unsupported`.
 *
 * @example
 * ```ts
 * import { Mistral } from "effect-ai-gateway"
 *
 * const model = Mistral.embeddingModel("mistral-embed")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  name: string,
  options?: EmbeddingModel.ModelOptions
): EmbeddingModel.With<Mistral | AiGateway> =>
  Module.embeddingModel(
    Mistral,
    mistral.provider,
    OpenAiEmbeddings.make(OpenAiEmbeddings.mistral),
    name,
    options
  )
