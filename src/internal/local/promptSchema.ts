/** A JSON Schema that a prompt quotes: what a model is told to fit where its vendor takes no schema. */
import { isObject, parseJson } from "./json.js"

/** Longer prompts are not searched: each brace of one is tried. */
const longest = 100_000

/** The place behind the object that opens at `start`; braces inside of texts do not count. */
const endOf = (text: string, start: number): number | undefined => {
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === "\\") at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === "{") depth++
    else if (char === "}" && --depth === 0) return at + 1
  }
  return undefined
}

/** The first JSON object in the texts that is the schema of an object. */
export const promptSchema = (texts: ReadonlyArray<string>): unknown => {
  for (const text of texts) {
    if (text.length > longest) continue
    for (let start = text.indexOf("{"); start >= 0; start = text.indexOf("{", start + 1)) {
      const end = endOf(text, start)
      if (end === undefined) break
      const value = parseJson(text.slice(start, end))
      if (!isObject(value)) continue
      if (value.type === "object" && isObject(value.properties)) return value
      // Not a schema: nothing inside of it is one for the answer.
      start = end - 1
    }
  }
  return undefined
}
