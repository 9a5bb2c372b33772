/** A stream in OpenAI's format. Source: `protocol/wire-formats.md` §3.3, §4 and §5.1. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Citation, FinishReason } from "../../ChatResponse.js"
import { arrayAt, countAt, isRecord, type JsonRecord, parseJson, textAt, typeName } from "../json.js"
import { pushEnding, withToolCalls } from "./ending.js"
import { citation, finishReason, hasError, readContent, stopped, usage, wrongText } from "./openAiAnswer.js"
import type { Reading } from "./openAiDialect.js"
import * as ReasoningDetails from "./openAiReasoningDetails.js"
import * as ThinkTags from "./thinkTags.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, malformed, truncated } from "./wire.js"

/** What a stream has said so far. Workers AI's own stream adds to it too, because it may turn into this one. */
export interface Accumulator {
  /** Reads one event that was parsed. */
  readonly chunk: (json: JsonRecord, out: Array<ChatEvent>) => Fault | undefined
  /** Reads pieces of tool calls, found at `place`. */
  readonly toolCalls: (entries: unknown, place: string, out: Array<ChatEvent>) => Fault | undefined
  readonly usage: (usage: unknown) => void
  readonly model: (json: JsonRecord) => void
  /** The first reason counts: some vendors repeat it, or take it back with null. */
  readonly finish: (reason: unknown) => void
  readonly markDone: () => void
  readonly done: () => boolean
  /** `whenAbsent` is the reason of a stream that was completed without giving one. */
  readonly end: (out: Array<ChatEvent>, whenAbsent: FinishReason) => Fault | undefined
  readonly soFar: NonNullable<Decoder["soFar"]>
}

