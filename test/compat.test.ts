/** The gateway's own OpenAI-shaped endpoint, dynamic routes and the auto router. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FastCheck, Layer, Redacted, Schedule, Stream } from "effect"
import * as Config from "effect/Config"
import {
  AiGateway,
  type AiGatewayError,
  Anthropic,
  ChatModel,
  type ChatRequest,
  Compat,
  LocalGateway,
  OpenAi
} from "effect-ai-gateway"
import * as Tool from "effect-ai-gateway/Tool"

const { always, raw, status, text } = LocalGateway

const behind = (options: LocalGateway.Options = {}) =>
  Layer.merge(Compat.layer(), LocalGateway.layerTest(options))

const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())
const once = ChatModel.retry(Schedule.recurs(0))

/** A slug that is only known at run time. */
const atRunTime = (slug: string): string => slug

const bodyOf = (
  model: ChatModel.Leg<Compat.Compat | AiGateway.AiGateway>,
  input: ChatRequest.Input,
  stream = false
) =>
  Effect.map(
    Effect.provide(model.encode(input, { stream }), Layer.merge(Compat.layer(), LocalGateway.layerTest())),
    ({ body, ...rest }) => ({ ...rest, body: body as Readonly<Record<string, unknown>> })
  )

const invalid = <R>(model: ChatModel.With<R>, field: string) =>
  Effect.gen(function* () {
    const errors: ReadonlyArray<AiGatewayError.AiGatewayError> = [
      yield* Effect.flip(model.chat("hello")),
      yield* Effect.flip(Stream.runDrain(model.streamChat("hello")))
    ]
    for (const error of errors) {
      assert.strictEqual(error._tag, "InvalidRequest")
      if (error._tag === "InvalidRequest") assert.strictEqual(error.field, field)
    }
    return errors[0]?.message ?? ""
  })

