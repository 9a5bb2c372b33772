/**
 * Which of the eight shapes an error body has, and so who wrote it.
 *
 * Source: `protocol/gateway.md` §4.1.
 */
import { fromClient } from "./clientShape.js"
import { edgeJson, edgePage } from "./edge.js"
import { extractCode, extractMessage, extractStatus, extractWords, unwrap } from "./extract.js"
import { cloudflareCode, errorStatus, field, isRecord, line, stringify, textOf } from "./text.js"

/**
 * `gateway` is E1, `cloudflare` E2 (the v4 envelope), `policy` E3, `resume` E4, `workersAi` E5, `provider` E6,
 * `webSearch` E7 and `edge` E8.
 */
export type Shape =
  | "gateway"
  | "cloudflare"
  | "policy"
  | "resume"
  | "workersAi"
  | "provider"
  | "webSearch"
  | "edge"

/** An error body, read. */
export interface ErrorBody {
  readonly shape: Shape
  /** Does the body itself say that it is an error, whatever the status line says? */
  readonly isError: boolean
  readonly code: number | string | undefined
  /** The other side's own words, in one line. */
  readonly message: string | undefined
  /** Every word that names the error, in lower case. */
  readonly words: ReadonlySet<string>
  /** The status that the body claims; the status line goes before it. */
  readonly status: number | undefined
  readonly retryable: boolean | undefined
  readonly json: unknown
}

const noWords: ReadonlySet<string> = new Set()

const hint = (json: unknown): boolean | undefined => {
  for (const value of [field(json, "retryable"), field(field(json, "error"), "retryable")]) {
    if (typeof value === "boolean") return value
  }
  return undefined
}

const isListOfErrors = (list: unknown): list is ReadonlyArray<unknown> =>
  Array.isArray(list) && isRecord(list[0]) && ("code" in list[0] || "message" in list[0])

const configure = /^please configure ai gateway/i

/** Decides by the shape alone, in the order that covers every recording. */
const shapeOf = (json: Readonly<Record<string, unknown>>): Shape => {
  const { error, errors, name, success } = json
  const failed = success === false
  if (name === "AiGatewayError") return "gateway"
  if (Array.isArray(error) && (failed || (success !== true && isListOfErrors(error)))) return "gateway"
  if (typeof error === "string") {
    if (failed || typeof json.internalCode === "number" || configure.test(error)) return "gateway"
    if (error === "Request not found" && Object.keys(json).length === 1) return "resume"
  }
  if (Array.isArray(errors)) {
    if (failed) return "cloudflare"
    // Cloudflare's codes are numbers: other vendors have a list of the same name, with words as codes.
    if (success !== true && typeof cloudflareCode(field(errors[0], "code")) === "number") return "cloudflare"
  }
  if (json.cloudflare_error === true) return "edge"
  if (failed && isRecord(error)) return "policy"
  if (name === "AiError") return "workersAi"
  if (json.ok === false && field(error, "category") === "gateway") return "webSearch"
  return "provider"
}

const codeIn = (shape: Shape, json: Readonly<Record<string, unknown>>): number | string | undefined => {
  const first = (list: unknown): unknown => (Array.isArray(list) ? field(list[0], "code") : undefined)
  switch (shape) {
    case "gateway":
      return (
        cloudflareCode(json.internalCode) ?? cloudflareCode(first(json.error)) ?? cloudflareCode(json.code)
      )
    case "cloudflare":
      return (
        cloudflareCode(first(json.errors)) ?? cloudflareCode(json.internalCode) ?? cloudflareCode(json.code)
      )
    case "policy":
    case "webSearch":
      return cloudflareCode(field(json.error, "code")) ?? cloudflareCode(json.code)
    case "workersAi":
      return cloudflareCode(json.internalCode) ?? cloudflareCode(json.code)
    case "edge":
      return cloudflareCode(json.error_code)
    default:
      return undefined
  }
}

/** Does a body of a provider's shape say that it is an error? `error: null` is part of several successes. */
const providerSaysError = (json: Readonly<Record<string, unknown>>): boolean => {
  const { error } = json
  if (textOf(error) !== undefined) return true
  if (isRecord(error)) return Object.keys(error).length > 0
  return (
    json.type === "error" ||
    json.object === "error" ||
    json.success === false ||
    json.ok === false ||
    json.state === "Failed" ||
    (typeof json.__type === "string" && json.__type !== "")
  )
}

/** Is this body an error? Asked of every success, so it looks at little. */
export const saysError = (json: unknown): boolean => {
  const inner = unwrap(json)
  if (!isRecord(inner)) return false
  const shape = shapeOf(inner)
  return shape !== "provider" || providerSaysError(inner)
}

/** Reads a body that is JSON already: a response, an event of a stream, an array that holds one. */
export const readJson = (json: unknown, amazon?: unknown): ErrorBody => {
  const outer = unwrap(json)
  const inner = isRecord(outer) ? fromClient(outer) : outer
  if (!isRecord(inner)) {
    const message = textOf(inner) ?? (typeof inner === "number" ? String(inner) : undefined)
    return {
      shape: "provider",
      isError: false,
      code: extractCode(undefined, amazon),
      message: message === undefined ? undefined : line(message, 700),
      words: extractWords(undefined, amazon),
      status: undefined,
      retryable: undefined,
      json: inner
    }
  }
  const shape = shapeOf(inner)
  const edge = shape === "edge" ? edgeJson(inner) : undefined
  const words = extractWords(inner, amazon)
  const plain = shape === "provider" || shape === "resume"
  return {
    shape,
    isError: shape !== "provider" || providerSaysError(inner),
    code: plain ? extractCode(inner, amazon) : codeIn(shape, inner),
    message: edge?.message ?? extractMessage(inner) ?? unexplained(inner),
    words,
    status: extractStatus(inner, words),
    retryable: hint(inner),
    json: inner
  }
}

const known: ReadonlySet<string> = new Set([
  "error",
  "errors",
  "success",
  "result",
  "messages",
  "name",
  "message",
  "type",
  "code",
  "status",
  "object",
  "param",
  "httpCode",
  "internalCode",
  "__type"
])

/** A body without a message, but with unknown fields, is shown as it came: better than no reason at all. */
const unexplained = (json: Readonly<Record<string, unknown>>): string | undefined => {
  const keys = [...Object.keys(json), ...(isRecord(json.error) ? Object.keys(json.error) : [])]
  if (keys.every((key) => known.has(key))) return undefined
  const text = stringify(json)
  return text === undefined ? undefined : line(text, 300)
}

/** Reads a body by attempt, not by its content type: some providers serve JSON as `application/octet-stream`. */
export const readBody = (body: string, amazon?: unknown): ErrorBody => {
  try {
    const json: unknown = JSON.parse(body.charCodeAt(0) === 0xfeff ? body.slice(1) : body)
    return readJson(json, amazon)
  } catch {
    const page = edgePage(body)
    const text = line(body, 700)
    return {
      shape: page?.edge === true ? "edge" : "provider",
      isError: false,
      code: page?.code ?? extractCode(undefined, amazon),
      message: page === undefined ? text || undefined : page.message,
      words: page === undefined ? extractWords(undefined, amazon) : noWords,
      status: errorStatus(page?.code),
      retryable: undefined,
      json: undefined
    }
  }
}
