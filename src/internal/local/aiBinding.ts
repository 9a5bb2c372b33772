/** An AI binding in process, part of the public module `LocalGateway`. Behaves as the binding's own code in workerd does. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AiFetchOptions, AiRunOptions, LocalAi, LocalAiGateway } from "./ai.js"
import { aiInternalError, inferenceUpstreamError } from "./aiErrors.js"
import { makeAiGateway } from "./aiGatewayBinding.js"
import { nativeSignal } from "./aiSignal.js"
import { timingOf } from "./effectTiming.js"
import { makeGateway } from "./gateway.js"
import { asArray, asObject, parseJson } from "./json.js"
import type { LocalGateway } from "./options.js"
import type { Timing } from "./time.js"

const host = "https://workers-binding.ai"

const isRawInput = (value: unknown): boolean => value instanceof ReadableStream || value instanceof FormData

/** Names of inputs that are sent as they are, or hold what is. */
const rawInputs = (inputs: object): ReadonlyArray<string> =>
  Object.entries(inputs).flatMap(([name, value]) =>
    isRawInput(value) || isRawInput(asObject(value).body) ? [name] : []
  )

const extraHeaders = (headers: Headers, extra: object | undefined): void => {
  for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, String(value))
}

const runHeaders = (model: string, options: AiRunOptions, type: string): Headers => {
  const headers = new Headers()
  extraHeaders(headers, options.sessionOptions?.extraHeaders)
  extraHeaders(headers, options.extraHeaders)
  headers.set("content-type", type)
  headers.set("cf-consn-sdk-version", "2.0.0")
  headers.set("cf-consn-model-id", options.prefix ? `${options.prefix}:${model}` : model)
  return headers
}

class InProcessAi implements LocalAi {
  // Private, so that a method without its object fails here as it does in a Worker.
  readonly #handle: LocalAi["fetch"]
  readonly #closed: AbortController
  lastRequestId: string | null = null
  aiGatewayLogId: string | null = null
  lastRequestHttpStatusCode: number | null = null
  lastRequestInternalStatusCode: number | null = null
  readonly local: LocalGateway

  constructor(local: LocalGateway, timing: Timing | undefined) {
    const closed = new AbortController()
    this.local = local
    this.#closed = closed
    this.#handle = async (input, { signal: given, ...init } = {}) => {
      const request = new Request(input, given ? { ...init, signal: nativeSignal(given) } : init)
      const signal = AbortSignal.any([request.signal, closed.signal])
      return local.handle(request, timing === undefined ? { signal } : { timing, signal })
    }
  }

  async fetch(input: string | URL | Request, init?: AiFetchOptions): Promise<Response> {
    return this.#handle(input, init)
  }

  gateway(id: string): LocalAiGateway {
    return makeAiGateway(id, this.#handle)
  }

  close(): void {
    this.#closed.abort(new Error("The binding was closed"))
  }

  async run(model: string, inputs: object, options: AiRunOptions = {}): Promise<unknown> {
    this.lastRequestId = ""
    const response = await this.#send(model, inputs, options)
    this.lastRequestId = response.headers.get("cf-ai-req-id")
    this.aiGatewayLogId = response.headers.get("cf-aig-log-id")
    this.lastRequestHttpStatusCode = response.status
    if (options.returnRawResponse) return response
    if (!response.ok || response.body === null) throw this.#failure(await response.text())
    return response.headers.get("content-type") === "application/json" ? response.json() : response.body
  }

  async #send(model: string, inputs: object, options: AiRunOptions): Promise<Response> {
    const { prefix, extraHeaders, sessionOptions, signal, ...sent } = options
    const init = { method: "POST", ...(signal === undefined ? {} : { signal }) }
    // Cloudflare opens a WebSocket here, which LocalGateway does not speak.
    if (options.websocket) throw aiInternalError("LocalGateway has no WebSocket")
    const raw = rawInputs(inputs)
    if (raw.length > 0) return this.#sendRaw(model, inputs, raw, options)
    const path = options.gateway?.id ? "/ai-gateway/run" : "/run"
    return this.#handle(`${host}${path}?version=3`, {
      ...init,
      body: JSON.stringify({ inputs, options: sent }),
      headers: runHeaders(model, options, "application/json")
    })
  }

  /** Refused for what the binding refuses; LocalGateway has no model that takes the rest. */
  async #sendRaw(
    model: string,
    inputs: object,
    names: ReadonlyArray<string>,
    options: AiRunOptions
  ): Promise<Response> {
    if (names.length > 1)
      throw aiInternalError(`Several streams in one request are not supported: ${names.join(", ")}`)
    if (options.gateway?.id) throw aiInternalError("AI Gateway does not support ReadableStreams yet.")
    const type = asObject(Reflect.get(inputs, names[0] ?? "")).contentType
    if (typeof type !== "string" || type === "")
      throw aiInternalError("Content-Type is required with ReadableStream inputs")
    return this.#handle(`${host}/run?version=3`, {
      method: "POST",
      body: "a stream",
      headers: runHeaders(model, options, type)
    })
  }

  #failure(text: string): Error {
    const body = asObject(parseJson(text))
    if (body.internalCode) {
      this.lastRequestInternalStatusCode = Number(body.internalCode)
      return inferenceUpstreamError(
        `${body.internalCode}: ${body.description}`,
        typeof body.name === "string" ? body.name : undefined
      )
    }
    const first = asArray(body.errors)[0]
    if (!first) return inferenceUpstreamError(text)
    const { code, message } = asObject(first)
    return inferenceUpstreamError(`${code}: ${message}`)
  }
}

/**
 * An AI binding in process, `env.AI` for a test outside Workers: it puts on the wire what the binding puts there, and
 * behaves as the binding's own code does (options that it drops, headers that it changes in place, errors and their
 * names), over a local gateway and without a network. Of `env.AI` it has no WebSocket, no `models`, no web search; inputs that are streams are refused.
 *
 * The host's clock drives it, or the given `timing`; `aiBindingScoped` has Effect's.
 *
 * @example
 * ```ts
 * import { LocalGateway } from "effect-ai-gateway"
 *
 * const env = { AI: LocalGateway.aiBinding(LocalGateway.make()) }
 *
 * const answer = env.AI.run("openai/gpt-5-mini", { messages: [{ role: "user", content: "Hello" }] }, {
 *   gateway: { id: "local-gateway" }
 * })
 *
 * answer.then(() => env.AI.local.requests().length)
 * ```
 *
 * @since 0.1.0
 * @category bindings
 */
export const aiBinding = (
  gateway: LocalGateway = makeGateway({}),
  options: { readonly timing?: Timing | undefined } = {}
): LocalAi => new InProcessAi(gateway, options.timing)

/**
 * The same on the Effect `Clock`, `TestClock` included, and closed with its scope.
 *
 * @since 0.1.0
 * @category bindings
 */
export const aiBindingScoped = (
  gateway: LocalGateway = makeGateway({})
): Effect.Effect<LocalAi, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.clock, (clock): LocalAi => new InProcessAi(gateway, timingOf(clock))),
    (ai) => Effect.sync(() => ai.close())
  )
