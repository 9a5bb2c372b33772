/**
 * An application that is written against `@effect/ai` alone (text, streams, objects, tools in a chat, embeddings), and gets its
 * models from here: no provider's package, fallback behind one layer.
 * Run: `npx tsx examples/effect-ai-without-provider-package.ts`
 *
 * It calls LocalGateway and checks what it gets. With `AiGateway.layerConfig`, the providers' `layerConfig` and an `HttpClient`
 * instead of `Local` it calls your gateway.
 */
import * as assert from "node:assert/strict"
import * as Chat from "@effect/ai/Chat"
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Tool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import { Console, Effect, Layer, Option, Schema, Stream } from "effect"
import { AiGateway, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as GatewayEmbeddingModel from "effect-ai-gateway/GatewayEmbeddingModel"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"

// --- the application: nothing of this library, and nothing of any provider ----------------------------------------------

const Weather = Tool.make("get_weather", {
  description: "The weather of a city, now.",
  parameters: { city: Schema.String },
  success: Schema.Struct({ celsius: Schema.Number })
})
const Tools = Toolkit.make(Weather)
const ToolsLive = Tools.toLayer({ get_weather: ({ city }) => Effect.succeed({ celsius: city.length }) })

const Cheese = Schema.Struct({ name: Schema.String, since: Schema.Date })

const text = LanguageModel.generateText({ prompt: "Name a cheese." })

const poem = LanguageModel.streamText({ prompt: "Now a poem." }).pipe(
  Stream.filterMap((part) => (part.type === "text-delta" ? Option.some(part.delta) : Option.none())),
  Stream.mkString
)

const cheese = LanguageModel.generateObject({ prompt: "Which one, and since when?", schema: Cheese })

const assistant = Effect.gen(function* () {
  const chat = yield* Chat.empty
  let answer = yield* chat.generateText({ prompt: "Is it warm in Oslo?", toolkit: Tools })
  while (answer.finishReason === "tool-calls")
    answer = yield* chat.generateText({ prompt: [], toolkit: Tools })
  return answer.text
})

const vectors = Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embedMany(["brie", "gouda"]))

// --- its models ---------------------------------------------------------------------------------------------------------

const Ai = Layer.merge(
  GatewayLanguageModel.fromChatModel(
    ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")]).pipe(
      ChatModel.withDefaults({ maxTokens: 1024 })
    )
  ),
  GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
)

/** OpenAI is down for the first question, and answers from then on. */
const Local = Layer.mergeAll(
  OpenAi.layer(),
  Anthropic.layer(),
  LocalGateway.layerTest({
    upstreams: {
      openai: LocalGateway.script([
        LocalGateway.status(400),
        LocalGateway.text("Cheese, o cheese."),
        LocalGateway.value({ name: "Brie", since: "1815-02-06T00:00:00.000Z" }),
        LocalGateway.toolCall("get_weather", { city: "Oslo" }),
        LocalGateway.text("Oslo has 4 degrees.")
      ]),
      anthropic: LocalGateway.always(LocalGateway.text("Gouda."))
    }
  })
)

const program = Effect.gen(function* () {
  const answer = yield* text.pipe(AiGateway.withOptions({ metadata: { team: "cheese" } }))
  const [who] = answer.content
  assert.equal(answer.text, "Gouda.")
  assert.ok(who?.type === "response-metadata")
  // Who answered, and who did not.
  assert.equal(who.metadata.aiGateway?.provider, "anthropic")
  assert.deepEqual(
    who.metadata.aiGateway?.attempts.map(({ provider }) => provider),
    ["openai"]
  )
  yield* Console.log(
    `${answer.text} (${who.metadata.aiGateway?.provider}, log ${who.metadata.aiGateway?.gateway.logId})`
  )

  assert.equal(yield* poem, "Cheese, o cheese.")
  const { value } = yield* cheese
  assert.equal(value.since.getUTCFullYear(), 1815)
  yield* Console.log(`${value.name}, since ${value.since.getUTCFullYear()}`)

  const weather = yield* assistant
  assert.equal(weather, "Oslo has 4 degrees.")
  yield* Console.log(weather)

  const [brie, gouda] = yield* vectors
  assert.ok(brie !== undefined && brie.length === gouda?.length)
  yield* Console.log(`two vectors of ${brie.length} numbers`)
})

Effect.runPromise(program.pipe(Effect.provide(ToolsLive), Effect.provide(Ai), Effect.provide(Local))).catch(
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  }
)
