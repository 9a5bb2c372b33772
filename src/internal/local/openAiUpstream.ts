/** `chat/completions` of OpenAI, and of those who copied it. */
import {
  answerId,
  finishOf,
  hasRefusal,
  reasoningDetail,
  thinkingPart,
  usageOf,
  wholeChat,
  wireToolCall
} from "./chatAnswer.js"
import { besideChoices, inMessage } from "./chatCitations.js"
import { parseChat } from "./chatRequest.js"
import { vendorId } from "./ids.js"
import type { Dialect } from "./openAiDialects.js"
import { toolDeltas } from "./toolDeltas.js"
import type { Answer, Ask, Frame, Wire } from "./wire.js"

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
    case "details":
      return { content: "", reasoning, reasoning_details: [reasoningDetail(reasoning)] }
    case "reasoning_content":
      return { content: null, reasoning_content: reasoning }
  }
}

function* frames(dialect: Dialect, ask: Ask, answer: Answer): Iterable<Frame> {
  const id = answerId(dialect, answer.now)
  const created = Math.floor(answer.now / 1000)
  const usage = usageOf(dialect, answer)
  let soFar = ""
  let isFirst = true
  const frame = (
    delta: Record<string, unknown>,
    content: boolean,
    finish?: string,
    extra?: Record<string, unknown>
  ): Frame => {
    if (typeof delta.content === "string") soFar += delta.content
    const before = isFirst ? (dialect.prelude?.() ?? "") : ""
    isFirst = false
    return {
      content,
      text: `${before}data: ${JSON.stringify({
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
            ...(dialect.name === "azure-openai" ? { content_filter_results: {} } : {}),
            ...(finish !== undefined
              ? { finish_reason: finish }
              : dialect.openFinish === "null"
                ? { finish_reason: null }
                : {})
          }
        ],
        ...(dialect.name === "perplexity-ai" ? besideChoices(dialect.name, answer) : {}),
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
  const field = answer.refused && hasRefusal(dialect) ? "refusal" : "content"
  for (const chunk of answer.chunks) yield frame({ [field]: chunk }, true)
  const annotations = inMessage(dialect.name, answer)
  if (annotations.annotations !== undefined) yield frame(annotations, false)
  const calls = answer.toolCalls.map((call) => ({
    ...call,
    id: wireToolCall(dialect, call, 0).id
  }))
  for (const tool_calls of toolDeltas(answer.toolStream ?? dialect.toolStream, calls))
    yield frame({ tool_calls }, true)
  const finish = finishOf(dialect, answer)
  yield frame({}, false, finish, {
    ...(dialect.name === "grok" ? besideChoices(dialect.name, answer) : {}),
    ...(dialect.usage === "finish" ? { usage } : {}),
    ...(dialect.name === "groq" ? { x_groq: { id, usage } } : {})
  })
  if (dialect.usage === "repeated") yield frame({ content: "" }, false, finish, { usage })
  if (dialect.usage === "asked" && ask.includeUsage)
    yield {
      content: false,
      text: `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created, model: answer.model, choices: [], usage })}\n\n`
    }
  if (dialect.done) yield { content: false, text: "data: [DONE]\n\n" }
}

export const openAiWire = (dialect: Dialect): Wire => ({
  parse: (request) => parseChat(request, dialect.rules ?? dialect.name),
  whole: (ask, answer) => wholeChat(dialect, ask, answer),
  frames: (ask, answer) => frames(dialect, ask, answer),
  contentType: "text/event-stream; charset=utf-8",
  overloaded: 503,
  refuse: dialect.refuse,
  errorFrame: (problem) => dialect.errorFrame(dialect.refuse(problem).body, problem),
  keepAlive: dialect.keepAlive,
  headers: () => ({ "x-request-id": vendorId("req_") })
})
