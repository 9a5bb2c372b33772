/**
 * Messages of a conversation, and the parts that they are made of. Plain data: keep them, store them as JSON, send
 * them to another provider.
 *
 * @since 0.1.0
 */
import * as Encoding from "effect/Encoding"
import * as Schema from "effect/Schema"

/**
 * Text.
 *
 * @since 0.1.0
 * @category parts
 */
export const TextPart = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })

/**
 * @since 0.1.0
 * @category parts
 */
export type TextPart = typeof TextPart.Type

// Functions, not patterns: what does not match may be megabytes, and no message should quote it.
const Url = Schema.String.pipe(
  Schema.filter((url) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(url), {
    message: () => "must be a URL, such as https://example.com/cat.png"
  }),
  Schema.filter((url) => !/^data:/i.test(url), {
    message: () =>
      "must not be a data: URL; give { data, mediaType }, or make the part with Message.image or Message.file"
  })
)

const Base64 = Schema.String.annotations({
  message: () => "must be base64 text; Message.image and Message.file take bytes too"
}).pipe(
  Schema.filter((data) => data !== "" && data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data), {
    message: () => "must be base64 (with + and /, and padded), without a data: prefix"
  })
)

const MediaType = Schema.String.pipe(
  Schema.filter((type) => /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type), {
    message: () => "must be a type and a subtype, such as image/png or application/pdf"
  })
)

/**
 * Where the content of an image or a file is: at a URL, or in the message itself, as base64 with its media type.
 *
 * @since 0.1.0
 * @category parts
 */
export const Media = Schema.Union(
  Schema.Struct({
    /** Any URL that the vendor can read, but no `data:` URL. */
    url: Url
  }).annotations({ title: "{ url } or { data, mediaType }" }),
  Schema.Struct({
    /** The bytes as base64, without a `data:` prefix. */
    data: Base64,
    /** Such as `image/png` or `application/pdf`. */
    mediaType: MediaType
  })
)

/**
 * @since 0.1.0
 * @category parts
 */
export type Media = typeof Media.Type

/**
 * An image, for models that see.
 *
 * @since 0.1.0
 * @category parts
 */
export const ImagePart = Schema.Struct({
  type: Schema.Literal("image"),
  source: Media,
  /** How closely the model looks, where the vendor lets one choose. A hint: left out where it does not. */
  detail: Schema.optional(Schema.Literal("auto", "low", "high"))
})

/**
 * @since 0.1.0
 * @category parts
 */
export type ImagePart = typeof ImagePart.Type

/**
 * A file, such as a PDF, for models that read files.
 *
 * @since 0.1.0
 * @category parts
 */
export const FilePart = Schema.Struct({
  type: Schema.Literal("file"),
  source: Media,
  /** The name that the model is told, such as `invoice.pdf`. */
  filename: Schema.optional(Schema.NonEmptyString)
})

/**
 * @since 0.1.0
 * @category parts
 */
export type FilePart = typeof FilePart.Type

/**
 * What a model thought before it answered. `opaque` is the provider's own signed or encrypted form of it, which
 * must go back unchanged; it is replayed to that provider only.
 *
 * @since 0.1.0
 * @category parts
 */
export const ReasoningPart = Schema.Struct({
  type: Schema.Literal("reasoning"),
  text: Schema.String,
  opaque: Schema.optional(Schema.Struct({ provider: Schema.String, data: Schema.Unknown }))
})

/**
 * @since 0.1.0
 * @category parts
 */
export type ReasoningPart = typeof ReasoningPart.Type

/**
 * A call of a tool by the model. `arguments` is the JSON text as the model wrote it.
 *
 * @since 0.1.0
 * @category parts
 */
export const ToolCallPart = Schema.Struct({
  type: Schema.Literal("tool-call"),
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.String
})

/**
 * @since 0.1.0
 * @category parts
 */
export type ToolCallPart = typeof ToolCallPart.Type

/**
 * What a tool call gave.
 *
 * @since 0.1.0
 * @category parts
 */
export const ToolResultPart = Schema.Struct({
  type: Schema.Literal("tool-result"),
  /** The `id` of the tool call. */
  id: Schema.String,
  /** The name of the tool. */
  name: Schema.String,
  /** The result: text, or JSON text. */
  result: Schema.String,
  /** Did the tool fail? Default `false`. */
  isError: Schema.optional(Schema.Boolean)
})

/**
 * @since 0.1.0
 * @category parts
 */
export type ToolResultPart = typeof ToolResultPart.Type

/**
 * Instructions that precede or steer the conversation.
 *
 * @since 0.1.0
 * @category messages
 */
export const SystemMessage = Schema.Struct({ role: Schema.Literal("system"), content: Schema.String })

/**
 * @since 0.1.0
 * @category messages
 */
export type SystemMessage = typeof SystemMessage.Type

/**
 * What a user's message is made of.
 *
 * @since 0.1.0
 * @category parts
 */
export const UserPart = Schema.Union(TextPart, ImagePart, FilePart)

/**
 * @since 0.1.0
 * @category parts
 */
export type UserPart = typeof UserPart.Type

