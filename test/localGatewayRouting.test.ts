import { assert, describe, it } from "@effect/vitest"
import * as LocalGateway from "../src/LocalGateway.js"
import { answering, events, plain, type Sent, send, weather } from "./localGatewayClient.js"

// The OpenAI-shaped endpoint with all its providers, the auto router, and credentials that are more than a key.

const question = { role: "user", content: "Hello" }
const compat = (model: string, extra: object = {}, headers: Record<string, string> = {}): Sent => ({
  path: "/compat/chat/completions",
  headers,
  body: { model, messages: [question], ...extra }
})

describe("LocalGateway: compat", () => {
  it.each([
    ["openai/gpt-5-mini", "openai"],
    ["anthropic/claude-haiku-4-5", "anthropic"],
    ["google-ai-studio/gemini-2.5-flash", "google-ai-studio"],
    ["google-vertex-ai/google/gemini-2.5-pro", "google-vertex-ai"],
    ["workers-ai/@cf/meta/llama", "workers-ai"],
    ["groq/llama", "groq"],
    ["grok/grok-4", "grok"],
    ["mistral/mistral-small", "mistral"],
    ["cohere/command-a", "cohere"],
    ["perplexity/sonar", "perplexity-ai"],
    ["deepseek/deepseek-chat", "deepseek"],
    ["cerebras/gpt-oss", "cerebras"],
    ["baseten/kimi", "baseten"],
    ["parallel/speed", "parallel"],
    ["aws-bedrock/us.anthropic.claude-haiku-4-5", "aws-bedrock"]
  ])("%s is answered by %s", async (model, slug) => {
    const gateway = plain()
    const answer = await send(gateway, compat(model))
    assert.strictEqual(answer.json.choices[0].message.content, "You said: Hello")
    const [asked] = gateway.upstreamRequests()
    assert.strictEqual(asked?.provider, slug)
    assert.deepInclude(asked?.body, { model: model.slice(model.indexOf("/") + 1) })
  })

  it.each([
    "azure-openai/gpt-5",
    "openrouter/a/b",
    "replicate/a/b",
    "alibaba/qwen3",
    "google-vertex-ai/gemini-2.5-pro",
    "aws-bedrock/meta.llama3"
  ])("%s is not documented there, and 2005", async (model) => {
    const answer = await send(plain(), compat(model))
    assert.deepStrictEqual([answer.status, answer.json.error[0].code], [400, 2005])
  })

  it("a custom provider is there once it has an upstream", async () => {
    const gateway = answering("custom-acme")
    assert.strictEqual((await send(gateway, compat("custom-acme/large"))).status, 200)
    assert.strictEqual((await send(plain(), compat("custom-acme/large"))).json.error[0].code, 2005)
  })

  it("Gemini's calls have no id there, Anthropic's begin at one", async () => {
    const tools = { tools: [{ type: "function", function: weather }] }
    const reply = LocalGateway.toolCall("weather", { city: "Oslo" })
    const google = await send(
      answering("google-ai-studio", reply),
      compat("google-ai-studio/gemini-2.5-flash", tools)
    )
    const { message } = google.json.choices[0]
    assert.notProperty(message, "content")
    assert.strictEqual(message.tool_calls[0].id, "")
    assert.isString(message.tool_calls[0].extra_content.google.thought_signature)
    const anthropic = await send(
      answering("anthropic", reply),
      compat("anthropic/claude-haiku-4-5", { ...tools, stream: true })
    )
    const indexes = events(anthropic.text)
      .slice(0, -1)
      .flatMap(({ json }) => json.choices[0].delta.tool_calls ?? [])
      .map(({ index }) => index)
    assert.deepStrictEqual(Array.from(new Set(indexes)), [1])
  })
})

