/**
 * Tools: what a model may call, described by Schemas. JSON Schema goes out in each vendor's form, and typed arguments come
 * back.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import * as Schema from "effect/Schema"
import type { ChatResponse } from "./ChatResponse.js"
import { InvalidToolCall } from "./internal/errors.js"
import { isRecord, parseJson, stringify } from "./internal/json.js"
import * as JsonSchema from "./internal/jsonSchema.js"
import { firstIssue } from "./internal/schemaIssue.js"
import { unchecked } from "./internal/unchecked.js"
import type { Message, ToolCallPart, ToolResultPart } from "./Message.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~effect-ai-gateway/Tool"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A tool of whatever arguments: what a request carries.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any extends Pipeable {
  readonly [TypeId]: TypeId
  /** Letters, digits, `_` and `-`; at most 64. */
  readonly name: string
  /** What the tool does, for the model. */
  readonly description: string | undefined
  /**
   * The arguments as JSON Schema, with an object at the root. Left: why the Schema has none, which makes a request with
   * this tool `InvalidRequest`.
   */
  readonly jsonSchema: Either.Either<Readonly<Record<string, unknown>>, string>
  /**
   * Is the model held to the JSON Schema, where the vendor can do that? Absent: where the JSON Schema allows it (every
   * property required, no others).
   */
  readonly strict: boolean | undefined
  /** Checks and decodes the arguments of a call. */
  readonly decodeArguments: (call: ToolCallPart) => Either.Either<unknown, InvalidToolCall>
}

/**
 * A tool that is described by Schemas: of its arguments, and of its result.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool<out Name extends string, out Arguments, in Result> extends Any {
  readonly name: Name
  /** Checks and decodes the arguments of a call. */
  readonly decodeArguments: (call: ToolCallPart) => Either.Either<Arguments, InvalidToolCall>
  /** Writes a result for the model: text as it is, anything else as JSON. */
  readonly encodeResult: (result: Result) => Either.Either<string, ParseResult.ParseError>
}

/**
 * What a tool is made of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Arguments, ArgumentsEncoded, Result, ResultEncoded> {
  /** What the tool does and when it is of use, for the model. */
  readonly description?: string | undefined
  /**
   * The arguments: an object, and of what JSON Schema can describe (a Schema that holds itself needs an `identifier`). It must
   * decode without waiting and without requirements. Absent: the tool takes none.
   */
  readonly parameters?: Schema.Schema<Arguments, ArgumentsEncoded> | undefined
  /** What the tool gives. Absent: any JSON value. Text goes to the model as it is, anything else as JSON. */
  readonly result?: Schema.Schema<Result, ResultEncoded> | undefined
  /** Is the model held to the Schema, where the vendor can do that? Default: where the Schema allows it. */
  readonly strict?: boolean | undefined
}

/**
 * The arguments of a tool that takes none.
 *
 * @since 0.1.0
 * @category models
 */
export type NoArguments = typeof noParameters.Type

const noParameters = Schema.Struct({})

