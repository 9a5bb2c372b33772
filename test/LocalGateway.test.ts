import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LocalGateway from "../src/LocalGateway.js"

// A client of the test's own: this file must not lean on the library's.

const origin = "https://gateway.ai.cloudflare.com/v1/local-account/local-gateway"
const token = { "cf-aig-authorization": "Bearer local-token" }

interface Sent {
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly method?: string
  readonly signal?: AbortSignal
}

const request = ({ path, body, headers, method = "POST" }: Sent): Request =>
  new Request(path.startsWith("http") ? path : origin + path, {
    method,
    headers: { "content-type": "application/json", ...token, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })

const send = async (gateway: LocalGateway.LocalGateway, sent: Sent) => {
  const response = await gateway.handle(
    request(sent),
    sent.signal === undefined ? {} : { signal: sent.signal }
  )
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    // biome-ignore lint/suspicious/noExplicitAny: assertions look into bodies of many shapes
    get json(): any {
      return JSON.parse(text)
    }
  }
}

/** A reader of server-sent events in ten lines: what the bytes mean, whoever wrote them. */
const events = (text: string) =>
  text
    .split(/\r?\n\r?\n/)
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const lines = block.split(/\r?\n/)
      const data = lines
        .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trim()] : []))
        .join("\n")
      const event = lines
        .find((line) => line.startsWith("event:"))
        ?.slice(6)
        .trim()
      return { event, data, json: data === "[DONE]" ? undefined : JSON.parse(data) }
    })

const messages = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Good morning" }
]
const openAi = (extra: object = {}): Sent => ({
  path: "/openai/chat/completions",
  body: { model: "gpt-4o-mini", messages, ...extra }
})
const anthropic = (extra: object = {}): Sent => ({
  path: "/anthropic/v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body: {
    model: "claude-haiku-4-5",
    max_tokens: 64,
    system: "Be kind.",
    messages: [{ role: "user", content: [{ type: "text", text: "Good morning" }] }],
    ...extra
  }
})
const google = (method: string, extra: object = {}): Sent => ({
  path: `/google-ai-studio/v1beta/models/gemini-2.5-flash:${method}`,
  body: { contents: [{ role: "user", parts: [{ text: "Good morning" }] }], ...extra }
})
const workersAi = (extra: object = {}): Sent => ({
  path: "/workers-ai/@cf/meta/llama-3.1-8b-instruct",
  body: { messages, ...extra }
})

const answering = (provider: string, ...replies: ReadonlyArray<LocalGateway.Reply>) =>
  LocalGateway.make({ upstreams: { [provider]: LocalGateway.script(replies) } })

const code = (answer: { readonly json: { readonly error: ReadonlyArray<{ readonly code: number }> } }) =>
  answer.json.error[0]?.code

describe("LocalGateway: OpenAI's wire", () => {
  it("answers a chat in OpenAI's shape", async () => {
    const { status, json, headers } = await send(LocalGateway.make(), openAi())
    assert.strictEqual(status, 200)
    assert.strictEqual(headers.get("content-type"), "application/json")
    assert.strictEqual(json.object, "chat.completion")
    assert.deepStrictEqual(json.choices[0].message, {
      role: "assistant",
      content: "You said: Good morning",
      refusal: null,
      annotations: []
    })
    assert.strictEqual(json.choices[0].finish_reason, "stop")
    assert.strictEqual(json.usage.prompt_tokens, 4)
    assert.strictEqual(json.usage.completion_tokens, 4)
    assert.strictEqual(json.usage.total_tokens, 8)
  })

  it("streams word by word, and usage only if it is asked for", async () => {
    const plain = events((await send(LocalGateway.make(), openAi({ stream: true }))).text)
    assert.deepStrictEqual(
      plain.slice(0, -1).map(({ json }) => [json.choices[0].delta.content, json.choices[0].finish_reason]),
      [
        ["", null],
        ["You", null],
        [" said:", null],
        [" Good", null],
        [" morning", null],
        [undefined, "stop"]
      ]
    )
    assert.strictEqual(plain.at(-1)?.data, "[DONE]")
    const usage = { stream_options: { include_usage: true } }
    const counted = events((await send(LocalGateway.make(), openAi({ stream: true, ...usage }))).text)
    assert.deepStrictEqual(counted.at(-2)?.json.choices, [])
    assert.strictEqual(counted.at(-2)?.json.usage.completion_tokens, 4)
    assert.isNull(counted[0]?.json.usage)
  })

  it("sends a tool call in fragments with an index", async () => {
    const gateway = answering("openai", LocalGateway.toolCall("weather", { city: "Oslo" }))
    const deltas = events((await send(gateway, openAi({ stream: true }))).text)
      .slice(0, -1)
      .flatMap(({ json }) => json.choices[0].delta.tool_calls ?? [])
    assert.strictEqual(deltas[0].function.name, "weather")
    assert.isTrue(deltas.every((delta: { index: number }) => delta.index === 0))
    assert.strictEqual(
      deltas.map((delta: { function: { arguments: string } }) => delta.function.arguments).join(""),
      '{"city":"Oslo"}'
    )
  })

  it("calls the tool that the request forces, with arguments that fit its schema", async () => {
    const parameters = {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 2 } },
      required: ["city", "days"]
    }
    const { json } = await send(
      LocalGateway.make(),
      openAi({
        tools: [{ type: "function", function: { name: "weather", parameters } }],
        tool_choice: { type: "function", function: { name: "weather" } }
      })
    )
    const call = json.choices[0].message.tool_calls[0]
    assert.strictEqual(json.choices[0].finish_reason, "tool_calls")
    assert.deepStrictEqual(JSON.parse(call.function.arguments), { city: "You said: Good morning", days: 2 })
  })

  it("answers in JSON of the schema that is asked for", async () => {
    const schema = { type: "object", properties: { mood: { enum: ["good", "bad"] } } }
    const { json } = await send(
      LocalGateway.make(),
      openAi({ response_format: { type: "json_schema", json_schema: { name: "mood", schema } } })
    )
    assert.strictEqual(json.choices[0].message.content, '{"mood":"good"}')
  })

  it("refuses what OpenAI refuses, in its words", async () => {
    const gateway = LocalGateway.make()
    const body = async (extra: object) => (await send(gateway, openAi(extra))).json.error
    assert.strictEqual((await body({ model: undefined })).param, "model")
    assert.strictEqual((await body({ messages: undefined })).code, "missing_required_parameter")
    const reasoning = await send(gateway, openAi({ model: "gpt-5-mini", max_tokens: 5 }))
    assert.strictEqual(reasoning.status, 400)
    assert.strictEqual(reasoning.json.error.code, "unsupported_parameter")
    const unknown = await send(gateway, openAi({ model: "does-not-exist" }))
    assert.strictEqual(unknown.status, 404)
    assert.strictEqual(unknown.json.error.code, "model_not_found")
    assert.strictEqual((await send(gateway, { ...openAi(), path: "/openai/chat/nonsense" })).status, 404)
  })

  it("each vendor keeps its own dialect", async () => {
    const reply = LocalGateway.text("Yes", { reasoning: "Hm" })
    const stream = async (provider: string, path: string) =>
      events((await send(answering(provider, reply), { ...openAi({ stream: true }), path })).text)
    const deepseek = await stream("deepseek", "/deepseek/chat/completions")
    assert.strictEqual(deepseek[1]?.json.choices[0].delta.reasoning_content, "Hm")
    assert.isNumber(deepseek.at(-2)?.json.usage.prompt_cache_miss_tokens)
    const perplexity = await stream("perplexity-ai", "/perplexity-ai/chat/completions")
    assert.strictEqual(perplexity.at(-1)?.json.object, "chat.completion.done")
    assert.strictEqual(perplexity.at(-1)?.json.choices[0].message.content, "<think>Hm</think>Yes")
    const mistral = await stream("mistral", "/mistral/v1/chat/completions")
    assert.strictEqual(mistral[1]?.json.choices[0].delta.content[0].type, "thinking")
    const workers = await stream("workers-ai", "/workers-ai/v1/chat/completions")
    assert.notProperty(workers[0]?.json.choices[0].delta, "role")
    assert.notProperty(workers[0]?.json.choices[0], "finish_reason")
    const grok = await send(answering("grok", reply), { ...openAi(), path: "/grok/v1/chat/completions" })
    assert.strictEqual(grok.json.usage.completion_tokens, 1)
    assert.strictEqual(grok.json.usage.completion_tokens_details.reasoning_tokens, 1)
    assert.strictEqual(
      (await send(LocalGateway.make(), { ...openAi(), path: "/groq/v1/chat/completions" })).status,
      404
    )
  })
})

