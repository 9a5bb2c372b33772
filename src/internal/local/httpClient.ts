/** A gateway as an `HttpClient`, on the Effect clock. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { timingOf } from "./effectTiming.js"
import type { LocalGateway } from "./options.js"

type Body = string | Uint8Array<ArrayBuffer> | FormData | ReadableStream<Uint8Array> | undefined

const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Body, HttpClientError.RequestError> => {
  const body = request.body
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(undefined)
    case "Raw":
      return typeof body.body === "string" ||
        body.body instanceof FormData ||
        body.body instanceof ReadableStream
        ? Effect.succeed(body.body)
        : Effect.fail(
            new HttpClientError.RequestError({
              request,
              reason: "Encode",
              description: "LocalGateway takes a raw body only as a string, FormData or ReadableStream"
            })
          )
    case "Uint8Array":
      return Effect.succeed(new Uint8Array(body.body))
    case "FormData":
      return Effect.succeed(body.formData)
    case "Stream":
      return Stream.toReadableStreamEffect(body.stream)
  }
}

export const layerHttpClient = (gateway: LocalGateway): Layer.Layer<HttpClient.HttpClient> =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url, signal) =>
      Effect.flatMap(bodyOf(request), (body) =>
        Clock.clockWith((clock) =>
          Effect.tryPromise({
            try: () =>
              gateway.handle(
                new Request(url, {
                  method: request.method,
                  headers: request.headers,
                  ...(body === undefined ? {} : { body }),
                  ...(body instanceof ReadableStream ? { duplex: "half" } : {})
                }),
                { timing: timingOf(clock), signal }
              ),
            catch: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
          }).pipe(Effect.map((response) => HttpClientResponse.fromWeb(request, response)))
        )
      )
    )
  )
