import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { type ChatEvent, type ChatResponse, ChatEvent as Events } from "effect-ai-gateway"
import { classify, classifyEvent, classifySuccess } from "../../src/internal/classify.js"
import { isRetryable } from "../../src/internal/errors.js"
import * as AnthropicMessages from "../../src/internal/wire/anthropicMessages.js"
import * as GoogleGenerateContent from "../../src/internal/wire/googleGenerateContent.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import { isFault, type Wire } from "../../src/internal/wire/wire.js"
import * as WorkersAi from "../../src/internal/wire/workersAi.js"

// The rows of `protocol/wire-formats.md` §12 that the tests of the single formats do not have.

const openAi = OpenAiChat.make({
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: () => []
})
const anthropic = AnthropicMessages.wire
const google = GoogleGenerateContent.wire
const workersAi = WorkersAi.wire

/** What one event after the other of a stream means; the last ones are what its end means. */
const stepsOf = (
  wire: Wire,
  events: ReadonlyArray<unknown>
): ReadonlyArray<ReadonlyArray<ChatEvent.ChatEvent>> => {
  const decoder = wire.decoder()
  const step = (read: (out: Array<ChatEvent.ChatEvent>) => unknown) => {
    const out: Array<ChatEvent.ChatEvent> = []
    assert.isUndefined(read(out))
    return out
  }
  return [
    ...events.map((event) =>
      step((out) => decoder.event(typeof event === "string" ? event : JSON.stringify(event), undefined, out))
    ),
    step((out) => decoder.end(out))
  ]
}

const streamed = (wire: Wire, events: ReadonlyArray<unknown>): ChatResponse.ChatResponse =>
  Events.fold(stepsOf(wire, events).flat())

const whole = (wire: Wire, json: unknown) => {
  const decoded = wire.decode(json)
  return isFault(decoded) ? assert.fail(JSON.stringify(decoded)) : decoded
}

const delta = (delta: unknown, finish_reason: string | null = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason }],
  ...more
})
const openAiAnswer = (usage: unknown) => ({
  choices: [{ message: { content: "x" }, finish_reason: "stop" }],
  usage
})
const openAiStream = (usage: unknown) => [
  delta({ content: "x" }),
  delta({}, "stop"),
  { choices: [], usage },
  "[DONE]"
]

describe("§12.1: a streamed tool call is told once it is whole", () => {
  const call = (piece: unknown) => delta({ tool_calls: [piece] })
  const block = (index: number, name: string) => ({
    type: "content_block_start",
    index,
    content_block: { type: "tool_use", id: `t${index}`, name, input: {} }
  })
  const json = (index: number, partial_json: string) => ({
    type: "content_block_delta",
    index,
    delta: { type: "input_json_delta", partial_json }
  })
  const start = { type: "message_start", message: { usage: { input_tokens: 1, output_tokens: 1 } } }
  const end = [
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 2 } },
    { type: "message_stop" }
  ]
  // Which event makes each of the calls known: the place in the list; the end of the body is one behind the last.
  const rows: ReadonlyArray<
    readonly [string, Wire, ReadonlyArray<unknown>, ReadonlyArray<readonly [number, string]>]
  > = [
    [
      "OpenAI: after the finish, at the end",
      openAi,
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }),
        call({ index: 0, function: { arguments: ":1}" } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: "{}" } }),
        delta({}, "tool_calls"),
        "[DONE]"
      ],
      [
        [5, '{"x":1}'],
        [5, "{}"]
      ]
    ],
    [
      "Groq, xAI, Mistral: the whole text in one delta, by index",
      openAi,
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
        delta({}, "tool_calls"),
        "[DONE]"
      ],
      [
        [4, '{"x":1}'],
        [4, '{"y":2}']
      ]
    ],
    [
      "Mistral: without an index, by position",
      openAi,
      [
        delta({
          tool_calls: [
            { id: "a", function: { name: "f", arguments: '{"x":1}' } },
            { id: "b", function: { name: "g", arguments: '{"y":2}' } }
          ]
        }),
        delta({}, "tool_calls"),
        "[DONE]"
      ],
      [
        [3, '{"x":1}'],
        [3, '{"y":2}']
      ]
    ],
    [
      "Anthropic: at its block's end, before the next block begins",
      anthropic,
      [
        start,
        block(0, "f"),
        json(0, '{"x"'),
        json(0, ":1}"),
        { type: "content_block_stop", index: 0 },
        block(1, "g"),
        { type: "content_block_stop", index: 1 },
        ...end
      ],
      [
        [4, '{"x":1}'],
        [6, "{}"]
      ]
    ],
    [
      "Google: with the object that it comes as",
      google,
      [
        { candidates: [{ content: { parts: [{ functionCall: { name: "f", args: { x: 1 } } }] } }] },
        { candidates: [{ content: { parts: [{ functionCall: { name: "g", args: {} } }] } }] },
        { candidates: [{ content: { parts: [] }, finishReason: "STOP" }] }
      ],
      [
        [0, '{"x":1}'],
        [1, "{}"]
      ]
    ],
    [
      "Workers AI: whole, by position",
      workersAi,
      [
        {
          response: "",
          tool_calls: [
            { name: "f", arguments: { x: 1 } },
            { name: "g", arguments: {} }
          ]
        },
        "[DONE]"
      ],
      [
        [2, '{"x":1}'],
        [2, "{}"]
      ]
    ]
  ]
  for (const [name, wire, events, expected] of rows) {
    it(name, () => {
      const found = stepsOf(wire, events).flatMap((step, n) =>
        step.flatMap((event) => (event._tag === "ToolCall" ? [[n, event.arguments] as const] : []))
      )
      assert.deepStrictEqual(found, expected)
    })
  }
})

