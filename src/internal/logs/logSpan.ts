/** One span per operation on a gateway's log. No prompt, no answer and no feedback goes into it. */
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"

/** The options of a span around an operation. */
export const options = (logId?: string): Tracer.SpanOptions => ({
  kind: "client",
  attributes: logId === undefined ? {} : { "cloudflare.ai_gateway.log_id": logId },
  captureStackTrace: false
})

export const around = <A, E extends { readonly _tag: string }, R>(
  name: string,
  logId: string | undefined,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.withSpan(
    Effect.tapError(effect, ({ _tag }) => Effect.annotateCurrentSpan("error.type", _tag)),
    name,
    options(logId)
  )
