/** The account's REST API, over real sockets: a loopback server stands in for api.cloudflare.com. */
import * as http from "node:http"
import { inspect } from "node:util"
import { FetchHttpClient, Headers, type HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Config,
  ConfigProvider,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  FiberRef,
  Layer,
  Logger,
  Redacted,
  Schedule,
  Schema,
  Stream
} from "effect"
import {
  AccountApi,
  AiGateway,
  type AiGatewayError,
  ChatModel,
  type ChatRequest,
  type ChatResponse,
  LocalGateway,
  Message,
  OpenAi,
  type RequestOptions,
  Tool
} from "effect-ai-gateway"
import * as AnthropicMessages from "../src/internal/wire/anthropicMessages.js"
import * as OpenAiChat from "../src/internal/wire/openAiChat.js"
import * as Dialects from "../src/internal/wire/openAiDialects.js"
import * as OpenAiResponses from "../src/internal/wire/openAiResponses.js"
import type { Wire } from "../src/internal/wire/wire.js"
import * as WorkersAi from "../src/internal/wire/workersAi.js"
import { anyRequest } from "./wire/anyRequest.js"

const token = "cf-token-0123456789abcdef"

const once = ChatModel.retry(Schedule.recurs(0))

/** What JavaScript, or a cast, may pass. */
const untyped = <T>(value: unknown): T => value as T

// --- a server ---------------------------------------------------------------------------------------------------------

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Record<string, unknown>
}

interface Reply {
  readonly status?: number
  /** A value is answered as JSON, text as a stream. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The answer never ends. */
  readonly open?: boolean
}

interface Server {
  readonly url: string
  readonly asked: Array<Asked>
  /** Requests whose connection is still there. */
  readonly open: () => number
}

type Handler = (asked: Asked) => Reply

