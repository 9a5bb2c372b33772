/** What the tests with strangers share: no peer's code, and none of this project's but the gateway's server. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Schedule } from "effect"
import { LocalGateway } from "effect-ai-gateway"

export interface Silent {
  readonly url: string
  readonly asked: () => number
  /** Connections on which an answer was due, and which the other side closed. */
  readonly left: () => number
}

/** A provider on a socket of its own. It says `start`, if that, then nothing more, and it notices who hangs up. */
export const silentProvider = (start?: string) =>
  Effect.acquireRelease(
    Effect.async<Silent & { readonly stop: () => void }>((resume) => {
      let asked = 0
      let left = 0
      const open = new Set<ServerResponse>()
      const server = createServer((incoming, outgoing) => {
        asked++
        open.add(outgoing)
        outgoing.on("close", () => {
          open.delete(outgoing)
          left++
        })
        incoming.resume()
        incoming.on("end", () => {
          if (start === undefined) return
          outgoing.writeHead(200, { "content-type": "text/event-stream" })
          outgoing.write(start)
        })
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
            asked: () => asked,
            left: () => left,
            stop: () => {
              for (const outgoing of open) outgoing.destroy()
              server.close()
            }
          })
        )
      )
    }),
    ({ stop }) => Effect.sync(stop)
  )

/** Waits until the condition holds, for two seconds at most. */
export const eventually = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (met) => met, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("2 seconds")
  )

/** The provider, the gateway and its log all know that the client went away. */
export const wasLeft = (provider: Silent, gateway: LocalGateway.LocalGateway) =>
  eventually(
    () =>
      provider.asked() === 1 &&
      provider.left() === 1 &&
      gateway.inFlight() === 0 &&
      gateway.requests().at(-1)?.aborted === true
  )

/** What a call was rejected with; `undefined` if it was not. */
export const failureOf = (call: () => PromiseLike<unknown>): Effect.Effect<unknown> =>
  Effect.promise(() =>
    Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (error: unknown) => error
      )
  )

/**
 * Forwards a provider's endpoints to a base URL at which they have the vendor's own paths, where those are not the gateway's:
 * the first pattern that matches the path and its query is replaced.
 */
export const forwardRewritten = (
  baseUrl: string,
  rules: ReadonlyArray<readonly [RegExp, string]>
): LocalGateway.Upstream =>
  LocalGateway.forward(baseUrl, {
    fetch: (input, init) => {
      const endpoint = String(input).slice(baseUrl.length + 1)
      const rule = rules.find(([pattern]) => pattern.test(endpoint))
      return fetch(`${baseUrl}/${rule === undefined ? endpoint : endpoint.replace(...rule)}`, init)
    }
  })

/** Bytes as several parts of a server-sent event stream. */
export const events = (...data: ReadonlyArray<object>): string =>
  data
    .map(
      (event) =>
        `${"type" in event ? `event: ${String(event.type)}\n` : ""}data: ${JSON.stringify(event)}\n\n`
    )
    .join("")

export const openAiStart = events({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4.1-mini",
  choices: [{ index: 0, delta: { role: "assistant", content: "one" }, finish_reason: null }]
})

export const anthropicStart = events(
  {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-haiku-4-5",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 }
    }
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "one" } }
)
