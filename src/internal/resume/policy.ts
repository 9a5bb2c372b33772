/** How a stream of the run path is taken up again after it broke off. */
import type * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/**
 * How a stream that broke off is taken up again. Cloudflare keeps what a run has answered for some minutes (about 330 to
 * 360 seconds were measured), and reads it again from any event. Source: `protocol/gateway.md` §5.10.
 *
 * A stream that was interrupted is never taken up again. The idle clock of the model goes on while it is reconnected.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResumeOptions {
  /**
   * The waits between reconnects, and how many there are. It begins afresh whenever an event has come. A server that asks
   * for a longer wait (`retry-after`) gets it. Default: five reconnects; the first wait is 250 ms, each next one is
   * twice as long, with jitter.
   */
  readonly schedule?: Schedule.Schedule<unknown, unknown> | undefined
  /**
   * What happens when the run is gone: the stream fails with `ResumeFailed` (`"fail"`, the default), or ends with what has
   * come (`"accept"`), as a `Finish` with the reason `other` and the raw reason `expired`. A stream of which nothing has
   * come fails nevertheless.
   */
  readonly whenExpired?: "fail" | "accept" | undefined
  /**
   * Told after each network read that held whole events: `from` is how many there are by now, which is where another
   * invocation would go on. It never decreases.
   *
   * It runs beside the stream, which does not wait for it, and never twice at once: where it is slower than the stream,
   * numbers in between are left out. The last one is told even if the stream is closed meanwhile. Its defects are logged
   * at debug level and change nothing.
   */
  readonly onProgress?: ((progress: Progress) => Effect.Effect<void>) | undefined
}

/**
 * How far a stream has come.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  /** The run (`cf-aig-run-id`). */
  readonly runId: string
  /** Whole server-sent events since the beginning of the run. */
  readonly from: number
}

let standard: Schedule.Schedule<unknown, unknown> | undefined

/** Five reconnects, after about 0.25, 0.5, 1, 2 and 4 seconds, with jitter. */
export const defaultSchedule = (): Schedule.Schedule<unknown, unknown> =>
  (standard ??= Schedule.exponential("250 millis").pipe(
    Schedule.jittered,
    Schedule.intersect(Schedule.recurs(5))
  ))
