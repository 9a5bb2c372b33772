import { assert, describe, it } from "@effect/vitest"
import { pixel, plain, type Received, type Sent, send, weather } from "./localGatewayClient.js"

// What a vendor refuses, the gateway's built-in model refuses too: so a client's mistakes show without the vendor.

type Json = Received["json"]

const question = { role: "user", content: "Hello" }

const chat =
  (path: string, model: string) =>
  (extra: object): Sent => ({ path, body: { model, messages: [question], ...extra } })
const openAi = chat("/openai/chat/completions", "gpt-4.1-mini")
const mistral = chat("/mistral/v1/chat/completions", "mistral-small")
const responses = (extra: object): Sent => ({
  path: "/openai/responses",
  body: { model: "gpt-4.1-mini", input: "Hello", ...extra }
})
const anthropic = (extra: object): Sent => ({
  path: "/anthropic/v1/messages",
  headers: { "anthropic-version": "2023-06-01" },
  body: { model: "claude-haiku-4-5", max_tokens: 64, messages: [question], ...extra }
})
const google = (extra: object): Sent => ({
  path: "/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent",
  body: { contents: [{ role: "user", parts: [{ text: "Hello" }] }], ...extra }
})
const bedrock = (extra: object): Sent => ({
  path: "/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse",
  body: { messages: [{ role: "user", content: [{ text: "Hello" }] }], ...extra }
})
const cohere = chat("/cohere/v2/chat", "command-a-03-2025")
const workersAi = (extra: object): Sent => ({
  path: "/workers-ai/@cf/meta/llama-3.1-8b-instruct",
  body: { messages: [question], ...extra }
})

const fn = (extra: object = {}) => ({ type: "function", function: { ...weather, ...extra } })
const open = { ...weather.parameters, additionalProperties: true }
const schema = (extra: object = {}) => ({
  response_format: { type: "json_schema", json_schema: { name: "w", schema: weather.parameters, ...extra } }
})
const json = { type: "json_object" }

describe("LocalGateway: what OpenAI's chat refuses", () => {
  it.each([
    ["a field that it does not know", { max_output_tokens: 5 }, /Unknown parameter: 'max_output_tokens'/],
    ["top_k, which is not its own", { top_k: 5 }, /Unknown parameter: 'top_k'/],
    [
      "a role that it does not know",
      { messages: [{ role: "model", content: "x" }] },
      /Invalid value: 'model'/
    ],
    ["a message without content", { messages: [{ role: "user" }] }, /expected a string, got null/],
    ["too high a temperature", { temperature: 2.5 }, /<= 2/],
    ["no tokens", { max_completion_tokens: 0 }, />= 1/],
    ["a choice of tools without tools", { tool_choice: "auto" }, /only allowed when 'tools' are specified/],
    ["parallel calls without tools", { parallel_tool_calls: false }, /only allowed when 'tools'/],
    ["an empty list of tools", { tools: [] }, /empty array/],
    [
      "a flat tool",
      { tools: [{ type: "function", ...weather }] },
      /Missing required parameter: 'tools\[0\].function'/
    ],
    ["a tool's name with a space", { tools: [fn({ name: "the weather" })] }, /does not match pattern/],
    [
      "a choice of a tool that is not there",
      { tools: [fn()], tool_choice: { type: "function", function: { name: "x" } } },
      /Tool choice 'x' not found/
    ],
    ["Mistral's word for a required tool", { tools: [fn()], tool_choice: "any" }, /Invalid value: 'any'/],
    [
      "Anthropic's form of the choice",
      { tools: [fn()], tool_choice: { type: "tool", name: "weather" } },
      /Missing required parameter: 'tool_choice.function'/
    ],
    [
      "a schema that is no object's",
      { tools: [fn({ parameters: { type: "string" } })] },
      /got 'type: "string"'/
    ],
    [
      "a strict tool with other properties",
      { tools: [fn({ parameters: open, strict: true })] },
      /'additionalProperties' is required to be supplied and to be false/
    ],
    [
      "a strict tool with an optional property",
      { tools: [fn({ parameters: { ...weather.parameters, required: ["city"] }, strict: true })] },
      /Missing 'days'/
    ],
    ["a form of the answer without a name", schema({ name: undefined }), /json_schema.name/],
    [
      "a strict form that is open",
      schema({ schema: open, strict: true }),
      /Invalid schema for response_format 'w'/
    ],
    [
      "a nested strict schema that is open",
      schema({
        schema: {
          ...weather.parameters,
          properties: { city: { type: "object", properties: {} } },
          required: ["city"]
        },
        strict: true
      }),
      /context=\('properties', 'city'\)/
    ],
    ["JSON without the word", { response_format: json }, /must contain the word 'json'/],
    [
      "usage of what is not streamed",
      { stream_options: { include_usage: true } },
      /only allowed when 'stream' is enabled/
    ],
    [
      "arguments that are no text",
      {
        messages: [
          question,
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: {} } }]
          }
        ]
      },
      /expected a string, but got an object/
    ],
    ["a result without an id", { messages: [question, { role: "tool", content: "x" }] }, /tool_call_id/],
    [
      "an effort of a model that does not reason",
      { reasoning_effort: "low" },
      /'reasoning_effort' is not supported/
    ],
    [
      "an effort that it does not know",
      { model: "gpt-5-mini", reasoning_effort: "max" },
      /Invalid value: 'max'/
    ],
    [
      "a temperature of a model that reasons",
      { model: "gpt-5-mini", temperature: 0.2 },
      /Only the default \(1\) value/
    ]
  ])("%s", async (_, extra, message) => {
    const answer = await send(plain(), openAi(extra))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.json.error.message, message)
  })

  it("and what it takes", async () => {
    for (const extra of [
      schema({ strict: true }),
      { tools: [fn({ strict: true })], tool_choice: "required", parallel_tool_calls: false },
      { messages: [{ role: "system", content: "Say JSON" }, question], response_format: json },
      { tools: [fn({ parameters: open })] },
      { stream: true, stream_options: { include_usage: true } }
    ]) {
      const answer = await send(plain(), openAi(extra))
      assert.strictEqual(answer.status, 200, answer.text)
    }
  })
})

