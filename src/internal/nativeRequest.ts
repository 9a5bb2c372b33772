/** From a chat request to one provider's native request, with that provider's credential and nobody else's. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ChatRequest } from "../ChatRequest.js"
import * as Provider from "../Provider.js"
import { describe } from "./classify.js"
import { InvalidRequest, type LegError, Unauthorized, Unsupported } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { mergeBody, stringify } from "./json.js"
import { unchecked } from "./unchecked.js"
import * as Reading from "./wire/reading.js"
import type { Encoded, Reader, Wire } from "./wire/wire.js"

/** Who is asked, and how. */
export interface Recipient<I> {
  /** Looked up at each attempt. */
  readonly provider: Effect.Effect<Provider.Provider, never, I>
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
  { wire, model, slug, provider }: Recipient<I>,
  request: ChatRequest,
  { stream, maxOutputTokens, unsupported }: Settings
): Effect.Effect<ProviderRequest, LegError, I> => {
  const encoded = wire.encode({ model, request, stream, provider: slug, maxOutputTokens })
  return Effect.map(addressed({ provider, slug, model }, request, encoded, unsupported), (native) => {
    const reader = Reading.of(wire, request, encoded)
    if (reader !== wire) readers.set(native, reader)
    return native
  })
}

/** What was encoded, with its provider's credential. */
export const addressed = <I>(
  { model, slug, provider }: Omit<Recipient<I>, "wire">,
  request: Pick<ChatRequest, "providerOptions" | "options">,
  encoded: Omit<Encoded, "outputTool">,
  unsupported: "fail" | "drop"
): Effect.Effect<ProviderRequest, LegError, I> =>
  encoded.unsupported.length > 0 && unsupported === "fail"
    ? Effect.fail(cannotTake(slug, model, encoded.unsupported.join(", ")))
    : Effect.flatMap(provider, (provider) => {
        const assembled = Effect.map(keyOf(provider, model), (key) =>
          assemble(encoded, request, provider, model, key)
        )
        const { sign } = provider
        return sign === undefined
          ? assembled
          : Effect.flatMap(assembled, (native) => signed(native, sign, model))
      })

/** The same request with the headers that its signature consists of. */
const signed = (
  request: ProviderRequest,
  sign: NonNullable<Provider.Provider["sign"]>,
  model: string
): Effect.Effect<ProviderRequest, LegError> => {
  const body = stringify(request.body)
  // What cannot be written is refused before it is sent.
  if (body === undefined) return Effect.succeed(request)
  return Effect.mapBoth(
    Effect.suspend(() => sign({ endpoint: request.endpoint, body })),
    {
      onSuccess: (headers) => ({ ...request, headers: { ...request.headers, ...headers }, body }),
      onFailure: (reason) =>
        reason instanceof InvalidRequest
          ? reason
          : noKey(request.provider, model, `the request could not be signed: ${describe(reason)}`)
    }
  )
}

/** How the answers to some requests are read: otherwise than their wire format alone would read them. */
const readers = new WeakMap<ProviderRequest, Reader>()

/** How the answer to a request that was made here is read. */
export const readerOf = (request: ProviderRequest, wire: Reader): Reader => readers.get(request) ?? wire

const assemble = (
  encoded: Omit<Encoded, "outputTool">,
  request: Pick<ChatRequest, "providerOptions" | "options">,
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
