import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream, Tracer } from "effect"
import { AccountApi, AiGateway, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const openai = OpenAi.model("gpt-4.1-mini")
const claude = Anthropic.model("claude-haiku-4-5")

/** A gateway in process, to look at, and the library in front of it. */
const world = (
  options: { tracePropagation?: AiGateway.TracePropagation } = {},
  local: LocalGateway.Options = {}
) => {
  const gateway = LocalGateway.make(local)
  const layer = Layer.mergeAll(
    OpenAi.layer({ apiKey: Redacted.make("sk-openai") }),
    Anthropic.layer(),
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make("local-token"),
      ...options
    }),
    AccountApi.layer({ accountId: "local-account", token: Redacted.make("local-token") })
  ).pipe(Layer.provide(LocalGateway.layerFrom(gateway)))
  return { gateway, layer }
}

const told = (gateway: LocalGateway.LocalGateway) =>
  gateway.requests().map(({ headers }) => ({
    trace: headers["cf-aig-otel-trace-id"],
    parent: headers["cf-aig-otel-parent-span-id"],
    traceparent: headers.traceparent,
    b3: headers.b3
  }))

/** A tracer that somebody has installed, and the spans that it has made. */
const recorded = Effect.map(Effect.tracer, (native) => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    context: native.context,
    span: (...args) => {
      const span = native.span(...args)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
})

const spanNamed = (spans: ReadonlyArray<Tracer.Span>, name: string): Tracer.Span => {
  const span = spans.find((span) => span.name === name)
  if (span === undefined) throw new Error(`no span ${name}`)
  return span
}

describe("125. the gateway is told of the current span", () => {
  it.effect("a chat within a span of the application: its trace, and the attempt as the parent", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* openai.chat("hi").pipe(Effect.withSpan("app"), Effect.withTracer(tracer))
      const attempt = spanNamed(spans, "chat gpt-4.1-mini")
      assert.deepStrictEqual(told(gateway), [
        { trace: attempt.traceId, parent: attempt.spanId, traceparent: undefined, b3: undefined }
      ])
      assert.strictEqual(attempt.traceId, spanNamed(spans, "app").traceId)
      assert.match(attempt.traceId, /^[0-9a-f]{32}$/)
      assert.match(attempt.spanId, /^[0-9a-f]{16}$/)
    }).pipe(Effect.provide(layer))
  })

  it.effect("each attempt of a list is a parent of its own", () => {
    const { gateway, layer } = world(
      {},
      { upstreams: { openai: LocalGateway.always(LocalGateway.status(400)) } }
    )
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* ChatModel.firstSuccessOf([openai, claude]).chat("hi").pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(
        told(gateway).map(({ parent }) => parent),
        [spanNamed(spans, "chat gpt-4.1-mini").spanId, spanNamed(spans, "chat claude-haiku-4-5").spanId]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a stream", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* Effect.withTracer(Stream.runDrain(claude.streamChat("hi")), tracer)
      assert.strictEqual(told(gateway)[0]?.parent, spanNamed(spans, "chat claude-haiku-4-5").spanId)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a universal request, on the outside", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* Effect.withTracer(ChatModel.universal([openai, claude]).chat("hi"), tracer)
      assert.strictEqual(told(gateway)[0]?.parent, spanNamed(spans, "chat universal").spanId)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a request that is sent by hand, in the span around it", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      const span = yield* Effect.makeSpan("mine")
      yield* AiGateway.send({ provider: "openai", endpoint: "models", method: "GET" }).pipe(
        Effect.flatMap((response) => response.text),
        Effect.ignore,
        Effect.withParentSpan(span)
      )
      assert.deepStrictEqual(told(gateway), [
        { trace: span.traceId, parent: span.spanId, traceparent: undefined, b3: undefined }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("what the caller has set wins", () => {
    const { gateway, layer } = world()
    const otelTraceId = "0123456789abcdef0123456789abcdef"
    return Effect.gen(function* () {
      yield* openai.chat("hi").pipe(AiGateway.withOptions({ otelTraceId }), Effect.withSpan("app"))
      assert.deepStrictEqual(
        told(gateway).map(({ trace, parent }) => [trace, parent]),
        [[otelTraceId, undefined]]
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("nobody is told", () => {
  const untold = { trace: undefined, parent: undefined, traceparent: undefined, b3: undefined }

  it.effect("where nobody traces", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      yield* openai.chat("hi")
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })

  it.effect("where tracing is switched off", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      yield* openai.chat("hi").pipe(Effect.withTracerEnabled(false), Effect.withSpan("app"))
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a span that is not sampled", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      const native = yield* Effect.tracer
      const unsampled = Tracer.make({
        context: native.context,
        span: (...args) => Object.assign(native.span(...args), { sampled: false })
      })
      yield* openai.chat("hi").pipe(Effect.withSpan("app"), Effect.withTracer(unsampled))
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })

  it.effect("of ids that are not OpenTelemetry's", () => {
    const { gateway, layer } = world()
    const odd = Tracer.externalSpan({ traceId: "trace-1", spanId: "span-1" })
    return Effect.gen(function* () {
      yield* openai.chat("hi").pipe(Effect.withParentSpan(odd))
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })

  it.effect('with tracePropagation "none"', () => {
    const { gateway, layer } = world({ tracePropagation: "none" })
    return Effect.gen(function* () {
      yield* Effect.withSpan(openai.chat("hi"), "app")
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })

  it.effect("on the account's API, whose host does not know these headers", () => {
    const { gateway, layer } = world()
    return Effect.gen(function* () {
      yield* Effect.withSpan(AccountApi.model("openai/gpt-4.1-mini").chat("hi"), "app")
      assert.deepStrictEqual(told(gateway), [untold])
    }).pipe(Effect.provide(layer))
  })
})

describe('with tracePropagation "provider", asked for', () => {
  it.effect("the provider gets traceparent and b3 too", () => {
    const { gateway, layer } = world({ tracePropagation: "provider" })
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* Effect.withTracer(openai.chat("hi"), tracer)
      const { traceId, spanId } = spanNamed(spans, "chat gpt-4.1-mini")
      assert.deepStrictEqual(told(gateway), [
        {
          trace: traceId,
          parent: spanId,
          traceparent: `00-${traceId}-${spanId}-01`,
          b3: `${traceId}-${spanId}-1`
        }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("in each entry of a universal request, where its provider sees it", () => {
    const { gateway, layer } = world({ tracePropagation: "provider" })
    return Effect.gen(function* () {
      const { spans, tracer } = yield* recorded
      yield* Effect.withTracer(ChatModel.universal([openai, claude]).chat("hi"), tracer)
      const { traceId, spanId } = spanNamed(spans, "chat universal")
      const [request] = gateway.requests()
      const entries: unknown = request?.body
      assert.isArray(entries)
      for (const entry of entries as ReadonlyArray<{ headers: Record<string, string> }>)
        assert.strictEqual(entry.headers.traceparent, `00-${traceId}-${spanId}-01`)
      assert.isUndefined(request?.headers.traceparent)
    }).pipe(Effect.provide(layer))
  })
})
