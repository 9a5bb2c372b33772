import { Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import Anthropic from "@anthropic-ai/sdk"
import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand
} from "@aws-sdk/client-bedrock-runtime"
import { assert, describe, it } from "@effect/vitest"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import { CohereClientV2 } from "cohere-ai"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import * as LocalGateway from "../src/LocalGateway.js"
import * as LocalGatewayServer from "../src/LocalGatewayServer.js"
import { pixel, weather } from "./localGatewayClient.js"

// The vendors' own SDKs, over a real socket: what they cannot read, no vendor says.

type Options = NonNullable<Parameters<typeof LocalGateway.make>[0]>

const served = <A>(options: Options, use: (base: string, url: string) => Promise<A>): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(
        LocalGatewayServer.start(LocalGateway.make({ token: null, ...options })),
        ({ baseUrl, url }) => Effect.promise(() => use(`${baseUrl}/local-account/local-gateway`, url))
      )
    )
  )

const scripted = (slug: string, ...replies: ReadonlyArray<LocalGateway.Reply>): Options => ({
  upstreams: { [slug]: LocalGateway.script(replies) }
})

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

const collected = async <A>(stream: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of stream) all.push(item)
  return all
}

/** What the AWS client hands to whoever sends its requests. */
interface AwsRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

/** AWS's client as its documentation has it, signing for its own host; only who sends is ours: to the gateway. */
const bedrock = (base: string, lost?: string) =>
  new BedrockRuntimeClient({
    region: "us-east-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
    requestHandler: {
      handle: async ({ path, headers, body }: AwsRequest) => {
        const response = await fetch(`${base}/aws-bedrock/bedrock-runtime/us-east-1${path}`, {
          method: "POST",
          headers: Object.fromEntries(
            Object.entries(headers).filter(
              ([name]) => name !== "host" && name !== "content-length" && name !== lost
            )
          ),
          ...(body === undefined ? {} : { body })
        })
        return {
          response: {
            statusCode: response.status,
            headers: Object.fromEntries(response.headers),
            body: response.body === null ? undefined : Readable.fromWeb(response.body as ReadableStream)
          }
        }
      }
    } as unknown as NonNullable<BedrockRuntimeClientConfig["requestHandler"]>
  })

const streamed = async (client: BedrockRuntimeClient, extra: Partial<ConverseCommandInput> = {}) => {
  const { stream } = await client.send(new ConverseStreamCommand({ ...input, ...extra }))
  assert(stream !== undefined)
  return collected(stream)
}

const input: ConverseCommandInput = {
  modelId: "anthropic.claude-3-haiku-20240307-v1:0",
  system: [{ text: "Be kind." }],
  messages: [{ role: "user", content: [{ text: "Good morning" }] }]
}

const bedrockTools: Pick<ConverseCommandInput, "toolConfig"> = {
  toolConfig: {
    tools: [{ toolSpec: { name: "weather", inputSchema: { json: weather.parameters } } }]
  }
}

