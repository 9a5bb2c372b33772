/** One `@effect/ai` embedding model of several: a batch is one universal request. */
import type * as AiError from "@effect/ai/AiError"
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiEmbeddingModel from "@effect/ai-openai/OpenAiEmbeddingModel"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as GatewayEmbeddingModel from "effect-ai-gateway/GatewayEmbeddingModel"
import * as Programs from "./effectAiPrograms.js"

type Mode = Parameters<typeof OpenAiEmbeddingModel.model>[1]

const withKey = (key: string, mode: Mode = { mode: "batched" }) =>
  OpenAiEmbeddingModel.model("text-embedding-3-small", mode).pipe(
    Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make(key) }))
  )

const Two = GatewayEmbeddingModel.fallback(withKey("sk-one"), withKey("sk-two"))

const gatewayOf = (...replies: ReadonlyArray<LocalGateway.Reply>) =>
  LocalGateway.make({ upstreams: { openai: LocalGateway.script(replies) } })

const down = LocalGateway.status(503)
const a = [1, 0]
const b = [0, 1]

const keysOf = (gateway: LocalGateway.LocalGateway) =>
  gateway.upstreamRequests().map(({ headers }) => headers.authorization)

/** A call that waits for what never comes fails the test in words. */
const soon = Effect.timeoutFail({ duration: "2 seconds", onTimeout: () => new Error("it hangs") })

const embedMany = (inputs: ReadonlyArray<string>) =>
  Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embedMany(inputs))
const embed = (input: string) => Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embed(input))

describe("a fallback of two embedding models", () => {
  it.live("gives the first one's vectors, with one request", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(LocalGateway.vectors([a, b]))
      const vectors = yield* embedMany(["a", "b"]).pipe(
        soon,
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vectors, [a, b])
      assert.lengthOf(gateway.requests(), 1)
      assert.deepStrictEqual(keysOf(gateway), ["Bearer sk-one"])
    })
  )

  it.live("gives the second one's where the first is down", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(down, LocalGateway.vectors([a, b]))
      const vectors = yield* embedMany(["a", "b"]).pipe(
        soon,
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vectors, [a, b])
      assert.lengthOf(gateway.requests(), 1)
      assert.deepStrictEqual(keysOf(gateway), ["Bearer sk-one", "Bearer sk-two"])
    })
  )

  it.live("embeds one text", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(down, LocalGateway.vectors([b]))
      const vector = yield* embed("b").pipe(
        soon,
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vector, b)
    })
  )

  it.live("puts texts together that are embedded at once", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(down, LocalGateway.vectors([a, b]))
      const vectors = yield* Effect.forEach(["a", "b"], embed, { batching: true }).pipe(
        soon,
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vectors, [a, b])
      assert.lengthOf(gateway.requests(), 1)
    })
  )

  it.live("fails with the last one's status where all are down", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(down, LocalGateway.status(429))
      const error = yield* embedMany(["a"]).pipe(
        soon,
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway)),
        Effect.flip,
        Effect.map((error) => error as AiError.AiError)
      )
      assert.strictEqual(error._tag, "HttpResponseError")
      if (error._tag === "HttpResponseError") assert.strictEqual(error.response.status, 429)
      assert.lengthOf(gateway.requests(), 1)
    })
  )

  it.live("calls that run at once do not mix", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: {
          openai: {
            _tag: "Handler",
            handle: ({ headers, body }) => {
              const { input } = body as { readonly input: ReadonlyArray<string> }
              const number = Number(input[0])
              return number % 2 === 1 && headers.authorization === "Bearer sk-one"
                ? down
                : LocalGateway.vectors([[number, number]])
            }
          }
        }
      })
      const vectors = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => i),
        (i) => embed(String(i)),
        {
          concurrency: "unbounded"
        }
      ).pipe(soon, Effect.provide(Two), Effect.provide(Programs.inProcess(gateway)))
      assert.deepStrictEqual(
        vectors,
        Array.from({ length: 60 }, (_, i) => [i, i])
      )
      assert.lengthOf(gateway.requests(), 60)
    })
  )

  for (const [name, call] of [
    ["embed", Effect.asVoid(embed("a"))],
    ["embedMany", Effect.asVoid(embedMany(["a"]))]
  ] as const)
    for (const [when, reply] of [
      ["while it waits", LocalGateway.hang],
      ["while it reads", LocalGateway.stallAfter(LocalGateway.vectors([a]), 1)]
    ] as const)
      it.live(`an interruption of ${name} ${when} reaches the gateway, and nothing new begins`, () =>
        Effect.gen(function* () {
          const gateway = gatewayOf(reply)
          const fiber = yield* call.pipe(
            Effect.provide(Two),
            Effect.provide(Programs.inProcess(gateway)),
            Effect.fork
          )
          yield* Effect.promise(async () => {
            for (let i = 0; i < 200 && gateway.upstreamRequests().length === 0; i++)
              await new Promise((resolve) => setTimeout(resolve, 5))
          })
          yield* Effect.sleep("40 millis")
          assert.strictEqual(gateway.inFlight(), 1)
          const exit = yield* soon(Fiber.interrupt(fiber))
          assert.isTrue(Exit.isInterrupted(exit))
          yield* Effect.sleep("20 millis")
          assert.strictEqual(gateway.inFlight(), 0)
          assert.lengthOf(gateway.requests(), 1)
        })
      )
})

