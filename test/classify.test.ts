import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import {
  classify,
  classifyEvent,
  classifySuccess,
  classifyThrown,
  describe as describeThrown,
  type ErrorContext
} from "../src/internal/classify.js"
import {
  AllProvidersFailed,
  failsEverywhere,
  isRetryable,
  LegError,
  RateLimited,
  StreamBroken
} from "../src/internal/errors.js"

const openai: ErrorContext = { provider: "openai", model: "gpt-5" }
const workersAi: ErrorContext = { provider: "workers-ai", model: "@cf/meta/llama" }

/** What the gateway itself answers with. */
const e1 = (code: number, message: string, httpCode = 400): unknown => ({
  success: false,
  result: [],
  messages: [],
  error: [{ code, message }],
  name: "AiGatewayError",
  httpCode,
  internalCode: code,
  message,
  description: message
})

/** Cloudflare's v4 envelope. */
const e2 = (code: unknown, message: string): unknown => ({
  result: null,
  success: false,
  errors: [{ code, message }],
  messages: []
})

const e5 = (code: number, httpCode: number, message: string): unknown => ({
  name: "AiError",
  internalCode: code,
  httpCode,
  message: `AiError: ${message}`,
  description: message
})

const of = (status: number, body: unknown, context: ErrorContext = openai, headers = {}): LegError =>
  classify(status, headers, typeof body === "string" ? body : JSON.stringify(body), context)

/** The parts of an error that a table checks. */
const summary = (error: LegError): ReadonlyArray<unknown> => {
  const base = [error._tag, error.source, error.code]
  switch (error._tag) {
    case "ContentBlocked":
      return [...base, error.stage, error.by]
    case "ModelTimeout":
      return [...base, error.phase]
    default:
      return base
  }
}

describe("a refusal of the gateway", () => {
  const codes: ReadonlyArray<[number, number, string, ReadonlyArray<unknown>]> = [
    [2001, 400, "Please configure AI Gateway in the Cloudflare dashboard", ["GatewayNotFound", "gateway"]],
    [2002, 500, "Failed to parse model output", ["ProviderFailure", "gateway"]],
    [2003, 429, "Rate limited", ["RateLimited", "gateway"]],
    [2005, 400, "Failed to get response from provider", ["ProviderFailure", "gateway"]],
    [2008, 400, "Invalid provider", ["BadRequest", "gateway"]],
    [2009, 401, "Unauthorized", ["Unauthorized", "gateway"]],
    [
      2016,
      424,
      "Prompt blocked due to security configurations",
      ["ContentBlocked", "gateway", "prompt", "guardrails"]
    ],
    [
      2017,
      424,
      "Response blocked due to security configurations",
      ["ContentBlocked", "gateway", "response", "guardrails"]
    ],
    [2018, 400, "Invalid User Credentials", ["Unauthorized", "gateway"]],
    [2019, 400, "Chat completion bad format", ["BadRequest", "gateway"]],
    [2021, 402, "Insufficient AI Gateway credits", ["QuotaExceeded", "gateway"]],
    [
      2029,
      400,
      "Request content blocked due to DLP policy violations",
      ["ContentBlocked", "gateway", "prompt", "dlp"]
    ],
    [
      2030,
      400,
      "Response content blocked due to DLP policy violations",
      ["ContentBlocked", "gateway", "response", "dlp"]
    ],
    [2036, 403, "This feature is not available", ["Unauthorized", "gateway"]],
    [2040, 400, "No credential with alias prod; configured aliases: default", ["Unauthorized", "gateway"]],
    [
      2041,
      429,
      "Spend limit exceeded: rule 'a' (cost limit 1 per 60s, sliding)",
      ["QuotaExceeded", "gateway"]
    ],
    [2047, 400, "Invalid User Credentials", ["Unauthorized", "gateway"]],
    [2049, 402, "Insufficient balance; add money to your gateway", ["QuotaExceeded", "gateway"]],
    [7003, 404, "Model not found", ["ModelNotFound", "gateway"]],
    [7013, 503, "Scanner unavailable", ["ProviderFailure", "gateway"]]
  ]
  for (const [code, status, message, [tag, source, ...rest]] of codes) {
    it(`with code ${code} is ${String(tag)}, and keeps code, status and words`, () => {
      const error = of(status, e1(code, message, status))
      assert.deepStrictEqual(summary(error), [tag, source, code, ...rest])
      assert.strictEqual(error.status, status)
      assert.include(error.message, message)
      assert.include(error.message, `code ${code}`)
    })
  }

  it("says how to create a gateway that does not exist", () => {
    assert.strictEqual(
      of(400, e1(2001, "Please configure AI Gateway in the Cloudflare dashboard")).message,
      'The gateway does not exist (code 2001): "Please configure AI Gateway in the Cloudflare dashboard". ' +
        "Check accountId and gatewayId, or create the gateway in the Cloudflare dashboard."
    )
  })

  it("names the token's option and permission where its own token is wrong", () => {
    const { message } = of(401, e1(2009, "Unauthorized", 401))
    assert.include(message, "`token`")
    assert.include(message, "AI Gateway Run")
  })

  it("over money says BYOK", () => {
    assert.include(of(402, e1(2021, "Insufficient wholesale credits", 402)).message, "BYOK")
  })

  const envelopes: ReadonlyArray<[string, (code: number, message: string) => unknown]> = [
    ["the old, short envelope", (code, message) => ({ success: false, error: [{ code, message }] })],
    ["a list without a flag", (code, message) => ({ error: [{ code, message }] })],
    ["the plural envelope", e2],
    ["the plural envelope without a flag", (code, message) => ({ errors: [{ code, message }] })],
    [
      "an error that is a string",
      (code, message) => ({ success: false, error: message, internalCode: code })
    ],
    [
      "an error that is a string beside a code",
      (code, message) => ({ success: false, error: message, code })
    ],
    [
      "a code that is a numeric string",
      (code, message) => ({ success: false, error: [{ code: `${code}`, message }] })
    ],
    ["only the name", (code, message) => ({ name: "AiGatewayError", internalCode: code, message })]
  ]
  for (const [name, envelope] of envelopes) {
    it(`is recognised in ${name}`, () => {
      const missing = of(400, envelope(2001, "Please configure AI Gateway"))
      assert.deepStrictEqual(summary(missing), ["GatewayNotFound", "gateway", 2001])
      const refused = of(401, envelope(2009, "Unauthorized"))
      assert.deepStrictEqual(summary(refused), ["Unauthorized", "gateway", 2009])
      assert.isTrue(failsEverywhere(refused))
      assert.include(refused.message, "Unauthorized")
    })
  }

  it("with an unknown code is no missing gateway, and keeps code, words and log id", () => {
    const error = of(400, e1(9999, "Something does not exist"), openai, { "cf-aig-log-id": "01ABC" })
    assert.deepStrictEqual(summary(error), ["BadRequest", "gateway", 9999])
    assert.include(error.message, "Something does not exist")
    assert.strictEqual(error.logId, "01ABC")
    assert.strictEqual(error.gateway?.logId, "01ABC")
  })

  it("with an unknown code goes by the status", () => {
    assert.strictEqual(of(429, e1(2048, "?"))._tag, "RateLimited")
    assert.strictEqual(of(402, e1(2048, "?"))._tag, "QuotaExceeded")
    assert.strictEqual(of(503, e1(2048, "?"))._tag, "ProviderFailure")
    assert.strictEqual(of(404, e1(2048, "?"))._tag, "BadRequest")
  })

  it("goes by the status line, not by the status in its body", () => {
    assert.strictEqual(of(401, e1(2009, "Unauthorized", 400)).status, 401)
  })

  it("for want of a key under byok_only leaves the other legs to try", () => {
    const error = of(400, { success: false, error: [{ message: "No credentials: byok_only is set" }] })
    assert.deepStrictEqual(summary(error), ["Unauthorized", "gateway", undefined])
    assert.isFalse(failsEverywhere(error))
  })

  it("by a policy is a refusal of access", () => {
    const error = of(403, { success: false, error: { message: "Access denied by policy" } })
    assert.deepStrictEqual(summary(error), ["Unauthorized", "gateway", undefined])
    assert.include(error.message, "policies")
  })

  it("by a policy's spending cap is a quota", () => {
    const error = of(429, {
      success: false,
      error: { message: "Spending limit exceeded", bucket: "b", spent: 2, limit: 1 }
    })
    assert.deepStrictEqual(summary(error), ["QuotaExceeded", "gateway", undefined])
    assert.isFalse(isRetryable(error))
  })

  it("to resume a stream says to send it again", () => {
    const error = of(404, { error: "Request not found" })
    assert.deepStrictEqual(summary(error), ["BadRequest", "gateway", undefined])
    assert.include(error.message, "send the request again")
  })

  it("of a web search carries its code and its word on retrying", () => {
    const error = of(402, {
      ok: false,
      error: { category: "gateway", code: "web_search_payment_required", status: 402, retryable: false }
    })
    assert.deepStrictEqual(summary(error), ["QuotaExceeded", "gateway", "web_search_payment_required"])
    assert.strictEqual(error.retryable, false)
  })

  it("is not seen in a provider's body with the same number", () => {
    const error = of(400, { error: { code: 2001, message: "no such voice" } })
    assert.deepStrictEqual(summary(error), ["BadRequest", "provider", 2001])
  })
})

