/** Calls of tools in the deltas of OpenAI's chat stream, in every shape that vendors have been seen to send. */
import { piecesOf } from "./argumentPieces.js"
import type { ToolStream } from "./reply.js"
import type { Call } from "./wire.js"

type Entry = Readonly<Record<string, unknown>>

const opened = (index: number, call: Call, first: string): Entry => ({
  index,
  id: call.id,
  type: "function",
  function: { name: call.name, arguments: first }
})

const more = (index: number, piece: string): Entry => ({ index, function: { arguments: piece } })

/** A call in several entries. */
const entriesOf = (stream: ToolStream, call: Call, at: number): ReadonlyArray<Entry> => {
  const pieces = piecesOf(call)
  switch (stream) {
    case "whole":
      return [opened(at, call, call.text)]
    case "no-index": {
      const { index: _, ...entry } = opened(at, call, call.text)
      return [entry]
    }
    case "no-id":
      return [{ ...opened(at, call, call.text), id: "" }]
    case "index-gaps":
      return [opened(at * 2, call, ""), ...pieces.map((piece) => more(at * 2, piece))]
    case "from-one":
      return [opened(at + 1, call, ""), ...["", ...pieces].map((piece) => more(at + 1, piece))]
    case "arguments-first": {
      const [first = "", ...others] = pieces
      return [
        more(at, first),
        { index: at, id: call.id, type: "function", function: { name: call.name } },
        ...others.map((piece) => more(at, piece))
      ]
    }
    case "id-repeated":
      return [
        opened(at, call, ""),
        ...pieces.map((piece) => ({
          index: at,
          id: call.id,
          type: "function",
          function: { name: "", arguments: piece }
        }))
      ]
    case "null-arguments":
      return [
        { index: at, id: call.id, type: "function", function: { name: call.name } },
        { index: at, function: { arguments: null } },
        ...pieces.map((piece) => more(at, piece))
      ]
    case "finalised":
      return [
        opened(at, call, ""),
        ...pieces.map((piece) => more(at, piece)),
        { index: at, id: null, type: null, function: { name: null, arguments: "" } }
      ]
    case "fragments":
    case "interleaved":
      return [opened(at, call, ""), ...pieces.map((piece) => more(at, piece))]
  }
}

/** The entries of `delta.tool_calls`, one list for each delta. */
export function* toolDeltas(stream: ToolStream, calls: ReadonlyArray<Call>): Iterable<ReadonlyArray<Entry>> {
  const all = calls.map((call, at) => entriesOf(stream, call, at))
  if (stream !== "interleaved") {
    for (const entry of all.flat()) yield [entry]
    return
  }
  const longest = Math.max(0, ...all.map((entries) => entries.length))
  for (let i = 0; i < longest; i++) {
    const entries = all.flatMap((entries) => entries.slice(i, i + 1))
    if (entries.length > 0) yield entries
  }
}
