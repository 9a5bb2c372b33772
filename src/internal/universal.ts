/**
 * Fallback on the server: all legs in one request, which the gateway walks from entry to entry until one of them answers.
 * Each leg encodes for itself, and the winner's own format reads the answer. Source: `protocol/gateway.md` §1.3, §2.3,
 * §3.1, §4.4, §5.3 to §5.5.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { AiGateway, type Service as Gateway } from "../AiGateway.js"
import * as ChatRequest from "../ChatRequest.js"
import * as RequestOptions from "../RequestOptions.js"
import * as Asking from "./asking.js"
import * as Call from "./call.js"
import type { CallContext } from "./callContext.js"
import type * as Clocks from "./clocks.js"
import {
  type AiGatewayError,
  type Attempt,
  allProvidersFailed,
  failsEverywhere,
  InvalidRequest,
  isRetryable,
  type LegError
} from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import * as Leg from "./leg.js"
import * as Metrics from "./metrics.js"
import * as Model from "./model.js"
import * as NativeRequest from "./nativeRequest.js"
import * as Retry from "./retry.js"
import * as Spans from "./spans.js"
import { defaultFirstEvent, defaultIdle, type TimeoutMillis } from "./timeouts.js"
import { walkedPast, wrongStep } from "./universalErrors.js"
import { ownOptions } from "./universalOptions.js"
import { leaving } from "./walk.js"

export type Legs<R> = readonly [Model.Leg<R>, ...ReadonlyArray<Model.Leg<R>>]

export const make = <R>(legs: Legs<R>): Model.With<R | AiGateway> => {
  const metadata = Model.listMetadata(
    legs[0].metadata,
    legs.map((leg) => leg.metadata)
  )
  const chat: Model.Chat<R | AiGateway> = (input, outer) =>
    Call.chat(metadata, outer, (call) =>
      Spans.withSpan({ ...spanOf(metadata), parent: call.parent }, (span) =>
        asked(legs, input, call, span, (walk) =>
          walk.answer(false, (question) => Asking.whole(question, call.progress, span))
        )
      )
    )
  const open: Model.Open<R | AiGateway> = (input) =>
    Call.open(metadata, (call) =>
      Spans.scoped(spanOf(metadata), (span) =>
        asked(legs, input, call, span, (walk) =>
          walk.answer(true, (question, limits) => Asking.open(question, call.progress, limits, span))
        )
      )
    )
  return Model.make(Call.bounded({ metadata, chat, open }, totalOf(legs)))
}

/** A list of these legs may take as long as all of them together, if each has a limit. */
const totalOf = <R>(legs: Legs<R>): number | undefined => {
  let sum = 0
  for (const leg of legs) {
    const { total } = clocksOf(leg)
    if (total === undefined) return undefined
    sum += total
  }
  return sum
}

const clocksOf = <R>(leg: Model.Leg<R>): Partial<TimeoutMillis> => {
  const { clocks } = Leg.innerOf(leg)
  return clocks instanceof InvalidRequest ? {} : clocks
}

/** Who will answer is not known when the span begins: then it is the first leg's, as the list's is. */
const spanOf = ({ provider, model }: Model.Metadata): Spans.SpanOptions => ({
  name: "chat universal",
  kind: "client",
  provider,
  model
})

type Entered = CallContext & { readonly progress: Clocks.Progress }
type Span = Parameters<typeof Spans.answered>[0]

/** Looks up what a call needs, unless the call has already given this gateway up. */
const asked = <A, R, R2>(
  legs: Legs<R>,
  input: ChatRequest.Input,
  call: Entered,
  span: Span,
  run: (walk: Walk<R>) => Effect.Effect<A, AiGatewayError, R2>
): Effect.Effect<A, AiGatewayError, R2 | AiGateway> =>
  Effect.flatMap(ChatRequest.fromInput(input), (request) =>
    Effect.flatMap(AiGateway, (gateway) =>
      Effect.flatMap(RequestOptions.CurrentOptions, (scope) =>
        Effect.clockWith((clock) => {
          const { progress } = call
          progress.provider = "universal"
          progress.model = undefined
          progress.transport = gateway.transport
          progress.gateway = gateway
          const gone = call.gone?.get(gateway)
          return gone === undefined
            ? run(new Walk(legs, request, gateway, scope, call, span, clock))
            : Effect.failCause(Cause.fail(gone))
        })
      )
    )
  )

/** A leg that is asked. */
interface Entry<R> {
  readonly leg: Model.Leg<R>
  /** Its place in the list. */
  readonly place: number
  /** As the leg wrote it: its reader is known by that. */
  readonly encoded: ProviderRequest
  /** As it is sent. */
  readonly request: ProviderRequest
}

/** What one request asks. */
interface Sending<R> {
  readonly entries: ReadonlyArray<Entry<R>>
  /** Why legs are not among the entries, by their places. */
  readonly leftOut: ReadonlyMap<number, LegError>
  /** What is wrong with the leg behind the last entry: a list would end with it, and so nobody after it is asked. */
  readonly end: InvalidRequest | undefined
}

