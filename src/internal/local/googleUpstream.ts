/** Google's `generateContent`, on AI Studio and on Vertex. */
import { spanOf } from "./chatCitations.js"
import { partialArgs } from "./googlePartialArgs.js"
import { parseGenerate } from "./googleRequest.js"
import { hex } from "./ids.js"
import { words } from "./json.js"
import {
  type Answer,
  type Ask,
  type Frame,
  type Problem,
  type Refusal,
  refusal,
  statusMessage,
  type Wire
} from "./wire.js"

const statusName = (status: number): string => {
  switch (status) {
    case 400:
      return "INVALID_ARGUMENT"
    case 401:
      return "UNAUTHENTICATED"
    case 403:
      return "PERMISSION_DENIED"
    case 404:
      return "NOT_FOUND"
    case 408:
    case 504:
      return "DEADLINE_EXCEEDED"
    case 429:
      return "RESOURCE_EXHAUSTED"
    case 503:
    case 529:
      return "UNAVAILABLE"
    default:
      return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT"
  }
}

const body = (status: number, message: string, details?: ReadonlyArray<unknown>) => ({
  error: { code: status, message, status: statusName(status), ...(details === undefined ? {} : { details }) }
})

const refuse = (problem: Problem): Refusal => {
  switch (problem.kind) {
    case "credential":
      if (problem.message !== undefined) return refusal(401, body(401, problem.message))
      return problem.missing
        ? refusal(
            403,
            body(
              403,
              "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
            )
          )
        : refusal(
            400,
            body(400, "API key not valid. Please pass a valid API key.", [
              {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                reason: "API_KEY_INVALID",
                domain: "googleapis.com",
                metadata: { service: "generativelanguage.googleapis.com" }
              }
            ])
          )
    case "model":
      return refusal(
        404,
        body(
          404,
          `models/${problem.model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`
        )
      )
    case "textOnly":
      return refusal(
        400,
        body(
          400,
          `${problem.what === "image" ? "Image" : "Document"} input modality is not enabled for models/${problem.model}`
        )
      )
    case "endpoint":
      return refusal(404, body(404, `The requested URL /${problem.path} was not found on this server.`))
    case "invalid":
      return refusal(400, body(400, problem.message))
    case "status":
      return refusal(
        problem.status,
        body(
          problem.status,
          problem.message ?? statusMessage(problem.status),
          problem.status === 429
            ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1s" }]
            : undefined
        )
      )
  }
}

const finish = (reason: string): string => {
  switch (reason) {
    // Google says STOP after a function call as well.
    case "stop":
    case "tool_calls":
      return "STOP"
    case "length":
      return "MAX_TOKENS"
    case "content_filter":
      return "SAFETY"
    default:
      return reason
  }
}

const usage = ({ usage }: Answer, output: number, reasoning: number) => ({
  promptTokenCount: usage.input,
  ...(usage.cachedInput > 0 ? { cachedContentTokenCount: usage.cachedInput } : {}),
  ...(output > 0 ? { candidatesTokenCount: output } : {}),
  ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
  totalTokenCount: usage.input + output + reasoning
})

const functionCalls = (answer: Answer) =>
  answer.toolCalls.map((call, index) => ({
    functionCall: { name: call.name, args: call.args },
    // Of parallel calls only the first carries the signature.
    ...(index === 0 ? { thoughtSignature: "bG9jYWwtc2lnbmF0dXJl" } : {})
  }))

/** How many bytes of UTF-8 come before a character: Google counts those. */
const bytesBefore = (text: string, at: number): number => new TextEncoder().encode(text.slice(0, at)).length

const groundingOf = ({ citations, text }: Answer): Record<string, unknown> =>
  citations.length === 0
    ? {}
    : {
        groundingMetadata: {
          groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url, title: title ?? url } })),
          groundingSupports: citations.map((citation, index) => {
            const { start, end } = spanOf(text, citation.text)
            return {
              segment: {
                ...(start === 0 ? {} : { startIndex: bytesBefore(text, start) }),
                endIndex: bytesBefore(text, end),
                text: text.slice(start, end)
              },
              groundingChunkIndices: [index]
            }
          })
        }
      }

