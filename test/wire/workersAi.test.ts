import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ChatEventModule from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import * as Reading from "../../src/internal/wire/reading.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import { wire } from "../../src/internal/wire/workersAi.js"
import * as Message from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

type ChatEvent = ChatEventModule.ChatEvent

const encode = (input: ChatRequest.Input, over: { model?: string; stream?: boolean } = {}) =>
  wire.encode({
    model: "@cf/meta/llama-3.1-8b-instruct",
    stream: false,
    provider: "workers-ai",
    ...over,
    request: Either.getOrThrow(ChatRequest.fromInput(input))
  })

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

const response = (streamed: Streamed) => {
  assert.strictEqual(streamed.fault, undefined)
  return ChatEventModule.fold(streamed.events)
}

const done = "[DONE]"
const rest = (result: unknown) => ({ result, success: true, errors: [], messages: [] })
const text = (content: string): Decoded["parts"] => [{ type: "text", text: content }]

describe("a request in Workers AI's own format", () => {
  it("goes to the path that the model names", () => {
    assert.strictEqual(encode("Hi").endpoint, "@cf/meta/llama-3.1-8b-instruct")
  })

  it("makes the model's name safe for a URL", () => {
    assert.strictEqual(encode("Hi", { model: "@cf/a b?c#d:é" }).endpoint, "@cf/a%20b%3Fc%23d%3A%C3%A9")
  })

  it("does not throw on a model's name that no URL can hold", () => {
    assert.strictEqual(encode("Hi", { model: "@cf/\ud800x" }).endpoint, "@cf/%EF%BF%BDx")
  })

  it("holds the messages, and neither a model nor what was not asked for", () => {
    assert.deepStrictEqual(encode("Hi").body, { messages: [{ role: "user", content: "Hi" }] })
  })

  it("writes each sampling field in Workers AI's name", () => {
    const { body, unsupported } = encode({
      prompt: "Hi",
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxTokens: 100,
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: -0.2
    })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body, {
      messages: [{ role: "user", content: "Hi" }],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      max_tokens: 100,
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: -0.2
    })
  })

  it("reports stop texts, which the format does not have", () => {
    const { body, unsupported } = encode({ prompt: "Hi", stop: ["END"] })
    assert.deepStrictEqual(unsupported, ["stop"])
    assert.notProperty(body, "stop")
  })

  it("drops no sampling field silently", () => {
    const names: Record<keyof ChatRequest.Sampling, string> = {
      temperature: "temperature",
      topP: "top_p",
      topK: "top_k",
      maxTokens: "max_tokens",
      stop: "stop",
      seed: "seed",
      frequencyPenalty: "frequency_penalty",
      presencePenalty: "presence_penalty",
      reasoningEffort: "reasoning_effort"
    }
    const sampling = FastCheck.record(
      {
        temperature: FastCheck.constantFrom(0, 2),
        topP: FastCheck.constantFrom(0, 1),
        topK: FastCheck.integer({ min: 1, max: 50 }),
        maxTokens: FastCheck.integer({ min: 1, max: 9000 }),
        stop: FastCheck.array(FastCheck.string({ minLength: 1 }), { minLength: 1 }),
        seed: FastCheck.integer(),
        frequencyPenalty: FastCheck.constantFrom(-2, 0, 2),
        presencePenalty: FastCheck.constantFrom(-2, 0, 2),
        reasoningEffort: FastCheck.constantFrom("low" as const, "high" as const)
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(sampling, (fields) => {
        const { body, unsupported } = encode({ prompt: "Hi", ...fields })
        for (const field of Object.keys(fields) as Array<keyof ChatRequest.Sampling>) {
          const sent = body[names[field]]
          if (unsupported.includes(field)) assert.isUndefined(sent)
          else assert.deepStrictEqual(sent, fields[field])
        }
      })
    )
  })

  it("asks for a stream", () => {
    assert.strictEqual(encode("Hi", { stream: true }).body.stream, true)
  })

  it("writes all content as text, and leaves reasoning out", () => {
    const { body } = encode([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "What " },
          { type: "text", text: "now?" }
        ]
      },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "secret" },
          { type: "tool-call", id: "call_1", name: "f", arguments: '{"a":1}' }
        ]
      },
      { role: "tool", content: [{ type: "tool-result", id: "call_1", name: "f", result: "12" }] },
      { role: "assistant", content: [{ type: "text", text: "12." }] }
    ])
    assert.deepStrictEqual(body.messages, [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What now?" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"a":1}' } }]
      },
      { role: "tool", name: "f", tool_call_id: "call_1", content: "12" },
      { role: "assistant", content: "12." }
    ])
  })
})

