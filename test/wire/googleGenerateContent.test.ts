import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ChatEvent from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import * as GoogleGenerateContent from "../../src/internal/wire/googleGenerateContent.js"
import { type EncodeInput, type Fault, isFault } from "../../src/internal/wire/wire.js"
import * as Message from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const { wire } = GoogleGenerateContent

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
    model: "gemini-2.5-flash",
    request: requestOf(messages, sampling),
    stream: false,
    provider: "google-ai-studio",
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

const placeOf = (fault: Fault | undefined): string | undefined =>
  fault?._tag === "MalformedFault" ? fault.place : fault?._tag

interface Streamed {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  readonly fault: Fault | undefined
  readonly done: boolean
}

/** Feeds events one by one, as the driver does. */
const streamTexts = (...events: ReadonlyArray<string>): Streamed => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const data of events) {
    const fault = decoder.event(data, undefined, out)
    if (fault !== undefined) return { events: out, fault, done: decoder.done() }
  }
  return { events: out, fault: decoder.end(out), done: decoder.done() }
}

const stream = (...events: ReadonlyArray<unknown>): Streamed =>
  streamTexts(...events.map((event) => JSON.stringify(event)))

const finishOf = ({ events }: Streamed) => {
  const last = events[events.length - 1]
  return last?._tag === "Finish" ? last : assert.fail("no Finish at the end")
}

const chunk = (
  parts: unknown,
  more: object = {},
  usageMetadata: unknown = { promptTokenCount: 8, totalTokenCount: 8 }
) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...more }],
  usageMetadata,
  modelVersion: "gemini-2.5-flash"
})

const answer = (parts: unknown, finishReason = "STOP") => ({
  candidates: [{ content: { role: "model", parts }, finishReason }]
})

const opaque = (data: unknown) => ({ provider: "google-ai-studio", data })

