/** One model of one provider: encodes, sends, decodes; retries itself; opens its own streams. */

import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import type * as Provider from "../Provider.js"
import * as Asking from "./asking.js"
import * as Call from "./call.js"
import type { CallContext } from "./callContext.js"
import type * as Clocks from "./clocks.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import type { Gateway, Policy } from "./legGateway.js"
import * as LegGateway from "./legGateway.js"
import * as Metrics from "./metrics.js"
import * as Model from "./model.js"
import * as NativeRequest from "./nativeRequest.js"
import * as Retry from "./retry.js"
import * as Spans from "./spans.js"
import { supports } from "./supports.js"
import { defaultFirstEvent, defaultIdle, type TimeoutMillis, type Timeouts, toMillis } from "./timeouts.js"
import type { Wire } from "./wire/wire.js"

/**
 * What a model of any provider can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelOptions extends ChatRequest.Defaults {
  /** The client's clocks for this model. */
  readonly timeouts?: Timeouts | undefined
  /**
   * What to do with a field of a request that this model cannot take: fail with `Unsupported`, so that the next leg is
   * tried, or leave the field out. Default `"fail"`.
   */
  readonly unsupported?: "fail" | "drop" | undefined
  /** Tokens of prompt and answer together, where this library does not know them or they have changed. */
  readonly contextWindow?: number | undefined
  /** Tokens that one answer can have at the most, where this library does not know them or they have changed. */
  readonly maxOutputTokens?: number | undefined
}

/** What makes a leg. Its provider `I` and its gateway `G` are looked up at each call. */
export interface LegDefinition<I, G> {
  readonly provider: Effect.Effect<Provider.Provider, never, I>
  readonly gateway: Effect.Effect<Gateway, never, G>
  readonly slug: string
  readonly model: string
  readonly wire: Wire
  readonly options: ModelOptions
  /** What is known of this model. */
  readonly limits: { readonly contextWindow?: number; readonly maxOutputTokens?: number } | undefined
  /** How a request is sent, where that is not all; its answer may be a job. Absent: the gateway's `send`. */
  readonly start?: Start | undefined
  readonly answeredBy?: AnsweredBy | undefined
}

/** Who answered in the place of the one who was asked, where a response tells. */
export type AnsweredBy = (response: GatewayResponse) => {
  readonly provider: string | undefined
  readonly model: string | undefined
}

/** Sends a request, or starts a job and gives it as soon as it is known. `request` is the one that `arrivals` knows. */
export type Start = (
  gateway: Gateway,
  request: ProviderRequest,
  asked: { readonly provider: string; readonly model: string },
  how: {
    readonly stream: boolean
    /** How the leg is retried; what is asked of a job is repeated likewise. */
    readonly policy: Policy
  }
) => Effect.Effect<GatewayResponse, LegError>

export type { Job, JobReader } from "./asking.js"
export type { Gateway, Policy } from "./legGateway.js"

/** What a leg of this file adds to what everybody sees of it. */
export interface Inner {
  /** Its own clocks in milliseconds. */
  readonly clocks: TimeoutMillis | InvalidRequest
  readonly answeredBy: AnsweredBy | undefined
}

const inners = new WeakMap<Model.Leg<unknown>["encode"], Inner>()

/** Nothing is known of a leg that was made elsewhere. */
export const innerOf = <R>({ encode }: Model.Leg<R>): Inner =>
  inners.get(encode) ?? { clocks: toMillis({}), answeredBy: undefined }

export const make = <I, G>(definition: LegDefinition<I, G>): Model.Leg<I | G> => {
  const { timeouts = {}, unsupported, contextWindow, maxOutputTokens, ...defaults } = definition.options
  const clocks = toMillis(timeouts)
  let known: Model.Metadata["supports"] | undefined
  const metadata: Model.Metadata = {
    provider: definition.slug,
    model: definition.model,
    contextWindow: contextWindow ?? definition.limits?.contextWindow,
    maxOutputTokens: maxOutputTokens ?? definition.limits?.maxOutputTokens,
    // Asking the encoder costs more than making the model, and few want to know.
    get supports() {
      known ??= supports(definition)
      return known
    }
  }
  const leg = new Leg(definition, metadata, defaults, unsupported ?? "fail")
  const { firstEvent, idle, total } =
    clocks instanceof InvalidRequest ? ({} as Partial<TimeoutMillis>) : clocks
  const checked = <A, R>(effect: () => Effect.Effect<A, LegError, R>) =>
    clocks instanceof InvalidRequest ? Effect.fail(clocks) : effect()
  const chat: Model.Chat<I | G> = (input, call) =>
    Call.chat(metadata, call, (inside) => checked(() => leg.chat(input, inside)))
  const open: Model.Open<I | G> = (input) =>
    Call.open(metadata, (call) => checked(() => leg.open(input, call, { firstEvent, idle })))
  const made = Model.leg(Model.make(Call.bounded({ metadata, chat, open }, total)), {
    wire: definition.wire,
    encode: (input, { stream }) =>
      Effect.flatMap(leg.request(input), (request) => leg.encode(request, stream))
  })
  inners.set(made.encode, { clocks, answeredBy: definition.answeredBy })
  return made
}

/** The one who was asked, unless the response names another. */
export const answererOf = (
  response: GatewayResponse,
  asked: Asking.Answerer["asked"],
  answeredBy: AnsweredBy | undefined
): Asking.Answerer["asked"] => {
  if (answeredBy === undefined) return asked
  const { provider = asked.provider, model = asked.model } = answeredBy(response)
  return { provider, model }
}

