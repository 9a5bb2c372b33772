/** One embedding model of one provider: cuts its texts into requests, encodes, sends, decodes; retries each itself. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Usage } from "../ChatResponse.js"
import type { GatewayMetadata } from "../GatewayMetadata.js"
import type * as Provider from "../Provider.js"
import * as Call from "./call.js"
import type { CallContext } from "./callContext.js"
import type { Progress } from "./clocks.js"
import * as Embedding from "./embedding.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import { parseJson, sum } from "./json.js"
import * as LegGateway from "./legGateway.js"
import * as Metrics from "./metrics.js"
import * as NativeRequest from "./nativeRequest.js"
import * as Retry from "./retry.js"
import { received } from "./sender.js"
import * as Spans from "./spans.js"
import { type Timeouts, toMillis } from "./timeouts.js"
import * as WholeAnswer from "./wholeAnswer.js"
import type { DecodedEmbeddings, EmbeddingWire } from "./wire/embeddings/embeddingWire.js"

/**
 * What an embedding model of any provider can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelOptions extends Embedding.Options {
  /** The most texts of one request, if not as many as the vendor takes. */
  readonly maxBatch?: number | undefined
  /** How many requests of one call are under way at once. Default 1. */
  readonly concurrency?: number | undefined
  /** The client's clock for a whole call of this model. Default 10 minutes. */
  readonly timeouts?: Pick<Timeouts, "total"> | undefined
  /**
   * What to do with a field of a request that this model cannot take: fail with `Unsupported`, so that the next leg is
   * tried, or leave the field out. Default `"fail"`.
   */
  readonly unsupported?: "fail" | "drop" | undefined
}

export interface Definition<I, G> {
  readonly provider: Effect.Effect<Provider.Provider, never, I>
  readonly gateway: Effect.Effect<LegGateway.Gateway, never, G>
  readonly slug: string
  readonly model: string
  readonly wire: EmbeddingWire
  readonly options: ModelOptions
}

type Entered = CallContext & { readonly progress: Progress }

export const make = <I, G>(definition: Definition<I, G>): Embedding.With<I | G> => {
  const { slug, model, wire } = definition
  const { maxBatch, concurrency = 1, timeouts = {}, unsupported = "fail", ...defaults } = definition.options
  const metadata: Embedding.Metadata = { provider: slug, model, maxBatch: maxBatch ?? wire.maxBatch }
  const total = toMillis(timeouts)
  const invalid = total instanceof InvalidRequest ? total : wrongSettings(metadata, concurrency)
  const run: Embedding.Run<I | G> = (request, call) =>
    Call.whole("EmbeddingModel.embedMany", metadata, call, (inside) =>
      invalid === undefined
        ? Effect.flatMap(
            Embedding.check(request.inputs, Embedding.withDefaults(request, defaults)),
            (complete) => embed(definition, metadata, complete, { concurrency, unsupported }, inside)
          )
        : Effect.fail(invalid)
    )
  return Embedding.make(metadata, (request, call) =>
    total instanceof InvalidRequest || total.total === undefined
      ? run(request, call)
      : Call.totalWhole((inside) => run(request, inside), call, total.total)
  )
}

const wrongSettings = (
  { provider, model, maxBatch }: Embedding.Metadata,
  concurrency: number
): InvalidRequest | undefined => {
  const wrong = (field: string, message: string) => new InvalidRequest({ field, provider, model, message })
  if (model === "") return wrong("model", "The model has no name.")
  if (!(Number.isSafeInteger(maxBatch) && maxBatch > 0))
    return wrong("maxBatch", "maxBatch must be a whole number from 1.")
  return Number.isSafeInteger(concurrency) && concurrency > 0
    ? undefined
    : wrong("concurrency", "concurrency must be a whole number from 1.")
}

interface Batch extends DecodedEmbeddings {
  readonly gateway: GatewayMetadata
}

