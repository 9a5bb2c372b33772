/** One request for an answer: sent, watched by clocks, and read in the words of whoever answered it. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { ChatRequest } from "../ChatRequest.js"
import * as ChatResponse from "../ChatResponse.js"
import * as CheckedOutput from "./checkedOutput.js"
import * as Clocks from "./clocks.js"
import { Delivered } from "./delivered.js"
import type { Attempt, LegError } from "./errors.js"
import { EventReader } from "./eventReader.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { Response } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import * as Metrics from "./metrics.js"
import type * as Model from "./model.js"
import { arriving } from "./sender.js"
import * as Spans from "./spans.js"
import { fromStream } from "./transport/byteSource.js"
import * as WholeAnswer from "./wholeAnswer.js"
import type { Reader } from "./wire/wire.js"

export interface Question {
  /** The request, or the first of those that are sent together: the one that `arrivals` knows. */
  readonly request: ProviderRequest
  readonly sent: Effect.Effect<GatewayResponse, LegError>
  /** Who answered; or what is wrong with a response that does not tell. */
  readonly answerer: (response: GatewayResponse) => Answerer | LegError
  readonly output: ChatRequest["output"]
  /** Whom the metrics name: who was asked, as far as it is known by then. */
  readonly asked: () => Metrics.Asked
}

/** Who answered, and how the answer is read. */
export interface Answerer {
  readonly asked: { readonly provider: string; readonly model: string }
  readonly reader: Reader
  /** The legs that were left before it. */
  readonly attempts: ReadonlyArray<Attempt>
}

export const noAttempts: ReadonlyArray<Attempt> = []

/** An answer that must be asked for again until it is there. Closing it gives the job up. */
export interface Job extends GatewayResponse {
  /** Asks for news under the clocks of a stream. */
  readonly reader: (clocks: Clocks.Clocks | undefined) => JobReader
}

export type JobReader = Pick<EventReader, "next" | "untilContent" | "ended">

const isJob = (response: GatewayResponse): response is Job => "reader" in response

type Span = Parameters<typeof Spans.answered>[0]

// --- a whole answer -----------------------------------------------------------------------------------------------------

export const whole = (
  question: Question,
  progress: Clocks.Progress,
  span: Span
): Effect.Effect<ChatResponse.ChatResponse, LegError> =>
  Metrics.recorded("chat", question.asked, (recording) => receive(question, progress, span, recording))

const receive = (
  { request, sent, answerer, output }: Question,
  progress: Clocks.Progress,
  span: Span,
  recording: Metrics.Recording
): Effect.Effect<ChatResponse.ChatResponse, LegError> =>
  Effect.uninterruptibleMask((restore) => {
    progress.during = "connect"
    return Effect.flatMap(arriving(restore, request, sent), (response) => {
      progress.during = "response"
      const found = answerer(response)
      if ("_tag" in found) return Effect.zipRight(response.close, Effect.fail(found))
      return Effect.flatMap(
        Effect.onError(restore(response.text), () => response.close),
        (text) => {
          const answered = Either.map(decode(text, response, found), (answer) => {
            Spans.answered(span, answer)
            recording.answered(answer)
            return answer
          })
          return output?.check === undefined
            ? answered
            : Effect.tap(answered, (answer) => CheckedOutput.judge(answer, output))
        }
      )
    })
  })

const decode = (
  text: string,
  response: GatewayResponse,
  { asked, reader, attempts }: Answerer
): Either.Either<ChatResponse.ChatResponse, LegError> => {
  const json = parseJson(text)
  if (json === undefined) return Either.left(WholeAnswer.malformed("expected JSON", text, response, asked))
  return Either.map(WholeAnswer.decode(reader, json, response, asked), (decoded) =>
    ChatResponse.make(decoded, { ...asked, gateway: response.gateway, attempts, raw: json })
  )
}

// --- a stream -----------------------------------------------------------------------------------------------------------

export const open = (
  question: Omit<Question, "output">,
  progress: Clocks.Progress,
  limits: Clocks.Limits,
  span: Span
): Effect.Effect<Model.Opened, LegError, Scope.Scope> =>
  Metrics.recorded(
    "chat",
    question.asked,
    (recording) => commit(question, progress, limits, span, recording),
    true
  )

const commit = (
  { request, sent, answerer }: Omit<Question, "output">,
  progress: Clocks.Progress,
  limits: Clocks.Limits,
  span: Span,
  recording: Metrics.Recording
): Effect.Effect<Model.Opened, LegError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      progress.during = "connect"
      const watched = Clocks.hasLimit(limits) ? yield* Clocks.start(limits, progress) : undefined
      const stop = watched === undefined ? Effect.void : Clocks.stop(watched)
      const response = yield* Effect.onError(
        arriving(
          restore,
          request,
          watched === undefined
            ? sent
            : Clocks.guard(watched.clocks, sent, { lost: (response) => response.close })
        ),
        () => stop
      )
      progress.during = "stream"
      const found = answerer(response)
      if ("_tag" in found) {
        yield* Effect.zipRight(response.close, stop)
        return yield* Effect.fail(found)
      }
      const { asked, attempts } = found
      const reader = isJob(response)
        ? response.reader(watched?.clocks)
        : new EventReader(
            response,
            response instanceof Response ? response.body : yield* fromStream(response.stream),
            found.reader,
            asked,
            watched?.clocks
          )
      const close = Effect.suspend(() => (reader.ended ? stop : Effect.zipRight(response.close, stop)))
      const first = yield* Effect.onError(restore(reader.untilContent), () => close)
      watched?.clocks.committed()
      const seconds = recording.firstChunk()
      if (span !== undefined) Spans.firstChunk(span, seconds)
      yield* Effect.addFinalizer((exit) => {
        // A stream that is left early has no error, unless its fiber was interrupted.
        recording.end(exit._tag === "Failure" && Cause.isInterrupted(exit.cause) ? "Interrupted" : undefined)
        return close
      })
      const head: Model.Opened["head"] = [
        { _tag: "Start", ...asked, gateway: response.gateway, attempts },
        ...first
      ]
      return committed(head, reader, response, span, recording)
    })
  )

/** After the first content every failure says what was delivered. */
const committed = (
  head: Model.Opened["head"],
  reader: JobReader,
  { gateway }: GatewayResponse,
  span: Span,
  recording: Metrics.Recording
): Model.Opened => {
  const delivered = new Delivered()
  const told = (events: Model.Opened["head"]) => {
    delivered.add(events)
    const last = events.at(-1)
    if (last?._tag !== "Finish") return
    Spans.answered(span, { ...last, model: last.model, gateway })
    recording.answered({ usage: last.usage, gateway })
    recording.end()
  }
  told(head)
  return {
    head,
    next: Effect.matchEffect(reader.next, {
      onFailure: (error) => {
        const broken = delivered.broken(error)
        if (span !== undefined) Spans.failed(span, broken)
        recording.end(broken._tag)
        return Effect.fail(broken)
      },
      onSuccess: (events) => {
        if (events !== undefined) told(events)
        return Effect.succeed(events)
      }
    })
  }
}
