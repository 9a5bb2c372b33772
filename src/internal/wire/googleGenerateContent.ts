/**
 * Google's `generateContent`. Source: `protocol/wire-formats.md` §8.
 */
import type { ChatEvent } from "../../ChatEvent.js"
import type { ChatRequest } from "../../ChatRequest.js"
import type { Citation, Decoded, FinishReason, Usage } from "../../ChatResponse.js"
import type { AssistantPart, Message, ToolResultPart } from "../../Message.js"
import {
  arrayAt,
  countAt,
  isRecord,
  type JsonRecord,
  parseJson,
  recordAt,
  stringify,
  sum,
  textAt,
  typeName
} from "../json.js"
import { pushEnding, withToolCalls } from "./ending.js"
import * as ToolCalls from "./toolCalls.js"
import {
  type Decoder,
  type Encoded,
  type EncodeInput,
  errorFault,
  type Fault,
  malformed,
  truncated,
  type Wire
} from "./wire.js"

/** Marks opaque reasoning of this wire format. */
const slug = "google-ai-studio"

// --- requests ---------------------------------------------------------------------------------------------------------

const encode = ({ model, request, stream }: EncodeInput): Encoded => {
  const body: Record<string, unknown> = { contents: encodeContents(request.messages) }
  const system: Array<JsonRecord> = []
  for (const message of request.messages) {
    if (message.role === "system" && message.content !== "") system.push({ text: message.content })
  }
  if (system.length > 0) body.systemInstruction = { parts: system }
  const config: Record<string, unknown> = {}
  const put = (field: keyof ChatRequest, name: string): void => {
    const value = request[field]
    if (value !== undefined) config[name] = value
  }
  put("temperature", "temperature")
  put("topP", "topP")
  put("topK", "topK")
  put("maxTokens", "maxOutputTokens")
  put("stop", "stopSequences")
  put("seed", "seed")
  put("frequencyPenalty", "frequencyPenalty")
  put("presencePenalty", "presencePenalty")
  if (Object.keys(config).length > 0) body.generationConfig = config
  const method = stream ? "streamGenerateContent?alt=sse" : "generateContent"
  return { endpoint: `v1beta/models/${modelSegment(model)}:${method}`, body, unsupported: [] }
}

/** `encodeURIComponent` throws on half a surrogate pair. */
const modelSegment = (model: string): string =>
  encodeURIComponent(model.replace(/^models\//, "").replace(/\p{Surrogate}/gu, "\uFFFD"))

const encodeContents = (messages: ReadonlyArray<Message>): ReadonlyArray<JsonRecord> => {
  const contents: Array<JsonRecord> = []
  // The results of one turn must be one content, in the order of its calls: without ids, the order is what tells them
  // apart.
  let callOrder: ReadonlyArray<string> = []
  let results: Array<ToolResultPart> = []
  const flushResults = (): void => {
    if (results.length === 0) return
    const rank = (part: ToolResultPart): number => {
      const index = callOrder.indexOf(part.id)
      return index === -1 ? callOrder.length : index
    }
    results.sort((a, b) => rank(a) - rank(b))
    contents.push({ role: "user", parts: results.map(encodeResult) })
    results = []
  }
  for (const message of messages) {
    if (message.role === "system") continue
    if (message.role === "tool") {
      for (const part of message.content) results.push(part)
      continue
    }
    flushResults()
    if (message.role === "user") {
      const parts =
        typeof message.content === "string"
          ? [{ text: message.content }]
          : message.content.map(({ text }) => ({ text }))
      if (parts.length > 0) contents.push({ role: "user", parts })
      continue
    }
    const content: ReadonlyArray<AssistantPart> =
      typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content
    const parts = encodeParts(content)
    if (parts.length > 0) contents.push({ role: "model", parts })
    callOrder = content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []))
  }
  flushResults()
  return contents
}

