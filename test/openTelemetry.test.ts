/** What leaves the process: by the OpenTelemetry SDK, and over OTLP to a receiver on the loopback interface. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { SpanStatusCode } from "@opentelemetry/api"
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader
} from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Fiber, Layer, Redacted, Schedule, Stream } from "effect"
import { Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const openai = OpenAi.model("gpt-4.1-mini")
const claude = Anthropic.model("claude-haiku-4-5")
const list = ChatModel.firstSuccessOf([openai, claude])
const secret = "sk-very-secret-key"
const prompt = "a prompt that nobody may see"

const world = (options: LocalGateway.Options = {}) =>
  Layer.mergeAll(
    OpenAi.layer({ apiKey: Redacted.make(secret) }),
    Anthropic.layer(),
    LocalGateway.layerTest(options)
  )

/** The spans that a program exports, and what its metrics are at its end. */
const exported = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const spans = new InMemorySpanExporter()
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 600_000 })
    const sdk = NodeSdk.layer(() => ({
      resource: { serviceName: "test" },
      spanProcessor: new SimpleSpanProcessor(spans),
      metricReader: reader
    }))
    return yield* Effect.gen(function* () {
      const exit = yield* Effect.exit(program)
      yield* Effect.promise(() => reader.forceFlush())
      return {
        exit,
        spans: [...spans.getFinishedSpans()],
        metrics: metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics))
      }
    }).pipe(Effect.provide(sdk))
  })

/** `name < parent`, in the order in which they began. */
const tree = (spans: ReadonlyArray<ReadableSpan>) =>
  spans
    .map((span) => {
      const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
      return `${span.name} < ${parent?.name ?? "nothing"}`
    })
    .sort()

const named = (spans: ReadonlyArray<ReadableSpan>, name: string): ReadableSpan => {
  const found = spans.find((span) => span.name === name)
  if (found === undefined) throw new Error(`no span ${name} among ${spans.map((span) => span.name)}`)
  return found
}

const quiet = ChatModel.retry(Schedule.recurs(0))
const refused = { upstreams: { openai: LocalGateway.always(LocalGateway.status(400)) } }