/**
 * Makes a tool. A Schema that cannot become JSON Schema, or a name that no vendor takes, makes the *request* fail with
 * `InvalidRequest`, which names the place.
 *
 * @example
 * ```ts
 * import { Tool } from "effect-ai-gateway"
 * import { Schema } from "effect"
 *
 * const Weather = Tool.make("get_weather", {
 *   description: "The weather of a city, now.",
 *   parameters: Schema.Struct({ city: Schema.String, unit: Schema.Literal("celsius", "fahrenheit") })
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function make<
  const Name extends string,
  Arguments,
  ArgumentsEncoded,
  Result = unknown,
  ResultEncoded = Result
>(
  name: Name,
  options: Options<Arguments, ArgumentsEncoded, Result, ResultEncoded> & {
    readonly parameters: Schema.Schema<Arguments, ArgumentsEncoded>
  }
): Tool<Name, Arguments, Result>
export function make<const Name extends string, Result = unknown, ResultEncoded = Result>(
  name: Name,
  options?: Options<NoArguments, NoArguments, Result, ResultEncoded>
): Tool<Name, NoArguments, Result>
export function make<const Name extends string, Arguments, ArgumentsEncoded, Result, ResultEncoded>(
  name: Name,
  options: Options<Arguments, ArgumentsEncoded, Result, ResultEncoded> = {}
): Tool<Name, Arguments, Result> | Tool<Name, NoArguments, Result> {
  return options.parameters === undefined
    ? fromSchemas(name, noParameters, options)
    : fromSchemas(name, options.parameters, options)
}

/** Own properties, and none with a `this`: a copy with one of them changed is a tool too. */
const fromSchemas = <Name extends string, Arguments, ArgumentsEncoded, Result, ResultEncoded>(
  name: Name,
  parameters: Schema.Schema<Arguments, ArgumentsEncoded>,
  options: Pick<Options<unknown, unknown, Result, ResultEncoded>, "description" | "result" | "strict">
): Tool<Name, Arguments, Result> => ({
  ...base(name, options),
  name,
  // Made when it is first asked for: a program may define tools that it never uses.
  get jsonSchema() {
    return JsonSchema.make(parameters)
  },
  decodeArguments: (call) =>
    Either.flatMap(argumentsOf(call), (json) =>
      Either.mapLeft(Schema.decodeUnknownEither(parameters)(json), (error) => {
        const { path, message } = firstIssue(error)
        return invalidCall(call, path, message)
      })
    ),
  encodeResult: resultEncoder(options.result)
})

const base = (
  name: string,
  options: { readonly description?: string | undefined; readonly strict?: boolean | undefined }
) => ({
  [TypeId]: TypeId as TypeId,
  description: options.description,
  strict: options.strict,
  pipe() {
    // biome-ignore lint/complexity/noArguments: the signature of `Pipeable`.
    return pipeArguments(this, arguments)
  },
  toJSON: () => ({ _id: "Tool", name })
})

const argumentsOf = (call: ToolCallPart): Either.Either<unknown, InvalidToolCall> => {
  const json = parseJson(call.arguments)
  return json === undefined ? Either.left(invalidCall(call, "", "they are not JSON")) : Either.right(json)
}

const resultEncoder =
  <Result, ResultEncoded>(schema: Schema.Schema<Result, ResultEncoded> | undefined) =>
  (result: Result): Either.Either<string, ParseResult.ParseError> =>
    Either.flatMap(
      schema === undefined ? Either.right(result) : Schema.encodeEither(schema)(result),
      (encoded: unknown) => {
        // "Nothing" is a result too, and JSON has one word for it.
        const text = typeof encoded === "string" ? encoded : stringify(encoded ?? null)
        return text === undefined
          ? Either.left(
              ParseResult.parseError(
                new ParseResult.Type(Schema.Unknown.ast, result, "it cannot be written as JSON")
              )
            )
          : Either.right(text)
      }
    )

const invalidCall = (call: ToolCallPart, path: string, problem: string): InvalidToolCall =>
  wrongCall(
    call,
    path,
    `The model called ${call.name} with arguments that do not fit${path === "" ? "" : ` at ${path}`}: ${problem}`
  )

/** @internal */
export const unknownTool = (call: ToolCallPart, tools: ReadonlyArray<Any>): InvalidToolCall => {
  const known = tools.map(({ name }) => name).join(", ")
  return wrongCall(
    call,
    "",
    `The model called ${call.name}, which is not one of its tools (${known === "" ? "it has none" : known}).`
  )
}

const wrongCall = (call: ToolCallPart, path: string, message: string): InvalidToolCall =>
  new InvalidToolCall({ tool: call.name, id: call.id, arguments: call.arguments, path, message }, unchecked)

/**
 * A tool whose arguments are described by JSON Schema instead of a Schema, for instance one that another server told of. Its
 * arguments are only known to be an object; the tool has to look at them itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromJsonSchema = <const Name extends string>(
  name: Name,
  options: {
    /** What the tool does and when it is of use, for the model. */
    readonly description?: string | undefined
    /** The arguments: JSON Schema with an object at the root. It goes out as it is. */
    readonly jsonSchema: Readonly<Record<string, unknown>>
    /** Is the model held to it, where the vendor can do that? Default: where the JSON Schema allows it. */
    readonly strict?: boolean | undefined
  }
): Tool<Name, Readonly<Record<string, unknown>>, unknown> => ({
  ...base(name, options),
  name,
  jsonSchema:
    options.jsonSchema.type === "object"
      ? Either.right(options.jsonSchema)
      : Either.left('its root must be an object: { "type": "object", … }'),
  decodeArguments: (call) =>
    Either.flatMap(argumentsOf(call), (json) =>
      isRecord(json) ? Either.right(json) : Either.left(invalidCall(call, "", "they are no object"))
    ),
  encodeResult: resultEncoder(undefined)
})

