/** What the OpenAI-shaped vendors changed, as `protocol/wire-formats.md` §4 lists it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, FastCheck as fc, Stream } from "effect"
import { ChatEvent, ChatRequest, type ChatResponse, GatewayMetadata, type Message } from "effect-ai-gateway"
import { EventReader } from "../../src/internal/eventReader.js"
import type { GatewayResponse } from "../../src/internal/exchange.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import * as Dialects from "../../src/internal/wire/openAiDialects.js"
import * as ThinkTags from "../../src/internal/wire/thinkTags.js"
import { isFault, type Wire } from "../../src/internal/wire/wire.js"

const wires = {
  "azure-openai": OpenAiChat.make(Dialects.azureOpenAi("my-resource", "2024-10-21")),
  deepseek: OpenAiChat.make(Dialects.deepSeek),
  grok: OpenAiChat.make(Dialects.grok),
  groq: OpenAiChat.make(Dialects.groq),
  mistral: OpenAiChat.make(Dialects.mistral),
  "perplexity-ai": OpenAiChat.make(Dialects.perplexity)
}
type Slug = keyof typeof wires
const slugs: ReadonlyArray<Slug> = ["azure-openai", "deepseek", "grok", "groq", "mistral", "perplexity-ai"]

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
  const rows: ReadonlyArray<
    readonly [Slug, endpoint: string, limit: string, seed: string | undefined, unsupported: Array<string>]
  > = [
    [
      "azure-openai",
      "my-resource/m/chat/completions?api-version=2024-10-21",
      "max_completion_tokens",
      "seed",
      ["topK"]
    ],
    ["deepseek", "chat/completions", "max_tokens", undefined, ["topK", "seed"]],
    ["grok", "v1/chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["groq", "chat/completions", "max_completion_tokens", "seed", ["topK"]],
    ["mistral", "v1/chat/completions", "max_tokens", "random_seed", ["topK"]],
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
        [limit]: 100,
        ...(unsupported.includes("stop") ? {} : { stop: ["END"] }),
        ...(seed === undefined ? {} : { [seed]: 7 }),
        frequency_penalty: 0.1,
        presence_penalty: -0.2
      })
    })
  }

  for (const [slug, asks] of [
    ["azure-openai", true],
    ["grok", true],
    ["groq", true],
    ["deepseek", false],
    ["mistral", false],
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
    for (const slug of ["azure-openai", "deepseek", "grok", "groq"] as const) {
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
    for (const slug of ["azure-openai", "grok", "groq", "mistral", "perplexity-ai"] as const)
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
    for (const slug of ["azure-openai", "deepseek", "groq", "mistral"] as const) {
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
  for (const slug of slugs) {
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
