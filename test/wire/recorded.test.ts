/**
 * What providers have really said, from public test suites (`recorded/README.md`), through the models that an application
 * holds: the bytes of the recording are the answer to its call. A stream comes in one piece, in pieces of a few bytes, and byte
 * by byte; what it means is the same.
 */
import { readFileSync } from "node:fs"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Redacted, Schedule } from "effect"
import {
  AiGateway,
  Anthropic,
  AwsBedrock,
  AzureOpenAi,
  Cerebras,
  ChatModel,
  type ChatResponse,
  Cohere,
  DeepSeek,
  Fireworks,
  GoogleAiStudio,
  GoogleVertexAi,
  Grok,
  Groq,
  Message,
  Mistral,
  OpenAi,
  OpenRouter,
  Perplexity,
  WorkersAi
} from "effect-ai-gateway"

const types = {
  json: "application/json",
  sse: "text/event-stream; charset=utf-8",
  b64: "application/vnd.amazon.eventstream"
} as const

const read = (file: string): Uint8Array => {
  const bytes = readFileSync(new URL(`recorded/${file}`, import.meta.url))
  return file.endsWith(".b64") ? Buffer.from(bytes.toString("ascii"), "base64") : bytes
}

const inPieces = (bytes: Uint8Array, size: number): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + size))
      at += size
    }
  })
}

/** All providers, behind a gateway that answers with the recording and keeps what it was asked. */
const answering = (file: string, size: number, asked: Array<string>, bytes: Uint8Array = read(file)) => {
  const extension = file.slice(file.lastIndexOf(".") + 1) as keyof typeof types
  const answer: typeof fetch = async (_input, init) => {
    const body = init?.body
    asked.push(body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body))
    return new Response(inPieces(bytes, size), { headers: { "content-type": types[extension] } })
  }
  const apiKey = Redacted.make("a-key")
  return Layer.mergeAll(
    Anthropic.layer({ apiKey }),
    AwsBedrock.layer({ apiKey }),
    AzureOpenAi.layer({ apiKey }),
    Cerebras.layer({ apiKey }),
    Cohere.layer({ apiKey }),
    DeepSeek.layer({ apiKey }),
    Fireworks.layer({ apiKey }),
    GoogleAiStudio.layer({ apiKey }),
    GoogleVertexAi.layer({ apiKey }),
    Grok.layer({ apiKey }),
    Groq.layer({ apiKey }),
    Mistral.layer({ apiKey }),
    OpenAi.layer({ apiKey }),
    OpenRouter.layer({ apiKey }),
    Perplexity.layer({ apiKey }),
    WorkersAi.layer({ apiKey }),
    AiGateway.layer({ accountId: "account", gatewayId: "gateway" }).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.succeed(FetchHttpClient.Fetch, answer))
    ),
    Logger.minimumLogLevel(LogLevel.Error)
  )
}

type Model = ChatModel.With<Layer.Layer.Success<ReturnType<typeof answering>>>

const models = {
  anthropic: Anthropic.model("claude-sonnet-4-5"),
  "azure-openai": AzureOpenAi.model("gpt-4o", { resource: "mine", apiVersion: "2024-10-21" }),
  bedrock: AwsBedrock.model("us.anthropic.claude-haiku-4-5-20251001-v1:0", { region: "us-east-1" }),
  cerebras: Cerebras.model("gpt-oss-120b"),
  cohere: Cohere.model("command-a-reasoning-08-2025"),
  deepseek: DeepSeek.model("deepseek-reasoner"),
  fireworks: Fireworks.model("accounts/fireworks/models/kimi-k2-thinking"),
  google: GoogleAiStudio.model("gemini-3-pro-preview"),
  grok: Grok.model("grok-3-mini"),
  groq: Groq.model("qwen/qwen3-32b"),
  mistral: Mistral.model("magistral-medium-2507"),
  openai: OpenAi.model("gpt-4o"),
  openrouter: OpenRouter.model("anthropic/claude-haiku-4.5"),
  "perplexity-ai": Perplexity.model("sonar"),
  responses: OpenAi.responsesModel("gpt-5-mini"),
  vertex: GoogleVertexAi.model("gemini-3.1-pro-preview", {
    project: "my-project",
    location: "global",
    streamFunctionCallArguments: true
  }),
  "workers-ai": WorkersAi.model("@cf/meta/llama-3.3-70b-instruct-fp8-fast")
} satisfies Record<string, Model>

