/** What Bedrock's Converse is asked, and how its answers are read. The binary frames have a file of their own. */
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Schema } from "effect"
import { ChatEvent, ChatRequest, Message, Tool } from "effect-ai-gateway"
import { classifyEvent } from "../../src/internal/classify.js"
import * as BedrockConverse from "../../src/internal/wire/bedrockConverse.js"
import * as BedrockMantle from "../../src/internal/wire/bedrockMantle.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const wire = BedrockConverse.make("us-east-1")
const nova = "amazon.nova-pro-v1:0"
const sonnet4 = "us.anthropic.claude-sonnet-4-20250514-v1:0"
const sonnet45 = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
const opus46 = "anthropic.claude-opus-4-6-v1"
const opus47 = "anthropic.claude-opus-4-7"

const encode = (input: ChatRequest.Input, model = nova, stream = false) =>
  wire.encode({
    model,
    stream,
    provider: "aws-bedrock",
    request: Either.getOrThrow(ChatRequest.fromInput(input))
  })

const Weather = Tool.make("get_weather", {
  description: "The weather of a city.",
  parameters: Schema.Struct({ city: Schema.String })
})
const weatherSchema = Either.getOrThrow(Weather.jsonSchema)
const Time = Tool.make("get_time")

const output: ChatRequest.Output = {
  name: "city",
  jsonSchema: {
    type: "object",
    properties: { name: { type: "string" } },
    required: ["name"],
    additionalProperties: false
  }
}

const called: ReadonlyArray<Message.Message> = [
  Message.user("How is Oslo?"),
  Message.assistant([
    { type: "text", text: "Let me see." },
    { type: "tool-call", id: "call-1", name: "get_weather", arguments: '{"city":"Oslo"}' },
    { type: "tool-call", id: "call-2", name: "get_weather", arguments: "" }
  ]),
  Message.toolResults([
    { type: "tool-result", id: "call-1", name: "get_weather", result: "21 degrees" },
    { type: "tool-result", id: "call-2", name: "get_weather", result: "no city", isError: true }
  ])
]

describe("where a request goes", () => {
  it("to the region, the model and the operation, with a colon encoded as Amazon's signers encode it", () => {
    assert.strictEqual(
      encode("Hi").endpoint,
      "bedrock-runtime/us-east-1/model/amazon.nova-pro-v1%3A0/converse"
    )
    assert.strictEqual(
      encode("Hi", nova, true).endpoint,
      "bedrock-runtime/us-east-1/model/amazon.nova-pro-v1%3A0/converse-stream"
    )
  })

  it("an ARN is one segment of the path", () => {
    assert.strictEqual(
      encode("Hi", "arn:aws:bedrock:us-east-1:1:inference-profile/x").endpoint,
      "bedrock-runtime/us-east-1/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse"
    )
  })
})

