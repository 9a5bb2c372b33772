/** What a prompt, tools and answers of `@effect/ai` become in our vocabulary, and back: plain functions. */
import * as Prompt from "@effect/ai/Prompt"
import type * as Response from "@effect/ai/Response"
import * as AiTool from "@effect/ai/Tool"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Schema } from "effect"
import { ChatEvent, type ChatResponse, type Message, Tool } from "effect-ai-gateway"
import { type Asked, toParts } from "../src/internal/ai/answerParts.js"
import * as CallIdentity from "../src/internal/ai/callIdentity.js"
import { toMessages } from "../src/internal/ai/promptMessages.js"
import * as StreamParts from "../src/internal/ai/streamParts.js"
import { toToolChoice, toTools } from "../src/internal/ai/toolkitTools.js"

const right = <A>(result: Either.Either<A, { readonly message: string }>): A => {
  if (Either.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const left = <E>(result: Either.Either<unknown, E>): E => {
  if (Either.isRight(result)) throw new Error(`nothing is wrong with ${JSON.stringify(result.right)}`)
  return result.left
}

const messagesOf = (input: Prompt.RawInput, tools: ReadonlyArray<AiTool.Any> = []) =>
  right(toMessages(Prompt.make(input), tools))

/** The one part of a user's message. */
const userPart = (part: Prompt.UserMessagePartEncoded) => {
  const [message] = messagesOf([{ role: "user", content: [part] }])
  assert(message?.role === "user" && typeof message.content !== "string")
  return message.content[0]
}

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const pngText = "iVBORw0KGgo="

describe("a prompt", () => {
  it("keeps its system messages, wherever they stand, and its texts", () => {
    assert.deepStrictEqual(
      messagesOf([
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello" },
        { role: "system", content: "Be rude." },
        {
          role: "user",
          content: [
            { type: "text", text: "How" },
            { type: "text", text: "now?" }
          ]
        },
        { role: "assistant", content: "So." }
      ]),
      [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello" },
        { role: "system", content: "Be rude." },
        {
          role: "user",
          content: [
            { type: "text", text: "How" },
            { type: "text", text: "now?" }
          ]
        },
        { role: "assistant", content: "So." }
      ]
    )
  })

  it("has images by URL, as bytes, as base64 and as data: URL", () => {
    const image = { type: "file", mediaType: "image/png" } as const
    const source = { data: pngText, mediaType: "image/png" }
    assert.deepStrictEqual(userPart({ ...image, data: new URL("https://example.com/a.png") }), {
      type: "image",
      source: { url: "https://example.com/a.png" }
    })
    for (const data of [
      png,
      pngText,
      `data:image/png;base64,${pngText}`,
      new URL(`data:image/png;base64,${pngText}`)
    ])
      assert.deepStrictEqual(userPart({ ...image, data }), { type: "image", source })
  })

  it("has URLs still after it was stored as JSON, which makes text of them", () => {
    const url = "https://example.com/a.pdf"
    const stored = JSON.parse(
      JSON.stringify({ type: "file", mediaType: "application/pdf", data: new URL(url), fileName: "a.pdf" })
    )
    assert.deepStrictEqual(userPart(stored), { type: "file", source: { url }, filename: "a.pdf" })
  })

  it("says what kind an image/* is by looking at it", () => {
    const kinds = [
      ["image/png", png],
      ["image/jpeg", new Uint8Array([0xff, 0xd8, 0xff, 0xe0])],
      ["image/gif", new TextEncoder().encode("GIF89a..")],
      ["image/webp", new TextEncoder().encode("RIFF....WEBPVP8 ")],
      ["image/png", pngText]
    ] as const
    for (const [mediaType, data] of kinds) {
      const part = userPart({ type: "file", mediaType: "image/*", data })
      assert(part?.type === "image" && "mediaType" in part.source)
      assert.strictEqual(part.source.mediaType, mediaType)
    }
    const unknown = left(
      toMessages(
        Prompt.make([
          { role: "user", content: [{ type: "file", mediaType: "image/*", data: new Uint8Array([1, 2]) }] }
        ])
      )
    )
    assert.strictEqual(unknown.field, "messages[0].content[0]")
    assert.include(unknown.message, "image/*")
  })

  it("asks for the detail of an image by our option or by OpenAI's", () => {
    const image = { type: "file", mediaType: "image/png", data: png } as const
    for (const options of [{ aiGateway: { detail: "low" } }, { openai: { imageDetail: "low" } }] as const) {
      const part = userPart({ ...image, options })
      assert(part?.type === "image")
      assert.strictEqual(part.detail, "low")
    }
  })

  it("replays reasoning with its signature, and calls with their results and failures", () => {
    const opaque = { provider: "anthropic", data: { signature: "s" } }
    assert.deepStrictEqual(
      messagesOf([
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "Hm.", options: { aiGateway: { opaque } } },
            { type: "reasoning", text: "Unsigned." },
            { type: "tool-call", id: "a", name: "look", params: { at: "sky" } },
            { type: "tool-call", id: "b", name: "look", params: {} }
          ]
        },
        {
          role: "tool",
          content: [
            {
              type: "tool-result",
              id: "a",
              name: "look",
              result: "blue",
              isFailure: false,
              providerExecuted: false
            },
            {
              type: "tool-result",
              id: "b",
              name: "look",
              result: { why: "dark" },
              isFailure: true,
              providerExecuted: false
            }
          ]
        }
      ]),
      [
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "Hm.", opaque },
            { type: "reasoning", text: "Unsigned." },
            { type: "tool-call", id: "a", name: "look", arguments: '{"at":"sky"}' },
            { type: "tool-call", id: "b", name: "look", arguments: "{}" }
          ]
        },
        {
          role: "tool",
          content: [
            { type: "tool-result", id: "a", name: "look", result: "blue" },
            { type: "tool-result", id: "b", name: "look", result: '{"why":"dark"}', isError: true }
          ]
        }
      ]
    )
  })

  it("shows the model the params that it wrote, not what they were decoded to", () => {
    const Book = AiTool.make("book", {
      parameters: { day: Schema.Date, note: Schema.OptionFromNullOr(Schema.String) }
    })
    const call = (params: unknown) => {
      const [message] = messagesOf(
        [{ role: "assistant", content: [{ type: "tool-call", id: "a", name: "book", params }] }],
        [Book]
      )
      assert(message?.role === "assistant" && typeof message.content !== "string")
      const [part] = message.content
      assert(part?.type === "tool-call")
      return JSON.parse(part.arguments)
    }
    const wrote = { day: "2026-05-01T00:00:00.000Z", note: null }
    const decoded = Schema.decodeUnknownSync(Book.parametersSchema)(wrote)
    assert.deepStrictEqual(call(decoded), wrote)
    // As a history that was stored has them.
    assert.deepStrictEqual(call(wrote), wrote)
    assert.deepStrictEqual(call({ of: "another tool" }), { of: "another tool" })
  })

  const circle: Record<string, unknown> = {}
  circle.self = circle

  const refused: ReadonlyArray<
    readonly [what: string, field: string, word: string, message: Prompt.MessageEncoded]
  > = [
    [
      "an assistant's file",
      "messages[0].content[1]",
      "image/png",
      {
        role: "assistant",
        content: [
          { type: "text", text: "Look:" },
          { type: "file", mediaType: "image/png", data: png }
        ]
      }
    ],
    [
      "a call that a provider carried out",
      "messages[0].content[0]",
      "web_search",
      {
        role: "assistant",
        content: [{ type: "tool-call", id: "a", name: "web_search", params: {}, providerExecuted: true }]
      }
    ],
    [
      "a result that a provider made",
      "messages[0].content[0]",
      "web_search",
      {
        role: "assistant",
        content: [
          {
            type: "tool-result",
            id: "a",
            name: "web_search",
            result: [],
            isFailure: false,
            providerExecuted: true
          }
        ]
      }
    ],
    [
      "a result in an assistant's message",
      "messages[0].content[0]",
      "tool",
      {
        role: "assistant",
        content: [
          {
            type: "tool-result",
            id: "a",
            name: "look",
            result: [],
            isFailure: false,
            providerExecuted: false
          }
        ]
      }
    ],
    [
      "params that are no JSON",
      "messages[0].content[0].params",
      "look",
      { role: "assistant", content: [{ type: "tool-call", id: "a", name: "look", params: circle }] }
    ],
    [
      "params that are nothing",
      "messages[0].content[0].params",
      "look",
      { role: "assistant", content: [{ type: "tool-call", id: "a", name: "look", params: undefined }] }
    ],
    [
      "a result that is no JSON",
      "messages[0].content[0].result",
      "look",
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            id: "a",
            name: "look",
            result: 10n,
            isFailure: false,
            providerExecuted: false
          }
        ]
      }
    ]
  ]
  for (const [what, field, word, message] of refused) {
    it(`is refused with ${what}, by its place`, () => {
      const error = left(toMessages(Prompt.make([message])))
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.strictEqual(error.field, field)
      assert.include(error.message, word)
    })
  }

  it("is refused with a part of a type that nobody knows, by its place", () => {
    const odd = Prompt.fromMessages([
      Prompt.makeMessage("user", { content: [{ ...Prompt.textPart({ text: "" }), type: "video" } as never] })
    ])
    const error = left(toMessages(odd))
    assert.strictEqual(error.field, "messages[0].content[0]")
    assert.include(error.message, '"video"')
  })
})