describe("LocalGateway: Anthropic's wire", () => {
  it("answers a message in Anthropic's shape", async () => {
    const { json } = await send(LocalGateway.make(), anthropic())
    assert.strictEqual(json.type, "message")
    assert.deepStrictEqual(json.content, [{ type: "text", text: "You said: Good morning" }])
    assert.strictEqual(json.stop_reason, "end_turn")
    assert.strictEqual(json.usage.input_tokens, 4)
    assert.strictEqual(json.usage.output_tokens, 4)
  })

  it("streams the whole event grammar, named, ping included, without [DONE]", async () => {
    const all = events((await send(LocalGateway.make(), anthropic({ stream: true }))).text)
    assert.deepStrictEqual(
      all.map(({ event }) => event),
      [
        "message_start",
        "content_block_start",
        "ping",
        ...Array.from({ length: 4 }, () => "content_block_delta"),
        "content_block_stop",
        "message_delta",
        "message_stop"
      ]
    )
    assert.isTrue(all.every(({ event, json }) => event === json.type))
    assert.strictEqual(all.map(({ json }) => json.delta?.text ?? "").join(""), "You said: Good morning")
    assert.strictEqual(all.at(-2)?.json.usage.output_tokens, 4)
  })

  it("thinks before it speaks, and a call without arguments is an empty fragment", async () => {
    const gateway = answering(
      "anthropic",
      LocalGateway.toolCall("now", {}, { reasoning: "Hm", text: "Wait." })
    )
    const all = events((await send(gateway, anthropic({ stream: true }))).text)
    assert.deepStrictEqual(
      all.flatMap(({ json }) =>
        json.content_block === undefined ? [] : [[json.index, json.content_block.type]]
      ),
      [
        [0, "thinking"],
        [1, "text"],
        [2, "tool_use"]
      ]
    )
    assert.deepStrictEqual(
      all.flatMap(({ json }) => json.delta?.partial_json ?? []),
      [""]
    )
    assert.strictEqual(all.at(-2)?.json.delta.stop_reason, "tool_use")
  })

  it("refuses what Anthropic refuses, in its words", async () => {
    const gateway = LocalGateway.make()
    const noVersion = await send(gateway, { ...anthropic(), headers: {} })
    assert.deepStrictEqual(
      [noVersion.status, noVersion.json.error.message],
      [400, "anthropic-version: header is required"]
    )
    assert.strictEqual(
      (await send(gateway, anthropic({ max_tokens: undefined }))).json.error.message,
      "max_tokens: Field required"
    )
    const unknown = await send(gateway, anthropic({ model: "claude-does-not-exist" }))
    assert.deepStrictEqual([unknown.status, unknown.json.error.type], [404, "not_found_error"])
    const newer = { ...anthropic({ temperature: 1 }), headers: { "anthropic-version": "2026-10-21" } }
    assert.strictEqual((await send(gateway, newer)).status, 400)
    const busy = await send(answering("anthropic", LocalGateway.status(529)), anthropic())
    assert.deepStrictEqual([busy.status, busy.json.error.type], [529, "overloaded_error"])
  })
})

