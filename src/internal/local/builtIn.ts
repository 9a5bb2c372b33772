/** The built-in model: from what was asked and the reply it was given, what it says. */
import * as Duration from "effect/Duration"
import { vendorId } from "./ids.js"
import { wordByWord, words } from "./json.js"
import type { Reply, TextOptions } from "./reply.js"
import { sample } from "./sample.js"
import type { Time } from "./time.js"
import type { Answer, Ask } from "./wire.js"

export type Spoken = Extract<Reply, { readonly _tag: "Text" | "ToolCalls" | "Echo" }>

export const isSpoken = (reply: Reply): reply is Spoken =>
  reply._tag === "Text" || reply._tag === "ToolCalls" || reply._tag === "Echo"

export const millis = (time: Time | undefined): number => (time === undefined ? 0 : Duration.toMillis(time))

const pieces = (text: string, chunks: TextOptions["chunks"]): ReadonlyArray<string> => {
  if (text === "") return []
  if (chunks === undefined) return wordByWord(text)
  if (typeof chunks !== "number") return chunks
  // By code point, so that no piece ends inside a character; `rechunk` is for that.
  const points = Array.from(text)
  return Array.from({ length: Math.ceil(points.length / Math.max(1, chunks)) }, (_, i) =>
    points.slice(i * Math.max(1, chunks), (i + 1) * Math.max(1, chunks)).join("")
  )
}

const content = (ask: Ask, reply: Spoken): { readonly text: string; readonly calls: Answer["toolCalls"] } => {
  if (reply._tag === "Text") return { text: reply.text, calls: [] }
  if (reply._tag === "ToolCalls")
    return {
      text: reply.text,
      calls: reply.calls.map(({ name, args, id }) => ({ name, args, id: id ?? vendorId("call_") }))
    }
  const echoed = `You said: ${ask.text}`
  if (ask.forcedTool !== undefined)
    return {
      text: "",
      calls: [
        {
          id: vendorId("call_"),
          name: ask.forcedTool.name,
          args: sample(ask.forcedTool.schema ?? {}, echoed)
        }
      ]
    }
  return {
    text: ask.answerSchema === undefined ? echoed : JSON.stringify(sample(ask.answerSchema, echoed)),
    calls: []
  }
}

export const answerOf = (ask: Ask, reply: Spoken, now: number): Answer => {
  const { text, calls } = content(ask, reply)
  const reasoning = reply.usage?.reasoning ?? words(reply.reasoning ?? "")
  const said = words(text) + calls.reduce((sum, call) => sum + words(JSON.stringify(call.args) ?? ""), 0)
  return {
    model: reply.model ?? ask.model,
    text,
    chunks: pieces(text, reply.chunks),
    reasoning: reply.reasoning,
    toolCalls: calls,
    finishReason: reply.finishReason ?? (calls.length > 0 ? "tool_calls" : "stop"),
    usage: {
      input: reply.usage?.input ?? ask.inputWords,
      cachedInput: reply.usage?.cachedInput ?? 0,
      output: reply.usage?.output ?? said + reasoning,
      reasoning
    },
    now
  }
}