describe("LocalGateway with @aws-sdk/client-bedrock-runtime", () => {
  it("answers whole, with the model's name decoded", () =>
    served({}, async (base) => {
      const answer = await bedrock(base).send(new ConverseCommand(input))
      assert.deepStrictEqual(answer.output?.message?.content, [{ text: "You said: Good morning" }])
      assert.strictEqual(answer.stopReason, "end_turn")
      assert.deepInclude(answer.usage, { inputTokens: 4, outputTokens: 4, totalTokens: 8 })
    }))

  it("streams binary frames", () =>
    served({}, async (base) => {
      const events = await streamed(bedrock(base))
      assert.deepStrictEqual(
        events.map((event) => Object.keys(event)[0]),
        [
          "messageStart",
          "contentBlockDelta",
          "contentBlockDelta",
          "contentBlockDelta",
          "contentBlockDelta",
          "contentBlockStop",
          "messageStop",
          "metadata"
        ]
      )
      assert.strictEqual(
        events.map(({ contentBlockDelta }) => contentBlockDelta?.delta?.text ?? "").join(""),
        "You said: Good morning"
      )
      assert.strictEqual(events.at(-1)?.metadata?.usage?.totalTokens, 8)
    }))

  it("streams calls and thoughts", () =>
    served(
      scripted(
        "aws-bedrock",
        LocalGateway.toolCalls(
          [
            { name: "weather", args: { city: "Oslo" } },
            { name: "now", args: {} }
          ],
          { reasoning: "Hm" }
        )
      ),
      async (base) => {
        const events = await streamed(bedrock(base), bedrockTools)
        assert.deepStrictEqual(
          events.flatMap(({ contentBlockStart }) => contentBlockStart?.start?.toolUse?.name ?? []),
          ["weather", "now"]
        )
        const of = (index: number) =>
          events
            .filter(({ contentBlockDelta }) => contentBlockDelta?.contentBlockIndex === index)
            .map(({ contentBlockDelta }) => contentBlockDelta?.delta)
        assert.strictEqual(of(0)[0]?.reasoningContent?.text, "Hm")
        assert.strictEqual(
          of(1)
            .map((delta) => delta?.toolUse?.input)
            .join(""),
          '{"city":"Oslo"}'
        )
        assert.deepStrictEqual(
          of(2).map((delta) => delta?.toolUse?.input),
          [""]
        )
      }
    ))

  it("counts images that the client sends as bytes, and goes on after a result", () =>
    served({}, async (base) => {
      const seen = await bedrock(base).send(
        new ConverseCommand({
          ...input,
          messages: [
            {
              role: "user",
              content: [
                { text: "Look" },
                { image: { format: "png", source: { bytes: Buffer.from(pixel, "base64") } } }
              ]
            }
          ]
        })
      )
      assert.strictEqual(seen.output?.message?.content?.[0]?.text, "You said: Look (1 image)")
      const done = await bedrock(base).send(
        new ConverseCommand({
          ...input,
          ...bedrockTools,
          messages: [
            ...(input.messages ?? []),
            { role: "assistant", content: [{ toolUse: { toolUseId: "a", name: "weather", input: {} } }] },
            {
              role: "user",
              content: [{ toolResult: { toolUseId: "a", content: [{ json: { degrees: 12 } }] } }]
            }
          ]
        })
      )
      assert.strictEqual(done.output?.message?.content?.[0]?.text, 'weather said: {"degrees":12}')
    }))

  it.each([
    [400, "ValidationException"],
    [403, "AccessDeniedException"],
    [429, "ThrottlingException"],
    [503, "ServiceUnavailableException"]
  ])("a status of %i is its %s", (status, name) =>
    served(scripted("aws-bedrock", LocalGateway.status(status)), async (base) => {
      assert.propertyVal(await failure(bedrock(base).send(new ConverseCommand(input))), "name", name)
    })
  )

  it("an exception inside a stream is one", () =>
    served(
      scripted("aws-bedrock", LocalGateway.errorEvent(LocalGateway.text("one two"), 2, { status: 429 })),
      async (base) => {
        assert.propertyVal(await failure(streamed(bedrock(base))), "name", "ThrottlingException")
      }
    ))

  it("a signature whose headers did not arrive is refused", () =>
    served({}, async (base) => {
      const client = bedrock(base, "x-amz-date")
      assert.propertyVal(
        await failure(client.send(new ConverseCommand(input))),
        "name",
        "InvalidSignatureException"
      )
    }))
})

describe("LocalGateway's event stream with @smithy/eventstream-codec", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  const encode = (text: string) => new TextEncoder().encode(text)

  it("every frame's two sums are right, whatever the answer", () =>
    served(
      scripted("aws-bedrock", LocalGateway.text("Grüße, 世界 👋", { reasoning: "Hm", chunks: 1 })),
      async (base) => {
        const response = await fetch(
          `${base}/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse-stream`,
          { method: "POST", body: JSON.stringify({ messages: input.messages }) }
        )
        assert.strictEqual(response.headers.get("content-type"), "application/vnd.amazon.eventstream")
        const bytes = new Uint8Array(await response.arrayBuffer())
        const codec = new EventStreamCodec(text, encode)
        let at = 0
        let said = ""
        while (at < bytes.length) {
          const length = new DataView(bytes.buffer, at, 4).getUint32(0)
          const { headers, body } = codec.decode(bytes.subarray(at, at + length))
          assert.strictEqual(headers[":message-type"]?.value, "event")
          said += JSON.parse(text(body)).delta?.text ?? ""
          at += length
        }
        assert.strictEqual(said, "Grüße, 世界 👋")
      }
    ))
})