describe("LocalGateway: Google's wire", () => {
  it("answers in Google's shape", async () => {
    const { json } = await send(LocalGateway.make(), google("generateContent"))
    assert.deepStrictEqual(json.candidates[0].content, {
      parts: [{ text: "You said: Good morning" }],
      role: "model"
    })
    assert.strictEqual(json.candidates[0].finishReason, "STOP")
    assert.deepStrictEqual(json.usageMetadata, {
      promptTokenCount: 2,
      candidatesTokenCount: 4,
      totalTokenCount: 6
    })
  })

  it("streams with CRLF and running totals", async () => {
    const { text } = await send(LocalGateway.make(), google("streamGenerateContent?alt=sse"))
    assert.match(text, /\r\n\r\n$/)
    assert.notMatch(text, /[^\r]\n/)
    const all = events(text)
    assert.deepStrictEqual(
      all.map(({ json }) => [
        json.candidates[0].content.parts[0].text,
        json.usageMetadata.candidatesTokenCount
      ]),
      [
        ["You", 1],
        [" said:", 2],
        [" Good", 3],
        [" morning", 4],
        ["", 4]
      ]
    )
    assert.strictEqual(all.at(-1)?.json.candidates[0].finishReason, "STOP")
  })

  it("streams one JSON array without alt=sse", async () => {
    const { json, headers } = await send(LocalGateway.make(), google("streamGenerateContent"))
    assert.include(headers.get("content-type") ?? "", "application/json")
    assert.strictEqual(json.length, 5)
  })

  it("refuses what Google refuses, in its words", async () => {
    const gateway = LocalGateway.make()
    const unknown = await send(gateway, google("generateContent", { messages: [] }))
    assert.strictEqual(unknown.json.error.status, "INVALID_ARGUMENT")
    assert.include(unknown.json.error.message, 'Unknown name "messages"')
    const limited = await send(
      answering("google-ai-studio", LocalGateway.status(429)),
      google("generateContent")
    )
    assert.strictEqual(limited.json.error.status, "RESOURCE_EXHAUSTED")
    assert.strictEqual(limited.json.error.details[0].retryDelay, "1s")
  })
})

describe("LocalGateway: Workers AI's wire", () => {
  it("answers in Cloudflare's envelope, with and without run/", async () => {
    const gateway = LocalGateway.make()
    const { json } = await send(gateway, workersAi())
    assert.deepStrictEqual(json, {
      result: {
        response: "You said: Good morning",
        usage: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 }
      },
      success: true,
      errors: [],
      messages: []
    })
    const run = { ...workersAi(), path: "/workers-ai/run/@cf/meta/llama-3.1-8b-instruct" }
    assert.strictEqual((await send(gateway, run)).json.result.response, "You said: Good morning")
  })

  it("streams bare responses, then usage, then [DONE]", async () => {
    const all = events((await send(LocalGateway.make(), workersAi({ stream: true }))).text)
    assert.strictEqual(all.at(-1)?.data, "[DONE]")
    assert.strictEqual(all.at(-2)?.json.usage.completion_tokens, 4)
    assert.strictEqual(all.map(({ json }) => json?.response ?? "").join(""), "You said: Good morning")
  })

  it("names an unknown model with code 5007", async () => {
    const { status, json } = await send(LocalGateway.make(), {
      ...workersAi(),
      path: "/workers-ai/@cf/meta/does-not-exist"
    })
    assert.deepStrictEqual([status, json.errors[0].code, json.success], [400, 5007, false])
  })

  it("a JSON answer is an object, and a tool call has arguments but no id", async () => {
    const schema = { type: "object", properties: { sunny: { type: "boolean" } } }
    const object = await send(
      LocalGateway.make(),
      workersAi({ response_format: { type: "json_schema", json_schema: schema } })
    )
    assert.deepStrictEqual(object.json.result.response, { sunny: true })
    const call = await send(answering("workers-ai", LocalGateway.toolCall("f", { a: 1 })), workersAi())
    assert.deepStrictEqual(call.json.result.tool_calls, [{ name: "f", arguments: { a: 1 } }])
    assert.isNull(call.json.result.response)
  })
})

