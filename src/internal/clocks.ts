/**
 * The client's clocks. All clocks of a call are watched by one timer, or by one fiber under a `TestClock`; a wait is ended by
 * answering it in the callee's place, because `Effect.timeout` races two fibers, which costs more than the rest of a call.
 */

import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { ModelTimeout } from "./errors.js"
import type { TransportKind } from "./transport/transport.js"
import { unchecked } from "./unchecked.js"

/** What a call is doing; tells a person where the time went. */
export interface Progress {
  during: "connect" | "response" | "backoff" | "stream"
  provider: string | undefined
  model: string | undefined
  transport: TransportKind | undefined
  /** The gateway service that was asked last. */
  gateway: unknown
}

export const startProgress = (): Progress => ({
  during: "connect",
  provider: undefined,
  model: undefined,
  transport: undefined,
  gateway: undefined
})

/** Limits in milliseconds; `Infinity` is no limit. */
export interface Limits {
  readonly firstEvent: number
  readonly idle: number
  readonly total: number
}

export const noLimits: Limits = { firstEvent: Infinity, idle: Infinity, total: Infinity }

export const hasLimit = (limits: Limits): boolean =>
  limits.firstEvent < Infinity || limits.idle < Infinity || limits.total < Infinity

export class Clocks {
  /** The clock that ran out, if one has. */
  fired: ModelTimeout | undefined
  /** Answers the wait that is under way. */
  private answer: ((timeout: ModelTimeout) => void) | undefined
  private waitingSince: number | undefined
  private readonly startedAt: number
  private firstEvent: number

  constructor(
    private readonly clock: Clock.Clock,
    private readonly limits: Limits,
    private readonly progress: Progress
  ) {
    this.startedAt = clock.unsafeCurrentTimeMillis()
    this.firstEvent = limits.firstEvent
  }

  /** Content has come: its clock stops. */
  committed(): void {
    this.firstEvent = Infinity
  }

  /** A wait for bytes begins: the idle clock runs. */
  waitForBytes(answer: (timeout: ModelTimeout) => void): void {
    this.waitingSince = this.clock.unsafeCurrentTimeMillis()
    this.answer = answer
  }

  /** A wait for something else begins. */
  wait(answer: (timeout: ModelTimeout) => void): void {
    this.answer = answer
  }

  /** The wait is over. */
  waited(): void {
    this.waitingSince = undefined
    this.answer = undefined
  }

  /** Fires what is due, or tells in how many milliseconds to look again. */
  check(): number {
    const now = this.clock.unsafeCurrentTimeMillis()
    const sinceStart = now - this.startedAt
    const sinceByte = this.waitingSince === undefined ? 0 : now - this.waitingSince
    if (sinceStart >= this.limits.total) return this.fire("total", this.limits.total)
    // Nobody waits: the first content may have come, and the clock is about to be told to stop.
    if (sinceStart >= this.firstEvent && this.answer === undefined) return 1
    if (sinceStart >= this.firstEvent) return this.fire("firstEvent", this.firstEvent)
    if (sinceByte >= this.limits.idle) return this.fire("idle", this.limits.idle)
    return Math.min(
      this.limits.total - sinceStart,
      this.firstEvent - sinceStart,
      this.limits.idle - sinceByte
    )
  }

  private fire(phase: "firstEvent" | "idle" | "total", limit: number): number {
    const { during, provider, model } = this.progress
    const timeout = new ModelTimeout(
      {
        phase,
        during,
        provider,
        model,
        limit: Duration.millis(limit),
        message: timeoutMessage(phase, limit, this.progress)
      },
      unchecked
    )
    this.fired = timeout
    const answer = this.answer
    this.waited()
    answer?.(timeout)
    return 0
  }

  /** Watches; ends when a clock fires. */
  watch(): Effect.Effect<void> {
    const look: Effect.Effect<void> = Effect.suspend(() => {
      const due = this.check()
      if (this.fired !== undefined) return Effect.void
      return due === Infinity
        ? Effect.never
        : Effect.flatMap(this.clock.sleep(Duration.millis(due)), () => look)
    })
    return look
  }
}

