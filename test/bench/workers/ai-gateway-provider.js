// After "Cloudflare AI Binding Example" and "Unified Billing" in the package's README.
import { streamText } from "ai"
import { createAiGateway } from "ai-gateway-provider"
import { createAnthropic } from "ai-gateway-provider/providers/anthropic"
import { createOpenAI } from "ai-gateway-provider/providers/openai"

export default {
  async fetch(_request, env) {
    const aigateway = createAiGateway({ binding: env.AI.gateway("local-gateway") })
    const openai = createOpenAI()
    const anthropic = createAnthropic()
    const result = streamText({
      model: aigateway([openai.chat("gpt-5-mini"), anthropic("claude-haiku-4-5")]),
      prompt: "Name three cheeses."
    })
    return result.toTextStreamResponse()
  }
}
