import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type AiGateway, type ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as ChatRequest from "../src/ChatRequest.js"
import * as Message from "../src/Message.js"
import * as Tool from "../src/Tool.js"

const from = (input: ChatRequest.Input): ChatRequest.ChatRequest =>
  Either.getOrThrow(ChatRequest.fromInput(input))

/** What JavaScript, or a cast, may pass. */
const errorOf = (input: unknown) => {
  const request = ChatRequest.fromInput(input as ChatRequest.Input)
  return Either.isLeft(request) ? request.left : assert.fail(`accepted: ${JSON.stringify(request.right)}`)
}

describe("a request", () => {
  it("may be a prompt", () => {
    assert.deepStrictEqual(from("Hi").messages, [{ role: "user", content: "Hi" }])
  })

  it("may be a conversation", () => {
    const messages = [
      Message.system("Be brief."),
      Message.user("Hi"),
      Message.assistant("Hello."),
      Message.user("Bye")
    ]
    assert.deepStrictEqual(from(messages).messages, messages)
  })

  it("may be options, which it keeps", () => {
    const request = from({
      prompt: "Hi",
      temperature: 0.5,
      topP: 1,
      topK: 3,
      maxTokens: 10,
      stop: ["END"],
      seed: -1,
      frequencyPenalty: -0.5,
      presencePenalty: 0.5,
      providerOptions: { openai: { logit_bias: {} } },
      options: { cacheKey: "cheese", cacheTtl: "1 hour" }
    })
    assert.deepStrictEqual(request, {
      [ChatRequest.TypeId]: ChatRequest.TypeId,
      messages: [{ role: "user", content: "Hi" }],
      temperature: 0.5,
      topP: 1,
      topK: 3,
      maxTokens: 10,
      stop: ["END"],
      seed: -1,
      frequencyPenalty: -0.5,
      presencePenalty: 0.5,
      providerOptions: { openai: { logit_bias: {} } },
      options: { cacheKey: "cheese", cacheTtl: "1 hour" }
    })
  })

  it("may be one that was checked before", () => {
    const request = from("Hi")
    assert.strictEqual(from(request), request)
    assert.isTrue(ChatRequest.isChatRequest(request))
    assert.isFalse(ChatRequest.isChatRequest({ messages: request.messages }))
  })

  it("has the instructions first, and the prompt last", () => {
    const request = from({
      system: "Be brief.",
      prompt: "Bye",
      messages: [Message.user("Hi"), Message.assistant("Hello.")]
    })
    assert.deepStrictEqual(request.messages, [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello." },
      { role: "user", content: "Bye" }
    ])
  })

  it("takes options that are undefined as absent", () => {
    assert.deepStrictEqual(
      from({ prompt: "Hi", messages: undefined, system: undefined, temperature: undefined }).messages,
      [{ role: "user", content: "Hi" }]
    )
  })

  it("takes every kind of part", () => {
    const messages: ReadonlyArray<Message.Message> = [
      Message.user([{ type: "text", text: "Hi" }]),
      Message.assistant([
        { type: "reasoning", text: "hm", opaque: { provider: "anthropic", data: { signature: "x" } } },
        { type: "text", text: "Hello" },
        { type: "tool-call", id: "a", name: "f", arguments: "{}" }
      ]),
      Message.toolResults([{ type: "tool-result", id: "a", name: "f", result: "1", isError: true }])
    ]
    assert.deepStrictEqual(from(messages).messages, messages)
  })

  it("does not change with the list that it was made from", () => {
    const messages: Array<Message.Message> = [Message.user("Hi")]
    const request = from(messages)
    messages.push(Message.user("Bye"))
    assert.strictEqual(request.messages.length, 1)
  })
})