describe("LocalGateway with cohere-ai", () => {
  const cohere = (base: string) =>
    new CohereClientV2({ token: "key", baseUrl: `${base}/cohere`, maxRetries: 0 } as ConstructorParameters<
      typeof CohereClientV2
    >[0])
  const model = "command-a-03-2025"
  const messages = [{ role: "user" as const, content: "Good morning" }]

  it("answers whole", () =>
    served({}, async (base) => {
      const answer = await cohere(base).chat({ model, messages })
      assert.deepStrictEqual(answer.message.content, [{ type: "text", text: "You said: Good morning" }])
      assert.strictEqual(answer.finishReason, "COMPLETE")
      assert.strictEqual(answer.usage?.tokens?.outputTokens, 4)
    }))

  it("streams text, thoughts and citations", () =>
    served(
      scripted(
        "cohere",
        LocalGateway.text("It is mild", {
          reasoning: "Hm",
          citations: [{ url: "https://weather.example", text: "mild" }]
        })
      ),
      async (base) => {
        const events = await collected(await cohere(base).chatStream({ model, messages }))
        const texts = events.flatMap((event) =>
          event.type === "content-delta" ? [event.delta?.message?.content?.text ?? ""] : []
        )
        assert.strictEqual(texts.join(""), "It is mild")
        const cited = events.flatMap((event) =>
          event.type === "citation-start" ? [event.delta?.message?.citations?.text] : []
        )
        assert.deepStrictEqual(cited, ["mild"])
        const end = events.at(-1)
        assert.strictEqual(end?.type === "message-end" ? end.delta?.finishReason : undefined, "COMPLETE")
      }
    ))

  it("streams calls, and those without arguments have no delta", () =>
    served(
      scripted(
        "cohere",
        LocalGateway.toolCalls([
          { name: "weather", args: { city: "Oslo" } },
          { name: "now", args: {} }
        ])
      ),
      async (base) => {
        const tools = [{ type: "function" as const, function: weather }]
        const events = await collected(await cohere(base).chatStream({ model, messages, tools }))
        const names = events.flatMap((event) =>
          event.type === "tool-call-start" ? [event.delta?.message?.toolCalls?.function?.name] : []
        )
        assert.deepStrictEqual(names, ["weather", "now"])
        const fragments = events.flatMap((event) =>
          event.type === "tool-call-delta" ? [event.delta?.message?.toolCalls?.function?.arguments ?? ""] : []
        )
        assert.strictEqual(fragments.join(""), '{"city":"Oslo"}')
      }
    ))

  it("embeds", () =>
    served({}, async (base) => {
      const answer = await cohere(base).embed({
        model: "embed-v4.0",
        inputType: "search_document",
        texts: ["a", "b"],
        embeddingTypes: ["float"],
        outputDimension: 256
      })
      assert.deepStrictEqual(
        answer.embeddings.float?.map((vector) => vector.length),
        [256, 256]
      )
    }))

  it("a bad key is its 401", () =>
    served({ keys: { cohere: "right" } }, async (base) => {
      assert.propertyVal(await failure(cohere(base).chat({ model, messages })), "statusCode", 401)
    }))
})