type Name = keyof typeof models

const modelOf = (file: string): Model => {
  const model: Model = models[file.slice(0, file.indexOf(".")) as Name]
  return model.pipe(ChatModel.retry(Schedule.recurs(0)))
}

const ask = (file: string, size: number, bytes?: Uint8Array) => {
  const model = modelOf(file)
  return (file.endsWith(".json") ? model.chat("Hi") : ChatModel.collect(model.streamChat("Hi"))).pipe(
    Effect.provide(answering(file, size, [], bytes))
  )
}

interface Meaning {
  readonly text?: string
  readonly reasoning?: string
  /** Name and arguments. */
  readonly calls?: ReadonlyArray<readonly [string, unknown]>
  readonly finish: ChatResponse.FinishReason
  readonly usage: ChatResponse.Usage
  readonly urls?: ReadonlyArray<string>
  /** The words that sources support. */
  readonly cited?: ReadonlyArray<string>
  readonly refusal?: RegExp
  /** What must go back to the provider in the next turn, unchanged. */
  readonly replayed?: ReadonlyArray<string>
}

const paris = ["get_weather", { location: "Paris, France" }] as const
const parisInCelsius = ["get_weather", { location: "Paris, France", unit: "celsius" }] as const
const sanFrancisco = ["weather", { location: "San Francisco" }] as const
const attractions = ["cityAttractions", { city: "San Francisco" }] as const
const person = [
  "structured_output",
  { age: 30, name: "Alex Johnson", occupation: "Software Engineer" }
] as const

