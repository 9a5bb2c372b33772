/**
 * The provider emulator `@copilotkit/aimock`, unmodified, as the upstream of LocalGateway over real sockets, with its chaos: what
 * `test/peers.test.ts` leaves out. Every format that both of them and this library speak; whatever goes wrong is a typed error, and
 * the next leg answers.
 */
import { type ChaosConfig, LLMock, type MockServerOptions } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Schedule, Stream } from "effect"
import { AiGatewayError, ChatModel, LocalGateway, Message } from "effect-ai-gateway"
import { application, claude, clients, gemini, gpt, type Needs } from "./application.js"
import { eventually } from "./support.js"

const sentence = "Grüße from aimock: 灵感 🎈, at your service."

const emulator = (prepare: (mock: LLMock) => void, options: MockServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const mock = new LLMock({ port: 0, logLevel: "silent", ...options })
      prepare(mock)
      await mock.start()
      return mock
    }),
    // On Deno aimock may wait for ever for connections that it has itself destroyed.
    (mock) =>
      Effect.promise(() =>
        Promise.race([
          mock.stop().catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, 2000))
        ])
      )
  )

const says =
  (content: string) =>
  (mock: LLMock): void => {
    mock.onMessage(/.*/, { content }, { chunkSize: 5 })
  }

const chaotic = (chaos: ChaosConfig) => emulator(says(sentence), { chaos })

type Name = "openai" | "anthropic" | "google-ai-studio"

/** `bad` stands behind one provider, `good` behind the others. */
const gatewayTo = (name: Name, bad: LLMock, good: LLMock = bad) => {
  const url = (slug: Name) => (slug === name ? bad : good).url
  return LocalGateway.make({
    upstreams: {
      openai: LocalGateway.forward(`${url("openai")}/v1`),
      anthropic: LocalGateway.forward(url("anthropic")),
      "google-ai-studio": LocalGateway.forward(url("google-ai-studio"))
    }
  })
}

interface Peer {
  readonly name: Name
  readonly model: ChatModel.With<Needs>
  /** A leg of another provider. */
  readonly other: ChatModel.With<Needs>
}

const peers: ReadonlyArray<Peer> = [
  { name: "openai", model: gpt, other: claude },
  { name: "anthropic", model: claude, other: gemini },
  { name: "google-ai-studio", model: gemini, other: gpt }
]

const whole = (model: ChatModel.With<Needs>) => model.chat("hello")
const streamed = (model: ChatModel.With<Needs>) => ChatModel.collect(model.streamChat("hello"))

const tags = (attempts: ReadonlyArray<AiGatewayError.Attempt>) =>
  attempts.map(({ provider, error }) => `${provider} ${error._tag}`)

/** What each of aimock's faults is for this library. */
const faults: ReadonlyArray<{
  readonly fault: string
  readonly chaos: ChaosConfig
  readonly tag: AiGatewayError.LegError["_tag"]
}> = [
  { fault: "fails", chaos: { dropRate: 1 }, tag: "ProviderFailure" },
  { fault: "hangs up before it answers", chaos: { disconnectRate: 1 }, tag: "ProviderFailure" },
  { fault: "answers with something else than JSON", chaos: { malformedRate: 1 }, tag: "MalformedResponse" },
  { fault: "has had too many requests", chaos: { rateLimitRate: 1 }, tag: "RateLimited" }
]

