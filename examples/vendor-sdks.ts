/**
 * The vendors' own clients through the gateway: they are given its `fetch`, and one error type for all of them comes out.
 * Run: `npx tsx examples/vendor-sdks.ts`
 */
import assert from "node:assert/strict"
import Anthropic from "@anthropic-ai/sdk"
import { Console, Effect, Layer, Option, Redacted } from "effect"
import { AiGateway, AiGatewayError, GatewayFetch, LocalGateway } from "effect-ai-gateway"
import OpenAI from "openai"

/** A client's call as an Effect. What is no error of an answer is a bug. */
const attempt = <A>(provider: string, call: (signal: AbortSignal) => PromiseLike<A>) =>
  Effect.tryPromise({ try: call, catch: (error) => error }).pipe(
    Effect.catchAll((error) =>
      Option.match(AiGatewayError.fromUnknown(error, { provider }), {
        onNone: () => Effect.die(error),
        onSome: Effect.fail
      })
    )
  )

const program = Effect.gen(function* () {
  const fetch = yield* GatewayFetch.make()
  const openai = new OpenAI({ apiKey: "sk-openai", fetch })
  const anthropic = new Anthropic({ apiKey: "sk-anthropic", fetch })

  const answer = yield* attempt("openai", (signal) =>
    openai.responses.create({ model: "gpt-5-mini", input: "Say hello." }, { signal })
  )
  yield* Console.log(`openai: ${answer.output_text}`)
  assert.equal(answer.output_text, "Hello.")

  const refused = yield* Effect.flip(
    attempt("anthropic", (signal) =>
      anthropic.messages.create(
        { model: "claude-haiku-4-5", max_tokens: 100, messages: [{ role: "user", content: "Say hello." }] },
        { signal }
      )
    )
  )
  yield* Console.log(`anthropic: ${refused._tag}: ${refused.message}`)
  assert.equal(refused._tag, "Unauthorized")
})

const gateway = LocalGateway.make({
  upstreams: {
    openai: LocalGateway.script([LocalGateway.text("Hello.")]),
    anthropic: LocalGateway.script([LocalGateway.status(401)])
  }
})

const Gateway = AiGateway.layer({
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}).pipe(Layer.provide(LocalGateway.layerFrom(gateway)))

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Gateway)))
