/**
 * Metrics, by the names of OpenTelemetry's GenAI conventions (`gen-ai-metrics.md`, status Development), as Effect's `Metric`s,
 * so that any exporter of those sees them. What the conventions call an operation is here one request to a model: one that
 * is retried counts once per try, and each leg of a list that was asked counts. A request that could not be encoded was
 * none. In a universal request, whoever answered counts.
 *
 * | Metric | Kind, unit | Recorded |
 * | --- | --- | --- |
 * | `gen_ai.client.operation.duration` | histogram, s | once per request; a stream's, until its last event is read |
 * | `gen_ai.client.token.usage` | histogram, {token} | per answer, by `gen_ai.token.type` (`input`, `output`) |
 * | `gen_ai.client.operation.time_to_first_chunk` | histogram, s | per stream, at the first event that commits it |
 * | `cloudflare.ai_gateway.retries` | counter | each request that is made again, by `error.type` |
 * | `cloudflare.ai_gateway.fallbacks` | counter | each time a list leaves a leg for the next, by `error.type` |
 * | `cloudflare.ai_gateway.cache_hits` | counter | per answer with `cf-aig-cache-status: HIT` |
 *
 * Attributes: `gen_ai.operation.name`, `gen_ai.provider.name` (the gateway's slug), `gen_ai.request.model`, `error.type` (the
 * error's `_tag`; `Interrupted`; `_OTHER` for a defect), what `Effect.tagMetrics` adds, and `unit`, by which Effect's
 * exporters know the unit. Nothing else that a server says, so that it cannot make series; and of more than `maxSeries`
 * names of models, the rest is `_OTHER`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricLabel from "effect/MetricLabel"
import type { Usage } from "../ChatResponse.js"
import type { GatewayMetadata } from "../GatewayMetadata.js"

export type Operation = "chat" | "embeddings"

/** Who was asked. */
export interface Asked {
  readonly provider: string
  readonly model: string
}

type Labels = ReadonlyArray<MetricLabel.MetricLabel>

// --- one request --------------------------------------------------------------------------------------------------------

/** What is written down of one request. It ends once: what comes later is not heard. */
export class Recording {
  private over = false
  private readonly started: bigint

  constructor(
    private readonly operation: Operation,
    private readonly asked: () => Asked,
    private readonly clock: Clock.Clock,
    /** Of the fiber. */
    private readonly labels: Labels
  ) {
    this.started = clock.unsafeCurrentTimeNanos()
  }

  /** The stream has committed. Gives the seconds until then. */
  firstChunk(): number {
    const seconds = this.seconds()
    this.update(instruments().firstChunk, seconds, "s")
    return seconds
  }

  answered({ usage, gateway }: { readonly usage: Usage; readonly gateway: GatewayMetadata }): void {
    const { tokens, cacheHits } = instruments()
    if (usage.input !== undefined) this.update(tokens, usage.input, "{token}", "input")
    if (usage.output !== undefined) this.update(tokens, usage.output, "{token}", "output")
    if (gateway.cacheStatus === "HIT") this.update(cacheHits, 1, undefined)
  }

  /** `error` is there if it failed. */
  end(error?: string): void {
    if (this.over) return
    this.over = true
    this.update(instruments().duration, this.seconds(), "s", undefined, error)
  }

  exit(exit: Exit.Exit<unknown, { readonly _tag: string }>): void {
    this.end(exit._tag === "Success" ? undefined : errorType(exit.cause))
  }

  private seconds(): number {
    return Number(this.clock.unsafeCurrentTimeNanos() - this.started) / 1e9
  }

  private update(
    metric: Metric.Metric.Histogram<number> | Metric.Metric.Counter<number>,
    value: number,
    unit: Unit | undefined,
    token?: "input" | "output",
    error?: string
  ): void {
    metric.unsafeUpdate(value, all(tags(this.operation, this.asked(), unit, token, error), this.labels))
  }
}

/** Writes a request down. One that succeeds with something that goes on, as a stream does, ends its recording itself. */
export const recorded = <A, E extends { readonly _tag: string }, R>(
  operation: Operation,
  asked: () => Asked,
  effect: (recording: Recording) => Effect.Effect<A, E, R>,
  goesOn = false
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
    const recording = new Recording(operation, asked, clock, labels)
    return Effect.onExit(effect(recording), (exit) => {
      if (!(goesOn && exit._tag === "Success")) recording.exit(exit)
      return Effect.void
    })
  })

