import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Schedule, Stream } from "effect"
import {
  type AiGatewayError,
  Anthropic,
  ChatModel,
  GoogleAiStudio,
  LocalGateway,
  OpenAi,
  WorkersAi
} from "effect-ai-gateway"
import * as Errors from "effect-ai-gateway/AiGatewayError"

const { always, disconnect, dlp, edgeHtml, errorEvent, guardrail, raw, status, text } = LocalGateway

const providers = Layer.mergeAll(OpenAi.layer(), Anthropic.layer(), GoogleAiStudio.layer(), WorkersAi.layer())

const once = ChatModel.retry(Schedule.recurs(0))

const openai = OpenAi.model("gpt-4.1-mini").pipe(once)
const anthropic = Anthropic.model("claude-haiku-4-5").pipe(once)
const google = GoogleAiStudio.model("gemini-2.5-flash").pipe(once)
const workersAi = WorkersAi.model("@cf/meta/llama-3.1-8b-instruct").pipe(once)

type Needs<M> = M extends ChatModel.With<infer R> ? R : never
type AnyModel = ChatModel.With<
  Needs<typeof openai> | Needs<typeof anthropic> | Needs<typeof google> | Needs<typeof workersAi>
>

const models: Readonly<Record<string, AnyModel>> = {
  openai,
  anthropic,
  "google-ai-studio": google,
  "workers-ai": workersAi
}

const behind = (reply: LocalGateway.Reply | LocalGateway.Upstream) => {
  const upstream = "modifiers" in reply ? always(reply) : reply
  return Layer.merge(
    providers,
    LocalGateway.layerTest({
      upstreams: {
        openai: upstream,
        anthropic: upstream,
        "google-ai-studio": upstream,
        "workers-ai": upstream
      }
    })
  )
}

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  raw({ status, body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } })

interface Expected {
  readonly tag: AiGatewayError.LegError["_tag"]
  readonly source?: AiGatewayError.Source | undefined
  readonly status?: number | undefined
  readonly code?: number | string | undefined
  readonly retryable?: boolean | undefined
  /** Words that the message has. */
  readonly says?: string | RegExp | undefined
  readonly check?: ((error: AiGatewayError.LegError) => void) | undefined
}

const check = (
  error: AiGatewayError.AiGatewayError,
  provider: string,
  { tag, source, status, code, retryable, says, check }: Expected
) => {
  assert.isTrue(Errors.isAiGatewayError(error))
  assert.strictEqual(error._tag, tag)
  if (error._tag === "AllProvidersFailed" || error._tag === "StreamBroken") return assert.fail(error._tag)
  if (source !== undefined) assert.strictEqual(error.source, source)
  if (status !== undefined) assert.strictEqual(error.status, status)
  if (code !== undefined) assert.strictEqual(error.code, code)
  if (retryable !== undefined) assert.strictEqual(Errors.isRetryable(error), retryable)
  // A message that a person can act on: it is there, is one paragraph, and hides no object.
  assert.isAbove(error.message.length, 10)
  assert.isBelow(error.message.length, 1500)
  assert.notInclude(error.message, "[object Object]")
  assert.notInclude(error.message, "undefined")
  if (typeof says === "string") assert.include(error.message, says)
  if (says !== undefined && typeof says !== "string") assert.match(error.message, says)
  assert.strictEqual(error.provider, provider)
  assert.isString(error.model)
  check?.(error)
}

/** The same error for a whole answer and for a stream. */
const bothWays = (
  title: string,
  provider: string,
  reply: LocalGateway.Reply | LocalGateway.Upstream,
  expected: Expected
) => {
  const model = models[provider] ?? assert.fail(provider)
  it.effect(`${title} (chat)`, () =>
    Effect.gen(function* () {
      check(yield* Effect.flip(model.chat("hello")), provider, expected)
      assert.strictEqual((yield* LocalGateway.Gateway).requests().length, 1)
    }).pipe(Effect.provide(behind(reply)))
  )
  it.effect(`${title} (stream)`, () =>
    Effect.gen(function* () {
      check(yield* Effect.flip(Stream.runDrain(model.streamChat("hello"))), provider, expected)
      const gateway = yield* LocalGateway.Gateway
      assert.strictEqual(gateway.requests().length, 1)
      assert.strictEqual(gateway.inFlight(), 0)
    }).pipe(Effect.provide(behind(reply)))
  )
}

