/** OpenAI's Responses. */
import { piecesOf } from "./argumentPieces.js"
import { spanOf } from "./chatCitations.js"
import { hex, vendorId } from "./ids.js"
import type { Dialect } from "./openAiDialects.js"
import { parseResponses } from "./responsesRequest.js"
import { settingsOf } from "./responsesSettings.js"
import { type Answer, type Ask, type Call, type Frame, plainAsk, type Wire } from "./wire.js"

type Item = Readonly<Record<string, unknown>>

const usage = ({ usage }: Answer) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cachedInput },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning },
  total_tokens: usage.input + usage.output
})

const annotations = ({ citations, text }: Answer) =>
  citations.map(({ url, title, text: part }) => {
    const { start, end } = spanOf(text, part)
    return { type: "url_citation", url, title: title ?? url, start_index: start, end_index: end }
  })

const reasoningItem = (id: string, text: string): Item => ({
  id,
  type: "reasoning",
  summary: [{ type: "summary_text", text }],
  encrypted_content: "bG9jYWwtZW5jcnlwdGVk"
})

const contentPart = (answer: Answer): Item =>
  answer.refused
    ? { type: "refusal", refusal: answer.text }
    : { type: "output_text", text: answer.text, annotations: annotations(answer), logprobs: [] }

const messageItem = (id: string, answer: Answer): Item => ({
  id,
  type: "message",
  status: "completed",
  role: "assistant",
  content: [contentPart(answer)]
})

/** `call_id` pairs with the result; `id` is the item's own. */
const callItem = (id: string, call: Call, text = call.text, status = "completed"): Item => ({
  id,
  type: "function_call",
  status,
  call_id: call.id,
  name: call.name,
  arguments: text
})

interface Items {
  readonly reasoning: string
  readonly message: string
  readonly calls: ReadonlyArray<string>
}

const idsOf = (answer: Answer): Items => ({
  reasoning: vendorId("rs_"),
  message: vendorId("msg_"),
  calls: answer.toolCalls.map(() => vendorId("fc_"))
})

const output = (answer: Answer, ids: Items): ReadonlyArray<Item> => [
  ...(answer.reasoning === undefined ? [] : [reasoningItem(ids.reasoning, answer.reasoning)]),
  ...(answer.text === "" && answer.toolCalls.length > 0 ? [] : [messageItem(ids.message, answer)]),
  ...answer.toolCalls.map((call, index) => callItem(ids.calls[index] ?? "", call))
]

/** A refusal and a call complete as any answer does. */
const outcome = (answer: Answer): Item => {
  switch (answer.finishReason) {
    case "length":
      return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }
    case "content_filter":
      return answer.refused
        ? { status: "completed", incomplete_details: null }
        : { status: "incomplete", incomplete_details: { reason: "content_filter" } }
    default:
      return { status: "completed", incomplete_details: null }
  }
}

interface Place {
  readonly id: string
  /** The model that answers. */
  readonly model: string
  /** Unix milliseconds. */
  readonly now: number
}

const base = ({ request }: Pick<Ask, "request">, { id, model, now }: Place): Item => ({
  id,
  object: "response",
  created_at: Math.floor(now / 1000),
  ...settingsOf(request),
  model,
  error: null,
  incomplete_details: null,
  usage: null
})

const whole = (ask: Ask, answer: Answer, id = vendorId("resp_"), ids = idsOf(answer)): Item => ({
  ...base(ask, { id, model: answer.model, now: answer.now }),
  ...outcome(answer),
  output: output(answer, ids),
  usage: usage(answer)
})

/** Events, numbered in the order in which they are made. */
const numbered = () => {
  let sequence = 0
  return (type: string, data: object, content = false): Frame => ({
    content,
    text: `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...data })}\n\n`
  })
}

type Event = ReturnType<typeof numbered>

function* reasoningFrames(event: Event, index: number, id: string, text: string): Iterable<Frame> {
  const at = { item_id: id, output_index: index, summary_index: 0 }
  yield event("response.output_item.added", {
    output_index: index,
    item: { id, type: "reasoning", summary: [] }
  })
  yield event("response.reasoning_summary_part.added", { ...at, part: { type: "summary_text", text: "" } })
  yield event("response.reasoning_summary_text.delta", { ...at, delta: text, obfuscation: hex(6) }, true)
  yield event("response.reasoning_summary_text.done", { ...at, text })
  yield event("response.reasoning_summary_part.done", { ...at, part: { type: "summary_text", text } })
  yield event("response.output_item.done", { output_index: index, item: reasoningItem(id, text) })
}

