/** The gateway's own rate limit: so many requests in any interval, a sliding window. */

import { millis } from "./builtIn.js"
import type { Options } from "./options.js"

export interface RateLimit {
  /** Counts a request if there is room for it, and says whether there was. */
  readonly take: (now: number) => boolean
  readonly clear: () => void
}

export const makeRateLimit = (limit: Options["rateLimit"]): RateLimit => {
  let times: Array<number> = []
  return {
    take: (now) => {
      if (limit === undefined) return true
      const since = now - millis(limit.interval)
      times = times.filter((time) => time > since)
      if (times.length >= limit.limit) return false
      times.push(now)
      return true
    },
    clear: () => {
      times = []
    }
  }
}
