/**
 * What happens once per call, however deeply its models are nested: the outermost one opens the call's span and starts
 * its total clock, and those inside find both running.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { ChatResponse } from "../ChatResponse.js"
import { type CallContext, CurrentCall, withCall } from "./callContext.js"
import * as Clocks from "./clocks.js"
import { Delivered } from "./delivered.js"
import type { AiGatewayError } from "./errors.js"
import type { Metadata, Opened } from "./model.js"
import * as Spans from "./spans.js"
import { defaultTotal } from "./timeouts.js"

type Entered = CallContext & {
  readonly progress: Clocks.Progress
  /** The call's span, where the fiber does not have it. */
  readonly parent?: Tracer.Span | undefined
}

const enter = (call: CallContext): Entered => ({
  ...call,
  spanned: true,
  timed: true,
  progress: call.progress ?? Clocks.startProgress()
})

/** A call of a model that may hold models of a user's: its span becomes the fiber's. */
export const chat = <R>(
  metadata: Metadata,
  run: (call: Entered) => Effect.Effect<ChatResponse, AiGatewayError, R>
): Effect.Effect<ChatResponse, AiGatewayError, R> =>
  chatLeaf(metadata, ({ parent, ...call }) =>
    parent === undefined ? run(call) : Effect.provideService(run(call), Tracer.ParentSpan, parent)
  )

export const open = <R>(
  metadata: Metadata,
  run: (call: Entered) => Effect.Effect<Opened, AiGatewayError, R>
): Effect.Effect<Opened, AiGatewayError, R | Scope.Scope> =>
  withCall((call) => {
    const inside = enter(call)
    return call.spanned
      ? run(inside)
      : Spans.scoped(spanOf("ChatModel.streamChat", metadata), () => run(inside))
  })

/** A call of a model with nothing of a user's inside: its span is handed on and need not become the fiber's. */
export const chatLeaf = <R>(
  metadata: Metadata,
  run: (call: Entered) => Effect.Effect<ChatResponse, AiGatewayError, R>
): Effect.Effect<ChatResponse, AiGatewayError, R> =>
  withCall((call) => {
    const inside = enter(call)
    const timed = (entered: Entered) =>
      call.timed ? run(entered) : Clocks.within(run(entered), defaultTotal, inside.progress)
    return call.spanned
      ? timed(inside)
      : Spans.around(spanOf("ChatModel.chat", metadata), (parent) => timed({ ...inside, parent }))
  })

const spanOf = (name: string, { provider, model }: Metadata): Spans.SpanOptions => ({
  name,
  kind: "internal",
  provider,
  model
})

/** Runs with another context. */
export const provide = <A, E, R>(effect: Effect.Effect<A, E, R>, call: CallContext): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, CurrentCall, call)

/** A total clock of its own around a whole answer. */
export const totalChat = <R>(
  effect: Effect.Effect<ChatResponse, AiGatewayError, R>,
  total: number
): Effect.Effect<ChatResponse, AiGatewayError, R> =>
  withCall((call) => {
    const progress = call.progress ?? Clocks.startProgress()
    return Clocks.within(provide(effect, { ...call, timed: true, progress }), total, progress)
  })

/** A total clock of its own around a stream, from its opening to its last event. */
export const totalOpen = <R>(
  effect: Effect.Effect<Opened, AiGatewayError, R>,
  total: number
): Effect.Effect<Opened, AiGatewayError, R | Scope.Scope> =>
  total === Infinity
    ? effect
    : withCall((call) => {
        const progress = call.progress ?? Clocks.startProgress()
        return Effect.flatMap(
          Effect.acquireRelease(Clocks.start({ ...Clocks.noLimits, total }, progress), Clocks.stop),
          ({ clocks }) =>
            Effect.map(
              Clocks.guard(clocks, provide(effect, { ...call, timed: true, progress })),
              ({ head, next }): Opened => {
                const delivered = new Delivered()
                delivered.add(head)
                // Not by identity: an error that fails inside a span comes out as a proxy of itself.
                const guarded = Effect.mapError(Clocks.guard(clocks, next), (error) =>
                  clocks.fired !== undefined && error._tag === "ModelTimeout"
                    ? delivered.broken(clocks.fired)
                    : error
                )
                return {
                  head,
                  next: Effect.tap(guarded, (events) => Effect.sync(() => delivered.add(events ?? [])))
                }
              }
            )
        )
      })
