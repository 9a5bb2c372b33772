/** A request as it is by itself: its method, its own headers and its body, checked, before a transport adds to it. */
import * as Either from "effect/Either"
import { InvalidRequest } from "./errors.js"
import type { ProviderRequest } from "./exchange.js"
import { encodeBody } from "./requestBody.js"
import { type Sealed, seal } from "./sealedHeaders.js"

export interface OwnRequest extends Sealed {
  readonly method: string
  readonly body: string | Uint8Array | undefined
}

export const own = (request: ProviderRequest): Either.Either<OwnRequest, InvalidRequest> => {
  const { method = "POST" } = request
  const sealed = seal("headers", request.headers)
  if (sealed._tag === "Left") return Either.left(sealed.left)
  const body = encodeBody(request.body)
  if (body._tag === "Left") return Either.left(body.left)
  const { headers, secrets } = sealed.right
  if (body.right === undefined) return Either.right({ method, headers, secrets, body: undefined })
  return method === "GET"
    ? Either.left(
        new InvalidRequest({
          field: "body",
          message: "A GET request has no body: use POST, or put it into the endpoint's query."
        })
      )
    : Either.right({
        method,
        headers: { "content-type": "application/json", ...headers },
        secrets,
        body: body.right
      })
}
