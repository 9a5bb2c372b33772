/** What the OpenAI-shaped vendors changed: what each is sent, and how each answers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, FastCheck as fc, Stream } from "effect"
import { ChatEvent, ChatRequest, type ChatResponse, GatewayMetadata, Message, Tool } from "effect-ai-gateway"
import { EventReader } from "../../src/internal/eventReader.js"
import type { GatewayResponse } from "../../src/internal/exchange.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import * as Dialects from "../../src/internal/wire/openAiDialects.js"
import * as ThinkTags from "../../src/internal/wire/thinkTags.js"
import { type Encoded, isFault, type Wire } from "../../src/internal/wire/wire.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const wires = {
  "azure-openai": OpenAiChat.make(Dialects.azureOpenAi("my-resource", "2024-10-21")),
  baseten: OpenAiChat.make(Dialects.baseten),
  cerebras: OpenAiChat.make(Dialects.cerebras),
  deepseek: OpenAiChat.make(Dialects.deepSeek),
  fireworks: OpenAiChat.make(Dialects.fireworks),
  grok: OpenAiChat.make(Dialects.grok),
  groq: OpenAiChat.make(Dialects.groq),
  huggingface: OpenAiChat.make(Dialects.huggingFace),
  mistral: OpenAiChat.make(Dialects.mistral),
  openai: OpenAiChat.make(Dialects.openAi),
  openrouter: OpenAiChat.make(Dialects.openRouter),
  parallel: OpenAiChat.make(Dialects.parallel),
  "perplexity-ai": OpenAiChat.make(Dialects.perplexity)
}
type Slug = keyof typeof wires
// The names that were just written.
const slugs = Object.keys(wires) as ReadonlyArray<Slug>

const encode = (slug: Slug, input: ChatRequest.Input, model = "m", stream = false) =>
  wires[slug].encode({
    model,
    stream,
    provider: slug,
    request: Either.getOrThrow(ChatRequest.fromInput(input))
  })

const decode = (slug: Slug, json: unknown) => {
  const decoded = wires[slug].decode(json)
  return isFault(decoded) ? assert.fail(JSON.stringify(decoded)) : decoded
}

const responseOf = (type: string): GatewayResponse => ({
  status: 200,
  headers: { "content-type": type },
  gateway: GatewayMetadata.fromHeaders({}),
  text: Effect.die("not read"),
  json: Effect.die("not read"),
  stream: Stream.die("not read"),
  close: Effect.void
})

interface Read {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  /** `Tag: message` of the error at the end. */
  readonly error: string | undefined
}

/** A body in network reads of `size` bytes, to its end. Anything but a good end or a typed error throws. */
const read = (wire: Wire, body: Uint8Array, size = 7, type = "text/event-stream"): Read => {
  let at = 0
  const reader = new EventReader(
    responseOf(type),
    {
      pull(sink) {
        if (at >= body.length) return sink.end()
        const from = at
        at += size
        sink.bytes(body.subarray(from, at))
      },
      cancel: () => undefined
    },
    wire,
    { provider: "provider", model: "model" },
    undefined
  )
  const events: Array<ChatEvent.ChatEvent> = []
  const all: Effect.Effect<void, { readonly _tag: string; readonly message: string }> = Effect.flatMap(
    reader.next,
    (found) => {
      if (found === undefined) return Effect.void
      events.push(...found)
      return all
    }
  )
  const exit = Effect.runSync(Effect.exit(all))
  if (Exit.isSuccess(exit)) return { events, error: undefined }
  if (exit.cause._tag !== "Fail") throw new Error(String(exit.cause))
  return { events, error: `${exit.cause.error._tag}: ${exit.cause.error.message}` }
}

interface SentMessage {
  readonly role?: unknown
  readonly content?: unknown
  readonly reasoning_details?: unknown
}
const messagesOf = ({ body }: Encoded): ReadonlyArray<SentMessage> =>
  Array.isArray(body.messages) ? body.messages : assert.fail("no messages")

const bytes = (text: string) => new TextEncoder().encode(text)
const data = (json: unknown) => `data: ${typeof json === "string" ? json : JSON.stringify(json)}\n\n`
const stream = (slug: Slug, chunks: ReadonlyArray<unknown>, size?: number): Read =>
  read(wires[slug], bytes(chunks.map(data).join("")), size)
const told = (slug: Slug, chunks: ReadonlyArray<unknown>): ChatResponse.ChatResponse => {
  const { error, events } = stream(slug, chunks)
  assert.isUndefined(error)
  return ChatEvent.fold(events)
}

const delta = (delta: unknown, finish_reason: unknown = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason }],
  ...more
})
const message = (message: unknown, more: object = {}) => ({
  choices: [{ index: 0, message, finish_reason: "stop" }],
  ...more
})

const allSampling = {
  temperature: 0.5,
  topP: 0.9,
  topK: 5,
  maxTokens: 100,
  stop: ["END"],
  seed: 7,
  frequencyPenalty: 0.1,
  presencePenalty: -0.2
}

