/** JSON that fits a JSON Schema: what the built-in model says when it must answer in JSON or call a tool. */
import { asArray, asObject, isObject, type JsonObject } from "./json.js"
import { sampleNumber, sampleString } from "./sampleScalar.js"

/** There is no value, or none that ends: a schema that contains itself. */
const none = Symbol("none")

interface Context {
  readonly root: unknown
  /** What strings say, where the schema lets them. */
  readonly text: string
  /** References that led here. */
  readonly open: ReadonlyArray<string>
}

const resolve = (root: unknown, ref: string): unknown =>
  ref
    .replace(/^#\/?/, "")
    .split("/")
    .filter((key) => key !== "")
    .reduce<unknown>((value, key) => asObject(value)[key.replaceAll("~1", "/").replaceAll("~0", "~")], root)

const larger = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems"])
const smaller = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems"])

/** One schema for all that are required together. */
const merged = (schemas: ReadonlyArray<JsonObject>): JsonObject => {
  const all: Record<string, unknown> = {}
  for (const schema of schemas)
    for (const [key, value] of Object.entries(schema)) {
      const before = all[key]
      if (key === "properties") all[key] = { ...asObject(before), ...asObject(value) }
      else if (key === "required") all[key] = [...asArray(before), ...asArray(value)]
      else if (typeof before === "number" && typeof value === "number" && larger.has(key))
        all[key] = Math.max(before, value)
      else if (typeof before === "number" && typeof value === "number" && smaller.has(key))
        all[key] = Math.min(before, value)
      else all[key] = value
    }
  return all
}

const one = (schema: unknown, context: Context): unknown => {
  if (schema === true) return context.text
  if (!isObject(schema)) return none
  if (typeof schema.$ref === "string") {
    const { $ref, ...beside } = schema
    if (context.open.includes($ref)) return none
    const target = resolve(context.root, $ref)
    if (!isObject(target)) return none
    return one(merged([target, beside]), { ...context, open: [...context.open, $ref] })
  }
  if ("const" in schema) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (Array.isArray(schema.allOf)) {
    const { allOf, ...beside } = schema
    const parts = asArray(allOf).map((part) => {
      const { $ref } = asObject(part)
      return asObject(typeof $ref === "string" ? resolve(context.root, $ref) : part)
    })
    return one(merged([beside, ...parts]), context)
  }
  const choices = asArray(schema.anyOf ?? schema.oneOf)
  if (choices.length > 0) {
    const { anyOf: _, oneOf: __, ...beside } = schema
    for (const choice of choices) {
      const value = one(isObject(choice) ? merged([beside, choice]) : choice, context)
      if (value !== none) return value
    }
    return none
  }
  return ofType(schema, context)
}

const typeOf = (schema: JsonObject): string | undefined => {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  // Google's dialect writes the types in upper case.
  if (typeof type === "string") return type.toLowerCase()
  if (isObject(schema.properties)) return "object"
  return schema.items === undefined && schema.prefixItems === undefined ? undefined : "array"
}

const ofType = (schema: JsonObject, context: Context): unknown => {
  switch (typeOf(schema)) {
    case "string":
      return sampleString(schema, context.text)
    case "number":
      return sampleNumber(schema, undefined)
    case "integer":
      return sampleNumber(schema, 1)
    case "boolean":
      return true
    case "null":
      return null
    case "array":
      return sampleArray(schema, context)
    case "object":
      return sampleObject(schema, context)
    // Anything goes.
    default:
      return context.text
  }
}

const sampleObject = (schema: JsonObject, context: Context): unknown => {
  const required = asArray(schema.required)
  const value: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(asObject(schema.properties))) {
    const inner = one(property, context)
    if (inner !== none) value[name] = inner
    else if (required.includes(name)) return none
  }
  return value
}

/** Nobody means longer lists, and making them would take all memory. */
const longest = 1000

const sampleArray = (schema: JsonObject, context: Context): unknown => {
  const tuple = Array.isArray(schema.items)
  const fixed = asArray(schema.prefixItems ?? (tuple ? schema.items : undefined))
  const rest = tuple ? schema.additionalItems : schema.items
  const least = typeof schema.minItems === "number" ? Math.min(schema.minItems, longest) : 0
  const most = typeof schema.maxItems === "number" ? schema.maxItems : Number.POSITIVE_INFINITY
  // One more than nothing, so that there is something to look at.
  const wanted = Math.min(most, Math.max(least, fixed.length > 0 ? fixed.length : 1))
  const value: Array<unknown> = []
  while (value.length < wanted) {
    const item = value.length < fixed.length ? fixed[value.length] : (rest ?? true)
    const inner = one(item, context)
    if (inner === none) return value.length >= least ? value : none
    value.push(inner)
  }
  return value
}

/** A value that the schema accepts, as far as the common keywords tell; strings are `text`. */
export const sample = (schema: unknown, text: string): unknown => {
  const value = one(schema, { root: schema, text, open: [] })
  return value === none ? null : value
}
