import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LocalGateway from "../src/LocalGateway.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"
import { answering, events, plain, type Received, type Sent, send } from "./localGatewayClient.js"

// What `env.AI` and `env.AI.gateway(id)` put on the wire, and what they are answered.

const host = "https://workers-binding.ai"
const question = { role: "user", content: "Hello" }
const llama = "@cf/meta/llama-3.1-8b-instruct"

const entry = (provider: string, model: string, extra: object = {}) => ({
  provider,
  endpoint: provider === "anthropic" ? "v1/messages" : "chat/completions",
  headers: { "content-type": "application/json" },
  query: {
    model,
    ...(provider === "anthropic" ? { max_tokens: 9 } : {}),
    messages: [question],
    ...extra
  }
})

// No token: nothing but what the binding itself sends.
const bound = (path: string, body: unknown, headers: Record<string, string> = {}): Sent => ({
  path: host + path,
  body,
  headers: { authorization: "", ...headers }
})

const universal = (body: unknown, headers?: Record<string, string>): Sent =>
  bound("/ai-gateway/universal/run/local-gateway", body, headers)

const run = (model: string, inputs: object, gateway: object | null = { id: "local-gateway" }): Sent =>
  bound(
    gateway === null ? "/run?version=3" : "/ai-gateway/run?version=3",
    { inputs, options: gateway === null ? {} : { gateway } },
    { "cf-consn-sdk-version": "2.0.0", "cf-consn-model-id": model }
  )

const chat = (extra: object = {}) => ({ messages: [question], ...extra })
const native = (extra: object = {}) => ({ max_tokens: 9, ...chat(extra) })

const log = (id: string): Sent => ({
  path: `${host}/ai-gateway/gateways/local-gateway/logs/${id}`,
  method: "GET",
  headers: { authorization: "" }
})

const patch = (id: string, body: unknown): Sent => ({ ...log(id), method: "PATCH", body })

describe("LocalGateway: a gateway of the binding", () => {
  it("walks the entries without a token, and says which one answered", async () => {
    const gateway = answering("openai", LocalGateway.status(503))
    const answer = await send(
      gateway,
      universal([entry("openai", "gpt-5-mini"), entry("anthropic", "claude-haiku-4-5", {})].map(withVersion))
    )
    assert.strictEqual(answer.status, 200, answer.text)
    assert.strictEqual(answer.headers.get("cf-aig-step"), "1")
    assert.strictEqual(answer.json.content[0].text, "You said: Hello")
    assert.match(answer.headers.get("cf-aig-log-id") ?? "", /^[0-9A-Z]{26}$/)
    assert.strictEqual(answer.headers.get("cf-aig-cache-status"), "MISS")
  })

  it("takes options from the outer request and from an entry, which beats it", async () => {
    const gateway = plain()
    const headers = { "cf-aig-metadata": '{"from":"outer"}', "cf-aig-event-id": "e-1" }
    const own = entry("openai", "gpt-5-mini")
    const body = [{ ...own, headers: { ...own.headers, "cf-aig-metadata": '{"from":"entry"}' } }]
    await send(gateway, universal(body, headers))
    await send(gateway, universal([own], headers))
    assert.deepStrictEqual(
      gateway.logs().map(({ metadata, eventId }) => [metadata.from, eventId]),
      [
        ["entry", "e-1"],
        ["outer", "e-1"]
      ]
    )
  })

  it("caches as the universal endpoint does", async () => {
    const gateway = plain()
    const ask = universal([entry("openai", "gpt-5-mini")], { "cf-aig-cache-key": "k" })
    await send(gateway, ask)
    assert.strictEqual((await send(gateway, ask)).headers.get("cf-aig-cache-status"), "HIT")
  })

  it("a gateway that is not there is 2001", async () => {
    const answer = await send(plain(), bound("/ai-gateway/universal/run/other", [entry("openai", "m")]))
    assert.deepStrictEqual(
      [answer.status, answer.json.name, answer.json.internalCode],
      [400, "AiGatewayError", 2001]
    )
  })

  it("says the address of a provider, and of the universal endpoint with a slash", async () => {
    const url = async (provider: string) =>
      (
        await send(plain(), {
          path: `${host}/ai-gateway/gateways/local-gateway/url/${provider}`,
          method: "GET"
        })
      ).json.result.url
    const base = "https://gateway.ai.cloudflare.com/v1/local-account/local-gateway"
    assert.strictEqual(await url("universal"), `${base}/`)
    assert.strictEqual(await url("openai"), `${base}/openai`)
  })
})

