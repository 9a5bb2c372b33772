/**
 * Models as the steps of Effect's own `ExecutionPlan`: the first twice, ten milliseconds apart, and then the second; an answer
 * and a stream; and what a stream that breaks in the middle does. Run: `npx tsx examples/execution-plan.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, ExecutionPlan, Layer, Option, Schedule, Stream } from "effect"
import { AiGatewayError, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

// The plan decides what is tried again, so the models' own retries are off: else attempts would multiply.
const once = ChatModel.retry(Schedule.recurs(0))

const Gpt = ChatModel.layer(once(OpenAi.model("gpt-5-mini")))
const Claude = ChatModel.layer(once(Anthropic.model("claude-haiku-4-5")))

const Plan = ExecutionPlan.make(
  {
    provide: Gpt,
    attempts: 2,
    while: AiGatewayError.isRetryable,
    schedule: Schedule.spaced("10 millis")
  },
  {
    provide: Claude,
    // Not after a missing gateway or a wrong token, which fail every step; and no stream that broke is begun again.
    while: AiGatewayError.movesOn
  }
)

const answer = Effect.withExecutionPlan(ChatModel.chat("Name three cheeses."), Plan)

const words = Stream.filterMap(ChatModel.streamChat("Name three wines."), (event) =>
  event._tag === "TextDelta" ? Option.some(event.text) : Option.none()
)

// As a provider's failures go: OpenAI is down, and later its streams break after their first words.
const Gateway = LocalGateway.layerTest({
  upstreams: {
    openai: LocalGateway.script(
      [LocalGateway.status(503), LocalGateway.status(503)],
      LocalGateway.dropAfter(LocalGateway.text("Riesling, Barolo.", { chunks: ["Riesling, ", "Barolo."] }), 2)
    ),
    anthropic: LocalGateway.script([LocalGateway.text("Comté, Brie, Gouda.")], LocalGateway.text("Rioja."))
  }
})

const program = Effect.gen(function* () {
  const gateway = yield* LocalGateway.Gateway
  const { provider, text } = yield* answer
  yield* Console.log(`${text} (${provider})`)
  assert.equal(provider, "anthropic")
  assert.deepEqual(
    gateway.upstreamRequests().map(({ provider }) => provider),
    ["openai", "openai", "anthropic"]
  )

  // Steps without a `while`, and nothing said of streams: the second model's answer is appended to the first one's words.
  const careless = ExecutionPlan.make({ provide: Gpt }, { provide: Claude })
  const mixed = yield* Stream.mkString(Stream.withExecutionPlan(words, careless))
  yield* Console.log(`Two models in one text: ${mixed}`)
  assert.equal(mixed, "Riesling, Rioja.")

  // Until the first content another step may answer, and from then on a break is an error.
  const error = yield* Effect.flip(
    Stream.runForEach(
      Stream.withExecutionPlan(words, Plan, { preventFallbackOnPartialStream: true }),
      (word) => Console.log(`  … ${word}`)
    )
  )
  yield* Console.log(`${error._tag}: ${error.message}`)
  assert.equal(error._tag, "StreamBroken")
}).pipe(Effect.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer())), Effect.provide(Gateway))

Effect.runPromise(program).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
