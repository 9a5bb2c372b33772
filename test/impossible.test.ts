/**
 * 10. What cannot be had together. Each pair does not compile, which `tsc` checks here by `@ts-expect-error`; where a value
 * is only known at run time, it fails when the layer is built, or when the model is made (`modelFrom`).
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Stream } from "effect"
import { AiBinding, AiGateway, ChatModel, Compat, OpenAi } from "effect-ai-gateway"

const answer = () => Promise.resolve(new Response("{}"))
const gatewayBinding: AiGateway.Binding = { run: answer }
const aiBinding: AiBinding.Binding = { run: answer, gateway: () => gatewayBinding }

/** Why a layer cannot be built. */
const refusal = <A, E>(layer: Layer.Layer<A, E>): Effect.Effect<E, A> =>
  Effect.flip(Effect.scoped(Effect.asVoid(Layer.build(layer)))) as Effect.Effect<E, A>

/** A value that came from outside, whose type nobody knows. */
const unknown = (value: unknown) => value as never

describe("10. impossible together", () => {
  it.effect("resume and the server's fallback", () =>
    Effect.sync(() => {
      const resuming = AiBinding.model("openai/gpt-5-mini", { resume: {} })
      // @ts-expect-error a universal request goes through AiGateway only
      ChatModel.universal([OpenAi.model("gpt-5-mini"), resuming])
      // The client's fallback takes both.
      ChatModel.firstSuccessOf([resuming, OpenAi.model("gpt-5-mini")])
    })
  )

  it.effect("resume and caching, the run path and caching", () =>
    Effect.gen(function* () {
      AiBinding.model("openai/gpt-5-mini", {
        resume: {},
        // @ts-expect-error the run path has no cache
        options: { cacheKey: "cheese" }
      })
      // @ts-expect-error the run path has no cache
      AiBinding.layer(aiBinding, { defaults: { cacheKey: "cheese" } })
      const defaults = unknown({ cacheTtl: "1 hour" })
      const error = yield* refusal(AiBinding.layer(aiBinding, { defaults }))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual(error.field, "defaults.cacheTtl")
    })
  )

  it.effect("the run path and keys of one's own", () =>
    Effect.gen(function* () {
      // @ts-expect-error there is no key on the run path
      AiBinding.layer(aiBinding, { apiKey: "sk-…" })
      // @ts-expect-error its stored key is the one with the alias "default"
      AiBinding.layer(aiBinding, { defaults: { byokAlias: "mine" } })
      const error = yield* refusal(AiBinding.layer(aiBinding, { defaults: unknown({ byokAlias: "mine" }) }))
      assert.strictEqual(error.field, "defaults.byokAlias")
    })
  )

  it.effect("a key in the headers of a request on the run path is refused, and not sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        AiBinding.send({
          provider: "openai",
          endpoint: "openai/gpt-5-mini",
          headers: { Authorization: "Bearer sk-123456" },
          body: {}
        })
      )
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.include(error.message, "takes no key of a provider")
      assert.notInclude(error.message, "sk-")
    }).pipe(Effect.provide(AiBinding.layer(aiBinding)))
  )

  it("the gateway path and resume", () => {
    // @ts-expect-error a stream of the gateway path has no run
    OpenAi.model("gpt-5-mini", { resume: {} })
    // @ts-expect-error nor does its binding take one
    AiGateway.layerBinding(gatewayBinding, { resume: {} })
  })

  it.effect("models of Workers AI and resume", () =>
    Effect.gen(function* () {
      // @ts-expect-error only models of the catalogue have runs
      AiBinding.model("@cf/meta/llama-3.1-8b-instruct", { resume: {} })
      const error = yield* Effect.flip(AiBinding.modelFrom("@cf/meta/llama-3.1-8b-instruct", { resume: {} }))
      assert.strictEqual(error.field, "resume")
      // @ts-expect-error
      const none = AiBinding.reattach("@cf/meta/llama-3.1-8b-instruct", { runId: "abc" })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Stream.runDrain(none))))
    }).pipe(Effect.provide(AiBinding.layer(aiBinding)))
  )

  it.effect("a vendor of the run path alone, and the gateway's host", () =>
    Effect.gen(function* () {
      // @ts-expect-error
      Compat.model("alibaba/qwen3-max")
      // @ts-expect-error
      Compat.model("minimax/m2")
      const error = yield* Effect.flip(Compat.modelFrom("alibaba/qwen3-max"))
      assert.strictEqual(error.field, "model")
      assert.include(error.message, "AiBinding")
      yield* Compat.modelFrom("openai/gpt-5-mini")
    })
  )

  it.effect("a vendor that the catalogue does not have, and the run path", () =>
    Effect.gen(function* () {
      // @ts-expect-error
      AiBinding.model("mistral/mistral-large-latest")
      // @ts-expect-error
      AiBinding.model("perplexity/sonar")
      // @ts-expect-error
      AiBinding.model("dynamic/support")
      // @ts-expect-error
      AiBinding.model("cloudflare/auto")
      for (const name of [
        "mistral/large",
        "cerebras/x",
        "openrouter/y",
        "dynamic/support",
        "cloudflare/auto"
      ]) {
        const error = yield* Effect.flip(AiBinding.modelFrom(name))
        assert.strictEqual(error.field, "model")
      }
      yield* AiBinding.modelFrom("alibaba/qwen3-max")
    })
  )

  it.effect("such a name in a layer fails it when it is built", () =>
    Effect.gen(function* () {
      const Model = Layer.unwrapEffect(
        Effect.map(AiBinding.modelFrom("mistral/large"), (model) => ChatModel.layer(model))
      ).pipe(Layer.provide(AiBinding.layer(aiBinding)))
      const error = yield* refusal(Model)
      assert.strictEqual(error._tag, "InvalidRequest")
    })
  )

  it.effect("options of a region that the run path does not have move a list on, unsent", () => {
    let sent = 0
    const counting: AiBinding.Binding = {
      run: () => {
        sent++
        return answer()
      },
      gateway: () => gatewayBinding
    }
    return Effect.gen(function* () {
      const error = yield* AiBinding.model("openai/gpt-5-mini")
        .chat("hi")
        .pipe(AiGateway.withOptions({ cacheKey: "cheese" }), Effect.flip)
      assert.strictEqual(error._tag, "Unsupported")
      assert.include(error.message, "cacheKey")
      assert.strictEqual(sent, 0)
    }).pipe(Effect.provide(AiBinding.layer(counting)))
  })
})

