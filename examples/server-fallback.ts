/**
 * Fallback on the server: all legs in one request, with retries and a timeout for each; the gateway walks them, and the
 * winner's own format reads the answer. The same list on the client gives the same result in several requests.
 * Run: `npx tsx examples/server-fallback.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel, Schedule, Stream } from "effect"
import { Anthropic, ChatModel, LocalGateway, OpenAi, WorkersAi } from "effect-ai-gateway"

// What each leg says of retries and timeouts goes into its entry of the request.
const legs = [
  OpenAi.model("gpt-5-mini", { options: { retries: { maxAttempts: 2, delay: "20 millis" } } }),
  Anthropic.model("claude-haiku-4-5", { maxTokens: 1024, options: { requestTimeout: "150 millis" } }),
  WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")
] as const

const onServer = ChatModel.universal(legs)
// A leg with `retries` leaves them to the gateway; here the others are asked once, as the server does.
const onClient = ChatModel.firstSuccessOf(legs).pipe(ChatModel.retry(Schedule.recurs(0)))

// OpenAI is down, Anthropic takes too long, and Workers AI answers.
const upstreams = {
  openai: LocalGateway.always(LocalGateway.status(503)),
  anthropic: LocalGateway.always(LocalGateway.hang)
}

const prompt = "Name three cheeses."

/** One call, against a gateway of its own: its answer, and what it took. */
const measured = (name: string, model: typeof onServer) =>
  Effect.gen(function* () {
    const gateway = yield* LocalGateway.Gateway
    const answer = yield* model.chat(prompt)
    const requests = gateway.requests()
    const asked = gateway.upstreamRequests().map(({ provider }) => provider)
    yield* Console.log(
      `${name}: ${requests.length} request(s) to the gateway, which asked ${asked.join(", ")}: ${answer.text}`
    )
    for (const { provider, error } of answer.attempts)
      yield* Console.log(`  ${provider}: ${error._tag}, ${error.message}`)
    return { answer, requests, asked }
  }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams })))

const program = Effect.gen(function* () {
  const server = yield* measured("universal", onServer)
  const client = yield* measured("firstSuccessOf", onClient)

  // One request, to the universal endpoint, with an entry for each leg.
  assert.equal(server.requests.length, 1)
  assert.equal(client.requests.length, 3)
  const [request] = server.requests
  assert.equal(request?.provider, undefined)
  assert.ok(Array.isArray(request?.body))
  yield* Console.log(
    `\nentries: ${request.body.map(({ provider, config }) => `${provider} ${JSON.stringify(config ?? {})}`).join(", ")}`
  )
  yield* Console.log(`the gateway says that entry ${server.answer.gateway.step} answered\n`)
  assert.equal(server.answer.gateway.step, 2)

  // The gateway did the same walk, and the answer is the same.
  assert.deepEqual(server.asked, ["openai", "openai", "anthropic", "workers-ai"])
  assert.deepEqual(client.asked, server.asked)
  assert.equal(server.answer.text, client.answer.text)
  assert.equal(server.answer.provider, client.answer.provider)
  assert.deepEqual(server.answer.usage, client.answer.usage)
  const placesOf = (answer: typeof server.answer) =>
    answer.attempts.map(({ leg, provider }) => [leg, provider])
  assert.deepEqual(placesOf(server.answer), placesOf(client.answer))

  // Streams too: the first event says who answers.
  const words = yield* onServer.streamChat(prompt).pipe(
    Stream.tap((event) =>
      event._tag === "Start" ? Console.log(`a stream of ${event.provider}:`) : Effect.void
    ),
    ChatModel.collect,
    Effect.provide(LocalGateway.layerTest({ upstreams }))
  )
  yield* Console.log(words.text)
  assert.equal(words.text, server.answer.text)
})

await program.pipe(
  Effect.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), WorkersAi.layer())),
  // A leg that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
