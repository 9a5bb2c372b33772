/** From an answer to a `Response`, which is read as fast as the client reads and no faster. */
import type { Answered } from "./answered.js"
import { joined } from "./body.js"
import type { LogWriter } from "./logs.js"

export interface Sink {
  readonly log: LogWriter | undefined
  /** Called with the complete body. */
  readonly store: ((body: Uint8Array) => void) | undefined
  readonly now: () => number
  /** The answer is complete. */
  readonly finished: () => void
  /** It broke, on the provider's side. */
  readonly broken: () => void
  /** The client gave the body up. */
  readonly cancelled: (reason: unknown) => void
  readonly signal: AbortSignal
}

const bodyless = [101, 103, 204, 205, 304]

/** For `Response`, whose types want to know that no memory is shared. */
const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

export const respond = (answer: Answered, headers: Headers, sink: Sink): Response => {
  const init = { status: answer.status, headers }
  if (answer.body instanceof Uint8Array) {
    sink.log?.append(answer.body)
    sink.log?.end(sink.now())
    sink.store?.(answer.body)
    sink.finished()
    return new Response(bodyless.includes(answer.status) ? null : unshared(answer.body), init)
  }
  const iterator = answer.body(sink.signal)
  const kept: Array<Uint8Array> = []
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = await iterator.next()
          if (next.done === true) {
            sink.log?.end(sink.now())
            sink.store?.(joined(kept))
            sink.finished()
            return controller.close()
          }
          sink.log?.append(next.value)
          if (sink.store !== undefined) kept.push(next.value)
          controller.enqueue(next.value)
        } catch (error) {
          sink.log?.end(sink.now())
          sink.broken()
          controller.error(error)
        }
      },
      cancel: async (reason) => {
        sink.log?.end(sink.now())
        sink.cancelled(reason)
        await iterator.return?.()
      }
    },
    // Nothing is made before it is asked for.
    { highWaterMark: 0 }
  )
  return new Response(body, init)
}