describe("what the gateway itself says", () => {
  const shapes = (code: number, message: string): ReadonlyArray<readonly [string, unknown]> => [
    ["{error: […]}", { success: false, result: [], messages: [], error: [{ code, message }] }],
    ["{errors: […]}", { success: false, result: null, messages: [], errors: [{ code, message }] }],
    ["a string", { success: false, error: message, internalCode: code }]
  ]
  for (const [shape, body] of shapes(2001, "Please configure AI Gateway in the Cloudflare dashboard")) {
    bothWays(`68. 400 with code 2001 as ${shape}`, "openai", json(400, body), {
      tag: "GatewayNotFound",
      status: 400,
      code: 2001,
      retryable: false
    })
  }
  for (const [shape, body] of shapes(2009, "Unauthorized")) {
    bothWays(`68. 401 with code 2009 as ${shape}`, "anthropic", json(401, body), {
      tag: "Unauthorized",
      source: "gateway",
      status: 401,
      code: 2009,
      retryable: false
    })
  }

  bothWays(
    "69. an unknown code is not taken for another: code, message and log id are kept",
    "openai",
    json(400, { success: false, result: [], messages: [], error: [{ code: 9999, message: "A new thing" }] }),
    {
      tag: "BadRequest",
      code: 9999,
      status: 400,
      says: "A new thing",
      check: (error) => assert.match(error.logId ?? "", /^[0-9A-Z]{26}$/)
    }
  )

  for (const [code, httpStatus, tag] of [
    [2003, 429, "RateLimited"],
    [2005, 400, "ProviderFailure"],
    [2008, 400, "BadRequest"],
    [2016, 424, "ContentBlocked"],
    [2021, 402, "QuotaExceeded"]
  ] as const) {
    bothWays(
      `70. code ${code}`,
      "google-ai-studio",
      json(httpStatus, { success: false, result: [], messages: [], error: [{ code, message: "x" }] }),
      { tag, code, status: httpStatus, source: "gateway" }
    )
  }

  for (const [stage, reply, code, by] of [
    ["prompt", guardrail("prompt"), 2016, "guardrails"],
    ["response", guardrail("response"), 2017, "guardrails"],
    ["prompt", dlp("prompt"), 2029, "dlp"],
    ["response", dlp("response"), 2030, "dlp"]
  ] as const) {
    bothWays(`the ${by} blocked the ${stage}`, "openai", reply, {
      tag: "ContentBlocked",
      source: "gateway",
      code,
      retryable: false,
      check: (error) => {
        if (error._tag !== "ContentBlocked") return
        assert.strictEqual(error.stage, stage)
        assert.strictEqual(error.by, by)
        if (by === "dlp") assert.strictEqual(error.gateway?.dlp?.action, "BLOCK")
      }
    })
  }

  for (const code of [502, 520, 524]) {
    bothWays(`a page of Cloudflare's edge, ${code}`, "anthropic", edgeHtml(code), {
      tag: "ProviderFailure",
      source: "edge",
      status: code,
      retryable: true,
      check: (error) => assert.notInclude(error.message, "<")
    })
  }
})

