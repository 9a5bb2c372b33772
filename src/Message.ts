/**
 * Messages of a conversation, and the parts that they are made of. Plain data: keep them, store them as JSON, send
 * them to another provider.
 *
 * @since 0.1.0
 */
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
 * What the user says: text, or text in parts.
 *
 * @since 0.1.0
 * @category messages
 */
export const UserMessage = Schema.Struct({
  role: Schema.Literal("user"),
  content: Schema.Union(Schema.String, Schema.Array(TextPart))
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
 * All text of a message, joined. Reasoning and tool calls are left out.
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