describe("messages", () => {
  it("system messages stand apart, and messages of one role that follow each other are one", () => {
    const { body } = encode([
      Message.system("Be brief."),
      Message.user("One."),
      Message.user([Message.textPart("Two."), Message.textPart("")]),
      Message.assistant("Three."),
      Message.assistant([{ type: "text", text: "Four." }]),
      Message.system("Be kind."),
      Message.user("Five.")
    ])
    assert.deepStrictEqual(body, {
      system: [{ text: "Be brief." }, { text: "Be kind." }],
      messages: [
        { role: "user", content: [{ text: "One." }, { text: "Two." }] },
        { role: "assistant", content: [{ text: "Three." }, { text: "Four." }] },
        { role: "user", content: [{ text: "Five." }] }
      ]
    })
  })

  it("calls and results are blocks, an error is marked, and the user's next words join the results", () => {
    const { body, unsupported } = encode({ messages: called, prompt: "And?", tools: [Weather] })
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body.messages, [
      { role: "user", content: [{ text: "How is Oslo?" }] },
      {
        role: "assistant",
        content: [
          { text: "Let me see." },
          { toolUse: { toolUseId: "call-1", name: "get_weather", input: { city: "Oslo" } } },
          { toolUse: { toolUseId: "call-2", name: "get_weather", input: {} } }
        ]
      },
      {
        role: "user",
        content: [
          { toolResult: { toolUseId: "call-1", content: [{ text: "21 degrees" }] } },
          { toolResult: { toolUseId: "call-2", content: [{ text: "no city" }], status: "error" } },
          { text: "And?" }
        ]
      }
    ])
  })

  it("a result without text has some, because Bedrock refuses it otherwise", () => {
    const { body } = encode([
      Message.user("Go."),
      Message.assistant([{ type: "tool-call", id: "a", name: "f", arguments: "{}" }]),
      Message.toolResults([{ type: "tool-result", id: "a", name: "f", result: "" }])
    ])
    assert.include(JSON.stringify(body), '"content":[{"text":"(no output)"}]')
  })

  it("ids of other vendors' calls become unique ids that Bedrock takes, alike in calls and results", () => {
    const turn = (name: string): ReadonlyArray<Message.Message> => [
      Message.assistant([{ type: "tool-call", id: "functions.f:0", name, arguments: "{}" }]),
      Message.toolResults([{ type: "tool-result", id: "functions.f:0", name, result: name }])
    ]
    const long = "x".repeat(80)
    const { body } = encode([
      Message.user("Go."),
      ...turn("one"),
      ...turn("two"),
      Message.assistant([{ type: "tool-call", id: long, name: "three", arguments: "{}" }]),
      Message.toolResults([{ type: "tool-result", id: long, name: "three", result: "three" }])
    ])
    const ids = [...JSON.stringify(body).matchAll(/"toolUseId":"([^"]*)"/g)].map(([, id]) => id)
    assert.deepStrictEqual(ids.slice(0, 4), [
      "functions_f_0",
      "functions_f_0",
      "functions_f_0_2",
      "functions_f_0_2"
    ])
    assert.strictEqual(ids[4], ids[5])
    assert.match(ids[4] ?? "", /^x{64}$/)
  })

  it("an image is its bytes and a format; a data: URL holds its bytes; any other URL and format is named and left out", () => {
    const { body, unsupported } = encode([
      Message.user([
        Message.textPart("What is it?"),
        Message.image({ data: "AAAA", mediaType: "image/jpeg" }),
        Message.image("data:image/png;base64,BBBB"),
        Message.image("https://example.com/a.png"),
        Message.image({ data: "CCCC", mediaType: "image/svg+xml" })
      ])
    ])
    assert.deepStrictEqual(body.messages, [
      {
        role: "user",
        content: [
          { text: "What is it?" },
          { image: { format: "jpeg", source: { bytes: "AAAA" } } },
          { image: { format: "png", source: { bytes: "BBBB" } } }
        ]
      }
    ])
    assert.deepStrictEqual(unsupported, ["images by URL", "images of type image/svg+xml"])
  })

  it("a model that is known to see nothing takes no images", () => {
    const image = [Message.user([Message.image({ data: "AAAA", mediaType: "image/png" })])]
    for (const model of ["amazon.nova-micro-v1:0", "us.deepseek.r1-v1:0", "openai.gpt-oss-20b-1:0"])
      assert.deepStrictEqual(encode(image, model).unsupported, ["images"], model)
    for (const model of [
      nova,
      sonnet4,
      "meta.llama3-2-11b-instruct-v1:0",
      "arn:aws:bedrock:x:1:application-inference-profile/abc"
    ])
      assert.deepStrictEqual(encode(image, model).unsupported, [], model)
  })

  it("a file is a document with a format, and a name of few kinds of characters that is there once", () => {
    const pdf = (filename?: string) =>
      Message.file({ data: "AAAA", mediaType: "application/pdf" }, { filename })
    const { body, unsupported } = encode([
      Message.user([
        pdf("Q1_report (final)!!.v2.pdf"),
        pdf("Q1_report (final)!!.v2.pdf"),
        pdf(),
        Message.file({ data: "BBBB", mediaType: "Text/CSV" }, { filename: "🧀" }),
        Message.file("https://example.com/a.pdf"),
        Message.file({ data: "CCCC", mediaType: "application/zip" })
      ])
    ])
    const document = (format: string, name: string, bytes: string) => ({
      document: { format, name, source: { bytes } }
    })
    assert.deepStrictEqual(body.messages, [
      {
        role: "user",
        content: [
          document("pdf", "Q1 report (final) v2", "AAAA"),
          document("pdf", "Q1 report (final) v2 2", "AAAA"),
          document("pdf", "document", "AAAA"),
          document("csv", "document 2", "BBBB")
        ]
      }
    ])
    assert.deepStrictEqual(unsupported, ["files by URL", "files of type application/zip"])
  })

  it("reasoning goes back to Bedrock as it came, and to nobody else", () => {
    const block = { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } }
    const said = (provider: string, data: unknown): Message.Message =>
      Message.assistant([
        { type: "reasoning", text: "hm", opaque: { provider, data } },
        { type: "text", text: "Hello." }
      ])
    const contents = [
      said("aws-bedrock", block),
      said("anthropic", { type: "thinking", thinking: "hm", signature: "c2ln" }),
      said("aws-bedrock", { type: "thinking", thinking: "hm", signature: "c2ln" })
    ].map((message) => encode([Message.user("Hi"), message]).body.messages)
    assert.deepStrictEqual(
      contents.map((messages) => (Array.isArray(messages) ? messages[1].content : undefined)),
      [[block, { text: "Hello." }], [{ text: "Hello." }], [{ text: "Hello." }]]
    )
  })
})

