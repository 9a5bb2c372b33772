/** From a whole answer of ours to parts of `@effect/ai`. */
import type * as Response from "@effect/ai/Response"
import * as Either from "effect/Either"
import type { ChatResponse } from "../../ChatResponse.js"
import type { AssistantPart } from "../../Message.js"
import type { InvalidToolCall } from "../errors.js"
import { isRecord, textAt } from "../json.js"
import { withoutFence } from "../partialJson.js"
import type { CallIdentity } from "./callIdentity.js"
import { toParams } from "./callParams.js"
import { toFinishPart } from "./finishPart.js"
import type { AnsweredBy } from "./partMetadata.js"
import { toSourcePart } from "./sourcePart.js"

/** What the call knows that its answer does not. */
export interface Asked {
  readonly format: "text" | "json"
  readonly calls: CallIdentity
  /** An id of this answer, of which those of its parts are made. */
  readonly answerId: string
  /** When the answer came, as ISO text. */
  readonly timestamp: string
}

/** Metadata first, then what the model said in its order, its sources, and the finish. */
export const toParts = (
  answer: ChatResponse,
  asked: Asked
): Either.Either<Array<Response.PartEncoded>, InvalidToolCall> => {
  const by = answeredBy(answer)
  const parts: Array<Response.PartEncoded> = [
    {
      type: "response-metadata",
      id: providersId(answer.raw),
      modelId: answer.model,
      timestamp: asked.timestamp,
      metadata: { aiGateway: by }
    }
  ]
  for (const part of contentOf(answer, asked.format)) {
    switch (part.type) {
      case "text":
        if (part.text !== "") parts.push({ type: "text", text: part.text })
        break
      case "reasoning": {
        const { text, opaque } = part
        parts.push(
          opaque === undefined
            ? { type: "reasoning", text }
            : { type: "reasoning", text, metadata: { aiGateway: { opaque } } }
        )
        break
      }
      case "tool-call": {
        const params = toParams(part)
        if (params._tag === "Left") return Either.left(params.left)
        const id = asked.calls.own(part.id)
        parts.push({ type: "tool-call", id, name: part.name, params: params.right, providerExecuted: false })
      }
    }
  }
  if (answer.refusal !== undefined)
    parts.push({ type: "text", text: answer.refusal, metadata: { aiGateway: { refusal: true } } })
  for (const [index, citation] of answer.citations.entries())
    parts.push(toSourcePart(citation, `${asked.answerId}_source_${index}`))
  parts.push(toFinishPart(answer, by))
  return Either.right(parts)
}

export const answeredBy = ({ provider, model, attempts, gateway }: AnsweredBy): AnsweredBy => ({
  provider,
  model,
  attempts,
  gateway
})

/** `generateObject` joins all text and parses it, so of an answer in JSON all text is the value. */
const contentOf = (answer: ChatResponse, format: Asked["format"]): ReadonlyArray<AssistantPart> => {
  const { content } = answer.message
  if (typeof content === "string")
    return [{ type: "text", text: format === "json" ? withoutFence(content) : content }]
  if (format === "text") return content
  const others = content.filter((part) => part.type !== "text")
  return answer.text === "" ? others : [...others, { type: "text", text: withoutFence(answer.text) }]
}

/** OpenAI and Anthropic call it `id`, Google `responseId`; others give none. */
const providersId = (raw: unknown): string | undefined =>
  isRecord(raw) ? (textAt(raw, "id") ?? textAt(raw, "responseId")) : undefined
