/** From another client's request to its place behind the gateway: pure, total, and nothing of it changes but its place. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import {
  type Foreign,
  isStranger,
  type Rerouted,
  type RerouteOptions,
  reroute
} from "../src/internal/reroute.js"

const post = (url: string, headers: Record<string, string> = {}): Foreign => ({
  method: "POST",
  url,
  headers,
  body: "{}"
})

const routed = (foreign: Foreign, options: RerouteOptions = {}) => {
  const outcome = reroute(foreign, options)
  assert.strictEqual(outcome._tag, "Routed")
  return (outcome as Extract<Rerouted, { readonly _tag: "Routed" }>).request
}

const refused = (foreign: Foreign, options: RerouteOptions = {}) => {
  const outcome = reroute(foreign, options)
  assert.notStrictEqual(outcome._tag, "Routed")
  return outcome as Exclude<Rerouted, { readonly _tag: "Routed" }>
}

const openAi = "https://api.openai.com/v1/responses"
const gemini = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"

describe("a stranger", () => {
  const hosts = [
    "api.openai.com",
    "gateway.ai.cloudflare.com",
    "example.com",
    "llm.example.com",
    "EXAMPLE.com:8080"
  ]
  const paths = ["/", "/v1/responses", "/v1/compat/chat/completions", "/v2/x", "", "/a\\b", "/../x", "?x=1"]
  const urls = hosts.flatMap((host) =>
    paths.flatMap((path) => [`https://${host}${path}`, `http://user:pass@${host}${path}`])
  )
  const options = { hosts: { "llm.example.com": "custom-ours" } }

  it.each([...urls, "", "/responses", "ftp://example.com/x", "https://", "not a URL"])(
    "%s is told without rerouting as it is with",
    (url) => {
      assert.strictEqual(isStranger(url, options), reroute(post(url), options)._tag === "Stranger")
      assert.strictEqual(isStranger(url, {}), reroute(post(url), {})._tag === "Stranger")
    }
  )

  it("is a host that no provider has, and the gateway itself but for compat", () => {
    const strangers = ["https://example.com/x", "https://gateway.ai.cloudflare.com/v1/a/g/openai/x"]
    const known = [
      openAi,
      "https://api.openai.com/v2/x",
      "https://gateway.ai.cloudflare.com/v1/compat/chat/completions"
    ]
    for (const url of strangers) assert.isTrue(isStranger(url, {}), url)
    for (const url of known) assert.isFalse(isStranger(url, {}), url)
  })
})

describe("where a request goes", () => {
  it.each([
    [openAi, "openai", "v1/responses"],
    ["https://api.anthropic.com/v1/messages?beta=true", "anthropic", "v1/messages?beta=true"],
    [gemini, "google-ai-studio", "v1beta/models/gemini-2.5-flash:generateContent"],
    [
      "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1:0/converse-stream",
      "aws-bedrock",
      "bedrock-runtime/eu-west-1/model/a.b-v1:0/converse-stream"
    ],
    ["https://openrouter.ai/api/v1/chat/completions", "openrouter", "v1/chat/completions"]
  ])("%s", (url, provider, endpoint) => {
    const request = routed(post(url))
    assert.strictEqual(request.provider, provider)
    assert.strictEqual(request.endpoint, endpoint)
    assert.strictEqual(request.method, "POST")
    assert.strictEqual(request.body, "{}")
  })

  it("a host of the application's own is its custom provider's", () => {
    const hosts = { "llm.example.com": "custom-ours" }
    assert.deepInclude(routed(post("https://llm.example.com/v1/chat?x=1"), { hosts }), {
      provider: "custom-ours",
      endpoint: "v1/chat?x=1"
    })
  })

  it("a host of the application's own may be one that the gateway knows", () => {
    const hosts = { "api.openai.com": "custom-ours" }
    assert.deepInclude(routed(post(openAi), { hosts }), { provider: "custom-ours", endpoint: "v1/responses" })
  })

  it("what is inherited names no host", () => {
    assert.strictEqual(refused(post("https://constructor/v1"), { hosts: {} })._tag, "Stranger")
  })

  it("a host that nobody knows is a stranger's", () => {
    assert.strictEqual(refused(post("https://weather.example.com/today"))._tag, "Stranger")
  })

  it.each([
    ["a path that no endpoint has", "https://openrouter.ai/other"],
    ["dot segments", "https://api.openai.com/v1/../../anthropic/v1/messages"],
    ["encoded dot segments", "https://api.openai.com/v1/%2e%2e/%2E%2E/anthropic"],
    ["no encryption", "http://api.openai.com/v1/responses"],
    ["a password", "https://me:secret@api.openai.com/v1/responses"]
  ])("a provider's URL with %s is refused, and is no stranger's", (_, url) => {
    assert.strictEqual(refused(post(url))._tag, "Refused")
  })

  it("the gateway's own URL is a stranger's, and the error says what to do", () => {
    const outcome = refused(post("https://gateway.ai.cloudflare.com/v1/account/gateway/openai/responses"))
    assert.strictEqual(outcome._tag, "Stranger")
    assert.include(outcome.error.message, "apiUrl")
  })

  it.each(["HEAD", "OPTIONS", "TRACE", "post"])("%s is not sent", (method) => {
    const outcome = refused({ ...post(openAi), method })
    assert.deepInclude(outcome.error, { _tag: "InvalidRequest", field: "method", provider: "openai" })
  })
})

describe("what becomes of credentials", () => {
  const all = {
    authorization: "Bearer sk-1",
    "x-api-key": "2",
    "x-goog-api-key": "3",
    "x-amz-security-token": "4",
    "x-amz-date": "20261124T120000Z",
    "cf-aig-authorization": "Bearer gateway",
    "openai-organization": "org"
  }

  it("they are sent", () => {
    assert.deepStrictEqual(routed(post(openAi, all)).headers, all)
  })

  it("omit takes out the provider's, and not the gateway's", () => {
    assert.deepStrictEqual(routed(post(openAi, all), { credentials: "omit" }).headers, {
      "cf-aig-authorization": "Bearer gateway",
      "openai-organization": "org"
    })
  })

  it.each([
    ["alone", "?key=AIza%201", ""],
    ["between others", "?alt=sse&key=AIza%201&b=%20", "?alt=sse&b=%20"],
    ["twice", "?key=AIza%201&key=other", ""]
  ])("Google's key in the query becomes a header: %s", (_, query, left) => {
    const request = routed(post(gemini + query))
    assert.strictEqual(request.endpoint, `v1beta/models/gemini-2.5-flash:generateContent${left}`)
    assert.deepStrictEqual(request.headers, { "x-goog-api-key": "AIza 1" })
  })

  it("a key in a header wins over one in the query", () => {
    assert.deepStrictEqual(routed(post(`${gemini}?key=b`, { "x-goog-api-key": "a" })).headers, {
      "x-goog-api-key": "a"
    })
  })

  it("omit takes Google's key out of the query as well", () => {
    const request = routed(post(`${gemini}?key=b&alt=sse`), { credentials: "omit" })
    assert.notInclude(JSON.stringify(request), '"b"')
    assert.include(request.endpoint, "?alt=sse")
    assert.deepStrictEqual(request.headers, {})
  })

  it("a parameter of another provider that is called key stays", () => {
    assert.strictEqual(routed(post(`${openAi}?key=b`)).endpoint, "v1/responses?key=b")
  })
})

describe("what becomes of headers", () => {
  it("those of the connection and of tracing are left out, in any case of letters", () => {
    const headers = {
      Host: "api.openai.com",
      "Content-Length": "2",
      Connection: "close",
      "Transfer-Encoding": "chunked",
      B3: "1",
      traceparent: "2",
      tracestate: "3",
      "Accept-Encoding": "br",
      "X-Own": "4"
    }
    assert.deepStrictEqual(routed(post(openAi, headers)).headers, { "x-own": "4" })
  })

  it("one that is signed stays", () => {
    const headers = {
      authorization: "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=accept-encoding;host, Signature=c",
      "accept-encoding": "identity"
    }
    const url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
    assert.deepStrictEqual(routed(post(url, headers)).headers, headers)
  })
})

describe("for any request", () => {
  const words = fc.oneof(
    fc.string(),
    fc.constantFrom("..", ".", "%2e%2e", "/", "\\", "?", "#", "@", ":", "key=a", "&", "openai", "anthropic")
  )
  const path = fc.array(words, { maxLength: 8 }).map((parts) => parts.join(""))
  const bases = {
    openai: "https://api.openai.com/v1/",
    anthropic: "https://api.anthropic.com/",
    "google-ai-studio": "https://generativelanguage.googleapis.com/",
    "aws-bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com/",
    openrouter: "https://openrouter.ai/api/",
    "custom-ours": "https://llm.example.com/"
  }
  const options: RerouteOptions = { hosts: { "llm.example.com": "custom-ours" } }
  const headers = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/), fc.string())

  it.prop(
    "there is an outcome",
    [
      fc.string(),
      fc.oneof(
        fc.string(),
        path.map((p) => `https://${p}`),
        fc.webUrl()
      ),
      headers
    ],
    ([method, url, headers]) => {
      const outcome = reroute({ method, url, headers, body: undefined }, options)
      assert.include(["Routed", "Stranger", "Refused"], outcome._tag)
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop(
    "a provider's request comes to no other provider's path",
    [fc.constantFrom(...Object.entries(bases)), path],
    ([[provider, base], path]) => {
      const outcome = reroute(post(base + path), options)
      if (outcome._tag !== "Routed") return
      assert.strictEqual(outcome.request.provider, provider)
      const url = new URL(`https://gateway.test/v1/a/g/${provider}/${outcome.request.endpoint}`)
      assert.isTrue(url.pathname.startsWith(`/v1/a/g/${provider}/`), url.href)
      assert.strictEqual(url.host, "gateway.test")
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop("headers of its own stay", [headers], ([own]) => {
    const left = new Set([
      "host",
      "connection",
      "content-length",
      "transfer-encoding",
      "accept-encoding",
      "b3",
      "traceparent",
      "tracestate"
    ])
    const expected: Record<string, string> = {}
    for (const [name, value] of Object.entries(own))
      if (!left.has(name.toLowerCase())) expected[name.toLowerCase()] = value
    assert.deepStrictEqual(routed(post(openAi, own)).headers, expected)
  })
})
