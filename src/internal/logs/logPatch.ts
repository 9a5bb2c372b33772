/** What a log entry can be given afterwards: feedback, a score, metadata. Source: `protocol/gateway.md` §1.9, §5.7. */
import * as Either from "effect/Either"
import * as RequestOptions from "../../RequestOptions.js"
import { InvalidRequest } from "../errors.js"
import { isRecord, parseJson, typeName } from "../json.js"

interface Fields {
  /**
   * `1` is good, `-1` bad. `0` is neither, and takes an earlier feedback back; so does `null`, and `null` is what is sent
   * for both, because only that is a value of both transports (the binding's types have no 0).
   */
  readonly feedback: -1 | 0 | 1 | null
  /** 0 to 100; `null` takes an earlier score back. */
  readonly score: number | null
  /**
   * Up to 5 entries of text, numbers and booleans; `null` takes them back. Whether they join those of the request or
   * replace them is not confirmed.
   */
  readonly metadata: Readonly<Record<string, string | number | boolean>> | null
}

type Rest<Given extends keyof Fields> = {
  readonly [Key in Exclude<keyof Fields, Given>]?: Fields[Key] | undefined
}

/**
 * What a log entry is given: feedback, a score, metadata, or several of them.
 *
 * Source: `protocol/gateway.md` §1.9, §5.7.
 *
 * @example
 * ```ts
 * import type { GatewayLogs } from "effect-ai-gateway"
 *
 * const patch: GatewayLogs.Patch = { feedback: 1, score: 90, metadata: { reviewer: "ann" } }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type Patch =
  | (Pick<Fields, "feedback"> & Rest<"feedback">)
  | (Pick<Fields, "score"> & Rest<"score">)
  | (Pick<Fields, "metadata"> & Rest<"metadata">)

/**
 * A patch as both transports take it.
 *
 * @since 0.1.0
 * @category models
 */
export interface PatchData {
  feedback?: -1 | 1 | null
  score?: number | null
  metadata?: Record<string, string | number | boolean> | null
}

export const toData = (patch: unknown): Either.Either<PatchData, InvalidRequest> => {
  if (!isRecord(patch)) return wrong("patch", `must be an object, not ${typeName(patch)}`)
  const { feedback, score, metadata, ...rest } = patch
  const [extra] = Object.keys(rest)
  if (extra !== undefined) return wrong(extra, "is nothing that a log entry can be given")
  const data: PatchData = {}
  if (feedback !== undefined) {
    if (feedback === null || feedback === 0) data.feedback = null
    else if (feedback === 1 || feedback === -1) data.feedback = feedback
    else return wrong("feedback", `must be -1, 0, 1 or null, not ${show(feedback)}`)
  }
  if (score !== undefined) {
    if (score !== null && !(typeof score === "number" && score >= 0 && score <= 100)) {
      return wrong("score", `must be a number from 0 to 100, or null, not ${show(score)}`)
    }
    data.score = score
  }
  if (metadata !== undefined) {
    const flat = toMetadata(metadata)
    if (flat._tag === "Left") return Either.left(flat.left)
    data.metadata = flat.right
  }
  return Object.keys(data).length === 0
    ? wrong("patch", "is empty: give feedback, score or metadata")
    : Either.right(data)
}

/** Under the rules for the metadata of a request, which land in the same place. */
const toMetadata = (
  metadata: unknown
): Either.Either<Record<string, string | number | boolean> | null, InvalidRequest> => {
  if (metadata === null) return Either.right(null)
  if (!isRecord(metadata)) return wrong("metadata", `must be an object, or null, not ${typeName(metadata)}`)
  // `toHeaders` checks what a caller without types may have put there.
  const given = metadata as NonNullable<RequestOptions.RequestOptions["metadata"]>
  return Either.flatMap(RequestOptions.toHeaders({ metadata: given }), (headers) => {
    const json = headers["cf-aig-metadata"]
    return json === undefined
      ? wrong("metadata", "is empty: null takes earlier metadata back")
      : Either.right(parseJson(json) as Record<string, string | number | boolean>)
  })
}

const show = (value: unknown): string =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : typeName(value)

const wrong = (field: string, problem: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message: `${field} ${problem}.` }))