describe("LocalGateway: the auto router", () => {
  const auto = (headers: Record<string, string> = {}) => compat("cloudflare/auto", {}, headers)
  const routed = (answer: { readonly headers: Headers }) => [
    answer.headers.get("cf-aig-routed-model"),
    answer.headers.get("cf-aig-routing-reason")
  ]

  it("chooses a model, and says which, why and by which decision", async () => {
    const answer = await send(plain(), auto())
    assert.strictEqual(answer.json.choices[0].message.content, "You said: Hello")
    assert.deepStrictEqual(routed(answer), ["openai/gpt-5-mini", "cost_optimal_within_pool"])
    assert.isNotNull(answer.headers.get("cf-aig-routing-decision-id"))
    assert.isNotNull(answer.headers.get("cf-aig-request-id"))
  })

  it("allowed models and providers narrow the pool; a star does not cross the slash", async () => {
    const only = { "cf-aig-allowed-models": "anthropic/*" }
    assert.deepStrictEqual(routed(await send(plain(), auto(only))), [
      "anthropic/claude-haiku-4.5",
      "forced_by_candidate_pool"
    ])
    const provider = { "cf-aig-allowed-providers": "google" }
    assert.strictEqual(routed(await send(plain(), auto(provider)))[0], "google/gemini-2.5-flash")
    assert.strictEqual((await send(plain(), auto({ "cf-aig-allowed-models": "*" }))).status, 400)
  })

  it("an entry that matches nothing is 400, though others match", async () => {
    const headers = { "cf-aig-allowed-models": "anthropic/*, openai/gpt-2" }
    const answer = await send(plain(), auto(headers))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.text, /openai\/gpt-2/)
    assert.strictEqual((await send(plain(), auto({ "cf-aig-allowed-providers": "groq" }))).status, 400)
  })

  it("a turn is pinned to its model", async () => {
    const gateway = LocalGateway.make({ autoRouterModels: ["xai/grok-4", "openai/gpt-5-mini"] })
    const turn = { "cf-aig-session-id": "s", "cf-aig-turn-id": "t" }
    assert.deepStrictEqual(routed(await send(gateway, auto(turn))), [
      "xai/grok-4",
      "cost_optimal_within_pool"
    ])
    assert.deepStrictEqual(routed(await send(gateway, auto(turn))), ["xai/grok-4", "pinned_by_turn"])
  })

  it("a session stays with its model, unless it says otherwise", async () => {
    const gateway = plain()
    const session = { "cf-aig-session-id": "s" }
    await send(gateway, auto({ ...session, "cf-aig-allowed-models": "google/*" }))
    assert.strictEqual(routed(await send(gateway, auto(session)))[0], "google/gemini-2.5-flash")
    const free = { ...session, "cf-aig-no-session-affinity": "true" }
    assert.strictEqual(routed(await send(gateway, auto(free)))[0], "openai/gpt-5-mini")
  })

  it("moves on from a model that fails", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.always(LocalGateway.status(503)) }
    })
    assert.deepStrictEqual(routed(await send(gateway, auto())), [
      "anthropic/claude-haiku-4.5",
      "fallback_candidate_unavailable"
    ])
  })

  it("streams, and works as an entry of a universal request", async () => {
    const stream = await send(plain(), compat("cloudflare/auto", { stream: true }))
    assert.strictEqual(events(stream.text).at(-1)?.data, "[DONE]")
    const universal = await send(plain(), {
      path: "",
      body: [
        {
          provider: "compat",
          endpoint: "chat/completions",
          headers: { "cf-aig-allowed-models": "google/*" },
          query: auto().body
        }
      ]
    })
    assert.strictEqual(universal.headers.get("cf-aig-routed-model"), "google/gemini-2.5-flash")
    assert.strictEqual(universal.headers.get("cf-aig-step"), "0")
  })
})

describe("LocalGateway: credentials that are more than a key", () => {
  const date = "20261124T120000Z"
  const signed = (changes: Record<string, string> = {}) => {
    const parts = {
      credential: "AKID/20261124/us-east-1/bedrock/aws4_request",
      signedHeaders: "content-type;host;x-amz-date",
      signature: "a".repeat(64),
      ...changes
    }
    return {
      "x-amz-date": date,
      authorization: `AWS4-HMAC-SHA256 Credential=${parts.credential}, SignedHeaders=${parts.signedHeaders}, Signature=${parts.signature}`
    }
  }
  const bedrock = (headers: Record<string, string>): Sent => ({
    path: "/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse",
    headers,
    body: { messages: [{ role: "user", content: [{ text: "Hello" }] }] }
  })

  it("Bedrock takes a signature, an API key, or a stored key", async () => {
    assert.strictEqual((await send(plain(), bedrock(signed()))).status, 200)
    assert.strictEqual((await send(plain(), bedrock({ authorization: "Bearer key" }))).status, 200)
    const stored = LocalGateway.make({ storedKeys: { "aws-bedrock": "k" }, unifiedBilling: false })
    assert.strictEqual((await send(stored, bedrock({}))).status, 200)
  })

  it.each([
    ["no credential at all", {}, "MissingAuthenticationTokenException"],
    [
      "another region",
      signed({ credential: "AKID/20261124/eu-west-1/bedrock/aws4_request" }),
      "InvalidSignatureException"
    ],
    [
      "another service",
      signed({ credential: "AKID/20261124/us-east-1/s3/aws4_request" }),
      "InvalidSignatureException"
    ],
    [
      "another day",
      signed({ credential: "AKID/20261123/us-east-1/bedrock/aws4_request" }),
      "InvalidSignatureException"
    ],
    ["no date", { authorization: signed().authorization }, "InvalidSignatureException"],
    ["no signed host", signed({ signedHeaders: "x-amz-date" }), "InvalidSignatureException"],
    [
      "a signed header that did not arrive",
      signed({ signedHeaders: "host;x-amz-date;x-amz-security-token" }),
      "InvalidSignatureException"
    ],
    [
      "an AWS header that is not signed",
      { ...signed(), "x-amz-security-token": "t" },
      "InvalidSignatureException"
    ],
    ["no signature", signed({ signature: "x" }), "InvalidSignatureException"]
  ])("Bedrock: %s is refused", async (_, headers, type) => {
    const answer = await send(LocalGateway.make({ unifiedBilling: false }), bedrock(headers))
    assert.strictEqual(answer.status, 403)
    assert.match(answer.headers.get("x-amzn-errortype") ?? "", new RegExp(`^${type}:`))
  })

  const vertex = (authorization: string): Sent => ({
    path: "/google-vertex-ai/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent",
    headers: { authorization },
    body: { contents: [{ role: "user", parts: [{ text: "Hello" }] }] }
  })
  const serviceAccount = {
    type: "service_account",
    client_email: "a@b.c",
    private_key: "k",
    region: "us-central1"
  }
  const encoded = (value: object) => `Bearer ${Buffer.from(JSON.stringify(value)).toString("base64")}`

  it("Vertex takes an access token, or a service account in base64 with its region", async () => {
    assert.strictEqual((await send(plain(), vertex("Bearer ya29.token"))).status, 200)
    assert.strictEqual((await send(plain(), vertex(encoded(serviceAccount)))).status, 200)
    const { region: _, ...without } = serviceAccount
    const answer = await send(plain(), vertex(encoded(without)))
    assert.deepStrictEqual([answer.status, answer.json.error.status], [401, "UNAUTHENTICATED"])
    assert.match(answer.json.error.message, /no region/)
    const wrong = await send(LocalGateway.make({ keys: { "google-vertex-ai": "a" } }), vertex("Bearer b"))
    assert.strictEqual(wrong.status, 401)
  })
})

