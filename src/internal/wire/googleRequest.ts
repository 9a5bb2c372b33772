/** A request as Google's `generateContent` takes it. Source: `protocol/wire-formats.md` §8.1. */
import type { ChatRequest } from "../../ChatRequest.js"
import { isRecord, type JsonRecord } from "../json.js"
import * as Conversation from "./googleConversation.js"
import { type Gemini, gemini } from "./googleModels.js"
import { outputToolName } from "./outputToolName.js"
import { budgetOf, nearest } from "./reasoningEffort.js"
import { schemaOf } from "./toolDefinitions.js"
import type { Encoded, EncodeInput } from "./wire.js"

/** Where the models are, and what differs there. */
export interface Place extends Conversation.Dialect {
  /** The path of a model, up to its method. */
  readonly path: (model: string) => string
  /** Asks for the arguments of calls in pieces, in streams. */
  readonly streamArguments: boolean
}

export const encode = ({ model, request, stream }: EncodeInput, place: Place): Encoded => {
  const can = gemini(model)
  const unsupported: Array<string> = []
  const body: Record<string, unknown> = {
    contents: Conversation.encode(request.messages, place, can.signsCalls)
  }
  const system: Array<JsonRecord> = []
  for (const message of request.messages) {
    if (message.role === "system" && message.content !== "") system.push({ text: message.content })
  }
  if (system.length > 0) body.systemInstruction = { parts: system }
  const config: Record<string, unknown> = {}
  const put = (field: keyof ChatRequest, name: string): void => {
    const value = request[field]
    if (value !== undefined) config[name] = value
  }
  put("temperature", "temperature")
  put("topP", "topP")
  put("topK", "topK")
  put("maxTokens", "maxOutputTokens")
  put("stop", "stopSequences")
  put("seed", "seed")
  put("frequencyPenalty", "frequencyPenalty")
  put("presencePenalty", "presencePenalty")
  putThinking(config, request, can, unsupported)
  const outputTool = putOutput(config, request, can)
  putTools(body, request, outputTool, place.streamArguments && stream, unsupported)
  if (Object.keys(config).length > 0) body.generationConfig = config
  const method = stream ? "streamGenerateContent?alt=sse" : "generateContent"
  return { endpoint: `${place.path(model)}:${method}`, body, unsupported, outputTool }
}

const putThinking = (
  config: Record<string, unknown>,
  { reasoningEffort: effort }: ChatRequest,
  { thinking }: Gemini,
  unsupported: Array<string>
): void => {
  if (effort === undefined) return
  // A model that does not think has no need to be told.
  if (thinking === undefined) {
    if (effort !== "none") unsupported.push("reasoningEffort")
    return
  }
  const shown = effort === "none" ? {} : { includeThoughts: true }
  if ("levels" in thinking) {
    config.thinkingConfig = { ...shown, thinkingLevel: nearest(effort, thinking.levels) }
    return
  }
  const { least, most, canRest } = thinking
  const thinkingBudget = effort === "none" && canRest ? 0 : Math.max(least, Math.min(most, budgetOf(effort)))
  config.thinkingConfig = { ...shown, thinkingBudget }
}

/** Gives the name of the tool that brings the answer, where the model cannot write it beside its tools. */
const putOutput = (
  config: Record<string, unknown>,
  { output, tools = [] }: ChatRequest,
  can: Gemini
): string | undefined => {
  if (output === undefined) return undefined
  if (tools.length > 0 && !can.schemaBesideTools) return outputToolName(output, tools)
  config.responseMimeType = "application/json"
  config.responseJsonSchema = output.jsonSchema
  return undefined
}

const putTools = (
  body: Record<string, unknown>,
  { output, tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  outputTool: string | undefined,
  streamArguments: boolean,
  unsupported: Array<string>
): void => {
  if (tools.length === 0) return
  const declarations = tools.map((tool) => declaration(tool.name, tool.description, schemaOf(tool)))
  const config: Record<string, unknown> = {}
  const force = (...names: ReadonlyArray<string>): void => {
    config.mode = "ANY"
    if (names.length > 0) config.allowedFunctionNames = names
  }
  if (output !== undefined && outputTool !== undefined) {
    // The answer is a call: the model must call this tool or one of the others.
    declarations.push(declaration(outputTool, output.description ?? "Gives the answer.", output.jsonSchema))
    if (toolChoice === "none") force(outputTool)
    else {
      force()
      if (toolChoice !== undefined && toolChoice !== "auto") unsupported.push("toolChoice")
    }
  } else if (typeof toolChoice === "object") force(toolChoice.tool)
  else if (toolChoice === "required") force()
  else if (toolChoice !== undefined) config.mode = toolChoice === "none" ? "NONE" : "AUTO"
  if (streamArguments) config.streamFunctionCallArguments = true
  // There is no way to ask for one call at a time.
  if (parallelToolCalls === false && toolChoice !== "none") unsupported.push("parallelToolCalls")
  body.tools = [{ functionDeclarations: declarations }]
  if (Object.keys(config).length > 0) body.toolConfig = { functionCallingConfig: config }
}

/** An object without properties is refused: a tool that takes nothing has no schema. */
const declaration = (name: string, description: string | undefined, schema: JsonRecord): JsonRecord => ({
  name,
  ...(description === undefined ? {} : { description }),
  ...(takesNothing(schema) ? {} : { parametersJsonSchema: schema })
})

const takesNothing = ({ properties, additionalProperties, ...rest }: JsonRecord): boolean =>
  isRecord(properties) &&
  Object.keys(properties).length === 0 &&
  !isRecord(additionalProperties) &&
  Object.keys(rest).every(
    (key) => key === "type" || key === "required" || key === "title" || key === "description"
  )
