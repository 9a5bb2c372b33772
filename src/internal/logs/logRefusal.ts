/**
 * What a refusal of the log's API means. The classifier knows gateways and providers; here there are no models, and what a
 * 404 misses is a log entry, a gateway, or the URL.
 *
 * That a missing entry is a 404 with the words "Log not found" is from projects that tried the live API; what a missing
 * gateway is answered with is not confirmed, so that it is told by its words.
 */
import { BadRequest, GatewayNotFound, type LegError, LogNotFound, Unauthorized } from "../errors.js"
import { unchecked } from "../unchecked.js"

/** A refusal, as it was classified, and what the server said in its own words. */
export class Refusal {
  readonly _tag = "Refusal"
  constructor(
    readonly error: LegError,
    readonly said: string | undefined,
    /** Did the API itself answer, and not something on the way, with a page of its own? */
    readonly byApi: boolean,
    /** Is it a 404? A binding throws the status away, and tells that one alone by a name. */
    readonly missing: boolean = error.status === 404
  ) {}
}

/** Of a request about one entry. */
export const ofEntry = (failure: Refusal | LegError, logId: string): LegError | LogNotFound => {
  if (failure._tag !== "Refusal") return failure
  const { said, missing, byApi } = failure
  return missing && byApi && !isAboutGateway(failure) ? logNotFound(logId, said) : ofLog(failure)
}

/** Of a request about the log. */
export const ofLog = (failure: Refusal | LegError): LegError => {
  if (failure._tag !== "Refusal") return failure
  const { error, said, byApi, missing } = failure
  const words = said === undefined ? "." : `: "${said}".`
  const detail = error.code === undefined ? (error.status ?? "no status") : `code ${error.code}`
  const { source, status, code, gateway, retryAfter, retryable } = error
  const fields = { source, status, code, gateway, retryAfter, retryable }
  if (isAboutGateway(failure) || (missing && byApi)) {
    return new GatewayNotFound(
      {
        ...fields,
        message: `The gateway does not exist (${detail})${words} Check accountId and gatewayId, or create the gateway in the Cloudflare dashboard.`
      },
      unchecked
    )
  }
  if (error._tag === "ModelNotFound") {
    return new BadRequest(
      {
        ...fields,
        message: `The API of the gateway's log refused the request (${detail})${words} Check the request, and baseUrl.`
      },
      unchecked
    )
  }
  if (error._tag === "Unauthorized" && error.source === "gateway") {
    return new Unauthorized(
      {
        ...fields,
        source: "gateway",
        message: `Cloudflare refused the API token (${detail})${words} Check token and accountId: GatewayLogs needs the permission "AI Gateway Read", and "AI Gateway Edit" to patch and remove.`
      },
      unchecked
    )
  }
  return error
}

const isAboutGateway = ({ error, said = "", byApi, missing }: Refusal): boolean =>
  error._tag === "GatewayNotFound" ||
  (byApi && error._tag !== "Unauthorized" && /could not route/i.test(said)) ||
  (byApi && missing && /\bgateway\b/i.test(said) && !/\blogs?\b/i.test(said))

const logNotFound = (logId: string, said: string | undefined): LogNotFound =>
  new LogNotFound(
    {
      logId,
      status: 404,
      message: `The gateway has no log entry ${JSON.stringify(logId.slice(0, 100))}${
        said === undefined ? "" : `: "${said}"`
      }. An entry is there some seconds after its answer: try again in a moment. Else check that it was written through this gateway, and that it was not removed.`
    },
    unchecked
  )

/** Of an answer that carries no id. */
export const notLogged = (): LogNotFound =>
  new LogNotFound(
    {
      message:
        "This answer has no log id, so that it cannot be given feedback: logging is off (collectLog: false, or the gateway's setting), or it is a stream of a catalogue model on the run path (env.AI.run), which carries none."
    },
    unchecked
  )
