import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import {
  AiGateway,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"

const setup = (options: LocalGateway.Options = {}) => {
  const gateway = LocalGateway.make(options)
  const layer = Layer.mergeAll(
    OpenAi.layer(),
    Anthropic.layer(),
    GoogleAiStudio.layer(),
    WorkersAi.layer()
  ).pipe(
    Layer.provideMerge(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token")
      })
    ),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  return { gateway, layer }
}

describe("the thinnest path through everything", () => {
  const { layer } = setup()
  type Needs =
    | AiGateway.AiGateway
    | OpenAi.OpenAi
    | Anthropic.Anthropic
    | GoogleAiStudio.GoogleAiStudio
    | WorkersAi.WorkersAi
  const models: ReadonlyArray<readonly [string, ChatModel.With<Needs>]> = [
    ["openai", OpenAi.model("gpt-4.1-mini")],
    ["anthropic", Anthropic.model("claude-haiku-4-5")],
    ["google-ai-studio", GoogleAiStudio.model("gemini-2.5-flash")],
    ["workers-ai", WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")]
  ]
  for (const [name, model] of models) {
    it.effect(`${name} chats`, () =>
      Effect.gen(function* () {
        const answer = yield* model.chat({
          prompt: "hello there",
          system: "be kind",
          temperature: 0.8,
          maxTokens: 50
        })
        assert.include(answer.text, "hello there")
        assert.strictEqual(answer.provider, name)
      }).pipe(Effect.provide(layer))
    )
    it.effect(`${name} streams`, () =>
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(model.streamChat("hello there"))
        const answer = yield* ChatModel.collect(Stream.fromIterable(events))
        assert.include(answer.text, "hello there")
        assert.strictEqual(answer.finishReason, "stop")
        assert.isAbove(answer.usage.output ?? 0, 0)
      }).pipe(Effect.provide(layer))
    )
  }
  it.effect("falls back", () => {
    const { layer } = setup({
      upstreams: {
        openai: LocalGateway.always(LocalGateway.status(400)),
        anthropic: LocalGateway.always(LocalGateway.status(401))
      }
    })
    const list = ChatModel.firstSuccessOf([
      OpenAi.model("gpt-5-mini"),
      Anthropic.model("claude-haiku-4-5"),
      GoogleAiStudio.model("gemini-2.5-flash")
    ])
    return Effect.gen(function* () {
      const answer = yield* list.chat("hello there")
      assert.strictEqual(answer.provider, "google-ai-studio")
      assert.deepStrictEqual(
        answer.attempts.map((a) => a.error._tag),
        ["BadRequest", "Unauthorized"]
      )
      const streamed = yield* ChatModel.collect(list.streamChat("hi"))
      assert.strictEqual(streamed.provider, "google-ai-studio")
      assert.deepStrictEqual(
        streamed.attempts.map((a) => a.error._tag),
        ["BadRequest", "Unauthorized"]
      )
    }).pipe(Effect.provide(layer))
  })
})
