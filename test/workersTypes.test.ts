/**
 * Claims about types: what a Worker is given by the types of `@cloudflare/workers-types` is what this library takes, without
 * a cast. Those types are no dependency of it.
 */

import type * as Workers from "@cloudflare/workers-types"
import { assert, describe, it } from "@effect/vitest"
import { AiBinding, AiGateway, GatewayLogs } from "effect-ai-gateway"

/** Compiled, never run. */
const never = (_claim: (env: { readonly AI: Workers.Ai }) => unknown): void => assert.isFunction(_claim)

describe("the types of @cloudflare/workers-types", () => {
  it("a gateway of env.AI is what AiGateway takes", () => {
    never((env) => AiGateway.layerBinding(env.AI.gateway("my-gateway")))
    never((env) => AiGateway.makeBinding(env.AI.gateway("my-gateway"), { defaults: { cacheTtl: "1 hour" } }))
  })

  it("env.AI itself is not", () => {
    // @ts-expect-error its run takes a model and inputs
    never((env) => AiGateway.layerBinding(env.AI))
  })

  it("env.AI is what AiBinding takes", () => {
    never((env) => AiBinding.layer(env.AI))
    never((env) => AiBinding.make(env.AI, { gatewayId: "my-gateway" }))
  })

  it("a gateway of it is not", () => {
    // @ts-expect-error it has no gateway of its own
    never((env) => AiBinding.layer(env.AI.gateway("my-gateway")))
  })

  it("and such a gateway is what GatewayLogs takes", () => {
    never((env) => GatewayLogs.layerBinding(env.AI.gateway("my-gateway")))
    // @ts-expect-error env.AI itself has no log
    never((env) => GatewayLogs.layerBinding(env.AI))
  })
})
