/** Errors that hide behind a status of 200, part of the public module `LocalGateway`. */
import { awsFrame } from "./awsEventStream.js"
import { raw } from "./replies.js"
import type { Reply } from "./reply.js"

/**
 * How a provider says inside a 200 that it failed.
 *
 * - `openai`: an SSE chunk that is `{ error }`; Azure, DeepSeek and Mistral do it too
 * - `groq`: an SSE event named `error`
 * - `openrouter`: a chunk with `error` beside its choices, then `[DONE]`
 * - `finish-reason`: a last chunk with `finish_reason: "error"` and no more (Mistral, OpenRouter, Workers AI)
 * - `azure-prompt`: one JSON body that is `{ error }`, code `content_filter`
 * - `azure-response`: one JSON body whose choice ends with `content_filter` and has no message
 * - `xai`: one JSON body `{ code, error }`, the error a text, though a stream was asked for
 * - `anthropic`: an SSE event named `error`, of type `overloaded_error`
 * - `google`: an SSE chunk that is `{ error }`
 * - `google-tail`: the same as bare JSON after the last chunk
 * - `workers-ai`: a chunk of Workers AI's own stream with `finish_reason: "error"`
 * - `cloudflare`: one JSON body of api.cloudflare.com, `success: false` and `errors`
 * - `responses`: OpenAI's Responses event `error` as documented, flat
 * - `responses-nested`: the same as recorded: nested, then `response.failed`
 * - `responses-failed`: `response.failed` alone
 * - `cohere`: `message-end` with the finish reason `ERROR`, then `[DONE]`
 * - `bedrock`: an exception frame of AWS's binary event stream
 *
 * @since 0.1.0
 * @category models
 */
export type InBandForm =
  | "openai"
  | "groq"
  | "openrouter"
  | "finish-reason"
  | "azure-prompt"
  | "azure-response"
  | "xai"
  | "anthropic"
  | "google"
  | "google-tail"
  | "workers-ai"
  | "cloudflare"
  | "responses"
  | "responses-nested"
  | "responses-failed"
  | "cohere"
  | "bedrock"

/**
 * What an in-band error says.
 *
 * @since 0.1.0
 * @category models
 */
export interface InBandOptions {
  /** Said before a stream fails, as one piece. Default none: the error is the first event. */
  readonly text?: string | undefined
  /** The provider's words, where the form has a place for any. */
  readonly message?: string | undefined
}

interface Form {
  readonly contentType: string
  /** The events before the error. */
  readonly said: (text: string) => ReadonlyArray<string | Uint8Array>
  readonly failed: (message: string) => ReadonlyArray<string | Uint8Array>
}

