/** Calls of tools and their results, each of which needs the other. */

/** A turn of a conversation: its place, the calls that it makes, the results that it brings. */
export interface Turn {
  readonly at: number
  readonly calls: ReadonlyArray<string>
  readonly results: ReadonlyArray<string>
}

export type Unpaired =
  | { readonly kind: "orphan"; readonly at: number; readonly id: string }
  | { readonly kind: "missing"; readonly at: number; readonly ids: ReadonlyArray<string> }

/**
 * The first result without a call before it, or call without a result right after it. Results may be spread over
 * several turns in a row.
 */
export const unpaired = (turns: ReadonlyArray<Turn>): Unpaired | undefined => {
  let open: ReadonlyArray<string> = []
  for (const { at, calls, results } of turns) {
    const orphan = results.find((id) => !open.includes(id))
    if (orphan !== undefined) return { kind: "orphan", at, id: orphan }
    open = open.filter((id) => !results.includes(id))
    if (open.length > 0 && (results.length === 0 || calls.length > 0))
      return { kind: "missing", at, ids: open }
    if (calls.length > 0) open = calls
  }
  return open.length > 0 ? { kind: "missing", at: turns.length, ids: open } : undefined
}
