/**
 * Strangers on both sides, over real sockets of 127.0.0.1: this library through LocalGateway to the provider emulator
 * `@copilotkit/aimock`, and the `openai` client, unmodified, to LocalGateway. Neither peer shares any code with this project.
 */
import { LLMock, type MockServerOptions } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schedule, Stream } from "effect"
import { type AiGatewayError, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { AuthenticationError, InternalServerError, NotFoundError, OpenAI } from "openai"
import { application, claude, clients, gemini, gpt, type Needs } from "./peers/application.js"

// --- this library → LocalGateway → aimock -----------------------------------------------------------------------------

/** An aimock on a port of its own. */
const emulator = (prepare: (mock: LLMock) => void, options: MockServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const mock = new LLMock({ port: 0, logLevel: "silent", ...options })
      prepare(mock)
      await mock.start()
      return mock
    }),
    (mock) => Effect.promise(() => mock.stop().catch(() => undefined))
  )

/** A URL at which nobody listens any more. */
const nobody = Effect.scoped(Effect.map(emulator(says("…")), (mock) => mock.url))

const sentence = "Grüße from aimock: 灵感 🎈, at your service."

function says(content: string) {
  return (mock: LLMock): void => {
    mock.onMessage(/.*/, { content }, { chunkSize: 5 })
  }
}

/** Closes the socket after so many events; the pauses make sure that those before it have left. */
const cutsAfter = (chunks: number) => (mock: LLMock) => {
  mock.onMessage(
    /.*/,
    { content: "one two three four five six" },
    { chunkSize: 4, latency: 20, truncateAfterChunks: chunks }
  )
}

/** Where each provider is. */
const gatewayTo = (urls: {
  readonly openai: string
  readonly anthropic?: string
  readonly google?: string
}) =>
  LocalGateway.make({
    upstreams: {
      openai: LocalGateway.forward(`${urls.openai}/v1`),
      anthropic: LocalGateway.forward(urls.anthropic ?? urls.openai),
      "google-ai-studio": LocalGateway.forward(urls.google ?? urls.openai)
    }
  })

interface Peer {
  readonly name: string
  readonly path: string
  readonly model: ChatModel.With<Needs>
  /** A leg of another provider. */
  readonly other: ChatModel.With<Needs>
  /** How many events come before the first text. */
  readonly preamble: number
}

const peers: ReadonlyArray<Peer> = [
  { name: "openai", path: "/v1/chat/completions", model: gpt, other: claude, preamble: 1 },
  { name: "anthropic", path: "/v1/messages", model: claude, other: gemini, preamble: 2 },
  {
    name: "google-ai-studio",
    path: "/v1beta/models/gemini-2.5-flash:",
    model: gemini,
    other: gpt,
    preamble: 0
  }
]

/** `bad` stands behind one provider, `good` behind the others. */
const only = (name: string, bad: string, good: string) =>
  gatewayTo({
    openai: name === "openai" ? bad : good,
    anthropic: name === "anthropic" ? bad : good,
    google: name === "google-ai-studio" ? bad : good
  })

const tags = (attempts: ReadonlyArray<AiGatewayError.Attempt>) =>
  attempts.map(({ provider, error }) => `${provider} ${error._tag}`)

