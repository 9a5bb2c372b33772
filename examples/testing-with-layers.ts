/**
 * One application, tested in two ways: with `TestModel` (what does it do with answers and errors?) and with
 * `LocalGateway` (what does it send, and does fallback work?). No network, no keys, no mocks of modules.
 * Run: `npx tsx examples/testing-with-layers.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel, Redacted, Schedule } from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  ChatModel,
  LocalGateway,
  OpenAi,
  TestModel
} from "effect-ai-gateway"

// --- the application: it knows ChatModel, and nothing of providers ----------------------------------------------------

const headline = (article: string) =>
  ChatModel.chat({ system: "Answer with a headline.", prompt: article, maxTokens: 40 }).pipe(
    Effect.map((answer) => answer.text.trim()),
    Effect.catchTag("AllProvidersFailed", () => Effect.succeed(`${article.slice(0, 12)}…`)),
    AiGateway.withOptions({ metadata: { feature: "headline" } })
  )

const model = ChatModel.firstSuccessOf([
  OpenAi.model("gpt-5-mini"),
  Anthropic.model("claude-haiku-4-5")
]).pipe(ChatModel.retry(Schedule.recurs(0)))

// --- with TestModel: the model is replaced ----------------------------------------------------------------------------

const usesTheAnswer = Effect.gen(function* () {
  assert.equal(yield* headline("A cat sat on a mat."), "Cat sits")
}).pipe(Effect.provide(TestModel.layer(["  Cat sits\n"])))

const survivesAnOutage = Effect.gen(function* () {
  assert.equal(yield* headline("A cat sat on a mat."), "A cat sat on…")
}).pipe(
  Effect.provide(
    TestModel.layer([new AiGatewayError.AllProvidersFailed({ message: "all down", attempts: [] })])
  )
)

const asksForAHeadline = Effect.gen(function* () {
  const test = TestModel.make(["Cat sits"])
  yield* headline("A cat sat on a mat.").pipe(Effect.provideService(ChatModel.ChatModel, test))
  const [request] = test.requests()
  assert.equal(request?.maxTokens, 40)
  assert.deepEqual(request?.messages, [
    { role: "system", content: "Answer with a headline." },
    { role: "user", content: "A cat sat on a mat." }
  ])
})

// --- with LocalGateway: everything is real but the network ------------------------------------------------------------

const Providers = Layer.merge(OpenAi.layer({ apiKey: Redacted.make("sk-test") }), Anthropic.layer())

/** The application behind a new gateway whose providers do as they are told. */
const behind = (options: LocalGateway.Options) =>
  Effect.provide(
    ChatModel.layer(model).pipe(Layer.provide(Providers), Layer.provideMerge(LocalGateway.layerTest(options)))
  )

const sendsWhatOpenAiExpects = Effect.gen(function* () {
  assert.equal(yield* headline("A cat sat on a mat."), "Cat sits")
  const gateway = yield* LocalGateway.Gateway
  const [request] = gateway.requests()
  assert.equal(request?.path, "/v1/local-account/local-gateway/openai/chat/completions")
  assert.equal(request?.headers.authorization, "Bearer sk-test")
  assert.equal(request?.headers["cf-aig-authorization"], "Bearer local-token")
  assert.equal(request?.headers["cf-aig-metadata"], '{"feature":"headline"}')
  assert.deepEqual(request?.body, {
    model: "gpt-5-mini",
    messages: [
      { role: "system", content: "Answer with a headline." },
      { role: "user", content: "A cat sat on a mat." }
    ],
    max_completion_tokens: 40
  })
}).pipe(behind({ upstreams: { openai: LocalGateway.always(LocalGateway.text("Cat sits")) } }))

const fallsBack = Effect.gen(function* () {
  assert.equal(yield* headline("A cat sat on a mat."), "Cat sits down")
  const gateway = yield* LocalGateway.Gateway
  assert.deepEqual(
    gateway.logs().map(({ provider, statusCode }) => [provider, statusCode]),
    [
      ["openai", 503],
      ["anthropic", 200]
    ]
  )
  // One provider's key never reaches another.
  const toAnthropic = gateway.requests().find((request) => request.provider === "anthropic")
  assert.ok(!JSON.stringify(toAnthropic).includes("sk-test"))
}).pipe(
  behind({
    upstreams: {
      openai: LocalGateway.always(LocalGateway.status(503)),
      anthropic: LocalGateway.always(LocalGateway.text("Cat sits down"))
    }
  })
)

// --- running them -----------------------------------------------------------------------------------------------------

const tests = {
  "uses the model's answer": usesTheAnswer,
  "has a headline when every provider is down": survivesAnOutage,
  "asks for a headline": asksForAHeadline,
  "sends what OpenAI expects": sendsWhatOpenAiExpects,
  "falls back to Anthropic": fallsBack
}

await Effect.forEach(Object.entries(tests), ([name, test]) =>
  Effect.zipRight(test, Console.log(`ok ${name}`))
).pipe(
  // A provider that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
