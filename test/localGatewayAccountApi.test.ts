import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LocalGateway from "../src/LocalGateway.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"
import { account, answering, events, plain, type Sent, send, weather } from "./localGatewayClient.js"

// api.cloudflare.com's own AI endpoints: one Cloudflare token, models of a catalog.

const question = { role: "user", content: "Hello" }
const chat = (model: string, extra: object = {}): Sent => ({
  path: `${account}/v1/chat/completions`,
  body: { model, messages: [question], ...extra }
})
const run = (model: string, input: object, extra: object = {}): Sent => ({
  path: `${account}/run`,
  body: { model, input, ...extra }
})
const llama = "@cf/meta/llama-3.1-8b-instruct"

describe("LocalGateway: the account's API", () => {
  it.each([
    "openai/gpt-5-mini",
    "anthropic/claude-haiku-4.5",
    "google/gemini-2.5-flash",
    "xai/grok-4",
    "alibaba/qwen3",
    llama
  ])("chat completions for %s, in OpenAI's shape", async (model) => {
    const answer = await send(plain(), chat(model))
    assert.strictEqual(answer.status, 200, answer.text)
    assert.strictEqual(answer.json.choices[0].message.content, "You said: Hello")
  })

  it("responses and messages in their own shapes", async () => {
    const responses = await send(plain(), {
      path: `${account}/v1/responses`,
      body: { model: "openai/gpt-4.1-mini", input: "Hello" }
    })
    assert.strictEqual(responses.json.output[0].content[0].text, "You said: Hello")
    const messages = await send(plain(), {
      path: `${account}/v1/messages`,
      body: { model: "anthropic/claude-haiku-4.5", max_tokens: 9, messages: [question] }
    })
    assert.strictEqual(messages.json.content[0].text, "You said: Hello")
  })

  it("embeddings for Workers AI's models alone", async () => {
    const ask = (model: string) => ({ path: `${account}/v1/embeddings`, body: { model, input: "x" } })
    assert.lengthOf((await send(plain(), ask("@cf/baai/bge-base-en-v1.5"))).json.data[0].embedding, 768)
    assert.strictEqual((await send(plain(), ask("openai/text-embedding-3-small"))).json.errors[0].code, 7003)
  })

  it("the provider sees its own name of the model, and no Cloudflare token", async () => {
    const gateway = plain()
    await send(gateway, chat("anthropic/claude-haiku-4.5"))
    const [asked] = gateway.upstreamRequests()
    assert.strictEqual(asked?.provider, "anthropic")
    assert.deepInclude(asked?.body, { model: "claude-haiku-4.5" })
    assert.notProperty(asked?.headers, "authorization")
  })

  it("a stored key is used; without one, and not on Unified Billing, it is 402", async () => {
    const stored = LocalGateway.make({ storedKeys: { openai: "sk-1" } })
    await send(stored, chat("openai/gpt-5-mini"))
    assert.strictEqual(stored.upstreamRequests()[0]?.headers.authorization, "Bearer sk-1")
    const unbilled = await send(LocalGateway.make({ unifiedBilling: false }), chat("openai/gpt-5-mini"))
    assert.deepStrictEqual([unbilled.status, unbilled.json.errors[0].code], [402, 2021])
    assert.strictEqual((await send(plain(), chat("deepseek/deepseek-chat"))).status, 402)
    assert.strictEqual((await send(plain(), chat("perplexity/sonar"))).json.errors[0].code, 2021)
  })

  it.each([
    ["none", { authorization: "" }],
    ["another", { authorization: "Bearer other" }],
    ["one without its scheme", { authorization: "local-token" }]
  ])("token: %s is 401 with code 10000, in the API's envelope", async (_, headers) => {
    const answer = await send(plain(), { ...chat("openai/gpt-5-mini"), headers })
    assert.strictEqual(answer.status, 401)
    assert.deepStrictEqual(answer.json, {
      result: null,
      success: false,
      errors: [{ code: 10000, message: "Authentication error" }],
      messages: []
    })
    assert.isNull(answer.headers.get("cf-aig-event-id"))
  })

  it("the gateway's own header is no token here, and there can be another token", async () => {
    const gateway = LocalGateway.make({ accountToken: "cf-token" })
    const own = { "cf-aig-authorization": "Bearer local-token", authorization: "" }
    assert.strictEqual((await send(gateway, { ...chat("openai/m"), headers: own })).status, 401)
    const right = { authorization: "Bearer cf-token" }
    assert.strictEqual((await send(gateway, { ...chat("openai/m"), headers: right })).status, 200)
  })

  it.each([
    ["the provider's own name of a model", "anthropic/claude-haiku-4-5"],
    ["the gateway's slug of a provider", "google-ai-studio/gemini-2.5-flash"],
    ["a provider that is not in the catalog", "mistral/mistral-small"],
    ["a name without its author", "gpt-5-mini"],
    ["a model that is not there", "openai/does-not-exist"]
  ])("%s is 7003", async (_, model) => {
    const answer = await send(plain(), chat(model))
    assert.deepStrictEqual([answer.status, answer.json.errors[0].code], [404, 7003])
  })

  it("another account, method or path is not routed", async () => {
    const other = await send(plain(), {
      ...chat("openai/m"),
      path: "https://api.cloudflare.com/client/v4/accounts/other/ai/v1/chat/completions"
    })
    assert.deepStrictEqual([other.status, other.json.errors[0].code], [404, 7003])
    const get = await send(plain(), { path: `${account}/run`, method: "GET" })
    assert.strictEqual(get.status, 405)
    const path = await send(plain(), { ...chat("openai/m"), path: `${account}/v2/chat` })
    assert.strictEqual(path.json.errors[0].code, 7000)
  })

  it("Workers AI's models have no messages", async () => {
    const answer = await send(plain(), {
      path: `${account}/v1/messages`,
      body: { model: llama, max_tokens: 9, messages: [question] }
    })
    assert.strictEqual(answer.status, 400)
    assert.isFalse(answer.json.success)
  })

  it("the header picks the gateway: none but for the catalog's, whose default it is", async () => {
    const gateway = plain()
    const without = await send(gateway, chat(llama))
    assert.isNull(without.headers.get("cf-aig-log-id"))
    assert.isNull(without.headers.get("cf-aig-event-id"))
    assert.lengthOf(gateway.logs(), 0)
    const headers = { "cf-aig-gateway-id": "local-gateway" }
    const passed = await send(gateway, { ...chat(llama), headers })
    assert.match(passed.headers.get("cf-aig-log-id") ?? "", /^[0-9A-Z]{26}$/)
    await send(gateway, chat("openai/gpt-5-mini"))
    assert.lengthOf(gateway.logs(), 2)
    const unknown = { "cf-aig-gateway-id": "other" }
    const refused = await send(gateway, { ...chat("openai/gpt-5-mini"), headers: unknown })
    assert.deepStrictEqual([refused.status, refused.json.error[0].code], [400, 2001])
  })

  it("streams say an event id, and neither a log id nor a cache status", async () => {
    const answer = await send(plain(), chat("openai/gpt-5-mini", { stream: true }))
    assert.strictEqual(events(answer.text).at(-1)?.data, "[DONE]")
    assert.isNotNull(answer.headers.get("cf-aig-event-id"))
    assert.isNull(answer.headers.get("cf-aig-log-id"))
    assert.isNull(answer.headers.get("cf-aig-cache-status"))
  })

  it("the gateway's options are headers here too", async () => {
    const gateway = plain()
    const headers = { "cf-aig-cache-key": "k", "cf-aig-metadata": '{"user":1}' }
    await send(gateway, { ...chat("openai/gpt-5-mini"), headers })
    const again = await send(gateway, { ...chat("openai/gpt-5-mini"), headers })
    assert.strictEqual(again.headers.get("cf-aig-cache-status"), "HIT")
    assert.deepStrictEqual(gateway.logs()[0]?.metadata, { user: 1 })
  })

  it("a provider's failure is in its own form", async () => {
    const gateway = answering("anthropic", LocalGateway.status(529))
    const answer = await send(gateway, {
      path: `${account}/v1/messages`,
      body: { model: "anthropic/claude-haiku-4.5", max_tokens: 9, messages: [question] }
    })
    assert.deepStrictEqual([answer.status, answer.json.error.type], [529, "overloaded_error"])
  })
})

