/** `@copilotkit/aimock`, unmodified, as every vendor whose format it speaks, behind a gateway on loopback. */
import { LLMock, type MockServerOptions } from "@copilotkit/aimock"
import type * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Layer, Logger, LogLevel, Redacted, Schedule } from "effect"
import {
  AiGateway,
  Anthropic,
  AwsBedrock,
  AzureOpenAi,
  ChatModel,
  Cohere,
  GoogleAiStudio,
  GoogleVertexAi,
  LocalGateway,
  OpenAi,
  OpenRouter
} from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { forwardRewritten } from "./support.js"

export const emulator = (prepare: (mock: LLMock) => void, options: MockServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const mock = new LLMock({ port: 0, logLevel: "silent", ...options })
      prepare(mock)
      await mock.start()
      return mock
    }),
    // On Deno aimock may wait for ever for connections that it has itself destroyed.
    (mock) =>
      Effect.promise(() =>
        Promise.race([
          mock.stop().catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, 2000))
        ])
      )
  )

/** What stands behind each slug, at the vendor's own paths. */
const upstreams = {
  openai: (url: string) => LocalGateway.forward(`${url}/v1`),
  anthropic: LocalGateway.forward,
  "google-ai-studio": LocalGateway.forward,
  "google-vertex-ai": LocalGateway.forward,
  "azure-openai": (url: string) =>
    forwardRewritten(url, [
      [/^[^/]+\/openai\//, "openai/"],
      [/^[^/]+\/([^/]+)\//, "openai/deployments/$1/"]
    ]),
  "aws-bedrock": (url: string) => forwardRewritten(url, [[/^bedrock-runtime\/[^/]+\//, ""]]),
  cohere: LocalGateway.forward,
  openrouter: (url: string) => LocalGateway.forward(`${url}/api`)
} satisfies Record<string, (url: string) => LocalGateway.Upstream>

type Slug = keyof typeof upstreams

/** `bad` stands behind one provider, `good` behind the others. */
export const gatewayTo = (slug: Slug, bad: LLMock, good: LLMock = bad) =>
  LocalGateway.make({
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, upstream]) => [name, upstream((name === slug ? bad : good).url)])
    )
  })

export const application = (gateway: LocalGateway.LocalGateway, client: Layer.Layer<HttpClient.HttpClient>) =>
  Layer.unwrapScoped(
    Effect.map(LocalGatewayServer.start(gateway), ({ baseUrl }) => {
      const apiKey = Redacted.make("a-key")
      return Layer.mergeAll(
        OpenAi.layer({ apiKey }),
        Anthropic.layer({ apiKey }),
        GoogleAiStudio.layer({ apiKey }),
        GoogleVertexAi.layer({ apiKey }),
        AzureOpenAi.layer({ apiKey }),
        AwsBedrock.layer({ apiKey }),
        Cohere.layer({ apiKey }),
        OpenRouter.layer({ apiKey }),
        AiGateway.layer({
          accountId: "local-account",
          gatewayId: "local-gateway",
          token: Redacted.make("local-token"),
          baseUrl
        }).pipe(Layer.provide(client)),
        // Legs that are left are warnings in the log.
        Logger.minimumLogLevel(LogLevel.Error)
      )
    })
  )

export type Needs = Layer.Layer.Success<ReturnType<typeof application>>

export interface Peer {
  readonly name: string
  readonly slug: Slug
  readonly model: ChatModel.With<Needs>
  /** Where aimock has the vendor's own place for reasoning. */
  readonly reasons: boolean
  /** Where the vendor's format has no ids of calls, and aimock pairs by name. */
  readonly pairsByName?: boolean
}

const peer = (name: string, slug: Slug, model: ChatModel.With<Needs>, more: Partial<Peer> = {}): Peer => ({
  name,
  slug,
  model: model.pipe(ChatModel.retry(Schedule.recurs(0))),
  reasons: true,
  ...more
})

const google = { pairsByName: true }

export const peers: ReadonlyArray<Peer> = [
  peer("OpenAi.model", "openai", OpenAi.model("gpt-5-mini")),
  peer("OpenAi.responsesModel", "openai", OpenAi.responsesModel("gpt-5-mini")),
  peer("Anthropic.model", "anthropic", Anthropic.model("claude-haiku-4-5", { maxTokens: 9000 })),
  peer("GoogleAiStudio.model", "google-ai-studio", GoogleAiStudio.model("gemini-2.5-flash"), google),
  peer(
    "GoogleVertexAi.model",
    "google-vertex-ai",
    GoogleVertexAi.model("gemini-2.5-flash", { project: "my-project", location: "us-central1" }),
    google
  ),
  peer(
    "AzureOpenAi.model, a deployment",
    "azure-openai",
    AzureOpenAi.model("gpt-5-mini", { resource: "mine", apiVersion: "2024-10-21" })
  ),
  peer("AzureOpenAi.model, openai/v1", "azure-openai", AzureOpenAi.model("gpt-5-mini", { resource: "mine" })),
  peer(
    "AwsBedrock.model",
    "aws-bedrock",
    AwsBedrock.model("us.anthropic.claude-sonnet-4-5-20250929-v1:0", { region: "us-east-1" })
  ),
  peer("Cohere.model", "cohere", Cohere.model("command-a-03-2025"), {
    // It is a text there, not a `thinking` part.
    reasons: false
  }),
  peer("OpenRouter.model", "openrouter", OpenRouter.model("openai/gpt-5-mini"))
]
