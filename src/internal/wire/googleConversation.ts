/** A conversation as Google's contents. Source: `protocol/wire-formats.md` §8.1, §8.2. */
import type { AssistantPart, Message, ToolResultPart, UserPart } from "../../Message.js"
import { isRecord, type JsonRecord, parseJson, textAt } from "../json.js"
import { hasBytes } from "./media.js"

export interface Dialect {
  /** Whose signatures go back: the slug that they are marked with. */
  readonly slug: string
  /** Does it know the ids of calls? */
  readonly callIds: boolean
}

/** `signsCalls`: must the first call of each turn be signed? */
export const encode = (
  messages: ReadonlyArray<Message>,
  dialect: Dialect,
  signsCalls: boolean
): ReadonlyArray<JsonRecord> => {
  const contents: Array<JsonRecord> = []
  // The results of one turn must be one content right behind the calls, in their order: without ids, the order is what
  // tells them apart.
  let callOrder: ReadonlyArray<string> = []
  let results: Array<ToolResultPart> = []
  let behindCalls = 0
  const push = (role: "user" | "model", parts: ReadonlyArray<JsonRecord>): void => {
    if (parts.length > 0) contents.push({ role, parts })
  }
  const placeResults = (): void => {
    if (results.length === 0) return
    const rank = (part: ToolResultPart): number => {
      const index = callOrder.indexOf(part.id)
      return index === -1 ? callOrder.length : index
    }
    results.sort((a, b) => rank(a) - rank(b))
    const parts = results.map((part) => encodeResult(part, dialect))
    contents.splice(behindCalls, 0, { role: "user", parts })
    results = []
  }
  for (const message of messages) {
    switch (message.role) {
      case "system":
        break
      case "tool":
        for (const part of message.content) results.push(part)
        break
      case "user":
        push(
          "user",
          typeof message.content === "string"
            ? encodeText(message.content)
            : message.content.flatMap(encodeUserPart)
        )
        break
      case "assistant": {
        placeResults()
        const content: ReadonlyArray<AssistantPart> =
          typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content
        push("model", encodeParts(content, dialect, signsCalls))
        callOrder = content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))
        behindCalls = contents.length
      }
    }
  }
  placeResults()
  return contents
}

// --- what the user says -----------------------------------------------------------------------------------------------

/** An empty text is refused. */
const encodeText = (text: string): ReadonlyArray<JsonRecord> => (text === "" ? [] : [{ text }])

const encodeUserPart = (part: UserPart): ReadonlyArray<JsonRecord> => {
  if (part.type === "text") return encodeText(part.text)
  const { source } = part
  if (hasBytes(source)) return [{ inlineData: { mimeType: source.mediaType, data: source.data } }]
  const fileUri = source.url
  const mimeType = typeAt(fileUri) ?? (part.type === "image" ? "image/jpeg" : "application/pdf")
  return [{ fileData: { mimeType, fileUri } }]
}

const types: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["webp", "image/webp"],
  ["gif", "image/gif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
  ["pdf", "application/pdf"],
  ["txt", "text/plain"],
  ["md", "text/markdown"],
  ["csv", "text/csv"],
  ["html", "text/html"],
  ["json", "application/json"],
  ["mp3", "audio/mpeg"],
  ["wav", "audio/wav"],
  ["mp4", "video/mp4"],
  ["webm", "video/webm"]
])

/** Google wants to be told what is at a URL: its last letters mostly say so. */
const typeAt = (url: string): string | undefined => {
  const extension = /\.([a-z0-9]{2,4})(?:[?#]|$)/i.exec(url)?.[1]
  return extension === undefined ? undefined : types.get(extension.toLowerCase())
}

// --- what the model said ----------------------------------------------------------------------------------------------

/**
 * Stands in for a signature that was never there: the call is another vendor's. Source: Google's documentation of thought
 * signatures, and vercel/ai; `protocol/wire-formats.md` does not have it.
 */
const noSignature = "skip_thought_signature_validator"

/** A signature belongs on the part that it came with: a thought of its own, or else the part that follows. */
const encodeParts = (
  content: ReadonlyArray<AssistantPart>,
  dialect: Dialect,
  signsCalls: boolean
): ReadonlyArray<JsonRecord> => {
  const parts: Array<JsonRecord> = []
  let signature: string | undefined
  let called = false
  const push = (part: JsonRecord): void => {
    parts.push(signature === undefined ? part : { ...part, thoughtSignature: signature })
    signature = undefined
  }
  const flush = (): void => {
    if (signature !== undefined) push({ text: "" })
  }
  for (const part of content) {
    switch (part.type) {
      case "text":
        if (part.text !== "" || signature !== undefined) push({ text: part.text })
        break
      case "tool-call": {
        const args = parseJson(part.arguments)
        if (signsCalls && !called) signature ??= noSignature
        called = true
        push({
          functionCall: { ...sentId(part.id, dialect), name: part.name, args: isRecord(args) ? args : {} }
        })
        break
      }
      case "reasoning": {
        // Reasoning that is not known to be this provider's own does not go to it.
        const { opaque } = part
        if (opaque === undefined || opaque.provider !== dialect.slug || !isRecord(opaque.data)) break
        flush()
        const found = textAt(opaque.data, "thoughtSignature")
        if (opaque.data.thought === true) {
          signature = found
          push({ text: part.text, thought: true })
        } else {
          if (part.text !== "") push({ text: part.text, thought: true })
          signature = found
        }
        break
      }
    }
  }
  flush()
  return parts
}

/** An id that this library made up means nothing to Google. */
const sentId = (id: string, { callIds }: Dialect): JsonRecord =>
  !callIds || id === "" || /^call_\d+$/.test(id) ? {} : { id }

const encodeResult = (part: ToolResultPart, dialect: Dialect): JsonRecord => {
  const parsed = parseJson(part.result)
  const result = isRecord(parsed) ? parsed : undefined
  const response =
    part.isError === true ? { error: result ?? part.result } : (result ?? { output: part.result })
  return { functionResponse: { ...sentId(part.id, dialect), name: part.name, response } }
}
