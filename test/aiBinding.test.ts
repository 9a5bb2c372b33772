/** The run path of a Worker's binding, in Node; `test/workers` has the same with Cloudflare's own code in workerd. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Redacted, Schedule, Stream, TestClock } from "effect"
import * as FastCheck from "effect/FastCheck"
import { AiBinding, AiGateway, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const { always, connections, contentType, crlf, cutAfter, dropAfter, refusesWith, status, text } =
  LocalGateway

const gpt = AiBinding.model("openai/gpt-4.1-mini")
const claude = AiBinding.model("anthropic/claude-haiku-4.5", { maxTokens: 64 })
const llama = AiBinding.model("@cf/meta/llama-3.1-8b-instruct")
const models = { gpt, claude, llama }

interface Call {
  readonly model: string
  readonly inputs: Record<string, unknown>
  readonly options: Parameters<AiBinding.Binding["run"]>[2]
}

/** `env.AI` of a gateway in process, and what it was given. */
class Ai implements AiBinding.Binding {
  readonly calls: Array<Call> = []
  private readonly ai: LocalGateway.LocalAi
  constructor(local: LocalGateway.LocalGateway) {
    this.ai = LocalGateway.aiBinding(local)
  }
  run(model: string, inputs: Record<string, unknown>, options: Call["options"] = {}) {
    this.calls.push({ model, inputs, options })
    return this.ai.run(model, inputs, options)
  }
  fetch(url: string, init?: { readonly signal?: AiBinding.BindingSignal }) {
    return this.ai.fetch(url, init)
  }
  gateway(): never {
    throw new Error("not called")
  }
}

const world = (options: LocalGateway.Options = {}, settings: AiBinding.Settings = {}) => {
  const local = LocalGateway.make(options)
  const ai = new Ai(local)
  return { local, ai, layer: AiBinding.layer(ai, { gatewayId: "local-gateway", ...settings }) }
}

/** A binding that does whatever a test wants. */
const doing = (run: AiBinding.Binding["run"], fetch?: AiBinding.Binding["fetch"]) =>
  AiBinding.layer({ run, gateway: () => undefined, ...(fetch === undefined ? {} : { fetch }) })

const everyone = (upstream: LocalGateway.Upstream): LocalGateway.Options => ({
  upstreams: { openai: upstream, anthropic: upstream, "workers-ai": upstream }
})

const collected = (model: ChatModel.With<AiBinding.AiBinding>) => ChatModel.collect(model.streamChat("hi"))
const unretried = <R>(model: ChatModel.With<R>) => ChatModel.retry(model, Schedule.stop)

