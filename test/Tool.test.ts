/** Tools: what goes out, what comes back, and what the compiler knows of both. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Schema } from "effect"
import { type AiGatewayError, ChatModel, type Message, TestModel, Tool } from "effect-ai-gateway"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

/** Compiled, never run. */
const never = (_claim: () => unknown): void => {}

const Weather = Tool.make("get_weather", {
  description: "The weather of a city, now.",
  parameters: Schema.Struct({ city: Schema.String, day: Schema.optional(Schema.NumberFromString) }),
  result: Schema.Struct({ celsius: Schema.Number, at: Schema.Date })
})
const Time = Tool.make("get_time", { parameters: Schema.Struct({ zone: Schema.String }) })
const Ping = Tool.make("ping")

class Cities extends Context.Tag("Cities")<Cities, { readonly find: (name: string) => number }>() {}
class NoCity extends Schema.TaggedError<NoCity>()("NoCity", { city: Schema.String }) {}

const call = (name: string, args: unknown, id = "call_1"): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args)
})

const left = <R, L>(either: Either.Either<R, L>): L =>
  Either.isLeft(either) ? either.left : assert.fail(`accepted: ${JSON.stringify(either.right)}`)

describe("the types of a tool", () => {
  it("its arguments are what its Schema decodes to", () => {
    same<
      typeof Weather,
      Tool.Tool<
        "get_weather",
        { readonly city: string; readonly day?: number | undefined },
        { readonly celsius: number; readonly at: Date }
      >
    >(true)
    same<typeof Time, Tool.Tool<"get_time", { readonly zone: string }, unknown>>(true)
    same<typeof Ping, Tool.Tool<"ping", Tool.NoArguments, unknown>>(true)
  })

  it("a Schema with needs does not compile: nobody could meet them where a call is decoded", () => {
    const needy = Schema.transformOrFail(Schema.String, Schema.Number, {
      decode: (name) => Effect.map(Cities, ({ find }) => find(name)),
      encode: (n) => Effect.succeed(String(n))
    })
    // @ts-expect-error the Schema needs Cities
    never(() => Tool.make("a", { parameters: Schema.Struct({ city: needy }) }))
    // @ts-expect-error the Schema needs Cities
    never(() => Tool.make("a", { result: needy }))
    never(() =>
      // @ts-expect-error the Schema needs Cities
      Tool.make("a", { parameters: Schema.Struct({}), result: needy })
    )
  })

  it("decoded calls are a union that the name tells apart", () => {
    const calls = Tool.decodeAll([Weather, Time, Ping], [])
    same<
      typeof calls,
      Either.Either<
        ReadonlyArray<
          | {
              readonly id: string
              readonly name: "get_weather"
              readonly arguments: { readonly city: string; readonly day?: number | undefined }
            }
          | { readonly id: string; readonly name: "get_time"; readonly arguments: { readonly zone: string } }
          | { readonly id: string; readonly name: "ping"; readonly arguments: Tool.NoArguments }
        >,
        AiGatewayError.InvalidToolCall
      >
    >(true)
    for (const call of Either.getOrThrow(calls)) {
      if (call.name === "get_time") call.arguments.zone satisfies string
      // @ts-expect-error another tool's argument
      if (call.name === "get_time") never(() => call.arguments.city)
    }
    const one = Tool.decode(Weather, call("get_weather", {}))
    same<
      typeof one,
      Either.Either<
        { readonly city: string; readonly day?: number | undefined },
        AiGatewayError.InvalidToolCall
      >
    >(true)
  })

  it("a handler's errors and needs are its own; ToolFailure is for the model", () => {
    const handler = Tool.handle(Weather, ({ city, day }) => {
      same<typeof city, string>(true)
      same<typeof day, number | undefined>(true)
      return city === ""
        ? Effect.fail(new Tool.ToolFailure({ message: "Which city?" }))
        : city === "Atlantis"
          ? Effect.fail(new NoCity({ city }))
          : Effect.map(Cities, ({ find }) => ({ celsius: find(city), at: new Date(0) }))
    })
    same<typeof handler, Tool.Handler<NoCity, Cities>>(true)
    const piped = Weather.pipe(
      Tool.handle(({ city }) => {
        same<typeof city, string>(true)
        return Effect.succeed({ celsius: city.length, at: new Date(0) })
      })
    )
    same<typeof piped, Tool.Handler<never, never>>(true)
    const failing = Time.pipe(Tool.handle(() => Effect.fail(new Tool.ToolFailure({ message: "no" }))))
    same<typeof failing, Tool.Handler<never, never>>(true)
    // @ts-expect-error not what the result's Schema says
    never(() => Tool.handle(Weather, () => Effect.succeed({ celsius: "warm", at: new Date(0) })))
    // @ts-expect-error not what the result's Schema says
    never(() => Weather.pipe(Tool.handle(() => Effect.succeed("warm"))))
    // @ts-expect-error an argument that does not exist
    never(() => Tool.handle(Time, ({ city }) => Effect.succeed(city)))
  })

  it("a run fails with what the model and the handlers fail with, and needs what they need", () => {
    const a = Tool.handle(Weather, () => Effect.fail(new NoCity({ city: "x" })))
    const b = Tool.handle(Time, () => Effect.map(Cities, () => "now"))
    const c = Tool.handle(Ping, () => Effect.fail("pong" as const))
    const run = ChatModel.runTools("hi", { tools: [a, b, c] })
    same<
      typeof run,
      Effect.Effect<
        ChatModel.ToolRun,
        AiGatewayError.AiGatewayError | Tool.TurnLimitReached | NoCity | "pong",
        ChatModel.ChatModel | Cities
      >
    >(true)
    const own = TestModel.make([]).runTools("hi", { tools: [b] })
    same<
      typeof own,
      Effect.Effect<ChatModel.ToolRun, AiGatewayError.AiGatewayError | Tool.TurnLimitReached, Cities>
    >(true)
    const none = TestModel.make([]).runTools("hi", { tools: [] })
    same<
      typeof none,
      Effect.Effect<ChatModel.ToolRun, AiGatewayError.AiGatewayError | Tool.TurnLimitReached>
    >(true)
    // @ts-expect-error a tool without a handler
    never(() => ChatModel.runTools("hi", { tools: [Weather] }))
    // @ts-expect-error tools go into the options, with what they do
    never(() => ChatModel.runTools({ prompt: "hi", tools: [Weather] }, { tools: [a] }))
  })
})

