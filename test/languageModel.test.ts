/** Any of our models as a language model of `@effect/ai`: no provider package is in these programs. */
import type * as AiError from "@effect/ai/AiError"
import * as Chat from "@effect/ai/Chat"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Model from "@effect/ai/Model"
import * as Prompt from "@effect/ai/Prompt"
import type * as Response from "@effect/ai/Response"
import * as AiTool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Context,
  Effect,
  Either,
  ExecutionPlan,
  Layer,
  Option,
  Schedule,
  Schema,
  Stream,
  Tracer
} from "effect"
import {
  AiGateway,
  Anthropic,
  AwsBedrock,
  ChatEvent,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  Mistral,
  OpenAi,
  TestModel,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

const providers = Layer.mergeAll(
  OpenAi.layer(),
  Anthropic.layer(),
  GoogleAiStudio.layer(),
  WorkersAi.layer(),
  Mistral.layer(),
  AwsBedrock.layer()
)

const models = {
  openai: OpenAi.model("gpt-4.1-mini"),
  "openai, responses": OpenAi.responsesModel("gpt-5-mini"),
  anthropic: Anthropic.model("claude-sonnet-4-5"),
  "google-ai-studio": GoogleAiStudio.model("gemini-2.5-flash"),
  "workers-ai": WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast"),
  mistral: Mistral.model("mistral-small-latest"),
  "aws-bedrock": AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" })
}

/** Every provider is this one. */
const behind = (upstream: LocalGateway.Upstream) => {
  const upstreams: Record<string, LocalGateway.Upstream> = {}
  for (const { metadata } of Object.values(models)) upstreams[metadata.provider] = upstream
  return Layer.merge(providers, LocalGateway.layerTest({ upstreams }))
}

const Weather = AiTool.make("get_weather", {
  description: "The weather of a city.",
  parameters: { city: Schema.String },
  success: Schema.Struct({ celsius: Schema.Number })
})
const Tools = Toolkit.make(Weather)
const handlers = Tools.toLayer({ get_weather: ({ city }) => Effect.succeed({ celsius: city.length }) })

const noRetries = Schedule.recurs(0)

/** The default tracer, which also tells of each span. */
const tracing = (tell: (span: Tracer.Span) => void) =>
  Layer.unwrapEffect(
    Effect.map(Effect.tracer, (tracer) =>
      Layer.setTracer(
        Tracer.make({
          span(...args) {
            const span = tracer.span(...args)
            tell(span)
            return span
          },
          context: (f, fiber) => tracer.context(f, fiber)
        })
      )
    )
  )

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

const textOf = (parts: ReadonlyArray<{ readonly type: string }>): string =>
  parts.map((part) => ("delta" in part && part.type === "text-delta" ? part.delta : "")).join("")

const typesOf = (parts: ReadonlyArray<{ readonly type: string }>) => parts.map(({ type }) => type)

const Person = Schema.Struct({ name: Schema.String, born: Schema.Date }).annotations({
  identifier: "My Person/1"
})
const ada = { name: "Ada", born: "1815-12-10T00:00:00.000Z" }

describe("its types", () => {
  it("a model's needs are the layer's, and nothing else is", () => {
    const one = GatewayLanguageModel.fromChatModel(
      ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")])
    )
    same<
      typeof one,
      Model.Model<
        "cloudflare-ai-gateway",
        LanguageModel.LanguageModel,
        OpenAi.OpenAi | Anthropic.Anthropic | AiGateway.AiGateway
      >
    >(true)
    same<
      typeof GatewayLanguageModel.layerChatModel,
      Layer.Layer<LanguageModel.LanguageModel, never, ChatModel.ChatModel>
    >(true)
  })
})

type Needs = Layer.Layer.Success<typeof providers> | AiGateway.AiGateway

for (const [name, model] of Object.entries<ChatModel.With<Needs>>(models)) {
  const asModel = GatewayLanguageModel.fromChatModel(model)

  describe(`behind ${name}`, () => {
    it.effect("generateText has the text, why it ended, what it took, and who answered", () =>
      Effect.gen(function* () {
        const response = yield* LanguageModel.generateText({
          prompt: [
            { role: "system", content: "Be brief." },
            { role: "user", content: "Cheese?" }
          ]
        })
        assert.strictEqual(response.text, "Brie or Gouda.")
        assert.strictEqual(response.finishReason, "stop")
        assert.strictEqual(response.usage.inputTokens, 7)
        assert.strictEqual(response.usage.outputTokens, 5)
        const [first] = response.content
        assert(first?.type === "response-metadata")
        assert.isTrue(Option.isSome(first.timestamp))
        assert.strictEqual(first.metadata.aiGateway?.provider, model.metadata.provider)
        const gateway = yield* LocalGateway.Gateway
        assert.strictEqual(first.metadata.aiGateway?.gateway.logId, gateway.logs().at(-1)?.id)
        assert.include(JSON.stringify(gateway.upstreamRequests().at(-1)?.body), "Be brief.")
      }).pipe(
        Effect.provide(asModel),
        Effect.provide(
          behind(
            LocalGateway.script([LocalGateway.text("Brie or Gouda.", { usage: { input: 7, output: 5 } })])
          )
        )
      )
    )

    it.effect("streamText has the same in pieces, and one finish at the end", () =>
      Effect.gen(function* () {
        const parts = yield* collect(LanguageModel.streamText({ prompt: "Cheese?" }))
        const types = typesOf(parts)
        assert.strictEqual(textOf(parts), "Brie or Gouda.")
        assert.deepStrictEqual(types.slice(0, 2), ["response-metadata", "text-start"])
        assert.deepStrictEqual(types.slice(-2), ["text-end", "finish"])
        assert.isAbove(types.filter((type) => type === "text-delta").length, 1)
        const last = parts.at(-1)
        assert(last?.type === "finish")
        assert.strictEqual(last.reason, "stop")
        assert.strictEqual(last.usage.outputTokens, 5)
        assert.strictEqual(last.metadata.aiGateway?.provider, model.metadata.provider)
      }).pipe(
        Effect.provide(asModel),
        Effect.provide(
          behind(
            LocalGateway.script([LocalGateway.text("Brie or Gouda.", { usage: { input: 7, output: 5 } })])
          )
        )
      )
    )

    it.effect("generateObject has the decoded value", () =>
      Effect.gen(function* () {
        const response = yield* LanguageModel.generateObject({ prompt: "Who?", schema: Person })
        assert.deepStrictEqual(response.value, { name: "Ada", born: new Date(ada.born) })
      }).pipe(Effect.provide(asModel), Effect.provide(behind(LocalGateway.script([LocalGateway.value(ada)]))))
    )

    it.effect("a toolkit's tools are called, whole and streamed, and the next turn has their results", () =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        const first = yield* chat.generateText({ prompt: "Oslo?", toolkit: Tools })
        assert.deepStrictEqual(
          first.toolCalls.map(({ name, params }) => [name, params]),
          [["get_weather", { city: "Oslo" }]]
        )
        assert.deepStrictEqual(
          first.toolResults.map(({ result }) => result),
          [{ celsius: 4 }]
        )
        assert.strictEqual(first.finishReason, "tool-calls")
        const streamed = yield* collect(chat.streamText({ prompt: "Bergen?", toolkit: Tools }))
        const types = typesOf(streamed)
        const at = types.indexOf("tool-params-start")
        assert.isAbove(at, 0)
        assert.isAbove(types.indexOf("tool-call"), types.indexOf("tool-params-end"))
        const ids = streamed.flatMap((part) =>
          part.type === "tool-params-start" || part.type === "tool-call" || part.type === "tool-result"
            ? [part.id]
            : []
        )
        assert.lengthOf(ids, 3)
        assert.lengthOf(new Set(ids), 1)
        const last = yield* chat.generateText({ prompt: "So?", toolkit: Tools })
        assert.strictEqual(last.text, "Warmer in Bergen.")
        const gateway = yield* LocalGateway.Gateway
        const sent = JSON.stringify(gateway.upstreamRequests().at(-1)?.body)
        for (const word of ["Oslo", "Bergen", "celsius"]) assert.include(sent, word)
      }).pipe(
        Effect.provide(asModel),
        Effect.provide(handlers),
        Effect.provide(
          behind(
            LocalGateway.script([
              LocalGateway.toolCall("get_weather", { city: "Oslo" }),
              LocalGateway.toolCall("get_weather", { city: "Bergen" }),
              LocalGateway.text("Warmer in Bergen.")
            ])
          )
        )
      )
    )
  })
}

