/** The vendors' own clients go through the gateway by its `fetch`, and notice nothing. */

import { createAnthropic } from "@ai-sdk/anthropic"
import { createGoogleGenerativeAI } from "@ai-sdk/google"
import { createOpenAI } from "@ai-sdk/openai"
import Anthropic from "@anthropic-ai/sdk"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { GoogleGenAI } from "@google/genai"
import { generateText, streamText } from "ai"
import { Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { AiGateway, AiGatewayError, GatewayFetch, LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import OpenAI, { toFile } from "openai"
import { json, serve } from "./socketGateway.js"

const key = "sk-vendor-secret"
const slugs = ["openai", "anthropic", "google-ai-studio"]

const answering = (...replies: ReadonlyArray<LocalGateway.Reply>) =>
  LocalGateway.make({
    upstreams: Object.fromEntries(slugs.map((slug) => [slug, LocalGateway.script(replies)]))
  })

const settings = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}

const routes = {
  "in process": (gateway: LocalGateway.LocalGateway) =>
    AiGateway.layer(settings).pipe(Layer.provide(LocalGateway.layerFrom(gateway))),
  "over a socket": (gateway: LocalGateway.LocalGateway) =>
    Layer.unwrapScoped(
      Effect.map(LocalGatewayServer.start(gateway), ({ baseUrl }) =>
        AiGateway.layer({ ...settings, baseUrl })
      )
    ).pipe(Layer.provide(FetchHttpClient.layer))
}

/** The gateway lives as long as the test, whatever the scope of the fetch. */
const through = (
  gateway: LocalGateway.LocalGateway,
  options?: GatewayFetch.Options,
  route: keyof typeof routes = "over a socket"
) =>
  Effect.flatMap(Layer.build(routes[route](gateway)), (context) =>
    Effect.provide(GatewayFetch.make(options), context)
  )

const rejection = <A>(promise: () => Promise<A>) =>
  Effect.promise(() =>
    promise().then(
      () => assert.fail("it should have been rejected"),
      (error: unknown) => error
    )
  )

const typed = (error: unknown) => Option.getOrThrow(AiGatewayError.fromUnknown(error))

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
  body: JSON.stringify(body)
})
const chatUrl = "https://api.openai.com/v1/chat/completions"
const chat = { model: "gpt-5-mini", messages: [{ role: "user", content: "hi" }] }
const messages = [{ role: "user" as const, content: "hi" }]

/** One call of each client: whole, and streamed. */
const clients = (fetch: GatewayFetch.GatewayFetch, maxRetries = 0) => {
  const openai = new OpenAI({ apiKey: key, fetch, maxRetries })
  const anthropic = new Anthropic({ apiKey: key, fetch, maxRetries })
  const google = new GoogleGenAI({ apiKey: key, httpOptions: { fetch } })
  const ofAi = {
    "ai, @ai-sdk/openai": createOpenAI({ apiKey: key, fetch })("gpt-5-mini"),
    "ai, @ai-sdk/anthropic": createAnthropic({ apiKey: key, fetch })("claude-haiku-4-5"),
    "ai, @ai-sdk/google": createGoogleGenerativeAI({ apiKey: key, fetch })("gemini-2.5-flash")
  }
  const claude = { model: "claude-haiku-4-5", max_tokens: 100, messages }
  const gemini = { model: "gemini-2.5-flash", contents: "hi" }
  return {
    openai: {
      whole: async () =>
        (await openai.chat.completions.create({ model: "gpt-5-mini", messages })).choices[0]?.message.content,
      streamed: async () => {
        let text = ""
        for await (const chunk of await openai.chat.completions.create({
          model: "gpt-5-mini",
          messages,
          stream: true
        })) {
          text += chunk.choices[0]?.delta.content ?? ""
        }
        return text
      }
    },
    "openai, responses": {
      whole: async () => (await openai.responses.create({ model: "gpt-5-mini", input: "hi" })).output_text,
      streamed: async () => {
        let text = ""
        for await (const event of await openai.responses.create({
          model: "gpt-5-mini",
          input: "hi",
          stream: true
        })) {
          if (event.type === "response.output_text.delta") text += event.delta
        }
        return text
      }
    },
    "@anthropic-ai/sdk": {
      whole: async () => {
        const [block] = (await anthropic.messages.create(claude)).content
        return block?.type === "text" ? block.text : undefined
      },
      streamed: () => anthropic.messages.stream(claude).finalText()
    },
    "@google/genai": {
      whole: async () => (await google.models.generateContent(gemini)).text,
      streamed: async () => {
        let text = ""
        for await (const chunk of await google.models.generateContentStream(gemini)) text += chunk.text ?? ""
        return text
      }
    },
    ...Object.fromEntries(
      Object.entries(ofAi).map(([name, model]) => [
        name,
        {
          whole: async () => (await generateText({ model, prompt: "hi", maxRetries })).text,
          streamed: async () => await streamText({ model, prompt: "hi", maxRetries }).text
        }
      ])
    )
  }
}

