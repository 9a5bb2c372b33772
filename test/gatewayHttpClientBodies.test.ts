/** Requests of any kind, byte by byte, and every way to read an answer. */
import { gzipSync } from "node:zlib"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Redacted, Stream } from "effect"
import { AiGateway, AiGatewayError, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as Programs from "./effectAiPrograms.js"
import { type Answer, json, type Server, serve } from "./socketGateway.js"

const url = "https://api.openai.com/v1/audio/transcriptions"
const key = HttpClientRequest.setHeader("authorization", "Bearer sk-0123456789")
const post = (body: HttpBody.HttpBody) => HttpClientRequest.post(url, { body }).pipe(key)

/** No text at all. */
const bytes = new Uint8Array([0, 255, 128, 13, 10, 0xc3, 0x28])
const form = () => {
  const data = new FormData()
  data.append("model", "whisper-1")
  data.append("file", new Blob([bytes], { type: "audio/wav" }), "speech.wav")
  return data
}
const twice = Stream.make(bytes, bytes)

interface Case {
  readonly name: string
  readonly request: () => HttpClientRequest.HttpClientRequest
  readonly arrives: (server: Server) => void
}

const bodyIs =
  (expected: Uint8Array | string, type: string): Case["arrives"] =>
  ({ asked: [asked] }) => {
    assert.deepStrictEqual(asked?.body, Buffer.from(expected))
    assert.strictEqual(asked?.headers["content-type"], type)
    assert.strictEqual(asked?.headers["content-length"], String(Buffer.from(expected).length))
  }

const cases: ReadonlyArray<Case> = [
  {
    name: "JSON",
    request: () => post(HttpBody.unsafeJson({ a: "é" })),
    arrives: bodyIs('{"a":"é"}', "application/json")
  },
  {
    name: "bytes",
    request: () => post(HttpBody.uint8Array(bytes, "audio/wav")),
    arrives: bodyIs(bytes, "audio/wav")
  },
  {
    name: "a text",
    request: () => post(HttpBody.text("hé", "text/plain")),
    arrives: bodyIs("hé", "text/plain")
  },
  {
    name: "a form",
    request: () => post(HttpBody.formData(form())),
    arrives: ({ asked: [asked] }) => {
      const type = String(asked?.headers["content-type"])
      const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)?.[1]
      assert.isDefined(boundary)
      assert.include(asked?.body.toString("latin1"), `--${boundary}--`)
      assert.isAtLeast(asked?.body.indexOf(bytes) ?? -1, 0)
      assert.include(asked?.body.toString("latin1"), 'filename="speech.wav"')
    }
  },
  {
    name: "a stream",
    request: () => post(HttpBody.stream(twice, "audio/wav")),
    arrives: bodyIs(Buffer.concat([bytes, bytes]), "audio/wav")
  },
  {
    name: "a raw text",
    request: () => post(HttpBody.raw("{}", { contentType: "application/json" })),
    arrives: bodyIs("{}", "application/json")
  },
  {
    name: "a raw ArrayBuffer",
    request: () => post(HttpBody.raw(bytes.buffer, { contentType: "audio/wav" })),
    arrives: bodyIs(bytes, "audio/wav")
  },
  {
    name: "a raw Blob, with the type that it has",
    request: () => post(HttpBody.raw(new Blob([bytes], { type: "audio/wav" }))),
    arrives: bodyIs(bytes, "audio/wav")
  },
  {
    name: "raw URLSearchParams",
    request: () => post(HttpBody.raw(new URLSearchParams({ a: "1 2" }))),
    arrives: bodyIs("a=1+2", "application/x-www-form-urlencoded;charset=UTF-8")
  },
  {
    name: "a raw ReadableStream",
    request: () => post(HttpBody.raw(new Blob([bytes]).stream(), { contentType: "audio/wav" })),
    arrives: bodyIs(bytes, "audio/wav")
  },
  {
    name: "GET",
    request: () =>
      HttpClientRequest.get("https://api.openai.com/v1/models", { urlParams: { after: "a b" } }).pipe(key),
    arrives: ({ asked: [asked] }) => {
      assert.strictEqual(asked?.path, "openai/v1/models?after=a+b")
      assert.lengthOf(asked?.body ?? [], 0)
    }
  },
  {
    name: "DELETE",
    request: () => HttpClientRequest.del("https://api.openai.com/v1/files/file-1").pipe(key),
    arrives: ({ asked: [asked] }) => assert.strictEqual(asked?.path, "openai/v1/files/file-1")
  },
  {
    name: "PUT",
    request: () => HttpClientRequest.put(url, { body: HttpBody.text("x", "text/plain") }).pipe(key),
    arrives: bodyIs("x", "text/plain")
  },
  {
    name: "a POST without a body",
    request: () => HttpClientRequest.post("https://api.openai.com/v1/batches/1/cancel").pipe(key),
    arrives: ({ asked: [asked] }) => assert.lengthOf(asked?.body ?? [], 0)
  },
  {
    name: "headers of the client's own, and none of its connection",
    request: () =>
      post(HttpBody.unsafeJson({})).pipe(
        HttpClientRequest.setHeaders({
          "x-own": "1",
          "accept-encoding": "br",
          "content-length": "9999",
          b3: "1-2-1",
          tracestate: "a=b",
          "cf-aig-metadata": '{"a":1}'
        })
      ),
    arrives: ({ asked: [asked] }) => {
      assert.deepInclude(asked?.headers, {
        "x-own": "1",
        "cf-aig-metadata": '{"a":1}',
        "content-length": "2"
      })
      assert.notEqual(asked?.headers["accept-encoding"], "br")
      for (const name of ["b3", "traceparent", "tracestate"]) assert.isUndefined(asked?.headers[name])
    }
  }
]

