/**
 * Programs that were written for `@effect/ai`, as they are before anybody thinks of a gateway, and the ways in which one
 * reaches a local gateway.
 */

import * as LanguageModel from "@effect/ai/LanguageModel"
import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient"
import * as AnthropicLanguageModel from "@effect/ai-anthropic/AnthropicLanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Chunk, Effect, Layer, Option, Redacted, Stream } from "effect"
import { AiGateway, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import * as Recorded from "./recorded.js"

export const gatewayToken = "local-token"

const settings = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make(gatewayToken)
}

type Route = (gateway: LocalGateway.LocalGateway) => Layer.Layer<AiGateway.AiGateway, unknown>

export const inProcess: Route = (gateway) =>
  AiGateway.layer(settings).pipe(Layer.provide(LocalGateway.layerFrom(gateway)))

/** Over a socket that somebody else listens on. */
export const toGateway = (settings: AiGateway.Options) =>
  AiGateway.layer(settings).pipe(Layer.provide(FetchHttpClient.layer))

export const overSocket =
  (client: Layer.Layer<HttpClient.HttpClient>): Route =>
  (gateway) =>
    Layer.unwrapScoped(
      Effect.map(LocalGatewayServer.start(gateway), ({ baseUrl }) =>
        AiGateway.layer({ ...settings, baseUrl }).pipe(Layer.provide(client))
      )
    )

export const overBinding: Route = (gateway) =>
  AiGateway.layerBinding(LocalGateway.aiBinding(gateway).gateway("local-gateway"))

export const routes: Readonly<Record<string, Route>> = {
  "in process": inProcess,
  "FetchHttpClient over a socket": overSocket(FetchHttpClient.layer),
  "NodeHttpClient.layerUndici over a socket": overSocket(NodeHttpClient.layerUndici),
  "a Worker's binding": overBinding
}

/** The whole change to an application: what its providers' clients are given. */
export const through = <A, E>(
  gateway: Layer.Layer<AiGateway.AiGateway, E>,
  application: Layer.Layer<A, never, HttpClient.HttpClient>,
  options?: GatewayHttpClient.RerouteOptions
): Layer.Layer<A, E> =>
  application.pipe(Layer.provide(GatewayHttpClient.layer(options)), Layer.provide(gateway))

/** A provider's package, as an application provides it. */
export interface Package {
  readonly slug: string
  readonly model: Layer.Layer<LanguageModel.LanguageModel, never, HttpClient.HttpClient>
  /** What the provider is sent of the application's own: the headers that say who it is, and how it speaks. */
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: ReadonlyArray<string>
  readonly endpoints: Readonly<Record<Recorded.Operation, string>>
}

const everywhere = (endpoint: string, stream = endpoint): Package["endpoints"] => ({
  generateText: endpoint,
  generateTextWithToolkit: endpoint,
  generateObject: endpoint,
  streamText: stream,
  streamTextWithToolkit: stream
})

export const openAiKey = "sk-openai-0123456789"
export const anthropicKey = "sk-ant-0123456789"

export const openAi: Package = {
  slug: "openai",
  model: OpenAiLanguageModel.layer({ model: "gpt-5-mini" }).pipe(
    Layer.provide(
      OpenAiClient.layer({
        apiKey: Redacted.make(openAiKey),
        organizationId: Redacted.make("org-1"),
        projectId: Redacted.make("proj-1")
      })
    )
  ),
  headers: {
    authorization: `Bearer ${openAiKey}`,
    "openai-organization": "org-1",
    "openai-project": "proj-1",
    accept: "application/json"
  },
  secrets: [openAiKey],
  endpoints: everywhere("v1/responses")
}

export const anthropic: Package = {
  slug: "anthropic",
  model: AnthropicLanguageModel.layer({ model: "claude-haiku-4-5" }).pipe(
    Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make(anthropicKey) }))
  ),
  headers: { "x-api-key": anthropicKey, "anthropic-version": "2023-06-01", accept: "application/json" },
  secrets: [anthropicKey],
  endpoints: everywhere("v1/messages?beta=true", "v1/messages")
}

export const google: Package = {
  slug: "google-ai-studio",
  model: Recorded.layerGoogle,
  headers: { "x-goog-api-key": "fake-google-key", accept: "application/json" },
  secrets: ["fake-google-key"],
  endpoints: everywhere(
    "v1beta/models/gemini-2.5-flash:generateContent",
    "v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
  )
}

const bedrockPath = `bedrock-runtime/us-east-1/model/${Recorded.amazonBedrock.model}`

export const amazonBedrock: Package = {
  slug: "aws-bedrock",
  model: Recorded.layerAmazonBedrock,
  headers: {
    accept: "application/json",
    "x-amz-date": "20261124T120000Z",
    "x-amz-security-token": Recorded.awsCredentials.sessionToken
  },
  secrets: [Recorded.awsCredentials.sessionToken, "Credential=AKIDFAKEEXAMPLE"],
  endpoints: everywhere(`${bedrockPath}/converse`, `${bedrockPath}/converse-stream`)
}

export const openRouter: Package = {
  slug: "openrouter",
  model: Recorded.layerOpenRouter,
  headers: {
    authorization: "Bearer fake-openrouter-key",
    "http-referer": "https://app.example.com",
    "x-title": "an application",
    accept: "application/json"
  },
  secrets: ["fake-openrouter-key"],
  endpoints: everywhere("v1/chat/completions")
}

export const packages: ReadonlyArray<Package> = [openAi, anthropic, google, amazonBedrock, openRouter]

/** What a program asks, what the model is made to say, and what the program makes of that. */
export interface Program {
  readonly reply: LocalGateway.Reply
  readonly run: Effect.Effect<unknown, unknown, LanguageModel.LanguageModel>
  readonly gives: unknown
}

const { prompt, toolkit, City, handlers } = Recorded
const sunny = LocalGateway.text("It is sunny.", { chunks: ["It is ", "sunny."] })
const oslo = { city: "Oslo", country: "Norway" }
const calls = LocalGateway.toolCall("weather", { city: "Oslo" })

export const programs: Readonly<Record<Recorded.Operation, Program>> = {
  generateText: {
    reply: sunny,
    run: Effect.map(LanguageModel.generateText({ prompt }), ({ text }) => text),
    gives: "It is sunny."
  },
  generateTextWithToolkit: {
    reply: calls,
    run: LanguageModel.generateText({ prompt, toolkit }).pipe(
      Effect.map(({ toolResults }) => toolResults.map(({ result }) => result)),
      Effect.provide(handlers)
    ),
    gives: ["sunny in Oslo"]
  },
  generateObject: {
    reply: LocalGateway.value(oslo),
    run: Effect.map(LanguageModel.generateObject({ prompt, schema: City }), ({ value }) => value),
    gives: new City(oslo)
  },
  streamText: {
    reply: sunny,
    run: LanguageModel.streamText({ prompt }).pipe(
      Stream.runFold("", (text, part) => (part.type === "text-delta" ? text + part.delta : text))
    ),
    gives: "It is sunny."
  },
  streamTextWithToolkit: {
    reply: calls,
    run: LanguageModel.streamText({ prompt, toolkit }).pipe(
      Stream.filterMap((part) => (part.type === "tool-result" ? Option.some(part.result) : Option.none())),
      Stream.runCollect,
      Effect.map(Chunk.toReadonlyArray),
      Effect.provide(handlers)
    ),
    gives: ["sunny in Oslo"]
  }
}
