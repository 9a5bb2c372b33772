/**
 * Tools, objects and reasoning with the provider emulator `@copilotkit/aimock` as the upstream of LocalGateway, over
 * real sockets, in every format that it speaks. Its journal says what it understood of our requests, in OpenAI's words.
 */
import type { FixtureFileResponse, FixtureOpts, LLMock } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Schema, Stream } from "effect"
import { Anthropic, ChatModel, OpenAi, Tool } from "effect-ai-gateway"
import { application, emulator, gatewayTo, type Needs, type Peer, peers } from "./aimockProviders.js"
import { clients } from "./application.js"

const Weather = Tool.make("weather", {
  description: "The weather of a city.",
  parameters: Schema.Struct({ city: Schema.String, on: Schema.optional(Schema.Date) })
})
const Time = Tool.make("time", { parameters: Schema.Struct({ zone: Schema.NumberFromString }) })

const toolCalls = [
  { id: "call_weather", name: "weather", arguments: JSON.stringify({ city: "Zürich 🎈", on: "2026-05-01" }) },
  { id: "call_time", name: "time", arguments: JSON.stringify({ zone: "2" }) }
]

const whole = (model: ChatModel.With<Needs>) => model.chat
const streamed = (model: ChatModel.With<Needs>) => (input: Parameters<typeof model.streamChat>[0]) =>
  ChatModel.collect(model.streamChat(input))

/** Answers every question so, in small pieces. */
const answers =
  (response: FixtureFileResponse, more: FixtureOpts = {}) =>
  (mock: LLMock): void => {
    mock.onMessage(/.*/, response, { chunkSize: 5, ...more })
  }

const bodies = (mock: LLMock): ReadonlyArray<Record<string, unknown>> =>
  mock.getRequests().map(({ body }) => ({ ...body }))

const Trip = Schema.Struct({ city: Schema.String, nights: Schema.Int, from: Schema.Date })
const trip = { city: "Genève 🎈", nights: 3, from: "2026-05-01" }

