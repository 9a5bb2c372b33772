/**
 * Traces and metrics of one call and one stream, sent over OTLP to a collector, which this example starts itself on a free
 * port; yours is at the `baseUrl` that you set. Run: `npx tsx examples/open-telemetry.ts`
 */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Console, Effect, Layer, Logger, LogLevel, Stream } from "effect"
import { Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const Model = ChatModel.layer(
  ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), Anthropic.model("claude-haiku-4-5")])
)

const program = Effect.gen(function* () {
  yield* ChatModel.complete("Why is the sky blue?")
  yield* Stream.runDrain(ChatModel.streamComplete("Say it in one line."))
}).pipe(Effect.withSpan("my-request"))

interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status: { readonly code: number }
}

interface Metric {
  readonly name: string
  readonly unit: string
  readonly histogram?: {
    readonly dataPoints: ReadonlyArray<{ readonly count: number; readonly sum: number }>
  }
  readonly sum?: { readonly dataPoints: ReadonlyArray<{ readonly asDouble: number }> }
}

interface Body {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
  }>
  readonly resourceMetrics?: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<Metric> }>
  }>
}

/** Keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly bodies: Array<Body>; readonly stop: () => void }>(
    (resume) => {
      const bodies: Array<Body> = []
      const server = createServer((request, response) => {
        let text = ""
        request.on("data", (piece) => {
          text += piece
        })
        request.on("end", () => {
          bodies.push(JSON.parse(text))
          response.setHeader("content-type", "application/json").end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const stop = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, bodies, stop }))
      })
    }
  ),
  ({ stop }) => Effect.sync(stop)
)

// OpenAI is down, so that there is a fallback to see.
const world = Layer.mergeAll(
  OpenAi.layer(),
  Anthropic.layer(),
  LocalGateway.layerTest({ upstreams: { openai: LocalGateway.always(LocalGateway.status(400)) } })
)

await Effect.gen(function* () {
  const { url, bodies } = yield* collector
  const telemetry = Layer.provide(
    Otlp.layerJson({ baseUrl: url, resource: { serviceName: "my-service" } }),
    FetchHttpClient.layer
  )
  // What is left to send is sent when the layer is closed.
  yield* program.pipe(Effect.provide(Layer.provide(Model, world)), Effect.provide(telemetry))

  const spans = bodies.flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  )
  const lines: Array<string> = []
  const print = (parent: string | undefined, depth: number): void => {
    for (const span of spans.filter(({ parentSpanId }) => parentSpanId === parent)) {
      lines.push(`${"  ".repeat(depth)}${span.name}${span.status.code === 2 ? " (failed)" : ""}`)
      print(span.spanId, depth + 1)
    }
  }
  print(undefined, 0)
  yield* Console.log(lines.join("\n"))
  assert.deepEqual(lines, [
    "my-request",
    "  ChatModel.chat",
    "    chat gpt-4.1-mini (failed)",
    "    chat claude-haiku-4-5",
    "  ChatModel.streamChat",
    "    chat gpt-4.1-mini (failed)",
    "    chat claude-haiku-4-5"
  ])

  const metrics = bodies.flatMap(({ resourceMetrics = [] }) =>
    resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  )
  const ours = metrics.filter(({ name }) => /^(gen_ai|cloudflare)\./.test(name))
  for (const { name, unit, histogram, sum } of ours) {
    const count = histogram?.dataPoints.reduce((all, point) => all + point.count, 0)
    yield* Console.log(`${name} (${unit}): ${count ?? sum?.dataPoints[0]?.asDouble}`)
  }
  const requests = ours.find(({ name }) => name === "gen_ai.client.operation.duration")?.histogram?.dataPoints
  assert.equal(
    requests?.reduce((all, { count }) => all + count, 0),
    4
  )
  assert.ok(ours.some(({ name }) => name === "gen_ai.client.operation.time_to_first_chunk"))
}).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error), Effect.runPromise)