describe("tools", () => {
  it("keep their names, descriptions and JSON Schema", () => {
    const tools = right(
      toTools([
        AiTool.make("look", { description: "Looks.", parameters: { at: Schema.String } }),
        AiTool.make("now"),
        AiTool.fromTaggedRequest(
          class Greet extends Schema.TaggedRequest<Greet>()("Greet", {
            payload: { name: Schema.String },
            success: Schema.String,
            failure: Schema.Never
          }) {}
        )
      ])
    )
    assert.deepStrictEqual(
      tools.map(({ name, description }) => [name, description]),
      [
        ["look", "Looks."],
        ["now", undefined],
        ["Greet", undefined]
      ]
    )
    const [look, now] = tools.map(({ jsonSchema }) =>
      right(Either.mapLeft(jsonSchema, (message) => ({ message })))
    )
    const ours = Tool.make("look", { parameters: Schema.Struct({ at: Schema.String }) })
    assert.deepStrictEqual(look, Either.getOrThrow(ours.jsonSchema))
    assert.deepInclude(now, { type: "object", properties: {} })
  })

  it("of a provider are refused with the name of the package that has them", () => {
    const Search = AiTool.providerDefined({
      id: "anthropic.web_search_20250305",
      toolkitName: "AnthropicWebSearch",
      providerName: "web_search",
      args: {}
    })
    const error = left(toTools([AiTool.make("look"), Search({})]))
    assert.strictEqual(error.field, "tools[1]")
    assert.include(error.message, "@effect/ai-anthropic")
  })

  it("are chosen in all of the forms of a choice", () => {
    assert.deepStrictEqual(
      (
        [
          "auto",
          "none",
          "required",
          { tool: "a" },
          { oneOf: ["a"] },
          { mode: "required", oneOf: ["a"] }
        ] as const
      ).map(toToolChoice),
      ["auto", "none", "required", { tool: "a" }, "auto", "required"]
    )
  })
})

