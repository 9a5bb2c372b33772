/** One attempt at one provider. */

import type { Answered } from "./answered.js"
import { isSpoken } from "./builtIn.js"
import { forwardTo } from "./forward.js"
import type { Options } from "./options.js"
import { makeRecent } from "./recent.js"
import type { UpstreamRequest } from "./records.js"
import { refused, render } from "./render.js"
import type { Reply } from "./reply.js"
import type { Target } from "./target.js"
import type { Timing } from "./time.js"
import { orAborted } from "./timing.js"
import { type Ask, type Embed, isProblem, type Problem, type Wire } from "./wire.js"

/** Whether nobody has a model of this name. */
export const isNoModel = (options: Options, model: string): boolean =>
  model.includes("does-not-exist") || options.unknownModels?.includes(model) === true

export interface Upstreams {
  readonly ask: (
    target: Target,
    method: string,
    headers: Readonly<Record<string, string>>,
    timing: Timing,
    signal: AbortSignal
  ) => Promise<Answered>
  readonly requests: () => ReadonlyArray<UpstreamRequest>
  readonly clear: () => void
}

/** The catalog writes versions with dots where the provider writes hyphens. */
const hasModel = (options: Options, provider: string, model: string): boolean => {
  const known = options.models?.[provider]
  return (
    model !== "" &&
    !isNoModel(options, model) &&
    (known === undefined || known.includes(model) || known.includes(model.replaceAll(".", "-")))
  )
}

const readsTextOnly = (options: Options, model: string): boolean =>
  model.includes("text-only") || options.textOnlyModels?.includes(model) === true

/** What the vendor finds wrong with the request, else the request as the built-in model sees it. */
const check = (
  options: Options,
  wire: Wire,
  request: UpstreamRequest
): { readonly ok: true; readonly ask: Ask | Embed } | { readonly ok: false; readonly answer: Answered } => {
  const no = (problem: Problem) => ({ ok: false, answer: refused(wire.refuse(problem)) }) as const
  const parsed = wire.parse(request)
  if (isProblem(parsed)) return no(parsed)
  if (!hasModel(options, request.provider, parsed.model)) return no({ kind: "model", model: parsed.model })
  if (parsed._tag === "Ask" && readsTextOnly(options, parsed.model) && parsed.images + parsed.files > 0)
    return no({
      kind: "textOnly",
      model: parsed.model,
      what: parsed.images > 0 ? "image" : "file",
      at: "messages"
    })
  return { ok: true, ask: parsed }
}

export const makeUpstreams = (options: Options, remembered: number): Upstreams => {
  const requests = makeRecent<UpstreamRequest>(remembered)
  const counts = new Map<string, number>()

  const replyTo = async (request: UpstreamRequest, signal: AbortSignal): Promise<Reply> => {
    const upstream = options.upstreams?.[request.provider]
    switch (upstream?._tag) {
      case "Script":
        return upstream.replies[request.index] ?? upstream.afterwards
      case "Handler":
        return orAborted(Promise.resolve(upstream.handle(request)), signal)
      default:
        return { _tag: "Echo", modifiers: {} }
    }
  }

  return {
    ask: async (target, method, headers, timing, signal) => {
      const provider = target.entry.slug
      const index = counts.get(provider) ?? 0
      counts.set(provider, index + 1)
      const request: UpstreamRequest = {
        provider,
        endpoint: target.endpoint,
        method,
        headers,
        body: target.body,
        text: target.text,
        index
      }
      requests.add(request)
      const upstream = options.upstreams?.[provider]
      if (upstream?._tag === "Forward") return forwardTo(upstream, request, signal)
      const reply = await replyTo(request, signal)
      const wire = target.wire ?? target.entry.errors
      // Everything else is said by somebody who did not read the request.
      if (
        target.wire === undefined ||
        !(isSpoken(reply) || reply._tag === "Status" || reply._tag === "Vectors")
      )
        return render(reply, wire, undefined, target.path, timing, signal)
      const checked = check(options, target.wire, request)
      return checked.ok ? render(reply, wire, checked.ask, target.path, timing, signal) : checked.answer
    },
    requests: requests.all,
    clear: () => {
      requests.clear()
      counts.clear()
    }
  }
}
