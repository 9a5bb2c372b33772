/** The gateway through a Worker's binding, in Node; `test/workers` has the same with Cloudflare's own code in workerd. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream, TestClock } from "effect"
import * as FastCheck from "effect/FastCheck"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  ChatModel,
  LocalGateway,
  OpenAi,
  Replicate,
  type RequestOptions
} from "effect-ai-gateway"
import { behind, context, rows } from "./vocabularyModels.js"

const { always, dropAfter, echo, script, status, text } = LocalGateway
const openai = OpenAi.model("gpt-4.1-mini")
const claude = Anthropic.model("claude-haiku-4-5")

/** The binding of a gateway in process, which treats what it is given as Cloudflare's code does. */
const bindingOf = (local: LocalGateway.LocalGateway, id = "local-gateway"): AiGateway.Binding =>
  LocalGateway.aiBinding(local).gateway(id)

const keys = Layer.mergeAll(
  OpenAi.layer({ apiKey: Redacted.make("key-of-openai") }),
  Anthropic.layer({ apiKey: Redacted.make("key-of-anthropic") }),
  Replicate.layer({ apiKey: Redacted.make("key-of-replicate") })
)

/** The library behind the binding of a fresh gateway. */
const world = (options: LocalGateway.Options = {}, settings?: AiGateway.BindingOptions) => {
  const local = LocalGateway.make(options)
  return { local, layer: Layer.merge(keys, AiGateway.layerBinding(bindingOf(local), settings)) }
}

/** The library over HTTPS, to compare with. */
const overHttps = (options: LocalGateway.Options = {}) => {
  const local = LocalGateway.make(options)
  const layer = Layer.merge(
    keys,
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: "local-gateway",
      token: Redacted.make("local-token")
    }).pipe(Layer.provide(LocalGateway.layerFrom(local)))
  )
  return { local, layer }
}

/** A binding that does whatever a test wants. */
const doing = (run: AiGateway.Binding["run"]) => Layer.merge(keys, AiGateway.layerBinding({ run }))

/** What is never typed as this, and comes nevertheless. */
const untyped = (value: unknown) => value as never

const entriesOf = (local: LocalGateway.LocalGateway) =>
  local.requests().flatMap(
    ({ body }) =>
      body as ReadonlyArray<{
        readonly provider: string
        readonly endpoint: string
        readonly headers: Record<string, string>
        readonly config?: Record<string, unknown>
        readonly query: unknown
      }>
  )

