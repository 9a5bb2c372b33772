/** Programs that were written for a provider's package of `@effect/ai` go through the gateway, and notice nothing. */
import { createHash, createHmac } from "node:crypto"
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiConfig from "@effect/ai-openai/OpenAiConfig"
import * as OpenAiEmbeddingModel from "@effect/ai-openai/OpenAiEmbeddingModel"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { SignatureV4 } from "@smithy/signature-v4"
import { Context, Effect, Layer, Redacted, Schedule, Stream, Tracer } from "effect"
import { AiGateway, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as Programs from "./effectAiPrograms.js"
import * as Recorded from "./recorded.js"

/** Headers that an HTTP client adds by itself on a socket. */
const ofTheSocket = [
  "host",
  "connection",
  "content-length",
  "accept-encoding",
  "accept-language",
  "sec-fetch-mode",
  "user-agent",
  "transfer-encoding"
]

const without = (headers: Readonly<Record<string, string>>, names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

const answering = (slug: string, ...replies: ReadonlyArray<LocalGateway.Reply>) =>
  LocalGateway.make({ upstreams: { [slug]: LocalGateway.script(replies) } })

const only = <A>(all: ReadonlyArray<A>): A => {
  const [one] = all
  assert.lengthOf(all, 1)
  assert.isDefined(one)
  return one as A
}

const { prompt } = Recorded
const text = Effect.map(LanguageModel.generateText({ prompt }), ({ text }) => text)
const streamed = LanguageModel.streamText({ prompt })

for (const [route, toGateway] of Object.entries(Programs.routes)) {
  describe(`a program of @effect/ai, ${route}`, () => {
    for (const { slug, model, headers, endpoints } of Programs.packages) {
      for (const operation of Recorded.operations) {
        const program = Programs.programs[operation]

        it.live(
          `${slug}: ${operation} gives the provider's answer, and the provider is asked as before`,
          () =>
            Effect.gen(function* () {
              const gateway = answering(slug, program.reply)
              const answer = yield* program.run.pipe(
                Effect.provide(Programs.through(toGateway(gateway), model))
              )
              assert.deepStrictEqual(answer, program.gives)
              const upstream = only(gateway.upstreamRequests())
              assert.strictEqual(upstream.provider, slug)
              assert.strictEqual(upstream.method, "POST")
              assert.strictEqual(upstream.endpoint, endpoints[operation])
              const { authorization, ...arrived } = without(upstream.headers, ofTheSocket)
              const signed = slug === "aws-bedrock"
              if (signed) assert.match(authorization ?? "", /^AWS4-HMAC-SHA256 /)
              assert.deepStrictEqual(
                signed || authorization === undefined ? arrived : { ...arrived, authorization },
                { "content-type": "application/json", ...headers }
              )
            })
        )
      }
    }

    it.live("openai: vectors of several texts come in their order", () =>
      Effect.gen(function* () {
        const gateway = answering("openai", LocalGateway.vectors([[1], [2], [3]]))
        const embeddings = OpenAiEmbeddingModel.layerBatched({ model: "text-embedding-3-small" }).pipe(
          Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make(Programs.openAiKey) }))
        )
        const vectors = yield* Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) =>
          model.embedMany(["a", "b", "c"])
        ).pipe(Effect.provide(Programs.through(toGateway(gateway), embeddings)))
        assert.deepStrictEqual(vectors, [[1], [2], [3]])
        const { endpoint, headers, body } = only(gateway.upstreamRequests())
        assert.strictEqual(endpoint, "v1/embeddings")
        assert.strictEqual(headers.authorization, `Bearer ${Programs.openAiKey}`)
        assert.deepInclude(body, { input: ["a", "b", "c"] })
      })
    )

    for (const operation of Recorded.operations) {
      it.live(`Bedrock's signature of ${operation} is one that AWS accepts when it arrives`, () =>
        Effect.gen(function* () {
          const gateway = answering("aws-bedrock", Programs.programs[operation].reply)
          yield* Programs.programs[operation].run.pipe(
            Effect.provide(Programs.through(toGateway(gateway), Programs.amazonBedrock.model))
          )
          const arrived = only(gateway.upstreamRequests())
          assert.strictEqual(arrived.text, Recorded.amazonBedrock.requests[operation].body)
          assert.strictEqual(arrived.headers.authorization, yield* signatureOf(arrived))
        })
      )
    }

    it.live("the gateway's token is in its own header, and no provider gets it", () =>
      Effect.gen(function* () {
        const gateway = answering("openai", LocalGateway.text("hi"))
        yield* text.pipe(Effect.provide(Programs.through(toGateway(gateway), Programs.openAi.model)))
        const { headers } = only(gateway.requests())
        const holding = Object.keys(headers).filter((name) => headers[name]?.includes(Programs.gatewayToken))
        assert.deepStrictEqual(holding, route === "a Worker's binding" ? [] : ["cf-aig-authorization"])
        assert.notInclude(JSON.stringify(gateway.upstreamRequests()), Programs.gatewayToken)
      })
    )

    it.live("options of a region apply, for a stream as well, and those of the client win", () =>
      Effect.gen(function* () {
        const gateway = answering("openai", LocalGateway.text("a"), LocalGateway.text("b"))
        const options = { metadata: { team: "search" }, collectLog: true }
        yield* Effect.zipRight(
          text,
          Stream.runDrain(streamed.pipe(AiGateway.withOptions({ metadata: { of: "stream" } })))
        ).pipe(
          AiGateway.withOptions({ metadata: { user: 7, team: "ads" } }),
          Effect.provide(Programs.through(toGateway(gateway), Programs.openAi.model, { options }))
        )
        assert.deepStrictEqual(
          gateway.logs().map(({ metadata }) => metadata),
          [
            { user: 7, team: "search" },
            { user: 7, team: "search", of: "stream" }
          ]
        )
      })
    )

    it.live("tapAnswer tells the ids of whole answers, streams and refusals", () =>
      Effect.gen(function* () {
        const gateway = answering(
          "anthropic",
          LocalGateway.text("a"),
          LocalGateway.text("b"),
          LocalGateway.status(429)
        )
        const told: Array<AiGateway.Answer> = []
        const tap = AiGateway.tapAnswer((answer: AiGateway.Answer) =>
          Effect.sync(() => void told.push(answer))
        )
        yield* Effect.all([
          text.pipe(tap),
          Stream.runDrain(streamed.pipe(tap)),
          Effect.flip(text.pipe(tap))
        ]).pipe(Effect.provide(Programs.through(toGateway(gateway), Programs.anthropic.model)))
        assert.deepStrictEqual(
          told.map(({ provider, status, gateway }) => ({ provider, status, logId: gateway.logId })),
          gateway.logs().map(({ provider, statusCode: status, id: logId }) => ({ provider, status, logId }))
        )
        assert.deepStrictEqual(
          told.map(({ status }) => status),
          [200, 200, 429]
        )
      })
    )
  })
}

