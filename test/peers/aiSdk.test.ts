/**
 * Vercel's `ai`, unmodified, to LocalGateway over real sockets: through its own providers on the provider-native and compat
 * endpoints, and through Cloudflare's `ai-gateway-provider` on the universal one. The latter has `https://gateway.ai.cloudflare.com`
 * written into it, so `fetch` sends that one host to 127.0.0.1 here; its `binding` option is the other door.
 */
import { createAnthropic } from "@ai-sdk/anthropic"
import { createOpenAI } from "@ai-sdk/openai"
import { assert, describe, it } from "@effect/vitest"
import { APICallError, generateText, type LanguageModel, streamText } from "ai"
import { AiGatewayDoesNotExist, AiGatewayUnauthorizedError, createAiGateway } from "ai-gateway-provider"
import { createAnthropic as gatewayAnthropic } from "ai-gateway-provider/providers/anthropic"
import { createOpenAI as gatewayOpenAI } from "ai-gateway-provider/providers/openai"
import { createUnified } from "ai-gateway-provider/providers/unified"
import { Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { anthropicStart, failureOf, openAiStart, silentProvider, wasLeft } from "./support.js"

const said = "You said: Good morning"

const ask = (model: LanguageModel, abortSignal?: AbortSignal, prompt = "Good morning") =>
  generateText({ model, prompt, maxRetries: 0, ...(abortSignal === undefined ? {} : { abortSignal }) })

/** The text of a stream; rejects with the error that the stream reports, for `ai` ends it as if nothing had been. */
const read = async (
  model: LanguageModel,
  abortSignal?: AbortSignal,
  onText?: () => void,
  prompt = "Good morning"
) => {
  const { fullStream } = streamText({
    model,
    prompt,
    maxRetries: 0,
    onError: () => undefined,
    ...(abortSignal === undefined ? {} : { abortSignal })
  })
  let text = ""
  let finishReason: string | undefined
  let aborted = false
  for await (const part of fullStream) {
    if (part.type === "error") throw part.error
    if (part.type === "abort") aborted = true
    if (part.type === "finish") finishReason = part.finishReason
    if (part.type !== "text-delta") continue
    text += part.text
    onText?.()
  }
  return { text, finishReason, aborted }
}

const statusOf = (error: unknown): unknown => {
  assert(APICallError.isInstance(error), String(error))
  return error.statusCode
}

// --- its own providers ------------------------------------------------------------------------------------------------

const headers = { "cf-aig-authorization": "Bearer local-token" }

const natives = [
  {
    name: "openai",
    start: openAiStart,
    model: (base: string) =>
      createOpenAI({ baseURL: `${base}/openai`, apiKey: "sk-openai", headers }).chat("gpt-4.1-mini")
  },
  {
    name: "anthropic",
    start: anthropicStart,
    model: (base: string) =>
      createAnthropic({ baseURL: `${base}/anthropic/v1`, apiKey: "sk-anthropic", headers })(
        "claude-haiku-4-5"
      )
  }
] as const

const running = (options: LocalGateway.Options) =>
  Effect.map(LocalGatewayServer.start(LocalGateway.make(options)), ({ baseUrl, gateway }) => ({
    gateway,
    base: `${baseUrl}/local-account/local-gateway`
  }))

for (const { name, start, model } of natives) {
  const always = (reply: LocalGateway.Reply) => running({ upstreams: { [name]: LocalGateway.always(reply) } })

  describe(`ai and @ai-sdk/${name} → LocalGatewayServer`, () => {
    it.live("chats and streams", () =>
      Effect.gen(function* () {
        const { base } = yield* running({})
        const answer = yield* Effect.promise(() => ask(model(base)))
        assert.strictEqual(answer.text, said)
        assert.strictEqual(answer.finishReason, "stop")
        assert.isAbove(answer.usage.totalTokens ?? 0, 0)
        const streamed = yield* Effect.promise(() => read(model(base)))
        assert.deepStrictEqual(streamed, { text: said, finishReason: "stop", aborted: false })
      }).pipe(Effect.scoped)
    )

    it.live("knows 401, 429 and 503, each in a stream too", () =>
      Effect.gen(function* () {
        for (const status of [401, 429, 503]) {
          const { base } = yield* always(LocalGateway.status(status))
          for (const call of [() => ask(model(base)), () => read(model(base))]) {
            assert.strictEqual(statusOf(yield* failureOf(call)), status)
          }
        }
      }).pipe(Effect.scoped)
    )

    it.live("sees a connection that breaks", () =>
      Effect.gen(function* () {
        const { base } = yield* always(LocalGateway.disconnect)
        assert.isUndefined(statusOf(yield* failureOf(() => ask(model(base)))))
        const cut = yield* always(LocalGateway.dropAfter(LocalGateway.text("one two three"), 4))
        assert.instanceOf(yield* failureOf(() => read(model(cut.base))), Error)
      }).pipe(Effect.scoped)
    )

    it.live("hangs up on the provider", () =>
      Effect.gen(function* () {
        const talking = yield* silentProvider(start)
        const { base, gateway } = yield* running({ upstreams: { [name]: LocalGateway.forward(talking.url) } })
        const abort = new AbortController()
        const streamed = yield* Effect.promise(() => read(model(base), abort.signal, () => abort.abort()))
        assert.strictEqual(streamed.text, "one")
        assert.isTrue(streamed.aborted)
        yield* wasLeft(talking, gateway)

        const mute = yield* silentProvider()
        const second = yield* running({ upstreams: { [name]: LocalGateway.forward(mute.url) } })
        const error = yield* failureOf(() => ask(model(second.base), AbortSignal.timeout(100)))
        assert.instanceOf(error, Error)
        yield* wasLeft(mute, second.gateway)
      }).pipe(Effect.scoped)
    )
  })
}

// --- ai-gateway-provider ----------------------------------------------------------------------------------------------

type Options = NonNullable<Extract<Parameters<typeof createAiGateway>[0], { gateway: string }>["options"]>

/** Cloudflare's host, and no other, is this server. */
const redirected = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const real = globalThis.fetch
      globalThis.fetch = (input, init) =>
        real(
          typeof input === "string" ? input.replace(/^https:\/\/gateway\.ai\.cloudflare\.com/, url) : input,
          init
        )
      return real
    }),
    (real) =>
      Effect.sync(() => {
        globalThis.fetch = real
      })
  )

