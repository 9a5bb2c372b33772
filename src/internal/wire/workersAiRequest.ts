/** A request in Workers AI's native format. Source: `protocol/wire-formats.md` §9, and §5.1 on input. */
import type { ChatRequest } from "../../ChatRequest.js"
import * as Message from "../../Message.js"
import type { JsonRecord } from "../json.js"
import { hasBytes, urlOf } from "./media.js"
import { outputToolName } from "./outputToolName.js"
import { workersAiPath } from "./pathSegment.js"
import * as ToolCalls from "./toolCalls.js"
import { nested } from "./toolDefinitions.js"
import type { Encoded, EncodeInput } from "./wire.js"

export const encode = ({ model, request, stream }: EncodeInput): Encoded => {
  const unsupported: Array<string> = []
  const refuse = (feature: string): void => {
    if (!unsupported.includes(feature)) unsupported.push(feature)
  }
  const sees = vision.test(model)
  const body: Record<string, unknown> = {
    messages: request.messages.flatMap((message) => encodeMessage(message, sees, refuse))
  }
  const put = (field: keyof ChatRequest, name: string | undefined): void => {
    const value = request[field]
    if (value === undefined) return
    if (name === undefined) refuse(field)
    else body[name] = value
  }
  put("maxTokens", "max_tokens")
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", "top_k")
  put("seed", "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  put("stop", undefined)
  // The format has no field for it. A model that does not think has no need to be told.
  if (request.reasoningEffort !== "none" || thinks.test(model)) put("reasoningEffort", undefined)
  const outputTool = putTools(body, request, stream, refuse)
  if (stream) body.stream = true
  return { endpoint: workersAiPath(model), body, unsupported, outputTool }
}

/** Models that think unasked, as far as their names tell. */
const thinks = /gpt-oss|-r1|qwq|qwen3|kimi|glm|nemotron/i

// --- tools and the form of the answer ---------------------------------------------------------------------------------

const putTools = (
  body: Record<string, unknown>,
  { output, tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  stream: boolean,
  refuse: (feature: string) => void
): string | undefined => {
  const callable = tools.length > 0 && toolChoice !== "none"
  // There is no field for it.
  if (callable && parallelToolCalls === false) refuse("parallelToolCalls")
  if (output !== undefined && stream) {
    // The mode for JSON does not stream. A function by name is the only choice that is enforced, so that the model can
    // call no other one.
    if (callable) {
      refuse("tools")
      if (toolChoice !== undefined && toolChoice !== "auto") refuse("toolChoice")
    }
    const name = outputToolName(output, tools)
    const { description = "Gives the answer.", jsonSchema } = output
    const form = { type: "function", function: { name, description, parameters: jsonSchema } }
    body.tools = callable ? [form] : [...nested(tools, false), form]
    body.tool_choice = named(name)
    return name
  }
  if (tools.length > 0) {
    body.tools = nested(tools, false)
    if (toolChoice !== undefined) {
      body.tool_choice = typeof toolChoice === "string" ? toolChoice : named(toolChoice.tool)
    }
  }
  // The schema itself, without OpenAI's envelope around it.
  if (output !== undefined) body.response_format = { type: "json_schema", json_schema: output.jsonSchema }
  return undefined
}

const named = (name: string): JsonRecord => ({ type: "function", function: { name } })

// --- messages ---------------------------------------------------------------------------------------------------------

/** Models that see, as far as their names tell. */
export const vision = /vision|llava|llama-4|gemma-3|mistral-small-3\.1/i

/** `""` instead of `null`, and text instead of parts, but for images. There is no field for an assistant's reasoning. */
const encodeMessage = (
  message: Message.Message,
  sees: boolean,
  refuse: (feature: string) => void
): ReadonlyArray<JsonRecord> => {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }]
    case "user":
      return [{ role: "user", content: encodeContent(message, sees, refuse) }]
    case "tool":
      return message.content.map((part) => ({
        role: "tool",
        name: part.name,
        tool_call_id: part.id,
        content: part.result
      }))
    case "assistant": {
      const encoded: Record<string, unknown> = { role: "assistant", content: Message.text(message) }
      const calls = ToolCalls.encodeAll(message)
      if (calls.length > 0) encoded.tool_calls = calls
      return [encoded]
    }
  }
}

const encodeContent = (
  message: Message.UserMessage,
  sees: boolean,
  refuse: (feature: string) => void
): string | ReadonlyArray<JsonRecord> => {
  if (typeof message.content === "string") return message.content
  let images = 0
  const parts = message.content.flatMap((part): ReadonlyArray<JsonRecord> => {
    if (part.type === "text") return [{ type: "text", text: part.text }]
    if (part.type === "file") {
      refuse("files")
      return []
    }
    if (!sees || !hasBytes(part.source)) {
      refuse(sees ? "images by URL" : "images")
      return []
    }
    images++
    return [{ type: "image_url", image_url: { url: urlOf(part.source) } }]
  })
  return images === 0 ? Message.text(message) : parts
}