describe("§12.2: usage is counted alike in a stream and in a whole answer", () => {
  const openAiRows: ReadonlyArray<readonly [string, unknown, ChatResponse.Usage]> = [
    [
      "OpenAI, Azure, Groq, Mistral, OpenRouter, Cerebras: reasoning is a part of the output",
      {
        prompt_tokens: 10,
        completion_tokens: 20,
        total_tokens: 30,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 15 }
      },
      { input: 10, output: 20, cacheRead: 4, reasoning: 15, total: 30 }
    ],
    [
      "DeepSeek: its own name for cache hits",
      { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30, prompt_cache_hit_tokens: 6 },
      { input: 10, output: 20, cacheRead: 6, total: 30 }
    ],
    [
      "xAI: reasoning is added to the output",
      {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 303,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 290 }
      },
      { input: 12, output: 291, cacheRead: 2, reasoning: 290, total: 303 }
    ],
    [
      "Gemini in OpenAI's shape: reasoning hides in the total",
      { prompt_tokens: 10, completion_tokens: 20, total_tokens: 95 },
      { input: 10, output: 85, total: 95 }
    ]
  ]
  const anthropicUsage = {
    input_tokens: 20,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 30,
    output_tokens: 40,
    output_tokens_details: { thinking_tokens: 25 }
  }
  const googleUsage = {
    promptTokenCount: 10,
    toolUsePromptTokenCount: 5,
    cachedContentTokenCount: 4,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 15,
    totalTokenCount: 50
  }
  const googleAnswer = {
    candidates: [{ content: { parts: [{ text: "x" }] }, finishReason: "STOP" }],
    usageMetadata: googleUsage
  }
  const workersUsage = {
    prompt_tokens: 10,
    completion_tokens: 20,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 4 }
  }
  const rows: ReadonlyArray<readonly [string, Wire, unknown, ReadonlyArray<unknown>, ChatResponse.Usage]> = [
    ...openAiRows.map(
      ([name, usage, expected]) => [name, openAi, openAiAnswer(usage), openAiStream(usage), expected] as const
    ),
    [
      "Anthropic: what was read from and written to the cache is input, thinking is output",
      anthropic,
      { content: [{ type: "text", text: "x" }], stop_reason: "end_turn", usage: anthropicUsage },
      [
        { type: "message_start", message: { usage: { ...anthropicUsage, output_tokens: 1 } } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "x" } },
        { type: "content_block_stop", index: 0 },
        {
          type: "message_delta",
          delta: { stop_reason: "end_turn" },
          usage: { output_tokens: 40, output_tokens_details: { thinking_tokens: 25 } }
        },
        { type: "message_stop" }
      ],
      { input: 150, output: 40, cacheRead: 100, cacheWrite: 30, reasoning: 25, total: 190 }
    ],
    [
      "Google: tools' prompts are input, thoughts are output",
      google,
      googleAnswer,
      [googleAnswer],
      { input: 15, output: 35, cacheRead: 4, reasoning: 15, total: 50 }
    ],
    [
      "Workers AI",
      workersAi,
      { response: "x", usage: workersUsage },
      [{ response: "x" }, { response: "", usage: workersUsage }, "[DONE]"],
      { input: 10, output: 20, cacheRead: 4, total: 30 }
    ]
  ]
  const known = (usage: ChatResponse.Usage) =>
    Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== undefined))
  for (const [name, wire, answer, events, expected] of rows) {
    it(name, () => {
      assert.deepStrictEqual(known(whole(wire, answer).usage), expected)
      assert.deepStrictEqual(known(streamed(wire, events).usage), expected)
    })
  }
})

