/** Anthropic's Messages. */
import { vendorId } from "./ids.js"
import { asArray, asObject, isObject, words } from "./json.js"
import {
  type Answer,
  type Ask,
  contentText,
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

const blocks = (answer: Answer): ReadonlyArray<Record<string, unknown>> => [
  ...(answer.reasoning === undefined ? [] : [{ type: "thinking", thinking: answer.reasoning, signature }]),
  ...(answer.text === "" ? [] : [{ type: "text", text: answer.text }]),
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
  usage: { ...inputUsage(answer), output_tokens: answer.usage.output }
})

const event = (
  data: { readonly type: string; readonly [field: string]: unknown },
  content = false
): Frame => ({
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
  if (answer.text !== "") {
    yield start(index, { type: "text", text: "" })
    if (!pinged) yield ping
    pinged = true
    for (const text of answer.chunks) yield delta(index, { type: "text_delta", text })
    yield stop(index++)
  }
  for (const call of answer.toolCalls) {
    yield start(index, { type: "tool_use", id: call.id, name: call.name, input: {} })
    if (!pinged) yield ping
    pinged = true
    // The first fragment is empty, and a call without arguments has no other.
    yield delta(index, { type: "input_json_delta", partial_json: "" })
    const args = JSON.stringify(call.args)
    const half = Math.ceil(args.length / 2)
    if (args !== "{}")
      for (const part of [args.slice(0, half), args.slice(half)])
        yield delta(index, { type: "input_json_delta", partial_json: part })
    yield stop(index++)
  }
  if (!pinged) yield ping
  yield event({
    type: "message_delta",
    delta: { stop_reason: stopReason(answer.finishReason), stop_sequence: null },
    usage: { ...inputUsage(answer), output_tokens: answer.usage.output }
  })
  yield event({ type: "message_stop" })
}

const blockText = (content: unknown): string => {
  const text = contentText(content)
  if (text !== "" || !Array.isArray(content)) return text
  return content.map((block) => contentText(asObject(block).content)).join(" ")
}

const forcedTool = (body: Readonly<Record<string, unknown>>): Ask["forcedTool"] => {
  const choice = asObject(body.tool_choice)
  const tools = asArray(body.tools).map(asObject)
  const tool =
    choice.type === "tool"
      ? tools.find((tool) => tool.name === choice.name)
      : choice.type === "any"
        ? tools[0]
        : undefined
  return tool === undefined ? undefined : { name: String(tool.name), schema: tool.input_schema }
}

const sampling = ["temperature", "top_p", "top_k"]

const parse: Wire["parse"] = ({ body, headers }) => {
  const version = headers["anthropic-version"]
  if (version === undefined) return { kind: "invalid", message: "anthropic-version: header is required" }
  if (!isObject(body)) return { kind: "invalid", message: "The request body is not valid JSON" }
  const { model, messages } = body
  if (typeof model !== "string") return { kind: "invalid", message: "model: Field required" }
  if (body.max_tokens === undefined) return { kind: "invalid", message: "max_tokens: Field required" }
  if (!Array.isArray(messages)) return { kind: "invalid", message: "messages: Field required" }
  if (messages.length === 0) return { kind: "invalid", message: "messages: at least one message is required" }
  const roles = messages.map((message) => asObject(message).role)
  const unexpected = roles.find((role) => role !== "user" && role !== "assistant" && role !== "system")
  if (unexpected !== undefined || roles[0] === "system")
    return {
      kind: "invalid",
      message: `messages: Unexpected role "${String(
        unexpected ?? "system"
      )}". The Messages API accepts a top-level \`system\` parameter, not "system" as an input message role.`
    }
  if (version === "2026-10-21") {
    const field = sampling.find((name) => body[name] !== undefined)
    if (field !== undefined) return { kind: "invalid", message: `${field}: Extra inputs are not permitted` }
  }
  const users = messages.filter((message) => asObject(message).role === "user")
  const format = asObject(asObject(body.output_config).format)
  return {
    _tag: "Ask",
    model,
    stream: body.stream === true,
    includeUsage: true,
    text: blockText(asObject(users.at(-1)).content),
    inputWords:
      words(contentText(body.system)) +
      messages.reduce((sum: number, message) => sum + words(blockText(asObject(message).content)), 0),
    forcedTool: forcedTool(body),
    answerSchema: format.type === "json_schema" ? format.schema : undefined
  }
}

export const anthropicWire: Wire = {
  parse,
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