describe("what a provider says", () => {
  for (const [provider, model] of Object.entries(models)) {
    for (const [code, tag, retryable] of [
      [400, "BadRequest", false],
      [401, "Unauthorized", false],
      [403, "Unauthorized", false],
      [404, "ModelNotFound", false],
      [408, "ModelTimeout", true],
      [409, "ProviderFailure", true],
      [422, "BadRequest", false],
      [429, "RateLimited", true],
      [500, "ProviderFailure", true],
      [503, "ProviderFailure", true],
      [529, "ProviderFailure", true]
    ] as const) {
      bothWays(`71. ${provider} answers ${code} in its own words`, provider, status(code), {
        tag,
        status: code,
        source: "provider",
        retryable,
        check: (error) => {
          assert.match(error.logId ?? "", /^[0-9A-Z]{26}$/)
          assert.strictEqual(error.gateway?.logId, error.logId)
          assert.include(model.metadata.model, error.model ?? "?")
        }
      })
    }
  }

  const said: ReadonlyArray<readonly [string, string, string | RegExp]> = [
    ["{errors: [{message}]}", JSON.stringify({ errors: [{ message: "too spicy" }] }), "too spicy"],
    ["{error: {message}}", JSON.stringify({ error: { message: "too spicy" } }), "too spicy"],
    ['{error: "…"}', JSON.stringify({ error: "too spicy" }), "too spicy"],
    ["{message}", JSON.stringify({ message: "too spicy" }), "too spicy"],
    ["{detail}", JSON.stringify({ detail: "too spicy" }), "too spicy"],
    ["plain text", "too spicy", "too spicy"],
    ["an array", JSON.stringify([{ error: { message: "too spicy" } }]), "too spicy"],
    ["nothing", "", "HTTP 401"],
    ["a blank", " \n", "HTTP 401"],
    ["an empty object", "{}", "HTTP 401"]
  ]
  for (const [shape, body, says] of said) {
    bothWays(`72. the message of ${shape}`, "openai", raw({ status: 401, body }), {
      tag: "Unauthorized",
      status: 401,
      says
    })
  }

  const asked = (reply: LocalGateway.Reply) =>
    Effect.gen(function* () {
      const model = OpenAi.model("gpt-4.1-mini").pipe(ChatModel.retry(Schedule.recurs(2)))
      const error = yield* Effect.flip(model.chat("hello"))
      return { error, requests: (yield* LocalGateway.Gateway).requests().length }
    }).pipe(Effect.provide(behind(reply)))

  it.effect("73. the vendor's own word overrides the status: retryable: false on a 503", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* asked(
        json(503, { error: { message: "gone for good", retryable: false } })
      )
      assert.isFalse(Errors.isRetryable(error))
      assert.strictEqual(requests, 1)
    })
  )
  it.effect("73. retryable: true on a 400", () =>
    Effect.gen(function* () {
      const { error, requests } = yield* asked(json(400, { error: { message: "a hiccup", retryable: true } }))
      assert.strictEqual(error._tag, "BadRequest")
      assert.isTrue(Errors.isRetryable(error))
      assert.strictEqual(requests, 3)
    })
  )
  it.effect("73. the header x-should-retry", () =>
    Effect.gen(function* () {
      const never = yield* asked(status(503, { headers: { "x-should-retry": "false" } }))
      assert.strictEqual(never.requests, 1)
      const always = yield* asked(status(400, { headers: { "x-should-retry": "true" } }))
      assert.strictEqual(always.requests, 3)
    })
  )

  const reasons: ReadonlyArray<
    readonly [string, string, LocalGateway.Reply, AiGatewayError.LegError["_tag"]]
  > = [
    [
      "context length",
      "openai",
      json(400, { error: { message: "maximum context length", code: "context_length_exceeded" } }),
      "ContextLengthExceeded"
    ],
    [
      "quota",
      "openai",
      json(429, { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }),
      "QuotaExceeded"
    ],
    [
      "rate",
      "openai",
      json(429, { error: { message: "Rate limit reached", code: "rate_limit_exceeded" } }),
      "RateLimited"
    ],
    [
      "content",
      "openai",
      json(400, { error: { message: "The prompt triggered the filter", code: "content_policy_violation" } }),
      "ContentBlocked"
    ],
    [
      "context length",
      "anthropic",
      json(400, {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "prompt is too long: 210000 tokens > 200000 maximum"
        }
      }),
      "ContextLengthExceeded"
    ],
    [
      "quota",
      "anthropic",
      json(400, {
        type: "error",
        error: { type: "invalid_request_error", message: "Your credit balance is too low to access the API" }
      }),
      "QuotaExceeded"
    ],
    [
      "rate",
      "anthropic",
      json(429, { type: "error", error: { type: "rate_limit_error", message: "Number of requests" } }),
      "RateLimited"
    ],
    [
      "bad key, as a 400",
      "google-ai-studio",
      json(400, {
        error: {
          code: 400,
          message: "API key not valid.",
          status: "INVALID_ARGUMENT",
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }]
        }
      }),
      "Unauthorized"
    ],
    [
      "rate",
      "google-ai-studio",
      json(429, {
        error: { code: 429, message: "Resource has been exhausted", status: "RESOURCE_EXHAUSTED" }
      }),
      "RateLimited"
    ],
    [
      "capacity",
      "workers-ai",
      json(429, {
        success: false,
        result: null,
        messages: [],
        errors: [{ code: 3040, message: "Capacity" }]
      }),
      "RateLimited"
    ],
    [
      "quota",
      "workers-ai",
      json(429, { success: false, result: null, messages: [], errors: [{ code: 3036, message: "Neurons" }] }),
      "QuotaExceeded"
    ],
    [
      "context length",
      "workers-ai",
      json(400, {
        success: false,
        result: null,
        messages: [],
        errors: [{ code: 5021, message: "too long" }]
      }),
      "ContextLengthExceeded"
    ]
  ]
  for (const [reason, provider, reply, tag] of reasons) {
    bothWays(`78. ${provider}: ${reason} is a ${tag}`, provider, reply, { tag, source: "provider" })
  }

  for (const [what, headers, millis] of [
    ["retry-after in seconds", { "retry-after": "7" }, 7000],
    ["retry-after-ms", { "retry-after-ms": "1500" }, 1500]
  ] as const) {
    bothWays(`${what} is on the error`, "openai", status(429, { headers }), {
      tag: "RateLimited",
      check: (error) => assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), millis)
    })
  }
})

