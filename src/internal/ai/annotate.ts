/** What a provider package says in the spans of `@effect/ai`, by its conventions. Our own spans lie below and say more. */
import type * as Response from "@effect/ai/Response"
import { addGenAIAnnotations } from "@effect/ai/Telemetry"
import type { Span } from "effect/Tracer"
import type { Metadata } from "../../ChatModel.js"

/** Who is asked first, until somebody has answered. */
export const asked = (span: Span, { provider, model }: Metadata): void =>
  addGenAIAnnotations(span, { system: provider, operation: { name: "chat" }, request: { model } })

/** Who answered, and what it took. */
export const finished = (span: Span, { metadata, reason, usage }: Response.FinishPartEncoded): void => {
  const by = metadata?.aiGateway
  addGenAIAnnotations(span, {
    system: by?.provider,
    response: { model: by?.model, finishReasons: [reason] },
    usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }
  })
}
