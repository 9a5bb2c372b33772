/**
 * What a model is asked: messages and how to sample the answer, in one vocabulary for every provider. Each provider's
 * wire format writes it in that vendor's own names.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "./internal/errors.js"
import { firstIssue } from "./internal/schemaIssue.js"
import * as Message from "./Message.js"
import * as RequestOptions from "./RequestOptions.js"
import * as Tool from "./Tool.js"

/**
 * How the answer is sampled. A field that a provider or model cannot take makes that leg fail with `Unsupported`
 * before anything is sent, and the next leg is tried; a model made with `unsupported: "drop"` leaves it out instead.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sampling {
  /** Randomness, from 0. Most vendors take 0 to 2, Anthropic 0 to 1. */
  readonly temperature?: number | undefined
  /** Nucleus sampling, 0 to 1. */
  readonly topP?: number | undefined
  /** Sample from the k likeliest tokens. */
  readonly topK?: number | undefined
  /** The most tokens that the answer may have, reasoning included. */
  readonly maxTokens?: number | undefined
  /** Texts that end the answer. */
  readonly stop?: ReadonlyArray<string> | undefined
  /** Asks for the same answer again. */
  readonly seed?: number | undefined
  /** Punishes frequent tokens. */
  readonly frequencyPenalty?: number | undefined
  /** Punishes tokens that occurred at all. */
  readonly presencePenalty?: number | undefined
  /**
   * How much a reasoning model thinks before it answers. Where a vendor counts tokens instead, it becomes a budget of
   * them; `none` switches reasoning off where that is possible.
   */
  readonly reasoningEffort?: ReasoningEffort | undefined
}

/**
 * From no reasoning to all that the model can do. A step that a vendor does not have becomes the nearest one that it has.
 *
 * @since 0.1.0
 * @category models
 */
export type ReasoningEffort = (typeof reasoningEfforts)[number]

const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const

/**
 * What the model may call, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolUse {
  /** The tools, each name once. */
  readonly tools?: ReadonlyArray<Tool.Any> | undefined
  /**
   * May the model call tools (`auto`, the default), must it not (`none`), must it call at least one (`required`), or one
   * by name?
   */
  readonly toolChoice?: ToolChoice | undefined
  /** May one answer call several tools? Default: as the vendor has it, which is mostly yes. */
  readonly parallelToolCalls?: boolean | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type ToolChoice = "auto" | "none" | "required" | { readonly tool: string }

/**
 * The form that the answer must have. `ChatModel.chatObject` makes one from a Schema, and decodes the answer with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Output {
  /** Letters, digits, `_` and `-`; at most 64. The model sees it. */
  readonly name: string
  /** What the value is, for the model. */
  readonly description?: string | undefined
  /** JSON Schema with an object at the root. */
  readonly jsonSchema: Readonly<Record<string, unknown>>
  /**
   * Judges a whole answer's value. A leg whose answer it refuses, or whose answer is not JSON, fails with `InvalidOutput`,
   * and a list moves on. A stream cannot be judged before it is shown.
   */
  readonly check?: ((value: unknown) => Effect.Effect<unknown, ParseResult.ParseError>) | undefined
}

/**
 * A vendor's own fields, by provider slug, merged into the body that goes to that provider and to no other.
 *
 * @since 0.1.0
 * @category models
 */
