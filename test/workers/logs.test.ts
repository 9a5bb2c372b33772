/** The gateway's log through Cloudflare's own binding: entries, and what they are given afterwards. */
import { env } from "cloudflare:test"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import { AiBinding, ChatModel, GatewayLogs, LocalGateway, OpenAi } from "effect-ai-gateway"
import type { Settings } from "./control.js"
import * as Gateway from "./gateway.js"
import { type Needs, overBinding, token } from "./transports.js"

const { always, status, text } = LocalGateway

const openai = OpenAi.model("gpt-4.1-mini")

const overRest = GatewayLogs.layer({
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make(token),
  baseUrl: `${env.GATEWAY_URL}/client/v4`
}).pipe(Layer.provide(FetchHttpClient.layer))

const logs = Layer.suspend(() => GatewayLogs.layerBinding(Gateway.binding()))

const through = <A, E>(
  settings: Settings,
  effect: Effect.Effect<A, E, Needs | GatewayLogs.GatewayLogs | AiBinding.AiBinding>
) =>
  Effect.zipRight(
    Gateway.set(settings),
    Effect.provide(
      effect,
      Layer.mergeAll(overBinding(), logs, AiBinding.layer(env.AI, { gatewayId: "local-gateway" }))
    )
  )

const hello = { upstreams: { openai: always(text("Hello", { usage: { input: 3, output: 1 } })) } }

const nowhere = "01JADMCQQQBWH3NXZ5GCRN98DP"

const firstLog = Effect.map(Gateway.records, ({ logs }) => logs[0])

describe("an entry", () => {
  it.effect("is found by the log id of an answer", () =>
    through(
      hello,
      Effect.gen(function* () {
        const { gateway } = yield* openai.chat("hi")
        const id = gateway.logId ?? ""
        const entry = yield* GatewayLogs.get(id)
        assert.deepInclude(
          { ...entry },
          {
            id,
            provider: "openai",
            model: "gpt-4.1-mini",
            statusCode: 200,
            success: true,
            cached: false,
            tokensIn: 3,
            tokensOut: 1
          }
        )
        assert.strictEqual(entry.createdAt?.getTime(), (yield* firstLog)?.createdAt)
        assert.include(entry.requestHead ?? "", '"hi"')
        assert.include(entry.responseHead ?? "", "Hello")
      })
    )
  )

  it.effect("is the same as over REST", () =>
    through(
      hello,
      Effect.gen(function* () {
        const { gateway } = yield* openai.chat("hi")
        const { raw: _, ...bound } = yield* GatewayLogs.get(gateway.logId ?? "")
        const { raw: __, ...rest } = yield* Effect.provide(GatewayLogs.get(gateway.logId ?? ""), overRest)
        assert.deepStrictEqual(bound, rest)
      })
    )
  )

  it.effect("of a call that failed is found by the error's log id", () =>
    through(
      { upstreams: { openai: always(status(400)) } },
      Effect.gen(function* () {
        const error = yield* Effect.flip(openai.chat("hi"))
        assert.strictEqual(error._tag, "BadRequest")
        if (error._tag !== "BadRequest") return
        const entry = yield* GatewayLogs.get(error.logId ?? "")
        assert.deepInclude({ ...entry }, { statusCode: 400, success: false })
      })
    )
  )

  it.effect("of the run path is found too", () =>
    through(
      hello,
      Effect.gen(function* () {
        const { gateway } = yield* AiBinding.model("openai/gpt-4.1-mini").chat("hi")
        assert.strictEqual((yield* GatewayLogs.get(gateway.logId ?? "")).id, gateway.logId)
      })
    )
  )
})

