/**
 * The host that the Workers binding asks: what `env.AI` and `env.AI.gateway(id)` put on the wire, as read from the binding's
 * own code in workerd. No token is wanted: the binding carries its own authority.
 */
import { isKnown } from "./auth.js"
import { bindingLog } from "./bindingLogs.js"
import type { BindingPlace } from "./bindingPlace.js"
import { resumeRoute, runRoute } from "./bindingRun.js"
import { gatewayError, jsonAnswer, noAnswerFromProvider, noSuchGateway } from "./errors.js"
import type { RecordedRequest } from "./records.js"
import type { Exchange, State } from "./step.js"
import { alone, entriesOf, type Walked, walk } from "./walk.js"

/** What the binding's documentation shows: the universal address ends with a slash, a provider's does not. */
const urlOf = ({ options }: State, gateway: string, provider: string): string =>
  `https://gateway.ai.cloudflare.com/v1/${options.accountId ?? "local-account"}/${gateway}/${
    provider === "universal" ? "" : provider
  }`

export const bindingRoute = async (
  state: State,
  exchange: Exchange,
  place: BindingPlace,
  record: RecordedRequest
): Promise<Walked> => {
  if (place._tag === "Run") return runRoute(state, exchange, record)
  if (!isKnown(state.options, place.gateway)) return alone(noSuchGateway())
  switch (place._tag) {
    case "Universal": {
      if (record.method !== "POST") return alone(gatewayError(405, undefined, "Method not allowed"))
      const entries = entriesOf(record.body, record.headers)
      return entries === undefined ? alone(noAnswerFromProvider()) : walk(state, exchange, entries)
    }
    case "Resume":
      return resumeRoute(state, exchange, place, record.method)
    case "Url":
      return record.method === "GET"
        ? alone(
            jsonAnswer("gateway", 200, {
              success: true,
              result: { url: urlOf(state, place.gateway, place.provider) }
            })
          )
        : alone(gatewayError(405, undefined, "Method not allowed"))
    case "Log":
      return alone(bindingLog(state, place, record))
  }
}