describe("code 10000", () => {
  it("on the gateway's host is one provider's token", () => {
    const error = of(401, e2(10000, "Authentication error"), workersAi)
    assert.deepStrictEqual(summary(error), ["Unauthorized", "provider", 10000])
    assert.isFalse(failsEverywhere(error))
  })

  it("on api.cloudflare.com is the token of every leg", () => {
    const error = of(401, e2(10000, "Authentication error"), { ...workersAi, host: "account" })
    assert.deepStrictEqual(summary(error), ["Unauthorized", "gateway", 10000])
    assert.isTrue(failsEverywhere(error))
  })
})

describe("a code of Workers AI", () => {
  const codes: ReadonlyArray<[number, number, ReadonlyArray<unknown>]> = [
    [3003, 400, ["BadRequest"]],
    [3006, 413, ["BadRequest"]],
    [3007, 408, ["ModelTimeout", "provider"]],
    [3008, 408, ["ModelTimeout", "provider"]],
    [3023, 403, ["Unauthorized"]],
    [3036, 429, ["QuotaExceeded"]],
    [3039, 400, ["BadRequest"]],
    [3040, 429, ["RateLimited"]],
    [3041, 403, ["Unauthorized"]],
    [3042, 404, ["ModelNotFound"]],
    [5004, 400, ["BadRequest"]],
    [5005, 405, ["BadRequest"]],
    [5006, 400, ["BadRequest"]],
    [5007, 400, ["ModelNotFound"]],
    [5016, 403, ["Unauthorized"]],
    [5018, 403, ["Unauthorized"]],
    [5019, 405, ["BadRequest"]],
    [5021, 413, ["ContextLengthExceeded"]]
  ]
  for (const [code, status, [tag, ...rest]] of codes) {
    const expected = [tag, "provider", code, ...rest]
    it(`${code} is ${String(tag)} in its own body, Cloudflare's envelope and a binding's error`, () => {
      assert.deepStrictEqual(summary(of(status, e5(code, status, "why"), workersAi)), expected)
      assert.deepStrictEqual(summary(of(status, e2(code, "why"), workersAi)), expected)
      assert.deepStrictEqual(
        summary(of(status, e2(`${code}`, "why"), { ...workersAi, host: "account" })),
        expected
      )
      const thrown = classifyThrown(new Error(`${code}: why`), workersAi)
      assert.deepStrictEqual(summary(thrown), expected)
      assert.strictEqual(thrown.status, status)
      assert.include(thrown.message, "why")
    })
  }

  it("counts in the OpenAI shape only for Workers AI", () => {
    const body = { error: { code: 3040, message: "Out of capacity" } }
    assert.strictEqual(of(400, body, workersAi)._tag, "RateLimited")
    assert.strictEqual(of(400, body, openai)._tag, "BadRequest")
  })

  it("for a busy model does not end the list, but is retried; the daily allocation is not", () => {
    const busy = of(429, e2(3040, "Out of capacity"), { ...workersAi, host: "account" })
    assert.isTrue(isRetryable(busy))
    assert.isFalse(failsEverywhere(busy))
    assert.isFalse(isRetryable(of(429, e2(3036, "Used up"), workersAi)))
  })

  it("for a route that does not exist is a model that is not found", () => {
    const body = e2(7003, "Could not route to /ai/run/x, perhaps your object identifier is invalid?")
    assert.deepStrictEqual(summary(of(400, body, workersAi)), ["ModelNotFound", "provider", 7003])
    assert.strictEqual(of(500, e2(7003, "Model execution failed (Error)"), workersAi)._tag, "ProviderFailure")
  })

  it("that is unknown goes by the status and keeps source and code", () => {
    assert.deepStrictEqual(summary(of(400, e2(8001, "bad tool_choice"), workersAi)), [
      "BadRequest",
      "provider",
      8001
    ])
    assert.deepStrictEqual(summary(of(404, e2(7000, "No route"), workersAi)), [
      "ModelNotFound",
      "provider",
      7000
    ])
    assert.strictEqual(of(401, e2(9106, "?"), { host: "account" }).source, "gateway")
  })
})

