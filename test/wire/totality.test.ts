import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck as fc, Stream } from "effect"
import { type ChatEvent, GatewayMetadata } from "effect-ai-gateway"
import { EventReader } from "../../src/internal/eventReader.js"
import type { GatewayResponse } from "../../src/internal/exchange.js"
import * as AnthropicMessages from "../../src/internal/wire/anthropicMessages.js"
import * as BedrockConverse from "../../src/internal/wire/bedrockConverse.js"
import * as CohereChat from "../../src/internal/wire/cohereChat.js"
import * as GoogleGenerateContent from "../../src/internal/wire/googleGenerateContent.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import { isFault, type Wire } from "../../src/internal/wire/wire.js"
import * as WorkersAi from "../../src/internal/wire/workersAi.js"

// What each format says when all is well. Any JSON is then put in the place of any part of it.

const call = { index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }
const cited = { type: "url_citation", url_citation: { url: "https://a.example", title: "A" } }
const usage = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 1 },
  completion_tokens_details: { reasoning_tokens: 1 }
}
const openAiMessage = {
  content: [
    { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
    { type: "text", text: "Hello" }
  ],
  reasoning_content: "hm",
  refusal: "no",
  annotations: [cited],
  tool_calls: [call],
  function_call: { name: "f", arguments: "{}" }
}
const openAiWhole = { model: "m", choices: [{ message: openAiMessage, finish_reason: "stop" }], usage }
const openAiChunk = { model: "m", choices: [{ delta: openAiMessage, finish_reason: null }], usage }
const openAiEnd = { choices: [{ delta: {}, finish_reason: "tool_calls" }] }

const anthropicContent = [
  { type: "thinking", thinking: "hm", signature: "c2ln" },
  { type: "redacted_thinking", data: "c2ln" },
  {
    type: "text",
    text: "Hello",
    citations: [{ type: "web_search_result_location", url: "https://a.example", title: "A", cited_text: "x" }]
  },
  { type: "tool_use", id: "t", name: "f", input: { x: 1 } }
]
const anthropicUsage = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 }
const anthropicWhole = {
  type: "message",
  model: "m",
  content: anthropicContent,
  stop_reason: "end_turn",
  stop_details: { type: "refusal", category: "c", explanation: "e" },
  usage: anthropicUsage
}
const anthropicEvents = [
  { type: "message_start", message: { model: "m", usage: anthropicUsage } },
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
  { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
  { type: "content_block_stop", index: 0 },
  { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Hello" } },
  {
    type: "content_block_delta",
    index: 1,
    delta: { type: "citations_delta", citation: { url: "https://a.example", title: "A", cited_text: "x" } }
  },
  { type: "content_block_stop", index: 1 },
  {
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "t", name: "f", input: {} }
  },
  { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"x":1}' } },
  { type: "content_block_stop", index: 2 },
  { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: anthropicUsage },
  { type: "message_stop" }
]

const googleCandidate = {
  content: {
    role: "model",
    parts: [
      { text: "hm", thought: true, thoughtSignature: "c2ln" },
      { text: "Hello" },
      { functionCall: { id: "a", name: "f", args: { x: 1 } }, thoughtSignature: "c2ln" }
    ]
  },
  groundingMetadata: {
    groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
    groundingSupports: [{ segment: { text: "Hello" }, groundingChunkIndices: [0] }]
  },
  finishReason: "STOP"
}
const googleWhole = {
  candidates: [googleCandidate],
  promptFeedback: { blockReason: "SAFETY" },
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, thoughtsTokenCount: 3, totalTokenCount: 6 },
  modelVersion: "m"
}

const workersNative = {
  response: "Hello",
  tool_calls: [{ name: "f", arguments: { x: 1 } }],
  finish_reason: "stop",
  usage
}
const workersOutput = {
  status: "completed",
  incomplete_details: { reason: "max_output_tokens" },
  output: [
    { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }], summary: [] },
    { type: "message", content: [{ type: "output_text", text: "Hello" }] },
    { type: "function_call", call_id: "a", name: "f", arguments: "{}" }
  ],
  usage: { input_tokens: 1, output_tokens: 2, output_tokens_details: { reasoning_tokens: 1 } }
}

