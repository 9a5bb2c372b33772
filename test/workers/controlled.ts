/**
 * A gateway on a socket whose settings and records another process can reach: `POST /control/gateway` puts a new one with
 * these settings in its place, `GET /control/records` tells what that has seen. All else is the gateway's own.
 */
import { LocalGateway } from "effect-ai-gateway"
import { type Settings, stringify } from "./control.js"

export const controlled = (): LocalGateway.LocalGateway => {
  let current = LocalGateway.make()
  const control = async (request: Request): Promise<Response> => {
    if (request.method === "POST") {
      const settings: Settings = JSON.parse(await request.text())
      current = LocalGateway.make(settings)
      return new Response(null, { status: 204 })
    }
    const { requests, upstreamRequests, logs, inFlight } = current
    return new Response(
      stringify({
        requests: requests(),
        upstreamRequests: upstreamRequests(),
        logs: logs(),
        inFlight: inFlight()
      })
    )
  }
  return {
    handle: (request, options) =>
      new URL(request.url).pathname.startsWith("/control/")
        ? control(request)
        : current.handle(request, options),
    requests: () => current.requests(),
    upstreamRequests: () => current.upstreamRequests(),
    logs: () => current.logs(),
    inFlight: () => current.inFlight(),
    reset: () => current.reset()
  }
}
