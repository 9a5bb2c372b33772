import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { ChatEvent } from "../../src/ChatEvent.js"
import * as ChatEventModule from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import type { Message } from "../../src/Message.js"
import * as Parts from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"

const dialect: OpenAiChat.Dialect = {
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: (model) => (model.startsWith("o") ? ["temperature", "topP"] : [])
}

const wire = OpenAiChat.make(dialect)

const request = (input: ChatRequest.Input): ChatRequest.ChatRequest =>
  Either.getOrThrow(ChatRequest.fromInput(input))

const encode = (input: ChatRequest.Input, over: { model?: string; stream?: boolean } = {}) =>
  wire.encode({ model: "gpt-5-mini", stream: false, provider: "openai", ...over, request: request(input) })

const decode = (json: unknown): Decoded => {
  const decoded = wire.decode(json)
  if (isFault(decoded)) return assert.fail(`unexpected fault: ${JSON.stringify(decoded)}`)
  return decoded
}

const faultOf = (json: unknown): Fault => {
  const decoded = wire.decode(json)
  if (!isFault(decoded)) return assert.fail(`expected a fault, found ${JSON.stringify(decoded)}`)
  return decoded
}

interface Streamed {
  readonly events: ReadonlyArray<ChatEvent>
  readonly fault: Fault | undefined
}

/** Feeds events as a transport does: until a fault or the end marker, then `end`. Text goes in as it is. */
const stream = (chunks: ReadonlyArray<unknown>, name?: string): Streamed => {
  const decoder = wire.decoder()
  const events: Array<ChatEvent> = []
  for (const chunk of chunks) {
    const fault = decoder.event(typeof chunk === "string" ? chunk : JSON.stringify(chunk), name, events)
    if (fault !== undefined) return { events, fault }
    if (decoder.done()) break
  }
  return { events, fault: decoder.end(events) }
}

const delta = (delta: unknown, finish_reason: unknown = null) => ({
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason }]
})
const content = (text: string, finish: unknown = null) => delta({ content: text }, finish)
const calls = (...entries: ReadonlyArray<unknown>) => delta({ tool_calls: entries })
const finish = (reason: string) => delta({}, reason)
const done = "[DONE]"

const response = (streamed: Streamed) => {
  assert.strictEqual(streamed.fault, undefined)
  return ChatEventModule.fold(streamed.events)
}

const toolCallsOf = (streamed: Streamed) =>
  response(streamed).toolCalls.map((call) => [call.id, call.name, call.arguments])

const completion = (message: unknown, finish_reason: unknown = "stop", more: object = {}) => ({
  choices: [{ index: 0, message, finish_reason }],
  ...more
})

describe("a request in OpenAI's format", () => {
  it("goes to the endpoint of the dialect", () => {
    assert.strictEqual(encode("Hi").endpoint, "chat/completions")
  })

  it("holds the model and the messages, and nothing that was not asked for", () => {
    assert.deepStrictEqual(encode("Hi").body, {
      model: "gpt-5-mini",
      messages: [{ role: "user", content: "Hi" }]
    })
  })

  it("writes each sampling field in OpenAI's name", () => {
    const { body, unsupported } = encode({
      prompt: "Hi",
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 100,
      stop: ["END"],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: -0.2
    })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body, {
      model: "gpt-5-mini",
      messages: [{ role: "user", content: "Hi" }],
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ["END"],
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: -0.2
    })
  })

  it("names the output limit as the dialect does", () => {
    const older = OpenAiChat.make({ ...dialect, maxTokens: "max_tokens" })
    const { body } = older.encode({
      model: "m",
      stream: false,
      provider: "deepseek",
      request: request({ prompt: "Hi", maxTokens: 9 })
    })
    assert.strictEqual(body.max_tokens, 9)
    assert.notProperty(body, "max_completion_tokens")
  })

  it("reports topK, which the format does not have", () => {
    const { body, unsupported } = encode({ prompt: "Hi", topK: 5 })
    assert.deepStrictEqual(unsupported, ["topK"])
    assert.notProperty(body, "top_k")
  })

  it("reports what this model refuses, and leaves it out", () => {
    const { body, unsupported } = encode({ prompt: "Hi", temperature: 0, seed: 1 }, { model: "o4-mini" })
    assert.deepStrictEqual(unsupported, ["temperature"])
    assert.notProperty(body, "temperature")
    assert.strictEqual(body.seed, 1)
  })

  it("drops no sampling field silently", () => {
    const names: Record<keyof ChatRequest.Sampling, string> = {
      temperature: "temperature",
      topP: "top_p",
      topK: "top_k",
      maxTokens: "max_completion_tokens",
      stop: "stop",
      seed: "seed",
      frequencyPenalty: "frequency_penalty",
      presencePenalty: "presence_penalty",
      reasoningEffort: "reasoning_effort"
    }
    const sampling = FastCheck.record(
      {
        temperature: FastCheck.constantFrom(0, 0.5, 2),
        topP: FastCheck.constantFrom(0, 1),
        topK: FastCheck.integer({ min: 1, max: 50 }),
        maxTokens: FastCheck.integer({ min: 1, max: 9000 }),
        stop: FastCheck.array(FastCheck.string({ minLength: 1 }), { minLength: 1 }),
        seed: FastCheck.integer(),
        frequencyPenalty: FastCheck.constantFrom(-2, 0, 2),
        presencePenalty: FastCheck.constantFrom(-2, 0, 2),
        reasoningEffort: FastCheck.constantFrom("none" as const, "low" as const, "xhigh" as const)
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(sampling, FastCheck.constantFrom("gpt-5-mini", "o3"), (fields, model) => {
        const { body, unsupported } = encode({ prompt: "Hi", ...fields }, { model })
        for (const field of Object.keys(fields) as Array<keyof ChatRequest.Sampling>) {
          const sent = body[names[field]]
          if (unsupported.includes(field)) assert.isUndefined(sent)
          else assert.deepStrictEqual(sent, fields[field])
        }
      })
    )
  })

  it("asks for a stream with usage", () => {
    const { body } = encode("Hi", { stream: true })
    assert.strictEqual(body.stream, true)
    assert.deepStrictEqual(body.stream_options, { include_usage: true })
  })

  it("does not ask for usage where the vendor refuses the question", () => {
    const quiet = OpenAiChat.make({ ...dialect, askForUsage: false })
    const { body } = quiet.encode({ model: "m", stream: true, provider: "mistral", request: request("Hi") })
    assert.strictEqual(body.stream, true)
    assert.notProperty(body, "stream_options")
  })

  it("writes a whole conversation with tools", () => {
    const conversation: ReadonlyArray<Message> = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "secret" },
          { type: "text", text: "Let me " },
          { type: "text", text: "look." },
          { type: "tool-call", id: "call_1", name: "weather", arguments: '{"city":"Bern"}' },
          { type: "tool-call", id: "call_2", name: "time", arguments: "{}" }
        ]
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", id: "call_1", name: "weather", result: "12 °C" },
          { type: "tool-result", id: "call_2", name: "time", result: "noon" }
        ]
      },
      { role: "assistant", content: "It is 12 °C." }
    ]
    assert.deepStrictEqual(encode(conversation).body.messages, [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: "Let me look.",
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } },
          { id: "call_2", type: "function", function: { name: "time", arguments: "{}" } }
        ]
      },
      { role: "tool", tool_call_id: "call_1", content: "12 °C" },
      { role: "tool", tool_call_id: "call_2", content: "noon" },
      { role: "assistant", content: "It is 12 °C." }
    ])
  })
})

