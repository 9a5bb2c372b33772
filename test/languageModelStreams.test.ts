/** Streams of a language model that is one of ours: in order, unbuffered, and gone when nobody listens. */
import * as Chat from "@effect/ai/Chat"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Response from "@effect/ai/Response"
import * as AiTool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  LocalGateway,
  OpenAi
} from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

const begun: ChatEvent.ChatEvent = { _tag: "Start", provider: "p", model: "m", gateway: {}, attempts: [] }
const ended: ChatEvent.ChatEvent = { _tag: "Finish", finishReason: "stop", usage: {} }
const says = (text: string): ChatEvent.ChatEvent => ({ _tag: "TextDelta", text })

/** A model that streams this. */
const streaming = (stream: Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError>) =>
  GatewayLanguageModel.fromChatModel(
    ChatModel.make({
      metadata: { provider: "p", model: "m", supports: [] },
      chat: () => Effect.dieMessage("it is streamed"),
      streamChat: () => stream
    })
  )

const chunksOf = (...chunks: ReadonlyArray<ReadonlyArray<ChatEvent.ChatEvent>>) =>
  Stream.fromChunks(...chunks.map((events) => Chunk.fromIterable(events)))

const partsOf = (...events: ReadonlyArray<ChatEvent.ChatEvent>) =>
  Stream.runCollect(LanguageModel.streamText({ prompt: "hi" })).pipe(
    Effect.map(Chunk.toReadonlyArray),
    Effect.provide(streaming(Stream.fromIterable(events)))
  )

const Weather = AiTool.make("get_weather", { parameters: { city: Schema.String }, success: Schema.String })
const Tools = Toolkit.make(Weather)
const handlers = Tools.toLayer({ get_weather: ({ city }) => Effect.succeed(`rain in ${city}`) })

/** Short: what kind of part, of which block, and what it says. */
const shortly = (parts: ReadonlyArray<Response.StreamPart<Toolkit.Tools<typeof Tools>>>) => {
  const ids: Array<string> = []
  const short = (id: string) => {
    if (!ids.includes(id)) ids.push(id)
    return ids.indexOf(id)
  }
  return parts.map((part) => {
    switch (part.type) {
      case "text-delta":
      case "reasoning-delta":
      case "tool-params-delta":
        return `${part.type} ${short(part.id)} ${part.delta}`
      case "text-start":
      case "text-end":
      case "reasoning-start":
      case "reasoning-end":
      case "tool-params-start":
      case "tool-params-end":
      case "tool-call":
      case "tool-result":
        return `${part.type} ${short(part.id)}`
      default:
        return part.type
    }
  })
}

