import { inspect } from "node:util"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Effect,
  Exit,
  FiberRef,
  Layer,
  Logger,
  LogLevel,
  Option,
  Redacted,
  Schedule,
  Stream,
  Tracer
} from "effect"
import {
  AiGateway,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  type RequestOptions,
  WorkersAi
} from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"

const { always, disconnect, dropAfter, errorEvent, raw, script, status, text } = LocalGateway

const once = ChatModel.retry(Schedule.recurs(0))

const keyless = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const keys = {
  gateway: "local-token",
  openai: "sk-openai-0123456789abcdef",
  anthropic: "sk-ant-0123456789abcdef",
  google: "AIza-0123456789abcdef",
  workersAi: "cf-workers-0123456789abcdef",
  access: "access-secret-0123456789"
}

const keyed = Layer.mergeAll(
  OpenAi.layer({ apiKey: Redacted.make(keys.openai) }),
  Anthropic.layer({ apiKey: Redacted.make(keys.anthropic) }),
  GoogleAiStudio.layer({ apiKey: Redacted.make(keys.google) }),
  WorkersAi.layer({ apiKey: Redacted.make(keys.workersAi) })
)

const openai = OpenAi.model("gpt-4.1-mini").pipe(once)
const anthropic = Anthropic.model("claude-haiku-4-5").pipe(once)
const google = GoogleAiStudio.model("gemini-2.5-flash").pipe(once)
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct").pipe(once)

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

const lastHeaders = Effect.map(requests, (all) => all.at(-1)?.headers ?? {})

const optionHeaders = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith("cf-") && name !== "cf-aig-authorization")
  )

const credentialNames = [
  "authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "xi-api-key",
  "token",
  "proxy-authorization"
]

const credentialsIn = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => credentialNames.includes(name)))

const hi = { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] }

const allOptions: RequestOptions.RequestOptions = {
  cacheTtl: "1 hour",
  skipCache: true,
  cacheKey: "cheese",
  metadata: { team: "search", user: 7 },
  collectLog: false,
  eventId: "event-1",
  requestTimeout: "5 seconds",
  retries: { maxAttempts: 3, delay: "500 millis", backoff: "exponential" },
  byokAlias: "default",
  zdr: true
}

const allHeaders = {
  "cf-aig-cache-ttl": "3600",
  "cf-aig-skip-cache": "true",
  "cf-aig-cache-key": "cheese",
  "cf-aig-metadata": '{"team":"search","user":7}',
  "cf-aig-collect-log": "false",
  "cf-aig-event-id": "event-1",
  "cf-aig-request-timeout": "5000",
  "cf-aig-max-attempts": "3",
  "cf-aig-retry-delay": "500",
  "cf-aig-backoff": "exponential",
  "cf-aig-byok-alias": "default",
  "cf-aig-zdr": "true"
}

