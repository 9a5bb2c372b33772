/**
 * The service that applications use, and the algebra of models: every combinator takes a model and gives a model.
 *
 * A model is a plain value, not an effect: `OpenAi.model("gpt-5-mini")`. Its methods need what the model needs (a provider
 * and a gateway), and look that up at each call.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ParentSpan } from "effect/Tracer"
import * as ChatEvent from "./ChatEvent.js"
import * as ChatRequest from "./ChatRequest.js"
import type { ChatResponse } from "./ChatResponse.js"
import * as Call from "./internal/call.js"
import { CurrentCall, provide as provideCall, withCall } from "./internal/callContext.js"
import { type AiGatewayError, InvalidRequest, type LegError } from "./internal/errors.js"
import * as Fallback from "./internal/fallback.js"
import * as Model from "./internal/model.js"
import { defaultMaxRetryAfter, type RetryPolicy } from "./internal/retry.js"
import { type TimeoutMillis, type Timeouts, toMillis } from "./internal/timeouts.js"
import { CurrentOptions, type DurationWithUnit } from "./RequestOptions.js"

export type { FallbackOptions } from "./internal/fallback.js"
export type { ModelOptions } from "./internal/leg.js"
export type {
  CompletionOptions,
  Feature,
  Leg,
  Metadata,
  With
} from "./internal/model.js"
export {
  /**
   * @since 0.1.0
   * @category symbols
   */
  TypeId
} from "./internal/model.js"
export type { Timeouts } from "./internal/timeouts.js"

/**
 * A model whose needs are met: the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends Model.With<never> {}

/**
 * The model of an application.
 *
 * @since 0.1.0
 * @category tags
 */
export class ChatModel extends Context.Tag("effect-ai-gateway/ChatModel")<ChatModel, Service>() {}

// --- making models ------------------------------------------------------------------------------------------------------

/**
 * A model of your own, from its two methods. Everything else is derived.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(definition: {
  readonly metadata: Model.Metadata
  readonly chat: Model.With<R>["chat"]
  readonly streamChat: Model.With<R>["streamChat"]
}): Model.With<R> => Model.fromStream(definition.metadata, definition.chat, definition.streamChat)

/**
 * Makes a model the application's `ChatModel`.
 *
 * @example
 * ```ts
 * import { Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 *
 * const Model = ChatModel.layer(
 *   ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <R>(model: Model.With<R>): Layer.Layer<ChatModel, never, R> =>
  Layer.effect(
    ChatModel,
    Effect.map(Effect.context<R>(), (context) => provide(model, timeless(context)))
  )

/** Without what belongs to the moment in which a layer was built, and not to the calls that its model gets later. */
const timeless = <R>(context: Context.Context<R>): Context.Context<R> => {
  const services = new Map(context.unsafeMap)
  for (const { key } of [ParentSpan, CurrentOptions, CurrentCall]) services.delete(key)
  return Context.unsafeMake(services)
}

/** Meets a model's needs. What a call brings itself wins over what is given here. */
const provide = <R>(model: Model.With<R>, context: Context.Context<R>): Service =>
  Model.transform(model, {
    chat: (effect) =>
      Effect.mapInputContext(effect, (call: Context.Context<never>) => Context.merge(context, call)),
    open: (effect) =>
      Effect.mapInputContext(effect, (call: Context.Context<Scope.Scope>) => Context.merge(context, call))
  })

// --- using the model ----------------------------------------------------------------------------------------------------

/**
 * Asks the application's model for a whole answer. Fails with `AllProvidersFailed` if no leg of a list answers, with
 * `InvalidRequest` before anything is sent, or with any other `AiGatewayError` that ends a call at once.
 *
 * @example
 * ```ts
 * import { ChatModel } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const answer = yield* ChatModel.chat("Name three cheeses.")
 *   yield* Effect.log(answer.text, answer.provider, answer.usage)
 * })
 * ```
 *
 * @since 0.1.0
 * @category using
 */
export const chat = (input: ChatRequest.Input): Effect.Effect<ChatResponse, AiGatewayError, ChatModel> =>
  Effect.flatMap(ChatModel, (model) => model.chat(input))

/**
 * Asks the application's model for an answer in events. A stream commits to the first leg that gives content; from then
 * on a failure is a `StreamBroken` that says what was delivered. Stopping early closes the socket.
 *
 * @since 0.1.0
 * @category using
 */
export const streamChat = (
  input: ChatRequest.Input
): Stream.Stream<ChatEvent.ChatEvent, AiGatewayError, ChatModel> =>
  Stream.unwrap(Effect.map(ChatModel, (model) => model.streamChat(input)))

/**
 * `chat` with one message of the user.
 *
 * @since 0.1.0
 * @category using
 */