describe("sampling", () => {
  const all = {
    prompt: "Hi",
    temperature: 0.5,
    topP: 0.9,
    topK: 40,
    maxTokens: 100,
    stop: ["."],
    seed: 1,
    frequencyPenalty: 0,
    presencePenalty: 0
  }

  it("what all models have is inferenceConfig; top_k is an additional field of Claude's", () => {
    const { body, unsupported } = encode(all, sonnet4)
    assert.deepStrictEqual(body.inferenceConfig, {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      stopSequences: ["."]
    })
    assert.deepStrictEqual(body.additionalModelRequestFields, { top_k: 40 })
    assert.deepStrictEqual(unsupported, ["seed", "frequencyPenalty", "presencePenalty"])
  })

  it("later Claude models take either a temperature or topP", () => {
    assert.deepStrictEqual(encode({ prompt: "Hi", temperature: 1, topP: 1 }, sonnet45).unsupported, ["topP"])
    assert.deepStrictEqual(encode({ prompt: "Hi", topP: 1 }, sonnet45).unsupported, [])
  })

  it("other vendors' models take no topK, and later Claude models no sampling at all", () => {
    assert.deepStrictEqual(encode(all).unsupported, ["topK", "seed", "frequencyPenalty", "presencePenalty"])
    assert.deepStrictEqual(encode({ prompt: "Hi", temperature: 1, topP: 1, topK: 1 }, opus47).unsupported, [
      "temperature",
      "topP",
      "topK"
    ])
  })
})

describe("reasoning", () => {
  const fields = (model: string, input: ChatRequest.Options): Readonly<Record<string, unknown>> => {
    const { body, unsupported } = encode({ prompt: "Hi", ...input }, model)
    const { messages: _, ...rest } = body
    return { ...rest, unsupported }
  }
  const enabled = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } })

  it("is a budget of tokens for Claude up to 4.5, within the limit of the answer", () => {
    assert.deepStrictEqual(fields(sonnet4, { reasoningEffort: "medium", maxTokens: 20_000 }), {
      inferenceConfig: { maxTokens: 20_000 },
      additionalModelRequestFields: enabled(8192),
      unsupported: []
    })
    assert.deepInclude(fields(sonnet45, { reasoningEffort: "high", maxTokens: 4000 }), {
      inferenceConfig: { maxTokens: 4000 },
      additionalModelRequestFields: enabled(3000)
    })
    assert.deepInclude(fields(sonnet4, { reasoningEffort: "low" }), {
      inferenceConfig: { maxTokens: 6144 },
      additionalModelRequestFields: enabled(2048)
    })
    assert.deepInclude(fields(sonnet4, { reasoningEffort: "low", maxTokens: 1000 }), {
      inferenceConfig: { maxTokens: 2024 },
      additionalModelRequestFields: enabled(1024)
    })
  })

  it("is an effort for later ones", () => {
    assert.deepStrictEqual(fields(opus46, { reasoningEffort: "xhigh" }), {
      outputConfig: { effort: "high" },
      additionalModelRequestFields: { thinking: { type: "adaptive" } },
      unsupported: []
    })
    assert.deepStrictEqual(fields(opus47, { reasoningEffort: "xhigh" }), {
      outputConfig: { effort: "xhigh" },
      additionalModelRequestFields: { thinking: { type: "adaptive", display: "summarized" } },
      unsupported: []
    })
  })

  it("is switched off by none, and is Unsupported for models that are not known to reason", () => {
    assert.deepInclude(fields(sonnet45, { reasoningEffort: "none" }), {
      additionalModelRequestFields: { thinking: { type: "disabled" } }
    })
    for (const model of [nova, "anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-v2:1"]) {
      assert.deepStrictEqual(
        fields(model, { reasoningEffort: "low" }),
        { unsupported: ["reasoningEffort"] },
        model
      )
    }
    assert.deepStrictEqual(fields("anthropic.claude-v2:1", { reasoningEffort: "none" }), { unsupported: [] })
  })

  it("excludes sampling, and what forces a tool", () => {
    const asked = { reasoningEffort: "low", tools: [Weather] } as const
    assert.deepInclude(fields(sonnet4, { reasoningEffort: "low", temperature: 0.5, topP: 0.9, topK: 3 }), {
      unsupported: ["temperature", "topP", "topK"]
    })
    assert.deepInclude(fields(sonnet4, { ...asked, toolChoice: "required" }), { unsupported: ["toolChoice"] })
    assert.deepInclude(fields(sonnet4, { reasoningEffort: "low", output }), {
      unsupported: ["reasoningEffort"]
    })
    assert.deepInclude(fields(sonnet45, { reasoningEffort: "low", output }), { unsupported: [] })
  })

  it("with a budget is not to be had behind a call that began without a thought", () => {
    const { unsupported } = encode({ messages: called, reasoningEffort: "low" }, sonnet4)
    assert.deepStrictEqual(unsupported, ["reasoningEffort"])
    // Here the user has spoken since.
    assert.deepInclude(fields(sonnet4, { messages: called, reasoningEffort: "low" }), { unsupported: [] })
  })
})

