/**
 * What a page needs to reach a gateway of another origin: an answer to the preflight, and leave to read the headers.
 * LocalGateway itself gives neither, because nothing says that Cloudflare's gateway does.
 */
import type { LocalGateway } from "effect-ai-gateway"

const allow = (request: Request): Readonly<Record<string, string>> => ({
  "access-control-allow-origin": request.headers.get("origin") ?? "*",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
  "access-control-expose-headers": "*",
  "access-control-max-age": "600"
})

export const crossOrigin = (gateway: LocalGateway.LocalGateway): LocalGateway.LocalGateway => ({
  ...gateway,
  handle: async (request, options) => {
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: allow(request) })
    const response = await gateway.handle(request, options)
    const headers = new Headers(response.headers)
    for (const [name, value] of Object.entries(allow(request))) headers.set(name, value)
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
  }
})
