/**
 * Pages of Cloudflare's edge (E8): the request never reached the gateway, or its answer never left.
 */
import { errorStatus, field, line, textOf, type Verdict } from "./text.js"

/** What a page says. */
export interface Page {
  /** Is it the edge's own, and not an HTML page of a server behind it? */
  readonly edge: boolean
  readonly code: number | undefined
  readonly message: string | undefined
}

const otherServer = /\b(?:nginx|openresty|apache|envoy|istio|varnish|akamai|cloudfront|awselb|iis)\b/i

/** Reads an HTML page or the one-line form `error code: 1010`; undefined for any other text. */
export const edgePage = (body: string): Page | undefined => {
  const head = body.slice(0, 20_000)
  const bare = /^\s*error code:? ?(\d{3,4})\s*$/i.exec(head)
  if (bare !== null) return { edge: true, code: Number(bare[1]), message: line(head, 100) }
  if (!/^\s*(?:<!doctype html|<html|<head|<body)/i.test(head)) return undefined
  const title = /<title[^>]{0,100}>([^<]{1,300})/i.exec(head)?.[1]
  const code =
    /(?:error code:?|cf-error-code">|<h1[^>]{0,100}>\s*error)\s*(?:<[^>]{0,60}>\s*)?(\d{3,4})/i.exec(
      head
    )?.[1] ?? /(?:^|\|)\s*(?:error )?([45]\d\d|1\d{3})\b/i.exec(title ?? "")?.[1]
  return {
    edge: /cloudflare|cf-error|cf-ray/i.test(head) || !otherServer.test(head),
    code: code === undefined ? undefined : Number(code),
    message: title === undefined ? undefined : line(title, 300)
  }
}

/** The edge's JSON form of the same page (`cloudflare_error: true`). */
export const edgeJson = (json: unknown): { readonly message: string | undefined } => {
  const text = textOf(field(json, "detail")) ?? textOf(field(json, "title"))
  return { message: text === undefined ? undefined : line(text, 700) }
}

const advices: ReadonlyMap<number | string | undefined, string> = new Map([
  [1006, "Cloudflare has banned this IP address: call from another one, or ask Cloudflare support."],
  [1009, "Requests from this country are not allowed: call from another region."],
  [1010, "The client's signature is banned: send an ordinary User-Agent header and no headers of a bot."],
  [1015, "This IP address sends too many requests: slow down."],
  [1020, "A firewall rule turned the request away: check the zone's rules and the base URL."],
  [1101, "A Worker on the way threw an exception: check the base URL if it is your own proxy, or try again."],
  [
    1102,
    "A Worker on the way used up its CPU time: check the base URL if it is your own proxy, or try again."
  ]
])

const edgeAdvice = (code: number | string | undefined, usual: string): string => advices.get(code) ?? usual

/** What a page of the edge means, by its status. */
export const edgeVerdict = (status: number | undefined, code: number | string | undefined): Verdict => {
  const effective = errorStatus(status) ?? errorStatus(code)
  const source = "edge" as const
  if (effective === undefined) return { tag: "MalformedResponse", source }
  if (effective === 401 || effective === 403) {
    return {
      tag: "Unauthorized",
      source,
      headline: "Cloudflare's edge turned the client away before the gateway saw the request",
      advice: edgeAdvice(
        code,
        "Check the base URL, the IP address and the User-Agent header, and Cloudflare Access if a custom domain is used."
      )
    }
  }
  if (effective === 429) {
    return { tag: "RateLimited", source, advice: edgeAdvice(code, "Slow down, and try again later.") }
  }
  if (effective === 408) return { tag: "ModelTimeout", source }
  if (effective >= 500) {
    return {
      tag: "ProviderFailure",
      source,
      advice: edgeAdvice(code, "Try again, or see cloudflarestatus.com.")
    }
  }
  return {
    tag: "BadRequest",
    source,
    advice: edgeAdvice(code, "Check the base URL: the answer is a web page, not the gateway's.")
  }
}