const serve = (handler: Handler) =>
  Effect.acquireRelease(
    Effect.async<Server & { readonly close: () => void }>((resume) => {
      const asked: Array<Asked> = []
      const sockets = new Set<unknown>()
      const server = http.createServer((incoming, outgoing) => {
        const chunks: Array<Buffer> = []
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString()
          const one: Asked = {
            method: incoming.method ?? "",
            path: incoming.url ?? "",
            headers: Object.fromEntries(
              Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])
            ),
            body: text === "" ? {} : JSON.parse(text)
          }
          asked.push(one)
          sockets.add(outgoing)
          outgoing.on("close", () => sockets.delete(outgoing))
          const { status = 200, body, headers, open } = handler(one)
          const streamed = typeof body === "string"
          outgoing.writeHead(status, {
            "content-type": streamed ? "text/event-stream" : "application/json",
            ...headers
          })
          outgoing.write(streamed ? body : JSON.stringify(body))
          if (open !== true) outgoing.end()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}`,
            asked,
            open: () => sockets.size,
            close: () => {
              server.closeAllConnections()
              server.close()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const account = (server: Server, more: Partial<AccountApi.Settings> = {}) =>
  AccountApi.layer({
    accountId: "acc",
    token: Redacted.make(token),
    baseUrl: `${server.url}/client/v4`,
    ...more
  })

const gateway = (server: Server) =>
  AiGateway.layer({ accountId: "acc", gatewayId: "gw", baseUrl: `${server.url}/v1` })

/** Runs against a server that answers so, with an account's API, a gateway and OpenAI at hand. */
const against = <A, E>(
  handler: Handler,
  use: (
    server: Server
  ) => Effect.Effect<
    A,
    E,
    AccountApi.AccountApi | AiGateway.AiGateway | OpenAi.OpenAi | HttpClient.HttpClient
  >,
  more: Partial<AccountApi.Settings> = {}
) =>
  Effect.scoped(
    Effect.flatMap(serve(handler), (server) =>
      Effect.provide(
        use(server),
        Layer.mergeAll(account(server, more), gateway(server), OpenAi.layer()).pipe(
          Layer.provideMerge(FetchHttpClient.layer),
          Layer.merge(Logger.remove(Logger.defaultLogger))
        )
      )
    )
  )

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

type Ask = <R>(
  model: ChatModel.With<R>,
  input?: ChatRequest.Input
) => Effect.Effect<ChatResponse.ChatResponse, AiGatewayError.AiGatewayError, R>

const ways: ReadonlyArray<readonly [string, Ask]> = [
  ["chat", (model, input = "hello") => model.chat(input)],
  ["stream", (model, input = "hello") => ChatModel.collect(model.streamChat(input))]
]

// --- answers in each format -------------------------------------------------------------------------------------------

const sse = (...events: ReadonlyArray<unknown>): string =>
  events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("")

const named = (
  ...events: ReadonlyArray<{ readonly type: string; readonly [key: string]: unknown }>
): string => events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("")

const formats = {
  chat: {
    whole: {
      model: "m-1",
      choices: [{ message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
    },
    streamed: sse(
      { model: "m-1", choices: [{ delta: { content: "Hel" } }] },
      { choices: [{ delta: { content: "lo" }, finish_reason: "stop" }] },
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
      "[DONE]"
    )
  },
  responses: {
    whole: {
      model: "m-1",
      status: "completed",
      output: [{ type: "message", content: [{ type: "output_text", text: "Hello" }] }],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
    },
    streamed: named(
      { type: "response.created", response: { model: "m-1" } },
      { type: "response.output_text.delta", output_index: 0, delta: "Hel" },
      { type: "response.output_text.delta", output_index: 0, delta: "lo" },
      {
        type: "response.completed",
        response: { status: "completed", usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } }
      }
    )
  },
  messages: {
    whole: {
      type: "message",
      model: "m-1",
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 3, output_tokens: 2 },
      gatewayMetadata: { keySource: "Unified" }
    },
    streamed: named(
      { type: "message_start", message: { model: "m-1", usage: { input_tokens: 3, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hel" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "lo" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
      { type: "message_stop" }
    )
  },
  workersAi: {
    whole: {
      response: "Hello",
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
    },
    streamed: sse(
      { response: "Hel", p: "abc" },
      { response: "lo" },
      { response: "", usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
      "[DONE]"
    )
  }
}

type Format = keyof typeof formats

const wrapped = (result: unknown) => ({ result, success: true, errors: [], messages: [] })

const isStream = ({ body }: Asked): boolean =>
  body.stream === true || (typeof body.input === "object" && Object(body.input).stream === true)

const speaks =
  (format: Format, wrap: (whole: unknown) => unknown = (whole) => whole): Handler =>
  (asked) =>
    isStream(asked) ? { body: formats[format].streamed } : { body: wrap(formats[format].whole) }

const refuses =
  (status: number, code: number, message: string): Handler =>
  () => ({ status, body: { result: null, success: false, errors: [{ code, message }], messages: [] } })

// --- where each model is asked ----------------------------------------------------------------------------------------

interface Place {
  readonly name: string
  readonly model: ChatModel.Leg<AccountApi.AccountApi>
  readonly format: Format
  readonly path: string
  readonly provider: string
  /** What the body has to hold. */
  readonly body: Readonly<Record<string, unknown>>
  readonly wrap?: boolean
}

const hello = [{ role: "user", content: "hello" }]

const places: ReadonlyArray<Place> = [
  {
    name: "a model of Anthropic speaks Anthropic's format",
    model: AccountApi.model("anthropic/claude-haiku-4.5"),
    format: "messages",
    path: "v1/messages",
    provider: "anthropic",
    body: { model: "anthropic/claude-haiku-4.5", max_tokens: 64_000, messages: hello }
  },
  {
    name: "a model of OpenAI speaks chat/completions",
    model: AccountApi.model("openai/gpt-4.1-mini", { maxTokens: 9 }),
    format: "chat",
    path: "v1/chat/completions",
    provider: "openai",
    body: { model: "openai/gpt-4.1-mini", max_completion_tokens: 9, messages: hello }
  },
  {
    name: "a model of Google too, with the older name of the limit",
    model: AccountApi.model("google/gemini-2.5-flash", { maxTokens: 9 }),
    format: "chat",
    path: "v1/chat/completions",
    provider: "google-ai-studio",
    body: { model: "google/gemini-2.5-flash", max_tokens: 9, messages: hello }
  },
  {
    name: "a model of xAI has the gateway's slug as its provider",
    model: AccountApi.model("xai/grok-4"),
    format: "chat",
    path: "v1/chat/completions",
    provider: "grok",
    body: { model: "xai/grok-4", messages: hello }
  },
  {
    name: "an author that the gateway's host does not have",
    model: AccountApi.model("alibaba/qwen3/max"),
    format: "chat",
    path: "v1/chat/completions",
    provider: "alibaba",
    body: { model: "alibaba/qwen3/max", messages: hello }
  },
  {
    name: "a model of Workers AI speaks chat/completions",
    model: AccountApi.model("@cf/meta/llama-3.1-8b-instruct", { maxTokens: 9 }),
    format: "chat",
    path: "v1/chat/completions",
    provider: "workers-ai",
    body: { model: "@cf/meta/llama-3.1-8b-instruct", max_tokens: 9, messages: hello }
  },
  {
    name: "responses, where it is chosen",
    model: AccountApi.model("openai/gpt-5-mini", { api: "responses", reasoningEffort: "low" }),
    format: "responses",
    path: "v1/responses",
    provider: "openai",
    body: {
      model: "openai/gpt-5-mini",
      input: hello,
      store: false,
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"]
    }
  },
  {
    name: "responses of Workers AI",
    model: AccountApi.model("@cf/openai/gpt-oss-120b", { api: "responses" }),
    format: "responses",
    path: "v1/responses",
    provider: "workers-ai",
    body: { model: "@cf/openai/gpt-oss-120b", input: hello, store: false }
  },
  {
    name: "messages of another author, where they are chosen",
    model: AccountApi.model("minimax/m2", { api: "messages", maxTokens: 9 }),
    format: "messages",
    path: "v1/messages",
    provider: "minimax",
    body: { model: "minimax/m2", max_tokens: 9, messages: hello }
  },
  {
    name: "chat/completions of Anthropic, where they are chosen",
    model: AccountApi.model("anthropic/claude-haiku-4.5", { api: "chat" }),
    format: "chat",
    path: "v1/chat/completions",
    provider: "anthropic",
    body: { model: "anthropic/claude-haiku-4.5", messages: hello }
  },
  ...[false, true].flatMap(
    (wrap): ReadonlyArray<Place> => [
      {
        name: `run of OpenAI wraps the native request; the answer is ${wrap ? "wrapped" : "bare"}`,
        model: AccountApi.model("openai/gpt-4.1-mini", { api: "run", maxTokens: 9 }),
        format: "chat",
        path: "run",
        provider: "openai",
        body: { model: "openai/gpt-4.1-mini", input: { messages: hello, max_completion_tokens: 9 } },
        wrap
      },
      {
        name: `run of Anthropic is Anthropic's own; the answer is ${wrap ? "wrapped" : "bare"}`,
        model: AccountApi.model("anthropic/claude-haiku-4.5", { api: "run", maxTokens: 9 }),
        format: "messages",
        path: "run",
        provider: "anthropic",
        body: { model: "anthropic/claude-haiku-4.5", input: { messages: hello, max_tokens: 9 } },
        wrap
      },
      {
        name: `run of Workers AI is its native request; the answer is ${wrap ? "wrapped" : "bare"}`,
        model: AccountApi.model("@cf/meta/llama-3.1-8b-instruct", { api: "run", maxTokens: 9 }),
        format: "workersAi",
        path: "run/@cf/meta/llama-3.1-8b-instruct",
        provider: "workers-ai",
        body: { messages: hello, max_tokens: 9 },
        wrap
      }
    ]
  )
]

