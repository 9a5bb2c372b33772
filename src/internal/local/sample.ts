/** JSON that fits a JSON Schema: what the built-in model says when it must answer in JSON or call a tool. */
import { asArray, asObject, isObject } from "./json.js"

const deepest = 16

const resolve = (root: unknown, ref: string): unknown =>
  ref
    .replace(/^#\/?/, "")
    .split("/")
    .filter((key) => key !== "")
    .reduce<unknown>((value, key) => asObject(value)[key.replaceAll("~1", "/").replaceAll("~0", "~")], root)

/** A value that the schema accepts, as far as the common keywords tell; strings are `text`. */
export const sample = (schema: unknown, text: string, root: unknown = schema, depth = 0): unknown => {
  if (!isObject(schema) || depth > deepest) return null
  const again = (inner: unknown) => sample(inner, text, root, depth + 1)
  if (typeof schema.$ref === "string") return again(resolve(root, schema.$ref))
  if ("const" in schema) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const choice = asArray(schema.anyOf ?? schema.oneOf)[0]
  if (choice !== undefined) return again(choice)
  const all = asArray(schema.allOf)
  if (all.length > 0 && schema.type === undefined) return again(Object.assign({}, ...all.map(asObject)))
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  // Google's dialect writes the types in upper case.
  switch (typeof type === "string" ? type.toLowerCase() : undefined) {
    case "string":
      return sampleString(schema, text)
    case "number":
    case "integer":
      return sampleNumber(schema)
    case "boolean":
      return true
    case "null":
      return null
    case "array":
      return Array.from({ length: Math.max(1, Number(schema.minItems ?? 1)) }, () => again(schema.items))
    default:
      return Object.fromEntries(
        Object.entries(asObject(schema.properties)).map(([name, property]) => [name, again(property)])
      )
  }
}

const sampleString = (schema: Readonly<Record<string, unknown>>, text: string): string => {
  switch (schema.format) {
    case "date-time":
      return "2026-01-01T00:00:00Z"
    case "date":
      return "2026-01-01"
    case "email":
      return "user@example.com"
    case "uuid":
      return "00000000-0000-4000-8000-000000000000"
    case "uri":
      return "https://example.com/"
  }
  const padded = text.padEnd(Number(schema.minLength ?? 0), ".")
  return schema.maxLength === undefined ? padded : padded.slice(0, Number(schema.maxLength))
}

const sampleNumber = (schema: Readonly<Record<string, unknown>>): number => {
  if (typeof schema.minimum === "number") return schema.minimum
  if (typeof schema.exclusiveMinimum === "number") return schema.exclusiveMinimum + 1
  if (typeof schema.maximum === "number") return Math.min(0, schema.maximum)
  return 0
}
