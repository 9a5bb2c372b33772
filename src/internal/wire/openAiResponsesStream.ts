/**
 * The stream of OpenAI's `responses`. Source: `protocol/wire-formats.md` §6. Each event says its type itself: some who
 * took the format over send no event names.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import { arrayAt, isRecord, type JsonRecord, parseJson, recordAt, textAt, typeName } from "../json.js"
import { pushEnding, withToolCalls } from "./ending.js"
import * as OpenAiChat from "./openAiChat.js"
import * as Answer from "./openAiResponsesAnswer.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, malformed, truncated } from "./wire.js"

/** What was told of an item: the event that completes it repeats all of it. */
interface Item {
  spoke: boolean
  refused: boolean
  cited: boolean
  /** Of a summary and the reasoning itself only one is told, the one that comes first. */
  thinks: "summary" | "text" | undefined
  /** The index of its tool call. */
  call: number | undefined
  /** Were arguments of its call told? */
  fed: boolean
  /** The arguments with which its call was announced; told only if no others come. */
  announced: unknown
}

/** `provider` is whose reasoning this is. */
export const decoder = (provider: string): Decoder => {
  const calls = ToolCalls.make()
  // By `output_index`, whatever its type: it is only compared. Ids may differ from event to event.
  const items = new Map<unknown, Item>()
  let nextCall = 0
  /** Was any item announced? */
  let answered = false
  /** Was anything of an item told? */
  let told = false
  let refused = false
  let model: string | undefined
  let raw: string | undefined
  let counted: unknown
  let done = false

  const itemAt = (index: unknown): Item => {
    answered = true
    let item = items.get(index)
    if (item === undefined) {
      item = {
        spoke: false,
        refused: false,
        cited: false,
        thinks: undefined,
        call: undefined,
        fed: false,
        announced: undefined
      }
      items.set(index, item)
    }
    return item
  }

  const heard = (index: unknown): Item => {
    told = true
    return itemAt(index)
  }

  const callOf = (item: Item): number => (item.call ??= nextCall++)

  const refuse = (item: Item, text: string, out: Array<ChatEvent>): void => {
    if (text === "") return
    item.refused = true
    refused = true
    out.push({ _tag: "RefusalDelta", text })
  }

  const think = (kind: "summary" | "text", json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const text = json.delta
    if (typeof text !== "string") return Answer.expectedText("delta", text)
    const item = heard(json.output_index)
    item.thinks ??= kind
    if (text !== "" && item.thinks === kind) out.push({ _tag: "ReasoningDelta", text })
    return undefined
  }

  /** Arguments that come whole: told only if they did not come in pieces. */
  const feed = (item: Item, args: unknown, out: Array<ChatEvent>): void => {
    if (item.fed) return
    item.fed = typeof args === "string" ? args !== "" : isRecord(args)
    calls.add(callOf(item), { arguments: args }, out)
  }

  const added = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const found = json.item
    if (!isRecord(found)) return malformed("item", `expected an object, found ${typeName(found)}`)
    const item = itemAt(json.output_index)
    if (found.type !== "function_call") return undefined
    const fault = ToolCalls.wrongCall(found, "item")
    if (fault !== undefined) return fault
    calls.add(callOf(item), { id: found.call_id ?? found.id, name: found.name }, out)
    item.announced = found.arguments
    return undefined
  }

  /** Tells what of an item was not told yet. */
  const complete = (
    index: unknown,
    found: unknown,
    place: string,
    out: Array<ChatEvent>
  ): Fault | undefined => {
    const item = heard(index)
    if (isRecord(found) && found.type === "function_call") {
      const fault = ToolCalls.wrongCall(found, place)
      if (fault !== undefined) return fault
      const call = callOf(item)
      calls.add(call, { id: found.call_id ?? found.id, name: found.name }, out)
      feed(item, found.arguments, out)
      if (calls.unnamed() !== call) calls.end(call, out)
      return undefined
    }
    const said = Answer.nothingSaid()
    const fault = Answer.readItem(found, 0, place, provider, said)
    if (fault !== undefined) return fault
    for (const part of said.parts) {
      if (part.type === "text") {
        if (!item.spoke) out.push({ _tag: "TextDelta", text: part.text })
      } else if (part.type === "reasoning") {
        if (item.thinks === undefined && part.text !== "")
          out.push({ _tag: "ReasoningDelta", text: part.text })
        if (part.opaque !== undefined) out.push({ _tag: "ReasoningOpaque", ...part.opaque })
      }
    }
    if (said.refusal !== undefined && !item.refused) refuse(item, said.refusal, out)
    if (!item.cited) for (const citation of said.citations) out.push({ _tag: "Citation", citation })
    return undefined
  }

  const finish = (json: JsonRecord, status: string, out: Array<ChatEvent>): Fault | undefined => {
    const response = recordAt(json, "response") ?? {}
    begin(response)
    raw = Answer.rawFinish(response) ?? status
    counted = response.usage
    // A stream without a word about its items still has them at its end.
    if (!told) {
      for (const [index, item] of arrayAt(response, "output").entries()) {
        const fault = complete(index, item, `response.output[${index}]`, out)
        if (fault !== undefined) return fault
      }
    }
    answered = true
    done = true
    return undefined
  }

  const begin = (response: JsonRecord): void => {
    model ??= textAt(response, "model")
  }

  return {
    event(data, name, out) {
      if (data === "[DONE]") {
        done = true
        return undefined
      }
      const json = parseJson(data)
      if (!isRecord(json)) return name === "error" ? errorFault(json ?? data) : OpenAiChat.notAnObject(data)
      switch (typeof json.type === "string" ? json.type : name) {
        case "response.output_text.delta": {
          const text = json.delta
          if (typeof text !== "string") return Answer.expectedText("delta", text)
          heard(json.output_index).spoke = true
          if (text !== "") out.push({ _tag: "TextDelta", text })
          return undefined
        }
        case "response.reasoning_summary_text.delta":
          return think("summary", json, out)
        case "response.reasoning_text.delta":
          return think("text", json, out)
        case "response.refusal.delta": {
          const text = json.delta
          if (typeof text !== "string") return Answer.expectedText("delta", text)
          refuse(heard(json.output_index), text, out)
          return undefined
        }
        case "response.function_call_arguments.delta": {
          const text = json.delta
          if (typeof text !== "string") return Answer.expectedText("delta", text)
          const item = heard(json.output_index)
          if (text !== "") item.fed = true
          calls.add(callOf(item), { arguments: text }, out)
          return undefined
        }
        case "response.function_call_arguments.done": {
          const whole = json.arguments
          if (whole !== undefined && whole !== null && typeof whole !== "string")
            return Answer.expectedText("arguments", whole)
          feed(heard(json.output_index), whole, out)
          return undefined
        }
        case "response.output_text.annotation.added": {
          const annotation = recordAt(json, "annotation")
          if (annotation === undefined) return undefined
          heard(json.output_index).cited = true
          out.push({ _tag: "Citation", citation: Answer.citation(annotation) })
          return undefined
        }
        case "response.output_item.added":
          return added(json, out)
        case "response.output_item.done":
          return complete(json.output_index, json.item, "item", out)
        case "response.created":
        case "response.queued":
        case "response.in_progress":
          begin(recordAt(json, "response") ?? {})
          return undefined
        case "response.completed":
          return finish(json, "completed", out)
        case "response.incomplete":
          return finish(json, "incomplete", out)
        case "response.failed":
        case "error":
          return errorFault(json)
        case undefined:
          return OpenAiChat.hasError(json) ? errorFault(json) : Answer.expectedText("type", json.type)
        default:
          // Keep-alives, the parts that items are made of, and a vendor's own tools.
          return OpenAiChat.hasError(json) ? errorFault(json) : undefined
      }
    },
    done: () => done,
    soFar: () => ({ usage: Answer.usage(counted), model }),
    end(out) {
      if (!done) return truncated
      // Events that mean nothing must not add up to an empty answer.
      if (!answered) return malformed("type", "no event of the stream belongs to an answer")
      const unnamed = calls.unnamed()
      if (unnamed !== undefined) return malformed("item.name", "a call was never named")
      for (const item of items.values()) if (item.call !== undefined) feed(item, item.announced, out)
      calls.endAll(out)
      // Without its last event a stream does not say why it ended.
      const reason = raw === undefined ? "other" : Answer.finishReason(raw)
      pushEnding(out, {
        finishReason: refused ? "content-filter" : withToolCalls(reason, calls.size() > 0),
        rawFinishReason: raw,
        usage: Answer.usage(counted),
        model
      })
      return undefined
    }
  }
}
