import { assert, describe, it } from "@effect/vitest"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ChatEvent from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import { wire } from "../../src/internal/wire/anthropicMessages.js"
import * as Reading from "../../src/internal/wire/reading.js"
import { schemaOf } from "../../src/internal/wire/toolDefinitions.js"
import { type EncodeInput, type Fault, isFault } from "../../src/internal/wire/wire.js"
import * as Message from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

// --- helpers ----------------------------------------------------------------------------------------------------------

const hello = [Message.user("Hello")]

const requestOf = (
  messages: ReadonlyArray<Message.Message>,
  sampling: ChatRequest.Sampling = {}
): ChatRequest.ChatRequest => ({ [ChatRequest.TypeId]: ChatRequest.TypeId, messages, ...sampling })

const encode = (
  messages: ReadonlyArray<Message.Message>,
  sampling: ChatRequest.Sampling = {},
  input: Partial<EncodeInput> = {}
) =>
  wire.encode({
    model: "claude-haiku-4-5",
    request: requestOf(messages, sampling),
    stream: false,
    provider: "anthropic",
    ...input
  })

const decoded = (json: unknown): Decoded => {
  const result = wire.decode(json)
  if (isFault(result)) return assert.fail(`a fault: ${JSON.stringify(result)}`)
  return result
}

const faultOf = (json: unknown): Fault => {
  const result = wire.decode(json)
  return isFault(result) ? result : assert.fail("an answer")
}

interface Streamed {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  readonly fault: Fault | undefined
  readonly done: boolean
}

/** Feeds events one by one, as the driver does. */
const streamTexts = (events: ReadonlyArray<readonly [data: string, name: string | undefined]>): Streamed => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const [data, name] of events) {
    const fault = decoder.event(data, name, out)
    if (fault !== undefined) return { events: out, fault, done: decoder.done() }
    if (decoder.done()) break
  }
  const done = decoder.done()
  return { events: out, fault: decoder.end(out), done }
}

const stream = (...events: ReadonlyArray<Readonly<Record<string, unknown>>>): Streamed =>
  streamTexts(events.map((event) => [JSON.stringify(event), String(event.type)]))

const finishOf = ({ events }: Streamed) => {
  const last = events[events.length - 1]
  return last?._tag === "Finish" ? last : assert.fail("no Finish at the end")
}

const texts = ({ events }: Streamed): string =>
  events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")

const messageStart = (usage: unknown = { input_tokens: 12, output_tokens: 1 }) => ({
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-haiku-4-5-20251001",
    content: [],
    usage
  }
})
const blockStart = (index: number, content_block: unknown) => ({
  type: "content_block_start",
  index,
  content_block
})
const delta = (index: number, delta: unknown) => ({ type: "content_block_delta", index, delta })
const blockStop = (index: number) => ({ type: "content_block_stop", index })
const messageDelta = (stop_reason: string, usage: unknown = { output_tokens: 15 }, more: object = {}) => ({
  type: "message_delta",
  delta: { stop_reason, stop_sequence: null, ...more },
  usage
})
const ping = { type: "ping" }
const messageStop = { type: "message_stop" }

const sample = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5-20251001",
  content: [
    { type: "thinking", thinking: "A question of weather.", signature: "c2lnbmVk" },
    { type: "redacted_thinking", data: "aGlkZGVu" },
    {
      type: "text",
      text: "It rains.",
      citations: [
        { type: "char_location", cited_text: "Rain all day.", document_index: 0, document_title: "Forecast" },
        {
          type: "web_search_result_location",
          cited_text: "Rain",
          url: "https://weather.example",
          title: "Weather",
          encrypted_index: "x"
        }
      ]
    },
    { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "rain" } },
    { type: "tool_use", id: "toolu_1", name: "umbrella", input: { colour: "red" } }
  ],
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: {
    input_tokens: 20,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 100,
    output_tokens: 40,
    output_tokens_details: { thinking_tokens: 25 }
  }
}

type Path = ReadonlyArray<string | number>

/** Every place in a JSON value, the root included. */
const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof json !== "object" || json === null) return [path]
  const keys: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(json)
    ? [...json.entries()]
    : Object.entries(json)
  return [path, ...keys.flatMap(([key, value]) => pathsOf(value, [...path, key]))]
}

const replaceAt = (json: unknown, path: Path, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(json))
    return json.map((item, index) => (index === key ? replaceAt(item, rest, value) : item))
  const record = Object.fromEntries(Object.entries(json ?? {}))
  return { ...record, [key]: replaceAt(record[key], rest, value) }
}

const wrongValues: ReadonlyArray<unknown> = [null, true, 5, "x", [], {}]

const placeName = (path: Path): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("")

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value

// --- requests ---------------------------------------------------------------------------------------------------------