/** As AWS makes it of what it is sent, with the secret that it knows. */
const signatureOf = ({ endpoint, headers, text, method }: LocalGateway.UpstreamRequest) =>
  Effect.promise(async () => {
    class Sha256 {
      private readonly hash
      constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
        this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret))
      }
      update(data: string | ArrayBuffer | ArrayBufferView) {
        this.hash.update(bytes(data))
      }
      async digest() {
        return new Uint8Array(this.hash.digest())
      }
      reset() {}
    }
    const [service, region, ...path] = endpoint.split("/")
    const hostname = `${service}.${region}.amazonaws.com`
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.split(";") ?? []
    const signed = await new SignatureV4({
      service: "bedrock",
      region: region ?? "",
      credentials: Recorded.awsCredentials,
      sha256: Sha256,
      applyChecksum: false
    }).sign(
      {
        method,
        protocol: "https:",
        hostname,
        path: `/${path.join("/")}`,
        headers: { ...Object.fromEntries(names.map((name) => [name, headers[name] ?? ""])), host: hostname },
        body: text
      },
      { signingDate: new Date("2026-11-24T12:00:00Z") }
    )
    return signed.headers.authorization
  })

const bytes = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array =>
  typeof data === "string"
    ? Buffer.from(data)
    : data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

describe("the gateway is told of a span", () => {
  const told = (program: Effect.Effect<unknown, unknown, LanguageModel.LanguageModel>) =>
    Effect.gen(function* () {
      const gateway = answering("openai", LocalGateway.text("a"))
      yield* program.pipe(
        Effect.provide(Programs.through(Programs.inProcess(gateway), Programs.openAi.model))
      )
      const { headers } = only(gateway.requests())
      assert.isUndefined(headers.traceparent)
      assert.isUndefined(headers.b3)
      return headers["cf-aig-otel-trace-id"]
    })

  const both: ReadonlyArray<readonly [string, Parameters<typeof told>[0]]> = [
    ["an answer", text],
    ["a stream", Stream.runDrain(streamed)]
  ]
  for (const [name, program] of both) {
    it.effect(`not of those that the packages make by themselves, of ${name}`, () =>
      Effect.gen(function* () {
        assert.isUndefined(yield* told(program))
      })
    )

    it.effect(`of the application's, of ${name}`, () =>
      Effect.gen(function* () {
        const span = yield* Effect.makeSpan("mine")
        assert.strictEqual(yield* told(Effect.withParentSpan(program, span)), span.traceId)
      })
    )

    it.effect(`of any, where a tracer is installed, of ${name}`, () =>
      Effect.gen(function* () {
        const native = yield* Effect.tracer
        const tracer = Tracer.make({ context: native.context, span: (...args) => native.span(...args) })
        assert.match((yield* told(Effect.withTracer(program, tracer))) ?? "", /^[0-9a-f]{32}$/)
      })
    )
  }
})