const meanings: Readonly<Record<string, Meaning>> = {
  "openai.calls.json": {
    calls: [paris],
    finish: "tool-calls",
    usage: { input: 105, output: 16, cacheRead: 0, reasoning: 0, total: 121 }
  },
  "openai.calls.sse": { calls: [person], finish: "tool-calls", usage: { input: 93, output: 15, total: 108 } },
  "azure-openai.calls.json": {
    calls: [paris],
    finish: "tool-calls",
    usage: { input: 105, output: 17, total: 122 }
  },
  "azure-openai.text.sse": {
    text: "Capital of Denmark.",
    finish: "stop",
    usage: { input: 15, output: 78, reasoning: 64, total: 93 }
  },
  "groq.calls.json": {
    calls: [parisInCelsius],
    finish: "tool-calls",
    usage: { input: 286, output: 140, total: 426 }
  },
  "groq.calls.sse": {
    calls: [["weather", {}]],
    finish: "tool-calls",
    usage: { input: 210, output: 15, total: 225 }
  },
  "deepseek.calls.json": {
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 339, output: 92, cacheRead: 320, reasoning: 48, total: 431 },
    replayed: ["The user is asking for the weather"]
  },
  "deepseek.calls.sse": {
    reasoning: "The user is asking",
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 339, output: 83, cacheRead: 320, reasoning: 39, total: 422 }
  },
  "mistral.calls.json": {
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 124, output: 22, total: 146 }
  },
  "mistral.calls.sse": {
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 124, output: 22, total: 146 }
  },
  "mistral.fragments.sse": {
    calls: [["webSearchTool", { query: "current Berlin weather" }]],
    finish: "tool-calls",
    usage: { input: 171, output: 14, cacheRead: 128, total: 185 }
  },
  "mistral.reasoning.json": {
    text: "2 + 2 = 4",
    reasoning: "The user is asking for 2+2. This is basic arithmetic. 2+2=4.",
    finish: "stop",
    usage: { input: 10, output: 46, total: 56 }
  },
  "mistral.reasoning.sse": {
    text: "2 + 2 = 4",
    reasoning: "The user is asking for 2+2. This is basic arithmetic. 2+2=4.",
    finish: "stop",
    usage: { input: 10, output: 46, total: 56 }
  },
  "perplexity-ai.citations.json": {
    text: "About 827,000.[2][3]",
    finish: "stop",
    usage: { input: 10, output: 251, total: 261 },
    urls: [
      "https://populationstat.com/united-states/san-francisco",
      "https://en.wikipedia.org/wiki/San_Francisco",
      "https://www.california-demographics.com/cities_by_population"
    ]
  },
  // A cumulative `message` stands beside each delta, and the sources in every chunk.
  "perplexity-ai.citations.sse": {
    text: "The current population of **[2][3]",
    finish: "stop",
    usage: { input: 10, output: 336, total: 346 },
    urls: [
      "https://populationstat.com/united-states/san-francisco",
      "https://en.wikipedia.org/wiki/San_Francisco",
      "https://fred.stlouisfed.org/graph/?g=4K5j"
    ]
  },
  // xAI does not count reasoning among the completion's tokens.
  "grok.calls.json": {
    reasoning: "I should call this function.",
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 291, output: 26 + 189, cacheRead: 244, reasoning: 189, total: 506 }
  },
  "grok.calls.sse": {
    reasoning: "First, the user is",
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 291, output: 26 + 196, cacheRead: 290, reasoning: 196, total: 513 }
  },
  "openrouter.calls.json": {
    reasoning: "I should call it.",
    calls: [paris],
    finish: "tool-calls",
    usage: { input: 724, output: 213, total: 937 },
    replayed: ["ErQGCkgICRACGAIqQHfNwndqAA==", "anthropic-claude-v1"]
  },
  "openrouter.reasoning.sse": {
    reasoning: "Let me calculate 15 ",
    finish: "stop",
    usage: { input: 66, output: 202, reasoning: 58, total: 268 },
    replayed: ["anthropic-claude-v1"]
  },
  "cerebras.calls.json": {
    reasoning: "User asks for weather in Paris, France. Use get_weather function.",
    calls: [parisInCelsius],
    finish: "tool-calls",
    usage: { input: 171, output: 52, total: 223 }
  },
  // It has no end marker but the end.
  "cerebras.reasoning.sse": {
    text: ":** 45.",
    reasoning: "We need to briefly",
    finish: "stop",
    usage: { input: 102, output: 77, total: 179 }
  },
  "fireworks.calls.json": {
    reasoning: "I should call the tool.",
    calls: [["weather", { city: "Oslo" }]],
    finish: "tool-calls",
    usage: { input: 80, output: 30, cacheRead: 16, total: 110 }
  },
  "fireworks.calls.sse": {
    reasoning: "I should call the tool.",
    calls: [["weather", { city: "Oslo" }]],
    finish: "tool-calls",
    usage: { input: 80, output: 30, total: 110 }
  },
  "responses.calls.json": {
    calls: [["get_weather", {}]],
    finish: "tool-calls",
    usage: { input: 55, output: 16, cacheRead: 0, reasoning: 0, total: 71 }
  },
  "responses.citations.json": {
    text: "It will be retired. ([openai.com](https://openai.com/retiring))",
    finish: "stop",
    usage: { input: 12661, output: 1034, reasoning: 896, total: 13695 },
    urls: ["https://openai.com/retiring"]
  },
  "responses.calls.sse": {
    calls: [
      [
        "parallel",
        {
          tool_uses: [
            { recipient_name: "functions.weather", parameters: { location: "San Francisco" } },
            { recipient_name: "functions.cityAttractions", parameters: { city: "Rome" } }
          ]
        }
      ]
    ],
    finish: "tool-calls",
    usage: { input: 34, output: 28, total: 62 }
  },
  "anthropic.calls.json": {
    calls: [["updateIssueList", {}]],
    finish: "tool-calls",
    usage: { input: 602, output: 93 }
  },
  // Its arguments are one empty fragment.
  "anthropic.calls.sse": {
    text: "I'll update the issue list for you.",
    calls: [["updateIssueList", {}]],
    finish: "tool-calls",
    usage: { input: 565, output: 48, cacheRead: 0, cacheWrite: 0 }
  },
  "anthropic.reasoning.json": {
    text: "925 ÷ 5 = 185",
    reasoning: "925 divided by 5 = 185",
    finish: "stop",
    usage: { input: 69, output: 33 },
    replayed: ["Er4BCkYICxgCKkCoxqLHLrx4AA=="]
  },
  "anthropic.reasoning.sse": {
    text: "925 ÷ 5 = 185",
    reasoning: "The previous result was 925. Now I need to divide that by 5.\n\n925 ÷ 5 = 185",
    finish: "stop",
    usage: { input: 69, output: 53 },
    replayed: ["EvQBCkYICxgCKkAxhD4NUKFzAA=="]
  },
  // A refusal that has no content block.
  "anthropic.refusal.sse": {
    finish: "content-filter",
    usage: { input: 18, output: 5 },
    refusal: /violative cyber content/
  },
  // The proxy before the model asked again in the middle of a call: the half-open call is dropped.
  "anthropic.spliced.sse": {
    calls: [["test-tool", { value: "Sparkle Day" }]],
    finish: "tool-calls",
    usage: { input: 17, output: 65 }
  },
  // What was counted at the start is corrected at the end.
  "anthropic.usage.sse": { text: "pong", finish: "stop", usage: { input: 61, output: 2 } },
  "google.calls.json": {
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 29, output: 15 + 893, reasoning: 893, total: 937 },
    replayed: ["EskgCsYgAb4+9vtF7/499YQS"]
  },
  "google.calls.sse": {
    calls: [sanFrancisco],
    finish: "tool-calls",
    usage: { input: 29, output: 15 + 45, reasoning: 45, total: 89 },
    replayed: ["EqUCCqICAb4+9vsh8Pd5taZVAA=="]
  },
  "google.signed.json": {
    text: 'There are **3** "r"s in strawberry.\n\nHere is the breakdown: st**r**awbe**rr**y.',
    finish: "stop",
    usage: { input: 9, output: 29 + 258, reasoning: 258, total: 296 },
    replayed: ["EswFCskFAb4+9vu5+eCedpmcAA=="]
  },
  // The signature comes on an empty text, last.
  "google.signed.sse": {
    text: 'There are **3** "r"s in strawberry.\n\nSt**r**awbe**rr**y',
    finish: "stop",
    usage: { input: 9, output: 23 + 302, reasoning: 302, total: 334 },
    replayed: ["EpAICo0IAb4+9vuku3oDHR5EAA=="]
  },
  // Two calls of one tool after each other, in patches.
  "vertex.partialArgs.sse": {
    calls: [
      ["getWeather", { location: "Boston" }],
      ["getWeather", { location: "San Francisco" }]
    ],
    finish: "tool-calls",
    usage: { input: 26, output: 23 + 132, reasoning: 132, total: 181 },
    replayed: ["CiMBjz1rX25KieIB4d4AwFn8AA=="]
  },
  "bedrock.calls.json": {
    calls: [paris],
    finish: "tool-calls",
    usage: { input: 695, output: 56, total: 751 }
  },
  "bedrock.calls.b64": {
    calls: [["weather", { latitude: "52.5200", longitude: "13.4050" }]],
    finish: "tool-calls",
    usage: { input: 986, output: 42, total: 1028 }
  },
  "bedrock.text.b64": {
    text: "Hello, fellow wanderer of this peculiar digital garden!",
    finish: "stop",
    usage: { input: 25, output: 15, total: 40 }
  },
  "bedrock.reasoning.json": {
    text: 'There are **3** r\'s in "strawberry":\n\n1. st**r**awbe**r****r**y',
    reasoning: "Let me count the r's in \"strawberry\":\n\ns-t-r-a-w-b-e-r-r-y\n\nThere are 3 r's.",
    finish: "stop",
    usage: { input: 51, output: 78, cacheRead: 0, cacheWrite: 0, total: 129 },
    replayed: ["EvYBCkgICxABGAIqQA9E9VC3AA=="]
  },
  "cohere.calls.json": {
    calls: [sanFrancisco, attractions],
    finish: "tool-calls",
    usage: { input: 1549, output: 103, cacheRead: 992 }
  },
  "cohere.calls.sse": {
    calls: [sanFrancisco, attractions],
    finish: "tool-calls",
    usage: { input: 1549, output: 95, cacheRead: 1504 }
  },
  // The arguments are the text `null`.
  "cohere.noArguments.json": {
    calls: [["currentTime", {}]],
    finish: "tool-calls",
    usage: { input: 1445, output: 43, cacheRead: 992 }
  },
  // The call has no delta at all.
  "cohere.noArguments.sse": {
    calls: [["currentTime", {}]],
    finish: "tool-calls",
    usage: { input: 1445, output: 43, cacheRead: 704 }
  },
  "cohere.citations.json": {
    text: "The key benefits mentioned in this document are:\n1. Automation of tasks\n2. Better decision-making\n3. Cost reduction",
    finish: "stop",
    usage: { input: 1683, output: 62, cacheRead: 992 },
    cited: ["Automation of tasks", "Better decision-making"]
  },
  "cohere.reasoning.json": {
    text: "2 + 2 = 4",
    reasoning: "Okay, so I need to figure out what 2 + 2 is. Let me start by recalling what addition means.",
    finish: "stop",
    usage: { input: 1394, output: 582, cacheRead: 1344 }
  },
  // Each source comes before the text that it supports.
  "anthropic.citations.sse": {
    text: "The Ruby programming language was created by Yukihiro Matsumoto in 1993.",
    finish: "stop",
    usage: { input: 672, output: 39 },
    cited: ["The Ruby programming language was created by Yukihiro Matsumoto in 1993. "]
  },
  "openai.citations.json": {
    text: "It is 3.4.7. (ruby-lang.org)",
    finish: "stop",
    usage: { input: 13, output: 197, total: 210 },
    urls: ["https://www.ruby-lang.org/en/news/"]
  },
  "bedrock.citations.b64": {
    text: "Ruby was created by Yukihiro Matsumoto in 1993.",
    finish: "stop",
    usage: { input: 670, output: 28, total: 698 },
    cited: ["The Ruby programming language was created by Yukihiro Matsumoto in 1993. "]
  },
  // The prompt of the vendor's own tool counts as input.
  "google.grounded.sse": {
    text: "Pydantic AI Gateway is now available!",
    finish: "stop",
    usage: { input: 32 + 4610, output: 25 + 37, reasoning: 37, total: 4704 },
    urls: ["https://ai.pydantic.dev"]
  },
  "cohere.citations.sse": {
    text: "According to the document, Ruby was created by **Yukihiro Matsumoto",
    reasoning: "The document clearly states",
    finish: "stop",
    usage: { input: 508, output: 86, reasoning: 28, cacheRead: 144 },
    cited: ["Yukihiro Matsumoto"]
  },
  // The vendor's own stream begins in mid-sentence.
  "workers-ai.text.sse": { text: " + 1 = 2.", finish: "stop", usage: { input: 43, output: 9, total: 52 } },
  "workers-ai.native.json": {
    calls: [["weather", { city: "Oslo" }]],
    finish: "tool-calls",
    usage: { input: 60, output: 12, total: 72 }
  },
  "workers-ai.native.sse": { text: "Hello.", finish: "stop", usage: { input: 9, output: 3, total: 12 } }
}