describe("a stream", () => {
  it.effect("closes a block before the next begins, each under an id of its own", () =>
    Effect.gen(function* () {
      const parts = yield* partsOf(
        begun,
        { _tag: "ReasoningDelta", text: "Hm" },
        { _tag: "ReasoningDelta", text: "." },
        says("Brie"),
        says(" or"),
        { _tag: "ReasoningDelta", text: "Wait." },
        { _tag: "ReasoningOpaque", provider: "anthropic", data: "sig" },
        { _tag: "ReasoningOpaque", provider: "anthropic", data: "redacted" },
        { _tag: "RefusalDelta", text: "No." },
        says("Gouda"),
        { _tag: "Citation", citation: { url: "https://example.com/", raw: 1 } },
        says("!"),
        { _tag: "Usage", usage: { input: 1 } },
        ended
      )
      assert.deepStrictEqual(shortly(parts), [
        "response-metadata",
        "reasoning-start 0",
        "reasoning-delta 0 Hm",
        "reasoning-delta 0 .",
        "reasoning-end 0",
        "text-start 1",
        "text-delta 1 Brie",
        "text-delta 1  or",
        "text-end 1",
        "reasoning-start 2",
        "reasoning-delta 2 Wait.",
        "reasoning-end 2",
        "reasoning-start 3",
        "reasoning-end 3",
        "text-start 4",
        "text-delta 4 No.",
        "text-end 4",
        "text-start 5",
        "text-delta 5 Gouda",
        "source",
        "text-delta 5 !",
        "text-end 5",
        "finish"
      ])
      const signed = parts.flatMap((part) =>
        part.type === "reasoning-end" ? [part.metadata.aiGateway?.opaque.data] : []
      )
      assert.deepStrictEqual(signed, [undefined, "sig", "redacted"])
      const marked = parts.flatMap((part) =>
        part.type === "text-start" ? [part.metadata.aiGateway?.refusal] : []
      )
      assert.deepStrictEqual(marked, [undefined, true, undefined])
    })
  )

  it.effect("keeps calls apart that come together", () =>
    Effect.gen(function* () {
      const piece = (index: number, args: string): ChatEvent.ChatEvent => ({
        _tag: "ToolCallDelta",
        index,
        name: "get_weather",
        arguments: args
      })
      const call = (index: number, city: string): ChatEvent.ChatEvent => ({
        _tag: "ToolCall",
        index,
        id: `vendors_${index}`,
        name: "get_weather",
        arguments: `{"city":"${city}"}`
      })
      const events = [
        begun,
        says("Let me look."),
        piece(0, ""),
        piece(0, '{"city":'),
        piece(1, '{"city":"Bonn"'),
        piece(0, '"Oslo"}'),
        piece(1, "}"),
        call(0, "Oslo"),
        call(1, "Bonn"),
        // One that comes whole.
        call(2, "Rome"),
        { ...ended, finishReason: "tool-calls" }
      ] as const
      const parts = yield* Stream.runCollect(
        LanguageModel.streamText({ prompt: "hi", toolkit: Tools, disableToolCallResolution: true })
      ).pipe(
        Effect.map(Chunk.toReadonlyArray),
        Effect.provide(streaming(Stream.fromIterable(events))),
        Effect.provide(handlers)
      )
      assert.deepStrictEqual(shortly(parts).slice(1), [
        "text-start 0",
        "text-delta 0 Let me look.",
        "text-end 0",
        "tool-params-start 1",
        'tool-params-delta 1 {"city":',
        "tool-params-start 2",
        'tool-params-delta 2 {"city":"Bonn"',
        'tool-params-delta 1 "Oslo"}',
        "tool-params-delta 2 }",
        "tool-params-end 1",
        "tool-call 1",
        "tool-params-end 2",
        "tool-call 2",
        "tool-params-start 3",
        'tool-params-delta 3 {"city":"Rome"}',
        "tool-params-end 3",
        "tool-call 3",
        "finish"
      ])
      const called = parts.flatMap((part) =>
        part.type === "tool-call" ? [[part.params.city, part.metadata.aiGateway?.callId]] : []
      )
      assert.deepStrictEqual(called, [
        ["Oslo", "vendors_0"],
        ["Bonn", "vendors_1"],
        ["Rome", "vendors_2"]
      ])
    })
  )

  it.effect("has a finish even of a model that forgot it, and one only of a model that says it twice", () =>
    Effect.gen(function* () {
      const forgot = yield* partsOf(begun, says("Brie"), { _tag: "Usage", usage: { output: 2 } })
      assert.deepStrictEqual(shortly(forgot).slice(-2), ["text-end 0", "finish"])
      const last = forgot.at(-1)
      assert(last?.type === "finish")
      assert.strictEqual(last.reason, "unknown")
      assert.strictEqual(last.usage.outputTokens, 2)
      const twice = yield* partsOf(begun, says("Brie"), ended, says("?"), ended)
      assert.strictEqual(twice.filter(({ type }) => type === "finish").length, 1)
      assert.strictEqual(twice.at(-1)?.type, "finish")
    })
  )

  it.effect("has one chunk for each read of the network, and none for one that says nothing", () =>
    Effect.gen(function* () {
      const stream = chunksOf(
        [begun, says("a"), says("b")],
        [{ _tag: "Usage", usage: {} }],
        [says("c"), ended]
      )
      const chunks = yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
        Stream.chunks,
        Stream.map(Chunk.size),
        Stream.runCollect,
        Effect.provide(streaming(stream))
      )
      assert.deepStrictEqual([...chunks], [4, 3])
    })
  )

  it.effect("is read no further than somebody wants it", () =>
    Effect.gen(function* () {
      let read = 0
      const endless = Stream.repeatEffectChunk(
        Effect.sync(() => Chunk.of(read++ === 0 ? begun : says("more")))
      )
      yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
        Stream.take(5),
        Stream.runDrain,
        Effect.provide(streaming(endless))
      )
      assert.isAtMost(read, 6)
    })
  )

  it.effect("can be run again, and asks again", () =>
    Effect.gen(function* () {
      const stream = LanguageModel.streamText({ prompt: "hi" })
      const run = Effect.map(Stream.runCollect(stream), (parts) => shortly([...parts]))
      const [first, second] = yield* Effect.all([run, run])
      assert.deepStrictEqual(first, second)
      assert.include(first, "finish")
    }).pipe(Effect.provide(streaming(Stream.make(begun, says("Brie"), ended))))
  )
})

