/** What a fallback of `@effect/ai` models does beside the common way: failures, retries, leaving early, spans. */
import * as AiError from "@effect/ai/AiError"
import * as Chat from "@effect/ai/Chat"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Model from "@effect/ai/Model"
import * as Prompt from "@effect/ai/Prompt"
import * as Tool from "@effect/ai/Tool"
import * as Toolkit from "@effect/ai/Toolkit"
import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient"
import * as AnthropicLanguageModel from "@effect/ai-anthropic/AnthropicLanguageModel"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Config,
  Effect,
  ExecutionPlan,
  Exit,
  Fiber,
  Layer,
  Option,
  Redacted,
  Schema,
  Stream,
  Tracer
} from "effect"
import { AiGateway, LocalGateway } from "effect-ai-gateway"
import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
import * as Programs from "./effectAiPrograms.js"

const claude = (model: string, options: { readonly transform?: Transform; readonly key?: string } = {}) =>
  AnthropicLanguageModel.model(model).pipe(
    Layer.provide(
      AnthropicClient.layer({
        apiKey: Redacted.make(options.key ?? "sk-ant-1"),
        ...(options.transform === undefined ? {} : { transformClient: options.transform })
      })
    )
  )
type Transform = (client: HttpClient.HttpClient) => HttpClient.HttpClient

const gpt = OpenAiLanguageModel.model("gpt-5-mini").pipe(
  Layer.provide(OpenAiClient.layer({ apiKey: Redacted.make("sk-1") }))
)

const Two = GatewayLanguageModel.fallback(claude("claude-haiku-4-5"), gpt)
const down = LocalGateway.status(503)

const gatewayOf = (upstreams: Readonly<Record<string, ReadonlyArray<LocalGateway.Reply>>>) =>
  LocalGateway.make({
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([slug, replies]) => [slug, LocalGateway.script(replies)])
    )
  })

/** Between the library and the local gateway, `change` may look at an answer or give another. */
const between = (
  gateway: LocalGateway.LocalGateway,
  change: (response: HttpClientResponse.HttpClientResponse) => HttpClientResponse.HttpClientResponse
) =>
  AiGateway.layer({
    accountId: "local-account",
    gatewayId: "local-gateway",
    token: Redacted.make(Programs.gatewayToken)
  }).pipe(
    Layer.provide(
      Layer.effect(
        HttpClient.HttpClient,
        Effect.map(HttpClient.HttpClient, HttpClient.transformResponse(Effect.map(change)))
      )
    ),
    Layer.provide(LocalGateway.layerFrom(gateway))
  )

const answering = (status: number, headers: Record<string, string>, body: unknown) => {
  let closed = 0
  const client = HttpClient.make((request) =>
    Effect.succeed(
      HttpClientResponse.fromWeb(
        request,
        new Response(
          new ReadableStream({
            pull: (controller) => {
              controller.enqueue(new TextEncoder().encode(JSON.stringify(body)))
              controller.close()
            },
            cancel: () => void closed++
          }),
          { status, headers: { "content-type": "application/json", ...headers } }
        )
      )
    )
  )
  const layer = AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
  )
  return { layer, closed: () => closed }
}

const text = (prompt: Prompt.RawInput) =>
  Effect.map(LanguageModel.generateText({ prompt }), ({ text }) => text)
const streamed = (prompt: Prompt.RawInput) =>
  Stream.runFold(LanguageModel.streamText({ prompt }), "", (text, part) =>
    part.type === "text-delta" ? text + part.delta : text
  )
const both = { generateText: text, streamText: streamed }

/** The messages and types of an error and of what caused it. */
const causes = (error: unknown): ReadonlyArray<string> =>
  error instanceof Error
    ? [`${"_tag" in error ? String(error._tag) : error.name}: ${error.message}`, ...causes(error.cause)]
    : []

const fieldOf = (request: LocalGateway.UpstreamRequest | undefined, name: string): unknown =>
  (request?.body as Record<string, unknown> | undefined)?.[name]

const modelsOf = (gateway: LocalGateway.LocalGateway) =>
  gateway.upstreamRequests().map(({ body }) => (body as { readonly model: string }).model)

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

