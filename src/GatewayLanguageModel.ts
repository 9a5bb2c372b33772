/**
 * `@effect/ai`'s language models and this gateway.
 *
 * `fallback` makes one `LanguageModel` of several that providers' packages made. A call of it is one request to the gateway's
 * universal endpoint: the gateway asks the models' providers in their order until one answers, and that one's own package
 * decodes the answer.
 *
 * `fromChatModel` and `layerChatModel` go the other way: any model of this library as a `LanguageModel`, without a provider's
 * package.
 *
 * It needs the optional peer `@effect/ai`.
 *
 * @since 0.1.0
 */
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Model from "@effect/ai/Model"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { AiGateway } from "./AiGateway.js"
import * as FallbackEntries from "./internal/ai/fallbackEntries.js"
import * as LanguageModelFallback from "./internal/ai/languageModelFallback.js"
import type { RerouteOptions } from "./internal/reroute.js"

export {
  /**
   * @since 0.1.0
   * @category constructors
   */
  fromChatModel,
  /**
   * @since 0.1.0
   * @category layers
   */
  layerChatModel
} from "./internal/ai/chatModelLayer.js"
export type { Entries, Entry, ErrorOf, Infallible, Needs, Open } from "./internal/ai/fallbackEntries.js"
export type {
  AnsweredBy,
  Called,
  Cited,
  Finished,
  Looked,
  Refused,
  Signed
} from "./internal/ai/partMetadata.js"
export {
  /**
   * @since 0.1.0
   * @category prompts
   */
  fromResponseParts
} from "./internal/ai/signedPrompt.js"
export type { RerouteOptions } from "./internal/reroute.js"

/**
 * One model of several: the first that the gateway gets an answer of.
 *
 * Each is a provider's model with its client, but without the `HttpClient` that the client wants. One request goes out for a
 * call, with the request of each model in it, as its own package writes it; the package of the model that answered reads the
 * answer. So everything that works with one of them works with all: toolkits, `Chat`, `withConfigOverride`,
 * `ExecutionPlan`, `AiGateway.withOptions` and `AiGateway.tapAnswer` (which tells who answered: `gateway.step`, `provider`).
 *
 * - All fail: the error is the one that the gateway gives, read by the model that it names, or the last.
 * - A model that has no words for the prompt (`MalformedInput`, such as a file that its provider does not take) is left out;
 *   if all are, the error is the first one's.
 * - An answer that has begun is not changed any more: if its stream breaks, it fails.
 * - `retryTransient` of a provider's client sends the universal request again.
 * - `Model.ProviderName` is `cloudflare-ai-gateway`, whoever answers.
 * - A request that a model makes outside of a call, such as while it is built, is not sent and fails.
 *
 * A custom domain has no universal endpoint, so each call fails with an `InvalidRequest` as its cause. The gateway's
 * documentation recommends dynamic routes where they do; source: `protocol/gateway.md` §3.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
 * import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
 * import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const Resilient = GatewayLanguageModel.fallback(
 *   OpenAiLanguageModel.model("gpt-5-mini").pipe(
 *     Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make("sk-…") }))
 *   ),
 *   AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
 *     Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make("sk-ant-…") }))
 *   )
 * )
 *
 * const program = LanguageModel.generateText({ prompt: "Say hello." }).pipe(Effect.provide(Resilient))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fallback = <const Models extends FallbackEntries.Entries<LanguageModel.LanguageModel>>(
  ...models: Models & FallbackEntries.Open<Models> & FallbackEntries.Infallible<Models>
): Model.Model<
  "cloudflare-ai-gateway",
  LanguageModel.LanguageModel,
  AiGateway | FallbackEntries.Needs<Models[number]>
> =>
  Model.make(
    "cloudflare-ai-gateway",
    // `Infallible` says it, but of each model and not of the union of their errors.
    layerOf<Models[number]>(models, {}) as Layer.Layer<
      LanguageModel.LanguageModel,
      never,
      AiGateway | FallbackEntries.Needs<Models[number]>
    >
  )

/**
 * The same as a plain Layer: for models that can fail while they are built (`layerConfig`), and with options of all requests:
 * hosts that the gateway does not know, `credentials: "omit"` for the gateway's stored keys, gateway options.
 *
 * @example
 * ```ts
 * import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
 * import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
 * import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
 * import { Config, Layer } from "effect"
 *
 * // Layer<LanguageModel, ConfigError, AiGateway>
 * const Resilient = GatewayLanguageModel.layerFallback(
 *   [
 *     OpenAiLanguageModel.model("gpt-5-mini").pipe(
 *       Layer.provide(OpenAiClient.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") }))
 *     ),
 *     AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
 *       Layer.provide(AnthropicClient.layerConfig({ apiKey: Config.redacted("ANTHROPIC_API_KEY") }))
 *     )
 *   ],
 *   { options: { cacheTtl: "1 hour" } }
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFallback = <const Models extends FallbackEntries.Entries<LanguageModel.LanguageModel>>(
  models: Models & FallbackEntries.Open<Models>,
  options: RerouteOptions = {}
): Layer.Layer<
  LanguageModel.LanguageModel,
  FallbackEntries.ErrorOf<Models[number]>,
  AiGateway | FallbackEntries.Needs<Models[number]>
> => layerOf<Models[number]>(models, options)

const layerOf = <L extends FallbackEntries.Entry<LanguageModel.LanguageModel>>(
  models: ReadonlyArray<L>,
  options: RerouteOptions
) =>
  FallbackEntries.layer(LanguageModel.LanguageModel, models, options, (gateway, owner, models) =>
    Effect.succeed(LanguageModelFallback.make(gateway, owner, models))
  )
