/**
 * Where the OpenAI-shaped vendors differ from OpenAI, as recorded from them. What is not here they share.
 */
import { cloudflareErrors } from "./errors.js"
import { type Problem, type Refusal, refusal, statusMessage } from "./wire.js"

export interface Dialect {
  readonly name: string
  /** Streamed usage: only if asked for, on the finish chunk, on every chunk, or repeated after the finish. */
  readonly usage: "asked" | "finish" | "every" | "repeated"
  /** Whether the stream ends with `[DONE]`. */
  readonly done: boolean
  /** Where reasoning goes. */
  readonly reasoning: "none" | "reasoning" | "reasoning_content" | "think" | "parts"
  /** What `finish_reason` is before the end. */
  readonly openFinish: "null" | "absent"
  /** Which chunks carry `role`. */
  readonly role: "first" | "every" | "never"
  readonly keepAlive: string
  readonly refuse: (problem: Problem) => Refusal
  /** The frame of an error inside a stream. */
  readonly errorFrame: (body: unknown, problem: Problem) => string
}

interface Described {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

const describe = (problem: Problem): Described => {
  switch (problem.kind) {
    case "credential":
      return problem.missing
        ? {
            status: 401,
            message:
              "You didn't provide an API key. You need to provide your API key in an Authorization header.",
            type: "invalid_request_error",
            param: null,
            code: null
          }
        : {
            status: 401,
            message: "Incorrect API key provided.",
            type: "invalid_request_error",
            param: null,
            code: "invalid_api_key"
          }
    case "model":
      return {
        status: 404,
        message: `The model \`${problem.model}\` does not exist or you do not have access to it.`,
        type: "invalid_request_error",
        param: null,
        code: "model_not_found"
      }
    case "endpoint":
      return {
        status: 404,
        message: `Invalid URL (POST /${problem.path})`,
        type: "invalid_request_error",
        param: null,
        code: null
      }
    case "invalid":
      return {
        status: 400,
        message: problem.message,
        type: "invalid_request_error",
        param: problem.param ?? null,
        code: problem.code ?? null
      }
    case "status":
      return {
        status: problem.status,
        message: problem.message ?? statusMessage(problem.status),
        type:
          problem.status === 429
            ? "requests"
            : problem.status >= 500
              ? "server_error"
              : "invalid_request_error",
        param: null,
        code: codeOf(problem.status)
      }
  }
}

const codeOf = (status: number): string | null => {
  switch (status) {
    case 401:
      return "invalid_api_key"
    case 402:
      return "insufficient_quota"
    case 404:
      return "model_not_found"
    case 429:
      return "rate_limit_exceeded"
    default:
      return null
  }
}

const requestId = () => ({ "x-request-id": `req_${globalThis.crypto.randomUUID().replaceAll("-", "")}` })

const data = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`

export const openAi: Dialect = {
  name: "openai",
  usage: "asked",
  done: true,
  reasoning: "none",
  openFinish: "null",
  role: "first",
  keepAlive: ": keep-alive\n\n",
  refuse: (problem) => {
    const { message, type, param, code, status } = describe(problem)
    return refusal(status, { error: { message, type, param, code } }, requestId())
  },
  errorFrame: (body) => data(body)
}

const withNumericCode = (problem: Problem): Refusal => {
  const { message, type, status } = describe(problem)
  return refusal(status, { error: { message, type, code: status } })
}

const dialects: Readonly<Record<string, Partial<Dialect>>> = {
  "azure-openai": {
    refuse: (problem) => {
      const { message, status, code } = describe(problem)
      return refusal(status, {
        error: { code: status === 429 ? "RateLimitReached" : (code ?? String(status)), message }
      })
    }
  },
  groq: {
    reasoning: "reasoning",
    errorFrame: (body) => `event: error\n${data(body)}`
  },
  deepseek: { usage: "finish", reasoning: "reasoning_content" },
  "perplexity-ai": {
    usage: "every",
    done: false,
    reasoning: "think",
    openFinish: "absent",
    role: "every",
    keepAlive: ": ping - 2026-11-23 00:00:00\n\n",
    refuse: withNumericCode
  },
  grok: {
    reasoning: "reasoning_content",
    openFinish: "absent",
    role: "every",
    keepAlive: ": keep-alive\n\n",
    refuse: (problem) => {
      const { message, status } = describe(problem)
      return problem.kind === "credential"
        ? refusal(400, { code: "invalid-argument", error: message })
        : refusal(status, {
            code: status === 404 ? "not-found" : status === 429 ? "resource-exhausted" : "invalid-argument",
            error: message
          })
    }
  },
  mistral: {
    usage: "finish",
    reasoning: "parts",
    refuse: (problem) => {
      const { message, status, type, param } = describe(problem)
      if (problem.kind === "credential") return refusal(401, { detail: "Invalid API Key" })
      return problem.kind === "invalid"
        ? refusal(422, {
            object: "error",
            detail: [{ type: "value_error", loc: ["body", param ?? "body"], msg: message }]
          })
        : refusal(status, { object: "error", message, type, code: String(status) })
    }
  },
  openrouter: {
    usage: "repeated",
    reasoning: "reasoning",
    role: "every",
    keepAlive: ": OPENROUTER PROCESSING\n\n",
    refuse: (problem) => {
      const { message, status } = describe(problem)
      return refusal(
        status,
        problem.kind === "status"
          ? {
              error: {
                code: status,
                message: "Provider returned error",
                metadata: { raw: message, provider_name: "Local" }
              },
              user_id: "user_local"
            }
          : { error: { code: status, message }, user_id: "user_local" }
      )
    },
    errorFrame: (_body, problem) => {
      const { message, status } = describe(problem)
      return data({
        id: "gen-local",
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: "error" }],
        error: { code: status, message }
      })
    }
  },
  cerebras: { usage: "finish", done: false, reasoning: "reasoning", openFinish: "absent" },
  fireworks: { usage: "finish", reasoning: "reasoning_content" },
  "workers-ai": {
    usage: "finish",
    reasoning: "reasoning_content",
    openFinish: "absent",
    role: "never",
    refuse: (problem) => workersAiRefusal(problem)
  }
}

/** Workers AI's errors are those of api.cloudflare.com, on both of its chat surfaces. */
export const workersAiRefusal = (problem: Problem): Refusal => {
  switch (problem.kind) {
    case "credential":
      return refusal(401, cloudflareErrors(10000, "Authentication error"))
    case "model":
      return refusal(400, cloudflareErrors(5007, `AiError: No such model ${problem.model} or task`))
    case "endpoint":
      return refusal(400, cloudflareErrors(7000, "No route for that URI"))
    case "invalid":
      return refusal(400, cloudflareErrors(5006, `AiError: Bad input: Error: ${problem.message}`))
    case "status":
      return refusal(
        problem.status,
        cloudflareErrors(
          workersAiCode(problem.status),
          problem.message ?? `AiError: ${statusMessage(problem.status)}`
        )
      )
  }
}

const workersAiCode = (status: number): number => {
  switch (status) {
    case 400:
      return 5004
    case 401:
      return 10000
    case 403:
      return 5018
    case 404:
      return 3042
    case 405:
      return 5019
    case 408:
      return 3007
    case 413:
      return 3006
    case 429:
      return 3040
    default:
      return 3043
  }
}

/** The dialect of a provider; OpenAI's own where nothing is known to differ. */
export const dialectOf = (provider: string): Dialect => ({
  ...openAi,
  ...dialects[provider],
  name: provider
})
