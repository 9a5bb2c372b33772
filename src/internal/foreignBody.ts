/** The body of another client's request, as text or bytes: what goes through a gateway is sent whole. */
import type { HttpBody } from "@effect/platform/HttpBody"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { describe } from "./classify.js"
import { InvalidRequest } from "./errors.js"
import { joinBytes } from "./joinBytes.js"

export interface ForeignBody {
  readonly body: string | Uint8Array | undefined
  /** What the body says of itself, where its client leaves that to `fetch`: the boundary of a form. */
  readonly type: string | undefined
}

const none: ForeignBody = { body: undefined, type: undefined }

/** The body of a request of `@effect/platform`. */
export const fromHttpBody = (body: HttpBody): Effect.Effect<ForeignBody, InvalidRequest> => {
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(none)
    case "Uint8Array":
      return Effect.succeed({ body: body.body, type: body.contentType })
    case "Raw":
      return isBodyInit(body.body)
        ? Effect.map(fromBodyInit(body.body), (read) => ({ ...read, type: body.contentType ?? read.type }))
        : Effect.fail(unreadable(`a ${typeof body.body} is none that fetch takes`))
    case "FormData":
      return fromBodyInit(body.formData)
    case "Stream":
      return Effect.mapBoth(Stream.runCollect(body.stream), {
        onFailure: (reason) => unreadable(describe(reason)),
        onSuccess: (chunks) => ({ body: joinBytes(Chunk.toReadonlyArray(chunks)), type: body.contentType })
      })
  }
}

/** A body as `fetch` takes it. A stream is read to its end; who stops waiting cancels it. */
export const fromBodyInit = (
  body: BodyInit | null | undefined
): Effect.Effect<ForeignBody, InvalidRequest> => {
  if (body === null || body === undefined) return Effect.succeed(none)
  if (typeof body === "string" || body instanceof Uint8Array) return Effect.succeed({ body, type: undefined })
  if (body instanceof ReadableStream) {
    if (body.locked) return Effect.fail(unreadable("it is being read already"))
    return Effect.flatMap(
      Stream.runCollect(
        Stream.fromReadableStream(
          () => body,
          (reason) => unreadable(describe(reason))
        )
      ),
      (chunks) => {
        const parts: ReadonlyArray<unknown> = Chunk.toReadonlyArray(chunks)
        return parts.every((part) => part instanceof Uint8Array)
          ? Effect.succeed({ body: joinBytes(parts), type: undefined })
          : Effect.fail(unreadable("a stream must be one of bytes"))
      }
    )
  }
  return Effect.tryPromise({
    try: async () => {
      const read = new Response(body)
      const type = read.headers.get("content-type") ?? undefined
      return { body: new Uint8Array(await read.arrayBuffer()), type }
    },
    catch: (reason) => unreadable(describe(reason))
  })
}

const isBodyInit = (body: unknown): body is BodyInit =>
  typeof body === "string" ||
  body instanceof ArrayBuffer ||
  ArrayBuffer.isView(body) ||
  body instanceof Blob ||
  body instanceof FormData ||
  body instanceof URLSearchParams ||
  body instanceof ReadableStream

const unreadable = (why: string): InvalidRequest =>
  new InvalidRequest({ field: "body", message: `The body of the request cannot be read: ${why}.` })
