/**
 * From the name of a model in the account's catalogue to who answers, and in which format. Source:
 * `protocol/gateway.md` §1.5, §5.11; `protocol/wire-formats.md` §5.
 */
import * as Either from "effect/Either"
import { findSlug } from "./directory.js"
import { InvalidRequest } from "./errors.js"
import { isRecord } from "./json.js"
import { limitsOf, type ModelLimits } from "./modelTable.js"
import * as AnthropicMessages from "./wire/anthropicMessages.js"
import * as OpenAiChat from "./wire/openAiChat.js"
import * as Dialects from "./wire/openAiDialects.js"
import * as OpenAiResponses from "./wire/openAiResponses.js"
import { isFault, malformed, type Reader, type Wire } from "./wire/wire.js"
import * as WorkersAi from "./wire/workersAi.js"
import { vision } from "./wire/workersAiRequest.js"

/** The endpoints of the account's API that chat. */
export type Api = "chat" | "responses" | "messages" | "run"

export interface AccountModel {
  /** The gateway slug of who answers. */
  readonly slug: string
  readonly wire: Wire
  readonly limits: ModelLimits | undefined
}

interface Name {
  /** As the catalogue has it. */
  readonly whole: string
  readonly slug: string
  /** As the vendor itself has it. */
  readonly own: string
}

/** A model of `env.AI.run`, whose request has the model's name as its place, and the vendor's native body. */
export const makeBound = (whole: string): Either.Either<AccountModel, InvalidRequest> =>
  Either.flatMap(parse(whole, "The run path"), (name) => {
    const author = whole.split("/")[0] ?? ""
    if (notInCatalogue.some((vendor) => vendor === author)) {
      return invalid(
        "model",
        `The run path has no models of ${author}: ask them through AiGateway, by the module of their provider.`
      )
    }
    return Either.right({ slug: name.slug, wire: bound(name), limits: limitsOf(name.slug, name.own) })
  })

/** A model and its endpoint; without one, the one that suits the model. */
export const make = (whole: string, api: Api | undefined): Either.Either<AccountModel, InvalidRequest> =>
  Either.flatMap(parse(whole, "The account API"), (name) =>
    Either.map(wireOf(name, api ?? defaultApi(name)), (wire) => ({
      slug: name.slug,
      wire,
      limits: limitsOf(name.slug, name.own)
    }))
  )

const workersAi = "workers-ai"

/** What is known of a model that cannot be asked. */
export const unknown = (whole: string): AccountModel => ({
  slug: whole.startsWith("@") ? workersAi : (whole.split("/")[0] ?? ""),
  wire: OpenAiChat.make({ endpoint: "" }),
  limits: undefined
})

/**
 * Vendors behind the gateway whose models the catalogue does not have, by all of their names. Others may come into it, so
 * what is unknown is asked for. Source: `protocol/gateway.md` §6, the column "Run".
 */
const notInCatalogue = [
  "mistral",
  "perplexity",
  "perplexity-ai",
  "cerebras",
  "openrouter"
] as const satisfies ReadonlyArray<string>

export type NotInCatalogue = (typeof notInCatalogue)[number]

const parse = (whole: string, surface: string): Either.Either<Name, InvalidRequest> => {
  const [author = "", ...rest] = whole.split("/")
  if (rest.length === 0)
    return invalid(
      "model",
      "This model has no author: write it as anthropic/claude-haiku-4.5, or @cf/meta/…."
    )
  if (author === "" || rest.includes(""))
    return invalid("model", "This model is malformed: author/model must have no empty part.")
  if (author.startsWith("@")) return Either.right({ whole, slug: workersAi, own: whole })
  if (author === "dynamic" || whole === "cloudflare/auto") {
    return invalid(
      "model",
      `${surface} has no ${author === "dynamic" ? "dynamic routes" : "automatic router"}: they are on the gateway's own host.`
    )
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(author))
    return invalid("model", `${JSON.stringify(author)} is not the name of an author, such as anthropic.`)
  const slug = findSlug(author) ?? author
  const own = rest.join("/")
  // The catalogue writes versions with dots, Anthropic with hyphens.
  return Either.right({ whole, slug, own: slug === "anthropic" ? own.replaceAll(".", "-") : own })
}

