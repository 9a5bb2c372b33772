import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type { ChatEvent } from "../../src/ChatEvent.js"
import * as ChatRequest from "../../src/ChatRequest.js"
import { idOf, isRunning, wire } from "../../src/internal/wire/replicate.js"
import { type Fault, isFault } from "../../src/internal/wire/wire.js"
import * as Message from "../../src/Message.js"
import * as Tool from "../../src/Tool.js"
import { anyRequest, silentlyDropped } from "./anyRequest.js"

const encode = (input: ChatRequest.Input, model = "meta/meta-llama-3-8b-instruct") =>
  wire.encode({
    model,
    stream: false,
    provider: "replicate",
    request: Either.getOrThrow(ChatRequest.fromInput(input))
  })

const stream = (predictions: ReadonlyArray<unknown>) => {
  const decoder = wire.decoder()
  const events: Array<ChatEvent> = []
  let fault: Fault | undefined
  for (const prediction of predictions) {
    fault = decoder.event(JSON.stringify(prediction), undefined, events)
    if (fault !== undefined || decoder.done()) break
  }
  return { events, fault: fault ?? decoder.end(events) }
}

const prediction = (status: string, output: unknown, more: object = {}) => ({
  id: "gm3qorzdhgbfurvjtvhg6dckhu",
  status,
  output,
  error: null,
  ...more
})

describe("a request to Replicate", () => {
  it("names the model, and carries one message as the prompt", () => {
    assert.deepStrictEqual(
      encode({ prompt: "Hi", system: "Be brief.", maxTokens: 10, temperature: 0, topK: 3, stop: ["a", "b"] }),
      {
        endpoint: "predictions",
        headers: { prefer: "wait" },
        body: {
          version: "meta/meta-llama-3-8b-instruct",
          input: {
            prompt: "Hi",
            system_prompt: "Be brief.",
            max_tokens: 10,
            temperature: 0,
            top_k: 3,
            stop_sequences: "a,b"
          }
        },
        unsupported: []
      }
    )
  })

  it("carries a conversation as a transcript", () => {
    const { body } = encode([
      { role: "user", content: "One" },
      { role: "assistant", content: "Two" },
      { role: "user", content: "Three" }
    ])
    assert.deepStrictEqual(body.input, { prompt: "User: One\n\nAssistant: Two\n\nUser: Three\n\nAssistant:" })
  })

  it("says what it cannot carry", () => {
    assert.deepStrictEqual(encode({ prompt: "Hi", stop: ["a,b"] }).unsupported, ["stop"])
    assert.deepStrictEqual(
      encode([
        { role: "assistant", content: [{ type: "tool-call", id: "1", name: "f", arguments: "{}" }] },
        { role: "tool", content: [{ type: "tool-result", id: "1", name: "f", result: "{}" }] }
      ]).unsupported,
      ["tool calls in messages"]
    )
    const tools = [Tool.make("f")]
    const { body, unsupported } = encode({
      messages: [
        Message.user([
          Message.textPart("Look."),
          Message.image("https://a.example/cat.png"),
          Message.file("https://a.example/paper.pdf")
        ])
      ],
      tools,
      toolChoice: "required",
      parallelToolCalls: false,
      output: { name: "o", jsonSchema: { type: "object", properties: {} } },
      reasoningEffort: "low"
    })
    assert.deepStrictEqual(unsupported, [
      "images",
      "files",
      "tools",
      "toolChoice",
      "parallelToolCalls",
      "output",
      "reasoningEffort"
    ])
    assert.deepStrictEqual(body.input, { prompt: "Look." })
    assert.deepStrictEqual(encode({ prompt: "Hi", tools: [], parallelToolCalls: false }).unsupported, [])
  })

  it("drops nothing silently", () => {
    FastCheck.assert(
      FastCheck.property(anyRequest, (request) => {
        const dropped = silentlyDropped(wire, request, { model: "meta/llama", provider: "replicate" })
        assert.deepStrictEqual(
          dropped.filter((what) => what !== "parallelToolCalls" || request.tools !== undefined),
          []
        )
      }),
      { numRuns: 250 }
    )
  })

  it("calls the limit of OpenAI's models as they do", () => {
    assert.deepStrictEqual(encode({ prompt: "Hi", maxTokens: 5 }, "openai/gpt-5-mini").body.input, {
      prompt: "Hi",
      max_completion_tokens: 5
    })
  })
})

