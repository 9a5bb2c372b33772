import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream, TestClock } from "effect"
import { AiGateway, type ChatEvent, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as Replicate from "../src/Replicate.js"

type Upstreams = NonNullable<LocalGateway.Options["upstreams"]>
type Request = Parameters<Extract<LocalGateway.Upstream, { _tag: "Handler" }>["handle"]>[0]

const setup = (upstreams: Upstreams, options: AiGateway.Options["defaults"] = {}) => {
  const gateway = LocalGateway.make({ upstreams })
  const layer = Layer.mergeAll(
    Replicate.layer({ apiKey: Redacted.make("r8_secret-key") }),
    OpenAi.layer()
  ).pipe(
    Layer.provideMerge(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        defaults: options
      })
    ),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  return { gateway, layer }
}

const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const pass = (time: Duration.DurationInput) =>
  Effect.zipRight(flush, Effect.zipRight(TestClock.adjust(time), flush))

const model = Replicate.model("meta/meta-llama-3-8b-instruct")
const once = ChatModel.retry(model, Schedule.stop)
const id = "gm3qorzdhgbfurvjtvhg6dckhu"
const created = `POST predictions`
const looked = `GET predictions/${id}`
const cancelled = `POST predictions/${id}/cancel`

const prediction = (status: string, output: unknown = null, more: object = {}) => ({
  id,
  status,
  output,
  error: null,
  urls: { get: "https://evil.example/get", cancel: "https://evil.example/cancel" },
  ...more
})

const json = (body: unknown, status = 200): LocalGateway.Reply =>
  LocalGateway.raw({
    status,
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })

/** A creation, then one look after the other; the last one is repeated. */
const scripted = (
  creation: LocalGateway.Reply,
  looks: ReadonlyArray<LocalGateway.Reply>,
  cancel: LocalGateway.Reply = json(prediction("canceled"))
) => {
  let look = 0
  return LocalGateway.handler((request: Request) => {
    if (request.endpoint === "predictions") return creation
    if (request.endpoint.endsWith("/cancel")) return cancel
    return looks[Math.min(look++, looks.length - 1)] ?? LocalGateway.status(500)
  })
}

const asked = (gateway: LocalGateway.LocalGateway) =>
  gateway.requests().map(({ method, endpoint }) => `${method} ${endpoint}`)

const starting = json(prediction("starting"), 201)
const busy = json({ title: "Service unavailable", detail: "Try again later.", status: 503 }, 503)

