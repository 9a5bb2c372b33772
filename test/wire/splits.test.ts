import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck as fc, Stream } from "effect"
import { type ChatEvent, GatewayMetadata } from "effect-ai-gateway"
import { EventReader } from "../../src/internal/eventReader.js"
import type { GatewayResponse } from "../../src/internal/exchange.js"
import type { ByteSource } from "../../src/internal/transport/byteSource.js"
import * as AnthropicMessages from "../../src/internal/wire/anthropicMessages.js"
import * as GoogleGenerateContent from "../../src/internal/wire/googleGenerateContent.js"
import * as OpenAiChat from "../../src/internal/wire/openAiChat.js"
import type { Wire } from "../../src/internal/wire/wire.js"
import * as WorkersAi from "../../src/internal/wire/workersAi.js"

// --- what the providers send ------------------------------------------------------------------------------------------

/** Characters of two, three and four bytes, joined ones among them, and what looks like a line end but is none. */
const spoken = [
  "Grüße",
  ", 世界! ",
  "👩‍🚀 ",
  "na\u0308\u2028ve\u0085 ",
  'a "quote" \\ \\n data: [DONE] ',
  "\uFEFFend"
]

const sse = (json: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(json)}\n\n`
const comment = ": keep-alive, für 世界 👋\n\n"
const noise = "id: 7\nretry: 10\nfoo: ü\n\n:\n"

const openAi = (): string => {
  const chunk = (delta: unknown, finish: string | null = null) =>
    sse({ id: "c", model: "gpt-4.1-mini", choices: [{ index: 0, delta, finish_reason: finish }] })
  const call = (piece: unknown) => chunk({ tool_calls: [piece] })
  return [
    comment,
    chunk({ role: "assistant", content: "" }),
    ...spoken.map((content) => chunk({ content })),
    noise,
    call({ index: 0, id: "a", function: { name: "wetter", arguments: '{"ort":"Zü' } }),
    comment,
    call({ index: 0, function: { arguments: 'rich 🏔"}' } }),
    chunk({}, "tool_calls"),
    sse({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 } }),
    "data: [DONE]\n\n"
  ].join("")
}

const anthropic = (): string => {
  const named = (json: { readonly type: string; readonly [key: string]: unknown }) => sse(json, json.type)
  const block = (index: number, content_block: unknown) =>
    named({ type: "content_block_start", index, content_block })
  const delta = (index: number, delta: unknown) => named({ type: "content_block_delta", index, delta })
  const stop = (index: number) => named({ type: "content_block_stop", index })
  return [
    named({
      type: "message_start",
      message: { model: "claude-haiku-4-5", usage: { input_tokens: 9, output_tokens: 1 } }
    }),
    block(0, { type: "thinking", thinking: "" }),
    named({ type: "ping" }),
    delta(0, { type: "thinking_delta", thinking: "Hm, 世…" }),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    stop(0),
    comment,
    block(1, { type: "text", text: "" }),
    ...spoken.map((text) => delta(1, { type: "text_delta", text })),
    stop(1),
    noise,
    block(2, { type: "tool_use", id: "t", name: "wetter", input: {} }),
    delta(2, { type: "input_json_delta", partial_json: '{"ort":"Zü' }),
    delta(2, { type: "input_json_delta", partial_json: 'rich 🏔"}' }),
    stop(2),
    named({ type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 12 } }),
    named({ type: "message_stop" })
  ].join("")
}

const google = (): string => {
  const chunk = (parts: ReadonlyArray<unknown>, more: object = {}, top: object = {}) =>
    sse({
      candidates: [{ content: { role: "model", parts }, ...more }],
      modelVersion: "gemini-2.5-flash",
      ...top
    })
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 12, totalTokenCount: 21 }
  return [
    comment,
    chunk([{ text: "Hm, 世…", thought: true }]),
    ...spoken.map((text) => chunk([{ text }])),
    noise,
    chunk([{ functionCall: { name: "wetter", args: { ort: "Zürich 🏔" } }, thoughtSignature: "c2ln" }]),
    comment,
    chunk([], { finishReason: "STOP" }, { usageMetadata })
  ].join("")
}

const workersAi = (): string =>
  [
    comment,
    ...spoken.map((response) => sse({ response, p: "abcdefgh" })),
    noise,
    sse({ response: "", tool_calls: [{ name: "wetter", arguments: { ort: "Zürich 🏔" } }] }),
    comment,
    sse({ response: "", usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 } }),
    "data: [DONE]\n\n"
  ].join("")

const openAiWire = OpenAiChat.make({
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: () => []
})

const formats: ReadonlyArray<readonly [string, Wire, string]> = [
  ["OpenAI chat", openAiWire, openAi()],
  ["Anthropic messages", AnthropicMessages.wire, anthropic()],
  ["Google generateContent", GoogleGenerateContent.wire, google()],
  ["Workers AI", WorkersAi.wire, workersAi()]
]

// --- reading them -----------------------------------------------------------------------------------------------------

interface Read {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  /** The error at its end, if there was one. */
  readonly error: string | undefined
}

/** A body whose network reads are exactly these. */
const bodyOf = (pieces: ReadonlyArray<Uint8Array>): ByteSource => {
  let next = 0
  return {
    pull(sink) {
      const piece = pieces[next++]
      if (piece === undefined) sink.end()
      else sink.bytes(piece)
    },
    cancel: () => undefined
  }
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

const read = (wire: Wire, pieces: ReadonlyArray<Uint8Array>, type = "text/event-stream"): Read => {
  const asked = { provider: "provider", model: "model" }
  const reader = new EventReader(responseOf(type), bodyOf(pieces), wire, asked, undefined)
  const events: Array<ChatEvent.ChatEvent> = []
  const all: Effect.Effect<void, { readonly _tag: string; readonly message: string }> = Effect.flatMap(
    reader.next,
    (found) => {
      if (found === undefined) return Effect.void
      events.push(...found)
      return all
    }
  )
  const exit = Effect.runSync(Effect.exit(Effect.mapError(all, ({ _tag, message }) => `${_tag}: ${message}`)))
  return {
    events,
    error: Exit.match(exit, {
      onSuccess: () => undefined,
      onFailure: (cause) => (cause._tag === "Fail" ? cause.error : `a defect: ${String(cause)}`)
    })
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((place, n) => bytes.subarray(at[n], place))
}

/** The same events in bytes: with other line ends, and with a byte order mark before them. */
const variantsOf = (body: string): ReadonlyArray<Uint8Array> =>
  ["\n", "\r\n", "\r"].flatMap((end) => {
    const text = body.replaceAll("\n", end)
    return [encode(text), encode(`\uFEFF${text}`)]
  })

// Cuts may fall together: a network read may be empty.
const cuts = fc.array(fc.nat(), { maxLength: 24, size: "max" })

const everySplit = (
  bodies: ReadonlyArray<Uint8Array>,
  numRuns: number,
  check: (pieces: ReadonlyArray<Uint8Array>) => void
) =>
  fc.assert(
    fc.property(fc.constantFrom(...bodies), cuts, (bytes, places) => check(cutAt(bytes, places))),
    { numRuns }
  )

describe("90. however the bytes of a stream are cut", () => {
  for (const [format, wire, body] of formats) {
    const expected = read(wire, [encode(body)])
    const variants = variantsOf(body)

    it(`${format}: uncut, the answer is whole`, () => {
      assert.isUndefined(expected.error)
      const texts = expected.events.map((event) => (event._tag === "TextDelta" ? event.text : ""))
      assert.strictEqual(texts.join(""), spoken.join(""))
      const call = expected.events.find(({ _tag }) => _tag === "ToolCall")
      assert.deepStrictEqual(call?._tag === "ToolCall" && JSON.parse(call.arguments), { ort: "Zürich 🏔" })
      assert.deepInclude(expected.events.at(-1), { _tag: "Finish", finishReason: "tool-calls" })
    })

    it(`${format}: 10,000 random splits, with any line end, with a byte order mark or without, give its events`, () => {
      everySplit(variants, 10_000, (pieces) => assert.deepStrictEqual(read(wire, pieces), expected))
    }, 60_000)

    it(`${format}: two pieces, cut at each single byte, give its events`, () => {
      const [, , , bytes] = variants
      if (bytes === undefined) return assert.fail()
      for (let at = 0; at <= bytes.length; at++) {
        assert.deepStrictEqual(read(wire, cutAt(bytes, [at])), expected, `cut at byte ${at}`)
      }
    })

    it(`${format}: one byte at a time gives its events`, () => {
      for (const bytes of variants) {
        assert.deepStrictEqual(read(wire, cutAt(bytes, [...bytes.keys()])), expected)
      }
    })

    it(`${format}: under another content type, 500 random splits give its events`, () => {
      everySplit(variants, 500, (pieces) =>
        assert.deepStrictEqual(read(wire, pieces, "application/json"), expected)
      )
    })

    const begun = body.slice(0, body.indexOf(spoken[3] ?? ""))
    const lastFrame = begun.slice(0, begun.lastIndexOf("\n\n") + 2)
    const failures: ReadonlyArray<readonly [string, Uint8Array, string]> = [
      ["that is cut off between two events", encode(lastFrame), "TransportFailure"],
      ["that is cut off in the middle of an event", encode(begun), "TransportFailure"],
      [
        "that is cut off in the middle of a character",
        encode(`${lastFrame}data: 世`).subarray(0, -1),
        "TransportFailure"
      ],
      [
        "with an error in an event",
        encode(`${lastFrame}${sse({ error: { code: 503, message: "Überlastet 世" } }, "error")}`),
        "ProviderFailure"
      ],
      [
        "with a bare JSON error behind its events",
        encode(`${lastFrame}${JSON.stringify({ error: { code: 503, message: "Überlastet 世" } }, null, 2)}`),
        "ProviderFailure"
      ],
      ["with something that is not JSON", encode(`${lastFrame}data: <html>ü</html>\n\n`), "MalformedResponse"]
    ]
    for (const [what, bytes, tag] of failures) {
      it(`${format}: a stream ${what} gives the same events and the same error`, () => {
        const whole = read(wire, [bytes])
        assert.match(whole.error ?? "no error", new RegExp(`^${tag}: `))
        assert.isNotEmpty(whole.events)
        everySplit([bytes], 200, (pieces) => assert.deepStrictEqual(read(wire, pieces), whole))
      })
    }
  }
})
