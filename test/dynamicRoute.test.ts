import { describe, it } from "@effect/vitest"
import { strictEqual } from "@effect/vitest/utils"
import { Effect } from "effect"
import { AiGateway, LocalGateway } from "effect-ai-gateway"

describe("a dynamic route of the gateway, through AiGateway.send", () => {
  const gateway = LocalGateway.layerTest({
    routes: { support: ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"] },
    upstreams: { openai: LocalGateway.always(LocalGateway.status(503)) }
  })

  const ask = (route: string) =>
    AiGateway.send({
      provider: "compat",
      endpoint: "chat/completions",
      body: { model: `dynamic/${route}`, messages: [{ role: "user", content: "hello" }] }
    })

  it.effect("answers in OpenAI's format, and tells who answered", () =>
    Effect.gen(function* () {
      const response = yield* ask("support")
      const answer = (yield* response.json) as {
        readonly choices: ReadonlyArray<{ readonly message: { readonly content: string } }>
      }
      strictEqual(answer.choices[0]?.message.content, "You said: hello")
      strictEqual(response.gateway.provider, "anthropic")
      strictEqual(response.gateway.model, "claude-haiku-4-5")
    }).pipe(Effect.provide(gateway))
  )

  it.effect("a route that is not there has the gateway's code 2005", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ask("no-such-route"))
      strictEqual(error._tag, "ProviderFailure")
      strictEqual(error.code, 2005)
    }).pipe(Effect.provide(gateway))
  )
})
