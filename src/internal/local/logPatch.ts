/** What feedback may change of a log entry. Cloudflare documents the values, not what it answers to others. */
import { isObject } from "./json.js"
import type { LogEntry } from "./records.js"

export type LogPatch = Partial<Pick<LogEntry, "feedback" | "score" | "metadata">>

type Metadata = LogEntry["metadata"]

const isFlat = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) &&
  Object.values(value).every((item) => item === null || ["string", "number", "boolean"].includes(typeof item))

const plainEntries = (value: Readonly<Record<string, unknown>>): Metadata =>
  Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null)
  )

/** The changes, or what is wrong with them. `null` takes a value away. */
export const logPatchOf = (body: unknown): LogPatch | string => {
  if (!isObject(body)) return "The body must be an object"
  const { feedback, score, metadata } = body
  const patch: { -readonly [K in keyof LogPatch]: LogPatch[K] } = {}
  if (feedback !== undefined) {
    if (feedback !== 1 && feedback !== -1 && feedback !== null) return "feedback must be 1, -1 or null"
    patch.feedback = feedback ?? undefined
  }
  if (score !== undefined) {
    if (score !== null && !(typeof score === "number" && score >= 0 && score <= 100))
      return "score must be a number from 0 to 100, or null"
    patch.score = score ?? undefined
  }
  if (metadata !== undefined) {
    if (metadata !== null && !isFlat(metadata)) return "metadata must be flat: texts, numbers and booleans"
    patch.metadata = metadata === null ? {} : plainEntries(metadata)
  }
  return patch
}
