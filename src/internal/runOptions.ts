/**
 * Gateway options on the run path, where those that the binding knows travel in the body and not as headers. Source:
 * `protocol/gateway.md` §1.8, §1.9.
 */
import { isRecord, parseJson } from "./json.js"

/**
 * The gateway options of `env.AI.run`, as its types have them.
 *
 * @since 0.1.0
 * @category models
 */
export interface GatewayOptions {
  id: string
  skipCache?: boolean
  /** Text, numbers and booleans. */
  metadata?: Record<string, unknown>
  collectLog?: boolean
  eventId?: string
  /** Milliseconds. */
  requestTimeoutMs?: number
  retries?: {
    maxAttempts?: 1 | 2 | 3 | 4 | 5
    /** Milliseconds. */
    retryDelayMs?: number
    backoff?: "constant" | "linear" | "exponential"
  }
}

/** Options that were written as headers: those for the body, and the headers that are left. */
export const make = (
  id: string,
  written: Readonly<Record<string, string>>
): { readonly gateway: GatewayOptions; readonly headers: Readonly<Record<string, string>> } => {
  const gateway: GatewayOptions = { id }
  const retries: NonNullable<GatewayOptions["retries"]> = {}
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(written)) {
    switch (name) {
      case "cf-aig-skip-cache":
        gateway.skipCache = value === "true"
        break
      case "cf-aig-metadata":
        gateway.metadata = scalars(value)
        break
      case "cf-aig-collect-log":
        gateway.collectLog = value === "true"
        break
      case "cf-aig-event-id":
        gateway.eventId = value
        break
      case "cf-aig-request-timeout":
        gateway.requestTimeoutMs = Number(value)
        break
      case "cf-aig-max-attempts": {
        const attempts = Number(value)
        if (isAttempts(attempts)) retries.maxAttempts = attempts
        break
      }
      case "cf-aig-retry-delay":
        retries.retryDelayMs = Number(value)
        break
      case "cf-aig-backoff":
        if (value === "constant" || value === "linear" || value === "exponential") retries.backoff = value
        break
      default:
        headers[name] = value
    }
  }
  if (Object.keys(retries).length > 0) gateway.retries = retries
  return { gateway, headers }
}

const isAttempts = (count: number): count is 1 | 2 | 3 | 4 | 5 =>
  Number.isInteger(count) && count >= 1 && count <= 5

const scalars = (json: string): Record<string, string | number | boolean> => {
  const read: Record<string, string | number | boolean> = {}
  const parsed = parseJson(json)
  if (!isRecord(parsed)) return read
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      read[key] = value
  }
  return read
}
