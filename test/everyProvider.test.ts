/** Tools and objects mean the same, whoever answers: every provider's format, over the gateway's protocol. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Schema, Stream } from "effect"
import {
  type AiGateway,
  Anthropic,
  AwsBedrock,
  AzureOpenAi,
  Cerebras,
  type ChatModel,
  Cohere,
  Compat,
  DeepSeek,
  Fireworks,
  GoogleAiStudio,
  GoogleVertexAi,
  Grok,
  Groq,
  HuggingFace,
  LocalGateway,
  Mistral,
  OpenAi,
  OpenRouter,
  Tool,
  WorkersAi
} from "effect-ai-gateway"

const providers = Layer.mergeAll(
  Anthropic.layer(),
  AwsBedrock.layer(),
  AzureOpenAi.layer(),
  Cerebras.layer(),
  Cohere.layer(),
  Compat.layer(),
  DeepSeek.layer(),
  Fireworks.layer(),
  GoogleAiStudio.layer(),
  GoogleVertexAi.layer(),
  Grok.layer(),
  Groq.layer(),
  HuggingFace.layer(),
  Mistral.layer(),
  OpenAi.layer(),
  OpenRouter.layer(),
  WorkersAi.layer()
)

type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway

const models: ReadonlyArray<ChatModel.With<Needs>> = [
  Anthropic.model("claude-haiku-4-5", { maxTokens: 100 }),
  AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" }),
  AzureOpenAi.model("my-deployment", { resource: "my-resource" }),
  Cerebras.model("gpt-oss-120b"),
  Cohere.model("command-a-03-2025"),
  Compat.model("openai/gpt-5-mini"),
  DeepSeek.model("deepseek-chat"),
  Fireworks.model("accounts/fireworks/models/llama-v3p1-8b-instruct"),
  GoogleAiStudio.model("gemini-2.5-flash"),
  GoogleVertexAi.model("gemini-2.5-flash", { project: "my-project", location: "us-central1" }),
  Grok.model("grok-4"),
  Groq.model("llama-3.3-70b-versatile"),
  HuggingFace.model("meta-llama/Llama-3.1-8B-Instruct"),
  Mistral.model("mistral-small-latest"),
  OpenAi.model("gpt-4.1-mini"),
  OpenRouter.model("openai/gpt-5-mini"),
  WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast")
]

/** A fresh gateway whose every provider gives these replies. */
const over = (replies: ReadonlyArray<LocalGateway.Reply>) => {
  const upstreams: Record<string, LocalGateway.Upstream> = {}
  for (const { metadata } of models) upstreams[metadata.provider] = LocalGateway.script([...replies])
  return Layer.merge(providers, LocalGateway.layerTest(replies.length === 0 ? {} : { upstreams }))
}

const Weather = Tool.make("get_weather", {
  description: "The weather of a city.",
  parameters: Schema.Struct({ city: Schema.String })
})
const Person = Schema.Struct({
  name: Schema.String,
  age: Schema.Int,
  tags: Schema.Array(Schema.String)
}).annotations({ identifier: "Person" })

/** Their formats take no JSON Schema that the built-in model of the local gateway would see: it is told what to say. */
const told = new Set(["deepseek", "huggingface"])
const ada = LocalGateway.text(JSON.stringify({ name: "Ada", age: 36, tags: ["maths"] }), { chunks: 5 })

for (const model of models) {
  const { provider } = model.metadata
  describe(provider, () => {
    it.effect("never says that it stopped when it called a tool, whatever the vendor says", () =>
      Effect.gen(function* () {
        const whole = yield* model.chat({ prompt: "Oslo?", tools: [Weather] })
        const last = yield* Stream.runLast(model.streamChat({ prompt: "Oslo?", tools: [Weather] }))
        assert.strictEqual(whole.toolCalls[0]?.name, "get_weather")
        assert.strictEqual(whole.finishReason, "tool-calls")
        assert.isTrue(last._tag === "Some" && last.value._tag === "Finish")
        assert.strictEqual(
          last._tag === "Some" && last.value._tag === "Finish" ? last.value.finishReason : undefined,
          "tool-calls"
        )
      }).pipe(
        Effect.provide(
          over(
            Array.from({ length: 2 }, () =>
              LocalGateway.toolCall("get_weather", { city: "Oslo" }, { finishReason: "stop" })
            )
          )
        )
      )
    )

    it.effect("uses tools until it answers, whole and streamed", () =>
      Effect.gen(function* () {
        const weather = Tool.handle(Weather, ({ city }) => Effect.succeed({ city, celsius: 21 }))
        const run = yield* model.runTools("Oslo?", { tools: [weather] })
        assert.strictEqual(run.response.text, "It is warm.")
        assert.strictEqual(run.turns[0]?.results[0]?.result, '{"city":"Oslo","celsius":21}')
        const last = yield* Stream.runLast(model.streamTools("Oslo?", { tools: [weather] }))
        assert.isTrue(
          last._tag === "Some" &&
            last.value._tag === "RunFinish" &&
            last.value.run.response.text === "It is warm." &&
            last.value.run.turns.length === 2
        )
      }).pipe(
        Effect.provide(
          over([
            LocalGateway.toolCall("get_weather", { city: "Oslo" }),
            LocalGateway.text("It is warm."),
            LocalGateway.toolCall("get_weather", { city: "Oslo" }),
            LocalGateway.text("It is warm.")
          ])
        )
      )
    )

    it.effect("gives a value of a Schema, whole and as it grows", () =>
      Effect.gen(function* () {
        const whole = yield* model.chatObject({ schema: Person, prompt: "Who?" })
        assert.isString(whole.object.name)
        assert.isNumber(whole.object.age)
        assert.strictEqual(whole.finishReason, "stop")
        const events = yield* Stream.runCollect(model.streamObject({ schema: Person, prompt: "Who?" }))
        const all = Chunk.toReadonlyArray(events)
        const last = all.at(-1)
        assert.deepStrictEqual(last?._tag === "Object" ? last.object : undefined, whole.object)
        assert.isAbove(all.length, 1)
      }).pipe(Effect.provide(over(told.has(provider) ? [ada, ada] : [])))
    )
  })
}