describe("a request to Anthropic", () => {
  it("goes to v1/messages with the version that accepts sampling", () => {
    const { endpoint, headers, body, unsupported } = encode(hello)
    assert.strictEqual(endpoint, "v1/messages")
    assert.deepStrictEqual(headers, { "anthropic-version": "2023-06-01" })
    assert.deepStrictEqual(body, {
      model: "claude-haiku-4-5",
      max_tokens: 4096,
      messages: [{ role: "user", content: "Hello" }]
    })
    assert.deepStrictEqual(unsupported, [])
  })

  it("always has a limit: the request's, else the model's, else 4096", () => {
    assert.strictEqual(encode(hello, { maxTokens: 7 }, { maxOutputTokens: 64000 }).body.max_tokens, 7)
    assert.strictEqual(encode(hello, {}, { maxOutputTokens: 64000 }).body.max_tokens, 64000)
    assert.strictEqual(encode(hello).body.max_tokens, 4096)
  })

  it("asks for a stream only when one is wanted", () => {
    assert.strictEqual(encode(hello, {}, { stream: true }).body.stream, true)
    assert.notProperty(encode(hello).body, "stream")
  })

  const encodedFields: ReadonlyArray<readonly [ChatRequest.Sampling, string, unknown]> = [
    [{ temperature: 0 }, "temperature", 0],
    [{ topP: 0.5 }, "top_p", 0.5],
    [{ topK: 3 }, "top_k", 3],
    [{ maxTokens: 9 }, "max_tokens", 9],
    [{ stop: ["END"] }, "stop_sequences", ["END"]]
  ]
  for (const [sampling, name, value] of encodedFields) {
    it(`writes ${Object.keys(sampling)[0]} as ${name}`, () => {
      const { body, unsupported } = encode(hello, sampling)
      assert.deepStrictEqual(body[name], value)
      assert.deepStrictEqual(unsupported, [])
    })
  }

  for (const sampling of [{ seed: 0 }, { frequencyPenalty: 0 }, { presencePenalty: 1 }]) {
    it(`tells that ${Object.keys(sampling)[0]} cannot be sent`, () => {
      const { body, unsupported } = encode(hello, sampling)
      assert.deepStrictEqual(unsupported, Object.keys(sampling))
      assert.deepStrictEqual(body, encode(hello).body)
    })
  }

  it("drops no field silently", () => {
    const sampling = FastCheck.record(
      {
        temperature: FastCheck.constant(0.25),
        topP: FastCheck.constant(0.75),
        topK: FastCheck.constant(17),
        maxTokens: FastCheck.constant(4711),
        stop: FastCheck.constant(["HALT"]),
        seed: FastCheck.constant(99),
        frequencyPenalty: FastCheck.constant(0.125),
        presencePenalty: FastCheck.constant(0.375)
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(sampling, (fields) => {
        const { body, unsupported } = encode(hello, fields)
        const sent = Object.values(body).map((value) => JSON.stringify(value))
        for (const [field, value] of Object.entries(fields)) {
          assert.strictEqual(sent.includes(JSON.stringify(value)), !unsupported.includes(field), field)
        }
        for (const field of unsupported) assert.property(fields, field)
      })
    )
  })

  it("lifts the instructions out of the conversation, wherever they stand", () => {
    assert.strictEqual(encode([Message.system("Be brief."), ...hello]).body.system, "Be brief.")
    const { body } = encode([Message.system("One."), Message.user("Hi"), Message.system("Two.")])
    assert.deepStrictEqual(body.system, [
      { type: "text", text: "One." },
      { type: "text", text: "Two." }
    ])
    assert.deepStrictEqual(body.messages, [{ role: "user", content: "Hi" }])
    assert.notProperty(encode([Message.system(""), ...hello]).body, "system")
  })

  it("keeps messages of the same role apart, and text in parts", () => {
    const { body } = encode([
      Message.user("One"),
      Message.user([
        { type: "text", text: "Two" },
        { type: "text", text: "Three" }
      ]),
      Message.assistant("Four")
    ])
    assert.deepStrictEqual(body.messages, [
      { role: "user", content: "One" },
      {
        role: "user",
        content: [
          { type: "text", text: "Two" },
          { type: "text", text: "Three" }
        ]
      },
      { role: "assistant", content: "Four" }
    ])
  })

  it("replays tool calls with an input object, and all results in one user message", () => {
    const { body } = encode([
      Message.assistant([
        { type: "text", text: "" },
        { type: "tool-call", id: "a", name: "now", arguments: "{}" },
        { type: "tool-call", id: "b", name: "add", arguments: '{"x":1}' },
        { type: "tool-call", id: "c", name: "odd", arguments: "[1]" },
        { type: "tool-call", id: "d", name: "cut", arguments: '{"x":' }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "a", name: "now", result: "noon" },
        { type: "tool-result", id: "b", name: "add", result: "no", isError: true }
      ])
    ])
    assert.deepStrictEqual(body.messages, [
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "a", name: "now", input: {} },
          { type: "tool_use", id: "b", name: "add", input: { x: 1 } },
          { type: "tool_use", id: "c", name: "odd", input: {} },
          { type: "tool_use", id: "d", name: "cut", input: {} }
        ]
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a", content: "noon" },
          { type: "tool_result", tool_use_id: "b", content: "no", is_error: true }
        ]
      }
    ])
  })

  it("makes other vendors' call ids unique and legal, and their results follow", () => {
    const turn = (id: string): ReadonlyArray<Message.Message> => [
      Message.assistant([{ type: "tool-call", id, name: "f", arguments: "{}" }]),
      Message.toolResults([{ type: "tool-result", id, name: "f", result: "1" }])
    ]
    const text = JSON.stringify(
      encode([...turn("call_0"), ...turn("call_0"), ...turn("functions.f:0")]).body.messages
    )
    assert.deepStrictEqual(
      [...text.matchAll(/"(?:id|tool_use_id)":"([^"]*)"/g)].map((match) => match[1]),
      ["call_0", "call_0", "call_0_2", "call_0_2", "functions_f_0", "functions_f_0"]
    )
  })

  it("replays signed reasoning to the provider that signed it, and to no other", () => {
    const thinking = { type: "thinking", thinking: "Hm.", signature: "c2ln" }
    const redacted = { type: "redacted_thinking", data: "aGlk" }
    const conversation = [
      ...hello,
      Message.assistant([
        { type: "reasoning", text: "Hm.", opaque: { provider: "anthropic", data: thinking } },
        { type: "reasoning", text: "", opaque: { provider: "anthropic", data: redacted } },
        { type: "reasoning", text: "unsigned" },
        { type: "reasoning", text: "", opaque: { provider: "anthropic", data: "no block" } },
        { type: "text", text: "Hi" }
      ]),
      // Nothing of this one can be sent: a message without content is refused.
      Message.assistant([{ type: "reasoning", text: "", opaque: { provider: "openai", data: thinking } }])
    ]
    const said = [{ type: "text", text: "Hi" }]
    assert.deepStrictEqual(encode(conversation).body.messages, [
      { role: "user", content: "Hello" },
      { role: "assistant", content: [thinking, redacted, ...said] }
    ])
    assert.deepStrictEqual(encode(conversation, {}, { provider: "other" }).body.messages, [
      { role: "user", content: "Hello" },
      { role: "assistant", content: said }
    ])
  })

  it("can always be written, whatever models said before", () => {
    const part: FastCheck.Arbitrary<Message.AssistantPart> = FastCheck.oneof(
      FastCheck.record({ type: FastCheck.constant("text" as const), text: FastCheck.string() }),
      FastCheck.record({
        type: FastCheck.constant("tool-call" as const),
        id: FastCheck.string(),
        name: FastCheck.string(),
        arguments: FastCheck.oneof(FastCheck.json(), FastCheck.string())
      }),
      FastCheck.record({
        type: FastCheck.constant("reasoning" as const),
        text: FastCheck.string(),
        opaque: FastCheck.record({ provider: FastCheck.constant("anthropic"), data: FastCheck.jsonValue() })
      })
    )
    const result = FastCheck.record({
      type: FastCheck.constant("tool-result" as const),
      id: FastCheck.string(),
      name: FastCheck.string(),
      result: FastCheck.oneof(FastCheck.json(), FastCheck.string())
    })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(part),
        FastCheck.array(result),
        FastCheck.string({ unit: "binary" }),
        (parts, results, model) => {
          const { body } = encode([Message.assistant(parts), Message.toolResults(results)], {}, { model })
          JSON.stringify(body)
        }
      )
    )
  })
})

// --- what a request asks for beside its text --------------------------------------------------------------------------

const weather = Tool.make("get_weather", {
  description: "The weather of a city, now.",
  parameters: Schema.Struct({ city: Schema.String })
})
const clock = Tool.make("get_time")
const weatherSchema = {
  type: "object",
  required: ["city"],
  properties: { city: { type: "string" } },
  additionalProperties: false
}
const city: ChatRequest.Output = { name: "city", description: "A city.", jsonSchema: weatherSchema }

type Asked = Partial<Omit<ChatRequest.ChatRequest, ChatRequest.TypeId>>

const asked = (fields: Asked, input: Partial<EncodeInput> = {}) =>
  wire.encode({
    model: "claude-haiku-4-5",
    stream: false,
    provider: "anthropic",
    ...input,
    request: { [ChatRequest.TypeId]: ChatRequest.TypeId, messages: hello, ...fields }
  })

const old = { model: "claude-sonnet-4-20250514" }

describe("tools for Anthropic", () => {
  it("are written with input_schema, and without a choice unless one is made", () => {
    const { body, unsupported } = asked({ tools: [weather, clock] })
    assert.deepStrictEqual(body.tools, [
      { name: "get_weather", description: "The weather of a city, now.", input_schema: weatherSchema },
      { name: "get_time", input_schema: schemaOf(clock) }
    ])
    assert.notProperty(body, "tool_choice")
    assert.deepStrictEqual(unsupported, [])
  })

  const choices: ReadonlyArray<readonly [Asked, unknown]> = [
    [{ toolChoice: "auto" }, { type: "auto" }],
    [{ toolChoice: "none" }, { type: "none" }],
    [{ toolChoice: "required" }, { type: "any" }],
    [{ toolChoice: { tool: "get_time" } }, { type: "tool", name: "get_time" }],
    [{ parallelToolCalls: true }, undefined],
    [{ parallelToolCalls: false }, { type: "auto", disable_parallel_tool_use: true }],
    [
      { toolChoice: "required", parallelToolCalls: false },
      { type: "any", disable_parallel_tool_use: true }
    ],
    [
      { toolChoice: { tool: "get_time" }, parallelToolCalls: false },
      { type: "tool", name: "get_time", disable_parallel_tool_use: true }
    ]
  ]
  for (const [fields, choice] of choices) {
    it(`with ${JSON.stringify(fields)} have the choice ${JSON.stringify(choice)}`, () => {
      const { body, unsupported } = asked({ tools: [weather, clock], ...fields })
      assert.deepStrictEqual(body.tool_choice, choice)
      assert.deepStrictEqual(unsupported, [])
    })
  }

  it("that are none have no choice, which would be refused", () => {
    const { body } = asked({ tools: [], toolChoice: "auto", parallelToolCalls: false })
    assert.notProperty(body, "tools")
    assert.notProperty(body, "tool_choice")
  })

  it("are strict only where they ask for it and the model knows strict tools", () => {
    const strict = Tool.make("f", { parameters: Schema.Struct({ n: Schema.Int }), strict: true })
    const written = (model: string): unknown => asked({ tools: [strict] }, { model }).body.tools
    assert.deepInclude(written("claude-sonnet-4-5"), {
      name: "f",
      input_schema: schemaOf(strict),
      strict: true
    })
    assert.deepStrictEqual(written("claude-sonnet-4-0"), [{ name: "f", input_schema: schemaOf(strict) }])
  })

  it("cannot be forced on models that do not take it", () => {
    const { body, unsupported } = asked(
      { tools: [clock], toolChoice: "required" },
      { model: "claude-opus-5-5" }
    )
    assert.deepStrictEqual(unsupported, ["toolChoice"])
    assert.notProperty(body, "tool_choice")
  })
})