describe("what a vendor is sent", () => {
  it("every row of the table is looked at here", () => {
    for (const row of Object.values(Dialects))
      if (typeof row === "object") assert.include(slugs, row.provider.slug)
  })

  const azurePath = "my-resource/m/chat/completions?api-version=2024-10-21"
  const rows: ReadonlyArray<
    readonly [Slug, endpoint: string, limit: string, seed: string | undefined, unsupported: Array<string>]
  > = [
    ["azure-openai", azurePath, "max_completion_tokens", "seed", ["topK"]],
    ["baseten", "v1/chat/completions", "max_tokens", "seed", ["topK"]],
    ["cerebras", "chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["deepseek", "chat/completions", "max_tokens", undefined, ["topK", "seed"]],
    ["fireworks", "chat/completions", "max_tokens", "seed", ["topK"]],
    ["grok", "v1/chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["groq", "chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["huggingface", "m/v1/chat/completions", "max_tokens", "seed", ["topK"]],
    ["mistral", "v1/chat/completions", "max_tokens", "random_seed", ["topK"]],
    ["openai", "chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["openrouter", "v1/chat/completions", "max_completion_tokens", "seed", []],
    ["perplexity-ai", "chat/completions", "max_tokens", undefined, ["topK", "stop", "seed"]]
  ]
  for (const [slug, endpoint, limit, seed, unsupported] of rows) {
    it(`${slug}: its path, its names of the fields, and what it cannot take`, () => {
      const encoded = encode(slug, { prompt: "Hi", ...allSampling })
      assert.strictEqual(encoded.endpoint, endpoint)
      assert.deepStrictEqual(encoded.unsupported, unsupported)
      const { body } = encoded
      assert.deepStrictEqual(body, {
        ...(slug === "azure-openai" ? {} : { model: "m" }),
        messages: [{ role: "user", content: "Hi" }],
        temperature: 0.5,
        top_p: 0.9,
        ...(unsupported.includes("topK") ? {} : { top_k: 5 }),
        [limit]: 100,
        ...(unsupported.includes("stop") ? {} : { stop: ["END"] }),
        ...(seed === undefined ? {} : { [seed]: 7 }),
        frequency_penalty: 0.1,
        presence_penalty: -0.2
      })
    })
  }

  it("parallel: nothing that it would ignore, and each of these is named", () => {
    const encoded = encode("parallel", { prompt: "Hi", ...allSampling, reasoningEffort: "low" })
    assert.strictEqual(encoded.endpoint, "v1beta/chat/completions")
    assert.deepStrictEqual(encoded.body, { model: "m", messages: [{ role: "user", content: "Hi" }] })
    assert.sameMembers([...encoded.unsupported], [...Object.keys(allSampling), "reasoningEffort"])
  })

  it("Hugging Face: a model's organisation is a segment of the path, and nothing in a name escapes it", () => {
    assert.strictEqual(
      encode("huggingface", "Hi", "meta-llama/Llama-3.1-8B").endpoint,
      "meta-llama/Llama-3.1-8B/v1/chat/completions"
    )
    assert.strictEqual(encode("huggingface", "Hi", "a/b?c#d").endpoint, "a/b%3Fc%23d/v1/chat/completions")
  })

  for (const [slug, asks] of [
    ["azure-openai", true],
    ["baseten", true],
    ["cerebras", true],
    ["grok", true],
    ["groq", true],
    ["huggingface", true],
    ["openai", true],
    ["parallel", true],
    ["deepseek", false],
    ["fireworks", false],
    ["mistral", false],
    ["openrouter", false],
    ["perplexity-ai", false]
  ] as const) {
    it(`${slug}: a stream is asked for ${asks ? "with its usage" : "without, because usage comes unasked"}`, () => {
      const { body } = encode(slug, "Hi", "m", true)
      assert.strictEqual(body.stream, true)
      assert.deepStrictEqual(body.stream_options, asks ? { include_usage: true } : undefined)
    })
  }

  it("Azure's openai/v1 has the deployment in the body and no version", () => {
    const wire = OpenAiChat.make(Dialects.azureOpenAi("my-resource", undefined))
    const request = Either.getOrThrow(ChatRequest.fromInput("Hi"))
    const encoded = wire.encode({ model: "dep", request, stream: false, provider: "azure-openai" })
    assert.strictEqual(encoded.endpoint, "my-resource/openai/v1/chat/completions")
    assert.strictEqual(encoded.body.model, "dep")
  })

  it("Azure: no name of a resource, deployment or version escapes its place in the URL, or throws", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: "binary" }), fc.string(), (resource, model, version) => {
        const wire = OpenAiChat.make(Dialects.azureOpenAi(resource, version))
        const request = Either.getOrThrow(ChatRequest.fromInput("Hi"))
        const { endpoint } = wire.encode({ model, request, stream: false, provider: "azure-openai" })
        assert.match(endpoint, /^[^/?#]*\/[^/?#]*\/chat\/completions\?api-version=[^/?#&]*$/)
      })
    )
    assert.match(encode("azure-openai", "Hi", "\ud800").endpoint, /%EF%BF%BD/)
  })
})

describe("how much a model is to think", () => {
  const efforts: ReadonlyArray<
    readonly [
      Slug,
      model: string,
      effort: ChatRequest.ReasoningEffort,
      sent: Readonly<Record<string, unknown>>
    ]
  > = [
    ["openai", "o3", "none", { reasoning_effort: "low" }],
    ["openai", "o4-mini-2025-04-16", "xhigh", { reasoning_effort: "high" }],
    ["openai", "gpt-5-mini", "none", { reasoning_effort: "minimal" }],
    ["openai", "gpt-5-mini", "xhigh", { reasoning_effort: "high" }],
    ["openai", "gpt-5-pro", "low", { reasoning_effort: "high" }],
    ["openai", "gpt-5.1", "none", { reasoning_effort: "none" }],
    ["openai", "gpt-5.1", "minimal", { reasoning_effort: "low" }],
    ["openai", "gpt-5.1", "xhigh", { reasoning_effort: "high" }],
    ["openai", "gpt-5.2", "xhigh", { reasoning_effort: "xhigh" }],
    ["openai", "gpt-6", "minimal", { reasoning_effort: "low" }],
    ["azure-openai", "my-deployment", "minimal", { reasoning_effort: "minimal" }],
    ["baseten", "m", "low", { reasoning_effort: "low" }],
    ["cerebras", "gpt-oss-120b", "xhigh", { reasoning_effort: "high" }],
    ["deepseek", "m", "none", { thinking: { type: "disabled" } }],
    ["deepseek", "m", "minimal", { thinking: { type: "enabled" }, reasoning_effort: "low" }],
    ["deepseek", "m", "medium", { thinking: { type: "enabled" }, reasoning_effort: "high" }],
    ["deepseek", "m", "xhigh", { thinking: { type: "enabled" }, reasoning_effort: "max" }],
    ["fireworks", "m", "none", { reasoning_effort: "none" }],
    ["fireworks", "m", "minimal", { reasoning_effort: "low" }],
    ["grok", "grok-4", "minimal", { reasoning_effort: "low" }],
    ["grok", "grok-4", "xhigh", { reasoning_effort: "xhigh" }],
    ["groq", "openai/gpt-oss-20b", "none", { reasoning_effort: "low" }],
    ["groq", "qwen/qwen3-32b", "high", { reasoning_effort: "default" }],
    ["groq", "qwen/qwen3-32b", "none", { reasoning_effort: "none" }],
    ["groq", "qwen/qwen3.8-27b", "high", { reasoning_effort: "high" }],
    ["huggingface", "m", "high", { reasoning_effort: "high" }],
    ["mistral", "m", "high", { reasoning_effort: "high" }],
    ["openrouter", "m", "xhigh", { reasoning: { effort: "xhigh" } }]
  ]
  for (const [slug, model, reasoningEffort, sent] of efforts) {
    it(`${slug} ${model}: ${reasoningEffort} is ${JSON.stringify(sent)}`, () => {
      const { body, unsupported } = encode(slug, { prompt: "Hi", reasoningEffort }, model)
      const { model: _, messages: __, ...rest } = body
      assert.deepStrictEqual(rest, sent)
      assert.deepStrictEqual(unsupported, [])
    })
  }

  it("cannot be told to a model of OpenAI's that does not reason, to Perplexity and to Parallel", () => {
    for (const [slug, model] of [
      ["openai", "gpt-4.1"],
      ["openai", "gpt-5-chat-latest"],
      ["perplexity-ai", "sonar-reasoning"],
      ["parallel", "speed"]
    ] as const) {
      const { body, unsupported } = encode(slug, { prompt: "Hi", reasoningEffort: "low" }, model)
      assert.deepStrictEqual(unsupported, ["reasoningEffort"])
      assert.deepStrictEqual(Object.keys(body), ["model", "messages"])
    }
  })

  it("takes sampling from OpenAI's models that reason", () => {
    for (const model of ["o3", "gpt-5", "gpt-5.2-pro", "gpt-6-sol"]) {
      assert.deepStrictEqual(encode("openai", { prompt: "Hi", temperature: 1 }, model).unsupported, [
        "temperature"
      ])
    }
    for (const model of ["gpt-4.1", "gpt-4o", "gpt-5-chat-latest", "omni"])
      assert.deepStrictEqual(encode("openai", { prompt: "Hi", temperature: 1 }, model).unsupported, [])
  })
})

