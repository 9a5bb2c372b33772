/**
 * What Cloudflare AI Gateway says about a request in its response headers, as typed fields. Read from
 * successes and failures alike, streamed or not.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { isRecord } from "./internal/json.js"

/**
 * A data-loss-prevention match, as the gateway reports it in `cf-aig-dlp`.
 *
 * @since 0.1.0
 * @category models
 */
export class Dlp extends Schema.Class<Dlp>("effect-ai-gateway/GatewayMetadata/Dlp")({
  /** What the gateway did: let it pass and flag it, or block it. */
  action: Schema.String,
  /** The matches, exactly as the gateway wrote them. */
  findings: Schema.Array(Schema.Unknown)
}) {}

/**
 * The gateway's response headers. A field is absent where the gateway did not send its header; which
 * transports send which is noted on each.
 *
 * @since 0.1.0
 * @category models
 */
export const GatewayMetadata = Schema.Struct({
  /** `cf-aig-log-id`: a ULID; the key of the log entry, for feedback. Absent when nothing was logged. */
  logId: Schema.optional(Schema.String),
  /** `cf-aig-event-id`: the caller's `eventId`, or one that the gateway made. */
  eventId: Schema.optional(Schema.String),
  /** `cf-aig-step`: the index of the entry that answered a universal request, from 0. */
  step: Schema.optional(Schema.Number),
  /** `cf-aig-cache-status`: `HIT` or `MISS`. `MISS` does not promise that the answer will be cached. */
  cacheStatus: Schema.optional(Schema.String),
  /** `cf-aig-run-id`: names a resumable stream (Workers binding, catalog models only). */
  runId: Schema.optional(Schema.String),
  /** `cf-aig-dlp`: data-loss-prevention findings, flagged or blocked. */
  dlp: Schema.optional(Dlp),
  /** `cf-aig-model`: the model that a dynamic route used. */
  model: Schema.optional(Schema.String),
  /** `cf-aig-provider`: the provider slug that a dynamic route used. */
  provider: Schema.optional(Schema.String),
  /** `cf-aig-routed-model`: the model that the auto router chose, as `author/model`. */
  routedModel: Schema.optional(Schema.String),
  /** `cf-aig-routing-reason`: why the auto router chose it. */
  routingReason: Schema.optional(Schema.String),
  /** `cf-aig-routing-decision-id`. */
  routingDecisionId: Schema.optional(Schema.String),
  /** `cf-aig-request-id`. */
  requestId: Schema.optional(Schema.String),
  /** `cf-ai-req-id`: Workers AI's own request id. */
  workersAiRequestId: Schema.optional(Schema.String),
  /** `cf-ray`: Cloudflare's edge id; what support asks for. */
  ray: Schema.optional(Schema.String),
  /** `payment-required`: a machine-payment demand (base64), with status 402. */
  paymentRequired: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type GatewayMetadata = typeof GatewayMetadata.Type

const headerOf = {
  logId: "cf-aig-log-id",
  eventId: "cf-aig-event-id",
  cacheStatus: "cf-aig-cache-status",
  runId: "cf-aig-run-id",
  model: "cf-aig-model",
  provider: "cf-aig-provider",
  routedModel: "cf-aig-routed-model",
  routingReason: "cf-aig-routing-reason",
  routingDecisionId: "cf-aig-routing-decision-id",
  requestId: "cf-aig-request-id",
  workersAiRequestId: "cf-ai-req-id",
  ray: "cf-ray",
  paymentRequired: "payment-required"
} as const

const textFields = Object.entries(headerOf) as ReadonlyArray<[keyof typeof headerOf, string]>

type Draft = { -readonly [K in keyof GatewayMetadata]: GatewayMetadata[K] }

/**
 * Reads the gateway's headers. Names must be in lower case, as `fetch` and `@effect/platform` give them.
 * A header that cannot be read (a step that is not a count, DLP findings that are not JSON) is left out:
 * metadata never fails a request.
 *
 * Source: `protocol/gateway.md` §3.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHeaders = (headers: Readonly<Record<string, string | undefined>>): GatewayMetadata => {
  const metadata: Draft = {}
  for (const [field, header] of textFields) {
    const value = headers[header]
    if (value !== undefined && value !== "") metadata[field] = value
  }
  const step = headers["cf-aig-step"]
  if (step !== undefined && /^\d{1,6}$/.test(step)) metadata.step = Number(step)
  const dlp = headers["cf-aig-dlp"]
  if (dlp !== undefined) {
    const parsed = parseDlp(dlp)
    if (parsed !== undefined) metadata.dlp = parsed
  }
  return metadata
}

const parseDlp = (header: string): Dlp | undefined => {
  try {
    const json: unknown = JSON.parse(header)
    if (!isRecord(json)) return undefined
    const action = typeof json.action === "string" ? json.action : "FLAG"
    const findings = Array.isArray(json.findings) ? json.findings : []
    return new Dlp({ action, findings })
  } catch {
    return undefined
  }
}
