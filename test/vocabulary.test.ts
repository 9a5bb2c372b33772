/**
 * Everything that an application asks of a model, of every model that the package has, over the gateway's protocol. What is
 * behind the gateway is LocalGateway, which shares no code with the client and refuses what the vendors refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Schema, Stream } from "effect"
import {
  type AiGatewayError,
  Anthropic,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  GoogleAiStudio,
  LocalGateway,
  Message,
  OpenAi,
  Tool
} from "effect-ai-gateway"
import { behind, type Needs, rows } from "./vocabularyModels.js"

const { always, rechunk, script, text, toolCalls, value } = LocalGateway

type Asked = Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, Needs>
type Ask = (model: ChatModel.With<Needs>, input: ChatRequest.Input) => Asked

const ways: Readonly<Record<string, Ask>> = {
  whole: (model, input) => model.chat(input),
  streamed: (model, input) => ChatModel.collect(model.streamChat(input))
}

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

// --- what is asked ----------------------------------------------------------------------------------------------------

const Trip = Tool.make("book_trip", {
  description: "Books a trip.",
  parameters: Schema.Struct({
    traveller: Schema.Struct({ name: Schema.String, age: Schema.Int }),
    legs: Schema.Array(
      Schema.Struct({
        to: Schema.NonEmptyString,
        nights: Schema.Int.pipe(Schema.between(1, 30)),
        hotel: Schema.optional(Schema.Struct({ stars: Schema.Literal(3, 4, 5) }))
      })
    ),
    kind: Schema.Literal("work", "play")
  })
})

const Person = Schema.Struct({
  name: Schema.String,
  age: Schema.Int,
  home: Schema.Struct({ city: Schema.String, floor: Schema.NullOr(Schema.Int) }),
  tags: Schema.Array(Schema.String)
}).annotations({ identifier: "Person" })
const ada = { name: "Ada", age: 36, home: { city: "London", floor: null }, tags: ["maths", "poetry"] }

const weather = Tool.make("get_weather", {
  parameters: Schema.Struct({ city: Schema.String })
}).pipe(Tool.handle(({ city }) => Effect.succeed(`21 degrees in ${city}`)))
const news = Tool.make("get_news").pipe(
  Tool.handle(() => Effect.fail(new Tool.ToolFailure({ message: "no news today" })))
)
const tools = [weather, news] as const

/** Two turns with two calls each, one of which fails, and then an answer that quotes the results. */
const twoTurns = [
  rechunk(
    toolCalls([
      { name: "get_weather", args: { city: "Oslo" } },
      { name: "get_weather", args: { city: "São Paulo" } }
    ]),
    11
  ),
  toolCalls(
    [
      { name: "get_news", args: {} },
      { name: "get_weather", args: { city: "Bonn" } }
    ],
    {
      text: "One moment."
    }
  )
]

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const about = (part: Message.UserPart) => [Message.user([Message.textPart("What is this?"), part])]
const imageBytes = about(Message.image({ data: png, mediaType: "image/png" }))
const imageUrl = about(Message.image("https://example.com/cat.png"))
const pdfBytes = about(
  Message.file({ data: "JVBERi0xLjQK", mediaType: "application/pdf" }, { filename: "a.pdf" })
)
const pdfUrl = about(Message.file("https://example.com/a.pdf"))

const samples = {
  temperature: { temperature: 0.5 },
  topP: { topP: 0.9 },
  topK: { topK: 20 },
  maxTokens: { maxTokens: 4000 },
  stop: { stop: ["END"] },
  seed: { seed: 7 },
  frequencyPenalty: { frequencyPenalty: 0.5 },
  presencePenalty: { presencePenalty: 0.5 },
  reasoningEffort: { reasoningEffort: "high" },
  tools: { tools: [Trip] },
  parallelToolCalls: { tools: [Trip], parallelToolCalls: false },
  output: { output: { name: "thing", jsonSchema: { type: "object", properties: {} } } },
  images: { messages: imageBytes },
  files: { messages: pdfBytes }
} satisfies Partial<Record<ChatModel.Feature, ChatRequest.Options>>

const asking = (feature: keyof typeof samples): ChatRequest.Options => ({
  ...("messages" in samples[feature] ? {} : { prompt: "hello" }),
  ...samples[feature]
})

const features = Object.keys(samples) as ReadonlyArray<keyof typeof samples>

const call = (id: string, name = "get_weather", args = '{"city":"Oslo"}') =>
  ({ type: "tool-call", id, name, arguments: args }) as const
const result = (id: string, text: string, name = "get_weather") =>
  ({ type: "tool-result", id, name, result: text }) as const

