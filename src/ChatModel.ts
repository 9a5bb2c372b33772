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
import type { AiGateway } from "./AiGateway.js"
import * as ChatEvent from "./ChatEvent.js"
import * as ChatRequest from "./ChatRequest.js"
import type { ChatResponse } from "./ChatResponse.js"
import * as Call from "./internal/call.js"
import { provide as provideCall, retrying, timeless, withCall } from "./internal/callContext.js"
import * as CheckedOutput from "./internal/checkedOutput.js"
import { type AiGatewayError, InvalidRequest, type LegError } from "./internal/errors.js"
import * as Fallback from "./internal/fallback.js"
import * as Model from "./internal/model.js"
import type * as Objects from "./internal/objects.js"
import { defaultMaxRetryAfter, type RetryPolicy } from "./internal/retry.js"
import { type TimeoutMillis, type Timeouts, toMillis } from "./internal/timeouts.js"
import type * as ToolRun from "./internal/toolRun.js"
import * as Universal from "./internal/universal.js"
import type { DurationWithUnit } from "./RequestOptions.js"
import type * as Tool from "./Tool.js"

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
export type {
  ObjectEvent,
  ObjectRequest,
  ObjectResponse,
  PartialObject,
  PartialOf,
  WholeObject
} from "./internal/objects.js"
export type { Timeouts } from "./internal/timeouts.js"
export type {
  RunFinish,
  ToolEvent,
  ToolInput,
  ToolOptions,
  ToolResult,
  ToolRun,
  ToolTurn,
  TurnStart
} from "./internal/toolRun.js"

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
 * A model of your own, from its two methods. Everything else is derived: what a request's `output` must be is checked here
 * too, so that such a model moves a list on as every other does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(definition: {
  readonly metadata: Model.Metadata
  readonly chat: Model.With<R>["chat"]
  readonly streamChat: Model.With<R>["streamChat"]
}): Model.With<R> =>
  Model.fromStream(
    definition.metadata,
    (input) => {
      const output = outputOf(input)
      const answered = definition.chat(input)
      return output?.check === undefined
        ? answered
        : Effect.tap(answered, (answer) => CheckedOutput.judge(answer, output))
    },
    definition.streamChat
  )

