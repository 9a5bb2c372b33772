/** One call for each kind of error that a user meets first: what was done, the error's tag, and its message. */
import { Console, Effect, Layer, Logger, LogLevel, Redacted, Schedule, Stream } from "effect"
import { AiGateway, type AiGatewayError, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import { render } from "./table.js"

interface Mistake {
  readonly what: string
  readonly call: Effect.Effect<unknown, AiGatewayError.AiGatewayError>
}

const once = ChatModel.retry(Schedule.recurs(0))
const gpt = OpenAi.model("gpt-5-mini").pipe(once)
const claude = Anthropic.model("claude-haiku-4-5").pipe(once)

const providers = Layer.merge(OpenAi.layer(), Anthropic.layer())

/** Behind a gateway whose providers answer so. */
const behind = (options: LocalGateway.Options) =>
  Effect.provide(Layer.merge(providers, LocalGateway.layerTest(options)))

/** Behind OpenAI, if it answers so. */
const ifOpenAi = (reply: LocalGateway.Reply) => behind({ upstreams: { openai: LocalGateway.always(reply) } })

/** With settings of the gateway that are wrong. */
const withSettings = (settings: { readonly gatewayId?: string; readonly token?: string }) =>
  Effect.provide(
    AiGateway.layer({
      accountId: "local-account",
      gatewayId: settings.gatewayId ?? "local-gateway",
      token: Redacted.make(settings.token ?? "local-token")
    }).pipe(Layer.provide(LocalGateway.layer()), Layer.merge(providers))
  )

const mistakes: ReadonlyArray<Mistake> = [
  {
    what: "a gateway id that does not exist",
    call: gpt.chat("hello").pipe(withSettings({ gatewayId: "no-such-gateway" }))
  },
  {
    what: "a wrong gateway token",
    call: gpt.chat("hello").pipe(withSettings({ token: "wrong" }))
  },
  {
    what: "a wrong OpenAI key",
    call: gpt.pipe(
      ChatModel.provideService(OpenAi.OpenAi, OpenAi.make({ apiKey: Redacted.make("sk-wrong") })),
      (model) => model.chat("hello"),
      behind({ keys: { openai: "sk-right" } })
    )
  },
  {
    what: "a model that does not exist",
    call: OpenAi.model("gpt-does-not-exist").chat("hello").pipe(behind({}))
  },
  {
    what: "too many requests",
    call: gpt.chat("hello").pipe(ifOpenAi(LocalGateway.status(429, { headers: { "retry-after": "20" } })))
  },
  {
    what: "an option out of its limits",
    call: gpt.chat("hello").pipe(AiGateway.withOptions({ cacheTtl: "10 seconds" }), behind({}))
  },
  {
    what: "a field that the model cannot take",
    call: gpt.chat({ prompt: "hello", temperature: 0.2 }).pipe(behind({}))
  },
  {
    what: "a prompt that guardrails block",
    call: gpt.chat("hello").pipe(ifOpenAi(LocalGateway.guardrail("prompt")))
  },
  {
    what: "a stream that breaks after its first words",
    call: gpt
      .streamChat("hello")
      .pipe(
        Stream.runDrain,
        ifOpenAi(LocalGateway.dropAfter(LocalGateway.text("half a sentence is lost"), 4))
      )
  },
  {
    what: "every provider fails",
    call: ChatModel.firstSuccessOf([gpt, claude])
      .chat("hello")
      .pipe(
        behind({
          upstreams: {
            openai: LocalGateway.always(LocalGateway.status(503)),
            anthropic: LocalGateway.always(LocalGateway.status(529))
          }
        })
      )
  }
]

export const showErrors = Effect.gen(function* () {
  yield* Console.log("\nWhat can go wrong, as typed errors:\n")
  const rows: Array<ReadonlyArray<string>> = []
  for (const { what, call } of mistakes) {
    const error = yield* Effect.flip(call).pipe(Effect.orDieWith(() => new Error(`${what} did not fail`)))
    const tag =
      "source" in error && error.source !== undefined ? `${error._tag} (${error.source})` : error._tag
    rows.push([what, tag, error.message])
  }
  yield* Console.log(render(rows))
}).pipe(Logger.withMinimumLogLevel(LogLevel.None))
