/**
 * The codes of Workers AI, from its own body, Cloudflare's envelope or a binding's error.
 *
 * Source: `protocol/gateway.md` §4.3.
 */
import type { ErrorBody } from "./bodyShape.js"
import type { ErrorContext, SimpleTag, Verdict } from "./text.js"

interface Row {
  readonly verdict: Verdict
  readonly status: number
}

const row = (status: number, tag: SimpleTag, advice?: string): Row => ({
  status,
  verdict: { tag, source: "provider", ...(advice === undefined ? {} : { advice }) }
})

const privateModel = "The model is private, or its account may not use it: use another model."

const rows: ReadonlyMap<number, Row> = new Map([
  [3003, row(400, "BadRequest", "The request is incomplete: check its required fields.")],
  [3006, row(413, "BadRequest", "The request is too large: send less, above all fewer or smaller images.")],
  [3007, row(408, "ModelTimeout")],
  [3008, row(408, "ModelTimeout")],
  [3023, row(403, "Unauthorized", "Workers AI has blocked this account: ask Cloudflare support.")],
  [
    3036,
    row(
      429,
      "QuotaExceeded",
      "The free allocation of the day is used up: upgrade to Workers Paid, or wait until 00:00 UTC."
    )
  ],
  [3039, row(400, "BadRequest", "Files of the fine-tune are missing: upload them again.")],
  [
    3040,
    row(429, "RateLimited", "Workers AI is out of capacity for this model: try again, or another model.")
  ],
  [3041, row(403, "Unauthorized", privateModel)],
  [3042, row(404, "ModelNotFound")],
  [
    5004,
    row(400, "BadRequest", "Workers AI could not read the input: check the fields that this model takes.")
  ],
  [5005, row(405, "BadRequest", "This model takes no LoRA: leave it out.")],
  [
    5006,
    row(400, "BadRequest", "The input does not match the model's schema: check the fields that it takes.")
  ],
  [5007, row(400, "ModelNotFound")],
  [5016, row(403, "Unauthorized", "Accept the model's terms in the Cloudflare dashboard first.")],
  [5018, row(403, "Unauthorized", privateModel)],
  [5019, row(405, "BadRequest", "The Workers AI SDK is too old for this model: update it.")],
  [5021, row(413, "ContextLengthExceeded")]
])

/** A Workers AI model that is asked through the OpenAI surface answers in that shape, with its own codes. */
export const workersAiVerdict = (body: ErrorBody, context: ErrorContext): Row | undefined => {
  if (body.shape === "edge" || body.shape === "policy") return undefined
  if (body.shape === "provider" && context.provider !== "workers-ai") return undefined
  return rows.get(typeof body.code === "string" ? Number(body.code) : (body.code ?? Number.NaN))
}
