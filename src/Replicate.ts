/**
 * Replicate: language models that run as predictions. A prediction is created, asked about until it is over, and cancelled if
 * nobody waits for it any more; all of it goes through the gateway.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import { AiGateway } from "./AiGateway.js"
import { type InvalidRequest, Unsupported } from "./internal/errors.js"
import * as Leg from "./internal/leg.js"
import type * as Model from "./internal/model.js"
import { limitsOf } from "./internal/modelTable.js"
import * as Predictions from "./internal/predictions.js"
import * as Module from "./internal/providerModule.js"
import type { ProviderRow } from "./internal/providerTable.js"
import { wire } from "./internal/wire/replicate.js"
import type * as Provider from "./Provider.js"

const replicate: ProviderRow = { slug: "replicate", authHeader: "authorization", authPrefix: "Bearer " }

/**
 * Replicate's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class Replicate extends Context.Tag("effect-ai-gateway/Replicate")<Replicate, Provider.Provider>() {}

/**
 * What a model of Replicate can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelOptions extends Leg.ModelOptions {
  /**
   * The waits between two looks at a prediction. If the schedule ends before the prediction does, the call fails with
   * `ModelTimeout` and the prediction is cancelled. Default: every 500 milliseconds, for as long as the clocks allow.
   */
  readonly polls?: Schedule.Schedule<unknown> | undefined
}

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key applies.
 *
 * A connection that is lost cannot cancel anything. The header `cancel-after` in `headers` makes Replicate itself end
 * predictions that run for longer, such as `"10m"`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Provider.Options = {}): Provider.Provider => Module.make(replicate, options)

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Provider.Options = {}): Layer.Layer<Replicate, InvalidRequest> =>
  Module.layer(Replicate, make(options))

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { Replicate } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = Replicate.layerConfig({ apiKey: Config.redacted("REPLICATE_API_TOKEN") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}): Layer.Layer<Replicate, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

/**
 * A model of Replicate: a plain value, for use by itself or in a list. `name` is an official model (`owner/name`) or a
 * version (`owner/name:hash`, or the hash alone).
 *
 * A model takes text and not a conversation: one message is its prompt, several become a transcript, and what is about
 * tools is `Unsupported`. Its further inputs go into `providerOptions: { replicate: { input: { … } } }`; what an input
 * is called is up to each model, and a model does not say that it ignores one. Tools, `output`, `reasoningEffort`, images and
 * files are `Unsupported`.
 *
 * A whole answer is waited for (`Prefer: wait`, one minute at Replicate), and then polled for. A stream gives what each
 * poll adds. `timeouts.idle` is the time without new text, once there is some; before that each poll counts as a sign of
 * life, and `timeouts.firstEvent` bounds the start of a cold model. When the call ends early, by interruption or by a
 * clock, the prediction is cancelled, which is waited for, but never longer than 5 seconds; a creation that has no
 * answer yet has no id to cancel. A poll that fails is repeated as the model's retries allow. A prediction that fails
 * is a `ProviderFailure`, or what its words say it is. In a `universal` list nobody polls: an answer that takes longer
 * than a minute is `MalformedResponse` there.
 *
 * Protocol: `POST predictions`, `GET predictions/{id}`, `POST predictions/{id}/cancel` of Replicate's HTTP API.
 *
 * @example
 * ```ts
 * import { Replicate } from "effect-ai-gateway"
 * import { Schedule } from "effect"
 *
 * const model = Replicate.model("meta/meta-llama-3-70b-instruct", {
 *   maxTokens: 512,
 *   polls: Schedule.spaced("1 second")
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, options: ModelOptions = {}): Model.Leg<Replicate | AiGateway> => {
  const { polls, ...rest } = options
  return Leg.make({
    provider: Replicate,
    gateway: AiGateway,
    slug: replicate.slug,
    model: name,
    wire,
    options: rest,
    limits: limitsOf(replicate.slug, name),
    start: (gateway, request, asked, how) =>
      // A prediction that nobody can ask about again must not begin.
      gateway.transport === "binding"
        ? Effect.fail(
            new Unsupported({
              feature: "predictions through a binding",
              ...asked,
              message:
                "A Worker's binding sends by POST only, and a prediction is asked about by GET: go through AiGateway.layer."
            })
          )
        : Predictions.create({ ...how, gateway, request, asked, pace: polls ?? Predictions.defaultPace() })
  })
}
