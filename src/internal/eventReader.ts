/**
 * From the bytes of one response to chat events. Each network read is taken apart at once, from bytes to events, and
 * handed on as one array; a read that holds no event asks for the next without a step of the fiber in between.
 */

import * as Effect from "effect/Effect"
import { createParser, type EventSourceParser } from "eventsource-parser"
import { type ChatEvent, isContent } from "../ChatEvent.js"
import * as Clocks from "./clocks.js"
import {
  isAiGatewayError,
  type LegError,
  lastCause,
  type ModelTimeout,
  ResumeFailed,
  TransportFailure
} from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import { type Asked, Response } from "./gatewayResponse.js"
import { parseJson } from "./json.js"
import { type ByteSource, CutShort } from "./transport/byteSource.js"
import { unchecked } from "./unchecked.js"
import * as Whole from "./wholeAnswer.js"
import { pushEnding } from "./wire/ending.js"
import { type Fault, type Framing, type Reader, truncated } from "./wire/wire.js"

/** The most characters of an event, or of a body that is not a stream, that are held in memory. */
const maxHeld = 16 * 1024 * 1024
/** The most characters of lines that belong to no event; enough for any vendor's error. */
const maxStray = 64 * 1024
/** A server may leave the connection open after its end marker. It is worth keeping alive, but not for long. */
const drainMillis = 1000

/** What is told even of an answer that is known already. */
const isEnding = ({ _tag }: ChatEvent): boolean => _tag === "Usage" || _tag === "Finish"

/** What a stream of server-sent events begins with: the name of a field, or a comment. */
const firstFields = ["data:", "event:", "id:", "retry:", ":"]

export class EventReader {
  private readonly decoder
  private readonly utf8 = new TextDecoder()
  private readonly parser: EventSourceParser
  /** Are these server-sent events, or other frames? A content type is not trusted that says nothing of them. */
  private streamed: boolean
  /** What a body begins with that is not marked as an event stream, until it is enough to tell by. */
  private begun: string | undefined
  /** Cuts a stream that is not made of server-sent events. */
  private readonly framing: Framing | undefined
  private out: Array<ChatEvent> = []
  private events = 0
  /** Lines that are no part of an event: Google appends a bare JSON error. */
  private stray = ""
  /** A body that is no event stream, or not yet. */
  private held: Array<string> = []
  private heldLength = 0
  private failure: LegError | undefined
  /** Has the model finished? */
  private finished = false
  /** Has the wait for the end of the body been long enough? */
  private waitedEnough = false
  /** Has the body ended? */
  ended = false
  /** Is what the body ended with being read? */
  private flushing = false
  private resume: ((effect: Effect.Effect<void>) => void) | undefined

