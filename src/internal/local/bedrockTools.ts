/** Tools and their choice in a request of Converse. */
import { idsOf } from "./bedrockBlocks.js"
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { type Ask, invalid, type OfferedTool, type Problem } from "./wire.js"

type ToolUse = Pick<Ask, "tools" | "forcedTool">

/** What the request says of tools, or what Bedrock finds wrong with it. */
export const toolUseOf = (body: JsonObject, messages: ReadonlyArray<JsonObject>): ToolUse | Problem => {
  if (body.toolConfig === undefined)
    return messages.some((message) => idsOf(message, "toolUse").length > 0)
      ? invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
      : { tools: [], forcedTool: undefined }
  const config = asObject(body.toolConfig)
  const tools: Array<OfferedTool> = []
  for (const [index, tool] of asArray(config.tools).map(asObject).entries()) {
    if (tool.cachePoint !== undefined || tool.systemTool !== undefined) continue
    const { name, inputSchema, description } = asObject(tool.toolSpec)
    const at = `toolConfig.tools.${index}.member.toolSpec`
    if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      return invalid(
        `1 validation error detected: Value '${String(name)}' at '${at}.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`
      )
    if (description === "")
      return invalid(
        `1 validation error detected: Value '' at '${at}.description' failed to satisfy constraint: Member must have length greater than or equal to 1`
      )
    const { json } = asObject(inputSchema)
    if (!isObject(json) || json.type !== "object")
      return invalid(
        `The value at toolConfig.tools.${index}.toolSpec.inputSchema.json.type must be one of the following: object.`
      )
    if (tools.some((other) => other.name === name))
      return invalid(`The tool ${name} is already defined at toolConfig.tools.${index}.`)
    tools.push({ name, schema: json })
  }
  if (tools.length === 0)
    return invalid(
      "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )
  if (config.toolChoice === undefined) return { tools, forcedTool: undefined }
  const choice = asObject(config.toolChoice)
  const kinds = Object.keys(choice)
  if (kinds.length !== 1 || !["auto", "any", "tool"].includes(String(kinds[0])))
    return invalid("The value at toolConfig.toolChoice must have exactly one of auto, any, tool.")
  if (choice.auto !== undefined) return { tools, forcedTool: undefined }
  if (choice.any !== undefined) return { tools, forcedTool: tools[0] }
  const named = asObject(choice.tool).name
  const tool = tools.find(({ name }) => name === named)
  return tool === undefined
    ? invalid(`The tool ${String(named)} of toolConfig.toolChoice is not one of toolConfig.tools.`)
    : { tools, forcedTool: tool }
}
