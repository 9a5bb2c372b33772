/** Embeddings with the provider emulator `@copilotkit/aimock`, which makes vectors of the texts themselves, over real sockets. */
import type { LLMock } from "@copilotkit/aimock"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { AzureOpenAi, Cohere, EmbeddingModel, OpenAi } from "effect-ai-gateway"
import { application, emulator, gatewayTo, type Needs, type Peer } from "./aimockProviders.js"

// aimock has Google's `embedContent` but not the `batchEmbedContents` that this library asks.
interface Vectors {
  readonly name: string
  readonly slug: Peer["slug"]
  readonly model: EmbeddingModel.With<Needs>
}

const openAi: Vectors = {
  name: "OpenAi.embeddingModel",
  slug: "openai",
  model: OpenAi.embeddingModel("text-embedding-3-small")
}
const azure: Vectors = {
  name: "AzureOpenAi.embeddingModel",
  slug: "azure-openai",
  model: AzureOpenAi.embeddingModel("text-embedding-3-small", { resource: "mine", apiVersion: "2024-10-21" })
}
const cohere: Vectors = {
  name: "Cohere.embeddingModel",
  slug: "cohere",
  model: Cohere.embeddingModel("embed-v4.0")
}

const running = (slug: Peer["slug"], bad: LLMock, good: LLMock = bad) =>
  Layer.build(application(gatewayTo(slug, bad, good), NodeHttpClient.layerUndici))

// OpenAI has no purposes.
const purposeOf = (slug: string) => (slug === "cohere" ? { purpose: "document" as const } : {})

describe("NodeHttpClient.layerUndici → LocalGatewayServer → aimock", () => {
  for (const { name, slug, model } of [openAi, azure, cohere]) {
    describe(name, () => {
      const purpose = purposeOf(slug)
      it.live("gives one vector for each text, in their order", () =>
        Effect.gen(function* () {
          const mock = yield* emulator(() => undefined)
          const context = yield* running(slug, mock)
          const texts = ["Brie", "灵感 🎈", "Gouda"]
          const { embeddings, provider } = yield* model
            .embedMany(texts, purpose)
            .pipe(Effect.provide(context))
          assert.strictEqual(provider, slug)
          assert.strictEqual(embeddings.length, 3)
          assert.strictEqual(new Set(embeddings.map(String)).size, 3)
          for (const [index, text] of texts.entries()) {
            const { embedding } = yield* model.embed(text, purpose).pipe(Effect.provide(context))
            assert.strictEqual(String(embedding), String(embeddings[index]))
          }
        }).pipe(Effect.scoped)
      )

      it.live("is asked for as many texts as fit into a request, and no more", () =>
        Effect.gen(function* () {
          const mock = yield* emulator(() => undefined)
          const context = yield* running(slug, mock)
          const { maxBatch } = model.metadata
          const texts = Array.from({ length: maxBatch + 1 }, (_, n) => `text ${n}`)
          const { embeddings, gateway } = yield* model
            .embedMany(texts, { ...purpose, dimensions: 4 })
            .pipe(Effect.provide(context))
          assert.strictEqual(embeddings.length, texts.length)
          assert.strictEqual(new Set(embeddings.map(String)).size, texts.length)
          assert.strictEqual(gateway.length, 2)
          assert.strictEqual(mock.getRequests().length, 2)
        }).pipe(Effect.scoped)
      )

      it.live("fails: a typed error, and the next leg makes all vectors", () =>
        Effect.gen(function* () {
          const bad = yield* emulator(() => undefined, { chaos: { rateLimitRate: 1 } })
          const good = yield* emulator((mock) => mock.onEmbedding(/.*/, { embedding: [1, 2, 3] }))
          const context = yield* running(slug, bad, good)
          const impatient = model.pipe(EmbeddingModel.retry(Schedule.recurs(0)))
          const ask = (model: Pick<typeof impatient, "embedMany">) =>
            model.embedMany(["one", "two"]).pipe(Effect.provide(context))
          assert.strictEqual((yield* Effect.flip(ask(impatient)))._tag, "RateLimited")
          const other = slug === "cohere" ? openAi.model : cohere.model
          const answer = yield* ask(EmbeddingModel.firstSuccessOf([impatient, other]))
          assert.deepStrictEqual(answer.embeddings, [
            [1, 2, 3],
            [1, 2, 3]
          ])
          assert.deepStrictEqual(
            answer.attempts.map(({ provider, error }) => [provider, error._tag]),
            [[slug, "RateLimited"]]
          )
        }).pipe(Effect.scoped)
      )
    })
  }

  it.live("sends the number of dimensions, as OpenAI has them", () =>
    Effect.gen(function* () {
      const mock = yield* emulator(() => undefined)
      const context = yield* running("openai", mock)
      const { model } = openAi
      const { embedding, usage } = yield* model.embed("Brie", { dimensions: 7 }).pipe(Effect.provide(context))
      assert.lengthOf(embedding, 7)
      assert.isNumber(usage.input)
    }).pipe(Effect.scoped)
  )

  it.live("is told what the vendor does not take", () =>
    Effect.gen(function* () {
      const mock = yield* emulator(() => undefined)
      const context = yield* running("openai", mock)
      const { model } = openAi
      const error = yield* model
        .embed("Brie", { dimensions: 100_001 })
        .pipe(Effect.flip, Effect.provide(context))
      assert(error._tag === "BadRequest", error._tag)
      assert.include(error.message, "dimensions")
    }).pipe(Effect.scoped)
  )
})