describe("tools in Workers AI's own format", () => {
  const weather = Tool.make("get_weather", {
    description: "The weather of a city, now.",
    parameters: Schema.Struct({ city: Schema.String })
  })
  const schema = {
    type: "object",
    required: ["city"],
    properties: { city: { type: "string" } },
    additionalProperties: false
  }
  const written = {
    type: "function",
    function: { name: "get_weather", description: "The weather of a city, now.", parameters: schema }
  }
  const output: ChatRequest.Output = { name: "city", description: "A city.", jsonSchema: schema }
  const form = { type: "function", function: { name: "city", description: "A city.", parameters: schema } }
  const byName = (name: string) => ({ type: "function", function: { name } })
  const asked = (fields: Omit<ChatRequest.Options, "prompt">, stream = false) =>
    encode({ prompt: "Hi", ...fields }, { stream })

  it("are nested as OpenAI's are, and have a choice if one is made", () => {
    assert.deepStrictEqual(asked({ tools: [weather] }).body, {
      messages: [{ role: "user", content: "Hi" }],
      tools: [written]
    })
    const choice = (toolChoice: ChatRequest.ToolChoice) => asked({ tools: [weather], toolChoice })
    for (const word of ["auto", "none", "required"] as const) {
      assert.strictEqual(choice(word).body.tool_choice, word)
    }
    const named = choice({ tool: "get_weather" })
    assert.deepStrictEqual(named.body.tool_choice, byName("get_weather"))
    assert.deepStrictEqual(named.unsupported, [])
  })

  it("cannot be kept from being called together, unless they are not called at all", () => {
    const unsupported = (fields: ChatRequest.ToolUse) =>
      asked({ parallelToolCalls: false, ...fields }).unsupported
    assert.deepStrictEqual(unsupported({ tools: [weather] }), ["parallelToolCalls"])
    assert.deepStrictEqual(unsupported({ tools: [weather], toolChoice: "none" }), [])
    assert.deepStrictEqual(unsupported({}), [])
  })

  it("stand beside a form of the answer, which is the bare schema", () => {
    const { body, outputTool, unsupported } = asked({ tools: [weather], output })
    assert.deepStrictEqual(body.response_format, { type: "json_schema", json_schema: schema })
    assert.deepStrictEqual(body.tools, [written])
    assert.strictEqual(outputTool, undefined)
    assert.deepStrictEqual(unsupported, [])
  })

  it("give the form of the answer where it is streamed: JSON mode does not stream", () => {
    const { body, outputTool, unsupported } = asked({ output }, true)
    assert.notProperty(body, "response_format")
    assert.deepStrictEqual(body.tools, [form])
    assert.deepStrictEqual(body.tool_choice, byName("city"))
    assert.strictEqual(outputTool, "city")
    assert.deepStrictEqual(unsupported, [])
  })

  it("cannot be called beside a form of the answer that is streamed", () => {
    const { body, unsupported } = asked({ output, tools: [weather], toolChoice: "required" }, true)
    assert.deepStrictEqual(unsupported, ["tools", "toolChoice"])
    assert.deepStrictEqual(body.tools, [form])
    const none = asked({ output, tools: [weather], toolChoice: "none" }, true)
    assert.deepStrictEqual(none.unsupported, [])
    assert.deepStrictEqual(none.body.tools, [written, form])
    assert.deepStrictEqual(none.body.tool_choice, byName("city"))
  })

  it("that give the form of the answer are read as its text, whole and streamed", () => {
    const request = Either.getOrThrow(ChatRequest.fromInput({ prompt: "Hi", output }))
    const reader = Reading.of(wire, request, asked({ output }, true))
    const chunk = { tool_calls: [{ name: "city", arguments: { city: "Oslo" } }] }
    assert.deepInclude(reader.decode({ response: null, ...chunk }), {
      parts: text('{"city":"Oslo"}'),
      finishReason: "stop"
    })
    const decoder = reader.decoder()
    const events: Array<ChatEvent> = []
    for (const data of [JSON.stringify(chunk), done])
      assert.isUndefined(decoder.event(data, undefined, events))
    const folded = response({ events, fault: decoder.end(events) })
    assert.strictEqual(folded.text, '{"city":"Oslo"}')
    assert.strictEqual(folded.finishReason, "stop")
  })
})

