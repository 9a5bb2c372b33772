/**
 * Amazon Bedrock: models of many vendors, through its Converse API, and Anthropic's through their own.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import { InvalidRequest } from "./internal/errors.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as NativeUrl from "./internal/nativeUrl.js"
import * as Module from "./internal/providerModule.js"
import { awsBedrock } from "./internal/providerTable.js"
import * as SigV4 from "./internal/sigV4.js"
import * as BedrockConverse from "./internal/wire/bedrockConverse.js"
import * as BedrockMantle from "./internal/wire/bedrockMantle.js"
import * as Provider from "./Provider.js"

/**
 * Bedrock's credentials.
 *
 * @since 0.1.0
 * @category tags
 */
export class AwsBedrock extends Context.Tag("effect-ai-gateway/AwsBedrock")<
  AwsBedrock,
  Provider.Provider
>() {}

/**
 * Credentials of an AWS account, with which requests are signed (SigV4). They never leave the program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  /** Of temporary credentials. It is sent along. */
  readonly sessionToken?: Redacted.Redacted | undefined
}

/**
 * How requests are authorised: with a Bedrock API key, with a signature, or, if neither is given, with what the gateway has
 * stored.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Provider.Options {
  /**
   * Credentials to sign each request with, instead of an `apiKey`; or an effect that gives them (temporary ones expire),
   * run for each attempt. If it fails, the leg fails with `Unauthorized` and the next one is tried.
   */
  readonly credentials?: Credentials | Effect.Effect<Credentials, unknown> | undefined
}

/**
 * Makes the service.
 *
 * With `apiKey`, a Bedrock API key travels as a bearer token. With `credentials`, each request is signed for Amazon's own
 * URL and sent to the gateway, which passes the signature on. With neither, no credential is sent at all, and the gateway
 * signs with its stored key.
 *
 * A signature holds for the bytes of a body. A request of its own arrives as it was signed; but where several legs go out
 * in one request (`ChatModel.universal`, `AiGateway.sendFirst`), the gateway writes the body anew, and whether it writes
 * the same bytes is not documented. Prefer a stored key or an API key there.
 *
 * @example
 * ```ts
 * import { AwsBedrock } from "effect-ai-gateway"
 * import { Redacted } from "effect"
 *
 * const stored = AwsBedrock.make()
 * const withKey = AwsBedrock.make({ apiKey: Redacted.make("bedrock-api-key-…") })
 * const signing = AwsBedrock.make({
 *   credentials: { accessKeyId: "AKIA…", secretAccessKey: Redacted.make("…") }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ credentials, ...options }: Options = {}): Provider.Provider => {
  const provider = Module.make(awsBedrock, options)
  return credentials === undefined
    ? provider
    : Provider.make({ ...provider, sign: signWith(credentials, options.apiKey !== undefined) })
}

/**
 * The service as a layer. Fails with `InvalidRequest` if a key or a credential is empty or cannot be one, or if both an
 * `apiKey` and `credentials` are given.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<AwsBedrock, InvalidRequest> => {
  const wrong = wrongOptions(options)
  return wrong === undefined
    ? Module.layer(AwsBedrock, make(options))
    : Layer.effect(AwsBedrock, Effect.fail(wrong))
}

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { AwsBedrock } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Key = AwsBedrock.layerConfig({ apiKey: Config.redacted("AWS_BEARER_TOKEN_BEDROCK") })
 * const Signing = AwsBedrock.layerConfig({
 *   credentials: Config.all({
 *     accessKeyId: Config.string("AWS_ACCESS_KEY_ID"),
 *     secretAccessKey: Config.redacted("AWS_SECRET_ACCESS_KEY")
 *   })
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
  readonly credentials?: Config.Config<Credentials | undefined> | undefined
}): Layer.Layer<AwsBedrock, ConfigError | InvalidRequest> => Module.layerConfig(configs, layer)

// --- signing ------------------------------------------------------------------------------------------------------------

const signWith =
  (
    credentials: Credentials | Effect.Effect<Credentials, unknown>,
    beside: boolean
  ): NonNullable<Provider.Provider["sign"]> =>
  ({ endpoint, body }) => {
    const [api, region] = endpoint.split("/")
    const url = NativeUrl.toNative(awsBedrock.slug, endpoint)
    if (api !== "bedrock-runtime" || region === undefined || url._tag === "Left") {
      return Effect.fail(
        new Error("only requests to bedrock-runtime are signed; give an apiKey, or leave both out")
      )
    }
    const request = { url: url.right, service: "bedrock", region, body }
    if (beside) return Effect.fail(bothGiven())
    if (!Effect.isEffect(credentials)) {
      const wrong = wrongCredentials(credentials)
      return wrong === undefined ? SigV4.sign(request, credentials) : Effect.fail(wrong)
    }
    return Effect.flatMap(credentials, (found): Effect.Effect<SigV4.Headers, unknown> => {
      // What is wrong now may be right at the next attempt, and concerns this provider alone.
      const wrong = wrongCredentials(found)
      return wrong === undefined ? SigV4.sign(request, found) : Effect.fail(new Error(wrong.message))
    })
  }

const wrongOptions = ({ apiKey, credentials }: Options): InvalidRequest | undefined => {
  if (credentials === undefined) return undefined
  if (apiKey !== undefined) return bothGiven()
  return Effect.isEffect(credentials) ? undefined : wrongCredentials(credentials)
}

const invalid = (field: string, message: string): InvalidRequest =>
  new InvalidRequest({ field, provider: awsBedrock.slug, message })

const bothGiven = (): InvalidRequest =>
  invalid("credentials", "Give either an apiKey or credentials to Bedrock, not both.")

const wrongCredentials = ({
  accessKeyId,
  secretAccessKey,
  sessionToken
}: Credentials): InvalidRequest | undefined => {
  const texts = {
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : Redacted.value(sessionToken)
  }
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined || /^[\x21-\x7e]+$/.test(text)) continue
    return invalid(
      `credentials.${name}`,
      text === ""
        ? `The ${name} of Bedrock is empty. Leave the credentials out to use the gateway's stored key.`
        : `The ${name} of Bedrock has a character that it cannot have, such as a space or a line break.`
    )
  }
  return undefined
}

// --- models -------------------------------------------------------------------------------------------------------------

/**
 * Where a model is, and what it can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface BedrockOptions extends ModelOptions {
  /** The region that is asked, such as `us-east-1`. */
  readonly region: string
}