const bedrockUsage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, cacheReadInputTokens: 1 }
const bedrockCited = {
  title: "A",
  sourceContent: [{ text: "x" }],
  location: { web: { url: "https://a.example" } }
}
const bedrockWhole = {
  output: {
    message: {
      content: [
        { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
        { reasoningContent: { redactedContent: "c2ln" } },
        { text: "Hello" },
        { citationsContent: { content: [{ text: "Hello" }], citations: [bedrockCited] } },
        { toolUse: { toolUseId: "t", name: "f", input: { x: 1 } } }
      ]
    }
  },
  stopReason: "tool_use",
  usage: bedrockUsage
}
// As Amazon's SDK shows them: in frames the names would stand beside.
const bedrockEvents = [
  { messageStart: { role: "assistant" } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { text: "hm" } } } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { signature: "c2ln" } } } },
  { contentBlockStop: { contentBlockIndex: 0 } },
  { contentBlockDelta: { contentBlockIndex: 1, delta: { citation: bedrockCited } } },
  { contentBlockDelta: { contentBlockIndex: 1, delta: { text: "Hello" } } },
  { contentBlockStop: { contentBlockIndex: 1 } },
  { contentBlockStart: { contentBlockIndex: 2, start: { toolUse: { toolUseId: "t", name: "f" } } } },
  { contentBlockDelta: { contentBlockIndex: 2, delta: { toolUse: { input: '{"x":1}' } } } },
  { contentBlockStop: { contentBlockIndex: 2 } },
  { messageStop: { stopReason: "tool_use" } },
  { metadata: { usage: bedrockUsage } }
]

const cohereCited = { text: "x", sources: [{ type: "document", document: { title: "A" } }] }
const cohereUsage = { tokens: { input_tokens: 1, output_tokens: 2 }, cached_tokens: 1 }
const cohereWhole = {
  finish_reason: "TOOL_CALL",
  message: {
    content: [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "Hello" }
    ],
    tool_plan: "hm",
    tool_calls: [call],
    citations: [cohereCited]
  },
  usage: cohereUsage
}
const cohereEvents = [
  { type: "message-start", delta: { message: { role: "assistant", content: [] } } },
  { type: "content-start", index: 0, delta: { message: { content: { type: "thinking", thinking: "hm" } } } },
  { type: "content-end", index: 0 },
  { type: "content-delta", index: 1, delta: { message: { content: { text: "Hello" } } } },
  { type: "citation-start", index: 0, delta: { message: { citations: cohereCited } } },
  { type: "tool-plan-delta", delta: { message: { tool_plan: "hm" } } },
  { type: "tool-call-start", index: 0, delta: { message: { tool_calls: call } } },
  { type: "tool-call-delta", index: 0, delta: { message: { tool_calls: { function: { arguments: " " } } } } },
  { type: "tool-call-end", index: 0 },
  { type: "message-end", delta: { finish_reason: "TOOL_CALL", usage: cohereUsage } }
]

interface Format {
  readonly name: string
  readonly wire: Wire
  readonly answers: ReadonlyArray<unknown>
  readonly streams: ReadonlyArray<ReadonlyArray<unknown>>
  /** Does a stream end with `[DONE]`? */
  readonly marked: boolean
}

const formats: ReadonlyArray<Format> = [
  {
    name: "OpenAI chat",
    wire: OpenAiChat.make({
      endpoint: "chat/completions",
      maxTokens: "max_completion_tokens",
      askForUsage: true,
      refuses: () => []
    }),
    answers: [openAiWhole],
    streams: [[openAiChunk, openAiChunk, openAiEnd]],
    marked: true
  },
  {
    name: "Anthropic messages",
    wire: AnthropicMessages.wire,
    answers: [anthropicWhole],
    streams: [anthropicEvents],
    marked: false
  },
  {
    name: "Google generateContent",
    wire: GoogleGenerateContent.wire,
    answers: [googleWhole],
    streams: [[googleWhole, googleWhole]],
    marked: false
  },
  {
    name: "Bedrock Converse",
    wire: BedrockConverse.make("us-east-1"),
    answers: [bedrockWhole],
    streams: [bedrockEvents],
    marked: false
  },
  {
    name: "Cohere chat",
    wire: CohereChat.wire,
    answers: [cohereWhole],
    streams: [cohereEvents],
    marked: true
  },
  {
    name: "Workers AI",
    wire: WorkersAi.wire,
    answers: [
      workersNative,
      { result: workersNative, success: true, errors: [] },
      openAiWhole,
      workersOutput
    ],
    streams: [
      [workersNative, workersNative],
      [workersNative, openAiChunk, openAiEnd]
    ],
    marked: true
  }
]

