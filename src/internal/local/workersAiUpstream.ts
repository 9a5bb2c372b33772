/** Workers AI's own `run`. */

import type { Answer, Ask, Frame, Wire } from "./wire.js"
import { workersAiRefusal } from "./workersAiErrors.js"
import { parseRun } from "./workersAiRequest.js"

const usage = ({ usage }: Answer) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output
})

/** Native tool calls have no id, and their arguments are an object. */
const toolCalls = (answer: Answer) =>
  answer.toolCalls.map((call) => ({ name: call.name, arguments: call.args }))

/** A JSON answer is an object here, not a string. */
const response = (ask: Ask, answer: Answer): unknown => {
  if (answer.toolCalls.length > 0 && answer.text === "") return null
  if (ask.answerSchema === undefined) return answer.text
  try {
    return JSON.parse(answer.text)
  } catch {
    return answer.text
  }
}

const data = (value: unknown, content: boolean): Frame => ({
  text: `data: ${JSON.stringify(value)}\n\n`,
  content
})

function* frames(answer: Answer): Iterable<Frame> {
  for (const [index, chunk] of answer.chunks.entries())
    yield data({ response: chunk, p: "abcdefghijklmnopqrstuvwxyz".slice(0, 1 + (index % 26)) }, true)
  if (answer.toolCalls.length > 0) yield data({ response: "", tool_calls: toolCalls(answer) }, true)
  yield data(
    {
      response: "",
      ...(answer.finishReason === "stop" || answer.finishReason === "tool_calls"
        ? {}
        : { finish_reason: answer.finishReason })
    },
    false
  )
  yield data({ response: "", usage: usage(answer) }, false)
  yield { text: "data: [DONE]\n\n", content: false }
}

export const workersAiWire: Wire = {
  parse: parseRun,
  whole: (ask, answer) => ({
    result: {
      response: response(ask, answer),
      ...(answer.toolCalls.length > 0 ? { tool_calls: toolCalls(answer) } : {}),
      usage: usage(answer)
    },
    success: true,
    errors: [],
    messages: []
  }),
  frames: (_ask, answer) => frames(answer),
  contentType: "text/event-stream",
  overloaded: 503,
  refuse: workersAiRefusal,
  errorFrame: (problem) => `data: ${JSON.stringify(workersAiRefusal(problem).body)}\n\n`,
  keepAlive: ": keep-alive\n\n",
  headers: () => ({ "cf-ai-req-id": globalThis.crypto.randomUUID() })
}