describe("by the OpenTelemetry SDK", () => {
  it.live("a chat: one span for the call, a child for its attempt, with what was asked and answered", () =>
    Effect.gen(function* () {
      const { spans, metrics } = yield* exported(openai.chat({ prompt, temperature: 0.5, maxTokens: 100 }))
      assert.deepStrictEqual(tree(spans), ["ChatModel.chat < nothing", "chat gpt-4.1-mini < ChatModel.chat"])
      const { attributes, status } = named(spans, "chat gpt-4.1-mini")
      assert.strictEqual(attributes["gen_ai.operation.name"], "chat")
      assert.strictEqual(attributes["gen_ai.provider.name"], "openai")
      assert.strictEqual(attributes["gen_ai.request.temperature"], 0.5)
      assert.strictEqual(attributes["gen_ai.request.max_tokens"], 100)
      assert.isNumber(attributes["gen_ai.usage.input_tokens"])
      assert.isString(attributes["cloudflare.ai_gateway.log_id"])
      assert.strictEqual(status.code, SpanStatusCode.OK)
      const duration = metrics.find(
        ({ descriptor }) => descriptor.name === "gen_ai.client.operation.duration"
      )
      assert.strictEqual(duration?.descriptor.unit, "s")
      const all = JSON.stringify([spans.map((span) => [span.attributes, span.events]), metrics])
      for (const hidden of [secret, prompt]) assert.notInclude(all, hidden)
    }).pipe(Effect.provide(world()))
  )

  it.live("a list: one parent, a child per leg, the one that was left with its error", () =>
    Effect.gen(function* () {
      const { spans } = yield* exported(list.chat("hi"))
      assert.deepStrictEqual(tree(spans), [
        "ChatModel.chat < nothing",
        "chat claude-haiku-4-5 < ChatModel.chat",
        "chat gpt-4.1-mini < ChatModel.chat"
      ])
      const failed = named(spans, "chat gpt-4.1-mini")
      assert.strictEqual(failed.attributes["error.type"], "BadRequest")
      assert.strictEqual(failed.attributes["http.response.status_code"], 400)
      assert.strictEqual(failed.status.code, SpanStatusCode.ERROR)
      assert.strictEqual(named(spans, "ChatModel.chat").status.code, SpanStatusCode.OK)
    }).pipe(Effect.provide(world(refused)))
  )

  it.live("a call that fails: both spans say so", () =>
    Effect.gen(function* () {
      const { spans, exit } = yield* exported(quiet(openai).chat(prompt))
      assert.strictEqual(exit._tag, "Failure")
      for (const { status, attributes } of spans) {
        assert.strictEqual(status.code, SpanStatusCode.ERROR)
        assert.strictEqual(attributes["error.type"], "BadRequest")
      }
      assert.notInclude(JSON.stringify(spans.map((span) => [span.attributes, span.events])), prompt)
    }).pipe(Effect.provide(world(refused)))
  )

  it.live("a leg that is retried: one child for all its tries", () =>
    Effect.gen(function* () {
      const retrying = ChatModel.retry(openai, Schedule.recurs(1))
      const { spans } = yield* exported(retrying.chat("hi"))
      assert.deepStrictEqual(tree(spans), ["ChatModel.chat < nothing", "chat gpt-4.1-mini < ChatModel.chat"])
      assert.strictEqual(named(spans, "ChatModel.chat").status.code, SpanStatusCode.OK)
    }).pipe(
      Effect.provide(
        world({
          upstreams: { openai: LocalGateway.script([LocalGateway.status(503), LocalGateway.echo]) }
        })
      )
    )
  )

  it.live("a universal request: one child, named after who answered", () =>
    Effect.gen(function* () {
      const { spans } = yield* exported(ChatModel.universal([openai, claude]).chat("hi"))
      const { attributes } = named(spans, "chat universal")
      assert.strictEqual(attributes["gen_ai.provider.name"], "anthropic")
      assert.strictEqual(attributes["gen_ai.request.model"], "claude-haiku-4-5")
    }).pipe(Effect.provide(world(refused)))
  )

  it.live("vectors", () =>
    Effect.gen(function* () {
      const model = OpenAi.embeddingModel("text-embedding-3-small")
      const { spans } = yield* exported(model.embedMany(["one", "two"]))
      const { attributes } = named(spans, "embeddings text-embedding-3-small")
      assert.strictEqual(attributes["gen_ai.operation.name"], "embeddings")
      assert.isNumber(attributes["gen_ai.usage.input_tokens"])
    }).pipe(Effect.provide(world()))
  )

  it.live("a stream that is read slowly: its spans end after its last event was read", () =>
    Effect.gen(function* () {
      let last = 0
      const slow = Stream.tap(openai.streamChat("one two three"), () =>
        Effect.map(Effect.sleep("20 millis"), () => {
          last = Date.now()
        })
      )
      const { spans } = yield* exported(Stream.runDrain(slow))
      for (const { endTime } of spans) {
        const ended = endTime[0] * 1000 + endTime[1] / 1e6
        assert.isAtLeast(ended, last - 5)
        assert.isBelow(ended, last + 500)
      }
      assert.isNumber(named(spans, "chat gpt-4.1-mini").attributes["gen_ai.response.time_to_first_chunk"])
    }).pipe(Effect.provide(world()))
  )

  it.live(
    "a stream that is left early, and a call that is interrupted, end their spans without an error",
    () =>
      Effect.gen(function* () {
        const early = yield* exported(Stream.runDrain(Stream.take(openai.streamChat("one two three"), 2)))
        assert.lengthOf(early.spans, 2)
        const interrupted = yield* exported(
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(claude.chat("hi"))
            yield* Effect.sleep("50 millis")
            yield* Fiber.interrupt(fiber)
          })
        )
        assert.lengthOf(interrupted.spans, 2)
        for (const { status } of [...early.spans, ...interrupted.spans])
          assert.strictEqual(status.code, SpanStatusCode.OK)
      }).pipe(Effect.provide(world({ upstreams: { anthropic: LocalGateway.always(LocalGateway.hang) } })))
  )

  it.live("the gateway is told the ids of the exported span", () =>
    Effect.gen(function* () {
      const { spans } = yield* exported(Effect.withSpan(openai.chat("hi"), "app"))
      const gateway = yield* LocalGateway.Gateway
      const { spanId, traceId } = named(spans, "chat gpt-4.1-mini").spanContext()
      const [request] = gateway.requests()
      assert.strictEqual(request?.headers["cf-aig-otel-trace-id"], traceId)
      assert.strictEqual(request?.headers["cf-aig-otel-parent-span-id"], spanId)
    }).pipe(Effect.provide(world()))
  )
})

