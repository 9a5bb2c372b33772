/** A `fetch` over any way to send a rerouted request. Here, and only here, a foreign caller makes an Effect run. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as AnsweredHeaders from "./classify/answeredHeaders.js"
import * as Refusal from "./classify/refusal.js"
import { classify } from "./classify.js"
import type { LegError } from "./errors.js"
import type { GatewayResponse, ProviderRequest } from "./exchange.js"
import { isStranger, type RerouteOptions, reroute } from "./reroute.js"
import { arriving } from "./sender.js"
import * as WebRequest from "./webRequest.js"
import * as WebResponse from "./webResponse.js"

export type Send = (request: ProviderRequest) => Effect.Effect<GatewayResponse, LegError>

export type Fetch = (input: WebRequest.Input, init?: RequestInit) => Promise<Response>

interface Answered {
  readonly response: Response
  readonly open: WebResponse.OpenBody | undefined
}

/** `strangers` gets what is for no provider; without it that is refused. */
export const make = (
  send: Send,
  options: RerouteOptions,
  strangers: Fetch | undefined
): Effect.Effect<Fetch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<never>()
    /** How each call in flight is ended, bodies that are still read among them. */
    const inFlight = new Set<(reason: unknown) => void>()
    // A body that is lost before it is read to its end would keep its socket for ever.
    const lost =
      typeof FinalizationRegistry === "undefined"
        ? undefined
        : new FinalizationRegistry<(reason: unknown) => void>((abort) => abort(undefined))
    let ended = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        ended = true
        for (const abort of [...inFlight]) abort(afterTheEnd())
      })
    )

    const routed: Fetch = (input, init) =>
      new Promise((resolve, reject) => {
        const signal = WebRequest.signalOf(input, init)
        const onAbort = () => abort(signal?.reason)
        // Before anything runs: it throws where the signal is none.
        signal?.addEventListener("abort", onAbort, { once: true })
        let aborted: { readonly reason: unknown } | undefined
        const fiber = Runtime.runFork(runtime)(answered(send, input, init, options), {
          // Only once its observer is there.
          immediate: false
        })
        const settle = () => {
          signal?.removeEventListener("abort", onAbort)
          inFlight.delete(abort)
        }
        const abort = (reason: unknown): void => {
          aborted ??= { reason }
          settle()
          reject(reason)
          fiber.unsafeInterruptAsFork(fiber.id())
        }
        inFlight.add(abort)
        fiber.addObserver((exit) => {
          settle()
          if (Exit.isFailure(exit)) {
            const failure = Cause.failureOption(exit.cause)
            return reject(failure._tag === "Some" ? noAnswer(failure.value) : Cause.squash(exit.cause))
          }
          const { response, open } = exit.value
          if (open !== undefined) {
            if (aborted !== undefined) return open.abort(aborted.reason)
            track(open, signal, inFlight)
            if (response.body !== null) lost?.register(response.body, open.abort)
          }
          resolve(response)
        })
      })

    // An async function: as of `fetch`, what is wrong with its arguments is a rejection.
    return async (input, init) => {
      const signal = WebRequest.signalOf(input, init)
      if (ended) throw afterTheEnd()
      if (signal?.aborted === true) throw signal.reason
      if (WebRequest.isUsed(input, init)) throw new TypeError("The body of the Request was read before.")
      return strangers !== undefined && isStranger(WebRequest.urlOf(input), options)
        ? strangers(input, init)
        : routed(input, init)
    }
  })

/** Apart from what waits for the response: nothing that a signal holds may hold the response, which is let go of when lost. */
const track = (
  { abort, onEnd }: WebResponse.OpenBody,
  signal: AbortSignal | undefined,
  inFlight: Set<(reason: unknown) => void>
): void => {
  const onAbort = () => abort(signal?.reason)
  inFlight.add(abort)
  signal?.addEventListener("abort", onAbort, { once: true })
  onEnd(() => {
    signal?.removeEventListener("abort", onAbort)
    inFlight.delete(abort)
  })
}

const afterTheEnd = (): DOMException =>
  new DOMException("This fetch has ended: the scope in which GatewayFetch made it is closed.", "AbortError")

/** These words are how clients know a broken connection. */
const noAnswer = (error: LegError): TypeError => new TypeError("fetch failed", { cause: error })

const answered = (
  send: Send,
  input: WebRequest.Input,
  init: RequestInit | undefined,
  options: RerouteOptions
): Effect.Effect<Answered, LegError> => {
  const url = withoutKey(WebRequest.urlOf(input))
  const asked: Effect.Effect<Answered, LegError> = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const foreign = yield* restore(WebRequest.read(input, init))
      const rerouted = reroute(foreign, options)
      if (rerouted._tag !== "Routed") return yield* Effect.fail<LegError>(rerouted.error)
      const { request } = rerouted
      const answer = yield* arriving(restore, request, send(request))
      if (answer.status >= 400) {
        return yield* Effect.onError(restore(failed(answer, request, url)), () => answer.close)
      }
      return yield* WebResponse.fromAnswer(answer, url)
    })
  )
  return Effect.catchIf(asked, Refusal.isRefusal, (error) => Effect.succeed(refused(error, url)))
}

/** An error's body is small, and read already. */
const failed = (
  answer: GatewayResponse,
  { provider, model }: ProviderRequest,
  url: string
): Effect.Effect<Answered, LegError> =>
  Effect.zipWith(answer.text, Clock.currentTimeMillis, (text, now) => {
    const response = WebResponse.fromParts(text, answer.status, answer.headers, url)
    AnsweredHeaders.keep(
      response.headers,
      classify(answer.status, answer.headers, text, { provider, model, now })
    )
    return { response, open: undefined }
  })

const refused = (error: Refusal.Refusal, url: string): Answered => {
  const headers = { "content-type": "application/json", "x-should-retry": "false" }
  const response = WebResponse.fromParts(Refusal.toBody(error), Refusal.status, headers, url)
  AnsweredHeaders.keep(response.headers, error)
  return { response, open: undefined }
}

/** Google's key may be in the query, and a response is logged. */
const withoutKey = (url: string): string => {
  if (!URL.canParse(url)) return url
  const parsed = new URL(url)
  if (!parsed.searchParams.has("key")) return parsed.href
  parsed.searchParams.delete("key")
  return parsed.href
}
