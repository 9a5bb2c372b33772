/** Sources in the answers of the vendors that speak OpenAI's chat. */
import type { Answer } from "./wire.js"

/** Where a citation stands in the answer, in characters; all of it if it says no part. */
export const spanOf = (
  text: string,
  part: string | undefined
): { readonly start: number; readonly end: number } => {
  const start = part === undefined ? 0 : Math.max(0, text.indexOf(part))
  return { start, end: start + (part ?? text).length }
}

const annotations = ({ citations, text }: Answer) =>
  citations.map(({ url, title, text: part }) => {
    const { start, end } = spanOf(text, part)
    return {
      type: "url_citation",
      url_citation: { url, title: title ?? url, start_index: start, end_index: end }
    }
  })

/** In the message, or in one delta. */
export const inMessage = (dialect: string, answer: Answer): Record<string, unknown> =>
  answer.citations.length > 0 && (dialect === "openai" || dialect === "openrouter")
    ? { annotations: annotations(answer) }
    : {}

/** Beside the choices: of the whole answer, or of the chunks that repeat them. */
export const besideChoices = (dialect: string, { citations }: Answer): Record<string, unknown> => {
  if (citations.length === 0) return {}
  const urls = citations.map(({ url }) => url)
  if (dialect === "grok") return { citations: urls }
  return dialect === "perplexity-ai"
    ? {
        citations: urls,
        search_results: citations.map(({ url, title }) => ({ title: title ?? url, url, date: null }))
      }
    : {}
}
