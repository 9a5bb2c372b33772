/** Who is told of every answer that a region of a program gets from the gateway. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { GatewayMetadata } from "../GatewayMetadata.js"

/**
 * An answer of the gateway: who gave it, its status, and what the gateway said about it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  /** The provider's gateway slug. */
  readonly provider: string
  /** The model that was asked for. Absent where the request did not say. */
  readonly model?: string | undefined
  readonly status: number
  readonly gateway: GatewayMetadata
}

export type Tap = (answer: Answer) => Effect.Effect<void>

export class CurrentTap extends Context.Reference<CurrentTap>()("effect-ai-gateway/AiGateway/CurrentTap", {
  defaultValue: (): Tap | undefined => undefined
}) {}

/** Tells the region, if it wants to know, and then goes on. */
export const telling = <A, E, R>(
  answer: () => Answer,
  then: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const tap = Context.get(fiber.currentContext, CurrentTap)
    return tap === undefined ? then : Effect.zipRight(tap(answer()), then)
  })

/** A tap more; the inner one hears first. */
export const over = <R>(context: Context.Context<R>, tap: Tap): Context.Context<R> => {
  const outer = Context.get(context, CurrentTap)
  return Context.add(
    context,
    CurrentTap,
    outer === undefined ? tap : (answer: Answer) => Effect.zipRight(tap(answer), outer(answer))
  )
}
