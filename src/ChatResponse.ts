/**
 * What a model answered, in one vocabulary for every provider.
 *
 * @since 0.1.0
 */
import type { GatewayMetadata } from "./GatewayMetadata.js"
import type { Attempt } from "./internal/errors.js"
import type { AssistantMessage, AssistantPart, ToolCallPart } from "./Message.js"

/**
 * Why the model stopped. `tool-calls` whenever it called a tool, whatever the vendor named it; `other` for a value
 * that this library does not know (the vendor's own word is in `rawFinishReason`).
 *
 * @since 0.1.0
 * @category models
 */
export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "error" | "other"

/**
 * Tokens. A count is absent where the provider did not report it; nothing is estimated.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  /** Tokens of the prompt, those read from and written to the provider's cache included. */
  readonly input?: number | undefined
  /** Tokens of the answer, reasoning included. */
  readonly output?: number | undefined
  /** Tokens of the prompt that came from the provider's cache; a part of `input`. */
  readonly cacheRead?: number | undefined
  /** Tokens of the prompt that were written to the provider's cache; a part of `input`. */
  readonly cacheWrite?: number | undefined
  /** Tokens of reasoning; a part of `output`. */
  readonly reasoning?: number | undefined
  /** The provider's own total, else `input` and `output` added. */
  readonly total?: number | undefined
}

/**
 * A source that the model named.
 *
 * @since 0.1.0
 * @category models
 */
export interface Citation {
  readonly url?: string | undefined
  readonly title?: string | undefined
  /** The words that the source supports, or that were quoted. */
  readonly text?: string | undefined
  /** The provider's own record. */
  readonly raw: unknown
}

/**
 * One whole answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChatResponse {
  /** All text, joined. Empty if the model only called tools, or said nothing. */
  readonly text: string
  /** All reasoning text that the provider shows, joined. */
  readonly reasoning: string
  /** The answer as a message, for the next turn. */
  readonly message: AssistantMessage
  /** The tools that the model called, in order. */
  readonly toolCalls: ReadonlyArray<ToolCallPart>
  /** Why the model refused, in its own words, where the provider gives them apart from the text. */
  readonly refusal?: string | undefined
  /** The sources that the model named. */
  readonly citations: ReadonlyArray<Citation>
  readonly finishReason: FinishReason
  /** The provider's own word for it. */
  readonly rawFinishReason?: string | undefined
  readonly usage: Usage
  /** The gateway slug of the provider that answered. */
  readonly provider: string
  /** The model as the provider names it, else as it was asked for. */
  readonly model: string
  /** The legs that were tried before, each with its error. Empty if the first one answered. */
  readonly attempts: ReadonlyArray<Attempt>
  /** What the gateway said in its headers. */
  readonly gateway: GatewayMetadata
  /** The provider's own body. Absent for an answer that was put together from a stream. */
  readonly raw?: unknown
}

/**
 * What a provider's body holds: a response without what only the call knows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decoded {
  /** Text, reasoning and tool calls, in their order. */
  readonly parts: ReadonlyArray<AssistantPart>
  readonly refusal?: string | undefined
  readonly citations?: ReadonlyArray<Citation> | undefined
  readonly finishReason: FinishReason
  readonly rawFinishReason?: string | undefined
  readonly usage: Usage
  readonly model?: string | undefined
}

/**
 * Completes what was decoded with what the call knows.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  decoded: Decoded,
  call: {
    readonly provider: string
    readonly model: string
    readonly gateway: GatewayMetadata
    readonly attempts?: ReadonlyArray<Attempt> | undefined
    readonly raw?: unknown
  }
): ChatResponse => {
  let text = ""
  let reasoning = ""
  const toolCalls: Array<ToolCallPart> = []
  for (const part of decoded.parts) {
    if (part.type === "text") text += part.text
    else if (part.type === "reasoning") reasoning += part.text
    else toolCalls.push(part)
  }
  const [only] = decoded.parts
  return {
    text,
    reasoning,
    message: {
      role: "assistant",
      content: decoded.parts.length === 1 && only?.type === "text" ? text : decoded.parts
    },
    toolCalls,
    refusal: decoded.refusal,
    citations: decoded.citations ?? [],
    finishReason: decoded.finishReason,
    rawFinishReason: decoded.rawFinishReason,
    usage: decoded.usage,
    provider: call.provider,
    model: decoded.model ?? call.model,
    attempts: call.attempts ?? [],
    gateway: call.gateway,
    raw: call.raw
  }
}
