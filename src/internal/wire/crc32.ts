/** The checksum of zlib and ISO 3309 (polynomial 0xEDB88320). */

// Signed: numbers above 31 bits would not stay integers in the machine.
let table: Int32Array | undefined

// Made when it is first needed: most programs never read such a stream.
const makeTable = (): Int32Array => {
  const made = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
    }
    made[byte] = remainder
  }
  return made
}

/** Of the bytes from `start` up to `end`, as an unsigned number. */
export const crc32 = (bytes: Uint8Array, start: number, end: number): number => {
  table ??= makeTable()
  const known = table
  let crc = -1
  for (let index = start; index < end; index++) {
    crc = (known[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}
