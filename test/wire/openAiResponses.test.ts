import { LLMock } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Layer, Redacted, Schedule, Schema } from "effect"
import {
  AiGateway,
  Anthropic,
  ChatEvent,
  ChatModel,
  ChatRequest,
  type ChatResponse,
  LocalGateway,
  Message,
  OpenAi,
  Tool
} from "effect-ai-gateway"
import * as OpenAiResponses from "../../src/internal/wire/openAiResponses.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const wire = OpenAiResponses.make(OpenAiResponses.openAi("responses"))

const encode = (
  input: ChatRequest.Input,
  { model = "gpt-5-mini", stream = false }: { readonly model?: string; readonly stream?: boolean } = {}
) =>
  wire.encode({ model, stream, provider: "openai", request: Either.getOrThrow(ChatRequest.fromInput(input)) })

const inputOf = (messages: ReadonlyArray<Message.Message>) => encode(messages).body.input

const decode = (json: unknown): ChatResponse.Decoded => {
  const decoded = wire.decode(json)
  return isFault(decoded) ? assert.fail(`unexpected fault: ${JSON.stringify(decoded)}`) : decoded
}

const faultOf = (json: unknown): Fault => {
  const decoded = wire.decode(json)
  return isFault(decoded) ? decoded : assert.fail(`expected a fault, found ${JSON.stringify(decoded)}`)
}

interface Streamed {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  readonly fault: Fault | undefined
}

/** Feeds events as a transport does: until a fault or the end, then `end`. Named as OpenAI names them, or not at all. */
const stream = (events: ReadonlyArray<unknown>, named = true): Streamed => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const event of events) {
    const type = (event as { readonly type?: unknown }).type
    const name = named && typeof type === "string" ? type : undefined
    const fault = decoder.event(typeof event === "string" ? event : JSON.stringify(event), name, out)
    if (fault !== undefined) return { events: out, fault }
    if (decoder.done()) break
  }
  return { events: out, fault: decoder.end(out) }
}

const answerOf = (streamed: Streamed): ChatResponse.ChatResponse => {
  assert.strictEqual(streamed.fault, undefined)
  return ChatEvent.fold(streamed.events)
}

const tagsOf = ({ events }: Streamed) => events.map(({ _tag }) => _tag)

const Weather = Tool.make("get_weather", {
  description: "The weather of a city.",
  parameters: Schema.Struct({ city: Schema.String })
})

const Loose = Tool.make("loose", { parameters: Schema.Struct({ city: Schema.optional(Schema.String) }) })

const thought = {
  id: "rs_1",
  type: "reasoning",
  summary: [{ type: "summary_text", text: "Hm." }],
  encrypted_content: "gAAAAB+/=",
  more: { anything: null }
}

// --- requests ---------------------------------------------------------------------------------------------------------

describe("a request", () => {
  it("holds the model and the conversation, and asks that nothing be stored", () => {
    const { endpoint, body, unsupported } = encode("Hi", { model: "gpt-4.1-mini" })
    assert.strictEqual(endpoint, "responses")
    assert.deepStrictEqual(body, {
      model: "gpt-4.1-mini",
      input: [{ role: "user", content: "Hi" }],
      store: false
    })
    assert.deepStrictEqual(unsupported, [])
  })

  it("asks for a stream only when one is wanted", () => {
    assert.strictEqual(encode("Hi", { stream: true }).body.stream, true)
    assert.notProperty(encode("Hi").body, "stream")
  })

  it("writes sampling in the names of this endpoint", () => {
    const { body, unsupported } = encode(
      { prompt: "Hi", temperature: 0.5, topP: 0.9, maxTokens: 100 },
      { model: "gpt-4.1-mini" }
    )
    assert.deepInclude(body, { temperature: 0.5, top_p: 0.9, max_output_tokens: 100 })
    assert.deepStrictEqual(unsupported, [])
  })

  it("names what the endpoint does not have, and leaves it out", () => {
    const { body, unsupported } = encode(
      { prompt: "Hi", topK: 1, stop: ["."], seed: 1, frequencyPenalty: 1, presencePenalty: 1 },
      { model: "gpt-4.1-mini" }
    )
    assert.sameMembers([...unsupported], ["topK", "stop", "seed", "frequencyPenalty", "presencePenalty"])
    assert.sameMembers(Object.keys(body), ["model", "input", "store"])
  })

  it("names what a reasoning model refuses", () => {
    const { body, unsupported } = encode({ prompt: "Hi", temperature: 0, topP: 1, maxTokens: 5 })
    assert.sameMembers([...unsupported], ["temperature", "topP"])
    assert.notProperty(body, "temperature")
    assert.strictEqual(body.max_output_tokens, 5)
  })

  it("writes tools flat, and is strict only where their Schema allows it", () => {
    const { body } = encode({ prompt: "Hi", tools: [Weather, Loose] })
    const [weather, loose] = body.tools as ReadonlyArray<Record<string, unknown>>
    assert.deepInclude(weather, {
      type: "function",
      name: "get_weather",
      description: "The weather of a city.",
      strict: true
    })
    assert.deepInclude(weather?.parameters, { type: "object", required: ["city"] })
    assert.deepInclude(loose, { name: "loose", strict: false })
    assert.notProperty(loose, "description")
  })

  const choices: ReadonlyArray<readonly [ChatRequest.ToolChoice, unknown]> = [
    ["auto", "auto"],
    ["none", "none"],
    ["required", "required"],
    [{ tool: "get_weather" }, { type: "function", name: "get_weather" }]
  ]
  for (const [toolChoice, expected] of choices) {
    it(`writes the tool choice ${JSON.stringify(toolChoice)}`, () => {
      const { body } = encode({ prompt: "Hi", tools: [Weather], toolChoice, parallelToolCalls: false })
      assert.deepStrictEqual(body.tool_choice, expected)
      assert.strictEqual(body.parallel_tool_calls, false)
    })
  }

  it("asks for an answer in a form with the form's schema", () => {
    const jsonSchema = {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false
    }
    const format = (output: ChatRequest.Output) => encode({ prompt: "Hi", output }).body.text
    assert.deepStrictEqual(format({ name: "place", description: "A place.", jsonSchema }), {
      format: {
        type: "json_schema",
        name: "place",
        description: "A place.",
        schema: jsonSchema,
        strict: true
      }
    })
    const loose = { type: "object", properties: { city: { type: "string" } } }
    assert.deepStrictEqual(format({ name: "place", jsonSchema: loose }), {
      format: { type: "json_schema", name: "place", schema: loose, strict: false }
    })
  })
})

