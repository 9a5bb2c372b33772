/**
 * Amazon's binary event stream. The frames are made by Amazon's own encoder (`@smithy/eventstream-codec`), which shares no
 * code with ours.
 */
import { assert, describe, it } from "@effect/vitest"
import { EventStreamCodec, Int64, type MessageHeaders } from "@smithy/eventstream-codec"
import { FastCheck as fc } from "effect"
import { exceptionOf, format } from "../../src/internal/wire/awsEventStream.js"
import { crc32 } from "../../src/internal/wire/crc32.js"
import type { Fault } from "../../src/internal/wire/wire.js"

const utf8 = { encode: (text: string) => new TextEncoder().encode(text) }
const codec = new EventStreamCodec(
  (bytes) => new TextDecoder().decode(typeof bytes === "string" ? utf8.encode(bytes) : bytes),
  utf8.encode
)

const text = (value: string) => ({ type: "string" as const, value })

const frame = (headers: MessageHeaders, payload: string): Uint8Array =>
  codec.encode({ headers, body: utf8.encode(payload) })

const eventFrame = (type: string, payload: string) =>
  frame(
    {
      ":message-type": text("event"),
      ":event-type": text(type),
      ":content-type": text("application/json")
    },
    payload
  )

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

interface Read {
  readonly events: ReadonlyArray<readonly [name: string | undefined, data: string]>
  readonly fault: Fault | undefined
}

/** Reads a body that comes in these pieces, to its end or to a fault. */
const read = (pieces: ReadonlyArray<Uint8Array>): Read => {
  const framing = format.make()
  const events: Array<readonly [string | undefined, string]> = []
  for (const piece of pieces) {
    const fault = framing.push(piece, (data, name) => events.push([name, data]))
    if (fault !== undefined) return { events, fault }
  }
  return { events, fault: framing.end() }
}

const problemOf = ({ fault }: Read): string =>
  fault?._tag === "MalformedFault" ? `${fault.place}: ${fault.problem}` : String(fault?._tag)

/** The pieces between these places. */
const cut = (body: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const sorted = [...places].sort((a, b) => a - b)
  const pieces: Array<Uint8Array> = []
  let from = 0
  for (const place of [...sorted, body.length]) {
    // Each piece is a copy at an odd place of a larger buffer, as network reads are.
    const buffer = new Uint8Array(place - from + 3)
    buffer.set(body.subarray(from, place), 3)
    pieces.push(buffer.subarray(3))
    from = place
  }
  return pieces
}

