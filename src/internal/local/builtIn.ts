/** The built-in model: from what was asked and the reply it was given, what it says. */
import * as Duration from "effect/Duration"
import { vendorId } from "./ids.js"
import { parseJson, wordByWord, words } from "./json.js"
import type { Reply, TextOptions, ToolCall } from "./reply.js"
import { sample } from "./sample.js"
import type { Time } from "./time.js"
import type { Answer, Ask, Call } from "./wire.js"

const spoken = ["Text", "ToolCalls", "Echo", "UseTools", "Value", "Refusal"] as const

export type Spoken = Extract<Reply, { readonly _tag: (typeof spoken)[number] }>

export const isSpoken = (reply: Reply): reply is Spoken =>
  (spoken as ReadonlyArray<string>).includes(reply._tag)

export const millis = (time: Time | undefined): number => (time === undefined ? 0 : Duration.toMillis(time))

/** So many characters a piece. By code point, so that no piece ends inside a character; `rechunk` is for that. */
const inPieces = (text: string, size: number): ReadonlyArray<string> => {
  const points = Array.from(text)
  const step = Math.max(1, size)
  return Array.from({ length: Math.ceil(points.length / step) }, (_, i) =>
    points.slice(i * step, (i + 1) * step).join("")
  )
}

const pieces = (text: string, chunks: TextOptions["chunks"]): ReadonlyArray<string> => {
  if (text === "") return []
  if (chunks === undefined) return wordByWord(text)
  return typeof chunks === "number" ? inPieces(text, chunks) : chunks
}

interface Content {
  readonly text: string
  readonly calls: ReadonlyArray<Call>
  readonly refused?: boolean
}

const callOf = (ask: Ask, text: string, call: ToolCall): Call => {
  const schema = ask.tools.find(({ name }) => name === call.name)?.schema ?? {}
  const args =
    call.argumentsText === undefined
      ? call.args === undefined
        ? sample(schema, text)
        : call.args
      : (parseJson(call.argumentsText) ?? {})
  const argumentsText = call.argumentsText ?? JSON.stringify(args)
  return {
    id: call.id ?? vendorId("call_"),
    name: call.name,
    args,
    text: argumentsText,
    pieces: typeof call.pieces === "number" ? inPieces(argumentsText, call.pieces) : call.pieces
  }
}

const count = (n: number, what: string): ReadonlyArray<string> =>
  n === 0 ? [] : [`${n} ${what}${n === 1 ? "" : "s"}`]

const echoed = (ask: Ask): string => {
  if (ask.results.length > 0) return ask.results.map(({ name, text }) => `${name} said: ${text}`).join("\n")
  const media = [...count(ask.images, "image"), ...count(ask.files, "file")]
  return `You said: ${ask.text}${media.length === 0 ? "" : ` (${media.join(", ")})`}`
}

const echo = (ask: Ask): Content => {
  const text = echoed(ask)
  if (ask.forcedTool !== undefined)
    return { text: "", calls: [callOf(ask, text, { name: ask.forcedTool.name })] }
  return {
    text: ask.answerSchema === undefined ? text : JSON.stringify(sample(ask.answerSchema, text)),
    calls: []
  }
}

const using = (ask: Ask, reply: Extract<Spoken, { _tag: "UseTools" }>): Content => {
  const offered = ask.tools.filter(({ name }) => reply.names === undefined || reply.names.includes(name))
  const [first, ...others] = ask.forcedTool === undefined ? offered : [ask.forcedTool]
  const again = ask.results.length > 0 && ask.forcedTool === undefined
  if (first === undefined || ask.toolsForbidden || again) return echo(ask)
  return {
    text: reply.text ?? "",
    calls: [first, ...(ask.parallel ? others : [])].map(({ name }) => callOf(ask, echoed(ask), { name }))
  }
}

const content = (ask: Ask, reply: Spoken): Content => {
  switch (reply._tag) {
    case "Text":
      return { text: reply.text, calls: [] }
    case "Refusal":
      return { text: reply.text, calls: [], refused: true }
    case "ToolCalls":
      return { text: reply.text, calls: reply.calls.map((call) => callOf(ask, echoed(ask), call)) }
    case "Value":
      return ask.forcedTool === undefined || ask.answerSchema !== undefined
        ? { text: JSON.stringify(reply.value), calls: [] }
        : { text: "", calls: [callOf(ask, "", { name: ask.forcedTool.name, args: reply.value })] }
    case "UseTools":
      return using(ask, reply)
    case "Echo":
      return echo(ask)
  }
}

const reasoningOf = (ask: Ask, reply: Spoken): string | undefined =>
  reply.reasoning ??
  (ask.thinks && (reply._tag === "Echo" || reply._tag === "UseTools")
    ? `Thinking about: ${ask.text}`
    : undefined)

const finishOf = ({ calls, refused }: Content): string =>
  refused === true ? "content_filter" : calls.length > 0 ? "tool_calls" : "stop"

export const answerOf = (ask: Ask, reply: Spoken, now: number): Answer => {
  const said = content(ask, reply)
  const { text, calls } = said
  const thought = reasoningOf(ask, reply)
  const reasoning = reply.usage?.reasoning ?? words(thought ?? "")
  const output = words(text) + calls.reduce((sum, call) => sum + words(call.text), 0)
  return {
    model: reply.model ?? ask.model,
    text,
    chunks: pieces(text, reply.chunks),
    reasoning: thought,
    toolCalls: calls,
    toolStream: "toolStream" in reply ? reply.toolStream : undefined,
    citations: reply.citations ?? [],
    refused: said.refused === true,
    finishReason: reply.finishReason ?? finishOf(said),
    usage: {
      input: reply.usage?.input ?? ask.inputWords,
      cachedInput: reply.usage?.cachedInput ?? 0,
      output: reply.usage?.output ?? output + reasoning,
      reasoning
    },
    now
  }
}
