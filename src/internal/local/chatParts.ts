/** The parts of a message in OpenAI's chat: what each vendor's schema lets in. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { invalid, type Problem } from "./wire.js"

export interface Parts {
  readonly images: number
  readonly files: number
}

export interface PartRules {
  /** Mistral takes the URL of an image as a text as well. */
  readonly bareImageUrl: boolean
  /** The types of parts that carry files. */
  readonly fileTypes: ReadonlyArray<string>
  /** OpenRouter takes the URL of a file as well. */
  readonly fileUrls: boolean
}

const types: Readonly<Record<string, ReadonlyArray<string>>> = {
  system: ["text"],
  developer: ["text"],
  tool: ["text"],
  user: ["text", "image_url", "input_audio"],
  assistant: ["text", "refusal", "thinking", "reference"]
}

const isUrl = (url: unknown): boolean =>
  typeof url === "string" &&
  (/^https?:\/\/[^/]+/.test(url) || /^data:[\w.+-]+\/[\w.+-]+;base64,[A-Za-z0-9+/]+={0,2}$/.test(url))

const badImage = (part: JsonObject, at: string, rules: PartRules): Problem | undefined => {
  const image = part.image_url
  if (typeof image === "string" && !rules.bareImageUrl)
    return invalid(
      `Invalid type for '${at}.image_url': expected an object, but got a string instead.`,
      `${at}.image_url`,
      "invalid_type"
    )
  const url = isObject(image) ? image.url : image
  if (typeof url === "string" && /^data:/.test(url) && !/^data:image\/(png|jpe?g|gif|webp);/.test(url))
    return invalid(
      "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
      undefined,
      "invalid_image_format"
    )
  return isUrl(url)
    ? undefined
    : invalid(
        `Invalid '${at}.image_url.url'. Expected a valid URL, but got a value with an invalid format.`,
        `${at}.image_url.url`,
        "invalid_value"
      )
}

const badFile = (part: JsonObject, at: string, rules: PartRules): Problem | undefined => {
  if (part.type === "document_url")
    return isUrl(part.document_url)
      ? undefined
      : invalid("document_url: Input should be a valid URL", `${at}.document_url`)
  const file = asObject(part.file)
  if (typeof file.file_id === "string") return undefined
  if (typeof file.file_data !== "string")
    return invalid(
      `Missing required parameter: '${at}.file.file_data'.`,
      `${at}.file`,
      "missing_required_parameter"
    )
  if (!(rules.fileUrls ? isUrl(file.file_data) : /^data:[\w.+-]+\/[\w.+-]+;base64,/.test(file.file_data)))
    return invalid(
      `Invalid '${at}.file.file_data'. Expected a base64-encoded data URL with a MIME type (e.g. 'data:application/pdf;base64,...'), but got unsupported MIME type ''.`,
      `${at}.file.file_data`,
      "invalid_value"
    )
  return typeof file.filename === "string"
    ? undefined
    : invalid(
        `Missing required parameter: '${at}.file.filename'.`,
        `${at}.file.filename`,
        "missing_required_parameter"
      )
}

/** Counts what is no text, or says which part is wrong. */
export const partsOf = (content: unknown, role: string, at: string, rules: PartRules): Parts | Problem => {
  let images = 0
  let files = 0
  for (const [index, raw] of asArray(content).entries()) {
    const place = `${at}[${index}]`
    const part = asObject(raw)
    const type = typeof part.type === "string" ? part.type : ""
    const allowed = [...(types[role] ?? []), ...(role === "user" ? rules.fileTypes : [])]
    if (!allowed.includes(type))
      return invalid(
        `Invalid value: '${type}'. Supported values are: ${allowed.map((name) => `'${name}'`).join(", ")}.`,
        `${place}.type`,
        "invalid_value"
      )
    if (type === "text" && typeof part.text !== "string")
      return invalid(
        `Missing required parameter: '${place}.text'.`,
        `${place}.text`,
        "missing_required_parameter"
      )
    if (type === "image_url") {
      const problem = badImage(part, place, rules)
      if (problem !== undefined) return problem
      images++
    }
    if (type === "file" || type === "document_url") {
      const problem = badFile(part, place, rules)
      if (problem !== undefined) return problem
      files++
    }
  }
  return { images, files }
}
