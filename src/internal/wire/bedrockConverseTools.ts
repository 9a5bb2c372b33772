/** Tools on their way to Bedrock's Converse. Source: `protocol/wire-formats.md` §10.1. */
import type { ChatRequest, Output } from "../../ChatRequest.js"
import type { Message } from "../../Message.js"
import type * as Tool from "../../Tool.js"
import type { JsonRecord } from "../json.js"
import type { BedrockModel } from "./bedrockConverseModels.js"
import { outputToolName } from "./outputToolName.js"
import { isAboutTools, isToolCall } from "./toolCalls.js"
import { schemaOf } from "./toolDefinitions.js"

export interface EncodedTools {
  readonly config: JsonRecord | undefined
  readonly outputTool: string | undefined
}

/**
 * `none` is not a choice that there is: the tools are left out instead. A conversation with calls or results in it must
 * have tools though, and there it cannot be had. If it has them, but the request has no tools, the tools that were called
 * are named again, and the model is told not to call them.
 */
export const encode = (
  request: ChatRequest,
  how: {
    /** Is the answer to be the arguments of a tool? */
    readonly outputByTool: boolean
    readonly thinks: boolean
    readonly known: BedrockModel
  },
  refuse: (feature: string) => void
): EncodedTools => {
  const { tools = [], toolChoice, parallelToolCalls, messages, output } = request
  const forcible = how.known.claude === undefined || (how.known.claude.forcible && !how.thinks)
  const byTool = how.outputByTool && output !== undefined
  if (byTool && !forcible) refuse("output")
  const outputTool = byTool && forcible ? outputToolName(output, tools) : undefined
  const bound = messages.some(isAboutTools)
  const forbidden = toolChoice === "none"
  if (forbidden && bound && outputTool === undefined && tools.length > 0) refuse("toolChoice")
  if (parallelToolCalls === false && !forbidden) refuse("parallelToolCalls")

  const specs: Array<JsonRecord> = forbidden && !bound && outputTool === undefined ? [] : tools.map(specOf)
  if (bound && tools.length === 0) {
    for (const name of calledIn(messages)) if (name !== outputTool) specs.push(formerSpec(name))
  }
  if (outputTool !== undefined && output !== undefined) specs.push(outputSpec(outputTool, output))
  if (specs.length === 0) return { config: undefined, outputTool }
  const choice = choiceOf(request, outputTool, forcible, refuse)
  return {
    config: {
      tools: specs.map((toolSpec) => ({ toolSpec })),
      ...(choice === undefined ? {} : { toolChoice: choice })
    },
    outputTool
  }
}

const choiceOf = (
  { tools = [], toolChoice }: ChatRequest,
  outputTool: string | undefined,
  forcible: boolean,
  refuse: (feature: string) => void
): JsonRecord | undefined => {
  if (outputTool !== undefined) {
    // The answer is a call: where the model may call others first, it must call one of them all.
    if (toolChoice !== undefined && toolChoice !== "auto" && toolChoice !== "none") refuse("toolChoice")
    return tools.length === 0 || toolChoice === "none" ? { tool: { name: outputTool } } : { any: {} }
  }
  if (toolChoice === undefined || toolChoice === "auto" || toolChoice === "none") return undefined
  if (!forcible) {
    refuse("toolChoice")
    return undefined
  }
  return toolChoice === "required" ? { any: {} } : { tool: { name: toolChoice.tool } }
}

/** `strict` is known to some models only, and refused by others: it goes out where it was asked for. */
const specOf = (tool: Tool.Any): JsonRecord => ({
  name: tool.name,
  ...(tool.description === undefined ? {} : { description: tool.description }),
  inputSchema: { json: schemaOf(tool) },
  ...(tool.strict === true ? { strict: true } : {})
})

const outputSpec = (name: string, { description, jsonSchema }: Output): JsonRecord => ({
  name,
  description: description ?? "Gives the answer.",
  inputSchema: { json: jsonSchema }
})

const formerSpec = (name: string): JsonRecord => ({
  name,
  description: "Was of use earlier in this conversation. Do not call it any more.",
  inputSchema: { json: { type: "object", properties: {} } }
})

const calledIn = (messages: ReadonlyArray<Message>): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const message of messages) {
    if (message.role === "tool") for (const { name } of message.content) names.add(name)
    else if (message.role === "assistant" && typeof message.content !== "string") {
      for (const part of message.content) if (isToolCall(part)) names.add(part.name)
    }
  }
  return names
}
