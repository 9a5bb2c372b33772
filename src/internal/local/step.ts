/** One step at the gateway: cache, rate limit, credentials, provider, log. */

import { type Answered, succeeded } from "./answered.js"
import { withRetries } from "./attempts.js"
import { credentialsFor } from "./auth.js"
import type { AutoRouter } from "./autoRouter.js"
import { type Cache, isCacheable, keyOf, lifetimeOf } from "./cache.js"
import { rateLimited } from "./errors.js"
import { asObject } from "./json.js"
import type { Logs, LogWriter } from "./logs.js"
import type { Options } from "./options.js"
import type { Directory } from "./providers.js"
import type { RateLimit } from "./rateLimit.js"
import type { Runs } from "./runs.js"
import { type Settings, settingsOf } from "./settings.js"
import { resolveTargets, type Step, type Target } from "./target.js"
import type { Timing } from "./time.js"
import type { Upstreams } from "./upstream.js"

export interface State {
  readonly options: Options
  readonly directory: Directory
  readonly cache: Cache
  readonly rateLimit: RateLimit
  readonly router: AutoRouter
  readonly upstreams: Upstreams
  readonly logs: Logs
  readonly runs: Runs
}

/** The request that a step belongs to. */
export interface Exchange {
  readonly eventId: string
  readonly startedAt: number
  readonly universal: boolean
  /** The gateway that it passes. */
  readonly gateway: string
  /** Whether nothing of it is cached, whatever the options say. */
  readonly uncached: boolean
  readonly timing: Timing
  readonly signal: AbortSignal
  /** Counts the request against the rate limit; once, however many steps it has. */
  readonly admit: () => boolean
}

export interface Outcome {
  readonly answer: Answered
  readonly cached: boolean
  readonly log: LogWriter | undefined
  /** Keeps the complete body for the next request of its kind. */
  readonly store: ((body: Uint8Array) => void) | undefined
}

/** A failure of the gateway that concerns this step alone: a universal request moves on from it. */
const ofThisStep = (answer: Answered): Answered => ({ ...answer, origin: "provider" })

const modelOf = (target: Target): string | undefined => {
  const model = asObject(target.body).model
  if (typeof model === "string") return model
  return /(?:models\/|^(?:run\/)?(?=@))([^:?]+)/.exec(target.path)?.[1]
}

const askTarget = async (
  state: State,
  exchange: Exchange,
  step: Step,
  target: Target,
  settings: Settings,
  canMoveOn: boolean
): Promise<Omit<Outcome, "log">> => {
  const { options, cache } = state
  const { timing, signal } = exchange
  const wire = target.wire ?? target.entry.errors
  const miss = (answer: Answered) => ({ answer, cached: false, store: undefined })
  // A stored key is chosen by alias on provider-native requests only; elsewhere it is the default one.
  const byAlias = target.compat || exchange.universal ? { ...settings, byokAlias: undefined } : settings
  const credentials = credentialsFor(
    options,
    target.entry,
    wire,
    target.path,
    target.query,
    step.headers,
    byAlias
  )
  const lifetime = exchange.uncached ? undefined : lifetimeOf(options, settings, target.text)
  const key = keyOf({
    replaced: options.customCacheKey === "replaces",
    cacheKey: settings.cacheKey,
    provider: `${target.entry.slug}${target.compat ? " compat" : ""}`,
    endpoint: target.endpoint,
    credential: credentials.ok ? credentials.identity : "",
    body: target.text
  })
  if (credentials.ok && lifetime !== undefined) {
    const hit = cache.get(key, timing.now())
    if (hit !== undefined) return { answer: hit, cached: true, store: undefined }
  }
  if (!exchange.admit()) return miss(rateLimited())
  if (!credentials.ok) return miss(ofThisStep(credentials.answer))
  const answer = await withRetries(
    (signal) => state.upstreams.ask(target, step.method, credentials.headers, timing, signal),
    settings,
    canMoveOn,
    timing,
    signal
  )
  const routed = { ...answer, headers: { ...answer.headers, ...target.announced } }
  return {
    answer: routed,
    cached: false,
    store:
      lifetime === undefined || !isCacheable(options, answer)
        ? undefined
        : (body) => cache.set(key, { ...routed, body }, lifetime, timing.now())
  }
}

/** Asks the targets in order, until one of them answers. There is at least one. */
export const runTargets = async (
  state: State,
  exchange: Exchange,
  step: Step,
  targets: ReadonlyArray<Target>,
  index: number,
  hasNext: boolean
): Promise<Outcome> => {
  const { timing } = exchange
  const settings = settingsOf(state.options, step.headers, step.config)
  let failed: Outcome | undefined
  for (const [i, target] of targets.entries()) {
    const canMoveOn = hasNext || i < targets.length - 1
    const asked = await askTarget(state, exchange, step, target, settings, canMoveOn)
    const log = state.logs.begin({
      answer: asked.answer,
      settings,
      gateway: exchange.gateway,
      headers: step.headers,
      eventId: step.headers["cf-aig-event-id"] ?? exchange.eventId,
      startedAt: exchange.startedAt,
      now: timing.now(),
      provider: target.entry.slug,
      model: modelOf(target),
      path: target.path,
      step: index,
      cached: asked.cached,
      request: step.body,
      requestText: step.text
    })
    const outcome = { ...asked, log }
    if (succeeded(outcome.answer) || outcome.answer.origin !== "provider") return outcome
    failed = outcome
    if (i < targets.length - 1) outcome.log?.end(timing.now())
  }
  return failed ?? { answer: ofThisStep(rateLimited()), cached: false, log: undefined, store: undefined }
}

export const runStep = async (
  state: State,
  exchange: Exchange,
  step: Step,
  index: number,
  hasNext: boolean
): Promise<Outcome> => {
  const resolved = resolveTargets(state.options, state.directory, state.router, step)
  return resolved.ok
    ? runTargets(state, exchange, step, resolved.targets, index, hasNext)
    : { answer: ofThisStep(resolved.answer), cached: false, log: undefined, store: undefined }
}
