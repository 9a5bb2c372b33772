import { createServer, type Server, type Socket } from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Schedule, Stream } from "effect"
import { AiGateway, Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"

const openai = OpenAi.model("gpt-4.1-mini")
const anthropic = Anthropic.model("claude-haiku-4-5")

const quick = <R>(model: ChatModel.With<R>) =>
  model.pipe(
    ChatModel.retry(Schedule.recurs(0)),
    ChatModel.withTimeouts({ firstEvent: "300 millis", idle: "300 millis" })
  )

const piece = (content: string) => {
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
  return `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`
}
const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
const whole = [
  [
    "message_start",
    { type: "message_start", message: { id: "m", model: "claude", usage: { input_tokens: 1 } } }
  ],
  [
    "content_block_start",
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }
  ],
  [
    "content_block_delta",
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Saved" } }
  ],
  ["content_block_stop", { type: "content_block_stop", index: 0 }],
  [
    "message_delta",
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }
  ],
  ["message_stop", { type: "message_stop" }]
] as const
const anthropicAnswer = whole
  .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  .join("")

/** What goes wrong, and how: given a socket on which nothing, or the head and the first text, was written. */
interface Fault {
  readonly name: string
  readonly break: (socket: Socket) => void
  readonly cause: "TransportFailure" | "ModelTimeout"
}

const later = (f: () => void) => setTimeout(f, 30)

const faults: ReadonlyArray<Fault> = [
  { name: "a reset", break: (socket) => later(() => socket.resetAndDestroy()), cause: "TransportFailure" },
  { name: "a half close", break: (socket) => later(() => socket.end()), cause: "TransportFailure" },
  { name: "a stall", break: () => {}, cause: "ModelTimeout" }
]

const inTheBody: ReadonlyArray<Fault> = [
  {
    name: "a bad chunk size",
    break: (socket) => later(() => socket.write("zz\r\n")),
    cause: "TransportFailure"
  },
  {
    name: "a last chunk before the model's end",
    break: (socket) => later(() => socket.end("0\r\n\r\n")),
    cause: "TransportFailure"
  },
  {
    name: "half an event",
    break: (socket) =>
      later(() => {
        const event = 'data: {"choices":[{"ind'
        socket.end(`${event.length.toString(16)}\r\n${event}\r\n0\r\n\r\n`)
      }),
    cause: "TransportFailure"
  }
]

const serve = (onOpenAi: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: Server; readonly port: number; readonly sockets: Set<Socket> }>(
      (resume) => {
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("close", () => sockets.delete(socket))
          socket.on("error", () => {})
          let request = ""
          socket.on("data", (bytes) => {
            request += bytes.toString("latin1")
            if (!/\r\n\r\n[\s\S]*\}$/.test(request)) return
            const path = request.split(" ")[1] ?? ""
            request = ""
            if (path.includes("/openai/")) return onOpenAi(socket)
            socket.end(
              `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${Buffer.byteLength(anthropicAnswer)}\r\n\r\n${anthropicAnswer}`
            )
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(
            Effect.succeed({
              server,
              sockets,
              port: typeof address === "object" && address !== null ? address.port : 0
            })
          )
        })
      }
    ),
    ({ server, sockets }) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )

const app = (client: Layer.Layer<HttpClient.HttpClient>, port: number) =>
  Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), Logger.remove(Logger.defaultLogger)).pipe(
    Layer.merge(
      AiGateway.layer({ accountId: "a", gatewayId: "g", baseUrl: `http://127.0.0.1:${port}/v1` }).pipe(
        Layer.provide(client)
      )
    )
  )

const failure = <A, E>(exit: Exit.Exit<A, E>): E => {
  if (Exit.isSuccess(exit) || exit.cause._tag !== "Fail") throw new Error("expected a typed failure")
  return exit.cause.error
}

/** `FetchHttpClient` and undici, as they are. */
const clients = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["layerUndici", NodeHttpClient.layerUndici]
] as const