export const accumulator = (reading: Reading = {}): Accumulator => {
  const calls = ToolCalls.make()
  const { citationsOf, usageOf } = reading
  let spoken: Array<ChatEvent> = []
  const thoughts =
    reading.thinkTags === true
      ? ThinkTags.make((type, text) =>
          spoken.push({ _tag: type === "text" ? "TextDelta" : "ReasoningDelta", text })
        )
      : undefined
  const details =
    reading.reasoningDetails === undefined ? undefined : ReasoningDetails.make(reading.reasoningDetails)
  const cited: Array<string | undefined> = []
  let raw: string | undefined
  let refused = false
  let model: string | undefined
  let counted: unknown
  let done = false

  const finish = (reason: unknown): void => {
    if (raw === undefined && typeof reason === "string" && reason !== "") raw = reason
  }

  const setUsage = (found: unknown): void => {
    // The last usage counts, because some vendors send running totals; but not an empty one after the real one.
    if (isRecord(found) && (counted === undefined || hasTokens(found))) counted = found
  }

  const setModel = (json: JsonRecord): void => {
    if (model === undefined) model = textAt(json, "model")
  }

  const toolCalls = (entries: unknown, place: string, out: Array<ChatEvent>): Fault | undefined => {
    if (!Array.isArray(entries)) return malformed(place, `expected an array, found ${typeName(entries)}`)
    for (let position = 0; position < entries.length; position++) {
      const entry: unknown = entries[position]
      // The place is written out only for a fault: this runs once per fragment.
      const fault = ToolCalls.wrongCall(entry, "") && ToolCalls.wrongCall(entry, `${place}[${position}]`)
      if (fault !== undefined) return fault
      if (!isRecord(entry)) continue
      const index =
        typeof entry.index === "number" ? entry.index : calls.locate(entry, position, entries.length === 1)
      const { name, arguments: args } = ToolCalls.functionOf(entry)
      calls.add(index, { id: entry.id, name, arguments: args }, out)
    }
    return undefined
  }

  const readDelta = (delta: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const key = isNothing(delta.reasoning_content) ? "reasoning" : "reasoning_content"
    const said = delta[key]
    if (!isNothing(said) && typeof said !== "string") return wrongText(delta, key, "choices[0].delta")
    const thought = details === undefined ? said : details.read(delta, said)
    if (typeof thought === "string" && thought !== "") out.push({ _tag: "ReasoningDelta", text: thought })
    // What is said ends the reasoning before it, which its records belong to.
    if (details !== undefined && speaks(delta)) details.tell(out)
    const content = delta.content
    if (thoughts !== undefined) {
      spoken = out
      const fault = readContent(content, "choices[0].delta.content", thoughts.add)
      if (fault !== undefined) return fault
    } else if (typeof content === "string") {
      if (content !== "") out.push({ _tag: "TextDelta", text: content })
    } else if (content !== undefined && content !== null) {
      const fault = readContent(content, "choices[0].delta.content", (type, text) =>
        out.push({ _tag: type === "text" ? "TextDelta" : "ReasoningDelta", text })
      )
      if (fault !== undefined) return fault
    }
    if (!isNothing(delta.refusal)) {
      if (typeof delta.refusal !== "string") return wrongText(delta, "refusal", "choices[0].delta")
      refused = true
      out.push({ _tag: "RefusalDelta", text: delta.refusal })
    }
    if (delta.tool_calls !== undefined && delta.tool_calls !== null) {
      const fault = toolCalls(delta.tool_calls, "choices[0].delta.tool_calls", out)
      if (fault !== undefined) return fault
    }
    const legacy = delta.function_call
    if (legacy !== undefined && legacy !== null) {
      const fault = ToolCalls.wrongCall(legacy, "choices[0].delta.function_call")
      if (fault !== undefined) return fault
      if (isRecord(legacy)) calls.add(0, { name: legacy.name, arguments: legacy.arguments }, out)
    }
    if (delta.annotations !== undefined) {
      for (const found of arrayAt(delta, "annotations").flatMap(citation))
        out.push({ _tag: "Citation", citation: found })
    }
    return undefined
  }

  /** Some vendors repeat all sources on every chunk: what stands where it stood is not told again. */
  const tellCitations = (citations: ReadonlyArray<Citation>, out: Array<ChatEvent>): void => {
    for (const [index, found] of citations.entries()) {
      if (index < cited.length && cited[index] === found.url) continue
      cited[index] = found.url
      out.push({ _tag: "Citation", citation: found })
    }
  }

  return {
    chunk(json, out) {
      if (json.usage !== undefined) setUsage(json.usage)
      if (usageOf !== undefined) setUsage(usageOf(json))
      if (citationsOf !== undefined) tellCitations(citationsOf(json), out)
      setModel(json)
      const choices = json.choices
      if (choices === undefined || choices === null) return undefined
      if (!Array.isArray(choices))
        return malformed("choices", `expected an array, found ${typeName(choices)}`)
      if (choices.length === 0) return undefined
      const choice: unknown = choices[0]
      if (!isRecord(choice)) return malformed("choices[0]", `expected an object, found ${typeName(choice)}`)
      const delta = choice.delta
      if (delta !== undefined && delta !== null) {
        if (!isRecord(delta))
          return malformed("choices[0].delta", `expected an object, found ${typeName(delta)}`)
        const fault = readDelta(delta, out)
        if (fault !== undefined) return fault
      }
      finish(choice.finish_reason)
      return choice.finish_reason === "error" ? errorFault(stopped(choice)) : undefined
    },
    toolCalls,
    usage: setUsage,
    model: setModel,
    finish,
    markDone() {
      done = true
    },
    done: () => done,
    soFar: () => ({ usage: usage(counted, reading.reasoningBesideOutput), model }),
    end(out, whenAbsent) {
      if (!done && raw === undefined) return truncated
      const unnamed = calls.unnamed()
      if (unnamed !== undefined) return malformed(`tool_calls[${unnamed}].name`, "the call was never named")
      spoken = out
      thoughts?.end()
      details?.tell(out)
      calls.endAll(out)
      pushEnding(out, {
        finishReason: refused
          ? "content-filter"
          : withToolCalls(raw === undefined ? whenAbsent : finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: usage(counted, reading.reasoningBesideOutput),
        model
      })
      return undefined
    }
  }
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === ""

const speaks = ({ content, refusal, tool_calls }: JsonRecord): boolean =>
  !isNothing(content) || !isNothing(refusal) || !isNothing(tool_calls)

const hasTokens = (json: JsonRecord): boolean =>
  (countAt(json, "prompt_tokens") ?? 0) > 0 ||
  (countAt(json, "completion_tokens") ?? 0) > 0 ||
  (countAt(json, "total_tokens") ?? 0) > 0

/** An event that is not a JSON object, in the words of an error. */
export const notAnObject = (data: string): Fault =>
  malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)

export const decoder = (reading: Reading): Decoder => {
  const said = accumulator(reading)
  let answered = false
  return {
    event(data, name, out) {
      if (data === "[DONE]") {
        said.markDone()
        return undefined
      }
      const json = parseJson(data)
      if (!isRecord(json)) return name === "error" ? errorFault(json ?? data) : notAnObject(data)
      if (name === "error" || hasError(json) || reading.failed?.(json) === true) return errorFault(json)
      answered ||= Array.isArray(json.choices)
      const fault = said.chunk(json, out)
      if (fault === undefined && reading.last?.(json) === true) said.markDone()
      return fault
    },
    done: said.done,
    soFar: said.soFar,
    end(out) {
      // Events that mean nothing must not add up to an empty answer.
      return said.done() && !answered
        ? malformed("choices", "no event of the stream has any")
        : said.end(out, "other")
    }
  }
}
