/**
 * OpenAI's `responses`. Source: `protocol/wire-formats.md` §6; other vendors speak it too.
 */
import type { ChatRequest, ReasoningEffort } from "../../ChatRequest.js"
import { isStrict } from "../jsonSchema.js"
import * as OpenAiModels from "../openAiModels.js"
import * as Answer from "./openAiResponsesAnswer.js"
import * as Input from "./openAiResponsesInput.js"
import * as Stream from "./openAiResponsesStream.js"
import { nearest } from "./reasoningEffort.js"
import { schemaOf, strictOf } from "./toolDefinitions.js"
import type { Encoded, EncodeInput, Wire } from "./wire.js"

/** Who speaks it, and where. */
export interface Dialect {
  /** The path behind the slug. */
  readonly endpoint: string
  /** The slug of the provider whose reasoning the answers hold. */
  readonly provider: string
  /** Fields of `ChatRequest` that this model refuses. */
  readonly refuses?: (model: string) => ReadonlyArray<keyof ChatRequest>
  /** Does this model think? Only then is its encrypted reasoning asked for: others refuse the question. */
  readonly reasons?: (model: string) => boolean
  /** The effort that a model has for one that is asked for; `undefined` if it has none to choose. Absent: it has all. */
  readonly effort?: (effort: ReasoningEffort, model: string) => ReasoningEffort | undefined
  /** Is this model known to take neither images nor files? */
  readonly textOnly?: (model: string) => boolean
}

/** OpenAI's own, at any of its places. */
export const openAi = (endpoint: string): Dialect => ({
  endpoint,
  provider: "openai",
  refuses: (model) => (OpenAiModels.reasons(model) ? ["temperature", "topP"] : []),
  reasons: OpenAiModels.reasons,
  effort: (effort, model) =>
    OpenAiModels.reasons(model) ? nearest(effort, OpenAiModels.stepsOf(model)) : undefined,
  textOnly: OpenAiModels.textOnly
})

export const make = (dialect: Dialect): Wire => ({
  encode: (input) => encode(dialect, input),
  decode: (json) => Answer.decode(json, "", dialect.provider),
  decoder: () => Stream.decoder(dialect.provider)
})

const encode = (dialect: Dialect, input: EncodeInput): Encoded => {
  const { model, request, stream } = input
  const unsupported: Array<string> = []
  const refuse = (feature: string): void => {
    if (!unsupported.includes(feature)) unsupported.push(feature)
  }
  const refused = dialect.refuses?.(model) ?? []
  /** Is this field asked for, and taken? */
  const takes = (field: keyof ChatRequest): boolean => {
    if (request[field] === undefined) return false
    if (!refused.includes(field)) return true
    refuse(field)
    return false
  }
  const mediaRefused = dialect.textOnly?.(model) === true
  // The whole conversation goes along at each turn: the vendor need not keep it.
  const body: Record<string, unknown> = {
    model,
    input: Input.encode(input, mediaRefused ? refuse : undefined),
    store: false
  }
  if (takes("temperature")) body.temperature = request.temperature
  if (takes("topP")) body.top_p = request.topP
  if (takes("maxTokens")) body.max_output_tokens = request.maxTokens
  for (const field of ["topK", "stop", "seed", "frequencyPenalty", "presencePenalty"] as const) {
    if (request[field] !== undefined) refuse(field)
  }
  const effort = effortOf(dialect, input)
  if (effort === undefined && request.reasoningEffort !== undefined) refuse("reasoningEffort")
  // Who chooses an effort wants to see what becomes of it. Unasked, a summary could cost the answer: OpenAI shows it to
  // verified organizations only, and refuses others.
  if (effort !== undefined) body.reasoning = effort === "none" ? { effort } : { effort, summary: "auto" }
  if (effort !== "none" && dialect.reasons?.(model) === true) body.include = ["reasoning.encrypted_content"]
  putTools(body, request, takes)
  const { output } = request
  if (output !== undefined && takes("output")) {
    const { name, description, jsonSchema } = output
    body.text = {
      format: {
        type: "json_schema",
        name,
        ...(description === undefined ? {} : { description }),
        schema: jsonSchema,
        strict: isStrict(jsonSchema)
      }
    }
  }
  if (stream) body.stream = true
  return { endpoint: dialect.endpoint, body, unsupported }
}

const effortOf = ({ effort }: Dialect, { model, request }: EncodeInput): ReasoningEffort | undefined => {
  const { reasoningEffort } = request
  return reasoningEffort === undefined || effort === undefined
    ? reasoningEffort
    : effort(reasoningEffort, model)
}

const putTools = (
  body: Record<string, unknown>,
  { tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  takes: (field: keyof ChatRequest) => boolean
): void => {
  if (takes("tools") && tools.length > 0) {
    body.tools = tools.map((tool) => ({
      type: "function",
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: schemaOf(tool),
      // Always there: without it the vendor would be strict, and refuse schemas that cannot be.
      strict: strictOf(tool)
    }))
  }
  if (takes("toolChoice"))
    body.tool_choice =
      typeof toolChoice === "object" ? { type: "function", name: toolChoice.tool } : toolChoice
  if (takes("parallelToolCalls")) body.parallel_tool_calls = parallelToolCalls
}
