/** Tool calls that a model wrote into its text, although it was made to call a tool. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { ChatEvent } from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import * as Reading from "../../src/internal/wire/reading.js"
import { type Decoder, type Fault, isFault, truncated, type Wire } from "../../src/internal/wire/wire.js"
import type { AssistantPart } from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"

const tools = [Tool.make("get_weather"), Tool.make("get_time")]

/** A wire whose body is a `Decoded`, and whose events are arrays of chat events as JSON. */
const wire = (ending: Fault | undefined = undefined): Wire => ({
  encode: () => ({ endpoint: "chat", body: {}, unsupported: [] }),
  decode: (json) => json as Decoded,
  decoder: (): Decoder => ({
    event: (data, _name, out) => {
      for (const event of JSON.parse(data)) out.push(event)
      return undefined
    },
    done: () => false,
    end: (out) => {
      if (ending !== undefined) return ending
      out.push(
        { _tag: "Usage", usage: { output: 1 } },
        { _tag: "Finish", finishReason: "stop", usage: { output: 1 } }
      )
      return undefined
    }
  })
})

const asked = (toolChoice: ChatRequest.ToolChoice | undefined): ChatRequest.ChatRequest => ({
  [ChatRequest.TypeId]: ChatRequest.TypeId,
  messages: [],
  tools,
  toolChoice
})

const forced = (ending?: Fault) =>
  Reading.of(wire(ending), asked("required"), { endpoint: "chat", body: {}, unsupported: [] })

const answer = (parts: ReadonlyArray<AssistantPart>): Decoded => ({ parts, finishReason: "stop", usage: {} })

const whole = (...texts: ReadonlyArray<string>): Decoded => {
  const decoded = forced().decode(answer(texts.map((text) => ({ type: "text", text }))))
  return isFault(decoded) ? assert.fail("a fault") : decoded
}

/** Feeds each piece as one event, and tells what each one let through. */
const streamed = (pieces: ReadonlyArray<string | ChatEvent>, ending?: Fault) => {
  const decoder = forced(ending).decoder()
  const steps: Array<ReadonlyArray<ChatEvent>> = []
  for (const piece of pieces) {
    const out: Array<ChatEvent> = []
    decoder.event(
      JSON.stringify([typeof piece === "string" ? { _tag: "TextDelta", text: piece } : piece]),
      undefined,
      out
    )
    steps.push(out)
  }
  const last: Array<ChatEvent> = []
  const fault = decoder.end(last)
  return { steps, last, all: [...steps.flat(), ...last], fault }
}

const callsOf = (events: ReadonlyArray<ChatEvent>) =>
  events.flatMap((event) => (event._tag === "ToolCall" ? [[event.name, event.arguments]] : []))

const textOf = (events: ReadonlyArray<ChatEvent>) =>
  events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")

const leaks: ReadonlyArray<
  readonly [what: string, text: string, calls: ReadonlyArray<readonly [string, unknown]>]
> = [
  [
    "name and arguments",
    '{"name":"get_weather","arguments":{"city":"Oslo"}}',
    [["get_weather", { city: "Oslo" }]]
  ],
  [
    "name and parameters",
    '{"name":"get_weather","parameters":{"city":"Oslo"}}',
    [["get_weather", { city: "Oslo" }]]
  ],
  [
    "arguments before the name",
    '{"arguments":{"city":"Oslo"},"name":"get_weather"}',
    [["get_weather", { city: "Oslo" }]]
  ],
  [
    "arguments as JSON text",
    '{"name":"get_weather","arguments":"{\\"city\\":\\"Oslo\\"}"}',
    [["get_weather", { city: "Oslo" }]]
  ],
  [
    "flattened, with its type",
    '{"type":"function","name":"get_weather","parameters":{"city":"Oslo"}}',
    [["get_weather", { city: "Oslo" }]]
  ],
  [
    "nested in function",
    '{"id":"x","type":"function","function":{"name":"get_time","arguments":"{}"}}',
    [["get_time", {}]]
  ],
  [
    "only function",
    '{"function":{"name":"get_time","arguments":{"zone":"CET"}}}',
    [["get_time", { zone: "CET" }]]
  ],
  [
    "arguments beside the name",
    '{"name":"get_weather","city":"Oslo","days":2}',
    [["get_weather", { city: "Oslo", days: 2 }]]
  ],
  ["no arguments at all", '{"name":"get_time"}', [["get_time", {}]]],
  [
    "several in an array",
    '[{"name":"get_weather","arguments":{"city":"Oslo"}},{"name":"get_time","parameters":{}}]',
    [
      ["get_weather", { city: "Oslo" }],
      ["get_time", {}]
    ]
  ],
  ["white space around it", '\n  {"name": "get_time",\n "arguments": {}}  \n', [["get_time", {}]]],
  ["a block of Markdown around it", '```json\n{"name":"get_time","arguments":{}}\n```', [["get_time", {}]]]
]