describe("LocalGateway: what those who copied OpenAI refuse", () => {
  it.each([
    ["Mistral: OpenAI's seed", mistral({ seed: 1 }), 422, /extra_forbidden.*"seed"/],
    [
      "Mistral: OpenAI's limit of tokens",
      mistral({ max_completion_tokens: 5 }),
      422,
      /max_completion_tokens/
    ],
    [
      "Mistral: an id that is not nine letters",
      mistral({
        messages: [
          question,
          {
            role: "assistant",
            content: "",
            tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }]
          },
          { role: "tool", tool_call_id: "call_1", content: "x" }
        ]
      }),
      422,
      /length of 9/
    ],
    [
      "Mistral: OpenAI's file",
      mistral({
        messages: [
          {
            role: "user",
            content: [
              { type: "file", file: { filename: "a", file_data: "data:application/pdf;base64,AA==" } }
            ]
          }
        ]
      }),
      422,
      /Invalid value: 'file'/
    ],
    [
      "DeepSeek: a JSON Schema",
      chat("/deepseek/chat/completions", "deepseek-chat")(schema()),
      400,
      /response_format type is unavailable/
    ],
    [
      "Perplexity: tools",
      chat("/perplexity-ai/chat/completions", "sonar")({ tools: [fn()] }),
      400,
      /not supported/
    ],
    [
      "Perplexity: two users in a row",
      chat("/perplexity-ai/chat/completions", "sonar")({ messages: [question, question] }),
      400,
      /should alternate/
    ],
    [
      "Groq: a field that it does not know",
      chat("/groq/chat/completions", "llama")({ random_seed: 1 }),
      400,
      /property 'random_seed' is unsupported/
    ],
    [
      "Workers AI: content that is null",
      chat(
        "/workers-ai/v1/chat/completions",
        "@cf/meta/llama"
      )({
        messages: [
          question,
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }]
          },
          { role: "tool", tool_call_id: "a", content: "x" }
        ]
      }),
      400,
      /got null/
    ],
    [
      "Workers AI: any tool",
      chat("/workers-ai/v1/chat/completions", "@cf/meta/llama")({ tools: [fn()], tool_choice: "any" }),
      400,
      /Invalid value: 'any'/
    ]
  ])("%s", async (_, sent: Sent, status, message) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, status)
    assert.match(answer.text, message)
  })

  it("Perplexity takes a JSON Schema without a name, Mistral its own words", async () => {
    const perplexity = chat("/perplexity-ai/chat/completions", "sonar")(schema({ name: undefined }))
    assert.strictEqual((await send(plain(), perplexity)).status, 200)
    const any = mistral({ tools: [fn()], tool_choice: "any", random_seed: 1, max_tokens: 5 })
    const call = (await send(plain(), any)).json.choices[0].message.tool_calls[0]
    assert.match(call.id, /^[a-zA-Z0-9]{9}$/)
  })
})