export const complete = (
  prompt: string,
  options?: Model.CompletionOptions
): Effect.Effect<ChatResponse, AiGatewayError, ChatModel> =>
  Effect.flatMap(ChatModel, (model) => model.complete(prompt, options))

/**
 * The text of an answer, piece by piece.
 *
 * @since 0.1.0
 * @category using
 */
export const streamComplete = (
  prompt: string,
  options?: Model.CompletionOptions
): Stream.Stream<string, AiGatewayError, ChatModel> =>
  Stream.unwrap(Effect.map(ChatModel, (model) => model.streamComplete(prompt, options)))

/**
 * What is known of the application's model; of a list, its first leg's, and all `legs`.
 *
 * @since 0.1.0
 * @category using
 */
export const metadata: Effect.Effect<Model.Metadata, never, ChatModel> = Effect.map(
  ChatModel,
  (model) => model.metadata
)

/**
 * Puts the events of a stream together into one answer.
 *
 * @since 0.1.0
 * @category using
 */
export const collect = <E, R>(
  events: Stream.Stream<ChatEvent.ChatEvent, E, R>
): Effect.Effect<ChatResponse, E, R> =>
  Effect.suspend(() => {
    const folder = ChatEvent.makeFolder()
    return Effect.map(
      Stream.runForEachChunk(events, (chunk) =>
        Effect.sync(() => {
          for (const event of chunk) folder.add(event)
        })
      ),
      () => folder.response()
    )
  })

// --- combinators --------------------------------------------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: models with different needs stand in one list; `R` is read off them below.
type AnyModel = Model.With<any>

/**
 * What the models of a list need, all together.
 *
 * @since 0.1.0
 * @category models
 */
export type NeedsOf<Models extends ReadonlyArray<AnyModel>> =
  Models[number] extends Model.With<infer R> ? R : never

/**
 * The first model that works, in the order of the list, from the first one on every call. A leg's failure moves on, but
 * for an interruption, and for what would fail on every remaining leg behind the same gateway (`failsEverywhere`). If all
 * fail: `AllProvidersFailed`, with one `Attempt` for each. An answer carries the attempts before it.
 *
 * An empty list does not compile; a list made at run time goes through `fromIterable`.
 *
 * @example
 * ```ts
 * import { Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 *
 * const model = ChatModel.firstSuccessOf(
 *   [OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")],
 *   { while: (error) => error._tag !== "ContentBlocked" }
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const firstSuccessOf = <const Models extends readonly [AnyModel, ...ReadonlyArray<AnyModel>]>(
  models: Models,
  options: Fallback.FallbackOptions = {}
): Model.With<NeedsOf<Models>> => {
  // Only a caller without types gets here with an empty list.
  if (models.length === 0) throw emptyList()
  return Fallback.make<NeedsOf<Models>>(models, options)
}

/**
 * `firstSuccessOf` for a list that is made at run time. Fails with `InvalidRequest` if it is empty.
 *
 * @since 0.1.0
 * @category combinators
 */
export const fromIterable = <M extends AnyModel>(
  models: Iterable<M>,
  options: Fallback.FallbackOptions = {}
): Effect.Effect<Model.With<NeedsOf<ReadonlyArray<M>>>, InvalidRequest> =>
  Effect.suspend(() => {
    const [first, ...others] = models
    return first === undefined
      ? Effect.fail(emptyList())
      : Effect.succeed(Fallback.make<NeedsOf<ReadonlyArray<M>>>([first, ...others], options))
  })

const emptyList = (): InvalidRequest =>
  new InvalidRequest({ field: "models", message: "The list of models is empty: there is nothing to ask." })

/**
 * Replaces the schedule by which each leg retries, of a list for every leg; the outermost `retry` counts. Only errors that
 * may pass are retried (`AiGatewayError.isRetryable`), never earlier than the server asked; a leg whose server asks for
 * a longer wait than `maxRetryAfter` (default 30 seconds) is given up at once. The default is two retries, after about
 * 0.5 and 1 second, with jitter.
 *
 * A request with the gateway's own `retries` option is not retried by the client.
 *
 * @example
 * ```ts
 * import { ChatModel, OpenAi } from "effect-ai-gateway"
 * import { Schedule } from "effect"
 *
 * const patient = OpenAi.model("gpt-5-mini").pipe(
 *   ChatModel.retry(Schedule.exponential("1 second").pipe(Schedule.intersect(Schedule.recurs(4))))
 * )
 * const once = OpenAi.model("gpt-5-mini").pipe(ChatModel.retry(Schedule.recurs(0)))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const retry: {
  <Out>(
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): <R>(self: Model.With<R>) => Model.With<R>
  <R, Out>(
    self: Model.With<R>,
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): Model.With<R>
} = dual(
  (args) => Model.TypeId in args[0],
  <R, Out>(
    self: Model.With<R>,
    schedule: Schedule.Schedule<Out, LegError>,
    options?: RetryOptions
  ): Model.With<R> => {
    const maxRetryAfter =
      options?.maxRetryAfter === undefined ? defaultMaxRetryAfter : Duration.decode(options.maxRetryAfter)
    const policy: RetryPolicy = { schedule, maxRetryAfter }
    const replace = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      withCall((call) =>
        call.retry === undefined ? provideCall(effect, { ...call, retry: policy }) : effect
      )
    return Model.transform(self, { chat: replace, open: replace })
  }
)

/**
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /** The longest time that a server may ask to be left alone. Default 30 seconds. */
  readonly maxRetryAfter?: DurationWithUnit | undefined
}