const texts: ReadonlyArray<readonly [what: string, text: string]> = [
  ["prose", "I cannot look at the weather."],
  ["prose with a call in it", 'Sure: {"name":"get_time","arguments":{}}'],
  ["a call with prose behind it", '{"name":"get_time","arguments":{}} is what I would call'],
  ["an unknown name", '{"name":"get_wind","arguments":{}}'],
  ["an unknown name that begins like a known one", '{"name":"get_weather_now","arguments":{}}'],
  ["the beginning of a known name", '{"name":"get_","arguments":{}}'],
  [
    "an array with an unknown name in it",
    '[{"name":"get_time","arguments":{}},{"name":"get_wind","arguments":{}}]'
  ],
  ["an empty array", "[]"],
  ["an empty object", "{}"],
  ["other JSON", '{"city":"Oslo","name":"get_weather"}'],
  ["other JSON of the same kind", '{"type":"person","name":"get_weather"}'],
  ["arguments that are neither an object nor text", '{"name":"get_time","arguments":[1]}'],
  ["two calls without an array", '{"name":"get_time","arguments":{}}{"name":"get_time","arguments":{}}'],
  ["a number", "42"],
  ["JSON that is not complete", '{"name":"get_time","arguments":{'],
  ["nothing but white space", "  \n"]
]

describe("a whole answer to a forced call", () => {
  for (const [what, text, calls] of leaks) {
    it(`is a call if its text is ${what}`, () => {
      const decoded = whole(text)
      assert.deepStrictEqual(
        decoded.parts.map((part) =>
          part.type === "tool-call" ? [part.name, JSON.parse(part.arguments)] : part
        ),
        calls.map((call) => [...call])
      )
      assert.strictEqual(decoded.finishReason, "tool-calls")
    })
  }

  for (const [what, text] of texts) {
    it(`stays text if it is ${what}`, () => {
      assert.deepStrictEqual(whole(text), answer([{ type: "text", text }]))
    })
  }

  it("is read across its parts, and keeps its reasoning", () => {
    const reasoning: AssistantPart = { type: "reasoning", text: "hm" }
    const decoded = forced().decode(
      answer([reasoning, { type: "text", text: '{"name":"get_' }, { type: "text", text: 'time"}' }])
    )
    assert.deepStrictEqual(isFault(decoded) ? [] : decoded.parts, [
      reasoning,
      { type: "tool-call", id: "call_0", name: "get_time", arguments: "{}" }
    ])
  })

  it("with a real call is left as it is", () => {
    const parts: ReadonlyArray<AssistantPart> = [
      { type: "text", text: '{"name":"get_time"}' },
      { type: "tool-call", id: "a", name: "get_weather", arguments: "{}" }
    ]
    assert.deepStrictEqual(forced().decode(answer(parts)), answer(parts))
  })

  it("that was cut off says so", () => {
    const cut = {
      ...answer([{ type: "text", text: '{"name":"get_time"}' }]),
      finishReason: "length" as const
    }
    const decoded = forced().decode(cut)
    assert.strictEqual(isFault(decoded) ? undefined : decoded.finishReason, "length")
  })

  it("may be a fault, which stays one", () => {
    const broken = Reading.of({ ...wire(), decode: () => truncated }, asked("required"), {
      endpoint: "",
      body: {},
      unsupported: []
    })
    assert.strictEqual(broken.decode({}), truncated)
  })
})