describe("a request that is wrong", () => {
  it("names messages if there is neither a prompt nor a message", () => {
    for (const input of [[], {}, { messages: [] }, { system: "Be brief." }]) {
      assert.strictEqual(errorOf(input).field, "messages")
    }
  })

  const user = { role: "user", content: "Hi" }
  const says = (part: unknown) => [{ role: "user", content: [{ type: "text", text: "Look:" }, part] }]
  const shows = (source: unknown, more: object = {}) => says({ type: "image", source, ...more })
  const call = (id: string) => ({ type: "tool-call", id, name: "f", arguments: "{}" })
  const result = (id: string) => ({ type: "tool-result", id, name: "f", result: "1" })
  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["temperature", { prompt: "Hi", temperature: "hot" }],
    ["temperature", { prompt: "Hi", temperature: -1 }],
    ["temperature", { prompt: "Hi", temperature: Number.NaN }],
    ["temperature", { prompt: "Hi", temperature: null }],
    ["topP", { prompt: "Hi", topP: 1.5 }],
    ["topK", { prompt: "Hi", topK: 0 }],
    ["topK", { prompt: "Hi", topK: 1.5 }],
    ["maxTokens", { prompt: "Hi", maxTokens: 0 }],
    ["maxTokens", { prompt: "Hi", maxTokens: 1.5 }],
    ["stop", { prompt: "Hi", stop: "END" }],
    ["stop[1]", { prompt: "Hi", stop: ["END", ""] }],
    ["seed", { prompt: "Hi", seed: 0.5 }],
    ["frequencyPenalty", { prompt: "Hi", frequencyPenalty: "x" }],
    ["presencePenalty", { prompt: "Hi", presencePenalty: Number.POSITIVE_INFINITY }],
    ["prompt", { prompt: 5 }],
    ["system", { prompt: "Hi", system: ["x"] }],
    ["messages", { messages: "Hi" }],
    ["messages[0]", ["Hi"]],
    ["messages[0].role", [{ role: "robot", content: "Hi" }]],
    ["messages[0].role", [{ content: "Hi" }]],
    ["messages[1].content", [user, { role: "user", content: 5 }]],
    ["messages[1].content", [user, { role: "assistant" }]],
    ["messages[1].content", [user, { role: "tool", content: "x" }]],
    [
      "messages[0].content[1].text",
      [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: 5 }
          ]
        }
      ]
    ],
    [
      "messages[0].content[0].arguments",
      [{ role: "assistant", content: [{ type: "tool-call", id: "a", name: "f", arguments: {} }] }]
    ],
    [
      "messages[0].content[0].result",
      [{ role: "tool", content: [{ type: "tool-result", id: "a", name: "f" }] }]
    ],
    ["messages[0].name", [{ role: "user", content: "Hi", name: "Ada" }]],
    ["messages[0].content[1].type", says({ type: "audio" })],
    ["messages[0].content[1].source", says({ type: "image" })],
    ["messages[0].content[1].source", says({ type: "image", source: "https://example.com/cat.png" })],
    ["messages[0].content[1].source.url", shows({})],
    ["messages[0].content[1].source.url", shows({ url: "" })],
    ["messages[0].content[1].source.url", shows({ url: "cat.png" })],
    ["messages[0].content[1].source.url", shows({ url: "data:image/png;base64,AAAA" })],
    ["messages[0].content[1].source.mediaType", shows({ url: "https://a.b/c", mediaType: "image/png" })],
    ["messages[0].content[1].source.mediaType", shows({ data: "AAAA" })],
    ["messages[0].content[1].source.mediaType", shows({ data: "AAAA", mediaType: "" })],
    ["messages[0].content[1].source.mediaType", shows({ data: "AAAA", mediaType: "png" })],
    [
      "messages[0].content[1].source.mediaType",
      shows({ data: "AAAA", mediaType: "text/plain; charset=utf-8" })
    ],
    ["messages[0].content[1].source.data", shows({ data: "", mediaType: "image/png" })],
    ["messages[0].content[1].source.data", shows({ data: "AAA", mediaType: "image/png" })],
    ["messages[0].content[1].source.data", shows({ data: "AA-_", mediaType: "image/png" })],
    ["messages[0].content[1].source.data", shows({ data: "AAAA\nAAA", mediaType: "image/png" })],
    [
      "messages[0].content[1].source.data",
      shows({ data: "data:image/png;base64,AAAA", mediaType: "image/png" })
    ],
    ["messages[0].content[1].source.data", shows({ data: new Uint8Array(3), mediaType: "image/png" })],
    ["messages[0].content[1].detail", shows({ url: "https://a.b/c" }, { detail: "most" })],
    ["messages[0].content[1].filename", shows({ url: "https://a.b/c" }, { type: "file", filename: "" })],
    [
      "messages[0].content[0].type",
      [{ role: "assistant", content: [{ type: "image", source: { url: "https://a.b/c" } }] }]
    ],
    ["tools", { prompt: "Hi", tools: "get_weather" }],
    ["tools[1]", { prompt: "Hi", tools: [Tool.make("a"), { name: "b" }] }],
    ["toolChoice", { prompt: "Hi", toolChoice: "force" }],
    ["toolChoice.tool", { prompt: "Hi", toolChoice: { tool: "" } }],
    ["toolChoice.name", { prompt: "Hi", toolChoice: { name: "a" } }],
    ["parallelToolCalls", { prompt: "Hi", parallelToolCalls: "no" }],
    ["reasoningEffort", { prompt: "Hi", reasoningEffort: "most" }],
    ["output.name", { prompt: "Hi", output: { jsonSchema: { type: "object" } } }],
    ["output.name", { prompt: "Hi", output: { name: "my value", jsonSchema: { type: "object" } } }],
    ["output.name", { prompt: "Hi", output: { name: "x".repeat(65), jsonSchema: { type: "object" } } }],
    ["output.jsonSchema", { prompt: "Hi", output: { name: "a" } }],
    ["output.jsonSchema", { prompt: "Hi", output: { name: "a", jsonSchema: { type: "string" } } }],
    ["output.check", { prompt: "Hi", output: { name: "a", jsonSchema: { type: "object" }, check: true } }],
    ["output.schema", { prompt: "Hi", output: { name: "a", jsonSchema: { type: "object" }, schema: {} } }],
    ["messages[1].content[0].id", [user, { role: "tool", content: [result("a")] }]],
    [
      "messages[2].content[1].id",
      [
        user,
        { role: "assistant", content: [call("a")] },
        { role: "tool", content: [result("a"), result("b")] }
      ]
    ],
    [
      "messages[0].content[0].id",
      [
        { role: "tool", content: [result("a")] },
        { role: "assistant", content: [call("a")] }
      ]
    ],
    ["providerOptions.openai", { prompt: "Hi", providerOptions: { openai: 5 } }],
    ["options", { prompt: "Hi", options: null }],
    ["options", { prompt: "Hi", options: ["cacheKey"] }],
    ["temprature", { prompt: "Hi", temprature: 1 }],
    ["max_tokens", { prompt: "Hi", max_tokens: 1 }],
    ["request", 5],
    ["request", null],
    ["request", undefined]
  ]
  for (const [field, input] of wrong) {
    it(`names ${field} in ${JSON.stringify(input)}`, () => {
      const error = errorOf(input)
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual(error.field, field)
      assert.include(error.message, field === "request" ? "a prompt, a list of messages" : field)
    })
  }

  it("does not quote a whole conversation", () => {
    const { message } = errorOf([{ role: "user", content: { long: "x".repeat(100_000) } }])
    assert.isBelow(message.length, 400)
  })

  it("does not quote an image", () => {
    const data = "!".repeat(3_000_000)
    for (const source of [
      { data, mediaType: "image/png" },
      { data: Buffer.from(data), mediaType: "image/png" }
    ]) {
      assert.isBelow(errorOf(shows(source)).message.length, 400)
    }
  })

  it("never throws, whatever JavaScript passes", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue(),
        (input) => void ChatRequest.fromInput(input as ChatRequest.Input)
      )
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue(),
        (content) =>
          void ChatRequest.fromInput([{ role: "assistant", content }] as unknown as ChatRequest.Input)
      )
    )
  })
})

