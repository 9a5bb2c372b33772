/**
 * An answer in the terminal as it comes: reasoning in grey, words in plain, and at the end who answered and what it cost.
 * The first provider goes down before its first word, so the next one answers. Run:
 * `npx tsx examples/stream-to-terminal.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer, Logger, LogLevel, Schedule, Stream } from "effect"
import { Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

const model = ChatModel.firstSuccessOf([
  OpenAi.model("gpt-5-mini"),
  Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 })
]).pipe(ChatModel.retry(Schedule.recurs(0)))

const write = (text: string) => Effect.sync(() => process.stdout.write(text))
const grey = (text: string) => (process.stdout.isTTY ? `\x1b[90m${text}\x1b[0m` : text)

const program = Effect.gen(function* () {
  let pieces = 0
  const answer = yield* model.streamChat("Why is the sky blue?").pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "Start": // the first event: the provider is known, and no other one will follow it
          return write(grey(`${event.provider} answers:\n`))
        case "ReasoningDelta":
          return write(grey(event.text))
        case "TextDelta":
          pieces++
          return write(event.text)
        default:
          return Effect.void
      }
    }),
    ChatModel.collect // the whole answer, once the events have gone by
  )
  const left = answer.attempts.map(({ provider, error }) => `${provider}: ${error._tag}`)
  yield* Console.log(
    grey(`\n${answer.finishReason}, ${answer.usage.output} tokens; left: ${left.join(", ")}`)
  )

  assert.ok(pieces > 5, "the words came one by one")
  assert.equal(answer.provider, "anthropic")
  assert.deepEqual(left, ["openai: ProviderFailure"])
})

await program.pipe(
  Effect.provide(
    Layer.mergeAll(
      OpenAi.layer(),
      Anthropic.layer(),
      LocalGateway.layerTest({
        upstreams: {
          openai: LocalGateway.always(LocalGateway.status(503)),
          anthropic: LocalGateway.always(
            LocalGateway.text("Air scatters blue light more than red light, so blue comes from everywhere.", {
              delay: "30 millis"
            })
          )
        }
      })
    )
  ),
  // A provider that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