for (const [operation, ask] of Object.entries(both)) {
  describe(`${operation} of a fallback`, () => {
    it.live("one model is enough", () =>
      Effect.gen(function* () {
        const gateway = gatewayOf({ anthropic: [LocalGateway.text("hello")] })
        const answer = yield* ask("hi").pipe(
          Effect.provide(GatewayLanguageModel.fallback(claude("claude-haiku-4-5"))),
          Effect.provide(Programs.inProcess(gateway))
        )
        assert.strictEqual(answer, "hello")
      })
    )

    it.live("all fail: the error has the status of the last", () =>
      Effect.gen(function* () {
        const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.status(429)] })
        const error = yield* ask("hi").pipe(
          Effect.provide(Two),
          Effect.provide(Programs.inProcess(gateway)),
          Effect.flip
        )
        assert.instanceOf(error, AiError.HttpResponseError)
        if (error instanceof AiError.HttpResponseError) assert.strictEqual(error.response.status, 429)
        assert.lengthOf(gateway.requests(), 1)
      })
    )

    for (const [step, winner] of [
      ["0", "AnthropicLanguageModel"],
      ["1", "OpenAiLanguageModel"],
      [undefined, "OpenAiLanguageModel"]
    ] as const) {
      it.live(`an error of step ${step} is read by that model (none: the last one)`, () =>
        Effect.gen(function* () {
          const { layer } = answering(500, step === undefined ? {} : { "cf-aig-step": step }, { error: "oh" })
          const error = yield* ask("hi").pipe(Effect.provide(Two), Effect.provide(layer), Effect.flip)
          assert.instanceOf(error, AiError.HttpResponseError)
          const request = error instanceof AiError.HttpResponseError ? error.request.url : ""
          assert.include(request, winner === "OpenAiLanguageModel" ? "openai" : "anthropic")
        })
      )
    }

    it.live("an error of the gateway itself has its status and body", () =>
      Effect.gen(function* () {
        const { layer } = answering(
          400,
          {},
          {
            success: false,
            result: [],
            messages: [],
            error: [{ code: 2001, message: "Please configure AI Gateway" }]
          }
        )
        const error = yield* ask("hi").pipe(Effect.provide(Two), Effect.provide(layer), Effect.flip)
        assert.instanceOf(error, AiError.HttpResponseError)
        if (error instanceof AiError.HttpResponseError) {
          assert.strictEqual(error.response.status, 400)
          assert.include(JSON.stringify(error), "2001")
        }
      })
    )

    for (const step of ["2", "-1", "one", ""]) {
      it.live(`an answer of step ${JSON.stringify(step)} is read by nobody`, () =>
        Effect.gen(function* () {
          const gateway = gatewayOf({ anthropic: [LocalGateway.text("hello")] })
          const read: Array<string> = []
          const error = yield* ask("hi").pipe(
            Effect.provide(Two),
            Effect.provide(
              between(gateway, (response) =>
                HttpClientResponse.fromWeb(
                  response.request,
                  new Response(
                    new ReadableStream({
                      pull: (controller) => {
                        read.push("read")
                        controller.enqueue(new TextEncoder().encode("{"))
                      },
                      cancel: () => void read.push("closed")
                    }),
                    { status: response.status, headers: { ...response.headers, "cf-aig-step": step } }
                  )
                )
              )
            ),
            Effect.flip
          )
          assert.instanceOf(error, AiError.MalformedOutput)
          assert.include(causes(error)[1] ?? "", "MalformedResponse")
          assert.include(error.message, "cf-aig-step")
          assert.include(read, "closed")
          assert.lengthOf(gateway.requests(), 1)
        })
      )
    }

    it.live("a custom domain has no universal endpoint, and the error says what to do", () =>
      Effect.gen(function* () {
        const error = yield* ask("hi").pipe(
          Effect.provide(Two),
          Effect.provide(AiGateway.layer({ customDomain: "https://ai.example.com" })),
          Effect.provide(FetchHttpClient.layer),
          Effect.flip
        )
        assert.isTrue(AiError.isAiError(error))
        const said = causes(error)
        assert.isTrue(said.some((one) => one.startsWith("InvalidRequest: A custom domain has no universal")))
        assert.include(said[0] ?? "", "accountId")
      })
    )

    describe("a prompt that a provider has no words for", () => {
      const audio = [
        {
          role: "user" as const,
          content: [
            Prompt.makePart("text", { text: "hi" }),
            Prompt.makePart("file", { mediaType: "audio/wav", data: new Uint8Array([1]) })
          ]
        }
      ]

      it.live("a later model is left out", () =>
        Effect.gen(function* () {
          const gateway = gatewayOf({ "google-ai-studio": [LocalGateway.text("hello")] })
          const answer = yield* ask(audio).pipe(
            Effect.provide(GatewayLanguageModel.fallback(Programs.google.model, gpt)),
            Effect.provide(Programs.inProcess(gateway))
          )
          assert.strictEqual(answer, "hello")
          assert.lengthOf(gateway.requests()[0]?.body as ReadonlyArray<unknown>, 1)
        })
      )

      it.live("a first model is left out, and the gateway's count begins behind it", () =>
        Effect.gen(function* () {
          const gateway = gatewayOf({ "google-ai-studio": [down], openrouter: [LocalGateway.text("hello")] })
          const answer = yield* ask(audio).pipe(
            Effect.provide(
              GatewayLanguageModel.fallback(gpt, Programs.google.model, gpt, Programs.openRouter.model)
            ),
            Effect.provide(Programs.inProcess(gateway))
          )
          assert.strictEqual(answer, "hello")
          assert.deepStrictEqual(
            gateway.upstreamRequests().map(({ provider }) => provider),
            ["google-ai-studio", "openrouter"]
          )
        })
      )

      it.live("all are: the error is the first one's, and nothing is sent", () =>
        Effect.gen(function* () {
          const gateway = gatewayOf({})
          const error = yield* ask(audio).pipe(
            Effect.provide(Two),
            Effect.provide(Programs.inProcess(gateway)),
            Effect.flip
          )
          assert.instanceOf(error, AiError.MalformedInput)
          assert.include(error.message, "AnthropicLanguageModel")
          assert.lengthOf(gateway.requests(), 0)
        })
      )
    })

    describe("a model that makes no request", () => {
      const made = (answer: Effect.Effect<never, AiError.AiError> | Effect.Effect<[]>) =>
        Layer.effect(
          LanguageModel.LanguageModel,
          Effect.zipRight(
            HttpClient.HttpClient,
            LanguageModel.make({
              generateText: () => answer,
              streamText: () => Stream.unwrap(Effect.map(answer, () => Stream.empty))
            })
          )
        )
      const failing = new AiError.UnknownError({ module: "Mine", method: "m", description: "no key here" })

      for (const [what, model, said] of [
        ["answers", made(Effect.succeed([])), "answered without one"],
        ["fails", made(Effect.fail(failing)), "no key here"],
        ["has a defect", made(Effect.dieMessage("a bug")), "a bug"]
      ] as const) {
        it.live(`behind another and ${what}: the call fails and names it, and nothing is sent`, () =>
          Effect.gen(function* () {
            const gateway = gatewayOf({})
            const error = yield* ask("hi").pipe(
              Effect.provide(GatewayLanguageModel.fallback(gpt, model)),
              Effect.provide(Programs.inProcess(gateway)),
              Effect.flip
            )
            assert.instanceOf(error, AiError.UnknownError)
            assert.include(String(error), "models[1]")
            assert.include(String(error), said)
            assert.lengthOf(gateway.requests(), 0)
          })
        )
      }
    })

    it.live("a client that retries sends the universal request again", () =>
      Effect.gen(function* () {
        const retrying = claude("claude-haiku-4-5", { transform: HttpClient.retryTransient({ times: 3 }) })
        const gateway = gatewayOf({
          anthropic: [LocalGateway.status(503), LocalGateway.status(503), LocalGateway.text("hello")]
        })
        const answer = yield* ask("hi").pipe(
          Effect.provide(GatewayLanguageModel.fallback(retrying)),
          Effect.provide(Programs.inProcess(gateway))
        )
        assert.strictEqual(answer, "hello")
        assert.lengthOf(gateway.requests(), 3)
      })
    )

    it.live("so does the client of a later model, and then the first one may win", () =>
      Effect.gen(function* () {
        const retry: Transform = HttpClient.retryTransient({ times: 3 })
        const gateway = gatewayOf({
          anthropic: [down, down, down, LocalGateway.text("hello")]
        })
        const answer = yield* ask("hi").pipe(
          Effect.provide(
            GatewayLanguageModel.fallback(
              claude("claude-haiku-4-5"),
              claude("claude-sonnet-4-5", { transform: retry })
            )
          ),
          Effect.provide(Programs.inProcess(gateway))
        )
        assert.strictEqual(answer, "hello")
        assert.lengthOf(gateway.requests(), 2)
      })
    )

    it.live("retries of models that fail by turns end", () =>
      Effect.gen(function* () {
        const retry: Transform = HttpClient.retryTransient({ times: 2 })
        let turn = 0
        const gateway = gatewayOf({})
        const error = yield* ask("hi").pipe(
          Effect.provide(
            GatewayLanguageModel.fallback(
              claude("claude-haiku-4-5", { transform: retry }),
              claude("claude-sonnet-4-5", { transform: retry })
            )
          ),
          Effect.provide(
            between(gateway, (response) =>
              HttpClientResponse.fromWeb(
                response.request,
                new Response("{}", {
                  status: 503,
                  headers: { "content-type": "application/json", "cf-aig-step": String(++turn % 2) }
                })
              )
            )
          ),
          Effect.flip
        )
        assert.instanceOf(error, AiError.HttpResponseError)
        assert.isBelow(turn, 8)
      })
    )

    it.live("an interruption closes the socket, and nothing new begins", () =>
      Effect.gen(function* () {
        const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.hang] })
        const toGateway = Programs.overSocket(FetchHttpClient.layer)(gateway)
        const fiber = yield* ask("hi").pipe(Effect.provide(Two), Effect.provide(toGateway), Effect.fork)
        yield* eventually("both are asked", () => gateway.upstreamRequests().length === 2)
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isInterrupted(exit))
        yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
        assert.lengthOf(gateway.requests(), 1)
        assert.lengthOf(gateway.upstreamRequests(), 2)
      })
    )

    it.live("a provider's withConfigOverride reaches its model, whoever answers", () =>
      Effect.gen(function* () {
        const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.text("hello")] })
        yield* ask("hi").pipe(
          AnthropicLanguageModel.withConfigOverride({ max_tokens: 77 }),
          OpenAiLanguageModel.withConfigOverride({ max_output_tokens: 55 }),
          Effect.provide(Two),
          Effect.provide(Programs.inProcess(gateway))
        )
        const [first, second] = gateway.upstreamRequests()
        assert.strictEqual(fieldOf(first, "max_tokens"), 77)
        assert.strictEqual(fieldOf(second, "max_output_tokens"), 55)
      })
    )

    it.live(
      "200 calls at once, won by turns, do not mix",
      () =>
        Effect.gen(function* () {
          const numberIn = (text: string) => Number(/number (\d+)/.exec(text)?.[1])
          const echo = (who: string): LocalGateway.Upstream => ({
            _tag: "Handler",
            handle: ({ text }) => {
              const number = numberIn(text)
              return who === "anthropic" && number % 2 === 1
                ? down
                : LocalGateway.text(`${who} ${number}`, { chunks: [who, " ", String(number)] })
            }
          })
          const gateway = LocalGateway.make({
            upstreams: { anthropic: echo("anthropic"), openai: echo("openai") }
          })
          const numbers = Array.from({ length: 200 }, (_, i) => i)
          const answers = yield* Effect.forEach(numbers, (i) => ask(`number ${i}`), {
            concurrency: "unbounded"
          }).pipe(Effect.provide(Two), Effect.provide(Programs.inProcess(gateway)))
          assert.deepStrictEqual(
            answers,
            numbers.map((i) => (i % 2 === 1 ? `openai ${i}` : `anthropic ${i}`))
          )
          assert.lengthOf(gateway.requests(), 200)
          for (const { body } of gateway.requests()) {
            const [one, other] = body as ReadonlyArray<unknown>
            assert.strictEqual(numberIn(JSON.stringify(one)), numberIn(JSON.stringify(other)))
          }
        }),
      30_000
    )

    it.live("options of the region are those of the request, and the answer is told of once", () =>
      Effect.gen(function* () {
        const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.text("hello")] })
        const told: Array<unknown> = []
        yield* ask("hi").pipe(
          AiGateway.tapAnswer(({ provider, gateway }) =>
            Effect.sync(() => told.push({ provider, step: gateway.step }))
          ),
          AiGateway.withOptions({ metadata: { team: "ai" } }),
          Effect.provide(Two),
          Effect.provide(Programs.inProcess(gateway))
        )
        assert.deepStrictEqual(told, [{ provider: "openai", step: 1 }])
        assert.strictEqual(gateway.requests()[0]?.headers["cf-aig-metadata"], '{"team":"ai"}')
      })
    )
  })
}

