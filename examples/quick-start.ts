/**
 * The smallest program that has everything: three providers, fallback, a whole answer, a stream, gateway options, and
 * errors by their tags. Run: `npx tsx examples/quick-start.ts`
 *
 * With CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_GATEWAY_ID, CLOUDFLARE_API_TOKEN and OPENAI_API_KEY set it calls your gateway,
 * without them LocalGateway.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Config, ConfigProvider, Console, Effect, Layer, Stream } from "effect"
import { AiGateway, Anthropic, ChatModel, LocalGateway, OpenAi, WorkersAi } from "effect-ai-gateway"

const Gateway = AiGateway.layerConfig({
  accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
  gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID"),
  token: Config.redacted("CLOUDFLARE_API_TOKEN")
})

const Providers = Layer.mergeAll(
  OpenAi.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") }),
  Anthropic.layer(), // no key: the one that is stored in the gateway, or unified billing
  WorkersAi.layerConfig({ apiKey: Config.redacted("CLOUDFLARE_API_TOKEN") })
)

const Model = ChatModel.layer(
  ChatModel.firstSuccessOf([
    OpenAi.model("gpt-5-mini"),
    Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 }),
    WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")
  ])
)

const program = Effect.gen(function* () {
  const answer = yield* ChatModel.chat("Name three cheeses.").pipe(
    // A key of one's own stands for the whole request: give each question its own.
    AiGateway.withOptions({ cacheKey: "cheese", cacheTtl: "1 hour" })
  )
  yield* Console.log(answer.text)
  yield* Console.log(`(${answer.provider}, ${answer.usage.total} tokens, log ${answer.gateway.logId})`)

  yield* ChatModel.streamChat({ prompt: "Now a poem.", maxTokens: 500 }).pipe(
    Stream.runForEach((event) => {
      switch (event._tag) {
        case "TextDelta":
          return Effect.sync(() => process.stdout.write(event.text))
        case "Finish":
          return Console.log(`\n(${event.finishReason}, ${event.usage.output} tokens)`)
        default:
          return Effect.void
      }
    })
  )
}).pipe(
  AiGateway.withOptions({ metadata: { team: "search" } }),
  Effect.catchTags({
    // Every leg would fail so: these two end a call at once.
    GatewayNotFound: (error) => Console.error(`No such gateway. ${error.message}`),
    Unauthorized: (error) => Console.error(`The ${error.source} refused. ${error.message}`),
    // One record for each leg, in order.
    AllProvidersFailed: (error) =>
      Effect.forEach(error.attempts, ({ provider, error }) => Console.error(`${provider}: ${error.message}`))
  })
)

// The one line that a test or a demo changes, and settings for it.
const isLocal = process.env.CLOUDFLARE_ACCOUNT_ID === undefined
const Client = isLocal ? LocalGateway.layer() : NodeHttpClient.layerUndici
const settings = isLocal
  ? ConfigProvider.fromJson({
      CLOUDFLARE_ACCOUNT_ID: "local-account",
      CLOUDFLARE_GATEWAY_ID: "local-gateway",
      CLOUDFLARE_API_TOKEN: "local-token",
      OPENAI_API_KEY: "sk-local"
    })
  : ConfigProvider.fromEnv()

await program.pipe(
  Effect.provide(Model.pipe(Layer.provide(Providers), Layer.provide(Gateway), Layer.provide(Client))),
  Effect.withConfigProvider(settings),
  Effect.runPromise
)
