/**
 * Cohere's `v2/chat`. Source: `protocol/wire-formats.md` §11.
 */
import { decode } from "./cohereChatAnswer.js"
import { encode } from "./cohereChatRequest.js"
import { decoder } from "./cohereChatStream.js"
import type { Wire } from "./wire.js"

export const wire: Wire = { encode, decode, decoder }
