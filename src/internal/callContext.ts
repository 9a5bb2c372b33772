/**
 * What an outer model tells the legs inside it, by fiber context, so that a model that a user wrapped by hand passes it
 * on without knowing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { CurrentOptions } from "../RequestOptions.js"
import type { Progress } from "./clocks.js"
import type { Attempt, LegError } from "./errors.js"
import type { RetryPolicy } from "./retry.js"

export interface CallContext {
  /** Does an outer model's span cover this call? */
  readonly spanned: boolean
  /** Does an outer model's total clock cover this call? */
  readonly timed: boolean
  /** What the call is doing, for an outer clock to tell. */
  readonly progress: Progress | undefined
  /** The outermost `ChatModel.retry`, which replaces every leg's own. */
  readonly retry: RetryPolicy | undefined
  /** Clocks of outer models in milliseconds; a leg's own come first. */
  readonly firstEvent: number | undefined
  readonly idle: number | undefined
  /** Gateways that this call has given up, with the error that every leg behind them would meet again. */
  readonly gone: ReadonlyMap<unknown, LegError> | undefined
  /** Where a list inside a list leaves its attempts, when it ends with one leg's error. */
  readonly report: Report | undefined
  /** The call's span, where it is not the fiber's. Never in the fiber's context: a user's own span may come in between. */
  readonly parent?: Tracer.Span | undefined
}

/** The attempts of a leg that is a list itself. */
export interface Report {
  attempts: ReadonlyArray<Attempt>
}

const none: CallContext = {
  spanned: false,
  timed: false,
  progress: undefined,
  retry: undefined,
  firstEvent: undefined,
  idle: undefined,
  gone: undefined,
  report: undefined
}

export class CurrentCall extends Context.Reference<CurrentCall>()("effect-ai-gateway/internal/CurrentCall", {
  defaultValue: (): CallContext => none
}) {}

/** Reads the call's context without a step of its own. */
export const withCall = <A, E, R>(f: (call: CallContext) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => f(Context.get(fiber.currentContext, CurrentCall)))

/** Runs an effect that finds its call in the fiber. */
export const provide = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  { parent, ...call }: CallContext
): Effect.Effect<A, E, R> => {
  const provided = Effect.provideService(effect, CurrentCall, call)
  return parent === undefined ? provided : Effect.provideService(provided, Tracer.ParentSpan, parent)
}

/** Runs an effect whose legs retry by this policy, unless an outer model says otherwise. */
export const retrying =
  (policy: RetryPolicy) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    withCall((call) => (call.retry === undefined ? provide(effect, { ...call, retry: policy }) : effect))

/** Without what belongs to the moment in which a layer was built, and not to the calls that its model gets later. */
export const timeless = <R>(context: Context.Context<R>): Context.Context<R> => {
  const services = new Map(context.unsafeMap)
  for (const { key } of [Tracer.ParentSpan, CurrentOptions, CurrentCall]) services.delete(key)
  return Context.unsafeMake(services)
}
