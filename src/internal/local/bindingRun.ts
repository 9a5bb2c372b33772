/**
 * The run path of the binding: `env.AI.run`. Answers are bare. What Cloudflare does not document is chosen here: that a
 * provider's failure is in its own form, that a model which the catalog has not is 404 in the gateway's envelope, and
 * that a catalog's model that is asked without a gateway passes the one called `default`.
 */
import { type Answered, Disconnected, isEventStream, succeeded } from "./answered.js"
import { isKnown } from "./auth.js"
import { bareWorkersAi } from "./bareWorkersAi.js"
import { bodyOptions } from "./bindingOptions.js"
import { isWorkersAi, type Manners, runTarget, withoutGateway } from "./catalogTarget.js"
import {
  edgePage,
  gatewayError,
  jsonAnswer,
  malformedRunId,
  noSuchGateway,
  noSuchRun,
  workersAiError
} from "./errors.js"
import { uuid } from "./ids.js"
import { isObject } from "./json.js"
import type { RecordedRequest } from "./records.js"
import type { RunConnection } from "./runConnections.js"
import type { HeaderMap } from "./settings.js"
import { type Exchange, type Outcome, runTargets, type State } from "./step.js"
import type { Step, Target } from "./target.js"
import { linkedController, orAborted } from "./timing.js"
import { alone, type Walked } from "./walk.js"

const manners: Manners = {
  no: (status, code, message) => gatewayError(status, code, message),
  catalog: (wire) => wire,
  workersAi: bareWorkersAi
}

const invalid = (status: number, code: number, message: string): Answered =>
  jsonAnswer("gateway", status, workersAiError(status, code, `AiError: ${message}`))

/** `cf-consn-model-id` without the prefix that the caller's option `prefix` puts before it. */
const modelName = (headers: HeaderMap): string =>
  (headers["cf-consn-model-id"] ?? "").replace(/^[^/@:]*:(?=.)/, "")

/** Never from the caller: on this path a provider's credential is a stored one, or Cloudflare's. */
const withoutCredentials = (headers: HeaderMap, target: Target): HeaderMap =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name !== "authorization" && !target.entry.credentials.includes(name)
    )
  )

/** A run goes on when its client leaves; until there is an answer it has no name to come back by, and ends. */
const startRun = async (
  state: State,
  exchange: Exchange,
  gateway: string,
  ask: (exchange: Exchange) => Promise<Outcome>
): Promise<Outcome> => {
  const { controller, release } = linkedController(exchange.signal)
  const outcome = await orAborted(ask({ ...exchange, signal: controller.signal }), exchange.signal)
  const { answer, log } = outcome
  if (!succeeded(answer) || !isEventStream(answer)) return outcome
  release()
  const run = state.runs.start({ gateway, answer, log, timing: exchange.timing, controller })
  return {
    ...outcome,
    answer: {
      ...answer,
      headers: { ...answer.headers, "cf-aig-run-id": run.id },
      body: run.read(0, ofItself(run.connect()))
    },
    log: undefined
  }
}

/** What would refuse a request to resume does nothing to the stream that there is. */
const ofItself = (connection: RunConnection): RunConnection =>
  connection._tag === "Refused" || connection._tag === "Unreachable" ? { _tag: "Whole" } : connection

export const runRoute = async (
  state: State,
  exchange: Exchange,
  record: RecordedRequest
): Promise<Walked> => {
  const { body, headers } = record
  if (record.method !== "POST") return alone(invalid(405, 5019, `Method ${record.method} not allowed`))
  const name = modelName(headers)
  if (!isObject(body) || !isObject(body.inputs))
    return alone(invalid(400, 5006, "Bad input: inputs are required"))
  const options = bodyOptions(body)
  const own = isWorkersAi(name)
  const gateway = options.gateway ?? (own && record.path !== "/ai-gateway/run" ? undefined : "default")
  if (gateway !== undefined && !isKnown(state.options, gateway)) return alone(noSuchGateway())
  const target = runTarget(state, { surface: "run", name, body: body.inputs }, manners)
  if ("status" in target) return alone(target)
  const step: Step = {
    provider: target.entry.slug,
    endpoint: target.endpoint,
    method: "POST",
    headers: { ...withoutCredentials(headers, target), ...options.headers },
    config: {},
    body: target.body,
    text: target.text
  }
  if (gateway === undefined) return withRequestId(await withoutGateway(state, exchange, step, target))
  const ask = (exchange: Exchange) => runTargets(state, exchange, step, [target], 0, false)
  const isRun = !own && body.inputs.stream === true && state.options.runs?.ids !== false
  const passing = { ...exchange, gateway }
  const outcome = isRun ? await startRun(state, passing, gateway, ask) : await ask(passing)
  return withRequestId({ ...outcome, step: undefined, omits: omitted(outcome.answer, own) })
}

/** Measured of streams of the catalog's models; of Workers AI's own only that they say no cache status. */
const omitted = (answer: Answered, own: boolean): ReadonlyArray<string> =>
  isEventStream(answer) ? ["cf-aig-cache-status", ...(own ? [] : ["cf-aig-log-id"])] : []

const withRequestId = (walked: Walked): Walked => ({
  ...walked,
  answer: { ...walked.answer, headers: { "cf-ai-req-id": uuid(), ...walked.answer.headers } }
})

const refused = ({ status, body, html }: Extract<RunConnection, { _tag: "Refused" }>): Answered => {
  if (html) return edgePage(status)
  if (body !== undefined) return jsonAnswer("gateway", status, body)
  if (status === 404) return noSuchRun()
  return status === 500 ? malformedRunId() : gatewayError(status, undefined, `Status ${status}`)
}

/** The rest of a run, from an event on. */
export const resumeRoute = (
  state: State,
  exchange: Exchange,
  place: { readonly gateway: string; readonly runId: string; readonly from: string | null },
  method: string
): Walked => {
  if (method !== "GET") return alone(gatewayError(405, undefined, "Method not allowed"))
  if (!/^[0-9a-f]{64}$/.test(place.runId)) return alone(malformedRunId())
  const from = place.from === null ? 0 : /^\d+$/.test(place.from) ? Number(place.from) : undefined
  if (from === undefined) return alone(gatewayError(400, undefined, "from must be a number of events"))
  const run = state.runs.find(place.gateway, place.runId, exchange.timing.now())
  if (run === undefined) return alone(noSuchRun())
  const connection = run.connect()
  if (connection._tag === "Unreachable") throw new Disconnected()
  if (connection._tag === "Refused") return alone(refused(connection))
  return alone({
    origin: "gateway",
    status: 200,
    headers: { "content-type": "text/event-stream", "cf-aig-run-id": run.id },
    body: run.read(from, connection)
  })
}
