/** What fails through the binding fails as over HTTPS does, to the last field. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schedule, Stream } from "effect"
import { type AiGatewayError, Anthropic, ChatModel, LocalGateway, OpenAi } from "effect-ai-gateway"
import type { Settings } from "./control.js"
import * as Gateway from "./gateway.js"
import { onBoth, throughBinding } from "./transports.js"

const { always, dropAfter, errorEvent, raw, script, status, text } = LocalGateway

const once = ChatModel.retry(Schedule.recurs(0))
const openai = once(OpenAi.model("gpt-4.1-mini"))
const anthropic = once(Anthropic.model("claude-haiku-4-5", { maxTokens: 1000 }))

type Failure = AiGatewayError.AiGatewayError

/** What an error says, without what is made up for each call. */
const told = (error: Failure) => ({
  tag: error._tag,
  // Some messages count the milliseconds of an attempt, or quote an id.
  message: error.message.replace(/\b(cf-ray|req_|ray)\S*/gi, ""),
  ...("attempts" in error
    ? {}
    : {
        source: error.source,
        provider: error.provider,
        model: error.model,
        status: error.status,
        code: error.code,
        retryable: error.retryable,
        retryAfter: error.retryAfter,
        hasLog: error.logId !== undefined
      })
})

const openAiSays = (reply: LocalGateway.Reply): Settings => ({ upstreams: { openai: always(reply) } })

const html = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"

const cases: ReadonlyArray<
  readonly [name: string, settings: Settings, expected: Partial<ReturnType<typeof told>>]
> = [
  [
    "the gateway does not exist",
    { gateways: ["another-gateway"] },
    { tag: "GatewayNotFound", source: "gateway", status: 400, code: 2001 }
  ],
  [
    "the gateway's rate limit is reached",
    { rateLimit: { limit: 0, interval: "1 hour" } },
    { tag: "RateLimited", source: "gateway", status: 429, code: 2003 }
  ],
  [
    "the gateway blocks the prompt",
    openAiSays(LocalGateway.guardrail("prompt")),
    { tag: "ContentBlocked", source: "gateway", code: 2016 }
  ],
  [
    "the provider refuses its key",
    { keys: { openai: "another-key" } },
    { tag: "Unauthorized", source: "provider", status: 401, provider: "openai" }
  ],
  [
    "the provider does not have the model",
    { unknownModels: ["gpt-4.1-mini"] },
    { tag: "ModelNotFound", source: "provider", status: 404 }
  ],
  ["the provider is asked too often", openAiSays(status(429)), { tag: "RateLimited", status: 429 }],
  [
    "the provider says when to come back",
    openAiSays(status(429, { headers: { "retry-after": "7" } })),
    { tag: "RateLimited", status: 429, retryAfter: Duration.seconds(7) }
  ],
  ["the provider is overloaded", openAiSays(status(503)), { tag: "ProviderFailure", status: 503 }],
  ["the edge answers with a page", openAiSays(LocalGateway.edgeHtml(524)), { source: "edge", status: 524 }],
  [
    "the provider answers 200 with a page",
    openAiSays(raw({ body: html, headers: { "content-type": "text/html" } })),
    { tag: "MalformedResponse" }
  ],
  ["the provider answers 200 with half of a JSON", openAiSays(raw({ body: '{"choices":[{"mess' })), {}],
  ["the provider answers 200 with nothing", openAiSays(raw({ body: "" })), {}],
  [
    "the provider's 200 is an error",
    openAiSays(errorEvent(text("never seen"), 0)),
    { tag: "ProviderFailure", source: "provider" }
  ]
]

for (const [name, settings, expected] of cases) {
  describe(name, () => {
    for (const [how, ask] of [
      ["a chat", openai.chat("hi")],
      ["a stream", ChatModel.collect(openai.streamChat("hi"))]
    ] as const) {
      it.effect(`${how} fails`, () =>
        Effect.gen(function* () {
          const { result, binding } = yield* onBoth(settings, Effect.map(Effect.flip(ask), told))
          assert.deepInclude(result, expected)
          assert.notInclude(result.message, "key-of-")
          assert.lengthOf(binding.requests, 1)
        })
      )
    }
  })
}

describe("a connection", () => {
  it.effect("that breaks before any answer is a TransportFailure", () =>
    throughBinding(
      openAiSays(LocalGateway.disconnect),
      Effect.gen(function* () {
        const error = yield* Effect.flip(openai.chat("hi"))
        assert.strictEqual(error._tag, "TransportFailure")
      })
    )
  )

  it.effect("that breaks within an answer is a TransportFailure", () =>
    throughBinding(
      openAiSays(dropAfter(text("one two three"), 1)),
      Effect.gen(function* () {
        const error = yield* Effect.flip(openai.chat("hi"))
        assert.strictEqual(error._tag, "TransportFailure")
      })
    )
  )

  it.effect("that breaks within a stream ends it as broken, with what was delivered", () =>
    throughBinding(
      openAiSays(dropAfter(text("one two three"), 3)),
      Effect.gen(function* () {
        const pieces: Array<string> = []
        const error = yield* openai.streamComplete("hi").pipe(
          Stream.runForEach((piece) => Effect.sync(() => pieces.push(piece))),
          Effect.flip
        )
        if (error._tag !== "StreamBroken") return assert.fail(error._tag)
        assert.strictEqual(error.delivered.text, pieces.join(""))
        assert.strictEqual(error.delivered.text, "one two")
        assert.strictEqual(error.cause._tag, "TransportFailure")
        assert.lengthOf((yield* Gateway.records).requests, 1)
      })
    )
  )

  it.effect("that ends in the middle of an event ends the stream as broken", () =>
    throughBinding(
      openAiSays(
        raw({
          headers: { "content-type": "text/event-stream" },
          body: [
            'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"one"}}]}\n\n',
            'data: {"choices":[{"index":0,"del'
          ]
        })
      ),
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.runDrain(openai.streamChat("hi")))
        if (error._tag !== "StreamBroken") return assert.fail(error._tag)
        assert.strictEqual(error.delivered.text, "one")
      })
    )
  )
})

describe("an error inside a stream", () => {
  it.effect("breaks it after its first content, and nothing else is asked", () =>
    throughBinding(
      { upstreams: { anthropic: always(errorEvent(text("one two three"), 4)) } },
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([anthropic, openai])
        const error = yield* Effect.flip(Stream.runDrain(list.streamChat("hi")))
        if (error._tag !== "StreamBroken") return assert.fail(error._tag)
        assert.strictEqual(error.cause._tag, "ProviderFailure")
        assert.lengthOf((yield* Gateway.records).requests, 1)
      })
    )
  )
})

describe("retries", () => {
  it.effect("repeat the call through the binding, after the waits that the schedule says", () =>
    throughBinding(
      { upstreams: { openai: script([status(503), status(503)], text("at last")) } },
      Effect.gen(function* () {
        const patient = ChatModel.retry(OpenAi.model("gpt-4.1-mini"), Schedule.recurs(2))
        assert.strictEqual((yield* patient.chat("hi")).text, "at last")
        assert.lengthOf((yield* Gateway.records).requests, 3)
      })
    )
  )
})
