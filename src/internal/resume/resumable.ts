/**
 * A response of the run path whose body survives drops: it gives whole events only, and where it broke off it is asked for
 * again from the first event that was not given. Source: `protocol/gateway.md` §5.10.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { describe } from "../classify.js"
import { type LegError, MalformedResponse, ResumeFailed } from "../errors.js"
import { type ByteSource, CutShort, type Sink } from "../transport/byteSource.js"
import type { Arrival, IncomingResponse } from "../transport/transport.js"
import { unchecked } from "../unchecked.js"
import { EventBlocks } from "./eventBlocks.js"
import { messageOf } from "./givingUp.js"
import { looksLikeEvents } from "./looksLikeEvents.js"
import { defaultSchedule, type ResumeOptions } from "./policy.js"
import * as Reconnect from "./reconnect.js"
import * as Teller from "./teller.js"
import { Terminal } from "./terminal.js"

export interface Options {
  /** The response whose body is read first. */
  readonly first: IncomingResponse
  readonly runId: string
  /** Events that were read before `first` begins: 0, or those of another invocation. */
  readonly from: number
  /**
   * Asks for the rest, from an event. Fails only if no response came. It may be interrupted: a transport that is given the
   * `arrival` loses no response that comes in that very moment.
   */
  readonly reconnect: (from: number, arrival: Arrival) => Effect.Effect<IncomingResponse, LegError>
  readonly resume: ResumeOptions
  /** Who was asked, for errors. */
  readonly asked: { readonly provider: string; readonly model: string | undefined }
}

/** The same status and headers, with a body that survives drops. Closing it lets go of whatever is open then. */
export const resumable = (options: Options): Effect.Effect<IncomingResponse> =>
  Effect.map(Effect.runtime<never>(), (runtime) => {
    const body = new Body(options, runtime)
    return { status: options.first.status, headers: options.first.headers, body, close: body.close }
  })

/** What the response that is being read has answered to a pull. */
type Heard = Uint8Array | { readonly _tag: "End" } | { readonly _tag: "Broken"; readonly reason: unknown }

const ended: Heard = { _tag: "End" }
const atEnd = (sink: Sink): void => sink.end()

class Body implements ByteSource {
  private readonly blocks: EventBlocks
  private readonly terminal = new Terminal()
  private readonly tell: Teller.Tell
  private current: IncomingResponse | undefined
  /** Was `current` asked for from a certain event? Then it is the end if it has nothing to say. */
  private isRest: boolean
  /** Has `current` said anything? */
  private hasSpoken = false
  /** Are these server-sent events? A whole JSON body comes unchanged, and cannot be taken up again. */
  private isEvents: boolean | undefined

  /** Who waits for bytes. */
  private sink: Sink | undefined
  /** Is `current` asked for bytes? */
  private asking = false
  /** What it said, until it is looked at. */
  private heard: Heard | undefined
  /** Is `turn` at work? A body may answer a pull before that returns, any number of times. */
  private turning = false
  /** How it all ended. */
  private outcome: ((sink: Sink) => void) | undefined
  private closed = false

  private reconnecting: Fiber.RuntimeFiber<void, ResumeFailed> | undefined
  private wait: Reconnect.Wait | undefined
  /** Since the last progress. */
  private reconnects = 0

  constructor(
    private readonly options: Options,
    private readonly runtime: Runtime.Runtime<never>
  ) {
    const { first, from, resume, runId } = options
    this.current = first
    this.isRest = from > 0
    this.isEvents = from > 0 ? true : undefined
    this.blocks = new EventBlocks(from)
    this.tell = Teller.make(resume.onProgress, runId, runtime)
  }

  pull(sink: Sink): void {
    this.sink = sink
    this.turn()
  }