describe("images and files in Workers AI's own format", () => {
  const ask = (model: string, ...parts: ReadonlyArray<Message.UserPart>) => {
    const { body, unsupported } = encode([Message.user([Message.textPart("Look."), ...parts])], { model })
    const [message] = body.messages as ReadonlyArray<{ readonly content: unknown }>
    return { content: message?.content, unsupported }
  }
  const png = Message.image({ data: "AAEC", mediaType: "image/png" }, { detail: "low" })

  for (const model of [
    "@cf/meta/llama-3.2-11b-vision-instruct",
    "@cf/meta/llama-4-scout-17b-16e-instruct",
    "@cf/llava-hf/llava-1.5-7b-hf",
    "@cf/google/gemma-3-12b-it",
    "@cf/mistralai/mistral-small-3.1-24b-instruct"
  ]) {
    it(`are parts with data URLs for ${model}, which sees`, () => {
      assert.deepStrictEqual(ask(model, png, Message.image("data:image/gif;base64,AAEC")), {
        content: [
          { type: "text", text: "Look." },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAEC" } },
          { type: "image_url", image_url: { url: "data:image/gif;base64,AAEC" } }
        ],
        unsupported: []
      })
    })
  }

  it("are named where they are not taken", () => {
    const seeing = "@cf/meta/llama-3.2-11b-vision-instruct"
    const pdf = Message.file("https://a.example/paper.pdf")
    assert.deepStrictEqual(ask("@cf/meta/llama-3.1-8b-instruct", png, png), {
      content: "Look.",
      unsupported: ["images"]
    })
    assert.deepStrictEqual(ask(seeing, Message.image("https://a.example/cat.png")), {
      content: "Look.",
      unsupported: ["images by URL"]
    })
    assert.deepStrictEqual(ask(seeing, pdf), { content: "Look.", unsupported: ["files"] })
  })
})

describe("any request in Workers AI's own format", () => {
  it("has no word for reasoning, which matters only to models that think", () => {
    const unsupported = (model: string, reasoningEffort: ChatRequest.ReasoningEffort) =>
      encode({ prompt: "Hi", reasoningEffort }, { model }).unsupported
    assert.deepStrictEqual(unsupported("@cf/openai/gpt-oss-120b", "low"), ["reasoningEffort"])
    assert.deepStrictEqual(unsupported("@cf/openai/gpt-oss-120b", "none"), ["reasoningEffort"])
    assert.deepStrictEqual(unsupported("@cf/meta/llama-3.1-8b-instruct", "low"), ["reasoningEffort"])
    assert.deepStrictEqual(unsupported("@cf/meta/llama-3.1-8b-instruct", "none"), [])
  })

  it("drops nothing silently", () => {
    const holds = (request: ChatRequest.ChatRequest, model: string, dropped: string): boolean =>
      (dropped === "parallelToolCalls" && (request.tools === undefined || request.toolChoice === "none")) ||
      (dropped === "reasoningEffort" && request.reasoningEffort === "none" && !model.includes("gpt-oss"))
    FastCheck.assert(
      FastCheck.property(
        anyRequest,
        FastCheck.constantFrom(
          "@cf/meta/llama-3.1-8b-instruct",
          "@cf/meta/llama-4-scout-17b-16e-instruct",
          "@cf/openai/gpt-oss-120b"
        ),
        FastCheck.boolean(),
        (request, model, stream) => {
          const dropped = silentlyDropped(wire, request, { model, provider: "workers-ai", stream })
          assert.deepStrictEqual(
            dropped.filter((what) => !holds(request, model, what)),
            []
          )
        }
      ),
      { numRuns: 400 }
    )
  })
})

