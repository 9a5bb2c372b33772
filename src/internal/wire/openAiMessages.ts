/** A conversation in OpenAI's format, as a vendor's dialect has it. Source: `protocol/wire-formats.md` §3.1 and §4. */
import {
  type AssistantMessage,
  type FilePart,
  type Message,
  type ToolMessage,
  text,
  type UserMessage,
  type UserPart
} from "../../Message.js"
import type { JsonRecord } from "../json.js"
import { hasBytes, type MediaBytes, urlOf } from "./media.js"
import type { Dialect } from "./openAiDialect.js"
import * as ToolCalls from "./toolCalls.js"
import type { EncodeInput } from "./wire.js"

/** Told of each feature that had to be left out. */
type Refuse = (feature: string) => void

export const encode = (dialect: Dialect, input: EncodeInput, refuse: Refuse): ReadonlyArray<JsonRecord> => {
  let messages: ReadonlyArray<Message> = input.request.messages
  if (dialect.withoutTools === true && messages.some(ToolCalls.isAboutTools)) {
    refuse("tool calls in messages")
    messages = messages.flatMap(withoutTools)
  }
  if (dialect.conversation !== undefined) messages = dialect.conversation(messages)
  const lastUser = dialect.replay === undefined ? -1 : messages.map(({ role }) => role).lastIndexOf("user")
  const encoded: Array<JsonRecord> = []
  /** Where the next result of a tool belongs: behind the calls, and the results that are there. */
  let results = 0
  for (const [index, message] of messages.entries()) {
    switch (message.role) {
      case "system":
        encoded.push({ role: "system", content: message.content })
        break
      case "user":
        encoded.push({ role: "user", content: userContent(dialect, input.model, message, refuse) })
        break
      case "assistant":
        encoded.push({
          ...assistant(message),
          ...dialect.replay?.(message, index > lastUser, input)
        })
        results = encoded.length
        break
      case "tool": {
        const found = toolResults(message)
        encoded.splice(results, 0, ...found)
        results += found.length
      }
    }
  }
  return encoded
}

const withoutTools = (message: Message): ReadonlyArray<Message> => {
  if (!ToolCalls.isAboutTools(message)) return [message]
  if (message.role !== "assistant" || typeof message.content === "string") return []
  const content = message.content.filter((part) => !ToolCalls.isToolCall(part))
  return content.length === 0 ? [] : [{ ...message, content }]
}

const assistant = (message: AssistantMessage): JsonRecord => {
  const calls = ToolCalls.encodeAll(message)
  return {
    role: "assistant",
    content: text(message),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
}

/** One message for each result. There is no field for a failure: its text tells the model. */
const toolResults = ({ content }: ToolMessage): ReadonlyArray<JsonRecord> =>
  content.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result }))

// --- what a user says -------------------------------------------------------------------------------------------------

const userContent = (
  dialect: Dialect,
  model: string,
  message: UserMessage,
  refuse: Refuse
): string | ReadonlyArray<JsonRecord> => {
  if (typeof message.content === "string") return message.content
  if (dialect.textOnly?.(model) === true) {
    for (const { type } of message.content) if (type !== "text") refuse(`${type}s`)
    return text(message)
  }
  const parts = message.content.flatMap((part) => userPart(dialect, part, refuse))
  return parts.length === 0 ? "" : parts
}

const userPart = (dialect: Dialect, part: UserPart, refuse: Refuse): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      return [{ type: "text", text: part.text }]
    case "image": {
      const { detail, source } = part
      return [
        { type: "image_url", image_url: { url: urlOf(source), ...(detail === undefined ? {} : { detail }) } }
      ]
    }
    case "file": {
      const encoded = file(dialect, part)
      if (typeof encoded !== "string") return [encoded]
      refuse(encoded)
      return []
    }
  }
}

/** A file's part, or the name of the feature that it would need. */
const file = ({ files }: Dialect, { source, filename }: FilePart): JsonRecord | string => {
  if (files === undefined) return "files"
  if (files === "document_url") {
    return {
      type: "document_url",
      document_url: urlOf(source),
      ...(filename === undefined ? {} : { document_name: filename })
    }
  }
  if (!hasBytes(source)) {
    return files === "data"
      ? "files by URL"
      : { type: "file", file: { filename: filename ?? "file", file_data: source.url } }
  }
  if (source.mediaType.startsWith("audio/")) return audio(source)
  return {
    type: "file",
    file: { filename: filename ?? defaultName(source.mediaType), file_data: urlOf(source) }
  }
}

const audio = ({ data, mediaType }: MediaBytes): JsonRecord | string => {
  const format = audioFormats[mediaType]
  return format === undefined
    ? `files of type ${mediaType}`
    : { type: "input_audio", input_audio: { data, format } }
}

// The protocol's sources have the field and not its values; these two are those of OpenAI's own typings.
const audioFormats: Readonly<Record<string, string | undefined>> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3"
}

/** Vendors tell a file's kind by its name, and refuse one without. */
const defaultName = (mediaType: string): string => {
  const kind = /^[a-z]+\/([a-z]{1,5})$/.exec(mediaType)?.[1]
  return kind === undefined ? "file" : `file.${kind}`
}
