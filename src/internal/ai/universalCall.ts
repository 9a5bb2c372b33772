/**
 * One call of a fallback model. The first entry that can write the prompt runs as if it were alone; its HTTP request becomes
 * the universal one, for which each other entry is run as far as its own request. Whoever the gateway says answered decodes
 * the answer: the entry that is running goes on, or it is ended, and the other is run and given the answer.
 */
import * as AiError from "@effect/ai/AiError"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { Service as Gateway } from "../../AiGateway.js"
import { type LegError, MalformedResponse } from "../errors.js"
import type { GatewayResponse, ProviderRequest } from "../exchange.js"
import { arrivals, arriving } from "../sender.js"
import { unchecked } from "../unchecked.js"
import { withoutStack } from "../withoutStack.js"
import { type Place, toAiError } from "./aiError.js"
import type { Run } from "./callMode.js"

export interface Options {
  readonly gateway: Gateway
  readonly owner: object
  readonly entries: number
  readonly place: Place
  /** Runs an entry to its end, which is its request. */
  readonly capture: (run: Run) => Effect.Effect<unknown, unknown>
  /** Does an entry make its requests in fibers of its own? */
  readonly forks: boolean
}

/** Ends an entry's run. A defect: a failure would be retried by a client that retries. */
class Stop extends Error {
  override readonly name: string = "AiGatewayFallback"
  constructor(
    readonly call: UniversalCall,
    readonly why: Either.Either<number, AiError.AiError>,
    message: string
  ) {
    super(message)
  }
}

export class UniversalCall {
  /** The requests that are known, by entry. */
  private readonly requests: Array<ProviderRequest | undefined>
  /** Entries that cannot write the prompt, and why the first of them cannot. */
  private readonly leftOut = new Set<number>()
  private firstCause: Cause.Cause<unknown> | undefined
  private asked = false
  private handedOver = 0
  /** The answer that a fiber other than the caller's reads. */
  private given: GatewayResponse | undefined
  private readonly ends: Array<Deferred.Deferred<never>> = []
  /** An answer that waits for the entry whose it is. */
  private waiting: { readonly entry: number; readonly response: GatewayResponse } | undefined

  constructor(private readonly options: Options) {
    this.requests = new Array(options.entries)
  }

  /** A run of an entry which gets as far as an answer. */
  run(entry: number): Run {
    const ended = this.endOf()
    let only: ProviderRequest | undefined
    return {
      owner: this.options.owner,
      entry,
      ended,
      send: (request) => {
        if (only !== undefined && !isSame(only, request)) return this.end(this.several(entry), ended)
        only = request
        const sent = this.send(entry, request, ended)
        return ended === undefined ? sent : Effect.raceFirst(sent, Deferred.await(ended))
      }
    }
  }

  /**
   * What follows the end of an entry's run: another entry, or the end of the call. It may be asked of any cause, such as one
   * from the middle of a stream.
   */
  after<E>(cause: Cause.Cause<E>, entry: number): Either.Either<number, Cause.Cause<E | AiError.AiError>> {
    for (const defect of Cause.defects(cause)) {
      if (defect instanceof Stop && defect.call === this) return Either.mapLeft(defect.why, Cause.fail)
    }
    if (this.asked || !isUnwritable(cause)) return Either.left(cause)
    this.firstCause ??= cause
    this.leftOut.add(entry)
    const next = this.order()[0]
    // It is the cause of an earlier run of the same operation.
    return next === undefined ? Either.left(this.firstCause as Cause.Cause<E>) : Either.right(next)
  }

  /** Lets go of an answer that nobody took, and of what other fibers still do. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const { waiting } = this
    this.waiting = undefined
    return waiting === undefined ? Effect.void : waiting.response.close
  })

  /** The same, of other fibers too, which an interruption does not reach. */
  readonly abandon: Effect.Effect<void> = Effect.suspend(() =>
    Effect.all(
      [this.close, this.given?.close ?? Effect.void, ...this.ends.map((end) => Deferred.interrupt(end))],
      { discard: true }
    )
  )

  /** What ends a run whose fibers are not its caller's. */
  private endOf(): Run["ended"] {
    if (!this.options.forks) return undefined
    const end = Deferred.unsafeMake<never>(FiberId.none)
    this.ends.push(end)
    return end
  }

  private order(): ReadonlyArray<number> {
    return Array.from({ length: this.options.entries }, (_, entry) => entry).filter(
      (entry) => !this.leftOut.has(entry)
    )
  }

  private send(
    entry: number,
    request: ProviderRequest,
    ended: Run["ended"]
  ): Effect.Effect<GatewayResponse, LegError> {
    return Effect.uninterruptibleMask((restore) => {
      this.asked = true
      this.requests[entry] = request
      const { waiting } = this
      if (waiting?.entry === entry) {
        this.waiting = undefined
        return this.take(request, waiting.response)
      }
      return Effect.flatMap(restore(this.captures(ended)), (requests) => {
        // A copy, to be waited for here: who waits for `request` itself gets only an answer that is its own.
        const first = { ...(requests[0] ?? request) }
        const sent = this.options.gateway.relayFirst([first, ...requests.slice(1)])
        return Effect.flatMap(arriving(restore, first, sent), (response) =>
          this.answered(entry, request, response, ended)
        )
      })
    })
  }

