import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, FastCheck as fc, Ref, Schedule, TestClock } from "effect"
import {
  type LegError,
  MalformedResponse,
  ResumeFailed,
  TransportFailure,
  Unauthorized
} from "../src/internal/errors.js"
import type { Progress, ResumeOptions } from "../src/internal/resume/policy.js"
import { resumable } from "../src/internal/resume/resumable.js"
import { CutShort } from "../src/internal/transport/byteSource.js"
import type { IncomingResponse } from "../src/internal/transport/transport.js"
import * as Run from "./resumeServer.js"

type Step = Run.Watched | LegError | Effect.Effect<IncomingResponse, LegError>

const asked = { provider: "anthropic", model: "anthropic/claude-haiku-4.5" }

/** Lets promises and timers that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const pass = (time: Duration.DurationInput) =>
  Effect.zipRight(flush, Effect.zipRight(TestClock.adjust(time), flush))

/** A stream whose reconnects are answered by these, one after another. */
const setup = (first: Run.Watched, steps: ReadonlyArray<Step>, resume: ResumeOptions = {}, from = 0) => {
  const asks: Array<{ readonly from: number; readonly at: number }> = []
  const reconnect = (from: number) =>
    Effect.clockWith((clock) => {
      asks.push({ from, at: clock.unsafeCurrentTimeMillis() })
      const step = steps[asks.length - 1]
      if (step === undefined) return Effect.die("one reconnect too many")
      if (Effect.isEffect(step) && !("_tag" in step && "message" in step)) return step
      if ("response" in step) return Effect.succeed(step.response)
      return Effect.fail(step as LegError)
    })
  return Effect.map(
    resumable({ first: first.response, runId: "run-1", from, reconnect, resume, asked }),
    (response) => ({ response, asks })
  )
}

/** Reads to the end, however long that takes. */
const readThrough = (response: IncomingResponse) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Run.readAll(response.body))
    while ((yield* Fiber.poll(fiber))._tag === "None") yield* pass("10 seconds")
    return yield* Fiber.join(fiber)
  })

const failed = (broken: unknown): ResumeFailed => {
  if (!(broken instanceof ResumeFailed)) throw new Error(`no ResumeFailed: ${String(broken)}`)
  return broken
}

const { connect, delta, done, streamOf } = Run
const words = ["one", "two", "three", "four", "five", "six"]
const events = [...words.map((word) => delta(word)), delta("", "stop"), done]
const whole = streamOf(events)
const upTo = (count: number, lineEnd = "\n") => streamOf(events.slice(0, count), lineEnd)
const tail = (count: number, lineEnd = "\n") => streamOf(events.slice(count), lineEnd)
const json = { "content-type": "application/json" }
const status = (code: number, body = "", headers: Readonly<Record<string, string>> = json) =>
  connect({ body }, code, headers)
const refused = new TransportFailure({ message: "connection refused" })
const spaced = (times: number) => Schedule.spaced("1 second").pipe(Schedule.intersect(Schedule.recurs(times)))

