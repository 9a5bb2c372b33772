/** The algebra of embedding models: what every one can do, and how one is made. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type { ProviderOptions } from "../ChatRequest.js"
import type { Usage } from "../ChatResponse.js"
import type { GatewayMetadata } from "../GatewayMetadata.js"
import * as RequestOptions from "../RequestOptions.js"
import { type CallContext, withCall } from "./callContext.js"
import { type AiGatewayError, type Attempt, InvalidRequest } from "./errors.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/EmbeddingModel"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * What a vector is for. Some vendors make other vectors for a question than for the texts in which its answer is looked
 * for.
 *
 * @since 0.1.0
 * @category models
 */
export type Purpose = (typeof purposes)[number]

const purposes = ["query", "document", "classification", "clustering", "similarity"] as const

/**
 * What a request can be told besides its texts. A field that a vendor or model cannot take makes that leg fail with
 * `Unsupported` before anything is sent, and the next leg is tried.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Numbers per vector, for models that can shorten theirs. */
  readonly dimensions?: number | undefined
  readonly purpose?: Purpose | undefined
  /** A vendor's own fields, by provider slug, merged into the body that goes to that provider. */
  readonly providerOptions?: ProviderOptions | undefined
  /** Gateway options of this call alone. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

/** A checked request. */
export interface EmbeddingRequest extends Options {
  readonly inputs: ReadonlyArray<string>
}

/**
 * What is known about an embedding model.
 *
 * @since 0.1.0
 * @category models
 */
export interface Metadata {
  /** The provider's gateway slug. */
  readonly provider: string
  readonly model: string
  /** The most texts of one request; more are sent in several. */
  readonly maxBatch: number
  /** The models of a fallback list, in order. Absent for a single model. */
  readonly legs?: ReadonlyArray<Metadata> | undefined
}

/**
 * The vectors of one call, all of one model.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddingsResponse extends Answered {
  /** One vector for each text, in the order of the texts. */
  readonly embeddings: ReadonlyArray<ReadonlyArray<number>>
}

/**
 * The vector of one text.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddingResponse extends Answered {
  readonly embedding: ReadonlyArray<number>
}

/**
 * Who made the vectors, and what it took.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answered {
  /** Tokens of all requests together; a count is absent where the vendor reports none. */
  readonly usage: Usage
  /** The gateway slug of the provider that answered. */
  readonly provider: string
  /** The model as the provider names it, else as it was asked for. */
  readonly model: string
  /** The legs that were tried before, each with its error. */
  readonly attempts: ReadonlyArray<Attempt>
  /** What the gateway said, for each request that was sent. */
  readonly gateway: ReadonlyArray<GatewayMetadata>
}

/**
 * An embedding model: a plain value whose methods need `R`.
 *
 * @since 0.1.0
 * @category models
 */
export interface With<out R> extends Pipeable {
  readonly [TypeId]: TypeId
  readonly metadata: Metadata
  /** The vector of one text. */
  readonly embed: (input: string, options?: Options) => Effect.Effect<EmbeddingResponse, AiGatewayError, R>
  /**
   * One vector for each text, in their order; more texts than the vendor takes at once are sent in several requests. All
   * vectors of a call are of one model: if one request fails for good, the next leg makes all of them anew. No texts give no
   * vectors, and nothing is sent.
   */
  readonly embedMany: (
    inputs: ReadonlyArray<string>,
    options?: Options
  ) => Effect.Effect<EmbeddingsResponse, AiGatewayError, R>
}

/** Makes the vectors within a call. */
export type Run<R> = (
  request: EmbeddingRequest,
  call: CallContext
) => Effect.Effect<EmbeddingsResponse, AiGatewayError, R>

class EmbeddingModel<R> implements With<R> {
  readonly [TypeId]: TypeId = TypeId

  constructor(
    readonly metadata: Metadata,
    private readonly run: Run<R>
  ) {}

  embed(input: string, options: Options = {}): Effect.Effect<EmbeddingResponse, AiGatewayError, R> {
    return Effect.map(this.embedMany([input], options), ({ embeddings, ...answered }) => ({
      ...answered,
      embedding: embeddings[0] ?? []
    }))
  }

  embedMany(
    inputs: ReadonlyArray<string>,
    options: Options = {}
  ): Effect.Effect<EmbeddingsResponse, AiGatewayError, R> {
    return Effect.flatMap(check(inputs, options), (request) => withCall((call) => this.run(request, call)))
  }

  pipe() {
    // biome-ignore lint/complexity/noArguments: the signature of `Pipeable`.
    return pipeArguments(this, arguments)
  }

  toJSON(): unknown {
    return { _id: "EmbeddingModel", metadata: this.metadata }
  }
}

export const make = <R>(metadata: Metadata, run: Run<R>): With<R> => new EmbeddingModel(metadata, run)

/** Does something to a model's effect, whatever it is, and to what it is told. */
export const transform = <R, R2>(
  model: With<R>,
  f: (
    effect: Effect.Effect<EmbeddingsResponse, AiGatewayError, R>
  ) => Effect.Effect<EmbeddingsResponse, AiGatewayError, R2>,
  change: (options: Options) => Options = (options) => options
): With<R2> => make(model.metadata, ({ inputs, ...options }) => f(model.embedMany(inputs, change(options))))

/** Checks a call, with or without its defaults. */
export const check = (
  inputs: ReadonlyArray<string>,
  options: Options
): Either.Either<EmbeddingRequest, InvalidRequest> => {
  if (!Array.isArray(inputs)) return invalid("inputs", "the texts must be an array")
  for (const [index, input] of inputs.entries()) {
    if (typeof input !== "string") return invalid(`inputs[${index}]`, "it must be text")
    // Every vendor refuses it, and some with an error that names no place.
    if (input === "") return invalid(`inputs[${index}]`, "the text is empty")
  }
  const { dimensions, purpose } = options
  if (dimensions !== undefined && !(Number.isSafeInteger(dimensions) && dimensions > 0))
    return invalid("dimensions", "it must be a whole number from 1")
  if (purpose !== undefined && !purposes.includes(purpose))
    return invalid("purpose", `it must be one of ${purposes.join(", ")}`)
  return Either.right({ ...options, inputs })
}

const invalid = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `The request is invalid at ${field}: ${problem}` }))

/** Fills in what a request leaves open. `providerOptions` merge by provider and field, gateway options by key. */
export const withDefaults = (options: Options, defaults: Options): Options => {
  const merged: Record<string, unknown> = { ...defaults }
  for (const [key, value] of Object.entries(options)) if (value !== undefined) merged[key] = value
  const providerOptions: Record<string, Readonly<Record<string, unknown>>> = { ...defaults.providerOptions }
  for (const [slug, fields] of Object.entries(options.providerOptions ?? {})) {
    providerOptions[slug] = { ...providerOptions[slug], ...fields }
  }
  return {
    ...merged,
    providerOptions: Object.keys(providerOptions).length === 0 ? undefined : providerOptions,
    options:
      defaults.options === undefined
        ? options.options
        : RequestOptions.merge(defaults.options, options.options)
  }
}
