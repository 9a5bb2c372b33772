/**
 * Fallback: `Effect.firstSuccessOf` over sealed legs, from the first leg on every call.
 *
 * Plain `firstSuccessOf` would run the next leg after an interruption, cannot stop early, and keeps the last error only.
 * So a leg whose outcome ends the call is sealed: it *succeeds* with that outcome, which is flattened at the end. A leg
 * that is left is written down, and fails.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import * as ChatEvent from "../ChatEvent.js"
import * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import * as Call from "./call.js"
import { type CallContext, provide, type Report } from "./callContext.js"
import type { Progress } from "./clocks.js"
import {
  type AiGatewayError,
  type Attempt,
  allProvidersFailed,
  ContentBlocked,
  failsEverywhere,
  type LegError,
  lastCause,
  MalformedResponse
} from "./errors.js"
import * as Model from "./model.js"

/**
 * When a list moves on.
 *
 * @since 0.1.0
 * @category models
 */
export interface FallbackOptions {
  /**
   * Tightens the rule: after an error for which this is false the call ends with that error, and no further leg is
   * tried. It cannot widen the rule: what fails everywhere still ends the call.
   */
  readonly while?: ((error: LegError) => boolean) | undefined
  /**
   * Looks at an answer before it is given: if this is false, the next leg is tried (for instance after a content
   * filter). A stream can be judged only if it ends before its first content: what was delivered cannot be taken back.
   */
  readonly accept?: ((response: ChatResponse) => boolean) | undefined
}

export type Models<R> = readonly [Model.With<R>, ...ReadonlyArray<Model.With<R>>]

export const make = <R>(models: Models<R>, options: FallbackOptions): Model.With<R> => {
  const metadata: Model.Metadata = {
    ...models[0].metadata,
    legs: models.flatMap((model) => legsOf(model.metadata))
  }
  return Model.make({
    metadata,
    chat: (input, outer) =>
      Call.chat(metadata, outer, (call) =>
        Effect.map(
          walk(models, input, options, call, (model, request, inside) =>
            Effect.filterOrElse(
              Model.chatOf(model)(request, inside),
              (response) => accepted(response, options),
              (response) => notAccepted(response, inside.report)
            )
          ),
          ({ answer, attempts, leg }) =>
            attempts.length === 0
              ? answer
              : { ...answer, attempts: [...attempts, ...moved(answer.attempts, leg)] }
        )
      ),
    open: (input) =>
      Call.open(metadata, (call) =>
        Effect.flatMap(Effect.scope, (scope) =>
          Effect.map(
            walk(models, input, options, call, (model, request, inside) => {
              const opened = Effect.filterOrElse(
                Model.openOf(model)(request),
                ({ head }) => head.at(-1)?._tag !== "Finish" || accepted(ChatEvent.fold(head), options),
                ({ head }) => notAccepted(ChatEvent.fold(head), inside.report)
              )
              return provide(inScopeOf(scope, opened), inside)
            }),
            ({ answer, attempts, leg }) => ({ ...answer, head: withAttempts(answer.head, attempts, leg) })
          )
        )
      )
  })
}

const legsOf = (metadata: Model.Metadata): ReadonlyArray<Model.Metadata> => metadata.legs ?? [metadata]

const withAttempts = (
  head: ReadonlyArray<ChatEvent.ChatEvent>,
  attempts: ReadonlyArray<Attempt>,
  leg: number
): ReadonlyArray<ChatEvent.ChatEvent> =>
  attempts.length === 0
    ? head
    : head.map((event) =>
        event._tag === "Start" ? { ...event, attempts: [...attempts, ...moved(event.attempts, leg)] } : event
      )

/** The attempts of a list that stands at a place of another list, numbered as that list's. */
const moved = (attempts: ReadonlyArray<Attempt>, place: number): ReadonlyArray<Attempt> =>
  place === 0 ? attempts : attempts.map((attempt) => ({ ...attempt, leg: place + attempt.leg }))

