import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ChatRequest from "../src/ChatRequest.js"
import * as Message from "../src/Message.js"

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