describe("how inputs are put together", () => {
  it.live("a batch size is that of the fallback", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(down, LocalGateway.vectors([a, b]), LocalGateway.vectors([a]))
      const vectors = yield* embedMany(["a", "b", "c"]).pipe(
        soon,
        Effect.provide(
          GatewayEmbeddingModel.layerFallback([withKey("sk-one"), withKey("sk-two")], { maxBatchSize: 2 })
        ),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vectors, [a, b, a])
      assert.lengthOf(gateway.requests(), 2)
    })
  )

  it.live("what is remembered is not asked again", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf(LocalGateway.vectors([a]), LocalGateway.vectors([b]))
      const vectors = yield* Effect.all([embed("a"), embed("a")]).pipe(
        soon,
        Effect.provide(
          GatewayEmbeddingModel.layerFallback([withKey("sk-one")], {
            cache: { capacity: 10, timeToLive: "1 minute" }
          })
        ),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(vectors, [a, a])
      assert.lengthOf(gateway.requests(), 1)
    })
  )

  for (const place of [0, 1]) {
    it.live(`models[${place}] with a smaller batch fails, rather than to give half of the vectors`, () =>
      Effect.gen(function* () {
        const gateway = gatewayOf(
          ...(place === 0 ? [] : [down]),
          LocalGateway.vectors([a, b]),
          LocalGateway.vectors([a])
        )
        const small = withKey("sk-small", { mode: "batched", maxBatchSize: 2 })
        const other = withKey("sk-other")
        const error = yield* embedMany(["a", "b", "c"]).pipe(
          soon,
          Effect.provide(
            place === 0
              ? GatewayEmbeddingModel.fallback(small, other)
              : GatewayEmbeddingModel.fallback(other, small)
          ),
          Effect.provide(Programs.inProcess(gateway)),
          Effect.flip,
          Effect.map(String)
        )
        assert.include(error, "second request")
        assert.include(error, `models[${place}]`)
        assert.lengthOf(gateway.requests(), 1)
      })
    )

    it.live(`models[${place}] with a data loader fails, and nothing is sent`, () =>
      Effect.gen(function* () {
        const gateway = gatewayOf()
        const loader = withKey("sk-loader", { mode: "data-loader", window: "10 millis" })
        const other = withKey("sk-other")
        const error = yield* embedMany(["a"]).pipe(
          soon,
          Effect.provide(
            place === 0
              ? GatewayEmbeddingModel.fallback(loader, other)
              : GatewayEmbeddingModel.fallback(other, loader)
          ),
          Effect.provide(Programs.inProcess(gateway)),
          Effect.flip,
          Effect.map(String)
        )
        assert.include(error, "data loader")
        assert.include(error, `models[${place}]`)
        assert.lengthOf(gateway.requests(), 0)
      })
    )
  }
})
