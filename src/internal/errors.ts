/**
 * The tagged errors. They live below everything else, so that the classifier and the public module
 * `AiGatewayError` can both use them without a cycle.
 */

import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { GatewayMetadata } from "../GatewayMetadata.js"
import { unchecked } from "./unchecked.js"

/**
 * Marks every error of this library, so that it can be told from another library's error with the same tag.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/AiGatewayError"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * Who refused or failed: the gateway itself, the provider behind it, or Cloudflare's edge before it.
 *
 * @since 0.1.0
 * @category models
 */
export const Source = Schema.Literal("gateway", "provider", "edge")

/**
 * @since 0.1.0
 * @category models
 */
export type Source = typeof Source.Type

/** What every error carries, where it is known. */
const context = {
  /** What happened and what to do about it, for a person. Never holds a credential. */
  message: Schema.String,
  /** Who refused or failed. Absent when the client itself gave up (clocks, validation, no connection). */
  source: Schema.optional(Source),
  /** The provider's gateway slug, such as `openai`. */
  provider: Schema.optional(Schema.String),
  /** The model that was asked for. */
  model: Schema.optional(Schema.String),
  /** The HTTP status line. */
  status: Schema.optional(Schema.Number),
  /** The gateway's, Workers AI's or the provider's own error code. */
  code: Schema.optional(Schema.Union(Schema.Number, Schema.String)),
  /** The log entry in the gateway, where one was written. */
  logId: Schema.optional(Schema.String),
  /** Everything that the gateway said in its response headers. */
  gateway: Schema.optional(GatewayMetadata),
  /** How long the server asked to be left alone. */
  retryAfter: Schema.optional(Schema.DurationFromMillis),
  /** The server's own word on whether a retry can help; it overrides what the status suggests. */
  retryable: Schema.optional(Schema.Boolean)
}

/**
 * No gateway with this id exists in this account (code 2001). Every leg would fail in the same way, so a
 * fallback list ends here.
 *
 * @since 0.1.0
 * @category errors
 */
