/** What Cohere's `v2/chat` is asked, and how its answers are read. */
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Schema } from "effect"
import { ChatEvent, ChatRequest, Message, Tool } from "effect-ai-gateway"
import { classifyEvent } from "../../src/internal/classify.js"
import { wire } from "../../src/internal/wire/cohereChat.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const commandA = "command-a-03-2025"
const reasoning = "command-a-reasoning-08-2025"
const vision = "command-a-vision-07-2025"

const encode = (input: ChatRequest.Input, model = commandA, stream = false) =>
  wire.encode({ model, stream, provider: "cohere", request: Either.getOrThrow(ChatRequest.fromInput(input)) })

const Weather = Tool.make("get_weather", {
  description: "The weather of a city.",
  parameters: Schema.Struct({ city: Schema.String })
})
const weatherFunction = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: Either.getOrThrow(Weather.jsonSchema)
  }
}

const output: ChatRequest.Output = {
  name: "city",
  jsonSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
}

describe("a request", () => {
  it("has Cohere's names for sampling", () => {
    const { body, endpoint, unsupported } = encode(
      {
        prompt: "Hi",
        system: "Be brief.",
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        maxTokens: 100,
        stop: ["."],
        seed: 7,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2
      },
      commandA,
      true
    )
    assert.strictEqual(endpoint, "v2/chat")
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body, {
      model: commandA,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" }
      ],
      temperature: 0.5,
      p: 0.9,
      k: 40,
      max_tokens: 100,
      stop_sequences: ["."],
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stream: true
    })
  })

  it("has one message for each result of a tool", () => {
    const { body } = encode([
      Message.user("How is Oslo?"),
      Message.assistant([
        { type: "text", text: "" },
        { type: "tool-call", id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' },
        { type: "tool-call", id: "b", name: "get_weather", arguments: "{}" }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "a", name: "get_weather", result: "21" },
        { type: "tool-result", id: "b", name: "get_weather", result: "no city", isError: true }
      ])
    ])
    const call = (id: string, args: string) => ({
      id,
      type: "function",
      function: { name: "get_weather", arguments: args }
    })
    assert.deepStrictEqual(body.messages, [
      { role: "user", content: "How is Oslo?" },
      { role: "assistant", tool_calls: [call("a", '{"city":"Oslo"}'), call("b", "{}")] },
      { role: "tool", tool_call_id: "a", content: "21" },
      { role: "tool", tool_call_id: "b", content: "no city" }
    ])
  })

  it("gives back what its own model thought and planned, and nobody else's", () => {
    const said = (provider: string) =>
      encode([
        Message.user("Hi"),
        Message.assistant([
          { type: "reasoning", text: "hm", opaque: { provider, data: { type: "thinking", thinking: "hm" } } },
          {
            type: "reasoning",
            text: "I will look.",
            opaque: { provider, data: { tool_plan: "I will look." } }
          },
          { type: "reasoning", text: "unmarked" },
          { type: "text", text: "Hello." },
          { type: "tool-call", id: "a", name: "f", arguments: "{}" }
        ])
      ]).body.messages
    const calls = [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }]
    assert.deepStrictEqual(said("cohere"), [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "Hello." }
        ],
        tool_plan: "I will look.",
        tool_calls: calls
      }
    ])
    assert.deepStrictEqual(said("anthropic"), [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "text", text: "Hello." }], tool_calls: calls }
    ])
  })

  it("takes images by URL and by bytes for models that may see; no files", () => {
    const asked = [
      Message.user([
        Message.textPart("What is it?"),
        Message.image("https://example.com/a.png", { detail: "low" }),
        Message.image({ data: "AAAA", mediaType: "image/png" }),
        Message.file({ data: "AAAA", mediaType: "application/pdf" })
      ])
    ]
    const seen = encode(asked, vision)
    assert.deepStrictEqual(seen.unsupported, ["files"])
    assert.deepStrictEqual(seen.body.messages, [
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }
        ]
      }
    ])
    for (const model of [commandA, reasoning, "command-r-plus-08-2024", "command-r7b-12-2024"]) {
      assert.deepStrictEqual(encode(asked, model).unsupported, ["images", "files"], model)
    }
  })

  it("has tools in OpenAI's form, and a choice in capitals; none is chosen by name", () => {
    const choice = (toolChoice?: ChatRequest.ToolChoice) => {
      const { body, unsupported } = encode({ prompt: "Hi", tools: [Weather], toolChoice })
      assert.deepStrictEqual(body.tools, [weatherFunction])
      return [body.tool_choice, unsupported]
    }
    assert.deepStrictEqual(choice(), [undefined, []])
    assert.deepStrictEqual(choice("auto"), [undefined, []])
    assert.deepStrictEqual(choice("required"), ["REQUIRED", []])
    assert.deepStrictEqual(choice("none"), ["NONE", []])
    assert.deepStrictEqual(choice({ tool: "get_weather" }), [undefined, ["toolChoice"]])
    assert.deepStrictEqual(encode({ prompt: "Hi", tools: [Weather], parallelToolCalls: false }).unsupported, [
      "parallelToolCalls"
    ])
  })

  it("holds the model to the Schemas where all tools ask for it", () => {
    const strict = (...flags: ReadonlyArray<boolean | undefined>) =>
      encode({ prompt: "Hi", tools: flags.map((strict, index) => Tool.make(`f${index}`, { strict })) }).body
        .strict_tools
    assert.isTrue(strict(true, true))
    for (const flags of [[true, undefined], [true, false], [undefined]]) assert.isUndefined(strict(...flags))
  })

  it("has the form of the answer as a JSON mode, and beside tools as one more of them", () => {
    const alone = encode({ prompt: "Hi", output })
    assert.deepStrictEqual(alone.body.response_format, {
      type: "json_object",
      json_schema: output.jsonSchema
    })
    assert.isUndefined(alone.outputTool)
    const beside = encode({ prompt: "Hi", output, tools: [Weather] })
    assert.strictEqual(beside.outputTool, "city")
    assert.notProperty(beside.body, "response_format")
    assert.strictEqual(beside.body.tool_choice, "REQUIRED")
    assert.deepStrictEqual(beside.body.tools, [
      weatherFunction,
      {
        type: "function",
        function: { name: "city", description: "Gives the answer.", parameters: output.jsonSchema }
      }
    ])
    const forbidden = encode({ prompt: "Hi", output, tools: [Weather], toolChoice: "none" })
    assert.property(forbidden.body, "response_format")
    assert.notProperty(forbidden.body, "tools")
    assert.deepStrictEqual(
      encode({ prompt: "Hi", output, tools: [Weather], toolChoice: "required" }).unsupported,
      ["toolChoice"]
    )
  })

  it("has a budget to think with, or none, for models that think", () => {
    const thinking = (reasoningEffort: ChatRequest.ReasoningEffort, model: string) => {
      const { body, unsupported } = encode({ prompt: "Hi", reasoningEffort }, model)
      return [body.thinking, unsupported]
    }
    assert.deepStrictEqual(thinking("medium", reasoning), [{ type: "enabled", token_budget: 8192 }, []])
    assert.deepStrictEqual(thinking("none", reasoning), [{ type: "disabled" }, []])
    assert.deepStrictEqual(thinking("low", "command-a-plus-05-2026"), [
      { type: "enabled", token_budget: 2048 },
      []
    ])
    assert.deepStrictEqual(thinking("low", commandA), [undefined, ["reasoningEffort"]])
    assert.deepStrictEqual(thinking("none", commandA), [undefined, []])
  })

  it("of any kind is encoded, and what is not in the body is named", () => {
    const model = fc.constantFrom(commandA, reasoning, vision, "command-r", "\ud800")
    fc.assert(
      fc.property(anyRequest, model, fc.boolean(), (request, model, stream) => {
        const expected = [
          // Tools that must not be called stand in the way of a form, and nothing can be called twice.
          ...(request.toolChoice === "none" ? ["tools", "parallelToolCalls"] : []),
          // A model that does not think has no need to be told.
          ...(request.reasoningEffort === "none" ? ["reasoningEffort"] : [])
        ]
        assert.deepStrictEqual(
          silentlyDropped(wire, request, { model, provider: "cohere", stream }).filter(
            (field) => !expected.includes(field)
          ),
          []
        )
      }),
      { numRuns: 1000 }
    )
  }, 30_000)
})