describe("Compat.model", () => {
  it.effect("asks the gateway's own endpoint, and reads OpenAI's format", () =>
    Effect.gen(function* () {
      const model = Compat.model("anthropic/claude-haiku-4-5")
      const answer = yield* model.chat({ system: "be kind", prompt: "hello" })
      assert.strictEqual(answer.text, "You said: hello")
      assert.strictEqual(answer.provider, "compat")
      assert.isString(answer.gateway.logId)
      const streamed = yield* ChatModel.collect(model.streamChat("hello"))
      assert.strictEqual(streamed.text, "You said: hello")
      assert.strictEqual(streamed.finishReason, "stop")
      const [first] = yield* requests
      assert.strictEqual(first?.path, "/v1/local-account/local-gateway/compat/chat/completions")
      assert.deepStrictEqual(first?.body, {
        model: "anthropic/claude-haiku-4-5",
        messages: [
          { role: "system", content: "be kind" },
          { role: "user", content: "hello" }
        ]
      })
    }).pipe(Effect.provide(behind()))
  )

  for (const [slug, sent] of [
    ["openai/gpt-5-mini", "openai/gpt-5-mini"],
    ["workers-ai/@cf/meta/llama-3", "workers-ai/@cf/meta/llama-3"],
    ["google-vertex-ai/google/gemini-2.5-pro", "google-vertex-ai/google/gemini-2.5-pro"],
    ["perplexity/sonar", "perplexity/sonar"],
    ["perplexity-ai/sonar", "perplexity/sonar"],
    ["xai/grok-4", "grok/grok-4"],
    ["google/gemini-2.5-flash", "google-ai-studio/gemini-2.5-flash"],
    ["bedrock/us.anthropic.claude", "aws-bedrock/us.anthropic.claude"],
    ["azure/gpt-5", "azure-openai/gpt-5"],
    ["custom-mine/m/n", "custom-mine/m/n"],
    ["dynamic/support", "dynamic/support"],
    ["dynamic/openai/x", "dynamic/openai/x"],
    ["cloudflare/auto", "cloudflare/auto"]
  ] as const) {
    it.effect(`5, 6, 25. ${slug} goes out as ${sent}`, () =>
      Effect.gen(function* () {
        const { body, provider, endpoint } = yield* bodyOf(Compat.model(atRunTime(slug)), "hello")
        assert.strictEqual(body.model, sent)
        assert.strictEqual(provider, "compat")
        assert.strictEqual(endpoint, "chat/completions")
      })
    )
  }

  for (const [slug, says] of [
    ["gpt-5-mini", "no provider part"],
    ["", "no provider part"],
    ["/m", "malformed"],
    ["openai/", "malformed"],
    ["openai//m", "malformed"],
    ["openai/m/", "malformed"],
    ["/", "malformed"],
    ["opnai/m", "openai"],
    ["anthropics/m", "anthropic"],
    ["@cf/meta/llama", "workers-ai"],
    ["custom-/m", "no provider"],
    ["compat/m", "compat is no vendor"]
  ] as const) {
    it.effect(`5, 7. ${JSON.stringify(slug)} known at run time: InvalidRequest that says ${says}`, () =>
      Effect.gen(function* () {
        const message = yield* invalid(Compat.model(atRunTime(slug)), "model")
        assert.include(message, says)
        assert.deepStrictEqual(yield* requests, [])
      }).pipe(Effect.provide(behind()))
    )
  }

  it("any text is a model or an error, and never a crash", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (slug) => {
        Compat.model(atRunTime(slug))
        Compat.dynamic(atRunTime(slug))
        Compat.auto({ sessionId: slug, allowedModels: [slug] })
      })
    )
  })

  for (const [slug, name] of [
    ["openai/gpt-5-mini", "max_completion_tokens"],
    ["openai/gpt-4.1-mini", "max_completion_tokens"],
    ["azure-openai/my-deployment", "max_completion_tokens"],
    ["anthropic/claude-haiku-4-5", "max_tokens"],
    ["google-ai-studio/gemini-2.5-flash", "max_tokens"],
    ["mistral/mistral-small-latest", "max_tokens"],
    ["workers-ai/@cf/meta/llama-3", "max_tokens"],
    ["custom-mine/m", "max_tokens"]
  ] as const) {
    it.effect(`49. the output limit of ${slug} is ${name}`, () =>
      Effect.gen(function* () {
        const { body } = yield* bodyOf(Compat.model(atRunTime(slug)), { prompt: "hi", maxTokens: 9 })
        const { max_tokens, max_completion_tokens } = body
        assert.deepStrictEqual(
          { max_tokens, max_completion_tokens },
          { max_tokens: undefined, max_completion_tokens: undefined, [name]: 9 }
        )
      })
    )
  }

  it.effect("what a reasoning model of OpenAI refuses is Unsupported, and only there", () =>
    Effect.gen(function* () {
      const input = { prompt: "hi", temperature: 0.5, reasoningEffort: "xhigh" } as const
      const error = yield* Effect.flip(bodyOf(Compat.model("openai/gpt-5-mini"), input))
      assert.strictEqual(error._tag, "Unsupported")
      if (error._tag === "Unsupported") assert.strictEqual(error.feature, "temperature")
      const { body } = yield* bodyOf(Compat.model("openai/gpt-5-mini", { unsupported: "drop" }), input)
      assert.strictEqual(body.reasoning_effort, "high")
      const other = yield* bodyOf(Compat.model("anthropic/claude-haiku-4-5"), {
        prompt: "hi",
        temperature: 0.5
      })
      assert.strictEqual(other.body.temperature, 0.5)
    })
  )

  it.effect("usage is asked for in a stream, but not where it comes unasked", () =>
    Effect.gen(function* () {
      for (const [slug, asked] of [
        ["openai/gpt-4.1-mini", true],
        ["anthropic/claude-haiku-4-5", true],
        ["mistral/m", false],
        ["perplexity-ai/sonar", false]
      ] as const) {
        const { body } = yield* bodyOf(Compat.model(atRunTime(slug)), "hi", true)
        assert.strictEqual("stream_options" in body, asked, slug)
      }
    })
  )

  it("limits are those of the vendor's model", () => {
    assert.strictEqual(
      Compat.model("openai/gpt-5-mini").metadata.contextWindow,
      OpenAi.model("gpt-5-mini").metadata.contextWindow
    )
    assert.strictEqual(Compat.model("openai/gpt-5-mini").metadata.provider, "compat")
    assert.strictEqual(Compat.model("openai/gpt-5-mini").metadata.model, "openai/gpt-5-mini")
    assert.isUndefined(Compat.dynamic("support").metadata.contextWindow)
  })

  it.effect("no key: none is sent; a key is a bearer token, and a Config may give it", () =>
    Effect.gen(function* () {
      const model = Compat.model("openai/gpt-4.1-mini")
      yield* model.chat("hello")
      yield* model
        .pipe(ChatModel.provideService(Compat.Compat, Compat.make({ apiKey: Redacted.make("sk-1") })))
        .chat("hello")
      const configured = Compat.layerConfig({ apiKey: Config.redacted("KEY") }).pipe(
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["KEY", "sk-2"]]))))
      )
      yield* model.chat("hello").pipe(Effect.provide(configured))
      assert.deepStrictEqual(
        (yield* requests).map(({ headers }) => headers.authorization),
        [undefined, "Bearer sk-1", "Bearer sk-2"]
      )
    }).pipe(Effect.provide(behind()))
  )
})