const response = (
  answer: Answer,
  id: string,
  parts: ReadonlyArray<unknown>,
  usageMetadata: unknown,
  finishReason?: string
) => ({
  candidates: [
    {
      // What was blocked has no parts.
      content: answer.refused ? {} : { parts, role: "model" },
      ...(finishReason === undefined ? {} : { finishReason, ...groundingOf(answer) }),
      ...(answer.refused ? { finishMessage: answer.text } : {}),
      index: 0
    }
  ],
  usageMetadata,
  modelVersion: answer.model,
  responseId: id
})

const whole = (answer: Answer) =>
  response(
    answer,
    hex(22),
    [
      ...(answer.reasoning === undefined ? [] : [{ text: answer.reasoning, thought: true }]),
      ...(answer.text === "" ? [] : [{ text: answer.text }]),
      ...functionCalls(answer)
    ],
    usage(answer, answer.usage.output - answer.usage.reasoning, answer.usage.reasoning),
    finish(answer.finishReason)
  )

/** A call in parts: whole, or as Vertex streams it when asked to. */
function* callParts(ask: Ask, answer: Answer): Iterable<unknown> {
  if (!ask.streamsArguments) return yield* functionCalls(answer)
  for (const { name, args } of answer.toolCalls) {
    yield { functionCall: { name, willContinue: true } }
    for (const partial of partialArgs(args))
      yield { functionCall: { partialArgs: partial, willContinue: true } }
    yield { functionCall: {} }
  }
}

function* responses(ask: Ask, answer: Answer): Iterable<readonly [response: unknown, content: boolean]> {
  const id = hex(22)
  const { reasoning } = answer.usage
  const output = answer.usage.output - reasoning
  if (answer.reasoning !== undefined)
    yield [
      response(answer, id, [{ text: answer.reasoning, thought: true }], usage(answer, 0, reasoning)),
      true
    ]
  let said = 0
  for (const chunk of answer.refused ? [] : answer.chunks) {
    said = Math.min(output, said + words(chunk))
    yield [response(answer, id, [{ text: chunk }], usage(answer, said, reasoning)), true]
  }
  for (const part of callParts(ask, answer))
    yield [response(answer, id, [part], usage(answer, said, reasoning)), true]
  yield [
    response(answer, id, [{ text: "" }], usage(answer, output, reasoning), finish(answer.finishReason)),
    false
  ]
}

function* frames(ask: Ask, answer: Answer): Iterable<Frame> {
  for (const [data, content] of responses(ask, answer))
    yield { text: `data: ${JSON.stringify(data)}\r\n\r\n`, content }
}

/** Without `alt=sse` a stream is one JSON array whose elements come over time. */
function* arrayFrames(ask: Ask, answer: Answer): Iterable<Frame> {
  let opening = "["
  for (const [data, content] of responses(ask, answer)) {
    yield { text: `${opening}${JSON.stringify(data, null, 2)}`, content }
    opening = "\n,\r\n"
  }
  yield { text: "\n]\n", content: false }
}

const shared = {
  parse: parseGenerate,
  whole: (_ask: Ask, answer: Answer) => whole(answer),
  refuse,
  overloaded: 503,
  keepAlive: ": keep-alive\r\n\r\n",
  headers: () => ({})
}

const sse: Wire = {
  ...shared,
  frames: (ask, answer) => frames(ask, answer),
  contentType: "text/event-stream",
  errorFrame: (problem) => `data: ${JSON.stringify(refuse(problem).body)}\r\n\r\n`
}

const jsonArray: Wire = {
  ...shared,
  frames: (ask, answer) => arrayFrames(ask, answer),
  contentType: "application/json; charset=UTF-8",
  errorFrame: (problem) => `\n,\r\n${JSON.stringify(refuse(problem).body)}\n]\n`,
  keepAlive: ""
}

/** The wire of a request: the query says how a stream is framed. */
export const googleWire = (query: URLSearchParams): Wire => (query.get("alt") === "sse" ? sse : jsonArray)

/** Vertex has no API keys: what is wrong with a credential is 401 there, not 400. */
export const vertexWire = (query: URLSearchParams): Wire => {
  const wire = googleWire(query)
  return {
    ...wire,
    refuse: (problem) =>
      wire.refuse(
        problem.kind === "credential"
          ? {
              message:
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
              ...problem
            }
          : problem
      )
  }
}
