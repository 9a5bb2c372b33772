/** Tells a stream of events from one whole body, by its first byte that is not blank. */

/** Begins it like JSON or HTML? Not known while only blanks and a byte order mark have come. */
export const looksLikeEvents = (bytes: Uint8Array): boolean | undefined => {
  for (const byte of bytes) {
    switch (byte) {
      case 0x09:
      case 0x0a:
      case 0x0d:
      case 0x20:
      case 0xef:
      case 0xbb:
      case 0xbf:
        break
      // { [ <
      case 0x7b:
      case 0x5b:
      case 0x3c:
        return false
      default:
        return true
    }
  }
  return undefined
}
