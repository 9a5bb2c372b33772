/** The Worker on a loopback port, to be opened in a browser, until Ctrl-C: `npx tsx examples/worker/serve.ts`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { start } from "./workerd.js"

const words = "Brie, which is soft. Comté, which is hard. Roquefort, which is blue, and not for everybody."

const gateway = LocalGateway.make({
  upstreams: {
    openai: LocalGateway.always(LocalGateway.status(503)),
    anthropic: LocalGateway.always(LocalGateway.text(words, { delay: "80 millis" }))
  }
})

NodeRuntime.runMain(
  Effect.gen(function* () {
    const { port } = yield* LocalGatewayServer.start(gateway)
    const url = yield* start(`127.0.0.1:${port}`)
    yield* Console.log(`The Worker is at ${url}, until Ctrl-C. OpenAI is down, so Anthropic answers.`)
    return yield* Effect.never
  }).pipe(Effect.scoped)
)