for (const [clientName, client] of clients) {
  const running = (peer: Peer, mock: LLMock, good: LLMock = mock) =>
    Layer.build(application(gatewayTo(peer.slug, mock, good), client))

  describe(`${clientName} → LocalGatewayServer → aimock`, () => {
    for (const peer of peers) {
      const { name, model } = peer
      // Its calls come whole, and before the content there is nothing.
      const google = peer.slug.startsWith("google")
      const other = peer.slug === "openai" ? Anthropic.model("claude-haiku-4-5") : OpenAi.model("gpt-5-mini")
      describe(name, () => {
        it.live("calls two tools at once, with typed arguments, whole and streamed", () =>
          Effect.gen(function* () {
            const mock = yield* emulator(answers({ toolCalls }))
            const context = yield* running(peer, mock)
            for (const call of [whole, streamed]) {
              const answer = yield* call(model)({ prompt: "hello", tools: [Weather, Time] }).pipe(
                Effect.provide(context)
              )
              assert.strictEqual(answer.finishReason, "tool-calls")
              assert.strictEqual(answer.text, "")
              const calls = yield* Tool.decodeAll([Weather, Time], answer.toolCalls)
              assert.deepStrictEqual(
                calls.map(({ name, arguments: args }) => [name, args]),
                [
                  ["weather", { city: "Zürich 🎈", on: new Date("2026-05-01") }],
                  ["time", { zone: 2 }]
                ]
              )
              if (peer.pairsByName !== true) {
                assert.deepStrictEqual(
                  calls.map(({ id }) => id),
                  ["call_weather", "call_time"]
                )
              }
              assert.strictEqual(new Set(calls.map(({ id }) => id)).size, 2)
            }
          }).pipe(Effect.scoped)
        )

        it.live("tells the provider of the tools", () =>
          Effect.gen(function* () {
            const mock = yield* emulator(answers({ content: "Fine." }))
            const context = yield* running(peer, mock)
            yield* model
              .chat({ system: "Be kind.", prompt: "hello", tools: [Weather, Time] })
              .pipe(Effect.provide(context))
            const [body] = bodies(mock)
            assert.deepNestedInclude(body, {
              "messages[0].role": "system",
              "messages[0].content": "Be kind.",
              "messages[1].role": "user",
              "messages[1].content": "hello",
              "tools.length": 2,
              "tools[0].function.name": "weather",
              "tools[0].function.description": "The weather of a city.",
              "tools[1].function.name": "time"
            })
            // It reads the older of Google's two fields for them only.
            if (!google) {
              assert.deepNestedInclude(body, {
                "tools[0].function.parameters.type": "object",
                "tools[0].function.parameters.properties.city.type": "string",
                "tools[1].function.parameters.required": ["zone"]
              })
            }
          }).pipe(Effect.scoped)
        )

        for (const way of ["whole", "streamed"] as const) {
          it.live(`runs its tools over two turns, ${way}`, () =>
            Effect.gen(function* () {
              const mock = yield* emulator((mock) => {
                mock.on({ hasToolResult: false }, { content: "Let me see.", toolCalls }, { chunkSize: 5 })
                mock.on(
                  { toolResultContains: "11:30" },
                  { content: "21 degrees at 11:30." },
                  { chunkSize: 5 }
                )
              })
              const context = yield* running(peer, mock)
              const tools = [
                Tool.handle(Weather, ({ city }) => Effect.succeed({ city, celsius: 21 })),
                Tool.handle(Time, ({ zone }) => Effect.succeed(`11:30 UTC+${zone}`))
              ]
              const run = yield* (
                way === "whole"
                  ? model.runTools("hello", { tools })
                  : model.streamTools("hello", { tools }).pipe(
                      Stream.runLast,
                      Effect.flatten,
                      Effect.map((last) => {
                        assert(last._tag === "RunFinish")
                        return last.run
                      })
                    )
              ).pipe(Effect.provide(context))
              assert.strictEqual(run.response.text, "21 degrees at 11:30.")
              assert.strictEqual(run.response.finishReason, "stop")
              assert.lengthOf(run.turns, 2)
              assert.strictEqual(run.turns[0]?.response.text, "Let me see.")

              // The second request, as the emulator understood it.
              const [, body] = bodies(mock)
              assert(Array.isArray(body?.messages))
              const [said, ...results] = body.messages.slice(-3)
              const sent = body.messages
                .filter(({ role }) => role === "assistant")
                .flatMap(({ tool_calls }) => tool_calls ?? [])
              assert.deepStrictEqual(
                sent.map(({ function: call }) => [call.name, JSON.parse(call.arguments)]),
                [
                  ["weather", { city: "Zürich 🎈", on: "2026-05-01" }],
                  ["time", { zone: "2" }]
                ]
              )
              assert.strictEqual(said.role, "assistant")
              assert.deepStrictEqual(
                results.map(({ role, tool_call_id }) => [role, tool_call_id]),
                sent.map(({ id }) => ["tool", id])
              )
              // Vertex is sent no ids.
              if (peer.slug !== "google-vertex-ai") {
                assert.deepStrictEqual(
                  sent.map(({ id }) => id),
                  run.turns[0]?.response.toolCalls.map(({ id }) => id)
                )
              }
              assert.include(results[0].content, "Zürich 🎈")
              assert.include(results[1].content, "11:30 UTC+2")
              const first = body.messages.find(({ role }) => role === "assistant")
              assert.strictEqual(first.content, "Let me see.")
            }).pipe(Effect.scoped)
          )
        }

        it.live("answers with an object, whole and streamed", () =>
          Effect.gen(function* () {
            // A vendor without a mode for it is made to call a tool.
            const mock = yield* emulator((mock) => {
              mock.onMessage(
                /.*/,
                ({ tools }) =>
                  tools?.[0] === undefined
                    ? { content: JSON.stringify(trip) }
                    : { toolCalls: [{ name: tools[0].function.name, arguments: JSON.stringify(trip) }] },
                { chunkSize: 5 }
              )
            })
            const context = yield* running(peer, mock)
            const expected = { ...trip, from: new Date("2026-05-01") }
            const { object } = yield* model
              .chatObject({ schema: Trip, prompt: "hello" })
              .pipe(Effect.provide(context))
            assert.deepStrictEqual(object, expected)

            const events = yield* model
              .streamObject({ schema: Trip, prompt: "hello" })
              .pipe(Stream.runCollect, Effect.map(Chunk.toReadonlyArray), Effect.provide(context))
            const last = events.at(-1)
            assert(last?._tag === "Object")
            assert.deepStrictEqual(last.object, expected)
            for (const event of events.slice(0, -1)) {
              assert(event._tag === "Partial")
              assert.isTrue("Genève 🎈".startsWith(event.value.city ?? ""))
            }
          }).pipe(Effect.scoped)
        )

        it.live(
          "answers with an object that does not fit: a typed error with the path, and the next leg answers",
          () =>
            Effect.gen(function* () {
              const nights = (nights: unknown) => (mock: LLMock) => {
                const text = JSON.stringify({ ...trip, nights })
                mock.onMessage(/.*/, ({ tools }) =>
                  tools?.[0] === undefined
                    ? { content: text }
                    : { toolCalls: [{ name: tools[0].function.name, arguments: text }] }
                )
              }
              const bad = yield* emulator(nights("three"))
              const good = yield* emulator(nights(3))
              const context = yield* running(peer, bad, good)
              const request = { schema: Trip, prompt: "hello" }
              const error = yield* model.chatObject(request).pipe(Effect.flip, Effect.provide(context))
              assert(error._tag === "InvalidOutput", error._tag)
              assert.include(error.message, "nights")
              const answer = yield* ChatModel.firstSuccessOf([model, other])
                .chatObject(request)
                .pipe(Effect.provide(context))
              assert.strictEqual(answer.object.nights, 3)
              assert.deepStrictEqual(
                answer.attempts.map(({ provider, error }) => [provider, error._tag]),
                [[peer.slug, "InvalidOutput"]]
              )
            }).pipe(Effect.scoped)
        )

        if (peer.reasons) {
          it.live("reasons, whole and streamed", () =>
            Effect.gen(function* () {
              const mock = yield* emulator(
                answers({ content: "Blue.", reasoning: "The sky scatters light." })
              )
              const context = yield* running(peer, mock)
              for (const call of [whole, streamed]) {
                const answer = yield* call(model)({ prompt: "hello", reasoningEffort: "low" }).pipe(
                  Effect.provide(context)
                )
                assert.strictEqual(answer.reasoning, "The sky scatters light.")
                assert.strictEqual(answer.text, "Blue.")
                assert.strictEqual(answer.finishReason, "stop")
              }
            }).pipe(Effect.scoped)
          )
        }

        it.live("counts tokens, whole and streamed", () =>
          Effect.gen(function* () {
            const usage = { prompt_tokens: 12, completion_tokens: 34, input_tokens: 12, output_tokens: 34 }
            const mock = yield* emulator(answers({ content: "Fine.", usage }))
            const context = yield* running(peer, mock)
            for (const call of [whole, streamed]) {
              const answer = yield* call(model)("hello").pipe(Effect.provide(context))
              assert.deepInclude(answer.usage, { input: 12, output: 34, total: 46 })
            }
          }).pipe(Effect.scoped)
        )

        it.live("is cut off within a tool call, after some text: what came is kept", () =>
          Effect.gen(function* () {
            const bad = yield* emulator(
              answers(
                { content: "Let me see.", toolCalls },
                { chunkSize: 4, latency: 10, truncateAfterChunks: google ? 3 : 20 }
              )
            )
            const good = yield* emulator(answers({ content: "Fine." }))
            const context = yield* running(peer, bad, good)
            const seen: Array<string> = []
            const error = yield* ChatModel.firstSuccessOf([model, model])
              .streamChat({ prompt: "hello", tools: [Weather, Time] })
              .pipe(
                Stream.runForEach(({ _tag }) => Effect.sync(() => seen.push(_tag))),
                Effect.flip,
                Effect.provide(context)
              )
            assert(error._tag === "StreamBroken", error._tag)
            assert.strictEqual(error.cause._tag, "TransportFailure")
            if (google) assert.isTrue("Let me see.".startsWith(error.delivered.text))
            else {
              assert.strictEqual(error.delivered.text, "Let me see.")
              assert.include(seen, "ToolCallDelta")
            }
            assert.strictEqual(error.delivered.events, seen.length)
            assert.notInclude(seen, "Finish")
            // It was asked once: a stream that has begun is not begun again.
            assert.lengthOf(bad.getRequests(), 1)
          }).pipe(Effect.scoped)
        )

        if (!google)
          it.live("is cut off before any content: the next leg calls the tools", () =>
            Effect.gen(function* () {
              const bad = yield* emulator(answers({ toolCalls }, { latency: 150, disconnectAfterMs: 240 }))
              const good = yield* emulator(answers({ toolCalls }))
              const context = yield* running(peer, bad, good)
              const answer = yield* streamed(ChatModel.firstSuccessOf([model, other]))({
                prompt: "hello",
                tools: [Weather, Time]
              }).pipe(Effect.provide(context))
              assert.deepStrictEqual(
                answer.attempts.map(({ provider, error }) => [provider, error._tag]),
                [[peer.slug, "TransportFailure"]]
              )
              const calls = yield* Tool.decodeAll([Weather, Time], answer.toolCalls)
              assert.lengthOf(calls, 2)
            }).pipe(Effect.scoped)
          )
      })
    }
  })
}
