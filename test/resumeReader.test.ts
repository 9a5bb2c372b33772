import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { type ChatEvent, GatewayMetadata } from "effect-ai-gateway"
import { type LegError, MalformedResponse, ResumeFailed } from "../src/internal/errors.js"
import { EventReader } from "../src/internal/eventReader.js"
import type { GatewayResponse } from "../src/internal/exchange.js"
import { Response } from "../src/internal/gatewayResponse.js"
import type { ResumeOptions } from "../src/internal/resume/policy.js"
import { resumable } from "../src/internal/resume/resumable.js"
import type { IncomingResponse } from "../src/internal/transport/transport.js"
import * as AnthropicMessages from "../src/internal/wire/anthropicMessages.js"
import * as OpenAiChat from "../src/internal/wire/openAiChat.js"
import type { Reader } from "../src/internal/wire/wire.js"
import * as WorkersAi from "../src/internal/wire/workersAi.js"
import { connect, delta, done, type Ending, streamOf } from "./resumeServer.js"

const openAi = OpenAiChat.make({
  endpoint: "chat/completions",
  maxTokens: "max_completion_tokens",
  askForUsage: true,
  refuses: () => []
})
const asked = { provider: "anthropic", model: "anthropic/claude-haiku-4.5" }
const headers = { "content-type": "text/event-stream", "cf-aig-log-id": "log-1", "cf-aig-run-id": "run-1" }

const readerOf = (incoming: IncomingResponse, wire: Reader = openAi) => {
  const response: GatewayResponse = new Response(incoming, asked, (text) => text)
  return new EventReader(response, incoming.body, wire, asked, undefined)
}

interface Read {
  readonly events: ReadonlyArray<ChatEvent.ChatEvent>
  readonly error: LegError | undefined
}

const collect = (reader: EventReader): Effect.Effect<Read> => {
  const events: Array<ChatEvent.ChatEvent> = []
  const all: Effect.Effect<void, LegError> = Effect.flatMap(reader.next, (found) => {
    if (found === undefined) return Effect.void
    events.push(...found)
    return all
  })
  return Effect.map(Effect.exit(all), (exit) => ({
    events,
    error: Exit.isFailure(exit) && exit.cause._tag === "Fail" ? exit.cause.error : undefined
  }))
}

const textOf = (events: Read["events"]): string =>
  events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")

const answer = [delta("Hel"), delta("lo"), delta("", "stop"), done]

describe("111. content types are not trusted", () => {
  const types: ReadonlyArray<string | undefined> = [
    undefined,
    "",
    "application/octet-stream",
    "text/plain;charset=UTF-8",
    "application/json"
  ]
  const typed = (type: string | undefined): Record<string, string> =>
    type === undefined ? {} : { "content-type": type }
  const beginnings: ReadonlyArray<readonly [string, string]> = [
    ["data", ""],
    ["a comment", ": hello\n\n"],
    ["an event's name", "event: x\n"],
    ["an id", "id: 1\n"],
    ["a retry", "retry: 10\n\n"],
    ["blank lines", "\r\n\n \n"],
    ["a byte order mark", "\uFEFF"]
  ]
  for (const type of types) {
    for (const [what, before] of beginnings) {
      it.effect(`a stream of ${type ?? "no type"} that begins with ${what} is read as it comes`, () =>
        Effect.gen(function* () {
          for (const chunk of [1, 3, 1000]) {
            const body = before + streamOf(answer.slice(0, 2))
            const reader = readerOf(connect({ body, chunk, ending: "stall" }, 200, typed(type)).response)
            let text = ""
            while (text !== "Hello") text += textOf((yield* reader.next) ?? assert.fail("it ended"))
          }
        })
      )
    }

    it.effect(`a JSON body of ${type ?? "no type"} is read whole`, () =>
      Effect.gen(function* () {
        const json = { choices: [{ message: { content: "data: 1\n\n" }, finish_reason: "stop" }] }
        for (const before of ["", "\uFEFF", "\n  "]) {
          for (const chunk of [1, 1000]) {
            const body = before + JSON.stringify(json)
            const read = yield* collect(readerOf(connect({ body, chunk }, 200, typed(type)).response))
            assert.isUndefined(read.error)
            assert.strictEqual(textOf(read.events), "data: 1\n\n")
          }
        }
      })
    )

    it.effect(`a page or a text of ${type ?? "no type"} is malformed`, () =>
      Effect.gen(function* () {
        for (const body of ["<html>data: 1</html>", "database down", "eve", "d", ""]) {
          const read = yield* collect(readerOf(connect({ body, chunk: 1 }, 200, typed(type)).response))
          assert.strictEqual(read.error?._tag, "MalformedResponse", body)
        }
      })
    )
  }

  it.effect("a hundred thousand blank reads before the first event take no quadratic time", () =>
    Effect.gen(function* () {
      const body = "\n".repeat(100_000) + streamOf(answer)
      const reader = readerOf(connect({ body, chunk: 50 }, 200, {}).response)
      const started = performance.now()
      assert.strictEqual(textOf((yield* collect(reader)).events), "Hello")
      assert.isBelow(performance.now() - started, 2000)
    })
  )
})

