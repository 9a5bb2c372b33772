/**
 * From what came back to a typed error. Pure and total: the code decides, then the body, then the status.
 */
import * as Predicate from "effect/Predicate"
import { type ErrorBody, readBody, readJson, saysError } from "./classify/bodyShape.js"
import { build, onlyStrings } from "./classify/build.js"
import { describe } from "./classify/describe.js"
import { edgeVerdict } from "./classify/edge.js"
import { gatewayVerdict } from "./classify/gatewayCodes.js"
import { providerVerdict } from "./classify/providerErrors.js"
import { retryAfter } from "./classify/retryAfter.js"
import {
  type ErrorContext,
  errorStatus,
  excerpt,
  field,
  type Headers,
  line,
  stringify,
  textOf,
  type Verdict
} from "./classify/text.js"
import { workersAiVerdict } from "./classify/workersAiCodes.js"
import { isAiGatewayError, type LegError, lastCause, type Source, TransportFailure } from "./errors.js"

export { describe, type ErrorContext, type Headers, retryAfter }

const sourceOf = (body: ErrorBody, context: ErrorContext): Source => {
  switch (body.shape) {
    case "gateway":
    case "policy":
    case "resume":
    case "webSearch":
      return "gateway"
    case "edge":
      return "edge"
    case "cloudflare":
      return context.host === "account" ? "gateway" : "provider"
    default:
      return "provider"
  }
}

/** The last resort: every status has a row. */
const statusVerdict = (status: number | undefined, body: ErrorBody, source: Source): Verdict => {
  switch (status) {
    case undefined:
      return { tag: "MalformedResponse", source }
    case 401:
    case 403:
      return { tag: "Unauthorized", source }
    case 402:
      return { tag: "QuotaExceeded", source }
    case 404:
      // The gateway itself has no models: its 404 is about a URL.
      return {
        tag: source === "provider" || body.shape === "cloudflare" ? "ModelNotFound" : "BadRequest",
        source
      }
    case 408:
      return { tag: "ModelTimeout", source }
    case 409:
      return { tag: "ProviderFailure", source }
    case 429:
      return { tag: "RateLimited", source }
    default:
      return { tag: status >= 500 ? "ProviderFailure" : "BadRequest", source }
  }
}

interface Input {
  readonly body: ErrorBody
  /** The status line; undefined where there is none (a binding's error, an event). */
  readonly line: number | undefined
  readonly headers: Headers
  readonly context: ErrorContext
  readonly excerpt: () => string
  /** What an error is that names neither a code nor a status that is known. */
  readonly otherwise: "MalformedResponse" | "ProviderFailure"
  /** A success may carry `retry-after` and `x-should-retry`, which then are not about this error. */
  readonly headersCount: boolean
}

const decide = (input: Input): LegError => {
  const { body, context, headers } = input
  const httpStatus = errorStatus(input.line)
  const status = httpStatus ?? body.status
  const source = sourceOf(body, context)
  const row = gatewayVerdict(body, status, context) ?? workersAiVerdict(body, context)
  const verdict =
    row?.verdict ??
    (body.shape === "edge" ? edgeVerdict(status, body.code) : undefined) ??
    providerVerdict(body, status) ??
    (status === undefined ? { tag: input.otherwise, source } : statusVerdict(status, body, source))
  const shown = httpStatus ?? body.status ?? row?.status ?? input.line
  const shouldRetry = input.headersCount ? headers["x-should-retry"] : undefined
  return build(verdict, {
    context,
    headers,
    status: shown !== undefined && Number.isFinite(shown) ? shown : undefined,
    code: body.code,
    said: body.message,
    excerpt: input.excerpt,
    retryable: shouldRetry === "true" ? true : shouldRetry === "false" ? false : body.retryable,
    retryAfter: retryAfter(input.headersCount ? headers : {}, body.json, context.now, shown === 429)
  })
}

/** The type of an Amazon error travels in a header; in a stream's frame it is called differently. */
const amazonType = (headers: Headers): string | undefined =>
  headers["x-amzn-errortype"] ?? headers[":exception-type"] ?? headers[":error-code"]

const isSuccess = (status: number): boolean => status >= 200 && status <= 299

