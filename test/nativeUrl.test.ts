import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { AzureOpenAI } from "openai"
import * as Directory from "../src/internal/directory.js"
import { placeOf } from "../src/internal/endpoint.js"
import { parseModelSlug } from "../src/internal/modelSlug.js"
import * as Provider from "../src/Provider.js"

type Options = { readonly provider?: string }

const goesTo = (url: string | URL, provider: string, endpoint: string, options?: Options) =>
  assert.deepStrictEqual(
    Either.getOrElse(Provider.fromNativeUrl(url, options), (error) => error.message),
    { provider, endpoint }
  )

const refused = (url: string, field = "url", options?: Options) => {
  const result = Provider.fromNativeUrl(url, options)
  if (Either.isRight(result)) return assert.fail(`${url} became ${JSON.stringify(result.right)}`)
  assert.strictEqual(result.left._tag, "InvalidRequest")
  assert.strictEqual(result.left.field, field, result.left.message)
  return result.left
}

const nativeIs = (provider: string, endpoint: string, url: string, accountId?: string) =>
  assert.strictEqual(
    Either.getOrElse(Provider.toNativeUrl(provider, endpoint, { accountId }), (error) => error.message),
    url
  )

const noNative = (provider: string, endpoint: string, field: string, accountId?: string) => {
  const result = Provider.toNativeUrl(provider, endpoint, { accountId })
  if (Either.isRight(result)) return assert.fail(`${provider} ${endpoint} became ${result.right}`)
  assert.strictEqual(result.left._tag, "InvalidRequest")
  assert.strictEqual(result.left.field, field, result.left.message)
  return result.left
}

const account = "0123456789abcdef"
const azure = "https://myresource.openai.azure.com/openai"
const accounts = "https://api.cloudflare.com/client/v4/accounts"
const vertexPath = (location: string) =>
  `v1/projects/p/locations/${location}/publishers/google/models/gemini-2.5-pro:generateContent`

/** Both ways, and exactly. */
const rows: ReadonlyArray<readonly [url: string, provider: Provider.Slug, endpoint: string]> = [
  ["https://api.openai.com/v1/chat/completions", "openai", "v1/chat/completions"],
  ["https://api.anthropic.com/v1/messages", "anthropic", "v1/messages"],
  ["https://generativelanguage.googleapis.com/v1beta/models", "google-ai-studio", "v1beta/models"],
  [
    "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse",
    "google-ai-studio",
    "v1beta/models/g:streamGenerateContent?alt=sse"
  ],
  [
    `https://us-central1-aiplatform.googleapis.com/${vertexPath("us-central1")}`,
    "google-vertex-ai",
    vertexPath("us-central1")
  ],
  [`https://aiplatform.googleapis.com/${vertexPath("global")}`, "google-vertex-ai", vertexPath("global")],
  [
    "https://aiplatform.googleapis.com/v1/publishers/google/models/g:generateContent",
    "google-vertex-ai",
    "v1/publishers/google/models/g:generateContent"
  ],
  [
    `${azure}/deployments/mydeployment/chat/completions?api-version=V`,
    "azure-openai",
    "myresource/mydeployment/chat/completions?api-version=V"
  ],
  [
    `${azure}/v1/responses?api-version=preview`,
    "azure-openai",
    "myresource/openai/responses?api-version=preview"
  ],
  [`${azure}/v1/responses/r_1/cancel`, "azure-openai", "myresource/openai/responses/r_1/cancel"],
  [
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/foo/invoke",
    "aws-bedrock",
    "bedrock-runtime/us-east-1/model/foo/invoke"
  ],
  [
    "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages",
    "aws-bedrock",
    "bedrock-mantle/us-east-1/anthropic/v1/messages"
  ],
  [`${accounts}/${account}/ai/run/@cf/meta/llama-3`, "workers-ai", "run/@cf/meta/llama-3"],
  [`${accounts}/${account}/ai/v1/chat/completions`, "workers-ai", "v1/chat/completions"],
  ["https://api.groq.com/openai/v1/chat/completions", "groq", "chat/completions"],
  ["https://api.x.ai/v1/chat/completions", "grok", "v1/chat/completions"],
  ["https://api.mistral.ai/v1/chat/completions", "mistral", "v1/chat/completions"],
  ["https://api.deepseek.com/chat/completions", "deepseek", "chat/completions"],
  ["https://api.deepseek.com/v1/chat/completions", "deepseek", "v1/chat/completions"],
  ["https://api.perplexity.ai/chat/completions", "perplexity-ai", "chat/completions"],
  ["https://api.cerebras.ai/v1/chat/completions", "cerebras", "v1/chat/completions"],
  ["https://openrouter.ai/api/v1/chat/completions", "openrouter", "v1/chat/completions"],
  ["https://api.fireworks.ai/inference/v1/chat/completions", "fireworks", "chat/completions"],
  ["https://api.cohere.com/v2/chat", "cohere", "v2/chat"],
  ["https://api.cohere.com/compatibility/v1/chat/completions", "cohere", "compatibility/v1/chat/completions"],
  ["https://api.replicate.com/v1/predictions", "replicate", "v1/predictions"],
  ["https://api-inference.huggingface.co/models/org/model", "huggingface", "org/model"],
  ["https://inference.baseten.co/v1/chat/completions", "baseten", "v1/chat/completions"],
  ["https://api.parallel.ai/v1/tasks/runs", "parallel", "v1/tasks/runs"],
  ["https://api.cartesia.ai/tts/bytes", "cartesia", "tts/bytes"],
  ["https://api.deepgram.com/v1/listen?model=nova-3", "deepgram", "v1/listen?model=nova-3"],
  [
    "https://api.elevenlabs.io/v1/text-to-speech/v?output_format=mp3_44100_128",
    "elevenlabs",
    "v1/text-to-speech/v?output_format=mp3_44100_128"
  ],
  ["https://fal.run/fal-ai/flux/dev", "fal", "fal-ai/flux/dev"],
  ["https://api.ideogram.ai/v1/ideogram-v3/generate", "ideogram", "v1/ideogram-v3/generate"]
]