// --- with a scripted model ----------------------------------------------------------------------------------------------

/** A program whose model answers so, and what it was asked. */
const scripted = <A, E, R>(
  replies: ReadonlyArray<TestModel.Reply>,
  program: (test: TestModel.TestModel) => Effect.Effect<A, E, R>
) => {
  const model = TestModel.make(replies)
  return Effect.provide(program(model), GatewayLanguageModel.fromChatModel(model))
}

const callOslo = TestModel.toolCall("get_weather", { city: "Oslo" })

describe("a language model of a ChatModel", () => {
  it.effect("is the ChatModel of the context, if that is wanted", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* LanguageModel.generateText({ prompt: "hi" })).text, "hello")
    }).pipe(Effect.provide(GatewayLanguageModel.layerChatModel), Effect.provide(TestModel.layer(["hello"])))
  )

  it.effect("has a provider's name, as other models do", () =>
    scripted([], () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Model.ProviderName, "cloudflare-ai-gateway")
      })
    )
  )

  it.effect("as an effect has its needs met where it is made, as other models do", () =>
    Effect.gen(function* () {
      const ready = yield* GatewayLanguageModel.fromChatModel(OpenAi.model("gpt-4.1-mini"))
      same<typeof ready, Layer.Layer<LanguageModel.LanguageModel | Model.ProviderName>>(true)
      assert.strictEqual(
        (yield* LanguageModel.generateText({ prompt: "hi" }).pipe(Effect.provide(ready))).text,
        "hello"
      )
    }).pipe(Effect.provide(behind(LocalGateway.script([LocalGateway.text("hello")]))))
  )

  it.effect("says who was asked before, in the metadata of the first part and of the last", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([models.openai, models.anthropic]).pipe(
        ChatModel.retry(noRetries)
      )
      const ask = Effect.provide(
        Effect.all([
          Effect.map(LanguageModel.generateText({ prompt: "hi" }), ({ content }) => content),
          collect(LanguageModel.streamText({ prompt: "hi" }))
        ]),
        GatewayLanguageModel.fromChatModel(list)
      )
      for (const parts of yield* ask) {
        for (const part of [parts[0], parts.at(-1)]) {
          assert(part?.type === "response-metadata" || part?.type === "finish")
          const by = part.metadata.aiGateway
          assert.strictEqual(by?.provider, "anthropic")
          assert.deepStrictEqual(
            by?.attempts.map(({ provider, error }) => [provider, error._tag]),
            [["openai", "ProviderFailure"]]
          )
        }
      }
    }).pipe(
      Effect.provide(
        Layer.merge(
          providers,
          LocalGateway.layerTest({ upstreams: { openai: LocalGateway.always(LocalGateway.status(503)) } })
        )
      )
    )
  )

  it.effect("takes what the model value says, and the gateway options of a region, whole and streamed", () =>
    Effect.gen(function* () {
      const Ai = GatewayLanguageModel.fromChatModel(
        ChatModel.withDefaults(models.openai, { temperature: 0.3, maxTokens: 77, system: "Be brief." })
      )
      yield* LanguageModel.generateText({ prompt: "hi" }).pipe(
        AiGateway.withOptions({ metadata: { team: "whole" } }),
        Effect.provide(Ai)
      )
      yield* LanguageModel.streamText({ prompt: "hi", toolkit: Tools }).pipe(
        Stream.runDrain,
        AiGateway.withOptions({ metadata: { team: "streamed" } }),
        Effect.provide(Ai),
        Effect.provide(handlers)
      )
      const requests = (yield* LocalGateway.Gateway).requests()
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["cf-aig-metadata"]),
        ['{"team":"whole"}', '{"team":"streamed"}']
      )
      for (const { body } of requests) {
        const sent = body as Record<string, unknown>
        assert.strictEqual(sent.temperature, 0.3)
        assert.include(Object.values(sent), 77)
        assert.include(JSON.stringify(sent), "Be brief.")
      }
    }).pipe(Effect.provide(behind(LocalGateway.always(LocalGateway.echo))))
  )

  it.effect("does not take the options of the region in which its layer was built", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(GatewayLanguageModel.fromChatModel(models.openai)).pipe(
        AiGateway.withOptions({ metadata: { team: "builder" } })
      )
      yield* Effect.provide(LanguageModel.generateText({ prompt: "hi" }), context)
      const [request] = (yield* LocalGateway.Gateway).requests()
      assert.isUndefined(request?.headers["cf-aig-metadata"])
    }).pipe(Effect.scoped, Effect.provide(behind(LocalGateway.always(LocalGateway.echo))))
  )

  it.effect("moves on from a leg whose object does not fit", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        TestModel.make(['{"name": 1}']),
        TestModel.make([TestModel.object(ada)])
      ])
      const { value, content } = yield* LanguageModel.generateObject({ prompt: "Who?", schema: Person }).pipe(
        Effect.provide(GatewayLanguageModel.fromChatModel(list))
      )
      assert.strictEqual(value.name, "Ada")
      const last = content.at(-1)
      assert(last?.type === "finish")
      assert.deepStrictEqual(
        last.metadata.aiGateway?.attempts.map(({ error }) => error._tag),
        ["InvalidOutput"]
      )
    })
  )

  it.effect("checks an object with what its Schema needs", () =>
    scripted([TestModel.object({ city: "Atlantis" })], () =>
      Effect.gen(function* () {
        class Atlas extends Context.Tag("Atlas")<Atlas, (city: string) => boolean>() {}
        const City = Schema.Struct({
          city: Schema.String.pipe(
            Schema.filterEffect((city) => Effect.map(Atlas, (knows) => knows(city) || "no such city"))
          )
        })
        const error = yield* LanguageModel.generateObject({ prompt: "Where?", schema: City }).pipe(
          Effect.provideService(Atlas, (city) => city !== "Atlantis"),
          Effect.flip
        )
        assert.strictEqual(error._tag, "MalformedOutput")
        assert.include(String(error.description), "no such city")
      })
    )
  )

  it.effect("tells a model what an object is called in letters that every vendor takes", () =>
    scripted([TestModel.object(ada)], (test) =>
      Effect.gen(function* () {
        yield* LanguageModel.generateObject({ prompt: "Who?", schema: Person, objectName: "My Person/1" })
        assert.strictEqual(test.requests()[0]?.output?.name, "My_Person_1")
      })
    )
  )

  it.effect("offers the toolkit's tools alone, not those of the model's defaults", () =>
    Effect.gen(function* () {
      const test = TestModel.make(["hi", "hi"])
      const own = Tool.make("own_tool")
      const Ai = GatewayLanguageModel.fromChatModel(ChatModel.withDefaults(test, { tools: [own] }))
      yield* LanguageModel.generateText({ prompt: "hi" }).pipe(Effect.provide(Ai))
      yield* LanguageModel.generateText({ prompt: "hi", toolkit: Tools }).pipe(
        Effect.provide(Ai),
        Effect.provide(handlers)
      )
      assert.deepStrictEqual(
        test.requests().map(({ tools }) => tools?.map(({ name }) => name)),
        [[], ["get_weather"]]
      )
    })
  )

  const Time = AiTool.make("get_time")
  const Both = Toolkit.make(Weather, Time)
  const choices = [
    [undefined, "auto", 2],
    ["none", "none", 2],
    ["required", "required", 2],
    [{ tool: "get_time" }, { tool: "get_time" }, 2],
    [{ oneOf: ["get_time"] }, "auto", 1],
    [{ mode: "required", oneOf: ["get_time"] }, "required", 1]
  ] as const
  for (const [toolChoice, choice, tools] of choices) {
    it.effect(`is told to choose tools by ${JSON.stringify(toolChoice) ?? "nothing"}`, () =>
      scripted(["hi"], (test) =>
        Effect.gen(function* () {
          yield* LanguageModel.generateText({
            prompt: "hi",
            toolkit: Both,
            ...(toolChoice === undefined ? undefined : { toolChoice })
          }).pipe(
            Effect.provide(
              Both.toLayer({
                get_weather: () => Effect.succeed({ celsius: 1 }),
                get_time: () => Effect.void
              })
            )
          )
          assert.deepStrictEqual(test.requests()[0]?.toolChoice, choice)
          assert.lengthOf(test.requests()[0]?.tools ?? [], tools)
        })
      )
    )
  }

  it.effect("leaves calls alone with disableToolCallResolution, whole and streamed", () =>
    scripted([callOslo, callOslo], () =>
      Effect.gen(function* () {
        const options = { prompt: "Oslo?", toolkit: Tools, disableToolCallResolution: true } as const
        const whole = yield* LanguageModel.generateText(options)
        const streamed = yield* collect(LanguageModel.streamText(options))
        for (const parts of [whole.content, streamed]) {
          assert.include(typesOf(parts), "tool-call")
          assert.notInclude(typesOf(parts), "tool-result")
        }
      }).pipe(Effect.provide(handlers))
    )
  )

  it.effect("tells the next turn of a tool's failure, where the tool returns failures", () =>
    scripted([callOslo, "No weather then."], (test) =>
      Effect.gen(function* () {
        const Failing = Toolkit.make(
          AiTool.make("get_weather", {
            parameters: { city: Schema.String },
            failure: Schema.Struct({ reason: Schema.String }),
            failureMode: "return"
          })
        )
        const chat = yield* Chat.empty
        const first = yield* chat
          .generateText({ prompt: "Oslo?", toolkit: Failing })
          .pipe(Effect.provide(Failing.toLayer({ get_weather: () => Effect.fail({ reason: "fog" }) })))
        assert.isTrue(first.toolResults[0]?.isFailure)
        yield* chat.generateText({ prompt: [] })
        assert.deepStrictEqual(test.requests()[1]?.messages.at(-1), {
          role: "tool",
          content: [
            {
              type: "tool-result",
              id: "call_0",
              name: "get_weather",
              result: '{"reason":"fog"}',
              isError: true
            }
          ]
        })
      })
    )
  )

  it.effect("lets a tool's typed failure through, where the tool fails", () =>
    scripted([callOslo], () =>
      Effect.gen(function* () {
        class Fog extends Schema.TaggedError<Fog>()("Fog", {}) {}
        const Failing = Toolkit.make(
          AiTool.make("get_weather", { parameters: { city: Schema.String }, failure: Fog })
        )
        const error = yield* LanguageModel.generateText({ prompt: "Oslo?", toolkit: Failing }).pipe(
          Effect.provide(Failing.toLayer({ get_weather: () => Effect.fail(new Fog()) })),
          Effect.flip
        )
        assert.strictEqual(error._tag, "Fog")
      })
    )
  )

  it.effect("can be asked again by one of its own tools", () =>
    scripted([callOslo, "nested", "outer"], (test) =>
      Effect.gen(function* () {
        const Nested = Toolkit.make(
          AiTool.make("get_weather", {
            parameters: { city: Schema.String },
            success: Schema.String,
            dependencies: [LanguageModel.LanguageModel]
          })
        )
        const { toolResults } = yield* LanguageModel.generateText({ prompt: "Oslo?", toolkit: Nested }).pipe(
          Effect.provide(
            Nested.toLayer({
              get_weather: ({ city }) =>
                LanguageModel.generateText({ prompt: `Inner ${city}` }).pipe(
                  Effect.map(({ text }) => text),
                  Effect.orDie
                )
            })
          )
        )
        assert.strictEqual(toolResults[0]?.result, "nested")
        assert.deepStrictEqual(
          test.requests().map(({ messages }) => messages.at(-1)?.content),
          ["Oslo?", "Inner Oslo"]
        )
      })
    )
  )

  it.effect("keeps calls of the turns apart, even if their vendor numbers them anew", () =>
    scripted([callOslo, callOslo, callOslo, "done"], (test) =>
      Effect.gen(function* () {
        const chat = yield* Chat.empty
        yield* chat.generateText({ prompt: "Oslo?", toolkit: Tools })
        yield* chat.generateText({ prompt: "Again?", toolkit: Tools })
        yield* Stream.runDrain(chat.streamText({ prompt: "Again?", toolkit: Tools }))
        yield* chat.generateText({ prompt: "So?" })
        const ids = (test.requests().at(-1)?.messages ?? []).flatMap(({ content }) =>
          typeof content === "string" ? [] : content.flatMap((part) => ("id" in part ? [part.id] : []))
        )
        // One call and one result of each.
        assert.lengthOf(ids, 6)
        assert.lengthOf(new Set(ids), 3)
      }).pipe(Effect.provide(handlers))
    )
  )

  it.effect(
    "gives reasoning with its signature, which a prompt of its parts replays, whole and streamed",
    () =>
      Effect.gen(function* () {
        const thought = { provider: "anthropic", data: { signature: "sig" } }
        const call = {
          type: "tool-call",
          id: "vendors",
          name: "get_weather",
          arguments: '{"city":"Oslo"}'
        } as const
        const events: ReadonlyArray<ChatEvent.ChatEvent> = [
          { _tag: "Start", provider: "anthropic", model: "m", gateway: {}, attempts: [] },
          { _tag: "ReasoningDelta", text: "Hm" },
          { _tag: "ReasoningDelta", text: "." },
          { _tag: "ReasoningOpaque", ...thought },
          { _tag: "TextDelta", text: "Let me look." },
          { _tag: "ToolCallDelta", index: 0, name: call.name, arguments: call.arguments },
          { _tag: "ToolCall", index: 0, id: call.id, name: call.name, arguments: call.arguments },
          { _tag: "Finish", finishReason: "tool-calls", usage: {} }
        ]
        const model = ChatModel.make({
          metadata: { provider: "anthropic", model: "m", supports: [] },
          chat: () => Effect.sync(() => ChatEvent.fold(events)),
          streamChat: () => Stream.fromIterable(events)
        })
        const Ai = GatewayLanguageModel.fromChatModel(model)
        const answers: ReadonlyArray<ReadonlyArray<Response.AnyPart>> = yield* Effect.all([
          Effect.map(
            LanguageModel.generateText({ prompt: "Oslo?", toolkit: Tools }),
            ({ content }): ReadonlyArray<Response.AnyPart> => content
          ),
          collect(LanguageModel.streamText({ prompt: "Oslo?", toolkit: Tools }))
        ]).pipe(Effect.provide(Ai), Effect.provide(handlers))
        for (const parts of answers) {
          const test = TestModel.make(["So."])
          yield* LanguageModel.generateText({
            prompt: Prompt.merge(Prompt.make("Oslo?"), GatewayLanguageModel.fromResponseParts(parts))
          }).pipe(Effect.provide(GatewayLanguageModel.fromChatModel(test)))
          assert.deepStrictEqual(test.requests()[0]?.messages.slice(1), [
            {
              role: "assistant",
              content: [
                { type: "reasoning", text: "Hm.", opaque: thought },
                { type: "text", text: "Let me look." },
                call
              ]
            },
            {
              role: "tool",
              content: [{ type: "tool-result", id: "vendors", name: "get_weather", result: '{"celsius":4}' }]
            }
          ])
        }
      })
  )

  for (const streamed of [false, true]) {
    it.effect(`gives a thought back to who had it and to no other, ${streamed ? "streamed" : "whole"}`, () =>
      Effect.gen(function* () {
        const thinking = {
          ...models,
          anthropic: Anthropic.model("claude-sonnet-4-5", { reasoningEffort: "low" })
        }
        const question = Prompt.make("Oslo?")
        const options = { prompt: question, toolkit: Tools }
        const whole = Effect.map(
          LanguageModel.generateText(options),
          ({ content }): ReadonlyArray<Response.AnyPart> => content
        )
        const pieces: typeof whole = collect(LanguageModel.streamText(options))
        const parts = yield* Effect.provide(
          streamed ? pieces : whole,
          GatewayLanguageModel.fromChatModel(thinking.anthropic)
        )
        const signature = parts.flatMap((part) =>
          part.type === "reasoning" || part.type === "reasoning-end"
            ? [(part.metadata.aiGateway?.opaque.data as { signature: string } | undefined)?.signature]
            : []
        )
        assert.lengthOf(signature, 1)
        const prompt = Prompt.merge(question, GatewayLanguageModel.fromResponseParts(parts))
        // Stored and read again, as a chat's history is.
        const stored = yield* Schema.decode(Prompt.FromJson)(yield* Schema.encode(Prompt.FromJson)(prompt))
        for (const [model, goesBack] of [
          [thinking.anthropic, true],
          [thinking.openai, false]
        ] as const) {
          const { text } = yield* LanguageModel.generateText({ prompt: stored, toolkit: Tools }).pipe(
            Effect.provide(GatewayLanguageModel.fromChatModel<Needs>(model))
          )
          assert.strictEqual(text, "Four degrees.")
          const sent = JSON.stringify((yield* LocalGateway.Gateway).requests().at(-1)?.body)
          assert.strictEqual(sent.includes(String(signature[0])), goesBack)
        }
      }).pipe(
        Effect.provide(handlers),
        Effect.provide(
          Layer.merge(
            providers,
            LocalGateway.layerTest({
              upstreams: {
                anthropic: LocalGateway.script(
                  [
                    LocalGateway.toolCalls([{ name: "get_weather", args: { city: "Oslo" } }], {
                      reasoning: "Hm."
                    })
                  ],
                  LocalGateway.text("Four degrees.")
                ),
                openai: LocalGateway.always(LocalGateway.text("Four degrees."))
              }
            })
          )
        )
      )
    )
  }

  // A `Chat` forgets signatures, and Claude does not think on behind a call whose thought is missing.
  for (const unsupported of ["fail", "drop"] as const) {
    it.effect(
      `a chat that has forgotten the thought of a call ${unsupported === "drop" ? "goes on without" : "is told"}`,
      () =>
        Effect.gen(function* () {
          const chat = yield* Chat.empty
          yield* chat.generateText({ prompt: "Oslo?", toolkit: Tools })
          const next = yield* Effect.either(chat.generateText({ prompt: [], toolkit: Tools }))
          if (Either.isRight(next)) {
            assert.strictEqual(unsupported, "drop")
            assert.strictEqual(next.right.text, "Four degrees.")
          } else {
            assert.strictEqual(unsupported, "fail")
            assert.strictEqual(next.left._tag, "MalformedInput")
            assert.include(String(next.left.cause), 'unsupported: "drop"')
          }
        }).pipe(
          Effect.provide(
            GatewayLanguageModel.fromChatModel(
              Anthropic.model("claude-sonnet-4-5", { reasoningEffort: "low", unsupported })
            )
          ),
          Effect.provide(handlers),
          Effect.provide(
            behind(
              LocalGateway.script([
                LocalGateway.toolCalls([{ name: "get_weather", args: { city: "Oslo" } }], {
                  reasoning: "Hm."
                }),
                LocalGateway.text("Four degrees.")
              ])
            )
          )
        )
    )
  }

  it.effect("shows models images and files, each in its vendor's words", () =>
    Effect.gen(function* () {
      const pixel =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
      const prompt = [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "file", mediaType: "image/*", data: pixel },
            { type: "file", mediaType: "image/png", data: new URL("https://example.com/cat.png") },
            {
              type: "file",
              mediaType: "application/pdf",
              data: new Uint8Array([37, 80, 68, 70]),
              fileName: "a.pdf"
            }
          ]
        }
      ] as const
      for (const model of [
        models.openai,
        models["openai, responses"],
        models.anthropic,
        models["google-ai-studio"]
      ]) {
        yield* LanguageModel.generateText({ prompt }).pipe(
          Effect.provide(GatewayLanguageModel.fromChatModel<Needs>(model))
        )
        const sent = JSON.stringify((yield* LocalGateway.Gateway).requests().at(-1)?.body)
        for (const word of [pixel, "image/png", "https://example.com/cat.png", "JVBERg=="])
          assert.include(sent, word)
      }
    }).pipe(Effect.provide(behind(LocalGateway.always(LocalGateway.echo))))
  )

  it.effect("names its sources, whole and streamed", () =>
    Effect.gen(function* () {
      const whole = (yield* LanguageModel.generateText({ prompt: "hi" })).content
      const streamed = yield* collect(LanguageModel.streamText({ prompt: "hi" }))
      for (const parts of [whole, streamed]) {
        const sources = parts.flatMap((part) =>
          part.type === "source" && part.sourceType === "url" ? [[part.url.href, part.title]] : []
        )
        assert.deepStrictEqual(sources, [["https://example.com/brie", "Brie"]])
      }
    }).pipe(
      Effect.provide(GatewayLanguageModel.fromChatModel(models.anthropic)),
      Effect.provide(
        behind(
          LocalGateway.always(
            LocalGateway.text("Brie is soft.", {
              citations: [{ url: "https://example.com/brie", title: "Brie" }]
            })
          )
        )
      )
    )
  )

  it.effect("shows what it asked and what it got in the spans of @effect/ai", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const seen: Array<string> = []
      const model = TestModel.make([
        TestModel.answer("hi", { usage: { input: 3, output: 4 } }),
        TestModel.answer("hi", { usage: { input: 3, output: 4 } })
      ])
      yield* Effect.all([
        LanguageModel.generateText({ prompt: "hi" }),
        Stream.runDrain(LanguageModel.streamText({ prompt: "hi" }))
      ]).pipe(
        Effect.provide(GatewayLanguageModel.fromChatModel(model)),
        Effect.provide(
          tracing((span) => {
            if (span.name.startsWith("LanguageModel.")) {
              seen.push(span.name)
              spans.push(span)
            }
          })
        )
      )
      assert.deepStrictEqual(seen, ["LanguageModel.generateText", "LanguageModel.streamText"])
      for (const { attributes } of spans) {
        assert.deepInclude(Object.fromEntries(attributes), {
          "gen_ai.system": "test",
          "gen_ai.operation.name": "chat",
          "gen_ai.request.model": "test-model",
          "gen_ai.response.finish_reasons": ["stop"],
          "gen_ai.usage.input_tokens": 3,
          "gen_ai.usage.output_tokens": 4
        })
      }
    })
  )

  it.effect("is a step of an ExecutionPlan of streams, which goes on before the first part", () =>
    Effect.gen(function* () {
      const plan = ExecutionPlan.make(
        { provide: GatewayLanguageModel.fromChatModel(ChatModel.retry(models.openai, noRetries)) },
        { provide: GatewayLanguageModel.fromChatModel(models.anthropic) }
      )
      const parts = yield* collect(Stream.withExecutionPlan(LanguageModel.streamText({ prompt: "hi" }), plan))
      assert.strictEqual(textOf(parts), "from Anthropic")
      assert.strictEqual(parts.filter(({ type }) => type === "finish").length, 1)
    }).pipe(
      Effect.provide(
        Layer.merge(
          providers,
          LocalGateway.layerTest({
            upstreams: {
              openai: LocalGateway.always(LocalGateway.status(503)),
              anthropic: LocalGateway.always(LocalGateway.text("from Anthropic"))
            }
          })
        )
      )
    )
  )

  it.effect("is a step of an ExecutionPlan, which goes on by what its errors say", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const plan = ExecutionPlan.make(
        {
          provide: GatewayLanguageModel.fromChatModel(ChatModel.retry(models.openai, noRetries)),
          attempts: 2,
          while: (error: AiError.AiError) => {
            seen.push(error._tag)
            return error._tag === "HttpResponseError" && error.response.status === 429
          }
        },
        { provide: GatewayLanguageModel.fromChatModel(models.anthropic) }
      )
      const { text } = yield* LanguageModel.generateText({ prompt: "hi" }).pipe(
        Effect.withExecutionPlan(plan)
      )
      assert.strictEqual(text, "from Anthropic")
      assert.deepStrictEqual(seen, ["HttpResponseError", "HttpResponseError"])
    }).pipe(
      Effect.provide(
        Layer.merge(
          providers,
          LocalGateway.layerTest({
            upstreams: {
              openai: LocalGateway.always(LocalGateway.status(429)),
              anthropic: LocalGateway.always(LocalGateway.text("from Anthropic"))
            }
          })
        )
      )
    )
  )
})
