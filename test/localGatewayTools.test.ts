import { assert, describe, it } from "@effect/vitest"
import * as LocalGateway from "../src/LocalGateway.js"
import {
  answering,
  events,
  pixel,
  plain,
  type Received,
  type Sent,
  send,
  weather
} from "./localGatewayClient.js"

// Tools, results of tools and forms of answers, in the words of each vendor: what it takes, and what it refuses.

interface Vendor {
  readonly slug: string
  /** A question. */
  readonly ask: (extra?: object) => Sent
  /** The fields that offer the tool. */
  readonly tools: object
  /** The fields that force it. */
  readonly forced: object
  /** A conversation that ends with the result of a call, or of a call that nobody made. */
  readonly resulted: (called: boolean) => object
  /** The same conversation without the result. */
  readonly unanswered: object
  /** What the answer calls: name and arguments. */
  readonly called: (answer: Received) => ReadonlyArray<readonly [name: string, args: unknown]>
  readonly said: (answer: Received) => string
  readonly orphan: RegExp
  readonly missing: RegExp
}

const question = { role: "user", content: "Weather in Oslo?" }
const callId = "call12345"
const openAiCall = {
  role: "assistant",
  content: null,
  tool_calls: [
    { id: callId, type: "function", function: { name: "weather", arguments: '{"city":"Oslo","days":2}' } }
  ]
}
const openAiResult = { role: "tool", tool_call_id: callId, content: "12 degrees" }

// biome-ignore lint/suspicious/noExplicitAny: calls of many shapes
const openAiCalls = (calls: any) =>
  (calls ?? []).map((call: { function: { name: string; arguments: string } }) => [
    call.function.name,
    JSON.parse(call.function.arguments)
  ])

const openAiShaped = (slug: string, path: string, model: string): Vendor => ({
  slug,
  ask: (extra = {}) => ({ path, body: { model, messages: [question], ...extra } }),
  tools: { tools: [{ type: "function", function: weather }] },
  forced: { tool_choice: "required" },
  resulted: (called) => ({ messages: [question, ...(called ? [openAiCall] : []), openAiResult] }),
  unanswered: { messages: [question, openAiCall, question] },
  called: ({ json }) => openAiCalls(json.choices[0].message.tool_calls),
  said: ({ json }) => json.choices[0].message.content,
  orphan: /must be a response to a preceeding message with 'tool_calls'/,
  missing: /did not have response messages: call12345/
})

