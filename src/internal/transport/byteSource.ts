/**
 * The bytes of a response body, one network read at a time.
 *
 * A body is read through callbacks and not through `HttpClientResponse.stream`, because that costs a fiber's worth of
 * work per read, and because a pending callback is the one place where a clock can end a wait without a second fiber.
 * The bodies of `fetch` and of undici are read directly; any other client's is read through its `stream`.
 */
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { joinBytes } from "../joinBytes.js"

export interface ByteSource {
  /** Asks for more. Exactly one method of the sink is called, possibly before `pull` returns. Not to be called again before that. */
  readonly pull: (sink: Sink) => void
  /** Lets go of the body. Idempotent, never throws; a pending `pull` may stay unanswered. */
  readonly cancel: () => void
  /** Are the bytes that are given now known already? Their events are read, for what later ones belong to, but not told. */
  readonly muted?: boolean
}

export interface Sink {
  readonly bytes: (bytes: Uint8Array) => void
  readonly end: () => void
  /** The body broke off; what the platform said about it, an error of ours, or a `CutShort`. */
  readonly broken: (reason: unknown) => void
}

/** The body will never be whole, and what has come of it is to count as the answer. */
export class CutShort {
  constructor(
    /** In a word: what a `Finish` says. */
    readonly why: string,
    /** What a reader says that needs the whole. */
    readonly error: Error
  ) {}
}

const noop = (): void => {}

/** A body that has no bytes. */
export const empty: ByteSource = { pull: (sink) => sink.end(), cancel: noop }

/** Bytes that are there, and then what `rest` has. */
export const fromBytes = (parts: ReadonlyArray<Uint8Array>, rest: ByteSource = empty): ByteSource => {
  let next = 0
  return {
    pull(sink) {
      const part = parts[next]
      if (part === undefined) return rest.pull(sink)
      next++
      sink.bytes(part)
    },
    cancel: () => rest.cancel()
  }
}

/** The body of a `fetch` response. */
export const fromWeb = (body: ReadableStream<Uint8Array> | null): ByteSource => {
  if (body === null) return empty
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  return {
    pull(sink) {
      try {
        reader ??= body.getReader()
      } catch (reason) {
        return sink.broken(reason)
      }
      reader.read().then(
        ({ done, value }) => (done ? sink.end() : sink.bytes(value)),
        (reason) => sink.broken(reason)
      )
    },
    cancel() {
      // Cancelling a locked or broken body rejects; there is nobody left to tell.
      if (reader !== undefined) reader.cancel().catch(noop)
      else if (!body.locked) body.cancel().catch(noop)
    }
  }
}

/** As much of Node's `Readable` as is needed, so that no Node module is imported. */
interface NodeReadable {
  readonly destroyed?: boolean
  readonly errored?: unknown
  readonly readableEnded?: boolean
  readonly read: () => Uint8Array | null
  readonly on: (
    event: "readable" | "end" | "error" | "close",
    listener: (reason?: unknown) => void
  ) => unknown
  readonly destroy: () => unknown
}

const closed = (): Error => new Error("the connection was closed")

/** The body of an undici response. */
export const fromNode = (body: NodeReadable): ByteSource => {
  let waiting: Sink | undefined
  let outcome: ((sink: Sink) => void) | undefined
  let listening = false
  const settle = (how: (sink: Sink) => void): void => {
    outcome ??= how
    const sink = waiting
    waiting = undefined
    if (sink !== undefined) outcome(sink)
  }
  const serve = (): void => {
    const sink = waiting
    if (sink === undefined) return
    const bytes = body.read()
    if (bytes === null) return
    waiting = undefined
    sink.bytes(bytes)
  }
  return {
    pull(sink) {
      waiting = sink
      if (!listening) {
        listening = true
        body.on("readable", serve)
        body.on("end", () => settle((sink) => sink.end()))
        body.on("error", (reason) => settle((sink) => sink.broken(reason)))
        body.on("close", () => settle((sink) => sink.broken(closed())))
        // What happened before anybody listened is not told again.
        if (body.readableEnded === true) outcome ??= (sink) => sink.end()
        else if (body.destroyed === true) outcome ??= (sink) => sink.broken(body.errored ?? closed())
      }
      serve()
      if (waiting !== undefined && outcome !== undefined) settle(outcome)
    },
    cancel() {
      waiting = undefined
      body.destroy()
    }
  }
}

// A sink is no effect, so the stream is pulled in fibers of its own, on the caller's runtime. They begin at a later
// turn: a stream that has everything at hand would otherwise answer each pull inside the one before it.
const readStream = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  scope: Scope.CloseableScope,
  runtime: Runtime.Runtime<never>
): ByteSource => {
  const runFork = <A, E>(effect: Effect.Effect<A, E>) =>
    Runtime.runFork(runtime)(Effect.interruptible(effect), { immediate: false })
  let pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>> | undefined
  let pulling: Fiber.RuntimeFiber<unknown, unknown> | undefined
  let cancelled = false
  return {
    pull(sink) {
      if (cancelled) return sink.broken(closed())
      const fiber = runFork(
        pull ??
          Effect.flatten(Effect.map(Scope.extend(Stream.toPull(stream), scope), (made) => (pull = made)))
      )
      pulling = fiber
      fiber.addObserver((exit) => {
        pulling = undefined
        if (cancelled) return
        if (Exit.isSuccess(exit)) return sink.bytes(joinBytes(Chunk.toReadonlyArray(exit.value)))
        // At its end, good or bad, the stream lets go of what it holds; nobody needs to cancel it any more.
        runFork(Scope.close(scope, Exit.void))
        const failure = Cause.failureOption(exit.cause)
        if (Option.isSome(failure) && Option.isNone(failure.value)) return sink.end()
        sink.broken(Option.isSome(failure) ? Option.getOrUndefined(failure.value) : Cause.squash(exit.cause))
      })
    },
    cancel: () => {
      if (cancelled) return
      cancelled = true
      const close = Scope.close(scope, Exit.void)
      runFork(pulling === undefined ? close : Effect.zipRight(Fiber.interrupt(pulling), close))
    }
  }
}

/** Any other body, through its `stream`. */
export const fromStream = <E>(stream: Stream.Stream<Uint8Array, E>): Effect.Effect<ByteSource> =>
  Effect.zipWith(Scope.make(), Effect.runtime<never>(), (scope, runtime) =>
    readStream(stream, scope, runtime)
  )

/**
 * The body of a response of `@effect/platform`. Its `source` is what `FetchHttpClient` and `NodeHttpClient` keep the
 * platform's own response in; it is not part of their types, so it is looked at and never assumed.
 */
export const fromResponse = (response: HttpClientResponse): Effect.Effect<ByteSource> => {
  const source: unknown = Predicate.hasProperty(response, "source") ? response.source : undefined
  if (Predicate.hasProperty(source, "body")) {
    const body = source.body
    if (body === null || isWebStream(body)) return Effect.succeed(fromWeb(body))
    if (isNodeReadable(body)) return Effect.succeed(fromNode(body))
  }
  return fromStream(response.stream)
}

/** The body of a `fetch` response, unless it has none. */
export const isWebStream = (u: unknown): u is ReadableStream<Uint8Array> =>
  typeof ReadableStream !== "undefined" && u instanceof ReadableStream

const isNodeReadable = (u: unknown): u is NodeReadable =>
  Predicate.hasProperty(u, "read") &&
  typeof u.read === "function" &&
  Predicate.hasProperty(u, "on") &&
  typeof u.on === "function" &&
  Predicate.hasProperty(u, "destroy") &&
  typeof u.destroy === "function"
