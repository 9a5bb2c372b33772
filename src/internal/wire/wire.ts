/**
 * What a wire format is: a pure pair of encoder and decoder. It knows one vendor's JSON and nothing of HTTP, keys, the
 * gateway or Effect's runtime.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { ChatRequest } from "../../ChatRequest.js"
import type { Decoded } from "../../ChatResponse.js"

export interface Wire extends Reader {
  readonly encode: (input: EncodeInput) => Encoded
}

/** What reads the answers of a wire format. */
export interface Reader {
  /** A whole body. Total: any JSON gives an answer or a fault. */
  readonly decode: (json: unknown) => Decoded | Fault
  /** A fresh decoder for one stream. */
  readonly decoder: () => Decoder
  /** How a stream is cut into events, where it is not made of server-sent ones. */
  readonly framing?: FramingFormat | undefined
}

/** A way to cut a body into events, and the content type by which it is known. */
export interface FramingFormat {
  readonly contentType: string
  /** A fresh one for one stream. */
  readonly make: () => Framing
}

/** Cuts the bytes of one body into events. It is stateful, synchronous, and total. */
export interface Framing {
  /** Gives each event that is whole. A fault ends the stream; the events before it count. */
  readonly push: (
    bytes: Uint8Array,
    event: (data: string, name: string | undefined) => void
  ) => Fault | undefined
  /** The body has ended: a fault if it did so within an event. */
  readonly end: () => Fault | undefined
}

export interface EncodeInput {
  readonly model: string
  readonly request: ChatRequest
  readonly stream: boolean
  /** The provider's gateway slug: whose opaque reasoning is replayed. */
  readonly provider: string
  /** Sent where the wire format demands a limit and the request has none. */
  readonly maxOutputTokens?: number | undefined
}

export interface Encoded {
  /** The path behind the provider's slug, without a leading slash; may have a query. */
  readonly endpoint: string
  /** Protocol headers, such as a version. Never a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body: Readonly<Record<string, unknown>>
  /** Fields of the request that this body does not carry, by their names in `ChatRequest`. Nothing is dropped silently. */
  readonly unsupported: ReadonlyArray<string>
  /**
   * The tool that the model is forced to call instead of writing `request.output`, where the vendor has no mode for that.
   * Its arguments are the answer's text.
   */
  readonly outputTool?: string | undefined
}

/** Decodes the events of one stream. It is stateful, synchronous, and total: it never throws, whatever it is fed. */
export interface Decoder {
  /**
   * Reads one event and pushes what it means, `Start`, `Usage` and `Finish` excepted. A fault ends the stream; what was
   * pushed before it counts.
   */
  readonly event: (data: string, name: string | undefined, out: Array<ChatEvent>) => Fault | undefined
  /** Was the stream's own end marker read? Then nothing more is to come. */
  readonly done: () => boolean
  /** The body has ended, or `done`: pushes what was held back, `Usage` and `Finish`; or tells that the stream is cut off. */
  readonly end: (out: Array<ChatEvent>) => Fault | undefined
  /** What is known by now of an answer that will never be whole. Absent: nothing. */
  readonly soFar?: (() => Pick<Decoded, "usage" | "model">) | undefined
}

export type Fault = ErrorFault | MalformedFault | TruncatedFault

/** The provider's own error, inside a 200. */
export interface ErrorFault {
  readonly _tag: "ErrorFault"
  readonly json: unknown
}

/** Not what the vendor's protocol allows. */
export interface MalformedFault {
  readonly _tag: "MalformedFault"
  /** Where: `choices[0].message.content`. */
  readonly place: string
  readonly problem: string
}

/** The body ended before the model did. */
export interface TruncatedFault {
  readonly _tag: "TruncatedFault"
}

export const errorFault = (json: unknown): ErrorFault => ({ _tag: "ErrorFault", json })

export const malformed = (place: string, problem: string): MalformedFault => ({
  _tag: "MalformedFault",
  place,
  problem
})

export const truncated: TruncatedFault = { _tag: "TruncatedFault" }

export const isFault = <A extends object>(decoded: A | Fault): decoded is Fault => "_tag" in decoded
