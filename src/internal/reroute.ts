/** From another client's request to the same one behind the gateway. Nothing of it changes but its place. */
import type * as RequestOptions from "../RequestOptions.js"
import { InvalidRequest, type LegError } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import * as NativeUrl from "./nativeUrl.js"
import { credentialHeaders } from "./redactedHeaders.js"

/**
 * How other clients' requests are rerouted.
 *
 * @since 0.1.0
 * @category models
 */
export interface RerouteOptions {
  /**
   * Providers of hosts that the gateway does not know by itself, such as `{ "llm.example.com": "custom-ours" }`. A host is
   * in lower case, with its port unless that is the usual one. Default none.
   */
  readonly hosts?: Readonly<Record<string, string>> | undefined
  /**
   * What becomes of the client's own credential: its headers (`authorization`, `x-api-key`, `x-goog-api-key`, AWS's
   * signature, …) and Google's `?key=`. `"omit"` takes them out, so that the gateway's stored key or unified billing
   * applies: for clients that insist on a key. Default `"send"`.
   */
  readonly credentials?: "send" | "omit" | undefined
  /** Gateway options of every request. They win over those of a region. Default none. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

/** A request, as it would go to the provider itself. */
export interface Foreign {
  readonly method: string
  readonly url: string | URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

export type Rerouted =
  | { readonly _tag: "Routed"; readonly request: ProviderRequest }
  /** It is for a host that no provider has, or for the gateway itself, where a client needs no rerouting. */
  | { readonly _tag: "Stranger"; readonly error: InvalidRequest }
  | { readonly _tag: "Refused"; readonly error: LegError }

export const reroute = (foreign: Foreign, options: RerouteOptions): Rerouted => {
  const { hosts, credentials = "send" } = options
  const url = parse(foreign.url)
  const host = url?.host
  const provider = hosts !== undefined && host !== undefined ? own(hosts, host) : undefined
  const place = NativeUrl.toGateway(foreign.url, { provider })
  if (place._tag === "Left") {
    if (!isStranger(foreign.url, options)) return { _tag: "Refused", error: place.left }
    return { _tag: "Stranger", error: url?.hostname === gatewayHost ? gatewayItself() : place.left }
  }
  if (!isMethod(foreign.method)) {
    return {
      _tag: "Refused",
      error: new InvalidRequest({
        field: "method",
        provider: place.right.provider,
        message: `The gateway is not sent ${foreign.method} requests: use GET, POST, PUT, PATCH or DELETE.`
      })
    }
  }
  const omitted = credentials === "omit"
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(foreign.headers)) {
    const key = name.toLowerCase()
    if (connection.has(key) || (omitted && isCredential(key))) continue
    headers[key] = value
  }
  if (!isSigned(headers, "accept-encoding")) delete headers["accept-encoding"]
  const google = place.right.provider.startsWith("google-")
  const { endpoint, key }: Keyless = google ? withoutKey(place.right.endpoint) : place.right
  // A key in a URL would stand in every log that the URL stands in.
  if (key !== undefined && !omitted) headers["x-goog-api-key"] ??= key
  return {
    _tag: "Routed",
    request: {
      provider: place.right.provider,
      endpoint,
      method: foreign.method,
      headers,
      body: foreign.body,
      options: options.options
    }
  }
}

/** Is it for a host that no provider has? Asked of all the traffic of a client that passes strangers on, so it makes no error. */
export const isStranger = (foreign: string | URL, { hosts }: RerouteOptions): boolean => {
  const url = parse(foreign)
  if (url === undefined || (hosts !== undefined && own(hosts, url.host) !== undefined)) return false
  return url.hostname === gatewayHost
    ? NativeUrl.toGateway(foreign)._tag === "Left"
    : NativeUrl.ownerOf(url) === undefined
}

const gatewayHost = "gateway.ai.cloudflare.com"

const gatewayItself = (): InvalidRequest =>
  new InvalidRequest({
    field: "url",
    message: `${gatewayHost} is the gateway itself, where every request of this client goes by itself: leave the client's URL (apiUrl, baseURL) as it is for the provider.`
  })

/** The provider's alone: the gateway's token is not the client's to leave out. AWS's date is a part of its signature. */
const isCredential = (header: string): boolean =>
  header !== "cf-aig-authorization" &&
  (credentialHeaders.includes(header) || header === "x-amz-date" || header === "x-amz-content-sha256")

/**
 * Whoever sends the request says which encodings it can undo: a client that asks for one by itself would be given bytes
 * that nobody undoes. AWS's signature may cover the header.
 */
const isSigned = ({ authorization }: Readonly<Record<string, string>>, header: string): boolean =>
  authorization !== undefined &&
  (/SignedHeaders=([^,\s]*)/.exec(authorization)?.[1]?.split(";").includes(header) ?? false)

/** These describe a connection that is not this one, or a span that the gateway's own propagation tells of. */
const connection: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "b3",
  "traceparent",
  "tracestate"
])

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

const isMethod = (method: string): method is (typeof methods)[number] =>
  methods.some((known) => known === method)

const parse = (url: string | URL): URL | undefined => {
  if (url instanceof URL) return url
  return URL.canParse(url) ? new URL(url) : undefined
}

const own = (hosts: Readonly<Record<string, string>>, host: string): string | undefined =>
  Object.hasOwn(hosts, host) ? hosts[host] : undefined

interface Keyless {
  readonly endpoint: string
  readonly key?: string | undefined
}

/** Google takes its key in the query as well as in a header; which the gateway forwards is only documented of the header. */
const withoutKey = (endpoint: string): Keyless => {
  const at = endpoint.indexOf("?")
  if (at < 0 || !/[?&]key=/.test(endpoint)) return { endpoint }
  const kept: Array<string> = []
  let key: string | undefined
  for (const pair of endpoint.slice(at + 1).split("&")) {
    if (pair.startsWith("key=")) key ??= new URLSearchParams(pair).get("key") ?? undefined
    else kept.push(pair)
  }
  const path = endpoint.slice(0, at)
  return { endpoint: kept.length === 0 ? path : `${path}?${kept.join("&")}`, key }
}
