/** An answer on its way through the local gateway. */

import type { RunConnection } from "./runConnections.js"

/** A body that comes over time. The signal ends it early. */
export type BodySource = (signal: AbortSignal) => AsyncIterator<Uint8Array, void>

export interface Answered {
  /** Who made it: only a provider's failure is retried, or moves a universal request on. */
  readonly origin: "provider" | "gateway" | "edge"
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | BodySource
  /** Tokens, where the built-in model counted them. */
  readonly usage?: { readonly input: number; readonly output: number } | undefined
  /** How connections to it fare, if it is a run. */
  readonly connections?: ReadonlyArray<RunConnection> | undefined
}

/** The connection broke before there was an answer. */
export class Disconnected extends TypeError {
  constructor() {
    super("fetch failed")
  }
}

export const succeeded = (answer: Answered): boolean => answer.status >= 200 && answer.status < 300

export const isEventStream = (answer: Answered): boolean =>
  /event-?stream/.test(answer.headers["content-type"] ?? "")
