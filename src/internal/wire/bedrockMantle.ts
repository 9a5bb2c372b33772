/** Anthropic's `v1/messages` on Bedrock, in one region. Source: `protocol/wire-formats.md` §2.1, §7. */
import type { ChatRequest, Output } from "../../ChatRequest.js"
import * as Tool from "../../Tool.js"
import * as AnthropicMessages from "./anthropicMessages.js"
import { outputToolName } from "./outputToolName.js"
import type { Encoded, EncodeInput, Wire } from "./wire.js"

export const make = (region: string): Wire => {
  const anthropic = AnthropicMessages.make("aws-bedrock")
  const encode = (input: EncodeInput): Encoded => {
    const { output, ...request } = input.request
    return output === undefined ? anthropic.encode(input) : encodeOutput(anthropic, input, request, output)
  }
  return {
    ...anthropic,
    encode: (input) => ({
      ...encode(input),
      endpoint: `bedrock-mantle/${region}/anthropic/v1/messages`
    })
  }
}

/** Anthropic's own platform takes a form of the answer. This one, says Amazon, refuses it: there it is a forced tool. */
const encodeOutput = (
  anthropic: Wire,
  input: EncodeInput,
  request: Omit<ChatRequest, "output">,
  output: Output
): Encoded => {
  const { tools = [], toolChoice } = request
  const name = outputToolName(output, tools)
  const tool = Tool.fromJsonSchema(name, {
    description: output.description ?? "Gives the answer.",
    jsonSchema: output.jsonSchema
  })
  const alone = tools.length === 0 || toolChoice === "none"
  const encoded = anthropic.encode({
    ...input,
    request: {
      ...request,
      tools: [...tools, tool],
      // Where the model may call others first, it must call one of them all.
      toolChoice: alone ? { tool: name } : "required",
      // There is one answer.
      parallelToolCalls: request.parallelToolCalls ?? false
    }
  })
  // What cannot be forced is the form of the answer; a choice too, if one was made.
  const forced = !encoded.unsupported.includes("toolChoice")
  const unsupported = encoded.unsupported.map((field) => (field === "toolChoice" ? "output" : field))
  const chosen = toolChoice !== undefined && toolChoice !== "auto"
  if (chosen && (!forced || toolChoice !== "none")) unsupported.push("toolChoice")
  return { ...encoded, unsupported, outputTool: name }
}