describe("LocalGateway: entries of a universal request", () => {
  const entry = (provider: string, extra: object = {}) => ({
    provider,
    endpoint: "chat/completions",
    headers: {},
    query: { model: "gpt-4.1-mini", messages: [question] },
    ...extra
  })

  it("an entry's config beats its headers, and those the request's", async () => {
    const failing = (headers: Record<string, string>, config?: object) => {
      const gateway = LocalGateway.make({
        upstreams: { openai: LocalGateway.always(LocalGateway.status(500)) }
      })
      return send(gateway, {
        path: "",
        headers: { "cf-aig-max-attempts": "2" },
        body: [entry("openai", { headers, ...(config === undefined ? {} : { config }) })]
      }).then(() => gateway.upstreamRequests().length)
    }
    assert.strictEqual(await failing({}), 2)
    assert.strictEqual(await failing({ "cf-aig-max-attempts": "3" }), 3)
    assert.strictEqual(await failing({ "cf-aig-max-attempts": "3" }, { maxAttempts: 4 }), 4)
    // Five is the most.
    assert.strictEqual(await failing({}, { maxAttempts: 99 }), 5)
  })

  it("entries of several vendors walk on, each in its own format", async () => {
    const gateway = LocalGateway.make({
      upstreams: {
        openai: LocalGateway.always(LocalGateway.status(500)),
        cohere: LocalGateway.always(LocalGateway.status(429))
      }
    })
    const answer = await send(gateway, {
      path: "",
      body: [
        entry("openai"),
        entry("cohere", { endpoint: "v2/chat", query: { model: "command-a", messages: [question] } }),
        entry("aws-bedrock", {
          endpoint: "bedrock-runtime/us-east-1/model/m/converse",
          query: { messages: [{ role: "user", content: [{ text: "Hello" }] }] }
        })
      ]
    })
    assert.strictEqual(answer.headers.get("cf-aig-step"), "2")
    assert.strictEqual(answer.json.output.message.content[0].text, "You said: Hello")
  })
})

describe("LocalGateway: habits of streams", () => {
  const streamOf = async (path: string, extra: object = {}) =>
    (await send(plain(), { path, body: { model: "m", messages: [question], stream: true, ...extra } })).text

  it("OpenRouter begins with a comment, Azure with a chunk that has no choice", async () => {
    assert.match(await streamOf("/openrouter/v1/chat/completions"), /^: OPENROUTER PROCESSING\n\ndata: /)
    const azure = events(await streamOf("/azure-openai/res/dep/chat/completions?api-version=1"))
    assert.deepStrictEqual(azure[0]?.json.choices, [])
    assert.isArray(azure[0]?.json.prompt_filter_results)
  })

  it("Cerebras, Perplexity and Hugging Face end without [DONE]", async () => {
    for (const path of [
      "/cerebras/chat/completions",
      "/perplexity-ai/chat/completions",
      "/huggingface/org/model/v1/chat/completions"
    ])
      assert.notMatch(await streamOf(path), /\[DONE\]/)
  })

  it("Azure's current URLs have the model in the body", async () => {
    const gateway = plain()
    const answer = await send(gateway, {
      path: "/azure-openai/res/openai/v1/responses",
      body: { model: "my-deployment", input: "Hello" }
    })
    assert.strictEqual(answer.json.model, "my-deployment")
  })
})
