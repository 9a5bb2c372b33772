/**
 * From a model's name in Cloudflare's catalog, or of Workers AI, to the provider that is asked, on the account's API and
 * on the binding's run path.
 */

import type { Answered } from "./answered.js"
import { anthropicWire } from "./anthropicUpstream.js"
import { billed } from "./auth.js"
import { type CatalogModel, catalogModel } from "./catalog.js"
import type { JsonObject } from "./json.js"
import { compatDialect } from "./openAiDialects.js"
import { responsesWire } from "./responsesUpstream.js"
import type { Exchange, State } from "./step.js"
import type { Step, Target } from "./target.js"
import { isNoModel } from "./upstream.js"
import { alone, type Walked } from "./walk.js"
import type { Wire } from "./wire.js"

/** A surface of the API, and the model that is asked on it. */
export interface Asked {
  readonly surface: "run" | "chat" | "responses" | "messages" | "embeddings"
  readonly name: string
  /** The body for the model. */
  readonly body: JsonObject
}

/** How a surface says things in its own way. */
export interface Manners {
  readonly no: (status: number, code: number, message: string) => Answered
  /** What `run` makes of the wire of a model of others. */
  readonly catalog: (wire: Wire) => Wire
  /** What it makes of Workers AI's. */
  readonly workersAi: (wire: Wire) => Wire
}

export const isWorkersAi = (name: string): boolean => /^@(cf|hf)\//.test(name)

/** Anthropic's version is the caller's to choose, and not needed here. */
const messagesWire: Wire = {
  ...anthropicWire,
  parse: (request) =>
    anthropicWire.parse({
      ...request,
      headers: { "anthropic-version": "2023-06-01", ...request.headers }
    })
}

const wireOf = (
  state: State,
  { surface, body }: Asked,
  { slug }: CatalogModel,
  { catalog }: Manners
): Wire | undefined => {
  const responses = responsesWire(compatDialect(slug))
  switch (surface) {
    case "chat":
      return state.directory.compat(slug)
    case "responses":
      return responses
    case "messages":
      return messagesWire
    // Documented for Workers AI only.
    case "embeddings":
      return undefined
    case "run":
      if (slug === "anthropic") return catalog(messagesWire)
      return catalog(
        body.messages === undefined && body.input !== undefined ? responses : state.directory.compat(slug)
      )
  }
}

const targetOf = (entry: Target["entry"], wire: Wire, path: string, body: JsonObject): Target => ({
  entry,
  wire,
  compat: true,
  path,
  query: new URLSearchParams(),
  endpoint: path,
  body,
  text: JSON.stringify(body),
  announced: {}
})

const workersAiPaths: Readonly<Record<Asked["surface"], string | undefined>> = {
  run: "",
  chat: "v1/chat/completions",
  responses: "v1/responses",
  embeddings: "v1/embeddings",
  // Anthropic's shape is not for Workers AI's models.
  messages: undefined
}

const workersAiTarget = (state: State, asked: Asked, manners: Manners): Target | Answered => {
  const known = workersAiPaths[asked.surface]
  const entry = state.directory.find("workers-ai")
  if (known === undefined || entry === undefined)
    return manners.no(400, 7003, `${asked.name} is not available on v1/messages`)
  const path = known === "" ? `run/${asked.name}` : known
  const wire = entry.wire(path, new URLSearchParams()) ?? entry.errors
  const runs = asked.surface === "run"
  return targetOf(
    { ...entry, credentials: [], prepaid: true },
    runs ? manners.workersAi(wire) : wire,
    path,
    runs ? asked.body : { ...asked.body, model: asked.name }
  )
}

const catalogTarget = (state: State, asked: Asked, manners: Manners): Target | Answered => {
  const { options } = state
  const noModel = () => manners.no(404, 7003, `Model not found: ${asked.name}`)
  const needsKey = () => manners.no(402, 2021, "This model is not available on Unified Billing, use BYOK")
  const model = catalogModel(asked.name)
  if (model === undefined) return asked.name.startsWith("perplexity/") ? needsKey() : noModel()
  if (isNoModel(options, asked.name) || isNoModel(options, model.model)) return noModel()
  const entry = state.directory.findRun(model.slug)
  const wire = wireOf(state, asked, model, manners)
  if (entry === undefined || wire === undefined) return noModel()
  const stored = options.storedKeys?.[model.slug] !== undefined
  if (!stored && (!billed(options, model.slug) || asked.name === "deepseek/deepseek-chat")) return needsKey()
  return targetOf(
    { slug: entry.slug, wire: entry.wire, errors: entry.errors, credentials: entry.credentials },
    wire,
    asked.surface === "run" ? "run" : `v1/${asked.surface}`,
    { ...asked.body, model: model.model }
  )
}

/** The provider and the wire format of what is asked, or the answer that says why there is none. */
export const runTarget = (state: State, asked: Asked, manners: Manners): Target | Answered =>
  isWorkersAi(asked.name) ? workersAiTarget(state, asked, manners) : catalogTarget(state, asked, manners)

/** Plain Workers AI: no gateway is passed. */
export const withoutGateway = async (
  state: State,
  exchange: Exchange,
  step: Step,
  target: Target
): Promise<Walked> => ({
  ...alone(await state.upstreams.ask(target, step.method, step.headers, exchange.timing, exchange.signal)),
  plain: true
})
