/**
 * What a body says: message, code, status and the words that name the error. Every field may have any type.
 *
 * Source: `protocol/wire-formats.md` §12.6.
 */
import { codeOf, errorStatus, field, isRecord, line, textOf } from "./text.js"

const messageLimit = 700

/**
 * Puts an error that is wrapped into an event (OpenAI Responses, Cohere, OpenRouter, Groq, Bedrock) or into an
 * array (Google) where every other provider has it.
 */
export const unwrap = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.find((item) => field(item, "error") !== undefined) ?? json[0]
  if (!isRecord(json) || (json.error !== undefined && json.error !== null)) return json
  const response = field(json.response, "error")
  if (response !== undefined && response !== null) return { error: response }
  const delta = json.delta
  if (json.type === "message-end" && isRecord(delta)) {
    return {
      error: delta.error,
      error_type: delta.error_type,
      finish_reason: delta.finish_reason
    }
  }
  const choice = Array.isArray(json.choices) ? field(json.choices[0], "error") : undefined
  if (choice !== undefined && choice !== null) return { error: choice }
  const groq = field(json.x_groq, "error")
  if (groq !== undefined && groq !== null) return { error: groq }
  const output = field(json.Output, "__type")
  if (output !== undefined) return { __type: output }
  return exception(json) ?? json
}

/** Bedrock as its SDK shows it: `{"throttlingException":{"message":"…"}}`. */
const exception = (json: Readonly<Record<string, unknown>>): unknown => {
  for (const key in json) {
    const inner = json[key]
    if (key.endsWith("Exception") && isRecord(inner)) return { ...inner, __type: key }
  }
  return undefined
}

/** A message that may itself be an object (`{"message":{"detail":[…]}}` of Mistral). */
const messageIn = (value: unknown): string | undefined =>
  textOf(value) ?? textOf(field(value, "message")) ?? detailIn(field(value, "detail"))

const detailIn = (detail: unknown): string | undefined => {
  if (!Array.isArray(detail)) return textOf(detail) ?? textOf(field(detail, "message"))
  const messages: Array<string> = []
  for (const item of detail.slice(0, 5)) {
    const message = textOf(item) ?? textOf(field(item, "msg")) ?? textOf(field(item, "message"))
    if (message !== undefined) messages.push(line(message, messageLimit))
  }
  return messages.length === 0 ? undefined : messages.join("; ")
}

/** OpenRouter hides the provider's own words in `metadata.raw`: a string, often JSON. */
const rawIn = (error: unknown): string | undefined => {
  const raw = field(field(error, "metadata"), "raw")
  const text = textOf(raw)
  if (text === undefined) return isRecord(raw) ? extractPlain(raw) : undefined
  try {
    const json: unknown = JSON.parse(text)
    return extractPlain(json) ?? text
  } catch {
    return text
  }
}

const extractPlain = (json: unknown): string | undefined => {
  const error = field(json, "error")
  return messageIn(error) ?? messageIn(field(json, "message")) ?? detailIn(field(json, "detail"))
}

const firstOf = (list: unknown): unknown => (Array.isArray(list) ? list[0] : undefined)

/** The other side's own words, in one line. */
export const extractMessage = (json: unknown): string | undefined => {
  const error = field(json, "error")
  const found =
    messageIn(firstOf(error)) ??
    messageIn(firstOf(field(json, "errors"))) ??
    rawIn(error) ??
    messageIn(error) ??
    messageIn(field(json, "message")) ??
    detailIn(field(json, "detail")) ??
    textOf(field(error, "description")) ??
    textOf(field(json, "description")) ??
    textOf(field(json, "error_description")) ??
    textOf(field(json, "title"))
  return found === undefined ? undefined : line(found, messageLimit) || undefined
}

/** `x-amzn-errortype` and `__type` carry a namespace or a URL around the name. */
const amazonType = (value: unknown): string | undefined =>
  textOf(value)?.split(":")[0]?.split("#").at(-1)?.trim() || undefined

