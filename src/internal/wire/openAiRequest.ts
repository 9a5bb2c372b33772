/** A request in OpenAI's format, as a vendor's dialect has it. Source: `protocol/wire-formats.md` §3.1 and §4. */
import type { ChatRequest, Output, ToolChoice } from "../../ChatRequest.js"
import { type JsonRecord, stringify } from "../json.js"
import { isStrict } from "../jsonSchema.js"
import type { Dialect } from "./openAiDialect.js"
import * as Messages from "./openAiMessages.js"
import { nested } from "./toolDefinitions.js"
import type { Encoded, EncodeInput } from "./wire.js"

export const encode = (dialect: Dialect, input: EncodeInput): Encoded => {
  const { model, request, stream } = input
  const unsupported: Array<string> = []
  const refuse = (feature: string): void => {
    if (!unsupported.includes(feature)) unsupported.push(feature)
  }
  const body: Record<string, unknown> = dialect.modelInPath === true ? {} : { model }
  body.messages = Messages.encode(dialect, input, refuse)
  const refused = dialect.refuses?.(model) ?? []
  const put = (field: keyof ChatRequest, name: string | undefined): void => {
    const value = request[field]
    if (value === undefined) return
    if (name === undefined || refused.includes(field)) refuse(field)
    else body[name] = value
  }
  put("temperature", "temperature")
  put("topP", "top_p")
  put("topK", dialect.topK)
  put("maxTokens", dialect.maxTokens ?? "max_completion_tokens")
  put("stop", "stop")
  put("seed", dialect.seed ?? "seed")
  put("frequencyPenalty", "frequency_penalty")
  put("presencePenalty", "presence_penalty")
  if (request.reasoningEffort !== undefined) {
    const fields = refused.includes("reasoningEffort")
      ? undefined
      : (dialect.reasoning ?? reasoningEffort)(request.reasoningEffort, model)
    if (fields === undefined) refuse("reasoningEffort")
    else Object.assign(body, fields)
  }
  if (request.tools !== undefined && request.tools.length > 0) {
    if (dialect.withoutTools === true || refused.includes("tools")) refuse("tools")
    else body.tools = nested(request.tools, dialect.strictTools === true)
  }
  putToolUse(dialect, request, refused, body, refuse)
  if (request.output !== undefined) {
    if (refused.includes("output")) refuse("output")
    else {
      body.response_format = responseFormat(dialect, request.output)
      if (dialect.output === "json_object") {
        body.messages = withInstructions(body.messages, request.output)
      }
    }
  }
  if (stream) {
    body.stream = true
    if (dialect.askForUsage ?? true) body.stream_options = { include_usage: true }
  }
  const { endpoint } = dialect
  return { endpoint: typeof endpoint === "string" ? endpoint : endpoint(model), body, unsupported }
}

const reasoningEffort: NonNullable<Dialect["reasoning"]> = (effort) => ({ reasoning_effort: effort })

// --- tools ------------------------------------------------------------------------------------------------------------

/** How tools are to be used. Where there are none it goes without saying, and OpenAI refuses to be told. */
const putToolUse = (
  dialect: Dialect,
  { tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  refused: ReadonlyArray<keyof ChatRequest>,
  body: Record<string, unknown>,
  refuse: (feature: string) => void
): void => {
  if (tools.length === 0) return
  const cannot = (field: keyof ChatRequest) => dialect.withoutTools === true || refused.includes(field)
  if (toolChoice !== undefined) {
    if (cannot("toolChoice")) refuse("toolChoice")
    else body.tool_choice = choice(dialect, toolChoice)
  }
  if (parallelToolCalls !== undefined) {
    if (cannot("parallelToolCalls")) refuse("parallelToolCalls")
    else body.parallel_tool_calls = parallelToolCalls
  }
}

const choice = ({ requiredTool }: Dialect, toolChoice: ToolChoice): unknown => {
  if (toolChoice === "required") return requiredTool ?? toolChoice
  return typeof toolChoice === "string"
    ? toolChoice
    : { type: "function", function: { name: toolChoice.tool } }
}

// --- the form of the answer -------------------------------------------------------------------------------------------

const responseFormat = (dialect: Dialect, { name, description, jsonSchema }: Output): JsonRecord => {
  switch (dialect.output) {
    case "json_object":
      return { type: "json_object" }
    case "value":
      return { type: "json_object", value: jsonSchema }
    case "unnamed":
      return { type: "json_schema", json_schema: { schema: jsonSchema } }
    default:
      return {
        type: "json_schema",
        json_schema: {
          name,
          ...(description === undefined ? {} : { description }),
          schema: jsonSchema,
          strict: isStrict(jsonSchema)
        }
      }
  }
}

/** A vendor that only promises JSON does not read the schema: the model must be told. It demands the word JSON, too. */
const withInstructions = (
  messages: unknown,
  { name, description, jsonSchema }: Output
): ReadonlyArray<unknown> => {
  const what = description === undefined ? name : `${name} (${description})`
  const content = `Answer with nothing but one JSON object, ${what}, that fits this JSON Schema: ${stringify(jsonSchema) ?? "{}"}`
  return [{ role: "system", content }, ...(Array.isArray(messages) ? messages : [])]
}
