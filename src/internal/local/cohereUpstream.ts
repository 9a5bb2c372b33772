/** Cohere's v2: chat and embeddings. */
import { piecesOf } from "./argumentPieces.js"
import { spanOf } from "./chatCitations.js"
import { parseCohereChat } from "./cohereRequest.js"
import { parseCohereEmbedding } from "./embeddingRequests.js"
import { uuid } from "./ids.js"
import {
  type Answer,
  type Call,
  type Frame,
  type Problem,
  type Refusal,
  refusal,
  statusMessage,
  type Wire
} from "./wire.js"

const say = (status: number, message: string): Refusal => refusal(status, { id: uuid(), message })

const refuse = (problem: Problem): Refusal => {
  switch (problem.kind) {
    case "credential":
      return say(401, problem.missing ? "no api key supplied" : "invalid api token")
    case "model":
      return say(
        404,
        `model '${problem.model}' not found, make sure the correct model ID was used and that you have access to the model.`
      )
    case "endpoint":
      return say(404, `the endpoint /${problem.path} was not found`)
    case "textOnly":
      return say(400, `invalid request: model '${problem.model}' does not support ${problem.what} content`)
    case "invalid":
      return say(400, problem.message)
    case "status":
      return say(problem.status, problem.message ?? statusMessage(problem.status))
  }
}

const finishReason = (reason: string): string => {
  switch (reason) {
    case "stop":
      return "COMPLETE"
    case "length":
      return "MAX_TOKENS"
    case "tool_calls":
      return "TOOL_CALL"
    // v2 has no word for a refusal: the text says it.
    case "content_filter":
      return "COMPLETE"
    default:
      return reason
  }
}

const usage = ({ usage }: Answer) => ({
  billed_units: { input_tokens: Math.max(0, usage.input - 1), output_tokens: usage.output },
  tokens: {
    input_tokens: usage.input,
    output_tokens: usage.output,
    ...(usage.reasoning > 0 ? { reasoning_tokens: usage.reasoning } : {})
  },
  cached_tokens: usage.cachedInput
})

const toolCall = ({ id, name, text }: Call) => ({ id, type: "function", function: { name, arguments: text } })

const citationOf = (answer: Answer, { url, title, text }: Answer["citations"][number]) => {
  const { start, end } = spanOf(answer.text, text)
  return {
    start,
    end,
    text: answer.text.slice(start, end),
    sources: [{ type: "document", id: url, document: { id: url, url, title: title ?? url } }],
    type: "TEXT_CONTENT",
    content_index: 0
  }
}

/** What is said before calls is a plan, and there is no content then. */
const plans = (answer: Answer): boolean => answer.toolCalls.length > 0

const whole = (answer: Answer) => ({
  id: uuid(),
  finish_reason: finishReason(answer.finishReason),
  message: {
    role: "assistant",
    ...(plans(answer)
      ? { tool_plan: answer.text, tool_calls: answer.toolCalls.map(toolCall) }
      : {
          content: [
            ...(answer.reasoning === undefined ? [] : [{ type: "thinking", thinking: answer.reasoning }]),
            { type: "text", text: answer.text }
          ]
        }),
    ...(answer.citations.length === 0
      ? {}
      : { citations: answer.citations.map((citation) => citationOf(answer, citation)) })
  },
  usage: usage(answer)
})

const event = (type: string, data: object, content = false): Frame & { readonly text: string } => ({
  content,
  text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
})

const message = (index: number, fields: object) => ({ index, delta: { message: fields } })

function* contents(answer: Answer): Iterable<Frame> {
  let index = 0
  if (answer.reasoning !== undefined) {
    yield event("content-start", message(index, { content: { type: "thinking", thinking: "" } }))
    yield event("content-delta", message(index, { content: { thinking: answer.reasoning } }), true)
    yield event("content-end", { index: index++ })
  }
  yield event("content-start", message(index, { content: { type: "text", text: "" } }))
  for (const text of answer.chunks) yield event("content-delta", message(index, { content: { text } }), true)
  for (const [at, citation] of answer.citations.entries()) {
    yield event("citation-start", message(at, { citations: citationOf(answer, citation) }))
    yield event("citation-end", { index: at })
  }
  yield event("content-end", { index })
}

function* calls(answer: Answer): Iterable<Frame> {
  for (const tool_plan of answer.chunks)
    yield event("tool-plan-delta", { delta: { message: { tool_plan } } }, true)
  for (const [index, call] of answer.toolCalls.entries()) {
    yield event(
      "tool-call-start",
      message(index, {
        tool_calls: { id: call.id, type: "function", function: { name: call.name, arguments: "" } }
      }),
      true
    )
    // A call without arguments has no delta at all.
    if (call.text !== "{}" || call.pieces !== undefined)
      for (const piece of piecesOf(call))
        yield event(
          "tool-call-delta",
          message(index, { tool_calls: { function: { arguments: piece } } }),
          true
        )
    yield event("tool-call-end", { index })
  }
}

function* frames(answer: Answer): Iterable<Frame> {
  yield event("message-start", {
    id: uuid(),
    delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } }
  })
  yield* plans(answer) ? calls(answer) : contents(answer)
  yield event("message-end", {
    delta: { finish_reason: finishReason(answer.finishReason), usage: usage(answer) }
  })
  yield { content: false, text: "data: [DONE]\n\n" }
}

export const cohereWire: Wire = {
  parse: parseCohereChat,
  whole: (_ask, answer) => whole(answer),
  frames: (_ask, answer) => frames(answer),
  contentType: "text/event-stream",
  overloaded: 503,
  refuse,
  // There is no event for it: the end says that it is one.
  errorFrame: (problem) =>
    `${
      event("message-end", {
        delta: {
          finish_reason: "ERROR",
          error: (refuse(problem).body as { readonly message: string }).message,
          usage: {}
        }
      }).text
    }data: [DONE]\n\n`,
  keepAlive: ": keep-alive\n\n",
  headers: () => ({ "x-debug-trace-id": uuid() })
}

export const cohereEmbedWire: Wire = { ...cohereWire, parse: parseCohereEmbedding }