/** A signature belongs on the part that it came with: a thought of its own, or else the part that follows. */
const encodeParts = (content: ReadonlyArray<AssistantPart>): ReadonlyArray<JsonRecord> => {
  const parts: Array<JsonRecord> = []
  let signature: string | undefined
  const push = (part: JsonRecord): void => {
    parts.push(signature === undefined ? part : { ...part, thoughtSignature: signature })
    signature = undefined
  }
  const flush = (): void => {
    if (signature !== undefined) push({ text: "" })
  }
  for (const part of content) {
    switch (part.type) {
      case "text":
        if (part.text !== "" || signature !== undefined) push({ text: part.text })
        break
      case "tool-call": {
        const args = parseJson(part.arguments)
        push({
          functionCall: { ...sentId(part.id), name: part.name, args: isRecord(args) ? args : {} }
        })
        break
      }
      case "reasoning": {
        // Reasoning that is not known to be Google's own does not go to Google.
        const { opaque } = part
        if (opaque === undefined || opaque.provider !== slug || !isRecord(opaque.data)) break
        flush()
        const found = textAt(opaque.data, "thoughtSignature")
        if (opaque.data.thought === true) {
          signature = found
          push({ text: part.text, thought: true })
        } else {
          if (part.text !== "") push({ text: part.text, thought: true })
          signature = found
        }
        break
      }
    }
  }
  flush()
  return parts
}

/** An id that this library made up means nothing to Google. */
const sentId = (id: string): JsonRecord => (id === "" || /^call_\d+$/.test(id) ? {} : { id })

const encodeResult = (part: ToolResultPart): JsonRecord => {
  const parsed = parseJson(part.result)
  const result = isRecord(parsed) ? parsed : undefined
  const response =
    part.isError === true ? { error: result ?? part.result } : (result ?? { output: part.result })
  return { functionResponse: { ...sentId(part.id), name: part.name, response } }
}

// --- parts ------------------------------------------------------------------------------------------------------------

interface FunctionCall {
  readonly id: unknown
  readonly name: string
  readonly arguments: string
}

/** Where the parts of a content go: a whole answer and a stream differ in nothing else. */
interface Sink<Out> {
  readonly text: (text: string, out: Out) => void
  readonly thought: (text: string, signature: string | undefined, out: Out) => void
  /** The signature of the part that is next. */
  readonly signature: (signature: string, out: Out) => void
  readonly call: (call: FunctionCall, out: Out) => void
}

const partsPlace = "candidates[0].content.parts"

const readParts = <Out>(parts: ReadonlyArray<unknown>, sink: Sink<Out>, out: Out): Fault | undefined => {
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    if (!isRecord(part)) {
      return malformed(`${partsPlace}[${index}]`, `expected an object, found ${typeName(part)}`)
    }
    const { text } = part
    if (text !== undefined && typeof text !== "string") {
      return malformed(`${partsPlace}[${index}].text`, `expected text, found ${typeName(text)}`)
    }
    const signature = textAt(part, "thoughtSignature")
    if (part.thought === true && text !== undefined) {
      if (text !== "" || signature !== undefined) sink.thought(text, signature, out)
      continue
    }
    if (signature !== undefined) sink.signature(signature, out)
    if (text !== undefined && text !== "") sink.text(text, out)
    if (part.functionCall !== undefined) {
      const fault = readCall(part.functionCall, `${partsPlace}[${index}].functionCall`, sink, out)
      if (fault !== undefined) return fault
    }
  }
  return undefined
}

const readCall = <Out>(call: unknown, place: string, sink: Sink<Out>, out: Out): Fault | undefined => {
  if (!isRecord(call)) return malformed(place, `expected an object, found ${typeName(call)}`)
  // Only Vertex streams arguments, and only where it was asked to. To ignore them would call the tool without any.
  if (call.partialArgs !== undefined || call.willContinue === true) {
    return malformed(`${place}.partialArgs`, "streamed arguments are not supported")
  }
  const { id, name, args } = call
  if (typeof name !== "string") return malformed(`${place}.name`, `expected text, found ${typeName(name)}`)
  if (name === "") return malformed(`${place}.name`, "expected a tool's name, found empty text")
  if (args !== undefined && args !== null && !isRecord(args)) {
    return malformed(`${place}.args`, `expected an object, found ${typeName(args)}`)
  }
  const text = stringify(args ?? {})
  if (text === undefined) return malformed(`${place}.args`, "the object is nested too deeply")
  sink.call({ id, name, arguments: text }, out)
  return undefined
}

/** `thought` tells a thought's own signature from that of the part which follows: a stream's reader joins the two. */
const opaqueData = (thoughtSignature: string, thought: boolean): JsonRecord =>
  thought ? { thoughtSignature, thought } : { thoughtSignature }

const wholeSink: Sink<Array<AssistantPart>> = {
  text: (text, out) => {
    out.push({ type: "text", text })
  },
  thought: (text, signature, out) => {
    out.push({
      type: "reasoning",
      text,
      ...(signature === undefined ? {} : { opaque: { provider: slug, data: opaqueData(signature, true) } })
    })
  },
  signature: (signature, out) => {
    out.push({ type: "reasoning", text: "", opaque: { provider: slug, data: opaqueData(signature, false) } })
  },
  call: (call, out) => {
    out.push(ToolCalls.toPart(out.filter(isCall).length, call))
  }
}

