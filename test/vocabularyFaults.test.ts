/**
 * What is wrong is told by a typed error that names the place: in a request before anything is sent, in a vendor's answer
 * wherever it is. What was delivered by then stays delivered.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schedule, Schema, Stream } from "effect"
import {
  AiGatewayError,
  Anthropic,
  AwsBedrock,
  type ChatEvent,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  Cohere,
  DeepSeek,
  GoogleAiStudio,
  Groq,
  LocalGateway,
  Message,
  Mistral,
  OpenAi,
  OpenRouter,
  Perplexity,
  Tool,
  WorkersAi
} from "effect-ai-gateway"
import { behind, type Needs } from "./vocabularyModels.js"

const { always, handler, raw, text, toolCall, toolCalls, value } = LocalGateway

const once = ChatModel.retry(Schedule.recurs(0))

interface Format {
  readonly model: ChatModel.With<Needs>
  /** Where an answer without anything is wrong. */
  readonly empty: RegExp
}

const formats: Readonly<Record<string, Format>> = {
  "OpenAI's chat": { model: OpenAi.model("gpt-4.1-mini"), empty: /choices/ },
  "OpenAI's Responses": { model: OpenAi.responsesModel("gpt-5-mini"), empty: /output/ },
  "Anthropic's": { model: Anthropic.model("claude-sonnet-4-5"), empty: /content/ },
  "Google's": { model: GoogleAiStudio.model("gemini-2.5-flash"), empty: /candidates/ },
  "Bedrock's": { model: AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" }), empty: /output/ },
  "Cohere's": { model: Cohere.model("command-a-03-2025"), empty: /message/ },
  "Workers AI's": { model: WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast"), empty: /response/ },
  "Mistral's": { model: Mistral.model("mistral-small-latest"), empty: /choices/ },
  "Groq's": { model: Groq.model("openai/gpt-oss-20b"), empty: /choices/ },
  "DeepSeek's": { model: DeepSeek.model("deepseek-chat"), empty: /choices/ },
  "OpenRouter's": { model: OpenRouter.model("openai/gpt-4.1-mini"), empty: /choices/ }
}

const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
const asked = { prompt: "Oslo?", tools: [Weather] }
const said = toolCalls([{ name: "get_weather", args: { city: "Oslo" } }], { text: "Let me see, please." })

// --- answers as the vendor gives them, to be damaged ------------------------------------------------------------------

/** The bytes that a vendor answers with, as LocalGateway has them. */
const recorded = (model: ChatModel.With<Needs>, stream: boolean, reply = said) =>
  Effect.gen(function* () {
    const gateway = yield* LocalGateway.Gateway
    yield* stream ? Stream.runDrain(model.streamChat(asked)) : model.chat(asked)
    const request = gateway.requests()[0]
    if (request === undefined) return yield* Effect.dieMessage("nothing was sent")
    const { method, url, headers, body } = request
    return yield* Effect.promise(async () => {
      const response = await gateway.handle(new Request(url, { method, headers, body: JSON.stringify(body) }))
      return {
        type: response.headers.get("content-type") ?? "",
        bytes: new Uint8Array(await response.arrayBuffer())
      }
    })
  }).pipe(Effect.provide(behind(always(reply))))

/** A gateway whose next answer can be changed at any time. */
const changing = (slug: string) => {
  let next: LocalGateway.Reply = text("")
  return {
    answer: (reply: LocalGateway.Reply) => {
      next = reply
    },
    layer: behind(always(text("saved")), { upstreams: { [slug]: handler(() => next) } })
  }
}

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const isObject = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json)

const withAt = <A>(items: ReadonlyArray<A>, at: number, other: A): ReadonlyArray<A> =>
  items.map((item, place) => (place === at ? other : item))

/** The same with unknown fields in each object. */
const withMore = (json: Json): Json => {
  if (Array.isArray(json)) return json.map(withMore)
  if (!isObject(json)) return json
  const more: Record<string, Json> = { unheard_of: { a: null, b: [1] }, p: "abcdef" }
  for (const [key, value] of Object.entries(json))
    more[key] = ["args", "arguments", "input"].includes(key) ? value : withMore(value)
  return more
}

/** Every way in which one value of it may be missing, null, or something else. */
function* damaged(json: Json): Generator<readonly [damage: string, json: Json]> {
  if (Array.isArray(json)) {
    for (const [at, item] of json.entries())
      for (const [damage, other] of [["null", null], ["7", 7], ...damaged(item)] as const)
        yield [`[${at}] ${damage}`, withAt(json, at, other)]
    yield ["[]", []]
  } else if (isObject(json)) {
    for (const [key, value] of Object.entries(json)) {
      const { [key]: _, ...rest } = json
      yield [`${key} missing`, rest]
      for (const other of [null, 7, "other", true, [], {}, [null]])
        yield [`${key} = ${JSON.stringify(other)}`, { ...json, [key]: other }]
      for (const [damage, inner] of damaged(value)) yield [`${key}.${damage}`, { ...json, [key]: inner }]
    }
  }
}

const seen = ({ text, toolCalls, finishReason, usage }: ChatResponse.ChatResponse) => ({
  text,
  calls: toolCalls.map(({ name, arguments: args }) => [name, args]),
  finishReason,
  usage
})

const json = (value: Json) => raw({ body: JSON.stringify(value) })

for (const [name, { model, empty }] of Object.entries(formats)) {
  const { provider } = model.metadata

  describe(`a whole answer in ${name} format`, () => {
    const whole = Effect.map(
      recorded(model, false),
      ({ bytes }): Json => JSON.parse(new TextDecoder().decode(bytes))
    )

    it.effect("with unknown fields everywhere is read as it is without", () =>
      Effect.gen(function* () {
        const body = yield* whole
        const { answer, layer } = changing(provider)
        yield* Effect.gen(function* () {
          answer(json(body))
          const plain = yield* model.chat(asked)
          // Cohere says it as its plan.
          assert.strictEqual(plain.text + plain.reasoning, "Let me see, please.")
          assert.lengthOf(plain.toolCalls, 1)
          answer(json(withMore(body)))
          assert.deepStrictEqual(seen(yield* model.chat(asked)), seen(plain))
        }).pipe(Effect.provide(layer))
      })
    )

    it.effect("with a value missing, null or of another kind is read, or is a typed error", () =>
      Effect.gen(function* () {
        const body = yield* whole
        const { answer, layer } = changing(provider)
        let failures = 0
        yield* Effect.forEach(damaged(body), ([damage, other]) =>
          Effect.gen(function* () {
            answer(json(other))
            const exit = yield* Effect.exit(once(model).chat(asked))
            if (Exit.isSuccess(exit)) {
              assert.isString(exit.value.text, damage)
              return
            }
            failures++
            const error = Cause.squash(exit.cause)
            assert.isTrue(AiGatewayError.isAiGatewayError(error), `${damage}: ${Cause.pretty(exit.cause)}`)
          })
        ).pipe(Effect.provide(layer))
        assert.isAbove(failures, 3)
      })
    )

    it.effect(
      "that holds nothing is MalformedResponse, which names what is missing, and a list moves on",
      () => {
        const { answer, layer } = changing(provider)
        answer(json({}))
        return Effect.gen(function* () {
          const error = yield* Effect.flip(once(model).chat(asked))
          if (error._tag !== "MalformedResponse") return assert.fail(`${error._tag}: ${error.message}`)
          assert.match(error.message, empty)
          assert.strictEqual(error.excerpt, "{}")
          const next = provider === "perplexity-ai" ? OpenAi.model("gpt-4.1-mini") : Perplexity.model("sonar")
          const saved = yield* ChatModel.firstSuccessOf([model, next]).chat("hello")
          assert.strictEqual(saved.text, "saved")
          assert.strictEqual(saved.attempts[0]?.error._tag, "MalformedResponse")
        }).pipe(Effect.provide(layer))
      }
    )
  })

  // --- streams ----------------------------------------------------------------------------------------------------------

  describe(`a stream in ${name} format`, () => {
    const frames = Effect.map(recorded(model, true), ({ type, bytes }) => ({
      type,
      frames: type.startsWith("application/vnd.amazon") ? binaryFrames(bytes) : events(bytes)
    }))

    /** What was delivered of it, and how it ended; another leg stands behind it. */
    const outcome = Effect.suspend(() => {
      const delivered: Array<ChatEvent.ChatEvent> = []
      return ChatModel.firstSuccessOf([model, Perplexity.model("sonar", { unsupported: "drop" })]).pipe(
        once,
        (list) => list.streamChat(asked),
        Stream.runForEach((event) => Effect.sync(() => delivered.push(event))),
        Effect.either,
        Effect.map((end) => ({
          end,
          delivered,
          text: textOf(delivered, "TextDelta"),
          reasoning: textOf(delivered, "ReasoningDelta")
        }))
      )
    })

    const judged = (
      damage: (frames: ReadonlyArray<Uint8Array>, at: number) => ReadonlyArray<Uint8Array>,
      cause: AiGatewayError.LegError["_tag"],
      says: RegExp
    ) =>
      Effect.gen(function* () {
        const { type, frames: good } = yield* frames
        const { answer, layer } = changing(provider)
        const ends = { saved: 0, broken: 0, whole: 0 }
        for (const at of good.keys()) {
          answer(raw({ headers: { "content-type": type }, body: damage(good, at) }))
          const { end, delivered, text, reasoning } = yield* Effect.provide(outcome, layer)
          const start = delivered[0]
          if (end._tag === "Left") {
            const error = end.left
            if (error._tag !== "StreamBroken") return assert.fail(`${at}: ${error._tag}: ${error.message}`)
            assert.strictEqual(error.cause._tag, cause, `${at}: ${error.cause.message}`)
            assert.match(error.cause.message, says)
            // What was delivered stays, and it is told.
            assert.isNotEmpty(delivered)
            assert.deepStrictEqual(error.delivered, { text, reasoning, events: delivered.length })
            ends.broken++
          } else if (start?._tag === "Start" && start.attempts.length > 0) {
            assert.strictEqual(text, "saved")
            assert.deepStrictEqual(
              start.attempts.map(({ error }) => error._tag),
              [cause]
            )
            ends.saved++
          } else {
            // Only what comes behind the end may be missing, or be nonsense.
            assert.strictEqual(text + reasoning, "Let me see, please.")
            assert.strictEqual(delivered.filter(({ _tag }) => _tag === "ToolCall").length, 1)
            ends.whole++
          }
        }
        assert.isAbove(ends.saved, 0)
        assert.isAbove(ends.broken, 2)
        assert.isAtMost(ends.whole, 3)
      })

    it.effect(
      "with an event that cannot be read: the next leg, or StreamBroken with what was delivered",
      () =>
        judged(
          (good, at) => withAt(good, at, spoilt(good[at] ?? new Uint8Array())),
          "MalformedResponse",
          name === "Bedrock's" ? /checksum/i : /JSON/
        )
    )

    it.effect("that is cut off after any event: the next leg, or StreamBroken with what was delivered", () =>
      judged((good, at) => good.slice(0, at), "TransportFailure", /end|cut/)
    )
  })
}

const textOf = (delivered: ReadonlyArray<ChatEvent.ChatEvent>, tag: "TextDelta" | "ReasoningDelta") =>
  delivered.map((event) => (event._tag === tag ? event.text : "")).join("")

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The events of a stream of text, each with its blank line. */
const events = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  decoder
    .decode(bytes)
    .split(/(?<=\r?\n\r?\n)(?=[a-z:])/)
    .filter((event) => event.includes("data:"))
    .map((event) => encoder.encode(event))

const binaryFrames = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const frames: Array<Uint8Array> = []
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at)
    frames.push(bytes.subarray(at, at + length))
    at += length
  }
  return frames
}

