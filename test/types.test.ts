import type * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { type Context, Effect, Layer, type Option, pipe, Schedule, type Stream } from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  type ChatResponse,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"

/** Compiles only if both types are the same. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_proof: Equal<A, B>): void => {}

const openai = OpenAi.model("gpt-5-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")

// What is checked here is checked by the compiler (`npm run check`); the tests below only show that it also runs.
describe("types, as an application meets them", () => {
  it("a list of different providers needs all of them and the gateway", () => {
    const list = ChatModel.firstSuccessOf([openai, anthropic, workersAi])
    same<
      typeof list,
      ChatModel.With<OpenAi.OpenAi | Anthropic.Anthropic | WorkersAi.WorkersAi | AiGateway.AiGateway>
    >(true)
    assert.lengthOf(list.metadata.legs ?? [], 3)
  })

  it("an empty list does not compile, and is refused by name where nobody compiles", () => {
    assert.throws(
      // @ts-expect-error: at least one model
      () => ChatModel.firstSuccessOf([]),
      /list of models is empty/
    )
  })

  it("withOptions keeps the types of effects and streams, inside a pipe and outside", () => {
    const effect = ChatModel.chat("hi").pipe(AiGateway.withOptions({ cacheKey: "k" }))
    same<
      typeof effect,
      Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, ChatModel.ChatModel>
    >(true)
    const stream = pipe(ChatModel.streamChat("hi"), AiGateway.withOptions({ cacheTtl: "1 hour" }))
    same<
      typeof stream,
      Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError, ChatModel.ChatModel>
    >(true)
    const direct = AiGateway.withOptions(Effect.succeed(1), { collectLog: false })
    same<typeof direct, Effect.Effect<number>>(true)
    assert.isTrue(Effect.isEffect(effect) && !Effect.isEffect(stream))
  })

  it("a number is no duration, and an unknown back-off is none", () => {
    // @ts-expect-error: without a unit 3600 would be 3.6 seconds
    AiGateway.withOptions({ cacheTtl: 3600 })
    // @ts-expect-error: the same for the client's clocks
    ChatModel.withTimeouts({ total: 10 })
    // @ts-expect-error: "nope" is not a back-off
    AiGateway.withOptions({ retries: { backoff: "nope" } })
    // @ts-expect-error: nested metadata
    AiGateway.withOptions({ metadata: { a: { b: 1 } } })
    assert.isTrue(true)
  })

  it("a layer leaves exactly what its model needs", () => {
    const layer = ChatModel.layer(ChatModel.firstSuccessOf([openai, anthropic]))
    same<
      typeof layer,
      Layer.Layer<ChatModel.ChatModel, never, OpenAi.OpenAi | Anthropic.Anthropic | AiGateway.AiGateway>
    >(true)
    assert.isTrue(Layer.isLayer(layer))
  })

  it("provideService takes one need away, combinators none", () => {
    const given = openai.pipe(
      ChatModel.retry(Schedule.recurs(1)),
      ChatModel.withTimeouts({ total: "1 minute" }),
      ChatModel.withDefaults({ temperature: 0.5 }),
      ChatModel.provideService(OpenAi.OpenAi, OpenAi.make())
    )
    same<typeof given, ChatModel.With<AiGateway.AiGateway>>(true)
    assert.strictEqual(given.metadata.model, "gpt-5-mini")
  })

  it("an account's gateway needs its id; a custom domain needs neither", () => {
    // @ts-expect-error: gatewayId is missing
    AiGateway.layer({ accountId: "a" })
    const layer = AiGateway.layer({ customDomain: "https://ai.example.com" })
    same<
      typeof layer,
      Layer.Layer<AiGateway.AiGateway, AiGatewayError.InvalidRequest, HttpClient.HttpClient>
    >(true)
    assert.isTrue(Layer.isLayer(layer))
  })

  it("every error of a call can be told by its tag", () => {
    const handled = ChatModel.chat("hi").pipe(
      Effect.map((answer) => answer.text),
      Effect.catchTags({
        GatewayNotFound: (error) => Effect.succeed(error.message),
        AllProvidersFailed: (error) => Effect.succeed(String(error.attempts[0]?.error._tag)),
        StreamBroken: (error) => Effect.succeed(error.delivered.text)
      })
    )
    type Left = Effect.Effect.Error<typeof handled>["_tag"]
    same<Extract<Left, "GatewayNotFound" | "AllProvidersFailed" | "StreamBroken">, never>(true)
    assert.isTrue(Effect.isEffect(handled))
  })

  it("a model is a value, not an effect", () => {
    // @ts-expect-error: otherwise `Effect.retry(model)` would compile, and do nothing
    const wrong: Effect.Effect<unknown> = openai
    // @ts-expect-error: an Option is neither an effect nor a stream of answers
    const none: Context.Context<never> = {} as Option.Option<number>
    assert.isFalse(Effect.isEffect(wrong))
    assert.isObject(none)
  })
})