describe("where a model is asked, and how", () => {
  for (const { name, model, format, path, provider, body, wrap } of places) {
    for (const [way, ask] of ways) {
      it.live(`${name} (${way})`, () =>
        against(speaks(format, wrap === true ? wrapped : undefined), ({ asked }) =>
          Effect.gen(function* () {
            const answer = yield* ask(model)
            assert.strictEqual(answer.text, "Hello")
            assert.strictEqual(answer.finishReason, "stop")
            assert.strictEqual(answer.provider, provider)
            assert.strictEqual(answer.usage.total, 5)
            assert.strictEqual(asked.length, 1)
            assert.strictEqual(asked[0]?.method, "POST")
            assert.strictEqual(asked[0]?.path, `/client/v4/accounts/acc/ai/${path}`)
            const sent = asked[0]?.body ?? {}
            const streams = { stream: way === "stream" }
            if (path === "run") {
              assert.sameMembers(Object.keys(sent), ["model", "input"])
              assert.strictEqual(sent.model, body.model)
              assert.deepInclude(sent.input, { ...Object(body.input), ...(streams.stream ? streams : {}) })
              assert.notProperty(sent.input, "model")
            } else assert.deepInclude(sent, { ...body, ...(streams.stream ? streams : {}) })
          })
        )
      )
    }
  }

  it.live("with the account's token and the gateway's id, and no key of a provider", () =>
    against(speaks("messages"), ({ asked }) =>
      Effect.gen(function* () {
        yield* AccountApi.model("anthropic/claude-haiku-4.5").chat("hello")
        const headers = asked[0]?.headers ?? {}
        assert.deepInclude(headers, {
          authorization: `Bearer ${token}`,
          "cf-aig-gateway-id": "default",
          "anthropic-version": "2023-06-01",
          "content-type": "application/json"
        })
        for (const name of ["x-api-key", "cf-aig-authorization", "api-key"]) assert.notProperty(headers, name)
      })
    )
  )

  it.live("through the gateway that was chosen, with further headers", () =>
    against(
      speaks("chat"),
      ({ asked }) =>
        Effect.gen(function* () {
          yield* AccountApi.model("@cf/meta/llama-3.1-8b-instruct").chat("hello")
          assert.deepInclude(asked[0]?.headers, { "cf-aig-gateway-id": "mine", "x-team": "a" })
          // What the settings say cannot be replaced by a further header.
          assert.strictEqual(asked[0]?.headers.authorization, `Bearer ${token}`)
        }),
      { gatewayId: "mine", headers: { "X-Team": "a", Authorization: "Bearer other" } }
    )
  )

  it.live("tools and a form of the answer go out in the format of the endpoint, and calls come back", () =>
    against(
      () => ({
        body: wrapped({
          choices: [
            {
              message: {
                content: null,
                tool_calls: [{ id: "call_1", function: { name: "f", arguments: '{"city":"Oslo"}' } }]
              },
              finish_reason: "tool_calls"
            }
          ]
        })
      }),
      ({ asked }) =>
        Effect.gen(function* () {
          const tool = Tool.make("f", { parameters: Schema.Struct({ city: Schema.String }) })
          const answer = yield* AccountApi.model("openai/gpt-4.1-mini", { api: "run" }).chat({
            prompt: "hello",
            tools: [tool],
            toolChoice: "required"
          })
          assert.deepStrictEqual(
            answer.toolCalls.map(({ id }) => id),
            ["call_1"]
          )
          const input = Object(asked[0]?.body.input)
          assert.strictEqual(input.tools[0].function.name, "f")
          assert.strictEqual(input.tool_choice, "required")
        })
    )
  )

  it.live("any other endpoint of the account's AI API, by send", () =>
    against(
      () => ({ body: wrapped([{ id: "a" }]), headers: { "cf-aig-event-id": "event-1" } }),
      ({ asked }) =>
        Effect.gen(function* () {
          const response = yield* AccountApi.send({
            provider: "workers-ai",
            endpoint: "models/search?per_page=1",
            method: "GET"
          })
          assert.deepStrictEqual(yield* response.json, wrapped([{ id: "a" }]))
          assert.strictEqual(response.gateway.eventId, "event-1")
          assert.deepInclude(asked[0], {
            method: "GET",
            path: "/client/v4/accounts/acc/ai/models/search?per_page=1"
          })
        })
    )
  )
})

describe("any request", () => {
  const openAiChat = OpenAiChat.make(Dialects.openAi)
  const openAiResponses = OpenAiResponses.make(OpenAiResponses.openAi(""))
  const claudeName = "anthropic/claude-haiku-4.5"
  const llamaName = "@cf/meta/llama-3.1-8b-instruct"
  const same: ReadonlyArray<
    readonly [string, ChatModel.Leg<AccountApi.AccountApi>, Wire, string, (body: Asked["body"]) => unknown]
  > = [
    ["messages", AccountApi.model(claudeName), AnthropicMessages.wire, "claude-haiku-4-5", (body) => body],
    [
      "run of Anthropic",
      AccountApi.model(claudeName, { api: "run" }),
      AnthropicMessages.wire,
      "claude-haiku-4-5",
      ({ input }) => input
    ],
    ["chat/completions", AccountApi.model("openai/gpt-5-mini"), openAiChat, "gpt-5-mini", (body) => body],
    [
      "run of OpenAI",
      AccountApi.model("openai/gpt-5-mini", { api: "run" }),
      openAiChat,
      "gpt-5-mini",
      ({ input }) => input
    ],
    [
      "responses",
      AccountApi.model("openai/gpt-5-mini", { api: "responses" }),
      openAiResponses,
      "gpt-5-mini",
      (body) => body
    ],
    [
      "run of Workers AI",
      AccountApi.model(llamaName, { api: "run" }),
      WorkersAi.wire,
      llamaName,
      (body) => body
    ]
  ]
  for (const [name, { wire, metadata }, native, own, within] of same) {
    it(`${name} says what the vendor's own format says, and drops nothing of it`, () => {
      const { provider } = metadata
      FastCheck.assert(
        FastCheck.property(anyRequest, FastCheck.boolean(), (request, stream) => {
          const asked = { request, stream, provider, maxOutputTokens: 1000 }
          const here = wire.encode({ ...asked, model: metadata.model })
          const there = native.encode({ ...asked, model: own })
          assert.deepStrictEqual(
            { ...Object(within(here.body)), model: undefined },
            { ...there.body, model: undefined }
          )
          assert.deepStrictEqual(here.unsupported, there.unsupported)
          assert.strictEqual(here.outputTool, there.outputTool)
        })
      )
    })
  }
})

