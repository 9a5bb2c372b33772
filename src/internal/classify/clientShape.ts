/**
 * The gateway's own refusal in the shape of the provider that was asked, for a client that decodes errors strictly.
 *
 * `@effect/ai-anthropic` reads every 4xx by Anthropic's schema: the gateway's envelope would be a malformed answer there,
 * without its status. Clients of other providers keep a body that they do not know.
 */
import { isRecord, type JsonRecord, parseJson } from "../json.js"

/** Where the gateway's own words are kept. */
const original = "effect_ai_gateway_body"

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  429: "rate_limit_error"
}

/** The body for a client of this provider; undefined where it can stay as it is. */
export const toClient = (
  provider: string,
  status: number,
  body: string,
  message: () => string
): string | undefined => {
  if (provider !== "anthropic" || status < 400 || status > 499) return undefined
  const json = parseJson(body)
  if (!isRecord(json)) return undefined
  if (json.type === "error" && isRecord(json.error)) return undefined
  return JSON.stringify({
    type: "error",
    error: {
      type: anthropicTypes[status] ?? "invalid_request_error",
      message: message(),
      [original]: json
    }
  })
}

/** What the gateway said. */
export const fromClient = (json: JsonRecord): unknown =>
  isRecord(json.error) && isRecord(json.error[original]) ? json.error[original] : json
