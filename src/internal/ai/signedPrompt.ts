/** What a model answered as a prompt for the next turn, with nothing of ours lost. */
import * as Prompt from "@effect/ai/Prompt"
import type * as Response from "@effect/ai/Response"

/**
 * What a model answered, whole or streamed, as a prompt to go on with: `Prompt.fromResponseParts`, which leaves all metadata out,
 * with what a provider wants back of it. That is the signature of its reasoning (for other providers it is left out), and its own
 * id of a call.
 *
 * @example
 * ```ts
 * import * as LanguageModel from "@effect/ai/LanguageModel"
 * import * as Prompt from "@effect/ai/Prompt"
 * import * as GatewayLanguageModel from "effect-ai-gateway/GatewayLanguageModel"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const question = Prompt.make("Is 1009 prime?")
 *   const { content } = yield* LanguageModel.generateText({ prompt: question })
 *   const prompt = question.pipe(
 *     Prompt.merge(GatewayLanguageModel.fromResponseParts(content)),
 *     Prompt.merge("And 1011?")
 *   )
 *   return yield* LanguageModel.generateText({ prompt })
 * })
 * ```
 *
 * @since 0.1.0
 * @category prompts
 */
export const fromResponseParts = (parts: ReadonlyArray<Response.AnyPart>): Prompt.Prompt => {
  const prompt = Prompt.fromResponseParts(parts)
  // Each of these became one part of the assistant's message, in their order.
  const sources = parts.filter(becomesPart)
  return Prompt.fromMessages(
    prompt.content.map((message) =>
      message.role !== "assistant"
        ? message
        : Prompt.makeMessage("assistant", {
            options: message.options,
            content: message.content.map((part, index) => withOptions(part, sources[index]))
          })
    )
  )
}

type Source = Response.AnyPart & { readonly type: (typeof kinds)[number] }

const kinds = ["text", "text-end", "reasoning", "reasoning-end", "tool-call", "tool-result"] as const

const becomesPart = (part: Response.AnyPart): part is Source =>
  part.type === "tool-result" ? part.providerExecuted : kinds.some((kind) => kind === part.type)

const withOptions = (
  part: Prompt.AssistantMessagePart,
  source: Source | undefined
): Prompt.AssistantMessagePart => {
  const options = source?.metadata.aiGateway
  if (options === undefined) return part
  if (part.type === "reasoning" && (source?.type === "reasoning" || source?.type === "reasoning-end"))
    return Prompt.makePart("reasoning", {
      ...part,
      options: { ...part.options, aiGateway: source.metadata.aiGateway }
    })
  if (part.type === "tool-call" && source?.type === "tool-call")
    return Prompt.makePart("tool-call", {
      ...part,
      options: { ...part.options, aiGateway: source.metadata.aiGateway }
    })
  return part
}