describe("what a tool says of itself", () => {
  it("is its name, its description, and its arguments as JSON Schema", () => {
    assert.strictEqual(Weather.name, "get_weather")
    assert.strictEqual(Weather.description, "The weather of a city, now.")
    assert.deepStrictEqual(Either.getOrThrow(Weather.jsonSchema), {
      type: "object",
      required: ["city"],
      properties: {
        city: { type: "string" },
        day: { type: "string", description: "a string to be decoded into a number" }
      },
      additionalProperties: false
    })
  })

  it("a tool without arguments takes an empty object", () => {
    assert.deepStrictEqual(Either.getOrThrow(Ping.jsonSchema), {
      type: "object",
      properties: {},
      additionalProperties: false
    })
    assert.deepStrictEqual(Tool.decode(Ping, call("ping", {})), Either.right({}))
    assert.isTrue(Either.isRight(Tool.decode(Ping, call("ping", { now: true }))))
  })

  it("a Schema without JSON Schema does not throw where the tool is made", () => {
    const Bad = Tool.make("bad", { parameters: Schema.Struct({ n: Schema.BigIntFromSelf }) })
    assert.include(left(Bad.jsonSchema), '["n"]')
  })

  it("a copy with another description is a tool too", () => {
    const Copy = { ...Weather, description: "Weather." }
    assert.isTrue(Tool.isTool(Copy))
    assert.deepStrictEqual(Copy.jsonSchema, Weather.jsonSchema)
    assert.isTrue(Either.isRight(Tool.decode(Copy, call("get_weather", { city: "Oslo" }))))
    const { decodeArguments } = Weather
    assert.isTrue(Either.isRight(decodeArguments(call("get_weather", { city: "Oslo" }))))
  })

  it("is known by isTool, and nothing else is", () => {
    assert.isTrue(Tool.isTool(Weather))
    for (const other of [undefined, null, "get_weather", {}, { name: "get_weather" }]) {
      assert.isFalse(Tool.isTool(other))
    }
  })

  it("a tool of JSON Schema goes out as it is, and its arguments are any object", () => {
    const jsonSchema = { type: "object", properties: { q: { type: "string" } } }
    const Search = Tool.fromJsonSchema("search", { description: "Searches.", jsonSchema })
    assert.deepStrictEqual(Search.jsonSchema, Either.right(jsonSchema))
    assert.deepStrictEqual(Tool.decode(Search, call("search", { q: 1 })), Either.right({ q: 1 }))
    assert.include(left(Tool.decode(Search, call("search", [1]))).message, "no object")
    assert.isTrue(Either.isLeft(Tool.fromJsonSchema("a", { jsonSchema: { type: "string" } }).jsonSchema))
  })
})