describe("reasoning that is asked for", () => {
  it("a reasoning model is asked for its encrypted reasoning at every turn", () => {
    const { body } = encode("Hi")
    assert.deepStrictEqual(body.include, ["reasoning.encrypted_content"])
    assert.notProperty(body, "reasoning")
  })

  it("with an effort, for a summary of it too", () => {
    assert.deepInclude(encode({ prompt: "Hi", reasoningEffort: "low" }).body, {
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"]
    })
  })

  it("an effort that the model does not have becomes the nearest one", () => {
    assert.deepStrictEqual(encode({ prompt: "Hi", reasoningEffort: "xhigh" }).body.reasoning, {
      effort: "high",
      summary: "auto"
    })
  })

  it("without any, nothing is asked for that would not come", () => {
    const { body } = encode({ prompt: "Hi", reasoningEffort: "none" }, { model: "gpt-5.2" })
    assert.deepStrictEqual(body.reasoning, { effort: "none" })
    assert.notProperty(body, "include")
  })

  it("a model that does not reason cannot be told to, and is not asked", () => {
    const { body, unsupported } = encode({ prompt: "Hi", reasoningEffort: "low" }, { model: "gpt-4.1-mini" })
    assert.deepStrictEqual(unsupported, ["reasoningEffort"])
    assert.notProperty(body, "reasoning")
    assert.notProperty(body, "include")
  })
})