describe("a chat with Replicate", () => {
  it.effect("is over at once where the creation waits for it", () => {
    const { gateway, layer } = setup({ replicate: LocalGateway.always(LocalGateway.text("Hello you")) })
    return Effect.gen(function* () {
      const answer = yield* model.chat("hi")
      assert.strictEqual(answer.text, "Hello you")
      assert.strictEqual(answer.provider, "replicate")
      assert.strictEqual(answer.finishReason, "stop")
      assert.deepStrictEqual(answer.usage, { input: 1, output: 2, total: 3 })
      assert.isDefined(answer.gateway.logId)
      const [request, ...others] = gateway.requests()
      assert.deepStrictEqual(others, [])
      assert.strictEqual(request?.headers.prefer, "wait")
      assert.strictEqual(request?.headers.authorization, "Bearer r8_secret-key")
    }).pipe(Effect.provide(layer))
  })

  it.effect("looks every half second until it is over, and only behind the gateway", () => {
    const { gateway, layer } = setup({
      replicate: scripted(starting, [
        json(prediction("starting")),
        json(prediction("processing", ["He"])),
        json(prediction("succeeded", ["He", "llo"]))
      ])
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        model.chat({
          prompt: "hi",
          options: { cacheKey: "greeting", customCost: { perTokenIn: 1, perTokenOut: 1 } }
        })
      )
      yield* pass(499)
      assert.deepStrictEqual(asked(gateway), [created])
      yield* pass(1)
      assert.deepStrictEqual(asked(gateway), [created, looked])
      yield* pass(500)
      yield* pass(500)
      const answer = yield* Fiber.join(fiber)
      assert.strictEqual(answer.text, "Hello")
      assert.deepStrictEqual(asked(gateway), [created, looked, looked, looked])
      for (const { url, headers } of gateway.requests().slice(1)) {
        assert.match(
          url,
          /^https:\/\/gateway\.ai\.cloudflare\.com\/v1\/local-account\/local-gateway\/replicate\//
        )
        assert.strictEqual(headers.authorization, "Bearer r8_secret-key")
        assert.strictEqual(headers.prefer, undefined)
        assert.strictEqual(headers["cf-aig-skip-cache"], "true")
        assert.strictEqual(headers["cf-aig-cache-key"], undefined)
        assert.strictEqual(headers["cf-aig-custom-cost"], undefined)
      }
      assert.strictEqual(gateway.requests()[0]?.headers["cf-aig-cache-key"], "greeting")
    }).pipe(Effect.provide(layer))
  })

  it.effect("looks as its own schedule says, and gives up with it", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [json(prediction("processing"))]) })
    const impatient = Replicate.model("a/b", {
      polls: Schedule.intersect(Schedule.spaced("3 seconds"), Schedule.recurs(2))
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(impatient.chat("hi")))
      yield* pass("3 seconds")
      assert.deepStrictEqual(asked(gateway), [created, looked])
      yield* pass("3 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ModelTimeout")
      assert.deepStrictEqual(asked(gateway), [created, looked, looked, cancelled])
    }).pipe(Effect.provide(layer))
  })

  it.effect("that fails is a typed error, and the next model answers", () => {
    const { layer } = setup({
      replicate: scripted(starting, [json(prediction("failed", null, { error: "CUDA out of memory" }))]),
      openai: LocalGateway.always(LocalGateway.text("from openai"))
    })
    return Effect.gen(function* () {
      const list = ChatModel.retry(
        ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1-mini")]),
        Schedule.stop
      )
      const fiber = yield* Effect.fork(list.chat("hi"))
      yield* pass(500)
      const answer = yield* Fiber.join(fiber)
      assert.strictEqual(answer.text, "from openai")
      const error = answer.attempts[0]?.error
      assert.strictEqual(error?._tag, "ProviderFailure")
      assert.include(error?.message, "CUDA out of memory")
      assert.strictEqual(error?.provider, "replicate")
    }).pipe(Effect.provide(layer))
  })

  it.effect("that does not fit, or was cancelled by somebody else, says so", () => {
    const outcome = (body: unknown) =>
      Effect.flip(once.chat("hi")).pipe(Effect.provide(setup({ replicate: scripted(json(body), []) }).layer))
    return Effect.gen(function* () {
      const long = yield* outcome(prediction("failed", null, { error: "The prompt is too long." }))
      assert.strictEqual(long._tag, "ContextLengthExceeded")
      const stopped = yield* outcome(prediction("canceled"))
      assert.strictEqual(stopped._tag, "ProviderFailure")
      assert.include(stopped.message, "was canceled")
    })
  })

  it.effect("whose creation is refused is the error of its status", () => {
    const outcome = (status: number) =>
      Effect.flip(once.chat("hi")).pipe(
        Effect.provide(setup({ replicate: LocalGateway.always(LocalGateway.status(status)) }).layer),
        Effect.map((error) => error._tag)
      )
    return Effect.gen(function* () {
      assert.strictEqual(yield* outcome(401), "Unauthorized")
      assert.strictEqual(yield* outcome(402), "QuotaExceeded")
      assert.strictEqual(yield* outcome(404), "ModelNotFound")
      assert.strictEqual(yield* outcome(422), "BadRequest")
      assert.strictEqual(yield* outcome(429), "RateLimited")
      assert.strictEqual(yield* outcome(503), "ProviderFailure")
    })
  })

  it.effect("survives a look that fails once", () => {
    const { gateway, layer } = setup({
      replicate: scripted(starting, [busy, json(prediction("succeeded", ["ok"]))])
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(model.chat("hi"))
      yield* pass(500)
      yield* pass("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).text, "ok")
      assert.deepStrictEqual(asked(gateway), [created, looked, looked])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not repeat a look that fails where nothing is to be retried", () => {
    const { gateway, layer } = setup({
      replicate: scripted(starting, [busy, json(prediction("succeeded", ["ok"]))])
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(once.chat("hi")))
      yield* pass(500)
      yield* pass("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ProviderFailure")
      assert.deepStrictEqual(asked(gateway), [created, looked, cancelled])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives up and cancels where looks go on failing", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [LocalGateway.status(404)]) })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(once.chat("hi")))
      yield* pass(500)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ProviderFailure")
      assert.deepStrictEqual(asked(gateway), [created, looked, cancelled])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is never sent anywhere by an id that is none", () => {
    const { gateway, layer } = setup({
      replicate: scripted(json(prediction("starting", null, { id: "../openai/x" })), [])
    })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(once.chat("hi"))
      assert.strictEqual(error._tag, "MalformedResponse")
      assert.deepStrictEqual(asked(gateway), [created])
    }).pipe(Effect.provide(layer))
  })

  it.effect("with a body that ends anywhere is an error, never half an answer", () =>
    Effect.gen(function* () {
      const whole = JSON.stringify(prediction("succeeded", ["Hello"]))
      for (let end = 0; end < whole.length; end += 7) {
        const outcome = (upstream: LocalGateway.Upstream) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(Effect.flip(once.chat("hi")))
            yield* pass(500)
            return (yield* Fiber.join(fiber))._tag
          }).pipe(Effect.provide(setup({ replicate: upstream }).layer))
        const cut = json(whole.slice(0, end))
        assert.strictEqual(yield* outcome(scripted(cut, [])), "MalformedResponse")
        assert.strictEqual(yield* outcome(scripted(starting, [cut])), "MalformedResponse")
      }
    })
  )

  it.effect("shows its key in no error", () => {
    const { layer } = setup({ replicate: scripted(json({ status: "r8_secret-key" }), []) })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(once.chat("hi"))
      assert.notInclude(JSON.stringify(error), "r8_secret-key")
    }).pipe(Effect.provide(layer))
  })
})

