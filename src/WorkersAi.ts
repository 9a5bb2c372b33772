/**
 * Cloudflare's own Workers AI, through its native endpoint.
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
import { workersAi } from "./internal/providerTable.js"
import { wire as workersAiEmbeddings } from "./internal/wire/embeddings/workersAiEmbeddings.js"
import { wire } from "./internal/wire/workersAi.js"
import type * as Provider from "./Provider.js"

/**
 * Workers AI's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class WorkersAi extends Context.Tag("effect-ai-gateway/WorkersAi")<WorkersAi, Provider.Provider>() {}

/**
 * Makes the service. `apiKey` is a Cloudflare token with the permission *Workers AI*, which goes out besides the gateway's own token.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Provider.Options = {}): Provider.Provider => Module.make(workersAi, options)

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Provider.Options = {}): Layer.Layer<WorkersAi, InvalidRequest> =>
  Module.layer(WorkersAi, make(options))

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { WorkersAi } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = WorkersAi.layerConfig({ apiKey: Config.redacted("CLOUDFLARE_API_TOKEN") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}): Layer.Layer<WorkersAi, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

/**
 * A model of Workers AI: a plain value, for use by itself or in a list.
 *
 * Its default limit for an answer is small (256 tokens for most models): set `maxTokens`. `stop`, `reasoningEffort`, files and
 * `parallelToolCalls: false` are `Unsupported`, and so are images, but for models whose names say that they see, which take
 * them as bytes (by URL is not confirmed). A form of the answer (`output`) is JSON mode; in a stream, which that excludes, it
 * is a tool that the model must call, and then `tools` are `Unsupported`. A choice of `required` is advice to these models.
 *
 * Source: `protocol/wire-formats.md` §9.
 *
 * @example
 * ```ts
 * import { WorkersAi } from "effect-ai-gateway"
 *
 * const model = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, options?: ModelOptions): Leg<WorkersAi | AiGateway> =>
  Module.model(WorkersAi, workersAi, wire, name, options)

/**
 * An embedding model of Workers AI: at most 100 texts in one request. `dimensions` and `purpose` are `Unsupported`, and no usage
 * is reported.
 *
 * @example
 * ```ts
 * import { WorkersAi } from "effect-ai-gateway"
 *
 * const model = WorkersAi.embeddingModel("@cf/baai/bge-m3")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  name: string,
  options?: EmbeddingModel.ModelOptions
): EmbeddingModel.With<WorkersAi | AiGateway> =>
  Module.embeddingModel(WorkersAi, workersAi, workersAiEmbeddings, name, options)
