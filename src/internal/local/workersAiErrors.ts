/** What Workers AI says of a problem. */
import { cloudflareErrors } from "./errors.js"
import { type Problem, type Refusal, refusal, statusMessage } from "./wire.js"

/** Workers AI's errors are those of api.cloudflare.com, on both of its chat surfaces. */
export const workersAiRefusal = (problem: Problem): Refusal => {
  switch (problem.kind) {
    case "credential":
      return refusal(401, cloudflareErrors(10000, "Authentication error"))
    case "model":
      return refusal(400, cloudflareErrors(5007, `AiError: No such model ${problem.model} or task`))
    case "endpoint":
      return refusal(400, cloudflareErrors(7000, "No route for that URI"))
    case "textOnly":
      return refusal(
        400,
        cloudflareErrors(5006, `AiError: Bad input: Error: ${problem.model} does not take ${problem.what}s`)
      )
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
