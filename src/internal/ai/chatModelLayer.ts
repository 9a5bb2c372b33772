/** Chat models of ours as layers of `@effect/ai`. */
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Model from "@effect/ai/Model"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChatModel from "../../ChatModel.js"
import * as ChatLanguageModel from "./chatLanguageModel.js"

/**
 * The application's `ChatModel` as the `LanguageModel` of `@effect/ai`. See `fromChatModel`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerChatModel: Layer.Layer<LanguageModel.LanguageModel, never, ChatModel.ChatModel> =
  /* @__PURE__ */ Layer.effect(
    LanguageModel.LanguageModel,
    /* @__PURE__ */ Effect.flatMap(ChatModel.ChatModel, ChatLanguageModel.make)
  )

/**
 * A model of this library, whatever it is made of (a list with fallback, retries, clocks), as a model of `@effect/ai`: what is
 * written against `@effect/ai` needs no provider's package then. Text, streams, objects, toolkits and `Chat` work as with any
 * other model.
 *
 * - `@effect/ai` has no settings of a call of its own. Sampling and vendors' own fields are the model value's
 *   (`ChatModel.withDefaults`), gateway options the region's (`AiGateway.withOptions`) or the model value's. Tools are the
 *   toolkit's alone, never those of a model's defaults.
 * - An object is asked for as by `ChatModel.chatObject`: a list moves on from a leg whose answer does not fit.
 * - Who answered is in `metadata.aiGateway` of the `response-metadata` part, which comes first, and of the `finish` part: the
 *   provider, the model, the attempts before it, the gateway's ids. A refusal is text whose `metadata.aiGateway` says so.
 *   A source without a URL is a document of the media type `application/octet-stream`, which says that it is not known.
 * - In streams the calls of tools have ids that the `IdGenerator` made, since the first piece of a call comes before its
 *   vendor's id. That is in `metadata.aiGateway.callId`. An id that the conversation has already becomes another one.
 * - `Prompt.fromResponseParts`, and so `Chat`, forgets the signatures of reasoning, as with every provider's package. The
 *   `fromResponseParts` of this module does not. Without them Claude cannot think on behind a call of a tool: a model of its that
 *   is made with a `reasoningEffort` and is to be used in a `Chat` with tools wants `unsupported: "drop"`.
 * - Of the options that parts of a prompt have for providers, `aiGateway` is read, and OpenAI's `imageDetail`; those for other
 *   packages (`anthropic.cacheControl`) are theirs.
 * - `Model.ProviderName` is `cloudflare-ai-gateway`, whoever answers.
 *
 * What no model can take is `MalformedInput`, which names the place, before anything is sent: a tool that a provider carries
 * out itself, and its calls and results; files that a model made. Every other error becomes the `AiError` that it resembles:
 *
 * | our error | there |
 * |---|---|
 * | any with an HTTP status from 400 | `HttpResponseError` of that status |
 * | `TransportFailure` | `HttpRequestError`, reason `Transport` |
 * | `InvalidRequest`, `Unsupported`, `BadRequest`, `ContextLengthExceeded` | `MalformedInput` |
 * | `MalformedResponse`, `InvalidOutput`, `InvalidToolCall` | `MalformedOutput` |
 * | others, such as `ModelTimeout` | `UnknownError` |
 *
 * `AllProvidersFailed` and `StreamBroken` are what their last reason is. `description` is our message and `cause` is our error.
 * The `request` that `@effect/ai` wants in two of them has the method `POST` and nothing else, an empty `url` included: a call
 * may have sent several, and none is kept. Of the response's headers there are `retry-after` and `cf-aig-log-id`, if they came.
 *
 * @example
 * ```ts
 * import * as LanguageModel from "@effect/ai/LanguageModel"
 * import { Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"
 * import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
 * import { Effect } from "effect"
 *
 * const Ai = GatewayLanguageModel.fromChatModel(
 *   ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")])
 * )
 *
 * const program = LanguageModel.generateText({ prompt: "Name three cheeses." }).pipe(
 *   Effect.map((response) => response.text),
 *   Effect.provide(Ai)
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromChatModel = <R>(
  model: ChatModel.With<R>
): Model.Model<"cloudflare-ai-gateway", LanguageModel.LanguageModel, R> =>
  Model.make("cloudflare-ai-gateway", Layer.provide(layerChatModel, ChatModel.layer(model)))
