/**
 * OpenAI's `chat/completions`, and what other vendors changed in it. Source: `protocol/wire-formats.md` §3 to §5.
 */
import * as Answer from "./openAiAnswer.js"
import type { Dialect } from "./openAiDialect.js"
import * as Request from "./openAiRequest.js"
import * as Stream from "./openAiStream.js"
import type { Wire } from "./wire.js"

export { finishReason, hasError, stopped, usage } from "./openAiAnswer.js"
export type { Dialect, Reading } from "./openAiDialect.js"
export { type Accumulator, accumulator, notAnObject } from "./openAiStream.js"

export const make = (dialect: Dialect): Wire => ({
  encode: (input) => Request.encode(dialect, input),
  decode: (json) => Answer.decode(dialect, json),
  decoder: () => Stream.decoder(dialect)
})
