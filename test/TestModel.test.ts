import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream, TestClock } from "effect"
import { AiGatewayError, ChatModel, TestModel } from "effect-ai-gateway"

const limited = new AiGatewayError.RateLimited({ message: "slow down" })

describe("a scripted model", () => {
  it.effect("gives its replies in order, to chat and to streams alike", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ChatModel.chat("a")).text, "one")
      assert.strictEqual((yield* ChatModel.collect(ChatModel.streamChat("b"))).text, "two")
      assert.strictEqual((yield* Effect.flip(ChatModel.chat("c")))._tag, "RateLimited")
      assert.strictEqual((yield* ChatModel.complete("d")).text, "you said d")
    }).pipe(
      Effect.provide(
        TestModel.layer([
          "one",
          "two",
          limited,
          (request) => `you said ${String(request.messages[0]?.content)}`
        ])
      )
    )
  )

  it.effect("tells what it was asked", () =>
    Effect.gen(function* () {
      const model = TestModel.make(["one"])
      yield* model.chat({ prompt: "hi", system: "be brief", temperature: 0.5 })
      const [request] = model.requests()
      assert.deepStrictEqual(
        request?.messages.map((message) => message.role),
        ["system", "user"]
      )
      assert.strictEqual(request?.temperature, 0.5)
    })
  )

  it.effect("streams the pieces, reasoning, tool calls, usage and one finish", () =>
    Effect.gen(function* () {
      const reply = TestModel.answer(["Hel", "lo"], {
        reasoning: "hm",
        toolCalls: [{ name: "search", arguments: { q: "brie" } }],
        usage: { input: 1, output: 2, total: 3 }
      })
      const model = TestModel.make([reply, reply])
      const events = [...(yield* Stream.runCollect(model.streamChat("hi")))]
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["Start", "ReasoningDelta", "TextDelta", "TextDelta", "ToolCallDelta", "ToolCall", "Usage", "Finish"]
      )
      const whole = yield* model.chat("hi")
      assert.strictEqual(whole.finishReason, "tool-calls")
      assert.deepStrictEqual(whole.toolCalls[0]?.arguments, '{"q":"brie"}')
      assert.deepStrictEqual(whole.usage, { input: 1, output: 2, total: 3 })
    })
  )

  it.effect("waits as the script says, on the test's clock", () =>
    Effect.gen(function* () {
      const model = TestModel.make([TestModel.answer("late", { delay: "10 seconds" })])
      const fiber = yield* Effect.fork(model.chat("hi"))
      yield* TestClock.adjust("9 seconds")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).text, "late")
    })
  )

  it.effect("breaks a stream behind its text", () =>
    Effect.gen(function* () {
      const model = TestModel.make([TestModel.broken(["Hel", "lo"], limited)])
      const error = yield* Effect.flip(Stream.runDrain(model.streamChat("hi")))
      assert.isTrue(error._tag === "StreamBroken" && error.delivered.text === "Hello")
      assert.strictEqual(AiGatewayError.lastCause(error)._tag, "RateLimited")
    })
  )

  it.effect("calls tools, one or several, and gives values as JSON in pieces", () =>
    Effect.gen(function* () {
      const model = TestModel.make([
        TestModel.toolCall("search", { q: "brie" }, { id: "a", text: "Let me look." }),
        TestModel.toolCall("search", '{"q":'),
        TestModel.toolCalls([
          { name: "now", arguments: undefined },
          { id: "b", name: "search", arguments: {} }
        ]),
        TestModel.object({ name: "Brie de Meaux" }, { size: 10 })
      ])
      const called = yield* model.chat("hi")
      assert.strictEqual(called.text, "Let me look.")
      assert.strictEqual(called.finishReason, "tool-calls")
      assert.deepStrictEqual(called.toolCalls, [
        { type: "tool-call", id: "a", name: "search", arguments: '{"q":"brie"}' }
      ])
      assert.strictEqual((yield* model.chat("hi")).toolCalls[0]?.arguments, '{"q":')
      assert.deepStrictEqual(
        (yield* model.chat("hi")).toolCalls.map(({ id, arguments: args }) => [id, args]),
        [
          ["call_0", "{}"],
          ["b", "{}"]
        ]
      )
      const pieces = [...(yield* Stream.runCollect(model.streamComplete("hi")))]
      assert.deepStrictEqual(pieces, ['{"name":"B', "rie de Mea", 'ux"}'])
    })
  )

  it.effect("refuses tools that every other model refuses", () =>
    Effect.gen(function* () {
      const model = TestModel.make(["one"])
      const error = yield* Effect.flip(model.chat({ prompt: "hi", toolChoice: "required" }))
      assert.isTrue(error._tag === "InvalidRequest" && error.field === "toolChoice")
      assert.deepStrictEqual(model.requests(), [])
    })
  )

  it.effect("stands in a list as any model does", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([TestModel.make([limited]), TestModel.make(["two"])])
      const answer = yield* list.chat("hi")
      assert.strictEqual(answer.text, "two")
      assert.deepStrictEqual(
        answer.attempts.map((attempt) => attempt.error._tag),
        ["RateLimited"]
      )
    })
  )

  it.effect("says how many replies it had when one more is asked for", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(TestModel.make([]).chat("hi"))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "0 replies")
    })
  )
})