const vendors: ReadonlyArray<Vendor> = [
  openAiShaped("openai", "/openai/chat/completions", "gpt-4.1-mini"),
  openAiShaped("azure-openai", "/azure-openai/res/dep/chat/completions?api-version=1", "ignored"),
  openAiShaped("groq", "/groq/chat/completions", "llama"),
  openAiShaped("mistral", "/mistral/v1/chat/completions", "mistral-small"),
  openAiShaped("deepseek", "/deepseek/chat/completions", "deepseek-chat"),
  openAiShaped("grok", "/grok/v1/chat/completions", "grok-4"),
  openAiShaped("openrouter", "/openrouter/v1/chat/completions", "a/b"),
  openAiShaped("cerebras", "/cerebras/chat/completions", "gpt-oss-120b"),
  openAiShaped("fireworks", "/fireworks/chat/completions", "accounts/fireworks/models/glm"),
  openAiShaped("baseten", "/baseten/v1/chat/completions", "kimi"),
  openAiShaped("parallel", "/parallel/chat/completions", "speed"),
  openAiShaped("huggingface", "/huggingface/org/model/v1/chat/completions", "org/model"),
  {
    slug: "openai",
    ask: (extra = {}) => ({
      path: "/openai/responses",
      body: { model: "gpt-4.1-mini", input: [question], ...extra }
    }),
    tools: { tools: [{ type: "function", ...weather }] },
    forced: { tool_choice: { type: "function", name: "weather" } },
    resulted: (called) => ({
      input: [
        question,
        ...(called
          ? [{ type: "function_call", call_id: callId, name: "weather", arguments: '{"city":"Oslo"}' }]
          : []),
        { type: "function_call_output", call_id: callId, output: "12 degrees" }
      ]
    }),
    unanswered: {
      input: [
        question,
        { type: "function_call", call_id: callId, name: "weather", arguments: "{}" },
        question
      ]
    },
    called: ({ json }) =>
      json.output.flatMap((item: { type: string; name: string; arguments: string }) =>
        item.type === "function_call" ? [[item.name, JSON.parse(item.arguments)]] : []
      ),
    said: ({ json }) => json.output.at(-1).content[0].text,
    orphan: /No tool call found for function call output with call_id call12345/,
    missing: /No tool output found for function call call12345/
  },
  {
    slug: "anthropic",
    ask: (extra = {}) => ({
      path: "/anthropic/v1/messages",
      headers: { "anthropic-version": "2023-06-01" },
      body: { model: "claude-haiku-4-5", max_tokens: 64, messages: [question], ...extra }
    }),
    tools: { tools: [{ name: "weather", input_schema: weather.parameters }] },
    forced: { tool_choice: { type: "any" } },
    resulted: (called) => ({
      messages: [
        question,
        {
          role: "assistant",
          content: called
            ? [{ type: "tool_use", id: callId, name: "weather", input: { city: "Oslo" } }]
            : "Hm"
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: callId, content: "12 degrees" }] }
      ]
    }),
    unanswered: {
      messages: [
        question,
        { role: "assistant", content: [{ type: "tool_use", id: callId, name: "weather", input: {} }] },
        question
      ]
    },
    called: ({ json }) =>
      json.content.flatMap((block: { type: string; name: string; input: unknown }) =>
        block.type === "tool_use" ? [[block.name, block.input]] : []
      ),
    said: ({ json }) => json.content[0].text,
    orphan: /messages\.2\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: call12345/,
    missing:
      /messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: call12345/
  },
  ...[
    "google-ai-studio/v1beta",
    "google-vertex-ai/v1/projects/p/locations/us-central1/publishers/google"
  ].map(
    (prefix): Vendor => ({
      slug: prefix.split("/")[0] ?? "",
      ask: (extra = {}) => ({
        path: `/${prefix}/models/gemini-2.5-flash:generateContent`,
        body: { contents: [{ role: "user", parts: [{ text: "Weather in Oslo?" }] }], ...extra }
      }),
      tools: {
        tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: weather.parameters }] }]
      },
      forced: {
        toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } }
      },
      resulted: (called) => ({
        contents: [
          { role: "user", parts: [{ text: "Weather in Oslo?" }] },
          {
            role: "model",
            parts: [called ? { functionCall: { name: "weather", args: {} } } : { text: "Hm" }]
          },
          {
            role: "user",
            parts: [{ functionResponse: { name: "weather", response: { output: "12 degrees" } } }]
          }
        ]
      }),
      unanswered: {
        contents: [
          { role: "user", parts: [{ text: "Weather in Oslo?" }] },
          { role: "model", parts: [{ functionCall: { name: "weather", args: {} } }] },
          { role: "user", parts: [{ text: "Well?" }] }
        ]
      },
      called: ({ json }) =>
        json.candidates[0].content.parts.flatMap(
          (part: { functionCall?: { name: string; args: unknown } }) =>
            part.functionCall === undefined ? [] : [[part.functionCall.name, part.functionCall.args]]
        ),
      said: ({ json }) => json.candidates[0].content.parts[0].text,
      orphan: /function response turn comes immediately after a function call turn/,
      missing: /number of function response parts is equal to the number of function call parts/
    })
  ),
  {
    slug: "aws-bedrock",
    ask: (extra = {}) => ({
      path: "/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse",
      body: { messages: [{ role: "user", content: [{ text: "Weather in Oslo?" }] }], ...extra }
    }),
    tools: {
      toolConfig: {
        tools: [{ toolSpec: { name: "weather", inputSchema: { json: weather.parameters } } }]
      }
    },
    forced: {
      toolConfig: {
        tools: [{ toolSpec: { name: "weather", inputSchema: { json: weather.parameters } } }],
        toolChoice: { any: {} }
      }
    },
    resulted: (called) => ({
      messages: [
        { role: "user", content: [{ text: "Weather in Oslo?" }] },
        {
          role: "assistant",
          content: [called ? { toolUse: { toolUseId: callId, name: "weather", input: {} } } : { text: "Hm" }]
        },
        {
          role: "user",
          content: [{ toolResult: { toolUseId: callId, content: [{ text: "12 degrees" }] } }]
        }
      ]
    }),
    unanswered: {
      messages: [
        { role: "user", content: [{ text: "Weather in Oslo?" }] },
        { role: "assistant", content: [{ toolUse: { toolUseId: callId, name: "weather", input: {} } }] },
        { role: "user", content: [{ text: "Well?" }] }
      ]
    },
    called: ({ json }) =>
      json.output.message.content.flatMap((block: { toolUse?: { name: string; input: unknown } }) =>
        block.toolUse === undefined ? [] : [[block.toolUse.name, block.toolUse.input]]
      ),
    said: ({ json }) => json.output.message.content[0].text,
    orphan: /The number of toolResult blocks at messages\.2\.content exceeds/,
    missing: /Expected toolResult blocks at messages\.2\.content for the following Ids: call12345/
  },
  {
    slug: "cohere",
    ask: (extra = {}) => ({
      path: "/cohere/v2/chat",
      body: { model: "command-a-03-2025", messages: [question], ...extra }
    }),
    tools: { tools: [{ type: "function", function: weather }] },
    forced: { tool_choice: "REQUIRED" },
    resulted: (called) => ({ messages: [question, ...(called ? [openAiCall] : []), openAiResult] }),
    unanswered: { messages: [question, openAiCall, question] },
    called: ({ json }) => openAiCalls(json.message.tool_calls),
    said: ({ json }) => json.message.content[0].text,
    orphan: /call12345 not found/,
    missing: /missing for call12345/
  }
]

