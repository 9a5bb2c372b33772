/** What OpenAI says of a problem; those who copied it say it in other envelopes. */
import { type Problem, statusMessage } from "./wire.js"

export interface Described {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

export const describe = (problem: Problem): Described => {
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
    case "textOnly":
      return {
        status: 400,
        message:
          problem.what === "image"
            ? "Invalid content type. image_url is only supported by certain models."
            : "Invalid content type. file is only supported by certain models.",
        type: "invalid_request_error",
        param: problem.at,
        code: null
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