describe("what the vendors behind it are known to write", () => {
  const asOpenAi = (body: unknown) =>
    behind({ upstreams: { openai: always(raw({ body: JSON.stringify(body) })) } })
  const model = Compat.model("openai/gpt-4.1-mini")

  it.effect("Gemini: calls with an empty id, no content, and a total that counts reasoning", () =>
    Effect.gen(function* () {
      const answer = yield* model.chat("hello")
      assert.deepStrictEqual(
        answer.toolCalls.map(({ name }) => name),
        ["weather", "weather"]
      )
      const ids = answer.toolCalls.map(({ id }) => id)
      assert.strictEqual(new Set(ids).size, 2)
      assert.notInclude(ids, "")
      assert.strictEqual(answer.finishReason, "tool-calls")
      assert.deepInclude(answer.usage, { input: 10, output: 45, total: 55 })
    }).pipe(
      Effect.provide(
        asOpenAi({
          choices: [
            {
              index: 0,
              finish_reason: "tool_calls",
              message: {
                role: "assistant",
                tool_calls: ["Bern", "Rome"].map((city) => ({
                  id: "",
                  type: "function",
                  function: { name: "weather", arguments: JSON.stringify({ city }) },
                  extra_content: { google: { thought_signature: "sig" } }
                }))
              }
            }
          ],
          usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 55 }
        })
      )
    )
  )

  it.effect("Anthropic: a stream whose calls begin at index 1, with empty fragments", () => {
    const chunk = (delta: unknown, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    const call = (fields: unknown) => ({ tool_calls: [fields] })
    const body = [
      chunk({ role: "assistant", content: "Let me see." }),
      chunk(
        call({ index: 1, id: "toolu_1", type: "function", function: { name: "weather", arguments: "" } })
      ),
      chunk(call({ index: 1, function: { arguments: '{"city":' } })),
      chunk(call({ index: 1, function: { arguments: "" } })),
      chunk(call({ index: 1, function: { arguments: '"Bern"}' } })),
      chunk({}, "tool_calls"),
      "data: [DONE]\n\n"
    ]
    return Effect.gen(function* () {
      const answer = yield* ChatModel.collect(model.streamChat("hello"))
      assert.strictEqual(answer.text, "Let me see.")
      assert.deepStrictEqual(
        answer.toolCalls.map(({ id, name, arguments: args }) => [id, name, JSON.parse(args)]),
        [["toolu_1", "weather", { city: "Bern" }]]
      )
      assert.strictEqual(answer.finishReason, "tool-calls")
    }).pipe(
      Effect.provide(
        behind({
          upstreams: { openai: always(raw({ headers: { "content-type": "text/event-stream" }, body })) }
        })
      )
    )
  })

  it.effect("Groq's usage in x_groq, and Perplexity's sources", () =>
    Effect.gen(function* () {
      const answer = yield* model.chat("hello")
      assert.strictEqual(answer.usage.total, 3)
      assert.deepStrictEqual(
        answer.citations.map(({ url }) => url),
        ["https://example.com/"]
      )
    }).pipe(
      Effect.provide(
        asOpenAi({
          choices: [{ finish_reason: "stop", message: { content: "yes [1]" } }],
          citations: ["https://example.com/"],
          x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }
        })
      )
    )
  )

  it.effect("tools go out in OpenAI's form", () =>
    Effect.gen(function* () {
      const { body } = yield* bodyOf(Compat.model("anthropic/claude-haiku-4-5"), {
        prompt: "hi",
        tools: [Tool.make("weather")],
        toolChoice: { tool: "weather" }
      })
      assert.nestedPropertyVal(body, "tools[0].function.name", "weather")
      assert.deepStrictEqual(body.tool_choice, { type: "function", function: { name: "weather" } })
    })
  )
})