describe("a call", () => {
  it("is decoded with the tool's Schema", () => {
    assert.deepStrictEqual(
      Tool.decode(Weather, call("get_weather", { city: "Oslo", day: "2" })),
      Either.right({ city: "Oslo", day: 2 })
    )
    assert.deepStrictEqual(
      call("get_weather", { city: "Oslo" }).arguments,
      call("get_weather", '{"city":"Oslo"}').arguments
    )
  })

  it("whose arguments are not JSON has them in the error, as the model wrote them", () => {
    const error = left(Tool.decode(Weather, call("get_weather", '{"city":"Os', "call_7")))
    assert.strictEqual(error._tag, "InvalidToolCall")
    assert.strictEqual(error.tool, "get_weather")
    assert.strictEqual(error.id, "call_7")
    assert.strictEqual(error.arguments, '{"city":"Os')
    assert.strictEqual(error.path, "")
    assert.include(error.message, "not JSON")
  })

  it("whose arguments do not fit names the path of the mistake", () => {
    const Order = Tool.make("order", {
      parameters: Schema.Struct({
        items: Schema.Array(Schema.Struct({ name: Schema.String, count: Schema.Int }))
      })
    })
    const args = {
      items: [
        { name: "a", count: 1 },
        { name: "b", count: "two" }
      ]
    }
    const error = left(Tool.decode(Order, call("order", args)))
    assert.strictEqual(error.path, "items[1].count")
    assert.strictEqual(error.arguments, JSON.stringify(args))
    assert.include(error.message, "order")
    assert.include(error.message, "items[1].count")
    assert.strictEqual(left(Tool.decode(Order, call("order", {}))).path, "items")
    assert.strictEqual(left(Tool.decode(Order, call("order", [1]))).path, "")
  })

  it("of another tool is no call of this one", () => {
    const error = left(Tool.decode(Weather, call("get_time", { city: "Oslo" })))
    assert.strictEqual(error.tool, "get_time")
    assert.include(error.message, "get_weather")
  })

  it("is decoded with the tool that it names", () => {
    const calls = Tool.decodeAll(
      [Weather, Time],
      [call("get_time", { zone: "CET" }, "a"), call("get_weather", { city: "Oslo" }, "b")]
    )
    assert.deepStrictEqual(Either.getOrThrow(calls), [
      { id: "a", name: "get_time", arguments: { zone: "CET" } },
      { id: "b", name: "get_weather", arguments: { city: "Oslo" } }
    ])
  })

  it("of a tool that there is not names those that there are", () => {
    const error = left(
      Tool.decodeAll([Weather, Time], [call("get_time", { zone: "CET" }), call("get_weathr", {})])
    )
    assert.strictEqual(error.tool, "get_weathr")
    assert.include(error.message, "get_weather, get_time")
    assert.include(left(Tool.decodeAll([], [call("a", {})])).message, "it has none")
  })

  it("of several is decoded in pipes and generators as any Effect", () =>
    Effect.gen(function* () {
      const args = yield* Weather.pipe(Tool.decode(call("get_weather", { city: "Oslo" })))
      assert.deepStrictEqual(args, { city: "Oslo" })
    }).pipe(Effect.runPromise))
})

