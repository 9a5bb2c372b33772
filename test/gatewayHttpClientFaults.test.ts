/** What goes wrong behind the gateway comes out as the error that each package makes of it, and shows no credential. */
import { inspect } from "node:util"
import type * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Effect,
  Exit,
  Layer,
  Logger,
  LogLevel,
  Option,
  Redacted,
  Stream,
  Tracer
} from "effect"
import { AiGateway, AiGatewayError, GatewayHttpClient, LocalGateway } from "effect-ai-gateway"
import * as Programs from "./effectAiPrograms.js"
import { prompt } from "./recorded.js"

type Program = Effect.Effect<unknown, AiError.AiError, LanguageModel.LanguageModel>
const text: Program = LanguageModel.generateText({ prompt })
const stream: Program = Stream.runDrain(LanguageModel.streamText({ prompt }))

const run = ({ slug, model }: Programs.Package, reply: LocalGateway.Reply, program: Program) => {
  const gateway = LocalGateway.make({ upstreams: { [slug]: LocalGateway.always(reply) } })
  return Effect.provide(program, Layer.orDie(Programs.through(Programs.inProcess(gateway), model)))
}

/** A gateway that the application has the wrong settings for. */
const mistaken = (settings: { readonly token: string; readonly gatewayId: string }) =>
  AiGateway.layer({
    accountId: "local-account",
    gatewayId: settings.gatewayId,
    token: Redacted.make(settings.token)
  }).pipe(Layer.provide(LocalGateway.layer()))

/** Every way in which somebody could look at a failure. */
const shown = (cause: Cause.Cause<unknown>): string =>
  [
    ...Array.from(Cause.failures(cause)).flatMap((error) => [
      JSON.stringify(error),
      String(error),
      inspect(error, { depth: 30 }),
      error instanceof Error ? `${error.message} ${error.stack}` : ""
    ]),
    Cause.pretty(cause, { renderErrorCause: true }),
    JSON.stringify(cause),
    inspect(Exit.failCause(cause), { depth: 30 })
  ].join("\n")

const showsNone = (cause: Cause.Cause<unknown>, secrets: ReadonlyArray<string>) => {
  const all = shown(cause)
  for (const secret of [Programs.gatewayToken, ...secrets]) assert.notInclude(all, secret)
}

/** A provider that quotes what it refuses. */
const quoting = (status: number, { secrets }: Programs.Package) =>
  LocalGateway.status(status, { message: `not ${secrets[0]}`, headers: { "retry-after": "7" } })

for (const source of Programs.packages) {
  describe(`what ${source.slug} refuses`, () => {
    for (const [name, program] of [
      ["an answer", text],
      ["a stream", stream]
    ] as const) {
      for (const status of [401, 429, 500]) {
        it.effect(`${status} is an HttpResponseError with the provider's body, of ${name}`, () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(run(source, quoting(status, source), program))
            assert.strictEqual(error._tag, "HttpResponseError")
            if (error._tag !== "HttpResponseError") return
            assert.strictEqual(error.reason, "StatusCode")
            assert.strictEqual(error.response.status, status)
            assert.strictEqual(error.response.headers["retry-after"], "7")
            assert.include(JSON.stringify(error.body), "not <redacted>")
          })
        )
      }

      it.effect(`no failure of ${name} shows a credential, whatever looks at it`, () =>
        Effect.gen(function* () {
          for (const reply of [
            quoting(401, source),
            LocalGateway.disconnect,
            LocalGateway.edgeHtml(502),
            LocalGateway.dropAfter(LocalGateway.text("one two three"), 1),
            LocalGateway.raw({ body: "no answer", headers: { "content-type": "text/plain" } })
          ]) {
            const exit = yield* Effect.exit(run(source, reply, program))
            if (Exit.isFailure(exit)) showsNone(exit.cause, source.secrets)
            else assert.strictEqual(name, "a stream", `${reply._tag} was an answer`)
          }
        })
      )
    }

    it.effect("an error that hides in a success has the status of an error", () =>
      Effect.gen(function* () {
        const hidden = LocalGateway.raw({
          status: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            type: "error",
            error: { type: "overloaded_error", message: "Overloaded" },
            request_id: "req_1"
          })
        })
        const error = yield* Effect.flip(run(source, hidden, text))
        assert.strictEqual(error._tag, "HttpResponseError")
        if (error._tag !== "HttpResponseError") return
        assert.isAtLeast(error.response.status, 400)
        assert.include(JSON.stringify(error.body), "Overloaded")
      })
    )
  })
}