const sample = {
  candidates: [
    {
      content: {
        role: "model",
        parts: [
          { text: "A question of weather.", thought: true },
          { text: "It rains." },
          { inlineData: { mimeType: "image/png", data: "aWNl" } },
          {
            functionCall: { id: "fc-1", name: "umbrella", args: { colour: "red" } },
            thoughtSignature: "c2ln"
          },
          { functionCall: { name: "now" } }
        ]
      },
      finishReason: "STOP",
      groundingMetadata: {
        groundingChunks: [
          { web: { uri: "https://a.example", title: "A" } },
          { web: { uri: "https://b.example", title: "B" } },
          { web: { uri: "https://a.example", title: "A" } }
        ],
        groundingSupports: [
          { segment: { endIndex: 9, text: "It rains." }, groundingChunkIndices: [0, 1] },
          { segment: { endIndex: 20, text: "All day." }, groundingChunkIndices: [1] }
        ]
      }
    }
  ],
  usageMetadata: {
    promptTokenCount: 100,
    cachedContentTokenCount: 60,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    toolUsePromptTokenCount: 5,
    totalTokenCount: 155
  },
  modelVersion: "gemini-2.5-flash-001"
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

describe("a request to Google", () => {
  it("has the model and the method in its path", () => {
    const { endpoint, body, unsupported } = encode(hello)
    assert.strictEqual(endpoint, "v1beta/models/gemini-2.5-flash:generateContent")
    assert.deepStrictEqual(body, { contents: [{ role: "user", parts: [{ text: "Hello" }] }] })
    assert.deepStrictEqual(unsupported, [])
    assert.strictEqual(
      encode(hello, {}, { stream: true }).endpoint,
      "v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    )
  })

  it("takes a model's full name, and encodes what a path cannot hold", () => {
    const endpoint = (model: string): string => encode(hello, {}, { model }).endpoint
    assert.strictEqual(endpoint("models/gemini-2.5-pro"), "v1beta/models/gemini-2.5-pro:generateContent")
    assert.strictEqual(endpoint("a/../b?c#d"), "v1beta/models/a%2F..%2Fb%3Fc%23d:generateContent")
    assert.strictEqual(endpoint("half \uD800"), "v1beta/models/half%20%EF%BF%BD:generateContent")
  })

  const encodedFields: ReadonlyArray<readonly [ChatRequest.Sampling, string, unknown]> = [
    [{ temperature: 0 }, "temperature", 0],
    [{ topP: 0.5 }, "topP", 0.5],
    [{ topK: 3 }, "topK", 3],
    [{ maxTokens: 9 }, "maxOutputTokens", 9],
    [{ stop: ["END"] }, "stopSequences", ["END"]],
    [{ seed: 0 }, "seed", 0],
    [{ frequencyPenalty: 0.25 }, "frequencyPenalty", 0.25],
    [{ presencePenalty: -1 }, "presencePenalty", -1]
  ]
  for (const [sampling, name, value] of encodedFields) {
    it(`writes ${Object.keys(sampling)[0]} as generationConfig.${name}`, () => {
      const { body, unsupported } = encode(hello, sampling)
      assert.deepStrictEqual(body.generationConfig, { [name]: value })
      assert.deepStrictEqual(unsupported, [])
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
        const sent = Object.values(body.generationConfig ?? {}).map((value) => JSON.stringify(value))
        for (const [field, value] of Object.entries(fields)) {
          assert.strictEqual(sent.includes(JSON.stringify(value)), !unsupported.includes(field), field)
        }
        assert.strictEqual(sent.length, Object.keys(fields).length)
      })
    )
  })

  it("lifts the instructions out of the conversation, wherever they stand", () => {
    const { body } = encode([
      Message.system("One."),
      Message.user([
        { type: "text", text: "Hi" },
        { type: "text", text: "there" }
      ]),
      Message.system("Two."),
      Message.assistant("Hello")
    ])
    assert.deepStrictEqual(body, {
      systemInstruction: { parts: [{ text: "One." }, { text: "Two." }] },
      contents: [
        { role: "user", parts: [{ text: "Hi" }, { text: "there" }] },
        { role: "model", parts: [{ text: "Hello" }] }
      ]
    })
  })

  it("replays tool calls, and their results as objects", () => {
    const { body } = encode([
      Message.assistant([
        { type: "text", text: "" },
        { type: "tool-call", id: "fc-1", name: "now", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "add", arguments: '{"x":1}' },
        { type: "tool-call", id: "call_2", name: "cut", arguments: '{"x":' }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "fc-1", name: "now", result: "noon" },
        { type: "tool-result", id: "call_1", name: "add", result: '{"sum":2}' },
        { type: "tool-result", id: "call_2", name: "cut", result: "[1]", isError: true }
      ])
    ])
    assert.deepStrictEqual(body.contents, [
      {
        role: "model",
        parts: [
          { functionCall: { id: "fc-1", name: "now", args: {} } },
          { functionCall: { name: "add", args: { x: 1 } } },
          { functionCall: { name: "cut", args: {} } }
        ]
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "fc-1", name: "now", response: { output: "noon" } } },
          { functionResponse: { name: "add", response: { sum: 2 } } },
          { functionResponse: { name: "cut", response: { error: "[1]" } } }
        ]
      }
    ])
  })

  it("puts the results of a turn into one content, in the order of the calls", () => {
    const result = (id: string, text: string): Message.ToolResultPart => ({
      type: "tool-result",
      id,
      name: "f",
      result: text
    })
    const { body } = encode([
      Message.assistant([
        { type: "tool-call", id: "call_0", name: "f", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "f", arguments: "{}" }
      ]),
      Message.toolResults([result("call_9", "?"), result("call_1", "b")]),
      Message.toolResults([result("call_0", "a")])
    ])
    const response = (output: string) => ({ functionResponse: { name: "f", response: { output } } })
    assert.deepStrictEqual(Array.isArray(body.contents) && body.contents[1], {
      role: "user",
      parts: [response("a"), response("b"), response("?")]
    })
    assert.deepStrictEqual(encode([...hello, Message.toolResults([])]).body, encode(hello).body)
  })

  it("puts results behind their calls, even if the user said something in between", () => {
    const { body } = encode([
      Message.assistant([{ type: "tool-call", id: "call_0", name: "f", arguments: "{}" }]),
      Message.user("Wait."),
      Message.toolResults([{ type: "tool-result", id: "call_0", name: "f", result: "a" }]),
      Message.assistant("Done.")
    ])
    assert.deepStrictEqual(body.contents, [
      { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] },
      { role: "user", parts: [{ functionResponse: { name: "f", response: { output: "a" } } }] },
      { role: "user", parts: [{ text: "Wait." }] },
      { role: "model", parts: [{ text: "Done." }] }
    ])
  })

  it("puts a signature on the part that it came with", () => {
    const { body } = encode([
      Message.assistant([
        { type: "reasoning", text: "Own.", opaque: opaque({ thoughtSignature: "own", thought: true }) },
        { type: "reasoning", text: "Shown.", opaque: opaque({ thoughtSignature: "next" }) },
        { type: "tool-call", id: "call_0", name: "f", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "g", arguments: "{}" },
        { type: "text", text: "Done." },
        { type: "reasoning", text: "", opaque: opaque({ thoughtSignature: "last" }) }
      ])
    ])
    assert.deepStrictEqual(body.contents, [
      {
        role: "model",
        parts: [
          { text: "Own.", thought: true, thoughtSignature: "own" },
          { text: "Shown.", thought: true },
          { functionCall: { name: "f", args: {} }, thoughtSignature: "next" },
          { functionCall: { name: "g", args: {} } },
          { text: "Done." },
          { text: "", thoughtSignature: "last" }
        ]
      }
    ])
  })

  it("does not send other providers' reasoning, nor a message that has nothing else", () => {
    const { body } = encode([
      ...hello,
      Message.assistant([
        { type: "reasoning", text: "unsigned" },
        { type: "reasoning", text: "x", opaque: { provider: "anthropic", data: { thoughtSignature: "y" } } },
        { type: "reasoning", text: "", opaque: opaque("no signature") }
      ])
    ])
    assert.deepStrictEqual(body, encode(hello).body)
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
        opaque: FastCheck.record({
          provider: FastCheck.constant("google-ai-studio"),
          data: FastCheck.jsonValue()
        })
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

const asked = (fields: Asked, input: Partial<EncodeInput> = {}, by = wire) =>
  by.encode({
    model: "gemini-2.5-flash",
    stream: false,
    provider: "google-ai-studio",
    ...input,
    request: { [ChatRequest.TypeId]: ChatRequest.TypeId, messages: hello, ...fields }
  })

const gemini3 = { model: "gemini-3-flash-preview" }

const declared = [
  {
    name: "get_weather",
    description: "The weather of a city, now.",
    parametersJsonSchema: weatherSchema
  },
  { name: "get_time" }
]

describe("tools for Google", () => {
  it("are declared with JSON Schema, and without any where they take nothing", () => {
    const { body, unsupported } = asked({ tools: [weather, clock] })
    assert.deepStrictEqual(body.tools, [{ functionDeclarations: declared }])
    assert.notProperty(body, "toolConfig")
    assert.deepStrictEqual(unsupported, [])
  })

  const choices: ReadonlyArray<readonly [ChatRequest.ToolChoice, unknown]> = [
    ["auto", { mode: "AUTO" }],
    ["none", { mode: "NONE" }],
    ["required", { mode: "ANY" }],
    [{ tool: "get_time" }, { mode: "ANY", allowedFunctionNames: ["get_time"] }]
  ]
  for (const [toolChoice, functionCallingConfig] of choices) {
    it(`with the choice ${JSON.stringify(toolChoice)} are ${JSON.stringify(functionCallingConfig)}`, () => {
      const { body, unsupported } = asked({ tools: [weather, clock], toolChoice })
      assert.deepStrictEqual(body.toolConfig, { functionCallingConfig })
      assert.deepStrictEqual(unsupported, [])
    })
  }

  it("cannot be kept from being called together, unless they are not called at all", () => {
    const unsupported = (fields: Asked) => asked({ parallelToolCalls: false, ...fields }).unsupported
    assert.deepStrictEqual(unsupported({ tools: [clock] }), ["parallelToolCalls"])
    assert.deepStrictEqual(unsupported({ tools: [clock], toolChoice: "none" }), [])
    assert.deepStrictEqual(unsupported({ tools: [] }), [])
    assert.deepStrictEqual(asked({ parallelToolCalls: true, tools: [clock] }).unsupported, [])
  })
})

describe("the form of an answer of Google", () => {
  it("is a JSON Schema", () => {
    const { body, outputTool, unsupported } = asked({ output: city })
    assert.deepStrictEqual(body.generationConfig, {
      responseMimeType: "application/json",
      responseJsonSchema: weatherSchema
    })
    assert.strictEqual(outputTool, undefined)
    assert.deepStrictEqual(unsupported, [])
  })

  it("stands beside tools from Gemini 3 on", () => {
    const { body, outputTool } = asked({ output: city, tools: [weather, clock] }, gemini3)
    assert.deepInclude(body.generationConfig, { responseJsonSchema: weatherSchema })
    assert.deepStrictEqual(body.tools, [{ functionDeclarations: declared }])
    assert.strictEqual(outputTool, undefined)
  })

  it("is a tool beside others before, one of which must be called", () => {
    const { body, outputTool, unsupported } = asked({ output: city, tools: [weather, clock] })
    assert.notProperty(body, "generationConfig")
    assert.deepStrictEqual(body.tools, [
      {
        functionDeclarations: [
          ...declared,
          { name: "city", description: "A city.", parametersJsonSchema: weatherSchema }
        ]
      }
    ])
    assert.deepStrictEqual(body.toolConfig, { functionCallingConfig: { mode: "ANY" } })
    assert.strictEqual(outputTool, "city")
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(asked({ output: city, tools: [weather], toolChoice: "none" }).body.toolConfig, {
      functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["city"] }
    })
    assert.deepStrictEqual(asked({ output: city, tools: [weather], toolChoice: "required" }).unsupported, [
      "toolChoice"
    ])
  })
})

describe("images and files for Google", () => {
  it("are parts in their order, by URL or with their bytes", () => {
    const { body, unsupported } = asked({
      messages: [
        Message.user([
          Message.textPart("Look."),
          Message.textPart(""),
          Message.image({ data: "AAEC", mediaType: "image/webp" }, { detail: "low" }),
          Message.image("data:image/gif;base64,AAEC"),
          Message.image("https://a.example/cat.PNG?x=1"),
          Message.image("gs://bucket/cat"),
          Message.file({ data: "JVBER", mediaType: "application/pdf" }, { filename: "paper.pdf" }),
          Message.file("https://a.example/notes.txt"),
          Message.file("https://generativelanguage.googleapis.com/v1beta/files/abc")
        ])
      ]
    })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body.contents, [
      {
        role: "user",
        parts: [
          { text: "Look." },
          { inlineData: { mimeType: "image/webp", data: "AAEC" } },
          { inlineData: { mimeType: "image/gif", data: "AAEC" } },
          { fileData: { mimeType: "image/png", fileUri: "https://a.example/cat.PNG?x=1" } },
          { fileData: { mimeType: "image/jpeg", fileUri: "gs://bucket/cat" } },
          { inlineData: { mimeType: "application/pdf", data: "JVBER" } },
          { fileData: { mimeType: "text/plain", fileUri: "https://a.example/notes.txt" } },
          {
            fileData: {
              mimeType: "application/pdf",
              fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc"
            }
          }
        ]
      }
    ])
  })
})