describe("a provider's body", () => {
  const anthropic: ErrorContext = { provider: "anthropic", model: "claude" }
  const google: ErrorContext = { provider: "google-ai-studio", model: "gemini" }
  const bodies: ReadonlyArray<[string, number, unknown, ErrorContext, ReadonlyArray<unknown>]> = [
    [
      "OpenAI, wrong key",
      401,
      { error: { message: "m", type: "invalid_request_error", param: null, code: "invalid_api_key" } },
      openai,
      ["Unauthorized", "provider", "invalid_api_key"]
    ],
    [
      "OpenAI, unknown model",
      404,
      {
        error: {
          message: "The model `x` does not exist",
          type: "invalid_request_error",
          param: null,
          code: "model_not_found"
        }
      },
      openai,
      ["ModelNotFound", "provider", "model_not_found"]
    ],
    [
      "OpenAI, long context",
      400,
      {
        error: {
          message: "This model's maximum context length is 8192 tokens",
          type: "invalid_request_error",
          param: "messages",
          code: "context_length_exceeded"
        }
      },
      openai,
      ["ContextLengthExceeded", "provider", "context_length_exceeded"]
    ],
    [
      "OpenAI, wrong parameter",
      400,
      {
        error: {
          message: "Unsupported parameter",
          type: "invalid_request_error",
          param: "max_tokens",
          code: "unsupported_parameter"
        }
      },
      openai,
      ["BadRequest", "provider", "unsupported_parameter"]
    ],
    [
      "OpenAI, rate limit",
      429,
      { error: { message: "Rate limit reached", type: "tokens", param: null, code: "rate_limit_exceeded" } },
      openai,
      ["RateLimited", "provider", "rate_limit_exceeded"]
    ],
    [
      "OpenAI, no quota",
      429,
      {
        error: {
          message: "You exceeded your current quota",
          type: "insufficient_quota",
          param: null,
          code: "insufficient_quota"
        }
      },
      openai,
      ["QuotaExceeded", "provider", "insufficient_quota"]
    ],
    [
      "OpenAI, content policy",
      400,
      {
        error: {
          message: "Your request was rejected as a result of our safety system.",
          type: "image_generation_user_error",
          param: null,
          code: "content_policy_violation"
        }
      },
      openai,
      ["ContentBlocked", "provider", "content_policy_violation", "prompt", "provider"]
    ],
    [
      "OpenAI, code null",
      400,
      { error: { message: "bad", type: "invalid_request_error", param: null, code: null } },
      openai,
      ["BadRequest", "provider", "invalid_request_error"]
    ],
    [
      "Azure, code that is a numeric string",
      401,
      { error: { code: "401", message: "Access denied due to invalid subscription key" } },
      { provider: "azure-openai" },
      ["Unauthorized", "provider", "401"]
    ],
    [
      "Azure, rate limit",
      429,
      { error: { code: "RateLimitReached", message: "Retry after 1 second" } },
      { provider: "azure-openai" },
      ["RateLimited", "provider", "RateLimitReached"]
    ],
    [
      "Azure, unknown deployment",
      404,
      { error: { code: "DeploymentNotFound", message: "m" } },
      { provider: "azure-openai" },
      ["ModelNotFound", "provider", "DeploymentNotFound"]
    ],
    [
      "Azure, content filter",
      400,
      {
        error: {
          message:
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
          type: null,
          param: "prompt",
          code: "content_filter",
          status: 400,
          innererror: { code: "ResponsibleAIPolicyViolation" }
        }
      },
      { provider: "azure-openai" },
      ["ContentBlocked", "provider", "content_filter", "prompt", "provider"]
    ],
    [
      "Anthropic, wrong key",
      401,
      {
        type: "error",
        error: { type: "authentication_error", message: "invalid x-api-key" },
        request_id: "r"
      },
      anthropic,
      ["Unauthorized", "provider", "authentication_error"]
    ],
    [
      "Anthropic, no permission",
      403,
      { type: "error", error: { type: "permission_error", message: "m" } },
      anthropic,
      ["Unauthorized", "provider", "permission_error"]
    ],
    [
      "Anthropic, unknown model",
      404,
      { type: "error", error: { type: "not_found_error", message: "model: x" } },
      anthropic,
      ["ModelNotFound", "provider", "not_found_error"]
    ],
    [
      "Anthropic, long prompt",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "prompt is too long: 210000 tokens > 200000 maximum"
        }
      },
      anthropic,
      ["ContextLengthExceeded", "provider", "invalid_request_error"]
    ],
    [
      "Anthropic, too large",
      413,
      { type: "error", error: { type: "request_too_large", message: "m" } },
      anthropic,
      ["ContextLengthExceeded", "provider", "request_too_large"]
    ],
    [
      "Anthropic, rate limit",
      429,
      { type: "error", error: { type: "rate_limit_error", message: "m" } },
      anthropic,
      ["RateLimited", "provider", "rate_limit_error"]
    ],
    [
      "Anthropic, billing",
      402,
      { type: "error", error: { type: "billing_error", message: "m" } },
      anthropic,
      ["QuotaExceeded", "provider", "billing_error"]
    ],
    [
      "Anthropic, no credit",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "Your credit balance is too low to access the Anthropic API."
        }
      },
      anthropic,
      ["QuotaExceeded", "provider", "invalid_request_error"]
    ],
    [
      "Anthropic, blocked output",
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: "Output blocked by content filtering policy" }
      },
      anthropic,
      ["ContentBlocked", "provider", "invalid_request_error", "response", "provider"]
    ],
    [
      "Anthropic, overloaded",
      529,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      anthropic,
      ["ProviderFailure", "provider", "overloaded_error"]
    ],
    [
      "Anthropic, timeout",
      504,
      { type: "error", error: { type: "timeout_error", message: "m" } },
      anthropic,
      ["ProviderFailure", "provider", "timeout_error"]
    ],
    [
      "Google, wrong key",
      400,
      {
        error: {
          code: 400,
          message: "API key not valid. Please pass a valid API key.",
          status: "INVALID_ARGUMENT",
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }]
        }
      },
      google,
      ["Unauthorized", "provider", "INVALID_ARGUMENT"]
    ],
    [
      "Google, long context",
      400,
      {
        error: {
          code: 400,
          message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
          status: "INVALID_ARGUMENT"
        }
      },
      google,
      ["ContextLengthExceeded", "provider", "INVALID_ARGUMENT"]
    ],
    [
      "Google, blocked",
      400,
      { error: { code: 400, message: "The prompt was blocked due to safety", status: "INVALID_ARGUMENT" } },
      google,
      ["ContentBlocked", "provider", "INVALID_ARGUMENT", "prompt", "provider"]
    ],
    [
      "Google, rate limit in the words of a quota",
      429,
      {
        error: {
          code: 429,
          message: "You exceeded your current quota, please check your plan and billing details.",
          status: "RESOURCE_EXHAUSTED"
        }
      },
      google,
      ["RateLimited", "provider", "RESOURCE_EXHAUSTED"]
    ],
    [
      "Google, in an array",
      503,
      [{ error: { code: 503, message: "overloaded", status: "UNAVAILABLE" } }],
      google,
      ["ProviderFailure", "provider", "UNAVAILABLE"]
    ],
    [
      "xAI, wrong key with 400",
      400,
      { code: "Client specified an invalid argument", error: "Incorrect API key provided: xa***ss." },
      { provider: "grok" },
      ["Unauthorized", "provider", "Client specified an invalid argument"]
    ],
    [
      "xAI, wrong argument",
      400,
      { code: "invalid-argument", error: "text" },
      { provider: "grok" },
      ["BadRequest", "provider", "invalid-argument"]
    ],
    [
      "Groq, failed tool call",
      400,
      {
        error: {
          message: "m",
          type: "invalid_request_error",
          code: "tool_use_failed",
          failed_generation: "<f>"
        }
      },
      { provider: "groq" },
      ["BadRequest", "provider", "tool_use_failed"]
    ],
    [
      "Groq, withdrawn model",
      400,
      {
        error: {
          message: "The model has been decommissioned",
          type: "invalid_request_error",
          code: "model_decommissioned"
        }
      },
      { provider: "groq" },
      ["ModelNotFound", "provider", "model_decommissioned"]
    ],
    [
      "DeepSeek, no balance",
      402,
      {
        error: {
          message: "Insufficient Balance",
          type: "unknown_error",
          param: null,
          code: "invalid_request_error"
        }
      },
      { provider: "deepseek" },
      ["QuotaExceeded", "provider", "invalid_request_error"]
    ],
    [
      "DeepSeek, blank lines before the body",
      400,
      `\n\n${JSON.stringify({ error: { message: "bad", code: "x" } })}`,
      { provider: "deepseek" },
      ["BadRequest", "provider", "x"]
    ],
    [
      "Perplexity, numeric code",
      401,
      { error: { message: "m", type: "unauthorized", code: 401 } },
      { provider: "perplexity-ai" },
      ["Unauthorized", "provider", 401]
    ],
    [
      "Mistral, wrong key",
      401,
      { detail: "Invalid API Key" },
      { provider: "mistral" },
      ["Unauthorized", "provider", undefined]
    ],
    [
      "Mistral, invalid field",
      422,
      { detail: [{ type: "missing", loc: ["body", "messages"], msg: "Field required" }] },
      { provider: "mistral" },
      ["BadRequest", "provider", undefined]
    ],
    [
      "Mistral, unknown model",
      400,
      { object: "error", message: "Invalid model: x", type: "invalid_model", code: "1500" },
      { provider: "mistral" },
      ["ModelNotFound", "provider", "1500"]
    ],
    [
      "Mistral, long context",
      400,
      {
        object: "error",
        message:
          "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        type: "invalid_request_error",
        code: "3051"
      },
      { provider: "mistral" },
      ["ContextLengthExceeded", "provider", "3051"]
    ],
    [
      "OpenRouter, rate limit upstream",
      429,
      {
        error: {
          code: 429,
          message: "Provider returned error",
          metadata: { raw: "model is rate-limited upstream", provider_name: "X" }
        },
        user_id: "u"
      },
      { provider: "openrouter" },
      ["RateLimited", "provider", 429]
    ],
    [
      "OpenRouter, moderation",
      403,
      {
        error: {
          code: 403,
          message: "Input was flagged",
          metadata: { reasons: ["violence"], flagged_input: "…" }
        }
      },
      { provider: "openrouter" },
      ["ContentBlocked", "provider", 403, "prompt", "provider"]
    ],
    [
      "Cohere, long context",
      400,
      { id: "i", message: "too long", error_type: "TOO_MANY_TOKENS" },
      { provider: "cohere" },
      ["ContextLengthExceeded", "provider", "TOO_MANY_TOKENS"]
    ],
    [
      "Cohere, wrong key",
      401,
      { id: "i", message: "invalid api token" },
      { provider: "cohere" },
      ["Unauthorized", "provider", undefined]
    ],
    [
      "Bedrock, type in the body",
      400,
      { __type: "com.amazon.coral#ValidationException", message: "Input is too long for requested model." },
      { provider: "aws-bedrock" },
      ["ContextLengthExceeded", "provider", "ValidationException"]
    ],
    [
      "Cerebras",
      400,
      { message: "m", type: "invalid_request_error", param: "x", code: "wrong_api_format" },
      { provider: "cerebras" },
      ["BadRequest", "provider", "wrong_api_format"]
    ],
    [
      "Hugging Face, a string",
      503,
      { error: "Model is loading", estimated_time: 20 },
      { provider: "huggingface" },
      ["ProviderFailure", "provider", undefined]
    ],
    [
      "Replicate, problem details",
      422,
      { title: "Invalid version", detail: "The version does not exist", status: 422 },
      { provider: "replicate" },
      ["BadRequest", "provider", undefined]
    ],
    [
      "vLLM, long context",
      400,
      {
        object: "error",
        message: "This model's maximum context length is 4096 tokens.",
        type: "BadRequestError",
        code: 400
      },
      { provider: "workers-ai" },
      ["ContextLengthExceeded", "provider", 400]
    ]
  ]
  for (const [name, status, body, context, expected] of bodies) {
    it(`${name}: ${String(expected[0])}`, () => {
      const error = of(status, body, context)
      assert.deepStrictEqual(summary(error), expected)
      assert.strictEqual(error.status, status)
      assert.strictEqual(error.provider, context.provider)
      assert.strictEqual(error.model, context.model)
      assert.isFalse(failsEverywhere(error))
    })
  }

  it("of Bedrock has its type in a header, cut at the colon", () => {
    const headers = { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" }
    const error = of(429, { message: "Too many tokens, please wait" }, { provider: "aws-bedrock" }, headers)
    assert.deepStrictEqual(summary(error), ["RateLimited", "provider", "ThrottlingException"])
  })

  it("of Bedrock with 424 is a failure of the model", () => {
    const headers = { "x-amzn-errortype": "ModelErrorException" }
    assert.strictEqual(
      of(424, { message: "m" }, { provider: "aws-bedrock" }, headers)._tag,
      "ProviderFailure"
    )
  })

  const messages: ReadonlyArray<[string, unknown, string]> = [
    ["a list of errors", { errors: [{ message: "one" }] }, "one"],
    ["an error object", { error: { message: "two" } }, "two"],
    ["an error string", { error: "three" }, "three"],
    ["a message", { message: "four" }, "four"],
    ["a detail", { detail: "five" }, "five"],
    ["a list of details", { detail: [{ msg: "six" }, { msg: "seven" }] }, "six; seven"],
    [
      "OpenRouter's raw words",
      { error: { message: "Provider returned error", metadata: { raw: "eight" } } },
      "eight"
    ],
    [
      "OpenRouter's raw JSON",
      { error: { message: "x", metadata: { raw: '{"error":{"message":"nine"}}' } } },
      "nine"
    ],
    ["a message that is an object", { message: { detail: [{ msg: "ten" }] } }, "ten"],
    ["plain text", "eleven", "eleven"],
    ["fields that nobody knows", { weird: "twelve" }, "twelve"]
  ]
  for (const [name, body, expected] of messages) {
    it(`gives its words from ${name}`, () => {
      assert.include(of(400, body).message, expected)
    })
  }

  for (const body of [
    "",
    "   \n",
    "{}",
    "[]",
    "null",
    '{"error":{}}',
    '{"error":null}',
    '{"success":false,"errors":[]}'
  ]) {
    it(`without words (${JSON.stringify(body)}) still says what happened`, () => {
      assert.include(of(401, body).message, "HTTP 401")
    })
  }

  it("never shows an object as [object Object]", () => {
    assert.notInclude(of(400, { error: { message: { a: 1 } } }).message, "[object")
  })

  it("shows who refused, for which model, and what to do", () => {
    assert.strictEqual(
      of(404, { error: { message: "no", code: "model_not_found" } }).message,
      'openai does not know the model gpt-5 (code model_not_found): "no". ' +
        "Check the model's name, and whether this key may use it."
    )
  })

  it("that repeats the key has it masked", () => {
    const error = of(401, { error: { message: "Incorrect API key provided: sk-proj-0123456789abcdef" } })
    assert.notInclude(error.message, "0123456789abcdef")
  })
})

