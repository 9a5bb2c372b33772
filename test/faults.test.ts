import * as http from "node:http"
import * as net from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Logger, Option, Redacted, Ref, Schedule, Stream } from "effect"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  type ChatEvent,
  ChatModel,
  OpenAi
} from "effect-ai-gateway"

type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic

const settings = {
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
}
const providers = Layer.merge(OpenAi.layer(), Anthropic.layer())
const quiet = Logger.remove(Logger.defaultLogger)

const once = ChatModel.retry(Schedule.recurs(0))
const openai = once(OpenAi.model("gpt-4.1-mini"))
const anthropic = once(Anthropic.model("claude-haiku-4-5"))
const list = ChatModel.firstSuccessOf([openai, anthropic])

const frame = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
const preamble = frame("")
const stop = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`
const wholeJson = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "one" }, finish_reason: "stop" }]
})
const saved = JSON.stringify({
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5",
  content: [{ type: "text", text: "saved" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1 }
})

/** A server whose answers for openai are written by hand, byte for byte; anthropic always answers. */
const serve = (fault: (socket: net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly baseUrl: string; readonly open: () => number; readonly close: () => void }>(
      (resume) => {
        const sockets = new Set<net.Socket>()
        // undici at once opens an idle connection in place of one that it had to close; what counts are those with a request.
        const asked = new Set<net.Socket>()
        const server = net.createServer((socket) => {
          sockets.add(socket)
          socket.on("close", () => {
            sockets.delete(socket)
            asked.delete(socket)
          })
          socket.on("error", () => undefined)
          let got = ""
          socket.on("data", (bytes) => {
            asked.add(socket)
            got += bytes.toString("latin1")
            const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0)
            const head = got.indexOf("\r\n\r\n")
            if (head < 0 || got.length < head + 4 + length) return
            const path = got.slice(0, head)
            got = ""
            if (!path.includes("/anthropic/")) return fault(socket)
            socket.end(
              `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${saved.length}\r\n\r\n${saved}`
            )
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as net.AddressInfo
          const close = () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
          resume(Effect.succeed({ baseUrl: `http://127.0.0.1:${port}/v1`, open: () => asked.size, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
]

const contextOf = (client: Layer.Layer<HttpClient.HttpClient>, baseUrl: string) =>
  Layer.build(
    providers.pipe(Layer.provideMerge(AiGateway.layer({ ...settings, baseUrl })), Layer.provideMerge(client))
  )

