/** Which of Cloudflare's surfaces a request comes to. All are recognised by path, on any host. */
import { type AccountPlace, accountPlaceOf, accountRoute } from "./accountApi.js"
import { bindingRoute } from "./bindingApi.js"
import { bodyOptions } from "./bindingOptions.js"
import { type BindingPlace, bindingPlaceOf } from "./bindingPlace.js"
import { type GatewayPlace, gatewayPlaceOf, gatewayRoute } from "./gatewayHost.js"
import { asObject } from "./json.js"
import { type LogsPlace, logsPlaceOf, logsRoute } from "./logsApi.js"
import type { RecordedRequest } from "./records.js"
import type { Exchange, State } from "./step.js"
import type { Walked } from "./walk.js"

export type Surface =
  | { readonly _tag: "Account"; readonly place: AccountPlace }
  | { readonly _tag: "Logs"; readonly place: LogsPlace }
  | { readonly _tag: "Binding"; readonly place: BindingPlace }
  | { readonly _tag: "Gateway"; readonly place: GatewayPlace | undefined }

export const surfaceOf = (url: URL): Surface => {
  const account = accountPlaceOf(url)
  if (account !== undefined) return { _tag: "Account", place: account }
  const logs = logsPlaceOf(url)
  if (logs !== undefined) return { _tag: "Logs", place: logs }
  const binding = bindingPlaceOf(url)
  if (binding !== undefined) return { _tag: "Binding", place: binding }
  return { _tag: "Gateway", place: gatewayPlaceOf(url) }
}

/** Whether a list of entries is walked, and the answer says which of them it is from. */
export const isUniversal = ({ _tag, place }: Surface): boolean =>
  _tag === "Binding"
    ? place._tag === "Universal"
    : _tag === "Gateway" && place !== undefined && place.provider === undefined

/** The gateway in the path; where a header or the body names it, or nothing, the default one. */
export const gatewayOf = ({ _tag, place }: Surface): string => {
  if (_tag === "Gateway") return place?.gateway ?? "default"
  return _tag === "Binding" && place._tag === "Universal" ? place.gateway : "default"
}

const isRun = ({ _tag, place }: Surface): boolean => _tag === "Binding" && place._tag === "Run"

/** The event id that the body says, which is where `env.AI.run` says it. */
export const bodyEventId = (surface: Surface, body: unknown): string | undefined =>
  isRun(surface) ? bodyOptions(body).headers["cf-aig-event-id"] : undefined

/** Whether a stream of a catalog's model is asked for: those are not cached. `run` has its request one deeper. */
export const isStreamOfRun = (surface: Surface, body: unknown): boolean => {
  const { stream, input, inputs } = asObject(body)
  if (surface._tag === "Account") return stream === true || asObject(input).stream === true
  return isRun(surface) && asObject(inputs).stream === true
}

export const routeOf = async (
  state: State,
  exchange: Exchange,
  surface: Surface,
  record: RecordedRequest,
  text: string
): Promise<Walked> => {
  switch (surface._tag) {
    case "Account":
      return accountRoute(state, exchange, surface.place, record)
    case "Logs":
      return logsRoute(state, surface.place, record)
    case "Binding":
      return bindingRoute(state, exchange, surface.place, record)
    case "Gateway":
      return gatewayRoute(state, exchange, surface.place, record, text)
  }
}
