/** Texts and numbers within what a JSON Schema says of them. */
import type { JsonObject } from "./json.js"
import { samplePattern } from "./samplePattern.js"

const formats: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "12:00:00Z",
  duration: "PT1S",
  email: "user@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uuid: "00000000-0000-4000-8000-000000000000",
  uri: "https://example.com/"
}

/** A model reads descriptions. Effect's own say what a text is decoded into, and have no format for it. */
const described = (description: unknown): string | undefined => {
  const [, what] = /decoded into an? (\w+)/.exec(typeof description === "string" ? description : "") ?? []
  switch (what) {
    case "Date":
    case "DateTime":
      return formats["date-time"]
    case "number":
    case "bigint":
    case "BigDecimal":
      return "0"
    case "URL":
      return formats.uri
    case "boolean":
      return "true"
    default:
      return undefined
  }
}

const matches = (pattern: string, text: string): boolean => {
  try {
    return new RegExp(pattern, "u").test(text)
  } catch {
    return true
  }
}

/** Nobody means longer texts. */
const longest = 100_000

export const sampleString = (schema: JsonObject, text: string): string => {
  const known =
    (typeof schema.format === "string" ? formats[schema.format] : undefined) ?? described(schema.description)
  if (known !== undefined) return known
  const least = typeof schema.minLength === "number" ? Math.min(schema.minLength, longest) : 0
  const padded = text.padEnd(least, ".")
  const fitting = typeof schema.maxLength === "number" ? padded.slice(0, schema.maxLength) : padded
  if (typeof schema.pattern !== "string" || matches(schema.pattern, fitting)) return fitting
  return samplePattern(schema.pattern, least) ?? fitting
}

/** `whole` is 1 for integers. */
export const sampleNumber = (schema: JsonObject, whole: number | undefined): number => {
  const bound = (name: string) => (typeof schema[name] === "number" ? schema[name] : undefined)
  const step = bound("multipleOf") ?? whole
  const above = bound("exclusiveMinimum")
  const below = bound("exclusiveMaximum")
  const low = bound("minimum") === undefined ? above : Math.max(bound("minimum") ?? 0, above ?? -Infinity)
  const high = bound("maximum") ?? below
  if (step !== undefined) {
    if (low !== undefined) {
      const first = Math.ceil(low / step) * step
      return first === above ? first + step : first
    }
    if (high === undefined || high > 0) return 0
    const last = Math.floor(high / step) * step
    return last === below ? last - step : last
  }
  if (low !== undefined) {
    if (above === undefined || low > above) return low
    return high === undefined ? above + 1 : (above + high) / 2
  }
  if (high === undefined || high > 0) return 0
  return below === undefined ? high : below - 1
}
