/** AWS's binary event stream: lengths, headers, payload, and two CRC-32. */
import { joined } from "./body.js"

/** The CRC-32 of zlib, bit by bit: frames are few and short. */
const crc32 = (bytes: Uint8Array): number => {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

const bigEndian = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value)
  return bytes
}

const encoder = new TextEncoder()

/** A header of AWS's event stream: name, type 7 (text), value, each with its length. */
const header = (name: string, value: string): Uint8Array =>
  joined([
    new Uint8Array([name.length]),
    encoder.encode(name),
    new Uint8Array([7, value.length >> 8, value.length & 255]),
    encoder.encode(value)
  ])

export const awsFrame = (kind: "event" | "exception", type: string, json: unknown): Uint8Array => {
  const headers = joined([
    header(`:${kind}-type`, type),
    header(":content-type", "application/json"),
    header(":message-type", kind)
  ])
  const payload = encoder.encode(JSON.stringify(json))
  const prelude = bigEndian(headers.length + payload.length + 16, headers.length)
  const message = joined([prelude, bigEndian(crc32(prelude)), headers, payload])
  return joined([message, bigEndian(crc32(message))])
}
