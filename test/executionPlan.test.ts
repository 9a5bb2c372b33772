/** `ChatModel`s as the steps of Effect's `ExecutionPlan`, which is a client-side fallback of its own. */
import * as LanguageModel from "@effect/ai/LanguageModel"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Effect,
  ExecutionPlan,
  Exit,
  Fiber,
  Layer,
  Option,
  Redacted,
  Schedule,
  Schema,
  Stream,
  TestClock
} from "effect"
import {
  AiGateway,
  AiGatewayError,
  Anthropic,
  ChatModel,
  GatewayHttpClient,
  LocalGateway,
  OpenAi,
  Tool
} from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"

type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic

const { always, dropAfter, hang, script, status, text, toolCall, value } = LocalGateway

const setup = (upstreams: NonNullable<LocalGateway.Options["upstreams"]>) => {
  const gateway = LocalGateway.make({ upstreams })
  const layer = Layer.mergeAll(OpenAi.layer(), Anthropic.layer()).pipe(
    Layer.provideMerge(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId: "local-gateway",
        token: Redacted.make("local-token")
      })
    ),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  const asked = () => gateway.upstreamRequests().map(({ provider }) => provider)
  return { gateway, layer, asked }
}

/** The plan repeats, and not the model. */
const once = ChatModel.retry(Schedule.recurs(0))
const gpt = ChatModel.layer(once(OpenAi.model("gpt-4.1-mini")))
const claude = ChatModel.layer(once(Anthropic.model("claude-haiku-4-5")))

const gptThenClaude = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: AiGatewayError.movesOn })

const question = ChatModel.chat("Name three cheeses.")
const answer = Effect.map(question, ({ provider, text }) => [provider, text])
const pieces = Stream.filterMap(ChatModel.streamChat("Name three cheeses."), (event) =>
  event._tag === "TextDelta" ? Option.some(event.text) : Option.none()
)