const nameOf = ({ slug, ask }: Vendor) => `${slug} ${ask().path.replace(/\?.*/, "").replace(/.*\//, "")}`
const cases = vendors.map((vendor) => [nameOf(vendor), vendor] as const)

describe("LocalGateway: every vendor's tools", () => {
  it.each(cases)("%s: a forced tool is called with arguments that fit", async (_, vendor) => {
    const answer = await send(plain(), vendor.ask({ ...vendor.tools, ...vendor.forced }))
    assert.strictEqual(answer.status, 200, answer.text)
    assert.deepStrictEqual(vendor.called(answer), [
      ["weather", { city: "You said: Weather in Oslo?", days: 2 }]
    ])
  })

  it.each(cases)("%s: a scripted call without arguments makes them fit", async (_, vendor) => {
    const gateway = answering(vendor.slug, LocalGateway.toolCall("weather"))
    const answer = await send(gateway, vendor.ask(vendor.tools))
    assert.deepStrictEqual(vendor.called(answer), [
      ["weather", { city: "You said: Weather in Oslo?", days: 2 }]
    ])
  })

  it.each(cases)("%s: two calls at once are two calls", async (_, vendor) => {
    const gateway = answering(
      vendor.slug,
      LocalGateway.toolCalls([
        { name: "weather", args: { city: "Oslo", days: 2 } },
        { name: "weather", args: { city: "Rome", days: 3 } }
      ])
    )
    const answer = await send(gateway, vendor.ask(vendor.tools))
    assert.deepStrictEqual(vendor.called(answer), [
      ["weather", { city: "Oslo", days: 2 }],
      ["weather", { city: "Rome", days: 3 }]
    ])
  })

  it.each(cases)("%s: after the results it answers, and quotes them", async (_, vendor) => {
    const gateway = LocalGateway.make({
      upstreams: { [vendor.slug]: LocalGateway.always(LocalGateway.useTools()) }
    })
    const first = await send(gateway, vendor.ask(vendor.tools))
    assert.lengthOf(vendor.called(first), 1)
    const second = await send(gateway, vendor.ask({ ...vendor.tools, ...vendor.resulted(true) }))
    assert.strictEqual(second.status, 200, second.text)
    assert.strictEqual(vendor.said(second), "weather said: 12 degrees")
  })

  it.each(cases)("%s: a result without its call is refused", async (_, vendor) => {
    const answer = await send(plain(), vendor.ask({ ...vendor.tools, ...vendor.resulted(false) }))
    assert.strictEqual(answer.status, vendor.slug === "mistral" ? 422 : 400)
    assert.match(answer.text, vendor.orphan)
  })

  it.each(cases)("%s: a call without its result is refused", async (_, vendor) => {
    const answer = await send(plain(), vendor.ask({ ...vendor.tools, ...vendor.unanswered }))
    assert.strictEqual(answer.status, vendor.slug === "mistral" ? 422 : 400)
    assert.match(answer.text, vendor.missing)
  })
})

