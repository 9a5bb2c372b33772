/**
 * Predictions of Replicate: jobs that are created, asked about until they are over, and cancelled if nobody waits for them
 * any more. All of it goes through the gateway. Source: `protocol/gateway.md` §6, and Replicate's HTTP API reference.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { Service as Gateway } from "../AiGateway.js"
import { type ChatEvent, isContent } from "../ChatEvent.js"
import * as RequestOptions from "../RequestOptions.js"
import { classifyEvent } from "./classify.js"
import * as Clocks from "./clocks.js"
import { type LegError, ModelTimeout, ProviderFailure } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { type Asked, Response } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import type { Job, JobReader } from "./leg.js"
import * as Retry from "./retry.js"
import { arrivals } from "./sender.js"
import { empty } from "./transport/byteSource.js"
import type { Arrival } from "./transport/transport.js"
import { unchecked } from "./unchecked.js"
import * as WholeAnswer from "./wholeAnswer.js"
import { idOf, isRunning, wire } from "./wire/replicate.js"
import type { Fault } from "./wire/wire.js"

/** The waits between polls. Its output and its input do not matter. */
export type Pace = Schedule.Schedule<unknown>

/** The pace of Replicate's own clients. */
export const defaultPace = (): Pace => Schedule.spaced("500 millis")

/** A cancellation that is not answered by then is left to itself. */
const cancelWithin = 5000

export interface Asking {
  readonly gateway: Gateway
  /** The request that creates the prediction, credential included. */
  readonly request: ProviderRequest
  /** Is the text wanted as it becomes known? Then the creation does not wait for the whole of it. */
  readonly stream: boolean
  readonly asked: Asked
  readonly pace: Pace
}

/** Creates a prediction. Closing what comes back cancels it, unless it is over. */
export const create = (asking: Asking): Effect.Effect<Job, LegError> =>
  Effect.flatMap(Schedule.driver(asking.pace), (driver) =>
    Effect.uninterruptibleMask((restore) => {
      const { gateway, request, stream } = asking
      const creation = stream ? { ...request, headers: without(request.headers, ["prefer"]) } : request
      // A caller who is interrupted right now never sees the prediction, and finds here how to cancel it.
      const arrival = arrivals.get(request)
      return Effect.flatMap(exchangeIn(restore, gateway, { ...creation }), ({ response, text }) => {
        const json = parseJson(text)
        if (json === undefined)
          return Effect.fail(WholeAnswer.malformed("expected JSON", text, response, asking.asked))
        const id = isRunning(json) ? idOf(json) : undefined
        if (isRunning(json) && id === undefined) {
          const problem = "at id, expected letters and digits"
          return Effect.fail(WholeAnswer.malformed(problem, text, response, asking.asked))
        }
        const wait = Effect.mapError(driver.next(undefined), () => tooManyPolls(asking.asked))
        const prediction = new Prediction(asking, response, id, text, Effect.asVoid(wait))
        if (arrival !== undefined) arrival.close = prediction.close
        return Effect.succeed(prediction)
      })
    })
  )

class Prediction extends Response implements Job {
  constructor(
    private readonly asking: Asking,
    created: GatewayResponse,
    /** Absent: it is over, and nothing is left to ask or to cancel. */
    private id: string | undefined,
    private latest: string,
    private readonly wait: Effect.Effect<void, LegError>
  ) {
    super(
      { status: created.status, headers: created.headers, body: empty, close: Effect.void },
      asking.asked,
      created instanceof Response ? created.scrub : (text) => text
    )
  }

  get over(): boolean {
    return this.id === undefined
  }

  /** The prediction as it was last seen. */
  get seen(): string {
    return this.latest
  }

  /** The prediction when it is over. */
  override get text(): Effect.Effect<string, LegError> {
    return Effect.suspend(() =>
      this.id === undefined ? Effect.succeed(this.latest) : Effect.flatMap(this.poll, () => this.text)
    )
  }