/** Lets promises that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

describe("an effect in a plan of ChatModels", () => {
  it.effect("is answered by the second step where the first fails", () => {
    const { layer, asked } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.withExecutionPlan(answer, gptThenClaude), ["anthropic", "Brie."])
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks nobody else where the first answers", () => {
    const { layer, asked } = setup({ openai: always(text("Gouda.")) })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.withExecutionPlan(answer, gptThenClaude), ["openai", "Gouda."])
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails with the last step's error where all fail", () => {
    const { layer } = setup({ openai: always(status(503)), anthropic: always(status(401)) })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.withExecutionPlan(answer, gptThenClaude))
      assert.strictEqual(error._tag, "Unauthorized")
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends at once where `while` says that every step would fail so", () => {
    const gateway = LocalGateway.make()
    const layer = Layer.mergeAll(OpenAi.layer(), Anthropic.layer()).pipe(
      Layer.provideMerge(AiGateway.layer({ accountId: "local-account", gatewayId: "no-such-gateway" })),
      Layer.provide(LocalGateway.layerFrom(gateway))
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.withExecutionPlan(answer, gptThenClaude))
      assert.strictEqual(error._tag, "GatewayNotFound")
      assert.lengthOf(gateway.requests(), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("repeats a step as its schedule says, and no request more", () => {
    const { layer, asked } = setup({
      openai: script([status(503), status(503)], text("Gouda.")),
      anthropic: always(text("Brie."))
    })
    const plan = ExecutionPlan.make(
      {
        provide: gpt,
        attempts: 3,
        while: AiGatewayError.isRetryable,
        schedule: Schedule.spaced("10 seconds")
      },
      { provide: claude }
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.withExecutionPlan(answer, plan))
      yield* flush
      assert.lengthOf(asked(), 1)
      yield* TestClock.adjust("9 seconds")
      yield* flush
      assert.lengthOf(asked(), 1)
      yield* TestClock.adjust("1 second")
      yield* flush
      assert.lengthOf(asked(), 2)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["openai", "Gouda."])
      assert.deepStrictEqual(asked(), ["openai", "openai", "openai"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not repeat a step for an error that no repetition mends", () => {
    const { layer, asked } = setup({ openai: always(status(401)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: gpt, attempts: 3, while: AiGatewayError.isRetryable },
      { provide: claude }
    )
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.withExecutionPlan(answer, plan), ["anthropic", "Brie."])
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("multiplies attempts where the model's own retries are left on", () => {
    const { layer, asked } = setup({ openai: always(status(503)) })
    const plan = ExecutionPlan.make({ provide: ChatModel.layer(OpenAi.model("gpt-4.1-mini")), attempts: 2 })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Effect.withExecutionPlan(answer, plan)))
      for (let i = 0; i < 10; i++) yield* Effect.zipRight(flush, TestClock.adjust("1 minute"))
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ProviderFailure")
      // Three of the default policy, twice.
      assert.lengthOf(asked(), 6)
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "asks each gateway with its own step, whose layer is built for each attempt and then let go",
    () => {
      const first = LocalGateway.make({ upstreams: { openai: always(status(503)) } })
      const second = LocalGateway.make({ upstreams: { openai: always(text("Gouda.")) } })
      const built: Array<string> = []
      const through = (name: string, gateway: LocalGateway.LocalGateway) =>
        ChatModel.layer(once(OpenAi.model("gpt-4.1-mini"))).pipe(
          Layer.provide(
            Layer.merge(
              OpenAi.layer(),
              Layer.provide(
                AiGateway.layer({
                  accountId: "local-account",
                  gatewayId: "local-gateway",
                  token: Redacted.make("local-token")
                }),
                LocalGateway.layerFrom(gateway)
              )
            )
          ),
          Layer.merge(
            Layer.scopedDiscard(
              Effect.acquireRelease(
                Effect.sync(() => built.push(`+${name}`)),
                () => Effect.sync(() => built.push(`-${name}`))
              )
            )
          )
        )
      const plan = ExecutionPlan.make(
        { provide: through("first", first), attempts: 2 },
        { provide: through("second", second) }
      )
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* Effect.withExecutionPlan(answer, plan), ["openai", "Gouda."])
        assert.deepStrictEqual(built, ["+first", "-first", "+first", "-first", "+second", "-second"])
        assert.lengthOf(first.requests(), 2)
        assert.lengthOf(second.requests(), 1)
      })
    }
  )

  it.effect("takes models that are built already, as a context", () => {
    const { layer } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    return Effect.gen(function* () {
      const plan = ExecutionPlan.make(
        { provide: yield* Layer.build(gpt) },
        { provide: yield* Layer.build(claude) }
      )
      assert.deepStrictEqual(yield* Effect.withExecutionPlan(answer, plan), ["anthropic", "Brie."])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("has the region's options and taps in every step", () => {
    const { gateway, layer } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    return Effect.gen(function* () {
      const told: Array<readonly [string, number]> = []
      yield* Effect.withExecutionPlan(question, gptThenClaude).pipe(
        AiGateway.withOptions({ metadata: { team: "search" } }),
        AiGateway.tapAnswer(({ provider, status }: AiGateway.Answer) =>
          Effect.sync(() => void told.push([provider, status]))
        )
      )
      assert.deepStrictEqual(told, [
        ["openai", 503],
        ["anthropic", 200]
      ])
      assert.deepStrictEqual(
        gateway.requests().map(({ headers }) => headers["cf-aig-metadata"]),
        ['{"team":"search"}', '{"team":"search"}']
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("decodes objects and runs tools with the step that answers", () => {
    const { layer } = setup({
      openai: always(status(503)),
      anthropic: script([
        value({ name: "Brie" }),
        toolCall("age", { cheese: "Brie" }),
        text("Brie is four weeks old.")
      ])
    })
    const age = Tool.make("age", {
      description: "The age of a cheese in weeks.",
      parameters: Schema.Struct({ cheese: Schema.String })
    }).pipe(Tool.handle(({ cheese }) => Effect.succeed(cheese === "Brie" ? 4 : 0)))
    return Effect.gen(function* () {
      const object = yield* Effect.withExecutionPlan(
        ChatModel.chatObject({ prompt: "A cheese.", schema: Schema.Struct({ name: Schema.String }) }),
        gptThenClaude
      )
      assert.deepStrictEqual(object.object, { name: "Brie" })
      const run = yield* Effect.withExecutionPlan(
        ChatModel.runTools("How old is Brie?", { tools: [age] }),
        ExecutionPlan.make({ provide: gpt }, { provide: claude })
      )
      assert.strictEqual(run.response.text, "Brie is four weeks old.")
    }).pipe(Effect.provide(layer))
  })

  it.effect("needs what its steps need, and no ChatModel", () => {
    const planned: Effect.Effect<
      ReadonlyArray<string>,
      AiGatewayError.AiGatewayError,
      Needs
    > = Effect.withExecutionPlan(answer, gptThenClaude)
    type NeedsOf<T> = T extends Effect.Effect<infer _A, infer _E, infer R> ? R : never
    // Neither less than that, which would be `never`, nor a ChatModel more.
    const exact: [NeedsOf<typeof planned>] extends [never] ? false : true = true
    return Effect.sync(() => assert.isTrue(exact && Effect.isEffect(planned)))
  })
})

describe("a stream in a plan of ChatModels", () => {
  const planned = Stream.withExecutionPlan(pieces, gptThenClaude, { preventFallbackOnPartialStream: true })

  it.effect("moves on before the first content, with nothing of the first step", () => {
    const { layer, asked } = setup({
      openai: always(dropAfter(text("Gouda, Edam."), 1)),
      anthropic: always(text("Brie."))
    })
    return Effect.gen(function* () {
      assert.strictEqual(yield* Stream.mkString(planned), "Brie.")
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  const breaks = {
    openai: always(dropAfter(text("Gouda, Edam.", { chunks: ["Gouda, ", "Edam."] }), 2)),
    anthropic: always(text("Brie."))
  }

  it.effect(
    "WARNING: mixes the outputs of two models, if it breaks in the middle and nothing is said",
    () => {
      const { layer } = setup(breaks)
      const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude })
      return Effect.gen(function* () {
        assert.strictEqual(yield* Stream.mkString(Stream.withExecutionPlan(pieces, plan)), "Gouda, Brie.")
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("fails with StreamBroken in the middle, with preventFallbackOnPartialStream", () => {
    const { layer, asked } = setup(breaks)
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(planned, (piece) => Effect.sync(() => seen.push(piece)))
      )
      assert.strictEqual(error._tag, "StreamBroken")
      assert.deepStrictEqual(seen, ["Gouda, "])
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("never mixes them in firstSuccessOf, where nothing needs to be said", () => {
    const { layer } = setup(breaks)
    const list = ChatModel.firstSuccessOf([
      once(OpenAi.model("gpt-4.1-mini")),
      once(Anthropic.model("claude-haiku-4-5"))
    ])
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(list.streamChat("Name three cheeses.")))
      assert.strictEqual(error._tag, "StreamBroken")
    }).pipe(Effect.provide(layer))
  })

  const breaksSecond = {
    openai: always(status(503)),
    anthropic: always(dropAfter(text("Gouda, Edam.", { chunks: ["Gouda, ", "Edam."] }), 4))
  }

  it.effect(
    "WARNING: repeats a later step for ever, if that breaks in the middle and its `while` lets it",
    () => {
      const { layer } = setup(breaksSecond)
      const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude })
      return Effect.gen(function* () {
        const seen = yield* Stream.withExecutionPlan(pieces, plan, {
          preventFallbackOnPartialStream: true
        }).pipe(Stream.take(5), Stream.mkString)
        assert.strictEqual(seen, "Gouda, Gouda, Gouda, Gouda, Gouda, ")
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("does not with movesOn, which refuses StreamBroken", () => {
    const { layer, asked } = setup(breaksSecond)
    return Effect.gen(function* () {
      const seen: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(planned, (piece) => Effect.sync(() => seen.push(piece)))
      )
      assert.strictEqual(error._tag, "StreamBroken")
      assert.deepStrictEqual(seen, ["Gouda, "])
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })
})

describe("a plan that is interrupted, over a socket", () => {
  const programs: ReadonlyArray<
    readonly [string, Effect.Effect<unknown, AiGatewayError.AiGatewayError, Needs>]
  > = [
    ["an effect", Effect.withExecutionPlan(question, gptThenClaude)],
    ["a stream", Stream.runDrain(Stream.withExecutionPlan(pieces, gptThenClaude))]
  ]
  for (const [name, program] of programs) {
    it.live(`${name}: closes it, and begins no other step`, () =>
      Effect.gen(function* () {
        const gateway = LocalGateway.make({ upstreams: { openai: always(hang) } })
        const { baseUrl } = yield* LocalGatewayServer.start(gateway)
        const layer = Layer.mergeAll(OpenAi.layer(), Anthropic.layer()).pipe(
          Layer.provideMerge(
            AiGateway.layer({
              accountId: "local-account",
              gatewayId: "local-gateway",
              token: Redacted.make("local-token"),
              baseUrl
            })
          ),
          Layer.provide(FetchHttpClient.layer)
        )
        const fiber = yield* Effect.fork(Effect.provide(program, layer))
        yield* until(() => gateway.inFlight() === 1)
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        yield* until(() => gateway.inFlight() === 0)
        yield* Effect.sleep("50 millis")
        assert.lengthOf(gateway.requests(), 1)
        assert.isTrue(gateway.requests()[0]?.aborted)
      }).pipe(Effect.scoped)
    )
  }

  const until = (done: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() =>
      done() ? Effect.void : Effect.zipRight(Effect.sleep("5 millis"), until(done))
    ).pipe(
      Effect.timeoutFail({ duration: "5 seconds", onTimeout: () => new Error("it did not happen") }),
      Effect.orDie
    )
})

describe("a plan of @effect/ai models", () => {
  it.effect("has one of ours beside one of a provider's package behind the gateway", () => {
    const { layer, asked } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: GatewayLanguageModel.fromChatModel(once(OpenAi.model("gpt-4.1-mini"))) },
      {
        provide: AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
          Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make("sk-ant-0123") })),
          Layer.provide(GatewayHttpClient.layer())
        )
      }
    )
    return Effect.gen(function* () {
      const { text } = yield* Effect.withExecutionPlan(
        LanguageModel.generateText({ prompt: "Name three cheeses." }),
        plan
      )
      assert.strictEqual(text, "Brie.")
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })
})
