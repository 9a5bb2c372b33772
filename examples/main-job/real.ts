/** The main job against a real gateway: the providers that there is a key for, behind a model that does not exist. */
import { Console, Effect, Layer } from "effect"
import { AiGateway, Anthropic, ChatModel, GoogleAiStudio, OpenAi, WorkersAi } from "effect-ai-gateway"
import { ask } from "./ask.js"
import * as HttpClient from "./httpClient.js"
import type { Settings } from "./settings.js"

type Model = ChatModel.With<AiGateway.AiGateway>

/** A provider that is given its key makes models which need the gateway only; so the list can be made at run time. */
const providersOf = ({
  keys
}: Settings): ReadonlyArray<{ readonly name: string; model: (name: string) => Model }> => {
  const found: Array<{ readonly name: string; model: (name: string) => Model }> = []
  if ("openai" in keys) {
    const openAi = OpenAi.make({ apiKey: keys.openai })
    found.push({
      name: "gpt-5-mini",
      model: (name) => ChatModel.provideService(OpenAi.model(name), OpenAi.OpenAi, openAi)
    })
  }
  if ("anthropic" in keys) {
    const anthropic = Anthropic.make({ apiKey: keys.anthropic })
    found.push({
      name: "claude-haiku-4-5",
      model: (name) => ChatModel.provideService(Anthropic.model(name), Anthropic.Anthropic, anthropic)
    })
  }
  if ("google" in keys) {
    const google = GoogleAiStudio.make({ apiKey: keys.google })
    found.push({
      name: "gemini-2.5-flash",
      model: (name) =>
        ChatModel.provideService(GoogleAiStudio.model(name), GoogleAiStudio.GoogleAiStudio, google)
    })
  }
  if ("workersAi" in keys) {
    const workersAi = WorkersAi.make({ apiKey: keys.workersAi })
    found.push({
      name: "@cf/meta/llama-3.1-8b-instruct",
      model: (name) => ChatModel.provideService(WorkersAi.model(name), WorkersAi.WorkersAi, workersAi)
    })
  }
  return found
}

const missingModel = "this-model-does-not-exist"

export const runReally = (settings: Settings, prompt: string) =>
  Effect.gen(function* () {
    const { accountId, gatewayId, token, baseUrl } = settings
    const providers = providersOf(settings)
    const model = yield* ChatModel.fromIterable([
      ...providers.slice(0, 1).map(({ model }) => model(missingModel)),
      ...providers.map(({ model, name }) => model(name))
    ])
    yield* Console.log(
      `Gateway ${gatewayId} of account ${accountId}. The first model does not exist, so that you see a fallback.\n`
    )
    yield* ask(prompt).pipe(
      Effect.provide(
        ChatModel.layer(ChatModel.withTimeouts(model, { firstEvent: "30 seconds", total: "2 minutes" })).pipe(
          Layer.provide(AiGateway.layer({ accountId, gatewayId, token, baseUrl })),
          Layer.provide(HttpClient.layer)
        )
      )
    )
  })
