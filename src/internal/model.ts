/** The algebra of models: what every model can do, and how one is made. */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ChatEvent } from "../ChatEvent.js"
import { isContent } from "../ChatEvent.js"
import * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import type * as Tool from "../Tool.js"
import { type CallContext, provide as provideCall, withCall } from "./callContext.js"
import { Delivered } from "./delivered.js"
import type { AiGatewayError, LegError } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import * as Objects from "./objects.js"
import * as ToolLoop from "./toolLoop.js"
import type * as ToolRun from "./toolRun.js"
import type { Wire } from "./wire/wire.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/ChatModel"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A part of `ChatRequest` that a model can take, or `streaming`.
 *
 * @since 0.1.0
 * @category models
 */
export type Feature =
  | keyof ChatRequest.Sampling
  | "tools"
  | "parallelToolCalls"
  | "output"
  | "images"
  | "files"
  | "system"
  | "streaming"

/**
 * What is known about a model. Limits are there only where they are known: set them yourself on `model(name, …)` where
 * they are not, or where they have changed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Metadata {
  /** The provider's gateway slug. */
  readonly provider: string
  readonly model: string
  /** Tokens of prompt and answer together. */
  readonly contextWindow?: number | undefined
  /** Tokens that one answer can have at the most. */
  readonly maxOutputTokens?: number | undefined
  /** What can be set in a request; anything else is `Unsupported`. */
  readonly supports: ReadonlyArray<Feature>
  /** The models of a fallback list, in order. Absent for a single model. */
  readonly legs?: ReadonlyArray<Metadata> | undefined
}

/** A list's: its first model's, and all legs. Not by spreading, which would ask for `supports` at once. */
export const listMetadata = (first: Metadata, legs: ReadonlyArray<Metadata>): Metadata => ({
  provider: first.provider,
  model: first.model,
  contextWindow: first.contextWindow,
  maxOutputTokens: first.maxOutputTokens,
  get supports() {
    return first.supports
  },
  legs
})

/**
 * A model: a plain value whose methods need `R`. `ChatModel` is a model that needs nothing more.
 *
 * @since 0.1.0
 * @category models
 */
export interface With<out R> extends Pipeable {
  readonly [TypeId]: TypeId
  readonly metadata: Metadata
  /** Asks for a whole answer. */
  readonly chat: (input: ChatRequest.Input) => Effect.Effect<ChatResponse, AiGatewayError, R>
  /** Asks for an answer in events. Nothing happens until the stream is run, and each run is a request of its own. */
  readonly streamChat: (input: ChatRequest.Input) => Stream.Stream<ChatEvent, AiGatewayError, R>
  /** `chat` with one message of the user. */
  readonly complete: (
    prompt: string,
    options?: CompletionOptions
  ) => Effect.Effect<ChatResponse, AiGatewayError, R>
  /** The text of `streamChat` with one message of the user, piece by piece. */
  readonly streamComplete: (
    prompt: string,
    options?: CompletionOptions
  ) => Stream.Stream<string, AiGatewayError, R>
  /**
   * Asks for a value of a Schema. A leg whose answer is none fails with `InvalidOutput`, and a list moves on. A Schema that
   * has no JSON Schema is `InvalidRequest` at `schema`.
   */
  readonly chatObject: <A, I, RS>(
    request: Objects.ObjectRequest<A, I, RS>
  ) => Effect.Effect<Objects.ObjectResponse<A>, AiGatewayError, R | RS>
  /**
   * The same in events: the value as it grows, and at last the whole, checked and decoded. A value that does not fit was
   * shown already: it is a `StreamBroken` whose cause is `InvalidOutput`.
   */
  readonly streamObject: <A, I, RS>(
    request: Objects.ObjectRequest<A, I, RS>
  ) => Stream.Stream<Objects.ObjectEvent<A, I>, AiGatewayError, R | RS>
  /** Asks, carries out the tools that the model calls, and asks again, until it answers without calling one. */
  readonly runTools: <const Handlers extends ReadonlyArray<Tool.Handler<unknown, unknown>>>(
    input: ToolRun.ToolInput,
    options: ToolRun.ToolOptions<Handlers>
  ) => Effect.Effect<
    ToolRun.ToolRun,
    AiGatewayError | Tool.TurnLimitReached | Tool.HandlerError<Handlers>,
    R | Tool.HandlerNeeds<Handlers>
  >
  /** The same in events: those of each turn, the tools' results between them, and the whole run last. */
  readonly streamTools: <const Handlers extends ReadonlyArray<Tool.Handler<unknown, unknown>>>(
    input: ToolRun.ToolInput,
    options: ToolRun.ToolOptions<Handlers>
  ) => Stream.Stream<
    ToolRun.ToolEvent,
    AiGatewayError | Tool.TurnLimitReached | Tool.HandlerError<Handlers>,
    R | Tool.HandlerNeeds<Handlers>
  >
}

