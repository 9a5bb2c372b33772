/** Where an `ExecutionPlan` of `ChatModel`s surprises: what its options mean, what it repeats, what its types take. */
import * as LanguageModel from "@effect/ai/LanguageModel"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import type * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Data,
  Effect,
  ExecutionPlan,
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
  type ChatResponse,
  LocalGateway,
  OpenAi,
  Tool
} from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless the two types are the same. */
const same = <A, B>(_same: Equal<A, B>): void => {}

/** Compiled, never run. */
const never = (_claim: () => unknown): void => {}

const { always, dropAfter, script, status, text, toolCall, value } = LocalGateway

const setup = (upstreams: NonNullable<LocalGateway.Options["upstreams"]>) => {
  const gateway = LocalGateway.make({ upstreams })
  const layer = Layer.mergeAll(OpenAi.layer(), Anthropic.layer()).pipe(
    Layer.provideMerge(through),
    Layer.provideMerge(LocalGateway.layerFrom(gateway))
  )
  const asked = () => gateway.upstreamRequests().map(({ provider }) => provider)
  return { gateway, layer, asked }
}

const through = AiGateway.layer({
  accountId: "local-account",
  gatewayId: "local-gateway",
  token: Redacted.make("local-token")
})

/** The plan repeats, and not the model. */
const once = ChatModel.retry(Schedule.recurs(0))
const gpt = ChatModel.layer(once(OpenAi.model("gpt-4.1-mini")))
const claude = ChatModel.layer(once(Anthropic.model("claude-haiku-4-5")))

const notEverywhere = (error: AiGatewayError.AiGatewayError) => !AiGatewayError.failsEverywhere(error)

/** The same for programs that fail with other errors too: those end the plan. */
const notEverywhereOfOurs = (error: unknown) => AiGatewayError.isAiGatewayError(error) && notEverywhere(error)

const question = ChatModel.chat("Name three cheeses.")
const answered = Effect.map(question, ({ provider }) => provider)
const pieces = Stream.filterMap(ChatModel.streamChat("Name three cheeses."), (event) =>
  event._tag === "TextDelta" ? Option.some(event.text) : Option.none()
)
const whole = { preventFallbackOnPartialStream: true }
const breaking = always(dropAfter(text("Gouda, Edam.", { chunks: ["Gouda, ", "Edam."] }), 2))

/** Lets promises that are already due run; no time passes on the test clock. */
const flush = Effect.promise(async () => {
  for (let i = 0; i < 30; i++) await new Promise<void>((resolve) => setImmediate(resolve))
})

