/** A model that uses tools until it answers. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Redacted,
  Ref,
  Schema,
  Stream,
  TestClock,
  type Tracer
} from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  ChatModel,
  LocalGateway,
  Message,
  OpenAi,
  TestModel,
  Tool
} from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
const Time = Tool.make("get_time", { parameters: Schema.Struct({ zone: Schema.String }) })

const weather = Tool.handle(Weather, ({ city }) => Effect.succeed(`sunny in ${city}`))
const time = Tool.handle(Time, ({ zone }) => Effect.succeed(`noon in ${zone}`))

const callOslo = TestModel.toolCall("get_weather", { city: "Oslo" })
const callBoth = TestModel.toolCalls([
  { id: "a", name: "get_weather", arguments: { city: "Oslo" } },
  { id: "b", name: "get_time", arguments: { zone: "CET" } }
])

describe("runTools", () => {
  it.effect("asks, carries out what the model calls, and asks again until it answers", () =>
    Effect.gen(function* () {
      const model = TestModel.make([
        callOslo,
        TestModel.toolCall("get_time", { zone: "CET" }, { id: "b" }),
        "Sunny, at noon."
      ])
      const run = yield* model.runTools("How is Oslo?", { tools: [weather, time] })
      assert.strictEqual(run.response.text, "Sunny, at noon.")
      assert.strictEqual(run.turns.length, 3)
      assert.deepStrictEqual(
        run.turns.map(({ results }) => results.map(({ result }) => result)),
        [["sunny in Oslo"], ["noon in CET"], []]
      )
      assert.deepStrictEqual(run.messages, [
        Message.user("How is Oslo?"),
        Message.assistant([
          { type: "tool-call", id: "call_0", name: "get_weather", arguments: '{"city":"Oslo"}' }
        ]),
        Message.toolResults([
          { type: "tool-result", id: "call_0", name: "get_weather", result: "sunny in Oslo" }
        ]),
        Message.assistant([{ type: "tool-call", id: "b", name: "get_time", arguments: '{"zone":"CET"}' }]),
        Message.toolResults([{ type: "tool-result", id: "b", name: "get_time", result: "noon in CET" }]),
        Message.assistant("Sunny, at noon.")
      ])
      const [first, second] = model.requests()
      assert.deepStrictEqual(
        first?.tools?.map(({ name }) => name),
        ["get_weather", "get_time"]
      )
      assert.deepStrictEqual(second?.messages, run.messages.slice(0, 3))
    })
  )

  it.effect("is one call of the model if it answers at once", () =>
    Effect.gen(function* () {
      const model = TestModel.make(["Hello."])
      const run = yield* model.runTools([Message.system("Be brief."), Message.user("Hi")], {
        tools: [weather]
      })
      assert.strictEqual(run.turns.length, 1)
      assert.deepStrictEqual(run.messages.at(-1), Message.assistant("Hello."))
      assert.strictEqual(run.messages.length, 3)
    })
  )

  it.effect("is asked of the application's model, with everything that a request may have", () =>
    Effect.gen(function* () {
      const run = yield* ChatModel.runTools(
        { system: "Be brief.", prompt: "How is Oslo?", temperature: 0.5 },
        { tools: [weather] }
      )
      assert.strictEqual(run.response.text, "system user 0.5, then assistant tool")
    }).pipe(
      Effect.provide(
        TestModel.layer([
          callOslo,
          ({ messages, temperature }) =>
            `${messages
              .slice(0, 2)
              .map(({ role }) => role)
              .join(" ")} ${temperature}, then ${messages
              .slice(2)
              .map(({ role }) => role)
              .join(" ")}`
        ])
      )
    )
  )

  it.effect("the messages of a run are ready for the user's next one", () =>
    Effect.gen(function* () {
      const model = TestModel.make([callOslo, "Sunny.", "You are welcome."])
      const run = yield* model.runTools("How is Oslo?", { tools: [weather] })
      const next = yield* model.runTools([...run.messages, Message.user("Thanks")], { tools: [weather] })
      assert.strictEqual(next.response.text, "You are welcome.")
      assert.strictEqual(next.messages.length, run.messages.length + 2)
    })
  )

  it.effect(
    "calls of a vendor that numbers them anew in each answer have ids of their own in the conversation",
    () =>
      Effect.gen(function* () {
        const two = TestModel.toolCalls([
          { name: "get_weather", arguments: { city: "Oslo" } },
          { name: "get_weather", arguments: { city: "Rome" } }
        ])
        const idsIn = (messages: ReadonlyArray<Message.Message>) =>
          messages.flatMap(({ role, content }) =>
            role === "tool"
              ? [content.map(({ id }) => id)]
              : role === "assistant" && typeof content !== "string"
                ? [content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))]
                : []
          )
        const model = TestModel.make([two, two, callOslo, "Sunny.", callOslo, "Still."])
        const run = yield* model.runTools("Hi", { tools: [weather] })
        const first = ["call_0", "call_1"]
        const second = ["call_0_2", "call_1_2"]
        assert.deepStrictEqual(idsIn(run.messages), [
          first,
          first,
          second,
          second,
          ["call_0_3"],
          ["call_0_3"]
        ])
        const next = yield* model.runTools(run.messages, { tools: [weather] })
        assert.deepStrictEqual(idsIn(next.messages).slice(-2), [["call_0_4"], ["call_0_4"]])
      })
  )

  it.effect("the calls of one turn run at the same time, and their results keep the order of the calls", () =>
    Effect.gen(function* () {
      const slow = Tool.handle(Weather, () => Effect.delay(Effect.succeed("slow"), "10 seconds"))
      const fast = Tool.handle(Time, () => Effect.delay(Effect.succeed("fast"), "1 second"))
      const model = TestModel.make([callBoth, "Done."])
      const fiber = yield* Effect.fork(model.runTools("Hi", { tools: [slow, fast] }))
      yield* TestClock.adjust("10 seconds")
      const run = yield* Fiber.join(fiber)
      assert.deepStrictEqual(run.messages[2], {
        role: "tool",
        content: [
          { type: "tool-result", id: "a", name: "get_weather", result: "slow" },
          { type: "tool-result", id: "b", name: "get_time", result: "fast" }
        ]
      })
    })
  )

  it.effect("no more calls run at the same time than concurrency allows", () =>
    Effect.gen(function* () {
      const running = yield* Ref.make(0)
      const most = yield* Ref.make(0)
      const busy = Tool.handle(Weather, () =>
        Effect.acquireUseRelease(
          Effect.flatMap(
            Ref.updateAndGet(running, (n) => n + 1),
            (now) => Ref.update(most, (before) => Math.max(before, now))
          ),
          () => Effect.sleep("1 second"),
          () => Ref.update(running, (n) => n - 1)
        )
      )
      const calls = TestModel.toolCalls(
        Array.from({ length: 6 }, (_, n) => ({
          id: `c${n}`,
          name: "get_weather",
          arguments: { city: `${n}` }
        }))
      )
      const of = (concurrency: number | "unbounded" | undefined) =>
        Effect.gen(function* () {
          yield* Ref.set(most, 0)
          const fiber = yield* Effect.fork(
            TestModel.make([calls, "Done."]).runTools("Hi", { tools: [busy], concurrency })
          )
          yield* TestClock.adjust("6 seconds")
          yield* Fiber.join(fiber)
          return yield* Ref.get(most)
        })
      assert.strictEqual(yield* of(undefined), 6)
      assert.strictEqual(yield* of("unbounded"), 6)
      assert.strictEqual(yield* of(2), 2)
      assert.strictEqual(yield* of(1), 1)
    })
  )

  it.effect("reasoning goes back as it came, with the provider's own form of it", () =>
    Effect.gen(function* () {
      const parts: Message.AssistantMessage["content"] = [
        { type: "reasoning", text: "hm", opaque: { provider: "anthropic", data: { signature: "s" } } },
        { type: "text", text: "Let me look." },
        { type: "tool-call", id: "t", name: "get_weather", arguments: '{"city":"Oslo"}' }
      ]
      const asked: Array<ReadonlyArray<Message.Message>> = []
      const scripted = TestModel.make([callOslo, "Sunny."])
      const thinking = ChatModel.make({
        metadata: scripted.metadata,
        chat: (input) =>
          Effect.map(scripted.chat(input), (answer) => {
            const request = scripted.requests().at(-1)
            asked.push(request?.messages ?? [])
            return answer.toolCalls.length === 0
              ? answer
              : {
                  ...answer,
                  message: Message.assistant(parts),
                  toolCalls: [{ ...answer.toolCalls[0], id: "t" }] as typeof answer.toolCalls
                }
          }),
        streamChat: scripted.streamChat
      })
      yield* thinking.runTools("How is Oslo?", { tools: [weather] })
      assert.deepStrictEqual(asked[1]?.[1], Message.assistant(parts))
    })
  )

  it.effect("tokens are added up over the turns; a count that nobody reported stays absent", () =>
    Effect.gen(function* () {
      const model = TestModel.make([
        { ...callOslo, usage: { input: 10, output: 2, cacheRead: 4 } },
        { ...callOslo, usage: {} },
        TestModel.answer("Done.", { usage: { input: 30, output: 5, total: 35 } })
      ])
      const run = yield* model.runTools("Hi", { tools: [weather] })
      assert.deepStrictEqual(run.usage, { input: 40, output: 7, cacheRead: 4, total: 35 })
      assert.deepStrictEqual((yield* TestModel.make(["Hi"]).runTools("Hi", { tools: [weather] })).usage, {})
    })
  )
})

describe("a run that does not end by itself", () => {
  it.effect("has 8 turns, and then says so", () =>
    Effect.gen(function* () {
      const model = TestModel.make(Array.from({ length: 20 }, () => callOslo))
      const error = yield* Effect.flip(model.runTools("Hi", { tools: [weather] }))
      assert.strictEqual(error._tag, "TurnLimitReached")
      if (error._tag !== "TurnLimitReached") return
      assert.strictEqual(error.turns, 8)
      assert.strictEqual(model.requests().length, 8)
      assert.strictEqual(error.response.toolCalls[0]?.name, "get_weather")
      assert.deepStrictEqual(error.messages.at(-1), error.response.message)
      assert.strictEqual(error.messages.length, 1 + 7 * 2 + 1)
      assert.include(error.message, "8 turns")
      assert.isFalse(AiGatewayError.isAiGatewayError(error))
    })
  )

  it.effect("has as many turns as it is given, and the calls of the last one are not carried out", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = Tool.handle(Weather, () => Effect.sync(() => ++runs))
      const limit = (maxTurns: number) =>
        Effect.flip(
          TestModel.make([callOslo, callOslo, callOslo]).runTools("Hi", { tools: [counted], maxTurns })
        )
      assert.include((yield* limit(1)).message, "only turn")
      assert.strictEqual(runs, 0)
      assert.strictEqual((yield* limit(3))._tag, "TurnLimitReached")
      assert.strictEqual(runs, 2)
      const enough = TestModel.make([callOslo, "Done."]).runTools("Hi", { tools: [weather], maxTurns: 2 })
      assert.strictEqual((yield* enough).turns.length, 2)
    })
  )

  it.effect("a forced tool is forced in the first turn only", () =>
    Effect.gen(function* () {
      const choices = (toolChoice: "auto" | "none" | "required" | { readonly tool: string } | undefined) =>
        Effect.gen(function* () {
          const model = TestModel.make([callOslo, callOslo, "Done."])
          yield* model.runTools({ prompt: "Hi", toolChoice }, { tools: [weather] })
          return model.requests().map((request) => request.toolChoice)
        })
      assert.deepStrictEqual(yield* choices("required"), ["required", "auto", "auto"])
      assert.deepStrictEqual(yield* choices({ tool: "get_weather" }), [
        { tool: "get_weather" },
        "auto",
        "auto"
      ])
      assert.deepStrictEqual(yield* choices("none"), ["none", "none", "none"])
      assert.deepStrictEqual(yield* choices(undefined), [undefined, undefined, undefined])
    })
  )

  it.effect("a cache key holds for the first turn only: it would give the first answer for ever", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          openai: LocalGateway.script([
            LocalGateway.toolCall("get_weather", { city: "Oslo" }),
            LocalGateway.text("Sunny.")
          ])
        }
      })
      const asked = <A, E>(effect: Effect.Effect<A, E, OpenAi.OpenAi | AiGateway.AiGateway>) =>
        Effect.provide(effect, live(gateway))
      const model = OpenAi.model("gpt-4.1-mini")
      const run = yield* asked(
        model
          .runTools({ prompt: "Hi", options: { cacheKey: "call" } }, { tools: [weather] })
          .pipe(AiGateway.withOptions({ cacheKey: "region", cacheTtl: "1 hour" }))
      )
      assert.strictEqual(run.response.text, "Sunny.")
      assert.deepStrictEqual(
        gateway.requests().map(({ headers }) => headers["cf-aig-cache-key"]),
        ["call", undefined]
      )
      const events = yield* asked(
        model
          .streamTools("Hi again", { tools: [weather] })
          .pipe(AiGateway.withOptions({ cacheKey: "region" }), Stream.runCollect)
      )
      assert.strictEqual(Chunk.toReadonlyArray(events).at(-1)?._tag, "RunFinish")
    })
  )
})

describe("a call that cannot be carried out", () => {
  const wrong = TestModel.toolCall("get_weather", { town: "Oslo" }, { id: "w" })

  it.effect("ends the run, with the path and what the model wrote, and the answer that it was in", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestModel.make([wrong]).runTools("Hi", { tools: [weather] }))
      assert.strictEqual(error._tag, "InvalidToolCall")
      if (error._tag !== "InvalidToolCall") return
      assert.deepInclude(error, {
        tool: "get_weather",
        id: "w",
        path: "city",
        arguments: '{"town":"Oslo"}',
        provider: "test",
        model: "test-model"
      })
      assert.isTrue(AiGatewayError.isAiGatewayError(error))
    })
  )

  it.effect("says so if the answer was cut off", () =>
    Effect.gen(function* () {
      const cut = TestModel.toolCall("get_weather", '{"city":"Os', { finishReason: "length" })
      const error = yield* Effect.flip(TestModel.make([cut]).runTools("Hi", { tools: [weather] }))
      assert.include(error._tag === "InvalidToolCall" ? error.message : "", "limit of tokens")
    })
  )

  it.effect("ends it before any call of that turn has begun", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = Tool.handle(Time, () => Effect.sync(() => ++runs))
      const mixed = TestModel.toolCalls([
        { id: "a", name: "get_time", arguments: { zone: "CET" } },
        { id: "b", name: "get_weather", arguments: "{" }
      ])
      const error = yield* Effect.flip(TestModel.make([mixed]).runTools("Hi", { tools: [counted, weather] }))
      assert.strictEqual(error._tag, "InvalidToolCall")
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("of a tool that there is not names those that there are", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestModel.make([TestModel.toolCall("get_wether", {})]).runTools("Hi", { tools: [weather, time] })
      )
      assert.include(error._tag === "InvalidToolCall" ? error.message : "", "get_weather, get_time")
    })
  )

  it.effect("is told to the model, if that is wanted, and it tries again", () =>
    Effect.gen(function* () {
      const mixed = TestModel.toolCalls([
        { id: "a", name: "get_time", arguments: { zone: "CET" } },
        { id: "b", name: "get_weather", arguments: { town: "Oslo" } },
        { id: "c", name: "get_wind", arguments: {} }
      ])
      const model = TestModel.make([mixed, callOslo, "Sunny."])
      const run = yield* model.runTools("Hi", { tools: [weather, time], invalidCalls: "report" })
      assert.strictEqual(run.response.text, "Sunny.")
      const [first] = run.turns
      assert.deepStrictEqual(
        first?.results.map(({ id, isError = false }) => [id, isError]),
        [
          ["a", false],
          ["b", true],
          ["c", true]
        ]
      )
      assert.include(first?.results[1]?.result, "city")
      assert.include(first?.results[2]?.result, "get_wind")
    })
  )
})

describe("handlers", () => {
  class Cities extends Context.Tag("Cities")<Cities, { readonly find: (name: string) => string }>() {}
  class NoCity extends Schema.TaggedError<NoCity>()("NoCity", { city: Schema.String }) {}

  it.effect("use the program's services, and their failures end the run", () =>
    Effect.gen(function* () {
      const find = Tool.handle(Weather, ({ city }) =>
        Effect.flatMap(Cities, ({ find }) =>
          city === "Atlantis" ? Effect.fail(new NoCity({ city })) : Effect.succeed(find(city))
        )
      )
      const run = (city: string) =>
        TestModel.make([TestModel.toolCall("get_weather", { city }), "Done."])
          .runTools("Hi", { tools: [find] })
          .pipe(Effect.provideService(Cities, { find: (name) => `${name} it is` }))
      assert.strictEqual((yield* run("Oslo")).turns[0]?.results[0]?.result, "Oslo it is")
      const caught = yield* run("Atlantis").pipe(
        Effect.catchTag("NoCity", ({ city }) => Effect.succeed(city))
      )
      assert.strictEqual(caught, "Atlantis")
    })
  )

  it.effect("tell the model of a ToolFailure, and the run goes on", () =>
    Effect.gen(function* () {
      const sunk = Tool.handle(Weather, () => Effect.fail(new Tool.ToolFailure({ message: "It has sunk." })))
      const model = TestModel.make([callOslo, "It seems to have sunk."])
      const run = yield* model.runTools("Hi", { tools: [sunk] })
      assert.strictEqual(run.turns.length, 2)
      assert.deepStrictEqual(run.turns[0]?.results, [
        { type: "tool-result", id: "call_0", name: "get_weather", result: "It has sunk.", isError: true }
      ])
    })
  )

  it.effect("that are still running when one fails are interrupted", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const endless = Tool.handle(Weather, () =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      )
      const failing = Tool.handle(Time, () => Effect.delay(Effect.fail("broken" as const), "1 second"))
      for (const run of [
        TestModel.make([callBoth]).runTools("Hi", { tools: [endless, failing] }),
        Stream.runDrain(TestModel.make([callBoth]).streamTools("Hi", { tools: [endless, failing] }))
      ]) {
        const fiber = yield* Effect.fork(Effect.flip(run))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(fiber), "broken")
        yield* Deferred.await(interrupted)
      }
    })
  )

  it.effect("are interrupted with the run, and nothing new begins", () =>
    Effect.gen(function* () {
      for (const form of ["whole", "stream"]) {
        let interrupted = 0
        const endless = Tool.handle(Weather, () =>
          Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
        )
        const model = TestModel.make([callOslo, "too far"])
        const run =
          form === "whole"
            ? model.runTools("Hi", { tools: [endless] })
            : Stream.runDrain(model.streamTools("Hi", { tools: [endless] }))
        const fiber = yield* Effect.fork(run)
        yield* TestClock.adjust("1 second")
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause), form)
        assert.strictEqual(interrupted, 1, form)
        assert.strictEqual(model.requests().length, 1, form)
      }
    })
  )

  it.effect("that die end the run as a defect", () =>
    Effect.gen(function* () {
      const bad = Tool.handle(Weather, () => Effect.dieMessage("oops"))
      const exit = yield* Effect.exit(TestModel.make([callOslo]).runTools("Hi", { tools: [bad] }))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
    })
  )

  it.effect("have a span of their own", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.AnySpan> = []
      const traced = Tool.handle(Weather, () =>
        Effect.map(Effect.currentSpan, (span) => {
          spans.push(span)
          return "sunny"
        })
      )
      yield* TestModel.make([callOslo, "Done."])
        .runTools("Hi", { tools: [traced] })
        .pipe(Effect.withSpan("my program"))
      const [span] = spans
      assert.strictEqual(span?._tag === "Span" ? span.name : undefined, "execute_tool get_weather")
      assert.strictEqual(
        span?._tag === "Span" ? span.attributes.get("gen_ai.tool.call.id") : undefined,
        "call_0"
      )
    })
  )
})

describe("a run that is wrong from the start", () => {
  const fieldOf = <A, E extends { readonly _tag: string }>(run: Effect.Effect<A, E>) =>
    Effect.map(Effect.flip(run), (error) =>
      error instanceof AiGatewayError.InvalidRequest ? error.field : error._tag
    )

  it.effect("names what is wrong, and asks nobody", () =>
    Effect.gen(function* () {
      const model = TestModel.make([])
      const Bad = Tool.make("bad", { parameters: Schema.Struct({ n: Schema.BigIntFromSelf }) })
      const noop = () => Effect.void
      assert.strictEqual(yield* fieldOf(model.runTools("Hi", { tools: [weather], maxTurns: 0 })), "maxTurns")
      assert.strictEqual(
        yield* fieldOf(model.runTools("Hi", { tools: [weather], maxTurns: 1.5 })),
        "maxTurns"
      )
      assert.strictEqual(
        yield* fieldOf(model.runTools("Hi", { tools: [weather], concurrency: 0 })),
        "concurrency"
      )
      assert.strictEqual(
        yield* fieldOf(model.runTools("Hi", { tools: [weather, time, weather] })),
        "tools[2].name"
      )
      assert.strictEqual(
        yield* fieldOf(model.runTools("Hi", { tools: [Tool.handle(Tool.make("two words"), noop)] })),
        "tools[0].name"
      )
      assert.strictEqual(
        yield* fieldOf(model.runTools("Hi", { tools: [weather, Tool.handle(Bad, noop)] })),
        "tools[1].parameters"
      )
      assert.strictEqual(
        yield* fieldOf(
          model.runTools({ prompt: "Hi", toolChoice: { tool: "get_wind" } }, { tools: [weather] })
        ),
        "toolChoice"
      )
      assert.strictEqual(
        yield* fieldOf(model.runTools({ prompt: "Hi", toolChoice: "required" }, { tools: [] })),
        "toolChoice"
      )
      const own = { prompt: "Hi", tools: [Weather] }
      // @ts-expect-error tools go into the options, with what they do
      assert.strictEqual(yield* fieldOf(model.runTools(own, { tools: [weather] })), "tools")
      assert.strictEqual(yield* fieldOf(model.runTools([], { tools: [weather] })), "messages")
      assert.strictEqual(
        yield* fieldOf(Stream.runDrain(model.streamTools("Hi", { tools: [weather], maxTurns: -1 }))),
        "maxTurns"
      )
      assert.strictEqual(model.requests().length, 0)
    })
  )
})

describe("streamTools", () => {
  const tags = (events: Iterable<ChatModel.ToolEvent>) => Array.from(events, ({ _tag }) => _tag)

  it.effect("gives the events of each turn, the results between them, and the run last", () =>
    Effect.gen(function* () {
      const events = yield* ChatModel.streamTools("How is Oslo?", { tools: [weather] }).pipe(
        Stream.runCollect
      )
      assert.deepStrictEqual(tags(events), [
        "TurnStart",
        "Start",
        "ToolCallDelta",
        "ToolCall",
        "Finish",
        "ToolResult",
        "TurnStart",
        "Start",
        "TextDelta",
        "TextDelta",
        "Finish",
        "RunFinish"
      ])
      const results = Array.from(events).filter((event) => event._tag === "ToolResult")
      assert.deepStrictEqual(results, [
        {
          _tag: "ToolResult",
          turn: 1,
          call: { type: "tool-call", id: "call_0", name: "get_weather", arguments: '{"city":"Oslo"}' },
          result: { type: "tool-result", id: "call_0", name: "get_weather", result: "sunny in Oslo" }
        }
      ])
    }).pipe(Effect.provide(TestModel.layer([callOslo, TestModel.answer(["Sun", "ny."])])))
  )

  it.effect("ends with the same run as runTools", () =>
    Effect.gen(function* () {
      const script = [
        { ...callBoth, usage: { input: 3 } },
        TestModel.answer("Done.", { usage: { input: 4 } })
      ]
      const whole = yield* TestModel.make(script).runTools("Hi", { tools: [weather, time] })
      const last = yield* Stream.runLast(TestModel.make(script).streamTools("Hi", { tools: [weather, time] }))
      const event = last._tag === "Some" ? last.value : undefined
      assert.deepStrictEqual(event?._tag === "RunFinish" ? event.run : undefined, whole)
    })
  )

  it.effect("tells a result as soon as it is there, and sends them in the order of the calls", () =>
    Effect.gen(function* () {
      const slow = Tool.handle(Weather, () => Effect.delay(Effect.succeed("slow"), "10 seconds"))
      const fast = Tool.handle(Time, () => Effect.delay(Effect.succeed("fast"), "1 second"))
      const model = TestModel.make([callBoth, "Done."])
      const told: Array<string> = []
      const fiber = yield* model.streamTools("Hi", { tools: [slow, fast] }).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => {
            if (event._tag === "ToolResult") told.push(event.result.result)
          })
        ),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told, ["fast"])
      yield* TestClock.adjust("9 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(told, ["fast", "slow"])
      const sent = model.requests()[1]?.messages[2]
      assert.deepStrictEqual(sent?.role === "tool" ? sent.content.map(({ result }) => result) : [], [
        "slow",
        "fast"
      ])
    })
  )

  it.effect("starts no tool and asks nothing more for a reader who has seen enough", () =>
    Effect.gen(function* () {
      let runs = 0
      const counted = Tool.handle(Weather, () => Effect.sync(() => ++runs))
      const model = TestModel.make([callOslo, "too far"])
      yield* model.streamTools("Hi", { tools: [counted] }).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "Finish"),
        Stream.runDrain
      )
      assert.strictEqual(runs, 0)
      assert.strictEqual(model.requests().length, 1)
    })
  )

  it.effect("fails with StreamBroken in the turn that broke, with what that turn delivered", () =>
    Effect.gen(function* () {
      const model = TestModel.make([callOslo, TestModel.broken(["Sun"])])
      const error = yield* Effect.flip(Stream.runDrain(model.streamTools("Hi", { tools: [weather] })))
      assert.isTrue(error._tag === "StreamBroken" && error.delivered.text === "Sun")
    })
  )

  it.effect("knows the limit of turns, and calls that cannot be carried out", () =>
    Effect.gen(function* () {
      const limit = TestModel.make([callOslo]).streamTools("Hi", { tools: [weather], maxTurns: 1 })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(limit)))._tag, "TurnLimitReached")
      const wrong = TestModel.toolCall("get_weather", {})
      const fail = TestModel.make([wrong]).streamTools("Hi", { tools: [weather] })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(fail)))._tag, "InvalidToolCall")
      const report = TestModel.make([wrong, "Done."]).streamTools("Hi", {
        tools: [weather],
        invalidCalls: "report"
      })
      const events = yield* Stream.runCollect(report)
      const isError = Array.from(events).some((event) => event._tag === "ToolResult" && event.result.isError)
      assert.isTrue(isError)
    })
  )

  it.effect("each run of it is a run of its own", () =>
    Effect.gen(function* () {
      const model = TestModel.make([callOslo, "One.", callOslo, "Two."])
      const stream = model.streamTools("Hi", { tools: [weather] })
      const texts = Effect.map(Stream.runLast(stream), (last) =>
        last._tag === "Some" && last.value._tag === "RunFinish"
          ? [last.value.run.response.text, last.value.run.turns.length]
          : []
      )
      assert.deepStrictEqual(yield* texts, ["One.", 2])
      assert.deepStrictEqual(yield* texts, ["Two.", 2])
    })
  )
})

// --- over the gateway's protocol ----------------------------------------------------------------------------------------

const live = (gateway: LocalGateway.LocalGateway) =>
  Layer.mergeAll(
    OpenAi.layer(),
    Anthropic.layer(),
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make("local-token")
    })
  ).pipe(Layer.provide(LocalGateway.layerFrom(gateway)))

describe("over a real socket", () => {
  it.live("a reader who has seen enough closes the connection of the turn that is under way", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          openai: LocalGateway.script([
            LocalGateway.toolCall("get_weather", { city: "Oslo" }),
            LocalGateway.stallAfter(4)(LocalGateway.text("It is sunny in Oslo, and it will stay so."))
          ])
        }
      })
      const { baseUrl } = yield* LocalGatewayServer.start(gateway)
      const provided = yield* Layer.build(
        Layer.merge(
          OpenAi.layer(),
          AiGateway.layer({
            accountId: "local-account",
            gatewayId: "local-gateway",
            token: Redacted.make("local-token"),
            baseUrl
          })
        ).pipe(Layer.provide(NodeHttpClient.layerUndici))
      )
      const text = yield* OpenAi.model("gpt-4.1-mini")
        .streamTools("How is Oslo?", { tools: [weather] })
        .pipe(
          Stream.filter((event) => event._tag === "TextDelta"),
          Stream.runHead,
          Effect.provide(provided)
        )
      assert.strictEqual(text._tag, "Some")
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => gateway.inFlight() === 0, times: 400 })
      assert.deepStrictEqual(
        gateway.requests().map(({ aborted }) => aborted),
        [false, true]
      )
    }).pipe(Effect.scoped)
  )
})

describe("over the gateway", () => {
  it.effect("tools go out as JSON Schema, calls come back typed, results follow, whole and streamed", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          openai: LocalGateway.script([
            LocalGateway.toolCalls([
              { id: "call_a", name: "get_weather", args: { city: "Oslo" } },
              { id: "call_b", name: "get_time", args: { zone: "CET" } }
            ]),
            LocalGateway.text("Sunny, at noon."),
            LocalGateway.toolCall("get_weather", { city: "Rome" }, { id: "call_c" }),
            LocalGateway.text("Sunny too.")
          ])
        }
      })
      const model = OpenAi.model("gpt-4.1-mini")
      const [run, streamed] = yield* Effect.all([
        model.runTools("How is Oslo?", { tools: [weather, time] }),
        Stream.runLast(model.streamTools("And Rome?", { tools: [weather, time] }))
      ]).pipe(Effect.provide(live(gateway)))
      assert.strictEqual(run.response.text, "Sunny, at noon.")
      assert.strictEqual(run.turns[0]?.response.finishReason, "tool-calls")
      assert.isNumber(run.usage.total)
      assert.deepStrictEqual(
        run.turns[0]?.results.map(({ id, result }) => [id, result]),
        [
          ["call_a", "sunny in Oslo"],
          ["call_b", "noon in CET"]
        ]
      )
      assert.isTrue(
        streamed._tag === "Some" &&
          streamed.value._tag === "RunFinish" &&
          streamed.value.run.response.text === "Sunny too."
      )
      assert.strictEqual(gateway.requests().length, 4)
      const second = JSON.stringify(gateway.requests()[1]?.body)
      assert.include(second, "call_b")
      assert.include(second, "noon in CET")
    })
  )

  it.effect("a forced call that leaked into the text is carried out, whole and streamed", () =>
    Effect.gen(function* () {
      const leaked = LocalGateway.text('{"name":"get_weather","parameters":{"city":"Oslo"}}')
      const replies = [leaked, LocalGateway.text("Sunny."), leaked, LocalGateway.text("Sunny.")]
      const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.script(replies) } })
      const model = OpenAi.model("gpt-4.1-mini")
      const asked = { prompt: "How is Oslo?", toolChoice: "required" } as const
      const run = yield* Effect.provide(model.runTools(asked, { tools: [weather] }), live(gateway))
      assert.deepStrictEqual(
        run.turns.map(({ response, results }) => [response.finishReason, results[0]?.result]),
        [
          ["tool-calls", "sunny in Oslo"],
          ["stop", undefined]
        ]
      )
      const events = yield* model
        .streamTools(asked, { tools: [weather] })
        .pipe(Stream.runCollect, Effect.provide(live(gateway)))
      const text = Array.from(events, (event) => (event._tag === "TextDelta" ? event.text : "")).join("")
      assert.strictEqual(text, "Sunny.")
    })
  )

  it.effect("text that only looks like a call stays text where no call was forced", () =>
    Effect.gen(function* () {
      const text = '{"name":"get_weather","parameters":{"city":"Oslo"}}'
      const gateway = LocalGateway.make({
        upstreams: { openai: LocalGateway.script([LocalGateway.text(text)]) }
      })
      const run = yield* OpenAi.model("gpt-4.1-mini")
        .runTools("Show me a call.", { tools: [weather] })
        .pipe(Effect.provide(live(gateway)))
      assert.strictEqual(run.response.text, text)
    })
  )

  it.effect("each turn falls back for itself, from the first leg on", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          openai: LocalGateway.script([LocalGateway.status(400), LocalGateway.text("Sunny.")]),
          anthropic: LocalGateway.script([LocalGateway.toolCall("get_weather", { city: "Oslo" })])
        }
      })
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5", { maxTokens: 100 })
      ])
      const run = yield* list
        .runTools("How is Oslo?", { tools: [weather] })
        .pipe(Effect.provide(live(gateway)))
      assert.deepStrictEqual(
        run.turns.map(({ response }) => [response.provider, response.attempts.length]),
        [
          ["anthropic", 1],
          ["openai", 0]
        ]
      )
    })
  )

  it.effect("a forced tool is called by the built-in model, and the run still ends", () =>
    Effect.gen(function* () {
      const run = yield* OpenAi.model("gpt-4.1-mini")
        .runTools({ prompt: "Hi", toolChoice: { tool: "get_weather" } }, { tools: [time, weather] })
        .pipe(Effect.provide(live(LocalGateway.make())))
      assert.strictEqual(run.turns.length, 2)
      assert.strictEqual(run.turns[0]?.results[0]?.name, "get_weather")
    })
  )
})
