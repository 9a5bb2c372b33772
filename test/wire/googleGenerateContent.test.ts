import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as ChatEvent from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import type { Decoded } from "../../src/ChatResponse.js"
import { wire } from "../../src/internal/wire/googleGenerateContent.js"
import { type EncodeInput, type Fault, isFault } from "../../src/internal/wire/wire.js"
import * as Message from "../../src/Message.js"

// --- helpers ----------------------------------------------------------------------------------------------------------

const hello = [Message.user("Hello")]

const requestOf = (
  messages: ReadonlyArray<Message.Message>,
  sampling: ChatRequest.Sampling = {}
): ChatRequest.ChatRequest => ({ [ChatRequest.TypeId]: ChatRequest.TypeId, messages, ...sampling })

const encode = (
  messages: ReadonlyArray<Message.Message>,
  sampling: ChatRequest.Sampling = {},
  input: Partial<EncodeInput> = {}
) =>
  wire.encode({
    model: "gemini-2.5-flash",
    request: requestOf(messages, sampling),
    stream: false,
    provider: "google-ai-studio",
    ...input
  })

const decoded = (json: unknown): Decoded => {
  const result = wire.decode(json)
  if (isFault(result)) return assert.fail(`a fault: ${JSON.stringify(result)}`)
  return result
}

const faultOf = (json: unknown): Fault => {
  const result = wire.decode(json)
  return isFault(result) ? result : assert.fail("an answer")
}

const placeOf = (fault: Fault | undefined): string | undefined =>
  fault?._tag === "MalformedFault" ? fault.place : fault?._tag

interface Streamed {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  readonly fault: Fault | undefined
  readonly done: boolean
}

/** Feeds events one by one, as the driver does. */
const streamTexts = (...events: ReadonlyArray<string>): Streamed => {
  const decoder = wire.decoder()
  const out: Array<ChatEvent.ChatEvent> = []
  for (const data of events) {
    const fault = decoder.event(data, undefined, out)
    if (fault !== undefined) return { events: out, fault, done: decoder.done() }
  }
  return { events: out, fault: decoder.end(out), done: decoder.done() }
}

const stream = (...events: ReadonlyArray<unknown>): Streamed =>
  streamTexts(...events.map((event) => JSON.stringify(event)))

const finishOf = ({ events }: Streamed) => {
  const last = events[events.length - 1]
  return last?._tag === "Finish" ? last : assert.fail("no Finish at the end")
}

const chunk = (
  parts: unknown,
  more: object = {},
  usageMetadata: unknown = { promptTokenCount: 8, totalTokenCount: 8 }
) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...more }],
  usageMetadata,
  modelVersion: "gemini-2.5-flash"
})

const answer = (parts: unknown, finishReason = "STOP") => ({
  candidates: [{ content: { role: "model", parts }, finishReason }]
})

const opaque = (data: unknown) => ({ provider: "google-ai-studio", data })

const sample = {
  candidates: [
    {
      content: {
        role: "model",
        parts: [
          { text: "A question of weather.", thought: true },
          { text: "It rains." },
          { inlineData: { mimeType: "image/png", data: "aWNl" } },
          {
            functionCall: { id: "fc-1", name: "umbrella", args: { colour: "red" } },
            thoughtSignature: "c2ln"
          },
          { functionCall: { name: "now" } }
        ]
      },
      finishReason: "STOP",
      groundingMetadata: {
        groundingChunks: [
          { web: { uri: "https://a.example", title: "A" } },
          { web: { uri: "https://b.example", title: "B" } },
          { web: { uri: "https://a.example", title: "A" } }
        ],
        groundingSupports: [
          { segment: { endIndex: 9, text: "It rains." }, groundingChunkIndices: [0, 1] },
          { segment: { endIndex: 20, text: "All day." }, groundingChunkIndices: [1] }
        ]
      }
    }
  ],
  usageMetadata: {
    promptTokenCount: 100,
    cachedContentTokenCount: 60,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    toolUsePromptTokenCount: 5,
    totalTokenCount: 155
  },
  modelVersion: "gemini-2.5-flash-001"
}

