/**
 * Ids of tool calls for vendors whose ids are unique in the whole conversation and have few kinds of characters. Ids of
 * other vendors' calls may be neither: `functions.search:0`, or `call_0` at every turn.
 */
export interface CallIds {
  /** A message of the model begins: what earlier ones called waits no longer. */
  readonly turn: () => void
  /** The wire id of a new call. */
  readonly open: (id: string) => string
  /** The wire id of the turn's first call with this id that has no result yet, else of the latest one. */
  readonly of: (id: string) => string
}

/** Ids of 1 to `longest` letters, digits, `_` and `-`. */
export const make = (longest: number): CallIds => {
  const waiting = new Map<string, Array<string>>()
  const latest = new Map<string, string>()
  const used = new Set<string>()
  const clean = (id: string): string =>
    id === "" ? "call" : id.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, longest)
  return {
    turn: () => waiting.clear(),
    open(id) {
      const base = clean(id)
      let unique = base
      for (let count = 2; used.has(unique); count++) {
        const end = `_${count}`
        unique = base.slice(0, longest - end.length) + end
      }
      used.add(unique)
      latest.set(id, unique)
      waiting.set(id, [...(waiting.get(id) ?? []), unique])
      return unique
    },
    of: (id) => waiting.get(id)?.shift() ?? latest.get(id) ?? clean(id)
  }
}
