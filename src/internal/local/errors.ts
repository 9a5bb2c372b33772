/**
 * Error answers that are Cloudflare's own. Shapes and codes as captured from the live gateway: note that the
 * gateway says `error` (an array) where the rest of Cloudflare's API says `errors`.
 */
import type { Answered } from "./answered.js"

const encoder = new TextEncoder()

export const jsonAnswer = (
  origin: Answered["origin"],
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): Answered => ({
  origin,
  status,
  headers: { "content-type": "application/json", ...headers },
  body: encoder.encode(JSON.stringify(body))
})

/** The gateway's envelope. Without a code where the real one is not known. */
export const gatewayError = (
  status: number,
  code: number | undefined,
  message: string,
  headers: Record<string, string> = {}
): Answered =>
  jsonAnswer(
    "gateway",
    status,
    {
      success: false,
      result: [],
      messages: [],
      error: [code === undefined ? { message } : { code, message }],
      name: "AiGatewayError",
      httpCode: status,
      ...(code === undefined ? {} : { internalCode: code }),
      message,
      description: message
    },
    headers
  )

export const noSuchGateway = () =>
  gatewayError(400, 2001, "Please configure AI Gateway in the Cloudflare dashboard")
export const rateLimited = () => gatewayError(429, 2003, "Rate limited")
export const noAnswerFromProvider = () => gatewayError(400, 2005, "Failed to get response from provider")
export const invalidProvider = () => gatewayError(400, 2008, "Invalid provider")
export const unauthorized = () => gatewayError(401, 2009, "Unauthorized")
export const badChatFormat = () => gatewayError(400, 2019, "Chat completion bad format")
export const noSuchAlias = (provider: string, alias: string, configured: ReadonlyArray<string>) =>
  gatewayError(
    400,
    2040,
    `No BYOK credential with alias "${alias}" for provider "${provider}". Configured aliases: ${
      configured.length === 0 ? "(none)" : configured.join(", ")
    }`
  )
export const noWholesale = () =>
  gatewayError(
    400,
    undefined,
    "No provider credential was given or stored, and unified billing is not allowed"
  )

/** The guardrails' verdict: 2016 for the prompt, 2017 for the response. */
export const blockedByGuardrails = (stage: "prompt" | "response", status: number) =>
  stage === "prompt"
    ? gatewayError(status, 2016, "Prompt blocked due to security configurations")
    : gatewayError(status, 2017, "Response blocked due to security configurations")

/** The DLP verdict in the response header, with one finding. */
export const dlpHeader = (stage: "prompt" | "response", action: "FLAG" | "BLOCK"): string =>
  JSON.stringify({
    findings: [
      {
        profile: { context: {}, entry_ids: ["local-entry"], profile_id: "local-profile" },
        policy_ids: ["local-policy"],
        check: stage === "prompt" ? "REQUEST" : "RESPONSE"
      }
    ],
    action
  })

export const blockedByDlp = (stage: "prompt" | "response", status: number) =>
  gatewayError(
    status,
    stage === "prompt" ? 2029 : 2030,
    `${stage === "prompt" ? "Request" : "Response"} content blocked due to DLP policy violations`,
    { "cf-aig-dlp": dlpHeader(stage, "BLOCK") }
  )

/** The envelope of api.cloudflare.com, which Workers AI uses behind the gateway too. */
export const cloudflareErrors = (code: number, message: string) => ({
  result: null,
  success: false,
  errors: [{ code, message }],
  messages: []
})

/** The gateway forgot the run, or never knew it. */
export const noSuchRun = () => jsonAnswer("gateway", 404, { error: "Request not found" })
/** The code and the status were measured; the message was not. */
export const malformedRunId = () => gatewayError(500, 2002, "Invalid run id")

/** What the binding reads of an error about logs: only the message. No code is documented. */
export const bindingErrors = (status: number, message: string): Answered =>
  jsonAnswer("gateway", status, { success: false, result: null, errors: [{ message }], messages: [] })

/** Workers AI's own form of an error, as the binding gets it. */
export const workersAiError = (status: number, code: number, message: string) => ({
  name: "AiError",
  internalCode: code,
  httpCode: status,
  message,
  description: message.replace(/^AiError: /, "")
})

/** A page of Cloudflare's edge: it never reached the gateway, so it carries none of its headers. */
export const edgePage = (status: number): Answered => ({
  origin: "edge",
  status,
  headers: { "content-type": "text/html; charset=UTF-8", server: "cloudflare" },
  body: encoder.encode(
    `<!DOCTYPE html>\n<html lang="en-US">\n<head><title>gateway.ai.cloudflare.com | ${status}: Error</title></head>\n` +
      `<body><h1>Error ${status}</h1><p>error code: ${status}</p></body>\n</html>\n`
  )
})
