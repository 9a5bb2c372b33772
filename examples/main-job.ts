/**
 * The main job from start to end: a prompt, a list of providers with fallback, tokens as they arrive, and what became
 * of each attempt. `npm start -- --help` tells how to run it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Exit, Logger, Option } from "effect"
import { runLocally } from "./main-job/local.js"
import * as Prompt from "./main-job/prompt.js"
import { runReally } from "./main-job/real.js"
import * as Settings from "./main-job/settings.js"

const program = Effect.gen(function* () {
  const asked = yield* Prompt.parse(process.argv.slice(2))
  if (asked._tag === "Help") return yield* Console.log(Prompt.usage)
  if (!Settings.isReal(process.env)) return yield* runLocally(asked.prompt)
  return yield* runReally(yield* Settings.read(process.env), asked.prompt)
})

/** A provider that is left is a warning in the log; here it is a line among the others. */
const lines = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ message }) => console.log(`  ! ${[message].flat().join(" ")}`))
)

const oneLine = (
  cause: Cause.Cause<string | { readonly _tag: string; readonly message: string }>
): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure === undefined) return Cause.pretty(cause)
  const text = typeof failure === "string" ? failure : `${failure._tag}: ${failure.message}`
  return text.replace(/\s+/g, " ")
}

// `npm start | head` closes the pipe: nothing is left to do then.
process.stdout.on("error", () => process.exit(0))

program.pipe(
  Effect.tapErrorCause((cause) =>
    Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(oneLine(cause))
  ),
  Effect.provide(lines),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    // Ctrl-C is 130, as shells have it.
    teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : Cause.isInterruptedOnly(exit.cause) ? 130 : 1)
  })
)
