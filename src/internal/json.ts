/** Looking into JSON of unknown shape without trusting it. */

export type JsonRecord = Readonly<Record<string, unknown>>

export const isRecord = (u: unknown): u is JsonRecord =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** The text at a key; empty text counts as absent. */
export const textAt = (record: JsonRecord, key: string): string | undefined => {
  const value = record[key]
  return typeof value === "string" && value !== "" ? value : undefined
}

/** The count at a key. Anything but a finite number from 0 counts as absent: usage never fails an answer. */
export const countAt = (record: JsonRecord, key: string): number | undefined => {
  const value = record[key]
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** The record at a key. */
export const recordAt = (record: JsonRecord, key: string): JsonRecord | undefined => {
  const value = record[key]
  return isRecord(value) ? value : undefined
}

/** The array at a key; absent counts as empty. */
export const arrayAt = (record: JsonRecord, key: string): ReadonlyArray<unknown> => {
  const value = record[key]
  return Array.isArray(value) ? value : []
}

/** Adds what is known; absent if neither is. */
export const sum = (...counts: ReadonlyArray<number | undefined>): number | undefined => {
  let total: number | undefined
  for (const count of counts) if (count !== undefined) total = (total ?? 0) + count
  return total
}

/** Names the type of a value, for a message about a wrong one. */
export const typeName = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`
}

/** Parses, or gives `undefined`, which no JSON text means. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The text of a value. What `JSON.parse` accepts can be nested deeper than `JSON.stringify` can follow: then, nothing. */
export const stringify = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Joins vendor fields into a body: plain objects merge, everything else replaces. */
export const mergeBody = (body: JsonRecord, extra: JsonRecord): Record<string, unknown> => {
  const merged: Record<string, unknown> = { ...body }
  for (const [key, value] of Object.entries(extra)) {
    const present = merged[key]
    merged[key] = isRecord(present) && isRecord(value) ? mergeBody(present, value) : value
  }
  return merged
}
