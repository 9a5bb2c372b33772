/** What the library is measured against: the same work by hand, and by other clients. */
import { createOpenAI } from "@ai-sdk/openai"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { generateText, jsonSchema, streamText, type ToolSet } from "ai"
import { createAiGateway } from "ai-gateway-provider"
import { Effect, Stream } from "effect"
import { OpenAI } from "openai"
import { Portkey } from "portkey-ai"

export const body = {
  model: "gpt-4.1-mini",
  messages: [
    { role: "system", content: "You are brief." },
    { role: "user", content: "Name three cheeses." }
  ],
  temperature: 0.8
}

const options = { stream: true, stream_options: { include_usage: true } } as const

const headers = (name: string) => ({
  "content-type": "application/json",
  authorization: "Bearer sk-benchmark",
  "cf-aig-authorization": "Bearer token",
  "x-case": name
})

const post = (url: string, name: string, extra: object = {}) =>
  fetch(url, { method: "POST", headers: headers(name), body: JSON.stringify({ ...body, ...extra }) })

interface Whole {
  readonly choices: ReadonlyArray<{ readonly message: { readonly content: string } }>
}

interface Piece {
  readonly choices: ReadonlyArray<{
    readonly delta: {
      readonly content?: string
      readonly tool_calls?: ReadonlyArray<{ readonly function?: { readonly arguments?: string } }>
    }
  }>
}

/** A tool that a model can call, as JSON Schema. */
const parameters = {
  type: "object" as const,
  properties: { note: { type: "string" as const } },
  required: ["note"],
  additionalProperties: false
}

const tools = [
  {
    type: "function" as const,
    function: { name: "order", description: "Orders what the note says.", parameters }
  }
]

export const bareCall = async (url: string): Promise<string> => {
  const response = await post(url, "whole")
  const json = (await response.json()) as Whole
  return json.choices[0]?.message.content ?? ""
}

const lines = (text: string, onData: (data: string) => void): string => {
  let from = 0
  for (;;) {
    const at = text.indexOf("\n\n", from)
    if (at === -1) return text.slice(from)
    onData(text.slice(from + 6, at))
    from = at + 2
  }
}

/** read, split, parse. */
export const bareStream = async (url: string, name: string): Promise<number> => {
  const response = await post(url, name, { stream: true, stream_options: { include_usage: true } })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let rest = ""
  let count = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return count
    rest = lines(rest + decoder.decode(value, { stream: true }), (data) => {
      if (data === "[DONE]") return
      const json = JSON.parse(data) as Piece
      if (json.choices[0]?.delta.content !== undefined) count++
    })
  }
}

/** More of a call's arguments, if a chunk has any. */
const argumentsIn = (data: string): string => {
  if (data === "[DONE]") return ""
  let more = ""
  for (const call of (JSON.parse(data) as Piece).choices[0]?.delta.tool_calls ?? [])
    more += call.function?.arguments ?? ""
  return more
}

/** read, split, parse, and join the arguments of the call. */
export const bareTools = async (url: string, name: string): Promise<string> => {
  const response = await post(url, name, { ...options, tools })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let rest = ""
  let joined = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined
    rest = lines(rest + decoder.decode(value, { stream: true }), (data) => {
      joined += argumentsIn(data)
    })
  }
}

const request = (url: string, name: string, extra: object = {}) =>
  HttpClientRequest.post(url, { headers: headers(name) }).pipe(
    HttpClientRequest.bodyUnsafeJson({ ...body, ...extra })
  )

export const handCall = (url: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    client.execute(request(url, "whole")).pipe(
      Effect.flatMap((response) => response.json),
      Effect.map((json) => (json as Whole).choices[0]?.message.content ?? "")
    )
  )

export const handStream = (url: string, name: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    Effect.suspend(() => {
      const decoder = new TextDecoder()
      let rest = ""
      let count = 0
      return client.execute(request(url, name, { stream: true })).pipe(
        Effect.flatMap((response) =>
          Stream.runForEachChunk(response.stream, (chunk) =>
            Effect.sync(() => {
              for (const bytes of chunk) {
                rest = lines(rest + decoder.decode(bytes, { stream: true }), (data) => {
                  if (data === "[DONE]") return
                  const json = JSON.parse(data) as Piece
                  if (json.choices[0]?.delta.content !== undefined) count++
                })
              }
            })
          )
        ),
        Effect.map(() => count)
      )
    })
  )

export const handTools = (url: string, name: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    Effect.suspend(() => {
      const decoder = new TextDecoder()
      let rest = ""
      let joined = ""
      return client.execute(request(url, name, { ...options, tools })).pipe(
        Effect.flatMap((response) =>
          Stream.runForEachChunk(response.stream, (chunk) =>
            Effect.sync(() => {
              for (const bytes of chunk) {
                rest = lines(rest + decoder.decode(bytes, { stream: true }), (data) => {
                  joined += argumentsIn(data)
                })
              }
            })
          )
        ),
        Effect.map(() => joined)
      )
    })
  )

