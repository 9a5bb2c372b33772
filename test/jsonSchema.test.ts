/** From a Schema to the JSON Schema that vendors take. */
import { assert, describe, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import * as JsonSchema from "../src/internal/jsonSchema.js"

const made = <A, I, R>(schema: Schema.Schema<A, I, R>) => Either.getOrThrow(JsonSchema.make(schema))

const reason = <A, I, R>(schema: Schema.Schema<A, I, R>) =>
  Either.getOrThrow(Either.flip(JsonSchema.make(schema)))

class Person extends Schema.Class<Person>("Person")({ name: Schema.String, age: Schema.Int }) {}

interface Category {
  readonly name: string
  readonly parts: ReadonlyArray<Category>
}
const Category: Schema.Schema<Category> = Schema.Struct({
  name: Schema.String,
  parts: Schema.Array(Schema.suspend((): Schema.Schema<Category> => Category))
}).annotations({ identifier: "Category" })

interface Unnamed {
  readonly next: Unnamed | null
}
const Unnamed: Schema.Schema<Unnamed> = Schema.Struct({
  next: Schema.NullOr(Schema.suspend((): Schema.Schema<Unnamed> => Unnamed))
})

const person = {
  type: "object",
  required: ["name", "age"],
  properties: { name: { type: "string" }, age: { type: "integer", description: "an integer", title: "int" } },
  additionalProperties: false
}

describe("JSON Schema", () => {
  it("is of what a Schema encodes to", () => {
    assert.deepStrictEqual(made(Schema.Struct({ at: Schema.DateFromString, n: Schema.NumberFromString })), {
      type: "object",
      required: ["at", "n"],
      properties: {
        at: { type: "string", description: "a string to be decoded into a Date" },
        n: { type: "string", description: "a string to be decoded into a number" }
      },
      additionalProperties: false
    })
  })

  it("of a class has the class itself at its root, without references", () => {
    assert.deepStrictEqual(made(Person), person)
  })

  it("has what bears a name where it is used, with the description that it has there", () => {
    const Both = Schema.Struct({
      boss: Person,
      clerk: Person,
      desk: Schema.NonEmptyString.annotations({ description: "Its number" })
    })
    assert.deepStrictEqual(made(Both).properties, {
      boss: person,
      clerk: person,
      desk: { type: "string", minLength: 1, title: "nonEmptyString", description: "Its number" }
    })
    assert.notInclude(JSON.stringify(made(Both)), "$ref")
  })

  it("of what holds itself keeps the reference, and the definition", () => {
    const category = {
      type: "object",
      required: ["name", "parts"],
      properties: {
        name: { type: "string" },
        parts: { type: "array", items: { $ref: "#/$defs/Category" } }
      },
      additionalProperties: false
    }
    assert.deepStrictEqual(made(Category), { ...category, $defs: { Category: category } })
    const shop = made(Schema.Struct({ root: Category, owner: Person }))
    assert.deepStrictEqual(shop.properties, { root: { $ref: "#/$defs/Category" }, owner: person })
    assert.deepStrictEqual(shop.$defs, { Category: category })
  })

  it("of what would grow beyond measure without references has them", () => {
    const identified = (n: number, schema: Schema.Schema.Any): Schema.Schema.Any =>
      n === 0
        ? schema
        : identified(
            n - 1,
            Schema.Struct({ a: schema, b: schema, c: schema }).annotations({ identifier: `Level${n}` })
          )
    const deep = made(Schema.Struct({ top: Schema.asSchema(identified(9, Person)) }))
    assert.isBelow(JSON.stringify(deep).length, 10_000)
    assert.deepStrictEqual(deep.properties, { top: { $ref: "#/$defs/Level1" } })
    assert.strictEqual(Object.keys(deep.$defs as object).length, 11)
  })

  it("has tuples as draft 2020-12 writes them", () => {
    assert.deepStrictEqual(
      made(Schema.Struct({ at: Schema.Tuple(Schema.Number, Schema.Number) })).properties,
      {
        at: {
          type: "array",
          minItems: 2,
          prefixItems: [{ type: "number" }, { type: "number" }],
          items: false
        }
      }
    )
  })

  it("knows what TypeScript has and JSON Schema has not", () => {
    assert.deepStrictEqual(
      made(Schema.Struct({ any: Schema.Unknown, object: Schema.Object, empty: Schema.Struct({}) }))
        .properties,
      {
        any: {},
        object: { type: "object" },
        empty: { type: "object", properties: {}, additionalProperties: false }
      }
    )
    assert.deepStrictEqual(made(Schema.Struct({})), {
      type: "object",
      properties: {},
      additionalProperties: false
    })
  })

  it("leaves a property alone that is called like a keyword", () => {
    const names = { $ref: Schema.String, $id: Schema.String, properties: Schema.String, items: Schema.Int }
    assert.deepStrictEqual(Object.keys(made(Schema.Struct(names)).properties as object), Object.keys(names))
  })

  it("of a record has an object without properties", () => {
    assert.deepInclude(made(Schema.Record({ key: Schema.String, value: Schema.Number })), {
      type: "object",
      properties: {},
      additionalProperties: { type: "number" }
    })
  })

  it("is made once for each Schema", () => {
    assert.strictEqual(JsonSchema.make(Person), JsonSchema.make(Person))
  })
})

describe("a Schema without JSON Schema", () => {
  it("tells where, in one line", () => {
    const why = reason(Schema.Struct({ a: Schema.Struct({ n: Schema.BigIntFromSelf }) }))
    assert.include(why, '["a"]["n"]')
    assert.notInclude(why, "\n")
  })

  it("needs a name if it holds itself", () => {
    assert.include(reason(Unnamed), "identifier")
  })

  it("must be an object at its root", () => {
    for (const schema of [
      Schema.String,
      Schema.Array(Person),
      Schema.Union(Person, Category),
      Schema.Unknown
    ]) {
      assert.include(reason(schema as Schema.Schema<unknown>), "object")
    }
  })
})

describe("a strict JSON Schema", () => {
  it("requires every property, allows no others, and has a type for everything", () => {
    assert.isTrue(JsonSchema.isStrict(made(Person)))
    assert.isTrue(JsonSchema.isStrict(made(Category)))
    assert.isTrue(JsonSchema.isStrict(made(Schema.Struct({ a: Schema.NullOr(Schema.Literal("x", "y")) }))))
    assert.isTrue(JsonSchema.isStrict(made(Schema.Struct({}))))
    const loose = [
      Schema.Struct({ a: Schema.optional(Schema.String) }),
      Schema.Struct({ a: Schema.Array(Schema.Struct({ b: Schema.optional(Schema.String) })) }),
      Schema.Struct({ a: Schema.Record({ key: Schema.String, value: Schema.String }) }),
      Schema.Struct({ a: Schema.Unknown }),
      Schema.Struct({ a: Schema.Array(Schema.Unknown) }),
      Schema.Struct({ a: Schema.Tuple(Schema.String) })
    ]
    for (const schema of loose) assert.isFalse(JsonSchema.isStrict(made(schema as Schema.Schema<unknown>)))
  })
})
