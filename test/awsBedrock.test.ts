/** Bedrock as a provider: its keys and signatures, and its binary streams over real sockets. */
import { createHash, createHmac } from "node:crypto"
import { inspect } from "node:util"
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { SignatureV4 } from "@smithy/signature-v4"
import {
  Config,
  ConfigProvider,
  Duration,
  Effect,
  Either,
  Layer,
  Logger,
  Redacted,
  Schedule,
  Schema,
  Stream,
  TestClock,
  Tracer
} from "effect"
import {
  AiGateway,
  type AiGatewayError,
  AwsBedrock,
  ChatEvent,
  ChatModel,
  Message,
  OpenAi,
  type Provider,
  Tool
} from "effect-ai-gateway"
import { begins, ends, event, eventStream, exception, says } from "./awsFrames.js"
import { type Answer, json, pieces, type Server, serve } from "./socketGateway.js"

const nova = "amazon.nova-pro-v1:0"
const region = "us-east-1"
const once = ChatModel.retry(Schedule.recurs(0))
const model = AwsBedrock.model(nova, { region }).pipe(once)

const credentials = {
  accessKeyId: "AKIDEXAMPLE0123456789",
  secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
  sessionToken: Redacted.make("session-token-0123456789/+==")
}

const whole = {
  output: { message: { role: "assistant", content: [{ text: "Hello." }] } },
  stopReason: "end_turn",
  usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }
}

const through = (
  { baseUrl }: Server,
  provider: Layer.Layer<AwsBedrock.AwsBedrock, unknown> = AwsBedrock.layer(),
  client: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
) =>
  Effect.provide(
    Layer.mergeAll(
      Layer.orDie(provider),
      OpenAi.layer(),
      AiGateway.layer({
        accountId: "account",
        gatewayId: "gateway",
        baseUrl,
        token: Redacted.make("gateway-token")
      }).pipe(Layer.provide(client), Layer.orDie)
    )
  )

// --- signatures, checked by Amazon's own implementation ---------------------------------------------------------------

class Sha256 {
  private readonly pieces: Array<Uint8Array | string> = []
  constructor(private readonly secret?: unknown) {}
  update(piece: unknown) {
    this.pieces.push(typeof piece === "string" ? piece : Buffer.from(piece as Uint8Array))
  }
  async digest() {
    const { secret } = this
    const hash =
      secret === undefined
        ? createHash("sha256")
        : createHmac("sha256", typeof secret === "string" ? secret : Buffer.from(secret as ArrayBuffer))
    for (const piece of this.pieces) hash.update(piece)
    return new Uint8Array(hash.digest())
  }
  reset() {
    this.pieces.length = 0
  }
}

/** What Amazon's signer makes of the same request at the same time. */
const expected = (path: string, body: string | Uint8Array, date: string, token = true) =>
  Effect.promise(async () => {
    const signer = new SignatureV4({
      service: "bedrock",
      region,
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: Redacted.value(credentials.secretAccessKey),
        ...(token ? { sessionToken: Redacted.value(credentials.sessionToken) } : {})
      },
      sha256: Sha256,
      applyChecksum: false
    })
    const [, year, month, day, hours, minutes, seconds] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(date) ?? []
    const host = `bedrock-runtime.${region}.amazonaws.com`
    const { headers } = await signer.sign(
      { method: "POST", protocol: "https:", hostname: host, path, query: {}, headers: { host }, body },
      { signingDate: new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) }
    )
    return headers.authorization
  })

const converse = "/model/amazon.nova-pro-v1%3A0/converse"

const headersOf = (signed: Readonly<Record<string, string | Redacted.Redacted>>) =>
  Object.fromEntries(
    Object.entries(signed).map(([name, value]) => [
      name,
      Redacted.isRedacted(value) ? Redacted.value(value) : value
    ])
  )

const signOf = (provider: Provider.Provider) => {
  const { sign } = provider
  if (sign === undefined) throw new Error("this provider does not sign")
  return (endpoint: string, body: string) => Effect.map(sign({ endpoint, body }), headersOf)
}

