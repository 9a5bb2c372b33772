import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { split } from "../src/internal/eventSplit.js"

const newline = 10
/** Lines of many lengths: newlines are frequent. */
const bytes = fc
  .array(fc.oneof(fc.constant(newline), fc.integer({ min: 0, max: 255 })), { maxLength: 400 })
  .map((bytes) => new Uint8Array(bytes))
const sizes = fc.integer({ min: 1, max: 64 })

describe("small pieces of an event stream", () => {
  it.prop("they join to the same bytes", [bytes, sizes], ([bytes, size]) => {
    assert.deepStrictEqual(Buffer.concat(split(bytes, size)), Buffer.from(bytes))
  })

  it.prop("each but the last ends behind a line", [bytes, sizes], ([bytes, size]) => {
    for (const piece of split(bytes, size).slice(0, -1)) assert.strictEqual(piece.at(-1), newline)
  })

  it.prop("each that is longer than asked for is one line", [bytes, sizes], ([bytes, size]) => {
    for (const piece of split(bytes, size)) {
      if (piece.length > size) assert.isAtLeast(piece.indexOf(newline, 0) + 1 || piece.length, piece.length)
    }
  })

  it.prop(
    "there are no more of them than two for each size and one for each long line",
    [bytes, sizes],
    ([bytes, size]) => {
      const lines = Buffer.from(bytes).toString("latin1").split("\n")
      const long = lines.filter((line) => line.length >= size).length
      assert.isAtMost(split(bytes, size).length, 2 * Math.ceil(bytes.length / size) + long + 1)
    }
  )

  it("what is small enough is not copied", () => {
    const small = new TextEncoder().encode("data: a\n\n")
    assert.strictEqual(split(small)[0], small)
    assert.lengthOf(split(new Uint8Array()), 1)
  })

  it("a stream of eight megabytes is split in no time, with lines and without", () => {
    const started = performance.now()
    assert.lengthOf(split(new Uint8Array(8_000_000).fill(97)), 1)
    const lines = new TextEncoder().encode("data: abc\n\n".repeat(700_000))
    assert.isAbove(split(lines).length, 10_000)
    assert.isBelow(performance.now() - started, 2000)
  })
})
