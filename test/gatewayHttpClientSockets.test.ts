/** Who leaves a rerouted request in the middle is seen to leave, over real sockets. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Layer, Redacted, Stream } from "effect"
import { AiGateway, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import * as Programs from "./effectAiPrograms.js"
import { prompt } from "./recorded.js"

const { always, dropAfter, hang, stallAfter } = LocalGateway
const words = LocalGateway.text("one two three")

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

const collectGarbage = () => {
  setFlagsFromString("--expose-gc")
  const gc: () => void = runInNewContext("gc")
  gc()
}

const request = HttpClientRequest.post("https://api.openai.com/v1/responses").pipe(
  HttpClientRequest.bodyUnsafeJson({ model: "gpt-5-mini", input: "hi" })
)
const streaming = HttpClientRequest.bodyUnsafeJson(request, {
  model: "gpt-5-mini",
  input: "hi",
  stream: true
})

for (const [name, network] of Object.entries({
  FetchHttpClient: FetchHttpClient.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici
})) {
  /** Runs in a program whose client is rerouted to a gateway that listens. */
  const over = <A, E>(
    reply: LocalGateway.Reply,
    check: (
      gateway: LocalGateway.LocalGateway,
      client: HttpClient.HttpClient
    ) => Effect.Effect<A, E, HttpClient.HttpClient>
  ) =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({ upstreams: { openai: always(reply), anthropic: always(reply) } })
      const { baseUrl } = yield* LocalGatewayServer.start(gateway)
      const context = yield* Layer.build(
        GatewayHttpClient.layer().pipe(
          Layer.provide(
            AiGateway.layer({
              accountId: "local-account",
              gatewayId: "local-gateway",
              token: Redacted.make(Programs.gatewayToken),
              baseUrl
            })
          ),
          Layer.provide(network)
        )
      )
      return yield* Effect.flatMap(HttpClient.HttpClient, (client) => check(gateway, client)).pipe(
        Effect.provide(context)
      )
    }).pipe(Effect.scoped)

  const isGone = (gateway: LocalGateway.LocalGateway) =>
    Effect.gen(function* () {
      yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
      assert.isTrue(gateway.requests().at(-1)?.aborted)
      assert.lengthOf(gateway.requests(), 1)
    })

  /** Interrupts once the gateway is asked, and once more of it has come. */
  const interrupted = <A, E, R>(gateway: LocalGateway.LocalGateway, effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(effect)
      yield* eventually("a request", () => gateway.inFlight() === 1)
      yield* Effect.sleep("40 millis")
      yield* Fiber.interrupt(fiber)
      yield* isGone(gateway)
    })

  describe(`leaving in the middle, ${name}`, () => {
    for (const { slug, model } of [Programs.openAi, Programs.anthropic]) {
      it.live(`${slug}: a program that is interrupted while it waits`, () =>
        over(hang, (gateway) =>
          interrupted(gateway, Effect.provide(LanguageModel.generateText({ prompt }), model))
        )
      )

      it.live(`${slug}: a program that is interrupted in the middle of an answer`, () =>
        over(stallAfter(words, 1), (gateway) =>
          interrupted(gateway, Effect.provide(LanguageModel.generateText({ prompt }), model))
        )
      )

      it.live(`${slug}: a stream that is interrupted`, () =>
        over(stallAfter(words, 4), (gateway) =>
          interrupted(gateway, Effect.provide(Stream.runDrain(LanguageModel.streamText({ prompt })), model))
        )
      )

      it.live(`${slug}: a stream of which a part is taken`, () =>
        over(stallAfter(words, 6), (gateway) =>
          Effect.gen(function* () {
            const parts = yield* LanguageModel.streamText({ prompt }).pipe(
              Stream.filter(({ type }) => type === "text-delta"),
              Stream.take(1),
              Stream.runCollect,
              Effect.provide(model)
            )
            assert.lengthOf(Chunk.toReadonlyArray(parts), 1)
            yield* isGone(gateway)
          })
        )
      )
    }

    it.live("a text that is interrupted while it is read", () =>
      over(stallAfter(words, 1), (gateway, client) =>
        Effect.gen(function* () {
          const response = yield* client.execute(request)
          assert.strictEqual(gateway.inFlight(), 1)
          yield* interrupted(gateway, response.text)
        })
      )
    )

    it.live("a response that is not read, at the end of its scope", () =>
      over(stallAfter(words, 1), (gateway, client) =>
        Effect.gen(function* () {
          const response = yield* Effect.scoped(
            Effect.tap(HttpClient.withScope(client).execute(request), () =>
              Effect.sync(() => assert.strictEqual(gateway.inFlight(), 1))
            )
          )
          assert.strictEqual(response.status, 200)
          yield* isGone(gateway)
        })
      )
    )

    it.live("a response that is not read, once nobody has it any more", () =>
      over(stallAfter(words, 4), (gateway, client) =>
        Effect.gen(function* () {
          yield* Effect.asVoid(client.execute(streaming))
          assert.strictEqual(gateway.inFlight(), 1)
          yield* eventually("collected", () => {
            collectGarbage()
            return gateway.inFlight() === 0
          })
          yield* isGone(gateway)
        })
      )
    )

    it.live("a response that is read to its end is not left, and its stream can be read byte by byte", () =>
      over(words, (gateway, client) =>
        Effect.gen(function* () {
          const response = yield* client.execute(streaming)
          const text = yield* Stream.mkString(Stream.decodeText(response.stream))
          assert.include(text, "response.completed")
          yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
          assert.isFalse(gateway.requests()[0]?.aborted)
        })
      )
    )

    it.live("an answer that breaks off fails, and does not look like an end", () =>
      over(dropAfter(words, 3), (_, client) =>
        Effect.gen(function* () {
          const response = yield* client.execute(streaming)
          const error = yield* Effect.flip(Stream.runDrain(response.stream))
          assert.deepInclude(error, { _tag: "ResponseError", reason: "Decode" })
        })
      )
    )
  })
}