/**
 * What a completion can be told besides its prompt.
 *
 * @since 0.1.0
 * @category models
 */
export type CompletionOptions = ChatRequest.Defaults

/**
 * One model of one provider: a model that can also write its provider's native request and read its native answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Leg<out R> extends With<R> {
  /** The provider's native request, credential included. */
  readonly encode: (
    input: ChatRequest.Input,
    options: { readonly stream: boolean }
  ) => Effect.Effect<ProviderRequest, LegError, R>
  /** The provider's format, as plain functions. */
  readonly wire: Wire
}

/** A stream that has committed: what came up to the first content, and how to get more. */
export interface Opened {
  readonly head: ReadonlyArray<ChatEvent>
  /** `undefined` at the end. */
  readonly next: Effect.Effect<ReadonlyArray<ChatEvent> | undefined, AiGatewayError>
}

/** Opens a stream. It lives as long as the scope. */
export type Open<R> = (input: ChatRequest.Input) => Effect.Effect<Opened, AiGatewayError, R | Scope.Scope>

/** Asks for a whole answer within a call. */
export type Chat<R> = (
  input: ChatRequest.Input,
  call: CallContext
) => Effect.Effect<ChatResponse, AiGatewayError, R>

export interface Definition<R> {
  readonly metadata: Metadata
  readonly chat: Chat<R>
  readonly open: Open<R>
}

/**
 * How a model's stream is opened, by its `streamChat`. It spares a list of models the cost of a second stream around
 * each. A model whose `streamChat` somebody has wrapped is not found here, and is opened through that.
 */
const opens = new WeakMap<With<unknown>["streamChat"], Open<unknown>>()

/** The same for `chat`: it spares each leg of a list a copy of the fiber's context. */
const chats = new WeakMap<With<unknown>["chat"], Chat<unknown>>()

// All own properties, and those with a `this` mean the object that they are called on: so `{ ...model, chat: … }` is a
// model too, whose `complete` asks its own `chat`.
class Model<R> implements With<R> {
  readonly [TypeId]: TypeId = TypeId
  readonly complete: With<R>["complete"]
  readonly streamComplete: With<R>["streamComplete"]
  readonly chatObject: With<R>["chatObject"]
  readonly streamObject: With<R>["streamObject"]
  readonly runTools: With<R>["runTools"]
  readonly streamTools: With<R>["streamTools"]
  readonly pipe: With<R>["pipe"]
  readonly toJSON: () => unknown

  constructor(
    readonly metadata: Metadata,
    readonly chat: With<R>["chat"],
    readonly streamChat: With<R>["streamChat"]
  ) {
    const self: With<R> = this
    this.complete = function (this: With<R> | undefined, prompt, options) {
      return (this ?? self).chat({ ...options, prompt })
    }
    this.streamComplete = function (this: With<R> | undefined, prompt, options) {
      return Stream.mapChunks((this ?? self).streamChat({ ...options, prompt }), texts)
    }
    this.chatObject = function (this: With<R> | undefined, request) {
      return Objects.chat((this ?? self).chat, request)
    }
    this.streamObject = function (this: With<R> | undefined, request) {
      return Objects.stream((this ?? self).streamChat, request)
    }
    this.runTools = function (this: With<R> | undefined, input, options) {
      return ToolLoop.run((this ?? self).chat, input, options)
    }
    this.streamTools = function (this: With<R> | undefined, input, options) {
      return ToolLoop.stream((this ?? self).streamChat, input, options)
    }
    this.pipe = function (this: With<R>) {
      // biome-ignore lint/complexity/noArguments: the signature of `Pipeable`.
      return pipeArguments(this, arguments)
    }
    this.toJSON = () => ({ _id: "ChatModel", metadata })
  }
}

const texts = (events: Chunk.Chunk<ChatEvent>): Chunk.Chunk<string> => {
  const pieces: Array<string> = []
  for (const event of events) if (event._tag === "TextDelta") pieces.push(event.text)
  return Chunk.unsafeFromArray(pieces)
}

/** A model from a stream that anybody may have made. */
export const fromStream = <R>(
  metadata: Metadata,
  chat: With<R>["chat"],
  streamChat: With<R>["streamChat"]
): With<R> => new Model(metadata, chat, streamChat)

