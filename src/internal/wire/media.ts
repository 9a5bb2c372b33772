/** Images and files on their way out: what the encoders of several wire formats have in common. */
import type { Media } from "../../Message.js"

export type MediaBytes = Extract<Media, { readonly data: string }>

/** Does the message hold the bytes itself? */
export const hasBytes = (source: Media): source is MediaBytes => "data" in source

/** A URL for what has none of its own too. */
export const urlOf = (source: Media): string =>
  hasBytes(source) ? `data:${source.mediaType};base64,${source.data}` : source.url

/** The bytes, where the message holds them itself, be it as a `data:` URL, which vendors do not fetch. */
export const bytesOf = (source: Media): MediaBytes | undefined => {
  if (hasBytes(source)) return source
  if (!/^data:/i.test(source.url)) return undefined
  const comma = source.url.indexOf(",")
  const [mediaType = "", ...parameters] = source.url.slice("data:".length, comma).split(";")
  return comma < 0 || parameters.at(-1)?.toLowerCase() !== "base64" || mediaType === ""
    ? undefined
    : { mediaType: mediaType.toLowerCase(), data: source.url.slice(comma + 1) }
}