// --- answers ------------------------------------------------------------------------------------------------------------

const asked = (over: Partial<Asked> = {}): Asked => ({
  format: "text",
  calls: CallIdentity.make(Prompt.empty),
  answerId: "answer",
  timestamp: "2026-05-01T00:00:00.000Z",
  ...over
})

const answer = (over: Partial<ChatResponse.ChatResponse>): ChatResponse.ChatResponse => ({
  ...ChatEvent.fold([
    { _tag: "Start", provider: "openai", model: "gpt-5-mini", gateway: { logId: "log" }, attempts: [] }
  ]),
  ...over
})

const partsOf = (over: Partial<ChatResponse.ChatResponse>, how: Partial<Asked> = {}) =>
  right(toParts(answer(over), asked(how)))

describe("an answer", () => {
  it("has its usage, with cached and reasoning tokens, and the rest in our metadata", () => {
    const finish = partsOf({
      finishReason: "length",
      rawFinishReason: "max_tokens",
      usage: { input: 10, output: 5, total: 15, cacheRead: 4, cacheWrite: 2, reasoning: 3 }
    }).at(-1)
    assert(finish?.type === "finish")
    assert.strictEqual(finish.reason, "length")
    assert.deepStrictEqual(finish.usage, {
      inputTokens: 10,
      outputTokens: 5,
      totalTokens: 15,
      cachedInputTokens: 4,
      reasoningTokens: 3
    })
    assert.deepStrictEqual(finish.metadata?.aiGateway, {
      provider: "openai",
      model: "gpt-5-mini",
      attempts: [],
      gateway: { logId: "log" },
      rawFinishReason: "max_tokens",
      cacheWriteTokens: 2
    })
  })

  it("finishes for every reason that we know, and for others by the provider's word", () => {
    const reasons = ["stop", "length", "tool-calls", "content-filter", "error"] as const
    const finished = (over: Partial<ChatResponse.ChatResponse>) => {
      const finish = partsOf(over).at(-1)
      assert(finish?.type === "finish")
      return finish.reason
    }
    for (const finishReason of reasons) assert.strictEqual(finished({ finishReason }), finishReason)
    assert.strictEqual(finished({ finishReason: "other" }), "unknown")
    assert.strictEqual(finished({ finishReason: "other", rawFinishReason: "bored" }), "other")
    assert.strictEqual(finished({ finishReason: "other", rawFinishReason: "pause_turn" }), "pause")
  })

  it("names its sources: those with a URL, and others as documents", () => {
    const citations = [
      { url: "https://example.com/a", title: "A", text: "quoted", raw: 1 },
      { url: "https://example.com/b", raw: 2 },
      { url: "not a URL", raw: 3 },
      { title: "A book", text: "page 3", raw: 4 }
    ]
    const sources = partsOf({ citations }).filter((part) => part.type === "source")
    assert.deepStrictEqual(
      sources.map((part) => [part.sourceType, part.title, part.id]),
      [
        ["url", "A", "answer_source_0"],
        ["url", "https://example.com/b", "answer_source_1"],
        ["document", "not a URL", "answer_source_2"],
        ["document", "A book", "answer_source_3"]
      ]
    )
    assert.deepStrictEqual(
      sources.map(({ metadata }) => metadata?.aiGateway),
      citations
    )
  })

  it("says a refusal as text that is marked", () => {
    assert.deepStrictEqual(
      partsOf({ refusal: "I won't." }).filter((part) => part.type === "text"),
      [{ type: "text", text: "I won't.", metadata: { aiGateway: { refusal: true } } }]
    )
  })

  it("in JSON is one text, without the fence that a model put around it", () => {
    const text = '```json\n{"a":1}\n```'
    const content = [
      { type: "reasoning", text: "Hm." },
      { type: "text", text: text.slice(0, 5) },
      { type: "text", text: text.slice(5) }
    ] as const
    for (const message of [
      { role: "assistant", content: text },
      { role: "assistant", content }
    ] as const) {
      const texts = partsOf({ text, message }, { format: "json" }).filter((part) => part.type === "text")
      assert.deepStrictEqual(texts, [{ type: "text", text: '{"a":1}' }])
    }
  })

  it("has calls under ids that the conversation does not have yet", () => {
    const before = Prompt.make([
      { role: "assistant", content: [{ type: "tool-call", id: "call_0", name: "look", params: {} }] }
    ])
    const call = { type: "tool-call", id: "call_0", name: "look", arguments: "{}" } as const
    const parts = partsOf(
      { message: { role: "assistant", content: [call, call] } },
      { calls: CallIdentity.make(before) }
    )
    assert.deepStrictEqual(
      parts.flatMap((part) => (part.type === "tool-call" ? [part.id] : [])),
      ["call_0_2", "call_0_3"]
    )
  })

  it("with a call whose arguments are not JSON, or set a prototype, is an error that has them", () => {
    for (const args of ['{"city": "Os', '{"__proto__": {"admin": true}}']) {
      const message = {
        role: "assistant",
        content: [{ type: "tool-call", id: "a", name: "look", arguments: args }]
      } as const
      const error = left(toParts(answer({ message }), asked()))
      assert.deepInclude({ ...error }, { _tag: "InvalidToolCall", tool: "look", id: "a", arguments: args })
    }
  })
})

