/** What one vendor's wire format must do for the built-in model to speak it. */
import type { UpstreamRequest } from "./records.js"

/** A chat request, as far as the built-in model looks into it. */
export interface Ask {
  readonly _tag: "Ask"
  readonly model: string
  readonly stream: boolean
  /** OpenAI's `stream_options.include_usage`. */
  readonly includeUsage: boolean
  /** The last thing that the user said. */
  readonly text: string
  /** Words of the whole prompt. */
  readonly inputWords: number
  /** The tool that the request forces, with its JSON Schema. */
  readonly forcedTool: { readonly name: string; readonly schema: unknown } | undefined
  /** The JSON Schema that the answer must match. */
  readonly answerSchema: unknown
}

/** What the model says. */
export interface Answer {
  readonly model: string
  readonly text: string
  readonly chunks: ReadonlyArray<string>
  readonly reasoning: string | undefined
  readonly toolCalls: ReadonlyArray<{ readonly id: string; readonly name: string; readonly args: unknown }>
  /** A common word (`stop`, `length`, `tool_calls`, `content_filter`), or the vendor's own, sent as it is. */
  readonly finishReason: string
  readonly usage: {
    readonly input: number
    readonly cachedInput: number
    readonly output: number
    readonly reasoning: number
  }
  /** Unix milliseconds. */
  readonly now: number
}

/** One event of a stream, framed. `content` marks those that the pause between chunks comes before. */
export interface Frame {
  readonly text: string
  readonly content: boolean
}

export type Problem =
  | { readonly kind: "credential"; readonly missing: boolean }
  | { readonly kind: "model"; readonly model: string }
  | { readonly kind: "endpoint"; readonly path: string }
  | {
      readonly kind: "invalid"
      readonly message: string
      readonly param?: string
      readonly code?: string
    }
  | { readonly kind: "status"; readonly status: number; readonly message?: string | undefined }

/** A vendor's own way to say no. */
export interface Refusal {
  readonly _tag: "Refusal"
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

export interface Wire {
  readonly parse: (request: UpstreamRequest) => Ask | Problem
  /** The body of an answer that is not streamed. */
  readonly whole: (ask: Ask, answer: Answer) => unknown
  /** The events of one that is; lazily, so that a long stream costs no memory. */
  readonly frames: (ask: Ask, answer: Answer) => Iterable<Frame>
  readonly contentType: string
  /** The status that this vendor calls being overloaded. */
  readonly overloaded: number
  readonly refuse: (problem: Problem) => Refusal
  /** The error that this vendor puts into a stream that has begun. */
  readonly errorFrame: (problem: Problem) => string
  /** What it sends while there is nothing to say. */
  readonly keepAlive: string
  /** Response headers of its own. */
  readonly headers: () => Readonly<Record<string, string>>
}

export const refusal = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): Refusal => ({ _tag: "Refusal", status, body, headers })

/** A readable name of a status, for default messages. */
export const statusMessage = (status: number): string => {
  switch (status) {
    case 400:
      return "The request is invalid."
    case 401:
      return "The credential is invalid."
    case 402:
      return "Payment is required."
    case 403:
      return "Access is forbidden."
    case 404:
      return "Not found."
    case 408:
      return "The request timed out."
    case 413:
      return "The request is too large."
    case 429:
      return "Rate limit reached. Please try again later."
    case 503:
    case 529:
      return "The service is overloaded. Please try again later."
    default:
      return status >= 500
        ? "The server had an error while processing your request."
        : `The request failed with status ${status}.`
  }
}

/** The text in message content that is a string or a list of parts. */
export const contentText = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content
    .map((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
        ? part.text
        : ""
    )
    .filter((text) => text !== "")
    .join(" ")
}