/** Conversations as a store may have them: written by other providers, or by hand. */
const stored: Readonly<Record<string, ReadonlyArray<Message.Message>>> = {
  "ids of all sorts, and results in another order": [
    Message.user("Well?"),
    Message.assistant([call("fc/1 ä:é"), call("2")]),
    Message.toolResults([result("2", "sun"), result("fc/1 ä:é", "rain")])
  ],
  "the results of one turn in two messages": [
    Message.user("Well?"),
    Message.assistant([Message.textPart("Let me see."), call("call_1"), call("call_2")]),
    Message.toolResults([result("call_1", "rain")]),
    Message.toolResults([result("call_2", "sun")]),
    Message.user("And?")
  ],
  "arguments that are not JSON, or none": [
    Message.user("Well?"),
    Message.assistant([call("call_1", "get_weather", "{city: Oslo"), call("call_2", "get_news", "")]),
    Message.toolResults([
      { ...result("call_1", "that is no JSON"), isError: true },
      result("call_2", "nothing", "get_news")
    ])
  ],
  "thoughts that somebody else has sealed": [
    Message.user("Well?"),
    Message.assistant([
      { type: "reasoning", text: "Hm.", opaque: { provider: "somebody", data: { signature: "x" } } },
      Message.textPart("Good.")
    ]),
    Message.user("And?")
  ]
}

// --- refused before it is sent ----------------------------------------------------------------------------------------

const all = [
  GoogleAiStudio.model("gemini-2.5-flash"),
  OpenAi.model("gpt-4.1-mini"),
  Anthropic.model("claude-sonnet-4-5", { maxTokens: 4096 })
]

const takerOf = (feature: ChatModel.Feature, other: string) => {
  const found = all.find(({ metadata }) => metadata.supports.includes(feature) && metadata.provider !== other)
  if (found === undefined) throw new Error(`nobody else takes ${feature}`)
  return found
}

/** Nothing is sent, by itself; in a list the next leg answers, with one request. */
const unsupported = (
  model: ChatModel.With<Needs>,
  ask: Ask,
  feature: string,
  input: ChatRequest.Input,
  next: ChatModel.With<Needs>
) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(ask(model, input))
    if (error._tag !== "Unsupported") return assert.fail(`${error._tag}: ${error.message}`)
    assert.include(error.feature.split(", "), feature)
    assert.deepStrictEqual(yield* requests, [])
    const answer = yield* ask(ChatModel.firstSuccessOf([model, next]), input)
    assert.strictEqual(answer.provider, next.metadata.provider)
    assert.deepStrictEqual(
      answer.attempts.map(({ leg, error }) => [leg, error._tag]),
      [[0, "Unsupported"]]
    )
    assert.deepStrictEqual(
      (yield* requests).map(({ provider }) => provider),
      [next.metadata.provider]
    )
  })

// --- every model ------------------------------------------------------------------------------------------------------

