/**
 * JSON Schema as Anthropic's structured outputs take it: objects are closed, and limits of numbers, texts and lists are
 * unknown. Limits move into the description, where the model reads them. Source: what `@anthropic-ai/sdk` 1.10 sends
 * (`transformJSONSchema`); `protocol/wire-formats.md` §7.2 has only the field.
 */
import { isRecord, type JsonRecord, stringify } from "../json.js"

/** The schema in that form; absent if it has none, as open records, tuples and recursion have none. */
export const closed = (schema: JsonRecord): JsonRecord | undefined =>
  isRecursive(schema) ? undefined : closedObject(schema, true)

const formats = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]

const closedObject = (schema: unknown, isRoot = false): JsonRecord | undefined => {
  if (!isRecord(schema)) return undefined
  const kept: Record<string, unknown> = {}
  const told: Array<string> = []
  for (const [key, value] of Object.entries(schema)) {
    switch (key) {
      case "$schema":
      case "$id":
      case "additionalProperties":
        break
      case "$ref":
      case "title":
      case "type":
      case "enum":
      case "const":
      case "description":
      case "required":
        kept[key] = value
        break
      case "$defs":
      case "properties": {
        const all = closedAll(value)
        if (all === undefined) return undefined
        kept[key] = all
        break
      }
      case "anyOf":
      case "oneOf":
      case "allOf": {
        const all = Array.isArray(value) ? value.map((one) => closedObject(one)) : []
        if (all.length === 0 || all.includes(undefined)) return undefined
        kept[key === "allOf" ? key : "anyOf"] = all
        break
      }
      case "items": {
        const items = closedObject(value)
        if (items === undefined) return undefined
        kept.items = items
        break
      }
      case "prefixItems":
      case "patternProperties":
      case "additionalItems":
        return undefined
      default:
        if (
          (key === "format" && formats.some((known) => known === value)) ||
          (key === "minItems" && (value === 0 || value === 1))
        )
          kept[key] = value
        else told.push(`${key}: ${stringify(value) ?? "?"}`)
    }
  }
  if (!says(kept)) return undefined
  if (kept.type === "object" || kept.properties !== undefined) {
    const open = schema.additionalProperties
    // Closing an object that is nothing but open would leave nothing of it.
    if (isRecord(open) || open === true || (kept.properties === undefined && !isRoot)) return undefined
    kept.additionalProperties = false
  }
  if (told.length > 0) {
    const limits = `{${told.join(", ")}}`
    kept.description = typeof kept.description === "string" ? `${kept.description}\n\n${limits}` : limits
  }
  return kept
}

/** A schema that allows anything is refused. */
const says = (schema: JsonRecord): boolean =>
  ["$ref", "type", "enum", "const", "anyOf", "allOf"].some((key) => schema[key] !== undefined)

const closedAll = (schemas: unknown): JsonRecord | undefined => {
  if (!isRecord(schemas)) return undefined
  const all: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const one = closedObject(schema)
    if (one === undefined) return undefined
    all[name] = one
  }
  return all
}

/** Does a definition lead back to itself? */
const isRecursive = (schema: JsonRecord): boolean => {
  const definitions = isRecord(schema.$defs) ? schema.$defs : {}
  const done = new Set<string>()
  const visit = (node: unknown, within: ReadonlyArray<string>): boolean => {
    if (Array.isArray(node)) return node.some((one) => visit(one, within))
    if (!isRecord(node)) return false
    return Object.entries(node).some(([key, value]) => {
      if (key === "$defs") return false
      if (key !== "$ref" || typeof value !== "string") return visit(value, within)
      const name = value.replace(/^#\/\$defs\//, "")
      // The root itself, or what is being looked at.
      if (value === "#" || within.includes(name)) return true
      if (done.has(name)) return false
      const recursive = visit(definitions[name], [...within, name])
      done.add(name)
      return recursive
    })
  }
  return visit(schema, [])
}