const tell = (event: ChatEvent.ChatEvent): string => (event._tag === "TextDelta" ? event.text : event._tag)

describe("a stream from Replicate", () => {
  it.effect("gives each piece once, as it becomes known", () => {
    const { gateway, layer } = setup({
      replicate: LocalGateway.always(LocalGateway.text("one two three"))
    })
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const fiber = yield* Effect.fork(
        Stream.runForEach(model.streamChat("hi"), (event) => Effect.sync(() => seen.push(tell(event))))
      )
      yield* pass(499)
      assert.deepStrictEqual(seen, [])
      yield* pass(1)
      assert.deepStrictEqual(seen, ["Start", "one"])
      yield* pass(500)
      assert.deepStrictEqual(seen, ["Start", "one", " two"])
      yield* pass(500)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["Start", "one", " two", " three", "Usage", "Finish"])
      assert.strictEqual(gateway.requests()[0]?.headers.prefer, undefined)
      assert.strictEqual(gateway.requests().length, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("moves on before its first text, and breaks after it", () => {
    const failed = json(prediction("failed", ["Hel"], { error: "out of memory" }))
    const list = ChatModel.retry(
      ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1-mini")]),
      Schedule.stop
    )
    const run = (looks: ReadonlyArray<LocalGateway.Reply>) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(
          Effect.either(Stream.runFold(list.streamComplete("hi"), "", (text, piece) => text + piece))
        )
        yield* pass(500)
        yield* pass(500)
        return yield* Fiber.join(fiber)
      }).pipe(
        Effect.provide(
          setup({
            replicate: scripted(starting, looks),
            openai: LocalGateway.always(LocalGateway.text("from openai"))
          }).layer
        )
      )
    return Effect.gen(function* () {
      const moved = yield* run([failed])
      assert.strictEqual(moved._tag === "Right" ? moved.right : undefined, "from openai")
      const broken = yield* run([json(prediction("processing", ["Hel"])), failed])
      if (broken._tag === "Right" || broken.left._tag !== "StreamBroken") return assert.fail("not broken")
      assert.strictEqual(broken.left.delivered.text, "Hel")
      assert.strictEqual(broken.left.cause._tag, "ProviderFailure")
    })
  })

  it.effect("that is stuck is ended by the idle clock, and the prediction cancelled", () => {
    const { gateway, layer } = setup({
      replicate: scripted(starting, [json(prediction("processing", ["Hel"]))])
    })
    const watched = ChatModel.withTimeouts(once, { idle: "10 seconds" })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(watched.streamChat("hi"))))
      for (let i = 0; i < 22; i++) yield* pass(500)
      const error = yield* Fiber.join(fiber)
      if (error._tag !== "StreamBroken" || error.cause._tag !== "ModelTimeout") return assert.fail(error._tag)
      assert.strictEqual(error.cause.phase, "idle")
      assert.strictEqual(asked(gateway).at(-1), cancelled)
      const before = gateway.requests().length
      yield* pass("1 hour")
      assert.strictEqual(gateway.requests().length, before)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that never begins is ended by the clock of the first event", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [json(prediction("starting"))]) })
    const watched = ChatModel.withTimeouts(once, { firstEvent: "5 seconds", idle: "1 second" })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(watched.streamChat("hi"))))
      for (let i = 0; i < 10; i++) yield* pass(500)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "ModelTimeout" ? error.phase : error._tag, "firstEvent")
      assert.strictEqual(asked(gateway).filter((what) => what === cancelled).length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that is left early cancels the prediction", () => {
    const { gateway, layer } = setup({
      replicate: scripted(starting, [json(prediction("processing", ["Hel"]))])
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(model.streamComplete("hi"), 1)))
      yield* pass(500)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(asked(gateway), [created, looked, cancelled])
    }).pipe(Effect.provide(layer))
  })
})