const callOf = (call: ChatResponse.ChatResponse["toolCalls"][number]) => [call.name, call.arguments]

const check = (answer: ChatResponse.ChatResponse, meaning: Meaning) => {
  if (meaning.text !== undefined) assert.strictEqual(answer.text, meaning.text)
  if (meaning.reasoning !== undefined) assert.strictEqual(answer.reasoning, meaning.reasoning)
  assert.deepStrictEqual(
    answer.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
    (meaning.calls ?? []).map(([name, args]) => [name, args])
  )
  assert.strictEqual(answer.finishReason, meaning.finish)
  assert.deepInclude(answer.usage, meaning.usage)
  if (meaning.urls !== undefined) {
    assert.deepStrictEqual(
      answer.citations.map(({ url }) => url ?? ""),
      meaning.urls
    )
  }
  if (meaning.cited !== undefined) {
    assert.deepStrictEqual(
      answer.citations.map(({ text }) => text ?? ""),
      meaning.cited
    )
  }
  if (meaning.refusal !== undefined) assert.match(answer.refusal ?? "", meaning.refusal)
}

describe("a recorded answer means what its vendor meant", () => {
  for (const [file, meaning] of Object.entries(meanings)) {
    it.effect(file, () =>
      Effect.gen(function* () {
        for (const size of file.endsWith(".json") ? [1 << 20] : [1 << 20, 23, 1]) {
          check(yield* ask(file, size), meaning)
        }
      })
    )
  }
})

