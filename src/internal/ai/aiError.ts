/** From our errors to those of `@effect/ai`. */
import * as AiError from "@effect/ai/AiError"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { type AiGatewayError, type LegError, lastCause } from "../errors.js"
import { unchecked } from "../unchecked.js"

/** Who was asked, in the words of `@effect/ai`. */
export interface Place {
  readonly module: "GatewayLanguageModel" | "GatewayEmbeddingModel"
  readonly method: string
}

/**
 * An error that a `while` of an `ExecutionPlan` can judge: by its HTTP status, or by what kind it is. `cause` is our error. Of
 * `AllProvidersFailed` and `StreamBroken` the last reason says what kind it is, and the whole error is the `cause`.
 */
export const toAiError = (error: AiGatewayError, place: Place): AiError.AiError => {
  const reason = lastCause(error)
  const about = { ...place, description: error.message }
  const status = reason._tag === "AllProvidersFailed" ? undefined : reason.status
  if (status !== undefined && status >= 400 && reason._tag !== "AllProvidersFailed") {
    return withCause(
      new AiError.HttpResponseError(
        {
          ...about,
          reason: "StatusCode",
          request: nobody,
          response: { status, headers: headersOf(reason) }
        },
        unchecked
      ),
      error
    )
  }
  switch (reason._tag) {
    case "TransportFailure":
      return new AiError.HttpRequestError(
        { ...about, reason: "Transport", request: nobody, cause: error },
        unchecked
      )
    case "InvalidRequest":
    case "Unsupported":
    case "BadRequest":
    case "ContextLengthExceeded":
      return new AiError.MalformedInput({ ...about, cause: error }, unchecked)
    case "MalformedResponse":
    case "InvalidToolCall":
    case "InvalidOutput":
      return new AiError.MalformedOutput({ ...about, cause: error }, unchecked)
    default:
      return new AiError.UnknownError({ ...about, cause: error }, unchecked)
  }
}

/**
 * `@effect/ai` wants the request. A model may have sent several, to several providers, and none is kept with its error: so the
 * URL is empty rather than made up.
 */
const nobody: typeof AiError.HttpRequestDetails.Type = {
  method: "POST",
  url: "",
  urlParams: [],
  hash: Option.none(),
  headers: {}
}

/** Of the headers, those that an error remembers. */
const headersOf = ({ retryAfter, logId }: LegError): Record<string, string> => ({
  ...(retryAfter === undefined
    ? undefined
    : { "retry-after": String(Math.ceil(Duration.toSeconds(retryAfter))) }),
  ...(logId === undefined ? undefined : { "cf-aig-log-id": logId })
})

/** `HttpResponseError` has no field for it, but every `Error` can have one. As there, it is not enumerable. */
const withCause = <E extends Error>(error: E, cause: AiGatewayError): E =>
  Object.defineProperty(error, "cause", {
    value: cause,
    enumerable: false,
    configurable: true,
    writable: true
  })