describe("the effort of reasoning for Google", () => {
  const rows: ReadonlyArray<readonly [string, ChatRequest.ReasoningEffort, unknown]> = [
    ["gemini-3-flash-preview", "minimal", { includeThoughts: true, thinkingLevel: "minimal" }],
    ["gemini-3-flash-preview", "medium", { includeThoughts: true, thinkingLevel: "medium" }],
    ["gemini-3-flash-preview", "xhigh", { includeThoughts: true, thinkingLevel: "high" }],
    ["gemini-3-flash-preview", "none", { thinkingLevel: "minimal" }],
    ["gemini-3-pro-preview", "none", { thinkingLevel: "low" }],
    ["gemini-3-pro-preview", "medium", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-3.1-pro-preview", "medium", { includeThoughts: true, thinkingLevel: "medium" }],
    ["gemini-3.6-flash", "minimal", { includeThoughts: true, thinkingLevel: "minimal" }],
    ["gemini-3.7-flash", "minimal", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-3.10-flash-preview", "none", { thinkingLevel: "low" }],
    ["gemini-3.7-flash-lite", "none", { thinkingLevel: "minimal" }],
    ["gemini-flash-latest", "minimal", { includeThoughts: true, thinkingLevel: "low" }],
    ["gemini-flash-lite-latest", "minimal", { includeThoughts: true, thinkingLevel: "minimal" }],
    ["gemini-2.5-flash", "none", { thinkingBudget: 0 }],
    ["gemini-2.5-flash", "minimal", { includeThoughts: true, thinkingBudget: 1024 }],
    ["gemini-2.5-flash", "xhigh", { includeThoughts: true, thinkingBudget: 24_576 }],
    ["gemini-2.5-flash-lite", "none", { thinkingBudget: 0 }],
    ["gemini-2.5-pro", "xhigh", { includeThoughts: true, thinkingBudget: 32_768 }],
    ["gemini-2.5-pro", "none", { thinkingBudget: 128 }],
    ["models/gemini-2.5-pro", "low", { includeThoughts: true, thinkingBudget: 2048 }]
  ]
  for (const [model, reasoningEffort, thinkingConfig] of rows) {
    it(`${reasoningEffort} of ${model} is ${JSON.stringify(thinkingConfig)}`, () => {
      const { body, unsupported } = asked({ reasoningEffort }, { model })
      assert.deepStrictEqual(body.generationConfig, { thinkingConfig })
      assert.deepStrictEqual(unsupported, [])
    })
  }

  for (const model of [
    "gemini-2.0-flash",
    "gemini-1.5-pro",
    "gemini-pro",
    "gemma-3-27b-it",
    "gemini-2.5-flash-image"
  ]) {
    it(`cannot be had of ${model}, but none is what it has`, () => {
      const { body, unsupported } = asked({ reasoningEffort: "low" }, { model })
      assert.notProperty(body, "generationConfig")
      assert.deepStrictEqual(unsupported, ["reasoningEffort"])
      assert.deepStrictEqual(asked({ reasoningEffort: "none" }, { model }).unsupported, [])
    })
  }
})

describe("calls without a signature", () => {
  const signed = (model: string, ...parts: ReadonlyArray<Message.AssistantPart>): unknown => {
    const { body } = asked({ messages: [...hello, Message.assistant(parts)] }, { model })
    return (body.contents as ReadonlyArray<{ parts: unknown }>)[1]?.parts
  }
  const call = (name: string): Message.AssistantPart => ({
    type: "tool-call",
    id: "call_0",
    name,
    arguments: "{}"
  })

  it("of other vendors are marked as such for Gemini 3, once in a turn", () => {
    assert.deepStrictEqual(signed("gemini-3-pro-preview", call("f"), call("g")), [
      { functionCall: { name: "f", args: {} }, thoughtSignature: "skip_thought_signature_validator" },
      { functionCall: { name: "g", args: {} } }
    ])
    assert.deepStrictEqual(signed("gemini-2.5-pro", call("f")), [{ functionCall: { name: "f", args: {} } }])
  })

  it("are not marked where there is one", () => {
    const own: Message.AssistantPart = {
      type: "reasoning",
      text: "",
      opaque: opaque({ thoughtSignature: "s" })
    }
    assert.deepStrictEqual(signed("gemini-3-pro-preview", own, call("f"), call("g")), [
      { functionCall: { name: "f", args: {} }, thoughtSignature: "s" },
      { functionCall: { name: "g", args: {} } }
    ])
  })
})

describe("a request to Vertex AI", () => {
  const vertex = GoogleGenerateContent.vertex({
    project: "my-project",
    location: "us-central1",
    streamArguments: true
  })

  it("goes to the project and the location", () => {
    const base = "v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash"
    assert.strictEqual(asked({}, {}, vertex).endpoint, `${base}:generateContent`)
    assert.strictEqual(
      asked({}, { stream: true, model: "publishers/google/models/gemini-2.5-flash" }, vertex).endpoint,
      `${base}:streamGenerateContent?alt=sse`
    )
  })

  it("asks for arguments in pieces in streams with tools alone", () => {
    const config = (fields: Asked, stream: boolean) => asked(fields, { stream }, vertex).body.toolConfig
    assert.deepStrictEqual(config({ tools: [clock] }, true), {
      functionCallingConfig: { streamFunctionCallArguments: true }
    })
    assert.deepStrictEqual(config({ tools: [clock], toolChoice: "required" }, true), {
      functionCallingConfig: { mode: "ANY", streamFunctionCallArguments: true }
    })
    assert.isUndefined(config({ tools: [clock] }, false))
    assert.isUndefined(config({}, true))
    assert.isUndefined(asked({ tools: [clock] }, { stream: true }).body.toolConfig)
  })

  it("has no ids of calls", () => {
    const { body } = asked(
      {
        messages: [
          Message.assistant([{ type: "tool-call", id: "toolu_1", name: "f", arguments: "{}" }]),
          Message.toolResults([{ type: "tool-result", id: "toolu_1", name: "f", result: "1" }])
        ]
      },
      {},
      vertex
    )
    assert.notInclude(JSON.stringify(body), "toolu_1")
  })

  it("carries Vertex's own signatures, and not those of AI Studio", () => {
    const json = answer([{ functionCall: { name: "f" }, thoughtSignature: "s" }])
    const parts = (by: typeof wire) => {
      const read = by.decode(json)
      return isFault(read) ? assert.fail("a fault") : read.parts
    }
    const replayed = (from: typeof wire, to: typeof wire) =>
      JSON.stringify(asked({ messages: [Message.assistant(parts(from))] }, {}, to).body).includes(
        '"thoughtSignature":"s"'
      )
    assert.deepStrictEqual(
      [replayed(wire, wire), replayed(vertex, vertex), replayed(wire, vertex), replayed(vertex, wire)],
      [true, true, false, false]
    )
    const decoder = vertex.decoder()
    const out: Array<ChatEvent.ChatEvent> = []
    decoder.event(JSON.stringify(json), undefined, out)
    assert.deepInclude(out, {
      _tag: "ReasoningOpaque",
      provider: "google-vertex-ai",
      data: { thoughtSignature: "s" }
    })
  })
})

describe("any request to Google", () => {
  const models = [
    "gemini-1.5-pro",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-3-pro-preview",
    "gemini-flash-latest"
  ]

  /** What holds anyway, and so needs no words. */
  const holds = (request: ChatRequest.ChatRequest, model: string, dropped: string): boolean =>
    (dropped === "parallelToolCalls" && (request.tools === undefined || request.toolChoice === "none")) ||
    (dropped === "reasoningEffort" && request.reasoningEffort === "none" && model === "gemini-1.5-pro")

  for (const [name, by] of [
    ["AI Studio", wire],
    ["Vertex", GoogleGenerateContent.vertex({ project: "p", location: "global", streamArguments: true })]
  ] as const) {
    it(`of ${name} drops nothing silently`, () => {
      FastCheck.assert(
        FastCheck.property(
          anyRequest,
          FastCheck.constantFrom(...models),
          FastCheck.boolean(),
          (request, model, stream) => {
            const dropped = silentlyDropped(by, request, { model, provider: "google-ai-studio", stream })
            assert.deepStrictEqual(
              dropped.filter((what) => !holds(request, model, what)),
              []
            )
          }
        ),
        { numRuns: 250 }
      )
    })
  }
})

// --- whole answers ----------------------------------------------------------------------------------------------------

describe("a whole answer of Google", () => {
  it("gives text, reasoning, calls, citations and usage", () => {
    const [chunkA, chunkB, again] = sample.candidates[0]?.groundingMetadata.groundingChunks ?? []
    assert.deepStrictEqual(chunkA, again)
    assert.deepStrictEqual(decoded(sample), {
      parts: [
        { type: "reasoning", text: "A question of weather." },
        { type: "text", text: "It rains." },
        { type: "reasoning", text: "", opaque: opaque({ thoughtSignature: "c2ln" }) },
        { type: "tool-call", id: "fc-1", name: "umbrella", arguments: '{"colour":"red"}' },
        { type: "tool-call", id: "call_1", name: "now", arguments: "{}" }
      ],
      citations: [
        { url: "https://a.example", title: "A", text: "It rains.", raw: chunkA },
        { url: "https://b.example", title: "B", text: "It rains.\nAll day.", raw: chunkB }
      ],
      finishReason: "tool-calls",
      rawFinishReason: "STOP",
      usage: { input: 105, output: 50, cacheRead: 60, reasoning: 30, total: 155 },
      model: "gemini-2.5-flash-001"
    })
  })

  const reasons: ReadonlyArray<readonly [string, string]> = [
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content-filter"],
    ["RECITATION", "content-filter"],
    ["BLOCKLIST", "content-filter"],
    ["PROHIBITED_CONTENT", "content-filter"],
    ["SPII", "content-filter"],
    ["IMAGE_SAFETY", "content-filter"],
    ["IMAGE_PROHIBITED_CONTENT", "content-filter"],
    ["IMAGE_RECITATION", "content-filter"],
    ["MODEL_ARMOR", "content-filter"],
    ["MALFORMED_FUNCTION_CALL", "error"],
    ["UNEXPECTED_TOOL_CALL", "error"],
    ["TOO_MANY_TOOL_CALLS", "error"],
    ["LANGUAGE", "other"],
    ["OTHER", "other"],
    ["FINISH_REASON_UNSPECIFIED", "other"],
    ["SOMETHING_NEW", "other"]
  ]
  for (const [raw, reason] of reasons) {
    it(`calls ${raw} ${reason}, content or not`, () => {
      const bare = { finishReason: raw, index: 0 }
      for (const candidate of [
        bare,
        { ...bare, content: {} },
        { ...bare, content: { role: "model", parts: [] } }
      ]) {
        const { finishReason, rawFinishReason, parts } = decoded({ candidates: [candidate] })
        assert.strictEqual(finishReason, reason)
        assert.strictEqual(rawFinishReason, raw)
        assert.deepStrictEqual(parts, [])
      }
    })
  }

  it("is filtered, if the prompt was blocked", () => {
    const usageMetadata = { promptTokenCount: 7, totalTokenCount: 7 }
    for (const candidates of [undefined, []]) {
      const blocked = decoded({
        candidates,
        promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
        usageMetadata
      })
      assert.strictEqual(blocked.finishReason, "content-filter")
      assert.strictEqual(blocked.rawFinishReason, "PROHIBITED_CONTENT")
      assert.strictEqual(blocked.usage.input, 7)
      assert.deepStrictEqual(blocked.parts, [])
    }
  })

  it("is malformed, if it says nothing at all", () => {
    const usageMetadata = { promptTokenCount: 7 }
    assert.strictEqual(placeOf(faultOf({ usageMetadata })), "candidates")
    assert.strictEqual(placeOf(faultOf({ candidates: [], promptFeedback: {} })), "candidates")
    assert.strictEqual(placeOf(faultOf({ candidates: [{}] })), "candidates[0].content")
    assert.strictEqual(placeOf(faultOf({ candidates: [{ content: {} }] })), "candidates[0].content.parts")
  })

  it("keeps a signature with the part that it came with, and sends it back there", () => {
    const parts = [
      { text: "Thought.", thought: true, thoughtSignature: "a" },
      { functionCall: { name: "f", args: { x: 1 } }, thoughtSignature: "b" },
      { functionCall: { name: "g", args: {} } },
      { text: "Text.", thoughtSignature: "c" },
      { text: "", thoughtSignature: "d" }
    ]
    const { body } = encode([Message.assistant(decoded(answer(parts)).parts)])
    assert.deepStrictEqual(body.contents, [{ role: "model", parts }])
  })

  it("counts thoughts as output, and missing counts not at all", () => {
    const usageOf = (usageMetadata: unknown) => decoded({ ...answer([]), usageMetadata }).usage
    assert.deepInclude(usageOf({ promptTokenCount: 5, thoughtsTokenCount: 7 }), {
      input: 5,
      output: 7,
      reasoning: 7,
      total: 12
    })
    assert.deepStrictEqual(usageOf(null), {})
    assert.isUndefined(usageOf({ promptTokenCount: "5" }).input)
  })

  it("is the provider's error, bare or in an array", () => {
    const error = { error: { code: 429, message: "Quota", status: "RESOURCE_EXHAUSTED" } }
    assert.deepStrictEqual(faultOf(error), { _tag: "ErrorFault", json: error })
    assert.deepStrictEqual(faultOf([error]), { _tag: "ErrorFault", json: error })
    assert.deepStrictEqual(faultOf([answer([]), error]), { _tag: "ErrorFault", json: error })
    assert.strictEqual(placeOf(faultOf([answer([])])), "")
  })

  it("names the place of what is wrong", () => {
    const parts = "candidates[0].content.parts"
    assert.deepStrictEqual(faultOf(answer([{ text: "a" }, { text: 5 }])), {
      _tag: "MalformedFault",
      place: `${parts}[1].text`,
      problem: "expected text, found a number"
    })
    const places: ReadonlyArray<readonly [unknown, string]> = [
      [5, ""],
      [{ candidates: "x" }, "candidates"],
      [{ candidates: null }, "candidates"],
      [answer("x"), parts],
      [answer([null]), `${parts}[0]`],
      [answer([{ functionCall: null }]), `${parts}[0].functionCall`],
      [answer([{ functionCall: { args: {} } }]), `${parts}[0].functionCall.name`],
      [answer([{ functionCall: { name: "" } }]), `${parts}[0].functionCall.name`],
      [answer([{ functionCall: { name: "f", args: "{}" } }]), `${parts}[0].functionCall.args`],
      [answer([{ functionCall: { name: "f", partialArgs: {} } }]), `${parts}[0].functionCall.partialArgs`]
    ]
    for (const [json, place] of places) assert.strictEqual(placeOf(faultOf(json)), place)
  })

  it("answers or faults, whatever stands in any one place, and names the place of content", () => {
    const content =
      /^candidates(\[0\](\.content(\.parts(\[\d\](\.(text|functionCall(\.(name|args))?))?)?)?)?)?$/
    for (const path of pathsOf(sample)) {
      for (const value of wrongValues) {
        const result = wire.decode(replaceAt(sample, path, value))
        const place = placeName(path)
        const before = path.reduce<unknown>(
          (json, key) => (typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined),
          sample
        )
        const says = `${place} = ${JSON.stringify(value)}`
        const absent = place.endsWith(".args") && value === null
        if (kindOf(before) === kindOf(value)) {
          if (isFault(result) && result._tag === "MalformedFault") assert.include(result.place, place, says)
        } else if (path.length === 0) assert.isTrue(isFault(result), says)
        else if (content.test(place) && !absent) {
          assert.isTrue(isFault(result) && result._tag === "MalformedFault" && result.place === place, says)
        } else assert.isFalse(isFault(result), says)
      }
    }
  })

  it("never throws, whatever JSON it is", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (json) => {
        wire.decode(json)
        wire.decode({ candidates: json, promptFeedback: json })
        wire.decode({ candidates: [json], usageMetadata: json, modelVersion: json })
        wire.decode({ candidates: [{ content: json, groundingMetadata: json, finishReason: json }] })
        wire.decode({
          candidates: [
            { finishReason: "STOP", groundingMetadata: { groundingChunks: json, groundingSupports: json } }
          ]
        })
        wire.decode(answer(json))
        wire.decode(answer([json, { text: json }]))
        wire.decode(answer([{ functionCall: json, thoughtSignature: json }]))
        wire.decode(answer([{ functionCall: { id: json, name: "f", args: json } }]))
      })
    )
  })

  // Bun needs seconds to find that out.
  it("is malformed, if a call's arguments are nested too deeply to be written", { timeout: 60_000 }, () => {
    const depth = 200_000
    const args = JSON.parse(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`)
    assert.strictEqual(
      placeOf(faultOf(answer([{ functionCall: { name: "f", args } }]))),
      "candidates[0].content.parts[0].functionCall.args"
    )
  })
})

// --- streams ----------------------------------------------------------------------------------------------------------

describe("a stream of Google", () => {
  it("gives text, the last usage and the finish", () => {
    const result = stream(
      chunk([{ text: "Hel" }], {}, { promptTokenCount: 8, totalTokenCount: 8 }),
      chunk([{ text: "lo" }], {}, { promptTokenCount: 8, candidatesTokenCount: 1, totalTokenCount: 9 }),
      chunk(
        [{ text: "" }],
        { finishReason: "STOP" },
        {
          promptTokenCount: 8,
          candidatesTokenCount: 2,
          thoughtsTokenCount: 5,
          totalTokenCount: 15
        }
      )
    )
    const usage = { input: 8, output: 7, cacheRead: undefined, reasoning: 5, total: 15 }
    assert.deepStrictEqual(result, {
      events: [
        { _tag: "TextDelta", text: "Hel" },
        { _tag: "TextDelta", text: "lo" },
        { _tag: "Usage", usage },
        { _tag: "Finish", finishReason: "stop", rawFinishReason: "STOP", usage, model: "gemini-2.5-flash" }
      ],
      fault: undefined,
      done: false
    })
  })

  it("reads usage that follows the finish, but not a trailing zero", () => {
    const result = stream(
      chunk([{ text: "Hi" }], { finishReason: "STOP" }, undefined),
      { usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 2, totalTokenCount: 10 } },
      { usageMetadata: { promptTokenCount: 0, candidatesTokenCount: 0, totalTokenCount: 0 } },
      { usageMetadata: {} }
    )
    assert.deepInclude(finishOf(result).usage, { input: 8, output: 2, total: 10 })
  })

  it("gives a call whole, on a chunk before the finish", () => {
    const result = stream(
      chunk([
        { functionCall: { name: "look", args: { at: "sky" } }, thoughtSignature: "c2ln" },
        { functionCall: { id: "fc-2", name: "now" } }
      ]),
      chunk([{ text: "" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(result.events.slice(0, -2), [
      { _tag: "ReasoningOpaque", provider: "google-ai-studio", data: { thoughtSignature: "c2ln" } },
      { _tag: "ToolCallDelta", index: 0, name: "look", arguments: '{"at":"sky"}' },
      { _tag: "ToolCall", index: 0, id: "call_0", name: "look", arguments: '{"at":"sky"}' },
      { _tag: "ToolCallDelta", index: 1, name: "now", arguments: "{}" },
      { _tag: "ToolCall", index: 1, id: "fc-2", name: "now", arguments: "{}" }
    ])
    assert.strictEqual(finishOf(result).finishReason, "tool-calls")
    assert.strictEqual(finishOf(result).rawFinishReason, "STOP")
  })

  it("gives thoughts before the answer, also in one chunk, and sends signatures back where they were", () => {
    const result = stream(
      chunk([{ text: "Let me ", thought: true }]),
      chunk([
        { text: "see.", thought: true },
        { text: "Yes", thoughtSignature: "a" }
      ]),
      chunk([{ functionCall: { name: "f", args: {} }, thoughtSignature: "b" }]),
      chunk([{ text: "", thoughtSignature: "c" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(result.events.slice(0, 4), [
      { _tag: "ReasoningDelta", text: "Let me " },
      { _tag: "ReasoningDelta", text: "see." },
      { _tag: "ReasoningOpaque", provider: "google-ai-studio", data: { thoughtSignature: "a" } },
      { _tag: "TextDelta", text: "Yes" }
    ])
    const { message } = ChatEvent.fold(result.events)
    assert.deepStrictEqual(encode([message]).body.contents, [
      {
        role: "model",
        parts: [
          { text: "Let me see.", thought: true },
          { text: "Yes", thoughtSignature: "a" },
          { functionCall: { name: "f", args: {} }, thoughtSignature: "b" },
          { text: "", thoughtSignature: "c" }
        ]
      }
    ])
  })

  it("sends a thought's own signature back on the thought", () => {
    const { events } = stream(
      chunk([{ text: "Hm.", thought: true, thoughtSignature: "a" }]),
      chunk([{ text: "Hi" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(encode([ChatEvent.fold(events).message]).body.contents, [
      {
        role: "model",
        parts: [{ text: "Hm.", thought: true, thoughtSignature: "a" }, { text: "Hi" }]
      }
    ])
  })

  it("names every source once, with the words that it supports", () => {
    const groundingChunks = [{ web: { uri: "https://a.example", title: "A" } }]
    const groundingSupports = [{ segment: { text: "Rain." }, groundingChunkIndices: [0] }]
    const { events } = stream(
      chunk([{ text: "Rain." }], { groundingMetadata: {} }),
      chunk([{ text: " Yes." }], { groundingMetadata: { groundingChunks } }),
      chunk([{ text: "" }], {
        finishReason: "STOP",
        groundingMetadata: { groundingChunks, groundingSupports }
      })
    )
    assert.deepStrictEqual(
      events.filter(({ _tag }) => _tag === "Citation"),
      [
        {
          _tag: "Citation",
          citation: { url: "https://a.example", title: "A", text: "Rain.", raw: groundingChunks[0] }
        }
      ]
    )
  })

  it("stops at the limit with nothing but thoughts", () => {
    const result = stream({
      candidates: [{ finishReason: "MAX_TOKENS", index: 0 }],
      usageMetadata: { promptTokenCount: 8, thoughtsTokenCount: 100, totalTokenCount: 108 }
    })
    assert.strictEqual(finishOf(result).finishReason, "length")
    assert.strictEqual(finishOf(result).usage.output, 100)
  })

  it("is filtered, without content or with a blocked prompt", () => {
    const safety = stream(chunk([{ text: "Well" }]), {
      candidates: [{ content: {}, finishReason: "SAFETY" }]
    })
    assert.strictEqual(finishOf(safety).finishReason, "content-filter")
    const blocked = stream({
      promptFeedback: { blockReason: "SAFETY" },
      usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 }
    })
    assert.deepInclude(finishOf(blocked), { finishReason: "content-filter", rawFinishReason: "SAFETY" })
    assert.strictEqual(finishOf(blocked).usage.input, 8)
  })

  it("lets the last reason count", () => {
    const result = stream(
      chunk([{ text: "a" }], { finishReason: "STOP" }),
      chunk([{ text: "b" }], { finishReason: "SAFETY" })
    )
    assert.strictEqual(finishOf(result).rawFinishReason, "SAFETY")
  })

  it("ends with the provider's error, bare or in an array, and keeps what came before", () => {
    const error = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }
    for (const event of [error, [error]]) {
      assert.deepStrictEqual(stream(chunk([{ text: "Hi" }]), event), {
        events: [{ _tag: "TextDelta", text: "Hi" }],
        fault: { _tag: "ErrorFault", json: error },
        done: false
      })
    }
  })

  it("is cut off, if it ends before the model did", () => {
    assert.deepStrictEqual(stream(chunk([{ text: "Hi" }])), {
      events: [{ _tag: "TextDelta", text: "Hi" }],
      fault: { _tag: "TruncatedFault" },
      done: false
    })
    assert.strictEqual(stream()?.fault?._tag, "TruncatedFault")
    assert.strictEqual(stream({ usageMetadata: { promptTokenCount: 1 } }).fault?._tag, "TruncatedFault")
  })

  it("names the place of what is wrong, and keeps the parts before it", () => {
    const parts = "candidates[0].content.parts"
    const result = stream(chunk([{ text: "a" }, { text: "b" }, { text: {} }, { text: "c" }]))
    assert.strictEqual(placeOf(result.fault), `${parts}[2].text`)
    assert.strictEqual(result.events.length, 2)
    assert.strictEqual(placeOf(stream(chunk("x")).fault), parts)
    assert.strictEqual(placeOf(stream({ candidates: [{ content: null }] }).fault), "candidates[0].content")
    assert.strictEqual(placeOf(stream({ candidates: [5] }).fault), "candidates[0]")
    assert.strictEqual(placeOf(stream({ candidates: {} }).fault), "candidates")
    assert.strictEqual(placeOf(stream([]).fault), "data")
    assert.strictEqual(placeOf(streamTexts("{broken").fault), "data")
  })

  const whole = [
    chunk([{ text: "Hm.", thought: true, thoughtSignature: "a" }]),
    chunk([{ text: "Hi" }], { groundingMetadata: { groundingChunks: [{ web: { uri: "u" } }] } }),
    chunk([{ functionCall: { id: "i", name: "f", args: { x: 1 } } }]),
    chunk([{ text: "" }], { finishReason: "STOP" })
  ]

  it("never throws, whatever stands in any one place, and ends in exactly one way", () => {
    for (const path of pathsOf(whole)) {
      if (path.length === 0) continue
      for (const value of wrongValues) {
        const events = replaceAt(whole, path, value)
        if (!Array.isArray(events)) return assert.fail()
        const result = stream(...events)
        const finishes = result.events.filter(({ _tag }) => _tag === "Finish").length
        assert.strictEqual(finishes, result.fault === undefined ? 1 : 0, placeName(path))
      }
    }
  })

  it("never throws, whatever it is fed", () => {
    const data = FastCheck.oneof(
      FastCheck.json(),
      FastCheck.string(),
      FastCheck.jsonValue().map((json) => JSON.stringify(chunk([json]))),
      FastCheck.jsonValue().map((json) => JSON.stringify(chunk([{ text: "a" }, { functionCall: json }]))),
      FastCheck.jsonValue().map((json) =>
        JSON.stringify(chunk([], { groundingMetadata: { groundingChunks: json }, finishReason: json }, json))
      ),
      FastCheck.jsonValue().map((json) => JSON.stringify({ candidates: json, promptFeedback: json }))
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(data), (events) => {
        // Goes on after a fault, which a driver does not, and still must not throw.
        const decoder = wire.decoder()
        const out: Array<ChatEvent.ChatEvent> = []
        for (const event of events) decoder.event(event, undefined, out)
        decoder.end(out)
      })
    )
  })
})

// --- arguments in pieces ----------------------------------------------------------------------------------------------

describe("a call whose arguments Vertex streams", () => {
  const call = (functionCall: unknown, more: object = {}) => chunk([{ functionCall, ...more }])
  const open = (name: string, more: object = {}) => call({ name, willContinue: true, ...more })
  const patch = (...partialArgs: ReadonlyArray<object>) => call({ partialArgs, willContinue: true })
  const last = (...partialArgs: ReadonlyArray<object>) => call({ partialArgs })
  const text = (jsonPath: string, stringValue: string, willContinue = false) => ({
    jsonPath,
    stringValue,
    ...(willContinue ? { willContinue } : {})
  })
  const closed = call({})
  const finish = chunk([{ text: "" }], { finishReason: "STOP" })

  const calls = (streamed: Streamed) => {
    assert.isUndefined(streamed.fault)
    return streamed.events.flatMap((event) =>
      event._tag === "ToolCall" ? [[event.name, event.arguments]] : []
    )
  }

  it("is told once, when it is whole", () => {
    const streamed = stream(
      open("book"),
      patch(text("$.city", "Bos", true)),
      patch(text("$.city", "ton", true)),
      patch(text("$.city", "")),
      patch({ jsonPath: "$.nights", numberValue: 2 }, { jsonPath: "$.quiet", boolValue: false }),
      patch({ jsonPath: "$.note", nullValue: "NULL_VALUE" }),
      closed,
      finish
    )
    const args = '{"city":"Boston","nights":2,"quiet":false,"note":null}'
    assert.deepStrictEqual(streamed.events.slice(0, 2), [
      { _tag: "ToolCallDelta", index: 0, name: "book", arguments: args },
      { _tag: "ToolCall", index: 0, id: "call_0", name: "book", arguments: args }
    ])
    assert.strictEqual(finishOf(streamed).finishReason, "tool-calls")
    assert.strictEqual(streamed.events.filter(({ _tag }) => _tag === "ToolCallDelta").length, 1)
  })

  it("has paths with keys, positions and quotes", () => {
    assert.deepStrictEqual(
      calls(
        stream(
          open("f"),
          last(
            text("$.a[0].b", "x"),
            text("$.a[0].c-d", "y"),
            { jsonPath: "$.a[1]", numberValue: 1 },
            text("$['it\\'s'][\"q\\u0041\"]", "z"),
            text("$.a[2][0]", "deep"),
            { jsonPath: "$.__proto__.polluted", boolValue: true },
            { jsonPath: "$.none[]" },
            { jsonPath: "$.empty" },
            { jsonPath: "$.late", willContinue: true },
            text("$.late", "!")
          ),
          finish
        )
      ),
      [
        [
          "f",
          '{"a":[{"b":"x","c-d":"y"},1,["deep"]],"it\'s":{"qA":"z"},"__proto__":{"polluted":true},' +
            '"none":[],"empty":{},"late":"!"}'
        ]
      ]
    )
    assert.isUndefined(Reflect.get({}, "polluted"))
  })

  it("may begin as an object, and no key of it is special", () => {
    assert.deepStrictEqual(
      calls(
        stream(
          open("f", { args: { o: {}, s: "a" } }),
          last(
            { jsonPath: "$.o.__proto__.polluted", boolValue: true },
            text("$.o.toString", "t"),
            text("$.s", "b")
          ),
          finish
        )
      ),
      [["f", '{"o":{"__proto__":{"polluted":true},"toString":"t"},"s":"ab"}']]
    )
    assert.isUndefined(Reflect.get({}, "polluted"))
  })

  const closings: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
    ["an empty call", [patch(text("$.x", "1")), closed, finish]],
    ["a last piece that does not go on", [last(text("$.x", "1")), finish]],
    ["both", [last(text("$.x", "1")), closed, finish]],
    ["the finish, without an end of its own", [patch(text("$.x", "1")), finish]]
  ]
  for (const [how, rest] of closings) {
    it(`is closed by ${how}`, () => {
      assert.deepStrictEqual(calls(stream(open("f"), ...rest)), [["f", '{"x":"1"}']])
    })
  }

  it("is closed by the next call, even if that has the same name", () => {
    assert.deepStrictEqual(
      calls(
        stream(
          open("f"),
          patch(text("$.x", "1")),
          open("f"),
          patch(text("$.x", "2")),
          call({ name: "g", args: { y: 3 } }),
          closed,
          finish
        )
      ),
      [
        ["f", '{"x":"1"}'],
        ["f", '{"x":"2"}'],
        ["g", '{"y":3}']
      ]
    )
  })

  it("may go on as long as its last piece does", () => {
    assert.deepStrictEqual(
      calls(stream(open("f"), last(text("$.x", "a", true)), last(text("$.x", "b")), finish)),
      [["f", '{"x":"ab"}']]
    )
  })

  it("may come in one event, and may have no arguments", () => {
    assert.deepStrictEqual(
      calls(stream(call({ name: "f", partialArgs: [text("$.x", "1")] }), open("g"), closed, finish)),
      [
        ["f", '{"x":"1"}'],
        ["g", "{}"]
      ]
    )
  })

  it("keeps its signature, and the one before keeps its own", () => {
    const streamed = stream(
      call({ name: "f", willContinue: true }, { thoughtSignature: "one" }),
      patch(text("$.x", "1")),
      call({ name: "g", willContinue: true }, { thoughtSignature: "two" }),
      closed,
      finish
    )
    const { message } = ChatEvent.fold(streamed.events)
    const { body } = encode([message])
    assert.deepStrictEqual(body.contents, [
      {
        role: "model",
        parts: [
          { functionCall: { name: "f", args: { x: "1" } }, thoughtSignature: "one" },
          { functionCall: { name: "g", args: {} }, thoughtSignature: "two" }
        ]
      }
    ])
  })

  it("is read in a whole answer too", () => {
    const partialArgs = [text("$.x", "1")]
    assert.deepStrictEqual(decoded(answer([{ functionCall: { name: "f", partialArgs } }])).parts, [
      { type: "tool-call", id: "call_0", name: "f", arguments: '{"x":"1"}' }
    ])
    assert.deepStrictEqual(decoded(answer([{ functionCall: { name: "f", willContinue: true } }])).parts, [
      { type: "tool-call", id: "call_0", name: "f", arguments: "{}" }
    ])
  })

  it("does not count, if the stream is cut off within it", () => {
    const streamed = stream(open("f"), patch(text("$.x", "1")))
    assert.deepStrictEqual(streamed, { events: [], fault: { _tag: "TruncatedFault" }, done: false })
  })

  const place = "candidates[0].content.parts[0].functionCall"
  const wrong: ReadonlyArray<readonly [unknown, string, string]> = [
    [{ partialArgs: "x" }, `${place}.partialArgs`, "expected an array"],
    [{ partialArgs: [5] }, `${place}.partialArgs[0]`, "expected an object"],
    [{ partialArgs: [{ stringValue: "x" }] }, `${place}.partialArgs[0].jsonPath`, "expected text"],
    [
      { partialArgs: [text("$.a", "x"), text("a b", "x")] },
      `${place}.partialArgs[1].jsonPath`,
      '"a b" is no path'
    ],
    [{ partialArgs: [text("$.a[x]", "x")] }, `${place}.partialArgs[0].jsonPath`, '"$.a[x]" is no path'],
    [{ partialArgs: [text("$..a", "x")] }, `${place}.partialArgs[0].jsonPath`, '"$..a" is no path'],
    [
      { partialArgs: [text("$", "x")] },
      `${place}.partialArgs[0].jsonPath`,
      '"$" is the arguments themselves'
    ],
    [{ partialArgs: [text("$[0]", "x")] }, `${place}.partialArgs[0].jsonPath`, "mixes an object and a list"],
    [{ partialArgs: [text("$.l[7]", "x")] }, `${place}.partialArgs[0].jsonPath`, "leaves out elements"],
    [
      { partialArgs: [text("$.a", "x"), text("$.a.b", "x")] },
      `${place}.partialArgs[1].jsonPath`,
      '"$.a.b" leads into something that is no object or list'
    ],
    [
      { partialArgs: [text("$.a.b", "x"), text("$.a", "x")] },
      `${place}.partialArgs[1].jsonPath`,
      '"$.a" is an object or a list already'
    ],
    [
      { partialArgs: [{ jsonPath: "$.a", numberValue: "5" }] },
      `${place}.partialArgs[0].numberValue`,
      "expected a number"
    ],
    [
      { partialArgs: [{ jsonPath: "$.a", boolValue: 1 }] },
      `${place}.partialArgs[0].boolValue`,
      "expected a boolean"
    ]
  ]
  for (const [piece, at, problem] of wrong) {
    it(`is malformed with ${JSON.stringify(piece)}, and its place is named`, () => {
      const { events, fault } = stream(open("f"), call(piece))
      assert.deepStrictEqual(events, [])
      assert.strictEqual(placeOf(fault), at)
      assert.include(fault?._tag === "MalformedFault" ? fault.problem : "", problem)
    })
  }

  it("must begin with a name", () => {
    assert.strictEqual(placeOf(stream(last(text("$.x", "1"))).fault), `${place}.name`)
    assert.strictEqual(placeOf(stream(closed).fault), `${place}.name`)
  })

  it("adds up to the arguments, however they are cut", () => {
    const key = FastCheck.string({ minLength: 1, maxLength: 4 })
    const { value } = FastCheck.letrec<{ value: unknown; list: unknown; object: unknown }>((tie) => ({
      value: FastCheck.oneof(
        { depthSize: "small" },
        FastCheck.string({ unit: "binary" }),
        FastCheck.integer(),
        FastCheck.boolean(),
        FastCheck.constant(null),
        tie("list"),
        tie("object")
      ),
      list: FastCheck.array(tie("value"), { maxLength: 3 }),
      object: FastCheck.dictionary(key, tie("value"), { maxKeys: 3 })
    }))
    const patches = (value: unknown, path: string, size: number): ReadonlyArray<object> => {
      if (typeof value === "string") {
        const pieces: Array<object> = []
        for (let at = 0; at < value.length; at += size)
          pieces.push(text(path, value.slice(at, at + size), true))
        return [...pieces, text(path, "")]
      }
      if (typeof value === "number") return [{ jsonPath: path, numberValue: value }]
      if (typeof value === "boolean") return [{ jsonPath: path, boolValue: value }]
      if (value === null || typeof value !== "object") return [{ jsonPath: path, nullValue: "NULL_VALUE" }]
      if (Array.isArray(value)) {
        return value.length === 0
          ? [{ jsonPath: `${path}[]` }]
          : value.flatMap((one, index) => patches(one, `${path}[${index}]`, size))
      }
      const entries = Object.entries(value)
      return entries.length === 0
        ? [{ jsonPath: path }]
        : entries.flatMap(([name, one]) => patches(one, `${path}[${JSON.stringify(name)}]`, size))
    }
    FastCheck.assert(
      FastCheck.property(
        FastCheck.dictionary(key, value, { maxKeys: 4 }),
        FastCheck.integer({ min: 1, max: 3 }),
        (args, size) => {
          const pieces = patches(args, "$", size).map((one) => patch(one))
          const [[, written] = []] = calls(stream(open("f"), ...pieces, finish))
          assert.deepStrictEqual(JSON.parse(written ?? ""), JSON.parse(JSON.stringify(args)))
        }
      )
    )
  })

  it("never throws, whatever a piece is", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), FastCheck.string(), (json, path) => {
        stream(open("f"), call(json), finish)
        stream(open("f"), call({ partialArgs: json, willContinue: json }), finish)
        stream(open("f", { args: json }), last({ jsonPath: `$.${path}`, stringValue: "x" }), finish)
        stream(
          open("f"),
          last({ jsonPath: path, stringValue: json, numberValue: json, boolValue: json }),
          finish
        )
      })
    )
  })

  it("is malformed, if its arguments are nested too deeply to be written", () => {
    const { fault } = stream(open("f"), last(text(`$${".a".repeat(50_000)}`, "x")), finish)
    assert.strictEqual(placeOf(fault), "functionCall.partialArgs")
  })
})

// --- refusals and recitals --------------------------------------------------------------------------------------------

describe("why Google refused", () => {
  const stopped = (finishReason: string) => ({
    candidates: [{ finishReason, finishMessage: "It is unsafe." }]
  })
  const blocked = { promptFeedback: { blockReason: "SAFETY", blockReasonMessage: "The prompt is unsafe." } }

  it("is told in its own words, whole and streamed", () => {
    for (const [json, words] of [
      [stopped("SAFETY"), "It is unsafe."],
      [blocked, "The prompt is unsafe."]
    ] as const) {
      assert.strictEqual(decoded(json).refusal, words)
      const folded = ChatEvent.fold(stream(json).events)
      assert.strictEqual(folded.refusal, words)
      assert.strictEqual(folded.finishReason, "content-filter")
    }
  })

  it("is no refusal, if the model stopped for another reason", () => {
    assert.notProperty(decoded(stopped("STOP")), "refusal")
    assert.isUndefined(ChatEvent.fold(stream(stopped("MAX_TOKENS")).events).refusal)
  })
})

describe("what Google recites", () => {
  it("is cited, in the form of AI Studio and of Vertex, whole and streamed", () => {
    const source = { startIndex: 1, endIndex: 5, uri: "https://a.example", license: "mit" }
    const other = { uri: "https://b.example", title: "B" }
    const json = {
      candidates: [
        {
          content: { parts: [{ text: "Hello" }] },
          finishReason: "STOP",
          citationMetadata: { citationSources: [source, source, null], citations: [other, { startIndex: 1 }] }
        }
      ]
    }
    const citations = [
      { url: "https://a.example", title: undefined, raw: source },
      { url: "https://b.example", title: "B", raw: other }
    ]
    assert.deepStrictEqual(decoded(json).citations, citations)
    assert.deepStrictEqual(ChatEvent.fold(stream(json).events).citations, citations)
  })
})