describe("what a vendor signed goes back to it in the next turn, unchanged", () => {
  for (const [file, { replayed }] of Object.entries(meanings)) {
    if (replayed === undefined) continue
    it.effect(file, () =>
      Effect.gen(function* () {
        const { message, toolCalls } = yield* ask(file, 1 << 20)
        const asked: Array<string> = []
        const next =
          toolCalls.length === 0
            ? Message.user("And now?")
            : Message.toolResults(
                toolCalls.map(({ id, name }) => ({ type: "tool-result", id, name, result: "done" }))
              )
        yield* modelOf(file)
          .chat([Message.user("Hi"), message, next])
          .pipe(Effect.ignore, Effect.provide(answering(file, 1 << 20, asked)))
        for (const text of replayed) assert.include(asked[0], text)
      })
    )
  }
})

describe("a recorded failure in a stream is an error, with what the vendor said", () => {
  it.effect("openrouter.failed.sse: after some reasoning", () =>
    Effect.gen(function* () {
      for (const size of [1 << 20, 1]) {
        const error = yield* Effect.flip(ask("openrouter.failed.sse", size))
        assert(error._tag === "StreamBroken", error._tag)
        assert.strictEqual(error.delivered.reasoning, "We need to respond to a greeting. The user")
        assert.include(error.cause.message, "Token limit reached")
      }
    })
  )

  it.effect("groq.failed.sse: after some reasoning, under a name of its own", () =>
    Effect.gen(function* () {
      for (const size of [1 << 20, 1]) {
        const error = yield* Effect.flip(ask("groq.failed.sse", size))
        assert(error._tag === "StreamBroken", error._tag)
        assert.strictEqual(error.delivered.text, "maybe")
        assert.include(error.cause.message, "model did not call a tool")
      }
    })
  )

  it.effect("responses.failed.sse: before any content", () =>
    Effect.gen(function* () {
      for (const size of [1 << 20, 1]) {
        const error = yield* Effect.flip(ask("responses.failed.sse", size))
        assert(error._tag === "QuotaExceeded", error._tag)
        assert.strictEqual(error.code, "insufficient_quota")
      }
    })
  )
})

