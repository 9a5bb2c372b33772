import { assert, describe, it } from "@effect/vitest"
import type { ChatEvent } from "../../src/ChatEvent.js"
import * as ToolCalls from "../../src/internal/wire/toolCalls.js"

const collect = (use: (calls: ToolCalls.ToolCalls, out: Array<ChatEvent>) => void) => {
  const calls = ToolCalls.make()
  const out: Array<ChatEvent> = []
  use(calls, out)
  return out
}

describe("tool calls in pieces", () => {
  it("join the pieces of the arguments in their order", () => {
    const out = collect((calls, out) => {
      calls.add(0, { id: "call_a", name: "f", arguments: "" }, out)
      calls.add(0, { arguments: '{"city":' }, out)
      calls.add(0, { arguments: '"Bern"}' }, out)
      calls.end(0, out)
    })
    assert.deepStrictEqual(out, [
      { _tag: "ToolCallDelta", index: 0, name: "f", arguments: "" },
      { _tag: "ToolCallDelta", index: 0, name: "f", arguments: '{"city":' },
      { _tag: "ToolCallDelta", index: 0, name: "f", arguments: '"Bern"}' },
      { _tag: "ToolCall", index: 0, id: "call_a", name: "f", arguments: '{"city":"Bern"}' }
    ])
  })

  it("keep arguments that come before the name", () => {
    const out = collect((calls, out) => {
      calls.add(0, { arguments: '{"a":' }, out)
      calls.add(0, { id: "x", name: "f", arguments: "1}" }, out)
      calls.endAll(out)
    })
    assert.deepStrictEqual(out, [
      { _tag: "ToolCallDelta", index: 0, name: "f", arguments: '{"a":1}' },
      { _tag: "ToolCall", index: 0, id: "x", name: "f", arguments: '{"a":1}' }
    ])
  })

  it("keep a name that a later piece repeats as nothing", () => {
    const out = collect((calls, out) => {
      calls.add(0, { name: "f", arguments: "{" }, out)
      calls.add(0, { name: "", arguments: "}" }, out)
      calls.add(0, { name: null, arguments: null }, out)
      calls.endAll(out)
    })
    assert.deepInclude(out.at(-1), { _tag: "ToolCall", name: "f", arguments: "{}" })
  })

  it("get an id of their own where the vendor gives none", () => {
    const out = collect((calls, out) => {
      calls.add(3, { id: "", name: "f" }, out)
      calls.endAll(out)
    })
    assert.deepInclude(out.at(-1), { _tag: "ToolCall", id: "call_3", arguments: "{}" })
  })

  it("are told once that they are complete", () => {
    const out = collect((calls, out) => {
      calls.add(0, { name: "f" }, out)
      calls.end(0, out)
      calls.end(0, out)
      calls.endAll(out)
    })
    assert.strictEqual(out.filter((event) => event._tag === "ToolCall").length, 1)
  })

  it("are not opened by an entry without anything", () => {
    const calls = ToolCalls.make()
    const out: Array<ChatEvent> = []
    calls.add(7, { id: null, name: null, arguments: "" }, out)
    assert.strictEqual(calls.size(), 0)
    assert.deepStrictEqual(out, [])
  })

  it("can be forgotten while they are open", () => {
    const out = collect((calls, out) => {
      calls.add(0, { id: "a", name: "f" }, out)
      calls.end(0, out)
      calls.add(1, { id: "b", name: "g" }, out)
      calls.dropOpen()
      calls.endAll(out)
    })
    assert.deepStrictEqual(
      out.filter((event) => event._tag === "ToolCall").map((event) => event.name),
      ["f"]
    )
  })

  it("are found by their id", () => {
    const calls = ToolCalls.make()
    calls.add(4, { id: "a", name: "f" }, [])
    assert.strictEqual(calls.indexOf("a"), 4)
    assert.strictEqual(calls.indexOf("b"), undefined)
  })

  it("say which of them was never named", () => {
    const calls = ToolCalls.make()
    calls.add(0, { name: "f" }, [])
    assert.strictEqual(calls.unnamed(), undefined)
    calls.add(2, { arguments: "{}" }, [])
    assert.strictEqual(calls.unnamed(), 2)
  })
})

