/**
 * What of the current span goes out with a request. By default only the gateway is told, in headers of its own, and only
 * where somebody traces: a parent that nobody exports would leave the gateway's span an orphan. Source:
 * `protocol/gateway.md` §2.1.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"
import type { RequestOptions } from "../RequestOptions.js"
import * as Spans from "./spans.js"

/**
 * Who is told of the current span.
 *
 * - `"gateway"`, the default: Cloudflare's gateway alone, by `cf-aig-otel-trace-id` and `cf-aig-otel-parent-span-id`.
 * - `"provider"`: the provider too, by `traceparent` and `b3`, which the gateway passes on.
 * - `"none"`: nobody.
 *
 * @since 0.1.0
 * @category models
 */
export type TracePropagation = "gateway" | "provider" | "none"

/** The span that a request belongs to, if there is anything to tell of it. */
export const spanOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.AnySpan | undefined => {
  const span = fiber.currentSpan
  if (span === undefined || !span.sampled || !fiber.getFiberRef(FiberRef.currentTracerEnabled))
    return undefined
  if (!isInstalled(fiber) && !isInside(span)) return undefined
  return /^[0-9a-f]{32}$/i.test(span.traceId) && /^[0-9a-f]{16}$/i.test(span.spanId) ? span : undefined
}

/** Has somebody replaced Effect's own tracer, which exports nothing? */
const isInstalled = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  fiber.currentTracer !== Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Is it one of the caller's own spans, or inside one? */
const isInside = (span: Tracer.AnySpan): boolean => {
  let outer: Tracer.AnySpan = span
  while (outer._tag === "Span" && (Spans.isOurs(outer) || ofLibraries.test(outer.name))) {
    if (outer.parent._tag === "None") return false
    outer = outer.parent.value
  }
  return true
}

/** Spans that `@effect/ai` and `@effect/platform` make around every call, also where nobody traces. */
const ofLibraries =
  /^(?:(?:LanguageModel|EmbeddingModel|Chat|PersistedChat|Toolkit)\.\w+|http\.client [A-Z]+)$/

/** The options that tell the gateway. What the caller has set wins. */
export const withSpan = (options: RequestOptions, span: Tracer.AnySpan | undefined): RequestOptions =>
  span === undefined || options.otelTraceId !== undefined || options.otelParentSpanId !== undefined
    ? options
    : { ...options, otelTraceId: span.traceId, otelParentSpanId: span.spanId }

/** The headers that tell the provider: W3C's and B3's. */
export const providerHeaders = (
  span: Tracer.AnySpan | undefined
): Readonly<Record<string, string>> | undefined =>
  span === undefined
    ? undefined
    : { traceparent: `00-${span.traceId}-${span.spanId}-01`, b3: `${span.traceId}-${span.spanId}-1` }