describe("a call to Replicate that ends early", () => {
  const running = json(prediction("processing", ["Hel"]))
  const list = ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1-mini")])
  const chat = Effect.asVoid(list.chat("hi"))
  const stream = Stream.runDrain(list.streamChat("hi"))

  for (const { name, run, upstream, wait, requests } of [
    {
      name: "a chat between two looks",
      run: chat,
      upstream: () => scripted(starting, [running]),
      wait: 700,
      requests: [created, looked, cancelled]
    },
    {
      name: "a chat during a look",
      run: chat,
      upstream: () => scripted(starting, [LocalGateway.hang]),
      wait: 500,
      requests: [created, looked, cancelled]
    },
    {
      name: "a chat while a look is repeated",
      run: chat,
      upstream: () => scripted(starting, [busy]),
      wait: 501,
      requests: [created, looked, cancelled]
    },
    {
      name: "a chat during its creation",
      run: chat,
      upstream: () => LocalGateway.always(LocalGateway.hang),
      wait: 500,
      requests: [created]
    },
    {
      name: "a stream before its first text",
      run: stream,
      upstream: () => scripted(starting, [starting]),
      wait: 500,
      requests: [created, looked, cancelled]
    },
    {
      name: "a stream after its first text",
      run: stream,
      upstream: () => scripted(starting, [running]),
      wait: 1200,
      requests: [created, looked, looked, cancelled]
    },
    {
      name: "a stream during a look",
      run: stream,
      upstream: () => scripted(starting, [LocalGateway.hang]),
      wait: 500,
      requests: [created, looked, cancelled]
    }
  ] as const) {
    it.effect(`${name}: cancels once, and asks nothing more`, () => {
      const { gateway, layer } = setup({ replicate: upstream() })
      return Effect.gen(function* () {
        const before = (yield* Fiber.roots).length
        const fiber = yield* Effect.fork(run)
        yield* flush
        for (let at = 0; at < wait; at += 100) yield* pass(Math.min(100, wait - at))
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isInterrupted(exit))
        assert.deepStrictEqual<ReadonlyArray<string>>(asked(gateway), requests)
        yield* pass("1 day")
        assert.deepStrictEqual<ReadonlyArray<string>>(asked(gateway), requests)
        assert.strictEqual(gateway.inFlight(), 0)
        assert.strictEqual((yield* Fiber.roots).length, before)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("does not wait longer than five seconds for the cancellation", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [running], LocalGateway.hang) })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(chat)
      yield* pass(500)
      const ending = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* pass(4999)
      assert.strictEqual((yield* Fiber.poll(ending))._tag, "None")
      yield* pass(1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.join(ending)))
      assert.deepStrictEqual(asked(gateway), [created, looked, cancelled])
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("by its total clock is cancelled too", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [running]) })
    const timed = ChatModel.withTimeouts(once, { total: "1200 millis" })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(timed.chat("hi")))
      yield* pass(500)
      yield* pass(500)
      yield* pass(200)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "ModelTimeout" ? error.phase : error._tag, "total")
      assert.deepStrictEqual(asked(gateway), [created, looked, looked, cancelled])
      yield* pass("1 hour")
      assert.strictEqual(gateway.requests().length, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("by the total clock of a stream is cancelled too", () => {
    const { gateway, layer } = setup({ replicate: scripted(starting, [running]) })
    const timed = ChatModel.withTimeouts(once, { total: "1200 millis" })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Stream.runDrain(timed.streamChat("hi"))))
      yield* pass(500)
      yield* pass(500)
      yield* pass(200)
      const error = yield* Fiber.join(fiber)
      if (error._tag !== "StreamBroken" || error.cause._tag !== "ModelTimeout") return assert.fail(error._tag)
      assert.strictEqual(error.cause.phase, "total")
      assert.deepStrictEqual(asked(gateway), [created, looked, looked, cancelled])
    }).pipe(Effect.provide(layer))
  })

  for (const [name, run] of [
    ["a chat", chat],
    ["a stream", stream]
  ] as const) {
    it.effect(`${name}, at any moment: at most one cancellation, and nothing after it`, () =>
      Effect.gen(function* () {
        let cancellations = 0
        for (let steps = 0; steps < 60; steps++) {
          const { gateway, layer } = setup({ replicate: scripted(starting, [running]) })
          yield* Effect.gen(function* () {
            const fiber = yield* Effect.fork(run)
            for (let step = 0; step < steps; step++) {
              if (step % 10 === 9) yield* TestClock.adjust(250)
              else if (step % 2 === 0) yield* Effect.yieldNow()
              else yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
            }
            yield* Fiber.interrupt(fiber)
            const requests = asked(gateway)
            const sent = requests.filter((what) => what === cancelled).length
            assert.isAtMost(sent, 1)
            if (requests.includes(looked)) assert.strictEqual(requests.at(-1), cancelled)
            cancellations += sent
            yield* pass("1 hour")
            assert.deepStrictEqual(asked(gateway), requests)
            assert.strictEqual(gateway.inFlight(), 0)
          }).pipe(Effect.provide(layer))
        }
        assert.isAbove(cancellations, 20)
      })
    )
  }
})