for (const [clientName, client] of clients) {
  describe(`${clientName} → LocalGatewayServer → aimock`, () => {
    for (const { name, path, model, other, preamble } of peers) {
      describe(name, () => {
        it.live("chats", () =>
          Effect.gen(function* () {
            const mock = yield* emulator(says(sentence))
            const answer = yield* model
              .chat({ prompt: "hello", system: "Be kind.", maxTokens: 100 })
              .pipe(Effect.provide(application(gatewayTo({ openai: mock.url }), client)))
            assert.strictEqual(answer.text, sentence)
            assert.strictEqual(answer.finishReason, "stop")
            assert.strictEqual(answer.provider, name)
            assert.isString(answer.gateway.logId)
            const [request, ...others] = mock.getRequests()
            assert.isEmpty(others)
            assert.isTrue(request?.path.startsWith(path), request?.path)
            assert.deepStrictEqual(
              Object.keys(request?.headers ?? {}).filter((header) => header.startsWith("cf-aig")),
              []
            )
          }).pipe(Effect.scoped)
        )

        it.live("streams", () =>
          Effect.gen(function* () {
            const mock = yield* emulator(says(sentence))
            const events = yield* model
              .streamChat("hello")
              .pipe(Stream.runCollect, Effect.provide(application(gatewayTo({ openai: mock.url }), client)))
            const answer = yield* ChatModel.collect(Stream.fromIterable(events))
            assert.strictEqual(answer.text, sentence)
            assert.strictEqual(answer.finishReason, "stop")
            assert.isAbove(Array.from(events).filter(({ _tag }) => _tag === "TextDelta").length, 3)
          }).pipe(Effect.scoped)
        )

        it.live("is left when it is down, by chat and by stream", () =>
          Effect.gen(function* () {
            const good = yield* emulator(says(sentence))
            const list = ChatModel.firstSuccessOf([model, other])
            const [chat, stream] = yield* Effect.all([
              list.chat("hello"),
              ChatModel.collect(list.streamChat("hello"))
            ]).pipe(Effect.provide(application(only(name, yield* nobody, good.url), client)))
            for (const answer of [chat, stream]) {
              assert.strictEqual(answer.text, sentence)
              assert.deepStrictEqual(tags(answer.attempts), [`${name} ProviderFailure`])
            }
          }).pipe(Effect.scoped)
        )

        it.live("is left when its stream is cut before the first text", () =>
          Effect.gen(function* () {
            const bad = yield* emulator(cutsAfter(preamble + 1))
            const good = yield* emulator(says(sentence))
            const list = ChatModel.firstSuccessOf([model, other])
            const answer = yield* ChatModel.collect(list.streamChat("hello")).pipe(
              Effect.provide(application(only(name, bad.url, good.url), client))
            )
            assert.strictEqual(answer.text, sentence)
            // Without a preamble nothing at all comes, and the gateway itself reports the provider.
            assert.deepStrictEqual(tags(answer.attempts), [
              `${name} ${preamble === 0 ? "ProviderFailure" : "TransportFailure"}`
            ])
          }).pipe(Effect.scoped)
        )

        it.live("keeps what came before its stream was cut, and adds nobody else's words", () =>
          Effect.gen(function* () {
            const bad = yield* emulator(cutsAfter(preamble + 3))
            const good = yield* emulator(says(sentence))
            const list = ChatModel.firstSuccessOf([model, other])
            const error = yield* list
              .streamChat("hello")
              .pipe(
                Stream.runDrain,
                Effect.flip,
                Effect.provide(application(only(name, bad.url, good.url), client))
              )
            assert(error._tag === "StreamBroken", error._tag)
            assert.strictEqual(error.delivered.text, "one two ")
            assert.strictEqual(error.cause._tag, "TransportFailure")
            assert.isEmpty(good.getRequests())
          }).pipe(Effect.scoped)
        )

        it.live("is left when it asks for a longer pause than the policy has", () =>
          Effect.gen(function* () {
            const bad = yield* emulator(says(sentence), { chaos: { rateLimitRate: 1 } })
            const good = yield* emulator(says(sentence))
            const impatient = model.pipe(ChatModel.retry(Schedule.recurs(5), { maxRetryAfter: "500 millis" }))
            const [took, answer] = yield* ChatModel.firstSuccessOf([impatient, other])
              .chat("hello")
              .pipe(Effect.timed, Effect.provide(application(only(name, bad.url, good.url), client)))
            assert.strictEqual(answer.text, sentence)
            assert.deepStrictEqual(tags(answer.attempts), [`${name} RateLimited`])
            assert.deepStrictEqual(answer.attempts[0]?.error.retryAfter, Duration.seconds(1))
            assert.isBelow(Duration.toMillis(took), 900)
            assert.lengthOf(bad.getRequests(), 1)
          }).pipe(Effect.scoped)
        )
      })
    }

    it.live("waits as long as Retry-After says, and asks the same provider again", () =>
      Effect.gen(function* () {
        const mock = yield* emulator(says(sentence))
        mock.nextRequestError(429, { message: "Slow down", type: "rate_limit_error" })
        const [took, answer] = yield* OpenAi.model("gpt-4.1-mini")
          .pipe(ChatModel.retry(Schedule.recurs(1)))
          .chat("hello")
          .pipe(Effect.timed, Effect.provide(application(gatewayTo({ openai: mock.url }), client)))
        assert.strictEqual(answer.text, sentence)
        assert.isEmpty(answer.attempts)
        assert.isAtLeast(Duration.toMillis(took), 1000)
        assert.lengthOf(mock.getRequests(), 2)
      }).pipe(Effect.scoped)
    )

    it.live("leaves a provider that answers with something else than JSON", () =>
      Effect.gen(function* () {
        const bad = yield* emulator(says(sentence), { chaos: { malformedRate: 1 } })
        const good = yield* emulator(says(sentence))
        const list = ChatModel.firstSuccessOf([gpt, claude])
        const [chat, stream] = yield* Effect.all([
          list.chat("hello"),
          ChatModel.collect(list.streamChat("hello"))
        ]).pipe(Effect.provide(application(only("openai", bad.url, good.url), client)))
        assert.deepStrictEqual(tags(chat.attempts), ["openai MalformedResponse"])
        assert.deepStrictEqual(tags(stream.attempts), ["openai MalformedResponse"])
      }).pipe(Effect.scoped)
    )
  })
}

// --- openai → LocalGateway --------------------------------------------------------------------------------------------

const openAiClient = (options: LocalGateway.Options, token = "local-token") =>
  Effect.map(LocalGatewayServer.start(LocalGateway.make(options)), ({ baseUrl, gateway }) => ({
    gateway,
    client: new OpenAI({
      baseURL: `${baseUrl}/local-account/local-gateway/openai`,
      apiKey: "sk-openai",
      defaultHeaders: { "cf-aig-authorization": `Bearer ${token}` },
      maxRetries: 0
    })
  }))

