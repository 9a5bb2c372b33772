/** Requests with everything that a request can have, and what an encoder made of them. */
import { Either, FastCheck, Schema } from "effect"
import { ChatRequest, Message, Tool } from "effect-ai-gateway"
import type { EncodeInput, Wire } from "../../src/internal/wire/wire.js"

const optional = <A>(arbitrary: FastCheck.Arbitrary<A>): FastCheck.Arbitrary<A | undefined> =>
  FastCheck.option(arbitrary, { nil: undefined })

/** Words that stand nowhere else in a body. */
const word = (kind: string): FastCheck.Arbitrary<string> =>
  FastCheck.integer({ min: 1, max: 1_000_000_000 }).map((number) => `${kind}-${number.toString(36)}`)

const parameters = [
  Schema.Struct({ city: Schema.String }),
  Schema.Struct({ city: Schema.String, days: Schema.optional(Schema.Int) }),
  Schema.Struct({ list: Schema.Array(Schema.Struct({ unit: Schema.Literal("c", "f") })) })
] as const

const tools: FastCheck.Arbitrary<ReadonlyArray<Tool.Any>> = FastCheck.uniqueArray(
  FastCheck.record({
    name: word("tool"),
    description: optional(word("described")),
    schema: FastCheck.integer({ min: 0, max: parameters.length })
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 }
).map((made) =>
  made.map(({ name, description, schema }): Tool.Any => {
    switch (schema) {
      case 0:
        return Tool.make(name, { description, parameters: parameters[0] })
      case 1:
        return Tool.make(name, { description, parameters: parameters[1] })
      case 2:
        return Tool.make(name, { description, parameters: parameters[2] })
      default:
        return Tool.make(name, { description })
    }
  })
)

const media = (types: ReadonlyArray<string>) =>
  FastCheck.oneof(
    word("picture").map((name) => `https://example.com/${name}`),
    FastCheck.record({
      data: FastCheck.uint8Array({ minLength: 3, maxLength: 12 }),
      mediaType: FastCheck.constantFrom(...types)
    })
  )

const userPart: FastCheck.Arbitrary<Message.UserPart> = FastCheck.oneof(
  word("said").map(Message.textPart),
  FastCheck.tuple(
    media(["image/png", "image/jpeg", "image/webp"]),
    optional(FastCheck.constantFrom("auto" as const, "low" as const, "high" as const))
  ).map(([source, detail]) => Message.image(source, { detail })),
  media(["application/pdf"]).map((source) => Message.file(source, { filename: "some file.pdf" }))
)

/** A turn of tools: the calls of an assistant, and their results. */
const toolTurn: FastCheck.Arbitrary<ReadonlyArray<Message.Message>> = FastCheck.uniqueArray(
  FastCheck.record({ id: word("call"), name: word("f"), city: word("city"), result: word("result") }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 3 }
).map((calls) => [
  Message.assistant([
    { type: "text", text: "Let me see." },
    ...calls.map(
      ({ id, name, city }): Message.ToolCallPart => ({
        type: "tool-call",
        id,
        name,
        arguments: JSON.stringify({ city })
      })
    )
  ]),
  Message.toolResults(
    calls.map(({ id, name, result }): Message.ToolResultPart => ({ type: "tool-result", id, name, result }))
  )
])

const turn: FastCheck.Arbitrary<ReadonlyArray<Message.Message>> = FastCheck.oneof(
  word("answered").map((text) => [Message.assistant(text)]),
  toolTurn
)

const messages: FastCheck.Arbitrary<ReadonlyArray<Message.Message>> = FastCheck.tuple(
  optional(word("instructed").map(Message.system)),
  word("asked").map(Message.user),
  FastCheck.array(FastCheck.tuple(turn, word("went-on")), { maxLength: 2 }),
  FastCheck.array(userPart, { maxLength: 3 })
).map(([system, first, turns, parts]) => [
  ...(system === undefined ? [] : [system]),
  first,
  ...turns.flatMap(([turn, text]) => [...turn, Message.user(text)]),
  ...(parts.length === 0 ? [] : [Message.assistant("Go on."), Message.user(parts)])
])

const output: FastCheck.Arbitrary<ChatRequest.Output> = FastCheck.record({
  name: word("form"),
  description: optional(word("formed"))
}).map(({ name, description }) => ({
  name,
  description,
  jsonSchema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false
  }
}))

const step = (base: number) =>
  FastCheck.integer({ min: 1, max: 99 }).map((hundredths) => base + hundredths / 1000)

