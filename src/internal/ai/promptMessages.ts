/** From a prompt of `@effect/ai` to messages of ours: one for one, so that a place in the one is the place in the other. */
import type * as Prompt from "@effect/ai/Prompt"
import type * as AiTool from "@effect/ai/Tool"
import * as Either from "effect/Either"
import type * as Message from "../../Message.js"
import type { InvalidRequest } from "../errors.js"
import { stringify } from "../json.js"
import { cannotSend } from "./cannotSend.js"
import * as EncodedParams from "./encodedParams.js"
import { toMedia } from "./promptMedia.js"

type Result<A> = Either.Either<A, InvalidRequest>

/** Left: the part that no model can take, by its place. Nothing is left out. */
export const toMessages = (
  prompt: Prompt.Prompt,
  tools: ReadonlyArray<AiTool.Any> = []
): Result<ReadonlyArray<Message.Message>> => {
  const encode = EncodedParams.make(tools)
  const ids = new Map<string, string>()
  return all(prompt.content, (message, index) => toMessage(message, `messages[${index}]`, encode, ids))
}

const toMessage = (
  message: Prompt.Message,
  place: string,
  encode: EncodedParams.Encode,
  ids: Map<string, string>
): Result<Message.Message> => {
  switch (message.role) {
    case "system":
      return Either.right({ role: "system", content: message.content })
    case "user":
      return Either.map(
        parts(message.content, place, toUserPart),
        (content): Message.UserMessage => ({ role: "user", content: plain(content) })
      )
    case "assistant":
      return Either.map(
        parts(message.content, place, (part, at) => toAssistantPart(part, at, encode, ids)),
        (content): Message.AssistantMessage => ({ role: "assistant", content: plain(content) })
      )
    case "tool":
      return Either.map(
        parts(message.content, place, (part, at) => toToolResult(part, at, ids)),
        (content): Message.ToolMessage => ({ role: "tool", content })
      )
    default:
      return cannotSend(place, `${JSON.stringify(roleOf(message))} is no role of a message`)
  }
}

// A prompt of a caller without types.
const roleOf = (message: { readonly role: unknown }): unknown => message.role

const all = <A, B>(
  items: ReadonlyArray<A>,
  f: (item: A, index: number) => Result<B>
): Result<ReadonlyArray<B>> => {
  const done: Array<B> = []
  for (const [index, item] of items.entries()) {
    const result = f(item, index)
    if (result._tag === "Left") return Either.left(result.left)
    done.push(result.right)
  }
  return Either.right(done)
}

const parts = <A, B>(
  content: ReadonlyArray<A>,
  place: string,
  f: (part: A, place: string) => Result<B>
): Result<ReadonlyArray<B>> => all(content, (part, index) => f(part, `${place}.content[${index}]`))

/** Text alone is a message's whole content. */
const plain = <Part extends { readonly type: string }>(
  content: ReadonlyArray<Part | Message.TextPart>
): string | ReadonlyArray<Part | Message.TextPart> => {
  const [only] = content
  return content.length === 1 && only !== undefined && "text" in only && only.type === "text"
    ? only.text
    : content
}

const toUserPart = (part: Prompt.UserMessagePart, place: string): Result<Message.UserPart> => {
  switch (part.type) {
    case "text":
      return Either.right({ type: "text", text: part.text })
    case "file": {
      const media = toMedia(part)
      return media._tag === "Left"
        ? cannotSend(place, `the file cannot be sent: ${media.left}`)
        : Either.right(media.right)
    }
    default:
      return strange(part, place, "a user's message")
  }
}

const toAssistantPart = (
  part: Prompt.AssistantMessagePart,
  place: string,
  encode: EncodedParams.Encode,
  ids: Map<string, string>
): Result<Message.AssistantPart> => {
  switch (part.type) {
    case "text":
      return Either.right({ type: "text", text: part.text })
    case "reasoning": {
      const { text, options } = part
      const opaque = options.aiGateway?.opaque
      return Either.right(
        opaque === undefined ? { type: "reasoning", text } : { type: "reasoning", text, opaque }
      )
    }
    case "tool-call": {
      const { name, params } = part
      if (part.providerExecuted)
        return cannotSend(
          place,
          `a call of ${name} that its provider carried out can only go back to that provider's own package`
        )
      const args = stringify(encode(name, params))
      if (args === undefined)
        return cannotSend(`${place}.params`, `the params of the call of ${name} cannot be written as JSON`)
      const id = part.options.aiGateway?.callId ?? part.id
      ids.set(part.id, id)
      return Either.right({ type: "tool-call", id, name, arguments: args })
    }
    case "tool-result":
      return cannotSend(
        place,
        part.providerExecuted
          ? `a result of ${part.name} that its provider made can only go back to that provider's own package`
          : `the result of ${part.name} belongs into a message of the role tool`
      )
    case "file":
      return cannotSend(place, `no model takes back a file (${part.mediaType}) that a model made`)
    default:
      return strange(part, place, "an assistant's message")
  }
}

const toToolResult = (
  part: Prompt.ToolMessagePart,
  place: string,
  ids: ReadonlyMap<string, string>
): Result<Message.ToolResultPart> => {
  if (part.type !== "tool-result") return strange(part, place, "a message of tool results")
  const { name, isFailure, result } = part
  if (part.providerExecuted)
    return cannotSend(
      place,
      `a result of ${name} that its provider made can only go back to that provider's own package`
    )
  // "Nothing" is a result too, and JSON has one word for it.
  const text = typeof result === "string" ? result : stringify(result ?? null)
  if (text === undefined)
    return cannotSend(`${place}.result`, `the result of ${name} cannot be written as JSON`)
  const written: Message.ToolResultPart = {
    type: "tool-result",
    id: ids.get(part.id) ?? part.id,
    name,
    result: text
  }
  return Either.right(isFailure ? { ...written, isError: true } : written)
}

const strange = (part: { readonly type: unknown }, place: string, where: string): Result<never> =>
  cannotSend(place, `a part of the type ${JSON.stringify(part.type)} is nothing that ${where} can hold`)