describe("a page of Cloudflare's edge", () => {
  const page = (title: string, body = ""): string =>
    `<!DOCTYPE html><html><head><title>${title}</title></head><body>${body}<span>cloudflare</span></body></html>`
  const pages: ReadonlyArray<[number, string, ReadonlyArray<unknown>]> = [
    [403, "error code: 1010", ["Unauthorized", "edge", 1010]],
    [403, page("Access denied", "<h1>Error <span>1020</span></h1>"), ["Unauthorized", "edge", 1020]],
    [403, page("Just a moment..."), ["Unauthorized", "edge", undefined]],
    [429, "error code: 1015", ["RateLimited", "edge", 1015]],
    [
      500,
      page("Worker threw exception | x | Cloudflare", "Error code 1101"),
      ["ProviderFailure", "edge", 1101]
    ],
    [502, page("x.com | 502: Bad gateway"), ["ProviderFailure", "edge", 502]],
    [524, page("x.com | 524: A timeout occurred"), ["ProviderFailure", "edge", 524]],
    [404, page("Not found"), ["BadRequest", "edge", undefined]],
    [200, page("Hello"), ["MalformedResponse", "edge", undefined]]
  ]
  for (const [status, body, expected] of pages) {
    it(`with ${status} is ${String(expected[0])} (code ${String(expected[2])})`, () => {
      const error = of(status, body)
      assert.deepStrictEqual(summary(error), expected)
      assert.isFalse(failsEverywhere(error))
      assert.notInclude(error.message, "<")
    })
  }

  it("with 1010 says which header to change", () => {
    assert.include(of(403, "error code: 1010").message, "User-Agent")
  })

  it("in JSON is the edge's too", () => {
    const error = of(429, {
      type: "https://developers.cloudflare.com/1015",
      title: "Error 1015: You are being rate limited",
      status: 429,
      error_code: 1015,
      cloudflare_error: true,
      retryable: true,
      retry_after: 30
    })
    assert.deepStrictEqual(summary(error), ["RateLimited", "edge", 1015])
    assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), 30_000)
  })

  it("is not blamed for the page of a server behind it", () => {
    const error = of(
      502,
      "<html><head><title>502 Bad Gateway</title></head><body><hr>nginx/1.25</body></html>"
    )
    assert.strictEqual(error.source, "provider")
  })
})

