/** The entries of a gateway's log, page by page, as one stream. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type LegError, MalformedResponse } from "../errors.js"
import { countAt, type JsonRecord } from "../json.js"
import type { LogEntry } from "./logEntry.js"

export interface Page {
  readonly entries: ReadonlyArray<LogEntry>
  /** Is there another page? Undefined where the server does not say. */
  readonly more: boolean | undefined
}

/**
 * What `result_info` says. The live API was seen to send `count`, `page`, `per_page` and `total_count`, and no
 * `total_pages`, which other lists of Cloudflare's have.
 */
export const hasMore = (
  info: JsonRecord | undefined,
  page: number,
  pageSize: number
): boolean | undefined => {
  if (info === undefined) return undefined
  const pages = countAt(info, "total_pages")
  if (pages !== undefined) return page < pages
  const total = countAt(info, "total_count")
  if (total === undefined) return undefined
  const perPage = countAt(info, "per_page") ?? 0
  return page * (perPage >= 1 ? perPage : pageSize) < total
}

/** Entries that are remembered, so that none is given twice: while a gateway writes its log, pages shift. */
const remembered = 1000

interface Place {
  readonly page: number
  /** Pages in a row, before this one, that brought nothing new. */
  readonly idle: number
}

/**
 * A page is asked for when it is needed, and not before. The end is an empty page, a page that is the last by the server's
 * word, or one that brings nothing new where the server says nothing. A server that goes on with pages which bring nothing
 * new, and says that there are more, is not asked for ever: the stream fails, because to end would hide what is missing.
 */
export const stream = (
  fetch: (page: number) => Effect.Effect<Page, LegError>
): Stream.Stream<LogEntry, LegError> =>
  Stream.suspend(() => {
    const seen = new Set<string>()
    const isNew = ({ id }: LogEntry): boolean => {
      if (seen.has(id)) return false
      seen.add(id)
      return true
    }
    return Stream.paginateChunkEffect({ page: 1, idle: 0 }, ({ page, idle }: Place) =>
      Effect.flatMap(fetch(page), ({ entries, more }) => {
        const fresh = entries.filter(isNew)
        forgetOldest(seen)
        const same = entries.length > 0 && fresh.length === 0
        const last = entries.length === 0 || more === false || (same && more === undefined)
        if (!last && same && idle > 0) return Effect.fail(repeated(page))
        const next: Place = { page: page + 1, idle: same ? idle + 1 : 0 }
        return Effect.succeed([
          Chunk.unsafeFromArray(fresh),
          last ? Option.none<Place>() : Option.some(next)
        ] as const)
      })
    )
  })

const forgetOldest = (seen: Set<string>): void => {
  // A Set is in the order of insertion.
  for (const id of seen) {
    if (seen.size <= remembered) return
    seen.delete(id)
  }
}

const repeated = (page: number): MalformedResponse =>
  new MalformedResponse({
    message: `Page ${page} of the gateway's log, and the one before it, brought nothing new, and the server says that there is more: check baseUrl, and any cache on the way.`,
    excerpt: ""
  })
