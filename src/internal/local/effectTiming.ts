/** Time by the Effect clock. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Timing } from "./time.js"

export const timingOf = (clock: Clock.Clock): Timing => ({
  now: () => clock.unsafeCurrentTimeMillis(),
  sleep: (millis, signal) =>
    Effect.runPromise(clock.sleep(Duration.millis(millis)), { signal }).catch((error: unknown) => {
      // The runtime reports an interruption as its own error; the gateway wants to know who aborted.
      throw signal.aborted ? signal.reason : error
    })
})