/** A checked request: any of the fields, and a conversation with parts of every kind. */
export const anyRequest: FastCheck.Arbitrary<ChatRequest.ChatRequest> = FastCheck.record({
  messages,
  temperature: optional(step(0.3)),
  topP: optional(step(0.5)),
  topK: optional(FastCheck.integer({ min: 2, max: 40 })),
  maxTokens: optional(FastCheck.integer({ min: 3000, max: 9000 })),
  stop: optional(FastCheck.array(word("stop"), { minLength: 1, maxLength: 3 })),
  seed: optional(FastCheck.integer({ min: 10_000, max: 99_999 })),
  frequencyPenalty: optional(step(0.1)),
  presencePenalty: optional(step(-0.3)),
  reasoningEffort: optional(FastCheck.constantFrom("none", "minimal", "low", "medium", "high", "xhigh")),
  tools: optional(tools),
  choice: FastCheck.constantFrom(
    "absent" as const,
    "auto" as const,
    "none" as const,
    "required" as const,
    "named" as const
  ),
  parallelToolCalls: optional(FastCheck.boolean()),
  output: optional(output)
}).map(({ choice, ...fields }) => {
  const [tool] = fields.tools ?? []
  const toolChoice: ChatRequest.ToolChoice | undefined =
    choice === "absent" || tool === undefined ? undefined : choice === "named" ? { tool: tool.name } : choice
  const given = Object.entries({ ...fields, toolChoice }).filter(([, value]) => value !== undefined)
  // Only keys with a value were kept, and the request is checked here.
  return Either.getOrThrow(ChatRequest.fromInput(Object.fromEntries(given) as unknown as ChatRequest.Options))
})

const without = (request: ChatRequest.ChatRequest, field: keyof ChatRequest.ChatRequest) => {
  const { [field]: _, ...rest } = request
  // The field that was taken out is optional.
  return rest as ChatRequest.ChatRequest
}

const optionalFields = [
  "temperature",
  "topP",
  "topK",
  "maxTokens",
  "stop",
  "seed",
  "frequencyPenalty",
  "presencePenalty",
  "reasoningEffort",
  "tools",
  "toolChoice",
  "parallelToolCalls",
  "output"
] as const

/**
 * The fields and texts of a request that an encoder neither wrote nor named as unsupported. A field was written if the
 * request without it gives another endpoint, other headers or another body.
 */
export const silentlyDropped = (
  wire: Wire,
  request: ChatRequest.ChatRequest,
  asked: Pick<EncodeInput, "model" | "provider"> & Partial<EncodeInput>
): ReadonlyArray<string> => {
  const encode = (request: ChatRequest.ChatRequest) => wire.encode({ stream: false, ...asked, request })
  const { unsupported, ...written } = encode(request)
  const text = JSON.stringify(written)
  const named = (feature: string) =>
    unsupported.some((name) => name === feature || name.startsWith(`${feature} `))
  const dropped: Array<string> = []
  for (const field of optionalFields) {
    if (request[field] === undefined || named(field)) continue
    // These say what holds anyway.
    if (field === "toolChoice" && request.toolChoice === "auto") continue
    if (field === "parallelToolCalls" && (request.parallelToolCalls === true || request.tools === undefined))
      continue
    const { unsupported: _, ...bare } = encode(without(request, field))
    if (JSON.stringify(bare) === text) dropped.push(field)
  }
  for (const [index, message] of request.messages.entries()) {
    for (const { trace, feature } of traces(message)) {
      if (!text.includes(trace) && (feature === undefined || !named(feature)))
        dropped.push(`messages[${index}]: ${trace}`)
    }
  }
  return dropped
}

interface Trace {
  readonly trace: string
  /** The feature whose absence excuses it. */
  readonly feature: string | undefined
}

/** What must be found in the body of every message. */
const traces = (message: Message.Message): ReadonlyArray<Trace> => {
  if (message.role === "tool")
    return message.content.map(({ result }) => ({ trace: result, feature: "tool calls in messages" }))
  if (typeof message.content === "string") return [{ trace: message.content, feature: undefined }]
  const found: Array<Trace> = []
  for (const part of message.content) {
    if (part.type === "text") found.push({ trace: part.text, feature: undefined })
    else if (part.type === "tool-call") found.push({ trace: part.name, feature: "tool calls in messages" })
    else if (part.type === "image" || part.type === "file") {
      found.push({
        trace: "url" in part.source ? part.source.url : part.source.data,
        feature: part.type === "image" ? "images" : "files"
      })
    }
  }
  return found
}
