import { env } from "cloudflare:workers"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import * as AiGateway from "effect-ai-gateway/AiGateway"
import * as Anthropic from "effect-ai-gateway/Anthropic"
import * as ChatModel from "effect-ai-gateway/ChatModel"
import * as OpenAi from "effect-ai-gateway/OpenAi"

const Model = ChatModel.layer(
  ChatModel.firstSuccessOf([OpenAi.model("gpt-5-mini"), Anthropic.model("claude-haiku-4-5")])
)

const runtime = ManagedRuntime.make(
  Model.pipe(
    Layer.provide([OpenAi.layer(), Anthropic.layer()]),
    Layer.provide(AiGateway.layerBinding(env.AI.gateway("local-gateway")))
  )
)

export default {
  async fetch() {
    const words = ChatModel.streamComplete("Name three cheeses.").pipe(Stream.encodeText)
    const body = await runtime.runPromise(Stream.toReadableStreamEffect(words))
    return new Response(body, { headers: { "content-type": "text/plain;charset=utf-8" } })
  }
}