type AskHow<A, R> = (question: Asking.Question, limits: Clocks.Limits) => Effect.Effect<A, LegError, R>

/** What one call knows of the gateway's walk. */
class Walk<R> {
  private sending: Sending<R> = { entries: [], leftOut: new Map(), end: undefined }
  /** The entry that answered with a success, if only at first sight. */
  private winner: Entry<R> | undefined
  /** Did the gateway name an entry that there is not? */
  private lost = false
  private readonly started: number
  private readonly outer: RequestOptions.RequestOptions

  constructor(
    private readonly legs: Legs<R>,
    private readonly request: ChatRequest.ChatRequest,
    private readonly gateway: Gateway,
    /** Options of the region. */
    private readonly scope: RequestOptions.RequestOptions,
    private readonly call: Entered,
    private readonly span: Span,
    private readonly clock: Clock.Clock
  ) {
    this.started = clock.unsafeCurrentTimeMillis()
    this.outer = RequestOptions.merge(gateway.defaults, scope)
  }

  /** The answer of whoever gives one. The request is repeated only where nobody can have answered. */
  answer<A, R2>(stream: boolean, how: AskHow<A, R2>): Effect.Effect<A, AiGatewayError, R | R2> {
    const retries = Metrics.retries("chat", this.metadataAt(0))
    return Effect.flatten(
      Effect.catchAll(
        Retry.run(retries.attempt(this.attempt(stream, how)), this.policy, (error) => {
          this.call.progress.during = "backoff"
          retries.waiting(error)
        }),
        (error) => this.failed(error)
      )
    )
  }

  /** Succeeds with what ends the call; fails where nobody answered. */
  private attempt<A, R2>(
    stream: boolean,
    how: AskHow<A, R2>
  ): Effect.Effect<Effect.Effect<A, AiGatewayError>, LegError, R | R2> {
    return Effect.flatMap(this.encode(stream), (sending) => {
      this.sending = sending
      this.winner = undefined
      const [first] = sending.entries
      if (first === undefined) return this.nobodyAsked()
      const limits = this.limits()
      const question: Asking.Question = {
        request: first.request,
        asked: () => (this.winner ?? first).leg.metadata,
        sent: this.send(first),
        answerer: (response) => this.answerer(response, limits),
        output: this.request.output
      }
      return Effect.matchEffect(how(question, limits), {
        onFailure: (error) =>
          this.nobodyAnswered(error) && isRetryable(error) ? Effect.fail(error) : this.failed(error),
        onSuccess: (answer) =>
          Effect.as(this.warn(this.before(this.winner?.place ?? 0)), Effect.succeed(answer))
      })
    })
  }

  // --- the request ------------------------------------------------------------------------------------------------------

  /** Keys are looked up here, each leg's own, at each attempt. */
  private encode(stream: boolean): Effect.Effect<Sending<R>, never, R> {
    const { legs, request, outer } = this
    return Effect.gen(function* () {
      const entries: Array<Entry<R>> = []
      const leftOut = new Map<number, LegError>()
      // The call's options are the outer headers: what comes out again is the leg's own.
      const { options: ofCall, ...bare } = request
      for (const [place, leg] of legs.entries()) {
        const { clocks } = Leg.innerOf(leg)
        const encoded: Either.Either<ProviderRequest, LegError> =
          clocks instanceof InvalidRequest
            ? Either.left(clocks)
            : yield* Effect.either(leg.encode(bare, { stream }))
        if (encoded._tag === "Right") {
          entries.push({
            leg,
            place,
            encoded: encoded.right,
            request: { ...encoded.right, options: ownOptions(encoded.right.options, ofCall, outer) }
          })
        } else if (encoded.left._tag === "InvalidRequest") {
          return { entries, leftOut, end: encoded.left }
        } else leftOut.set(place, encoded.left)
      }
      return { entries, leftOut, end: undefined }
    })
  }

  private send(first: Entry<R>): Effect.Effect<GatewayResponse, LegError> {
    const [, ...others] = this.sending.entries
    const sent = this.gateway.sendFirst([first.request, ...others.map(({ request }) => request)])
    const { options } = this.request
    return options === undefined
      ? sent
      : Effect.provideService(sent, RequestOptions.CurrentOptions, RequestOptions.merge(this.scope, options))
  }

  /**
   * A list may wait for each leg's first content in turn. Who speaks is not known before, and so the idle clock is the
   * shortest until then. It is written anew by `answerer`.
   */
  private limits(): { -readonly [K in keyof Clocks.Limits]: number } {
    let firstEvent = 0
    let idle = Infinity
    for (const { leg } of this.sending.entries) {
      firstEvent += clocksOf(leg).firstEvent ?? defaultFirstEvent
      idle = Math.min(idle, this.idleOf(leg))
    }
    return { firstEvent: this.call.firstEvent ?? firstEvent, idle, total: Infinity }
  }

  private idleOf(leg: Model.Leg<R>): number {
    return clocksOf(leg).idle ?? this.call.idle ?? defaultIdle
  }

