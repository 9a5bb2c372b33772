/**
 * Runs that can be resumed: each goes on at its provider to its end, whoever still listens, and is kept for a while
 * behind that.
 */
import type { Answered, BodySource } from "./answered.js"
import { makeBlankLines } from "./blankLines.js"
import { Dropped } from "./body.js"
import { millis } from "./builtIn.js"
import { hex } from "./ids.js"
import type { LogWriter } from "./logs.js"
import type { Options } from "./options.js"
import { makeRunBuffer, type RunBuffer } from "./runBuffer.js"
import type { RunConnection } from "./runConnections.js"
import type { Timing } from "./time.js"
import { untilAborted } from "./timing.js"

export interface Run {
  readonly id: string
  readonly gateway: string
  /** How the next connection to it fares. */
  readonly connect: () => RunConnection
  /** What that connection gets from so many events on. */
  readonly read: (fromEvent: number, connection: RunConnection) => BodySource
}

interface Kept extends Run {
  readonly buffer: RunBuffer
  readonly stop: () => void
}

export interface Runs {
  /** Starts to read a provider's stream. `stop` ends it there. */
  readonly start: (facts: {
    readonly gateway: string
    readonly answer: Answered
    readonly log: LogWriter | undefined
    readonly timing: Timing
    readonly controller: AbortController
  }) => Run
  readonly find: (gateway: string, id: string, now: number) => Run | undefined
  readonly clear: () => void
}

/** More than this many, and the oldest is given up. */
const mostRuns = 1000

/** Cloudflare's buffers were measured to be gone after 330 to 360 seconds. */
const defaultLife = 330_000

const pump = async (
  answer: Answered,
  buffer: RunBuffer,
  log: LogWriter | undefined,
  timing: Timing,
  signal: AbortSignal
): Promise<void> => {
  try {
    if (answer.body instanceof Uint8Array) {
      log?.append(answer.body)
      buffer.add(answer.body)
    } else {
      const source = answer.body(signal)
      for (let next = await source.next(); next.done !== true; next = await source.next()) {
        log?.append(next.value)
        buffer.add(next.value)
      }
    }
    buffer.end(timing.now())
  } catch (error) {
    buffer.fail(error, timing.now())
  }
  log?.end(timing.now())
}

/** The bytes up to the place where the connection breaks, or falls silent. */
async function* until(
  source: AsyncIterable<Uint8Array>,
  afterEvents: number,
  bytes: number,
  then: () => Promise<never>
): AsyncGenerator<Uint8Array, void> {
  const blankLines = makeBlankLines()
  let events = 0
  let left: number | undefined = afterEvents <= 0 ? bytes : undefined
  if (left === 0) await then()
  for await (const chunk of source) {
    let rest = chunk
    if (left === undefined) {
      const ends = blankLines.ends(chunk)
      const end = ends[afterEvents - events - 1]
      events += ends.length
      if (end === undefined) {
        yield chunk
        continue
      }
      left = bytes
      yield chunk.subarray(0, end)
      rest = chunk.subarray(end)
    }
    const piece = rest.subarray(0, left)
    left -= piece.length
    if (piece.length > 0) yield piece
    if (left === 0) await then()
  }
  await then()
}

const drop = () => Promise.reject(new Dropped())

const faring = (
  source: AsyncGenerator<Uint8Array, void>,
  connection: RunConnection,
  signal: AbortSignal
): AsyncGenerator<Uint8Array, void> => {
  switch (connection._tag) {
    case "Cut":
      return until(source, connection.afterEvents, connection.bytes, drop)
    case "Silent":
      return until(source, connection.afterEvents, 0, () => untilAborted(signal))
    default:
      return source
  }
}

export const makeRuns = (options: Options): Runs => {
  const runs = new Map<string, Kept>()
  const life = options.runs?.life === undefined ? defaultLife : millis(options.runs.life)

  const isGone = ({ buffer }: Kept, now: number): boolean => {
    const endedAt = buffer.endedAt()
    return endedAt !== undefined && now >= endedAt + life
  }

  const forget = (run: Kept) => {
    runs.delete(run.id)
    run.stop()
  }

  return {
    start: ({ gateway, answer, log, timing, controller }) => {
      const buffer = makeRunBuffer()
      const planned = answer.connections ?? options.runs?.connections ?? []
      let made = 0
      const run: Kept = {
        id: hex(64),
        gateway,
        buffer,
        connect: () => planned[made++] ?? { _tag: "Whole" },
        read: (fromEvent, connection) => (signal) =>
          faring(buffer.read(fromEvent, signal), connection, signal),
        stop: () => controller.abort(new Error("The run was given up"))
      }
      for (const oldest of runs.values()) {
        if (runs.size < mostRuns && !isGone(oldest, timing.now())) break
        forget(oldest)
      }
      runs.set(run.id, run)
      void pump(answer, buffer, log, timing, controller.signal)
      return run
    },
    find: (gateway, id, now) => {
      const run = runs.get(id)
      if (run === undefined || run.gateway !== gateway) return undefined
      if (!isGone(run, now)) return run
      forget(run)
      return undefined
    },
    clear: () => {
      for (const run of runs.values()) forget(run)
    }
  }
}
