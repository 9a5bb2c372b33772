/**
 * A gateway's log through a Worker's binding, `env.AI.gateway(id)`, which can get and patch an entry, and neither list nor
 * remove any. Its methods take no signal: whoever stops waiting stops waiting, and the call goes on. Source:
 * `protocol/gateway.md` §1.8, §1.9.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { readBody } from "../classify/bodyShape.js"
import { classifyThrown } from "../classify.js"
import type { LegError, LogNotFound } from "../errors.js"
import { isRecord } from "../json.js"
import type { HttpLogs } from "./httpLogs.js"
import * as LogEntry from "./logEntry.js"
import * as LogId from "./logId.js"
import * as LogPatch from "./logPatch.js"
import * as LogRefusal from "./logRefusal.js"
import * as LogSpan from "./logSpan.js"

/**
 * What `env.AI.gateway("my-gateway")` gives, as far as its log is concerned. The types of `@cloudflare/workers-types` fit,
 * and none of them is needed.
 *
 * @since 0.1.0
 * @category models
 */
export interface LogBinding {
  getLog(logId: string): PromiseLike<unknown>
  patchLog(logId: string, data: LogPatch.PatchData): PromiseLike<void>
}

export const make = (binding: LogBinding): Pick<HttpLogs, "get" | "patch"> => ({
  get: (logId) =>
    LogSpan.around(
      "GatewayLogs.get",
      logId,
      Effect.flatMap(LogId.toSegment(logId), (segment) =>
        Effect.flatMap(
          asking(logId, () => binding.getLog(segment)),
          LogEntry.read
        )
      )
    ),
  patch: (logId, patch) =>
    LogSpan.around(
      "GatewayLogs.patch",
      logId,
      Effect.flatMap(
        Either.all({ segment: LogId.toSegment(logId), data: LogPatch.toData(patch) }),
        ({ segment, data }) => asking(logId, () => binding.patchLog(segment, data))
      )
    )
})

const asking = <A>(logId: string, call: () => PromiseLike<A>): Effect.Effect<A, LegError | LogNotFound> =>
  Effect.tryPromise({ try: () => Promise.resolve(call()), catch: (thrown) => failure(thrown, logId) })

const failure = (thrown: unknown, logId: string): LegError | LogNotFound => {
  const error = classifyThrown(thrown, { provider: "env.AI.gateway(id)", host: "account" })
  try {
    return refined(thrown, error, logId)
  } catch {
    // A revoked proxy throws at any touch.
    return error
  }
}

const refined = (thrown: unknown, error: LegError, logId: string): LegError | LogNotFound => {
  const text = thrown instanceof Error ? thrown.message : typeof thrown === "string" ? thrown : ""
  if (isNotFound(thrown, text)) {
    const said = text.replace(/^AiGatewayLogNotFound: /, "")
    return LogRefusal.ofEntry(
      new LogRefusal.Refusal(error, said === "" ? undefined : said, true, true),
      logId
    )
  }
  // The binding throws a body that it cannot read, a 404's too, as it is.
  const { json, message } = readBody(text)
  return isRecord(json) ? LogRefusal.ofEntry(new LogRefusal.Refusal(error, message, true), logId) : error
}

/** Over RPC the name of an error stands before its message. */
const isNotFound = (thrown: unknown, text: string): boolean =>
  (isRecord(thrown) && thrown.name === "AiGatewayLogNotFound") || text.startsWith("AiGatewayLogNotFound")
