/**
 * Retries of one leg. A retry asks the same provider again; it is made only for errors that may pass, never earlier than
 * the server asked, and not at all if the server asks for more patience than the policy has.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { isRetryable, type LegError } from "./errors.js"

export interface RetryPolicy {
  readonly schedule: Schedule.Schedule<unknown, LegError>
  /** The longest `retryAfter` that is waited for. */
  readonly maxRetryAfter: Duration.Duration
}

export const defaultMaxRetryAfter = Duration.seconds(30)

let standard: RetryPolicy | undefined

/** Two retries, after about 0.5 and 1 second, with jitter. */
export const defaultPolicy = (): RetryPolicy =>
  (standard ??= {
    schedule: Schedule.exponential("500 millis").pipe(
      Schedule.jittered,
      Schedule.intersect(Schedule.recurs(2))
    ),
    maxRetryAfter: defaultMaxRetryAfter
  })

/** Waits as the policy says; fails with the error where the policy has ended. */
type Next = (error: LegError) => Effect.Effect<void, LegError>

const driver = (policy: RetryPolicy): Effect.Effect<Next> => {
  const patient = Schedule.identity<LegError>().pipe(
    Schedule.intersect(policy.schedule),
    Schedule.modifyDelay(([error], delay) =>
      error.retryAfter === undefined ? delay : Duration.max(delay, error.retryAfter)
    )
  )
  return Effect.map(
    Schedule.driver(patient),
    (schedule) => (error) =>
      error.retryAfter !== undefined && Duration.greaterThan(error.retryAfter, policy.maxRetryAfter)
        ? Effect.fail(error)
        : Effect.mapError(Effect.asVoid(schedule.next(error)), () => error)
  )
}

/**
 * Runs an attempt, and again as the policy allows. `policy` is asked for only after a failure that may pass, so that a
 * call that works pays nothing. `waiting` is told when a wait begins.
 */
export const run = <A, R, R2>(
  attempt: Effect.Effect<A, LegError, R>,
  policy: Effect.Effect<RetryPolicy | undefined, never, R2>,
  waiting: (error: LegError) => void
): Effect.Effect<A, LegError, R | R2> =>
  Effect.catchAllCause(attempt, (cause) => {
    const failed = (error: LegError): Effect.Effect<A, LegError, R | R2> =>
      isRetryable(error)
        ? Effect.flatMap(policy, (found) =>
            found === undefined
              ? Effect.fail(error)
              : Effect.flatMap(driver(found), (next) => again(attempt, error, next, waiting))
          )
        : Effect.fail(error)
    // A cause that is one error and nothing else needs no search for defects beside it.
    return cause._tag === "Fail" ? failed(cause.error) : Effect.catchAll(Effect.failCause(cause), failed)
  })

const again = <A, R>(
  attempt: Effect.Effect<A, LegError, R>,
  error: LegError,
  next: Next,
  waiting: (error: LegError) => void
): Effect.Effect<A, LegError, R> =>
  Effect.suspend(() => {
    waiting(error)
    return Effect.flatMap(next(error), () =>
      Effect.catchAll(attempt, (error) =>
        isRetryable(error) ? again(attempt, error, next, waiting) : Effect.fail(error)
      )
    )
  })