/** The end of an event's JSON is lost; of a frame, one bit of its checksum is another. */
const spoilt = (frame: Uint8Array): Uint8Array => {
  const event = decoder.decode(frame)
  if (event.includes("data: "))
    return encoder.encode(event.replace(/data: ?(.*?)..(\r?\n)/, 'data: {"lost": $2'))
  const copy = frame.slice()
  const last = copy.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

// --- what the model wrote -----------------------------------------------------------------------------------------------

/** Formats that carry arguments as text, which may be anything. */
const textual = Object.entries(formats).filter(
  ([name]) => !["Google's", "Bedrock's", "Anthropic's", "Workers AI's"].includes(name)
)

for (const [name, { model }] of Object.entries(formats)) {
  const wrong: ReadonlyArray<readonly [what: string, reply: LocalGateway.Reply, args: string, path: string]> =
    [
      ["do not fit", toolCall("get_weather", { city: 17 }), '{"city":17}', "city"],
      ...(textual.some(([other]) => other === name)
        ? [
            [
              "are not JSON",
              toolCall("get_weather", undefined, { argumentsText: '{"city": Oslo' }),
              '{"city": Oslo',
              ""
            ] as const
          ]
        : [])
    ]
  for (const [what, reply, args, path] of wrong) {
    const isInvalid = (error: unknown) => {
      if (!AiGatewayError.isAiGatewayError(error) || error._tag !== "InvalidToolCall")
        return assert.fail(String(error))
      assert.strictEqual(error.tool, "get_weather")
      assert.strictEqual(error.arguments, args)
      assert.strictEqual(error.path, path)
    }

    it.effect(`arguments in ${name} format that ${what}: InvalidToolCall with their text and the path`, () =>
      Effect.gen(function* () {
        const answer = yield* model.chat(asked)
        isInvalid(yield* Effect.flip(Tool.decodeAll([Weather], answer.toolCalls)))
        let began = 0
        const weather = Tool.handle(Weather, () => Effect.sync(() => ++began))
        isInvalid(yield* Effect.flip(model.runTools("Oslo?", { tools: [weather] })))
        const tags: Array<string> = []
        const error = yield* model.streamTools("Oslo?", { tools: [weather] }).pipe(
          Stream.runForEach(({ _tag }) => Effect.sync(() => tags.push(_tag))),
          Effect.flip
        )
        isInvalid(error)
        // The answer was delivered, and the tool was not begun.
        assert.include(tags, "ToolCall")
        assert.include(tags, "Finish")
        assert.strictEqual(began, 0)
      }).pipe(Effect.provide(behind(always(reply))))
    )
  }

  it.effect(
    `a value in ${name} format that does not fit: InvalidOutput with the path, and a list moves on`,
    () =>
      Effect.gen(function* () {
        const schema = Schema.Struct({ items: Schema.Array(Schema.Struct({ price: Schema.Number })) })
        const error = yield* Effect.flip(once(model).chatObject({ schema, prompt: "Which?" }))
        if (error._tag !== "InvalidOutput") return assert.fail(`${error._tag}: ${error.message}`)
        assert.strictEqual(error.path, "items[1].price")
        assert.deepStrictEqual(JSON.parse(error.text), { items: [{ price: 1 }, { price: "much" }] })

        const values: Array<unknown> = []
        const broken = yield* once(model)
          .streamObject({ schema, prompt: "Which?" })
          .pipe(
            Stream.runForEach((event) => Effect.sync(() => values.push(event))),
            Effect.flip
          )
        if (broken._tag !== "StreamBroken") return assert.fail(`${broken._tag}: ${broken.message}`)
        assert.strictEqual(broken.cause._tag, "InvalidOutput")
        assert.deepStrictEqual(JSON.parse(broken.delivered.text), {
          items: [{ price: 1 }, { price: "much" }]
        })
        assert.isNotEmpty(values)

        const list = ChatModel.firstSuccessOf([model, Perplexity.model("sonar")])
        const saved = yield* list.chatObject({ schema, prompt: "Which?" })
        assert.strictEqual(saved.provider, "perplexity-ai")
        assert.strictEqual(saved.attempts[0]?.error._tag, "InvalidOutput")
      }).pipe(
        Effect.provide(
          behind(always(value({ items: [{ price: 1 }, { price: "much" }] })), {
            upstreams: { "perplexity-ai": always(value({ items: [{ price: 2 }] })) }
          })
        )
      )
  )
}

// --- requests -----------------------------------------------------------------------------------------------------------

describe("a request that is wrong for every provider is told before anything is sent, with its place", () => {
  const legs = [
    OpenAi.model("gpt-4.1-mini"),
    Anthropic.model("claude-sonnet-4-5"),
    AwsBedrock.model("amazon.nova-lite-v1:0", { region: "us-east-1" })
  ] as const
  const models = {
    "one model": legs[0],
    "a list": ChatModel.firstSuccessOf(legs),
    "a list on the server": ChatModel.universal(legs)
  }
  const unsendable = Schema.Struct({ when: Schema.DateFromSelf })
  const user = Message.user("hello")
  const result = { type: "tool-result", id: "call_1", name: "get_weather", result: "rain" } as const
  const call = { type: "tool-call", id: "call_1", name: "get_weather", arguments: "{}" } as const

  const requests: ReadonlyArray<readonly [what: string, input: ChatRequest.Input, field: string]> = [
    [
      "a Schema of a tool that has no JSON Schema",
      { prompt: "hello", tools: [Weather, Tool.make("book", { parameters: unsendable })] },
      "tools[1].parameters"
    ],
    [
      "a Schema of a tool that is no object",
      { prompt: "hello", tools: [Tool.make("book", { parameters: Schema.Array(Schema.String) })] },
      "tools[0].parameters"
    ],
    [
      "two tools with one name",
      { prompt: "hello", tools: [Weather, Tool.make("other"), Tool.make("get_weather")] },
      "tools[2].name"
    ],
    [
      "a tool whose name no vendor takes",
      { prompt: "hello", tools: [Tool.make("get weather")] },
      "tools[0].name"
    ],
    ["a choice of a tool that is not there", { ...asked, toolChoice: { tool: "book" } }, "toolChoice"],
    ["a choice that needs a tool, of none", { prompt: "hello", toolChoice: "required" }, "toolChoice"],
    [
      "a result without its call",
      [user, Message.assistant([call]), Message.toolResults([result, { ...result, id: "call_2" }])],
      "messages[2].content[1].id"
    ],
    [
      "a result before its call",
      [user, Message.toolResults([result]), Message.assistant([call])],
      "messages[1].content[0].id"
    ],
    [
      "bytes of an image that are not base64",
      [Message.user([Message.image({ data: "no base64!", mediaType: "image/png" })])],
      "messages[0].content[0].source"
    ],
    [
      "a form of the answer that is no object",
      { prompt: "hello", output: { name: "thing", jsonSchema: { type: "array" } } },
      "output.jsonSchema"
    ]
  ]

  for (const [who, model] of Object.entries(models)) {
    for (const [what, input, field] of requests) {
      it.effect(`${what}, to ${who}`, () =>
        Effect.gen(function* () {
          const gateway = yield* LocalGateway.Gateway
          for (const ask of [model.chat(input), ChatModel.collect(model.streamChat(input))]) {
            const error = yield* Effect.flip(ask)
            if (error._tag !== "InvalidRequest") return assert.fail(`${error._tag}: ${error.message}`)
            assert.include(error.field, field)
            assert.include(error.message, error.field)
          }
          assert.deepStrictEqual(gateway.requests(), [])
        }).pipe(Effect.provide(behind()))
      )
    }

    it.effect(`a Schema of a value that has no JSON Schema, to ${who}`, () =>
      Effect.gen(function* () {
        const gateway = yield* LocalGateway.Gateway
        const request = { schema: unsendable, prompt: "When?" }
        for (const ask of [model.chatObject(request), Stream.runDrain(model.streamObject(request))]) {
          const error = yield* Effect.flip(ask)
          if (error._tag !== "InvalidRequest") return assert.fail(`${error._tag}: ${error.message}`)
          assert.strictEqual(error.field, "schema")
          assert.match(error.message, /when/)
        }
        assert.deepStrictEqual(gateway.requests(), [])
      }).pipe(Effect.provide(behind()))
    )
  }
})
