/** What a request of an entry's client is, at the moment in which it is made: told by the fiber that runs the entry. */
import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type { LegError } from "../errors.js"
import type { GatewayResponse, ProviderRequest } from "../exchange.js"

/** One run of one entry, for one call of the fallback model. */
export interface Run {
  /** The fallback model, of which there may be several, one around the other. */
  readonly owner: object
  readonly entry: number
  readonly send: (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>
  /**
   * Where the entry makes its requests in another fiber, whose defects reach nobody: what ends the run. Absent: the defect does.
   */
  readonly ended?: Deferred.Deferred<never> | undefined
}

/**
 * A reference of the context and not a `FiberRef`, which would leak into whoever reads a stream. Fibers that an entry starts
 * have it; fibers that were there before (a data loader's) do not.
 */
export class CurrentRun extends Context.Reference<CurrentRun>()("effect-ai-gateway/internal/CurrentRun", {
  defaultValue: (): Run | undefined => undefined
}) {}