/** The provider's own code, as it was given. */
export const extractCode = (json: unknown, amazon: unknown): number | string | undefined => {
  const error = field(json, "error")
  const status = field(error, "status")
  const code = codeOf(field(error, "code"))
  // Google's number only repeats the HTTP status; its name tells INVALID_ARGUMENT from FAILED_PRECONDITION.
  if (typeof code === "number" && typeof status === "string") return codeOf(status)
  const type = field(json, "type")
  return (
    code ??
    codeOf(field(error, "type")) ??
    codeOf(status) ??
    codeOf(field(json, "code")) ??
    codeOf(field(json, "error_type")) ??
    codeOf(field(firstOf(field(json, "errors")), "code")) ??
    codeOf(amazonType(field(json, "__type")) ?? amazonType(amazon)) ??
    (type === "error" ? undefined : codeOf(type))
  )
}

const naming = ["code", "type", "status", "reason", "error_type", "finish_reason"]

/** Every word in a body that names the error, in lower case. */
export const extractWords = (json: unknown, amazon: unknown): ReadonlySet<string> => {
  const words = new Set<string>()
  const add = (value: unknown): void => {
    const text = textOf(value)
    if (text !== undefined && text.length <= 200) words.add(text.toLowerCase())
  }
  const error = field(json, "error")
  for (const holder of [json, error, field(error, "innererror")]) {
    if (!isRecord(holder)) continue
    for (const key of naming) add(field(holder, key))
  }
  add(field(firstOf(field(json, "errors")), "code"))
  add(amazonType(field(json, "__type")))
  add(amazonType(amazon))
  const details = field(error, "details")
  if (Array.isArray(details)) for (const detail of details.slice(0, 20)) add(field(detail, "reason"))
  if (Array.isArray(field(field(error, "metadata"), "reasons"))) add("openrouter_moderation")
  return words
}

/** The status that a word stands for, where the status line says 200 or there is none. */
const statusOfWord: ReadonlyMap<string, number> = new Map(
  Object.entries({
    // Anthropic
    invalid_request_error: 400,
    authentication_error: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    api_error: 500,
    timeout_error: 504,
    overloaded_error: 529,
    // Google
    invalid_argument: 400,
    failed_precondition: 400,
    out_of_range: 400,
    unauthenticated: 401,
    permission_denied: 403,
    not_found: 404,
    aborted: 409,
    already_exists: 409,
    resource_exhausted: 429,
    cancelled: 499,
    unknown: 500,
    internal: 500,
    data_loss: 500,
    unimplemented: 501,
    unavailable: 503,
    deadline_exceeded: 504,
    // OpenAI and those who speak its dialect
    invalid_api_key: 401,
    model_not_found: 404,
    rate_limit_exceeded: 429,
    ratelimitreached: 429,
    tokens: 429,
    requests: 429,
    server_error: 500,
    internal_server_error: 500,
    provider_unavailable: 503,
    // xAI writes Google's names with hyphens
    "invalid-argument": 400,
    "resource-exhausted": 429,
    "the service is currently unavailable": 503,
    // Bedrock
    validationexception: 400,
    accessdeniedexception: 403,
    unrecognizedclientexception: 403,
    expiredtokenexception: 403,
    resourcenotfoundexception: 404,
    modeltimeoutexception: 408,
    conflictexception: 409,
    throttlingexception: 429,
    modelnotreadyexception: 429,
    internalserverexception: 500,
    serviceunavailableexception: 503
  })
)

/** The status that a body claims for itself. */
export const extractStatus = (json: unknown, words: ReadonlySet<string>): number | undefined => {
  const error = field(json, "error")
  const claimed = [
    field(error, "status_code"),
    field(json, "status_code"),
    field(error, "status"),
    field(json, "status"),
    field(error, "code"),
    field(json, "code"),
    field(json, "httpCode")
  ]
  for (const value of claimed) {
    const status = errorStatus(value)
    if (status !== undefined) return status
  }
  // A specific word (a code) may stand beside a general one (a type), so the general 400 comes last.
  let general: number | undefined
  for (const word of words) {
    const status = statusOfWord.get(word)
    if (status === undefined) continue
    if (status !== 400) return status
    general = status
  }
  return general ?? errorStatus(field(json, "originalStatusCode"))
}