describe("a signature", () => {
  it.effect("is the one that Amazon's own signer makes, at any time and of any body", () =>
    Effect.gen(function* () {
      const sign = signOf(AwsBedrock.make({ credentials }))
      for (const body of [
        "{}",
        '{"messages":[{"role":"user","content":[{"text":"Grüße 🧀 \\u0000"}]}]}',
        "x".repeat(100_000)
      ]) {
        yield* TestClock.adjust(Duration.days(123.456))
        const signed = yield* sign(`bedrock-runtime/${region}${converse}`, body)
        const date = signed["x-amz-date"] ?? ""
        assert.strictEqual(signed.authorization, yield* expected(converse, body, date))
        assert.strictEqual(signed["x-amz-security-token"], Redacted.value(credentials.sessionToken))
        assert.deepStrictEqual(Object.keys(signed).sort(), [
          "authorization",
          "x-amz-date",
          "x-amz-security-token"
        ])
      }
      // 370.368 days after 1970-01-01.
      assert.strictEqual(
        (yield* sign(`bedrock-runtime/${region}${converse}`, "{}"))["x-amz-date"],
        "19710106T084955Z"
      )
    })
  )

  it.effect("without a session token has none", () =>
    Effect.gen(function* () {
      const { sessionToken: _, ...permanent } = credentials
      const signed = yield* signOf(AwsBedrock.make({ credentials: permanent }))(
        `bedrock-runtime/${region}${converse}`,
        "{}"
      )
      assert.strictEqual(
        signed.authorization,
        yield* expected(converse, "{}", signed["x-amz-date"] ?? "", false)
      )
      assert.notProperty(signed, "x-amz-security-token")
    })
  )

  it.scopedLive("is of the path that Amazon's SDK asks, and of the bytes that go out", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole))
      const paths: Array<string> = []
      for (const name of [
        nova,
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0"
      ]) {
        let path = ""
        const sdk = new BedrockRuntimeClient({
          region,
          credentials: { accessKeyId: "a", secretAccessKey: "b" },
          requestHandler: {
            handle: (request: { readonly path: string }) => {
              path = request.path
              return Promise.reject(new Error("seen"))
            }
          }
        })
        yield* Effect.promise(() =>
          sdk.send(new ConverseCommand({ modelId: name, messages: [] })).catch(() => undefined)
        )
        paths.push(path)
        yield* AwsBedrock.model(name, { region })
          .chat({
            prompt: "Grüße 🧀",
            providerOptions: { "aws-bedrock": { requestMetadata: { "2": "b", "1": "a" } } }
          })
          .pipe(through(server, AwsBedrock.layer({ credentials })))
      }
      assert.strictEqual(server.asked.length, 2)
      for (const [index, { path, headers, body }] of server.asked.entries()) {
        const native = path.replace(`aws-bedrock/bedrock-runtime/${region}`, "")
        assert.strictEqual(native, paths[index])
        assert.strictEqual(
          headers.authorization,
          yield* expected(native, body, String(headers["x-amz-date"]))
        )
        assert.strictEqual(headers["x-amz-security-token"], Redacted.value(credentials.sessionToken))
        assert.include(String(headers.host), "127.0.0.1")
        assert.strictEqual(headers["content-type"], "application/json")
        assert.strictEqual(headers["cf-aig-authorization"], "Bearer gateway-token")
        assert.include(body.toString(), "Grüße 🧀")
      }
    })
  )

  it.scopedLive("is of a body that Amazon's SDK would write of the same", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole))
      const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47])
      const Weather = Tool.make("get_weather", {
        description: "Of a city.",
        parameters: Schema.Struct({ city: Schema.String })
      })
      const schema = Weather.jsonSchema._tag === "Right" ? Weather.jsonSchema.right : {}
      let body = ""
      const sdk = new BedrockRuntimeClient({
        region,
        credentials: { accessKeyId: "a", secretAccessKey: "b" },
        requestHandler: {
          handle: (request: { readonly body: string | Uint8Array }) => {
            body = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)
            return Promise.reject(new Error("seen"))
          }
        }
      })
      const command = new ConverseCommand({
        modelId: nova,
        system: [{ text: "Be brief." }],
        messages: [
          {
            role: "user",
            content: [
              { text: "What is this?" },
              { image: { format: "png", source: { bytes: png } } },
              { document: { format: "pdf", name: "a report", source: { bytes: png } } }
            ]
          },
          {
            role: "assistant",
            content: [{ toolUse: { toolUseId: "a", name: "get_weather", input: { city: "Oslo" } } }]
          },
          {
            role: "user",
            content: [{ toolResult: { toolUseId: "a", content: [{ text: "no" }], status: "error" } }]
          }
        ],
        inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ["."] },
        toolConfig: {
          tools: [
            {
              toolSpec: {
                name: "get_weather",
                description: "Of a city.",
                inputSchema: { json: JSON.parse(JSON.stringify(schema)) }
              }
            }
          ],
          toolChoice: { tool: { name: "get_weather" } }
        }
      })
      yield* Effect.promise(() => sdk.send(command).catch(() => undefined))
      yield* model
        .chat({
          system: "Be brief.",
          messages: [
            Message.user([
              Message.textPart("What is this?"),
              Message.image({ data: png, mediaType: "image/png" }),
              Message.file({ data: png, mediaType: "application/pdf" }, { filename: "a_report.pdf" })
            ]),
            Message.assistant([
              { type: "tool-call", id: "a", name: "get_weather", arguments: '{"city":"Oslo"}' }
            ]),
            Message.toolResults([
              { type: "tool-result", id: "a", name: "get_weather", result: "no", isError: true }
            ])
          ],
          maxTokens: 100,
          temperature: 0.5,
          topP: 0.9,
          stop: ["."],
          tools: [Weather],
          toolChoice: { tool: "get_weather" }
        })
        .pipe(through(server))
      assert.deepStrictEqual(JSON.parse(server.asked[0]?.body.toString() ?? ""), JSON.parse(body))
    })
  )

  it.scopedLive("is of a stream's URL too, and with any client", () =>
    Effect.gen(function* () {
      const server = yield* serve(pieces(Buffer.concat([begins, says("Hi."), ends]), 100, eventStream))
      yield* Stream.runDrain(model.streamChat("Hi")).pipe(
        through(server, AwsBedrock.layer({ credentials }), NodeHttpClient.layerUndici)
      )
      const [asked] = server.asked
      assert.strictEqual(
        asked?.headers.authorization,
        yield* expected(`${converse}-stream`, asked?.body ?? "", String(asked?.headers["x-amz-date"]))
      )
    })
  )

  it.scopedLive("in a request of several legs is that of the body that the entry holds", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole, 200, { "cf-aig-step": "0" }))
      const tool = Tool.make("f")
      yield* ChatModel.universal([AwsBedrock.model(nova, { region }), OpenAi.model("gpt-4.1")])
        .chat({ prompt: "Hi", tools: [tool] })
        .pipe(through(server, AwsBedrock.layer({ credentials })))
      const [entry] = JSON.parse(server.asked[0]?.body.toString() ?? "") as ReadonlyArray<{
        readonly headers: Readonly<Record<string, string>>
        readonly query: unknown
      }>
      assert.strictEqual(
        entry?.headers.authorization,
        yield* expected(converse, JSON.stringify(entry?.query), entry?.headers["x-amz-date"] ?? "")
      )
    })
  )
})

