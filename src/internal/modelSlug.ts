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
  const provider = findSlug(vendor) ?? (isCustom(vendor) ? vendor : undefined)
  return provider === undefined ? invalid(unknownProvider(vendor)) : Either.right({ provider, model })
}

const invalid = (message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ field: "model", message }))