describe("any conversation in Workers AI's own format", () => {
  it("has text for content, and calls only where there are any", () => {
    const part: FastCheck.Arbitrary<Message.AssistantPart> = FastCheck.oneof(
      FastCheck.record({ type: FastCheck.constant("text" as const), text: FastCheck.string() }),
      FastCheck.record({
        type: FastCheck.constant("reasoning" as const),
        text: FastCheck.string(),
        opaque: FastCheck.record({ provider: FastCheck.string(), data: FastCheck.jsonValue() })
      }),
      FastCheck.record({
        type: FastCheck.constant("tool-call" as const),
        id: FastCheck.string(),
        name: FastCheck.string(),
        arguments: FastCheck.oneof(FastCheck.json(), FastCheck.string())
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(part), FastCheck.string(), (parts, result) => {
        const results = parts.flatMap(
          (part): ReadonlyArray<Message.ToolResultPart> =>
            part.type === "tool-call" ? [{ type: "tool-result", id: part.id, name: part.name, result }] : []
        )
        const { body } = encode([Message.user("Hi"), Message.assistant(parts), Message.toolResults(results)])
        for (const message of body.messages as ReadonlyArray<Record<string, unknown>>) {
          assert.isString(message.content)
          assert.notStrictEqual(JSON.stringify(message.tool_calls), "[]")
        }
        JSON.stringify(body)
      })
    )
  })
})

describe("a whole answer of Workers AI", () => {
  it("is read bare, as the binding gives it", () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
    const decoded = decode({ response: "Hello", usage })
    assert.deepStrictEqual(decoded.parts, text("Hello"))
    assert.strictEqual(decoded.finishReason, "stop")
    assert.strictEqual(decoded.rawFinishReason, undefined)
    assert.deepInclude(decoded.usage, { input: 5, output: 2, total: 7 })
  })

  it("is read out of the envelope, as REST gives it", () => {
    assert.deepStrictEqual(decode(rest({ response: "Hello" })), decode({ response: "Hello" }))
  })

  const responses: ReadonlyArray<readonly [unknown, ReadonlyArray<unknown>]> = [
    ["Hello", text("Hello")],
    ["", []],
    [null, []],
    [42, text("42")],
    [0, text("0")],
    [{ k: 1 }, text('{"k":1}')],
    [[1, 2], text("[1,2]")]
  ]
  for (const [value, parts] of responses) {
    it(`may respond ${JSON.stringify(value)}`, () => {
      assert.deepStrictEqual(decode({ response: value }).parts, parts)
    })
  }

  it("may hold tool calls without ids, whose arguments are objects", () => {
    const decoded = decode({
      response: null,
      tool_calls: [
        { name: "f", arguments: { a: 1 } },
        { name: "g", arguments: null }
      ]
    })
    assert.deepStrictEqual(decoded.parts, [
      { type: "tool-call", id: "call_0", name: "f", arguments: '{"a":1}' },
      { type: "tool-call", id: "call_1", name: "g", arguments: "{}" }
    ])
    assert.strictEqual(decoded.finishReason, "tool-calls")
  })

  it("may hold tool calls in OpenAI's form", () => {
    const decoded = decode({
      response: "Let me look.",
      tool_calls: [{ id: "call_9", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
      finish_reason: "stop"
    })
    assert.deepStrictEqual(decoded.parts, [
      ...text("Let me look."),
      { type: "tool-call", id: "call_9", name: "f", arguments: '{"a":1}' }
    ])
    assert.strictEqual(decoded.finishReason, "tool-calls")
    assert.strictEqual(decoded.rawFinishReason, "stop")
  })

  it("may be OpenAI's chat completion", () => {
    const body = { choices: [{ message: { content: "Hello", reasoning: "hm" }, finish_reason: "length" }] }
    for (const json of [body, rest(body)]) {
      const decoded = decode(json)
      assert.deepStrictEqual(decoded.parts, [{ type: "reasoning", text: "hm" }, ...text("Hello")])
      assert.strictEqual(decoded.finishReason, "length")
    }
  })

  it("may be a chat completion without a finish reason", () => {
    assert.strictEqual(decode({ choices: [{ message: { content: "Hello" } }] }).finishReason, "stop")
  })

  it("may be OpenAI's responses shape", () => {
    const decoded = decode(
      rest({
        id: "resp_1",
        model: "@cf/openai/gpt-oss-120b",
        status: "completed",
        output: [
          { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }], summary: [] },
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] },
          { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: '{"a":1}' },
          { type: "web_search_call" }
        ],
        usage: {
          input_tokens: 5,
          output_tokens: 2,
          input_tokens_details: { cached_tokens: 1 },
          output_tokens_details: { reasoning_tokens: 1 }
        }
      })
    )
    assert.deepStrictEqual(decoded, {
      parts: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "Hello" },
        { type: "tool-call", id: "call_1", name: "f", arguments: '{"a":1}' }
      ],
      refusal: undefined,
      citations: [],
      finishReason: "tool-calls",
      rawFinishReason: "completed",
      usage: { input: 5, output: 2, cacheRead: 1, reasoning: 1, total: 7 },
      model: "@cf/openai/gpt-oss-120b"
    })
  })

  const outputs: ReadonlyArray<readonly [object, string]> = [
    [{}, "stop"],
    [{ status: "completed" }, "stop"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length"],
    [{ status: "incomplete", incomplete_details: { reason: "content_filter" } }, "content-filter"],
    [{ status: "cancelled" }, "other"]
  ]
  for (const [more, finishReason] of outputs) {
    it(`of the responses shape finishes with ${finishReason} for ${JSON.stringify(more)}`, () => {
      const output = [{ type: "message", content: [{ type: "output_text", text: "Hel" }] }]
      assert.strictEqual(decode({ output, ...more }).finishReason, finishReason)
    })
  }

  it("of the responses shape may show only a summary of the reasoning", () => {
    const output = [{ type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] }]
    assert.deepStrictEqual(decode({ output }).parts, [{ type: "reasoning", text: "hm" }])
  })

  it("of the responses shape may be a refusal", () => {
    const decoded = decode({
      output: [{ type: "message", content: [{ type: "refusal", refusal: "I cannot." }] }]
    })
    assert.strictEqual(decoded.refusal, "I cannot.")
    assert.strictEqual(decoded.finishReason, "content-filter")
  })

  it("of the responses shape may have failed", () => {
    const json = { status: "failed", error: { code: "server_error", message: "no" }, output: [] }
    assert.deepStrictEqual(faultOf(json), { _tag: "ErrorFault", json })
  })

  const reasons: ReadonlyArray<readonly [unknown, string]> = [
    ["stop", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["tool_calls", "tool-calls"],
    ["content_filter", "content-filter"],
    ["brand_new", "other"],
    [null, "stop"],
    [5, "stop"]
  ]
  for (const [raw, finishReason] of reasons) {
    it(`reads finish reason ${JSON.stringify(raw)} as ${finishReason}`, () => {
      assert.strictEqual(decode({ response: "x", finish_reason: raw }).finishReason, finishReason)
    })
  }

  it("fails on finish reason error", () => {
    assert.strictEqual(faultOf({ response: "", finish_reason: "error" })._tag, "ErrorFault")
    assert.strictEqual(faultOf({ choices: [{ message: {}, finish_reason: "error" }] })._tag, "ErrorFault")
  })

  const errors: ReadonlyArray<readonly [string, unknown]> = [
    ["REST's envelope", { success: false, errors: [{ code: 3040, message: "Capacity" }], result: null }],
    ["errors alone", { errors: [{ code: 3040, message: "Capacity" }] }],
    ["an error", { error: { message: "no" } }],
    ["the binding's AiError", { name: "AiError", description: "no", internalCode: 3040 }]
  ]
  for (const [form, json] of errors) {
    it(`finds an error inside a 200: ${form}`, () => {
      assert.deepStrictEqual(faultOf(json), { _tag: "ErrorFault", json })
    })
  }

  it("finds an error inside the envelope", () => {
    assert.deepStrictEqual(faultOf(rest({ error: "no" })), { _tag: "ErrorFault", json: { error: "no" } })
  })

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["", []],
    ["response", {}],
    ["response", { usage: { prompt_tokens: 5 } }],
    ["result.response", rest({})],
    ["result", rest("Hello")],
    ["result", rest(null)],
    ["response", { response: true }],
    ["result.response", rest({ response: false })],
    ["tool_calls", { response: null, tool_calls: 5 }],
    ["tool_calls[0]", { tool_calls: ["f"] }],
    ["tool_calls[0].name", { tool_calls: [{ name: 5 }] }],
    ["tool_calls[0].name", { tool_calls: [{}] }],
    ["tool_calls[0].function.arguments", { tool_calls: [{ function: { name: "f", arguments: 5 } }] }],
    ["choices", { choices: "x" }],
    ["choices[0].message", { choices: [{}] }],
    ["result.choices[0].message.content", rest({ choices: [{ message: { content: 5 } }] })],
    ["output", { output: "x" }],
    ["output[0]", { output: [5] }],
    ["output[0].type", { output: [{}] }],
    ["output[0].content", { output: [{ type: "message", content: 5 }] }],
    ["output[0].content[0]", { output: [{ type: "message", content: [5] }] }],
    ["output[0].content[0].text", { output: [{ type: "message", content: [{ type: "output_text" }] }] }],
    ["output[0].name", { output: [{ type: "function_call", call_id: "a" }] }]
  ]
  for (const [place, json] of wrong) {
    it(`names ${place === "" ? "the root" : place} as wrong in ${JSON.stringify(json)}`, () => {
      assert.deepInclude(faultOf(json), { _tag: "MalformedFault", place })
    })
  }
})

