/** One model of one provider: encodes, sends, decodes; retries itself; opens its own streams. */

import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { AiGateway, type Service as Gateway } from "../AiGateway.js"
import * as ChatRequest from "../ChatRequest.js"
import * as ChatResponse from "../ChatResponse.js"
import type * as Provider from "../Provider.js"
import * as RequestOptions from "../RequestOptions.js"
import * as Call from "./call.js"
import type { CallContext } from "./callContext.js"
import * as Clocks from "./clocks.js"
import { Delivered } from "./delivered.js"
import { InvalidRequest, type LegError } from "./errors.js"
import { EventReader } from "./eventReader.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { Response } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import * as Model from "./model.js"
import * as NativeRequest from "./nativeRequest.js"
import * as Retry from "./retry.js"
import { arriving } from "./sender.js"
import * as Spans from "./spans.js"
import { defaultFirstEvent, defaultIdle, type TimeoutMillis, type Timeouts, toMillis } from "./timeouts.js"
import { fromStream } from "./transport/byteSource.js"
import * as WholeAnswer from "./wholeAnswer.js"
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

/** What makes a leg. */
export interface LegDefinition<I> {
  readonly tag: Context.Tag<I, Provider.Provider>
  readonly slug: string
  readonly model: string
  readonly wire: Wire
  readonly options: ModelOptions
  /** What is known of this model. */
  readonly limits: { readonly contextWindow?: number; readonly maxOutputTokens?: number } | undefined
  /** How a request is sent whose answer is a job. Absent: the response is the answer. */
  readonly start?: Start | undefined
}

/** How an attempt is retried, if at all. */
export type Policy = Effect.Effect<Retry.RetryPolicy | undefined>

/** Starts a job and gives it as soon as it is known. `request` is the one that `arrivals` knows. */
export type Start = (
  gateway: Gateway,
  request: ProviderRequest,
  asked: { readonly provider: string; readonly model: string },
  how: {
    readonly stream: boolean
    /** How the leg is retried; what is asked of a job is repeated likewise. */
    readonly policy: Policy
  }
) => Effect.Effect<Job, LegError>

/** An answer that must be asked for again until it is there. Closing it gives the job up. */
export interface Job extends GatewayResponse {
  /** Asks for news under the clocks of a stream. */
  readonly reader: (clocks: Clocks.Clocks | undefined) => JobReader
}

export type JobReader = Pick<EventReader, "next" | "untilContent" | "ended">

const isJob = (response: GatewayResponse): response is Job => "reader" in response

export const make = <I>(definition: LegDefinition<I>): Model.Leg<I | AiGateway> => {
  const { timeouts = {}, unsupported, contextWindow, maxOutputTokens, ...defaults } = definition.options
  const clocks = toMillis(timeouts)
  const metadata: Model.Metadata = {
    provider: definition.slug,
    model: definition.model,
    contextWindow: contextWindow ?? definition.limits?.contextWindow,
    maxOutputTokens: maxOutputTokens ?? definition.limits?.maxOutputTokens,
    supports: supports(definition)
  }
  const leg = new Leg(definition, metadata, defaults, unsupported ?? "fail")
  const { firstEvent, idle, total } =
    clocks instanceof InvalidRequest ? ({} as Partial<TimeoutMillis>) : clocks
  const checked = <A, R>(effect: () => Effect.Effect<A, LegError, R>) =>
    clocks instanceof InvalidRequest ? Effect.fail(clocks) : effect()
  const chat: Model.Chat<I | AiGateway> = (input, call) =>
    Call.chat(metadata, call, (inside) => checked(() => leg.chat(input, inside)))
  const open: Model.Open<I | AiGateway> = (input) =>
    Call.open(metadata, (call) => checked(() => leg.open(input, call, { firstEvent, idle })))
  return Model.leg(
    Model.make({
      metadata,
      chat:
        total === undefined
          ? chat
          : (input, call) => Call.totalChat((inside) => chat(input, inside), call, total),
      open: total === undefined ? open : (input) => Call.totalOpen(open(input), total)
    }),
    {
      wire: definition.wire,
      encode: (input, { stream }) =>
        Effect.flatMap(leg.request(input), (request) => leg.encode(request, stream))
    }
  )
}

