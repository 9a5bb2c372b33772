/** From a Schema to the JSON Schema that vendors take. */
import * as Either from "effect/Either"
import * as JsonSchemas from "effect/JSONSchema"
import type * as Schema from "effect/Schema"
import { describe } from "./classify/describe.js"
import { isRecord, type JsonRecord, textAt } from "./json.js"

type Made = Either.Either<JsonRecord, string>

const cache = new WeakMap<object, Made>()

/**
 * The JSON Schema of what a Schema encodes to, with an object at its root, as every vendor demands. Left: why there is none.
 *
 * It is of draft 2020-12, the one that vendors' documentation names, and as plain as it can be: what has a name stands where it is used (some
 * vendors know no references), unless it holds itself.
 */
export const make = <A, I, R>(schema: Schema.Schema<A, I, R>): Made => {
  const known = cache.get(schema.ast)
  if (known !== undefined) return known
  const made = build(schema)
  cache.set(schema.ast, made)
  return made
}

const build = <A, I, R>(schema: Schema.Schema<A, I, R>): Made => {
  let made: unknown
  try {
    made = JsonSchemas.make(schema, { target: "jsonSchema2020-12" })
  } catch (reason) {
    return Either.left(oneLine(describe(reason)))
  }
  if (!isRecord(made)) return Either.left("it has no JSON Schema")
  const { $schema: _, $defs, ...root } = made
  const plain = resolved(root, isRecord($defs) ? $defs : {})
  return plain.type === "object"
    ? Either.right(plain.properties === undefined ? { ...plain, properties: {} } : plain)
    : Either.left("its root must be an object, such as Schema.Struct({ … })")
}

/** Effect explains over several lines what cannot be a JSON Schema, and where. */
const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ").slice(0, 400)

// --- references ---------------------------------------------------------------------------------------------------------

/** What is used everywhere may grow without bounds when it stands everywhere: then it stays a reference. */
const mostNodes = 10_000

const resolved = (root: JsonRecord, definitions: JsonRecord): JsonRecord => {
  const inlined = new Plain(definitions, selfContaining(definitions))
  const plain = inlined.root(root)
  return inlined.nodes <= mostNodes
    ? plain
    : new Plain(definitions, new Set(Object.keys(definitions))).root(root)
}

const nameOf = (schema: JsonRecord): string | undefined => {
  const reference = textAt(schema, "$ref")
  return reference?.startsWith("#/$defs/")
    ? reference.slice("#/$defs/".length).replace(/~1/g, "/").replace(/~0/g, "~")
    : undefined
}

/** The definitions that hold themselves, at whatever remove. */
const selfContaining = (definitions: JsonRecord): ReadonlySet<string> => {
  const uses = new Map<string, ReadonlySet<string>>()
  for (const [name, definition] of Object.entries(definitions)) {
    const names = new Set<string>()
    collectNames(definition, names)
    uses.set(name, names)
  }
  const found = new Set<string>()
  for (const name of uses.keys()) {
    const reached = new Set<string>(uses.get(name))
    for (const next of reached) for (const further of uses.get(next) ?? []) reached.add(further)
    if (reached.has(name)) found.add(name)
  }
  return found
}

const collectNames = (node: unknown, names: Set<string>): void => {
  if (Array.isArray(node)) for (const item of node) collectNames(item, names)
  else if (isRecord(node)) {
    const name = nameOf(node)
    if (name !== undefined) names.add(name)
    for (const inner of Object.values(node)) collectNames(inner, names)
  }
}

class Plain {
  nodes = 0
  private readonly used = new Set<string>()

  constructor(
    private readonly definitions: JsonRecord,
    /** The definitions that stay references. */
    private readonly kept: ReadonlySet<string>
  ) {}

  root(schema: JsonRecord): JsonRecord {
    const name = nameOf(schema)
    const { $ref: _, ...beside } = schema
    // Vendors want the definition itself at the root.
    const root =
      name === undefined
        ? this.schema(schema)
        : { ...this.schema(this.definitions[name]), ...this.schema(beside) }
    const $defs: Record<string, unknown> = {}
    // The set grows while it is walked: a definition may use others.
    for (const used of this.used) $defs[used] = this.schema(this.definitions[used])
    return this.used.size === 0 ? root : { ...root, $defs }
  }

  private schema(schema: unknown): JsonRecord {
    if (!isRecord(schema) || this.nodes++ > mostNodes) return {}
    const name = nameOf(schema)
    const definition = name === undefined ? undefined : this.definitions[name]
    if (name === undefined || definition === undefined) return this.keywords(schema)
    const { $ref, ...beside } = schema
    if (!this.kept.has(name)) return { ...this.schema(definition), ...this.keywords(beside) }
    this.used.add(name)
    return { $ref, ...this.keywords(beside) }
  }

  private keywords(schema: JsonRecord): JsonRecord {
    const { $id, ...rest } = schema
    // Effect's own names for what TypeScript has and JSON Schema has not.
    if ($id === "/schemas/%7B%7D") return { type: "object", properties: {}, additionalProperties: false }
    if ($id === "/schemas/object") return { type: "object" }
    if ($id === "/schemas/unknown" || $id === "/schemas/any") return withoutTitle(rest)
    const plain: Record<string, unknown> = {}
    for (const [keyword, value] of Object.entries(rest)) plain[keyword] = this.keyword(keyword, value)
    return plain
  }

  private keyword(keyword: string, value: unknown): unknown {
    switch (keyword) {
      case "properties":
      case "patternProperties":
        return isRecord(value)
          ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.schema(inner)]))
          : value
      case "anyOf":
      case "oneOf":
      case "allOf":
      case "prefixItems":
        return Array.isArray(value) ? value.map((inner) => this.schema(inner)) : value
      case "items":
      case "additionalProperties":
      case "propertyNames":
      case "not":
        return isRecord(value) ? this.schema(value) : value
      default:
        return value
    }
  }
}

const withoutTitle = ({ title: _, ...rest }: JsonRecord): JsonRecord => rest

// --- strictness ---------------------------------------------------------------------------------------------------------

/**
 * May a vendor hold its model to this schema strictly? OpenAI's rule, which others took over: every object lists all of its
 * properties as required and allows no others, everything has a type, and alternatives are all that may be combined.
 */
export const isStrict = (schema: unknown): boolean => {
  if (!isRecord(schema)) return false
  if (loose.some((keyword) => schema[keyword] !== undefined)) return false
  if (!typed.some((keyword) => schema[keyword] !== undefined)) return false
  if (schema.type === "object" || schema.properties !== undefined) {
    if (schema.additionalProperties !== false) return false
    const required = Array.isArray(schema.required) ? schema.required : []
    const properties = isRecord(schema.properties) ? schema.properties : {}
    if (!Object.keys(properties).every((name) => required.includes(name))) return false
    if (!Object.values(properties).every(isStrict)) return false
  }
  if (schema.items !== undefined && !isStrict(schema.items)) return false
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf : []
  const definitions = isRecord(schema.$defs) ? Object.values(schema.$defs) : []
  return choices.every(isStrict) && definitions.every(isStrict)
}

const typed = ["type", "anyOf", "enum", "const", "$ref"]
const loose = ["oneOf", "allOf", "not", "prefixItems", "patternProperties"]
