/** `@anthropic-ai/sdk`, unmodified, to LocalGateway over real sockets. */
import Anthropic, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError
} from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import { anthropicStart, failureOf, silentProvider, wasLeft } from "./support.js"

const clientFor = (options: LocalGateway.Options, headers: Record<string, string> = {}) =>
  Effect.map(LocalGatewayServer.start(LocalGateway.make(options)), ({ baseUrl, gateway }) => ({
    gateway,
    client: new Anthropic({
      baseURL: `${baseUrl}/local-account/local-gateway/anthropic`,
      apiKey: "sk-anthropic",
      defaultHeaders: { "cf-aig-authorization": "Bearer local-token", ...headers },
      maxRetries: 0
    })
  }))

const always = (reply: LocalGateway.Reply): LocalGateway.Options => ({
  upstreams: { anthropic: LocalGateway.always(reply) }
})

const question = {
  model: "claude-haiku-4-5",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Good morning" }]
}
const said = "You said: Good morning"

const ask = (client: Anthropic) => client.messages.create(question)

const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("")

const read = async (client: Anthropic, signal?: AbortSignal, onText?: () => void): Promise<string> => {
  const stream = await client.messages.create(
    { ...question, stream: true },
    { ...(signal === undefined ? {} : { signal }) }
  )
  let text = ""
  for await (const event of stream) {
    if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text
    if (text !== "") onText?.()
  }
  return text
}

