import { assert, describe, it } from "@effect/vitest"
import * as LocalGateway from "../src/LocalGateway.js"
import { answering, plain, type Received, type Sent, send } from "./localGatewayClient.js"

// Vectors in each vendor's form. Forms and limits are general knowledge of the vendors' APIs.

interface Vendor {
  readonly slug: string
  readonly ask: (texts: ReadonlyArray<string>, extra?: object) => Sent
  readonly vectors: (answer: Received) => ReadonlyArray<ReadonlyArray<number>>
  readonly most: number
  /** Tokens of the request, where the vendor counts them. */
  readonly tokens: ((answer: Received) => unknown) | undefined
}

const list = ({ json }: Received) => json.data.map(({ embedding }: { embedding: unknown }) => embedding)
const promptTokens = ({ json }: Received) => json.usage.prompt_tokens

const openAiShaped = (slug: string, path: string, model: string, most: number): Vendor => ({
  slug,
  ask: (texts, extra = {}) => ({ path, body: { model, input: texts, ...extra } }),
  vectors: list,
  most,
  tokens: promptTokens
})

const google = "/google-ai-studio/v1beta/models/gemini-embedding-001"

const vendors: ReadonlyArray<Vendor> = [
  openAiShaped("openai", "/openai/embeddings", "text-embedding-3-small", 2048),
  openAiShaped("azure-openai", "/azure-openai/res/dep/embeddings?api-version=1", "ignored", 2048),
  openAiShaped("mistral", "/mistral/v1/embeddings", "mistral-embed", 512),
  openAiShaped("workers-ai", "/workers-ai/v1/embeddings", "@cf/baai/bge-base-en-v1.5", 100),
  {
    slug: "cohere",
    ask: (texts, extra = {}) => ({
      path: "/cohere/v2/embed",
      body: {
        model: "embed-v4.0",
        input_type: "search_document",
        embedding_types: ["float"],
        texts,
        ...extra
      }
    }),
    vectors: ({ json }) => json.embeddings.float,
    most: 96,
    tokens: ({ json }) => json.meta.billed_units.input_tokens
  },
  {
    slug: "google-ai-studio",
    ask: (texts, extra = {}) => ({
      path: `${google}:batchEmbedContents`,
      body: {
        requests: texts.map((text) => ({
          model: "models/gemini-embedding-001",
          content: { parts: [{ text }] },
          ...extra
        }))
      }
    }),
    vectors: ({ json }) => json.embeddings.map(({ values }: { values: unknown }) => values),
    most: 100,
    tokens: undefined
  },
  {
    slug: "workers-ai",
    ask: (text, extra = {}) => ({ path: "/workers-ai/@cf/baai/bge-small-en-v1.5", body: { text, ...extra } }),
    vectors: ({ json }) => json.result.data,
    most: 100,
    tokens: ({ json }) => json.result.usage.prompt_tokens
  }
]

const cases = vendors.map((vendor) => [`${vendor.slug} ${vendor.ask([]).path}`, vendor] as const)

const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)

