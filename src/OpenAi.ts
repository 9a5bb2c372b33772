/**
 * OpenAI, through its `chat/completions` and `responses` endpoints.
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
import { openAi } from "./internal/wire/openAiDialects.js"
import * as OpenAiResponses from "./internal/wire/openAiResponses.js"
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
  Module.make(openAi.provider, {
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
 * Reasoning models (`gpt-5` and later, the o-series) refuse `temperature`, `topP`, `stop` and the penalties: they are
 * `Unsupported` there, as `reasoningEffort` is elsewhere. An effort that a model does not have becomes the nearest one;
 * which it has is from OpenAI's guide, and not confirmed for every model. Files go out with their bytes, audio (wav, mp3) too; a URL of a file
 * is `Unsupported`, and so are images and files for models that are known to read text alone (`gpt-3.5`, `o3-mini`).
 *
 * Source: `protocol/wire-formats.md` §3.
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
  Module.model(OpenAi, openAi.provider, wire, name, options)

const wire = OpenAiChat.make(openAi)

/**
 * A model of OpenAI through the `responses` endpoint: a plain value, for use by itself or in a list. It is the endpoint
 * that gives the reasoning of a model back, encrypted, so that it goes on from there when its tool calls are answered.
 * Nothing is stored at OpenAI: the whole conversation goes along at each turn.
 *
 * `topK`, `stop`, `seed` and the penalties do not exist here and are `Unsupported`; reasoning models refuse `temperature`
 * and `topP`, others `reasoningEffort`. With a `reasoningEffort` a summary of the reasoning is asked for, which OpenAI may
 * refuse to an organization that is not verified (not confirmed): `providerOptions: { openai: { reasoning: { summary: null } } }`
 * does without.
 *
 * Source: `protocol/wire-formats.md` §6.
 *
 * @example
 * ```ts
 * import { OpenAi } from "effect-ai-gateway"
 *
 * const model = OpenAi.responsesModel("gpt-5-mini", { reasoningEffort: "low" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const responsesModel = (name: string, options?: ModelOptions): Leg<OpenAi | AiGateway> =>
  Module.model(OpenAi, openAi.provider, responses, name, options)

// Marked, so that a bundle of a program that uses none of them does not hold this format.
const responses = /* @__PURE__ */ OpenAiResponses.make(/* @__PURE__ */ OpenAiResponses.openAi("responses"))

/**
 * An embedding model of OpenAI, through `embeddings`: at most 2048 texts in one request. `purpose` is `Unsupported`. Vectors
 * travel as base64, which is a quarter of their size as numbers.
 *
 * @example
 * ```ts
 * import { OpenAi } from "effect-ai-gateway"
 *
 * const model = OpenAi.embeddingModel("text-embedding-3-small", { dimensions: 512 })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  name: string,
  options?: EmbeddingModel.ModelOptions
): EmbeddingModel.With<OpenAi | AiGateway> =>
  Module.embeddingModel(
    OpenAi,
    openAi.provider,
    OpenAiEmbeddings.make(OpenAiEmbeddings.openAi),
    name,
    options
  )
