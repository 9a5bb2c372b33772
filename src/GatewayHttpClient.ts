/**
 * An `HttpClient` that sends what is aimed at a known provider through the gateway: for clients that were written for the
 * providers themselves, `@effect/ai`'s provider packages first among them. Nothing else of such a client changes: it
 * encodes its requests and decodes its answers, and gets every status as the provider gave it.
 *
 * - A request keeps its method, its body byte by byte, and its headers, but for those of the connection (`host`,
 *   `content-length`, `accept-encoding`, …) and of tracing (`b3`, `traceparent`), of which the gateway's own
 *   `tracePropagation` decides. A signature that was made for the provider's URL (Amazon Bedrock) stays right.
 * - The client's own key goes to the provider, unless `credentials` is `"omit"`; the gateway's token is in
 *   `cf-aig-authorization` alone. A key in a URL (Google's `?key=`) travels as a header.
 * - Gateway options are those of the region (`AiGateway.withOptions`), with `options` of this client over them, and
 *   `AiGateway.tapAnswer` is told of every answer.
 * - An error that hides in a success has the status of an error; no error shows a credential. What the gateway itself
 *   refuses comes in its own envelope, but of Anthropic's, whose package reads refusals by a schema, in Anthropic's, with the
 *   gateway's in it. `AiGatewayError.fromUnknown` makes this library's error of what such a package fails with.
 * - Leaving a stream early, being interrupted and the end of `HttpClient.withScope` close the socket.
 *
 * What fails by itself is a `RequestError`, whose `cause` is this library's error: reason `InvalidUrl` for a URL that is of
 * no provider, `Encode` for a request that the gateway cannot be sent, and `Transport`, which clients retry, only where no
 * answer came.
 *
 * | behind the gateway over HTTPS | behind a Worker's binding |
 * |---|---|
 * | GET, POST, PUT, PATCH, DELETE with any body, which is read to its end first | POST with JSON; else `Encode`, before anything is sent |
 *
 * @example
 * ```ts
 * import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
 * import { LanguageModel } from "@effect/ai"
 * import { FetchHttpClient } from "@effect/platform"
 * import { AiGateway, GatewayHttpClient } from "effect-ai-gateway"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const Gateway = AiGateway.layer({
 *   accountId: "0123456789abcdef",
 *   gatewayId: "my-gateway",
 *   token: Redacted.make("…")
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 *
 * // The whole change: what was `Layer.provide(FetchHttpClient.layer)`.
 * const OpenAi = OpenAiClient.layer({ apiKey: Redacted.make("sk-…") }).pipe(
 *   Layer.provide(GatewayHttpClient.layer())
 * )
 *
 * const program = LanguageModel.generateText({ prompt: "Say hello." }).pipe(
 *   AiGateway.withOptions({ cacheTtl: "1 hour" }),
 *   Effect.provide(OpenAiLanguageModel.model("gpt-5-mini")),
 *   Effect.provide(Layer.provideMerge(OpenAi, Gateway))
 * )
 * ```
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
 * Makes a client that fails, with a `RequestError` of reason `InvalidUrl`, what is for no provider that the gateway knows.
 *
 * @example
 * ```ts
 * import { HttpClientRequest } from "@effect/platform"
 * import { GatewayHttpClient } from "effect-ai-gateway"
 * import { Effect } from "effect"
 *
 * const models = Effect.gen(function*() {
 *   const client = yield* GatewayHttpClient.make({ credentials: "omit" })
 *   const response = yield* client.execute(HttpClientRequest.get("https://api.openai.com/v1/models"))
 *   return yield* response.json
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: RerouteOptions = {}): Effect.Effect<HttpClient.HttpClient, never, AiGateway> =>
  Effect.map(AiGateway, (gateway) => RelayClient.make(gateway.relay, options))

/**
 * The client as a Layer: it goes under the layer of a provider's client, and over that of the gateway, which alone is given
 * the client that reaches the network. Provided the other way round, under `AiGateway.layer`, it would have no gateway.
 *
 * @example
 * ```ts
 * import { AnthropicClient } from "@effect/ai-anthropic"
 * import { OpenAiClient } from "@effect/ai-openai"
 * import { FetchHttpClient } from "@effect/platform"
 * import { AiGateway, GatewayHttpClient } from "effect-ai-gateway"
 * import { Config, Layer } from "effect"
 *
 * const Clients = Layer.merge(
 *   OpenAiClient.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") }),
 *   // Without a key: the gateway's stored one, or unified billing.
 *   AnthropicClient.layer({})
 * )
 *
 * const Gateway = AiGateway.layerConfig({
 *   accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
 *   gatewayId: Config.string("CLOUDFLARE_GATEWAY_ID"),
 *   token: Config.redacted("CLOUDFLARE_API_TOKEN")
 * })
 *
 * const Live = Clients.pipe(
 *   Layer.provide(GatewayHttpClient.layer()),
 *   Layer.provide(Gateway),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: RerouteOptions = {}): Layer.Layer<HttpClient.HttpClient, never, AiGateway> =>
  Layer.provideMerge(Layer.effect(HttpClient.HttpClient, make(options)), redactGatewayHeaders(undefined))

/**
 * The same, but what is for no provider goes where it is addressed, with the `HttpClient` that this layer is given: for a
 * program that has one client for everything. What is at a provider's host and no endpoint that the gateway takes fails
 * all the same; it does not go past the gateway.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { AiGateway, GatewayHttpClient } from "effect-ai-gateway"
 * import { Layer } from "effect"
 *
 * const Client = GatewayHttpClient.layerPassing().pipe(
 *   Layer.provide(AiGateway.layer({ accountId: "0123456789abcdef", gatewayId: "my-gateway" })),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
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
 * What a provider package takes as its `transformClient`, for one client of several to go through the gateway: whole
 * answers and streams. Of the client that it is given it keeps what that does to requests (the provider's URL, key and
 * headers); the client itself, and whatever it does around a request, such as retries, is not asked any more: add those
 * behind it.
 *
 * The packages' `withClientTransform`, of a single call, takes it as well, but no stream passes there.
 *
 * @example
 * ```ts
 * import { OpenAiClient } from "@effect/ai-openai"
 * import { AiGateway, GatewayHttpClient } from "effect-ai-gateway"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const OpenAi = Layer.unwrapEffect(
 *   Effect.map(AiGateway.AiGateway, (gateway) =>
 *     OpenAiClient.layer({
 *       apiKey: Redacted.make("sk-…"),
 *       transformClient: GatewayHttpClient.transformClient(gateway)
 *     })
 *   )
 * )
 * ```
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
