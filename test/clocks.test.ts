import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream, TestClock } from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"
import * as Clocks from "../src/internal/clocks.js"

const setup = (upstreams: NonNullable<LocalGateway.Options["upstreams"]>) => {
  const gateway = LocalGateway.make({ upstreams })
  const layer = Layer.mergeAll(
    OpenAi.layer(),
    Anthropic.layer(),
    GoogleAiStudio.layer(),
    WorkersAi.layer()
  ).pipe(
    Layer.provideMerge(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token")
      })
    ),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  return { gateway, layer }
}

/** Lets promises that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

/** So much time and no more passes. */
const pass = (time: Duration.DurationInput) =>
  Effect.zipRight(flush, Effect.zipRight(TestClock.adjust(time), flush))

/** Not yet at the last millisecond, but then. */
const endsAt = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, millis: number) =>
  Effect.gen(function* () {
    yield* pass(millis - 1)
    assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None", "ended too early")
    yield* pass(1)
    assert.strictEqual((yield* Fiber.poll(fiber))._tag, "Some", "did not end in time")
    return yield* Fiber.join(fiber)
  })

const nothingLeft = (gateway: LocalGateway.LocalGateway) =>
  Effect.gen(function* () {
    yield* flush
    assert.strictEqual(gateway.inFlight(), 0)
    assert.strictEqual((yield* Fiber.roots).length, 1, "a fiber stayed behind")
  })

const timeout = (error: AiGatewayError.AiGatewayError): AiGatewayError.ModelTimeout => {
  const cause = error._tag === "StreamBroken" ? error.cause : error
  if (cause._tag !== "ModelTimeout") throw new Error(`${error._tag}: ${error.message}`)
  return cause
}

const { always, script, hang, status, text } = LocalGateway
const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")
const ok = text("fine")
const slow = text("one two three four", { delay: "1 hour" })