const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`

/** A named event whose data repeats the name. */
const named = (type: string, data: object): string => sse({ type, ...data }, type)

const done = "data: [DONE]\n\n"

const chatChunk = (delta: object, finish: string | null, extra: object = {}): string =>
  sse({
    id: "chatcmpl-local",
    object: "chat.completion.chunk",
    created: 0,
    model: "local",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...extra
  })

const chat = (failed: Form["failed"]): Form => ({
  contentType: "text/event-stream; charset=utf-8",
  said: (text) => [chatChunk({ role: "assistant", content: text }, null)],
  failed
})

const body = (json: (message: string) => unknown): Form => ({
  contentType: "application/json",
  said: () => [],
  failed: (message) => [JSON.stringify(json(message))]
})

const googleError = (message: string) => ({ error: { code: 503, message, status: "UNAVAILABLE" } })

const google = (failed: Form["failed"]): Form => ({
  contentType: "text/event-stream",
  said: (text) => [
    `data: ${JSON.stringify({
      candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0 }],
      usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 },
      modelVersion: "local"
    })}\r\n\r\n`
  ],
  failed
})

const failedResponse = (message: string, sequence: number): string =>
  named("response.failed", {
    sequence_number: sequence,
    response: {
      id: "resp_local",
      object: "response",
      status: "failed",
      error: { code: "server_error", message },
      output: []
    }
  })

const responses = (failed: Form["failed"]): Form => ({
  contentType: "text/event-stream; charset=utf-8",
  said: (text) => [
    named("response.created", {
      sequence_number: 0,
      response: { id: "resp_local", object: "response", status: "in_progress", output: [] }
    }),
    named("response.output_item.added", {
      sequence_number: 1,
      output_index: 0,
      item: { id: "msg_local", type: "message", status: "in_progress", role: "assistant", content: [] }
    }),
    named("response.output_text.delta", {
      sequence_number: 2,
      item_id: "msg_local",
      output_index: 0,
      content_index: 0,
      delta: text
    })
  ],
  failed
})

const forms = (): Readonly<Record<InBandForm, Form>> => ({
  openai: chat((message) => [sse({ error: { message, type: "server_error", param: null, code: null } })]),
  groq: chat((message) => [
    sse(
      { error: { message, type: "invalid_request_error", code: "tool_use_failed", status_code: 400 } },
      "error"
    )
  ]),
  openrouter: chat((message) => [
    chatChunk({ role: "assistant", content: "" }, "error", { error: { code: 502, message } }),
    done
  ]),
  "finish-reason": chat(() => [chatChunk({ content: "" }, "error"), done]),
  "azure-prompt": body((message) => ({
    error: {
      message,
      type: null,
      param: "prompt",
      code: "content_filter",
      status: 400,
      innererror: { code: "ResponsibleAIPolicyViolation" }
    }
  })),
  "azure-response": body(() => ({
    id: "chatcmpl-local",
    object: "chat.completion",
    created: 0,
    model: "local",
    choices: [{ index: 0, finish_reason: "content_filter" }],
    usage: { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 }
  })),
  xai: body((error) => ({ code: "resource-exhausted", error })),
  anthropic: {
    contentType: "text/event-stream; charset=utf-8",
    said: (text) => [
      named("message_start", {
        message: {
          id: "msg_local",
          type: "message",
          role: "assistant",
          model: "local",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 1, output_tokens: 1 }
        }
      }),
      named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      named("content_block_delta", { index: 0, delta: { type: "text_delta", text } })
    ],
    failed: (message) => [named("error", { error: { type: "overloaded_error", message } })]
  },
  google: google((message) => [`data: ${JSON.stringify(googleError(message))}\r\n\r\n`]),
  "google-tail": google((message) => [`${JSON.stringify(googleError(message), null, 2)}\n`]),
  "workers-ai": {
    contentType: "text/event-stream",
    said: (text) => [sse({ response: text, p: "abc" })],
    failed: () => [sse({ response: "", finish_reason: "error" }), done]
  },
  cloudflare: body((message) => ({
    result: null,
    success: false,
    errors: [{ code: 3040, message }],
    messages: []
  })),
  responses: responses((message) => [
    named("error", { sequence_number: 3, code: "server_error", message, param: null })
  ]),
  "responses-nested": responses((message) => [
    named("error", {
      sequence_number: 3,
      error: { type: "server_error", code: "server_error", message, param: null }
    }),
    failedResponse(message, 4)
  ]),
  "responses-failed": responses((message) => [failedResponse(message, 3)]),
  cohere: {
    contentType: "text/event-stream",
    said: (text) => [
      named("message-start", { id: "local", delta: { message: { role: "assistant", content: [] } } }),
      named("content-start", { index: 0, delta: { message: { content: { type: "text", text: "" } } } }),
      named("content-delta", { index: 0, delta: { message: { content: { text } } } }),
      named("content-end", { index: 0 })
    ],
    failed: (message) => [
      named("message-end", { delta: { finish_reason: "ERROR", error: message, usage: {} } }),
      done
    ]
  },
  bedrock: {
    contentType: "application/vnd.amazon.eventstream",
    said: (text) => [
      awsFrame("event", "messageStart", { role: "assistant" }),
      awsFrame("event", "contentBlockDelta", { contentBlockIndex: 0, delta: { text } })
    ],
    failed: (message) => [
      awsFrame("exception", "modelStreamErrorException", { message, originalStatusCode: 500 })
    ]
  }
})

/**
 * A 200 with an error inside, in one of the forms that providers have for it, whatever the request asked for
 * and whichever provider it is given to. `errorEvent` does it to an answer of the built-in model instead, in
 * the asked provider's own form.
 *
 * @example
 * ```ts
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * const gateway = LocalGateway.make({
 *   upstreams: {
 *     groq: LocalGateway.script([LocalGateway.inBandError("groq", { text: "Let me" })])
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category replies
 */
export const inBandError = (form: InBandForm, options: InBandOptions = {}): Reply => {
  const { contentType, said, failed } = forms()[form]
  return raw({
    headers: { "content-type": contentType },
    body: [
      ...(options.text === undefined ? [] : said(options.text)),
      ...failed(options.message ?? "The model is overloaded. Please try again later.")
    ]
  })
}