// --- properties ---------------------------------------------------------------------------------------------------------

const text = FastCheck.string({ minLength: 1, maxLength: 12 })
const json = FastCheck.dictionary(text, FastCheck.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
// `JSON` has no minus zero, and an object of ours no prototype.
const params = json.map((value) => JSON.parse(JSON.stringify(value).replace(/__proto__/g, "proto")))
const opaque = FastCheck.record({ provider: FastCheck.constantFrom("anthropic", "openai"), data: params })

/** The events of one answer, as a provider's stream could have them. */
const events: FastCheck.Arbitrary<ReadonlyArray<ChatEvent.ChatEvent>> = FastCheck.array(
  FastCheck.oneof(
    text.map((text): Array<ChatEvent.ChatEvent> => [{ _tag: "TextDelta", text }]),
    text.map((text): Array<ChatEvent.ChatEvent> => [{ _tag: "ReasoningDelta", text }]),
    opaque.map((opaque): Array<ChatEvent.ChatEvent> => [{ _tag: "ReasoningOpaque", ...opaque }]),
    FastCheck.tuple(text, params, FastCheck.nat(5)).map(([name, params, cut]): Array<ChatEvent.ChatEvent> => {
      const args = JSON.stringify(params)
      const at = Math.min(cut, args.length)
      return [
        { _tag: "ToolCallDelta", index: -1, name, arguments: args.slice(0, at) },
        { _tag: "ToolCallDelta", index: -1, name, arguments: args.slice(at) },
        { _tag: "ToolCall", index: -1, id: `id_${name}`, name, arguments: args }
      ]
    })
  ),
  { maxLength: 8 }
).map((groups) => [
  { _tag: "Start", provider: "openai", model: "m", gateway: {}, attempts: [] },
  ...groups.flatMap((group, index) => group.map((event) => ("index" in event ? { ...event, index } : event))),
  { _tag: "Finish", finishReason: "stop", usage: { input: 1 }, model: "m" }
])

/** What was said, whatever the ids: as a whole answer has it. */
const folded = (parts: ReadonlyArray<Response.StreamPartEncoded>) => {
  const said: Array<unknown> = []
  const open = new Map<string, string>()
  const named = new Map<string, string>()
  for (const part of parts) {
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
      case "tool-params-start":
        assert.isFalse(open.has(part.id), "an id is used once")
        open.set(part.id, "")
        if (part.type === "tool-params-start") named.set(part.id, part.name)
        break
      case "text-delta":
      case "reasoning-delta":
      case "tool-params-delta":
        open.set(part.id, (open.get(part.id) ?? assert.fail("a delta before its start")) + part.delta)
        break
      case "text-end":
        said.push({ type: "text", text: open.get(part.id) })
        break
      case "reasoning-end":
        said.push({ type: "reasoning", text: open.get(part.id), opaque: part.metadata?.aiGateway?.opaque })
        break
      case "tool-call":
        assert.deepStrictEqual(JSON.parse(open.get(part.id) ?? ""), part.params)
        assert.strictEqual(named.get(part.id), part.name)
        said.push({ type: "tool-call", name: part.name, params: part.params })
        break
      case "finish":
        said.push(part)
    }
  }
  return said
}

