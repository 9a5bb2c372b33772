/**
 * Amazon's binary event stream: frames of headers and a payload, each with two checksums. Source:
 * `protocol/wire-formats.md` §10.3.
 */
import { stringify } from "../json.js"
import { crc32 } from "./crc32.js"
import { type Fault, type Framing, type FramingFormat, malformed, truncated } from "./wire.js"

export const format: FramingFormat = {
  contentType: "application/vnd.amazon.eventstream",
  make: () => new Frames()
}

/** Lengths and their checksum. */
const preludeSize = 12
/** A frame without headers and payload. */
const smallest = preludeSize + 4
/** The most bytes of one frame that are held in memory. A corrupt length is not believed, whatever its checksum. */
const largest = 16 * 1024 * 1024

/** Marks the name of an event as the type of an exception, or as the code of an error that the service does not model. */
const exceptionMark = "exception "

/** The type of the exception that an event is, if it is one. */
export const exceptionOf = (name: string | undefined): string | undefined =>
  name?.startsWith(exceptionMark) === true ? name.slice(exceptionMark.length) : undefined

class Frames implements Framing {
  private held = new Uint8Array(0)
  private length = 0
  private count = 0
  private fault: Fault | undefined
  private readonly utf8 = new TextDecoder()
  /** The headers of frames of one type are the same bytes: they are read once. */
  private latest: { readonly bytes: Uint8Array; readonly headers: Headers } | undefined

  push(bytes: Uint8Array, event: (data: string, name: string | undefined) => void): Fault | undefined {
    if (this.fault !== undefined) return this.fault
    const all = this.length === 0 ? bytes : this.append(bytes)
    let at = 0
    while (all.length - at >= preludeSize) {
      const view = new DataView(all.buffer, all.byteOffset + at, all.length - at)
      const size = this.sizeOf(view, all, at)
      if (typeof size !== "number") return this.failed(size)
      if (size > all.length - at) break
      const fault = this.read(view, all.subarray(at, at + size), event)
      if (fault !== undefined) return this.failed(fault)
      this.count++
      at += size
    }
    this.keep(all, at)
    return undefined
  }

  end(): Fault | undefined {
    if (this.fault !== undefined || this.length === 0) return this.fault
    return this.failed(truncated)
  }

  private failed(fault: Fault): Fault {
    this.fault = fault
    this.held = new Uint8Array(0)
    this.length = 0
    return fault
  }

  private wrong(problem: string): Fault {
    return malformed(`frame ${this.count + 1} of the event stream`, problem)
  }

  private append(bytes: Uint8Array): Uint8Array {
    const length = this.length + bytes.length
    if (length > this.held.length) {
      // Doubling, as bytes come: a frame that arrives byte by byte is not copied at every byte.
      const larger = new Uint8Array(Math.max(length, 2 * this.held.length))
      larger.set(this.held.subarray(0, this.length))
      this.held = larger
    }
    this.held.set(bytes, this.length)
    this.length = length
    return this.held.subarray(0, length)
  }

  /** Keeps what is no whole frame yet. */
  private keep(all: Uint8Array, at: number): void {
    if (all.buffer === this.held.buffer) {
      if (at > 0) this.held.copyWithin(0, at, this.length)
      this.length -= at
    } else {
      this.length = 0
      if (at < all.length) this.append(all.subarray(at))
    }
  }

  /** The length of the frame that begins here, once its prelude is known to be whole. */
  private sizeOf(view: DataView, all: Uint8Array, at: number): number | Fault {
    if (crc32(all, at, at + 8) !== view.getUint32(8))
      return this.wrong("the checksum of its prelude is wrong")
    const size = view.getUint32(0)
    if (size < smallest || size > largest) {
      return this.wrong(`its length is ${size} bytes, which is not from ${smallest} to ${largest}`)
    }
    const headers = view.getUint32(4)
    return headers > size - smallest
      ? this.wrong(`its headers have ${headers} bytes, more than the frame of ${size}`)
      : size
  }

  private read(
    view: DataView,
    frame: Uint8Array,
    event: (data: string, name: string | undefined) => void
  ): Fault | undefined {
    const end = frame.length - 4
    if (crc32(frame, 0, end) !== view.getUint32(end))
      return this.wrong("the checksum of the message is wrong")
    const payloadAt = preludeSize + view.getUint32(4)
    const headers = this.headersOf(frame.subarray(preludeSize, payloadAt))
    if (typeof headers === "string") return this.wrong(headers)
    const data = this.utf8.decode(frame.subarray(payloadAt, end))
    switch (headers.messageType) {
      case "exception":
        event(data, exceptionMark + (headers.exceptionType ?? ""))
        break
      case "error":
        // Its words are a header, and its payload is empty.
        event(
          data === "" ? (stringify({ message: headers.errorMessage ?? "" }) ?? "") : data,
          exceptionMark + (headers.errorCode ?? "")
        )
        break
      default:
        event(data, headers.eventType)
    }
    return undefined
  }

  private headersOf(bytes: Uint8Array): Headers | string {
    if (this.latest !== undefined && areEqual(this.latest.bytes, bytes)) return this.latest.headers
    const headers = readHeaders(bytes, this.utf8)
    if (typeof headers !== "string") this.latest = { bytes: bytes.slice(), headers }
    return headers
  }
}

const areEqual = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

// --- headers ------------------------------------------------------------------------------------------------------------

/** What the reader of a stream needs to know of a frame. */
interface Headers {
  messageType?: string
  eventType?: string
  exceptionType?: string
  errorCode?: string
  errorMessage?: string
}

const wanted: Readonly<Record<string, keyof Headers>> = {
  ":message-type": "messageType",
  ":event-type": "eventType",
  ":exception-type": "exceptionType",
  ":error-code": "errorCode",
  ":error-message": "errorMessage"
}

/** How many bytes a value has, by its type; types 6 and 7 say it themselves, in two bytes. */
const valueSizes: ReadonlyArray<number | "told"> = [0, 0, 1, 2, 4, 8, "told", "told", 8, 16]
const stringType = 7

/** The headers, or what is wrong with them. */
const readHeaders = (bytes: Uint8Array, utf8: TextDecoder): Headers | string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const headers: Headers = {}
  let at = 0
  while (at < bytes.length) {
    const nameAt = at + 1
    const typeAt = nameAt + view.getUint8(at)
    if (typeAt >= bytes.length) return "the name of a header runs beyond its headers"
    const name = utf8.decode(bytes.subarray(nameAt, typeAt))
    const type = view.getUint8(typeAt)
    let size = valueSizes[type]
    if (size === undefined) return `the header ${name} has the type ${type}, which there is not`
    let valueAt = typeAt + 1
    if (size === "told") {
      if (valueAt + 2 > bytes.length) return `the header ${name} runs beyond its headers`
      size = view.getUint16(valueAt)
      valueAt += 2
    }
    at = valueAt + size
    if (at > bytes.length) return `the header ${name} runs beyond its headers`
    const key = Object.hasOwn(wanted, name) ? wanted[name] : undefined
    if (key !== undefined && type === stringType) headers[key] = utf8.decode(bytes.subarray(valueAt, at))
  }
  return headers
}