const headers = (type: string, more = "transfer-encoding: chunked") =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}\r\n\r\n`
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

type Break = (socket: net.Socket) => void

/** How a body goes wrong after what was written of it. */
const breaks: ReadonlyArray<readonly [string, Break]> = [
  ["RST", (socket) => setTimeout(() => socket.resetAndDestroy(), 20)],
  ["FIN without a last chunk", (socket) => setTimeout(() => socket.end(), 20)],
  ["the socket destroyed", (socket) => setTimeout(() => socket.destroy(), 20)],
  ["a bad chunk size", (socket) => setTimeout(() => socket.write("zz\r\n"), 20)]
]
const stalls: ReadonlyArray<readonly [string, Break]> = [
  ["silence", () => undefined],
  [
    "a chunk of which only the beginning comes",
    (socket) => {
      socket.write("ff\r\nda")
    }
  ]
]

const run = (model: ChatModel.With<Needs>) =>
  Effect.gen(function* () {
    const seen: Array<ChatEvent.ChatEvent> = []
    const exit = yield* Effect.exit(
      Stream.runForEach(model.streamChat("hi"), (event) => Effect.sync(() => seen.push(event)))
    )
    return { seen, exit, error: Exit.isFailure(exit) ? yield* Effect.flip(exit) : undefined }
  })

const tag = (error: AiGatewayError.AiGatewayError | undefined) =>
  error?._tag === "StreamBroken" ? `StreamBroken(${error.cause._tag})` : error?._tag

const eventually = (condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    return condition()
  })

for (const [name, client] of clients) {
  describe(`${name}: a stream's body`, () => {
    for (const [fault, doBreak] of breaks) {
      it.live(`${fault} before the first content is TransportFailure, and the next leg answers`, () =>
        Effect.gen(function* () {
          const server = yield* serve((socket) => {
            socket.write(headers("text/event-stream") + chunk(preamble))
            doBreak(socket)
          })
          const context = yield* contextOf(client, server.baseUrl)
          const { error, seen } = yield* Effect.provide(run(openai), context)
          assert.strictEqual(tag(error), "TransportFailure")
          assert.include(error?.message, "openai")
          assert.deepStrictEqual(seen, [])
          const answer = yield* Effect.provide(ChatModel.collect(list.streamChat("hi")), context)
          assert.strictEqual(answer.text, "saved")
          assert.deepStrictEqual(
            answer.attempts.map((attempt) => attempt.error._tag),
            ["TransportFailure"]
          )
        }).pipe(Effect.scoped, Effect.provide(quiet))
      )

      it.live(
        `${fault} after content is StreamBroken, with what was delivered, and no other leg is asked`,
        () =>
          Effect.gen(function* () {
            const server = yield* serve((socket) => {
              socket.write(
                headers("text/event-stream") + chunk(preamble) + chunk(frame("one")) + chunk(frame(" two"))
              )
              doBreak(socket)
            })
            const context = yield* contextOf(client, server.baseUrl)
            const { error, seen } = yield* Effect.provide(run(list), context)
            assert.strictEqual(tag(error), "StreamBroken(TransportFailure)")
            assert.strictEqual(error?._tag === "StreamBroken" && error.delivered.text, "one two")
            assert.strictEqual(error?._tag === "StreamBroken" && error.delivered.events, seen.length)
          }).pipe(Effect.scoped, Effect.provide(quiet))
      )

      it.live(`${fault} in a chat's body is TransportFailure, and the next leg answers`, () =>
        Effect.gen(function* () {
          const server = yield* serve((socket) => {
            socket.write(headers("application/json") + chunk(wholeJson.slice(0, 20)))
            doBreak(socket)
          })
          const context = yield* contextOf(client, server.baseUrl)
          const error = yield* Effect.provide(Effect.flip(openai.chat("hi")), context)
          assert.strictEqual(error._tag, "TransportFailure")
          const answer = yield* Effect.provide(list.chat("hi"), context)
          assert.strictEqual(answer.text, "saved")
        }).pipe(Effect.scoped, Effect.provide(quiet))
      )
    }

    for (const [what, written, expected] of [
      ["before the first content", preamble, "TransportFailure"],
      ["after content", preamble + frame("one"), "StreamBroken(TransportFailure)"]
    ] as const) {
      it.live(`shorter than its content-length ${what} is ${expected}`, () =>
        Effect.gen(function* () {
          const server = yield* serve((socket) => {
            socket.write(headers("text/event-stream", "content-length: 5000") + written)
            // Bun forgets content that it has not handed out yet when the end comes with it.
            setTimeout(() => socket.end(), 50)
          })
          const context = yield* contextOf(client, server.baseUrl)
          assert.strictEqual(tag((yield* Effect.provide(run(openai), context)).error), expected)
        }).pipe(Effect.scoped)
      )
    }

    for (const [what, written, expected] of [
      ["before the first content", preamble, "TransportFailure"],
      ["after content", preamble + frame("one"), "StreamBroken(TransportFailure)"]
    ] as const) {
      it.live(`that ends well for HTTP, but too early for the model, ${what} is ${expected}`, () =>
        Effect.gen(function* () {
          const server = yield* serve((socket) =>
            socket.end(`${headers("text/event-stream")}${chunk(written)}0\r\n\r\n`)
          )
          const context = yield* contextOf(client, server.baseUrl)
          assert.strictEqual(tag((yield* Effect.provide(run(openai), context)).error), expected)
        }).pipe(Effect.scoped)
      )
    }

    for (const [fault, doStall] of stalls) {
      it.live(
        `${fault} before the first content: the clock ends it, closes the socket, and the next leg answers`,
        () =>
          Effect.gen(function* () {
            const server = yield* serve((socket) => {
              socket.write(headers("text/event-stream") + chunk(preamble))
              doStall(socket)
            })
            const context = yield* contextOf(client, server.baseUrl)
            const hasty = ChatModel.withTimeouts(list, { firstEvent: "120 millis" })
            const answer = yield* Effect.provide(ChatModel.collect(hasty.streamChat("hi")), context)
            assert.strictEqual(answer.text, "saved")
            const [attempt] = answer.attempts
            assert.strictEqual(attempt?.error._tag, "ModelTimeout")
            assert.isAtLeast(Duration.toMillis(attempt?.duration ?? 0), 119)
            assert.isTrue(yield* eventually(() => server.open() === 0), "a socket stayed open")
          }).pipe(Effect.scoped, Effect.provide(quiet))
      )

      it.live(`${fault} after content: the idle clock breaks it and closes the socket`, () =>
        Effect.gen(function* () {
          const server = yield* serve((socket) => {
            socket.write(headers("text/event-stream") + chunk(frame("one")))
            doStall(socket)
          })
          const context = yield* contextOf(client, server.baseUrl)
          const { error } = yield* Effect.provide(
            run(ChatModel.withTimeouts(list, { idle: "120 millis" })),
            context
          )
          assert.strictEqual(tag(error), "StreamBroken(ModelTimeout)")
          assert.isTrue(yield* eventually(() => server.open() === 0), "a socket stayed open")
        }).pipe(Effect.scoped)
      )
    }

    it.live("that dribbles byte by byte without ever giving content is ended by the first-event clock", () =>
      Effect.gen(function* () {
        const server = yield* serve((socket) => {
          socket.write(headers("text/event-stream"))
          const timer = setInterval(() => socket.write(chunk(":")), 15)
          socket.on("close", () => clearInterval(timer))
        })
        const context = yield* contextOf(client, server.baseUrl)
        const hasty = ChatModel.withTimeouts(openai, { firstEvent: "150 millis", idle: "100 millis" })
        const { error } = yield* Effect.provide(run(hasty), context)
        assert.strictEqual(error?._tag === "ModelTimeout" && error.phase, "firstEvent")
        assert.isTrue(yield* eventually(() => server.open() === 0), "a socket stayed open")
      }).pipe(Effect.scoped)
    )
  })

  describe(`${name}: a connection`, () => {
    const early: ReadonlyArray<readonly [string, Break]> = [
      ["RST before any header", (socket) => socket.resetAndDestroy()],
      ["FIN before any header", (socket) => socket.end()],
      [
        "RST in the middle of the headers",
        (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-ty")
          setTimeout(() => socket.resetAndDestroy(), 10)
        }
      ],
      ["something that is not HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")]
    ]
    for (const [fault, doBreak] of early) {
      it.live(`${fault} is TransportFailure, and the next leg answers`, () =>
        Effect.gen(function* () {
          const server = yield* serve(doBreak)
          const context = yield* contextOf(client, server.baseUrl)
          for (const call of [
            Effect.flip(openai.chat("hi")),
            Effect.flip(Stream.runDrain(openai.streamChat("hi")))
          ]) {
            assert.strictEqual((yield* Effect.provide(call, context))._tag, "TransportFailure")
          }
          assert.strictEqual((yield* Effect.provide(list.chat("hi"), context)).text, "saved")
          assert.strictEqual(
            (yield* Effect.provide(ChatModel.collect(list.streamChat("hi")), context)).text,
            "saved"
          )
        }).pipe(Effect.scoped, Effect.provide(quiet))
      )
    }

    it.live("that is refused is TransportFailure, and tells no key", () =>
      Effect.gen(function* () {
        const server = yield* serve(() => undefined)
        const context = yield* contextOf(client, server.baseUrl)
        server.close()
        yield* Effect.sleep("20 millis")
        const error = yield* Effect.provide(Effect.flip(openai.chat("hi")), context)
        assert.strictEqual(error._tag, "TransportFailure")
        assert.notInclude(JSON.stringify(error), "local-token")
        assert.match(error.message, /ECONNREFUSED|Connection refused/)
      }).pipe(Effect.scoped)
    )

    it.live("that gives no headers is ended by a clock, which closes the socket", () =>
      Effect.gen(function* () {
        const server = yield* serve((socket) => socket.write("HTTP/1.1 200 OK\r\n"))
        const context = yield* contextOf(client, server.baseUrl)
        const stream = ChatModel.withTimeouts(openai, { firstEvent: "100 millis" })
        const { error } = yield* Effect.provide(run(stream), context)
        assert.strictEqual(error?._tag === "ModelTimeout" && error.phase, "firstEvent")
        const chat = ChatModel.withTimeouts(openai, { total: "100 millis" })
        const failed = yield* Effect.provide(Effect.flip(chat.chat("hi")), context)
        assert.strictEqual(failed._tag === "ModelTimeout" && failed.phase, "total")
        assert.isTrue(yield* eventually(() => server.open() === 0), "a socket stayed open")
      }).pipe(Effect.scoped)
    )

    it.live("that breaks after the answer was complete does no harm", () =>
      Effect.gen(function* () {
        const server = yield* serve((socket) => {
          socket.write(headers("text/event-stream") + chunk(frame("one") + stop))
          setTimeout(() => socket.resetAndDestroy(), 10)
        })
        const context = yield* contextOf(client, server.baseUrl)
        const { error, seen } = yield* Effect.provide(run(openai), context)
        assert.isUndefined(error)
        assert.strictEqual(seen.at(-1)?._tag, "Finish")
      }).pipe(Effect.scoped)
    )

    it.live("that breaks while nobody reads is told to the one who reads later", () =>
      Effect.gen(function* () {
        const server = yield* serve((socket) => {
          socket.write(headers("application/json") + chunk('{"begun":'))
          setTimeout(() => socket.resetAndDestroy(), 10)
        })
        const context = yield* contextOf(client, server.baseUrl)
        const read = Effect.gen(function* () {
          const response = yield* AiGateway.send({ provider: "openai", endpoint: "anything", body: {} })
          yield* Effect.sleep("60 millis")
          return yield* response.text
        })
        const exit = yield* Effect.exit(
          Effect.provide(read, context).pipe(
            Effect.timeoutFail({ duration: "1 second", onTimeout: () => "hangs" })
          )
        )
        const error = yield* Effect.flip(exit)
        assert.strictEqual(typeof error === "string" ? error : error._tag, "TransportFailure")
      }).pipe(Effect.scoped)
    )
  })

  describe(`${name}: a server of node:http`, () => {
    it.live("that is slow to write its headers and body is waited for", () =>
      Effect.gen(function* () {
        const baseUrl = yield* Effect.acquireRelease(
          Effect.async<{ readonly url: string; readonly server: http.Server }>((resume) => {
            const server = http.createServer((request, response) => {
              request.resume()
              setTimeout(() => {
                response.writeHead(200, { "content-type": "application/json" })
                response.write(wholeJson.slice(0, 30))
                setTimeout(() => response.end(wholeJson.slice(30)), 30)
              }, 30)
            })
            server.listen(0, "127.0.0.1", () => {
              const { port } = server.address() as net.AddressInfo
              resume(Effect.succeed({ url: `http://127.0.0.1:${port}/v1`, server }))
            })
          }),
          ({ server }) =>
            Effect.sync(() => {
              server.closeAllConnections()
              server.close()
            })
        )
        const context = yield* contextOf(client, baseUrl.url)
        assert.strictEqual((yield* Effect.provide(openai.chat("hi"), context)).text, "one")
        assert.strictEqual(
          (yield* Effect.provide(ChatModel.collect(openai.streamChat("hi")), context)).text,
          "one"
        )
      }).pipe(Effect.scoped)
    )
  })
}