describe("a status without a body", () => {
  const rows: ReadonlyArray<[ReadonlyArray<number>, LegError["_tag"], boolean]> = [
    [[401, 403], "Unauthorized", false],
    [[402], "QuotaExceeded", false],
    [[404], "ModelNotFound", false],
    [[408], "ModelTimeout", true],
    [[409, 500, 502, 503, 504, 520, 524, 529, 599], "ProviderFailure", true],
    [[429], "RateLimited", true],
    [[400, 405, 413, 415, 418, 422, 424, 425, 451, 499], "BadRequest", false],
    [
      [100, 101, 200, 204, 301, 302, 304, 399, 600, 0, -1, 1e9, 404.5, Number.NaN, Infinity],
      "MalformedResponse",
      false
    ]
  ]
  for (const [statuses, tag, retryable] of rows) {
    it(`is ${tag} for ${statuses.join(", ")}, ${retryable ? "" : "not "}to be retried`, () => {
      for (const status of statuses) {
        const error = of(status, "")
        assert.strictEqual(error._tag, tag, `${status}`)
        assert.strictEqual(isRetryable(error), retryable)
      }
    })
  }

  it("that is no error shows the beginning of what came", () => {
    const error = of(302, `moved ${"x".repeat(10_000)}`)
    assert.strictEqual(error._tag, "MalformedResponse")
    if (error._tag !== "MalformedResponse") return
    assert.isTrue(error.excerpt.startsWith("moved x"))
    assert.isAtMost(error.excerpt.length, 500)
  })

  it("is bounded whatever the length of the body", () => {
    for (const body of [
      "x".repeat(10_000_000),
      JSON.stringify({ error: { message: "y".repeat(10_000_000) } })
    ]) {
      assert.isAtMost(of(500, body).message.length, 1000)
    }
  })
})

describe("the server's own word on retrying", () => {
  it("overrides the status in both directions", () => {
    const no = of(503, "", openai, { "x-should-retry": "false" })
    assert.strictEqual(no.retryable, false)
    assert.isFalse(isRetryable(no))
    assert.isTrue(isRetryable(of(400, "", openai, { "x-should-retry": "true" })))
  })

  it("may be in the body", () => {
    assert.isFalse(isRetryable(of(503, { error: { message: "m", retryable: false } })))
    assert.isFalse(isRetryable(of(503, { message: "m", retryable: false })))
  })

  it("in the header goes before the one in the body", () => {
    assert.isTrue(
      isRetryable(of(503, { message: "m", retryable: false }, openai, { "x-should-retry": "true" }))
    )
  })

  it("does not make a quota come back", () => {
    const error = of(429, { error: { code: "insufficient_quota" } }, openai, { "x-should-retry": "true" })
    assert.strictEqual(error._tag, "QuotaExceeded")
    assert.strictEqual(error.retryable, undefined)
    assert.isFalse(isRetryable(error))
  })

  it("that nobody defined is ignored", () => {
    assert.strictEqual(of(503, "", openai, { "x-should-retry": "maybe" }).retryable, undefined)
  })

  it("carries the pause it asks for", () => {
    const error = of(429, "", openai, { "retry-after": "120" })
    assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), 120_000)
    assert.include(error.message, "2m")
  })
})

