/**
 * Reasoning as OpenRouter gives it: as text, and again as `reasoning_details`, which hold signatures and encrypted
 * thoughts and must go back unchanged. Source: `protocol/wire-formats.md` §4.7.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { AssistantMessage, ReasoningPart } from "../../Message.js"
import { arrayAt, isRecord, type JsonRecord, textAt } from "../json.js"
import type { Reading } from "./openAiDialect.js"

/** The reasoning of a whole message that has records; where the text stands apart from them, it is not read twice. */
export const partOf = (
  { reasoningDetails: provider }: Reading,
  message: JsonRecord,
  text: string | undefined
): ReasoningPart | undefined => {
  if (provider === undefined) return undefined
  const details = arrayAt(message, "reasoning_details")
  if (details.length === 0) return undefined
  return {
    type: "reasoning",
    text: text ?? details.map(textOf).join(""),
    opaque: { provider, data: details }
  }
}

/** What goes back: the records of all parts, in their order. */
export const replay = (message: AssistantMessage, provider: string): JsonRecord => {
  if (typeof message.content === "string") return {}
  const details: Array<unknown> = []
  for (const part of message.content) {
    if (part.type !== "reasoning" || part.opaque?.provider !== provider) continue
    if (Array.isArray(part.opaque.data)) details.push(...part.opaque.data)
  }
  return details.length === 0 ? {} : { reasoning_details: details }
}

/** What a record shows of its thoughts. */
const textOf = (detail: unknown): string =>
  isRecord(detail) ? (textAt(detail, "text") ?? textAt(detail, "summary") ?? "") : ""

export interface ReasoningDetails {
  /** Reads the records of one delta, and gives the thought to show. `said` is the one that stands apart from them. */
  readonly read: (delta: JsonRecord, said: unknown) => unknown
  /** Tells the records that have come since, if any. */
  readonly tell: (out: Array<ChatEvent>) => void
}

export const make = (provider: string): ReasoningDetails => {
  let details: Array<unknown> = []
  let shown: "apart" | "in records" | undefined
  return {
    read(delta, said) {
      let text = ""
      for (const detail of arrayAt(delta, "reasoning_details")) {
        text += textOf(detail)
        const last = details.at(-1)
        if (isRecord(last) && isRecord(detail) && continues(last, detail)) {
          details[details.length - 1] = joined(last, detail)
        } else details.push(detail)
      }
      if (typeof said === "string" && said !== "") shown ??= "apart"
      else if (text !== "") shown ??= "in records"
      return shown === "in records" ? text : said
    },
    tell(out) {
      if (details.length === 0) return
      out.push({ _tag: "ReasoningOpaque", provider, data: details })
      details = []
    }
  }
}

/** Of one record come pieces with the same index and type. Two ids are two records. */
const continues = (open: JsonRecord, piece: JsonRecord): boolean =>
  open.type === piece.type &&
  open.index === piece.index &&
  (isAbsent(open.id) || isAbsent(piece.id) || open.id === piece.id)

const joined = (open: JsonRecord, piece: JsonRecord): JsonRecord => {
  const { text, summary, data, ...rest } = piece
  const known = Object.entries(rest).filter(([, value]) => !isAbsent(value))
  return {
    ...open,
    ...Object.fromEntries(known),
    ...longer(open, "text", text),
    ...longer(open, "summary", summary),
    ...longer(open, "data", data)
  }
}

const longer = (open: JsonRecord, key: string, piece: unknown): JsonRecord => {
  if (isAbsent(piece)) return {}
  const begun = open[key]
  return { [key]: typeof begun === "string" && typeof piece === "string" ? begun + piece : piece }
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null