describe("101. a stream that does not drop", () => {
  for (const chunk of [1, 7, 10_000]) {
    it.effect(`comes unchanged, in reads of ${chunk}, and nothing is asked for`, () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(connect({ body: whole, chunk }), [])
        const read = yield* Run.readAll(response.body)
        assert.deepStrictEqual([read.text, read.broken, asks], [whole, undefined, []])
      })
    )
  }

  it.effect("keeps its status and headers", () =>
    Effect.gen(function* () {
      const first = connect({ body: whole }, 200, { "content-type": "x", "cf-aig-run-id": "run-1" })
      const { response } = yield* setup(first, [])
      assert.deepStrictEqual(
        [response.status, response.headers],
        [first.response.status, first.response.headers]
      )
    })
  )

  const ends: ReadonlyArray<readonly [string, string]> = [
    ["[DONE]", streamOf([delta("a"), done])],
    ["[DONE] without a blank line behind it", `${streamOf([delta("a")])}data: [DONE]`],
    ["[DONE] and a line end", `${streamOf([delta("a"), done])}\n`],
    ["a finish reason", streamOf([delta("a"), delta("", "stop")])],
    ["a finish reason, then usage", streamOf([delta("", "length"), 'data: {"choices":[],"usage":{}}'])],
    ["message_stop", streamOf(['event: message_stop\ndata: {"type":"message_stop"}'])],
    [
      "Anthropic's stop reason",
      streamOf(['data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}'])
    ],
    ["response.completed", streamOf(['data: {"type":"response.completed","response":{}}'])],
    ["response.incomplete", streamOf(['data: {"type":"response.incomplete","response":{}}'])],
    ["response.failed", streamOf(["event: response.failed\ndata: {}"])],
    ["an error event", streamOf([delta("a"), "event: error\ndata: overloaded"])],
    ["an error in an event", streamOf([delta("a"), 'data: {"error":{"message":"overloaded"}}'])],
    ["a bare JSON error", `${streamOf([delta("a")])}{"error":{"code":503}}`],
    ["CRLF and [DONE]", streamOf([delta("a"), done], "\r\n")]
  ]
  for (const [what, text] of ends) {
    it.effect(`that ends with ${what} is complete`, () =>
      Effect.gen(function* () {
        for (const chunk of [1, 10_000]) {
          const { response, asks } = yield* setup(connect({ body: text, chunk }), [])
          const read = yield* Run.readAll(response.body)
          assert.deepStrictEqual([read.text, read.broken, asks], [text, undefined, []])
        }
      })
    )
  }

  it.effect("one JSON body, as guardrails send it, comes unchanged", () =>
    Effect.gen(function* () {
      const text = '\n{\n  "choices": [],\n\n  "x": 1\n}'
      const { response, asks } = yield* setup(connect({ body: text, chunk: 1 }), [])
      assert.strictEqual((yield* Run.readAll(response.body)).text, text)
      assert.deepStrictEqual(asks, [])
    })
  )

  it.effect("one JSON body that breaks off cannot be counted, and is not asked for again", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: '{"choices":', ending: "broken" }), [])
      const read = yield* Run.readAll(response.body)
      assert.strictEqual(read.broken instanceof Error && read.broken.message, "socket hang up")
      assert.deepStrictEqual(asks, [])
    })
  )

  it.effect("what breaks behind the end marker is of no interest", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: whole, ending: "broken" }), [])
      const read = yield* Run.readAll(response.body)
      assert.deepStrictEqual([read.text, read.broken, asks], [whole, undefined, []])
    })
  )

  it.effect("what a text says does not end the stream", () =>
    Effect.gen(function* () {
      const said = streamOf([delta('[DONE] message_stop "finish_reason":"stop" error')])
      const { response, asks } = yield* setup(connect({ body: said }), [connect({ body: streamOf([done]) })])
      assert.strictEqual((yield* readThrough(response)).text, said + streamOf([done]))
      assert.deepStrictEqual(
        asks.map(({ from }) => from),
        [1]
      )
    })
  )
})

