/**
 * A scripted `ChatModel`: answers what it is told to, in order, without a gateway. For tests of what an application does
 * with answers and errors; `LocalGateway` is for tests of the calls themselves.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ChatEvent } from "./ChatEvent.js"
import * as ChatEventModule from "./ChatEvent.js"
import { ChatModel, make as makeModel, type With } from "./ChatModel.js"
import * as ChatRequest from "./ChatRequest.js"
import type { ChatResponse, FinishReason, Usage } from "./ChatResponse.js"
import { Delivered } from "./internal/delivered.js"
import { type AiGatewayError, isAiGatewayError, type LegError, TransportFailure } from "./internal/errors.js"

/**
 * An answer of the script.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly _tag: "Answer"
  /** The text, in the pieces in which a stream delivers it. */
  readonly chunks: ReadonlyArray<string>
  readonly reasoning?: string | undefined
  readonly toolCalls?:
    | ReadonlyArray<{ readonly id?: string; readonly name: string; readonly arguments: unknown }>
    | undefined
  readonly finishReason?: FinishReason | undefined
  readonly usage?: Usage | undefined
  /** Before each piece of a stream, or before the whole answer. */
  readonly delay?: Duration.DurationInput | undefined
  /** Breaks the stream behind its last piece; `chat` fails with it. */
  readonly broken?: LegError | undefined
}

/**
 * One step of a script: text, an answer, an error, or a function of the request that gives one of these.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply = string | Answer | AiGatewayError | ((request: ChatRequest.ChatRequest) => Reply)

/**
 * A scripted model, and what it was asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestModel extends With<never> {
  /** The requests so far, in order. */
  readonly requests: () => ReadonlyArray<ChatRequest.ChatRequest>
}

/**
 * An answer with everything that an answer can have.
 *
 * @since 0.1.0
 * @category replies
 */
export const answer = (
  text: string | ReadonlyArray<string>,
  more: Omit<Answer, "_tag" | "chunks" | "broken"> = {}
): Answer => ({
  _tag: "Answer",
  chunks: typeof text === "string" ? [text] : text,
  ...more
})

/**
 * An answer that calls one tool. `args` is any JSON; text is taken as it is, so that a test can give what is not JSON.
 *
 * @example
 * ```ts
 * import { ChatModel, TestModel, Tool } from "effect-ai-gateway"
 * import { Effect, Schema } from "effect"
 *
 * const weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) }).pipe(
 *   Tool.handle(() => Effect.succeed("sunny"))
 * )
 * const program = ChatModel.runTools("How is Oslo?", { tools: [weather] }).pipe(
 *   Effect.provide(TestModel.layer([TestModel.toolCall("get_weather", { city: "Oslo" }), "It is sunny."]))
 * )
 * ```
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCall = (name: string, args: unknown, more: CallOptions = {}): Answer =>
  toolCalls([{ name, arguments: args, ...(more.id === undefined ? {} : { id: more.id }) }], more)

/**
 * What a call of a tool may have besides.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends Omit<Answer, "_tag" | "chunks" | "broken" | "toolCalls"> {
  /** The `id` of the call. Default `call_0`. */
  readonly id?: string | undefined
  /** Said before the call. Default none. */
  readonly text?: string | undefined
}

/**
 * An answer that calls several tools.
 *
 * @since 0.1.0
 * @category replies
 */
export const toolCalls = (
  calls: NonNullable<Answer["toolCalls"]>,
  { text, id: _, ...more }: CallOptions = {}
): Answer => answer(text === undefined ? [] : [text], { ...more, toolCalls: calls })

/**
 * An answer that is a value, as JSON; a stream delivers it in pieces of `size` characters (default 16). For
 * `ChatModel.chatObject` and `streamObject`; give what the Schema encodes to.
 *
 * @since 0.1.0
 * @category replies
 */
export const object = (
  value: unknown,
  { size = 16, ...more }: Omit<Answer, "_tag" | "chunks" | "broken"> & { readonly size?: number } = {}
): Answer => {
  const text = JSON.stringify(value)
  const pieces: Array<string> = []
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size))
  return answer(pieces, more)
}

/**
 * An answer whose stream breaks behind its text: `streamChat` fails with `StreamBroken`, `chat` with the cause.
 *
 * @since 0.1.0
 * @category replies
 */
export const broken = (
  text: string | ReadonlyArray<string>,
  cause: LegError = new TransportFailure({ message: "The connection was closed." })
): Answer => ({ _tag: "Answer", chunks: typeof text === "string" ? [text] : text, broken: cause })