describe("a stream of Workers AI", () => {
  it("gives text as it comes, then usage, then one finish", () => {
    const { events, fault } = stream([
      { response: "Hel", p: "abc" },
      { response: "lo", p: "abcdef" },
      { response: "" },
      { response: "", usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } },
      done
    ])
    const usage = {
      input: 5,
      output: 2,
      cacheRead: undefined,
      cacheWrite: undefined,
      reasoning: undefined,
      total: 7
    }
    assert.strictEqual(fault, undefined)
    assert.deepStrictEqual(events, [
      { _tag: "TextDelta", text: "Hel" },
      { _tag: "TextDelta", text: "lo" },
      { _tag: "Usage", usage },
      { _tag: "Finish", finishReason: "stop", rawFinishReason: undefined, usage, model: undefined }
    ])
  })

  it("gives numbers as text, and nothing for null or a missing response", () => {
    const spoken = stream([
      { response: "4" },
      { response: 2 },
      { response: 0 },
      { response: null },
      { tool_calls: [], p: "a" },
      { p: "abc" },
      done
    ])
    assert.strictEqual(response(spoken).text, "420")
  })

  it("gives an object as JSON text", () => {
    assert.strictEqual(response(stream([{ response: { k: 1 } }, done])).text, '{"k":1}')
  })

  it("gives whole tool calls, whose arguments are objects", () => {
    const spoken = stream([
      { tool_calls: [{ name: "f", arguments: { a: 1 } }] },
      { tool_calls: [{ name: "g", arguments: {} }] },
      done
    ])
    assert.deepStrictEqual(
      response(spoken).toolCalls.map((call) => [call.id, call.name, call.arguments]),
      [
        ["call_0", "f", '{"a":1}'],
        ["call_1", "g", "{}"]
      ]
    )
    assert.strictEqual(response(spoken).finishReason, "tool-calls")
  })

  it("joins tool calls in OpenAI's fragments", () => {
    const spoken = stream([
      { response: "", tool_calls: [{ id: "a", index: 0, function: { name: "f", arguments: '{"a"' } }] },
      { response: "", tool_calls: [{ index: 0, function: { arguments: ":1}" } }] },
      { response: "", tool_calls: [{ id: null, function: { name: null, arguments: "" } }] },
      { response: "", finish_reason: "stop" },
      done
    ])
    assert.deepStrictEqual(
      response(spoken).toolCalls.map((call) => [call.id, call.name, call.arguments]),
      [["a", "f", '{"a":1}']]
    )
    assert.strictEqual(response(spoken).finishReason, "tool-calls")
  })

  it("reads OpenAI's chunks", () => {
    const spoken = stream([
      { model: "m", choices: [{ delta: { reasoning_content: "hm" } }] },
      { choices: [{ delta: { content: "Hel" } }] },
      { choices: [{ delta: { content: "lo" }, finish_reason: "length" }], usage: { prompt_tokens: 1 } },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
      done
    ])
    const folded = response(spoken)
    assert.strictEqual(folded.reasoning, "hm")
    assert.strictEqual(folded.text, "Hello")
    assert.strictEqual(folded.finishReason, "length")
    assert.strictEqual(folded.usage.total, 3)
    assert.strictEqual(folded.model, "m")
  })

  it("reads a stream that mixes both kinds of chunk", () => {
    const spoken = stream([
      { response: "a" },
      { choices: [{ delta: { content: "b" } }], response: "b" },
      { response: "c" },
      { response: "", usage: { prompt_tokens: 1, completion_tokens: 2 } },
      done
    ])
    assert.strictEqual(response(spoken).text, "abc")
    assert.strictEqual(response(spoken).usage.total, 3)
  })

  it("finishes with the reason at the top of a chunk", () => {
    for (const [raw, finishReason] of [
      ["stop", "stop"],
      ["length", "length"],
      ["model_length", "length"],
      ["tool_calls", "tool-calls"],
      ["brand_new", "other"]
    ]) {
      const folded = response(stream([{ response: "x", finish_reason: raw }]))
      assert.strictEqual(folded.finishReason, finishReason)
      assert.strictEqual(folded.rawFinishReason, raw)
    }
  })

  it("keeps the first finish reason", () => {
    const spoken = stream([
      { response: "x", finish_reason: null },
      { response: "", finish_reason: "length" },
      { response: "", finish_reason: null },
      { response: "", finish_reason: "stop" },
      done
    ])
    assert.strictEqual(response(spoken).finishReason, "length")
  })

  it("is over at [DONE]", () => {
    const decoder = wire.decoder()
    decoder.event('{"response":"","finish_reason":"stop"}', undefined, [])
    assert.isFalse(decoder.done())
    decoder.event(done, undefined, [])
    assert.isTrue(decoder.done())
  })

  it("is cut off without [DONE] and without a finish reason", () => {
    const { events, fault } = stream([{ response: "Hel" }, { response: "", usage: { prompt_tokens: 1 } }])
    assert.deepStrictEqual(fault, { _tag: "TruncatedFault" })
    assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "Hel" }])
  })

  it("is cut off without them in OpenAI's chunks, too", () => {
    assert.deepStrictEqual(stream([{ choices: [{ delta: { content: "x" } }] }]).fault, {
      _tag: "TruncatedFault"
    })
  })

  it("is no empty answer if no event meant anything", () => {
    for (const chunks of [[done], [{ type: "response.output_text.delta", delta: "x" }, done]]) {
      assert.deepInclude(stream(chunks).fault, { _tag: "MalformedFault", place: "response" })
    }
  })

  const errors: ReadonlyArray<unknown> = [
    { errors: [{ code: 3040, message: "Capacity" }], success: false },
    { errors: [{ code: 3040, message: "Capacity" }] },
    { error: "no" },
    { name: "AiError", description: "no" },
    { choices: [{ delta: {} }], error: { message: "no" } }
  ]
  for (const json of errors) {
    it(`tells the error inside it: ${JSON.stringify(json)}`, () => {
      const { events, fault } = stream([{ response: "Hel" }, json])
      assert.deepStrictEqual(fault, { _tag: "ErrorFault", json })
      assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "Hel" }])
    })
  }

  it("tells the error that an event's name announces", () => {
    assert.deepStrictEqual(stream([{ message: "no" }], "error").fault, {
      _tag: "ErrorFault",
      json: { message: "no" }
    })
    assert.deepStrictEqual(stream(["no"], "error").fault, { _tag: "ErrorFault", json: "no" })
  })

  it("tells finish reason error, after the text that came with it", () => {
    for (const chunk of [
      { response: "x", finish_reason: "error" },
      { choices: [{ delta: { content: "x" }, finish_reason: "error" }] }
    ]) {
      const { events, fault } = stream([chunk])
      assert.strictEqual(fault?._tag, "ErrorFault")
      assert.deepStrictEqual(events, [{ _tag: "TextDelta", text: "x" }])
    }
  })

  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["data", "not JSON"],
    ["data", "5"],
    ["response", { response: true }],
    ["tool_calls", { tool_calls: 5 }],
    ["tool_calls[0]", { tool_calls: ["x"] }],
    ["tool_calls[0].name", { tool_calls: [{ name: 5 }] }],
    ["tool_calls[0].arguments", { tool_calls: [{ name: "f", arguments: true }] }],
    ["choices", { choices: 5 }],
    ["choices[0]", { choices: [5] }],
    ["choices[0].delta.content", { choices: [{ delta: { content: 5 } }] }]
  ]
  for (const [place, chunk] of wrong) {
    it(`names ${place} as wrong in ${JSON.stringify(chunk)}`, () => {
      assert.deepInclude(stream([chunk]).fault, { _tag: "MalformedFault", place })
    })
  }

  it("fails if a call was never named", () => {
    assert.deepInclude(stream([{ tool_calls: [{ arguments: { a: 1 } }] }, done]).fault, {
      _tag: "MalformedFault",
      place: "tool_calls[0].name"
    })
  })
})

