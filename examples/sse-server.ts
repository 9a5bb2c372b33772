/**
 * A server that streams answers to browsers as server-sent events. When a browser leaves, the answer's stream is
 * interrupted, which closes the connection to the gateway: nobody pays for words that nobody reads. Here the program
 * plays the browsers, too: one reads to the end, one leaves midway. Run: `npx tsx examples/sse-server.ts`
 */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Console, Data, Effect, Layer, Schedule, Schema, Stream } from "effect"
import { ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

// --- the server -------------------------------------------------------------------------------------------------------

const sse = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

const answer = Effect.gen(function* () {
  const { q } = yield* HttpServerRequest.schemaSearchParams(Schema.Struct({ q: Schema.NonEmptyString }))
  const model = yield* ChatModel.ChatModel
  const events = model.streamChat(q).pipe(
    Stream.map((event) => {
      if (event._tag === "TextDelta") return sse("text", event.text)
      return event._tag === "Finish" ? sse("finish", event.finishReason) : ""
    }),
    // The status has gone out already: an error is an event like the others.
    Stream.catchAll((error) => Stream.succeed(sse("failure", error._tag))),
    Stream.filter((text) => text !== ""),
    Stream.encodeText
  )
  return HttpServerResponse.stream(events, {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store" }
  })
}).pipe(Effect.catchTag("ParseError", () => HttpServerResponse.text("ask with ?q=", { status: 400 })))

const app = HttpRouter.empty.pipe(HttpRouter.get("/answer", answer))

// --- the browsers -----------------------------------------------------------------------------------------------------

class BrokenOff extends Data.TaggedError("BrokenOff")<{ readonly cause: unknown }> {}

/** Reads the names of an answer's events, and leaves after so many of them. */
const browse = (url: string, most: number) =>
  Effect.gen(function* () {
    const { body, headers } = yield* Effect.promise((signal) => fetch(url, { signal }))
    assert.equal(headers.get("content-type"), "text/event-stream")
    const events = yield* Stream.fromReadableStream(
      () => body ?? new ReadableStream<Uint8Array>(),
      (cause) => new BrokenOff({ cause })
    ).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.filter((line) => line.startsWith("event: ")),
      Stream.map((line) => line.slice("event: ".length)),
      Stream.take(most), // leaving a body early closes the connection
      Stream.runCollect
    )
    return Array.from(events)
  })

const program = Effect.gen(function* () {
  const gateway = yield* LocalGateway.Gateway
  yield* HttpServer.serveEffect(app)
  const { address } = yield* HttpServer.HttpServer
  assert.equal(address._tag, "TcpAddress")
  const url = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}/answer?q=Count.`

  const whole = yield* browse(url, 1000)
  yield* Console.log(`The first browser read ${whole.length - 1} words, to the end.`)
  assert.equal(whole.at(-1), "finish")
  assert.equal(gateway.requests()[0]?.aborted, false)

  const part = yield* browse(url, 3)
  yield* Console.log(`The second browser left after ${part.length} words.`)
  assert.deepEqual(part, ["text", "text", "text"])

  // The gateway sees that its client went away, at once and not when the answer would have been complete.
  yield* Effect.sync(() => gateway.requests()[1]?.aborted === true && gateway.inFlight() === 0).pipe(
    Effect.repeat({ until: (closed) => closed, schedule: Schedule.spaced("10 millis") }),
    Effect.timeout("1 second")
  )
  yield* Console.log("The gateway saw its client leave, long before the answer was complete.")
})

const numbers = Array.from({ length: 60 }, (_, index) => index + 1).join(" ")

await program.pipe(
  Effect.scoped,
  Effect.provide(
    ChatModel.layer(OpenAi.model("gpt-5-mini")).pipe(
      Layer.provide(OpenAi.layer()),
      Layer.provideMerge(
        LocalGateway.layerTest({
          upstreams: { openai: LocalGateway.always(LocalGateway.text(numbers, { delay: "40 millis" })) }
        })
      ),
      Layer.merge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
    )
  ),
  Effect.runPromise
)