describe("how a request is authorised", () => {
  const authOf = (server: Server) =>
    server.asked.map(({ headers }) => [
      headers.authorization,
      headers["x-amz-date"],
      headers["x-amz-security-token"]
    ])

  it.scopedLive("with an API key by a bearer token, with nothing by no header at all", () =>
    Effect.gen(function* () {
      const server = yield* serve(json(whole))
      yield* model
        .chat("Hi")
        .pipe(through(server, AwsBedrock.layer({ apiKey: Redacted.make("bedrock-key") })))
      yield* model.chat("Hi").pipe(through(server))
      assert.deepStrictEqual(authOf(server), [
        ["Bearer bedrock-key", undefined, undefined],
        [undefined, undefined, undefined]
      ])
    })
  )

  it.scopedLive("with an effect of credentials anew for each attempt", () =>
    Effect.gen(function* () {
      const server = yield* serve(json({ message: "busy" }, 503), json(whole))
      let count = 0
      const changing = Effect.sync(() => ({ ...credentials, accessKeyId: `AKID${++count}` }))
      yield* AwsBedrock.model(nova, { region })
        .pipe(ChatModel.retry(Schedule.recurs(1)))
        .chat("Hi")
        .pipe(through(server, AwsBedrock.layer({ credentials: changing })))
      assert.deepStrictEqual(
        server.asked.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1]),
        ["AKID1", "AKID2"]
      )
    })
  )

  it.scopedLive("with an effect that fails, or gives what cannot be, not at all: the next leg is tried", () =>
    Effect.gen(function* () {
      const answered = { choices: [{ message: { content: "from OpenAI" }, finish_reason: "stop" }] }
      const server = yield* serve(json(answered))
      const list = ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1")])
      for (const [broken, words] of [
        [Effect.fail(new Error("the metadata service is away")), "the metadata service is away"],
        [
          Effect.succeed({ ...credentials, secretAccessKey: Redacted.make("") }),
          "secretAccessKey of Bedrock is empty"
        ]
      ] as const) {
        const answer = yield* list.chat("Hi").pipe(through(server, AwsBedrock.layer({ credentials: broken })))
        assert.strictEqual(answer.text, "from OpenAI")
        const [attempt] = answer.attempts
        assert.deepInclude(
          { ...attempt?.error },
          { _tag: "Unauthorized", provider: "aws-bedrock", model: nova }
        )
        assert.include(attempt?.error.message, words)
      }
      assert.isTrue(server.asked.every(({ path }) => path.startsWith("openai/")))
    })
  )

  it.effect("with settings that are wrong the layer fails, and names the setting", () =>
    Effect.gen(function* () {
      const apiKey = Redacted.make("key")
      const wrong: ReadonlyArray<readonly [AwsBedrock.Options, string]> = [
        [{ apiKey: Redacted.make("") }, "apiKey"],
        [{ apiKey, credentials }, "credentials"],
        [{ apiKey, credentials: Effect.succeed(credentials) }, "credentials"],
        [{ credentials: { ...credentials, accessKeyId: "" } }, "credentials.accessKeyId"],
        [
          { credentials: { ...credentials, secretAccessKey: Redacted.make("a b") } },
          "credentials.secretAccessKey"
        ],
        [{ credentials: { ...credentials, sessionToken: Redacted.make("a\nb") } }, "credentials.sessionToken"]
      ]
      for (const [options, field] of wrong) {
        const error = yield* Effect.flip(Layer.build(AwsBedrock.layer(options)))
        assert.deepInclude({ ...error }, { _tag: "InvalidRequest", field, provider: "aws-bedrock" })
        // A service that was made without a layer says so at the call.
        if (options.credentials === undefined) continue
        const sign = signOf(AwsBedrock.make(options))
        const late = yield* Effect.flip(sign(`bedrock-runtime/${region}${converse}`, "{}"))
        assert.deepInclude(Object(late), { _tag: "InvalidRequest", field })
      }
    }).pipe(Effect.scoped)
  )

  it.effect("with settings of Config", () =>
    Effect.gen(function* () {
      const env = ConfigProvider.fromMap(
        new Map([
          ["AWS_ACCESS_KEY_ID", "AKIDCONFIG"],
          ["AWS_SECRET_ACCESS_KEY", "secret"]
        ])
      )
      const layer = AwsBedrock.layerConfig({
        credentials: Config.all({
          accessKeyId: Config.string("AWS_ACCESS_KEY_ID"),
          secretAccessKey: Config.redacted("AWS_SECRET_ACCESS_KEY")
        })
      })
      const signed = yield* AwsBedrock.AwsBedrock.pipe(
        Effect.flatMap((provider) => signOf(provider)(`bedrock-runtime/${region}${converse}`, "{}")),
        Effect.provide(layer),
        Effect.withConfigProvider(env)
      )
      assert.include(signed.authorization, "Credential=AKIDCONFIG/")
      const missing = yield* AwsBedrock.AwsBedrock.pipe(
        Effect.provide(layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map())),
        Effect.flip
      )
      assert.include(String(missing), "AWS_ACCESS_KEY_ID")
    })
  )

  it.scopedLive("no secret is in an error, a log or a span, even if the other side repeats the headers", () =>
    Effect.gen(function* () {
      const echo: Answer = (response, { headers }) =>
        json(
          {
            message: `refused: ${headers.authorization} and ${headers["x-amz-security-token"]} of ${headers["x-amz-date"]}`
          },
          400
        )(response, {
          path: "",
          headers,
          body: Buffer.alloc(0)
        })
      const server = yield* serve(echo)
      const seen: Array<string> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          const attributes = new Map<string, unknown>()
          return {
            _tag: "Span",
            name,
            spanId: "0".repeat(16),
            traceId: "0".repeat(32),
            parent,
            context,
            links: [...links],
            status: { _tag: "Started", startTime },
            attributes,
            sampled: true,
            kind,
            end: (_, exit) => spans.push(`${name} ${inspect([...attributes, exit], { depth: 10 })}`),
            attribute: (key, value) => attributes.set(key, value),
            event: (key, _, more) => attributes.set(key, more),
            addLinks: () => undefined
          }
        },
        context: (run) => run()
      })
      const spans: Array<string> = []
      const error = yield* model.chat("Hi").pipe(
        Effect.tapErrorCause((cause) => Effect.logError("failed", cause)),
        Effect.flip,
        through(server, AwsBedrock.layer({ credentials })),
        Effect.withTracer(tracer),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make((entry) => seen.push(Logger.stringLogger.log(entry)))
          )
        )
      )
      assert.deepInclude({ ...error }, { _tag: "BadRequest", provider: "aws-bedrock" })
      assert.include(error.message, "<redacted>")
      // Amazon's complaint about an old signature is of no use without its date.
      assert.include(error.message, String(server.asked[0]?.headers["x-amz-date"]))
      assert.isNotEmpty(spans)
      const all = [
        error.message,
        inspect(error, { depth: 10 }),
        JSON.stringify(error),
        ...seen,
        ...spans,
        inspect(AwsBedrock.make({ credentials }), { depth: 5 }),
        JSON.stringify(AwsBedrock.make({ credentials }))
      ].join("\n")
      const signature = /Signature=(\w+)/.exec(String(server.asked[0]?.headers.authorization))?.[1]
      assert.isDefined(signature)
      for (const secret of [
        signature ?? "",
        Redacted.value(credentials.secretAccessKey),
        Redacted.value(credentials.sessionToken)
      ]) {
        assert.notInclude(all, secret)
      }
    })
  )
})

