/** What Bedrock's Converse is asked. Source: `protocol/wire-formats.md` §10.1. */
import type { ChatRequest, Output } from "../../ChatRequest.js"
import { type JsonRecord, stringify } from "../json.js"
import { closed } from "./anthropicSchema.js"
import * as Conversation from "./bedrockConverseMessages.js"
import { type BedrockModel, bedrockModel } from "./bedrockConverseModels.js"
import * as Tools from "./bedrockConverseTools.js"
import { callsWithoutThought } from "./callsWithoutThought.js"
import { pathSegment } from "./pathSegment.js"
import { budgetOf, nearest } from "./reasoningEffort.js"
import type { Encoded, EncodeInput } from "./wire.js"

export const encode = (region: string, input: EncodeInput): Encoded => {
  const { model, request, stream, provider } = input
  const known = bedrockModel(model)
  const unsupported: Array<string> = []
  const refuse = (feature: string): void => {
    if (!unsupported.includes(feature)) unsupported.push(feature)
  }
  const { system, messages } = Conversation.encode(request.messages, provider, known, refuse)
  const native = known.jsonSchema ? textFormat(request.output) : undefined
  const outputByTool = request.output !== undefined && native === undefined
  const isForced = outputByTool && known.claude?.forcible !== false
  const thinking = thinkingOf(input, known, isForced, refuse)
  const tools = Tools.encode(request, { outputByTool, thinks: thinking.on, known }, refuse)
  const sampling = encodeSampling(request, known, thinking.on, refuse)

  const body: Record<string, unknown> = { messages }
  const put = (name: string, value: JsonRecord | ReadonlyArray<JsonRecord> | undefined): void => {
    if (value !== undefined && Object.keys(value).length > 0) body[name] = value
  }
  put("system", system)
  put("inferenceConfig", { ...sampling.inference, ...thinking.inference })
  put("toolConfig", tools.config)
  put("outputConfig", { ...native, ...thinking.output })
  put("additionalModelRequestFields", { ...sampling.additional, ...thinking.additional })
  return {
    endpoint: `bedrock-runtime/${region}/model/${pathSegment(model)}/${stream ? "converse-stream" : "converse"}`,
    body,
    unsupported,
    outputTool: tools.outputTool
  }
}

/** The schema is a text within the JSON. Absent where the mode cannot express it. */
const textFormat = (output: Output | undefined): JsonRecord | undefined => {
  const schema = output === undefined ? undefined : closed(output.jsonSchema)
  const text = schema === undefined ? undefined : stringify(schema)
  if (output === undefined || text === undefined) return undefined
  const { name, description } = output
  const described = description === undefined ? {} : { description }
  const jsonSchema = { name, ...described, schema: text }
  return { textFormat: { type: "json_schema", structure: { jsonSchema } } }
}

// --- thinking -----------------------------------------------------------------------------------------------------------

interface Thinking {
  readonly on: boolean
  readonly inference?: JsonRecord
  readonly output?: JsonRecord
  readonly additional?: JsonRecord
}

/** Room for the answer behind its thinking, where the request says nothing of its length. */
const answerTokens = 4096
/** The least that a model can be given to think with; the limit of the answer must be greater. */
const leastBudget = 1024

const off: Thinking = { on: false }

/** Thinking is neither compatible with a forced tool, nor with sampling: the former is `isForced` here. */
const thinkingOf = (
  { request, provider, maxOutputTokens }: EncodeInput,
  { claude }: BedrockModel,
  isForced: boolean,
  refuse: (feature: string) => void
): Thinking => {
  const { reasoningEffort: effort, maxTokens, messages } = request
  if (effort === undefined) return off
  if (claude === undefined || claude.thinking === "none") {
    // A model of Anthropic's that does not think has no need to be told; of others that is not known.
    if (effort !== "none" || claude === undefined) refuse("reasoningEffort")
    return off
  }
  if (effort === "none" && claude.canRest) return { ...off, additional: { thinking: { type: "disabled" } } }
  if (
    isForced ||
    (claude.thinking === "budget" &&
      callsWithoutThought(messages, (part) => Conversation.thoughtOf(part, provider) !== undefined))
  ) {
    refuse("reasoningEffort")
    return off
  }
  if (claude.thinking === "effort") {
    const shown = claude.hidesThoughts ? { display: "summarized" } : {}
    return {
      on: true,
      output: { effort: nearest(effort, claude.efforts) },
      additional: { thinking: { type: "adaptive", ...shown } }
    }
  }
  const limit = maxTokens ?? Math.max(maxOutputTokens ?? 0, budgetOf(effort) + answerTokens)
  // A limit that leaves no room to think would be refused; any other is kept, and the budget fits into it.
  return limit <= leastBudget
    ? thinkWith(leastBudget, limit + leastBudget)
    : thinkWith(Math.max(leastBudget, Math.min(budgetOf(effort), Math.floor(limit * 0.75))), limit)
}

const thinkWith = (budget: number, maxTokens: number): Thinking => ({
  on: true,
  inference: { maxTokens },
  additional: { thinking: { type: "enabled", budget_tokens: budget } }
})

// --- sampling -----------------------------------------------------------------------------------------------------------

const encodeSampling = (
  request: ChatRequest,
  { claude }: BedrockModel,
  thinks: boolean,
  refuse: (feature: string) => void
): { readonly inference: JsonRecord; readonly additional: JsonRecord } => {
  const inference: Record<string, unknown> = {}
  const additional: Record<string, unknown> = {}
  const put = (
    field: keyof ChatRequest,
    into: Record<string, unknown> | undefined,
    name: string = field
  ): void => {
    const value = request[field]
    if (value === undefined) return
    if (into === undefined) refuse(field)
    else into[name] = value
  }
  const sampled = claude === undefined || (claude.sampling && !thinks)
  const alone = claude === undefined || claude.bothTemperatureAndTopP || request.temperature === undefined
  put("maxTokens", inference)
  put("temperature", sampled ? inference : undefined)
  put("topP", sampled && alone ? inference : undefined)
  put("stop", inference, "stopSequences")
  put("topK", sampled && claude !== undefined ? additional : undefined, "top_k")
  put("seed", undefined)
  put("frequencyPenalty", undefined)
  put("presencePenalty", undefined)
  return { inference, additional }
}
