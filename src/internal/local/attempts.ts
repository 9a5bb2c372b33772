/**
 * The gateway's own retries and timeout at one provider. The timeout runs up to the first part of the answer,
 * and not on the last of several attempts, which the gateway waits for without limit. Any failure of the
 * provider is retried: Cloudflare does not say which are.
 */

import { type Answered, Disconnected, succeeded } from "./answered.js"
import { noAnswerFromProvider } from "./errors.js"
import { retryPause, type Settings } from "./settings.js"
import type { Timing } from "./time.js"
import { linkedController } from "./timing.js"

type Attempt = (signal: AbortSignal) => Promise<Answered>

/** The gateway's words for a provider that did not answer, or not in time: it counts as that provider's failure. */
const providerGone = (): Answered => ({ ...noAnswerFromProvider(), origin: "provider" })

/** The answer once the first part of its body is there. */
const withFirstPart = async (answer: Answered, signal: AbortSignal): Promise<Answered> => {
  if (answer.body instanceof Uint8Array) return answer
  const rest = answer.body(signal)
  const first = await rest.next()
  let isFirst = true
  return {
    ...answer,
    body: () => ({
      next: () => {
        if (!isFirst) return rest.next()
        isFirst = false
        return Promise.resolve(first)
      },
      ...(rest.return === undefined ? {} : { return: () => rest.return?.() ?? Promise.resolve(first) })
    })
  }
}

const once = async (
  attempt: Attempt,
  limit: number | undefined,
  waitForBody: boolean,
  timing: Timing,
  signal: AbortSignal
): Promise<Answered> => {
  if (limit === undefined && !waitForBody) return attempt(signal)
  const { controller } = linkedController(signal)
  const timer = new AbortController()
  let timedOut = false
  if (limit !== undefined)
    timing.sleep(limit, timer.signal).then(
      () => {
        timedOut = true
        controller.abort(new Error("gateway request timeout"))
      },
      () => undefined
    )
  try {
    return await withFirstPart(await attempt(controller.signal), controller.signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (timedOut) return providerGone()
    // Between the client and the gateway there is nothing to retry.
    if (error instanceof Disconnected) throw error
    return providerGone()
  } finally {
    timer.abort()
  }
}

export const withRetries = async (
  attempt: Attempt,
  settings: Settings,
  /** Whether somebody else can answer if this provider fails. */
  canMoveOn: boolean,
  timing: Timing,
  signal: AbortSignal
): Promise<Answered> => {
  const several = settings.maxAttempts > 1
  for (let n = 1; ; n++) {
    const last = n === settings.maxAttempts
    const limit = several && last ? undefined : settings.timeout
    const answer = await once(attempt, limit, canMoveOn || (several && !last), timing, signal)
    if (last || succeeded(answer) || answer.origin !== "provider") return answer
    const pause = retryPause(settings, n)
    if (pause > 0) await timing.sleep(pause, signal)
  }
}
