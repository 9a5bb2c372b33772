/** Streams of Anthropic. Source: `protocol/wire-formats.md` §7.4. */
import type { ChatEvent } from "../../ChatEvent.js"
import { arrayAt, isRecord, type JsonRecord, parseJson, recordAt, textAt, typeName } from "../json.js"
import {
  citation,
  counts,
  expectedText,
  explanation,
  finishReason,
  hasError,
  laterCounts,
  noCounts,
  thinkingBlock,
  toolInput,
  usage
} from "./anthropicAnswer.js"
import { pushEnding, withToolCalls } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import { type Decoder, errorFault, type Fault, malformed, truncated } from "./wire.js"

type OpenBlock =
  | { readonly type: "thinking"; readonly pieces: Array<string>; signature: string | undefined }
  | { readonly type: "tool"; readonly call: number; readonly input: string; fed: boolean }
  | { readonly type: "other" }

const other: OpenBlock = { type: "other" }

/** `slug` marks signed reasoning: whose it is. */
export const decoder = (slug: string): Decoder => {
  const calls = ToolCalls.make()
  // By the vendor's index, whatever its type: it is only compared.
  const blocks = new Map<unknown, OpenBlock>()
  // A restarted message counts its blocks from 0 again; the calls of a stream must stay distinct.
  let nextCall = 0
  let raw: string | undefined
  let explained = false
  let model: string | undefined
  let counted = noCounts
  let done = false

  const restart = (json: JsonRecord): void => {
    blocks.clear()
    calls.dropOpen()
    raw = undefined
    const message = recordAt(json, "message")
    if (message === undefined) return
    model = textAt(message, "model") ?? model
    // The output count of a message that has just begun is a placeholder.
    const begun = recordAt(message, "usage")
    counted = begun === undefined ? noCounts : { ...counts(begun), output: undefined }
  }

  const open = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const block = json.content_block
    if (!isRecord(block)) return malformed("content_block", `expected an object, found ${typeName(block)}`)
    close(json.index, out)
    switch (block.type) {
      case "text": {
        if (typeof block.text === "string") {
          if (block.text !== "") out.push({ _tag: "TextDelta", text: block.text })
        } else if (block.text !== undefined) return expectedText("content_block.text", block.text)
        for (const cited of arrayAt(block, "citations")) {
          if (isRecord(cited)) out.push({ _tag: "Citation", citation: citation(cited) })
        }
        blocks.set(json.index, other)
        return undefined
      }
      case "thinking": {
        const pieces: Array<string> = []
        if (typeof block.thinking === "string") {
          if (block.thinking !== "") {
            pieces.push(block.thinking)
            out.push({ _tag: "ReasoningDelta", text: block.thinking })
          }
        } else if (block.thinking !== undefined) {
          return expectedText("content_block.thinking", block.thinking)
        }
        blocks.set(json.index, { type: "thinking", pieces, signature: textAt(block, "signature") })
        return undefined
      }
      case "redacted_thinking": {
        if (typeof block.data !== "string") return expectedText("content_block.data", block.data)
        out.push({
          _tag: "ReasoningOpaque",
          provider: slug,
          data: { type: "redacted_thinking", data: block.data }
        })
        blocks.set(json.index, other)
        return undefined
      }
      case "tool_use": {
        const input = toolInput(block, "content_block")
        if (typeof input !== "string") return input
        const call = nextCall++
        blocks.set(json.index, { type: "tool", call, input, fed: false })
        calls.add(call, { id: block.id, name: block.name }, out)
        return undefined
      }
      default: {
        if (typeof block.type !== "string") return expectedText("content_block.type", block.type)
        blocks.set(json.index, other)
        return undefined
      }
    }
  }

  const delta = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    const piece = json.delta
    if (!isRecord(piece)) return malformed("delta", `expected an object, found ${typeName(piece)}`)
    switch (piece.type) {
      case "text_delta": {
        const text = piece.text
        if (typeof text !== "string") return expectedText("delta.text", text)
        if (text !== "") out.push({ _tag: "TextDelta", text })
        return undefined
      }
      case "input_json_delta": {
        const text = piece.partial_json
        if (typeof text !== "string") return expectedText("delta.partial_json", text)
        const block = blocks.get(json.index)
        if (block === undefined) return malformed("index", "expected the index of an open block")
        if (block.type !== "tool" || text === "") return undefined
        block.fed = true
        calls.add(block.call, { arguments: text }, out)
        return undefined
      }
      case "thinking_delta": {
        const text = piece.thinking
        if (typeof text !== "string") return expectedText("delta.thinking", text)
        if (text === "") return undefined
        const block = blocks.get(json.index)
        if (block?.type === "thinking") block.pieces.push(text)
        out.push({ _tag: "ReasoningDelta", text })
        return undefined
      }
      case "signature_delta": {
        const block = blocks.get(json.index)
        if (block?.type === "thinking") block.signature = textAt(piece, "signature") ?? block.signature
        return undefined
      }
      case "citations_delta": {
        const cited = recordAt(piece, "citation")
        if (cited !== undefined) out.push({ _tag: "Citation", citation: citation(cited) })
        return undefined
      }
      default:
        return typeof piece.type === "string" ? undefined : expectedText("delta.type", piece.type)
    }
  }

  const close = (index: unknown, out: Array<ChatEvent>): void => {
    const block = blocks.get(index)
    if (block === undefined) return
    blocks.delete(index)
    if (block.type === "thinking") {
      if (block.signature === undefined) return
      const data = thinkingBlock(block.pieces.join(""), block.signature)
      out.push({ _tag: "ReasoningOpaque", provider: slug, data })
    } else if (block.type === "tool") {
      // Fragments replace the input that a block starts with, which is nearly always empty.
      if (!block.fed && block.input !== "{}") calls.add(block.call, { arguments: block.input }, out)
      calls.end(block.call, out)
    }
  }

  const update = (json: JsonRecord, out: Array<ChatEvent>): Fault | undefined => {
    if (isRecord(json.usage)) counted = laterCounts(counted, counts(json.usage))
    if (json.delta === undefined || json.delta === null) return undefined
    if (!isRecord(json.delta)) {
      return malformed("delta", `expected an object, found ${typeName(json.delta)}`)
    }
    raw = textAt(json.delta, "stop_reason") ?? raw
    const why = explained ? undefined : explanation(raw, json.delta)
    if (why !== undefined) {
      explained = true
      out.push({ _tag: "RefusalDelta", text: why })
    }
    return undefined
  }

  return {
    event(data, name, out) {
      const json = parseJson(data)
      if (!isRecord(json)) {
        return malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)
      }
      if (name === "error") return errorFault(json)
      const type = typeof json.type === "string" ? json.type : name
      switch (type) {
        case "content_block_delta":
          return delta(json, out)
        case "content_block_start":
          return open(json, out)
        case "content_block_stop":
          close(json.index, out)
          return undefined
        case "message_start":
          // A second one is an upstream retry, spliced in: what the first attempt left open never ends.
          restart(json)
          return undefined
        case "message_delta":
          return update(json, out)
        case "message_stop":
          done = true
          return undefined
        case "error":
          return errorFault(json)
        default:
          if (hasError(json)) return errorFault(json)
          return type === undefined ? expectedText("type", json.type) : undefined
      }
    },
    done: () => done,
    soFar: () => ({ usage: usage(counted), model }),
    end(out) {
      if (!done && raw === undefined) return truncated
      for (const index of blocks.keys()) close(index, out)
      pushEnding(out, {
        finishReason: withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw,
        usage: usage(counted),
        model
      })
      return undefined
    }
  }
}
