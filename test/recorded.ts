/**
 * The provider packages of `@effect/ai` for Google, Amazon Bedrock and OpenRouter, as far as a gateway sees them: the
 * requests that the real packages sent (`recorded/*.json`), and for each a model that sends them again.
 *
 * The packages themselves cannot be installed beside the peers of this project: the newest that the registry has (0.15.0,
 * 0.15.0, 0.10.1) want `@effect/platform ^0.96`. They were run once, with a stub of `HttpClient` that wrote down what it
 * was given; the credentials are made up, and Bedrock's requests are signed with them, at noon on 24 November 2026.
 *
 * A model here sends exactly the recorded request of the operation that it is asked for, **whatever the prompt, the tools
 * or the schema are**: ask it `prompt`, with `toolkit` or `City`, and they agree. It reads the vendor's answer with a
 * reader of its own, takes its client when its layer is built, and fails as the packages do.
 */
import { readFileSync } from "node:fs"
import * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Response from "@effect/ai/Response"
import * as Tool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import { Effect, Layer, Schema, Stream } from "effect"

// What the recorded requests ask.

export const prompt = [
  { role: "system" as const, content: "be brief" },
  { role: "user" as const, content: "hi, it is 20 °C" }
]

export const toolkit = Toolkit.make(
  Tool.make("weather", {
    description: "The weather in a city",
    parameters: { city: Schema.String },
    success: Schema.String
  })
)

export const handlers = toolkit.toLayer({ weather: ({ city }) => Effect.succeed(`sunny in ${city}`) })

export class City extends Schema.Class<City>("City")({ city: Schema.String, country: Schema.String }) {}

// The recordings.

const RecordedRequest = Schema.Struct({
  method: Schema.Literal("POST"),
  url: Schema.String,
  headers: Schema.Record({ key: Schema.String, value: Schema.String }),
  body: Schema.String
})
export type RecordedRequest = typeof RecordedRequest.Type

const Recording = Schema.Struct({
  package: Schema.String,
  model: Schema.String,
  requests: Schema.Struct({
    generateText: RecordedRequest,
    generateTextWithToolkit: RecordedRequest,
    generateObject: RecordedRequest,
    streamText: RecordedRequest,
    streamTextWithToolkit: RecordedRequest
  })
})
export type Recording = typeof Recording.Type
export type Operation = keyof Recording["requests"]

export const operations: ReadonlyArray<Operation> = [
  "generateText",
  "generateTextWithToolkit",
  "generateObject",
  "streamText",
  "streamTextWithToolkit"
]

const recording = (name: string): Recording =>
  Schema.decodeUnknownSync(Schema.parseJson(Recording))(
    readFileSync(new URL(`./recorded/${name}.json`, import.meta.url), "utf8")
  )

export const google: Recording = recording("google")
export const amazonBedrock: Recording = recording("amazonBedrock")
export const openRouter: Recording = recording("openRouter")

/** What Bedrock's recorded requests were signed with, to sign them again. */
export const awsCredentials = {
  accessKeyId: "AKIDFAKEEXAMPLE",
  secretAccessKey: "fake-secret-access-key",
  sessionToken: "fake-session-token"
}

export const httpRequest = (recorded: RecordedRequest): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.make(recorded.method)(recorded.url, {
    headers: recorded.headers,
    body: HttpBody.uint8Array(new TextEncoder().encode(recorded.body), recorded.headers["content-type"])
  })

// The models.

/** What a reader gives: text, a whole call, or the end. */
type Said =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Call"; readonly id: string; readonly name: string; readonly params: unknown }
  | { readonly _tag: "End"; readonly reason: string; readonly input?: number; readonly output?: number }

interface Vendor {
  readonly name: string
  readonly recording: Recording
  readonly whole: (answer: Json) => ReadonlyArray<Said>
  readonly events: (bytes: Bytes) => Events
  /** A reader of one stream's events. */
  readonly reader: () => (event: Json) => ReadonlyArray<Said>
}

type Bytes = Stream.Stream<Uint8Array, HttpClientError.HttpClientError>
type Events = Stream.Stream<Json, HttpClientError.HttpClientError>

// biome-ignore lint/suspicious/noExplicitAny: it looks into answers of many shapes
type Json = any

const text = (text: string): Said => ({ _tag: "Text", text })

/** Google gives its calls no ids. */
const call = (id: string | undefined, name: string, params: unknown): Said => ({
  _tag: "Call",
  id: id ?? `call-of-${name}`,
  name,
  params
})