describe("LocalGateway: what OpenAI's Responses refuse", () => {
  it.each([
    ["messages", { messages: [question] }, /Unknown parameter: 'messages'/],
    ["a nested tool", { tools: [fn()] }, /tools\[0\].name/],
    [
      "a nested choice",
      {
        tools: [{ type: "function", ...weather }],
        tool_choice: { type: "function", function: { name: "weather" } }
      },
      /tool_choice.name/
    ],
    [
      "chat's form of a schema",
      { text: { format: { type: "json_schema", json_schema: { name: "w", schema: weather.parameters } } } },
      /text.format.json_schema/
    ],
    [
      "chat's text parts",
      { input: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
      /Invalid value: 'text'/
    ],
    [
      "an image URL that is an object",
      {
        input: [{ role: "user", content: [{ type: "input_image", image_url: { url: "https://a.b/c.png" } }] }]
      },
      /expected an image URL, but got an object/
    ],
    ["chat's limit of tokens", { max_completion_tokens: 50 }, /Unknown parameter/],
    ["too few tokens", { max_output_tokens: 5 }, />= 16/],
    ["chat's effort", { reasoning_effort: "low" }, /Unknown parameter/],
    [
      "reasoning without its summary",
      { input: [{ type: "reasoning", id: "rs_1" }, question] },
      /input\[0\].summary/
    ],
    ["stop sequences", { stop: ["x"] }, /Unknown parameter: 'stop'/]
  ])("%s", async (_, extra, message) => {
    const answer = await send(plain(), responses(extra))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.json.error.message, message)
  })
})

const tool = { name: "weather", input_schema: weather.parameters }
const block = (content: unknown) => ({ messages: [{ role: "user", content: [content] }] })

describe("LocalGateway: what Anthropic refuses", () => {
  it.each([
    ["a field that it does not know", { seed: 1 }, /seed: Extra inputs are not permitted/],
    [
      "OpenAI's image",
      block({ type: "image_url", image_url: { url: "https://a.b" } }),
      /Input tag 'image_url'/
    ],
    [
      "an image without its media type",
      block({ type: "image", source: { type: "base64", data: pixel } }),
      /media_type/
    ],
    ["an empty text", block({ type: "text", text: "" }), /must be non-empty/],
    ["OpenAI's tools", { tools: [fn()] }, /tools.0.name: Field required/],
    ["two tools of one name", { tools: [tool, tool] }, /Tool names must be unique/],
    ["a choice without tools", { tool_choice: { type: "any" } }, /only be specified while providing tools/],
    [
      "OpenAI's word for a choice",
      { tools: [tool], tool_choice: { type: "required" } },
      /Input tag 'required'/
    ],
    [
      "a choice of a tool that is not there",
      { tools: [tool], tool_choice: { type: "tool", name: "x" } },
      /Tool 'x' not found/
    ],
    [
      "thoughts with a forced tool",
      {
        tools: [tool],
        tool_choice: { type: "any" },
        max_tokens: 4096,
        thinking: { type: "enabled", budget_tokens: 1024 }
      },
      /Thinking may not be enabled/
    ],
    [
      "too small a budget",
      { max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 100 } },
      /greater than or equal to 1024/
    ],
    [
      "a budget over the limit",
      { max_tokens: 1024, thinking: { type: "enabled", budget_tokens: 1024 } },
      /must be greater than `thinking.budget_tokens`/
    ],
    [
      "a named schema",
      { output_config: { format: { type: "json_schema", name: "w", schema: weather.parameters } } },
      /name: Extra inputs/
    ],
    [
      "an open schema",
      { output_config: { format: { type: "json_schema", schema: open } } },
      /'additionalProperties'/
    ],
    ["too high a temperature", { temperature: 1.5 }, /range: 0..1/],
    [
      "input that is text",
      {
        messages: [
          question,
          { role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: "{}" }] }
        ]
      },
      /valid dictionary/
    ],
    [
      "thoughts without a signature",
      { messages: [question, { role: "assistant", content: [{ type: "thinking", thinking: "x" }] }] },
      /signature: Field required/
    ],
    [
      "results after text",
      {
        tools: [tool],
        messages: [
          question,
          { role: "assistant", content: [{ type: "tool_use", id: "a", name: "weather", input: {} }] },
          {
            role: "user",
            content: [
              { type: "text", text: "Here" },
              { type: "tool_result", tool_use_id: "a", content: "x" }
            ]
          }
        ]
      },
      /must come before any other content/
    ]
  ])("%s", async (_, extra, message) => {
    const answer = await send(plain(), anthropic(extra))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.json.error.message, message)
  })
})