describe("tools", () => {
  const toolkit = Toolkit.make(
    Tool.make("ask", { description: "Asks", parameters: { what: Schema.String }, success: Schema.String })
  )
  const calls = LocalGateway.toolCall("ask", { what: "a number" })

  for (const winner of [0, 1])
    it.live(`a handler runs once, and may ask the same model itself (models[${winner}] answers)`, () =>
      Effect.gen(function* () {
        const before = (replies: ReadonlyArray<LocalGateway.Reply>) =>
          winner === 0
            ? gatewayOf({ anthropic: replies })
            : gatewayOf({ anthropic: replies.map(() => down), openai: replies })
        for (const ask of [
          Effect.map(LanguageModel.generateText({ prompt: "hi", toolkit }), ({ toolResults }) =>
            toolResults.map(({ result }) => result)
          ),
          Stream.runFold(
            LanguageModel.streamText({ prompt: "hi", toolkit }),
            [] as ReadonlyArray<string>,
            (results, part) => (part.type === "tool-result" ? [...results, String(part.result)] : results)
          )
        ]) {
          const gateway = before([calls, LocalGateway.text("seven")])
          let ran = 0
          const handlers = toolkit.toLayer(
            Effect.map(LanguageModel.LanguageModel, (model) => ({
              ask: ({ what }: { readonly what: string }) =>
                Effect.sync(() => ran++).pipe(
                  Effect.zipRight(model.generateText({ prompt: what })),
                  Effect.map(({ text }) => text),
                  Effect.orDie
                )
            }))
          )
          const results = yield* ask.pipe(
            Effect.provide(Layer.provideMerge(handlers, Two)),
            Effect.provide(Programs.inProcess(gateway))
          )
          assert.deepStrictEqual(results, ["seven"])
          assert.strictEqual(ran, 1)
          assert.lengthOf(gateway.requests(), 2)
        }
      })
    )

  it.live("a toolkit that is an effect is made once, and a prompt that is an iterable is read once", () =>
    Effect.gen(function* () {
      let made = 0
      let read = 0
      const gateway = gatewayOf({ anthropic: [down], openai: [calls] })
      const messages: Iterable<Prompt.MessageEncoded> = {
        *[Symbol.iterator]() {
          read++
          yield { role: "user", content: "hi" }
        }
      }
      const { toolResults } = yield* LanguageModel.generateText({
        prompt: messages,
        toolkit: Effect.tap(toolkit, () => Effect.sync(() => made++))
      }).pipe(
        Effect.provide(toolkit.toLayer({ ask: () => Effect.succeed("seven") })),
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.lengthOf(toolResults, 1)
      assert.strictEqual(made, 1)
      assert.strictEqual(read, 1)
    })
  )
})

describe("streams", () => {
  const long = LocalGateway.text("one two three", { chunks: ["one ", "two ", "three"] })

  it.live("a stream that is left early closes the socket, and nothing new begins", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.stallAfter(long, 6)] })
      const toGateway = Programs.overSocket(FetchHttpClient.layer)(gateway)
      yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
        Stream.take(2),
        Stream.runDrain,
        Effect.provide(Two),
        Effect.provide(toGateway)
      )
      yield* eventually("nothing in flight", () => gateway.inFlight() === 0)
      assert.lengthOf(gateway.requests(), 1)
      assert.lengthOf(gateway.upstreamRequests(), 2)
    })
  )

  it.live("a stream that breaks fails: no second model begins", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [LocalGateway.dropAfter(long, 4)], openai: [long] })
      let seen = 0
      const exit = yield* LanguageModel.streamText({ prompt: "hi" }).pipe(
        Stream.runForEach(() => Effect.sync(() => seen++)),
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gateway)),
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.isAbove(seen, 0)
      assert.lengthOf(gateway.requests(), 1)
    })
  )
})