const timeoutMessage = (
  phase: "firstEvent" | "idle" | "total",
  limit: number,
  progress: Progress
): string => {
  const who =
    progress.provider === undefined ? "The call" : `${progress.provider} ${progress.model ?? ""}`.trim()
  const time = Duration.format(Duration.millis(limit))
  switch (phase) {
    case "firstEvent":
      return `${who} gave no content within ${time} (timeouts.firstEvent).`
    case "idle":
      return `${who} sent nothing for ${time} (timeouts.idle).`
    case "total": {
      const doing = {
        connect: "waiting for a response",
        response: "reading a response",
        backoff: "waiting to retry",
        stream: "streaming"
      }
      return `The call took longer than ${time} (timeouts.total), and was ${doing[progress.during]}.`
    }
  }
}

/** Starts watching; `stop` must follow. */
export const start = (limits: Limits, progress: Progress): Effect.Effect<Watched> =>
  Effect.clockWith((clock) => {
    const clocks = new Clocks(clock, limits, progress)
    if (clock === liveClock()) return Effect.sync(() => ({ clocks, stop: startTimer(clocks) }))
    return Effect.map(Effect.forkDaemon(Effect.interruptible(clocks.watch())), (fiber) => ({
      clocks,
      stop: () => fiber.unsafeInterruptAsFork(FiberId.none)
    }))
  })

export interface Watched {
  readonly clocks: Clocks
  readonly stop: () => void
}

export const stop = (watched: Watched): Effect.Effect<void> => Effect.sync(watched.stop)

const liveClock = (): Clock.Clock => Context.get(DefaultServices.liveServices, Clock.Clock)

/** Real time needs no fiber: what a timer does here is synchronous, and a fiber per call costs as much as a span. */
const startTimer = (clocks: Clocks): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const due = clocks.check()
    timer =
      clocks.fired === undefined && due < Infinity ? setTimeout(look, Math.min(due, maxTimer)) : undefined
  }
  look()
  return () => clearTimeout(timer)
}

/** A longer timer would fire at once. */
const maxTimer = 2 ** 31 - 1

/**
 * Runs an effect that cannot be answered in its place: in a fiber of its own, which is interrupted, and awaited, when
 * a clock fires or the caller is interrupted. What it gave in that very moment is handed to `lost`.
 */
export const guard = <A, E, R>(
  clocks: Clocks,
  effect: Effect.Effect<A, E, R>,
  {
    lost = () => Effect.void,
    idle = false
  }: {
    /** What is done with a value that comes too late. */
    readonly lost?: (value: A) => Effect.Effect<void>
    /** Is this a wait for news? Then the idle clock runs. */
    readonly idle?: boolean
  } = {}
): Effect.Effect<A, E | ModelTimeout, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) =>
      Effect.catchAllCause(
        restore(
          Effect.async<A, E | ModelTimeout>((resume) => {
            if (clocks.fired !== undefined) return resume(Effect.fail(clocks.fired))
            const answer = (timeout: ModelTimeout) => resume(Effect.fail(timeout))
            if (idle) clocks.waitForBytes(answer)
            else clocks.wait(answer)
            fiber.addObserver((exit) => {
              clocks.waited()
              resume(exit)
            })
          })
        ),
        (cause) =>
          Effect.zipRight(
            Effect.flatMap(Fiber.interrupt(fiber), (exit) =>
              Exit.isSuccess(exit) ? lost(exit.value) : Effect.void
            ),
            Effect.failCause(cause)
          )
      )
    )
  )

/** Bounds a whole effect, whatever it does inside. */
export const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  total: number,
  progress: Progress
): Effect.Effect<A, E | ModelTimeout, R> =>
  total === Infinity
    ? effect
    : Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(start({ ...noLimits, total }, progress), (watched) =>
          Effect.ensuring(restore(guard(watched.clocks, effect)), stop(watched))
        )
      )
