/**
 * Parallel, through its `v1beta/chat/completions` endpoint: answers that were researched on the web.
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
import { parallel } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Parallel's credentials: a key that travels as `x-api-key`.
 *
 * @since 0.1.0
 * @category tags
 */
export class Parallel extends Context.Tag("effect-ai-gateway/Parallel")<Parallel, Provider.Provider>() {}

const provider = Module.of(Parallel, parallel.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Parallel, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Parallel } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Parallel.layerConfig({ apiKey: Config.redacted("PARALLEL_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Parallel, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Parallel (`speed`, `lite`, `base`, `core`): a plain value, for use by itself or in a list.
 *
 * It takes messages of text and `output`. Sampling, `reasoningEffort`, tools, images and files are `Unsupported`: Parallel
 * accepts and ignores them. The sources of its research models (`basis`) are in the answer's `raw`.
 *
 * Source: `protocol/gateway.md` §6 for the key. The path, and what is ignored, are from Parallel's own documentation
 * (`docs.parallel.ai`, Chat API); that the gateway passes this path on is not confirmed, only that it passes on others of
 * the same host.
 *
 * @example
 * ```ts
 * import { Parallel } from "effect-ai-gateway"
 *
 * const model = Parallel.model("speed")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Parallel | AiGateway> = provider.models(
  OpenAiChat.make(parallel)
)
