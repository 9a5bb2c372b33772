/** From the polls of a prediction to chat events: each poll has the whole text so far, and what is new in it is told. */
import * as Effect from "effect/Effect"
import { type ChatEvent, isContent } from "../ChatEvent.js"
import * as Clocks from "./clocks.js"
import type { LegError } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import type { Asked } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import type { JobReader } from "./leg.js"
import * as WholeAnswer from "./wholeAnswer.js"
import { wire } from "./wire/replicate.js"

/** A prediction that can be looked at. */
export interface Polled extends GatewayResponse {
  readonly over: boolean
  /** Its text as it was last seen. */
  readonly seen: string
  /** Waits, and looks again. */
  readonly poll: Effect.Effect<void, LegError>
}

export class PredictionReader implements JobReader {
  private readonly decoder = wire.decoder()
  private out: Array<ChatEvent> = []
  private fed: string | undefined
  private spoken = false
  /** Was the end of the prediction read? */
  ended = false

  constructor(
    private readonly prediction: Polled,
    private readonly asked: Asked,
    private readonly clocks: Clocks.Clocks | undefined
  ) {}

  /** The next events, at least one; `undefined` at the end. */
  readonly next: Effect.Effect<ReadonlyArray<ChatEvent> | undefined, LegError> = Effect.suspend(() => {
    if (this.ended) return Effect.succeed(undefined)
    const look = this.fed === undefined ? Effect.void : this.underClocks(this.news)
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
    if (fault !== undefined) return WholeAnswer.faultError(fault, text, prediction, asked)
    if (this.out.length > 0) this.spoken = true
    if (!this.decoder.done()) return undefined
    this.decoder.end(this.out)
    this.ended = true
    return undefined
  }

  /** A wait for news, which the idle clock and the clock to the first content end. */
  private underClocks(news: Effect.Effect<void, LegError>): Effect.Effect<void, LegError> {
    return this.clocks === undefined ? news : Clocks.guard(this.clocks, news, { idle: true })
  }
}