// --- whatever comes ---------------------------------------------------------------------------------------------------

type Path = ReadonlyArray<string | number>

const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof json !== "object" || json === null) return [path]
  const within = Array.isArray(json)
    ? json.flatMap((item, index) => pathsOf(item, [...path, index]))
    : Object.entries(json).flatMap(([key, value]) => pathsOf(value, [...path, key]))
  return [path, ...within]
}

const replaceAt = (json: unknown, [key, ...rest]: Path, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(json)) {
    return json.map((item, index) => (index === key ? replaceAt(item, rest, value) : item))
  }
  return { ...(json as object), [key]: replaceAt((json as Record<string, unknown>)[key], rest, value) }
}

const show = (path: Path): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "")

describe("a wrong type anywhere", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const tool_calls = [
    { name: "f", arguments: { a: 1 } },
    { id: "a", function: { name: "f", arguments: "{}" } }
  ]
  const samples: ReadonlyArray<readonly [string, unknown]> = [
    ["a native answer", { response: "x", tool_calls, finish_reason: "stop", usage }],
    ["an envelope", rest({ response: "x", tool_calls, usage })],
    ["a chat completion", { choices: [{ message: { content: "x", tool_calls }, finish_reason: "stop" }] }],
    ["a chunk", { choices: [{ delta: { content: "x", tool_calls }, finish_reason: "stop" }], usage }],
    [
      "the responses shape",
      {
        status: "completed",
        output: [
          { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }] },
          { type: "message", content: [{ type: "output_text", text: "x" }] },
          { type: "function_call", call_id: "a", name: "f", arguments: "{}" }
        ],
        usage: { input_tokens: 1, output_tokens: 1 }
      }
    ]
  ]
  for (const [title, sample] of samples) {
    it(`in ${title} gives an answer, or a fault that names a place`, () => {
      for (const path of pathsOf(sample)) {
        for (const value of [null, true, 5, "x", [], {}]) {
          const json = replaceAt(sample, path, value)
          const shown = show(path)
          const decoded = wire.decode(json)
          const faults = [
            isFault(decoded) ? decoded : undefined,
            wire.decoder().event(JSON.stringify(json), undefined, [])
          ]
          for (const fault of faults) {
            if (fault?._tag === "MalformedFault") assert.match(fault.problem, /^expected/)
            if (/usage|\.id$|call_id/.test(shown) && title !== "a chunk") {
              assert.isFalse(isFault(decoded), `${shown} = ${JSON.stringify(value)} must not fail an answer`)
            }
          }
        }
      }
    })
  }
})