describe("the form of an answer of Anthropic", () => {
  it("is the model's own, without a name", () => {
    const { body, unsupported, outputTool } = asked({ output: city })
    assert.deepStrictEqual(body.output_config, { format: { type: "json_schema", schema: weatherSchema } })
    assert.notProperty(body, "tools")
    assert.strictEqual(outputTool, undefined)
    assert.deepStrictEqual(unsupported, [])
  })

  const natives: ReadonlyArray<readonly [string, boolean]> = [
    ["claude-haiku-4-5", true],
    ["claude-haiku-4-5-20251001", true],
    ["claude-sonnet-4-5", true],
    ["claude-opus-4-1-20250805", true],
    ["claude-opus-5", true],
    ["anthropic/claude-haiku-4.5", true],
    ["claude-mythos-preview", true],
    ["claude-sonnet-4-20250514", false],
    ["claude-opus-4-0", false],
    ["claude-3-7-sonnet-latest", false],
    ["claude-3-haiku-20240307", false],
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", false],
    ["claude-2.1", false]
  ]
  for (const [model, native] of natives) {
    it(`of ${model} is ${native ? "in output_config" : "a forced tool"}`, () => {
      const { body, outputTool } = asked({ output: city }, { model })
      assert.strictEqual(body.output_config !== undefined, native)
      assert.strictEqual(outputTool, native ? undefined : "city")
      assert.deepStrictEqual(
        body.tool_choice,
        native ? undefined : { type: "tool", name: "city", disable_parallel_tool_use: true }
      )
    })
  }

  it("is a tool beside others, one of which must be called", () => {
    const { body, outputTool, unsupported } = asked({ output: city, tools: [weather] }, old)
    assert.deepStrictEqual(body.tools, [
      { name: "get_weather", description: "The weather of a city, now.", input_schema: weatherSchema },
      { name: "city", description: "A city.", input_schema: weatherSchema }
    ])
    assert.deepStrictEqual(body.tool_choice, { type: "any", disable_parallel_tool_use: true })
    assert.strictEqual(outputTool, "city")
    assert.deepStrictEqual(unsupported, [])
  })

  it("is the only tool that may be called, if the others must not", () => {
    const { body } = asked({ output: city, tools: [weather], toolChoice: "none" }, old)
    assert.deepInclude(body.tool_choice, { type: "tool", name: "city" })
  })

  it("by a tool cannot be had, if another tool must be called", () => {
    const { unsupported } = asked({ output: city, tools: [weather], toolChoice: "required" }, old)
    assert.deepStrictEqual(unsupported, ["toolChoice"])
  })

  it("by a tool has a name that no other tool has", () => {
    const { body, outputTool } = asked({ output: city, tools: [Tool.make("city"), Tool.make("city_2")] }, old)
    assert.strictEqual(outputTool, "city_3")
    assert.deepInclude(body.tools, { name: "city_3", description: "A city.", input_schema: weatherSchema })
  })

  it("by a tool is read as the text of the answer, whole and streamed", () => {
    const encoded = asked({ output: city }, old)
    const reader = Reading.of(wire, requestOf(hello), encoded)
    const answer = reader.decode({
      content: [{ type: "tool_use", id: "t", name: "city", input: { city: "Oslo" } }],
      stop_reason: "tool_use"
    })
    assert.deepInclude(answer, { parts: [{ type: "text", text: '{"city":"Oslo"}' }], finishReason: "stop" })
    const decoder = reader.decoder()
    const out: Array<ChatEvent.ChatEvent> = []
    for (const event of [
      messageStart(),
      blockStart(0, { type: "tool_use", id: "t", name: "city", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"city":' }),
      delta(0, { type: "input_json_delta", partial_json: '"Oslo"}' }),
      blockStop(0),
      messageDelta("tool_use"),
      messageStop
    ])
      assert.isUndefined(decoder.event(JSON.stringify(event), event.type, out))
    assert.isUndefined(decoder.end(out))
    const folded = ChatEvent.fold(out)
    assert.strictEqual(folded.text, '{"city":"Oslo"}')
    assert.strictEqual(folded.finishReason, "stop")
    assert.deepStrictEqual(folded.toolCalls, [])
  })

  it("closes objects, and tells limits that structured outputs do not know in words", () => {
    const parameters = Schema.Struct({
      age: Schema.Int.pipe(Schema.between(0, 120)),
      tags: Schema.Array(Schema.NonEmptyString),
      note: Schema.optional(Schema.String)
    })
    const { body } = asked({ output: { name: "o", jsonSchema: schemaOf(Tool.make("o", { parameters })) } })
    const text = JSON.stringify(body.output_config)
    assert.notMatch(text, /"(minimum|maximum|minLength)":/)
    assert.include(text, "minimum: 0")
    assert.include(text, "maximum: 120")
    assert.include(text, "minLength: 1")
    assert.include(text, '"additionalProperties":false')
  })

  const unclosed: ReadonlyArray<readonly [string, ChatRequest.Output["jsonSchema"]]> = [
    [
      "records",
      schemaOf(
        Tool.make("o", {
          parameters: Schema.Struct({ by: Schema.Record({ key: Schema.String, value: Schema.Number }) })
        })
      )
    ],
    [
      "tuples",
      schemaOf(
        Tool.make("o", {
          parameters: Schema.Struct({ at: Schema.Tuple(Schema.Number, Schema.Number) })
        })
      )
    ],
    ["anything", schemaOf(Tool.make("o", { parameters: Schema.Struct({ any: Schema.Unknown }) }))],
    ["open objects", { type: "object", properties: { o: { type: "object" } } }],
    [
      "recursion",
      {
        type: "object",
        properties: { t: { $ref: "#/$defs/T" } },
        $defs: { T: { type: "object", properties: { t: { $ref: "#/$defs/T" } } } }
      }
    ]
  ]
  for (const [what, jsonSchema] of unclosed) {
    it(`with ${what} is a forced tool, for structured outputs have none`, () => {
      const { body, outputTool, unsupported } = asked({ output: { name: "o", jsonSchema } })
      assert.strictEqual(outputTool, "o")
      assert.deepInclude(body.tools, {
        name: "o",
        description: "Gives the answer.",
        input_schema: jsonSchema
      })
      assert.deepStrictEqual(unsupported, [])
    })
    it(`with ${what} cannot be had of a model that cannot be forced`, () => {
      const { body, outputTool, unsupported } = asked(
        { output: { name: "o", jsonSchema } },
        { model: "claude-opus-5-5" }
      )
      assert.strictEqual(outputTool, undefined)
      assert.notProperty(body, "tools")
      assert.deepStrictEqual(unsupported, ["output"])
    })
  }

  it("may use one definition twice", () => {
    const jsonSchema = {
      type: "object",
      properties: { a: { $ref: "#/$defs/N" }, b: { $ref: "#/$defs/N" } },
      $defs: { N: { type: "object", properties: { n: { type: "number" } } } }
    }
    assert.deepInclude(asked({ output: { name: "o", jsonSchema } }).body.output_config, {
      format: {
        type: "json_schema",
        schema: {
          ...jsonSchema,
          additionalProperties: false,
          $defs: { N: { ...jsonSchema.$defs.N, additionalProperties: false } }
        }
      }
    })
  })
})

describe("images and files for Anthropic", () => {
  const blocks = (...parts: ReadonlyArray<Message.UserPart>) => {
    const { body, unsupported } = asked({ messages: [Message.user([Message.textPart("Look."), ...parts])] })
    const [message] = body.messages as ReadonlyArray<{ readonly content: ReadonlyArray<unknown> }>
    return { blocks: message?.content.slice(1), unsupported }
  }
  const text = (text: string) => Encoding.encodeBase64(text)

  it("are blocks in their order, by URL or with their bytes", () => {
    assert.deepStrictEqual(
      blocks(
        Message.image("https://a.example/cat.png", { detail: "high" }),
        Message.image({ data: "AAEC", mediaType: "image/webp" }),
        Message.image("data:image/GIF;base64,AAEC"),
        Message.file("https://a.example/paper.pdf"),
        Message.file({ data: "JVBER", mediaType: "application/pdf" }, { filename: "paper.pdf" }),
        Message.file({ data: text("Grüße"), mediaType: "text/plain" }),
        Message.file({ data: text("a,b"), mediaType: "text/csv" }, { filename: "t.csv" })
      ),
      {
        blocks: [
          { type: "image", source: { type: "url", url: "https://a.example/cat.png" } },
          { type: "image", source: { type: "base64", media_type: "image/webp", data: "AAEC" } },
          { type: "image", source: { type: "base64", media_type: "image/gif", data: "AAEC" } },
          { type: "document", source: { type: "url", url: "https://a.example/paper.pdf" } },
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: "JVBER" },
            title: "paper.pdf"
          },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
          {
            type: "document",
            source: { type: "text", media_type: "text/plain", data: "a,b" },
            title: "t.csv"
          }
        ],
        unsupported: []
      }
    )
  })

  const refused: ReadonlyArray<readonly [Message.UserPart, string]> = [
    [Message.image({ data: "AAEC", mediaType: "image/heic" }), "images of type image/heic"],
    [Message.image("gs://bucket/cat.png"), "images by URL"],
    [Message.file("gs://bucket/paper.pdf"), "files by URL"],
    [Message.file({ data: "AAEC", mediaType: "audio/mpeg" }), "files of type audio/mpeg"],
    // Not UTF-8.
    [Message.file({ data: "/w==", mediaType: "text/plain" }), "files of type text/plain"],
    [Message.file({ data: "no base64!", mediaType: "text/plain" }), "files of type text/plain"]
  ]
  for (const [part, feature] of refused) {
    it(`of a kind that is not taken are named: ${feature}, ${JSON.stringify(part.type)}`, () => {
      assert.deepStrictEqual(blocks(part, part), { blocks: [], unsupported: [feature] })
    })
  }
})

