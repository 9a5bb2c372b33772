/** The gateway's log: an entry begins with its answer, and grows until the answer is complete. */

import type { Answered } from "./answered.js"
import { succeeded } from "./answered.js"
import { ulid } from "./ids.js"
import { makeRecent } from "./recent.js"
import type { LogEntry } from "./records.js"
import type { Settings } from "./settings.js"

const kept = 64 * 1024

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
    readonly eventId: string
    readonly startedAt: number
    readonly now: number
    readonly provider: string
    readonly model: string | undefined
    readonly path: string
    readonly step: number
    readonly cached: boolean
    readonly request: unknown
  }) => LogWriter | undefined
  readonly clear: () => void
}

export const makeLogs = (remembered: number): Logs => {
  const entries = makeRecent<Growing>(remembered)
  return {
    entries: () => entries.all().map((entry) => ({ ...entry })),
    begin: ({ answer, settings, eventId, startedAt, now, provider, model, path, step, cached, request }) => {
      if (!settings.collectLog) return undefined
      const entry: Growing = {
        id: ulid(now),
        eventId,
        createdAt: startedAt,
        provider,
        model,
        path,
        step,
        statusCode: answer.status,
        success: succeeded(answer),
        cached,
        duration: now - startedAt,
        tokensIn: answer.usage?.input,
        tokensOut: answer.usage?.output,
        metadata: settings.metadata,
        customCost: settings.customCost,
        request: settings.collectPayload ? request : undefined,
        response: settings.collectPayload ? "" : undefined
      }
      entries.add(entry)
      const decoder = new TextDecoder()
      return {
        id: entry.id,
        append: (bytes) => {
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
