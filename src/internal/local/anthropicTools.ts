/** Tools and their choice in a request of Anthropic's. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { type Ask, invalid, type OfferedTool, type Problem } from "./wire.js"

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden" | "parallel">

const offered = (raw: unknown, index: number): OfferedTool | Problem => {
  const tool = asObject(raw)
  const { name, input_schema: schema } = tool
  if (typeof name !== "string") return invalid(`tools.${index}.name: Field required`)
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
    return invalid(`tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`)
  // Tools of Anthropic's own have a dated type and no schema.
  if (typeof tool.type === "string" && tool.type !== "custom") return { name, schema: {} }
  if (!isObject(schema)) return invalid(`tools.${index}.custom.input_schema: Field required`)
  if (schema.type !== "object") return invalid(`tools.${index}.custom.input_schema.type: Field required`)
  const extra = Object.keys(tool).find(
    (key) =>
      ![
        "name",
        "description",
        "input_schema",
        "type",
        "strict",
        "cache_control",
        "eager_input_streaming"
      ].includes(key)
  )
  return extra === undefined
    ? { name, schema }
    : invalid(`tools.${index}.custom.${extra}: Extra inputs are not permitted`)
}

/** What the request says of tools, or what Anthropic finds wrong with it. */
export const toolUseOf = (body: JsonObject): ToolUse | Problem => {
  const tools: Array<OfferedTool> = []
  for (const [index, raw] of asArray(body.tools).entries()) {
    const tool = offered(raw, index)
    if ("kind" in tool) return tool
    if (tools.some(({ name }) => name === tool.name)) return invalid("tools: Tool names must be unique.")
    tools.push(tool)
  }
  const choice = asObject(body.tool_choice)
  const use = {
    tools,
    forcedTool: undefined,
    toolsForbidden: choice.type === "none",
    parallel: choice.disable_parallel_tool_use !== true
  }
  if (body.tool_choice === undefined) return use
  if (!["auto", "any", "tool", "none"].includes(String(choice.type)))
    return invalid(
      `tool_choice: Input tag '${String(choice.type)}' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'`
    )
  if (tools.length === 0 && choice.type !== "none")
    return invalid("tool_choice: tool_choice may only be specified while providing tools")
  if (choice.type === "auto" || choice.type === "none") return use
  const thinking = asObject(body.thinking).type
  if (thinking === "enabled" || thinking === "adaptive")
    return invalid("Thinking may not be enabled when tool_choice forces tool use.")
  if (choice.type === "any") return { ...use, forcedTool: tools[0] }
  const tool = tools.find(({ name }) => name === choice.name)
  return tool === undefined
    ? invalid(`Tool '${String(choice.name)}' not found in provided tools`)
    : { ...use, forcedTool: tool }
}
