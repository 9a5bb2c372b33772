/**
 * Cuts the bytes of a stream into whole events, and counts them as the server does: by the blank lines that end them,
 * comments included. Source: `protocol/gateway.md` §5.10, which counts `\n\n`; that lines which end otherwise count alike
 * is not confirmed.
 *
 * No byte is changed, none is looked at twice, and the bytes of the event that is not whole yet are copied a constant
 * number of times, however they come.
 */

/** The most bytes of one event that are held in memory. */
const maxHeld = 16 * 1024 * 1024
/** What is kept for the next event after a long one. */
const maxIdle = 64 * 1024

const lf = 10
const cr = 13
const tab = 9
const space = 32

// What stands before the next byte:
/** anything but the end of a line, or the end of an event; */
const text = 0
/** a line that `\n` or `\r\n` ended; */
const afterLf = 1
/** a line that `\r` ended, unless `\n` comes now; */
const afterCr = 2
/** an empty line that `\r` ended, unless `\n` comes now, as it does where the line before ended in `\n`; */
const afterLfCr = 3
/** an event that `\r\r` ended: a `\n` that comes now ends no line of its own. */
const afterCrCr = 4

type After = typeof text | typeof afterLf | typeof afterCr | typeof afterLfCr | typeof afterCrCr

const none = new Uint8Array(0)

export class EventBlocks {
  /** Bytes of the event that is not whole yet: the first `length` ones of `buffer`. */
  private buffer = none
  private length = 0
  private after: After = text
  /** Does what is held have anything but line ends and spaces? */
  private half = false
  /** Is one event longer than what may be held? Then nothing more is read. */
  tooLong = false

  constructor(
    /** Whole events so far. */
    public count: number
  ) {}

  /** Is there an event of which a part has come? */
  get isHalf(): boolean {
    return this.half || this.after === afterLfCr
  }

  /** The bytes of the events that are whole now; none, if there is none. */
  push(bytes: Uint8Array): Uint8Array {
    const end = this.scan(bytes)
    if (end === -1) {
      this.hold(bytes)
      return none
    }
    const whole = this.take(bytes, end)
    this.hold(bytes.subarray(end))
    return whole
  }

  /** A view of the bytes of the event that is not whole yet. */
  get held(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** What is held, with `bytes` behind it; nothing is held any more. */
  release(bytes: Uint8Array): Uint8Array {
    const whole = this.take(bytes, bytes.length)
    this.discard()
    return whole
  }

  /** Forgets the event that is not whole: it comes again. */
  discard(): void {
    this.length = 0
    this.after = text
    this.half = false
    if (this.buffer.length > maxIdle) this.buffer = none
  }

  /** Where the last event that is whole ends, which may be before the first byte; -1 if there is none. */
  private scan(bytes: Uint8Array): number {
    let { after, half, count } = this
    let end = -1
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === lf) {
        if (after === afterLf || after === afterLfCr) {
          count++
          end = at + 1
          half = false
          after = text
        } else after = after === afterCrCr ? text : afterLf
      } else if (byte === cr) {
        if (after === afterCr) {
          count++
          end = at + 1
          half = false
          after = afterCrCr
        } else if (after === afterLfCr) {
          count++
          end = at
          half = false
          after = afterCr
        } else after = after === afterLf ? afterLfCr : afterCr
      } else {
        if (after === afterLfCr) {
          count++
          end = at
          half = false
        }
        after = text
        if (!half && byte !== space && byte !== tab) half = true
      }
    }
    this.after = after
    this.half = half
    this.count = count
    return end
  }

  private take(bytes: Uint8Array, end: number): Uint8Array {
    const rest = bytes.subarray(0, end)
    if (this.length === 0) return rest
    const whole = new Uint8Array(this.length + end)
    whole.set(this.buffer.subarray(0, this.length))
    whole.set(rest, this.length)
    this.length = 0
    if (this.buffer.length > maxIdle) this.buffer = none
    return whole
  }

  private hold(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > maxHeld) {
      this.tooLong = true
      this.discard()
      return
    }
    if (length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.buffer.length, 1024))
      grown.set(this.buffer.subarray(0, this.length))
      this.buffer = grown
    }
    this.buffer.set(bytes, this.length)
    this.length = length
  }
}
