/** A request of Google's `generateContent`: read, or refused. */
import { camelised, camelisedAll, unknownField } from "./googleFields.js"
import { asArray, asObject, isObject, type JsonObject, words } from "./json.js"
import type { UpstreamRequest } from "./records.js"
import { type Ask, invalid, type OfferedTool, type Problem, plainAsk, type ToolResult } from "./wire.js"

const partsOf = (content: JsonObject): ReadonlyArray<JsonObject> => camelisedAll(content.parts)

const textOf = (content: JsonObject): string =>
  partsOf(content)
    .flatMap(({ text, thought }) =>
      typeof text === "string" && text !== "" && thought !== true ? [text] : []
    )
    .join(" ")

const dataFields = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult"
]

const badPart = (part: JsonObject, at: string): Problem | undefined => {
  const kinds = dataFields.filter((name) => part[name] !== undefined)
  if (kinds.length === 0)
    return invalid(
      `* GenerateContentRequest.${at}.data: required oneof field 'data' must have one initialized field\n`
    )
  if (kinds.length > 1)
    return invalid(
      `Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${String(kinds[1])}'`
    )
  const blob = camelised(part.inlineData)
  if (part.inlineData !== undefined) {
    if (typeof blob.mimeType !== "string" || blob.mimeType === "")
      return invalid(`* GenerateContentRequest.${at}.inline_data.mime_type: mime_type is required\n`)
    if (typeof blob.data !== "string" || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(blob.data))
      return invalid(
        `Invalid value at '${at}.inline_data.data' (TYPE_BYTES), Base64 decoding failed for "${String(blob.data).slice(0, 40)}"`
      )
  }
  const { name, response } = asObject(part.functionResponse)
  if (part.functionResponse !== undefined) {
    if (typeof name !== "string" || name === "")
      return invalid(`* GenerateContentRequest.${at}.function_response.name: Name cannot be empty.\n`)
    if (!isObject(response))
      return invalid(
        `Invalid value at '${at}.function_response.response' (type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(response) ?? "null"}`
      )
  }
  const call = asObject(part.functionCall)
  if (part.functionCall !== undefined) {
    if (typeof call.name !== "string" || call.name === "")
      return invalid(`* GenerateContentRequest.${at}.function_call.name: Name cannot be empty.\n`)
    if (call.args !== undefined && !isObject(call.args))
      return invalid(
        `Invalid value at '${at}.function_call.args' (type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(call.args)}`
      )
  }
  return undefined
}

const having = (content: JsonObject | undefined, field: string): ReadonlyArray<JsonObject> =>
  content === undefined ? [] : partsOf(content).filter((part) => part[field] !== undefined)

/** A turn of calls is answered by the very next turn, result by result. */
const badPairs = (contents: ReadonlyArray<JsonObject>): Problem | undefined => {
  for (const [index, content] of contents.entries()) {
    const results = having(content, "functionResponse")
    const before = having(contents[index - 1], "functionCall")
    if (results.length > 0 && before.length === 0)
      return invalid(
        "Please ensure that function response turn comes immediately after a function call turn."
      )
    if (before.length !== results.length)
      return invalid(
        "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
      )
    const called = before.map(({ functionCall }) => asObject(functionCall).name)
    const stranger = results.find(({ functionResponse }) => !called.includes(asObject(functionResponse).name))
    if (stranger !== undefined)
      return invalid(
        `Please ensure that function response name ${JSON.stringify(asObject(stranger.functionResponse).name)} matches a function call of the turn before it.`
      )
  }
  return having(contents.at(-1), "functionCall").length === 0
    ? undefined
    : invalid(
        "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
      )
}

type ToolUse = Pick<Ask, "tools" | "forcedTool" | "toolsForbidden">

const functionName = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/

const offeredIn = (body: JsonObject): ReadonlyArray<OfferedTool> | Problem => {
  const tools: Array<OfferedTool> = []
  const declared = camelisedAll(body.tools).flatMap((tool) => camelisedAll(tool.functionDeclarations))
  for (const [index, { name, parametersJsonSchema, parameters }] of declared.entries()) {
    const at = `tools[0].function_declarations[${index}]`
    if (typeof name !== "string" || !functionName.test(name))
      return invalid(
        `* GenerateContentRequest.${at}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.\n`
      )
    if (tools.some((tool) => tool.name === name))
      return invalid(`Duplicate function declaration found: ${name}`)
    if (parametersJsonSchema !== undefined && parameters !== undefined)
      return invalid(
        `* GenerateContentRequest.${at}: only one of parameters and parameters_json_schema may be set\n`
      )
    const schema = parametersJsonSchema ?? parameters
    if (schema !== undefined && String(asObject(schema).type).toLowerCase() !== "object")
      return invalid(`* GenerateContentRequest.${at}.parameters: schema must be of type OBJECT\n`)
    tools.push({ name, schema: schema ?? { type: "object" } })
  }
  return tools
}

