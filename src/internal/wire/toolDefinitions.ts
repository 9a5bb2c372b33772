/** Tools on their way out: what the encoders of several wire formats have in common. */
import * as Either from "effect/Either"
import type * as Tool from "../../Tool.js"
import type { JsonRecord } from "../json.js"
import { isStrict } from "../jsonSchema.js"

const anyObject: JsonRecord = { type: "object", properties: {} }

/** The JSON Schema of a tool's arguments. A request with a tool that has none is refused before it gets here. */
export const schemaOf = ({ jsonSchema }: Tool.Any): JsonRecord =>
  Either.getOrElse(jsonSchema, () => anyObject)

/** Is the model to be held to it? A vendor would refuse a schema that cannot be strict. */
export const strictOf = (tool: Tool.Any): boolean => tool.strict ?? isStrict(schemaOf(tool))

/** OpenAI's nested form, which most vendors took over; `strict` only where the vendor knows the word. */
export const nested = (tools: ReadonlyArray<Tool.Any>, takesStrict: boolean): ReadonlyArray<JsonRecord> =>
  tools.map((tool) => ({
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parameters: schemaOf(tool),
      ...(takesStrict ? { strict: strictOf(tool) } : {})
    }
  }))