// --- calls --------------------------------------------------------------------------------------------------------------

/**
 * A call of one of these tools, with its decoded arguments: a union that `name` tells apart.
 *
 * @since 0.1.0
 * @category models
 */
export type Call<T> =
  T extends Tool<infer Name, infer Arguments, infer _>
    ? {
        readonly id: string
        readonly name: Name
        readonly arguments: Arguments
      }
    : never

/**
 * Checks and decodes the arguments of one call. Fails with `InvalidToolCall`, which has the arguments as the model wrote
 * them and the path of the first mistake; also if the call is of another tool.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode: {
  (
    call: ToolCallPart
  ): <Name extends string, Arguments, Result>(
    tool: Tool<Name, Arguments, Result>
  ) => Either.Either<Arguments, InvalidToolCall>
  <Name extends string, Arguments, Result>(
    tool: Tool<Name, Arguments, Result>,
    call: ToolCallPart
  ): Either.Either<Arguments, InvalidToolCall>
} = dual(
  2,
  <Name extends string, Arguments, Result>(
    tool: Tool<Name, Arguments, Result>,
    call: ToolCallPart
  ): Either.Either<Arguments, InvalidToolCall> =>
    call.name === tool.name ? tool.decodeArguments(call) : Either.left(unknownTool(call, [tool]))
)

/**
 * Checks and decodes all calls of an answer, each with the tool that it names. Fails with `InvalidToolCall` of the first
 * one that cannot be carried out.
 *
 * @example
 * ```ts
 * import { ChatModel, Tool } from "effect-ai-gateway"
 * import { Effect, Schema } from "effect"
 *
 * const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
 * const Time = Tool.make("get_time", { parameters: Schema.Struct({ zone: Schema.String }) })
 *
 * const program = Effect.gen(function*() {
 *   const answer = yield* ChatModel.chat({ prompt: "What is it like in Oslo?", tools: [Weather, Time] })
 *   for (const call of yield* Tool.decodeAll([Weather, Time], answer.toolCalls)) {
 *     if (call.name === "get_weather") yield* Effect.log(call.arguments.city)
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeAll = <const Tools extends ReadonlyArray<Any>>(
  tools: Tools,
  calls: ReadonlyArray<ToolCallPart>
): Either.Either<ReadonlyArray<Call<Tools[number]>>, InvalidToolCall> => {
  const decoded: Array<Call<Tools[number]>> = []
  for (const call of calls) {
    const tool = tools.find(({ name }) => name === call.name)
    if (tool === undefined) return Either.left(unknownTool(call, tools))
    const args = tool.decodeArguments(call)
    if (args._tag === "Left") return Either.left(args.left)
    // The tool that was found is the member of the union that this name belongs to.
    decoded.push({ id: call.id, name: call.name, arguments: args.right } as Call<Tools[number]>)
  }
  return Either.right(decoded)
}

// --- handlers -----------------------------------------------------------------------------------------------------------

/**
 * A failure that a handler wants the *model* to know: it becomes an error result, and the model goes on. Any other failure
 * of a handler ends `ChatModel.runTools`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolFailure extends Schema.TaggedError<ToolFailure>("effect-ai-gateway/ToolFailure")(
  "ToolFailure",
  {
    /** What the model is told. */
    message: Schema.String
  }
) {}

/**
 * A tool and what it does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handler<out E, out R> {
  readonly tool: Any
  /** Carries a call out. Left: the call cannot be carried out at all. */
  readonly run: (call: ToolCallPart) => Either.Either<Effect.Effect<ToolResultPart, E, R>, InvalidToolCall>
}

/**
 * What the handlers of a list can fail with, all together.
 *
 * @since 0.1.0
 * @category models
 */
export type HandlerError<Handlers extends ReadonlyArray<Handler<unknown, unknown>>> = ErrorOf<
  Handlers[number]