describe("a request with tools", () => {
  const weather = Tool.make("weather", {
    description: "The weather of a city.",
    parameters: Schema.Struct({ city: Schema.String })
  })
  const time = Tool.make("time", {
    parameters: Schema.Struct({ zone: Schema.optional(Schema.String) })
  })
  const tools = [weather, time]
  const strict = OpenAiChat.make({ ...dialect, strictTools: true })

  it("describes each tool by its name, description and JSON Schema", () => {
    const { body, unsupported } = encode({ prompt: "Hi", tools })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body.tools, [
      {
        type: "function",
        function: {
          name: "weather",
          description: "The weather of a city.",
          parameters: {
            type: "object",
            required: ["city"],
            properties: { city: { type: "string" } },
            additionalProperties: false
          }
        }
      },
      {
        type: "function",
        function: {
          name: "time",
          parameters: {
            type: "object",
            required: [],
            properties: { zone: { type: "string" } },
            additionalProperties: false
          }
        }
      }
    ])
  })

  it("says strict to a vendor that knows the word, and only of a schema that can be strict", () => {
    const { body } = strict.encode({
      model: "m",
      stream: false,
      provider: "openai",
      request: request({ prompt: "Hi", tools: [weather, time, Tool.make("loose", { strict: false })] })
    })
    const sent = body.tools
    if (!Array.isArray(sent)) return assert.fail()
    assert.deepStrictEqual(
      sent.map((tool) => tool.function.strict),
      [true, false, false]
    )
  })

  const choices: ReadonlyArray<readonly [ChatRequest.ToolChoice, unknown]> = [
    ["auto", "auto"],
    ["none", "none"],
    ["required", "required"],
    [{ tool: "time" }, { type: "function", function: { name: "time" } }]
  ]
  for (const [toolChoice, sent] of choices) {
    it(`writes the choice ${JSON.stringify(toolChoice)}`, () => {
      assert.deepStrictEqual(encode({ prompt: "Hi", tools, toolChoice }).body.tool_choice, sent)
    })
  }

  it("allows several calls at once, or not", () => {
    for (const parallelToolCalls of [true, false]) {
      assert.strictEqual(
        encode({ prompt: "Hi", tools, parallelToolCalls }).body.parallel_tool_calls,
        parallelToolCalls
      )
    }
  })

  it("says nothing of tools where there are none, because OpenAI refuses to be told then", () => {
    const { body, unsupported } = encode({
      prompt: "Hi",
      tools: [],
      toolChoice: "auto",
      parallelToolCalls: false
    })
    assert.deepStrictEqual(Object.keys(body), ["model", "messages"])
    assert.deepStrictEqual(unsupported, [])
  })

  it("names what this model or vendor cannot take, and leaves it out", () => {
    const all = { prompt: "Hi", tools, toolChoice: "required", parallelToolCalls: false } as const
    const asked = { model: "m", stream: false, provider: "openai", request: request(all) }
    const without = OpenAiChat.make({ ...dialect, withoutTools: true }).encode(asked)
    assert.deepStrictEqual(without.unsupported, ["tools", "toolChoice", "parallelToolCalls"])
    assert.deepStrictEqual(Object.keys(without.body), ["model", "messages"])
    const single = OpenAiChat.make({ ...dialect, refuses: () => ["parallelToolCalls"] }).encode(asked)
    assert.deepStrictEqual(single.unsupported, ["parallelToolCalls"])
    assert.deepStrictEqual(Object.keys(single.body), ["model", "messages", "tools", "tool_choice"])
  })

  const called = (...ids: ReadonlyArray<string>) =>
    Parts.assistant(ids.map((id) => ({ type: "tool-call", id, name: "f", arguments: "{}" })))
  const result = (id: string, isError = false): Parts.ToolResultPart => ({
    type: "tool-result",
    id,
    name: "f",
    result: `result of ${id}`,
    isError
  })
  const order = (messages: ReadonlyArray<Message>) => {
    const sent = encode(messages).body.messages
    if (!Array.isArray(sent)) return assert.fail()
    return sent.map(({ role, tool_call_id }) => tool_call_id ?? role)
  }

  it("has the results directly behind the calls, wherever they stand before the next turn", () => {
    assert.deepStrictEqual(
      order([
        Parts.user("Hi"),
        called("a", "b"),
        Parts.user("Hurry!"),
        Parts.toolResults([result("b")]),
        Parts.system("Be brief."),
        Parts.toolResults([result("a")]),
        called("c"),
        Parts.toolResults([result("c")])
      ]),
      ["user", "assistant", "b", "a", "user", "system", "assistant", "c"]
    )
  })

  it("gives the text of a result that is an error, which no field tells", () => {
    assert.deepStrictEqual(encode([called("a"), Parts.toolResults([result("a", true)])]).body.messages, [
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }]
      },
      { role: "tool", tool_call_id: "a", content: "result of a" }
    ])
  })
})