describe("every provider's URL, both ways", () => {
  for (const [url, provider, endpoint] of rows) {
    it(`${url} is ${provider}, ${endpoint}`, () => {
      goesTo(url, provider, endpoint)
      goesTo(new URL(url), provider, endpoint)
      nativeIs(provider, endpoint, url, account)
    })
  }

  it("has a row here for every provider that has a native URL", () => {
    const tested = new Set<string>(rows.map(([, provider]) => provider))
    for (const [slug, { places }] of Directory.rows())
      assert.strictEqual(tested.has(slug), places.length > 0, slug)
  })
})

describe("URL to provider and endpoint", () => {
  it("13. OpenAI, in whatever region the key is", () => {
    goesTo("https://api.openai.com/v1/chat/completions", "openai", "v1/chat/completions")
    goesTo("https://eu.api.openai.com/v1/responses", "openai", "v1/responses")
  })

  it("14. Anthropic", () => goesTo("https://api.anthropic.com/v1/messages", "anthropic", "v1/messages"))

  it("15. Google AI Studio", () =>
    goesTo("https://generativelanguage.googleapis.com/v1beta/models", "google-ai-studio", "v1beta/models"))

  it("16. Groq loses two segments", () =>
    goesTo("https://api.groq.com/openai/v1/chat/completions", "groq", "chat/completions"))

  it("17. OpenRouter loses one", () =>
    goesTo("https://openrouter.ai/api/v1/chat/completions", "openrouter", "v1/chat/completions"))

  it("18. DeepSeek, xAI, Mistral, Perplexity, Replicate and Cerebras lose the host alone", () => {
    for (const [host, provider] of [
      ["api.deepseek.com", "deepseek"],
      ["api.x.ai", "grok"],
      ["api.mistral.ai", "mistral"],
      ["api.perplexity.ai", "perplexity-ai"],
      ["api.replicate.com", "replicate"],
      ["api.cerebras.ai", "cerebras"]
    ] as const) {
      goesTo(`https://${host}/v1/some/path`, provider, "v1/some/path")
    }
  })

  it("19. Azure: resource and deployment are moved, the query is kept", () =>
    goesTo(
      `${azure}/deployments/mydeployment/chat/completions?api-version=V`,
      "azure-openai",
      "myresource/mydeployment/chat/completions?api-version=V"
    ))

  it("20. Azure without a resource or a deployment is refused, not rewritten by half", () => {
    for (const url of [
      "https://openai.azure.com/openai/deployments/d/chat/completions",
      "https://.openai.azure.com/openai/deployments/d/chat/completions",
      "https://a.b.openai.azure.com/openai/deployments/d/chat/completions",
      `${azure}/deployments//chat/completions`,
      `${azure}/deployments/`,
      `${azure}/deployments/d`,
      `${azure}/deployments/d/`,
      `${azure}/deployments/d/?api-version=V`,
      `${azure}/chat/completions`,
      azure,
      "https://myresource.openai.azure.com"
    ]) {
      refused(url)
    }
  })

  it("Azure's current v1 URLs, whose deployment is in the body, go where AzureOpenAi sends them", () => {
    goesTo(`${azure}/v1/chat/completions`, "azure-openai", "myresource/openai/v1/chat/completions")
    goesTo(
      `${azure}/v1/embeddings?api-version=preview`,
      "azure-openai",
      "myresource/openai/v1/embeddings?api-version=preview"
    )
    assert.deepStrictEqual(
      Provider.toNativeUrl("azure-openai", "myresource/openai/v1/chat/completions"),
      Either.right(`${azure}/v1/chat/completions`)
    )
    // Through a custom provider, whose base URL is the resource's, the path is kept.
    goesTo(`${azure}/v1/chat/completions`, "custom-azure", "openai/v1/chat/completions", {
      provider: "custom-azure"
    })
  })

  it("21. Bedrock: service and region are moved", () =>
    goesTo(
      "https://bedrock-runtime.us-east-1.amazonaws.com/model/foo/invoke",
      "aws-bedrock",
      "bedrock-runtime/us-east-1/model/foo/invoke"
    ))

  it("22. the remaining hosts are detected", () => {
    for (const [url, provider, endpoint] of [
      ["https://api.cohere.com/v2/chat", "cohere", "v2/chat"],
      ["https://api.cohere.ai/v1/chat", "cohere", "v1/chat"],
      ["https://router.huggingface.co/hf-inference/models/org/model", "huggingface", "org/model"],
      [
        `https://europe-west4-aiplatform.googleapis.com/${vertexPath("europe-west4")}`,
        "google-vertex-ai",
        vertexPath("europe-west4")
      ],
      [
        "https://europe-west4-aiplatform.googleapis.com/v1/publishers/google/models/g:generateContent",
        "google-vertex-ai",
        "v1/publishers/google/models/g:generateContent"
      ],
      [
        `https://aiplatform.googleapis.com/${vertexPath("us-east5")}`,
        "google-vertex-ai",
        vertexPath("us-east5")
      ],
      ["https://gateway.ai.cloudflare.com/v1/compat/chat/completions", "compat", "chat/completions"]
    ] as const) {
      goesTo(url, provider, endpoint)
    }
  })

  it("22. a Vertex URL with two regions would change its region behind the gateway", () => {
    refused(`https://us-central1-aiplatform.googleapis.com/${vertexPath("europe-west4")}`)
    refused(`https://us-central1-aiplatform.googleapis.com/${vertexPath("global")}`)
  })

  it("24. an unknown host is refused without a provider, and takes the one that is named", () => {
    const url = "https://llm.example.com/v1/chat/completions?x=1"
    assert.include(refused(url).message, "llm.example.com")
    goesTo(url, "custom-mine", "v1/chat/completions?x=1", { provider: "custom-mine" })
    goesTo(url, "openai", "v1/chat/completions?x=1", { provider: "openai" })
    goesTo("http://127.0.0.1:8080/v1/models", "custom-mine", "v1/models", { provider: "custom-mine" })
    goesTo("https://api.groq.com/openai/v1/models", "groq", "models", { provider: "groq" })
    goesTo("https://api.groq.com/openai/v1/models", "custom-groq", "openai/v1/models", {
      provider: "custom-groq"
    })
    refused("https://llm.example.com/", "url", { provider: "custom-mine" })
    refused("https://llm.example.com//v1/models", "url", { provider: "custom-mine" })
    refused("https://llm.example.com/?x=1", "url", { provider: "custom-mine" })
    refused(url, "provider", { provider: "../openai" })
    refused(url, "provider", { provider: "" })
  })

  it("24. a provider that is named at another one's host is a mistake", () => {
    const error = refused("https://api.groq.com/openai/v1/models", "provider", { provider: "openai" })
    assert.include(error.message, "groq")
    refused("https://api.openai.com/v1/models", "provider", { provider: "azure" })
  })

  it("25. a provider is known by each of its names", () => {
    for (const [one, other] of [
      ["grok", "xai"],
      ["google-ai-studio", "google"],
      ["aws-bedrock", "bedrock"],
      ["azure-openai", "azure"],
      ["google-vertex-ai", "google-vertex"],
      ["perplexity-ai", "perplexity"]
    ] as const) {
      assert.strictEqual(Directory.findSlug(other), one)
      assert.strictEqual(Directory.findSlug(one), one)
      goesTo("https://proxy.example.com/v1/x", one, "v1/x", { provider: other })
    }
    nativeIs("xai", "v1/models", "https://api.x.ai/v1/models")
  })

  it("25. no two providers share a name, and none is called like an object's own property", () => {
    const names = [...Directory.rows()].flatMap(([slug, row]) => [slug, ...(row.aliases ?? [])])
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of ["constructor", "toString", "__proto__", ""]) {
      assert.strictEqual(Directory.findSlug(name), undefined)
    }
  })

  it("26. an Azure-flavoured OpenAI client is azure-openai, not openai", async () => {
    const urls: Array<string> = []
    const client = new AzureOpenAI({
      endpoint: "https://myresource.openai.azure.com",
      apiKey: "k",
      apiVersion: "2024-10-21",
      deployment: "mydeployment",
      maxRetries: 0,
      fetch: async (input) => {
        urls.push(input instanceof Request ? input.url : String(input))
        return Response.json({ choices: [] })
      }
    })
    await client.chat.completions.create({ model: "gpt-5", messages: [] })
    assert.strictEqual(urls.length, 1)
    goesTo(urls[0] ?? "", "azure-openai", "myresource/mydeployment/chat/completions?api-version=2024-10-21")
  })
})

