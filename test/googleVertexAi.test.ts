/** Google Vertex AI: where requests go, which key goes with them, and calls whose arguments come in pieces. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Encoding, Exit, Layer, Redacted, Schedule, Schema, Stream } from "effect"
import {
  AiGateway,
  ChatModel,
  GoogleAiStudio,
  GoogleVertexAi,
  LocalGateway,
  Message,
  Tool
} from "effect-ai-gateway"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"

const { always, raw } = LocalGateway

const once = ChatModel.retry(Schedule.recurs(0))
const place = { project: "my-project", location: "us-central1" }
const model = GoogleVertexAi.model("gemini-2.5-flash", place).pipe(once)

const withGateway = (
  options: LocalGateway.Options = {},
  apiKey: Parameters<typeof GoogleVertexAi.make>[0] = { apiKey: Redacted.make("ya29.token") }
) =>
  Effect.provide(
    Layer.mergeAll(
      GoogleVertexAi.layer(apiKey),
      GoogleAiStudio.layer({ apiKey: Redacted.make("AIza-studio") }),
      LocalGateway.layerTest(options)
    )
  )

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

const base =
  "/v1/local-account/local-gateway/google-vertex-ai/v1/projects/my-project/locations/us-central1/publishers/google/models/gemini-2.5-flash"

describe("a request to Vertex AI", () => {
  it.effect("goes to the model of the project and the location, with the token", () =>
    Effect.gen(function* () {
      const answer = yield* model.chat("Hi")
      assert.strictEqual(answer.provider, "google-vertex-ai")
      assert.notStrictEqual(answer.text, "")
      const [request] = yield* requests
      assert.strictEqual(new URL(request?.url ?? "").pathname, `${base}:generateContent`)
      assert.strictEqual(request?.headers.authorization, "Bearer ya29.token")
      assert.notProperty(request?.headers, "x-goog-api-key")
    }).pipe(withGateway())
  )

  it.effect("streams by its own method, as server-sent events", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.collect(model.streamChat("Hi"))
      assert.notStrictEqual(answer.text, "")
      const [request] = yield* requests
      const url = new URL(request?.url ?? "")
      assert.strictEqual(url.pathname, `${base}:streamGenerateContent`)
      assert.strictEqual(url.search, "?alt=sse")
    }).pipe(withGateway())
  )

  it.effect("has no credential where none is given, and the gateway's stored key applies", () =>
    Effect.gen(function* () {
      yield* Effect.exit(model.chat("Hi"))
      const [request] = yield* requests
      assert.notProperty(request?.headers, "authorization")
    }).pipe(withGateway({}, {}))
  )

  it.effect("gets its token anew for each attempt, where an effect gives it", () => {
    let count = 0
    const apiKey = Effect.sync(() => Redacted.make(`token-${++count}`))
    return Effect.gen(function* () {
      yield* model.chat("One")
      yield* model.chat("Two")
      assert.deepStrictEqual(
        (yield* requests).map(({ headers }) => headers.authorization),
        ["Bearer token-1", "Bearer token-2"]
      )
    }).pipe(withGateway({}, { apiKey }))
  })

  it.effect("shares no key with AI Studio, and a list moves from one to the other", () =>
    Effect.gen(function* () {
      const list = ChatModel.firstSuccessOf([
        GoogleVertexAi.model("does-not-exist", place),
        GoogleAiStudio.model("gemini-2.5-flash")
      ])
      const answer = yield* list.chat("Hi")
      assert.strictEqual(answer.provider, "google-ai-studio")
      const [first, second] = (yield* requests).map(({ headers }) => JSON.stringify(headers))
      assert.include(first, "ya29.token")
      assert.notInclude(first, "AIza-studio")
      assert.include(second, "AIza-studio")
      assert.notInclude(second, "ya29.token")
    }).pipe(withGateway())
  )

  it("knows the limits of its models", () => {
    assert.strictEqual(model.metadata.provider, "google-vertex-ai")
    assert.strictEqual(model.metadata.contextWindow, 1_048_576)
    assert.includeMembers(
      [...model.metadata.supports],
      ["tools", "output", "images", "files", "reasoningEffort"]
    )
    assert.notInclude(model.metadata.supports, "parallelToolCalls")
  })

  const wrong = [
    ["no project", { ...place, project: "" }, "project"],
    ["a project that is a path", { ...place, project: "a/b" }, "project"],
    ["a project of dots", { ...place, project: ".." }, "project"],
    ["no location", { ...place, location: "" }, "location"],
    ["a location that is a path", { ...place, location: "us/../x" }, "location"]
  ] as const
  for (const [what, options, field] of wrong) {
    it.effect(`with ${what} is InvalidRequest, names ${field}, and is not sent`, () =>
      Effect.gen(function* () {
        const model = GoogleVertexAi.model("gemini-2.5-flash", options)
        for (const error of [
          yield* Effect.flip(model.chat("Hi")),
          yield* Effect.flip(Stream.runDrain(model.streamChat("Hi"))),
          yield* Effect.flip(model.encode("Hi", { stream: false }))
        ]) {
          assert.deepInclude(error, { _tag: "InvalidRequest", field, provider: "google-vertex-ai" })
        }
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(withGateway())
    )
  }

  it.effect("may be of a project with a domain, and of the global location", () =>
    Effect.gen(function* () {
      const options = { project: "example.com:my-project", location: "global" }
      yield* GoogleVertexAi.model("gemini-2.5-flash", options).chat("Hi")
      const [request] = yield* requests
      assert.include(request?.url, "/projects/example.com%3Amy-project/locations/global/")
    }).pipe(withGateway())
  )
})

describe("a service account", () => {
  const account = {
    type: "service_account",
    client_email: "robot@my-project.iam.gserviceaccount.com",
    private_key: "-----BEGIN PRIVATE KEY-----\nsecret-ü\n-----END PRIVATE KEY-----\n"
  }
  const written = Encoding.encodeBase64(JSON.stringify({ ...account, region: "us-central1" }))

  for (const [what, json] of [
    ["JSON text", JSON.stringify(account)],
    ["redacted JSON text", Redacted.make(JSON.stringify(account))],
    ["an object", account]
  ] as const) {
    it.effect(`given as ${what} becomes one key, with the region`, () =>
      Effect.gen(function* () {
        const key = yield* GoogleVertexAi.serviceAccount(json, "us-central1")
        assert.strictEqual(Redacted.value(key), written)
        assert.notInclude(String(key) + JSON.stringify(key), "secret")
      })
    )
  }

  it.effect("is the bearer token, and the gateway makes the real one", () =>
    Effect.gen(function* () {
      yield* model.chat("Hi")
      const [request] = yield* requests
      assert.strictEqual(request?.headers.authorization, `Bearer ${written}`)
    }).pipe(withGateway({}, { apiKey: GoogleVertexAi.serviceAccount(account, "us-central1") }))
  )

  const wrong: ReadonlyArray<
    readonly [string, Parameters<typeof GoogleVertexAi.serviceAccount>[0], string, string]
  > = [
    ["no JSON", `{"private_key":"secret-ü`, "us-central1", "serviceAccount"],
    ["JSON of something else", { ...account, client_email: "" }, "us-central1", "serviceAccount"],
    [
      "JSON without a key",
      { client_email: account.client_email, other: "secret" },
      "us-central1",
      "serviceAccount"
    ],
    ["no region", account, "", "region"],
    ["a region that is none", account, "us central", "region"]
  ]
  for (const [what, json, region, field] of wrong) {
    it.effect(`with ${what} is InvalidRequest, which names ${field} and holds no secret`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(GoogleVertexAi.serviceAccount(json, region))
        const error = yield* Effect.flip(GoogleVertexAi.serviceAccount(json, region))
        assert.strictEqual(error.field, field)
        const told = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
        assert.notInclude(told + JSON.stringify(error) + error.stack, "secret")
      })
    )
  }

  it.effect("that is wrong makes the leg fail before anything is sent, without a secret", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(model.chat("Hi"))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.message, "service account")
      assert.notInclude(JSON.stringify(error), "secret")
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(
      withGateway({}, { apiKey: GoogleVertexAi.serviceAccount(`{"private_key":"secret`, "us-central1") })
    )
  )
})

// --- tools --------------------------------------------------------------------------------------------------------------

const Book = Tool.make("book", {
  parameters: Schema.Struct({ city: Schema.String, nights: Schema.Int })
})

const event = (parts: unknown, more: object = {}) =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts }, ...more }] })}\r\n\r\n`

const pieces = [
  event([{ functionCall: { name: "book", willContinue: true }, thoughtSignature: "c2ln" }]),
  event([
    {
      functionCall: {
        partialArgs: [{ jsonPath: "$.city", stringValue: "Bos", willContinue: true }],
        willContinue: true
      }
    }
  ]),
  event([
    {
      functionCall: {
        partialArgs: [
          { jsonPath: "$.city", stringValue: "ton" },
          { jsonPath: "$.nights", numberValue: 2 }
        ],
        willContinue: true
      }
    }
  ]),
  event([{ text: "" }], { finishReason: "STOP" })
]

const answersInPieces = {
  upstreams: {
    "google-vertex-ai": always(
      raw({ headers: { "content-type": "text/event-stream" }, body: pieces.join("") })
    )
  }
}

describe("a call whose arguments come in pieces", () => {
  const streaming = GoogleVertexAi.model("gemini-2.5-flash", { ...place, streamFunctionCallArguments: true })

  it.effect("is asked for in streams, and told once with decoded arguments", () =>
    Effect.gen(function* () {
      const answer = yield* ChatModel.collect(streaming.streamChat({ prompt: "Book", tools: [Book] }))
      assert.strictEqual(answer.finishReason, "tool-calls")
      const [call] = yield* Tool.decodeAll([Book], answer.toolCalls)
      assert.deepStrictEqual(call?.arguments, { city: "Boston", nights: 2 })
      const [request] = yield* requests
      assert.deepInclude(request?.body, {
        toolConfig: { functionCallingConfig: { streamFunctionCallArguments: true } }
      })
    }).pipe(withGateway(answersInPieces))
  )

  it.effect("goes back with the signature that it came with", () =>
    Effect.gen(function* () {
      const { message, toolCalls } = yield* ChatModel.collect(
        streaming.streamChat({ prompt: "Book", tools: [Book] })
      )
      const [call] = toolCalls
      const { body } = yield* streaming.encode(
        [
          Message.user("Book"),
          message,
          Message.toolResults([
            { type: "tool-result", id: call?.id ?? "", name: "book", result: '{"booked":true}' }
          ])
        ],
        { stream: false }
      )
      assert.deepInclude(body, {
        contents: [
          { role: "user", parts: [{ text: "Book" }] },
          {
            role: "model",
            parts: [
              {
                functionCall: { name: "book", args: { city: "Boston", nights: 2 } },
                thoughtSignature: "c2ln"
              }
            ]
          },
          {
            role: "user",
            parts: [{ functionResponse: { name: "book", response: { booked: true } } }]
          }
        ]
      })
    }).pipe(withGateway(answersInPieces))
  )

  it.live("is read from a real socket", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* LocalGatewayServer.start(LocalGateway.make(answersInPieces))
      const gateway = AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token"),
        baseUrl
      })
      const answer = yield* ChatModel.collect(streaming.streamChat({ prompt: "Book", tools: [Book] })).pipe(
        Effect.provide(Layer.provideMerge(gateway, FetchHttpClient.layer)),
        Effect.provide(GoogleVertexAi.layer())
      )
      assert.deepStrictEqual(
        answer.toolCalls.map((call) => call.arguments),
        ['{"city":"Boston","nights":2}']
      )
    }).pipe(Effect.scoped)
  )
})
