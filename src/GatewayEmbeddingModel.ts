/**
 * `@effect/ai`'s embedding models and this gateway.
 *
 * `fallback` makes one `EmbeddingModel` of several that providers' packages made. A batch is one request to the gateway's
 * universal endpoint, and the package of the model that answered reads the answer.
 *
 * `fromEmbeddingModel` and `layerEmbeddingModel` go the other way: any embedding model of this library as one of `@effect/ai`.
 *
 * It needs the optional peer `@effect/ai`.
 *
 * @since 0.1.0
 */
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as Model from "@effect/ai/Model"
import type * as Layer from "effect/Layer"
import type { AiGateway } from "./AiGateway.js"
import * as EmbeddingModelFallback from "./internal/ai/embeddingModelFallback.js"
import * as FallbackEntries from "./internal/ai/fallbackEntries.js"
import type { RerouteOptions } from "./internal/reroute.js"

export type { BatchOptions } from "./internal/ai/embeddingModelFallback.js"
export {
  /**
   * @since 0.1.0
   * @category constructors
   */
  fromEmbeddingModel,
  /**
   * @since 0.1.0
   * @category layers
   */
  layerEmbeddingModel
} from "./internal/ai/embeddingModelLayer.js"
export type { Entries, Entry, ErrorOf, Infallible, Needs, Open } from "./internal/ai/fallbackEntries.js"
export type { RerouteOptions } from "./internal/reroute.js"

/**
 * How a fallback of embedding models sends.
 *
 * @since 0.1.0
 * @category models
 */
export interface FallbackOptions extends RerouteOptions, EmbeddingModelFallback.BatchOptions {}

/**
 * One model of several: the first that the gateway gets an answer of. What `GatewayLanguageModel.fallback` says of models,
 * errors and retries is true here too.
 *
 * Inputs are put together before the models see them: `embedMany`, and `embed` in an `Effect.forEach` with `batching`, are
 * one request for up to 2048 inputs (`layerFallback` takes another number).
 *
 * **Vectors of two different models cannot be compared.** Give it the same model several times, of several keys, accounts or
 * providers.
 *
 * A model in mode `"data-loader"` makes its requests outside of the call, where there is no fallback: they are not sent, and
 * the call fails and says so. Use mode `"batched"`.
 *
 * @example
 * ```ts
 * import { EmbeddingModel } from "@effect/ai"
 * import { OpenAiClient, OpenAiEmbeddingModel } from "@effect/ai-openai"
 * import * as GatewayEmbeddingModel from "effect-ai-gateway/GatewayEmbeddingModel"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const withKey = (key: string) =>
 *   OpenAiEmbeddingModel.model("text-embedding-3-small", { mode: "batched" }).pipe(
 *     Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make(key) }))
 *   )
 *
 * const program = Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embedMany(["a", "b"])).pipe(
 *   Effect.provide(GatewayEmbeddingModel.fallback(withKey("sk-one"), withKey("sk-two")))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fallback = <const Models extends FallbackEntries.Entries<EmbeddingModel.EmbeddingModel>>(
  ...models: Models & FallbackEntries.Open<Models> & FallbackEntries.Infallible<Models>
): Model.Model<
  "cloudflare-ai-gateway",
  EmbeddingModel.EmbeddingModel,
  AiGateway | FallbackEntries.Needs<Models[number]>
> =>
  Model.make(
    "cloudflare-ai-gateway",
    // `Infallible` says it, but of each model and not of the union of their errors.
    layerOf<Models[number]>(models, {}) as Layer.Layer<
      EmbeddingModel.EmbeddingModel,
      never,
      AiGateway | FallbackEntries.Needs<Models[number]>
    >
  )

/**
 * The same as a plain Layer: for models that can fail while they are built (`layerConfig`), with options of all requests,
 * and of the batches.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFallback = <const Models extends FallbackEntries.Entries<EmbeddingModel.EmbeddingModel>>(
  models: Models & FallbackEntries.Open<Models>,
  options: FallbackOptions = {}
): Layer.Layer<
  EmbeddingModel.EmbeddingModel,
  FallbackEntries.ErrorOf<Models[number]>,
  AiGateway | FallbackEntries.Needs<Models[number]>
> => layerOf<Models[number]>(models, options)

const layerOf = <L extends FallbackEntries.Entry<EmbeddingModel.EmbeddingModel>>(
  models: ReadonlyArray<L>,
  options: FallbackOptions
) =>
  FallbackEntries.layer(EmbeddingModel.EmbeddingModel, models, options, (gateway, owner, models) =>
    EmbeddingModelFallback.make(gateway, owner, models, options)
  )
