import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Redacted, Stream } from "effect"
import { AiGateway, Anthropic, GoogleAiStudio, LocalGateway, OpenAi, WorkersAi } from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"

const { always, disconnect, dropAfter, raw, status, text } = LocalGateway

const keyless = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

const body = { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] }
const openai: AiGateway.ProviderRequest = { provider: "openai", endpoint: "chat/completions", body }
const anthropic: AiGateway.ProviderRequest = {
  provider: "anthropic",
  endpoint: "v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body: { model: "claude-haiku-4-5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }
}

interface Entry {
  readonly provider: string
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly config?: unknown
  readonly query: unknown
}

const entriesOf = (request: LocalGateway.RecordedRequest | undefined): ReadonlyArray<Entry> =>
  request?.body as ReadonlyArray<Entry>

const close = (response: AiGateway.GatewayResponse) => response.close

/** Refused before anything was sent, by the field's name. */
const refused = (request: unknown, field: string) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(AiGateway.send(request as AiGateway.ProviderRequest))
    assert.instanceOf(error, Errors.InvalidRequest)
    assert.strictEqual((error as Errors.InvalidRequest).field, field)
    assert.notStrictEqual(error.message, "")
    assert.deepStrictEqual(yield* requests, [])
  }).pipe(Effect.provide(LocalGateway.layerTest()))

