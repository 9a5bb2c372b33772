/** What a stream has handed over so far, kept for the moment it breaks. */

import type { ChatEvent } from "../ChatEvent.js"
import { type LegError, StreamBroken } from "./errors.js"
import { unchecked } from "./unchecked.js"

/** Beyond this many characters only events are counted, so that a stream's memory does not grow with its length. */
const keptCharacters = 1 << 20

/** Text in pieces, joined now and then: a long chain of concatenations would hold every piece as an object of its own. */
class Pieces {
  private joined = ""
  private pieces: Array<string> = []
  private length = 0

  add(text: string): void {
    if (this.length >= keptCharacters) return
    this.length += text.length
    if (this.pieces.push(text) >= 512) this.text()
  }

  text(): string {
    if (this.pieces.length > 0) {
      this.joined = [this.joined, ...this.pieces].join("")
      this.pieces = []
    }
    return this.joined.slice(0, keptCharacters)
  }
}

export class Delivered {
  private readonly spoken = new Pieces()
  private readonly thought = new Pieces()
  private events = 0

  add(events: ReadonlyArray<ChatEvent>): void {
    this.events += events.length
    for (const event of events) {
      if (event._tag === "TextDelta") this.spoken.add(event.text)
      else if (event._tag === "ReasoningDelta") this.thought.add(event.text)
    }
  }

  broken(cause: LegError): StreamBroken {
    const { provider, model, source, status, code, logId, gateway } = cause
    return new StreamBroken(
      {
        provider,
        model,
        source,
        status,
        code,
        logId,
        gateway,
        message: `The stream broke after ${this.events} events: ${cause.message}`,
        delivered: { text: this.spoken.text(), reasoning: this.thought.text(), events: this.events },
        cause
      },
      unchecked
    )
  }
}
