/**
 * One provider, several keys: two accounts as services of their own, a list that goes from one account to the other, and
 * a tenant's key for one call. Run: `npx tsx examples/two-accounts.ts`
 */
import assert from "node:assert/strict"
import { Console, Context, Effect, Layer, Logger, LogLevel, Redacted, Schedule } from "effect"
import { ChatModel, LocalGateway, OpenAi, type Provider } from "effect-ai-gateway"

// A provider service is data: an account is a value, and two accounts are two services.
class Research extends Context.Tag("app/Research")<Research, Provider.Provider>() {}
class Support extends Context.Tag("app/Support")<Support, Provider.Provider>() {}

const account = (key: string) => OpenAi.make({ apiKey: Redacted.make(key) })
const Accounts = Layer.mergeAll(
  Layer.succeed(Research, account("sk-research")),
  Layer.succeed(Support, account("sk-support"))
)

/** A model looks its provider up at each call. */
const gpt = OpenAi.model("gpt-5-mini").pipe(ChatModel.retry(Schedule.recurs(0)))

// 1. A part of the program that uses an account: a Tag is the effect that gives its service.
const ofResearch = gpt.chat("hello").pipe(Effect.provideServiceEffect(OpenAi.OpenAi, Research))
const ofSupport = gpt.chat("hello").pipe(Effect.provideServiceEffect(OpenAi.OpenAi, Support))

// 2. Both in one list: a model that has its account already needs none.
const either = Effect.gen(function* () {
  const model = ChatModel.firstSuccessOf([
    gpt.pipe(ChatModel.provideService(OpenAi.OpenAi, account("sk-used-up"))),
    gpt.pipe(ChatModel.provideService(OpenAi.OpenAi, yield* Support))
  ])
  return yield* model.chat("hello")
})

// 3. A tenant's key, for this call alone.
const ofTenant = (key: string) => gpt.chat("hello").pipe(Effect.provideService(OpenAi.OpenAi, account(key)))

const program = Effect.gen(function* () {
  const gateway = yield* LocalGateway.Gateway
  /** Runs a call, and tells whose keys came to OpenAI. */
  const keysOf = <E, R>(name: string, call: Effect.Effect<{ readonly text: string }, E, R>) =>
    Effect.gen(function* () {
      const before = gateway.upstreamRequests().length
      yield* call
      const keys = gateway
        .upstreamRequests()
        .slice(before)
        .map(({ headers }) => headers.authorization)
      yield* Console.log(`${name}: ${keys.join(", then ")}`)
      return keys
    })

  assert.deepEqual(yield* keysOf("research", ofResearch), ["Bearer sk-research"])
  assert.deepEqual(yield* keysOf("support", ofSupport), ["Bearer sk-support"])
  assert.deepEqual(yield* keysOf("either", either), ["Bearer sk-used-up", "Bearer sk-support"])
  // At the same time, and none gets another's.
  const tenants = ["sk-tenant-1", "sk-tenant-2"]
  const keys = yield* keysOf(
    "tenants",
    Effect.forEach(tenants, ofTenant, { concurrency: "unbounded" }).pipe(Effect.as({ text: "" }))
  )
  assert.deepEqual(keys.sort(), ["Bearer sk-tenant-1", "Bearer sk-tenant-2"])
})

await program.pipe(
  Effect.provide(
    Layer.merge(
      Accounts,
      LocalGateway.layerTest({
        upstreams: {
          openai: LocalGateway.handler(({ headers }) =>
            headers.authorization === "Bearer sk-used-up" ? LocalGateway.status(429) : LocalGateway.echo
          )
        }
      })
    )
  ),
  // A leg that is left is a warning in the log: not here.
  Logger.withMinimumLogLevel(LogLevel.Error),
  Effect.runPromise
)
