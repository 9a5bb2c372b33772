/** A conversation as the items of OpenAI's `responses`. Source: `protocol/wire-formats.md` §6. */
import type { AssistantMessage, Message, UserPart } from "../../Message.js"
import { isRecord, type JsonRecord } from "../json.js"
import * as Media from "./media.js"
import * as Answer from "./openAiResponsesAnswer.js"
import * as CallIds from "./uniqueCallIds.js"
import type { EncodeInput } from "./wire.js"

/** Not in the protocol's sources: OpenAI refuses longer ids of calls. */
const longestId = 64

/** `refuse` is told of images and files, where none are taken; they are left out. */
export const encode = (
  { request, provider }: EncodeInput,
  refuse: ((feature: string) => void) | undefined
): ReadonlyArray<JsonRecord> => {
  const items: Array<JsonRecord> = []
  // A result is found by its call's id in the whole conversation.
  const ids = CallIds.make(longestId)
  // Reasoning is accepted only before what it led to.
  let reasoning: Array<JsonRecord> = []
  const push = (item: JsonRecord): void => {
    items.push(...reasoning, item)
    reasoning = []
  }
  for (const message of request.messages) {
    if (message.role === "assistant") {
      ids.turn()
      for (const item of encodeAnswer(message, provider, ids)) {
        if (item.type === "reasoning") reasoning.push(item)
        else push(item)
      }
    } else {
      reasoning = []
      for (const item of encodeQuestion(message, ids, refuse)) push(item)
    }
  }
  return items
}

const encodeQuestion = (
  message: Exclude<Message, AssistantMessage>,
  ids: CallIds.CallIds,
  refuse: ((feature: string) => void) | undefined
): ReadonlyArray<JsonRecord> => {
  switch (message.role) {
    case "system":
      return [{ role: "developer", content: message.content }]
    case "user": {
      const { content } = message
      if (typeof content === "string") return [{ role: "user", content }]
      const taken = content.filter((part) => {
        if (part.type === "text" || refuse === undefined) return true
        refuse(part.type === "image" ? "images" : "files")
        return false
      })
      return taken.length === 0 ? [] : [{ role: "user", content: taken.map(encodePart) }]
    }
    case "tool":
      return message.content.map(({ id, result }) => ({
        type: "function_call_output",
        call_id: ids.of(id),
        output: result
      }))
  }
}

const encodePart = (part: UserPart): JsonRecord => {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text }
    case "image":
      return {
        type: "input_image",
        image_url: Media.urlOf(part.source),
        ...(part.detail === undefined ? {} : { detail: part.detail })
      }
    case "file": {
      const { source, filename } = part
      if (!Media.hasBytes(source)) return { type: "input_file", file_url: source.url }
      // Bytes without a name are refused.
      return {
        type: "input_file",
        filename: filename ?? nameOf(source.mediaType),
        file_data: Media.urlOf(source)
      }
    }
  }
}

const nameOf = (mediaType: string): string => (mediaType === "application/pdf" ? "file.pdf" : "file")

/** Adjacent texts are one message; calls and reasoning stand beside messages, in their order. */
const encodeAnswer = (
  { content }: AssistantMessage,
  provider: string,
  ids: CallIds.CallIds
): ReadonlyArray<JsonRecord> => {
  if (typeof content === "string")
    return content === "" ? [] : [says([{ type: "output_text", text: content }])]
  const items: Array<JsonRecord> = []
  let texts: Array<JsonRecord> = []
  const endMessage = (): void => {
    if (texts.length > 0) items.push(says(texts))
    texts = []
  }
  for (const part of content) {
    switch (part.type) {
      case "text":
        if (part.text !== "") texts.push({ type: "output_text", text: part.text })
        break
      case "reasoning": {
        const { opaque } = part
        if (opaque === undefined || opaque.provider !== provider || !isRecord(opaque.data)) break
        // The provider's reasoning may be that of another of its formats.
        if (opaque.data.type !== "reasoning" || Answer.opaque(opaque.data) === undefined) break
        endMessage()
        items.push(opaque.data)
        break
      }
      case "tool-call":
        endMessage()
        items.push({
          type: "function_call",
          call_id: ids.open(part.id),
          name: part.name,
          arguments: part.arguments
        })
    }
  }
  endMessage()
  return items
}

const says = (content: ReadonlyArray<JsonRecord>): JsonRecord => ({ role: "assistant", content })
