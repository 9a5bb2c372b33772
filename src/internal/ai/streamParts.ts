/** From the events of a stream of ours to parts of `@effect/ai`. */
import type * as Response from "@effect/ai/Response"
import type { ChatEvent, Start, ToolCall, ToolCallDelta } from "../../ChatEvent.js"
import type { Usage } from "../../ChatResponse.js"
import type { InvalidToolCall } from "../errors.js"
import { type Asked, answeredBy } from "./answerParts.js"
import { toParams } from "./callParams.js"
import { toFinishPart } from "./finishPart.js"
import type { AnsweredBy } from "./partMetadata.js"
import { toSourcePart } from "./sourcePart.js"

export interface StreamParts {
  /** The parts of these events. A call that cannot be read ends the stream behind them. */
  readonly add: (events: Iterable<ChatEvent>) => Written
  /** What is left at the end: nothing, if the stream had a `Finish`. */
  readonly end: () => ReadonlyArray<Response.StreamPartEncoded>
}

export interface Written {
  readonly parts: ReadonlyArray<Response.StreamPartEncoded>
  readonly wrong: InvalidToolCall | undefined
  readonly finish: Response.FinishPartEncoded | undefined
}

type Kind = "text" | "reasoning" | "refusal"

/**
 * Pieces of a call come before the vendor's id of it does, and all parts of a call have one id. So in a stream calls have ids
 * of our own, and the vendor's is in the `tool-call` part's metadata.
 */
export const make = ({ answerId, timestamp, calls }: Omit<Asked, "format">): StreamParts => {
  let out: Array<Response.StreamPartEncoded> = []
  let open: { readonly kind: Kind; readonly id: string } | undefined
  let by: AnsweredBy = { provider: "", model: "", attempts: [], gateway: {} }
  let usage: Usage = {}
  let finish: Response.FinishPartEncoded | undefined
  let blocks = 0
  let sources = 0
  const callIds = new Map<number, string>()

  const start = (event: Start): void => {
    by = answeredBy(event)
    out.push({ type: "response-metadata", modelId: by.model, timestamp, metadata: { aiGateway: by } })
  }
  const close = (metadata?: Response.ReasoningEndPartMetadata): void => {
    if (open === undefined) return
    const { id, kind } = open
    out.push(kind !== "reasoning" ? { type: "text-end", id } : { type: "reasoning-end", id, metadata })
    open = undefined
  }
  const begin = (kind: Kind): string => {
    if (open?.kind === kind) return open.id
    close()
    const id = `${answerId}_${blocks++}`
    open = { kind, id }
    if (kind === "reasoning") out.push({ type: "reasoning-start", id })
    else if (kind === "text") out.push({ type: "text-start", id })
    else out.push({ type: "text-start", id, metadata: { aiGateway: { refusal: true } } })
    return id
  }
  const say = (kind: Kind, delta: string): void => {
    if (delta === "") return
    const id = begin(kind)
    out.push({ type: kind === "reasoning" ? "reasoning-delta" : "text-delta", id, delta })
  }
  const openCall = ({ index, name }: ToolCallDelta | ToolCall): string => {
    const known = callIds.get(index)
    if (known !== undefined) return known
    // What is said behind a call is another block than what was said before it.
    close()
    const id = calls.own(`${answerId}_call_${index}`)
    callIds.set(index, id)
    out.push({ type: "tool-params-start", id, name, providerExecuted: false })
    return id
  }
  const params = (id: string, delta: string): void => {
    if (delta !== "") out.push({ type: "tool-params-delta", id, delta })
  }
  const call = (event: ToolCall): InvalidToolCall | undefined => {
    const whole = !callIds.has(event.index)
    const id = openCall(event)
    if (whole) params(id, event.arguments)
    out.push({ type: "tool-params-end", id })
    callIds.delete(event.index)
    const read = toParams(event)
    if (read._tag === "Left") return read.left
    out.push({
      type: "tool-call",
      id,
      name: event.name,
      params: read.right,
      providerExecuted: false,
      // An id that the conversation has already tells no call apart any more.
      ...(calls.isTaken(event.id) ? undefined : { metadata: { aiGateway: { callId: calls.own(event.id) } } })
    })
    return undefined
  }
  const add = (event: ChatEvent): InvalidToolCall | undefined => {
    switch (event._tag) {
      case "Start":
        start(event)
        break
      case "TextDelta":
        say("text", event.text)
        break
      case "ReasoningDelta":
        say("reasoning", event.text)
        break
      case "RefusalDelta":
        say("refusal", event.text)
        break
      case "ReasoningOpaque":
        begin("reasoning")
        close({ aiGateway: { opaque: { provider: event.provider, data: event.data } } })
        break
      case "Citation":
        out.push(toSourcePart(event.citation, `${answerId}_source_${sources++}`))
        break
      case "ToolCallDelta":
        params(openCall(event), event.arguments)
        break
      case "ToolCall":
        return call(event)
      case "Usage":
        usage = event.usage
        break
      case "Finish":
        close()
        finish = toFinishPart(event, event.model === undefined ? by : { ...by, model: event.model })
        out.push(finish)
    }
    return undefined
  }
  return {
    add(events) {
      out = []
      for (const event of events) {
        // `finish` is the last part, whatever comes behind it.
        if (finish !== undefined) break
        const wrong = add(event)
        if (wrong !== undefined) return { parts: out, wrong, finish: undefined }
      }
      return { parts: out, wrong: undefined, finish }
    },
    end() {
      out = []
      if (finish === undefined) {
        close()
        out.push(toFinishPart({ finishReason: "other", usage }, by))
      }
      return out
    }
  }
}
