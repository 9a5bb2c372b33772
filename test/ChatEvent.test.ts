import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as ChatEvent from "../src/ChatEvent.js"
import * as ChatRequest from "../src/ChatRequest.js"
import { RateLimited } from "../src/internal/errors.js"
import * as Message from "../src/Message.js"

const text = (text: string): ChatEvent.ChatEvent => ({ _tag: "TextDelta", text })
const reasoning = (text: string): ChatEvent.ChatEvent => ({ _tag: "ReasoningDelta", text })
const opaque = (data: unknown): ChatEvent.ChatEvent => ({
  _tag: "ReasoningOpaque",
  provider: "anthropic",
  data
})
const call = (index: number, name: string): ReadonlyArray<ChatEvent.ChatEvent> => [
  { _tag: "ToolCallDelta", index, name, arguments: "" },
  { _tag: "ToolCallDelta", index, name, arguments: "{}" },
  { _tag: "ToolCall", index, id: `call_${index}`, name, arguments: "{}" }
]
const finish: ChatEvent.ChatEvent = {
  _tag: "Finish",
  finishReason: "stop",
  rawFinishReason: "end_turn",
  usage: { input: 1, output: 2, total: 3 },
  model: "claude-x-2025"
}

describe("an answer put together from a stream", () => {
  it("joins the text", () => {
    const response = ChatEvent.fold([text("Hel"), text("lo"), finish])
    assert.strictEqual(response.text, "Hello")
    assert.deepStrictEqual(response.message, { role: "assistant", content: "Hello" })
  })

  it("keeps reasoning apart from text", () => {
    const response = ChatEvent.fold([reasoning("h"), reasoning("m"), text("Hello"), finish])
    assert.strictEqual(response.reasoning, "hm")
    assert.deepStrictEqual(response.message.content, [
      { type: "reasoning", text: "hm" },
      { type: "text", text: "Hello" }
    ])
  })

  it("keeps text, reasoning and tool calls in their order", () => {
    const response = ChatEvent.fold([
      text("a"),
      ...call(0, "f"),
      text("b"),
      reasoning("c"),
      ...call(1, "g"),
      finish
    ])
    assert.deepStrictEqual(response.message.content, [
      { type: "text", text: "a" },
      { type: "tool-call", id: "call_0", name: "f", arguments: "{}" },
      { type: "text", text: "b" },
      { type: "reasoning", text: "c" },
      { type: "tool-call", id: "call_1", name: "g", arguments: "{}" }
    ])
    assert.deepStrictEqual(
      response.toolCalls.map((call) => call.name),
      ["f", "g"]
    )
  })

  it("signs the reasoning that came before the signature", () => {
    const response = ChatEvent.fold([reasoning("hm"), opaque("sig"), text("Hello"), finish])
    assert.deepStrictEqual(response.message.content, [
      { type: "reasoning", text: "hm", opaque: { provider: "anthropic", data: "sig" } },
      { type: "text", text: "Hello" }
    ])
  })

  it("keeps a signature without readable reasoning", () => {
    const response = ChatEvent.fold([text("a"), opaque("x"), opaque("y"), finish])
    assert.deepStrictEqual(response.message.content, [
      { type: "text", text: "a" },
      { type: "reasoning", text: "", opaque: { provider: "anthropic", data: "x" } },
      { type: "reasoning", text: "", opaque: { provider: "anthropic", data: "y" } }
    ])
  })

  it("makes no part of empty deltas", () => {
    const response = ChatEvent.fold([
      reasoning(""),
      text(""),
      reasoning("a"),
      text(""),
      reasoning("b"),
      finish
    ])
    assert.deepStrictEqual(response.message.content, [{ type: "reasoning", text: "ab" }])
  })

  it("joins a refusal", () => {
    const response = ChatEvent.fold([
      { _tag: "RefusalDelta", text: "I " },
      { _tag: "RefusalDelta", text: "cannot." },
      finish
    ])
    assert.strictEqual(response.refusal, "I cannot.")
    assert.strictEqual(response.text, "")
  })

  it("collects citations without breaking the text", () => {
    const citation = { url: "https://a.example", raw: {} }
    const response = ChatEvent.fold([text("a"), { _tag: "Citation", citation }, text("b"), finish])
    assert.deepStrictEqual(response.citations, [citation])
    assert.deepStrictEqual(response.message.content, "ab")
  })

  it("knows how it finished, what it cost and which model it was", () => {
    const response = ChatEvent.fold([text("a"), { _tag: "Usage", usage: { input: 1 } }, finish])
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "end_turn")
    assert.deepStrictEqual(response.usage, { input: 1, output: 2, total: 3 })
    assert.strictEqual(response.model, "claude-x-2025")
  })

  it("knows who answered, and who did not", () => {
    const attempt = {
      leg: 0,
      provider: "openai",
      model: "gpt-5-mini",
      error: new RateLimited({ message: "no" }),
      duration: Duration.millis(5)
    }
    const response = ChatEvent.fold([
      {
        _tag: "Start",
        provider: "anthropic",
        model: "claude-x",
        gateway: { logId: "01" },
        attempts: [attempt]
      },
      text("a"),
      { _tag: "Finish", finishReason: "stop", usage: {} }
    ])
    assert.strictEqual(response.provider, "anthropic")
    assert.strictEqual(response.model, "claude-x")
    assert.deepStrictEqual(response.gateway, { logId: "01" })
    assert.deepStrictEqual(response.attempts, [attempt])
  })

  it("may be empty", () => {
    const response = ChatEvent.fold([finish])
    assert.strictEqual(response.text, "")
    assert.deepStrictEqual(response.message, { role: "assistant", content: [] })
    assert.deepStrictEqual(response.toolCalls, [])
  })

  it("has finished for an unknown reason if the stream did not", () => {
    assert.strictEqual(ChatEvent.fold([text("a")]).finishReason, "other")
  })

  it("can be looked at while it grows", () => {
    const folder = ChatEvent.makeFolder()
    folder.add(text("Hel"))
    const early = folder.response()
    folder.add(text("lo"))
    folder.add(finish)
    assert.strictEqual(early.text, "Hel")
    assert.strictEqual(early.finishReason, "other")
    assert.strictEqual(folder.response().text, "Hello")
    assert.strictEqual(folder.response().text, "Hello")
  })

  it("is a message that the next request takes, also after storing it as JSON", () => {
    const { message } = ChatEvent.fold([
      reasoning("hm"),
      opaque({ signature: "s" }),
      text("a"),
      ...call(0, "f"),
      finish
    ])
    const stored = JSON.parse(JSON.stringify(message)) as Message.Message
    assert.deepStrictEqual(stored, message)
    const request = ChatRequest.fromInput([Message.user("Hi"), stored, Message.user("And?")])
    assert.deepStrictEqual(Either.getOrThrow(request).messages[1], message)
    assert.strictEqual(Message.text(message), "a")
  })
})

describe("an event that a reader would see", () => {
  const seen: ReadonlyArray<ChatEvent.ChatEvent> = [
    text("a"),
    reasoning("a"),
    { _tag: "RefusalDelta", text: "a" },
    { _tag: "Citation", citation: { raw: {} } },
    ...call(0, "f")
  ]
  const unseen: ReadonlyArray<ChatEvent.ChatEvent> = [
    text(""),
    reasoning(""),
    { _tag: "RefusalDelta", text: "" },
    opaque("x"),
    { _tag: "Usage", usage: {} },
    { _tag: "Start", provider: "openai", model: "m", gateway: {}, attempts: [] },
    finish
  ]
  for (const event of seen) {
    it(`is ${JSON.stringify(event)}`, () => {
      assert.isTrue(ChatEvent.isContent(event))
    })
  }
  for (const event of unseen) {
    it(`is not ${JSON.stringify(event)}`, () => {
      assert.isFalse(ChatEvent.isContent(event))
    })
  }
})