describe("a conversation", () => {
  it("instructions come from the developer", () => {
    assert.deepStrictEqual(inputOf([Message.system("Be brief."), Message.user("Hi")]), [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "Hi" }
    ])
  })

  it("images are URLs as text, whether they have one or not", () => {
    const image = Message.image("https://example.com/a.png", { detail: "low" })
    const bytes = Message.image({ data: new Uint8Array([1, 2, 3]), mediaType: "image/png" })
    assert.deepStrictEqual(inputOf([Message.user([Message.textPart("What?"), image, bytes])]), [
      {
        role: "user",
        content: [
          { type: "input_text", text: "What?" },
          { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
          { type: "input_image", image_url: "data:image/png;base64,AQID" }
        ]
      }
    ])
  })

  it("files go with their name and bytes, or by their URL", () => {
    const data = { data: "AQID", mediaType: "application/pdf" }
    const files = [
      Message.file(data, { filename: "a.pdf" }),
      Message.file(data),
      Message.file("https://example.com/a.pdf")
    ]
    assert.deepStrictEqual(inputOf([Message.user(files)]), [
      {
        role: "user",
        content: [
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AQID" },
          { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,AQID" },
          { type: "input_file", file_url: "https://example.com/a.pdf" }
        ]
      }
    ])
  })

  it("a model that reads text alone refuses images and files, and gets the rest", () => {
    const parts = [
      Message.textPart("What?"),
      Message.image("https://example.com/a.png"),
      Message.file("https://example.com/a.pdf")
    ]
    const { body, unsupported } = encode([Message.user(parts)], { model: "o3-mini" })
    assert.deepStrictEqual(unsupported, ["images", "files"])
    assert.deepStrictEqual(body.input, [{ role: "user", content: [{ type: "input_text", text: "What?" }] }])
  })

  it("an answer, its calls and their results are items in their order", () => {
    const input = inputOf([
      Message.user("Weather?"),
      Message.assistant([
        { type: "text", text: "Let me see." },
        { type: "tool-call", id: "call_1", name: "get_weather", arguments: '{"city":"Oslo"}' },
        { type: "tool-call", id: "call_2", name: "get_weather", arguments: '{"city":"Rome"}' }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "call_1", name: "get_weather", result: "rain" },
        { type: "tool-result", id: "call_2", name: "get_weather", result: "sun" }
      ]),
      Message.assistant("Rain and sun.")
    ])
    assert.deepStrictEqual(input, [
      { role: "user", content: "Weather?" },
      { role: "assistant", content: [{ type: "output_text", text: "Let me see." }] },
      { type: "function_call", call_id: "call_1", name: "get_weather", arguments: '{"city":"Oslo"}' },
      { type: "function_call", call_id: "call_2", name: "get_weather", arguments: '{"city":"Rome"}' },
      { type: "function_call_output", call_id: "call_1", output: "rain" },
      { type: "function_call_output", call_id: "call_2", output: "sun" },
      { role: "assistant", content: [{ type: "output_text", text: "Rain and sun." }] }
    ])
  })

  it("calls of other vendors, with one id at every turn, are told apart, and so are their results", () => {
    const turn = (result: string) => [
      Message.user("Again."),
      Message.assistant([
        { type: "tool-call", id: "functions.f:0", name: "f", arguments: "{}" },
        { type: "tool-call", id: "x".repeat(80), name: "g", arguments: "{}" }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "x".repeat(80), name: "g", result },
        { type: "tool-result", id: "functions.f:0", name: "f", result }
      ])
    ]
    const items = inputOf([...turn("1"), ...turn("2")]) as ReadonlyArray<{ readonly call_id?: string }>
    const ids = items.flatMap(({ call_id }) => (call_id === undefined ? [] : [call_id]))
    const [f1, g1, , , f2, g2] = ids
    assert.deepStrictEqual(ids, [f1, g1, g1, f1, f2, g2, g2, f2])
    assert.strictEqual(new Set(ids).size, 4)
    for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]{1,64}$/)
  })

  const call = { type: "tool-call", id: "call_1", name: "f", arguments: "{}" } as const
  const result = Message.toolResults([{ type: "tool-result", id: "call_1", name: "f", result: "1" }])
  const replayed = (part: Message.AssistantPart) =>
    inputOf([Message.user("Hi"), Message.assistant([part, call]), result])
  const withoutIt = inputOf([Message.user("Hi"), Message.assistant([call]), result])

  it("reasoning is replayed as it came, before the call it led to", () => {
    const opaque = { provider: "openai", data: thought }
    const items = replayed({ type: "reasoning", text: "Hm.", opaque }) as ReadonlyArray<unknown>
    assert.strictEqual(JSON.stringify(items[1]), JSON.stringify(thought))
    assert.deepInclude(items[2], { type: "function_call", call_id: "call_1" })
  })

  const foreign: ReadonlyArray<readonly [string, Message.ReasoningPart]> = [
    [
      "another provider's",
      { type: "reasoning", text: "Hm.", opaque: { provider: "anthropic", data: thought } }
    ],
    ["unsigned", { type: "reasoning", text: "Hm." }],
    [
      "that is a mere reference",
      {
        type: "reasoning",
        text: "",
        opaque: { provider: "openai", data: { type: "reasoning", id: "rs_1", summary: [] } }
      }
    ],
    [
      "of another format",
      { type: "reasoning", text: "", opaque: { provider: "openai", data: { type: "x" } } }
    ]
  ]
  for (const [which, part] of foreign) {
    it(`reasoning ${which} is not replayed`, () => {
      assert.deepStrictEqual(replayed(part), withoutIt)
    })
  }

  it("reasoning that led to nothing is not replayed: it would be refused", () => {
    const opaque = { provider: "openai", data: thought }
    assert.deepStrictEqual(
      inputOf([
        Message.user("Hi"),
        Message.assistant([{ type: "reasoning", text: "Hm.", opaque }]),
        Message.user("Well?")
      ]),
      [
        { role: "user", content: "Hi" },
        { role: "user", content: "Well?" }
      ]
    )
  })

  it("what a model answered goes back to it in the same items", () => {
    const output = [
      thought,
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" }
    ]
    const { parts } = decode({ status: "completed", output })
    assert.deepStrictEqual(inputOf([Message.user("Hi"), Message.assistant(parts), result]), [
      { role: "user", content: "Hi" },
      thought,
      { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "1" }
    ])
  })
})

describe("any request", () => {
  for (const model of ["gpt-5-mini", "gpt-4.1-mini", "o3-mini"]) {
    it(`no field of it is silently dropped (${model})`, () => {
      FastCheck.assert(
        FastCheck.property(anyRequest, FastCheck.boolean(), (request, stream) => {
          assert.deepStrictEqual(silentlyDropped(wire, request, { model, provider: "openai", stream }), [])
        })
      )
    })
  }
})

// --- whole answers ----------------------------------------------------------------------------------------------------

const says = (text: string, annotations: ReadonlyArray<unknown> = []) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations }]
})

const cited = { type: "url_citation", url: "https://a.example", title: "A", start_index: 0, end_index: 5 }