describe("what a URL may look like", () => {
  it("takes the host in upper case, the default port and a fragment", () => {
    goesTo("HTTPS://API.OpenAI.COM/v1/Models", "openai", "v1/Models")
    goesTo("https://api.openai.com:443/v1/models", "openai", "v1/models")
    goesTo("https://api.openai.com/v1/models#top", "openai", "v1/models")
    goesTo("https://api.openai.com/v1/models?", "openai", "v1/models")
  })

  it("leaves path and query as they are, a slash at the end and escapes included", () => {
    goesTo("https://api.cartesia.ai/voices/", "cartesia", "voices/")
    goesTo("https://api.openai.com/v1/files/a%2Fb?q=a%20b&q=%26", "openai", "v1/files/a%2Fb?q=a%20b&q=%26")
    goesTo("https://api.openai.com/v1/models?u=https://x/y", "openai", "v1/models?u=https://x/y")
  })

  it("refuses a URL that names no endpoint", () => {
    for (const [url] of rows) refused(new URL(url).origin)
    refused("https://api.openai.com/v1")
    refused("https://api.openai.com/v1/")
    refused("https://api.openai.com//v1/models")
    refused("https://api.groq.com/v1/models")
    refused("https://fal.run/?x=1")
    refused(`${accounts}/${account}/workers/scripts`)
  })

  it("refuses hosts that only look like a provider's", () => {
    for (const url of [
      "https://api.openai.com.evil.example/v1/models",
      "https://evil.example/https://api.openai.com/v1/models",
      "https://evil.example?https://api.openai.com/v1/models",
      "https://evil.example#.api.openai.com/v1/models",
      "https://evilapi.openai.com/v1/models",
      "https://a.b.api.openai.com/v1/models",
      "https://apiXopenai.com/v1/models",
      "https://api.openai.com./v1/models",
      "https://openai.com/v1/models",
      "https://api.0penai.com/v1/models",
      "https://api.оpenai.com/v1/models",
      "https://r.openai.azure.com.evil.example/openai/deployments/d/chat/completions",
      "https://r.evil.example/.openai.azure.com/openai/deployments/d/chat/completions",
      "https://bedrock-runtime.us-east-1.amazonaws.com.evil.example/model/foo/invoke",
      "https://bedrock-runtime.us-east-1.evil.amazonaws.com/model/foo/invoke",
      `https://evil.aiplatform.googleapis.com/${vertexPath("global")}`,
      `https://evil.example-aiplatform.googleapis.com/${vertexPath("global")}`,
      "https://api.openai.com:8443/v1/models",
      "https://api.openai.com:80/v1/models"
    ]) {
      refused(url)
    }
  })

  it("refuses user names, other schemes, dot segments, backslashes and control characters", () => {
    for (const url of [
      "https://user@api.openai.com/v1/models",
      "https://user:secret@api.openai.com/v1/models",
      "https://api.openai.com@evil.example/v1/models",
      "https://evil.example\\@api.openai.com/v1/models",
      "http://api.openai.com/v1/models",
      "wss://api.openai.com/v1/realtime",
      "ftp://api.openai.com/v1/models",
      "javascript:alert(1)",
      "//api.openai.com/v1/models",
      "https:api.openai.com/v1/models",
      "https:///api.openai.com/v1/models",
      "api.openai.com/v1/models",
      "/v1/models",
      "",
      " https://api.openai.com/v1/models",
      "https://api.openai.com/v1/models\n",
      "https://api.openai.com/v1/../v1/models",
      "https://api.openai.com/v1/./models",
      "https://api.openai.com/v1/%2e%2E/v1/models",
      "https://api.openai.com/v1/.%2e/v1/models",
      "https://api.openai.com/v1/..",
      "https://api.openai.com/v1/.\t./v1/models",
      "https://api.openai.com/v1\\models",
      "https://[::1/v1/models",
      "https://api.openai.com:99999/v1/models"
    ]) {
      refused(url)
      if (!url.startsWith("http://")) refused(url, "url", { provider: "custom-x" })
    }
  })

  it("shows no credential in an error", () => {
    for (const url of [
      "https://user:sk-secret@api.openai.com/v1/models",
      "https://llm.example.com/v1/models?key=sk-secret",
      "https://api.groq.com/sk-secret?key=sk-secret"
    ]) {
      assert.notInclude(JSON.stringify(refused(url)), "sk-secret")
    }
  })
})