describe("the position of the client", () => {
  /** A client that must not be asked. */
  const forbidden = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) => Effect.die(`the network was asked for ${request.url}`))
  )

  const transforming = (under: Layer.Layer<HttpClient.HttpClient, never, AiGateway.AiGateway>) =>
    OpenAiLanguageModel.layer({ model: "gpt-5-mini" }).pipe(
      Layer.provide(
        Layer.unwrapEffect(
          Effect.map(AiGateway.AiGateway, (gateway) =>
            OpenAiClient.layer({
              apiKey: Redacted.make(Programs.openAiKey),
              transformClient: GatewayHttpClient.transformClient(gateway, {
                options: { metadata: { by: 1 } }
              })
            })
          )
        )
      ),
      Layer.provide(under)
    )

  it.effect(
    "as transformClient it sends answers and streams of this provider alone, with its URL and key",
    () =>
      Effect.gen(function* () {
        const gateway = answering("openai", LocalGateway.text("a"), LocalGateway.text("b"))
        yield* Effect.zipRight(text, Stream.runDrain(streamed)).pipe(
          Effect.provide(transforming(forbidden).pipe(Layer.provideMerge(Programs.inProcess(gateway))))
        )
        for (const { endpoint, headers } of gateway.upstreamRequests()) {
          assert.strictEqual(endpoint, "v1/responses")
          assert.strictEqual(headers.authorization, `Bearer ${Programs.openAiKey}`)
        }
        assert.lengthOf(gateway.upstreamRequests(), 2)
      })
  )

  it.effect("as transformClient over the layer it sends once", () =>
    Effect.gen(function* () {
      const gateway = answering("openai", LocalGateway.text("a"))
      assert.strictEqual(
        yield* text.pipe(
          Effect.provide(
            transforming(GatewayHttpClient.layer({ options: { metadata: { by: 2 } } })).pipe(
              Layer.provideMerge(Programs.inProcess(gateway))
            )
          )
        ),
        "a"
      )
      assert.deepStrictEqual(only(gateway.logs()).metadata, { by: 1 })
    })
  )

  it.effect("as a transform of one call it sends that call", () =>
    Effect.gen(function* () {
      const gateway = answering("openai", LocalGateway.text("a"))
      const answer = Effect.flatMap(AiGateway.AiGateway, (service) =>
        OpenAiConfig.withClientTransform(text, GatewayHttpClient.transformClient(service))
      ).pipe(
        Effect.provide(
          Programs.openAi.model.pipe(
            Layer.provideMerge(forbidden),
            Layer.provideMerge(Programs.inProcess(gateway))
          )
        )
      )
      assert.strictEqual(yield* answer, "a")
      only(gateway.requests())
    })
  )

  it.effect("a client's own retries, behind transformClient, ask the gateway again for what may pass", () =>
    Effect.gen(function* () {
      const gateway = answering(
        "openai",
        LocalGateway.status(503),
        LocalGateway.disconnect,
        LocalGateway.text("a")
      )
      const retrying = OpenAiLanguageModel.layer({ model: "gpt-5-mini" }).pipe(
        Layer.provide(
          Layer.unwrapEffect(
            Effect.map(AiGateway.AiGateway, (service) =>
              OpenAiClient.layer({
                transformClient: (client) =>
                  HttpClient.retryTransient(GatewayHttpClient.transformClient(service)(client), { times: 2 })
              })
            )
          )
        ),
        Layer.provide(forbidden)
      )
      assert.strictEqual(
        yield* text.pipe(Effect.provide(retrying.pipe(Layer.provideMerge(Programs.inProcess(gateway))))),
        "a"
      )
      assert.lengthOf(gateway.requests(), 3)
    })
  )

  it.effect("a client's own retries, on the layer, do not ask again for what cannot be sent", () =>
    Effect.gen(function* () {
      const retrying = Layer.map(GatewayHttpClient.layer(), (context) =>
        Context.add(
          context,
          HttpClient.HttpClient,
          HttpClient.retryTransient(Context.get(context, HttpClient.HttpClient), {
            schedule: Schedule.spaced("1 hour"),
            times: 2
          })
        )
      )
      const error = yield* Effect.flatMap(HttpClient.HttpClient, (client) =>
        client.post("https://weather.example.com/")
      ).pipe(
        Effect.flip,
        Effect.provide(retrying.pipe(Layer.provideMerge(Programs.inProcess(LocalGateway.make()))))
      )
      assert.deepInclude(error, { _tag: "RequestError", reason: "InvalidUrl" })
    })
  )

  it.effect("layerPassing lets strangers go with their own client, and takes the rest", () =>
    Effect.gen(function* () {
      const gateway = answering("openai", LocalGateway.text("a"))
      const asked: Array<string> = []
      const network = Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make((request) => {
          asked.push(request.url)
          return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("weather")))
        })
      )
      const program = Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const stranger = yield* client.get("https://weather.example.com/today")
        return [yield* stranger.text, yield* text] as const
      })
      assert.deepStrictEqual(
        yield* program.pipe(
          Effect.provide(
            Programs.openAi.model.pipe(
              Layer.provideMerge(GatewayHttpClient.layerPassing().pipe(Layer.provide(network))),
              Layer.provideMerge(Programs.inProcess(gateway))
            )
          )
        ),
        ["weather", "a"]
      )
      assert.deepStrictEqual(asked, ["https://weather.example.com/today"])
      assert.lengthOf(gateway.requests(), 1)
    })
  )

  it.effect("layerPassing does not let a provider's other URLs go past the gateway", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flatMap(HttpClient.HttpClient, (client) =>
        client.get("https://openrouter.ai/other")
      ).pipe(
        Effect.flip,
        Effect.provide(
          GatewayHttpClient.layerPassing()
            .pipe(Layer.provide(forbidden))
            .pipe(Layer.provideMerge(Programs.inProcess(LocalGateway.make())))
        )
      )
      assert.deepInclude(error, { _tag: "RequestError", reason: "InvalidUrl" })
    })
  )

  it.effect("credentials: omit sends no key of the client, and the gateway's stored one applies", () =>
    Effect.gen(function* () {
      for (const { slug, model, secrets } of Programs.packages) {
        const gateway = LocalGateway.make({
          storedKeys: { [slug]: "stored-key" },
          upstreams: { [slug]: LocalGateway.script([LocalGateway.text("a")]) }
        })
        const answer = text.pipe(
          Effect.provide(Programs.through(Programs.inProcess(gateway), model, { credentials: "omit" }))
        )
        assert.strictEqual(yield* answer, "a")
        const { headers } = only(gateway.requests())
        for (const secret of secrets) assert.notInclude(JSON.stringify(headers), secret)
        assert.isUndefined(headers["x-amz-date"])
        assert.strictEqual(headers["cf-aig-authorization"], `Bearer ${Programs.gatewayToken}`)
        assert.include(JSON.stringify(only(gateway.upstreamRequests()).headers), "stored-key")
      }
    })
  )
})
