/**
 * Spans: one per call, one child per attempt of a leg, named and attributed as OpenTelemetry's `gen_ai` conventions say.
 * No prompt and no answer goes into them.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { ChatRequest } from "../ChatRequest.js"
import type { FinishReason, Usage } from "../ChatResponse.js"
import type { GatewayMetadata } from "../GatewayMetadata.js"
import type { AiGatewayError } from "./errors.js"

export interface SpanOptions {
  /** Absent: the fiber's own span. */
  readonly parent?: Tracer.AnySpan | undefined
  readonly name: string
  readonly kind: Tracer.SpanKind
  /** What is done, in the words of the conventions. Absent: `chat`. */
  readonly operation?: "embeddings" | undefined
  readonly provider: string
  readonly model: string
}

const attributes = ({ provider, model, operation }: SpanOptions): Record<string, unknown> => ({
  "gen_ai.operation.name": operation ?? "chat",
  "gen_ai.provider.name": provider,
  "gen_ai.request.model": model
})

/** Runs in a span of its own; without a tracer it costs nothing. */
export const withSpan = <A, E extends AiGatewayError, R>(
  options: SpanOptions,
  effect: (span: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  around(options, (span) =>
    span === undefined ? effect(span) : Effect.provideService(effect(span), Tracer.ParentSpan, span)
  )

/** A span that is not made the fiber's own: for an effect that hands it on itself. */
export const around = <A, E extends AiGatewayError, R>(
  options: SpanOptions,
  effect: (span: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) =>
    fiber.getFiberRef(FiberRef.currentTracerEnabled)
      ? Effect.flatMap(makeSpan(options), (span) => {
          ours.add(span)
          return Effect.clockWith((clock) =>
            Effect.onExit(effect(span), (exit) =>
              Effect.sync(() => {
                failedExit(span, exit)
                span.end(clock.unsafeCurrentTimeNanos(), exit)
              })
            )
          )
        })
      : effect(undefined)
  )

/** A span that ends with the scope. */
export const scoped = <A, E extends AiGatewayError, R>(
  options: SpanOptions,
  effect: (span: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.withFiberRuntime<A, E, R | Scope.Scope>((fiber) =>
    fiber.getFiberRef(FiberRef.currentTracerEnabled)
      ? Effect.flatMap(Effect.makeSpanScoped(options.name, spanOptions(options)), (span) => {
          ours.add(span)
          return Effect.onExit(Effect.provideService(effect(span), Tracer.ParentSpan, span), (exit) =>
            Effect.sync(() => failedExit(span, exit))
          )
        })
      : effect(undefined)
  )

/** The spans of this library, to be told from those around them. */
const ours = new WeakSet<object>()

export const isOurs = (span: Tracer.AnySpan): boolean => ours.has(span)

const spanOptions = (options: SpanOptions): Tracer.SpanOptions => ({
  kind: options.kind,
  parent: options.parent,
  attributes: attributes(options),
  captureStackTrace: false
})

const makeSpan = (options: SpanOptions): Effect.Effect<Tracer.Span> =>
  Effect.makeSpan(options.name, spanOptions(options))

const failedExit = <A, E extends AiGatewayError>(span: Tracer.Span, exit: Exit.Exit<A, E>): void => {
  if (Exit.isSuccess(exit)) return
  const { cause } = exit
  if (cause._tag === "Fail") return failed(span, cause.error)
  const error = Cause.failureOption(cause)
  if (error._tag === "Some") failed(span, error.value)
}

/** What an answer adds to the span of the attempt that gave it. */
export const answered = (
  span: Tracer.Span | undefined,
  answer: {
    readonly model: string | undefined
    readonly finishReason: FinishReason
    readonly usage: Usage
    readonly gateway: GatewayMetadata
  }
): void => {
  if (span === undefined) return
  const { usage, gateway } = answer
  put(span, "gen_ai.response.model", answer.model)
  span.attribute("gen_ai.response.finish_reasons", [answer.finishReason])
  put(span, "gen_ai.usage.input_tokens", usage.input)
  put(span, "gen_ai.usage.output_tokens", usage.output)
  put(span, "gen_ai.usage.cache_read.input_tokens", usage.cacheRead)
  put(span, "gen_ai.usage.cache_creation.input_tokens", usage.cacheWrite)
  gatewayIds(span, gateway)
}

/** The same for vectors. */
export const embedded = (
  span: Tracer.Span | undefined,
  answer: { readonly model?: string | undefined; readonly usage: Usage; readonly gateway: GatewayMetadata }
): void => {
  if (span === undefined) return
  put(span, "gen_ai.response.model", answer.model)
  put(span, "gen_ai.usage.input_tokens", answer.usage.input)
  gatewayIds(span, answer.gateway)
}

/** What a request asks for, without its words: stop sequences are a user's own texts. */
export const requested = (span: Tracer.Span | undefined, request: ChatRequest): void => {
  if (span === undefined) return
  put(span, "gen_ai.request.max_tokens", request.maxTokens)
  put(span, "gen_ai.request.temperature", request.temperature)
  put(span, "gen_ai.request.top_p", request.topP)
  put(span, "gen_ai.request.top_k", request.topK)
  put(span, "gen_ai.request.seed", request.seed)
  put(span, "gen_ai.request.frequency_penalty", request.frequencyPenalty)
  put(span, "gen_ai.request.presence_penalty", request.presencePenalty)
  if (request.output !== undefined) span.attribute("gen_ai.output.type", "json")
}

/** A stream has committed, so many seconds after its request. */
export const firstChunk = (span: Tracer.Span, seconds: number): void =>
  span.attribute("gen_ai.response.time_to_first_chunk", seconds)

export const failed = (span: Tracer.Span, error: AiGatewayError): void => {
  span.attribute("error.type", error._tag)
  if (error._tag === "AllProvidersFailed") return
  put(span, "http.response.status_code", error.status)
  if (error.gateway !== undefined) gatewayIds(span, error.gateway)
}

export const gatewayIds = (span: Tracer.Span, gateway: GatewayMetadata): void => {
  put(span, "cloudflare.ai_gateway.log_id", gateway.logId)
  put(span, "cloudflare.ai_gateway.event_id", gateway.eventId)
  put(span, "cloudflare.ai_gateway.cache_status", gateway.cacheStatus)
  put(span, "cloudflare.ai_gateway.step", gateway.step)
  put(span, "cloudflare.ai_gateway.run_id", gateway.runId)
}

const put = (span: Tracer.Span, name: string, value: string | number | undefined): void => {
  if (value !== undefined) span.attribute(name, value)
}