const openAi = (extra: object): Sent => ({
  path: "/openai/chat/completions",
  body: { model: "gpt-4.1-mini", messages: [question], ...extra }
})

const offered = { tools: [{ type: "function", function: weather }] }

describe("LocalGateway: the shapes of streamed calls", () => {
  const deltas = async (stream: LocalGateway.ToolStream, pieces: ReadonlyArray<string> = ['{"a":', "1}"]) => {
    const reply = LocalGateway.toolCalls(
      [
        { name: "f", id: "call_f", args: { a: 1 }, pieces },
        { name: "g", id: "call_g", args: { b: 2 } }
      ],
      { toolStream: stream }
    )
    const { text } = await send(answering("openai", reply), openAi({ stream: true }))
    return events(text)
      .slice(0, -1)
      .flatMap(({ json }) => json.choices[0].delta.tool_calls ?? [])
  }
  const brief = (entries: ReadonlyArray<Record<string, unknown>>) =>
    entries.map((entry) => {
      const fn = entry.function as { name?: string; arguments?: string }
      return [entry.index, entry.id, fn.name, fn.arguments]
    })

  it("in fragments, as a script cuts them", async () => {
    assert.deepStrictEqual(brief(await deltas("fragments")).slice(0, 3), [
      [0, "call_f", "f", ""],
      [0, undefined, undefined, '{"a":'],
      [0, undefined, undefined, "1}"]
    ])
  })

  it("arguments before the name", async () => {
    assert.deepStrictEqual(brief(await deltas("arguments-first")).slice(0, 3), [
      [0, undefined, undefined, '{"a":'],
      [0, "call_f", "f", undefined],
      [0, undefined, undefined, "1}"]
    ])
  })

  it("whole, with and without an index, and without an id", async () => {
    assert.deepStrictEqual(brief(await deltas("whole")), [
      [0, "call_f", "f", '{"a":1}'],
      [1, "call_g", "g", '{"b":2}']
    ])
    assert.deepStrictEqual(brief(await deltas("no-index")), [
      [undefined, "call_f", "f", '{"a":1}'],
      [undefined, "call_g", "g", '{"b":2}']
    ])
    assert.deepStrictEqual(
      (await deltas("no-id")).map(({ id }) => id),
      ["", ""]
    )
  })

  it("indexes with gaps, and from one", async () => {
    const indexes = async (stream: LocalGateway.ToolStream) =>
      Array.from(new Set((await deltas(stream)).map(({ index }) => index)))
    assert.deepStrictEqual(await indexes("index-gaps"), [0, 2])
    assert.deepStrictEqual(await indexes("from-one"), [1, 2])
  })

  it("interleaved: a piece of each in turn", async () => {
    assert.deepStrictEqual(
      (await deltas("interleaved")).map(({ index }) => index),
      [0, 1, 0, 1, 0, 1]
    )
  })

  it("the id on every piece, beside an empty name", async () => {
    assert.deepStrictEqual(brief(await deltas("id-repeated")).slice(0, 3), [
      [0, "call_f", "f", ""],
      [0, "call_f", "", '{"a":'],
      [0, "call_f", "", "1}"]
    ])
  })

  it("null arguments, and a last entry that is all null", async () => {
    assert.deepStrictEqual(brief(await deltas("null-arguments")).slice(0, 3), [
      [0, "call_f", "f", undefined],
      [0, undefined, undefined, null],
      [0, undefined, undefined, '{"a":']
    ])
    assert.deepStrictEqual(brief(await deltas("finalised"))[3], [0, null, null, ""])
  })

  it("text that is no JSON is sent as it is", async () => {
    const gateway = answering("openai", LocalGateway.toolCall("f", undefined, { argumentsText: '{"a":' }))
    const { json } = await send(gateway, openAi({}))
    assert.strictEqual(json.choices[0].message.tool_calls[0].function.arguments, '{"a":')
  })

  it("Anthropic, Bedrock, Cohere and Responses cut as the script does", async () => {
    const reply = LocalGateway.toolCall("f", { a: 1 }, { pieces: 3 })
    const pieces = ['{"a', '":1', "}"]
    const anthropic = await send(answering("anthropic", reply), {
      path: "/anthropic/v1/messages",
      headers: { "anthropic-version": "2023-06-01" },
      body: { model: "claude-haiku-4-5", max_tokens: 64, stream: true, messages: [question] }
    })
    assert.deepStrictEqual(
      events(anthropic.text).flatMap(({ json }) => json.delta?.partial_json ?? []),
      ["", ...pieces]
    )
    const cohere = await send(answering("cohere", reply), {
      path: "/cohere/v2/chat",
      body: { model: "command-a-03-2025", stream: true, messages: [question] }
    })
    assert.deepStrictEqual(
      events(cohere.text).flatMap(({ event, json }) =>
        event === "tool-call-delta" ? [json.delta.message.tool_calls.function.arguments] : []
      ),
      pieces
    )
    const responses = await send(answering("openai", reply), {
      path: "/openai/responses",
      body: { model: "gpt-4.1-mini", stream: true, input: "Hello" }
    })
    assert.deepStrictEqual(
      events(responses.text).flatMap(({ event, json }) =>
        event === "response.function_call_arguments.delta" ? [json.delta] : []
      ),
      pieces
    )
  })

  it("Vertex streams arguments by path when it is asked to; AI Studio knows no such field", async () => {
    const config = {
      toolConfig: { functionCallingConfig: { mode: "AUTO", streamFunctionCallArguments: true } }
    }
    const body = { contents: [{ role: "user", parts: [{ text: "Hello" }] }], ...config }
    const reply = LocalGateway.toolCall("f", { a: [{ b: "Boston" }], n: 2, t: true, z: null })
    const vertex = await send(answering("google-vertex-ai", reply), {
      path: "/google-vertex-ai/v1/projects/p/locations/global/publishers/google/models/gemini-3:streamGenerateContent?alt=sse",
      body
    })
    assert.deepStrictEqual(
      events(vertex.text).flatMap(({ json }) =>
        json.candidates[0].content.parts.flatMap((part: { functionCall?: object }) => part.functionCall ?? [])
      ),
      [
        { name: "f", willContinue: true },
        {
          partialArgs: [{ jsonPath: "$.a[0].b", stringValue: "Bos", willContinue: true }],
          willContinue: true
        },
        {
          partialArgs: [{ jsonPath: "$.a[0].b", stringValue: "ton", willContinue: true }],
          willContinue: true
        },
        { partialArgs: [{ jsonPath: "$.a[0].b", stringValue: "" }], willContinue: true },
        { partialArgs: [{ jsonPath: "$.n", numberValue: 2 }], willContinue: true },
        { partialArgs: [{ jsonPath: "$.t", boolValue: true }], willContinue: true },
        { partialArgs: [{ jsonPath: "$.z", nullValue: "NULL_VALUE" }], willContinue: true },
        {}
      ]
    )
    const studio = await send(plain(), {
      path: "/google-ai-studio/v1beta/models/gemini-3:generateContent",
      body
    })
    assert.strictEqual(studio.status, 400)
    assert.match(studio.json.error.message, /Unknown name "streamFunctionCallArguments"/)
  })
})

