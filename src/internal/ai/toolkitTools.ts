/** From tools of `@effect/ai` to tools of ours. */
import type * as LanguageModel from "@effect/ai/LanguageModel"
import * as AiTool from "@effect/ai/Tool"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ToolChoice } from "../../ChatRequest.js"
import * as Tool from "../../Tool.js"
import type { InvalidRequest } from "../errors.js"
import { cannotSend } from "./cannotSend.js"

/**
 * JSON Schema is made as for our own tools, not by `Tool.getJsonSchema`: that leaves references in it which some vendors do not
 * know, and throws where there is none.
 */
export const toTools = (
  tools: ReadonlyArray<AiTool.Any>
): Either.Either<ReadonlyArray<Tool.Any>, InvalidRequest> => {
  const made: Array<Tool.Any> = []
  for (const [index, tool] of tools.entries()) {
    if (AiTool.isProviderDefined(tool)) {
      return cannotSend(
        `tools[${index}]`,
        `${tool.name} is a tool of the provider's own (${tool.id}), which only its own package can offer: ${packageOf(tool.id)}`
      )
    }
    const schema = schemaOf(tool)
    if (schema === undefined)
      return cannotSend(`tools[${index}].parameters`, `${tool.name} has no Schema of its parameters`)
    const description = tool.description ?? AiTool.getDescriptionFromSchemaAst(schema.ast)
    made.push(Tool.make(tool.name, { description, parameters: schema }))
  }
  return Either.right(made)
}

/** The types of `@effect/ai` say of a tool's Schema only that it is one. What it needs is met where it decodes: in the toolkit. */
export const schemaOf = (tool: AiTool.Any): Schema.Schema<unknown> | undefined => {
  const schema: unknown = tool.parametersSchema
  return Schema.isSchema(schema) ? (schema as Schema.Schema<unknown>) : undefined
}

/** An id is `{provider}.{tool}`, and a package is named after its provider. */
const packageOf = (id: string): string => {
  const [provider = ""] = id.split(".")
  return `@effect/ai-${provider} (GatewayHttpClient.layer sends what it asks through the gateway)`
}

/** `oneOf` has chosen among the tools already when a request comes here. */
export const toToolChoice = (choice: LanguageModel.ProviderOptions["toolChoice"]): ToolChoice => {
  if (typeof choice === "string") return choice
  return "tool" in choice ? { tool: choice.tool } : (choice.mode ?? "auto")
}
