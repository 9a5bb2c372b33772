/** Makes what a provider answers, part of the public module `LocalGateway`. */
import type {
  RawOptions,
  Reply,
  Stage,
  StatusOptions,
  TextOptions,
  ToolCall,
  ToolCallOptions,
  ToolCallsOptions
} from "./reply.js"

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
 * Says back the last thing the user said: `"You said: …"`, and how many images and files came with it. If the request
 * forces a tool, or asks for JSON of a schema, the answer is a call, or JSON, that fits the schema (one that the prompt
 * quotes, where the vendor takes none). If the conversation
 * ends with results of tools, the answer quotes them: `"weather said: 12 degrees"`. If it is asked to think, in a way
 * that the vendor shows, it thinks: `"Thinking about: …"`. Tokens are words.
 *
 * @since 0.1.0
 * @category replies
 */
export const echo: Reply = { _tag: "Echo", modifiers: {} }

/**
 * Uses the tools that the request offers: calls each of them (or those of the given names; only the first if the
 * request allows one call at a time) with arguments that fit its JSON Schema. When the conversation ends with their
 * results, or there are no tools to call, it answers as `echo` does.
 *
 * @example
 * ```ts
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * // Enough for a program that calls tools in a loop: one turn of calls, then an answer that quotes the results.
 * const gateway = LocalGateway.make({
 *   upstreams: { openai: LocalGateway.always(LocalGateway.useTools()) }
 * })
 * ```
 *
 * @since 0.1.0
 * @category replies
 */
export const useTools = (names?: ReadonlyArray<string>, options: ToolCallsOptions = {}): Reply => ({
  ...options,
  _tag: "UseTools",
  names,
  modifiers: {}
})

/**
 * Answers with JSON. Where the request wants it as arguments of a tool that it forces, it comes as those; else as
 * the text of the answer.
 *
 * @since 0.1.0
 * @category replies
 */
export const value = (value: unknown, options: TextOptions = {}): Reply => ({
  ...options,
  _tag: "Value",
  value,
  modifiers: {}
})

/**
 * The model will not answer, and says so as the vendor does: OpenAI's `refusal`, Anthropic's `stop_reason` without
 * content, Google's `SAFETY`, Bedrock's `content_filtered`. Where a vendor has no words for it the text is its answer.
 *
 * @since 0.1.0
 * @category replies
 */
export const refusal = (text: string, options: TextOptions = {}): Reply => ({
  ...options,
  _tag: "Refusal",
  text,
  modifiers: {}
})

/**
 * Answers a request for embeddings with these vectors, however many it asked for. Without a script a text's vector
 * is made from the text: the same for the same text and model, of length 1.
 *
 * @since 0.1.0
 * @category replies
 */
export const vectors = (vectors: ReadonlyArray<ReadonlyArray<number>>): Reply => ({
  _tag: "Vectors",
  vectors,
  modifiers: {}
})

/**
 * Calls one tool with the arguments (any JSON). Without arguments they fit the JSON Schema that the request gives
 * for the tool.
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCall = (
  name: string,
  args?: unknown,
  { id, argumentsText, pieces, ...options }: ToolCallOptions = {}
): Reply => toolCalls([{ name, args, id, argumentsText, pieces }], options)

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
