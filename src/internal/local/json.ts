/** Looking into JSON that somebody else wrote. */

export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {})

export const asArray = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** The value, or `undefined` if the text is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Words in a text: what the built-in models count as tokens. */
export const words = (text: string): number => text.match(/\S+/g)?.length ?? 0

/** The text in pieces, one word each; the pieces join to the text again. */
export const wordByWord = (text: string): ReadonlyArray<string> => text.match(/\s*\S+|\s+$/g) ?? []
