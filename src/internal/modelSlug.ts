/** A model together with its provider in one text, as `compat` and the catalogue write it. Source: `protocol/gateway.md` §1.2. */
import * as Either from "effect/Either"
import { findSlug, isCustom, unknownProvider } from "./directory.js"
import { InvalidRequest } from "./errors.js"

export interface ModelSlug {
  /** The gateway slug; `compat` for what the gateway itself resolves. */
  readonly provider: string
  readonly model: string
}

/** `a/b/c` is the model `b/c` of `a`. A dynamic route and `cloudflare/auto` are the gateway's own and stay whole. */
export const parseModelSlug = (slug: string): Either.Either<ModelSlug, InvalidRequest> => {
  const slash = slug.indexOf("/")
  if (slash < 0)
    return invalid("This model has no provider part: write it as provider/model, such as openai/gpt-5-mini.")
  const vendor = slug.slice(0, slash)
  const model = slug.slice(slash + 1)
  if (vendor === "" || model.split("/").includes("")) {
    return invalid("This model is malformed: provider/model must have no empty part.")
  }
  if (vendor === "dynamic" || slug === "cloudflare/auto")
    return Either.right({ provider: "compat", model: slug })
  if (runOnly.some((name) => name === vendor)) {
    return invalid(
      `${vendor} is on the run path only, and not behind the gateway's host: use AiBinding in a Worker, or AccountApi.`
    )
  }
  const provider = findSlug(vendor) ?? (isCustom(vendor) ? vendor : undefined)
  return provider === undefined ? invalid(unknownProvider(vendor)) : Either.right({ provider, model })
}

/** The prefix in `compat` is the slug, but for one vendor. Source: `protocol/gateway.md` §6. */
const prefixes: Readonly<Record<string, string>> = { "perplexity-ai": "perplexity" }

/** As `compat` writes it, whichever of its names the vendor was called by. */
export const toCompatModel = (slug: string): Either.Either<string, InvalidRequest> =>
  Either.flatMap(parseModelSlug(slug), ({ provider, model }) => {
    if (provider !== "compat") return Either.right(`${prefixes[provider] ?? provider}/${model}`)
    return model === slug
      ? Either.right(model)
      : invalid("compat is no vendor: write the vendor's own name, such as openai/gpt-5-mini.")
  })

/**
 * A model with its provider. A literal text that has no provider part, or an empty one, is not of this type.
 *
 * @since 0.1.0
 * @category models
 */
export type WellFormed<Slug extends string> = Slug extends `${infer Vendor}/${infer Model}`
  ? Vendor extends ""
    ? never
    : Model extends "" | `/${string}` | `${string}/` | `${string}//${string}`
      ? never
      : Slug
  : string extends Slug
    ? Slug
    : never

/** Vendors of the catalogue that no URL of the gateway's host leads to. Source: `protocol/gateway.md` §6, last row. */
const runOnly = ["alibaba", "minimax"] as const

/**
 * A model that the gateway's own host may have: a literal of a vendor that only the run path has is not of this type.
 *
 * @since 0.1.0
 * @category models
 */
export type BehindGateway<Slug extends string> = Slug extends `${(typeof runOnly)[number]}/${string}`
  ? "This vendor is on the run path only: use AiBinding in a Worker, or AccountApi."
  : Slug

const invalid = (message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field: "model", message }))