const account = { accountId: "local-account", gateway: "local-gateway", apiKey: "local-token" }

/** How the provider reaches the universal endpoint. */
const doors = [
  {
    name: "its API key",
    open: (
      options: LocalGateway.Options,
      settings: Partial<typeof account> = {},
      gatewayOptions: Options = {}
    ) =>
      Effect.gen(function* () {
        const { url, gateway } = yield* LocalGatewayServer.start(LocalGateway.make(options))
        yield* redirected(url)
        return { gateway, aigateway: createAiGateway({ ...account, ...settings, options: gatewayOptions }) }
      })
  },
  {
    name: "a binding",
    open: (
      options: LocalGateway.Options,
      settings: Partial<typeof account> = {},
      gatewayOptions: Options = {}
    ) =>
      Effect.map(LocalGatewayServer.start(LocalGateway.make(options)), ({ baseUrl, gateway }) => {
        const { accountId, gateway: id, apiKey } = { ...account, ...settings }
        return {
          gateway,
          aigateway: createAiGateway({
            binding: {
              run: (data, init) =>
                fetch(`${baseUrl}/${accountId}/${id}`, {
                  method: "POST",
                  headers: { "content-type": "application/json", "cf-aig-authorization": `Bearer ${apiKey}` },
                  body: JSON.stringify(data),
                  ...(init?.signal === undefined ? {} : { signal: init.signal })
                })
            },
            options: gatewayOptions
          })
        }
      })
  }
] as const

const gpt = () => gatewayOpenAI({ apiKey: "sk-openai" }).chat("gpt-4.1-mini")
const claude = () => gatewayAnthropic({ apiKey: "sk-anthropic" })("claude-haiku-4-5")

