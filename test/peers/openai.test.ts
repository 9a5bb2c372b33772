/**
 * The `openai` client, unmodified, to LocalGateway over real sockets: what `test/peers.test.ts` leaves out. Its compat endpoint,
 * dynamic routes, the gateway's own answers, and clients that hang up on a provider which has a socket of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  OpenAI,
  RateLimitError
} from "openai"
import { failureOf, openAiStart, silentProvider, wasLeft } from "./support.js"

const clientFor = (
  options: LocalGateway.Options,
  path: "openai" | "compat" | "groq" = "openai",
  headers: Record<string, string> = {}
) =>
  Effect.map(LocalGatewayServer.start(LocalGateway.make(options)), ({ baseUrl, gateway }) => ({
    gateway,
    client: new OpenAI({
      baseURL: `${baseUrl}/local-account/local-gateway/${path}`,
      apiKey: "sk-openai",
      defaultHeaders: { "cf-aig-authorization": "Bearer local-token", ...headers },
      maxRetries: 0
    })
  }))

const model = "gpt-4.1-mini"
const messages = [{ role: "user" as const, content: "Good morning" }]
const said = "You said: Good morning"

const ask = (client: OpenAI, name = model) => client.chat.completions.create({ model: name, messages })

const read = async (client: OpenAI, signal?: AbortSignal, onText?: () => void): Promise<string> => {
  const stream = await client.chat.completions.create(
    { model, messages, stream: true },
    { ...(signal === undefined ? {} : { signal }) }
  )
  let text = ""
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ""
    if (text !== "") onText?.()
  }
  return text
}

describe("the openai client → LocalGatewayServer", () => {
  it.live("reads streams cut into single bytes, and their comments", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({
        upstreams: {
          openai: LocalGateway.always(
            LocalGateway.rechunk(LocalGateway.keepAlives(LocalGateway.text("Grüße: 灵感 🎈"), 2), 1)
          )
        }
      })
      assert.strictEqual(yield* Effect.promise(() => read(client)), "Grüße: 灵感 🎈")
    }).pipe(Effect.scoped)
  )

  it.live("asks for another provider by the compat endpoint, whole and streamed", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor({}, "compat")
      for (const name of [
        "anthropic/claude-haiku-4-5",
        "google-ai-studio/gemini-2.5-flash",
        "openai/gpt-5"
      ]) {
        const answer = yield* Effect.promise(() => ask(client, name))
        assert.strictEqual(answer.choices[0]?.message.content, said)
        const streamed = yield* Effect.promise(() =>
          client.chat.completions.stream({ model: name, messages }).finalContent()
        )
        assert.strictEqual(streamed, said)
      }
      assert.deepStrictEqual(
        gateway.logs().map(({ provider, model }) => `${provider} ${model}`),
        [
          "anthropic claude-haiku-4-5",
          "anthropic claude-haiku-4-5",
          "google-ai-studio gemini-2.5-flash",
          "google-ai-studio gemini-2.5-flash",
          "openai gpt-5",
          "openai gpt-5"
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("falls back by a dynamic route", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor(
        {
          routes: { support: ["openai/gpt-5-mini", "groq/llama-3.3-70b"] },
          upstreams: { openai: LocalGateway.always(LocalGateway.status(503)) }
        },
        "compat"
      )
      const { data, response } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "dynamic/support", messages }).withResponse()
      )
      assert.strictEqual(data.choices[0]?.message.content, said)
      assert.strictEqual(response.headers.get("cf-aig-provider"), "groq")
      assert.deepStrictEqual(
        gateway.upstreamRequests().map(({ provider }) => provider),
        ["openai", "groq"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("knows a provider's 401, 429 and 503, each in a stream too", () =>
    Effect.gen(function* () {
      const cases = [
        [401, AuthenticationError],
        [429, RateLimitError],
        [503, InternalServerError]
      ] as const
      for (const [status, type] of cases) {
        const { client } = yield* clientFor({
          upstreams: {
            openai: LocalGateway.always(LocalGateway.status(status, { headers: { "retry-after": "7" } }))
          }
        })
        for (const call of [() => ask(client), () => read(client)]) {
          const error = yield* failureOf(call)
          assert.instanceOf(error, type)
          assert.strictEqual(error.status, status)
          assert.strictEqual(error.headers?.get("retry-after"), "7")
          assert.isString(error.type)
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("knows a bad provider key by the provider's code", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({ keys: { openai: "sk-another" } })
      const error = yield* failureOf(() => ask(client))
      assert.instanceOf(error, AuthenticationError)
      assert.strictEqual(error.code, "invalid_api_key")
    }).pipe(Effect.scoped)
  )

  it.live("gets the gateway's own refusals as the errors of their status", () =>
    Effect.gen(function* () {
      const { client: limited } = yield* clientFor({ rateLimit: { limit: 1, interval: "1 minute" } })
      yield* Effect.promise(() => ask(limited))
      const second = yield* failureOf(() => ask(limited))
      assert.instanceOf(second, RateLimitError)
      assert.deepStrictEqual(second.error, [{ code: 2003, message: "Rate limited" }])
      const { client: elsewhere } = yield* clientFor({ gateways: ["another"] })
      const missing = yield* failureOf(() => ask(elsewhere))
      assert.instanceOf(missing, BadRequestError)
      assert.deepStrictEqual(missing.error, [
        { code: 2001, message: "Please configure AI Gateway in the Cloudflare dashboard" }
      ])
    }).pipe(Effect.scoped)
  )

  it.live("lets the gateway retry, and answer from its cache", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor(
        { upstreams: { openai: LocalGateway.script([LocalGateway.status(503), LocalGateway.status(503)]) } },
        "openai",
        { "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1", "cf-aig-cache-key": "greeting" }
      )
      const seen: Array<string | null> = []
      for (const _ of [1, 2]) {
        const { data, response } = yield* Effect.promise(() => ask(client).withResponse())
        assert.strictEqual(data.choices[0]?.message.content, said)
        seen.push(response.headers.get("cf-aig-cache-status"))
      }
      assert.deepStrictEqual(seen, ["MISS", "HIT"])
      assert.lengthOf(gateway.upstreamRequests(), 3)
    }).pipe(Effect.scoped)
  )

  it.live("sees a broken connection as one: before the answer, in a body, in a stream", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({
        upstreams: { openai: LocalGateway.always(LocalGateway.disconnect) }
      })
      assert.instanceOf(yield* failureOf(() => ask(client)), APIConnectionError)
      const { client: cut } = yield* clientFor({
        upstreams: { openai: LocalGateway.always(LocalGateway.dropAfter(LocalGateway.text("one two"), 2)) }
      })
      // This client lets the error of `fetch` through once it has the headers.
      assert.instanceOf(yield* failureOf(() => ask(cut)), Error)
      assert.instanceOf(yield* failureOf(() => read(cut)), Error)
    }).pipe(Effect.scoped)
  )

  it.live("throws the error inside a 200", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({
        upstreams: {
          openai: LocalGateway.always(
            LocalGateway.errorEvent(LocalGateway.text("one two"), 2, { message: "Too busy" })
          )
        }
      })
      const error = yield* failureOf(() => read(client))
      assert.instanceOf(error, APIError)
      assert.include(error.message, "Too busy")
    }).pipe(Effect.scoped)
  )

  it.live("hangs up on the provider: in a stream, and before any answer", () =>
    Effect.gen(function* () {
      const talking = yield* silentProvider(openAiStart)
      const { client, gateway } = yield* clientFor({
        upstreams: { openai: LocalGateway.forward(talking.url) }
      })
      const abort = new AbortController()
      // This client ends the loop without an error when it is aborted.
      const text = yield* Effect.promise(() => read(client, abort.signal, () => abort.abort()))
      assert.strictEqual(text, "one")
      yield* wasLeft(talking, gateway)

      const mute = yield* silentProvider()
      const second = yield* clientFor({ upstreams: { openai: LocalGateway.forward(mute.url) } })
      const early = new AbortController()
      const error = yield* failureOf(() => {
        setTimeout(() => early.abort(), 100)
        return read(second.client, early.signal)
      })
      assert.instanceOf(error, APIUserAbortError)
      yield* wasLeft(mute, second.gateway)
    }).pipe(Effect.scoped)
  )

  it.live("hangs up when its own timeout runs out", () =>
    Effect.gen(function* () {
      const mute = yield* silentProvider()
      const { client, gateway } = yield* clientFor({ upstreams: { openai: LocalGateway.forward(mute.url) } })
      const error = yield* failureOf(() =>
        client.chat.completions.create({ model, messages }, { timeout: 100 })
      )
      assert.instanceOf(error, APIConnectionTimeoutError)
      yield* wasLeft(mute, gateway)
    }).pipe(Effect.scoped)
  )

  it.live("keeps fifty calls at once apart", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({})
      const answers = yield* Effect.promise(() =>
        Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            client.chat.completions
              .stream({ model, messages: [{ role: "user", content: `number ${n}` }] })
              .finalContent()
          )
        )
      )
      assert.deepStrictEqual(
        answers,
        Array.from({ length: 50 }, (_, n) => `You said: number ${n}`)
      )
    }).pipe(Effect.scoped)
  )
})
