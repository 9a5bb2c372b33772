/** From a chat request to one provider's native request, with that provider's credential and nobody else's. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ChatRequest } from "../ChatRequest.js"
import * as Provider from "../Provider.js"
import { describe } from "./classify.js"
import { type LegError, Unauthorized, Unsupported } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { mergeBody } from "./json.js"
import { unchecked } from "./unchecked.js"
import type { Encoded, Wire } from "./wire/wire.js"

/** Who is asked, and how. */
export interface Recipient<I> {
  readonly tag: Context.Tag<I, Provider.Provider>
  readonly slug: string
  readonly model: string
  readonly wire: Wire
}

export interface Settings {
  readonly stream: boolean
  /** Sent where the wire format demands a limit and the request has none. */
  readonly maxOutputTokens: number | undefined
  /** What to do with a field that this model cannot take. */
  readonly unsupported: "fail" | "drop"
}

/** Looks the provider up, and its key, at each attempt. */
export const make = <I>(
  { wire, model, slug, tag }: Recipient<I>,
  request: ChatRequest,
  { stream, maxOutputTokens, unsupported }: Settings
): Effect.Effect<ProviderRequest, LegError, I> => {
  const encoded = wire.encode({ model, request, stream, provider: slug, maxOutputTokens })
  if (encoded.unsupported.length > 0 && unsupported === "fail") {
    return Effect.fail(cannotTake(slug, model, encoded.unsupported.join(", ")))
  }
  return Effect.flatMap(tag, (provider) =>
    Effect.map(keyOf(provider, model), (key) => assemble(encoded, request, provider, model, key))
  )
}

const assemble = (
  encoded: Encoded,
  request: ChatRequest,
  provider: Provider.Provider,
  model: string,
  key: Redacted.Redacted | undefined
): ProviderRequest => {
  const extra = request.providerOptions?.[provider.slug]
  const auth = key === undefined ? {} : { [provider.authHeader]: withPrefix(provider.authPrefix, key) }
  return {
    provider: provider.slug,
    endpoint: encoded.endpoint,
    headers: { ...encoded.headers, ...provider.headers, ...auth },
    body: extra === undefined ? encoded.body : mergeBody(encoded.body, extra),
    model,
    options: request.options
  }
}

const keyOf = (
  provider: Provider.Provider,
  model: string
): Effect.Effect<Redacted.Redacted | undefined, LegError> => {
  const invalid = Provider.validate(provider)
  if (invalid !== undefined) return Effect.fail(invalid)
  const { apiKey, slug } = provider
  if (apiKey === undefined || Redacted.isRedacted(apiKey)) return Effect.succeed(apiKey)
  return Effect.flatMap(
    Effect.mapError(apiKey, (reason) => noKey(slug, model, `its apiKey effect failed: ${describe(reason)}`)),
    (key) => {
      const wrong = Provider.validate({ ...provider, apiKey: key })
      return wrong === undefined ? Effect.succeed(key) : Effect.fail(noKey(slug, model, wrong.message))
    }
  )
}

/** A key that could not be had now concerns this provider alone. */
const noKey = (provider: string, model: string, reason: string): Unauthorized =>
  new Unauthorized(
    { provider, model, source: "provider", message: `No key for ${provider}: ${reason}` },
    unchecked
  )

const cannotTake = (provider: string, model: string, feature: string): Unsupported =>
  new Unsupported(
    {
      feature,
      provider,
      model,
      message: `${provider} ${model} cannot take ${feature}. Leave it out, or make the model with unsupported: "drop".`
    },
    unchecked
  )

const withPrefix = (prefix: string, key: Redacted.Redacted): Redacted.Redacted =>
  prefix === "" ? key : Redacted.make(`${prefix}${Redacted.value(key)}`)