describe("LocalGateway: who may use it", () => {
  it("a wrong or missing gateway token is 401 with code 2009, in the gateway's own shape", async () => {
    for (const headers of [
      { "cf-aig-authorization": "Bearer nope" },
      { "cf-aig-authorization": "local-token" }
    ]) {
      const answer = await send(LocalGateway.make(), { ...openAi(), headers })
      assert.strictEqual(answer.status, 401)
      assert.deepStrictEqual(answer.json, {
        success: false,
        result: [],
        messages: [],
        error: [{ code: 2009, message: "Unauthorized" }],
        name: "AiGatewayError",
        httpCode: 401,
        internalCode: 2009,
        message: "Unauthorized",
        description: "Unauthorized"
      })
    }
    const open = LocalGateway.make({ token: null })
    assert.strictEqual(
      (await send(open, { ...openAi(), headers: { "cf-aig-authorization": "" } })).status,
      200
    )
  })

  it("an unknown gateway or account is 2001, an unknown provider 2008; `default` always exists", async () => {
    const gateway = LocalGateway.make()
    const at = (path: string) => send(gateway, { ...openAi(), path: `http://127.0.0.1:1/v1/${path}` })
    assert.strictEqual(code(await at("local-account/other/openai/chat/completions")), 2001)
    assert.strictEqual(code(await at("other/local-gateway/openai/chat/completions")), 2001)
    assert.strictEqual((await at("local-account/other/openai/chat/completions")).status, 400)
    assert.strictEqual((await at("local-account/default/openai/chat/completions")).status, 200)
    assert.strictEqual(code(await at("local-account/local-gateway/opnai/chat/completions")), 2008)
  })

  it("a wrong provider key gets that provider's own answer", async () => {
    const gateway = LocalGateway.make({
      keys: {
        openai: "sk",
        anthropic: "sk",
        "google-ai-studio": "sk",
        "workers-ai": "sk",
        mistral: "sk",
        grok: "sk"
      }
    })
    const wrong = { authorization: "Bearer wrong" }
    const openai = await send(gateway, { ...openAi(), headers: wrong })
    assert.deepStrictEqual([openai.status, openai.json.error.code], [401, "invalid_api_key"])
    const claude = await send(gateway, {
      ...anthropic(),
      headers: { "anthropic-version": "2023-06-01", "x-api-key": "wrong" }
    })
    assert.deepStrictEqual([claude.status, claude.json.error.type], [401, "authentication_error"])
    const gemini = await send(gateway, {
      ...google("generateContent"),
      headers: { "x-goog-api-key": "wrong" }
    })
    assert.deepStrictEqual([gemini.status, gemini.json.error.details[0].reason], [400, "API_KEY_INVALID"])
    const llama = await send(gateway, { ...workersAi(), headers: wrong })
    assert.deepStrictEqual([llama.status, llama.json.errors[0].code], [401, 10000])
    const mistral = await send(gateway, { ...openAi(), path: "/mistral/v1/chat/completions", headers: wrong })
    assert.deepStrictEqual([mistral.status, mistral.json], [401, { detail: "Invalid API Key" }])
    const grok = await send(gateway, { ...openAi(), path: "/grok/v1/chat/completions", headers: wrong })
    assert.deepStrictEqual([grok.status, typeof grok.json.error], [400, "string"])
    assert.strictEqual(
      (await send(gateway, { ...openAi(), headers: { authorization: "Bearer sk" } })).status,
      200
    )
  })

  it("a key that is no key, or the gateway's own token, is refused", async () => {
    const gateway = LocalGateway.make()
    for (const authorization of ["Bearer undefined", "Bearer ", "Bearer local-token"])
      assert.strictEqual((await send(gateway, { ...openAi(), headers: { authorization } })).status, 401)
  })

  it("without a key: a stored key, else unified billing, else the provider's answer", async () => {
    const stored = LocalGateway.make({
      storedKeys: { openai: { default: "sk-1", eu: "sk-2" } },
      unifiedBilling: false
    })
    await send(stored, openAi())
    await send(stored, { ...openAi(), headers: { "cf-aig-byok-alias": "eu" } })
    assert.deepStrictEqual(
      stored.upstreamRequests().map(({ headers }) => headers.authorization),
      ["Bearer sk-1", "Bearer sk-2"]
    )
    const alias = await send(stored, { ...openAi(), headers: { "cf-aig-byok-alias": "us" } })
    assert.deepStrictEqual([alias.status, code(alias)], [400, 2040])
    assert.include(alias.json.message, "default, eu")
    assert.strictEqual((await send(stored, anthropic())).status, 401)
    const billed = LocalGateway.make({ unifiedBilling: ["openai"] })
    assert.strictEqual((await send(billed, openAi())).status, 200)
    assert.strictEqual((await send(billed, anthropic())).status, 401)
    const refused = await send(billed, { ...openAi(), headers: { "cf-aig-no-wholesale": "true" } })
    assert.deepStrictEqual([refused.status, refused.json.name], [400, "AiGatewayError"])
  })

  it("the provider never sees the gateway's headers", async () => {
    const gateway = LocalGateway.make()
    await send(gateway, { ...openAi(), headers: { "cf-aig-metadata": "{}", authorization: "Bearer sk" } })
    const names = Object.keys(gateway.upstreamRequests()[0]?.headers ?? {})
    assert.isFalse(names.some((name) => name.startsWith("cf-")))
    assert.include(names, "authorization")
  })
})

describe("LocalGateway: compat", () => {
  const compat = (model: string): Sent => ({ ...openAi({ model }), path: "/compat/chat/completions" })

  it("speaks OpenAI for every provider, and strips the prefix", async () => {
    const gateway = LocalGateway.make()
    for (const model of [
      "openai/gpt-5-mini",
      "anthropic/claude-haiku-4-5",
      "workers-ai/@cf/meta/llama",
      "perplexity/sonar"
    ])
      assert.strictEqual((await send(gateway, compat(model))).json.choices[0].message.role, "assistant")
    assert.deepStrictEqual(
      gateway.upstreamRequests().map(({ provider }) => provider),
      ["openai", "anthropic", "workers-ai", "perplexity-ai"]
    )
    assert.deepInclude(gateway.upstreamRequests()[2]?.body, { model: "@cf/meta/llama" })
  })

  it("a model without a prefix is 2019, an unknown prefix 2005, another path 2008", async () => {
    const gateway = LocalGateway.make()
    assert.strictEqual(code(await send(gateway, compat("gpt-5-mini"))), 2019)
    assert.strictEqual(code(await send(gateway, compat("opnai/gpt-5-mini"))), 2005)
    assert.strictEqual(code(await send(gateway, { path: "/compat/models", method: "GET" })), 2008)
  })

  it("a dynamic route moves on, and says which model answered", async () => {
    const gateway = LocalGateway.make({
      routes: { support: ["openai/gpt-5-mini", "groq/llama"] },
      upstreams: { openai: LocalGateway.always(LocalGateway.status(500)) }
    })
    const { status, headers } = await send(gateway, compat("dynamic/support"))
    assert.strictEqual(status, 200)
    assert.strictEqual(headers.get("cf-aig-provider"), "groq")
    assert.strictEqual(headers.get("cf-aig-model"), "llama")
  })
})

