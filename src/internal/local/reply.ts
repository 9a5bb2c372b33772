/** What a provider answers, part of the public module `LocalGateway`. */
import type { RunConnection } from "./runConnections.js"
import type { Time } from "./time.js"

/**
 * Tokens to report instead of the words that the built-in model counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  /** All prompt tokens, those from the provider's prompt cache included. */
  readonly input?: number | undefined
  /** Prompt tokens from the provider's prompt cache. Default 0. */
  readonly cachedInput?: number | undefined
  /** All answer tokens, reasoning included. */
  readonly output?: number | undefined
  /** Reasoning tokens. */
  readonly reasoning?: number | undefined
}

/**
 * Why the model stopped. The four common words become the provider's own (`end_turn`, `STOP`, …); any other
 * text is sent as it is.
 *
 * @since 0.1.0
 * @category models
 */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | (string & {})

/**
 * Something that the answer names as its source, in the vendor's own words for it: annotations (OpenAI, OpenRouter),
 * `citations` and `search_results` (Perplexity, xAI), citations on text blocks (Anthropic, Bedrock, Cohere),
 * grounding (Google). Vendors that have none say nothing of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Citation {
  readonly url: string
  readonly title?: string | undefined
  /** The part of the answer that it supports. Default: all of it. */
  readonly text?: string | undefined
}

/**
 * The order and the shape in which a stream says the calls of tools, on wires that are shaped like OpenAI's chat.
 *
 * - `fragments`: the call opens with its id and name, and its arguments follow in pieces
 * - `whole`: everything in one delta
 * - `arguments-first`: pieces of arguments before there is a name
 * - `interleaved`: several calls at once, a piece of each in turn
 * - `no-index`: whole, without `index`
 * - `index-gaps`: the indexes 0, 2, 4, …
 * - `from-one`: the indexes begin at 1, and the first piece is empty
 * - `no-id`: the id is an empty text
 * - `id-repeated`: every piece repeats the id, with an empty name
 * - `null-arguments`: no `arguments` key in the first piece, `null` in the second
 * - `finalised`: ends with an entry whose id, type and name are null
 *
 * @since 0.1.0
 * @category models
 */
export type ToolStream =
  | "fragments"
  | "whole"
  | "arguments-first"
  | "interleaved"
  | "no-index"
  | "index-gaps"
  | "from-one"
  | "no-id"
  | "id-repeated"
  | "null-arguments"
  | "finalised"

/**
 * How a text is said.
 *
 * @since 0.1.0
 * @category models
 */
export interface TextOptions {
  /** The pieces of a streamed answer. Default: one per word. A number cuts the text into so many characters. */
  readonly chunks?: ReadonlyArray<string> | number | undefined
  /** The pause before every piece but the first. Default none. */
  readonly delay?: Time | undefined
  readonly usage?: Usage | undefined
  /** Default `"stop"`, or `"tool_calls"` if there are any. */
  readonly finishReason?: FinishReason | undefined
  /** Said before the text, where the provider's format has a place for reasoning. */
  readonly reasoning?: string | undefined
  /** What the answer names as its sources, where the provider's format has a place for any. */
  readonly citations?: ReadonlyArray<Citation> | undefined
  /** The model that the answer names. Default: the one that was asked for. */
  readonly model?: string | undefined
}

/**
 * A call of a tool. The id is made up if absent, where the provider's format has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCall {
  readonly name: string
  /** Any JSON. Default: something that fits the JSON Schema that the request gives for the tool. */
  readonly args?: unknown
  readonly id?: string | undefined
  /**
   * The arguments' text instead of `args`, JSON or not: for formats that carry arguments as text. Formats that carry
   * them as JSON say what it parses to, or `{}`.
   */
  readonly argumentsText?: string | undefined
  /**
   * The pieces of a streamed arguments' text, where the format has pieces: texts that join to it, or a number that
   * cuts it into so many characters. Default: two halves.
   */
  readonly pieces?: ReadonlyArray<string> | number | undefined
}

/**
 * What a content check looks at: what was asked, or what was answered.
 *
 * @since 0.1.0
 * @category models
 */
export type Stage = "prompt" | "response"

/**
 * What a call of one tool may say beside its arguments.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCallOptions extends ToolCallsOptions, Omit<ToolCall, "name" | "args"> {}

/**
 * What calls of tools may say beside their arguments.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCallsOptions extends TextOptions {
  /** Said before the calls. Default none. */
  readonly text?: string | undefined
  /** Default: the provider's habit. */
  readonly toolStream?: ToolStream | undefined
}

/**
 * What is sent with a status. The body is by default the provider's own error, and `message` what it says.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusOptions {
  readonly body?: unknown
  readonly message?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * An answer to the byte.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawOptions {
  /** Default 200. */
  readonly status?: number | undefined
  /** Default `content-type: application/json`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body: string | Uint8Array | ReadonlyArray<string | Uint8Array>
  /** The pause before every chunk but the first. Default none. */
  readonly delay?: Time | undefined
}

/**
 * What happens to a reply on its way. Set with `delayed`, `dropAfter`, `errorEvent`, `stallAfter`,
 * `keepAlives`, `rechunk`, `unstreamed`, `dlpFlagged`, `contentType`, `crlf` and `connections`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Modifiers {
  readonly delay?: Time
  readonly dropAfter?: number
  readonly stallAfter?: number
  readonly errorEvent?: {
    readonly afterEvents: number
    readonly status: number | undefined
    readonly message: string | undefined
    readonly form: "event" | "tail"
  }
  readonly keepAlives?: { readonly count: number; readonly every: Time | undefined }
  readonly chunkBytes?: number
  readonly unstreamed?: boolean
  readonly dlpFlag?: Stage
  readonly contentType?: string
  readonly crlf?: boolean
  readonly connections?: ReadonlyArray<RunConnection>
}

/**
 * What the provider (or the gateway, or the edge before it) answers: plain data, made with `text`, `toolCall`,
 * `toolCalls`, `useTools`, `value`, `refusal`, `vectors`, `status`, `echo`, `raw`, `inBandError`, `hang`, `disconnect`, `guardrail`, `dlp` and
 * `edgeHtml`.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply = (
  | ({ readonly _tag: "Text"; readonly text: string } & TextOptions)
  | ({
      readonly _tag: "ToolCalls"
      readonly calls: ReadonlyArray<ToolCall>
      readonly text: string
      readonly toolStream?: ToolStream | undefined
    } & TextOptions)
  | ({ readonly _tag: "Echo" } & TextOptions)
  | ({ readonly _tag: "UseTools"; readonly names: ReadonlyArray<string> | undefined } & ToolCallsOptions)
  | ({ readonly _tag: "Value"; readonly value: unknown } & TextOptions)
  | ({ readonly _tag: "Refusal"; readonly text: string } & TextOptions)
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly body: unknown
      readonly message: string | undefined
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly _tag: "Raw"
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly chunks: ReadonlyArray<string | Uint8Array>
      readonly delay: Time | undefined
    }
  | { readonly _tag: "Vectors"; readonly vectors: ReadonlyArray<ReadonlyArray<number>> }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Disconnect" }
  | { readonly _tag: "Guardrail"; readonly stage: Stage; readonly status: number }
  | { readonly _tag: "Dlp"; readonly stage: Stage; readonly status: number }
  | { readonly _tag: "EdgeHtml"; readonly status: number }
) & { readonly modifiers: Modifiers }
