/**
 * Texts as vectors, with the fallback, retries, options and errors of `ChatModel`. A model is a plain value, not an effect:
 * `OpenAi.embeddingModel("text-embedding-3-small")`.
 *
 * Vectors of different models cannot be compared, even if they have as many numbers. So the legs of a list should be one
 * model behind several providers (OpenAI and Azure, say), unless whatever stores the vectors keeps `model` beside them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type { RetryOptions } from "./ChatModel.js"
import * as Call from "./internal/call.js"
import { provide as provideCall, retrying, timeless, withCall } from "./internal/callContext.js"
import * as Embedding from "./internal/embedding.js"
import * as Fallback from "./internal/embeddingFallback.js"
import { type AiGatewayError, InvalidRequest, type LegError } from "./internal/errors.js"
import { defaultMaxRetryAfter, type RetryPolicy } from "./internal/retry.js"
import { type Timeouts, toMillis } from "./internal/timeouts.js"

export type {
  Answered,
  EmbeddingResponse,
  EmbeddingsResponse,
  Metadata,
  Options,
  Purpose,
  With
} from "./internal/embedding.js"
export {
  /**
   * @since 0.1.0
   * @category symbols
   */
  TypeId
} from "./internal/embedding.js"
export type { FallbackOptions } from "./internal/embeddingFallback.js"
export type { ModelOptions } from "./internal/embeddingLeg.js"

/**
 * An embedding model whose needs are met: the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends Embedding.With<never> {}

/**
 * The embedding model of an application.
 *
 * @since 0.1.0
 * @category tags
 */
export class EmbeddingModel extends Context.Tag("effect-ai-gateway/EmbeddingModel")<
  EmbeddingModel,
  Service
>() {}

// --- making models ------------------------------------------------------------------------------------------------------

/**
 * An embedding model of your own, from its one method.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(definition: {
  readonly metadata: Embedding.Metadata
  readonly embedMany: Embedding.With<R>["embedMany"]
}): Embedding.With<R> =>
  Embedding.make(definition.metadata, ({ inputs, ...options }) => definition.embedMany(inputs, options))

/**
 * Makes a model the application's `EmbeddingModel`.
 *
 * @example
 * ```ts
 * import { AzureOpenAi, EmbeddingModel, OpenAi } from "effect-ai-gateway"
 *
 * const Embeddings = EmbeddingModel.layer(
 *   EmbeddingModel.firstSuccessOf([
 *     OpenAi.embeddingModel("text-embedding-3-small"),
 *     AzureOpenAi.embeddingModel("text-embedding-3-small", { resource: "my-resource", apiVersion: "2024-10-21" })
 *   ])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <R>(model: Embedding.With<R>): Layer.Layer<EmbeddingModel, never, R> =>
  Layer.effect(
    EmbeddingModel,
    Effect.map(Effect.context<R>(), (context) => {
      const kept = timeless(context)
      return Embedding.transform<R, never>(model, (effect) =>
        // What a call brings itself wins over what the layer was built with.
        Effect.mapInputContext(effect, (call: Context.Context<never>) => Context.merge(kept, call))
      )
    })
  )

// --- using the model ----------------------------------------------------------------------------------------------------

/**
 * The vector of one text, by the application's model. Fails as `ChatModel.chat` does.
 *
 * @since 0.1.0
 * @category using
 */
export const embed = (
  input: string,
  options?: Embedding.Options
): Effect.Effect<Embedding.EmbeddingResponse, AiGatewayError, EmbeddingModel> =>
  Effect.flatMap(EmbeddingModel, (model) => model.embed(input, options))

/**
 * One vector for each text, in their order, by the application's model. Fails as `ChatModel.chat` does.
 *
 * @example
 * ```ts
 * import { EmbeddingModel } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { embeddings, usage } = yield* EmbeddingModel.embedMany(["Brie", "Gouda"], { purpose: "document" })
 *   yield* Effect.log(embeddings.length, usage.input)
 * })
 * ```
 *
 * @since 0.1.0
 * @category using
 */
