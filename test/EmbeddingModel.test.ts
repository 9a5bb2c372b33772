/** Embeddings through the gateway: batches, order, fallback, retries, errors. */
import type { HttpClient, HttpClientRequest } from "@effect/platform"
import * as Client from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import {
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  LogLevel,
  Redacted,
  Schedule,
  TestClock,
  type Tracer
} from "effect"
import {
  AiGateway,
  AzureOpenAi,
  Cohere,
  EmbeddingModel,
  GoogleAiStudio,
  Mistral,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"

interface Asked {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Record<string, unknown>
}

type Answer = (asked: Asked) => Response | Effect.Effect<Response>

/** A gateway whose answers the test gives, and what it was asked. */
const stub = (answer: Answer) => {
  const asked: Array<Asked> = []
  const client = Client.make((request: HttpClientRequest.HttpClientRequest) =>
    Effect.suspend(() => {
      const { body } = request
      const text = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "{}"
      const one: Asked = {
        url: request.url,
        headers: request.headers,
        body: JSON.parse(text) as Record<string, unknown>
      }
      asked.push(one)
      const answered = answer(one)
      return Effect.map(Effect.isEffect(answered) ? answered : Effect.succeed(answered), (response) =>
        HttpClientResponse.fromWeb(request, response)
      )
    })
  )
  const layer: Layer.Layer<HttpClient.HttpClient> = Layer.succeed(Client.HttpClient, client)
  return {
    asked,
    layer: AiGateway.layer({
      accountId: "account",
      gatewayId: "gateway",
      token: Redacted.make("gateway-token")
    }).pipe(
      Layer.provide(layer),
      Layer.merge(
        Layer.mergeAll(
          OpenAi.layer({ apiKey: Redacted.make("sk-openai") }),
          AzureOpenAi.layer({ apiKey: Redacted.make("azure-key") }),
          Mistral.layer(),
          GoogleAiStudio.layer({ apiKey: Redacted.make("google-key") }),
          Cohere.layer({ apiKey: Redacted.make("cohere-key") }),
          WorkersAi.layer()
        )
      ),
      Layer.merge(Logger.minimumLogLevel(LogLevel.None))
    )
  }
}

/** A vector that tells which text it is of. */
const vectorOf = (text: unknown) => [Number(String(text).replace(/\D/g, "")) || 0, 1]

/** OpenAI's answer, by which each text has the vector of its number. */
const openAi = ({ body }: Asked) =>
  Response.json({
    object: "list",
    data: (body.input as ReadonlyArray<string>).map((text, index) => ({
      object: "embedding",
      index,
      embedding: vectorOf(text)
    })),
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 2, total_tokens: 2 }
  })

const failing = (status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ error: { message: "no", type: "t", code: null } }), { status, headers })

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)

const model = OpenAi.embeddingModel("text-embedding-3-small")
const once = <R>(self: EmbeddingModel.With<R>) => EmbeddingModel.retry(self, Schedule.recurs(0))

