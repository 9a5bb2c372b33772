/** The `HttpClient` that an entry of a fallback model is built with: where its requests go, the current run says. */
import type * as Client from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { InvalidRequest } from "../errors.js"
import * as RelayClient from "../relayClient.js"
import type { RerouteOptions } from "../reroute.js"
import { CurrentRun } from "./callMode.js"

export const make = (owner: object, entry: number, options: RerouteOptions): Client.HttpClient =>
  RelayClient.make(
    (request) =>
      Effect.withFiberRuntime((fiber) => {
        const run = Context.get(fiber.currentContext, CurrentRun)
        return run !== undefined && run.owner === owner && run.entry === entry
          ? run.send(request)
          : Effect.fail(nobodys(entry))
      }),
    options
  )

/** Sent alone, the request would have no fallback, and nobody would notice. */
const nobodys = (entry: number): InvalidRequest =>
  new InvalidRequest({
    field: `models[${entry}]`,
    message: `models[${entry}] of the fallback made a request that belongs to none of its calls (a data loader makes its requests in a fiber of its own; a layer may make one while it is built), so it was not sent. Use a model that makes its request in the fiber that calls it, such as an embedding model's mode "batched".`
  })