// --- names ------------------------------------------------------------------------------------------------------------

describe("a model that cannot be asked", () => {
  const wrong: ReadonlyArray<readonly [string, string, ChatModel.With<AccountApi.AccountApi>]> = [
    ["a name without an author", "model", AccountApi.model<string>("gpt-5-mini")],
    ["a name with an empty part", "model", AccountApi.model<string>("openai//gpt-5")],
    ["a name with an empty author", "model", AccountApi.model<string>("/gpt-5")],
    ["an empty name", "model", AccountApi.model<string>("")],
    ["an author that is none", "model", AccountApi.model("Open AI/gpt-5")],
    ["a dynamic route", "model", AccountApi.model("dynamic/route")],
    ["the automatic router", "model", AccountApi.model("cloudflare/auto")],
    [
      "messages of a model of Workers AI",
      "api",
      AccountApi.model<string>("@cf/meta/llama", { api: "messages" })
    ],
    ["an endpoint that is none", "api", AccountApi.model("openai/gpt-5", { api: untyped("chats") })]
  ]
  for (const [what, field, model] of wrong) {
    for (const [way, ask] of ways) {
      it.live(`${what}: InvalidRequest names it, and nothing is sent (${way})`, () =>
        against(speaks("chat"), ({ asked }) =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(ask(model))
            assert.deepInclude(error, { _tag: "InvalidRequest", field })
            assert.strictEqual(asked.length, 0)
          })
        )
      )
    }
  }

  it("tells its limits by the vendor's own name", () => {
    const { contextWindow, maxOutputTokens, provider, model } = AccountApi.model(
      "anthropic/claude-haiku-4.5"
    ).metadata
    assert.deepStrictEqual(
      { contextWindow, maxOutputTokens, provider, model },
      {
        contextWindow: 200_000,
        maxOutputTokens: 64_000,
        provider: "anthropic",
        model: "anthropic/claude-haiku-4.5"
      }
    )
    assert.strictEqual(AccountApi.model("@cf/meta/llama-3.1-8b-instruct").metadata.contextWindow, 7968)
  })

  it("knows what the vendor's model refuses, by the vendor's own name", () => {
    assert.notInclude(AccountApi.model("openai/gpt-5-mini").metadata.supports, "temperature")
    assert.include(AccountApi.model("openai/gpt-4.1-mini").metadata.supports, "temperature")
    assert.notInclude(
      AccountApi.model("openai/gpt-5-mini", { api: "responses" }).metadata.supports,
      "temperature"
    )
  })
})

// --- errors -----------------------------------------------------------------------------------------------------------

const claude = AccountApi.model("anthropic/claude-haiku-4.5").pipe(once)
const llama = AccountApi.model("@cf/meta/llama-3.1-8b-instruct").pipe(once)
const gpt = AccountApi.model("openai/gpt-4.1-mini").pipe(once)

describe("errors of the account's API", () => {
  const rows: ReadonlyArray<readonly [string, Handler, Readonly<Record<string, unknown>>]> = [
    [
      "10000: the account's token is wrong",
      refuses(401, 10000, "Authentication error"),
      { _tag: "Unauthorized", source: "gateway", status: 401, code: 10000 }
    ],
    [
      "10000 inside a success",
      refuses(200, 10000, "Authentication error"),
      { _tag: "Unauthorized", source: "gateway", code: 10000 }
    ],
    [
      "7003: there is no such model",
      refuses(404, 7003, "Model not found"),
      { _tag: "ModelNotFound", source: "gateway", code: 7003 }
    ],
    ["5007: nor in Workers AI", refuses(400, 5007, "No such model"), { _tag: "ModelNotFound", code: 5007 }],
    ["3040: out of capacity", refuses(429, 3040, "Out of capacity"), { _tag: "RateLimited", code: 3040 }],
    [
      "2049: no credit",
      refuses(402, 2049, "Insufficient balance; add money to your gateway"),
      { _tag: "QuotaExceeded", source: "gateway", code: 2049 }
    ],
    [
      "2001 of the gateway behind it",
      () => ({
        status: 400,
        body: { success: false, error: [{ code: 2001, message: "Please configure AI Gateway" }] }
      }),
      { _tag: "GatewayNotFound", code: 2001 }
    ],
    [
      "the provider's own",
      () => ({ status: 429, body: { error: { type: "rate_limit_error", message: "slow down" } } }),
      { _tag: "RateLimited", source: "provider", provider: "anthropic" }
    ],
    ["an answer that is none", () => ({ body: { hello: "world" } }), { _tag: "MalformedResponse" }]
  ]
  for (const [what, handler, expected] of rows) {
    for (const [way, ask] of ways) {
      it.live(`${what} (${way})`, () =>
        against(handler, () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(ask(claude))
            assert.deepInclude({ ...error }, expected)
            assert.deepInclude({ ...error }, { provider: "anthropic", model: "anthropic/claude-haiku-4.5" })
          })
        )
      )
    }
  }

  it.live("an error inside a wrapped answer is one, and its place is named within the wrapping", () =>
    against(
      () => ({ body: wrapped({ nothing: true }) }),
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            AccountApi.model("openai/gpt-4.1-mini", { api: "run" }).chat("hello")
          )
          assert.strictEqual(error._tag, "MalformedResponse")
          assert.include(error.message, "result.choices")
        })
    )
  )

  it.live("an error event within a stream is the provider's, after what was delivered", () =>
    against(
      () => ({
        body: sse(
          { choices: [{ delta: { content: "Hel" } }] },
          { errors: [{ code: 10000, message: "Authentication error" }], success: false }
        )
      }),
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Stream.runDrain(llama.streamChat("hello")))
          if (error._tag !== "StreamBroken") return assert.fail(error._tag)
          assert.strictEqual(error.delivered.text, "Hel")
          assert.deepInclude({ ...error.cause }, { _tag: "Unauthorized", source: "gateway" })
        })
    )
  )
})