const declared = (extra: object = {}) => ({
  tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: weather.parameters, ...extra }] }]
})
const calling = (config: object) => ({ toolConfig: { functionCallingConfig: config } })
const part = (value: object) => ({ contents: [{ role: "user", parts: [value] }] })

describe("LocalGateway: what Google refuses", () => {
  it.each([
    [
      "a field in its configuration that it does not know",
      { generationConfig: { maxTokens: 5 } },
      /Unknown name "maxTokens" at 'generation_config'/
    ],
    [
      "JSON Schema where it wants its own",
      declared({ parametersJsonSchema: undefined, parameters: weather.parameters }),
      /Unknown name "additionalProperties"/
    ],
    ["both of them", declared({ parameters: { type: "OBJECT" } }), /only one of parameters/],
    ["a function's name that begins with a digit", declared({ name: "1st" }), /Invalid function name/],
    [
      "a mode that it does not know",
      { ...declared(), ...calling({ mode: "REQUIRED" }) },
      /functionCallingConfig|function_calling_config/
    ],
    ["a forced function without declarations", calling({ mode: "ANY" }), /without function_declarations/],
    [
      "allowed functions that nobody forces",
      { ...declared(), ...calling({ mode: "AUTO", allowedFunctionNames: ["weather"] }) },
      /only when function calling mode is ANY/
    ],
    [
      "a schema without the media type",
      { generationConfig: { responseJsonSchema: weather.parameters } },
      /response mime type must be application\/json/
    ],
    ["a part with nothing in it", part({}), /must have one initialized field/],
    [
      "a part with two things in it",
      part({ text: "x", inlineData: { mimeType: "image/png", data: pixel } }),
      /already set/
    ],
    ["an image without its media type", part({ inlineData: { data: pixel } }), /mime_type is required/],
    [
      "a data URL for data",
      part({ inlineData: { mimeType: "image/png", data: `data:image/png;base64,${pixel}` } }),
      /Base64 decoding failed/
    ],
    [
      "a response that is text",
      part({ functionResponse: { name: "f", response: "x" } }),
      /google.protobuf.Struct/
    ],
    [
      "a budget and a level",
      { generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: "low" } } },
      /only one of thinking budget and thinking level/
    ]
  ])("%s", async (_, extra, message) => {
    const answer = await send(plain(), google(extra))
    assert.strictEqual(answer.status, 400)
    assert.strictEqual(answer.json.error.status, "INVALID_ARGUMENT")
    assert.match(answer.json.error.message, message)
  })

  it("it takes both spellings of a name", async () => {
    const answer = await send(
      plain(),
      google({
        system_instruction: { parts: [{ text: "Be kind" }] },
        generation_config: {
          max_output_tokens: 50,
          response_mime_type: "application/json",
          response_json_schema: weather.parameters
        }
      })
    )
    assert.strictEqual(answer.status, 200, answer.text)
    assert.include(answer.text, "days")
  })
})

const said = (role: string, ...content: ReadonlyArray<object>) => ({ role, content })
const toolConfig = (extra: object = {}) => ({
  toolConfig: {
    tools: [{ toolSpec: { name: "weather", inputSchema: { json: weather.parameters } } }],
    ...extra
  }
})