describe("86. the total clock, in each phase of a call", () => {
  const cases: ReadonlyArray<
    readonly [string, NonNullable<LocalGateway.Options["upstreams"]>, AiGatewayError.ModelTimeout["during"]]
  > = [
    ["while no response comes", { openai: always(hang) }, "connect"],
    ["while the headers are delayed", { openai: always(LocalGateway.delayed(ok, "1 hour")) }, "connect"],
    ["in the middle of a body", { openai: always(LocalGateway.stallAfter(text("one two"), 1)) }, "response"],
    ["while waiting to retry", { openai: always(status(503)) }, "backoff"]
  ]
  for (const [name, upstreams, during] of cases) {
    it.effect(`ends a chat ${name}, and closes the socket`, () => {
      const { gateway, layer } = setup(upstreams)
      const model = openai.pipe(
        ChatModel.withTimeouts({ total: "3 seconds" }),
        ChatModel.retry(Schedule.spaced("1 hour"))
      )
      return Effect.gen(function* () {
        const call = yield* Effect.fork(Effect.flip(model.chat("hi")))
        const error = timeout(yield* endsAt(call, 3000))
        assert.strictEqual(error.phase, "total")
        assert.strictEqual(error.during, during)
        assert.strictEqual(error.provider, "openai")
        assert.strictEqual(error.model, "gpt-4.1-mini")
        assert.strictEqual(Duration.toMillis(error.limit ?? 0), 3000)
        assert.include(error.message, "timeouts.total")
        if (during !== "backoff") assert.isTrue(gateway.requests()[0]?.aborted)
        yield* nothingLeft(gateway)
        yield* pass("1 day")
        assert.strictEqual(gateway.requests().length, 1)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("ends a chat while an error's body does not come to its end", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.stallAfter(status(503), 1)) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(
        Effect.flip(ChatModel.withTimeouts(openai, { total: "3 seconds" }).chat("hi"))
      )
      assert.strictEqual(timeout(yield* endsAt(call, 3000)).phase, "total")
      assert.isTrue(gateway.requests()[0]?.aborted)
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("counts the whole list: leg 3 gets what the first two left", () => {
    const { gateway, layer } = setup({
      openai: always(LocalGateway.delayed(status(400), "2 seconds")),
      anthropic: always(LocalGateway.delayed(status(401), "2 seconds")),
      "google-ai-studio": always(hang)
    })
    const list = ChatModel.firstSuccessOf([
      openai,
      anthropic,
      google,
      WorkersAi.model("@cf/meta/llama")
    ]).pipe(ChatModel.withTimeouts({ total: "5 seconds" }))
    return Effect.gen(function* () {
      for (const run of [list.chat("hi"), Stream.runDrain(list.streamChat("hi"))]) {
        gateway.reset()
        const call = yield* Effect.fork(Effect.flip(run))
        const error = timeout(yield* endsAt(call, 5000))
        assert.strictEqual(error.phase, "total")
        assert.strictEqual(error.during, "connect")
        assert.strictEqual(error.provider, "google-ai-studio")
        assert.deepStrictEqual(
          gateway.requests().map((request) => request.aborted),
          [false, false, true]
        )
        yield* nothingLeft(gateway)
        yield* pass("1 day")
        assert.strictEqual(gateway.requests().length, 3)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends a stream before its first content, while it waits for headers or for events", () => {
    const { gateway, layer } = setup({
      openai: script([hang, LocalGateway.stallAfter(ok, 1)]),
      anthropic: always(ok)
    })
    const model = ChatModel.withTimeouts(openai, { total: "3 seconds" })
    return Effect.gen(function* () {
      for (const during of ["connect", "stream"]) {
        const call = yield* Effect.fork(Effect.flip(Stream.runDrain(model.streamChat("hi"))))
        const error = yield* endsAt(call, 3000)
        assert.strictEqual(error._tag, "ModelTimeout")
        assert.strictEqual(timeout(error).during, during)
        assert.isTrue(gateway.requests().at(-1)?.aborted)
        yield* nothingLeft(gateway)
      }
      assert.strictEqual(gateway.requests().length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends a stream after its first content as StreamBroken, whose cause is the clock", () => {
    const { gateway, layer } = setup({ openai: always(slow), anthropic: always(ok) })
    const list = ChatModel.firstSuccessOf([openai, anthropic]).pipe(
      ChatModel.withTimeouts({ total: "3 seconds" })
    )
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(Stream.runDrain(list.streamChat("hi"))))
      const error = yield* endsAt(call, 3000)
      assert.strictEqual(error._tag, "StreamBroken")
      assert.strictEqual(timeout(error).phase, "total")
      assert.strictEqual(timeout(error).during, "stream")
      assert.deepStrictEqual(error._tag === "StreamBroken" && error.delivered, {
        text: "one",
        reasoning: "",
        events: 2
      })
      assert.strictEqual(gateway.requests().length, 1)
      assert.isTrue(gateway.requests()[0]?.aborted)
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("of one leg ends that leg only: the next one answers", () => {
    const { gateway, layer } = setup({ openai: always(hang), anthropic: always(ok) })
    const list = ChatModel.firstSuccessOf([ChatModel.withTimeouts(openai, { total: "2 seconds" }), anthropic])
    return Effect.gen(function* () {
      for (const run of [list.chat("hi"), ChatModel.collect(list.streamChat("hi"))]) {
        const call = yield* Effect.fork(run)
        const answer = yield* endsAt(call, 2000)
        assert.strictEqual(answer.provider, "anthropic")
        assert.strictEqual(timeout(answer.attempts[0]?.error ?? assert.fail()).phase, "total")
        yield* nothingLeft(gateway)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("of an outer model and of an inner one: the shorter one ends the call", () => {
    const { gateway, layer } = setup({ openai: always(hang) })
    return Effect.gen(function* () {
      for (const [inner, outer] of [
        ["2 seconds", "5 seconds"],
        ["5 seconds", "2 seconds"]
      ] as const) {
        const model = openai.pipe(
          ChatModel.withTimeouts({ total: inner }),
          ChatModel.withTimeouts({ total: outer })
        )
        for (const run of [model.chat("hi"), Stream.runDrain(model.streamChat("hi"))]) {
          const call = yield* Effect.fork(Effect.flip(run))
          assert.strictEqual(Duration.toMillis(timeout(yield* endsAt(call, 2000)).limit ?? 0), 2000)
          yield* nothingLeft(gateway)
        }
      }
    }).pipe(Effect.provide(layer))
  })
})

describe("87. the first-event clock", () => {
  const silent: ReadonlyArray<readonly [string, LocalGateway.Reply, LocalGateway.Reply]> = [
    ["no headers", hang, hang],
    ["headers and then nothing", LocalGateway.stallAfter(ok, 0), LocalGateway.stallAfter(ok, 0)],
    [
      "comments and pings only",
      LocalGateway.keepAlives(ok, 1000, { every: "1 second" }),
      LocalGateway.keepAlives(ok, 1000, { every: "1 second" })
    ],
    ["a preamble and then nothing", LocalGateway.stallAfter(ok, 1), LocalGateway.stallAfter(ok, 2)],
    [
      "empty deltas",
      text("x", { chunks: Array.from({ length: 1000 }, () => ""), delay: "1 second" }),
      text("x", { chunks: Array.from({ length: 1000 }, () => ""), delay: "1 second" })
    ]
  ]
  for (const [name, ofOpenAi, ofAnthropic] of silent) {
    it.effect(`moves on after ${name}, and starts anew for the next leg`, () => {
      const { gateway, layer } = setup({
        openai: always(ofOpenAi),
        anthropic: always(ofAnthropic),
        "google-ai-studio": always(LocalGateway.delayed(ok, Duration.millis(4999)))
      })
      const list = ChatModel.firstSuccessOf([openai, anthropic, google]).pipe(
        ChatModel.withTimeouts({ firstEvent: "5 seconds" })
      )
      return Effect.gen(function* () {
        const call = yield* Effect.fork(ChatModel.collect(list.streamChat("hi")))
        yield* pass(4999)
        assert.strictEqual(gateway.requests().length, 1)
        yield* pass(1)
        assert.strictEqual(gateway.requests().length, 2)
        assert.isTrue(gateway.requests()[0]?.aborted)
        yield* pass(4999)
        assert.strictEqual(gateway.requests().length, 2)
        yield* pass(1)
        assert.strictEqual(gateway.requests().length, 3)
        yield* pass(4999)
        const answer = yield* Fiber.join(call)
        assert.strictEqual(answer.text, "fine")
        assert.deepStrictEqual(
          answer.attempts.map(({ error }) => [error._tag, timeout(error).phase]),
          [
            ["ModelTimeout", "firstEvent"],
            ["ModelTimeout", "firstEvent"]
          ]
        )
        yield* nothingLeft(gateway)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a leg's own limit comes before the list's, the last leg's included", () => {
    const { gateway, layer } = setup({
      openai: always(hang),
      anthropic: always(LocalGateway.delayed(ok, "20 seconds"))
    })
    const list = ChatModel.firstSuccessOf([
      OpenAi.model("gpt-4.1-mini", { timeouts: { firstEvent: "2 seconds" } }),
      ChatModel.withTimeouts(anthropic, { firstEvent: "30 seconds" })
    ]).pipe(ChatModel.withTimeouts({ firstEvent: "10 seconds" }))
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(list.streamChat("hi")))
      yield* pass(1999)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(1)
      assert.strictEqual(gateway.requests().length, 2)
      assert.strictEqual((yield* endsAt(call, 20_000)).provider, "anthropic")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the last leg's clock ends the call, typed", () => {
    const { gateway, layer } = setup({ openai: always(hang) })
    const list = ChatModel.firstSuccessOf([openai]).pipe(ChatModel.withTimeouts({ firstEvent: "2 seconds" }))
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(Stream.runDrain(list.streamChat("hi"))))
      const error = yield* endsAt(call, 2000)
      assert.strictEqual(error._tag, "AllProvidersFailed")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("starts anew for each retry", () => {
    const { gateway, layer } = setup({
      openai: script([LocalGateway.delayed(status(503), "4 seconds"), LocalGateway.delayed(ok, "4 seconds")])
    })
    const model = openai.pipe(
      ChatModel.withTimeouts({ firstEvent: "5 seconds" }),
      ChatModel.retry(Schedule.recurs(1))
    )
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(model.streamChat("hi")))
      assert.strictEqual((yield* endsAt(call, 8000)).text, "fine")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not run after the first content", () => {
    const { gateway, layer } = setup({ openai: always(text("one two three", { delay: "20 seconds" })) })
    const model = ChatModel.withTimeouts(openai, { firstEvent: "5 seconds" })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(model.streamChat("hi")))
      assert.strictEqual((yield* endsAt(call, 40_000)).text, "one two three")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })
})

describe("the idle clock", () => {
  it.effect("breaks a stream that has gone silent: StreamBroken with the clock as its cause", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.stallAfter(text("one two three"), 3)) })
    const model = ChatModel.withTimeouts(openai, { idle: "7 seconds" })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(Stream.runDrain(model.streamChat("hi"))))
      const error = yield* endsAt(call, 7000)
      assert.strictEqual(error._tag, "StreamBroken")
      assert.strictEqual(timeout(error).phase, "idle")
      assert.strictEqual(timeout(error).during, "stream")
      assert.strictEqual(error._tag === "StreamBroken" && error.delivered.text, "one two")
      assert.isTrue(gateway.requests()[0]?.aborted)
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("before the first content it moves on", () => {
    const { gateway, layer } = setup({
      openai: always(LocalGateway.stallAfter(ok, 1)),
      anthropic: always(ok)
    })
    const list = ChatModel.firstSuccessOf([openai, anthropic]).pipe(
      ChatModel.withTimeouts({ idle: "7 seconds" })
    )
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(list.streamChat("hi")))
      const answer = yield* endsAt(call, 7000)
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(timeout(answer.attempts[0]?.error ?? assert.fail()).phase, "idle")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("any byte resets it: comments between, and single bytes of one event", () => {
    const sse = [
      'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n',
      ": still here\n\n",
      ":",
      " ",
      "\n\n",
      'data: {"choices":[{"index":0,',
      '"delta":{"content":" two"},"finish_reason":"stop"}]}',
      "\n",
      "\n",
      "data: [DONE]\n\n"
    ]
    const { gateway, layer } = setup({
      openai: always(
        LocalGateway.raw({
          headers: { "content-type": "text/event-stream" },
          body: sse,
          delay: "6 seconds"
        })
      )
    })
    const patient = ChatModel.withTimeouts(openai, { idle: Duration.millis(6001) })
    const hasty = ChatModel.withTimeouts(openai, { idle: Duration.millis(5999) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(patient.streamChat("hi")))
      yield* pass("1 minute")
      assert.strictEqual((yield* Fiber.join(call)).text, "one two")
      const broken = yield* Effect.fork(Effect.flip(ChatModel.collect(hasty.streamChat("hi"))))
      assert.strictEqual(timeout(yield* endsAt(broken, 5999)).phase, "idle")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a slow consumer does not trip it: it runs only while bytes are waited for", () => {
    const { gateway, layer } = setup({ openai: always(text("one two three")) })
    const model = ChatModel.withTimeouts(openai, { idle: "5 seconds" })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(
        Stream.runForEach(model.streamChat("hi"), () => Effect.sleep("1 minute"))
      )
      yield* pass("1 hour")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(call)))
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("after a slow consumer it starts from the next wait, whole", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.stallAfter(text("one two"), 2)) })
    const model = ChatModel.withTimeouts(openai, { idle: "5 seconds" })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(
        Effect.flip(
          Stream.runForEach(model.streamChat("hi"), (event) =>
            event._tag === "TextDelta" ? Effect.sleep("57 seconds") : Effect.void
          )
        )
      )
      assert.strictEqual(timeout(yield* endsAt(call, 62_000)).phase, "idle")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })
})

describe("what holds where nothing is set", () => {
  it.effect("5 minutes to the first content", () => {
    const { gateway, layer } = setup({ openai: always(hang) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(Stream.runDrain(openai.streamChat("hi"))))
      const error = timeout(yield* endsAt(call, 5 * 60_000))
      assert.strictEqual(error.phase, "firstEvent")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("2 minutes between two reads", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.stallAfter(text("one two"), 2)) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(Stream.runDrain(openai.streamChat("hi"))))
      assert.strictEqual(timeout(yield* endsAt(call, 2 * 60_000)).phase, "idle")
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("10 minutes for a chat, a list counted as one call", () => {
    const { gateway, layer } = setup({
      openai: always(LocalGateway.delayed(status(400), "6 minutes")),
      anthropic: always(hang)
    })
    return Effect.gen(function* () {
      for (const model of [anthropic, ChatModel.firstSuccessOf([openai, anthropic])]) {
        const call = yield* Effect.fork(Effect.flip(model.chat("hi")))
        assert.strictEqual(timeout(yield* endsAt(call, 10 * 60_000)).phase, "total")
        yield* nothingLeft(gateway)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("no limit for the whole of a stream", () => {
    const chunks = Array.from({ length: 10 }, () => "word ")
    const { gateway, layer } = setup({ openai: always(text("all", { chunks, delay: "119 seconds" })) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(openai.streamChat("hi")))
      for (let i = 0; i < 8; i++) yield* pass("119 seconds")
      assert.strictEqual((yield* endsAt(call, 119_000)).text, "word ".repeat(10))
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })

  it.effect("Duration.infinity turns each clock off", () => {
    const { gateway, layer } = setup({
      openai: always(LocalGateway.delayed(text("one two", { delay: "3 days" }), "3 days"))
    })
    const off = { firstEvent: Duration.infinity, idle: Duration.infinity, total: Duration.infinity }
    return Effect.gen(function* () {
      for (const model of [
        ChatModel.withTimeouts(openai, off),
        OpenAi.model("gpt-4.1-mini", { timeouts: off })
      ]) {
        const chat = yield* Effect.fork(model.chat("hi"))
        assert.strictEqual((yield* endsAt(chat, 3 * 86_400_000)).text, "one two")
        const stream = yield* Effect.fork(ChatModel.collect(model.streamChat("hi")))
        assert.strictEqual((yield* endsAt(stream, 6 * 86_400_000)).text, "one two")
        yield* nothingLeft(gateway)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("an inner Duration.infinity does not turn an outer limit off", () => {
    const { gateway, layer } = setup({ openai: always(hang) })
    const model = openai.pipe(
      ChatModel.withTimeouts({ total: Duration.infinity }),
      ChatModel.withTimeouts({ total: "5 seconds" })
    )
    return Effect.gen(function* () {
      for (const run of [model.chat("hi"), Stream.runDrain(model.streamChat("hi"))]) {
        const call = yield* Effect.fork(Effect.flip(run))
        assert.strictEqual(timeout(yield* endsAt(call, 5000)).phase, "total")
      }
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })
})

describe("clocks that are set wrongly", () => {
  const wrong: ReadonlyArray<readonly [string, unknown]> = [
    ["zero", "0 seconds"],
    ["a negative one", "-1 seconds"],
    ["a number without a unit", 30],
    ["no duration at all", "soon"],
    ["null", null]
  ]
  for (const [name, value] of wrong) {
    for (const field of ["firstEvent", "idle", "total"] as const) {
      it.effect(`${field}: ${name} is InvalidRequest, and nothing is sent`, () => {
        const { gateway, layer } = setup({})
        const timeouts = { [field]: value } as ChatModel.Timeouts
        return Effect.gen(function* () {
          for (const model of [
            ChatModel.withTimeouts(openai, timeouts),
            OpenAi.model("gpt-4.1-mini", { timeouts }),
            ChatModel.firstSuccessOf([ChatModel.withTimeouts(openai, timeouts), anthropic])
          ]) {
            for (const run of [model.chat("hi"), Stream.runDrain(model.streamChat("hi"))]) {
              const error = yield* Effect.flip(run)
              assert.strictEqual(error._tag, "InvalidRequest")
              assert.strictEqual(error._tag === "InvalidRequest" && error.field, `timeouts.${field}`)
            }
          }
          assert.strictEqual(gateway.requests().length, 0)
        }).pipe(Effect.provide(layer))
      })
    }
  }
})

describe("88. no fiber stays behind", () => {
  const outcomes: ReadonlyArray<readonly [string, LocalGateway.Reply]> = [
    ["an answer", ok],
    ["an HTTP error", status(400)],
    ["an error event", LocalGateway.errorEvent(text("one two"), 2, { status: 400 })],
    ["a stream that breaks", LocalGateway.dropAfter(text("one two three"), 3)],
    ["no connection", LocalGateway.disconnect]
  ]
  for (const [name, reply] of outcomes) {
    it.effect(`after ${name}`, () => {
      const { gateway, layer } = setup({ openai: always(reply) })
      const model = openai.pipe(
        ChatModel.retry(Schedule.recurs(0)),
        ChatModel.withTimeouts({ total: "1 hour", firstEvent: "1 hour", idle: "1 hour" })
      )
      return Effect.gen(function* () {
        for (const run of [
          model.chat("hi"),
          Stream.runDrain(model.streamChat("hi")),
          Stream.runDrain(Stream.take(model.streamChat("hi"), 1))
        ]) {
          yield* Effect.exit(run)
          yield* nothingLeft(gateway)
        }
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a hundred calls leave not one more fiber than one call", () => {
    const { gateway, layer } = setup({})
    return Effect.gen(function* () {
      const model = ChatModel.withTimeouts(openai, { total: "1 hour" })
      for (let i = 0; i < 100; i++) {
        yield* model.chat("hi")
        yield* Stream.runDrain(model.streamChat("hi"))
      }
      yield* nothingLeft(gateway)
    }).pipe(Effect.provide(layer))
  })
})

describe("content that comes at the last moment", () => {
  it.effect("counts: the first-event clock does not fire between its arrival and its notice", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const limits = { ...Clocks.noLimits, firstEvent: 1000, idle: 5000 }
      const clocks = new Clocks.Clocks(clock, limits, Clocks.startProgress())
      const answers: Array<string> = []
      clocks.waitForBytes((timeout) => answers.push(timeout.phase))
      yield* TestClock.adjust("1 second")
      clocks.waited()
      assert.isAbove(clocks.check(), 0)
      assert.isUndefined(clocks.fired)
      clocks.committed()
      clocks.waitForBytes((timeout) => answers.push(timeout.phase))
      assert.strictEqual(clocks.check(), 5000)
      yield* TestClock.adjust("5 seconds")
      clocks.check()
      assert.deepStrictEqual(answers, ["idle"])
    })
  )

  it.effect("does not count: while something is still waited for, the clock fires", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const clocks = new Clocks.Clocks(
        clock,
        { ...Clocks.noLimits, firstEvent: 1000 },
        Clocks.startProgress()
      )
      const answers: Array<string> = []
      clocks.wait((timeout) => answers.push(timeout.phase))
      yield* TestClock.adjust("1 second")
      clocks.check()
      assert.deepStrictEqual(answers, ["firstEvent"])
    })
  )
})