describe("a list with models of the account's API", () => {
  for (const [way, ask] of ways) {
    it.live(`a wrong token ends it at once: every other model would meet the same (${way})`, () =>
      against(refuses(401, 10000, "Authentication error"), ({ asked }) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(ask(ChatModel.firstSuccessOf([claude, llama, gpt])))
          assert.deepInclude({ ...error }, { _tag: "Unauthorized", source: "gateway", code: 10000 })
          assert.strictEqual(asked.length, 1)
        })
      )
    )

    it.live(`but a model behind another gateway is still asked (${way})`, () =>
      against(
        (asked) =>
          asked.path.startsWith("/client/")
            ? refuses(401, 10000, "Authentication error")(asked)
            : speaks("chat")(asked),
        ({ asked }) =>
          Effect.gen(function* () {
            const list = ChatModel.firstSuccessOf([claude, llama, OpenAi.model("gpt-4.1-mini")])
            const answer = yield* ask(list)
            assert.strictEqual(answer.text, "Hello")
            assert.deepStrictEqual(
              asked.map(({ path }) => path),
              ["/client/v4/accounts/acc/ai/v1/messages", "/v1/acc/gw/openai/chat/completions"]
            )
            assert.deepStrictEqual(
              answer.attempts.map(({ leg, transport, error }) => [leg, transport, error._tag]),
              [[0, "account", "Unauthorized"]]
            )
            // The account's token is for the account's API.
            assert.notInclude(JSON.stringify(asked[1]), token)
          })
      )
    )

    it.live(`a model that is not there moves on to the next (${way})`, () =>
      against(
        (asked) =>
          asked.path.endsWith("messages")
            ? refuses(404, 7003, "Model not found")(asked)
            : speaks("chat")(asked),
        () =>
          Effect.gen(function* () {
            const answer = yield* ask(ChatModel.firstSuccessOf([claude, llama]))
            assert.strictEqual(answer.provider, "workers-ai")
            assert.deepStrictEqual(
              answer.attempts.map(({ provider, model, transport, error }) => [
                provider,
                model,
                transport,
                error._tag
              ]),
              [["anthropic", "anthropic/claude-haiku-4.5", "account", "ModelNotFound"]]
            )
          })
      )
    )
  }

  it.live("all failed: each attempt says how the gateway was reached", () =>
    against(
      (asked) =>
        asked.path.startsWith("/client/") ? refuses(404, 7003, "no")(asked) : refuses(404, 7003, "no")(asked),
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            ChatModel.firstSuccessOf([claude, OpenAi.model("x")]).chat("hello")
          )
          if (error._tag !== "AllProvidersFailed") return assert.fail(error._tag)
          assert.deepStrictEqual(
            error.attempts.map(({ transport }) => transport),
            ["account", "https"]
          )
        })
    )
  )

  it.live("a failure that may pass is retried, as elsewhere", () => {
    let times = 0
    return against(
      (asked) => (++times === 1 ? refuses(429, 3040, "Out of capacity")(asked) : speaks("chat")(asked)),
      ({ asked }) =>
        Effect.gen(function* () {
          const model = AccountApi.model("@cf/meta/llama-3.1-8b-instruct")
          yield* model.pipe(ChatModel.retry(Schedule.recurs(1))).chat("hello")
          assert.strictEqual(asked.length, 2)
        })
    )
  })
})

// --- options ----------------------------------------------------------------------------------------------------------

const present: RequestOptions.RequestOptions & AccountApi.RequestOptions = {
  skipCache: true,
  metadata: { team: "search" },
  collectLog: false,
  collectLogPayload: false,
  eventId: "event-1",
  requestTimeout: "5 seconds",
  retries: { maxAttempts: 2, delay: "100 millis", backoff: "linear" },
  customCost: { perTokenIn: 1, perTokenOut: 2 },
  noWholesale: true,
  zdr: true
}

const absent: Readonly<Record<string, RequestOptions.RequestOptions>> = {
  cacheKey: { cacheKey: "cheese" },
  cacheTtl: { cacheTtl: "1 hour" },
  byokAlias: { byokAlias: "default" },
  otelTraceId: { otelTraceId: "0123456789abcdef0123456789abcdef" },
  otelParentSpanId: { otelParentSpanId: "0123456789abcdef" }
}