// --- sockets ------------------------------------------------------------------------------------------------------------

const { always, dropAfter, stallAfter, text, toolCalls } = LocalGateway

const clients: Readonly<Record<string, Layer.Layer<HttpClient.HttpClient>>> = {
  FetchHttpClient: FetchHttpClient.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici
}

const list = ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), Anthropic.model("claude-haiku-4-5")])

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

/** The server has seen the client go, in the middle of its answer, and hears no more of it. */
const isGone = ({ gateway }: LocalGatewayServer.Running) =>
  Effect.gen(function* () {
    yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
    assert.isTrue(gateway.requests().at(-1)?.aborted)
    yield* Effect.sleep("60 millis")
    assert.lengthOf(gateway.requests(), 1)
  })

for (const [name, client] of Object.entries(clients)) {
  /** A gateway that listens, whose OpenAI answers so, and what is asked of it. */
  const over = <E>(
    openai: LocalGateway.Reply,
    check: (server: LocalGatewayServer.Running) => Effect.Effect<void, E, LanguageModel.LanguageModel>
  ) =>
    Effect.gen(function* () {
      const server = yield* LocalGatewayServer.start(
        LocalGateway.make({ upstreams: { openai: always(openai) } })
      )
      const gateway = AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        baseUrl: server.baseUrl
      })
      const context = yield* GatewayLanguageModel.fromChatModel(list).pipe(
        Layer.provide(Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), gateway)),
        Layer.provide(client),
        Layer.build
      )
      yield* Effect.provide(check(server), context)
    }).pipe(Effect.scoped)

  describe(`over a socket, ${name}`, () => {
    it.live(
      "a stream is delivered as it comes, and interrupted: the server is told, and no other leg is",
      () =>
        over(text("word ".repeat(2000), { delay: "2 millis" }), (server) =>
          Effect.gen(function* () {
            const pieces: Array<string> = []
            const some = yield* Deferred.make<void>()
            const fiber = yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
              Stream.runForEach((part) => {
                if (part.type === "text-delta") pieces.push(part.delta)
                return pieces.length === 5 ? Deferred.succeed(some, undefined) : Effect.void
              }),
              Effect.fork
            )
            yield* Deferred.await(some)
            assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
            const delivered = pieces.length
            yield* isGone(server)
            assert.lengthOf(pieces, delivered)
            assert.isBelow(delivered, 1000)
          })
        )
    )

    it.live("a reader has enough: the server is told", () =>
      over(text("word ".repeat(2000), { delay: "2 millis" }), (server) =>
        Effect.gen(function* () {
          yield* Stream.runDrain(Stream.take(LanguageModel.streamText({ prompt: "hi" }), 4))
          yield* isGone(server)
        })
      )
    )

    it.live("a chat with tools is interrupted while a call is streamed: the server is told", () =>
      over(
        stallAfter(
          toolCalls([{ name: "get_weather", args: { city: "Oslo" }, pieces: ['{"ci', 'ty":"O', 'slo"}'] }]),
          3
        ),
        (server) =>
          Effect.gen(function* () {
            const seen: Array<string> = []
            const some = yield* Deferred.make<void>()
            const chat = yield* Chat.empty
            const fiber = yield* chat.streamText({ prompt: "Oslo?", toolkit: Tools }).pipe(
              Stream.runForEach(({ type }) => {
                seen.push(type)
                return type === "tool-params-delta" ? Deferred.succeed(some, undefined) : Effect.void
              }),
              Effect.provide(handlers),
              Effect.fork
            )
            yield* Deferred.await(some)
            assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
            yield* isGone(server)
            assert.notInclude(seen, "tool-call")
            assert.notInclude(seen, "finish")
          })
      )
    )

    it.live("a call without a stream is interrupted: the server is told", () =>
      over(LocalGateway.hang, (server) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(LanguageModel.generateText({ prompt: "hi" }))
          yield* eventually("a request", () => server.gateway.inFlight() === 1)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
          yield* isGone(server)
        })
      )
    )

    it.live("a stream that is cut off fails behind what came, and no other leg goes on with it", () =>
      over(dropAfter(text("word ".repeat(20)), 8), ({ gateway }) =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          const error = yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
            Stream.runForEach((part) =>
              Effect.sync(() => part.type === "text-delta" && seen.push(part.delta))
            ),
            Effect.flip
          )
          assert.isAbove(seen.length, 1)
          assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "StreamBroken")
          assert.strictEqual(error.cause.delivered.text, seen.join(""))
          assert.lengthOf(gateway.requests(), 1)
        })
      )
    )
  })
}
