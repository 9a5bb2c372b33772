/** What goes wrong behind a language model of `@effect/ai`: typed there, and ours is its cause. */
import * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as AiTool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Duration, Effect, Layer, Option, Redacted, Schedule, Schema, Stream } from "effect"
import {
  AiGatewayError,
  Anthropic,
  ChatEvent,
  ChatModel,
  LocalGateway,
  OpenAi,
  TestModel
} from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
import { toAiError } from "../src/internal/ai/aiError.js"

const place = { module: "GatewayLanguageModel", method: "generateText" } as const

const message = "what happened"

/** One of each of our errors, and what it is there. */
const rows: ReadonlyArray<readonly [AiGatewayError.LegError, AiError.AiError["_tag"]]> = [
  [new AiGatewayError.GatewayNotFound({ message, status: 400 }), "HttpResponseError"],
  [new AiGatewayError.Unauthorized({ message, source: "provider", status: 401 }), "HttpResponseError"],
  [new AiGatewayError.Unauthorized({ message, source: "provider" }), "UnknownError"],
  [new AiGatewayError.BadRequest({ message, status: 422 }), "HttpResponseError"],
  [new AiGatewayError.BadRequest({ message }), "MalformedInput"],
  [new AiGatewayError.ModelNotFound({ message, status: 404 }), "HttpResponseError"],
  [new AiGatewayError.ContextLengthExceeded({ message }), "MalformedInput"],
  [new AiGatewayError.RateLimited({ message, status: 429 }), "HttpResponseError"],
  [new AiGatewayError.QuotaExceeded({ message, status: 402 }), "HttpResponseError"],
  [
    new AiGatewayError.ContentBlocked({ message, status: 424, stage: "prompt", by: "guardrails" }),
    "HttpResponseError"
  ],
  [new AiGatewayError.ContentBlocked({ message, stage: "response", by: "provider" }), "UnknownError"],
  [new AiGatewayError.ProviderFailure({ message, status: 503 }), "HttpResponseError"],
  // An error inside a 200.
  [new AiGatewayError.ProviderFailure({ message, status: 200 }), "UnknownError"],
  [new AiGatewayError.ModelTimeout({ message, phase: "total" }), "UnknownError"],
  [new AiGatewayError.ModelTimeout({ message, phase: "provider", status: 408 }), "HttpResponseError"],
  [new AiGatewayError.TransportFailure({ message }), "HttpRequestError"],
  [new AiGatewayError.MalformedResponse({ message, status: 200, excerpt: "<" }), "MalformedOutput"],
  [new AiGatewayError.Unsupported({ message, feature: "topK" }), "MalformedInput"],
  [new AiGatewayError.InvalidRequest({ message, field: "messages" }), "MalformedInput"],
  [
    new AiGatewayError.InvalidToolCall({ message, tool: "look", id: "a", arguments: "{", path: "" }),
    "MalformedOutput"
  ],
  [new AiGatewayError.InvalidOutput({ message, text: "{", path: "" }), "MalformedOutput"],
  [
    new AiGatewayError.ResumeFailed({ message, reason: "expired", runId: "r", from: 1, reconnects: 2 }),
    "UnknownError"
  ]
]

describe("an error of ours", () => {
  for (const [error, tag] of rows) {
    const name = `${error._tag}${error.status === undefined ? "" : ` of status ${error.status}`}`

    it(`${name} is a ${tag}, with our words, and is its cause`, () => {
      const there = toAiError(error, place)
      assert.strictEqual(there._tag, tag)
      assert.isTrue(AiError.isAiError(there))
      assert.strictEqual(there.cause, error)
      assert.strictEqual(there.description, message)
      assert.deepInclude({ ...there }, place)
      if (there._tag === "HttpResponseError") assert.strictEqual(there.response.status, error.status)
      if (there._tag === "HttpRequestError") assert.strictEqual(there.reason, "Transport")
      // No URL is made up.
      if ("request" in there) assert.strictEqual(there.request.url, "")
    })

    it(`${name} is of the same kind as the last of a list, and as what broke a stream`, () => {
      const attempt = {
        leg: 0,
        provider: "openai",
        model: "m",
        error: new AiGatewayError.ModelNotFound({ message: "first", status: 404 }),
        duration: Duration.millis(1)
      }
      const all = new AiGatewayError.AllProvidersFailed({
        message: "both failed",
        attempts: [attempt, { ...attempt, leg: 1, error }]
      })
      const broken = new AiGatewayError.StreamBroken({
        message: "it broke",
        delivered: { text: "Br", reasoning: "", events: 2 },
        cause: error
      })
      for (const whole of [all, broken]) {
        const there = toAiError(whole, place)
        assert.strictEqual(there._tag, tag)
        assert.strictEqual(there.cause, whole)
        assert.strictEqual(there.description, whole.message)
      }
    })
  }

  it("of no attempts at all is unknown", () => {
    const none = new AiGatewayError.AllProvidersFailed({ message: "nobody", attempts: [] })
    assert.strictEqual(toAiError(none, place)._tag, "UnknownError")
  })

  it("has the headers that it remembers: how long to wait, and the log", () => {
    const there = toAiError(
      new AiGatewayError.RateLimited({
        message,
        status: 429,
        retryAfter: Duration.millis(1500),
        logId: "log"
      }),
      place
    )
    assert(there._tag === "HttpResponseError")
    assert.deepStrictEqual(there.response.headers, { "retry-after": "2", "cf-aig-log-id": "log" })
  })

  it("can be encoded with @effect/ai's own Schema", () => {
    for (const [error] of rows) {
      const encoded = Schema.encodeSync(AiError.AiError)(toAiError(error, place))
      assert.strictEqual(Schema.decodeSync(AiError.AiError)(encoded)._tag, toAiError(error, place)._tag)
    }
  })
})