describe("a recorded stream that is cut somewhere is a failure, or the whole answer if only what says nothing is missing", () => {
  for (const file of Object.keys(meanings)) {
    if (file.endsWith(".json")) continue
    it.effect(file, () =>
      Effect.gen(function* () {
        const bytes = read(file)
        const full = yield* ask(file, 1 << 20)
        // Within an event there is half of its JSON.
        const tags: ReadonlyArray<string> = ["TransportFailure"]
        let failures = 0
        for (let part = 1; part < 40; part++) {
          const cut = yield* Effect.either(
            ask(file, 1 << 20, bytes.subarray(0, Math.floor((bytes.length * part) / 40)))
          )
          if (cut._tag === "Right") {
            assert.strictEqual(cut.right.text, full.text)
            assert.deepStrictEqual(cut.right.toolCalls.map(callOf), full.toolCalls.map(callOf))
            assert.strictEqual(cut.right.finishReason, full.finishReason)
            continue
          }
          failures++
          if (cut.left._tag === "StreamBroken") {
            assert.include(tags, cut.left.cause._tag)
            assert.isTrue(full.text.startsWith(cut.left.delivered.text))
            assert.isTrue(full.reasoning.startsWith(cut.left.delivered.reasoning))
          } else assert.include(tags, cut.left._tag)
        }
        // Half of a stream is never an answer.
        assert.isAtLeast(failures, 20)
      })
    )
  }
})