const names = Object.keys(clients(Object.assign(() => assert.fail(), { preconnect: () => {} })))
const words = LocalGateway.text("one two three", { chunks: ["one ", "two ", "three"] })

for (const route of ["in process", "over a socket"] as const) {
  describe(`vendors' clients, ${route}`, () => {
    for (const name of names) {
      for (const how of ["whole", "streamed"] as const) {
        it.scopedLive(`${name}: an answer comes, ${how}, and the provider gets the client's key`, () =>
          Effect.gen(function* () {
            const gateway = answering(words)
            const fetch = yield* through(gateway, {}, route)
            const call = clients(fetch)[name as "openai"][how]
            assert.strictEqual(yield* Effect.promise(call), "one two three")
            const asked = gateway.upstreamRequests()
            assert.lengthOf(asked, 1)
            assert.include(JSON.stringify(asked[0]?.headers), key)
          })
        )
      }

      it.scopedLive(`${name}: a key that the provider refuses is a typed error behind the client's own`, () =>
        Effect.gen(function* () {
          const gateway = answering(LocalGateway.status(401))
          const fetch = yield* through(gateway, {}, route)
          const error = yield* rejection(clients(fetch)[name as "openai"].whole)
          const ours = typed(error)
          assert.strictEqual(ours._tag, "Unauthorized")
          assert.strictEqual(ours._tag === "Unauthorized" && ours.source, "provider")
          assert.notInclude(JSON.stringify(ours), key)
        })
      )

      it.scopedLive(`${name}: a gateway that refuses its own token is told from a provider`, () =>
        Effect.gen(function* () {
          const gateway = LocalGateway.make({ token: "another" })
          const fetch = yield* through(gateway, {}, route)
          const error = yield* rejection(clients(fetch)[name as "openai"].whole)
          const ours = typed(error)
          assert.strictEqual(ours._tag === "Unauthorized" && ours.source, "gateway")
          assert.strictEqual(ours._tag === "Unauthorized" && ours.code, 2009)
        })
      )

      it.scopedLive(`${name}: a connection that breaks is a TransportFailure`, () =>
        Effect.gen(function* () {
          const drop = LocalGateway.disconnect
          const fetch = yield* through(answering(drop, drop, drop), {}, route)
          const error = yield* rejection(clients(fetch)[name as "openai"].whole)
          assert.strictEqual(typed(error)._tag, "TransportFailure")
        })
      )

      it.scopedLive(`${name}: what cannot be sent is refused once, and typed`, () =>
        Effect.gen(function* () {
          const gateway = answering(words)
          const metadata = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }
          const refusing = yield* through(gateway, { options: { metadata } }, route)
          let calls = 0
          const fetch: GatewayFetch.GatewayFetch = Object.assign(
            (input: string | URL | Request, init?: RequestInit) => {
              calls++
              return refusing(input, init)
            },
            { preconnect: refusing.preconnect }
          )
          const error = yield* rejection(clients(fetch, 2)[name as "openai"].whole)
          assert.strictEqual(typed(error)._tag, "InvalidRequest")
          assert.strictEqual(calls, 1)
          assert.lengthOf(gateway.requests(), 0)
        })
      )
    }
  })
}

