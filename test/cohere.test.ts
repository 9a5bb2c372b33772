/** Cohere as a provider, over real sockets. How it is asked and read is in `wire/cohereChat.test.ts`. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { CohereClientV2 } from "cohere-ai"
import { Effect, Layer, Redacted, Schedule, Schema, Stream } from "effect"
import { AiGateway, ChatEvent, ChatModel, Cohere, Message, OpenAi, Tool } from "effect-ai-gateway"
import { json, pieces, type Server, serve } from "./socketGateway.js"

const once = ChatModel.retry(Schedule.recurs(0))
const model = Cohere.model("command-a-03-2025").pipe(once)

const through = ({ baseUrl }: Server, cohere = Cohere.layer({ apiKey: Redacted.make("cohere-key") })) =>
  Effect.provide(
    Layer.mergeAll(
      Layer.orDie(cohere),
      OpenAi.layer(),
      AiGateway.layer({ accountId: "account", gatewayId: "gateway", baseUrl }).pipe(
        Layer.provide(FetchHttpClient.layer),
        Layer.orDie
      )
    )
  )

const usage = {
  billed_units: { input_tokens: 1, output_tokens: 1 },
  tokens: { input_tokens: 10, output_tokens: 5 }
}
const whole = {
  id: "x",
  finish_reason: "COMPLETE",
  message: { role: "assistant", content: [{ type: "text", text: "Hello." }] },
  usage
}

const events = (...all: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  Buffer.from(
    `${all.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`
  )

const says = (text: string) => ({
  type: "content-delta",
  index: 0,
  delta: { message: { content: { text } } }
})

const start = {
  type: "message-start",
  id: "x",
  delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } }
}
const end = { type: "message-end", id: "x", delta: { finish_reason: "COMPLETE", usage } }

describe("Cohere", () => {
  it.scopedLive("is asked at v2/chat with a bearer token, and without a key with none", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole))
      const answer = yield* model.chat("Hi").pipe(through(server))
      assert.deepInclude({ ...answer }, { text: "Hello.", provider: "cohere", finishReason: "stop" })
      assert.deepInclude(answer.usage, { input: 10, output: 5, total: 15 })
      yield* model.chat("Hi").pipe(through(server, Cohere.layer()))
      assert.deepStrictEqual(
        server.asked.map(({ path, headers }) => [path, headers.authorization]),
        [
          ["cohere/v2/chat", "Bearer cohere-key"],
          ["cohere/v2/chat", undefined]
        ]
      )
    })
  )

  it.scopedLive("is asked as its own SDK asks, tools and results included", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole))
      const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
      const schema = Weather.jsonSchema._tag === "Right" ? { ...Weather.jsonSchema.right } : {}
      const args = '{"city":"Oslo"}'
      yield* model
        .chat({
          messages: [
            Message.system("Be brief."),
            Message.user("How is Oslo?"),
            Message.assistant([{ type: "tool-call", id: "a", name: "get_weather", arguments: args }]),
            Message.toolResults([{ type: "tool-result", id: "a", name: "get_weather", result: "21" }])
          ],
          tools: [Weather],
          toolChoice: "required",
          temperature: 0.5,
          topP: 0.9,
          topK: 3,
          maxTokens: 100,
          stop: ["."],
          seed: 1
        })
        .pipe(through(server))
      const sdk = new CohereClientV2({
        token: "cohere-key",
        environment: `${server.baseUrl}/account/gateway/cohere`
      })
      yield* Effect.promise(() =>
        sdk.chat({
          model: "command-a-03-2025",
          messages: [
            { role: "system", content: "Be brief." },
            { role: "user", content: "How is Oslo?" },
            {
              role: "assistant",
              toolCalls: [{ id: "a", type: "function", function: { name: "get_weather", arguments: args } }]
            },
            { role: "tool", toolCallId: "a", content: "21" }
          ],
          tools: [{ type: "function", function: { name: "get_weather", parameters: schema } }],
          toolChoice: "REQUIRED",
          temperature: 0.5,
          p: 0.9,
          k: 3,
          maxTokens: 100,
          stopSequences: ["."],
          seed: 1
        })
      )
      const [ours, theirs] = server.asked
      assert.strictEqual(theirs?.path, "cohere/v2/chat")
      assert.strictEqual(ours?.headers.authorization, theirs?.headers.authorization)
      const { stream: _, ...expected } = JSON.parse(theirs?.body.toString() ?? "")
      assert.deepStrictEqual(JSON.parse(ours?.body.toString() ?? ""), expected)
    })
  )

  it.scopedLive("streams, however the network cuts it", () =>
    Effect.gen(function* () {
      for (const size of [1, 13, 1000]) {
        const server = yield* serve(
          pieces(events(start, says("Hel"), says("lo 🧀."), end), size, "text/event-stream")
        )
        const answer = ChatEvent.fold(yield* Stream.runCollect(model.streamChat("Hi")).pipe(through(server)))
        assert.deepInclude({ ...answer }, { text: "Hello 🧀.", finishReason: "stop" })
        assert.deepInclude(answer.usage, { input: 10, output: 5 })
      }
    })
  )

  it.scopedLive("that fails under a status of success is left for the next leg", () =>
    Effect.gen(function* () {
      const failed = {
        type: "message-end",
        delta: { finish_reason: "ERROR", error: "no luck", error_type: "INVALID_TOOL_GENERATION", usage: {} }
      }
      const openAi = JSON.stringify({
        choices: [{ delta: { content: "from OpenAI" }, finish_reason: "stop" }]
      })
      const server = yield* serve(
        pieces(events(start, failed), 20, "text/event-stream"),
        pieces(Buffer.from(`data: ${openAi}\n\ndata: [DONE]\n\n`), 20, "text/event-stream")
      )
      const list = ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1")])
      const answer = ChatEvent.fold(yield* Stream.runCollect(list.streamChat("Hi")).pipe(through(server)))
      assert.strictEqual(answer.text, "from OpenAI")
      assert.deepInclude(
        { ...answer.attempts[0]?.error },
        { _tag: "ProviderFailure", code: "INVALID_TOOL_GENERATION", provider: "cohere" }
      )
    })
  )

  it.scopedLive("that refuses says why: its errors have no error object", () =>
    Effect.gen(function* () {
      const refusals = [
        [401, { id: "x", message: "invalid api token" }, "Unauthorized"],
        [404, { id: "x", message: "model 'command-x' not found" }, "ModelNotFound"],
        [400, { message: "too many tokens", error_type: "TOO_MANY_TOKENS" }, "ContextLengthExceeded"],
        [429, { message: "slow down" }, "RateLimited"],
        [200, { id: "x", finish_reason: "ERROR", message: { content: [] } }, "ProviderFailure"]
      ] as const
      for (const [status, body, tag] of refusals) {
        const server = yield* serve(json(body, status))
        const error = yield* model.chat("Hi").pipe(Effect.flip, through(server))
        assert.deepInclude({ ...error }, { _tag: tag, provider: "cohere" })
      }
    })
  )

  it.scopedLive("answers a value beside tools through one more tool", () =>
    Effect.gen(function* () {
      const call = { id: "a", type: "function", function: { name: "city", arguments: '{"name":"Oslo"}' } }
      const server = yield* serve(json({ finish_reason: "TOOL_CALL", message: { tool_calls: [call] } }))
      const answer = yield* model
        .chat({
          prompt: "Hi",
          tools: [Tool.make("get_time")],
          output: { name: "city", jsonSchema: { type: "object", properties: { name: { type: "string" } } } }
        })
        .pipe(through(server))
      assert.deepInclude({ ...answer }, { text: '{"name":"Oslo"}', finishReason: "stop", toolCalls: [] })
    })
  )

  it("tells what it supports", () => {
    for (const feature of ["files", "images", "reasoningEffort", "parallelToolCalls"] as const) {
      assert.notInclude(model.metadata.supports, feature)
    }
    assert.includeMembers(
      [...model.metadata.supports],
      [
        "temperature",
        "topP",
        "topK",
        "seed",
        "frequencyPenalty",
        "presencePenalty",
        "tools",
        "output",
        "streaming"
      ]
    )
    assert.includeMembers(
      [...Cohere.model("command-a-reasoning-08-2025").metadata.supports],
      ["reasoningEffort"]
    )
  })
})
