/**
 * Small pieces of an event stream. `@effect/experimental/Sse`, which every provider package of `@effect/ai` reads events
 * with, scans what it is given once per event: a gateway that replays a cached stream in one piece would make that
 * quadratic.
 */

const newline = 10

/** Pieces that end behind a line, of about this many bytes, unless one line is longer. */
export const split = (bytes: Uint8Array, size = 512): ReadonlyArray<Uint8Array> => {
  if (bytes.length <= size) return [bytes]
  const pieces: Array<Uint8Array> = []
  let from = 0
  while (bytes.length - from > size) {
    const last = bytes.lastIndexOf(newline, from + size - 1)
    const end = last >= from ? last : bytes.indexOf(newline, from + size)
    if (end < 0) break
    pieces.push(bytes.subarray(from, end + 1))
    from = end + 1
  }
  if (from < bytes.length) pieces.push(bytes.subarray(from))
  return pieces
}
