import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream, Tracer } from "effect"
import { Anthropic, ChatModel, type ChatRequest, LocalGateway, OpenAi } from "effect-ai-gateway"

const openai = OpenAi.model("gpt-4.1-mini")
const list = ChatModel.firstSuccessOf([openai, Anthropic.model("claude-haiku-4-5")])

/** The spans of a program, as `name < parent`, in the order in which they begin. */
const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const spans: Array<Tracer.Span> = []
    const native = yield* Effect.tracer
    const recording = Tracer.make({
      context: native.context,
      span: (...args) => {
        const span = native.span(...args)
        spans.push(span)
        return span
      }
    })
    yield* Effect.withTracer(effect, recording)
    const nameOf = (span: Tracer.AnySpan) => (span._tag === "Span" ? span.name : span.spanId)
    return spans
      .filter((span) => span.name !== "test")
      .map((span) => {
        assert.strictEqual(span.status._tag, "Ended")
        return `${span.name} < ${Option.getOrElse(Option.map(span.parent, nameOf), () => "nothing")}`
      })
  })

const down = Layer.mergeAll(
  OpenAi.layer(),
  Anthropic.layer(),
  LocalGateway.layerTest({ upstreams: { openai: LocalGateway.always(LocalGateway.status(400)) } })
)

describe("one span per call, one child per attempt", () => {
  it.effect("a single model", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* spansOf(Effect.withSpan(openai.chat("hi"), "app")), [
        "app < nothing",
        "ChatModel.chat < app",
        "chat gpt-4.1-mini < ChatModel.chat"
      ])
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), LocalGateway.layerTest())))
  )

  it.effect("a list", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* spansOf(list.chat("hi")), [
        "ChatModel.chat < nothing",
        "chat gpt-4.1-mini < ChatModel.chat",
        "chat claude-haiku-4-5 < ChatModel.chat"
      ])
    }).pipe(Effect.provide(down))
  )

  it.effect("a leg in a span of a user's own is a child of that", () =>
    Effect.gen(function* () {
      const first = {
        ...openai,
        chat: (input: ChatRequest.Input) => Effect.withSpan(openai.chat(input), "mine")
      }
      assert.deepStrictEqual(
        yield* spansOf(ChatModel.firstSuccessOf([first, Anthropic.model("claude-haiku-4-5")]).chat("hi")),
        [
          "ChatModel.chat < nothing",
          "mine < ChatModel.chat",
          "chat gpt-4.1-mini < mine",
          "chat claude-haiku-4-5 < ChatModel.chat"
        ]
      )
    }).pipe(Effect.provide(down))
  )

  it.effect("a leg that is left is an event of the call's span", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const native = yield* Effect.tracer
      const recording = Tracer.make({
        context: native.context,
        span: (...args) => {
          const span = native.span(...args)
          return Object.assign(Object.create(span), {
            event: (name: string) => events.push(`${args[0]}: ${name}`)
          })
        }
      })
      yield* Effect.withTracer(list.chat("hi"), recording)
      assert.deepStrictEqual(events, ["ChatModel.chat: openai gpt-4.1-mini failed; trying the next provider"])
    }).pipe(Effect.provide(down))
  )

  it.effect("a stream's spans have ended when the stream has", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* spansOf(Stream.runDrain(list.streamChat("hi"))), [
        "ChatModel.streamChat < nothing",
        "chat gpt-4.1-mini < ChatModel.streamChat",
        "chat claude-haiku-4-5 < ChatModel.streamChat"
      ])
    }).pipe(Effect.provide(down))
  )
})
