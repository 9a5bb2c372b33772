/**
 * The gateway's own codes, and its refusals without one.
 *
 * Source: `protocol/gateway.md` §4.2.
 */
import type { ErrorBody } from "./bodyShape.js"
import { type ErrorContext, errorStatus, field, type Verdict } from "./text.js"

interface Row {
  readonly verdict: Verdict
  /** The status that usually comes with the code, for a binding that throws the status away. */
  readonly status?: number
}

const source = "gateway" as const

const byok =
  "Give the provider's own key (BYOK: `apiKey` on the provider, or a key stored in the gateway), or add credits in the Cloudflare dashboard."

const storedKey =
  "Check the provider keys that are stored in the gateway, or give the provider's own key (BYOK)."

const rows: ReadonlyMap<number, Row> = new Map<number, Row>([
  [2001, { status: 400, verdict: { tag: "GatewayNotFound", source } }],
  [
    2002,
    {
      status: 500,
      verdict: { tag: "ProviderFailure", source, headline: "The gateway could not read the model's answer" }
    }
  ],
  [2003, { status: 429, verdict: { tag: "RateLimited", source } }],
  [
    2005,
    {
      status: 400,
      verdict: {
        tag: "ProviderFailure",
        source,
        headline: "The gateway got no answer from the provider",
        advice: "Check the model's name and its provider prefix, or try again or another provider."
      }
    }
  ],
  [
    2008,
    {
      status: 400,
      verdict: {
        tag: "BadRequest",
        source,
        advice: "The gateway does not know this provider: check its slug."
      }
    }
  ],
  [
    2009,
    {
      status: 401,
      verdict: {
        tag: "Unauthorized",
        source,
        headline: "The gateway refused its own token",
        advice: 'Check `token` on the gateway: a Cloudflare API token with the permission "AI Gateway Run".'
      }
    }
  ],
  [2016, { status: 424, verdict: { tag: "ContentBlocked", source, stage: "prompt", by: "guardrails" } }],
  [2017, { status: 424, verdict: { tag: "ContentBlocked", source, stage: "response", by: "guardrails" } }],
  [2018, { status: 401, verdict: { tag: "Unauthorized", source, advice: storedKey } }],
  [
    2019,
    {
      status: 400,
      verdict: {
        tag: "BadRequest",
        source,
        advice:
          "Check the body; on the unified endpoint the model needs its provider's prefix, as in `openai/gpt-5`."
      }
    }
  ],
  [2021, { status: 402, verdict: { tag: "QuotaExceeded", source, advice: byok } }],
  [2029, { status: 400, verdict: { tag: "ContentBlocked", source, stage: "prompt", by: "dlp" } }],
  [2030, { status: 400, verdict: { tag: "ContentBlocked", source, stage: "response", by: "dlp" } }],
  [
    2036,
    {
      status: 403,
      verdict: {
        tag: "Unauthorized",
        source,
        advice: "This account may not use the feature: enable it in the dashboard."
      }
    }
  ],
  [
    2040,
    {
      status: 400,
      verdict: {
        tag: "Unauthorized",
        source,
        headline: "The gateway has no stored key under that alias",
        advice: "Use one of its aliases, or store the key under this one in the Cloudflare dashboard."
      }
    }
  ],
  [
    2041,
    {
      status: 429,
      verdict: {
        tag: "QuotaExceeded",
        source,
        advice: "Raise the gateway's spend limit, or wait for its next window."
      }
    }
  ],
  [2047, { status: 401, verdict: { tag: "Unauthorized", source, advice: storedKey } }],
  [2049, { status: 402, verdict: { tag: "QuotaExceeded", source, advice: byok } }],
  [
    7013,
    {
      status: 503,
      verdict: { tag: "ProviderFailure", source, headline: "The gateway's content scanner is unavailable" }
    }
  ]
])

/** Refusals whose code is unknown or absent. */
const byText = (body: ErrorBody, status: number | undefined): Verdict | undefined => {
  const text = body.message ?? ""
  const error = field(body.json, "error")
  if (/^please configure ai gateway/i.test(text)) return { tag: "GatewayNotFound", source }
  if (/spend(?:ing)? limit/i.test(text) || field(error, "spent") !== undefined) {
    return {
      tag: "QuotaExceeded",
      source,
      advice: "Raise the policy's spending limit, or wait for its next window."
    }
  }
  if (/access denied/i.test(text)) {
    return {
      tag: "Unauthorized",
      source,
      headline: "A policy of the gateway denied access",
      advice:
        "Allow this model and provider in the gateway's policies; once one policy exists, the rest is denied."
    }
  }
  const refused = status === undefined || status === 400 || status === 401 || status === 403
  if (
    refused &&
    /\bbyok\b|no[ -]wholesale|no (?:provider |stored |valid )*(?:credentials?|api key|key)\b/i.test(text)
  ) {
    return {
      tag: "Unauthorized",
      source,
      headline: "The gateway has no key for this provider",
      advice: "Give the provider's own key, or store one in the gateway: `byok_only` forbids unified billing."
    }
  }
  return undefined
}

/**
 * What Cloudflare itself says. Only in the envelopes that Cloudflare writes: a provider may use the same numbers
 * for something else.
 */
export const gatewayVerdict = (
  body: ErrorBody,
  status: number | undefined,
  context: ErrorContext
): Row | undefined => {
  switch (body.shape) {
    case "gateway":
    case "policy":
    case "cloudflare":
      break
    case "resume":
      return {
        status: 404,
        verdict: {
          tag: "BadRequest",
          source,
          headline: "The stream can no longer be resumed",
          advice: "The gateway keeps it for about five minutes: send the request again."
        }
      }
    default:
      return undefined
  }
  if (body.code === 10000) return authentication(context)
  if (body.code === 7003) return route(body, status, context)
  const row = typeof body.code === "number" ? rows.get(body.code) : undefined
  if (row !== undefined) return row
  const verdict = body.shape === "cloudflare" ? undefined : byText(body, status)
  return verdict === undefined ? undefined : { verdict }
}

/**
 * On the gateway's host it is Workers AI behind the gateway that refuses its own token; on api.cloudflare.com
 * there is only one token, and every leg uses it.
 */
const authentication = (context: ErrorContext): Row => ({
  status: 401,
  verdict:
    context.host === "account"
      ? {
          tag: "Unauthorized",
          source,
          headline: "Cloudflare refused the API token",
          advice:
            'Check `token` and `accountId`: the token needs the permissions "Workers AI Read" and "AI Gateway Run".'
        }
      : {
          tag: "Unauthorized",
          source: "provider",
          headline: "Workers AI refused the Cloudflare token",
          advice: 'Check the token of this provider: it needs the permission "Workers AI Read".'
        }
})

const route = (body: ErrorBody, status: number | undefined, context: ErrorContext): Row => {
  const from = context.host === "account" ? source : ("provider" as const)
  const failed = (errorStatus(status) ?? 0) >= 500 || /execution failed/i.test(body.message ?? "")
  return failed
    ? { status: 500, verdict: { tag: "ProviderFailure", source: "provider" } }
    : {
        status: 404,
        verdict: {
          tag: "ModelNotFound",
          source: body.shape === "gateway" ? source : from,
          advice: "Check the model's name (`author/model` or `@cf/…`) and `accountId`."
        }
      }
}