describe("a piece without an index", () => {
  const opened = () => {
    const calls = ToolCalls.make()
    calls.add(0, { id: "a", name: "f" }, [])
    return calls
  }

  it("opens the first call", () => {
    assert.strictEqual(ToolCalls.make().locate({ name: "f" }, 0, true), 0)
  })

  it("continues the call with its id", () => {
    const calls = opened()
    calls.add(1, { id: "b", name: "g" }, [])
    assert.strictEqual(calls.locate({ id: "a" }, 0, true), 0)
  })

  it("continues the latest call if it has no id", () => {
    const calls = opened()
    calls.add(1, { id: "b", name: "g" }, [])
    assert.strictEqual(calls.locate({ function: { arguments: "1" } }, 0, true), 1)
  })

  it("opens a call of its own if its id is new", () => {
    assert.strictEqual(opened().locate({ id: "b" }, 0, true), 1)
  })

  it("opens a call of its own if it has a name and no id", () => {
    assert.strictEqual(opened().locate({ id: "", function: { name: "g" } }, 0, true), 1)
  })

  it("goes by its position if several came at once", () => {
    const calls = opened()
    calls.add(1, { id: "b", name: "g" }, [])
    assert.strictEqual(calls.locate({ arguments: "1" }, 0, false), 0)
    assert.strictEqual(calls.locate({ arguments: "1" }, 1, false), 1)
  })

  it("finds a free place behind indices with gaps", () => {
    const calls = ToolCalls.make()
    calls.add(1, { id: "a", name: "f" }, [])
    assert.strictEqual(calls.locate({ id: "b", name: "g" }, 0, true), 2)
  })
})

describe("the arguments of a tool call", () => {
  for (const nothing of [undefined, null, "", "  ", "null", " null\n"]) {
    it(`are {} where a vendor writes ${JSON.stringify(nothing)}`, () => {
      assert.strictEqual(ToolCalls.argumentsText(nothing), "{}")
    })
  }

  it("are JSON text where a vendor writes an object", () => {
    assert.strictEqual(ToolCalls.argumentsText({ a: [1] }), '{"a":[1]}')
  })

  it("are left as the model wrote them, even if they are no JSON", () => {
    assert.strictEqual(ToolCalls.argumentsText('{"a":'), '{"a":')
  })
})

describe("the calls of a whole body", () => {
  const read = (calls: unknown) => {
    const parts: Array<unknown> = []
    const fault = ToolCalls.readAll(calls, "tool_calls", (part) => parts.push(part))
    return { parts, fault }
  }

  it("are read nested and flat", () => {
    assert.deepStrictEqual(
      read([
        { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
        { name: "g", arguments: { b: 1 } }
      ]).parts,
      [
        { type: "tool-call", id: "a", name: "f", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "g", arguments: '{"b":1}' }
      ]
    )
  })

  const wrong: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a number in place of the list", 5, "tool_calls"],
    ["a call that is text", ["x"], "tool_calls[0]"],
    ["a function that is text", [{ function: "f" }], "tool_calls[0].function"],
    ["a nested name that is a number", [{ function: { name: 5 } }], "tool_calls[0].function.name"],
    ["a flat name that is missing", [{ arguments: "{}" }], "tool_calls[0].name"],
    ["a nested name that is empty", [{ function: { name: "" } }], "tool_calls[0].function.name"],
    ["arguments that are a number", [{ name: "f", arguments: 5 }], "tool_calls[0].arguments"]
  ]
  for (const [title, calls, place] of wrong) {
    it(`name the place of ${title}`, () => {
      assert.deepInclude(read(calls).fault, { _tag: "MalformedFault", place })
    })
  }
})
