/** Any of our embedding models as one of `@effect/ai`. */
import * as AiEmbeddingModel from "@effect/ai/EmbeddingModel"
import type * as Model from "@effect/ai/Model"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Schedule } from "effect"
import {
  AiGateway,
  AiGatewayError,
  Cohere,
  EmbeddingModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"
import * as GatewayEmbeddingModel from "effect-ai-gateway/GatewayEmbeddingModel"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

const providers = Layer.mergeAll(
  OpenAi.layer({ apiKey: Redacted.make("sk-secret") }),
  GoogleAiStudio.layer(),
  WorkersAi.layer(),
  Cohere.layer()
)
const behind = (upstreams: LocalGateway.Options["upstreams"] = {}) =>
  Layer.merge(providers, LocalGateway.layerTest({ upstreams }))

type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway

const models: Readonly<Record<string, EmbeddingModel.With<Needs>>> = {
  openai: OpenAi.embeddingModel("text-embedding-3-small"),
  "google-ai-studio": GoogleAiStudio.embeddingModel("gemini-embedding-001"),
  "workers-ai": WorkersAi.embeddingModel("@cf/baai/bge-base-en-v1.5"),
  cohere: Cohere.embeddingModel("embed-v4.0").pipe(EmbeddingModel.withDefaults({ purpose: "document" }))
}

/** A model whose vectors are the lengths of the texts, and how it was asked. */
const lengths = () => {
  const asked: Array<ReadonlyArray<string>> = []
  const model = EmbeddingModel.make({
    metadata: { provider: "test", model: "lengths", maxBatch: 100 },
    embedMany: (inputs) =>
      Effect.sync(() => {
        asked.push(inputs)
        return {
          embeddings: inputs.map((input) => [input.length]),
          usage: {},
          provider: "test",
          model: "lengths",
          attempts: [],
          gateway: []
        }
      })
  })
  return { asked, Ai: GatewayEmbeddingModel.fromEmbeddingModel(model) }
}

const embed = (input: string) =>
  Effect.flatMap(AiEmbeddingModel.EmbeddingModel, (model) => model.embed(input))
const embedMany = (inputs: ReadonlyArray<string>) =>
  Effect.flatMap(AiEmbeddingModel.EmbeddingModel, (model) => model.embedMany(inputs))

describe("an embedding model of @effect/ai", () => {
  it("has the needs of ours, and no others", () => {
    const one = GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
    same<
      typeof one,
      Model.Model<
        "cloudflare-ai-gateway",
        AiEmbeddingModel.EmbeddingModel,
        OpenAi.OpenAi | AiGateway.AiGateway
      >
    >(true)
    same<
      typeof GatewayEmbeddingModel.layerEmbeddingModel,
      Layer.Layer<AiEmbeddingModel.EmbeddingModel, never, EmbeddingModel.EmbeddingModel>
    >(true)
  })

  for (const [name, model] of Object.entries(models)) {
    it.effect(`behind ${name} gives the vectors that our own model gives`, () =>
      Effect.gen(function* () {
        const texts = ["brie", "gouda", "brie"]
        const { embeddings } = yield* model.embedMany(texts)
        const Ai = GatewayEmbeddingModel.fromEmbeddingModel(model)
        assert.deepEqual(yield* Effect.provide(embedMany(texts), Ai), embeddings)
        assert.deepEqual(yield* Effect.provide(embed("brie"), Ai), embeddings[0])
      }).pipe(Effect.provide(behind()))
    )
  }

  it.effect("is the EmbeddingModel of the context, if that is wanted", () =>
    Effect.gen(function* () {
      assert.isAbove((yield* embed("brie")).length, 1)
    }).pipe(
      Effect.provide(GatewayEmbeddingModel.layerEmbeddingModel),
      Effect.provide(EmbeddingModel.layer(OpenAi.embeddingModel("text-embedding-3-small"))),
      Effect.provide(behind())
    )
  )

  it.effect("embedMany is one call of ours, in order, and none without texts", () => {
    const { asked, Ai } = lengths()
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* embedMany(["a", "bbb", "cc", "a"]), [[1], [3], [2], [1]])
      assert.deepStrictEqual(asked, [["a", "bbb", "cc", "a"]])
      assert.deepStrictEqual(yield* embedMany([]), [])
    }).pipe(Effect.provide(Ai))
  })

  it.effect("more texts than the vendor takes at once are several requests", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 2050 }, (_, index) => `text ${index}`)
      assert.lengthOf(yield* embedMany(texts), 2050)
      assert.lengthOf((yield* LocalGateway.Gateway).requests(), 2)
    }).pipe(
      Effect.provide(
        GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
      ),
      Effect.provide(behind())
    )
  )

  it.effect("embeds that run with batching are one call, without it one each", () => {
    const { asked, Ai } = lengths()
    return Effect.gen(function* () {
      const each = (batching: boolean) =>
        Effect.forEach(["a", "bbb", "cc"], embed, { batching, concurrency: "unbounded" })
      assert.deepStrictEqual(yield* each(true), [[1], [3], [2]])
      assert.deepStrictEqual(asked, [["a", "bbb", "cc"]])
      assert.deepStrictEqual(yield* each(false), [[1], [3], [2]])
      assert.lengthOf(asked, 4)
    }).pipe(Effect.provide(Ai))
  })

  it.effect("embeds of one batch keep the gateway options that each was asked with", () =>
    Effect.gen(function* () {
      const of = (team: string) => AiGateway.withOptions({ metadata: { team } })
      const one = of("one")
      yield* Effect.all(
        [
          Effect.all([embed("a"), embed("b")], { batching: true, concurrency: "unbounded" }).pipe(one),
          embed("c").pipe(of("two")),
          embed("d")
        ],
        { batching: true, concurrency: "unbounded" }
      )
      const requests = (yield* LocalGateway.Gateway).requests()
      assert.deepStrictEqual(
        requests
          .map(({ headers, body }) => [headers["cf-aig-metadata"], (body as { input: unknown }).input])
          .sort(),
        [
          [undefined, ["d"]],
          ['{"team":"one"}', ["a", "b"]],
          ['{"team":"two"}', ["c"]]
        ].sort()
      )
    }).pipe(
      Effect.provide(
        GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
      ),
      Effect.provide(behind())
    )
  )

  it.effect("takes what the model value says, and the options of a region", () =>
    Effect.gen(function* () {
      yield* embedMany(["a"]).pipe(AiGateway.withOptions({ skipCache: true }))
      const [request] = (yield* LocalGateway.Gateway).requests()
      assert.strictEqual(request?.headers["cf-aig-skip-cache"], "true")
      assert.strictEqual((request?.body as { dimensions: unknown } | undefined)?.dimensions, 8)
    }).pipe(
      Effect.provide(
        GatewayEmbeddingModel.fromEmbeddingModel(
          EmbeddingModel.withDefaults(OpenAi.embeddingModel("text-embedding-3-small"), { dimensions: 8 })
        )
      ),
      Effect.provide(behind())
    )
  )

  it.live("is interrupted, for one text and for many: the gateway is told", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const eventually = (condition: () => boolean) =>
        Effect.sleep("2 millis").pipe(
          Effect.repeat({ until: condition, times: 500 }),
          Effect.zipRight(Effect.sync(condition))
        )
      for (const [index, ask] of [
        Effect.asVoid(embed("a")),
        Effect.asVoid(embedMany(["a", "b"]))
      ].entries()) {
        const fiber = yield* Effect.fork(ask)
        assert.isTrue(yield* eventually(() => gateway.inFlight() === 1))
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        assert.isTrue(yield* eventually(() => gateway.inFlight() === 0))
        assert.lengthOf(gateway.requests(), index + 1)
        assert.isTrue(gateway.requests()[index]?.aborted)
      }
    }).pipe(
      Effect.provide(
        GatewayEmbeddingModel.fromEmbeddingModel(OpenAi.embeddingModel("text-embedding-3-small"))
      ),
      Effect.provide(behind({ openai: LocalGateway.always(LocalGateway.hang) }))
    )
  )

  it.effect("fails with its errors, one for each that asked, and ours is the cause", () =>
    Effect.gen(function* () {
      const both = yield* Effect.all([Effect.flip(embed("a")), Effect.flip(embed("b"))], {
        batching: true,
        concurrency: "unbounded"
      })
      for (const error of [...both, yield* Effect.flip(embedMany(["a"]))]) {
        assert(error._tag === "HttpResponseError")
        assert.strictEqual(error.response.status, 429)
        assert.strictEqual(error.module, "GatewayEmbeddingModel")
        assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "RateLimited")
        assert.notInclude(JSON.stringify(error), "sk-secret")
      }
      const empty = yield* Effect.flip(embed(""))
      assert.strictEqual(empty._tag, "MalformedInput")
    }).pipe(
      Effect.provide(
        GatewayEmbeddingModel.fromEmbeddingModel(
          EmbeddingModel.retry(OpenAi.embeddingModel("text-embedding-3-small"), Schedule.recurs(0))
        )
      ),
      Effect.provide(behind({ openai: LocalGateway.always(LocalGateway.status(429)) }))
    )
  )
})
