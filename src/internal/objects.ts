/** Answers that are values of a Schema. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Stream from "effect/Stream"
import { type ChatEvent, makeFolder } from "../ChatEvent.js"
import type * as ChatRequest from "../ChatRequest.js"
import type { ChatResponse } from "../ChatResponse.js"
import * as CheckedOutput from "./checkedOutput.js"
import { Delivered } from "./delivered.js"
import { type AiGatewayError, InvalidRequest } from "./errors.js"
import * as JsonSchema from "./jsonSchema.js"
import * as PartialJson from "./partialJson.js"

/**
 * A request for a value of a Schema.
 *
 * @since 0.1.0
 * @category objects
 */
export interface ObjectRequest<A, I, R> extends Omit<ChatRequest.Options, "output"> {
  /** The value: an object. What it encodes to goes to the model as JSON Schema. */
  readonly schema: Schema.Schema<A, I, R>
  /**
   * What the model is told that the value is called: 1 to 64 letters, digits, `_` and `-`. Default: the Schema's identifier
   * with other characters as `_`, else `output`.
   */
  readonly name?: string | undefined
  /** What the value is, for the model. Default: the Schema's description. */
  readonly description?: string | undefined
}

/**
 * An answer, and the value that it is.
 *
 * @since 0.1.0
 * @category objects
 */
export interface ObjectResponse<out A> extends ChatResponse {
  readonly object: A
}

/**
 * What a value looks like while it is being written: every property may be missing, every text may go on, every list may get
 * longer. Nothing is checked before the end, so this is what the model was asked for, not what it may in fact write.
 *
 * @since 0.1.0
 * @category objects
 */
export type PartialOf<I> = I extends string
  ? string
  : I extends ReadonlyArray<infer Item>
    ? ReadonlyArray<PartialOf<Item>>
    : I extends object
      ? { readonly [Key in keyof I]?: PartialOf<I[Key]> | undefined }
      : I

/**
 * The value as far as it has come: plain JSON, as the Schema encodes it, not decoded and not checked. A text is there from its
 * first character on; a number, `true`, `false` and `null` only when they are complete. It does not change afterwards.
 *
 * @since 0.1.0
 * @category objects
 */
export interface PartialObject<out I> {
  readonly _tag: "Partial"
  readonly value: PartialOf<I>
}

/**
 * The last event: the whole value, checked and decoded.
 *
 * @since 0.1.0
 * @category objects
 */
export interface WholeObject<out A> {
  readonly _tag: "Object"
  readonly object: A
  /** The answer, put together from the stream. */
  readonly response: ChatResponse
}

/**
 * An event of `streamObject`.
 *
 * @since 0.1.0
 * @category objects
 */
export type ObjectEvent<A, I> = PartialObject<I> | WholeObject<A>

// --- the request --------------------------------------------------------------------------------------------------------

/** What is asked, and the form that the answer must have, whose check decodes it. */
interface Prepared<A> {
  readonly input: ChatRequest.Options
  readonly valueOf: (answer: ChatResponse) => Effect.Effect<A, AiGatewayError>
}

const prepare = <A, I, R>(request: ObjectRequest<A, I, R>): Effect.Effect<Prepared<A>, InvalidRequest, R> =>
  Effect.flatMap(Effect.context<R>(), (context) => {
    const { schema, name, description, ...asked } = request
    if (!Schema.isSchema(schema)) return wrongSchema("it is no Schema")
    const made = JsonSchema.make(schema)
    if (made._tag === "Left") return wrongSchema(made.left)
    const decode = Schema.decodeUnknown(schema)
    const output: ChatRequest.Output = {
      name: name ?? nameOf(schema.ast),
      description: description ?? descriptionOf(schema.ast),
      jsonSchema: made.right,
      check: (value) => Effect.provide(decode(value), context)
    }
    return Effect.succeed({
      input: { ...asked, output },
      // The check is this Schema's decoder, whoever has asked it.
      valueOf: (answer) => CheckedOutput.valueOf(answer, output) as Effect.Effect<A, AiGatewayError>
    })
  })

const wrongSchema = (problem: string): Effect.Effect<never, InvalidRequest> =>
  Effect.fail(
    new InvalidRequest({
      field: "schema",
      message: `The request is invalid at schema: the Schema cannot be sent: ${problem}`
    })
  )

/** Of a Schema with a transformation, such as a class, the side that a program sees has the names. */
const named = (ast: AST.AST): AST.AST => (AST.isTransformation(ast) ? ast.to : ast)

const nameOf = (ast: AST.AST): string => {
  const identifier = AST.getIdentifierAnnotation(ast)
  const found = identifier._tag === "Some" ? identifier : AST.getIdentifierAnnotation(named(ast))
  const name = found._tag === "Some" ? found.value.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 64) : ""
  return name === "" ? "output" : name
}

const descriptionOf = (ast: AST.AST): string | undefined => {
  const description = AST.getDescriptionAnnotation(ast)
  return description._tag === "Some" ? description.value : undefined
}

// --- a whole answer -----------------------------------------------------------------------------------------------------

export const chat = <A, I, RS, R>(
  ask: (input: ChatRequest.Input) => Effect.Effect<ChatResponse, AiGatewayError, R>,
  request: ObjectRequest<A, I, RS>
): Effect.Effect<ObjectResponse<A>, AiGatewayError, R | RS> =>
  Effect.flatMap(prepare(request), ({ input, valueOf }) =>
    Effect.flatMap(ask(input), (answer) =>
      Effect.map(valueOf(answer), (object): ObjectResponse<A> => ({ ...answer, object }))
    )
  )

// --- a stream -----------------------------------------------------------------------------------------------------------

export const stream = <A, I, RS, R>(
  ask: (input: ChatRequest.Input) => Stream.Stream<ChatEvent, AiGatewayError, R>,
  request: ObjectRequest<A, I, RS>
): Stream.Stream<ObjectEvent<A, I>, AiGatewayError, R | RS> =>
  Stream.unwrap(
    Effect.map(prepare(request), ({ input, valueOf }) => {
      const json = PartialJson.make()
      const folder = makeFolder()
      const delivered = new Delivered()
      // One value for each read, however many tokens it brought.
      const partials = Stream.mapChunks(ask(input), (events): Chunk.Chunk<ObjectEvent<A, I>> => {
        delivered.add(Chunk.toReadonlyArray(events))
        let changed = false
        for (const event of events) {
          folder.add(event)
          if (event._tag === "TextDelta") changed = json.push(event.text) || changed
        }
        // It is of the form that was asked for until the end shows that it is not.
        return changed ? Chunk.of({ _tag: "Partial", value: json.value() as PartialOf<I> }) : Chunk.empty()
      })
      const whole = Stream.suspend(() => {
        const response = folder.response()
        return Stream.fromEffect(
          Effect.mapBoth(valueOf(response), {
            onSuccess: (object): ObjectEvent<A, I> => ({ _tag: "Object", object, response }),
            // It was shown already, so no other leg can take over.
            onFailure: (error) =>
              error._tag === "StreamBroken" || error._tag === "AllProvidersFailed"
                ? error
                : delivered.broken(error)
          })
        )
      })
      return Stream.concat(partials, whole)
    })
  )
