/** A list of the latest items: an application may run on a local gateway for as long as it likes. */
export interface Recent<A> {
  readonly add: (item: A) => void
  readonly all: () => ReadonlyArray<A>
  readonly remove: (where: (item: A) => boolean) => void
  readonly clear: () => void
}

export const makeRecent = <A>(limit: number): Recent<A> => {
  let items: Array<A> = []
  return {
    add: (item) => {
      items.push(item)
      // In batches, so that a full list does not move at every item.
      if (items.length > limit * 2) items = items.slice(-limit)
    },
    all: () => items.slice(-limit),
    remove: (where) => {
      items = items.filter((item) => !where(item))
    },
    clear: () => {
      items = []
    }
  }
}
