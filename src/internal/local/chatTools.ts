/** Tools, their choice, and the form of the answer, in a request of OpenAI's chat. */
import type { ChatRules } from "./chatRules.js"
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { schemaProblem } from "./strictSchema.js"
import { type Ask, invalid, type OfferedTool, type Problem } from "./wire.js"

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden" | "parallel">

export const toolName = /^[a-zA-Z0-9_-]{1,64}$/

export const badToolName = (at: string): Problem =>
  invalid(
    `Invalid '${at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
    at,
    "invalid_value"
  )

const offered = (raw: unknown, index: number, rules: ChatRules): OfferedTool | Problem => {
  const at = `tools[${index}]`
  const tool = asObject(raw)
  if (tool.type !== "function")
    return invalid(
      `Invalid value: '${String(tool.type)}'. Supported values are: 'function'.`,
      `${at}.type`,
      "invalid_value"
    )
  if (!isObject(tool.function))
    return invalid(
      `Missing required parameter: '${at}.function'.`,
      `${at}.function`,
      "missing_required_parameter"
    )
  const { name, parameters, strict } = tool.function
  if (typeof name !== "string" || !toolName.test(name)) return badToolName(`${at}.function.name`)
  const problem =
    parameters === undefined
      ? undefined
      : schemaProblem(`function '${name}'`, parameters, strict === true && rules.strict ? "strict" : "any")
  return problem === undefined
    ? { name, schema: parameters ?? { type: "object" } }
    : invalid(problem, `${at}.function.parameters`, "invalid_function_parameters")
}

/** What the request says of tools, or what the vendor finds wrong with it. */
export const toolUseOf = (body: JsonObject, rules: ChatRules): ToolUse | Problem => {
  if (body.tools === undefined) {
    for (const name of ["tool_choice", "parallel_tool_calls"])
      if (body[name] !== undefined)
        return invalid(
          `Invalid value for '${name}': '${name}' is only allowed when 'tools' are specified.`,
          name
        )
    return { tools: [], forcedTool: undefined, toolsForbidden: false, parallel: true }
  }
  if (!rules.tools) return invalid("Tool calling is not supported for this model", "tools")
  if (asArray(body.tools).length === 0)
    return invalid(
      "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "tools",
      "empty_array"
    )
  const tools: Array<OfferedTool> = []
  for (const [index, raw] of asArray(body.tools).entries()) {
    const tool = offered(raw, index, rules)
    if ("kind" in tool) return tool
    tools.push(tool)
  }
  return chosen(body, tools, rules)
}

const chosen = (body: JsonObject, tools: ReadonlyArray<OfferedTool>, rules: ChatRules): ToolUse | Problem => {
  const choice = body.tool_choice
  const use = {
    tools,
    forcedTool: undefined,
    toolsForbidden: choice === "none",
    parallel: body.parallel_tool_calls !== false
  }
  if (choice === undefined || choice === null) return use
  if (typeof choice === "string") {
    if (!rules.choices.includes(choice))
      return invalid(
        `Invalid value: '${choice}'. Supported values are: ${rules.choices.map((word) => `'${word}'`).join(", ")}.`,
        "tool_choice",
        "invalid_value"
      )
    return choice === "auto" || choice === "none" ? use : { ...use, forcedTool: tools[0] }
  }
  const { name } = asObject(asObject(choice).function)
  if (asObject(choice).type !== "function" || typeof name !== "string")
    return invalid("Missing required parameter: 'tool_choice.function'.", "tool_choice.function")
  const tool = tools.find((tool) => tool.name === name)
  return tool === undefined
    ? invalid(`Tool choice '${name}' not found in 'tools' parameter.`, "tool_choice")
    : { ...use, forcedTool: tool }
}

const valueOf = (format: unknown, rules: ChatRules): unknown =>
  rules.schemaAsValue ? asObject(format).value : undefined

/** The JSON Schema of the answer; `undefined` for text. */
export const answerSchemaOf = (
  body: JsonObject,
  rules: ChatRules,
  prompt: { readonly saysJson: boolean; readonly schema: unknown }
): { readonly schema: unknown } | Problem => {
  const format = body.response_format
  if (format === undefined || format === null) return { schema: undefined }
  const { type } = asObject(format)
  if (typeof type !== "string" || !rules.formats.includes(type))
    return rules.formats.includes("json_schema")
      ? invalid(
          `Invalid value: '${String(type)}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
          "response_format.type",
          "invalid_value"
        )
      : invalid("This response_format type is unavailable now", "response_format")
  if (type === "text") return { schema: undefined }
  if (type === "json_object")
    return rules.saysJson && !prompt.saysJson
      ? invalid(
          "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
          "messages"
        )
      : { schema: valueOf(format, rules) ?? prompt.schema ?? { type: "object" } }
  return namedSchema(asObject(asObject(format).json_schema), rules)
}

const namedSchema = (given: JsonObject, rules: ChatRules): { readonly schema: unknown } | Problem => {
  const { name, schema, strict } = given
  const at = "response_format.json_schema"
  if (rules.namedSchema && name === undefined)
    return invalid(`Missing required parameter: '${at}.name'.`, `${at}.name`, "missing_required_parameter")
  if (name !== undefined && (typeof name !== "string" || !toolName.test(name)))
    return badToolName(`${at}.name`)
  if (schema === undefined)
    return invalid(
      `Missing required parameter: '${at}.schema'.`,
      `${at}.schema`,
      "missing_required_parameter"
    )
  const problem = schemaProblem(
    `response_format '${String(name ?? "")}'`,
    schema,
    strict === true && rules.strict ? "strict" : "any"
  )
  return problem === undefined ? { schema } : invalid(problem, "response_format")
}