describe("an error that hides in a success", () => {
  const inside = (json: unknown, context: ErrorContext = openai): LegError | undefined =>
    classifySuccess(200, { "cf-aig-log-id": "01ABC", "retry-after": "25" }, json, context)
  const errors: ReadonlyArray<[string, unknown, ReadonlyArray<unknown>]> = [
    [
      "the gateway's envelope",
      e1(2016, "Prompt blocked", 424),
      ["ContentBlocked", "gateway", 2016, "prompt", "guardrails"]
    ],
    ["Cloudflare's envelope", e2(3040, "Out of capacity"), ["RateLimited", "provider", 3040]],
    [
      "a policy",
      { success: false, error: { message: "Access denied by policy" } },
      ["Unauthorized", "gateway", undefined]
    ],
    ["Workers AI's body", e5(5021, 413, "too long"), ["ContextLengthExceeded", "provider", 5021]],
    [
      "xAI's string",
      { code: "The service is currently unavailable", error: "The service is currently unavailable" },
      ["ProviderFailure", "provider", "The service is currently unavailable"]
    ],
    [
      "Azure's filter",
      {
        error: { code: "content_filter", status: 400, innererror: { code: "ResponsibleAIPolicyViolation" } }
      },
      ["ContentBlocked", "provider", "content_filter", "prompt", "provider"]
    ],
    [
      "a failed run",
      { state: "Failed", error: { code: "provider_unavailable", message: "m" }, model: "x" },
      ["ProviderFailure", "provider", "provider_unavailable"]
    ],
    [
      "OpenRouter's choice",
      { choices: [{ error: { code: 502, message: "m" } }] },
      ["ProviderFailure", "provider", 502]
    ],
    [
      "a failed Responses answer",
      { object: "response", status: "failed", error: { code: "server_error", message: "m" } },
      ["ProviderFailure", "provider", "server_error"]
    ],
    [
      "Google's array",
      [{ error: { code: 429, message: "m", status: "RESOURCE_EXHAUSTED" } }],
      ["RateLimited", "provider", "RESOURCE_EXHAUSTED"]
    ],
    ["a bare failure flag", { success: false }, ["ProviderFailure", "provider", undefined]]
  ]
  for (const [name, json, expected] of errors) {
    it(`is found in ${name}`, () => {
      const error = inside(json)
      assert.isDefined(error)
      if (error === undefined) return
      assert.deepStrictEqual(summary(error), expected)
      assert.strictEqual(error.logId, "01ABC")
    })
  }

  it("does not take the pause from the headers of a success", () => {
    assert.strictEqual(inside(e2(3040, "Out of capacity"))?.retryAfter, undefined)
  })

  it("has the status that it names, or else that of the answer", () => {
    assert.strictEqual(inside({ error: { code: 502, message: "m" } })?.status, 502)
    assert.strictEqual(inside({ error: "m" })?.status, 200)
  })

  const answers: ReadonlyArray<[string, unknown]> = [
    [
      "OpenAI",
      { id: "c", object: "chat.completion", choices: [{ message: { content: "hi" } }], error: null }
    ],
    [
      "Responses",
      { object: "response", status: "completed", error: null, incomplete_details: null, output: [] }
    ],
    ["Anthropic", { type: "message", content: [{ type: "text", text: "error" }], stop_reason: "end_turn" }],
    ["Google", { candidates: [{ content: { parts: [{ text: "hi" }] } }] }],
    ["Google's array", [{ candidates: [] }]],
    ["Cohere", { id: "i", finish_reason: "COMPLETE", message: { role: "assistant", content: [] } }],
    ["Workers AI", { response: "hi", usage: {} }],
    ["Workers AI over REST", { result: { response: "hi" }, success: true, errors: [], messages: [] }],
    ["Bedrock", { output: { message: { content: [] } }, stopReason: "end_turn" }],
    ["an empty error object", { choices: [], error: {} }],
    ["an empty list of errors", { success: true, error: [], errors: [] }],
    ["a string", "text"],
    ["null", null]
  ]
  for (const [name, json] of answers) {
    it(`is not seen in an answer of ${name}`, () => {
      assert.strictEqual(inside(json), undefined)
    })
  }

  it("is found by classify too, with the status line 200", () => {
    assert.strictEqual(of(200, e1(2001, "Please configure"))._tag, "GatewayNotFound")
    assert.strictEqual(of(200, { error: { message: "m" } })._tag, "ProviderFailure")
    assert.strictEqual(of(200, { choices: [] })._tag, "MalformedResponse")
  })
})