describe("with the rest of @effect/ai", () => {
  it.live("a chat goes on with another provider", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({
        anthropic: [LocalGateway.text("I am Claude"), down],
        openai: [LocalGateway.text("I am GPT")]
      })
      const answers = yield* Effect.gen(function* () {
        const chat = yield* Chat.empty
        const first = yield* chat.generateText({ prompt: "who are you?" })
        const second = yield* chat.generateText({ prompt: "and now?" })
        return [first.text, second.text]
      }).pipe(Effect.provide(Two), Effect.provide(Programs.inProcess(gateway)))
      assert.deepStrictEqual(answers, ["I am Claude", "I am GPT"])
      assert.include(gateway.upstreamRequests().at(-1)?.text ?? "", "I am Claude")
    })
  )

  it.live("an ExecutionPlan tries it, and tries it again", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({
        anthropic: [down, down],
        openai: [down, LocalGateway.text("hello")]
      })
      const plan = ExecutionPlan.make({ provide: Two, attempts: 3 })
      const answer = yield* Effect.withExecutionPlan(text("hi"), plan).pipe(
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.strictEqual(answer, "hello")
      assert.lengthOf(gateway.requests(), 2)
    })
  )

  it.live("the provider's name is the gateway's", () =>
    Effect.gen(function* () {
      assert.strictEqual(Two.provider, "cloudflare-ai-gateway")
      const name = yield* Model.ProviderName.pipe(
        Effect.provide(Two),
        Effect.provide(Programs.inProcess(gatewayOf({})))
      )
      assert.strictEqual(name, "cloudflare-ai-gateway")
    })
  )
})