describe("what the binding is given", () => {
  it.effect("the model's name, its vendor's native inputs, and a gateway by its name, always", () => {
    const { ai, layer } = world()
    return Effect.gen(function* () {
      for (const model of [gpt, claude, llama]) yield* model.chat("hi")
      assert.deepStrictEqual(
        ai.calls.map(({ model, inputs }) => [model, inputs]),
        [
          ["openai/gpt-4.1-mini", { messages: [{ role: "user", content: "hi" }] }],
          ["anthropic/claude-haiku-4.5", { max_tokens: 64, messages: [{ role: "user", content: "hi" }] }],
          ["@cf/meta/llama-3.1-8b-instruct", { messages: [{ role: "user", content: "hi" }] }]
        ]
      )
      for (const { options } of ai.calls) {
        assert.isTrue(options?.returnRawResponse)
        assert.deepStrictEqual(options?.gateway, { id: "local-gateway" })
        assert.deepStrictEqual(options?.extraHeaders, {})
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("the default gateway where none is named", () => {
    const local = LocalGateway.make()
    const ai = new Ai(local)
    return Effect.gen(function* () {
      yield* gpt.chat("hi")
      assert.strictEqual(ai.calls[0]?.options?.gateway?.id, "default")
    }).pipe(Effect.provide(AiBinding.layer(ai)))
  })

  it.effect("gateway options in the body, and as headers those that the binding does not know", () => {
    const { ai, layer } = world({}, { defaults: { collectLog: true, zdr: true } })
    return Effect.gen(function* () {
      yield* gpt.chat("hi").pipe(
        AiGateway.withOptions({
          skipCache: true,
          metadata: { city: "Zürich", n: 1 },
          eventId: "event-1",
          requestTimeout: "5 seconds",
          retries: { maxAttempts: 2, delay: "1 second", backoff: "linear" },
          customCost: { perTokenIn: 1, perTokenOut: 2 },
          collectLogPayload: false,
          noWholesale: true
        }),
        // There is no key: what was sent is what counts.
        Effect.ignore
      )
      assert.deepStrictEqual(ai.calls[0]?.options?.gateway, {
        id: "local-gateway",
        skipCache: true,
        metadata: { city: "Zürich", n: 1 },
        collectLog: true,
        eventId: "event-1",
        requestTimeoutMs: 5000,
        retries: { maxAttempts: 2, retryDelayMs: 1000, backoff: "linear" }
      })
      assert.deepStrictEqual(ai.calls[0]?.options?.extraHeaders, {
        "cf-aig-collect-log-payload": "false",
        "cf-aig-custom-cost": '{"per_token_in":1,"per_token_out":2}',
        "cf-aig-no-wholesale": "true",
        "cf-aig-zdr": "true"
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("property: metadata arrives as it was given", () =>
    Effect.gen(function* () {
      const scalar = FastCheck.oneof(
        FastCheck.string(),
        FastCheck.boolean(),
        FastCheck.double({ noNaN: true, noDefaultInfinity: true })
      )
      const names = FastCheck.string({ minLength: 1, maxLength: 8 }).filter((name) => !name.startsWith("cf."))
      const any = FastCheck.dictionary(names, scalar, { minKeys: 1, maxKeys: 5, noNullPrototype: true })
      for (const metadata of FastCheck.sample(any, 40)) {
        const { ai, layer } = world()
        yield* gpt.chat("hi").pipe(AiGateway.withOptions({ metadata }), Effect.provide(layer))
        assert.deepStrictEqual(
          ai.calls[0]?.options?.gateway?.metadata,
          JSON.parse(JSON.stringify(metadata)) as typeof metadata
        )
      }
    })
  )

  it.effect("a vendor's own fields stand among its inputs", () => {
    const { ai, layer } = world()
    return Effect.gen(function* () {
      yield* gpt.chat({ prompt: "hi", providerOptions: { openai: { user: "u-1" } } })
      assert.strictEqual(ai.calls[0]?.inputs.user, "u-1")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a request by hand", () => {
    const { ai, layer } = world()
    return Effect.gen(function* () {
      const response = yield* AiBinding.send({
        provider: "workers-ai",
        endpoint: "@cf/meta/llama-3.1-8b-instruct",
        headers: { "x-session-affinity": "s-1" },
        body: { prompt: "hi" }
      })
      assert.property(yield* response.json, "response")
      assert.deepStrictEqual(ai.calls[0]?.options?.extraHeaders, { "x-session-affinity": "s-1" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("inputs that are no JSON object never reach it", () => {
    const { ai, layer } = world()
    return Effect.gen(function* () {
      const endpoint = "@cf/meta/llama-3.1-8b-instruct"
      const tags: Array<string> = []
      for (const body of [undefined, [1], "text", 7, new Uint8Array([1])]) {
        const error = yield* Effect.flip(AiBinding.send({ provider: "workers-ai", endpoint, body }))
        tags.push(error._tag)
      }
      assert.deepStrictEqual(tags, [
        "Unsupported",
        "InvalidRequest",
        "Unsupported",
        "InvalidRequest",
        "Unsupported"
      ])
      assert.strictEqual(ai.calls.length, 0)
    }).pipe(Effect.provide(layer))
  })
})

describe("answers", () => {
  for (const [name, model] of Object.entries(models)) {
    it.effect(`${name}: the same whole and streamed`, () => {
      const { layer } = world(everyone(always(text("Hello you"))))
      return Effect.gen(function* () {
        const whole = yield* model.chat("hi")
        const streamed = yield* collected(model)
        assert.deepStrictEqual([whole.text, streamed.text], ["Hello you", "Hello you"])
        assert.deepStrictEqual(streamed.finishReason, whole.finishReason)
        assert.strictEqual(whole.provider, model.metadata.provider)
        assert.isNumber(streamed.usage.output)
      }).pipe(Effect.provide(layer))
    })

    for (const type of [
      "application/json; charset=utf-8",
      "text/plain",
      "application/octet-stream",
      "application/json"
    ]) {
      it.effect(`${name}: whatever it calls its content (${type})`, () => {
        const { layer } = world(everyone(always(contentType(text("Hello you"), type))))
        return Effect.gen(function* () {
          assert.strictEqual((yield* model.chat("hi")).text, "Hello you")
          assert.strictEqual((yield* collected(model)).text, "Hello you")
        }).pipe(Effect.provide(layer))
      })
    }
  }

  it.effect("121. a stream of the catalogue has a run id, and neither log id nor cache status", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { gateway } = yield* collected(gpt)
      assert.match(gateway.runId ?? "", /^[0-9a-f]{64}$/)
      assert.deepStrictEqual([gateway.logId, gateway.cacheStatus], [undefined, undefined])
      assert.isUndefined((yield* collected(llama)).gateway.runId)
    }).pipe(Effect.provide(layer))
  })
})

describe("45. statuses are checked, and errors are typed", () => {
  const failing = (model: ChatModel.With<AiBinding.AiBinding>, options: LocalGateway.Options) =>
    Effect.flip(unretried(model).chat("hi")).pipe(Effect.provide(world(options).layer))

  const cases = [
    [429, "RateLimited"],
    [401, "Unauthorized"],
    [402, "QuotaExceeded"],
    [404, "ModelNotFound"],
    [500, "ProviderFailure"],
    [529, "ProviderFailure"]
  ] as const
  for (const [code, tag] of cases) {
    it.effect(`${code} of a provider is ${tag}, not an empty answer`, () =>
      Effect.gen(function* () {
        for (const model of [gpt, claude]) {
          const error = yield* failing(model, everyone(always(status(code))))
          assert.strictEqual(error._tag, tag)
        }
      })
    )
  }

  it.effect("a model that the catalogue does not have", () =>
    Effect.gen(function* () {
      const error = yield* failing(AiBinding.model("newvendor/model-1"), {})
      assert.strictEqual(error._tag, "ModelNotFound")
    })
  )

  it.effect(
    "68. a gateway that does not exist ends its own legs, and not those of the gateway's host",
    () => {
      const local = LocalGateway.make()
      const layer = Layer.mergeAll(
        AiBinding.layer(new Ai(local), { gatewayId: "nowhere" }),
        OpenAi.layer(),
        AiGateway.layer({
          accountId: "local-account",
          gatewayId: "local-gateway",
          token: Redacted.make("local-token")
        }).pipe(Layer.provide(LocalGateway.layerFrom(local)))
      )
      return Effect.gen(function* () {
        const alone = yield* Effect.flip(ChatModel.firstSuccessOf([gpt, claude]).chat("hi"))
        assert.strictEqual(alone._tag, "GatewayNotFound")
        const answer = yield* ChatModel.firstSuccessOf([gpt, claude, OpenAi.model("gpt-4.1-mini")]).chat("hi")
        assert.strictEqual(answer.provider, "openai")
        assert.deepStrictEqual(
          answer.attempts.map(({ transport }) => transport),
          ["run"]
        )
      }).pipe(Effect.provide(layer))
    }
  )

  for (const [code, tag] of [
    [3040, "RateLimited"],
    [3036, "QuotaExceeded"],
    [3007, "ModelTimeout"],
    [5007, "ModelNotFound"],
    [5018, "Unauthorized"]
  ] as const) {
    it.effect(`76. ${code}, as a body and thrown by a binding that knows no raw answers, is ${tag}`, () =>
      Effect.gen(function* () {
        const body = { name: "AiError", internalCode: code, httpCode: 400, message: "no", description: "no" }
        const answered = yield* Effect.flip(unretried(llama).chat("hi")).pipe(
          Effect.provide(doing(() => Promise.resolve(Response.json(body, { status: 400 }))))
        )
        const thrown = yield* Effect.flip(unretried(llama).chat("hi")).pipe(
          Effect.provide(doing(() => Promise.reject(new Error(`${code}: no`))))
        )
        assert.deepStrictEqual([answered._tag, thrown._tag], [tag, tag])
      })
    )
  }

  it.effect("a parsed object or a bare stream, where a Response was asked for", () =>
    Effect.gen(function* () {
      for (const given of [{ response: "hi" }, new ReadableStream(), undefined]) {
        const error = yield* Effect.flip(llama.chat("hi")).pipe(
          Effect.provide(doing(() => Promise.resolve(given)))
        )
        assert.strictEqual(error._tag, "MalformedResponse")
        assert.include(error.message, "env.AI.run gave no Response")
      }
    })
  )
})

describe("interruption and clocks", () => {
  it.effect("86. a binding that hangs is ended by the clock and aborted", () => {
    let signal: AiBinding.BindingSignal | undefined
    const layer = doing((_, __, options) => {
      signal = options?.signal
      return new Promise(() => {})
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.flip(ChatModel.withTimeouts(gpt, { total: "3 seconds" }).chat("hi"))
      )
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ModelTimeout")
      assert.isTrue(signal?.aborted)
    }).pipe(Effect.provide(layer))
  })

  it.effect("98. an interrupted stream is cancelled and never resumed", () => {
    const { local, layer } = world(everyone(always(text("one two three four"))), { resume: {} })
    return Effect.gen(function* () {
      const shown = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        Stream.runForEach(gpt.streamChat("hi"), () =>
          Effect.zipRight(Deferred.succeed(shown, undefined), Effect.never)
        )
      )
      yield* Deferred.await(shown)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(local.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("resume", () => {
  const broken = (...plans: Parameters<typeof connections>[1]) =>
    everyone(always(connections(text("one two three four five six"), plans)))
  const froms = (local: LocalGateway.LocalGateway) =>
    local.requests().flatMap(({ url }) => {
      const from = new URL(url).searchParams.get("from")
      return from === null ? [] : [Number(from)]
    })
  /** The same, while virtual time goes on. */
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(
      effect,
      Effect.forever(
        Effect.zipRight(
          TestClock.adjust("1 second"),
          Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))
        )
      )
    )
  const resuming = [
    AiBinding.model("openai/gpt-4.1-mini", { resume: {} }),
    AiBinding.model("anthropic/claude-haiku-4.5", { maxTokens: 64, resume: {} })
  ]

  for (const model of resuming) {
    it.effect(`102. ${model.metadata.model}: a drop after three events asks once, from the third`, () => {
      const { local, layer } = world(broken(cutAfter(3)))
      return Effect.gen(function* () {
        assert.strictEqual((yield* inTime(collected(model))).text, "one two three four five six")
        assert.deepStrictEqual(froms(local), [3])
      }).pipe(Effect.provide(layer))
    })

    it.effect(`103. ${model.metadata.model}: half an event is thrown away and comes once`, () => {
      const { local, layer } = world(broken(cutAfter(3, { bytes: 12 }), cutAfter(1, { bytes: 5 })))
      return Effect.gen(function* () {
        assert.strictEqual((yield* inTime(collected(model))).text, "one two three four five six")
        assert.deepStrictEqual(froms(local), [3, 4])
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("101. without a drop nothing is asked again", () => {
    const { local, layer } = world(everyone(always(text("one two"))))
    return Effect.gen(function* () {
      for (const model of resuming) assert.strictEqual((yield* collected(model)).text, "one two")
      assert.deepStrictEqual(froms(local), [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("111. lines that end in CRLF resume likewise", () => {
    const { local, layer } = world(
      everyone(always(connections(crlf(text("one two three four five six")), [cutAfter(3)])))
    )
    return Effect.gen(function* () {
      for (const model of resuming)
        assert.strictEqual((yield* inTime(collected(model))).text, "one two three four five six")
      assert.deepStrictEqual(froms(local), [3, 3])
    }).pipe(Effect.provide(layer))
  })

  it.effect("104. without a run id, what came and a typed failure, and nothing is asked", () => {
    const { local, layer } = world({
      ...everyone(always(dropAfter(text("one two three four"), 3))),
      runs: { ids: false }
    })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(resuming[0]?.streamChat("hi") ?? Stream.empty))
      assert.strictEqual(error._tag === "StreamBroken" && error.cause._tag, "TransportFailure")
      assert.deepStrictEqual(froms(local), [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("105. a run that is gone: expired, or accepted as it is", () => {
    const { layer } = world(broken(cutAfter(3), refusesWith(404)))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(inTime(Stream.runDrain(resuming[0]?.streamChat("hi") ?? Stream.empty)))
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag !== "StreamBroken" || error.cause._tag !== "ResumeFailed")
        return assert.fail(String(error))
      assert.deepStrictEqual([error.cause.reason, error.cause.from], ["expired", 3])
      const accepting = AiBinding.model("openai/gpt-4.1-mini", { resume: { whenExpired: "accept" } })
      const partial = yield* inTime(collected(accepting))
      assert.include("one two three four five six", partial.text)
      assert.deepStrictEqual([partial.finishReason, partial.rawFinishReason], ["other", "expired"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("109. a budget that is used up names its count", () => {
    const { local, layer } = world(broken(cutAfter(3), ...Array.from({ length: 9 }, () => refusesWith(503))))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(inTime(Stream.runDrain(resuming[0]?.streamChat("hi") ?? Stream.empty)))
      if (error._tag !== "StreamBroken" || error.cause._tag !== "ResumeFailed")
        return assert.fail(String(error))
      assert.deepStrictEqual([error.cause.reason, error.cause.reconnects], ["exhausted", 5])
      assert.include(error.cause.message, "5")
      assert.deepStrictEqual(froms(local), [3, 3, 3, 3, 3])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a model says it for itself, over its binding", () => {
    const { local, layer } = world(broken(cutAfter(3)), { resume: {} })
    return Effect.gen(function* () {
      assert.strictEqual((yield* inTime(collected(gpt))).text, "one two three four five six")
      const not = AiBinding.model("openai/gpt-4.1-mini", { resume: false })
      assert.strictEqual((yield* Effect.flip(collected(not)))._tag, "StreamBroken")
      assert.deepStrictEqual(froms(local), [3])
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "11. merely a default, and a binding that cannot: it is built, resume is off, one warning",
    () => {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Warning") warnings.push(message)
      })
      const answer = () => Promise.resolve(Response.json({ choices: [{ message: { content: "hi" } }] }))
      const layer = AiBinding.layer({ run: answer, gateway: () => undefined }, { resume: {} })
      return Effect.gen(function* () {
        const binding = yield* AiBinding.AiBinding
        for (let i = 0; i < 2; i++) {
          yield* Effect.provideService(gpt.chat("hi"), AiBinding.AiBinding, binding)
          yield* Effect.provideService(Effect.ignore(collected(gpt)), AiBinding.AiBinding, binding)
        }
        assert.strictEqual(warnings.length, 1)
      }).pipe(Effect.provide(layer), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    }
  )

  it.effect("asked for by a model, a binding that cannot is Unsupported, and nothing is sent", () => {
    let calls = 0
    const layer = doing(() => {
      calls++
      return Promise.resolve(new Response())
    })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(resuming[0]?.streamChat("hi") ?? Stream.empty))
      assert.strictEqual(error._tag, "Unsupported")
      assert.strictEqual(calls, 0)
    }).pipe(Effect.provide(layer))
  })
})

describe("re-attaching to a run of another invocation", () => {
  const words = "one two three four five six"
  const world6 = () => world(everyone(always(text(words))))

  for (const name of ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4.5"]) {
    it.effect(`${name}: the whole answer, and nothing is asked again`, () => {
      const { ai, layer } = world6()
      return Effect.gen(function* () {
        const { gateway } = yield* collected(
          AiBinding.model(name as "openai/gpt-4.1-mini", { maxTokens: 64 })
        )
        const again = yield* ChatModel.collect(AiBinding.reattach(name, { runId: gateway.runId ?? "" }))
        assert.strictEqual(again.text, words)
        assert.strictEqual(ai.calls.length, 1)
      }).pipe(Effect.provide(layer))
    })

    it.effect(`${name}: from where onProgress was, whatever that is, and with the usage of all`, () => {
      const { layer } = world6()
      return Effect.gen(function* () {
        const told: Array<number> = []
        const model = AiBinding.model(name as "openai/gpt-4.1-mini", {
          maxTokens: 64,
          resume: { onProgress: ({ from }) => Effect.sync(() => void told.push(from)) }
        })
        const first = yield* collected(model)
        const runId = first.gateway.runId ?? ""
        let longest = words.length + 1
        for (let from = 0; from <= (told.at(-1) ?? 0); from++) {
          const rest = yield* ChatModel.collect(AiBinding.reattach(name, { runId, from }))
          assert.isTrue(words.endsWith(rest.text))
          assert.isAtMost(rest.text.length, longest)
          assert.deepStrictEqual(rest.usage, first.usage)
          longest = rest.text.length
        }
        assert.strictEqual(longest, 0)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a drop of the new connection is resumed too", () => {
    const { layer } = world(
      everyone(always(connections(text(words), [cutAfter(9), cutAfter(2, { bytes: 3 }), refusesWith(503)])))
    )
    return Effect.gen(function* () {
      const stream = unretried(AiBinding.model("openai/gpt-4.1-mini", { resume: false })).streamChat("hi")
      let runId = ""
      yield* Effect.ignore(
        Stream.runForEach(stream, (event) =>
          Effect.sync(() => {
            if (event._tag === "Start") runId = event.gateway.runId ?? ""
          })
        )
      )
      const fiber = yield* Effect.fork(
        ChatModel.collect(AiBinding.reattach("openai/gpt-4.1-mini", { runId }))
      )
      for (let i = 0; i < 20; i++) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))
      }
      assert.strictEqual((yield* Fiber.join(fiber)).text, words)
    }).pipe(Effect.provide(layer))
  })

  it.effect("107. a run that is gone is expired at once, with no reconnect", () => {
    const { local, layer } = world6()
    return Effect.gen(function* () {
      const error = yield* Effect.flip(
        Stream.runDrain(AiBinding.reattach("openai/gpt-4.1-mini", { runId: "f".repeat(64) }))
      )
      if (error._tag !== "ResumeFailed") return assert.fail(String(error))
      assert.deepStrictEqual([error.reason, error.reconnects], ["expired", 0])
      assert.strictEqual(local.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a run id that the gateway cannot read is refused", () => {
    const { layer } = world6()
    return Effect.gen(function* () {
      const error = yield* Effect.flip(
        Stream.runDrain(AiBinding.reattach("openai/gpt-4.1-mini", { runId: "abc" }))
      )
      assert.strictEqual(error._tag === "ResumeFailed" && error.reason, "refused")
      assert.include(error.message, "runId")
    }).pipe(Effect.provide(layer))
  })

  it.effect("what cannot be one is never asked for", () => {
    const { local, layer } = world6()
    return Effect.gen(function* () {
      for (const [runId, from, field] of [
        ["", 0, "runId"],
        ["../logs", 0, "runId"],
        ["a/b", 0, "runId"],
        ["abc", -1, "from"],
        ["abc", 1.5, "from"]
      ] as const) {
        const error = yield* Effect.flip(
          Stream.runDrain(AiBinding.reattach("openai/gpt-4.1-mini", { runId, from }))
        )
        assert.strictEqual(error._tag === "InvalidRequest" && error.field, field)
      }
      assert.strictEqual(local.requests().length, 0)
    }).pipe(Effect.provide(layer))
  })
})