describe("LocalGateway: what scripts can say", () => {
  it("a value is JSON text, or the arguments of a tool that is forced", async () => {
    const reply = LocalGateway.value({ mood: "good" })
    const text = await send(answering("openai", reply), openAi({}))
    assert.strictEqual(text.json.choices[0].message.content, '{"mood":"good"}')
    const forced = await send(
      answering("openai", reply),
      openAi({ ...offered, tool_choice: { type: "function", function: { name: "weather" } } })
    )
    assert.strictEqual(forced.json.choices[0].message.tool_calls[0].function.arguments, '{"mood":"good"}')
  })

  it("tools are used one at a time where the request says so, and not where it forbids them", async () => {
    const gateway = LocalGateway.make({
      upstreams: { openai: LocalGateway.always(LocalGateway.useTools()) }
    })
    const two = {
      tools: [weather, { ...weather, name: "news" }].map((fn) => ({ type: "function", function: fn }))
    }
    const calls = async (extra: object) =>
      openAiCalls((await send(gateway, openAi({ ...two, ...extra }))).json.choices[0].message.tool_calls)
    assert.lengthOf(await calls({}), 2)
    assert.lengthOf(await calls({ parallel_tool_calls: false }), 1)
    assert.lengthOf(await calls({ tool_choice: "none" }), 0)
  })

  it("a refusal is OpenAI's own field, Anthropic's stop reason, Google's SAFETY, Bedrock's filter", async () => {
    const reply = LocalGateway.refusal("I cannot help with that.")
    const of = (slug: string) => vendors.find((vendor) => vendor.slug === slug)?.ask() ?? openAi({})
    const openai = (await send(answering("openai", reply), of("openai"))).json.choices[0]
    assert.deepStrictEqual(
      [openai.message.content, openai.message.refusal, openai.finish_reason],
      [null, "I cannot help with that.", "stop"]
    )
    const anthropic = (await send(answering("anthropic", reply), of("anthropic"))).json
    assert.deepStrictEqual([anthropic.content, anthropic.stop_reason], [[], "refusal"])
    const google = (await send(answering("google-ai-studio", reply), of("google-ai-studio"))).json
    assert.deepStrictEqual([google.candidates[0].content, google.candidates[0].finishReason], [{}, "SAFETY"])
    const bedrock = (await send(answering("aws-bedrock", reply), of("aws-bedrock"))).json
    assert.strictEqual(bedrock.stopReason, "content_filtered")
  })

  it("citations are where each vendor has them", async () => {
    const reply = LocalGateway.text("Café, 12 degrees.", {
      citations: [{ url: "https://weather.example/oslo", title: "Oslo", text: "12 degrees" }]
    })
    const of = (slug: string) => vendors.find((vendor) => vendor.slug === slug)?.ask() ?? openAi({})
    const openai = (await send(answering("openai", reply), of("openai"))).json
    assert.deepStrictEqual(openai.choices[0].message.annotations[0].url_citation, {
      url: "https://weather.example/oslo",
      title: "Oslo",
      start_index: 6,
      end_index: 16
    })
    const perplexity = await send(answering("perplexity-ai", reply), {
      path: "/perplexity-ai/chat/completions",
      body: { model: "sonar", messages: [question] }
    })
    assert.deepStrictEqual(perplexity.json.citations, ["https://weather.example/oslo"])
    const anthropic = (await send(answering("anthropic", reply), of("anthropic"))).json
    assert.strictEqual(anthropic.content[0].citations[0].url, "https://weather.example/oslo")
    // Google counts bytes: the é is two.
    const google = (await send(answering("google-ai-studio", reply), of("google-ai-studio"))).json
    assert.deepStrictEqual(google.candidates[0].groundingMetadata.groundingSupports[0].segment, {
      startIndex: 7,
      endIndex: 17,
      text: "12 degrees"
    })
    const bedrock = (await send(answering("aws-bedrock", reply), of("aws-bedrock"))).json
    assert.strictEqual(
      bedrock.output.message.content[0].citationsContent.content[0].text,
      "Café, 12 degrees."
    )
    const cohere = (await send(answering("cohere", reply), of("cohere"))).json
    assert.deepInclude(cohere.message.citations[0], { start: 6, end: 16, text: "12 degrees" })
  })
})

