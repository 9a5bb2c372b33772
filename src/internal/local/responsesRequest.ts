/** A request of OpenAI's Responses: read, or refused. */
import { isReasoningModel } from "./chatRequest.js"
import { badToolName, toolName } from "./chatTools.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { schemaProblem } from "./strictSchema.js"
import {
  type Ask,
  contentText,
  invalid,
  type OfferedTool,
  type Problem,
  plainAsk,
  type ToolResult
} from "./wire.js"

const fields = new Set([
  "background",
  "context_management",
  "conversation",
  "include",
  "input",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "model",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "service_tier",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "text",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user"
])

const missing = (param: string): Problem =>
  invalid(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")

const wrongValue = (param: string, value: unknown, allowed: ReadonlyArray<string>): Problem =>
  invalid(
    `Invalid value: '${String(value)}'. Supported values are: ${allowed.map((word) => `'${word}'`).join(", ")}.`,
    param,
    "invalid_value"
  )

const parts: Readonly<Record<string, ReadonlyArray<string>>> = {
  user: ["input_text", "input_image", "input_file"],
  system: ["input_text", "input_image", "input_file"],
  developer: ["input_text", "input_image", "input_file"],
  assistant: ["output_text", "refusal"]
}

const badPart = (part: JsonObject, allowed: ReadonlyArray<string>, at: string): Problem | undefined => {
  const type = String(part.type)
  if (!allowed.includes(type)) return wrongValue(`${at}.type`, type, allowed)
  if ((type === "input_text" || type === "output_text") && typeof part.text !== "string")
    return missing(`${at}.text`)
  if (type === "input_image" && part.file_id === undefined) {
    if (isObject(part.image_url))
      return invalid(
        `Invalid type for '${at}.image_url': expected an image URL, but got an object instead.`,
        `${at}.image_url`,
        "invalid_type"
      )
    if (
      typeof part.image_url !== "string" ||
      !/^(https?:|data:image\/(png|jpe?g|gif|webp);base64,)/.test(part.image_url)
    )
      return invalid(
        `Invalid '${at}.image_url'. Expected a valid URL, but got a value with an invalid format.`,
        `${at}.image_url`,
        "invalid_value"
      )
  }
  if (type === "input_file" && part.file_id === undefined && part.file_url === undefined) {
    if (typeof part.file_data !== "string") return missing(`${at}.file_data`)
    if (!/^data:[\w.+-]+\/[\w.+-]+;base64,/.test(part.file_data))
      return invalid(
        `Invalid '${at}.file_data'. Expected a base64-encoded data URL with a MIME type.`,
        `${at}.file_data`,
        "invalid_value"
      )
    if (typeof part.filename !== "string") return missing(`${at}.filename`)
  }
  return undefined
}

const badParts = (content: unknown, allowed: ReadonlyArray<string>, at: string): Problem | undefined => {
  if (typeof content === "string") return undefined
  if (!Array.isArray(content)) return missing(at)
  for (const [index, part] of content.entries()) {
    const problem = badPart(asObject(part), allowed, `${at}[${index}]`)
    if (problem !== undefined) return problem
  }
  return undefined
}

const badItem = (item: JsonObject, at: string): Problem | undefined => {
  const type = item.type ?? (item.role === undefined ? undefined : "message")
  switch (type) {
    case "message": {
      const allowed = parts[String(item.role)]
      if (allowed === undefined)
        return wrongValue(`${at}.role`, item.role, ["assistant", "system", "developer", "user"])
      return badParts(item.content, allowed, `${at}.content`)
    }
    case "function_call":
      for (const name of ["call_id", "name", "arguments"])
        if (typeof item[name] !== "string") return missing(`${at}.${name}`)
      return undefined
    case "function_call_output":
      if (typeof item.call_id !== "string") return missing(`${at}.call_id`)
      if (item.output === undefined) return missing(`${at}.output`)
      return badParts(item.output, parts.user ?? [], `${at}.output`)
    case "reasoning":
      return Array.isArray(item.summary) ? undefined : missing(`${at}.summary`)
    case undefined:
      return missing(`${at}.type`)
    default:
      return /^(web_search_call|file_search_call|code_interpreter_call|computer_call|item_reference|image_generation_call|mcp_|local_shell_call|custom_tool_call|compaction)/.test(
        String(type)
      )
        ? undefined
        : wrongValue(`${at}.type`, type, ["message", "function_call", "function_call_output", "reasoning"])
  }
}

const badPairs = (items: ReadonlyArray<JsonObject>): Problem | undefined => {
  const called = items.flatMap(({ type, call_id }) => (type === "function_call" ? [call_id] : []))
  const answered = items.flatMap(({ type, call_id }) => (type === "function_call_output" ? [call_id] : []))
  const orphan = answered.find((id) => !called.includes(id))
  if (orphan !== undefined)
    return invalid(`No tool call found for function call output with call_id ${String(orphan)}.`, "input")
  const open = called.find((id) => !answered.includes(id))
  return open === undefined
    ? undefined
    : invalid(`No tool output found for function call ${String(open)}.`, "input")
}

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden" | "parallel">

const toolUseOf = (body: JsonObject): ToolUse | Problem => {
  const tools: Array<OfferedTool> = []
  for (const [index, tool] of asArray(body.tools).map(asObject).entries()) {
    if (tool.type === undefined) return missing(`tools[${index}].type`)
    // Tools of OpenAI's own.
    if (tool.type !== "function") continue
    const { name, parameters, strict } = tool
    // Nested as in chat completions, it has no name here.
    if (name === undefined) return missing(`tools[${index}].name`)
    if (typeof name !== "string" || !toolName.test(name)) return badToolName(`tools[${index}].name`)
    const problem =
      parameters === undefined || parameters === null
        ? undefined
        : schemaProblem(`function '${name}'`, parameters, strict === true ? "strict" : "any")
    if (problem !== undefined)
      return invalid(problem, `tools[${index}].parameters`, "invalid_function_parameters")
    tools.push({ name, schema: parameters ?? { type: "object" } })
  }
  const choice = body.tool_choice
  const use = {
    tools,
    forcedTool: undefined,
    toolsForbidden: choice === "none",
    parallel: body.parallel_tool_calls !== false
  }
  if (choice === undefined || choice === "auto" || choice === "none") return use
  if (choice === "required")
    return tools.length === 0
      ? invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
      : { ...use, forcedTool: tools[0] }
  if (!isObject(choice)) return wrongValue("tool_choice", choice, ["none", "auto", "required"])
  if (choice.type !== "function") return use
  if (typeof choice.name !== "string") return missing("tool_choice.name")
  const tool = tools.find(({ name }) => name === choice.name)
  return tool === undefined
    ? invalid(`Tool choice '${choice.name}' not found in 'tools' parameter.`, "tool_choice")
    : { ...use, forcedTool: tool }
}

const answerSchemaOf = (body: JsonObject): { readonly schema: unknown } | Problem => {
  const { format } = asObject(body.text)
  if (format === undefined) return { schema: undefined }
  const { type, name, schema, strict, json_schema } = asObject(format)
  if (type === "text") return { schema: undefined }
  if (type === "json_object") return { schema: { type: "object" } }
  if (type !== "json_schema")
    return wrongValue("text.format.type", type, ["json_object", "json_schema", "text"])
  if (json_schema !== undefined)
    return invalid(
      "Unknown parameter: 'text.format.json_schema'.",
      "text.format.json_schema",
      "unknown_parameter"
    )
  if (name === undefined) return missing("text.format.name")
  if (typeof name !== "string" || !toolName.test(name)) return badToolName("text.format.name")
  if (schema === undefined) return missing("text.format.schema")
  const problem = schemaProblem(`response_format '${name}'`, schema, strict === true ? "strict" : "any")
  return problem === undefined ? { schema } : invalid(problem, "text.format.schema", "invalid_json_schema")
}

const badForModel = (body: JsonObject, model: string): Problem | undefined => {
  const effort = asObject(body.reasoning).effort
  const efforts = ["none", "minimal", "low", "medium", "high", "xhigh"]
  if (effort !== undefined && effort !== null && !efforts.includes(String(effort)))
    return wrongValue("reasoning.effort", effort, efforts)
  if (/^gpt-[34]/.test(model) && effort !== undefined)
    return invalid(
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      "reasoning.effort",
      "unsupported_parameter"
    )
  if (!isReasoningModel(model) || /^gpt-5\.\d/.test(model)) return undefined
  const name = ["temperature", "top_p"].find((name) => body[name] !== undefined && body[name] !== 1)
  return name === undefined
    ? undefined
    : invalid(
        `Unsupported parameter: '${name}' is not supported with this model.`,
        name,
        "unsupported_parameter"
      )
}

const resultText = (output: unknown): string => (typeof output === "string" ? output : contentText(output))

const lastResults = (items: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> => {
  const names = new Map(
    items.flatMap(({ type, call_id, name }) => (type === "function_call" ? [[call_id, String(name)]] : []))
  )
  const others = items.map(({ type }) => type !== "function_call_output")
  return items
    .slice(others.lastIndexOf(true) + 1)
    .map(({ call_id, output }) => ({ name: names.get(call_id) ?? "", text: resultText(output) }))
}

const counted = (items: ReadonlyArray<JsonObject>, type: string): number =>
  items
    .flatMap(({ content, output }) => [...asArray(content), ...asArray(output)])
    .filter((part) => asObject(part).type === type).length

export const parseResponses = ({ body }: UpstreamRequest): Ask | Problem => {
  if (!isObject(body)) return invalid("We could not parse the JSON body of your request.")
  const { model, input } = body
  if (typeof model !== "string" || model === "") return missing("model")
  const unknown = Object.keys(body).find((name) => !fields.has(name))
  if (unknown !== undefined) return invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter")
  if (input === undefined) return missing("input")
  const items = typeof input === "string" ? [{ role: "user", content: input }] : asArray(input).map(asObject)
  if (items.length === 0)
    return invalid(
      "Invalid 'input': empty array. Expected an array with minimum length 1.",
      "input",
      "empty_array"
    )
  for (const [index, item] of items.entries()) {
    const problem = badItem(item, `input[${index}]`)
    if (problem !== undefined) return problem
  }
  const most = body.max_output_tokens
  if (most !== undefined && most !== null && (typeof most !== "number" || most < 16))
    return invalid(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got ${String(most)} instead.`,
      "max_output_tokens",
      "integer_below_min_value"
    )
  const problem = badPairs(items) ?? badForModel(body, model)
  if (problem !== undefined) return problem
  const use = toolUseOf(body)
  if ("kind" in use) return use
  const answer = answerSchemaOf(body)
  if ("kind" in answer) return answer
  const { effort, summary } = asObject(body.reasoning)
  const instructions = typeof body.instructions === "string" ? body.instructions : ""
  return {
    ...plainAsk,
    ...use,
    model,
    stream: body.stream === true,
    text: contentText(items.filter(({ role }) => role === "user").at(-1)?.content),
    inputWords:
      words(instructions) + items.reduce((sum, { content }) => sum + words(contentText(content)), 0),
    results: lastResults(items),
    answerSchema: answer.schema,
    images: counted(items, "input_image"),
    files: counted(items, "input_file"),
    // Thoughts are shown as a summary, to those who ask for one.
    thinks: effort !== "none" && summary !== undefined && summary !== null,
    request: body
  }
}