export type ProviderOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * A request as an object. At least one of `prompt` and `messages` is needed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Sampling, ToolUse {
  /** The user's message; after `messages`, if both are given. */
  readonly prompt?: string | undefined
  /** The conversation so far. */
  readonly messages?: ReadonlyArray<Message.Message> | undefined
  /** Instructions; before `messages`. */
  readonly system?: string | undefined
  /** The form that the answer must have. */
  readonly output?: Output | undefined
  /** A vendor's own fields, by provider slug: `{ openai: { logit_bias: … } }`. */
  readonly providerOptions?: ProviderOptions | undefined
  /** Gateway options of this call alone. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

/**
 * What `chat` and `streamChat` take: a prompt, a conversation, or a request with everything.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = string | ReadonlyArray<Message.Message> | Options | ChatRequest

/**
 * A checked request: one list of messages, and sampling.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChatRequest extends Sampling, ToolUse {
  readonly [TypeId]: TypeId
  /** The whole conversation, system messages included; never empty. */
  readonly messages: ReadonlyArray<Message.Message>
  /** The form that the answer must have. */
  readonly output?: Output | undefined
  /** A vendor's own fields, by provider slug. */
  readonly providerOptions?: ProviderOptions | undefined
  /** Gateway options of this call alone. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/ChatRequest"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

const names = /^[a-zA-Z0-9_-]{1,64}$/
const wrongName = "must have 1 to 64 letters, digits, _ and -"
const Finite = Schema.Finite
const AtLeastZero = Schema.Finite.pipe(
  Schema.greaterThanOrEqualTo(0, { message: () => "must be a number from 0" })
)

const fields = {
  temperature: Schema.optional(AtLeastZero),
  topP: Schema.optional(Schema.Finite.pipe(Schema.between(0, 1, { message: () => "must be from 0 to 1" }))),
  topK: Schema.optional(Schema.Int.pipe(Schema.positive())),
  maxTokens: Schema.optional(
    Schema.Int.pipe(Schema.positive({ message: () => "must be a whole number from 1" }))
  ),
  stop: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  seed: Schema.optional(Schema.Int),
  frequencyPenalty: Schema.optional(Finite),
  presencePenalty: Schema.optional(Finite),
  reasoningEffort: Schema.optional(
    Schema.Literal(...reasoningEfforts).annotations({
      message: () => `must be one of ${reasoningEfforts.join(", ")}`
    })
  ),
  tools: Schema.optional(Schema.Array(Schema.declare(Tool.isTool, { identifier: "Tool" }))),
  toolChoice: Schema.optional(
    Schema.Union(
      Schema.Literal("auto", "none", "required").annotations({
        message: () => "must be auto, none, required, or { tool: name }"
      }),
      Schema.Struct({ tool: Schema.NonEmptyString })
    )
  ),
  parallelToolCalls: Schema.optional(Schema.Boolean),
  output: Schema.optional(
    Schema.Struct({
      name: Schema.String.pipe(Schema.pattern(names, { message: () => wrongName })),
      description: Schema.optional(Schema.String),
      jsonSchema: Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
        Schema.filter(({ type }) => type === "object", {
          message: () => 'must have an object at its root: { "type": "object", … }'
        })
      ),
      check: Schema.optional(Schema.declare(Predicate.isFunction, { identifier: "a function" }))
    })
  ),
  messages: Schema.optional(Schema.Array(Message.Message)),
  prompt: Schema.optional(Schema.String),
  system: Schema.optional(Schema.String),
  providerOptions: Schema.optional(
    Schema.Record({ key: Schema.String, value: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
  ),
  // Checked where the headers are written, by name and limit.
  options: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
}

type Validate = (input: unknown) => Either.Either<unknown, ParseResult.ParseError>

let validate: Validate | undefined

// Built at the first request, not at import: compiling the Schema is work that a program may never need.
const validator = (): Validate =>
  (validate ??= Schema.validateEither(Schema.Struct(fields), {
    onExcessProperty: "error"
  }))

/**
 * Checks an input and brings it into one form. The error names the field, such as `messages[2].content`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromInput = (input: Input): Either.Either<ChatRequest, InvalidRequest> => {
  if (typeof input === "string") {
    return Either.right({ [TypeId]: TypeId, messages: [{ role: "user", content: input }] })
  }
  if (isChatRequest(input)) return Either.right(input)
  const options: Options = isConversation(input) ? { messages: input } : input
  if (typeof options !== "object" || options === null) {
    return Either.left(
      new InvalidRequest({
        field: "request",
        message: "The request must be a prompt, a list of messages, or an object with one of them."
      })
    )
  }
  if (!isPlain(options)) {
    const checked = validator()(options)
    if (checked._tag === "Left") return Either.left(invalid(checked.left))
  }
  const { prompt, messages = [], system, ...rest } = options
  const conversation: Array<Message.Message> =
    system === undefined ? [] : [{ role: "system", content: system }]
  for (const message of messages) conversation.push(message)
  if (prompt !== undefined) conversation.push({ role: "user", content: prompt })
  if (messages.length === 0 && prompt === undefined) {
    return Either.left(
      new InvalidRequest({ field: "messages", message: "The request has neither a prompt nor messages." })
    )
  }
  const request: ChatRequest = { ...rest, [TypeId]: TypeId, messages: conversation }
  const misplaced = wrongResults(messages)
  return misplaced === undefined ? Either.right(request) : Either.left(misplaced)
}

/**
 * Is this one of the requests that nearly everybody makes, and valid beyond doubt? The Schema is the judge of all others;
 * asking it costs more than building the rest of the request.
 */
const isPlain = (options: Options): boolean => {
  for (const key of Object.keys(options)) {
    switch (key) {
      case "prompt":
      case "system":
        if (typeof options[key] !== "string") return false
        break
      case "temperature":
        if (!(Number.isFinite(options[key]) && Number(options[key]) >= 0)) return false
        break
      case "maxTokens":
        if (!(Number.isSafeInteger(options[key]) && Number(options[key]) > 0)) return false
        break
      case "messages":
        if (!Array.isArray(options.messages) || !options.messages.every(isPlainMessage)) return false
        break
      default:
        return false
    }
  }
  return true
}

const isPlainMessage = (message: Message.Message): boolean =>
  typeof message === "object" &&
  message !== null &&
  typeof message.content === "string" &&
  (message.role === "user" || message.role === "assistant" || message.role === "system") &&
  Object.keys(message).length === 2

/**
 * Is this a checked request?
 *
 * @since 0.1.0
 * @category guards
 */
export const isChatRequest = (input: unknown): input is ChatRequest =>
  typeof input === "object" && input !== null && TypeId in input

const isConversation = (input: unknown): input is ReadonlyArray<Message.Message> => Array.isArray(input)

const invalid = (error: ParseResult.ParseError): InvalidRequest => {
  const { path, message } = firstIssue(error)
  return wrong(path === "" ? "request" : path, message)
}

const wrong = (field: string, problem: string): InvalidRequest =>
  new InvalidRequest({
    field,
    message: `The request is invalid at ${field === "request" ? "its root" : field}: ${problem}`
  })

/**
 * What is wrong with the tools and their choice, if anything. Asked of a request that has its defaults: the tools may be
 * the model's and the choice the call's.
 *
 * @internal
 */
export const wrongToolUse = (request: ChatRequest): InvalidRequest | undefined =>
  request.tools === undefined && request.toolChoice === undefined
    ? undefined
    : (wrongTools(request.tools) ?? wrongChoice(request))

const wrongTools = (tools: ReadonlyArray<Tool.Any> = []): InvalidRequest | undefined => {
  const seen = new Set<string>()
  for (const [index, { name, jsonSchema }] of tools.entries()) {
    if (!names.test(name)) return wrong(`tools[${index}].name`, `${JSON.stringify(name)} ${wrongName}`)
    if (seen.has(name)) return wrong(`tools[${index}].name`, `there is another tool of the name ${name}`)
    seen.add(name)
    if (jsonSchema._tag === "Left")
      return wrong(`tools[${index}].parameters`, `the Schema of ${name} cannot be sent: ${jsonSchema.left}`)
  }
  return undefined
}

const wrongChoice = ({ toolChoice, tools = [] }: ChatRequest): InvalidRequest | undefined => {
  if (toolChoice === undefined || toolChoice === "auto" || toolChoice === "none") return undefined
  if (toolChoice === "required")
    return tools.length === 0 ? wrong("toolChoice", "there are no tools to choose from") : undefined
  return tools.some(({ name }) => name === toolChoice.tool)
    ? undefined
    : wrong("toolChoice", `there is no tool of the name ${toolChoice.tool}`)
}

/** A result that answers no call is refused by every vendor, each in other words. */
const wrongResults = (messages: ReadonlyArray<Message.Message>): InvalidRequest | undefined => {
  const called = new Set<string>()
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant" && typeof message.content !== "string") {
      for (const part of message.content) {
        if (part.type === "tool-call") called.add(part.id)
      }
    } else if (message.role === "tool") {
      const place = message.content.findIndex(({ id }) => !called.has(id))
      if (place >= 0) {
        const id = JSON.stringify(message.content[place]?.id)
        return wrong(`messages[${index}].content[${place}].id`, `no tool call before it has the id ${id}`)
      }
    }
  }
  return undefined
}