describe("tools, as a vendor takes them", () => {
  const tool = Tool.make("weather", { description: "The weather." })
  const withTools = {
    prompt: "Hi",
    tools: [tool],
    toolChoice: "required",
    parallelToolCalls: false
  } as const
  const strict: ReadonlyArray<Slug> = [
    "azure-openai",
    "cerebras",
    "grok",
    "groq",
    "mistral",
    "openai",
    "openrouter"
  ]
  for (const slug of slugs) {
    if (slug === "parallel" || slug === "perplexity-ai") {
      it(`${slug}: has none, and names what it cannot take`, () => {
        const { body, unsupported } = encode(slug, withTools)
        assert.deepStrictEqual(unsupported, ["tools", "toolChoice", "parallelToolCalls"])
        assert.deepStrictEqual(Object.keys(body), ["model", "messages"])
      })
      continue
    }
    it(`${slug}: the nested form${strict.includes(slug) ? ", with strict" : ", without strict"}, and its word for at least one`, () => {
      const { body, unsupported } = encode(slug, withTools)
      assert.deepStrictEqual(unsupported, [])
      assert.deepStrictEqual(body.tools, [
        {
          type: "function",
          function: {
            name: "weather",
            description: "The weather.",
            parameters: tool.jsonSchema._tag === "Right" ? tool.jsonSchema.right : assert.fail(),
            ...(strict.includes(slug) ? { strict: true } : {})
          }
        }
      ])
      assert.strictEqual(body.tool_choice, slug === "mistral" ? "any" : "required")
      assert.strictEqual(body.parallel_tool_calls, false)
      assert.deepStrictEqual(
        encode(slug, { ...withTools, toolChoice: { tool: "weather" } }).body.tool_choice,
        {
          type: "function",
          function: { name: "weather" }
        }
      )
    })
  }
})

describe("an answer in a form, as a vendor is asked for it", () => {
  const schema = { type: "object", properties: { a: { type: "string" } } }
  const output = { name: "person", description: "Somebody.", jsonSchema: schema }
  for (const slug of slugs) {
    const form = (() => {
      switch (slug) {
        case "deepseek":
          return { type: "json_object" }
        case "huggingface":
          return { type: "json_object", value: schema }
        case "perplexity-ai":
          return { type: "json_schema", json_schema: { schema } }
        default:
          return {
            type: "json_schema",
            json_schema: { name: "person", description: "Somebody.", schema, strict: false }
          }
      }
    })()
    it(`${slug}: ${JSON.stringify(form).slice(0, 60)}`, () => {
      const { body, unsupported } = encode(slug, { prompt: "Hi", output })
      assert.deepStrictEqual(body.response_format, form)
      assert.deepStrictEqual(unsupported, [])
    })
  }

  it("DeepSeek: is told the schema, and the word JSON, before the conversation; others are not", () => {
    const conversation = { system: "Be brief.", prompt: "Hi", output } as const
    const [told, ...rest] = messagesOf(encode("deepseek", conversation))
    assert.strictEqual(told?.role, "system")
    assert.include(told?.content, "JSON")
    assert.include(told?.content, JSON.stringify(schema))
    assert.include(told?.content, "Somebody.")
    assert.deepStrictEqual(rest, messagesOf(encode("groq", conversation)))
    assert.strictEqual(rest.length, 2)
  })
})

describe("images and files, as a vendor takes them", () => {
  const png = Message.image({ data: "iVBORw0K", mediaType: "image/png" }, { detail: "high" })
  const pdf = Message.file({ data: "JVBERi0x", mediaType: "application/pdf" }, { filename: "a.pdf" })
  const pdfUrl = Message.file("https://a.example/b.pdf", { filename: "b.pdf" })
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K", detail: "high" } }
  const file = (file_data: string, filename: string) => ({ type: "file", file: { filename, file_data } })
  const document = (document_url: string, document_name: string) => ({
    type: "document_url",
    document_url,
    document_name
  })
  const bytesUrl = "data:application/pdf;base64,JVBERi0x"
  for (const slug of slugs) {
    const [content, unsupported] = ((): readonly [unknown, ReadonlyArray<string>] => {
      switch (slug) {
        case "openai":
        case "azure-openai":
          return [[image, file(bytesUrl, "a.pdf")], ["files by URL"]]
        case "openrouter":
          return [[image, file(bytesUrl, "a.pdf"), file("https://a.example/b.pdf", "b.pdf")], []]
        case "mistral":
          return [[image, document(bytesUrl, "a.pdf"), document("https://a.example/b.pdf", "b.pdf")], []]
        case "parallel":
          return ["", ["images", "files"]]
        default:
          return [[image], ["files"]]
      }
    })()
    it(`${slug}: ${unsupported.length === 0 ? "all of them" : `without ${unsupported.join(" and ")}`}`, () => {
      const encoded = encode(slug, [Message.user([png, pdf, pdfUrl])])
      assert.deepStrictEqual(messagesOf(encoded), [{ role: "user", content }])
      assert.deepStrictEqual(encoded.unsupported, unsupported)
    })
  }

  it("OpenAI: not for models that are known to read text alone", () => {
    for (const model of ["gpt-3.5-turbo", "o3-mini"]) {
      const { unsupported } = encode("openai", [Message.user([png, pdf])], model)
      assert.deepStrictEqual(unsupported, ["images", "files"])
    }
  })
})

describe("whatever is asked of a vendor", () => {
  it("no name of a model throws", () => {
    fc.assert(
      fc.property(fc.constantFrom(...slugs), fc.string({ unit: "binary" }), (slug, model) => {
        assert.isString(
          encode(slug, { prompt: "Hi", reasoningEffort: "high", temperature: 1 }, model).endpoint
        )
      }),
      { numRuns: 1000 }
    )
  })

  const models: Partial<Record<Slug, ReadonlyArray<string>>> = {
    openai: ["gpt-4.1", "gpt-5-mini", "o3-mini"],
    deepseek: ["deepseek-chat", "deepseek-v4-pro"],
    groq: ["llama-3.3-70b-versatile", "qwen/qwen3-32b"]
  }
  for (const slug of slugs) {
    it(`${slug}: no field is dropped unsaid, and nothing throws`, () => {
      for (const model of models[slug] ?? ["m"]) {
        fc.assert(
          fc.property(anyRequest, fc.boolean(), (request, stream) => {
            const asked = { model, provider: slug, stream }
            const dropped = silentlyDropped(wires[slug], request, asked)
            // The choice among no tools is none.
            assert.deepStrictEqual(
              dropped.filter((field) => field !== "parallelToolCalls" || request.tools !== undefined),
              []
            )
          })
        )
      }
    })
  }
})

const call = (id: string): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name: "f",
  arguments: "{}"
})
const result = (id: string): Message.ToolResultPart => ({ type: "tool-result", id, name: "f", result: "1" })

