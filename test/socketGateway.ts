/** A gateway on a socket that answers as it is told: for answers that are no text, and for what a request is byte by byte. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

export interface Asked {
  /** The path behind the gateway. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Buffer
}

export type Answer = (response: ServerResponse, asked: Asked) => void | Promise<void>

export interface Server {
  readonly baseUrl: string
  readonly asked: ReadonlyArray<Asked>
}

/** Each request gets the next answer, and the last one again and again. */
export const serve = (...answers: readonly [Answer, ...ReadonlyArray<Answer>]) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Server & { readonly stop: () => void }>((resume) => {
        const asked: Array<Asked> = []
        const server = createServer((request, response) => {
          const pieces: Array<Buffer> = []
          request.on("data", (piece: Buffer) => pieces.push(piece))
          request.on("end", () => {
            const one: Asked = {
              path: (request.url ?? "").replace("/v1/account/gateway/", ""),
              headers: request.headers,
              body: Buffer.concat(pieces)
            }
            const answer = answers[Math.min(asked.length, answers.length - 1)] ?? answers[0]
            asked.push(one)
            void answer(response, one)
          })
        })
        server.listen(0, "127.0.0.1", () =>
          resume(
            Effect.succeed({
              baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
              asked,
              stop: () => {
                server.closeAllConnections()
                server.close()
              }
            })
          )
        )
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    (server): Server => server
  )

export const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers })
    response.end(JSON.stringify(body))
  }

/** Pieces of this many bytes, each in a network packet of its own. */
export const pieces =
  (body: Uint8Array, size: number, type: string): Answer =>
  async (response) => {
    response.writeHead(200, { "content-type": type })
    response.socket?.setNoDelay(true)
    for (let at = 0; at < body.length; at += size) {
      response.write(body.subarray(at, at + size))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    response.end()
  }