const withVersion = (sent: ReturnType<typeof entry>) =>
  sent.provider === "anthropic"
    ? { ...sent, headers: { ...sent.headers, "anthropic-version": "2023-06-01" } }
    : sent

describe("LocalGateway: the binding's run", () => {
  it("answers bare: OpenAI's shape for most of the catalog, Anthropic's own, Workers AI's own", async () => {
    const openai = await send(plain(), run("openai/gpt-5-mini", chat()))
    assert.strictEqual(openai.json.choices[0].message.content, "You said: Hello")
    const google = await send(plain(), run("google/gemini-2.5-flash", chat()))
    assert.strictEqual(google.json.choices[0].message.content, "You said: Hello")
    const anthropic = await send(plain(), run("anthropic/claude-haiku-4.5", native()))
    assert.strictEqual(anthropic.json.content[0].text, "You said: Hello")
    const own = await send(plain(), run(llama, chat()))
    assert.strictEqual(own.json.response, "You said: Hello")
    assert.notProperty(own.json, "result")
  })

  it("vectors are bare as well", async () => {
    const answer = await send(plain(), run("@cf/baai/bge-base-en-v1.5", { text: ["a"] }))
    assert.deepStrictEqual(answer.json.shape, [1, 768])
  })

  it("the prefix of a model's name is not part of it", async () => {
    const gateway = plain()
    await send(gateway, run(`tenant:${llama}`, chat()))
    assert.strictEqual(gateway.upstreamRequests()[0]?.endpoint, `run/${llama}`)
  })

  it("takes the gateway's options from the body", async () => {
    const gateway = plain()
    const options = {
      id: "local-gateway",
      cacheKey: "k",
      cacheTtl: 60,
      metadata: { user: 1, gone: null },
      eventId: "e-2",
      retries: { maxAttempts: 2, retryDelayMs: 1, backoff: "linear" }
    }
    const first = await send(gateway, run("openai/gpt-5-mini", chat(), options))
    const second = await send(gateway, run("openai/gpt-5-mini", chat(), options))
    assert.strictEqual(first.headers.get("cf-aig-event-id"), "e-2")
    assert.strictEqual(second.headers.get("cf-aig-cache-status"), "HIT")
    assert.deepStrictEqual(gateway.logs()[0]?.metadata, { user: 1 })
    assert.strictEqual(gateway.logs()[0]?.eventId, "e-2")
    const fresh = await send(gateway, run("openai/gpt-5-mini", chat(), { ...options, skipCache: true }))
    assert.strictEqual(fresh.headers.get("cf-aig-cache-status"), "MISS")
  })

  it("the gateway's retries of the body are made", async () => {
    const gateway = answering("openai", LocalGateway.status(503))
    const options = { id: "local-gateway", retries: { maxAttempts: 2 } }
    assert.strictEqual((await send(gateway, run("openai/gpt-5-mini", chat(), options))).status, 200)
    assert.lengthOf(gateway.upstreamRequests(), 2)
  })

  it("the gateway's timeout of the body is kept", async () => {
    const gateway = answering("openai", LocalGateway.hang)
    const options = { id: "local-gateway", requestTimeoutMs: 5 }
    const answer = await send(gateway, run("openai/gpt-5-mini", chat(), options))
    assert.deepStrictEqual([answer.status, answer.json.internalCode], [400, 2005])
  })

  it("collectLog: false leaves no log", async () => {
    const gateway = plain()
    const answer = await send(gateway, run(llama, chat(), { id: "local-gateway", collectLog: false }))
    assert.lengthOf(gateway.logs(), 0)
    assert.isNull(answer.headers.get("cf-aig-log-id"))
  })

  it("an unknown gateway is 2001, an unknown model of the catalog 7003", async () => {
    const other = await send(plain(), run("openai/gpt-5-mini", chat(), { id: "other" }))
    assert.deepStrictEqual([other.status, other.json.internalCode], [400, 2001])
    for (const model of ["openai/does-not-exist", "mistral/m", "nobody"]) {
      const answer = await send(plain(), run(model, chat()))
      assert.deepStrictEqual([answer.status, answer.json.internalCode], [404, 7003], model)
    }
  })

  it("Workers AI's errors are in the form that the binding reads", async () => {
    const missing = await send(plain(), run("@cf/does-not-exist", chat()))
    assert.deepStrictEqual(
      [missing.status, missing.json.name, missing.json.internalCode, missing.json.httpCode],
      [400, "AiError", 5007, 400]
    )
    const busy = await send(answering("workers-ai", LocalGateway.status(429)), run(llama, chat()))
    assert.deepStrictEqual([busy.status, busy.json.internalCode], [429, 3040])
    assert.notMatch(busy.json.description, /^AiError/)
  })

  it("a provider's failure is in its own form", async () => {
    const gateway = answering("anthropic", LocalGateway.status(529))
    const answer = await send(gateway, run("anthropic/claude-haiku-4.5", native()))
    assert.deepStrictEqual([answer.status, answer.json.error.type], [529, "overloaded_error"])
  })

  it("no credential of the caller reaches the provider, but a stored key does", async () => {
    const gateway = LocalGateway.make({ storedKeys: { openai: "sk-stored" } })
    const sent = run("openai/gpt-5-mini", chat())
    await send(gateway, { ...sent, headers: { ...sent.headers, authorization: "Bearer sk-caller" } })
    assert.strictEqual(gateway.upstreamRequests()[0]?.headers.authorization, "Bearer sk-stored")
  })

  it("without a gateway Workers AI is asked alone; the catalog's models pass the default one", async () => {
    const gateway = plain()
    const own = await send(gateway, run(llama, chat(), null))
    assert.strictEqual(own.json.response, "You said: Hello")
    assert.isNull(own.headers.get("cf-aig-log-id"))
    assert.isNotNull(own.headers.get("cf-ai-req-id"))
    await send(gateway, run("openai/gpt-5-mini", chat(), null))
    assert.deepStrictEqual(
      gateway.logs().map(({ gateway }) => gateway),
      ["default"]
    )
  })

  it("says no step", async () => {
    const answer = await send(plain(), run("openai/gpt-5-mini", chat()))
    assert.isNull(answer.headers.get("cf-aig-step"))
    assert.isNotNull(answer.headers.get("cf-aig-log-id"))
  })

  it.each([
    ["no inputs", { options: {} }],
    ["text", "hello"]
  ])("a body of %s is refused as bad input", async (_, body) => {
    const answer = await send(plain(), { ...run(llama, chat()), body })
    assert.deepStrictEqual([answer.status, answer.json.name], [400, "AiError"])
  })

  it("answers with the content type that a reply says", async () => {
    const type = "application/json; charset=utf-8"
    const gateway = answering("openai", LocalGateway.contentType(LocalGateway.text("Hi"), type))
    assert.strictEqual(
      (await send(gateway, run("openai/gpt-5-mini", chat()))).headers.get("content-type"),
      type
    )
  })
})

