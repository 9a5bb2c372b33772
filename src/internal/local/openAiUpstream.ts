/** `chat/completions` of OpenAI, and of those who copied it. */
import { hex, vendorId } from "./ids.js"
import { asArray, asObject, isObject, words } from "./json.js"
import type { Dialect } from "./openAiDialects.js"
import { type Answer, type Ask, contentText, type Frame, type Wire } from "./wire.js"

const finishReason = (reason: string): string => reason

/** Whether OpenAI calls this a reasoning model, which takes `max_completion_tokens` only. */
const isReasoningModel = (model: string): boolean => /^(gpt-5|o\d)/.test(model)

const chatText = (messages: ReadonlyArray<unknown>): { readonly last: string; readonly words: number } => {
  let last = ""
  let count = 0
  for (const message of messages) {
    const { role, content } = asObject(message)
    const text = contentText(content)
    count += words(text)
    if (role === "user") last = text
  }
  return { last, words: count }
}

const forcedTool = (body: Readonly<Record<string, unknown>>): Ask["forcedTool"] => {
  const choice = body.tool_choice
  const tools = asArray(body.tools).map((tool) => asObject(asObject(tool).function))
  const named = asObject(asObject(choice).function).name
  const tool = isObject(choice)
    ? tools.find((tool) => tool.name === named)
    : choice === "required" || choice === "any"
      ? tools[0]
      : undefined
  return tool === undefined ? undefined : { name: String(tool.name), schema: tool.parameters }
}

const usageOf = (dialect: Dialect, { usage }: Answer) => {
  // xAI alone counts reasoning beside the completion, not in it.
  const completion = dialect.name === "grok" ? usage.output - usage.reasoning : usage.output
  return {
    prompt_tokens: usage.input,
    completion_tokens: completion,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cachedInput },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
    ...(dialect.name === "deepseek"
      ? {
          prompt_cache_hit_tokens: usage.cachedInput,
          prompt_cache_miss_tokens: usage.input - usage.cachedInput
        }
      : {})
  }
}

const thinkingPart = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }] })

/** Reasoning and text as fields of a message or a delta. */
const said = (dialect: Dialect, reasoning: string | undefined, text: string | null) => {
  if (reasoning === undefined) return { content: text }
  switch (dialect.reasoning) {
    case "none":
      return { content: text }
    case "think":
      return { content: `<think>${reasoning}</think>${text ?? ""}` }
    case "parts":
      return { content: [thinkingPart(reasoning), ...(text === null ? [] : [{ type: "text", text }])] }
    case "reasoning":
      return { content: text, reasoning }
    case "reasoning_content":
      return { content: text, reasoning_content: reasoning }
  }
}

const reasoningDelta = (dialect: Dialect, reasoning: string): Record<string, unknown> | undefined => {
  switch (dialect.reasoning) {
    case "none":
      return undefined
    case "think":
      return { content: `<think>${reasoning}</think>` }
    case "parts":
      return { content: [thinkingPart(reasoning)] }
    case "reasoning":
      return { content: "", reasoning, channel: "analysis" }
    case "reasoning_content":
      return { content: null, reasoning_content: reasoning }
  }
}

const wireToolCall = (call: Answer["toolCalls"][number]) => ({
  id: call.id,
  type: "function",
  function: { name: call.name, arguments: JSON.stringify(call.args) }
})

const answerId = (dialect: Dialect, now: number): string =>
  dialect.name === "workers-ai" ? `id-${now}` : dialect.name === "mistral" ? hex(32) : vendorId("chatcmpl-")

const whole = (dialect: Dialect, answer: Answer) => ({
  id: answerId(dialect, answer.now),
  object: "chat.completion",
  created: Math.floor(answer.now / 1000),
  model: answer.model,
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        ...said(
          dialect,
          answer.reasoning,
          answer.text === "" && answer.toolCalls.length > 0 ? null : answer.text
        ),
        ...(dialect.name === "openai" ? { refusal: null, annotations: [] } : {}),
        ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls.map(wireToolCall) } : {})
      },
      logprobs: null,
      finish_reason: finishReason(answer.finishReason)
    }
  ],
  usage: usageOf(dialect, answer)
})

