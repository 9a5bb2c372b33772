/**
 * When a counter that is used up starts again, as OpenAI, Azure, Groq, Cerebras and Anthropic tell beside a 429 that has no
 * `retry-after`. Source: `protocol/wire-formats.md` §12.4.
 */
import { field, type Headers } from "./text.js"

/** A counter that is empty, by the header that says what remains of it, and the header that says until when. */
const counters: ReadonlyArray<readonly [remaining: RegExp, reset: (counter: string) => string]> = [
  [/^x-ratelimit-remaining-(.{1,60})$/, (counter) => `x-ratelimit-reset-${counter}`],
  [/^anthropic-ratelimit-(.{1,60})-remaining$/, (counter) => `anthropic-ratelimit-${counter}-reset`]
]

/**
 * The longest wait of the counters that are used up, in milliseconds; undefined where none is, or its header cannot be
 * read. Those that have something left say nothing about this request: theirs is often the end of a day.
 */
export const untilReset = (headers: Headers, now: number | undefined): number | undefined => {
  let longest: number | undefined
  for (const name of Object.keys(headers)) {
    for (const [remaining, reset] of counters) {
      const counter = remaining.exec(name)?.[1]
      if (counter === undefined || !/^\s*0+(?:\.0+)?\s*$/.test(headers[name] ?? "")) continue
      const wait = millisOf(field(headers, reset(counter)), now)
      if (wait !== undefined && (longest === undefined || wait > longest)) longest = wait
    }
  }
  return longest
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Seconds (`33011.38`), a duration as Go writes it (`1m12.5s`, `17ms`), or a date of RFC 3339. */
const millisOf = (value: unknown, now: number | undefined): number | undefined => {
  if (typeof value !== "string" || value.length > 60) return undefined
  const text = value.trim()
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  if (/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    let millis = 0
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
      millis += Number(amount) * (units[unit ?? ""] ?? 0)
    return millis
  }
  if (
    now === undefined ||
    !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text)
  )
    return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) || time < now ? undefined : time - now
}