describe("send: one request in a provider's own format", () => {
  it.effect("a POST with JSON: goes to the provider's path, and its body is read as JSON", () =>
    Effect.gen(function* () {
      const response = yield* AiGateway.send(openai)
      assert.strictEqual(response.status, 200)
      assert.nestedPropertyVal(yield* response.json, "choices[0].message.content", "You said: hi")
      assert.isString(response.gateway.logId)
      const [request] = yield* requests
      assert.strictEqual(request?.method, "POST")
      assert.strictEqual(request?.path, "/v1/local-account/local-gateway/openai/chat/completions")
      assert.strictEqual(request?.headers["content-type"], "application/json")
      assert.deepStrictEqual(request?.body, body)
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("a GET has no body and no content type", () =>
    Effect.gen(function* () {
      const response = yield* AiGateway.send({ provider: "openai", endpoint: "models", method: "GET" })
      assert.deepStrictEqual(yield* response.json, { data: [] })
      const [request] = yield* requests
      assert.strictEqual(request?.method, "GET")
      assert.isUndefined(request?.body)
      assert.notProperty(request?.headers, "content-type")
    }).pipe(
      Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(raw({ body: '{"data":[]}' })) } }))
    )
  )

  it.effect("a GET with a body is refused, and not sent without it", () =>
    refused({ provider: "openai", endpoint: "models", method: "GET", body: { limit: 3 } }, "body")
  )

  it.effect("the query of an endpoint is kept as it is", () =>
    Effect.gen(function* () {
      const endpoint = "v1beta/models?pageSize=2&filter=a%2Fb%20c"
      yield* Effect.flatMap(AiGateway.send({ provider: "google-ai-studio", endpoint, method: "GET" }), close)
      assert.strictEqual((yield* requests)[0]?.endpoint, endpoint)
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({ upstreams: { "google-ai-studio": always(raw({ body: "{}" })) } })
      )
    )
  )

  const encoder = new TextEncoder()
  const json = JSON.stringify(body)
  const padded = encoder.encode(`xx${json}yy`)
  for (const [what, value] of [
    ["text", json],
    ["a Uint8Array", encoder.encode(json)],
    ["an ArrayBuffer", encoder.encode(json).buffer],
    ["a Buffer", Buffer.from(json)],
    ["a view of a larger buffer", padded.subarray(2, padded.length - 2)],
    ["a DataView", new DataView(padded.buffer, 2, padded.length - 4)]
  ] as const) {
    it.effect(`44. a body given as ${what}: the same JSON goes out, alone and in an entry`, () =>
      Effect.gen(function* () {
        yield* Effect.flatMap(AiGateway.send({ ...openai, body: value }), close)
        yield* Effect.flatMap(AiGateway.sendFirst([{ ...openai, body: value }]), close)
        const [native, universal] = yield* requests
        assert.deepStrictEqual(native?.body, body)
        assert.deepStrictEqual(entriesOf(universal)[0]?.query, body)
      }).pipe(Effect.provide(LocalGateway.layerTest()))
    )
  }

  it.effect("bytes that are no text go out unchanged, under the content type that the request names", () =>
    Effect.gen(function* () {
      const sent: Array<readonly [string | undefined, Uint8Array]> = []
      const client = HttpClient.make((request) => {
        if (request.body._tag === "Uint8Array")
          sent.push([request.headers["content-type"], request.body.body])
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}")))
      })
      const service = yield* AiGateway.make({ accountId: "a", gatewayId: "g" }).pipe(
        Effect.provideService(HttpClient.HttpClient, client)
      )
      const audio = Uint8Array.from([0, 255, 254, 13, 10, 128])
      const response = yield* service.send({
        provider: "deepgram",
        endpoint: "v1/listen?model=nova-3",
        headers: { "Content-Type": "audio/wav" },
        body: audio
      })
      assert.deepStrictEqual(yield* response.json, {})
      assert.deepStrictEqual(sent, [["audio/wav", audio]])
    })
  )

  const circular: Record<string, unknown> = {}
  circular.self = circular
  const form = new FormData()
  form.set("file", "x")
  for (const [what, value] of [
    ["form data", form],
    ["a ReadableStream", new ReadableStream()],
    ["a Blob", new Blob(["x"])],
    ["URLSearchParams", new URLSearchParams({ a: "1" })],
    ["a circular object", circular],
    ["a bigint inside", { tokens: 10n }],
    ["a function", () => {}],
    ["a symbol", Symbol("x")]
  ] as const) {
    it.effect(`a body of ${what} is refused, and never sent as {}`, () =>
      refused({ ...openai, body: value }, "body")
    )
    it.effect(`${what} in an entry of sendFirst is refused by the entry's place`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(AiGateway.sendFirst([openai, { ...openai, body: value }]))
        assert.strictEqual(error._tag, "InvalidRequest")
        if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "requests[1].body")
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(Effect.provide(LocalGateway.layerTest()))
    )
  }

  for (const endpoint of [
    "/chat/completions",
    "../anthropic/v1/messages",
    "v1/../../anthropic/v1/messages",
    "..",
    "v1/..",
    "./x",
    "v1/%2e%2e/x",
    "v1/.%2E/x",
    "v1\\..\\x",
    "..?x=1",
    "v1/.\t./x",
    "v1/.\n./x",
    "v1/x\r\ny"
  ]) {
    it.effect(`an endpoint that would lead elsewhere is refused: ${JSON.stringify(endpoint)}`, () =>
      refused({ ...openai, endpoint }, "endpoint")
    )
  }

  for (const provider of ["", "open ai", "openai/x", "..", "OpenAI", "https://api.openai.com"]) {
    it.effect(`a provider that is no slug is refused: ${JSON.stringify(provider)}`, () =>
      refused({ ...openai, provider }, "provider")
    )
  }

  it.effect("dots that are no path segment of their own are fine", () =>
    Effect.gen(function* () {
      for (const endpoint of ["v1/models/gpt-4.1", "v1/files/.hidden", "a..b/c...d", "v1/x?since=1..2"]) {
        yield* Effect.flatMap(AiGateway.send({ provider: "openai", endpoint, method: "GET" }), close)
      }
      assert.strictEqual((yield* requests).length, 4)
    }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(raw({ body: "{}" })) } })))
  )

  it.effect("every status but a success is a classified error, and nothing is retried", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AiGateway.send({ ...openai, model: "gpt-4.1-mini" }))
      assert.strictEqual(error._tag, "ProviderFailure")
      assert.strictEqual(error.status, 503)
      assert.strictEqual(error.provider, "openai")
      assert.strictEqual(error.model, "gpt-4.1-mini")
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(status(503)) } })))
  )

  it.effect("a connection that breaks before any answer is a TransportFailure that names the provider", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AiGateway.send(openai))
      assert.strictEqual(error._tag, "TransportFailure")
      assert.strictEqual(error.provider, "openai")
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(disconnect) } })))
  )

  it.effect("a body that breaks off: text, json and stream fail with TransportFailure", () =>
    Effect.gen(function* () {
      for (const read of [
        (response: AiGateway.GatewayResponse) => Effect.asVoid(response.text),
        (response: AiGateway.GatewayResponse) => Effect.asVoid(response.json),
        (response: AiGateway.GatewayResponse) => Stream.runDrain(response.stream)
      ]) {
        const error = yield* Effect.flip(Effect.flatMap(AiGateway.send(openai), read))
        assert.strictEqual(error._tag, "TransportFailure")
        assert.include(error.message, "openai")
      }
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({ upstreams: { openai: always(dropAfter(text("Hello there"), 1)) } })
      )
    )
  )

  it.effect("79. a 200 that is no JSON: text gives it, json is a MalformedResponse with an excerpt", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Effect.flatMap(AiGateway.send(openai), ({ text }) => text), "<p>oops</p>")
      const error = yield* Effect.flip(Effect.flatMap(AiGateway.send(openai), ({ json }) => json))
      assert.strictEqual(error._tag, "MalformedResponse")
      if (error._tag === "MalformedResponse") assert.strictEqual(error.excerpt, "<p>oops</p>")
    }).pipe(
      Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(raw({ body: "<p>oops</p>" })) } }))
    )
  )

  it.effect("the body as a stream: one element per network read", () =>
    Effect.gen(function* () {
      const response = yield* AiGateway.send(openai)
      const reads = Chunk.toReadonlyArray(yield* Stream.runCollect(response.stream))
      assert.deepStrictEqual(
        reads.map((bytes) => new TextDecoder().decode(bytes)),
        ["one", "two", "three"]
      )
      assert.strictEqual((yield* LocalGateway.Gateway).inFlight(), 0)
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({ upstreams: { openai: always(raw({ body: ["one", "two", "three"] })) } })
      )
    )
  )

  it.effect("a response that is not read is let go with close, and by leaving its stream early", () =>
    Effect.gen(function* () {
      const gateway = yield* LocalGateway.Gateway
      const unread = yield* AiGateway.send(openai)
      assert.strictEqual(gateway.inFlight(), 1)
      yield* unread.close
      yield* unread.close
      yield* Effect.promise(() => new Promise<void>((done) => setImmediate(done)))
      assert.strictEqual(gateway.inFlight(), 0)
      assert.isTrue((yield* requests)[0]?.aborted)
      const left = yield* AiGateway.send(openai)
      yield* Stream.runDrain(Stream.take(left.stream, 1))
      yield* Effect.promise(() => new Promise<void>((done) => setImmediate(done)))
      assert.strictEqual(gateway.inFlight(), 0)
      assert.isTrue((yield* requests)[1]?.aborted)
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({
          upstreams: { openai: always(LocalGateway.stallAfter(raw({ body: ["one", "two", "three"] }), 2)) }
        })
      )
    )
  )
})

