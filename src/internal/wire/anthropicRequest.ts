/** A request as Anthropic's `v1/messages` takes it. Source: `protocol/wire-formats.md` §7.1, §7.2. */
import type { ChatRequest } from "../../ChatRequest.js"
import type * as Tool from "../../Tool.js"
import type { JsonRecord } from "../json.js"
import * as Conversation from "./anthropicConversation.js"
import { type Claude, claude } from "./anthropicModels.js"
import * as Schema from "./anthropicSchema.js"
import { callsWithoutThought } from "./callsWithoutThought.js"
import { outputToolName } from "./outputToolName.js"
import { budgetOf, nearest } from "./reasoningEffort.js"
import { schemaOf } from "./toolDefinitions.js"
import type { Encoded, EncodeInput } from "./wire.js"

/** Under the later version, `2026-10-21`, sampling parameters are refused. */
const version = "2023-06-01"

/** The wire format demands a limit; every model allows this one. */
const defaultMaxTokens = 4096
/** Every model that thinks allows this one. */
const thinkingMaxTokens = 32_000
/** The least that a model can be given to think with; the limit of the answer must be greater. */
const leastBudget = 1024

export const encode = (input: EncodeInput): Encoded => {
  const { model, request, stream, provider } = input
  const can = claude(model)
  const unsupported: Array<string> = []
  const refuse = (feature: string): void => {
    if (!unsupported.includes(feature)) unsupported.push(feature)
  }
  const output = outputOf(request, can, refuse)
  const thinking = thinkingOf(input, can, output?.tool !== undefined, refuse)
  const { system, messages } = Conversation.encode(request.messages, provider, refuse)
  const body: Record<string, unknown> = { model, max_tokens: thinking.maxTokens }
  if (system !== undefined) body.system = system
  body.messages = messages
  const put = (field: keyof ChatRequest, name: string | undefined): void => {
    const value = request[field]
    if (value === undefined) return
    if (name === undefined) refuse(field)
    else body[name] = value
  }
  const sampled = can.sampling && !thinking.on
  put("temperature", sampled ? "temperature" : undefined)
  const alone = can.bothTemperatureAndTopP || request.temperature === undefined
  put("topP", sampled && alone ? "top_p" : undefined)
  put("topK", sampled ? "top_k" : undefined)
  put("stop", "stop_sequences")
  put("seed", undefined)
  put("frequencyPenalty", undefined)
  put("presencePenalty", undefined)
  const tools = [...(request.tools ?? []).map((tool) => encodeTool(tool, can)), ...(output?.tools ?? [])]
  if (tools.length > 0) {
    body.tools = tools
    const choice = choiceOf(request, output?.tool, can.forcible && !thinking.on, refuse)
    if (choice !== undefined) body.tool_choice = choice
  }
  if (thinking.body !== undefined) body.thinking = thinking.body
  const outputConfig = { ...output?.config, ...thinking.config }
  if (Object.keys(outputConfig).length > 0) body.output_config = outputConfig
  if (stream) body.stream = true
  return {
    endpoint: "v1/messages",
    headers: { "anthropic-version": version },
    body,
    unsupported,
    outputTool: output?.tool
  }
}

// --- tools and the form of the answer ---------------------------------------------------------------------------------

/**
 * `strict` goes out only where the tool asks for it. All strict tools of a request become one grammar, and a request
 * with too great a one is refused as a whole.
 */
const encodeTool = (tool: Tool.Any, can: Claude): JsonRecord => {
  const strict = tool.strict === true && can.structured ? Schema.closed(schemaOf(tool)) : undefined
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: strict ?? schemaOf(tool),
    ...(strict === undefined ? {} : { strict: true })
  }
}

interface Output {
  readonly config?: JsonRecord
  readonly tools?: ReadonlyArray<JsonRecord>
  /** The name of the tool whose arguments are the answer. */
  readonly tool?: string
}

const outputOf = (
  { output, tools }: ChatRequest,
  can: Claude,
  refuse: (feature: string) => void
): Output | undefined => {
  if (output === undefined) return undefined
  const schema = can.structured ? Schema.closed(output.jsonSchema) : undefined
  if (schema !== undefined) return { config: { format: { type: "json_schema", schema } } }
  if (!can.forcible) {
    refuse("output")
    return undefined
  }
  const tool = outputToolName(output, tools)
  const description = output.description ?? "Gives the answer."
  return { tool, tools: [{ name: tool, description, input_schema: output.jsonSchema }] }
}

const choiceOf = (
  { tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  outputTool: string | undefined,
  forcible: boolean,
  refuse: (feature: string) => void
): JsonRecord | undefined => {
  const single = (type: JsonRecord): JsonRecord => ({ ...type, disable_parallel_tool_use: true })
  if (outputTool !== undefined) {
    // The answer is a call: where the model may call others first, it must call one of them all.
    if (toolChoice !== undefined && toolChoice !== "auto" && toolChoice !== "none") refuse("toolChoice")
    const alone = tools.length === 0 || toolChoice === "none"
    const forced = alone ? { type: "tool", name: outputTool } : { type: "any" }
    return parallelToolCalls === true ? forced : single(forced)
  }
  if (toolChoice === "none") return { type: "none" }
  let choice: JsonRecord | undefined
  if (toolChoice === "required") choice = { type: "any" }
  else if (typeof toolChoice === "object") choice = { type: "tool", name: toolChoice.tool }
  if (choice !== undefined && !forcible) {
    refuse("toolChoice")
    choice = undefined
  }
  if (toolChoice === "auto" || (choice === undefined && parallelToolCalls === false))
    choice ??= { type: "auto" }
  return choice === undefined || parallelToolCalls !== false ? choice : single(choice)
}

// --- thinking ---------------------------------------------------------------------------------------------------------

interface Thinking {
  readonly maxTokens: number
  readonly on: boolean
  readonly body?: JsonRecord
  readonly config?: JsonRecord
}

/** Thinking is neither compatible with a forced tool, nor with sampling: the former is `isForced` here. */
const thinkingOf = (
  { request, provider, maxOutputTokens }: EncodeInput,
  can: Claude,
  isForced: boolean,
  refuse: (feature: string) => void
): Thinking => {
  const { reasoningEffort: effort, maxTokens, messages } = request
  const off: Thinking = { on: false, maxTokens: maxTokens ?? maxOutputTokens ?? defaultMaxTokens }
  if (effort === undefined) return off
  // A model that does not think has no need to be told.
  if (effort === "none" && can.thinking === "none") return off
  if (effort === "none" && can.canRest) return { ...off, body: { type: "disabled" } }
  const limit = maxTokens ?? maxOutputTokens ?? thinkingMaxTokens
  if (can.thinking === "none" || isForced) {
    refuse("reasoningEffort")
    return off
  }
  if (can.thinking === "effort") {
    return {
      on: true,
      maxTokens: limit,
      body: { type: "adaptive", ...(can.hidesThoughts ? { display: "summarized" } : {}) },
      config: { effort: nearest(effort, can.efforts) }
    }
  }
  if (callsWithoutThought(messages, (part) => Conversation.thoughtOf(part, provider) !== undefined)) {
    refuse("reasoningEffort")
    return off
  }
  // A limit that leaves no room to think would be refused; any other is kept, and the budget fits into it.
  return limit <= leastBudget
    ? { on: true, maxTokens: limit + leastBudget, body: { type: "enabled", budget_tokens: leastBudget } }
    : {
        on: true,
        maxTokens: limit,
        body: {
          type: "enabled",
          budget_tokens: Math.max(leastBudget, Math.min(budgetOf(effort), Math.floor(limit * 0.75)))
        }
      }
}