for (const [name, row] of Object.entries(rows)) {
  const { model, lacks, refuses = [], mute = [] } = row
  const { provider } = model.metadata
  const can = (feature: ChatModel.Feature) => !lacks.includes(feature)
  const routed = /^Compat\.(dynamic|auto)$/.test(name)

  describe(name, () => {
    it("says what it can take", () => {
      assert.sameMembers([...model.metadata.supports], [
        ...features.filter(can),
        "system",
        "streaming"
      ] satisfies ReadonlyArray<ChatModel.Feature>)
    })

    for (const [way, ask] of Object.entries(ways)) {
      it.effect(`answers, with its tokens and why it stopped, ${way}`, () =>
        Effect.gen(function* () {
          const answer = yield* ask(model, { system: "Be kind.", prompt: "hello" })
          assert.strictEqual(answer.text, "Grüße, my friend. 👋")
          assert.strictEqual(answer.finishReason, "stop")
          assert.deepInclude(answer.usage, { input: 11, output: 7, total: 18 })
          assert.strictEqual(answer.provider, routed ? "openai" : provider)
          assert.isNotEmpty(answer.model)
          assert.deepStrictEqual(answer.attempts, [])
          assert.deepStrictEqual(answer.message, Message.assistant(answer.text))
        }).pipe(
          Effect.provide(
            behind(always(rechunk(text("Grüße, my friend. 👋", { usage: { input: 11, output: 7 } }), 3)))
          )
        )
      )

      for (const reason of ["length", "content-filter"] as const) {
        const silent = mute.includes(reason) || (row.muteUnlessStreamed === true && way === "whole")
        it.effect(`tells ${reason} from an end${silent ? ", where the vendor does not" : ""}, ${way}`, () =>
          Effect.gen(function* () {
            const answer = yield* ask(model, "hello")
            assert.strictEqual(answer.finishReason, silent ? "stop" : reason)
          }).pipe(Effect.provide(behind(always(text("so far", { finishReason: reason.replace("-", "_") })))))
        )
      }

      it.effect(`takes a system message in the middle, and one speaker twice in a row, ${way}`, () =>
        Effect.gen(function* () {
          const answer = yield* ask(model, [
            Message.user("one"),
            Message.user("two"),
            Message.assistant("three"),
            Message.assistant([Message.textPart("four")]),
            Message.system("Be brief."),
            Message.user([Message.textPart("five"), Message.textPart("six")])
          ])
          assert.include(answer.text, "six")
        }).pipe(Effect.provide(behind()))
      )

      it.effect(`takes each field that it says it takes, ${way}`, () =>
        Effect.forEach(features.filter(can), (feature) =>
          ask(model, asking(feature)).pipe(
            Effect.mapError((error) => new Error(`${feature}: ${error.message}`)),
            Effect.provide(
              behind(undefined, { routedTo: feature === "reasoningEffort" ? "reasoning" : "other" })
            )
          )
        )
      )

      for (const feature of features.filter((feature) => !can(feature))) {
        const next = takerOf(feature, provider)
        it.effect(`${feature} is Unsupported before anything is sent, and a list moves on, ${way}`, () =>
          Effect.suspend(() => unsupported(model, ask, feature, asking(feature), next)).pipe(
            Effect.provide(behind())
          )
        )
      }

      if (can("tools")) {
        const named = { prompt: "Book it.", tools: [Trip, weather.tool], toolChoice: { tool: "book_trip" } }
        if (refuses.includes("toolChoice")) {
          it.effect(
            `a tool by name is Unsupported before anything is sent, and a list moves on, ${way}`,
            () =>
              unsupported(model, ask, "toolChoice", named, OpenAi.model("gpt-4.1-mini")).pipe(
                Effect.provide(behind())
              )
          )
        }
        for (const choice of refuses.includes("toolChoice") ? ["any"] : ["any", "one by name"]) {
          it.effect(`calls ${choice} that it must, with arguments that decode, ${way}`, () =>
            Effect.gen(function* () {
              const answer = yield* ask(
                model,
                choice === "any" ? { prompt: "Book it.", tools: [Trip], toolChoice: "required" } : named
              )
              assert.strictEqual(answer.finishReason, "tool-calls")
              const [call, ...others] = yield* Tool.decodeAll([Trip], answer.toolCalls)
              assert.deepStrictEqual(others, [])
              assert.strictEqual(call?.name, "book_trip")
              assert.strictEqual(call?.arguments.kind, "work")
              assert.strictEqual(call?.arguments.legs[0]?.hotel?.stars, 3)
            }).pipe(Effect.provide(behind()))
          )
        }

        it.effect(`takes a conversation as it was stored, with the tools and without, ${way}`, () =>
          Effect.forEach(Object.entries(stored), ([what, messages]) =>
            Effect.forEach([[weather.tool, news.tool], []], (tools) =>
              ask(model, { messages, ...(tools.length === 0 ? {} : { tools }) }).pipe(
                Effect.mapError((error) => new Error(`${what}: ${error.message}`))
              )
            )
          ).pipe(Effect.provide(behind()))
        )

        it.effect(`uses tools over two turns, in parallel and with one that fails, ${way}`, () =>
          Effect.gen(function* () {
            const run =
              way === "whole"
                ? yield* model.runTools("How is it?", { tools })
                : yield* Stream.runFold(
                    model.streamTools("How is it?", { tools }),
                    undefined as ChatModel.ToolRun | undefined,
                    (before, event) => (event._tag === "RunFinish" ? event.run : before)
                  )
            assert.deepStrictEqual(
              run?.turns.map(({ results }) =>
                results.map(({ result, isError }) => [result, isError === true])
              ),
              [
                [
                  ["21 degrees in Oslo", false],
                  ["21 degrees in São Paulo", false]
                ],
                [
                  ["no news today", true],
                  ["21 degrees in Bonn", false]
                ],
                []
              ]
            )
            // The vendor saw both results, each as that of its tool.
            const said = run?.response.text.split("\n") ?? []
            assert.match(said[0] ?? "", /^get_news said: .*no news today/)
            assert.strictEqual(said[1], "get_weather said: 21 degrees in Bonn")
            assert.strictEqual(run?.response.finishReason, "stop")
            assert.lengthOf(yield* requests, 3)
          }).pipe(Effect.provide(behind(script(twoTurns))))
        )
      }

      if (can("output")) {
        it.effect(
          `gives a value of a Schema, ${way === "whole" ? "whole" : "and the value as it grows"}`,
          () =>
            Effect.gen(function* () {
              if (way === "whole") {
                const answer = yield* model.chatObject({ schema: Person, prompt: "Who?" })
                assert.deepStrictEqual(answer.object, ada)
                assert.strictEqual(answer.finishReason, "stop")
                return
              }
              const events = [
                ...(yield* Stream.runCollect(model.streamObject({ schema: Person, prompt: "Who?" })))
              ]
              const last = events.at(-1)
              assert.deepStrictEqual(last?._tag === "Object" ? last.object : undefined, ada)
              const partial = events[0]
              assert.strictEqual(partial?._tag, "Partial")
              assert.isTrue(events.slice(0, -1).every(({ _tag }) => _tag === "Partial"))
            }).pipe(Effect.provide(behind(always(value(ada)))))
        )

        it.effect(`sends the Schema along, ${way}`, () =>
          Effect.gen(function* () {
            // Nobody told this model what to say: it fits because the vendor was given the Schema.
            const object =
              way === "whole"
                ? (yield* model.chatObject({ schema: Person, prompt: "Who?" })).object
                : yield* Stream.runFold(
                    model.streamObject({ schema: Person, prompt: "Who?" }),
                    undefined as typeof Person.Type | undefined,
                    (before, event) => (event._tag === "Object" ? event.object : before)
                  )
            assert.isTrue(Either.isRight(Schema.validateEither(Person)(object)))
            assert.include(object?.name, "Who?")
          }).pipe(Effect.provide(behind()))
        )
      }

      const inputs = [
        ["images", "an image by its bytes", imageBytes, "1 image", undefined],
        ["images", "an image by its URL", imageUrl, "1 image", "images by URL"],
        ["files", "a PDF by its bytes", pdfBytes, "1 file", undefined],
        ["files", "a PDF by its URL", pdfUrl, "1 file", "files by URL"]
      ] as const
      for (const [feature, what, messages, seen, byUrl] of inputs) {
        if (!can(feature)) continue
        if (byUrl !== undefined && refuses.includes(byUrl)) {
          it.effect(`${what} is Unsupported before anything is sent, and a list moves on, ${way}`, () =>
            unsupported(model, ask, byUrl, messages, GoogleAiStudio.model("gemini-2.5-flash")).pipe(
              Effect.provide(behind())
            )
          )
        } else {
          it.effect(`sees ${what}, ${way}`, () =>
            Effect.gen(function* () {
              const answer = yield* ask(model, messages)
              assert.strictEqual(answer.text, `You said: What is this? (${seen})`)
            }).pipe(Effect.provide(behind()))
          )
        }
      }

      const { thinks } = row
      if (thinks !== undefined) {
        it.effect(`thinks when it is told to: ${thinks}, ${way}`, () =>
          Effect.gen(function* () {
            const answer = yield* ask(model, { prompt: "hello", reasoningEffort: "high" })
            assert.strictEqual(answer.text, "You said: hello")
            assert.strictEqual(answer.reasoning, thinks.startsWith("aloud") ? "Thinking about: hello" : "")
            if (thinks === "aloud" || thinks === "silently") assert.strictEqual(answer.usage.reasoning, 3)
            else assert.isUndefined(answer.usage.reasoning)
          }).pipe(Effect.provide(behind(undefined, { routedTo: "reasoning" })))
        )
      }

      it.effect(`names its sources${row.cites ? "" : ": its format has none"}, ${way}`, () =>
        Effect.gen(function* () {
          const answer = yield* ask(model, "hello")
          assert.strictEqual(answer.text, "The sky is blue.")
          assert.deepStrictEqual(
            answer.citations.map(({ url }) => url),
            row.cites ? ["https://sky.example"] : []
          )
        }).pipe(
          Effect.provide(
            behind(
              always(text("The sky is blue.", { citations: [{ url: "https://sky.example", title: "Sky" }] }))
            )
          )
        )
      )
    }

    it.effect("begins a stream with who answers, and ends it with one Finish, after usage", () =>
      Effect.gen(function* () {
        const events = [...(yield* Stream.runCollect(model.streamChat("hello")))]
        const tags = events.map(({ _tag }) => _tag)
        assert.strictEqual(tags[0], "Start")
        assert.deepStrictEqual(tags.slice(-2), ["Usage", "Finish"])
        assert.strictEqual(tags.filter((tag) => tag === "Start" || tag === "Finish").length, 2)
      }).pipe(Effect.provide(behind()))
    )
  })
}
