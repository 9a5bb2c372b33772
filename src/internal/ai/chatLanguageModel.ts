/** A `ChatModel` of ours as a `LanguageModel` of `@effect/ai`. */
import type * as AiError from "@effect/ai/AiError"
import { IdGenerator } from "@effect/ai/IdGenerator"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Response from "@effect/ai/Response"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ChatEvent } from "../../ChatEvent.js"
import type * as ChatModel from "../../ChatModel.js"
import type * as ChatRequest from "../../ChatRequest.js"
import type { AiGatewayError } from "../errors.js"
import { type Place, toAiError } from "./aiError.js"
import * as Annotate from "./annotate.js"
import { type Asked, toParts } from "./answerParts.js"
import * as CallIdentity from "./callIdentity.js"
import { toInput } from "./chatInput.js"
import * as StreamParts from "./streamParts.js"

const place = (method: string): Place => ({ module: "GatewayLanguageModel", method })

/** The model is asked in the fiber of each call, so that what is set for a region reaches it. */
export const make = (model: ChatModel.Service): Effect.Effect<LanguageModel.Service> =>
  LanguageModel.make({
    generateText: (options) =>
      Effect.gen(function* () {
        Annotate.asked(options.span, model.metadata)
        const answer = yield* Effect.flatMap(inputOf(options), model.chat)
        const parts = yield* toParts(answer, yield* asked(options))
        const last = parts.at(-1)
        if (last?.type === "finish") Annotate.finished(options.span, last)
        return parts
      }).pipe(
        Effect.mapError((error) =>
          toAiError(error, place(options.responseFormat.type === "json" ? "generateObject" : "generateText"))
        )
      ),
    streamText: (options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          Annotate.asked(options.span, model.metadata)
          const input = yield* inputOf(options)
          const parts = StreamParts.make(yield* asked(options))
          const finished = (finish: Response.FinishPartEncoded) => Annotate.finished(options.span, finish)
          return toPartStream(model.streamChat(input), parts, finished)
        }).pipe(Effect.mapError((error) => toAiError(error, place("streamText"))))
      )
  })

const inputOf = (
  options: LanguageModel.ProviderOptions
): Effect.Effect<ChatRequest.Options, AiGatewayError> =>
  Effect.flatMap(Effect.context<never>(), (context) => toInput(options, context))

const asked = (options: LanguageModel.ProviderOptions): Effect.Effect<Asked, never, IdGenerator> =>
  Effect.gen(function* () {
    const ids = yield* IdGenerator
    return {
      format: options.responseFormat.type,
      calls: CallIdentity.make(options.prompt),
      answerId: yield* ids.generateId(),
      timestamp: DateTime.formatIso(yield* DateTime.now)
    }
  })

/** One chunk for each that comes; a channel of its own, so that what came before a wrong call is delivered before the error. */
const toPartStream = (
  events: Stream.Stream<ChatEvent, AiGatewayError>,
  parts: StreamParts.StreamParts,
  finished: (finish: Response.FinishPartEncoded) => void
): Stream.Stream<Response.StreamPartEncoded, AiError.AiError> => {
  const loop: PartChannel = Channel.readWith({
    onInput: (chunk: Chunk.Chunk<ChatEvent>) => {
      const written = parts.add(chunk)
      if (written.finish !== undefined) finished(written.finish)
      const { wrong } = written
      return Channel.zipRight(
        write(written.parts),
        wrong === undefined ? loop : Channel.fail(toAiError(wrong, place("streamText")))
      )
    },
    onFailure: (error: AiGatewayError) => Channel.fail(toAiError(error, place("streamText"))),
    onDone: () => Channel.suspend(() => write(parts.end()))
  })
  return Stream.fromChannel(Channel.pipeTo(Stream.toChannel(events), loop))
}

type PartChannel = Channel.Channel<
  Chunk.Chunk<Response.StreamPartEncoded>,
  Chunk.Chunk<ChatEvent>,
  AiError.AiError,
  AiGatewayError,
  unknown,
  unknown
>

const write = (parts: ReadonlyArray<Response.StreamPartEncoded>): PartChannel =>
  parts.length === 0 ? Channel.void : Channel.write(Chunk.unsafeFromArray(parts))
