/** A conversation as Anthropic's messages. Source: `protocol/wire-formats.md` §7.2. */
import * as Encoding from "effect/Encoding"
import type { AssistantPart, FilePart, ImagePart, Message, ToolResultPart, UserPart } from "../../Message.js"
import { isRecord, type JsonRecord, parseJson } from "../json.js"
import { hasBytes } from "./media.js"
import * as CallIds from "./uniqueCallIds.js"

export interface Conversation {
  readonly system: string | ReadonlyArray<JsonRecord> | undefined
  readonly messages: ReadonlyArray<JsonRecord>
}

/** `refuse` is told what Anthropic does not take. It is left out. */
export const encode = (
  messages: ReadonlyArray<Message>,
  provider: string,
  refuse: (feature: string) => void
): Conversation => {
  const system: Array<string> = []
  const encoded: Array<JsonRecord> = []
  const ids = CallIds.make(Infinity)
  // All results of a turn are one message, and it stands right behind their calls, whatever else was said.
  let results: Array<JsonRecord> = []
  let behindCalls = 0
  const placeResults = (): void => {
    if (results.length > 0) encoded.splice(behindCalls, 0, { role: "user", content: results })
    results = []
  }
  // A message without a block is refused.
  const push = (role: "user" | "assistant", content: string | ReadonlyArray<JsonRecord>): void => {
    if (typeof content === "string" ? !isBlank(content) : content.length > 0) encoded.push({ role, content })
  }
  for (const message of messages) {
    switch (message.role) {
      case "system":
        if (!isBlank(message.content)) system.push(message.content)
        break
      case "tool":
        for (const part of message.content) results.push(encodeResult(part, ids))
        break
      case "user":
        push(
          "user",
          typeof message.content === "string"
            ? message.content
            : message.content.flatMap((part) => encodeUserPart(part, refuse))
        )
        break
      case "assistant":
        placeResults()
        ids.turn()
        push(
          "assistant",
          typeof message.content === "string"
            ? message.content
            : message.content.flatMap((part) => encodePart(part, provider, ids))
        )
        behindCalls = encoded.length
    }
  }
  placeResults()
  return {
    system: system.length > 1 ? system.map((text) => ({ type: "text", text })) : system[0],
    messages: encoded
  }
}

/** A text of nothing but white space is refused. */
const isBlank = (text: string): boolean => text.trim() === ""

// --- what the user says -----------------------------------------------------------------------------------------------

const encodeUserPart = (part: UserPart, refuse: (feature: string) => void): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      return isBlank(part.text) ? [] : [{ type: "text", text: part.text }]
    case "image":
      return encodeImage(part, refuse)
    case "file":
      return encodeFile(part, refuse)
  }
}

const imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"]

const encodeImage = ({ source }: ImagePart, refuse: (feature: string) => void): ReadonlyArray<JsonRecord> => {
  if (!hasBytes(source)) return byUrl("image", source.url, refuse)
  const mediaType = source.mediaType.toLowerCase()
  const { data } = source
  if (!imageTypes.includes(mediaType)) {
    refuse(`images of type ${mediaType}`)
    return []
  }
  return [{ type: "image", source: { type: "base64", media_type: mediaType, data } }]
}

const encodeFile = (
  { source, filename }: FilePart,
  refuse: (feature: string) => void
): ReadonlyArray<JsonRecord> => {
  const title = filename === undefined ? {} : { title: filename }
  // Only a PDF may be at a URL.
  if (!hasBytes(source)) return byUrl("document", source.url, refuse, title)
  const mediaType = source.mediaType.toLowerCase()
  const { data } = source
  if (mediaType === "application/pdf") {
    return [{ type: "document", source: { type: "base64", media_type: mediaType, data }, ...title }]
  }
  const text = isText(mediaType) ? utf8(data) : undefined
  if (text === undefined || isBlank(text)) {
    refuse(`files of type ${mediaType}`)
    return []
  }
  return [{ type: "document", source: { type: "text", media_type: "text/plain", data: text }, ...title }]
}

const byUrl = (
  type: "image" | "document",
  url: string,
  refuse: (feature: string) => void,
  more: JsonRecord = {}
): ReadonlyArray<JsonRecord> => {
  if (/^https?:/i.test(url)) return [{ type, source: { type: "url", url }, ...more }]
  refuse(`${type === "image" ? "images" : "files"} by URL`)
  return []
}

/** Every text is `text/plain` to Anthropic. */
const isText = (mediaType: string): boolean =>
  mediaType.startsWith("text/") || mediaType === "application/json"

const utf8 = (base64: string): string | undefined => {
  const bytes = Encoding.decodeBase64(base64)
  if (bytes._tag === "Left") return undefined
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes.right)
  } catch {
    return undefined
  }
}

// --- what the model said ----------------------------------------------------------------------------------------------

const encodePart = (
  part: AssistantPart,
  provider: string,
  ids: CallIds.CallIds
): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      return isBlank(part.text) ? [] : [{ type: "text", text: part.text }]
    case "reasoning": {
      const block = thoughtOf(part, provider)
      return block === undefined ? [] : [block]
    }
    case "tool-call": {
      const input = parseJson(part.arguments)
      return [
        { type: "tool_use", id: ids.open(part.id), name: part.name, input: isRecord(input) ? input : {} }
      ]
    }
  }
}

/** Only a signed block is accepted, and only by who signed it. */
export const thoughtOf = (part: AssistantPart, provider: string): JsonRecord | undefined => {
  if (part.type !== "reasoning") return undefined
  const { opaque } = part
  if (opaque === undefined || opaque.provider !== provider || !isRecord(opaque.data)) return undefined
  const { type } = opaque.data
  return type === "thinking" || type === "redacted_thinking" ? opaque.data : undefined
}

// --- what tools gave --------------------------------------------------------------------------------------------------

const encodeResult = (part: ToolResultPart, ids: CallIds.CallIds): JsonRecord => {
  const failed = part.isError === true
  // An error must say something.
  const content = part.result === "" && failed ? "The tool failed." : part.result
  return {
    type: "tool_result",
    tool_use_id: ids.of(part.id),
    ...(content === "" ? {} : { content }),
    ...(failed ? { is_error: true } : {})
  }
}
