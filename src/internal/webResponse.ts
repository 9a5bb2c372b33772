/** A gateway's answer as what `fetch` gives. Its body is read from the socket as fast as somebody reads it, and no faster. */
import * as Effect from "effect/Effect"
import { connectionHeaders } from "./connectionHeaders.js"
import type { GatewayResponse } from "./exchange.js"
import { Response as Answer } from "./gatewayResponse.js"
import * as ByteSource from "./transport/byteSource.js"

/** Whoever holds this can end the body, and does not keep it in memory by that. */
export interface OpenBody {
  /** Closes the socket; a reader sees `reason`. Idempotent. */
  readonly abort: (reason: unknown) => void
  /** Is told once: when the body is read to its end, broken, cancelled or aborted. */
  readonly onEnd: (listener: () => void) => void
}

export interface WebResponse {
  readonly response: Response
  /** Absent where there is no body. */
  readonly open: OpenBody | undefined
}

const encodesNothing: ReadonlySet<number> = new Set([204, 205, 304])

export const fromAnswer = (answer: GatewayResponse, url: string): Effect.Effect<WebResponse> => {
  if (encodesNothing.has(answer.status)) {
    return Effect.as(answer.close, {
      response: fromParts(null, answer.status, answer.headers, url),
      open: undefined
    })
  }
  const source = answer instanceof Answer ? Effect.succeed(answer.body) : ByteSource.fromStream(answer.stream)
  return Effect.map(source, (source) => {
    const { stream, open } = webStream(source, answer)
    return { response: fromParts(stream, answer.status, answer.headers, url), open }
  })
}

/** `url` is the provider's own, without a key: the one that the client asked for. */
export const fromParts = (
  body: BodyInit | null,
  status: number,
  headers: Readonly<Record<string, string>>,
  url: string
): Response => {
  const kept = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (connectionHeaders.has(name)) continue
    try {
      kept.set(name, value)
    } catch {
      // What no `Headers` can hold, no `fetch` would have given either.
    }
  }
  // A `Response` cannot have any other status; whoever gave one has failed as a server.
  const shown = status >= 200 && status <= 599 ? status : 502
  const response = new Response(body, { status: shown, headers: kept })
  Object.defineProperty(response, "url", { value: url, configurable: true, enumerable: true })
  return response
}

const webStream = (
  source: ByteSource.ByteSource,
  answer: GatewayResponse
): { readonly stream: ReadableStream<Uint8Array>; readonly open: OpenBody } => {
  let done = false
  let ended: (() => void) | undefined
  // Not the controller itself: it would keep alive a body that nobody reads any more.
  let controllerRef: WeakRef<ReadableStreamDefaultController<Uint8Array>> | undefined
  const end = (): boolean => {
    if (done) return false
    done = true
    ended?.()
    return true
  }
  const close = (): void => {
    source.cancel()
    Effect.runFork(answer.close)
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (typeof WeakRef !== "undefined") controllerRef = new WeakRef(controller)
      },
      pull: (controller) =>
        new Promise<void>((resolve) => {
          source.pull({
            bytes: (bytes) => {
              // An empty chunk would not count as an answer to a pull.
              if (!done) controller.enqueue(bytes)
              resolve()
            },
            end: () => {
              if (end()) {
                controller.close()
                Effect.runFork(answer.close)
              }
              resolve()
            },
            broken: (reason) => {
              if (end()) {
                controller.error(terminated(answer, reason))
                close()
              }
              resolve()
            }
          })
        }),
      cancel() {
        if (end()) close()
      }
    },
    { highWaterMark: 0 }
  )
  const abort = (reason: unknown): void => {
    if (!end()) return
    controllerRef?.deref()?.error(reason)
    close()
  }
  return {
    stream,
    open: {
      abort,
      onEnd: (listener) => {
        ended = listener
      }
    }
  }
}

/** As `fetch` says it, with this library's error as the cause. */
const terminated = (answer: GatewayResponse, reason: unknown): TypeError =>
  new TypeError("terminated", { cause: answer instanceof Answer ? answer.brokenOff(reason) : reason })