describe("a conversation, as a vendor takes it", () => {
  it("Mistral: foreign ids of calls become nine letters or digits, alike in calls and results", () => {
    const { body } = encode("mistral", [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [call("call_abc"), call("toolu_1"), call("call00000")] },
      { role: "tool", content: [result("toolu_1"), result("call_abc"), result("call00000")] },
      { role: "assistant", content: "One." },
      { role: "user", content: "And?" }
    ])
    const wire = JSON.stringify(body.messages)
    const ids = [...wire.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id)
    const results = [...wire.matchAll(/"tool_call_id":"([^"]*)"/g)].map(([, id]) => id)
    assert.strictEqual(new Set(ids).size, 3)
    for (const id of ids) assert.match(id ?? "", /^[a-zA-Z0-9]{9}$/)
    assert.strictEqual(ids[2], "call00000")
    assert.deepStrictEqual(results, [ids[1], ids[0], ids[2]])
  })

  it("Mistral: its own ids go back as they came", () => {
    const { body } = encode("mistral", [{ role: "assistant", content: [call("D681PevKs")] }])
    assert.include(JSON.stringify(body.messages), '"id":"D681PevKs"')
  })

  it("other vendors: ids go back as they came", () => {
    for (const slug of slugs) {
      if (slug === "mistral" || slug === "parallel" || slug === "perplexity-ai") continue
      const { body } = encode(slug, [{ role: "assistant", content: [call("call_abc")] }])
      assert.include(JSON.stringify(body.messages), '"id":"call_abc"')
    }
  })

  it("Perplexity: has no tools, and says so of a conversation with calls, rather than losing them unsaid", () => {
    const { body, unsupported } = encode("perplexity-ai", [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "text", text: "Wait." }, call("a")] },
      { role: "tool", content: [result("a")] },
      { role: "assistant", content: [call("b")] },
      { role: "user", content: "And?" }
    ])
    assert.deepStrictEqual(unsupported, ["tool calls in messages"])
    assert.deepStrictEqual(body.messages, [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Wait." },
      { role: "user", content: "And?" }
    ])
  })

  const thought = (text: string): Message.ReasoningPart => ({ type: "reasoning", text })
  const conversation: ReadonlyArray<Message.Message> = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: [thought("old"), { type: "text", text: "Hello" }] },
    { role: "user", content: "Weather?" },
    { role: "assistant", content: [thought("new"), call("a")] },
    { role: "tool", content: [result("a")] },
    { role: "assistant", content: [call("b")] },
    { role: "tool", content: [result("b")] }
  ]
  const reasonings = (slug: Slug, model: string, messages = conversation) => {
    const found = encode(slug, messages, model).body.messages
    if (!Array.isArray(found)) return assert.fail()
    return found
      .filter(({ role }) => role === "assistant")
      .map((sent: { reasoning_content?: unknown }) => sent.reasoning_content)
  }

  it("DeepSeek: reasoning goes back within a turn, and not from earlier ones", () => {
    assert.deepStrictEqual(reasonings("deepseek", "deepseek-reasoner"), [undefined, "new", undefined])
  })

  it("DeepSeek V4: every turn has the field, if only empty", () => {
    assert.deepStrictEqual(reasonings("deepseek", "deepseek-v4-pro"), ["old", "new", ""])
    assert.deepStrictEqual(reasonings("deepseek", "deepseek-v4-pro", [{ role: "assistant", content: "x" }]), [
      ""
    ])
  })

  it("DeepSeek: reasoning that another provider signed does not go to it", () => {
    const signed: Message.Message = {
      role: "assistant",
      content: [{ ...thought("secret"), opaque: { provider: "anthropic", data: "c2ln" } }, call("a")]
    }
    assert.deepStrictEqual(reasonings("deepseek", "deepseek-reasoner", [signed]), [undefined])
  })

  it("other vendors: reasoning does not go back", () => {
    for (const slug of slugs.filter((slug) => slug !== "deepseek"))
      assert.notInclude(JSON.stringify(encode(slug, conversation.slice(0, 3)).body), "old")
  })
})

describe("Azure OpenAI", () => {
  const prelude = {
    id: "",
    model: "",
    object: "",
    choices: [],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }]
  }
  it("a prelude without choices and filter results on every chunk say nothing", () => {
    const filtered = { content_filter_results: { hate: { filtered: false } } }
    const answer = told("azure-openai", [
      prelude,
      { choices: [{ delta: { content: "Hi" }, finish_reason: null, ...filtered }], model: "gpt-4.1" },
      { choices: [{ delta: {}, finish_reason: "stop", ...filtered }] },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
      "[DONE]"
    ])
    assert.strictEqual(answer.text, "Hi")
    assert.strictEqual(answer.finishReason, "stop")
    assert.deepInclude(answer.usage, { input: 1, output: 2, total: 3 })
    assert.deepInclude(stream("azure-openai", [prelude, delta({}, "stop"), "[DONE]"]).events.at(-1), {
      _tag: "Finish",
      model: undefined
    })
  })

  it("a blocked completion has a reason and no message", () => {
    const answer = decode("azure-openai", { choices: [{ index: 0, finish_reason: "content_filter" }] })
    assert.deepStrictEqual(answer.parts, [])
    assert.strictEqual(answer.finishReason, "content-filter")
  })
})