// --- resumed streams, read to their events ------------------------------------------------------------------------------

const resumed = (
  first: string,
  second: readonly [number, string],
  { wire, ending = "broken", resume = {} }: { wire?: Reader; ending?: Ending; resume?: ResumeOptions } = {}
) =>
  Effect.gen(function* () {
    const [status, body] = second
    const response = yield* resumable({
      first: connect({ body: first, ending }, 200, headers).response,
      runId: "run-1",
      from: 0,
      reconnect: () => Effect.succeed(connect({ body }, status).response),
      resume,
      asked
    })
    const reader = readerOf(response, wire)
    const fiber = yield* Effect.fork(collect(reader))
    for (let n = 0; n < 20; n++) yield* TestClock.adjust("1 second")
    return { ...(yield* Fiber.join(fiber)), reader }
  })

const accept: ResumeOptions = { whenExpired: "accept" }

describe("102. the events of a stream that was taken up again", () => {
  it.effect("are those of one that did not drop", () =>
    Effect.gen(function* () {
      const whole = yield* collect(readerOf(connect({ body: streamOf(answer) }, 200, headers).response))
      const read = yield* resumed(`${streamOf(answer.slice(0, 1))}data: {"cho`, [
        200,
        streamOf(answer.slice(1))
      ])
      assert.isUndefined(read.error)
      assert.deepStrictEqual(read.events, whole.events)
    })
  )

  it.effect("a body that ends too early, and has nothing more to say, is a stream that was cut off", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(answer.slice(0, 1)), [200, ""], { ending: "end" })
      assert.strictEqual(textOf(read.events), "Hel")
      assert.strictEqual(read.error?._tag, "TransportFailure")
      assert.include(read.error?.message, "cut off")
    })
  )
})