describe("a binding that is not the one that is wanted", () => {
  it.effect("is told when the layer is built, with what to do", () =>
    Effect.gen(function* () {
      const messages = [
        [yield* refusal(AiGateway.layerBinding(unknown(undefined))), "env.AI.gateway(id) is missing"],
        [yield* refusal(AiGateway.layerBinding(unknown(null))), "env.AI.gateway(id) is missing"],
        [yield* refusal(AiGateway.layerBinding(unknown(aiBinding))), "This is env.AI itself"],
        [yield* refusal(AiGateway.layerBinding(unknown("my-gateway"))), "This is a text"],
        [yield* refusal(AiGateway.layerBinding(unknown({}))), "This has no run"],
        [yield* refusal(AiBinding.layer(unknown(undefined))), "env.AI is missing"],
        [
          yield* refusal(AiBinding.layer(unknown({ ...gatewayBinding, getLog: answer }))),
          "This is a gateway"
        ],
        [yield* refusal(AiBinding.layer(unknown({ get: answer }))), "This is no AI binding"],
        [yield* refusal(AiBinding.layer(unknown(7))), "This is no AI binding"]
      ] as const
      for (const [error, text] of messages) {
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.strictEqual(error.field, "binding")
        assert.include(error.message, text)
      }
    })
  )

  it.effect("a gateway id that is none", () =>
    Effect.gen(function* () {
      for (const gatewayId of ["", "my gateway", "a/b"]) {
        const error = yield* refusal(AiBinding.layer(aiBinding, { gatewayId }))
        assert.strictEqual(error.field, "gatewayId")
      }
    })
  )

  it("does not compile", () => {
    // @ts-expect-error
    AiGateway.layerBinding(aiBinding)
    // @ts-expect-error
    AiBinding.layer(gatewayBinding)
    // @ts-expect-error
    AiGateway.layerBinding(undefined)
  })
})
