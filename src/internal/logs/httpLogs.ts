/** A gateway's log over the account's management API. Source: `protocol/gateway.md` §5.7. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { type LegError, type LogNotFound, MalformedResponse } from "../errors.js"
import { recordAt } from "../json.js"
import * as LogEntry from "./logEntry.js"
import * as LogId from "./logId.js"
import * as LogPages from "./logPages.js"
import * as LogPatch from "./logPatch.js"
import * as LogQuery from "./logQuery.js"
import * as LogRefusal from "./logRefusal.js"
import type { Send } from "./logSender.js"
import * as LogSpan from "./logSpan.js"

export interface HttpLogs {
  readonly get: (logId: string) => Effect.Effect<LogEntry.LogEntry, LegError | LogNotFound>
  readonly patch: (logId: string, patch: LogPatch.Patch) => Effect.Effect<void, LegError | LogNotFound>
  readonly list: (query?: LogQuery.Query) => Stream.Stream<LogEntry.LogEntry, LegError>
  readonly remove: (removal: LogQuery.Removal) => Effect.Effect<void, LegError | LogNotFound>
}

export const make = (send: Send): HttpLogs => {
  const find = (logId: string, field?: string) =>
    Effect.flatMap(LogId.toSegment(logId, field), (segment) =>
      Effect.flatMap(
        Effect.mapError(send({ method: "GET", path: `/${segment}` }), (failure) =>
          LogRefusal.ofEntry(failure, logId)
        ),
        ({ result }) => LogEntry.read(result)
      )
    )
  const page = (listing: LogQuery.Listing, number: number): Effect.Effect<LogPages.Page, LegError> =>
    Effect.flatMap(
      Effect.mapError(send({ method: "GET", query: LogQuery.pageOf(listing, number) }), LogRefusal.ofLog),
      (answer) => {
        const { result } = answer
        if (result !== null && result !== undefined && !Array.isArray(result)) return Effect.fail(noList())
        return Either.map(Either.all((result ?? []).map(LogEntry.read)), (entries) => ({
          entries,
          more: LogPages.hasMore(recordAt(answer, "result_info"), number, listing.pageSize)
        }))
      }
    )
  const removeMany = (query: string): Effect.Effect<void, LegError> =>
    Effect.asVoid(Effect.mapError(send({ method: "DELETE", query }), LogRefusal.ofLog))
  return {
    get: (logId) => LogSpan.around("GatewayLogs.get", logId, find(logId)),
    patch: (logId, patch) =>
      LogSpan.around(
        "GatewayLogs.patch",
        logId,
        Effect.flatMap(
          Either.all({ segment: LogId.toSegment(logId), data: LogPatch.toData(patch) }),
          ({ segment, data }) =>
            Effect.asVoid(
              Effect.mapError(
                send({ method: "PATCH", path: `/${segment}`, body: JSON.stringify(data) }),
                (failure) => LogRefusal.ofEntry(failure, logId)
              )
            )
        )
      ),
    list: (query = {}) =>
      Stream.withSpan(
        Stream.unwrap(
          Effect.map(LogQuery.toListing(query), (listing) =>
            LogPages.stream((number) => page(listing, number))
          )
        ),
        "GatewayLogs.list",
        LogSpan.options()
      ),
    remove: (removal) => {
      const checked = LogQuery.toRemoving(removal)
      return LogSpan.around(
        "GatewayLogs.remove",
        checked._tag === "Right" && checked.right._tag === "One" ? checked.right.id : undefined,
        Effect.flatMap(
          checked,
          (removing): Effect.Effect<void, LegError | LogNotFound> =>
            // The answer to a DELETE does not tell whether there was anything to delete.
            removing._tag === "One"
              ? Effect.zipRight(find(removing.id, "id"), removeMany(removing.query))
              : removeMany(removing.query)
        )
      )
    }
  }
}

const noList = (): MalformedResponse =>
  new MalformedResponse({
    message: "The gateway's log is no list of entries: check baseUrl, and any proxy on the way.",
    excerpt: ""
  })