/** What ends an exit's recording, in the words of `error.type`. */
const errorType = (cause: Cause.Cause<{ readonly _tag: string }>): string => {
  if (Cause.isInterrupted(cause)) return "Interrupted"
  const error = Cause.failureOption(cause)
  return error._tag === "Some" ? error.value._tag : "_OTHER"
}

// --- what is counted ----------------------------------------------------------------------------------------------------

/** Counts what is tried again after an error, and not the errors that end the trying. For one call. */
export const retries = (operation: Operation, asked: Asked) => {
  let failed: string | undefined
  return {
    waiting: (error: { readonly _tag: string }): void => {
      failed = error._tag
    },
    attempt: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        if (failed !== undefined)
          count(instruments().retries, tags(operation, asked, undefined, undefined, failed))
        failed = undefined
        return effect
      })
  }
}

/** A list leaves a leg for the next. */
export const left = (asked: Asked, error: string): void =>
  count(instruments().fallbacks, tags(undefined, asked, undefined, undefined, error))

const count = (counter: Metric.Metric.Counter<number>, own: Labels): void =>
  counter.unsafeUpdate(1, all(own, labelsOfFiber()))

const labelsOfFiber = (): Labels => {
  const fiber = Fiber.getCurrentFiber()
  return fiber._tag === "Some" ? fiber.value.getFiberRef(FiberRef.currentMetricLabels) : []
}

// --- how ----------------------------------------------------------------------------------------------------------------

type Unit = "s" | "{token}"

interface Instruments {
  readonly duration: Metric.Metric.Histogram<number>
  readonly tokens: Metric.Metric.Histogram<number>
  readonly firstChunk: Metric.Metric.Histogram<number>
  readonly retries: Metric.Metric.Counter<number>
  readonly fallbacks: Metric.Metric.Counter<number>
  readonly cacheHits: Metric.Metric.Counter<number>
}

let made: Instruments | undefined

/** Made at the first request, not at import. */
const instruments = (): Instruments => {
  if (made !== undefined) return made
  // Powers of two from 10 ms, and of four from one token, as the conventions say.
  const seconds = MetricBoundaries.fromIterable(Array.from({ length: 14 }, (_, power) => 2 ** power / 100))
  const counts = MetricBoundaries.fromIterable(Array.from({ length: 14 }, (_, power) => 4 ** power))
  const counter = (name: string, description: string) =>
    Metric.counter(name, { description, incremental: true })
  made = {
    duration: Metric.histogram("gen_ai.client.operation.duration", seconds, "GenAI operation duration."),
    tokens: Metric.histogram("gen_ai.client.token.usage", counts, "Number of input and output tokens used."),
    firstChunk: Metric.histogram(
      "gen_ai.client.operation.time_to_first_chunk",
      seconds,
      "Time from the request to the first content of a stream."
    ),
    retries: counter("cloudflare.ai_gateway.retries", "Requests that were tried again."),
    fallbacks: counter("cloudflare.ai_gateway.fallbacks", "Legs that a list left for the next."),
    cacheHits: counter("cloudflare.ai_gateway.cache_hits", "Answers from the gateway's cache.")
  }
  return made
}

const maxSeries = 1000

/** A metric finds its series by the identity of its tags, which spares a search: so each set of them is made once. */
const known = new Map<string, Labels>()

const tags = (
  operation: Operation | undefined,
  { provider, model }: Asked,
  unit: Unit | undefined,
  token: "input" | "output" | undefined,
  error: string | undefined
): Labels => {
  const key = `${operation}\n${provider}\n${model}\n${unit}\n${token}\n${error}`
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= maxSeries && model !== "_OTHER") {
    return tags(operation, { provider, model: "_OTHER" }, unit, token, error)
  }
  const pairs: ReadonlyArray<readonly [string, string | undefined]> = [
    ["gen_ai.operation.name", operation],
    ["gen_ai.provider.name", provider],
    ["gen_ai.request.model", model],
    ["gen_ai.token.type", token],
    ["error.type", error],
    ["unit", unit]
  ]
  const labels: Array<MetricLabel.MetricLabel> = []
  for (const [name, value] of pairs) if (value !== undefined) labels.push(MetricLabel.make(name, value))
  known.set(key, labels)
  return labels
}

/** With those of the fiber, if it has any. */
const all = (own: Labels, labels: Labels): Labels => (labels.length === 0 ? own : [...labels, ...own])
