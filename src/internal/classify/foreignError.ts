/** This library's error behind another client's. Nothing of any client is imported: errors are known by their shape. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import { classify, classifyEvent, type ErrorContext } from "../classify.js"
import { type AiGatewayError, isAiGatewayError, type LegError } from "../errors.js"
import { parseJson } from "../json.js"
import { kept } from "./answeredHeaders.js"
import * as Refusal from "./refusal.js"
import { field, isRecord, stringify } from "./text.js"

/** No error that anybody wrote is made of more. */
const limit = 64

/**
 * The error of this library behind anything that was thrown or failed with, whichever client it comes from. First any
 * error of this library in the chain of causes, as it is; else what a client kept of an answer whose status is an error,
 * read by `classify`. None where nothing tells of an answer. Pure; never throws.
 *
 * It knows `openai`'s and `@anthropic-ai/sdk`'s `APIError`, `@google/genai`'s `ApiError`, `ai`'s `APICallError` and
 * `RetryError`, `@effect/ai`'s `AiError`, `@effect/platform`'s `RequestError` and `ResponseError` (whose body cannot be
 * read any more: the status decides), and Effect's `Cause`, `FiberFailure` and `UnknownException`.
 *
 * A message that a provider wrote is taken over as it is: behind `GatewayFetch` and `GatewayHttpClient` it is free of
 * credentials, and of other connections that is not known here.
 *
 * @example
 * ```ts
 * import { AiGatewayError } from "effect-ai-gateway"
 * import { Effect, Option } from "effect"
 *
 * declare const askOpenAi: () => Promise<string>
 *
 * const typed = Effect.tryPromise(askOpenAi).pipe(
 *   Effect.catchAll((error) =>
 *     Option.match(AiGatewayError.fromUnknown(error, { provider: "openai" }), {
 *       onNone: () => Effect.die(error),
 *       onSome: Effect.fail
 *     })
 *   ),
 *   Effect.catchTag("RateLimited", () => Effect.succeed("later"))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUnknown = (error: unknown, context: ErrorContext = {}): Option.Option<AiGatewayError> => {
  const links = chain(error)
  for (const read of [own, (link: unknown) => answered(link, context)]) {
    for (const link of links) {
      const found = attempt(() => read(link))
      if (found !== undefined) return Option.some(found)
    }
  }
  return Option.none()
}

/** A getter may throw, and a revoked proxy throws at any touch. */
const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The nearest first. */
const chain = (error: unknown): ReadonlyArray<unknown> => {
  const links = new Set<unknown>([error])
  for (const link of links) {
    for (const next of attempt(() => behind(link)) ?? []) {
      if (links.size < limit && Predicate.isObject(next)) links.add(next)
    }
  }
  return [...links]
}

const behind = (link: unknown): ReadonlyArray<unknown> => {
  if (!Predicate.isObject(link)) return []
  if (Cause.isCause(link)) {
    return [...Chunk.toReadonlyArray(Cause.failures(link)), ...Chunk.toReadonlyArray(Cause.defects(link))]
  }
  if (Runtime.isFiberFailure(link)) return [link[Runtime.FiberFailureCauseId]]
  const next = [attempt(() => field(link, "cause")), attempt(() => field(link, "lastError"))]
  const inner = attempt(() => field(link, "error"))
  if (Predicate.isError(inner)) next.push(inner)
  const errors = attempt(() => field(link, "errors"))
  return Array.isArray(errors) ? [...next, ...errors.slice(-limit).reverse()] : next
}

const own = (link: unknown): AiGatewayError | undefined => {
  if (isOurs(link)) return link
  const error = kept(field(link, "headers"))
  return isOurs(error) ? error : undefined
}

/** `LogNotFound` is no error of a model's call. */
const isOurs = (u: unknown): u is AiGatewayError =>
  Predicate.isError(u) && isAiGatewayError(u) && field(u, "_tag") !== "LogNotFound"

const answered = (link: unknown, context: ErrorContext): LegError | undefined => {
  if (!Predicate.isObject(link)) return undefined
  const response = field(link, "response")
  const headers = headersOf(
    field(link, "responseHeaders") ?? field(link, "headers") ?? field(response, "headers")
  )
  const status = [field(link, "statusCode"), field(link, "status"), field(response, "status")].find(
    (value) => typeof value === "number"
  )
  const body = field(link, "responseBody") ?? field(link, "body") ?? field(link, "error")
  const json = typeof body === "string" ? parseJson(body) : body
  if (typeof status !== "number") {
    // An error in the middle of a stream, whose status was a success.
    const inStream = isRecord(field(link, "error")) && Predicate.isObject(field(link, "headers"))
    return inStream ? classifyEvent(envelope(json), headers, context) : undefined
  }
  if (status < 400 || status > 599) return undefined
  const text =
    typeof body === "string"
      ? body
      : body === undefined || body === null
        ? messageOf(link)
        : (stringify(envelope(body)) ?? "")
  return Refusal.fromJson(json ?? parseJson(text)) ?? classify(status, headers, text, context)
}

/** `openai` keeps what is in `error`, `@anthropic-ai/sdk` the whole. */
const envelope = (body: unknown): unknown =>
  isRecord(body) && field(body, "error") === undefined && field(body, "errors") === undefined
    ? { error: body }
    : body

/** `@google/genai` has the body in its message. */
const messageOf = (link: unknown): string => {
  const message = field(link, "message")
  if (typeof message !== "string") return ""
  return parseJson(message) === undefined ? "" : message
}

const headersOf = (headers: unknown): Readonly<Record<string, string>> => {
  const read: Record<string, string> = {}
  if (!Predicate.isObject(headers)) return read
  const all: Iterable<readonly [string, unknown]> =
    typeof Headers !== "undefined" && headers instanceof Headers
      ? [...headers.entries()]
      : Object.entries(headers)
  for (const [name, value] of all) {
    if (typeof value === "string") read[name.toLowerCase()] = value
  }
  return read
}