describe("102, 103, 111. a stream that drops", () => {
  for (const ending of ["broken", "end"] as const) {
    for (const [name, lineEnd] of [
      ["LF", "\n"],
      ["CRLF", "\r\n"]
    ] as const) {
      const rest = () => [connect({ body: tail(3, lineEnd) })]
      const all = streamOf(events, lineEnd)

      it.effect(
        `${name}, ${ending}: after three events, one request asks for what comes from the third on`,
        () =>
          Effect.gen(function* () {
            const { response, asks } = yield* setup(connect({ body: upTo(3, lineEnd), ending }), rest())
            const read = yield* readThrough(response)
            assert.deepStrictEqual([read.text, read.broken], [all, undefined])
            assert.deepStrictEqual(
              asks.map(({ from }) => from),
              [3]
            )
          })
      )

      it.effect(`${name}, ${ending}: within the fourth event, that one is received once`, () =>
        Effect.gen(function* () {
          const half = upTo(4, lineEnd)
          for (let cut = upTo(3, lineEnd).length + 1; cut < half.length; cut++) {
            const { response, asks } = yield* setup(connect({ body: half.slice(0, cut), ending }), rest())
            const read = yield* readThrough(response)
            assert.deepStrictEqual([read.text, read.broken], [all, undefined], `cut at ${cut}`)
            assert.deepStrictEqual(
              asks.map(({ from }) => from),
              [3]
            )
          }
        })
      )
    }
  }

  it.effect("events are given as they come, and not when the stream is over", () =>
    Effect.gen(function* () {
      const first = connect({ body: upTo(2, "\r\n"), ending: "stall" })
      const { response } = yield* setup(first, [])
      const seen: Array<string> = []
      const sink = {
        bytes: (bytes: Uint8Array) => {
          seen.push(Run.decode(bytes))
          response.body.pull(sink)
        },
        end: () => undefined,
        broken: () => undefined
      }
      response.body.pull(sink)
      assert.deepStrictEqual(seen, [upTo(2, "\r\n")])
    })
  )

  it.effect("comments are counted, as the server does", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: `: hello\n\n${upTo(1)}: again\n\n`, ending: "broken" }),
        [connect({ body: tail(1) })]
      )
      yield* readThrough(response)
      assert.deepStrictEqual(
        asks.map(({ from }) => from),
        [3]
      )
    })
  )

  it.effect("a read without a whole event is told as one without bytes, so that clocks see it", () =>
    Effect.gen(function* () {
      const { response } = yield* setup(connect({ body: "data: 1", ending: "stall" }), [])
      const seen: Array<number> = []
      response.body.pull({
        bytes: (bytes) => seen.push(bytes.length),
        end: () => undefined,
        broken: () => undefined
      })
      assert.deepStrictEqual(seen, [0])
    })
  )

  it.effect("a finish reason does not end a stream that breaks: usage may follow", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: upTo(7), ending: "broken" }), [
        connect({ body: tail(7) })
      ])
      assert.strictEqual((yield* readThrough(response)).text, whole)
      assert.deepStrictEqual(
        asks.map(({ from }) => from),
        [7]
      )
    })
  )

  it.effect("the connection that broke is closed", () =>
    Effect.gen(function* () {
      const first = connect({ body: upTo(2), ending: "broken" })
      const { response } = yield* setup(first, [connect({ body: tail(2) })])
      yield* readThrough(response)
      assert.isTrue(first.isClosed())
    })
  )

  it.effect("a body that ends between two events, and has nothing more to say, is over", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: upTo(3) }), [connect({ body: "" })])
      const read = yield* readThrough(response)
      assert.deepStrictEqual([read.text, read.broken], [upTo(3), undefined])
      assert.deepStrictEqual(
        asks.map(({ from }) => from),
        [3]
      )
    })
  )

  it.effect("a re-attached stream that has nothing more to say is over at once", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: "" }), [], {}, 8)
      const read = yield* Run.readAll(response.body)
      assert.deepStrictEqual([read.text, read.broken, asks], ["", undefined, []])
    })
  )

  it.effect("a re-attached stream counts on", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: streamOf(events.slice(2, 5)), ending: "broken" }),
        [connect({ body: tail(5) })],
        {},
        2
      )
      assert.strictEqual((yield* readThrough(response)).text, tail(2))
      assert.deepStrictEqual(
        asks.map(({ from }) => from),
        [5]
      )
    })
  )

  const anyEvents = fc.array(
    fc.constantFrom(
      delta("a"),
      delta("grüße 世界 👩‍🚀"),
      ": keep-alive",
      'event: x\nid: 7\ndata: {"a":\ndata: 1}',
      "data:"
    ),
    { minLength: 1, maxLength: 12 }
  )
  it(
    "any events, cut and dropped anywhere, with LF or CRLF, give the same bytes, each asked for from the right one",
    () =>
      fc.assert(
        fc.asyncProperty(
          anyEvents,
          fc.constantFrom("\n", "\r\n"),
          fc.integer({ min: 1, max: 40 }),
          fc.array(
            fc.record({
              at: fc.nat(),
              ending: fc.constantFrom<Run.Ending>("end", "broken"),
              later: fc.boolean()
            }),
            {
              maxLength: 6
            }
          ),
          (some, lineEnd, chunk, drops) => {
            const all = [...some, done]
            const bytes = Run.encode(streamOf(all, lineEnd))
            const starts = [0]
            for (let n = 1; n <= all.length; n++)
              starts.push(Run.encode(streamOf(all.slice(0, n), lineEnd)).length)
            let next = 0
            const asks: Array<number> = []
            const expected: Array<number> = []
            let given = 0
            const connection = (from: number): IncomingResponse => {
              const start = starts[from] ?? bytes.length
              const drop = drops[next++]
              if (drop === undefined || start === bytes.length)
                return connect({ body: bytes.subarray(start), chunk }).response
              const end = start + (drop.at % (bytes.length - start))
              // Nothing at all from a resume is the end of the stream, and so is its last event without its blank line.
              const isEnd = (from > 0 && end === start) || end >= bytes.length - 2 * lineEnd.length
              const ending = isEnd || (next > 1 && end === start) ? "broken" : drop.ending
              given = starts.filter((at) => at <= end).length - 1
              expected.push(given)
              return connect({ body: bytes.subarray(start, end), chunk, ending, later: drop.later }).response
            }
            return Effect.runPromise(
              Effect.gen(function* () {
                const response = yield* resumable({
                  first: connection(0),
                  runId: "run-1",
                  from: 0,
                  reconnect: (from) =>
                    Effect.sync(() => {
                      asks.push(from)
                      return connection(from)
                    }),
                  resume: { schedule: Schedule.recurs(10) },
                  asked
                })
                const read = yield* Run.readAll(response.body)
                assert.isUndefined(read.broken)
                assert.strictEqual(read.text, Run.decode(bytes))
                assert.deepStrictEqual(asks, expected)
              })
            )
          }
        ),
        { numRuns: 2000 }
      ),
    60_000
  )

  it.effect(
    "a hundred thousand reads that are there at once neither exhaust the stack nor take quadratic time",
    () =>
      Effect.gen(function* () {
        const body = streamOf([...Array.from({ length: 2000 }, () => delta("twelve bytes")), done])
        const { response } = yield* setup(connect({ body, chunk: 1 }), [])
        const started = performance.now()
        const read = yield* Run.readAll(response.body)
        assert.strictEqual(read.text.length, body.length)
        assert.isBelow(performance.now() - started, 3000)
      })
  )
})

