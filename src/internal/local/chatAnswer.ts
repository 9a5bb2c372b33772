/** A whole answer of OpenAI's chat, in each vendor's dialect. */
import { besideChoices, inMessage } from "./chatCitations.js"
import { hex, vendorId } from "./ids.js"
import { parseJson } from "./json.js"
import type { Dialect } from "./openAiDialects.js"
import type { Answer, Ask, Call } from "./wire.js"

export const usageOf = (dialect: Dialect, { usage }: Answer) => {
  // xAI alone counts reasoning beside the completion, not in it; Gemini's surface hides it in the difference.
  const beside = dialect.name === "grok" || dialect.name === "google-ai-studio"
  return {
    prompt_tokens: usage.input,
    completion_tokens: beside ? usage.output - usage.reasoning : usage.output,
    total_tokens: usage.input + usage.output,
    ...(dialect.name === "google-ai-studio"
      ? {}
      : {
          prompt_tokens_details: { cached_tokens: usage.cachedInput },
          completion_tokens_details: { reasoning_tokens: usage.reasoning }
        }),
    ...(dialect.name === "deepseek"
      ? {
          prompt_cache_hit_tokens: usage.cachedInput,
          prompt_cache_miss_tokens: usage.input - usage.cachedInput
        }
      : {})
  }
}

export const thinkingPart = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }] })

export const reasoningDetail = (text: string) => ({
  type: "reasoning.text",
  text,
  format: "unknown",
  index: 0
})

/** Reasoning and text as fields of a message. */
const said = (dialect: Dialect, reasoning: string | undefined, text: unknown) => {
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
    case "details":
      return { content: text, reasoning, reasoning_details: [reasoningDetail(reasoning)] }
    case "reasoning_content":
      return { content: text, reasoning_content: reasoning }
  }
}

/** Gemini's surface gives none; Mistral's have nine characters. A script's own are sent as they are. */
const callId = (dialect: Dialect, id: string): string => {
  if (dialect.name === "google-ai-studio") return ""
  return dialect.name === "mistral" && /^call_[0-9a-f]{24}$/.test(id) ? id.slice(-9) : id
}

/** Gemini's surface signs the first call. */
export const wireToolCall = (dialect: Dialect, call: Call, index: number) => ({
  id: callId(dialect, call.id),
  type: "function",
  function: { name: call.name, arguments: call.text },
  ...(dialect.name === "google-ai-studio" && index === 0
    ? { extra_content: { google: { thought_signature: "bG9jYWwtc2lnbmF0dXJl" } } }
    : {})
})

export const answerId = (dialect: Dialect, now: number): string =>
  dialect.name === "workers-ai" ? `id-${now}` : dialect.name === "mistral" ? hex(32) : vendorId("chatcmpl-")

/** Who has a field for a refusal; elsewhere it is said as text, and the finish reason tells. */
export const hasRefusal = (dialect: Dialect): boolean => dialect.name === "openai"

/** OpenAI ends a refusal as it ends any answer. */
export const finishOf = (dialect: Dialect, answer: Answer): string =>
  answer.refused && hasRefusal(dialect) && answer.finishReason === "content_filter"
    ? "stop"
    : answer.finishReason

/** Workers AI answers JSON as JSON, not as text. */
const contentOf = (dialect: Dialect, ask: Ask, answer: Answer): unknown => {
  if (answer.text === "" && answer.toolCalls.length > 0) return null
  return dialect.name === "workers-ai" && ask.answerSchema !== undefined
    ? (parseJson(answer.text) ?? answer.text)
    : answer.text
}

const messageOf = (dialect: Dialect, ask: Ask, answer: Answer): Record<string, unknown> => {
  const refused = answer.refused && hasRefusal(dialect)
  const message = {
    role: "assistant",
    ...said(dialect, answer.reasoning, refused ? null : contentOf(dialect, ask, answer)),
    ...(dialect.name === "openai" ? { refusal: refused ? answer.text : null, annotations: [] } : {}),
    ...inMessage(dialect.name, answer),
    ...(answer.toolCalls.length > 0
      ? { tool_calls: answer.toolCalls.map((call, index) => wireToolCall(dialect, call, index)) }
      : {})
  }
  if (dialect.name !== "google-ai-studio" || message.content !== null) return message
  const { content: _, ...without } = message
  return without
}

export const wholeChat = (dialect: Dialect, ask: Ask, answer: Answer) => ({
  id: answerId(dialect, answer.now),
  object: "chat.completion",
  created: Math.floor(answer.now / 1000),
  model: answer.model,
  choices: [
    {
      index: 0,
      message: messageOf(dialect, ask, answer),
      logprobs: null,
      finish_reason: finishOf(dialect, answer),
      ...(dialect.name === "openrouter" ? { native_finish_reason: answer.finishReason } : {}),
      ...(dialect.name === "azure-openai" ? { content_filter_results: {} } : {})
    }
  ],
  ...besideChoices(dialect.name, answer),
  usage: usageOf(dialect, answer)
})