describe("LocalGateway: universal", () => {
  const query = { model: "gpt-4o-mini", messages }
  const entry = (provider: string, extra: object = {}) => ({
    provider,
    endpoint: provider === "anthropic" ? "v1/messages" : "chat/completions",
    headers: {},
    query,
    ...extra
  })
  const universal = (...body: ReadonlyArray<unknown>): Sent => ({ path: "", body })

  it("walks on from any error, and says which entry answered", async () => {
    const gateway = LocalGateway.make({
      upstreams: {
        openai: LocalGateway.script([LocalGateway.status(500)]),
        deepseek: LocalGateway.always(LocalGateway.status(404))
      }
    })
    const walked = await send(
      gateway,
      universal(entry("openai"), entry("deepseek"), entry("groq"), entry("openai"))
    )
    assert.deepStrictEqual([walked.status, walked.headers.get("cf-aig-step")], [200, "2"])
    assert.strictEqual(gateway.upstreamRequests().length, 3)
    const first = await send(gateway, universal(entry("openai"), entry("groq")))
    assert.strictEqual(first.headers.get("cf-aig-step"), "0")
    assert.deepStrictEqual(
      gateway.logs().map(({ provider, step, statusCode }) => [provider, step, statusCode]),
      [
        ["openai", 0, 500],
        ["deepseek", 1, 404],
        ["groq", 2, 200],
        ["openai", 0, 200]
      ]
    )
  })

  it("all failed: the last entry's own status and body, or as chosen; no step", async () => {
    const upstreams = {
      openai: LocalGateway.always(LocalGateway.status(500)),
      anthropic: LocalGateway.always(LocalGateway.status(529))
    }
    const body = universal(
      entry("openai"),
      entry("anthropic", { headers: { "anthropic-version": "2023-06-01" }, query: anthropic().body })
    )
    const last = await send(LocalGateway.make({ upstreams }), body)
    assert.deepStrictEqual([last.status, last.json.error.type], [529, "overloaded_error"])
    assert.isNull(last.headers.get("cf-aig-step"))
    const first = await send(LocalGateway.make({ upstreams, whenAllFail: "first" }), body)
    assert.strictEqual(first.status, 500)
    const own = await send(LocalGateway.make({ upstreams, whenAllFail: "gateway" }), body)
    assert.deepStrictEqual([own.status, code(own)], [400, 2005])
  })

  it("an entry's headers beat the request's; credentials stay with their entry", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.always(LocalGateway.status(500)) }
    })
    await send(gateway, {
      ...universal(
        entry("openai", { headers: { Authorization: "Bearer sk-openai" } }),
        entry("groq", { headers: { "cf-aig-metadata": '{"who":"entry"}' } })
      ),
      headers: { "cf-aig-metadata": '{"who":"request"}', authorization: "Bearer outer" }
    })
    assert.deepStrictEqual(
      gateway.logs().map(({ metadata }) => metadata),
      [{ who: "request" }, { who: "entry" }]
    )
    assert.deepStrictEqual(
      gateway.upstreamRequests().map(({ headers }) => headers.authorization),
      ["Bearer sk-openai", undefined]
    )
  })

  it("an entry's config retries that entry only", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.always(LocalGateway.status(400)) }
    })
    await send(gateway, universal(entry("openai", { config: { maxAttempts: 3 } }), entry("groq")))
    assert.deepStrictEqual(
      gateway.upstreamRequests().map(({ provider }) => provider),
      ["openai", "openai", "openai", "groq"]
    )
  })

  it("moves on from a provider that drops before the first part, not after it", async () => {
    const stream = { query: { ...query, stream: true } }
    const drop = (events: number) =>
      LocalGateway.make({
        upstreams: { openai: LocalGateway.always(LocalGateway.dropAfter(LocalGateway.text("a b"), events)) }
      })
    const early = await send(drop(0), universal(entry("openai", stream), entry("groq", stream)))
    assert.strictEqual(early.headers.get("cf-aig-step"), "1")
    const late = await drop(1).handle(request(universal(entry("openai", stream), entry("groq", stream))))
    assert.strictEqual(late.headers.get("cf-aig-step"), "0")
    assert.strictEqual(await late.text().catch((error: Error) => error.message), "terminated")
  })

  it("a prompt that guardrails block ends the walk", async () => {
    const gateway = answering("openai", LocalGateway.guardrail("prompt"))
    const { status, json } = await send(gateway, universal(entry("openai"), entry("groq")))
    assert.deepStrictEqual([status, json.internalCode], [424, 2016])
    assert.strictEqual(gateway.upstreamRequests().length, 1)
  })
})