describe("no usable answer", () => {
  bothWays("74. the connection breaks before any answer", "openai", disconnect, {
    tag: "TransportFailure",
    retryable: true,
    says: "fetch failed",
    check: (error) => {
      assert.isUndefined(error.status)
      assert.isUndefined(error.source)
    }
  })

  const html = "<!DOCTYPE html><html><body><h1>Welcome to the hotel WiFi</h1></body></html>"
  for (const provider of Object.keys(models)) {
    const malformed = (title: string, reply: LocalGateway.Reply, excerpt?: string) =>
      bothWays(`79. ${provider}: ${title}`, provider, reply, {
        tag: "MalformedResponse",
        status: 200,
        retryable: false,
        check: (error) => {
          if (error._tag !== "MalformedResponse") return
          if (excerpt !== undefined) assert.include(error.excerpt, excerpt)
          assert.isAtMost(error.excerpt.length, 500)
          assert.isString(error.logId)
        }
      })
    malformed("a 200 of HTML", raw({ body: html, headers: { "content-type": "text/html" } }), "hotel WiFi")
    malformed("a 200 of HTML that calls itself JSON", raw({ body: html }), "hotel WiFi")
    malformed("a 200 with an empty body", raw({ body: "" }), "")
    malformed("a 200 of JSON of another shape", raw({ body: '{"cheese":"Brie"}' }), "Brie")
    malformed("a 200 of an array", raw({ body: "[]" }), "[]")
    malformed("a 200 of JSON cut off", raw({ body: '{"choices": [{"mess' }), "mess")
    malformed("a 200 of null", raw({ body: "null" }), "null")
    malformed("a 200 of a very long text", raw({ body: "x".repeat(100_000) }), "xxx")

    bothWays(
      `79. ${provider}: a gateway's error envelope in a 200`,
      provider,
      json(200, {
        success: false,
        result: [],
        messages: [],
        error: [{ code: 2001, message: "Please configure" }]
      }),
      { tag: "GatewayNotFound", code: 2001 }
    )
    bothWays(`79. ${provider}: its own error in a 200`, provider, errorEvent(text("never"), 0), {
      tag: "ProviderFailure",
      source: "provider",
      retryable: true
    })
    bothWays(
      `79. ${provider}: an error object in a 200`,
      provider,
      json(200, { error: { message: "the model is too busy", type: "server_error" } }),
      { tag: "ProviderFailure", source: "provider", says: "too busy" }
    )
  }

  bothWays(
    "79. Workers AI's v4 envelope with success: false in a 200",
    "workers-ai",
    json(200, {
      success: false,
      result: null,
      messages: [],
      errors: [{ code: 3040, message: "Out of capacity" }]
    }),
    { tag: "RateLimited", code: 3040 }
  )

  it.effect("79. an event stream that holds no event of this protocol", () =>
    Effect.gen(function* () {
      for (const [body, excerpt] of [
        ["data: hello\n\n", "hello"],
        ['data: {"cheese": "Brie"}\n\ndata: [DONE]\n\n', ""]
      ] as const) {
        const error = yield* Effect.flip(Stream.runDrain(openai.streamChat("hello"))).pipe(
          Effect.provide(behind(raw({ body, headers: { "content-type": "text/event-stream" } })))
        )
        assert.include(["MalformedResponse", "TransportFailure"], error._tag)
        if (error._tag === "MalformedResponse") assert.include(error.excerpt, excerpt)
      }
    })
  )

  it.effect(
    "an event stream that ends before it says anything is a TransportFailure, not an empty answer",
    () =>
      Effect.gen(function* () {
        for (const body of ["", ": ping\n\n", "\n\n"]) {
          for (const [provider, model] of Object.entries(models)) {
            const error = yield* Effect.flip(Stream.runDrain(model.streamChat("hello"))).pipe(
              Effect.provide(behind(raw({ body, headers: { "content-type": "text/event-stream" } })))
            )
            assert.strictEqual(error._tag, "TransportFailure", `${provider} ${JSON.stringify(body)}`)
          }
        }
      })
  )

  it.effect("a whole answer that breaks off in its middle is a TransportFailure", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openai.chat("hello"))
      assert.strictEqual(error._tag, "TransportFailure")
      assert.isTrue(Errors.isRetryable(error))
      assert.strictEqual((error as Errors.TransportFailure).provider, "openai")
    }).pipe(Effect.provide(behind(LocalGateway.dropAfter(text("Hello there"), 1))))
  )
})