describe("a model", () => {
  const wrong = [
    ["no region", nova, "", "region"],
    ["a region that is a host", nova, "us-east-1.amazonaws.com", "region"],
    ["a region that is a path", nova, "us-east-1/x", "region"],
    ["a region in capitals", nova, "US-EAST-1", "region"],
    ["no name", "", region, "model"],
    ["a name of dots", "..", region, "model"],
    ["a name with a query", "m?x=1", region, "model"]
  ] as const
  for (const [what, name, region, field] of wrong) {
    it.scopedLive(`with ${what} is InvalidRequest of every call, and names ${field}`, () =>
      Effect.gen(function* () {
        const server = yield* serve(json(whole))
        for (const model of [
          AwsBedrock.model(name, { region }),
          AwsBedrock.anthropicModel(name, { region })
        ]) {
          const calls: ReadonlyArray<
            Effect.Effect<void, AiGatewayError.AiGatewayError, AwsBedrock.AwsBedrock | AiGateway.AiGateway>
          > = [
            Effect.asVoid(model.chat("Hi")),
            Stream.runDrain(model.streamChat("Hi")),
            Effect.asVoid(model.encode("Hi", { stream: false }))
          ]
          for (const call of calls) {
            const error = yield* call.pipe(Effect.flip, through(server))
            assert.deepInclude({ ...error }, { _tag: "InvalidRequest", field, provider: "aws-bedrock" })
          }
        }
        assert.deepStrictEqual(server.asked, [])
      })
    )
  }

  it("tells what it supports", () => {
    assert.deepStrictEqual([...model.metadata.supports].sort(), [
      "files",
      "images",
      "maxTokens",
      "output",
      "stop",
      "streaming",
      "system",
      "temperature",
      "tools",
      "topP"
    ])
  })

  it.scopedLive("answers a value through the tool that it was forced to call", () =>
    Effect.gen(function* () {
      const called = {
        output: {
          message: { content: [{ toolUse: { toolUseId: "a", name: "city", input: { name: "Oslo" } } }] }
        },
        stopReason: "tool_use"
      }
      const server = yield* serve(json(called))
      const answer = yield* model
        .chat({ prompt: "Hi", output: { name: "city", jsonSchema: { type: "object", properties: {} } } })
        .pipe(through(server))
      assert.deepInclude({ ...answer }, { text: '{"name":"Oslo"}', finishReason: "stop", toolCalls: [] })
    })
  )

  it.scopedLive("of Anthropic's own API has its endpoint, a bearer token, and Anthropic's stream", () =>
    Effect.gen(function* () {
      const events = [
        { type: "message_start", message: { model: "claude", usage: { input_tokens: 3 } } },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello." } },
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
        { type: "message_stop" }
      ]
      const body = Buffer.from(
        events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("")
      )
      const server = yield* serve(pieces(body, 50, "text/event-stream"))
      const mantle = AwsBedrock.anthropicModel("anthropic.claude-haiku-4-5", { region }).pipe(once)
      const answer = ChatEvent.fold(
        yield* Stream.runCollect(mantle.streamChat("Hi")).pipe(
          through(server, AwsBedrock.layer({ apiKey: Redacted.make("bedrock-key") }))
        )
      )
      assert.deepInclude({ ...answer }, { text: "Hello.", provider: "aws-bedrock" })
      const [asked] = server.asked
      assert.strictEqual(asked?.path, "aws-bedrock/bedrock-mantle/us-east-1/anthropic/v1/messages")
      assert.strictEqual(asked?.headers.authorization, "Bearer bedrock-key")
      assert.strictEqual(asked?.headers["anthropic-version"], "2023-06-01")
      const refused = yield* mantle
        .chat("Hi")
        .pipe(Effect.flip, through(server, AwsBedrock.layer({ credentials })))
      assert.deepInclude({ ...refused }, { _tag: "Unauthorized", source: "provider" })
      assert.strictEqual(server.asked.length, 1)
    })
  )
})