describe("gateway options", () => {
  const headers = {
    "cf-aig-skip-cache": "true",
    "cf-aig-metadata": '{"team":"search"}',
    "cf-aig-collect-log": "false",
    "cf-aig-collect-log-payload": "false",
    "cf-aig-event-id": "event-1",
    "cf-aig-request-timeout": "5000",
    "cf-aig-max-attempts": "2",
    "cf-aig-retry-delay": "100",
    "cf-aig-backoff": "linear",
    "cf-aig-custom-cost": '{"per_token_in":1,"per_token_out":2}',
    "cf-aig-no-wholesale": "true",
    "cf-aig-zdr": "true"
  }

  it.live("those that exist are headers, from wherever they come", () =>
    against(speaks("chat"), ({ asked }) =>
      Effect.gen(function* () {
        yield* gpt.chat({ prompt: "hello", options: present })
        yield* gpt.chat("hello").pipe(AiGateway.withOptions(present))
        yield* AccountApi.model("openai/gpt-4.1-mini", { options: present }).chat("hello")
        for (const one of asked) assert.deepInclude(one.headers, headers)
        assert.strictEqual(asked.length, 3)
      })
    )
  )

  it.live("and the account's own defaults", () =>
    against(
      speaks("chat"),
      ({ asked }) =>
        Effect.gen(function* () {
          yield* gpt.chat({ prompt: "hello", options: { eventId: "event-2" } })
          assert.deepInclude(asked[0]?.headers, { ...headers, "cf-aig-event-id": "event-2" })
        }),
      { defaults: present }
    )
  )

  for (const [name, options] of Object.entries(absent)) {
    for (const [way, ask] of ways) {
      it.live(`${name} does not exist: Unsupported names it, and nothing is sent (${way})`, () =>
        against(speaks("chat"), ({ asked }) =>
          Effect.gen(function* () {
            const expected: Readonly<Record<string, unknown>> = {
              _tag: "Unsupported",
              feature: name,
              provider: "openai"
            }
            const lenient = AccountApi.model("openai/gpt-4.1-mini", { unsupported: "drop" })
            for (const model of [gpt, lenient]) {
              const own = yield* Effect.flip(ask(model, { prompt: "hello", options }))
              assert.deepInclude({ ...own }, expected)
              const region = yield* Effect.flip(ask(model).pipe(AiGateway.withOptions(options)))
              assert.deepInclude({ ...region }, expected)
            }
            assert.strictEqual(asked.length, 0)
          })
        )
      )
    }
  }

  it.live("the list moves on to a model behind a gateway that has the option", () =>
    against(speaks("chat"), ({ asked }) =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([gpt, OpenAi.model("gpt-4.1-mini")])
        const answer = yield* list.chat("hello").pipe(AiGateway.withOptions({ cacheKey: "cheese" }))
        assert.strictEqual(answer.attempts[0]?.error._tag, "Unsupported")
        assert.strictEqual(asked.length, 1)
        assert.strictEqual(asked[0]?.headers["cf-aig-cache-key"], "cheese")
      })
    )
  )

  it.live("an option that is wrong is wrong for every leg, even where it does not exist", () =>
    against(speaks("chat"), ({ asked }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          ChatModel.firstSuccessOf([gpt, OpenAi.model("gpt-4.1-mini")]).chat({
            prompt: "hello",
            options: { cacheTtl: "1 second" }
          })
        )
        assert.deepInclude({ ...error }, { _tag: "InvalidRequest", field: "cacheTtl" })
        assert.strictEqual(asked.length, 0)
      })
    )
  )

  it("what does not exist is no part of the types", () => {
    const own: AccountApi.RequestOptions = { eventId: "a", skipCache: true }
    // @ts-expect-error caching does not exist here
    const cached: AccountApi.RequestOptions = { cacheKey: "cheese" }
    // @ts-expect-error nor does a time for it
    const timed: AccountApi.RequestOptions = { cacheTtl: "1 hour" }
    // @ts-expect-error nor a choice among stored keys
    const stored: AccountApi.RequestOptions = { byokAlias: "other" }
    // @ts-expect-error nor a trace
    const traced: AccountApi.RequestOptions = { otelTraceId: "0123456789abcdef0123456789abcdef" }
    const any: RequestOptions.RequestOptions = { cacheKey: "cheese" }
    // @ts-expect-error options that may hold one of them
    const hidden: AccountApi.RequestOptions = any
    // @ts-expect-error on a model
    AccountApi.model("openai/gpt-5", { options: { cacheKey: "cheese" } })
    // @ts-expect-error a custom domain does not exist either
    AccountApi.layer({ customDomain: "https://ai.example.com", token: Redacted.make("…") })
    // @ts-expect-error a model of Workers AI has no messages
    AccountApi.model("@cf/meta/llama", { api: "messages" })
    AccountApi.model("@cf/meta/llama", { api: "responses" })
    // @ts-expect-error a name without an author
    AccountApi.model("gpt-5")
    // @ts-expect-error a name with an empty part
    AccountApi.model("openai/")
    // @ts-expect-error there is no universal endpoint here
    const server = () => ChatModel.universal([AccountApi.model("openai/gpt-5")])
    // @ts-expect-error not even for one of several
    const mixed = () => ChatModel.universal([OpenAi.model("gpt-5"), AccountApi.model("openai/gpt-5")])
    AccountApi.model("openai/gpt-5", { api: "messages" })
    const list = ChatModel.firstSuccessOf([claude, OpenAi.model("gpt-5")])
    const needs: ChatModel.With<AccountApi.AccountApi | AiGateway.AiGateway | OpenAi.OpenAi> = list
    // @ts-expect-error a list needs all that its models need
    const less: ChatModel.With<AiGateway.AiGateway | OpenAi.OpenAi> = list
    assert.isDefined([own, cached, timed, stored, traced, hidden, needs, less, server, mixed])
  })
})

// --- construction -----------------------------------------------------------------------------------------------------

const failureOf = <A, E>(layer: Layer.Layer<A, E, HttpClient.HttpClient>) =>
  Effect.flip(Effect.scoped(Layer.build(layer))).pipe(Effect.provide(FetchHttpClient.layer))