for (const [client, layer] of clients) {
  describe(`faults on the wire, ${client}`, () => {
    for (const fault of faults) {
      it.live(`${fault.name} instead of a response: ${fault.cause}, and the next leg answers`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* serve(fault.break)
            const provided = app(layer, port)
            const exit = yield* Effect.exit(
              Stream.runDrain(quick(openai).streamChat("hi")).pipe(Effect.provide(provided))
            )
            assert.strictEqual(failure(exit)._tag, fault.cause)
            const answer = yield* ChatModel.collect(
              ChatModel.firstSuccessOf([quick(openai), quick(anthropic)]).streamChat("hi")
            ).pipe(Effect.provide(provided))
            assert.strictEqual(answer.text, "Saved")
            assert.deepStrictEqual(
              answer.attempts.map((attempt) => attempt.error._tag),
              [fault.cause]
            )
          })
        )
      )
    }

    for (const fault of [...faults, ...inTheBody]) {
      it.live(`${fault.name} before the first content: ${fault.cause}, and the next leg answers`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* serve((socket) => {
              socket.write(head + piece(""))
              fault.break(socket)
            })
            const answer = yield* ChatModel.collect(
              ChatModel.firstSuccessOf([quick(openai), quick(anthropic)]).streamChat("hi")
            ).pipe(Effect.provide(app(layer, port)))
            assert.strictEqual(answer.text, "Saved")
            const [attempt] = answer.attempts
            if (fault.name === "half an event")
              assert.include(["TransportFailure", "MalformedResponse"], attempt?.error._tag)
            else assert.strictEqual(attempt?.error._tag, fault.cause)
          })
        )
      )

      it.live(`${fault.name} after content: StreamBroken, with the text, and nobody else is asked`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { port, sockets } = yield* serve((socket) => {
              socket.write(head + piece("Hel") + piece("lo"))
              fault.break(socket)
            })
            let seen = ""
            const exit = yield* Effect.exit(
              Stream.runForEach(
                ChatModel.firstSuccessOf([quick(openai), quick(anthropic)]).streamChat("hi"),
                (event) => Effect.sync(() => (seen += event._tag === "TextDelta" ? event.text : ""))
              ).pipe(Effect.provide(app(layer, port)))
            )
            const error = failure(exit)
            if (error._tag !== "StreamBroken") throw new Error(error._tag)
            assert.strictEqual(seen, "Hello")
            assert.strictEqual(error.delivered.text, "Hello")
            if (fault.name === "half an event")
              assert.include(["TransportFailure", "MalformedResponse"], error.cause._tag)
            else assert.strictEqual(error.cause._tag, fault.cause)
            yield* Effect.sleep("50 millis")
            assert.strictEqual(sockets.size, 0)
          })
        )
      )
    }

    it.live("a body shorter than its length: a typed error for chat", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* serve((socket) => {
            socket.end(
              'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"choices":['
            )
          })
          const error = yield* Effect.flip(
            quick(openai)
              .chat("hi")
              .pipe(Effect.provide(app(layer, port)))
          )
          assert.strictEqual(error._tag, "TransportFailure")
        })
      )
    )

    it.live("a byte now and then: the idle clock does not stop it, the first-event clock does", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* serve((socket) => {
            socket.write(head)
            const timer = setInterval(() => socket.write("1\r\n:\r\n"), 50)
            socket.on("close", () => clearInterval(timer))
          })
          const error = yield* Effect.flip(
            Stream.runDrain(
              openai
                .pipe(
                  ChatModel.retry(Schedule.recurs(0)),
                  ChatModel.withTimeouts({ firstEvent: "500 millis", idle: "200 millis" })
                )
                .streamChat("hi")
            ).pipe(Effect.provide(app(layer, port)))
          )
          assert.isTrue(error._tag === "ModelTimeout" && error.phase === "firstEvent")
        })
      )
    )

    it.live("nobody listens: TransportFailure that says so", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          openai
            .pipe(ChatModel.retry(Schedule.recurs(0)))
            .chat("hi")
            .pipe(Effect.provide(app(layer, 1)))
        )
        assert.strictEqual(error._tag, "TransportFailure")
        assert.match(error.message, /ECONNREFUSED|bad port/)
      })
    )

    it.live("two streams, one after the other, share a connection", () =>
      Effect.scoped(
        Effect.gen(function* () {
          let connections = 0
          const { port, server } = yield* serve((socket) => {
            const end = `${piece("Hello")}${piece("")}`
            const stop = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`
            socket.write(`${head}${end}${stop.length.toString(16)}\r\n${stop}\r\n0\r\n\r\n`)
          })
          server.on("connection", () => connections++)
          yield* Effect.gen(function* () {
            for (let n = 0; n < 3; n++) {
              const answer = yield* ChatModel.collect(openai.streamChat("hi"))
              assert.strictEqual(answer.text, "Hello")
              yield* Effect.sleep("10 millis")
            }
          }).pipe(Effect.provide(app(layer, port)))
          // `fetch` and undici open a connection ahead of need; a stream that was cut off would need one each.
          assert.isAtMost(connections, 2)
        })
      )
    )

    it.live("a slow reader slows the sender down", () =>
      Effect.scoped(
        Effect.gen(function* () {
          let written = 0
          let blocked = false
          const block = piece("x".repeat(64 * 1024))
          const { port } = yield* serve((socket) => {
            socket.write(head)
            const more = () => {
              for (let n = 0; n < 2000; n++) {
                written += block.length
                if (!socket.write(block)) {
                  blocked = true
                  return
                }
              }
            }
            socket.on("drain", more)
            more()
          })
          yield* Stream.runForEach(Stream.take(openai.streamChat("hi"), 2), () =>
            Effect.sleep("300 millis")
          ).pipe(Effect.provide(app(layer, port)))
          assert.isTrue(blocked)
          assert.isBelow(written, 64 * 1024 * 1024)
        })
      )
    )
  })
}

describe("another HTTP client", () => {
  it.effect("whose body can only be reached as a Stream works, and is let go of", () => {
    let released = false
    const events = ["Hel", "lo"].map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
    )
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        const response = HttpClientResponse.fromWeb(
          request,
          new Response("", { headers: { "content-type": "text/event-stream" } })
        )
        const stream = Stream.fromIterable([...events, "data: [DONE]\n\n"]).pipe(
          Stream.encodeText,
          Stream.ensuring(Effect.sync(() => (released = true)))
        )
        return Object.create(response, {
          source: { value: undefined },
          stream: { value: stream },
          status: { value: 200 },
          headers: { value: response.headers }
        }) as HttpClientResponse.HttpClientResponse
      })
    )
    return Effect.gen(function* () {
      const answer = yield* ChatModel.collect(openai.streamChat("hi"))
      assert.strictEqual(answer.text, "Hello")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      assert.isTrue(released)
    }).pipe(Effect.provide(app(Layer.succeed(HttpClient.HttpClient, client), 1)))
  })
})