describe("Replicate behind the local gateway", () => {
  const ask = (gateway: LocalGateway.LocalGateway, method: string, path: string, body?: unknown) =>
    Effect.promise(async () => {
      const response = await gateway.handle(
        new Request(`https://gateway.ai.cloudflare.com/v1/local-account/local-gateway/replicate/${path}`, {
          method,
          headers: { "cf-aig-authorization": "Bearer local-token", authorization: "Bearer key" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      )
      const json: { id?: string; status?: unknown; output?: unknown } = await response.json()
      return { status: response.status, json }
    })

  it.effect("creates, tells a piece more at each look, and is cancelled for good", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const body = { version: "a/b", input: { prompt: "hi there" } }
      const made = yield* ask(gateway, "POST", "v1/predictions", body)
      assert.strictEqual(made.json.status, "starting")
      const first = yield* ask(gateway, "GET", `predictions/${made.json.id}`)
      assert.deepStrictEqual([first.json.status, first.json.output], ["processing", ["You"]])
      yield* ask(gateway, "POST", `predictions/${made.json.id}/cancel`)
      const last = yield* ask(gateway, "GET", `predictions/${made.json.id}`)
      assert.deepStrictEqual([last.json.status, last.json.output], ["canceled", ["You"]])
    })
  )

  it.effect("refuses as Replicate does", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      assert.strictEqual((yield* ask(gateway, "GET", "predictions/unknown")).status, 404)
      assert.strictEqual((yield* ask(gateway, "POST", "predictions", { input: {} })).status, 422)
      assert.strictEqual((yield* ask(gateway, "POST", "predictions", { version: "a/b" })).status, 422)
    })
  )
})