/** A leg's stream has a scope of its own, which is closed before the next leg is opened. */
const inScopeOf = <A, E, R>(
  parent: Scope.Scope,
  effect: Effect.Effect<A, E, R | Scope.Scope>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.fork(parent, ExecutionStrategy.sequential), (scope) =>
      Effect.onExit(restore(Scope.extend(effect, scope)), (exit) =>
        Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)
      )
    )
  )

// --- answers that are not wanted ----------------------------------------------------------------------------------------

const accepted = (response: ChatResponse, { accept }: FallbackOptions): boolean => accept?.(response) ?? true

const notAccepted = (
  { provider, model, gateway, text, finishReason, attempts }: ChatResponse,
  report: Report
): Effect.Effect<never, LegError> => {
  report.attempts = attempts
  const context = { provider, model, gateway, logId: gateway.logId }
  return Effect.fail(
    finishReason === "content-filter"
      ? new ContentBlocked({
          ...context,
          source: "provider",
          stage: "response",
          by: "provider",
          message: `${provider} filtered its answer, and the list's accept rule refused what was left.`
        })
      : new MalformedResponse({
          ...context,
          message: `The answer of ${provider} was refused by the list's accept rule.`,
          excerpt: text.slice(0, 500)
        })
  )
}

// --- the walk -----------------------------------------------------------------------------------------------------------

interface Found<A> {
  readonly answer: A
  /** The legs before it. */
  readonly attempts: ReadonlyArray<Attempt>
  /** Its place in the list. */
  readonly leg: number
}

const walk = <A, R>(
  models: Models<R>,
  input: ChatRequest.Input,
  options: FallbackOptions,
  call: CallContext & { readonly progress: Progress },
  run: (
    model: Model.With<R>,
    request: ChatRequest.ChatRequest,
    inside: Inside
  ) => Effect.Effect<A, AiGatewayError, R>
): Effect.Effect<Found<A>, AiGatewayError, R> =>
  Effect.flatMap(ChatRequest.fromInput(input), (request) =>
    Effect.flatMap(Effect.clock, (clock) => {
      const state = new Walk(options, call, clock)
      let place = 0
      const sealed = models.map((model, index) => {
        const leg = place
        place += legsOf(model.metadata).length
        return state.seal(model.metadata, leg, index === models.length - 1, (inside) =>
          run(model, request, inside)
        )
      })
      return Effect.flatten(Effect.catchAll(Effect.firstSuccessOf(sealed), () => state.allFailed()))
    })
  )

/** What a leg is told of its call. */
type Inside = CallContext & { readonly report: Report }

/** What one call knows of its walk. It lives in the call, never in the list: each call begins at the first leg. */
class Walk {
  /** Where the leg that is under way, if it is a list, leaves its attempts. */
  readonly report: Report = { attempts: [] }
  private readonly attempts: Array<Attempt> = []
  /** Gateways that no further leg of this call needs to ask. */
  private readonly gone: Map<unknown, LegError>
  /** Where legs failed for reasons of their own. */
  private readonly failedBehind = new Set<unknown>()
  private last: { readonly reason: LegError; readonly gateway: unknown } | undefined

  constructor(
    private readonly options: FallbackOptions,
    private readonly call: CallContext & { readonly progress: Progress },
    private readonly clock: Clock.Clock
  ) {
    this.gone = new Map(call.gone)
  }

  /** Succeeds with what ends the call; fails where the next leg is to be tried. */
  seal<A, R>(
    metadata: Model.Metadata,
    leg: number,
    isLast: boolean,
    run: (inside: Inside) => Effect.Effect<A, AiGatewayError, R>
  ): Effect.Effect<Effect.Effect<Found<A>, AiGatewayError>, AiGatewayError, R> {
    return Effect.suspend(() => {
      const started = this.clock.unsafeCurrentTimeMillis()
      this.call.progress.gateway = undefined
      this.call.progress.transport = undefined
      this.report.attempts = []
      const inside = { ...this.call, gone: this.gone, report: this.report }
      return Effect.matchCauseEffect(run(inside), {
        onSuccess: (answer) => Effect.succeed(Effect.succeed({ answer, attempts: this.attempts, leg })),
        onFailure: (cause) => this.failed(cause, metadata, leg, isLast, started)
      })
    })
  }