describe("105. a run that is gone", () => {
  it.effect("fails with ResumeFailed, after the events that came, with what the response told", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(answer.slice(0, 2)), [404, ""])
      assert.strictEqual(textOf(read.events), "Hello")
      if (read.error?._tag !== "ResumeFailed") return assert.fail(String(read.error))
      assert.deepInclude(read.error, { reason: "expired", from: 2, logId: "log-1", status: 404, ...asked })
      assert.strictEqual(read.error.gateway?.runId, "run-1")
    })
  )

  it.effect("under the accepting policy the answer ends with what has come: other, expired", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(answer.slice(0, 2)), [404, ""], { resume: accept })
      assert.isUndefined(read.error)
      assert.strictEqual(textOf(read.events), "Hello")
      assert.deepStrictEqual(read.events.at(-1), {
        _tag: "Finish",
        finishReason: "other",
        rawFinishReason: "expired",
        usage: {},
        model: undefined
      })
      assert.strictEqual(read.events.filter(({ _tag }) => _tag === "Finish").length, 1)
      assert.isTrue(read.reader.ended)
    })
  )

  const begun = [
    'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-haiku-4-5","usage":{"input_tokens":9,"output_tokens":1}}}',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I look"}}',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}',
    'event: content_block_start\ndata: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"weather","input":{}}}',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\":"}}'
  ]

  it.effect("Anthropic: with the tokens and the model that are known, and without the half of a call", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(begun), [404, ""], {
        wire: AnthropicMessages.wire,
        resume: accept
      })
      assert.isUndefined(read.error)
      const tags = read.events.map(({ _tag }) => _tag)
      assert.notInclude(tags, "ToolCall")
      assert.deepStrictEqual(tags.slice(-2), ["Usage", "Finish"])
      const finish = read.events.at(-1)
      if (finish?._tag !== "Finish") return assert.fail()
      assert.deepInclude(finish, {
        finishReason: "other",
        rawFinishReason: "expired",
        model: "claude-haiku-4-5"
      })
      assert.strictEqual(finish.usage.input, 9)
    })
  )

  it.effect("OpenAI: running totals are kept, and the half of a call is not made up", () =>
    Effect.gen(function* () {
      const call = { index: 0, id: "a", function: { name: "weather", arguments: '{"city":' } }
      const chunk = {
        model: "gpt-5",
        usage: { prompt_tokens: 3, completion_tokens: 2 },
        choices: [{ delta: { tool_calls: [call] } }]
      }
      const read = yield* resumed(streamOf([delta("Hm"), `data: ${JSON.stringify(chunk)}`]), [404, ""], {
        resume: accept
      })
      assert.notInclude(
        read.events.map(({ _tag }) => _tag),
        "ToolCall"
      )
      const finish = read.events.at(-1)
      assert.deepInclude(finish, { _tag: "Finish", rawFinishReason: "expired", model: "gpt-5" })
      assert.strictEqual(finish?._tag === "Finish" && finish.usage.input, 3)
    })
  )

  it.effect("Workers AI: likewise", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(['data: {"response":"Hm"}']), [404, ""], {
        wire: WorkersAi.wire,
        resume: accept
      })
      assert.strictEqual(textOf(read.events), "Hm")
      assert.deepInclude(read.events.at(-1), {
        _tag: "Finish",
        finishReason: "other",
        rawFinishReason: "expired"
      })
    })
  )

  it.effect("a model that had finished keeps its own reason", () =>
    Effect.gen(function* () {
      const read = yield* resumed(streamOf(answer.slice(0, 3)), [404, ""], { resume: accept })
      assert.deepInclude(read.events.at(-1), {
        _tag: "Finish",
        finishReason: "stop",
        rawFinishReason: "stop"
      })
    })
  )

  it.effect("before anything has come it fails by any policy", () =>
    Effect.gen(function* () {
      const read = yield* resumed("", [404, ""], { resume: accept })
      assert.strictEqual(read.error?._tag, "ResumeFailed")
      assert.deepStrictEqual(read.events, [])
    })
  )

  it.effect("whoever reads the answer as a text fails, by any policy", () =>
    Effect.gen(function* () {
      const response = yield* resumable({
        first: connect({ body: streamOf(answer.slice(0, 2)), ending: "broken" }, 200, headers).response,
        runId: "run-1",
        from: 0,
        reconnect: () => Effect.succeed(connect({ body: "" }, 404).response),
        resume: accept,
        asked
      })
      const fiber = yield* Effect.fork(Effect.flip(new Response(response, asked, (text) => text).text))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "TransportFailure")
      assert.include(error.message, "run-1")
    })
  )
})

describe("an error of ours that a body broke with", () => {
  const breaking = (error: unknown): IncomingResponse => ({
    status: 200,
    headers,
    body: { pull: (sink) => sink.broken(error), cancel: () => undefined },
    close: Effect.void
  })

  it.effect("comes as it is", () =>
    Effect.gen(function* () {
      const error = new MalformedResponse({ message: "too long", excerpt: "", provider: "x" })
      assert.strictEqual((yield* collect(readerOf(breaking(error)))).error, error)
    })
  )

  it.effect("ResumeFailed learns who was asked, where it does not know", () =>
    Effect.gen(function* () {
      const error = new ResumeFailed({
        message: "gone",
        reason: "expired",
        runId: "run-1",
        from: 3,
        reconnects: 1
      })
      const read = yield* collect(readerOf(breaking(error)))
      assert.deepInclude(read.error, {
        ...asked,
        message: "gone",
        reason: "expired",
        from: 3,
        logId: "log-1"
      })
      const known = new ResumeFailed({
        ...error,
        message: "gone",
        provider: "x",
        model: "y",
        logId: "z",
        gateway: GatewayMetadata.fromHeaders({})
      })
      assert.deepInclude((yield* collect(readerOf(breaking(known)))).error, {
        provider: "x",
        model: "y",
        logId: "z"
      })
    })
  )

  it.effect("anything else is still a response that broke off", () =>
    Effect.gen(function* () {
      const read = yield* collect(readerOf(breaking(new Error("reset"))))
      assert.strictEqual(read.error?._tag, "TransportFailure")
      assert.include(read.error?.message, "reset")
    })
  )
})

describe("bytes that are known already", () => {
  it.effect("are read, and not told; but how the answer ended is", () =>
    Effect.gen(function* () {
      const { response } = connect({ body: streamOf(answer), chunk: 20 }, 200, headers)
      const body = { ...response.body, muted: true }
      const read = yield* collect(readerOf({ ...response, body }))
      assert.deepStrictEqual(
        read.events.map(({ _tag }) => _tag),
        ["Finish"]
      )
    })
  )
})