describe("an error in a stream", () => {
  const event = (json: unknown, context: ErrorContext = openai): LegError =>
    classifyEvent(json, { "cf-aig-log-id": "01ABC", "retry-after": "25", "x-should-retry": "false" }, context)
  const events: ReadonlyArray<[string, unknown, ReadonlyArray<unknown>, number | undefined]> = [
    [
      "Anthropic, overloaded",
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      ["ProviderFailure", "provider", "overloaded_error"],
      529
    ],
    [
      "Anthropic, rate limit",
      { type: "error", error: { type: "rate_limit_error", message: "m" } },
      ["RateLimited", "provider", "rate_limit_error"],
      429
    ],
    [
      "Anthropic, wrong key",
      { type: "error", error: { type: "authentication_error", message: "m" } },
      ["Unauthorized", "provider", "authentication_error"],
      401
    ],
    [
      "Anthropic, timeout",
      { type: "error", error: { type: "timeout_error", message: "m" } },
      ["ProviderFailure", "provider", "timeout_error"],
      504
    ],
    [
      "OpenAI",
      { error: { message: "m", type: "server_error", code: null } },
      ["ProviderFailure", "provider", "server_error"],
      500
    ],
    [
      "Groq",
      { error: { message: "m", type: "invalid_request_error", code: "tool_use_failed", status_code: 400 } },
      ["BadRequest", "provider", "tool_use_failed"],
      400
    ],
    [
      "Groq in a chunk",
      { choices: [], x_groq: { error: "over capacity" } },
      ["ProviderFailure", "provider", undefined],
      undefined
    ],
    [
      "Cerebras",
      { error: { message: "m", type: "x", code: "y" }, status_code: 429 },
      ["RateLimited", "provider", "y"],
      429
    ],
    [
      "OpenRouter",
      { id: "g", choices: [{ delta: {} }], error: { code: 502, message: "m" } },
      ["ProviderFailure", "provider", 502],
      502
    ],
    [
      "Responses, flat",
      { type: "error", code: "rate_limit_exceeded", message: "m", param: null },
      ["RateLimited", "provider", "rate_limit_exceeded"],
      429
    ],
    [
      "Responses, nested",
      {
        type: "error",
        error: { type: "invalid_request_error", code: "context_length_exceeded", message: "m" }
      },
      ["ContextLengthExceeded", "provider", "context_length_exceeded"],
      400
    ],
    [
      "Responses, failed",
      {
        type: "response.failed",
        response: { status: "failed", error: { code: "server_error", message: "m" } }
      },
      ["ProviderFailure", "provider", "server_error"],
      500
    ],
    [
      "Google",
      { error: { code: 503, message: "m", status: "UNAVAILABLE" } },
      ["ProviderFailure", "provider", "UNAVAILABLE"],
      503
    ],
    [
      "Google without a number",
      { error: { message: "m", status: "RESOURCE_EXHAUSTED" } },
      ["RateLimited", "provider", "RESOURCE_EXHAUSTED"],
      429
    ],
    [
      "Google in an array",
      [{ error: { code: 429, message: "m", status: "RESOURCE_EXHAUSTED" } }],
      ["RateLimited", "provider", "RESOURCE_EXHAUSTED"],
      429
    ],
    [
      "xAI, unavailable",
      { code: "The service is currently unavailable", error: "m" },
      ["ProviderFailure", "provider", "The service is currently unavailable"],
      503
    ],
    [
      "xAI, wrong key",
      { code: "invalid-argument", error: "Incorrect API key provided" },
      ["Unauthorized", "provider", "invalid-argument"],
      400
    ],
    [
      "Cohere",
      {
        type: "message-end",
        delta: { finish_reason: "ERROR", error: "m", error_type: "INVALID_TOOL_GENERATION" }
      },
      ["ProviderFailure", "provider", "INVALID_TOOL_GENERATION"],
      undefined
    ],
    [
      "Cohere, timeout",
      { type: "message-end", delta: { finish_reason: "TIMEOUT" } },
      ["ModelTimeout", "provider", undefined, "provider"],
      undefined
    ],
    [
      "Bedrock",
      { throttlingException: { message: "m" } },
      ["RateLimited", "provider", "throttlingException"],
      429
    ],
    [
      "Bedrock with its type",
      { __type: "modelStreamErrorException", message: "m", originalStatusCode: 500 },
      ["ProviderFailure", "provider", "modelStreamErrorException"],
      500
    ],
    ["Cloudflare", e2(3040, "Out of capacity"), ["RateLimited", "provider", 3040], 429],
    [
      "the gateway",
      e1(2017, "Response blocked", 424),
      ["ContentBlocked", "gateway", 2017, "response", "guardrails"],
      424
    ],
    ["a text", "boom", ["ProviderFailure", "provider", undefined], undefined],
    ["nothing", null, ["ProviderFailure", "provider", undefined], undefined]
  ]
  for (const [name, json, expected, status] of events) {
    it(`of ${name} is ${String(expected[0])}`, () => {
      const error = event(json)
      assert.deepStrictEqual(summary(error), expected)
      assert.strictEqual(error.status, status)
      assert.strictEqual(error.logId, "01ABC")
    })
  }

  it("of Bedrock may have its type in the frame's header", () => {
    const error = classifyEvent({ message: "m" }, { ":exception-type": "throttlingException" })
    assert.deepStrictEqual(summary(error), ["RateLimited", "provider", "throttlingException"])
  })

  it("ignores the hints of the headers, which came with a success", () => {
    const error = event({ type: "error", error: { type: "overloaded_error", message: "m" } })
    assert.strictEqual(error.retryAfter, undefined)
    assert.isTrue(isRetryable(error))
  })

  it("takes the pause from the event itself", () => {
    const { retryAfter } = event({ error: { code: 429, message: "m", details: [{ retryDelay: "34.4s" }] } })
    assert.strictEqual(retryAfter && Duration.toMillis(retryAfter), 34_400)
  })
})

describe("what a binding throws", () => {
  const named = (name: string, message: string): Error => Object.assign(new Error(message), { name })

  it("with the gateway's name and code is the gateway's error", () => {
    const error = classifyThrown(named("AiGatewayError", "2009: Unauthorized"), workersAi)
    assert.deepStrictEqual(summary(error), ["Unauthorized", "gateway", 2009])
    assert.strictEqual(error.status, 401)
    assert.isTrue(failsEverywhere(error))
  })

  it("with a code after the names of errors is read", () => {
    const thrown = classifyThrown("InferenceUpstreamError: AiError: 3040: Out of capacity")
    assert.deepStrictEqual(summary(thrown), ["RateLimited", "provider", 3040])
  })

  it("with a number of HTTP has that status", () => {
    assert.deepStrictEqual(summary(classifyThrown(new Error("503: Busy"))), [
      "ProviderFailure",
      "provider",
      503
    ])
  })

  it("with an unknown code is a failure that keeps it", () => {
    assert.deepStrictEqual(summary(classifyThrown("1234: Odd")), ["ProviderFailure", "provider", 1234])
  })

  it("with a body as its text is that body's error", () => {
    const error = classifyThrown(
      new Error(JSON.stringify({ error: { message: "m", type: "rate_limit_error" } }))
    )
    assert.strictEqual(error._tag, "RateLimited")
    assert.strictEqual(classifyThrown(new Error("error code: 1010")).source, "edge")
  })

  it("with a runtime's name but no code is a failure of the provider", () => {
    const error = classifyThrown(named("InferenceUpstreamError", "Internal server error"), workersAi)
    assert.deepStrictEqual(summary(error), ["ProviderFailure", "provider", undefined])
    assert.include(error.message, "Internal server error")
  })

  it("for want of a response is a broken transport, to be retried, with its words", () => {
    const error = classifyThrown(new Error("socket hang up"), openai)
    assert.strictEqual(error._tag, "TransportFailure")
    assert.include(error.message, "socket hang up")
    assert.strictEqual(error.provider, "openai")
    assert.isTrue(isRetryable(error))
  })

  it("passes through where it is an error of this library", () => {
    const error = new RateLimited({ message: "m" })
    assert.strictEqual(classifyThrown(error), error)
    const broken = new StreamBroken({
      message: "m",
      delivered: { text: "", reasoning: "", events: 0 },
      cause: error
    })
    assert.strictEqual(classifyThrown(broken), error)
    assert.strictEqual(
      classifyThrown(new AllProvidersFailed({ message: "m", attempts: [] }))._tag,
      "TransportFailure"
    )
  })
})

describe("a thrown value in words", () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const loop = new Error("outer")
  loop.cause = loop
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" })
  const values: ReadonlyArray<[string, unknown, string]> = [
    ["an error", new Error("boom"), "boom"],
    [
      "the root of a chain",
      new TypeError("fetch failed", { cause: refused }),
      "connect ECONNREFUSED 127.0.0.1:1"
    ],
    [
      "a code that the text lacks",
      Object.assign(new Error("broken"), { code: "ECONNRESET" }),
      "broken (ECONNRESET)"
    ],
    [
      "both tries of a host",
      new TypeError("fetch failed", { cause: new AggregateError([refused], "") }),
      "connect ECONNREFUSED 127.0.0.1:1"
    ],
    ["a cause without words", new Error("outer", { cause: new Error("") }), "outer"],
    ["a cause that is a string", new Error("outer", { cause: "inner" }), "inner"],
    ["a chain that bites its tail", loop, "outer"],
    ["a string", "plain", "plain"],
    [
      "a DOMException",
      new DOMException("The operation was aborted", "AbortError"),
      "The operation was aborted"
    ],
    ["an object with a message", { message: "m" }, "m"],
    ["an object with an error", { error: { message: "e" } }, "e"],
    ["an object without words", { a: 1 }, '{"a":1}'],
    ["an empty object", {}, "An object without a message was thrown"],
    ["a cycle", cyclic, "An object without a message was thrown"],
    ["an error without words", new Error(""), "Error"],
    ["a revoked proxy", proxy, "A value that cannot be read was thrown"],
    ["nothing", undefined, "undefined was thrown"],
    ["null", null, "null was thrown"],
    ["an empty string", "", "An empty string was thrown"],
    ["a number", 42, "42 was thrown"],
    ["a symbol", Symbol("s"), "Symbol(s) was thrown"],
    ["a function", () => undefined, "A function was thrown"]
  ]
  for (const [name, thrown, expected] of values) {
    it(`is clear for ${name}`, () => {
      assert.strictEqual(describeThrown(thrown), expected)
      assert.isNotEmpty(classifyThrown(thrown).message)
    })
  }
})