describe("a request for an answer in a form", () => {
  const strictSchema = {
    type: "object",
    properties: { name: { type: "string" } },
    required: ["name"],
    additionalProperties: false
  }
  it("sends the JSON Schema with its name and description, strictly where it can be", () => {
    const { body, unsupported } = encode({
      prompt: "Hi",
      output: { name: "person", description: "Somebody.", jsonSchema: strictSchema }
    })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body.response_format, {
      type: "json_schema",
      json_schema: { name: "person", description: "Somebody.", schema: strictSchema, strict: true }
    })
    const { additionalProperties: _, ...loose } = strictSchema
    assert.deepStrictEqual(
      encode({ prompt: "Hi", output: { name: "person", jsonSchema: loose } }).body.response_format,
      { type: "json_schema", json_schema: { name: "person", schema: loose, strict: false } }
    )
  })

  it("names output where the model refuses it", () => {
    const { body, unsupported } = OpenAiChat.make({ ...dialect, refuses: () => ["output"] }).encode({
      model: "m",
      stream: false,
      provider: "openai",
      request: request({ prompt: "Hi", output: { name: "person", jsonSchema: strictSchema } })
    })
    assert.deepStrictEqual(unsupported, ["output"])
    assert.notProperty(body, "response_format")
  })
})

describe("a request with images and files", () => {
  const png = { data: "iVBORw0K", mediaType: "image/png" }
  const pdf = { data: "JVBERi0x", mediaType: "application/pdf" }
  const sent = (more: Partial<OpenAiChat.Dialect>, ...parts: ReadonlyArray<Parts.UserPart>) => {
    const { body, unsupported } = OpenAiChat.make({ ...dialect, ...more }).encode({
      model: "m",
      stream: false,
      provider: "openai",
      request: request([Parts.user(parts)])
    })
    const [message] = Array.isArray(body.messages) ? body.messages : []
    return { content: message.content, unsupported }
  }

  it("gives an image by its URL, or with its bytes, and how closely to look", () => {
    assert.deepStrictEqual(
      sent(
        {},
        Parts.textPart("What is this?"),
        Parts.image("https://a.example/cat.png", { detail: "low" }),
        Parts.image(png)
      ),
      {
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "https://a.example/cat.png", detail: "low" } },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } }
        ],
        unsupported: []
      }
    )
  })

  it("gives a file with its bytes and its name, and a name to one that has none", () => {
    assert.deepStrictEqual(
      sent({ files: "data" }, Parts.file(pdf, { filename: "bill.pdf" }), Parts.file(pdf)).content,
      [
        { type: "file", file: { filename: "bill.pdf", file_data: "data:application/pdf;base64,JVBERi0x" } },
        { type: "file", file: { filename: "file.pdf", file_data: "data:application/pdf;base64,JVBERi0x" } }
      ]
    )
  })

  it("gives sound in the field for sound, if it is of a kind that there is a word for", () => {
    assert.deepStrictEqual(
      sent(
        { files: "data" },
        Parts.file({ data: "UklGRg==", mediaType: "audio/wav" }),
        Parts.file({ data: "T2dnUw==", mediaType: "audio/ogg" })
      ),
      {
        content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }],
        unsupported: ["files of type audio/ogg"]
      }
    )
  })

  it("gives a file's URL only to a vendor that fetches it", () => {
    const file = Parts.file("https://a.example/bill.pdf", { filename: "bill.pdf" })
    assert.deepStrictEqual(sent({ files: "data" }, Parts.textPart("Sum?"), file), {
      content: [{ type: "text", text: "Sum?" }],
      unsupported: ["files by URL"]
    })
    assert.deepStrictEqual(sent({ files: "data or URL" }, file).content, [
      { type: "file", file: { filename: "bill.pdf", file_data: "https://a.example/bill.pdf" } }
    ])
    assert.deepStrictEqual(sent({ files: "document_url" }, file, Parts.file(pdf)).content, [
      { type: "document_url", document_url: "https://a.example/bill.pdf", document_name: "bill.pdf" },
      { type: "document_url", document_url: "data:application/pdf;base64,JVBERi0x" }
    ])
  })

  it("names each kind once that the vendor does not take, and keeps the text", () => {
    assert.deepStrictEqual(sent({}, Parts.file(pdf), Parts.textPart("Sum?"), Parts.file(pdf)), {
      content: [{ type: "text", text: "Sum?" }],
      unsupported: ["files"]
    })
    assert.deepStrictEqual(
      sent({ textOnly: () => true }, Parts.image(png), Parts.textPart("Sum?"), Parts.file(pdf)),
      { content: "Sum?", unsupported: ["images", "files"] }
    )
    assert.deepStrictEqual(sent({}, Parts.file(pdf)).content, "")
  })
})

