/** Answers that are values of a Schema. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, FastCheck, Layer, Redacted, Schema, Stream } from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  LocalGateway,
  OpenAi,
  TestModel,
  Tool
} from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

/** Compiled, never run. */
const never = (_claim: () => unknown): void => {}

const Invoice = Schema.Struct({
  number: Schema.String,
  due: Schema.Date,
  lines: Schema.Array(Schema.Struct({ text: Schema.String, cents: Schema.Int }))
}).annotations({ identifier: "Invoice", description: "An invoice." })

const encoded = {
  number: "17",
  due: "2026-05-01T00:00:00.000Z",
  lines: [
    { text: "Brie", cents: 350 },
    { text: "Gouda", cents: 420 }
  ]
}
const decoded = { ...encoded, due: new Date(encoded.due) }
const wrong = { ...encoded, lines: [{ text: "Brie", cents: "much" }] }

const live = (options: LocalGateway.Options = {}) =>
  Layer.mergeAll(
    OpenAi.layer(),
    Anthropic.layer(),
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make("local-token")
    })
  ).pipe(Layer.provide(LocalGateway.layer(options)))

describe("the types of an object", () => {
  it("are those of its Schema, and needs of the Schema are needs of the call", () => {
    class Shop extends Context.Tag("Shop")<Shop, { readonly known: (name: string) => boolean }>() {}
    const Product = Schema.String.pipe(
      Schema.filterEffect((name) => Effect.map(Shop, ({ known }) => known(name) || "no such product"))
    )
    const call = ChatModel.chatObject({ schema: Schema.Struct({ product: Product }), prompt: "hi" })
    same<
      typeof call,
      Effect.Effect<
        ChatModel.ObjectResponse<{ readonly product: string }>,
        AiGatewayError.AiGatewayError,
        ChatModel.ChatModel | Shop
      >
    >(true)
    const own = TestModel.make([]).chatObject({ schema: Invoice, prompt: "hi" })
    same<Effect.Effect.Context<typeof own>, never>(true)
    const stream = OpenAi.model("gpt-4.1-mini").streamObject({ schema: Invoice, prompt: "hi" })
    same<
      typeof stream,
      Stream.Stream<
        ChatModel.ObjectEvent<typeof Invoice.Type, typeof Invoice.Encoded>,
        AiGatewayError.AiGatewayError,
        OpenAi.OpenAi | AiGateway.AiGateway
      >
    >(true)
  })

  it("a request for a value says what an answer is by its Schema alone", () => {
    const model = TestModel.make([])
    // @ts-expect-error no Schema
    never(() => model.chatObject({ prompt: "hi" }))
    // @ts-expect-error the form of the answer comes from the Schema
    never(() => model.chatObject({ schema: Invoice, prompt: "hi", output: { name: "a", jsonSchema: {} } }))
    // @ts-expect-error a prompt has no Schema
    never(() => model.chatObject("hi"))
    // @ts-expect-error a JSON Schema is no Schema
    never(() => model.streamObject({ schema: { type: "object" }, prompt: "hi" }))
  })

  it("a partial value may miss anything, at any depth, and has no literals yet", () => {
    type Partial = ChatModel.PartialOf<{
      readonly kind: "a" | "b"
      readonly count: number
      readonly lines: ReadonlyArray<{ readonly text: string }>
      readonly at?: { readonly x: boolean }
      readonly none: null
      readonly any: unknown
    }>
    same<
      Partial,
      {
        readonly kind?: string | undefined
        readonly count?: number | undefined
        readonly lines?: ReadonlyArray<{ readonly text?: string | undefined }> | undefined
        readonly at?: { readonly x?: boolean | undefined } | undefined
        readonly none?: null | undefined
        readonly any?: unknown
      }
    >(true)
  })
})

