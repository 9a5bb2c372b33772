/** Judges an answer that must have a form, before a list accepts it. */
import * as Effect from "effect/Effect"
import type { Output } from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import { ContentBlocked, InvalidOutput, type LegError } from "./errors.js"
import { parseJson } from "./json.js"
import { withoutFence } from "./partialJson.js"
import { firstIssue } from "./schemaIssue.js"
import { unchecked } from "./unchecked.js"

/** Values of answers, by their messages: a list copies the answer of a leg, but not its message. */
const values = new WeakMap<ChatResponse["message"], { readonly output: Output; readonly value: unknown }>()

/**
 * Judges an answer where it arrives, so that a list can move on. One that calls tools is no last word, and is not judged.
 */
export const judge = (answer: ChatResponse, output: Output): Effect.Effect<void, LegError> =>
  answer.toolCalls.length > 0 ? Effect.void : Effect.asVoid(valueOf(answer, output))

/** The answer's value, as `output.check` decodes it; once, even if it is asked for again. */
export const valueOf = (answer: ChatResponse, output: Output): Effect.Effect<unknown, LegError> => {
  const known = values.get(answer.message)
  if (known?.output === output) return Effect.succeed(known.value)
  return Effect.tap(decode(answer, output), (value) =>
    Effect.sync(() => values.set(answer.message, { output, value }))
  )
}

const decode = (answer: ChatResponse, output: Output): Effect.Effect<unknown, LegError> => {
  const { provider, model, gateway, finishReason, refusal, text, toolCalls } = answer
  const context = { provider, model, gateway, logId: gateway.logId }
  if (refusal !== undefined || finishReason === "content-filter") {
    return Effect.fail(
      new ContentBlocked(
        {
          ...context,
          source: "provider",
          stage: "response",
          by: "provider",
          message: `${provider} ${model} refused to give ${output.name}${refusal === undefined ? "." : `: ${refusal}`}`
        },
        unchecked
      )
    )
  }
  const invalid = (path: string, problem: string): InvalidOutput =>
    new InvalidOutput(
      {
        ...context,
        text,
        path,
        message: `${provider} ${model} answered with something that is no ${output.name}${path === "" ? "" : `, at ${path}`}: ${problem}`
      },
      unchecked
    )
  const value = parseJson(withoutFence(text))
  if (value === undefined) {
    return Effect.fail(
      invalid(
        "",
        finishReason === "length"
          ? "it was cut off at the limit of tokens"
          : toolCalls.length > 0
            ? "it calls tools instead"
            : "it is not JSON"
      )
    )
  }
  if (output.check === undefined) return Effect.succeed(value)
  return Effect.mapError(output.check(value), (error) => {
    const { path, message } = firstIssue(error)
    return invalid(path, message)
  })
}
