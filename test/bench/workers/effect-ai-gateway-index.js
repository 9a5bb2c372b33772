import { env } from "cloudflare:workers"
import { Layer, ManagedRuntime, Stream } from "effect"
import { AiGateway, Anthropic, ChatModel, OpenAi } from "effect-ai-gateway"

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
