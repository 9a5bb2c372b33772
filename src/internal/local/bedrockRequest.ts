/** A request of AWS Bedrock's Converse: read, or refused. */
import { badMessages, blocksOf, enumProblem } from "./bedrockBlocks.js"
import { toolUseOf } from "./bedrockTools.js"
import { asArray, asObject, isObject, type JsonObject, parseJson, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { type Ask, contentText, invalid, type Problem, plainAsk, type ToolResult } from "./wire.js"

const answerSchemaOf = (body: JsonObject): { readonly schema: unknown } | Problem => {
  const format = asObject(asObject(body.outputConfig).textFormat)
  if (format.type === undefined) return { schema: undefined }
  if (format.type !== "json_schema")
    return enumProblem("outputConfig.textFormat.type", format.type, ["json_schema"])
  const { schema } = asObject(asObject(format.structure).jsonSchema)
  const parsed = typeof schema === "string" ? parseJson(schema) : undefined
  return isObject(parsed)
    ? { schema: parsed }
    : invalid(
        "The value at outputConfig.textFormat.structure.jsonSchema.schema must be a JSON Schema as a string."
      )
}

const badInference = (config: JsonObject): Problem | undefined => {
  const { maxTokens, temperature, topP } = config
  const known = ["maxTokens", "temperature", "topP", "stopSequences"]
  // The service drops what it does not know, and so the answer is not what was asked for.
  const extra = Object.keys(config).find((name) => !known.includes(name))
  if (extra !== undefined) return invalid(`Unknown field inferenceConfig.${extra}`)
  if (maxTokens !== undefined && (!Number.isInteger(maxTokens) || Number(maxTokens) < 1))
    return invalid(
      `1 validation error detected: Value '${String(maxTokens)}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1`
    )
  for (const [name, value] of [
    ["temperature", temperature],
    ["topP", topP]
  ])
    if (value !== undefined && (typeof value !== "number" || value < 0 || value > 1))
      return invalid(
        `1 validation error detected: Value '${String(value)}' at 'inferenceConfig.${String(name)}' failed to satisfy constraint: Member must have value less than or equal to 1`
      )
  return undefined
}

const requestFields = [
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "guardrailConfig",
  "additionalModelRequestFields",
  "promptVariables",
  "additionalModelResponseFieldPaths",
  "requestMetadata",
  "performanceConfig",
  "serviceTier",
  "outputConfig"
]

const counted = (messages: ReadonlyArray<JsonObject>, kind: string): number =>
  messages
    .flatMap(blocksOf)
    .flatMap((block) => [block, ...asArray(asObject(block.toolResult).content).map(asObject)])
    .filter((block) => block[kind] !== undefined).length

const resultText = (content: unknown): string =>
  asArray(content)
    .map(asObject)
    .map(({ text, json }) =>
      typeof text === "string" ? text : json === undefined ? "" : JSON.stringify(json)
    )
    .filter((text) => text !== "")
    .join(" ")

const lastResults = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> => {
  const names = new Map(
    messages
      .flatMap(blocksOf)
      .map(({ toolUse }) => asObject(toolUse))
      .map(({ toolUseId, name }) => [toolUseId, String(name)])
  )
  return blocksOf(messages.at(-1)).flatMap(({ toolResult }) => {
    if (toolResult === undefined) return []
    const { toolUseId, content } = asObject(toolResult)
    return [{ name: names.get(toolUseId) ?? "", text: resultText(content) }]
  })
}

export const parseConverse = ({ body, endpoint }: UpstreamRequest): Ask | Problem => {
  const [, encoded = "", method] = /\/model\/([^/?]+)\/(converse(?:-stream)?)/.exec(endpoint) ?? []
  if (!isObject(body)) return invalid("Unexpected token in the request body")
  const unknown = Object.keys(body).find((name) => !requestFields.includes(name))
  if (unknown !== undefined) return invalid(`Unknown field ${unknown}`)
  const messages = asArray(body.messages).map(asObject)
  if (messages.length === 0)
    return invalid("The value at messages is empty. A conversation must have at least one message.")
  if (
    body.system !== undefined &&
    (!Array.isArray(body.system) ||
      body.system.some(
        (block) =>
          typeof asObject(block).text !== "string" &&
          asObject(block).cachePoint === undefined &&
          asObject(block).guardContent === undefined
      ))
  )
    return invalid("The value at system must be a list of system content blocks.")
  const problem = badInference(asObject(body.inferenceConfig)) ?? badMessages(messages)
  if (problem !== undefined) return problem
  const use = toolUseOf(body, messages)
  if ("kind" in use) return use
  const answer = answerSchemaOf(body)
  if ("kind" in answer) return answer
  const extra = asObject(body.additionalModelRequestFields)
  const thinking = asObject(extra.thinking ?? extra.reasoning_config)
  const thinks = thinking.type === "enabled" || thinking.type === "adaptive"
  if (thinks && use.forcedTool !== undefined)
    return invalid(
      "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use."
    )
  return {
    ...plainAsk,
    ...use,
    model: decodeURIComponent(encoded),
    stream: method === "converse-stream",
    text: contentText(messages.filter(({ role }) => role === "user").at(-1)?.content),
    inputWords:
      words(contentText(body.system)) +
      messages.reduce((sum, { content }) => sum + words(contentText(content)), 0),
    results: lastResults(messages),
    answerSchema: answer.schema,
    images: counted(messages, "image"),
    files: counted(messages, "document"),
    thinks
  }
}
