/** The two ways to the same gateway: through the binding, and over HTTPS. */
import { env } from "cloudflare:test"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { AiGateway, type RequestOptions } from "effect-ai-gateway"
import { context } from "../vocabularyModels.js"
import type { Records, Settings } from "./control.js"
import * as Gateway from "./gateway.js"

/** Every provider, each with a key that says whose it is. */
export const providers = Layer.succeedContext(context)

export type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway

export const token = "local-token"

export const overBinding = (defaults?: RequestOptions.RequestOptions) =>
  Layer.merge(
    providers,
    Layer.suspend(() => AiGateway.layerBinding(Gateway.binding(), { defaults }))
  )

export const overHttps = (defaults?: RequestOptions.RequestOptions) =>
  Layer.merge(
    providers,
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make(token),
      baseUrl: `${env.GATEWAY_URL}/v1`,
      defaults
    }).pipe(Layer.provide(FetchHttpClient.layer))
  )

/** Runs it through the binding, with a new gateway behind that. */
export const throughBinding = <A, E>(
  settings: Settings,
  effect: Effect.Effect<A, E, Needs>,
  defaults?: RequestOptions.RequestOptions
) => Effect.zipRight(Gateway.set(settings), Effect.provide(effect, overBinding(defaults)))

/** Runs it on both, each time with a new gateway. What a caller sees is the same; what the gateways saw is given back. */
export const onBoth = <A, E>(
  settings: Settings,
  effect: Effect.Effect<A, E, Needs>,
  defaults?: RequestOptions.RequestOptions
) =>
  Effect.gen(function* () {
    yield* Gateway.set(settings)
    const https = yield* Effect.provide(effect, overHttps(defaults))
    const asked = yield* Gateway.records
    const binding = yield* throughBinding(settings, effect, defaults)
    assert.deepStrictEqual(binding, https)
    const seen: { readonly https: Records; readonly binding: Records } = {
      https: asked,
      binding: yield* Gateway.records
    }
    return { ...seen, result: binding }
  })

/** 98. Five pieces of five hundred, then an interruption: the provider is let go of, and nothing more is delivered. */
export const silentOnceInterrupted = <E, R>(words: Stream.Stream<string, E, R>) =>
  Effect.gen(function* () {
    const pieces: Array<string> = []
    const some = yield* Deferred.make<void>()
    const fiber = yield* words.pipe(
      Stream.runForEach((piece) => {
        pieces.push(piece)
        return pieces.length === 5 ? Deferred.succeed(some, undefined) : Effect.void
      }),
      Effect.fork
    )
    yield* Deferred.await(some)
    yield* Fiber.interrupt(fiber)
    const delivered = pieces.length
    yield* Gateway.gone(1)
    assert.lengthOf(pieces, delivered)
    assert.isBelow(delivered, 400)
  })