describe("a whole answer", () => {
  it("has text, usage, the finish reason and the model", () => {
    const decoded = decode({
      id: "resp_1",
      object: "response",
      status: "completed",
      error: null,
      incomplete_details: null,
      model: "gpt-5-mini-2025-08-07",
      output: [says("Hello")],
      usage: {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 1 },
        total_tokens: 7
      }
    })
    assert.deepStrictEqual(decoded, {
      parts: [{ type: "text", text: "Hello" }],
      refusal: undefined,
      citations: [],
      finishReason: "stop",
      rawFinishReason: "completed",
      usage: { input: 5, output: 2, cacheRead: 1, reasoning: 1, total: 7 },
      model: "gpt-5-mini-2025-08-07"
    })
  })

  it("pairs calls by call_id, and says that the model called tools", () => {
    const decoded = decode({
      status: "completed",
      output: [
        { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: '{"a":1}' },
        { type: "function_call", id: "fc_2", call_id: "call_2", name: "g", arguments: "" }
      ]
    })
    assert.deepStrictEqual(decoded.parts, [
      { type: "tool-call", id: "call_1", name: "f", arguments: '{"a":1}' },
      { type: "tool-call", id: "call_2", name: "g", arguments: "{}" }
    ])
    assert.strictEqual(decoded.finishReason, "tool-calls")
  })

  it("keeps an encrypted reasoning item whole, with what the vendor shows of it", () => {
    assert.deepStrictEqual(decode({ output: [thought, says("Hello")] }).parts, [
      { type: "reasoning", text: "Hm.", opaque: { provider: "openai", data: thought } },
      { type: "text", text: "Hello" }
    ])
  })

  it("prefers the reasoning itself to its summary", () => {
    const item = {
      type: "reasoning",
      summary: [{ type: "summary_text", text: "short" }],
      content: [
        { type: "reasoning_text", text: "long " },
        { type: "reasoning_text", text: "and longer" }
      ]
    }
    assert.deepStrictEqual(decode({ output: [item] }).parts, [
      { type: "reasoning", text: "long and longer", opaque: { provider: "openai", data: item } }
    ])
  })

  it("a reasoning item that holds nothing is no part of the answer", () => {
    assert.deepStrictEqual(
      decode({ output: [{ type: "reasoning", id: "rs_1", summary: [] }, says("x")] }).parts,
      [{ type: "text", text: "x" }]
    )
  })

  it("a refusal is one, whatever the status says", () => {
    const decoded = decode({
      status: "completed",
      output: [{ type: "message", content: [{ type: "refusal", refusal: "I cannot." }] }]
    })
    assert.strictEqual(decoded.refusal, "I cannot.")
    assert.strictEqual(decoded.finishReason, "content-filter")
    assert.deepStrictEqual(decoded.parts, [])
  })

  it("names its sources", () => {
    const file = { type: "file_citation", file_id: "file_1", filename: "a.pdf", index: 0 }
    assert.deepStrictEqual(decode({ output: [says("Hello", [cited, file, null])] }).citations, [
      { url: "https://a.example", title: "A", raw: cited },
      { url: undefined, title: "a.pdf", raw: file }
    ])
  })

  const finishes: ReadonlyArray<readonly [object, ChatResponse.FinishReason, string | undefined]> = [
    [{}, "stop", undefined],
    [{ status: "completed" }, "stop", "completed"],
    [
      { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      "length",
      "max_output_tokens"
    ],
    [
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      "content-filter",
      "content_filter"
    ],
    [{ status: "incomplete" }, "other", "incomplete"],
    [{ status: "cancelled" }, "other", "cancelled"]
  ]
  for (const [more, finishReason, raw] of finishes) {
    it(`${JSON.stringify(more)} is the finish reason ${finishReason}`, () => {
      const decoded = decode({ output: [says("Hel")], ...more })
      assert.strictEqual(decoded.finishReason, finishReason)
      assert.strictEqual(decoded.rawFinishReason, raw)
    })
  }

  it("items of the vendor's own tools, and keys that nobody knows, are passed over", () => {
    const decoded = decode({
      output: [
        { type: "web_search_call", id: "ws_1", status: "completed" },
        { ...says("Hello"), phase: "final_answer" }
      ],
      new_key: {}
    })
    assert.deepStrictEqual(decoded.parts, [{ type: "text", text: "Hello" }])
  })

  it("an error inside a success is the provider's error", () => {
    const error = { code: "server_error", message: "no" }
    for (const json of [
      { error },
      { status: "failed", error, output: [] },
      { status: "failed", output: [] }
    ]) {
      assert.strictEqual(faultOf(json)._tag, "ErrorFault")
    }
  })

  const malformed: ReadonlyArray<readonly [string, unknown]> = [
    ["", 5],
    ["output", {}],
    ["output", { output: "x" }],
    ["output[0]", { output: [5] }],
    ["output[0].type", { output: [{}] }],
    ["output[0].content", { output: [{ type: "message", content: 5 }] }],
    ["output[1].content[0]", { output: [says("x"), { type: "message", content: [5] }] }],
    ["output[0].content[0].text", { output: [{ type: "message", content: [{ type: "output_text" }] }] }],
    ["output[0].content[0].refusal", { output: [{ type: "message", content: [{ type: "refusal" }] }] }],
    ["output[0].summary", { output: [{ type: "reasoning", summary: 5 }] }],
    ["output[0].name", { output: [{ type: "function_call", call_id: "a" }] }],
    ["output[0].arguments", { output: [{ type: "function_call", name: "f", arguments: 5 }] }]
  ]
  for (const [place, json] of malformed) {
    it(`names the place of what is wrong: ${place === "" ? "the whole" : place}`, () => {
      const fault = faultOf(json)
      assert.deepInclude(fault, { _tag: "MalformedFault", place })
    })
  }
})

// --- streams ----------------------------------------------------------------------------------------------------------

const created = {
  type: "response.created",
  response: { id: "resp_1", model: "gpt-5-mini-1", status: "in_progress" }
}
const usage = { input_tokens: 5, output_tokens: 2, output_tokens_details: { reasoning_tokens: 1 } }
const completed = (output: ReadonlyArray<unknown> = []) => ({
  type: "response.completed",
  response: { model: "gpt-5-mini-1", status: "completed", output, usage }
})
const added = (output_index: number, item: unknown) => ({
  type: "response.output_item.added",
  output_index,
  item
})
const itemDone = (output_index: number, item: unknown) => ({
  type: "response.output_item.done",
  output_index,
  item
})
const text = (delta: string, output_index = 0) => ({
  type: "response.output_text.delta",
  output_index,
  content_index: 0,
  delta,
  obfuscation: "xyz"
})
const args = (output_index: number, delta: string) => ({
  type: "response.function_call_arguments.delta",
  output_index,
  delta
})
const argsDone = (output_index: number, whole: string) => ({
  type: "response.function_call_arguments.done",
  output_index,
  arguments: whole
})
const called = (name: string, call_id: string, whole = "") => ({
  type: "function_call",
  id: `fc_${call_id}`,
  call_id,
  name,
  arguments: whole
})