// --- answers --------------------------------------------------------------------------------------------------------------

const decoded = (json: unknown) => {
  const found = wire.decode(json)
  if (isFault(found)) throw new Error(JSON.stringify(found))
  return found
}

const errorOf = (fault: Fault | undefined) =>
  fault?._tag === "ErrorFault" ? classifyEvent(fault.json, {}, { provider: "cohere" }) : undefined

const usage = {
  billed_units: { input_tokens: 5, output_tokens: 2 },
  tokens: { input_tokens: 70, output_tokens: 30, reasoning_tokens: 10 },
  cached_tokens: 64
}
const counted = { input: 70, output: 30, cacheRead: 64, reasoning: 10, total: 100 }

const cited = {
  start: 0,
  end: 5,
  text: "green",
  sources: [
    { type: "tool", id: "t", tool_output: { title: "Tool" } },
    { type: "document", id: "d", document: { title: "Doc", url: "https://a.example", text: "…" } }
  ],
  type: "TEXT_CONTENT"
}

describe("a whole answer", () => {
  it("has reasoning that goes back, text, sources and usage of all tokens", () => {
    const found = decoded({
      id: "x",
      finish_reason: "COMPLETE",
      message: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "green" }
        ],
        citations: [cited]
      },
      usage
    })
    assert.deepStrictEqual(found, {
      parts: [
        {
          type: "reasoning",
          text: "hm",
          opaque: { provider: "cohere", data: { type: "thinking", thinking: "hm" } }
        },
        { type: "text", text: "green" }
      ],
      citations: [{ url: "https://a.example", title: "Tool", text: "green", raw: cited }],
      finishReason: "stop",
      rawFinishReason: "COMPLETE",
      usage: counted
    })
  })

  it("has a plan and calls, and no content; arguments of null are none", () => {
    const found = decoded({
      finish_reason: "TOOL_CALL",
      message: {
        role: "assistant",
        tool_plan: "I will look.",
        tool_calls: [
          { id: "a", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
          { id: "b", type: "function", function: { name: "get_time", arguments: "null" } }
        ]
      }
    })
    assert.deepStrictEqual(found.parts, [
      {
        type: "reasoning",
        text: "I will look.",
        opaque: { provider: "cohere", data: { tool_plan: "I will look." } }
      },
      { type: "tool-call", id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' },
      { type: "tool-call", id: "b", name: "get_time", arguments: "{}" }
    ])
    assert.strictEqual(found.finishReason, "tool-calls")
  })

  it("ends for a reason of the common vocabulary", () => {
    const reason = (finish_reason: string) =>
      decoded({ finish_reason, message: { content: [{ type: "text", text: "x" }] } }).finishReason
    assert.deepStrictEqual(
      ["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "ERROR_TOXIC", "NEW"].map(reason),
      ["stop", "stop", "length", "tool-calls", "content-filter", "other"]
    )
  })

  it("that failed is an error under a status of success", () => {
    const failed = wire.decode({ finish_reason: "ERROR", message: { content: [] } })
    assert.deepInclude({ ...errorOf(isFault(failed) ? failed : undefined) }, { _tag: "ProviderFailure" })
    const late = wire.decode({ finish_reason: "TIMEOUT", message: { content: [] } })
    assert.deepInclude({ ...errorOf(isFault(late) ? late : undefined) }, { _tag: "ModelTimeout" })
    assert.deepInclude(wire.decode({ id: "x", message: "no such model" }), { _tag: "ErrorFault" })
  })

  it("that is none is a fault which names the place", () => {
    const faults: ReadonlyArray<readonly [unknown, string]> = [
      [[], ""],
      [{}, "message"],
      [{ message: { content: {} } }, "message.content"],
      [{ message: { content: [1] } }, "message.content[0]"],
      [{ message: { content: [{ type: "text" }] } }, "message.content[0].text"],
      [{ message: { content: [{}] } }, "message.content[0].type"],
      [{ message: { tool_plan: {} } }, "message.tool_plan"],
      [{ message: { tool_calls: [{ function: {} }] } }, "message.tool_calls[0].function.name"]
    ]
    for (const [json, place] of faults) {
      assert.deepInclude(wire.decode(json), { _tag: "MalformedFault", place }, JSON.stringify(json))
    }
  })
})

// --- streams --------------------------------------------------------------------------------------------------------------

type Event = Readonly<Record<string, unknown>>

const streamed = (events: ReadonlyArray<Event | string>) => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const event of events) {
    const data = typeof event === "string" ? event : JSON.stringify(event)
    const fault = decoder.event(data, undefined, out)
    if (fault !== undefined) return { out, fault, done: decoder.done() }
  }
  const done = decoder.done()
  return { done, fault: decoder.end(out), out }
}