describe("spans", () => {
  const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      yield* Effect.withTracer(
        effect,
        Tracer.make({
          context: native.context,
          span: (...args) => {
            const span = native.span(...args)
            spans.push(span)
            return span
          }
        })
      )
      return spans.map((span) => ({
        name: `${span.name} < ${Option.match(span.parent, {
          onNone: () => "nothing",
          onSome: (parent) => (parent._tag === "Span" ? parent.name : "?")
        })}`,
        failed: span.status._tag === "Ended" && Exit.isFailure(span.status.exit),
        step: span.attributes.get("cloudflare.ai_gateway.step"),
        log: typeof span.attributes.get("cloudflare.ai_gateway.log_id"),
        all: JSON.stringify([...span.attributes])
      }))
    })
  const lm = "LanguageModel.generateText < nothing"
  const http = "http.client POST < LanguageModel.generateText"

  it.live("are those of the provider's package, where the first answers", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [LocalGateway.text("hello")] })
      const spans = yield* spansOf(text("hi").pipe(Effect.provide(Two))).pipe(
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(
        spans
          .filter(({ name }) => name === lm || name === http)
          .map(({ name, failed, step, log }) => ({ name, failed, step, log })),
        [
          { name: lm, failed: false, step: undefined, log: "undefined" },
          { name: http, failed: false, step: 0, log: "string" }
        ]
      )
      assert.isTrue(spans.every(({ failed }) => !failed))
      assert.isTrue(spans.every(({ all }) => !all.includes("sk-ant-1")))
    })
  )

  it.live("of the first one fail where another answers, whose have the gateway's ids", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [down], openai: [LocalGateway.text("hello")] })
      const spans = yield* spansOf(text("hi").pipe(Effect.provide(Two))).pipe(
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(
        spans
          .filter(({ name }) => name === lm || name === http)
          .map(({ name, failed, step, log }) => ({ name, failed, step, log })),
        [
          { name: lm, failed: true, step: undefined, log: "undefined" },
          { name: http, failed: true, step: undefined, log: "undefined" },
          { name: lm, failed: false, step: undefined, log: "undefined" },
          { name: http, failed: false, step: 1, log: "string" }
        ]
      )
    })
  )
})

