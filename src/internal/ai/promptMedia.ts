/** The files of a prompt: what is an image, and where the content is. */
import type { FilePart } from "@effect/ai/Prompt"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Message from "../../Message.js"
import { isRecord } from "../json.js"

/**
 * A file of a prompt. Left: why no model can take it.
 *
 * Base64 has no colon, so text with a scheme is a URL: a prompt that went through JSON has its `URL`s as text.
 */
export const toMedia = (part: FilePart): Either.Either<Message.ImagePart | Message.FilePart, string> => {
  const { data, fileName, mediaType } = part
  const image = mediaType.startsWith("image/")
  const url = data instanceof URL ? data.href : typeof data === "string" && isUrl(data) ? data : undefined
  if (url !== undefined) return Either.right(image ? imageOf(url, part) : fileOf(url, fileName))
  if (typeof data !== "string" && !(data instanceof Uint8Array))
    return Either.left("its data must be base64 text, bytes or a URL")
  const known = mediaType === "image/*" ? sniff(data) : mediaType
  if (known === undefined)
    return Either.left("its mediaType is image/*, and what kind of image it is cannot be seen in its bytes")
  const source = { data, mediaType: known }
  return Either.right(image ? imageOf(source, part) : fileOf(source, fileName))
}

type Source = string | Message.MediaBytes

const imageOf = (source: Source, part: FilePart): Message.ImagePart =>
  Message.image(source, { detail: detailOf(part) })

const fileOf = (source: Source, fileName: string | undefined): Message.FilePart =>
  Message.file(source, { filename: fileName === "" ? undefined : fileName })

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(text.slice(0, 40))

/** Ours, else the one that `@effect/ai-openai` has for the same. */
const detailOf = ({ options }: FilePart): Message.ImagePart["detail"] => {
  const openAi: unknown = options.openai
  const detail: unknown = options.aiGateway?.detail ?? (isRecord(openAi) ? openAi.imageDetail : undefined)
  return detail === "auto" || detail === "low" || detail === "high" ? detail : undefined
}

/** The kinds of images that vendors take, by their first bytes. */
const sniff = (data: string | Uint8Array): string | undefined => {
  const decoded = typeof data === "string" ? Encoding.decodeBase64(data.slice(0, 16)) : undefined
  const bytes = decoded === undefined ? data : decoded._tag === "Right" ? decoded.right : undefined
  if (!(bytes instanceof Uint8Array)) return undefined
  const begins = (at: number, ...expected: ReadonlyArray<number>): boolean =>
    expected.every((byte, index) => bytes[at + index] === byte)
  if (begins(0, 0x89, 0x50, 0x4e, 0x47)) return "image/png"
  if (begins(0, 0xff, 0xd8, 0xff)) return "image/jpeg"
  if (begins(0, 0x47, 0x49, 0x46, 0x38)) return "image/gif"
  return begins(0, 0x52, 0x49, 0x46, 0x46) && begins(8, 0x57, 0x45, 0x42, 0x50) ? "image/webp" : undefined
}