function* frames(dialect: Dialect, ask: Ask, answer: Answer): Iterable<Frame> {
  const id = answerId(dialect, answer.now)
  const created = Math.floor(answer.now / 1000)
  const usage = usageOf(dialect, answer)
  let soFar = ""
  const frame = (
    delta: Record<string, unknown>,
    content: boolean,
    finish?: string,
    extra?: Record<string, unknown>
  ): Frame => {
    if (typeof delta.content === "string") soFar += delta.content
    return {
      content,
      text: `data: ${JSON.stringify({
        id,
        object:
          dialect.name === "perplexity-ai" && finish !== undefined
            ? "chat.completion.done"
            : "chat.completion.chunk",
        created,
        model: answer.model,
        choices: [
          {
            index: 0,
            delta: dialect.role === "every" ? { role: "assistant", ...delta } : delta,
            // Perplexity repeats the whole message so far beside each delta.
            ...(dialect.name === "perplexity-ai" ? { message: { role: "assistant", content: soFar } } : {}),
            ...(finish !== undefined
              ? { finish_reason: finish }
              : dialect.openFinish === "null"
                ? { finish_reason: null }
                : {})
          }
        ],
        ...(dialect.usage === "every" ? { usage } : {}),
        ...(dialect.usage === "asked" && ask.includeUsage ? { usage: null } : {}),
        ...extra
      })}\n\n`
    }
  }
  if (dialect.role === "first") yield frame({ role: "assistant", content: "" }, false)
  if (answer.reasoning !== undefined) {
    const delta = reasoningDelta(dialect, answer.reasoning)
    if (delta !== undefined) yield frame(delta, true)
  }
  for (const chunk of answer.chunks) yield frame({ content: chunk }, true)
  for (const [index, call] of answer.toolCalls.entries()) {
    const { id, function: fn } = wireToolCall(call)
    if (dialect.name === "openai" || dialect.name === "azure-openai") {
      yield frame(
        { tool_calls: [{ index, id, type: "function", function: { name: fn.name, arguments: "" } }] },
        true
      )
      const half = Math.ceil(fn.arguments.length / 2)
      for (const part of [fn.arguments.slice(0, half), fn.arguments.slice(half)])
        if (part !== "") yield frame({ tool_calls: [{ index, function: { arguments: part } }] }, true)
    } else {
      yield frame({ tool_calls: [{ index, id, type: "function", function: fn }] }, true)
    }
  }
  yield frame({}, false, finishReason(answer.finishReason), {
    ...(dialect.usage === "finish" ? { usage } : {}),
    ...(dialect.name === "groq" ? { x_groq: { id, usage } } : {})
  })
  if (dialect.usage === "repeated") yield frame({ content: "" }, false, answer.finishReason, { usage })
  if (dialect.usage === "asked" && ask.includeUsage)
    yield {
      content: false,
      text: `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created, model: answer.model, choices: [], usage })}\n\n`
    }
  if (dialect.done) yield { content: false, text: "data: [DONE]\n\n" }
}

export const openAiWire = (dialect: Dialect): Wire => ({
  parse: (request) => {
    const body = request.body
    if (!isObject(body))
      return {
        kind: "invalid",
        message: "We could not parse the JSON body of your request."
      }
    // Azure's model is the deployment in the path.
    const model = dialect.name === "azure-openai" ? request.endpoint.split("/")[1] : body.model
    if (typeof model !== "string" || model === "")
      return { kind: "invalid", message: "you must provide a model parameter", param: "model" }
    const messages = body.messages
    if (!Array.isArray(messages))
      return {
        kind: "invalid",
        message: "Missing required parameter: 'messages'.",
        param: "messages",
        code: "missing_required_parameter"
      }
    if (messages.length === 0)
      return {
        kind: "invalid",
        message: "Invalid 'messages': empty array. Expected an array with minimum length 1.",
        param: "messages",
        code: "empty_array"
      }
    if (dialect.name === "openai" && isReasoningModel(model) && body.max_tokens !== undefined)
      return {
        kind: "invalid",
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param: "max_tokens",
        code: "unsupported_parameter"
      }
    const format = asObject(body.response_format)
    const text = chatText(messages)
    return {
      _tag: "Ask",
      model,
      stream: body.stream === true,
      includeUsage: asObject(body.stream_options).include_usage === true,
      text: text.last,
      inputWords: text.words,
      forcedTool: forcedTool(body),
      answerSchema:
        format.type === "json_schema"
          ? asObject(format.json_schema).schema
          : format.type === "json_object"
            ? { type: "object" }
            : undefined
    }
  },
  whole: (_ask, answer) => whole(dialect, answer),
  frames: (ask, answer) => frames(dialect, ask, answer),
  contentType: "text/event-stream; charset=utf-8",
  overloaded: 503,
  refuse: dialect.refuse,
  errorFrame: (problem) => dialect.errorFrame(dialect.refuse(problem).body, problem),
  keepAlive: dialect.keepAlive,
  headers: () => ({ "x-request-id": vendorId("req_") })
})
