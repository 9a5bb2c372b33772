/** A response of the gateway whose status is a success; its body is still to be read. */

import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { fromHeaders, type GatewayMetadata } from "../GatewayMetadata.js"
import { describe } from "./classify.js"
import { type LegError, MalformedResponse, TransportFailure } from "./errors.js"
import { parseJson } from "./json.js"
import type { ByteSource } from "./transport/byteSource.js"
import type { IncomingResponse } from "./transport/transport.js"
import { unchecked } from "./unchecked.js"

/** Who was asked, for errors. */
export interface Asked {
  readonly provider: string
  readonly model: string | undefined
  /** Which host was asked; absent for the gateway's own. It tells whose token an error is about. */
  readonly host?: "account" | undefined
}

export class Response {
  readonly gateway: GatewayMetadata

  constructor(
    private readonly incoming: IncomingResponse,
    readonly asked: Asked,
    /** Takes credentials out of a text that comes from outside. */
    readonly scrub: (text: string) => string
  ) {
    this.gateway = fromHeaders(incoming.headers)
  }

  get status(): number {
    return this.incoming.status
  }

  get headers(): Readonly<Record<string, string>> {
    return this.incoming.headers
  }

  get body(): ByteSource {
    return this.incoming.body
  }

  get close(): Effect.Effect<void> {
    return this.incoming.close
  }

  get text(): Effect.Effect<string, LegError> {
    return Effect.mapError(readText(this.incoming, Number.POSITIVE_INFINITY), (reason) =>
      this.brokenOff(reason)
    )
  }

  get json(): Effect.Effect<unknown, LegError> {
    return Effect.flatMap(this.text, (text) => {
      const json = parseJson(text)
      return json === undefined ? Effect.fail(this.malformed("expected JSON", text)) : Effect.succeed(json)
    })
  }

  get stream(): Stream.Stream<Uint8Array, LegError> {
    const read: Channel.Channel<Chunk.Chunk<Uint8Array>, unknown, LegError> = Channel.flatMap(
      Channel.fromEffect(Effect.mapError(readBytes(this.body), (reason) => this.brokenOff(reason))),
      (bytes) =>
        bytes === undefined ? Channel.void : Channel.flatMap(Channel.write(Chunk.of(bytes)), () => read)
    )
    return Stream.ensuring(Stream.fromChannel(read), this.close)
  }

  /** The body ended before the answer did. */
  brokenOff(reason: unknown): TransportFailure {
    return new TransportFailure(
      {
        ...this.context(),
        message: `The response of ${this.asked.provider} broke off: ${this.scrub(describe(reason))}`
      },
      unchecked
    )
  }

  malformed(problem: string, found: string): MalformedResponse {
    return new MalformedResponse(
      {
        ...this.context(),
        message: `${this.asked.provider} answered with something that its protocol does not allow: ${this.scrub(problem)}`,
        excerpt: this.scrub(found).slice(0, 500)
      },
      unchecked
    )
  }

  context() {
    return {
      provider: this.asked.provider,
      model: this.asked.model,
      status: this.status,
      logId: this.gateway.logId,
      gateway: this.gateway
    }
  }
}

const readBytes = (body: ByteSource): Effect.Effect<Uint8Array | undefined, unknown> =>
  Effect.async((resume) => {
    body.pull({
      bytes: (bytes) => resume(Effect.succeed(bytes)),
      end: () => resume(Effect.succeed(undefined)),
      broken: (reason) => resume(Effect.fail(reason))
    })
  })

/** Reads a body to its end as text, but no more than about `limit` bytes. Interruption closes the socket. */
export const readText = (incoming: IncomingResponse, limit: number): Effect.Effect<string, unknown> =>
  Effect.onExit(
    Effect.async<string, unknown>((resume) => {
      const decoder = new TextDecoder()
      let text = ""
      let read = 0
      // The bytes are drained in a plain loop: an Effect per network read would buy nothing here.
      const sink = {
        bytes: (bytes: Uint8Array) => {
          read += bytes.length
          text += decoder.decode(bytes, { stream: true })
          if (read >= limit) resume(Effect.zipRight(incoming.close, Effect.succeed(text)))
          else incoming.body.pull(sink)
        },
        end: () => resume(Effect.succeed(text + decoder.decode())),
        broken: (reason: unknown) => resume(Effect.fail(reason))
      }
      incoming.body.pull(sink)
    }),
    (exit) => (exit._tag === "Success" ? Effect.void : incoming.close)
  )