describe("provider and endpoint to URL", () => {
  it("gives one URL for all spellings of an endpoint", () => {
    nativeIs("openai", "chat/completions", "https://api.openai.com/v1/chat/completions")
    nativeIs("cerebras", "chat/completions", "https://api.cerebras.ai/v1/chat/completions")
    nativeIs("openrouter", "chat/completions", "https://openrouter.ai/api/v1/chat/completions")
    nativeIs("grok", "chat/completions", "https://api.x.ai/v1/chat/completions")
    nativeIs("openai", "v1/models#top", "https://api.openai.com/v1/models")
    nativeIs("replicate", "predictions", "https://api.replicate.com/v1/predictions")
    nativeIs("workers-ai", "@cf/meta/m", `${accounts}/${account}/ai/run/@cf/meta/m`, account)
  })

  it("asks for what the endpoint does not hold", () => {
    noNative("workers-ai", "run/@cf/meta/m", "accountId")
    noNative("workers-ai", "run/@cf/meta/m", "accountId", "a/../b")
    noNative("workers-ai", "run/@cf/meta/m", "accountId", "")
  })

  it("7. names the providers that are near an unknown one", () => {
    assert.include(noNative("opnai", "v1/models", "provider").message, "openai")
    assert.include(noNative("Anthropic", "v1/messages", "provider").message, "anthropic")
    assert.include(noNative("zzzzzzzz", "v1/models", "provider").message, "mistral")
    noNative("custom-mine", "v1/models", "provider")
    noNative("compat", "chat/completions", "provider")
    noNative("adobe-firefly", "v1/x", "provider")
  })

  it("lets no endpoint leave the provider's host", () => {
    for (const [provider, endpoint] of [
      ["openai", ""],
      ["openai", "/v1/models"],
      ["openai", "//evil.example/v1/models"],
      ["openai", "v1/../../x"],
      ["openai", "v1/%2e%2e/x"],
      ["openai", "v1\\models"],
      ["azure-openai", "evil.example#/d/chat/completions"],
      ["azure-openai", "evil.example?/d/chat/completions"],
      ["azure-openai", "u@evil.example/d/chat/completions"],
      ["azure-openai", "r:80/d/chat/completions"],
      ["azure-openai", "r/d"],
      ["azure-openai", "r//chat/completions"],
      ["aws-bedrock", "bedrock-runtime/evil.example%2f/model/m/invoke"],
      ["aws-bedrock", "s3/us-east-1/model/m/invoke"]
    ] as const) {
      noNative(provider, endpoint, "endpoint")
    }
  })
})