  /** Retrying has one owner: where the gateway was told to retry, if only one entry, the client does not. */
  private get policy(): Leg.Policy {
    return Effect.sync(() => {
      const told =
        RequestOptions.merge(this.outer, this.request.options).retries !== undefined ||
        this.sending.entries.some(({ request }) => request.options?.retries !== undefined)
      return told ? undefined : (this.call.retry ?? Retry.defaultPolicy())
    })
  }

  // --- who answered -----------------------------------------------------------------------------------------------------

  private answerer(response: GatewayResponse, limits: { idle: number }): Asking.Answerer | LegError {
    const header = response.headers["cf-aig-step"]
    const { entries } = this.sending
    // Without the header it is the first; what is no number is read as nothing, and never as the first.
    const entry = header === undefined ? entries[0] : entryAt(entries, response.gateway.step)
    if (entry === undefined) {
      this.lost = true
      return wrongStep(response, header ?? "", entries.length)
    }
    this.winner = entry
    const { leg, encoded, place } = entry
    const { provider, model } = leg.metadata
    limits.idle = this.idleOf(leg)
    this.call.progress.provider = provider
    this.call.progress.model = model
    this.span?.attribute("gen_ai.provider.name", provider)
    this.span?.attribute("gen_ai.request.model", model)
    return {
      asked: Leg.answererOf(response, { provider, model }, Leg.innerOf(leg).answeredBy),
      reader: NativeRequest.readerOf(encoded, leg.wire),
      attempts: this.before(place)
    }
  }

  /** The legs before a place. */
  private before(place: number): ReadonlyArray<Attempt> {
    return place === 0 ? Asking.noAttempts : this.legs.slice(0, place).map((_, at) => this.left(at))
  }

  /** Why a leg was left: known only where it was never sent. */
  private left(place: number): Attempt {
    return this.record(place, this.sending.leftOut.get(place) ?? walkedPast(this.metadataAt(place)), 0)
  }

  private record(place: number, error: LegError, millis: number): Attempt {
    const { provider, model } = this.metadataAt(place)
    return {
      leg: place,
      provider,
      model,
      transport: this.gateway.transport,
      error,
      duration: Duration.millis(millis)
    }
  }

  private metadataAt(place: number): Model.Metadata {
    return (this.legs[place] ?? this.legs[0]).metadata
  }

  /** Each leg that was left is a warning, as in a list. */
  private warn(left: ReadonlyArray<Attempt>): Effect.Effect<void> {
    return left.length === 0
      ? Effect.void
      : Effect.forEach(left, ({ leg, error }) => leaving(this.metadataAt(leg), error, this.span), {
          discard: true
        })
  }

  // --- how a call fails -------------------------------------------------------------------------------------------------

  /** Has no entry answered: because no response came, or because the gateway did not let the request in? */
  private nobodyAnswered(error: LegError): boolean {
    if (this.winner !== undefined || this.lost) return false
    switch (error._tag) {
      case "TransportFailure":
        return true
      case "RateLimited":
        return error.source === "gateway"
      default:
        // The edge itself, before the gateway: a provider's own page has passed the gateway, which adds its ids.
        return error.source === "edge" && error.gateway?.eventId === undefined && error.logId === undefined
    }
  }

  private failed(error: LegError): Effect.Effect<Effect.Effect<never, AiGatewayError>> {
    const { entries, end } = this.sending
    if (failsEverywhere(error) || this.lost) return this.endWith(error)
    const { winner } = this
    // Nobody after the one that began to answer was asked.
    if (winner !== undefined) {
      return this.allFailed([...this.before(winner.place), this.record(winner.place, error, this.elapsed)])
    }
    if (end !== undefined) return this.endWith(end)
    const everybody = this.nobodyAnswered(error)
    const known = (entryAt(entries, error.gateway?.step) ?? entries.at(-1))?.place
    return this.allFailed(
      this.legs.map((_, place) =>
        (everybody || place === known) && !this.sending.leftOut.has(place)
          ? this.record(place, error, this.elapsed)
          : this.left(place)
      )
    )
  }

  private nobodyAsked(): Effect.Effect<Effect.Effect<never, AiGatewayError>> {
    const { end } = this.sending
    return end === undefined ? this.allFailed(this.before(this.legs.length)) : this.endWith(end)
  }

  private get elapsed(): number {
    return this.clock.unsafeCurrentTimeMillis() - this.started
  }

  /** Ends the call with one error; a list around this one learns what was left out before. */
  private endWith(error: LegError): Effect.Effect<Effect.Effect<never, LegError>> {
    const { report } = this.call
    if (report !== undefined) {
      report.attempts = [...this.sending.leftOut.keys()].map((place) => this.left(place))
    }
    return Effect.succeed(Effect.failCause(Cause.fail(error)))
  }

  private allFailed(attempts: ReadonlyArray<Attempt>): Effect.Effect<Effect.Effect<never, AiGatewayError>> {
    return Effect.as(this.warn(attempts.slice(0, -1)), Effect.fail(allProvidersFailed(attempts)))
  }
}

const entryAt = <R>(entries: ReadonlyArray<Entry<R>>, step: number | undefined): Entry<R> | undefined =>
  step === undefined ? undefined : entries[step]
