import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { EventBlocks } from "../src/internal/resume/eventBlocks.js"
import { decode, encode } from "./resumeServer.js"

/** What is whole after each read, and what is left. */
const cut = (pieces: ReadonlyArray<string | Uint8Array>, blocks = new EventBlocks(0)) => {
  const whole = pieces.map((piece) => decode(blocks.push(typeof piece === "string" ? encode(piece) : piece)))
  return { whole, count: blocks.count, isHalf: blocks.isHalf, held: decode(blocks.held) }
}

const pieces = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((place, n) => bytes.subarray(at[n], place))
}

describe("cutting bytes into whole events", () => {
  for (const [name, end] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"]
  ] as const) {
    it(`${name}: a read gives the events that are whole, and holds the half one back`, () => {
      const text = `data: 1${end}${end}event: a${end}data: 2${end}${end}data: 3${end}`
      assert.deepStrictEqual(cut([text]), {
        whole: [text.slice(0, text.indexOf("data: 3"))],
        count: 2,
        isHalf: true,
        held: `data: 3${end}`
      })
    })

    it(`${name}: an event is given with the read that ends it, not with the next`, () => {
      const blocks = new EventBlocks(0)
      const found = [...`data: 1${end}${end}data: 2${end}${end}`].map((byte) =>
        decode(blocks.push(encode(byte)))
      )
      assert.deepStrictEqual(
        found.filter((it) => it !== ""),
        [`data: 1${end}${end}`, `data: 2${end}${end}`]
      )
      assert.isFalse(blocks.isHalf)
    })
  }

  it("comments count: the server counts blank lines", () => {
    assert.strictEqual(cut([": keep-alive\n\ndata: 1\n\n:\n\n"]).count, 3)
  })

  it("mixed line ends count alike", () => {
    assert.strictEqual(cut(["a\n\r\nb\r\n\nc\r\rd\r\r\ne\r\n\r\nf\n\n"]).count, 6)
  })

  it("blank lines count in pairs, as occurrences of \\n\\n do", () => {
    for (const text of [
      "a\n\n\n",
      "a\n\n\n\n",
      "\n\na\n\n",
      "a\n\n\nb\n\n",
      "\n\n\n\n\n",
      "a\n\n\n\n\nb\n\n"
    ]) {
      assert.strictEqual(cut([text]).count, text.split("\n\n").length - 1, JSON.stringify(text))
    }
  })

  it("a line end behind the last event is no half event", () => {
    assert.isFalse(cut(["data: 1\n\n\n"]).isHalf)
    assert.isTrue(cut(["data: 1\n\nd"]).isHalf)
  })

  it("a blank line of which the line feed is missing is not whole yet", () => {
    assert.deepStrictEqual(cut(["data: 1\r\n\r"]), {
      whole: [""],
      count: 0,
      isHalf: true,
      held: "data: 1\r\n\r"
    })
    assert.deepStrictEqual(cut(["data: 1\r\n\r", "\n"]).whole, ["", "data: 1\r\n\r\n"])
  })

  it("what is discarded comes again, and is counted once", () => {
    const blocks = new EventBlocks(0)
    blocks.push(encode("data: 1\n\ndata: 2\n"))
    blocks.discard()
    assert.strictEqual(decode(blocks.push(encode("data: 2\n\n"))), "data: 2\n\n")
    assert.strictEqual(blocks.count, 2)
  })

  it("counting goes on where another invocation stopped", () => {
    assert.strictEqual(cut(["data: 8\n\n"], new EventBlocks(7)).count, 8)
  })

  const tokens = fc.array(fc.constantFrom("\n", "\r\n", "\r", "\n\n", "data: ü", ":", " ", "世"), {
    maxLength: 40
  })

  it("any text, cut anywhere, comes unchanged, and counts as it does uncut", () => {
    fc.assert(
      fc.property(tokens, fc.array(fc.nat(), { maxLength: 12 }), (words, places) => {
        const bytes = encode(words.join(""))
        const uncut = cut([bytes])
        const blocks = new EventBlocks(0)
        const given = pieces(bytes, places).map((piece) => decode(blocks.push(piece).slice()))
        assert.strictEqual(given.join("") + decode(blocks.held), words.join(""))
        assert.strictEqual(blocks.count, uncut.count)
        assert.strictEqual(blocks.isHalf, uncut.isHalf)
        assert.strictEqual(given.join(""), uncut.whole.join(""))
      }),
      { numRuns: 5000 }
    )
  })

  it("with LF or CRLF alone, the count is that of the blank lines in the text", () => {
    const lines = fc.array(fc.constantFrom("", "data: 1", ": c", " "), { maxLength: 30 })
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom("\n", "\r\n"),
        fc.array(fc.nat(), { maxLength: 8 }),
        (all, end, places) => {
          const text = all.map((line) => line + end).join("")
          const { count } = cut(pieces(encode(text), places))
          assert.strictEqual(count, text.split(end + end).length - 1)
        }
      ),
      { numRuns: 5000 }
    )
  })

  it("an event of a megabyte that comes byte by byte takes as long per byte as a short one", () => {
    const time = (bytes: Uint8Array): number => {
      const started = performance.now()
      const blocks = new EventBlocks(0)
      for (let at = 0; at < bytes.length; at++) blocks.push(bytes.subarray(at, at + 1))
      assert.strictEqual(blocks.count, bytes.length === 0 ? 0 : count(bytes))
      return performance.now() - started
    }
    const count = (bytes: Uint8Array) => decode(bytes).split("\n\n").length - 1
    const long = encode(`data: ${"x".repeat(1_000_000)}\n\n`)
    const short = encode(`data: ${"x".repeat(92)}\n\n`.repeat(10_000))
    time(short)
    // Quadratic work would be ten thousand times as much.
    assert.isBelow(time(long), 50 * time(short) + 200)
  })

  it("an event of more than 16 MiB is given up, and nothing of it is kept", () => {
    const blocks = new EventBlocks(0)
    const piece = encode("x".repeat(1024 * 1024))
    for (let n = 0; n < 16; n++) blocks.push(piece)
    assert.isFalse(blocks.tooLong)
    blocks.push(encode("x"))
    assert.isTrue(blocks.tooLong)
    assert.strictEqual(blocks.held.length, 0)
  })
})