describe("a foreign HttpClient, whose body can be had by `stream` alone", () => {
  class Foreign {
    readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
    readonly status = 200
    readonly headers: Headers.Headers
    readonly remoteAddress = Option.none()
    constructor(
      readonly request: HttpClientRequest.HttpClientRequest,
      readonly stream: Stream.Stream<Uint8Array, Error>,
      type: string
    ) {
      this.headers = Headers.fromInput({ "content-type": type })
    }
  }

  const foreign = (stream: Stream.Stream<Uint8Array, Error>, type = "text/event-stream") =>
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.succeed(
          (request.url.includes("/anthropic/")
            ? HttpClientResponse.fromWeb(
                request,
                new Response(saved, { headers: { "content-type": "application/json" } })
              )
            : new Foreign(request, stream, type)) as HttpClientResponse.HttpClientResponse
        )
      )
    )

  const bytes = (text: string) => new TextEncoder().encode(text)
  const baseUrl = "http://localhost/v1"

  it.live("streams and chats", () =>
    Effect.gen(function* () {
      const events = foreign(Stream.map(Stream.make(preamble, frame("Grü"), frame("ße"), stop), bytes))
      const stream = yield* contextOf(events, baseUrl)
      assert.strictEqual(
        (yield* Effect.provide(ChatModel.collect(openai.streamChat("hi")), stream)).text,
        "Grüße"
      )
      const json = foreign(
        Stream.make(bytes(wholeJson.slice(0, 9)), bytes(wholeJson.slice(9))),
        "application/json"
      )
      const chat = yield* contextOf(json, baseUrl)
      assert.strictEqual((yield* Effect.provide(openai.chat("hi"), chat)).text, "one")
    }).pipe(Effect.scoped)
  )

  it.live("twenty thousand pieces that are there at once do not exhaust the stack", () =>
    Effect.gen(function* () {
      const pieces = Stream.rechunk(Stream.fromIterable(Array.from({ length: 20_000 }, () => bytes(" "))), 1)
      const json = foreign(Stream.concat(pieces, Stream.make(bytes(wholeJson))), "application/json")
      assert.strictEqual(
        (yield* Effect.provide(openai.chat("hi"), yield* contextOf(json, baseUrl))).text,
        "one"
      )
      const comments = Stream.rechunk(
        Stream.fromIterable(Array.from({ length: 20_000 }, () => bytes(":\n"))),
        1
      )
      const sse = foreign(Stream.concat(comments, Stream.make(bytes(frame("one") + stop))))
      const answer = ChatModel.collect(openai.streamChat("hi"))
      assert.strictEqual((yield* Effect.provide(answer, yield* contextOf(sse, baseUrl))).text, "one")
    }).pipe(Effect.scoped)
  )

  it.live("a body that fails is TransportFailure before content, StreamBroken after; a defect too", () =>
    Effect.gen(function* () {
      for (const end of [Stream.fail(new Error("gone")), Stream.die("gone"), Stream.empty]) {
        const before = yield* contextOf(foreign(Stream.concat(Stream.make(bytes(preamble)), end)), baseUrl)
        assert.strictEqual(tag((yield* Effect.provide(run(openai), before)).error), "TransportFailure")
        assert.strictEqual(
          (yield* Effect.provide(ChatModel.collect(list.streamChat("hi")), before)).text,
          "saved"
        )
        const after = yield* contextOf(foreign(Stream.concat(Stream.make(bytes(frame("one"))), end)), baseUrl)
        assert.strictEqual(
          tag((yield* Effect.provide(run(list), after)).error),
          "StreamBroken(TransportFailure)"
        )
      }
    }).pipe(Effect.scoped, Effect.provide(quiet))
  )

  it.live("a body that is given up is interrupted and released: by stopping, interruption, and a clock", () =>
    Effect.gen(function* () {
      for (const begin of [frame("one"), preamble]) {
        const open = yield* Ref.make(0)
        const interrupted = yield* Ref.make(0)
        const body = Stream.acquireRelease(
          Ref.update(open, (n) => n + 1),
          () => Ref.update(open, (n) => n - 1)
        ).pipe(
          Stream.flatMap(() =>
            Stream.concat(
              Stream.make(bytes(begin)),
              Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Ref.update(interrupted, (n) => n + 1)))
            )
          )
        )
        const context = yield* contextOf(foreign(body), baseUrl)
        const closed = (times: number) =>
          Effect.gen(function* () {
            yield* Effect.sleep("20 millis")
            assert.strictEqual(yield* Ref.get(open), 0, "still open")
            assert.strictEqual(yield* Ref.get(interrupted), times)
          })
        const fiber = yield* Effect.fork(Effect.provide(run(openai), context))
        yield* Effect.sleep("20 millis")
        assert.strictEqual(yield* Ref.get(open), 1)
        yield* Fiber.interrupt(fiber)
        yield* closed(1)
        const hasty = ChatModel.withTimeouts(openai, { firstEvent: "50 millis", idle: "50 millis" })
        const { error } = yield* Effect.provide(run(hasty), context)
        assert.include(["ModelTimeout", "StreamBroken(ModelTimeout)"], tag(error))
        yield* closed(2)
        if (begin === preamble) continue
        yield* Effect.provide(Stream.runDrain(Stream.take(openai.streamChat("hi"), 2)), context)
        yield* closed(2)
      }
    }).pipe(Effect.scoped)
  )
})