  cancel = (): void => {
    if (!this.closed) this.fork(this.close)
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    if (this.closed) return Effect.void
    this.closed = true
    const { current, reconnecting } = this
    this.current = undefined
    this.sink = undefined
    const closed = current === undefined ? Effect.void : current.close
    return reconnecting === undefined ? closed : Effect.zipRight(Fiber.interrupt(reconnecting), closed)
  })

  private fork<E>(effect: Effect.Effect<void, E>): Fiber.RuntimeFiber<void, E> {
    return Runtime.runFork(this.runtime)(Effect.interruptible(effect))
  }

  // --- reading ----------------------------------------------------------------------------------------------------------

  private readonly inner: Sink = {
    bytes: (bytes) => this.hear(bytes),
    end: () => this.hear(ended),
    broken: (reason) => this.hear({ _tag: "Broken", reason })
  }

  private hear(heard: Heard): void {
    this.asking = false
    this.heard = heard
    this.turn()
  }

  /** Goes on until there is nothing to do but wait. A loop, because bodies and sinks may call back at once. */
  private turn(): void {
    if (this.turning) return
    this.turning = true
    while (this.step()) {}
    this.turning = false
  }

  private step(): boolean {
    const { heard, sink, outcome, current } = this
    if (this.closed) {
      this.sink = undefined
      sink?.broken(new Error("the stream was closed"))
      return false
    }
    if (heard !== undefined) {
      this.heard = undefined
      if (heard instanceof Uint8Array) this.bytes(heard)
      else if (heard._tag === "End") this.end()
      else this.broken(heard.reason)
      return true
    }
    if (sink === undefined) return false
    if (outcome !== undefined) {
      this.sink = undefined
      outcome(sink)
      return true
    }
    if (current === undefined || this.asking) return false
    this.asking = true
    current.body.pull(this.inner)
    return true
  }

  private give(bytes: Uint8Array): void {
    const sink = this.sink
    this.sink = undefined
    sink?.bytes(bytes)
  }

  private bytes(bytes: Uint8Array): void {
    if (bytes.length > 0) this.hasSpoken = true
    this.isEvents ??= looksLikeEvents(bytes)
    if (this.isEvents === false) return this.give(this.blocks.release(bytes))
    const before = this.blocks.count
    const whole = this.blocks.push(bytes)
    const { count, tooLong } = this.blocks
    if (count > before) {
      this.reconnects = 0
      this.wait = undefined
      this.terminal.read(whole)
    }
    if (tooLong) {
      this.drop()
      const error = this.tooLong()
      this.outcome = (sink) => sink.broken(error)
    }
    // A read without a whole event is told as one without bytes: clocks wait for reads.
    if (whole.length > 0 || !tooLong) this.give(whole)
    if (count > before) this.tell(count)
  }

  private end(): void {
    this.current = undefined
    const { blocks, terminal } = this
    const isComplete =
      this.isEvents === false ||
      (blocks.isHalf ? terminal.endsWith(blocks.held) : terminal.isOver || terminal.isFinished) ||
      // Nothing at all behind the event that was asked for.
      (this.isRest && !this.hasSpoken)
    if (!isComplete) {
      return this.resume(
        blocks.isHalf ? "the body ended in the middle of an event" : "the body ended before the answer did"
      )
    }
    this.outcome = atEnd
    const rest = blocks.release(none)
    if (rest.length > 0) this.give(rest)
  }

  private broken(reason: unknown): void {
    this.drop()
    if (this.isEvents === false) this.outcome = (sink) => sink.broken(reason)
    else if (this.terminal.isOver) this.outcome = atEnd
    else this.resume(describe(reason), reason)
  }

  /** Closes what is being read. */
  private drop(): void {
    const { current } = this
    this.current = undefined
    if (current !== undefined) this.fork(current.close)
  }

  // --- reconnecting -------------------------------------------------------------------------------------------------------

  private resume(said: string, reason: unknown = said): void {
    this.blocks.discard()
    const fiber = this.fork(this.again(Reconnect.setback(said, reason)))
    this.reconnecting = fiber
    fiber.addObserver((exit) => {
      this.reconnecting = undefined
      if (this.closed) return
      if (Exit.isFailure(exit)) this.outcome = this.givenUp(exit.cause)
      this.turn()
    })
  }

  private again(setback: Reconnect.Setback): Effect.Effect<void, ResumeFailed> {
    const { options, blocks } = this
    return Effect.flatMap(this.waited(setback), (mayGoOn) => {
      if (!mayGoOn) return Effect.fail(this.failed("exhausted", setback))
      this.reconnects++
      return Effect.flatMap(
        Effect.uninterruptibleMask((restore) =>
          Effect.tap(
            Reconnect.ask((arrival) => options.reconnect(blocks.count, arrival), options.asked, restore),
            (answer) => (answer._tag === "Open" ? this.opened(answer.response) : Effect.void)
          )
        ),
        (answer) => {
          switch (answer._tag) {
            case "Open":
              return Effect.void
            case "Again":
              return this.again(answer.setback)
            default:
              return Effect.fail(
                this.failed(answer._tag === "Expired" ? "expired" : "refused", answer.setback)
              )
          }
        }
      )
    })
  }

  private waited(setback: Reconnect.Setback): Effect.Effect<boolean> {
    if (this.wait !== undefined) return this.wait(setback)
    return Effect.flatMap(Reconnect.waits(this.options.resume.schedule ?? defaultSchedule()), (wait) => {
      this.wait = wait
      return wait(setback)
    })
  }

  private opened(response: IncomingResponse): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return response.close
      this.current = response
      this.isRest = true
      this.hasSpoken = false
      return Effect.void
    })
  }

  // --- giving up ----------------------------------------------------------------------------------------------------------

  private givenUp(cause: Cause.Cause<ResumeFailed>): (sink: Sink) => void {
    const { resume } = this.options
    const found = Cause.failureOption(cause)
    const error =
      found._tag === "Some"
        ? found.value
        : this.failed("refused", Reconnect.setback(describe(Cause.squash(cause)), undefined))
    const reason: unknown =
      error.reason === "expired" && resume.whenExpired === "accept" && this.blocks.count > 0
        ? new CutShort("expired", error)
        : error
    return (sink) => sink.broken(reason)
  }

  private failed(reason: ResumeFailed["reason"], { said, error }: Reconnect.Setback): ResumeFailed {
    const { asked, runId } = this.options
    const { reconnects } = this
    const from = this.blocks.count
    return new ResumeFailed(
      {
        ...asked,
        reason,
        runId,
        from,
        reconnects,
        source: error?.source,
        status: error?.status,
        code: error?.code,
        retryAfter: error?.retryAfter,
        message: messageOf(reason, { runId, from, reconnects, said })
      },
      unchecked
    )
  }

  private tooLong(): MalformedResponse {
    const { asked } = this.options
    return new MalformedResponse(
      {
        ...asked,
        message: `${asked.provider} answered with something that its protocol does not allow: an event that is too long`,
        excerpt: ""
      },
      unchecked
    )
  }
}

const none = new Uint8Array(0)
