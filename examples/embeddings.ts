/**
 * Texts as vectors: a few sentences in one call, the nearest to a question, and one model behind two providers, so that the
 * vectors stay comparable when one of them is down. Run: `npx tsx examples/embeddings.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel, Schedule } from "effect"
import { AzureOpenAi, EmbeddingModel, LocalGateway, OpenAi } from "effect-ai-gateway"

// Both legs are one model. Vectors of different models cannot be compared.
const Embeddings = EmbeddingModel.layer(
  EmbeddingModel.firstSuccessOf([
    OpenAi.embeddingModel("text-embedding-3-small"),
    AzureOpenAi.embeddingModel("text-embedding-3-small", {
      resource: "my-resource",
      apiVersion: "2024-10-21"
    })
  ]).pipe(EmbeddingModel.retry(Schedule.recurs(0)))
)

const sentences = [
  "Brie is a soft cheese from France.",
  "Gouda is a hard cheese from the Netherlands.",
  "The train to Bergen leaves at nine.",
  "Rain is expected in Oslo today."
]

const cosine = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => {
  let dot = 0
  let ofA = 0
  let ofB = 0
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0
    dot += x * y
    ofA += x * x
    ofB += y * y
  }
  return dot / Math.sqrt(ofA * ofB)
}

const program = Effect.gen(function* () {
  // One request for all of them; more than a vendor takes at once are sent in several, and the order is kept.
  const documents = yield* EmbeddingModel.embedMany(sentences)
  const { provider, model, usage, embeddings } = documents
  yield* Console.log(
    `${embeddings.length} vectors of ${embeddings[0]?.length} numbers by ${provider} ${model}, ${usage.input} tokens`
  )
  assert.equal(provider, "openai")
  assert.equal(embeddings.length, sentences.length)

  // OpenAI is down by now: Azure's vectors are those of the same model.
  const question = yield* EmbeddingModel.embed("When does the train leave?")
  for (const { provider, error } of question.attempts)
    yield* Console.log(`${provider}: ${error._tag}, so ${question.provider} was asked`)
  assert.equal(question.provider, "azure-openai")
  assert.equal(question.model, model)

  const ranked = sentences
    .map((sentence, index) => ({ sentence, near: cosine(question.embedding, embeddings[index] ?? []) }))
    .sort((a, b) => b.near - a.near)
  for (const { sentence, near } of ranked) yield* Console.log(`${near.toFixed(3).padStart(7)}  ${sentence}`)
  assert.match(ranked[0]?.sentence ?? "", /train/)

  // The same text gives the same vector, whoever makes it.
  const again = yield* EmbeddingModel.embed(sentences[0] ?? "")
  assert.ok(cosine(again.embedding, embeddings[0] ?? []) > 0.999)

  const gateway = yield* LocalGateway.Gateway
  assert.deepEqual(
    gateway.upstreamRequests().map(({ provider }) => provider),
    ["openai", "openai", "azure-openai", "openai", "azure-openai"]
  )
})

// The built-in model's vectors are near where texts share words, which is enough to see that it works.
const openai = LocalGateway.script([LocalGateway.echo], LocalGateway.status(503))

await program.pipe(
  Effect.provide(Embeddings),
  Effect.provide(
    Layer.mergeAll(OpenAi.layer(), AzureOpenAi.layer(), LocalGateway.layerTest({ upstreams: { openai } }))
  ),
  // A leg that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