const hello = [
  created,
  { type: "response.in_progress", response: {} },
  added(0, { type: "message", content: [] }),
  { type: "response.content_part.added", output_index: 0, part: { type: "output_text", text: "" } },
  text("Hel"),
  text("lo"),
  { type: "response.output_text.done", output_index: 0, text: "Hello" },
  { type: "response.content_part.done", output_index: 0, part: { type: "output_text", text: "Hello" } },
  itemDone(0, says("Hello")),
  completed([says("Hello")])
]

describe("a stream", () => {
  it("gives each delta once, then usage and one finish", () => {
    const streamed = stream(hello)
    assert.strictEqual(streamed.fault, undefined)
    assert.deepStrictEqual(streamed.events, [
      { _tag: "TextDelta", text: "Hel" },
      { _tag: "TextDelta", text: "lo" },
      { _tag: "Usage", usage: { input: 5, output: 2, cacheRead: undefined, reasoning: 1, total: 7 } },
      {
        _tag: "Finish",
        finishReason: "stop",
        rawFinishReason: "completed",
        usage: { input: 5, output: 2, cacheRead: undefined, reasoning: 1, total: 7 },
        model: "gpt-5-mini-1"
      }
    ])
  })

  it("is the same without event names, with keep-alives, and with [DONE] behind its end", () => {
    const [first, ...rest] = hello
    const others = [first, { type: "keepalive", sequence_number: 2 }, ...rest, "[DONE]"]
    assert.deepStrictEqual(stream(others, false), stream(hello))
  })

  it("takes the type from the event's name where the data has none", () => {
    const decoder = wire.decoder()
    const out: Array<ChatEvent.ChatEvent> = []
    decoder.event(JSON.stringify({ output_index: 0, delta: "Hi" }), "response.output_text.delta", out)
    assert.deepStrictEqual(out, [{ _tag: "TextDelta", text: "Hi" }])
  })

  it("keeps calls apart by output_index, whatever their ids and order", () => {
    const streamed = stream([
      created,
      added(1, called("f", "call_1")),
      added(2, called("g", "call_2")),
      { ...args(2, '{"b"'), item_id: "changed" },
      args(1, '{"a":'),
      args(2, ":2}"),
      args(1, "1}"),
      argsDone(1, '{"a":1}'),
      itemDone(1, called("f", "call_1", '{"a":1}')),
      itemDone(2, called("g", "call_2", '{"b":2}')),
      completed()
    ])
    const answer = answerOf(streamed)
    assert.deepStrictEqual(
      answer.toolCalls.map(({ id, name, arguments: args }) => [id, name, args]),
      [
        ["call_1", "f", '{"a":1}'],
        ["call_2", "g", '{"b":2}']
      ]
    )
    assert.strictEqual(answer.finishReason, "tool-calls")
    assert.deepStrictEqual(
      streamed.events.flatMap((event) =>
        event._tag === "ToolCallDelta" ? [[event.index, event.arguments]] : []
      ),
      [
        [0, ""],
        [1, ""],
        [1, '{"b"'],
        [0, '{"a":'],
        [1, ":2}"],
        [0, "1}"]
      ]
    )
  })

  const wholeCalls: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
    ["in the event that ends its arguments", [added(0, called("f", "c")), argsDone(0, '{"a":1}')]],
    ["in the event that ends its item", [itemDone(0, called("f", "c", '{"a":1}'))]],
    [
      "in both",
      [added(0, called("f", "c")), argsDone(0, '{"a":1}'), itemDone(0, called("f", "c", '{"a":1}'))]
    ],
    ["when it is announced", [added(0, called("f", "c", '{"a":1}'))]],
    ["before its name", [args(0, '{"a":'), args(0, "1}"), itemDone(0, called("f", "c", '{"a":1}'))]],
    ["in the last event alone", []]
  ]
  for (const [where, events] of wholeCalls) {
    it(`a call whose arguments come ${where} is whole, and told once`, () => {
      const streamed = stream([created, ...events, completed([called("f", "c", '{"a":1}')])])
      assert.deepStrictEqual(answerOf(streamed).toolCalls, [
        { type: "tool-call", id: "c", name: "f", arguments: '{"a":1}' }
      ])
      assert.strictEqual(tagsOf(streamed).filter((tag) => tag === "ToolCall").length, 1)
    })
  }

  it("a call that is only announced is whole too", () => {
    const answer = answerOf(stream([created, added(0, called("f", "c", '{"a":1}')), completed()]))
    assert.deepStrictEqual(answer.toolCalls, [
      { type: "tool-call", id: "c", name: "f", arguments: '{"a":1}' }
    ])
  })

  it("a call without arguments has none", () => {
    const events = [added(0, called("f", "c")), argsDone(0, ""), itemDone(0, called("f", "c")), completed()]
    assert.strictEqual(answerOf(stream(events)).toolCalls[0]?.arguments, "{}")
  })

  it("a call that was never named is refused", () => {
    assert.deepInclude(stream([args(0, "{}"), completed()]).fault, { place: "item.name" })
  })

  it("gives reasoning, and the encrypted item behind it", () => {
    const streamed = stream([
      created,
      added(0, { type: "reasoning", summary: [], encrypted_content: "early" }),
      { type: "response.reasoning_summary_part.added", output_index: 0, summary_index: 0 },
      { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "Hm." },
      { type: "response.reasoning_summary_text.done", output_index: 0, summary_index: 0, text: "Hm." },
      itemDone(0, thought),
      text("Hello", 1),
      itemDone(1, says("Hello")),
      completed()
    ])
    assert.deepStrictEqual(answerOf(streamed).message.content, [
      { type: "reasoning", text: "Hm.", opaque: { provider: "openai", data: thought } },
      { type: "text", text: "Hello" }
    ])
  })

  it("of reasoning and its summary only what comes first is told", () => {
    const streamed = stream([
      { type: "response.reasoning_text.delta", output_index: 0, delta: "long" },
      { type: "response.reasoning_summary_text.delta", output_index: 0, delta: "short" },
      completed()
    ])
    assert.strictEqual(answerOf(streamed).reasoning, "long")
  })

  it("gives a refusal as one", () => {
    const refusal = (delta: string) => ({ type: "response.refusal.delta", output_index: 0, delta })
    const item = { type: "message", content: [{ type: "refusal", refusal: "I cannot." }] }
    for (const events of [
      [refusal("I "), refusal("cannot."), itemDone(0, item), completed()],
      [itemDone(0, item), completed()],
      [completed([item])]
    ]) {
      const answer = answerOf(stream(events))
      assert.strictEqual(answer.refusal, "I cannot.")
      assert.strictEqual(answer.finishReason, "content-filter")
    }
  })

  it("names each source once", () => {
    const annotation = { type: "response.output_text.annotation.added", output_index: 0, annotation: cited }
    const item = itemDone(0, says("Hello", [cited]))
    const once = [{ url: "https://a.example", title: "A", raw: cited }]
    assert.deepStrictEqual(answerOf(stream([text("Hello"), annotation, item, completed()])).citations, once)
    assert.deepStrictEqual(answerOf(stream([text("Hello"), item, completed()])).citations, once)
  })

  it("an answer whose items come only when they are done, or only at the end, is whole", () => {
    for (const events of [
      [itemDone(0, thought), itemDone(1, says("Hello")), completed([thought, says("Hello")])],
      [created, completed([thought, says("Hello")])],
      [added(0, { type: "reasoning" }), added(1, { type: "message" }), completed([thought, says("Hello")])]
    ]) {
      const answer = answerOf(stream(events))
      assert.strictEqual(answer.text, "Hello")
      assert.strictEqual(answer.reasoning, "Hm.")
    }
  })

  it("an empty answer is an answer", () => {
    const answer = answerOf(stream([created, completed()]))
    assert.strictEqual(answer.text, "")
    assert.strictEqual(answer.finishReason, "stop")
  })

  it("says why it is incomplete", () => {
    const incomplete = (reason: string) => ({
      type: "response.incomplete",
      response: { status: "incomplete", incomplete_details: { reason }, usage }
    })
    for (const [reason, expected] of [
      ["max_output_tokens", "length"],
      ["content_filter", "content-filter"],
      ["something", "other"]
    ] as const) {
      const answer = answerOf(stream([text("Hel"), incomplete(reason)]))
      assert.strictEqual(answer.finishReason, expected)
      assert.strictEqual(answer.rawFinishReason, reason)
      assert.strictEqual(answer.usage.total, 7)
    }
  })

  it("[DONE] ends a stream too, without a reason", () => {
    const answer = answerOf(stream([text("Hello"), "[DONE]"]))
    assert.strictEqual(answer.text, "Hello")
    assert.strictEqual(answer.finishReason, "other")
  })

  it("[DONE] behind events that mean nothing is no answer", () => {
    assert.strictEqual(stream([{ type: "keepalive" }, "[DONE]"]).fault?._tag, "MalformedFault")
  })

  it("that ends before its last event is cut off, even behind a complete item", () => {
    const cut = stream([created, text("Hello"), itemDone(0, says("Hello"))])
    assert.strictEqual(cut.fault?._tag, "TruncatedFault")
    assert.deepStrictEqual(tagsOf(cut), ["TextDelta"])
  })

  const errors: ReadonlyArray<readonly [string, unknown]> = [
    ["flat", { type: "error", code: "server_error", message: "no", param: null, sequence_number: 3 }],
    ["nested", { type: "error", error: { type: "server_error", code: "server_error", message: "no" } }],
    [
      "a failed response",
      {
        type: "response.failed",
        response: { status: "failed", error: { code: "server_error", message: "no" } }
      }
    ],
    ["the gateway's own", { success: false, error: [{ code: 2003, message: "no" }] }]
  ]
  for (const [form, error] of errors) {
    it(`an error (${form}) ends it, and what came before stays`, () => {
      const streamed = stream([created, text("Hel"), error, { type: "response.failed", response: {} }])
      assert.deepStrictEqual(streamed.fault, { _tag: "ErrorFault", json: error })
      assert.deepStrictEqual(tagsOf(streamed), ["TextDelta"])
    })
  }

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["data", "{"],
    ["data", "5"],
    ["type", {}],
    ["delta", { type: "response.output_text.delta", output_index: 0 }],
    ["delta", { type: "response.refusal.delta", output_index: 0, delta: 5 }],
    ["delta", { type: "response.reasoning_text.delta", output_index: 0, delta: null }],
    ["delta", { type: "response.function_call_arguments.delta", output_index: 0, delta: {} }],
    ["arguments", { type: "response.function_call_arguments.done", output_index: 0, arguments: 5 }],
    ["item", { type: "response.output_item.added", output_index: 0 }],
    ["item", { type: "response.output_item.done", output_index: 0, item: 5 }],
    ["item.content[0].text", itemDone(0, { type: "message", content: [{ type: "output_text", text: 5 }] })],
    ["response.output[0].type", completed([{}])]
  ]
  for (const [place, event] of wrong) {
    it(`names the place of what is wrong: ${place} of ${JSON.stringify(event)}`, () => {
      assert.deepInclude(stream([event]).fault, { _tag: "MalformedFault", place })
    })
  }
})

