/**
 * What a provider service is: the credentials and headers of one vendor. It is data; it captures no gateway and names no
 * model, so that one provider serves any number of models, and another account is another value.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Directory from "./internal/directory.js"
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
 * promise about where data stays is not kept by the URL any more.
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