describe("LocalGateway: which streams can be resumed", () => {
  const ask = (model: string, extra: object = {}) =>
    send(plain(), run(model, native({ stream: true, ...extra })))
  const runId = ({ headers }: Received) => headers.get("cf-aig-run-id")

  it.each(["openai/gpt-5-mini", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash"])(
    "a stream of %s has a run id, and neither log id nor cache status",
    async (model) => {
      const body = model.startsWith("openai/") ? chat({ stream: true }) : native({ stream: true })
      const answer = await send(plain(), run(model, body))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.match(runId(answer) ?? "", /^[0-9a-f]{64}$/)
      assert.isNull(answer.headers.get("cf-aig-log-id"))
      assert.isNull(answer.headers.get("cf-aig-cache-status"))
      assert.isNotNull(answer.headers.get("cf-aig-event-id"))
    }
  )

  it("a stream of Workers AI's own has none", async () => {
    const answer = await ask(llama)
    assert.strictEqual(events(answer.text).at(-1)?.data, "[DONE]")
    assert.isNull(runId(answer))
    assert.isNull(answer.headers.get("cf-aig-cache-status"))
  })

  it("an answer that is not streamed has none", async () => {
    assert.isNull(runId(await send(plain(), run("openai/gpt-5-mini", chat()))))
    const unstreamed = answering("openai", LocalGateway.unstreamed(LocalGateway.text("Hi")))
    const answer = await send(unstreamed, run("openai/gpt-5-mini", chat({ stream: true })))
    assert.strictEqual(answer.json.choices[0].message.content, "Hi")
    assert.isNull(runId(answer))
  })

  it("none has one where runs are switched off", async () => {
    const gateway = LocalGateway.make({ runs: { ids: false } })
    const answer = await send(gateway, run("openai/gpt-5-mini", chat({ stream: true })))
    assert.isNull(runId(answer))
    assert.isNull(answer.headers.get("cf-aig-log-id"))
    assert.lengthOf(gateway.logs(), 1)
  })

  it("it is logged all the same", async () => {
    const gateway = plain()
    await send(gateway, run("openai/gpt-5-mini", chat({ stream: true })))
    assert.include(gateway.logs()[0]?.response, "[DONE]")
  })

  it("events of Anthropic are its own", async () => {
    const answer = await ask("anthropic/claude-haiku-4.5")
    assert.strictEqual(events(answer.text)[0]?.event, "message_start")
    assert.strictEqual(events(answer.text).at(-1)?.event, "message_stop")
  })
})

describe("LocalGateway: the binding's log entries", () => {
  const logged = async () => {
    const gateway = plain()
    const { headers } = await send(
      gateway,
      universal([entry("openai", "gpt-5-mini")], {
        "cf-aig-metadata": '{"user":"u"}',
        "cf-aig-custom-cost": '{"per_token_in":2,"per_token_out":1}'
      })
    )
    return { gateway, id: headers.get("cf-aig-log-id") ?? "" }
  }

  it("has what a log entry of the binding has", async () => {
    const { gateway, id } = await logged()
    const { result, success } = (await send(gateway, log(id))).json
    assert.isTrue(success)
    assert.strictEqual(result.id, id)
    assert.deepInclude(result, {
      provider: "openai",
      model: "gpt-5-mini",
      path: "chat/completions",
      step: 0,
      status_code: 200,
      success: true,
      cached: false,
      custom_cost: true,
      tokens_in: 1,
      tokens_out: 3,
      cost: 5,
      request_content_type: "application/json",
      response_content_type: "application/json",
      request_head_complete: true,
      response_head_complete: true
    })
    assert.deepStrictEqual(result.metadata, { user: "u" })
    assert.strictEqual(new Date(result.created_at).toISOString(), result.created_at)
    assert.strictEqual(result.request_size, result.request_head.length)
    assert.strictEqual(result.response_size, result.response_head.length)
  })

  it("feedback, a score and metadata are kept, and null takes them away", async () => {
    const { gateway, id } = await logged()
    const all = await send(gateway, patch(id, { feedback: -1, score: 50, metadata: { seen: true } }))
    assert.strictEqual(all.status, 200)
    assert.deepInclude(gateway.logs()[0], { feedback: -1, score: 50 })
    assert.deepStrictEqual((await send(gateway, log(id))).json.result.metadata, { seen: true })
    await send(gateway, patch(id, { feedback: null }))
    assert.deepInclude(gateway.logs()[0], { feedback: undefined, score: 50 })
  })

  it.each([
    ["feedback 0", { feedback: 0 }],
    ["a score above 100", { score: 101 }],
    ["a score that is text", { score: "50" }],
    ["nested metadata", { metadata: { a: { b: 1 } } }],
    ["no object", [1]]
  ])("%s is refused, and changes nothing", async (_, body) => {
    const { gateway, id } = await logged()
    const answer = await send(gateway, patch(id, body))
    assert.strictEqual(answer.status, 400)
    assert.isString(answer.json.errors[0].message)
    assert.deepInclude(gateway.logs()[0], { feedback: undefined, score: undefined })
  })

  it("an entry that is not there, or another gateway's, is 404 with a message", async () => {
    const { gateway, id } = await logged()
    const missing = await send(gateway, log("01JAAAAAAAAAAAAAAAAAAAAAAA"))
    assert.deepStrictEqual([missing.status, missing.json.errors[0].message], [404, "Log not found"])
    assert.strictEqual((await send(gateway, patch("nope", { feedback: 1 }))).status, 404)
    const elsewhere = `${host}/ai-gateway/gateways/default/logs/${id}`
    assert.strictEqual((await send(gateway, { path: elsewhere, method: "GET" })).status, 404)
  })

  it("an entry without payload has no heads", async () => {
    const gateway = plain()
    const { headers } = await send(
      gateway,
      universal([entry("openai", "gpt-5-mini")], { "cf-aig-collect-log-payload": "false" })
    )
    const { result } = (await send(gateway, log(headers.get("cf-aig-log-id") ?? ""))).json
    assert.strictEqual(result.request_head, "")
    assert.isAbove(result.response_size, 0)
  })
})

describe("LocalGateway: the binding over a socket", () => {
  it.live("any host with those paths is the binding's", () =>
    Effect.gen(function* () {
      const { url } = yield* LocalGatewayServer.start(plain())
      const [status, text] = yield* Effect.promise(async () => {
        const sent = run(llama, chat())
        const response = await fetch(`${url}/ai-gateway/run?version=3`, {
          method: "POST",
          headers: { "cf-consn-model-id": llama, "content-type": "application/json" },
          body: JSON.stringify(sent.body)
        })
        return [response.status, await response.text()] as const
      })
      assert.strictEqual(status, 200)
      assert.include(text, "You said: Hello")
    }).pipe(Effect.scoped)
  )
})
