/** Streams of Bedrock's ConverseStream, once they are cut into events. Source: `protocol/wire-formats.md` §10.4, §10.5. */
import type { ChatEvent } from "../../ChatEvent.js"
import type { Usage } from "../../ChatResponse.js"
import { isRecord, type JsonRecord, parseJson, recordAt, textAt, typeName } from "../json.js"
import { exceptionOf } from "./awsEventStream.js"
import {
  citation,
  finishReason,
  hasError,
  isServerTool,
  redactedBlock,
  signedBlock,
  slug,
  usage,
  wrongUse
} from "./bedrockConverseAnswer.js"
import { pushEnding, withToolCalls } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, malformed, truncated } from "./wire.js"

type Block =
  | {
      readonly type: "reasoning"
      readonly pieces: Array<string>
      readonly redacted: Array<string>
      signature: string
    }
  | { readonly type: "tool"; readonly call: number }
  | { readonly type: "other" }

const other: Block = { type: "other" }

const eventTypes = [
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
  "metadata"
] as const

type EventType = (typeof eventTypes)[number]

const isEventType = (name: string | undefined): name is EventType =>
  eventTypes.some((known) => known === name)

export const decoder = (): Decoder => {
  const calls = ToolCalls.make()
  // By the vendor's index, whatever its type: it is only compared.
  const blocks = new Map<unknown, Block>()
  let nextCall = 0
  let stopped = false
  let raw: string | undefined
  let counted: Usage | undefined

  const open = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    close(json.contentBlockIndex, out)
    const { start } = json
    // Blocks of text and of reasoning have no start, or an empty one.
    if (!isRecord(start)) {
      return start === undefined || start === null
        ? undefined
        : malformed("contentBlockStart.start", `expected an object, found ${typeName(start)}`)
    }
    const use = start.toolUse
    if (use === undefined || use === null) {
      if (start.toolResult !== undefined || start.image !== undefined)
        blocks.set(json.contentBlockIndex, other)
      return undefined
    }
    const wrong = wrongUse(use, "contentBlockStart.start.toolUse")
    if (wrong !== undefined || !isRecord(use)) return wrong
    if (isServerTool(use)) {
      blocks.set(json.contentBlockIndex, other)
      return undefined
    }
    const call = nextCall++
    blocks.set(json.contentBlockIndex, { type: "tool", call })
    calls.add(call, { id: use.toolUseId, name: use.name }, out)
    return undefined
  }

  const delta = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const { delta: piece, contentBlockIndex: index } = json
    if (piece === undefined || piece === null) return undefined
    if (!isRecord(piece)) return wrong("delta", "an object", piece)
    const { text, toolUse, reasoningContent } = piece
    if (text !== undefined && text !== null) {
      if (typeof text !== "string") return wrong("delta.text", "text", text)
      if (text !== "") out.push({ _tag: "TextDelta", text })
    }
    if (toolUse !== undefined && toolUse !== null) {
      if (!isRecord(toolUse)) return wrong("delta.toolUse", "an object", toolUse)
      const fault = toolDelta(toolUse.input, index, out)
      if (fault !== undefined) return fault
    }
    if (reasoningContent !== undefined && reasoningContent !== null) {
      if (!isRecord(reasoningContent)) return wrong("delta.reasoningContent", "an object", reasoningContent)
      const fault = reasoningDelta(reasoningContent, index, out)
      if (fault !== undefined) return fault
    }
    const cited = recordAt(piece, "citation")
    if (cited !== undefined) out.push({ _tag: "Citation", citation: citation(cited) })
    return undefined
  }

  const toolDelta = (input: unknown, index: unknown, out: Array<ChatEvent>): Fault | undefined => {
    if (input === undefined || input === null) return undefined
    if (typeof input !== "string") return wrong("delta.toolUse.input", "text", input)
    const block = blocks.get(index)
    if (block === undefined) return malformed("contentBlockIndex", "expected the index of an open block")
    if (block.type === "tool") calls.add(block.call, { arguments: input }, out)
    return undefined
  }

  const reasoningDelta = (
    reasoning: JsonRecord,
    index: unknown,
    out: Array<ChatEvent>
  ): Fault | undefined => {
    const { text, signature, redactedContent } = reasoning
    let block = blocks.get(index)
    if (block?.type !== "reasoning") {
      close(index, out)
      block = { type: "reasoning", pieces: [], redacted: [], signature: "" }
      blocks.set(index, block)
    }
    if (text !== undefined && text !== null) {
      if (typeof text !== "string") return wrong("delta.reasoningContent.text", "text", text)
      if (text !== "") {
        block.pieces.push(text)
        out.push({ _tag: "ReasoningDelta", text })
      }
    }
    if (typeof signature === "string") block.signature += signature
    if (typeof redactedContent === "string") block.redacted.push(redactedContent)
    return undefined
  }

  const close = (index: unknown, out: Array<ChatEvent>): void => {
    const block = blocks.get(index)
    if (block === undefined) return
    blocks.delete(index)
    if (block.type === "tool") return calls.end(block.call, out)
    if (block.type === "other") return
    for (const redacted of block.redacted) {
      out.push({ _tag: "ReasoningOpaque", provider: slug, data: redactedBlock(redacted) })
    }
    if (block.signature !== "") {
      const data = signedBlock(block.pieces.join(""), block.signature)
      out.push({ _tag: "ReasoningOpaque", provider: slug, data })
    }
  }

  const read = (type: EventType, json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    switch (type) {
      case "contentBlockDelta":
        return delta(json, out)
      case "contentBlockStart":
        return open(json, out)
      case "contentBlockStop":
        close(json.contentBlockIndex, out)
        return undefined
      case "messageStop":
        stopped = true
        raw = textAt(json, "stopReason") ?? raw
        return undefined
      case "metadata":
        counted = usage(json.usage)
        return undefined
      case "messageStart":
        return undefined
    }
  }

  return {
    event(data, name, out) {
      const exception = exceptionOf(name)
      // A frame may have no payload.
      const json = data === "" ? {} : parseJson(data)
      if (exception !== undefined) {
        return errorFault({ ...(isRecord(json) ? json : { message: data }), __type: exception })
      }
      if (!isRecord(json)) {
        return malformed(
          name ?? "data",
          `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`
        )
      }
      if (isEventType(name)) return read(name, json, out)
      // Without frames the name stands in the JSON, around the event.
      for (const type of eventTypes) {
        const inner = json[type]
        if (isRecord(inner)) return read(type, inner, out)
      }
      return hasError(json) || hasException(json) ? errorFault(json) : undefined
    },
    // Usage comes behind the end of the message, or before it.
    done: () => stopped && counted !== undefined,
    end(out) {
      if (!stopped) return truncated
      for (const index of blocks.keys()) close(index, out)
      pushEnding(out, {
        finishReason: withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: counted ?? {}
      })
      return undefined
    }
  }
}

const hasException = (json: JsonRecord): boolean => Object.keys(json).some((key) => key.endsWith("Exception"))

const wrong = (place: string, expected: string, found: unknown): Fault =>
  malformed(`contentBlockDelta.${place}`, `expected ${expected}, found ${typeName(found)}`)