describe("chatObject", () => {
  it.effect("gives the decoded value, with everything else that an answer has", () =>
    Effect.gen(function* () {
      const model = TestModel.make([TestModel.object(encoded, { usage: { input: 3 } })])
      const answer = yield* model.chatObject({ schema: Invoice, prompt: "Invoice 17", temperature: 0 })
      assert.deepStrictEqual(answer.object, decoded)
      assert.strictEqual(answer.text, JSON.stringify(encoded))
      assert.deepStrictEqual(answer.usage, { input: 3 })
      assert.strictEqual(answer.provider, "test")
      const [request] = model.requests()
      assert.strictEqual(request?.temperature, 0)
      assert.deepStrictEqual(request?.messages, [{ role: "user", content: "Invoice 17" }])
      assert.isFalse("schema" in (request ?? {}))
    })
  )

  it.effect("asks for JSON Schema, by the Schema's name and description, or others", () =>
    Effect.gen(function* () {
      const model = TestModel.make(Array.from({ length: 6 }, () => TestModel.object({ a: "x" })))
      const A = Schema.Struct({ a: Schema.String })
      class Klass extends Schema.Class<Klass>("app/My Class")({ a: Schema.String }) {}
      yield* model.chatObject({ schema: A, prompt: "hi" })
      yield* model.chatObject({
        schema: A.annotations({ identifier: "Ä/B c", description: "D" }),
        prompt: "hi"
      })
      yield* model.chatObject({ schema: Klass, prompt: "hi" })
      yield* model.chatObject({
        schema: A.annotations({ identifier: "Other" }),
        name: "mine",
        description: "My own.",
        prompt: "hi"
      })
      const outputs = model.requests().map(({ output }) => output)
      assert.deepStrictEqual(
        outputs.map((output) => [output?.name, output?.description]),
        [
          ["output", undefined],
          ["_B_c", "D"],
          ["app_My_Class", undefined],
          ["mine", "My own."]
        ]
      )
      for (const output of outputs) {
        assert.deepStrictEqual(output?.jsonSchema.properties, { a: { type: "string" } })
      }
    })
  )

  it.effect("gives an instance where the Schema is a class", () =>
    Effect.gen(function* () {
      class Person extends Schema.Class<Person>("Person")({ name: Schema.String }) {
        get greeting() {
          return `Hello, ${this.name}`
        }
      }
      const answer = yield* TestModel.make([TestModel.object({ name: "Ada" })]).chatObject({
        schema: Person,
        prompt: "Who?"
      })
      assert.strictEqual(answer.object.greeting, "Hello, Ada")
    })
  )

  it.effect("reads a value that stands in a block of Markdown", () =>
    Effect.gen(function* () {
      const text = `\`\`\`json\n${JSON.stringify(encoded, undefined, 2)}\n\`\`\``
      const answer = yield* TestModel.make([text]).chatObject({ schema: Invoice, prompt: "hi" })
      assert.deepStrictEqual(answer.object, decoded)
    })
  )

  it.effect("gives back every value that a Schema can encode", () =>
    Effect.gen(function* () {
      const Any = Schema.Struct({
        text: Schema.String,
        count: Schema.NullOr(Schema.Int),
        items: Schema.Array(Schema.Struct({ at: Schema.Boolean }))
      })
      for (const value of FastCheck.sample(
        FastCheck.record({
          text: FastCheck.string(),
          count: FastCheck.option(FastCheck.integer()),
          items: FastCheck.array(FastCheck.record({ at: FastCheck.boolean() }))
        }),
        50
      )) {
        const model = TestModel.make([TestModel.object(value), TestModel.object(value, { size: 3 })])
        assert.deepStrictEqual((yield* model.chatObject({ schema: Any, prompt: "hi" })).object, value)
        const events = yield* Stream.runCollect(model.streamObject({ schema: Any, prompt: "hi" }))
        assert.deepInclude(Chunk.toReadonlyArray(events).at(-1), { _tag: "Object", object: value })
      }
    })
  )

  it.effect("uses the needs of the Schema that the program has", () =>
    Effect.gen(function* () {
      class Shop extends Context.Tag("Shop")<Shop, { readonly known: (name: string) => boolean }>() {}
      const Product = Schema.String.pipe(
        Schema.filterEffect((name) => Effect.map(Shop, ({ known }) => known(name) || "no such product"))
      )
      const Order = Schema.Struct({ product: Product })
      const order = (...products: ReadonlyArray<string>) =>
        ChatModel.firstSuccessOf([
          TestModel.make(products.slice(0, 1).map((product) => TestModel.object({ product }))),
          TestModel.make(products.slice(1).map((product) => TestModel.object({ product })))
        ])
          .chatObject({ schema: Order, prompt: "hi" })
          .pipe(Effect.provideService(Shop, { known: (name) => name === "Brie" }))
      assert.deepStrictEqual((yield* order("Brie")).object, { product: "Brie" })
      const second = yield* order("Ice", "Brie")
      assert.deepStrictEqual(second.object, { product: "Brie" })
      const error = second.attempts[0]?.error
      assert.isTrue(error?._tag === "InvalidOutput" && error.path === "product")
    })
  )

  it.effect("decodes once, where the answer is judged", () =>
    Effect.gen(function* () {
      let times = 0
      const Counted = Schema.Struct({
        a: Schema.transform(Schema.String, Schema.String, {
          strict: true,
          decode: (text) => {
            times++
            return text
          },
          encode: (text) => text
        })
      })
      const list = ChatModel.firstSuccessOf([
        TestModel.make([new AiGatewayError.RateLimited({ message: "slow down" })]),
        TestModel.make([TestModel.object({ a: "x" })])
      ])
      const answer = yield* list.chatObject({ schema: Counted, prompt: "hi" })
      assert.deepStrictEqual(answer.object, { a: "x" })
      assert.strictEqual(answer.attempts.length, 1)
      assert.strictEqual(times, 1)
    })
  )
})

