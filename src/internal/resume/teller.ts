/** Tells somebody how far a stream has come, without letting the stream wait for it. */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { Progress, ResumeOptions } from "./policy.js"

/** Tells a number of events. Calls never overlap, and never go back. */
export type Tell = (from: number) => void

const nobody: Tell = () => {}

export const make = (
  onProgress: ResumeOptions["onProgress"],
  runId: Progress["runId"],
  runtime: Runtime.Runtime<never>
): Tell => {
  if (onProgress === undefined) return nobody
  let latest = -1
  let told = -1
  let telling = false
  const next: Effect.Effect<void> = Effect.suspend(() => {
    if (told === latest) return Effect.void
    told = latest
    return Effect.zipRight(
      Effect.catchAllCause(
        Effect.suspend(() => onProgress({ runId, from: told })),
        (cause) => Effect.logDebug("onProgress failed", cause)
      ),
      next
    )
  })
  return (from) => {
    if (from <= latest) return
    latest = from
    if (telling) return
    telling = true
    // A stream is pulled where nothing may be interrupted; a callback is nobody's to interrupt, but may do so itself.
    Runtime.runFork(runtime)(Effect.interruptible(next)).addObserver(() => {
      telling = false
    })
  }
}