describe("sendFirst: several entries, and the gateway walks them", () => {
  it.effect(
    "43. two requests: an array of two in their order, each with provider, endpoint, headers, query",
    () =>
      Effect.gen(function* () {
        const response = yield* AiGateway.sendFirst([openai, anthropic])
        yield* response.close
        const [request] = yield* requests
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.path, "/v1/local-account/local-gateway")
        assert.deepStrictEqual(entriesOf(request), [
          {
            provider: "openai",
            endpoint: "chat/completions",
            headers: { "content-type": "application/json" },
            query: openai.body
          },
          {
            provider: "anthropic",
            endpoint: "v1/messages",
            headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
            query: anthropic.body
          }
        ])
      }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("the step tells which entry answered", () =>
    Effect.gen(function* () {
      const first = yield* AiGateway.sendFirst([anthropic, openai])
      assert.strictEqual(first.gateway.step, 0)
      yield* first.close
      const second = yield* AiGateway.sendFirst([openai, anthropic])
      assert.strictEqual(second.gateway.step, 1)
      assert.nestedPropertyVal(yield* second.json, "content[0].text", "You said: hi")
    }).pipe(Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(status(400)) } })))
  )

  it.effect("48. an entry's timeout and retries are its config, its other options its headers", () =>
    Effect.gen(function* () {
      const response = yield* AiGateway.sendFirst([
        {
          ...openai,
          options: {
            requestTimeout: "2 seconds",
            retries: { maxAttempts: 2, delay: "1.5 seconds", backoff: "linear" },
            eventId: "inner"
          }
        },
        { ...anthropic, options: { byokAlias: "team" } }
      ]).pipe(AiGateway.withOptions({ eventId: "outer", metadata: { a: 1 } }))
      yield* response.close
      const [request] = yield* requests
      assert.strictEqual(request?.headers["cf-aig-event-id"], "outer")
      assert.strictEqual(request?.headers["cf-aig-metadata"], '{"a":1}')
      assert.notProperty(request?.headers, "cf-aig-request-timeout")
      const [first, second] = entriesOf(request)
      assert.deepStrictEqual(first?.headers, {
        "content-type": "application/json",
        "cf-aig-event-id": "inner"
      })
      assert.deepStrictEqual(first?.config, {
        requestTimeout: 2000,
        maxAttempts: 2,
        retryDelay: 1500,
        backoff: "linear"
      })
      assert.notProperty(second, "config")
      assert.strictEqual(second?.headers["cf-aig-byok-alias"], "team")
      assert.notProperty(second?.headers, "cf-aig-event-id")
    }).pipe(Effect.provide(LocalGateway.layerTest()))
  )

  it.effect("the gateway's defaults are outer options as well", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const service = yield* AiGateway.make({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        defaults: { collectLog: false, eventId: "default" }
      }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
      const response = yield* service.sendFirst([openai]).pipe(AiGateway.withOptions({ eventId: "region" }))
      yield* response.close
      const [request] = gateway.requests()
      assert.strictEqual(request?.headers["cf-aig-collect-log"], "false")
      assert.strictEqual(request?.headers["cf-aig-event-id"], "region")
    })
  )

  it.effect("a custom domain has no universal endpoint: refused, and nothing is sent", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const service = yield* AiGateway.make({ customDomain: "https://ai.example.com" }).pipe(
        Effect.provide(LocalGateway.layerFrom(gateway))
      )
      const error = yield* Effect.flip(service.sendFirst([openai]))
      assert.strictEqual(error._tag, "InvalidRequest")
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, "customDomain")
      assert.deepStrictEqual(gateway.requests(), [])
    })
  )

  const refusals: ReadonlyArray<readonly [string, ReadonlyArray<unknown>, string]> = [
    ["no entry", [], "requests"],
    ["a GET, which an entry cannot be", [openai, { ...openai, method: "GET" }], "requests[1].method"],
    ["an entry without a body", [{ ...openai, body: undefined }], "requests[0].body"],
    ["an entry whose text is no JSON", [openai, { ...openai, body: "hello" }], "requests[1].body"],
    [
      "an entry with bytes that are no JSON",
      [{ ...openai, body: Uint8Array.from([255]) }],
      "requests[0].body"
    ],
    ["an entry that would lead elsewhere", [openai, { ...openai, endpoint: "../x" }], "requests[1].endpoint"],
    ["an entry of no provider", [{ ...openai, provider: "" }], "requests[0].provider"],
    ["an entry with a wrong option", [{ ...openai, options: { cacheTtl: "1 second" } }], "cacheTtl"],
    [
      "an entry with a header that cannot be one",
      [{ ...openai, headers: { "x-a": "b\nc" } }],
      "requests[0].headers.x-a"
    ]
  ]
  for (const [what, entries, field] of refusals) {
    it.effect(`${what}: refused by its place, and nothing is sent`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          AiGateway.sendFirst(entries as unknown as readonly [AiGateway.ProviderRequest])
        )
        assert.strictEqual(error._tag, "InvalidRequest")
        if (error._tag === "InvalidRequest") assert.strictEqual(error.field, field)
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(Effect.provide(LocalGateway.layerTest()))
    )
  }

  it.effect("all entries fail: the classified error of the one that the gateway answers with", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AiGateway.sendFirst([openai, anthropic]))
      assert.strictEqual(error._tag, "RateLimited")
      assert.strictEqual(error.status, 429)
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(
      Effect.provide(
        LocalGateway.layerTest({
          upstreams: { openai: always(status(400)), anthropic: always(status(429)) }
        })
      )
    )
  )

  it.effect("an error names the entry of the step, or the last one if there is no step", () =>
    Effect.gen(function* () {
      const three = [
        { ...openai, model: "a" },
        { ...openai, model: "b" },
        { ...anthropic, model: "c" }
      ] as const
      for (const [options, provider, model] of [
        [{ whenAllFail: "first", stepWhenAllFail: true }, "openai", "a"],
        [{ whenAllFail: "last", stepWhenAllFail: true }, "anthropic", "c"],
        [{ whenAllFail: "last" }, "anthropic", "c"]
      ] as const) {
        const error = yield* Effect.flip(AiGateway.sendFirst(three)).pipe(
          Effect.provide(
            LocalGateway.layerTest({
              ...options,
              upstreams: { openai: always(status(500)), anthropic: always(status(500)) }
            })
          )
        )
        assert.deepStrictEqual([error.provider, error.model], [provider, model])
      }
    })
  )

  it.effect("a body that breaks off names the entry that it is from; no response at all names none", () =>
    Effect.gen(function* () {
      const cut = yield* AiGateway.sendFirst([openai, anthropic]).pipe(
        Effect.flatMap((response) => Effect.flip(response.text)),
        Effect.provide(
          LocalGateway.layerTest({
            upstreams: { openai: always(status(500)), anthropic: always(dropAfter(text("Hello there"), 1)) }
          })
        )
      )
      assert.strictEqual(cut._tag, "TransportFailure")
      assert.strictEqual(cut.provider, "anthropic")
      const none = yield* Effect.flip(AiGateway.sendFirst([openai, anthropic])).pipe(
        Effect.provide(LocalGateway.layerTest({ upstreams: { openai: always(disconnect) } }))
      )
      assert.strictEqual(none._tag, "TransportFailure")
      assert.strictEqual(none.provider, "universal")
    })
  )

  it.effect("models write their own entries: encode gives what sendFirst takes", () =>
    Effect.gen(function* () {
      const entries = yield* Effect.all([
        OpenAi.model("gpt-4.1-mini").encode("hello", { stream: false }),
        GoogleAiStudio.model("gemini-2.5-flash").encode("hello", { stream: false }),
        WorkersAi.model("@cf/meta/llama-3.1-8b-instruct").encode("hello", { stream: false })
      ])
      const response = yield* AiGateway.sendFirst(entries)
      assert.strictEqual(response.gateway.step, 1)
      const decoded = GoogleAiStudio.model("gemini-2.5-flash").wire.decode(yield* response.json)
      assert.deepStrictEqual("parts" in decoded ? decoded.parts : [], [
        { type: "text", text: "You said: hello" }
      ])
    }).pipe(
      Effect.provide(
        Layer.merge(keyless, LocalGateway.layerTest({ upstreams: { openai: always(status(500)) } }))
      )
    )
  )
})

