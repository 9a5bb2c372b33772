/** A conversation in the form that Bedrock's Converse takes. Source: `protocol/wire-formats.md` §10.1. */
import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Media,
  Message,
  ToolResultPart,
  UserPart
} from "../../Message.js"
import { isRecord, type JsonRecord, parseJson } from "../json.js"
import type { BedrockModel } from "./bedrockConverseModels.js"
import { bytesOf, type MediaBytes } from "./media.js"
import * as CallIds from "./uniqueCallIds.js"

export interface EncodedMessages {
  readonly system: ReadonlyArray<JsonRecord>
  readonly messages: ReadonlyArray<JsonRecord>
}

/** An id of a call has 64 characters at the most. */
const longestId = 64

/** `refuse` is told what Bedrock does not take. It is left out. */
export const encode = (
  messages: ReadonlyArray<Message>,
  provider: string,
  model: BedrockModel,
  refuse: (feature: string) => void
): EncodedMessages => {
  const system: Array<JsonRecord> = []
  const turns: Array<{ readonly role: "user" | "assistant"; readonly content: Array<JsonRecord> }> = []
  const ids = CallIds.make(longestId)
  const documentName = makeNames()
  // Roles must alternate.
  const add = (role: "user" | "assistant", blocks: ReadonlyArray<JsonRecord>): void => {
    if (blocks.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: [...blocks] })
  }
  const encodeUserPart = (part: UserPart): JsonRecord | undefined => {
    if (part.type === "text") return isBlank(part.text) ? undefined : { text: part.text }
    if (part.type === "image") return encodeImage(part, model, refuse)
    return encodeFile(part, documentName, refuse)
  }
  for (const message of messages) {
    switch (message.role) {
      case "system":
        if (!isBlank(message.content)) system.push({ text: message.content })
        break
      case "user":
        add(
          "user",
          typeof message.content === "string"
            ? [{ text: message.content }]
            : message.content.map(encodeUserPart).filter((block) => block !== undefined)
        )
        break
      case "tool":
        add(
          "user",
          message.content.map((part) => encodeResult(part, ids))
        )
        break
      case "assistant":
        ids.turn()
        add(
          "assistant",
          typeof message.content === "string"
            ? textBlock(message.content)
            : message.content.flatMap((part) => encodeAssistantPart(part, provider, ids))
        )
    }
  }
  return { system, messages: turns }
}

/** A text of nothing but white space is refused everywhere. */
const isBlank = (text: string): boolean => text.trim() === ""

const textBlock = (text: string): ReadonlyArray<JsonRecord> => (isBlank(text) ? [] : [{ text }])

const encodeAssistantPart = (
  part: AssistantPart,
  provider: string,
  ids: CallIds.CallIds
): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      return textBlock(part.text)
    case "reasoning": {
      const block = thoughtOf(part, provider)
      return block === undefined ? [] : [block]
    }
    case "tool-call": {
      const input = parseJson(part.arguments)
      return [
        { toolUse: { toolUseId: ids.open(part.id), name: part.name, input: isRecord(input) ? input : {} } }
      ]
    }
  }
}

/** Only signed reasoning is taken back, and only by who signed it. */
export const thoughtOf = (part: AssistantPart, provider: string): JsonRecord | undefined =>
  part.type === "reasoning" &&
  part.opaque?.provider === provider &&
  isRecord(part.opaque.data) &&
  isRecord(part.opaque.data.reasoningContent)
    ? part.opaque.data
    : undefined

const encodeResult = (part: ToolResultPart, ids: CallIds.CallIds): JsonRecord => ({
  toolResult: {
    toolUseId: ids.of(part.id),
    // Neither an empty text nor an empty list is taken.
    content: [{ text: isBlank(part.result) ? "(no output)" : part.result }],
    ...(part.isError === true ? { status: "error" } : {})
  }
})

// --- images and files ---------------------------------------------------------------------------------------------------

const imageFormats: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/jpg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp"
}

const documentFormats: Readonly<Record<string, string>> = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md"
}

const encodeImage = (
  { source }: ImagePart,
  model: BedrockModel,
  refuse: (feature: string) => void
): JsonRecord | undefined => {
  if (model.textOnly) {
    refuse("images")
    return undefined
  }
  const found = inline(source, "images", imageFormats, refuse)
  return found === undefined
    ? undefined
    : { image: { format: found.format, source: { bytes: found.media.data } } }
}

const encodeFile = (
  { source, filename }: FilePart,
  nameOf: (filename: string | undefined) => string,
  refuse: (feature: string) => void
): JsonRecord | undefined => {
  const found = inline(source, "files", documentFormats, refuse)
  return found === undefined
    ? undefined
    : { document: { format: found.format, name: nameOf(filename), source: { bytes: found.media.data } } }
}

/** The bytes and Bedrock's word for what they are; it fetches nothing by URL. */
const inline = (
  source: Media,
  kind: "images" | "files",
  formats: Readonly<Record<string, string>>,
  refuse: (feature: string) => void
): { readonly media: MediaBytes; readonly format: string } | undefined => {
  const media = bytesOf(source)
  if (media === undefined) {
    refuse(`${kind} by URL`)
    return undefined
  }
  const type = (media.mediaType.split(";")[0] ?? "").trim().toLowerCase()
  const format = Object.hasOwn(formats, type) ? formats[type] : undefined
  if (format === undefined) {
    refuse(`${kind} of type ${type}`)
    return undefined
  }
  return { media, format }
}

/** Names of documents: few kinds of characters, and each name once. */
const makeNames = (): ((filename: string | undefined) => string) => {
  const used = new Set<string>()
  return (filename) => {
    const clean = (filename ?? "")
      .replace(/\.[A-Za-z0-9]{1,5}$/, "")
      .replace(/[^A-Za-z0-9 ()[\]-]/g, " ")
      .replace(/ +/g, " ")
      .trim()
      .slice(0, 100)
    const base = clean === "" ? "document" : clean
    let name = base
    for (let count = 2; used.has(name); count++) name = `${base} ${count}`
    used.add(name)
    return name
  }
}