  override get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { id } = this
      if (id === undefined) return Effect.void
      this.id = undefined
      return cancel(this.asking, id)
    })
  }

  /** Waits, and looks again. A poll that fails may be repeated as any request is. */
  get poll(): Effect.Effect<void, LegError> {
    return Effect.flatMap(this.wait, () =>
      Effect.suspend(() => {
        const { id } = this
        if (id === undefined) return Effect.void
        const { gateway, request, asked } = this.asking
        const attempt = inRegion(exchange(gateway, about(request, id, "GET", "")))
        const polled = Retry.run(attempt, policy(gateway, request), () => {})
        return Effect.flatMap(Effect.mapError(polled, whenGone), ({ response, text }) => {
          const json = parseJson(text)
          if (json === undefined)
            return Effect.fail(WholeAnswer.malformed("expected JSON", text, response, asked))
          this.latest = text
          if (!isRunning(json)) this.id = undefined
          return Effect.void
        })
      })
    )
  }

  reader(clocks: Clocks.Clocks | undefined): JobReader {
    return new Reader(this, this.asking.asked, clocks)
  }
}

/** From polls to chat events. */
class Reader implements JobReader {
  private readonly decoder = wire.decoder()
  private out: Array<ChatEvent> = []
  private fed: string | undefined
  private spoken = false
  /** Was the end of the prediction read? */
  ended = false

  constructor(
    private readonly prediction: Prediction,
    private readonly asked: Asked,
    private readonly clocks: Clocks.Clocks | undefined
  ) {}

  /** The next events, at least one; `undefined` at the end. */
  readonly next: Effect.Effect<ReadonlyArray<ChatEvent> | undefined, LegError> = Effect.suspend(() => {
    if (this.ended) return Effect.succeed(undefined)
    const look = this.fed === undefined ? Effect.void : underClocks(this.clocks, this.news)
    return Effect.flatMap(look, () => {
      const failure = this.feed()
      if (failure !== undefined) return Effect.fail(failure)
      if (this.out.length === 0) return this.next
      const events = this.out
      this.out = []
      return Effect.succeed(events)
    })
  })

  readonly untilContent: Effect.Effect<ReadonlyArray<ChatEvent>, LegError> = Effect.suspend(() => {
    const held: Array<ChatEvent> = []
    const more: Effect.Effect<ReadonlyArray<ChatEvent>, LegError> = Effect.flatMap(this.next, (events) => {
      for (const event of events ?? []) held.push(event)
      return this.ended || held.some(isContent) ? Effect.succeed(held) : more
    })
    return more
  })

  /**
   * Polls. A model that starts says nothing for minutes, and each answer shows that it is there; a model that speaks must
   * go on, so that polls without news do not keep a prediction alive that is stuck.
   */
  private readonly news: Effect.Effect<void, LegError> = Effect.suspend(() => {
    const before = this.prediction.seen
    return Effect.flatMap(this.prediction.poll, () =>
      this.spoken && this.prediction.seen === before ? this.news : Effect.void
    )
  })

  private feed(): LegError | undefined {
    const { prediction, asked } = this
    const text = prediction.seen
    if (text === this.fed) return undefined
    this.fed = text
    if (prediction.over) {
      const whole = WholeAnswer.decode(wire, parseJson(text), prediction, asked)
      if (whole._tag === "Left") return whole.left
    }
    const fault = this.decoder.event(text, undefined, this.out)
    if (fault !== undefined) return faultError(fault, text, prediction, asked)
    if (this.out.length > 0) this.spoken = true
    if (!this.decoder.done()) return undefined
    this.decoder.end(this.out)
    this.ended = true
    return undefined
  }
}

const faultError = (fault: Fault, text: string, response: Response, asked: Asked): LegError => {
  switch (fault._tag) {
    case "ErrorFault":
      return classifyEvent(WholeAnswer.scrubbed(fault.json, response), response.headers, asked)
    case "MalformedFault":
      return response.malformed(WholeAnswer.placeOf(fault), text)
    case "TruncatedFault":
      return response.malformed("the answer is incomplete", text)
  }
}

