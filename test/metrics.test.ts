import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Exit, Fiber, Layer, Metric, MetricState, Stream, TestClock } from "effect"
import { Anthropic, ChatModel, EmbeddingModel, LocalGateway, OpenAi } from "effect-ai-gateway"

/** The series of a metric whose tags hold these, told from other tests' by a name of a model that only this test uses. */
const series = (name: string, wanted: Record<string, string>) =>
  Effect.map(Metric.snapshot, (all) =>
    all
      .filter(({ metricKey }) => metricKey.name === name)
      .map(({ metricKey, metricState }) => ({
        tags: Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value])),
        state: metricState
      }))
      .filter(({ tags }) => Object.entries(wanted).every(([key, value]) => tags[key] === value))
  )

const histogram = (name: string, wanted: Record<string, string>) =>
  Effect.map(series(name, wanted), (found) => {
    assert.lengthOf(found, 1)
    const [first] = found
    const state = first?.state
    const tags: Record<string, string | undefined> = first?.tags ?? {}
    if (state === undefined || !MetricState.isHistogramState(state)) throw new Error("no histogram")
    return { tags, count: state.count, sum: state.sum, bounds: state.buckets.map(([bound]) => bound) }
  })

const counter = (name: string, wanted: Record<string, string>) =>
  Effect.map(series(name, wanted), (found) => {
    assert.lengthOf(found, 1)
    const state = found[0]?.state
    if (state === undefined || !MetricState.isCounterState(state)) throw new Error("no counter")
    return Number(state.count)
  })

const duration = "gen_ai.client.operation.duration"
const tokens = "gen_ai.client.token.usage"
const firstChunk = "gen_ai.client.operation.time_to_first_chunk"

const gateway = (openai?: LocalGateway.Upstream) =>
  Layer.mergeAll(
    OpenAi.layer(),
    Anthropic.layer(),
    LocalGateway.layerTest(openai === undefined ? {} : { upstreams: { openai } })
  )

describe("a whole answer", () => {
  it.effect("is one operation, with its tokens, by the conventions' names and boundaries", () =>
    Effect.gen(function* () {
      const model = "metrics-whole"
      const { usage } = yield* OpenAi.model(model).chat("hi")
      const wanted = { "gen_ai.request.model": model }
      const { count, tags, bounds } = yield* histogram(duration, wanted)
      assert.strictEqual(count, 1)
      assert.deepStrictEqual(tags, {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        unit: "s"
      })
      assert.deepStrictEqual(bounds, [
        0.01,
        0.02,
        0.04,
        0.08,
        0.16,
        0.32,
        0.64,
        1.28,
        2.56,
        5.12,
        10.24,
        20.48,
        40.96,
        81.92,
        Infinity
      ])
      const input = yield* histogram(tokens, { ...wanted, "gen_ai.token.type": "input" })
      const output = yield* histogram(tokens, { ...wanted, "gen_ai.token.type": "output" })
      assert.deepStrictEqual([input.sum, output.sum], [usage.input, usage.output])
      assert.strictEqual(input.tags.unit, "{token}")
      assert.strictEqual(input.bounds.at(-2), 67108864)
      assert.lengthOf(yield* series(firstChunk, wanted), 0)
    }).pipe(Effect.provide(gateway()))
  )

  it.effect("that is retried counts once per request, the failed ones with their error", () =>
    Effect.gen(function* () {
      const model = "metrics-retried"
      const fiber = yield* Effect.fork(OpenAi.model(model).chat("hi"))
      yield* TestClock.adjust("1 minute")
      yield* fiber
      const all = yield* series(duration, { "gen_ai.request.model": model })
      assert.deepStrictEqual(all.map(({ tags }) => tags["error.type"]).sort(), ["ProviderFailure", undefined])
      const retries = yield* counter("cloudflare.ai_gateway.retries", { "gen_ai.request.model": model })
      assert.strictEqual(retries, 1)
    }).pipe(Effect.provide(gateway(LocalGateway.script([LocalGateway.status(503), LocalGateway.echo]))))
  )

  it.effect("that stays an error counts the retries, and not the end of them", () =>
    Effect.gen(function* () {
      const model = "metrics-exhausted"
      const fiber = yield* Effect.fork(Effect.exit(OpenAi.model(model).chat("hi")))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(yield* fiber))
      const wanted = { "gen_ai.request.model": model }
      assert.strictEqual((yield* histogram(duration, wanted)).count, 3)
      assert.strictEqual(yield* counter("cloudflare.ai_gateway.retries", wanted), 2)
    }).pipe(Effect.provide(gateway(LocalGateway.always(LocalGateway.status(503)))))
  )

  it.effect("of a list counts each leg, and the move to the next", () =>
    Effect.gen(function* () {
      const model = "metrics-left"
      yield* ChatModel.firstSuccessOf([OpenAi.model(model), Anthropic.model("metrics-next")]).chat("hi")
      const [failed] = yield* series(duration, { "gen_ai.request.model": model })
      const error = failed?.tags["error.type"] ?? ""
      assert.strictEqual(error, "BadRequest")
      assert.strictEqual(
        yield* counter("cloudflare.ai_gateway.fallbacks", {
          "gen_ai.request.model": model,
          "error.type": error
        }),
        1
      )
      assert.strictEqual((yield* histogram(duration, { "gen_ai.request.model": "metrics-next" })).count, 1)
    }).pipe(Effect.provide(gateway(LocalGateway.always(LocalGateway.status(400)))))
  )

  it.effect("that is interrupted is no success: its error is Interrupted", () =>
    Effect.gen(function* () {
      const model = "metrics-interrupted"
      const fiber = yield* Effect.fork(OpenAi.model(model).chat("hi"))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("2 seconds")
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      const { tags, count, sum } = yield* histogram(duration, { "gen_ai.request.model": model })
      assert.deepStrictEqual([tags["error.type"], count, sum], ["Interrupted", 1, 2])
    }).pipe(
      Effect.provide(gateway(LocalGateway.always(LocalGateway.delayed(LocalGateway.echo, "10 seconds"))))
    )
  )

  it.effect("carries the tags of Effect.tagMetrics", () =>
    Effect.gen(function* () {
      const model = "metrics-tagged"
      yield* OpenAi.model(model).chat("hi").pipe(Effect.tagMetrics("team", "search"))
      const { tags } = yield* histogram(duration, { "gen_ai.request.model": model })
      assert.strictEqual(tags.team, "search")
    }).pipe(Effect.provide(gateway()))
  )
})