/**
 * What the user says: text, or text, images and files in parts. A model that cannot take a kind of part is `Unsupported`
 * before anything is sent, and the next leg is tried.
 *
 * @since 0.1.0
 * @category messages
 */
export const UserMessage = Schema.Struct({
  role: Schema.Literal("user"),
  content: Schema.Union(Schema.String, Schema.Array(UserPart))
})

/**
 * @since 0.1.0
 * @category messages
 */
export type UserMessage = typeof UserMessage.Type

/**
 * What an assistant message is made of.
 *
 * @since 0.1.0
 * @category parts
 */
export const AssistantPart = Schema.Union(TextPart, ReasoningPart, ToolCallPart)

/**
 * @since 0.1.0
 * @category parts
 */
export type AssistantPart = typeof AssistantPart.Type

/**
 * What a model said: text, or parts in their order.
 *
 * @since 0.1.0
 * @category messages
 */
export const AssistantMessage = Schema.Struct({
  role: Schema.Literal("assistant"),
  content: Schema.Union(Schema.String, Schema.Array(AssistantPart))
})

/**
 * @since 0.1.0
 * @category messages
 */
export type AssistantMessage = typeof AssistantMessage.Type

/**
 * The results of all tool calls of one assistant message.
 *
 * @since 0.1.0
 * @category messages
 */
export const ToolMessage = Schema.Struct({
  role: Schema.Literal("tool"),
  content: Schema.Array(ToolResultPart)
})

/**
 * @since 0.1.0
 * @category messages
 */
export type ToolMessage = typeof ToolMessage.Type

/**
 * One message of a conversation.
 *
 * @since 0.1.0
 * @category messages
 */
export const Message = Schema.Union(SystemMessage, UserMessage, AssistantMessage, ToolMessage)

/**
 * @since 0.1.0
 * @category messages
 */
export type Message = typeof Message.Type

/**
 * Instructions.
 *
 * @since 0.1.0
 * @category constructors
 */
export const system = (content: string): SystemMessage => ({ role: "system", content })

/**
 * A user's message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const user = (content: UserMessage["content"]): UserMessage => ({ role: "user", content })

/**
 * Text as a part of a user's message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const textPart = (text: string): TextPart => ({ type: "text", text })

/**
 * An image as a part of a user's message: its URL, or its bytes (base64 text is taken as it is) and their media type. A
 * `data:` URL with base64 is taken apart into these.
 *
 * @example
 * ```ts
 * import { Message } from "effect-ai-gateway"
 *
 * const question = Message.user([
 *   Message.textPart("What is on this picture?"),
 *   Message.image("https://example.com/cat.png"),
 *   Message.image({ data: new Uint8Array([0x89, 0x50]), mediaType: "image/png" })
 * ])
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const image = (
  source: string | URL | MediaBytes,
  options: { readonly detail?: ImagePart["detail"] } = {}
): ImagePart => ({ type: "image", source: toMedia(source), ...defined(options) })

/**
 * A file as a part of a user's message: its URL, or its bytes (base64 text is taken as it is) and their media type. A `data:`
 * URL with base64 is taken apart into these.
 *
 * @since 0.1.0
 * @category constructors
 */
export const file = (
  source: string | URL | MediaBytes,
  options: { readonly filename?: string | undefined } = {}
): FilePart => ({ type: "file", source: toMedia(source), ...defined(options) })

/**
 * Bytes, or base64 text, and what they are.
 *
 * @since 0.1.0
 * @category models
 */
export interface MediaBytes {
  readonly data: Uint8Array | string
  /** Such as `image/png` or `application/pdf`. */
  readonly mediaType: string
}

const toMedia = (source: string | URL | MediaBytes): Media => {
  if (source instanceof URL) return toMedia(source.href)
  if (typeof source === "string") {
    const bytes = /^data:([^;,]+);base64,/i.exec(source)
    return bytes?.[1] === undefined
      ? { url: source }
      : { data: source.slice(bytes[0].length), mediaType: bytes[1] }
  }
  const { data, mediaType } = source
  return { data: typeof data === "string" ? data : Encoding.encodeBase64(data), mediaType }
}

/** Without keys that hold nothing. */
const defined = <A extends object>(options: A): A => {
  const kept: Partial<A> = {}
  for (const key of Object.keys(options) as Array<keyof A>) {
    if (options[key] !== undefined) kept[key] = options[key]
  }
  // What was left out was optional: only an optional key can hold `undefined`.
  return kept as A
}

/**
 * A model's message, for instance of an earlier turn. `ChatResponse.message` is one already.
 *
 * @since 0.1.0
 * @category constructors
 */
export const assistant = (content: AssistantMessage["content"]): AssistantMessage => ({
  role: "assistant",
  content
})

/**
 * The results of all tool calls of one assistant message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolResults = (content: ReadonlyArray<ToolResultPart>): ToolMessage => ({
  role: "tool",
  content
})

/**
 * All text of a message, joined. Reasoning, tool calls, images and files are left out.
 *
 * @since 0.1.0
 * @category accessors
 */
export const text = (message: SystemMessage | UserMessage | AssistantMessage): string => {
  if (typeof message.content === "string") return message.content
  let joined = ""
  for (const part of message.content) if (part.type === "text") joined += part.text
  return joined
}
