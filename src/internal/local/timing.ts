/**
 * Time for the local gateway. Everything that waits or looks at a clock goes through a `Timing`, so that a
 * test clock drives delays, cache lifetimes and rate limits alike.
 */
import type { Timing } from "./time.js"

/** The host's clock and timers. */
export const realTiming: Timing = {
  now: () => Date.now(),
  sleep: (millis, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort)
        resolve()
      }, millis)
      signal.addEventListener("abort", onAbort, { once: true })
    })
}

/** Waits until the signal aborts, and then rejects with its reason: what a provider that hangs looks like. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  })

/** The promise, or a rejection as soon as the signal aborts, for work that takes no signal itself. */
export const orAborted = <A>(promise: Promise<A>, signal: AbortSignal): Promise<A> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener("abort", onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort))
  })

/** A controller of its own that also aborts when the parent does; `release` unlinks it. */
export const linkedController = (
  parent: AbortSignal
): { readonly controller: AbortController; readonly release: () => void } => {
  const controller = new AbortController()
  const onAbort = () => controller.abort(parent.reason)
  if (parent.aborted) onAbort()
  else parent.addEventListener("abort", onAbort, { once: true })
  return { controller, release: () => parent.removeEventListener("abort", onAbort) }
}