export class GatewayNotFound extends Schema.TaggedError<GatewayNotFound>("effect-ai-gateway/GatewayNotFound")(
  "GatewayNotFound",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * A credential was refused. `source` tells whose: `gateway` is the Cloudflare token, and ends a fallback list
 * when the token itself is wrong; `provider` is one provider's key, and the next leg is tried; `edge` is
 * Cloudflare's edge turning the client away.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>("effect-ai-gateway/Unauthorized")(
  "Unauthorized",
  { ...context, source: Source }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The request was refused as wrong (a 4xx without a row of its own; 2008, 2019).
 *
 * @since 0.1.0
 * @category errors
 */
export class BadRequest extends Schema.TaggedError<BadRequest>("effect-ai-gateway/BadRequest")(
  "BadRequest",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The provider does not know this model, or this key may not use it (404; 5007, 3042, 7003).
 *
 * @since 0.1.0
 * @category errors
 */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>("effect-ai-gateway/ModelNotFound")(
  "ModelNotFound",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The messages and the answer do not fit into the model's context window.
 *
 * @since 0.1.0
 * @category errors
 */
export class ContextLengthExceeded extends Schema.TaggedError<ContextLengthExceeded>(
  "effect-ai-gateway/ContextLengthExceeded"
)("ContextLengthExceeded", context) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * Too many requests for now (429, 2003, 3040). `retryAfter` says how long to wait, where the server did.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimited extends Schema.TaggedError<RateLimited>("effect-ai-gateway/RateLimited")(
  "RateLimited",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * Money or a quota has run out (402, 2021, 2041, 2049, 3036, `insufficient_quota`, spending policies). Waiting
 * a moment does not help, so it is never retried, although some of these are 429.
 *
 * @since 0.1.0
 * @category errors
 */
export class QuotaExceeded extends Schema.TaggedError<QuotaExceeded>("effect-ai-gateway/QuotaExceeded")(
  "QuotaExceeded",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The prompt or the answer was blocked: by the gateway's guardrails (2016, 2017) or data-loss prevention
 * (2029, 2030), or by the provider's own filter.
 *
 * @since 0.1.0
 * @category errors
 */
export class ContentBlocked extends Schema.TaggedError<ContentBlocked>("effect-ai-gateway/ContentBlocked")(
  "ContentBlocked",
  {
    ...context,
    /** What was blocked. */
    stage: Schema.Literal("prompt", "response"),
    /** What blocked it. */
    by: Schema.Literal("guardrails", "dlp", "provider")
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The provider, or the gateway on its way there, failed (5xx, 409, 2002, 2005, an error inside a stream).
 *
 * @since 0.1.0
 * @category errors
 */
export class ProviderFailure extends Schema.TaggedError<ProviderFailure>("effect-ai-gateway/ProviderFailure")(
  "ProviderFailure",
  context
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * Time ran out. `phase` names the clock: `provider` is the server's own (408, 3007, 3008); `firstEvent`,
 * `idle` and `total` are the client's, and close the socket.
 *
 * @since 0.1.0
 * @category errors
 */
export class ModelTimeout extends Schema.TaggedError<ModelTimeout>("effect-ai-gateway/ModelTimeout")(
  "ModelTimeout",
  {
    ...context,
    /** Which clock ran out. */
    phase: Schema.Literal("provider", "firstEvent", "idle", "total"),
    /** What the call was doing then: waiting for headers, reading a body, waiting to retry, streaming. */
    during: Schema.optional(Schema.Literal("connect", "response", "backoff", "stream")),
    /** The limit of the client's clock. */
    limit: Schema.optional(Schema.DurationFromMillis)
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * No response, or one that broke off before any content: refused, reset, name not found, closed early.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportFailure extends Schema.TaggedError<TransportFailure>(
  "effect-ai-gateway/TransportFailure"
)("TransportFailure", context) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * A response that is not what this provider's protocol allows: not JSON, HTML, an unknown shape.
 *
 * @since 0.1.0
 * @category errors
 */
export class MalformedResponse extends Schema.TaggedError<MalformedResponse>(
  "effect-ai-gateway/MalformedResponse"
)("MalformedResponse", {
  ...context,
  /** The beginning of what came (at most 500 characters). */
  excerpt: Schema.String
}) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * This leg cannot take a field of the request. Nothing was sent; the next leg is tried.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unsupported extends Schema.TaggedError<Unsupported>("effect-ai-gateway/Unsupported")(
  "Unsupported",
  {
    ...context,
    /** The field, by its name in `ChatRequest`. */
    feature: Schema.String
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * The request or the configuration is wrong for every leg; nothing was sent. Also what a `layer` fails with.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>("effect-ai-gateway/InvalidRequest")(
  "InvalidRequest",
  {
    ...context,
    /** The option or field that is wrong, such as `cacheTtl` or `messages[2].content`. */
    field: Schema.String
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * A model called a tool in a way that cannot be carried out: its arguments are not JSON, or do not fit the tool's Schema,
 * or there is no such tool.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidToolCall extends Schema.TaggedError<InvalidToolCall>("effect-ai-gateway/InvalidToolCall")(
  "InvalidToolCall",
  {
    ...context,
    /** The name of the tool, as the model wrote it. */
    tool: Schema.String,
    /** The `id` of the call. */
    id: Schema.String,
    /** The arguments as the model wrote them. */
    arguments: Schema.String,
    /** Where in them the first mistake is, such as `items[2].price`; empty for the whole. */
    path: Schema.String
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * A model was asked for a value of a Schema and answered with something else: with text that is not JSON, or that does
 * not fit. A list moves on.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOutput extends Schema.TaggedError<InvalidOutput>("effect-ai-gateway/InvalidOutput")(
  "InvalidOutput",
  {
    ...context,
    /** The answer as the model wrote it. */
    text: Schema.String,
    /** Where in it the first mistake is, such as `items[2].price`; empty for the whole. */
    path: Schema.String
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * A stream of the run path broke off and could not be taken up again (`AiBinding`, `resume`). After content it is the
 * `cause` of a `StreamBroken`, which has what was delivered.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResumeFailed extends Schema.TaggedError<ResumeFailed>("effect-ai-gateway/ResumeFailed")(
  "ResumeFailed",
  {
    ...context,
    /**
     * `expired`: Cloudflare keeps a run for some minutes, and this one is gone or was never there. `exhausted`: every
     * reconnect that the schedule allows was made. `refused`: the run id is malformed, or it may not be read.
     */
    reason: Schema.Literal("expired", "exhausted", "refused"),
    /** The run (`cf-aig-run-id`). */
    runId: Schema.String,
    /** Whole server-sent events that had come by then: where a later resume would go on. */
    from: Schema.Number,
    /** Reconnects that were made since the last progress. */
    reconnects: Schema.Number
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * What one leg can fail with. `Attempt.error` and `StreamBroken.cause` are of this union.
 *
 * @since 0.1.0
 * @category models
 */
export const LegError = Schema.Union(
  GatewayNotFound,
  Unauthorized,
  BadRequest,
  ModelNotFound,
  ContextLengthExceeded,
  RateLimited,
  QuotaExceeded,
  ContentBlocked,
  ProviderFailure,
  ModelTimeout,
  TransportFailure,
  MalformedResponse,
  Unsupported,
  InvalidRequest,
  InvalidToolCall,
  InvalidOutput,
  ResumeFailed
)

/**
 * @since 0.1.0
 * @category models
 */
export type LegError = typeof LegError.Type

/**
 * One leg of a fallback list that was tried and left.
 *
 * @since 0.1.0
 * @category models
 */
export const Attempt = Schema.Struct({
  /** The leg's place in the list, from 0; nested lists are counted through. */
  leg: Schema.Number,
  /** The provider's gateway slug. */
  provider: Schema.String,
  /** The model that was asked for. */
  model: Schema.String,
  /** How the gateway was reached. Absent for a leg that never got so far. */
  transport: Schema.optional(Schema.Literal("https", "binding", "account", "run")),
  /** Why the leg was left. */
  error: LegError,
  /** From the leg's start to its failure, retries and waits included. */
  duration: Schema.DurationFromMillis
})

/**
 * @since 0.1.0
 * @category models
 */
export type Attempt = typeof Attempt.Type

/**
 * A stream broke after its first content was delivered. Nothing is retried and no other leg is tried then,
 * because two models' words must not be joined.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamBroken extends Schema.TaggedError<StreamBroken>("effect-ai-gateway/StreamBroken")(
  "StreamBroken",
  {
    ...context,
    /** What had been delivered by then. */
    delivered: Schema.Struct({
      /** All text, joined. */
      text: Schema.String,
      /** All reasoning text, joined. */
      reasoning: Schema.String,
      /** The number of events, `Start` included. */
      events: Schema.Number
    }),
    /** Why it broke. */
    cause: LegError
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * Every leg failed. `attempts` has one record per leg, in order.
 *
 * @since 0.1.0
 * @category errors
 */
export class AllProvidersFailed extends Schema.TaggedError<AllProvidersFailed>(
  "effect-ai-gateway/AllProvidersFailed"
)("AllProvidersFailed", {
  message: Schema.String,
  /** One record per leg, in order; nested lists are flattened. */
  attempts: Schema.Array(Attempt)
}) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * No log entry with this id exists in this gateway (`GatewayLogs`), or the answer that feedback is about was not logged.
 * No call of a model fails with it, so it is no part of the union of those errors.
 *
 * @since 0.1.0
 * @category errors
 */
export class LogNotFound extends Schema.TaggedError<LogNotFound>("effect-ai-gateway/LogNotFound")(
  "LogNotFound",
  {
    /** What happened and what to do about it, for a person. */
    message: Schema.String,
    /** The id that was asked for. Absent where the answer had none. */
    logId: Schema.optional(Schema.String),
    /** The HTTP status line, where there was one. */
    status: Schema.optional(Schema.Number)
  }
) {
  /** @since 0.1.0 */
  readonly [TypeId]: TypeId = TypeId
}

/**
 * Everything that a call can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export const AiGatewayError = Schema.Union(...LegError.members, StreamBroken, AllProvidersFailed)

/**
 * @since 0.1.0
 * @category models
 */
export type AiGatewayError = typeof AiGatewayError.Type

/**
 * Is this one of this library's errors? Compares the type id, not the tag.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAiGatewayError = (u: unknown): u is AiGatewayError => Predicate.hasProperty(u, TypeId)

/**
 * May the same leg be asked again? True for 408, 409, 429 (but not a quota), 5xx and a broken transport, unless
 * the server said otherwise. The client's own clocks and `AllProvidersFailed` are never retried.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRetryable = (error: AiGatewayError): boolean => {
  switch (error._tag) {
    case "RateLimited":
    case "ProviderFailure":
    case "TransportFailure":
      return error.retryable ?? true
    case "ModelTimeout":
      return error.phase === "provider" && (error.retryable ?? true)
    case "StreamBroken":
    case "AllProvidersFailed":
    case "QuotaExceeded":
    case "InvalidRequest":
    case "InvalidToolCall":
    case "InvalidOutput":
    case "ResumeFailed":
    case "Unsupported":
      return false
    default:
      // What must repeat on every leg repeats on this one, whatever a header beside it says.
      return error.retryable === true && !failsEverywhere(error)
  }
}

/**
 * Would every other leg behind the same gateway fail in the same way? Then a fallback list ends at once: the
 * gateway does not exist, its token is wrong, its own rate limit is reached, it blocked the prompt, or the
 * request is invalid.
 *
 * @since 0.1.0
 * @category predicates
 */
export const failsEverywhere = (error: AiGatewayError): boolean => {
  switch (error._tag) {
    case "GatewayNotFound":
    case "InvalidRequest":
      return true
    case "Unauthorized":
      return error.source === "gateway" && (error.code === 2009 || error.code === 10000)
    case "RateLimited":
      return error.source === "gateway"
    case "ContentBlocked":
      return error.source === "gateway" && error.stage === "prompt"
    default:
      return false
  }
}

/**
 * May another model answer instead? False for what would repeat there (`failsEverywhere`), and for a stream that broke after
 * its first content: a second answer would be joined to what was delivered of the first.
 *
 * A list decides so by itself; this is for the `while` of each step of an `ExecutionPlan`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const movesOn = (error: AiGatewayError): boolean =>
  error._tag !== "StreamBroken" && !failsEverywhere(error)

/**
 * The last reason behind an error: of the last leg for `AllProvidersFailed`, of the break for `StreamBroken`, and
 * the error itself otherwise.
 *
 * @since 0.1.0
 * @category accessors
 */
export const lastCause = (error: AiGatewayError): LegError | AllProvidersFailed => {
  switch (error._tag) {
    case "AllProvidersFailed":
      return error.attempts.at(-1)?.error ?? error
    case "StreamBroken":
      return error.cause
    default:
      return error
  }
}

/** @internal */
export const allProvidersFailed = (attempts: ReadonlyArray<Attempt>): AllProvidersFailed =>
  new AllProvidersFailed(
    {
      attempts,
      message:
        (attempts.length === 1 ? "The only provider failed: " : `All ${attempts.length} providers failed: `) +
        attempts
          .map(
            (attempt) =>
              `${attempt.provider} ${attempt.model}: ${attempt.error._tag} after ${Duration.format(
                attempt.duration
              )} (${attempt.error.message})`
          )
          .join("; ")
    },
    unchecked
  )