describe("what cannot be a model of it", () => {
  const Swallowed = claude("claude-haiku-4-5").pipe(Layer.provide(FetchHttpClient.layer))
  const Configured = AnthropicLanguageModel.model("claude-haiku-4-5").pipe(
    Layer.provide(AnthropicClient.layerConfig({ apiKey: Config.redacted("NO_SUCH_KEY_IS_SET") }))
  )

  it.live("one that has its HttpClient already does not compile, and its layer is not built", () =>
    Effect.gen(function* () {
      // @ts-expect-error This model has an HttpClient already
      const First = GatewayLanguageModel.fallback(Swallowed, gpt)
      // @ts-expect-error This model has an HttpClient already
      const Later = GatewayLanguageModel.layerFallback([gpt, Swallowed])
      for (const [place, layer] of [First, Later].entries()) {
        const exit = yield* text("hi").pipe(
          Effect.provide(layer as Layer.Layer<LanguageModel.LanguageModel, never, AiGateway.AiGateway>),
          Effect.provide(Programs.inProcess(gatewayOf({}))),
          Effect.exit
        )
        const said = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
        assert.include(said, `models[${place}] of the fallback has an HttpClient already`)
      }
    })
  )

  it.live("one that takes its client and looks at it only later is one", () =>
    Effect.gen(function* () {
      const later = Layer.effect(
        LanguageModel.LanguageModel,
        Effect.flatMap(HttpClient.HttpClient, (client) =>
          LanguageModel.make({
            generateText: () =>
              client
                .execute(
                  HttpClientRequest.post("https://api.anthropic.com/v1/messages").pipe(
                    HttpClientRequest.setHeaders({
                      "x-api-key": "sk-ant-1",
                      "anthropic-version": "2023-06-01"
                    }),
                    HttpClientRequest.bodyUnsafeJson({
                      model: "claude-haiku-4-5",
                      max_tokens: 9,
                      messages: [{ role: "user", content: "hi" }]
                    })
                  )
                )
                .pipe(Effect.orDie, Effect.as([{ type: "text" as const, text: "mine" }])),
            streamText: () => Stream.empty
          })
        )
      )
      const answer = yield* text("hi").pipe(
        Effect.provide(GatewayLanguageModel.fallback(later, gpt)),
        Effect.provide(Programs.inProcess(gatewayOf({ anthropic: [LocalGateway.text("hello")] })))
      )
      assert.strictEqual(answer, "mine")
    })
  )

  it.live("one that can fail to be built is one of layerFallback, which fails as it does", () =>
    Effect.gen(function* () {
      // @ts-expect-error This model can fail while it is built
      assert.isFunction(() => GatewayLanguageModel.fallback(Configured, gpt))
      const error = yield* text("hi").pipe(
        Effect.provide(GatewayLanguageModel.layerFallback([Configured, gpt])),
        Effect.provide(Programs.inProcess(gatewayOf({}))),
        Effect.flip
      )
      assert.include(String(error), "NO_SUCH_KEY_IS_SET")
    })
  )

  it.live("one that makes a request while it is built fails, and nothing is sent", () =>
    Effect.gen(function* () {
      const eager = Layer.unwrapEffect(
        Effect.flatMap(HttpClient.HttpClient, (client) =>
          Effect.as(client.get("https://api.anthropic.com/v1/models"), claude("claude-haiku-4-5"))
        )
      )
      const gateway = gatewayOf({})
      const error = yield* text("hi").pipe(
        Effect.provide(GatewayLanguageModel.layerFallback([eager])),
        Effect.provide(Programs.inProcess(gateway)),
        Effect.flip
      )
      assert.include(String(error), "belongs to none of its calls")
      assert.lengthOf(gateway.requests(), 0)
    })
  )

  it.live("none: that does not compile", () =>
    Effect.sync(() => {
      // @ts-expect-error at least one
      assert.isFunction(() => GatewayLanguageModel.fallback())
    })
  )

  it.live("credentials can be left out, and options are those of all requests", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [LocalGateway.text("hello")] })
      yield* text("hi").pipe(
        Effect.provide(
          GatewayLanguageModel.layerFallback([claude("claude-haiku-4-5"), gpt], {
            credentials: "omit",
            options: { cacheTtl: "1 hour" }
          })
        ),
        Effect.provide(Programs.inProcess(gateway))
      )
      const [request] = gateway.requests()
      assert.notInclude(JSON.stringify(request), "sk-")
      const [entry] = (request?.body ?? []) as ReadonlyArray<{ readonly headers: Record<string, string> }>
      assert.strictEqual(entry?.headers["cf-aig-cache-ttl"], "3600")
    })
  )
})

describe("two models of one provider", () => {
  it.live("are each asked for their own", () =>
    Effect.gen(function* () {
      const gateway = gatewayOf({ anthropic: [down, LocalGateway.text("hello")] })
      yield* text("hi").pipe(
        Effect.provide(
          GatewayLanguageModel.fallback(
            claude("claude-haiku-4-5"),
            claude("claude-sonnet-4-5", { key: "sk-ant-2" })
          )
        ),
        Effect.provide(Programs.inProcess(gateway))
      )
      assert.deepStrictEqual(modelsOf(gateway), ["claude-haiku-4-5", "claude-sonnet-4-5"])
      assert.deepStrictEqual(
        gateway.upstreamRequests().map(({ headers }) => headers["x-api-key"]),
        ["sk-ant-1", "sk-ant-2"]
      )
    })
  )
})
