/** The types of times, part of the public module `LocalGateway`. */
import type * as Duration from "effect/Duration"

/**
 * A length of time: `"2 seconds"`, `Duration.millis(50)`. A bare number does not compile, because nothing in
 * it says whether it means seconds or milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type Time = Exclude<Duration.DurationInput, number | bigint>

/**
 * Time, for a gateway: real by default, the Effect `Clock` in `layer` and `layerFrom`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timing {
  /** Unix milliseconds. */
  readonly now: () => number
  /** Resolves after so many milliseconds; rejects with the signal's reason when it aborts. */
  readonly sleep: (millis: number, signal: AbortSignal) => Promise<void>
}
