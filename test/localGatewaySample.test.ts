import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import { sample } from "../src/internal/local/sample.js"
import { samplePattern } from "../src/internal/local/samplePattern.js"

// What the built-in model makes up must be accepted by whoever gave it the schema: Effect decodes it.

interface Tree {
  readonly value: number
  readonly left?: Tree | undefined
  readonly children: ReadonlyArray<Tree>
}

const Tree: Schema.Schema<Tree> = Schema.Struct({
  value: Schema.Int.pipe(Schema.between(3, 7)),
  left: Schema.optional(Schema.suspend(() => Tree)),
  children: Schema.Array(Schema.suspend(() => Tree))
}).annotations({ identifier: "Tree" })

class Person extends Schema.Class<Person>("Person")({
  name: Schema.NonEmptyString,
  born: Schema.Date,
  age: Schema.NumberFromString
}) {}

const schemas: ReadonlyArray<readonly [string, Schema.Schema.AnyNoContext]> = [
  ["nested objects", Schema.Struct({ a: Schema.Struct({ b: Schema.Struct({ c: Schema.Boolean }) }) })],
  ["arrays", Schema.Struct({ a: Schema.NonEmptyArray(Schema.Number), b: Schema.Array(Schema.String) })],
  ["arrays of a length", Schema.Struct({ a: Schema.Array(Schema.Int).pipe(Schema.itemsCount(3)) })],
  ["tuples", Schema.Struct({ a: Schema.Tuple(Schema.String, Schema.Number) })],
  ["tuples with a rest", Schema.Struct({ a: Schema.Tuple([Schema.String], Schema.Number) })],
  ["literals", Schema.Struct({ a: Schema.Literal("x", "y"), b: Schema.Literal(3), c: Schema.Null })],
  ["enums", Schema.Struct({ a: Schema.Enums({ A: "a", B: 2 } as const) })],
  ["unions", Schema.Struct({ a: Schema.Union(Schema.Struct({ k: Schema.Literal("a") }), Schema.Number) })],
  ["null or something", Schema.Struct({ a: Schema.NullOr(Schema.Int.pipe(Schema.greaterThan(4))) })],
  ["optional fields", Schema.Struct({ a: Schema.optional(Schema.Int) })],
  ["integer bounds", Schema.Struct({ a: Schema.Int.pipe(Schema.greaterThan(3), Schema.lessThan(5)) })],
  ["negative bounds", Schema.Struct({ a: Schema.Int.pipe(Schema.lessThanOrEqualTo(-3)) })],
  ["fractions", Schema.Struct({ a: Schema.Number.pipe(Schema.greaterThan(0), Schema.lessThan(1)) })],
  ["multiples", Schema.Struct({ a: Schema.Number.pipe(Schema.multipleOf(5), Schema.greaterThan(3)) })],
  ["lengths", Schema.Struct({ a: Schema.String.pipe(Schema.length(4)), b: Schema.NonEmptyString })],
  ["patterns", Schema.Struct({ a: Schema.String.pipe(Schema.pattern(/^[A-Z]{3}-\d+(?:\.\d{2})?$/)) })],
  ["template literals", Schema.Struct({ a: Schema.TemplateLiteral("a-", Schema.Number) })],
  ["UUIDs and ULIDs", Schema.Struct({ a: Schema.UUID, b: Schema.ULID })],
  [
    "dates, numbers and URLs as text",
    Schema.Struct({ a: Schema.Date, b: Schema.NumberFromString, c: Schema.URL })
  ],
  ["records", Schema.Struct({ a: Schema.Record({ key: Schema.String, value: Schema.Number }) })],
  ["anything", Schema.Struct({ a: Schema.Unknown, b: Schema.Object })],
  ["classes", Schema.Struct({ who: Person, also: Schema.Array(Person) })],
  ["schemas that contain themselves", Schema.Struct({ tree: Tree })]
]

const hostile = 'You said: "x"\n'

describe("LocalGateway: values that fit a schema of Effect's", () => {
  it.effect.each(schemas.map(([name, schema]) => ({ name, schema })))("$name", ({ schema }) =>
    Effect.gen(function* () {
      const value = sample(JSONSchema.make(schema), hostile)
      yield* Schema.decodeUnknown(schema, { onExcessProperty: "error" })(value)
    })
  )

  it.each([
    ["Google's upper case", { type: "OBJECT", properties: { a: { type: "INTEGER" } } }, { a: 0 }],
    ["const", { const: { a: 1 } }, { a: 1 }],
    ["allOf", { type: "integer", allOf: [{ minimum: 2 }, { minimum: 5 }] }, 5],
    [
      "allOf of references",
      { $defs: { A: { type: "integer", minimum: 4 } }, allOf: [{ $ref: "#/$defs/A" }] },
      4
    ],
    [
      "a reference with bounds beside it",
      { $defs: { I: { type: "integer" } }, $ref: "#/$defs/I", minimum: 9 },
      9
    ],
    ["a reference that is escaped", { $defs: { "a/b": { const: 1 } }, $ref: "#/$defs/a~1b" }, 1],
    ["prefixItems", { type: "array", prefixItems: [{ const: 1 }, { const: 2 }], items: false }, [1, 2]],
    ["maxLength", { type: "string", maxLength: 3 }, "You"],
    ["several types", { type: ["integer", "null"] }, 0],
    ["formats", { type: "string", format: "date-time" }, "2026-01-01T00:00:00Z"],
    ["nothing that ends", { $defs: { A: { $ref: "#/$defs/A" } }, $ref: "#/$defs/A" }, null]
  ])("%s", (_, schema, value) => {
    assert.deepStrictEqual(sample(schema, hostile), value)
  })

  it("any integer bounds are kept", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer(), FastCheck.nat(1000), (low, more) => {
        const value = sample({ type: "integer", minimum: low, maximum: low + more }, "")
        assert.isTrue(typeof value === "number" && value >= low && value <= low + more)
      })
    )
  })

  it("patterns of the usual grammar are matched, and others are given up", () => {
    for (const pattern of [
      "^[a-f0-9]{8}$",
      "^(red|green) (?:one|two)?$",
      "^\\d{4}-\\d{2}-\\d{2}$",
      "^[^a]+$",
      "^\\S+@\\S+\\.\\S+$",
      "^(?=.*x)x$",
      "[\\]]",
      "^a.c$",
      "^\\u0041\\t?$"
    ])
      assert.match(samplePattern(pattern) ?? "", new RegExp(pattern, "u"), pattern)
    assert.strictEqual(samplePattern("^x*$", 5), "xxxxx")
    assert.isUndefined(samplePattern("("))
    assert.isUndefined(samplePattern("^(?!a)a$"))
  })
})
