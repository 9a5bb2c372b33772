/** From what a language model of `@effect/ai` is asked to a request of ours. */
import type * as LanguageModel from "@effect/ai/LanguageModel"
import { getDescriptionFromSchemaAst } from "@effect/ai/Tool"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as ChatRequest from "../../ChatRequest.js"
import type { InvalidRequest } from "../errors.js"
import * as JsonSchema from "../jsonSchema.js"
import { cannotSend } from "./cannotSend.js"
import { toMessages } from "./promptMessages.js"
import { toToolChoice, toTools } from "./toolkitTools.js"

/** `context` is what the call's Schema may need to decode. */
export const toInput = (
  options: LanguageModel.ProviderOptions,
  context: Context.Context<never>
): Either.Either<ChatRequest.Options, InvalidRequest> => {
  const messages = toMessages(options.prompt, options.tools)
  if (messages._tag === "Left") return Either.left(messages.left)
  const tools = toTools(options.tools)
  if (tools._tag === "Left") return Either.left(tools.left)
  const output = toOutput(options.responseFormat, context)
  if (output._tag === "Left") return Either.left(output.left)
  return Either.right({
    messages: messages.right,
    // Said even if there are none: the tools of a model's defaults are none that the caller's toolkit could carry out.
    tools: tools.right,
    // Without a toolkit the choice is `none`, which goes without saying; some vendors refuse to be told.
    ...(tools.right.length === 0 && options.toolChoice === "none"
      ? undefined
      : { toolChoice: toToolChoice(options.toolChoice) }),
    ...(output.right === undefined ? undefined : { output: output.right })
  })
}

const toOutput = (
  format: LanguageModel.ProviderOptions["responseFormat"],
  context: Context.Context<never>
): Either.Either<ChatRequest.Output | undefined, InvalidRequest> => {
  if (format.type === "text") return Either.right(undefined)
  // `generateObject` asks its caller for what the Schema needs, and runs in the caller's fiber: the context has it.
  const schema = format.schema as Schema.Schema<unknown>
  const made = JsonSchema.make(schema)
  if (made._tag === "Left") return cannotSend("schema", `the Schema cannot be sent: ${made.left}`)
  const decode = Schema.decodeUnknown(schema)
  return Either.right({
    name: nameOf(format.objectName),
    description: getDescriptionFromSchemaAst(schema.ast),
    jsonSchema: made.right,
    // So that a list moves on from a leg whose answer does not fit.
    check: (value) => Effect.provide(decode(value), context)
  })
}

/** Often a Schema's identifier, which may have any characters. */
const nameOf = (name: string): string => {
  const clean = name.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 64)
  return clean === "" ? "output" : clean
}
