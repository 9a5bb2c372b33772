/**
 * Google Vertex AI (Gemini), through its `generateContent` endpoints (`v1`).
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import { InvalidRequest } from "./internal/errors.js"
import { isRecord, parseJson, stringify, textAt } from "./internal/json.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as Module from "./internal/providerModule.js"
import { googleVertexAi } from "./internal/providerTable.js"
import * as GoogleGenerateContent from "./internal/wire/googleGenerateContent.js"
import type * as Provider from "./Provider.js"

/**
 * Vertex AI's credentials. They travel as a bearer token.
 *
 * @since 0.1.0
 * @category tags
 */
export class GoogleVertexAi extends Context.Tag("effect-ai-gateway/GoogleVertexAi")<
  GoogleVertexAi,
  Provider.Provider
>() {}

const provider = Module.of(GoogleVertexAi, googleVertexAi)

/**
 * Makes the service. `apiKey` is an access token, which lives for an hour: give an effect that gets one, and it is run for
 * each attempt. Or it is what `serviceAccount` makes, with which the gateway gets tokens itself. Without `apiKey` no
 * credential is sent, and the gateway's stored key or unified billing applies.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Provider.Options) => Provider.Provider = provider.make

/**
 * The service as a layer. Fails with `InvalidRequest` if the key is empty or cannot be one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (options?: Provider.Options) => Layer.Layer<GoogleVertexAi, InvalidRequest> =
  provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { GoogleVertexAi } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = GoogleVertexAi.layerConfig({ apiKey: Config.redacted("GOOGLE_ACCESS_TOKEN") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<GoogleVertexAi, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * The key that stands for a service account: its JSON with the region, as base64, from which the gateway makes access
 * tokens. It is an effect, as `apiKey` takes it, and fails with `InvalidRequest` if this is not the JSON of a service
 * account; no part of it is ever in the error.
 *
 * Source: Cloudflare's documentation of Google Vertex AI behind the gateway (`protocol/gateway.md` §6).
 *
 * @example
 * ```ts
 * import { GoogleVertexAi } from "effect-ai-gateway"
 * import { Config, Effect } from "effect"
 *
 * const Provider = GoogleVertexAi.layer({
 *   apiKey: Effect.flatMap(Config.redacted("GOOGLE_SERVICE_ACCOUNT"), (json) =>
 *     GoogleVertexAi.serviceAccount(json, "us-central1")
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category credentials
 */
export const serviceAccount = (
  json: string | Redacted.Redacted | Readonly<Record<string, unknown>>,
  region: string
): Effect.Effect<Redacted.Redacted, InvalidRequest> =>
  Effect.suspend(() => {
    const invalid = (field: string, message: string) =>
      Effect.fail(new InvalidRequest({ field, provider: googleVertexAi.slug, message }))
    if (!isName(region))
      return invalid("region", "region must be a region of Google Cloud, such as us-central1.")
    const given = Redacted.isRedacted(json) ? Redacted.value(json) : json
    const account = typeof given === "string" ? parseJson(given) : given
    if (
      !isRecord(account) ||
      textAt(account, "client_email") === undefined ||
      textAt(account, "private_key") === undefined
    ) {
      return invalid(
        "serviceAccount",
        "This is not the JSON of a service account: it has no client_email or no private_key."
      )
    }
    const written = stringify({ ...account, region })
    return written === undefined
      ? invalid("serviceAccount", "The service account cannot be written as JSON.")
      : Effect.succeed(Redacted.make(Encoding.encodeBase64(written)))
  })

/**
 * Where a model is, and what it can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ModelOptions {
  /** The id of the Google Cloud project. */
  readonly project: string
  /** A region, such as `us-central1`, or `global`, which has fewer models. */
  readonly location: string
  /**
   * Asks for the arguments of tool calls in pieces, so that bytes arrive while the model writes them, and the idle clock
   * knows that it is alive. The call itself is told once, when it is whole: its pieces are patches, which are no text that
   * grows. Streams only. Default `false`.
   */
  readonly streamFunctionCallArguments?: boolean | undefined
}

/**
 * A Gemini model of Vertex AI: a plain value, for use by itself or in a list. Projects may need keys of their own: see
 * `ChatModel.provideService`.
 *
 * All sampling fields are supported, and tools, images, files and JSON Schema. `parallelToolCalls: false` is `Unsupported`, and
 * so is `reasoningEffort` before Gemini 2.5; it is a level from Gemini 3 on, and a budget of tokens for 2.5. Before Gemini 3
 * a form of the answer (`output`) beside tools is had by a tool of its own, since the two exclude each other. Which URLs of
 * images and files Vertex fetches is not confirmed: `gs://` is what its documentation names. A project or location that a
 * path cannot have fails each call with `InvalidRequest`.
 *
 * Source: `protocol/gateway.md` §6, `protocol/wire-formats.md` §8; that Vertex takes `responseJsonSchema` and
 * `parametersJsonSchema` under `v1` is not confirmed there.
 *
 * @example
 * ```ts
 * import { GoogleVertexAi } from "effect-ai-gateway"
 *
 * const model = GoogleVertexAi.model("gemini-2.5-flash", { project: "my-project", location: "us-central1" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (
  name: string,
  { project, location, streamFunctionCallArguments = false, ...options }: Options
): Leg<GoogleVertexAi | AiGateway> => {
  const wire = GoogleGenerateContent.vertex({
    project,
    location,
    streamArguments: streamFunctionCallArguments
  })
  const leg = provider.models(wire)(name, options)
  const field = !isProject(project) ? "project" : isName(location) ? undefined : "location"
  return field === undefined
    ? leg
    : Module.invalidModel(
        leg,
        new InvalidRequest({
          field,
          provider: googleVertexAi.slug,
          model: name,
          message:
            field === "project"
              ? "project must be the id of a Google Cloud project, such as my-project."
              : "location must be a region of Google Cloud, such as us-central1, or global."
        })
      )
}

const isName = (text: string): boolean => /^[a-z0-9][a-z0-9-]*$/.test(text)

/** Old ones have a domain before a colon. */
const isProject = (text: string): boolean => /^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]*$/.test(text)