describe("a fetch of the gateway", () => {
  it.scopedLive("a 429 is retried by the client itself", () =>
    Effect.gen(function* () {
      const gateway = answering(LocalGateway.status(429, { headers: { "retry-after": "0" } }), words)
      const fetch = yield* through(gateway)
      assert.strictEqual(yield* Effect.promise(clients(fetch, 1).openai.whole), "one two three")
      assert.lengthOf(gateway.upstreamRequests(), 2)
    })
  )

  it.scopedLive("a stranger is refused with 400, or goes to the fetch for strangers", () =>
    Effect.gen(function* () {
      const gateway = answering(words)
      const refusing = yield* through(gateway)
      const refused = yield* Effect.promise(() => refusing("https://example.com/x"))
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(refused.headers.get("x-should-retry"), "false")
      const passing = yield* through(gateway, { strangers: async (input) => new Response(String(input)) })
      const passed = yield* Effect.promise(() => passing("https://example.com/x").then((r) => r.text()))
      assert.strictEqual(passed, "https://example.com/x")
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("a client's dummy key is left out when asked", () =>
    Effect.gen(function* () {
      const gateway = answering(words)
      const fetch = yield* through(gateway, { credentials: "omit" })
      yield* Effect.promise(() => fetch(chatUrl, post(chat)))
      assert.notInclude(JSON.stringify(gateway.requests()), key)
    })
  )

  it.scopedLive("a Request goes with its method, headers and body, and init wins over it", () =>
    Effect.gen(function* () {
      const gateway = answering(words, words)
      const fetch = yield* through(gateway)
      const response = yield* Effect.promise(() => fetch(new Request(chatUrl, post(chat))))
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.url, chatUrl)
      const other = { ...chat, model: "gpt-5" }
      yield* Effect.promise(() => fetch(new Request(chatUrl, post(chat)), { body: JSON.stringify(other) }))
      assert.deepStrictEqual(
        gateway.upstreamRequests().map(({ body }) => body),
        [chat, other]
      )
    })
  )

  it.scopedLive("a file is uploaded as a form, and a list is got", () =>
    Effect.gen(function* () {
      const server = yield* serve(json({ text: "heard" }), json({ object: "list", data: [{ id: "m" }] }))
      const fetch = yield* GatewayFetch.make().pipe(
        Effect.provide(
          AiGateway.layer({ accountId: "account", gatewayId: "gateway", baseUrl: server.baseUrl }).pipe(
            Layer.provide(FetchHttpClient.layer)
          )
        )
      )
      const openai = new OpenAI({ apiKey: key, fetch, maxRetries: 0 })
      const heard = yield* Effect.promise(async () =>
        openai.audio.transcriptions.create({
          model: "whisper-1",
          file: await toFile(new Uint8Array([0, 255, 7]), "a.mp3")
        })
      )
      assert.strictEqual(heard.text, "heard")
      const models = yield* Effect.promise(async () => (await openai.models.list()).data)
      assert.strictEqual(models[0]?.id, "m")
      const [form, list] = server.asked
      assert.match(String(form?.headers["content-type"]), /^multipart\/form-data; boundary=/)
      assert.isTrue(form?.body.includes(Buffer.from([0, 255, 7])))
      assert.strictEqual(list?.path, "openai/v1/models")
    })
  )

  for (const [when, reply] of Object.entries({
    "while it waits": LocalGateway.hang,
    "in the middle of a stream": LocalGateway.stallAfter(words, 1)
  })) {
    for (const how of ["the signal", "the scope's end"] as const) {
      it.scopedLive(`${how}, ${when}: rejects, and closes the socket`, () =>
        Effect.gen(function* () {
          const gateway = answering(reply)
          const scope = yield* Scope.make()
          const context = yield* Layer.build(routes["over a socket"](gateway))
          const fetch = yield* GatewayFetch.make().pipe(Scope.extend(scope), Effect.provide(context))
          const controller = new AbortController()
          const reason = new Error("enough")
          const failed = fetch(chatUrl, { ...post({ ...chat, stream: true }), signal: controller.signal })
            .then((response) => response.text())
            .then(
              () => undefined,
              (error: unknown) => error
            )
          yield* eventually("asked", () => gateway.upstreamRequests().length === 1)
          yield* Effect.sleep("30 millis")
          if (how === "the signal") controller.abort(reason)
          else yield* Scope.close(scope, Exit.void)
          const error = yield* Effect.promise(() => failed)
          if (how === "the signal") assert.strictEqual(error, reason)
          else assert.strictEqual((error as Error).name, "AbortError")
          yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
        })
      )
    }
  }

  it.scopedLive("a signal that is aborted before sends nothing", () =>
    Effect.gen(function* () {
      const gateway = answering(words)
      const fetch = yield* through(gateway)
      const reason = new Error("never mind")
      const error = yield* rejection(() =>
        fetch(chatUrl, { ...post(chat), signal: AbortSignal.abort(reason) })
      )
      assert.strictEqual(error, reason)
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("cancelling a body closes the socket", () =>
    Effect.gen(function* () {
      const gateway = answering(LocalGateway.stallAfter(words, 1))
      const fetch = yield* through(gateway)
      const response = yield* Effect.promise(() => fetch(chatUrl, post({ ...chat, stream: true })))
      yield* Effect.promise(async () => response.body?.cancel())
      yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
    })
  )

  it.scopedLive("after its scope it rejects, and sends nothing", () =>
    Effect.gen(function* () {
      const gateway = answering(words)
      const fetch = yield* Effect.scoped(Effect.provide(GatewayFetch.make(), routes["in process"](gateway)))
      const error = yield* rejection(() => fetch(chatUrl, post(chat)))
      assert.match((error as Error).message, /scope/)
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.scopedLive("options of the region in which it was made apply, and its taps are told", () =>
    Effect.gen(function* () {
      const gateway = answering(words)
      const told: Array<number> = []
      const fetch = yield* through(gateway).pipe(
        AiGateway.withOptions({ cacheTtl: "1 hour" }),
        AiGateway.tapAnswer(({ status }) => Effect.sync(() => told.push(status)))
      )
      yield* Effect.promise(() => fetch(chatUrl, post(chat)))
      assert.strictEqual(gateway.requests()[0]?.headers["cf-aig-cache-ttl"], "3600")
      assert.deepStrictEqual(told, [200])
    })
  )

  it.scopedLive("a hundred calls at once get each its own answer", () =>
    Effect.gen(function* () {
      const fetch = yield* through(LocalGateway.make())
      const all = Array.from({ length: 100 }, (_, i) => `word${i}.`)
      const texts = yield* Effect.promise(() =>
        Promise.all(
          all.map(async (content) => {
            const response = await fetch(chatUrl, post({ ...chat, messages: [{ role: "user", content }] }))
            return response.text()
          })
        )
      )
      texts.forEach((text, i) => {
        assert.include(text, all[i] ?? "")
      })
    })
  )
})
