/** AWS Bedrock's Converse. */
import { afterEmpty } from "./argumentPieces.js"
import { awsFrame } from "./awsEventStream.js"
import { parseConverse } from "./bedrockRequest.js"
import { uuid } from "./ids.js"
import {
  type Answer,
  type Frame,
  type Problem,
  type Refusal,
  refusal,
  statusMessage,
  type Wire
} from "./wire.js"

const exceptionOf = (status: number): string => {
  switch (status) {
    case 401:
    case 403:
      return "AccessDeniedException"
    case 404:
      return "ResourceNotFoundException"
    case 408:
      return "ModelTimeoutException"
    case 424:
      return "ModelErrorException"
    case 429:
      return "ThrottlingException"
    case 503:
      return "ServiceUnavailableException"
    default:
      return status >= 500 ? "InternalServerException" : "ValidationException"
  }
}

/** The body says the message alone; the type is in a header, with a URL behind it. */
const say = (status: number, type: string, message: string): Refusal =>
  refusal(
    status,
    { message },
    {
      "x-amzn-requestid": uuid(),
      "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`
    }
  )

const refuse = (problem: Problem): Refusal => {
  switch (problem.kind) {
    case "credential":
      if (problem.message !== undefined) return say(403, "InvalidSignatureException", problem.message)
      return problem.missing
        ? say(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        : say(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
    case "model":
      return say(400, "ValidationException", "The provided model identifier is invalid.")
    case "endpoint":
      return say(404, "UnknownOperationException", "Unknown operation")
    case "textOnly":
      return say(
        400,
        "ValidationException",
        `This model doesn't support the ${problem.what === "image" ? "image" : "document"} field. Remove ${problem.what === "image" ? "image" : "document"} and try again.`
      )
    case "invalid":
      return say(400, "ValidationException", problem.message)
    case "status":
      return say(
        problem.status,
        exceptionOf(problem.status),
        problem.message ?? statusMessage(problem.status)
      )
  }
}

const stopReason = (answer: Answer): string => {
  switch (answer.finishReason) {
    case "stop":
      return "end_turn"
    case "length":
      return "max_tokens"
    case "tool_calls":
      return "tool_use"
    case "content_filter":
      return "content_filtered"
    default:
      return answer.finishReason
  }
}

const usage = ({ usage }: Answer) => ({
  inputTokens: usage.input - usage.cachedInput,
  outputTokens: usage.output,
  totalTokens: usage.input + usage.output,
  cacheReadInputTokens: usage.cachedInput,
  cacheWriteInputTokens: 0
})

const signature = "bG9jYWwtc2lnbmF0dXJl"

const cited = ({ url, title, text }: Answer["citations"][number]) => ({
  title: title ?? url,
  source: url,
  sourceContent: [{ text: text ?? "" }],
  location: { web: { url } }
})

/** Text that is cited is inside the block of its citations. */
const textBlock = (answer: Answer) =>
  answer.citations.length === 0
    ? { text: answer.text }
    : { citationsContent: { content: [{ text: answer.text }], citations: answer.citations.map(cited) } }

const blocks = (answer: Answer): ReadonlyArray<unknown> => [
  ...(answer.reasoning === undefined
    ? []
    : [{ reasoningContent: { reasoningText: { text: answer.reasoning, signature } } }]),
  ...(answer.text === "" ? [] : [textBlock(answer)]),
  ...answer.toolCalls.map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } }))
]

const whole = (answer: Answer) => ({
  output: { message: { role: "assistant", content: blocks(answer) } },
  stopReason: stopReason(answer),
  usage: usage(answer),
  metrics: { latencyMs: 1 }
})

const padding = "abcdefghijklmnopqrstuvwxyz"

/** `p` pads frames to hide their length. */
const frame = (type: string, payload: object, content = false): Frame => ({
  content,
  text: awsFrame("event", type, { ...payload, p: padding.slice(0, 1 + (type.length % 26)) })
})

const delta = (contentBlockIndex: number, delta: unknown, content = true) =>
  frame("contentBlockDelta", { contentBlockIndex, delta }, content)
const stop = (contentBlockIndex: number) => frame("contentBlockStop", { contentBlockIndex })

function* frames(answer: Answer): Iterable<Frame> {
  yield frame("messageStart", { role: "assistant" })
  let index = 0
  // Only calls have a start.
  if (answer.reasoning !== undefined) {
    yield delta(index, { reasoningContent: { text: answer.reasoning } })
    yield delta(index, { reasoningContent: { signature } }, false)
    yield stop(index++)
  }
  if (answer.text !== "") {
    for (const citation of answer.citations) yield delta(index, { citation: cited(citation) }, false)
    for (const text of answer.chunks) yield delta(index, { text })
    yield stop(index++)
  }
  for (const call of answer.toolCalls) {
    yield frame("contentBlockStart", {
      contentBlockIndex: index,
      start: { toolUse: { toolUseId: call.id, name: call.name } }
    })
    for (const input of afterEmpty(call)) yield delta(index, { toolUse: { input } })
    yield stop(index++)
  }
  yield frame("messageStop", { stopReason: stopReason(answer) })
  yield frame("metadata", { usage: usage(answer), metrics: { latencyMs: 1 } })
}

const streamException = (status: number): string => {
  const name = exceptionOf(status)
  return name === "AccessDeniedException" || name === "ResourceNotFoundException"
    ? "validationException"
    : name === "ModelErrorException" || name === "ModelTimeoutException"
      ? "modelStreamErrorException"
      : name.charAt(0).toLowerCase() + name.slice(1)
}

export const bedrockWire: Wire = {
  parse: parseConverse,
  whole: (_ask, answer) => whole(answer),
  frames: (_ask, answer) => frames(answer),
  contentType: "application/vnd.amazon.eventstream",
  overloaded: 503,
  refuse,
  errorFrame: (problem) => {
    const { status, body } = refuse(problem)
    return awsFrame("exception", streamException(status), body)
  },
  keepAlive: "",
  headers: () => ({ "x-amzn-requestid": uuid() })
}
