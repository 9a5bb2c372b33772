/** A log entry in the names of Cloudflare's API. */
import type { LogEntry } from "./records.js"

/** How much of a body an entry shows: not documented. */
const headSize = 4096

const text = (value: unknown): string | undefined =>
  value === undefined || typeof value === "string" ? value : JSON.stringify(value)

/** What a list shows. Metadata are the caller's to write: a text on one surface, an object on the other. */
export const logRow = (log: LogEntry) => ({
  id: log.id,
  created_at: new Date(log.createdAt).toISOString(),
  provider: log.provider,
  model: log.model ?? "",
  path: log.path,
  step: log.step,
  status_code: log.statusCode,
  success: log.success,
  cached: log.cached,
  duration: log.duration,
  tokens_in: log.tokensIn ?? null,
  tokens_out: log.tokensOut ?? null,
  custom_cost: log.customCost !== undefined,
  ...(log.cost === undefined ? {} : { cost: log.cost }),
  ...(log.requestContentType === undefined ? {} : { request_content_type: log.requestContentType }),
  ...(log.responseContentType === undefined ? {} : { response_content_type: log.responseContentType })
})

/** What one entry shows beside that. A body that is not kept has no head, and that is complete. */
export const logView = (log: LogEntry) => {
  const request = text(log.request)
  return {
    ...logRow(log),
    request_size: log.requestSize,
    request_head: (request ?? "").slice(0, headSize),
    request_head_complete: (request ?? "").length <= headSize,
    response_size: log.responseSize,
    response_head: (log.response ?? "").slice(0, headSize),
    response_head_complete: (log.response ?? "").length <= headSize
  }
}
