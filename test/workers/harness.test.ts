/** What the other tests here rest on: that this is `workerd`, and that the binding is Cloudflare's. */

import { env } from "cloudflare:test"
import type * as Workers from "@cloudflare/workers-types"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, TestClock } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as Gateway from "./gateway.js"

const { always, hang, text } = LocalGateway

const entry = (headers: Record<string, string | number | boolean | object> = {}) => ({
  provider: "openai",
  endpoint: "chat/completions",
  headers,
  query: { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] }
})

describe("these tests", () => {
  it("run in workerd", () => {
    assert.strictEqual(navigator.userAgent, "Cloudflare-Workers")
  })

  it.effect("have a clock of their own", () =>
    Effect.gen(function* () {
      const before = Date.now()
      const sleeper = yield* Effect.fork(Effect.sleep("1 day"))
      yield* TestClock.adjust("1 day")
      yield* Fiber.join(sleeper)
      assert.strictEqual(yield* Clock.currentTimeMillis, 86_400_000)
      assert.isBelow(Date.now() - before, 10_000)
    })
  )

  it.effect("know nothing of the test before", () =>
    Effect.gen(function* () {
      yield* Gateway.set()
      yield* Effect.promise(() => Gateway.binding().run([entry()]))
      assert.lengthOf((yield* Gateway.records).requests, 1)
      yield* Gateway.set()
      assert.lengthOf((yield* Gateway.records).requests, 0)
    })
  )

  it("cannot set what another process would not understand", () => {
    const replying = { upstreams: { openai: LocalGateway.handler(() => hang) } }
    assert.throws(() => Gateway.set(replying), "handle cannot be told to another process")
  })
})

describe("the binding is Cloudflare's own", () => {
  it("has its classes, whose fields are out of reach", () => {
    const classOf = (u: object): { readonly name: string } => Object.getPrototypeOf(u).constructor
    assert.strictEqual(classOf(env.AI).name, "Ai")
    assert.strictEqual(classOf(Gateway.binding()).name, "AiGateway")
    assert.match(String(classOf(Gateway.binding())), /^class AiGateway \{\s+#fetcher;\s+#gatewayId;/)
    assert.include(String(classOf(env.AI)), "https://workers-binding.ai")
  })

  it.effect("asks workers-binding.ai, where LocalGateway answers", () =>
    Effect.gen(function* () {
      yield* Gateway.set({ upstreams: { openai: always(text("Hello")) } })
      const response = yield* Effect.promise(() => Gateway.binding().run([entry()]))
      assert.strictEqual(response.status, 200)
      assert.include(yield* Effect.promise(() => response.text()), '"content":"Hello"')
      const [request] = (yield* Gateway.records).requests
      assert.strictEqual(request?.url, "http://workers-binding.ai/ai-gateway/universal/run/local-gateway")
      assert.notProperty(request?.headers, "cf-aig-authorization")
    })
  )

  it.effect("writes the headers of an entry anew, in the caller's own object", () =>
    Effect.gen(function* () {
      yield* Gateway.set()
      const headers = { "cf-aig-metadata": { a: 1 }, "cf-aig-cache-ttl": 60, "cf-aig-skip-cache": true }
      yield* Effect.promise(() => Gateway.binding().run([entry(headers)]))
      assert.deepStrictEqual<unknown>(headers, {
        "cf-aig-metadata": '{"a":1}',
        "cf-aig-cache-ttl": "60",
        "cf-aig-skip-cache": "true"
      })
    })
  )

  it.effect("drops a time to live of 0 that is given as an option, and takes the others", () =>
    Effect.gen(function* () {
      yield* Gateway.set()
      const gateway = { id: "local-gateway", cacheTtl: 0, skipCache: false, eventId: "e" }
      yield* Effect.promise(() => Gateway.binding().run([entry()], { gateway }))
      const headers = (yield* Gateway.records).requests[0]?.headers
      assert.deepInclude(headers, { "cf-aig-skip-cache": "false", "cf-aig-event-id": "e" })
      assert.notProperty(headers, "cf-aig-cache-ttl")
    })
  )

  it.effect("throws at an entry without headers, and at metadata that JSON does not know", () =>
    Effect.gen(function* () {
      yield* Gateway.set()
      const { headers: _, ...bare } = entry()
      // A caller without types can do this.
      assert.throws(() => Gateway.binding().run([bare as ReturnType<typeof entry>]), TypeError)
      const gateway = { id: "local-gateway", metadata: { big: 1n } }
      assert.throws(() => Gateway.binding().run([entry()], { gateway }), TypeError)
      assert.lengthOf((yield* Gateway.records).requests, 0)
    })
  )

  it.effect("closes its socket when its signal is aborted", () =>
    Effect.gen(function* () {
      yield* Gateway.set({ upstreams: { openai: always(hang) } })
      const asked = yield* Effect.fork(
        // The same class: the types of browsers and those of Workers have each a name of their own for it.
        Effect.promise((signal) =>
          Gateway.binding().run([entry()], { signal: signal as unknown as Workers.AbortSignal })
        )
      )
      yield* Gateway.eventually("the request", ({ inFlight }) => inFlight === 1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(asked)))
      const { requests } = yield* Gateway.eventually("its end", ({ inFlight }) => inFlight === 0)
      assert.deepStrictEqual(
        requests.map(({ aborted }) => aborted),
        [true]
      )
    })
  )
})
