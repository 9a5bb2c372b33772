/**
 * Anthropic's `v1/messages`. Source: `protocol/wire-formats.md` §7.
 */
import * as Answer from "./anthropicAnswer.js"
import * as Request from "./anthropicRequest.js"
import * as Stream from "./anthropicStream.js"
import type { Wire } from "./wire.js"

/** Another provider that speaks this format marks its signed reasoning with its own slug. */
export const make = (slug: string): Wire => ({
  encode: Request.encode,
  decode: (json) => Answer.decode(json, slug),
  decoder: () => Stream.decoder(slug)
})

export const wire: Wire = make("anthropic")
