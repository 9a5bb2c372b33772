/** A provider that is somewhere else: requests go on to its base URL, and answers come back as they are. */

import type { Answered, BodySource } from "./answered.js"
import { noAnswerFromProvider } from "./errors.js"
import type { UpstreamRequest } from "./records.js"
import type { Upstream } from "./upstreamKinds.js"

/** Headers that belong to one connection, or that `fetch` sets itself. */
const hopByHop = [
  "host",
  "content-length",
  "connection",
  "accept-encoding",
  "transfer-encoding",
  "keep-alive"
]

/** `fetch` has already decoded the body. */
const stale = ["content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"]

const without = (headers: Iterable<readonly [string, string]>, names: ReadonlyArray<string>) =>
  Object.fromEntries(Array.from(headers).filter(([name]) => !names.includes(name)))

const bytesOf =
  (stream: ReadableStream<Uint8Array>): BodySource =>
  (signal) => {
    const reader = stream.getReader()
    // A reader that is left alone would hold the connection open.
    signal.addEventListener("abort", () => reader.cancel(signal.reason).catch(() => undefined), {
      once: true
    })
    return {
      next: async () => {
        const chunk = await reader.read()
        if (signal.aborted) throw signal.reason
        return chunk.done ? { done: true, value: undefined } : { done: false, value: chunk.value }
      },
      return: async () => {
        await reader.cancel().catch(() => undefined)
        return { done: true, value: undefined }
      }
    }
  }

export const forwardTo = async (
  upstream: Extract<Upstream, { readonly _tag: "Forward" }>,
  request: UpstreamRequest,
  signal: AbortSignal
): Promise<Answered> => {
  const url = `${upstream.baseUrl.replace(/\/+$/, "")}/${request.endpoint}`
  const send = upstream.fetch ?? globalThis.fetch
  try {
    const response = await send(url, {
      method: request.method,
      headers: without(Object.entries(request.headers), hopByHop),
      signal,
      ...(request.text === "" ? {} : { body: request.text })
    })
    return {
      origin: "provider",
      status: response.status,
      headers: without(response.headers, stale),
      body: response.body === null ? new Uint8Array(0) : bytesOf(response.body)
    }
  } catch (error) {
    if (signal.aborted) throw error
    return { ...noAnswerFromProvider(), origin: "provider" }
  }
}