for (const [clientName, client] of clients) {
  describe(`${clientName} → LocalGatewayServer → aimock`, () => {
    for (const { name, model, other } of peers) {
      describe(name, () => {
        for (const { fault, chaos, tag } of faults) {
          it.live(`${fault}: a typed error, and the next leg answers`, () =>
            Effect.gen(function* () {
              const bad = yield* chaotic(chaos)
              const good = yield* emulator(says(sentence))
              const context = yield* Layer.build(application(gatewayTo(name, bad, good), client))
              for (const call of [whole, streamed]) {
                const error = yield* Effect.flip(call(model)).pipe(Effect.provide(context))
                assert.strictEqual(error._tag, tag)
                assert(error._tag !== "AllProvidersFailed")
                assert.strictEqual(error.provider, name)
                const answer = yield* call(ChatModel.firstSuccessOf([model, other])).pipe(
                  Effect.provide(context)
                )
                assert.strictEqual(answer.text, sentence)
                assert.deepStrictEqual(tags(answer.attempts), [`${name} ${tag}`])
              }
              assert.lengthOf(good.getRequests(), 2)
            }).pipe(Effect.scoped)
          )
        }

        it.live("is retried when a retry can help, until it answers", () =>
          Effect.gen(function* () {
            const mock = yield* chaotic({ dropRate: 1 })
            const patient = model.pipe(ChatModel.retry(Schedule.spaced("20 millis")))
            const fiber = yield* whole(patient).pipe(
              Effect.provide(application(gatewayTo(name, mock), client)),
              Effect.fork
            )
            yield* eventually(() => mock.getRequests().length > 2)
            mock.clearChaos()
            const answer = yield* Fiber.join(fiber)
            assert.strictEqual(answer.text, sentence)
            assert.isEmpty(answer.attempts)
          }).pipe(Effect.scoped)
        )

        it.live("tells its statuses apart, and the next leg answers to all of them", () =>
          Effect.gen(function* () {
            const cases: ReadonlyArray<readonly [number, string, AiGatewayError.LegError["_tag"]]> = [
              [401, "authentication_error", "Unauthorized"],
              [403, "permission_error", "Unauthorized"],
              [500, "api_error", "ProviderFailure"],
              [503, "overloaded_error", "ProviderFailure"]
            ]
            const bad = yield* emulator(says(sentence))
            const good = yield* emulator(says(sentence))
            const context = yield* Layer.build(application(gatewayTo(name, bad, good), client))
            for (const [status, type, tag] of cases) {
              for (const call of [whole, streamed]) {
                bad.nextRequestError(status, { message: "No.", type })
                const error = yield* Effect.flip(call(model)).pipe(Effect.provide(context))
                assert.strictEqual(error._tag, tag, `${status}`)
                assert(error._tag !== "AllProvidersFailed")
                assert.strictEqual(error.status, status)
                bad.nextRequestError(status, { message: "No.", type })
                const answer = yield* call(ChatModel.firstSuccessOf([model, other])).pipe(
                  Effect.provide(context)
                )
                assert.deepStrictEqual(tags(answer.attempts), [`${name} ${tag}`])
              }
            }
          }).pipe(Effect.scoped)
        )

        it.live("is left when it takes too long to begin", () =>
          Effect.gen(function* () {
            const bad = yield* chaotic({ latencyMs: 3000 })
            const good = yield* emulator(says(sentence))
            const context = yield* Layer.build(application(gatewayTo(name, bad, good), client))
            const list = ChatModel.firstSuccessOf([
              model.pipe(ChatModel.withTimeouts({ firstEvent: "200 millis" })),
              other
            ])
            const answer = yield* streamed(list).pipe(Effect.provide(context))
            assert.strictEqual(answer.text, sentence)
            assert.deepStrictEqual(tags(answer.attempts), [`${name} ModelTimeout`])
            // The gateway does as much when it is told to.
            const request = { prompt: "hello", options: { requestTimeout: "200 millis" as const } }
            const [took, second] = yield* ChatModel.firstSuccessOf([model, other])
              .chat(request)
              .pipe(Effect.timed, Effect.provide(context))
            assert.strictEqual(second.text, sentence)
            assert.lengthOf(second.attempts, 1)
            assert.isBelow(Duration.toMillis(took), 2500)
          }).pipe(Effect.scoped)
        )

        it.live("goes silent in mid-stream: the idle clock ends it", () =>
          Effect.gen(function* () {
            const slow = yield* emulator((mock) => {
              mock.onMessage(
                /.*/,
                { content: sentence },
                { chunkSize: 5, streamingProfile: { ttft: 10, tps: 0.2 } }
              )
            })
            const error = yield* model.pipe(ChatModel.withTimeouts({ idle: "300 millis" }), (impatient) =>
              streamed(impatient).pipe(
                Effect.flip,
                Effect.provide(application(gatewayTo(name, slow), client))
              )
            )
            if (error._tag === "StreamBroken") {
              assert.isTrue(sentence.startsWith(error.delivered.text))
              assert.strictEqual(error.cause._tag, "ModelTimeout")
            } else assert.strictEqual(error._tag, "ModelTimeout")
          }).pipe(Effect.scoped)
        )

        it.live("hangs up after some time: what came is kept", () =>
          Effect.gen(function* () {
            const bad = yield* emulator((mock) => {
              mock.onMessage(
                /.*/,
                { content: "one two three four five six seven eight" },
                { chunkSize: 4, latency: 60, disconnectAfterMs: 330 }
              )
            })
            const good = yield* emulator(says(sentence))
            const error = yield* streamed(ChatModel.firstSuccessOf([model, other])).pipe(
              Effect.flip,
              Effect.provide(application(gatewayTo(name, bad, good), client))
            )
            assert(error._tag === "StreamBroken", error._tag)
            assert.match(error.delivered.text, /^one /)
            assert.isTrue("one two three four five six seven eight".startsWith(error.delivered.text))
            assert.strictEqual(error.cause._tag, "TransportFailure")
            assert.isEmpty(good.getRequests())
          }).pipe(Effect.scoped)
        )

        it.live("calls a tool, whole and streamed", () =>
          Effect.gen(function* () {
            const mock = yield* emulator((mock) => {
              mock.onMessage(
                /.*/,
                { toolCalls: [{ name: "weather", arguments: JSON.stringify({ city: "Zürich 🎈" }) }] },
                { chunkSize: 3 }
              )
            })
            const context = yield* Layer.build(application(gatewayTo(name, mock), client))
            for (const call of [whole, streamed]) {
              const answer = yield* call(model).pipe(Effect.provide(context))
              assert.strictEqual(answer.finishReason, "tool-calls")
              assert.deepStrictEqual(
                answer.toolCalls.map((call) => [call.name, JSON.parse(call.arguments)]),
                [["weather", { city: "Zürich 🎈" }]]
              )
            }
          }).pipe(Effect.scoped)
        )

        it.live("gets the whole conversation, and stops for length", () =>
          Effect.gen(function* () {
            const mock = yield* emulator((mock) => {
              mock.on(
                { userMessage: /third/, systemMessage: /kind/ },
                { content: "…", finishReason: "length" }
              )
            })
            const answer = yield* model
              .chat({
                system: "Be kind.",
                messages: [Message.user("first"), Message.assistant("second"), Message.user("third")]
              })
              .pipe(Effect.provide(application(gatewayTo(name, mock), client)))
            assert.strictEqual(answer.text, "…")
            assert.strictEqual(answer.finishReason, "length")
            // As the emulator understood it, whatever the format.
            assert.deepNestedInclude(mock.getLastRequest(), {
              "body.messages[0].role": "system",
              "body.messages[1].role": "user",
              "body.messages[2].role": "assistant",
              "body.messages[3].role": "user",
              "body.messages.length": 4
            })
          }).pipe(Effect.scoped)
        )

        it.live("is seen to be left by a reader who has enough", () =>
          Effect.gen(function* () {
            const mock = yield* emulator((mock) => {
              mock.onMessage(/.*/, { content: sentence.repeat(20) }, { chunkSize: 5, latency: 20 })
            })
            const gateway = gatewayTo(name, mock)
            yield* model.streamChat("hello").pipe(
              Stream.filter(({ _tag }) => _tag === "TextDelta"),
              Stream.take(2),
              Stream.runDrain,
              Effect.andThen(eventually(() => gateway.inFlight() === 0)),
              Effect.provide(application(gateway, client))
            )
            assert.isTrue(gateway.requests()[0]?.aborted)
          }).pipe(Effect.scoped)
        )
      })
    }

    it.live("a list whose legs all fail: one record for each", () =>
      Effect.gen(function* () {
        const dropping = yield* chaotic({ dropRate: 1 })
        const limiting = yield* chaotic({ rateLimitRate: 1 })
        const context = yield* Layer.build(application(gatewayTo("openai", dropping, limiting), client))
        for (const call of [whole, streamed]) {
          const error = yield* call(ChatModel.firstSuccessOf([gpt, claude, gemini])).pipe(
            Effect.flip,
            Effect.provide(context)
          )
          assert(error._tag === "AllProvidersFailed", error._tag)
          assert.deepStrictEqual(tags(error.attempts), [
            "openai ProviderFailure",
            "anthropic RateLimited",
            "google-ai-studio RateLimited"
          ])
        }
      }).pipe(Effect.scoped)
    )

    it.live(
      "a hundred calls through chance: the right text or a typed error, and nothing left open",
      () =>
        Effect.gen(function* () {
          const bad = yield* chaotic({
            dropRate: 0.2,
            malformedRate: 0.2,
            rateLimitRate: 0.2,
            disconnectRate: 0.2
          })
          const gateway = gatewayTo("openai", bad)
          const list = ChatModel.firstSuccessOf([gpt, claude, gemini])
          const outcomes = yield* Effect.forEach(
            Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? whole : streamed)),
            (call) => Effect.either(call(list)),
            { concurrency: 16 }
          ).pipe(
            Effect.tap(() => eventually(() => gateway.inFlight() === 0)),
            Effect.provide(application(gateway, client))
          )
          let answered = 0
          for (const outcome of outcomes) {
            if (outcome._tag === "Right") {
              answered++
              assert.strictEqual(outcome.right.text, sentence)
              assert.isAtMost(outcome.right.attempts.length, 2)
            } else {
              assert.isTrue(AiGatewayError.isAiGatewayError(outcome.left))
              assert(outcome.left._tag === "AllProvidersFailed", outcome.left._tag)
              assert.lengthOf(outcome.left.attempts, 3)
            }
          }
          // About four calls of five get an answer.
          assert.isAbove(answered, 45)
          assert.isBelow(answered, 100)
        }).pipe(Effect.scoped),
      20_000
    )
  })
}