class Leg<I, G> {
  constructor(
    private readonly definition: LegDefinition<I, G>,
    private readonly metadata: Model.Metadata,
    private readonly defaults: ChatRequest.Defaults,
    private readonly unsupported: "fail" | "drop"
  ) {}

  private get asked() {
    return { provider: this.definition.slug, model: this.definition.model }
  }

  request(input: ChatRequest.Input): Effect.Effect<ChatRequest.ChatRequest, InvalidRequest> {
    if (this.definition.model === "") {
      return Effect.fail(
        new InvalidRequest({ field: "model", message: "The model has no name.", ...this.asked })
      )
    }
    return Effect.flatMap(ChatRequest.fromInput(input), (asked) => {
      const request = ChatRequest.withDefaults(asked, this.defaults)
      const wrong = ChatRequest.wrongToolUse(request)
      return wrong === undefined ? Effect.succeed(request) : Effect.fail(wrong)
    })
  }

  // --- a whole answer -------------------------------------------------------------------------------------------------

  chat(
    input: ChatRequest.Input,
    call: CallContext & { readonly progress: Clocks.Progress }
  ): Effect.Effect<ChatResponse, LegError, I | G> {
    return Spans.withSpan({ ...this.span, parent: call.parent }, (span) =>
      Effect.flatMap(this.request(input), (request) =>
        Effect.flatMap(LegGateway.find(this.definition.gateway, this.asked, call), (gateway) => {
          Spans.requested(span, request)
          const policy = LegGateway.policyOf(request.options, gateway, call)
          return this.retried(policy, call, this.chatOnce(request, gateway, policy, call, span))
        })
      )
    )
  }

  private chatOnce(
    request: ChatRequest.ChatRequest,
    gateway: Gateway,
    policy: Policy,
    { progress }: { readonly progress: Clocks.Progress },
    span: Parameters<typeof Spans.answered>[0]
  ): Effect.Effect<ChatResponse, LegError, I> {
    return Effect.flatMap(this.encode(request, false), (encoded) =>
      Asking.whole(this.question(request, encoded, gateway, { stream: false, policy }), progress, span)
    )
  }

  // --- a stream -------------------------------------------------------------------------------------------------------

  open(
    input: ChatRequest.Input,
    call: CallContext & { readonly progress: Clocks.Progress },
    own: Pick<TimeoutMillis, "firstEvent" | "idle"> | Record<string, undefined>
  ): Effect.Effect<Model.Opened, LegError, I | G | Scope.Scope> {
    const limits: Clocks.Limits = {
      firstEvent: own.firstEvent ?? call.firstEvent ?? defaultFirstEvent,
      idle: own.idle ?? call.idle ?? defaultIdle,
      total: Infinity
    }
    return Spans.scoped(this.span, (span) =>
      Effect.flatMap(this.request(input), (request) =>
        Effect.flatMap(LegGateway.find(this.definition.gateway, this.asked, call), (gateway) => {
          Spans.requested(span, request)
          const policy = LegGateway.policyOf(request.options, gateway, call)
          return this.retried(
            policy,
            call,
            this.openOnce(request, gateway, policy, call.progress, limits, span)
          )
        })
      )
    )
  }

  private openOnce(
    request: ChatRequest.ChatRequest,
    gateway: Gateway,
    policy: Policy,
    progress: Clocks.Progress,
    limits: Clocks.Limits,
    span: Parameters<typeof Spans.answered>[0]
  ): Effect.Effect<Model.Opened, LegError, I | Scope.Scope> {
    return Effect.flatMap(this.encode(request, true), (encoded) =>
      Asking.open(this.question(request, encoded, gateway, { stream: true, policy }), progress, limits, span)
    )
  }

  // --- what both need -------------------------------------------------------------------------------------------------

  private question(
    { output }: ChatRequest.ChatRequest,
    encoded: ProviderRequest,
    gateway: Gateway,
    how: Parameters<Start>[3]
  ): Asking.Question {
    const { start, wire, answeredBy } = this.definition
    const { asked } = this
    const answerer = {
      asked,
      reader: NativeRequest.readerOf(encoded, wire),
      attempts: Asking.noAttempts
    }
    return {
      request: encoded,
      asked: () => asked,
      sent: start === undefined ? gateway.send(encoded) : start(gateway, encoded, asked, how),
      answerer:
        answeredBy === undefined
          ? () => answerer
          : (response) => ({ ...answerer, asked: answererOf(response, asked, answeredBy) }),
      output
    }
  }

  private get span(): Spans.SpanOptions {
    return { name: `chat ${this.definition.model}`, kind: "client", ...this.asked }
  }

  private retried<A, R>(
    policy: Policy,
    call: CallContext & { readonly progress: Clocks.Progress },
    attempt: Effect.Effect<A, LegError, R>
  ): Effect.Effect<A, LegError, R> {
    const retries = Metrics.retries("chat", this.asked)
    return Retry.run(retries.attempt(attempt), policy, (error) => {
      call.progress.during = "backoff"
      retries.waiting(error)
    })
  }

  /** The provider's native request, credential included. */
  encode(request: ChatRequest.ChatRequest, stream: boolean): Effect.Effect<ProviderRequest, LegError, I> {
    const { maxOutputTokens } = this.metadata
    return NativeRequest.make(this.definition, request, {
      stream,
      maxOutputTokens,
      unsupported: this.unsupported
    })
  }
}
