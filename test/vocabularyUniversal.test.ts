/**
 * Fallback on the server and in the client are the same to whoever asks: a list of every wire format that the universal
 * endpoint takes, where each in turn is the one that answers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Schema, Stream } from "effect"
import {
  Anthropic,
  AwsBedrock,
  AzureOpenAi,
  ChatModel,
  type ChatResponse,
  Cohere,
  Compat,
  DeepSeek,
  GoogleAiStudio,
  GoogleVertexAi,
  HuggingFace,
  LocalGateway,
  Mistral,
  OpenAi,
  OpenRouter,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import { behind } from "./vocabularyModels.js"

const { always, handler, script, status, text, toolCalls, value } = LocalGateway

/** One leg for each format and surface, each with a place of its own that tells its requests from the others'. */
const legs = [
  OpenAi.model("gpt-4.1-mini"),
  Anthropic.model("claude-sonnet-4-5", { maxTokens: 1000 }),
  GoogleAiStudio.model("gemini-2.5-flash"),
  AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" }),
  Cohere.model("command-a-03-2025"),
  WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast"),
  Mistral.model("mistral-small-latest"),
  GoogleVertexAi.model("gemini-2.5-flash", { project: "my-project", location: "us-central1" }),
  AzureOpenAi.model("my-deployment", { resource: "my-resource" }),
  DeepSeek.model("deepseek-chat"),
  HuggingFace.model("meta-llama/Llama-3.1-8B-Instruct"),
  OpenRouter.model("openai/gpt-4.1-mini")
] as const

const onServer = ChatModel.universal(legs)
const inClient = ChatModel.firstSuccessOf(legs).pipe(ChatModel.retry(Schedule.recurs(0)))

const Cheese = Schema.Struct({ name: Schema.String, ages: Schema.Array(Schema.Int) })
const brie = { name: "Brie", ages: [4, 8] }

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
const weather = Tool.handle(Weather, ({ city }) => Effect.succeed(`rain in ${city}`))
const twoCalls = toolCalls(
  [
    { name: "get_weather", args: { city: "Oslo" } },
    { name: "get_weather", args: { city: "Bonn" } }
  ],
  { usage: { input: 30, output: 12 } }
)

const winner = (place: number, upstream: LocalGateway.Upstream) =>
  behind(always(status(503)), { upstreams: { [legs[place]?.metadata.provider ?? ""]: upstream } })

/** What a caller sees of an answer; ids are the vendor's, and made up for each call. */
const seen = (answer: ChatResponse.ChatResponse) => ({
  text: answer.text,
  reasoning: answer.reasoning,
  calls: answer.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
  finishReason: answer.finishReason,
  usage: answer.usage,
  provider: answer.provider,
  model: answer.model,
  attempts: answer.attempts.map(({ leg, provider, model, transport, error }) => [
    leg,
    provider,
    model,
    transport,
    error._tag
  ])
})

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests().length)

/** One request for the whole list on the server, as many as legs in the client: and the same answer. */
const alike = <E, R>(
  place: number,
  upstream: LocalGateway.Upstream,
  ask: (model: typeof onServer | typeof inClient) => Effect.Effect<ChatResponse.ChatResponse, E, R>,
  turns = 1
) =>
  Effect.gen(function* () {
    const server = yield* Effect.gen(function* () {
      const answer = yield* ask(onServer)
      assert.strictEqual(answer.gateway.step, place)
      assert.strictEqual(yield* requests, turns)
      return seen(answer)
    }).pipe(Effect.provide(winner(place, upstream)))
    const client = yield* Effect.gen(function* () {
      const answer = yield* ask(inClient)
      assert.strictEqual(yield* requests, turns * (place + 1))
      return seen(answer)
    }).pipe(Effect.provide(winner(place, upstream)))
    assert.deepStrictEqual(server, client)
    assert.strictEqual(server.provider, legs[place]?.metadata.provider)
    assert.lengthOf(server.attempts, place)
    return server
  })

