/** A value that a model gives as the arguments of a tool which it must call, where a vendor has no mode for values. */
import { assert, describe, it } from "@effect/vitest"
import type { ChatEvent } from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import * as Reading from "../../src/internal/wire/reading.js"
import { isFault, type Wire } from "../../src/internal/wire/wire.js"
import type { AssistantPart } from "../../src/Message.js"

const wire = (finish: ChatEvent): Wire => ({
  encode: () => ({ endpoint: "chat", body: {}, unsupported: [] }),
  decode: (json) => json as Decoded,
  decoder: () => ({
    event: (data, _name, out) => {
      for (const event of JSON.parse(data)) out.push(event)
      return undefined
    },
    done: () => false,
    end: (out) => {
      out.push({ _tag: "Usage", usage: { output: 1 } }, finish)
      return undefined
    }
  })
})

const finish = (finishReason: "stop" | "tool-calls" | "length"): ChatEvent => ({
  _tag: "Finish",
  finishReason,
  usage: {}
})

const reading = (end: ChatEvent = finish("tool-calls")) =>
  Reading.of(
    wire(end),
    { [ChatRequest.TypeId]: ChatRequest.TypeId, messages: [] },
    { endpoint: "", body: {}, unsupported: [], outputTool: "person" }
  )

const whole = (parts: ReadonlyArray<AssistantPart>, finishReason: Decoded["finishReason"] = "tool-calls") => {
  const decoded = reading().decode({ parts, finishReason, usage: {} } satisfies Decoded)
  return isFault(decoded) ? assert.fail("a fault") : decoded
}

const streamed = (events: ReadonlyArray<ChatEvent>, end?: ChatEvent) => {
  const decoder = reading(end).decoder()
  const steps = events.map((event) => {
    const out: Array<ChatEvent> = []
    decoder.event(JSON.stringify([event]), undefined, out)
    return out
  })
  const last: Array<ChatEvent> = []
  decoder.end(last)
  return [...steps, last]
}

const text = (text: string): ChatEvent => ({ _tag: "TextDelta", text })
const delta = (args: string, name = "person", index = 0): ChatEvent => ({
  _tag: "ToolCallDelta",
  index,
  name,
  arguments: args
})
const call = (args: string, name = "person", index = 0): ChatEvent => ({
  _tag: "ToolCall",
  index,
  id: "a",
  name,
  arguments: args
})
const value = '{"name":"Ada"}'

describe("a value as a tool's arguments", () => {
  it("is the text of a whole answer, which ended as it should", () => {
    assert.deepStrictEqual(whole([{ type: "tool-call", id: "a", name: "person", arguments: value }]), {
      parts: [{ type: "text", text: value }],
      finishReason: "stop",
      usage: {}
    })
  })

  it("leaves reasoning and other calls alone, and what the model said besides is no part of it", () => {
    const reasoning: AssistantPart = { type: "reasoning", text: "hm" }
    const other: AssistantPart = { type: "tool-call", id: "b", name: "get_time", arguments: "{}" }
    const { parts } = whole([
      reasoning,
      { type: "text", text: "Here you are:" },
      { type: "tool-call", id: "a", name: "person", arguments: value },
      other
    ])
    assert.deepStrictEqual(parts, [reasoning, { type: "text", text: value }, other])
  })

  it("that was not given leaves the answer as it is", () => {
    const parts: ReadonlyArray<AssistantPart> = [{ type: "text", text: "I would rather not." }]
    assert.deepStrictEqual(whole(parts, "stop"), { parts, finishReason: "stop", usage: {} })
  })

  it("that was cut off still says so", () => {
    const parts: ReadonlyArray<AssistantPart> = [
      { type: "tool-call", id: "a", name: "person", arguments: '{"name":"A' }
    ]
    assert.strictEqual(whole(parts, "length").finishReason, "length")
  })

  it("leaked into the text as a call is the value all the same", () => {
    const leaked = `{"name":"person","arguments":${value}}`
    assert.deepStrictEqual(whole([{ type: "text", text: leaked }], "stop"), {
      parts: [{ type: "text", text: value }],
      finishReason: "stop",
      usage: {}
    })
    assert.deepStrictEqual(streamed([text(leaked.slice(0, 20)), text(leaked.slice(20))], finish("stop")), [
      [],
      [],
      [text(value), { _tag: "Usage", usage: { output: 1 } }, finish("stop")]
    ])
  })
})

describe("a value as a tool's arguments, streamed", () => {
  it("is text as it comes", () => {
    assert.deepStrictEqual(streamed([delta(""), delta('{"name":'), delta('"Ada"}'), call(value)]), [
      [],
      [text('{"name":')],
      [text('"Ada"}')],
      [],
      [{ _tag: "Usage", usage: { output: 1 } }, finish("stop")]
    ])
  })

  it("is text too if it comes at once", () => {
    assert.deepStrictEqual(streamed([call(value)])[0], [text(value)])
    assert.deepStrictEqual(streamed([delta(""), call("{}")]).flat()[0], text("{}"))
  })

  it("leaves reasoning and other calls alone", () => {
    const reasoning: ChatEvent = { _tag: "ReasoningDelta", text: "hm" }
    const others = [delta("{}", "get_time", 1), call("{}", "get_time", 1)]
    assert.deepStrictEqual(streamed([reasoning, delta(value), ...others]).slice(0, 4), [
      [reasoning],
      [text(value)],
      ...others.map((event) => [event])
    ])
  })

  it("leaves a call of another tool behind what was said before it", () => {
    const events = [text("Let me see."), delta("{}", "get_time", 1), call("{}", "get_time", 1)]
    assert.deepStrictEqual(streamed(events).flat().slice(0, 3), events)
    assert.deepStrictEqual(streamed(events).flat().at(-1), finish("tool-calls"))
  })

  it("has nothing of what the model said before or after", () => {
    const events = streamed([text("Here "), text("you are:"), delta(value), call(value), text("Bye")])
    assert.deepStrictEqual(events.flat().slice(0, 2), [text(value), { _tag: "Usage", usage: { output: 1 } }])
  })

  it("that is written as text is read as it goes; anything else that is said instead comes at the end", () => {
    assert.deepStrictEqual(
      streamed([text(" "), text('{"title":"A'), text('da"}')], finish("stop")).slice(0, 3),
      [[], [text(" "), text('{"title":"A')], [text('da"}')]]
    )
    const said = [text("I would "), text("rather not.")]
    assert.deepStrictEqual(streamed(said, finish("stop")), [
      [],
      [],
      [...said, { _tag: "Usage", usage: { output: 1 } }, finish("stop")]
    ])
  })

  it("that was cut off still says so", () => {
    assert.deepStrictEqual(
      streamed([delta('{"name":"A')], finish("length"))
        .flat()
        .at(-1),
      finish("length")
    )
  })
})
