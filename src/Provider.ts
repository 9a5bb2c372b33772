/**
 * What a provider service is: the credentials and headers of one vendor. It is data; it captures no gateway and names no
 * model, so that one provider serves any number of models, and another account is another value.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Credentials from "./internal/credentials.js"
import type * as Directory from "./internal/directory.js"
import type * as Endpoints from "./internal/endpoints.js"
import { InvalidRequest } from "./internal/errors.js"
import * as NativeUrl from "./internal/nativeUrl.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/Provider"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A key, or an effect that gives one (tokens that expire); the effect is run for each attempt. If it fails, the leg
 * fails with `Unauthorized` and the next one is tried.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiKey = Redacted.Redacted | Effect.Effect<Redacted.Redacted, unknown>

/**
 * The service of one provider.
 *
 * @since 0.1.0
 * @category models
 */
export interface Provider {
  readonly [TypeId]: TypeId
  /** The gateway slug. */
  readonly slug: string
  /** Absent: no credential is sent, and the gateway's stored key or unified billing applies. */
  readonly apiKey?: ApiKey | undefined
  /** The header that carries the key, such as `authorization`. */
  readonly authHeader: string
  /** What stands before the key in that header, such as `Bearer `. */
  readonly authPrefix: string
  /** The vendor's own further headers. They go to this provider only. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /**
   * Signs each request, where a vendor wants that instead of a key: gives the headers that prove who asks. It is run for
   * each attempt, and the body goes out byte for byte as it was signed. If it fails, the leg fails with `Unauthorized` and
   * the next one is tried; an `InvalidRequest` stays one.
   */
  readonly sign?:
    | ((request: Signable) => Effect.Effect<Readonly<Record<string, string | Redacted.Redacted>>, unknown>)
    | undefined
}

/**
 * A request before it is signed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Signable {
  /** The path behind the provider's slug; `toNativeUrl` makes the vendor's own URL of it. */
  readonly endpoint: string
  /** The body as text. */
  readonly body: string
}

/**
 * What every provider's `make`, `layer` and `layerConfig` take.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Absent: no credential is sent, and the gateway's stored key or unified billing applies. */
  readonly apiKey?: ApiKey | undefined
  /** The vendor's own further headers. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
}

/**
 * Makes a provider service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (provider: Omit<Provider, TypeId>): Provider => ({ [TypeId]: TypeId, ...provider })

/**
 * What is wrong with a provider's settings, if anything: an empty key, or one that a header cannot carry.
 *
 * @since 0.1.0
 * @category validation
 */
export const validate = ({ slug, apiKey }: Provider): InvalidRequest | undefined =>
  apiKey === undefined || !Redacted.isRedacted(apiKey) ? undefined : invalidKey(slug, Redacted.value(apiKey))

const invalidKey = (provider: string, key: string): InvalidRequest | undefined => {
  if (key === "") {
    return new InvalidRequest({
      field: "apiKey",
      provider,
      message: `The apiKey of ${provider} is empty. Leave it out to use the gateway's stored key or unified billing.`
    })
  }
  return /^[\x21-\x7e]+$/.test(key)
    ? undefined
    : new InvalidRequest({
        field: "apiKey",
        provider,
        message: `The apiKey of ${provider} has a character that a key cannot have, such as a space or a line break.`
      })
}

/**
 * The slug of a provider that the gateway knows, such as `openai`. One's own is `custom-{slug}`.
 *
 * @since 0.1.0
 * @category models
 */
export type Slug = Directory.Slug

/**
 * Where a provider's own URL is behind the gateway: the `provider` and `endpoint` that `AiGateway.send` takes. The query
 * is kept, a fragment is not. A URL that the gateway could not forward to the same place is refused rather than rewritten
 * by half: a host that no provider has, even if it looks like one, a path outside the provider's API, a port, a user name,
 * dot segments. A region of OpenAI's (`eu.api.openai.com`) is `openai` too: the gateway chooses the host behind it, so a
 * promise about where data stays is not kept by the URL any more. Whether the gateway passes Azure's current URLs on
 * (`…/openai/v1/…`, those of `responses` excepted) is not confirmed.
 *
 * With `provider` (a slug, an alias such as `azure`, or `custom-{slug}`), a host that is not in the table gives that
 * provider and the URL's path. Fails with `InvalidRequest`, which names the `url` or the `provider`.
 *
 * Source: Cloudflare's list of providers, and what its own clients send.
 *
 * @example
 * ```ts
 * import { Provider } from "effect-ai-gateway"
 *
 * Provider.fromNativeUrl("https://api.groq.com/openai/v1/chat/completions")
 * // Either.right({ provider: "groq", endpoint: "chat/completions" })
 * Provider.fromNativeUrl("https://llm.example.com/v1/chat/completions", { provider: "custom-llm" })
 * // Either.right({ provider: "custom-llm", endpoint: "v1/chat/completions" })
 * ```
 *
 * @since 0.1.0
 * @category native URLs
 */