const conversation = joined(
  eventFrame("messageStart", '{"role":"assistant"}'),
  eventFrame("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"Grüße 🧀"}}'),
  eventFrame("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"!"}}'),
  eventFrame("ping", ""),
  eventFrame("messageStop", '{"stopReason":"end_turn"}')
)

const events: Read["events"] = [
  ["messageStart", '{"role":"assistant"}'],
  ["contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"Grüße 🧀"}}'],
  ["contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"!"}}'],
  ["ping", ""],
  ["messageStop", '{"stopReason":"end_turn"}']
]

describe("frames, however the network cuts them", () => {
  it("are events with their names, in one piece", () => {
    assert.deepStrictEqual(read([conversation]), { events, fault: undefined })
  })

  it("are the same events byte by byte", () => {
    assert.deepStrictEqual(read([...conversation].map((byte) => Uint8Array.of(byte))), {
      events,
      fault: undefined
    })
  })

  it("are the same events in two pieces, cut at every place", () => {
    for (let place = 0; place <= conversation.length; place++) {
      assert.deepStrictEqual(
        read(cut(conversation, [place])),
        { events, fault: undefined },
        `cut at ${place}`
      )
    }
  })

  it("are the same events in any pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: conversation.length }), { maxLength: 20 }), (places) =>
        assert.deepStrictEqual(read(cut(conversation, places)), { events, fault: undefined })
      ),
      { numRuns: 1500 }
    )
  })

  it("of any payloads and any headers are read as Amazon's encoder wrote them", () => {
    const header = fc.oneof(
      fc.boolean().map((value) => ({ type: "boolean" as const, value })),
      fc.integer({ min: -128, max: 127 }).map((value) => ({ type: "byte" as const, value })),
      fc.integer({ min: -32_768, max: 32_767 }).map((value) => ({ type: "short" as const, value })),
      fc.integer().map((value) => ({ type: "integer" as const, value })),
      fc.maxSafeInteger().map((value) => ({ type: "long" as const, value: Int64.fromNumber(value) })),
      fc.uint8Array({ maxLength: 300 }).map((value) => ({ type: "binary" as const, value })),
      fc.string({ maxLength: 80 }).map((value) => ({ type: "string" as const, value })),
      fc.date({ noInvalidDate: true }).map((value) => ({ type: "timestamp" as const, value })),
      fc.uuid().map((value) => ({ type: "uuid" as const, value }))
    )
    const name = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 })
    const message = fc.record({
      before: fc.dictionary(name, header, { maxKeys: 4 }),
      after: fc.dictionary(name, header, { maxKeys: 4 }),
      type: fc.constantFrom("contentBlockDelta", "messageStop", "métadonnées"),
      payload: fc.string({ unit: "grapheme", maxLength: 60 })
    })
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (messages, cuts) => {
          const body = joined(
            ...messages.map(({ before, after, type, payload }) =>
              frame(
                { ...before, ":event-type": text(type), ...after, ":message-type": text("event") },
                payload
              )
            )
          )
          const found = read(
            cut(
              body,
              cuts.map((part) => Math.floor(part * body.length))
            )
          )
          assert.isUndefined(found.fault)
          assert.deepStrictEqual(
            found.events,
            messages.map(({ payload, type }) => [type, payload])
          )
        }
      ),
      { numRuns: 1000 }
    )
  }, 30_000)

  it("keep their own names where the names of two types are as long, in any pieces", () => {
    const body = joined(
      eventFrame("contentBlockStart", "{}"),
      eventFrame("contentBlockDelta", "{}"),
      eventFrame("contentBlockDelta", "[]"),
      eventFrame("contentBlockStart", "[]")
    )
    for (const size of [1, 50, body.length]) {
      const pieces: Array<Uint8Array> = []
      for (let at = 0; at < body.length; at += size) pieces.push(body.subarray(at, at + size))
      assert.deepStrictEqual(read(pieces).events, [
        ["contentBlockStart", "{}"],
        ["contentBlockDelta", "{}"],
        ["contentBlockDelta", "[]"],
        ["contentBlockStart", "[]"]
      ])
    }
  })

  it("of a megabyte come whole, in small pieces", () => {
    const long = "x".repeat(1024 * 1024)
    const body = joined(eventFrame("a", long), eventFrame("b", ""))
    const pieces: Array<Uint8Array> = []
    for (let at = 0; at < body.length; at += 1000) pieces.push(body.subarray(at, at + 1000))
    const found = read(pieces)
    assert.deepStrictEqual(found.events, [
      ["a", long],
      ["b", ""]
    ])
  })
})

describe("exceptions and errors in a stream", () => {
  it("an exception is told apart from an event, with its type", () => {
    const body = frame(
      { ":message-type": text("exception"), ":exception-type": text("throttlingException") },
      '{"message":"slow down"}'
    )
    const [[name, data] = [undefined, ""]] = read([body]).events
    assert.strictEqual(exceptionOf(name), "throttlingException")
    assert.strictEqual(data, '{"message":"slow down"}')
    assert.isUndefined(exceptionOf("throttlingException"))
    assert.isUndefined(exceptionOf(undefined))
  })

  it("an error that the service does not model has its code, and the words of its header", () => {
    const body = frame(
      {
        ":message-type": text("error"),
        ":error-code": text("InternalFailure"),
        ":error-message": text('it "broke"')
      },
      ""
    )
    const [[name, data] = [undefined, ""]] = read([body]).events
    assert.strictEqual(exceptionOf(name), "InternalFailure")
    assert.deepStrictEqual(JSON.parse(data), { message: 'it "broke"' })
  })
})

// --- corruption -----------------------------------------------------------------------------------------------------------

const first = eventFrame("messageStart", '{"role":"assistant"}')
const second = eventFrame("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"Hello"}}')

const flipped = (bytes: Uint8Array, at: number, bit = 0): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

/** A frame that says this of itself, with checksums that are right. */
const lying = (total: number, headers: number, rest: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(16 + rest.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, total)
  view.setUint32(4, headers)
  view.setUint32(8, crc32(bytes, 0, 8))
  bytes.set(rest, 12)
  view.setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4))
  return bytes
}

