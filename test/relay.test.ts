/** Requests that are sent for another client: it gets every answer as it came, and judges it itself. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Redacted, Stream } from "effect"
import { AiGateway, LocalGateway } from "effect-ai-gateway"
import * as Programs from "./effectAiPrograms.js"
import { json, pieces, serve } from "./socketGateway.js"

const key = "sk-0123456789"
const request = {
  provider: "openai",
  endpoint: "v1/chat/completions",
  headers: { authorization: Redacted.make(`Bearer ${key}`) },
  body: { model: "gpt-5-mini", messages: [{ role: "user", content: "hi" }] }
}
const other = {
  provider: "anthropic",
  endpoint: "v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body: { model: "claude-haiku-4-5", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }
}

const raw = (body: unknown, status = 200) =>
  LocalGateway.raw({ status, body: typeof body === "string" ? body : JSON.stringify(body) })

const relayed = (reply: LocalGateway.Reply) =>
  Effect.flatMap(AiGateway.relay(request), (response) =>
    Effect.map(response.text, (text) => ({ status: response.status, text, headers: response.headers }))
  ).pipe(
    Effect.provide(
      Programs.inProcess(LocalGateway.make({ upstreams: { openai: LocalGateway.always(reply) } }))
    )
  )

describe("an answer that is relayed", () => {
  it.effect.each([200, 201, 302, 400, 401, 404, 429, 500, 503, 529])("of status %s is an answer", (status) =>
    Effect.gen(function* () {
      const answer = yield* relayed(raw({ id: "a" }, status))
      assert.strictEqual(answer.status, status)
      assert.deepStrictEqual(JSON.parse(answer.text), { id: "a" })
    })
  )

  it.effect("keeps its headers, retry-after among them", () =>
    Effect.gen(function* () {
      const { headers } = yield* relayed(
        LocalGateway.status(429, { headers: { "retry-after": "7", "x-own": "1" } })
      )
      assert.deepInclude(headers, { "retry-after": "7", "x-own": "1" })
    })
  )

  it.effect("that quotes the key does so no more", () =>
    Effect.gen(function* () {
      const { text } = yield* relayed(raw({ error: { message: `Incorrect API key: ${key}` } }, 401))
      assert.strictEqual(text, JSON.stringify({ error: { message: "Incorrect API key: <redacted>" } }))
    })
  )

  it.effect.each([
    [
      "the gateway's envelope",
      { success: false, result: [], error: [{ code: 2009, message: "Unauthorized" }] }
    ],
    [
      "OpenAI's",
      { error: { message: "Slow down", type: "rate_limit_exceeded", code: "rate_limit_exceeded" } }
    ],
    ["Anthropic's", { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }],
    ["Workers AI's", { success: false, errors: [{ code: 3040, message: "Out of capacity" }], result: null }]
  ])("with the error of a success is no success: %s", ([, body]) =>
    Effect.gen(function* () {
      const answer = yield* relayed(raw(body))
      assert.isAtLeast(answer.status, 400)
      assert.deepStrictEqual(JSON.parse(answer.text), body)
    })
  )

  it.effect.each([
    ["an answer", { id: "1", choices: [] }],
    ["a success of Workers AI", { success: true, errors: [], messages: [], result: { response: "hi" } }],
    ["an answer that begins like an error", { message: { role: "assistant", content: "error" }, done: true }],
    ["an answer that says error: null", { error: null, id: "1" }],
    ["nothing", ""],
    ["an empty object", {}],
    ["a list", [{ embedding: [1] }]]
  ])("that is a success stays one: %s", ([, body]) =>
    Effect.gen(function* () {
      const answer = yield* relayed(raw(body))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.text, body === "" ? "" : JSON.stringify(body))
    })
  )

  it.effect("that never comes is a TransportFailure, and is not tried again", () =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make({
        upstreams: { openai: LocalGateway.always(LocalGateway.disconnect) }
      })
      const error = yield* Effect.flip(AiGateway.relay(request)).pipe(
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.strictEqual(error._tag, "TransportFailure")
      assert.lengthOf(gateway.requests(), 1)
    })
  )

  it.effect("is told to tapAnswer with the status that it came with", () =>
    Effect.gen(function* () {
      const told: Array<number> = []
      yield* relayed(raw({}, 418)).pipe(
        AiGateway.tapAnswer(({ status }: AiGateway.Answer) => Effect.sync(() => void told.push(status)))
      )
      assert.deepStrictEqual(told, [418])
    })
  )
})

for (const [route, toGateway] of Object.entries(Programs.routes)) {
  describe(`several requests at once, ${route}`, () => {
    const first = (openai: LocalGateway.Reply, anthropic: LocalGateway.Reply) =>
      Effect.gen(function* () {
        const gateway = LocalGateway.make({
          upstreams: { openai: LocalGateway.always(openai), anthropic: LocalGateway.always(anthropic) }
        })
        const answer = yield* Effect.flatMap(AiGateway.relayFirst([request, other]), (response) =>
          Effect.map(response.text, (text) => ({
            status: response.status,
            step: response.gateway.step,
            text
          }))
        ).pipe(Effect.provide(toGateway(gateway)))
        assert.lengthOf(gateway.requests(), 1)
        return answer
      })

    it.live("the first that works answers, and its step is told", () =>
      Effect.gen(function* () {
        const answer = yield* first(LocalGateway.status(503), LocalGateway.text("from Anthropic"))
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.step, 1)
        assert.include(answer.text, "from Anthropic")
      })
    )

    it.live("none that works is an answer too", () =>
      Effect.gen(function* () {
        const answer = yield* first(LocalGateway.status(503), LocalGateway.status(429))
        assert.strictEqual(answer.status, 429)
      })
    )
  })
}

describe("bytes on a socket", () => {
  const over = (...answers: Parameters<typeof serve>) =>
    Effect.gen(function* () {
      const { baseUrl } = yield* serve(...answers)
      return { accountId: "account", gatewayId: "gateway", token: Redacted.make("token-0123"), baseUrl }
    })

  it.live("that are no text arrive as they are, though they come one by one", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(Array.from({ length: 600 }, (_, index) => index % 256))
      const settings = yield* over(pieces(bytes, 1, "application/octet-stream"))
      const response = yield* Effect.flatMap(AiGateway.AiGateway, ({ relay }) => relay(request)).pipe(
        Effect.provide(Programs.toGateway(settings))
      )
      const arrived = yield* Stream.runCollect(response.stream)
      assert.deepStrictEqual(Buffer.concat(Chunk.toReadonlyArray(arrived)), Buffer.from(bytes))
    }).pipe(Effect.scoped)
  )

  it.live("an error envelope that comes byte by byte is read to its end", () =>
    Effect.gen(function* () {
      const body = { error: { message: "Slöw down", type: "rate_limit_exceeded" } }
      const encoded = new TextEncoder().encode(JSON.stringify(body))
      const settings = yield* over(pieces(encoded, 1, "application/json"))
      const response = yield* Effect.flatMap(AiGateway.AiGateway, ({ relay }) => relay(request)).pipe(
        Effect.provide(Programs.toGateway(settings))
      )
      assert.isAtLeast(response.status, 400)
      assert.deepStrictEqual(yield* response.json, body)
    }).pipe(Effect.scoped)
  )

  it.live("a head without a body lets a caller go", () =>
    Effect.gen(function* () {
      let closed = false
      const settings = yield* over((response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.flushHeaders()
        response.on("close", () => {
          closed = true
        })
      }, json({}))
      const fiber = yield* Effect.fork(Effect.provide(AiGateway.relay(request), Programs.toGateway(settings)))
      yield* Effect.sleep("80 millis")
      yield* Fiber.interrupt(fiber)
      yield* Effect.sleep("80 millis")
      assert.isTrue(closed)
    }).pipe(Effect.scoped)
  )
})
