/** The main job itself, the same for every gateway: ask, show the answer as it comes, and say how it came about. */
import { Console, Effect, Stream } from "effect"
import { ChatModel } from "effect-ai-gateway"
import * as Table from "./table.js"

const write = (text: string) => Effect.sync(() => process.stdout.write(text))

export const ask = (prompt: string) =>
  Effect.gen(function* () {
    yield* Console.log(`> ${prompt}\n`)
    const [took, answer] = yield* ChatModel.streamChat(prompt).pipe(
      Stream.tap((event) => (event._tag === "TextDelta" ? write(event.text) : Effect.void)),
      ChatModel.collect,
      Effect.timed
    )
    yield* Console.log(`\n\n${Table.attempts(answer, took)}\n\n${Table.facts(answer)}`)
    return answer
  })
