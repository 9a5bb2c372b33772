/**
 * A Worker that streams a chat to the browser, with fallback: `GET /` is the page, `POST /chat` answers as server-sent
 * events. Deploy it with `npx wrangler deploy`, or try it here, with no account: `npx tsx examples/worker/serve.ts`.
 *
 * Modules are imported by their own paths, because a bundler cannot leave anything out of a namespace that comes from a
 * package's index: this Worker is smaller by more than a quarter.
 */
import { env } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AiGateway from "effect-ai-gateway/AiGateway"
import * as Anthropic from "effect-ai-gateway/Anthropic"
import type * as ChatEvent from "effect-ai-gateway/ChatEvent"
import * as ChatModel from "effect-ai-gateway/ChatModel"
import * as OpenAi from "effect-ai-gateway/OpenAi"
import page from "./page.html"

declare global {
  namespace Cloudflare {
    /** What `wrangler types` writes for `wrangler.jsonc`. */
    interface Env {
      readonly AI: Ai
      readonly GATEWAY_ID: string
    }
  }
}

const Model = ChatModel.layer(
  ChatModel.firstSuccessOf([
    OpenAi.model("gpt-5-mini"),
    Anthropic.model("claude-haiku-4-5", { maxTokens: 1024 })
  ])
)

// No token and no keys: the binding has its account's authority, and the gateway has the providers' keys.
const Gateway = AiGateway.layerBinding(env.AI.gateway(env.GATEWAY_ID), {
  defaults: { metadata: { app: "worker-example" } }
})

/**
 * One for each isolate, at the top of the module, and built when the first request needs it. Provided to each request
 * instead, the layers would be built again for each. Sharing is safe: what they build is plain data, and each call opens
 * what it needs itself, because a Worker may not use the connection of one request in another.
 */
const runtime = ManagedRuntime.make(
  Model.pipe(Layer.provide([OpenAi.layer(), Anthropic.layer()]), Layer.provide(Gateway))
)

const sse = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

const toSse = (event: ChatEvent.ChatEvent): string => {
  switch (event._tag) {
    case "Start":
      return sse("start", {
        provider: event.provider,
        model: event.model,
        left: event.attempts.map(({ provider, error }) => `${provider}: ${error.message}`)
      })
    case "TextDelta":
      return sse("text", event.text)
    case "Finish":
      return sse("finish", { reason: event.finishReason, tokens: event.usage.total })
    default:
      return ""
  }
}

const Question = Schema.parseJson(Schema.Struct({ prompt: Schema.NonEmptyString }))

const chat = (request: Request) =>
  Effect.gen(function* () {
    const { prompt } = yield* Schema.decode(Question)(yield* Effect.promise(() => request.text()))
    const events = ChatModel.streamChat(prompt).pipe(
      Stream.map(toSse),
      // The status has gone out already: an error is the last event. By its tag a page can tell what to do.
      Stream.catchAll((error) =>
        Stream.succeed(sse("failure", { error: error._tag, message: error.message }))
      ),
      Stream.filter((text) => text !== ""),
      Stream.encodeText
    )
    // A browser that leaves cancels this body, which interrupts the stream, and so closes the call to the gateway. On a bare
    // socket workerd learns that it left from a reset, or when there is something to write.
    const body = yield* Stream.toReadableStreamEffect(events)
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" }
    })
  }).pipe(
    Effect.catchTag("ParseError", () =>
      Effect.succeed(new Response('Send { "prompt": "…" }.\n', { status: 400 }))
    )
  )

export default {
  fetch(request) {
    const { pathname } = new URL(request.url)
    if (request.method === "POST" && pathname === "/chat") return runtime.runPromise(chat(request))
    return request.method === "GET" && pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html;charset=utf-8" } })
      : new Response("Not found.\n", { status: 404 })
  }
} satisfies ExportedHandler<Cloudflare.Env>