describe("104, 109. how often, and how long it waits", () => {
  it.effect(
    "five times, after about 250 ms, doubling, and the failure names the count and the last reason",
    () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(
          connect({ body: upTo(2), ending: "broken" }),
          Array.from({ length: 5 }, () => status(503, '{"error":{"message":"no capacity"}}'))
        )
        const read = yield* readThrough(response)
        const error = failed(read.broken)
        assert.strictEqual(read.text, upTo(2))
        assert.deepInclude(error, {
          reason: "exhausted",
          runId: "run-1",
          from: 2,
          reconnects: 5,
          status: 503,
          ...asked
        })
        assert.include(error.message, "5 reconnects")
        assert.include(error.message, "no capacity")
        assert.deepStrictEqual(
          asks.map(({ from }) => from),
          [2, 2, 2, 2, 2]
        )
      })
  )

  it.effect("the default waits are never shorter than 80 percent of 250, 500, 1000, 2000 and 4000 ms", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: upTo(2), ending: "broken" }),
        Array.from({ length: 5 }, () => refused)
      )
      const fiber = yield* Effect.fork(Run.readAll(response.body))
      for (let n = 0; n < 200; n++) yield* TestClock.adjust("50 millis")
      yield* Fiber.join(fiber)
      const waits = asks.map(({ at }, n) => at - (asks[n - 1]?.at ?? 0))
      for (const [n, wait] of waits.entries()) {
        assert.isAtLeast(wait, 0.8 * 250 * 2 ** n)
        assert.isAtMost(wait, 1.2 * 250 * 2 ** n + 50)
      }
      assert.strictEqual(waits.length, 5)
    })
  )

  it.effect("not before its wait is over", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: upTo(2), ending: "broken" }),
        [connect({ body: tail(2) })],
        {
          schedule: spaced(1)
        }
      )
      const fiber = yield* Effect.fork(Run.readAll(response.body))
      yield* pass(999)
      assert.strictEqual(asks.length, 0)
      yield* pass(1)
      assert.strictEqual(asks.length, 1)
      assert.strictEqual((yield* Fiber.join(fiber)).text, whole)
    })
  )

  const passing: ReadonlyArray<readonly [string, () => Step]> = [
    ["503", () => status(503)],
    ["500 without a code", () => status(500, "oops")],
    ["429", () => status(429, '{"error":"slow down"}')],
    [
      "an HTML page of the edge",
      () => status(522, "<html><title>522</title></html>", { "content-type": "text/html" })
    ],
    ["no response", () => refused],
    ["a body without a whole event", () => connect({ body: "data: ha", ending: "broken" })],
    ["a body that ends in the middle of an event", () => connect({ body: "data: ha" })]
  ]
  for (const [what, step] of passing) {
    it.effect(`${what} costs one reconnect, and the stream goes on`, () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(
          connect({ body: upTo(2), ending: "broken" }),
          [step(), step(), connect({ body: tail(2) })],
          { schedule: spaced(3) }
        )
        const read = yield* readThrough(response)
        assert.deepStrictEqual([read.text, read.broken], [whole, undefined])
        assert.deepStrictEqual(
          asks.map(({ from }) => from),
          [2, 2, 2]
        )
      })
    )

    it.effect(`${what} every time is the end of the schedule`, () =>
      Effect.gen(function* () {
        const steps = [step(), step(), step()]
        const { response, asks } = yield* setup(connect({ body: upTo(2), ending: "broken" }), steps, {
          schedule: spaced(3)
        })
        const error = failed((yield* readThrough(response)).broken)
        assert.deepInclude(error, { reason: "exhausted", reconnects: 3, from: 2 })
        assert.strictEqual(asks.length, 3)
      })
    )
  }

  it.effect("a schedule without a reconnect allows none", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: upTo(2), ending: "broken" }), [], {
        schedule: Schedule.recurs(0)
      })
      const error = failed((yield* readThrough(response)).broken)
      assert.deepInclude(error, { reason: "exhausted", reconnects: 0 })
      assert.include(error.message, "socket hang up")
      assert.deepStrictEqual(asks, [])
    })
  )

  it.effect("one whole event begins the schedule afresh", () =>
    Effect.gen(function* () {
      const steps = words.map((_, n) => connect({ body: streamOf(events.slice(n, n + 1)), ending: "broken" }))
      const { response, asks } = yield* setup(
        connect({ body: "", ending: "broken" }),
        [...steps.flatMap((step) => [status(503), step]), connect({ body: tail(6) })],
        { schedule: spaced(2) }
      )
      const read = yield* readThrough(response)
      assert.deepStrictEqual([read.text, read.broken], [whole, undefined])
      assert.strictEqual(asks.length, 13)
    })
  )

  it.effect("progress makes the waits short again", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: upTo(1), ending: "broken" }),
        [
          refused,
          connect({ body: streamOf(events.slice(1, 2)), ending: "broken" }),
          connect({ body: tail(2) })
        ],
        { schedule: Schedule.exponential("1 second") }
      )
      const fiber = yield* Effect.fork(Run.readAll(response.body))
      for (let n = 0; n < 100; n++) yield* pass("100 millis")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        asks.map(({ at }) => at),
        [1000, 3000, 4000]
      )
    })
  )

  it.effect("Retry-After is honoured where it is longer", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(
        connect({ body: upTo(2), ending: "broken" }),
        [
          status(429, "{}", { ...json, "retry-after": "7" }),
          status(503, "", { "retry-after-ms": "10" }),
          connect({ body: tail(2) })
        ],
        { schedule: spaced(3) }
      )
      const fiber = yield* Effect.fork(Run.readAll(response.body))
      for (let n = 0; n < 100; n++) yield* pass("100 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).text, whole)
      assert.deepStrictEqual(
        asks.map(({ at }) => at),
        [1000, 8000, 9000]
      )
    })
  )

  it.effect("Retry-After gives no reconnect that the schedule does not have", () =>
    Effect.gen(function* () {
      const { response } = yield* setup(
        connect({ body: upTo(2), ending: "broken" }),
        [status(429, "{}", { ...json, "retry-after": "7" })],
        { schedule: spaced(1) }
      )
      const error = failed((yield* readThrough(response)).broken)
      assert.deepInclude(error, { reason: "exhausted", reconnects: 1 })
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(7))
    })
  )

  it.effect("a Retry-After of an hour is not waited for: the run would be gone", () =>
    Effect.gen(function* () {
      const { response, asks } = yield* setup(connect({ body: upTo(2), ending: "broken" }), [
        status(429, "{}", { ...json, "retry-after": "3600" })
      ])
      assert.deepInclude(failed((yield* readThrough(response)).broken), {
        reason: "exhausted",
        reconnects: 1
      })
      assert.strictEqual(asks.length, 1)
    })
  )

  it.effect("a schedule is given what went wrong", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const schedule = Schedule.recurs(2).pipe(
        Schedule.tapInput((input: unknown) => Effect.sync(() => void seen.push(input)))
      )
      const { response } = yield* setup(connect({ body: upTo(2), ending: "broken" }), [refused, refused], {
        schedule
      })
      yield* readThrough(response)
      assert.deepStrictEqual(
        seen.map((one) => (one instanceof Error ? one.message : one)),
        ["socket hang up", "connection refused", "connection refused"]
      )
    })
  )
})

