/** From a path of the gateway to the provider behind it. */

import type { Answered } from "./answered.js"
import { badChatFormat, invalidProvider, noAnswerFromProvider } from "./errors.js"
import { isObject } from "./json.js"
import type { Options } from "./options.js"
import type { Directory, ProviderEntry } from "./providers.js"
import type { HeaderMap } from "./settings.js"
import type { Wire } from "./wire.js"

/** One request for one provider, however it came in. */
export interface Step {
  readonly provider: string
  /** Path and query. */
  readonly endpoint: string
  readonly method: string
  /** Names in lower case; the outer request's options are among them. */
  readonly headers: HeaderMap
  readonly config: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly text: string
}

export interface Target {
  readonly entry: ProviderEntry
  readonly wire: Wire | undefined
  /** Whether the gateway's OpenAI-shaped endpoint was asked. */
  readonly compat: boolean
  readonly path: string
  readonly query: URLSearchParams
  readonly endpoint: string
  readonly body: unknown
  readonly text: string
  /** The model that a dynamic route chose. */
  readonly routed: string | undefined
}

export type Resolved =
  | { readonly ok: true; readonly targets: ReadonlyArray<Target> }
  | { readonly ok: false; readonly answer: Answered }

const no = (answer: Answered): Resolved => ({ ok: false, answer })

const splitQuery = (endpoint: string): readonly [path: string, query: URLSearchParams] => {
  const at = endpoint.indexOf("?")
  return at < 0
    ? [endpoint, new URLSearchParams()]
    : [endpoint.slice(0, at), new URLSearchParams(endpoint.slice(at + 1))]
}

const compatTarget = (
  directory: Directory,
  body: Readonly<Record<string, unknown>>,
  model: string,
  routed: boolean
): Target | Answered => {
  const slash = model.indexOf("/")
  if (slash <= 0 || slash === model.length - 1) return badChatFormat()
  const entry = directory.findCompat(model.slice(0, slash))
  // The live gateway answers a wrong prefix as a provider that it could not reach.
  if (entry === undefined) return noAnswerFromProvider()
  const provided = { ...body, model: model.slice(slash + 1) }
  return {
    // On this endpoint every provider's credential is a bearer token.
    entry: {
      ...entry,
      credentials: ["authorization", ...entry.credentials.filter((name) => name !== "authorization")]
    },
    wire: directory.compat,
    compat: true,
    path: "chat/completions",
    query: new URLSearchParams(),
    endpoint: "chat/completions",
    body: provided,
    text: JSON.stringify(provided),
    routed: routed ? model : undefined
  }
}

const compatTargets = (options: Options, directory: Directory, step: Step): Resolved => {
  const [path] = splitQuery(step.endpoint)
  if (path !== "chat/completions") return no(invalidProvider())
  const { body } = step
  if (!isObject(body) || typeof body.model !== "string") return no(badChatFormat())
  const model = body.model
  const route = model.startsWith("dynamic/") ? model.slice("dynamic/".length) : undefined
  const models = route === undefined ? [model] : (options.routes?.[route] ?? [])
  if (models.length === 0) return no(noAnswerFromProvider())
  const targets: Array<Target> = []
  for (const model of models) {
    const target = compatTarget(directory, body, model, route !== undefined)
    if ("status" in target) return no(target)
    targets.push(target)
  }
  return { ok: true, targets }
}

/** The providers to ask for a step: one, or those of a dynamic route in order. */
export const resolveTargets = (options: Options, directory: Directory, step: Step): Resolved => {
  if (step.provider === "compat") return compatTargets(options, directory, step)
  const entry = directory.find(step.provider)
  if (entry === undefined) return no(invalidProvider())
  const [path, query] = splitQuery(step.endpoint)
  return {
    ok: true,
    targets: [
      {
        entry,
        wire: entry.wire(path, query),
        compat: false,
        path,
        query,
        endpoint: step.endpoint,
        body: step.body,
        text: step.text,
        routed: undefined
      }
    ]
  }
}