describe("LocalGateway with openai", () => {
  const openai = (base: string) => new OpenAI({ apiKey: "key", baseURL: `${base}/openai`, maxRetries: 0 })
  const model = "gpt-4.1-mini"

  it("Responses: whole", () =>
    served({}, async (base) => {
      const answer = await openai(base).responses.create({ model, input: "Good morning" })
      assert.strictEqual(answer.output_text, "You said: Good morning")
      assert.strictEqual(answer.status, "completed")
      assert.strictEqual(answer.usage?.output_tokens, 4)
    }))

  it("Responses: streamed, thoughts and calls included", () =>
    served(
      scripted(
        "openai",
        LocalGateway.toolCall("weather", { city: "Oslo" }, { reasoning: "Hm", text: "Wait." })
      ),
      async (base) => {
        const stream = openai(base).responses.stream({ model, input: "Weather?" })
        const types: Array<string> = []
        for await (const event of stream) types.push(event.type)
        assert.include(types, "response.reasoning_summary_text.delta")
        const final = await stream.finalResponse()
        assert.deepStrictEqual(
          final.output.map(({ type }) => type),
          ["reasoning", "message", "function_call"]
        )
        const call = final.output[2]
        assert.strictEqual(call?.type === "function_call" ? call.arguments : "", '{"city":"Oslo"}')
      }
    ))

  it("Responses: an answer that is cut is incomplete, a refusal is one", () =>
    served(
      scripted(
        "openai",
        LocalGateway.text("one two", { finishReason: "length" }),
        LocalGateway.refusal("No.")
      ),
      async (base) => {
        const cut = await openai(base).responses.create({ model, input: "x" })
        assert.strictEqual(cut.incomplete_details?.reason, "max_output_tokens")
        const refused = await openai(base).responses.create({ model, input: "x" })
        const item = refused.output[0]
        assert.strictEqual(item?.type === "message" ? item.content[0]?.type : undefined, "refusal")
      }
    ))

  it("Responses: an error inside a stream is one", () =>
    served(scripted("openai", LocalGateway.errorEvent(LocalGateway.text("one two"), 3)), async (base) => {
      const stream = await openai(base).responses.create({ model, input: "x", stream: true })
      const seen: Array<string> = []
      await failure(
        (async () => {
          for await (const event of stream) seen.push(event.type)
        })()
      )
      assert.notInclude(seen, "response.completed")
    }))

  it("chat: calls in fragments come together", () =>
    served(
      scripted("openai", LocalGateway.toolCall("weather", { city: "Oslo" }, { pieces: 2 })),
      async (base) => {
        const stream = openai(base).chat.completions.stream({
          model,
          messages: [{ role: "user", content: "Weather?" }],
          tools: [{ type: "function", function: weather }]
        })
        const message = await stream.finalMessage()
        const call = message.tool_calls?.[0]
        assert.strictEqual(call?.type === "function" ? call.function.arguments : "", '{"city":"Oslo"}')
      }
    ))

  it("embeddings: in base64, which is its default", () =>
    served({}, async (base) => {
      const { data, usage } = await openai(base).embeddings.create({
        model: "text-embedding-3-small",
        input: ["one two", "three"],
        dimensions: 8
      })
      assert.deepStrictEqual(
        data.map(({ embedding }) => embedding.length),
        [8, 8]
      )
      const length = Math.hypot(...(data[0]?.embedding ?? []))
      assert.approximately(length, 1, 1e-6)
      assert.strictEqual(usage.total_tokens, 3)
    }))

  it("the account's API: chat, with the Cloudflare token as the key", () =>
    served({ token: "cf-token" }, async (_, url) => {
      const client = new OpenAI({
        apiKey: "cf-token",
        baseURL: `${url}/client/v4/accounts/local-account/ai/v1`,
        maxRetries: 0
      })
      const answer = await client.chat.completions.create({
        model: "anthropic/claude-haiku-4.5",
        messages: [{ role: "user", content: "Good morning" }]
      })
      assert.strictEqual(answer.choices[0]?.message.content, "You said: Good morning")
    }))
})

describe("LocalGateway with @anthropic-ai/sdk", () => {
  it("streams calls that it puts together, on Bedrock's mantle too", () =>
    served(
      {
        upstreams: {
          anthropic: LocalGateway.always(LocalGateway.toolCall("weather", { city: "Oslo" })),
          "aws-bedrock": LocalGateway.always(LocalGateway.toolCall("weather", { city: "Oslo" }))
        }
      },
      async (base) => {
        for (const path of ["anthropic", "aws-bedrock/bedrock-mantle/us-east-1/anthropic"]) {
          const client = new Anthropic({ apiKey: "key", baseURL: `${base}/${path}`, maxRetries: 0 })
          const message = await client.messages
            .stream({
              model: "claude-haiku-4-5",
              max_tokens: 64,
              messages: [{ role: "user", content: "Weather?" }],
              tools: [{ name: "weather", input_schema: { ...weather.parameters, type: "object" } }]
            })
            .finalMessage()
          const [block] = message.content
          assert.deepStrictEqual(block?.type === "tool_use" ? block.input : undefined, { city: "Oslo" })
        }
      }
    ))
})