describe("embeddings", () => {
  it.effect("one text gives one vector, with usage, provider and model", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const answer = yield* model.embed("text 7")
      assert.deepStrictEqual(answer.embedding, [7, 1])
      assert.deepStrictEqual(answer.usage, { input: 2, total: 2 })
      assert.strictEqual(answer.provider, "openai")
      assert.strictEqual(answer.model, "text-embedding-3-small")
      assert.deepStrictEqual(answer.attempts, [])
      assert.strictEqual(
        asked[0]?.url,
        "https://gateway.ai.cloudflare.com/v1/account/gateway/openai/embeddings"
      )
      assert.strictEqual(asked[0]?.headers.authorization, "Bearer sk-openai")
      assert.strictEqual(asked[0]?.headers["cf-aig-authorization"], "Bearer gateway-token")
    }).pipe(Effect.provide(layer))
  })

  it.effect("more texts than the vendor takes go out in several requests, and come back in order", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const answer = yield* model.embedMany(texts(5000))
      assert.deepStrictEqual(
        answer.embeddings.map(([first]) => first),
        texts(5000).map((_, index) => index)
      )
      assert.deepStrictEqual(
        asked.map(({ body }) => (body.input as ReadonlyArray<string>).length),
        [2048, 2048, 904]
      )
      assert.deepStrictEqual(answer.usage, { input: 6, total: 6 })
      assert.strictEqual(answer.gateway.length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("requests that are under way together keep the order", () => {
    let open = 0
    let most = 0
    const { layer } = stub((asked) =>
      Effect.gen(function* () {
        most = Math.max(most, ++open)
        // The first one answers last.
        yield* Effect.sleep(
          Duration.millis(100 - Number(vectorOf((asked.body.input as Array<string>)[0])[0]))
        )
        open--
        return openAi(asked)
      })
    )
    return Effect.gen(function* () {
      const patient = OpenAi.embeddingModel("text-embedding-3-small", { maxBatch: 2, concurrency: 3 })
      const fiber = yield* Effect.fork(patient.embedMany(texts(9)))
      yield* TestClock.adjust("1 second")
      const { embeddings } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        embeddings.map(([first]) => first),
        [0, 1, 2, 3, 4, 5, 6, 7, 8]
      )
      assert.strictEqual(most, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("no texts give no vectors, and nothing is sent", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const { embeddings } = yield* model.embedMany([])
      assert.deepStrictEqual(embeddings, [])
      assert.strictEqual(asked.length, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("an empty text is refused before anything is sent, with its place", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const error = yield* Effect.flip(model.embedMany(["a", ""]))
      assert.strictEqual(error._tag === "InvalidRequest" ? error.field : error._tag, "inputs[1]")
      assert.strictEqual(asked.length, 0)
    }).pipe(Effect.provide(layer))
  })

  for (const [field, options] of [
    ["dimensions", { dimensions: 0.5 }],
    ["maxBatch", { maxBatch: 0 }],
    ["concurrency", { concurrency: -1 }],
    ["timeouts.total", { timeouts: { total: "0 seconds" as const } }]
  ] as const) {
    it.effect(`a wrong ${field} is InvalidRequest that names it`, () => {
      const { asked, layer } = stub(openAi)
      return Effect.gen(function* () {
        const error = yield* Effect.flip(OpenAi.embeddingModel("m", options).embed("a"))
        assert.strictEqual(error._tag === "InvalidRequest" ? error.field : error._tag, field)
        assert.strictEqual(asked.length, 0)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("fewer vectors than texts is a malformed answer, not a shorter list", () => {
    const { layer } = stub(() => Response.json({ data: [{ index: 0, embedding: [1] }] }))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(model.embedMany(["a", "b"]))
      assert.strictEqual(error._tag, "MalformedResponse")
      assert.include(error.message, "expected 2 vectors, found 1")
    }).pipe(Effect.provide(layer))
  })

  it.effect("an error inside a 200 is that error", () => {
    const { layer } = stub(() =>
      Response.json({ error: { message: "Incorrect API key", code: "invalid_api_key" } })
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(model.embed("a"))
      assert.strictEqual(error._tag, "Unauthorized")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a key that the provider quotes, in whatever status, is in no error", () => {
    let status = 200
    const { layer } = stub(() =>
      Response.json(
        { error: { message: "Incorrect API key provided: sk-openai", code: "invalid_api_key" } },
        { status }
      )
    )
    return Effect.gen(function* () {
      for (const next of [200, 401]) {
        status = next
        const error = yield* Effect.flip(model.embed("a"))
        assert.strictEqual(error._tag, "Unauthorized")
        assert.notInclude(`${error.message} ${JSON.stringify(error)} ${String(error)}`, "sk-openai")
      }
    }).pipe(Effect.provide(layer))
  })

  for (const [name, made, endpoint] of [
    [
      "Azure with a version",
      AzureOpenAi.embeddingModel("vectors", { resource: "res", apiVersion: "2024-10-21" }),
      "azure-openai/res/vectors/embeddings?api-version=2024-10-21"
    ],
    [
      "Azure without one",
      AzureOpenAi.embeddingModel("vectors", { resource: "res" }),
      "azure-openai/res/openai/v1/embeddings"
    ],
    ["Mistral", Mistral.embeddingModel("mistral-embed"), "mistral/v1/embeddings"]
  ] as const) {
    it.effect(`${name} is asked at its own endpoint`, () => {
      const { asked, layer } = stub(openAi)
      return Effect.gen(function* () {
        const { embedding } = yield* made.embed("text 3")
        assert.deepStrictEqual(embedding, [3, 1])
        assert.strictEqual(
          asked[0]?.url.replace("https://gateway.ai.cloudflare.com/v1/account/gateway/", ""),
          endpoint
        )
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a resource that is no host name is InvalidRequest for Azure", () => {
    const { layer } = stub(openAi)
    return Effect.gen(function* () {
      const error = yield* Effect.flip(AzureOpenAi.embeddingModel("d", { resource: "a/b" }).embed("x"))
      assert.strictEqual(error._tag === "InvalidRequest" ? error.field : error._tag, "resource")
    }).pipe(Effect.provide(layer))
  })
})

describe("embeddings in a list", () => {
  it.effect("the next leg makes all vectors anew where one request of the first fails", () => {
    let ours = 0
    const { asked, layer } = stub((one) => {
      if (one.url.includes("/openai/")) return ++ours === 2 ? failing(400) : openAi(one)
      return openAi(one)
    })
    const small = { maxBatch: 2 }
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([
        OpenAi.embeddingModel("text-embedding-3-small", small),
        AzureOpenAi.embeddingModel("vectors", { ...small, resource: "res" })
      ])
      const answer = yield* list.embedMany(texts(4))
      assert.strictEqual(answer.provider, "azure-openai")
      assert.deepStrictEqual(
        answer.embeddings.map(([first]) => first),
        [0, 1, 2, 3]
      )
      assert.deepStrictEqual(
        answer.attempts.map(({ leg, provider, error }) => [leg, provider, error._tag]),
        [[0, "openai", "BadRequest"]]
      )
      assert.deepStrictEqual(
        asked.map(({ url }) => (url.includes("/openai/e") ? "openai" : "azure")),
        ["openai", "openai", "azure", "azure"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("keys stay with their providers", () => {
    const { asked, layer } = stub((one) =>
      one.url.includes("/openai/") ? failing(503) : Response.json({ embeddings: [{ values: [1] }] })
    )
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([
        once(model),
        GoogleAiStudio.embeddingModel("gemini-embedding-001")
      ])
      yield* list.embed("a")
      assert.notProperty(asked[1]?.headers, "authorization")
      assert.strictEqual(asked[1]?.headers["x-goog-api-key"], "google-key")
    }).pipe(Effect.provide(layer))
  })

  it.effect("all failed: one attempt for each leg", () => {
    const { layer } = stub(() => failing(404))
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([model, Cohere.embeddingModel("embed-v4.0")])
      const error = yield* Effect.flip(list.embed("a"))
      assert.deepStrictEqual(
        error._tag === "AllProvidersFailed" ? error.attempts.map(({ provider }) => provider) : error._tag,
        ["openai", "cohere"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a gateway that does not exist ends the call at once", () => {
    const { asked, layer } = stub(
      () =>
        new Response(
          JSON.stringify({
            success: false,
            error: [{ code: 2001, message: "x" }],
            name: "AiGatewayError",
            internalCode: 2001
          }),
          { status: 400 }
        )
    )
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([model, Cohere.embeddingModel("embed-v4.0")])
      assert.strictEqual((yield* Effect.flip(list.embed("a")))._tag, "GatewayNotFound")
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a purpose that the first vendor cannot take moves on before anything is sent", () => {
    const { asked, layer } = stub(() => Response.json({ embeddings: { float: [[1]] } }))
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([model, Cohere.embeddingModel("embed-v4.0")])
      const answer = yield* list.embed("a", { purpose: "query" })
      assert.strictEqual(answer.provider, "cohere")
      assert.strictEqual(answer.attempts[0]?.error._tag, "Unsupported")
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("what is unsupported is dropped where the model was told so", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      yield* OpenAi.embeddingModel("m", { unsupported: "drop" }).embed("a", { purpose: "query" })
      assert.notProperty(asked[0]?.body, "purpose")
    }).pipe(Effect.provide(layer))
  })
})

describe("embeddings and time", () => {
  it.effect("a request that may pass is retried, the others are not sent again", () => {
    let calls = 0
    const { asked, layer } = stub((one) => (++calls === 2 ? failing(503) : openAi(one)))
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(OpenAi.embeddingModel("m", { maxBatch: 1 }).embedMany(texts(3)))
      yield* TestClock.adjust("1 minute")
      const { embeddings } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        embeddings.map(([first]) => first),
        [0, 1, 2]
      )
      assert.deepStrictEqual(
        asked.map(({ body }) => (body.input as ReadonlyArray<string>)[0]),
        ["text 0", "text 1", "text 1", "text 2"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("the gateway's own retries switch the client's off", () => {
    const { asked, layer } = stub(() => failing(503))
    return Effect.gen(function* () {
      yield* Effect.flip(model.embed("a", { options: { retries: { maxAttempts: 2 } } }))
      assert.strictEqual(asked.length, 1)
      assert.strictEqual(asked[0]?.headers["cf-aig-max-attempts"], "2")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a total clock bounds the whole call", () => {
    const { layer } = stub(() => Effect.never)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.flip(EmbeddingModel.withTimeouts(model, { total: "5 seconds" }).embed("a"))
      )
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag === "ModelTimeout" ? error.phase : error._tag, "total")
    }).pipe(Effect.provide(layer))
  })

  it.effect("an interrupted call sends nothing more", () => {
    const { asked, layer } = stub((one) => (asked.length === 2 ? Effect.never : openAi(one)))
    return Effect.gen(function* () {
      const list = EmbeddingModel.firstSuccessOf([
        OpenAi.embeddingModel("m", { maxBatch: 1 }),
        Cohere.embeddingModel("embed-v4.0")
      ])
      const fiber = yield* Effect.fork(list.embedMany(texts(4)))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.provide(layer))
  })
})

describe("the application's embedding model", () => {
  it.effect("is a layer, and options of a region hold for it", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const { embedding } = yield* EmbeddingModel.embed("text 2")
      assert.deepStrictEqual(embedding, [2, 1])
      yield* EmbeddingModel.embedMany(["x"]).pipe(AiGateway.withOptions({ cacheKey: "vectors" }))
      assert.strictEqual(asked[1]?.headers["cf-aig-cache-key"], "vectors")
    }).pipe(Effect.provide(Layer.provide(EmbeddingModel.layer(model), layer)))
  })

  it.effect("is whatever a test puts in its place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* EmbeddingModel.embed("x")).embedding, [0.5])
    }).pipe(
      Effect.provide(
        EmbeddingModel.layer(
          EmbeddingModel.make({
            metadata: { provider: "test", model: "test", maxBatch: 10 },
            embedMany: (inputs) =>
              Effect.succeed({
                embeddings: inputs.map(() => [0.5]),
                usage: {},
                provider: "test",
                model: "test",
                attempts: [],
                gateway: []
              })
          })
        )
      )
    )
  )

  it.effect("another account is a service that is provided", () => {
    const { asked, layer } = stub(openAi)
    return Effect.gen(function* () {
      const other = model.pipe(
        EmbeddingModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("sk-other") })),
        EmbeddingModel.withDefaults({ dimensions: 3 })
      )
      yield* other.embed("a")
      assert.strictEqual(asked[0]?.headers.authorization, "Bearer sk-other")
      assert.strictEqual(asked[0]?.body.dimensions, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("has one span per call, and one child for each request", () => {
    const { layer } = stub(openAi)
    const spans: Array<Tracer.Span> = []
    return Effect.gen(function* () {
      const tracer = yield* Effect.tracer
      const watched: Tracer.Tracer = {
        ...tracer,
        span: (...args) => {
          const span = tracer.span(...args)
          spans.push(span)
          return span
        },
        context: (f, fiber) => tracer.context(f, fiber)
      }
      yield* OpenAi.embeddingModel("m", { maxBatch: 1 })
        .embedMany(["a", "b"])
        .pipe(Effect.withTracer(watched))
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["EmbeddingModel.embedMany", "embeddings m", "embeddings m"]
      )
      const [call, first, second] = spans
      for (const child of [first, second]) {
        assert.strictEqual(child?.parent._tag === "Some" ? child.parent.value : undefined, call)
        assert.strictEqual(child?.attributes.get("gen_ai.operation.name"), "embeddings")
      }
    }).pipe(Effect.provide(layer))
  })
})