const event = (type: string, message: unknown, index?: number): Event => ({ type, index, delta: { message } })
const toolCall = (type: string, index: number, tool_calls: unknown): Event =>
  event(type, { tool_calls }, index)

const conversation: ReadonlyArray<Event | string> = [
  { type: "message-start", id: "x", delta: { message: { role: "assistant", content: [], tool_plan: "" } } },
  event("content-start", { content: { type: "thinking", thinking: "" } }, 0),
  event("content-delta", { content: { thinking: "Let me " } }, 0),
  event("content-delta", { content: { thinking: "see." } }, 0),
  { type: "content-end", index: 0 },
  event("content-start", { content: { type: "text", text: "" } }, 1),
  event("content-delta", { content: { text: "It is " } }, 1),
  event("content-delta", { content: { text: "green." } }, 1),
  event("citation-start", { citations: cited }, 0),
  { type: "citation-end", index: 0 },
  { type: "content-end", index: 1 },
  event("tool-plan-delta", { tool_plan: "I will " }),
  event("tool-plan-delta", { tool_plan: "look." }),
  toolCall("tool-call-start", 0, {
    id: "a",
    type: "function",
    function: { name: "get_weather", arguments: "" }
  }),
  toolCall("tool-call-delta", 0, { function: { arguments: '{"city"' } }),
  toolCall("tool-call-delta", 0, { function: { arguments: ':"Oslo"}' } }),
  { type: "tool-call-end", index: 0 },
  toolCall("tool-call-start", 1, {
    id: "b",
    type: "function",
    function: { name: "get_time", arguments: "" }
  }),
  { type: "tool-call-end", index: 1 },
  { type: "message-end", id: "x", delta: { finish_reason: "TOOL_CALL", usage } },
  "[DONE]"
]

