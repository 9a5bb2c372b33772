/** Who may use the gateway, and with which credential a request goes to its provider. */
import * as Redacted from "effect/Redacted"
import type { Answered } from "./answered.js"
import { noSuchAlias, noWholesale } from "./errors.js"
import type { Options, StoredKey } from "./options.js"
import type { ProviderEntry } from "./providers.js"
import { refused } from "./render.js"
import type { HeaderMap, Settings } from "./settings.js"
import { accessKeyOf, isSignature } from "./signatures.js"
import type { Wire } from "./wire.js"

const secret = (value: string | Redacted.Redacted): string =>
  Redacted.isRedacted(value) ? Redacted.value(value) : value

/** Whether a gateway of this id exists: `default` is made when it is first asked for. */
export const isKnown = (options: Options, gateway: string): boolean =>
  gateway === "default" || (options.gateways ?? ["local-gateway"]).includes(gateway)

/** The token of the account's own API; `undefined` if any will do. */
const accountToken = (options: Options): string | undefined =>
  options.accountToken === undefined ? gatewayToken(options) : secret(options.accountToken)

/** Whether the request may use the account's own API. */
export const accountAllows = (headers: HeaderMap, options: Options): boolean => {
  const token = accountToken(options)
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1]
  return given !== undefined && (token === undefined || given === token)
}

/** The gateway's token; `undefined` if it takes requests without one. */
export const gatewayToken = ({ token }: Options): string | undefined =>
  token === null ? undefined : secret(token ?? "local-token")

export const gatewayAllows = (headers: HeaderMap, token: string | undefined): boolean =>
  token === undefined || headers["cf-aig-authorization"] === `Bearer ${token}`

const aliasesOf = (stored: StoredKey | undefined): Readonly<Record<string, string>> => {
  if (stored === undefined) return {}
  if (typeof stored === "string") return { default: stored }
  if (Redacted.isRedacted(stored)) return { default: secret(stored) }
  return Object.fromEntries(Object.entries(stored).map(([alias, key]) => [alias, secret(key)]))
}

/** The credential in a header, without its scheme. */
const bare = (value: string): string =>
  isSignature(value) ? accessKeyOf(value) : value.replace(/^(Bearer|Token|Key)\s*/i, "").trim()

/** What clients send that had no credential, and did not notice. */
const nothings = ["", "undefined", "null", "[object Object]"]

export const billed = (options: Options, slug: string): boolean =>
  Array.isArray(options.unifiedBilling)
    ? options.unifiedBilling.includes(slug)
    : (options.unifiedBilling ?? true) !== false

export type Credentials =
  | {
      readonly ok: true
      readonly headers: Record<string, string>
      /** What of the credential makes a cache entry its owner's. */
      readonly identity: string
    }
  | { readonly ok: false; readonly answer: Answered }

/**
 * The provider's headers with a credential in them: the caller's own, else a stored key, else none at
 * Cloudflare's expense. Otherwise the answer that says why not.
 */
export const credentialsFor = (
  options: Options,
  provider: ProviderEntry,
  wire: Wire,
  path: string,
  query: URLSearchParams,
  headers: HeaderMap,
  settings: Settings
): Credentials => {
  const forwarded: Record<string, string> = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith("cf-") && name !== "host")
  )
  const no = (missing: boolean): Credentials => ({
    ok: false,
    answer: refused(wire.refuse({ kind: "credential", missing }))
  })
  const sent = provider.credentials.flatMap((name) =>
    forwarded[name] === undefined ? [] : [forwarded[name]]
  )
  const inQuery = provider.slug === "google-ai-studio" ? query.get("key") : null
  if (inQuery !== null) sent.push(inQuery)
  const expected = options.keys?.[provider.slug]
  const wrong = provider.inspect?.(forwarded, path)
  if (wrong !== undefined)
    return {
      ok: false,
      answer: refused(wire.refuse({ kind: "credential", missing: false, message: wrong }))
    }
  const accepts = (credential: string) =>
    expected !== undefined
      ? credential === secret(expected)
      : !nothings.includes(credential) &&
        // A gateway token that reaches another company is a leak; Workers AI's credential may be that token.
        (provider.slug === "workers-ai" || credential !== gatewayToken(options))
  if (sent.length > 0) {
    return sent.every((value) => accepts(bare(value)))
      ? { ok: true, headers: forwarded, identity: sent.join(" ") }
      : no(false)
  }
  const stored = aliasesOf(options.storedKeys?.[provider.slug])
  const alias = settings.byokAlias ?? "default"
  const key = stored[alias]
  if (key === undefined && settings.byokAlias !== undefined)
    return { ok: false, answer: noSuchAlias(provider.slug, alias, Object.keys(stored)) }
  if (key !== undefined) {
    if (!accepts(key)) return no(false)
    const name = provider.credentials[0] ?? "authorization"
    return {
      ok: true,
      headers: { ...forwarded, [name]: name === "authorization" ? `Bearer ${key}` : key },
      identity: `stored ${alias}`
    }
  }
  if (provider.prepaid === true) return { ok: true, headers: forwarded, identity: "" }
  if (settings.noWholesale && provider.slug !== "workers-ai") return { ok: false, answer: noWholesale() }
  return billed(options, provider.slug) ? { ok: true, headers: forwarded, identity: "" } : no(true)
}