describe("what the gateway itself refuses", () => {
  const wrongToken = { token: "wrong-token", gatewayId: "local-gateway" }
  const unknownGateway = { token: Programs.gatewayToken, gatewayId: "other" }

  for (const [vendor, program] of [
    ["openai", Programs.openAi],
    ["anthropic", Programs.anthropic]
  ] as const) {
    for (const [name, settings, status, tag, code] of [
      ["a wrong token", wrongToken, 401, "Unauthorized", 2009],
      ["an unknown gateway", unknownGateway, 400, "GatewayNotFound", 2001]
    ] as const) {
      for (const [way, run] of [
        ["a whole answer", text],
        ["a stream", stream]
      ] as const) {
        it.effect(
          `${vendor}, ${way}: ${name} is an HttpResponseError with the gateway's body and its typed error`,
          () =>
            Effect.gen(function* () {
              const cause = yield* run.pipe(
                Effect.provide(Programs.through(mistaken(settings), program.model)),
                Effect.sandbox,
                Effect.flip
              )
              const error = Option.getOrUndefined(Cause.failureOption(cause))
              assert.strictEqual(error?._tag, "HttpResponseError")
              if (error?._tag !== "HttpResponseError") return
              assert.strictEqual(error.response.status, status)
              assert.include(JSON.stringify(error.body), String(code))
              const typed = Option.getOrThrow(AiGatewayError.fromUnknown(error, { provider: vendor }))
              assert.strictEqual(typed._tag, tag)
              assert.include(typed, { source: "gateway", code, status })
              showsNone(cause, [settings.token, Programs.openAiKey])
            })
        )
      }
    }
  }
})

describe("what is not sent", () => {
  const failure = (
    request: HttpClientRequest.HttpClientRequest,
    options?: GatewayHttpClient.RerouteOptions
  ) =>
    Effect.gen(function* () {
      const gateway = LocalGateway.make()
      const error = yield* Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(request)).pipe(
        Effect.flip,
        Effect.provide(GatewayHttpClient.layer(options).pipe(Layer.provideMerge(Programs.inProcess(gateway))))
      )
      assert.lengthOf(gateway.requests(), 0)
      assert.instanceOf(error, RequestError)
      showsNone(Cause.fail(error), ["AIza-key-0123"])
      return error as RequestError
    })
  const secret = HttpClientRequest.setHeader("authorization", "Bearer AIza-key-0123")

  it.effect("a host that is no provider's is an InvalidUrl that names it", () =>
    Effect.gen(function* () {
      const error = yield* failure(
        secret(HttpClientRequest.post("https://llm.example.com/v1?key=AIza-key-0123"))
      )
      assert.strictEqual(error.reason, "InvalidUrl")
      assert.include(error.description, "llm.example.com")
      assert.deepInclude(error.cause, { _tag: "InvalidRequest", field: "url" })
    })
  )

  it.effect("the gateway's own URL is an InvalidUrl that says what to do", () =>
    Effect.gen(function* () {
      const url = "https://gateway.ai.cloudflare.com/v1/account/gateway/openai/responses"
      const error = yield* failure(secret(HttpClientRequest.post(url)))
      assert.strictEqual(error.reason, "InvalidUrl")
      assert.include(error.description, "apiUrl")
    })
  )

  it.effect("what is no URL at all is an InvalidUrl", () =>
    Effect.gen(function* () {
      const error = yield* failure(secret(HttpClientRequest.post("responses?key=AIza-key-0123")))
      assert.strictEqual(error.reason, "InvalidUrl")
    })
  )

  it.effect("a password in a URL is not shown", () =>
    Effect.gen(function* () {
      const error = yield* failure(
        HttpClientRequest.post("https://me:AIza-key-0123@api.openai.com/v1/responses")
      )
      assert.strictEqual(error.reason, "InvalidUrl")
    })
  )

  it.effect.each(["HEAD", "OPTIONS"] as const)("%s is no method of the gateway", (method) =>
    Effect.gen(function* () {
      const error = yield* failure(HttpClientRequest.make(method)("https://api.openai.com/v1/models"))
      assert.strictEqual(error.reason, "Encode")
      assert.include(error.description, method)
    })
  )

  it.effect("options that are wrong are an Encode, and are not tried again", () =>
    Effect.gen(function* () {
      const error = yield* failure(HttpClientRequest.post("https://api.openai.com/v1/responses"), {
        options: { cacheTtl: "-1 seconds" }
      })
      assert.strictEqual(error.reason, "Encode")
    })
  )
})