describe("a handler", () => {
  const resultOf = <E>(handler: Tool.Handler<E, never>, args: unknown) =>
    Effect.flatten(handler.run(call(handler.tool.name, args, "call_9")))

  it.effect("gets the decoded arguments and the call, and gives a result for the model", () =>
    Effect.gen(function* () {
      const handler = Tool.handle(Time, ({ zone }, { id }) => Effect.succeed({ zone, id }))
      assert.deepStrictEqual(yield* resultOf(handler, { zone: "CET" }), {
        type: "tool-result",
        id: "call_9",
        name: "get_time",
        result: '{"zone":"CET","id":"call_9"}'
      })
    })
  )

  it.effect("gives text as it is, and anything else as the JSON that the result's Schema encodes", () =>
    Effect.gen(function* () {
      const result = (value: unknown) =>
        Effect.map(
          resultOf(
            Tool.handle(Ping, () => Effect.succeed(value)),
            {}
          ),
          ({ result }) => result
        )
      assert.strictEqual(yield* result("warm"), "warm")
      assert.strictEqual(yield* result([1, "a"]), '[1,"a"]')
      assert.strictEqual(yield* result(21), "21")
      assert.strictEqual(yield* result(undefined), "null")
      const weather = Tool.handle(Weather, () => Effect.succeed({ celsius: 3, at: new Date(0) }))
      assert.strictEqual(
        (yield* resultOf(weather, { city: "Oslo" })).result,
        '{"celsius":3,"at":"1970-01-01T00:00:00.000Z"}'
      )
    })
  )

  it.effect("that gives what cannot be JSON, or is not what its Schema says, is a defect", () =>
    Effect.gen(function* () {
      const circle: { self?: unknown } = {}
      circle.self = circle
      for (const value of [circle, 1n, Number.NaN]) {
        const Odd = Tool.make(
          "odd",
          value === circle || typeof value === "bigint" ? {} : { result: Schema.Finite }
        )
        const handler = Tool.handle(Odd, () => Effect.succeed(value as number))
        const exit = yield* Effect.exit(resultOf(handler, {}))
        assert.include(String(exit), "Die", String(typeof value))
      }
    })
  )

  it.effect("tells the model of a ToolFailure, and fails with everything else", () =>
    Effect.gen(function* () {
      const handler = Tool.handle(Weather, ({ city }) =>
        city === "Atlantis"
          ? Effect.fail(new Tool.ToolFailure({ message: "It has sunk." }))
          : Effect.fail(new NoCity({ city }))
      )
      assert.deepStrictEqual(yield* resultOf(handler, { city: "Atlantis" }), {
        type: "tool-result",
        id: "call_9",
        name: "get_weather",
        result: "It has sunk.",
        isError: true
      })
      const error = yield* Effect.flip(resultOf(handler, { city: "Oslo" }))
      assert.isTrue(error._tag === "NoCity" && error.city === "Oslo")
    })
  )

  it.effect("is not run for a call that does not fit", () =>
    Effect.gen(function* () {
      let runs = 0
      const handler = Tool.handle(Time, () => Effect.sync(() => runs++))
      assert.strictEqual(left(handler.run(call("get_time", {}))).path, "zone")
      assert.isTrue(Either.isRight(handler.run(call("get_time", { zone: "CET" }))))
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("that throws is a defect of the program", () =>
    Effect.gen(function* () {
      const handler = Tool.handle(Ping, () => {
        throw new Error("oops")
      })
      assert.include(String(yield* Effect.flip(Effect.sandbox(resultOf(handler, {})))), "oops")
    })
  )
})
