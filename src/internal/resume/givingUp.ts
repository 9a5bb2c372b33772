/** What a person is told of a stream that could not be taken up again. */
import type { ResumeFailed } from "../errors.js"

export const messageOf = (
  reason: ResumeFailed["reason"],
  {
    runId,
    from,
    reconnects,
    said
  }: {
    readonly runId: string
    readonly from: number
    readonly reconnects: number
    readonly said: string
  }
): string => {
  const broke = `The stream of run ${runId} broke off after ${from} events`
  switch (reason) {
    case "expired":
      return `${broke}, and Cloudflare does not have the rest any more: it keeps a run for some minutes. Ask anew, or take what has come for the answer with resume: { whenExpired: "accept" }.`
    case "refused":
      return `${broke}, and may not be taken up again: ${said}`
    case "exhausted":
      return reconnects === 0
        ? `${broke}, and the schedule allows no reconnect: ${said}`
        : `${broke}, and could not be taken up again in ${reconnects} reconnects: ${said}`
  }
}
