/** A stream that is read again from its beginning, of which the first events are known already. */
import type { ByteSource, Sink } from "../transport/byteSource.js"
import type { IncomingResponse } from "../transport/transport.js"
import { EventBlocks } from "./eventBlocks.js"

/** The response, whose body is `muted` as long as it gives one of the first `count` events. */
export const skipping = (incoming: IncomingResponse, count: number): IncomingResponse =>
  count === 0 ? incoming : { ...incoming, body: new Muting(incoming.body, count) }

class Muting implements ByteSource {
  muted = true
  private readonly blocks = new EventBlocks(0)
  private rest: Uint8Array | undefined

  constructor(
    private readonly body: ByteSource,
    private readonly count: number
  ) {}

  pull(sink: Sink): void {
    if (this.rest !== undefined) {
      const { rest } = this
      this.rest = undefined
      this.muted = false
      return sink.bytes(rest)
    }
    if (this.blocks.count >= this.count) {
      this.muted = false
      return this.body.pull(sink)
    }
    this.body.pull({
      bytes: (bytes) => {
        const end = this.endIn(bytes)
        if (end < bytes.length) this.rest = bytes.subarray(end)
        sink.bytes(end < bytes.length ? bytes.subarray(0, end) : bytes)
      },
      // What ends or breaks is told, whatever was skipped.
      end: () => {
        this.muted = false
        sink.end()
      },
      broken: (reason) => {
        this.muted = false
        sink.broken(reason)
      }
    })
  }

  cancel(): void {
    this.body.cancel()
  }

  /** Where the last of the events that are skipped ends. */
  private endIn(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; ) {
      const line = bytes.indexOf(10, at)
      // Lines that end in `\r` alone are looked at byte by byte.
      const end = line === -1 ? at + 1 : line + 1
      this.blocks.push(bytes.subarray(at, end))
      if (this.blocks.count >= this.count) return end
      at = end
    }
    return bytes.length
  }
}