describe("settings", () => {
  const good = { accountId: "acc", token: Redacted.make(token) }
  const wrong: ReadonlyArray<readonly [string, unknown, string]> = [
    ["no account", { token: good.token }, "accountId"],
    ["an account that is none", { ...good, accountId: "a/b" }, "accountId"],
    ["no token", { accountId: "acc" }, "token"],
    ["an empty token", { ...good, token: Redacted.make("") }, "token"],
    ["a token with a line break", { ...good, token: Redacted.make("cf\ntoken") }, "token"],
    ["a token that is mere text", { ...good, token: "cf-token" }, "token"],
    ["an empty gateway", { ...good, gatewayId: "" }, "gatewayId"],
    ["a gateway that is none", { ...good, gatewayId: "../x" }, "gatewayId"],
    ["a base URL that is none", { ...good, baseUrl: "api.cloudflare.com" }, "baseUrl"],
    ["a further header that no header can be", { ...good, headers: { "x-a": "b\n" } }, "headers.x-a"],
    ["a default that is wrong", { ...good, defaults: { eventId: "ü" } }, "eventId"],
    ["a default that does not exist here", { ...good, defaults: { cacheKey: "a" } }, "defaults.cacheKey"]
  ]
  for (const [what, settings, field] of wrong) {
    it.effect(`${what}: the layer fails with its name`, () =>
      Effect.gen(function* () {
        const error = yield* failureOf(AccountApi.layer(untyped(settings)))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.strictEqual(error.field, field)
        assert.notInclude(error.message, token)
      })
    )
  }

  const fromEnvironment = (environment: Readonly<Record<string, string>>) =>
    AccountApi.layerConfig({
      accountId: Config.string("CLOUDFLARE_ACCOUNT_ID"),
      token: Config.redacted("CLOUDFLARE_API_TOKEN"),
      gatewayId: undefined,
      baseUrl: Config.string("CLOUDFLARE_API_URL")
    }).pipe(
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
    )

  it.effect("a setting that is missing in the configuration fails the layer with its name", () =>
    Effect.gen(function* () {
      const error = yield* failureOf(fromEnvironment({ CLOUDFLARE_ACCOUNT_ID: "acc" }))
      assert.include(String(error), "CLOUDFLARE_API_TOKEN")
    })
  )

  it.live("a whole configuration leads to the account", () =>
    Effect.scoped(
      Effect.flatMap(serve(speaks("chat")), (server) =>
        Effect.gen(function* () {
          yield* gpt.chat("hello")
          assert.strictEqual(server.asked[0]?.path, "/client/v4/accounts/acc/ai/v1/chat/completions")
          assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${token}`)
        }).pipe(
          Effect.provide(
            fromEnvironment({
              CLOUDFLARE_ACCOUNT_ID: "acc",
              CLOUDFLARE_API_TOKEN: token,
              CLOUDFLARE_API_URL: `${server.url}/client/v4/`
            })
          ),
          Effect.provide(FetchHttpClient.layer)
        )
      )
    )
  )

  it.live("two accounts side by side: each call with its own token", () =>
    against(speaks("chat"), (server) =>
      Effect.gen(function* () {
        const other = yield* AccountApi.make({
          accountId: "other",
          token: Redacted.make("cf-token-of-another"),
          baseUrl: `${server.url}/client/v4`
        })
        yield* gpt.chat("hello")
        yield* ChatModel.provideService(gpt, AccountApi.AccountApi, other).chat("hello")
        yield* gpt.chat("hello")
        assert.deepStrictEqual(
          server.asked.map(({ path, headers }) => [path.split("/")[4], headers.authorization]),
          [
            ["acc", `Bearer ${token}`],
            ["other", "Bearer cf-token-of-another"],
            ["acc", `Bearer ${token}`]
          ]
        )
      })
    )
  )
})

// --- secrets ----------------------------------------------------------------------------------------------------------

describe("the account's token", () => {
  const echo: ReadonlyArray<readonly [string, Handler]> = [
    [
      "an error",
      ({ headers }) => ({ status: 400, body: { error: { message: `no: ${headers.authorization}` } } })
    ],
    [
      "an error in a success",
      ({ headers }) => ({ body: { success: false, errors: [{ code: 1, message: headers.authorization }] } })
    ],
    ["an answer that is none", ({ headers }) => ({ body: { hello: headers.authorization } })],
    ["a stream", ({ headers }) => ({ body: sse({ error: { message: headers.authorization } }) })]
  ]
  for (const [where, handler] of echo) {
    for (const [way, ask] of ways) {
      it.live(`is in no error, even if the server repeats it in ${where} (${way})`, () =>
        against(handler, () =>
          Effect.gen(function* () {
            const exit = yield* Effect.exit(ask(ChatModel.firstSuccessOf([claude, gpt])))
            if (Exit.isSuccess(exit)) return assert.fail("it answered")
            const { cause } = exit
            for (const text of [Cause.pretty(cause), inspect(cause, { depth: 20 }), JSON.stringify(cause)])
              assert.notInclude(text, token)
          })
        )
      )
    }
  }

  it.live("is in no error if nothing answers", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(gpt.chat("hello"))
      assert.strictEqual(error._tag, "TransportFailure")
      assert.notInclude(inspect(error, { depth: 20 }), token)
    }).pipe(
      Effect.provide(
        AccountApi.layer({ accountId: "acc", token: Redacted.make(token), baseUrl: "http://127.0.0.1:1" })
      ),
      Effect.provide(FetchHttpClient.layer)
    )
  )

  it.effect("is not in the service either, and its headers are redacted for the platform's spans", () =>
    Effect.gen(function* () {
      const service = yield* AccountApi.AccountApi
      assert.notInclude(inspect(service, { depth: 20 }), token)
      const names = yield* FiberRef.get(Headers.currentRedactedNames)
      assert.includeMembers([...names], ["authorization", "x-secret"])
    }).pipe(
      Effect.provide(
        AccountApi.layer({
          accountId: "acc",
          token: Redacted.make(token),
          headers: { "X-Secret": Redacted.make("secret-value") }
        })
      ),
      Effect.provide(FetchHttpClient.layer)
    )
  )

  for (const name of ["Authorization", "x-api-key", "x-goog-api-key", "api-key"]) {
    it.live(`a provider's key in ${name} is refused, and not sent`, () =>
      against(speaks("chat"), ({ asked }) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(
            AccountApi.send({
              provider: "openai",
              endpoint: "v1/chat/completions",
              headers: { [name]: Redacted.make("sk-0123456789abcdef") },
              body: {}
            })
          )
          assert.deepInclude({ ...error }, { _tag: "InvalidRequest", field: `headers.${name.toLowerCase()}` })
          assert.notInclude(inspect(error), "sk-0123456789abcdef")
          assert.strictEqual(asked.length, 0)
        })
      )
    )
  }

  for (const endpoint of ["../../zones", "/v1/chat", "v1/%2e%2e/x"]) {
    it.live(`reaches nothing but the account's AI API: ${endpoint} is refused`, () =>
      against(speaks("chat"), ({ asked }) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(AccountApi.send({ provider: "openai", endpoint }))
          assert.deepInclude({ ...error }, { _tag: "InvalidRequest", field: "endpoint" })
          assert.strictEqual(asked.length, 0)
        })
      )
    )
  }
})

// --- giving up --------------------------------------------------------------------------------------------------------

