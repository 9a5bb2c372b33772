/** What happens to a reply on its way, part of the public module `LocalGateway`. */
import { dual } from "effect/Function"
import type { Modifiers, Reply, Stage } from "./reply.js"
import type { RunConnection } from "./runConnections.js"
import type { Time } from "./time.js"

const modify = (self: Reply, modifiers: Modifiers): Reply => ({
  ...self,
  modifiers: { ...self.modifiers, ...modifiers }
})

/**
 * The error that `errorEvent` sends.
 *
 * @since 0.1.0
 * @category models
 */
export interface ErrorEventOptions {
  /** Default 529 for Anthropic, else 503. */
  readonly status?: number | undefined
  readonly message?: string | undefined
  /** Default `"event"`. */
  readonly form?: "event" | "tail" | undefined
}

/**
 * The rhythm of `keepAlives`.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeepAliveOptions {
  /** The pause before each. Default none. */
  readonly every?: Time | undefined
}

/**
 * Waits before anything is answered, status and headers included.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const delayed: {
  (duration: Time): (self: Reply) => Reply
  (self: Reply, duration: Time): Reply
} = dual(2, (self: Reply, duration: Time): Reply => modify(self, { delay: duration }))

/**
 * The connection breaks after so many events of the stream (comments do not count); 0 is right after the
 * headers. An answer that is not streamed breaks in its middle.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const dropAfter: {
  (events: number): (self: Reply) => Reply
  (self: Reply, events: number): Reply
} = dual(2, (self: Reply, events: number): Reply => modify(self, { dropAfter: events }))

/**
 * The stream goes silent after so many events, and stays open until the client goes away. An answer that is
 * not streamed goes silent in its middle.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const stallAfter: {
  (events: number): (self: Reply) => Reply
  (self: Reply, events: number): Reply
} = dual(2, (self: Reply, events: number): Reply => modify(self, { stallAfter: events }))

/**
 * The provider reports an error inside the 200 that it began: after so many events (at the end, if there are
 * fewer), in its own form, and then the stream ends. `status` (default 529 for Anthropic's `overloaded_error`, else 503) picks the error;
 * `form: "tail"` sends it as bare JSON without `data:`, as Google does at times. An answer that is not
 * streamed becomes that error body with status 200.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const errorEvent = (self: Reply, afterEvents: number, options: ErrorEventOptions = {}): Reply =>
  modify(self, {
    errorEvent: {
      afterEvents,
      status: options.status,
      message: options.message,
      form: options.form ?? "event"
    }
  })

/**
 * The provider's own keep-alives before the first event: SSE comments, or `ping` events. `every` is the pause
 * before each; default none.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const keepAlives = (self: Reply, count: number, options: KeepAliveOptions = {}): Reply =>
  modify(self, { keepAlives: { count, every: options.every } })

/**
 * Cuts the streamed bytes into network chunks of this size, wherever that falls: inside an event, inside a
 * character. Without it every event is a chunk.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const rechunk: {
  (bytes: number): (self: Reply) => Reply
  (self: Reply, bytes: number): Reply
} = dual(2, (self: Reply, bytes: number): Reply => modify(self, { chunkBytes: Math.max(1, bytes) }))

/**
 * Answers a request for a stream with one JSON body, as the gateway does when guardrails are on.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const unstreamed = (self: Reply): Reply => modify(self, { unstreamed: true })

/**
 * Lets the reply pass, with a data loss prevention match in the header `cf-aig-dlp` (action `FLAG`). A stream whose response
 * is scanned comes at once, when all of it is there.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const dlpFlagged: {
  (stage: Stage): (self: Reply) => Reply
  (self: Reply, stage: Stage): Reply
} = dual(2, (self: Reply, stage: Stage): Reply => modify(self, { dlpFlag: stage }))

/**
 * Answers with this content type in place of its own, as in `application/json; charset=utf-8`: which one the live service
 * sends differs by transport and provider, and `env.AI.run` makes a stream of everything that is not exactly
 * `application/json`.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const contentType: {
  (type: string): (self: Reply) => Reply
  (self: Reply, type: string): Reply
} = dual(2, (self: Reply, type: string): Reply => modify(self, { contentType: type }))

/**
 * Ends the lines of a stream of events with CR LF, which is as right as LF. Other answers, and `raw` ones, stay as they
 * are.
 *
 * @since 0.1.0
 * @category modifiers
 */
export const crlf = (self: Reply): Reply => modify(self, { crlf: true })

/**
 * How the connections to the run that this reply makes fare, in order: first the stream of `env.AI.run`, then each
 * request that resumes it. Connections beyond the list are `whole`. Beats the option `runs.connections`. Only streams
 * that carry a `cf-aig-run-id` are runs; nothing happens to other replies.
 *
 * @example
 * ```ts
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * // Breaks in the middle of the fourth event; then resuming fails once, and then it works.
 * const reply = LocalGateway.connections(LocalGateway.text("one two three four"), [
 *   LocalGateway.cutAfter(3, { bytes: 10 }),
 *   LocalGateway.refusesWith(503)
 * ])
 * ```
 *
 * @since 0.1.0
 * @category modifiers
 */
export const connections: {
  (connections: ReadonlyArray<RunConnection>): (self: Reply) => Reply
  (self: Reply, connections: ReadonlyArray<RunConnection>): Reply
} = dual(2, (self: Reply, connections: ReadonlyArray<RunConnection>): Reply => modify(self, { connections }))