const whole = (parts: ReadonlyArray<Response.PartEncoded>) =>
  parts.flatMap((part): Array<unknown> => {
    if (part.type === "text") return [{ type: "text", text: part.text }]
    if (part.type === "reasoning")
      return [{ type: "reasoning", text: part.text, opaque: part.metadata?.aiGateway?.opaque }]
    if (part.type === "tool-call") return [{ type: "tool-call", name: part.name, params: part.params }]
    return part.type === "finish" ? [part] : []
  })

describe("for any answer", () => {
  it("the parts of its stream add up to those of the whole, however it is cut", () => {
    FastCheck.assert(
      FastCheck.property(events, FastCheck.integer({ min: 1, max: 4 }), (events, size) => {
        const streamed = StreamParts.make(asked())
        const parts: Array<Response.StreamPartEncoded> = []
        for (let at = 0; at < events.length; at += size)
          parts.push(...streamed.add(events.slice(at, at + size)).parts)
        assert.lengthOf(streamed.end(), 0)
        assert.strictEqual(parts.filter(({ type }) => type === "finish").length, 1)
        assert.strictEqual(parts.at(-1)?.type, "finish")
        assert.deepStrictEqual(folded(parts), whole(right(toParts(ChatEvent.fold(events), asked()))))
      })
    )
  })

  it("what it said survives a prompt of it: as the model's own message says it", () => {
    FastCheck.assert(
      FastCheck.property(events, (events) => {
        const { message } = ChatEvent.fold(events)
        const content: ReadonlyArray<Message.AssistantPart> =
          typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content
        const back = messagesOf([
          {
            role: "assistant",
            content: content.map((part) =>
              part.type === "tool-call"
                ? { type: "tool-call", id: part.id, name: part.name, params: JSON.parse(part.arguments) }
                : part.type === "reasoning" && part.opaque !== undefined
                  ? { type: "reasoning", text: part.text, options: { aiGateway: { opaque: part.opaque } } }
                  : { type: part.type, text: part.text }
            )
          }
        ])
        assert.deepStrictEqual(back, [message])
      })
    )
  })
})
