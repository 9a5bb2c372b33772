/** From a path of the gateway to the provider behind it. */

import type { Answered } from "./answered.js"
import type { AutoRouter } from "./autoRouter.js"
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
  /** What the answer says of a route that chose this model. */
  readonly announced: Readonly<Record<string, string>>
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

/** Models of a family only, where Cloudflare says which; of Vertex those with the publisher in front. */
const families: Readonly<Record<string, RegExp>> = {
  "aws-bedrock": /claude|nova/,
  "google-vertex-ai": /^google\/./
}

/** The target of a provider's model on the gateway's OpenAI-shaped endpoint. */
export const chatTarget = (
  directory: Directory,
  entry: ProviderEntry,
  body: Readonly<Record<string, unknown>>,
  model: string,
  announced: Target["announced"] = {}
): Target => {
  const provided = { ...body, model }
  return {
    // On this endpoint every provider's credential is a bearer token.
    entry: {
      slug: entry.slug,
      wire: entry.wire,
      errors: entry.errors,
      credentials: ["authorization", ...entry.credentials.filter((name) => name !== "authorization")]
    },
    wire: directory.compat(entry.slug),
    compat: true,
    path: "chat/completions",
    query: new URLSearchParams(),
    endpoint: "chat/completions",
    body: provided,
    text: JSON.stringify(provided),
    announced
  }
}

const compatTarget = (
  directory: Directory,
  body: Readonly<Record<string, unknown>>,
  name: string,
  routed: boolean
): Target | Answered => {
  const slash = name.indexOf("/")
  const model = name.slice(slash + 1)
  if (slash <= 0 || model === "") return badChatFormat()
  const entry = directory.findCompat(name.slice(0, slash))
  // The live gateway answers a wrong prefix as a provider that it could not reach.
  if (entry === undefined || families[entry.slug]?.test(model) === false) return noAnswerFromProvider()
  const announced = routed ? { "cf-aig-model": model, "cf-aig-provider": entry.slug } : {}
  return chatTarget(directory, entry, body, model, announced)
}

const autoTargets = (directory: Directory, router: AutoRouter, step: Step): Resolved => {
  const choice = router.choose(step.headers)
  if (!choice.ok) return no(choice.answer)
  const body = isObject(step.body) ? step.body : {}
  const targets = choice.candidates.flatMap(({ slug, model, headers }) => {
    const entry = directory.findRun(slug)
    return entry === undefined ? [] : [chatTarget(directory, entry, body, model, headers)]
  })
  return targets.length === 0 ? no(noAnswerFromProvider()) : { ok: true, targets }
}

const compatTargets = (options: Options, directory: Directory, router: AutoRouter, step: Step): Resolved => {
  const [path] = splitQuery(step.endpoint)
  if (path !== "chat/completions") return no(invalidProvider())
  const { body } = step
  if (!isObject(body) || typeof body.model !== "string") return no(badChatFormat())
  const model = body.model
  if (model === "cloudflare/auto") return autoTargets(directory, router, step)
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
export const resolveTargets = (
  options: Options,
  directory: Directory,
  router: AutoRouter,
  step: Step
): Resolved => {
  if (step.provider === "compat") return compatTargets(options, directory, router, step)
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
        announced: {}
      }
    ]
  }
}