/** Asked of the encoder itself, so that the two can never disagree. */
const supports = ({
  wire,
  model,
  slug
}: Omit<LegDefinition<unknown>, "tag">): ReadonlyArray<Model.Feature> => {
  const sampling: Required<ChatRequest.Sampling> = {
    temperature: 1,
    topP: 1,
    topK: 1,
    maxTokens: 1,
    stop: ["."],
    seed: 1,
    frequencyPenalty: 0,
    presencePenalty: 0
  }
  const request: ChatRequest.ChatRequest = {
    [ChatRequest.TypeId]: ChatRequest.TypeId,
    messages: [],
    ...sampling
  }
  const { unsupported } = wire.encode({ model, request, provider: slug, stream: true })
  const fields = Object.keys(sampling) as ReadonlyArray<keyof ChatRequest.Sampling>
  return [...fields.filter((field) => !unsupported.includes(field)), "system", "streaming"]
}

class Leg<I> {
  constructor(
    private readonly definition: LegDefinition<I>,
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
    return Effect.map(ChatRequest.fromInput(input), (request) =>
      ChatRequest.withDefaults(request, this.defaults)
    )
  }

  // --- a whole answer -------------------------------------------------------------------------------------------------

  chat(
    input: ChatRequest.Input,
    call: CallContext & { readonly progress: Clocks.Progress }
  ): Effect.Effect<ChatResponse.ChatResponse, LegError, I | AiGateway> {
    return Spans.withSpan({ ...this.span, parent: call.parent }, (span) =>
      Effect.flatMap(this.request(input), (request) =>
        Effect.flatMap(this.gateway(call), (gateway) => {
          const policy = this.policy(request, gateway, call)
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
  ): Effect.Effect<ChatResponse.ChatResponse, LegError, I> {
    return Effect.flatMap(this.encode(request, false), (encoded) =>
      Effect.uninterruptibleMask((restore) => {
        progress.during = "connect"
        const sent = this.start(gateway, encoded, { stream: false, policy }) ?? gateway.send(encoded)
        return Effect.flatMap(arriving(restore, encoded, sent), (response) => {
          progress.during = "response"
          return Effect.flatMap(
            Effect.onError(restore(response.text), () => response.close),
            (text) =>
              Either.map(this.decode(text, response), (answer) => {
                Spans.answered(span, answer)
                return answer
              })
          )
        })
      })
    )
  }

  private decode(
    text: string,
    response: GatewayResponse
  ): Either.Either<ChatResponse.ChatResponse, LegError> {
    const json = parseJson(text)
    if (json === undefined)
      return Either.left(WholeAnswer.malformed("expected JSON", text, response, this.asked))
    return Either.map(WholeAnswer.decode(this.definition.wire, json, response, this.asked), (decoded) =>
      ChatResponse.make(decoded, { ...this.asked, gateway: response.gateway, raw: json })
    )
  }

  // --- a stream -------------------------------------------------------------------------------------------------------

  open(
    input: ChatRequest.Input,
    call: CallContext & { readonly progress: Clocks.Progress },
    own: Pick<TimeoutMillis, "firstEvent" | "idle"> | Record<string, undefined>
  ): Effect.Effect<Model.Opened, LegError, I | AiGateway | Scope.Scope> {
    const limits: Clocks.Limits = {
      firstEvent: own.firstEvent ?? call.firstEvent ?? defaultFirstEvent,
      idle: own.idle ?? call.idle ?? defaultIdle,
      total: Infinity
    }
    return Spans.scoped(this.span, (span) =>
      Effect.flatMap(this.request(input), (request) =>
        Effect.flatMap(this.gateway(call), (gateway) => {
          const policy = this.policy(request, gateway, call)
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
      Effect.uninterruptibleMask((restore) => {
        const self = this
        return Effect.gen(function* () {
          progress.during = "connect"
          const watched = Clocks.hasLimit(limits) ? yield* Clocks.start(limits, progress) : undefined
          const stop = watched === undefined ? Effect.void : Clocks.stop(watched)
          const started = self.start(gateway, encoded, { stream: true, policy })
          const sent: Effect.Effect<GatewayResponse, LegError> = started ?? gateway.send(encoded)
          const response = yield* Effect.onError(
            arriving(
              restore,
              encoded,
              watched === undefined
                ? sent
                : Clocks.guard(watched.clocks, sent, { lost: (response) => response.close })
            ),
            () => stop
          )
          progress.during = "stream"
          const reader = isJob(response)
            ? response.reader(watched?.clocks)
            : new EventReader(
                response,
                response instanceof Response ? response.body : yield* fromStream(response.stream),
                self.definition.wire,
                self.asked,
                watched?.clocks
              )
          const close = Effect.suspend(() => (reader.ended ? stop : Effect.zipRight(response.close, stop)))
          const first = yield* Effect.onError(restore(reader.untilContent), () => close)
          watched?.clocks.committed()
          yield* Effect.addFinalizer(() => close)
          const head: Model.Opened["head"] = [
            { _tag: "Start", ...self.asked, gateway: response.gateway, attempts: [] },
            ...first
          ]
          return self.opened(head, reader, response, span)
        })
      })
    )
  }

  /** After the first content every failure says what was delivered. */
  private opened(
    head: Model.Opened["head"],
    reader: JobReader,
    { gateway }: GatewayResponse,
    span: Parameters<typeof Spans.answered>[0]
  ): Model.Opened {
    const delivered = new Delivered()
    const told = (events: Model.Opened["head"]) => {
      delivered.add(events)
      if (span !== undefined) Spans.streamed(span, events, gateway)
    }
    told(head)
    return {
      head,
      next: Effect.matchEffect(reader.next, {
        onFailure: (error) => {
          const broken = delivered.broken(error)
          if (span !== undefined) Spans.failed(span, broken)
          return Effect.fail(broken)
        },
        onSuccess: (events) => {
          if (events !== undefined) told(events)
          return Effect.succeed(events)
        }
      })
    }
  }

  // --- what both need -------------------------------------------------------------------------------------------------

  private start(
    gateway: Gateway,
    request: ProviderRequest,
    how: Parameters<Start>[3]
  ): Effect.Effect<GatewayResponse, LegError> | undefined {
    return this.definition.start?.(gateway, request, this.asked, how)
  }

  private get span(): Spans.SpanOptions {
    return { name: `chat ${this.definition.model}`, kind: "client", ...this.asked }
  }

  /** The gateway of this call, unless the call has already given it up. */
  private gateway(
    call: CallContext & { readonly progress: Clocks.Progress }
  ): Effect.Effect<Gateway, LegError, AiGateway> {
    call.progress.provider = this.definition.slug
    call.progress.model = this.definition.model
    return Effect.flatMap(AiGateway, (gateway) => {
      call.progress.transport = gateway.transport
      call.progress.gateway = gateway
      const gone = call.gone?.get(gateway)
      return gone === undefined ? Effect.succeed(gateway) : Effect.fail(gone)
    })
  }

  /** Retrying has one owner: where the gateway was told to retry, the client does not. */
  private policy(request: ChatRequest.ChatRequest, gateway: Gateway, call: CallContext): Policy {
    return Effect.map(RequestOptions.CurrentOptions, (scope) =>
      (request.options?.retries ?? scope.retries ?? gateway.defaults.retries) === undefined
        ? (call.retry ?? Retry.defaultPolicy())
        : undefined
    )
  }

  private retried<A, R>(
    policy: Policy,
    call: CallContext & { readonly progress: Clocks.Progress },
    attempt: Effect.Effect<A, LegError, R>
  ): Effect.Effect<A, LegError, R> {
    return Retry.run(attempt, policy, () => {
      call.progress.during = "backoff"
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