const fails = <A, E, R>(effect: Effect.Effect<A, E, R>, replies: ReadonlyArray<TestModel.Reply>) =>
  effect.pipe(Effect.flip, Effect.provide(GatewayLanguageModel.fromChatModel(TestModel.make(replies))))

const Weather = AiTool.make("get_weather", { parameters: { city: Schema.String } })
const Tools = Toolkit.make(Weather)
const handlers = Tools.toLayer({ get_weather: () => Effect.void })

describe("a call that cannot be made", () => {
  it.effect("names the part of the prompt, and nothing is sent", () =>
    Effect.gen(function* () {
      const test = TestModel.make([])
      const prompt = [
        { role: "user", content: "Look:" },
        { role: "assistant", content: [{ type: "file", mediaType: "image/png", data: "AAAA" }] }
      ] as const
      const ask = LanguageModel.generateText({ prompt })
      const stream = Stream.runDrain(LanguageModel.streamText({ prompt }))
      for (const error of yield* Effect.all([Effect.flip(ask), Effect.flip(stream)]).pipe(
        Effect.provide(GatewayLanguageModel.fromChatModel(test))
      )) {
        assert.strictEqual(error._tag, "MalformedInput")
        assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "InvalidRequest")
        assert.strictEqual(error.cause.field, "messages[1].content[0]")
      }
      assert.lengthOf(test.requests(), 0)
    })
  )

  it.effect("with data that is not base64 names it, without quoting it", () =>
    Effect.gen(function* () {
      const error = yield* fails(
        LanguageModel.generateText({
          prompt: [
            { role: "user", content: [{ type: "file", mediaType: "application/pdf", data: "not base64!" }] }
          ]
        }),
        []
      )
      assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "InvalidRequest")
      assert.strictEqual(error.cause.field, "messages[0].content[0].source.data")
      assert.notInclude(String(error.description), "not base64!")
    })
  )

  it.effect("because there is no prompt is MalformedInput", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* fails(LanguageModel.generateText({ prompt: [] }), []))._tag,
        "MalformedInput"
      )
    })
  )

  it.effect("because its Schema has no JSON Schema says so", () =>
    Effect.gen(function* () {
      const error = yield* fails(
        LanguageModel.generateObject({ prompt: "hi", schema: Schema.Struct({ at: Schema.DateFromSelf }) }),
        []
      )
      assert.strictEqual(error._tag, "MalformedInput")
      assert.include(String(error.description), "schema")
    })
  )

  it.effect("with a provider's own tool says whose package has it", () =>
    Effect.gen(function* () {
      const Search = AiTool.providerDefined({
        id: "openai.web_search",
        toolkitName: "OpenAiWebSearch",
        providerName: "web_search",
        args: {}
      })
      const error = yield* fails(
        LanguageModel.generateText({ prompt: "hi", toolkit: Toolkit.make(Search({})) }),
        []
      )
      assert.strictEqual(error._tag, "MalformedInput")
      assert.include(String(error.description), "@effect/ai-openai")
    })
  )

  it.effect("with no tools left to choose from is MalformedInput", () =>
    Effect.gen(function* () {
      const error = yield* fails(
        LanguageModel.generateText({
          prompt: "hi",
          toolkit: Tools,
          toolChoice: { mode: "required", oneOf: [] }
        }).pipe(Effect.provide(handlers)),
        []
      )
      assert.strictEqual(error._tag, "MalformedInput")
    })
  )
})

