/** The universal endpoint: entries in order, until one of them answers. */
import { type Answered, succeeded } from "./answered.js"
import { noAnswerFromProvider } from "./errors.js"
import { asObject, isObject } from "./json.js"
import type { HeaderMap } from "./settings.js"
import { type Exchange, type Outcome, runStep, type State } from "./step.js"
import type { Step } from "./target.js"

export interface Walked extends Outcome {
  /** The entry whose answer says so; `undefined` if none does. */
  readonly step: number | undefined
  /** Whether it never came to a gateway, and has none of its headers. */
  readonly plain?: boolean
  /** Headers that it does not say. */
  readonly omits?: ReadonlyArray<string>
}

/** An answer that no provider is behind. */
export const alone = (answer: Answered): Walked => ({
  answer,
  cached: false,
  log: undefined,
  store: undefined,
  step: undefined
})

const lowerCase = (headers: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(asObject(headers)).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : JSON.stringify(value)
    ])
  )

/** An entry's headers over the outer request's options; the outer credentials are not the entry's. */
const stepHeaders = (outer: HeaderMap, inner: unknown): HeaderMap => ({
  ...Object.fromEntries(
    Object.entries(outer).filter(([name]) => name.startsWith("cf-") && name !== "cf-aig-authorization")
  ),
  ...lowerCase(inner)
})

/** The entries of a universal body; `undefined` if it has none. */
export const entriesOf = (body: unknown, outer: HeaderMap): ReadonlyArray<Step> | undefined => {
  const list = Array.isArray(body) ? body : isObject(body) ? [body] : []
  if (list.length === 0 || !list.every(isObject)) return undefined
  return list.map((entry: Readonly<Record<string, unknown>>) => ({
    provider: String(entry.provider),
    endpoint: String(entry.endpoint ?? "").replace(/^\/+/, ""),
    method: "POST",
    headers: stepHeaders(outer, entry.headers),
    config: asObject(entry.config),
    body: entry.query,
    text: entry.query === undefined ? "" : JSON.stringify(entry.query)
  }))
}

const gatewayFailure = (): Outcome => ({
  answer: noAnswerFromProvider(),
  cached: false,
  log: undefined,
  store: undefined
})

export const walk = async (state: State, exchange: Exchange, steps: ReadonlyArray<Step>): Promise<Walked> => {
  const failures: Array<Outcome> = []
  for (const [index, step] of steps.entries()) {
    const outcome = await runStep(state, exchange, step, index, index < steps.length - 1)
    if (succeeded(outcome.answer)) return { ...outcome, step: index }
    if (outcome.answer.origin !== "provider") return { ...outcome, step: undefined }
    failures.push(outcome)
  }
  const index = { last: failures.length - 1, first: 0, gateway: undefined }[
    state.options.whenAllFail ?? "last"
  ]
  const chosen = index === undefined ? undefined : failures[index]
  for (const failure of failures) if (failure !== chosen) failure.log?.end(exchange.timing.now())
  return {
    ...(chosen ?? gatewayFailure()),
    step: state.options.stepWhenAllFail === true ? index : undefined
  }
}