describe("LocalGateway: what Bedrock refuses", () => {
  it.each([
    [
      "two users in a row",
      { messages: [said("user", { text: "a" }), said("user", { text: "b" })] },
      /must alternate/
    ],
    [
      "an assistant first",
      { messages: [said("assistant", { text: "a" })] },
      /must start with a user message/
    ],
    [
      "content that is text",
      { messages: [{ role: "user", content: "Hello" }] },
      /content field in the Message object at messages.0 is empty/
    ],
    ["a blank text", { messages: [said("user", { text: " " })] }, /is blank/],
    ["a block of two members", { messages: [said("user", { text: "a", image: {} })] }, /exactly one of/],
    [
      "a media type for a format",
      { messages: [said("user", { image: { format: "image/png", source: { bytes: pixel } } })] },
      /Value 'image\/png'/
    ],
    [
      "a document's name with a dot",
      { messages: [said("user", { document: { format: "pdf", name: "a.pdf", source: { bytes: "AA==" } } })] },
      /file name can only contain/
    ],
    ["no choice of tools", toolConfig({ toolChoice: { none: {} } }), /exactly one of auto, any, tool/],
    [
      "history with calls and no tools",
      {
        messages: [
          said("user", { text: "a" }),
          said("assistant", { toolUse: { toolUseId: "a", name: "weather", input: {} } }),
          said("user", { toolResult: { toolUseId: "a", content: [{ text: "x" }] } })
        ]
      },
      /toolConfig field must be defined/
    ],
    [
      "input that is text",
      {
        ...toolConfig(),
        messages: [
          said("user", { text: "a" }),
          said("assistant", { toolUse: { toolUseId: "a", name: "weather", input: "{}" } })
        ]
      },
      /Provide a json object/
    ],
    [
      "a status that it does not know",
      {
        ...toolConfig(),
        messages: [said("user", { toolResult: { toolUseId: "a", content: [], status: "failed" } })]
      },
      /Value 'failed'/
    ],
    [
      "a schema that is no text",
      {
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: "w", schema: weather.parameters } }
          }
        }
      },
      /as a string/
    ],
    ["OpenAI's names for limits", { inferenceConfig: { max_tokens: 5 } }, /inferenceConfig.max_tokens/],
    ["too high a temperature", { inferenceConfig: { temperature: 1.5 } }, /less than or equal to 1/]
  ])("%s", async (_, extra, message) => {
    const answer = await send(plain(), bedrock(extra))
    assert.strictEqual(answer.status, 400)
    assert.match(answer.headers.get("x-amzn-errortype") ?? "", /^ValidationException:http/)
    assert.match(answer.json.message, message)
  })
})

describe("LocalGateway: what Cohere and Workers AI refuse", () => {
  it.each([
    ["Cohere: OpenAI's top_p", cohere({ top_p: 0.5 }), /parameter 'top_p' is not a valid field/],
    [
      "Cohere: a named tool",
      cohere({ tools: [fn()], tool_choice: { type: "function", function: { name: "weather" } } }),
      /'REQUIRED', 'NONE'/
    ],
    ["Cohere: lower case", cohere({ tools: [fn()], tool_choice: "required" }), /'REQUIRED', 'NONE'/],
    ["Cohere: OpenAI's form of a schema", cohere(schema()), /'text', 'json_object'/],
    [
      "Cohere: JSON with tools",
      cohere({ tools: [fn()], response_format: { type: "json_object", json_schema: weather.parameters } }),
      /not supported with tools/
    ],
    ["Cohere: an empty message", cohere({ messages: [{ role: "user", content: "" }] }), /non-empty content/],
    [
      "Workers AI: a stream of JSON",
      workersAi({ stream: true, response_format: { type: "json_schema", json_schema: weather.parameters } }),
      /does not support streaming/
    ],
    [
      "Workers AI: OpenAI's envelope of a schema",
      workersAi({
        response_format: { type: "json_schema", json_schema: { name: "w", schema: weather.parameters } }
      }),
      /JSON Mode couldn't be met/
    ],
    [
      "Workers AI: an image by URL",
      workersAi({
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: "https://a.b/c.png" } }] }
        ]
      }),
      /data URL/
    ]
  ])("%s", async (_, sent: Sent, message) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, 400)
    assert.match(answer.text, message)
  })
})

