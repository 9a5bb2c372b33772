/** A request of Cohere's v2 chat: read, or refused. Cohere's words for its refusals are general knowledge. */
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import { type Turn, unpaired } from "./pairing.js"
import type { UpstreamRequest } from "./records.js"
import {
  type Ask,
  contentText,
  invalid,
  type OfferedTool,
  type Problem,
  plainAsk,
  type ToolResult
} from "./wire.js"

const fields = [
  "model",
  "messages",
  "stream",
  "tools",
  "strict_tools",
  "documents",
  "citation_options",
  "response_format",
  "safety_mode",
  "max_tokens",
  "stop_sequences",
  "temperature",
  "seed",
  "frequency_penalty",
  "presence_penalty",
  "k",
  "p",
  "logprobs",
  "tool_choice",
  "thinking",
  "priority",
  "return_prompt",
  "raw_prompting"
]

const bad = (message: string): Problem => invalid(`invalid request: ${message}`)

const callsOf = (message: JsonObject): ReadonlyArray<JsonObject> => asArray(message.tool_calls).map(asObject)

const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
  system: ["text"],
  user: ["text", "image_url"],
  assistant: ["text", "thinking"],
  tool: ["text", "document"]
}

const badPart = (part: JsonObject, role: string, at: string): Problem | undefined => {
  const type = String(part.type)
  if (!parts[role]?.includes(type))
    return bad(`${at}: content type '${type}' is not supported for role '${role}'`)
  if (type === "image_url") {
    const { url } = asObject(part.image_url)
    return typeof url === "string" && /^(https?:\/\/|data:image\/[a-z]+;base64,)/.test(url)
      ? undefined
      : bad(`${at}: image_url.url must be a URL or a base64 data URI`)
  }
  if (type === "document" && !isObject(asObject(part.document).data))
    return bad(`${at}: document.data must be an object`)
  return type === "text" && typeof part.text !== "string" ? bad(`${at}: text must be a string`) : undefined
}

const badMessage = (message: JsonObject, index: number): Problem | undefined => {
  const { role, content } = message
  const at = `messages[${index}]`
  if (typeof role !== "string" || parts[role] === undefined)
    return bad(`${at}: role must be one of 'user', 'assistant', 'system', 'tool'`)
  for (const [place, part] of asArray(content).entries()) {
    const problem = badPart(asObject(part), role, `${at}.content[${place}]`)
    if (problem !== undefined) return problem
  }
  if (role === "tool" && typeof message.tool_call_id !== "string")
    return bad(`${at}: tool_call_id must be provided`)
  for (const call of callsOf(message)) {
    const { name, arguments: text } = asObject(call.function)
    if (typeof call.id !== "string" || call.type !== "function" || typeof name !== "string")
      return bad(`${at}: tool_calls must have id, type 'function' and function.name`)
    if (typeof text !== "string") return bad(`${at}: tool_calls function.arguments must be a string`)
  }
  const empty = content === undefined || content === null || content === ""
  return empty && callsOf(message).length === 0
    ? bad(`${at}: message must have non-empty content or tool calls`)
    : undefined
}

const badPairs = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  const turns: ReadonlyArray<Turn> = messages.map((message, at) => ({
    at,
    calls: callsOf(message).map(({ id }) => String(id)),
    results: message.role === "tool" ? [String(message.tool_call_id)] : []
  }))
  const found = unpaired(turns)
  if (found?.kind === "orphan") return bad(`tool call id ${found.id} not found in previous tool calls`)
  return found?.kind === "missing"
    ? bad(`all tool calls must have a response message; missing for ${found.ids.join(", ")}`)
    : undefined
}

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden">

const toolUseOf = (body: JsonObject): ToolUse | Problem => {
  const tools: Array<OfferedTool> = []
  for (const [index, tool] of asArray(body.tools).map(asObject).entries()) {
    const { name, parameters } = asObject(tool.function)
    if (tool.type !== "function" || typeof name !== "string")
      return bad(`tools[${index}] must have type 'function' and function.name`)
    if (!isObject(parameters)) return bad(`tools[${index}].function.parameters must be a JSON Schema`)
    tools.push({ name, schema: parameters })
  }
  const choice = body.tool_choice
  if (choice !== undefined && choice !== "REQUIRED" && choice !== "NONE")
    return bad("tool_choice must be one of 'REQUIRED', 'NONE'")
  if (choice === "REQUIRED" && tools.length === 0) return bad("tool_choice 'REQUIRED' needs tools")
  return {
    tools,
    forcedTool: choice === "REQUIRED" ? tools[0] : undefined,
    toolsForbidden: choice === "NONE"
  }
}

const answerSchemaOf = (body: JsonObject): { readonly schema: unknown } | Problem => {
  if (body.response_format === undefined) return { schema: undefined }
  const format = asObject(body.response_format)
  const { type } = format
  const schema = format.json_schema ?? format.schema
  if (type === "text") return { schema: undefined }
  if (type !== "json_object") return bad("response_format.type must be one of 'text', 'json_object'")
  if (asArray(body.tools).length > 0)
    return bad("response_format of type 'json_object' is not supported with tools")
  if (schema !== undefined && asObject(schema).type !== "object")
    return bad("response_format.json_schema must have an object at its root")
  return { schema: schema ?? { type: "object" } }
}

const resultText = (content: unknown): string =>
  typeof content === "string"
    ? content
    : asArray(content)
        .map(asObject)
        .map(({ text, document }) =>
          typeof text === "string" ? text : JSON.stringify(asObject(document).data ?? {})
        )
        .join(" ")

const lastResults = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> => {
  const names = new Map(
    messages.flatMap(callsOf).map(({ id, function: fn }) => [id, String(asObject(fn).name)])
  )
  const others = messages.map(({ role }) => role !== "tool")
  return messages
    .slice(others.lastIndexOf(true) + 1)
    .map(({ tool_call_id, content }) => ({ name: names.get(tool_call_id) ?? "", text: resultText(content) }))
}

export const parseCohereChat = ({ body }: UpstreamRequest): Ask | Problem => {
  if (!isObject(body)) return bad("invalid json syntax")
  const { model } = body
  if (typeof model !== "string") return bad("model must be provided")
  const unknown = Object.keys(body).find((name) => !fields.includes(name))
  if (unknown !== undefined) return bad(`unknown field: parameter '${unknown}' is not a valid field`)
  const messages = asArray(body.messages).map(asObject)
  if (messages.length === 0) return bad("messages must be provided and have at least one message")
  for (const [index, message] of messages.entries()) {
    const problem = badMessage(message, index)
    if (problem !== undefined) return problem
  }
  const unmatched = badPairs(messages)
  if (unmatched !== undefined) return unmatched
  const use = toolUseOf(body)
  if ("kind" in use) return use
  const answer = answerSchemaOf(body)
  if ("kind" in answer) return answer
  return {
    ...plainAsk,
    ...use,
    model,
    stream: body.stream === true,
    text: contentText(messages.filter(({ role }) => role === "user").at(-1)?.content),
    inputWords: messages.reduce((sum, { content }) => sum + words(contentText(content)), 0),
    results: lastResults(messages),
    answerSchema: answer.schema,
    images: messages
      .flatMap(({ content }) => asArray(content))
      .filter((part) => asObject(part).type === "image_url").length,
    thinks: asObject(body.thinking).type === "enabled"
  }
}
