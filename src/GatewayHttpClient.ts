/**
 * An `HttpClient` that sends what is aimed at a known provider through the gateway: for clients that were written for the
 * providers themselves, `@effect/ai`'s provider packages first among them. Nothing else of such a client changes: it
 * encodes its requests and decodes its answers.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AiGateway, type Service } from "./AiGateway.js"
import { redactGatewayHeaders } from "./internal/redactedHeaders.js"
import * as RelayClient from "./internal/relayClient.js"
import type { RerouteOptions } from "./internal/reroute.js"

export type { RerouteOptions } from "./internal/reroute.js"

/**
 * Makes a client that fails, with `RequestError`, what is for no provider that the gateway knows.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: RerouteOptions = {}): Effect.Effect<HttpClient.HttpClient, never, AiGateway> =>
  Effect.map(AiGateway, (gateway) => RelayClient.make(gateway.relay, options))

/**
 * The client as a Layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: RerouteOptions = {}): Layer.Layer<HttpClient.HttpClient, never, AiGateway> =>
  Layer.provideMerge(Layer.effect(HttpClient.HttpClient, make(options)), redactGatewayHeaders(undefined))

/**
 * The same, but what is for no provider goes where it is addressed, with the `HttpClient` that this layer is given.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPassing = (
  options: RerouteOptions = {}
): Layer.Layer<HttpClient.HttpClient, never, AiGateway | HttpClient.HttpClient> =>
  Layer.provideMerge(
    Layer.effect(
      HttpClient.HttpClient,
      Effect.zipWith(AiGateway, HttpClient.HttpClient, (gateway, client) =>
        RelayClient.make(gateway.relay, options, client)
      )
    ),
    redactGatewayHeaders(undefined)
  )

/**
 * What a provider package takes as its `transformClient`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const transformClient =
  (gateway: Service, options: RerouteOptions = {}) =>
  (client: HttpClient.HttpClient): HttpClient.HttpClient => {
    const relay = RelayClient.make(gateway.relay, options)
    // The request that comes here has gone through everything that the provider's client does to it.
    return HttpClient.transform(client, (_, request) => relay.execute(request))
  }