describe("49. sampling options are written in each vendor's own names", () => {
  const request = { prompt: "hi", maxTokens: 50, temperature: 0.5, topP: 0.9, stop: ["END"] }
  const bodyOf = (encoded: AiGateway.ProviderRequest) => encoded.body as Readonly<Record<string, unknown>>

  it.effect("49. max_completion_tokens, max_tokens, maxOutputTokens", () =>
    Effect.gen(function* () {
      const openai = bodyOf(yield* OpenAi.model("gpt-4.1-mini").encode(request, { stream: false }))
      assert.deepInclude(openai, { max_completion_tokens: 50, temperature: 0.5, top_p: 0.9, stop: ["END"] })
      assert.notProperty(openai, "max_tokens")
      const anthropic = bodyOf(
        yield* Anthropic.model("claude-haiku-4-5", { unsupported: "drop" }).encode(request, { stream: false })
      )
      assert.deepInclude(anthropic, { max_tokens: 50, temperature: 0.5, stop_sequences: ["END"] })
      assert.notProperty(anthropic, "max_completion_tokens")
      const google = bodyOf(
        yield* GoogleAiStudio.model("gemini-2.5-flash").encode(request, { stream: false })
      )
      assert.deepInclude(google.generationConfig, {
        maxOutputTokens: 50,
        temperature: 0.5,
        topP: 0.9,
        stopSequences: ["END"]
      })
      const workersAi = bodyOf(
        yield* WorkersAi.model("@cf/meta/llama-3.1-8b-instruct", { unsupported: "drop" }).encode(request, {
          stream: false
        })
      )
      assert.deepInclude(workersAi, { max_tokens: 50, temperature: 0.5, top_p: 0.9 })
      assert.notProperty(workersAi, "stop")
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("49. what is not asked for is not written", () =>
    Effect.gen(function* () {
      const openai = bodyOf(yield* OpenAi.model("gpt-4.1-mini").encode("hi", { stream: false }))
      assert.deepStrictEqual(openai, { model: "gpt-4.1-mini", messages: [{ role: "user", content: "hi" }] })
      const google = bodyOf(yield* GoogleAiStudio.model("gemini-2.5-flash").encode("hi", { stream: false }))
      assert.notProperty(google, "generationConfig")
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )

  it.effect("49. a vendor's own fields reach that vendor and no other", () =>
    Effect.gen(function* () {
      const input = { prompt: "hi", providerOptions: { openai: { logit_bias: { "5": 1 } } } }
      const openai = bodyOf(yield* OpenAi.model("gpt-4.1-mini").encode(input, { stream: false }))
      assert.deepStrictEqual(openai.logit_bias, { "5": 1 })
      const anthropic = bodyOf(yield* Anthropic.model("claude-haiku-4-5").encode(input, { stream: false }))
      assert.notInclude(JSON.stringify(anthropic), "logit_bias")
    }).pipe(Effect.provide(Layer.merge(keyless, LocalGateway.layerTest())))
  )
})
