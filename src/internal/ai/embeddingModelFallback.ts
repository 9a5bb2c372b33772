/** One embedding model of several, each batch of which is one universal request. */
import type * as AiError from "@effect/ai/AiError"
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as Arr from "effect/Array"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Service as Gateway } from "../../AiGateway.js"
import { CurrentRun, type Run } from "./callMode.js"
import { UniversalCall } from "./universalCall.js"

/**
 * How inputs are put together.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchOptions {
  /**
   * How many inputs one request has at most. Default 2048, which is OpenAI's own. It must be no more than what each of the
   * models takes at once: a model that makes two requests of a batch has no fallback for the second.
   */
  readonly maxBatchSize?: number | undefined
  /** Answers that are remembered, by input. Leave the models' own caches off: one of them alone cannot answer for all. Default: none. */
  readonly cache?: { readonly capacity: number; readonly timeToLive: Duration.DurationInput } | undefined
}

export const make = (
  gateway: Gateway,
  owner: object,
  models: ReadonlyArray<EmbeddingModel.Service>,
  { maxBatchSize = 2048, cache }: BatchOptions
): Effect.Effect<EmbeddingModel.Service> => {
  const batch = (inputs: ReadonlyArray<string>) => embedBatch(gateway, owner, models, inputs)
  const batched = EmbeddingModel.make({
    maxBatchSize,
    ...(cache === undefined ? undefined : { cache }),
    embedMany: (inputs) =>
      Effect.map(batch(inputs), (vectors) => vectors.map((embeddings, index) => ({ index, embeddings })))
  })
  if (cache !== undefined) return batched
  // That service's `embedMany` cannot be interrupted (`@effect/ai` 0.37.0): without a cache it is not needed.
  return Effect.map(batched, ({ embed }) => ({
    embed,
    embedMany: (inputs) =>
      Effect.withSpan(
        Effect.map(Effect.forEach(Arr.chunksOf(inputs, maxBatchSize), batch), (vectors) => vectors.flat()),
        "EmbeddingModel.embedMany",
        { captureStackTrace: false }
      )
  }))
}

type Vectors = Array<Array<number>>

const embedBatch = (
  gateway: Gateway,
  owner: object,
  models: ReadonlyArray<EmbeddingModel.Service>,
  inputs: ReadonlyArray<string>
): Effect.Effect<Vectors, AiError.AiError> =>
  Effect.contextWithEffect((context: Context.Context<never>) => {
    const inRun = (run: Run): Effect.Effect<Vectors, AiError.AiError> => {
      const model = models[run.entry]
      if (model === undefined) return Effect.dieMessage(`There is no model ${run.entry}.`)
      const vectors = Effect.provideService(
        // The model knows the same inputs by the same names: a cache around this call would wait here for itself.
        Effect.withRequestCaching(model.embedMany(inputs), false),
        CurrentRun,
        run
      )
      // It makes its requests in fibers of a batch, of whose defects nobody hears, and does not let itself be interrupted.
      return run.ended === undefined
        ? vectors
        : Effect.raceFirst(Effect.disconnect(vectors), Deferred.await(run.ended))
    }
    const call = new UniversalCall({
      gateway,
      owner,
      entries: models.length,
      place: { module: "GatewayEmbeddingModel", method: "embedMany" },
      forks: true,
      capture: (run) => Effect.provide(Effect.withTracerEnabled(inRun(run), false), context)
    })
    const from = (entry: number): Effect.Effect<Vectors, AiError.AiError> =>
      Effect.catchAllCause(inRun(call.run(entry)), (cause) => {
        const after = call.after(cause, entry)
        return after._tag === "Right" ? from(after.right) : Effect.failCause(after.left)
      })
    return Effect.onExit(from(0), (exit) => (exit._tag === "Success" ? call.close : call.abandon))
  })