/** A wait for news, which the idle clock and the clock to the first content end. */
const underClocks = <A>(
  clocks: Clocks.Clocks | undefined,
  effect: Effect.Effect<A, LegError>
): Effect.Effect<A, LegError> =>
  clocks === undefined
    ? effect
    : Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) =>
          Effect.onError(
            restore(
              Effect.async<A, LegError>((resume) => {
                if (clocks.fired !== undefined) return resume(Effect.fail(clocks.fired))
                clocks.waitForBytes((timeout) => resume(Effect.fail(timeout)))
                fiber.addObserver((exit) => {
                  clocks.waited()
                  resume(exit)
                })
              })
            ),
            () => Fiber.interrupt(fiber)
          )
        )
      )

// --- requests ---------------------------------------------------------------------------------------------------------

interface Exchanged {
  readonly response: GatewayResponse
  readonly text: string
}

/** Sends a request and reads its response; lets go of both wherever it is interrupted. */
const exchange = (gateway: Gateway, request: ProviderRequest): Effect.Effect<Exchanged, LegError> =>
  Effect.uninterruptibleMask((restore) => exchangeIn(restore, gateway, request))

/** The same where what was read must not be lost: for a caller that cannot be interrupted itself. */
const exchangeIn = (
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  gateway: Gateway,
  request: ProviderRequest
): Effect.Effect<Exchanged, LegError> => {
  const arrival: Arrival = { close: undefined }
  arrivals.set(request, arrival)
  return Effect.flatMap(
    Effect.onError(restore(gateway.send(request)), () => arrival.close ?? Effect.void),
    (response) =>
      Effect.map(
        Effect.onError(restore(response.text), () => response.close),
        (text) => ({ response, text })
      )
  )
}

/** The URL is ours, whatever the prediction says about its `urls`: the key goes to no other place. */
const about = (
  { provider, headers, model, options }: ProviderRequest,
  id: string,
  method: "GET" | "POST",
  action: "" | "/cancel"
): ProviderRequest => ({
  provider,
  method,
  model,
  endpoint: `predictions/${id}${action}`,
  headers: without(headers, ["prefer", "cancel-after", "content-type"]),
  options: onlyOnce(options ?? RequestOptions.empty)
})

/** What is said of an answer and must not be counted, or cached, for each look at it. */
const onlyOnce = ({
  cacheKey,
  cacheTtl,
  customCost,
  eventId,
  ...options
}: RequestOptions.RequestOptions): RequestOptions.RequestOptions => ({ ...options, skipCache: true })

const without = (
  headers: ProviderRequest["headers"],
  names: ReadonlyArray<string>
): ProviderRequest["headers"] =>
  Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !names.includes(name.toLowerCase())))

/** The same for the options of the region. */
const inRegion = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(RequestOptions.CurrentOptions, (scope) =>
    Effect.provideService(effect, RequestOptions.CurrentOptions, onlyOnce(scope))
  )

const cancel = ({ gateway, request }: Asking, id: string): Effect.Effect<void> =>
  Effect.catchAllCause(
    Clocks.within(
      Effect.asVoid(inRegion(exchange(gateway, about(request, id, "POST", "/cancel")))),
      cancelWithin,
      Clocks.startProgress()
    ),
    () => Effect.void
  )

/** Retrying has one owner: where the gateway was told to retry, the client does not. */
const policy = (
  gateway: Gateway,
  { options }: ProviderRequest
): Effect.Effect<Retry.RetryPolicy | undefined> =>
  Effect.map(RequestOptions.CurrentOptions, (scope) =>
    (options?.retries ?? scope.retries ?? gateway.defaults.retries) === undefined
      ? Retry.defaultPolicy()
      : undefined
  )

/** The prediction is not to be found, which says nothing about the model. */
const whenGone = (error: LegError): LegError =>
  error._tag === "ModelNotFound"
    ? new ProviderFailure(
        {
          provider: error.provider,
          model: error.model,
          source: error.source,
          status: error.status,
          code: error.code,
          logId: error.logId,
          gateway: error.gateway,
          message: `The prediction is not to be found any more. ${error.message}`
        },
        unchecked
      )
    : error

const tooManyPolls = ({ provider, model }: Asked): ModelTimeout =>
  new ModelTimeout(
    {
      phase: "provider",
      provider,
      model,
      retryable: false,
      message: `${provider} ${model ?? ""} was not finished when the schedule of polls (polls) ended.`
    },
    unchecked
  )