describe("the gateway's option headers, as they are sent", () => {
  const stored = { storedKeys: { openai: "stored-key" } }

  it.effect("27. all options set: exactly these headers, on a chat, a stream and a native request", () =>
    Effect.gen(function* () {
      const native = { provider: "openai", endpoint: "chat/completions", body: hi }
      for (const call of [
        Effect.asVoid(openai.chat({ prompt: "hello", options: allOptions })),
        Stream.runDrain(openai.streamChat({ prompt: "hello", options: allOptions })),
        Effect.asVoid(openai.chat("hello")).pipe(AiGateway.withOptions(allOptions)),
        Stream.runDrain(openai.streamChat("hello").pipe(AiGateway.withOptions(allOptions))),
        Effect.ignore(AiGateway.send({ ...native, options: allOptions })),
        Effect.ignore(AiGateway.send(native)).pipe(AiGateway.withOptions(allOptions))
      ]) {
        yield* call
        assert.deepStrictEqual(optionHeaders(yield* lastHeaders), allHeaders)
      }
      assert.strictEqual((yield* requests).length, 6)
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest(stored))))
  )

  it.effect("28. no options: no option header", () =>
    Effect.gen(function* () {
      yield* openai.chat("hello")
      assert.deepStrictEqual(optionHeaders(yield* lastHeaders), {})
      yield* openai.chat({ prompt: "hello", options: {} }).pipe(AiGateway.withOptions({}))
      assert.deepStrictEqual(optionHeaders(yield* lastHeaders), {})
      yield* openai.chat({ prompt: "hello", options: { cacheKey: undefined, metadata: {} } })
      assert.deepStrictEqual(optionHeaders(yield* lastHeaders), {})
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("29. skipCache: false sends nothing; collectLog and zdr: false are sent as such", () =>
    Effect.gen(function* () {
      yield* openai.chat({ prompt: "hello", options: { skipCache: false, collectLog: false, zdr: false } })
      assert.deepStrictEqual(optionHeaders(yield* lastHeaders), {
        "cf-aig-collect-log": "false",
        "cf-aig-zdr": "false"
      })
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("30. the old names are never sent", () =>
    Effect.gen(function* () {
      yield* openai.chat({ prompt: "hello", options: allOptions })
      const headers = yield* lastHeaders
      for (const old of ["cf-cache-ttl", "cf-skip-cache", "cf-aig-request-timeout-ms"]) {
        assert.notProperty(headers, old)
      }
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest(stored))))
  )

  it.effect("31. only maxAttempts given: only that header", () =>
    Effect.gen(function* () {
      yield* openai.chat({ prompt: "hello", options: { retries: { maxAttempts: 2 } } })
      assert.deepStrictEqual(optionHeaders(yield* lastHeaders), { "cf-aig-max-attempts": "2" })
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("33. a cache key is sent, and acts: the second answer comes from the cache", () =>
    Effect.gen(function* () {
      const call = openai.chat({ prompt: "hello", options: { cacheKey: "cheese" } })
      assert.strictEqual((yield* call).gateway.cacheStatus, "MISS")
      assert.strictEqual((yield* call).gateway.cacheStatus, "HIT")
      assert.strictEqual((yield* lastHeaders)["cf-aig-cache-key"], "cheese")
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("35. gateway, model, region and call: the nearer wins key by key, and none is lost", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const service = yield* AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        defaults: { cacheKey: "gateway", eventId: "gateway", zdr: true, metadata: { from: "gateway", a: 1 } }
      }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
      const call = openai
        .chat({ prompt: "hello", options: { collectLog: true, metadata: { from: "call" }, zdr: undefined } })
        .pipe(
          AiGateway.withOptions({ eventId: "inner", metadata: { b: 2 } }),
          AiGateway.withOptions({ eventId: "outer", cacheKey: "outer", cacheTtl: "1 minute" })
        )
      yield* call.pipe(Effect.provideService(AiGateway.AiGateway, service), Effect.provide(keyless))
      assert.deepStrictEqual(optionHeaders(gateway.requests()[0]?.headers ?? {}), {
        "cf-aig-cache-key": "outer",
        "cf-aig-cache-ttl": "60",
        "cf-aig-event-id": "inner",
        "cf-aig-zdr": "true",
        "cf-aig-collect-log": "true",
        "cf-aig-metadata": '{"from":"call","a":1,"b":2}'
      })
    })
  )

  it.effect("35. options of a region reach every leg and every retry of a list, whole or streamed", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        OpenAi.model("gpt-4.1-mini").pipe(ChatModel.retry(Schedule.recurs(1))),
        anthropic
      ])
      yield* list.chat("hello").pipe(AiGateway.withOptions({ eventId: "region" }))
      yield* Stream.runDrain(list.streamChat("hello").pipe(AiGateway.withOptions({ eventId: "region" })))
      const sent = yield* requests
      assert.strictEqual(sent.length, 6)
      for (const { headers } of sent) assert.strictEqual(headers["cf-aig-event-id"], "region")
    }).pipe(
      Effect.provide(
        Layer.merge(keyless, LocalGateway.layerTest({ upstreams: { openai: always(status(503)) } }))
      )
    )
  )

  it.effect("42. what one call was told is absent from the next, and from one that runs beside it", () =>
    Effect.gen(function* () {
      const first = openai
        .chat({
          prompt: "first",
          options: { metadata: { call: 1 }, cacheKey: "one" },
          providerOptions: { openai: { user: "first" } }
        })
        .pipe(
          AiGateway.withOptions({ eventId: "one" }),
          Effect.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("key-of-one") }))
        )
      yield* first
      yield* openai.chat("second")
      yield* Effect.all([first, openai.chat("second")], { concurrency: 2 })
      const plain = (yield* requests).filter(({ body }) => JSON.stringify(body).includes("second"))
      assert.strictEqual(plain.length, 2)
      for (const { headers, body } of plain) {
        assert.deepStrictEqual(optionHeaders(headers), {})
        assert.deepStrictEqual(credentialsIn(headers), {})
        assert.notProperty(body, "user")
      }
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )
})

describe("who gets which credential", () => {
  for (const [slug, model] of [
    ["openai", openai],
    ["anthropic", anthropic],
    ["google-ai-studio", google],
    ["workers-ai", workersAi]
  ] as ReadonlyArray<
    readonly [
      string,
      ChatModel.With<
        | AiGateway.AiGateway
        | OpenAi.OpenAi
        | Anthropic.Anthropic
        | GoogleAiStudio.GoogleAiStudio
        | WorkersAi.WorkersAi
      >
    ]
  >) {
    it.effect(`36. ${slug} without a key: no vendor credential of any spelling, and no placeholder`, () =>
      Effect.gen(function* () {
        yield* model.chat("hello")
        yield* Stream.runDrain(model.streamChat("hello"))
        for (const { headers } of yield* requests) {
          assert.deepStrictEqual(credentialsIn(headers), {})
          assert.notInclude(JSON.stringify(headers), "undefined")
          assert.notInclude(JSON.stringify(headers), "unused")
        }
      }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
    )

    it.effect(`36. ${slug} without a key: the gateway's stored key is used`, () =>
      Effect.gen(function* () {
        yield* model.chat("hello")
        const [upstream] = (yield* LocalGateway.Gateway).upstreamRequests()
        assert.include(JSON.stringify(upstream?.headers), "stored-key-1")
      }).pipe(
        Effect.provide(
          Layer.merge(
            keyless,
            LocalGateway.layerTest({ storedKeys: { [slug]: "stored-key-1" }, unifiedBilling: false })
          )
        )
      )
    )
  }

  const spellings: ReadonlyArray<
    readonly [string, Effect.Effect<unknown, unknown, AiGateway.AiGateway>, Readonly<Record<string, string>>]
  > = [
    ["openai", Effect.provide(openai.chat("hello"), keyed), { authorization: `Bearer ${keys.openai}` }],
    ["anthropic", Effect.provide(anthropic.chat("hello"), keyed), { "x-api-key": keys.anthropic }],
    ["google-ai-studio", Effect.provide(google.chat("hello"), keyed), { "x-goog-api-key": keys.google }],
    [
      "workers-ai",
      Effect.provide(workersAi.chat("hello"), keyed),
      { authorization: `Bearer ${keys.workersAi}` }
    ]
  ]
  for (const [slug, call, expected] of spellings) {
    it.effect(
      `40. ${slug}'s key goes out in its own spelling; the gateway's token only in its own header`,
      () =>
        Effect.gen(function* () {
          yield* call
          const headers = yield* lastHeaders
          assert.deepStrictEqual(credentialsIn(headers), expected)
          assert.strictEqual(headers["cf-aig-authorization"], `Bearer ${keys.gateway}`)
          const withToken = Object.entries(headers).filter(([, value]) => value.includes(keys.gateway))
          assert.deepStrictEqual(
            withToken.map(([name]) => name),
            ["cf-aig-authorization"]
          )
          const [upstream] = (yield* LocalGateway.Gateway).upstreamRequests()
          assert.notInclude(JSON.stringify(upstream), keys.gateway)
        }).pipe(Effect.provide(LocalGateway.layerTest()))
    )
  }

  it.effect("3. no gateway token: no such header at all, and the text undefined nowhere", () =>
    Effect.gen(function* () {
      yield* openai.chat("hello")
      yield* AiGateway.sendFirst([{ provider: "openai", endpoint: "chat/completions", body: hi }]).pipe(
        Effect.flatMap((response) => response.close)
      )
      for (const { headers } of yield* requests) {
        assert.notProperty(headers, "cf-aig-authorization")
        assert.notProperty(headers, "authorization")
        assert.notInclude(JSON.stringify(headers), "undefined")
      }
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest({ token: null }))))
  )

  it.effect("40. one leg's key never reaches another leg", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([openai, anthropic, google, workersAi])
      yield* Effect.ignore(list.chat("hello"))
      yield* Effect.ignore(Stream.runDrain(list.streamChat("hello")))
      const sent = yield* requests
      assert.strictEqual(sent.length, 8)
      const owner: Readonly<Record<string, string>> = {
        openai: keys.openai,
        anthropic: keys.anthropic,
        "google-ai-studio": keys.google,
        "workers-ai": keys.workersAi
      }
      for (const { provider = "", headers, body, url } of sent) {
        const all = JSON.stringify([headers, body, url])
        for (const [slug, key] of Object.entries(owner)) {
          assert.strictEqual(
            all.includes(key),
            slug === provider,
            `${slug}'s key in a request to ${provider}`
          )
        }
      }
    }).pipe(
      Effect.provide(
        Layer.merge(
          keyed,
          LocalGateway.layerTest({
            upstreams: {
              openai: always(status(400)),
              anthropic: always(status(400)),
              "google-ai-studio": always(status(400)),
              "workers-ai": always(status(400))
            }
          })
        )
      )
    )
  )

  it.effect("40. in the entries of sendFirst there is no gateway token, and each has its own key only", () =>
    Effect.gen(function* () {
      const entries = yield* Effect.all([
        OpenAi.model("gpt-4.1-mini").encode("hello", { stream: false }),
        Anthropic.model("claude-haiku-4-5").encode("hello", { stream: false })
      ])
      const response = yield* AiGateway.sendFirst(entries)
      yield* response.close
      const [request] = yield* requests
      const sent = JSON.stringify(request?.body)
      assert.notInclude(sent, keys.gateway)
      const [first, second] = (request?.body ?? []) as ReadonlyArray<{
        headers: Readonly<Record<string, string>>
      }>
      assert.deepStrictEqual(credentialsIn(first?.headers ?? {}), { authorization: `Bearer ${keys.openai}` })
      assert.deepStrictEqual(credentialsIn(second?.headers ?? {}), { "x-api-key": keys.anthropic })
      assert.deepStrictEqual(credentialsIn(request?.headers ?? {}), {})
    }).pipe(Effect.provide(Layer.merge(keyed, LocalGateway.layerTest())))
  )

  it.effect("39. a key of one's own beside a stored one is forwarded on purpose", () =>
    Effect.gen(function* () {
      yield* openai.chat({ prompt: "hello", options: { byokAlias: "team" } })
      const headers = yield* lastHeaders
      assert.strictEqual(headers.authorization, `Bearer ${keys.openai}`)
      assert.strictEqual(headers["cf-aig-byok-alias"], "team")
    }).pipe(
      Effect.provide(
        Layer.merge(keyed, LocalGateway.layerTest({ storedKeys: { openai: { team: "stored" } } }))
      )
    )
  )

  it.effect("38. host and content-length are dropped whatever their case; other headers survive", () =>
    Effect.gen(function* () {
      const headers = {
        Host: "api.openai.com",
        "CONTENT-Length": "3",
        "OpenAI-Beta": "assistants=v2",
        "x-custom": "kept"
      }
      const body = hi
      const entry = { provider: "openai", endpoint: "chat/completions", headers, body }
      yield* Effect.flatMap(AiGateway.send(entry), ({ close }) => close)
      yield* Effect.flatMap(AiGateway.sendFirst([entry]), ({ close }) => close)
      const [native, universal] = yield* requests
      const [first] = (universal?.body ?? []) as ReadonlyArray<{ headers: Readonly<Record<string, string>> }>
      for (const sent of [native?.headers ?? {}, first?.headers ?? {}]) {
        assert.notStrictEqual(sent.host, "api.openai.com")
        assert.notStrictEqual(sent["content-length"], "3")
        assert.strictEqual(sent["openai-beta"], "assistants=v2")
        assert.strictEqual(sent["x-custom"], "kept")
      }
      assert.notProperty(first?.headers, "host")
      assert.notProperty(first?.headers, "Host")
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect(
    "a header that a request has twice, by case, is sent once: the gateway's token cannot be shadowed",
    () =>
      Effect.gen(function* () {
        const response = yield* AiGateway.send({
          provider: "openai",
          endpoint: "chat/completions",
          headers: { "CF-AIG-Authorization": "Bearer other", "CF-AIG-Cache-Key": "mine" },
          body: hi,
          options: { cacheKey: "option" }
        })
        yield* response.close
        const headers = yield* lastHeaders
        assert.strictEqual(headers["cf-aig-authorization"], `Bearer ${keys.gateway}`)
        assert.strictEqual(headers["cf-aig-cache-key"], "option")
      }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("extra headers of the gateway (Cloudflare Access) go to the gateway and into no entry", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const service = yield* AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        headers: { "CF-Access-Client-Id": "id", "CF-Access-Client-Secret": Redacted.make(keys.access) }
      }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
      const body = hi
      const entry = { provider: "openai", endpoint: "chat/completions", body }
      yield* Effect.flatMap(service.send(entry), ({ close }) => close)
      yield* Effect.flatMap(service.sendFirst([entry]), ({ close }) => close)
      for (const { headers, body } of gateway.requests()) {
        assert.strictEqual(headers["cf-access-client-id"], "id")
        assert.strictEqual(headers["cf-access-client-secret"], keys.access)
        assert.notInclude(JSON.stringify(body), keys.access)
      }
    })
  )

  it.effect("a tenant's key for one call, by Effect.provideService", () =>
    Effect.gen(function* () {
      const tenant = (key: string) =>
        Effect.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make(key) }))
      yield* ChatModel.chat("hello").pipe(tenant("key-of-tenant-a"))
      yield* ChatModel.chat("hello")
      yield* Stream.runDrain(ChatModel.streamChat("hello")).pipe(tenant("key-of-tenant-b"))
      yield* Stream.runDrain(
        ChatModel.streamChat("hello").pipe(
          Stream.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("key-of-tenant-c") }))
        )
      )
      assert.deepStrictEqual(
        (yield* requests).map(({ headers }) => headers.authorization),
        [
          "Bearer key-of-tenant-a",
          `Bearer ${keys.openai}`,
          "Bearer key-of-tenant-b",
          "Bearer key-of-tenant-c"
        ]
      )
    }).pipe(
      Effect.provide(
        ChatModel.layer(openai).pipe(Layer.provide(keyed), Layer.provideMerge(LocalGateway.layerTest()))
      )
    )
  )

  it.effect("an apiKey that is an Effect is resolved for each attempt", () =>
    Effect.gen(function* () {
      let turn = 0
      const apiKey = Effect.sync(() => Redacted.make(`token-number-${++turn}`))
      const model = OpenAi.model("gpt-4.1-mini").pipe(
        ChatModel.retry(Schedule.recurs(2)),
        ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey }))
      )
      yield* model.chat("hello")
      yield* Stream.runDrain(model.streamChat("hello"))
      assert.deepStrictEqual(
        (yield* requests).map(({ headers }) => headers.authorization),
        [1, 2, 3, 4].map((turn) => `Bearer token-number-${turn}`)
      )
    }).pipe(
      Effect.provide(LocalGateway.layerTest({ upstreams: { openai: script([status(503), status(503)]) } }))
    )
  )

  for (const [what, apiKey] of [
    ["fails", Effect.fail({ reason: "Sealed", message: "the vault is sealed" })],
    ["gives an empty key", Effect.succeed(Redacted.make(""))],
    ["gives a key with a line break", Effect.succeed(Redacted.make("sk-secret-1\n"))]
  ] as const) {
    it.effect(`an apiKey effect that ${what}: Unauthorized of that provider, and the next leg is tried`, () =>
      Effect.gen(function* () {
        const model = openai.pipe(ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey })))
        const answer = yield* ChatModel.firstSuccessOf([model, anthropic]).chat("hello")
        assert.strictEqual(answer.provider, "anthropic")
        const error = answer.attempts[0]?.error
        assert.strictEqual(error?._tag, "Unauthorized")
        assert.strictEqual(error?.source, "provider")
        assert.notInclude(error?.message, "sk-secret")
        assert.strictEqual((yield* requests).length, 1)
        if (what === "fails") assert.include(error?.message, "the vault is sealed")
      }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
    )
  }

  it.effect("the caller's own settings are not written to", () =>
    Effect.gen(function* () {
      const headers = Object.freeze({ "x-team": "a" })
      const options = Object.freeze({ apiKey: Redacted.make(keys.openai), headers })
      const request = Object.freeze({
        prompt: "hello",
        options: Object.freeze({ metadata: Object.freeze({ a: 1 }) })
      })
      yield* openai.chat(request).pipe(Effect.provideService(OpenAi.OpenAi, OpenAi.make(options)))
      assert.deepStrictEqual(headers, { "x-team": "a" })
      assert.strictEqual((yield* lastHeaders)["x-team"], "a")
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("no traceparent and no b3 leaves for a third party, whatever the tracer", () =>
    Effect.gen(function* () {
      yield* openai.chat("hello").pipe(Effect.withSpan("mine"))
      yield* Stream.runDrain(openai.streamChat("hello")).pipe(Effect.withSpan("mine"))
      yield* AiGateway.send({ provider: "openai", endpoint: "models", method: "GET" }).pipe(
        Effect.ignore,
        Effect.withSpan("mine")
      )
      const sent = yield* requests
      assert.strictEqual(sent.length, 3)
      for (const { headers } of sent) {
        for (const name of ["traceparent", "tracestate", "b3", "x-b3-traceid", "baggage"]) {
          assert.notProperty(headers, name)
        }
      }
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )
})

describe("41. no key material in anything that can be shown", () => {
  const secrets = Object.values(keys)

  const clean = (what: string, shown: string) => {
    for (const secret of secrets) assert.notInclude(shown, secret, what)
  }

  /** Everything that a person or a log collector may do to a value. */
  const showings = (value: unknown): string =>
    [
      () => String(value),
      () => JSON.stringify(value) ?? "",
      () => inspect(value, { depth: 20, showHidden: true }),
      () => (value instanceof Error ? `${value.stack}${inspect(value.cause)}` : ""),
      () => Cause.pretty(Cause.fail(value), { renderErrorCause: true }),
      () => inspect(Exit.fail(value), { depth: 20 })
    ]
      .map((show) => show())
      .join("\n")

  const gatewayOptions: AiGateway.Options = {
    accountId: "local-account",
    gatewayId: "local-gateway",
    token: Redacted.make(keys.gateway),
    headers: { "cf-access-client-secret": Redacted.make(keys.access) }
  }

  const gatewayLayer = (upstreams: LocalGateway.Options["upstreams"]) =>
    AiGateway.layer(gatewayOptions).pipe(Layer.provideMerge(LocalGateway.layer({ upstreams })))

  /** Whatever the vendor was sent, it says back. */
  const parrot = (code: number) =>
    LocalGateway.handler(({ headers, text }) => {
      const heard = JSON.stringify(headers).replaceAll('"', "'")
      return raw({
        status: code,
        body: JSON.stringify({
          error: { message: `bad: ${heard} ${text}`, type: heard, code: heard, param: heard }
        })
      })
    })

  const failing: ReadonlyArray<readonly [string, LocalGateway.Upstream]> = [
    ["401", always(status(401))],
    ["429", always(status(429, { headers: { "retry-after": "120" } }))],
    ["500", always(status(500))],
    ["a broken connection", always(disconnect)],
    ["a body that is no JSON", always(raw({ body: "<html>oops</html>" }))],
    ["a body of another shape", always(raw({ body: "[]" }))],
    ["an error inside a 200", always(errorEvent(text("never"), 0))],
    ["an error echoing the key, 400", parrot(400)],
    ["an error echoing the key, 401", parrot(401)],
    ["an error echoing the key, 500", parrot(500)],
    ["an error echoing the key inside a 200", parrot(200)],
    [
      "a text echoing the key",
      LocalGateway.handler(({ headers }) => raw({ status: 502, body: Object.values(headers).join(" ") }))
    ],
    [
      "a 200 that is no JSON, echoing the key",
      LocalGateway.handler(({ headers }) => raw({ body: Object.values(headers).join(" ") }))
    ],
    [
      "an event stream that is no protocol, echoing the key",
      LocalGateway.handler(({ headers }) =>
        raw({
          headers: { "content-type": "text/event-stream" },
          body: `data: {"x": ${JSON.stringify(Object.values(headers).join(" "))}\n\n`
        })
      )
    ],
    [
      "an error event echoing the key",
      LocalGateway.handler(({ headers }) =>
        raw({
          headers: { "content-type": "text/event-stream" },
          body: `event: error\ndata: ${JSON.stringify({
            type: "error",
            error: { type: "x", message: Object.values(headers).join(" ") }
          })}\n\n`
        })
      )
    ],
    ["a stream that breaks after its first words", always(dropAfter(text("Hello there"), 3))]
  ]

  for (const [what, upstream] of failing) {
    it.effect(`in errors and spans and logs: ${what}`, () => {
      const spans: Array<unknown> = []
      const logs: Array<string> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          const record: Record<string, unknown> = { name, attributes: {}, events: [] }
          spans.push(record)
          return {
            _tag: "Span",
            name,
            spanId: "0".repeat(16),
            traceId: "0".repeat(32),
            parent,
            context,
            links,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            sampled: true,
            kind,
            end: (_, exit) => {
              record.exit = Exit.isFailure(exit)
                ? `${Cause.pretty(exit.cause)} ${JSON.stringify(exit)}`
                : "ok"
            },
            attribute: (key, value) => {
              record[`attribute ${key}`] = value
            },
            event: (event, _, attributes) => {
              record[`event ${event}`] = attributes
            },
            addLinks: () => {}
          }
        },
        context: (f) => f()
      })
      const logger = Logger.make(({ message, cause, annotations, spans }) => {
        logs.push(inspect([message, cause, [...annotations], spans], { depth: 20 }))
      })
      const upstreams = {
        openai: upstream,
        anthropic: upstream,
        "google-ai-studio": upstream,
        "workers-ai": upstream
      }
      return Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([openai, anthropic, google, workersAi])
        for (const call of [
          Effect.asVoid(list.chat("hello")),
          Stream.runDrain(list.streamChat("hello")),
          Effect.asVoid(openai.chat("hello")),
          Stream.runDrain(workersAi.streamChat("hello")),
          Effect.flatMap(OpenAi.model("gpt-4.1-mini").encode("hello", { stream: false }), (request) =>
            Effect.flatMap(AiGateway.send(request), (response) => response.json)
          ).pipe(Effect.asVoid),
          Effect.flatMap(OpenAi.model("gpt-4.1-mini").encode("hello", { stream: false }), (request) =>
            Effect.flatMap(AiGateway.sendFirst([request]), (response) => response.json)
          ).pipe(Effect.asVoid)
        ]) {
          const exit = yield* Effect.exit(call)
          if (Exit.isSuccess(exit)) continue
          const error = Option.getOrThrow(Cause.failureOption(exit.cause))
          yield* Effect.logError("it failed", exit.cause, error)
          clean("error", showings(error))
          clean("exit", inspect(exit, { depth: 20 }) + JSON.stringify(exit))
          if (error._tag === "AllProvidersFailed") {
            for (const attempt of error.attempts)
              clean("attempt", showings(attempt) + showings(attempt.error))
          }
        }
        assert.isAbove(spans.length, 0)
        clean("spans", inspect(spans, { depth: 20 }))
        assert.isAbove(logs.length, 0)
        clean("logs", logs.join("\n"))
      }).pipe(
        Effect.provide(Layer.merge(keyed, gatewayLayer(upstreams))),
        Effect.withSpan("test"),
        Effect.provide(Layer.setTracer(tracer)),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Effect.provide(Logger.add(logger)),
        Effect.provide(Logger.minimumLogLevel(LogLevel.All))
      )
    })
  }

  it.effect("an error that echoes the key keeps the rest of its words", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openai.chat("hello"))
      assert.strictEqual(error._tag, "BadRequest")
      assert.include(error.message, "bad:")
      assert.include(error.message, "<redacted>")
    }).pipe(Effect.provide(Layer.merge(keyed, gatewayLayer({ openai: parrot(400) }))))
  )

  it.effect("a key that was given as plain text in a native request is taken out of errors as well", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        AiGateway.send({
          provider: "anthropic",
          endpoint: "v1/messages",
          headers: { "X-Api-Key": keys.anthropic },
          body: {}
        })
      )
      clean("error", showings(error))
    }).pipe(Effect.provide(gatewayLayer({ anthropic: parrot(401) })))
  )

  it.effect("an HTTP client that puts the whole request into its error", () =>
    Effect.gen(function* () {
      const client = HttpClient.make((request) =>
        Effect.fail(
          new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: Object.assign(new Error("connect ECONNREFUSED"), { options: { headers: request.headers } })
          })
        )
      )
      const service = yield* AiGateway.make(gatewayOptions).pipe(
        Effect.provideService(HttpClient.HttpClient, client)
      )
      const error = yield* openai
        .chat("hello")
        .pipe(Effect.provideService(AiGateway.AiGateway, service), Effect.provide(keyed), Effect.flip)
      assert.strictEqual(error._tag, "TransportFailure")
      assert.include(error.message, "ECONNREFUSED")
      clean("error", showings(error))
    })
  )

  it.effect("an HTTP client that names a key in its message", () =>
    Effect.gen(function* () {
      const client = HttpClient.make((request) =>
        Effect.fail(
          new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: new TypeError(
              `Headers.append: "${request.headers["x-goog-api-key"]}" is an invalid header value.`
            )
          })
        )
      )
      const service = yield* AiGateway.make(gatewayOptions).pipe(
        Effect.provideService(HttpClient.HttpClient, client)
      )
      const error = yield* google
        .chat("hello")
        .pipe(Effect.provideService(AiGateway.AiGateway, service), Effect.provide(keyed), Effect.flip)
      clean("error", showings(error))
    })
  )

  it.effect("in services, models, layers and requests", () =>
    Effect.gen(function* () {
      const context = yield* Effect.context<
        | AiGateway.AiGateway
        | OpenAi.OpenAi
        | Anthropic.Anthropic
        | GoogleAiStudio.GoogleAiStudio
        | WorkersAi.WorkersAi
      >()
      const tenant = openai.pipe(
        ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make(keys.openai) }))
      )
      const values: Readonly<Record<string, unknown>> = {
        gateway: Context.get(context, AiGateway.AiGateway),
        openai: Context.get(context, OpenAi.OpenAi),
        anthropic: Context.get(context, Anthropic.Anthropic),
        google: Context.get(context, GoogleAiStudio.GoogleAiStudio),
        workersAi: Context.get(context, WorkersAi.WorkersAi),
        leg: OpenAi.model("gpt-4.1-mini"),
        tenant,
        list: ChatModel.firstSuccessOf([tenant, anthropic]),
        gatewayLayer: AiGateway.layer(gatewayOptions),
        providerLayer: OpenAi.layer({ apiKey: Redacted.make(keys.openai) }),
        call: tenant.chat("hello"),
        stream: tenant.streamChat("hello"),
        encoded: yield* OpenAi.model("gpt-4.1-mini").encode("hello", { stream: false }),
        answer: yield* tenant.chat("hello")
      }
      for (const [what, value] of Object.entries(values)) clean(what, showings(value))
    }).pipe(Effect.provide(Layer.merge(keyed, gatewayLayer({}))))
  )

  it.effect("the platform's own spans and logs know which headers to hide", () =>
    Effect.gen(function* () {
      const { currentRedactedNames } = yield* Effect.promise(() => import("@effect/platform/Headers"))
      const names = yield* FiberRef.get(currentRedactedNames)
      for (const name of [
        "authorization",
        "cf-aig-authorization",
        "x-api-key",
        "x-goog-api-key",
        "api-key",
        "cf-access-client-secret"
      ]) {
        assert.include(names, name)
      }
    }).pipe(Effect.provide(gatewayLayer({})))
  )

  it("errors say what kind they are, and no more than they were told", () => {
    const error = new Errors.Unauthorized({ message: "No.", source: "provider", provider: "openai" })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(error)), {
      _tag: "Unauthorized",
      message: "No.",
      source: "provider",
      provider: "openai",
      [Errors.TypeId]: Errors.TypeId
    })
  })
})
