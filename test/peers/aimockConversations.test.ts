/**
 * What goes back to a provider with the results of its tools, what comes in another order, and lists on the server: with the
 * provider emulator `@copilotkit/aimock`, over real sockets.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import {
  Anthropic,
  AwsBedrock,
  ChatModel,
  Cohere,
  GoogleAiStudio,
  type LocalGateway,
  OpenAi,
  OpenRouter,
  Tool
} from "effect-ai-gateway"
import { application, emulator, gatewayTo, peers } from "./aimockProviders.js"

const Weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }) })
const weather = Tool.handle(Weather, ({ city }) => Effect.succeed({ city, celsius: 21 }))

const call = { id: "call_weather", name: "weather", arguments: JSON.stringify({ city: "Oslo" }) }

const running = (gateway: LocalGateway.LocalGateway) =>
  Layer.build(application(gateway, NodeHttpClient.layerUndici))

/** aimock's strict mode refuses a continuation whose thinking is not where Anthropic wants it, and without its signature. */
const strict = { strict: true }

describe("NodeHttpClient.layerUndici → LocalGatewayServer → aimock", () => {
  for (const way of ["whole", "streamed"] as const) {
    it.live(`Anthropic's thinking goes back with the results, signed and redacted, ${way}`, () =>
      Effect.gen(function* () {
        const mock = yield* emulator((mock) => {
          mock.on(
            { hasToolResult: false },
            {
              content: "Let me see.",
              toolCalls: [call],
              reasoning: "I need the weather.",
              reasoningSignature: "c2lnbmF0dXJl",
              redactedThinking: ["c2VjcmV0"]
            },
            { chunkSize: 5 }
          )
          mock.on({ hasToolResult: true }, { content: "21 degrees." }, { chunkSize: 5 })
        }, strict)
        const gateway = gatewayTo("anthropic", mock)
        const context = yield* running(gateway)
        const model = Anthropic.model("claude-sonnet-4-5", { maxTokens: 9000 })
        const input = { prompt: "hello", reasoningEffort: "low" as const }
        const { response } = yield* (
          way === "whole"
            ? model.runTools(input, { tools: [weather] })
            : model.streamTools(input, { tools: [weather] }).pipe(
                Stream.runLast,
                Effect.flatten,
                Effect.map((last) => {
                  assert(last._tag === "RunFinish")
                  return last.run
                })
              )
        ).pipe(Effect.provide(context))
        assert.strictEqual(response.text, "21 degrees.")
        const [, second] = gateway.upstreamRequests()
        const { messages, thinking } = JSON.parse(second?.text ?? "")
        assert.strictEqual(thinking.type, "enabled")
        const blocks: ReadonlyArray<Record<string, unknown>> = messages[1].content
        assert.sameDeepMembers(blocks.slice(0, 2), [
          { type: "thinking", thinking: "I need the weather.", signature: "c2lnbmF0dXJl" },
          { type: "redacted_thinking", data: "c2VjcmV0" }
        ])
        assert.deepStrictEqual(
          blocks.slice(2).map(({ type }) => type),
          ["text", "tool_use"]
        )
      }).pipe(Effect.scoped)
    )

    it.live(`the reasoning of OpenAI's Responses goes back encrypted, ${way}`, () =>
      Effect.gen(function* () {
        const mock = yield* emulator((mock) => {
          mock.on(
            { hasToolResult: false },
            { toolCalls: [call], reasoning: "I need the weather." },
            { chunkSize: 5 }
          )
          mock.on({ hasToolResult: true }, { content: "21 degrees." }, { chunkSize: 5 })
        })
        const gateway = gatewayTo("openai", mock)
        const context = yield* running(gateway)
        const model = OpenAi.responsesModel("gpt-5-mini")
        yield* (
          way === "whole"
            ? model.runTools("hello", { tools: [weather] })
            : Stream.runDrain(model.streamTools("hello", { tools: [weather] }))
        ).pipe(Effect.provide(context))
        const [, second] = gateway.upstreamRequests()
        const { input } = JSON.parse(second?.text ?? "")
        assert.deepStrictEqual(
          input.map(({ type, role }: Record<string, unknown>) => type ?? role),
          ["user", "reasoning", "function_call", "function_call_output"]
        )
        assert.isString(input[1].encrypted_content)
      }).pipe(Effect.scoped)
    )
  }

  for (const { name, slug, model } of peers) {
    it.live(`${name} may call its tool before it speaks: no text and no call is lost`, () =>
      Effect.gen(function* () {
        const mock = yield* emulator((mock) => {
          mock.onMessage(
            /.*/,
            {
              blocks: [
                { type: "toolCall", ...call },
                { type: "text", text: "I have asked." }
              ]
            },
            { chunkSize: 5 }
          )
        })
        const context = yield* running(gatewayTo(slug, mock))
        for (const answered of [model.chat("hello"), ChatModel.collect(model.streamChat("hello"))]) {
          const answer = yield* answered.pipe(Effect.provide(context))
          assert.strictEqual(answer.text, "I have asked.")
          assert.deepStrictEqual(
            answer.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
            [["weather", { city: "Oslo" }]]
          )
          assert.strictEqual(answer.finishReason, "tool-calls")
        }
      }).pipe(Effect.scoped)
    )

    it.live(`${name} may call a tool without arguments`, () =>
      Effect.gen(function* () {
        const mock = yield* emulator((mock) => {
          mock.onMessage(/.*/, { toolCalls: [{ name: "now", arguments: "{}" }] })
        })
        const context = yield* running(gatewayTo(slug, mock))
        const Now = Tool.make("now")
        for (const answered of [
          model.chat({ prompt: "hello", tools: [Now] }),
          ChatModel.collect(model.streamChat({ prompt: "hello", tools: [Now] }))
        ]) {
          const { toolCalls } = yield* answered.pipe(Effect.provide(context))
          const calls = yield* Tool.decodeAll([Now], toolCalls)
          assert.deepStrictEqual(
            calls.map(({ name, arguments: args }) => [name, args]),
            [["now", {}]]
          )
        }
      }).pipe(Effect.scoped)
    )

    it.live(`${name} may stop for length within an object: the text so far is in the error`, () =>
      Effect.gen(function* () {
        const text = '{"city":"Osl'
        const mock = yield* emulator((mock) => {
          mock.onMessage(/.*/, { content: text, finishReason: "length" })
        })
        const context = yield* running(gatewayTo(slug, mock))
        const error = yield* model
          .chatObject({ schema: Schema.Struct({ city: Schema.String }), prompt: "hello" })
          .pipe(Effect.flip, Effect.provide(context))
        assert(error._tag === "InvalidOutput", error._tag)
      }).pipe(Effect.scoped)
    )
  }

  it.live("OpenRouter's comments between the events of a call are no content", () =>
    Effect.gen(function* () {
      const mock = yield* emulator((mock) => {
        mock.onMessage(/.*/, { toolCalls: [call] }, { chunkSize: 5, openRouterProcessing: true })
      })
      const context = yield* running(gatewayTo("openrouter", mock))
      const answer = yield* ChatModel.collect(
        OpenRouter.model("openai/gpt-5-mini").streamChat({ prompt: "hello", tools: [Weather] })
      ).pipe(Effect.provide(context))
      assert.deepStrictEqual(
        answer.toolCalls.map(({ id, arguments: args }) => [id, args]),
        [["call_weather", call.arguments]]
      )
    }).pipe(Effect.scoped)
  )

  const legs = [
    ["openai", OpenAi.model("gpt-5-mini")],
    ["openai", OpenAi.responsesModel("gpt-5-mini")],
    ["anthropic", Anthropic.model("claude-haiku-4-5")],
    ["google-ai-studio", GoogleAiStudio.model("gemini-2.5-flash")],
    ["aws-bedrock", AwsBedrock.model("amazon.nova-pro-v1:0", { region: "us-east-1" })],
    ["cohere", Cohere.model("command-a-03-2025")],
    ["openrouter", OpenRouter.model("openai/gpt-5-mini")]
  ] as const

  for (const [slug, leg] of legs) {
    it.live(`a list on the server goes on to ${slug} (${leg.metadata.model}), and its tools are run`, () =>
      Effect.gen(function* () {
        const bad = yield* emulator(() => undefined, { chaos: { dropRate: 1 } })
        const good = yield* emulator((mock) => {
          mock.on({ hasToolResult: false }, { toolCalls: [call] }, { chunkSize: 5 })
          mock.on({ hasToolResult: true }, { content: "21 degrees." }, { chunkSize: 5 })
        })
        const [badSlug, first] =
          slug === "openai"
            ? (["anthropic", Anthropic.model("claude-haiku-4-5")] as const)
            : (["openai", OpenAi.model("gpt-5-mini")] as const)
        const gateway = gatewayTo(badSlug, bad, good)
        const context = yield* running(gateway)
        const list = ChatModel.universal([first, leg])
        for (const run of [
          list.runTools("hello", { tools: [weather] }),
          list.streamTools("hello", { tools: [weather] }).pipe(
            Stream.runLast,
            Effect.flatten,
            Effect.map((last) => {
              assert(last._tag === "RunFinish")
              return last.run
            })
          )
        ]) {
          const { response, turns } = yield* run.pipe(Effect.provide(context))
          assert.strictEqual(response.text, "21 degrees.")
          assert.strictEqual(response.provider, slug)
          assert.lengthOf(turns, 2)
        }
        // Each turn is one request to the gateway, which asks both.
        assert.lengthOf(gateway.requests(), 4)
        assert.lengthOf(bad.getRequests(), 4)
        assert.lengthOf(good.getRequests(), 4)
      }).pipe(Effect.scoped)
    )
  }
})
