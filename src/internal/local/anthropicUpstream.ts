/** Anthropic's Messages. */
import { parseMessages } from "./anthropicRequest.js"
import { afterEmpty } from "./argumentPieces.js"
import { vendorId } from "./ids.js"
import {
  type Answer,
  type Frame,
  type Problem,
  type Refusal,
  refusal,
  statusMessage,
  type Wire
} from "./wire.js"

const errorType = (status: number): string => {
  switch (status) {
    case 401:
      return "authentication_error"
    case 402:
      return "billing_error"
    case 403:
      return "permission_error"
    case 404:
      return "not_found_error"
    case 413:
      return "request_too_large"
    case 429:
      return "rate_limit_error"
    case 504:
      return "timeout_error"
    case 529:
      return "overloaded_error"
    default:
      return status >= 500 ? "api_error" : "invalid_request_error"
  }
}

const describe = (problem: Problem): { readonly status: number; readonly message: string } => {
  switch (problem.kind) {
    case "credential":
      return { status: 401, message: problem.missing ? "x-api-key header is required" : "invalid x-api-key" }
    case "model":
      return { status: 404, message: `model: ${problem.model}` }
    case "endpoint":
      return { status: 404, message: "Not Found" }
    case "textOnly":
      return { status: 400, message: `${problem.model} does not support ${problem.what} input.` }
    case "invalid":
      return { status: 400, message: problem.message }
    case "status":
      return {
        status: problem.status,
        message: problem.message ?? (problem.status === 529 ? "Overloaded" : statusMessage(problem.status))
      }
  }
}

const refuse = (problem: Problem): Refusal => {
  const { status, message } = describe(problem)
  const requestId = vendorId("req_")
  return refusal(
    status,
    { type: "error", error: { type: errorType(status), message }, request_id: requestId },
    {
      "request-id": requestId,
      "x-should-retry": String(status === 408 || status === 409 || status === 429 || status >= 500)
    }
  )
}

const stopReason = (reason: string): string => {
  switch (reason) {
    case "stop":
      return "end_turn"
    case "length":
      return "max_tokens"
    case "tool_calls":
      return "tool_use"
    case "content_filter":
      return "refusal"
    default:
      return reason
  }
}

const inputUsage = ({ usage }: Answer) => ({
  input_tokens: usage.input - usage.cachedInput,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: usage.cachedInput
})

const signature = "bG9jYWwtc2lnbmF0dXJl"

const cited = ({ url, title, text }: Answer["citations"][number]) => ({
  type: "web_search_result_location",
  url,
  title: title ?? url,
  encrypted_index: "bG9jYWwtaW5kZXg=",
  cited_text: text ?? ""
})

/** Of a refusal only the details say why; there is no content. */
const stopDetails = (answer: Answer) =>
  answer.refused ? { stop_details: { type: "refusal", category: null, explanation: answer.text } } : {}

const blocks = (answer: Answer): ReadonlyArray<Record<string, unknown>> => [
  ...(answer.reasoning === undefined ? [] : [{ type: "thinking", thinking: answer.reasoning, signature }]),
  ...(answer.text === "" || answer.refused
    ? []
    : [
        {
          type: "text",
          text: answer.text,
          ...(answer.citations.length === 0 ? {} : { citations: answer.citations.map(cited) })
        }
      ]),
  ...answer.toolCalls.map((call) => ({ type: "tool_use", id: call.id, name: call.name, input: call.args }))
]

const whole = (answer: Answer) => ({
  id: vendorId("msg_"),
  type: "message",
  role: "assistant",
  model: answer.model,
  content: blocks(answer),
  stop_reason: stopReason(answer.finishReason),
  stop_sequence: null,
  ...stopDetails(answer),
  usage: { ...inputUsage(answer), output_tokens: answer.usage.output }
})

const event = (
  data: { readonly type: string; readonly [field: string]: unknown },
  content = false
): Frame & { readonly text: string } => ({
  content,
  text: `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
})

const start = (index: number, content_block: unknown) =>
  event({ type: "content_block_start", index, content_block })
const delta = (index: number, delta: unknown, content = true) =>
  event({ type: "content_block_delta", index, delta } as const, content)
const stop = (index: number) => event({ type: "content_block_stop", index })
const ping = event({ type: "ping" })

function* frames(answer: Answer): Iterable<Frame> {
  yield event({
    type: "message_start",
    message: {
      ...whole(answer),
      content: [],
      stop_reason: null,
      usage: { ...inputUsage(answer), output_tokens: 1 }
    }
  })
  let index = 0
  let pinged = false
  if (answer.reasoning !== undefined) {
    yield start(index, { type: "thinking", thinking: "", signature: "" })
    yield ping
    pinged = true
    yield delta(index, { type: "thinking_delta", thinking: answer.reasoning })
    yield delta(index, { type: "signature_delta", signature }, false)
    yield stop(index++)
  }
  if (answer.text !== "" && !answer.refused) {
    yield start(index, { type: "text", text: "" })
    if (!pinged) yield ping
    pinged = true
    for (const citation of answer.citations)
      yield delta(index, { type: "citations_delta", citation: cited(citation) }, false)
    for (const text of answer.chunks) yield delta(index, { type: "text_delta", text })
    yield stop(index++)
  }
  for (const call of answer.toolCalls) {
    yield start(index, { type: "tool_use", id: call.id, name: call.name, input: {} })
    if (!pinged) yield ping
    pinged = true
    for (const partial_json of afterEmpty(call))
      yield delta(index, { type: "input_json_delta", partial_json })
    yield stop(index++)
  }
  if (!pinged) yield ping
  yield event({
    type: "message_delta",
    delta: { stop_reason: stopReason(answer.finishReason), stop_sequence: null, ...stopDetails(answer) },
    usage: { ...inputUsage(answer), output_tokens: answer.usage.output }
  })
  yield event({ type: "message_stop" })
}

export const anthropicWire: Wire = {
  parse: parseMessages,
  whole: (_ask, answer) => whole(answer),
  frames: (_ask, answer) => frames(answer),
  contentType: "text/event-stream; charset=utf-8",
  overloaded: 529,
  refuse,
  errorFrame: (problem) => {
    const { status, message } = describe(problem)
    return event({ type: "error", error: { type: errorType(status), message } }).text
  },
  keepAlive: ping.text,
  headers: () => ({ "request-id": vendorId("req_") })
}