describe("an answer that is wrong", () => {
  it.effect("a call whose arguments are not JSON, whole and streamed, behind what came before it", () =>
    Effect.gen(function* () {
      const reply = TestModel.toolCall("get_weather", '{"city": "Os', { text: "Let me look." })
      const options = { prompt: "Oslo?", toolkit: Tools, disableToolCallResolution: true } as const
      const seen: Array<string> = []
      const stream = LanguageModel.streamText(options).pipe(
        Stream.runForEach(({ type }) => Effect.sync(() => seen.push(type)))
      )
      for (const ask of [LanguageModel.generateText(options), stream]) {
        const error = yield* fails(Effect.provide(ask, handlers), [reply])
        assert.strictEqual(error._tag, "MalformedOutput")
        assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "InvalidToolCall")
        assert.strictEqual(error.cause.arguments, '{"city": "Os')
      }
      assert.include(seen, "text-delta")
      assert.strictEqual(seen.at(-1), "tool-params-end")
    })
  )

  it.effect("in the same read as text: the text is delivered first", () =>
    Effect.gen(function* () {
      const events = Chunk.fromIterable<ChatEvent.ChatEvent>([
        { _tag: "Start", provider: "p", model: "m", gateway: {}, attempts: [] },
        { _tag: "TextDelta", text: "Let me look." },
        { _tag: "ToolCall", index: 0, id: "a", name: "get_weather", arguments: "{" }
      ])
      const model = ChatModel.make({
        metadata: { provider: "p", model: "m", supports: [] },
        chat: () => Effect.sync(() => ChatEvent.fold(events)),
        streamChat: () => Stream.fromChunk(events)
      })
      const seen: Array<string> = []
      yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
        Stream.runForEach((part) => Effect.sync(() => part.type === "text-delta" && seen.push(part.delta))),
        Effect.flip,
        Effect.provide(GatewayLanguageModel.fromChatModel(model))
      )
      assert.deepStrictEqual(seen, ["Let me look."])
    })
  )

  it.effect("a stream that breaks fails with what broke it, behind what came", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* fails(
        LanguageModel.streamText({ prompt: "hi" }).pipe(
          Stream.runForEach((part) =>
            Effect.sync(() => seen.push(part.type === "text-delta" ? part.delta : part.type))
          )
        ),
        [TestModel.broken(["Brie", " or"])]
      )
      assert.strictEqual(error._tag, "HttpRequestError")
      assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "StreamBroken")
      assert.strictEqual(error.cause.delivered.text, "Brie or")
      assert.deepStrictEqual(seen, ["response-metadata", "text-start", "Brie", " or"])
    })
  )

  it.effect("a model that refuses an object says so", () =>
    Effect.gen(function* () {
      const error = yield* LanguageModel.generateObject({
        prompt: "hi",
        schema: Schema.Struct({ name: Schema.String })
      }).pipe(Effect.provide(GatewayLanguageModel.fromChatModel(OpenAi.model("gpt-4.1-mini"))), Effect.flip)
      assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "ContentBlocked")
      assert.include(String(error.description), "I won't.")
    }).pipe(
      Effect.provide(
        Layer.merge(
          OpenAi.layer(),
          LocalGateway.layerTest({
            upstreams: { openai: LocalGateway.always(LocalGateway.refusal("I won't.")) }
          })
        )
      )
    )
  )
})

describe("errors of a gateway", () => {
  it.effect("have no credential in them, however they are shown", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5")
      ])
      const error = yield* LanguageModel.generateText({ prompt: "hi" }).pipe(
        Effect.provide(GatewayLanguageModel.fromChatModel(ChatModel.retry(list, Schedule.recurs(0)))),
        Effect.flip
      )
      assert(error._tag === "HttpResponseError")
      assert.strictEqual(error.response.status, 401)
      assert(AiGatewayError.isAiGatewayError(error.cause) && error.cause._tag === "AllProvidersFailed")
      assert.lengthOf(error.cause.attempts, 2)
      assert.isTrue(Option.isNone(error.request.hash))
      for (const text of [
        JSON.stringify(error),
        String(error),
        error.message,
        String(error.stack),
        JSON.stringify(error.cause)
      ])
        assert.notMatch(text, /sk-secret|sk-ant-secret|local-token/)
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          OpenAi.layer({ apiKey: Redacted.make("sk-secret") }),
          Anthropic.layer({ apiKey: Redacted.make("sk-ant-secret") }),
          LocalGateway.layerTest({
            upstreams: {
              openai: LocalGateway.always(
                LocalGateway.status(401, { message: "Incorrect API key: sk-secret" })
              ),
              anthropic: LocalGateway.always(
                LocalGateway.status(401, { message: "bad x-api-key sk-ant-secret" })
              )
            }
          })
        )
      )
    )
  )
})
