/** What a universal request can fail with that a single one cannot. Source: `protocol/gateway.md` §3.1, §4.4. */
import { MalformedResponse, ProviderFailure } from "./errors.js"
import type { GatewayResponse } from "./exchange.js"
import type { Metadata } from "./model.js"
import { unchecked } from "./unchecked.js"

/** What is known of a leg that the gateway left. */
export const walkedPast = ({ provider, model }: Metadata): ProviderFailure =>
  new ProviderFailure(
    {
      provider,
      model,
      source: "gateway",
      message: `The gateway left ${provider} ${model} in a universal request, and does not tell why: its log does.`
    },
    unchecked
  )

/** A response that says it is of an entry which there is not. */
export const wrongStep = (response: GatewayResponse, header: string, entries: number): MalformedResponse =>
  new MalformedResponse(
    {
      source: "gateway",
      status: response.status,
      logId: response.gateway.logId,
      gateway: response.gateway,
      message: `The gateway says in cf-aig-step that entry ${JSON.stringify(header.slice(0, 40))} of a universal request answered, but the request has ${entries}, counted from 0.`,
      excerpt: header.slice(0, 500)
    },
    unchecked
  )
