/**
 * What a provider's own words mean, where its status alone would mislead: a quota behind 429, a bad key, a full
 * context window and a content filter behind 400.
 */
import type { ErrorBody } from "./bodyShape.js"
import type { Verdict } from "./text.js"

interface Rule {
  readonly tag:
    | "QuotaExceeded"
    | "ContentBlocked"
    | "ContextLengthExceeded"
    | "Unauthorized"
    | "ModelNotFound"
  /** Codes, types and reasons in lower case; they count at any status. */
  readonly words: ReadonlySet<string>
  /** Texts count only at these statuses, and inside a stream, as free text is a weaker sign. */
  readonly text: RegExp
  readonly statuses: ReadonlyArray<number>
  /** Where one of these words is present the text says something else. */
  readonly unless?: string
}

const rules: ReadonlyArray<Rule> = [
  {
    tag: "QuotaExceeded",
    words: new Set([
      "insufficient_quota",
      "billing_error",
      "billing_hard_limit_reached",
      "billing_not_active",
      "insufficient_credits",
      "insufficient_balance",
      "payment_required",
      "servicequotaexceededexception"
    ]),
    text: /credit balance is too low|insufficient (?:account )?(?:balance|credits?|funds|quota)|(?:out of|not enough|used all available) credits|exceeded your current quota|spending limit|key limit exceeded/i,
    statuses: [400, 403, 429],
    // Google uses the same sentence for its limits per minute, and says when to come back.
    unless: "resource_exhausted"
  },
  {
    tag: "ContentBlocked",
    words: new Set([
      "content_filter",
      "content_policy_violation",
      "responsibleaipolicyviolation",
      "moderation_blocked",
      "prohibited_content",
      "openrouter_moderation"
    ]),
    text: /content management policy|content filter(?:ing policy)?\b.{0,40}\bblocked|blocked by .{0,20}content filter|violates? .{0,30}(?:usage|content) (?:polic|guideline)|result of our safety system|\bblocked (?:due to|by|for) .{0,20}(?:safety|prohibited)|(?:input|prompt|content) was (?:blocked|flagged)/i,
    statuses: [400, 403, 422]
  },
  {
    tag: "ContextLengthExceeded",
    words: new Set([
      "context_length_exceeded",
      "context_window_exceeded",
      "model_context_window_exceeded",
      "request_too_large",
      "too_many_tokens"
    ]),
    text: /prompt is too long|maximum (?:context|prompt) length|exceeds? .{0,40}context (?:length|window|size|limit)|context (?:length|window) (?:is |was )?exceeded|exceeds the maximum number of tokens|token count .{0,80}exceeds|input is too long|too many (?:input )?tokens|reduce the length of/i,
    statuses: [400, 413, 422]
  },
  {
    tag: "Unauthorized",
    words: new Set(["api_key_invalid", "invalid_api_key"]),
    text: /(?:incorrect|invalid|missing|no) api[ _-]?key|api[ _-]?key (?:is )?(?:not valid|invalid|expired|missing|not found)/i,
    statuses: [400, 422]
  },
  {
    tag: "ModelNotFound",
    words: new Set([
      "model_not_found",
      "deploymentnotfound",
      "model_decommissioned",
      "invalid_model",
      "model_not_supported"
    ]),
    text: /is not a valid model|model identifier is invalid|invalid model(?::| ?['"`]|\.?$)|\bmodel\b.{0,120}(?:does not exist|not found|decommissioned)/i,
    statuses: [400, 422]
  }
]

/** An output that was blocked names itself; Azure's prompt filter says "the response was filtered due to the prompt". */
const stageOf = (text: string): "prompt" | "response" =>
  !/prompt|input/i.test(text) && /output|response|completion|generated/i.test(text) ? "response" : "prompt"

const shareOne = (some: ReadonlySet<string>, others: ReadonlySet<string>): boolean => {
  for (const word of some) if (others.has(word)) return true
  return false
}

/**
 * The provider's refusal by its own words; undefined where only the status tells. `status` is undefined inside a
 * stream that names none.
 */
export const providerVerdict = (body: ErrorBody, status: number | undefined): Verdict | undefined => {
  if (body.shape !== "provider" && body.shape !== "cloudflare" && body.shape !== "workersAi") return undefined
  const text = body.message ?? ""
  for (const rule of rules) {
    // Cloudflare's envelopes have codes for the rest; a full context window comes under several.
    if (body.shape !== "provider" && rule.tag !== "ContextLengthExceeded") continue
    const named = shareOne(body.words, rule.words)
    const said =
      (status === undefined || rule.statuses.includes(status)) &&
      rule.text.test(text) &&
      !(rule.unless !== undefined && body.words.has(rule.unless))
    if (!named && !said) continue
    return rule.tag === "ContentBlocked"
      ? { tag: rule.tag, source: "provider", by: "provider", stage: stageOf(text) }
      : { tag: rule.tag, source: "provider" }
  }
  if (body.words.has("modeltimeoutexception") || (status === undefined && body.words.has("timeout"))) {
    return { tag: "ModelTimeout", source: "provider" }
  }
  // Bedrock reports a failure of the model itself as 424, which reads like a wrong request.
  if (body.words.has("modelerrorexception") || body.words.has("modelstreamerrorexception")) {
    return { tag: "ProviderFailure", source: "provider" }
  }
  return undefined
}