describe("a whole answer in OpenAI's format", () => {
  it("gives text, finish reason, usage and model", () => {
    assert.deepStrictEqual(
      decode(
        completion({ role: "assistant", content: "Hello", refusal: null, annotations: [] }, "stop", {
          model: "gpt-5-mini-2025",
          usage: {
            prompt_tokens: 9,
            completion_tokens: 4,
            total_tokens: 13,
            prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
            completion_tokens_details: { reasoning_tokens: 1 }
          }
        })
      ),
      {
        parts: [{ type: "text", text: "Hello" }],
        refusal: undefined,
        citations: [],
        finishReason: "stop",
        rawFinishReason: "stop",
        usage: { input: 9, output: 4, cacheRead: 3, cacheWrite: 2, reasoning: 1, total: 13 },
        model: "gpt-5-mini-2025"
      }
    )
  })

  it("gives tool calls, and no empty text", () => {
    const decoded = decode(
      completion(
        {
          content: null,
          tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"a":1}' } }]
        },
        "tool_calls"
      )
    )
    assert.deepStrictEqual(decoded.parts, [
      { type: "tool-call", id: "call_1", name: "f", arguments: '{"a":1}' }
    ])
    assert.strictEqual(decoded.finishReason, "tool-calls")
  })

  it("says tool-calls although the vendor says stop", () => {
    const decoded = decode(
      completion({ content: "", tool_calls: [{ function: { name: "f", arguments: "" } }] }, "stop")
    )
    assert.strictEqual(decoded.finishReason, "tool-calls")
    assert.strictEqual(decoded.rawFinishReason, "stop")
  })

  it("gives the legacy function_call as a tool call", () => {
    const decoded = decode(
      completion({ content: null, function_call: { name: "f", arguments: "{}" } }, "function_call")
    )
    assert.deepStrictEqual(decoded.parts, [{ type: "tool-call", id: "call_0", name: "f", arguments: "{}" }])
    assert.strictEqual(decoded.finishReason, "tool-calls")
  })

  it("gives a refusal, which is no stop", () => {
    const decoded = decode(completion({ content: null, refusal: "I cannot." }, "stop"))
    assert.strictEqual(decoded.refusal, "I cannot.")
    assert.strictEqual(decoded.finishReason, "content-filter")
    assert.deepStrictEqual(decoded.parts, [])
  })

  it("gives reasoning before the text, in either of its names", () => {
    for (const name of ["reasoning_content", "reasoning"]) {
      assert.deepStrictEqual(decode(completion({ content: "4", [name]: "2+2" })).parts, [
        { type: "reasoning", text: "2+2" },
        { type: "text", text: "4" }
      ])
    }
  })

  it("gives Mistral's content arrays as reasoning and text", () => {
    const decoded = decode(
      completion({
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "hm" }], closed: true },
          { type: "text", text: "Hello" },
          { type: "reference", reference_ids: [1] }
        ]
      })
    )
    assert.deepStrictEqual(decoded.parts, [
      { type: "reasoning", text: "hm" },
      { type: "text", text: "Hello" }
    ])
  })

  it("gives content that is a JSON value as JSON text", () => {
    assert.deepStrictEqual(decode(completion({ content: { k: 1 } })).parts, [
      { type: "text", text: '{"k":1}' }
    ])
  })

  it("gives the sources that the model named", () => {
    const annotation = { type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }
    assert.deepStrictEqual(decode(completion({ content: "x", annotations: [annotation, 5] })).citations, [
      { url: "https://a.example", title: "A", raw: annotation }
    ])
  })

  it("takes Azure's blocked completion, which has no message", () => {
    const decoded = decode({ choices: [{ index: 0, finish_reason: "content_filter" }] })
    assert.strictEqual(decoded.finishReason, "content-filter")
    assert.deepStrictEqual(decoded.parts, [])
  })

  const reasons: ReadonlyArray<readonly [unknown, string]> = [
    ["stop", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["tool_calls", "tool-calls"],
    ["function_call", "tool-calls"],
    ["content_filter", "content-filter"],
    ["insufficient_system_resource", "error"],
    ["brand_new", "other"],
    [null, "other"],
    [5, "other"]
  ]
  for (const [raw, finishReason] of reasons) {
    it(`reads finish reason ${JSON.stringify(raw)} as ${finishReason}`, () => {
      const decoded = decode(completion({ content: "x" }, raw))
      assert.strictEqual(decoded.finishReason, finishReason)
      assert.strictEqual(decoded.rawFinishReason, typeof raw === "string" ? raw : undefined)
    })
  }

  it("fails on finish reason error", () => {
    assert.deepStrictEqual(faultOf(completion({ content: "" }, "error")), {
      _tag: "ErrorFault",
      json: { error: { message: "The model stopped with finish_reason error." } }
    })
  })

  const errors: ReadonlyArray<readonly [string, unknown]> = [
    ["OpenAI's", { error: { message: "no", code: 429 } }],
    ["xAI's", { code: "invalid-argument", error: "no" }],
    ["the gateway's", { success: false, error: [{ code: 2009, message: "Unauthorized" }] }],
    ["Cloudflare's", { success: false, errors: [{ code: 7003, message: "no" }] }],
    ["Mistral's", { object: "error", message: "no", type: "invalid_request", code: 400 }]
  ]
  for (const [vendor, body] of errors) {
    it(`finds ${vendor} error inside a 200`, () => {
      assert.deepStrictEqual(faultOf(body), { _tag: "ErrorFault", json: body })
    })
  }

  it("is no error because of an error that is null", () => {
    assert.strictEqual(decode(completion({ content: "x" }, "stop", { error: null })).finishReason, "stop")
  })

  it("has no usage where the vendor sends none, or something else", () => {
    for (const usage of [undefined, null, 5, "x", []]) {
      assert.deepStrictEqual(decode(completion({ content: "x" }, "stop", { usage })).usage, {})
    }
  })

  it("adds up the total where the vendor does not", () => {
    const { usage } = decode(
      completion({ content: "x" }, "stop", { usage: { prompt_tokens: 2, completion_tokens: 3 } })
    )
    assert.strictEqual(usage.total, 5)
  })

  it("counts the reasoning that xAI leaves out of the completion", () => {
    const { usage } = decode(
      completion({ content: "x" }, "stop", {
        usage: {
          prompt_tokens: 12,
          completion_tokens: 1,
          total_tokens: 303,
          completion_tokens_details: { reasoning_tokens: 290 }
        }
      })
    )
    assert.strictEqual(usage.output, 291)
    assert.strictEqual(usage.reasoning, 290)
    assert.strictEqual(usage.total, 303)
  })

  it("counts DeepSeek's cache hits", () => {
    const { usage } = decode(
      completion({ content: "x" }, "stop", { usage: { prompt_tokens: 9, prompt_cache_hit_tokens: 4 } })
    )
    assert.strictEqual(usage.cacheRead, 4)
  })

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["", "x"],
    ["choices", {}],
    ["choices", { choices: "x" }],
    ["choices[0]", { choices: [] }],
    ["choices[0].message", { choices: [{}] }],
    ["choices[0].message", completion(5)],
    ["choices[0].message.content", completion({ content: 5 })],
    ["choices[0].message.content[0]", completion({ content: ["x"] })],
    ["choices[0].message.content[0].type", completion({ content: [{ text: "x" }] })],
    [
      "choices[0].message.content[1].text",
      completion({ content: [{ type: "text", text: "a" }, { type: "text" }] })
    ],
    ["choices[0].message.content[0].thinking", completion({ content: [{ type: "thinking", thinking: 5 }] })],
    ["choices[0].message.reasoning", completion({ content: "x", reasoning: {} })],
    ["choices[0].message.refusal", completion({ content: null, refusal: true })],
    ["choices[0].message.tool_calls", completion({ content: null, tool_calls: {} })],
    ["choices[0].message.tool_calls[0]", completion({ content: null, tool_calls: [null] })],
    ["choices[0].message.function_call", completion({ content: null, function_call: "f" })]
  ]
  for (const [place, body] of wrong) {
    it(`names ${place === "" ? "the root" : place} as wrong in ${JSON.stringify(body)}`, () => {
      assert.deepInclude(faultOf(body), { _tag: "MalformedFault", place })
    })
  }
})