for (const [name, network] of Object.entries({
  FetchHttpClient: FetchHttpClient.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici
})) {
  const asking = <A, E>(
    answer: Answer,
    check: (client: HttpClient.HttpClient, server: Server) => Effect.Effect<A, E>,
    options?: GatewayHttpClient.RerouteOptions
  ) =>
    Effect.gen(function* () {
      const server = yield* serve(answer)
      const gateway = AiGateway.layer({
        accountId: "account",
        gatewayId: "gateway",
        token: Redacted.make("token-0123456789"),
        baseUrl: server.baseUrl
      })
      const context = yield* Layer.build(
        GatewayHttpClient.layer(options).pipe(Layer.provide(gateway), Layer.provide(network))
      )
      return yield* check(Context.get(context, HttpClient.HttpClient), server)
    }).pipe(Effect.scoped)

  describe(`a request over ${name}`, () => {
    for (const { name, request, arrives } of cases) {
      it.live(`${name} arrives as it is`, () =>
        asking(json({}), (client, server) =>
          Effect.gen(function* () {
            const response = yield* client.execute(request())
            assert.deepStrictEqual(yield* response.json, {})
            arrives(server)
          })
        )
      )
    }

    it.live("a host of the application's own goes to its custom provider", () =>
      asking(
        json({ ok: true }),
        (client, server) =>
          Effect.gen(function* () {
            yield* Effect.flatMap(
              client.get("https://llm.example.com:8443/v1/models?x=1"),
              ({ json }) => json
            )
            assert.strictEqual(server.asked[0]?.path, "custom-ours/v1/models?x=1")
          }),
        { hosts: { "llm.example.com:8443": "custom-ours" } }
      )
    )
  })

  describe(`an answer over ${name}`, () => {
    const respond =
      (body: string | Uint8Array, headers: Record<string, string>): Answer =>
      (response) => {
        response.writeHead(200, headers)
        response.end(body)
      }
    const get = (client: HttpClient.HttpClient) => client.get("https://api.openai.com/v1/models")

    it.live("can be read as text, and then as JSON", () =>
      asking(respond('{"a":1}', { "content-type": "application/json" }), (client) =>
        Effect.gen(function* () {
          const response = yield* get(client)
          assert.strictEqual(yield* response.text, '{"a":1}')
          assert.deepStrictEqual(yield* response.json, { a: 1 })
        })
      )
    )

    it.live("can be read as bytes", () =>
      asking(respond(bytes, { "content-type": "audio/wav" }), (client) =>
        Effect.gen(function* () {
          const buffer = yield* Effect.flatMap(get(client), ({ arrayBuffer }) => arrayBuffer)
          assert.deepStrictEqual(new Uint8Array(buffer), bytes)
        })
      )
    )

    it.live("can be read as a form, and as parameters", () =>
      asking(respond("a=1&b=2", { "content-type": "application/x-www-form-urlencoded" }), (client) =>
        Effect.gen(function* () {
          const data = yield* Effect.flatMap(get(client), ({ formData }) => formData)
          assert.strictEqual(data.get("b"), "2")
          const parameters = yield* Effect.flatMap(get(client), ({ urlParamsBody }) => urlParamsBody)
          assert.deepStrictEqual(
            [...parameters],
            [
              ["a", "1"],
              ["b", "2"]
            ]
          )
        })
      )
    )

    it.live("that is no JSON is a ResponseError of reason Decode", () =>
      asking(respond("no", { "content-type": "application/json" }), (client) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.flatMap(get(client), ({ json }) => json))
          assert.deepInclude(error, { _tag: "ResponseError", reason: "Decode" })
        })
      )
    )

    const events = "data: 0123456789\n\n".repeat(5000)
    const largest = (type: string) =>
      asking(respond(events, { "content-type": type }), (client) =>
        Effect.gen(function* () {
          const response = yield* get(client)
          const pieces = yield* Stream.runCollect(response.stream)
          assert.strictEqual(Buffer.concat(Chunk.toReadonlyArray(pieces)).toString(), events)
          return Math.max(...Chunk.toReadonlyArray(pieces).map(({ length }) => length))
        })
      )

    it.live("of many events at once comes in small pieces, which every reader of events is quick with", () =>
      Effect.gen(function* () {
        assert.isAtMost(yield* largest("text/event-stream; charset=utf-8"), 512)
        assert.isAbove(yield* largest("application/vnd.amazon.eventstream"), 512)
      })
    )

    it.live("has the provider's headers, and none of how its bytes travelled", () =>
      asking(
        respond("{}", { "content-type": "application/json", "content-length": "2", "x-own": "1" }),
        (client) =>
          Effect.gen(function* () {
            const { headers } = yield* get(client)
            assert.strictEqual(headers["x-own"], "1")
            for (const name of ["content-length", "transfer-encoding", "connection", "keep-alive"])
              assert.isUndefined(headers[name])
          })
      )
    )
  })
}

