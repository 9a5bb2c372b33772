/** This library as an application has it, over real sockets: three providers behind a gateway on loopback. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, Logger, LogLevel, Redacted, Schedule } from "effect"
import { AiGateway, Anthropic, ChatModel, GoogleAiStudio, type LocalGateway, OpenAi } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

export const application = (gateway: LocalGateway.LocalGateway, client: Layer.Layer<HttpClient.HttpClient>) =>
  Layer.unwrapScoped(
    Effect.map(LocalGatewayServer.start(gateway), ({ baseUrl }) =>
      Layer.mergeAll(
        OpenAi.layer({ apiKey: Redacted.make("sk-openai") }),
        Anthropic.layer({ apiKey: Redacted.make("sk-anthropic") }),
        GoogleAiStudio.layer({ apiKey: Redacted.make("g-key") }),
        AiGateway.layer({
          accountId: "local-account",
          gatewayId: "local-gateway",
          token: Redacted.make("local-token"),
          baseUrl
        }).pipe(Layer.provide(client)),
        // Legs that are left are warnings in the log.
        Logger.minimumLogLevel(LogLevel.Error)
      )
    )
  )

export type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic | GoogleAiStudio.GoogleAiStudio

const once = ChatModel.retry(Schedule.recurs(0))
export const gpt = OpenAi.model("gpt-4.1-mini").pipe(once)
export const claude = Anthropic.model("claude-haiku-4-5", { maxTokens: 200 }).pipe(once)
export const gemini = GoogleAiStudio.model("gemini-2.5-flash").pipe(once)

export const clients = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
] as const
