/** Rules for schemas that a vendor holds its model to: why it refuses one. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"

interface Found {
  readonly at: ReadonlyArray<string>
  readonly why: string
}

const context = (at: ReadonlyArray<string>): string =>
  `In context=(${at.map((key) => `'${key}'`).join(", ")}${at.length === 1 ? "," : ""})`

/**
 * `strict` is OpenAI's rule: objects are closed and all of their properties required. `closed` is Anthropic's: objects
 * are closed.
 */
export type SchemaRule = "strict" | "closed" | "any"

const look = (schema: unknown, rule: SchemaRule, at: ReadonlyArray<string>): Found | undefined => {
  if (!isObject(schema)) return undefined
  if (schema.type === "object" || schema.properties !== undefined) {
    if (schema.additionalProperties !== false)
      return { at, why: "'additionalProperties' is required to be supplied and to be false." }
    const names = Object.keys(asObject(schema.properties))
    const required = asArray(schema.required)
    const missing = rule === "closed" ? undefined : names.find((name) => !required.includes(name))
    if (missing !== undefined)
      return {
        at,
        why: `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`
      }
  }
  return below(schema, rule, at)
}

const below = (schema: JsonObject, rule: SchemaRule, at: ReadonlyArray<string>): Found | undefined => {
  for (const key of ["properties", "$defs", "definitions"])
    for (const [name, inner] of Object.entries(asObject(schema[key]))) {
      const found = look(inner, rule, [...at, key, name])
      if (found !== undefined) return found
    }
  for (const key of ["anyOf", "allOf", "oneOf", "prefixItems"])
    for (const [index, inner] of asArray(schema[key]).entries()) {
      const found = look(inner, rule, [...at, key, String(index)])
      if (found !== undefined) return found
    }
  return look(schema.items, rule, [...at, "items"])
}

/** Why the schema is refused; `undefined` if it is taken. `whose` is `function 'f'`, or `response_format 'r'`. */
export const schemaProblem = (whose: string, schema: unknown, rule: SchemaRule): string | undefined => {
  const no = (why: string) => `Invalid schema for ${whose}: ${why}`
  if (!isObject(schema)) return no("schema must be a JSON Schema of 'type: \"object\"'.")
  if (schema.type !== "object")
    return no(
      `schema must be a JSON Schema of 'type: "object"', got 'type: ${
        schema.type === undefined ? '"None"' : JSON.stringify(schema.type)
      }'.`
    )
  if (!isObject(schema.properties) && rule !== "any") return no("object schema missing properties.")
  const found = rule === "any" ? undefined : look(schema, rule, [])
  return found === undefined ? undefined : no(`${context(found.at)}, ${found.why}`)
}