describe("LocalGateway: the account's run", () => {
  it("wraps the answer: OpenAI's for most, Anthropic's own for its models", async () => {
    const openai = await send(plain(), run("openai/gpt-5-mini", { messages: [question] }))
    assert.isTrue(openai.json.success)
    assert.strictEqual(openai.json.result.choices[0].message.content, "You said: Hello")
    const google = await send(plain(), run("google/gemini-2.5-flash", { messages: [question] }))
    assert.strictEqual(google.json.result.choices[0].message.content, "You said: Hello")
    const anthropic = await send(
      plain(),
      run("anthropic/claude-haiku-4.5", { max_tokens: 9, messages: [question] })
    )
    assert.strictEqual(anthropic.json.result.content[0].text, "You said: Hello")
    const responses = await send(plain(), run("openai/gpt-4.1-mini", { input: "Hello" }))
    assert.strictEqual(responses.json.result.output[0].content[0].text, "You said: Hello")
  })

  it("Workers AI's body is native, wrapped by name or by path", async () => {
    const named = await send(plain(), run(llama, { messages: [question] }))
    assert.strictEqual(named.json.result.response, "You said: Hello")
    const path = await send(plain(), { path: `${account}/run/${llama}`, body: { prompt: "Hello" } })
    assert.strictEqual(path.json.result.response, "You said: Hello")
  })

  it("a stream is bare", async () => {
    const openai = await send(plain(), run("openai/gpt-5-mini", { messages: [question], stream: true }))
    assert.strictEqual(events(openai.text)[1]?.json.choices[0].delta.content, "You")
    const input = { max_tokens: 9, messages: [question], stream: true }
    const anthropic = await send(plain(), run("anthropic/claude-haiku-4.5", input))
    assert.strictEqual(events(anthropic.text).at(-1)?.event, "message_stop")
    const own = await send(plain(), run(llama, { messages: [question], stream: true }))
    assert.strictEqual(events(own.text)[0]?.json.response, "You")
  })

  it("parameters are native: Anthropic's limit of tokens is required", async () => {
    const answer = await send(plain(), run("anthropic/claude-haiku-4.5", { messages: [question] }))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.json.errors[0].message, /max_tokens: Field required/)
  })

  it("tools come and go", async () => {
    const input = {
      messages: [question],
      tools: [{ type: "function", function: weather }],
      tool_choice: "required"
    }
    const { json } = await send(plain(), run("openai/gpt-4.1-mini", input))
    assert.strictEqual(json.result.choices[0].message.tool_calls[0].function.name, "weather")
  })

  it.each([
    ["no input", { path: `${account}/run`, body: { model: "openai/m" } }],
    ["no model", { path: `${account}/run`, body: { input: {} } }],
    [
      "a webhook that is not in the background",
      run("openai/m", { messages: [question] }, { options: { webhookUrl: "https://a.b" } })
    ],
    [
      "a webhook's format without a webhook",
      run("openai/m", { messages: [question] }, { options: { background: true, webhookFormat: "raw" } })
    ]
  ])("%s is refused", async (_, sent: Sent) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, 400)
    assert.isFalse(answer.json.success)
  })

  it("a provider's failure is in the API's envelope", async () => {
    const gateway = answering("openai", LocalGateway.status(429, { message: "Slow down" }))
    const answer = await send(gateway, run("openai/gpt-5-mini", { messages: [question] }))
    assert.strictEqual(answer.status, 429)
    assert.match(answer.json.errors[0].message, /Slow down/)
  })
})

describe("LocalGateway: where the account's API is", () => {
  it.effect("in process, at api.cloudflare.com", () =>
    Effect.gen(function* () {
      const { path, body } = chat("openai/gpt-5-mini")
      const response = yield* HttpClientRequest.post(path).pipe(
        HttpClientRequest.bearerToken("local-token"),
        HttpClientRequest.bodyUnsafeJson(body),
        HttpClient.execute
      )
      assert.strictEqual(response.status, 200)
    }).pipe(Effect.provide(LocalGateway.layer()))
  )

  it.scopedLive("on the loopback server, at its apiBaseUrl", () =>
    Effect.gen(function* () {
      const { apiBaseUrl } = yield* LocalGatewayServer.start(plain())
      const response = yield* Effect.promise(() =>
        fetch(`${apiBaseUrl}/accounts/local-account/ai/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: "Bearer local-token", "content-type": "application/json" },
          body: JSON.stringify(chat("openai/gpt-5-mini", { stream: true }).body)
        })
      )
      const text = yield* Effect.promise(() => response.text())
      assert.strictEqual(events(text).at(-1)?.data, "[DONE]")
    })
  )
})
