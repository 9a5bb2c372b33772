/** What the tests in `workerd` and the gateway in Node tell each other, as text. */
import { Redacted } from "effect"
import type { LocalGateway } from "effect-ai-gateway"

export type Settings = LocalGateway.Options

export interface Records {
  readonly requests: ReadonlyArray<LocalGateway.RecordedRequest>
  readonly upstreamRequests: ReadonlyArray<LocalGateway.UpstreamRequest>
  readonly logs: ReadonlyArray<LocalGateway.LogEntry>
  readonly inFlight: number
}

/** What JSON would lose without a word. */
const lost = (value: unknown): boolean =>
  typeof value === "function" || value instanceof Uint8Array || Redacted.isRedacted(value)

export const stringify = (value: Settings | Records): string =>
  JSON.stringify(value, (name, field: unknown) => {
    if (lost(field)) throw new Error(`${name} cannot be told to another process`)
    return field
  })