function* messageFrames(event: Event, index: number, id: string, answer: Answer): Iterable<Frame> {
  const at = { item_id: id, output_index: index, content_index: 0 }
  const kind = answer.refused ? "refusal" : "output_text"
  yield event("response.output_item.added", {
    output_index: index,
    item: { id, type: "message", status: "in_progress", role: "assistant", content: [] }
  })
  yield event("response.content_part.added", {
    ...at,
    part: answer.refused
      ? { type: kind, refusal: "" }
      : { type: kind, text: "", annotations: [], logprobs: [] }
  })
  for (const delta of answer.chunks)
    yield event(`response.${kind}.delta`, { ...at, delta, logprobs: [], obfuscation: hex(6) }, true)
  for (const [annotation_index, annotation] of annotations(answer).entries())
    yield event("response.output_text.annotation.added", { ...at, annotation_index, annotation })
  yield event(`response.${kind}.done`, {
    ...at,
    ...(answer.refused ? { refusal: answer.text } : { text: answer.text, logprobs: [] })
  })
  yield event("response.content_part.done", { ...at, part: contentPart(answer) })
  yield event("response.output_item.done", { output_index: index, item: messageItem(id, answer) })
}

function* callFrames(event: Event, index: number, id: string, call: Call): Iterable<Frame> {
  const at = { item_id: id, output_index: index }
  yield event(
    "response.output_item.added",
    { output_index: index, item: callItem(id, call, "", "in_progress") },
    true
  )
  for (const delta of piecesOf(call))
    yield event("response.function_call_arguments.delta", { ...at, delta, obfuscation: hex(6) }, true)
  yield event("response.function_call_arguments.done", { ...at, name: call.name, arguments: call.text })
  yield event("response.output_item.done", { output_index: index, item: callItem(id, call) })
}

function* frames(ask: Ask, answer: Answer): Iterable<Frame> {
  const event = numbered()
  const id = vendorId("resp_")
  const ids = idsOf(answer)
  const begun = {
    ...base(ask, { id, model: answer.model, now: answer.now }),
    status: "in_progress",
    output: []
  }
  yield event("response.created", { response: begun })
  yield event("response.in_progress", { response: begun })
  let index = 0
  if (answer.reasoning !== undefined) yield* reasoningFrames(event, index++, ids.reasoning, answer.reasoning)
  if (answer.text !== "" || answer.toolCalls.length === 0)
    yield* messageFrames(event, index++, ids.message, answer)
  for (const [at, call] of answer.toolCalls.entries())
    yield* callFrames(event, index++, ids.calls[at] ?? "", call)
  const response = whole(ask, answer, id, ids)
  yield event(`response.${String(response.status)}`, { response })
}

export const responsesWire = (dialect: Dialect): Wire => ({
  parse: parseResponses,
  whole: (ask, answer) => whole(ask, answer),
  frames,
  contentType: "text/event-stream; charset=utf-8",
  overloaded: 503,
  refuse: dialect.refuse,
  errorFrame: (problem, now, ask) => {
    // Workers AI refuses in Cloudflare's envelope.
    const body = dialect.refuse(problem).body as {
      readonly error?: Item
      readonly errors?: ReadonlyArray<Item>
    }
    const error = body.error ?? body.errors?.[0] ?? {}
    const failed = { code: "server_error", message: error.message, param: null }
    return [
      `event: error\ndata: ${JSON.stringify({ type: "error", sequence_number: 0, error: { type: "server_error", ...failed } })}\n\n`,
      `event: response.failed\ndata: ${JSON.stringify({
        type: "response.failed",
        sequence_number: 1,
        response: {
          ...base(ask ?? plainAsk, { id: vendorId("resp_"), model: ask?.model ?? "", now }),
          status: "failed",
          error: { code: "server_error", message: error.message },
          output: []
        }
      })}\n\n`
    ].join("")
  },
  keepAlive: `event: keepalive\ndata: ${JSON.stringify({ type: "keepalive", sequence_number: 2 })}\n\n`,
  headers: () => ({ "x-request-id": vendorId("req_") })
})