const isCall = (part: AssistantPart): boolean => part.type === "tool-call"

const streamSink = (calls: ToolCalls.ToolCalls): Sink<Array<ChatEvent>> => ({
  text: (text, out) => {
    out.push({ _tag: "TextDelta", text })
  },
  thought: (text, signature, out) => {
    if (text !== "") out.push({ _tag: "ReasoningDelta", text })
    if (signature !== undefined) {
      out.push({ _tag: "ReasoningOpaque", provider: slug, data: opaqueData(signature, true) })
    }
  },
  signature: (signature, out) => {
    out.push({ _tag: "ReasoningOpaque", provider: slug, data: opaqueData(signature, false) })
  },
  call: (call, out) => {
    const index = calls.size()
    calls.add(index, call, out)
    calls.end(index, out)
  }
})

// --- whole answers ----------------------------------------------------------------------------------------------------

const decode = (json: unknown): Decoded | Fault => {
  const error = findError(json)
  if (error !== undefined) return errorFault(error)
  if (!isRecord(json)) return malformed("", `expected an object, found ${typeName(json)}`)
  const { candidates } = json
  const told = {
    usage: isRecord(json.usageMetadata) ? usage(json.usageMetadata) : {},
    model: textAt(json, "modelVersion")
  }
  if (candidates === undefined || (Array.isArray(candidates) && candidates.length === 0)) {
    const rawFinishReason = blockReason(json)
    return rawFinishReason === undefined
      ? malformed("candidates", "expected a candidate or promptFeedback.blockReason, found neither")
      : { parts: [], finishReason: "content-filter", rawFinishReason, ...told }
  }
  if (!Array.isArray(candidates)) {
    return malformed("candidates", `expected an array, found ${typeName(candidates)}`)
  }
  const candidate: unknown = candidates[0]
  if (!isRecord(candidate)) {
    return malformed("candidates[0]", `expected an object, found ${typeName(candidate)}`)
  }
  const rawFinishReason = textAt(candidate, "finishReason")
  const parts: Array<AssistantPart> = []
  const fault = readContent(candidate, wholeSink, parts, rawFinishReason === undefined)
  if (fault !== undefined) return fault
  const citations = new Map<string, Citation>()
  readCitations(candidate, citations)
  return {
    parts,
    citations: [...citations.values()],
    finishReason: withToolCalls(finishReason(rawFinishReason), parts.some(isCall)),
    rawFinishReason,
    ...told
  }
}

/** An answer that was blocked, or spent on thoughts, has no content or no parts. */
const readContent = <Out>(
  candidate: JsonRecord,
  sink: Sink<Out>,
  out: Out,
  required: boolean
): Fault | undefined => {
  const { content } = candidate
  if (content === undefined && !required) return undefined
  if (!isRecord(content)) {
    return malformed("candidates[0].content", `expected an object, found ${typeName(content)}`)
  }
  const { parts } = content
  if (parts === undefined && !required) return undefined
  if (!Array.isArray(parts)) return malformed(partsPlace, `expected an array, found ${typeName(parts)}`)
  return readParts(parts, sink, out)
}

const blockReason = (json: JsonRecord): string | undefined => {
  const feedback = recordAt(json, "promptFeedback")
  return feedback === undefined ? undefined : textAt(feedback, "blockReason")
}

/** The error of a body or an event; some endpoints wrap it in an array. */
const findError = (json: unknown): JsonRecord | undefined => {
  if (isRecord(json)) return hasError(json) ? json : undefined
  return Array.isArray(json) ? json.filter(isRecord).find(hasError) : undefined
}

const hasError = (json: JsonRecord): boolean =>
  (json.error !== undefined && json.error !== null && json.error !== false) || json.success === false

/** The same source counts once, however many chunks of a stream repeat it. */
const readCitations = (candidate: JsonRecord, into: Map<string, Citation>): void => {
  const grounding = recordAt(candidate, "groundingMetadata")
  if (grounding === undefined) return
  const supports = arrayAt(grounding, "groundingSupports").filter(isRecord)
  for (const [index, raw] of arrayAt(grounding, "groundingChunks").entries()) {
    if (!isRecord(raw)) continue
    const source = recordAt(raw, "web") ?? recordAt(raw, "retrievedContext") ?? recordAt(raw, "maps") ?? {}
    const url = textAt(source, "uri")
    const title = textAt(source, "title")
    const key = url ?? title ?? `#${index}`
    const text = supportedText(supports, index) ?? into.get(key)?.text
    into.set(key, { url, title, text, raw })
  }
}

