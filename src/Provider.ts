/**
 * What a provider service is: the credentials and headers of one vendor. It is data; it captures no gateway and names no
 * model, so that one provider serves any number of models, and another account is another value.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { InvalidRequest } from "./internal/errors.js"

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