describe("Groq", () => {
  const finish = (usage: unknown) => delta({}, "stop", { x_groq: { id: "r", usage } })
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

  it("usage comes in x_groq of the last chunk, where the top level has none", () => {
    const answer = told("groq", [delta({ content: "Hi" }), finish(usage), "[DONE]"])
    assert.deepInclude(answer.usage, { input: 3, output: 4, total: 7 })
    assert.deepInclude(decode("groq", message({ content: "Hi" }, { x_groq: { usage } })).usage, { input: 3 })
  })

  it("x_groq without usage takes nothing away", () => {
    const answer = told("groq", [
      delta({ content: "Hi" }, null, { usage }),
      finish(null),
      delta({}, null, { x_groq: 5 }),
      "[DONE]"
    ])
    assert.deepInclude(answer.usage, { total: 7 })
  })

  it("an error event, and x_groq.error in a chunk, are errors", () => {
    const error = { message: "Failed to call a function.", code: "tool_use_failed", status_code: 400 }
    const named = read(wires.groq, bytes(`${data(delta({ content: "Hi" }))}event: error\n${data({ error })}`))
    assert.match(named.error ?? "", /^BadRequest: .*Failed to call a function/)
    assert.match(
      stream("groq", [delta({ content: "Hi" }), { choices: [], x_groq: { error: "over capacity" } }]).error ??
        "",
      /over capacity/
    )
    assert.isTrue(isFault(wires.groq.decode({ choices: [], x_groq: { error: "over capacity" } })))
  })

  it("reasoning has its own field; tools that Groq ran itself are no calls for the application", () => {
    const answer = told("groq", [
      delta({ role: "assistant", content: "" }),
      delta({ content: "", reasoning: "Hm.", channel: "analysis" }),
      delta({ executed_tools: [{ index: 0, type: "search", search_results: { results: [] } }] }),
      delta({ content: "Hi" }),
      finish(usage),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi")
    assert.deepStrictEqual(answer.toolCalls, [])
    assert.strictEqual(answer.finishReason, "stop")
  })
})

describe("DeepSeek", () => {
  it("while it thinks content is null, then reasoning is", () => {
    const answer = told("deepseek", [
      delta({ role: "assistant", content: null, reasoning_content: "" }),
      delta({ content: null, reasoning_content: "Hm" }),
      delta({ content: null, reasoning_content: "." }),
      delta({ content: "Hi", reasoning_content: null }),
      delta({ content: "", reasoning_content: null }, "stop", {
        usage: {
          prompt_tokens: 10,
          completion_tokens: 5,
          total_tokens: 15,
          prompt_cache_hit_tokens: 8,
          prompt_cache_miss_tokens: 2
        }
      }),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi")
    assert.deepInclude(answer.usage, { input: 10, output: 5, cacheRead: 8, total: 15 })
  })

  it("comments that keep the connection alive, and empty lines before a body, say nothing", () => {
    const kept = read(
      wires.deepseek,
      bytes(`: keep-alive\n\n: keep-alive\n\n${data(delta({ content: "Hi" }, "stop"))}${data("[DONE]")}`)
    )
    assert.isUndefined(kept.error)
    const whole = read(
      wires.deepseek,
      bytes(`\n\n\n${JSON.stringify(message({ content: "Hi" }))}`),
      7,
      "application/json"
    )
    assert.strictEqual(ChatEvent.fold(whole.events).text, "Hi")
  })

  it("insufficient_system_resource is an answer that failed", () => {
    const answer = told("deepseek", [
      delta({ content: "Hi" }),
      delta({}, "insufficient_system_resource"),
      "[DONE]"
    ])
    assert.strictEqual(answer.finishReason, "error")
    assert.strictEqual(answer.rawFinishReason, "insufficient_system_resource")
  })
})

describe("Perplexity", () => {
  const sources = {
    citations: ["https://a.example", "https://b.example", "https://a.example"],
    search_results: [{ title: "B", url: "https://b.example", date: null }]
  }
  const chunk = (
    content: string,
    soFar: string,
    n: number,
    more: object = {},
    object = "chat.completion.chunk"
  ) => ({
    object,
    choices: [
      { index: 0, delta: { role: "assistant", content }, message: { role: "assistant", content: soFar } }
    ],
    usage: { prompt_tokens: 2, completion_tokens: n, total_tokens: 2 + n, cost: { total_cost: n } },
    ...sources,
    ...more
  })
  const last = chunk("", "Hi [1].", 4, {}, "chat.completion.done")

  it("the message so far is not read twice, and the last usage counts", () => {
    const answer = told("perplexity-ai", [chunk("Hi", "Hi", 1), chunk(" [1].", "Hi [1].", 3), last])
    assert.strictEqual(answer.text, "Hi [1].")
    assert.deepInclude(answer.usage, { input: 2, output: 4, total: 6 })
  })

  it("sources that are on every chunk are told once, in the order by which the text counts them", () => {
    const answer = told("perplexity-ai", [chunk("Hi", "Hi", 1), chunk(" [1].", "Hi [1].", 3), last])
    const expected = [
      { url: "https://a.example", title: undefined, raw: "https://a.example" },
      { url: "https://b.example", title: "B", raw: sources.search_results[0] },
      { url: "https://a.example", title: undefined, raw: "https://a.example" }
    ]
    assert.deepStrictEqual(answer.citations, expected)
    assert.deepStrictEqual(decode("perplexity-ai", message({ content: "Hi" }, sources)).citations, expected)
  })

  it("a source that comes later is told when it comes", () => {
    const first = { citations: ["https://a.example"], search_results: [] }
    const answer = told("perplexity-ai", [chunk("Hi", "Hi", 1, first), last])
    assert.deepStrictEqual(
      answer.citations.map(({ url }) => url),
      sources.citations
    )
  })

  it("search results count where there are no citations", () => {
    const { citations } = decode(
      "perplexity-ai",
      message({ content: "Hi" }, { search_results: sources.search_results })
    )
    assert.deepStrictEqual(citations, [
      { url: "https://b.example", title: "B", raw: sources.search_results[0] }
    ])
  })

  it("its last chunk ends the stream, with a finish reason or without, and CRLF lines are lines", () => {
    const body = [chunk("Hi", "Hi", 1), last].map(data).join("").replaceAll("\n", "\r\n")
    const ended = read(wires["perplexity-ai"], bytes(`: ping - 2026-11-23\r\n\r\n${body}`))
    assert.isUndefined(ended.error)
    assert.deepInclude(ended.events.at(-1), { _tag: "Finish", finishReason: "other" })
    const { error } = stream("perplexity-ai", [chunk("Hi", "Hi", 1)])
    assert.match(error ?? "", /^TransportFailure/)
  })

  it("reasoning in <think> tags is reasoning, however the tags are cut", () => {
    const content = "<think>Is 1 < 2? </thin no.</think>\n\nYes, <think>."
    for (let size = 1; size <= content.length; size++) {
      const pieces = content.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []
      const answer = told("perplexity-ai", [...pieces.map((piece) => chunk(piece, "", 1)), last])
      assert.strictEqual(answer.reasoning, "Is 1 < 2? </thin no.")
      assert.strictEqual(answer.text, "\n\nYes, <think>.")
    }
    const whole = decode("perplexity-ai", message({ content }))
    assert.deepStrictEqual(whole.parts, [
      { type: "reasoning", text: "Is 1 < 2? </thin no." },
      { type: "text", text: "\n\nYes, <think>." }
    ])
  })

  it("what only begins like a tag is text, and nothing that is held back gets lost", () => {
    const words = fc.constantFrom("<", "<th", "ink>", "<think>", "</", "think>", "</think>", "a", " ")
    fc.assert(
      fc.property(fc.array(words), (pieces) => {
        const out: Array<readonly ["text" | "reasoning", string]> = []
        const tags = ThinkTags.make((type, text) => out.push([type, text]))
        for (const piece of pieces) tags.add("text", piece)
        tags.end()
        tags.end()
        const all = pieces.join("")
        const [, reasoning, text] = /^<think>(.*?)(?:<\/think>(.*))?$/s.exec(all) ?? []
        const of = (type: string) => out.flatMap(([found, text]) => (found === type ? [text] : [])).join("")
        assert.strictEqual(of("reasoning"), reasoning ?? "")
        assert.strictEqual(of("text"), reasoning === undefined ? all : (text ?? ""))
      }),
      { numRuns: 5000 }
    )
  })
})

describe("xAI", () => {
  const usage = {
    prompt_tokens: 12,
    completion_tokens: 1,
    total_tokens: 303,
    completion_tokens_details: { reasoning_tokens: 290 }
  }
  it("reasoning is counted beside the completion, and is a part of the output here", () => {
    assert.deepInclude(decode("grok", message({ content: "Hi" }, { usage })).usage, {
      input: 12,
      output: 291,
      reasoning: 290,
      total: 303
    })
    const { total_tokens: _, ...without } = usage
    assert.deepInclude(decode("grok", message({ content: "Hi" }, { usage: without })).usage, {
      output: 291,
      total: 303
    })
    const { prompt_tokens: __, ...less } = without
    assert.deepInclude(decode("grok", message({ content: "Hi" }, { usage: less })).usage, { output: 291 })
    // A total that has it in the completion already has the last word.
    const inside = { ...usage, completion_tokens: 291 }
    assert.deepInclude(decode("grok", message({ content: "Hi" }, { usage: inside })).usage, { output: 291 })
  })

  it("other vendors count it in the completion", () => {
    const inside = {
      prompt_tokens: 12,
      completion_tokens: 291,
      completion_tokens_details: { reasoning_tokens: 290 }
    }
    for (const slug of slugs.filter((slug) => slug !== "grok")) {
      const { usage } = decode(slug, message({ content: "Hi" }, { usage: inside }))
      assert.deepInclude(usage, { output: 291, total: 303, reasoning: 290 })
    }
  })

  it("empty chunks while it thinks say nothing; reasoning and sources are told", () => {
    const answer = told("grok", [
      { choices: [{ index: 0, delta: {} }] },
      { choices: [{ index: 0, delta: { role: "assistant", reasoning_content: "Hm." } }] },
      { choices: [{ index: 0, delta: { role: "assistant", content: "Hi" } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], citations: ["https://a.example"] },
      { choices: [], usage },
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi")
    assert.deepStrictEqual(answer.citations, [
      { url: "https://a.example", title: undefined, raw: "https://a.example" }
    ])
    assert.deepInclude(answer.usage, { output: 291 })
  })

  it("a stream request may be answered with an error of one JSON body under 200", () => {
    const body = { code: "unavailable", error: "The service is currently unavailable" }
    const { error } = read(wires.grok, bytes(JSON.stringify(body)), 7, "application/json")
    assert.match(error ?? "", /^ProviderFailure: .*The service is currently unavailable/)
  })
})

describe("Mistral", () => {
  const thinking = (text: string) => ({ type: "thinking", thinking: [{ type: "text", text }], closed: true })
  const reference = { type: "reference", reference_ids: [1] }

  it("content is text, or parts: one delta may think and speak", () => {
    const answer = told("mistral", [
      delta({ role: "assistant", content: "" }),
      delta({ content: [thinking("Hm")] }),
      delta({ content: [thinking("."), { type: "text", text: "Hi" }, reference] }),
      delta({ content: " there" }, "stop", { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi there")
    assert.deepInclude(answer.usage, { output: 2 })
    const whole = decode(
      "mistral",
      message({ content: [thinking("Hm."), { type: "text", text: "Hi" }, reference] })
    )
    assert.deepStrictEqual(whole.parts, [
      { type: "reasoning", text: "Hm." },
      { type: "text", text: "Hi" }
    ])
  })

  it("calls without an index, a later piece with an empty name, and a finish on the same chunk", () => {
    const answer = told("mistral", [
      delta({ tool_calls: [{ id: "aaaaaaaaa", function: { name: "f", arguments: '{"x"' } }] }),
      delta({ tool_calls: [{ id: "aaaaaaaaa", function: { name: "", arguments: ":1}" } }] }),
      delta(
        {
          tool_calls: [
            { id: "bbbbbbbbb", function: { name: "g", arguments: "{}" } },
            { id: "ccccccccc", function: { name: "g", arguments: "{}" } }
          ]
        },
        "tool_calls"
      ),
      "[DONE]"
    ])
    assert.deepStrictEqual(
      answer.toolCalls.map(({ arguments: args, id, name }) => [id, name, args]),
      [
        ["aaaaaaaaa", "f", '{"x":1}'],
        ["bbbbbbbbb", "g", "{}"],
        ["ccccccccc", "g", "{}"]
      ]
    )
  })

  it("emoji as escapes are whole", () => {
    const body = `data: {"choices":[{"delta":{"content":"\\ud83d\\ude00"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`
    assert.strictEqual(ChatEvent.fold(read(wires.mistral, bytes(body), 1).events).text, "😀")
  })

  it("model_length is a length; error is an error", () => {
    assert.strictEqual(told("mistral", [delta({ content: "Hi" }, "model_length")]).finishReason, "length")
    assert.match(stream("mistral", [delta({ content: "Hi" }, "error")]).error ?? "", /^ProviderFailure/)
  })
})

describe("OpenRouter", () => {
  const text = (text: string, more: object = {}) => ({ type: "reasoning.text", text, index: 0, ...more })
  const secret = (data: string, more: object = {}) => ({
    type: "reasoning.encrypted",
    data,
    index: 1,
    ...more
  })
  const reasons = (reasoning: string | null, ...details: ReadonlyArray<unknown>) =>
    delta({ role: "assistant", content: "", reasoning, reasoning_details: details })
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

  it("pieces of a record are one record, and the thought is not read twice", () => {
    const answer = told("openrouter", [
      reasons("Let ", text("Let ", { format: "anthropic-claude-v1", signature: null })),
      reasons("me see.", text("me see.", { format: "anthropic-claude-v1" })),
      reasons(null, text("", { signature: "c2ln" })),
      reasons(null, secret("aaa"), secret("bbb", { id: "r1" })),
      delta({ role: "assistant", content: "Hi" }),
      delta({ role: "assistant", content: "" }, "stop"),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Let me see.")
    assert.strictEqual(answer.text, "Hi")
    assert.deepStrictEqual(answer.message.content, [
      {
        type: "reasoning",
        text: "Let me see.",
        opaque: {
          provider: "openrouter",
          data: [
            text("Let me see.", { format: "anthropic-claude-v1", signature: "c2ln" }),
            secret("aaabbb", { id: "r1" })
          ]
        }
      },
      { type: "text", text: "Hi" }
    ])
  })

  it("the thought is not read twice where its records come behind it, and is read where only they have it", () => {
    const behind = told("openrouter", [
      reasons("Hm."),
      reasons(null, text("Hm.")),
      delta({ content: "Hi" }, "stop"),
      "[DONE]"
    ])
    assert.strictEqual(behind.reasoning, "Hm.")
    const alone = told("openrouter", [
      reasons(null, { type: "reasoning.summary", summary: "H", index: 0 }),
      reasons("", { type: "reasoning.summary", summary: "m.", index: 0 }),
      delta({ content: "Hi" }, "stop"),
      "[DONE]"
    ])
    assert.strictEqual(alone.reasoning, "Hm.")
  })

  it("records of another index, kind or id are others", () => {
    const records = [
      text("a"),
      text("b", { index: 1 }),
      { type: "reasoning.summary", summary: "c", index: 1 },
      secret("d", { id: "call_1" }),
      secret("e", { id: "call_2" }),
      text("f")
    ]
    const answer = told("openrouter", [
      ...records.map((record) => reasons(null, record)),
      delta({ tool_calls: [{ index: 0, id: "call_1", function: { name: "f", arguments: "{}" } }] }),
      delta({}, "tool_calls"),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "abcf")
    const [thought] = answer.message.content
    assert.deepInclude(thought, { opaque: { provider: "openrouter", data: records } })
    assert.strictEqual(answer.toolCalls.length, 1)
  })

  it("what comes behind the text is kept, too", () => {
    const answer = told("openrouter", [
      reasons("Hm.", text("Hm.")),
      delta({ content: "Hi" }),
      reasons(null, secret("late")),
      delta({}, "stop"),
      "[DONE]"
    ])
    const sent = encode("openrouter", [Message.user("Hi"), answer.message, Message.user("And?")])
    assert.deepStrictEqual(messagesOf(sent)[1], {
      role: "assistant",
      content: "Hi",
      reasoning_details: [text("Hm."), secret("late")]
    })
  })

  it("a whole answer: records as they came, and text of them only if there is no other", () => {
    const records = [text("Hm."), secret("x"), secret("y"), 7]
    for (const reasoning of ["Hm.", null]) {
      const { parts } = decode(
        "openrouter",
        message({ content: "Hi", reasoning, reasoning_details: records })
      )
      assert.deepStrictEqual(parts, [
        { type: "reasoning", text: "Hm.", opaque: { provider: "openrouter", data: records } },
        { type: "text", text: "Hi" }
      ])
    }
    for (const none of [undefined, null, [], "x", {}]) {
      const { parts } = decode(
        "openrouter",
        message({ content: "Hi", reasoning: "Hm.", reasoning_details: none })
      )
      assert.deepStrictEqual(parts[0], { type: "reasoning", text: "Hm." })
    }
  })

  it("records go back byte for byte, to OpenRouter alone; those of others do not go to it", () => {
    const records = fc.array(
      fc.record({
        type: fc.constantFrom("reasoning.text", "reasoning.summary", "reasoning.encrypted"),
        index: fc.nat(3),
        text: fc.string({ unit: "binary" }),
        data: fc.base64String()
      }),
      { minLength: 1 }
    )
    fc.assert(
      fc.property(records, (records) => {
        const { parts } = decode(
          "openrouter",
          message({ content: "Hi", reasoning: "Hm.", reasoning_details: records })
        )
        const conversation = [Message.user("Hi"), Message.assistant(parts)]
        assert.strictEqual(
          JSON.stringify(messagesOf(encode("openrouter", conversation))[1]?.reasoning_details),
          JSON.stringify(records)
        )
        for (const slug of slugs) {
          if (slug === "openrouter") continue
          assert.notProperty(messagesOf(encode(slug, conversation))[1], "reasoning_details")
        }
      })
    )
    const foreign = Message.assistant([
      { type: "reasoning", text: "Hm.", opaque: { provider: "anthropic", data: ["c2ln"] } },
      { type: "text", text: "Hi" }
    ])
    assert.deepStrictEqual(messagesOf(encode("openrouter", [foreign])), [
      { role: "assistant", content: "Hi" }
    ])
  })

  it("other vendors: the same records are no business of ours", () => {
    const { parts } = decode(
      "groq",
      message({ content: "Hi", reasoning: "Hm.", reasoning_details: [text("Hm.")] })
    )
    assert.deepStrictEqual(parts[0], { type: "reasoning", text: "Hm." })
  })

  it("comments say nothing; the first finish reason counts, though it is repeated or taken back", () => {
    const body = [
      delta({ role: "assistant", content: "Hi" }),
      delta({ role: "assistant", content: "" }, "length"),
      delta({ role: "assistant", content: "" }, "stop", { usage }),
      delta({ role: "assistant", content: "" }, null),
      "[DONE]"
    ].map((chunk) => `: OPENROUTER PROCESSING\n\n${data(chunk)}`)
    const { error, events } = read(wires.openrouter, bytes(body.join("")))
    assert.isUndefined(error)
    const answer = ChatEvent.fold(events)
    assert.strictEqual(answer.finishReason, "length")
    assert.strictEqual(answer.text, "Hi")
    assert.deepInclude(answer.usage, { total: 3 })
  })

  it("an error in a chunk fails the stream, though a finish reason came before, with the vendor's own words", () => {
    const error = {
      code: 502,
      message: "Provider returned error",
      metadata: { raw: '{"error":{"message":"The cluster is on fire."}}', provider_name: "Acme" }
    }
    for (const finish of ["error", null]) {
      const { error: found, events } = stream("openrouter", [
        delta({ content: "Hi" }, "length"),
        { ...delta({ content: "" }, finish), error },
        "[DONE]"
      ])
      assert.match(found ?? "", /^ProviderFailure: .*The cluster is on fire\./)
      assert.isFalse(events.some(({ _tag }) => _tag === "Finish"))
    }
  })

  it("sources are told; annotations of another kind are not", () => {
    const source = { type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }
    const annotations = [{ type: "file", file: { hash: "x" } }, source]
    const cited = [{ url: "https://a.example", title: "A", raw: source }]
    const answer = told("openrouter", [delta({ content: "Hi", annotations }), delta({}, "stop"), "[DONE]"])
    assert.deepStrictEqual(answer.citations, cited)
    assert.deepStrictEqual(decode("openrouter", message({ content: "Hi", annotations })).citations, cited)
  })

  it("calls as its vendors write them: ids on each piece, an id of 0, no arguments, null, and no finish at all", () => {
    const calls = (...tool_calls: ReadonlyArray<unknown>) =>
      delta({ role: "assistant", content: null, tool_calls })
    const named = (id: string, args: object) => ({
      index: 0,
      id,
      type: "function",
      function: { name: "f", ...args }
    })
    const variants: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
      [
        "a",
        [
          calls(named("a", { arguments: '{"x"' })),
          calls(named("a", { arguments: ":1}" })),
          delta({}, "tool_calls")
        ]
      ],
      ["0", [calls(named("0", { arguments: '{"x":1}' })), delta({}, "tool_calls")]],
      [
        "b",
        [
          calls(named("b", {})),
          calls({ index: 0, function: { arguments: '{"x":1}' } }),
          delta({}, "tool_calls")
        ]
      ],
      ["c", [calls(named("c", { arguments: null })), calls({ index: 0, function: { arguments: '{"x":1}' } })]]
    ]
    for (const [id, chunks] of variants) {
      const answer = told("openrouter", [...chunks, "[DONE]"])
      assert.strictEqual(answer.finishReason, "tool-calls")
      assert.deepStrictEqual(answer.toolCalls, [{ type: "tool-call", id, name: "f", arguments: '{"x":1}' }])
    }
  })
})

describe("Cerebras", () => {
  const chunk = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, ...more }] })
  it("reasons apart from the text, and ends with a finish reason and no marker", () => {
    const answer = told("cerebras", [
      chunk({ role: "assistant", reasoning: "Hm." }),
      chunk({ content: "Hi" }),
      {
        ...chunk({}, { finish_reason: "stop" }),
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
        time_info: { total_time: 0.1 }
      }
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi")
    assert.strictEqual(answer.finishReason, "stop")
    assert.deepInclude(answer.usage, { total: 3 })
    assert.match(stream("cerebras", [chunk({ content: "Hi" })]).error ?? "", /^TransportFailure/)
  })

  it("an error in a chunk has its status beside it", () => {
    const error = { message: "Too many.", type: "too_many_requests_error", param: null, code: "x" }
    const found = stream("cerebras", [chunk({ content: "Hi" }), { error, status_code: 429 }])
    assert.match(found.error ?? "", /^RateLimited: .*Too many\./)
    assert.match(stream("cerebras", [{ error, status_code: 400 }]).error ?? "", /^BadRequest/)
  })
})

describe("Fireworks", () => {
  it("reasons apart from the text, with usage on its last chunk", () => {
    const answer = told("fireworks", [
      delta({ role: "assistant", reasoning_content: "Hm." }),
      delta({ content: "Hi" }),
      delta({}, "stop", { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
      "[DONE]"
    ])
    assert.strictEqual(answer.reasoning, "Hm.")
    assert.strictEqual(answer.text, "Hi")
    assert.deepInclude(answer.usage, { total: 3 })
  })
})

// --- what every vendor may do -----------------------------------------------------------------------------------------

const usage = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 1 },
  completion_tokens_details: { reasoning_tokens: 1 },
  prompt_cache_hit_tokens: 1
}
const said = {
  role: "assistant",
  content: [
    { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
    { type: "text", text: "<think>Hello" }
  ],
  reasoning_content: "hm",
  reasoning_details: [{ type: "reasoning.text", text: "hm", index: 0, signature: "c2ln" }],
  refusal: "no",
  annotations: [{ type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }],
  tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }]
}
const beside = {
  usage,
  model: "m",
  object: "chat.completion.chunk",
  x_groq: { id: "r", usage },
  citations: ["https://a.example"],
  search_results: [{ title: "A", url: "https://a.example" }]
}
const whole = { choices: [{ index: 0, message: said, finish_reason: "stop" }], ...beside }
const chunks = [
  {
    choices: [{ index: 0, delta: { ...said, content: "<think>hm</think>Hello" }, finish_reason: null }],
    ...beside
  },
  { choices: [{ index: 0, delta: said, finish_reason: null }], ...beside },
  { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] }
]

type Path = ReadonlyArray<string | number>
const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof json !== "object" || json === null) return [path]
  const entries: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(json)
    ? [...json.entries()]
    : Object.entries(json)
  return [path, ...entries.flatMap(([key, value]) => pathsOf(value, [...path, key]))]
}
/** `value` in the place of a part; or without that part, if it is `undefined`. */
const replaceAt = (json: unknown, [key, ...rest]: Path, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(json)) return json.map((item, n) => (n === key ? replaceAt(item, rest, value) : item))
  if (typeof json !== "object" || json === null) return value
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, item]) => {
      const changed = name === key ? replaceAt(item, rest, value) : item
      return changed === undefined ? [] : [[name, changed]]
    })
  )
}
const wrong: ReadonlyArray<unknown> = [undefined, null, true, 7, "x", "", [], [null], [7], {}, { a: 1 }]

const checkEnd = ({ error, events }: Read) => {
  assert.strictEqual(
    events.filter(({ _tag }) => _tag === "Finish").length,
    error === undefined ? 1 : 0,
    error
  )
  if (error !== undefined) assert.match(error, /^[A-Z]\w+: ./)
}

describe("every vendor", () => {
  // These answer as OpenAI does, by the same code.
  const alike: ReadonlyArray<Slug> = ["baseten", "fireworks", "huggingface", "openai", "parallel"]
  for (const slug of slugs.filter((slug) => !alike.includes(slug))) {
    const wire = wires[slug]

    it(`${slug}: an answer that is whole`, () => {
      assert.isFalse(isFault(wire.decode(whole)))
      checkEnd(stream(slug, [...chunks, "[DONE]"]))
      assert.isUndefined(stream(slug, [...chunks, "[DONE]"]).error)
    })

    it(`${slug}: nothing, null and any wrong type in every field of an answer is read or is a fault, never thrown`, () => {
      for (const path of pathsOf(whole)) for (const value of wrong) wire.decode(replaceAt(whole, path, value))
    })

    it(`${slug}: the same in every field of every chunk ends with one Finish or with a typed error`, () => {
      for (const [n, chunk] of chunks.entries())
        for (const path of pathsOf(chunk))
          for (const value of wrong) {
            const changed = chunks.map((same, at) => (at === n ? replaceAt(chunk, path, value) : same))
            checkEnd(
              stream(
                slug,
                [...changed.map((json) => JSON.stringify(json) ?? ""), "[DONE]"],
                Number.MAX_SAFE_INTEGER
              )
            )
          }
    }, 30_000)

    it(`${slug}: text of the wrong type is malformed, and its place is named`, () => {
      const wrongContent = wire.decode(message({ content: 7 }))
      assert.deepInclude(wrongContent, { _tag: "MalformedFault", place: "choices[0].message.content" })
      assert.match(stream(slug, [delta({ content: 7 })]).error ?? "", /choices\[0\]\.delta\.content/)
      assert.match(stream(slug, [delta({ reasoning_content: 7 })]).error ?? "", /reasoning_content/)
    })

    it(`${slug}: a finish reason that nobody knows is "other", and is kept`, () => {
      const answer = told(slug, [delta({ content: "Hi" }), delta({}, "because"), "[DONE]"])
      assert.strictEqual(answer.finishReason, "other")
      assert.strictEqual(answer.rawFinishReason, "because")
    })

    it(`${slug}: errors behind a status of 200`, () => {
      const errors: ReadonlyArray<unknown> = [
        { error: { message: "overloaded", code: 503 } },
        { error: "overloaded" },
        { object: "error", message: "overloaded" },
        { choices: [{ finish_reason: "error", error: { message: "overloaded" } }] }
      ]
      for (const error of errors) {
        assert.deepInclude(wire.decode(error), { _tag: "ErrorFault" })
        const found = stream(slug, [delta({ content: "Hi" }), error])
        assert.match(found.error ?? "", /overloaded/)
        assert.strictEqual(ChatEvent.fold(found.events).text, "Hi")
      }
    })

    it(`${slug}: a body that ends anywhere is a typed error until its finish reason has come`, () => {
      const body = bytes(chunks.map(data).join("") + data("[DONE]"))
      const finished = chunks.map(data).join("").length - 2
      for (let end = 0; end <= body.length; end++) {
        const found = read(wire, body.subarray(0, end), Number.MAX_SAFE_INTEGER)
        checkEnd(found)
        if (end < finished) assert.match(found.error ?? "no error", /^(TransportFailure|MalformedResponse): /)
      }
      const json = JSON.stringify(whole)
      for (let end = 0; end < json.length; end++) {
        const cut = read(wire, bytes(json.slice(0, end)), Number.MAX_SAFE_INTEGER, "application/json")
        assert.isDefined(cut.error)
        checkEnd(cut)
      }
    })

    it(`${slug}: however the bytes are cut, the events are the same`, () => {
      const body = bytes([...chunks, "[DONE]"].map(data).join(""))
      const expected = read(wire, body, body.length)
      for (const size of [1, 2, 3, 5, 7, 13, 29]) assert.deepStrictEqual(read(wire, body, size), expected)
    })
  }
})