describe("tools", () => {
  const weatherSpec = {
    toolSpec: {
      name: "get_weather",
      description: "The weather of a city.",
      inputSchema: { json: weatherSchema }
    }
  }

  it("are specifications with a JSON Schema; strict goes out where it was asked for", () => {
    const strict = Tool.make("f", { strict: true })
    assert.deepStrictEqual(encode({ prompt: "Hi", tools: [Weather, strict] }).body.toolConfig, {
      tools: [
        weatherSpec,
        {
          toolSpec: {
            name: "f",
            inputSchema: { json: Either.getOrThrow(strict.jsonSchema) },
            strict: true
          }
        }
      ]
    })
  })

  it("are chosen from by any and by name, and left out for none", () => {
    const choice = (toolChoice: ChatRequest.ToolChoice) =>
      encode({ prompt: "Hi", tools: [Weather], toolChoice }).body.toolConfig
    assert.deepStrictEqual(choice("auto"), { tools: [weatherSpec] })
    assert.deepStrictEqual(choice("required"), { tools: [weatherSpec], toolChoice: { any: {} } })
    assert.deepStrictEqual(choice({ tool: "get_weather" }), {
      tools: [weatherSpec],
      toolChoice: { tool: { name: "get_weather" } }
    })
    assert.isUndefined(choice("none"))
  })

  it("cannot be forbidden in a conversation with calls, which must have them", () => {
    const { body, unsupported } = encode({ messages: called, tools: [Weather], toolChoice: "none" })
    assert.deepStrictEqual(unsupported, ["toolChoice"])
    assert.deepStrictEqual(body.toolConfig, { tools: [weatherSpec] })
  })

  it("that were called are named again in a request without tools", () => {
    const { body, unsupported } = encode(called)
    assert.deepStrictEqual(unsupported, [])
    assert.deepStrictEqual(body.toolConfig, {
      tools: [
        {
          toolSpec: {
            name: "get_weather",
            description: "Was of use earlier in this conversation. Do not call it any more.",
            inputSchema: { json: { type: "object", properties: {} } }
          }
        }
      ]
    })
  })

  it("one at a time cannot be asked for", () => {
    const asked = { prompt: "Hi", tools: [Weather] }
    assert.deepStrictEqual(encode({ ...asked, parallelToolCalls: false }).unsupported, ["parallelToolCalls"])
    assert.deepStrictEqual(encode({ ...asked, parallelToolCalls: true }).unsupported, [])
  })
})

describe("the form of the answer", () => {
  it("is a text format whose schema is a text, for models that have it", () => {
    const { body, outputTool, unsupported } = encode({ prompt: "Hi", output, tools: [Weather] }, sonnet45)
    assert.deepStrictEqual(unsupported, [])
    assert.isUndefined(outputTool)
    assert.deepStrictEqual(body.outputConfig, {
      textFormat: {
        type: "json_schema",
        structure: { jsonSchema: { name: "city", schema: JSON.stringify(output.jsonSchema) } }
      }
    })
    assert.notProperty(body.toolConfig, "toolChoice")
  })

  it("is a forced tool elsewhere, and for a schema that the mode cannot express", () => {
    const forced = (asked: ChatRequest.Output, model: string) =>
      encode({ prompt: "Hi", output: asked }, model)
    const open = { ...output, jsonSchema: { type: "object", additionalProperties: true, properties: {} } }
    for (const { body, outputTool, unsupported } of [
      forced(output, nova),
      forced(output, opus47),
      forced(open, sonnet45)
    ]) {
      assert.deepStrictEqual(unsupported, [])
      assert.strictEqual(outputTool, "city")
      assert.deepInclude(body.toolConfig, { toolChoice: { tool: { name: "city" } } })
      assert.notProperty(body, "outputConfig")
    }
  })

  it("beside other tools is one of them, under a name of its own, and the model must call any", () => {
    const asked = { prompt: "Hi", output: { ...output, name: "get_time" }, tools: [Time] }
    const { body, outputTool } = encode(asked)
    assert.strictEqual(outputTool, "get_time_2")
    assert.deepInclude(body.toolConfig, { toolChoice: { any: {} } })
    assert.include(JSON.stringify(body.toolConfig), '"name":"get_time"')
    assert.include(JSON.stringify(body.toolConfig), '"name":"get_time_2"')
    assert.deepInclude(encode({ ...asked, toolChoice: "none" }).body.toolConfig, {
      toolChoice: { tool: { name: "get_time_2" } }
    })
  })

  it("excludes that another tool must be called", () => {
    for (const toolChoice of [{ tool: "get_weather" }, "required"] as const) {
      const { outputTool, unsupported } = encode({ prompt: "Hi", output, tools: [Weather], toolChoice })
      assert.strictEqual(outputTool, "city")
      assert.deepStrictEqual(unsupported, ["toolChoice"])
    }
  })
})