describe("a stream in OpenAI's format", () => {
  it("gives text as it comes, then usage, then one finish", () => {
    const { events, fault } = stream([
      { ...delta({ role: "assistant", content: "" }), model: "gpt-5-mini-2025", usage: null },
      content("Hel"),
      content("lo"),
      finish("stop"),
      { choices: [], usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } },
      done
    ])
    const usage = {
      input: 2,
      output: 1,
      cacheRead: undefined,
      cacheWrite: undefined,
      reasoning: undefined,
      total: 3
    }
    assert.strictEqual(fault, undefined)
    assert.deepStrictEqual(events, [
      { _tag: "TextDelta", text: "Hel" },
      { _tag: "TextDelta", text: "lo" },
      { _tag: "Usage", usage },
      { _tag: "Finish", finishReason: "stop", rawFinishReason: "stop", usage, model: "gpt-5-mini-2025" }
    ])
  })

  it("is read whether or not the chunks repeat the role", () => {
    const spoken = stream([
      delta({ role: "assistant", content: "a" }),
      delta({ role: "assistant", content: "b" }),
      finish("stop"),
      done
    ])
    assert.strictEqual(response(spoken).text, "ab")
  })

  it("starts behind Azure's prelude", () => {
    const spoken = stream([
      { id: "", model: "", object: "", choices: [], prompt_filter_results: [{}] },
      content("x"),
      finish("stop"),
      done
    ])
    assert.strictEqual(response(spoken).text, "x")
  })

  it("is told to be over by [DONE], not by the finish reason", () => {
    const decoder = wire.decoder()
    const out: Array<ChatEvent> = []
    decoder.event(JSON.stringify(finish("stop")), undefined, out)
    assert.isFalse(decoder.done())
    decoder.event(done, undefined, out)
    assert.isTrue(decoder.done())
  })

  it("gives reasoning in either of its names, and the other one empty", () => {
    const spoken = stream([
      delta({ content: null, reasoning_content: "a" }),
      delta({ content: "", reasoning: "b" }),
      delta({ reasoning_content: "", reasoning: "c" }),
      content("4", "stop"),
      done
    ])
    assert.strictEqual(response(spoken).reasoning, "abc")
    assert.strictEqual(response(spoken).text, "4")
  })

  it("gives Mistral's thinking and text that come in one delta", () => {
    const { events } = stream([
      delta({
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
          { type: "text", text: "Hello" }
        ]
      }),
      finish("stop"),
      done
    ])
    assert.deepStrictEqual(events.slice(0, 2), [
      { _tag: "ReasoningDelta", text: "hm" },
      { _tag: "TextDelta", text: "Hello" }
    ])
  })

  it("gives a refusal, which is no stop", () => {
    const refused = response(
      stream([delta({ refusal: "I " }), delta({ refusal: "cannot." }), finish("stop"), done])
    )
    assert.strictEqual(refused.refusal, "I cannot.")
    assert.strictEqual(refused.finishReason, "content-filter")
    assert.strictEqual(refused.text, "")
  })

  it("gives the sources that the model named", () => {
    const annotation = { type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }
    const spoken = stream([delta({ content: "x", annotations: [annotation] }), finish("stop"), done])
    assert.deepStrictEqual(response(spoken).citations, [
      { url: "https://a.example", title: "A", raw: annotation }
    ])
  })

  it("does not double the text where Perplexity adds the message so far", () => {
    const spoken = stream([
      { choices: [{ delta: { content: "a" }, message: { content: "a" } }] },
      { choices: [{ delta: { content: "b" }, message: { content: "ab" } }] },
      {
        object: "chat.completion.done",
        choices: [{ delta: { content: "" }, message: { content: "ab" }, finish_reason: "stop" }]
      }
    ])
    assert.strictEqual(response(spoken).text, "ab")
  })

  describe("with tool calls", () => {
    it("joins the fragments of one call", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } }),
            calls({ index: 0, function: { arguments: '{"a"' } }),
            calls({ index: 0, function: { arguments: ":1}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["call_1", "f", '{"a":1}']]
      )
    })

    it("tells parallel calls apart by their index, in any order", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls(
              { index: 0, id: "a", function: { name: "f", arguments: "{" } },
              { index: 1, id: "b", function: { name: "g", arguments: "[" } }
            ),
            calls({ index: 1, function: { arguments: "]" } }),
            calls({ index: 0, function: { arguments: "}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [
          ["a", "f", "{}"],
          ["b", "g", "[]"]
        ]
      )
    })

    it("takes indices that begin at 1 and have gaps", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 1, id: "a", function: { name: "f", arguments: "" } }),
            calls({ index: 5, id: "b", function: { name: "g", arguments: '{"x":1}' } }),
            finish("tool_calls"),
            done
          ])
        ),
        [
          ["a", "f", "{}"],
          ["b", "g", '{"x":1}']
        ]
      )
    })

    it("takes an id that every fragment repeats", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "a", function: { name: "f", arguments: "{" } }),
            calls({ index: 0, id: "a", function: { name: "f", arguments: "}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", "{}"]]
      )
    })

    it('takes the id "0"', () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "0", function: { name: "f", arguments: "{}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["0", "f", "{}"]]
      )
    })

    it("takes a first fragment without arguments", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "a", function: { name: "f" } }),
            calls({ index: 0, function: { arguments: '{"a":1}' } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", '{"a":1}']]
      )
    })

    it("takes arguments that are null", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "a", function: { name: "f", arguments: null } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", "{}"]]
      )
    })

    it("takes a call that comes whole in one delta, and another in the next", () => {
      const spoken = stream([
        calls({ index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"a":1}' } }),
        calls({ index: 1, id: "b", type: "function", function: { name: "g", arguments: '{"b":2}' } }),
        finish("tool_calls"),
        done
      ])
      assert.deepStrictEqual(toolCallsOf(spoken), [
        ["a", "f", '{"a":1}'],
        ["b", "g", '{"b":2}']
      ])
      assert.deepStrictEqual(
        spoken.events.flatMap((event) =>
          event._tag === "ToolCallDelta" ? [[event.index, event.name, event.arguments]] : []
        ),
        [
          [0, "f", '{"a":1}'],
          [1, "g", '{"b":2}']
        ]
      )
    })

    it("keeps the name where a later fragment has an empty one, and null for arguments", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "a", function: { name: "f", arguments: '{"a":' } }),
            calls({ index: 0, function: { name: "", arguments: null } }),
            calls({ index: 0, id: "", function: { name: null, arguments: "1}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", '{"a":1}']]
      )
    })

    it("takes a gap between indices that is filled later", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 2, id: "c", function: { name: "h", arguments: "{" } }),
            calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
            calls({ index: 2, function: { arguments: "}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [
          ["c", "h", "{}"],
          ["a", "f", "{}"]
        ]
      )
    })

    it("takes [DONE] without any finish reason", () => {
      const spoken = stream([calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }), done])
      assert.deepStrictEqual(toolCallsOf(spoken), [["a", "f", "{}"]])
      assert.strictEqual(response(spoken).finishReason, "tool-calls")
    })

    it("keeps arguments that come before the name", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, function: { arguments: '{"a":' } }),
            calls({ index: 0, id: "a", function: { name: "f", arguments: "1}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", '{"a":1}']]
      )
    })

    it("opens no call for the entry of nulls that ends a stream", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
            calls({ id: null, type: null, function: { name: null, arguments: "" } }),
            calls({ index: 1, id: null, type: null, function: { name: null, arguments: "" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", "{}"]]
      )
    })

    it("joins fragments that have no index", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ id: "a", function: { name: "f", arguments: "{" } }),
            calls({ id: "a", function: { name: "", arguments: "}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [["a", "f", "{}"]]
      )
    })

    it("tells whole calls apart that have no index", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ id: "a", function: { name: "f", arguments: "{}" } }),
            calls({ id: "b", function: { name: "g", arguments: "{" } }),
            calls({ function: { arguments: "}" } }),
            calls({ id: "", function: { name: "h", arguments: "{}" } }),
            finish("tool_calls"),
            done
          ])
        ),
        [
          ["a", "f", "{}"],
          ["b", "g", "{}"],
          ["call_2", "h", "{}"]
        ]
      )
    })

    it("tells calls of one delta apart that have no index", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls(
              { id: "a", function: { name: "f", arguments: "{}" } },
              { id: "b", function: { name: "g", arguments: "{}" } }
            ),
            finish("tool_calls"),
            done
          ])
        ),
        [
          ["a", "f", "{}"],
          ["b", "g", "{}"]
        ]
      )
    })

    it("makes an id where the vendor leaves it empty", () => {
      assert.deepStrictEqual(
        toolCallsOf(
          stream([
            calls({ index: 0, id: "", function: { name: "f", arguments: "{}" } }),
            finish("stop"),
            done
          ])
        ),
        [["call_0", "f", "{}"]]
      )
    })

    it("says tool-calls although the vendor says stop", () => {
      const spoken = stream([
        calls({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        finish("stop"),
        done
      ])
      assert.strictEqual(response(spoken).finishReason, "tool-calls")
      assert.strictEqual(response(spoken).rawFinishReason, "stop")
    })

    it("still says length if the call was cut off", () => {
      const spoken = stream([
        calls({ index: 0, id: "a", function: { name: "f", arguments: '{"a' } }),
        finish("length"),
        done
      ])
      assert.strictEqual(response(spoken).finishReason, "length")
    })

    it("reads the call that comes with the finish reason", () => {
      const spoken = stream([
        delta({ tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }] }, "tool_calls"),
        done
      ])
      assert.deepStrictEqual(toolCallsOf(spoken), [["a", "f", "{}"]])
    })

    it("joins the legacy function_call", () => {
      const spoken = stream([
        delta({ function_call: { name: "f", arguments: "" } }),
        delta({ function_call: { arguments: "{}" } }),
        finish("function_call"),
        done
      ])
      assert.deepStrictEqual(toolCallsOf(spoken), [["call_0", "f", "{}"]])
      assert.strictEqual(response(spoken).finishReason, "tool-calls")
    })

    it("fails if a call was never named", () => {
      const { fault } = stream([
        calls({ index: 0, id: "a", function: { arguments: "{}" } }),
        finish("stop"),
        done
      ])
      assert.deepInclude(fault, { _tag: "MalformedFault", place: "tool_calls[0].name" })
    })
  })

  describe("at its end", () => {
    it("is complete without [DONE] after a finish reason", () => {
      assert.strictEqual(response(stream([content("x"), finish("stop")])).finishReason, "stop")
    })

    it("is complete with [DONE] and no finish reason, whose meaning is unknown", () => {
      const spoken = response(stream([content("x"), done]))
      assert.strictEqual(spoken.finishReason, "other")
      assert.strictEqual(spoken.rawFinishReason, undefined)
    })

    it("is cut off without either", () => {
      const { events, fault } = stream([content("Hel")])
      assert.deepStrictEqual(fault, { _tag: "TruncatedFault" })
      assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "Hel" }])
    })

    it("is cut off if nothing came at all", () => {
      assert.deepStrictEqual(stream([]).fault, { _tag: "TruncatedFault" })
    })

    it("is no empty answer if no event meant anything", () => {
      assert.deepInclude(stream([{ type: "response.output_text.delta", delta: "x" }, done]).fault, {
        _tag: "MalformedFault",
        place: "choices"
      })
    })

    it("keeps the first of two finish reasons", () => {
      const spoken = response(stream([content("x"), finish("length"), finish("stop"), done]))
      assert.strictEqual(spoken.rawFinishReason, "length")
    })

    it("keeps a finish reason that is taken back with null", () => {
      const spoken = response(stream([content("x"), finish("stop"), delta({ content: "" }, null), done]))
      assert.strictEqual(spoken.finishReason, "stop")
    })

    it("pushes one finish only", () => {
      const { events } = stream([content("x"), finish("stop"), finish("stop"), done])
      assert.strictEqual(events.filter((event) => event._tag === "Finish").length, 1)
    })

    it("takes Azure's content_filter without a delta", () => {
      const spoken = stream([{ choices: [{ index: 0, finish_reason: "content_filter" }] }, done])
      assert.strictEqual(response(spoken).finishReason, "content-filter")
    })

    it("says nothing about usage if the vendor did not", () => {
      const { events } = stream([content("x"), finish("stop"), done])
      assert.isFalse(events.some((event) => event._tag === "Usage"))
    })
  })

  describe("counts tokens", () => {
    const usageOf = (...usages: ReadonlyArray<unknown>) =>
      response(stream([...usages.map((usage) => ({ ...content("x"), usage })), finish("stop"), done])).usage

    it("with the last of running totals", () => {
      const usage = usageOf(
        { prompt_tokens: 5, completion_tokens: 1 },
        { prompt_tokens: 5, completion_tokens: 9 }
      )
      assert.strictEqual(usage.output, 9)
      assert.strictEqual(usage.total, 14)
    })

    it("without losing them to zeros that trail", () => {
      const usage = usageOf(
        { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 },
        { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
      )
      assert.strictEqual(usage.total, 14)
    })

    it("without losing them to a usage that is something else", () => {
      for (const wrong of [null, true, 5, "x", [], {}]) {
        assert.strictEqual(usageOf({ prompt_tokens: 5, completion_tokens: 9 }, wrong).total, 14)
      }
    })

    it("leaving out counts that are no numbers", () => {
      const usage = usageOf({ prompt_tokens: "5", completion_tokens: 9 })
      assert.strictEqual(usage.input, undefined)
      assert.strictEqual(usage.output, 9)
    })
  })

  describe("that fails", () => {
    it("tells the error inside it, and keeps what was said", () => {
      const error = { error: { message: "overloaded", type: "server_error" } }
      const { events, fault } = stream([content("Hel"), error])
      assert.deepStrictEqual(fault, { _tag: "ErrorFault", json: error })
      assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "Hel" }])
    })

    it("tells OpenRouter's error beside choices", () => {
      const chunk = { ...finish("error"), error: { code: 502, message: "Provider disconnected" } }
      assert.deepStrictEqual(stream([content("x"), chunk]).fault, { _tag: "ErrorFault", json: chunk })
    })

    it("tells the error that an event's name announces", () => {
      const json = { message: "no" }
      assert.deepStrictEqual(stream([json], "error").fault, { _tag: "ErrorFault", json })
      assert.deepStrictEqual(stream(["Bad gateway"], "error").fault, {
        _tag: "ErrorFault",
        json: "Bad gateway"
      })
    })

    it("tells finish reason error, after the text that came with it", () => {
      const { events, fault } = stream([content("x", "error")])
      assert.strictEqual(fault?._tag, "ErrorFault")
      assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "x" }])
    })

    it("tells an event that is not JSON", () => {
      assert.deepInclude(stream(["<html>"]).fault, { _tag: "MalformedFault", place: "data" })
    })

    const wrong: ReadonlyArray<readonly [string, unknown]> = [
      ["data", []],
      ["choices", { choices: {} }],
      ["choices[0]", { choices: [5] }],
      ["choices[0].delta", delta("x")],
      ["choices[0].delta.content", delta({ content: 5 })],
      ["choices[0].delta.reasoning_content", delta({ reasoning_content: 5 })],
      ["choices[0].delta.reasoning", delta({ reasoning: [] })],
      ["choices[0].delta.refusal", delta({ refusal: {} })],
      ["choices[0].delta.tool_calls", delta({ tool_calls: "x" })],
      ["choices[0].delta.tool_calls[1]", calls({ index: 0, function: { name: "f" } }, 5)],
      ["choices[0].delta.tool_calls[0].function", calls({ index: 0, function: [] })],
      ["choices[0].delta.tool_calls[0].function.name", calls({ index: 0, function: { name: 5 } })],
      ["choices[0].delta.tool_calls[0].function.arguments", calls({ index: 0, function: { arguments: 5 } })],
      ["choices[0].delta.function_call", delta({ function_call: 5 })]
    ]
    for (const [place, chunk] of wrong) {
      it(`names ${place} as wrong in ${JSON.stringify(chunk)}`, () => {
        assert.deepInclude(stream([chunk]).fault, { _tag: "MalformedFault", place })
      })
    }
  })
})