describe("whatever comes", () => {
  const encode = Schema.encodeSync(LegError)

  const sound = (error: LegError): void => {
    assert.isNotEmpty(error.message)
    assert.isAtMost(error.message.length, 1000)
    assert.notInclude(error.message, "[object Object]")
    assert.strictEqual(isRetryable(error), isRetryable(error))
    assert.isFalse(isRetryable(error) && failsEverywhere(error) && error._tag !== "RateLimited")
    if (error._tag === "QuotaExceeded") assert.isFalse(isRetryable(error))
    encode(error)
  }

  const status = FastCheck.oneof(
    FastCheck.integer({ min: 100, max: 600 }),
    FastCheck.double(),
    FastCheck.constantFrom(Number.NaN, 0, -1, 1e9, 200, 400, 401, 429, 500)
  )
  const value = FastCheck.oneof(
    FastCheck.jsonValue({ maxDepth: 2 }),
    FastCheck.constantFrom<unknown>(
      2001,
      "2009",
      3040,
      10000,
      7003,
      "insufficient_quota",
      529,
      Number.NaN,
      -0.5,
      true
    ),
    FastCheck.constantFrom<unknown>([], {}, null, "", "Error", [{ code: {}, message: [] }], {
      message: 1,
      code: []
    })
  )
  const key = FastCheck.constantFrom(
    "error",
    "errors",
    "code",
    "message",
    "type",
    "status",
    "success",
    "name",
    "internalCode",
    "httpCode",
    "detail",
    "details",
    "metadata",
    "raw",
    "reason",
    "innererror",
    "retryable",
    "ok",
    "category",
    "state",
    "delta",
    "choices",
    "response",
    "x_groq",
    "Output",
    "__type",
    "throttlingException",
    "cloudflare_error",
    "error_code",
    "object",
    "title"
  )
  const entries = FastCheck.dictionary(key, FastCheck.oneof(value, FastCheck.dictionary(key, value)))
  const json = FastCheck.oneof(
    value,
    entries,
    FastCheck.array(entries, { maxLength: 2 }),
    FastCheck.record({
      success: FastCheck.constantFrom<unknown>(false, true, null),
      name: FastCheck.constantFrom<unknown>("AiGatewayError", "AiError", undefined),
      error: FastCheck.oneof(value, entries),
      errors: value
    })
  )
  const header = FastCheck.constantFrom(
    "cf-aig-log-id",
    "cf-aig-step",
    "cf-aig-dlp",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-amzn-errortype",
    "constructor",
    "__proto__"
  )
  const headers = FastCheck.dictionary(
    header,
    FastCheck.oneof(FastCheck.string(), FastCheck.constantFrom("1", "true"))
  )
  const context = FastCheck.record(
    {
      provider: FastCheck.oneof(FastCheck.string(), FastCheck.constant("workers-ai")),
      model: FastCheck.string({ maxLength: 3000 }),
      host: FastCheck.constantFrom("gateway" as const, "account" as const),
      now: FastCheck.double()
    },
    { requiredKeys: [] }
  )
  const many = { fastCheck: { numRuns: 1000 } }

  it.prop(
    "a response becomes a sound error",
    [
      status,
      headers,
      FastCheck.oneof(
        FastCheck.string(),
        json.map((u) => JSON.stringify(u) ?? "")
      ),
      context
    ],
    ([given, names, body, who]) => sound(classify(given, names, body, who)),
    many
  )

  it.prop(
    "a success becomes nothing or a sound error",
    [status, headers, json, context],
    ([given, names, body, who]) => {
      const error = classifySuccess(given, names, body, who)
      if (error !== undefined) sound(error)
    },
    many
  )

  it.prop(
    "an event becomes a sound error",
    [json, headers, context],
    ([body, names, who]) => sound(classifyEvent(body, names, who)),
    many
  )

  it.prop(
    "a thrown value becomes a sound error",
    [
      FastCheck.oneof(
        FastCheck.anything(),
        json,
        FastCheck.string().map((text) => new Error(text))
      ),
      context
    ],
    ([thrown, who]) => {
      sound(classifyThrown(thrown, who))
      assert.isNotEmpty(describeThrown(thrown))
      assert.notInclude(describeThrown(thrown), "[object Object]")
    },
    many
  )

  it("headers of a wrong type are left out", () => {
    const odd: Record<string, unknown> = {
      "cf-aig-log-id": 7,
      "cf-aig-step": [1],
      "retry-after": {},
      "cf-ray": "ray"
    }
    const error = Reflect.apply(classify, undefined, [500, odd, ""])
    assert.strictEqual(error.gateway?.ray, "ray")
    assert.strictEqual(error.logId, undefined)
    assert.isNotEmpty(Reflect.apply(classify, undefined, [500, undefined, ""]).message)
  })

  // Bun needs seconds to find out that JSON is too deep to be written.
  it("JSON of any depth is read or shown", { timeout: 60_000 }, () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`
    sound(classify(500, {}, deep))
    sound(classify(500, {}, "[".repeat(1_000_000)))
    sound(classify(500, {}, `{"error":${deep}}`))
  })
})

describe("the stack of an error that a server answered", () => {
  it("is not taken, because it would show the loop that runs fibers", () => {
    const { stackTraceLimit } = Error
    const error = classify(503, {}, "", { provider: "openai" })
    assert.notInclude(error.stack ?? "", "\n    at ")
    assert.strictEqual(Error.stackTraceLimit, stackTraceLimit)
    assert.include(new Error("another").stack ?? "", "\n    at ")
  })

  it("is taken where a sandbox has frozen Error", () => {
    const found = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")
    Object.defineProperty(Error, "stackTraceLimit", { value: 10, writable: false, configurable: true })
    try {
      assert.strictEqual(classify(503, {}, "", { provider: "openai" })._tag, "ProviderFailure")
    } finally {
      if (found !== undefined) Object.defineProperty(Error, "stackTraceLimit", found)
    }
  })
})
