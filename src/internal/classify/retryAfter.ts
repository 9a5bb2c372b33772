/**
 * How long the server asked to be left alone.
 */
import * as Duration from "effect/Duration"
import { untilReset } from "./resetHeaders.js"
import { field, type Headers } from "./text.js"

const number = (text: unknown): number | undefined => {
  if (typeof text !== "string" || !/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

// `Date.parse` alone would read "soon 1" as a day in 2001, so only the three HTTP forms and ISO 8601 pass.
const dates = [
  /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|UTC)$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/
]
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

const date = (text: string): number | undefined => {
  const trimmed = text.trim()
  const known = dates.some((form) => form.test(trimmed))
  if (!known && !asctime.test(trimmed)) return undefined
  // The asctime form has no zone, and HTTP means GMT by it; without one it would be read as local time.
  const time = Date.parse(known ? trimmed : `${trimmed} GMT`)
  return Number.isNaN(time) ? undefined : time
}

const fromSeconds = (header: unknown, now: number | undefined): number | undefined => {
  const seconds = number(header)
  if (seconds !== undefined) return seconds * 1000
  if (typeof header !== "string" || now === undefined || !Number.isFinite(now)) return undefined
  const time = date(header)
  return time === undefined || time < now ? undefined : time - now
}

const fromHeaders = (headers: Headers, now: number | undefined): number | undefined => {
  const millis = number(field(headers, "retry-after-ms"))
  const seconds = fromSeconds(field(headers, "retry-after"), now)
  if (millis === undefined || seconds === undefined) return millis ?? seconds
  // `retry-after` is the other one rounded up to a second. A larger gap means that one of them is wrong (Azure
  // sends 0 ms beside 1 s), and then only the longer wait is never too early.
  return seconds - millis >= 1000 ? seconds : millis
}

const inWords = /\b(?:try again|retry) (?:in|after) (\d{1,6}(?:\.\d{1,6})?) ?s(?:ec(?:ond)?s?)?\b/i

/** Google's `RetryInfo`, the words in OpenRouter's `metadata.raw`, and the `retry_after` of the edge's own JSON. */
const fromBody = (json: unknown): number | undefined => {
  const body = Array.isArray(json) ? json[0] : json
  const details = field(field(body, "error"), "details")
  if (Array.isArray(details)) {
    for (const detail of details) {
      const delay = field(detail, "retryDelay")
      if (typeof delay !== "string") continue
      const seconds = number(/^(.+)s$/.exec(delay.trim())?.[1])
      if (seconds !== undefined) return seconds * 1000
    }
  }
  const raw = field(field(field(body, "error"), "metadata"), "raw")
  if (typeof raw === "string") {
    // OpenRouter passes on what its provider said.
    const seconds = number(inWords.exec(raw.slice(0, 2000))?.[1])
    if (seconds !== undefined) return seconds * 1000
  }
  if (field(body, "cloudflare_error") !== true) return undefined
  const seconds = field(body, "retry_after")
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

/**
 * The pause that a failed response asks for, from `retry-after-ms`, `retry-after` (seconds, or a date where `now`
 * is known) or the body (Google's `RetryInfo`). Where two differ, the longer one, so that a retry is never early. Where none of
 * them says anything, and `limited` (a 429), the reset of a rate limit's counter that is used up.
 * What cannot be read, is negative or is a date in the past counts as absent.
 *
 * Only for failures: some providers send `retry-after` with a success.
 *
 * @since 0.1.0
 */
export const retryAfter = (
  headers: Headers,
  json: unknown,
  now?: number,
  limited = false
): Duration.Duration | undefined => {
  const body = fromBody(json)
  const header =
    fromHeaders(headers, now) ?? (limited && body === undefined ? untilReset(headers, now) : undefined)
  if (header === undefined && body === undefined) return undefined
  const longest = Math.ceil(Math.max(header ?? 0, body ?? 0))
  return Number.isFinite(longest) ? Duration.millis(longest) : undefined
}