describe("34. a request means the same on both transports", () => {
  const options: RequestOptions.RequestOptions = {
    cacheKey: "cheese",
    cacheTtl: "1 hour",
    metadata: { team: "search", city: "Zürich", beta: true, user: 7 },
    collectLog: true,
    collectLogPayload: false,
    eventId: "event-1",
    requestTimeout: "5 seconds",
    retries: { maxAttempts: 2, delay: "500 millis", backoff: "linear" },
    customCost: { perTokenIn: 0.001, perTokenOut: 0.002 },
    byokAlias: "team-a",
    noWholesale: true,
    zdr: false
  }

  it.effect("every option stands in the entry, under the names that HTTPS has", () => {
    const binding = world()
    const https = overHttps()
    const ask = AiGateway.withOptions(openai.chat("hi"), options)
    return Effect.gen(function* () {
      yield* Effect.ignore(Effect.provide(ask, binding.layer))
      yield* Effect.ignore(Effect.provide(ask, https.layer))
      const [entry] = entriesOf(binding.local)
      assert.deepStrictEqual(entry?.config, {
        requestTimeout: 5000,
        maxAttempts: 2,
        retryDelay: 500,
        backoff: "linear"
      })
      const sent = https.local.requests()[0]?.headers ?? {}
      const optionsOf = (headers: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(headers).filter(
            ([name]) =>
              name.startsWith("cf-aig-") && !/authorization|timeout|attempts|retry-delay|backoff/.test(name)
          )
        )
      assert.deepStrictEqual(optionsOf(entry?.headers ?? {}), optionsOf(sent))
      assert.strictEqual(Object.keys(optionsOf(sent)).length, 10)
    })
  })

  it.effect("property: any options that one transport takes, the other takes, and refuses alike", () =>
    Effect.gen(function* () {
      const any = FastCheck.record(
        {
          cacheKey: FastCheck.string(),
          cacheTtl: FastCheck.constantFrom("1 hour", "0 seconds", "10 seconds", "40 days", "60 seconds"),
          skipCache: FastCheck.boolean(),
          metadata: FastCheck.dictionary(
            FastCheck.string({ maxLength: 5 }),
            FastCheck.oneof(
              FastCheck.string(),
              FastCheck.boolean(),
              FastCheck.bigInt(),
              FastCheck.constant({})
            )
          ),
          collectLog: FastCheck.boolean(),
          eventId: FastCheck.string(),
          requestTimeout: FastCheck.constantFrom("0 seconds", "1 second")
        },
        { requiredKeys: [] }
      )
      for (const sample of FastCheck.sample(any, 60)) {
        const outcomes: Array<unknown> = []
        for (const { layer } of [world(), overHttps()]) {
          const exit = yield* openai
            .chat("hi")
            .pipe(AiGateway.withOptions(untyped(sample)), Effect.provide(layer), Effect.exit)
          const error = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : undefined
          assert.isFalse(Exit.isFailure(exit) && Cause.isDie(exit.cause))
          outcomes.push(
            error?._tag === "Some"
              ? [error.value._tag, "field" in error.value ? error.value.field : undefined]
              : "answered"
          )
        }
        assert.deepStrictEqual(outcomes[0], outcomes[1])
      }
    })
  )

  it.effect("a cached answer is a hit, and metadata is in the log", () => {
    const { local, layer } = world()
    return Effect.gen(function* () {
      const ask = openai
        .chat("hi")
        .pipe(AiGateway.withOptions({ cacheKey: "cheese", metadata: { team: "a" } }))
      assert.strictEqual((yield* ask).gateway.cacheStatus, "MISS")
      assert.strictEqual((yield* ask).gateway.cacheStatus, "HIT")
      assert.deepStrictEqual(local.logs()[0]?.metadata, { team: "a" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("defaults, region and call: the call wins, key by key, in every entry", () => {
    const { local, layer } = world(
      {},
      { defaults: { cacheKey: "default", eventId: "default", metadata: { a: 1 } } }
    )
    return Effect.gen(function* () {
      yield* AiGateway.sendFirst([
        {
          provider: "openai",
          endpoint: "chat/completions",
          body: { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] },
          options: { eventId: "call", metadata: { c: 3 } }
        },
        { provider: "anthropic", endpoint: "v1/messages", body: {} }
      ]).pipe(
        Effect.flatMap((response) => response.text),
        AiGateway.withOptions({ cacheKey: "region", metadata: { b: 2 } })
      )
      assert.deepStrictEqual(
        entriesOf(local).map(({ headers }) => [
          headers["cf-aig-cache-key"],
          headers["cf-aig-event-id"],
          headers["cf-aig-metadata"]
        ]),
        [
          ["region", "call", '{"a":1,"b":2,"c":3}'],
          ["region", "default", '{"a":1,"b":2}']
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("what a binding writes into what it is given is nobody else's", () => {
    const request = {
      provider: "openai",
      endpoint: "chat/completions",
      headers: { "x-own": "1" },
      body: { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] }
    }
    const before = JSON.stringify(request)
    const seen: Array<string> = []
    const local = LocalGateway.make()
    const layer = doing((entries, options) => {
      for (const entry of entries) {
        seen.push(entry.headers["x-own"] ?? "")
        entry.headers["x-own"] = "changed"
        entry.headers.added = "1"
        entry.query = JSON.parse(JSON.stringify(entry.query))
      }
      return bindingOf(local).run(entries, options)
    })
    return Effect.gen(function* () {
      for (let i = 0; i < 2; i++) yield* Effect.flatMap(AiGateway.send(request), (response) => response.text)
      assert.deepStrictEqual(seen, ["1", "1"])
      assert.strictEqual(JSON.stringify(request), before)
    }).pipe(Effect.provide(layer))
  })
})

describe("credentials", () => {
  it.effect("40. no token of the gateway leaves, and each key stands in its own entry only", () => {
    const { local, layer } = world()
    return Effect.gen(function* () {
      yield* ChatModel.universal([openai, claude]).chat("hi")
      const [request] = local.requests()
      assert.isUndefined(request?.headers["cf-aig-authorization"])
      assert.isUndefined(request?.headers.authorization)
      const [first, second] = entriesOf(local)
      assert.strictEqual(first?.headers.authorization, "Bearer key-of-openai")
      assert.notInclude(JSON.stringify(first), "anthropic")
      assert.strictEqual(second?.headers["x-api-key"], "key-of-anthropic")
      assert.notInclude(JSON.stringify(second), "key-of-openai")
    }).pipe(Effect.provide(layer))
  })

  it.effect("41. a key that the binding quotes is not in the error", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openai.pipe(ChatModel.retry(Schedule.stop)).chat("hi"))
      assert.notInclude(JSON.stringify(error) + String(error), "key-of-openai")
      assert.include(error.message, "<redacted>")
    }).pipe(
      Effect.provide(
        doing((entries) => Promise.reject(new Error(`cannot send ${JSON.stringify(entries[0]?.headers)}`)))
      )
    )
  )
})

describe("the main job", () => {
  it.effect("the first provider that works answers, and the one before it is listed", () => {
    const { layer } = world({ upstreams: { openai: always(status(503)) } })
    return Effect.gen(function* () {
      const answer = yield* ChatModel.firstSuccessOf([openai, claude])
        .pipe(ChatModel.retry(Schedule.stop))
        .chat("hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.attempts[0]?.transport, "binding")
      assert.strictEqual(answer.attempts[0]?.error._tag, "ProviderFailure")
      assert.strictEqual(answer.gateway.step, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("the same universally, in one call of the binding", () => {
    const { local, layer } = world({ upstreams: { openai: always(status(503)) } })
    return Effect.gen(function* () {
      const answer = yield* ChatModel.universal([openai, claude]).chat("hello")
      assert.deepStrictEqual([answer.provider, answer.gateway.step], ["anthropic", 1])
      assert.strictEqual(local.requests().length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("89. a stream gives its text and one finish", () => {
    const { layer } = world({ upstreams: { openai: always(text("Hello you")) } })
    return Effect.gen(function* () {
      const events = [...(yield* Stream.runCollect(openai.streamChat("hi")))]
      assert.strictEqual(
        events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join(""),
        "Hello you"
      )
      assert.strictEqual(events.filter((event) => event._tag === "Finish").length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a stream that breaks in the middle says what was delivered", () => {
    const { layer } = world({ upstreams: { openai: always(dropAfter(text("one two three four"), 3)) } })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(openai.streamChat("hi")))
      assert.strictEqual(error._tag, "StreamBroken")
      if (error._tag === "StreamBroken") {
        assert.strictEqual(error.cause._tag, "TransportFailure")
        assert.include("one two three four", error.delivered.text)
        assert.notStrictEqual(error.delivered.text, "")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("61. calls side by side do not mix", () => {
    const { local, layer } = world({ upstreams: { openai: always(echo) } })
    return Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, i) => `prompt ${i}`),
        (prompt) => Effect.map(openai.chat(prompt), ({ text }) => text.endsWith(prompt)),
        { concurrency: "unbounded" }
      )
      assert.isTrue(answers.every((right) => right))
      assert.strictEqual(local.requests().length, 50)
    }).pipe(Effect.provide(layer))
  })

  it.effect("68. an unknown gateway ends the call at once", () => {
    const local = LocalGateway.make()
    return Effect.gen(function* () {
      const error = yield* Effect.flip(ChatModel.firstSuccessOf([openai, claude]).chat("hi"))
      assert.strictEqual(error._tag, "GatewayNotFound")
      assert.strictEqual(local.requests().length, 1)
    }).pipe(Effect.provide(Layer.merge(keys, AiGateway.layerBinding(bindingOf(local, "nowhere")))))
  })
})

describe("every model of the package that goes through AiGateway", () => {
  const unsendable = /^(AccountApi|Replicate)/
  for (const [name, { model }] of Object.entries(rows)) {
    if (unsendable.test(name)) continue
    it.effect(`${name}: the same answer and the same request as over HTTPS, whole and streamed`, () => {
      const local = LocalGateway.make({
        routes: { support: ["openai/gpt-4.1-mini"] },
        autoRouterModels: ["openai/gpt-4.1-mini"],
        upstreams: Object.fromEntries(
          Object.values(rows).map(({ model }) => [model.metadata.provider, always(echo)])
        )
      })
      const bound = Layer.merge(Layer.succeedContext(context), AiGateway.layerBinding(bindingOf(local)))
      const both = Effect.zip(model.chat("cheese"), ChatModel.collect(model.streamChat("cheese")))
      return Effect.gen(function* () {
        const [whole, streamed] = yield* Effect.provide(both, Layer.provideMerge(bound, behind()))
        const expected = yield* Effect.zip(
          both,
          Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())
        ).pipe(Effect.provide(behind()))
        const [[wholeExpected, streamedExpected], requests] = expected
        assert.deepStrictEqual(
          [whole.text, whole.finishReason, whole.usage],
          [wholeExpected.text, wholeExpected.finishReason, wholeExpected.usage]
        )
        assert.deepStrictEqual(
          [streamed.text, streamed.usage],
          [streamedExpected.text, streamedExpected.usage]
        )
        const place = ({
          provider,
          endpoint
        }: {
          provider?: string | undefined
          endpoint?: string | undefined
        }) => `${provider}/${endpoint}`
        assert.deepStrictEqual(entriesOf(local).map(place), requests.map(place))
        assert.deepStrictEqual(
          entriesOf(local).map(({ query }) => query),
          requests.map(({ body }) => body)
        )
      })
    })
  }
})

describe("what an entry cannot carry is unsupported, and nothing is sent", () => {
  const cases: Record<string, Parameters<typeof AiGateway.send>[0]> = {
    "another method than POST": { provider: "openai", endpoint: "models", method: "GET" },
    "no body": { provider: "openai", endpoint: "models" },
    "a body of text": { provider: "openai", endpoint: "audio", body: "plain" },
    "a body of bytes": { provider: "openai", endpoint: "audio", body: new Uint8Array([1, 2, 3]) }
  }
  for (const [name, request] of Object.entries(cases)) {
    it.effect(name, () => {
      const { local, layer } = world()
      return Effect.gen(function* () {
        const error = yield* Effect.flip(AiGateway.send(request))
        assert.strictEqual(error._tag, "Unsupported")
        assert.strictEqual(local.requests().length, 0)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a prediction of Replicate, which a list leaves before it begins", () => {
    const { local, layer } = world()
    return Effect.gen(function* () {
      const answer = yield* ChatModel.firstSuccessOf([Replicate.model("meta/llama"), openai]).chat("hi")
      assert.strictEqual(answer.attempts[0]?.error._tag, "Unsupported")
      assert.deepStrictEqual(
        entriesOf(local).map(({ provider }) => provider),
        ["openai"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("44. JSON as text or bytes is JSON", () => {
    const { local, layer } = world()
    const body = { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] }
    return Effect.gen(function* () {
      for (const same of [body, JSON.stringify(body), new TextEncoder().encode(JSON.stringify(body))]) {
        yield* AiGateway.send({ provider: "openai", endpoint: "chat/completions", body: same }).pipe(
          Effect.flatMap((response) => response.text)
        )
      }
      for (const { query } of entriesOf(local)) assert.deepStrictEqual(query, body)
    }).pipe(Effect.provide(layer))
  })
})

describe("a binding that misbehaves is a typed error", () => {
  const failing = (layer: ReturnType<typeof doing>) =>
    openai.pipe(ChatModel.retry(Schedule.stop)).chat("hi").pipe(Effect.flip, Effect.provide(layer))

  const thrown: ReadonlyArray<
    readonly [name: string, reason: unknown, tag: AiGatewayError.AiGatewayError["_tag"]]
  > = [
    ["a text", "5007: No such model", "ModelNotFound"],
    ["a coded error", new Error("2001: Please configure AI Gateway"), "GatewayNotFound"],
    ["an AiError", Object.assign(new Error("3036: used up"), { name: "AiError" }), "QuotaExceeded"],
    ["a signal that cannot be cloned", new DOMException("no", "DataCloneError"), "TransportFailure"]
  ]
  for (const [name, reason, tag] of thrown) {
    it.effect(`${name}, thrown at once and later`, () =>
      Effect.gen(function* () {
        const atOnce = yield* failing(
          doing(() => {
            throw reason
          })
        )
        const later = yield* failing(doing(() => Promise.reject(reason)))
        assert.deepStrictEqual([atOnce._tag, later._tag], [tag, tag])
        assert.notStrictEqual(later.message, "")
      })
    )
  }

  it.effect("a signal that cannot be cloned is told what to do about, and not retried", () => {
    let calls = 0
    return Effect.gen(function* () {
      const error = yield* failing(
        doing(() => {
          calls++
          return Promise.reject(new DOMException("no", "DataCloneError"))
        })
      )
      assert.include(error.message, "beta: false")
      assert.strictEqual(calls, 1)
    })
  })

  for (const nothing of [undefined, null, "text", {}, { status: 200 }, new ReadableStream()]) {
    it.effect(`no Response: ${nothing === null ? "null" : typeof nothing}`, () =>
      Effect.gen(function* () {
        const error = yield* failing(doing(() => untyped(Promise.resolve(nothing))))
        assert.strictEqual(error._tag, "MalformedResponse")
        assert.include(error.message, "env.AI.gateway(id).run")
      })
    )
  }

  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const unreadable: Record<string, () => unknown> = {
    "a response that throws at any touch": () => Promise.resolve(revoked()),
    "headers that throw": () =>
      Promise.resolve({
        status: 200,
        body: null,
        headers: {
          forEach: () => {
            throw new Error("no")
          }
        }
      }),
    "a reason that throws at any touch": () => Promise.reject(revoked())
  }
  for (const [name, run] of Object.entries(unreadable)) {
    it.effect(`${name} ends the call, typed`, () =>
      Effect.gen(function* () {
        const error = yield* failing(doing(() => untyped(run())))
        assert.strictEqual(error._tag, "TransportFailure")
        assert.include(error.message, "env.AI.gateway(id).run")
      })
    )
  }

  it.effect("a binding that throws at any touch fails the layer, typed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AiGateway.makeBinding(untyped(revoked())))
      assert.strictEqual(error.field, "binding")
    })
  )

  it.effect("HTML of the edge", () =>
    Effect.gen(function* () {
      const html = "<!DOCTYPE html><html><title>Worker threw exception | Error 1101</title></html>"
      const error = yield* failing(doing(() => Promise.resolve(new Response(html, { status: 500 }))))
      assert.strictEqual(error._tag, "ProviderFailure")
      assert.strictEqual(error._tag === "ProviderFailure" && error.source, "edge")
    })
  )

  it.effect("a status that is an error is not an empty answer", () =>
    Effect.gen(function* () {
      const error = yield* failing(
        doing(() => Promise.resolve(new Response('{"error":{"message":"slow down"}}', { status: 429 })))
      )
      assert.strictEqual(error._tag, "RateLimited")
    })
  )

  it.effect("one that closes in the middle of an event", () =>
    Effect.gen(function* () {
      const half = 'data: {"choices":[{"delta":{"content":"Hel'
      const stream = openai.pipe(ChatModel.retry(Schedule.stop)).streamChat("hi")
      const error = yield* Effect.flip(Stream.runDrain(stream)).pipe(
        Effect.provide(
          doing(() =>
            Promise.resolve(new Response(half, { headers: { "content-type": "text/event-stream" } }))
          )
        )
      )
      assert.strictEqual(error._tag, "TransportFailure")
    })
  )

  it.effect("86. one that hangs is ended by the clock, and its signal is aborted", () => {
    let signal: { readonly aborted: boolean } | undefined
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.flip(ChatModel.withTimeouts(openai, { total: "3 seconds" }).chat("hi"))
      )
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ModelTimeout")
      assert.isTrue(signal?.aborted)
    }).pipe(
      Effect.provide(
        doing((_, options) => {
          signal = options?.signal
          return new Promise(() => {})
        })
      )
    )
  })
})

describe("interruption", () => {
  it.effect("64. aborts the binding's call, and starts nothing more", () => {
    let calls = 0
    return Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const layer = doing((_, options) => {
        calls++
        Deferred.unsafeDone(asked, Effect.void)
        return new Promise((_, reject) =>
          options?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")))
        )
      })
      const fiber = yield* Effect.fork(
        ChatModel.firstSuccessOf([openai, claude]).chat("hi").pipe(Effect.provide(layer))
      )
      yield* Deferred.await(asked)
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(calls, 1)
    })
  })

  it.effect("a binding that knows no signal is not read when it answers after all", () => {
    let cancelled = false
    return Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      let answer: (response: Response) => void = () => {}
      const promise = new Promise<Response>((resolve) => {
        answer = resolve
      })
      const fiber = yield* Effect.fork(
        openai.chat("hi").pipe(
          Effect.provide(
            doing(() => {
              Deferred.unsafeDone(asked, Effect.void)
              return promise
            })
          )
        )
      )
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      answer(
        new Response(
          new ReadableStream({
            cancel() {
              cancelled = true
            }
          })
        )
      )
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      assert.isTrue(cancelled)
    })
  })

  it.effect("98. in the middle of a stream cancels its body", () => {
    const { local, layer } = world({ upstreams: { openai: script([text("one two three four")]) } })
    return Effect.gen(function* () {
      yield* openai.streamChat("hi").pipe(
        Stream.takeUntil((event) => event._tag === "TextDelta"),
        Stream.runDrain
      )
      assert.strictEqual(local.inFlight(), 0)
    }).pipe(Effect.provide(layer))
  })
})
