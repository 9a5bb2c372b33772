/** How the client's clocks are set, and what holds where nothing is set. */
import * as Duration from "effect/Duration"
import type { DurationWithUnit } from "../RequestOptions.js"
import { InvalidRequest } from "./errors.js"

/**
 * The client's own clocks. They close the socket and fail with `ModelTimeout`. `Duration.infinity`
 * turns one off.
 *
 * @since 0.1.0
 * @category models
 */
export interface Timeouts {
  /**
   * To the first content of a stream. Comments, pings and empty deltas do not stop it. It starts anew for each leg and
   * each retry. Default 5 minutes.
   */
  readonly firstEvent?: DurationWithUnit | undefined
  /** Between two network reads of a stream; any byte counts. Default 2 minutes. */
  readonly idle?: DurationWithUnit | undefined
  /** The whole call, waits and all legs included. Default 10 minutes for a call that does not stream, none for a stream. */
  readonly total?: DurationWithUnit | undefined
}

/** In milliseconds; absent where nothing was set. */
export interface TimeoutMillis {
  readonly firstEvent: number | undefined
  readonly idle: number | undefined
  readonly total: number | undefined
}

export const defaultFirstEvent = 5 * 60_000
export const defaultIdle = 2 * 60_000
export const defaultTotal = 10 * 60_000

export const toMillis = (timeouts: Timeouts): TimeoutMillis | InvalidRequest => {
  const read = (field: keyof Timeouts): number | undefined | InvalidRequest => {
    const value: unknown = timeouts[field]
    if (value === undefined) return undefined
    const duration =
      typeof value === "number" || typeof value === "bigint" ? undefined : Duration.decodeUnknown(value)
    if (duration === undefined || duration._tag === "None" || !(Duration.toMillis(duration.value) > 0)) {
      return new InvalidRequest({
        field: `timeouts.${field}`,
        message: `timeouts.${field} must be a duration above zero, such as "30 seconds".`
      })
    }
    return Duration.toMillis(duration.value)
  }
  const firstEvent = read("firstEvent")
  const idle = read("idle")
  const total = read("total")
  for (const value of [firstEvent, idle, total]) if (value instanceof InvalidRequest) return value
  return {
    firstEvent: typeof firstEvent === "number" ? firstEvent : undefined,
    idle: typeof idle === "number" ? idle : undefined,
    total: typeof total === "number" ? total : undefined
  }
}
