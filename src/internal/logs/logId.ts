/** The id of a log entry, on its way into a URL. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.js"

/**
 * The id as a segment of a path. It is encoded for the binding too, which puts it into its URL as it is.
 */
export const toSegment = (logId: unknown, field = "logId"): Either.Either<string, InvalidRequest> => {
  if (typeof logId !== "string" || logId.trim() === "") {
    return invalid(field, "is missing: it is gateway.logId of an answer, or the id of an entry")
  }
  // A URL parser would take these for a way up, encoded or not.
  if (logId === "." || logId === "..") return invalid(field, `must not be ${JSON.stringify(logId)}`)
  try {
    return Either.right(encodeURIComponent(logId))
  } catch {
    return invalid(field, "is no text that a URL can hold")
  }
}

const invalid = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `The id of a log entry ${problem}.` }))