export const embedMany = (
  inputs: ReadonlyArray<string>,
  options?: Embedding.Options
): Effect.Effect<Embedding.EmbeddingsResponse, AiGatewayError, EmbeddingModel> =>
  Effect.flatMap(EmbeddingModel, (model) => model.embedMany(inputs, options))

// --- combinators --------------------------------------------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: models with different needs stand in one list; `R` is read off them below.
type AnyModel = Embedding.With<any>

/**
 * What the models of a list need, all together.
 *
 * @since 0.1.0
 * @category models
 */
export type NeedsOf<Models extends ReadonlyArray<AnyModel>> =
  Models[number] extends Embedding.With<infer R> ? R : never

/**
 * The first model that makes *all* vectors of a call, from the first one on every call, by the rules of
 * `ChatModel.firstSuccessOf`. Vectors of two models are never mixed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const firstSuccessOf = <const Models extends readonly [AnyModel, ...ReadonlyArray<AnyModel>]>(
  models: Models,
  options: Fallback.FallbackOptions = {}
): Embedding.With<NeedsOf<Models>> => {
  // Only a caller without types gets here with an empty list.
  if (models.length === 0)
    throw new InvalidRequest({
      field: "models",
      message: "The list of models is empty: there is nothing to ask."
    })
  return Fallback.make<NeedsOf<Models>>(models, options)
}

/**
 * Replaces the schedule by which each request is retried, of a list for every leg: see `ChatModel.retry`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retry: {
  <Out>(
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): <R>(self: Embedding.With<R>) => Embedding.With<R>
  <R, Out>(
    self: Embedding.With<R>,
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): Embedding.With<R>
} = dual(
  (args) => Embedding.TypeId in args[0],
  <R, Out>(
    self: Embedding.With<R>,
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): Embedding.With<R> => {
    const maxRetryAfter =
      options?.maxRetryAfter === undefined ? defaultMaxRetryAfter : Duration.decode(options.maxRetryAfter)
    const policy: RetryPolicy = { schedule, maxRetryAfter }
    return Embedding.transform<R, R>(self, retrying(policy))
  }
)

/**
 * Bounds a whole call, all legs of a list and all waits included: `ModelTimeout`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTimeouts: {
  (timeouts: Pick<Timeouts, "total">): <R>(self: Embedding.With<R>) => Embedding.With<R>
  <R>(self: Embedding.With<R>, timeouts: Pick<Timeouts, "total">): Embedding.With<R>
} = dual(2, <R>(self: Embedding.With<R>, timeouts: Pick<Timeouts, "total">): Embedding.With<R> => {
  const millis = toMillis(timeouts)
  if (millis instanceof InvalidRequest) return Embedding.transform<R, R>(self, () => Effect.fail(millis))
  const { total } = millis
  return total === undefined
    ? self
    : Embedding.transform<R, R>(self, (effect) =>
        withCall((call) => Call.totalWhole((inside) => provideCall(effect, inside), call, total))
      )
})

/**
 * Fills in what a call leaves open. The call wins.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaults: {
  (defaults: Embedding.Options): <R>(self: Embedding.With<R>) => Embedding.With<R>
  <R>(self: Embedding.With<R>, defaults: Embedding.Options): Embedding.With<R>
} = dual(
  2,
  <R>(self: Embedding.With<R>, defaults: Embedding.Options): Embedding.With<R> =>
    Embedding.transform<R, R>(
      self,
      (effect) => effect,
      (options) => Embedding.withDefaults(options, defaults)
    )
)

/**
 * Gives a model one of the services that it needs: another account of a provider, another gateway.
 *
 * @since 0.1.0
 * @category combinators
 */
export const provideService: {
  <I, S>(tag: Context.Tag<I, S>, service: S): <R>(self: Embedding.With<R>) => Embedding.With<Exclude<R, I>>
  <R, I, S>(self: Embedding.With<R>, tag: Context.Tag<I, S>, service: S): Embedding.With<Exclude<R, I>>
} = dual(
  3,
  <R, I, S>(self: Embedding.With<R>, tag: Context.Tag<I, S>, service: S): Embedding.With<Exclude<R, I>> =>
    Embedding.transform<R, Exclude<R, I>>(self, (effect) => Effect.provideService(effect, tag, service))
)
