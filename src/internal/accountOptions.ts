/**
 * Which gateway options the account's API, and its twin in a Worker, the run path, have. Source: `protocol/gateway.md` §2.1, the column "Where": the alias of a
 * stored key and the ids of a trace are for the gateway's own host. Caching is contradictory (§7.8): the newest
 * documentation lists its headers here, and measurements found no cache behind them. A promise that may not be kept is
 * not made; to *skip* the cache is one that holds either way.
 */
import * as Either from "effect/Either"
import type { RequestOptions } from "../RequestOptions.js"
import { InvalidRequest, Unsupported } from "./errors.js"
import { credentialHeaders } from "./redactedHeaders.js"

/** The options that the account's API does not have, by name. */
export type Absent = (typeof absent)[number]

const absent = [
  "cacheKey",
  "cacheTtl",
  "byokAlias",
  "otelTraceId",
  "otelParentSpanId"
] as const satisfies ReadonlyArray<keyof RequestOptions>

/** The first option that is set and does not exist here. */
export const absentIn = (options: RequestOptions | undefined): Absent | undefined =>
  options === undefined ? undefined : absent.find((name) => options[name] !== undefined)

export const reason = (name: Absent, surface: Surface): string =>
  `${surface} does not have the option ${name}: leave it out, or go through AiGateway, which has it.`

/** Who does not have them, as a person calls it. */
export type Surface = "The account API" | "The run path of a binding"

export const unsupported = (
  name: Absent,
  asked: { readonly provider: string; readonly model: string | undefined },
  surface: Surface
): Unsupported => new Unsupported({ feature: name, ...asked, message: reason(name, surface) })

/** Defaults that hold such an option can only come from a caller without types. */
export const allExist = (defaults: RequestOptions, surface: Surface): Either.Either<void, InvalidRequest> => {
  const name = absentIn(defaults)
  return name === undefined
    ? Either.right(undefined)
    : Either.left(new InvalidRequest({ field: `defaults.${name}`, message: reason(name, surface) }))
}

/** A provider's key would go to a host that is not that provider's way. */
export const noKey = (
  headers: Readonly<Record<string, string>>,
  surface: Surface
): InvalidRequest | undefined => {
  const credential = Object.keys(headers).find((name) => credentialHeaders.includes(name))
  return credential === undefined
    ? undefined
    : new InvalidRequest({
        field: `headers.${credential}`,
        message: `${surface} takes no key of a provider: leave ${credential} out. It uses the stored key of the alias "default", or Cloudflare credits.`
      })
}
