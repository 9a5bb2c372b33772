/** The span that `@effect/platform` makes for a client's request: the whole request is written on it, its key too. */
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as BareRequest from "./bareRequest.js"
import { credentialHeaders } from "./redactedHeaders.js"

/** The span of the request that is being sent; none where nobody traces it, whatever span is around it then. */
export const of = (fiber: Fiber.RuntimeFiber<unknown, unknown>, url: URL): Tracer.Span | undefined => {
  const span = fiber.currentSpan
  return span?._tag === "Span" && span.kind === "client" && span.attributes.get("url.full") === url.toString()
    ? span
    : undefined
}

/** Takes the credentials off it, whatever names the fiber redacts. */
export const hide = (span: Tracer.Span, request: HttpClientRequest, url: URL): void => {
  for (const name of Object.keys(request.headers)) {
    if (credentialHeaders.includes(name)) span.attribute(`http.request.header.${name}`, BareRequest.redacted)
  }
  span.attribute("url.full", BareRequest.bareUrl(url.toString()))
  if (url.search.length > 1) span.attribute("url.query", BareRequest.bareUrl(url.search).slice(1))
}
