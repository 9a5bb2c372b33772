/**
 * A conversation belongs to the application, not to the provider that began it: what one has answered, with its tools and its
 * thoughts, another goes on with. LocalGateway refuses what the vendors refuse: ids that are not theirs, calls without
 * results, two turns of one speaker, thoughts that are not signed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import {
  AccountApi,
  Anthropic,
  AwsBedrock,
  type ChatModel,
  Cohere,
  DeepSeek,
  GoogleAiStudio,
  GoogleVertexAi,
  LocalGateway,
  Message,
  Mistral,
  OpenAi,
  OpenRouter,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import { behind, type Needs } from "./vocabularyModels.js"

const { handler, text, toolCalls } = LocalGateway

/** One model for each wire format; those that think are told to. */
const speakers: Readonly<Record<string, ChatModel.With<Needs>>> = {
  "OpenAI's chat": OpenAi.model("gpt-5-mini", { reasoningEffort: "low" }),
  "OpenAI's Responses": OpenAi.responsesModel("gpt-5-mini", { reasoningEffort: "low" }),
  "Anthropic's": Anthropic.model("claude-sonnet-4-5", { maxTokens: 8000, reasoningEffort: "low" }),
  "Google's": GoogleAiStudio.model("gemini-3-flash", { reasoningEffort: "low" }),
  "Bedrock's": AwsBedrock.model("anthropic.claude-sonnet-4-5-20250929-v1:0", {
    region: "us-east-1",
    maxTokens: 8000,
    reasoningEffort: "low"
  }),
  // The same formats at other providers, whose seals are not those of the first.
  "Google's, on Vertex": GoogleVertexAi.model("gemini-3-flash", {
    project: "my-project",
    location: "us-central1",
    reasoningEffort: "low"
  }),
  "Anthropic's, on Bedrock": AwsBedrock.anthropicModel("anthropic.claude-sonnet-4-5", {
    region: "us-east-1",
    maxTokens: 8000,
    reasoningEffort: "low"
  }),
  "OpenAI's Responses, of Workers AI": AccountApi.model("@cf/openai/gpt-oss-20b", {
    api: "responses",
    reasoningEffort: "low"
  }),
  "Cohere's": Cohere.model("command-a-reasoning-08-2025", { reasoningEffort: "low" }),
  "Workers AI's": WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast"),
  "Mistral's": Mistral.model("magistral-small-latest", { reasoningEffort: "low" }),
  "DeepSeek's": DeepSeek.model("deepseek-reasoner", { reasoningEffort: "low" }),
  "OpenRouter's": OpenRouter.model("anthropic/claude-sonnet-4.5", { reasoningEffort: "low" })
}

const lookedUp = (tool: string) => Effect.succeed(`the ${tool} is fine`)
const tools = [
  Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) }).pipe(
    Tool.handle(() => lookedUp("weather"))
  ),
  Tool.make("get_news").pipe(
    Tool.handle(() => Effect.fail(new Tool.ToolFailure({ message: "there is no news" })))
  )
] as const

/** Every provider in turn calls two tools at once, thinking, and then answers, thinking again. */
const twoTurnsEach = () => {
  let asked = 0
  return handler(() =>
    ++asked % 2 === 1
      ? toolCalls([{ name: "get_weather", args: { city: "Oslo" } }, { name: "get_news" }], {
          text: "Let me see.",
          reasoning: `Thought ${asked}.`
        })
      : text(`Answer ${asked}.`, { reasoning: `Thought ${asked}.` })
  )
}

/** Texts of signed or encrypted thoughts that are long enough to be told from others. */
const secretsIn = (opaque: unknown): ReadonlyArray<string> => {
  if (typeof opaque === "string") return opaque.length >= 12 ? [opaque] : []
  return typeof opaque === "object" && opaque !== null ? Object.values(opaque).flatMap(secretsIn) : []
}

const secretsOf = (messages: ReadonlyArray<Message.Message>): ReadonlyArray<string> =>
  messages.flatMap((message) =>
    message.role !== "assistant" || typeof message.content === "string"
      ? []
      : message.content.flatMap((part) => (part.type === "reasoning" ? secretsIn(part.opaque?.data) : []))
  )

const runs = {
  whole: (model: ChatModel.With<Needs>, messages: ReadonlyArray<Message.Message>) =>
    model.runTools(messages, { tools }),
  streamed: (model: ChatModel.With<Needs>, messages: ReadonlyArray<Message.Message>) =>
    Stream.runLast(model.streamTools(messages, { tools })).pipe(
      Effect.flatten,
      Effect.flatMap((event) => (event._tag === "RunFinish" ? Effect.succeed(event.run) : Effect.fail(event)))
    )
}

/** Formats whose thoughts must go back to them as they came. */
const seals = /^(OpenAI's Responses|Anthropic's|Google's|Bedrock's|OpenRouter's)/

for (const [from, first] of Object.entries(speakers)) {
  describe(`a conversation that begins in ${from} format`, () => {
    for (const [to, second] of Object.entries(speakers)) {
      for (const [way, run] of Object.entries(runs)) {
        it.effect(`goes on in ${to}, ${way}`, () =>
          Effect.gen(function* () {
            const begun = yield* run(first, [Message.system("Be kind."), Message.user("How is Oslo?")])
            assert.strictEqual(begun.response.text, "Answer 2.")
            const ended = yield* run(second, [...begun.messages, Message.user("And now?")])
            assert.strictEqual(ended.response.text, "Answer 4.")
            assert.lengthOf(ended.turns, 2)
            assert.deepStrictEqual(
              ended.turns[0]?.results.map(({ result, isError }) => [result, isError === true]),
              [
                ["the weather is fine", false],
                ["there is no news", true]
              ]
            )

            const gateway = yield* LocalGateway.Gateway
            const sent = gateway
              .requests()
              .slice(2)
              .map(({ body }) => JSON.stringify(body))
            assert.lengthOf(sent, 2)
            const secrets = secretsOf(begun.messages)
            assert.strictEqual(secrets.length > 0, seals.test(from))
            for (const secret of secrets) {
              const quoted = JSON.stringify(secret).slice(1, -1)
              if (from === to)
                assert.isTrue(
                  sent.every((body) => body.includes(quoted)),
                  secret
                )
              // What the second sends back of its own thoughts, LocalGateway may have sealed with the same words.
              else assert.notInclude(sent[0] ?? "", quoted)
            }
            // A key goes to whom it belongs.
            const own = first.metadata.provider
            if (own !== second.metadata.provider) {
              for (const request of gateway.requests().slice(2))
                assert.notInclude(JSON.stringify(request), `key-of-${own}`)
            }
          }).pipe(Effect.provide(behind(twoTurnsEach())))
        )
      }
    }
  })
}

/** The longest way: everybody has a turn, and has to take what all before have said. */
describe("a conversation of all", () => {
  it.effect("goes from provider to provider, twice around", () =>
    Effect.gen(function* () {
      let messages: ReadonlyArray<Message.Message> = [Message.user("Begin.")]
      const turns = [...Object.values(speakers), ...Object.values(speakers).reverse()]
      for (const model of turns) {
        const run = yield* model.runTools(messages, { tools })
        messages = [...run.messages, Message.user("Go on.")]
      }
      assert.lengthOf(
        messages.filter(({ role }) => role === "tool"),
        turns.length
      )
      // The user's, and for each: the calls, the results, the answer, and the user's next.
      assert.lengthOf(messages, 1 + 4 * turns.length)
    }).pipe(Effect.provide(behind(twoTurnsEach())))
  )
})