describe("LocalGateway: forms of answers", () => {
  it.each([
    ["OpenAI", openAi(schema({ strict: true })), (body: Json) => body.choices[0].message.content],
    [
      "Responses",
      responses({
        text: { format: { type: "json_schema", name: "w", schema: weather.parameters, strict: true } }
      }),
      (body: Json) => body.output[0].content[0].text
    ],
    [
      "Anthropic",
      anthropic({ output_config: { format: { type: "json_schema", schema: weather.parameters } } }),
      (body: Json) => body.content[0].text
    ],
    [
      "Google",
      google({
        generationConfig: { responseMimeType: "application/json", responseJsonSchema: weather.parameters }
      }),
      (body: Json) => body.candidates[0].content.parts[0].text
    ],
    [
      "Bedrock",
      bedrock({
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: "w", schema: JSON.stringify(weather.parameters) } }
          }
        }
      }),
      (body: Json) => body.output.message.content[0].text
    ],
    [
      "Cohere",
      cohere({ response_format: { type: "json_object", json_schema: weather.parameters } }),
      (body: Json) => body.message.content[0].text
    ],
    [
      "Hugging Face, whose schema is a value",
      chat(
        "/huggingface/org/model/v1/chat/completions",
        "org/model"
      )({ response_format: { ...json, value: weather.parameters } }),
      (body: Json) => body.choices[0].message.content
    ],
    [
      "Workers AI, as an object",
      workersAi({ response_format: { type: "json_schema", json_schema: weather.parameters } }),
      (body: Json) => JSON.stringify(body.result.response)
    ],
    [
      "Workers AI's chat, as an object",
      chat("/workers-ai/v1/chat/completions", "@cf/meta/llama")(schema()),
      (body: Json) => JSON.stringify(body.choices[0].message.content)
    ]
  ])("%s", async (_, sent: Sent, text) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, 200, answer.text)
    assert.deepStrictEqual(JSON.parse(text(answer.json)), { city: "You said: Hello", days: 2 })
  })
})

describe("LocalGateway: JSON without a schema", () => {
  const deepseek = (content: string) =>
    chat(
      "/deepseek/chat/completions",
      "deepseek-chat"
    )({
      messages: [{ role: "system", content }, question],
      response_format: json
    })

  it("a schema that the prompt quotes is kept", async () => {
    const prompt = `Answer in JSON {like this} of the schema\n${JSON.stringify(weather.parameters)}\nand no more}`
    const { json: body } = await send(plain(), deepseek(prompt))
    assert.deepStrictEqual(JSON.parse(body.choices[0].message.content), { city: "You said: Hello", days: 2 })
  })

  it("without one it is an empty object", async () => {
    for (const prompt of ["JSON please", 'JSON like {"type":"object"}', 'JSON { "a": "{', "JSON }{"]) {
      const { json: body } = await send(plain(), deepseek(prompt))
      assert.strictEqual(body.choices[0].message.content, "{}")
    }
  })
})

describe("LocalGateway: thoughts", () => {
  it.each([
    [
      "Groq",
      chat("/groq/chat/completions", "gpt-oss")({ reasoning_effort: "low" }),
      (body: Json) => body.choices[0].message.reasoning
    ],
    [
      "DeepSeek",
      chat("/deepseek/chat/completions", "deepseek-chat")({ thinking: { type: "enabled" } }),
      (body: Json) => body.choices[0].message.reasoning_content
    ],
    [
      "OpenRouter",
      chat("/openrouter/v1/chat/completions", "a/b")({ reasoning: { effort: "low" } }),
      (body: Json) => body.choices[0].message.reasoning_details[0].text
    ],
    [
      "Responses, as a summary",
      responses({ model: "gpt-5-mini", reasoning: { effort: "low", summary: "auto" } }),
      (body: Json) => body.output[0].summary[0].text
    ],
    [
      "Anthropic",
      anthropic({ max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 1024 } }),
      (body: Json) => body.content[0].thinking
    ],
    [
      "Google",
      google({ generationConfig: { thinkingConfig: { includeThoughts: true } } }),
      (body: Json) => body.candidates[0].content.parts[0].text
    ],
    [
      "Bedrock",
      bedrock({ additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } } }),
      (body: Json) => body.output.message.content[0].reasoningContent.reasoningText.text
    ],
    ["Cohere", cohere({ thinking: { type: "enabled" } }), (body: Json) => body.message.content[0].thinking]
  ])("%s shows them when asked to", async (_, sent: Sent, thought) => {
    const answer = await send(plain(), sent)
    assert.strictEqual(answer.status, 200, answer.text)
    assert.strictEqual(thought(answer.json), "Thinking about: Hello")
  })

  it("OpenAI's chat shows none, but counts them", async () => {
    const { json } = await send(plain(), openAi({ model: "gpt-5-mini", reasoning_effort: "low" }))
    assert.strictEqual(json.choices[0].message.content, "You said: Hello")
    assert.notProperty(json.choices[0].message, "reasoning")
    assert.strictEqual(json.usage.completion_tokens_details.reasoning_tokens, 3)
  })
})