/** A model that is told its call, and opens its stream by an effect. */
export const make = <R>(definition: Definition<R>): With<R> => {
  const chat = (input: ChatRequest.Input) => withCall((call) => definition.chat(input, call))
  chats.set(chat, definition.chat)
  return opening(definition.metadata, chat, definition.open)
}

const opening = <R>(metadata: Metadata, chat: With<R>["chat"], open: Open<R>): With<R> => {
  const streamChat = (input: ChatRequest.Input) => toStream(open(input))
  opens.set(streamChat, open)
  return new Model(metadata, chat, streamChat)
}

/** How a model is told its call, whoever made the model: through the fiber's context where it knows no other way. */
export const chatOf = <R>(model: With<R>): Chat<R> => {
  const known = chats.get(model.chat)
  return known === undefined ? (input, call) => provideCall(model.chat(input), call) : (known as Chat<R>)
}

/** Adds what makes a model a leg. */
export const leg = <R>(model: With<R>, more: Pick<Leg<R>, "encode" | "wire">): Leg<R> =>
  Object.assign(model, more)

const toStream = <R>(
  open: Effect.Effect<Opened, AiGatewayError, R | Scope.Scope>
): Stream.Stream<ChatEvent, AiGatewayError, Exclude<R, Scope.Scope>> =>
  Stream.fromChannel(
    Channel.unwrapScoped(
      Effect.map(open, ({ head, next }) => {
        const rest: Channel.Channel<Chunk.Chunk<ChatEvent>, unknown, AiGatewayError> = Channel.flatMap(
          Channel.fromEffect(next),
          (events) =>
            events === undefined
              ? Channel.void
              : Channel.flatMap(Channel.write(Chunk.unsafeFromArray(events)), () => rest)
        )
        return Channel.flatMap(Channel.write(Chunk.unsafeFromArray(head)), () => rest)
      })
    )
  )

/** How a model's stream is opened, whoever made the model. */
export const openOf = <R>(model: With<R>): Open<R> => {
  const known = opens.get(model.streamChat)
  if (known !== undefined) return known as Open<R>
  return (input) =>
    Effect.flatMap(Stream.toPull(model.streamChat(input)), (pull) =>
      Effect.flatMap(Effect.context<R>(), (context) => {
        const next = pull.pipe(
          Effect.map(Chunk.toReadonlyArray),
          Effect.catchAll(
            Option.match({ onNone: () => Effect.succeed(undefined), onSome: (error) => Effect.fail(error) })
          ),
          Effect.provide(context)
        )
        return Effect.map(untilContent(next), (head): Opened => {
          const delivered = new Delivered()
          delivered.add(head)
          const told = Effect.tap(next, (events) => Effect.sync(() => delivered.add(events ?? [])))
          return { head, next: Effect.mapError(told, (error) => brokenAfter(delivered, error)) }
        })
      })
    )
}

/** After the first content every failure says what was delivered. */
const brokenAfter = (delivered: Delivered, error: AiGatewayError): AiGatewayError =>
  error._tag === "StreamBroken" || error._tag === "AllProvidersFailed" ? error : delivered.broken(error)

const untilContent = (next: Opened["next"]): Effect.Effect<ReadonlyArray<ChatEvent>, AiGatewayError> =>
  Effect.suspend(() => {
    const held: Array<ChatEvent> = []
    const more: Effect.Effect<ReadonlyArray<ChatEvent>, AiGatewayError> = Effect.flatMap(next, (events) => {
      if (events === undefined) return Effect.succeed(held)
      for (const event of events) held.push(event)
      return events.some((event) => isContent(event) || event._tag === "Finish") ? Effect.succeed(held) : more
    })
    return more
  })

/** Does something to a model's two effects, whatever they are. */
export const transform = <R, R2>(
  model: With<R>,
  f: {
    readonly input?: (input: ChatRequest.ChatRequest) => ChatRequest.ChatRequest
    readonly chat: (
      effect: Effect.Effect<ChatResponse, AiGatewayError, R>
    ) => Effect.Effect<ChatResponse, AiGatewayError, R2>
    readonly open: (
      effect: Effect.Effect<Opened, AiGatewayError, R | Scope.Scope>
    ) => Effect.Effect<Opened, AiGatewayError, R2 | Scope.Scope>
  }
): With<R2> => {
  const open = openOf(model)
  const { input: change } = f
  const request = (input: ChatRequest.Input): Effect.Effect<ChatRequest.Input, AiGatewayError> =>
    change === undefined ? Effect.succeed(input) : Effect.map(ChatRequest.fromInput(input), change)
  return opening(
    model.metadata,
    (input) => f.chat(Effect.flatMap(request(input), model.chat)),
    (input) => f.open(Effect.flatMap(request(input), open))
  )
}
