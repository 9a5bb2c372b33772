/** A request of Anthropic's Messages: read, or refused. */
import { badMessage, badPairs, blocksOf } from "./anthropicBlocks.js"
import { toolUseOf } from "./anthropicTools.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { schemaProblem } from "./strictSchema.js"
import { type Ask, contentText, invalid, type Problem, plainAsk, type ToolResult } from "./wire.js"

const fields = new Set([
  "model",
  "messages",
  "max_tokens",
  "cache_control",
  "container",
  "context_management",
  "inference_geo",
  "mcp_servers",
  "metadata",
  "output_config",
  "output_format",
  "service_tier",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
  // Bedrock's mantle and Vertex say it here.
  "anthropic_version"
])

const sampling = ["temperature", "top_p", "top_k"]

const efforts = ["low", "medium", "high", "xhigh", "max"]

const badConfig = (body: JsonObject, version: string): Problem | undefined => {
  if (version === "2026-10-21") {
    const field = sampling.find((name) => body[name] !== undefined)
    if (field !== undefined) return invalid(`${field}: Extra inputs are not permitted`)
  }
  const extra = Object.keys(body).find((name) => !fields.has(name))
  if (extra !== undefined) return invalid(`${extra}: Extra inputs are not permitted`)
  const { temperature, thinking, output_config: config } = body
  if (typeof temperature === "number" && (temperature < 0 || temperature > 1))
    return invalid("temperature: range: 0..1")
  if (typeof body.max_tokens !== "number" || body.max_tokens < 1)
    return invalid("max_tokens: Input should be greater than or equal to 1")
  if (isObject(config) && config.effort !== undefined && !efforts.includes(String(config.effort)))
    return invalid(`output_config.effort: Input should be ${efforts.map((word) => `'${word}'`).join(", ")}`)
  if (isObject(config) && config.format !== undefined) {
    const format = asObject(config.format)
    if (format.type !== "json_schema")
      return invalid("output_config.format.type: Input should be 'json_schema'")
    const named = Object.keys(format).find((name) => name !== "type" && name !== "schema")
    if (named !== undefined)
      return invalid(`output_config.format.json_schema.${named}: Extra inputs are not permitted`)
    const problem = schemaProblem("output_config.format", format.schema, "closed")
    if (problem !== undefined)
      return invalid(`output_config.format.schema: ${problem.replace(/^[^:]*: /, "")}`)
  }
  return badThinking(asObject(thinking), body)
}

const badThinking = (thinking: JsonObject, body: JsonObject): Problem | undefined => {
  if (thinking.type === undefined) return undefined
  const types = ["enabled", "disabled", "adaptive", "between_tools"]
  if (!types.includes(String(thinking.type)))
    return invalid(
      `thinking: Input tag '${String(thinking.type)}' found using 'type' does not match any of the expected tags: ${types.map((word) => `'${word}'`).join(", ")}`
    )
  if (thinking.type !== "enabled") return undefined
  const budget = thinking.budget_tokens
  if (typeof budget !== "number") return invalid("thinking.enabled.budget_tokens: Field required")
  if (budget < 1024)
    return invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
  if (typeof body.max_tokens === "number" && body.max_tokens <= budget)
    return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
  return body.temperature !== undefined && body.temperature !== 1
    ? invalid("`temperature` may only be set to 1 when thinking is enabled.")
    : undefined
}

const blockText = (content: unknown): string => {
  const text = contentText(content)
  if (text !== "" || !Array.isArray(content)) return text
  return content.map((block) => contentText(asObject(block).content)).join(" ")
}

const lastResults = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> => {
  const names = new Map(
    messages
      .flatMap(blocksOf)
      .flatMap(({ type, id, name }) => (type === "tool_use" ? [[id, String(name)]] : []))
  )
  return blocksOf(messages.at(-1) ?? {}).flatMap(({ type, tool_use_id, content }) =>
    type === "tool_result" ? [{ name: names.get(tool_use_id) ?? "", text: contentText(content) }] : []
  )
}

const counted = (messages: ReadonlyArray<JsonObject>, type: string): number =>
  messages
    .flatMap(blocksOf)
    .flatMap((block) => [block, ...asArray(block.content).map(asObject)])
    .filter((block) => block.type === type).length

const badRoles = (messages: ReadonlyArray<JsonObject>): Problem | undefined => {
  const roles = messages.map(({ role }) => role)
  const unexpected = roles.find((role) => role !== "user" && role !== "assistant" && role !== "system")
  return unexpected !== undefined || roles[0] === "system"
    ? invalid(
        `messages: Unexpected role "${String(
          unexpected ?? "system"
        )}". The Messages API accepts a top-level \`system\` parameter, not "system" as an input message role.`
      )
    : undefined
}

export const parseMessages = ({ body, headers, endpoint }: UpstreamRequest): Ask | Problem => {
  const version = headers["anthropic-version"] ?? asObject(body).anthropic_version
  const mantle = /^bedrock-mantle\//.test(endpoint)
  if (version === undefined && !mantle) return invalid("anthropic-version: header is required")
  if (!isObject(body)) return invalid("The request body is not valid JSON")
  const { model } = body
  if (typeof model !== "string") return invalid("model: Field required")
  if (body.max_tokens === undefined) return invalid("max_tokens: Field required")
  if (!Array.isArray(body.messages)) return invalid("messages: Field required")
  if (body.messages.length === 0) return invalid("messages: at least one message is required")
  const messages = body.messages.map(asObject)
  const problem = badRoles(messages) ?? badConfig(body, String(version))
  if (problem !== undefined) return problem
  for (const [index, message] of messages.entries()) {
    const wrong = badMessage(message, index)
    if (wrong !== undefined) return wrong
  }
  const unmatched = badPairs(messages)
  if (unmatched !== undefined) return unmatched
  const use = toolUseOf(body)
  if ("kind" in use) return use
  const thinking = asObject(body.thinking)
  const format = asObject(asObject(body.output_config).format)
  return {
    ...plainAsk,
    ...use,
    model,
    stream: body.stream === true,
    text: blockText(messages.filter(({ role }) => role === "user").at(-1)?.content),
    inputWords:
      words(contentText(body.system)) +
      messages.reduce((sum, message) => sum + words(blockText(message.content)), 0),
    results: lastResults(messages),
    answerSchema: format.type === "json_schema" ? format.schema : undefined,
    images: counted(messages, "image"),
    files: counted(messages, "document"),
    thinks: (thinking.type === "enabled" || thinking.type === "adaptive") && thinking.display !== "omitted"
  }
}