describe("any request", () => {
  const mantle = BedrockMantle.make("us-east-1")

  it("is encoded, and what is not in the body is named", () => {
    const model = fc.constantFrom(nova, sonnet4, sonnet45, opus46, opus47, "anthropic.claude-v2:1", "\ud800")
    fc.assert(
      fc.property(anyRequest, model, fc.boolean(), (request, model, stream) => {
        const asked = { model, provider: "aws-bedrock", stream }
        const expected = [
          // Tools that must not be called are left out, and nothing can be called twice.
          ...(request.toolChoice === "none" ? ["tools", "parallelToolCalls"] : []),
          // There is one answer, by a call or without.
          ...(request.output === undefined ? [] : ["parallelToolCalls"]),
          // A model that does not think has no need to be told.
          ...(request.reasoningEffort === "none" ? ["reasoningEffort"] : [])
        ]
        assert.deepStrictEqual(
          silentlyDropped(wire, request, asked).filter((field) => !expected.includes(field)),
          []
        )
        assert.deepStrictEqual(
          silentlyDropped(mantle, request, { ...asked, model: "anthropic.claude-x" }).filter(
            (field) => !expected.includes(field)
          ),
          []
        )
      }),
      { numRuns: 1000 }
    )
  }, 30_000)

  it("alternates roles", () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const { messages } = wire.encode({
          model: nova,
          provider: "aws-bedrock",
          stream: false,
          request
        }).body
        const roles = Array.isArray(messages) ? messages.map(({ role }) => role) : []
        assert.deepStrictEqual(
          roles,
          roles.map((_, index) => (index % 2 === 0 ? "user" : "assistant"))
        )
      }),
      { numRuns: 500 }
    )
  })
})

// --- answers --------------------------------------------------------------------------------------------------------------

const decoded = (json: unknown) => {
  const found = wire.decode(json)
  if (isFault(found)) throw new Error(JSON.stringify(found))
  return found
}

const answer = (content: ReadonlyArray<unknown>, more: Readonly<Record<string, unknown>> = {}) => ({
  output: { message: { role: "assistant", content } },
  stopReason: "end_turn",
  ...more
})

describe("a whole answer", () => {
  it("has text, reasoning that goes back, calls, and the finish reason of calls", () => {
    const found = decoded(
      answer(
        [
          { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
          { reasoningContent: { redactedContent: "cmVk" } },
          { reasoningContent: { reasoningText: { text: "unsigned" } } },
          { text: "Hello." },
          { toolUse: { toolUseId: "a", name: "get_weather", input: { city: "Oslo" } } },
          { toolUse: { toolUseId: "b", name: "get_time" } }
        ],
        { stopReason: "tool_use" }
      )
    )
    assert.deepStrictEqual(found.parts, [
      {
        type: "reasoning",
        text: "hm",
        opaque: {
          provider: "aws-bedrock",
          data: { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } }
        }
      },
      {
        type: "reasoning",
        text: "",
        opaque: { provider: "aws-bedrock", data: { reasoningContent: { redactedContent: "cmVk" } } }
      },
      { type: "reasoning", text: "unsigned" },
      { type: "text", text: "Hello." },
      { type: "tool-call", id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' },
      { type: "tool-call", id: "b", name: "get_time", arguments: "{}" }
    ])
    assert.strictEqual(found.finishReason, "tool-calls")
    assert.strictEqual(found.rawFinishReason, "tool_use")
  })

  it("with sources has its text inside of them", () => {
    const cited = {
      title: "My Document",
      sourceContent: [{ text: "The grass " }, { text: "is green." }],
      location: { documentChar: { documentIndex: 0, start: 0, end: 20 } }
    }
    const web = { title: "A", location: { web: { url: "https://a.example", domain: "a.example" } } }
    const found = decoded(
      answer([
        { text: "Well: " },
        { citationsContent: { content: [{ text: "Grass is green." }], citations: [cited, web] } }
      ])
    )
    assert.deepStrictEqual(found.parts, [
      { type: "text", text: "Well: " },
      { type: "text", text: "Grass is green." }
    ])
    assert.deepStrictEqual(found.citations, [
      { url: undefined, title: "My Document", text: "The grass is green.", raw: cited },
      { url: "https://a.example", title: "A", text: undefined, raw: web }
    ])
  })

  it("has no calls of the provider's own tools", () => {
    const found = decoded(
      answer([
        { toolUse: { toolUseId: "a", name: "nova_grounding", type: "server_tool_use", input: {} } },
        { toolResult: { toolUseId: "a", content: [] } },
        { text: "Hello." }
      ])
    )
    assert.deepStrictEqual(found.parts, [{ type: "text", text: "Hello." }])
    assert.strictEqual(found.finishReason, "stop")
  })

  it("counts the cache into the input", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 4,
      totalTokens: 7365,
      cacheReadInputTokens: 7351,
      cacheWriteInputTokens: 0
    }
    assert.deepStrictEqual(decoded(answer([], { usage })).usage, {
      input: 7361,
      output: 4,
      cacheRead: 7351,
      cacheWrite: 0,
      total: 7365
    })
  })

  it("ends for a reason of the common vocabulary", () => {
    const reasons = Object.fromEntries(
      [
        "end_turn",
        "stop_sequence",
        "max_tokens",
        "model_context_window_exceeded",
        "tool_use",
        "guardrail_intervened",
        "content_filtered",
        "malformed_model_output",
        "malformed_tool_use",
        "something_new"
      ].map((stopReason) => [stopReason, decoded(answer([], { stopReason })).finishReason])
    )
    assert.deepStrictEqual(reasons, {
      end_turn: "stop",
      stop_sequence: "stop",
      max_tokens: "length",
      model_context_window_exceeded: "length",
      tool_use: "tool-calls",
      guardrail_intervened: "content-filter",
      content_filtered: "content-filter",
      malformed_model_output: "error",
      malformed_tool_use: "error",
      something_new: "other"
    })
  })

  it("that is none is a fault which names the place", () => {
    const faults: ReadonlyArray<readonly [unknown, string]> = [
      [null, ""],
      [{}, "output"],
      [{ output: {} }, "output.message"],
      [{ output: { message: { content: "Hello." } } }, "output.message.content"],
      [answer(["Hello."]), "output.message.content[0]"],
      [answer([{ text: 1 }]), "output.message.content[0].text"],
      [answer([{ toolUse: { input: {} } }]), "output.message.content[0].toolUse.name"],
      [answer([{ toolUse: { name: "f", input: [] } }]), "output.message.content[0].toolUse.input"]
    ]
    for (const [json, place] of faults) {
      const found = wire.decode(json)
      assert.deepInclude(found, { _tag: "MalformedFault", place })
    }
    assert.deepInclude(wire.decode({ message: "no" }), { _tag: "ErrorFault" })
  })
})

