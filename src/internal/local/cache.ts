/**
 * The gateway's cache. A request is in it only if it, or the gateway, opted in; two callers with different
 * provider credentials never share an entry; two simultaneous equal requests both miss.
 */

import { type Answered, succeeded } from "./answered.js"
import { millis } from "./builtIn.js"
import type { Options } from "./options.js"
import type { Settings } from "./settings.js"

interface Entry {
  readonly answer: Answered
  readonly expires: number
}

export interface Cache {
  readonly get: (key: string, now: number) => Answered | undefined
  readonly set: (key: string, answer: Answered, lifetime: number, now: number) => void
  readonly clear: () => void
}

/** More than this many, and the oldest make room. */
const mostEntries = 1000

export const makeCache = (): Cache => {
  const entries = new Map<string, Entry>()
  return {
    get: (key, now) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (entry.expires > now) return entry.answer
      entries.delete(key)
      return undefined
    },
    set: (key, answer, lifetime, now) => {
      for (const [other, { expires }] of entries) {
        if (entries.size < mostEntries && expires > now) break
        entries.delete(other)
      }
      entries.set(key, { answer, expires: now + lifetime })
    },
    clear: () => entries.clear()
  }
}

const defaultTtl = 5 * 60
const largestRequest = 25 * 1024 * 1024

/** How long an answer may be kept, in milliseconds; `undefined` if the request is not to be cached. */
export const lifetimeOf = (options: Options, settings: Settings, body: string): number | undefined => {
  if (body.length > largestRequest) return undefined
  if (settings.skipCache || settings.cacheTtl === 0) return undefined
  if (settings.cacheKey === undefined && options.cache === undefined) return undefined
  if (settings.cacheTtl !== undefined) return settings.cacheTtl * 1000
  return options.cache === undefined ? defaultTtl * 1000 : millis(options.cache.ttl)
}

/** Successes of text or image; streams as the gateway is set. */
export const isCacheable = (options: Options, answer: Answered): boolean => {
  if (!succeeded(answer)) return false
  const type = answer.headers["content-type"] ?? ""
  if (/^(audio|video)\/|octet-stream/.test(type)) return false
  return options.cacheStreams !== false || !/event-?stream/.test(type)
}

export const keyOf = (parts: {
  readonly replaced: boolean
  readonly cacheKey: string | undefined
  readonly provider: string
  readonly endpoint: string
  readonly credential: string
  readonly body: string
}): string =>
  parts.replaced && parts.cacheKey !== undefined
    ? JSON.stringify([parts.cacheKey])
    : JSON.stringify([parts.cacheKey, parts.provider, parts.endpoint, parts.credential, parts.body])