describe("LocalGateway: images and files", () => {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }
  const file = {
    type: "file",
    file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" }
  }
  const look = { type: "text", text: "Look" }

  it.each([
    ["openai", openAi({ messages: [{ role: "user", content: [look, image, file] }] }), "1 image, 1 file"],
    [
      "openai responses",
      {
        path: "/openai/responses",
        body: {
          model: "gpt-4.1-mini",
          input: [
            {
              role: "user",
              content: [
                { type: "input_text", text: "Look" },
                { type: "input_image", image_url: image.image_url.url },
                { type: "input_file", ...file.file }
              ]
            }
          ]
        }
      },
      "1 image, 1 file"
    ],
    [
      "anthropic",
      {
        path: "/anthropic/v1/messages",
        headers: { "anthropic-version": "2023-06-01" },
        body: {
          model: "claude-haiku-4-5",
          max_tokens: 9,
          messages: [
            {
              role: "user",
              content: [
                look,
                { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
                { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
                {
                  type: "document",
                  source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" }
                }
              ]
            }
          ]
        }
      },
      "2 images, 1 file"
    ],
    [
      "google",
      {
        path: "/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent",
        body: {
          contents: [
            {
              role: "user",
              parts: [
                { text: "Look" },
                { inlineData: { mimeType: "image/png", data: pixel } },
                { fileData: { mimeType: "application/pdf", fileUri: "https://example.com/a.pdf" } }
              ]
            }
          ]
        }
      },
      "1 image, 1 file"
    ],
    [
      "bedrock",
      {
        path: "/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse",
        body: {
          messages: [
            {
              role: "user",
              content: [
                { text: "Look" },
                { image: { format: "png", source: { bytes: pixel } } },
                { document: { format: "pdf", name: "a", source: { bytes: "JVBERi0=" } } }
              ]
            }
          ]
        }
      },
      "1 image, 1 file"
    ],
    [
      "cohere",
      {
        path: "/cohere/v2/chat",
        body: { model: "command-a-vision", messages: [{ role: "user", content: [look, image] }] }
      },
      "1 image"
    ],
    [
      "mistral, whose URLs may be bare",
      {
        path: "/mistral/v1/chat/completions",
        body: {
          model: "pixtral",
          messages: [
            {
              role: "user",
              content: [
                look,
                { type: "image_url", image_url: "https://example.com/a.png" },
                { type: "document_url", document_url: "https://example.com/a.pdf" }
              ]
            }
          ]
        }
      },
      "1 image, 1 file"
    ]
  ])("%s: they are counted", async (_, sent: Sent, counted) => {
    const { text, status } = await send(plain(), sent)
    assert.strictEqual(status, 200, text)
    assert.include(text, `You said: Look (${counted})`)
  })

  it.each([
    [
      "openai",
      openAi({ model: "text-only", messages: [{ role: "user", content: [image] }] }),
      400,
      /image_url is only supported by certain models/
    ],
    [
      "deepseek",
      {
        path: "/deepseek/chat/completions",
        body: { model: "deepseek-chat", messages: [{ role: "user", content: [look, image] }] }
      },
      400,
      /unknown variant `image_url`, expected `text`/
    ],
    [
      "openrouter",
      {
        path: "/openrouter/v1/chat/completions",
        body: { model: "a/text-only", messages: [{ role: "user", content: [look, image] }] }
      },
      404,
      /No endpoints found that support image input/
    ],
    [
      "bedrock",
      {
        path: "/aws-bedrock/bedrock-runtime/us-east-1/model/text-only/converse",
        body: {
          messages: [{ role: "user", content: [{ image: { format: "png", source: { bytes: pixel } } }] }]
        }
      },
      400,
      /doesn't support the image field/
    ]
  ])("%s: a model that reads text alone refuses them", async (_, sent: Sent, status, message) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, status)
    assert.match(answer.text, message)
  })

  it("an option names more of them", async () => {
    const gateway = LocalGateway.make({ textOnlyModels: ["gpt-3.5-turbo"] })
    const sent = openAi({ model: "gpt-3.5-turbo", messages: [{ role: "user", content: [image] }] })
    assert.strictEqual((await send(gateway, sent)).status, 400)
  })

  it.each([
    [
      "a bare URL at OpenAI",
      [{ type: "image_url", image_url: "https://example.com/a.png" }],
      /expected an object/
    ],
    [
      "an image of another type",
      [{ type: "image_url", image_url: { url: "data:image/tiff;base64,AAAA" } }],
      /unsupported image/
    ],
    [
      "a file without its media type",
      [{ type: "file", file: { filename: "a", file_data: "JVBERi0=" } }],
      /base64-encoded data URL/
    ],
    ["Anthropic's block at OpenAI", [{ type: "image", source: {} }], /Invalid value: 'image'/]
  ])("%s is refused", async (_, content, message) => {
    const answer = await send(plain(), openAi({ messages: [{ role: "user", content }] }))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.json.error.message, message)
  })
})
