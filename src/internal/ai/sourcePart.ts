/** The sources that a model named. */
import type * as Response from "@effect/ai/Response"
import type { Citation } from "../../ChatResponse.js"

/**
 * A source with a URL, else a document. Of a document `@effect/ai` wants a media type, which no citation of ours has:
 * `application/octet-stream` is the media type for "not known".
 */
export const toSourcePart = (
  citation: Citation,
  id: string
): Response.UrlSourcePartEncoded | Response.DocumentSourcePartEncoded => {
  const { url, title, text } = citation
  const metadata = { aiGateway: { ...citation } }
  return url !== undefined && isUrl(url)
    ? { type: "source", sourceType: "url", id, url, title: title ?? url, metadata }
    : {
        type: "source",
        sourceType: "document",
        id,
        mediaType: "application/octet-stream",
        title: title ?? url ?? text ?? "",
        metadata
      }
}

/** Text that is no URL would fail the whole answer where it is decoded. */
const isUrl = (text: string): boolean => {
  try {
    return new URL(text) !== undefined
  } catch {
    return false
  }
}