// --- anything anywhere ------------------------------------------------------------------------------------------------

type Path = ReadonlyArray<string | number>

const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof json !== "object" || json === null) return [path]
  const entries: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(json)
    ? [...json.entries()]
    : Object.entries(json)
  return [path, ...entries.flatMap(([key, value]) => pathsOf(value, [...path, key]))]
}

const replaceAt = (json: unknown, [key, ...rest]: Path, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(json)) return json.map((item, n) => (n === key ? replaceAt(item, rest, value) : item))
  if (typeof json !== "object" || json === null) return value
  return Object.fromEntries(
    Object.entries(json).map(([name, item]) => [name, name === key ? replaceAt(item, rest, value) : item])
  )
}

/** Words that mean something to a decoder: any JSON at all seldom holds them. */
const word = fc.constantFrom<unknown>(
  "error",
  "[DONE]",
  "text",
  "tool_use",
  "thinking",
  "message",
  "function_call",
  "__proto__",
  "constructor",
  "STOP",
  "\ud800",
  Number.MAX_SAFE_INTEGER,
  -1,
  0.5,
  1e308
)
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  word,
  fc.dictionary(fc.constantFrom("type", "text", "name", "arguments", "index", "__proto__", "error"), word),
  fc.array(fc.oneof(word, fc.constant({}), fc.constant(null)), { maxLength: 3 })
)

/** One or two parts of it are something else. */
const spoilt = (json: unknown): fc.Arbitrary<unknown> => {
  const change = fc.tuple(fc.constantFrom(...pathsOf(json)), anything)
  return fc
    .array(change, { minLength: 1, maxLength: 2 })
    .map((changes) => changes.reduce((result, [path, value]) => replaceAt(result, path, value), json))
}

const anyAnswer = ({ answers }: Format) => fc.oneof(fc.jsonValue(), ...answers.map(spoilt))

const anyStream = ({ marked, streams }: Format): fc.Arbitrary<ReadonlyArray<string>> => {
  const written = (events: ReadonlyArray<unknown>) => [
    ...events.map((event) => JSON.stringify(event)),
    ...(marked ? ["[DONE]"] : [])
  ]
  const events = fc.constantFrom(...streams.flat()).map((event) => JSON.stringify(event))
  return fc.oneof(
    ...streams.map((events) =>
      spoilt(events).map((spoilt) => (Array.isArray(spoilt) ? written(spoilt) : [JSON.stringify(spoilt)]))
    ),
    // Whole events that are missing, twice there, in another order, or none of this protocol.
    fc.array(
      fc.oneof(
        events,
        anything.map((json) => JSON.stringify(json)),
        fc.constant("[DONE]"),
        fc.string()
      )
    )
  )
}

const name = fc.constantFrom(undefined, undefined, undefined, "error", "message", "message_stop", "ping")

// --- a whole response -------------------------------------------------------------------------------------------------

const responseOf = (type: string): GatewayResponse => ({
  status: 200,
  headers: { "content-type": type },
  gateway: GatewayMetadata.fromHeaders({}),
  text: Effect.die("not read"),
  json: Effect.die("not read"),
  stream: Stream.die("not read"),
  close: Effect.void
})

