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
import type { Ask, Wire } from "./wire.js"

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

const hasModel = (options: Options, provider: string, model: string): boolean => {
  const known = options.models?.[provider]
  return (
    model !== "" &&
    !model.includes("does-not-exist") &&
    options.unknownModels?.includes(model) !== true &&
    (known === undefined || known.includes(model))
  )
}

/** What the vendor finds wrong with the request, else the request as the built-in model sees it. */
const check = (
  options: Options,
  wire: Wire,
  request: UpstreamRequest
): { readonly ok: true; readonly ask: Ask } | { readonly ok: false; readonly answer: Answered } => {
  const parsed = wire.parse(request)
  if (!("_tag" in parsed)) return { ok: false, answer: refused(wire.refuse(parsed)) }
  return hasModel(options, request.provider, parsed.model)
    ? { ok: true, ask: parsed }
    : { ok: false, answer: refused(wire.refuse({ kind: "model", model: parsed.model })) }
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
      if (target.wire === undefined || !(isSpoken(reply) || reply._tag === "Status"))
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
