/** A list of chat models as one model: walks along it, and gives the first answer that is wanted. */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ChatEvent from "../ChatEvent.js"
import * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import * as Call from "./call.js"
import { provide, type Report } from "./callContext.js"
import { type Attempt, ContentBlocked, type LegError, MalformedResponse } from "./errors.js"
import * as Model from "./model.js"
import { moved, type WalkOptions, walk } from "./walk.js"

/**
 * When a list moves on.
 *
 * @since 0.1.0
 * @category models
 */
export interface FallbackOptions extends WalkOptions {
  /**
   * Looks at an answer before it is given: if this is false, the next leg is tried (for instance after a content
   * filter). A stream can be judged only if it ends before its first content: what was delivered cannot be taken back.
   */
  readonly accept?: ((response: ChatResponse) => boolean) | undefined
}

export type Models<R> = readonly [Model.With<R>, ...ReadonlyArray<Model.With<R>>]

export const make = <R>(models: Models<R>, options: FallbackOptions): Model.With<R> => {
  const metadata = Model.listMetadata(
    models[0].metadata,
    models.flatMap((model) => legsOf(model.metadata))
  )
  return Model.make({
    metadata,
    chat: (input, outer) =>
      Call.chat(metadata, outer, (call) =>
        Effect.map(
          Effect.flatMap(ChatRequest.fromInput(input), (request) =>
            walk(models, options, call, (model, inside) =>
              Effect.filterOrElse(
                Model.chatOf(model)(request, inside),
                (response) => accepted(response, options),
                (response) => notAccepted(response, inside.report)
              )
            )
          ),
          ({ answer, attempts, leg }) =>
            attempts.length === 0
              ? answer
              : { ...answer, attempts: [...attempts, ...moved(answer.attempts, leg)] }
        )
      ),
    open: (input) =>
      Call.open(metadata, (call) =>
        Effect.flatMap(Effect.scope, (scope) =>
          Effect.map(
            Effect.flatMap(ChatRequest.fromInput(input), (request) =>
              walk(models, options, call, (model, inside) => {
                const opened = Effect.filterOrElse(
                  Model.openOf(model)(request),
                  ({ head }) => head.at(-1)?._tag !== "Finish" || accepted(ChatEvent.fold(head), options),
                  ({ head }) => notAccepted(ChatEvent.fold(head), inside.report)
                )
                return provide(inScopeOf(scope, opened), inside)
              })
            ),
            ({ answer, attempts, leg }) => ({ ...answer, head: withAttempts(answer.head, attempts, leg) })
          )
        )
      )
  })
}

const legsOf = (metadata: Model.Metadata): ReadonlyArray<Model.Metadata> => metadata.legs ?? [metadata]

const withAttempts = (
  head: ReadonlyArray<ChatEvent.ChatEvent>,
  attempts: ReadonlyArray<Attempt>,
  leg: number
): ReadonlyArray<ChatEvent.ChatEvent> =>
  attempts.length === 0
    ? head
    : head.map((event) =>
        event._tag === "Start" ? { ...event, attempts: [...attempts, ...moved(event.attempts, leg)] } : event
      )

/** A leg's stream has a scope of its own, which is closed before the next leg is opened. */
const inScopeOf = <A, E, R>(
  parent: Scope.Scope,
  effect: Effect.Effect<A, E, R | Scope.Scope>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.fork(parent, ExecutionStrategy.sequential), (scope) =>
      Effect.onExit(restore(Scope.extend(effect, scope)), (exit) =>
        Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)
      )
    )
  )

// --- answers that are not wanted ----------------------------------------------------------------------------------------

const accepted = (response: ChatResponse, { accept }: FallbackOptions): boolean => accept?.(response) ?? true

const notAccepted = (
  { provider, model, gateway, text, finishReason, attempts }: ChatResponse,
  report: Report
): Effect.Effect<never, LegError> => {
  report.attempts = attempts
  const context = { provider, model, gateway, logId: gateway.logId }
  return Effect.fail(
    finishReason === "content-filter"
      ? new ContentBlocked({
          ...context,
          source: "provider",
          stage: "response",
          by: "provider",
          message: `${provider} filtered its answer, and the list's accept rule refused what was left.`
        })
      : new MalformedResponse({
          ...context,
          message: `The answer of ${provider} was refused by the list's accept rule.`,
          excerpt: text.slice(0, 500)
        })
  )
}