describe("a corrupt frame", () => {
  it("is a fault that names the frame and the checksum, whichever bit was flipped; the events before it count", () => {
    for (let at = 0; at < second.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const found = read([joined(first, flipped(second, at, bit), first)])
        assert.deepStrictEqual(found.events, [["messageStart", '{"role":"assistant"}']])
        assert.strictEqual(
          problemOf(found),
          `frame 2 of the event stream: the checksum of ${at < 12 ? "its prelude" : "the message"} is wrong`
        )
      }
    }
  })

  it("is found in any pieces", () => {
    const body = joined(first, second, flipped(second, 40), first)
    fc.assert(
      fc.property(fc.array(fc.nat({ max: body.length }), { maxLength: 20 }), (places) => {
        const found = read(cut(body, places))
        assert.strictEqual(found.events.length, 2)
        assert.strictEqual(
          problemOf(found),
          "frame 3 of the event stream: the checksum of the message is wrong"
        )
      }),
      { numRuns: 500 }
    )
  })

  it("ends the stream: what comes behind it is not read", () => {
    const framing = format.make()
    const fault = framing.push(flipped(first, 0), () => assert.fail())
    assert.isDefined(fault)
    assert.strictEqual(
      framing.push(first, () => assert.fail()),
      fault
    )
    assert.strictEqual(framing.end(), fault)
  })

  it("that the stream ends in is a stream that is cut off", () => {
    for (const length of [1, 11, 12, second.length - 1]) {
      const found = read([joined(first, second.subarray(0, length))])
      assert.strictEqual(found.events.length, 1)
      assert.strictEqual(found.fault?._tag, "TruncatedFault")
    }
  })

  it("whose length is too much or too little is refused at its prelude, and nothing of it is waited for or kept", () => {
    for (const total of [0, 15, 16 * 1024 * 1024 + 1, 0xffffffff]) {
      const found = read([lying(total, 0, new Uint8Array(0)).subarray(0, 12)])
      assert.strictEqual(
        problemOf(found),
        `frame 1 of the event stream: its length is ${total} bytes, which is not from 16 to 16777216`
      )
    }
  })

  it("whose headers are longer than itself is refused", () => {
    assert.strictEqual(
      problemOf(read([lying(16, 1, new Uint8Array(0))])),
      "frame 1 of the event stream: its headers have 1 bytes, more than the frame of 16"
    )
  })

  it("whose headers run beyond themselves, or have a type that there is not, is refused", () => {
    const wrong: ReadonlyArray<readonly [bytes: ReadonlyArray<number>, problem: string]> = [
      [[5, 97], "the name of a header runs beyond its headers"],
      [[1, 97], "the name of a header runs beyond its headers"],
      [[1, 97, 10], "the header a has the type 10, which there is not"],
      [[1, 97, 4, 0, 0, 0], "the header a runs beyond its headers"],
      [[1, 97, 7, 0], "the header a runs beyond its headers"],
      [[1, 97, 7, 0, 9, 98], "the header a runs beyond its headers"],
      [[1, 97, 9, 1], "the header a runs beyond its headers"]
    ]
    for (const [bytes, problem] of wrong) {
      const found = read([lying(16 + bytes.length, bytes.length, Uint8Array.from(bytes))])
      assert.strictEqual(problemOf(found), `frame 1 of the event stream: ${problem}`)
    }
  })

  it("of any bytes is a fault or no frame at all, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (pieces) => {
        const found = read(pieces)
        assert.isTrue(
          found.fault !== undefined || found.events.length > 0 || pieces.every((piece) => piece.length === 0)
        )
      }),
      { numRuns: 2000 }
    )
  })

  it("of any headers, under right checksums, is read or is a fault, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        read([lying(16 + bytes.length, bytes.length, bytes)])
      }),
      { numRuns: 3000 }
    )
  })
})

describe("the checksum", () => {
  it("is zlib's", () => {
    assert.strictEqual(crc32(utf8.encode("123456789"), 0, 9), 0xcbf43926)
    assert.strictEqual(crc32(utf8.encode("xx123456789y"), 2, 11), 0xcbf43926)
    assert.strictEqual(crc32(new Uint8Array(0), 0, 0), 0)
  })
})
