/** A binding that is not the one that is wanted, and one that does what no binding should. */
import { env } from "cloudflare:test"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, TestClock } from "effect"
import { AiBinding, AiGateway, ChatModel, GatewayLogs, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as Gateway from "./gateway.js"
import { providers, throughBinding } from "./transports.js"

const { always, hang } = LocalGateway

const openai = ChatModel.retry(OpenAi.model("gpt-4.1-mini"), Schedule.recurs(0))

const layers: Readonly<Record<string, (binding: never) => Layer.Layer<never, unknown>>> = {
  "AiGateway.layerBinding": AiGateway.layerBinding,
  "AiBinding.layer": AiBinding.layer,
  "GatewayLogs.layerBinding": GatewayLogs.layerBinding
}

const ai = { name: "env.AI", given: () => env.AI, helps: "env.AI.gateway(" }
const gateway = { name: "env.AI.gateway(id)", given: () => Gateway.binding(), helps: "env.AI" }
const things = [
  { name: "undefined", given: () => undefined, helps: "is missing" },
  { name: "null", given: () => null, helps: "is missing" },
  { name: "a text", given: () => "local-gateway", helps: "env.AI" },
  { name: "a number", given: () => 1, helps: "env.AI" },
  { name: "an empty object", given: () => ({}), helps: "env.AI" },
  { name: "a function", given: () => () => undefined, helps: "env.AI" },
  { name: "env", given: () => env, helps: "env.AI" }
]

for (const [name, layer] of Object.entries(layers)) {
  const [right, wrong] = name === "AiBinding.layer" ? [ai, gateway] : [gateway, ai]
  describe(name, () => {
    it.effect(`takes ${right.name}`, () => Effect.scoped(Layer.build(layer(right.given() as never))))

    for (const { name, given, helps } of [wrong, ...things]) {
      it.effect(`given ${name}, fails when it is built, and says what to give`, () =>
        Effect.gen(function* () {
          // Only a caller without types can do this.
          const error = yield* Effect.flip(Effect.scoped(Layer.build(layer(given() as never))))
          assert.deepInclude(error, { _tag: "InvalidRequest", field: "binding" })
          assert.include(String(error), helps)
        })
      )
    }
  })
}

describe("a binding that is not what it should be", () => {
  const through = (binding: unknown) =>
    openai.chat("hi").pipe(
      Effect.provide(providers),
      // Only a caller without types can do this.
      Effect.provide(AiGateway.layerBinding(binding as AiGateway.Binding)),
      Effect.flip
    )
  const answering = (run: () => unknown) => ({ run, getLog: () => undefined })

  for (const [name, thrown] of [
    ["a text", "the fetcher is gone"],
    ["an error", new Error("the fetcher is gone")]
  ] as const) {
    it.effect(`and throws ${name} is a TransportFailure that names the call`, () =>
      Effect.gen(function* () {
        const later = () => Promise.reject(thrown)
        const atOnce = () => {
          throw thrown
        }
        for (const run of [later, atOnce]) {
          const error = yield* through(answering(run))
          assert.strictEqual(error._tag, "TransportFailure")
          assert.include(error.message, "env.AI.gateway(id).run")
          assert.include(error.message, "the fetcher is gone")
        }
      })
    )
  }

  it.effect("and gives no response is a MalformedResponse", () =>
    Effect.gen(function* () {
      for (const given of [undefined, null, "text", { response: "text" }]) {
        const error = yield* through(answering(() => Promise.resolve(given)))
        assert.strictEqual(error._tag, "MalformedResponse")
      }
    })
  )

  it.effect("and answers with a page is an error of the edge", () =>
    Effect.gen(function* () {
      const html = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
      const page = () => new Response(html, { status: 502, headers: { "content-type": "text/html" } })
      const error = yield* through(answering(() => Promise.resolve(page())))
      assert.strictEqual(error._tag, "ProviderFailure")
      if (error._tag === "ProviderFailure") assert.strictEqual(error.source, "edge")
    })
  )

  it.effect("and never answers ends by the client's clock", () =>
    throughBinding(
      { upstreams: { openai: always(hang) } },
      Effect.gen(function* () {
        const limited = ChatModel.withTimeouts(OpenAi.model("gpt-4.1-mini"), { total: "1 minute" })
        const asked = yield* Effect.fork(Effect.flip(limited.chat("hi")))
        yield* Gateway.eventually("the request", ({ inFlight }) => inFlight === 1)
        yield* TestClock.adjust("1 minute")
        const error = yield* Fiber.join(asked)
        assert.strictEqual(error._tag, "ModelTimeout")
        yield* Gateway.gone(1)
      })
    )
  )
})

describe("a binding over RPC", () => {
  it.effect("that is not there fails typed, and names the call", () =>
    Effect.gen(function* () {
      yield* Gateway.set()
      // The types know neither the option, nor that this is also a promise, which nobody else looks at.
      type OverRpc = AiGateway.Binding & PromiseLike<unknown>
      const gateway = env.AI.gateway as unknown as (id: string, options: object) => OverRpc
      const overRpc = gateway.call(env.AI, "local-gateway", { beta: true })
      overRpc.then(
        () => undefined,
        () => undefined
      )
      const error = yield* openai
        .chat("hi")
        .pipe(Effect.provide(providers), Effect.provide(AiGateway.layerBinding(overRpc)), Effect.flip)
      assert.strictEqual(error._tag, "TransportFailure")
      assert.include(error.message, "env.AI.gateway(id)")
    })
  )
})