describe("§12.4: a refusal for too many requests", () => {
  const body = { error: { message: "Too many requests" } }
  const refusal = (provider: string, headers: Readonly<Record<string, string>>, json: unknown = body) =>
    classify(429, headers, JSON.stringify(json), { provider, now: Date.UTC(2026, 10, 23) })
  const hinted: ReadonlyArray<readonly [string, string, Readonly<Record<string, string>>, number]> = [
    [
      "OpenAI: milliseconds, not the reset of a counter",
      "openai",
      { "retry-after-ms": "1500", "retry-after": "2", "x-ratelimit-reset-requests": "6m0s" },
      1500
    ],
    [
      "Azure: 0 ms beside 1 s",
      "azure-openai",
      { "retry-after-ms": "0", "retry-after": "1", "x-ratelimit-reset-tokens": "60" },
      1000
    ],
    ["Groq: seconds", "groq", { "retry-after": "7", "x-ratelimit-reset-tokens": "7.66s" }, 7000],
    [
      "Anthropic: seconds",
      "anthropic",
      { "retry-after": "12", "anthropic-ratelimit-requests-reset": "2026-11-23T00:01:00Z" },
      12_000
    ],
    ["OpenRouter: seconds", "openrouter", { "retry-after": "3" }, 3000]
  ]
  for (const [name, provider, headers, millis] of hinted) {
    it(`${name}: is waited for`, () => {
      const error = refusal(provider, headers)
      assert.strictEqual(error._tag, "RateLimited")
      assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), millis)
    })
  }

  it("Google: the delay of its RetryInfo is waited for", () => {
    for (const [retryDelay, millis] of [
      ["48s", 48_000],
      ["34.4s", 34_400]
    ] as const) {
      const error = refusal(
        "google-ai-studio",
        {},
        { error: { code: 429, message: "m", details: [{ retryDelay }] } }
      )
      assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), millis)
    }
  })

  it("Anthropic: x-should-retry decides", () => {
    assert.isFalse(isRetryable(refusal("anthropic", { "x-should-retry": "false" })))
    assert.isTrue(isRetryable(classify(400, { "x-should-retry": "true" }, "", { provider: "anthropic" })))
  })

  const unhinted: ReadonlyArray<readonly [string, string, Readonly<Record<string, string>>, unknown]> = [
    [
      "Fireworks",
      "fireworks",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "60" },
      body
    ],
    [
      "xAI",
      "grok",
      { "x-ratelimit-remaining-tokens": "0" },
      { code: "rate-limit", error: "Too many requests" }
    ],
    [
      "Bedrock",
      "aws-bedrock",
      { "x-amzn-errortype": "ThrottlingException" },
      { message: "Too many requests" }
    ],
    ["Cohere", "cohere", {}, { id: "i", message: "Too many requests" }],
    ["Perplexity", "perplexity-ai", {}, body],
    ["DeepSeek", "deepseek", {}, body],
    ["Mistral", "mistral", {}, { object: "error", message: "Requests rate limit exceeded", code: "1300" }],
    ["the gateway", "openai", {}, { success: false, error: [{ code: 2003, message: "Rate limited" }] }]
  ]
  for (const [name, provider, headers, json] of unhinted) {
    it(`${name}: without a hint there is no pause to keep, and it may be retried`, () => {
      const error = refusal(provider, headers, json)
      assert.strictEqual(error._tag, "RateLimited")
      assert.isUndefined(error.retryAfter)
      assert.isTrue(isRetryable(error))
    })
  }
})