/** Reads a body to its end; throws if it does anything but end well or fail with a typed error. */
const read = (wire: Wire, body: Uint8Array, type: string): ReadonlyArray<ChatEvent.ChatEvent> => {
  let given = false
  const reader = new EventReader(
    responseOf(type),
    {
      pull(sink) {
        if (given) return sink.end()
        given = true
        sink.bytes(body)
      },
      cancel: () => undefined
    },
    wire,
    { provider: "provider", model: "model" },
    undefined
  )
  const events: Array<ChatEvent.ChatEvent> = []
  const all: Effect.Effect<void, { readonly message: string }> = Effect.flatMap(reader.next, (found) => {
    if (found === undefined) return Effect.void
    assert.isNotEmpty(found)
    events.push(...found)
    return all
  })
  const exit = Effect.runSync(Effect.exit(all))
  if (Exit.isFailure(exit)) {
    if (exit.cause._tag !== "Fail") throw new Error(String(exit.cause))
    assert.isNotEmpty(exit.cause.error.message)
  }
  const finishes = events.filter(({ _tag }) => _tag === "Finish").length
  assert.strictEqual(finishes, Exit.isSuccess(exit) ? 1 : 0)
  return events
}

const encode = (text: string) => new TextEncoder().encode(text)

describe("whatever a provider sends, nothing is thrown", () => {
  for (const format of formats) {
    const { answers, marked, streams, wire } = format

    it(`${format.name}: what is spoilt below is an answer as it stands`, () => {
      for (const answer of answers) assert.isFalse(isFault(wire.decode(answer)))
      for (const events of streams) {
        const decoder = wire.decoder()
        const out: Array<ChatEvent.ChatEvent> = []
        for (const event of events) assert.isUndefined(decoder.event(JSON.stringify(event), undefined, out))
        assert.isUndefined(decoder.end(out))
        assert.isTrue(out.some(({ _tag }) => _tag === "ToolCall"))
      }
    })

    it(`${format.name}: any JSON, and any JSON in the place of any part of an answer`, () => {
      fc.assert(
        fc.property(anyAnswer(format), (json) => void wire.decode(json)),
        { numRuns: 3000 }
      )
    }, 30_000)

    it(`${format.name}: any events, also behind a fault and behind the end`, () => {
      fc.assert(
        fc.property(anyStream(format), name, (events, called) => {
          const decoder = wire.decoder()
          const out: Array<ChatEvent.ChatEvent> = []
          for (const event of events) decoder.event(event, called, out)
          decoder.done()
          decoder.end(out)
          for (const event of events) decoder.event(event, called, out)
        }),
        { numRuns: 3000 }
      )
    }, 30_000)

    it(`${format.name}: any stream ends with exactly one Finish, or with a typed error`, () => {
      fc.assert(
        fc.property(anyStream(format), name, (events, called) => {
          const line = called === undefined ? "" : `event: ${called}\n`
          read(wire, encode(events.map((data) => `${line}data: ${data}\n\n`).join("")), "text/event-stream")
        }),
        { numRuns: 2000 }
      )
    }, 30_000)

    it(`${format.name}: any JSON instead of a stream, under any content type, is read or is a typed error`, () => {
      fc.assert(
        fc.property(
          anyAnswer(format),
          fc.constantFrom("application/json", "text/event-stream"),
          (json, type) => void read(wire, encode(JSON.stringify(json)), type)
        ),
        { numRuns: 1500 }
      )
    }, 30_000)

    it(`${format.name}: any bytes instead of a stream are read or are a typed error`, () => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string().map((text) => encode(`data: ${text}\n\n`)),
        fc.string().map(encode)
      )
      fc.assert(
        fc.property(
          bytes,
          fc.constantFrom("application/json", "text/event-stream"),
          (body, type) => void read(wire, body, type)
        ),
        { numRuns: 1000 }
      )
    }, 30_000)

    it(`${format.name}: JSON nested deeper than the stack, in the place of any part`, () => {
      const depth = 20_000
      const deepText = `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`
      const deep: unknown = JSON.parse(deepText)
      for (const answer of answers) {
        for (const path of pathsOf(answer)) wire.decode(replaceAt(answer, path, deep))
      }
      for (const events of streams) {
        for (const path of pathsOf(events)) {
          if (path.length < 2) continue
          // Written by hand, because JSON.stringify cannot follow so deep.
          const changed = replaceAt(events, path, "@deep@")
          if (!Array.isArray(changed)) return assert.fail()
          const frames = changed.map(
            (event) => `data: ${JSON.stringify(event).replace('"@deep@"', () => deepText)}\n\n`
          )
          read(wire, encode(frames.join("") + (marked ? "data: [DONE]\n\n" : "")), "text/event-stream")
        }
      }
    }, 30_000)
  }
})
