/**
 * A request that was never sent, as an answer: clients retry what they take for a broken connection, and no later attempt
 * could mend this. The body suits the errors of OpenAI, Anthropic and Google at once, and tells which error it was.
 */
import { InvalidRequest, type LegError, Unsupported } from "../errors.js"
import { field, textOf } from "./text.js"

export type Refusal = InvalidRequest | Unsupported

export const isRefusal = (error: LegError): error is Refusal =>
  error._tag === "InvalidRequest" || error._tag === "Unsupported"

const name = "effect_ai_gateway"

export const status = 400

export const toBody = (error: Refusal): string =>
  JSON.stringify({
    type: "error",
    error: {
      type: "invalid_request_error",
      message: error.message,
      code: status,
      status: "INVALID_ARGUMENT",
      [name]: {
        _tag: error._tag,
        about: error._tag === "Unsupported" ? error.feature : error.field,
        provider: error.provider,
        model: error.model
      }
    }
  })

/** From the body, or from its `error`: clients keep the one or the other. */
export const fromJson = (json: unknown): Refusal | undefined => {
  const inner = field(json, "error")
  const error = field(inner, name) === undefined ? json : inner
  const said = field(error, name)
  const about = textOf(field(said, "about"))
  const message = textOf(field(error, "message"))
  if (about === undefined || message === undefined) return undefined
  const context = { message, provider: textOf(field(said, "provider")), model: textOf(field(said, "model")) }
  switch (field(said, "_tag")) {
    case "InvalidRequest":
      return new InvalidRequest({ ...context, field: about })
    case "Unsupported":
      return new Unsupported({ ...context, feature: about })
    default:
      return undefined
  }
}
