/** The params of earlier tool calls, as the model wrote them. */
import type * as AiTool from "@effect/ai/Tool"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { schemaOf } from "./toolkitTools.js"

export type Encode = (name: string, params: unknown) => unknown

/**
 * A history of `@effect/ai` holds the *decoded* params: a `Date`, an `Option`. The tool's Schema gives back what the model wrote.
 * What it cannot encode goes as it is: a history that came out of JSON is encoded already, and one may be of other tools.
 */
export const make = (tools: ReadonlyArray<AiTool.Any>): Encode => {
  const encoders = new Map<string, (params: unknown) => Either.Either<unknown, unknown>>()
  for (const tool of tools) {
    const schema = schemaOf(tool)
    if (schema !== undefined) encoders.set(tool.name, Schema.encodeUnknownEither(schema))
  }
  return (name, params) => {
    const encode = encoders.get(name)
    if (encode === undefined) return params
    try {
      return Either.getOrElse(encode(params), () => params)
    } catch {
      // A Schema that needs services: they are not here.
      return params
    }
  }
}