describe("105, 107. answers that end it", () => {
  it.effect("404 is expired, at once, and closed", () =>
    Effect.gen(function* () {
      const gone = connect({ body: "", ending: "stall" }, 404)
      const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [gone])
      const read = yield* readThrough(response)
      assert.strictEqual(read.text, upTo(3))
      assert.deepInclude(failed(read.broken), {
        reason: "expired",
        runId: "run-1",
        from: 3,
        reconnects: 1,
        status: 404,
        ...asked
      })
      assert.isTrue(gone.isClosed())
      assert.strictEqual(asks.length, 1)
    })
  )

  it.effect("404 by the accepting policy is told as what cuts the answer short", () =>
    Effect.gen(function* () {
      const { response } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [status(404)], {
        whenExpired: "accept"
      })
      const { text, broken } = yield* readThrough(response)
      assert.strictEqual(text, upTo(3))
      assert.strictEqual(broken instanceof CutShort && broken.why, "expired")
    })
  )

  it.effect("404 before anything has come fails by any policy: there is nothing to accept", () =>
    Effect.gen(function* () {
      const { response } = yield* setup(connect({ body: "data: hal", ending: "broken" }), [status(404)], {
        whenExpired: "accept"
      })
      assert.strictEqual(failed((yield* readThrough(response)).broken).reason, "expired")
    })
  )

  it.effect("only an expired run is accepted", () =>
    Effect.gen(function* () {
      for (const [step, reason] of [
        [status(403), "refused"],
        [status(503), "exhausted"]
      ] as const) {
        const { response } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [step], {
          whenExpired: "accept",
          schedule: spaced(1)
        })
        assert.strictEqual(failed((yield* readThrough(response)).broken).reason, reason)
      }
    })
  )

  const terminal: ReadonlyArray<readonly [string, Step, string]> = [
    [
      "500 with code 2002",
      status(500, '{"success":false,"errors":[{"code":2002,"message":"Malformed run id"}]}'),
      "Malformed run id"
    ],
    ["400", status(400, '{"error":{"message":"from is no number"}}'), "from is no number"],
    ["401", status(401, '{"error":"no access"}'), "no access"],
    ["403", status(403, '{"error":"not yours"}'), "not yours"],
    ["an error that cannot pass", new Unauthorized({ message: "not yours", source: "gateway" }), "not yours"],
    [
      "no response of a binding",
      new MalformedResponse({ message: "env.AI.fetch gave no Response", excerpt: "" }),
      "no Response"
    ],
    ["a defect", Effect.die(new Error("a bug")), "a bug"]
  ]
  for (const [what, step, message] of terminal) {
    it.effect(`${what} is refused, in its own words, and not asked again`, () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [step])
        const error = failed((yield* readThrough(response)).broken)
        assert.deepInclude(error, { reason: "refused", from: 3, reconnects: 1 })
        assert.include(error.message, message)
        assert.strictEqual(asks.length, 1)
      })
    )
  }

  it.effect("the failure stays: whoever pulls again gets it again", () =>
    Effect.gen(function* () {
      const { response } = yield* setup(connect({ body: "", ending: "broken" }), [status(404)])
      const first = yield* readThrough(response)
      assert.strictEqual((yield* Run.readAll(response.body)).broken, first.broken)
    })
  )

  it.effect("an event that never ends is given up, and its connection closed", () =>
    Effect.gen(function* () {
      const first = connect({
        body: `${upTo(1)}data: ${"x".repeat(17 * 1024 * 1024)}`,
        chunk: 1024 * 1024,
        ending: "stall"
      })
      const { response, asks } = yield* setup(first, [])
      const { text, broken } = yield* Run.readAll(response.body)
      assert.strictEqual(text, upTo(1))
      assert.strictEqual(broken instanceof MalformedResponse && broken.provider, "anthropic")
      assert.isTrue(first.isClosed())
      assert.deepStrictEqual(asks, [])
    })
  )
})

