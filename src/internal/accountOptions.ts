/**
 * Which gateway options the account's API has. Source: `protocol/gateway.md` §2.1, the column "Where": the alias of a
 * stored key and the ids of a trace are for the gateway's own host. Caching is contradictory (§7.8): the newest
 * documentation lists its headers here, and measurements found no cache behind them. A promise that may not be kept is
 * not made; to *skip* the cache is one that holds either way.
 */
import type { RequestOptions } from "../RequestOptions.js"
import { Unsupported } from "./errors.js"

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

export const reason = (name: Absent): string =>
  `The account API does not have the option ${name}: leave it out, or go through AiGateway, which has it.`

export const unsupported = (
  name: Absent,
  asked: { readonly provider: string; readonly model: string | undefined }
): Unsupported => new Unsupported({ feature: name, ...asked, message: reason(name) })