describe("results of tools for Anthropic", () => {
  const call = (id: string): Message.ToolCallPart => ({ type: "tool-call", id, name: "f", arguments: "{}" })
  const result = (id: string, result: string, isError = false): Message.ToolResultPart => ({
    type: "tool-result",
    id,
    name: "f",
    result,
    isError
  })
  const written = (...messages: ReadonlyArray<Message.Message>): unknown => asked({ messages }).body.messages

  it("of one turn are one message, before what the user says", () => {
    assert.deepStrictEqual(
      written(
        Message.assistant([call("a"), call("b")]),
        Message.toolResults([result("b", "2")]),
        Message.system("Be brief."),
        Message.toolResults([result("a", "", true)]),
        Message.user("And now?")
      ),
      [
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "a", name: "f", input: {} },
            { type: "tool_use", id: "b", name: "f", input: {} }
          ]
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "b", content: "2" },
            { type: "tool_result", tool_use_id: "a", content: "The tool failed.", is_error: true }
          ]
        },
        { role: "user", content: "And now?" }
      ]
    )
  })

  it("stand behind their calls, even if the user said something in between", () => {
    assert.deepStrictEqual(
      written(
        Message.assistant([call("a")]),
        Message.user("Wait."),
        Message.toolResults([result("a", "1")]),
        Message.assistant("Done.")
      ),
      [
        { role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "1" }] },
        { role: "user", content: "Wait." },
        { role: "assistant", content: "Done." }
      ]
    )
  })

  it("belong to their calls, even if two calls of one turn share an id", () => {
    assert.deepStrictEqual(
      written(
        Message.assistant([call("")]),
        Message.assistant([call(""), call("")]),
        Message.toolResults([result("", "1"), result("", "2")])
      ),
      [
        { role: "assistant", content: [{ type: "tool_use", id: "call", name: "f", input: {} }] },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "call_2", name: "f", input: {} },
            { type: "tool_use", id: "call_3", name: "f", input: {} }
          ]
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "call_2", content: "1" },
            { type: "tool_result", tool_use_id: "call_3", content: "2" }
          ]
        }
      ]
    )
  })

  it("may say nothing, and texts of white space are left out", () => {
    assert.deepStrictEqual(
      written(
        Message.user([Message.textPart(" "), Message.textPart("Hi")]),
        Message.assistant([{ type: "text", text: "\n\n" }, call("a")]),
        Message.toolResults([result("a", "")]),
        Message.user("")
      ),
      [
        { role: "user", content: [{ type: "text", text: "Hi" }] },
        { role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "a" }] }
      ]
    )
  })
})

