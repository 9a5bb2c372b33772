/** The main job without an account: LocalGateway on a loopback socket, with two providers that fail. */
import { Console, Effect, Layer, Redacted, Schedule } from "effect"
import { AiGateway, Anthropic, ChatModel, GoogleAiStudio, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { ask } from "./ask.js"
import { showErrors } from "./errors.js"
import * as HttpClient from "./httpClient.js"
import { render } from "./table.js"

const gatewayFor = (prompt: string) =>
  LocalGateway.make({
    upstreams: {
      openai: LocalGateway.always(LocalGateway.status(503)),
      anthropic: LocalGateway.always(LocalGateway.status(429, { headers: { "retry-after": "60" } })),
      "google-ai-studio": LocalGateway.always(
        LocalGateway.text(
          `You said: "${prompt}" I am the built-in model of LocalGateway. I cannot think, but I speak Google's ` +
            "wire format over a real socket, one word at a time. The two providers before me were down and busy.",
          { delay: "20 millis" }
        )
      )
    }
  })

const gemini = GoogleAiStudio.model("gemini-2.5-flash")

// Short waits: OpenAI gets two more chances, and Anthropic's request for a minute of peace is not waited for.
const model = ChatModel.firstSuccessOf([
  OpenAi.model("gpt-5-mini"),
  Anthropic.model("claude-haiku-4-5"),
  gemini
]).pipe(
  ChatModel.retry(Schedule.exponential("50 millis").pipe(Schedule.intersect(Schedule.recurs(2))), {
    maxRetryAfter: "2 seconds"
  })
)

const application = (baseUrl: string) =>
  ChatModel.layer(model).pipe(
    Layer.provideMerge(Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer())),
    Layer.provideMerge(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        baseUrl
      })
    ),
    Layer.provide(HttpClient.layer)
  )

const showCache = Effect.gen(function* () {
  yield* Console.log("\nThe same question twice, with a cacheKey:\n")
  for (const time of ["first", "second"]) {
    const answer = yield* gemini
      .chat("What is a cache?")
      .pipe(AiGateway.withOptions({ cacheKey: "main-job" }))
    yield* Console.log(`  ${time.padEnd(6)}  ${answer.gateway.cacheStatus}`)
  }
})

const showMetadata = Effect.gen(function* () {
  yield* Console.log("\nWhat is known of the models:\n")
  const { legs = [] } = yield* ChatModel.metadata
  const rows = legs.map(({ provider, model, contextWindow, maxOutputTokens, supports }) => [
    provider,
    model,
    `${contextWindow ?? "?"} tokens, ${maxOutputTokens ?? "?"} of them out`,
    supports.join(" ")
  ])
  yield* Console.log(render(rows))
})

export const runLocally = (prompt: string) =>
  Effect.gen(function* () {
    const server = yield* LocalGatewayServer.start(gatewayFor(prompt))
    yield* Console.log(`LocalGateway listens at ${server.url}. Your own gateway: npm start -- --help\n`)
    yield* Effect.gen(function* () {
      yield* ask(prompt)
      yield* showCache
      yield* showMetadata
      yield* showErrors
    }).pipe(Effect.provide(application(server.baseUrl)))
  }).pipe(Effect.scoped)