describe("the `while` of a step", () => {
  it.effect("is asked before a later step too, about the error of the step before", () => {
    const { layer, asked } = setup({ openai: always(status(401)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: gpt },
      { provide: claude, attempts: 2, while: AiGatewayError.isRetryable }
    )
    return Effect.gen(function* () {
      // A 401 is not worth a repetition, and so the second step, which would answer, is not tried at all.
      const error = yield* Effect.flip(Effect.withExecutionPlan(answered, plan))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not asked of a first step that is tried once: the next step's decides", () => {
    const { layer, asked } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make({ provide: gpt, while: () => false }, { provide: claude })
    return Effect.gen(function* () {
      assert.strictEqual(yield* Effect.withExecutionPlan(answered, plan), "anthropic")
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not end a plan: the step after it is tried, unless its own says no", () => {
    const { layer, asked } = setup({
      openai: always(status(401)),
      anthropic: always(text("Brie."))
    })
    const plan = ExecutionPlan.make(
      { provide: gpt },
      { provide: gpt, while: () => false },
      { provide: claude }
    )
    return Effect.gen(function* () {
      assert.strictEqual(yield* Effect.withExecutionPlan(answered, plan), "anthropic")
      assert.deepStrictEqual(asked(), ["openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes what a list fails with: its common error, or AllProvidersFailed", () => {
    const { layer, asked } = setup({ openai: always(status(401)), anthropic: always(status(401)) })
    const list = ChatModel.layer(
      ChatModel.firstSuccessOf([OpenAi.model("gpt-4.1-mini"), Anthropic.model("claude-haiku-4-5")])
    )
    const seen: Array<string> = []
    const plan = ExecutionPlan.make(
      { provide: list },
      {
        provide: claude,
        while: (error: AiGatewayError.AiGatewayError) => {
          seen.push(error._tag)
          return notEverywhere(error)
        }
      }
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.withExecutionPlan(answered, plan))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.strictEqual(seen[0], "AllProvidersFailed")
      assert.deepStrictEqual(asked(), ["openai", "anthropic", "anthropic"])
    }).pipe(Effect.provide(layer))
  })
})

describe("steps of several gateways", () => {
  const missing = AiGateway.layer({ accountId: "local-account", gatewayId: "no-such-gateway" })
  const pathsOf = (gateway: LocalGateway.LocalGateway) =>
    gateway.requests().map(({ url }) => new URL(url).pathname.split("/")[3])

  it.effect("want no failsEverywhere in `while`: it means everywhere behind one gateway", () => {
    const gateway = LocalGateway.make({ upstreams: { openai: always(text("Gouda.")) } })
    const first = gpt.pipe(Layer.provide(missing))
    const second = gpt.pipe(Layer.provide(through))
    const ended = ExecutionPlan.make({ provide: first }, { provide: second, while: notEverywhere })
    const moved = ExecutionPlan.make({ provide: first }, { provide: second })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.withExecutionPlan(answered, ended))
      assert.strictEqual(error._tag, "GatewayNotFound")
      assert.strictEqual(yield* Effect.withExecutionPlan(answered, moved), "openai")
      assert.deepStrictEqual(pathsOf(gateway), ["no-such-gateway", "no-such-gateway", "local-gateway"])
    }).pipe(Effect.provide(OpenAi.layer()), Effect.provide(LocalGateway.layerFrom(gateway)))
  })

  it.effect(
    "WARNING: a gateway of the region wins over that of a step's layer, and not over provideService",
    () => {
      const { gateway, layer } = setup({ openai: always(text("Gouda.")) })
      return Effect.gen(function* () {
        const byLayer = ExecutionPlan.make({ provide: gpt.pipe(Layer.provide(missing)) })
        assert.strictEqual(yield* Effect.withExecutionPlan(answered, byLayer), "openai")
        assert.deepStrictEqual(pathsOf(gateway), ["local-gateway"])

        const other = yield* Effect.provide(AiGateway.AiGateway, missing)
        const model = ChatModel.provideService(once(OpenAi.model("gpt-4.1-mini")), AiGateway.AiGateway, other)
        const byService = ExecutionPlan.make({ provide: ChatModel.layer(model) })
        const error = yield* Effect.flip(Effect.withExecutionPlan(answered, byService))
        assert.strictEqual(error._tag, "GatewayNotFound")
        assert.deepStrictEqual(pathsOf(gateway), ["local-gateway", "no-such-gateway"])
      }).pipe(Effect.provide(layer))
    }
  )
})

describe("the waits of a plan", () => {
  it.effect("a later step's schedule begins with a wait before its first attempt", () => {
    const { layer, asked } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: gpt },
      { provide: claude, attempts: 2, schedule: Schedule.spaced("10 seconds") }
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.withExecutionPlan(answered, plan))
      yield* flush
      yield* TestClock.adjust("9 seconds")
      yield* flush
      assert.deepStrictEqual(asked(), ["openai"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "anthropic")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the plan does not know of Retry-After, a model that retries by itself does", () => {
    const busy = status(429, { headers: { "retry-after": "20" } })
    const replies = { openai: script([busy], text("Gouda.")), anthropic: always(text("Brie.")) }
    const ofPlan = setup(replies)
    const ofModel = setup(replies)
    const byPlan = ExecutionPlan.make(
      { provide: gpt, attempts: 2, while: AiGatewayError.isRetryable },
      { provide: claude, while: notEverywhere }
    )
    const byModel = ExecutionPlan.make(
      { provide: ChatModel.layer(OpenAi.model("gpt-4.1-mini")) },
      { provide: ChatModel.layer(Anthropic.model("claude-haiku-4-5")), while: notEverywhere }
    )
    return Effect.gen(function* () {
      // No time passes: the plan asks again at once.
      yield* Effect.withExecutionPlan(answered, byPlan).pipe(Effect.provide(ofPlan.layer))
      assert.deepStrictEqual(ofPlan.asked(), ["openai", "openai"])

      const fiber = yield* Effect.fork(
        Effect.withExecutionPlan(answered, byModel).pipe(Effect.provide(ofModel.layer))
      )
      yield* flush
      yield* TestClock.adjust("19 seconds")
      yield* flush
      assert.deepStrictEqual(ofModel.asked(), ["openai"])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "openai")
      assert.deepStrictEqual(ofModel.asked(), ["openai", "openai"])
    })
  })
})

describe("a stream that breaks in the middle", () => {
  it.effect("WARNING: is asked again for ever by `attempts` without `while`, whatever is prevented", () => {
    const { layer, asked } = setup({ openai: breaking, anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make({ provide: gpt, attempts: 2 }, { provide: claude })
    return Effect.gen(function* () {
      // `Stream.retry` begins to count anew at each element, and the option looks only at the way to the next step.
      const said = yield* Stream.mkString(Stream.take(Stream.withExecutionPlan(pieces, plan, whole), 5))
      assert.strictEqual(said, "Gouda, Gouda, Gouda, Gouda, Gouda, ")
      assert.deepStrictEqual(
        asked(),
        Array.from({ length: 5 }, () => "openai")
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends with StreamBroken where the step's `while` is isRetryable", () => {
    const { layer, asked } = setup({ openai: breaking, anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: gpt, attempts: 2, while: AiGatewayError.isRetryable },
      { provide: claude }
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(Stream.withExecutionPlan(pieces, plan, whole)))
      assert.strictEqual(error._tag, "StreamBroken")
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not repeated by the next step either, if its `while` turns StreamBroken down", () => {
    const { layer, asked } = setup({ openai: breaking, anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make(
      { provide: gpt },
      {
        provide: claude,
        while: (error: AiGatewayError.AiGatewayError) => error._tag !== "StreamBroken" && notEverywhere(error)
      }
    )
    return Effect.gen(function* () {
      // Such a plan is safe whether or not `preventFallbackOnPartialStream` is remembered.
      const error = yield* Effect.flip(Stream.runDrain(Stream.withExecutionPlan(pieces, plan)))
      assert.strictEqual(error._tag, "StreamBroken")
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })
})

describe("a stream in a plan", () => {
  it.effect("waits between the attempts of a step as its schedule says", () => {
    const { layer, asked } = setup({ openai: script([status(503)], text("Gouda.")) })
    const plan = ExecutionPlan.make({
      provide: gpt,
      attempts: 2,
      while: AiGatewayError.isRetryable,
      schedule: Schedule.spaced("10 seconds")
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Stream.mkString(Stream.withExecutionPlan(pieces, plan, whole)))
      yield* flush
      yield* TestClock.adjust("9 seconds")
      yield* flush
      assert.lengthOf(asked(), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "Gouda.")
      assert.lengthOf(asked(), 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets go of a step's layer before the next one, and of the last when it is left early", () => {
    const { layer } = setup({
      openai: always(status(503)),
      anthropic: always(text("Brie, Gouda.", { chunks: ["Brie, ", "Gouda."] }))
    })
    const seen: Array<string> = []
    const told = (name: string) =>
      Layer.scopedDiscard(
        Effect.acquireRelease(
          Effect.sync(() => seen.push(`+${name}`)),
          () => Effect.sync(() => seen.push(`-${name}`))
        )
      )
    const plan = ExecutionPlan.make(
      { provide: Layer.merge(gpt, told("gpt")) },
      { provide: Layer.merge(claude, told("claude")) }
    )
    return Effect.gen(function* () {
      const first = yield* Stream.mkString(Stream.take(Stream.withExecutionPlan(pieces, plan, whole), 1))
      assert.strictEqual(first, "Brie, ")
      assert.deepStrictEqual(seen, ["+gpt", "-gpt", "+claude", "-claude"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("has the region's options and taps in every step", () => {
    const { gateway, layer } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhere })
    return Effect.gen(function* () {
      const told: Array<string> = []
      yield* Stream.withExecutionPlan(pieces, plan, whole).pipe(
        AiGateway.withOptions({ metadata: { team: "search" } }),
        AiGateway.tapAnswer(({ provider, status }: AiGateway.Answer) =>
          Effect.sync(() => void told.push(`${provider} ${status}`))
        ),
        Stream.runDrain
      )
      assert.deepStrictEqual(told, ["openai 503", "anthropic 200"])
      assert.deepStrictEqual(
        gateway.requests().map(({ headers }) => headers["cf-aig-metadata"]),
        ['{"team":"search"}', '{"team":"search"}']
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives the partial objects of the step that answers, and only those", () => {
    const { layer } = setup({
      openai: always(dropAfter(value({ name: "Gouda" }), 1)),
      anthropic: always(value({ name: "Brie" }))
    })
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhere })
    return Effect.gen(function* () {
      const events = yield* Stream.runFold(
        Stream.withExecutionPlan(
          ChatModel.streamObject({ prompt: "A cheese.", schema: Schema.Struct({ name: Schema.String }) }),
          plan,
          whole
        ),
        { wholes: [] as ReadonlyArray<string>, partials: "" },
        (seen, event) =>
          event._tag === "Partial"
            ? { ...seen, partials: seen.partials + (event.value.name ?? "") }
            : { ...seen, wholes: [...seen.wholes, event.object.name] }
      )
      assert.deepStrictEqual(events.wholes, ["Brie"])
      assert.notInclude(events.partials, "G")
    }).pipe(Effect.provide(layer))
  })
})

describe("tools in a plan", () => {
  class NoCheese extends Data.TaggedError("NoCheese")<{ readonly cheese: string }> {}

  const ageOf = (handle: (cheese: string) => Effect.Effect<number, NoCheese>) =>
    Tool.make("age", {
      description: "The age of a cheese in weeks.",
      parameters: Schema.Struct({ cheese: Schema.String })
    }).pipe(Tool.handle(({ cheese }) => handle(cheese)))

  const upstreams = {
    openai: script([toolCall("age", { cheese: "Brie" })], status(503)),
    anthropic: script([toolCall("age", { cheese: "Brie" })], text("Four weeks."))
  }

  it.effect("WARNING: a run begins again with the next step, and its tools run again", () => {
    const { layer, asked } = setup(upstreams)
    const called: Array<string> = []
    const age = ageOf((cheese) => Effect.sync(() => called.push(cheese)))
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhereOfOurs })
    return Effect.gen(function* () {
      const run = yield* Effect.withExecutionPlan(
        ChatModel.runTools("How old is Brie?", { tools: [age] }),
        plan
      )
      assert.strictEqual(run.response.text, "Four weeks.")
      assert.deepStrictEqual(called, ["Brie", "Brie"])
      assert.deepStrictEqual(asked(), ["openai", "openai", "anthropic", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a list moves on within the turn: no tool runs twice", () => {
    const { layer, asked } = setup({ ...upstreams, anthropic: always(text("Four weeks.")) })
    const called: Array<string> = []
    const age = ageOf((cheese) => Effect.sync(() => called.push(cheese)))
    const list = ChatModel.firstSuccessOf([
      once(OpenAi.model("gpt-4.1-mini")),
      once(Anthropic.model("claude-haiku-4-5"))
    ])
    return Effect.gen(function* () {
      const run = yield* list.runTools("How old is Brie?", { tools: [age] })
      assert.strictEqual(run.response.text, "Four weeks.")
      assert.deepStrictEqual(called, ["Brie"])
      assert.deepStrictEqual(asked(), ["openai", "openai", "anthropic"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a tool's own failure ends the plan, where `while` is about this library's errors", () => {
    const { layer, asked } = setup(upstreams)
    const age = ageOf((cheese) => Effect.fail(new NoCheese({ cheese })))
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhereOfOurs })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.withExecutionPlan(ChatModel.runTools("How old is Brie?", { tools: [age] }), plan)
      )
      assert.strictEqual(error._tag, "NoCheese")
      assert.deepStrictEqual(asked(), ["openai"])
    }).pipe(Effect.provide(layer))
  })

  it("a `while` of this library's errors alone takes no program that fails otherwise", () => {
    const age = ageOf(() => Effect.succeed(1))
    const run = ChatModel.runTools("How old is Brie?", { tools: [age] })
    const ours = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhere })
    const any = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhereOfOurs })
    // @ts-expect-error NoCheese and TurnLimitReached are no AiGatewayError
    never(() => Effect.withExecutionPlan(run, ours))
    const planned = Effect.withExecutionPlan(run, any)
    same<
      Effect.Effect.Error<typeof planned>,
      AiGatewayError.AiGatewayError | Tool.TurnLimitReached | NoCheese
    >(true)
  })
})

describe("what a program knows in a plan", () => {
  it.effect("the model's metadata are the step's own", () => {
    const { layer } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const asked = Effect.gen(function* () {
      const { provider } = yield* ChatModel.metadata
      yield* question
      return provider
    })
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude })
    return Effect.gen(function* () {
      assert.strictEqual(yield* Effect.withExecutionPlan(asked, plan), "anthropic")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the answer does not say who failed before, as that of a list does", () => {
    const upstreams = { openai: always(status(503)), anthropic: always(text("Brie.")) }
    const { layer } = setup(upstreams)
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude })
    const list = ChatModel.firstSuccessOf([
      once(OpenAi.model("gpt-4.1-mini")),
      once(Anthropic.model("claude-haiku-4-5"))
    ])
    return Effect.gen(function* () {
      const planned = yield* Effect.withExecutionPlan(question, plan)
      assert.lengthOf(planned.attempts, 0)
      const listed = yield* list.chat("Name three cheeses.")
      assert.deepStrictEqual(
        listed.attempts.map(({ provider }) => provider),
        ["openai"]
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("the types of a plan", () => {
  type Needs = AiGateway.AiGateway | OpenAi.OpenAi | Anthropic.Anthropic

  it.effect("what the steps need, and nothing once it is met", () => {
    const { layer } = setup({ openai: always(status(503)), anthropic: always(text("Brie.")) })
    const plan = ExecutionPlan.make({ provide: gpt }, { provide: claude, while: notEverywhere })
    const planned = Effect.withExecutionPlan(question, plan)
    same<typeof planned, Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, Needs>>(true)
    const streamed = Stream.withExecutionPlan(pieces, plan, whole)
    same<typeof streamed, Stream.Stream<string, AiGatewayError.AiGatewayError, Needs>>(true)
    return Effect.gen(function* () {
      const free = yield* plan.withRequirements
      const freely = Effect.withExecutionPlan(answered, free)
      same<typeof freely, Effect.Effect<string, AiGatewayError.AiGatewayError>>(true)
      return { freely }
    }).pipe(
      Effect.provide(layer),
      // Out here nothing of the layer is left, and the plan still answers.
      Effect.flatMap(({ freely }) => freely),
      Effect.map((provider) => assert.strictEqual(provider, "anthropic"))
    )
  })

  it("a step that brings its own gateway needs no other, and may fail as that gateway's layer does", () => {
    const own = gpt.pipe(Layer.provide(OpenAi.layer()), Layer.provide(through))
    const planned = Effect.withExecutionPlan(
      question,
      ExecutionPlan.make({ provide: own }, { provide: claude })
    )
    same<
      Effect.Effect.Context<typeof planned>,
      HttpClient.HttpClient | AiGateway.AiGateway | Anthropic.Anthropic
    >(true)
    same<Layer.Layer.Error<typeof own>, AiGatewayError.InvalidRequest>(true)
    same<Effect.Effect.Error<typeof planned>, AiGatewayError.AiGatewayError>(true)
  })
})

describe("a plan of @effect/ai models", () => {
  it.effect("has a fallback on the server first, and one of ours after it", () => {
    const { gateway, layer } = setup({ openai: always(text("Gouda.")), anthropic: always(status(503)) })
    const plan = ExecutionPlan.make(
      {
        provide: GatewayLanguageModel.fallback(
          AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
            Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make("sk-ant-0123") }))
          )
        )
      },
      { provide: GatewayLanguageModel.fromChatModel(once(OpenAi.model("gpt-4.1-mini"))) }
    )
    return Effect.gen(function* () {
      const said = yield* LanguageModel.streamText({ prompt: "Name three cheeses." }).pipe(
        Stream.withExecutionPlan(plan, whole),
        Stream.runFold("", (said, part) => (part.type === "text-delta" ? said + part.delta : said))
      )
      assert.strictEqual(said, "Gouda.")
      assert.lengthOf(gateway.requests(), 2)
    }).pipe(Effect.provide(layer))
  })
})
