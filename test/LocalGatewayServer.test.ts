import * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as LocalGateway from "../src/LocalGateway.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"

const path = "local-account/local-gateway"

const init = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", "cf-aig-authorization": "Bearer local-token" },
  body: JSON.stringify(body)
})

const chat = (stream: boolean) => ({
  model: "gpt-4o-mini",
  stream,
  messages: [{ role: "user", content: "Good morning" }]
})

const eventually = (condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), "did not happen within a second")
  })

const openAi = (reply: LocalGateway.Reply) =>
  LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } })

describe("LocalGatewayServer", () => {
  it.live("answers over a real socket on 127.0.0.1", () =>
    Effect.gen(function* () {
      const { baseUrl, url, port, gateway } = yield* LocalGatewayServer.start(LocalGateway.make())
      assert.strictEqual(url, `http://127.0.0.1:${port}`)
      const [status, body] = yield* Effect.promise(async () => {
        const response = await fetch(`${baseUrl}/${path}/openai/chat/completions`, init(chat(false)))
        return [response.status, await response.json()] as const
      })
      assert.strictEqual(status, 200)
      assert.strictEqual(body.choices[0].message.content, "You said: Good morning")
      assert.strictEqual(gateway.requests()[0]?.url, `${baseUrl}/${path}/openai/chat/completions`)
    }).pipe(Effect.scoped)
  )

  it.live("sends events as they come, not at the end", () =>
    Effect.gen(function* () {
      const reply = LocalGateway.stallAfter(LocalGateway.text("one two three"), 2)
      const { baseUrl, gateway } = yield* LocalGatewayServer.start(openAi(reply))
      const first = yield* Effect.promise(async () => {
        const response = await fetch(`${baseUrl}/${path}/openai/chat/completions`, init(chat(true)))
        const reader = response.body?.getReader()
        let text = ""
        while (!text.includes("one")) text += new TextDecoder().decode((await reader?.read())?.value)
        assert.strictEqual(gateway.inFlight(), 1)
        await reader?.cancel()
        return text
      })
      assert.include(first, '"content":"one"')
      yield* eventually(() => gateway.inFlight() === 0)
      assert.isTrue(gateway.requests()[0]?.aborted)
    }).pipe(Effect.scoped)
  )

  it.live("a dropped stream is a truncated body, not a clean end", () =>
    Effect.gen(function* () {
      const reply = LocalGateway.dropAfter(LocalGateway.text("one two three"), 3)
      const { port, gateway } = yield* LocalGatewayServer.start(openAi(reply))
      const seen = yield* Effect.promise(
        () =>
          new Promise<{ text: string; complete: boolean }>((resolve, reject) => {
            const { body = "", headers } = init(chat(true))
            const request = http.request(
              {
                port,
                host: "127.0.0.1",
                method: "POST",
                path: `/v1/${path}/openai/chat/completions`,
                headers: headers as Record<string, string>
              },
              (response) => {
                let text = ""
                response.on("data", (chunk) => {
                  text += chunk
                })
                response.on("error", () => undefined)
                response.on("close", () => resolve({ text, complete: response.complete }))
              }
            )
            request.on("error", reject)
            request.end(String(body))
          })
      )
      assert.isFalse(seen.complete)
      assert.strictEqual(seen.text.split("\n\n").length - 1, 3)
      assert.isFalse(gateway.requests()[0]?.aborted)
    }).pipe(Effect.scoped)
  )

  it.live("a connection that breaks before the answer is no answer", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* LocalGatewayServer.start(openAi(LocalGateway.disconnect))
      const exit = yield* Effect.exit(
        Effect.tryPromise(() => fetch(`${baseUrl}/${path}/openai/chat/completions`, init(chat(false))))
      )
      assert.isTrue(Exit.isFailure(exit))
    }).pipe(Effect.scoped)
  )

  it.live("a client that goes away while nothing answers is seen", () =>
    Effect.gen(function* () {
      const { baseUrl, gateway } = yield* LocalGatewayServer.start(openAi(LocalGateway.hang))
      const controller = new AbortController()
      const pending = fetch(`${baseUrl}/${path}/openai/chat/completions`, {
        ...init(chat(false)),
        signal: controller.signal
      }).catch(() => "aborted")
      yield* eventually(() => gateway.inFlight() === 1)
      controller.abort()
      assert.strictEqual(yield* Effect.promise(() => pending), "aborted")
      yield* eventually(() => gateway.requests()[0]?.aborted === true)
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.scoped)
  )

  it.live("a slow reader slows the provider down", () =>
    Effect.gen(function* () {
      const block = "x".repeat(64 * 1024)
      let produced = 0
      const chunks = Array.from({ length: 2000 }, () => block)
      const endless = new Proxy(chunks, {
        get: (target, key, receiver) => {
          if (typeof key === "string" && /^\d+$/.test(key)) produced = Math.max(produced, Number(key))
          return Reflect.get(target, key, receiver)
        }
      })
      const { baseUrl, gateway } = yield* LocalGatewayServer.start(
        openAi(LocalGateway.text("all of it", { chunks: endless }))
      )
      yield* Effect.promise(async () => {
        const response = await fetch(`${baseUrl}/${path}/openai/chat/completions`, init(chat(true)))
        const reader = response.body?.getReader()
        await reader?.read()
        await new Promise((resolve) => setTimeout(resolve, 200))
        assert.isBelow(produced, 1000)
        await reader?.cancel()
      })
      yield* eventually(() => gateway.inFlight() === 0)
    }).pipe(Effect.scoped)
  )

  it.live("closing the scope ends every connection, and frees the port", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const running = yield* LocalGatewayServer.start(openAi(LocalGateway.hang)).pipe(Scope.extend(scope))
      const pending = fetch(`${running.baseUrl}/${path}/openai/chat/completions`, init(chat(false))).then(
        () => "answered",
        () => "ended"
      )
      yield* eventually(() => running.openConnections() === 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Effect.promise(() => pending), "ended")
      assert.strictEqual(running.openConnections(), 0)
      const again = yield* LocalGatewayServer.start(LocalGateway.make(), { port: running.port })
      assert.strictEqual(again.port, running.port)
    }).pipe(Effect.scoped)
  )

  it.live("a port that is taken is a typed error", () =>
    Effect.gen(function* () {
      const { port } = yield* LocalGatewayServer.LocalGatewayServer
      const error = yield* Effect.flip(LocalGatewayServer.start(LocalGateway.make(), { port }))
      assert.strictEqual(error._tag, "LocalGatewayServerError")
      assert.include(error.message, String(port))
    }).pipe(Effect.scoped, Effect.provide(LocalGatewayServer.layer(LocalGateway.make())))
  )
})