describe("@anthropic-ai/sdk → LocalGatewayServer", () => {
  it.live("chats", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor({})
      const { data, response } = yield* Effect.promise(() =>
        client.messages.create({ ...question, system: "Be kind." }).withResponse()
      )
      assert.strictEqual(textOf(data), said)
      assert.strictEqual(data.stop_reason, "end_turn")
      assert.isAbove(data.usage.input_tokens, 0)
      assert.isAbove(data.usage.output_tokens, 0)
      assert.strictEqual(response.headers.get("cf-aig-log-id"), gateway.logs()[0]?.id)
      const headers = gateway.upstreamRequests()[0]?.headers ?? {}
      assert.strictEqual(headers.authorization, "Bearer sk-anthropic")
      assert.isUndefined(headers["cf-aig-authorization"])
    }).pipe(Effect.scoped)
  )

  it.live("uses its beta client, and a path with a query", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor({})
      const answer = yield* Effect.promise(() =>
        client.beta.messages.create({ ...question, betas: ["some-beta"] }, { query: { beta: "true" } })
      )
      assert.strictEqual(answer.content[0]?.type === "text" ? answer.content[0].text : "", said)
      assert.strictEqual(gateway.requests()[0]?.endpoint, "v1/messages?beta=true")
      assert.strictEqual(gateway.upstreamRequests()[0]?.headers["anthropic-beta"], "some-beta")
    }).pipe(Effect.scoped)
  )

  it.live("is refused a temperature, as the version that it sends does, and not as the one before", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor({})
      const warm = { ...question, temperature: 1 }
      const error = yield* failureOf(() => client.messages.create(warm))
      assert.instanceOf(error, BadRequestError)
      assert.strictEqual(error.type, "invalid_request_error")
      assert.strictEqual(gateway.requests()[0]?.headers["anthropic-version"], "2026-10-21")
      const answer = yield* Effect.promise(() =>
        client.messages.create(warm, { headers: { "anthropic-version": "2023-06-01" } })
      )
      assert.strictEqual(textOf(answer), said)
    }).pipe(Effect.scoped)
  )

  it.live("streams, cut into single bytes and with pings", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor(
        always(
          LocalGateway.rechunk(
            LocalGateway.keepAlives(LocalGateway.text("Grüße: 灵感 🎈", { usage: { output: 7 } }), 2),
            1
          )
        )
      )
      const stream = client.messages.stream(question)
      const deltas: Array<string> = []
      stream.on("text", (delta) => deltas.push(delta))
      const message = yield* Effect.promise(() => stream.finalMessage())
      assert.strictEqual(textOf(message), "Grüße: 灵感 🎈")
      assert.isAbove(deltas.length, 1)
      assert.strictEqual(message.stop_reason, "end_turn")
      assert.strictEqual(message.usage.output_tokens, 7)
    }).pipe(Effect.scoped)
  )

  it.live("calls tools after a text, and shows reasoning", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({
        upstreams: {
          anthropic: LocalGateway.script([
            LocalGateway.toolCalls(
              [
                { name: "weather", args: { city: "Zürich" } },
                { name: "time", args: {} }
              ],
              { text: "Let me look." }
            ),
            LocalGateway.text("42", { reasoning: "Six times seven." })
          ])
        }
      })
      const tools = ["weather", "time"].map((name) => ({
        name,
        input_schema: { type: "object" as const }
      }))
      const called = yield* Effect.promise(() =>
        client.messages.stream({ ...question, tools }).finalMessage()
      )
      assert.strictEqual(textOf(called), "Let me look.")
      assert.deepStrictEqual(
        called.content.flatMap((block) => (block.type === "tool_use" ? [[block.name, block.input]] : [])),
        [
          ["weather", { city: "Zürich" }],
          ["time", {}]
        ]
      )
      assert.strictEqual(called.stop_reason, "tool_use")
      const thought = yield* Effect.promise(() =>
        client.messages
          .stream({ ...question, max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 1024 } })
          .finalMessage()
      )
      assert.deepStrictEqual(
        thought.content.map(({ type }) => type),
        ["thinking", "text"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("knows a provider's 401, 429, 503 and 529, each in a stream too", () =>
    Effect.gen(function* () {
      const cases = [
        [401, AuthenticationError, "authentication_error"],
        [429, RateLimitError, "rate_limit_error"],
        [503, InternalServerError, "api_error"],
        [529, InternalServerError, "overloaded_error"]
      ] as const
      for (const [status, errorClass, type] of cases) {
        const { client } = yield* clientFor(
          always(LocalGateway.status(status, { headers: { "retry-after": "7" } }))
        )
        for (const call of [() => ask(client), () => read(client)]) {
          const error = yield* failureOf(call)
          assert.instanceOf(error, errorClass)
          assert.strictEqual(error.status, status)
          assert.strictEqual(error.type, type)
          assert.strictEqual(error.headers?.get("retry-after"), "7")
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("knows a bad key, and a model that is not there", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor({ keys: { anthropic: "sk-another" } })
      assert.instanceOf(yield* failureOf(() => ask(client)), AuthenticationError)
      const { client: keyed } = yield* clientFor({})
      const error = yield* failureOf(() =>
        keyed.messages.create({ ...question, model: "claude-does-not-exist" })
      )
      assert.instanceOf(error, NotFoundError)
      assert.strictEqual(error.type, "not_found_error")
    }).pipe(Effect.scoped)
  )

  it.live("gets the gateway's own refusals as the errors of their status", () =>
    Effect.gen(function* () {
      const { client: stranger } = yield* clientFor({ token: "another" })
      assert.instanceOf(yield* failureOf(() => ask(stranger)), AuthenticationError)
      const { client: elsewhere } = yield* clientFor({ gateways: ["another"] })
      const missing = yield* failureOf(() => ask(elsewhere))
      assert.instanceOf(missing, BadRequestError)
      assert.include(missing.message, "Please configure AI Gateway")
      const { client: limited } = yield* clientFor({ rateLimit: { limit: 1, interval: "1 minute" } })
      yield* Effect.promise(() => ask(limited))
      assert.instanceOf(yield* failureOf(() => ask(limited)), RateLimitError)
    }).pipe(Effect.scoped)
  )

  it.live("retries as Retry-After says, and lets the gateway retry", () =>
    Effect.gen(function* () {
      const { client, gateway } = yield* clientFor({
        upstreams: {
          anthropic: LocalGateway.script([LocalGateway.status(429, { headers: { "retry-after-ms": "50" } })])
        }
      })
      const answer = yield* Effect.promise(() => client.messages.create(question, { maxRetries: 1 }))
      assert.strictEqual(textOf(answer), said)
      const [first, second, ...others] = gateway.requests()
      assert.isEmpty(others)
      assert.isAtLeast((second?.at ?? 0) - (first?.at ?? 0), 45)

      const patient = yield* clientFor(
        {
          upstreams: { anthropic: LocalGateway.script([LocalGateway.status(529), LocalGateway.status(529)]) }
        },
        { "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1" }
      )
      assert.strictEqual(textOf(yield* Effect.promise(() => ask(patient.client))), said)
      assert.lengthOf(patient.gateway.requests(), 1)
      assert.lengthOf(patient.gateway.upstreamRequests(), 3)
    }).pipe(Effect.scoped)
  )

  it.live("sees a broken connection as one: before the answer, in a body, in a stream", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor(always(LocalGateway.disconnect))
      assert.instanceOf(yield* failureOf(() => ask(client)), APIConnectionError)
      const { client: cut } = yield* clientFor(
        always(LocalGateway.dropAfter(LocalGateway.text("one two three"), 4))
      )
      for (const call of [
        () => ask(cut),
        () => read(cut),
        () => cut.messages.stream(question).finalMessage()
      ]) {
        assert.instanceOf(yield* failureOf(call), Error)
      }
    }).pipe(Effect.scoped)
  )

  it.live("throws the error inside a 200", () =>
    Effect.gen(function* () {
      const { client } = yield* clientFor(always(LocalGateway.errorEvent(LocalGateway.text("one two"), 3)))
      const error = yield* failureOf(() => read(client))
      assert.instanceOf(error, APIError)
      assert.include(error.message, "overloaded_error")
    }).pipe(Effect.scoped)
  )

  it.live("hangs up on the provider: in a stream, and before any answer", () =>
    Effect.gen(function* () {
      const talking = yield* silentProvider(anthropicStart)
      const { client, gateway } = yield* clientFor({
        upstreams: { anthropic: LocalGateway.forward(talking.url) }
      })
      const abort = new AbortController()
      // This client ends the loop without an error when it is aborted.
      const text = yield* Effect.promise(() => read(client, abort.signal, () => abort.abort()))
      assert.strictEqual(text, "one")
      yield* wasLeft(talking, gateway)

      const mute = yield* silentProvider()
      const second = yield* clientFor({ upstreams: { anthropic: LocalGateway.forward(mute.url) } })
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
      const { client, gateway } = yield* clientFor({
        upstreams: { anthropic: LocalGateway.forward(mute.url) }
      })
      const error = yield* failureOf(() => client.messages.create(question, { timeout: 100 }))
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
            client.messages
              .stream({ ...question, messages: [{ role: "user", content: `number ${n}` }] })
              .finalText()
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