describe("images and files", () => {
  const sources = (...parts: ReadonlyArray<Message.UserPart>) =>
    parts.map((part) => (part.type === "text" ? undefined : part.source))

  it("are taken by URL of any scheme, and as bytes", () => {
    const parts = [
      Message.image("https://example.com/cat.png", { detail: "low" }),
      Message.image(new URL("https://example.com/cat.png")),
      Message.file("gs://bucket/invoice.pdf", { filename: "invoice.pdf" }),
      Message.image({ data: new Uint8Array([1, 2, 3, 4]), mediaType: "image/png" }),
      Message.file({ data: "AQIDBA==", mediaType: "application/vnd.api+json" })
    ]
    assert.deepStrictEqual(from([Message.user(parts)]).messages, [{ role: "user", content: parts }])
    assert.deepStrictEqual(sources(...parts).slice(3), [
      { data: "AQIDBA==", mediaType: "image/png" },
      { data: "AQIDBA==", mediaType: "application/vnd.api+json" }
    ])
  })

  it("of a data: URL become bytes", () => {
    const url = "data:image/png;base64,AQIDBA=="
    const bytes = { data: "AQIDBA==", mediaType: "image/png" }
    assert.deepStrictEqual(sources(Message.image(url), Message.file(new URL(url))), [bytes, bytes])
  })

  it("of any bytes are taken", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ minLength: 1 }), (data) => {
        from([Message.user([Message.image({ data, mediaType: "image/png" })])])
      })
    )
  })
})

