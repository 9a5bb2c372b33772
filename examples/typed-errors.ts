/**
 * What can go wrong, and what to do about it: errors by their tags, the attempts behind them, retries, the rule by which a
 * list moves on, and clocks. Run: `npx tsx examples/typed-errors.ts`
 */
import { Console, Duration, Effect, Layer, Logger, LogLevel, Schedule } from "effect"
import { AiGatewayError, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const once = ChatModel.retry(Schedule.recurs(0))
const gpt = OpenAi.model("gpt-5-mini").pipe(once)
const claude = Anthropic.model("claude-haiku-4-5").pipe(once)
const both = ChatModel.firstSuccessOf([gpt, claude])

/** Behind a local gateway with these providers. */
const behind = (upstreams: LocalGateway.Options["upstreams"]) =>
  Effect.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), LocalGateway.layerTest({ upstreams })))

/** Where OpenAI answers so, and Anthropic as it is told, or as always. */
const when = (openai: LocalGateway.Reply, anthropic: LocalGateway.Reply = LocalGateway.echo) =>
  behind({ openai: LocalGateway.always(openai), anthropic: LocalGateway.always(anthropic) })

// 1. By tag. What is not handled stays in the type.
const byTag = gpt.chat("hello").pipe(
  Effect.map((answer) => answer.text),
  Effect.catchTags({
    RateLimited: ({ provider, retryAfter }) =>
      Effect.succeed(
        `${provider} wants a pause of ${retryAfter === undefined ? "some time" : Duration.format(retryAfter)}`
      ),
    ModelNotFound: ({ model }) => Effect.succeed(`there is no ${model}`)
  }),
  when(LocalGateway.status(429, { headers: { "retry-after": "20" } }))
)

// 2. Every leg failed: one attempt for each, with its own error.
const byAttempt = both.chat("hello").pipe(
  Effect.map((answer) => answer.text),
  Effect.catchTag("AllProvidersFailed", (error) =>
    Effect.succeed(
      [
        ...error.attempts.map(({ provider, error }) => `${provider}: ${error._tag} (HTTP ${error.status})`),
        `last cause: ${AiGatewayError.lastCause(error)._tag}`
      ].join(", ")
    )
  ),
  when(LocalGateway.status(503), LocalGateway.status(401))
)

// 3. Legs retry by themselves. `isRetryable` is their rule, for a loop of your own around the whole call.
const byRetryable = both.chat("hello").pipe(
  Effect.retry({ while: (error) => AiGatewayError.isRetryable(AiGatewayError.lastCause(error)), times: 2 }),
  Effect.map((answer) => `${answer.provider} answered in the second round`),
  behind({
    openai: LocalGateway.script([LocalGateway.status(503)]),
    anthropic: LocalGateway.script([LocalGateway.status(529)])
  })
)

// 4. A list that does not move on after what its rule excludes: here the other model is not asked either.
const careful = ChatModel.firstSuccessOf([gpt, claude], {
  while: (error) => error._tag !== "ModelNotFound"
})
const byRule = careful.chat("hello").pipe(
  Effect.map((answer) => answer.text),
  Effect.catchTag("ModelNotFound", (error) => Effect.succeed(`stopped: ${error.message}`)),
  when(LocalGateway.status(404))
)

// 5. Clocks close the socket. The first model says nothing in time, and the second one answers.
const impatient = ChatModel.firstSuccessOf([
  gpt.pipe(ChatModel.withTimeouts({ firstEvent: "100 millis" })),
  claude
]).pipe(ChatModel.withTimeouts({ total: "5 seconds" }))
const byClock = ChatModel.collect(impatient.streamChat("hello")).pipe(
  Effect.map(({ text, provider, attempts }) => {
    const [attempt] = attempts
    const why = attempt?.error._tag === "ModelTimeout" ? attempt.error.phase : "another reason"
    return `${attempt?.provider} was left for ${why}; ${provider} says: ${text}`
  }),
  when(LocalGateway.hang)
)

// 6. A stream that breaks after its first words keeps them, and no other model's words are added.
const byDelivery = ChatModel.collect(both.streamChat("hello")).pipe(
  Effect.map((answer) => answer.text),
  Effect.catchTag("StreamBroken", (error) =>
    Effect.succeed(`broke after "${error.delivered.text}" because of ${error.cause._tag}`)
  ),
  when(LocalGateway.dropAfter(LocalGateway.text("one two three four"), 3))
)

const examples: Readonly<Record<string, Effect.Effect<string, AiGatewayError.AiGatewayError>>> = {
  "by tag": byTag,
  "by attempt": byAttempt,
  "is it retryable": byRetryable,
  "by the list's rule": byRule,
  "by the clock": byClock,
  "by what was delivered": byDelivery
}

// Legs that are left are warnings in the log: not here.
const quiet = Logger.withMinimumLogLevel(LogLevel.Error)

await Effect.forEach(Object.entries(examples), ([name, example]) =>
  Effect.flatMap(example, (text) => Console.log(`${name}: ${text}`))
).pipe(quiet, Effect.runPromise)
