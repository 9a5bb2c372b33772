/** A signal that `fetch` takes, of one that may be somebody else's. */
import type { AiSignal } from "./ai.js"

export const nativeSignal = (signal: AiSignal): AbortSignal => {
  if (signal instanceof AbortSignal) return signal
  const controller = new AbortController()
  if (signal.aborted) controller.abort()
  else signal.addEventListener("abort", () => controller.abort())
  return controller.signal
}
