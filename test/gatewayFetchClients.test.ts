/** What the vendors' own clients make of the gateway's `fetch`: their classes of errors, their retries, tools, and aborts. */
import { createAnthropic } from "@ai-sdk/anthropic"
import { createGoogleGenerativeAI } from "@ai-sdk/google"
import { createOpenAI } from "@ai-sdk/openai"
import Anthropic from "@anthropic-ai/sdk"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { ApiError, GoogleGenAI } from "@google/genai"
import { APICallError, generateText, jsonSchema, streamText, type ToolSet } from "ai"
import { Effect, Layer, Option, Redacted } from "effect"
import { AiGateway, AiGatewayError, GatewayFetch, LocalGateway } from "effect-ai-gateway"
import * as LocalGatewayServer from "effect-ai-gateway/LocalGatewayServer"
import OpenAI from "openai"

const key = "sk-vendor-secret"

const answering = (reply: LocalGateway.Reply) =>
  LocalGateway.make({
    upstreams: Object.fromEntries(
      ["openai", "anthropic", "google-ai-studio"].map((slug) => [slug, LocalGateway.always(reply)])
    )
  })

/** Over a socket, on undici. */
const through = (gateway: LocalGateway.LocalGateway, gatewayId = "local-gateway") =>
  Effect.gen(function* () {
    const { baseUrl } = yield* LocalGatewayServer.start(gateway)
    const context = yield* Layer.build(
      AiGateway.layer({
        accountId: "local-account",
        gatewayId,
        token: Redacted.make("local-token"),
        baseUrl
      }).pipe(Layer.provide(NodeHttpClient.layerUndici))
    )
    return yield* Effect.provide(GatewayFetch.make(), context)
  })

const rejection = (call: () => Promise<unknown>) =>
  Effect.flip(Effect.tryPromise({ try: call, catch: (reason) => reason }))

const eventually = (what: string, condition: () => boolean) =>
  Effect.promise(async () => {
    for (let i = 0; i < 600 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.isTrue(condition(), `did not happen: ${what}`)
  })

const messages = [{ role: "user" as const, content: "hi" }]
const chat = { model: "gpt-5-mini", messages }
const claude = { model: "claude-haiku-4-5", max_tokens: 100, messages }
const gemini = { model: "gemini-2.5-flash", contents: "hi" }

const made = (fetch: typeof globalThis.fetch, maxRetries: number) => ({
  openai: new OpenAI({ apiKey: key, fetch, maxRetries }),
  anthropic: new Anthropic({ apiKey: key, fetch, maxRetries }),
  google: new GoogleGenAI({ apiKey: key, httpOptions: { fetch } }),
  models: {
    "@ai-sdk/openai": createOpenAI({ apiKey: key, fetch })("gpt-5-mini"),
    "@ai-sdk/anthropic": createAnthropic({ apiKey: key, fetch })("claude-haiku-4-5"),
    "@ai-sdk/google": createGoogleGenerativeAI({ apiKey: key, fetch })("gemini-2.5-flash")
  }
})

type Clients = ReturnType<typeof made>

const calls: Record<string, (clients: Clients) => Promise<unknown>> = {
  openai: ({ openai }) => openai.chat.completions.create(chat),
  "@anthropic-ai/sdk": ({ anthropic }) => anthropic.messages.create(claude),
  "@google/genai": ({ google }) => google.models.generateContent(gemini),
  ...Object.fromEntries(
    (["@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/google"] as const).map((name) => [
      `ai, ${name}`,
      ({ models }: Clients) => generateText({ model: models[name], prompt: "hi", maxRetries: 0 })
    ])
  )
}

type ErrorClass = abstract new (...given: never) => Error

const classOf = (name: string, of: { openai: ErrorClass; anthropic: ErrorClass }): ErrorClass =>
  name === "openai"
    ? of.openai
    : name === "@anthropic-ai/sdk"
      ? of.anthropic
      : name === "@google/genai"
        ? ApiError
        : APICallError

const refusals = [
  [401, "Unauthorized", { openai: OpenAI.AuthenticationError, anthropic: Anthropic.AuthenticationError }],
  [429, "RateLimited", { openai: OpenAI.RateLimitError, anthropic: Anthropic.RateLimitError }],
  [500, "ProviderFailure", { openai: OpenAI.InternalServerError, anthropic: Anthropic.InternalServerError }]
] as const

describe("an error", () => {
  for (const [name, call] of Object.entries(calls)) {
    for (const [status, tag, classes] of refusals) {
      it.scopedLive(
        `${name}: a provider's ${status} is the client's own class, and a typed error behind it`,
        () =>
          Effect.gen(function* () {
            const fetch = yield* through(answering(LocalGateway.status(status)))
            const error = yield* rejection(() => call(made(fetch, 0)))
            assert.isTrue(error instanceof classOf(name, classes), String(error))
            const ours = Option.getOrThrow(AiGatewayError.fromUnknown(error))
            assert.strictEqual(ours._tag, tag)
            assert.include(ours, { source: "provider", status })
          })
      )
    }

    it.scopedLive(
      `${name}: a gateway that there is not is GatewayNotFound behind the client's own class`,
      () =>
        Effect.gen(function* () {
          const fetch = yield* through(answering(LocalGateway.echo), "no-such-gateway")
          const error = yield* rejection(() => call(made(fetch, 0)))
          const expected = classOf(name, {
            openai: OpenAI.BadRequestError,
            anthropic: Anthropic.BadRequestError
          })
          assert.isTrue(error instanceof expected, String(error))
          const ours = Option.getOrThrow(AiGatewayError.fromUnknown(error))
          assert.include(ours, { _tag: "GatewayNotFound", code: 2001, source: "gateway" })
        })
    )
  }

  for (const name of ["openai", "@anthropic-ai/sdk"]) {
    it.scopedLive(`${name}: a 500 is tried again by the client, as often as it says`, () =>
      Effect.gen(function* () {
        const gateway = answering(LocalGateway.status(500, { headers: { "retry-after-ms": "1" } }))
        const fetch = yield* through(gateway)
        yield* rejection(() => calls[name]?.(made(fetch, 2)) ?? Promise.resolve())
        assert.lengthOf(gateway.upstreamRequests(), 3)
      })
    )
  }
})

describe("a tool", () => {
  const parameters = {
    type: "object" as const,
    properties: { city: { type: "string" as const } },
    required: ["city"],
    additionalProperties: false
  }
  const asked = LocalGateway.toolCall("weather", { city: "Oslo" })
  const definition = { name: "weather", description: "The weather in a city.", parameters }
  const oslo = { city: "Oslo" }
  const weather: ToolSet = { weather: { inputSchema: jsonSchema(parameters) } }

  const tools: Record<string, (clients: Clients, stream: boolean) => Promise<unknown>> = {
    openai: async ({ openai }, stream) => {
      const body = { ...chat, tools: [{ type: "function" as const, function: definition }] }
      const completion = stream
        ? await openai.chat.completions.stream(body).finalChatCompletion()
        : await openai.chat.completions.create(body)
      const [call] = completion.choices[0]?.message.tool_calls ?? []
      return call?.type === "function" ? JSON.parse(call.function.arguments) : undefined
    },
    "@anthropic-ai/sdk": async ({ anthropic }, stream) => {
      const { name, description } = definition
      const body = { ...claude, tools: [{ name, description, input_schema: parameters }] }
      const { content } = stream
        ? await anthropic.messages.stream(body).finalMessage()
        : await anthropic.messages.create(body)
      return content.find((block) => block.type === "tool_use")?.input
    },
    "@google/genai": async ({ google }, stream) => {
      const { name, description } = definition
      const body = {
        ...gemini,
        config: {
          tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: parameters }] }]
        }
      }
      if (!stream) return (await google.models.generateContent(body)).functionCalls?.[0]?.args
      for await (const chunk of await google.models.generateContentStream(body)) {
        if (chunk.functionCalls !== undefined) return chunk.functionCalls[0]?.args
      }
      return undefined
    },
    ...Object.fromEntries(
      (["@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/google"] as const).map((name) => [
        `ai, ${name}`,
        async ({ models }: Clients, stream: boolean) => {
          const body = {
            model: models[name],
            prompt: "hi",
            maxRetries: 0,
            tools: weather
          }
          const [call] = stream ? await streamText(body).toolCalls : (await generateText(body)).toolCalls
          return call?.input
        }
      ])
    )
  }

  for (const [name, call] of Object.entries(tools)) {
    for (const stream of [false, true]) {
      it.scopedLive(`${name}: its arguments come ${stream ? "in a stream" : "in a whole answer"}`, () =>
        Effect.gen(function* () {
          const fetch = yield* through(answering(asked))
          assert.deepStrictEqual(yield* Effect.promise(() => call(made(fetch, 0), stream)), oslo)
        })
      )
    }
  }
})