// --- streams over real sockets ------------------------------------------------------------------------------------------

const text = ["It", " is", " green", ", said the ", "cheese 🧀", "."]
const stream = Buffer.concat([begins, ...text.map(says), ends])

const delivered = (server: Server, client?: Layer.Layer<HttpClient.HttpClient>) => {
  const events: Array<ChatEvent.ChatEvent> = []
  return Effect.map(
    model.streamChat("Hi").pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.either,
      through(server, undefined, client)
    ),
    (ended) => ({ events, error: Either.isLeft(ended) ? ended.left : undefined })
  )
}

const textOf = (events: ReadonlyArray<ChatEvent.ChatEvent>) => ChatEvent.fold(events).text

describe("a binary stream", () => {
  for (const [name, client] of [
    ["fetch", FetchHttpClient.layer],
    ["undici", NodeHttpClient.layerUndici],
    ["node:http", NodeHttpClient.layer]
  ] as const) {
    it.scopedLive(`cut at odd places is the same answer, with ${name}`, () =>
      Effect.gen(function* () {
        for (const size of [1, 7, 13, 101, stream.length]) {
          const server = yield* serve(pieces(stream, size, eventStream))
          const { error, events } = yield* delivered(server, client)
          assert.isUndefined(error)
          assert.deepStrictEqual(
            events.map(({ _tag }) => _tag),
            ["Start", ...text.map(() => "TextDelta"), "Usage", "Finish"]
          )
          const answer = ChatEvent.fold(events)
          assert.strictEqual(answer.text, text.join(""))
          assert.deepInclude(answer.usage, { input: 10, output: 5, total: 15 })
        }
      })
    )
  }

  it.scopedLive(
    "with a corrupt frame breaks there, names the frame and the checksum, and keeps what was delivered",
    () =>
      Effect.gen(function* () {
        const corrupt = Buffer.from(says(" more"))
        corrupt[corrupt.length - 10] = (corrupt[corrupt.length - 10] ?? 0) ^ 1
        for (const size of [17, 4096]) {
          const body = Buffer.concat([begins, says("It"), says(" is"), corrupt, ends])
          const server = yield* serve(pieces(body, size, eventStream))
          const { error, events } = yield* delivered(server)
          assert.strictEqual(textOf(events), "It is")
          if (error?._tag !== "StreamBroken") return assert.fail(String(error))
          assert.deepInclude({ ...error.cause }, { _tag: "MalformedResponse", provider: "aws-bedrock" })
          assert.include(
            error.cause.message,
            "at frame 4 of the event stream, the checksum of the message is wrong"
          )
        }
      })
  )

  it.scopedLive("with a corrupt first frame has committed to nothing: the next leg answers", () =>
    Effect.gen(function* () {
      const corrupt = Buffer.from(begins)
      corrupt[3] = (corrupt[3] ?? 0) ^ 1
      const data = JSON.stringify({ choices: [{ delta: { content: "from OpenAI" }, finish_reason: "stop" }] })
      const server = yield* serve(
        pieces(Buffer.concat([corrupt, says("It"), ends]), 20, eventStream),
        pieces(Buffer.from(`data: ${data}\n\ndata: [DONE]\n\n`), 20, "text/event-stream")
      )
      const list = ChatModel.firstSuccessOf([model, OpenAi.model("gpt-4.1")])
      const answer = ChatEvent.fold(yield* Stream.runCollect(list.streamChat("Hi")).pipe(through(server)))
      assert.strictEqual(answer.text, "from OpenAI")
      assert.include(
        answer.attempts[0]?.error.message,
        "frame 1 of the event stream, the checksum of its prelude is wrong"
      )
    })
  )

  it.scopedLive(
    "whose first and only frame is an exception is that error, and is tried again where that helps",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(
          pieces(exception("throttlingException", { message: "Too many requests" }), 50, eventStream),
          pieces(exception("validationException", { message: "The text field is blank" }), 50, eventStream)
        )
        const error = yield* Stream.runDrain(
          AwsBedrock.model(nova, { region })
            .pipe(ChatModel.retry(Schedule.recurs(3)))
            .streamChat("Hi")
        ).pipe(Effect.flip, through(server))
        assert.deepInclude(
          { ...error },
          { _tag: "BadRequest", code: "validationException", provider: "aws-bedrock" }
        )
        assert.include(error.message, "The text field is blank")
        assert.strictEqual(server.asked.length, 2)
      })
  )

  it.scopedLive("with an exception in the middle breaks there", () =>
    Effect.gen(function* () {
      const failed = exception("modelStreamErrorException", { message: "no luck", originalStatusCode: 500 })
      const server = yield* serve(pieces(Buffer.concat([begins, says("It"), failed]), 30, eventStream))
      const { error, events } = yield* delivered(server)
      assert.strictEqual(textOf(events), "It")
      if (error?._tag !== "StreamBroken") return assert.fail(String(error))
      assert.deepInclude({ ...error.cause }, { _tag: "ProviderFailure", code: "modelStreamErrorException" })
    })
  )

  it.scopedLive("that ends within a frame, or before the model did, is cut off", () =>
    Effect.gen(function* () {
      const within = yield* delivered(
        yield* serve(pieces(stream.subarray(0, begins.length + says("It").length + 5), 30, eventStream))
      )
      const before = yield* delivered(
        yield* serve(pieces(Buffer.concat([begins, says("It")]), 30, eventStream))
      )
      for (const { error, events } of [within, before]) {
        assert.strictEqual(textOf(events), "It")
        assert.strictEqual(error?._tag, "StreamBroken")
      }
      for (const { error } of [within, before]) {
        assert.strictEqual(error?._tag === "StreamBroken" ? error.cause._tag : "", "TransportFailure")
      }
    })
  )

  it.scopedLive("that was asked for may be answered with one JSON body, or with an error of HTTP", () =>
    Effect.gen(function* () {
      const buffered = yield* delivered(yield* serve(json(whole)))
      assert.isUndefined(buffered.error)
      assert.strictEqual(textOf(buffered.events), "Hello.")
      const denied = yield* delivered(
        yield* serve(
          json({ message: "You don't have access to the model" }, 403, {
            "x-amzn-errortype": "AccessDeniedException:http://internal.amazon.com/"
          })
        )
      )
      assert.deepInclude({ ...denied.error }, { _tag: "Unauthorized", code: "AccessDeniedException" })
    })
  )

  it.scopedLive("that the reader leaves early is closed", () =>
    Effect.gen(function* () {
      let closed = false
      const endless: Answer = (response) => {
        response.writeHead(200, { "content-type": eventStream })
        response.write(begins)
        const timer = setInterval(() => response.write(says("more ")), 1)
        response.on("close", () => {
          closed = true
          clearInterval(timer)
        })
      }
      const server = yield* serve(endless)
      const events = yield* model.streamChat("Hi").pipe(Stream.take(5), Stream.runCollect, through(server))
      assert.strictEqual(events.length, 5)
      yield* Effect.sync(() => closed).pipe(
        Effect.repeat({ until: (closed) => closed, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("2 seconds")
      )
    })
  )

  it.scopedLive("may be a value, through the tool that the model was forced to call", () =>
    Effect.gen(function* () {
      const body = Buffer.concat([
        begins,
        event("contentBlockStart", {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: "a", name: "city" } }
        }),
        event("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: '{"name":' } } }),
        event("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: '"Oslo"}' } } }),
        event("contentBlockStop", { contentBlockIndex: 0 }),
        event("messageStop", { stopReason: "tool_use" }),
        event("metadata", { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } })
      ])
      const server = yield* serve(pieces(body, 23, eventStream))
      const output = { name: "city", jsonSchema: { type: "object", properties: {} } }
      const answer = ChatEvent.fold(
        yield* Stream.runCollect(model.streamChat({ prompt: "Hi", output })).pipe(through(server))
      )
      assert.deepInclude({ ...answer }, { text: '{"name":"Oslo"}', finishReason: "stop", toolCalls: [] })
    })
  )

  it.scopedLive("has its calls of tools put together", () =>
    Effect.gen(function* () {
      const body = Buffer.concat([
        begins,
        event("contentBlockStart", {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: "a", name: "f" } }
        }),
        event("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: "" } } }),
        event("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: '{"x"' } } }),
        event("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: ":1}" } } }),
        event("contentBlockStop", { contentBlockIndex: 0 }),
        event("messageStop", { stopReason: "tool_use" }),
        event("metadata", { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } })
      ])
      const { events } = yield* delivered(yield* serve(pieces(body, 11, eventStream)))
      const answer = ChatEvent.fold(events)
      assert.deepStrictEqual(answer.toolCalls, [
        { type: "tool-call", id: "a", name: "f", arguments: '{"x":1}' }
      ])
      assert.strictEqual(answer.finishReason, "tool-calls")
    })
  )
})