// --- whatever comes ---------------------------------------------------------------------------------------------------

type Path = ReadonlyArray<string | number>

const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> =>
  typeof json !== "object" || json === null
    ? [path]
    : [
        path,
        ...(Array.isArray(json)
          ? json.flatMap((item, index) => pathsOf(item, [...path, index]))
          : Object.entries(json).flatMap(([key, value]) => pathsOf(value, [...path, key])))
      ]

const replaceAt = (json: unknown, [key, ...rest]: Path, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(json))
    return json.map((item, index) => (index === key ? replaceAt(item, rest, value) : item))
  return { ...(json as object), [key]: replaceAt((json as Record<string, unknown>)[key], rest, value) }
}

const show = (path: Path): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "")

const values: ReadonlyArray<unknown> = [null, true, 5, "x", [], {}]

const sampleResponse = {
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "m",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      message: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
          { type: "text", text: "Hello" }
        ],
        reasoning_content: "hm",
        refusal: "no",
        annotations: [{ type: "url_citation", url_citation: { url: "u", title: "t" } }],
        tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
        function_call: { name: "f", arguments: "{}" }
      }
    }
  ],
  usage: {
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 }
  }
}

const sampleChunk = {
  id: "chatcmpl-1",
  model: "m",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      delta: {
        role: "assistant",
        content: [{ type: "text", text: "Hello" }],
        reasoning_content: "hm",
        refusal: "no",
        annotations: [{ type: "url_citation", url_citation: { url: "u", title: "t" } }],
        tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
        function_call: { name: "f", arguments: "{}" }
      }
    }
  ],
  usage: {
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
    prompt_tokens_details: { cached_tokens: 0 }
  }
}

