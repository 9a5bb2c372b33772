/**
 * The walk along a list: `Effect.firstSuccessOf` over sealed legs, from the first leg on every call.
 *
 * Plain `firstSuccessOf` would run the next leg after an interruption, cannot stop early, and keeps the last error only.
 * So a leg whose outcome ends the call is sealed: it *succeeds* with that outcome, which is flattened at the end. A leg
 * that is left is written down, and fails.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { CallContext, Report } from "./callContext.js"
import type { Progress } from "./clocks.js"
import {
  type AiGatewayError,
  type Attempt,
  allProvidersFailed,
  failsEverywhere,
  type LegError,
  lastCause
} from "./errors.js"
import * as Metrics from "./metrics.js"

/** What can be walked: models of any kind. */
export interface Walkable {
  readonly metadata: Listed
}

interface Listed {
  readonly provider: string
  readonly model: string
  /** Present: it is a list itself. */
  readonly legs?: ReadonlyArray<unknown> | undefined
}

/**
 * When a list moves on.
 *
 * @since 0.1.0
 * @category models
 */
export interface WalkOptions {
  /**
   * Tightens the rule: after an error for which this is false the call ends with that error, and no further leg is
   * tried. It cannot widen the rule: what fails everywhere still ends the call.
   */
  readonly while?: ((error: LegError) => boolean) | undefined
}

/** How many single legs it stands for. */
const widthOf = ({ legs }: Listed): number => legs?.length ?? 1

/** The attempts of a list that stands at a place of another list, numbered as that list's. */
export const moved = (attempts: ReadonlyArray<Attempt>, place: number): ReadonlyArray<Attempt> =>
  place === 0 ? attempts : attempts.map((attempt) => ({ ...attempt, leg: place + attempt.leg }))

export interface Found<A> {
  readonly answer: A
  /** The legs before it. */
  readonly attempts: ReadonlyArray<Attempt>
  /** Its place in the list. */
  readonly leg: number
}

export const walk = <M extends Walkable, A, R>(
  models: readonly [M, ...ReadonlyArray<M>],
  options: WalkOptions,
  call: CallContext & { readonly progress: Progress },
  run: (model: M, inside: Inside) => Effect.Effect<A, AiGatewayError, R>
): Effect.Effect<Found<A>, AiGatewayError, R> =>
  Effect.flatMap(Effect.clock, (clock) => {
    const state = new Walk(options, call, clock)
    let place = 0
    const sealed = models.map((model, index) => {
      const leg = place
      place += widthOf(model.metadata)
      return state.seal(model.metadata, leg, index === models.length - 1, (inside) => run(model, inside))
    })
    return Effect.flatten(Effect.catchAll(Effect.firstSuccessOf(sealed), () => state.allFailed()))
  })

/** What a leg is told of its call. */
export type Inside = CallContext & { readonly report: Report }

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
    private readonly options: WalkOptions,
    private readonly call: CallContext & { readonly progress: Progress },
    private readonly clock: Clock.Clock
  ) {
    this.gone = new Map(call.gone)
  }

  /** Succeeds with what ends the call; fails where the next leg is to be tried. */
  seal<A, R>(
    metadata: Listed,
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
    metadata: Listed,
    leg: number,
    isLast: boolean,
    started: number
  ): Effect.Effect<Effect.Effect<never, AiGatewayError>, AiGatewayError> {
    const error = cause._tag === "Fail" ? cause.error : failureOf(cause)
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
      : Effect.flatMap(leaving(metadata, reason, this.call.parent), () => Effect.fail(error))
  }

  private isGone(error: LegError): boolean {
    for (const reason of this.gone.values()) if (reason === error) return true
    return false
  }

  private write(
    error: LegError | Extract<AiGatewayError, { _tag: "AllProvidersFailed" }>,
    metadata: Listed,
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
      leg: leg + (last === undefined ? 0 : Math.min(last.leg + 1, widthOf(metadata) - 1)),
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

/** Warns that a leg is left. */
export const leaving = (
  { provider, model }: Listed,
  error: LegError,
  parent: Tracer.Span | undefined
): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    Metrics.left({ provider, model }, error._tag)
    // To annotate what nobody reads would cost more than the log itself.
    if (LogLevel.greaterThan(fiber.getFiberRef(FiberRef.currentMinimumLogLevel), LogLevel.Warning))
      return Effect.void
    const said = Effect.annotateLogs(
      Effect.logWarning(
        failsEverywhere(error)
          ? `${provider} ${model} failed; skipping everything behind the same gateway`
          : `${provider} ${model} failed; trying the next provider`
      ),
      { provider, model, error: error._tag, reason: error.message }
    )
    return parent === undefined ? said : Effect.withParentSpan(said, parent)
  })

/** The first typed failure of a cause, unless it is an interruption or a defect. */
const failureOf = <E>(cause: Cause.Cause<E>): E | undefined =>
  Cause.isInterrupted(cause) ? undefined : Option.getOrUndefined(Cause.failureOption(cause))
