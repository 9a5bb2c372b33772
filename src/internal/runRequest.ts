/** From a request to what `env.AI.run` is given. Source: `protocol/gateway.md` §1.8. */
import * as Either from "effect/Either"
import * as RequestOptions from "../RequestOptions.js"
import * as AccountOptions from "./accountOptions.js"
import { placeOf } from "./endpoint.js"
import { InvalidRequest, type LegError, Unsupported } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { isRecord } from "./json.js"
import { toJson } from "./requestBody.js"
import * as RunOptions from "./runOptions.js"
import { seal } from "./sealedHeaders.js"
import * as Sender from "./sender.js"
import type { AwaitedRequest } from "./transport/transport.js"

/** What `env.AI.run` is given. */
export interface RunRequest extends AwaitedRequest {
  readonly model: string
  readonly inputs: Record<string, unknown>
  readonly gateway: RunOptions.GatewayOptions
  readonly extraHeaders: Record<string, string>
}

const surface = "The run path of a binding"

export const make = (
  gatewayId: string,
  region: RequestOptions.RequestOptions,
  request: ProviderRequest
): Either.Either<RunRequest, LegError> => {
  const { provider, model, endpoint, method = "POST" } = request
  const place = placeOf(request, "")
  if (place !== undefined) return Either.left(place)
  const merged = RequestOptions.merge(region, request.options)
  // What is wrong with an option is wrong for every leg, and comes before what this one alone does not have.
  const written = RequestOptions.toHeaders(merged)
  if (written._tag === "Left") return Either.left(written.left)
  const absent = AccountOptions.absentIn(merged)
  if (absent !== undefined)
    return Either.left(AccountOptions.unsupported(absent, { provider, model }, surface))
  const own = seal("headers", request.headers)
  if (own._tag === "Left") return Either.left(own.left)
  const key = AccountOptions.noKey(own.right.headers, surface)
  if (key !== undefined) return Either.left(key)
  const inputs = method === "POST" && request.body !== undefined ? toJson(request.body) : undefined
  if (inputs === undefined) {
    const feature = method === "POST" ? "a body that is not JSON" : `method ${method}`
    return Either.left(
      new Unsupported({
        feature,
        provider,
        model,
        message: `The run path takes JSON inputs, and not ${feature}.`
      })
    )
  }
  if (!isRecord(inputs)) {
    return Either.left(
      new InvalidRequest({ field: "body", message: "The inputs of a model must be an object." })
    )
  }
  const { gateway, headers } = RunOptions.make(gatewayId, written.right)
  return Either.right({
    model: endpoint,
    inputs,
    gateway,
    extraHeaders: { ...own.right.headers, ...headers },
    arrival: Sender.arrivals.get(request),
    secrets: own.right.secrets
  })
}
