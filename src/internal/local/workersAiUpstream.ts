/** Workers AI's own `run`. */
import { asArray, asObject, isObject, words } from "./json.js"
import { workersAiRefusal } from "./openAiDialects.js"
import { type Answer, type Ask, contentText, type Frame, type Wire } from "./wire.js"

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

const forcedTool = (body: Readonly<Record<string, unknown>>): Ask["forcedTool"] => {
  const choice = body.tool_choice
  const tools = asArray(body.tools).map((tool) => asObject(asObject(tool).function ?? tool))
  const named = asObject(asObject(choice).function).name
  const tool = isObject(choice)
    ? tools.find((tool) => tool.name === named)
    : choice === "required"
      ? tools[0]
      : undefined
  return tool === undefined ? undefined : { name: String(tool.name), schema: tool.parameters }
}

const parse: Wire["parse"] = ({ body, endpoint }) => {
  const model = (endpoint.split("?")[0] ?? "").replace(/^run\//, "")
  if (!isObject(body)) return { kind: "invalid", message: "must be object" }
  const { prompt, messages } = body
  if (typeof prompt !== "string" && !Array.isArray(messages))
    return {
      kind: "invalid",
      message: "oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', 'messages'"
    }
  const list = asArray(messages).map(asObject)
  if (list.some((message) => message.content === null))
    return { kind: "invalid", message: "Type mismatch of '/messages/0/content', 'string' not in 'null'" }
  const format = asObject(body.response_format)
  if (format.type === "json_schema" && body.stream === true)
    return { kind: "invalid", message: "JSON Mode does not support streaming" }
  const users = list.filter((message) => message.role === "user")
  return {
    _tag: "Ask",
    model,
    stream: body.stream === true,
    includeUsage: true,
    text: typeof prompt === "string" ? prompt : contentText(users.at(-1)?.content),
    inputWords:
      typeof prompt === "string"
        ? words(prompt)
        : list.reduce((sum, message) => sum + words(contentText(message.content)), 0),
    forcedTool: forcedTool(body),
    // A bare schema: there is no `{ name, schema }` around it here.
    answerSchema: format.type === "json_schema" ? format.json_schema : undefined
  }
}

export const workersAiWire: Wire = {
  parse,
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