for (const { name, open } of doors) {
  describe(`ai and ai-gateway-provider by ${name} → LocalGatewayServer`, () => {
    it.live("chats and streams by the universal endpoint", () =>
      Effect.gen(function* () {
        const { aigateway, gateway } = yield* open({})
        for (const model of [gpt, claude]) {
          const answer = yield* Effect.promise(() => ask(aigateway(model())))
          assert.strictEqual(answer.text, said)
          assert.strictEqual(answer.response.headers?.["cf-aig-step"], "0")
          const streamed = yield* Effect.promise(() => read(aigateway(model())))
          assert.deepStrictEqual(streamed, { text: said, finishReason: "stop", aborted: false })
        }
        assert.deepStrictEqual(
          gateway.requests().map(({ path }) => path),
          Array.from({ length: 4 }, () => "/v1/local-account/local-gateway")
        )
        assert.deepStrictEqual(
          gateway.upstreamRequests().map(({ provider, endpoint }) => `${provider} ${endpoint}`),
          [
            "openai v1/chat/completions",
            "openai v1/chat/completions",
            "anthropic v1/messages",
            "anthropic v1/messages"
          ]
        )
      }).pipe(Effect.scoped)
    )

    it.live("uses the compat endpoint", () =>
      Effect.gen(function* () {
        const { aigateway, gateway } = yield* open({})
        const unified = createUnified({ apiKey: "sk-anthropic" })("anthropic/claude-haiku-4-5")
        const answer = yield* Effect.promise(() => ask(aigateway(unified)))
        assert.strictEqual(answer.text, said)
        assert.strictEqual(gateway.upstreamRequests()[0]?.provider, "anthropic")
      }).pipe(Effect.scoped)
    )

    it.live("sends no credential where it has none, so that the stored key is used", () =>
      Effect.gen(function* () {
        const { aigateway, gateway } = yield* open({
          unifiedBilling: false,
          storedKeys: { openai: "sk-stored", anthropic: "sk-stored-too" }
        })
        for (const model of [
          gatewayOpenAI({}).chat("gpt-4.1-mini"),
          gatewayAnthropic({})("claude-haiku-4-5")
        ]) {
          assert.strictEqual((yield* Effect.promise(() => ask(aigateway(model)))).text, said)
        }
        const [openai, anthropic] = gateway.upstreamRequests()
        assert.strictEqual(openai?.headers.authorization, "Bearer sk-stored")
        assert.strictEqual(anthropic?.headers["x-api-key"], "sk-stored-too")
      }).pipe(Effect.scoped)
    )

    it.live("falls back in the gateway, whole and streamed", () =>
      Effect.gen(function* () {
        for (const status of [401, 429, 503]) {
          const { aigateway, gateway } = yield* open({
            upstreams: { openai: LocalGateway.always(LocalGateway.status(status)) }
          })
          const list = () => aigateway([gpt(), claude()])
          const answer = yield* Effect.promise(() => ask(list()))
          assert.strictEqual(answer.text, said)
          assert.strictEqual(answer.response.headers?.["cf-aig-step"], "1")
          const streamed = yield* Effect.promise(() => read(list()))
          assert.deepStrictEqual(streamed, { text: said, finishReason: "stop", aborted: false })
          assert.lengthOf(gateway.requests(), 2)
          assert.deepStrictEqual(
            gateway.logs().map(({ provider, statusCode, step }) => [provider, statusCode, step]),
            [
              ["openai", status, 0],
              ["anthropic", 200, 1],
              ["openai", status, 0],
              ["anthropic", 200, 1]
            ]
          )
        }
      }).pipe(Effect.scoped)
    )

    it.live("falls back from a provider at which nobody listens, or which is too slow", () =>
      Effect.gen(function* () {
        const nobody = yield* Effect.scoped(Effect.map(silentProvider(), ({ url }) => url))
        const mute = yield* silentProvider()
        for (const url of [nobody, mute.url]) {
          const { aigateway } = yield* open(
            { upstreams: { openai: LocalGateway.forward(url) } },
            {},
            { requestTimeoutMs: 200 }
          )
          const answer = yield* Effect.promise(() => ask(aigateway([gpt(), claude()])))
          assert.strictEqual(answer.text, said)
          assert.strictEqual(answer.response.headers?.["cf-aig-step"], "1")
        }
      }).pipe(Effect.scoped)
    )

    it.live("gets the provider's error when every entry failed", () =>
      Effect.gen(function* () {
        const { aigateway } = yield* open({
          upstreams: {
            openai: LocalGateway.always(LocalGateway.status(503)),
            anthropic: LocalGateway.always(LocalGateway.status(429))
          }
        })
        for (const call of [
          () => ask(aigateway([gpt(), claude()])),
          () => read(aigateway([gpt(), claude()]))
        ]) {
          assert.strictEqual(statusOf(yield* failureOf(call)), 429)
        }
      }).pipe(Effect.scoped)
    )

    it.live("knows the gateway's 2009 and 2001", () =>
      Effect.gen(function* () {
        const { aigateway: stranger } = yield* open({}, { apiKey: "wrong" })
        for (const call of [() => ask(stranger(gpt())), () => read(stranger(gpt()))])
          assert.instanceOf(yield* failureOf(call), AiGatewayUnauthorizedError)

        const { aigateway: elsewhere } = yield* open({}, { gateway: "another" })
        assert.instanceOf(yield* failureOf(() => ask(elsewhere(gpt()))), AiGatewayDoesNotExist)
      }).pipe(Effect.scoped)
    )

    it.live("sets the gateway's options", () =>
      Effect.gen(function* () {
        const { aigateway, gateway } = yield* open(
          {
            upstreams: { openai: LocalGateway.script([LocalGateway.status(503), LocalGateway.status(503)]) }
          },
          {},
          {
            cacheKey: "greeting",
            cacheTtl: 600,
            metadata: { user: 7, plan: "free" },
            eventId: "event-1",
            retries: { maxAttempts: 3, retryDelayMs: 1, backoff: "constant" }
          }
        )
        const seen: Array<string | undefined> = []
        for (const _ of [1, 2]) {
          const answer = yield* Effect.promise(() => ask(aigateway(gpt())))
          assert.strictEqual(answer.text, said)
          seen.push(answer.response.headers?.["cf-aig-cache-status"])
        }
        assert.deepStrictEqual(seen, ["MISS", "HIT"])
        assert.lengthOf(gateway.upstreamRequests(), 3)
        assert.deepStrictEqual(gateway.logs()[0]?.metadata, { user: 7, plan: "free" })
        assert.strictEqual(gateway.logs()[0]?.eventId, "event-1")
      }).pipe(Effect.scoped)
    )

    it.live("hangs up on the provider: in a stream, and before any answer", () =>
      Effect.gen(function* () {
        const talking = yield* silentProvider(openAiStart)
        const { aigateway, gateway } = yield* open({
          upstreams: { openai: LocalGateway.forward(talking.url) }
        })
        const abort = new AbortController()
        const list = aigateway([gpt(), claude()])
        const streamed = yield* Effect.promise(() => read(list, abort.signal, () => abort.abort()))
        assert.strictEqual(streamed.text, "one")
        assert.isTrue(streamed.aborted)
        yield* wasLeft(talking, gateway)
        // Who hung up is not answered by somebody else.
        assert.lengthOf(gateway.upstreamRequests(), 1)

        const mute = yield* silentProvider()
        const second = yield* open({
          upstreams: { openai: LocalGateway.forward(mute.url) }
        })
        const again = second.aigateway([gpt(), claude()])
        assert.instanceOf(yield* failureOf(() => ask(again, AbortSignal.timeout(100))), Error)
        yield* wasLeft(mute, second.gateway)
        assert.lengthOf(second.gateway.upstreamRequests(), 1)
      }).pipe(Effect.scoped)
    )

    it.live("keeps twenty calls at once apart, each with a model of its own", () =>
      Effect.gen(function* () {
        const { aigateway } = yield* open({})
        const answers = yield* Effect.promise(() =>
          Promise.all(
            Array.from({ length: 20 }, (_, n) => read(aigateway(gpt()), undefined, undefined, `number ${n}`))
          )
        )
        assert.deepStrictEqual(
          answers.map(({ text }) => text),
          Array.from({ length: 20 }, (_, n) => `You said: number ${n}`)
        )
      }).pipe(Effect.scoped)
    )
  })
}