describe("a call that is given up", () => {
  const begun: Handler = (asked) =>
    isStream(asked)
      ? { body: sse({ choices: [{ delta: { content: "Hel" } }] }), open: true }
      : { body: {}, open: true }

  for (const [way, run] of [
    ["chat", Effect.asVoid(gpt.chat("hello"))],
    ["stream", Stream.runDrain(gpt.streamChat("hello"))]
  ] as const) {
    it.live(`closes its socket, and no other model is asked (${way})`, () =>
      against(begun, (server) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(run)
          yield* eventually("the request", () => server.asked.length === 1)
          yield* Effect.sleep("20 millis")
          const exit = yield* Fiber.interrupt(fiber)
          assert.isTrue(Exit.isInterrupted(exit))
          yield* eventually("the socket is closed", () => server.open() === 0)
          assert.strictEqual(server.asked.length, 1)
        })
      )
    )
  }

  it.live("a stream that is left early closes its socket", () =>
    against(begun, (server) =>
      Effect.gen(function* () {
        const list = ChatModel.firstSuccessOf([gpt, llama])
        const events = yield* Stream.runCollect(Stream.take(list.streamChat("hello"), 2))
        assert.deepStrictEqual(
          [...events].map(({ _tag }) => _tag),
          ["Start", "TextDelta"]
        )
        yield* eventually("the socket is closed", () => server.open() === 0)
        assert.strictEqual(server.asked.length, 1)
      })
    )
  )

  it.live("a clock that runs out closes it too, and says where the time went", () =>
    against(begun, (server) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          gpt.pipe(ChatModel.withTimeouts({ total: "100 millis" })).chat("hello")
        )
        assert.deepInclude({ ...error }, { _tag: "ModelTimeout", phase: "total", provider: "openai" })
        yield* eventually("the socket is closed", () => server.open() === 0)
      })
    )
  )
})

// --- another implementation of the same API ---------------------------------------------------------------------------

describe("with LocalGateway, at api.cloudflare.com", () => {
  const local = (options: LocalGateway.Options = {}, more: Partial<AccountApi.Settings> = {}) =>
    Layer.merge(
      OpenAi.layer(),
      Layer.provideMerge(
        AccountApi.layer({ accountId: "local-account", token: Redacted.make("local-token"), ...more }),
        LocalGateway.layerTest(options)
      )
    )

  const requests = Effect.map(LocalGateway.Gateway, (gateway) => gateway.requests())

  const models = [
    AccountApi.model("anthropic/claude-haiku-4.5"),
    AccountApi.model("openai/gpt-5-mini"),
    AccountApi.model("openai/gpt-5-mini", { api: "responses", reasoningEffort: "low" }),
    AccountApi.model("google/gemini-2.5-flash"),
    AccountApi.model("xai/grok-4"),
    AccountApi.model("@cf/meta/llama-3.1-8b-instruct"),
    AccountApi.model("@cf/openai/gpt-oss-120b", { api: "responses" }),
    AccountApi.model("anthropic/claude-haiku-4.5", { api: "run" }),
    AccountApi.model("openai/gpt-5-mini", { api: "run" }),
    AccountApi.model("@cf/meta/llama-3.1-8b-instruct", { api: "run" })
  ]

  for (const [way, ask] of ways) {
    it.effect(`every endpoint answers (${way})`, () =>
      Effect.gen(function* () {
        for (const model of models) {
          const answer = yield* ask(model, { prompt: "three cheeses", maxTokens: 1000 })
          assert.include(answer.text, "three cheeses")
          assert.strictEqual(answer.finishReason, "stop")
          assert.isAbove(answer.usage.output ?? 0, 0)
        }
        const sent = yield* requests
        assert.strictEqual(sent.length, models.length)
        for (const { url } of sent)
          assert.match(url, /^https:\/\/api\.cloudflare\.com\/client\/v4\/accounts\/local-account\/ai\//)
      }).pipe(Effect.provide(local()))
    )

    it.effect(`a wrong token is the gateway's own refusal, and ends a list (${way})`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(ask(ChatModel.firstSuccessOf([claude, llama])))
        assert.deepInclude({ ...error }, { _tag: "Unauthorized", source: "gateway", code: 10000 })
        assert.strictEqual((yield* requests).length, 1)
      }).pipe(Effect.provide(local({}, { token: Redacted.make("another-token") })))
    )

    it.effect(`an unknown model moves on, an unknown gateway does not (${way})`, () =>
      Effect.gen(function* () {
        const unknown = AccountApi.model("mistral/mistral-small").pipe(once)
        const answer = yield* ask(ChatModel.firstSuccessOf([unknown, claude]))
        assert.strictEqual(answer.provider, "anthropic")
        assert.strictEqual(answer.attempts[0]?.error._tag, "ModelNotFound")
        const service = yield* AccountApi.make({
          accountId: "local-account",
          token: Redacted.make("local-token"),
          gatewayId: "nowhere"
        })
        const lost = ChatModel.firstSuccessOf([claude, llama]).pipe(
          ChatModel.provideService(AccountApi.AccountApi, service)
        )
        assert.strictEqual((yield* Effect.flip(ask(lost)))._tag, "GatewayNotFound")
      }).pipe(Effect.provide(local()))
    )
  }

  it.effect("a model of Workers AI passes the gateway: its call is in the gateway's log", () =>
    Effect.gen(function* () {
      yield* AccountApi.model("@cf/meta/llama-3.1-8b-instruct").chat("hello")
      const gateway = yield* LocalGateway.Gateway
      assert.strictEqual(gateway.logs().length, 1)
    }).pipe(Effect.provide(local()))
  )

  const Weather = Tool.make("get_weather", {
    description: "The weather of a city.",
    parameters: Schema.Struct({ city: Schema.String })
  })

  it.effect("a tool is called and answered on every endpoint, with the reasoning that led to it", () =>
    Effect.gen(function* () {
      for (const model of models) {
        const request = { prompt: "Weather in Oslo?", tools: [Weather], maxTokens: 1000 }
        const called = yield* model.chat({ ...request, toolChoice: { tool: "get_weather" } })
        const call = called.toolCalls[0] ?? assert.fail(`${model.metadata.model} called no tool`)
        const result: Message.ToolResultPart = {
          type: "tool-result",
          id: call.id,
          name: call.name,
          result: "Rain."
        }
        const answer = yield* model.chat({
          messages: [Message.user(request.prompt), called.message, Message.toolResults([result])],
          tools: [Weather],
          maxTokens: 1000
        })
        assert.notStrictEqual(answer.text, "", model.metadata.model)
      }
    }).pipe(Effect.provide(local()))
  )

  it.effect("a value of a Schema comes from every endpoint", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ city: Schema.String })
      for (const model of models) {
        const { object } = yield* model.chatObject({ prompt: "A city.", schema, maxTokens: 1000 })
        assert.isString(object.city)
      }
    }).pipe(Effect.provide(local()))
  )
})