describe("a stream that is left in the middle closes the socket:", () => {
  const stalling = LocalGateway.stallAfter(
    LocalGateway.text("one two three", { chunks: ["one ", "two ", "three"] }),
    4
  )

  const leaving: Record<string, (clients: Clients) => Promise<unknown>> = {
    "openai, by leaving the loop": async ({ openai }) => {
      for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true })) {
        if (chunk.choices[0]?.delta.content) break
      }
    },
    "openai, by its controller": async ({ openai }) => {
      const stream = await openai.chat.completions.create({ ...chat, stream: true })
      for await (const _ of stream) stream.controller.abort()
    },
    "@anthropic-ai/sdk, by abort": async ({ anthropic }) => {
      const stream = anthropic.messages.stream(claude)
      stream.on("text", () => stream.abort())
      await stream.done().catch(() => {})
    },
    "@google/genai, by its signal": async ({ google }) => {
      const controller = new AbortController()
      const stream = await google.models.generateContentStream({
        ...gemini,
        config: { abortSignal: controller.signal }
      })
      try {
        for await (const _ of stream) controller.abort()
      } catch (error) {
        assert.instanceOf(error, Error)
      }
    },
    "ai, by its signal": async ({ models }) => {
      const controller = new AbortController()
      const { textStream } = streamText({
        model: models["@ai-sdk/openai"],
        prompt: "hi",
        abortSignal: controller.signal
      })
      // Its loop is given nothing of a stream that stalls here, so the signal comes by itself.
      setTimeout(() => controller.abort(), 200)
      for await (const _ of textStream);
    }
  }

  for (const [name, leave] of Object.entries(leaving)) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const gateway = answering(stalling)
        const fetch = yield* through(gateway)
        yield* Effect.promise(() => leave(made(fetch, 0)))
        yield* eventually("the server sees it go", () => gateway.inFlight() === 0)
        assert.isTrue(gateway.requests()[0]?.aborted)
        assert.lengthOf(gateway.requests(), 1)
      })
    )
  }
})