describe("LocalGateway: options of a request", () => {
  const keyed = (headers: Record<string, string> = {}): Sent => ({
    ...openAi(),
    headers: { "cf-aig-cache-key": "k", ...headers }
  })
  const cacheOf = async (gateway: LocalGateway.LocalGateway, sent: Sent) =>
    (await send(gateway, sent)).headers.get("cf-aig-cache-status")

  it("caching is opted into by the key alone", async () => {
    const gateway = LocalGateway.make()
    const ttlOnly = { ...openAi(), headers: { "cf-aig-cache-ttl": "3600" } }
    assert.deepStrictEqual(
      [await cacheOf(gateway, ttlOnly), await cacheOf(gateway, ttlOnly)],
      ["MISS", "MISS"]
    )
    assert.deepStrictEqual(
      [await cacheOf(gateway, keyed()), await cacheOf(gateway, keyed())],
      ["MISS", "HIT"]
    )
    assert.strictEqual(await cacheOf(gateway, keyed({ "cf-aig-skip-cache": "true" })), "MISS")
    assert.strictEqual(await cacheOf(gateway, keyed({ authorization: "Bearer somebody-else" })), "MISS")
    assert.strictEqual(await cacheOf(gateway, { ...keyed(), body: { model: "gpt-4o", messages } }), "MISS")
    assert.deepStrictEqual(
      gateway
        .logs()
        .map(({ cached }) => cached)
        .filter(Boolean).length,
      1
    )
  })

  it("failures are not cached; a stream comes again in one burst", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.script([LocalGateway.status(500)]) }
    })
    assert.strictEqual(await cacheOf(gateway, keyed()), "MISS")
    const stream = { ...keyed(), body: { model: "gpt-4o-mini", messages, stream: true } }
    const first = await send(gateway, stream)
    const again = await gateway.handle(request(stream))
    assert.strictEqual(again.headers.get("cf-aig-cache-status"), "HIT")
    assert.include(again.headers.get("content-type") ?? "", "text/event-stream")
    const reader = again.body?.getReader()
    assert.strictEqual(new TextDecoder().decode((await reader?.read())?.value), first.text)
    assert.isTrue((await reader?.read())?.done)
  })

  it.effect("an entry lives 5 minutes, or as long as asked within a minute and a month", () =>
    Effect.gen(function* () {
      const status = (headers: Record<string, string>) =>
        HttpClient.execute(
          HttpClientRequest.post(`${origin}/openai/chat/completions`).pipe(
            HttpClientRequest.setHeaders({
              ...token,
              "cf-aig-cache-key": JSON.stringify(headers),
              ...headers
            }),
            HttpClientRequest.bodyUnsafeJson({ model: "gpt-4o-mini", messages })
          )
        ).pipe(Effect.map((response) => response.headers["cf-aig-cache-status"]))
      for (const [headers, seconds] of [
        [{}, 300],
        [{ "cf-aig-cache-ttl": "120" }, 120],
        [{ "cf-aig-cache-ttl": "5" }, 60]
      ] as const) {
        assert.strictEqual(yield* status(headers), "MISS")
        yield* TestClock.adjust(`${seconds - 1} seconds`)
        assert.strictEqual(yield* status(headers), "HIT")
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* status(headers), "MISS")
      }
    }).pipe(Effect.provide(LocalGateway.layer()))
  )

  it.effect("over the rate limit is 429 with code 2003, hits do not count, and it passes", () =>
    Effect.gen(function* () {
      const post = (headers: Record<string, string> = {}) =>
        HttpClient.execute(
          HttpClientRequest.post(`${origin}/openai/chat/completions`).pipe(
            HttpClientRequest.setHeaders({ ...token, ...headers }),
            HttpClientRequest.bodyUnsafeJson({ model: "gpt-4o-mini", messages })
          )
        )
      const key = { "cf-aig-cache-key": "k" }
      assert.strictEqual((yield* post(key)).status, 200)
      assert.strictEqual((yield* post(key)).status, 200)
      assert.strictEqual((yield* post()).status, 200)
      const limited = yield* post()
      assert.strictEqual(limited.status, 429)
      assert.deepInclude(yield* limited.json, { internalCode: 2003, name: "AiGatewayError" })
      assert.isUndefined(limited.headers["retry-after"])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* post()).status, 200)
    }).pipe(Effect.provide(LocalGateway.layer({ rateLimit: { limit: 2, interval: "10 seconds" } })))
  )

  it("logs what was asked to be logged, with at most five flat metadata entries", async () => {
    const gateway = LocalGateway.make()
    const metadata = { "cf.user_id": "x", nested: { a: 1 }, a: 1, b: "two", c: true, d: 4, e: 5, f: 6 }
    const { headers } = await send(gateway, {
      ...openAi(),
      headers: { "cf-aig-metadata": JSON.stringify(metadata), "cf-aig-event-id": "event-1" }
    })
    assert.match(headers.get("cf-aig-log-id") ?? "", /^[0-9A-HJKMNP-TV-Z]{26}$/)
    assert.strictEqual(headers.get("cf-aig-event-id"), "event-1")
    const [entry] = gateway.logs()
    assert.strictEqual(entry?.id, headers.get("cf-aig-log-id"))
    assert.deepStrictEqual(entry?.metadata, { a: 1, b: "two", c: true, d: 4, e: 5 })
    assert.deepInclude(entry, {
      provider: "openai",
      model: "gpt-4o-mini",
      tokensIn: 4,
      tokensOut: 4,
      success: true
    })
    const silent = await send(gateway, { ...openAi(), headers: { "cf-aig-collect-log": "false" } })
    assert.isNull(silent.headers.get("cf-aig-log-id"))
    assert.match(silent.headers.get("cf-aig-event-id") ?? "", /^[0-9a-f-]{36}$/)
    await send(gateway, { ...openAi(), headers: { "cf-aig-collect-log-payload": "false" } })
    assert.deepStrictEqual(
      gateway.logs().map(({ request }) => request !== undefined),
      [true, false]
    )
  })

  it.effect("retries on its own side, with the delay and the back-off asked for", () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.script([LocalGateway.status(500), LocalGateway.status(429)]) }
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        post({ "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1000", "cf-aig-backoff": "exponential" })
      )
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(gateway.upstreamRequests().length, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(gateway.upstreamRequests().length, 2)
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(gateway.upstreamRequests().length, 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.strictEqual(gateway.requests().length, 1)
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect("the timeout is to the first part of the answer, and not on the last of several attempts", () => {
    const slow = LocalGateway.delayed(LocalGateway.text("late"), "10 seconds")
    const gateway = LocalGateway.make({ upstreams: { openai: LocalGateway.always(slow) } })
    return Effect.gen(function* () {
      const once = yield* Effect.fork(post({ "cf-aig-request-timeout": "3000" }))
      yield* TestClock.adjust("3 seconds")
      const timedOut = yield* Fiber.join(once)
      assert.strictEqual(timedOut.status, 400)
      assert.deepInclude(yield* timedOut.json, { internalCode: 2005 })
      const twice = yield* Effect.fork(post({ "cf-aig-request-timeout": "3000", "cf-aig-max-attempts": "2" }))
      yield* TestClock.adjust("12 seconds")
      assert.isTrue((yield* Fiber.poll(twice))._tag === "None")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* Fiber.join(twice)).status, 200)
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })
})

const post = (headers: Record<string, string> = {}, extra: object = {}) =>
  HttpClient.execute(
    HttpClientRequest.post(`${origin}/openai/chat/completions`).pipe(
      HttpClientRequest.setHeaders({ ...token, ...headers }),
      HttpClientRequest.bodyUnsafeJson({ model: "gpt-4o-mini", messages, ...extra })
    )
  )

