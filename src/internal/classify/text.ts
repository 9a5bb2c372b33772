/**
 * Reading untrusted JSON and making bounded text of it.
 */
import type * as Duration from "effect/Duration"
import type { Source } from "../errors.js"

/**
 * Header names in lower case.
 *
 * @since 0.1.0
 */
export type Headers = Readonly<Record<string, string | undefined>>

/**
 * Who was asked: only names and hosts, never credentials.
 *
 * @since 0.1.0
 */
export interface ErrorContext {
  /** The provider's gateway slug, such as `openai` or `workers-ai`. */
  readonly provider?: string | undefined
  /** The model that was asked for. */
  readonly model?: string | undefined
  /**
   * Which host answered: `gateway` is gateway.ai.cloudflare.com (the default), `account` is api.cloudflare.com.
   * It decides whose token code 10000 is about.
   */
  readonly host?: "gateway" | "account" | undefined
  /** Milliseconds since the epoch, to read a date in `Retry-After`. Without it a date is ignored. */
  readonly now?: number | undefined
}

/** What the caller learned about one failure, ready to become an error. */
export interface Facts {
  readonly context: ErrorContext
  readonly headers: Headers
  readonly status: number | undefined
  readonly code: number | string | undefined
  /** What the other side said, unquoted, as `line` made it. */
  readonly said: string | undefined
  /** The beginning of the body, for an answer that cannot be understood; most errors never ask for it. */
  readonly excerpt: () => string
  readonly retryable: boolean | undefined
  readonly retryAfter: Duration.Duration | undefined
}

/** Tags that one row of a table can decide on by itself. */
export type SimpleTag =
  | "GatewayNotFound"
  | "Unauthorized"
  | "BadRequest"
  | "ModelNotFound"
  | "ContextLengthExceeded"
  | "RateLimited"
  | "QuotaExceeded"
  | "ProviderFailure"
  | "ModelTimeout"
  | "MalformedResponse"

/** Which error it is, and what to tell the person. */
export type Verdict = {
  readonly source: Source
  /** Replaces the tag's usual first sentence. */
  readonly headline?: string
  /** Replaces the tag's usual last sentence. */
  readonly advice?: string
} & (
  | { readonly tag: SimpleTag }
  | {
      readonly tag: "ContentBlocked"
      readonly stage: "prompt" | "response"
      readonly by: "guardrails" | "dlp" | "provider"
    }
)

export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const hasProperties = (u: unknown): u is Readonly<Record<string, unknown>> =>
  u !== null && (typeof u === "object" || typeof u === "function")

/** A property of anything; undefined where there is none. A getter that throws counts as absent. */
export const field = (u: unknown, key: string): unknown => {
  if (!hasProperties(u)) return undefined
  try {
    return u[key]
  } catch {
    return undefined
  }
}

/** A string with something in it. */
export const textOf = (u: unknown): string | undefined =>
  typeof u === "string" && u.trim() !== "" ? u : undefined

/** Cuts first and cleans afterwards, so that a body of 10 MB costs no more than its beginning. */
export const bounded = (text: string, limit: number): string => {
  const cut = text.length > limit
  const head = cut ? text.slice(0, limit - 1) : text
  // A cut in the middle of a surrogate pair would leave a character that cannot be encoded.
  const whole = cut ? head.replace(/[\uD800-\uDBFF]$/, "") : head
  return cut ? `${whole}…` : whole
}

/**
 * Some servers repeat the key that they refuse. Providers' well-known key forms and bearer tokens are masked, as
 * an error ends up in logs.
 */
const secrets =
  /\b(Bearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}|\b(sk|pk|rk|xai|gsk|csk|pplx|hf|r8|fw)[-_][\w-]{12,}|\b(AIza|AKIA)[\w-]{12,}/gi

/** The least that one of these forms can be; most names and codes are shorter. */
const shortestSecret = 15

const masked = (text: string): string =>
  text.length < shortestSecret ? text : text.replace(secrets, "$1$2$3***")

/** One line of bounded text without anything that looks like a credential. */
export const line = (text: string, limit: number): string => {
  const whole = bounded(masked(text.slice(0, limit + 1)), limit)
  return (/[^\S ]| {2}/.test(whole) ? whole.replace(/\s+/g, " ") : whole).trim()
}

/** The beginning of a body, at most 500 characters. */
export const excerpt = (body: string): string => bounded(masked(body.slice(0, 501)), 500)

/** JSON of anything, or undefined where it has none (cycles, too deep, a bigint). */
export const stringify = (u: unknown): string | undefined => {
  try {
    return JSON.stringify(u)
  } catch {
    return undefined
  }
}

/** An integer in the range of HTTP errors, also from a numeric string. */
export const errorStatus = (u: unknown): number | undefined => {
  const number = typeof u === "string" && /^\d{3}$/.test(u) ? Number(u) : u
  return typeof number === "number" && Number.isInteger(number) && number >= 400 && number <= 599
    ? number
    : undefined
}

/** A code as it was given: a finite number or a bounded string. */
export const codeOf = (u: unknown): number | string | undefined => {
  if (typeof u === "number") return Number.isFinite(u) ? u : undefined
  const text = textOf(u)
  return text === undefined ? undefined : line(text, 200) || undefined
}

/** Cloudflare's codes are numbers; a numeric string is one too. */
export const cloudflareCode = (u: unknown): number | string | undefined =>
  typeof u === "string" && /^\d{1,9}$/.test(u.trim()) ? Number(u) : codeOf(u)
