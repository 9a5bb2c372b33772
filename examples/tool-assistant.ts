/**
 * An assistant that uses tools: two tools with Schemas, one that needs a service and one whose failure the model is told of,
 * three calls in one turn, and the whole run as a value and as a stream. Run: `npx tsx examples/tool-assistant.ts`
 */
import assert from "node:assert/strict"
import { Console, Context, Effect, Layer, Schema, Stream } from "effect"
import { ChatModel, LocalGateway, OpenAi, Tool } from "effect-ai-gateway"

// What the application has already: a service for the weather, and a way to count who uses it at the same time.
class Weather extends Context.Tag("app/Weather")<
  Weather,
  { readonly now: (city: string) => Effect.Effect<number>; readonly most: () => number }
>() {}

const WeatherLive = Layer.sync(Weather, () => {
  let inside = 0
  let most = 0
  return {
    now: (city) =>
      Effect.sync(() => {
        most = Math.max(most, ++inside)
      }).pipe(
        Effect.zipRight(Effect.sleep("50 millis")),
        Effect.as(city === "Oslo" ? 4 : 9),
        Effect.ensuring(Effect.sync(() => inside--))
      ),
    most: () => most
  }
})

// A tool is described by Schemas: the model gets JSON Schema, and the handler decoded values.
const getWeather = Tool.make("get_weather", {
  description: "The temperature of a city, now.",
  parameters: Schema.Struct({ city: Schema.NonEmptyString }),
  result: Schema.Struct({ city: Schema.String, celsius: Schema.Number })
}).pipe(
  Tool.handle(({ city }) =>
    Effect.gen(function* () {
      const weather = yield* Weather
      return { city, celsius: yield* weather.now(city) }
    })
  )
)

// A `ToolFailure` goes to the model, which may then do something else. Any other failure ends the run.
const bookTrain = Tool.make("book_train", {
  description: "Books a seat on a train.",
  parameters: Schema.Struct({ to: Schema.NonEmptyString, day: Schema.Date })
}).pipe(
  Tool.handle(({ to, day }) =>
    Effect.fail(
      new Tool.ToolFailure({ message: `The train to ${to} on ${day.toISOString().slice(0, 10)} is full.` })
    )
  )
)

const tools = [getWeather, bookTrain]
const question = "Should I go to Oslo or to Bergen on 1 May 2027? Book a train to the warmer one."

// What the local model says: three calls, and then an answer that quotes their results; and all of that once more.
const calls = LocalGateway.toolCalls([
  { name: "get_weather", args: { city: "Oslo" } },
  { name: "get_weather", args: { city: "Bergen" } },
  { name: "book_train", args: { to: "Bergen", day: "2027-05-01" } }
])
const openai = LocalGateway.script([calls, LocalGateway.echo, calls, LocalGateway.echo])

const program = Effect.gen(function* () {
  // 1. As a value: the last answer, the whole conversation, and the tokens of all turns.
  const run = yield* ChatModel.runTools(question, { tools, maxTurns: 5 })
  for (const { role, content } of run.messages) {
    yield* Console.log(`${role}: ${typeof content === "string" ? content : JSON.stringify(content)}`)
  }
  yield* Console.log(`(${run.turns.length} turns, ${run.usage.input} tokens in, ${run.usage.output} out)\n`)

  assert.deepEqual(
    run.messages.map(({ role }) => role),
    ["user", "assistant", "tool", "assistant"]
  )
  assert.deepEqual(
    run.turns[0]?.results.map(({ name, result, isError = false }) => [name, result, isError]),
    [
      ["get_weather", '{"city":"Oslo","celsius":4}', false],
      ["get_weather", '{"city":"Bergen","celsius":9}', false],
      ["book_train", "The train to Bergen on 2027-05-01 is full.", true]
    ]
  )
  const weather = yield* Weather
  assert.equal(weather.most(), 2, "the calls of one turn run at the same time")
  assert.match(run.response.text, /is full/)

  // 2. As a stream: what the model says, what it calls, and each result as it is ready.
  const seen = yield* ChatModel.streamTools(question, { tools }).pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "TurnStart":
          return Console.log(`turn ${event.turn}`)
        case "ToolCall":
          return Console.log(`  calls ${event.name} ${event.arguments}`)
        case "ToolResult":
          return Console.log(`  ${event.call.name} gave ${event.result.result}`)
        case "RunFinish":
          return Console.log(`  ${event.run.response.text}`)
        default:
          return Effect.void
      }
    }),
    Stream.runCollect
  )
  const tags = Array.from(seen, ({ _tag }) => _tag)
  assert.equal(tags.filter((tag) => tag === "TurnStart").length, 2)
  assert.equal(tags.filter((tag) => tag === "ToolResult").length, 3)
  assert.equal(tags.at(-1), "RunFinish")
})

// A handler's needs are the program's: without WeatherLive this does not compile.
await program.pipe(
  Effect.provide(ChatModel.layer(OpenAi.model("gpt-5-mini"))),
  Effect.provide(
    Layer.mergeAll(WeatherLive, OpenAi.layer(), LocalGateway.layerTest({ upstreams: { openai } }))
  ),
  Effect.runPromise
)
