/**
 * One `@effect/ai` model of two: the gateway asks Anthropic, and where that is down OpenAI, within one request; the package of
 * the one that answered reads the answer. Run: `npx tsx examples/effect-ai-fallback.ts`
 */
import assert from "node:assert/strict"
import { LanguageModel } from "@effect/ai"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import { Console, Effect, Layer, Redacted, Stream } from "effect"
import { AiGateway, LocalGateway } from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"

// Each model has its provider's client, and leaves the HttpClient of that to the fallback.
const Resilient = GatewayLanguageModel.fallback(
  AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
    Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make("sk-anthropic") }))
  ),
  OpenAiLanguageModel.model("gpt-5-mini").pipe(
    Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make("sk-openai") }))
  )
)

const answer = Effect.map(LanguageModel.generateText({ prompt: "Name three cheeses." }), ({ text }) => text)

const streamed = LanguageModel.streamText({ prompt: "Name three wines." }).pipe(
  Stream.filter((part) => part.type === "text-delta"),
  Stream.map(({ delta }) => delta),
  Stream.tap((delta) => Console.log(`  … ${delta}`)),
  Stream.mkString
)

const winners: Array<string> = []
const program = Effect.all([Effect.tap(answer, Console.log), streamed]).pipe(
  AiGateway.tapAnswer(({ provider, status, gateway }) => {
    winners.push(provider)
    return Console.log(`  (${provider}, entry ${gateway.step}, answered ${status}: log ${gateway.logId})`)
  }),
  Effect.provide(Resilient)
)

// A gateway in process, that answers as the providers do. A real one is
// AiGateway.layerConfig({ accountId, gatewayId, token }).pipe(Layer.provide(FetchHttpClient.layer)).
const Gateway = LocalGateway.layerTest({
  upstreams: {
    anthropic: LocalGateway.always(LocalGateway.status(503)),
    openai: LocalGateway.script([
      LocalGateway.text("Comté, Brie, Gouda."),
      LocalGateway.text("Riesling, Barolo, Rioja.", { chunks: ["Riesling, ", "Barolo, ", "Rioja."] })
    ])
  }
})

const check = Effect.gen(function* () {
  assert.deepEqual(yield* program, ["Comté, Brie, Gouda.", "Riesling, Barolo, Rioja."])
  assert.deepEqual(winners, ["openai", "openai"])

  const gateway = yield* LocalGateway.Gateway
  assert.equal(gateway.requests().length, 2, "one request for each call")
  assert.deepEqual(
    gateway.upstreamRequests().map(({ provider }) => provider),
    ["anthropic", "openai", "anthropic", "openai"]
  )
  yield* Console.log("Two calls, two requests; Anthropic was down both times.")
}).pipe(Effect.provide(Gateway))

Effect.runPromise(check).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
