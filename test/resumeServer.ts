/** A run whose stream can be read from any event, over connections that drop where a test says so. */
import { Effect } from "effect"
import { type LegError, TransportFailure } from "../src/internal/errors.js"
import type { ByteSource, Sink } from "../src/internal/transport/byteSource.js"
import type { IncomingResponse } from "../src/internal/transport/transport.js"

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
export const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

export const delta = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}`
export const done = "data: [DONE]"

/** A stream of these events, each with a blank line behind it. */
export const streamOf = (events: ReadonlyArray<string>, lineEnd = "\n"): string =>
  events.map((event) => `${event}\n\n`.replaceAll("\n", lineEnd)).join("")

/** What a connection does after its bytes. */
export type Ending = "end" | "broken" | "stall"

export interface Connection {
  readonly body: string | Uint8Array
  /** Bytes of one read; default all. */
  readonly chunk?: number
  readonly ending?: Ending
  /** Answers a pull later, as sockets do. */
  readonly later?: boolean
}

export interface Watched {
  readonly response: IncomingResponse
  readonly isClosed: () => boolean
  readonly pulls: () => number
}

export const connect = (
  { body, chunk, ending = "end", later = false }: Connection,
  status = 200,
  headers: Readonly<Record<string, string>> = { "content-type": "text/event-stream" }
): Watched => {
  const bytes = typeof body === "string" ? encode(body) : body
  const size = chunk ?? Math.max(1, bytes.length)
  let at = 0
  let closed = false
  let pulls = 0
  const answer = (sink: Sink): void => {
    if (at < bytes.length) {
      const piece = bytes.subarray(at, at + size)
      at += size
      sink.bytes(piece)
    } else if (ending === "end") sink.end()
    else if (ending === "broken") sink.broken(new Error("socket hang up"))
  }
  const source: ByteSource = {
    pull(sink) {
      pulls++
      if (later) setImmediate(() => answer(sink))
      else answer(sink)
    },
    cancel() {
      closed = true
    }
  }
  return {
    response: { status, headers, body: source, close: Effect.sync(source.cancel) },
    isClosed: () => closed,
    pulls: () => pulls
  }
}

/** Reads a body to its end. */
export interface Read {
  readonly text: string
  /** The sizes of the reads that had bytes. */
  readonly reads: ReadonlyArray<string>
  readonly broken: unknown
}

export const readAll = (body: ByteSource): Effect.Effect<Read> =>
  Effect.async((resume) => {
    const reads: Array<string> = []
    const parts: Array<Uint8Array> = []
    const finish = (broken: unknown) => {
      const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
      let at = 0
      for (const part of parts) {
        all.set(part, at)
        at += part.length
      }
      resume(Effect.succeed({ text: decode(all), reads, broken }))
    }
    const sink: Sink = {
      bytes(bytes) {
        if (bytes.length > 0) {
          parts.push(bytes.slice())
          reads.push(decode(bytes))
        }
        body.pull(sink)
      },
      end: () => finish(undefined),
      broken: finish
    }
    body.pull(sink)
  })

export const noResponse: Effect.Effect<never, LegError> = Effect.suspend(() =>
  Effect.fail(new TransportFailure({ message: "connection refused" }))
)