describe("the effort of reasoning for Anthropic", () => {
  const effort = (
    reasoningEffort: ChatRequest.ReasoningEffort,
    input: Partial<EncodeInput> = {},
    fields: Asked = {}
  ) => {
    const { body, unsupported } = asked({ reasoningEffort, ...fields }, input)
    const { max_tokens, thinking, output_config } = body
    return { max_tokens, thinking, output_config, unsupported }
  }

  it("is a budget for models that count their thoughts, within the limit of the answer", () => {
    assert.deepStrictEqual(effort("high", { maxOutputTokens: 64_000 }), {
      max_tokens: 64_000,
      thinking: { type: "enabled", budget_tokens: 16_384 },
      output_config: undefined,
      unsupported: []
    })
    assert.deepInclude(effort("xhigh", { model: "claude-opus-4-1" }), {
      max_tokens: 32_000,
      thinking: { type: "enabled", budget_tokens: 24_000 }
    })
    assert.deepInclude(effort("medium", {}, { maxTokens: 4000 }), {
      max_tokens: 4000,
      thinking: { type: "enabled", budget_tokens: 3000 }
    })
  })

  it("raises a limit that leaves no room to think", () => {
    assert.deepInclude(effort("low", {}, { maxTokens: 500 }), {
      max_tokens: 1524,
      thinking: { type: "enabled", budget_tokens: 1024 },
      unsupported: []
    })
  })

  it("is a word for models that measure their thoughts themselves, and their thoughts are shown", () => {
    assert.deepStrictEqual(effort("high", { model: "claude-sonnet-4-6" }), {
      max_tokens: 32_000,
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
      unsupported: []
    })
    assert.deepInclude(effort("xhigh", { model: "claude-sonnet-4-6" }), { output_config: { effort: "high" } })
    assert.deepInclude(effort("xhigh", { model: "claude-opus-4-7" }), {
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "xhigh" }
    })
    assert.deepInclude(effort("minimal", { model: "claude-opus-5" }), { output_config: { effort: "low" } })
  })

  it("stands beside the form of the answer", () => {
    assert.deepStrictEqual(effort("low", { model: "claude-opus-4-6" }, { output: city }).output_config, {
      format: { type: "json_schema", schema: weatherSchema },
      effort: "low"
    })
  })

  it("none is no thinking, or as little as the model can", () => {
    for (const model of ["claude-haiku-4-5", "claude-opus-4-7", "claude-opus-5"]) {
      assert.deepInclude(effort("none", { model }), {
        max_tokens: 4096,
        thinking: { type: "disabled" },
        output_config: undefined,
        unsupported: []
      })
    }
    assert.deepInclude(effort("none", { model: "claude-sonnet-5-5" }), { output_config: { effort: "low" } })
    assert.deepInclude(effort("none", { model: "claude-3-5-haiku-latest" }), {
      thinking: undefined,
      unsupported: []
    })
  })

  it("cannot be had of a model that does not think", () => {
    const { thinking, unsupported } = effort("low", { model: "claude-3-5-haiku-latest" })
    assert.strictEqual(thinking, undefined)
    assert.deepStrictEqual(unsupported, ["reasoningEffort"])
  })

  for (const model of ["claude-haiku-4-5", "claude-opus-4-6"]) {
    it(`excludes sampling and forced tools (${model})`, () => {
      const fields = { temperature: 0.5, topP: 0.5, topK: 3, tools: [clock] }
      const { body, unsupported } = asked(
        { ...fields, toolChoice: "required", reasoningEffort: "low" },
        { model }
      )
      assert.deepStrictEqual(unsupported, ["temperature", "topP", "topK", "toolChoice"])
      assert.notProperty(body, "temperature")
      assert.notProperty(body, "top_p")
      assert.notProperty(body, "top_k")
      assert.notProperty(body, "tool_choice")
      assert.deepStrictEqual(
        asked({ tools: [clock], toolChoice: "none", reasoningEffort: "low" }).unsupported,
        []
      )
    })
  }

  it("gives way to a form of the answer that a tool has to bring", () => {
    const { body, unsupported } = asked({ output: city, reasoningEffort: "low" }, old)
    assert.deepStrictEqual(unsupported, ["reasoningEffort"])
    assert.notProperty(body, "thinking")
    assert.deepInclude(body.tool_choice, { type: "tool", name: "city" })
  })

  it("with a budget needs the model's own thoughts before its latest calls", () => {
    const thought: Message.AssistantPart = {
      type: "reasoning",
      text: "Hm.",
      opaque: { provider: "anthropic", data: { type: "thinking", thinking: "Hm.", signature: "c2ln" } }
    }
    const turn = (...before: ReadonlyArray<Message.AssistantPart>): ReadonlyArray<Message.Message> => [
      ...hello,
      Message.assistant([...before, { type: "tool-call", id: "a", name: "f", arguments: "{}" }]),
      Message.toolResults([{ type: "tool-result", id: "a", name: "f", result: "1" }])
    ]
    const unsupported = (messages: ReadonlyArray<Message.Message>, model: string) =>
      asked({ messages, reasoningEffort: "low" }, { model }).unsupported
    assert.deepStrictEqual(unsupported(turn(), "claude-haiku-4-5"), ["reasoningEffort"])
    assert.deepStrictEqual(unsupported(turn(thought), "claude-haiku-4-5"), [])
    assert.deepStrictEqual(unsupported([...turn(), ...hello], "claude-haiku-4-5"), [])
    assert.deepStrictEqual(unsupported(turn(), "claude-opus-4-6"), [])
  })
})

describe("sampling for Anthropic", () => {
  it("ended with 4.7", () => {
    const fields = { temperature: 0.5, topK: 3 }
    assert.deepStrictEqual(asked(fields, { model: "claude-opus-4-6" }).unsupported, [])
    const { body, unsupported } = asked(fields, { model: "claude-opus-4-7" })
    assert.deepStrictEqual(unsupported, ["temperature", "topK"])
    assert.notProperty(body, "temperature")
  })

  it("has either temperature or topP since 4.1", () => {
    const fields = { temperature: 0.5, topP: 0.5 }
    assert.deepStrictEqual(asked(fields, old).unsupported, [])
    assert.deepStrictEqual(asked(fields).unsupported, ["topP"])
    assert.deepStrictEqual(asked({ topP: 0.5 }).unsupported, [])
  })
})

describe("any request to Anthropic", () => {
  const models = [
    "claude-2.1",
    "claude-3-5-haiku-latest",
    "claude-3-7-sonnet-latest",
    "claude-sonnet-4-0",
    "claude-opus-4-1",
    "claude-haiku-4-5",
    "claude-opus-4-6",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-fable-5-1",
    "something-else"
  ]

  /** What holds anyway, and so needs no words of its own. */
  const holds = (request: ChatRequest.ChatRequest, model: string, dropped: string): boolean => {
    const { body } = wire.encode({ model, request, stream: false, provider: "anthropic" })
    switch (dropped) {
      case "parallelToolCalls":
        return (
          body.tools === undefined ||
          request.toolChoice === "none" ||
          Object.entries(body.tool_choice ?? {}).some(([key]) => key === "disable_parallel_tool_use")
        )
      case "reasoningEffort":
        return request.reasoningEffort === "none" && /claude-(2|3-5)/.test(model)
      case "maxTokens":
        // It is what goes out without a word about it, too.
        return body.max_tokens === request.maxTokens
      default:
        return false
    }
  }

  it("drops nothing silently", () => {
    FastCheck.assert(
      FastCheck.property(anyRequest, FastCheck.constantFrom(...models), (request, model) => {
        const dropped = silentlyDropped(wire, request, { model, provider: "anthropic" })
        assert.deepStrictEqual(
          dropped.filter((what) => !holds(request, model, what)),
          []
        )
      }),
      { numRuns: 400 }
    )
  })

  it("has a limit above its budget, and no forced tool or sampling beside its thinking", () => {
    FastCheck.assert(
      FastCheck.property(
        anyRequest,
        FastCheck.constantFrom(...models),
        FastCheck.option(FastCheck.integer({ min: 1, max: 5000 }), { nil: undefined }),
        (request, model, maxTokens) => {
          const { body } = wire.encode({
            model,
            request: { ...request, maxTokens },
            stream: true,
            provider: "anthropic"
          })
          const thinking = body.thinking as { type: string; budget_tokens?: number } | undefined
          if (thinking === undefined || thinking.type === "disabled") return
          if (thinking.type === "enabled") {
            assert.isAtLeast(thinking.budget_tokens ?? 0, 1024)
            assert.isBelow(thinking.budget_tokens ?? 0, Number(body.max_tokens))
          }
          for (const field of ["temperature", "top_p", "top_k"]) assert.notProperty(body, field)
          const choice = body.tool_choice as { type: string } | undefined
          assert.include(["auto", "none", undefined], choice?.type)
        }
      ),
      { numRuns: 400 }
    )
  })
})

describe("any conversation, as Anthropic gets it", () => {
  it("has unique ids, no empty blocks, and results in the message behind their calls", () => {
    const id = FastCheck.constantFrom("", "call_0", "toolu_1", "functions.f:0", "ü", "a b")
    const part: FastCheck.Arbitrary<Message.AssistantPart> = FastCheck.oneof(
      FastCheck.record({
        type: FastCheck.constant("text" as const),
        text: FastCheck.constantFrom("", " ", "x")
      }),
      FastCheck.record({
        type: FastCheck.constant("reasoning" as const),
        text: FastCheck.string(),
        opaque: FastCheck.record({
          provider: FastCheck.constantFrom("anthropic", "openai"),
          data: FastCheck.constantFrom({ type: "thinking", thinking: "x", signature: "y" }, "x", null)
        })
      }),
      FastCheck.record({
        type: FastCheck.constant("tool-call" as const),
        id,
        name: FastCheck.constant("f"),
        arguments: FastCheck.constantFrom("", "{}", '{"a":1}', "[1]", "null", "{")
      })
    )
    const shuffled = FastCheck.boolean()
    const turn = FastCheck.tuple(FastCheck.array(part, { maxLength: 4 }), shuffled, FastCheck.string()).map(
      ([parts, split, result]): ReadonlyArray<Message.Message> => {
        const results = parts.flatMap(
          (part): ReadonlyArray<Message.ToolResultPart> =>
            part.type === "tool-call" ? [{ type: "tool-result", id: part.id, name: "f", result }] : []
        )
        const messages = split
          ? results.map((one) => Message.toolResults([one]))
          : [Message.toolResults(results)]
        const between = result.length % 2 === 0 ? [] : [Message.user("Wait.")]
        return [Message.assistant(parts), ...between, ...messages, Message.user("Go on.")]
      }
    )
    interface Block {
      readonly type: string
      readonly id?: string
      readonly tool_use_id?: string
      readonly text?: string
    }
    FastCheck.assert(
      FastCheck.property(FastCheck.array(turn, { maxLength: 4 }), (turns) => {
        const { body } = asked({ messages: [...hello, ...turns.flat()] })
        const messages = body.messages as ReadonlyArray<{
          role: string
          content: string | ReadonlyArray<Block>
        }>
        const seen = new Set<string>()
        for (const [index, { role, content }] of messages.entries()) {
          assert.isAbove(content.length, 0)
          if (typeof content === "string" || role !== "assistant") continue
          const ids = content.flatMap((block) => (block.type === "tool_use" ? [block.id ?? ""] : []))
          for (const block of content)
            if (block.type === "text") assert.notStrictEqual(block.text?.trim(), "")
          for (const id of ids) {
            assert.match(id, /^[a-zA-Z0-9_-]+$/)
            assert.isFalse(seen.has(id))
            seen.add(id)
          }
          if (ids.length === 0) continue
          const next = messages[index + 1]
          const results = typeof next?.content === "string" ? [] : (next?.content ?? [])
          assert.deepStrictEqual(
            results.map((block) => block.tool_use_id),
            ids
          )
        }
      })
    )
  })
})

