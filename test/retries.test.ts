import { assert, describe, it } from "@effect/vitest"
import {
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Redacted,
  Ref,
  Schedule,
  Stream,
  TestClock,
  TestServices
} from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi
} from "effect-ai-gateway"

const setup = (upstreams: NonNullable<LocalGateway.Options["upstreams"]>) => {
  const gateway = LocalGateway.make({ upstreams })
  const layer = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer()).pipe(
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

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")
const google = GoogleAiStudio.model("gemini-2.5-flash")

const { always, script, status, text } = LocalGateway
const ok = text("fine")
const every = (time: Duration.DurationInput, times: number) =>
  Schedule.intersect(Schedule.spaced(time), Schedule.recurs(times))

const rateLimited = (headers: Record<string, string>, body?: unknown) =>
  status(429, { headers, ...(body === undefined ? {} : { body }) })

describe("when a server says how long to wait", () => {
  const cases: ReadonlyArray<readonly [string, LocalGateway.Reply, number]> = [
    ["seconds", rateLimited({ "retry-after": "2" }), 2000],
    ["milliseconds", rateLimited({ "retry-after-ms": "1501" }), 1501],
    ["milliseconds beside seconds", rateLimited({ "retry-after-ms": "1501", "retry-after": "2" }), 1501],
    ["an HTTP date", rateLimited({ "retry-after": "Thu, 01 Jan 1970 00:00:07 GMT" }), 7000],
    ["a 503 with seconds", status(503, { headers: { "retry-after": "3" } }), 3000]
  ]
  for (const [name, reply, millis] of cases) {
    it.effect(`81. a retry comes not a millisecond early, and no later: ${name}`, () => {
      const { gateway, layer } = setup({ openai: script([reply], ok) })
      return Effect.gen(function* () {
        const call = yield* Effect.fork(ChatModel.retry(openai, every("100 millis", 2)).chat("hi"))
        yield* pass(millis - 1)
        assert.strictEqual(gateway.requests().length, 1)
        yield* pass(1)
        assert.strictEqual(gateway.requests().length, 2)
        assert.strictEqual((yield* Fiber.join(call)).text, "fine")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("81. Google says it in the body: RetryInfo counts", () => {
    const reply = status(429, {
      body: {
        error: {
          code: 429,
          message: "Resource exhausted",
          status: "RESOURCE_EXHAUSTED",
          details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3.5s" }]
        }
      }
    })
    const { gateway, layer } = setup({ "google-ai-studio": script([reply], ok) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(google.chat("hi"))
      yield* pass(3499)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(1)
      assert.strictEqual(gateway.requests().length, 2)
      assert.strictEqual((yield* Fiber.join(call)).text, "fine")
    }).pipe(Effect.provide(layer))
  })

  it.effect("81. a stream waits as long as a chat does", () => {
    const { gateway, layer } = setup({ openai: script([rateLimited({ "retry-after": "2" })], ok) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(openai.streamChat("hi")))
      yield* pass(1999)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(1)
      assert.strictEqual(gateway.requests().length, 2)
      assert.strictEqual((yield* Fiber.join(call)).text, "fine")
    }).pipe(Effect.provide(layer))
  })

  it.effect("81. each answer's own wait counts, not the first one's", () => {
    const replies = [rateLimited({ "retry-after": "1" }), rateLimited({ "retry-after": "4" })]
    const { gateway, layer } = setup({ openai: script(replies, ok) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.retry(openai, every("100 millis", 2)).chat("hi"))
      yield* pass(1000)
      assert.strictEqual(gateway.requests().length, 2)
      yield* pass(3999)
      assert.strictEqual(gateway.requests().length, 2)
      yield* pass(1)
      assert.strictEqual(gateway.requests().length, 3)
      yield* Fiber.join(call)
    }).pipe(Effect.provide(layer))
  })

  it.effect("81. a schedule that waits longer than the server asks keeps its own wait", () => {
    const { gateway, layer } = setup({ openai: script([rateLimited({ "retry-after": "1" })], ok) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.retry(openai, every("5 seconds", 2)).chat("hi"))
      yield* pass(4999)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(1)
      assert.strictEqual(gateway.requests().length, 2)
      yield* Fiber.join(call)
    }).pipe(Effect.provide(layer))
  })

  for (const value of ["soon", "-3", "NaN", "", "Wed, 31 Dec 1969 23:59:59 GMT"]) {
    it.effect(`81. what cannot be waited for ("${value}") leaves the client's own back-off`, () => {
      const { gateway, layer } = setup({ openai: script([rateLimited({ "retry-after": value })], ok) })
      return Effect.gen(function* () {
        const call = yield* Effect.fork(ChatModel.retry(openai, every("700 millis", 2)).chat("hi"))
        yield* pass(699)
        assert.strictEqual(gateway.requests().length, 1)
        yield* pass(1)
        assert.strictEqual((yield* Fiber.join(call)).text, "fine")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("82. a wait of 120 seconds is not made, and not cut short: the error carries it", () => {
    const { gateway, layer } = setup({ openai: always(rateLimited({ "retry-after": "120" })) })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(openai.chat("hi"))
      assert.strictEqual(error._tag, "RateLimited")
      assert.strictEqual(error._tag === "RateLimited" && Duration.toMillis(error.retryAfter ?? 0), 120_000)
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("82. in a list the next leg is asked at once instead", () => {
    const { gateway, layer } = setup({
      openai: always(rateLimited({ "retry-after": "120" })),
      anthropic: always(ok)
    })
    return Effect.gen(function* () {
      const answer = yield* ChatModel.firstSuccessOf([openai, anthropic]).chat("hi")
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(gateway.requests().length, 2)
      assert.strictEqual(answer.attempts[0]?.error._tag, "RateLimited")
    }).pipe(Effect.provide(layer))
  })

  it.effect("82. the longest wait can be set; exactly that long is still waited for", () => {
    const { gateway, layer } = setup({ openai: script([rateLimited({ "retry-after": "120" })], ok) })
    return Effect.gen(function* () {
      const patient = ChatModel.retry(openai, Schedule.recurs(1), { maxRetryAfter: "2 minutes" })
      const call = yield* Effect.fork(patient.chat("hi"))
      yield* pass(119_999)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(1)
      assert.strictEqual((yield* Fiber.join(call)).text, "fine")
      gateway.reset()
      const hasty = ChatModel.retry(openai, Schedule.recurs(1), { maxRetryAfter: "119 seconds" })
      assert.strictEqual((yield* Effect.flip(hasty.chat("hi")))._tag, "RateLimited")
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("how often", () => {
  it.effect("83. by default there are two retries, after about half a second and one second", () => {
    const { gateway, layer } = setup({ openai: always(status(503)) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.exit(openai.chat("hi")))
      yield* pass(399)
      assert.strictEqual(gateway.requests().length, 1)
      yield* pass(201)
      assert.strictEqual(gateway.requests().length, 2)
      const second = gateway.requests()[1]?.at ?? 0
      assert.isTrue(second >= 400 && second <= 600)
      yield* pass("2 seconds")
      assert.strictEqual(gateway.requests().length, 3)
      const third = (gateway.requests()[2]?.at ?? 0) - second
      assert.isTrue(third >= 800 && third <= 1200)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(call)))
      yield* pass("1 hour")
      assert.strictEqual(gateway.requests().length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("83. Schedule.recurs(0) is exactly one request, of a chat and of a stream", () => {
    const { gateway, layer } = setup({ openai: always(status(503)) })
    const once = ChatModel.retry(openai, Schedule.recurs(0))
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(once.chat("hi")))._tag, "ProviderFailure")
      assert.strictEqual(gateway.requests().length, 1)
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(once.streamChat("hi"))))._tag, "ProviderFailure")
      assert.strictEqual(gateway.requests().length, 2)
    }).pipe(Effect.provide(layer))
  })

  for (const retries of [0, 1, 4]) {
    it.effect(`83. a schedule of ${retries} retries is exactly ${retries + 1} requests`, () => {
      const { gateway, layer } = setup({ openai: always(status(500)) })
      return Effect.gen(function* () {
        yield* Effect.flip(ChatModel.retry(openai, Schedule.recurs(retries)).chat("hi"))
        assert.strictEqual(gateway.requests().length, retries + 1)
      }).pipe(Effect.provide(layer))
    })
  }

  const final: ReadonlyArray<readonly [string, LocalGateway.Reply, AiGatewayError.AiGatewayError["_tag"]]> = [
    ["400", status(400), "BadRequest"],
    ["401", status(401), "Unauthorized"],
    ["402", status(402), "QuotaExceeded"],
    ["403", status(403), "Unauthorized"],
    ["404", status(404), "ModelNotFound"],
    ["422", status(422), "BadRequest"],
    [
      "429 for a quota",
      status(429, { body: { error: { message: "You exceeded your quota", code: "insufficient_quota" } } }),
      "QuotaExceeded"
    ],
    ["a blocked prompt", LocalGateway.guardrail("prompt"), "ContentBlocked"],
    ["200 that is no JSON", LocalGateway.raw({ body: "surprise" }), "MalformedResponse"]
  ]
  for (const [name, reply, tag] of final) {
    it.effect(`83. what cannot pass is never retried: ${name}`, () => {
      const { gateway, layer } = setup({ openai: always(reply) })
      return Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(openai.chat("hi")))._tag, tag)
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(openai.streamChat("hi"))))._tag, tag)
        assert.strictEqual(gateway.requests().length, 2)
      }).pipe(Effect.provide(layer))
    })
  }

  const passing: ReadonlyArray<readonly [string, LocalGateway.Reply]> = [
    ["408", status(408)],
    ["409", status(409)],
    ["429", status(429)],
    ["500", status(500)],
    ["502", status(502)],
    ["524 of the edge", LocalGateway.edgeHtml(524)],
    ["529", status(529)],
    ["no connection", LocalGateway.disconnect],
    ["a body that breaks off", LocalGateway.dropAfter(text("one two three"), 1)]
  ]
  for (const [name, reply] of passing) {
    it.effect(`83. what may pass is retried: ${name}`, () => {
      const { gateway, layer } = setup({ openai: script([reply], ok) })
      const model = ChatModel.retry(openai, Schedule.recurs(1))
      return Effect.gen(function* () {
        assert.strictEqual((yield* model.chat("hi")).text, "fine")
        assert.strictEqual(gateway.requests().length, 2)
        gateway.reset()
        assert.strictEqual((yield* ChatModel.collect(model.streamChat("hi"))).text, "fine")
        assert.strictEqual(gateway.requests().length, 2)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("83. each leg of a list has its own two retries", () => {
    const { gateway, layer } = setup({ openai: always(status(503)), anthropic: always(status(529)) })
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(ChatModel.firstSuccessOf([openai, anthropic]).chat("hi")))
      yield* pass("10 seconds")
      const error = yield* Fiber.join(call)
      assert.strictEqual(error._tag, "AllProvidersFailed")
      assert.deepStrictEqual(
        gateway.requests().map((request) => request.provider),
        ["openai", "openai", "openai", "anthropic", "anthropic", "anthropic"]
      )
      assert.strictEqual(error._tag === "AllProvidersFailed" && error.attempts.length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("83. the schedule starts anew for each call", () => {
    const { gateway, layer } = setup({ openai: always(status(503)) })
    const model = ChatModel.retry(openai, Schedule.recurs(1))
    return Effect.gen(function* () {
      for (let call = 1; call <= 3; call++) {
        yield* Effect.flip(model.chat("hi"))
        assert.strictEqual(gateway.requests().length, 2 * call)
      }
    }).pipe(Effect.provide(layer))
  })
})

describe("who owns retrying", () => {
  for (const name of ["the request", "the region", "the gateway"]) {
    it.effect(`84. with the gateway's retries set by ${name} the client makes one request`, () => {
      const gateway = LocalGateway.make({ upstreams: { openai: always(status(503)) } })
      const retries = { maxAttempts: 3, delay: "10 millis" } as const
      const layer = OpenAi.layer().pipe(
        Layer.provideMerge(
          AiGateway.layer({
            accountId: "local-account",
            gatewayId: "local-gateway",
            token: Redacted.make("local-token"),
            ...(name === "the gateway" ? { defaults: { retries } } : {})
          })
        ),
        Layer.provideMerge(LocalGateway.layerFrom(gateway))
      )
      const model = ChatModel.retry(openai, Schedule.recurs(5))
      const request = name === "the request" ? { prompt: "hi", options: { retries } } : "hi"
      const scope = name === "the region" ? { retries } : {}
      return Effect.gen(function* () {
        const call = yield* Effect.fork(Effect.flip(AiGateway.withOptions(model.chat(request), scope)))
        yield* pass("10 seconds")
        assert.strictEqual((yield* Fiber.join(call))._tag, "ProviderFailure")
        assert.strictEqual(gateway.requests().length, 1)
        assert.strictEqual(gateway.upstreamRequests().length, 3)
        const stream = yield* Effect.fork(
          Effect.flip(AiGateway.withOptions(Stream.runDrain(model.streamChat(request)), scope))
        )
        yield* pass("10 seconds")
        assert.strictEqual((yield* Fiber.join(stream))._tag, "ProviderFailure")
        assert.strictEqual(gateway.requests().length, 2)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("ChatModel.retry on a list replaces the schedule of every leg", () => {
    const { gateway, layer } = setup({ openai: always(status(503)), anthropic: always(status(503)) })
    const list = ChatModel.firstSuccessOf([
      ChatModel.retry(openai, Schedule.recurs(4)),
      ChatModel.firstSuccessOf([anthropic])
    ]).pipe(ChatModel.retry(Schedule.recurs(1)))
    return Effect.gen(function* () {
      yield* Effect.flip(list.chat("hi"))
      assert.strictEqual(gateway.requests().length, 4)
      yield* Effect.flip(Stream.runDrain(list.streamChat("hi")))
      assert.strictEqual(gateway.requests().length, 8)
    }).pipe(Effect.provide(layer))
  })

  it.effect("ChatModel.retry: the outermost counts", () => {
    const { gateway, layer } = setup({ openai: always(status(503)) })
    const model = openai.pipe(
      ChatModel.retry(Schedule.recurs(5)),
      ChatModel.retry(Schedule.recurs(3)),
      ChatModel.retry(Schedule.recurs(0))
    )
    return Effect.gen(function* () {
      yield* Effect.flip(model.chat("hi"))
      yield* Effect.flip(Stream.runDrain(model.streamChat("hi")))
      assert.strictEqual(gateway.requests().length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("AllProvidersFailed is never retried: a list inside a list is walked once", () => {
    const { gateway, layer } = setup({ openai: always(status(400)), anthropic: always(status(400)) })
    const list = ChatModel.firstSuccessOf([ChatModel.firstSuccessOf([openai, anthropic])]).pipe(
      ChatModel.retry(Schedule.recurs(5))
    )
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(list.chat("hi")))._tag, "AllProvidersFailed")
      assert.strictEqual(gateway.requests().length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("the client's own clocks are never retried on the leg: the next leg is asked", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.hang), anthropic: always(ok) })
    const list = ChatModel.firstSuccessOf([openai, anthropic]).pipe(
      ChatModel.withTimeouts({ firstEvent: "3 seconds" }),
      ChatModel.retry(Schedule.recurs(5))
    )
    return Effect.gen(function* () {
      const call = yield* Effect.fork(ChatModel.collect(list.streamChat("hi")))
      yield* pass("3 seconds")
      const answer = yield* Fiber.join(call)
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.attempts[0]?.error._tag, "ModelTimeout")
      assert.strictEqual(gateway.requests().length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a total clock of one leg is not retried either", () => {
    const { gateway, layer } = setup({ openai: always(LocalGateway.hang) })
    const model = OpenAi.model("gpt-4.1-mini", { timeouts: { total: "1 second" } }).pipe(
      ChatModel.retry(Schedule.recurs(5))
    )
    return Effect.gen(function* () {
      const call = yield* Effect.fork(Effect.flip(model.chat("hi")))
      yield* pass("1 second")
      assert.strictEqual((yield* Fiber.join(call))._tag, "ModelTimeout")
      yield* pass("1 minute")
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("a stream before its first content", () => {
  const broken: ReadonlyArray<readonly [string, LocalGateway.Reply]> = [
    ["an HTTP error", status(503)],
    ["an error event in a 200", LocalGateway.errorEvent(text("never said"), 0)],
    ["an error event after the preamble", LocalGateway.errorEvent(text("never said"), 1)],
    ["truncation right after the headers", LocalGateway.dropAfter(text("never said"), 0)],
    ["truncation after the preamble", LocalGateway.dropAfter(text("never said"), 1)],
    [
      "a clean end that comes too soon",
      LocalGateway.raw({
        headers: { "content-type": "text/event-stream" },
        body: ": nothing\n\n"
      })
    ]
  ]
  for (const [name, reply] of broken) {
    it.effect(`is asked for again after ${name}`, () => {
      const { gateway, layer } = setup({ openai: script([reply], ok), anthropic: script([reply], ok) })
      const retried = ChatModel.retry(Schedule.recurs(1))
      return Effect.gen(function* () {
        for (const run of [
          ChatModel.collect(retried(openai).streamChat("hi")),
          ChatModel.collect(retried(anthropic).streamChat("hi"))
        ]) {
          gateway.reset()
          const answer = yield* run
          assert.strictEqual(answer.text, "fine")
          assert.strictEqual(gateway.requests().length, 2)
          assert.strictEqual(gateway.inFlight(), 0)
        }
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("93. after the first content nothing is retried", () => {
    const { gateway, layer } = setup({
      openai: always(LocalGateway.dropAfter(text("one two three"), 3))
    })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(
        Stream.runDrain(ChatModel.retry(openai, Schedule.recurs(5)).streamChat("hi"))
      )
      assert.strictEqual(error._tag, "StreamBroken")
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("each retry", () => {
  it.effect("is a new request with the same body, and resolves the key again", () => {
    const { gateway, layer } = setup({ openai: always(status(503)) })
    return Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      const provider = OpenAi.make({
        apiKey: Effect.map(
          Ref.updateAndGet(asked, (n) => n + 1),
          (n) => Redacted.make(`sk-number-${n}`)
        )
      })
      const model = openai.pipe(
        ChatModel.provideService(OpenAi.OpenAi, provider),
        ChatModel.retry(Schedule.recurs(2))
      )
      yield* Effect.flip(model.chat("hi"))
      assert.deepStrictEqual(
        gateway.requests().map((request) => request.headers.authorization),
        ["Bearer sk-number-1", "Bearer sk-number-2", "Bearer sk-number-3"]
      )
      const [first, second] = gateway.requests()
      assert.deepStrictEqual(first?.body, second?.body)
      yield* Effect.flip(Stream.runDrain(model.streamChat("hi")))
      assert.strictEqual(gateway.requests().at(-1)?.headers.authorization, "Bearer sk-number-6")
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "85. an interruption during the back-off ends the call within the tick; no further request",
    () => {
      const { gateway, layer } = setup({ openai: always(status(503)) })
      return Effect.gen(function* () {
        const patient = ChatModel.retry(openai, every("1 hour", 3))
        for (const call of [patient.chat("hi"), Stream.runDrain(patient.streamChat("hi"))]) {
          gateway.reset()
          const fiber = yield* Effect.fork(call)
          yield* pass("1 minute")
          assert.strictEqual(gateway.requests().length, 1)
          const exit = yield* Fiber.interrupt(fiber).pipe(
            Effect.timeoutFail({ onTimeout: () => new Error("did not end"), duration: "1 second" }),
            TestServices.provideLive
          )
          assert.isTrue(Exit.isInterrupted(exit))
          yield* pass("1 day")
          assert.strictEqual(gateway.requests().length, 1)
          assert.strictEqual((yield* Fiber.roots).length, 1)
        }
      }).pipe(Effect.provide(layer))
    }
  )
})