export const fromNativeUrl = (
  url: string | URL,
  options: { readonly provider?: string | undefined } = {}
): Either.Either<{ readonly provider: string; readonly endpoint: string }, InvalidRequest> =>
  NativeUrl.toGateway(url, options)

/**
 * The provider's own URL of an endpoint: what the gateway forwards it to. `provider` is a slug or an alias; every spelling
 * of an endpoint that the gateway takes gives the same URL. Workers AI's URLs hold the `accountId`, which its endpoints do
 * not.
 *
 * Fails with `InvalidRequest`, which names the `provider` (unknown, with the names that are near; or one whose URL only the
 * gateway's settings know), the `endpoint` or the `accountId`.
 *
 * Source: Cloudflare's list of providers.
 *
 * @example
 * ```ts
 * import { Provider } from "effect-ai-gateway"
 *
 * Provider.toNativeUrl("aws-bedrock", "bedrock-runtime/us-east-1/model/m/invoke")
 * // Either.right("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke")
 * ```
 *
 * @since 0.1.0
 * @category native URLs
 */
export const toNativeUrl = (
  provider: string,
  endpoint: string,
  options: { readonly accountId?: string | undefined } = {}
): Either.Either<string, InvalidRequest> => NativeUrl.toNative(provider, endpoint, options)

export type { Credential, WithCredential } from "./internal/credentials.js"
export type { CleanPath, Endpoint, EndpointOf, Recipient } from "./internal/endpoints.js"

/**
 * A path of a provider, to be spread into `AiGateway.send`: the way to what has no module here (images, speech, search, …). A
 * provider or a path that is not known does not compile; a query may follow any path. For a path that is missing here, and
 * for one that is only known at run time, there is `otherEndpoint`.
 *
 * The types know what Cloudflare's documentation names, and the commonest paths of each vendor's own API, which the gateway
 * passes through; of Adobe Firefly nothing is documented.
 *
 * Source: `protocol/gateway.md` §6; the vendors' API references for what is not there (not confirmed through the gateway).
 *
 * @example
 * ```ts
 * import { AiGateway, Provider } from "effect-ai-gateway"
 * import { Effect, Redacted } from "effect"
 *
 * const speech = AiGateway.send({
 *   ...Provider.endpoint("elevenlabs", "v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb?output_format=mp3_44100_128"),
 *   headers: Provider.auth("elevenlabs", Redacted.make("…")),
 *   body: { text: "Good morning", model_id: "eleven_multilingual_v2" }
 * }).pipe(Effect.map((response) => response.stream))
 * ```
 *
 * @since 0.1.0
 * @category endpoints
 */
export const endpoint = <
  const Recipient extends Endpoints.Recipient,
  const Path extends Endpoints.EndpointOf<Recipient>
>(
  provider: Recipient,
  path: Path & Endpoints.CleanPath<Path>
): Endpoints.Endpoint<Recipient, Path> => ({ provider, endpoint: path })

/**
 * A path that the types do not know. It is checked when it is sent: it must have no leading slash, no dot segments and no
 * control characters (`InvalidRequest`).
 *
 * @since 0.1.0
 * @category endpoints
 */
export const otherEndpoint = <const Recipient extends Endpoints.Recipient>(
  provider: Recipient,
  path: string
): Endpoints.Endpoint<Recipient> => ({ provider, endpoint: path })

/**
 * The header that carries a provider's key, for every slug: vendors differ (`xi-api-key`, `api-key`, `Token …`, `Key …`). A
 * Provider is made of it with `Provider.make({ ...Provider.credential("elevenlabs"), apiKey })`.
 *
 * Of `aws-bedrock` it is that of a Bedrock API key, of `google-vertex-ai` that of an access token or a service account in
 * base64, of `compat` that of whichever vendor is behind it. Deepgram's `Token` and Fal's `Key` are those vendors' own
 * words; Cohere takes `Bearer` beside the `Token` of Cloudflare's example.
 *
 * Source: `protocol/gateway.md` §6.
 *
 * @since 0.1.0
 * @category credentials
 */
export const credential = (provider: Credentials.WithCredential): Credentials.Credential =>
  Credentials.credentialOf(provider)

/**
 * The header of a provider with a key in it, for `AiGateway.send`. Further headers that a vendor demands are not among them:
 * `cartesia-version`, `anthropic-version`.
 *
 * @example
 * ```ts
 * import { AiGateway, Provider } from "effect-ai-gateway"
 * import { Redacted } from "effect"
 *
 * const speech = AiGateway.send({
 *   ...Provider.endpoint("cartesia", "tts/bytes"),
 *   headers: { ...Provider.auth("cartesia", Redacted.make("…")), "cartesia-version": "2025-04-16" },
 *   body: { model_id: "sonic-2", transcript: "Good morning" }
 * })
 * ```
 *
 * @since 0.1.0
 * @category credentials
 */
export const auth = (
  provider: Credentials.WithCredential,
  key: Redacted.Redacted
): Readonly<Record<string, Redacted.Redacted>> => Credentials.headerOf(credential(provider), key)
