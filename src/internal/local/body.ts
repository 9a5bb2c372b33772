/** Bodies that come over time: pauses, keep-alives, errors in mid-stream, silence, broken connections. */

import type { BodySource } from "./answered.js"
import { millis } from "./builtIn.js"
import type { Modifiers } from "./reply.js"
import type { Timing } from "./time.js"
import { untilAborted } from "./timing.js"

/** The connection broke after the headers. */
export class Dropped extends TypeError {
  constructor() {
    super("terminated")
  }
}

/** The chunks as one. */
export const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

export interface Piece {
  readonly bytes: Uint8Array
  /** Whether the pause between chunks comes before it. */
  readonly paced: boolean
}

export interface BodyPlan {
  readonly pieces: Iterable<Piece>
  /** Milliseconds before each paced piece but the first. */
  readonly pause: number
  readonly modifiers: Modifiers
  readonly keepAlive: Uint8Array
  /** What `errorEvent` sends. */
  readonly errorEvent: Uint8Array
}

async function* paced(plan: BodyPlan, timing: Timing, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { dropAfter, errorEvent, stallAfter, keepAlives } = plan.modifiers
  for (let i = 0; i < (keepAlives?.count ?? 0); i++) {
    const every = millis(keepAlives?.every)
    if (every > 0) await timing.sleep(every, signal)
    if (plan.keepAlive.length > 0) yield plan.keepAlive
  }
  let events = 0
  let content = 0
  for (const piece of plan.pieces) {
    if (events === errorEvent?.afterEvents) return yield plan.errorEvent
    if (events === dropAfter) throw new Dropped()
    if (events === stallAfter) await untilAborted(signal)
    if (piece.paced && content++ > 0 && plan.pause > 0) await timing.sleep(plan.pause, signal)
    yield piece.bytes
    events++
  }
  if (errorEvent !== undefined) return yield plan.errorEvent
  if (dropAfter !== undefined) throw new Dropped()
  if (stallAfter !== undefined) await untilAborted(signal)
}

async function* inSizes(
  source: AsyncGenerator<Uint8Array, void>,
  size: number
): AsyncGenerator<Uint8Array, void> {
  let rest: Uint8Array = new Uint8Array(0)
  let failure: { readonly error: unknown } | undefined
  try {
    for await (const chunk of source) {
      const bytes = joined([rest, chunk])
      let at = 0
      for (; at + size <= bytes.length; at += size) yield bytes.subarray(at, at + size)
      rest = bytes.subarray(at)
    }
  } catch (error) {
    // What was sent before the break still arrives.
    failure = { error }
  }
  if (rest.length > 0) yield rest
  if (failure !== undefined) throw failure.error
}

export const bodyOf =
  (plan: BodyPlan, timing: Timing): BodySource =>
  (signal) => {
    const source = paced(plan, timing, signal)
    return plan.modifiers.chunkBytes === undefined ? source : inSizes(source, plan.modifiers.chunkBytes)
  }
