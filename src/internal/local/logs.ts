/** The gateway's log: an entry begins with its answer, and grows until the answer is complete. */

import { type Answered, succeeded } from "./answered.js"
import { costOf } from "./cost.js"
import { ulid } from "./ids.js"
import type { LogPatch } from "./logPatch.js"
import { makeRecent } from "./recent.js"
import type { LogEntry } from "./records.js"
import type { HeaderMap, Settings } from "./settings.js"

const kept = 64 * 1024

const encoder = new TextEncoder()

type Growing = { -readonly [K in keyof LogEntry]: LogEntry[K] }

export interface LogWriter {
  readonly id: string
  readonly append: (bytes: Uint8Array) => void
  readonly end: (now: number) => void
}

export interface Logs {
  readonly entries: () => ReadonlyArray<LogEntry>
  readonly begin: (facts: {
    readonly answer: Answered
    readonly settings: Settings
    readonly gateway: string
    readonly headers: HeaderMap
    readonly eventId: string
    readonly startedAt: number
    readonly now: number
    readonly provider: string
    readonly model: string | undefined
    readonly path: string
    readonly step: number
    readonly cached: boolean
    readonly request: unknown
    readonly requestText: string
  }) => LogWriter | undefined
  /** An entry of this gateway. */
  readonly find: (gateway: string, id: string) => LogEntry | undefined
  readonly patch: (id: string, patch: LogPatch) => void
  readonly remove: (ids: ReadonlySet<string>) => void
  readonly clear: () => void
}

export const makeLogs = (remembered: number): Logs => {
  const entries = makeRecent<Growing>(remembered)
  return {
    entries: () => entries.all().map((entry) => ({ ...entry })),
    find: (gateway, id) => {
      const found = entries.all().find((entry) => entry.id === id && entry.gateway === gateway)
      return found === undefined ? undefined : { ...found }
    },
    patch: (id, patch) => {
      const found = entries.all().find((entry) => entry.id === id)
      if (found !== undefined) Object.assign(found, patch)
    },
    remove: (ids) => entries.remove(({ id }) => ids.has(id)),
    begin: ({ answer, settings, headers, requestText, ...facts }) => {
      const { startedAt, now, cached, request } = facts
      if (!settings.collectLog) return undefined
      const entry: Growing = {
        id: ulid(now),
        gateway: facts.gateway,
        eventId: facts.eventId,
        createdAt: startedAt,
        provider: facts.provider,
        model: facts.model,
        path: facts.path,
        step: facts.step,
        statusCode: answer.status,
        success: succeeded(answer),
        cached,
        duration: now - startedAt,
        tokensIn: answer.usage?.input,
        tokensOut: answer.usage?.output,
        metadata: settings.metadata,
        customCost: settings.customCost,
        cost: cached ? 0 : costOf(settings.customCost, answer.usage),
        feedback: undefined,
        score: undefined,
        requestContentType: headers["content-type"],
        responseContentType: answer.headers["content-type"],
        requestSize: encoder.encode(requestText).length,
        responseSize: 0,
        userAgent: headers["user-agent"],
        request: settings.collectPayload ? request : undefined,
        response: settings.collectPayload ? "" : undefined
      }
      entries.add(entry)
      const decoder = new TextDecoder()
      return {
        id: entry.id,
        append: (bytes) => {
          entry.responseSize += bytes.length
          if (entry.response !== undefined && entry.response.length < kept)
            entry.response = (entry.response + decoder.decode(bytes, { stream: true })).slice(0, kept)
        },
        end: (now) => {
          entry.duration = now - startedAt
        }
      }
    },
    clear: () => {
      entries.clear()
    }
  }
}