describe("feedback", () => {
  it.effect("is given to an answer in one call", () =>
    through(
      hello,
      Effect.gen(function* () {
        yield* openai
          .chat("hi")
          .pipe(Effect.tap(GatewayLogs.feedback({ feedback: 1, score: 90, metadata: { reviewer: "ann" } })))
        assert.deepInclude(
          { ...(yield* firstLog) },
          { feedback: 1, score: 90, metadata: { reviewer: "ann" } }
        )
      })
    )
  )

  it.effect("is given to a stream by what its first event says", () =>
    through(
      hello,
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(openai.streamChat("hi"))
        const start = [...events].find((event) => event._tag === "Start")
        if (start?._tag !== "Start") return assert.fail("no Start")
        yield* GatewayLogs.feedback(start, { feedback: -1 })
        assert.deepInclude({ ...(yield* firstLog) }, { feedback: -1 })
      })
    )
  )

  it.effect("goes to the answer that it is about, though others came at the same time", () =>
    through(
      { upstreams: { openai: always(LocalGateway.delayed(LocalGateway.echo, "20 millis")) } },
      Effect.gen(function* () {
        const scores = Array.from({ length: 20 }, (_, n) => n)
        yield* Effect.forEach(
          scores,
          (score) => Effect.flatMap(openai.chat(`number ${score}.`), GatewayLogs.feedback({ score })),
          { concurrency: "unbounded" }
        )
        const { logs } = yield* Gateway.records
        assert.lengthOf(logs, 20)
        for (const { score, response } of logs) assert.include(response, `number ${score}.`)
      })
    )
  )

  it.effect("is taken back by 0", () =>
    through(
      hello,
      Effect.gen(function* () {
        const answer = yield* openai.chat("hi")
        yield* GatewayLogs.feedback(answer, { feedback: 1 })
        yield* GatewayLogs.feedback(answer, { feedback: 0 })
        assert.notDeepInclude({ ...(yield* firstLog) }, { feedback: 1 })
      })
    )
  )

  it.effect("to an answer that was not logged is LogNotFound, and nothing is asked", () =>
    through(
      hello,
      Effect.gen(function* () {
        const answer = yield* ChatModel.collect(AiBinding.model("openai/gpt-4.1-mini").streamChat("hi"))
        assert.isUndefined(answer.gateway.logId)
        const error = yield* Effect.flip(GatewayLogs.feedback(answer, { feedback: 1 }))
        assert.strictEqual(error._tag, "LogNotFound")
        assert.lengthOf((yield* Gateway.records).requests, 1)
      })
    )
  )

  it.effect("that the log cannot take fails before anything is sent", () =>
    through(
      hello,
      Effect.gen(function* () {
        for (const wrong of [{}, { score: 101 }, { score: -1 }, { feedback: 2 }, { metadata: { a: 1n } }]) {
          // Only a caller without types can give these.
          const error = yield* Effect.flip(GatewayLogs.patch(nowhere, wrong as GatewayLogs.Patch))
          assert.strictEqual(error._tag, "InvalidRequest")
        }
        assert.lengthOf((yield* Gateway.records).requests, 0)
      })
    )
  )
})

describe("an id that does not exist", () => {
  it.effect("is LogNotFound, to read and to patch", () =>
    through(
      hello,
      Effect.gen(function* () {
        for (const ask of [GatewayLogs.get(nowhere), GatewayLogs.patch(nowhere, { score: 50 })]) {
          const error = yield* Effect.flip(Effect.asVoid(ask))
          assert.strictEqual(error._tag, "LogNotFound")
          if (error._tag === "LogNotFound") assert.strictEqual(error.logId, nowhere)
        }
      })
    )
  )

  it.effect("and would lead elsewhere stays where logs are", () =>
    through(
      hello,
      Effect.gen(function* () {
        for (const id of ["", ".", "..", "../../run/x", "a/b", "a?b=c", "a#b", "a%2fb"]) {
          const error = yield* Effect.flip(GatewayLogs.get(id))
          assert.include(["InvalidRequest", "LogNotFound"], error._tag)
        }
        const { requests } = yield* Gateway.records
        for (const { url } of requests) {
          assert.match(new URL(url).pathname, /^\/ai-gateway\/gateways\/local-gateway\/logs\/[^/]+$/)
          assert.strictEqual(new URL(url).search, "")
        }
      })
    )
  )

  it.effect("because the gateway does not, is not LogNotFound", () =>
    Effect.gen(function* () {
      yield* Gateway.set(hello)
      const error = yield* GatewayLogs.get(nowhere).pipe(
        Effect.provide(GatewayLogs.layerBinding(env.AI.gateway("no-such-gateway"))),
        Effect.flip
      )
      assert.strictEqual(error._tag, "GatewayNotFound")
    })
  )
})
