/** An `EmbeddingModel` of ours as one of `@effect/ai`. */
import type * as AiError from "@effect/ai/AiError"
import * as AiEmbeddingModel from "@effect/ai/EmbeddingModel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import type * as EmbeddingModel from "../../EmbeddingModel.js"
import { CurrentOptions } from "../../RequestOptions.js"
import { toAiError } from "./aiError.js"

/**
 * `embedMany` is one call of the model, whose vectors are all of one leg; the model itself sends as many requests as the vendor
 * wants. `embed`s that run with batching on become one call too, if the same gateway options hold for them: that is why
 * `EmbeddingModel.make` of `@effect/ai` is not used, whose batches would all have the options of the first.
 */
export const make = (model: EmbeddingModel.Service): AiEmbeddingModel.Service => {
  const vectors = (inputs: ReadonlyArray<string>, method: string) =>
    Effect.mapBoth(model.embedMany(inputs), {
      onSuccess: ({ embeddings }) => embeddings.map((vector) => [...vector]),
      onFailure: (error) => toAiError(error, { module: "GatewayEmbeddingModel", method })
    })
  const resolver = RequestResolver.makeBatched((requests: ReadonlyArray<EmbedOne>) =>
    Effect.forEach(
      sameOptions(requests),
      (group) =>
        Effect.matchCauseEffect(
          Effect.mapInputContext(
            vectors(
              group.map(({ input }) => input),
              "embed"
            ),
            (outer: Context.Context<never>) => Context.merge(outer, group[0]?.context ?? outer)
          ),
          {
            onSuccess: (made) =>
              Effect.forEach(group, (request, index) => Request.succeed(request, made[index] ?? []), {
                discard: true
              }),
            onFailure: (cause) =>
              Effect.forEach(group, (request) => Request.failCause(request, cause), { discard: true })
          }
        ),
      { concurrency: "unbounded", discard: true }
    )
  )
  return AiEmbeddingModel.EmbeddingModel.of({
    embed: (input) =>
      Effect.flatMap(Effect.context<never>(), (context) =>
        Effect.request(new EmbedOne({ input, context }), resolver)
      ).pipe(Effect.withSpan("EmbeddingModel.embed", { captureStackTrace: false })),
    embedMany: (inputs) =>
      vectors(inputs, "embedMany").pipe(
        Effect.withSpan("EmbeddingModel.embedMany", { captureStackTrace: false })
      )
  })
}

class EmbedOne extends Request.Class<
  Array<number>,
  AiError.AiError,
  { readonly input: string; readonly context: Context.Context<never> }
> {}

const sameOptions = (requests: ReadonlyArray<EmbedOne>): ReadonlyArray<ReadonlyArray<EmbedOne>> => {
  const groups = new Map<unknown, Array<EmbedOne>>()
  for (const request of requests) {
    const options = Context.get(request.context, CurrentOptions)
    const group = groups.get(options)
    if (group === undefined) groups.set(options, [request])
    else group.push(request)
  }
  return [...groups.values()]
}