describe("§12.5: an error behind HTTP 200 ends a stream", () => {
  const error = { message: "Overloaded", type: "server_error", code: 503 }
  const rows: ReadonlyArray<readonly [string, Wire, string | undefined, unknown]> = [
    ["Groq: event: error", openAi, "error", { error }],
    ["Groq: event: error, flat", openAi, "error", { message: "Overloaded", code: 503 }],
    ["OpenRouter: an error beside choices", openAi, undefined, { ...delta({ content: "" }, "error"), error }],
    ["OpenAI: an error alone", openAi, undefined, { error }],
    [
      "Anthropic: event: error",
      anthropic,
      "error",
      { type: "error", error: { type: "overloaded_error", message: "O" } }
    ],
    [
      "Google: an error alone",
      google,
      undefined,
      { error: { code: 503, message: "O", status: "UNAVAILABLE" } }
    ],
    [
      "Google: an error in an array",
      google,
      undefined,
      [{ error: { code: 503, message: "O", status: "UNAVAILABLE" } }]
    ],
    [
      "xAI: an error that is text",
      openAi,
      undefined,
      { code: "The service is currently unavailable", error: "O" }
    ],
    [
      "Azure: content_filter with the status of the prompt",
      openAi,
      undefined,
      { error: { code: "content_filter", status: 400, message: "O" } }
    ],
    ["Mistral, OpenRouter: finish reason error", openAi, undefined, delta({}, "error")],
    ["Workers AI: finish reason error", workersAi, undefined, { response: "", finish_reason: "error" }],
    ["Workers AI: finish reason error in OpenAI's chunks", workersAi, undefined, delta({}, "error")],
    [
      "Cloudflare v4",
      workersAi,
      undefined,
      { success: false, errors: [{ code: 3040, message: "Out of capacity" }], result: null }
    ],
    [
      "Cloudflare v4 in OpenAI's format",
      openAi,
      undefined,
      { success: false, errors: [{ code: 7003, message: "O" }], result: null }
    ]
  ]
  for (const [name, wire, called, json] of rows) {
    it(`${name}: in an event`, () => {
      const fault = wire.decoder().event(JSON.stringify(json), called, [])
      assert.strictEqual(fault?._tag, "ErrorFault")
      const found =
        fault?._tag === "ErrorFault" ? classifyEvent(fault.json, {}, { provider: "p" }) : undefined
      assert.notStrictEqual(found?._tag, "MalformedResponse")
    })
  }

  const bodies = rows.filter(([, wire, called]) => called === undefined && wire !== google)
  for (const [name, wire, , json] of bodies) {
    if (name.includes("chunks") || name.includes("finish reason") || name.includes("beside")) continue
    it(`${name}: as the whole body`, () => {
      assert.isDefined(classifySuccess(200, {}, json, { provider: "p" }))
      const decoded = wire.decode(json)
      assert.strictEqual(isFault(decoded) && decoded._tag, "ErrorFault")
    })
  }

  it("Azure: finish reason content_filter without a message is no error, but filtered", () => {
    const json = { choices: [{ index: 0, finish_reason: "content_filter" }] }
    assert.strictEqual(whole(openAi, json).finishReason, "content-filter")
    assert.strictEqual(streamed(openAi, [json, "[DONE]"]).finishReason, "content-filter")
  })
})

describe("§12.6: where a body has several messages", () => {
  // In the order in which they count; each is taken away once it was found.
  const names = ["error[]", "errors[]", "metadata.raw", "error.message", "message", "detail"]
  const body = (from: number) => ({
    ...(from <= 1 ? { errors: [{ message: "words of errors[]" }] } : {}),
    error:
      from === 0
        ? [{ message: "words of error[]" }]
        : from <= 3
          ? {
              message: "words of error.message",
              ...(from <= 2 ? { metadata: { raw: "words of metadata.raw" } } : {})
            }
          : undefined,
    ...(from <= 4 ? { message: "words of message" } : {}),
    detail: "words of detail"
  })
  for (const [n, name] of names.entries()) {
    it(`${name} comes before ${names.slice(n + 1).join(", ") || "nothing"}`, () => {
      assert.include(classify(400, {}, JSON.stringify(body(n)), {}).message, `words of ${name}`)
    })
  }

  it("an error that is text comes before message and detail", () => {
    const json = { error: "words of error", message: "words of message", detail: "words of detail" }
    assert.include(classify(400, {}, JSON.stringify(json), {}).message, "words of error")
  })

  it("a list of details is joined, and text is taken as it is", () => {
    const json = { detail: [{ msg: "Field required" }, { msg: "Input too long" }] }
    assert.include(classify(422, {}, JSON.stringify(json), {}).message, "Field required; Input too long")
    assert.include(classify(502, {}, "upstream gone", {}).message, "upstream gone")
  })

  for (const [what, code] of [
    ["a number", 4711],
    ["text", "too_spicy"],
    ["text of digits", "4711"]
  ] as const) {
    it(`a code that is ${what} is kept as it is`, () => {
      const found = classify(400, {}, JSON.stringify({ error: { message: "m", code } }), { provider: "p" })
      assert.strictEqual(found.code, code)
    })
  }

  it("a code that is null is none", () => {
    assert.isUndefined(classify(400, {}, '{"error":{"message":"m","code":null}}', { provider: "p" }).code)
  })
})
