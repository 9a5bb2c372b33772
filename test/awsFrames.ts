/** Frames of Bedrock's streams, as Amazon's own encoder makes them. */
import { EventStreamCodec, type MessageHeaders } from "@smithy/eventstream-codec"

const encode = (text: string) => new TextEncoder().encode(text)
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes)),
  encode
)

const frame = (headers: Readonly<Record<string, string>>, payload: unknown): Uint8Array => {
  const typed: MessageHeaders = {}
  for (const [name, value] of Object.entries(headers)) typed[name] = { type: "string", value }
  return codec.encode({ headers: typed, body: encode(JSON.stringify(payload)) })
}

export const event = (type: string, payload: unknown): Uint8Array =>
  frame({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload)

export const exception = (type: string, payload: unknown): Uint8Array =>
  frame(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    payload
  )

export const says = (text: string): Uint8Array =>
  event("contentBlockDelta", { contentBlockIndex: 0, delta: { text }, p: "abc" })

export const begins: Uint8Array = event("messageStart", { role: "assistant" })

export const ends: Uint8Array = Buffer.concat([
  event("contentBlockStop", { contentBlockIndex: 0 }),
  event("messageStop", { stopReason: "end_turn" }),
  event("metadata", { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } })
])

export const eventStream = "application/vnd.amazon.eventstream"