describe("98. nothing is resumed after an interruption", () => {
  const nothingLeft = Effect.gen(function* () {
    yield* flush
    assert.strictEqual((yield* Fiber.roots).length, 1, "a fiber stayed behind")
  })
  const begin = (response: IncomingResponse) => {
    const told: Array<string> = []
    const sink = {
      bytes: (bytes: Uint8Array) => {
        if (bytes.length > 0) told.push("bytes")
        response.body.pull(sink)
      },
      end: () => void told.push("end"),
      broken: () => void told.push("broken")
    }
    response.body.pull(sink)
    return told
  }
  const closings: ReadonlyArray<readonly [string, (response: IncomingResponse) => Effect.Effect<void>]> = [
    ["close", (response) => response.close],
    ["cancel", (response) => Effect.sync(() => response.body.cancel())]
  ]
  for (const [how, let_go] of closings) {
    it.effect(`${how} while reading closes the connection, and asks for nothing`, () =>
      Effect.gen(function* () {
        const first = connect({ body: upTo(3), ending: "broken", later: true, chunk: upTo(3).length })
        const { response, asks } = yield* setup(first, [])
        const told = begin(response)
        yield* let_go(response)
        assert.isTrue(first.isClosed())
        yield* pass("1 minute")
        assert.deepStrictEqual([told, asks], [[], []])
        yield* nothingLeft
      })
    )

    it.effect(`${how} while waiting ends the wait, and asks for nothing`, () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [])
        const told = begin(response)
        yield* pass(100)
        yield* let_go(response)
        yield* nothingLeft
        yield* pass("1 minute")
        assert.deepStrictEqual([told, asks], [["bytes"], []])
      })
    )

    it.effect(`${how} while connecting interrupts the request`, () =>
      Effect.gen(function* () {
        const interrupted = yield* Ref.make(false)
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [
          Effect.onInterrupt(Effect.never, () => Ref.set(interrupted, true))
        ])
        begin(response)
        yield* pass("1 second")
        assert.strictEqual(asks.length, 1)
        yield* let_go(response)
        yield* pass("1 minute")
        assert.isTrue(yield* Ref.get(interrupted))
        assert.strictEqual(asks.length, 1)
        yield* nothingLeft
      })
    )

    it.effect(`${how} while an error is read closes it`, () =>
      Effect.gen(function* () {
        const slow = connect({ body: "", ending: "stall" }, 503)
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [slow])
        begin(response)
        yield* pass("1 second")
        assert.isFalse(slow.isClosed())
        yield* let_go(response)
        yield* pass("1 minute")
        assert.isTrue(slow.isClosed())
        assert.strictEqual(asks.length, 1)
        yield* nothingLeft
      })
    )

    it.effect(`${how} while a later connection is read closes that one`, () =>
      Effect.gen(function* () {
        const second = connect({ body: streamOf(events.slice(3, 5)), ending: "stall" })
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [second])
        begin(response)
        yield* pass("1 second")
        yield* let_go(response)
        assert.isTrue(second.isClosed())
        yield* pass("1 minute")
        assert.strictEqual(asks.length, 1)
        yield* nothingLeft
      })
    )

    it.effect(`${how} twice, and a pull after it, do nothing`, () =>
      Effect.gen(function* () {
        const { response, asks } = yield* setup(connect({ body: upTo(3), ending: "broken" }), [])
        yield* let_go(response)
        yield* let_go(response)
        const { broken } = yield* Run.readAll(response.body)
        assert.isTrue(broken instanceof Error)
        yield* pass("1 minute")
        assert.deepStrictEqual(asks, [])
      })
    )
  }

  it.effect("a response that comes in the moment of the interruption is closed", () =>
    Effect.gen(function* () {
      const late = connect({ body: tail(3), ending: "stall" })
      const arrived = yield* Deferred.make<void>()
      const response = yield* resumable({
        first: connect({ body: upTo(3), ending: "broken" }).response,
        runId: "run-1",
        from: 0,
        // The transport has the response; its caller is interrupted before it sees it.
        reconnect: (_, arrival) =>
          Effect.async<IncomingResponse, LegError>(() => {
            arrival.close = late.response.close
            Deferred.unsafeDone(arrived, Effect.void)
          }),
        resume: {},
        asked
      })
      begin(response)
      yield* pass("1 second")
      yield* Deferred.await(arrived)
      yield* response.close
      assert.isTrue(late.isClosed())
    })
  )

  it.effect("a caller that stops reading is not read ahead for", () =>
    Effect.gen(function* () {
      const first = connect({ body: whole, chunk: 10 })
      const { response } = yield* setup(first, [])
      response.body.pull({ bytes: () => undefined, end: () => undefined, broken: () => undefined })
      yield* flush
      assert.strictEqual(first.pulls(), 1)
    })
  )
})

