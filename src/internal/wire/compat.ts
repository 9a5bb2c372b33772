/**
 * The gateway's own OpenAI-shaped endpoint: OpenAI's format in and out, whichever vendor is behind it. Source:
 * `protocol/gateway.md` §1.2, `protocol/wire-formats.md` §5.2: no answer of this endpoint has been published, so that what
 * is known of each vendor's own OpenAI-shaped answers is expected here as well.
 */
import { recordAt } from "../json.js"
import * as OpenAiChat from "./openAiChat.js"
import type { Dialect, Reading } from "./openAiDialect.js"
import * as Vendors from "./openAiDialects.js"
import { sourcesAt } from "./openAiSources.js"
import type { Wire } from "./wire.js"

const endpoint = "chat/completions"

/** What a vendor behind the endpoint may add to its answers. */
const anybodys: Reading = {
  usageOf: (json) => recordAt(json, "x_groq")?.usage,
  citationsOf: sourcesAt
}

const { provider: _, ...openAi } = Vendors.openAi

/** OpenAI's models are known by the name behind their vendor. */
const ofOpenAi: Dialect = {
  ...openAi,
  ...anybodys,
  endpoint,
  refuses: (model) => openAi.refuses?.(nameOf(model)) ?? [],
  reasoning: (effort, model) => openAi.reasoning?.(effort, nameOf(model)),
  textOnly: (model) => openAi.textOnly?.(nameOf(model)) ?? false
}

/** A deployment's name does not tell what it holds. */
const ofAzure: Dialect = { ...anybodys, endpoint, strictTools: true, files: "data" }

const ofOthers: Dialect = { ...anybodys, endpoint, maxTokens: "max_tokens" }

/** They send usage unasked, and some refuse the question. */
const ofUnasked: Dialect = { ...ofOthers, askForUsage: false }

const unasked: ReadonlyArray<string> = ["mistral", "deepseek", "perplexity", "fireworks", "parallel"]

const dialectOf = (model: string): Dialect => {
  const vendor = model.slice(0, model.indexOf("/"))
  if (vendor === "openai") return ofOpenAi
  if (vendor === "azure-openai") return ofAzure
  return unasked.includes(vendor) ? ofUnasked : ofOthers
}

const nameOf = (model: string): string => model.slice(model.indexOf("/") + 1)

/** The names that a model's vendor takes. */
export const wire: Wire = {
  ...OpenAiChat.make(ofOthers),
  encode: (input) => OpenAiChat.make(dialectOf(input.model)).encode(input)
}

/** Models that the gateway chooses: nobody knows yet whose. */
export const chosenByGateway = (
  maxTokens: "max_tokens" | "max_completion_tokens",
  headers: Readonly<Record<string, string>>
): Wire => {
  const chosen = OpenAiChat.make({ ...ofOthers, maxTokens })
  return { ...chosen, encode: (input) => ({ ...chosen.encode(input), headers }) }
}