describe("a stream", () => {
  it("has everything in its order, and a call without arguments has none", () => {
    const { done, fault, out } = streamed(conversation)
    assert.isUndefined(fault)
    assert.isTrue(done)
    assert.deepStrictEqual(out, [
      { _tag: "ReasoningDelta", text: "Let me " },
      { _tag: "ReasoningDelta", text: "see." },
      { _tag: "ReasoningOpaque", provider: "cohere", data: { type: "thinking", thinking: "Let me see." } },
      { _tag: "TextDelta", text: "It is " },
      { _tag: "TextDelta", text: "green." },
      { _tag: "Citation", citation: { url: "https://a.example", title: "Tool", text: "green", raw: cited } },
      { _tag: "ReasoningDelta", text: "I will " },
      { _tag: "ReasoningDelta", text: "look." },
      { _tag: "ReasoningOpaque", provider: "cohere", data: { tool_plan: "I will look." } },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: "" },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: '{"city"' },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: ':"Oslo"}' },
      { _tag: "ToolCall", index: 0, id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' },
      { _tag: "ToolCallDelta", index: 1, name: "get_time", arguments: "" },
      { _tag: "ToolCall", index: 1, id: "b", name: "get_time", arguments: "{}" },
      { _tag: "Usage", usage: counted },
      { _tag: "Finish", finishReason: "tool-calls", rawFinishReason: "TOOL_CALL", usage: counted }
    ])
  })

  it("is whole at message-end, and without one cut off", () => {
    assert.isUndefined(streamed(conversation.slice(0, -1)).fault)
    assert.deepStrictEqual(streamed(conversation.slice(0, -2)).fault, { _tag: "TruncatedFault" })
  })

  it("folds into what goes back as it came", () => {
    const folded = ChatEvent.fold(streamed(conversation).out)
    const { body } = encode([Message.user("Hi"), folded.message, Message.user("And?")])
    assert.deepStrictEqual(Array.isArray(body.messages) ? body.messages[1] : undefined, {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "Let me see." },
        { type: "text", text: "It is green." }
      ],
      tool_plan: "I will look.",
      tool_calls: [
        { id: "a", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
        { id: "b", type: "function", function: { name: "get_time", arguments: "{}" } }
      ]
    })
  })

  it("that fails says why, and what came before stays", () => {
    const failed = streamed([
      event("content-delta", { content: { text: "Hello" } }, 0),
      {
        type: "message-end",
        delta: {
          finish_reason: "ERROR",
          error: "the tool call is broken",
          error_type: "INVALID_TOOL_GENERATION",
          usage: {}
        }
      },
      "[DONE]"
    ])
    assert.deepStrictEqual(failed.out, [{ _tag: "TextDelta", text: "Hello" }])
    const error = errorOf(failed.fault)
    assert.deepInclude({ ...error }, { _tag: "ProviderFailure", code: "INVALID_TOOL_GENERATION" })
    assert.include(error?.message, "the tool call is broken")
    const bare = errorOf(streamed([{ type: "message-end", delta: { finish_reason: "ERROR" } }]).fault)
    assert.include(bare?.message, "The model stopped with finish_reason ERROR.")
    const late = errorOf(streamed([{ type: "message-end", delta: { finish_reason: "TIMEOUT" } }]).fault)
    assert.strictEqual(late?._tag, "ModelTimeout")
    const long = { finish_reason: "ERROR", error: "no", error_type: "TOO_MANY_TOKENS" }
    assert.strictEqual(
      errorOf(streamed([{ type: "message-end", delta: long }]).fault)?._tag,
      "ContextLengthExceeded"
    )
  })

  it("that is none is a fault which names the place", () => {
    const faults: ReadonlyArray<readonly [Event | string, string]> = [
      ["[]", "data"],
      [{ index: 0 }, "type"],
      [{ type: "content-delta", delta: 1 }, "delta"],
      [event("content-delta", { content: "Hello" }), "delta.message.content"],
      [event("content-delta", { content: { text: 1 } }), "delta.message.content.text"],
      [event("content-delta", { content: { thinking: 1 } }), "delta.message.content.thinking"],
      [event("tool-plan-delta", { tool_plan: 1 }), "delta.message.tool_plan"],
      [toolCall("tool-call-start", 0, undefined), "delta.message.tool_calls"],
      [toolCall("tool-call-start", 0, { function: {} }), "delta.message.tool_calls.function.name"],
      [toolCall("tool-call-delta", 0, { function: { arguments: "{}" } }), "index"]
    ]
    for (const [data, place] of faults) {
      assert.deepInclude(streamed([data]).fault, { _tag: "MalformedFault", place }, JSON.stringify(data))
    }
  })

  it("ignores events that it does not know", () => {
    assert.isUndefined(streamed([{ type: "debug", prompt: "…" }, ...conversation]).fault)
  })
})
