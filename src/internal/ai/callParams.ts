/** The arguments of a tool call, which our vocabulary has as the model's text, as the value that `@effect/ai` decodes. */
import { unsafeSecureJsonParse } from "@effect/ai/Tool"
import * as Either from "effect/Either"
import type { ToolCallPart } from "../../Message.js"
import { InvalidToolCall } from "../errors.js"

export const toParams = (call: Omit<ToolCallPart, "type">): Either.Either<unknown, InvalidToolCall> => {
  try {
    return Either.right(unsafeSecureJsonParse(call.arguments))
  } catch {
    return Either.left(
      new InvalidToolCall({
        tool: call.name,
        id: call.id,
        arguments: call.arguments,
        path: "",
        message: `The model called ${call.name} with arguments that are not JSON, or that set an object's prototype.`
      })
    )
  }
}