describe("an answer that is no value of the Schema", () => {
  const errorOf = (reply: TestModel.Reply) =>
    Effect.flip(TestModel.make([reply]).chatObject({ schema: Invoice, prompt: "hi" }))

  it.effect("names the path of the first mistake, and has the text", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(TestModel.object(wrong))
      assert.strictEqual(error._tag, "InvalidOutput")
      if (error._tag !== "InvalidOutput") return
      assert.strictEqual(error.path, "lines[0].cents")
      assert.strictEqual(error.text, JSON.stringify(wrong))
      assert.strictEqual(error.provider, "test")
      assert.include(error.message, "Invoice")
      assert.include(error.message, "lines[0].cents")
    })
  )

  it.effect("may be no JSON, or cut off, or a call of a tool", () =>
    Effect.gen(function* () {
      assert.include((yield* errorOf("Sure! Here it is.")).message, "not JSON")
      assert.include(
        (yield* errorOf(TestModel.answer('{"number":"1', { finishReason: "length" }))).message,
        "limit of tokens"
      )
      const model = TestModel.make([TestModel.toolCall("now", {})])
      const called = yield* Effect.flip(
        model.chatObject({ schema: Invoice, prompt: "hi", tools: [Tool.make("now")] })
      )
      assert.strictEqual(called._tag, "InvalidOutput")
      assert.include(called.message, "calls tools")
    })
  )

  it.effect("is a refusal where the model refused", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(TestModel.answer("", { finishReason: "content-filter" }))
      assert.isTrue(error._tag === "ContentBlocked" && error.stage === "response")
    })
  )

  it.effect("moves a list on, and both attempts are told", () =>
    Effect.gen(function* () {
      const list = (second: TestModel.Reply) =>
        ChatModel.firstSuccessOf([TestModel.make([TestModel.object(wrong)]), TestModel.make([second])])
      const answer = yield* list(TestModel.object(encoded)).chatObject({ schema: Invoice, prompt: "hi" })
      assert.deepStrictEqual(answer.object, decoded)
      assert.deepStrictEqual(
        answer.attempts.map(({ leg, error }) => [leg, error._tag]),
        [[0, "InvalidOutput"]]
      )
      const error = yield* Effect.flip(list("no").chatObject({ schema: Invoice, prompt: "hi" }))
      assert.deepStrictEqual(
        error._tag === "AllProvidersFailed"
          ? error.attempts.map(({ error }) => (error._tag === "InvalidOutput" ? error.path : error._tag))
          : error._tag,
        ["lines[0].cents", ""]
      )
    })
  )

  it.effect("of a model that somebody made by hand moves a list on too", () =>
    Effect.gen(function* () {
      const scripted = TestModel.make([TestModel.object(wrong)])
      const mine = ChatModel.make({
        metadata: scripted.metadata,
        chat: (input) =>
          Effect.map(scripted.chat(stripped(input)), (answer) => ({ ...answer, model: "mine" })),
        streamChat: scripted.streamChat
      })
      const list = ChatModel.firstSuccessOf([mine, TestModel.make([TestModel.object(encoded)])])
      const answer = yield* list.chatObject({ schema: Invoice, prompt: "hi" })
      assert.strictEqual(answer.attempts[0]?.error._tag, "InvalidOutput")
    })
  )

  it.effect("of a model that was wrapped by hand is found as well", () =>
    Effect.gen(function* () {
      const scripted = TestModel.make([TestModel.object(encoded)])
      const wrapped: ChatModel.Service = {
        ...scripted,
        chat: (input) =>
          Effect.map(
            scripted.chat(input),
            (answer): ChatResponse.ChatResponse => ({
              ...answer,
              text: "{}",
              message: { role: "assistant", content: "{}" }
            })
          )
      }
      const error = yield* Effect.flip(wrapped.chatObject({ schema: Invoice, prompt: "hi" }))
      assert.isTrue(error._tag === "InvalidOutput" && error.path === "number")
    })
  )

  it.effect("over the gateway moves on from leg to leg in the same way", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini"),
        OpenAi.model("gpt-4.1"),
        OpenAi.model("gpt-5-mini")
      ])
      const answer = yield* list.chatObject({ schema: Invoice, prompt: "hi" })
      assert.deepStrictEqual(answer.object, decoded)
      assert.deepStrictEqual(
        answer.attempts.map(({ error }) => (error._tag === "InvalidOutput" ? error.path : error._tag)),
        ["lines[0].cents", ""]
      )
    }).pipe(
      Effect.provide(
        live({
          upstreams: {
            openai: LocalGateway.script([
              LocalGateway.text(JSON.stringify(wrong)),
              LocalGateway.text("I would rather not."),
              LocalGateway.text(JSON.stringify(encoded))
            ])
          }
        })
      )
    )
  )
})