// --- whole answers ----------------------------------------------------------------------------------------------------

describe("a whole answer of Anthropic", () => {
  it("gives text, reasoning, calls, citations and usage", () => {
    assert.deepStrictEqual(decoded(sample), {
      parts: [
        {
          type: "reasoning",
          text: "A question of weather.",
          opaque: { provider: "anthropic", data: sample.content[0] }
        },
        { type: "reasoning", text: "", opaque: { provider: "anthropic", data: sample.content[1] } },
        { type: "text", text: "It rains." },
        { type: "tool-call", id: "toolu_1", name: "umbrella", arguments: '{"colour":"red"}' }
      ],
      refusal: undefined,
      citations: [
        {
          text: "Rain all day.",
          url: undefined,
          title: "Forecast",
          raw: sample.content[2]?.citations?.[0]
        },
        {
          text: "Rain",
          url: "https://weather.example",
          title: "Weather",
          raw: sample.content[2]?.citations?.[1]
        }
      ],
      finishReason: "tool-calls",
      rawFinishReason: "tool_use",
      usage: { input: 150, output: 40, cacheRead: 100, cacheWrite: 30, reasoning: 25, total: 190 },
      model: "claude-haiku-4-5-20251001"
    })
  })

  it("goes back unchanged in the next turn", () => {
    const { body } = encode([Message.assistant(decoded(sample).parts)])
    assert.deepStrictEqual(body.messages, [
      {
        role: "assistant",
        content: [
          sample.content[0],
          sample.content[1],
          { type: "text", text: "It rains." },
          sample.content[4]
        ]
      }
    ])
  })

  const reasons: ReadonlyArray<readonly [string, string]> = [
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool-calls"],
    ["refusal", "content-filter"],
    ["pause_turn", "other"],
    ["compaction", "other"],
    ["something_new", "other"]
  ]
  for (const [raw, reason] of reasons) {
    it(`calls ${raw} ${reason}`, () => {
      const { finishReason, rawFinishReason } = decoded({ content: [], stop_reason: raw })
      assert.strictEqual(finishReason, reason)
      assert.strictEqual(rawFinishReason, raw)
    })
  }

  it("tells why the model refused, if it says so", () => {
    const refused = { content: [], stop_reason: "refusal" }
    assert.strictEqual(
      decoded({ ...refused, stop_details: { category: "cyber", explanation: "Not this." } }).refusal,
      "Not this."
    )
    assert.isUndefined(decoded({ ...refused, stop_details: null }).refusal)
    assert.isUndefined(
      decoded({ content: [], stop_reason: "end_turn", stop_details: { explanation: "x" } }).refusal
    )
  })

  it("calls a tool without arguments with {}, and numbers calls that have no id", () => {
    const { parts, finishReason } = decoded({
      content: [
        { type: "text", text: "" },
        { type: "tool_use", name: "now" },
        { type: "tool_use", name: "then", input: null }
      ],
      stop_reason: "end_turn"
    })
    assert.deepStrictEqual(parts, [
      { type: "tool-call", id: "call_0", name: "now", arguments: "{}" },
      { type: "tool-call", id: "call_1", name: "then", arguments: "{}" }
    ])
    assert.strictEqual(finishReason, "tool-calls")
  })

  it("shows unsigned thinking, but has nothing to replay", () => {
    assert.deepStrictEqual(decoded({ content: [{ type: "thinking", thinking: "Hm." }] }).parts, [
      { type: "reasoning", text: "Hm." }
    ])
  })

  it("is the provider's error, if the body says so", () => {
    const error = {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
      request_id: "r"
    }
    assert.deepStrictEqual(faultOf(error), { _tag: "ErrorFault", json: error })
    const gateway = { success: false, errors: [{ code: 2009, message: "Unauthorized" }] }
    assert.deepStrictEqual(faultOf(gateway), { _tag: "ErrorFault", json: gateway })
  })

  it("names the place of what is wrong", () => {
    const place = (json: unknown): string => {
      const fault = faultOf(json)
      return fault._tag === "MalformedFault" ? `${fault.place}: ${fault.problem}` : fault._tag
    }
    assert.strictEqual(place(5), ": expected an object, found a number")
    assert.strictEqual(place({ content: "x" }), "content: expected an array, found a string")
    assert.strictEqual(
      place({
        content: [
          { type: "text", text: "a" },
          { type: "text", text: 5 }
        ]
      }),
      "content[1].text: expected text, found a number"
    )
    assert.strictEqual(
      place({ content: [{ type: "tool_use", name: "", input: {} }] }),
      "content[0].name: expected a tool's name, found empty text"
    )
  })

  it("answers or faults, whatever stands in any one place, and names the place of content", () => {
    const content = /^content(\[\d\](\.(type|text|thinking|data|name|input))?)?$/
    for (const path of pathsOf(sample)) {
      for (const value of wrongValues) {
        const result = wire.decode(replaceAt(sample, path, value))
        const place = placeName(path)
        const before = path.reduce<unknown>(
          (json, key) => (typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined),
          sample
        )
        const says = `${place} = ${JSON.stringify(value)}`
        const absent = place.endsWith(".input") && value === null
        const ignored = place.startsWith("content[3].") && place !== "content[3].type"
        if (kindOf(before) === kindOf(value)) {
          if (isFault(result) && result._tag === "MalformedFault") assert.include(result.place, place, says)
        } else if (path.length === 0) assert.isTrue(isFault(result), says)
        else if (content.test(place) && !absent && !ignored) {
          assert.isTrue(isFault(result) && result._tag === "MalformedFault" && result.place === place, says)
        } else assert.isFalse(isFault(result), says)
      }
    }
  })

  it("never throws, whatever JSON it is", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (json) => {
        wire.decode(json)
        wire.decode({ content: json })
        wire.decode({ content: [json], usage: json, stop_reason: json })
        for (const type of ["text", "thinking", "redacted_thinking", "tool_use"]) {
          wire.decode({ content: [{ type, text: json, thinking: json, data: json, name: "f", input: json }] })
        }
      })
    )
  })

  // Bun needs seconds to find that out.
  it("is malformed, if a call's input is nested too deeply to be written", { timeout: 60_000 }, () => {
    const depth = 200_000
    const input = JSON.parse(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`)
    assert.strictEqual(faultOf({ content: [{ type: "tool_use", name: "f", input }] })._tag, "MalformedFault")
  })
})

// --- streams ----------------------------------------------------------------------------------------------------------

describe("a stream of Anthropic", () => {
  it("gives text, usage and the finish", () => {
    const result = stream(
      messageStart({ input_tokens: 12, cache_read_input_tokens: 4, output_tokens: 1 }),
      ping,
      blockStart(0, { type: "text", text: "" }),
      ping,
      delta(0, { type: "text_delta", text: "Hel" }),
      delta(0, { type: "text_delta", text: "lo" }),
      blockStop(0),
      messageDelta("end_turn", { output_tokens: 15 }),
      messageStop
    )
    const usage = {
      input: 16,
      output: 15,
      cacheRead: 4,
      cacheWrite: undefined,
      reasoning: undefined,
      total: 31
    }
    assert.deepStrictEqual(result, {
      events: [
        { _tag: "TextDelta", text: "Hel" },
        { _tag: "TextDelta", text: "lo" },
        { _tag: "Usage", usage },
        {
          _tag: "Finish",
          finishReason: "stop",
          rawFinishReason: "end_turn",
          usage,
          model: "claude-haiku-4-5-20251001"
        }
      ],
      fault: undefined,
      done: true
    })
  })

  it("gives thinking with its signature, redacted thinking, and replays both", () => {
    const result = stream(
      messageStart(),
      blockStart(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "Let me " }),
      delta(0, { type: "thinking_delta", thinking: "see." }),
      delta(0, { type: "signature_delta", signature: "c2ln" }),
      blockStop(0),
      blockStart(1, { type: "redacted_thinking", data: "aGlk" }),
      blockStop(1),
      blockStart(2, { type: "text", text: "" }),
      delta(2, { type: "text_delta", text: "Yes." }),
      blockStop(2),
      messageDelta("end_turn", { output_tokens: 30, output_tokens_details: { thinking_tokens: 20 } }),
      messageStop
    )
    const thinking = { type: "thinking", thinking: "Let me see.", signature: "c2ln" }
    const redacted = { type: "redacted_thinking", data: "aGlk" }
    assert.deepStrictEqual(result.events.slice(0, 5), [
      { _tag: "ReasoningDelta", text: "Let me " },
      { _tag: "ReasoningDelta", text: "see." },
      { _tag: "ReasoningOpaque", provider: "anthropic", data: thinking },
      { _tag: "ReasoningOpaque", provider: "anthropic", data: redacted },
      { _tag: "TextDelta", text: "Yes." }
    ])
    assert.strictEqual(finishOf(result).usage.reasoning, 20)
    const { message } = ChatEvent.fold(result.events)
    assert.deepStrictEqual(encode([message]).body.messages, [
      { role: "assistant", content: [thinking, redacted, { type: "text", text: "Yes." }] }
    ])
  })

  it("keeps a signature whose thinking is not shown", () => {
    const { events } = stream(
      messageStart(),
      blockStart(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "signature_delta", signature: "c2ln" }),
      blockStop(0),
      messageDelta("end_turn"),
      messageStop
    )
    assert.deepStrictEqual(events[0], {
      _tag: "ReasoningOpaque",
      provider: "anthropic",
      data: { type: "thinking", thinking: "", signature: "c2ln" }
    })
  })

  it("puts a tool call's fragments together", () => {
    const result = stream(
      messageStart(),
      blockStart(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "I look." }),
      blockStop(0),
      blockStart(1, { type: "tool_use", id: "toolu_1", name: "look", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: "" }),
      delta(1, { type: "input_json_delta", partial_json: '{"at":' }),
      delta(1, { type: "input_json_delta", partial_json: '"sky"}' }),
      blockStop(1),
      blockStart(2, { type: "tool_use", id: "toolu_2", name: "now", input: {} }),
      delta(2, { type: "input_json_delta", partial_json: "" }),
      blockStop(2),
      messageDelta("tool_use"),
      messageStop
    )
    assert.deepStrictEqual(result.events.slice(1, -2), [
      { _tag: "ToolCallDelta", index: 0, name: "look", arguments: "" },
      { _tag: "ToolCallDelta", index: 0, name: "look", arguments: '{"at":' },
      { _tag: "ToolCallDelta", index: 0, name: "look", arguments: '"sky"}' },
      { _tag: "ToolCall", index: 0, id: "toolu_1", name: "look", arguments: '{"at":"sky"}' },
      { _tag: "ToolCallDelta", index: 1, name: "now", arguments: "" },
      { _tag: "ToolCall", index: 1, id: "toolu_2", name: "now", arguments: "{}" }
    ])
    assert.strictEqual(finishOf(result).finishReason, "tool-calls")
  })

  it("takes an input that comes whole with the block", () => {
    const { events } = stream(
      messageStart(),
      blockStart(0, { type: "tool_use", id: "t", name: "f", input: { x: 1 } }),
      blockStop(0),
      messageDelta("tool_use"),
      messageStop
    )
    assert.deepStrictEqual(events[1], { _tag: "ToolCallDelta", index: 0, name: "f", arguments: '{"x":1}' })
    assert.deepStrictEqual(events[2], {
      _tag: "ToolCall",
      index: 0,
      id: "t",
      name: "f",
      arguments: '{"x":1}'
    })
  })

  it("ends calls that the provider did not end", () => {
    const { events } = stream(
      messageStart(),
      blockStart(0, { type: "tool_use", id: "t", name: "f", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: "{}" }),
      messageDelta("tool_use"),
      messageStop
    )
    assert.strictEqual(events.filter(({ _tag }) => _tag === "ToolCall").length, 1)
  })

  it("gives citations where they come, and ignores the provider's own tools and compaction", () => {
    const cited = {
      type: "search_result_location",
      cited_text: "Rain",
      source: "https://s.example",
      title: "S"
    }
    const result = stream(
      messageStart(),
      blockStart(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"query":"rain"}' }),
      blockStop(0),
      blockStart(1, { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] }),
      blockStop(1),
      blockStart(2, { type: "compaction" }),
      delta(2, { type: "compaction_delta", content: "short" }),
      blockStop(2),
      blockStart(3, { type: "text", text: "", citations: [] }),
      delta(3, { type: "citations_delta", citation: cited }),
      delta(3, { type: "text_delta", text: "Rain." }),
      blockStop(3),
      messageDelta("end_turn"),
      messageStop
    )
    assert.deepStrictEqual(result.events.slice(0, -2), [
      {
        _tag: "Citation",
        citation: { text: "Rain", url: "https://s.example", title: "S", raw: cited }
      },
      { _tag: "TextDelta", text: "Rain." }
    ])
    assert.strictEqual(finishOf(result).finishReason, "stop")
  })

  it("gives a refusal that has no content at all", () => {
    const details = { stop_details: { type: "refusal", category: "cyber", explanation: "Not this." } }
    const result = stream(
      messageStart(),
      messageDelta("refusal", { output_tokens: 0 }, details),
      messageDelta("refusal", { output_tokens: 0 }, details),
      messageStop
    )
    assert.deepStrictEqual(result.events[0], { _tag: "RefusalDelta", text: "Not this." })
    assert.strictEqual(result.events.length, 3)
    assert.strictEqual(finishOf(result).finishReason, "content-filter")
    assert.strictEqual(finishOf(result).usage.output, 0)
  })

  it("says other when the turn is paused", () => {
    const result = stream(messageStart(), messageDelta("pause_turn"), messageStop)
    assert.strictEqual(finishOf(result).finishReason, "other")
    assert.strictEqual(finishOf(result).rawFinishReason, "pause_turn")
  })

  it("lets later usage replace earlier, but not with zeros", () => {
    const replaced = stream(
      messageStart({ input_tokens: 43, output_tokens: 1 }),
      messageDelta("end_turn", { input_tokens: 61, cache_read_input_tokens: 9, output_tokens: 15 }),
      messageStop
    )
    assert.strictEqual(finishOf(replaced).usage.input, 70)
    const zeros = stream(
      messageStart({ input_tokens: 43, cache_read_input_tokens: 7, output_tokens: 1 }),
      messageDelta("end_turn", { output_tokens: 15 }),
      messageDelta("end_turn", { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }),
      messageStop
    )
    assert.deepInclude(finishOf(zeros).usage, { input: 50, cacheRead: 7, output: 15, total: 65 })
  })

  it("does not take the placeholder of message_start for a count", () => {
    const result = stream(messageStart(), messageDelta("end_turn", null), messageStop)
    assert.deepInclude(finishOf(result).usage, { input: 12, output: undefined })
  })

  it("starts over at a second message_start, and drops the half-open call", () => {
    const result = stream(
      messageStart(),
      messageStart(),
      blockStart(0, { type: "tool_use", id: "done", name: "first", input: {} }),
      blockStop(0),
      blockStart(1, { type: "tool_use", id: "cut", name: "second", input: {} }),
      delta(1, { type: "input_json_delta", partial_json: '{"a' }),
      messageStart({ input_tokens: 99, output_tokens: 1 }),
      blockStart(0, { type: "tool_use", id: "again", name: "third", input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"b":2}' }),
      blockStop(0),
      messageDelta("tool_use"),
      messageStop
    )
    assert.deepStrictEqual(
      result.events.filter((event) => event._tag === "ToolCall"),
      [
        { _tag: "ToolCall", index: 0, id: "done", name: "first", arguments: "{}" },
        { _tag: "ToolCall", index: 2, id: "again", name: "third", arguments: '{"b":2}' }
      ]
    )
    assert.strictEqual(finishOf(result).usage.input, 99)
  })

  it("starts over without a call, if the retry answers with text", () => {
    const result = stream(
      messageStart(),
      blockStart(0, { type: "tool_use", id: "cut", name: "f", input: {} }),
      messageStart(),
      blockStart(0, { type: "text", text: "Sorry." }),
      blockStop(0),
      messageDelta("end_turn"),
      messageStop
    )
    assert.strictEqual(texts(result), "Sorry.")
    assert.strictEqual(finishOf(result).finishReason, "stop")
  })

  it("reads the type from the data, else from the event's name", () => {
    const unnamed = [messageStart(), delta(0, { type: "text_delta", text: "Hi" }), messageDelta("end_turn")]
    const first = streamTexts(unnamed.map((event) => [JSON.stringify(event), undefined]))
    assert.strictEqual(texts(first), "Hi")
    const untyped = streamTexts([
      [JSON.stringify({ delta: { type: "text_delta", text: "Hi" } }), "content_block_delta"],
      ["{}", "message_stop"]
    ])
    assert.strictEqual(texts(untyped), "Hi")
    assert.strictEqual(finishOf(untyped).finishReason, "other")
    assert.strictEqual(streamTexts([["{}", undefined]]).fault?._tag, "MalformedFault")
  })

  it("ignores kinds of events, blocks and deltas that do not exist yet", () => {
    const result = stream(
      messageStart(),
      { type: "message_progress", percent: 5 },
      blockStart(0, { type: "hologram" }),
      delta(0, { type: "hologram_delta", x: 1 }),
      blockStop(0),
      messageDelta("end_turn"),
      messageStop
    )
    assert.deepStrictEqual(
      result.events.map(({ _tag }) => _tag),
      ["Usage", "Finish"]
    )
  })

  it("ends with the provider's error, and keeps what came before", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }
    const result = stream(messageStart(), delta(0, { type: "text_delta", text: "Hi" }), error)
    assert.deepStrictEqual(result, {
      events: [{ _tag: "TextDelta", text: "Hi" }],
      fault: { _tag: "ErrorFault", json: error },
      done: false
    })
    const untyped = { error: { message: "Overloaded" } }
    assert.deepStrictEqual(streamTexts([[JSON.stringify(untyped), "error"]]).fault, {
      _tag: "ErrorFault",
      json: untyped
    })
    assert.strictEqual(streamTexts([[JSON.stringify(untyped), undefined]]).fault?._tag, "ErrorFault")
  })

  it("is cut off, if it ends before the model did", () => {
    const start = [messageStart(), blockStart(0, { type: "text", text: "" })]
    const text = delta(0, { type: "text_delta", text: "Hi" })
    assert.deepStrictEqual(stream(...start, text), {
      events: [{ _tag: "TextDelta", text: "Hi" }],
      fault: { _tag: "TruncatedFault" },
      done: false
    })
    assert.strictEqual(stream().fault?._tag, "TruncatedFault")
    // The reason is known: only the end marker is missing.
    const nearly = stream(...start, text, blockStop(0), messageDelta("end_turn"))
    assert.isUndefined(nearly.fault)
    assert.strictEqual(finishOf(nearly).finishReason, "stop")
  })

  it("names the place of what is wrong", () => {
    const places: ReadonlyArray<readonly [Readonly<Record<string, unknown>>, string]> = [
      [blockStart(0, 5), "content_block"],
      [blockStart(0, {}), "content_block.type"],
      [blockStart(0, { type: "text", text: 5 }), "content_block.text"],
      [blockStart(0, { type: "thinking", thinking: 5 }), "content_block.thinking"],
      [blockStart(0, { type: "redacted_thinking" }), "content_block.data"],
      [blockStart(0, { type: "tool_use", name: 5 }), "content_block.name"],
      [blockStart(0, { type: "tool_use", name: "f", input: [] }), "content_block.input"],
      [{ type: "content_block_delta", index: 0 }, "delta"],
      [delta(0, {}), "delta.type"],
      [delta(0, { type: "text_delta" }), "delta.text"],
      [delta(0, { type: "thinking_delta", thinking: null }), "delta.thinking"],
      [delta(0, { type: "input_json_delta", partial_json: {} }), "delta.partial_json"],
      [delta(7, { type: "input_json_delta", partial_json: "{" }), "index"],
      [{ type: "message_delta", delta: 5 }, "delta"]
    ]
    for (const [event, place] of places) {
      const { fault } = stream(messageStart(), delta(0, { type: "text_delta", text: "Hi" }), event)
      assert.strictEqual(fault?._tag === "MalformedFault" ? fault.place : fault?._tag, place)
    }
    const { fault } = streamTexts([["{broken", "content_block_delta"]])
    assert.deepStrictEqual(fault, {
      _tag: "MalformedFault",
      place: "data",
      problem: 'expected a JSON object, found "{broken"'
    })
  })

  const whole = [
    messageStart(),
    blockStart(0, { type: "thinking", thinking: "", signature: "" }),
    delta(0, { type: "thinking_delta", thinking: "Hm." }),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    blockStop(0),
    blockStart(1, { type: "text", text: "" }),
    delta(1, { type: "citations_delta", citation: { cited_text: "x" } }),
    delta(1, { type: "text_delta", text: "Hi" }),
    blockStop(1),
    blockStart(2, { type: "tool_use", id: "t", name: "f", input: {} }),
    delta(2, { type: "input_json_delta", partial_json: "{}" }),
    blockStop(2),
    messageDelta("tool_use"),
    messageStop
  ]

  it("never throws, whatever stands in any one place, and ends in exactly one way", () => {
    for (const path of pathsOf(whole)) {
      if (path.length === 0) continue
      for (const value of wrongValues) {
        const events = replaceAt(whole, path, value)
        if (!Array.isArray(events)) return assert.fail()
        const result = streamTexts(events.map((event) => [JSON.stringify(event), undefined]))
        const finishes = result.events.filter(({ _tag }) => _tag === "Finish").length
        assert.strictEqual(finishes, result.fault === undefined ? 1 : 0, placeName(path))
      }
    }
  })

  it("never throws, whatever it is fed", () => {
    const data = FastCheck.oneof(
      FastCheck.json(),
      FastCheck.string(),
      FastCheck.constantFrom(...whole.map((event) => JSON.stringify(event))),
      FastCheck.record({
        type: FastCheck.constantFrom(...whole.map(({ type }) => type)),
        index: FastCheck.jsonValue(),
        delta: FastCheck.jsonValue(),
        content_block: FastCheck.jsonValue(),
        usage: FastCheck.jsonValue(),
        message: FastCheck.jsonValue()
      }).map((event) => JSON.stringify(event))
    )
    const name = FastCheck.option(FastCheck.constantFrom("error", "ping", "message_stop", "message"), {
      nil: undefined
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(data, name)), (events) => {
        // Goes on after a fault, which a driver does not, and still must not throw.
        const decoder = wire.decoder()
        const out: Array<ChatEvent.ChatEvent> = []
        for (const [text, called] of events) decoder.event(text, called, out)
        decoder.end(out)
      })
    )
  })
})