>

// Over the members of a union one by one, so that no handlers have no errors.
type ErrorOf<H> = H extends Handler<infer E, infer _> ? E : never
type NeedsOf<H> = H extends Handler<infer _, infer R> ? R : never

/**
 * What the handlers of a list need, all together.
 *
 * @since 0.1.0
 * @category models
 */
export type HandlerNeeds<Handlers extends ReadonlyArray<Handler<unknown, unknown>>> = NeedsOf<
  Handlers[number]
>

/**
 * `ChatModel.runTools` gave the model as many turns as it may have, and it still wanted to call tools. The calls of the last
 * answer were not carried out.
 *
 * @since 0.1.0
 * @category errors
 */
export class TurnLimitReached extends Data.TaggedError("TurnLimitReached")<{
  readonly message: string
  /** How often the model was asked. */
  readonly turns: number
  /** Its last answer. */
  readonly response: ChatResponse
  /** The conversation, up to and with that answer. */
  readonly messages: ReadonlyArray<Message>
}> {}

/**
 * Says what a tool does: an effect of its decoded arguments, with its own errors and requirements. For
 * `ChatModel.runTools`.
 *
 * @example
 * ```ts
 * import { Tool } from "effect-ai-gateway"
 * import { Effect, Schema } from "effect"
 *
 * const Weather = Tool.make("get_weather", { parameters: Schema.Struct({ city: Schema.String }) })
 * const weather = Tool.handle(Weather, ({ city }) =>
 *   city === "Atlantis"
 *     ? Effect.fail(new Tool.ToolFailure({ message: "There is no such city." }))
 *     : Effect.succeed({ celsius: 21 })
 * )
 * ```
 *
 * @since 0.1.0
 * @category handlers
 */
export const handle: {
  <Arguments, Result, Eff extends Effect.Effect<Result, unknown, unknown>>(
    handler: (args: Arguments, call: ToolCallPart) => Eff
  ): <Name extends string>(tool: Tool<Name, Arguments, Result>) => HandlerOf<Eff>
  <Name extends string, Arguments, Result, Eff extends Effect.Effect<Result, unknown, unknown>>(
    tool: Tool<Name, Arguments, Result>,
    handler: (args: Arguments, call: ToolCallPart) => Eff
  ): HandlerOf<Eff>
} = dual(
  2,
  <Name extends string, Arguments, Result, E, R>(
    tool: Tool<Name, Arguments, Result>,
    handler: (args: Arguments, call: ToolCallPart) => Effect.Effect<Result, E, R>
  ): Handler<Exclude<E, ToolFailure>, R> => ({
    tool,
    run: (call) =>
      Either.map(decode(tool, call), (args) => {
        const { id, name } = call
        const done = Effect.flatMap(
          Effect.suspend(() => handler(args, call)),
          (result) =>
            // A result that is not what its Schema says is a mistake of the program, not of the model.
            Effect.orDie(tool.encodeResult(result))
        )
        return Effect.matchEffect(done, {
          onSuccess: (result) => Effect.succeed<ToolResultPart>({ type: "tool-result", id, name, result }),
          onFailure: (error) =>
            error instanceof ToolFailure
              ? Effect.succeed<ToolResultPart>({
                  type: "tool-result",
                  id,
                  name,
                  result: error.message,
                  isError: true
                })
              : // `ToolFailure` was the other branch.
                Effect.fail(error as Exclude<E, ToolFailure>)
        })
      })
  })
)

/**
 * The handler that an effect makes: with its errors, but for `ToolFailure`, and its requirements.
 *
 * @since 0.1.0
 * @category models
 */
export type HandlerOf<Eff extends Effect.Effect<unknown, unknown, unknown>> = Handler<
  Exclude<FailureOf<Eff>, ToolFailure>,
  ContextOf<Eff>
>

type FailureOf<Eff> = Eff extends Effect.Effect<infer _A, infer E, infer _R> ? E : never
type ContextOf<Eff> = Eff extends Effect.Effect<infer _A, infer _E, infer R> ? R : never

/**
 * Is this a tool?
 *
 * @since 0.1.0
 * @category guards
 */
export const isTool = (u: unknown): u is Any => typeof u === "object" && u !== null && TypeId in u
