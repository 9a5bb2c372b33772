/** One step at the gateway: cache, rate limit, credentials, provider, log. */

import { type Answered, succeeded } from "./answered.js"
import { withRetries } from "./attempts.js"
import { credentialsFor } from "./auth.js"
import { type Cache, isCacheable, keyOf, lifetimeOf } from "./cache.js"
import { rateLimited } from "./errors.js"
import { asObject } from "./json.js"
import type { Logs, LogWriter } from "./logs.js"
import type { Options } from "./options.js"
import type { Directory } from "./providers.js"
import type { RateLimit } from "./rateLimit.js"
import { type Settings, settingsOf } from "./settings.js"
import { resolveTargets, type Step, type Target } from "./target.js"
import type { Timing } from "./time.js"
import type { Upstreams } from "./upstream.js"

export interface State {
  readonly options: Options
  readonly directory: Directory
  readonly cache: Cache
  readonly rateLimit: RateLimit
  readonly upstreams: Upstreams
  readonly logs: Logs
}

/** The request that a step belongs to. */
export interface Exchange {
  readonly eventId: string
  readonly startedAt: number
  readonly universal: boolean
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

const routedHeaders = (target: Target): Record<string, string> =>
  target.routed === undefined
    ? {}
    : { "cf-aig-model": String(modelOf(target)), "cf-aig-provider": target.entry.slug }

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
  const credentials = credentialsFor(options, target.entry, wire, target.query, step.headers, byAlias)
  const lifetime = lifetimeOf(options, settings, target.text)
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
  const routed = { ...answer, headers: { ...answer.headers, ...routedHeaders(target) } }
  return {
    answer: routed,
    cached: false,
    store:
      lifetime === undefined || !isCacheable(options, answer)
        ? undefined
        : (body) => cache.set(key, { ...routed, body }, lifetime, timing.now())
  }
}

export const runStep = async (
  state: State,
  exchange: Exchange,
  step: Step,
  index: number,
  hasNext: boolean
): Promise<Outcome> => {
  const { timing } = exchange
  const settings = settingsOf(state.options, step.headers, step.config)
  const log = (outcome: Omit<Outcome, "log">, provider: string, model: string | undefined, path: string) => {
    const writer = state.logs.begin({
      answer: outcome.answer,
      settings,
      eventId: step.headers["cf-aig-event-id"] ?? exchange.eventId,
      startedAt: exchange.startedAt,
      now: timing.now(),
      provider,
      model,
      path,
      step: index,
      cached: outcome.cached,
      request: step.body
    })
    return { ...outcome, log: writer }
  }
  const resolved = resolveTargets(state.options, state.directory, step)
  if (!resolved.ok)
    return { answer: ofThisStep(resolved.answer), cached: false, log: undefined, store: undefined }
  let failed: Outcome | undefined
  for (const [i, target] of resolved.targets.entries()) {
    const canMoveOn = hasNext || i < resolved.targets.length - 1
    const outcome = log(
      await askTarget(state, exchange, step, target, settings, canMoveOn),
      target.entry.slug,
      modelOf(target),
      target.path
    )
    if (succeeded(outcome.answer) || outcome.answer.origin !== "provider") return outcome
    failed = outcome
    if (i < resolved.targets.length - 1) outcome.log?.end(timing.now())
  }
  // A route always has at least one model, so that there is a failure here.
  return failed ?? { answer: ofThisStep(rateLimited()), cached: false, log: undefined, store: undefined }
}