interface Received {
  readonly path: string
  // biome-ignore lint/suspicious/noExplicitAny: assertions look into JSON of many shapes
  readonly json: any
}

/** A collector that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly received: Array<Received>; readonly stop: () => void }>(
    (resume) => {
      const received: Array<Received> = []
      const server = createServer((request, response) => {
        let body = ""
        request.on("data", (piece) => {
          body += piece
        })
        request.on("end", () => {
          received.push({ path: request.url ?? "", json: JSON.parse(body) })
          response.setHeader("content-type", "application/json").end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}`,
            received,
            stop: () => {
              server.close()
              server.closeAllConnections()
            }
          })
        )
      })
    }
  ),
  ({ stop }) => Effect.sync(stop)
)

describe("over OTLP", () => {
  it.scopedLive("spans and metrics arrive as JSON, without a key and without a prompt", () =>
    Effect.gen(function* () {
      const { url, received } = yield* collector
      const otlp = Layer.provide(
        Otlp.layerJson({ baseUrl: url, resource: { serviceName: "my-service" } }),
        FetchHttpClient.layer
      )
      yield* Effect.gen(function* () {
        yield* list.chat(prompt)
        yield* Stream.runDrain(claude.streamChat(prompt))
      }).pipe(Effect.provide(world(refused)), Effect.provide(otlp))

      const of = (path: string) => received.filter((one) => one.path === path).map(({ json }) => json)
      const [trace] = of("/v1/traces")
      const { resource } = trace.resourceSpans[0]
      assert.deepInclude(resource.attributes, {
        key: "service.name",
        value: { stringValue: "my-service" }
      })
      const spans = of("/v1/traces").flatMap((json) => json.resourceSpans[0].scopeSpans[0].spans)
      assert.lengthOf(spans, 5)
      const call = spans.find((span) => span.name === "ChatModel.chat")
      const children = spans.filter((span) => span.parentSpanId === call.spanId)
      assert.sameMembers(
        children.map((span) => [span.name, span.status.code].join(" ")),
        ["chat gpt-4.1-mini 2", "chat claude-haiku-4-5 1"]
      )
      const metrics = of("/v1/metrics").flatMap((json) => json.resourceMetrics[0].scopeMetrics[0].metrics)
      const units = new Map(metrics.map((metric) => [metric.name, metric.unit]))
      assert.strictEqual(units.get("gen_ai.client.operation.duration"), "s")
      assert.strictEqual(units.get("gen_ai.client.operation.time_to_first_chunk"), "s")
      assert.strictEqual(units.get("gen_ai.client.token.usage"), "{token}")
      assert.isTrue(units.has("cloudflare.ai_gateway.fallbacks"))
      const exportedSpansAndMetrics = JSON.stringify([of("/v1/traces"), of("/v1/metrics")])
      for (const hidden of [secret, prompt]) assert.notInclude(exportedSpansAndMetrics, hidden)
    })
  )
})