describe("a streamed answer to a forced call", () => {
  it("is a call in the same cases, however it is cut", () => {
    for (const [what, text, calls] of leaks) {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.array(FastCheck.integer({ min: 1, max: 12 }), { minLength: 1 }),
          (sizes) => {
            const { all } = streamed(cut(text, sizes))
            assert.deepStrictEqual(
              callsOf(all).map(([name, args]) => [name, JSON.parse(args ?? "")]),
              calls.map((call) => [...call]),
              what
            )
            assert.strictEqual(textOf(all), "", what)
            assert.deepStrictEqual(all.at(-1), {
              _tag: "Finish",
              finishReason: "tool-calls",
              usage: { output: 1 }
            })
            assert.deepStrictEqual(
              all.map(({ _tag }) => _tag),
              [...calls.flatMap(() => ["ToolCallDelta", "ToolCall"]), "Usage", "Finish"]
            )
          }
        ),
        { numRuns: 30 }
      )
    }
  })

  it("stays text in the same cases, and loses nothing", () => {
    for (const [what, text] of texts) {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.array(FastCheck.integer({ min: 1, max: 12 }), { minLength: 1 }),
          (sizes) => {
            const { all } = streamed(cut(text, sizes))
            assert.strictEqual(textOf(all), text, what)
            assert.deepStrictEqual(callsOf(all), [], what)
            assert.deepStrictEqual(all.at(-1), { _tag: "Finish", finishReason: "stop", usage: { output: 1 } })
          }
        ),
        { numRuns: 30 }
      )
    }
  })

  it("holds text back only as long as it can still become a call", () => {
    const seen = (...pieces: ReadonlyArray<string>) => streamed(pieces).steps.map(textOf)
    assert.deepStrictEqual(seen("I", " can"), ["I", " can"])
    assert.deepStrictEqual(seen(" ", "I", " can"), ["", " I", " can"])
    assert.deepStrictEqual(seen("{", '"na', 'me":"get_', "wi", 'nd"}'), [
      "",
      "",
      "",
      '{"name":"get_wi',
      'nd"}'
    ])
    assert.deepStrictEqual(seen("{", '"city"', ':"', "Oslo"), ["", "", '{"city":"', "Oslo"])
    assert.deepStrictEqual(seen("[", "1", ", 2"), ["", "", "[1, 2"])
    assert.deepStrictEqual(seen('{"name":"get_time"}', " or so"), ["", '{"name":"get_time"} or so'])
  })

  it("keeps the order of what came between", () => {
    const thought: ChatEvent = { _tag: "ReasoningDelta", text: "hm" }
    const opaque: ChatEvent = { _tag: "ReasoningOpaque", provider: "p", data: 1 }
    const call = streamed([thought, '{"name":', opaque, '"get_time"}']).all
    assert.deepStrictEqual(call.slice(0, 2), [thought, opaque])
    assert.deepStrictEqual(callsOf(call), [["get_time", "{}"]])
    const text = streamed(['{"name":', opaque, '"other"}']).all
    assert.deepStrictEqual(text.slice(0, 3), [
      { _tag: "TextDelta", text: '{"name":' },
      opaque,
      { _tag: "TextDelta", text: '"other"}' }
    ])
  })

  it("lets the text go when a real call comes", () => {
    const call: ChatEvent = { _tag: "ToolCall", index: 0, id: "a", name: "get_weather", arguments: "{}" }
    const { all } = streamed(['{"name":"get_time"}', call])
    assert.deepStrictEqual(all.slice(0, 2), [{ _tag: "TextDelta", text: '{"name":"get_time"}' }, call])
  })

  it("that breaks off has shown nothing of a call that was not complete", () => {
    const { all, fault } = streamed(['{"name":"get_time","argum'], truncated)
    assert.strictEqual(fault, truncated)
    assert.deepStrictEqual(all, [])
  })

  it("has the ids that the model wrote", () => {
    const { all } = streamed(['{"id":"abc","type":"function","function":{"name":"get_time","arguments":{}}}'])
    assert.deepInclude(all[1], { _tag: "ToolCall", id: "abc", index: 0 })
  })
})

describe("an answer where nothing was forced", () => {
  it("is read by the wire itself", () => {
    for (const choice of [undefined, "auto", "none"] as const) {
      const own = wire()
      assert.strictEqual(Reading.of(own, asked(choice), { endpoint: "", body: {}, unsupported: [] }), own)
    }
    const own = wire()
    const toolless = { ...asked("required"), tools: undefined }
    assert.strictEqual(Reading.of(own, toolless, { endpoint: "", body: {}, unsupported: [] }), own)
  })

  it("a tool forced by name is forced too", () => {
    const own = wire()
    const reader = Reading.of(own, asked({ tool: "get_time" }), { endpoint: "", body: {}, unsupported: [] })
    assert.notStrictEqual(reader, own)
  })
})

const cut = (text: string, sizes: ReadonlyArray<number>): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}
