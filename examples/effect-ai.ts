/**
 * An application that was written for `@effect/ai` with OpenAI and Anthropic goes through the gateway: its only change is
 * the layer under the providers' clients. Run: `npx tsx examples/effect-ai.ts`
 */
import assert from "node:assert/strict"
import { LanguageModel, Tool, Toolkit } from "@effect/ai"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import { Console, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { AiGateway, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"

// The application. Nothing in it knows of a gateway.

const gpt = OpenAiLanguageModel.model("gpt-5-mini")
const claude = AnthropicLanguageModel.model("claude-haiku-4-5")

const weather = Toolkit.make(
  Tool.make("weather", {
    description: "The weather in a city",
    parameters: { city: Schema.String },
    success: Schema.String
  })
)
const tools = weather.toLayer({ weather: ({ city }) => Effect.succeed(`Rain in ${city}`) })

const answer = Effect.gen(function* () {
  const { text } = yield* LanguageModel.generateText({ prompt: "Name three cheeses." })
  yield* Console.log(`OpenAI: ${text}`)
  return text
}).pipe(Effect.provide(gpt))

const called = Effect.gen(function* () {
  const { toolResults } = yield* LanguageModel.generateText({
    prompt: "What is the weather in Lyon?",
    toolkit: weather
  })
  const results = toolResults.map(({ result }) => result)
  yield* Console.log(`OpenAI called a tool: ${results.join(", ")}`)
  return results
}).pipe(Effect.provide([gpt, tools]))

const streamed = LanguageModel.streamText({ prompt: "Name three wines." }).pipe(
  Stream.filter((part) => part.type === "text-delta"),
  Stream.map(({ delta }) => delta),
  Stream.tap((delta) => Console.log(`Anthropic: ${delta}`)),
  Stream.mkString,
  Effect.provide(claude)
)

const application = Effect.all([answer, called, streamed])

const Clients = Layer.merge(
  OpenAiClient.layer({ apiKey: Redacted.make("sk-openai") }),
  AnthropicClient.layer({ apiKey: Redacted.make("sk-anthropic") })
)

// The change. It was: Clients.pipe(Layer.provide(FetchHttpClient.layer)).
const ThroughTheGateway = Clients.pipe(Layer.provide(GatewayHttpClient.layer()))

// What an application may add, if it wants to: options for a region, and the ids of what the gateway has logged.
const ids: Array<string | undefined> = []
const program = application.pipe(
  AiGateway.withOptions({ metadata: { team: "kitchen" } }),
  AiGateway.tapAnswer(({ provider, status, gateway }) => {
    ids.push(gateway.logId)
    return Console.log(`  (${provider} answered ${status}, log ${gateway.logId})`)
  })
)

// A gateway in process, that answers as the providers do. A real one is
// AiGateway.layerConfig({ accountId, gatewayId, token }).pipe(Layer.provide(FetchHttpClient.layer)).
const Gateway = LocalGateway.layerTest({
  upstreams: {
    openai: LocalGateway.script([
      LocalGateway.text("Comté, Brie, Gouda."),
      LocalGateway.toolCall("weather", { city: "Lyon" })
    ]),
    anthropic: LocalGateway.always(LocalGateway.text("Riesling, Barolo, Rioja."))
  }
})

const check = Effect.gen(function* () {
  assert.deepEqual(yield* program, ["Comté, Brie, Gouda.", ["Rain in Lyon"], "Riesling, Barolo, Rioja."])

  const gateway = yield* LocalGateway.Gateway
  assert.deepEqual(
    ids,
    gateway.logs().map(({ id }) => id)
  )
  assert.deepEqual(
    gateway.logs().map(({ metadata }) => metadata),
    Array(3).fill({ team: "kitchen" })
  )
  // The providers got what they get without a gateway: their own paths, and the application's own keys.
  assert.deepEqual(
    gateway.upstreamRequests().map(({ provider, endpoint }) => `${provider}/${endpoint}`),
    ["openai/v1/responses", "openai/v1/responses", "anthropic/v1/messages"]
  )
  assert.equal(gateway.upstreamRequests()[0]?.headers.authorization, "Bearer sk-openai")
  assert.equal(gateway.upstreamRequests()[2]?.headers["x-api-key"], "sk-anthropic")
})

await check.pipe(Effect.provide(Layer.provideMerge(ThroughTheGateway, Gateway)), Effect.runPromise)
