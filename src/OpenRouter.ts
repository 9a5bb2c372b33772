/**
 * OpenRouter, through its `v1/chat/completions` endpoint: many vendors' models behind one key.
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
import { openRouter } from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * OpenRouter's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class OpenRouter extends Context.Tag("effect-ai-gateway/OpenRouter")<
  OpenRouter,
  Provider.Provider
>() {}

const provider = Module.of(OpenRouter, openRouter.provider)

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
export const layer: (options?: Provider.Options) => Layer.Layer<OpenRouter, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { OpenRouter } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = OpenRouter.layerConfig({ apiKey: Config.redacted("OPENROUTER_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<OpenRouter, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * A model of OpenRouter, by the name that it has there: a plain value, for use by itself or in a list.
 *
 * Whether a model behind it takes a field is OpenRouter's to say: everything is sent. Reasoning comes apart from the text,
 * with the records (`reasoning_details`) that the vendor behind it signed or encrypted; they go back unchanged with the
 * answer's `message`, and to no other provider. An error in the middle of a stream fails it, with the words of the vendor
 * behind OpenRouter where it passes them on.
 *
 * Source: `protocol/wire-formats.md` §4.7. That `topK` and files by URL are taken is from the typings of its SDK.
 *
 * @example
 * ```ts
 * import { OpenRouter } from "effect-ai-gateway"
 *
 * const model = OpenRouter.model("anthropic/claude-haiku-4.5", { reasoningEffort: "low" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model: (name: string, options?: ModelOptions) => Leg<OpenRouter | AiGateway> = provider.models(
  OpenAiChat.make(openRouter)
)
