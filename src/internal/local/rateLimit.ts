/** The gateway's own rate limit: so many requests in an interval, which slides or is fixed. */

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
      const interval = millis(limit.interval)
      const since = limit.technique === "fixed" ? Math.floor(now / interval) * interval - 1 : now - interval
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
