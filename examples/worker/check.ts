/**
 * Asks the Worker as browsers would, over real sockets, with the first provider down: one reads to the end, one leaves midway,
 * and one is told that both providers are down. Ends with 1 if what it shows does not happen.
 * Run: `npx tsx examples/worker/check.ts`
 */
import assert from "node:assert/strict"
import { Console, Data, Effect, Schedule, Stream } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { start } from "./workerd.js"

// --- behind the binding ----------------------------------------------------------------------------------------------

const numbers = Array.from({ length: 30 }, (_, index) => index + 1).join(" ")
const pace = 40

const gateway = LocalGateway.make({
  upstreams: {
    openai: LocalGateway.always(LocalGateway.status(503)),
    anthropic: LocalGateway.handler(({ body }) =>
      JSON.stringify(body).includes("outage")
        ? LocalGateway.status(529)
        : LocalGateway.text(numbers, { delay: `${pace} millis` })
    )
  }
})

// --- the browsers ----------------------------------------------------------------------------------------------------

class BrokenOff extends Data.TaggedError("BrokenOff")<{ readonly cause: unknown }> {}

interface Received {
  readonly event: string
  readonly data: unknown
  /** Milliseconds. */
  readonly at: number
}

const post = (url: string, body: unknown) =>
  Effect.promise((signal) => fetch(`${url}/chat`, { method: "POST", body: JSON.stringify(body), signal }))

/** Reads an answer's events as they come, and leaves after so many of them. */
const browse = (url: string, prompt: string, most = 1000) =>
  Effect.gen(function* () {
    const { body, headers } = yield* post(url, { prompt })
    assert.equal(headers.get("content-type"), "text/event-stream")
    const events = yield* Stream.fromReadableStream(
      () => body ?? new ReadableStream<Uint8Array>(),
      (cause) => new BrokenOff({ cause })
    ).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.filter((line) => line !== ""),
      Stream.grouped(2),
      Stream.map((pair): Received => {
        const [event = "", data = ""] = pair
        return {
          event: event.replace("event: ", ""),
          data: JSON.parse(data.replace("data: ", "")),
          at: performance.now()
        }
      }),
      Stream.take(most), // leaving a body early closes the connection
      Stream.runCollect
    )
    return Array.from(events)
  })

const texts = (events: ReadonlyArray<Received>) => events.filter(({ event }) => event === "text")

// --- what happens ----------------------------------------------------------------------------------------------------

const asked = () => gateway.upstreamRequests().map(({ provider }) => provider)

const program = Effect.gen(function* () {
  const { port } = yield* LocalGatewayServer.start(gateway)
  const url = yield* start(`127.0.0.1:${port}`)

  const page = yield* Effect.promise(() => fetch(url).then((response) => response.text()))
  assert.match(page, /<form>/)

  const whole = yield* browse(url, "Count to thirty.")
  const words = texts(whole)
  const [first, last] = [words[0]?.at ?? 0, words.at(-1)?.at ?? 0]
  yield* Console.log(`${JSON.stringify(whole[0]?.data)}\n${words.map(({ data }) => data).join("")}`)
  yield* Console.log(`${words.length} pieces of text in ${Math.round(last - first)} ms, and then the end.\n`)
  assert.equal(whole[0]?.event, "start")
  assert.equal(words.map(({ data }) => data).join(""), numbers)
  assert.equal(whole.at(-1)?.event, "finish")
  // Each word came when it was said: had the Worker, or anything before it, held the answer back, they would come at once.
  assert.ok(last - first > (words.length * pace) / 2, "the text came at once")
  assert.equal(asked().at(-1), "anthropic")
  assert.ok(asked().slice(0, -1).length > 0 && asked().indexOf("anthropic") === asked().length - 1)

  const part = yield* browse(url, "Count to thirty.", 4)
  assert.equal(texts(part).length, 3)
  // The gateway sees that nobody waits any more, long before the answer would have been complete.
  yield* Effect.sync(() => gateway.requests().at(-1)?.aborted === true && gateway.inFlight() === 0).pipe(
    Effect.repeat({ until: (closed) => closed, schedule: Schedule.spaced("10 millis") }),
    Effect.timeout("600 millis")
  )
  yield* Console.log("A browser left after three words, and the call to the gateway was closed.\n")

  const down = yield* browse(url, "What is an outage?")
  yield* Console.log(`${JSON.stringify(down.at(-1)?.data)}\n`)
  assert.deepEqual(
    down.map(({ event }) => event),
    ["failure"]
  )
  assert.match(JSON.stringify(down[0]?.data), /AllProvidersFailed.*openai.*anthropic/)

  // One runtime serves them all at once.
  const crowd = yield* Effect.all(
    Array.from({ length: 8 }, () => browse(url, "Count to thirty.")),
    { concurrency: "unbounded" }
  )
  for (const events of crowd) assert.equal(events.at(-1)?.event, "finish")
  yield* Console.log("Eight browsers at once read to the end.")

  const refused = yield* post(url, { prompt: "" })
  assert.equal(refused.status, 400)
}).pipe(Effect.scoped)

await Effect.runPromise(program)