/**
 * The error of a response. `headers` have names in lower case, `body` is the text as it came: it is read as JSON by
 * attempt, whatever its content type. Never throws.
 *
 * A status that is no error (1xx, 2xx, 3xx, a number that HTTP does not have) is a `MalformedResponse`, unless the
 * body says which error it is.
 *
 * @example
 * ```ts
 * classify(401, {}, '{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}', { provider: "openai" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const classify = (
  status: number,
  headers: Headers,
  body: string,
  context: ErrorContext = {}
): LegError => {
  const kept = onlyStrings(headers)
  const read = readBody(body, amazonType(kept))
  return decide({
    body: read,
    line: status,
    headers: kept,
    context,
    excerpt: () => excerpt(body),
    otherwise: isSuccess(status) && read.isError ? "ProviderFailure" : "MalformedResponse",
    headersCount: !isSuccess(status)
  })
}

/**
 * The error that hides in a success: an error envelope as the JSON body of a 2xx. Undefined where the body is no
 * error. Never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const classifySuccess = (
  status: number,
  headers: Headers,
  json: unknown,
  context: ErrorContext = {}
): LegError | undefined => {
  if (!saysError(json)) return undefined
  return decide({
    body: readJson(json),
    line: status,
    headers: onlyStrings(headers),
    context,
    excerpt: () => excerpt(stringify(json) ?? ""),
    otherwise: "ProviderFailure",
    headersCount: false
  })
}

/**
 * The error that an event reports in a stream which began with 200. `json` is the event's data, the bare JSON that
 * Google appends to a stream, or an array that holds one. Its status is the one that the event names. Never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const classifyEvent = (json: unknown, headers: Headers, context: ErrorContext = {}): LegError => {
  const kept = onlyStrings(headers)
  return decide({
    body: readJson(json, amazonType(kept)),
    line: undefined,
    headers: kept,
    context,
    excerpt: () => excerpt(stringify(json) ?? ""),
    otherwise: "ProviderFailure",
    headersCount: false
  })
}

/** `3040: Out of capacity`, with or without the names of errors before it. */
const coded = /^\s*(?:[A-Za-z]{1,40}: ){0,4}(\d{3,5}): ?([\s\S]*)$/

/** Errors that the runtime makes from a response; any other one means that there was no response. */
const upstream = new Set([
  "InferenceUpstreamError",
  "AiError",
  "AiGatewayError",
  "AiInternalError",
  "AiGatewayInternalError"
])

const fromBinding = (thrown: unknown, context: ErrorContext): LegError => {
  const text = textOf(thrown) ?? textOf(field(thrown, "message")) ?? ""
  const name = field(thrown, "name")
  const status = errorStatus(field(thrown, "status")) ?? errorStatus(field(thrown, "httpCode"))
  const thrownBody = (body: ErrorBody): LegError =>
    decide({
      body,
      line: status,
      headers: {},
      context,
      excerpt: () => excerpt(text),
      otherwise: "ProviderFailure",
      headersCount: false
    })
  const match = coded.exec(text.slice(0, 2000))
  if (match !== null) return thrownBody(codedBody(Number(match[1]), match[2] ?? "", name))
  // The runtime throws a body that it does not know as it is.
  const read = /^\s*[[{<]|^\s*error code/i.test(text) ? readBody(text) : undefined
  if (read !== undefined && (read.isError || read.shape === "edge")) return thrownBody(read)
  if ((typeof name === "string" && upstream.has(name)) || status !== undefined) {
    return thrownBody({ ...readJson(undefined), message: line(text, 700) || undefined })
  }
  return new TransportFailure({
    message: `No response came: ${line(describe(thrown), 800)}. Check the connection, or try again.`,
    provider: textOf(context.provider),
    model: textOf(context.model)
  })
}

const codedBody = (code: number, message: string, name: unknown): ErrorBody => ({
  ...readJson(undefined),
  // Without a name the envelope is unknown; the code tells the gateway (2xxx) from Workers AI.
  shape: name === "AiGatewayError" ? "gateway" : name === "AiError" ? "workersAi" : "cloudflare",
  code,
  message: line(message, 700) || undefined,
  status: errorStatus(code)
})

/**
 * The error behind what a Workers binding threw: `3040: Out of capacity`, a runtime's `InferenceUpstreamError`, a
 * body as text, or no response at all. An error of this library passes through as it is. Never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const classifyThrown = (thrown: unknown, context: ErrorContext = {}): LegError => {
  try {
    if (Predicate.isError(thrown) && isAiGatewayError(thrown)) {
      const error = lastCause(thrown)
      if (error._tag !== "AllProvidersFailed") return error
    }
    return fromBinding(thrown, context)
  } catch {
    // A revoked proxy throws at any touch.
    return new TransportFailure({ message: `No response came: ${describe(thrown)}.` })
  }
}