const parse = (json: string): Json => JSON.parse(json === "" ? "{}" : json)

/** The `data` of server-sent events, one line each. */
const serverSent = (bytes: Bytes): Events =>
  bytes.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line.startsWith("data:") && !line.includes("[DONE]")),
    Stream.map((line) => parse(line.slice(5)))
  )

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes)),
  (text) => new TextEncoder().encode(text)
)

/** The frames of AWS's event stream: `{ [type]: payload }`. */
const awsFrames = (bytes: Bytes): Events =>
  Stream.mapAccum(bytes, new Uint8Array(), (before, piece) => {
    let rest: Uint8Array = Buffer.concat([before, piece])
    const frames: Array<Json> = []
    while (rest.length >= 4) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0)
      if (rest.length < length) break
      const { headers, body } = codec.decode(rest.subarray(0, length))
      const type = headers[":event-type"]?.value ?? headers[":exception-type"]?.value
      frames.push({ [String(type)]: parse(new TextDecoder().decode(body)) })
      rest = rest.subarray(length)
    }
    return [new Uint8Array(rest), frames]
  }).pipe(Stream.mapConcat((frames) => frames))

const googleSaid = (answer: Json): ReadonlyArray<Said> => {
  const [candidate] = answer.candidates ?? []
  const said: Array<Said> = (candidate?.content?.parts ?? []).map((part: Json) =>
    part.functionCall === undefined
      ? text(part.text)
      : call(undefined, part.functionCall.name, part.functionCall.args)
  )
  const { promptTokenCount: input, candidatesTokenCount: output } = answer.usageMetadata ?? {}
  return candidate?.finishReason === undefined
    ? said
    : [...said, { _tag: "End", reason: candidate.finishReason, input, output }]
}

const bedrockEnd = (reason: string, usage: Json): Said => ({
  _tag: "End",
  reason,
  input: usage.inputTokens,
  output: usage.outputTokens
})

const openRouterEnd = (reason: string, usage: Json): Said => ({
  _tag: "End",
  reason,
  input: usage?.prompt_tokens,
  output: usage?.completion_tokens
})

const googleVendor: Vendor = {
  name: "GoogleLanguageModel",
  recording: google,
  whole: googleSaid,
  events: serverSent,
  reader: () => googleSaid
}

const bedrockVendor: Vendor = {
  name: "AmazonBedrockLanguageModel",
  recording: amazonBedrock,
  whole: (answer) => [
    ...answer.output.message.content.map((block: Json) =>
      block.toolUse === undefined
        ? text(block.text)
        : call(block.toolUse.toolUseId, block.toolUse.name, block.toolUse.input)
    ),
    bedrockEnd(answer.stopReason, answer.usage)
  ],
  events: awsFrames,
  reader: () => {
    let open: { readonly id: string; readonly name: string; input: string } | undefined
    let reason = "unknown"
    return (event) => {
      const start = event.contentBlockStart?.start?.toolUse
      if (start !== undefined) open = { id: start.toolUseId, name: start.name, input: "" }
      const delta = event.contentBlockDelta?.delta
      if (delta?.text !== undefined) return [text(delta.text)]
      if (delta?.toolUse !== undefined && open !== undefined) open.input += delta.toolUse.input
      if (event.contentBlockStop !== undefined && open !== undefined) {
        const { id, name, input } = open
        open = undefined
        return [call(id, name, parse(input))]
      }
      if (event.messageStop !== undefined) reason = event.messageStop.stopReason
      return event.metadata === undefined ? [] : [bedrockEnd(reason, event.metadata.usage)]
    }
  }
}

const openRouterVendor: Vendor = {
  name: "OpenRouterLanguageModel",
  recording: openRouter,
  whole: (answer) => {
    const [{ message, finish_reason }] = answer.choices
    return [
      ...(message.content ? [text(message.content)] : []),
      ...(message.tool_calls ?? []).map((one: Json) =>
        call(one.id, one.function.name, parse(one.function.arguments))
      ),
      openRouterEnd(finish_reason, answer.usage)
    ]
  },
  events: serverSent,
  reader: () => {
    const calls: Array<{ id: string; name: string; input: string }> = []
    let reason: string | undefined
    return (event) => {
      const [choice] = event.choices ?? []
      for (const { index, id, function: of } of choice?.delta?.tool_calls ?? []) {
        const one = calls[index] ?? { id, name: of.name, input: "" }
        calls[index] = one
        one.input += of.arguments ?? ""
      }
      const said: Array<Said> = choice?.delta?.content ? [text(choice.delta.content)] : []
      if (choice?.finish_reason && reason === undefined) {
        reason = choice.finish_reason
        for (const { id, name, input } of calls) said.push(call(id, name, parse(input)))
      }
      // The usage comes behind the last choice.
      if (reason !== undefined && event.usage) said.push(openRouterEnd(reason, event.usage))
      return said
    }
  }
}