// --- streams --------------------------------------------------------------------------------------------------------------

const errorOf = (fault: Fault | undefined) =>
  fault?._tag === "ErrorFault" ? classifyEvent(fault.json, {}, { provider: "aws-bedrock" }) : undefined

type Event = readonly [name: string, payload: unknown]

const streamed = (
  events: ReadonlyArray<Event>,
  wrapped = false
): {
  readonly out: ReadonlyArray<ChatEvent.ChatEvent>
  readonly fault: Fault | undefined
  readonly done: boolean
} => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const [name, payload] of events) {
    const fault = wrapped
      ? decoder.event(JSON.stringify({ [name]: payload }), undefined, out)
      : decoder.event(payload === undefined ? "" : JSON.stringify(payload), name, out)
    if (fault !== undefined) return { out, fault, done: decoder.done() }
  }
  const done = decoder.done()
  return { done, fault: decoder.end(out), out }
}

const delta = (contentBlockIndex: number, piece: unknown): Event => [
  "contentBlockDelta",
  { contentBlockIndex, delta: piece, p: "abcdefgh" }
]
const stop = (contentBlockIndex: number): Event => ["contentBlockStop", { contentBlockIndex }]

const conversation: ReadonlyArray<Event> = [
  ["messageStart", { role: "assistant" }],
  delta(0, { reasoningContent: { text: "Let " } }),
  delta(0, { reasoningContent: { text: "me see." } }),
  delta(0, { reasoningContent: { signature: "c2ln" } }),
  stop(0),
  delta(1, { text: "It is " }),
  delta(1, { text: "" }),
  delta(1, { text: "green." }),
  stop(1),
  [
    "contentBlockStart",
    { contentBlockIndex: 2, start: { toolUse: { toolUseId: "a", name: "get_weather" } } }
  ],
  delta(2, { toolUse: { input: "" } }),
  delta(2, { toolUse: { input: '{"city"' } }),
  ["contentBlockStart", { contentBlockIndex: 3, start: { toolUse: { toolUseId: "b", name: "get_time" } } }],
  delta(2, { toolUse: { input: ':"Oslo"}' } }),
  stop(2),
  delta(3, { toolUse: { input: "" } }),
  stop(3),
  ["messageStop", { stopReason: "tool_use" }],
  ["metadata", { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, metrics: { latencyMs: 1 } }]
]

