// After "Third-party models via AI Gateway" and "Fallback" in the package's README.
import { streamText } from "ai"
import { createWorkersAI } from "workers-ai-provider"
import { anthropic } from "workers-ai-provider/anthropic"
import { openai } from "workers-ai-provider/openai"

export default {
  async fetch(_request, env) {
    const workersai = createWorkersAI({
      binding: env.AI,
      providers: [openai, anthropic],
      gateway: { id: "local-gateway" }
    })
    const result = streamText({
      model: workersai("openai/gpt-5-mini", {
        fallback: { mode: "client", models: ["anthropic/claude-haiku-4-5"] }
      }),
      prompt: "Name three cheeses."
    })
    return result.toTextStreamResponse()
  }
}