describe("a model and its provider in one text", () => {
  const is = (slug: string, provider: string, model: string) =>
    assert.deepStrictEqual(
      Either.getOrElse(parseModelSlug(slug), (error) => error.message),
      { provider, model }
    )
  const isRefused = (slug: string, text: string) => {
    const result = parseModelSlug(slug)
    if (Either.isRight(result)) return assert.fail(`${slug} became ${JSON.stringify(result.right)}`)
    assert.strictEqual(result.left.field, "model")
    assert.include(result.left.message, text)
  }

  it("5. has a provider before the first slash, and no empty part", () => {
    is("openai/gpt-5-mini", "openai", "gpt-5-mini")
    is("workers-ai/@cf/meta/llama-3", "workers-ai", "@cf/meta/llama-3")
    is("google-vertex-ai/google/gemini-2.5-pro", "google-vertex-ai", "google/gemini-2.5-pro")
    is("perplexity/sonar", "perplexity-ai", "sonar")
    is("custom-mine/m", "custom-mine", "m")
    isRefused("gpt-5-mini", "no provider part")
    isRefused("", "no provider part")
    for (const slug of ["/m", "openai/", "/", "openai//m", "openai/m/", "dynamic/"])
      isRefused(slug, "malformed")
  })

  it("6. is a route as it stands, and no vendor, if it begins with dynamic/", () => {
    is("dynamic/support", "compat", "dynamic/support")
    is("dynamic/openai/x", "compat", "dynamic/openai/x")
    is("cloudflare/auto", "compat", "cloudflare/auto")
  })

  it("7. of an unknown vendor is refused, with its name and the near ones", () => {
    isRefused("antropic/claude", "antropic")
    isRefused("antropic/claude", "anthropic")
    isRefused("azur/gpt", "azure-openai")
    isRefused("@cf/meta/llama-3", "workers-ai")
    isRefused("voyage/v", "voyage")
  })
})