  /** The requests of all entries, in their order. */
  private captures(ended: Run["ended"]): Effect.Effect<ReadonlyArray<ProviderRequest>> {
    return Effect.suspend(() => {
      const missing = this.order().find((entry) => this.requests[entry] === undefined)
      return missing === undefined
        ? Effect.succeed(this.order().flatMap((entry) => this.requests[entry] ?? []))
        : Effect.zipRight(this.capture(missing, ended), this.captures(ended))
    })
  }

  private capture(entry: number, ended: Run["ended"]): Effect.Effect<void> {
    const { capture, owner } = this.options
    const captured = this.endOf()
    return Effect.flatMap(
      Effect.exit(
        capture({
          owner,
          entry,
          ended: captured,
          send: (request) => {
            this.requests[entry] ??= request
            return this.end(this.unsent(entry, undefined), captured)
          }
        })
      ),
      (exit) => {
        if (this.requests[entry] !== undefined) return Effect.void
        if (Exit.isFailure(exit)) {
          if (isUnwritable(exit.cause)) {
            this.leftOut.add(entry)
            return Effect.void
          }
          if (Cause.isInterruptedOnly(exit.cause)) return Effect.interrupt
        }
        return this.end(this.unsent(entry, exit), ended)
      }
    )
  }

  private answered(
    entry: number,
    request: ProviderRequest,
    response: GatewayResponse,
    ended: Run["ended"]
  ): Effect.Effect<GatewayResponse> {
    const winner = winnerOf(response, this.order())
    if (winner === undefined) {
      return Effect.zipRight(
        response.close,
        this.end(toAiError(nobody(response, this.order().length), this.options.place), ended)
      )
    }
    const failed = response.status < 200 || response.status > 299
    // Retries of entries that take turns in failing would never end: the last word is that of the one that asked.
    if (winner === entry || (failed && this.handedOver >= this.options.entries))
      return this.take(request, response)
    if (failed) this.handedOver++
    this.waiting = { entry: winner, response }
    return this.stop(Either.right(winner), `models[${winner}] answered, not models[${entry}].`, ended)
  }

  /** Hands an answer to whoever waits for the answer of `request`. */
  private take(request: ProviderRequest, response: GatewayResponse): Effect.Effect<GatewayResponse> {
    const arrival = arrivals.get(request)
    if (arrival !== undefined) arrival.close = response.close
    if (this.options.forks) this.given = response
    return Effect.succeed(response)
  }

  private end(error: AiError.AiError, ended: Run["ended"]): Effect.Effect<never> {
    return this.stop(Either.left(error), error.message, ended)
  }

  private stop(why: Stop["why"], message: string, ended: Run["ended"]): Effect.Effect<never> {
    const stop = withoutStack(() => new Stop(this, why, message))
    return ended === undefined
      ? Effect.die(stop)
      : Effect.zipRight(Deferred.die(ended, stop), Effect.die(stop))
  }

  private several(entry: number): AiError.AiError {
    return new AiError.UnknownError(
      {
        ...this.options.place,
        description: `models[${entry}] of the fallback made a second request within one call, which has no fallback: it was not sent. An embedding model that splits its inputs must be given fewer at once: maxBatchSize.`
      },
      unchecked
    )
  }

  private unsent(entry: number, exit: Exit.Exit<unknown, unknown> | undefined): AiError.AiError {
    const cause = exit !== undefined && Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    return new AiError.UnknownError(
      {
        ...this.options.place,
        description:
          exit === undefined
            ? `models[${entry}] of the fallback was only asked for its request.`
            : `models[${entry}] of the fallback made no request by the client that it was given: ${
                Exit.isSuccess(exit)
                  ? "it answered without one"
                  : cause instanceof Error
                    ? cause.message
                    : "it failed"
              }. Nothing was sent.`,
        cause
      },
      unchecked
    )
  }
}

/** A retry sends the same again; only what has a date (a signature) may be new. */
const isSame = (one: ProviderRequest, other: ProviderRequest): boolean =>
  one.provider === other.provider && one.endpoint === other.endpoint && isSameBody(one.body, other.body)

const isSameBody = (one: unknown, other: unknown): boolean =>
  one === other ||
  (one instanceof Uint8Array &&
    other instanceof Uint8Array &&
    one.length === other.length &&
    one.every((byte, at) => byte === other[at]))

/** Did an entry say, before it asked anybody, that its provider has no words for the prompt? */
const isUnwritable = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.failureOption(cause)
  return error._tag === "Some" && AiError.isAiError(error.value) && error.value._tag === "MalformedInput"
}

/**
 * Whose answer it is. A success without a step is the first entry's; a failure without one is taken for the last entry's, as
 * in `sender.ts`. Source: `protocol/gateway.md` §3.1, §4.4.
 */
const winnerOf = (response: GatewayResponse, order: ReadonlyArray<number>): number | undefined => {
  if (response.headers["cf-aig-step"] === undefined)
    return response.status >= 200 && response.status < 300 ? order[0] : order.at(-1)
  const { step } = response.gateway
  return step === undefined ? undefined : order[step]
}

const nobody = (response: GatewayResponse, sent: number): MalformedResponse => {
  const step = response.headers["cf-aig-step"] ?? ""
  return new MalformedResponse({
    message: `The gateway answered for entry ${JSON.stringify(step.slice(0, 40))} (cf-aig-step) of a universal request that has ${sent}, so nobody can tell how the answer is read.`,
    source: "gateway",
    gateway: response.gateway,
    logId: response.gateway.logId,
    excerpt: ""
  })
}
