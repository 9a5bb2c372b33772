/**
 * What the gateway is told about a request: for a region of the program, for a call, and which of the two wins; and how to
 * see in the answer that it came from the cache. Run: `npx tsx examples/caching-and-options.ts`
 */
import assert from "node:assert/strict"
import { Console, Effect, Layer } from "effect"
import { AiGateway, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"

/** Asks, and tells what the gateway did with its cache. */
const ask = (prompt: string, options?: ChatModel.ModelOptions["options"]) =>
  ChatModel.chat({ prompt, ...(options === undefined ? {} : { options }) }).pipe(
    Effect.tap(({ gateway }) =>
      Console.log(`${prompt.padEnd(20)} ${gateway.cacheStatus ?? "not cached"}, log ${gateway.logId}`)
    ),
    Effect.map(({ gateway }) => gateway.cacheStatus)
  )

const program = Effect.gen(function* () {
  // The region: all that is asked in here is cached for an hour, and logged under its team.
  const statuses = yield* Effect.all([
    ask("Name three cheeses."),
    ask("Name three cheeses."),
    // The call wins over the region, option by option; metadata is merged by entry.
    ask("Name three cheeses.", { skipCache: true, metadata: { reason: "fresh" } })
  ]).pipe(
    AiGateway.withOptions({
      cacheKey: "cheese", // a key of one's own opts in: give each question its own
      cacheTtl: "1 hour", // says for how long, and does nothing without a key
      metadata: { team: "search" }
    })
  )
  assert.deepEqual(statuses.slice(0, 2), ["MISS", "HIT"])
  assert.notEqual(statuses[2], "HIT")

  // Outside of the region nothing of it is left.
  assert.notEqual(yield* ask("Name three cheeses."), "HIT")

  // Options are checked before anything is sent, and the error names the wrong one.
  const field = yield* ask("Name three cheeses.", { cacheKey: "cheese", cacheTtl: "10 seconds" }).pipe(
    Effect.catchTag("InvalidRequest", (error) => Effect.as(Console.log(error.message), error.field))
  )
  assert.equal(field, "cacheTtl")

  // What the gateway was told, and what its log has of it. Three of the four answers cost tokens.
  const gateway = yield* LocalGateway.Gateway
  const [first, , third] = gateway.requests()
  assert.equal(first?.headers["cf-aig-cache-ttl"], "3600")
  assert.equal(third?.headers["cf-aig-skip-cache"], "true")
  const metadata = gateway.logs().map((entry) => entry.metadata)
  yield* Console.log("metadata in the log:", JSON.stringify(metadata))
  assert.deepEqual(metadata[2], { team: "search", reason: "fresh" })
  assert.deepEqual(metadata[3], {})
  assert.equal(gateway.upstreamRequests().length, 3)
})

await program.pipe(
  Effect.provide(
    ChatModel.layer(OpenAi.model("gpt-5-mini")).pipe(
      Layer.provide(OpenAi.layer()),
      Layer.provideMerge(LocalGateway.layerTest())
    )
  ),
  Effect.runPromise
)