type Path = ReadonlyArray<string | number>

/** Every place in a JSON value, the root included. */
const pathsOf = (json: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof json !== "object" || json === null) return [path]
  const keys: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(json)
    ? [...json.entries()]
    : Object.entries(json)
  return [path, ...keys.flatMap(([key, value]) => pathsOf(value, [...path, key]))]
}

const replaceAt = (json: unknown, path: Path, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(json))
    return json.map((item, index) => (index === key ? replaceAt(item, rest, value) : item))
  const record = Object.fromEntries(Object.entries(json ?? {}))
  return { ...record, [key]: replaceAt(record[key], rest, value) }
}

const wrongValues: ReadonlyArray<unknown> = [null, true, 5, "x", [], {}]

const placeName = (path: Path): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("")

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value

// --- requests ---------------------------------------------------------------------------------------------------------

describe("a request to Google", () => {
  it("has the model and the method in its path", () => {
    const { endpoint, body, unsupported } = encode(hello)
    assert.strictEqual(endpoint, "v1beta/models/gemini-2.5-flash:generateContent")
    assert.deepStrictEqual(body, { contents: [{ role: "user", parts: [{ text: "Hello" }] }] })
    assert.deepStrictEqual(unsupported, [])
    assert.strictEqual(
      encode(hello, {}, { stream: true }).endpoint,
      "v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    )
  })

  it("takes a model's full name, and encodes what a path cannot hold", () => {
    const endpoint = (model: string): string => encode(hello, {}, { model }).endpoint
    assert.strictEqual(endpoint("models/gemini-2.5-pro"), "v1beta/models/gemini-2.5-pro:generateContent")
    assert.strictEqual(endpoint("a/../b?c#d"), "v1beta/models/a%2F..%2Fb%3Fc%23d:generateContent")
    assert.strictEqual(endpoint("half \uD800"), "v1beta/models/half%20%EF%BF%BD:generateContent")
  })

  const encodedFields: ReadonlyArray<readonly [ChatRequest.Sampling, string, unknown]> = [
    [{ temperature: 0 }, "temperature", 0],
    [{ topP: 0.5 }, "topP", 0.5],
    [{ topK: 3 }, "topK", 3],
    [{ maxTokens: 9 }, "maxOutputTokens", 9],
    [{ stop: ["END"] }, "stopSequences", ["END"]],
    [{ seed: 0 }, "seed", 0],
    [{ frequencyPenalty: 0.25 }, "frequencyPenalty", 0.25],
    [{ presencePenalty: -1 }, "presencePenalty", -1]
  ]
  for (const [sampling, name, value] of encodedFields) {
    it(`writes ${Object.keys(sampling)[0]} as generationConfig.${name}`, () => {
      const { body, unsupported } = encode(hello, sampling)
      assert.deepStrictEqual(body.generationConfig, { [name]: value })
      assert.deepStrictEqual(unsupported, [])
    })
  }

  it("drops no field silently", () => {
    const sampling = FastCheck.record(
      {
        temperature: FastCheck.constant(0.25),
        topP: FastCheck.constant(0.75),
        topK: FastCheck.constant(17),
        maxTokens: FastCheck.constant(4711),
        stop: FastCheck.constant(["HALT"]),
        seed: FastCheck.constant(99),
        frequencyPenalty: FastCheck.constant(0.125),
        presencePenalty: FastCheck.constant(0.375)
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(sampling, (fields) => {
        const { body, unsupported } = encode(hello, fields)
        const sent = Object.values(body.generationConfig ?? {}).map((value) => JSON.stringify(value))
        for (const [field, value] of Object.entries(fields)) {
          assert.strictEqual(sent.includes(JSON.stringify(value)), !unsupported.includes(field), field)
        }
        assert.strictEqual(sent.length, Object.keys(fields).length)
      })
    )
  })

  it("lifts the instructions out of the conversation, wherever they stand", () => {
    const { body } = encode([
      Message.system("One."),
      Message.user([
        { type: "text", text: "Hi" },
        { type: "text", text: "there" }
      ]),
      Message.system("Two."),
      Message.assistant("Hello")
    ])
    assert.deepStrictEqual(body, {
      systemInstruction: { parts: [{ text: "One." }, { text: "Two." }] },
      contents: [
        { role: "user", parts: [{ text: "Hi" }, { text: "there" }] },
        { role: "model", parts: [{ text: "Hello" }] }
      ]
    })
  })

  it("replays tool calls, and their results as objects", () => {
    const { body } = encode([
      Message.assistant([
        { type: "text", text: "" },
        { type: "tool-call", id: "fc-1", name: "now", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "add", arguments: '{"x":1}' },
        { type: "tool-call", id: "call_2", name: "cut", arguments: '{"x":' }
      ]),
      Message.toolResults([
        { type: "tool-result", id: "fc-1", name: "now", result: "noon" },
        { type: "tool-result", id: "call_1", name: "add", result: '{"sum":2}' },
        { type: "tool-result", id: "call_2", name: "cut", result: "[1]", isError: true }
      ])
    ])
    assert.deepStrictEqual(body.contents, [
      {
        role: "model",
        parts: [
          { functionCall: { id: "fc-1", name: "now", args: {} } },
          { functionCall: { name: "add", args: { x: 1 } } },
          { functionCall: { name: "cut", args: {} } }
        ]
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "fc-1", name: "now", response: { output: "noon" } } },
          { functionResponse: { name: "add", response: { sum: 2 } } },
          { functionResponse: { name: "cut", response: { error: "[1]" } } }
        ]
      }
    ])
  })

  it("puts the results of a turn into one content, in the order of the calls", () => {
    const result = (id: string, text: string): Message.ToolResultPart => ({
      type: "tool-result",
      id,
      name: "f",
      result: text
    })
    const { body } = encode([
      Message.assistant([
        { type: "tool-call", id: "call_0", name: "f", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "f", arguments: "{}" }
      ]),
      Message.toolResults([result("call_9", "?"), result("call_1", "b")]),
      Message.toolResults([result("call_0", "a")])
    ])
    const response = (output: string) => ({ functionResponse: { name: "f", response: { output } } })
    assert.deepStrictEqual(Array.isArray(body.contents) && body.contents[1], {
      role: "user",
      parts: [response("a"), response("b"), response("?")]
    })
    assert.deepStrictEqual(encode([...hello, Message.toolResults([])]).body, encode(hello).body)
  })

  it("puts a signature on the part that it came with", () => {
    const { body } = encode([
      Message.assistant([
        { type: "reasoning", text: "Own.", opaque: opaque({ thoughtSignature: "own", thought: true }) },
        { type: "reasoning", text: "Shown.", opaque: opaque({ thoughtSignature: "next" }) },
        { type: "tool-call", id: "call_0", name: "f", arguments: "{}" },
        { type: "tool-call", id: "call_1", name: "g", arguments: "{}" },
        { type: "text", text: "Done." },
        { type: "reasoning", text: "", opaque: opaque({ thoughtSignature: "last" }) }
      ])
    ])
    assert.deepStrictEqual(body.contents, [
      {
        role: "model",
        parts: [
          { text: "Own.", thought: true, thoughtSignature: "own" },
          { text: "Shown.", thought: true },
          { functionCall: { name: "f", args: {} }, thoughtSignature: "next" },
          { functionCall: { name: "g", args: {} } },
          { text: "Done." },
          { text: "", thoughtSignature: "last" }
        ]
      }
    ])
  })

  it("does not send other providers' reasoning, nor a message that has nothing else", () => {
    const { body } = encode([
      ...hello,
      Message.assistant([
        { type: "reasoning", text: "unsigned" },
        { type: "reasoning", text: "x", opaque: { provider: "anthropic", data: { thoughtSignature: "y" } } },
        { type: "reasoning", text: "", opaque: opaque("no signature") }
      ])
    ])
    assert.deepStrictEqual(body, encode(hello).body)
  })

  it("can always be written, whatever models said before", () => {
    const part: FastCheck.Arbitrary<Message.AssistantPart> = FastCheck.oneof(
      FastCheck.record({ type: FastCheck.constant("text" as const), text: FastCheck.string() }),
      FastCheck.record({
        type: FastCheck.constant("tool-call" as const),
        id: FastCheck.string(),
        name: FastCheck.string(),
        arguments: FastCheck.oneof(FastCheck.json(), FastCheck.string())
      }),
      FastCheck.record({
        type: FastCheck.constant("reasoning" as const),
        text: FastCheck.string(),
        opaque: FastCheck.record({
          provider: FastCheck.constant("google-ai-studio"),
          data: FastCheck.jsonValue()
        })
      })
    )
    const result = FastCheck.record({
      type: FastCheck.constant("tool-result" as const),
      id: FastCheck.string(),
      name: FastCheck.string(),
      result: FastCheck.oneof(FastCheck.json(), FastCheck.string())
    })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(part),
        FastCheck.array(result),
        FastCheck.string({ unit: "binary" }),
        (parts, results, model) => {
          const { body } = encode([Message.assistant(parts), Message.toolResults(results)], {}, { model })
          JSON.stringify(body)
        }
      )
    )
  })
})