it.live("an answer that fetch has unzipped does not say that it is zipped", () =>
  Effect.gen(function* () {
    const { baseUrl } = yield* serve((response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      response.end(gzipSync('{"a":1}'))
    })
    const client = yield* GatewayHttpClient.make().pipe(
      Effect.provide(
        AiGateway.layer({ accountId: "account", gatewayId: "gateway", baseUrl }).pipe(
          Layer.provideMerge(FetchHttpClient.layer)
        )
      )
    )
    const response = yield* client.get("https://api.openai.com/v1/models")
    assert.isUndefined(response.headers["content-encoding"])
    assert.deepStrictEqual(yield* response.json, { a: 1 })
  }).pipe(Effect.scoped)
)

describe("what a Worker's binding cannot carry", () => {
  const others = cases.filter(({ name }) =>
    ["bytes", "a form", "a stream", "GET", "DELETE", "PUT", "a POST without a body"].includes(name)
  )

  it.effect.each(others)("$name is Unsupported, and nothing is sent", ({ request }) =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const error = yield* Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(request())).pipe(
        Effect.flip,
        Effect.provide(GatewayHttpClient.layer().pipe(Layer.provide(Programs.overBinding(gateway))))
      )
      assert.deepInclude(error, { _tag: "RequestError", reason: "Encode" })
      assert.instanceOf((error as { readonly cause?: unknown }).cause, AiGatewayError.Unsupported)
      assert.lengthOf(gateway.requests(), 0)
    })
  )
})

describe("a body that cannot be read", () => {
  it.effect.each([
    ["a stream that fails", HttpBody.stream(Stream.fail("no file"))],
    ["an object that fetch does not take", HttpBody.raw({ a: 1 })]
  ] as const)("%s is an Encode, and nothing is sent", ([, body]) =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const error = yield* Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(post(body))).pipe(
        Effect.flip,
        Effect.provide(GatewayHttpClient.layer().pipe(Layer.provide(Programs.inProcess(gateway))))
      )
      assert.deepInclude(error, { _tag: "RequestError", reason: "Encode" })
      assert.lengthOf(gateway.requests(), 0)
    })
  )
})
