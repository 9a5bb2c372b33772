/** Google's `generateContent`, on AI Studio and on Vertex. */
import { hex } from "./ids.js"
import { asArray, asObject, isObject, words } from "./json.js"
import {
  type Answer,
  type Ask,
  contentText,
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

const response = (
  answer: Answer,
  id: string,
  parts: ReadonlyArray<unknown>,
  usageMetadata: unknown,
  finishReason?: string
) => ({
  candidates: [
    {
      content: { parts, role: "model" },
      ...(finishReason === undefined ? {} : { finishReason }),
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

function* responses(answer: Answer): Iterable<readonly [response: unknown, content: boolean]> {
  const id = hex(22)
  const { reasoning } = answer.usage
  const output = answer.usage.output - reasoning
  if (answer.reasoning !== undefined)
    yield [
      response(answer, id, [{ text: answer.reasoning, thought: true }], usage(answer, 0, reasoning)),
      true
    ]
  let said = 0
  for (const chunk of answer.chunks) {
    said = Math.min(output, said + words(chunk))
    yield [response(answer, id, [{ text: chunk }], usage(answer, said, reasoning)), true]
  }
  for (const part of functionCalls(answer))
    yield [response(answer, id, [part], usage(answer, said, reasoning)), true]
  yield [
    response(answer, id, [{ text: "" }], usage(answer, output, reasoning), finish(answer.finishReason)),
    false
  ]
}

function* frames(answer: Answer): Iterable<Frame> {
  for (const [data, content] of responses(answer))
    yield { text: `data: ${JSON.stringify(data)}\r\n\r\n`, content }
}

/** Without `alt=sse` a stream is one JSON array whose elements come over time. */
function* arrayFrames(answer: Answer): Iterable<Frame> {
  let opening = "["
  for (const [data, content] of responses(answer)) {
    yield { text: `${opening}${JSON.stringify(data, null, 2)}`, content }
    opening = "\n,\r\n"
  }
  yield { text: "\n]\n", content: false }
}

const knownFields = new Set([
  "contents",
  "systemInstruction",
  "system_instruction",
  "tools",
  "toolConfig",
  "tool_config",
  "generationConfig",
  "generation_config",
  "safetySettings",
  "safety_settings",
  "cachedContent",
  "cached_content",
  "labels",
  "model"
])

const contentParts = (content: unknown): string => contentText(asObject(content).parts)

const forcedTool = (body: Readonly<Record<string, unknown>>): Ask["forcedTool"] => {
  const config = asObject(asObject(body.toolConfig ?? body.tool_config).functionCallingConfig)
  if (config.mode !== "ANY") return undefined
  const allowed = asArray(config.allowedFunctionNames)
  const tool = asArray(body.tools)
    .flatMap((tool) => asArray(asObject(tool).functionDeclarations))
    .map(asObject)
    .find((tool) => allowed.length === 0 || allowed.includes(tool.name))
  return tool === undefined
    ? undefined
    : { name: String(tool.name), schema: tool.parametersJsonSchema ?? tool.parameters }
}

const parse: Wire["parse"] = ({ body, endpoint }) => {
  const [, model = "", method] = /models\/([^/:]+):(\w+)/.exec(endpoint) ?? []
  if (!isObject(body)) return { kind: "invalid", message: "Invalid JSON payload received." }
  const unknown = Object.keys(body).find((name) => !knownFields.has(name))
  if (unknown !== undefined)
    return {
      kind: "invalid",
      message: `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`
    }
  const contents = asArray(body.contents)
  if (contents.length === 0)
    return { kind: "invalid", message: "* GenerateContentRequest.contents: contents is not specified\n" }
  const roles: ReadonlyArray<unknown> = ["user", "model", undefined]
  if (contents.some((content) => !roles.includes(asObject(content).role)))
    return { kind: "invalid", message: "Please use a valid role: user, model." }
  const system = contentParts(body.systemInstruction ?? body.system_instruction)
  const users = contents.filter((content) => asObject(content).role !== "model")
  const config = asObject(body.generationConfig ?? body.generation_config)
  return {
    _tag: "Ask",
    model: decodeURIComponent(model),
    stream: method === "streamGenerateContent",
    includeUsage: true,
    text: contentParts(users.at(-1)),
    inputWords:
      words(system) + contents.reduce((sum: number, content) => sum + words(contentParts(content)), 0),
    forcedTool: forcedTool(body),
    answerSchema:
      config.responseMimeType === "application/json"
        ? (config.responseJsonSchema ?? config.responseSchema ?? { type: "object" })
        : undefined
  }
}

const shared = {
  parse,
  whole: (_ask: Ask, answer: Answer) => whole(answer),
  refuse,
  overloaded: 503,
  keepAlive: ": keep-alive\r\n\r\n",
  headers: () => ({})
}

const sse: Wire = {
  ...shared,
  frames: (_ask, answer) => frames(answer),
  contentType: "text/event-stream",
  errorFrame: (problem) => `data: ${JSON.stringify(refuse(problem).body)}\r\n\r\n`
}

const jsonArray: Wire = {
  ...shared,
  frames: (_ask, answer) => arrayFrames(answer),
  contentType: "application/json; charset=UTF-8",
  errorFrame: (problem) => `\n,\r\n${JSON.stringify(refuse(problem).body)}\n]\n`,
  keepAlive: ""
}

/** The wire of a request: the query says how a stream is framed. */
export const googleWire = (query: URLSearchParams): Wire => (query.get("alt") === "sse" ? sse : jsonArray)
