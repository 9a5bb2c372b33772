/** What a provider answers, part of the public module `LocalGateway`. */
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
  readonly args: unknown
  readonly id?: string | undefined
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
export interface ToolCallOptions extends ToolCallsOptions {
  readonly id?: string | undefined
}

/**
 * What calls of tools may say beside their arguments.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCallsOptions extends TextOptions {
  /** Said before the calls. Default none. */
  readonly text?: string | undefined
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
 * `keepAlives`, `rechunk` and `unstreamed`.
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
}

/**
 * What the provider (or the gateway, or the edge before it) answers: plain data, made with `text`, `toolCall`,
 * `toolCalls`, `status`, `echo`, `raw`, `inBandError`, `hang`, `disconnect`, `guardrail`, `dlp` and
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
    } & TextOptions)
  | ({ readonly _tag: "Echo" } & TextOptions)
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
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Disconnect" }
  | { readonly _tag: "Guardrail"; readonly stage: Stage; readonly status: number }
  | { readonly _tag: "Dlp"; readonly stage: Stage; readonly status: number }
  | { readonly _tag: "EdgeHtml"; readonly status: number }
) & { readonly modifiers: Modifiers }

/**
 * Says the text.
 *
 * @since 0.1.0
 * @category replies
 */
export const text = (text: string, options: TextOptions = {}): Reply => ({
  ...options,
  _tag: "Text",
  text,
  modifiers: {}
})

/**
 * Says back the last thing the user said: `"You said: …"`. If the request forces a tool, or asks for JSON of a
 * schema, the answer is a call, or JSON, that fits the schema. Tokens are words.
 *
 * @since 0.1.0
 * @category replies
 */
export const echo: Reply = { _tag: "Echo", modifiers: {} }

/**
 * Calls one tool with the arguments (any JSON).
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCall = (name: string, args: unknown, options: ToolCallOptions = {}): Reply =>
  toolCalls([{ name, args, id: options.id }], options)

/**
 * Calls several tools at once, after the text if there is one.
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCalls = (calls: ReadonlyArray<ToolCall>, options: ToolCallsOptions = {}): Reply => ({
  ...options,
  _tag: "ToolCalls",
  calls,
  text: options.text ?? "",
  modifiers: {}
})

/**
 * Answers with a status. The body, unless given, is the error that the provider itself sends with it, with
 * `message` in it if given.
 *
 * @since 0.1.0
 * @category replies
 */
export const status = (status: number, options: StatusOptions = {}): Reply => ({
  _tag: "Status",
  status,
  body: options.body,
  message: options.message,
  headers: options.headers ?? {},
  modifiers: {}
})

/**
 * Answers with exactly these bytes. Defaults: status 200, `content-type: application/json`. Several chunks
 * are sent one at a time, with `delay` between them; `dropAfter` and `stallAfter` count them.
 *
 * @since 0.1.0
 * @category replies
 */
export const raw = (options: RawOptions): Reply => ({
  _tag: "Raw",
  status: options.status ?? 200,
  headers: options.headers ?? { "content-type": "application/json" },
  chunks:
    typeof options.body === "string" || options.body instanceof Uint8Array ? [options.body] : options.body,
  delay: options.delay,
  modifiers: {}
})

/**
 * Never answers: the request ends when the client goes away, or when a gateway timeout does.
 *
 * @since 0.1.0
 * @category replies
 */
export const hang: Reply = { _tag: "Hang", modifiers: {} }

/**
 * The client's connection breaks before any answer.
 *
 * @since 0.1.0
 * @category replies
 */
export const disconnect: Reply = { _tag: "Disconnect", modifiers: {} }

/**
 * The gateway's guardrails block the prompt (code 2016) or the response (code 2017), as one JSON whether or
 * not a stream was asked for. The status, 424 by default, is not documented for 2017 and has been seen to
 * differ. An answer that passes them is `unstreamed`.
 *
 * @since 0.1.0
 * @category replies
 */
export const guardrail = (stage: Stage, options: { readonly status?: number | undefined } = {}): Reply => ({
  _tag: "Guardrail",
  stage,
  status: options.status ?? 424,
  modifiers: {}
})

/**
 * The gateway's data loss prevention blocks the prompt (code 2029) or the response (code 2030), with its
 * findings in the header `cf-aig-dlp`. The status, 400 by default, is not confirmed.
 *
 * @since 0.1.0
 * @category replies
 */
export const dlp = (stage: Stage, options: { readonly status?: number | undefined } = {}): Reply => ({
  _tag: "Dlp",
  stage,
  status: options.status ?? 400,
  modifiers: {}
})

/**
 * A page of Cloudflare's edge, as with status 502, 520 or 524: HTML, and none of the gateway's headers.
 *
 * @since 0.1.0
 * @category replies
 */
export const edgeHtml = (status: number): Reply => ({ _tag: "EdgeHtml", status, modifiers: {} })