describe("a request for a value that is wrong from the start", () => {
  const fieldOf = (request: unknown) =>
    Effect.gen(function* () {
      const model = TestModel.make([])
      const asked = request as ChatModel.ObjectRequest<unknown, unknown, never>
      const whole = yield* Effect.flip(model.chatObject(asked))
      const streamed = yield* Effect.flip(Stream.runDrain(model.streamObject(asked)))
      assert.deepStrictEqual(streamed, whole)
      assert.strictEqual(model.requests().length, 0)
      return whole._tag === "InvalidRequest" ? whole.field : whole._tag
    })

  it.effect("names the Schema that has no JSON Schema", () =>
    Effect.gen(function* () {
      const prompt = "hi"
      const big = Schema.Struct({ n: Schema.BigIntFromSelf })
      assert.strictEqual(yield* fieldOf({ schema: big, prompt }), "schema")
      assert.strictEqual(yield* fieldOf({ schema: Schema.String, prompt }), "schema")
      assert.strictEqual(yield* fieldOf({ schema: Schema.Array(Schema.String), prompt }), "schema")
      assert.strictEqual(yield* fieldOf({ schema: { type: "object" }, prompt }), "schema")
      assert.strictEqual(yield* fieldOf({ prompt }), "schema")
      assert.strictEqual(yield* fieldOf({ schema: Invoice, prompt, name: "my invoice" }), "output.name")
      assert.strictEqual(yield* fieldOf({ schema: Invoice }), "messages")
      assert.strictEqual(yield* fieldOf({ schema: Invoice, prompt, temperature: -1 }), "temperature")
    })
  )
})

