/**
 * A `LocalGateway` on a loopback socket, for programs that are not Effect, for other processes, and for tests
 * that want real connections. Node only: a module of its own, so that nothing of Node reaches a Worker.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { LocalGateway } from "effect-ai-gateway"
 * import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
 *
 * const program = Effect.gen(function* () {
 *   const { baseUrl } = yield* LocalGatewayServer.start(LocalGateway.make())
 *   yield* Effect.log(`OpenAI is at ${baseUrl}/local-account/local-gateway/openai`)
 *   yield* Effect.never
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { LocalGateway } from "./LocalGateway.js"

/**
 * The port could not be had.
 *
 * @since 0.1.0
 * @category errors
 */
export class LocalGatewayServerError extends Data.TaggedError("LocalGatewayServerError")<{
  readonly message: string
  readonly cause: unknown
}> {}

/**
 * Where a gateway listens.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions {
  /** Default: one that is free. */
  readonly port?: number | undefined
}

/**
 * A gateway that listens.
 *
 * @since 0.1.0
 * @category models
 */
export interface Running {
  /** `http://127.0.0.1:{port}`. */
  readonly url: string
  /** The same with `/v1`: what stands before `/{account}/{gateway}`, as `https://gateway.ai.cloudflare.com/v1` does. */
  readonly baseUrl: string
  /**
   * The same with `/client/v4`: what stands before `/accounts/{account}/ai/…`, as `https://api.cloudflare.com/client/v4`
   * does.
   */
  readonly apiBaseUrl: string
  readonly port: number
  /** The gateway, to look at its requests and logs. */
  readonly gateway: LocalGateway
  /** Connections that are open now. */
  readonly openConnections: () => number
}

/**
 * The running server as a service, for `layer`.
 *
 * @since 0.1.0
 * @category tags
 */
export class LocalGatewayServer extends Context.Tag("effect-ai-gateway/LocalGatewayServer")<
  LocalGatewayServer,
  Running
>() {}

const readBody = async (incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of incoming) chunks.push(chunk)
  return chunks.length === 0 ? undefined : new Uint8Array(Buffer.concat(chunks))
}

const headersOf = (incoming: IncomingMessage): Headers => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value)
  return headers
}

/** Resolves when the bytes are with the operating system: back-pressure, and nothing lost if the socket goes. */
const write = (outgoing: ServerResponse, chunk: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    outgoing.write(chunk, (error) => (error ? reject(error) : resolve()))
  })

const answer = async (gateway: LocalGateway, incoming: IncomingMessage, outgoing: ServerResponse) => {
  const gone = new AbortController()
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) gone.abort(new DOMException("The client went away", "AbortError"))
  })
  try {
    const method = incoming.method ?? "GET"
    const body = await readBody(incoming)
    const request = new Request(
      new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "127.0.0.1"}`),
      {
        method,
        headers: headersOf(incoming),
        ...(body === undefined || method === "GET" || method === "HEAD" ? {} : { body })
      }
    )
    const response = await gateway.handle(request, { signal: gone.signal })
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    if (response.body === null) return outgoing.end()
    outgoing.flushHeaders()
    const reader = response.body.getReader()
    gone.signal.addEventListener("abort", () => reader.cancel(gone.signal.reason).catch(() => undefined))
    for (let next = await reader.read(); !next.done; next = await reader.read())
      await write(outgoing, next.value)
    return outgoing.end()
  } catch {
    // A connection that breaks must look broken to the client, and not like an answer that ended.
    return outgoing.destroy()
  }
}

/**
 * Serves the gateway on 127.0.0.1, on the given port or (default) on a free one, until the scope closes; then
 * all connections end at once. A client that goes away is what the gateway sees as that; a reply that drops
 * ends its socket in mid-answer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const start = (
  gateway: LocalGateway,
  options: ServerOptions = {}
): Effect.Effect<Running, LocalGatewayServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ readonly running: Running; readonly stop: Effect.Effect<void> }, LocalGatewayServerError>(
      (resume) => {
        const port = options.port ?? 0
        const sockets = new Set<Socket>()
        const server = createServer((incoming, outgoing) => void answer(gateway, incoming, outgoing))
        server.on("connection", (socket) => {
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
        })
        server.once("error", (cause) =>
          resume(
            Effect.fail(
              new LocalGatewayServerError({
                message: `Cannot listen on 127.0.0.1:${port}: ${cause.message}`,
                cause
              })
            )
          )
        )
        const stop = Effect.async<void>((resume) => {
          let open = sockets.size + 1
          const closed = () => {
            if (--open === 0) resume(Effect.void)
          }
          for (const socket of sockets) socket.once("close", closed).destroy()
          server.close(closed)
        })
        server.listen(port, "127.0.0.1", () => {
          const address = server.address()
          const actual = typeof address === "object" && address !== null ? address.port : port
          const url = `http://127.0.0.1:${actual}`
          resume(
            Effect.succeed({
              running: {
                url,
                baseUrl: `${url}/v1`,
                apiBaseUrl: `${url}/client/v4`,
                port: actual,
                gateway,
                openConnections: () => sockets.size
              },
              stop
            })
          )
        })
      }
    ),
    ({ stop }) => stop
  ).pipe(Effect.map(({ running }) => running))

/**
 * The same as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  gateway: LocalGateway,
  options: ServerOptions = {}
): Layer.Layer<LocalGatewayServer, LocalGatewayServerError> =>
  Layer.scoped(LocalGatewayServer, start(gateway, options))
