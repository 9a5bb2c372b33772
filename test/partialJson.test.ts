/** JSON that is still being written. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as PartialJson from "../src/internal/partialJson.js"

const read = (...texts: ReadonlyArray<string>) => {
  const json = PartialJson.make()
  for (const text of texts) json.push(text)
  return json
}

/** Can `part` still grow into `whole`? */
const isPrefix = (part: unknown, whole: unknown): boolean => {
  if (part === undefined) return true
  if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part)
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      part.length <= whole.length &&
      part.every((item, index) => isPrefix(item, whole[index]))
    )
  }
  if (typeof part === "object" && part !== null) {
    return (
      typeof whole === "object" &&
      whole !== null &&
      Object.entries(part).every(
        ([key, item]) => Object.hasOwn(whole, key) && isPrefix(item, Reflect.get(whole, key))
      )
    )
  }
  return Object.is(part, whole)
}

describe("JSON that is still being written", () => {
  const steps: ReadonlyArray<readonly [text: string, value: unknown]> = [
    ["", undefined],
    ["  ", undefined],
    ["{", {}],
    ['{"na', {}],
    ['{"name"', {}],
    ['{"name":', {}],
    ['{"name":"', { name: "" }],
    ['{"name":"Ad', { name: "Ad" }],
    ['{"name":"Ada","age":3', { name: "Ada" }],
    ['{"name":"Ada","age":36,', { name: "Ada", age: 36 }],
    ['{"name":"Ada","age":36,"tags":[', { name: "Ada", age: 36, tags: [] }],
    ['{"tags":["a","b', { tags: ["a", "b"] }],
    ['{"tags":["a","b"],"ok":tru', { tags: ["a", "b"] }],
    ['{"tags":["a","b"],"ok":true', { tags: ["a", "b"] }],
    ['{"tags":["a","b"],"ok":true}', { tags: ["a", "b"], ok: true }],
    ["[[1,2],[3", [[1, 2], []]],
    ['{"a":{"b":{"c":"', { a: { b: { c: "" } } }],
    ['["a\\', ["a"]],
    ['["a\\u00', ["a"]],
    ['["a\\u00e9', ["aé"]]
  ]
  for (const [text, value] of steps) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(value)} so far`, () => {
      assert.deepStrictEqual(read(text).value(), value)
    })
  }

  it("every prefix of a text gives what the value can still grow from, and the whole gives the value", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), FastCheck.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const whole: unknown = JSON.parse(text)
        const json = PartialJson.make()
        let before: unknown
        for (let length = 1; length <= text.length; length++) {
          json.push(text.slice(length - 1, length))
          const now = json.value()
          assert.isTrue(isPrefix(now, whole), text.slice(0, length))
          assert.isTrue(isPrefix(before, now), text.slice(0, length))
          before = now
        }
        json.end()
        assert.strictEqual(json.progress(), "closed")
        assert.deepStrictEqual(json.value(), whole)
      }),
      { numRuns: 500 }
    )
  })

  it("it does not matter how the text is cut, nor how its characters are escaped", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue(),
        FastCheck.array(FastCheck.integer({ min: 1, max: 9 }), { minLength: 1 }),
        FastCheck.boolean(),
        (value, cuts, escaped) => {
          const plain = JSON.stringify(value)
          const text = escaped
            ? plain.replace(
                /[^\x20-\x7e]/g,
                (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
              )
            : plain
          const json = PartialJson.make()
          for (let at = 0, cut = 0; at < text.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1
            json.push(text.slice(at, at + size))
            at += size
          }
          json.end()
          assert.deepStrictEqual(json.value(), JSON.parse(text))
        }
      ),
      { numRuns: 500 }
    )
  })

  it("what was given out does not change any more", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (value) => {
        const json = PartialJson.make()
        const given: Array<readonly [value: unknown, copy: string]> = []
        for (const char of JSON.stringify(value)) {
          json.push(char)
          given.push([json.value(), JSON.stringify(json.value()) ?? ""])
        }
        for (const [now, copy] of given) assert.strictEqual(JSON.stringify(now) ?? "", copy)
      })
    )
  })

  it("a push tells whether the value has changed, and nothing else has", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (value) => {
        const json = PartialJson.make()
        let before = ""
        for (const unit of JSON.stringify(value, undefined, 1).split("")) {
          const changed = json.push(unit)
          const now = JSON.stringify(json.value()) ?? ""
          assert.strictEqual(changed, now !== before, `${before} ${unit} ${now}`)
          before = now
        }
      }),
      { numRuns: 300 }
    )
  })

  it("half of a character is not shown", () => {
    assert.deepStrictEqual(read('["a\ud83d').value(), ["a"])
    assert.deepStrictEqual(read('["a\ud83d', "\ude00").value(), ["a😀"])
    assert.deepStrictEqual(read('["a\\ud83d').value(), ["a"])
    assert.deepStrictEqual(read('["a\\ud83d\\ude00').value(), ["a😀"])
  })

  it("a key may have any name, as JSON.parse has it", () => {
    const value = read('{"__proto__":{"a":1},"constructor":"x').value()
    assert.deepStrictEqual(Object.keys(Object(value)), ["__proto__", "constructor"])
    assert.isUndefined(Reflect.get({}, "a"))
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
  })

  it("a block of Markdown around it is no part of it", () => {
    for (const opening of ["```json\n", "```\n", "\n ```JSON \n"]) {
      const json = read(opening, '{"a":1}', "\n```\n")
      assert.strictEqual(json.progress(), "closed", opening)
      assert.deepStrictEqual(json.value(), { a: 1 })
    }
    assert.strictEqual(read("``").progress(), "open")
    assert.strictEqual(read("```python\n").progress(), "broken")
  })

  it("text that is no JSON is broken where it ceases to be JSON, and keeps what was before", () => {
    const broken: ReadonlyArray<readonly [text: string, value: unknown]> = [
      ["Sure! Here", undefined],
      ['{"a":1 "b"', { a: 1 }],
      ['{"a":01}', {}],
      ['{"a":+1}', {}],
      ['{"a":1.}', {}],
      ['{"a":nul}', {}],
      ['{"a":"b\nc"}', { a: "b" }],
      ['{"a":"b\\x"}', { a: "b" }],
      ['{"a":"b\\u12g4"}', { a: "b" }],
      ["{a:1}", {}],
      ["{'a':1}", {}],
      ['{"a":1,}', { a: 1 }],
      ["[1,]", [1]],
      ["[1}", [1]],
      ["[,", []],
      ['{"a":1} and', { a: 1 }],
      ['{"a":1}{', { a: 1 }]
    ]
    for (const [text, value] of broken) {
      const json = read(text, "}}]]")
      assert.strictEqual(json.progress(), "broken", text)
      assert.deepStrictEqual(json.value(), value, text)
    }
  })

  it("is broken or open exactly where JSON.parse refuses the text", () => {
    const token = FastCheck.constantFrom(
      ..."{}[],:".split(""),
      '"a"',
      '"',
      "\\",
      "1",
      "-",
      ".5",
      "e3",
      "0",
      "true",
      "null",
      " ",
      "\n",
      "x"
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join("")
        let parsed: unknown
        try {
          parsed = JSON.parse(text)
        } catch {}
        const json = read(text)
        json.end()
        assert.strictEqual(json.progress() === "closed", parsed !== undefined, text)
        if (parsed !== undefined) assert.deepStrictEqual(json.value(), parsed)
      }),
      { numRuns: 5000 }
    )
  })

  it("nesting that no stack could follow is no problem", () => {
    const deep = 100_000
    const json = read("[".repeat(deep))
    assert.strictEqual(json.progress(), "open")
    json.push("]".repeat(deep))
    assert.strictEqual(json.progress(), "closed")
  })

  it("a thousand values of an object of 100 kB cost far less than parsing it a thousand times", () => {
    const items = Array.from({ length: 1000 }, (_, id) => ({
      id,
      name: "n".repeat(40),
      tags: ["a", "b"],
      on: id % 2 > 0
    }))
    const text = JSON.stringify({ items })
    const size = Math.ceil(text.length / 1000)
    const json = PartialJson.make()
    const started = performance.now()
    for (let at = 0; at < text.length; at += size) {
      json.push(text.slice(at, at + size))
      json.value()
    }
    const took = performance.now() - started
    assert.deepStrictEqual(json.value(), { items })
    // About 15 ms; the limit is for a machine that does much else.
    assert.isBelow(took, 1000, `${took} ms`)
  })
})