const outputOf = (input: ChatRequest.Input): ChatRequest.Output | undefined =>
  typeof input === "object" && input !== null && "output" in input ? input.output : undefined

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
 * Such layers are also the steps of an `ExecutionPlan`, which builds one anew for each attempt. There the model's own retries
 * are to be off, or attempts multiply; and each step needs a `while` that turns `StreamBroken` down, as
 * `AiGatewayError.isRetryable` and `movesOn` do: without one a stream that breaks in the middle is asked again from its
 * beginning, and for ever. `preventFallbackOnPartialStream` keeps it from going on with the next step's answer, but no step
 * from repeating itself.
 *
 * @example
 * ```ts
 * import { AiGatewayError, Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 * import { ExecutionPlan, Schedule, Stream } from "effect"
 *
 * const once = ChatModel.retry(Schedule.recurs(0))
 * const plan = ExecutionPlan.make(
 *   {
 *     provide: ChatModel.layer(once(OpenAi.model("gpt-5-mini"))),
 *     attempts: 2,
 *     while: AiGatewayError.isRetryable
 *   },
 *   { provide: ChatModel.layer(once(Anthropic.model("claude-haiku-4-5"))), while: AiGatewayError.movesOn }
 * )
 * const events = ChatModel.streamChat("Name three cheeses.").pipe(
 *   Stream.withExecutionPlan(plan, { preventFallbackOnPartialStream: true })
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
 * Asks the application's model for a value of a Schema: JSON Schema goes out in each vendor's form (or as a tool that the
 * model must call, where a vendor has no mode for it), and the answer comes back decoded.
 *
 * A leg whose answer does not fit fails with `InvalidOutput`, which has the text and the path of the first mistake, and a
 * list moves on. A Schema that has no JSON Schema is `InvalidRequest` at `schema`, before anything is sent. A model that is
 * given tools too, and calls one, has not answered: that is `InvalidOutput` as well.
 *
 * @example
 * ```ts
 * import { ChatModel } from "effect-ai-gateway"
 * import { Effect, Schema } from "effect"
 *
 * const Invoice = Schema.Struct({
 *   number: Schema.String,
 *   due: Schema.Date,
 *   lines: Schema.Array(Schema.Struct({ text: Schema.String, cents: Schema.Int }))
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { object, usage } = yield* ChatModel.chatObject({ schema: Invoice, prompt: "Invoice 17, due 1 May: …" })
 *   yield* Effect.log(object.due.getFullYear(), usage)
 * })
 * ```
 *
 * @since 0.1.0
 * @category objects
 */
export const chatObject = <A, I, R>(
  request: Objects.ObjectRequest<A, I, R>
): Effect.Effect<Objects.ObjectResponse<A>, AiGatewayError, ChatModel | R> =>
  Effect.flatMap(ChatModel, (model) => model.chatObject(request))

/**
 * The same in events: after each read from the network that brought more, the value as far as it has come; and at last the
 * whole, checked and decoded. If that does not fit, it was shown already: the stream ends with `StreamBroken`, whose cause
 * is `InvalidOutput`.
 *
 * @example
 * ```ts
 * import { ChatModel } from "effect-ai-gateway"
 * import { Effect, Schema, Stream } from "effect"
 *
 * const Recipe = Schema.Struct({ title: Schema.String, steps: Schema.Array(Schema.String) })
 *
 * const program = ChatModel.streamObject({ schema: Recipe, prompt: "Pancakes, please." }).pipe(
 *   Stream.runForEach((event) =>
 *     event._tag === "Partial"
 *       ? Effect.log(event.value.title ?? "…", event.value.steps?.length ?? 0)
 *       : Effect.log(event.object.steps)
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category objects
 */
export const streamObject = <A, I, R>(
  request: Objects.ObjectRequest<A, I, R>
): Stream.Stream<Objects.ObjectEvent<A, I>, AiGatewayError, ChatModel | R> =>
  Stream.unwrap(Effect.map(ChatModel, (model) => model.streamObject(request)))

/**
 * Lets the application's model use tools: asks it, carries out what it calls, gives it the results, and asks again, until it
 * answers without calling a tool.
 *
 * - Each turn is one `chat`: a list begins at its first leg, and retries, options and clocks hold for each turn.
 * - The calls of one turn run concurrently; their results go back in the order of the calls, in one message. Reasoning goes
 *   back with them, unchanged.
 * - A handler's own failure ends the run, and the other calls are interrupted; a `Tool.ToolFailure` goes to the model instead.
 * - A call that cannot be carried out is `InvalidToolCall`, before any call of that turn has begun; with
 *   `invalidCalls: "report"` the model is told, and may try again.
 * - After `maxTurns` turns (default 8) the run fails with `Tool.TurnLimitReached`.
 * - A `toolChoice` that makes the model call a tool holds for the first turn, and is `auto` from then on: it would never
 *   answer. (One in a model's defaults is not seen here, and runs into the limit.)
 * - A `cacheKey` of the call or the region holds for the first turn: it would give the first answer again for ever.
 *
 * @example
 * ```ts
 * import { ChatModel, Tool } from "effect-ai-gateway"
 * import { Effect, Schema } from "effect"
 *
 * const weather = Tool.make("get_weather", {
 *   description: "The weather of a city, now.",
 *   parameters: Schema.Struct({ city: Schema.String })
 * }).pipe(Tool.handle(({ city }) => Effect.succeed({ city, celsius: 21 })))
 *
 * const program = Effect.gen(function*() {
 *   const run = yield* ChatModel.runTools("What is it like in Oslo?", { tools: [weather] })
 *   yield* Effect.log(run.response.text, run.turns.length, run.usage)
 * })
 * ```
 *
 * @since 0.1.0
 * @category tools
 */
export const runTools = <const Handlers extends ReadonlyArray<Tool.Handler<unknown, unknown>>>(
  input: ToolRun.ToolInput,
  options: ToolRun.ToolOptions<Handlers>
): Effect.Effect<
  ToolRun.ToolRun,
  AiGatewayError | Tool.TurnLimitReached | Tool.HandlerError<Handlers>,
  ChatModel | Tool.HandlerNeeds<Handlers>
> => Effect.flatMap(ChatModel, (model) => model.runTools(input, options))

/**
 * The same in events: `TurnStart` and the events of the model's answer for each turn, a `ToolResult` for each call as it is
 * ready, and at last one `RunFinish` with all that `runTools` gives. Each turn is one `streamChat`. Stopping early closes the
 * socket and interrupts the tools.
 *
 * @since 0.1.0
 * @category tools
 */
export const streamTools = <const Handlers extends ReadonlyArray<Tool.Handler<unknown, unknown>>>(
  input: ToolRun.ToolInput,
  options: ToolRun.ToolOptions<Handlers>
): Stream.Stream<
  ToolRun.ToolEvent,
  AiGatewayError | Tool.TurnLimitReached | Tool.HandlerError<Handlers>,
  ChatModel | Tool.HandlerNeeds<Handlers>
> => Stream.unwrap(Effect.map(ChatModel, (model) => model.streamTools(input, options)))

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

// biome-ignore lint/suspicious/noExplicitAny: legs with different needs stand in one list; `R` is read off them below.
type AnyLeg = Model.Leg<any>

/**
 * The legs of a list, if all of them are sent through `AiGateway`: no other transport has a universal endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export type BehindAiGateway<Legs extends ReadonlyArray<AnyLeg>> = {
  readonly [K in keyof Legs]: Legs[K] extends Model.Leg<infer R>
    ? [AiGateway] extends [R]
      ? Legs[K]
      : "This leg is not sent through AiGateway."
    : never
}

/**
 * Fallback on the server: all legs go out in **one** request, the gateway tries them in order, and the answer is read in
 * the format of the leg that gave it. For `chat` and `streamChat`, with tools and structured output: each leg encodes for
 * itself.
 *
 * What a caller sees is what `firstSuccessOf` shows for the same outcomes, with these differences:
 *
 * - The gateway leaves a leg on any error of its provider, and does not say which. So each leg before the one that
 *   answered has an attempt whose error is a `ProviderFailure` of source `gateway` that says so, of no duration; a leg that
 *   was never sent (`Unsupported`, no key) has its own error. If all fail, the one error that the gateway gives stands at
 *   the leg that `cf-aig-step` names, or at the last.
 * - An error inside the 200 of a leg (a first event that is an error, an answer that is cut off before its content or does not
 *   fit the Schema of `chatObject`) cannot be left any more: the call fails with `AllProvidersFailed`, whose last attempt has that error.
 * - The gateway repeats a leg as that leg's own `options: { retries, requestTimeout }` say, which go into its entry's
 *   `config`. The client repeats the request, by the usual schedule or `ChatModel.retry`, only where nobody answered: no
 *   response came, or the gateway's rate limit was reached; and not at all if the gateway was told to retry.
 * - The keys of all legs are looked up for each request.
 * - `timeouts.firstEvent` of this model bounds the request to its first content. Of the legs' own it is the sum, as is
 *   `total` if each leg has one: the client does not see when the gateway leaves a leg.
 * - Nothing can be filtered: a list with `while` or `accept`, a wrapped model and a leg of another transport do not compile.
 *
 * Options of the call win over those of a region, and a leg's own stand in between, as everywhere. `gateway.step` counts
 * the entries that were sent. There is no universal endpoint on a custom domain (`InvalidRequest`). Cloudflare calls this
 * endpoint deprecated in favour of dynamic routes (`Compat.dynamic`).
 *
 * Source: `protocol/gateway.md` §1.3, §2.3, §4.4, §5.5; what the gateway answers when all entries fail is not documented.
 *
 * @example
 * ```ts
 * import { Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 *
 * const model = ChatModel.universal([
 *   OpenAi.model("gpt-5-mini", { options: { requestTimeout: "3 seconds", retries: { maxAttempts: 2 } } }),
 *   Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 })
 * ])
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const universal = <const Legs extends readonly [AnyLeg, ...ReadonlyArray<AnyLeg>]>(
  legs: Legs & BehindAiGateway<Legs>
): Model.With<NeedsOf<Legs> | AiGateway> => {
  // Only a caller without types gets here with an empty list, or with something else than legs.
  if (legs.length === 0) throw emptyList()
  const other = legs.findIndex((leg) => typeof leg?.encode !== "function")
  if (other >= 0) {
    throw new InvalidRequest({
      field: `models[${other}]`,
      message: "A universal request takes models of one provider each: no lists and no wrapped models."
    })
  }
  return Universal.make<NeedsOf<Legs>>(legs)
}

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
    return Model.transform(self, { chat: retrying(policy), open: retrying(policy) })
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
        : withCall((call) => Call.totalWhole((inside) => provideCall(set(effect), inside), call, total)),
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