describe("a prediction", () => {
  it("that succeeded is an answer, with tokens where they were counted", () => {
    assert.deepStrictEqual(
      wire.decode(
        prediction("succeeded", ["He", "llo"], {
          model: "meta/llama",
          metrics: { input_token_count: 3, output_token_count: 2, predict_time: 0.1 }
        })
      ),
      {
        parts: [{ type: "text", text: "Hello" }],
        citations: [],
        finishReason: "stop",
        rawFinishReason: "succeeded",
        usage: { input: 3, output: 2, total: 5 },
        model: "meta/llama"
      }
    )
  })

  it("may give its text in one piece, or none", () => {
    const one = wire.decode(prediction("succeeded", "Hello"))
    assert.deepStrictEqual(isFault(one) ? one : one.parts, [{ type: "text", text: "Hello" }])
    const none = wire.decode(prediction("succeeded", []))
    assert.deepStrictEqual(isFault(none) ? none : none.parts, [])
  })

  it("that is not text is malformed, and says where", () => {
    for (const [output, place] of [
      [null, "output"],
      [{ a: 1 }, "output"],
      [["a", 1], "output[1]"]
    ] as const) {
      const decoded = wire.decode(prediction("succeeded", output))
      assert.isTrue(isFault(decoded) && decoded._tag === "MalformedFault" && decoded.place === place)
    }
  })

  it("that is not over is no answer", () => {
    assert.deepStrictEqual(wire.decode(prediction("processing", ["a"])), { _tag: "TruncatedFault" })
  })

  it("has an id that can stand in a path, or none", () => {
    assert.strictEqual(idOf({ id: "gm3qorzdhgbfurvjtvhg6dckhu" }), "gm3qorzdhgbfurvjtvhg6dckhu")
    for (const id of ["", "..", "a/b", "a?b", "a%2e", "a\nb", 7, null, "x".repeat(129)])
      assert.strictEqual(idOf({ id }), undefined)
  })
})

describe("predictions in a row", () => {
  it("give each piece once", () => {
    const { events, fault } = stream([
      prediction("starting", null),
      prediction("processing", []),
      prediction("processing", ["Hel"]),
      prediction("processing", ["Hel"]),
      prediction("processing", ["Hel", "lo", " you"]),
      prediction("succeeded", ["Hel", "lo", " you", "!"], { metrics: { output_token_count: 4 } })
    ])
    assert.strictEqual(fault, undefined)
    assert.deepStrictEqual(events, [
      { _tag: "TextDelta", text: "Hel" },
      { _tag: "TextDelta", text: "lo you" },
      { _tag: "TextDelta", text: "!" },
      { _tag: "Usage", usage: { input: undefined, output: 4, total: 4 } },
      {
        _tag: "Finish",
        finishReason: "stop",
        rawFinishReason: "succeeded",
        usage: { input: undefined, output: 4, total: 4 },
        model: undefined
      }
    ])
  })

  it("that take back what was said are malformed", () => {
    const { fault } = stream([prediction("processing", ["Hello"]), prediction("processing", ["Hallo"])])
    assert.strictEqual(fault?._tag, "MalformedFault")
  })

  it("that end early are cut off", () => {
    assert.strictEqual(stream([prediction("processing", ["Hello"])]).fault?._tag, "TruncatedFault")
  })
})

describe("whatever comes", () => {
  const any = FastCheck.oneof(
    FastCheck.jsonValue(),
    FastCheck.record(
      {
        id: FastCheck.jsonValue(),
        status: FastCheck.oneof(
          FastCheck.constantFrom("starting", "processing", "succeeded", "failed", "canceled", "aborted"),
          FastCheck.jsonValue()
        ),
        output: FastCheck.oneof(FastCheck.array(FastCheck.string()), FastCheck.jsonValue()),
        error: FastCheck.jsonValue(),
        metrics: FastCheck.jsonValue(),
        model: FastCheck.jsonValue()
      },
      { requiredKeys: [] }
    )
  )

  it("nothing throws, and a stream ends with one Finish or a fault", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(any, { maxLength: 5 }), (predictions) => {
        for (const json of predictions) {
          wire.decode(json)
          if (isRunning(json)) idOf(json)
        }
        const { events, fault } = stream(predictions)
        const finishes = events.filter((event) => event._tag === "Finish").length
        assert.strictEqual(finishes, fault === undefined ? 1 : 0)
      })
    )
  })

  it("text that grows in any steps arrives whole", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.string()),
        FastCheck.array(FastCheck.nat(), { maxLength: 6 }),
        (pieces, cuts) => {
          const steps = cuts.map((cut) => cut % (pieces.length + 1)).sort((a, b) => a - b)
          const { events } = stream([
            ...steps.map((step) => prediction("processing", pieces.slice(0, step))),
            prediction("succeeded", pieces)
          ])
          const said = events.flatMap((event) => (event._tag === "TextDelta" ? [event.text] : []))
          assert.strictEqual(said.join(""), pieces.join(""))
          assert.isTrue(said.every((text) => text !== ""))
        }
      )
    )
  })
})