describe("streamObject", () => {
  it.effect("gives the value as it grows, then the whole, decoded", () =>
    Effect.gen(function* () {
      const events = yield* ChatModel.streamObject({ schema: Invoice, prompt: "hi" }).pipe(Stream.runCollect)
      assert.deepStrictEqual(
        Array.from(events, (event) => (event._tag === "Partial" ? event.value : event.object)),
        [
          { number: "1" },
          { number: "17" },
          { number: "17", due: "2026-05-01T00:00:00.000Z" },
          { number: "17", due: "2026-05-01T00:00:00.000Z", lines: [{ text: "Br" }] },
          encoded,
          decoded
        ]
      )
      const last = Chunk.toReadonlyArray(events).at(-1)
      assert.strictEqual(last?._tag === "Object" ? last.response.text : undefined, JSON.stringify(encoded))
    }).pipe(
      Effect.provide(
        TestModel.layer([
          TestModel.answer([
            '{"number":"1',
            '7","d',
            'ue":',
            '"2026-05-01T00:00:00.000Z"',
            ',"lines":[{"text":"Br',
            'ie","cents":350},{"text":"Gouda","cents":420}]',
            "}"
          ])
        ])
      )
    )
  )

  it.effect(
    "over the gateway: one value for each read that brought more, however many events were in it",
    () =>
      Effect.gen(function* () {
        const reply = LocalGateway.text(JSON.stringify(encoded), { chunks: 4 })
        const events = (rechunked: LocalGateway.Reply) =>
          OpenAi.model("gpt-4.1-mini")
            .streamObject({ schema: Invoice, prompt: "hi" })
            .pipe(
              Stream.runCollect,
              Effect.map(Chunk.toReadonlyArray),
              Effect.provide(live({ upstreams: { openai: LocalGateway.script([rechunked]) } }))
            )
        const many = yield* events(reply)
        const few = yield* events(LocalGateway.rechunk(1_000_000)(reply))
        assert.isAbove(many.length, 10)
        assert.isBelow(few.length, 5)
        for (const all of [many, few]) {
          assert.deepInclude(all.at(-1), { _tag: "Object", object: decoded })
          assert.deepStrictEqual(all.at(-2), { _tag: "Partial", value: encoded })
        }
      })
  )

  it.effect("a value that does not fit was shown: the stream is broken, by the mistake and its path", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const error = yield* TestModel.make([TestModel.object(wrong)])
        .streamObject({ schema: Invoice, prompt: "hi" })
        .pipe(
          Stream.runForEach((event) => Effect.sync(() => seen.push(event._tag))),
          Effect.flip
        )
      assert.isTrue(seen.length > 0 && seen.every((tag) => tag === "Partial"))
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag !== "StreamBroken") return
      assert.isTrue(error.cause._tag === "InvalidOutput" && error.cause.path === "lines[0].cents")
      assert.strictEqual(error.delivered.text, JSON.stringify(wrong))
    })
  )

  it.effect("a stream that breaks by itself is broken as every other, behind what it gave", () =>
    Effect.gen(function* () {
      const events: Array<unknown> = []
      const error = yield* TestModel.make([TestModel.broken(['{"number":"1'])])
        .streamObject({ schema: Invoice, prompt: "hi" })
        .pipe(
          Stream.runForEach((event) => Effect.sync(() => events.push(event))),
          Effect.flip
        )
      assert.deepStrictEqual(events, [{ _tag: "Partial", value: { number: "1" } }])
      assert.strictEqual(AiGatewayError.lastCause(error)._tag, "TransportFailure")
    })
  )

  it.effect("a leg that fails before it gives anything is left", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        TestModel.make([new AiGatewayError.RateLimited({ message: "slow down" })]),
        TestModel.make([TestModel.object(encoded)])
      ])
      const last = yield* Stream.runLast(list.streamObject({ schema: Invoice, prompt: "hi" }))
      assert.isTrue(
        last._tag === "Some" && last.value._tag === "Object" && last.value.response.attempts.length === 1
      )
    })
  )

  it.effect("reads a value that stands in a block of Markdown", () =>
    Effect.gen(function* () {
      const model = TestModel.make([
        TestModel.answer([
          "``",
          "`json\n",
          '{"number":"1"',
          ',"due":"2026-05-01T00:00:00Z","lines":[]}',
          "\n```"
        ])
      ])
      const events = yield* Stream.runCollect(model.streamObject({ schema: Invoice, prompt: "hi" }))
      assert.deepStrictEqual(
        Array.from(events, ({ _tag }) => _tag),
        ["Partial", "Partial", "Object"]
      )
    })
  )

  it.effect("each run of it is a request of its own", () =>
    Effect.gen(function* () {
      const model = TestModel.make([TestModel.object(encoded), TestModel.object(encoded)])
      const stream = model.streamObject({ schema: Invoice, prompt: "hi" })
      const first = yield* Stream.runCollect(stream)
      const second = yield* Stream.runCollect(stream)
      assert.deepStrictEqual(Chunk.toReadonlyArray(first), Chunk.toReadonlyArray(second))
      assert.strictEqual(model.requests().length, 2)
    })
  )
})

