/**
 * Where the OpenAI-shaped vendors differ from OpenAI, as recorded from them. What is not here they share.
 */
import { describe } from "./openAiErrors.js"
import type { ToolStream } from "./reply.js"
import { type Problem, type Refusal, refusal } from "./wire.js"
import { workersAiRefusal } from "./workersAiErrors.js"

export interface Dialect {
  readonly name: string
  /** Streamed usage: only if asked for, on the finish chunk, on every chunk, or repeated after the finish. */
  readonly usage: "asked" | "finish" | "every" | "repeated"
  /** Whether the stream ends with `[DONE]`. */
  readonly done: boolean
  /** Where reasoning goes. */
  readonly reasoning: "none" | "reasoning" | "details" | "reasoning_content" | "think" | "parts"
  /** How a stream says calls of tools. */
  readonly toolStream: ToolStream
  /** What comes before the first chunk of a stream. */
  readonly prelude?: () => string
  /** Whose rules a request must keep. Default: those of this name. */
  readonly rules?: string
  /** What `finish_reason` is before the end. */
  readonly openFinish: "null" | "absent"
  /** Which chunks carry `role`. */
  readonly role: "first" | "every" | "never"
  readonly keepAlive: string
  readonly refuse: (problem: Problem) => Refusal
  /** The frame of an error inside a stream. */
  readonly errorFrame: (body: unknown, problem: Problem) => string
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
  toolStream: "fragments",
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

/** The first chunk of Azure's streams: it has no choice, and says what the prompt's filter found. */
const promptFilter = () =>
  data({
    id: "",
    object: "",
    created: 0,
    model: "",
    choices: [],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }]
  })

const whole = "whole" as const

const dialects: Readonly<Record<string, Partial<Dialect>>> = {
  "azure-openai": {
    prelude: promptFilter,
    refuse: (problem) => {
      const { message, status, code } = describe(problem)
      return refusal(status, {
        error: { code: status === 429 ? "RateLimitReached" : (code ?? String(status)), message }
      })
    }
  },
  groq: {
    toolStream: whole,
    reasoning: "reasoning",
    refuse: (problem) => {
      const { message, type, param, code, status } = describe(problem)
      return refusal(
        status,
        problem.kind === "invalid" && problem.code === "unknown_parameter"
          ? { error: { message: `property '${param}' is unsupported`, type } }
          : problem.kind === "textOnly"
            ? { error: { message: `${problem.at}.content must be a string`, type } }
            : { error: { message, type, param, code } },
        requestId()
      )
    },
    errorFrame: (body) => `event: error\n${data(body)}`
  },
  deepseek: {
    usage: "finish",
    reasoning: "reasoning_content",
    refuse: (problem) =>
      problem.kind === "textOnly"
        ? openAi.refuse({
            kind: "invalid",
            message: `Failed to deserialize the JSON body into the target type: ${problem.at}: unknown variant \`image_url\`, expected \`text\``
          })
        : openAi.refuse(problem)
  },
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
    toolStream: whole,
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
    toolStream: whole,
    reasoning: "parts",
    refuse: (problem) => {
      const { message, status, type, param } = describe(problem)
      if (problem.kind === "credential") return refusal(401, { detail: "Invalid API Key" })
      return problem.kind === "invalid"
        ? refusal(422, {
            object: "error",
            detail: [
              problem.code === "unknown_parameter"
                ? { type: "extra_forbidden", loc: ["body", param], msg: "Extra inputs are not permitted" }
                : { type: "value_error", loc: ["body", param ?? "body"], msg: message }
            ]
          })
        : refusal(status, { object: "error", message, type, code: String(status) })
    }
  },
  openrouter: {
    usage: "repeated",
    prelude: () => ": OPENROUTER PROCESSING\n\n",
    reasoning: "details",
    role: "every",
    keepAlive: ": OPENROUTER PROCESSING\n\n",
    refuse: (problem) => {
      const { message, status } = describe(problem)
      if (problem.kind === "textOnly")
        return refusal(404, {
          error: { code: 404, message: `No endpoints found that support ${problem.what} input` },
          user_id: "user_local"
        })
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
  cerebras: {
    usage: "finish",
    done: false,
    toolStream: whole,
    reasoning: "reasoning",
    openFinish: "absent",
    errorFrame: (_body, problem) => {
      const { message, type, param, code, status } = describe(problem)
      return data({ error: { message, type, param, code }, status_code: status })
    }
  },
  fireworks: { usage: "finish", reasoning: "reasoning_content" },
  huggingface: { done: false },
  "workers-ai": {
    usage: "finish",
    toolStream: whole,
    reasoning: "reasoning_content",
    openFinish: "absent",
    role: "never",
    refuse: (problem) => workersAiRefusal(problem)
  }
}

/** The dialect of a provider; OpenAI's own where nothing is known to differ. */
export const dialectOf = (provider: string): Dialect => ({
  ...openAi,
  ...dialects[provider],
  name: provider
})

/**
 * How a provider shows through the gateway's own OpenAI-shaped endpoint. There is no public recording of one: this is
 * OpenAI, with the habits of the OpenAI-shaped surfaces that Google and Anthropic themselves have.
 */
export const compatDialect = (provider: string): Dialect => {
  switch (provider) {
    case "google-ai-studio":
    case "google-vertex-ai":
      return { ...openAi, name: "google-ai-studio", rules: "compat", toolStream: "whole" }
    case "anthropic":
      return { ...openAi, name: "anthropic", rules: "compat", toolStream: "from-one" }
    case "openai":
      return openAi
    default:
      return { ...openAi, name: provider, rules: "compat" }
  }
}
