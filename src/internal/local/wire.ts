/** What one vendor's wire format must do for the built-in model to speak it. */
import type { JsonObject } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import type { Citation, ToolStream } from "./reply.js"

/** A tool that the request offers. */
export interface OfferedTool {
  readonly name: string
  /** The JSON Schema of its arguments. */
  readonly schema: unknown
}

/** What a tool gave, as the request says. */
export interface ToolResult {
  readonly name: string
  readonly text: string
}

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
  readonly tools: ReadonlyArray<OfferedTool>
  /** The tool that the request forces. */
  readonly forcedTool: OfferedTool | undefined
  /** Whether it forbids them all. */
  readonly toolsForbidden: boolean
  /** Whether it lets the model call several at once. */
  readonly parallel: boolean
  /** The results that the conversation ends with; none if it ends otherwise. */
  readonly results: ReadonlyArray<ToolResult>
  /** The JSON Schema that the answer must match. */
  readonly answerSchema: unknown
  readonly images: number
  readonly files: number
  /** Whether the model is asked to think, in a way that this vendor then shows. */
  readonly thinks: boolean
  /** Vertex's `streamFunctionCallArguments`. */
  readonly streamsArguments: boolean
  /** The body of the request, for vendors whose answers repeat it. */
  readonly request: JsonObject
}

/** What most requests are. */
export const plainAsk: Omit<Ask, "model" | "text"> = {
  _tag: "Ask",
  stream: false,
  includeUsage: true,
  inputWords: 0,
  tools: [],
  forcedTool: undefined,
  toolsForbidden: false,
  parallel: true,
  results: [],
  answerSchema: undefined,
  images: 0,
  files: 0,
  thinks: false,
  streamsArguments: false,
  request: {}
}

/** A request for vectors. */
export interface Embed {
  readonly _tag: "Embed"
  readonly model: string
  readonly inputs: ReadonlyArray<string>
  readonly dimensions: number
  /** Words of all inputs. */
  readonly inputWords: number
  /** The vendor's body for the vectors, which come in the order of the inputs. */
  readonly whole: (vectors: ReadonlyArray<ReadonlyArray<number>>) => unknown
}

/** A call of a tool. */
export interface Call {
  readonly id: string
  readonly name: string
  /** The arguments as JSON. */
  readonly args: unknown
  /** The arguments as text: of `args`, or whatever a script says. */
  readonly text: string
  /** The text in the pieces that a stream says it in; `undefined` leaves that to the vendor's habit. */
  readonly pieces: ReadonlyArray<string> | undefined
}

/** What the model says. */
export interface Answer {
  readonly model: string
  readonly text: string
  readonly chunks: ReadonlyArray<string>
  readonly reasoning: string | undefined
  readonly toolCalls: ReadonlyArray<Call>
  readonly toolStream: ToolStream | undefined
  readonly citations: ReadonlyArray<Citation>
  /** It will not answer; `text` says why. */
  readonly refused: boolean
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
  readonly text: string | Uint8Array
  readonly content: boolean
}

export type Problem =
  | { readonly kind: "credential"; readonly missing: boolean; readonly message?: string }
  | { readonly kind: "model"; readonly model: string }
  | { readonly kind: "endpoint"; readonly path: string }
  | {
      readonly kind: "invalid"
      readonly message: string
      readonly param?: string
      readonly code?: string
    }
  /** A model that reads text alone was given something else; `at` is the place in the vendor's own words. */
  | {
      readonly kind: "textOnly"
      readonly model: string
      readonly what: "image" | "file"
      readonly at: string
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
  readonly parse: (request: UpstreamRequest) => Ask | Embed | Problem
  /** The body of an answer that is not streamed. */
  readonly whole: (ask: Ask, answer: Answer) => unknown
  /** The events of one that is; lazily, so that a long stream costs no memory. */
  readonly frames: (ask: Ask, answer: Answer) => Iterable<Frame>
  readonly contentType: string
  /** The status that this vendor calls being overloaded. */
  readonly overloaded: number
  readonly refuse: (problem: Problem) => Refusal
  /** The error that this vendor puts into a stream that has begun, at `now` in Unix milliseconds. */
  readonly errorFrame: (problem: Problem, now: number, ask: Ask | undefined) => string | Uint8Array
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

/** A request that the vendor does not take. */
export const invalid = (message: string, param?: string, code?: string): Problem => ({
  kind: "invalid",
  message,
  ...(param === undefined ? {} : { param }),
  ...(code === undefined ? {} : { code })
})

export const isProblem = (value: Ask | Embed | Problem): value is Problem => !("_tag" in value)

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
