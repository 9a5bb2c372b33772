/** A list of embedding models as one model. */
import * as Effect from "effect/Effect"
import * as Call from "./call.js"
import { provide } from "./callContext.js"
import * as Embedding from "./embedding.js"
import { moved, type WalkOptions, walk } from "./walk.js"

/**
 * When a list moves on.
 *
 * @since 0.1.0
 * @category models
 */
export interface FallbackOptions extends WalkOptions {}

export type Models<R> = readonly [Embedding.With<R>, ...ReadonlyArray<Embedding.With<R>>]

export const make = <R>(models: Models<R>, options: FallbackOptions): Embedding.With<R> => {
  const metadata: Embedding.Metadata = {
    ...models[0].metadata,
    legs: models.flatMap(({ metadata }) => metadata.legs ?? [metadata])
  }
  return Embedding.make(metadata, ({ inputs, ...asked }, outer) =>
    Call.whole("EmbeddingModel.embedMany", metadata, outer, (call) =>
      Effect.map(
        walk(models, options, call, (model, inside) => provide(model.embedMany(inputs, asked), inside)),
        ({ answer, attempts, leg }) => ({
          ...answer,
          attempts: [...attempts, ...moved(answer.attempts, leg)]
        })
      )
    )
  )
}
