/** What a run's provider has said so far, for whoever reads it and from whichever event on. */
import { makeBlankLines } from "./blankLines.js"

export interface RunBuffer {
  readonly add: (bytes: Uint8Array) => void
  /** All has been said. */
  readonly end: (now: number) => void
  /** The provider broke off. */
  readonly fail: (error: unknown, now: number) => void
  /** When the last byte came; `undefined` while it may not be the last. */
  readonly endedAt: () => number | undefined
  /** The bytes behind so many events, as they come; none if there are fewer. */
  readonly read: (fromEvent: number, signal: AbortSignal) => AsyncGenerator<Uint8Array, void>
}

export const makeRunBuffer = (): RunBuffer => {
  const chunks: Array<Uint8Array> = []
  const blankLines = makeBlankLines()
  /** Where each event ends: the chunk, and the offset in it. */
  const ends: Array<readonly [chunk: number, offset: number]> = []
  let endedAt: number | undefined
  let failure: { readonly error: unknown } | undefined
  let changed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  const notify = () => {
    changed?.resolve()
    changed = undefined
  }

  const change = (): Promise<void> => {
    if (changed === undefined) {
      let resolve = () => {}
      const promise = new Promise<void>((resume) => {
        resolve = resume
      })
      changed = { promise, resolve }
    }
    return changed.promise
  }

  async function* read(fromEvent: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const gone = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      else signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    })
    // A reader that has left does not wait for it any more.
    gone.catch(() => undefined)
    const more = () => Promise.race([change(), gone])
    while (ends.length < fromEvent) {
      if (endedAt !== undefined) return
      await more()
    }
    let [chunk, offset] = fromEvent === 0 ? [0, 0] : (ends[fromEvent - 1] ?? [0, 0])
    for (;;) {
      const bytes = chunks[chunk]
      if (bytes !== undefined) {
        const rest = bytes.subarray(offset)
        chunk++
        offset = 0
        if (rest.length > 0) yield rest
      } else if (endedAt === undefined) await more()
      else if (failure !== undefined) throw failure.error
      else return
    }
  }

  return {
    add: (bytes) => {
      for (const end of blankLines.ends(bytes)) ends.push([chunks.length, end])
      chunks.push(bytes)
      notify()
    },
    end: (now) => {
      endedAt = now
      notify()
    },
    fail: (error, now) => {
      failure = { error }
      endedAt = now
      notify()
    },
    endedAt: () => endedAt,
    read
  }
}