describe("a stream", () => {
  it("opens blocks of text and reasoning lazily, keeps the signature, and finishes behind its usage", () => {
    const { done, fault, out } = streamed(conversation)
    assert.isUndefined(fault)
    assert.isTrue(done)
    assert.deepStrictEqual(out, [
      { _tag: "ReasoningDelta", text: "Let " },
      { _tag: "ReasoningDelta", text: "me see." },
      {
        _tag: "ReasoningOpaque",
        provider: "aws-bedrock",
        data: { reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } }
      },
      { _tag: "TextDelta", text: "It is " },
      { _tag: "TextDelta", text: "green." },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: "" },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: '{"city"' },
      { _tag: "ToolCallDelta", index: 1, name: "get_time", arguments: "" },
      { _tag: "ToolCallDelta", index: 0, name: "get_weather", arguments: ':"Oslo"}' },
      { _tag: "ToolCall", index: 0, id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' },
      { _tag: "ToolCall", index: 1, id: "b", name: "get_time", arguments: "{}" },
      {
        _tag: "Usage",
        usage: { input: 10, output: 5, cacheRead: undefined, cacheWrite: undefined, total: 15 }
      },
      {
        _tag: "Finish",
        finishReason: "tool-calls",
        rawFinishReason: "tool_use",
        usage: { input: 10, output: 5, cacheRead: undefined, cacheWrite: undefined, total: 15 }
      }
    ])
  })

  it("is the same with its events wrapped, as Amazon's SDK shows them", () => {
    assert.deepStrictEqual(streamed(conversation, true), streamed(conversation))
  })

  it("is not over at messageStop, and may have its usage before it", () => {
    assert.isFalse(streamed(conversation.slice(0, -1)).done)
    const [metadata] = conversation.slice(-1)
    assert.isDefined(metadata)
    if (metadata === undefined) return
    const reversed = streamed([
      ...conversation.slice(0, -2),
      metadata,
      ["messageStop", { stopReason: "tool_use" }]
    ])
    assert.isTrue(reversed.done)
    assert.deepStrictEqual(reversed.out, streamed(conversation).out)
  })

  it("without usage is whole, and without messageStop cut off", () => {
    assert.isUndefined(streamed(conversation.slice(0, -1)).fault)
    assert.deepStrictEqual(streamed(conversation.slice(0, -2)).fault, { _tag: "TruncatedFault" })
    assert.deepStrictEqual(streamed([]).fault, { _tag: "TruncatedFault" })
  })

  it("folds into what a whole answer of the same would be", () => {
    const folded = ChatEvent.fold(streamed(conversation).out)
    const whole = decoded(
      answer(
        [
          { reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2ln" } } },
          { text: "It is green." },
          { toolUse: { toolUseId: "a", name: "get_weather", input: { city: "Oslo" } } },
          { toolUse: { toolUseId: "b", name: "get_time", input: {} } }
        ],
        { stopReason: "tool_use", usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } }
      )
    )
    assert.deepStrictEqual(folded.message.content, whole.parts)
    assert.deepStrictEqual(folded.usage, whole.usage)
  })

  it("leaves the provider's own tools out, and tells sources before their text", () => {
    const { fault, out } = streamed([
      [
        "contentBlockStart",
        {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: "a", name: "nova_grounding", type: "server_tool_use" } }
        }
      ],
      delta(0, { toolUse: { input: "{}" } }),
      stop(0),
      ["contentBlockStart", { contentBlockIndex: 1, start: { toolResult: { toolUseId: "a" } } }],
      delta(1, { toolResult: [{ text: "found" }] }),
      stop(1),
      ["contentBlockStart", { contentBlockIndex: 2, start: {} }],
      delta(2, { citation: { title: "A", location: { web: { url: "https://a.example" } } } }),
      delta(2, { text: "Green." }),
      ["messageStop", { stopReason: "end_turn" }]
    ])
    assert.isUndefined(fault)
    assert.deepStrictEqual(
      out.map(({ _tag }) => _tag),
      ["Citation", "TextDelta", "Finish"]
    )
    assert.deepInclude(out.at(-1), { finishReason: "stop" })
  })

  it("redacted reasoning goes back as it came", () => {
    const { out } = streamed([
      delta(0, { reasoningContent: { redactedContent: "cmVk" } }),
      stop(0),
      ["messageStop", { stopReason: "end_turn" }]
    ])
    assert.deepStrictEqual(out[0], {
      _tag: "ReasoningOpaque",
      provider: "aws-bedrock",
      data: { reasoningContent: { redactedContent: "cmVk" } }
    })
  })

  it("that is none is a fault which names the place", () => {
    const start = (toolUse: unknown): Event => [
      "contentBlockStart",
      { contentBlockIndex: 0, start: { toolUse } }
    ]
    const faults: ReadonlyArray<readonly [Event, string]> = [
      [["contentBlockDelta", []], "contentBlockDelta"],
      [delta(0, "Hello."), "contentBlockDelta.delta"],
      [delta(0, { text: 1 }), "contentBlockDelta.delta.text"],
      [delta(0, { toolUse: { input: "{" } }), "contentBlockIndex"],
      [delta(0, { toolUse: { input: {} } }), "contentBlockDelta.delta.toolUse.input"],
      [delta(0, { reasoningContent: { text: {} } }), "contentBlockDelta.delta.reasoningContent.text"],
      [start({ toolUseId: "a" }), "contentBlockStart.start.toolUse.name"],
      [["contentBlockStart", { start: 1 }], "contentBlockStart.start"]
    ]
    for (const [event, place] of faults) {
      assert.deepInclude(streamed([event]).fault, { _tag: "MalformedFault", place })
    }
  })

  it("an exception is the error that its type says, also as the first and only frame", () => {
    const cases = {
      validationException: { _tag: "BadRequest", status: 400 },
      throttlingException: { _tag: "RateLimited", status: 429 },
      modelStreamErrorException: { _tag: "ProviderFailure" },
      internalServerException: { _tag: "ProviderFailure", status: 500 },
      serviceUnavailableException: { _tag: "ProviderFailure", status: 503 },
      accessDeniedException: { _tag: "Unauthorized", status: 403 },
      somethingNewException: { _tag: "ProviderFailure" }
    }
    for (const [type, expected] of Object.entries(cases)) {
      const error = errorOf(streamed([[`exception ${type}`, { message: "no luck" }]]).fault)
      assert.deepInclude({ ...error }, { ...expected, code: type, source: "provider" }, type)
      assert.include(error?.message, "no luck")
    }
  })

  it("an exception without JSON, or wrapped, is an error too", () => {
    const decoder = wire.decoder()
    const bare = decoder.event("no luck", "exception throttlingException", [])
    const wrapped = streamed([["throttlingException", { message: "no luck" }]], true).fault
    for (const fault of [bare, wrapped]) assert.strictEqual(errorOf(fault)?._tag, "RateLimited")
  })
})

