/**
 * Google AI Studio (Gemini), through its `generateContent` endpoints (`v1beta`).
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
import { googleAiStudio } from "./internal/providerTable.js"
import { wire as googleEmbeddings } from "./internal/wire/embeddings/googleEmbeddings.js"
import { wire } from "./internal/wire/googleGenerateContent.js"
import type * as Provider from "./Provider.js"

/**
 * Google AI Studio's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class GoogleAiStudio extends Context.Tag("effect-ai-gateway/GoogleAiStudio")<
  GoogleAiStudio,
  Provider.Provider
>() {}

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key or unified billing applies.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Provider.Options = {}): Provider.Provider =>
  Module.make(googleAiStudio, options)

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Provider.Options = {}): Layer.Layer<GoogleAiStudio, InvalidRequest> =>
  Module.layer(GoogleAiStudio, make(options))

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { GoogleAiStudio } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = GoogleAiStudio.layerConfig({ apiKey: Config.redacted("GOOGLE_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}): Layer.Layer<GoogleAiStudio, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

/**
 * A model of Google AI Studio: a plain value, for use by itself or in a list.
 *
 * All sampling fields are supported, and tools, images, files and JSON Schema. `parallelToolCalls: false` is `Unsupported`, and
 * so is `reasoningEffort` before Gemini 2.5; it is a level from Gemini 3 on, and a budget of tokens for 2.5. Before Gemini 3
 * a form of the answer (`output`) beside tools is had by a tool of its own, since the two exclude each other. Which URLs of
 * images and files Google fetches is not confirmed. Gemini 2.5 was seen to refuse the penalties with a `BadRequest`.
 *
 * Source: `protocol/wire-formats.md` §8. The levels and budgets of each model are from Google's pages about them.
 *
 * @example
 * ```ts
 * import { GoogleAiStudio } from "effect-ai-gateway"
 *
 * const model = GoogleAiStudio.model("gemini-2.5-flash")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, options?: ModelOptions): Leg<GoogleAiStudio | AiGateway> =>
  Module.model(GoogleAiStudio, googleAiStudio, wire, name, options)

/**
 * An embedding model of Google AI Studio, through `batchEmbedContents`: at most 100 texts in one request. Google reports no
 * usage.
 *
 * @example
 * ```ts
 * import { GoogleAiStudio } from "effect-ai-gateway"
 *
 * const model = GoogleAiStudio.embeddingModel("gemini-embedding-001", { purpose: "document" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  name: string,
  options?: EmbeddingModel.ModelOptions
): EmbeddingModel.With<GoogleAiStudio | AiGateway> =>
  Module.embeddingModel(GoogleAiStudio, googleAiStudio, googleEmbeddings, name, options)
