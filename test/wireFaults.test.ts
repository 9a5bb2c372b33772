import * as net from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schedule } from "effect"
import { AiGateway, Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"

// What `faults.test.ts` does not have: each fault, at each place, for chat and for a stream, with the clock that ends it, and
// with the next leg's answer.

// --- a gateway whose answers for openai are written byte by byte ------------------------------------------------------

interface Gateway {
  readonly baseUrl: string
  /** The requests by their providers, in order. */
  readonly asked: ReadonlyArray<string>
  /** How many connections have a request that is not answered to its end. */
  readonly open: () => number
}

const anthropicWhole = JSON.stringify({
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5",
  content: [{ type: "text", text: "saved" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1 }
})

const gatewayWith = (fault: (socket: net.Socket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly gateway: Gateway; readonly close: () => void }>((resume) => {
        const asked: Array<string> = []
        const sockets = new Set<net.Socket>()
        const unanswered = new Set<net.Socket>()
        const server = net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => undefined)
          socket.on("close", () => {
            sockets.delete(socket)
            unanswered.delete(socket)
          })
          let got = ""
          socket.on("data", (bytes) => {
            got += bytes.toString("latin1")
            const head = got.indexOf("\r\n\r\n")
            const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0)
            if (head < 0 || got.length < head + 4 + length) return
            const provider = got.slice(0, head).includes("/anthropic/") ? "anthropic" : "openai"
            got = ""
            asked.push(provider)
            unanswered.add(socket)
            if (provider === "openai") return fault(socket)
            socket.end(
              `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n` +
                `content-length: ${anthropicWhole.length}\r\n\r\n${anthropicWhole}`
            )
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          const close = () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
          const baseUrl = `http://127.0.0.1:${port}/v1`
          resume(Effect.succeed({ gateway: { baseUrl, asked, open: () => unanswered.size }, close }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ gateway }) => gateway
  )

// --- the faults -------------------------------------------------------------------------------------------------------

const headers = (type: string, more = "transfer-encoding: chunked") =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}\r\n\r\n`
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const later = (socket: net.Socket, what: () => void) => {
  const timer = setTimeout(what, 15)
  socket.on("close", () => clearTimeout(timer))
}
const every = (socket: net.Socket, millis: number, text: () => string) => {
  const timer = setInterval(() => socket.write(text()), millis)
  socket.on("close", () => clearInterval(timer))
}

/** A way of answering: its type, and what of it is written before the fault. */
interface Way {
  readonly name: "chat" | "streamChat"
  readonly type: string
  readonly begun: string
  readonly ask: (model: ChatModel.With<Needs>) => ReturnType<ChatModel.With<Needs>["chat"]>
}

type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic

const ways: ReadonlyArray<Way> = [
  { name: "chat", type: "application/json", begun: '{"choices":[{"mess', ask: (model) => model.chat("hi") },
  {
    name: "streamChat",
    type: "text/event-stream",
    begun: `data: ${JSON.stringify({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] })}\n\n`,
    ask: (model) => ChatModel.collect(model.streamChat("hi"))
  }
]

interface Fault {
  readonly name: string
  readonly happens: (socket: net.Socket, way: Way) => void
  readonly expected: "TransportFailure" | "ModelTimeout"
}

const started = (then: (socket: net.Socket) => void) => (socket: net.Socket, way: Way) => {
  socket.write(headers(way.type) + chunk(way.begun))
  later(socket, () => then(socket))
}

const faults: ReadonlyArray<Fault> = [
  {
    name: "a reset before any byte",
    happens: (socket) => socket.resetAndDestroy(),
    expected: "TransportFailure"
  },
  {
    name: "a reset between the headers and the body",
    happens: (socket, way) => {
      socket.write(headers(way.type))
      later(socket, () => socket.resetAndDestroy())
    },
    expected: "TransportFailure"
  },
  {
    name: "a reset in the body",
    happens: started((socket) => socket.resetAndDestroy()),
    expected: "TransportFailure"
  },
  { name: "a half close before any byte", happens: (socket) => socket.end(), expected: "TransportFailure" },
  {
    name: "a half close in the headers",
    happens: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-"),
    expected: "TransportFailure"
  },
  {
    name: "a half close in the body, without its last chunk",
    happens: started((socket) => socket.end()),
    expected: "TransportFailure"
  },
  {
    name: "a half close in the middle of a chunk",
    happens: (socket, way) => socket.end(`${headers(way.type)}fff\r\n${way.begun}`),
    expected: "TransportFailure"
  },
  {
    name: "a body that is shorter than its content-length",
    happens: (socket, way) => socket.end(headers(way.type, "content-length: 5000") + way.begun),
    expected: "TransportFailure"
  },
  {
    name: "a body of nothing, against its content-length",
    happens: (socket, way) => socket.end(headers(way.type, "content-length: 5000")),
    expected: "TransportFailure"
  },
  {
    name: "a chunk whose size is no number",
    happens: started((socket) => socket.write("zz\r\n")),
    expected: "TransportFailure"
  },
  {
    name: "a chunk that is longer than its size",
    // The server closes then: the parser of Node 22's `fetch` does not see the mistake, and would wait for more.
    happens: started((socket) => socket.end("2\r\nabcdef\r\n0\r\n\r\n")),
    expected: "TransportFailure"
  },
  { name: "no byte at all", happens: () => undefined, expected: "ModelTimeout" },
  {
    name: "headers without an end",
    happens: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")
    },
    expected: "ModelTimeout"
  },
  {
    name: "headers that dribble",
    happens: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n")
      let n = 0
      every(socket, 20, () => `x-${n++}: y\r\n`)
    },
    expected: "ModelTimeout"
  },
  {
    name: "a stall between the headers and the body",
    happens: (socket, way) => {
      socket.write(headers(way.type))
    },
    expected: "ModelTimeout"
  },
  { name: "a stall in the body", happens: started(() => undefined), expected: "ModelTimeout" },
  {
    name: "a stall against the content-length",
    happens: (socket, way) => {
      socket.write(headers(way.type, "content-length: 5000") + way.begun)
    },
    expected: "ModelTimeout"
  },
  {
    name: "a body that dribbles a byte at a time",
    happens: (socket, way) => {
      socket.write(headers(way.type) + chunk(way.begun))
      // Blanks are no content: between events they are the beginning of a line, and in JSON they are nothing.
      every(socket, 20, () => chunk(" "))
    },
    expected: "ModelTimeout"
  }
]

// --- what is promised about each --------------------------------------------------------------------------------------

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici]
]

const contextOf = (client: Layer.Layer<HttpClient.HttpClient>, baseUrl: string) =>
  Layer.build(
    Layer.merge(OpenAi.layer(), Anthropic.layer()).pipe(
      Layer.provideMerge(
        AiGateway.layer({
          accountId: "local-account",
          gatewayId: "local-gateway",
          token: Redacted.make("local-token"),
          baseUrl
        })
      ),
      Layer.provideMerge(client)
    )
  )

const limit = 200
/** What a busy machine may add to a clock. */
const late = 1500

const once = ChatModel.retry(Schedule.recurs(0))
/** What ends by itself does so before a clock that is never heard. */
const clocks = (way: "chat" | "streamChat", expected: string) => {
  const millis = `${expected === "ModelTimeout" ? limit : 20 * limit} millis` as const
  return way === "chat" ? { total: millis } : { firstEvent: millis }
}

const eventually = (condition: () => boolean) =>
  Effect.promise(async () => {
    for (let n = 0; n < 200 && !condition(); n++) await new Promise((resolve) => setTimeout(resolve, 5))
    return condition()
  })

for (const [clientName, client] of clients) {
  for (const way of ways) {
    describe(`${way.name} on ${clientName}`, () => {
      for (const { expected, happens, name } of faults) {
        it.live(`${name} is ${expected}, in time, and the next leg answers`, () =>
          Effect.gen(function* () {
            const gateway = yield* gatewayWith((socket) => happens(socket, way))
            const context = yield* contextOf(client, gateway.baseUrl)
            const openai = once(OpenAi.model("gpt-4.1-mini")).pipe(
              ChatModel.withTimeouts(clocks(way.name, expected))
            )
            const anthropic = once(Anthropic.model("claude-haiku-4-5"))
            const start = performance.now()
            const answer = yield* Effect.provide(
              way.ask(ChatModel.firstSuccessOf([openai, anthropic])),
              context
            )
            const took = performance.now() - start
            assert.strictEqual(answer.text, "saved")
            assert.deepStrictEqual(gateway.asked, ["openai", "anthropic"])
            const [attempt] = answer.attempts
            assert.strictEqual(attempt?.error._tag, expected, attempt?.error.message)
            assert.strictEqual(attempt?.provider, "openai")
            if (attempt?.error._tag === "ModelTimeout") {
              assert.strictEqual(attempt.error.phase, way.name === "chat" ? "total" : "firstEvent")
            }
            if (expected === "ModelTimeout") assert.isAtLeast(took, limit - 1)
            assert.isBelow(took, limit + late)
            assert.isTrue(yield* eventually(() => gateway.open() === 0), "a socket stayed open")
          }).pipe(Effect.scoped, Effect.provide(Logger.remove(Logger.defaultLogger)))
        )
      }
    })
  }
}