describe("anything", () => {
  const types = [
    ...new Set([...hello, args(0, ""), argsDone(0, ""), completed()].map(({ type }) => type)),
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta",
    "response.refusal.delta",
    "response.incomplete",
    "response.failed",
    "error",
    "keepalive"
  ]
  const key = FastCheck.constantFrom(
    "type",
    "content",
    "summary",
    "text",
    "name",
    "arguments",
    "call_id",
    "annotations"
  )
  const item = FastCheck.oneof(
    FastCheck.jsonValue({ maxDepth: 2 }),
    FastCheck.record({
      type: FastCheck.constantFrom("message", "reasoning", "function_call", "web_search_call", 5, null),
      content: FastCheck.jsonValue({ maxDepth: 2 }),
      name: FastCheck.jsonValue({ maxDepth: 1 }),
      arguments: FastCheck.jsonValue({ maxDepth: 1 })
    }),
    FastCheck.dictionary(key, FastCheck.jsonValue({ maxDepth: 2 }))
  )
  const event = FastCheck.record({
    type: FastCheck.constantFrom(...types),
    output_index: FastCheck.constantFrom(0, 1, "0", null),
    delta: FastCheck.oneof(FastCheck.string(), FastCheck.jsonValue({ maxDepth: 1 })),
    item,
    annotation: item,
    arguments: FastCheck.jsonValue({ maxDepth: 1 }),
    response: FastCheck.record({ output: FastCheck.array(item, { maxLength: 2 }), usage: item, status: item })
  })

  it("that comes as a body is an answer or a fault", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({
          output: FastCheck.array(item),
          usage: item,
          status: item,
          incomplete_details: item
        }),
        (json) => {
          wire.decode(json)
        }
      ),
      { numRuns: 300 }
    )
  })

  it("that comes as a stream ends in one finish or one fault", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(event, { maxLength: 8 }), (events) => {
        const streamed = stream(events)
        const finishes = tagsOf(streamed).filter((tag) => tag === "Finish").length
        assert.strictEqual(finishes, streamed.fault === undefined ? 1 : 0)
      }),
      { numRuns: 500 }
    )
  })

  it("a model says comes out the same, whole and streamed", () => {
    const said = FastCheck.string({ minLength: 1 })
    const items = FastCheck.array(
      FastCheck.oneof(
        said.map((text) => says(text, [cited])),
        said.map((text) => ({ ...thought, summary: [{ type: "summary_text", text }] })),
        FastCheck.tuple(FastCheck.uuid(), FastCheck.json()).map(([id, json]) => called("f", id, json))
      ),
      { maxLength: 5 }
    )
    const pieces = (text: string) => text.match(/[\s\S]{1,3}/g) ?? []
    FastCheck.assert(
      FastCheck.property(items, (output) => {
        const events = output.flatMap((item, index): ReadonlyArray<unknown> => {
          if ("content" in item)
            return [
              added(index, { type: "message" }),
              ...pieces(item.content[0]?.text ?? "").map((piece) => text(piece, index))
            ]
          if ("arguments" in item)
            return [
              added(index, { ...item, arguments: "" }),
              ...pieces(item.arguments).map((piece) => args(index, piece))
            ]
          const summary = item.summary[0]?.text ?? ""
          return pieces(summary).map((delta) => ({
            type: "response.reasoning_summary_text.delta",
            output_index: index,
            delta
          }))
        })
        // Each item is done before the next one begins, as OpenAI has it.
        const ordered: Array<unknown> = []
        for (const [index, item] of output.entries()) {
          ordered.push(
            ...events.filter((event) => (event as { output_index: number }).output_index === index)
          )
          ordered.push(itemDone(index, item))
        }
        const streamed = answerOf(stream([created, ...ordered, completed(output)]))
        const whole = decode({ ...completed(output).response })
        assert.strictEqual(
          streamed.text,
          whole.parts.map((part) => (part.type === "text" ? part.text : "")).join("")
        )
        const others = (parts: ReadonlyArray<Message.AssistantPart>) =>
          parts.filter(({ type }) => type !== "text")
        const { content } = streamed.message
        assert.deepStrictEqual(others(typeof content === "string" ? [] : content), others(whole.parts))
        assert.deepStrictEqual(streamed.citations, whole.citations)
        assert.strictEqual(streamed.finishReason, whole.finishReason)
        assert.deepStrictEqual(streamed.usage, whole.usage)
      })
    )
  })
})

