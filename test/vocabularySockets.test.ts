/** Tools and binary streams over real sockets: who leaves in the middle is seen to leave, and nothing follows. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import {
  AiGateway,
  Anthropic,
  AwsBedrock,
  type ChatEvent,
  ChatModel,
  LocalGateway,
  OpenAi,
  Tool
} from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

const { always, hang, script, stallAfter, text, toolCall, toolCalls } = LocalGateway

const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), AwsBedrock.layer())
type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway

const clients: Readonly<Record<string, Layer.Layer<HttpClient.HttpClient>>> = {
  FetchHttpClient: FetchHttpClient.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici
}

const openai = OpenAi.model("gpt-4.1-mini")
const bedrock = AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" })
const anthropic = Anthropic.model("claude-haiku-4-5")

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
const weather = Tool.handle(Weather, ({ city }) => Effect.succeed(`rain in ${city}`))

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

for (const [name, client] of Object.entries(clients)) {
  /** A gateway that listens, and what is asked of it. */
  const over = <E>(
    upstreams: LocalGateway.Options["upstreams"],
    check: (server: LocalGatewayServer.Running) => Effect.Effect<void, E, Needs>
  ) =>
    Effect.gen(function* () {
      const server = yield* LocalGatewayServer.start(LocalGateway.make({ upstreams }))
      const gateway = AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        baseUrl: server.baseUrl
      })
      const context = yield* Layer.build(
        providers.pipe(Layer.provideMerge(gateway), Layer.provideMerge(client))
      )
      yield* Effect.provide(check(server), context)
    }).pipe(Effect.scoped)

  /** The server has seen the client go, in the middle of its last answer, and hears no more of it. */
  const isGone = ({ gateway }: LocalGatewayServer.Running, requests: number) =>
    Effect.gen(function* () {
      yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
      assert.isTrue(gateway.requests().at(-1)?.aborted)
      yield* Effect.sleep("60 millis")
      assert.lengthOf(gateway.requests(), requests)
      assert.strictEqual(gateway.inFlight(), 0)
    })

  describe(`in the middle, ${name}`, () => {
    for (const [format, model, slug] of [
      ["text", openai, "openai"],
      ["binary", bedrock, "aws-bedrock"]
    ] as const) {
      const list: ChatModel.With<Needs> = ChatModel.firstSuccessOf([model, anthropic])

      it.live(`a stream of tool calls in ${format} is interrupted: no more of it, and no next leg`, () =>
        over(
          {
            [slug]: always(
              stallAfter(
                toolCalls([
                  { name: "get_weather", args: { city: "Oslo" }, pieces: ['{"ci', 'ty":"O', 'slo"}'] },
                  { name: "get_weather", args: { city: "Bonn" } }
                ]),
                4
              )
            )
          },
          (server) =>
            Effect.gen(function* () {
              const events: Array<ChatEvent.ChatEvent> = []
              const begun = yield* Deferred.make<void>()
              const fiber = yield* list.streamChat({ prompt: "Oslo?", tools: [Weather] }).pipe(
                Stream.runForEach((event) => {
                  events.push(event)
                  return event._tag === "ToolCallDelta" ? Deferred.succeed(begun, undefined) : Effect.void
                }),
                Effect.fork
              )
              yield* Deferred.await(begun)
              assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
              const delivered = events.length
              yield* isGone(server, 1)
              assert.lengthOf(events, delivered)
              assert.isFalse(events.some(({ _tag }) => _tag === "ToolCall" || _tag === "Finish"))
            })
        )
      )

      it.live(`a paced stream in ${format} is interrupted: no more of it, and no next leg`, () =>
        over({ [slug]: always(text("word ".repeat(2000), { delay: "2 millis" })) }, (server) =>
          Effect.gen(function* () {
            const pieces: Array<string> = []
            const some = yield* Deferred.make<void>()
            const fiber = yield* list.streamComplete("hello").pipe(
              Stream.runForEach((piece) => {
                pieces.push(piece)
                return pieces.length === 5 ? Deferred.succeed(some, undefined) : Effect.void
              }),
              Effect.fork
            )
            yield* Deferred.await(some)
            assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
            const delivered = pieces.length
            yield* isGone(server, 1)
            assert.lengthOf(pieces, delivered)
            assert.isBelow(delivered, 1000)
          })
        )
      )

      it.live(`a reader of a stream in ${format} has enough: the server is told`, () =>
        over({ [slug]: always(text("word ".repeat(2000), { delay: "2 millis" })) }, (server) =>
          Effect.gen(function* () {
            const pieces = yield* Stream.runCollect(Stream.take(list.streamComplete("hello"), 3))
            assert.strictEqual([...pieces].join(""), "word word word")
            yield* isGone(server, 1)
          })
        )
      )

      it.live(`tools are being used in ${format}, and the second turn hangs: no third, no next leg`, () =>
        over({ [slug]: script([toolCall("get_weather", { city: "Oslo" })], hang) }, (server) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(list.runTools("Oslo?", { tools: [weather] }))
            yield* eventually("the second turn", () => server.gateway.requests().length === 2)
            assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
            yield* isGone(server, 2)
          })
        )
      )

      it.live(
        `tools are being used in ${format}, and one is at work: it is interrupted, no second turn`,
        () =>
          over({ [slug]: script([toolCall("get_weather", { city: "Oslo" })]) }, ({ gateway }) =>
            Effect.gen(function* () {
              const atWork = yield* Deferred.make<void>()
              let ended = "not"
              const slow = Tool.handle(Weather, () =>
                Deferred.succeed(atWork, undefined).pipe(
                  Effect.zipRight(Effect.never),
                  Effect.onInterrupt(() => Effect.sync(() => (ended = "interrupted")))
                )
              )
              const fiber = yield* Effect.fork(list.runTools("Oslo?", { tools: [slow] }))
              yield* Deferred.await(atWork)
              assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
              assert.strictEqual(ended, "interrupted")
              yield* Effect.sleep("60 millis")
              assert.lengthOf(gateway.requests(), 1)
              assert.strictEqual(gateway.inFlight(), 0)
            })
          )
      )

      it.live(`a stream of tools in ${format} is interrupted in its second turn: no third, no next leg`, () =>
        over(
          {
            [slug]: script(
              [toolCall("get_weather", { city: "Oslo" })],
              text("word ".repeat(2000), { delay: "2 millis" })
            )
          },
          (server) =>
            Effect.gen(function* () {
              const tags: Array<string> = []
              const second = yield* Deferred.make<void>()
              const fiber = yield* list.streamTools("Oslo?", { tools: [weather] }).pipe(
                Stream.runForEach(({ _tag }) => {
                  tags.push(_tag)
                  return _tag === "TextDelta" ? Deferred.succeed(second, undefined) : Effect.void
                }),
                Effect.fork
              )
              yield* Deferred.await(second)
              assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
              const delivered = tags.length
              yield* isGone(server, 2)
              assert.lengthOf(tags, delivered)
              assert.strictEqual(tags.filter((tag) => tag === "ToolResult").length, 1)
              assert.notInclude(tags, "RunFinish")
            })
        )
      )
    }

    it.live("nobody leaves: everything comes, over sockets that are used again", () =>
      over(
        {
          openai: script([toolCall("get_weather", { city: "Oslo" })]),
          "aws-bedrock": script([toolCall("get_weather", { city: "Bonn" })])
        },
        (server) =>
          Effect.gen(function* () {
            const each: ReadonlyArray<readonly [ChatModel.With<Needs>, string]> = [
              [openai, "Oslo"],
              [bedrock, "Bonn"]
            ]
            for (const [model, city] of each) {
              const run = yield* Stream.runLast(model.streamTools("Well?", { tools: [weather] }))
              assert.isTrue(
                run._tag === "Some" &&
                  run.value._tag === "RunFinish" &&
                  run.value.run.response.text === `get_weather said: rain in ${city}`
              )
            }
            assert.isFalse(server.gateway.requests().some(({ aborted }) => aborted))
            assert.isAtMost(server.openConnections(), 2)
          })
      )
    )
  })
}