// --- whole answers ----------------------------------------------------------------------------------------------------

describe("a whole answer of Google", () => {
  it("gives text, reasoning, calls, citations and usage", () => {
    const [chunkA, chunkB, again] = sample.candidates[0]?.groundingMetadata.groundingChunks ?? []
    assert.deepStrictEqual(chunkA, again)
    assert.deepStrictEqual(decoded(sample), {
      parts: [
        { type: "reasoning", text: "A question of weather." },
        { type: "text", text: "It rains." },
        { type: "reasoning", text: "", opaque: opaque({ thoughtSignature: "c2ln" }) },
        { type: "tool-call", id: "fc-1", name: "umbrella", arguments: '{"colour":"red"}' },
        { type: "tool-call", id: "call_1", name: "now", arguments: "{}" }
      ],
      citations: [
        { url: "https://a.example", title: "A", text: "It rains.", raw: chunkA },
        { url: "https://b.example", title: "B", text: "It rains.\nAll day.", raw: chunkB }
      ],
      finishReason: "tool-calls",
      rawFinishReason: "STOP",
      usage: { input: 105, output: 50, cacheRead: 60, reasoning: 30, total: 155 },
      model: "gemini-2.5-flash-001"
    })
  })

  const reasons: ReadonlyArray<readonly [string, string]> = [
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content-filter"],
    ["RECITATION", "content-filter"],
    ["BLOCKLIST", "content-filter"],
    ["PROHIBITED_CONTENT", "content-filter"],
    ["SPII", "content-filter"],
    ["IMAGE_SAFETY", "content-filter"],
    ["IMAGE_PROHIBITED_CONTENT", "content-filter"],
    ["IMAGE_RECITATION", "content-filter"],
    ["MODEL_ARMOR", "content-filter"],
    ["MALFORMED_FUNCTION_CALL", "error"],
    ["UNEXPECTED_TOOL_CALL", "error"],
    ["TOO_MANY_TOOL_CALLS", "error"],
    ["LANGUAGE", "other"],
    ["OTHER", "other"],
    ["FINISH_REASON_UNSPECIFIED", "other"],
    ["SOMETHING_NEW", "other"]
  ]
  for (const [raw, reason] of reasons) {
    it(`calls ${raw} ${reason}, content or not`, () => {
      const bare = { finishReason: raw, index: 0 }
      for (const candidate of [
        bare,
        { ...bare, content: {} },
        { ...bare, content: { role: "model", parts: [] } }
      ]) {
        const { finishReason, rawFinishReason, parts } = decoded({ candidates: [candidate] })
        assert.strictEqual(finishReason, reason)
        assert.strictEqual(rawFinishReason, raw)
        assert.deepStrictEqual(parts, [])
      }
    })
  }

  it("is filtered, if the prompt was blocked", () => {
    const usageMetadata = { promptTokenCount: 7, totalTokenCount: 7 }
    for (const candidates of [undefined, []]) {
      const blocked = decoded({
        candidates,
        promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
        usageMetadata
      })
      assert.strictEqual(blocked.finishReason, "content-filter")
      assert.strictEqual(blocked.rawFinishReason, "PROHIBITED_CONTENT")
      assert.strictEqual(blocked.usage.input, 7)
      assert.deepStrictEqual(blocked.parts, [])
    }
  })

  it("is malformed, if it says nothing at all", () => {
    const usageMetadata = { promptTokenCount: 7 }
    assert.strictEqual(placeOf(faultOf({ usageMetadata })), "candidates")
    assert.strictEqual(placeOf(faultOf({ candidates: [], promptFeedback: {} })), "candidates")
    assert.strictEqual(placeOf(faultOf({ candidates: [{}] })), "candidates[0].content")
    assert.strictEqual(placeOf(faultOf({ candidates: [{ content: {} }] })), "candidates[0].content.parts")
  })

  it("keeps a signature with the part that it came with, and sends it back there", () => {
    const parts = [
      { text: "Thought.", thought: true, thoughtSignature: "a" },
      { functionCall: { name: "f", args: { x: 1 } }, thoughtSignature: "b" },
      { functionCall: { name: "g", args: {} } },
      { text: "Text.", thoughtSignature: "c" },
      { text: "", thoughtSignature: "d" }
    ]
    const { body } = encode([Message.assistant(decoded(answer(parts)).parts)])
    assert.deepStrictEqual(body.contents, [{ role: "model", parts }])
  })

  it("counts thoughts as output, and missing counts not at all", () => {
    const usageOf = (usageMetadata: unknown) => decoded({ ...answer([]), usageMetadata }).usage
    assert.deepInclude(usageOf({ promptTokenCount: 5, thoughtsTokenCount: 7 }), {
      input: 5,
      output: 7,
      reasoning: 7,
      total: 12
    })
    assert.deepStrictEqual(usageOf(null), {})
    assert.isUndefined(usageOf({ promptTokenCount: "5" }).input)
  })

  it("is the provider's error, bare or in an array", () => {
    const error = { error: { code: 429, message: "Quota", status: "RESOURCE_EXHAUSTED" } }
    assert.deepStrictEqual(faultOf(error), { _tag: "ErrorFault", json: error })
    assert.deepStrictEqual(faultOf([error]), { _tag: "ErrorFault", json: error })
    assert.deepStrictEqual(faultOf([answer([]), error]), { _tag: "ErrorFault", json: error })
    assert.strictEqual(placeOf(faultOf([answer([])])), "")
  })

  it("names the place of what is wrong", () => {
    const parts = "candidates[0].content.parts"
    assert.deepStrictEqual(faultOf(answer([{ text: "a" }, { text: 5 }])), {
      _tag: "MalformedFault",
      place: `${parts}[1].text`,
      problem: "expected text, found a number"
    })
    const places: ReadonlyArray<readonly [unknown, string]> = [
      [5, ""],
      [{ candidates: "x" }, "candidates"],
      [{ candidates: null }, "candidates"],
      [answer("x"), parts],
      [answer([null]), `${parts}[0]`],
      [answer([{ functionCall: null }]), `${parts}[0].functionCall`],
      [answer([{ functionCall: { args: {} } }]), `${parts}[0].functionCall.name`],
      [answer([{ functionCall: { name: "" } }]), `${parts}[0].functionCall.name`],
      [answer([{ functionCall: { name: "f", args: "{}" } }]), `${parts}[0].functionCall.args`],
      [answer([{ functionCall: { name: "f", willContinue: true } }]), `${parts}[0].functionCall.partialArgs`]
    ]
    for (const [json, place] of places) assert.strictEqual(placeOf(faultOf(json)), place)
  })

  it("answers or faults, whatever stands in any one place, and names the place of content", () => {
    const content =
      /^candidates(\[0\](\.content(\.parts(\[\d\](\.(text|functionCall(\.(name|args))?))?)?)?)?)?$/
    for (const path of pathsOf(sample)) {
      for (const value of wrongValues) {
        const result = wire.decode(replaceAt(sample, path, value))
        const place = placeName(path)
        const before = path.reduce<unknown>(
          (json, key) => (typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined),
          sample
        )
        const says = `${place} = ${JSON.stringify(value)}`
        const absent = place.endsWith(".args") && value === null
        if (kindOf(before) === kindOf(value)) {
          if (isFault(result) && result._tag === "MalformedFault") assert.include(result.place, place, says)
        } else if (path.length === 0) assert.isTrue(isFault(result), says)
        else if (content.test(place) && !absent) {
          assert.isTrue(isFault(result) && result._tag === "MalformedFault" && result.place === place, says)
        } else assert.isFalse(isFault(result), says)
      }
    }
  })

  it("never throws, whatever JSON it is", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), (json) => {
        wire.decode(json)
        wire.decode({ candidates: json, promptFeedback: json })
        wire.decode({ candidates: [json], usageMetadata: json, modelVersion: json })
        wire.decode({ candidates: [{ content: json, groundingMetadata: json, finishReason: json }] })
        wire.decode({
          candidates: [
            { finishReason: "STOP", groundingMetadata: { groundingChunks: json, groundingSupports: json } }
          ]
        })
        wire.decode(answer(json))
        wire.decode(answer([json, { text: json }]))
        wire.decode(answer([{ functionCall: json, thoughtSignature: json }]))
        wire.decode(answer([{ functionCall: { id: json, name: "f", args: json } }]))
      })
    )
  })

  it("is malformed, if a call's arguments are nested too deeply to be written", () => {
    const depth = 200_000
    const args = JSON.parse(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`)
    assert.strictEqual(
      placeOf(faultOf(answer([{ functionCall: { name: "f", args } }]))),
      "candidates[0].content.parts[0].functionCall.args"
    )
  })
})

// --- streams ----------------------------------------------------------------------------------------------------------

describe("a stream of Google", () => {
  it("gives text, the last usage and the finish", () => {
    const result = stream(
      chunk([{ text: "Hel" }], {}, { promptTokenCount: 8, totalTokenCount: 8 }),
      chunk([{ text: "lo" }], {}, { promptTokenCount: 8, candidatesTokenCount: 1, totalTokenCount: 9 }),
      chunk(
        [{ text: "" }],
        { finishReason: "STOP" },
        {
          promptTokenCount: 8,
          candidatesTokenCount: 2,
          thoughtsTokenCount: 5,
          totalTokenCount: 15
        }
      )
    )
    const usage = { input: 8, output: 7, cacheRead: undefined, reasoning: 5, total: 15 }
    assert.deepStrictEqual(result, {
      events: [
        { _tag: "TextDelta", text: "Hel" },
        { _tag: "TextDelta", text: "lo" },
        { _tag: "Usage", usage },
        { _tag: "Finish", finishReason: "stop", rawFinishReason: "STOP", usage, model: "gemini-2.5-flash" }
      ],
      fault: undefined,
      done: false
    })
  })

  it("reads usage that follows the finish, but not a trailing zero", () => {
    const result = stream(
      chunk([{ text: "Hi" }], { finishReason: "STOP" }, undefined),
      { usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 2, totalTokenCount: 10 } },
      { usageMetadata: { promptTokenCount: 0, candidatesTokenCount: 0, totalTokenCount: 0 } },
      { usageMetadata: {} }
    )
    assert.deepInclude(finishOf(result).usage, { input: 8, output: 2, total: 10 })
  })

  it("gives a call whole, on a chunk before the finish", () => {
    const result = stream(
      chunk([
        { functionCall: { name: "look", args: { at: "sky" } }, thoughtSignature: "c2ln" },
        { functionCall: { id: "fc-2", name: "now" } }
      ]),
      chunk([{ text: "" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(result.events.slice(0, -2), [
      { _tag: "ReasoningOpaque", provider: "google-ai-studio", data: { thoughtSignature: "c2ln" } },
      { _tag: "ToolCallDelta", index: 0, name: "look", arguments: '{"at":"sky"}' },
      { _tag: "ToolCall", index: 0, id: "call_0", name: "look", arguments: '{"at":"sky"}' },
      { _tag: "ToolCallDelta", index: 1, name: "now", arguments: "{}" },
      { _tag: "ToolCall", index: 1, id: "fc-2", name: "now", arguments: "{}" }
    ])
    assert.strictEqual(finishOf(result).finishReason, "tool-calls")
    assert.strictEqual(finishOf(result).rawFinishReason, "STOP")
  })

  it("gives thoughts before the answer, also in one chunk, and sends signatures back where they were", () => {
    const result = stream(
      chunk([{ text: "Let me ", thought: true }]),
      chunk([
        { text: "see.", thought: true },
        { text: "Yes", thoughtSignature: "a" }
      ]),
      chunk([{ functionCall: { name: "f", args: {} }, thoughtSignature: "b" }]),
      chunk([{ text: "", thoughtSignature: "c" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(result.events.slice(0, 4), [
      { _tag: "ReasoningDelta", text: "Let me " },
      { _tag: "ReasoningDelta", text: "see." },
      { _tag: "ReasoningOpaque", provider: "google-ai-studio", data: { thoughtSignature: "a" } },
      { _tag: "TextDelta", text: "Yes" }
    ])
    const { message } = ChatEvent.fold(result.events)
    assert.deepStrictEqual(encode([message]).body.contents, [
      {
        role: "model",
        parts: [
          { text: "Let me see.", thought: true },
          { text: "Yes", thoughtSignature: "a" },
          { functionCall: { name: "f", args: {} }, thoughtSignature: "b" },
          { text: "", thoughtSignature: "c" }
        ]
      }
    ])
  })

  it("sends a thought's own signature back on the thought", () => {
    const { events } = stream(
      chunk([{ text: "Hm.", thought: true, thoughtSignature: "a" }]),
      chunk([{ text: "Hi" }], { finishReason: "STOP" })
    )
    assert.deepStrictEqual(encode([ChatEvent.fold(events).message]).body.contents, [
      {
        role: "model",
        parts: [{ text: "Hm.", thought: true, thoughtSignature: "a" }, { text: "Hi" }]
      }
    ])
  })

  it("names every source once, with the words that it supports", () => {
    const groundingChunks = [{ web: { uri: "https://a.example", title: "A" } }]
    const groundingSupports = [{ segment: { text: "Rain." }, groundingChunkIndices: [0] }]
    const { events } = stream(
      chunk([{ text: "Rain." }], { groundingMetadata: {} }),
      chunk([{ text: " Yes." }], { groundingMetadata: { groundingChunks } }),
      chunk([{ text: "" }], {
        finishReason: "STOP",
        groundingMetadata: { groundingChunks, groundingSupports }
      })
    )
    assert.deepStrictEqual(
      events.filter(({ _tag }) => _tag === "Citation"),
      [
        {
          _tag: "Citation",
          citation: { url: "https://a.example", title: "A", text: "Rain.", raw: groundingChunks[0] }
        }
      ]
    )
  })

  it("stops at the limit with nothing but thoughts", () => {
    const result = stream({
      candidates: [{ finishReason: "MAX_TOKENS", index: 0 }],
      usageMetadata: { promptTokenCount: 8, thoughtsTokenCount: 100, totalTokenCount: 108 }
    })
    assert.strictEqual(finishOf(result).finishReason, "length")
    assert.strictEqual(finishOf(result).usage.output, 100)
  })

  it("is filtered, without content or with a blocked prompt", () => {
    const safety = stream(chunk([{ text: "Well" }]), {
      candidates: [{ content: {}, finishReason: "SAFETY" }]
    })
    assert.strictEqual(finishOf(safety).finishReason, "content-filter")
    const blocked = stream({
      promptFeedback: { blockReason: "SAFETY" },
      usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 }
    })
    assert.deepInclude(finishOf(blocked), { finishReason: "content-filter", rawFinishReason: "SAFETY" })
    assert.strictEqual(finishOf(blocked).usage.input, 8)
  })

  it("lets the last reason count", () => {
    const result = stream(
      chunk([{ text: "a" }], { finishReason: "STOP" }),
      chunk([{ text: "b" }], { finishReason: "SAFETY" })
    )
    assert.strictEqual(finishOf(result).rawFinishReason, "SAFETY")
  })

  it("ends with the provider's error, bare or in an array, and keeps what came before", () => {
    const error = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }
    for (const event of [error, [error]]) {
      assert.deepStrictEqual(stream(chunk([{ text: "Hi" }]), event), {
        events: [{ _tag: "TextDelta", text: "Hi" }],
        fault: { _tag: "ErrorFault", json: error },
        done: false
      })
    }
  })

  it("is cut off, if it ends before the model did", () => {
    assert.deepStrictEqual(stream(chunk([{ text: "Hi" }])), {
      events: [{ _tag: "TextDelta", text: "Hi" }],
      fault: { _tag: "TruncatedFault" },
      done: false
    })
    assert.strictEqual(stream()?.fault?._tag, "TruncatedFault")
    assert.strictEqual(stream({ usageMetadata: { promptTokenCount: 1 } }).fault?._tag, "TruncatedFault")
  })

  it("names the place of what is wrong, and keeps the parts before it", () => {
    const parts = "candidates[0].content.parts"
    const result = stream(chunk([{ text: "a" }, { text: "b" }, { text: {} }, { text: "c" }]))
    assert.strictEqual(placeOf(result.fault), `${parts}[2].text`)
    assert.strictEqual(result.events.length, 2)
    assert.strictEqual(placeOf(stream(chunk("x")).fault), parts)
    assert.strictEqual(placeOf(stream({ candidates: [{ content: null }] }).fault), "candidates[0].content")
    assert.strictEqual(placeOf(stream({ candidates: [5] }).fault), "candidates[0]")
    assert.strictEqual(placeOf(stream({ candidates: {} }).fault), "candidates")
    assert.strictEqual(placeOf(stream([]).fault), "data")
    assert.strictEqual(placeOf(streamTexts("{broken").fault), "data")
  })

  const whole = [
    chunk([{ text: "Hm.", thought: true, thoughtSignature: "a" }]),
    chunk([{ text: "Hi" }], { groundingMetadata: { groundingChunks: [{ web: { uri: "u" } }] } }),
    chunk([{ functionCall: { id: "i", name: "f", args: { x: 1 } } }]),
    chunk([{ text: "" }], { finishReason: "STOP" })
  ]

  it("never throws, whatever stands in any one place, and ends in exactly one way", () => {
    for (const path of pathsOf(whole)) {
      if (path.length === 0) continue
      for (const value of wrongValues) {
        const events = replaceAt(whole, path, value)
        if (!Array.isArray(events)) return assert.fail()
        const result = stream(...events)
        const finishes = result.events.filter(({ _tag }) => _tag === "Finish").length
        assert.strictEqual(finishes, result.fault === undefined ? 1 : 0, placeName(path))
      }
    }
  })

  it("never throws, whatever it is fed", () => {
    const data = FastCheck.oneof(
      FastCheck.json(),
      FastCheck.string(),
      FastCheck.jsonValue().map((json) => JSON.stringify(chunk([json]))),
      FastCheck.jsonValue().map((json) => JSON.stringify(chunk([{ text: "a" }, { functionCall: json }]))),
      FastCheck.jsonValue().map((json) =>
        JSON.stringify(chunk([], { groundingMetadata: { groundingChunks: json }, finishReason: json }, json))
      ),
      FastCheck.jsonValue().map((json) => JSON.stringify({ candidates: json, promptFeedback: json }))
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(data), (events) => {
        // Goes on after a fault, which a driver does not, and still must not throw.
        const decoder = wire.decoder()
        const out: Array<ChatEvent.ChatEvent> = []
        for (const event of events) decoder.event(event, undefined, out)
        decoder.end(out)
      })
    )
  })
})