  constructor(
    private readonly response: GatewayResponse,
    private readonly body: ByteSource,
    private readonly wire: Reader,
    private readonly asked: Asked,
    private readonly clocks: Clocks.Clocks | undefined
  ) {
    this.decoder = wire.decoder()
    const type = response.headers["content-type"] ?? ""
    this.framing =
      wire.framing !== undefined && type.includes(wire.framing.contentType) ? wire.framing.make() : undefined
    this.streamed = this.framing !== undefined || type.includes("text/event-stream")
    this.begun = this.streamed ? undefined : ""
    this.parser = createParser({
      maxBufferSize: maxHeld,
      onEvent: ({ data, event }) => this.event(data, event),
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") this.fail(this.malformed(error.message, ""))
        else if (error.line !== undefined && this.stray.length < maxStray) this.stray += `${error.line}\n`
      }
    })
  }

  /** The next events, at least one; `undefined` at the end. Events that came before a failure are given before it. */
  readonly next: Effect.Effect<ReadonlyArray<ChatEvent> | undefined, LegError> = Effect.suspend(() => {
    if (this.out.length > 0) return Effect.succeed(this.take())
    if (this.failure !== undefined) return Effect.fail(this.failure)
    if (this.ended || this.waitedEnough) return Effect.succeed(undefined)
    if (this.finished) return Effect.as(this.drain, undefined)
    return Effect.flatMap(this.read, () => this.next)
  })

  /** Everything up to and with the first content, or the whole of an answer without any. */
  readonly untilContent: Effect.Effect<ReadonlyArray<ChatEvent>, LegError> = Effect.suspend(() => {
    const held: Array<ChatEvent> = []
    const more: Effect.Effect<ReadonlyArray<ChatEvent>, LegError> = Effect.flatMap(this.next, (events) => {
      if (events === undefined) return Effect.succeed(held)
      for (const event of events) held.push(event)
      return this.finished || events.some(isContent) ? Effect.succeed(held) : more
    })
    return more
  })

  /** One wait for bytes. It ends when there is something to tell. */
  private readonly read: Effect.Effect<void, LegError> = Effect.async((resume) => {
    this.resume = resume
    this.pull()
  })

  private pull(): void {
    if (this.clocks !== undefined) {
      if (this.clocks.fired !== undefined) return this.fail(this.clocks.fired)
      this.clocks.waitForBytes(this.timedOut)
    }
    this.body.pull(this)
  }

  private take(): ReadonlyArray<ChatEvent> {
    const events = this.out
    this.out = []
    return events
  }

  private wake(): void {
    const resume = this.resume
    this.resume = undefined
    this.clocks?.waited()
    resume?.(Effect.void)
  }

  // --- what the body does (this reader is its sink) -------------------------------------------------------------------

  bytes(bytes: Uint8Array): void {
    if (this.resume === undefined) return
    if (this.framing === undefined) this.text(this.utf8.decode(bytes, { stream: true }))
    else this.frames(this.framing.push(bytes, this.framed))
    if (this.body.muted === true) this.out = this.out.filter(isEnding)
    if (this.out.length > 0 || this.failure !== undefined || this.finished) this.wake()
    else this.pull()
  }

  end(): void {
    this.ended = true
    if (this.failure === undefined && !this.finished) {
      if (this.framing === undefined) this.endOfText()
      else this.endOfFrames(this.framing)
    }
    this.wake()
  }

  broken(reason: unknown): void {
    if (reason instanceof CutShort) return this.cutShort(reason.why)
    const known = this.known(reason)
    if (known !== undefined) return this.fail(known)
    this.fail(
      this.response instanceof Response
        ? this.response.brokenOff(reason)
        : new TransportFailure(
            {
              ...this.asked,
              message: `The response of ${this.asked.provider} broke off.`
            },
            unchecked
          )
    )
  }

  /** An error of ours, with what only the response knows. */
  private known(reason: unknown): LegError | undefined {
    if (!isAiGatewayError(reason)) return undefined
    const error = lastCause(reason)
    if (error._tag === "AllProvidersFailed") return undefined
    if (error._tag !== "ResumeFailed") return error
    const { gateway } = this.response
    return new ResumeFailed(
      {
        ...error,
        message: error.message,
        provider: error.provider ?? this.asked.provider,
        model: error.model ?? this.asked.model,
        logId: error.logId ?? gateway.logId,
        gateway: error.gateway ?? gateway
      },
      unchecked
    )
  }

  /** What has come is the answer. A call or a thought that is not whole is not part of it. */
  private cutShort(why: string): void {
    this.ended = true
    if (this.failure === undefined && !this.finished) {
      this.finished = true
      const ending: Array<ChatEvent> = []
      if (this.decoder.end(ending) === undefined) for (const event of ending) this.out.push(event)
      else {
        const { usage, model } = this.decoder.soFar?.() ?? { usage: {}, model: undefined }
        pushEnding(this.out, { finishReason: "other", rawFinishReason: why, usage, model })
      }
    }
    this.wake()
  }

  // --- from frames to events ------------------------------------------------------------------------------------------

  private readonly framed = (data: string, name: string | undefined): void => this.event(data, name)

  private frames(fault: Fault | undefined): void {
    if (fault !== undefined && !this.finished) this.fault(fault, "")
  }

  private endOfFrames(framing: Framing): void {
    this.frames(framing.end())
    if (this.failure === undefined) this.finish()
  }

  // --- from text to events --------------------------------------------------------------------------------------------

  private endOfText(): void {
    this.text(this.utf8.decode())
    if (this.streamed) this.endOfStream()
    else this.endOfBody(this.held.join(""))
  }

  private text(text: string): void {
    if (this.streamed) return this.parser.feed(text)
    this.heldLength += text.length
    if (this.heldLength > maxHeld) return this.fail(this.malformed(`more than ${maxHeld} characters`, ""))
    this.held.push(text)
    if (this.begun !== undefined) this.judge(this.begun + text)
  }

  /** Is it a stream under another content type? Then it is read as it comes. */
  private judge(begun: string): void {
    const start = begun.trimStart()
    if (firstFields.some((field) => start.startsWith(field))) {
      this.begun = undefined
      this.streamed = true
      this.parser.feed(this.held.join(""))
      this.held = []
    } else this.begun = firstFields.some((field) => field.startsWith(start)) ? start : undefined
  }

  private event(data: string, name: string | undefined): void {
    if (this.failure !== undefined || this.finished) return
    this.events++
    const fault = this.decoder.event(data, name, this.out)
    if (fault !== undefined)
      this.fault(this.flushing && fault._tag === "MalformedFault" ? truncated : fault, data)
    else if (this.decoder.done()) this.finish()
  }

  private finish(): void {
    const fault = this.decoder.end(this.out)
    if (fault === undefined) this.finished = true
    else this.fault(fault, "")
  }

  private endOfStream(): void {
    // The last event counts even if the blank line behind it is missing. One that cannot be read then is half an event.
    this.flushing = true
    this.parser.feed("\n\n")
    if (this.failure !== undefined || this.finished) return
    const stray = this.stray === "" ? undefined : parseJson(this.stray)
    if (stray === undefined) return this.finish()
    // A whole JSON body that is only labelled as a stream, or an error behind the last event.
    if (this.events === 0) return this.whole(stray)
    this.fault({ _tag: "ErrorFault", json: stray }, this.stray)
  }

  /** A stream may be answered with one JSON body (guardrails do that), and a stream may come under another type. */
  private endOfBody(text: string): void {
    const json = parseJson(text)
    if (json !== undefined) return this.whole(json)
    if (!/^(data|event|id|retry)?:/m.test(text))
      return this.fail(this.malformed("neither JSON nor a stream of events", text))
    this.parser.feed(text)
    this.endOfStream()
  }

  private whole(json: unknown): void {
    const decoded = Whole.decode(this.wire, json, this.response, this.asked)
    if (decoded._tag === "Left") return this.fail(decoded.left)
    Whole.pushEvents(this.out, decoded.right)
    this.finished = true
  }

  // --- failures -------------------------------------------------------------------------------------------------------

  /** A vendor without an end marker may finish its answer and leave the connection open: that is no broken stream. */
  private readonly timedOut = (timeout: ModelTimeout): void => {
    if (timeout.phase === "idle" && this.streamed && this.decoder.end(this.out) === undefined) {
      this.finished = true
      this.waitedEnough = true
      this.wake()
    } else this.fail(timeout)
  }

  private readonly fail = (error: LegError): void => {
    this.failure ??= error
    this.wake()
  }

  private fault(fault: Fault, found: string): void {
    this.failure ??= toLegError(fault, found, this.response, this.asked)
  }

  private malformed(problem: string, found: string): LegError {
    return Whole.malformed(problem, found, this.response, this.asked)
  }

  /** After the end marker: waits for the end of the body, so that the connection can be used again. */
  private readonly drain: Effect.Effect<void> = Effect.suspend(() =>
    Effect.ignore(
      Clocks.within(
        Effect.async<void>((resume) => {
          const sink = {
            bytes: () => this.body.pull(sink),
            end: () => {
              this.ended = true
              resume(Effect.void)
            },
            broken: () => resume(Effect.void)
          }
          this.body.pull(sink)
        }),
        drainMillis,
        Clocks.startProgress()
      )
    )
  )
}

const toLegError = (fault: Fault, found: string, response: GatewayResponse, asked: Asked): LegError =>
  fault._tag === "TruncatedFault"
    ? new TransportFailure(
        {
          ...asked,
          status: response.status,
          logId: response.gateway.logId,
          gateway: response.gateway,
          message: `The stream of ${asked.provider} was cut off: it ended before the model did.`
        },
        unchecked
      )
    : Whole.faultError(fault, found, response, asked)
