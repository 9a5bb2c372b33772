/**
 * From a request to a classified response of the run path, `env.AI.run`. Source: `protocol/gateway.md` §1.8, §5.10.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as RequestOptions from "../RequestOptions.js"
import * as Dispatch from "./dispatch.js"
import { InvalidRequest, type LegError, ResumeFailed, Unsupported } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import type { Resuming } from "./legGateway.js"
import type { ResumeOptions } from "./resume/policy.js"
import { resumable } from "./resume/resumable.js"
import { skipping } from "./resume/skipping.js"
import * as RunRequest from "./runRequest.js"
import * as Sender from "./sender.js"
import type { AwaitedRequest, IncomingResponse, Transport } from "./transport/transport.js"

/** Asks for what is left of a run. */
export interface ResumeRequest extends AwaitedRequest {
  readonly url: string
}

export type Send = (request: ProviderRequest, how?: Resuming) => Effect.Effect<GatewayResponse, LegError>

export const make = (options: {
  readonly transport: Transport<RunRequest.RunRequest>
  /** Absent: this binding cannot resume. */
  readonly resumes: Transport<ResumeRequest> | undefined
  readonly gatewayId: string
  readonly defaults: RequestOptions.RequestOptions
  /** How streams are resumed that say nothing of it. */
  readonly resume: ResumeOptions | undefined
}): Send => {
  const { transport, resumes, gatewayId, defaults } = options
  const plain = Dispatch.make(transport, [])
  /** A stream whose run has an id survives its connection. */
  const surviving = (
    incoming: IncomingResponse,
    over: Transport<ResumeRequest>,
    resume: ResumeOptions,
    asked: { readonly provider: string; readonly model: string | undefined },
    runId = incoming.headers["cf-aig-run-id"]
  ): Effect.Effect<IncomingResponse> =>
    runId === undefined || !isRunId(runId) || incoming.status !== 200
      ? Effect.succeed(incoming)
      : resumable({
          first: incoming,
          runId,
          from: 0,
          reconnect: (from, arrival) =>
            over.send({ url: resumeUrl(gatewayId, runId, from), arrival, secrets: [] }),
          resume,
          asked
        })

  return (request, { resume = options.resume, run } = {}) => {
    const asked = Sender.askedOf(request)
    if ((resume === undefined || resume === false) && run === undefined) {
      return Sender.inRegion(defaults, "none", ({ options }) =>
        plain(RunRequest.make(gatewayId, options, request), asked)
      )
    }
    if (resumes === undefined) return Effect.fail(cannotResume(asked))
    const held = resume === undefined || resume === false ? {} : resume
    if (run === undefined) {
      const dispatch = Dispatch.make(
        surviveOver(transport, (incoming) => surviving(incoming, resumes, held, asked)),
        []
      )
      return Sender.inRegion(defaults, "none", ({ options }) =>
        dispatch(RunRequest.make(gatewayId, options, request), asked)
      )
    }
    const { runId, from } = run
    const wrong = wrongRun(runId, from)
    if (wrong !== undefined) return Effect.fail(wrong)
    const dispatch = Dispatch.make(
      surviveOver(resumes, (incoming) =>
        Effect.map(surviving(incoming, resumes, held, asked, runId), (body) => skipping(body, from))
      ),
      []
    )
    // The answer is read from its beginning: only so is it known what its later events belong to.
    const first = { url: resumeUrl(gatewayId, runId, 0), arrival: Sender.arrivals.get(request), secrets: [] }
    return Effect.mapError(dispatch(Either.right(first), asked), (error) => attachError(error, run, asked))
  }
}

/** A transport whose responses are replaced by what `survive` makes of them. */
const surviveOver = <Request extends AwaitedRequest>(
  transport: Transport<Request>,
  survive: (incoming: IncomingResponse) => Effect.Effect<IncomingResponse>
): Transport<Request> => ({
  kind: transport.kind,
  send: (request) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(transport.send(request)), (incoming) =>
        Effect.map(survive(incoming), (body) => {
          if (request.arrival !== undefined) request.arrival.close = body.close
          return body
        })
      )
    )
})

// --- resuming ---------------------------------------------------------------------------------------------------------

const resumeUrl = (gatewayId: string, runId: string, from: number): string =>
  `https://workers-binding.ai/ai-gateway/gateways/${encodeURIComponent(gatewayId)}/run/${runId}/resume?from=${from}`

/** Measured: 64 hex digits. What stands in a path must stay there. */
const isRunId = (runId: string): boolean => /^[0-9A-Za-z_-]{1,128}$/.test(runId)

const wrongRun = (runId: unknown, from: unknown): InvalidRequest | undefined =>
  typeof runId !== "string" || !isRunId(runId)
    ? new InvalidRequest({
        field: "runId",
        message: "runId must be the id of a run, as an answer's gateway.runId has it: 64 hex digits."
      })
    : typeof from !== "number" || !Number.isSafeInteger(from) || from < 0
      ? new InvalidRequest({ field: "from", message: "from must be a count of server-sent events, from 0." })
      : undefined

const cannotResume = (asked: {
  readonly provider: string
  readonly model: string | undefined
}): Unsupported =>
  new Unsupported({
    feature: "resume",
    ...asked,
    message: "This binding has no fetch, and so cannot resume a stream: give env.AI itself."
  })

/** What is said of a run that cannot be read at all. */
const attachError = (
  error: LegError,
  { runId, from }: { readonly runId: string; readonly from: number },
  asked: { readonly provider: string; readonly model: string | undefined }
): LegError => {
  const reason = error.status === 404 ? "expired" : error.code === 2002 ? "refused" : undefined
  return reason === undefined
    ? error
    : new ResumeFailed({
        ...asked,
        reason,
        runId,
        from,
        reconnects: 0,
        status: error.status,
        code: error.code,
        source: error.source,
        gateway: error.gateway,
        message:
          reason === "expired"
            ? "The run is gone: Cloudflare keeps it for about five minutes. Ask again."
            : "The gateway cannot read this run: check that runId is an answer's gateway.runId, whole and unchanged."
      })
}
