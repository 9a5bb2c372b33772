/** HTTPS through any `HttpClient` of `@effect/platform`. */

import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Client from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { hasBody, isHttpMethod } from "@effect/platform/HttpMethod"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"
import { describe } from "../classify.js"
import { InvalidRequest, type LegError, TransportFailure } from "../errors.js"
import { unchecked } from "../unchecked.js"
import * as ByteSource from "./byteSource.js"
import type { IncomingResponse, OutgoingRequest, Transport } from "./transport.js"

export const make = (client: HttpClient.HttpClient): Transport => {
  // The gateway has a span of its own for each attempt, with more to tell; and without the client's span no
  // `traceparent` or `b3` header goes to a third party. `withScope` ties the socket to a scope that we close.
  const scoped = Client.withScope(client)
  const quiet = Client.withTracerDisabledWhen(scoped, () => true)
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.withFiberRuntime<HttpClientResponse, HttpClientError, Scope.Scope>((fiber) =>
      (fiber.getFiberRef(FiberRef.currentTracerEnabled) ? quiet : scoped).execute(request)
    )
  return {
    kind: "https",
    send: (request) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Scope.make(), (scope) =>
          Effect.matchCauseEffect(
            restore(
              Effect.flatMap(
                Effect.provideService(execute(toClient(request)), Scope.Scope, scope),
                (response) =>
                  Effect.map(
                    ByteSource.fromResponse(response),
                    (body): IncomingResponse => ({
                      status: response.status,
                      headers: response.headers,
                      body,
                      close: Effect.suspend(() => {
                        body.cancel()
                        return Scope.close(scope, Exit.void)
                      })
                    })
                  )
              )
            ),
            {
              onSuccess: (incoming) => {
                if (request.arrival !== undefined) request.arrival.close = incoming.close
                return Effect.succeed(incoming)
              },
              onFailure: (cause) =>
                Effect.zipRight(
                  Scope.close(scope, Exit.void),
                  Effect.mapError(Effect.failCause(cause), toLegError)
                )
            }
          )
        )
      )
  }
}

const toClient = ({ method, url, headers, body }: OutgoingRequest): HttpClientRequest.HttpClientRequest => {
  const verb = isHttpMethod(method) ? method : "POST"
  const request = HttpClientRequest.make(verb)(url, { headers })
  if (body === undefined || !hasBody(verb)) return request
  const type = headers["content-type"] ?? "application/json"
  return HttpClientRequest.setBody(
    request,
    typeof body === "string" ? HttpBody.text(body, type) : HttpBody.uint8Array(body, type)
  )
}

const toLegError = (error: HttpClientError): LegError => {
  if (error._tag === "RequestError" && error.reason === "InvalidUrl") {
    return new InvalidRequest({
      field: "baseUrl",
      message: `The URL of the gateway is not one: ${describe(error.cause)}`
    })
  }
  // Never the client's error itself: it holds the request with its headers, and so the keys.
  return new TransportFailure(
    {
      message: `No response from the gateway: ${describe(error.cause ?? error.description ?? error.reason)}`
    },
    unchecked
  )
}
