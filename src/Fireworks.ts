/**
 * Fireworks AI, through its `chat/completions` endpoint.
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
import { fireworks } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Fireworks' credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Fireworks extends Context.Tag("effect-ai-gateway/Fireworks")<Fireworks, Provider.Provider>() {}

const provider = Module.of(Fireworks, fireworks.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<Fireworks, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Fireworks } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Fireworks.layerConfig({ apiKey: Config.redacted("FIREWORKS_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<Fireworks, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of Fireworks, by its full name: a plain value, for use by itself or in a list.
 *
 * `topK` and files are `Unsupported`. Reasoning comes apart from the text.
 *
 * Source: `protocol/wire-formats.md` §4.9, `protocol/gateway.md` §6. Not confirmed: the gateway's documentation has no page on
 * Fireworks (its own client sends this path), and no recording of a Fireworks stream was found. The steps of
 * `reasoningEffort` (`none` to `high`) are from its documentation.
 *
 * @example
 * ```ts
 * import { Fireworks } from "effect-ai-gateway"
 *
 * const model = Fireworks.model("accounts/fireworks/models/deepseek-v3p1", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<Fireworks | AiGateway> = provider.models(
  OpenAiChat.make(fireworks)
)
