/** Where the events of a stream end: at its blank lines, which the gateway counts to resume it. */

export interface BlankLines {
  /** The offsets in these bytes, which follow on those before, at which an event is over. */
  readonly ends: (bytes: Uint8Array) => ReadonlyArray<number>
}

const lf = 10
const cr = 13

export const makeBlankLines = (): BlankLines => {
  let lineBegins = false
  return {
    ends: (bytes) => {
      const ends: Array<number> = []
      for (const [index, byte] of bytes.entries()) {
        if (byte === lf) {
          if (lineBegins) ends.push(index + 1)
          lineBegins = !lineBegins
        } else if (byte !== cr) lineBegins = false
      }
      return ends
    }
  }
}
