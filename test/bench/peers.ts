/** What the library is measured against: the same work, by hand. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect, Stream } from "effect"

export const body = {
  model: "gpt-4.1-mini",
  messages: [
    { role: "system", content: "You are brief." },
    { role: "user", content: "Name three cheeses." }
  ],
  temperature: 0.8
}

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
  readonly choices: ReadonlyArray<{ readonly delta: { readonly content?: string } }>
}

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
