/**
 * What a stream delivers: first one `Start`, then deltas as the model speaks, then `UsageReport`, and last exactly one
 * `Finish`. Plain objects, told apart by `_tag`.
 *
 * @since 0.1.0
 */
import * as ChatResponse from "./ChatResponse.js"
import type { GatewayMetadata } from "./GatewayMetadata.js"
import type { Attempt } from "./internal/errors.js"
import type { AssistantPart, ToolCallPart } from "./Message.js"

/**
 * The first event: who answers. It comes with the first content, when the stream has committed to this leg.
 *
 * @since 0.1.0
 * @category models
 */
export interface Start {
  readonly _tag: "Start"
  /** The gateway slug of the provider that answers. */
  readonly provider: string
  /** The model as it was asked for. */
  readonly model: string
  readonly gateway: GatewayMetadata
  /** The legs that were tried before, each with its error. */
  readonly attempts: ReadonlyArray<Attempt>
}

/**
 * More text.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextDelta {
  readonly _tag: "TextDelta"
  readonly text: string
}

/**
 * More reasoning text.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReasoningDelta {
  readonly _tag: "ReasoningDelta"
  readonly text: string
}

/**
 * The provider's signed or encrypted form of the reasoning so far; goes back to that provider unchanged.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReasoningOpaque {
  readonly _tag: "ReasoningOpaque"
  readonly provider: string
  readonly data: unknown
}

/**
 * More of a refusal.
 *
 * @since 0.1.0
 * @category models
 */
export interface RefusalDelta {
  readonly _tag: "RefusalDelta"
  readonly text: string
}

/**
 * A source that the model named.
 *
 * @since 0.1.0
 * @category models
 */
export interface CitationEvent {
  readonly _tag: "Citation"
  readonly citation: ChatResponse.Citation
}

/**
 * More of a tool call's arguments (JSON text). `index` tells calls apart that are streamed together.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCallDelta {
  readonly _tag: "ToolCallDelta"
  readonly index: number
  readonly name: string
  readonly arguments: string
}

/**
 * A tool call that is complete.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCall {
  readonly _tag: "ToolCall"
  readonly index: number
  readonly id: string
  readonly name: string
  /** The arguments as JSON text; `{}` where the model gave none. */
  readonly arguments: string
}

/**
 * Tokens used. Comes once, before `Finish`, if the provider reported any.
 *
 * @since 0.1.0
 * @category models
 */
export interface UsageReport {
  readonly _tag: "Usage"
  readonly usage: ChatResponse.Usage
}

/**
 * The last event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Finish {
  readonly _tag: "Finish"
  readonly finishReason: ChatResponse.FinishReason
  /** The provider's own word for it. */
  readonly rawFinishReason?: string | undefined
  readonly usage: ChatResponse.Usage
  /** The model as the provider names it, where the stream said so. */
  readonly model?: string | undefined
}

/**
 * One event of a stream.
 *
 * @since 0.1.0
 * @category models
 */
export type ChatEvent =
  | Start
  | TextDelta
  | ReasoningDelta
  | ReasoningOpaque
  | RefusalDelta
  | CitationEvent
  | ToolCallDelta
  | ToolCall
  | UsageReport
  | Finish

/**
 * Is this something that a reader would see? The first such event commits a stream to its leg.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isContent = (event: ChatEvent): boolean => {
  switch (event._tag) {
    case "TextDelta":
    case "ReasoningDelta":
    case "RefusalDelta":
      return event.text !== ""
    case "ToolCallDelta":
    case "ToolCall":
    case "Citation":
      return true
    default:
      return false
  }
}

/**
 * Puts a whole answer together from the events of a stream.
 *
 * @since 0.1.0
 * @category folding
 */
export const fold = (events: Iterable<ChatEvent>): ChatResponse.ChatResponse => {
  const folder = makeFolder()
  for (const event of events) folder.add(event)
  return folder.response()
}

/**
 * The same, event by event; `response` may be asked for at any time, and gives what has come so far.
 *
 * @since 0.1.0
 * @category folding
 */
export const makeFolder = (): {
  readonly add: (event: ChatEvent) => void
  readonly response: () => ChatResponse.ChatResponse
} => {
  const parts: Array<AssistantPart> = []
  const citations: Array<ChatResponse.Citation> = []
  let refusal: string | undefined
  let start: Start | undefined
  let finish: Finish | undefined
  let usage: ChatResponse.Usage = {}
  // Deltas are kept as a list and joined once: appending to a part's text would copy the part at every event.
  let open: { type: "text" | "reasoning"; texts: Array<string> } | undefined
  const close = () => {
    if (open !== undefined) parts.push({ type: open.type, text: open.texts.join("") })
    open = undefined
  }
  const append = (type: "text" | "reasoning", text: string) => {
    if (text === "") return
    if (open?.type !== type) {
      close()
      open = { type, texts: [] }
    }
    open?.texts.push(text)
  }
  return {
    add(event) {
      switch (event._tag) {
        case "TextDelta":
          return append("text", event.text)
        case "ReasoningDelta":
          return append("reasoning", event.text)
        case "ReasoningOpaque": {
          const text = open?.type === "reasoning" ? open.texts.join("") : ""
          if (open?.type === "reasoning") open = undefined
          else close()
          parts.push({ type: "reasoning", text, opaque: { provider: event.provider, data: event.data } })
          return
        }
        case "ToolCall": {
          close()
          const call: ToolCallPart = {
            type: "tool-call",
            id: event.id,
            name: event.name,
            arguments: event.arguments
          }
          parts.push(call)
          return
        }
        case "RefusalDelta":
          refusal = (refusal ?? "") + event.text
          return
        case "Citation":
          citations.push(event.citation)
          return
        case "Start":
          start = event
          return
        case "Usage":
          usage = event.usage
          return
        case "Finish":
          finish = event
          usage = event.usage
          return
        case "ToolCallDelta":
          return
      }
    },
    response() {
      const whole = open === undefined ? parts : [...parts, { type: open.type, text: open.texts.join("") }]
      return ChatResponse.make(
        {
          parts: [...whole],
          refusal,
          citations,
          finishReason: finish?.finishReason ?? "other",
          rawFinishReason: finish?.rawFinishReason,
          usage,
          model: finish?.model
        },
        {
          provider: start?.provider ?? "",
          model: start?.model ?? "",
          gateway: start?.gateway ?? {},
          attempts: start?.attempts
        }
      )
    }
  }
}
