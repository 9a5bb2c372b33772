import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Effect,
  Exit,
  Fiber,
  FastCheck as fc,
  Layer,
  Redacted,
  Ref,
  Runtime,
  Schedule,
  Stream,
  TestClock
} from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"

type Needs =
  | AiGateway.AiGateway
  | OpenAi.OpenAi
  | Anthropic.Anthropic
  | GoogleAiStudio.GoogleAiStudio
  | WorkersAi.WorkersAi

const settings = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}
const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const setup = (
  upstreams: NonNullable<LocalGateway.Options["upstreams"]>,
  options: LocalGateway.Options = {}
) => {
  const gateway = LocalGateway.make({ ...options, upstreams })
  const layer = providers.pipe(
    Layer.provideMerge(AiGateway.layer(settings)),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  return { gateway, layer }
}

/** Lets promises that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const { always, dropAfter, errorEvent, raw, rechunk, script, stallAfter, status, text, unstreamed } =
  LocalGateway
const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")
const workers = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct")

const wires: ReadonlyArray<readonly [string, ChatModel.Leg<Needs>]> = [
  ["openai", openai],
  ["anthropic", anthropic],
  ["google-ai-studio", google],
  ["workers-ai", workers]
]

const once = ChatModel.retry(Schedule.recurs(0))
const events = <R>(model: ChatModel.With<R>) =>
  Effect.map(Stream.runCollect(model.streamChat("hi")), Chunk.toReadonlyArray)

/** Without what differs from request to request. */
const timeless = (all: ReadonlyArray<ChatEvent.ChatEvent>) =>
  all.map((event) => (event._tag === "Start" ? { ...event, gateway: {} } : event))

const tags = (all: ReadonlyArray<ChatEvent.ChatEvent>) => all.map((event) => event._tag)
const sse = (body: string | ReadonlyArray<string | Uint8Array>, type = "text/event-stream") =>
  raw({ headers: { "content-type": type }, body })

const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
const stop = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`
const done = "data: [DONE]\n\n"
const plainJson = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }]
})

const broken = (error: AiGatewayError.AiGatewayError): AiGatewayError.StreamBroken => {
  if (error._tag !== "StreamBroken") throw new Error(`${error._tag}: ${error.message}`)
  return error
}

describe("what a stream consists of", () => {
  it.effect("89. 'Hel' and 'lo' are Hello, and one finish", () => {
    const { layer } = setup({ openai: always(text("Hello", { chunks: ["Hel", "lo"] })) })
    return Effect.gen(function* () {
      const all = yield* events(openai)
      assert.deepStrictEqual(tags(all), ["Start", "TextDelta", "TextDelta", "Usage", "Finish"])
      assert.strictEqual((yield* ChatModel.collect(Stream.fromIterable(all))).text, "Hello")
    }).pipe(Effect.provide(layer))
  })

  for (const [slug, model] of wires) {
    const replies: ReadonlyArray<readonly [string, LocalGateway.Reply]> = [
      ["a text", text("one two three")],
      ["an empty answer", text("", { chunks: [] })],
      ["a tool call", LocalGateway.toolCall("weather", { city: "Zürich" })],
      ["a text that is cut off by its limit", text("one two", { finishReason: "length" })]
    ]
    for (const [name, reply] of replies) {
      it.effect(`${slug}: ${name} begins with Start, and ends with exactly one Finish after Usage`, () => {
        const { layer } = setup({ [slug]: always(reply) })
        return Effect.gen(function* () {
          const all = yield* events(model)
          assert.strictEqual(all[0]?._tag, "Start")
          assert.deepStrictEqual(tags(all).slice(-2), ["Usage", "Finish"])
          for (const tag of ["Start", "Usage", "Finish"]) {
            assert.strictEqual(tags(all).filter((it) => it === tag).length, 1)
          }
        }).pipe(Effect.provide(layer))
      })

      it.effect(
        `${slug}: ${name} is the same answer from chat, collected, and as JSON instead of events`,
        () => {
          const { layer } = setup({ [slug]: script([reply, reply, unstreamed(reply)]) })
          return Effect.gen(function* () {
            const whole = yield* model.chat("hi")
            const streamed = yield* ChatModel.collect(model.streamChat("hi"))
            const json = yield* ChatModel.collect(model.streamChat("hi"))
            for (const answer of [streamed, json]) {
              assert.strictEqual(answer.text, whole.text)
              // A whole answer of Workers AI has no word for why it ended.
              if (slug !== "workers-ai") assert.strictEqual(answer.finishReason, whole.finishReason)
              assert.deepStrictEqual(answer.usage, whole.usage)
              assert.strictEqual(answer.provider, whole.provider)
              assert.strictEqual(answer.model, whole.model)
              assert.deepStrictEqual(
                answer.toolCalls.map((call) => [call.name, JSON.parse(call.arguments)]),
                whole.toolCalls.map((call) => [call.name, JSON.parse(call.arguments)])
              )
            }
          }).pipe(Effect.provide(layer))
        }
      )
    }

    it.effect(
      `${slug}: a one-piece text as JSON gives the very events that a stream would have given`,
      () => {
        const reply = text("fine", { chunks: ["fine"], usage: { input: 3, output: 4 } })
        const { layer } = setup({ [slug]: script([reply, unstreamed(reply)]) })
        return Effect.gen(function* () {
          assert.deepStrictEqual(timeless(yield* events(model)), timeless(yield* events(model)))
        }).pipe(Effect.provide(layer))
      }
    )
  }

  it.effect("streamComplete is the text, piece by piece, and nothing else", () => {
    const { layer } = setup({ openai: always(text("one two three", { reasoning: "hm" })) })
    return Effect.gen(function* () {
      const pieces = yield* Stream.runCollect(openai.streamComplete("hi", { temperature: 0.1 }))
      assert.deepStrictEqual(Array.from(pieces), ["one", " two", " three"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a stream is a value: nothing happens until it runs, and each run is a request", () => {
    const { gateway, layer } = setup({})
    return Effect.gen(function* () {
      const stream = openai.streamChat("hi")
      yield* flush
      assert.strictEqual(gateway.requests().length, 0)
      const first = yield* Stream.runCollect(stream)
      const second = yield* Stream.runCollect(stream)
      assert.strictEqual(gateway.requests().length, 2)
      assert.deepStrictEqual(timeless([...first]), timeless([...second]))
      yield* Effect.all([Stream.runDrain(stream), Stream.runDrain(stream)], { concurrency: "unbounded" })
      assert.strictEqual(gateway.requests().length, 4)
    }).pipe(Effect.provide(layer))
  })
})

describe("90. however the bytes are cut", () => {
  const spoken = 'Grüße, 世界! 👩‍🚀 naïve \u2028 "quotes" \\ tab\t end'
  const reply = text(spoken, { chunks: 5, usage: { input: 3, output: 9 } })
  const ends: ReadonlyArray<readonly [string, string]> = [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"]
  ]
  for (const [slug, model] of wires) {
    it.effect(`${slug}: in pieces of 1 to 40 bytes the events are the same`, () => {
      let current: LocalGateway.Reply = reply
      const { layer } = setup({ [slug]: LocalGateway.handler(() => current) })
      return Effect.gen(function* () {
        const expected = timeless(yield* events(model))
        assert.include((yield* model.chat("hi")).text, spoken)
        for (const size of [1, 2, 3, 5, 7, 16, 40]) {
          current = rechunk(reply, size)
          assert.deepStrictEqual(timeless(yield* events(model)), expected, `${size} bytes`)
        }
      }).pipe(Effect.provide(layer))
    })

    for (const [name, end] of ends) {
      it.effect(`${slug}: with ${name} line ends, cut anywhere, the events are the same`, () => {
        let current: LocalGateway.Reply = reply
        const { layer } = setup({ [slug]: LocalGateway.handler(() => current) })
        return Effect.gen(function* () {
          const context = yield* Effect.context<Needs>()
          const request = yield* model.encode("hi", { stream: true })
          const body = yield* Effect.flatMap(AiGateway.send(request), (response) => response.text)
          const bytes = new TextEncoder().encode(body.replace(/\r\n|\r|\n/g, end))
          current = sse([bytes])
          const expected = timeless(yield* events(model))
          assert.strictEqual((yield* ChatModel.collect(Stream.fromIterable(expected))).text, spoken)
          const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 })
          const runPromise = Runtime.runPromise(yield* Effect.runtime<never>())
          yield* Effect.promise(() =>
            fc.assert(
              fc.asyncProperty(cuts, async (at) => {
                const places = [0, ...at.sort((a, b) => a - b), bytes.length]
                current = sse(places.slice(1).map((place, i) => bytes.subarray(places[i], place)))
                const found = await runPromise(Effect.provide(events(model), context))
                assert.deepStrictEqual(timeless(found), expected)
              }),
              { numRuns: 15 }
            )
          )
        }).pipe(Effect.provide(layer))
      })
    }
  }

  it.effect("a byte order mark before the first event does no harm", () => {
    const { layer } = setup({ openai: always(sse(`\uFEFF${delta("fine")}${stop}${done}`)) })
    return Effect.gen(function* () {
      assert.strictEqual((yield* ChatModel.collect(openai.streamChat("hi"))).text, "fine")
    }).pipe(Effect.provide(layer))
  })

  it.effect("id, retry and unknown fields and comments between the events lose none", () => {
    const body = `retry: 10\n\nid: 7\n${delta("one")}: comment\n\nfoo: bar\n\nevent: message\n${delta(" two")}${stop}${done}`
    const { layer } = setup({ openai: always(sse([body.slice(0, 12), body.slice(12)])) })
    return Effect.gen(function* () {
      assert.strictEqual((yield* ChatModel.collect(openai.streamChat("hi"))).text, "one two")
    }).pipe(Effect.provide(layer))
  })
})

describe("a body that is not what its header says", () => {
  const answers: ReadonlyArray<readonly [string, LocalGateway.Reply]> = [
    ["events under application/json", sse(delta("fi") + delta("ne") + stop + done, "application/json")],
    ["events under text/plain", sse(delta("fi") + delta("ne") + stop + done, "text/plain; charset=utf-8")],
    ["events without any content type", raw({ headers: {}, body: delta("fine") + stop + done })],
    ["events under TEXT/EVENT-STREAM", sse(delta("fine") + stop + done, "Text/Event-Stream; charset=UTF-8")],
    ["JSON under text/event-stream", sse(plainJson)],
    ["JSON and a line end under text/event-stream", sse(`${plainJson}\n`)],
    ["indented JSON under text/event-stream", sse(JSON.stringify(JSON.parse(plainJson), null, 2))],
    ["JSON in pieces under text/event-stream", sse(plainJson.match(/.{1,7}/g) ?? [])],
    ["a last event without a blank line", sse(delta("fine") + stop.trimEnd())],
    ["a last event without any line end, and [DONE]", sse(delta("fine") + stop + done.trimEnd())],
    ["a finish reason, and no [DONE]", sse(delta("fine") + stop)],
    ["[DONE], and no finish reason", sse(delta("fine") + done)]
  ]
  for (const [name, reply] of answers) {
    it.effect(`${name} is an answer`, () => {
      const { gateway, layer } = setup({ openai: always(reply) })
      return Effect.gen(function* () {
        const all = yield* events(openai)
        assert.strictEqual((yield* ChatModel.collect(Stream.fromIterable(all))).text, "fine")
        assert.strictEqual(tags(all).at(-1), "Finish")
        yield* flush
        assert.strictEqual(gateway.inFlight(), 0)
      }).pipe(Effect.provide(layer))
    })
  }

  const failures: ReadonlyArray<
    readonly [string, LocalGateway.Reply, ReadonlyArray<AiGatewayError.AiGatewayError["_tag"]>]
  > = [
    [
      "an HTML page with status 200",
      raw({ headers: { "content-type": "text/html" }, body: "<html><body>Hello</body></html>" }),
      ["MalformedResponse"]
    ],
    ["an empty body", sse(""), ["TransportFailure"]],
    ["an empty JSON body", raw({ body: "" }), ["MalformedResponse", "TransportFailure"]],
    ["comments only", sse(": one\n\n: two\n\n"), ["TransportFailure"]],
    ["95. an event that is no JSON", sse("data: {not json\n\n"), ["MalformedResponse"]],
    ["95. events that mean nothing", sse(`data: {}\n\n${done}`), ["MalformedResponse"]],
    ["[DONE] alone", sse(done), ["MalformedResponse"]],
    ["95. choices of a wrong type", sse('data: {"choices":5}\n\n'), ["MalformedResponse"]],
    ["half an event", sse('data: {"choices":[{"ind'), ["TransportFailure"]],
    [
      "an error envelope as JSON with 200",
      raw({ body: '{"error":{"message":"boom"}}' }),
      ["ProviderFailure"]
    ],
    [
      "an HTML page that claims to be a stream",
      sse("<html><body>\nHello</body></html>"),
      ["MalformedResponse", "TransportFailure"]
    ]
  ]
  for (const [name, reply, expected] of failures) {
    it.effect(`${name} is a typed failure, never an empty success, and the next leg answers`, () => {
      const { gateway, layer } = setup({ openai: always(reply), anthropic: always(text("saved")) })
      return Effect.gen(function* () {
        const error = yield* Effect.flip(events(once(openai)))
        assert.include(expected, error._tag)
        if (error._tag === "MalformedResponse" && name.includes("HTML"))
          assert.include(error.excerpt, "<html>")
        const answer = yield* ChatModel.collect(
          once(ChatModel.firstSuccessOf([openai, anthropic])).streamChat("hi")
        )
        assert.strictEqual(answer.text, "saved")
        yield* flush
        assert.strictEqual(gateway.inFlight(), 0)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("95. an event that is no JSON after content breaks the stream, typed", () => {
    const { layer } = setup({ openai: always(sse(`${delta("one")}data: {not json\n\n${stop}${done}`)) })
    return Effect.gen(function* () {
      const error = broken(yield* Effect.flip(events(openai)))
      assert.strictEqual(error.cause._tag, "MalformedResponse")
      assert.strictEqual(error.delivered.text, "one")
    }).pipe(Effect.provide(layer))
  })
})

describe("errors inside a 200", () => {
  for (const [slug, model] of wires) {
    for (const form of ["event", "tail"] as const) {
      if (form === "tail" && slug !== "google-ai-studio") continue
      it.effect(`92. ${slug}: a first ${form} that is an error moves on like an HTTP error`, () => {
        const other = slug === "openai" ? anthropic : openai
        const { gateway, layer } = setup({
          [slug]: always(errorEvent(text("never said"), 0, { status: 503, message: "too busy", form }))
        })
        return Effect.gen(function* () {
          const error = yield* Effect.flip(events(once(model)))
          assert.strictEqual(error._tag, "ProviderFailure")
          assert.include(error.message, "too busy")
          const list = once(
            ChatModel.firstSuccessOf<readonly [ChatModel.With<Needs>, ChatModel.With<Needs>]>([model, other])
          )
          const all = yield* events(list)
          const start = all[0]
          assert.strictEqual(start?._tag === "Start" && start.provider, other.metadata.provider)
          assert.deepStrictEqual(
            start?._tag === "Start" && start.attempts.map((attempt) => attempt.error._tag),
            ["ProviderFailure"]
          )
          assert.strictEqual(tags(all).filter((tag) => tag === "Start").length, 1)
          assert.strictEqual(gateway.requests().length, 3)
        }).pipe(Effect.provide(layer))
      })

      it.effect(
        `93. ${slug}: an ${form} error after content breaks the stream, and no other leg is asked`,
        () => {
          const other = slug === "openai" ? anthropic : openai
          const { gateway, layer } = setup({
            [slug]: always(errorEvent(text("Hel lo never"), 4, { status: 503, message: "too busy", form }))
          })
          const list = ChatModel.firstSuccessOf<readonly [ChatModel.With<Needs>, ChatModel.With<Needs>]>([
            model,
            other
          ])
          return Effect.gen(function* () {
            const seen: Array<ChatEvent.ChatEvent> = []
            const error = broken(
              yield* Effect.flip(
                Stream.runForEach(list.streamChat("hi"), (event) => Effect.sync(() => seen.push(event)))
              )
            )
            assert.strictEqual(error.cause._tag, "ProviderFailure")
            assert.include(error.cause.message, "too busy")
            assert.isNotEmpty(error.delivered.text)
            assert.strictEqual(error.delivered.events, seen.length)
            assert.strictEqual(gateway.requests().length, 1)
          }).pipe(Effect.provide(layer))
        }
      )
    }
  }

  it.effect("92. the last leg's error event is the stream's failure, not data", () => {
    const { layer } = setup({
      openai: always(errorEvent(text("never said"), 0, { status: 400 })),
      anthropic: always(errorEvent(text("never said"), 1, { status: 400 }))
    })
    return Effect.gen(function* () {
      const seen: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(ChatModel.firstSuccessOf([openai, anthropic]).streamChat("hi"), (event) =>
          Effect.sync(() => seen.push(event))
        )
      )
      assert.strictEqual(error._tag, "AllProvidersFailed")
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(layer))
  })
})

describe("94. a stream that ends before its model does", () => {
  for (const [slug, model] of wires) {
    it.effect(`${slug}: wherever it is cut, what was delivered is told exactly`, () => {
      let current: LocalGateway.Reply = text("one two three")
      const { layer } = setup({ [slug]: LocalGateway.handler(() => current) })
      return Effect.gen(function* () {
        const request = yield* model.encode("hi", { stream: true })
        const body = yield* Effect.flatMap(AiGateway.send(request), (response) => response.text)
        const frames = body.split(/(?<=\n\n|\r\n\r\n)/)
        const answers: Array<string> = []
        for (let kept = 0; kept < frames.length; kept++) {
          for (const reply of [sse(frames.slice(0, kept).join("")), dropAfter(sse(frames), kept)]) {
            current = reply
            const seen: Array<ChatEvent.ChatEvent> = []
            const exit = yield* Effect.exit(
              Stream.runForEach(once(model).streamChat("hi"), (event) => Effect.sync(() => seen.push(event)))
            )
            if (Exit.isSuccess(exit)) {
              assert.strictEqual(seen.at(-1)?._tag, "Finish")
              answers.push("success")
              continue
            }
            const error = yield* Effect.flip(exit)
            answers.push(error._tag)
            assert.isFalse(seen.some((event) => event._tag === "Finish"))
            if (error._tag === "TransportFailure") assert.deepStrictEqual(seen, [])
            else {
              const { cause, delivered } = broken(error)
              assert.strictEqual(cause._tag, "TransportFailure")
              assert.strictEqual(delivered.events, seen.length)
              assert.strictEqual(
                delivered.text,
                seen.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")
              )
            }
          }
        }
        assert.include(answers, "TransportFailure")
        assert.include(answers, "StreamBroken")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("reasoning is told apart from text", () => {
    const { layer } = setup({
      anthropic: always(dropAfter(text("one two", { reasoning: "let me think" }), 9))
    })
    return Effect.gen(function* () {
      const error = broken(yield* Effect.flip(events(anthropic)))
      assert.strictEqual(error.delivered.reasoning, "let me think")
      assert.notInclude(error.delivered.text, "think")
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "of a very long answer no more than a million characters are kept, but every event is counted",
    () => {
      const piece = "x".repeat(1000)
      const frames = Array.from({ length: 3000 }, () => delta(piece))
      const { layer } = setup({ openai: always(dropAfter(sse(frames), 3000)) })
      return Effect.gen(function* () {
        const error = broken(yield* Effect.flip(Stream.runDrain(openai.streamChat("hi"))))
        assert.strictEqual(error.delivered.text.length, 1 << 20)
        assert.strictEqual(error.delivered.events, 3001)
      }).pipe(Effect.provide(layer))
    }
  )
})

describe("after the model's last word", () => {
  const open: ReadonlyArray<readonly [string, ChatModel.With<Needs>, LocalGateway.Reply]> = [
    ["[DONE]", openai, stallAfter(sse([delta("fine"), stop, done]), 3)],
    ["[DONE] and comments for ever", openai, stallAfter(sse([delta("fine"), stop, done, ": x\n\n"]), 4)],
    [
      "message_stop",
      anthropic,
      stallAfter(
        sse([
          'event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":1}}}\n\n',
          'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
          'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"fine"}}\n\n',
          'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
          'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ]),
        5
      )
    ]
  ]
  for (const [name, model, reply] of open) {
    it.effect(`${name}: a connection that stays open is closed within a second`, () => {
      const { gateway, layer } = setup({ openai: always(reply), anthropic: always(reply) })
      return Effect.gen(function* () {
        const seen: Array<ChatEvent.ChatEvent> = []
        const fiber = yield* Effect.fork(
          Stream.runForEach(model.streamChat("hi"), (event) => Effect.sync(() => seen.push(event)))
        )
        yield* flush
        assert.strictEqual(seen.at(-1)?._tag, "Finish", "the last event is there at once")
        yield* TestClock.adjust("1 second")
        yield* flush
        assert.strictEqual((yield* Fiber.poll(fiber))._tag, "Some")
        yield* Fiber.join(fiber)
        yield* flush
        assert.strictEqual(gateway.inFlight(), 0)
        assert.isTrue(gateway.requests()[0]?.aborted)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("what follows [DONE] is not delivered", () => {
    const { layer } = setup({ openai: always(sse(delta("fine") + stop + done + delta(" and more") + done)) })
    return Effect.gen(function* () {
      assert.strictEqual((yield* ChatModel.collect(openai.streamChat("hi"))).text, "fine")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a connection that breaks after [DONE] does no harm", () => {
    const { layer } = setup({ openai: always(dropAfter(sse([delta("fine"), stop, done]), 3)) })
    return Effect.gen(function* () {
      assert.strictEqual((yield* ChatModel.collect(openai.streamChat("hi"))).text, "fine")
    }).pipe(Effect.provide(layer))
  })
})

describe("97. a consumer that stops reading", () => {
  const stopped: ReadonlyArray<
    readonly [string, (model: ChatModel.With<Needs>) => Effect.Effect<unknown, unknown, Needs>]
  > = [
    ["Stream.take(1)", (model) => Stream.runDrain(Stream.take(model.streamChat("hi"), 1))],
    ["Stream.take(2)", (model) => Stream.runDrain(Stream.take(model.streamChat("hi"), 2))],
    ["Stream.runHead", (model) => Stream.runHead(model.streamComplete("hi"))],
    [
      "Stream.takeUntil",
      (model) => Stream.runDrain(Stream.takeUntil(model.streamChat("hi"), (e) => e._tag === "TextDelta"))
    ],
    ["its own failure", (model) => Stream.runForEach(model.streamChat("hi"), () => Effect.fail("enough"))],
    ["its own defect", (model) => Stream.runForEach(model.streamChat("hi"), () => Effect.die("enough"))]
  ]
  for (const [name, run] of stopped) {
    it.effect(`by ${name}: the upstream is closed at once`, () => {
      const { gateway, layer } = setup({ openai: always(stallAfter(text("one two three"), 3)) })
      return Effect.gen(function* () {
        for (const model of [
          openai,
          ChatModel.withTimeouts(ChatModel.firstSuccessOf([openai, anthropic]), { total: "1 hour" })
        ]) {
          gateway.reset()
          yield* Effect.exit(run(model))
          yield* flush
          assert.strictEqual(gateway.inFlight(), 0)
          assert.isTrue(gateway.requests()[0]?.aborted)
          assert.strictEqual(gateway.requests().length, 1)
        }
      }).pipe(Effect.provide(layer))
    })
  }
})

describe("lists of streams", () => {
  it.effect("a leg's connection is closed before the next leg is asked", () => {
    const order: Array<string> = []
    const { gateway, layer } = setup(
      { openai: always(stallAfter(text("never said"), 1)), anthropic: always(stallAfter(text("x"), 0)) },
      {
        onRequest: (request) =>
          order.push(
            `${request.provider}: ${gateway.inFlight()} open, ${gateway.requests().map((it) => it.aborted)}`
          )
      }
    )
    const list = ChatModel.firstSuccessOf([openai, anthropic, google]).pipe(
      ChatModel.withTimeouts({ firstEvent: "1 second" })
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(ChatModel.collect(list.streamChat("hi")))
      yield* flush
      yield* TestClock.adjust("1 second")
      yield* flush
      yield* TestClock.adjust("1 second")
      yield* flush
      assert.strictEqual((yield* Fiber.join(fiber)).provider, "google-ai-studio")
      assert.deepStrictEqual(order, [
        "openai: 1 open, false",
        "anthropic: 1 open, true,false",
        "google-ai-studio: 1 open, true,true,false"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a list in a list is walked through, and its attempts are counted through", () => {
    const { layer } = setup({
      openai: always(status(400)),
      anthropic: always(errorEvent(text("x"), 0, { status: 400 })),
      "google-ai-studio": always(dropAfter(text("x"), 0))
    })
    const inner = ChatModel.firstSuccessOf([anthropic, google])
    const list = once(ChatModel.firstSuccessOf([openai, inner, workers]))
    return Effect.gen(function* () {
      const all = yield* events(list)
      const start = all[0]
      assert.strictEqual(tags(all).filter((tag) => tag === "Start").length, 1)
      assert.strictEqual(start?._tag === "Start" && start.provider, "workers-ai")
      assert.deepStrictEqual(
        start?._tag === "Start" &&
          start.attempts.map((attempt) => [attempt.leg, attempt.provider, attempt.error._tag]),
        [
          [0, "openai", "BadRequest"],
          [1, "anthropic", "BadRequest"],
          [2, "google-ai-studio", "TransportFailure"]
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a model of a user's own making takes its place in a list, first or last", () => {
    const { gateway, layer } = setup({ openai: always(status(400)) })
    const start: ChatEvent.ChatEvent = {
      _tag: "Start",
      provider: "own",
      model: "m",
      gateway: {},
      attempts: []
    }
    const mine: ChatEvent.ChatEvent = { _tag: "TextDelta", text: "mine" }
    const finish: ChatEvent.ChatEvent = { _tag: "Finish", finishReason: "stop", usage: {} }
    const failure = new AiGatewayError.TransportFailure({ message: "gone" })
    return Effect.gen(function* () {
      const closed = yield* Ref.make(0)
      const own = (stream: Stream.Stream<ChatEvent.ChatEvent, AiGatewayError.AiGatewayError>) =>
        ChatModel.make({
          metadata: { provider: "own", model: "m", supports: [] },
          chat: () => Effect.fail(failure),
          streamChat: () =>
            Stream.ensuring(
              stream,
              Ref.update(closed, (n) => n + 1)
            )
        })
      const works = own(Stream.make(start, mine, finish))
      const fails = own(Stream.concat(Stream.make(start), Stream.fail(failure)))
      const breaks = own(Stream.concat(Stream.make(start, mine), Stream.fail(failure)))

      const last = yield* ChatModel.collect(ChatModel.firstSuccessOf([openai, works]).streamChat("hi"))
      assert.strictEqual(last.text, "mine")
      assert.strictEqual(last.attempts.length, 1)
      assert.strictEqual(yield* Ref.get(closed), 1)

      const first = yield* ChatModel.collect(ChatModel.firstSuccessOf([fails, anthropic]).streamChat("hi"))
      assert.strictEqual(first.provider, "anthropic")
      assert.strictEqual(first.attempts[0]?.error._tag, "TransportFailure")
      assert.strictEqual(yield* Ref.get(closed), 2)

      const requests = gateway.requests().length
      const error = broken(yield* Effect.flip(events(ChatModel.firstSuccessOf([breaks, anthropic]))))
      assert.strictEqual(error.cause._tag, "TransportFailure")
      assert.deepStrictEqual(error.delivered, { text: "mine", reasoning: "", events: 2 })
      assert.strictEqual(gateway.requests().length, requests)
      assert.strictEqual(yield* Ref.get(closed), 3)

      yield* Stream.runDrain(Stream.take(ChatModel.firstSuccessOf([works, anthropic]).streamChat("hi"), 1))
      assert.strictEqual(yield* Ref.get(closed), 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "a model whose stream somebody has wrapped keeps its wrapping, its clocks and its retries",
    () => {
      const { gateway, layer } = setup({ openai: script([status(503)], text("one two")) })
      const loud = ChatModel.make({
        metadata: openai.metadata,
        chat: openai.chat,
        streamChat: (input) =>
          Stream.map(openai.streamChat(input), (event) =>
            event._tag === "TextDelta" ? { ...event, text: event.text.toUpperCase() } : event
          )
      })
      const list = ChatModel.firstSuccessOf([loud, anthropic]).pipe(ChatModel.retry(Schedule.recurs(1)))
      return Effect.gen(function* () {
        assert.strictEqual((yield* ChatModel.collect(list.streamChat("hi"))).text, "ONE TWO")
        assert.strictEqual(gateway.requests().length, 2)
      }).pipe(Effect.provide(layer))
    }
  )
})

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
]

interface Server {
  readonly baseUrl: string
  readonly connections: () => number
}

const serve = (answer: (response: http.ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.async<Server & { readonly server: http.Server }>((resume) => {
      let connections = 0
      const server = http.createServer((request, response) => {
        request.resume()
        request.on("end", () => answer(response))
      })
      server.on("connection", () => connections++)
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({ server, baseUrl: `http://127.0.0.1:${port}/v1`, connections: () => connections })
        )
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const overSockets = <A, E>(
  client: Layer.Layer<HttpClient.HttpClient>,
  baseUrl: string,
  effect: Effect.Effect<A, E, Needs>
) =>
  Effect.flatMap(
    Layer.build(
      providers.pipe(
        Layer.provideMerge(AiGateway.layer({ ...settings, baseUrl })),
        Layer.provideMerge(client)
      )
    ),
    (context) => Effect.provide(effect, context)
  )

for (const [name, client] of clients) {
  describe(`over real sockets, ${name}`, () => {
    // `fetch` and undici themselves open a second connection where the next request comes within the same turn; no more.
    it.live("streams that were read to their end share their connections", () =>
      Effect.gen(function* () {
        const server = yield* serve((response) => {
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.write(delta("fi"))
          setTimeout(() => {
            response.write(delta("ne") + stop + done)
            setTimeout(() => response.end(), 20)
          }, 10)
        })
        yield* overSockets(
          client,
          server.baseUrl,
          Effect.gen(function* () {
            for (let i = 0; i < 6; i++) {
              assert.strictEqual((yield* ChatModel.collect(openai.streamChat("hi"))).text, "fine")
            }
          })
        )
        assert.isAtMost(server.connections(), 2)
      }).pipe(Effect.scoped)
    )

    it.live("HTTP errors leave their connections to the retries", () =>
      Effect.gen(function* () {
        let asked = 0
        const server = yield* serve((response) => {
          if (asked++ < 5) {
            response.writeHead(503, { "content-type": "application/json" })
            return response.end('{"error":{"message":"busy"}}')
          }
          response.writeHead(200, { "content-type": "application/json" })
          return response.end(plainJson)
        })
        const retried = ChatModel.retry(openai, Schedule.recurs(5))
        const answer = yield* overSockets(client, server.baseUrl, retried.chat("hi"))
        assert.strictEqual(answer.text, "fine")
        assert.strictEqual(asked, 6)
        assert.isAtMost(server.connections(), 2)
      }).pipe(Effect.scoped)
    )

    it.live("97. stopping early closes the socket at once", () =>
      Effect.gen(function* () {
        let closed = false
        const server = yield* serve((response) => {
          response.on("close", () => {
            closed = true
          })
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.write(delta("one"))
        })
        yield* overSockets(client, server.baseUrl, Stream.runDrain(Stream.take(openai.streamChat("hi"), 2)))
        yield* Effect.promise(async () => {
          for (let i = 0; i < 100 && !closed; i++) await new Promise((resolve) => setTimeout(resolve, 5))
        })
        assert.isTrue(closed)
      }).pipe(Effect.scoped)
    )

    it.live("back-pressure reaches the socket: a slow consumer holds the server back", () =>
      Effect.gen(function* () {
        const frame = delta("x".repeat(64 * 1024))
        const total = 2000
        let written = 0
        let held = 0
        const server = yield* serve((response) => {
          response.writeHead(200, { "content-type": "text/event-stream" })
          const more = () => {
            while (written < total) {
              written++
              if (!response.write(frame)) {
                held++
                return void response.once("drain", more)
              }
            }
            response.end(stop + done)
          }
          response.on("error", () => undefined)
          more()
        })
        yield* overSockets(
          client,
          server.baseUrl,
          Effect.gen(function* () {
            let read = 0
            const fiber = yield* Effect.fork(
              Stream.runForEach(openai.streamChat("hi"), () => (++read === 3 ? Effect.never : Effect.void))
            )
            // What lies between fills up first: the buffers of two runtimes and of the kernel.
            let before = -1
            for (let waits = 0; waits < 20 && before !== written; waits++) {
              before = written
              yield* Effect.sleep("250 millis")
            }
            assert.strictEqual(written, before, "the server goes on writing")
            assert.isAbove(held, 0)
            assert.isBelow(written, total / 4)
            yield* Fiber.interrupt(fiber)
          })
        )
      }).pipe(Effect.scoped)
    )
  })
}

describe("a connection that stays open behind a finished answer", () => {
  it.effect("Google has no end marker: when nothing more comes, the answer is complete", () => {
    const part = (text: string, finishReason?: string) =>
      `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] }, finishReason }] })}\n\n`
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(part("Hel") + part("lo", "STOP")))
    })
    const client = HttpClient.make((request) =>
      Effect.succeed(
        HttpClientResponse.fromWeb(
          request,
          new Response(body, { headers: { "content-type": "text/event-stream" } })
        )
      )
    )
    const layer = Layer.merge(
      GoogleAiStudio.layer(),
      AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
        Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
      )
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        ChatModel.collect(GoogleAiStudio.model("gemini-2.5-flash").streamChat("hi"))
      )
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("3 minutes")
      const answer = yield* Fiber.join(fiber)
      assert.strictEqual(answer.text, "Hello")
      assert.strictEqual(answer.finishReason, "stop")
    }).pipe(Effect.provide(layer))
  })
})

describe("a total clock over a stream", () => {
  it.effect("says what was delivered, inside an application's own span as well", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.exit(
          Stream.runDrain(
            OpenAi.model("gpt-4.1-mini")
              .pipe(ChatModel.withTimeouts({ total: "1 minute" }))
              .streamChat("hi")
          )
        ).pipe(Effect.withSpan("application"))
      )
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.join(fiber)
      const error = Exit.isFailure(exit) && exit.cause._tag === "Fail" ? exit.cause.error : undefined
      if (error?._tag !== "StreamBroken") throw new Error(`${error?._tag}`)
      assert.strictEqual(error.cause._tag, "ModelTimeout")
      assert.isAbove(error.delivered.text.length, 0)
    }).pipe(
      Effect.provide(
        Layer.merge(
          OpenAi.layer(),
          LocalGateway.layerTest({
            upstreams: {
              openai: LocalGateway.always(
                LocalGateway.stallAfter(LocalGateway.text("a b c d e", { chunks: 5 }), 3)
              )
            }
          })
        )
      )
    )
  )
})
