import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { account, plain, type Sent, send, weather } from "./localGatewayClient.js"

// Whatever a client sends, it gets an answer that is somebody's: never an exception of the gateway's own.

const question = { role: "user", content: "Hello" }
const call = { id: "call12345", type: "function", function: { name: "weather", arguments: "{}" } }
const conversation = [
  question,
  { role: "assistant", content: "Wait", tool_calls: [call] },
  { role: "tool", tool_call_id: "call12345", content: "12 degrees" }
]
const tools = [{ type: "function", function: weather }]
const chat = {
  model: "m",
  messages: conversation,
  tools,
  tool_choice: "auto",
  response_format: { type: "json_schema", json_schema: { name: "w", schema: weather.parameters } }
}

const endpoints: ReadonlyArray<readonly [path: string, body: object]> = [
  ["/openai/chat/completions", chat],
  ["/mistral/v1/chat/completions", chat],
  ["/compat/chat/completions", { ...chat, model: "groq/m" }],
  ["/compat/chat/completions", { ...chat, model: "cloudflare/auto" }],
  [
    "/openai/responses",
    {
      model: "m",
      input: [
        { role: "user", content: [{ type: "input_text", text: "Hello" }] },
        { type: "function_call", call_id: "a", name: "weather", arguments: "{}" },
        { type: "function_call_output", call_id: "a", output: "12" }
      ],
      tools: [{ type: "function", ...weather }],
      text: { format: { type: "json_schema", name: "w", schema: weather.parameters } },
      reasoning: { effort: "low", summary: "auto" }
    }
  ],
  [
    "/anthropic/v1/messages",
    {
      model: "m",
      max_tokens: 4096,
      system: "Be kind.",
      messages: [
        { role: "user", content: [{ type: "text", text: "Hello" }] },
        { role: "assistant", content: [{ type: "tool_use", id: "a", name: "weather", input: {} }] },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "x" }] }]
        }
      ],
      tools: [{ name: "weather", input_schema: weather.parameters }],
      tool_choice: { type: "auto" },
      output_config: { format: { type: "json_schema", schema: weather.parameters } },
      thinking: { type: "enabled", budget_tokens: 1024 }
    }
  ],
  [
    "/google-ai-studio/v1beta/models/m:generateContent",
    {
      systemInstruction: { parts: [{ text: "Be kind." }] },
      contents: [
        { role: "user", parts: [{ text: "Hello" }] },
        { role: "model", parts: [{ functionCall: { name: "weather", args: {} } }] },
        { role: "user", parts: [{ functionResponse: { name: "weather", response: { output: "x" } } }] }
      ],
      tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: weather.parameters }] }],
      toolConfig: { functionCallingConfig: { mode: "AUTO" } },
      generationConfig: {
        responseMimeType: "application/json",
        responseJsonSchema: weather.parameters,
        thinkingConfig: { includeThoughts: true }
      }
    }
  ],
  [
    "/google-ai-studio/v1beta/models/m:batchEmbedContents",
    { requests: [{ model: "models/m", content: { parts: [{ text: "x" }] } }] }
  ],
  [
    "/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse",
    {
      system: [{ text: "Be kind." }],
      messages: [
        { role: "user", content: [{ text: "Hello" }] },
        { role: "assistant", content: [{ toolUse: { toolUseId: "a", name: "weather", input: {} } }] },
        { role: "user", content: [{ toolResult: { toolUseId: "a", content: [{ json: {} }] } }] }
      ],
      toolConfig: { tools: [{ toolSpec: { name: "weather", inputSchema: { json: weather.parameters } } }] },
      inferenceConfig: { maxTokens: 5 },
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { name: "w", schema: JSON.stringify(weather.parameters) } }
        }
      }
    }
  ],
  ["/cohere/v2/chat", { model: "m", messages: conversation, tools, thinking: { type: "enabled" } }],
  ["/cohere/v2/embed", { model: "m", input_type: "search_query", texts: ["x"] }],
  ["/openai/embeddings", { model: "m", input: ["x"], dimensions: 4 }],
  ["/workers-ai/@cf/meta/llama", { messages: conversation, tools }],
  ["/workers-ai/@cf/baai/bge-m3", { text: ["x"] }],
  [`${account}/run`, { model: "openai/m", input: chat, options: {} }],
  [`${account}/v1/messages`, { model: "anthropic/m", max_tokens: 5, messages: [question] }],
  ["", [{ provider: "openai", endpoint: "chat/completions", headers: {}, query: chat }] as object]
]

const json = FastCheck.oneof(
  {
    weight: 4,
    arbitrary: FastCheck.constantFrom<unknown>(null, "", "x", 0, -1, true, [], {}, [[]], [null], {
      type: "object"
    })
  },
  { weight: 1, arbitrary: FastCheck.jsonValue({ maxDepth: 3 }) }
)

/** Every place in a JSON value. */
const places = (value: unknown): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value === "object" && value !== null
    ? [[], ...Object.entries(value).flatMap(([key, inner]) => places(inner).map((place) => [key, ...place]))]
    : [[]]

const replaced = (value: unknown, [key, ...rest]: ReadonlyArray<string>, by: unknown): unknown => {
  if (key === undefined) return by
  const inner = replaced((value as Record<string, unknown>)[key], rest, by)
  return Array.isArray(value)
    ? value.map((item, index) => (String(index) === key ? inner : item))
    : { ...(value as object), [key]: inner }
}

const streamed = (body: unknown): unknown =>
  typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body, stream: true } : body

const sentTo = (path: string, body: unknown): Sent => ({
  path,
  headers: { "anthropic-version": "2023-06-01" },
  body
})

describe("LocalGateway: any body", () => {
  it.each(endpoints)("%s %j: what is right is answered", async (path, body) => {
    const answer = await send(plain(), sentTo(path, body))
    assert.strictEqual(answer.status, 200, answer.text)
  })

  it.each(endpoints)("%s %j: what is wrong somewhere is answered or refused", (path, body) =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.constantFrom(...places(body)),
        json,
        FastCheck.boolean(),
        async (place, value, stream) => {
          const wrong = replaced(body, place, value)
          const answer = await send(plain(), sentTo(path, stream ? streamed(wrong) : wrong))
          assert.isTrue(answer.status < 500, answer.text)
          // And in words: a vendor's refusal is never empty.
          if (/event-stream/.test(answer.headers.get("content-type") ?? "")) assert.isNotEmpty(answer.text)
          else assert.isNotEmpty(answer.json)
        }
      ),
      { numRuns: 150 }
    )
  )

  it.each([
    ["lists", { type: "array", items: {}, minItems: 1e9 }],
    ["texts", { type: "string", minLength: 1e12 }],
    ["patterns", { type: "string", pattern: "^a{100000000}$", minLength: 1e9 }]
  ])("%s of any length are made within reason", async (_, city) => {
    const parameters = { type: "object", properties: { city }, required: ["city"] }
    const forced = {
      tools: [{ type: "function", function: { name: "f", parameters } }],
      tool_choice: "required"
    }
    const answer = await send(
      plain(),
      sentTo("/openai/chat/completions", { model: "m", messages: [question], ...forced })
    )
    assert.strictEqual(answer.status, 200)
    assert.isBelow(answer.text.length, 500_000)
  })
})
