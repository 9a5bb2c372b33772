/**
 * Cloudflare AI Gateway's HTTP protocol, in process: the embedded default for an application that has no
 * account yet, and the test bench of one that has. It speaks what the real gateway speaks (provider-native,
 * compat and universal endpoints, the auto router, the account's own API with the API of logs, what a Worker's binding asks,
 * `cf-aig-*` headers, error bodies, caching, rate limits, retries, timeouts, logs, runs that are resumed), and behind it a
 * built-in model per provider answers in that provider's own wire format: chat with tools, forms of answers, images and thoughts, whole and streamed, and embeddings. A request
 * that the vendor would refuse is refused, with that vendor's own error.
 *
 * | provider | endpoints with a built-in model |
 * |---|---|
 * | `openai` | chat completions, responses, embeddings |
 * | `anthropic` | messages |
 * | `google-ai-studio`, `google-vertex-ai` | `generateContent`, `streamGenerateContent`; AI Studio also `embedContent`, `batchEmbedContents` |
 * | `aws-bedrock` | `converse`, `converse-stream` (binary), Anthropic's messages on `bedrock-mantle` |
 * | `azure-openai`, `mistral` | chat completions, embeddings; Azure also responses and `/openai/v1` |
 * | `cohere` | `v2/chat`, `v2/embed` |
 * | `workers-ai` | `run` (text and embedding models), chat completions, responses, embeddings |
 * | `groq`, `grok`, `deepseek`, `perplexity-ai`, `cerebras`, `openrouter`, `fireworks`, `baseten`, `parallel`, `huggingface` | chat completions; `grok` and `openrouter` also responses |
 * | `replicate` | predictions |
 * | `custom-…` | chat completions, once the option `upstreams` names it |
 *
 * What vendors take and refuse is from this project's protocol notes; where those are silent (fields of a request that
 * a vendor knows, wordings of most refusals, all of embeddings) it is general knowledge of the vendors' APIs.
 *
 * | host, or its path on any other | what is there |
 * |---|---|
 * | `gateway.ai.cloudflare.com` | `/v1/{account}/{gateway}`: universal; `…/{provider}/…`, `…/compat/chat/completions` |
 * | `api.cloudflare.com` | `/client/v4/accounts/{account}/ai/…` (see `accountToken`); `…/ai-gateway/gateways/{gateway}/logs`, `/{id}`, `/{id}/request`, `/{id}/response` |
 * | `workers-binding.ai` | `/ai-gateway/universal/run/{gateway}`, `/ai-gateway/run`, `/run`; `/ai-gateway/gateways/{gateway}/run/{runId}/resume` (see `RunSettings`), `…/url/{provider}`, `…/logs/{id}`; no token is wanted there |
 *
 * `aiBinding` is an `env.AI` in process. In workerd, Cloudflare's own binding code can be pointed at `LocalGatewayServer`.
 *
 * It shares no code with this library's client, so that neither can hide the other's mistake, and it needs
 * neither a network nor Node. `LocalGatewayServer` puts it on a loopback socket.
 *
 * Protocol facts are from Cloudflare's AI Gateway documentation and recorded answers; where the real
 * behaviour is not documented the choice made here is said at the option it concerns.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Effect from "effect/Effect"
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * const gateway = LocalGateway.make({
 *   upstreams: {
 *     openai: LocalGateway.script([LocalGateway.status(503), LocalGateway.text("Hello")])
 *   }
 * })
 *
 * // Every request of the program goes to `gateway`, whatever its URL.
 * const run = <A, E>(program: Effect.Effect<A, E, HttpClient.HttpClient>) =>
 *   Effect.provide(program, LocalGateway.layerFrom(gateway))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AiGateway from "./AiGateway.js"
import type { InvalidRequest } from "./internal/errors.js"
import { makeGateway } from "./internal/local/gateway.js"
import { layerHttpClient } from "./internal/local/httpClient.js"
import type { LocalGateway, Options } from "./internal/local/options.js"

export * from "./internal/local/ai.js"
export * from "./internal/local/aiBinding.js"
export * from "./internal/local/inBandErrors.js"
export * from "./internal/local/modifiers.js"
export * from "./internal/local/options.js"
export * from "./internal/local/records.js"
export * from "./internal/local/replies.js"
export * from "./internal/local/reply.js"
export * from "./internal/local/runConnections.js"
export * from "./internal/local/time.js"
export * from "./internal/local/upstreamKinds.js"

/**
 * Makes a gateway. It costs nothing until it is used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): LocalGateway => makeGateway(options)

/**
 * An `HttpClient` whose every request, whatever its URL, goes to a new gateway: own cache, own logs. Bind it
 * to a const to use one gateway in several places. The Effect `Clock` drives all its times, `TestClock`
 * included; interrupting a request, or leaving its response stream early, is what the gateway sees as the
 * client going away.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.suspend(() => layerFrom(makeGateway(options)))

/**
 * The same for a gateway that exists, so that a test can look at its requests and logs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFrom = (gateway: LocalGateway): Layer.Layer<HttpClient.HttpClient> =>
  layerHttpClient(gateway)

/**
 * The gateway that `layerTest` made, to look at its requests and logs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Gateway extends Context.Tag("effect-ai-gateway/LocalGateway")<Gateway, LocalGateway>() {}

/**
 * Everything that a test needs at once: a new local gateway, the `HttpClient` that leads to it, and an `AiGateway` with its
 * account, id and token. `Gateway` is there to look at what was asked.
 *
 * @example
 * ```ts
 * import { LocalGateway, OpenAi } from "effect-ai-gateway"
 * import { Effect, Layer } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   yield* OpenAi.model("gpt-5-mini").chat("hello")
 *   const gateway = yield* LocalGateway.Gateway
 *   return gateway.requests().length
 * }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (
  options: Options = {}
): Layer.Layer<AiGateway.AiGateway | HttpClient.HttpClient | Gateway, InvalidRequest> =>
  Layer.unwrapEffect(
    Effect.sync(() => {
      const gateway = makeGateway(options)
      const token = options.token === undefined ? "local-token" : options.token
      return AiGateway.layer({
        accountId: options.accountId ?? "local-account",
        gatewayId: options.gateways?.[0] ?? "local-gateway",
        token: token === null ? undefined : typeof token === "string" ? Redacted.make(token) : token
      }).pipe(Layer.provideMerge(layerFrom(gateway)), Layer.merge(Layer.succeed(Gateway, gateway)))
    })
  )