const messages = [{ role: "user" as const, content: "Good morning" }]

/** What a call was rejected with; `undefined` if it was not. */
const failureOf = (call: () => Promise<unknown>): Effect.Effect<unknown> =>
  Effect.promise(() =>
    call().then(
      () => undefined,
      (error: unknown) => error
    )
  )

describe("the openai client → LocalGatewayServer", () => {
  it.live("chats", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* openAiClient({})
      const { data, response } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "gpt-4.1-mini", messages }).withResponse()
      )
      assert.strictEqual(data.choices[0]?.message.content, "You said: Good morning")
      assert.strictEqual(data.choices[0]?.finish_reason, "stop")
      assert.isAbove(data.usage?.total_tokens ?? 0, 0)
      assert.strictEqual(response.headers.get("cf-aig-log-id"), gateway.logs()[0]?.id)
    }).pipe(Effect.scoped)
  )

  it.live("streams, with usage at the end", () =>
    Effect.gen(function* () {
      const { client } = yield* openAiClient({})
      const chunks = yield* Effect.promise(async () => {
        const stream = await client.chat.completions.create({
          model: "gpt-4.1-mini",
          messages,
          stream: true,
          stream_options: { include_usage: true }
        })
        const chunks: Array<OpenAI.ChatCompletionChunk> = []
        for await (const chunk of stream) chunks.push(chunk)
        return chunks
      })
      const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")
      assert.strictEqual(text, "You said: Good morning")
      assert.include(
        chunks.map((chunk) => chunk.choices[0]?.finish_reason),
        "stop"
      )
      assert.isAbove(chunks.at(-1)?.usage?.total_tokens ?? 0, 0)
    }).pipe(Effect.scoped)
  )

  it.live("calls a tool", () =>
    Effect.gen(function* () {
      const { client } = yield* openAiClient({
        upstreams: { openai: LocalGateway.always(LocalGateway.toolCall("weather", { city: "Zürich" })) }
      })
      const completion = yield* Effect.promise(() =>
        client.chat.completions
          .stream({
            model: "gpt-4.1-mini",
            messages,
            tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }]
          })
          .finalChatCompletion()
      )
      const [call] = completion.choices[0]?.message.tool_calls ?? []
      assert(call?.type === "function")
      assert.strictEqual(call.function.name, "weather")
      assert.deepStrictEqual(JSON.parse(call.function.arguments), { city: "Zürich" })
      assert.strictEqual(completion.choices[0]?.finish_reason, "tool_calls")
    }).pipe(Effect.scoped)
  )

  it.live("knows the errors of the provider and of the gateway", () =>
    Effect.gen(function* () {
      const { client } = yield* openAiClient({
        upstreams: { openai: LocalGateway.script([LocalGateway.status(503)]) }
      })
      const ask = (model: string) => () => client.chat.completions.create({ model, messages })
      const overloaded = yield* failureOf(ask("gpt-4.1-mini"))
      assert.instanceOf(overloaded, InternalServerError)
      assert.strictEqual(overloaded.status, 503)
      const missing = yield* failureOf(ask("gpt-does-not-exist"))
      assert.instanceOf(missing, NotFoundError)
      assert.strictEqual(missing.code, "model_not_found")
      const { client: stranger } = yield* openAiClient({}, "wrong")
      const refused = yield* failureOf(() =>
        stranger.chat.completions.create({ model: "gpt-4.1-mini", messages })
      )
      assert.instanceOf(refused, AuthenticationError)
    }).pipe(Effect.scoped)
  )

  it.live("retries as Retry-After says", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* openAiClient({
        upstreams: {
          openai: LocalGateway.script([LocalGateway.status(429, { headers: { "retry-after-ms": "50" } })])
        }
      })
      const answer = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "gpt-4.1-mini", messages }, { maxRetries: 1 })
      )
      assert.strictEqual(answer.choices[0]?.message.content, "You said: Good morning")
      const [first, second, ...others] = gateway.requests()
      assert.isEmpty(others)
      assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 45)
    }).pipe(Effect.scoped)
  )

  it.live("goes away in the middle of a stream", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* openAiClient({
        upstreams: {
          openai: LocalGateway.always(LocalGateway.stallAfter(LocalGateway.text("one two three"), 3))
        }
      })
      const abort = new AbortController()
      // This client ends the loop without an error when it is aborted.
      const text = yield* Effect.promise(async () => {
        const stream = await client.chat.completions.create(
          { model: "gpt-4.1-mini", messages, stream: true },
          { signal: abort.signal }
        )
        let text = ""
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta.content ?? ""
          if (text !== "" && gateway.inFlight() === 1) abort.abort()
        }
        return text
      })
      assert.match(text, /^one/)
      assert.isTrue(abort.signal.aborted)
      yield* Effect.sync(() => gateway.inFlight()).pipe(
        Effect.repeat({ until: (open) => open === 0, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("2 seconds")
      )
      assert.isTrue(gateway.requests()[0]?.aborted)
    }).pipe(Effect.scoped)
  )
})
