/**
 * One entry of a gateway's log, read from what the REST API and the binding give. Source: `protocol/gateway.md` §1.9, §5.7.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { MalformedResponse } from "../errors.js"
import { isRecord, type JsonRecord, parseJson, typeName } from "../json.js"
import { unchecked } from "../unchecked.js"

/**
 * One entry of a gateway's log. Only `id` is sure to be there: a field is absent where the gateway did not write it, and
 * those from `requestHead` on, and the sizes, are in the answer of `get` alone, not in that of `list`. What has no field here (`usage_metadata`,
 * say) is in `raw`.
 *
 * `requestHead`, `responseHead` and `raw` hold the words of prompt and answer: keep them out of logs of your own.
 *
 * A Schema: an entry can be encoded to JSON, stored, and decoded again.
 *
 * Source: `protocol/gateway.md` §1.9, §5.7.
 *
 * @example
 * ```ts
 * import { GatewayLogs } from "effect-ai-gateway"
 *
 * const line = ({ createdAt, model, duration, cost }: GatewayLogs.LogEntry) =>
 *   `${createdAt?.toISOString()} ${model}: ${duration} ms, ${cost} USD`
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class LogEntry extends Schema.Class<LogEntry>("effect-ai-gateway/GatewayLogs/LogEntry")({
  /** What `gateway.logId` of an answer names. */
  id: Schema.String,
  /** When the request came. */
  createdAt: Schema.optional(Schema.Date),
  /** The provider's gateway slug. */
  provider: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  modelType: Schema.optional(Schema.String),
  /** The path behind the provider. */
  path: Schema.optional(Schema.String),
  /** Milliseconds. */
  duration: Schema.optional(Schema.Number),
  success: Schema.optional(Schema.Boolean),
  /** Did the answer come from the gateway's cache? */
  cached: Schema.optional(Schema.Boolean),
  /** The HTTP status of the answer. */
  statusCode: Schema.optional(Schema.Number),
  /** Tokens of the prompt. */
  tokensIn: Schema.optional(Schema.Number),
  /** Tokens of the answer. */
  tokensOut: Schema.optional(Schema.Number),
  /** USD. */
  cost: Schema.optional(Schema.Number),
  /** Was `cost` computed from the prices of the request (`customCost`)? */
  customCost: Schema.optional(Schema.Boolean),
  /** Which entry of a universal request answered, from 0. */
  step: Schema.optional(Schema.Number),
  /** The metadata of the request. */
  metadata: Schema.optional(
    Schema.Record({
      key: Schema.String,
      value: Schema.NullOr(Schema.Union(Schema.String, Schema.Number, Schema.Boolean))
    })
  ),
  requestType: Schema.optional(Schema.String),
  requestContentType: Schema.optional(Schema.String),
  responseContentType: Schema.optional(Schema.String),
  /** Bytes. */
  requestSize: Schema.optional(Schema.Number),
  /** Bytes. */
  responseSize: Schema.optional(Schema.Number),
  /** The beginning of the request's body. */
  requestHead: Schema.optional(Schema.String),
  /** Is `requestHead` the whole body? */
  requestHeadComplete: Schema.optional(Schema.Boolean),
  /** The beginning of the answer's body. */
  responseHead: Schema.optional(Schema.String),
  /** Is `responseHead` the whole body? */
  responseHeadComplete: Schema.optional(Schema.Boolean),
  /** The entry as it came. */
  raw: Schema.Unknown
}) {}

type Metadata = NonNullable<LogEntry["metadata"]>

/** Null, a field that is missing and one of another type are all the same: absent. */
export const read = (raw: unknown): Either.Either<LogEntry, MalformedResponse> => {
  if (!isRecord(raw)) return malformed(`${typeName(raw)} and not an entry`, typeName(raw))
  const { id } = raw
  if (typeof id !== "string" || id === "") {
    // Only the names: the values are the words of a prompt.
    return malformed("an entry without an id", Object.keys(raw).join(", "))
  }
  return Either.right(
    new LogEntry(
      {
        id,
        createdAt: timeAt(raw, "created_at"),
        provider: textAt(raw, "provider"),
        model: textAt(raw, "model"),
        modelType: textAt(raw, "model_type"),
        path: textAt(raw, "path"),
        duration: numberAt(raw, "duration"),
        success: flagAt(raw, "success"),
        cached: flagAt(raw, "cached"),
        statusCode: numberAt(raw, "status_code"),
        tokensIn: numberAt(raw, "tokens_in"),
        tokensOut: numberAt(raw, "tokens_out"),
        cost: numberAt(raw, "cost"),
        customCost: flagAt(raw, "custom_cost"),
        step: numberAt(raw, "step"),
        metadata: metadataOf(raw.metadata),
        requestType: textAt(raw, "request_type"),
        requestContentType: textAt(raw, "request_content_type"),
        responseContentType: textAt(raw, "response_content_type"),
        requestSize: numberAt(raw, "request_size"),
        responseSize: numberAt(raw, "response_size"),
        requestHead: textAt(raw, "request_head"),
        requestHeadComplete: flagAt(raw, "request_head_complete"),
        responseHead: textAt(raw, "response_head"),
        responseHeadComplete: flagAt(raw, "response_head_complete"),
        raw
      },
      unchecked
    )
  )
}

const malformed = (found: string, excerpt: string): Either.Either<never, MalformedResponse> =>
  Either.left(
    new MalformedResponse({
      message: `The gateway's log has ${found}: check baseUrl, and any proxy on the way.`,
      excerpt: excerpt.slice(0, 500)
    })
  )

/** An empty head is a head: only here is empty text not the same as none. */
const textAt = (record: JsonRecord, key: string): string | undefined => {
  const value = record[key]
  return typeof value === "string" ? value : undefined
}

const numberAt = (record: JsonRecord, key: string): number | undefined => {
  const value = record[key]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

const flagAt = (record: JsonRecord, key: string): boolean | undefined => {
  const value = record[key]
  if (typeof value === "boolean") return value
  // How SQLite, where the gateway keeps its logs, writes booleans.
  return value === 0 ? false : value === 1 ? true : undefined
}

/** Text over REST, a `Date` from the binding, which makes an invalid one of a time that it cannot read. */
const timeAt = (record: JsonRecord, key: string): Date | undefined => {
  const value = record[key]
  const time = value instanceof Date ? value : typeof value === "string" ? new Date(value) : undefined
  return time !== undefined && Number.isFinite(time.getTime()) ? time : undefined
}

/** JSON as text over REST, an object from the binding. */
const metadataOf = (value: unknown): Metadata | undefined => {
  const json = typeof value === "string" ? parseJson(value) : value
  if (!isRecord(json)) return undefined
  const metadata: Record<string, Metadata[string]> = {}
  for (const [key, entry] of Object.entries(json)) {
    if (isScalar(entry)) Object.defineProperty(metadata, key, { value: entry, enumerable: true })
  }
  return metadata
}

const isScalar = (value: unknown): value is Metadata[string] =>
  value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
