/**
 * Has a stream said that it is over? Looked at only so that a body that ends without a word can be told from one that was
 * cut off between two events; what an answer means is the decoder's matter. Source: `protocol/wire-formats.md` §4, §6, §7.4.
 */
import { arrayAt, isRecord, type JsonRecord, parseJson, recordAt, textAt } from "../json.js"

/** Nothing that ends a stream is without one of these; nearly every event is without all of them. */
const mayEnd =
  /\[DONE\]|message_stop|response\.(?:completed|incomplete|failed)|"(?:finish_reason|stop_reason|finishReason)"\s*:\s*"|error/

const endTypes: ReadonlySet<string | undefined> = new Set([
  "message_stop",
  "response.completed",
  "response.incomplete",
  "response.failed",
  "error"
])

export class Terminal {
  /** Was the last event read? Nothing that may follow is worth a request. */
  isOver = false
  /** Has the model finished? Usage and an end marker may still follow. */
  isFinished = false
  private readonly utf8 = new TextDecoder()

  /** Reads the bytes of whole events. */
  read(bytes: Uint8Array): void {
    if (this.isOver) return
    const text = this.utf8.decode(bytes)
    if (!mayEnd.test(text)) return
    for (const event of text.split(/\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n/)) this.event(event, true)
  }

  /** The last event counts even if the blank line behind it is missing; so does JSON that was never an event. */
  endsWith(half: Uint8Array): boolean {
    const text = this.utf8.decode(half)
    this.event(text, false)
    return this.isOver || this.isFinished || isRecord(parseJson(text))
  }

  private event(text: string, whole: boolean): void {
    if (this.isOver || !mayEnd.test(text)) return
    let name: string | undefined
    const data: Array<string> = []
    for (const line of text.split(/\r\n|\n|\r/)) {
      if (line.startsWith("data:")) data.push(valueOf(line, 5))
      else if (line.startsWith("event:")) name = valueOf(line, 6)
    }
    // An error need not be JSON.
    if (whole && name === "error") this.isOver = true
    else this.data(data.join("\n"), name)
  }

  private data(data: string, name: string | undefined): void {
    if (data === "[DONE]") {
      this.isOver = true
      return
    }
    const json = parseJson(data)
    if (!isRecord(json)) return
    const type = typeof json.type === "string" ? json.type : name
    if (endTypes.has(type) || (json.error !== undefined && json.error !== null)) this.isOver = true
    else if (reasonOf(json) !== undefined) this.isFinished = true
  }
}

const valueOf = (line: string, at: number): string => line.slice(line[at] === " " ? at + 1 : at)

/** Why the model finished: OpenAI's format, Workers AI's, Anthropic's, Google's. */
const reasonOf = (json: JsonRecord): string | undefined => {
  const [choice] = arrayAt(json, "choices")
  const [candidate] = arrayAt(json, "candidates")
  const delta = recordAt(json, "delta")
  return (
    (isRecord(choice) ? textAt(choice, "finish_reason") : undefined) ??
    textAt(json, "finish_reason") ??
    (delta === undefined ? undefined : textAt(delta, "stop_reason")) ??
    (isRecord(candidate) ? textAt(candidate, "finishReason") : undefined)
  )
}