const toolUseOf = (body: JsonObject): ToolUse | Problem => {
  const tools = offeredIn(body)
  if ("kind" in tools) return tools
  const config = camelised(camelised(body.toolConfig).functionCallingConfig)
  const mode = config.mode ?? "AUTO"
  const allowed = asArray(config.allowedFunctionNames)
  if (!["AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"].includes(String(mode)))
    return invalid(
      `Invalid value at 'tool_config.function_calling_config.mode' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), ${JSON.stringify(mode)}`
    )
  if (allowed.length > 0 && mode !== "ANY" && mode !== "VALIDATED")
    return invalid("Please set allowed_function_names only when function calling mode is ANY or VALIDATED.")
  const stranger = allowed.find((name) => !tools.some((tool) => tool.name === name))
  if (stranger !== undefined)
    return invalid(`allowed_function_names contains a function that is not declared: ${String(stranger)}`)
  if (mode === "ANY" && tools.length === 0)
    return invalid("Function calling config is set without function_declarations.")
  return {
    tools,
    forcedTool:
      mode === "ANY" ? tools.find(({ name }) => allowed.length === 0 || allowed.includes(name)) : undefined,
    toolsForbidden: mode === "NONE"
  }
}

const answerSchemaOf = (config: JsonObject): { readonly schema: unknown } | Problem => {
  const schema = config.responseJsonSchema ?? config.responseSchema
  const type = config.responseMimeType
  if (config.responseJsonSchema !== undefined && config.responseSchema !== undefined)
    return invalid("Only one of response_schema and response_json_schema may be set.")
  if (schema !== undefined && type !== "application/json" && type !== "text/x.enum")
    return invalid(
      "* GenerateContentRequest.generation_config.response_schema: only allowed for controlled generation: response mime type must be application/json\n"
    )
  return { schema: type === "application/json" ? (schema ?? { type: "object" }) : undefined }
}

const badThinking = (config: JsonObject): Problem | undefined => {
  const { thinkingBudget, thinkingLevel } = camelised(config.thinkingConfig)
  if (thinkingBudget !== undefined && thinkingLevel !== undefined)
    return invalid("You can only set only one of thinking budget and thinking level.")
  return thinkingLevel === undefined ||
    ["minimal", "low", "medium", "high"].includes(String(thinkingLevel).toLowerCase())
    ? undefined
    : invalid(
        `Invalid value at 'generation_config.thinking_config.thinking_level' (type.googleapis.com/google.ai.generativelanguage.v1beta.ThinkingConfig.ThinkingLevel), ${JSON.stringify(thinkingLevel)}`
      )
}

const mediaOf = (
  contents: ReadonlyArray<JsonObject>
): { readonly images: number; readonly files: number } => {
  const types = contents
    .flatMap(partsOf)
    .flatMap(({ inlineData, fileData }) =>
      inlineData === undefined && fileData === undefined
        ? []
        : [String(camelised(inlineData ?? fileData).mimeType ?? "")]
    )
  const images = types.filter((type) => type.startsWith("image/")).length
  return { images, files: types.length - images }
}

const resultText = (response: unknown): string => {
  const { output, ...others } = asObject(response)
  return typeof output === "string" && Object.keys(others).length === 0 ? output : JSON.stringify(response)
}

const lastResults = (contents: ReadonlyArray<JsonObject>): ReadonlyArray<ToolResult> =>
  having(contents.at(-1), "functionResponse").map(({ functionResponse }) => {
    const { name, response } = asObject(functionResponse)
    return { name: String(name), text: resultText(response) }
  })

const roles: ReadonlyArray<unknown> = ["user", "model", undefined]

export const parseGenerate = ({ body: raw, endpoint, provider }: UpstreamRequest): Ask | Problem => {
  const [, model = "", method] = /models\/([^/:]+):(\w+)/.exec(endpoint) ?? []
  if (!isObject(raw)) return invalid("Invalid JSON payload received.")
  const unknown = unknownField(raw, provider === "google-vertex-ai")
  if (unknown !== undefined) return invalid(unknown)
  const body = camelised(raw)
  const contents = camelisedAll(body.contents)
  if (contents.length === 0) return invalid("* GenerateContentRequest.contents: contents is not specified\n")
  if (contents.some(({ role }) => !roles.includes(role)))
    return invalid("Please use a valid role: user, model.")
  for (const [index, content] of contents.entries()) {
    if (partsOf(content).length === 0)
      return invalid(`* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`)
    for (const [place, part] of partsOf(content).entries()) {
      const wrong = badPart(part, `contents[${index}].parts[${place}]`)
      if (wrong !== undefined) return wrong
    }
  }
  const config = camelised(body.generationConfig)
  const problem = badPairs(contents) ?? badThinking(config)
  if (problem !== undefined) return problem
  const use = toolUseOf(body)
  if ("kind" in use) return use
  const answer = answerSchemaOf(config)
  if ("kind" in answer) return answer
  const system = textOf(camelised(body.systemInstruction))
  return {
    ...plainAsk,
    ...use,
    ...mediaOf(contents),
    model: decodeURIComponent(model),
    stream: method === "streamGenerateContent",
    text: textOf(contents.filter(({ role }) => role !== "model").at(-1) ?? {}),
    inputWords: words(system) + contents.reduce((sum, content) => sum + words(textOf(content)), 0),
    results: lastResults(contents),
    answerSchema: answer.schema,
    thinks: camelised(config.thinkingConfig).includeThoughts === true,
    streamsArguments:
      camelised(camelised(body.toolConfig).functionCallingConfig).streamFunctionCallArguments === true
  }
}