describe("Compat.dynamic", () => {
  const routes = { support: ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"] }
  const down = { openai: always(status(503)) }
  const model = Compat.dynamic("support")

  it.effect("6. the answer names who answered, whole and streamed", () =>
    Effect.gen(function* () {
      const answer = yield* model.chat("hello")
      assert.strictEqual(answer.text, "You said: hello")
      assert.strictEqual(answer.provider, "anthropic")
      assert.strictEqual(answer.model, "claude-haiku-4-5")
      assert.strictEqual(answer.gateway.provider, "anthropic")
      const streamed = yield* ChatModel.collect(model.streamChat("hello"))
      assert.strictEqual(streamed.provider, "anthropic")
      assert.strictEqual(streamed.model, "claude-haiku-4-5")
      assert.nestedPropertyVal((yield* requests)[0]?.body, "model", "dynamic/support")
    }).pipe(Effect.provide(behind({ routes, upstreams: down })))
  )

  it.effect("a route that is not there: code 2005, which is retried because it may be anything", () =>
    Effect.gen(function* () {
      const nowhere = Compat.dynamic("no-such-route").pipe(ChatModel.retry(Schedule.recurs(1)))
      const error = yield* Effect.flip(nowhere.chat("hello"))
      assert.strictEqual(error._tag, "ProviderFailure")
      if (error._tag === "ProviderFailure") assert.strictEqual(error.code, 2005)
      assert.strictEqual((yield* requests).length, 2)
    }).pipe(Effect.provide(behind({ routes })))
  )

  it.effect("is a leg like any other: in a list, and in a universal request", () =>
    Effect.gen(function* () {
      const legs = [OpenAi.model("gpt-4.1-mini"), model] as const
      for (const list of [ChatModel.firstSuccessOf(legs).pipe(once), ChatModel.universal(legs)]) {
        for (const answer of [
          yield* list.chat("hello"),
          yield* ChatModel.collect(list.streamChat("hello"))
        ]) {
          assert.strictEqual(answer.provider, "anthropic")
          assert.strictEqual(answer.attempts.length, 1)
        }
      }
      const universal = (yield* requests).at(-1)?.body as ReadonlyArray<Record<string, unknown>>
      assert.deepInclude(universal[1], { provider: "compat", endpoint: "chat/completions" })
    }).pipe(Effect.provide(Layer.merge(OpenAi.layer(), behind({ routes, upstreams: down }))))
  )

  it.effect("a name that cannot be a route's is refused before it is sent", () =>
    Effect.gen(function* () {
      for (const route of ["", "dynamic/support", "a//b", "/a"])
        yield* invalid(Compat.dynamic(atRunTime(route)), "route")
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(behind({ routes })))
  )

  it.effect("how maxTokens is written is a setting", () =>
    Effect.gen(function* () {
      const input = { prompt: "hi", maxTokens: 9 }
      assert.deepInclude((yield* bodyOf(Compat.dynamic("a"), input)).body, { max_tokens: 9 })
      const other = Compat.dynamic("a", { maxTokensAs: "max_completion_tokens" })
      const { body } = yield* bodyOf(other, input)
      assert.deepInclude(body, { max_completion_tokens: 9 })
      assert.notProperty(body, "max_tokens")
    })
  )
})

describe("Compat.auto", () => {
  it.effect("sends its headers, and only those that are set", () =>
    Effect.gen(function* () {
      const told = yield* bodyOf(
        Compat.auto({
          sessionId: "s 1",
          turnId: "t1",
          noSessionAffinity: true,
          allowedModels: ["openai/*", "anthropic/claude-haiku-4.5"],
          allowedProviders: ["openai", "anthropic"]
        }),
        "hello"
      )
      assert.strictEqual(told.body.model, "cloudflare/auto")
      assert.deepStrictEqual(told.headers, {
        "cf-aig-session-id": "s 1",
        "cf-aig-turn-id": "t1",
        "cf-aig-no-session-affinity": "true",
        "cf-aig-allowed-models": "openai/*,anthropic/claude-haiku-4.5",
        "cf-aig-allowed-providers": "openai,anthropic"
      })
      const untold = yield* bodyOf(Compat.auto({ noSessionAffinity: false }), "hello")
      assert.deepStrictEqual(untold.headers, {})
    })
  )

  it.effect("what a header cannot carry is refused by its name", () =>
    Effect.gen(function* () {
      yield* invalid(Compat.auto({ sessionId: "a\nb" }), "sessionId")
      yield* invalid(Compat.auto({ turnId: "" }), "turnId")
      yield* invalid(Compat.auto({ allowedModels: [] }), "allowedModels")
      yield* invalid(Compat.auto({ allowedModels: ["openai/*", "a,b"] }), "allowedModels[1]")
      yield* invalid(Compat.auto({ allowedProviders: ["é"] }), "allowedProviders[0]")
      assert.deepStrictEqual(yield* requests, [])
    }).pipe(Effect.provide(behind()))
  )

  for (const [way, ask] of [
    ["chat", (model: ChatModel.With<Compat.Compat | AiGateway.AiGateway>) => model.chat("hello")],
    [
      "stream",
      (model: ChatModel.With<Compat.Compat | AiGateway.AiGateway>) =>
        ChatModel.collect(model.streamChat("hello"))
    ]
  ] as const) {
    it.effect(`121. the answer names the model that was chosen, and why (${way})`, () =>
      Effect.gen(function* () {
        const answer = yield* ask(Compat.auto())
        assert.strictEqual(answer.provider, "grok")
        assert.strictEqual(answer.model, "grok-4")
        assert.deepInclude(answer.gateway, {
          routedModel: "xai/grok-4",
          routingReason: "cost_optimal_within_pool",
          routingDecisionId: "d-1",
          requestId: "r-1"
        })
      }).pipe(
        Effect.provide(
          Layer.merge(
            Compat.layer(),
            AiGateway.layer({ accountId: "a", gatewayId: "g" }).pipe(
              Layer.provide(
                Layer.succeed(
                  HttpClient.HttpClient,
                  HttpClient.make((request) =>
                    Effect.succeed(
                      HttpClientResponse.fromWeb(
                        request,
                        Response.json(
                          { choices: [{ finish_reason: "stop", message: { content: "hi" } }] },
                          {
                            headers: {
                              "cf-aig-routed-model": "xai/grok-4",
                              "cf-aig-routing-reason": "cost_optimal_within_pool",
                              "cf-aig-routing-decision-id": "d-1",
                              "cf-aig-request-id": "r-1"
                            }
                          }
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        )
      )
    )
  }
})

describe("compat and native models together", () => {
  it.effect("56. each is read in its own format, whichever wins", () =>
    Effect.gen(function* () {
      const model = ChatModel.universal([
        Compat.model("openai/gpt-4.1-mini"),
        Anthropic.model("claude-haiku-4-5"),
        Compat.model("google-ai-studio/gemini-2.5-flash")
      ])
      const answer = yield* model.chat("hello")
      assert.strictEqual(answer.text, "from compat")
      assert.strictEqual(answer.provider, "compat")
      assert.strictEqual(answer.gateway.step, 2)
      assert.deepStrictEqual(
        answer.attempts.map(({ provider, model }) => [provider, model]),
        [
          ["compat", "openai/gpt-4.1-mini"],
          ["anthropic", "claude-haiku-4-5"]
        ]
      )
    }).pipe(
      Effect.provide(
        Layer.merge(
          Anthropic.layer(),
          behind({
            upstreams: {
              openai: always(status(500)),
              anthropic: always(status(529)),
              "google-ai-studio": always(text("from compat"))
            }
          })
        )
      )
    )
  )
})
