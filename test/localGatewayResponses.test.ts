/** Answers of the local gateway's OpenAI and Anthropic, read by the vendors' own descriptions of them. */
import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient"
import * as AnthropicGenerated from "@effect/ai-anthropic/Generated"
import * as Generated from "@effect/ai-openai/Generated"
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient"
import { describe, expect, it } from "@effect/vitest"
import { Either, ParseResult, Schema } from "effect"
import * as LocalGateway from "../src/LocalGateway.js"
import { answering, events, send, weather } from "./localGatewayClient.js"

/** The problem alone: the whole error prints the whole schema. */
const problem = <A, I>(schema: Schema.Schema<A, I>, value: unknown): string | undefined =>
  Either.match(Schema.decodeUnknownEither(schema)(value), {
    onLeft: ({ issue }) => ParseResult.ArrayFormatter.formatIssueSync(issue)[0]?.message.slice(0, 200),
    onRight: () => undefined
  })

const ask = { model: "gpt-5-mini", input: "hi" }
const tool = { type: "function", ...weather }
const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }

const cases: ReadonlyArray<readonly [string, LocalGateway.Reply, object]> = [
  ["a text", LocalGateway.text("It is sunny."), {}],
  ["a text that was cut off", LocalGateway.text("It is", { finishReason: "length" }), {}],
  [
    "a text with reasons",
    LocalGateway.text("sunny", { reasoning: "hm" }),
    { reasoning: { summary: "auto" } }
  ],
  ["a text with sources", LocalGateway.text("sunny", { citations: [{ url: "https://a.example" }] }), {}],
  ["a refusal", LocalGateway.refusal("No."), {}],
  ["a call", LocalGateway.toolCall("weather", { city: "Oslo", days: 2 }), { tools: [tool] }],
  [
    "an object",
    LocalGateway.text('{"city":"Oslo"}'),
    { text: { format: { type: "json_schema", name: "city", schema: city } } }
  ],
  [
    "an answer to a request that sets everything",
    LocalGateway.text("hi"),
    {
      instructions: "be brief",
      max_output_tokens: 100,
      metadata: { user: "1" },
      parallel_tool_calls: false,
      prompt_cache_key: "key",
      safety_identifier: "someone",
      service_tier: "flex",
      store: false,
      tool_choice: "auto",
      tools: [{ ...tool, strict: false }],
      top_logprobs: 2,
      truncation: "auto",
      user: "somebody"
    }
  ]
]

describe("OpenAI's Responses at the local gateway", () => {
  it.each(cases)("%s is a whole Response", async (_, reply, body) => {
    const { json } = await send(answering("openai", reply), {
      path: "/openai/v1/responses",
      headers: { authorization: "Bearer key" },
      body: { ...ask, ...body }
    })
    expect(problem(Generated.Response, json)).toBeUndefined()
    expect(json.status).toMatch(/^(completed|incomplete)$/)
  })

  it.each(cases)("%s, streamed, is events that OpenAI describes", async (_, reply, body) => {
    const { text } = await send(answering("openai", reply), {
      path: "/openai/v1/responses",
      headers: { authorization: "Bearer key" },
      body: { ...ask, ...body, stream: true }
    })
    const streamed = events(text)
    expect(streamed.length).toBeGreaterThan(4)
    for (const { json } of streamed)
      expect([json.type, problem(OpenAiClient.ResponseStreamEvent, json)]).toEqual([json.type, undefined])
  })

  it("repeats what the request set, and says what applies where it set nothing", async () => {
    const { json } = await send(answering("openai", LocalGateway.text("hi")), {
      path: "/openai/v1/responses",
      headers: { authorization: "Bearer key" },
      body: { ...ask, instructions: "be brief", store: false, tools: [tool] }
    })
    expect(json).toMatchObject({
      instructions: "be brief",
      store: false,
      tools: [{ name: "weather", strict: true }],
      temperature: 1,
      tool_choice: "auto",
      text: { format: { type: "text" } },
      metadata: {},
      max_output_tokens: null
    })
  })

  it("a stream that fails in its middle ends with a whole Response that failed", async () => {
    const reply = LocalGateway.errorEvent(LocalGateway.text("one two three"), 4)
    const { text } = await send(answering("openai", reply), {
      path: "/openai/v1/responses",
      headers: { authorization: "Bearer key" },
      body: { ...ask, stream: true }
    })
    const last = events(text).at(-1)
    expect(last?.json).toMatchObject({
      type: "response.failed",
      response: { status: "failed", model: ask.model }
    })
    expect(problem(OpenAiClient.ResponseStreamEvent, last?.json)).toBeUndefined()
  })

  it("vectors are what OpenAI describes", async () => {
    const { json } = await send(answering("openai"), {
      path: "/openai/v1/embeddings",
      headers: { authorization: "Bearer key" },
      body: { model: "text-embedding-3-small", input: ["a", "b"] }
    })
    expect(problem(Generated.CreateEmbeddingResponse, json)).toBeUndefined()
    expect(json.data).toHaveLength(2)
  })
})

describe("Anthropic's messages at the local gateway", () => {
  const messages: ReadonlyArray<readonly [string, LocalGateway.Reply, object]> = [
    ["a text", LocalGateway.text("It is sunny."), {}],
    ["a text with reasons", LocalGateway.text("sunny", { reasoning: "hm" }), {}],
    [
      "a call",
      LocalGateway.toolCall("weather", { city: "Oslo", days: 2 }),
      { tools: [{ name: "weather", input_schema: weather.parameters }] }
    ]
  ]
  const body = { model: "claude-sonnet-4-5", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }
  const headers = { "anthropic-version": "2023-06-01" }

  it.each(messages)("%s is a whole message", async (_, reply, more) => {
    const { json } = await send(answering("anthropic", reply), {
      path: "/anthropic/v1/messages",
      headers,
      body: { ...body, ...more }
    })
    expect(problem(AnthropicGenerated.BetaMessage, json)).toBeUndefined()
  })

  it.each(messages)("%s, streamed, is events that Anthropic describes", async (_, reply, more) => {
    const { text } = await send(answering("anthropic", reply), {
      path: "/anthropic/v1/messages",
      headers,
      body: { ...body, ...more, stream: true }
    })
    const streamed = events(text)
    expect(streamed.length).toBeGreaterThan(4)
    for (const { json } of streamed)
      expect([json.type, problem(AnthropicClient.MessageStreamEvent, json)]).toEqual([json.type, undefined])
  })
})
