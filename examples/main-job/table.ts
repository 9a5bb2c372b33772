/** The attempts of a call as a table, and what is known of the answer. */
import { Duration } from "effect"
import type { AiGatewayError, ChatResponse } from "effect-ai-gateway"

type Row = readonly [
  leg: string,
  provider: string,
  model: string,
  outcome: string,
  status: string,
  time: string
]

const header: Row = ["leg", "provider", "model", "outcome", "HTTP", "time"]

const none = "-"

const rowOf = (attempt: AiGatewayError.Attempt): Row => [
  String(attempt.leg + 1),
  attempt.provider,
  attempt.model,
  attempt.error._tag,
  attempt.error.status === undefined ? none : String(attempt.error.status),
  milliseconds(attempt.duration)
]

const milliseconds = (duration: Duration.Duration): string => `${Math.round(Duration.toMillis(duration))} ms`

/** One row for each provider that failed, and one for the provider that answered; `took` is the whole call's time. */
export const attempts = (answer: ChatResponse.ChatResponse, took: Duration.Duration): string => {
  const before = answer.attempts.reduce((sum, attempt) => Duration.sum(sum, attempt.duration), Duration.zero)
  const answered: Row = [
    String(answer.attempts.length + 1),
    answer.provider,
    answer.model,
    "answered",
    "200",
    milliseconds(Duration.subtract(took, before))
  ]
  return render([header, ...answer.attempts.map(rowOf), answered])
}

export const facts = ({ usage, finishReason, gateway }: ChatResponse.ChatResponse): string =>
  render([
    ["finish", finishReason],
    ["usage", `input ${usage.input ?? none}, output ${usage.output ?? none}, total ${usage.total ?? none}`],
    ["log id", gateway.logId ?? none],
    ["event id", gateway.eventId ?? none],
    ["cache", gateway.cacheStatus ?? none]
  ])

/** Columns as wide as their widest cell. */
export const render = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths: Array<number> = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n")
}