/** Fields whose text a user reads or acts on: these must not vanish because they have a wrong type. */
const contentField =
  /(content|reasoning_content|refusal|text|thinking|tool_calls(\[0\])?|function|function_call|name|arguments|delta|message|choices(\[0\])?)$/

/** What may stand in such a field instead: `null` is nothing, and some vendors write lists or objects. */
const allowed = (path: string, value: unknown): boolean =>
  value === null ||
  typeof value === "string" ||
  Array.isArray(value) ||
  (/(content|arguments|delta|message|choices\[0\]|tool_calls\[0\]|function|function_call)$/.test(path) &&
    typeof value === "object")

describe("a wrong type anywhere", () => {
  const walk = (sample: unknown, read: (json: unknown) => Fault | undefined) => {
    for (const path of pathsOf(sample)) {
      for (const value of values) {
        const shown = show(path)
        const fault = read(replaceAt(sample, path, value))
        if (fault?._tag === "MalformedFault") {
          // A call without `function` is read as a flat one, so that its neighbour is missed.
          const here = fault.place.startsWith(show(path.at(-1) === "function" ? path.slice(0, -1) : path))
          assert.isTrue(here, `${shown} = ${JSON.stringify(value)} was blamed on ${fault.place}`)
          assert.match(fault.problem, /^expected/)
        } else if (path.length > 0 && contentField.test(shown) && !allowed(shown, value)) {
          assert.fail(`${shown} = ${JSON.stringify(value)} passed`)
        }
        if (/usage|\.id$|^id$|model|index|annotations|role|object/.test(shown)) {
          assert.isUndefined(fault, `${shown} = ${JSON.stringify(value)} must not fail an answer`)
        }
      }
    }
  }

  it("in a whole answer gives an answer, or a fault that names the place", () => {
    walk(sampleResponse, (json) => {
      const decoded = wire.decode(json)
      return isFault(decoded) ? decoded : undefined
    })
  })

  it("in a chunk gives events, or a fault that names the place", () => {
    walk(sampleChunk, (json) => {
      const decoder = wire.decoder()
      return decoder.event(JSON.stringify(json), undefined, [])
    })
  })
})