/**
 * Sets the client's clocks. `total` bounds the whole of this model, all legs of a list and all waits included; `firstEvent`
 * and `idle` hold for each leg's stream, and a leg's own come first. They fail with `ModelTimeout` and close the socket.
 *
 * @example
 * ```ts
 * import { Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 *
 * const model = ChatModel.firstSuccessOf([
 *   OpenAi.model("gpt-5-mini"),
 *   Anthropic.model("claude-haiku-4-5").pipe(ChatModel.withTimeouts({ firstEvent: "30 seconds" }))
 * ]).pipe(ChatModel.withTimeouts({ firstEvent: "5 seconds", total: "1 minute" }))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTimeouts: {
  (timeouts: Timeouts): <R>(self: Model.With<R>) => Model.With<R>
  <R>(self: Model.With<R>, timeouts: Timeouts): Model.With<R>
} = dual(2, <R>(self: Model.With<R>, timeouts: Timeouts): Model.With<R> => {
  const millis = toMillis(timeouts)
  if (millis instanceof InvalidRequest) {
    const fail = () => Effect.fail(millis)
    return Model.transform(self, { chat: fail, open: fail })
  }
  const { total } = millis
  const set = setClocks(millis)
  return Model.transform(self, {
    chat: (effect) =>
      total === undefined
        ? set(effect)
        : withCall((call) => Call.totalChat((inside) => provideCall(set(effect), inside), call, total)),
    open: (effect) => (total === undefined ? set(effect) : Call.totalOpen(set(effect), total))
  })
})

const setClocks =
  ({ firstEvent, idle }: TimeoutMillis) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    firstEvent === undefined && idle === undefined
      ? effect
      : withCall((call) =>
          provideCall(effect, {
            ...call,
            firstEvent: firstEvent ?? call.firstEvent,
            idle: idle ?? call.idle
          })
        )

/**
 * Fills in what a request leaves open: sampling, a system message, vendor fields, gateway options. The request wins.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaults: {
  (defaults: ChatRequest.Defaults): <R>(self: Model.With<R>) => Model.With<R>
  <R>(self: Model.With<R>, defaults: ChatRequest.Defaults): Model.With<R>
} = dual(
  2,
  <R>(self: Model.With<R>, defaults: ChatRequest.Defaults): Model.With<R> =>
    Model.transform(self, {
      input: (request) => ChatRequest.withDefaults(request, defaults),
      chat: (effect) => effect,
      open: (effect) => effect
    })
)

/**
 * Gives a model one of the services that it needs: another account of a provider, another gateway.
 *
 * Give the service itself. A Layer would be built for, and closed before, the first call.
 *
 * @example
 * ```ts
 * import { ChatModel, OpenAi } from "effect-ai-gateway"
 * import { Redacted } from "effect"
 *
 * const teamB = OpenAi.model("gpt-5-mini").pipe(
 *   ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("…") }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const provideService: {
  <I, S>(tag: Context.Tag<I, S>, service: S): <R>(self: Model.With<R>) => Model.With<Exclude<R, I>>
  <R, I, S>(self: Model.With<R>, tag: Context.Tag<I, S>, service: S): Model.With<Exclude<R, I>>
} = dual(3, <R, I, S>(self: Model.With<R>, tag: Context.Tag<I, S>, service: S): Model.With<Exclude<R, I>> => {
  // With `I` added, what is left of `R` is all of `R`; the compiler cannot see that for a type that it does not know.
  const add = <C>(context: Context.Context<C>) =>
    Context.add(context, tag, service) as Context.Context<unknown> as Context.Context<R | Scope.Scope>
  return Model.transform<R, Exclude<R, I>>(self, {
    chat: (effect) => Effect.mapInputContext(effect, (call: Context.Context<Exclude<R, I>>) => add(call)),
    open: (effect) =>
      Effect.mapInputContext(effect, (call: Context.Context<Exclude<R, I> | Scope.Scope>) => add(call))
  })
})
