/** What Cohere's `v2/chat` is asked. Source: `protocol/wire-formats.md` §11. */
import type { ChatRequest, Output } from "../../ChatRequest.js"
import type { AssistantMessage, Message, UserMessage, UserPart } from "../../Message.js"
import { isRecord, type JsonRecord } from "../json.js"
import { urlOf } from "./media.js"
import { outputToolName } from "./outputToolName.js"
import { budgetOf } from "./reasoningEffort.js"
import * as ToolCalls from "./toolCalls.js"
import { nested } from "./toolDefinitions.js"
import type { Encoded, EncodeInput } from "./wire.js"

export const encode = ({ model, request, stream, provider }: EncodeInput): Encoded => {
  const unsupported = new Set<string>()
  const body: Record<string, unknown> = { model }
  body.messages = request.messages.flatMap((message) => encodeMessage(message, model, provider, unsupported))
  const put = (field: keyof ChatRequest, name: string): void => {
    if (request[field] !== undefined) body[name] = request[field]
  }
  put("temperature", "temperature")
  put("topP", "p")
  put("topK", "k")
  put("maxTokens", "max_tokens")
  put("stop", "stop_sequences")
  put("seed", "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  // There is no way to ask for one call at a time.
  if (request.parallelToolCalls === false && request.toolChoice !== "none")
    unsupported.add("parallelToolCalls")
  const outputTool = putTools(body, request, unsupported)
  const effort = request.reasoningEffort
  if (effort !== undefined) {
    if (!mayThink(model)) {
      // A model that does not think has no need to be told.
      if (effort !== "none") unsupported.add("reasoningEffort")
    } else {
      body.thinking =
        effort === "none" ? { type: "disabled" } : { type: "enabled", token_budget: budgetOf(effort) }
    }
  }
  if (stream) body.stream = true
  return { endpoint: "v2/chat", body, unsupported: [...unsupported], outputTool }
}

// --- tools and the form of the answer -----------------------------------------------------------------------------------

/**
 * A form of the answer and tools are not taken together: then the form is one more tool, and the model must call one of
 * them. Gives the name of that tool.
 */
const putTools = (
  body: Record<string, unknown>,
  { tools = [], toolChoice, output }: ChatRequest,
  unsupported: Set<string>
): string | undefined => {
  // Tools that must not be called would only stand in the way of the form.
  const offered = toolChoice === "none" && output !== undefined ? [] : tools
  // There is no choice of one tool by name.
  if (typeof toolChoice === "object") unsupported.add("toolChoice")
  if (offered.length === 0) {
    if (output !== undefined) {
      body.response_format = { type: "json_object", json_schema: output.jsonSchema }
    }
    return undefined
  }
  // One word for all tools, with conditions of its own: only where each of them asks for it.
  if (offered.every(({ strict }) => strict === true)) body.strict_tools = true
  if (output === undefined) {
    body.tools = nested(offered, false)
    if (toolChoice === "required") body.tool_choice = "REQUIRED"
    else if (toolChoice === "none") body.tool_choice = "NONE"
    return undefined
  }
  if (toolChoice === "required") unsupported.add("toolChoice")
  const name = outputToolName(output, offered)
  body.tools = [...nested(offered, false), toolOf(name, output)]
  body.tool_choice = "REQUIRED"
  return name
}

const toolOf = (name: string, { description, jsonSchema }: Output): JsonRecord => ({
  type: "function",
  function: { name, description: description ?? "Gives the answer.", parameters: jsonSchema }
})

// --- messages -----------------------------------------------------------------------------------------------------------

const encodeMessage = (
  message: Message,
  model: string,
  provider: string,
  unsupported: Set<string>
): ReadonlyArray<JsonRecord> => {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }]
    case "user":
      return encodeUser(message, model, unsupported)
    case "tool":
      return message.content.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result }))
    case "assistant":
      return encodeAssistant(message, provider)
  }
}

const encodeUser = (
  { content }: UserMessage,
  model: string,
  unsupported: Set<string>
): ReadonlyArray<JsonRecord> => {
  if (typeof content === "string") return [{ role: "user", content }]
  const parts = content.flatMap((part) => encodeUserPart(part, model, unsupported))
  return parts.length === 0 ? [] : [{ role: "user", content: parts }]
}

const encodeUserPart = (
  part: UserPart,
  model: string,
  unsupported: Set<string>
): ReadonlyArray<JsonRecord> => {
  switch (part.type) {
    case "text":
      return [{ type: "text", text: part.text }]
    case "image": {
      if (textOnly.test(model)) {
        unsupported.add("images")
        return []
      }
      const { source, detail } = part
      const image = { url: urlOf(source), ...(detail === undefined ? {} : { detail }) }
      return [{ type: "image_url", image_url: image }]
    }
    case "file":
      unsupported.add("files")
      return []
  }
}

const encodeAssistant = (message: AssistantMessage, provider: string): ReadonlyArray<JsonRecord> => {
  // An answer without text, such as one that was only refused, is no message.
  if (message.content === "") return []
  if (typeof message.content === "string") return [{ role: "assistant", content: message.content }]
  const content: Array<JsonRecord> = []
  let plan = ""
  for (const part of message.content) {
    if (part.type === "text" && part.text !== "") content.push({ type: "text", text: part.text })
    if (part.type !== "reasoning" || part.opaque?.provider !== provider) continue
    // What this vendor's model thought or planned goes back in the form in which it came.
    const { data } = part.opaque
    if (!isRecord(data)) continue
    if (data.type === "thinking" && typeof data.thinking === "string") content.push(data)
    else if (typeof data.tool_plan === "string") plan += data.tool_plan
  }
  const calls = ToolCalls.encodeAll(message)
  if (content.length === 0 && calls.length === 0) return []
  return [
    {
      role: "assistant",
      ...(content.length === 0 ? {} : { content }),
      ...(plan === "" ? {} : { tool_plan: plan }),
      ...(calls.length === 0 ? {} : { tool_calls: calls })
    }
  ]
}

// --- models -------------------------------------------------------------------------------------------------------------

/** Models of before Command A Reasoning. Later ones may think; of a name that is not known, the vendor is the judge. */
const mayThink = (model: string): boolean =>
  !/^(command(-r|-light|-nightly|-a-03|-a-vision|-a-translate|$)|c4ai-)/.test(model)

/** Models that are known to see nothing. */
const textOnly = /^(command(-r|-light|-nightly|-a-03|-a-reasoning|-a-translate|$)|c4ai-aya-expanse)/
