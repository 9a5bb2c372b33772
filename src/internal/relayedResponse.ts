/** A gateway's answer as a response of `@effect/platform`, for a client that decodes it itself. */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import { ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { describe } from "./classify.js"
import { connectionHeaders } from "./connectionHeaders.js"
import * as EventSplit from "./eventSplit.js"
import type { GatewayResponse } from "./exchange.js"
import { joinBytes } from "./joinBytes.js"

export class RelayedResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly status: number
  readonly headers: Headers.Headers
  private read: string | undefined

  constructor(
    /** Without credentials: errors hold it. */
    readonly request: HttpClientRequest,
    readonly answer: GatewayResponse
  ) {
    super()
    this.status = answer.status
    this.headers = Headers.fromInput(
      Object.entries(answer.headers).filter(([name]) => !connectionHeaders.has(name))
    )
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  /** No provider of language models sets any, and a gateway's own are for its host. */
  get cookies(): Cookies.Cookies {
    return Cookies.empty
  }

  get text(): Effect.Effect<string, ResponseError> {
    return Effect.suspend(() =>
      this.read !== undefined
        ? Effect.succeed(this.read)
        : Effect.mapBoth(this.answer.text, {
            onFailure: (error) => this.failure("Decode", error),
            onSuccess: (text) => (this.read = text)
          })
    )
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: (): unknown => (text === "" ? null : JSON.parse(text)),
        catch: (reason) => this.failure("Decode", reason)
      })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseError> {
    return Effect.map(
      Stream.runCollect(this.bytes),
      // A copy: a single piece may be a part of a larger buffer.
      (chunks) => new Uint8Array(joinBytes(Chunk.toReadonlyArray(chunks))).buffer
    )
  }

  get formData(): Effect.Effect<FormData, ResponseError> {
    return Effect.flatMap(this.arrayBuffer, (buffer) =>
      Effect.tryPromise({
        try: () => new Response(buffer, { headers: this.headers }).formData(),
        catch: (reason) => this.failure("Decode", reason)
      })
    )
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return /^text\/event-stream/i.test(this.headers["content-type"] ?? "")
      ? Stream.mapChunks(this.bytes, splitAll)
      : this.bytes
  }

  private get bytes(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.mapError(this.answer.stream, (error) => this.failure("Decode", error))
  }

  private failure(reason: "Decode", cause: unknown): ResponseError {
    return new ResponseError({
      request: this.request,
      response: this,
      reason,
      cause,
      description: describe(cause)
    })
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "effect-ai-gateway/RelayedResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }
}

const splitAll = (chunk: Chunk.Chunk<Uint8Array>): Chunk.Chunk<Uint8Array> =>
  Chunk.unsafeFromArray(Chunk.toReadonlyArray(chunk).flatMap((bytes) => EventSplit.split(bytes)))