describe("whatever comes, nothing is thrown", () => {
  const name = FastCheck.option(FastCheck.constantFrom("error", "message"), { nil: undefined })
  const json = FastCheck.jsonValue({ maxDepth: 3 })
  const almost = FastCheck.record(
    {
      response: json,
      tool_calls: FastCheck.oneof(
        json,
        FastCheck.array(FastCheck.record({ name: json, arguments: json, id: json }))
      ),
      choices: FastCheck.oneof(json, FastCheck.array(FastCheck.record({ message: json, delta: json }))),
      output: FastCheck.array(
        FastCheck.record({
          type: FastCheck.constantFrom("message", "reasoning", "function_call"),
          content: json,
          summary: json
        })
      ),
      finish_reason: json,
      usage: json,
      result: json
    },
    { requiredKeys: [] }
  )

  it("by a whole answer", () => {
    FastCheck.assert(FastCheck.property(FastCheck.jsonValue(), (json) => void wire.decode(json)))
  })

  it("by a whole answer that looks almost right", () => {
    FastCheck.assert(
      FastCheck.property(almost, (body) => {
        wire.decode(body)
        wire.decode(rest(body))
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
      FastCheck.property(FastCheck.array(FastCheck.oneof(json, almost)), name, (chunks, name) => {
        stream(
          chunks.map((chunk) => JSON.stringify(chunk)),
          name
        )
      })
    )
  })

  // Bun needs seconds to find that out.
  it("by JSON that is nested deeper than the stack", { timeout: 60_000 }, () => {
    const depth = 100_000
    const deep = `${"[".repeat(depth)}1${"]".repeat(depth)}`
    assert.deepInclude(faultOf(JSON.parse(`{"response":${deep}}`)), {
      _tag: "MalformedFault",
      place: "response"
    })
    assert.deepInclude(stream([`{"response":${deep}}`]).fault, { _tag: "MalformedFault", place: "response" })
  })

  it("by a request for any model", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (model) => {
        assert.match(encode("Hi", { model }).endpoint, /^[\x21-\x7e]*$/)
      })
    )
  })
})
