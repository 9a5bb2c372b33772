/**
 * Predictions of Replicate: jobs that are created, asked about until they are over, and cancelled if nobody waits for them
 * any more. All of it goes through the gateway. Source: `protocol/gateway.md` §6, and Replicate's HTTP API reference.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as RequestOptions from "../RequestOptions.js"
import * as Clocks from "./clocks.js"
import { type LegError, ModelTimeout, ProviderFailure } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { type Asked, Response } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import type { Gateway, Job, JobReader, Policy } from "./leg.js"
import { PredictionReader } from "./predictionReader.js"
import * as Retry from "./retry.js"
import { arrivals, type Received, received } from "./sender.js"
import { empty } from "./transport/byteSource.js"
import { unchecked } from "./unchecked.js"
import * as WholeAnswer from "./wholeAnswer.js"
import { idOf, isRunning } from "./wire/replicate.js"

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
  /** How a poll that fails is repeated: as the leg is. */
  readonly policy: Policy
}

/** Creates a prediction. Closing what comes back cancels it, unless it is over. */
export const create = (asking: Asking): Effect.Effect<Job, LegError> =>
  Effect.flatMap(Schedule.driver(asking.pace), (driver) =>
    Effect.uninterruptibleMask((restore) => {
      const { gateway, request, stream } = asking
      const creation = stream ? { ...request, headers: without(request.headers, ["prefer"]) } : request
      // A caller who is interrupted right now never sees the prediction, and finds here how to cancel it.
      const arrival = arrivals.get(request)
      return Effect.flatMap(sentIn(restore, gateway, { ...creation }), ({ response, text }) => {
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

  /** Waits, and looks again. A poll that fails is repeated as the leg is, before the prediction is given up. */
  get poll(): Effect.Effect<void, LegError> {
    return Effect.flatMap(this.wait, () =>
      Effect.suspend(() => {
        const { id } = this
        if (id === undefined) return Effect.void
        const { gateway, request, asked, policy } = this.asking
        const attempt = inRegion(exchange(gateway, about(request, id, "GET", "")))
        const polled = Retry.run(attempt, policy, () => {})
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
    return new PredictionReader(this, this.asking.asked, clocks)
  }
}

// --- requests ---------------------------------------------------------------------------------------------------------

/** For a caller that cannot be interrupted itself: what was read must not be lost. */
const sentIn = (
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  gateway: Gateway,
  request: ProviderRequest
): Effect.Effect<Received, LegError> => received(restore, request, gateway.send(request))

/** Sends a request and reads its response; lets go of both wherever it is interrupted. */
const exchange = (gateway: Gateway, request: ProviderRequest): Effect.Effect<Received, LegError> =>
  Effect.uninterruptibleMask((restore) => sentIn(restore, gateway, request))

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
