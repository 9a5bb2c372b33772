/**
 * A Worker's binding: a function that promises a `Response`. What it does wrong is made typed here: it may throw, at once
 * or later, an error, a text or anything else; it may give something that is no response, or never answer at all.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { field } from "../classify/text.js"
import { classifyThrown, describe } from "../classify.js"
import { type LegError, MalformedResponse, TransportFailure } from "../errors.js"
import { scrubber } from "../scrubber.js"
import * as ByteSource from "./byteSource.js"
import type { AwaitedRequest, IncomingResponse, Transport, TransportKind } from "./transport.js"

/**
 * As much of a `Response` as is read, so that the types of `@cloudflare/workers-types` and those of browsers fit alike.
 *
 * @since 0.1.0
 * @category models
 */
export interface BindingResponse {
  readonly status: number
  readonly headers: {
    forEach(callback: (value: string, name: string) => void): void
  }
  readonly body: unknown
}

/**
 * As much of an `AbortSignal` as a binding is promised; it gets a real one.
 *
 * @since 0.1.0
 * @category models
 */
export interface BindingSignal {
  readonly aborted: boolean
  addEventListener(type: "abort", listener: () => void): void
  removeEventListener(type: "abort", listener: () => void): void
}

export const make = <Request extends AwaitedRequest>(options: {
  readonly kind: TransportKind
  /** What a person calls the function: `env.AI.run`. */
  readonly name: string
  readonly call: (request: Request, signal: AbortSignal) => PromiseLike<unknown>
}): Transport<Request> => ({
  kind: options.kind,
  send: (request) =>
    Effect.async<IncomingResponse, LegError>((resume, signal) => {
      const thrown = (reason: unknown) =>
        resume(Effect.fail(toLegError(reason, scrubber(request.secrets), options.name)))
      const arrived = (response: unknown) => {
        if (!isResponse(response)) return resume(Effect.fail(noResponse(response, options.name)))
        const incoming = toIncoming(response)
        // A binding that knows no signal answers although nobody waits any more.
        if (signal.aborted) return incoming.body.cancel()
        if (request.arrival !== undefined) request.arrival.close = incoming.close
        resume(Effect.succeed(incoming))
      }
      try {
        // What it gives may throw when it is looked at.
        Promise.resolve(options.call(request, signal)).then(arrived).then(undefined, thrown)
      } catch (reason) {
        thrown(reason)
      }
    })
})

const toIncoming = ({ status, headers, body }: BindingResponse): IncomingResponse => {
  const read: Record<string, string> = {}
  headers.forEach((value, name) => {
    read[name.toLowerCase()] = value
  })
  const source = ByteSource.isWebStream(body) ? ByteSource.fromWeb(body) : ByteSource.empty
  return { status, headers: read, body: source, close: Effect.sync(source.cancel) }
}

const isResponse = (u: unknown): u is BindingResponse =>
  Predicate.hasProperty(u, "status") &&
  typeof u.status === "number" &&
  Predicate.hasProperty(u, "headers") &&
  Predicate.hasProperty(u.headers, "forEach") &&
  typeof u.headers.forEach === "function" &&
  Predicate.hasProperty(u, "body") &&
  (u.body === null || ByteSource.isWebStream(u.body))

const noResponse = (found: unknown, name: string): LegError =>
  new MalformedResponse({
    message: `${name} gave no Response: check that the binding is Cloudflare's own, and that nothing wraps it.`,
    excerpt: found === null ? "null" : typeof found
  })

/** A binding may quote what it could not send. */
const clean = (reason: unknown, scrub: (text: string) => string): unknown => {
  if (typeof reason === "string") return scrub(reason)
  const said = describe(reason)
  const message = field(reason, "message")
  const text = typeof message === "string" ? message : said
  if (scrub(said) === said && scrub(text) === text) return reason
  const kept = ["name", "status", "httpCode"].map((name) => [name, field(reason, name)])
  return { ...Object.fromEntries(kept), message: scrub(text) }
}

const toLegError = (reason: unknown, scrub: (text: string) => string, name: string): LegError => {
  try {
    return classified(clean(reason, scrub), name)
  } catch {
    // A revoked proxy throws at any touch.
    return new TransportFailure({ message: `${name} failed, and with nothing that can be read.` })
  }
}

const classified = (reason: unknown, name: string): LegError => {
  // Over RPC a binding cannot take a signal.
  if (Predicate.hasProperty(reason, "name") && reason.name === "DataCloneError") {
    return new TransportFailure({
      retryable: false,
      message: `${name} cannot be aborted: make the gateway with env.AI.gateway(id, { beta: false }), or set the compatibility flag enable_abortsignal_rpc.`
    })
  }
  const error = classifyThrown(reason)
  return error._tag === "TransportFailure"
    ? new TransportFailure({ ...error, message: `${name} failed. ${error.message}` })
    : error
}