/**
 * A model of Bedrock: a plain value, for use by itself or in a list. `name` is the id of a model or of an inference
 * profile, or an ARN. A region or a name that cannot be one fails each call with `InvalidRequest`.
 *
 * It is asked through the Converse API, alike for all vendors. What that has no word for is `Unsupported`: `seed`, the
 * penalties, `parallelToolCalls: false`, images and files by URL, types of files that it does not know; and what only Claude
 * models take, by their name, for others: `topK` and `reasoningEffort`. What a Claude model refuses is so too: sampling
 * together with reasoning, a forced tool together with reasoning, sampling from 4.7 on. Which models force tools, see images
 * or read files, is theirs to say otherwise: Bedrock then refuses with a `BadRequest`.
 *
 * `toolChoice: "none"` leaves the tools out, and is `Unsupported` in a conversation with tool calls, which must have tools.
 * In such a conversation a request without tools names those again that were called, and tells the model not to call them.
 *
 * `output` is Bedrock's own JSON-schema mode for Claude 4.1 to 4.6, where that can express the schema, and a tool that the
 * model is forced to call elsewhere. A tool's `strict` goes out where it was asked for.
 *
 * Source: `protocol/wire-formats.md` §10. Not confirmed there: which models have the JSON-schema mode (Amazon's list), and
 * the `effort` of Claude from 4.6 on (Amazon's SDK has the field).
 *
 * @example
 * ```ts
 * import { AwsBedrock } from "effect-ai-gateway"
 *
 * const nova = AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" })
 * const claude = AwsBedrock.model("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", {
 *   region: "eu-central-1",
 *   maxTokens: 1024
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (name: string, { region, ...options }: BedrockOptions): Leg<AwsBedrock | AiGateway> =>
  checked(Module.model(AwsBedrock, awsBedrock, BedrockConverse.make(region), name, options), name, region)

/**
 * A Claude model through Anthropic's own API on Bedrock (`bedrock-mantle`), with Anthropic's stream and fields. It takes a
 * Bedrock API key or the gateway's stored key; whether it takes signed requests is not documented, and none are sent.
 * `output` is a tool that the model is forced to call, because this API, unlike Anthropic's own, refuses a JSON-schema mode
 * (Amazon's documentation); with reasoning it is `Unsupported`.
 *
 * Source: `protocol/wire-formats.md` §2.1 and §7.
 *
 * @since 0.1.0
 * @category models
 */
export const anthropicModel = (
  name: string,
  { region, ...options }: BedrockOptions
): Leg<AwsBedrock | AiGateway> =>
  checked(Module.model(AwsBedrock, awsBedrock, BedrockMantle.make(region), name, options), name, region)

const checked = (
  leg: Leg<AwsBedrock | AiGateway>,
  name: string,
  region: string
): Leg<AwsBedrock | AiGateway> => {
  const because = (field: string, message: string) =>
    Module.invalidModel(leg, new InvalidRequest({ field, provider: awsBedrock.slug, model: name, message }))
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) {
    return because("region", "region must be a region of AWS, such as us-east-1.")
  }
  // Ids, versions behind a colon, and ARNs with slashes.
  return /^[a-zA-Z0-9][a-zA-Z0-9._:/-]*$/.test(name)
    ? leg
    : because("model", "The model of Bedrock has no name, or one that a path cannot have.")
}