// --- other clients, unmodified -------------------------------------------------------------------------------------------

/** A client that the library is compared with: made once, as an application would. */
export interface Client {
  readonly name: string
  readonly call: () => Promise<string>
  readonly stream: () => Promise<number>
  /** A stream of one tool call: its arguments. */
  readonly tools: () => Promise<string>
}

const { model, messages, temperature } = body as {
  readonly model: string
  readonly messages: Array<{ readonly role: "system" | "user"; readonly content: string }>
  readonly temperature: number
}

const openai = (url: string, name: string): Client => {
  const client = new OpenAI({
    baseURL: url.replace(/\/chat\/completions$/, ""),
    apiKey: "sk-benchmark",
    maxRetries: 0,
    defaultHeaders: { "cf-aig-authorization": "Bearer token", "x-case": name }
  })
  return {
    name: "openai",
    call: async () => {
      const answer = await client.chat.completions.create({ model, messages, temperature })
      return answer.choices[0]?.message.content ?? ""
    },
    stream: async () => {
      let count = 0
      for await (const chunk of await client.chat.completions.create({
        model,
        messages,
        temperature,
        ...options
      }))
        if (chunk.choices[0]?.delta.content !== undefined) count++
      return count
    },
    tools: async () => {
      let joined = ""
      for await (const chunk of await client.chat.completions.create({
        model,
        messages,
        temperature,
        tools,
        ...options
      }))
        for (const call of chunk.choices[0]?.delta.tool_calls ?? []) joined += call.function?.arguments ?? ""
      return joined
    }
  }
}

/** It drops the headers of a request, so that the case is in its base URL; the path that it appends becomes a parameter. */
const portkey = (url: string, name: string): Client => {
  const client = new Portkey({
    baseURL: `${url}?case=${name}&path=`,
    apiKey: "pk-benchmark",
    provider: "openai",
    Authorization: "Bearer sk-benchmark"
  })
  return {
    name: "portkey-ai",
    call: async () => {
      const answer = await client.chat.completions.create({ model, messages, temperature })
      return String(answer.choices[0]?.message?.content ?? "")
    },
    stream: async () => {
      let count = 0
      for await (const chunk of await client.chat.completions.create({
        model,
        messages,
        temperature,
        ...options
      }))
        if (chunk.choices[0]?.delta?.content !== undefined) count++
      return count
    },
    tools: async () => {
      let joined = ""
      for await (const chunk of await client.chat.completions.create({
        model,
        messages,
        temperature,
        tools,
        ...options
      }))
        for (const call of chunk.choices[0]?.delta?.tool_calls ?? [])
          if ("function" in call) joined += String(call.function?.arguments ?? "")
      return joined
    }
  }
}

/**
 * Its host is written into it, so it is given a binding that posts to the server. It puts a `fetch` of the one call into the model
 * that it was given, so that calls at once need a model each; making one is part of what a call costs.
 */
const aiSdk = (url: string, name: string): Client => {
  const universal = url.replace(/\/openai\/chat\/completions$/, "")
  const gateway = createAiGateway({
    binding: {
      run: (steps, init) =>
        fetch(universal, {
          method: "POST",
          headers: headers(name),
          body: JSON.stringify(steps),
          ...(init?.signal === undefined ? {} : { signal: init.signal })
        })
    }
  })
  const provider = createOpenAI({ apiKey: "sk-benchmark" })
  const question = () => ({
    model: gateway(provider.chat(model)),
    system: messages[0]?.content ?? "",
    prompt: messages[1]?.content ?? "",
    temperature,
    maxRetries: 0
  })
  return {
    name: "ai + ai-gateway-provider",
    call: async () => (await generateText(question())).text,
    stream: async () => {
      let count = 0
      for await (const part of streamText({ ...question(), onError: () => undefined }).fullStream) {
        if (part.type === "error") throw part.error
        if (part.type === "text-delta") count++
      }
      return count
    },
    tools: async () => {
      let joined = ""
      const order = { description: "Orders what the note says.", inputSchema: jsonSchema(parameters) }
      const asked = { ...question(), tools: { order } satisfies ToolSet, onError: () => undefined }
      for await (const part of streamText(asked).fullStream) {
        if (part.type === "error") throw part.error
        if (part.type === "tool-input-delta") joined += part.delta
      }
      return joined
    }
  }
}

/** All of them, for the case `name`, after one go at it: that each gets all of the answer. */
export const others = async (url: string, name: string): Promise<ReadonlyArray<Client>> => {
  const clients = [openai(url, name), portkey(url, name), aiSdk(url, name)]
  const [kind, count] = name.split("-")
  const expected =
    kind === "tools" ? await bareTools(url, name) : count === undefined ? await bareCall(url) : Number(count)
  for (const client of clients) {
    const got = await (kind === "tools"
      ? client.tools()
      : count === undefined
        ? client.call()
        : client.stream())
    if (got !== expected) throw new Error(`${client.name} got ${got}`)
  }
  return clients
}