/**
 * A model that gives these replies in order. A request more than there are replies is a mistake of the test, and dies with
 * a message that says so.
 *
 * @example
 * ```ts
 * import { ChatModel, TestModel } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const program = ChatModel.chat("Name three cheeses.").pipe(
 *   Effect.map((answer) => answer.text),
 *   Effect.provide(TestModel.layer(["Brie, Gouda, Feta"]))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (replies: ReadonlyArray<Reply>): TestModel => {
  const requests: Array<ChatRequest.ChatRequest> = []
  const next = (input: ChatRequest.Input): Effect.Effect<Answer, AiGatewayError> =>
    Effect.flatMap(ChatRequest.fromInput(input), (request) =>
      Effect.suspend(() => {
        const wrong = ChatRequest.wrongToolUse(request)
        if (wrong !== undefined) return Effect.fail(wrong)
        const reply = replies[requests.length]
        requests.push(request)
        return reply === undefined
          ? Effect.dieMessage(
              `TestModel has ${replies.length} replies, and this is request ${requests.length}.`
            )
          : resolve(reply, request)
      })
    )
  const model = makeModel<never>({
    metadata: {
      provider: "test",
      model: "test-model",
      supports: [
        "temperature",
        "topP",
        "topK",
        "maxTokens",
        "stop",
        "seed",
        "frequencyPenalty",
        "presencePenalty",
        "reasoningEffort",
        "tools",
        "parallelToolCalls",
        "output",
        "images",
        "files",
        "system",
        "streaming"
      ]
    },
    chat: (input) => Effect.flatMap(next(input), toResponse),
    streamChat: (input) => Stream.unwrap(Effect.map(next(input), toStream))
  })
  return Object.assign(model, { requests: () => requests })
}

/**
 * A `ChatModel` that gives these replies in order. It replaces an application's model layer, so give it with
 * `Effect.provide`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (replies: ReadonlyArray<Reply>): Layer.Layer<ChatModel> =>
  Layer.sync(ChatModel, () => make(replies))

const resolve = (reply: Reply, request: ChatRequest.ChatRequest): Effect.Effect<Answer, AiGatewayError> => {
  if (typeof reply === "string") return Effect.succeed(answer(reply))
  if (typeof reply === "function") return Effect.suspend(() => resolve(reply(request), request))
  return isAiGatewayError(reply) ? Effect.fail(reply) : Effect.succeed(reply)
}

const toResponse = (reply: Answer): Effect.Effect<ChatResponse, AiGatewayError> => {
  const given =
    reply.broken === undefined
      ? Effect.sync(() => ChatEventModule.fold([...pieces(reply).flat(), ...ending(reply)]))
      : Effect.fail(reply.broken)
  return reply.delay === undefined ? given : Effect.delay(given, reply.delay)
}

const toStream = (reply: Answer): Stream.Stream<ChatEvent, AiGatewayError> => {
  const { delay, broken } = reply
  const whole = pieces(reply)
  if (broken !== undefined && !whole.flat().some(ChatEventModule.isContent)) {
    // Before its first content a stream fails as a whole answer does, and delivers nothing.
    const failed = Effect.fail(broken)
    return Stream.fromEffect(delay === undefined ? failed : Effect.delay(failed, delay))
  }
  const delivered = new Delivered()
  const chunks: Stream.Stream<ReadonlyArray<ChatEvent>, AiGatewayError> = Stream.fromIterable(whole)
  const paced =
    delay === undefined
      ? chunks
      : Stream.mapEffect(chunks, (events) => Effect.delay(Effect.succeed(events), delay))
  const end: Stream.Stream<ReadonlyArray<ChatEvent>, AiGatewayError> = Stream.suspend(() =>
    broken === undefined ? Stream.make(ending(reply)) : Stream.fail(delivered.broken(broken))
  )
  return Stream.concat(paced, end).pipe(
    Stream.map((events) => {
      delivered.add(events)
      return Chunk.fromIterable(events)
    }),
    Stream.flattenChunks
  )
}

/** The events of an answer, in the groups in which they arrive. */
const pieces = (reply: Answer): ReadonlyArray<ReadonlyArray<ChatEvent>> => {
  const groups: Array<ReadonlyArray<ChatEvent>> = [
    [{ _tag: "Start", provider: "test", model: "test-model", gateway: {}, attempts: [] }]
  ]
  if (reply.reasoning !== undefined) groups.push([{ _tag: "ReasoningDelta", text: reply.reasoning }])
  for (const text of reply.chunks) groups.push([{ _tag: "TextDelta", text }])
  for (const [index, call] of (reply.toolCalls ?? []).entries()) {
    const args = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? {})
    groups.push([
      { _tag: "ToolCallDelta", index, name: call.name, arguments: args },
      { _tag: "ToolCall", index, id: call.id ?? `call_${index}`, name: call.name, arguments: args }
    ])
  }
  return groups
}

const ending = ({ usage = {}, finishReason, toolCalls }: Answer): ReadonlyArray<ChatEvent> => [
  ...(Object.keys(usage).length === 0 ? [] : [{ _tag: "Usage" as const, usage }]),
  { _tag: "Finish", finishReason: finishReason ?? (toolCalls === undefined ? "stop" : "tool-calls"), usage }
]