describe("a stream", () => {
  it.effect("is one operation until its last event, however slowly it is read", () =>
    Effect.gen(function* () {
      const model = "metrics-stream"
      const fiber = yield* OpenAi.model(model)
        .streamChat("one two three four five")
        .pipe(
          Stream.tap(() => Effect.sleep("1 second")),
          Stream.runCollect,
          Effect.fork
        )
      yield* TestClock.adjust("1 hour")
      assert.isAbove(Chunk.size(yield* fiber), 3)
      const wanted = { "gen_ai.request.model": model }
      assert.strictEqual((yield* histogram(duration, wanted)).count, 1)
      assert.strictEqual((yield* histogram(firstChunk, wanted)).count, 1)
      assert.strictEqual((yield* histogram(tokens, { ...wanted, "gen_ai.token.type": "output" })).count, 1)
    }).pipe(Effect.provide(gateway()))
  )

  it.effect("says when its first content came", () =>
    Effect.gen(function* () {
      const model = "metrics-first"
      const fiber = yield* OpenAi.model(model).streamChat("hi").pipe(Stream.runDrain, Effect.fork)
      yield* TestClock.adjust("3 seconds")
      yield* fiber
      assert.strictEqual((yield* histogram(firstChunk, { "gen_ai.request.model": model })).sum, 3)
    }).pipe(
      Effect.provide(gateway(LocalGateway.always(LocalGateway.delayed(LocalGateway.echo, "3 seconds"))))
    )
  )

  it.effect("that is left early is one operation without an error", () =>
    Effect.gen(function* () {
      const model = "metrics-early"
      yield* OpenAi.model(model).streamChat("one two three four").pipe(Stream.take(2), Stream.runDrain)
      const { tags, count } = yield* histogram(duration, { "gen_ai.request.model": model })
      assert.deepStrictEqual([tags["error.type"], count], [undefined, 1])
    }).pipe(Effect.provide(gateway()))
  )
})

describe("vectors", () => {
  it.effect("are operations too", () =>
    Effect.gen(function* () {
      const model = "metrics-vectors"
      yield* EmbeddingModel.embed("hi").pipe(
        Effect.provide(EmbeddingModel.layer(OpenAi.embeddingModel(model)))
      )
      const { tags, count } = yield* histogram(duration, { "gen_ai.request.model": model })
      assert.deepStrictEqual([tags["gen_ai.operation.name"], count], ["embeddings", 1])
    }).pipe(Effect.provide(gateway()))
  )
})
