/** The sources that Perplexity and xAI name beside their choices. Source: `protocol/wire-formats.md` §4.4 and §4.5. */
import type { Citation } from "../../ChatResponse.js"
import { arrayAt, isRecord, type JsonRecord, textAt } from "../json.js"

/**
 * Addresses in `citations`, which the text counts from 1, and what `search_results` knows of each. A result without an
 * address among them is no citation: nothing in the text can name it.
 */
export const sourcesAt = (json: JsonRecord): ReadonlyArray<Citation> => {
  const results = arrayAt(json, "search_results").filter(isRecord)
  const addresses = arrayAt(json, "citations")
  if (addresses.length === 0) return results.map((result) => sourceOf(textAt(result, "url"), result))
  return addresses.flatMap((url) =>
    typeof url === "string" && url !== ""
      ? [
          sourceOf(
            url,
            results.find((result) => result.url === url)
          )
        ]
      : []
  )
}

const sourceOf = (url: string | undefined, result: JsonRecord | undefined): Citation => ({
  url,
  title: result === undefined ? undefined : textAt(result, "title"),
  raw: result ?? url
})