describe("tools and their choice", () => {
  const a = Tool.make("a", { parameters: Schema.Struct({ x: Schema.String }) })
  const b = Tool.make("b")
  const wrong = (options: ChatRequest.Options, defaults: ChatRequest.Defaults = {}) => {
    const error = ChatRequest.wrongToolUse(ChatRequest.withDefaults(from(options), defaults))
    return error === undefined ? undefined : [error._tag, error.field]
  }

  it("fit together", () => {
    const tools = [a, b]
    assert.isUndefined(wrong({ prompt: "Hi" }))
    assert.isUndefined(wrong({ prompt: "Hi", tools }))
    for (const toolChoice of ["auto", "none", "required", { tool: "b" }] as const) {
      assert.isUndefined(wrong({ prompt: "Hi", tools, toolChoice }))
    }
  })

  it("name the tool whose name is there twice, or that no vendor takes", () => {
    assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [a, b, a] }), ["InvalidRequest", "tools[2].name"])
    for (const name of ["", "two words", "füllen", "x".repeat(65), "a.b"]) {
      assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [b, Tool.make(name)] }), [
        "InvalidRequest",
        "tools[1].name"
      ])
    }
    assert.isUndefined(wrong({ prompt: "Hi", tools: [Tool.make(`get-${"x".repeat(60)}`)] }))
  })

  it("name the tool whose Schema cannot become JSON Schema", () => {
    const Big = Tool.make("big", { parameters: Schema.Struct({ n: Schema.BigIntFromSelf }) })
    const List = Tool.make("list", { parameters: Schema.Array(Schema.String) })
    assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [a, Big] }), [
      "InvalidRequest",
      "tools[1].parameters"
    ])
    assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [List] }), ["InvalidRequest", "tools[0].parameters"])
  })

  it("need a tool to choose", () => {
    assert.deepStrictEqual(wrong({ prompt: "Hi", toolChoice: "required" }), ["InvalidRequest", "toolChoice"])
    assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [], toolChoice: "required" }), [
      "InvalidRequest",
      "toolChoice"
    ])
    assert.deepStrictEqual(wrong({ prompt: "Hi", tools: [a], toolChoice: { tool: "c" } }), [
      "InvalidRequest",
      "toolChoice"
    ])
    assert.isUndefined(wrong({ prompt: "Hi", toolChoice: "none" }))
  })

  it("may come from the request and from the model's defaults", () => {
    const defaults = { tools: [a] }
    assert.isUndefined(wrong({ prompt: "Hi", toolChoice: "required" }, defaults))
    assert.isUndefined(wrong({ prompt: "Hi", toolChoice: { tool: "a" } }, defaults))
    assert.isUndefined(wrong({ prompt: "Hi", tools: [b] }, { toolChoice: { tool: "b" } }))
    assert.deepStrictEqual(wrong({ prompt: "Hi", toolChoice: { tool: "a" }, tools: [b] }, defaults), [
      "InvalidRequest",
      "toolChoice"
    ])
  })

  it.effect("that are wrong fail before anything is sent, with the model's defaults in mind", () =>
    Effect.gen(function* () {
      const fieldOf = (
        model: ChatModel.With<OpenAi.OpenAi | AiGateway.AiGateway>,
        options: ChatRequest.Options
      ) =>
        Effect.map(Effect.flip(model.chat(options)), (error) =>
          error._tag === "InvalidRequest" ? error.field : error._tag
        )
      const plain = OpenAi.model("gpt-4.1-mini")
      const equipped = OpenAi.model("gpt-4.1-mini", { tools: [a] })
      assert.strictEqual(yield* fieldOf(plain, { prompt: "Hi", toolChoice: "required" }), "toolChoice")
      assert.strictEqual(yield* fieldOf(equipped, { prompt: "Hi", toolChoice: { tool: "b" } }), "toolChoice")
      assert.strictEqual(yield* fieldOf(plain, { prompt: "Hi", tools: [a, a] }), "tools[1].name")
      const gateway = yield* LocalGateway.Gateway
      assert.strictEqual(gateway.requests().length, 0)
      const answer = yield* equipped.chat({ prompt: "Hi", toolChoice: "required" })
      assert.strictEqual(answer.toolCalls[0]?.name, "a")
      assert.strictEqual(answer.finishReason, "tool-calls")
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
  )

  it("a tool result without its call names the place; one with it is fine, whenever it was called", () => {
    const call = { type: "tool-call", id: "a", name: "a", arguments: "{}" } as const
    const result = { type: "tool-result", id: "a", name: "a", result: "1" } as const
    const conversation = [
      Message.user("Hi"),
      Message.assistant([call]),
      Message.toolResults([result]),
      Message.assistant("One."),
      Message.user("And?")
    ]
    assert.deepStrictEqual(from(conversation).messages, conversation)
    assert.strictEqual(errorOf(conversation.slice(2)).field, "messages[0].content[0].id")
    assert.include(errorOf(conversation.slice(2)).message, '"a"')
    // The place is one in the caller's own list.
    assert.strictEqual(
      errorOf({ system: "Be brief.", messages: conversation.slice(2) }).field,
      "messages[0].content[0].id"
    )
  })
})