const supportedText = (supports: ReadonlyArray<JsonRecord>, chunk: number): string | undefined => {
  const texts: Array<string> = []
  for (const support of supports) {
    if (!arrayAt(support, "groundingChunkIndices").includes(chunk)) continue
    const text = textAt(recordAt(support, "segment") ?? {}, "text")
    if (text !== undefined) texts.push(text)
  }
  return texts.length === 0 ? undefined : texts.join("\n")
}

const finishReason = (raw: string | undefined): FinishReason => {
  switch (raw) {
    case "STOP":
      return "stop"
    case "MAX_TOKENS":
      return "length"
    case "SAFETY":
    case "RECITATION":
    case "BLOCKLIST":
    case "PROHIBITED_CONTENT":
    case "SPII":
    case "IMAGE_SAFETY":
    case "IMAGE_PROHIBITED_CONTENT":
    case "IMAGE_RECITATION":
    case "MODEL_ARMOR":
      return "content-filter"
    case "MALFORMED_FUNCTION_CALL":
    case "UNEXPECTED_TOOL_CALL":
    case "TOO_MANY_TOOL_CALLS":
      return "error"
    default:
      return "other"
  }
}

const usage = (json: JsonRecord): Usage => {
  const input = sum(countAt(json, "promptTokenCount"), countAt(json, "toolUsePromptTokenCount"))
  const reasoning = countAt(json, "thoughtsTokenCount")
  const output = sum(countAt(json, "candidatesTokenCount"), reasoning)
  return {
    input,
    output,
    cacheRead: countAt(json, "cachedContentTokenCount"),
    reasoning,
    total: countAt(json, "totalTokenCount") ?? sum(input, output)
  }
}

// --- streams ----------------------------------------------------------------------------------------------------------

const decoder = (): Decoder => {
  const calls = ToolCalls.make()
  const sink = streamSink(calls)
  const citations = new Map<string, Citation>()
  let raw: string | undefined
  let blocked: string | undefined
  let model: string | undefined
  let counted: JsonRecord = {}

  return {
    event(data, name, out) {
      const json = parseJson(data)
      const error = name === "error" && isRecord(json) ? json : findError(json)
      if (error !== undefined) return errorFault(error)
      if (!isRecord(json)) {
        return malformed("data", `expected a JSON object, found ${JSON.stringify(data.slice(0, 120))}`)
      }
      // Running totals: the last one counts, unless it counted nothing.
      if (isRecord(json.usageMetadata) && counts(json.usageMetadata)) counted = json.usageMetadata
      if (model === undefined) model = textAt(json, "modelVersion")
      if (json.promptFeedback !== undefined) blocked = blockReason(json) ?? blocked
      const { candidates } = json
      if (candidates === undefined) return undefined
      if (!Array.isArray(candidates)) {
        return malformed("candidates", `expected an array, found ${typeName(candidates)}`)
      }
      const candidate: unknown = candidates[0]
      if (candidate === undefined) return undefined
      if (!isRecord(candidate)) {
        return malformed("candidates[0]", `expected an object, found ${typeName(candidate)}`)
      }
      const fault = readContent(candidate, sink, out, false)
      if (fault !== undefined) return fault
      if (candidate.groundingMetadata !== undefined) readCitations(candidate, citations)
      // Some models write STOP on every chunk, so the last reason counts.
      raw = textAt(candidate, "finishReason") ?? raw
      return undefined
    },
    // The end of the body is the end: usage may follow the finish reason.
    done: () => false,
    end(out) {
      if (raw === undefined && blocked === undefined) return truncated
      for (const citation of citations.values()) out.push({ _tag: "Citation", citation })
      pushEnding(out, {
        finishReason:
          raw === undefined ? "content-filter" : withToolCalls(finishReason(raw), calls.size() > 0),
        rawFinishReason: raw ?? blocked,
        usage: usage(counted),
        model
      })
      return undefined
    }
  }
}

const counts = (json: JsonRecord): boolean =>
  (countAt(json, "totalTokenCount") ?? 0) > 0 ||
  (countAt(json, "promptTokenCount") ?? 0) > 0 ||
  (countAt(json, "candidatesTokenCount") ?? 0) > 0

export const wire: Wire = { encode, decode, decoder }