const embed = <I, G>(
  definition: Definition<I, G>,
  { maxBatch }: Embedding.Metadata,
  request: Embedding.EmbeddingRequest,
  settings: { readonly concurrency: number; readonly unsupported: "fail" | "drop" },
  call: Entered
): Effect.Effect<Embedding.EmbeddingsResponse, LegError, I | G> => {
  const asked = { provider: definition.slug, model: definition.model }
  return Effect.flatMap(LegGateway.find(definition.gateway, asked, call), (gateway) => {
    const policy = LegGateway.policyOf(request.options, gateway, call)
    const batches: Array<ReadonlyArray<string>> = []
    for (let start = 0; start < request.inputs.length; start += maxBatch) {
      batches.push(request.inputs.slice(start, start + maxBatch))
    }
    const asking = Effect.forEach(
      batches,
      (inputs) =>
        Spans.withSpan(
          {
            ...asked,
            operation: "embeddings",
            name: `embeddings ${asked.model}`,
            kind: "client",
            parent: call.parent
          },
          (span) => {
            const retries = Metrics.retries("embeddings", asked)
            const attempt = once(definition, gateway, request, inputs, settings.unsupported, call, span)
            return Retry.run(retries.attempt(attempt), policy, (error) => {
              call.progress.during = "backoff"
              retries.waiting(error)
            })
          }
        ),
      { concurrency: settings.concurrency }
    )
    return Effect.map(asking, (answers) => joined(answers, asked))
  })
}

/** One request. */
const once = <I, G>(
  { provider, slug, model, wire }: Definition<I, G>,
  gateway: LegGateway.Gateway,
  request: Embedding.EmbeddingRequest,
  inputs: ReadonlyArray<string>,
  unsupported: "fail" | "drop",
  { progress }: Entered,
  span: Parameters<typeof Spans.embedded>[0]
): Effect.Effect<Batch, LegError, I> =>
  Effect.flatMap(
    NativeRequest.addressed(
      { provider, slug, model },
      request,
      wire.encode({ model, inputs, request }),
      unsupported
    ),
    (encoded) =>
      Metrics.recorded(
        "embeddings",
        () => ({ provider: slug, model }),
        (recording) =>
          Effect.uninterruptibleMask((restore) => {
            progress.during = "connect"
            return Effect.flatMap(received(restore, encoded, gateway.send(encoded)), ({ response, text }) =>
              Either.map(decode(wire, text, inputs.length, response, { provider: slug, model }), (batch) => {
                Spans.embedded(span, batch)
                recording.answered(batch)
                return batch
              })
            )
          })
      )
  )

const decode = (
  wire: EmbeddingWire,
  text: string,
  count: number,
  response: GatewayResponse,
  asked: { readonly provider: string; readonly model: string }
): Either.Either<Batch, LegError> => {
  const malformed = (problem: string) => Either.left(WholeAnswer.malformed(problem, text, response, asked))
  const json = parseJson(text)
  if (json === undefined) return malformed("expected JSON")
  return Either.flatMap(
    WholeAnswer.decode(wire, json, response, asked),
    (decoded): Either.Either<Batch, LegError> =>
      decoded.embeddings.length === count
        ? Either.right({ ...decoded, gateway: response.gateway })
        : malformed(`expected ${count} vectors, found ${decoded.embeddings.length}`)
  )
}

const joined = (
  batches: ReadonlyArray<Batch>,
  asked: { readonly provider: string; readonly model: string }
): Embedding.EmbeddingsResponse => {
  const usage: Usage = {
    input: sum(...batches.map(({ usage }) => usage.input)),
    total: sum(...batches.map(({ usage }) => usage.total))
  }
  return {
    embeddings: batches.flatMap(({ embeddings }) => embeddings),
    usage,
    provider: asked.provider,
    model: batches[0]?.model ?? asked.model,
    attempts: [],
    gateway: batches.map(({ gateway }) => gateway)
  }
}