describe("whatever comes, nothing is thrown", () => {
  const name = FastCheck.option(FastCheck.constantFrom("error", "message"), { nil: undefined })

  it("by a whole answer", () => {
    FastCheck.assert(FastCheck.property(FastCheck.jsonValue(), (json) => void wire.decode(json)))
  })

  it("by a whole answer that looks almost right", () => {
    const json = FastCheck.jsonValue({ maxDepth: 2 })
    FastCheck.assert(
      FastCheck.property(json, json, json, json, (content, tool_calls, reasoning, usage) => {
        wire.decode(completion({ content, tool_calls, reasoning }, "stop", { usage }))
        wire.decode(completion({ content, tool_calls: [tool_calls], function_call: reasoning }, usage))
      })
    )
  })

  it("by a stream of any text", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.string()),
        name,
        (chunks, name) => void stream(chunks, name)
      )
    )
  })

  it("by a stream of any JSON", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.jsonValue()),
        name,
        (chunks, name) =>
          void stream(
            chunks.map((chunk) => JSON.stringify(chunk)),
            name
          )
      )
    )
  })

  it("by a stream of chunks that look almost right", () => {
    const json = FastCheck.jsonValue({ maxDepth: 2 })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(json, json, json)), (chunks) => {
        stream(
          chunks.map(([content, call, usage]) => ({
            ...delta({ content, tool_calls: [call] }, usage),
            usage
          }))
        )
        stream(chunks.map(([index, id, fn]) => calls({ index, id, function: fn })))
      })
    )
  })

  // Bun needs seconds to find that out.
  it("by JSON that is nested deeper than the stack", { timeout: 60_000 }, () => {
    const depth = 100_000
    const deep = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
    assert.strictEqual(stream([`{"choices":[{"delta":{"content":${deep}}}]}`]).fault?._tag, "MalformedFault")
    assert.strictEqual(
      stream([`{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":${deep}}}]}}]}`]).fault
        ?._tag,
      "MalformedFault"
    )
  })
})