for (const [place, { metadata }] of legs.entries()) {
  describe(`leg ${place}, ${metadata.provider}, is the one that answers`, () => {
    const hello = always(text("Good morning, all.", { usage: { input: 9, output: 3 } }))
    it.effect("with a text, whole", () =>
      Effect.gen(function* () {
        const answer = yield* alike(place, hello, (model) => model.chat("hello"))
        assert.strictEqual(answer.text, "Good morning, all.")
        assert.deepInclude(answer.usage, { input: 9, output: 3, total: 12 })
      })
    )

    it.effect("with a text, streamed", () =>
      Effect.gen(function* () {
        const answer = yield* alike(place, hello, (model) => ChatModel.collect(model.streamChat("hello")))
        assert.strictEqual(answer.text, "Good morning, all.")
        assert.deepInclude(answer.usage, { input: 9, output: 3, total: 12 })
      })
    )

    const asked = { prompt: "Well?", tools: [Weather], toolChoice: "required" } as const
    const calls = [
      ["get_weather", { city: "Oslo" }],
      ["get_weather", { city: "Bonn" }]
    ]
    it.effect("with two calls of a tool, whole", () =>
      Effect.gen(function* () {
        const answer = yield* alike(place, always(twoCalls), (model) => model.chat(asked))
        assert.deepStrictEqual(answer.calls, calls)
        assert.strictEqual(answer.finishReason, "tool-calls")
      })
    )

    it.effect("with two calls of a tool, streamed", () =>
      Effect.gen(function* () {
        const answer = yield* alike(place, always(twoCalls), (model) =>
          ChatModel.collect(model.streamChat(asked))
        )
        assert.deepStrictEqual(answer.calls, calls)
        assert.strictEqual(answer.finishReason, "tool-calls")
      })
    )

    it.effect("and uses tools until it answers", () =>
      Effect.gen(function* () {
        const answer = yield* alike(
          place,
          script([twoCalls]),
          (model) => Effect.map(model.runTools("Well?", { tools: [weather] }), ({ response }) => response),
          2
        )
        assert.strictEqual(answer.text, "get_weather said: rain in Oslo\nget_weather said: rain in Bonn")
      })
    )

    it.effect("with a value of a Schema, whole", () =>
      alike(place, always(value(brie)), (model) =>
        Effect.tap(model.chatObject({ schema: Cheese, prompt: "Which?" }), ({ object }) =>
          Effect.sync(() => assert.deepStrictEqual(object, brie))
        )
      )
    )

    it.effect("with a value of a Schema, as it grows", () =>
      alike(place, always(value(brie)), (model) =>
        model.streamObject({ schema: Cheese, prompt: "Which?" }).pipe(
          Stream.runLast,
          Effect.flatten,
          Effect.flatMap((event) => (event._tag === "Object" ? Effect.succeed(event) : Effect.fail(event))),
          Effect.map(({ object, response }) => {
            assert.deepStrictEqual(object, brie)
            return response
          })
        )
      )
    )
  })
}

describe("legs that one slug has in common", () => {
  const two = [
    OpenAi.model("gpt-5-mini"),
    OpenAi.responsesModel("gpt-5-mini"),
    Compat.model("openai/gpt-5-mini")
  ] as const
  const only = (endpoint: string) =>
    behind(undefined, {
      upstreams: {
        openai: handler((request) => (request.endpoint.includes(endpoint) ? text("Only me.") : status(500)))
      }
    })
  for (const [name, list] of [
    ["on the server", ChatModel.universal(two)],
    ["in the client", ChatModel.firstSuccessOf(two).pipe(ChatModel.retry(Schedule.recurs(0)))]
  ] as const) {
    it.effect(`are read by their own formats, ${name}`, () =>
      Effect.gen(function* () {
        const answer = yield* list.chat("hello")
        const streamed = yield* ChatModel.collect(list.streamChat("hello"))
        for (const { text, attempts } of [answer, streamed]) {
          assert.strictEqual(text, "Only me.")
          assert.lengthOf(attempts, 1)
        }
      }).pipe(Effect.provide(only("responses")))
    )
  }
})