// --- through the gateway ----------------------------------------------------------------------------------------------

describe("a model of OpenAI through responses", () => {
  const behind = (options: LocalGateway.Options = {}) =>
    Layer.mergeAll(
      OpenAi.layer({ apiKey: Redacted.make("sk-0123456789abcdef") }),
      Anthropic.layer(),
      LocalGateway.layerTest(options)
    )
  const model = OpenAi.responsesModel("gpt-5-mini", { reasoningEffort: "low" }).pipe(
    ChatModel.retry(Schedule.recurs(0))
  )
  const ways = [
    ["chat", (input: ChatRequest.Input) => model.chat(input)],
    ["stream", (input: ChatRequest.Input) => ChatModel.collect(model.streamChat(input))]
  ] as const

  for (const [way, ask] of ways) {
    it.effect(`answers, with its reasoning, at the endpoint of that name (${way})`, () =>
      Effect.gen(function* () {
        const answer = yield* ask("three cheeses")
        assert.include(answer.text, "three cheeses")
        assert.notStrictEqual(answer.reasoning, "")
        assert.strictEqual(answer.provider, "openai")
        assert.isAbove(answer.usage.reasoning ?? 0, 0)
        const [sent] = (yield* LocalGateway.Gateway).requests()
        assert.deepInclude(sent, { provider: "openai", endpoint: "responses" })
        assert.strictEqual(sent?.headers.authorization, "Bearer sk-0123456789abcdef")
      }).pipe(Effect.provide(behind()))
    )

    it.effect(`goes on from its reasoning when a call is answered (${way})`, () =>
      Effect.gen(function* () {
        const called = yield* ask({
          prompt: "Weather in Oslo?",
          tools: [Weather],
          toolChoice: { tool: "get_weather" }
        })
        const [call] = yield* Tool.decodeAll([Weather], called.toolCalls)
        assert.isString(call?.arguments.city)
        yield* ask({
          messages: [
            Message.user("Weather in Oslo?"),
            called.message,
            Message.toolResults([
              { type: "tool-result", id: call?.id ?? "", name: "get_weather", result: "Rain." }
            ])
          ],
          tools: [Weather]
        })
        const [, sent] = (yield* LocalGateway.Gateway).requests()
        const input = Object(sent?.body).input as ReadonlyArray<{ readonly type?: string }>
        assert.deepStrictEqual(
          input.map(({ type }) => type),
          [undefined, "reasoning", "function_call", "function_call_output"]
        )
      }).pipe(Effect.provide(behind()))
    )

    it.effect(`its refusal of the request moves on to the next model (${way})`, () =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([model, Anthropic.model("claude-haiku-4-5")])
        const answer = yield* way === "chat" ? list.chat("Hi") : ChatModel.collect(list.streamChat("Hi"))
        assert.strictEqual(answer.provider, "anthropic")
        assert.deepStrictEqual(
          answer.attempts.map(({ error }) => error._tag),
          ["RateLimited"]
        )
      }).pipe(
        Effect.provide(behind({ upstreams: { openai: LocalGateway.always(LocalGateway.status(429)) } }))
      )
    )
  }

  it.effect("an error inside a stream's 200 moves on too, as long as nothing was told", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([model, Anthropic.model("claude-haiku-4-5")])
      const answer = yield* ChatModel.collect(list.streamChat("Hi"))
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.attempts[0]?.error._tag, "ProviderFailure")
    }).pipe(
      Effect.provide(
        behind({
          upstreams: {
            openai: LocalGateway.always(
              LocalGateway.raw({
                headers: { "content-type": "text/event-stream" },
                body: [
                  `event: response.created\ndata: ${JSON.stringify(created)}\n\n`,
                  `event: error\ndata: {"type":"error","error":{"code":"server_error","message":"no"}}\n\n`,
                  `event: response.failed\ndata: {"type":"response.failed","response":{"status":"failed"}}\n\n`
                ]
              })
            )
          }
        })
      )
    )
  )
})