describe("on any input", () => {
  const label = FastCheck.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/)
  const segment = FastCheck.stringMatching(/^[A-Za-z0-9_:@~-][A-Za-z0-9._:@~-]{0,12}$/)
  const rest = FastCheck.tuple(
    FastCheck.array(segment, { minLength: 1, maxLength: 4 }),
    FastCheck.option(FastCheck.stringMatching(/^[A-Za-z0-9=&%_-]{1,20}$/))
  ).map(([path, query]) => path.join("/") + (query === null ? "" : `?${query}`))
  const places = [...Directory.rows()].flatMap(([slug, row]) => row.places.map((place) => ({ slug, place })))

  /** Fills a template's names, each with one value on both sides. */
  const written = FastCheck.record({
    at: FastCheck.constantFrom(...places),
    label,
    rest
  }).map(({ at: { slug, place }, label, rest }) => {
    const fill = (template: string) => template.replace(/\{\w+\}/g, label)
    const tail = /[/@]$/.test(place.native) ? rest : `/${rest}`
    return { slug, url: fill(place.native) + tail, endpoint: fill(place.endpoint) + tail, accountId: label }
  })

  it("a URL of any row comes back from its endpoint as the same place", () => {
    FastCheck.assert(
      FastCheck.property(written, ({ slug, url, endpoint, accountId }) => {
        goesTo(url, slug, endpoint)
        const back = Either.getOrThrow(Provider.toNativeUrl(slug, endpoint, { accountId }))
        goesTo(back, slug, endpoint)
      }),
      { numRuns: 1000 }
    )
  })

  it("no string makes them throw, and what they return may be sent", () => {
    const texts = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.webUrl({ withFragments: true, withQueryParameters: true }),
      FastCheck.tuple(written, FastCheck.string({ unit: "binary" })).map(([{ url }, tail]) => url + tail),
      FastCheck.tuple(written, FastCheck.string(), FastCheck.nat(80)).map(
        ([{ url }, text, index]) => url.slice(0, index) + text + url.slice(index)
      )
    )
    const names = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.constantFrom(...Object.keys(Directory.directory), "custom-x")
    )
    FastCheck.assert(
      FastCheck.property(texts, names, (text, name) => {
        for (const options of [{}, { provider: name }]) {
          const place = Provider.fromNativeUrl(text, options)
          if (Either.isRight(place)) assert.strictEqual(placeOf(place.right, ""), undefined)
        }
        const url = Provider.toNativeUrl(name, text, { accountId: text })
        if (Either.isRight(url)) assert.strictEqual(new URL(url.right).href, url.right)
        parseModelSlug(text)
        parseModelSlug(`${name}/${text}`)
      }),
      { numRuns: 1000 }
    )
  })
})
