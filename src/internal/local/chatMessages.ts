/** The conversation in a request of OpenAI's chat. */
import { partsOf } from "./chatParts.js"
import type { ChatRules } from "./chatRules.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import { type Turn, unpaired } from "./pairing.js"
import { promptSchema } from "./promptSchema.js"
import { type Ask, contentText, invalid, type Problem, type ToolResult } from "./wire.js"

export interface Conversation extends Pick<Ask, "text" | "inputWords" | "results" | "images" | "files"> {
  readonly saysJson: boolean
  /** A JSON Schema that the prompt quotes. */
  readonly schema: unknown
}

const roles = ["system", "developer", "user", "assistant", "tool", "function"]

const callsOf = (message: JsonObject): ReadonlyArray<JsonObject> => asArray(message.tool_calls).map(asObject)

const badCalls = (message: JsonObject, at: string, rules: ChatRules): Problem | undefined => {
  if (message.tool_calls !== undefined && callsOf(message).length === 0)
    return invalid(
      `Invalid '${at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${at}.tool_calls`,
      "empty_array"
    )
  for (const [index, call] of callsOf(message).entries()) {
    const place = `${at}.tool_calls[${index}]`
    const { name, arguments: text } = asObject(call.function)
    if (typeof call.id !== "string" || call.id === "")
      return invalid(
        `Missing required parameter: '${place}.id'.`,
        `${place}.id`,
        "missing_required_parameter"
      )
    if (rules.callId !== undefined && !rules.callId.test(call.id))
      return invalid(
        `Tool call id was ${call.id} but must be a-z, A-Z, 0-9, with a length of 9.`,
        `${place}.id`
      )
    if (typeof name !== "string")
      return invalid(
        `Missing required parameter: '${place}.function.name'.`,
        `${place}.function.name`,
        "missing_required_parameter"
      )
    if (typeof text !== "string")
      return invalid(
        `Invalid type for '${place}.function.arguments': expected a string, but got ${isObject(text) ? "an object" : "null"} instead.`,
        `${place}.function.arguments`,
        "invalid_type"
      )
  }
  return undefined
}

const badContent = (message: JsonObject, at: string, rules: ChatRules): Problem | undefined => {
  const { content, role } = message
  if (typeof content === "string" || Array.isArray(content)) return undefined
  const optional = role === "assistant" && (callsOf(message).length > 0 || message.refusal !== undefined)
  if (optional && rules.nullContent) return undefined
  return invalid(
    `Invalid value for 'content': expected a string, got ${content === undefined || content === null ? "null" : typeof content}.`,
    `${at}.content`,
    "invalid_type"
  )
}

/** OpenAI counts messages with a dot in these errors, and with brackets elsewhere. */
const badPairs = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  const turns: ReadonlyArray<Turn> = messages.map((message, at) => ({
    at,
    calls: callsOf(message).map(({ id }) => String(id)),
    results: message.role === "tool" ? [String(message.tool_call_id)] : []
  }))
  const found = unpaired(turns)
  if (found?.kind === "orphan")
    return invalid(
      "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
      `messages.[${found.at}].role`
    )
  if (found?.kind === "missing")
    return invalid(
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${found.ids.join(", ")}`,
      `messages.[${found.at}].role`
    )
  return undefined
}

const alternating = (messages: ReadonlyArray<JsonObject>): boolean => {
  const said = messages.map(({ role }) => role).filter((role) => role !== "system")
  return said.every((role, index) => role === (index % 2 === 0 ? "user" : "assistant"))
}

/** The results that the conversation ends with, each with the name of its tool. */
const lastResults = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> => {
  const names = new Map(
    messages.flatMap(callsOf).map(({ id, function: fn }) => [id, String(asObject(fn).name)])
  )
  const others = messages.map(({ role }) => role !== "tool")
  return messages
    .slice(others.lastIndexOf(true) + 1)
    .map(({ tool_call_id, content }) => ({ name: names.get(tool_call_id) ?? "", text: contentText(content) }))
}

export const conversationOf = (
  raw: ReadonlyArray<unknown>,
  model: string,
  rules: ChatRules
): Conversation | Problem => {
  const messages = raw.map(asObject)
  let images = 0
  let files = 0
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    const role = typeof message.role === "string" ? message.role : ""
    if (!roles.includes(role))
      return invalid(
        `Invalid value: '${role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`,
        `${at}.role`,
        "invalid_value"
      )
    if (role === "tool" && typeof message.tool_call_id !== "string")
      return invalid(
        `Missing required parameter: '${at}.tool_call_id'.`,
        `${at}.tool_call_id`,
        "missing_required_parameter"
      )
    const problem = badContent(message, at, rules) ?? badCalls(message, at, rules)
    if (problem !== undefined) return problem
    const parts = partsOf(message.content, role, `${at}.content`, rules)
    if ("kind" in parts) return parts
    if (parts.images > 0 && !rules.images)
      return { kind: "textOnly", model, what: "image", at: `messages[${index}]` }
    images += parts.images
    files += parts.files
  }
  const unmatched = badPairs(messages)
  if (unmatched !== undefined) return unmatched
  if (rules.alternates && !alternating(messages))
    return invalid(
      "After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s).",
      "messages"
    )
  const texts = messages.map(({ content }) => contentText(content))
  return {
    text: contentText(messages.filter(({ role }) => role === "user").at(-1)?.content),
    inputWords: texts.reduce((sum, text) => sum + words(text), 0),
    results: lastResults(messages),
    images,
    files,
    saysJson: texts.some((text) => /json/i.test(text)),
    schema: promptSchema(texts)
  }
}