describe("spans and logs", () => {
  /** Every span that was made, with all that was written on it. */
  const recording = () => {
    const spans: Array<Tracer.Span> = []
    const tracer = Tracer.make({
      span: (name, parent, context, links, startTime, kind, options) => {
        const attributes = new Map(Object.entries(options?.attributes ?? {}))
        const span: Tracer.Span = {
          _tag: "Span",
          name,
          spanId: "0123456789abcdef",
          traceId: "0123456789abcdef0123456789abcdef",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links: [...links],
          sampled: true,
          kind,
          end: () => {},
          attribute: (key, value) => void attributes.set(key, value),
          event: () => {},
          addLinks: () => {}
        }
        spans.push(span)
        return span
      },
      context: (f) => f()
    })
    return { spans, tracer }
  }

  const attributesOf = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])

  for (const [name, program] of [
    ["an answer", text],
    ["a stream", stream]
  ] as const) {
    it.effect(
      `no span and no log of ${name} shows a credential, and the client's span has the gateway's ids`,
      () =>
        Effect.gen(function* () {
          for (const { slug, model, secrets } of Programs.packages) {
            for (const reply of [LocalGateway.text("hi"), LocalGateway.status(401)]) {
              const { spans, tracer } = recording()
              const logs: Array<unknown> = []
              const logger = Logger.make(({ message, cause, annotations }) => {
                logs.push(inspect([message, cause, annotations], { depth: 30 }))
              })
              const gateway = LocalGateway.make({ upstreams: { [slug]: LocalGateway.always(reply) } })
              yield* program.pipe(
                Effect.tapErrorCause((cause) => Effect.logError("it failed", cause)),
                Effect.ignore,
                Effect.provide(
                  model.pipe(
                    Layer.provideMerge(
                      Layer.effect(HttpClient.HttpClient, GatewayHttpClient.make()).pipe(
                        Layer.provide(Programs.inProcess(gateway))
                      )
                    )
                  )
                ),
                Effect.withTracer(tracer),
                Logger.withMinimumLogLevel(LogLevel.All),
                Effect.provide(Logger.replace(Logger.defaultLogger, logger))
              )
              const client = spans.find(({ name }) => name === "http.client POST")
              const all = JSON.stringify([spans.map((span) => [span.name, attributesOf(span)]), logs])
              for (const secret of [Programs.gatewayToken, ...secrets]) assert.notInclude(all, secret)
              const [log] = gateway.logs()
              assert.deepInclude(attributesOf(client), {
                "cloudflare.ai_gateway.log_id": log?.id,
                "cloudflare.ai_gateway.event_id": log?.eventId
              })
            }
          }
        })
    )
  }

  it.effect("Google's key in a URL travels as a header, and no span shows it", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recording()
      const gateway = LocalGateway.make()
      const url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
      yield* Effect.flatMap(HttpClient.HttpClient, (client) =>
        client.post(url, { urlParams: { key: "AIza-key-0123", alt: "json" } })
      ).pipe(
        Effect.provide(GatewayHttpClient.layer().pipe(Layer.provideMerge(Programs.inProcess(gateway)))),
        Effect.withTracer(tracer)
      )
      const [request] = gateway.requests()
      assert.strictEqual(request?.headers["x-goog-api-key"], "AIza-key-0123")
      assert.notInclude(request?.url, "AIza")
      assert.include(request?.url, "alt=json")
      assert.include(JSON.stringify(attributesOf(spans[0])), "alt=json")
      assert.notInclude(JSON.stringify(attributesOf(spans[0])), "AIza")
    })
  )

  it.effect("a span of the caller's own is left as it is where the client makes none", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recording()
      const gateway = LocalGateway.make()
      const client = yield* Effect.provide(
        GatewayHttpClient.make(),
        yield* Layer.build(Programs.inProcess(gateway))
      )
      yield* HttpClient.withTracerDisabledWhen(client, () => true)
        .post("https://api.openai.com/v1/responses")
        .pipe(Effect.withSpan("mine", { kind: "client" }), Effect.withTracer(tracer))
      assert.deepStrictEqual(
        spans.map((span) => [span.name, attributesOf(span)]),
        [["mine", {}]]
      )
      assert.isUndefined(
        Context.getOption(Context.empty(), HttpClient.HttpClient).pipe(Option.getOrUndefined)
      )
    }).pipe(Effect.scoped)
  )
})
