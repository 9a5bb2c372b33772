/** One language model of several, each call of which is one universal request. */
import type * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Prompt from "@effect/ai/Prompt"
import type * as Tool from "@effect/ai/Tool"
import type * as Toolkit from "@effect/ai/Toolkit"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Service as Gateway } from "../../AiGateway.js"
import { CurrentRun, type Run } from "./callMode.js"
import { UniversalCall } from "./universalCall.js"

type Tools = Record<string, Tool.Any>

/** What the three operations have in common. */
interface Options {
  readonly prompt: Prompt.RawInput
  readonly toolkit?: Toolkit.WithHandler<Tools> | Made | undefined
}

type Made = Effect.Effect<Toolkit.WithHandler<Tools>, unknown, unknown>

/** Everything that a call may read again for another entry: an iterable is read once, a toolkit is made once. */
const settled = <O extends Options>(options: O): Effect.Effect<O, AiError.AiError> =>
  Effect.suspend(() => {
    const { toolkit } = options
    const prompt = Prompt.make(options.prompt)
    if (toolkit === undefined || !Effect.isEffect(toolkit)) return Effect.succeed({ ...options, prompt })
    // Its errors and requirements are in the signature that the caller sees: the service's.
    const made = toolkit as Effect.Effect<Toolkit.WithHandler<Tools>, AiError.AiError>
    return Effect.map(made, (toolkit) => ({ ...options, prompt, toolkit }))
  })

export const make = (
  gateway: Gateway,
  owner: object,
  models: ReadonlyArray<LanguageModel.Service>
): LanguageModel.Service => {
  const start = (
    method: string,
    context: Context.Context<never>,
    runs: (model: LanguageModel.Service) => Effect.Effect<unknown, AiError.AiError>
  ): UniversalCall =>
    new UniversalCall({
      gateway,
      owner,
      entries: models.length,
      place: { module: "GatewayLanguageModel", method },
      forks: false,
      capture: (run) =>
        inRun(
          run,
          // What is seen of an entry that is only asked for its request would be a span that fails.
          Effect.withTracerEnabled(runs(modelOf(run.entry)), false),
          context
        )
    })

  const modelOf = (entry: number): LanguageModel.Service => {
    const model = models[entry]
    if (model === undefined) throw new RangeError(`There is no model ${entry}.`)
    return model
  }

  const whole =
    <O extends Options, A>(
      method: string,
      operation: (model: LanguageModel.Service, options: O) => Effect.Effect<A, AiError.AiError>
    ) =>
    (options: O): Effect.Effect<A, AiError.AiError> =>
      Effect.contextWithEffect((context: Context.Context<never>) =>
        Effect.flatMap(settled(options), (options) => {
          const call = start(method, context, (model) => operation(model, options))
          const from = (entry: number): Effect.Effect<A, AiError.AiError> =>
            Effect.catchAllCause(
              Effect.provideService(operation(modelOf(entry), options), CurrentRun, call.run(entry)),
              (cause) => {
                const after = call.after(cause, entry)
                return after._tag === "Right" ? from(after.right) : Effect.failCause(after.left)
              }
            )
          return Effect.ensuring(from(0), call.close)
        })
      )

  const streamed =
    <O extends Options, A>(
      operation: (model: LanguageModel.Service, options: O) => Stream.Stream<A, AiError.AiError>
    ) =>
    (options: O): Stream.Stream<A, AiError.AiError> =>
      Stream.unwrap(
        Effect.contextWithEffect((context: Context.Context<never>) =>
          Effect.map(settled(options), (options) => {
            const call = start("streamText", context, (model) => Stream.runDrain(operation(model, options)))
            const from = (entry: number): Stream.Stream<A, AiError.AiError> =>
              Stream.catchAllCause(
                Stream.suspend(() =>
                  Stream.provideService(operation(modelOf(entry), options), CurrentRun, call.run(entry))
                ),
                (cause) => {
                  const after = call.after(cause, entry)
                  return after._tag === "Right" ? from(after.right) : Stream.failCause(after.left)
                }
              )
            return Stream.ensuring(from(0), call.close)
          })
        )
      )

  // What a service's signatures compute from the options (errors, requirements) passes through here untouched.
  return LanguageModel.LanguageModel.of({
    generateText: whole("generateText", (model, options: LanguageModel.GenerateTextOptions<Tools>) =>
      model.generateText(options)
    ),
    generateObject: whole(
      "generateObject",
      (model, options: LanguageModel.GenerateObjectOptions<Tools, unknown, Record<string, unknown>, never>) =>
        model.generateObject(options)
    ),
    streamText: streamed((model, options: LanguageModel.GenerateTextOptions<Tools>) =>
      model.streamText(options)
    )
  } as unknown as LanguageModel.Service)
}

const inRun = <A, E>(run: Run, effect: Effect.Effect<A, E>, context: Context.Context<never>) =>
  Effect.provide(Effect.provideService(effect, CurrentRun, run), context)
