/** Formats of embeddings: pure encoders and decoders. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Cohere from "../../src/internal/wire/embeddings/cohereEmbeddings.js"
import type { EmbeddingWire } from "../../src/internal/wire/embeddings/embeddingWire.js"
import * as Google from "../../src/internal/wire/embeddings/googleEmbeddings.js"
import * as OpenAi from "../../src/internal/wire/embeddings/openAiEmbeddings.js"
import * as WorkersAi from "../../src/internal/wire/embeddings/workersAiEmbeddings.js"

const openAi = OpenAi.make(OpenAi.openAi)
const mistral = OpenAi.make(OpenAi.mistral)

const encode = (
  wire: EmbeddingWire,
  options: Partial<Parameters<EmbeddingWire["encode"]>[0]["request"]> = {},
  model = "m"
) => wire.encode({ model, inputs: ["Brie", "Gouda"], request: { inputs: ["Brie", "Gouda"], ...options } })

const base64 = (numbers: ReadonlyArray<number>) =>
  Buffer.from(new Float32Array(numbers).buffer).toString("base64")

const places: ReadonlyArray<readonly [string, EmbeddingWire, (vectors: unknown) => unknown]> = [
  [
    "OpenAI",
    openAi,
    (vectors) => ({
      object: "list",
      data: Array.isArray(vectors)
        ? vectors.map((embedding: unknown, index) => ({ object: "embedding", index, embedding }))
        : vectors
    })
  ],
  [
    "Google",
    Google.wire,
    (vectors) => ({
      embeddings: Array.isArray(vectors) ? vectors.map((values: unknown) => ({ values })) : vectors
    })
  ],
  ["Cohere", Cohere.wire, (vectors) => ({ id: "1", embeddings: { float: vectors } })],
  [
    "Workers AI",
    WorkersAi.wire,
    (vectors) => ({ result: { shape: [2, 2], data: vectors }, success: true, errors: [], messages: [] })
  ]
]

describe("requests for embeddings", () => {
  it("OpenAI: asks for vectors as base64, and for fewer dimensions", () => {
    assert.deepStrictEqual(encode(openAi, { dimensions: 256 }, "text-embedding-3-small"), {
      endpoint: "embeddings",
      body: {
        model: "text-embedding-3-small",
        input: ["Brie", "Gouda"],
        dimensions: 256,
        encoding_format: "base64"
      },
      unsupported: []
    })
  })

  it("Mistral: calls dimensions otherwise, and sends plain numbers", () => {
    assert.deepStrictEqual(encode(mistral, { dimensions: 256 }, "codestral-embed").body, {
      model: "codestral-embed",
      input: ["Brie", "Gouda"],
      output_dimension: 256
    })
  })

  it("Google: one request of many, with the task", () => {
    assert.deepStrictEqual(
      encode(Google.wire, { purpose: "query", dimensions: 8 }, "models/gemini-embedding-001"),
      {
        endpoint: "v1beta/models/gemini-embedding-001:batchEmbedContents",
        body: {
          requests: ["Brie", "Gouda"].map((text) => ({
            model: "models/gemini-embedding-001",
            content: { parts: [{ text }] },
            taskType: "RETRIEVAL_QUERY",
            outputDimensionality: 8
          }))
        },
        unsupported: []
      }
    )
  })

  it("Cohere: the input type that it demands is a document, unless the purpose says otherwise", () => {
    assert.strictEqual(encode(Cohere.wire).body.input_type, "search_document")
    assert.strictEqual(encode(Cohere.wire, { purpose: "query" }).body.input_type, "search_query")
    assert.deepStrictEqual(encode(Cohere.wire, { purpose: "similarity" }).unsupported, ["purpose"])
  })

  it("Workers AI: the model is the path", () => {
    assert.deepStrictEqual(encode(WorkersAi.wire, {}, "@cf/baai/bge-m3"), {
      endpoint: "@cf/baai/bge-m3",
      body: { text: ["Brie", "Gouda"] },
      unsupported: []
    })
  })

  it("names what a vendor cannot take", () => {
    assert.deepStrictEqual(encode(openAi, { purpose: "query" }).unsupported, ["purpose"])
    assert.deepStrictEqual(encode(WorkersAi.wire, { purpose: "query", dimensions: 8 }).unsupported, [
      "dimensions",
      "purpose"
    ])
  })
})

describe("answers with embeddings", () => {
  for (const [vendor, wire, answer] of places) {
    it(`${vendor}: gives the vectors in order`, () => {
      const decoded = wire.decode(
        answer([
          [1, 0],
          [0, -0.5]
        ])
      )
      assert.deepStrictEqual("embeddings" in decoded ? decoded.embeddings : decoded, [
        [1, 0],
        [0, -0.5]
      ])
    })

    it(`${vendor}: names the place of what is no number`, () => {
      const fault = wire.decode(
        answer([
          [1, 0],
          [1, null]
        ])
      )
      assert.strictEqual(
        "_tag" in fault && fault._tag === "MalformedFault" && fault.place.endsWith("[1]"),
        true
      )
    })

    it(`${vendor}: an empty vector, a missing list and a wrong type are malformed`, () => {
      for (const vectors of [[[]], undefined, "x", [null], [{}]]) {
        const fault = wire.decode(answer(vectors))
        assert.strictEqual("_tag" in fault ? fault._tag : "decoded", "MalformedFault")
      }
    })

    it(`${vendor}: never throws, whatever comes`, () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.jsonValue(), FastCheck.jsonValue(), (vectors, whole) => {
          wire.decode(answer(vectors))
          wire.decode(whole)
        })
      )
    })
  }

  it("OpenAI: reads base64 as 32-bit floats", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (vector) => {
          const decoded = openAi.decode({ data: [{ index: 0, embedding: base64(vector) }] })
          assert.deepStrictEqual("embeddings" in decoded ? decoded.embeddings[0] : decoded, vector)
        }
      )
    )
  })

  it("OpenAI: base64 that is cut is malformed", () => {
    const fault = openAi.decode({ data: [{ index: 0, embedding: "AAA=" }] })
    assert.deepStrictEqual(fault, {
      _tag: "MalformedFault",
      place: "data[0].embedding",
      problem: "expected 32-bit floats as base64"
    })
  })

  it("OpenAI: the index of a vector counts, not its place in the answer", () => {
    const decoded = openAi.decode({
      data: [
        { index: 1, embedding: [2] },
        { index: 0, embedding: [1] }
      ],
      model: "text-embedding-3-small",
      usage: { prompt_tokens: 4, total_tokens: 4 }
    })
    assert.deepStrictEqual(decoded, {
      embeddings: [[1], [2]],
      usage: { input: 4, total: 4 },
      model: "text-embedding-3-small"
    })
  })

  it("OpenAI: indexes that make no sense leave the order as it came", () => {
    const decoded = openAi.decode({
      data: [
        { index: 7, embedding: [2] },
        { index: 7, embedding: [1] }
      ]
    })
    assert.deepStrictEqual("embeddings" in decoded ? decoded.embeddings : decoded, [[2], [1]])
  })

  it("Cohere: counts the tokens that are billed", () => {
    const decoded = Cohere.wire.decode({
      embeddings: { float: [[1]] },
      meta: { billed_units: { input_tokens: 3 } }
    })
    assert.deepStrictEqual("usage" in decoded ? decoded.usage : decoded, { input: 3, total: 3 })
  })

  it("Workers AI: a bare result, as a binding gives it, is read too", () => {
    const decoded = WorkersAi.wire.decode({ shape: [1, 1], data: [[1]] })
    assert.deepStrictEqual("embeddings" in decoded ? decoded.embeddings : decoded, [[1]])
  })

  it("an error in the body is the vendor's error", () => {
    for (const [, wire] of places) {
      assert.strictEqual((wire.decode({ error: { message: "no" } }) as { _tag?: string })._tag, "ErrorFault")
    }
  })
})