/** Anthropic's models speak their own format, and it has most of what they can do. */
const defaultApi = ({ slug }: Name): Api => (slug === "anthropic" ? "messages" : "chat")

const wireOf = (name: Name, api: Api): Either.Either<Wire, InvalidRequest> => {
  switch (api) {
    case "chat":
      return Either.right(renamed(name, chat(name), "v1/chat/completions"))
    case "responses":
      return Either.right(renamed(name, responses(name), "v1/responses"))
    case "messages":
      return name.slug === workersAi
        ? invalid("api", `${name.whole} does not speak "messages": use "chat", "responses" or "run".`)
        : Either.right(renamed(name, AnthropicMessages.wire, "v1/messages"))
    case "run":
      return Either.right(name.slug === workersAi ? workersAiRun : run(name))
    default:
      return invalid(
        "api",
        `api must be "chat", "responses", "messages" or "run", not ${JSON.stringify(api)}.`
      )
  }
}

// --- formats ----------------------------------------------------------------------------------------------------------

/** What the vendor behind the endpoint is known to change; its own endpoint and key do not matter here. */
const vendors: ReadonlyArray<Dialects.Row> = [
  Dialects.openAi,
  Dialects.grok,
  Dialects.deepSeek,
  Dialects.groq
]

/** Usage comes unasked. Whether the endpoint takes an effort is not documented; `responses` does. */
const ofWorkersAi: OpenAiChat.Dialect = {
  endpoint: "",
  maxTokens: "max_tokens",
  askForUsage: false,
  reasoning: () => undefined,
  textOnly: (model) => !vision.test(model)
}

const chat = ({ slug }: Name): Wire =>
  OpenAiChat.make(
    slug === workersAi
      ? ofWorkersAi
      : (vendors.find(({ provider }) => provider.slug === slug) ?? { endpoint: "", maxTokens: "max_tokens" })
  )

const responses = ({ slug }: Name): Wire =>
  OpenAiResponses.make(slug === "openai" ? OpenAiResponses.openAi("") : { endpoint: "", provider: slug })

/** A vendor's format at one of the endpoints that have its shape, where the model has the catalogue's name. */
const renamed = ({ whole, own }: Name, wire: Wire, endpoint: string): Wire => ({
  ...wire,
  encode: (input) => {
    const encoded = wire.encode({ ...input, model: own })
    return { ...encoded, endpoint, body: { ...encoded.body, model: whole } }
  }
})

/** `ai/run` wraps a vendor's native request, and perhaps its answer. */
const run = (name: Name): Wire => {
  const native = name.slug === "anthropic" ? AnthropicMessages.wire : chat(name)
  return {
    ...unwrapped(native),
    encode: (input) => {
      const { body, unsupported, outputTool } = native.encode({ ...input, model: name.own })
      const { model: _, ...rest } = body
      return { endpoint: "run", body: { model: name.whole, input: rest }, unsupported, outputTool }
    }
  }
}

/** A vendor's native request, without the model's name, which stands beside it. */
const bound = (name: Name): Wire => {
  const native =
    name.slug === workersAi ? WorkersAi.wire : name.slug === "anthropic" ? AnthropicMessages.wire : chat(name)
  return {
    ...native,
    encode: (input) => {
      const { body, unsupported, outputTool } = native.encode({ ...input, model: name.own })
      const { model: _, ...rest } = body
      return { endpoint: name.whole, body: rest, unsupported, outputTool }
    }
  }
}

/** Workers AI's native request goes out as it is. */
const workersAiRun: Wire = {
  ...WorkersAi.wire,
  encode: (input) => {
    const encoded = WorkersAi.wire.encode(input)
    return { ...encoded, endpoint: `run/${encoded.endpoint.replace(/^run\//, "")}` }
  }
}

/**
 * Reads `{ result, success, errors, messages }` and the bare answer: which of them comes is not documented. A stream is
 * always bare.
 */
const unwrapped = (wire: Reader): Reader => ({
  ...wire,
  decode: (json) => {
    if (!isRecord(json) || !isRecord(json.result)) return wire.decode(json)
    const decoded = wire.decode(json.result)
    return isFault(decoded) && decoded._tag === "MalformedFault"
      ? malformed(decoded.place === "" ? "result" : `result.${decoded.place}`, decoded.problem)
      : decoded
  }
})

const invalid = (field: string, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field, message }))