describe("over a real socket", () => {
  it.live(
    "a value is shown while the model still writes, and a reader who has seen enough closes the connection",
    () =>
      Effect.gen(function* () {
        const gateway = LocalGateway.make({
          upstreams: {
            openai: LocalGateway.script([
              LocalGateway.text(JSON.stringify(encoded), { chunks: 8, delay: "20 millis" }),
              LocalGateway.stallAfter(4)(LocalGateway.text(JSON.stringify(encoded), { chunks: 8 }))
            ])
          }
        })
        const { baseUrl } = yield* LocalGatewayServer.start(gateway)
        const provided = yield* Layer.build(
          Layer.merge(
            OpenAi.layer(),
            AiGateway.layer({
              accountId: "local-account",
              gatewayId: "local-gateway",
              token: Redacted.make("local-token"),
              baseUrl
            })
          ).pipe(Layer.provide(NodeHttpClient.layerUndici))
        )
        const stream = OpenAi.model("gpt-4.1-mini").streamObject({ schema: Invoice, prompt: "hi" })
        const whole = yield* Effect.provide(Stream.runCollect(stream), provided)
        assert.isAbove(whole.length, 3)
        assert.deepInclude(Chunk.toReadonlyArray(whole).at(-1), { _tag: "Object", object: decoded })
        const first = yield* Effect.provide(Stream.runHead(stream), provided)
        assert.isTrue(first._tag === "Some" && first.value._tag === "Partial")
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => gateway.inFlight() === 0, times: 400 })
        assert.deepStrictEqual(
          gateway.requests().map(({ aborted }) => aborted),
          [false, true]
        )
      }).pipe(Effect.scoped)
  )
})

describe("a value that tools lead to", () => {
  it.effect("is judged when the model has done with the tools, and not before", () =>
    Effect.gen(function* () {
      const Now = Tool.make("now").pipe(Tool.handle(() => Effect.succeed("noon")))
      const output: ChatRequest.Output = {
        name: "answer",
        jsonSchema: { type: "object", properties: {} },
        check: Schema.decodeUnknown(Schema.Struct({ at: Schema.String }))
      }
      const run = (last: string) =>
        ChatModel.firstSuccessOf([TestModel.make([TestModel.toolCall("now", {}), last])]).runTools(
          { prompt: "hi", output },
          { tools: [Now] }
        )
      assert.strictEqual((yield* run('{"at":"noon"}')).turns.length, 2)
      const error = yield* Effect.flip(run('{"at":12}'))
      assert.strictEqual(error._tag, "AllProvidersFailed")
    })
  )
})

const stripped = (input: ChatRequest.Input): ChatRequest.Input =>
  typeof input === "object" && "output" in input ? { ...input, output: undefined } : input