  private failed(
    cause: Cause.Cause<AiGatewayError>,
    metadata: Model.Metadata,
    leg: number,
    isLast: boolean,
    started: number
  ): Effect.Effect<Effect.Effect<never, AiGatewayError>, AiGatewayError> {
    const error = Model.failureOf(cause)
    if (error === undefined || error._tag === "StreamBroken") return Effect.succeed(Effect.failCause(cause))
    // A leg behind a gateway that is gone was not asked: it is no attempt.
    if (error._tag !== "AllProvidersFailed" && this.isGone(error)) return Effect.fail(error)
    this.write(error, metadata, leg, started)
    const reason = lastCause(error)
    // A list whose legs were all behind gateways that are gone.
    if (reason._tag === "AllProvidersFailed") return Effect.fail(error)
    const { gateway } = this.call.progress
    this.last = { reason, gateway }
    if (reason._tag === "InvalidRequest" || this.options.while?.(reason) === false) {
      return Effect.succeed(this.endWith(reason))
    }
    const everywhere = failsEverywhere(reason)
    if (everywhere) {
      if (gateway === undefined) return Effect.succeed(this.endWith(reason))
      this.gone.set(gateway, reason)
    }
    if (error._tag === "AllProvidersFailed") this.failedBehind.add(error)
    else if (!everywhere) this.failedBehind.add(gateway)
    return isLast
      ? Effect.fail(error)
      : Effect.zipRight(leaving(metadata, reason, this.call.parent), Effect.fail(error))
  }

  private isGone(error: LegError): boolean {
    for (const reason of this.gone.values()) if (reason === error) return true
    return false
  }

  private write(
    error: LegError | Extract<AiGatewayError, { _tag: "AllProvidersFailed" }>,
    metadata: Model.Metadata,
    leg: number,
    started: number
  ): void {
    const inside = error._tag === "AllProvidersFailed" ? error.attempts : this.report.attempts
    this.attempts.push(...moved(inside, leg))
    const last = inside.at(-1)
    if (error._tag === "AllProvidersFailed" || last?.error === error) return
    let duration = this.clock.unsafeCurrentTimeMillis() - started
    for (const attempt of inside) duration -= Duration.toMillis(attempt.duration)
    this.attempts.push({
      leg: leg + (last === undefined ? 0 : Math.min(last.leg + 1, legsOf(metadata).length - 1)),
      provider: error.provider ?? metadata.provider,
      model: error.model ?? metadata.model,
      transport: this.call.progress.transport,
      error,
      duration: Duration.millis(Math.max(0, duration))
    })
  }

  /** Ends the call with one leg's error; a list around this one learns what was tried before. */
  private endWith(reason: LegError): Effect.Effect<never, LegError> {
    if (this.call.report !== undefined) this.call.report.attempts = this.attempts
    return Effect.failCause(Cause.fail(reason))
  }

  /** What failed everywhere speaks for all legs, unless some failed elsewhere and for reasons of their own. */
  allFailed(): Effect.Effect<never, AiGatewayError> {
    if (this.last !== undefined && failsEverywhere(this.last.reason)) {
      this.failedBehind.delete(this.last.gateway)
      if (this.failedBehind.size === 0) return this.endWith(this.last.reason)
    }
    return Effect.fail(allProvidersFailed(this.attempts))
  }
}

const leaving = (
  { provider, model }: Model.Metadata,
  error: LegError,
  parent: Tracer.Span | undefined
): Effect.Effect<void> => {
  const said = Effect.annotateLogs(
    Effect.logWarning(
      failsEverywhere(error)
        ? `${provider} ${model} failed; skipping everything behind the same gateway`
        : `${provider} ${model} failed; trying the next provider`
    ),
    { provider, model, error: error._tag, reason: error.message }
  )
  return parent === undefined ? said : Effect.withParentSpan(said, parent)
}