describe("LocalGateway: embeddings", () => {
  it.each(cases)("%s: a vector for each text, in order, of length 1", async (_, vendor) => {
    const answer = await send(plain(), vendor.ask(["one two", "three", "one two"]))
    assert.strictEqual(answer.status, 200, answer.text)
    const [first, second, third] = vendor.vectors(answer)
    assert(first !== undefined && second !== undefined && third !== undefined)
    assert.deepStrictEqual(first, third)
    assert.notDeepEqual(first, second)
    for (const vector of [first, second]) assert.approximately(dot(vector, vector), 1, 1e-5)
    if (vendor.tokens !== undefined) assert.strictEqual(vendor.tokens(answer), 5)
  })

  it.each(cases)("%s: so many texts at once and no more", async (_, vendor) => {
    const texts = (count: number) => Array.from({ length: count }, () => "x")
    // Not the vectors of two thousand texts: only whether they are taken.
    const reply = LocalGateway.vectors([])
    const most = await send(answering(vendor.slug, reply), vendor.ask(texts(vendor.most)))
    assert.strictEqual(most.status, 200, most.text)
    const more = await send(plain(), vendor.ask(texts(vendor.most + 1)))
    assert.isTrue(more.status === 400 || more.status === 422, more.text)
  })

  it.each(cases)("%s: no text is refused", async (_, vendor) => {
    const { status } = await send(plain(), vendor.ask([]))
    assert.isTrue(status === 400 || status === 422)
  })

  it.each([
    ["openai", { dimensions: 16 }],
    ["mistral", { output_dimension: 16 }],
    ["google-ai-studio", { outputDimensionality: 16 }],
    ["cohere", { output_dimension: 256 }]
  ])("%s: of as many dimensions as asked for", async (slug, extra) => {
    const vendor = vendors.find((vendor) => vendor.slug === slug)
    assert(vendor !== undefined)
    const [vector] = vendor.vectors(await send(plain(), vendor.ask(["x"], extra)))
    assert.lengthOf(vector ?? [], Object.values(extra)[0] ?? 0)
  })

  it.each([
    ["text-embedding-3-small", 1536],
    ["text-embedding-3-large", 3072]
  ])("%s has its own", async (model, dimensions) => {
    const sent = { path: "/openai/embeddings", body: { model, input: "x" } }
    assert.lengthOf((await send(plain(), sent)).json.data[0].embedding, dimensions)
  })

  it("in base64 they are the same numbers", async () => {
    const ask = (encoding_format: string) => ({
      path: "/openai/v1/embeddings",
      body: { model: "text-embedding-3-small", input: "one", dimensions: 4, encoding_format }
    })
    const floats = (await send(plain(), ask("float"))).json.data[0].embedding
    const base64 = (await send(plain(), ask("base64"))).json.data[0].embedding
    const bytes = Buffer.from(base64, "base64")
    assert.deepStrictEqual(
      Array.from({ length: 4 }, (_, index) => bytes.readFloatLE(index * 4)),
      floats
    )
  })

  it("texts that share words are nearer than those that do not", async () => {
    const sent = {
      path: "/openai/embeddings",
      body: {
        model: "text-embedding-3-small",
        input: ["the cat sat on the mat", "a cat on a mat", "quarterly tax report"]
      }
    }
    const [cat, mat, tax] = vendors[0]?.vectors(await send(plain(), sent)) ?? []
    assert.isAbove(dot(cat ?? [], mat ?? []), dot(cat ?? [], tax ?? []) + 0.2)
  })

  it("Google embeds one text by itself", async () => {
    const sent = {
      path: `${google}:embedContent`,
      body: { content: { parts: [{ text: "one" }] }, taskType: "RETRIEVAL_QUERY", outputDimensionality: 4 }
    }
    assert.lengthOf((await send(plain(), sent)).json.embedding.values, 4)
  })

  it("a script says the vectors, or that there are none", async () => {
    const gateway = answering("openai", LocalGateway.vectors([[1, 0]]), LocalGateway.status(429))
    const sent = { path: "/openai/embeddings", body: { model: "text-embedding-3-small", input: "x" } }
    assert.deepStrictEqual((await send(gateway, sent)).json.data[0].embedding, [1, 0])
    assert.strictEqual((await send(gateway, sent)).json.error.code, "rate_limit_exceeded")
  })

  it.each([
    [
      "a model that is not there",
      { path: "/openai/embeddings", body: { model: "does-not-exist", input: "x" } },
      404
    ],
    ["an empty text", { path: "/openai/embeddings", body: { model: "m", input: ["x", ""] } }, 400],
    [
      "a field that OpenAI does not know",
      { path: "/openai/embeddings", body: { model: "m", input: "x", texts: [] } },
      400
    ],
    [
      "dimensions of an old model",
      { path: "/openai/embeddings", body: { model: "text-embedding-ada-002", input: "x", dimensions: 4 } },
      400
    ],
    [
      "OpenAI's dimensions at Mistral",
      { path: "/mistral/v1/embeddings", body: { model: "m", input: "x", dimensions: 4 } },
      422
    ],
    ["no purpose at Cohere", { path: "/cohere/v2/embed", body: { model: "embed-v4.0", texts: ["x"] } }, 400],
    [
      "another model inside a batch",
      {
        path: `${google}:batchEmbedContents`,
        body: { requests: [{ model: "models/x", content: { parts: [{ text: "x" }] } }] }
      },
      400
    ],
    ["OpenAI's input at Workers AI", { path: "/workers-ai/@cf/baai/bge-m3", body: { input: "x" } }, 400]
  ])("%s is refused", async (_, sent: Sent, status) => {
    assert.strictEqual((await send(plain(), sent)).status, status)
  })
})