const finishReason = (reason: string): Response.FinishReason => {
  switch (reason.toLowerCase()) {
    case "stop":
    case "end_turn":
      return "stop"
    case "tool_calls":
    case "tool_use":
      return "tool-calls"
    case "length":
    case "max_tokens":
      return "length"
    default:
      return "other"
  }
}

const callPart = ({
  id,
  name,
  params
}: Extract<Said, { readonly _tag: "Call" }>): Response.ToolCallPartEncoded => ({
  type: "tool-call",
  id,
  name,
  params
})

const finishPart = ({
  reason,
  input,
  output
}: Extract<Said, { readonly _tag: "End" }>): Response.FinishPartEncoded => ({
  type: "finish",
  reason: finishReason(reason),
  usage: {
    inputTokens: input,
    outputTokens: output,
    totalTokens: input === undefined || output === undefined ? undefined : input + output
  }
})

/** An object that was asked for as a forced call (Bedrock) is the text of the answer. */
const wholePart = (said: Said, object: boolean): Response.PartEncoded => {
  switch (said._tag) {
    case "Text":
      return { type: "text", text: said.text }
    case "Call":
      return object ? { type: "text", text: JSON.stringify(said.params) } : callPart(said)
    case "End":
      return finishPart(said)
  }
}

type StreamParts = ReadonlyArray<Response.StreamPartEncoded>

const streamParts = (): ((said: Said) => StreamParts) => {
  let open = false
  const close = (): StreamParts => {
    if (!open) return []
    open = false
    return [{ type: "text-end", id: "0" }]
  }
  return (said) => {
    switch (said._tag) {
      case "Text": {
        const start: StreamParts = open ? [] : [{ type: "text-start", id: "0" }]
        open = true
        return [...start, { type: "text-delta", id: "0", delta: said.text }]
      }
      case "Call":
        return [...close(), callPart(said)]
      case "End":
        return [...close(), finishPart(said)]
    }
  }
}

/** As the packages make an `AiError` of what their client says. */
const failures = (module: string, method: string) => ({
  RequestError: (error: HttpClientError.RequestError) =>
    Effect.fail(AiError.HttpRequestError.fromRequestError({ module, method, error })),
  ResponseError: (error: HttpClientError.ResponseError) =>
    AiError.HttpResponseError.fromResponseError({ module, method, error })
})

const layerOf = (vendor: Vendor): Layer.Layer<LanguageModel.LanguageModel, never, HttpClient.HttpClient> =>
  Layer.effect(
    LanguageModel.LanguageModel,
    Effect.flatMap(HttpClient.HttpClient, (client) => {
      const ok = HttpClient.filterStatusOk(client)
      const ask = (
        operation: Operation
      ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
        ok.execute(httpRequest(vendor.recording.requests[operation]))
      return LanguageModel.make({
        generateText: ({ responseFormat, tools }) => {
          const object = responseFormat.type === "json"
          const operation = object
            ? "generateObject"
            : tools.length > 0
              ? "generateTextWithToolkit"
              : "generateText"
          return ask(operation).pipe(
            Effect.flatMap((response) => response.json),
            Effect.map((answer) => vendor.whole(answer).map((said) => wholePart(said, object))),
            Effect.catchTags(failures(vendor.name, "generateText"))
          )
        },
        streamText: ({ tools }) =>
          Stream.suspend(() => {
            const read = vendor.reader()
            const part = streamParts()
            return ask(tools.length > 0 ? "streamTextWithToolkit" : "streamText").pipe(
              Effect.map(({ stream }) => stream),
              Stream.unwrap,
              vendor.events,
              Stream.mapConcat((event) => read(event).flatMap(part)),
              Stream.catchTags(failures(vendor.name, "streamText"))
            )
          })
      })
    })
  )

export const layerGoogle = layerOf(googleVendor)
export const layerAmazonBedrock = layerOf(bedrockVendor)
export const layerOpenRouter = layerOf(openRouterVendor)
