/**
 * OpenAI, through its `chat/completions` endpoint.
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
import { openAi } from "./internal/providerTable.js"
import * as OpenAiChat from "./internal/wire/openAiChat.js"
import type * as Provider from "./Provider.js"

/**
 * OpenAI's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class OpenAi extends Context.Tag("effect-ai-gateway/OpenAi")<OpenAi, Provider.Provider>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Provider.Options {
  /** Sent as `openai-organization`. */
  readonly organization?: string | undefined
  /** Sent as `openai-project`. */
  readonly project?: string | undefined
}

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key or unified billing applies.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ organization, project, headers, apiKey }: Options = {}): Provider.Provider =>
  Module.make(openAi, {
    apiKey,
    headers: {
      ...headers,
      ...(organization === undefined ? {} : { "openai-organization": organization }),
      ...(project === undefined ? {} : { "openai-project": project })
    }
  })

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<OpenAi, InvalidRequest> =>
  Module.layer(OpenAi, make(options))

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { OpenAi } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = OpenAi.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
  readonly organization?: Config.Config<string | undefined> | undefined
  readonly project?: Config.Config<string | undefined> | undefined
}): Layer.Layer<OpenAi, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

/**
 * A model of OpenAI: a plain value, for use by itself or in a list.
 *
 * Reasoning models (`gpt-5`, the o-series) refuse `temperature`, `topP` and the penalties: they are `Unsupported` there.
 *
 * @example
 * ```ts
 * import { OpenAi } from "effect-ai-gateway"
 *
 * const model = OpenAi.model("gpt-5-mini", { maxTokens: 1024 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, options?: ModelOptions): Leg<OpenAi | AiGateway> =>
  Module.model(OpenAi, openAi, wire, name, options)

// `gpt-5-chat` samples like the models before it.
const reasons = (name: string): boolean => /^(o[1-9]|gpt-5)(?!-chat)/.test(name)

const wire = OpenAiChat.make({
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: (name) => (reasons(name) ? ["temperature", "topP", "frequencyPenalty", "presencePenalty"] : [])
})