// --- an emulator of somebody else ---------------------------------------------------------------------------------------

describe("@copilotkit/aimock, which speaks responses too", () => {
  const emulator = Effect.acquireRelease(
    Effect.promise(async () => {
      const mock = new LLMock({ port: 0, logLevel: "silent" })
      mock.onMessage(/tool/, { toolCalls: [{ name: "get_weather", arguments: '{"city":"Oslo"}' }] })
      mock.onMessage(/.*/, { content: "Grüße 🎈", reasoning: "Hm." }, { chunkSize: 3 })
      await mock.start()
      return mock
    }),
    (mock) => Effect.promise(() => mock.stop())
  )
  const model = OpenAi.responsesModel("gpt-5-mini", { reasoningEffort: "low" })

  for (const [way, ask] of [
    ["chat", (input: ChatRequest.Input) => model.chat(input)],
    ["stream", (input: ChatRequest.Input) => ChatModel.collect(model.streamChat(input))]
  ] as const) {
    it.live(`is understood (${way})`, () =>
      Effect.scoped(
        Effect.flatMap(emulator, (mock) =>
          Effect.gen(function* () {
            const answer = yield* ask("hello")
            assert.strictEqual(answer.text, "Grüße 🎈")
            assert.strictEqual(answer.reasoning, "Hm.")
            assert.strictEqual(answer.finishReason, "stop")
            const called = yield* ask({ prompt: "a tool", tools: [Weather] })
            assert.deepStrictEqual(
              called.toolCalls.map(({ name, arguments: args }) => [name, args]),
              [["get_weather", '{"city":"Oslo"}']]
            )
            assert.strictEqual(called.finishReason, "tool-calls")
          }).pipe(
            Effect.provide(
              AiGateway.layer({ accountId: "a", gatewayId: "g", token: Redacted.make("local-token") })
            ),
            Effect.provide(OpenAi.layer({ apiKey: Redacted.make("sk-0123456789abcdef") })),
            Effect.provide(
              LocalGateway.layer({
                accountId: "a",
                gateways: ["g"],
                upstreams: { openai: LocalGateway.forward(`${mock.url}/v1`) }
              })
            )
          )
        )
      )
    )
  }
})
