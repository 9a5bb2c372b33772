/**
 * What happens once per call, however deeply its models are nested: the outermost one opens the call's span and starts
 * its total clock, and those inside find both running.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChatResponse } from "../ChatResponse.js"
import { type CallContext, provide, withCall } from "./callContext.js"
import * as Clocks from "./clocks.js"
import { Delivered } from "./delivered.js"
import type { AiGatewayError } from "./errors.js"
import type { Definition, Metadata, Opened } from "./model.js"
import * as Spans from "./spans.js"
import { defaultTotal } from "./timeouts.js"

type Entered = CallContext & { readonly progress: Clocks.Progress }

const enter = (call: CallContext): Entered => ({
  ...call,
  spanned: true,
  timed: true,
  progress: call.progress ?? Clocks.startProgress()
})

/** A whole answer, of a chat or of any other kind. The call's span is handed on and need not become the fiber's, which would cost a copy of its context. */
export const whole = <A, R>(
  name: string,
  metadata: Asked,
  call: CallContext,
  run: (call: Entered) => Effect.Effect<A, AiGatewayError, R>
): Effect.Effect<A, AiGatewayError, R> => {
  const inside = enter(call)
  const timed = (entered: Entered) =>
    call.timed ? run(entered) : Clocks.within(run(entered), defaultTotal, inside.progress)
  return call.spanned
    ? timed(inside)
    : Spans.around(spanOf(name, metadata), (parent) => timed({ ...inside, parent }))
}

export const chat = <R>(
  metadata: Metadata,
  call: CallContext,
  run: (call: Entered) => Effect.Effect<ChatResponse, AiGatewayError, R>
): Effect.Effect<ChatResponse, AiGatewayError, R> => whole("ChatModel.chat", metadata, call, run)

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

/** Whom a call asks first. */
type Asked = Pick<Metadata, "provider" | "model">

const spanOf = (name: string, { provider, model }: Asked): Spans.SpanOptions => ({
  name,
  kind: "internal",
  provider,
  model
})

/** A total clock of its own around a whole answer. */
export const totalWhole = <A, R>(
  run: (call: CallContext) => Effect.Effect<A, AiGatewayError, R>,
  call: CallContext,
  total: number
): Effect.Effect<A, AiGatewayError, R> => {
  const progress = call.progress ?? Clocks.startProgress()
  return Clocks.within(run({ ...call, timed: true, progress }), total, progress)
}

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

/** A model with a total clock of its own, if it has one. */
export const bounded = <R>(definition: Definition<R>, total: number | undefined): Definition<R> => {
  const { metadata, chat, open } = definition
  return total === undefined
    ? definition
    : {
        metadata,
        chat: (input, call) => totalWhole((inside) => chat(input, inside), call, total),
        open: (input) => totalOpen(open(input), total)
      }
}
