/**
 * Anthropic, through its `messages` endpoint (`anthropic-version: 2023-06-01`).
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
import { anthropic } from "./internal/providerTable.js"
import { wire } from "./internal/wire/anthropicMessages.js"
import type * as Provider from "./Provider.js"

/**
 * Anthropic's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Anthropic extends Context.Tag("effect-ai-gateway/Anthropic")<Anthropic, Provider.Provider>() {}

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key or unified billing applies.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Provider.Options = {}): Provider.Provider => Module.make(anthropic, options)

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Provider.Options = {}): Layer.Layer<Anthropic, InvalidRequest> =>
  Module.layer(Anthropic, make(options))

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Anthropic } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Anthropic.layerConfig({ apiKey: Config.redacted("ANTHROPIC_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}): Layer.Layer<Anthropic, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

/**
 * A model of Anthropic: a plain value, for use by itself or in a list.
 *
 * Anthropic demands a limit for every answer: without `maxTokens` the model's maximum is sent where it is known, else
 * 4096, or 32 000 where the model is to think. `seed` and the penalties are `Unsupported`.
 *
 * - `reasoningEffort`: a budget of tokens up to Claude 4.5, at most three quarters of the answer's limit (a limit of 1024 or
 *   less is raised by 1024); adaptive thinking with an effort from 4.6 on. `none` switches thinking off, or asks for the least
 *   where that is impossible. Models before 3.7 do not think. Beside it, `temperature`, `topP`, `topK` and a forced tool are
 *   `Unsupported`. It is `Unsupported` itself beside calls of tools that came without thoughts of Anthropic's, up to 4.5.
 * - `output`: the model's own structured output from 4.1 on, which takes closed objects without limits (these are told in
 *   words, and the answer is checked); else, and for schemas that cannot be closed, a tool that the model must call.
 * - Tools are `strict` only where they ask for it: all strict tools of a request share one limited grammar.
 * - Images by URL or as bytes (JPEG, PNG, GIF, WebP); files as PDF by URL or as bytes, and as text.
 * - `temperature`, `topP` and `topK` ended with 4.7; from 4.1 on there is either `temperature` or `topP`.
 *
 * Source: `protocol/wire-formats.md` §7. Which model has which of these is told from its name, by what `@ai-sdk/anthropic`
 * knows, and not confirmed by calls.
 *
 * @example
 * ```ts
 * import { Anthropic } from "effect-ai-gateway"
 *
 * const model = Anthropic.model("claude-haiku-4-5")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, options?: ModelOptions): Leg<Anthropic | AiGateway> =>
  Module.model(Anthropic, anthropic, wire, name, options)