describe("errors in a program", () => {
  it.effect("catchTags: each tag with its own type, and what is left is left", () =>
    Effect.gen(function* () {
      const recovered: string = yield* openai.chat("hello").pipe(
        Effect.map((answer) => answer.text),
        Effect.catchTags({
          GatewayNotFound: (e) => Effect.succeed(`no gateway ${e.code}`),
          Unauthorized: (e) => Effect.succeed(`unauthorised by ${e.source satisfies AiGatewayError.Source}`),
          RateLimited: (e) =>
            Effect.succeed(
              Option.match(Option.fromNullable(e.retryAfter), {
                onNone: () => "later",
                onSome: (wait) => `in ${Duration.format(wait)}`
              })
            ),
          ContentBlocked: (e) => Effect.succeed(`${e.stage} blocked by ${e.by}`),
          ModelTimeout: (e) => Effect.succeed(`${e.phase} ${e.during ?? ""}`),
          MalformedResponse: (e) => Effect.succeed(e.excerpt),
          Unsupported: (e) => Effect.succeed(e.feature),
          InvalidRequest: (e) => Effect.succeed(e.field),
          StreamBroken: (e) => Effect.succeed(e.delivered.text),
          AllProvidersFailed: (e) => Effect.succeed(e.attempts.map(({ error }) => error._tag).join())
        })
      )
      assert.strictEqual(recovered, "in 3s")
    }).pipe(Effect.provide(behind(status(429, { headers: { "retry-after": "3" } }))))
  )

  it.effect("catchTag takes one tag away from the type, for streams as well", () =>
    Effect.gen(function* () {
      const stream = openai
        .streamComplete("hello")
        .pipe(Stream.catchTag("RateLimited", () => Stream.succeed("please wait")))
      const left: Stream.Stream<
        string,
        Exclude<AiGatewayError.AiGatewayError, AiGatewayError.RateLimited>,
        Needs<typeof openai>
      > = stream
      assert.deepStrictEqual([...(yield* Stream.runCollect(left))], ["please wait"])
    }).pipe(Effect.provide(behind(status(429))))
  )

  it.effect("an error of another library with the same tag is told apart", () =>
    Effect.gen(function* () {
      assert.isFalse(Errors.isAiGatewayError({ _tag: "RateLimited", message: "mine" }))
      assert.isFalse(Errors.isAiGatewayError(new Error("x")))
      assert.isTrue(Errors.isAiGatewayError(yield* Effect.flip(openai.chat("hello"))))
    }).pipe(Effect.provide(behind(status(429))))
  )

  it.effect("an error is an Error: it has a name, a message and a stack, and instanceof works", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openai.chat("hello"))
      assert.instanceOf(error, Error)
      assert.instanceOf(error, Errors.RateLimited)
      assert.strictEqual(error.name, "RateLimited")
      assert.include(String(error), error.message)
    }).pipe(Effect.provide(behind(status(429))))
  )
})