describe("LocalGateway: what goes wrong on the way", () => {
  const streamed = (...replies: ReadonlyArray<LocalGateway.Reply>) =>
    [answering("openai", ...replies), openAi({ stream: true })] as const

  it("drops after n events: what came before is there, then the body breaks", async () => {
    const [gateway, sent] = streamed(LocalGateway.dropAfter(LocalGateway.text("one two three"), 2))
    const response = await gateway.handle(request(sent))
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    assert.include(decoder.decode((await reader?.read())?.value), '"role"')
    assert.include(decoder.decode((await reader?.read())?.value), "one")
    assert.strictEqual(await reader?.read().catch((error: Error) => error.name), "TypeError")
    assert.isFalse(gateway.requests()[0]?.aborted)
    assert.strictEqual(gateway.inFlight(), 0)
  })

  it("an answer that is not streamed breaks in its middle", async () => {
    const gateway = answering("openai", LocalGateway.dropAfter(LocalGateway.text("one"), 1))
    const response = await gateway.handle(request(openAi()))
    const reader = response.body?.getReader()
    assert.isAbove((await reader?.read())?.value?.length ?? 0, 10)
    assert.strictEqual(await reader?.read().catch(() => "broken"), "broken")
  })

  it("an error inside the stream has its provider's own form", async () => {
    const failing = LocalGateway.errorEvent(LocalGateway.text("one two"), 2)
    const last = async (provider: string, sent: Sent) =>
      events((await send(answering(provider, failing), sent)).text).at(-1)
    assert.isString((await last("openai", openAi({ stream: true })))?.json.error.message)
    assert.strictEqual(
      (await last("groq", { ...openAi({ stream: true }), path: "/groq/chat/completions" }))?.event,
      "error"
    )
    const claude = await last("anthropic", anthropic({ stream: true }))
    assert.deepStrictEqual([claude?.event, claude?.json.error.type], ["error", "overloaded_error"])
    const gemini = await last("google-ai-studio", google("streamGenerateContent?alt=sse"))
    assert.strictEqual(gemini?.json.error.status, "UNAVAILABLE")
    const tail = LocalGateway.errorEvent(LocalGateway.text("one"), 1, { form: "tail", status: 500 })
    const { text } = await send(answering("google-ai-studio", tail), google("streamGenerateContent?alt=sse"))
    assert.match(text, /\r\n\r\n\{\n {2}"error"/)
  })

  it("keep-alives come before the first event", async () => {
    const [gateway, sent] = streamed(LocalGateway.keepAlives(LocalGateway.text("one"), 3))
    assert.match((await send(gateway, sent)).text, /^(: keep-alive\n\n){3}data: /)
  })

  it("rechunked bytes are the same bytes, cut anywhere", async () => {
    const reply = LocalGateway.text("Grüße 👋")
    const [gateway, sent] = streamed(LocalGateway.rechunk(reply, 7))
    const response = await gateway.handle(request(sent))
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    let text = ""
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      assert.isAtMost(next.value.length, 7)
      text += decoder.decode(next.value, { stream: true })
    }
    assert.strictEqual(
      events(text)
        .map(({ json }) => json?.choices[0].delta.content ?? "")
        .join(""),
      "Grüße 👋"
    )
  })

  it("a stream request can be answered with one JSON body", async () => {
    const [gateway, sent] = streamed(LocalGateway.unstreamed(LocalGateway.text("one")))
    const { headers, json } = await send(gateway, sent)
    assert.strictEqual(headers.get("content-type"), "application/json")
    assert.strictEqual(json.object, "chat.completion")
  })

  it("guardrails, DLP and the edge answer as they do", async () => {
    const answer = (reply: LocalGateway.Reply) => send(answering("openai", reply), openAi())
    const response = await answer(LocalGateway.guardrail("response"))
    assert.deepStrictEqual([response.status, code(response)], [424, 2017])
    const dlp = await answer(LocalGateway.dlp("prompt"))
    assert.deepStrictEqual([dlp.status, code(dlp)], [400, 2029])
    assert.strictEqual(JSON.parse(dlp.headers.get("cf-aig-dlp") ?? "").action, "BLOCK")
    const flagged = await answer(LocalGateway.dlpFlagged(LocalGateway.text("hi"), "response"))
    assert.strictEqual(flagged.status, 200)
    assert.strictEqual(JSON.parse(flagged.headers.get("cf-aig-dlp") ?? "").findings[0].check, "RESPONSE")
    const edge = await answer(LocalGateway.edgeHtml(524))
    assert.strictEqual(edge.status, 524)
    assert.match(edge.text, /^<!DOCTYPE html>/)
    assert.isFalse(Array.from(edge.headers.keys()).some((name) => name.startsWith("cf-aig-")))
  })

  it("raw bytes are sent as they are", async () => {
    const reply = LocalGateway.raw({
      status: 418,
      headers: { "Content-Type": "text/plain", "X-Own": "1" },
      body: ["one", new Uint8Array([32, 0xf0, 0x9f]), new Uint8Array([0x91, 0x8b])]
    })
    const { status, text, headers } = await send(answering("openai", reply), openAi())
    assert.deepStrictEqual([status, text, headers.get("x-own")], [418, "one 👋", "1"])
  })

  it("a status keeps its own body and headers", async () => {
    const reply = LocalGateway.status(429, { body: { detail: "slow" }, headers: { "Retry-After": "2" } })
    const { json, headers } = await send(answering("openai", reply), openAi())
    assert.deepStrictEqual([json, headers.get("retry-after")], [{ detail: "slow" }, "2"])
  })

  it("a client that aborts while the provider hangs is seen as aborted", async () => {
    const gateway = answering("openai", LocalGateway.hang)
    const controller = new AbortController()
    const pending = send(gateway, { ...openAi(), signal: controller.signal }).catch(
      (error: Error) => error.name
    )
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.strictEqual(gateway.inFlight(), 1)
    controller.abort()
    assert.strictEqual(await pending, "AbortError")
    assert.isTrue(gateway.requests()[0]?.aborted)
    assert.strictEqual(gateway.inFlight(), 0)
  })
})