describe("110. whoever wants to know how far it has come", () => {
  const watching = (chunk: number, onProgress: (seen: Array<Progress>) => ResumeOptions["onProgress"]) => {
    const seen: Array<Progress> = []
    return Effect.map(
      setup(
        connect({ body: upTo(3), ending: "broken", chunk, later: true }),
        [connect({ body: tail(3), chunk, later: true })],
        { onProgress: onProgress(seen) }
      ),
      ({ response }) => ({ response, seen })
    )
  }

  it.effect("is told the number of events after each read that held whole ones, across drops", () =>
    Effect.gen(function* () {
      const { response, seen } = yield* watching(
        10_000,
        (seen) => (progress) => Effect.sync(() => void seen.push(progress))
      )
      yield* readThrough(response)
      assert.deepStrictEqual(seen, [
        { runId: "run-1", from: 3 },
        { runId: "run-1", from: 8 }
      ])
    })
  )

  it.effect("is told numbers that never decrease, and the last one, however the stream is cut", () =>
    Effect.gen(function* () {
      for (const chunk of [1, 5, 60, 200]) {
        const { response, seen } = yield* watching(
          chunk,
          (seen) => (progress) => Effect.sync(() => void seen.push(progress))
        )
        yield* readThrough(response)
        const froms = seen.map(({ from }) => from)
        assert.deepStrictEqual(
          froms,
          [...new Set(froms)].sort((a, b) => a - b)
        )
        assert.strictEqual(froms.at(-1), 8)
      }
    })
  )

  const strange: ReadonlyArray<readonly [string, () => Effect.Effect<void>]> = [
    ["that never ends", () => Effect.never],
    ["that dies", () => Effect.die("a bug")],
    [
      "that throws",
      () => {
        throw new Error("a bug")
      }
    ],
    ["that interrupts itself", () => Effect.interrupt]
  ]
  for (const [what, callback] of strange) {
    it.effect(`a callback ${what} changes nothing`, () =>
      Effect.gen(function* () {
        const { response } = yield* watching(10, () => callback)
        const read = yield* readThrough(response)
        assert.deepStrictEqual([read.text, read.broken], [whole, undefined])
      })
    )
  }

  it.effect("a callback that dies is told the next number", () =>
    Effect.gen(function* () {
      const { response, seen } = yield* watching(10_000, (seen) => (progress) => {
        seen.push(progress)
        return Effect.die("a bug")
      })
      yield* readThrough(response)
      assert.deepStrictEqual(
        seen.map(({ from }) => from),
        [3, 8]
      )
    })
  )

  it.effect(
    "a slow callback runs once at a time, skips what is old, and is told the last number even after the close",
    () =>
      Effect.gen(function* () {
        let running = 0
        const { response, seen } = yield* watching(
          60,
          (seen) => (progress) =>
            Effect.gen(function* () {
              running++
              assert.strictEqual(running, 1)
              yield* Effect.sleep("1 hour")
              seen.push(progress)
              running--
            })
        )
        const fiber = yield* Effect.fork(Run.readAll(response.body))
        for (let n = 0; n < 10; n++) yield* pass("1 second")
        assert.strictEqual((yield* Fiber.join(fiber)).text, whole)
        yield* response.close
        yield* pass("3 hours")
        assert.strictEqual(seen.length, 2)
        assert.strictEqual(seen[1]?.from, 8)
      })
  )

  it.effect("events are delivered before they are told", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { response } = yield* setup(connect({ body: whole }), [], {
        onProgress: ({ from }) => Effect.sync(() => void log.push(`told ${from}`))
      })
      const sink = {
        bytes: () => {
          log.push("bytes")
          response.body.pull(sink)
        },
        end: () => undefined,
        broken: () => undefined
      }
      response.body.pull(sink)
      yield* flush
      assert.deepStrictEqual(log, ["bytes", "told 8"])
    })
  )
})
