/**
 * Azure OpenAI, through the `chat/completions` endpoint of a resource: of one of its deployments, or of its `openai/v1`
 * surface.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AiGateway } from "./AiGateway.js"
import type * as EmbeddingModel from "./EmbeddingModel.js"
import * as Embedding from "./internal/embedding.js"
import { InvalidRequest } from "./internal/errors.js"
import type { ModelOptions } from "./internal/leg.js"
import type { Leg } from "./internal/model.js"
import * as Module from "./internal/providerModule.js"
import { azureOpenAi } from "./internal/providerTable.js"
import * as OpenAiEmbeddings from "./internal/wire/embeddings/openAiEmbeddings.js"
import * as OpenAiChat from "./internal/wire/openAiChat.js"
import * as Dialects from "./internal/wire/openAiDialects.js"
import type * as Provider from "./Provider.js"

/**
 * Azure OpenAI's credentials: the key of one resource. It travels as `api-key`.
 *
 * @since 0.1.0
 * @category tags
 */
export class AzureOpenAi extends Context.Tag("effect-ai-gateway/AzureOpenAi")<
  AzureOpenAi,
  Provider.Provider
>() {}

const provider = Module.of(AzureOpenAi, azureOpenAi)

/**
 * Makes the service. Without `apiKey` no credential is sent, and the gateway's stored key applies.
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
export const layer: (options?: Provider.Options) => Layer.Layer<AzureOpenAi, InvalidRequest> = provider.layer

/**
 * The service as a layer, configured by `Config`. A setting that is missing fails the layer with its name.
 *
 * @example
 * ```ts
 * import { AzureOpenAi } from "effect-ai-gateway"
 * import { Config } from "effect"
 *
 * const Provider = AzureOpenAi.layerConfig({ apiKey: Config.redacted("AZURE_OPENAI_API_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (configs: {
  readonly apiKey?: Config.Config<Redacted.Redacted | undefined> | undefined
}) => Layer.Layer<AzureOpenAi, ConfigError | InvalidRequest> = provider.layerConfig

/**
 * Where a model is, and what it can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ModelOptions {
  /** The name of the resource: `my-resource` of `https://my-resource.openai.azure.com`. */
  readonly resource: string
  /**
   * The version of the API that the deployment is asked with, such as `2024-10-21`. Absent: the resource's `openai/v1`
   * surface is asked, which has none.
   */
  readonly apiVersion?: string | undefined
}

/**
 * A deployment of Azure OpenAI: a plain value, for use by itself or in a list. Two resources need two keys: see
 * `ChatModel.provideService`.
 *
 * With `apiVersion` the request goes to `{resource}/{deployment}/chat/completions?api-version=…`, the form that the
 * gateway documents. Without it, it goes to `{resource}/openai/v1/chat/completions`: Azure's current URLs, which the
 * gateway's documentation does not mention; whether your gateway passes them on, only a call can tell.
 *
 * `topK` and files by URL are `Unsupported`. Deployments of reasoning models refuse `temperature` and the penalties with a
 * `BadRequest`, and others refuse `reasoningEffort`: the name of a deployment does not tell what it holds. A resource or a deployment without a name, or with one that a
 * host or path cannot have, fails each call with `InvalidRequest`.
 *
 * Source: `protocol/gateway.md` §6, `protocol/wire-formats.md` §4.1.
 *
 * @example
 * ```ts
 * import { AzureOpenAi } from "effect-ai-gateway"
 *
 * const model = AzureOpenAi.model("my-deployment", { resource: "my-resource", apiVersion: "2024-10-21" })
 * const current = AzureOpenAi.model("my-deployment", { resource: "my-resource" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const model = (
  deployment: string,
  { apiVersion, resource, ...options }: Options
): Leg<AzureOpenAi | AiGateway> => {
  const wire = OpenAiChat.make(Dialects.azureOpenAi(resource, apiVersion))
  const leg = provider.models(wire)(deployment, options)
  const invalid = wrong(deployment, resource, apiVersion)
  return invalid === undefined ? leg : Module.invalidModel(leg, invalid)
}

/**
 * Where an embedding model is, and what it can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddingOptions
  extends EmbeddingModel.ModelOptions,
    Pick<Options, "resource" | "apiVersion"> {}

/**
 * A deployment of an embedding model, through `embeddings`: at most 2048 texts in one request. `purpose` is `Unsupported`. The
 * path is that of `model`, with and without `apiVersion`.
 *
 * @example
 * ```ts
 * import { AzureOpenAi } from "effect-ai-gateway"
 *
 * const model = AzureOpenAi.embeddingModel("my-embeddings", { resource: "my-resource", apiVersion: "2024-10-21" })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const embeddingModel = (
  deployment: string,
  { apiVersion, resource, ...options }: EmbeddingOptions
): EmbeddingModel.With<AzureOpenAi | AiGateway> => {
  const dialect = Dialects.azureOpenAi(resource, apiVersion)
  const { endpoint } = dialect
  const wire = OpenAiEmbeddings.make({
    ...OpenAiEmbeddings.openAi,
    modelInPath: dialect.modelInPath === true,
    endpoint: (name) =>
      (typeof endpoint === "string" ? endpoint : endpoint(name)).replace("/chat/completions", "/embeddings")
  })
  const invalid = wrong(deployment, resource, apiVersion)
  const made = Module.embeddingModel(AzureOpenAi, azureOpenAi, wire, deployment, options)
  return invalid === undefined ? made : Embedding.make(made.metadata, () => Effect.fail(invalid))
}

const wrong = (
  deployment: string,
  resource: string,
  apiVersion: string | undefined
): InvalidRequest | undefined => {
  const because = (field: string, message: string) =>
    new InvalidRequest({ field, provider: azureOpenAi.slug, model: deployment, message })
  // A resource is a host's name: letters, digits and hyphens.
  if (!/^[a-zA-Z0-9][a-zA-Z0-9-]*$/.test(resource)) {
    return because(
      "resource",
      "resource must be the name of an Azure OpenAI resource: my-resource of https://my-resource.openai.azure.com."
    )
  }
  if (!/^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/.test(deployment)) {
    return because("model", "The deployment of Azure OpenAI has no name, or one that a path cannot have.")
  }
  if (apiVersion === "") {
    return because("apiVersion", "apiVersion is empty: give one, such as 2024-10-21, or leave it out.")
  }
  return undefined
}
