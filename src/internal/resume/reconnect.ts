/**
 * What an answer to a reconnect means: the stream goes on, it is asked for again, or it is given up. Source:
 * `protocol/gateway.md` §5.10.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import { classify } from "../classify.js"
import { isRetryable, type LegError } from "../errors.js"
import { type Asked, readText } from "../gatewayResponse.js"
import type { Arrival, IncomingResponse } from "../transport/transport.js"

/** Why the stream could not be read on for now. */
export interface Setback {
  /** For a person. */
  readonly said: string
  /** What a schedule is given: the error, or what the platform said. */
  readonly reason: unknown
  readonly error: LegError | undefined
}

export const setback = (said: string, reason: unknown): Setback => ({ said, reason, error: undefined })

const fromError = (error: LegError): Setback => ({ said: error.message, reason: error, error })

export type Answer =
  | { readonly _tag: "Open"; readonly response: IncomingResponse }
  | { readonly _tag: "Again"; readonly setback: Setback }
  | { readonly _tag: "Expired" | "Refused"; readonly setback: Setback }

/** An error's body is read no further than this many bytes. */
const errorBodyLimit = 64 * 1024

/** The gateway's code for a run id that it cannot read. */
const malformedId = 2002

/**
 * Asks once. What is not used is closed, wherever this is interrupted. Not to be interrupted between an `Open` and its
 * reader: run it uninterruptibly, with `restore` around what may wait.
 */
export const ask = (
  request: (arrival: Arrival) => Effect.Effect<IncomingResponse, LegError>,
  asked: Asked,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<Answer> =>
  Effect.matchEffect(arriving(request, restore), {
    onFailure: (error) => Effect.succeed(ofError(error, isRetryable(error))),
    onSuccess: (response) => {
      const { status, headers } = response
      if (status >= 200 && status < 300) return Effect.succeed<Answer>({ _tag: "Open", response })
      // Its body has nothing to add.
      if (status === 404) {
        return Effect.as(response.close, ofError(classify(status, headers, "", asked), false))
      }
      return Effect.flatMap(Effect.either(restore(readText(response, errorBodyLimit))), (body) =>
        Effect.clockWith((clock) => {
          const now = clock.unsafeCurrentTimeMillis()
          const text = Either.getOrElse(body, () => "")
          return Effect.succeed(ofError(classify(status, headers, text, { ...asked, now }), mayPass(status)))
        })
      )
    }
  })

/** A response that comes in the moment in which the wait for it is interrupted is closed. */
const arriving = (
  request: (arrival: Arrival) => Effect.Effect<IncomingResponse, LegError>,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<IncomingResponse, LegError> =>
  Effect.suspend(() => {
    const arrival: Arrival = { close: undefined }
    return Effect.onError(restore(Effect.suspend(() => request(arrival))), () => arrival.close ?? Effect.void)
  })

const ofError = (error: LegError, passes: boolean): Answer => {
  const setback = fromError(error)
  if (error.status === 404) return { _tag: "Expired", setback }
  return { _tag: passes && error.code !== malformedId ? "Again" : "Refused", setback }
}

/** Too early, too often, or the server's own trouble; whatever else an answer says of itself. */
const mayPass = (status: number): boolean =>
  status >= 500 || status === 429 || status === 408 || status === 409 || status === 425

/** Cloudflare keeps a run no longer than this: who asks for more patience asks for too much. */
const longestWait = Duration.seconds(360)

/** Waits before the next reconnect; false where no more are to be made. */
export type Wait = (setback: Setback) => Effect.Effect<boolean>

export const waits = (schedule: Schedule.Schedule<unknown, unknown>): Effect.Effect<Wait> => {
  const patient = Schedule.identity<Setback>().pipe(
    Schedule.intersect(Schedule.mapInput(schedule, ({ reason }: Setback) => reason)),
    Schedule.modifyDelay(([{ error }], delay) =>
      error?.retryAfter === undefined ? delay : Duration.max(delay, error.retryAfter)
    )
  )
  return Effect.map(
    Schedule.driver(patient),
    (driver): Wait =>
      (setback) => {
        const asked = setback.error?.retryAfter
        return asked !== undefined && Duration.greaterThan(asked, longestWait)
          ? Effect.succeed(false)
          : Effect.match(driver.next(setback), { onFailure: () => false, onSuccess: () => true })
      }
  )
}