describe("LocalGateway: as an HttpClient", () => {
  it.effect("the test clock drives the pauses of a stream", () => {
    const gateway = answering("openai", LocalGateway.text("one two three", { delay: "1 second" }))
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const response = yield* post({}, { stream: true })
      const fiber = yield* response.stream.pipe(
        Stream.decodeText(),
        Stream.runForEach((text) => Effect.sync(() => seen.push(text))),
        Effect.fork
      )
      yield* TestClock.adjust("0 millis")
      assert.strictEqual(seen.length, 2)
      yield* TestClock.adjust("1 second")
      assert.include(seen.at(-1), "two")
      assert.strictEqual(seen.length, 3)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.include(seen.join(""), "[DONE]")
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect("the test clock drives a delay before the answer", () => {
    const gateway = answering("openai", LocalGateway.delayed(LocalGateway.text("late"), "1 hour"))
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(post())
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* Fiber.poll(fiber))._tag, "None")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect("an interrupted request is aborted", () => {
    const gateway = answering("openai", LocalGateway.hang)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(post())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(gateway.inFlight(), 1)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(gateway.requests()[0]?.aborted)
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect("leaving a stream early, or while it is silent, is aborted; reading it to its end is not", () => {
    const stalled = LocalGateway.stallAfter(LocalGateway.text("one two"), 2)
    const gateway = answering("openai", LocalGateway.echo, stalled, LocalGateway.echo)
    return Effect.gen(function* () {
      yield* Effect.flatMap(post({}, { stream: true }), ({ stream }) =>
        Stream.runDrain(Stream.take(stream, 1))
      )
      const fiber = yield* Effect.flatMap(post({}, { stream: true }), ({ stream }) =>
        Stream.runDrain(stream)
      ).pipe(Effect.fork)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(gateway.inFlight(), 1)
      yield* Fiber.interrupt(fiber)
      yield* Effect.flatMap(post({}, { stream: true }), ({ stream }) => Stream.runDrain(stream))
      assert.deepStrictEqual(
        gateway.requests().map(({ aborted }) => aborted),
        [true, true, false]
      )
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect("a connection that breaks before the answer is a transport error", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(post())
      assert.isTrue(Exit.isFailure(exit))
      const error = yield* Effect.flip(post())
      assert.deepInclude(error, { _tag: "RequestError", reason: "Transport" })
    }).pipe(
      Effect.provide(
        LocalGateway.layer({ upstreams: { openai: LocalGateway.always(LocalGateway.disconnect) } })
      )
    )
  )

  it.effect("every layer is a gateway of its own", () => {
    const layer = LocalGateway.layer({ rateLimit: { limit: 1, interval: "1 hour" } })
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.provide(post(), layer)).status, 200)
      assert.strictEqual((yield* Effect.provide(post(), layer)).status, 200)
    })
  })
})

describe("LocalGateway: behind it", () => {
  it("a handler sees the request and picks the reply", async () => {
    const gateway = LocalGateway.make({
      upstreams: {
        openai: LocalGateway.handler(({ body, index }) =>
          LocalGateway.text(`${index}: ${JSON.stringify(body).length}`)
        )
      }
    })
    await send(gateway, openAi())
    assert.match((await send(gateway, openAi())).json.choices[0].message.content, /^1: \d+$/)
  })

  it("forwards to another base URL, streams included", async () => {
    const behind = LocalGateway.make({ token: null })
    const urls: Array<string> = []
    const gateway = LocalGateway.make({
      upstreams: {
        openai: LocalGateway.forward(`${origin}/openai/`, {
          fetch: (input, init) => {
            const request = new Request(input, init)
            urls.push(request.url)
            return behind.handle(request)
          }
        })
      }
    })
    const { text, headers } = await send(gateway, openAi({ stream: true }))
    assert.strictEqual(events(text).at(-1)?.data, "[DONE]")
    assert.include(headers.get("content-type") ?? "", "text/event-stream")
    assert.deepStrictEqual(urls, [`${origin}/openai/chat/completions`])
    assert.isUndefined(behind.requests()[0]?.headers["cf-aig-authorization"])
    const controller = new AbortController()
    const response = await gateway.handle(request(openAi({ stream: true })), { signal: controller.signal })
    await response.body?.getReader().read()
    controller.abort()
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(behind.requests()[1]?.aborted)
  })

  it("a base URL that cannot be reached is 2005", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.forward("http://127.0.0.1:1/v1") }
    })
    assert.strictEqual(code(await send(gateway, openAi())), 2005)
  })

  it("a custom provider exists once it has an upstream", async () => {
    const path = "/custom-mine/v1/chat/completions"
    assert.strictEqual(code(await send(LocalGateway.make(), { ...openAi(), path })), 2008)
    assert.strictEqual((await send(answering("custom-mine"), { ...openAi(), path })).status, 200)
  })

  it("a gateway that runs for long remembers the latest only", async () => {
    const gateway = LocalGateway.make({ remember: 3 })
    for (let i = 0; i < 20; i++) await send(gateway, openAi({ seed: i }))
    const seeds = gateway.requests().map(({ body }) => (body as { seed: number }).seed)
    assert.deepStrictEqual(seeds, [17, 18, 19])
    assert.strictEqual(gateway.logs().length, 3)
    assert.strictEqual(gateway.upstreamRequests().at(-1)?.index, 19)
  })

  it("reset forgets everything", async () => {
    const gateway = answering("openai", LocalGateway.status(500))
    await send(gateway, openAi())
    gateway.reset()
    assert.deepStrictEqual([gateway.requests(), gateway.logs(), gateway.upstreamRequests()], [[], [], []])
    assert.strictEqual((await send(gateway, openAi())).status, 500)
  })
})
