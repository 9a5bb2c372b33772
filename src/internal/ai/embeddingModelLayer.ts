/** Embedding models of ours as layers of `@effect/ai`. */
import * as AiEmbeddingModel from "@effect/ai/EmbeddingModel"
import * as Model from "@effect/ai/Model"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EmbeddingModel from "../../EmbeddingModel.js"
import * as EmbeddingService from "./embeddingService.js"

/**
 * The application's `EmbeddingModel` as that of `@effect/ai`. See `fromEmbeddingModel`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEmbeddingModel: Layer.Layer<
  AiEmbeddingModel.EmbeddingModel,
  never,
  EmbeddingModel.EmbeddingModel
> = /* @__PURE__ */ Layer.effect(
  AiEmbeddingModel.EmbeddingModel,
  /* @__PURE__ */ Effect.map(EmbeddingModel.EmbeddingModel, EmbeddingService.make)
)

/**
 * An embedding model of this library as one of `@effect/ai`.
 *
 * `embedMany` is one call, whose vectors are all of one model: as many requests as the vendor wants, several of them at once
 * (its `concurrency` has nothing to decide). `embed`s that run with `batching` are one call too, as far as the same gateway
 * options hold for them; such a batch, as every batch of Effect, cannot be interrupted before it has its answer. Dimensions,
 * purposes and vendors' own fields are the model value's (`EmbeddingModel.withDefaults`).
 *
 * Errors are those of `GatewayLanguageModel.fromChatModel`.
 *
 * @example
 * ```ts
 * import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
 * import { OpenAi } from "effect-ai-gateway"
 * import * as GatewayEmbeddingModel from "effect-ai-gateway/GatewayEmbeddingModel"
 * import { Effect } from "effect"
 *
 * const Ai = GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
 *
 * const program = Effect.gen(function*() {
 *   const model = yield* EmbeddingModel.EmbeddingModel
 *   return yield* model.embedMany(["brie", "gouda"])
 * }).pipe(Effect.provide(Ai))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromEmbeddingModel = <R>(
  model: EmbeddingModel.With<R>
): Model.Model<"cloudflare-ai-gateway", AiEmbeddingModel.EmbeddingModel, R> =>
  Model.make("cloudflare-ai-gateway", Layer.provide(layerEmbeddingModel, EmbeddingModel.layer(model)))
