/** The pieces of a streamed arguments' text. */
import type { Call } from "./wire.js"

/** As scripted, else two halves. A piece may be empty where the vendor begins with an empty one. */
export const piecesOf = (call: Call): ReadonlyArray<string> => {
  if (call.pieces !== undefined) return call.pieces
  const half = Math.ceil(call.text.length / 2)
  return [call.text.slice(0, half), call.text.slice(half)].filter((piece) => piece !== "")
}

/** Anthropic and Bedrock begin with an empty piece, and say no arguments with nothing else. */
export const afterEmpty = (call: Call): ReadonlyArray<string> =>
  call.text === "{}" && call.pieces === undefined ? [""] : ["", ...piecesOf(call)]