describe("Anthropic's own API on Bedrock", () => {
  const mantle = BedrockMantle.make("eu-west-1")
  const said = { type: "thinking", thinking: "hm", signature: "c2ln" }

  const ask = (input: ChatRequest.Options, model = "anthropic.claude-haiku-4-5") =>
    mantle.encode({
      model,
      stream: true,
      provider: "aws-bedrock",
      request: Either.getOrThrow(ChatRequest.fromInput({ prompt: "Hi", ...input }))
    })

  it("has an endpoint of its own", () => {
    const { body, endpoint, unsupported } = ask({})
    assert.strictEqual(endpoint, "bedrock-mantle/eu-west-1/anthropic/v1/messages")
    assert.deepStrictEqual(unsupported, [])
    assert.deepInclude(body, { model: "anthropic.claude-haiku-4-5", stream: true })
  })

  it("has the form of the answer as a tool, because it has no mode for it", () => {
    const { body, outputTool, unsupported } = ask({ output })
    assert.deepStrictEqual(unsupported, [])
    assert.strictEqual(outputTool, "city")
    assert.notProperty(body, "output_config")
    assert.deepStrictEqual(body.tools, [
      { name: "city", description: "Gives the answer.", input_schema: output.jsonSchema }
    ])
    assert.deepInclude(Object(body.tool_choice), { type: "tool", name: "city" })
    const beside = ask({ output, tools: [Weather] })
    assert.deepInclude(Object(beside.body.tool_choice), { type: "any" })
    assert.deepStrictEqual(beside.unsupported, [])
    assert.deepStrictEqual(ask({ output, tools: [Weather], toolChoice: "required" }).unsupported, [
      "toolChoice"
    ])
    assert.deepStrictEqual(ask({ output, reasoningEffort: "low" }).unsupported, ["output"])
  })

  it("has its reasoning marked as Bedrock's, whole and streamed, and takes it back", () => {
    const whole = mantle.decode({ content: [said, { type: "text", text: "Hi." }], stop_reason: "end_turn" })
    if (isFault(whole)) return assert.fail()
    const opaque = { provider: "aws-bedrock", data: said }
    assert.deepStrictEqual(whole.parts[0], { type: "reasoning", text: "hm", opaque })
    const decoder = mantle.decoder()
    const out: Array<ChatEvent.ChatEvent> = []
    for (const event of [
      { type: "content_block_start", index: 0, content_block: said },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" }
    ])
      assert.isUndefined(decoder.event(JSON.stringify(event), event.type, out))
    assert.deepInclude(out, { _tag: "ReasoningOpaque", ...opaque })
    const { body } = mantle.encode({
      model: "m",
      stream: false,
      provider: "aws-bedrock",
      request: Either.getOrThrow(
        ChatRequest.fromInput([Message.user("Hi"), Message.assistant(whole.parts), Message.user("And?")])
      )
    })
    assert.include(JSON.stringify(body), JSON.stringify(said))
  })
})