/**
 * Fills in what a request leaves open. `providerOptions` and `options` merge key by key; messages of the defaults do
 * not exist, so a `system` default goes before the conversation only if it has no system message of its own.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaults = (request: ChatRequest, defaults: Defaults): ChatRequest => {
  if (Object.keys(defaults).length === 0) return request
  const { system, providerOptions, options, ...sampling } = defaults
  const merged: Record<string, unknown> = { ...sampling }
  for (const [key, value] of Object.entries(request)) if (value !== undefined) merged[key] = value
  const messages =
    system === undefined || request.messages.some((message) => message.role === "system")
      ? request.messages
      : [Message.system(system), ...request.messages]
  return {
    ...merged,
    [TypeId]: TypeId,
    messages,
    providerOptions: mergeProviderOptions(providerOptions, request.providerOptions),
    options: options === undefined ? request.options : RequestOptions.merge(options, request.options)
  }
}

/**
 * What `ChatModel.withDefaults` and a model's own options can set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Defaults extends Sampling, ToolUse {
  /** Instructions for requests that have none. */
  readonly system?: string | undefined
  /** A vendor's own fields, by provider slug. */
  readonly providerOptions?: ProviderOptions | undefined
  /** Gateway options. */
  readonly options?: RequestOptions.RequestOptions | undefined
}

const mergeProviderOptions = (
  base: ProviderOptions | undefined,
  over: ProviderOptions | undefined
): ProviderOptions | undefined => {
  if (base === undefined || over === undefined) return over ?? base
  const merged: Record<string, Readonly<Record<string, unknown>>> = { ...base }
  for (const [slug, fields] of Object.entries(over)) merged[slug] = { ...merged[slug], ...fields }
  return merged
}