describe("defaults", () => {
  it("fill in what a request leaves open", () => {
    const request = ChatRequest.withDefaults(from({ prompt: "Hi", temperature: 0 }), {
      temperature: 1,
      maxTokens: 9
    })
    assert.strictEqual(request.temperature, 0)
    assert.strictEqual(request.maxTokens, 9)
    assert.deepStrictEqual(request.messages, [{ role: "user", content: "Hi" }])
    assert.isTrue(ChatRequest.isChatRequest(request))
  })

  it("fill in what a request says is undefined", () => {
    const request = ChatRequest.withDefaults(from({ prompt: "Hi", seed: undefined }), { seed: 7 })
    assert.strictEqual(request.seed, 7)
  })

  it("put instructions before a conversation that has none", () => {
    assert.deepStrictEqual(ChatRequest.withDefaults(from("Hi"), { system: "Be brief." }).messages, [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" }
    ])
  })

  it("leave a conversation its own instructions", () => {
    const request = from({ prompt: "Hi", system: "Be long." })
    assert.deepStrictEqual(
      ChatRequest.withDefaults(request, { system: "Be brief." }).messages,
      request.messages
    )
  })

  it("merge a vendor's fields, vendor by vendor and field by field", () => {
    const request = from({ prompt: "Hi", providerOptions: { openai: { a: 1 }, mistral: { c: 3 } } })
    const defaults = { providerOptions: { openai: { a: 0, b: 2 }, groq: { d: 4 } } }
    assert.deepStrictEqual(ChatRequest.withDefaults(request, defaults).providerOptions, {
      openai: { a: 1, b: 2 },
      groq: { d: 4 },
      mistral: { c: 3 }
    })
  })

  it("merge gateway options, and metadata entry by entry", () => {
    const request = from({ prompt: "Hi", options: { cacheKey: "a", metadata: { b: 2 } } })
    const defaults = { options: { cacheKey: "z", zdr: true, metadata: { a: 1, b: 0 } } }
    assert.deepStrictEqual(ChatRequest.withDefaults(request, defaults).options, {
      cacheKey: "a",
      zdr: true,
      metadata: { a: 1, b: 2 }
    })
  })

  it("keep the request's own options if they have none", () => {
    const request = from({ prompt: "Hi", options: { cacheKey: "a" }, providerOptions: { openai: { a: 1 } } })
    const merged = ChatRequest.withDefaults(request, {})
    assert.deepStrictEqual(merged.options, { cacheKey: "a" })
    assert.deepStrictEqual(merged.providerOptions, { openai: { a: 1 } })
  })

  it("leave the request as it was", () => {
    const request = from("Hi")
    ChatRequest.withDefaults(request, { system: "Be brief.", temperature: 1 })
    assert.deepStrictEqual(request, from("Hi"))
  })
})
