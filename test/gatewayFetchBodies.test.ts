/** Bodies of the gateway's `fetch`, both ways, and what keeps calls and gateways apart. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { createOpenAI } from "@ai-sdk/openai"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { embedMany } from "ai"
import { Effect, Layer, Option, Redacted } from "effect"
import { AiGateway, AiGatewayError, GatewayFetch, LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import OpenAI from "openai"
import * as Programs from "./effectAiPrograms.js"
import { json, serve } from "./socketGateway.js"

const url = "https://api.openai.com/v1/chat/completions"
const chat = { model: "gpt-5-mini", messages: [{ role: "user" as const, content: "hi" }] }
const headers = { "content-type": "application/json" }
const post = (body: BodyInit): RequestInit => ({ method: "POST", headers, body })
const token = Redacted.make("local-token")
const settings = { accountId: "local-account", gatewayId: "local-gateway", token }

const inProcess = (gateway: LocalGateway.LocalGateway, options?: GatewayFetch.Options) =>
  GatewayFetch.make(options).pipe(
    Effect.provide(AiGateway.layer(settings).pipe(Layer.provide(LocalGateway.layerFrom(gateway))))
  )

const toSocket = (baseUrl: string) =>
  Effect.flatMap(
    Layer.build(
      AiGateway.layer({ accountId: "account", gatewayId: "gateway", baseUrl }).pipe(
        Layer.provide(FetchHttpClient.layer)
      )
    ),
    (context) => Effect.provide(GatewayFetch.make(), context)
  )

const saying = (text: string) =>
  LocalGateway.make({ upstreams: { openai: LocalGateway.always(LocalGateway.text(text)) } })

describe("bodies of a fetch of the gateway", () => {
  const bytes = new TextEncoder().encode("a=1")
  const bodies: Record<string, () => BodyInit> = {
    "a text": () => "a=1",
    bytes: () => bytes,
    "an ArrayBuffer": () => bytes.slice().buffer,
    "a form of a URL": () => new URLSearchParams({ a: "1" }),
    "a Blob": () => new Blob(["a=1"]),
    "a stream": () => new Blob(["a=1"]).stream()
  }
  for (const [name, body] of Object.entries(bodies)) {
    it.scopedLive(`${name} arrives byte by byte`, () =>
      Effect.gen(function* () {
        const server = yield* serve(json({}))
        const fetch = yield* toSocket(server.baseUrl)
        yield* Effect.promise(() => fetch(url, { method: "POST", body: body() }))
        assert.strictEqual(server.asked[0]?.body.toString(), "a=1")
      })
    )
  }

  it.scopedLive("a text that says nothing of itself is text/plain, as with fetch", () =>
    Effect.gen(function* () {
      const server = yield* serve(json({}))
      const fetch = yield* toSocket(server.baseUrl)
      yield* Effect.promise(() => fetch(url, { method: "POST", body: "a=1" }))
      yield* Effect.promise(() => fetch(url, post("{}")))
      assert.deepStrictEqual(
        server.asked.map(({ headers }) => headers["content-type"]),
        ["text/plain;charset=UTF-8", "application/json"]
      )
    })
  )

  it.scopedLive("what fetch rejects is rejected, never thrown, and nothing is sent", () =>
    Effect.gen(function* () {
      const gateway = saying("hi")
      const fetch = yield* inProcess(gateway)
      const used = new Request(url, post("{}"))
      yield* Effect.promise(() => used.text())
      const wrong: ReadonlyArray<() => Promise<unknown>> = [
        () => fetch(used),
        // @ts-expect-error A caller without types.
        () => fetch(undefined),
        // @ts-expect-error A caller without types.
        () => fetch(url, { ...post("{}"), signal: {} }),
        // @ts-expect-error A caller without types.
        () => fetch(url, { method: 7 })
      ]
      for (const call of wrong) {
        const error = yield* Effect.flip(Effect.tryPromise({ try: call, catch: (reason) => reason }))
        assert.instanceOf(error, TypeError)
      }
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("a stream as a body is cancelled where the call is aborted while it is read", () =>
    Effect.gen(function* () {
      const gateway = saying("hi")
      const fetch = yield* inProcess(gateway)
      const controller = new AbortController()
      let cancelled = false
      const body = new ReadableStream<Uint8Array>({
        pull: async (stream) => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          stream.enqueue(new TextEncoder().encode("{"))
        },
        cancel: () => {
          cancelled = true
        }
      })
      const waiting = fetch(url, { ...post(body), signal: controller.signal })
      const error = yield* Effect.promise(async () => {
        const rejected = waiting.catch((reason: unknown) => reason)
        await new Promise((resolve) => setTimeout(resolve, 20))
        controller.abort()
        return rejected
      })
      assert.strictEqual(error, controller.signal.reason)
      yield* Effect.sleep("20 millis")
      assert.isTrue(cancelled)
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("a stream that is read already, or has no bytes, is refused and not sent", () =>
    Effect.gen(function* () {
      const gateway = saying("hi")
      const fetch = yield* inProcess(gateway)
      const locked = new Blob(["{}"]).stream()
      locked.getReader()
      const words = new ReadableStream({
        start(stream) {
          stream.enqueue("{}")
          stream.close()
        }
      })
      for (const body of [locked, words]) {
        const response = yield* Effect.promise(() => fetch(url, post(body)))
        assert.strictEqual(response.status, 400)
      }
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("a signal that outlives a hundred calls keeps nothing of them", () =>
    Effect.gen(function* () {
      const fetch = yield* inProcess(saying("hi"))
      const { signal } = new AbortController()
      let listening = 0
      const { addEventListener, removeEventListener } = signal
      signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
        listening++
        addEventListener.apply(signal, given)
      }
      signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
        listening--
        removeEventListener.apply(signal, given)
      }
      let most = 0
      for (let i = 0; i < 100; i++) {
        yield* Effect.promise(async () => {
          const response = await fetch(url, { ...post(JSON.stringify(chat)), signal })
          most = Math.max(most, listening)
          await response.text()
        })
      }
      assert.strictEqual(most, 1)
      assert.strictEqual(listening, 0)
    })
  )

  it.scopedLive("a reader that waits makes the server wait", () =>
    Effect.gen(function* () {
      const piece = Buffer.alloc(64 * 1024, "x")
      let written = 0
      const server = yield* serve(async (response) => {
        response.writeHead(200, { "content-type": "application/octet-stream" })
        while (written < 1000 && !response.destroyed) {
          written++
          if (!response.write(piece)) await new Promise<void>((done) => response.once("drain", done))
        }
      })
      const fetch = yield* toSocket(server.baseUrl)
      const response = yield* Effect.promise(() => fetch(url, post("{}")))
      const reader = response.body?.getReader()
      yield* Effect.promise(async () => reader?.read())
      yield* Effect.sleep("300 millis")
      const before = written
      yield* Effect.sleep("200 millis")
      // What fits into the buffers of two sockets, and no more.
      assert.strictEqual(written, before)
      assert.isBelow(written, 500)
      yield* Effect.promise(async () => reader?.cancel())
    })
  )

  it.scopedLive("204 has no body", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => void response.writeHead(204).end())
      const fetch = yield* toSocket(server.baseUrl)
      const response = yield* Effect.promise(() => fetch(url, { method: "DELETE" }))
      assert.strictEqual(response.status, 204)
      assert.isNull(response.body)
    })
  )

  it.scopedLive(
    "a body that was decoded says nothing of its encoding, and Google's key is not in its URL",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(json({ ok: true }, 200, { "x-request-id": "r1" }))
        const fetch = yield* toSocket(server.baseUrl)
        const at = "https://generativelanguage.googleapis.com/v1beta/models"
        const response = yield* Effect.promise(() => fetch(`${at}?key=AIza-secret`))
        assert.strictEqual(response.url, at)
        assert.isNull(response.headers.get("transfer-encoding"))
        assert.strictEqual(response.headers.get("x-request-id"), "r1")
        assert.deepStrictEqual(yield* Effect.promise(() => response.json()), { ok: true })
      })
  )

  it.scopedLive("a body that nobody reads is closed when it is garbage", () =>
    Effect.gen(function* () {
      const stalling = LocalGateway.stallAfter(LocalGateway.text("one two three"), 1)
      const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(stalling) } })
      const { baseUrl } = yield* LocalGatewayServer.start(gateway)
      const context = yield* Layer.build(
        AiGateway.layer({ ...settings, baseUrl }).pipe(Layer.provide(FetchHttpClient.layer))
      )
      const fetch = yield* Effect.provide(GatewayFetch.make(), context)
      const { signal } = new AbortController()
      yield* Effect.promise(async () => {
        await fetch(url, { ...post(JSON.stringify({ ...chat, stream: true })), signal })
      })
      assert.strictEqual(gateway.inFlight(), 1)
      setFlagsFromString("--expose-gc")
      const gc: () => void = runInNewContext("gc")
      yield* Effect.promise(async () => {
        for (let i = 0; i < 200 && gateway.inFlight() > 0; i++) {
          gc()
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      })
      assert.strictEqual(gateway.inFlight(), 0)
      assert.isFalse(signal.aborted)
    })
  )
})

describe("a fetch of a gateway behind a Worker's binding", () => {
  const overBinding = (gateway: LocalGateway.LocalGateway) =>
    GatewayFetch.make().pipe(
      Effect.provide(Programs.routes["a Worker's binding"]?.(gateway) ?? Layer.die("none"))
    )

  it.scopedLive("JSON goes, from a Request as well", () =>
    Effect.gen(function* () {
      const gateway = saying("one")
      const fetch = yield* overBinding(gateway)
      const response = yield* Effect.promise(() => fetch(new Request(url, post(JSON.stringify(chat)))))
      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(gateway.upstreamRequests()[0]?.body, chat)
    })
  )

  for (const [name, init] of Object.entries<RequestInit>({
    "a form": { method: "POST", body: new FormData() },
    bytes: { method: "POST", body: new Uint8Array([0, 255]) },
    "a GET": {}
  })) {
    it.scopedLive(`${name} is refused, typed, and nothing is sent`, () =>
      Effect.gen(function* () {
        const gateway = saying("one")
        const fetch = yield* overBinding(gateway)
        const response = yield* Effect.promise(() => fetch(url, init))
        const error = yield* Effect.promise(() => response.json())
        const ours = Option.getOrThrow(
          AiGatewayError.fromUnknown({ status: response.status, body: JSON.stringify(error) })
        )
        assert.include(["InvalidRequest", "Unsupported"], ours._tag)
        assert.lengthOf(gateway.requests(), 0)
      })
    )
  }
})

describe("a fetch of the gateway keeps things apart", () => {
  it.scopedLive("two of two gateways do not mix, and nothing reaches the network by itself", () =>
    Effect.gen(function* () {
      const one = yield* inProcess(saying("one"))
      const two = yield* inProcess(saying("two"))
      const global = globalThis.fetch
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          globalThis.fetch = global
        })
      )
      globalThis.fetch = () => assert.fail("the global fetch was used")
      const ask = (fetch: typeof globalThis.fetch) =>
        Effect.promise(async () => {
          const openai = new OpenAI({ apiKey: "sk-x", fetch, maxRetries: 0 })
          return (await openai.chat.completions.create(chat)).choices[0]?.message.content
        })
      const words = yield* Effect.all([ask(one), ask(two), ask(one)], { concurrency: 3 })
      assert.deepStrictEqual(words, ["one", "two", "one"])
    })
  )

  it.scopedLive("vectors come in their order", () =>
    Effect.gen(function* () {
      const vectors = LocalGateway.vectors([[1], [2]])
      const fetch = yield* inProcess(
        LocalGateway.make({ upstreams: { openai: LocalGateway.always(vectors) } })
      )
      const model = createOpenAI({ apiKey: "sk-x", fetch }).embedding("text-embedding-3-small")
      const { embeddings } = yield* Effect.promise(() => embedMany({ model, values: ["a", "b"] }))
      assert.deepStrictEqual(embeddings, [[1], [2]])
    })
  )

  it.scopedLive("a refusal is not tried again by a client that would retry a broken connection", () =>
    Effect.gen(function* () {
      const fetch = yield* inProcess(saying("one"))
      let calls = 0
      const openai = new OpenAI({
        apiKey: "sk-x",
        baseURL: "https://stranger.example/v1",
        fetch: (input, init) => {
          calls++
          return fetch(input, init)
        }
      })
      const error = yield* Effect.promise(async () => {
        try {
          return await openai.chat.completions.create(chat)
        } catch (error) {
          return error
        }
      })
      assert.instanceOf(error, OpenAI.BadRequestError)
      const ours = Option.getOrThrow(AiGatewayError.fromUnknown(error))
      assert.strictEqual(ours._tag === "InvalidRequest" && ours.field, "url")
      assert.strictEqual(calls, 1)
    })
  )
})
